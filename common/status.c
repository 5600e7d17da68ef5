/* common/status.c - formatting of errors, checked multiplication, the interrupt flag. */
#include "common/status.h"

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Cuts a UTF-8 text that vsnprintf truncated in the middle of a character. */
static void trim_partial_character(char *text) {
    size_t n = strlen(text);
    size_t back = 0;
    while (back < 4 && back < n && ((unsigned char)text[n - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back == n)
        return;
    unsigned char lead = (unsigned char)text[n - 1 - back];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (want > back + 1)
        text[n - 1 - back] = '\0';
}

bw_status bw_fail(bw_err *err, bw_status st, const char *format, ...) {
    if (!err)
        return st;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n < 0)
        err->text[0] = '\0';
    else if ((size_t)n >= sizeof err->text)
        trim_partial_character(err->text);
    return st;
}

bw_status bw_fail_prefix(bw_err *err, bw_status st, const char *prefix) {
    if (err) {
        bw_err old = *err;
        bw_fail(err, st, "%s: %s", prefix, old.text);
    }
    return st;
}

bw_status bw_fail_memory(bw_err *err) {
    return bw_fail(err, BW_ENOMEM, "out of memory");
}

bool bw_size_mul(size_t a, size_t b, size_t *n) {
    return !__builtin_mul_overflow(a, b, n);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int sig) {
    interrupted = 1;
    signal(sig, SIG_DFL); /* the second one is meant */
}

void bw_interrupt_install(void) {
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a write that fails, not the end */
#ifdef SIGXFSZ
    signal(SIGXFSZ,
           SIG_IGN); /* past a file-size limit the write fails, and says so, like a full disk */
#endif
}

bool bw_interrupted(void) {
    return interrupted != 0;
}
