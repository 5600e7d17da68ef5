/* model/core/attend_row.c - see attend_row.h.
 *
 * Four keys are multiplied at a time, so that their sixteen-lane sums fold together; values are
 * summed in registers, a stretch of dimensions after the other. */
#include "model/core/attend_row.h"

#include "model/core/simd.h"

#define LANES 16
#define KEYS  4
#define WIDE  4 /* registers of dimensions a pass over the values sums */
#define PART  static inline __attribute__((always_inline))

typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

#define AT(p) (*(const bw_v16 *)(p))

/* Lanes folded in halves down to four. */
PART four fold(bw_v16 x) {
    eight e = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
              __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    return __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
}

/* The four sums of four times four lanes. */
PART four fold_four(four a, four b, four c, four d) {
    four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
           __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

/* q . k for four keys. */
PART four dot_four(const float *q, const float *const k[KEYS], size_t dim) {
    bw_v16 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES) {
        bw_v16 x = AT(q + d);
        s0 += x * AT(k[0] + d);
        s1 += x * AT(k[1] + d);
        s2 += x * AT(k[2] + d);
        s3 += x * AT(k[3] + d);
    }
    four sums = fold_four(fold(s0), fold(s1), fold(s2), fold(s3));
    for (; d < dim; d++)
        sums += (four){k[0][d], k[1][d], k[2][d], k[3][d]} * q[d];
    return sums;
}

/* scores [n]; gives the largest. Behind the last key its product is worked out again. */
PART float score(const bw_attn *a, const float *q, const float *k, size_t n, const float *bias,
                 float *scores) {
    float top = -INFINITY;
    for (size_t j = 0; j < n; j += KEYS) {
        const float *keys[KEYS];
        for (size_t i = 0; i < KEYS; i++)
            keys[i] = k + (j + i < n ? j + i : n - 1) * a->k_stride;
        four dots = dot_four(q, keys, a->head_dim) * a->scale;
        for (size_t i = 0; i < KEYS && j + i < n; i++) {
            scores[j + i] = dots[i] + (bias ? bias[j + i] : 0);
            top = scores[j + i] > top ? scores[j + i] : top;
        }
    }
    return top;
}

/* out = scale * sum of p_j v_j over `wide` registers of dimensions. */
PART void mix(float *out, const float *p, const float *v, size_t stride, size_t n, float scale,
              const int wide) {
    bw_v16 s[WIDE] = {{0}};
    for (size_t j = 0; j < n; j++, v += stride)
        for (int i = 0; i < wide; i++)
            s[i] += AT(v + i * LANES) * p[j];
    for (int i = 0; i < wide; i++)
        *(bw_v16 *)(out + i * LANES) = s[i] * scale;
}

BW_CLONES void bw_attend_row(const bw_attn *a, float *out, const float *q, const float *k,
                             const float *v, size_t n, const float *bias, float *scores) {
    float top = score(a, q, k, n, bias, scores), sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++) {
        scores[j] = bw_expf(scores[j] - top);
        sum += scores[j];
    }
    size_t d = 0;
    for (; d + WIDE * LANES <= a->head_dim; d += WIDE * LANES)
        mix(out + d, scores, v + d, a->v_stride, n, 1 / sum, WIDE);
    for (; d + LANES <= a->head_dim; d += LANES)
        mix(out + d, scores, v + d, a->v_stride, n, 1 / sum, 1);
    for (; d < a->head_dim; d++) {
        float one = 0;
        for (size_t j = 0; j < n; j++)
            one += scores[j] * v[j * a->v_stride + d];
        out[d] = one / sum;
    }
}
