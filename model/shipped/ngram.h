/* model/shipped/ngram.h - hashed n-grams of units: the sparse features of a text.
 *
 * Words up to three in a row, Chinese characters up to four; and each word that follows a negation
 * within three places once more as "not <word>". A feature is its 64-bit hash. A text's features are
 * distinct and in order of first place, so every sum over them is the same everywhere. */
#ifndef BW_MODEL_NGRAM_H
#define BW_MODEL_NGRAM_H

#include "model/shipped/text.h"

typedef struct {
    uint64_t hash;
    uint32_t unit; /* index of its last unit */
    uint8_t order; /* units in it; 0 for a "not <word>" */
} bw_gram;

typedef struct {
    bw_gram *gram;
    size_t n, cap;
    uint64_t *seen; /* scratch of the de-duplication */
    size_t seen_cap;
} bw_grams; /* start from {0}; reused */

/* distinct false keeps repeats, each with its own place. */
bw_status bw_grams_extract(bw_grams *g, const bw_units *u, bool distinct, bw_err *err);
void bw_grams_free(bw_grams *g);

/* ---- a table from hash to slot, small enough to ship ----
 *
 * Sets of four slots with one byte of fingerprint each; a feature that was not put in is taken for
 * another with a chance of at most 4 in 255. */
typedef struct {
    size_t sets;         /* slots = 4 * sets */
    const uint8_t *mark; /* [4 * sets], 0 = empty; borrowed */
} bw_gram_table;

#define BW_GRAM_WAYS 4
#define BW_GRAM_NONE ((size_t)-1)

size_t bw_gram_slot(const bw_gram_table *t, uint64_t hash); /* BW_GRAM_NONE when it is not there */
/* Puts a hash in and returns its slot; BW_GRAM_NONE when its set is full or its mark is taken.
 * mark is the memory of t, writable. */
size_t bw_gram_put(const bw_gram_table *t, uint8_t *mark, uint64_t hash);

#endif
