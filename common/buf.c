/* common/buf.c - the growing text buffer, and whole-file reading and writing. */
#include "common/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool reserve(bw_buf *b, size_t more) {
    if (b->failed)
        return false;
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    char *text = realloc(b->text, cap);
    if (!text) {
        b->failed = true;
        return false;
    }
    b->text = text;
    b->cap = cap;
    return true;
}

void bw_buf_add_n(bw_buf *b, const char *text, size_t n) {
    if (!reserve(b, n))
        return;
    if (n)
        memcpy(b->text + b->len, text, n);
    b->len += n;
    b->text[b->len] = '\0';
}

void bw_buf_add(bw_buf *b, const char *text) {
    if (text)
        bw_buf_add_n(b, text, strlen(text));
}

void bw_buf_addf(bw_buf *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n >= 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->text + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void bw_buf_clear(bw_buf *b) {
    b->len = 0;
    if (b->text)
        b->text[0] = '\0';
}

bool bw_buf_ok(const bw_buf *b) {
    return !b->failed;
}

char *bw_buf_take(bw_buf *b) {
    bw_buf_add_n(b, "", 0);
    char *text = b->failed ? NULL : b->text;
    if (b->failed)
        free(b->text);
    *b = (bw_buf){0};
    return text;
}

void bw_buf_free(bw_buf *b) {
    free(b->text);
    *b = (bw_buf){0};
}

void bw_buf_add_html(bw_buf *b, const char *text) {
    for (const char *p = text ? text : ""; *p; p++) {
        switch (*p) {
        case '&':
            bw_buf_add(b, "&amp;");
            break;
        case '<':
            bw_buf_add(b, "&lt;");
            break;
        case '>':
            bw_buf_add(b, "&gt;");
            break;
        case '"':
            bw_buf_add(b, "&quot;");
            break;
        case '\'':
            bw_buf_add(b, "&#39;");
            break;
        default:
            bw_buf_add_n(b, p, 1);
        }
    }
}

static bw_status read_all(FILE *f, const char *path, size_t max, bw_buf *b, bw_err *err) {
    char chunk[1 << 16];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        if (b->len + n > max)
            return bw_fail(err, BW_EFORMAT, "%s: larger than the %zu bytes allowed here", path,
                           max);
        bw_buf_add_n(b, chunk, n);
    }
    if (ferror(f))
        return bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
    return bw_buf_ok(b) ? BW_OK : bw_fail_memory(err);
}

bw_status bw_file_read(const char *path, size_t max, char **out, size_t *len, bw_err *err) {
    *out = NULL;
    FILE *f = fopen(path, "rb");
    if (!f)
        return bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
    bw_buf b = {0};
    bw_status st = read_all(f, path, max, &b, err);
    fclose(f);
    if (st != BW_OK) {
        bw_buf_free(&b);
        return st;
    }
    if (len)
        *len = b.len;
    *out = bw_buf_take(&b);
    return *out ? BW_OK : bw_fail_memory(err);
}

bw_status bw_file_write(const char *path, const char *text, size_t len, bw_err *err) {
    bw_buf name = {0};
    bw_buf_addf(&name, "%s.part", path);
    if (!bw_buf_ok(&name)) {
        bw_buf_free(&name);
        return bw_fail_memory(err);
    }
    bw_status st = BW_OK;
    FILE *f = fopen(name.text, "wb");
    if (!f) {
        st = bw_fail(err, BW_EIO, "%s: cannot be written: %s", path, strerror(errno));
    } else {
        bool good = fwrite(text, 1, len, f) == len;
        good = fflush(f) == 0 && good;
        int why = errno;
        good = fclose(f) == 0 && good;
        if (!good || rename(name.text, path) != 0) {
            st = bw_fail(err, BW_EIO, "%s: cannot be written: %s", path,
                         strerror(good ? errno : why));
            unlink(name.text);
        }
    }
    bw_buf_free(&name);
    return st;
}
