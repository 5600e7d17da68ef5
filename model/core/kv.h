/* model/core/kv.h - inside of decoding, shared by kv_cache.c (packed weights, cache, sources) and
 * decoder.c (a step). Other modules include decoder.h. */
#ifndef BW_MODEL_KV_H
#define BW_MODEL_KV_H

#include "model/core/decoder.h"
#include "model/core/pace.h"
#include "model/core/tf.h"

typedef struct {
    bw_packed *qkv, *out, *cross_q, *cross_out, *up, *down;
} bw_decoder_layer;

struct bw_decoder {
    const bw_transformer *t;
    bw_pack_kind kind;
    bw_decoder_layer *layers;
    bw_packed *lm;
};

/* The tokens of one sequence: keys and values [layers][2][capacity][kv_dim], made on first use. */
typedef struct {
    float *kv;
    size_t length;
    bool used; /* by some slot */
} bw_kv_store;

/* What a step works in; rows for the largest step so far. */
typedef struct {
    float *x, *h, *qkv, *ctx, *up, *act;
    float *scores; /* [threads][scores_size], attention */
    size_t threads, scores_size;
    void
        *packed; /* rows as the packed weights read them, `piece` bytes a thread or group of rows */
    size_t piece;
    size_t rows;
    float *arena;
} bw_kv_scratch;

struct bw_kv_cache {
    const bw_decoder *d;
    bw_decoder *own; /* d, when the cache made it */
    size_t n_seq, capacity;
    bw_kv_store *stores; /* [2 n_seq], so that a reorder always finds a free one */
    size_t *slot;        /* [n_seq]: number of its store */
    size_t *source;      /* [n_seq]: number of its encoded source */
    float **cross;       /* [n_sources]: keys and values [layers][n tokens][2 kv_dim] */
    size_t *cross_tokens;
    size_t n_sources;
    float *rel;          /* relative bias for capacity, or NULL */
    bw_tf_workspace *ws; /* encoder, rope table */
    bw_kv_scratch s;
    bw_pace pace; /* of steps of few rows */
};

/* Floats of the keys, or values, of one layer of a store. */
static inline size_t bw_kv_plane(const bw_kv_cache *c) {
    return c->capacity * c->d->t->dec.kv_dim;
}
/* Gives a store its memory; false when there is none. */
bool bw_kv_store_ready(const bw_kv_cache *c, bw_kv_store *s);

#endif
