/* sql/import/encoding.h - which character encoding a file has, judged by its first bytes. */
#ifndef BW_SQL_ENCODING_H
#define BW_SQL_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char
        *name;   /* as iconv calls it: "UTF-8", "UTF-16LE", "UTF-16BE", "GB18030"; NULL unknown */
    size_t mark; /* bytes of the byte order mark to skip */
} bw_encoding;

/* Judges a sample from the start of a file. whole: the sample is all there is; otherwise its last
 * few bytes may be half a character. GBK is called by its superset GB18030, and only when most
 * two-byte characters are of the common block (GB 2312), so that Latin-1 is not taken for it. */
bw_encoding bw_encoding_detect(const char *sample, size_t n, bool whole);

/* True when text is valid UTF-8 (no surrogates, no overlong forms) without NUL; otherwise *bad is
 * the offset of the first byte that is not. */
bool bw_utf8_valid(const char *text, size_t n, size_t *bad);

#endif
