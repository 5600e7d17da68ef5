/* common/status.h - how a function fails, everywhere in Bellwether.
 *
 * A function that can fail returns a bw_status and fills a bw_err that names the input, what was
 * found and what to do. Library code hands both up; main.c alone prints and exits. */
#ifndef BW_COMMON_STATUS_H
#define BW_COMMON_STATUS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    BW_OK = 0,
    BW_HELP,         /* --help was printed: stop, exit 0 */
    BW_EUSAGE,       /* the command line is wrong: exit 2 */
    BW_EARG,         /* a value the caller gave cannot be used */
    BW_EIO,          /* the operating system refused: open, read, write, no space */
    BW_EFORMAT,      /* a file or a row does not have the form it should have */
    BW_EDATA,        /* the data are well formed and cannot answer the question */
    BW_EDB,          /* SQLite reported an error */
    BW_ENOMEM,       /* out of memory */
    BW_EINTERRUPTED, /* Ctrl-C or SIGTERM: what was committed stays */
    BW_EMISMATCH     /* a check ran and found a difference (verify): exit 1, already reported */
} bw_status;

/* The explanation of a failure: one or more lines without a trailing newline. */
typedef struct {
    char text[2048];
} bw_err;

/* Formats the explanation (cut at the buffer's end, on a UTF-8 boundary) and returns st.
 * err may be NULL. */
bw_status bw_fail(bw_err *err, bw_status st, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of what err already says; returns st. */
bw_status bw_fail_prefix(bw_err *err, bw_status st, const char *prefix);

/* Out of memory, said in one way. */
bw_status bw_fail_memory(bw_err *err);

/* *n = a * b; false when that overflows. For every size that comes from a file. */
bool bw_size_mul(size_t a, size_t b, size_t *n);

/* Ctrl-C and SIGTERM set a flag; long work asks for it between two safe points and returns
 * BW_EINTERRUPTED. A second Ctrl-C ends the program at once. */
void bw_interrupt_install(void);
bool bw_interrupted(void);

#endif
