/* model/tokenizer/charsmap.h - SentencePiece's compiled table of normalisation rules
 * ("precompiled_charsmap" in T5, XLM-R, ALBERT): strings of bytes and what each becomes.
 *
 * The file holds, in base64: the size of a trie in bytes (u32, little-endian); the trie, a double
 * array of u32 units as Darts-clone writes it; then the results, UTF-8, each ended by a NUL, that
 * the leaves point into. */
#ifndef BW_MODEL_TOK_CHARSMAP_H
#define BW_MODEL_TOK_CHARSMAP_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct bw_charsmap bw_charsmap;

/* base64: NUL-terminated. On BW_OK *out is the caller's; BW_EFORMAT: not such a table. */
bw_status bw_charsmap_new(const char *base64, bw_charsmap **out, bw_err *err);
void bw_charsmap_free(bw_charsmap *m); /* NULL is fine */

/* What the shortest rule that begins s[0 .. n) makes of it: *len bytes, borrowed until the map is
 * freed; NULL: no rule does. (The reference, too, takes the shortest and drops the rest of s.) */
const uint8_t *bw_charsmap_find(const bw_charsmap *m, const uint8_t *s, size_t n, size_t *len);

#endif
