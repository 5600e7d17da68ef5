/* model/infer/infer_ops.h - attention of the frozen encoder. Private to model/infer. */
#ifndef BW_MODEL_INFER_OPS_H
#define BW_MODEL_INFER_OPS_H

#include <stddef.h>

/* One head of one sequence. */
typedef struct {
    size_t n, head_dim;
    size_t stride; /* floats from one token's query (key, value) to the next */
    size_t ldo;    /* the same of the output */
    float scale;
} bw_attend;

/* out = softmax(scale Q K^T) V, nothing masked. scratch: bw_attend_scratch floats, aligned to 64
 * bytes. A dozen rows of scores exist at a time. */
typedef void bw_attend_fn(const bw_attend *a, const float *q, const float *k, const float *v,
                          float *out, float *scratch);

/* Floats of scratch for n tokens. */
size_t bw_attend_scratch(size_t n, size_t head_dim);

/* All heads of one sequence.
 * qkv: n rows, 3 * heads * head_dim wide (queries, keys, values)   out: [n, heads * head_dim] */
void bw_infer_attend(const float *qkv, size_t n, size_t heads, size_t head_dim, float scale,
                     float *out, float *scratch);

#endif
