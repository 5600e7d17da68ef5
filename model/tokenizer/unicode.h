/* model/tokenizer/unicode.h - character properties as the reference's libraries know them.
 *
 * Those libraries were each built from another version of Unicode: regular expressions from 16,
 * case from 17, normal forms from 13, punctuation and marks from 8. A character that came later,
 * or moved, counts there as its version has it; ids agree only if it does so here. utf8proc gives
 * the properties, short tables the differences. Found by asking both for every code point
 * (tokenizers 0.22.2, utf8proc 2.8). */
#ifndef BW_MODEL_TOK_UNICODE_H
#define BW_MODEL_TOK_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { BW_OTHER, BW_LETTER, BW_NUMBER, BW_SPACE, BW_NEWLINE } bw_class;

/* The class in a split pattern: \p{L}, \p{N}, [\r\n], the rest of \s, or none of these. */
bw_class bw_class_of(int32_t cp);
bool bw_is_space(int32_t cp);   /* property White_Space */
bool bw_is_han(int32_t cp);     /* unified ideographs: main block and extension A */
bool bw_is_numeric(int32_t cp); /* for the Digits pre_tokenizer */
bool bw_is_punct(int32_t cp);   /* for BERT: ASCII symbols too */
bool bw_is_mn(int32_t cp);      /* nonspacing mark */
bool bw_is_mark(int32_t cp);    /* any combining mark */
bool bw_is_control(int32_t cp); /* for BERT: categories Cc, Cf, Co */
bool bw_is_word(int32_t cp);    /* \w: alphabetic, mark, decimal digit, connector, joiner */
bool bw_decomposes(int32_t cp); /* has a canonical or compatibility decomposition */
int32_t bw_lower(int32_t cp);   /* one to one; U+0130 is the caller's */

#endif
