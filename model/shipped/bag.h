/* model/shipped/bag.h - embeddings of texts: a weighted sum of token vectors, scaled to unit length.
 *
 * e = sum_t exp(g_t) T_t / |.|, t over the text's tokens. Token vectors T and log weights g (from
 * inverse document frequency at first) are trained on texts that belong together (in-batch
 * negatives, van den Oord et al. 2018) and on pairs with a similarity score (CoSENT: in a batch, a
 * pair with the higher score is to have the higher cosine). Summing lets two texts be compared by
 * what they share however long they are. */
#ifndef BW_MODEL_BAG_H
#define BW_MODEL_BAG_H

#include "model/shipped/deep.h"

typedef struct {
    size_t vocab, dim;
    const int8_t *vector; /* [vocab, dim] */
    const float *scale;   /* [vocab] vector = scale * int8; the weight exp(g) is in it */
    void *memory;         /* owned, or NULL when borrowed from a file */
} bw_bag;

/* Unit vector of the tokens id[0 .. n); zero when n is 0. */
void bw_bag_embed(const bw_bag *b, const int32_t *id, size_t n, float *out);

/* Trains on the pairs and texts of d; section "embed" of the recipe. */
bw_status bw_bag_train(const bw_recipe *r, const bw_dataset *d, const bw_deep *m, uint64_t seed,
                       bw_bag *out, bw_err *err);
void bw_bag_free(bw_bag *b);

#endif
