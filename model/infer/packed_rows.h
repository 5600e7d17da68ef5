/* model/infer/packed_rows.h - products and norms whose results go straight into packed rows, the
 * input of the next product: the layers of the frozen encoder, with the quantising of int8 fused
 * in.
 *
 * Private to model/infer. As in packed.h every row is worked out by itself. */
#ifndef BW_MODEL_PACKED_ROWS_H
#define BW_MODEL_PACKED_ROWS_H

#include "model/infer/packed.h"

typedef struct {
    const float *gamma, *beta; /* [dim] */
    float eps;
    size_t dim;
} bw_norm;

/* Rows that a product with int8 results holds as floats at a time, until it knows their largest. */
#define BW_STAGE_ROWS 96

/* As bw_packed_mul, but y is written as packed rows of p's kind: next has
 * bw_rows_size(kind, rows, out) bytes. stage: [BW_STAGE_ROWS, out] floats, not used for f32. */
void bw_packed_mul_rows(const bw_packed *p, const void *work, size_t rows, bw_fuse act, void *next,
                        float *stage);

/* x: [rows, dim] += y, unless y is NULL; out = norm(x), may be x; the same as packed rows in next,
 * unless that is NULL. */
void bw_norm_rows(bw_pack_kind kind, const bw_norm *norm, float *x, const float *y, size_t rows,
                  float *out, void *next);

#endif
