/* model/core/params.h - a block of weights and the table that names its parts.
 *
 * One allocation holds all weights, one more (made on first use) all gradients. The table of names
 * and shapes drives load, save, count, gradient check, optimiser and free: a new tensor is one new
 * row. A transformer owns one such block; a task head outside it owns another, registered with the
 * optimiser beside it.
 *
 *     bw_params p = {0};
 *     size_t w = bw_params_add(&p, "sentiment.weight", 2, (size_t[]){3, dim}, 0);
 *     st = bw_params_alloc(&p, &err);
 *     float *weight = bw_param_data(&p, w), *gradient = bw_param_grad(&p, w); */
#ifndef BW_MODEL_PARAMS_H
#define BW_MODEL_PARAMS_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BW_PARAM_NO_DECAY = 1, /* biases and norms: no weight decay where a group leaves them out */
    BW_PARAM_FIXED = 2     /* never trained: sinusoidal table, BART's final_logits_bias */
};

typedef struct {
    char name[120];
    size_t n_dims, dim[2];
    size_t size;   /* product of dims */
    size_t offset; /* floats from the start of the block */
    unsigned flags;
    int depth; /* for layer-wise learning rates: 0 embeddings, 1.. layers, last + 1 heads */
} bw_param;

typedef struct {
    bw_param *table;
    size_t n, cap;
    float *data; /* [total], 64-byte aligned; each parameter starts where the one before ends */
    float *grad; /* [total] or NULL until bw_params_need_grad */
    size_t total;
    bool failed; /* out of memory, or sizes that overflow, while rows were added */
} bw_params;     /* start from {0} */

/* Adds a row behind the last one; returns its index. Problems are remembered for
 * bw_params_alloc. */
size_t bw_params_add(bw_params *p, const char *name, size_t n_dims, const size_t *dim,
                     unsigned flags);
/* Allocates data, zeroed. */
bw_status bw_params_alloc(bw_params *p, bw_err *err);
/* Allocates grad, zeroed, if there is none. */
bw_status bw_params_need_grad(bw_params *p, bw_err *err);
void bw_params_zero_grad(bw_params *p);
/* Index of a name, or (size_t)-1. */
size_t bw_params_find(const bw_params *p, const char *name);
void bw_params_free(bw_params *p); /* the record itself belongs to the caller */

static inline float *bw_param_data(const bw_params *p, size_t i) {
    return p->data + p->table[i].offset;
}
static inline float *bw_param_grad(const bw_params *p, size_t i) {
    return p->grad + p->table[i].offset;
}

/* Fills with a normal of standard deviation std, cut at two deviations; same seed, same bytes. */
void bw_param_init_normal(bw_params *p, size_t i, float std, uint64_t seed);
void bw_param_fill(bw_params *p, size_t i, float value);

#endif
