/* model/tokenizer/utf8.h - UTF-8, read strictly and written back. */
#ifndef BW_MODEL_TOK_UTF8_H
#define BW_MODEL_TOK_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A byte that is part of no character is read as a code point of its own, BW_RAW_BYTE + byte, past
 * the end of Unicode, and written back as that byte. */
#define BW_RAW_BYTE    0x110000
#define BW_REPLACEMENT 0xFFFD

/* The code point at s, of which n > 0 bytes remain; *used is set to its length, 1 to 4. */
int32_t bw_utf8_next(const uint8_t *s, size_t n, size_t *used);
/* Writes a code point or a raw byte; returns the length, 1 to 4. */
size_t bw_utf8_put(int32_t cp, uint8_t out[4]);
/* Copies text with each maximal ill-formed part as one U+FFFD (Unicode 15, section 3.9, table 3-8).
 * out needs 3 * n bytes; returns the length written. */
size_t bw_utf8_repair(const uint8_t *s, size_t n, uint8_t *out);

#endif
