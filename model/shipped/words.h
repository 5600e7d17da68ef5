/* model/shipped/words.h - how often the training texts hold each English word, in few bytes: what tells a
 * rare word from a slip of the keyboard (model/shipped/spelling.h). */
#ifndef BW_MODEL_WORDS_H
#define BW_MODEL_WORDS_H

#include "model/train/recipe.h"

/* Rows sorted by hash: four bytes of it, the highest first, and one of 8 * log2(count). */
typedef struct {
    const uint8_t *row; /* [n, BW_WORD_BYTES] */
    size_t n;
    uint8_t *memory; /* owned; NULL when row is borrowed */
} bw_words;          /* {0}: none */

#define BW_WORD_BYTES 5

/* Counts the words of the training texts; those met fewer than min_count times are left out. */
bw_status bw_words_new(const bw_dataset *d, uint32_t min_count, bw_words *out, bw_err *err);
/* About how often: within 5 %; 0 for a word that is not there. hash: that of bw_unit. */
double bw_words_count(const bw_words *w, uint64_t hash);
void bw_words_free(bw_words *w);

#endif
