/* model/shipped/wide.h - the wide path: a linear model over hashed n-grams of the whole text.
 *
 * Each feature holds two weights: polarity s and neutrality u. A text's values are the sums over its
 * distinct features, divided by the square root of their number; its logits are (-s, u, +s). It sees
 * every word of a long text at next to no cost and knows rare phrases; the transformer beside it
 * knows order and context (the pair is "wide and deep", Cheng et al. 2016).
 *
 * Training: AdaGrad on cross-entropy, features dropped at random (Wang & Manning 2013), rows in a
 * seeded order. Only features seen in at least min_count texts take part; the heaviest are shipped. */
#ifndef BW_MODEL_WIDE_H
#define BW_MODEL_WIDE_H

#include "model/shipped/ngram.h"
#include "model/train/recipe.h"

#define BW_WIDE_OUT 2

/* The shipped form: int8 weights beside a table of marks. Memory is borrowed or owned by `memory`. */
typedef struct {
    bw_gram_table table;
    const int8_t *weight; /* [4 * sets, BW_WIDE_OUT] */
    float scale[BW_WIDE_OUT], bias[BW_WIDE_OUT];
    void *memory;
} bw_wide;

/* value[0] = s, value[1] = u of a text whose distinct features are in g. */
void bw_wide_value(const bw_wide *w, const bw_grams *g, float value[BW_WIDE_OUT]);
/* What one feature adds to s before the division: for explanations. */
float bw_wide_weight(const bw_wide *w, uint64_t hash);

/* Trains on the sentiment rows of d. log (may be NULL) gets a line each epoch. */
bw_status bw_wide_train(const bw_recipe *r, const bw_dataset *d, uint64_t seed, bw_wide *out,
                        bw_err *err);
void bw_wide_free(bw_wide *w);

#endif
