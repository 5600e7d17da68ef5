/* model/infer/infer_ops.c - attention in tiles of 4 queries by 32 keys, layer norm in 16 lanes.
 *
 * Written with the compiler's vector type of 16 floats, which it lowers to whatever registers the
 * chosen clone of a function has. Products and sums stay separate operations: fused ones would round
 * differently on machines that lack them. */
#include "model/infer/infer_ops.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_ISA __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define FOR_EACH_ISA
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float v16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef unsigned u16 __attribute__((vector_size(64), aligned(4), may_alias));

#define LANES 16
#define AT(p) (*(v16 *)(p))       /* sixteen floats from p on, to write */
#define OF(p) (*(const v16 *)(p)) /* the same, to read */
#define TILE  4                   /* queries a tile */

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

/* Lanes folded in halves: one fixed tree. */
INLINE float sum_lanes(const v16 *x) {
    float a[LANES];
    memcpy(a, x, sizeof a);
    for (int width = LANES / 2; width; width /= 2)
        for (int i = 0; i < width; i++)
            a[i] += a[i + width];
    return a[0];
}

INLINE float max_lanes(const v16 *x) {
    float a[LANES];
    memcpy(a, x, sizeof a);
    for (int i = 1; i < LANES; i++)
        a[0] = a[i] > a[0] ? a[i] : a[0];
    return a[0];
}

/* x = max(x, y), lane by lane. */
INLINE void max_into(v16 *x, const v16 *y) {
    u16 take = (u16)(*y > *x);
    *x = (v16)(((u16)*y & take) | ((u16)*x & ~take));
}

/* e^x for x <= 0, in place; see packed_act.c for the method. */
INLINE void exp_lanes(v16 *x) {
    v16 y = *x, floor = (v16){0} - 87.0f;
    max_into(&y, &floor);
    v16 shifted = y * 1.44269504f + 12582912.0f;
    v16 whole = shifted - 12582912.0f;
    v16 r = y - whole * 0.693359375f - whole * -2.12194440e-4f;
    v16 e = r * (1.0f / 720) + 1.0f / 120;
    e = e * r + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    u16 power = ((u16)shifted << 23) + 0x3F800000u;
    *x = e * (v16)power;
}

size_t bw_infer_attend_scratch(size_t n, size_t head_dim) {
    size_t padded = round_up(n, 2 * LANES);
    return head_dim * padded + n * round_up(head_dim, LANES) + TILE * padded;
}

/* The keys of one head, transposed to [head_dim, padded], zero behind the last. */
INLINE void transpose_keys(const float *k, size_t n, size_t stride, size_t head_dim, size_t padded,
                           float *kt) {
    for (size_t d = 0; d < head_dim; d++) {
        for (size_t j = 0; j < n; j++)
            kt[d * padded + j] = k[j * stride + d];
        memset(kt + d * padded + n, 0, (padded - n) * sizeof *kt);
    }
}

/* The values of one head, rows padded to whole lanes. */
INLINE void copy_values(const float *v, size_t n, size_t stride, size_t head_dim, size_t width,
                        float *to) {
    for (size_t j = 0; j < n; j++) {
        memcpy(to + j * width, v + j * stride, head_dim * sizeof *v);
        memset(to + j * width + head_dim, 0, (width - head_dim) * sizeof *v);
    }
}

/* scores[r][j] = scale * q_r . k_j for TILE queries; a missing query repeats the last. */
INLINE void score_tile(const float *const q[TILE], const float *kt, size_t head_dim, size_t padded,
                       float scale, float *scores) {
    for (size_t j = 0; j < padded; j += 2 * LANES) {
        v16 s[TILE][2] = {{{0}}};
        for (size_t d = 0; d < head_dim; d++) {
            v16 k0 = OF(kt + d * padded + j), k1 = OF(kt + d * padded + j + LANES);
            for (int r = 0; r < TILE; r++) {
                s[r][0] = s[r][0] + k0 * q[r][d];
                s[r][1] = s[r][1] + k1 * q[r][d];
            }
        }
        for (int r = 0; r < TILE; r++) {
            v16 a = s[r][0] * scale, b = s[r][1] * scale;
            AT(scores + (size_t)r * padded + j) = a;
            AT(scores + (size_t)r * padded + j + LANES) = b;
        }
    }
}

/* Scores of n keys to weights that sum to 1, in place; gives 1 / sum, which the caller applies. */
INLINE float softmax_row(float *s, size_t n, size_t padded) {
    for (size_t j = n; j < padded; j++)
        s[j] = -INFINITY;
    v16 top = OF(s);
    for (size_t j = LANES; j < padded; j += LANES) {
        max_into(&top, &OF(s + j));
    }
    float shift = max_lanes(&top);
    v16 sum = {0};
    for (size_t j = 0; j < padded; j += LANES) {
        v16 x = OF(s + j) - shift;
        exp_lanes(&x);
        sum = sum + x;
        AT(s + j) = x;
    }
    return 1.0f / sum_lanes(&sum);
}

/* out_r = inverse_r * sum_j scores[r][j] v_j */
INLINE void mix_tile(const float *scores, size_t padded, const float inverse[TILE], const float *v,
                     size_t n, size_t width, size_t head_dim, float *const out[TILE], int rows) {
    for (size_t d = 0; d < width; d += LANES) {
        v16 o[TILE] = {{0}};
        for (size_t j = 0; j < n; j++) {
            v16 x = OF(v + j * width + d);
            for (int r = 0; r < TILE; r++)
                o[r] = o[r] + x * scores[(size_t)r * padded + j];
        }
        size_t take = head_dim - d < LANES ? head_dim - d : LANES;
        for (int r = 0; r < rows; r++) {
            v16 y = o[r] * inverse[r];
            memcpy(out[r] + d, &y, take * sizeof(float));
        }
    }
}

FOR_EACH_ISA static void attend_head(const float *q, const float *k, const float *v, size_t n,
                                     size_t stride, size_t head_dim, float scale, float *out,
                                     size_t out_stride, float *scratch) {
    size_t padded = round_up(n, 2 * LANES), width = round_up(head_dim, LANES);
    float *kt = scratch, *values = kt + head_dim * padded, *scores = values + n * width;
    transpose_keys(k, n, stride, head_dim, padded, kt);
    copy_values(v, n, stride, head_dim, width, values);
    for (size_t i = 0; i < n; i += TILE) {
        int rows = n - i < TILE ? (int)(n - i) : TILE;
        const float *queries[TILE];
        float *outs[TILE], inverse[TILE];
        for (int r = 0; r < TILE; r++) {
            size_t row = i + (size_t)(r < rows ? r : rows - 1);
            queries[r] = q + row * stride;
            outs[r] = out + row * out_stride;
        }
        score_tile(queries, kt, head_dim, padded, scale, scores);
        for (int r = 0; r < TILE; r++)
            inverse[r] = softmax_row(scores + (size_t)r * padded, n, padded);
        mix_tile(scores, padded, inverse, values, n, width, head_dim, outs, rows);
    }
}

void bw_infer_attend(const float *qkv, size_t n, size_t heads, size_t head_dim, float scale,
                     float *out, float *scratch) {
    size_t dim = heads * head_dim;
    for (size_t h = 0; h < heads; h++) {
        const float *q = qkv + h * head_dim;
        attend_head(q, q + dim, q + 2 * dim, n, 3 * dim, head_dim, scale, out + h * head_dim, dim,
                    scratch);
    }
}

/* Sum over a row by lanes; the tail beyond whole lanes is added one by one. */
FOR_EACH_ISA static void norm_row(float *x, const float *y, const float *gamma, const float *beta,
                                  float eps, size_t dim) {
    v16 sum = {0};
    float tail = 0;
    size_t whole = dim / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        v16 a = OF(x + i);
        if (y)
            a = a + OF(y + i);
        AT(x + i) = a;
        sum = sum + a;
    }
    for (size_t i = whole; i < dim; i++) {
        x[i] += y ? y[i] : 0;
        tail += x[i];
    }
    float mean = (sum_lanes(&sum) + tail) / (float)dim;
    v16 squares = {0};
    tail = 0;
    for (size_t i = 0; i < whole; i += LANES) {
        v16 d = OF(x + i) - mean;
        squares = squares + d * d;
    }
    for (size_t i = whole; i < dim; i++)
        tail += (x[i] - mean) * (x[i] - mean);
    float rstd = 1.0f / sqrtf((sum_lanes(&squares) + tail) / (float)dim + eps);
    for (size_t i = 0; i < dim; i++)
        x[i] = (x[i] - mean) * rstd * gamma[i] + beta[i];
}

void bw_infer_norm(float *x, const float *y, const float *gamma, const float *beta, float eps,
                   size_t rows, size_t dim) {
    for (size_t r = 0; r < rows; r++)
        norm_row(x + r * dim, y ? y + r * dim : NULL, gamma, beta, eps, dim);
}
