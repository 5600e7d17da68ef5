/* model/core/attend_row.h - attention of a single query: the step of a decoder that writes one
 * token. */
#ifndef BW_MODEL_ATTEND_ROW_H
#define BW_MODEL_ATTEND_ROW_H

#include "model/core/ops.h"

/* out [head_dim] = softmax(scale q K^T + bias) V for one head of a, which gives head_dim, scale
 * and the strides. q: [head_dim]   k, v: n rows   bias: [n] or NULL   scores: [n], scratch */
void bw_attend_row(const bw_attn *a, float *out, const float *q, const float *k, const float *v,
                   size_t n, const float *bias, float *scores);

#endif
