/* model/infer/infer_ops.h - what the frozen encoder does between its packed products: attention and norms
 * for inference alone. Private to infer*.c.
 *
 * Sixteen lanes everywhere, each lane one fixed sequence of IEEE operations and the lanes summed in
 * one fixed order, so that every register width gives the same bits. */
#ifndef BW_MODEL_INFER_OPS_H
#define BW_MODEL_INFER_OPS_H

#include <stddef.h>

/* Floats of scratch for a sequence of n tokens. */
size_t bw_infer_attend_scratch(size_t n, size_t head_dim);

/* Attention of one sequence, all heads, nothing masked: softmax(scale Q K^T) V.
 * qkv: n rows, 3 * heads * head_dim wide (queries, keys, values)   out: [n, heads * head_dim]
 * scratch: bw_infer_attend_scratch floats, aligned to 64. At most 8 rows of scores exist at a time. */
void bw_infer_attend(const float *qkv, size_t n, size_t heads, size_t head_dim, float scale,
                     float *out, float *scratch);

/* x: [rows, dim] in place = norm(x + y) * gamma + beta; y NULL = nothing added. */
void bw_infer_norm(float *x, const float *y, const float *gamma, const float *beta, float eps,
                   size_t rows, size_t dim);

#endif
