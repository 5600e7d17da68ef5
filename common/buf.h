/* common/buf.h - a growing text buffer for everything that is written piece by piece: HTML, JSON,
 * Markdown, gnuplot scripts.
 *
 * Out of memory is remembered, not reported at each call: append freely, then ask bw_buf_ok once. */
#ifndef BW_COMMON_BUF_H
#define BW_COMMON_BUF_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *text; /* NUL-terminated once anything was appended, NULL before */
    size_t len, cap;
    bool failed;
} bw_buf; /* start from {0} */

void bw_buf_add(bw_buf *b, const char *text); /* NULL adds nothing */
void bw_buf_add_n(bw_buf *b, const char *text, size_t n);
void bw_buf_addf(bw_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bw_buf_clear(bw_buf *b); /* empty, memory kept */
bool bw_buf_ok(const bw_buf *b);
/* The text, the caller frees; the buffer is empty after. NULL when memory ran out. */
char *bw_buf_take(bw_buf *b);
void bw_buf_free(bw_buf *b);

/* Escapes for HTML text and double-quoted attributes: & < > " ' */
void bw_buf_add_html(bw_buf *b, const char *text);

/* Reads a whole file (at most max bytes). *out is the caller's to free, NUL-terminated. */
bw_status bw_file_read(const char *path, size_t max, char **out, size_t *len, bw_err *err);
/* Writes a file whole: to a neighbour first, then renamed over path, so that a reader never sees
 * half of it and a failure leaves the old one. */
bw_status bw_file_write(const char *path, const char *text, size_t len, bw_err *err);

#endif
