/* sql/safetext.h - text of unknown origin on a terminal: its width, and what it may not do. */
#ifndef BW_SQL_SAFETEXT_H
#define BW_SQL_SAFETEXT_H

#include "common/buf.h"

#include <stdint.h>

/* The next code point of *text, which moves on; a byte that is no UTF-8 gives -1 - byte. */
int32_t bw_text_next(const char **text);

/* Columns of a terminal that a UTF-8 text takes: two for most of CJK, none for combining marks. */
size_t bw_text_width(const char *text);

/* Cuts a text to that many columns, in place; the last one is an ellipsis then. width >= 1. */
void bw_text_cut(char *text, size_t width);

/* True for control characters of both sets, and for the marks that turn text around. */
bool bw_text_commands(int32_t code);

/* Appends text with such characters, and bytes that are no UTF-8, as escapes (\n, \x1b, \u202e). */
void bw_buf_add_safe(bw_buf *b, const char *text);

#endif
