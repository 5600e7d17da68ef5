/* model/core/ops.h - what a transformer does between its matrix products, each with its backward.
 *
 * Functions named ..._backward take the gradient of the output and give that of the input; those of
 * weights are added to. None allocates. Sums go into double where length matters. */
#ifndef BW_MODEL_OPS_H
#define BW_MODEL_OPS_H

#include "model/core/config.h"

#include <stddef.h>
#include <stdint.h>

/* ---- norms: x [rows, dim] -> y [rows, dim]; Ba et al. 2016, Zhang & Sennrich 2019 ---- */

/* y = (x - mean) / sqrt(var + eps) * gamma + beta. xhat [rows, dim] (the normalised rows) and
 * rstd [rows] are kept for backward, or NULL. y may be x; xhat may be x when y is not. */
void bw_layer_norm(float *y, float *xhat, float *rstd, const float *x, const float *gamma,
                   const float *beta, float eps, size_t rows, size_t dim);
/* dx may be dy or xhat. dgamma and dbeta are added to. */
void bw_layer_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy,
                            const float *xhat, const float *rstd, const float *gamma, size_t rows,
                            size_t dim);
/* y = x / sqrt(mean(x^2) + eps) * gamma. */
void bw_rms_norm(float *y, float *xhat, float *rstd, const float *x, const float *gamma, float eps,
                 size_t rows, size_t dim);
void bw_rms_norm_backward(float *dx, float *dgamma, const float *dy, const float *xhat,
                          const float *rstd, const float *gamma, size_t rows, size_t dim);

/* ---- activations ---- */

/* y = act(x), n values; y may be x. */
void bw_act_forward(bw_act act, float *y, const float *x, size_t n);
/* dx = dy * act'(x), x before the activation; dx may be dy or x. */
void bw_act_backward(bw_act act, float *dx, const float *dy, const float *x, size_t n);

/* The gated form. gate_up [rows, 2n]: a row holds n gates, then n values; y [rows, n] =
 * act(gate) * value. */
void bw_act_gated(bw_act act, float *y, const float *gate_up, size_t rows, size_t n);
/* d_gate_up may be gate_up. */
void bw_act_gated_backward(bw_act act, float *d_gate_up, const float *dy, const float *gate_up,
                           size_t rows, size_t n);

/* ---- softmax and cross-entropy ---- */

/* p = softmax(x) for each row of [rows, n]; p may be x. */
void bw_softmax(float *p, const float *x, size_t rows, size_t n);
/* log of the sum of exp(x) over n values, shifted by the maximum. */
double bw_log_sum_exp(const float *x, size_t n);

/* ---- rotary positions ---- */

/* table [n_positions, head_dim]: for each position the cosines, then the sines, of the angles
 * position * theta^(-2i/head_dim), i < head_dim/2, slowed down as scaling says; angles rounded to
 * f32 as the published models'. */
void bw_rope_table(float *table, size_t n_positions, size_t head_dim, float theta,
                   const bw_rope_scaling *scaling);
/* Rotates the first `heads` heads of each row of x (rows `stride` floats apart) by the row's
 * position: pairs (i, i + head_dim/2). inverse: the other way, which is the backward. */
void bw_rope(float *x, const float *table, const int32_t *positions, size_t rows, size_t stride,
             size_t heads, size_t head_dim, bool inverse);

/* ---- dropout ---- */

/* x[i] = keep ? x[i] / (1 - p) : 0, keep being a function of (seed, first + i) alone, so that the
 * backward is the same call on the gradient. p = 0 does nothing. */
void bw_dropout(float *x, size_t n, float p, uint64_t seed, uint64_t first);

/* ---- attention of one sequence, all heads: softmax(scale Q K^T + bias, masked) V ---- */

typedef struct {
    size_t heads, kv_heads, head_dim;
    size_t n_q, n_k;                               /* query and key tokens */
    size_t q_stride, k_stride, v_stride, o_stride; /* floats from one token to the next */
    float scale;
    int causal;            /* key j is seen by query i when j <= i + first */
    size_t first;          /* position of query 0 among the keys (cache: keys before it) */
    size_t window;         /* causal: a query sees itself and window - 1 keys before; 0 = all */
    const float *rel_bias; /* [heads, rel_span * 2 + 1] by distance key - query, or NULL */
    size_t rel_span;       /* the distance range is -rel_span .. rel_span; covers n_q, n_k */
    float dropout;         /* on probabilities; 0 = none */
    uint64_t dropout_seed; /* of this sequence and layer */
} bw_attn;

/* The first key that query i sees. */
static inline size_t bw_attn_from(const bw_attn *a, size_t i) {
    size_t seen = i + a->first + 1;
    return a->window && seen > a->window ? seen - a->window : 0;
}

/* Floats of scratch that forward and backward need. */
size_t bw_attn_scratch(const bw_attn *a);
/* out [n_q, heads * head_dim]; lse [heads, n_q] keeps each row's log-sum-exp for backward or NULL.
 * Nothing of size n_q x n_k is kept. */
void bw_attn_forward(const bw_attn *a, float *out, float *lse, const float *q, const float *k,
                     const float *v, float *scratch);
/* dq, dk, dv have the strides of q, k, v and are overwritten (they may be q, k, v themselves);
 * d_rel_bias is added to, or NULL. out is forward's result. */
void bw_attn_backward(const bw_attn *a, float *dq, float *dk, float *dv, float *d_rel_bias,
                      const float *d_out, const float *out, const float *lse, const float *q,
                      const float *k, const float *v, float *scratch);

#endif
