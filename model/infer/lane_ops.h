/* model/infer/lane_ops.h - what the frozen models do between and behind the sums of a register
 * tile: bias, activation, quantising, norms, attention.
 *
 * Written once and compiled for each instruction set: packed_avx512.c and its like include a header
 * of lanes (sixteen floats and what can be done with them), define their tiles, then include this.
 * Every set does the same IEEE operations on the same lanes in the same order, fused multiply-adds
 * included, and folds lanes in one fixed tree, so that all of them give the same bits.
 *
 * Private to packed_*.c. Needs: lanes_*.h, and the file's own tile_f32. */
#ifndef BW_MODEL_LANE_OPS_H
#define BW_MODEL_LANE_OPS_H

#include "model/infer/packed_kernel.h"

#include <math.h>
#include <string.h>

#define LANES BW_LANES
#define MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to a whole number, in the low bits */

/* ---- activations ---- */

/* e^x for x <= 0 to 2 ulp: x = n ln 2 + r, a polynomial of degree 6 on |r| <= ln 2 / 2 (Cody and
 * Waite's split of ln 2). Below -87 the result is 0 to within 1e-38. */
INLINE lanes exp_negative(lanes x) {
    x = lanes_max(x, lanes_all(-87.0f));
    lanes shifted = lanes_fma(x, lanes_all(1.44269504f), lanes_all(MAGIC));
    lanes whole = lanes_sub(shifted, lanes_all(MAGIC));
    lanes r = lanes_fma(whole, lanes_all(-0.693359375f), x);
    r = lanes_fma(whole, lanes_all(2.12194440e-4f), r);
    lanes e = lanes_fma(r, lanes_all(1.0f / 720), lanes_all(1.0f / 120));
    e = lanes_fma(e, r, lanes_all(1.0f / 24));
    e = lanes_fma(e, r, lanes_all(1.0f / 6));
    e = lanes_fma(e, r, lanes_all(0.5f));
    e = lanes_fma(e, r, lanes_all(1.0f));
    e = lanes_fma(e, r, lanes_all(1.0f));
    return lanes_mul(e, lanes_power(shifted));
}

/* x Phi(x) without a division or an exponential: Phi(x) - 1/2 = c P(2 c^2 / 25 - 1), where c is x
 * held within -5..5 and P, of degree 11, makes the largest error of x Phi(x) smallest (Lawson's
 * algorithm) under the condition that the result is 0 below -5. Off by at most 2.2e-6. */
INLINE lanes gelu(lanes x) {
    lanes c = lanes_min(lanes_max(x, lanes_all(-5.0f)), lanes_all(5.0f));
    lanes u = lanes_fma(c, lanes_mul(c, lanes_all(2.0f / 25)), lanes_all(-1.0f));
    lanes p = lanes_all(-0.001044832f);
    p = lanes_fma(p, u, lanes_all(0.00317374714f));
    p = lanes_fma(p, u, lanes_all(-0.00400793664f));
    p = lanes_fma(p, u, lanes_all(0.00515576704f));
    p = lanes_fma(p, u, lanes_all(-0.0100634879f));
    p = lanes_fma(p, u, lanes_all(0.0168802928f));
    p = lanes_fma(p, u, lanes_all(-0.0236618789f));
    p = lanes_fma(p, u, lanes_all(0.0313650393f));
    p = lanes_fma(p, u, lanes_all(-0.0403866418f));
    p = lanes_fma(p, u, lanes_all(0.0515246153f));
    p = lanes_fma(p, u, lanes_all(-0.0702984434f));
    p = lanes_fma(p, u, lanes_all(0.141363759f));
    return lanes_fma(x, lanes_mul(c, p), lanes_mul(x, lanes_all(0.5f)));
}

INLINE lanes silu(lanes x) {
    lanes e = exp_negative(lanes_sub(lanes_all(0), lanes_abs(x)));
    lanes p = lanes_div(lanes_all(1.0f), lanes_add(lanes_all(1.0f), e)); /* sigmoid(|x|) */
    return lanes_mul(x, lanes_if_negative(x, lanes_mul(e, p), p));
}

INLINE lanes activate(bw_fuse act, lanes x) {
    switch (act) {
    case BW_FUSE_GELU:
        return gelu(x);
    case BW_FUSE_RELU:
        return lanes_max(x, lanes_all(0));
    case BW_FUSE_SILU:
        return silu(x);
    default:
        return x;
    }
}

/* ---- the end of a tile: y = act(sums scaled + bias), and each row's largest |y| so far ---- */

/* Half a panel's outputs: what their sums are scaled and shifted by. */
typedef struct {
    const int32_t *shift;
    lanes scale, bias;
} half_panel;

INLINE half_panel half_of(const bw_finish *f, size_t at, bool whole) {
    half_panel h = {.bias = lanes_load(f->bias + at)};
    if (whole) {
        h.shift = f->shift + at;
        h.scale = lanes_load(f->scale + at);
    }
    return h;
}

INLINE lanes finish_half(half_panel h, const void *sums, size_t at, float row_scale, bool whole,
                         bw_fuse act) {
    if (!whole)
        return activate(act, lanes_add(lanes_load((const float *)sums + at), h.bias));
    lanes x = lanes_difference((const int32_t *)sums + at, h.shift);
    lanes scale = lanes_mul(h.scale, lanes_all(row_scale));
    return activate(act, lanes_fma(x, scale, h.bias));
}

INLINE void finish_rows(const bw_finish *finish, const void *sums, bool whole, bw_fuse act) {
    const bw_finish f = *finish; /* a copy: stores to y cannot change it */
    half_panel left = half_of(&f, 0, whole), right = half_of(&f, LANES, whole);
    for (size_t r = 0; r < f.rows; r++) {
        float part[BW_PANEL], *y = f.y + r * f.ldy, *to = f.width == BW_PANEL ? y : part;
        float row_scale = whole ? f.row_scale[r] : 1;
        lanes a = finish_half(left, sums, r * BW_PANEL, row_scale, whole, act);
        lanes b = finish_half(right, sums, r * BW_PANEL + LANES, row_scale, whole, act);
        lanes_store(to, a);
        lanes_store(to + LANES, b);
        if (f.top) {
            lanes top = lanes_max(lanes_abs(a), lanes_abs(b));
            lanes_store(f.top[r], lanes_max(lanes_load(f.top[r]), top));
        }
        if (to == part)
            memcpy(y, part, f.width * sizeof *y);
    }
}

INLINE void finish_act(const bw_finish *f, const void *sums, bw_fuse act) {
    if (f->scale)
        finish_rows(f, sums, true, act);
    else
        finish_rows(f, sums, false, act);
}

/* Each activation gets its own loop. */
SET static void finish_tile(const bw_finish *f, const void *sums) {
    switch (f->act) {
    case BW_FUSE_NONE:
        finish_act(f, sums, BW_FUSE_NONE);
        break;
    case BW_FUSE_GELU:
        finish_act(f, sums, BW_FUSE_GELU);
        break;
    case BW_FUSE_RELU:
        finish_act(f, sums, BW_FUSE_RELU);
        break;
    case BW_FUSE_SILU:
        finish_act(f, sums, BW_FUSE_SILU);
        break;
    }
}

SET static void activate_all(bw_fuse act, float *x, size_t n) {
    for (size_t i = 0; i < n; i += LANES) {
        float part[LANES] = {0};
        size_t take = n - i < LANES ? n - i : LANES;
        memcpy(part, x + i, take * sizeof *x);
        lanes_store(part, activate(act, lanes_load(part)));
        memcpy(x + i, part, take * sizeof *x);
    }
}

/* ---- rows of activations ---- */

/* n floats from p, at most sixteen; zeros behind them. */
INLINE lanes load_some(const float *p, size_t n) {
    if (n >= LANES)
        return lanes_load(p);
    float part[LANES] = {0};
    memcpy(part, p, n * sizeof *p);
    return lanes_load(part);
}

INLINE void store_some(float *p, size_t n, lanes x) {
    if (n >= LANES) {
        lanes_store(p, x);
        return;
    }
    float part[LANES];
    lanes_store(part, x);
    memcpy(p, part, n * sizeof *p);
}

/* x with the lanes from n on made zero. */
INLINE lanes first_lanes(lanes x, size_t n) {
    float part[LANES] = {0};
    store_some(part, n, x);
    return lanes_load(part);
}

INLINE lanes largest(const float *x, size_t n) {
    lanes top = lanes_all(0);
    for (size_t i = 0; i < n; i += LANES)
        top = lanes_max(top, lanes_abs(load_some(x + i, n - i)));
    return top;
}

/* To u8 around 128, padded with 128 to whole groups; gives the scale. */
SET static float quantise_row(const float *x, size_t n, size_t padded, const float *tops,
                              uint8_t *q) {
    float top = lanes_top(tops ? lanes_load(tops) : largest(x, n));
    lanes inverse = lanes_all(top > 0 ? 127.0f / top : 0);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store_low(q + i, lanes_fma(lanes_load(x + i), inverse, lanes_all(MAGIC)));
    if (i < padded) {
        uint8_t part[LANES];
        lanes_store_low(part, lanes_fma(load_some(x + i, n - i), inverse, lanes_all(MAGIC)));
        memcpy(q + i, part, padded - i);
    }
    return top / 127.0f;
}

SET static void narrow_row(const float *x, size_t n, size_t padded, uint16_t *h) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store_bf16(h + i, lanes_load(x + i));
    if (i < padded) {
        uint16_t part[LANES];
        lanes_store_bf16(part, load_some(x + i, n - i));
        memcpy(h + i, part, (padded - i) * sizeof *h);
    }
}

/* x += y, out = norm(x), and the largest |out| by lanes. */
SET static void norm_row(float *x, const float *y, const bw_norm *norm, float *out, float *tops) {
    size_t dim = norm->dim;
    lanes sum = lanes_all(0), squares = lanes_all(0), top = lanes_all(0);
    for (size_t i = 0; i < dim; i += LANES) {
        lanes a = load_some(x + i, dim - i);
        if (y) {
            a = lanes_add(a, load_some(y + i, dim - i));
            store_some(x + i, dim - i, a);
        }
        sum = lanes_add(sum, a);
    }
    lanes mean = lanes_all(lanes_sum(sum) / (float)dim);
    for (size_t i = 0; i < dim; i += LANES) {
        lanes d = lanes_sub(load_some(x + i, dim - i), mean);
        d = dim - i < LANES ? first_lanes(d, dim - i) : d;
        squares = lanes_fma(d, d, squares);
    }
    lanes rstd = lanes_all(1.0f / sqrtf(lanes_sum(squares) / (float)dim + norm->eps));
    for (size_t i = 0; i < dim; i += LANES) {
        lanes d = lanes_mul(lanes_sub(load_some(x + i, dim - i), mean), rstd);
        lanes z =
            lanes_fma(d, load_some(norm->gamma + i, dim - i), load_some(norm->beta + i, dim - i));
        z = dim - i < LANES ? first_lanes(z, dim - i) : z;
        store_some(out + i, dim - i, z);
        top = lanes_max(top, lanes_abs(z));
    }
    lanes_store(tops, top);
}

/* ---- attention: tiles of the product kernel, softmax between them ---- */

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Four keys by four of their dimensions, scaled, turned to rows of BW_PANEL keys. */
INLINE void turn_four(const float *k, size_t stride, float scale, float *to) {
    four a = *(const four *)k * scale, b = *(const four *)(k + stride) * scale;
    four c = *(const four *)(k + 2 * stride) * scale, d = *(const four *)(k + 3 * stride) * scale;
    four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
         cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    four AB = __builtin_shufflevector(a, b, 2, 6, 3, 7),
         CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(four *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(four *)(to + BW_PANEL) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(four *)(to + 2 * BW_PANEL) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
    *(four *)(to + 3 * BW_PANEL) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
}

/* The keys of one head as panels [head_dim][32 keys], zero behind the last key. */
INLINE void pack_keys(const bw_attend *a, const float *k, float *panels) {
    size_t dim = a->head_dim, left = a->n % BW_PANEL;
    if (left)
        memset(panels + a->n / BW_PANEL * dim * BW_PANEL, 0, dim * BW_PANEL * sizeof *panels);
    for (size_t j = 0; j < a->n; j += 4) {
        float *to = panels + j / BW_PANEL * dim * BW_PANEL + j % BW_PANEL;
        size_t d = 0;
        for (; j + 4 <= a->n && d + 4 <= dim; d += 4)
            turn_four(k + j * a->stride + d, a->stride, a->scale, to + d * BW_PANEL);
        for (; d < dim; d++)
            for (size_t i = 0; i < 4 && j + i < a->n; i++)
                to[d * BW_PANEL + i] = k[(j + i) * a->stride + d] * a->scale;
    }
}

/* The values of one head as panels [n][32 dimensions], zero behind the last dimension. */
INLINE void pack_values(const bw_attend *a, const float *v, float *panels) {
    for (size_t d = 0; d < a->head_dim; d += BW_PANEL, panels += a->n * BW_PANEL) {
        size_t take = a->head_dim - d < BW_PANEL ? a->head_dim - d : BW_PANEL;
        for (size_t j = 0; j < a->n; j++)
            for (size_t i = 0; i < BW_PANEL; i += LANES)
                lanes_store(panels + j * BW_PANEL + i,
                            i < take ? load_some(v + j * a->stride + d + i, take - i)
                                     : lanes_all(0));
    }
}

/* Row r of a tile's scores, of n keys, to e^(score - largest) in p; gives their sum. Keys behind
 * the last, in the last lanes alone, are hidden by hide: 0 or -infinity. */
INLINE float softmax_row(const float (*scores)[BW_TILE][BW_PANEL], size_t r, size_t n, lanes hide,
                         float *p) {
    size_t last = (n - 1) / LANES;
    lanes end = lanes_add(lanes_load(&scores[last / 2][r][last % 2 * LANES]), hide), top = end;
    for (size_t l = 0; l < last; l++)
        top = lanes_max(top, lanes_load(&scores[l / 2][r][l % 2 * LANES]));
    lanes shift = lanes_all(lanes_top(top)), sum = exp_negative(lanes_sub(end, shift));
    lanes_store(p + last * LANES, sum);
    for (size_t l = 0; l < last; l++) {
        lanes e = exp_negative(lanes_sub(lanes_load(&scores[l / 2][r][l % 2 * LANES]), shift));
        lanes_store(p + l * LANES, e);
        sum = lanes_add(sum, e);
    }
    return lanes_sum(sum);
}

INLINE lanes hidden_keys(size_t n) {
    float hide[LANES] = {0};
    for (size_t i = n % LANES; i && i < LANES; i++)
        hide[i] = -INFINITY;
    return lanes_load(hide);
}

/* Scratch of one head, in floats; every part is a multiple of 64 bytes. */
typedef struct {
    float *keys, *values, *p;
    float (*scores)[BW_TILE][BW_PANEL];
    size_t ldp; /* of p: keys, rounded up to lanes */
} head_scratch;

INLINE head_scratch divide_scratch(const bw_attend *a, float *scratch) {
    size_t panels = (a->n + BW_PANEL - 1) / BW_PANEL;
    size_t value_panels = (a->head_dim + BW_PANEL - 1) / BW_PANEL;
    head_scratch s = {.keys = scratch, .ldp = (a->n + LANES - 1) / LANES * LANES};
    s.values = s.keys + panels * a->head_dim * BW_PANEL;
    s.scores = (float(*)[BW_TILE][BW_PANEL])(s.values + value_panels * a->n * BW_PANEL);
    s.p = (float *)(s.scores + panels);
    return s;
}

/* out = sums / total, `take` dimensions of each row. */
INLINE void store_mixed(const bw_attend *a, float sums[BW_TILE][BW_PANEL], const float *totals,
                        size_t rows, float *out, size_t take) {
    for (size_t r = 0; r < rows; r++) {
        lanes inverse = lanes_all(1.0f / totals[r]);
        for (size_t i = 0; i < take; i += LANES)
            store_some(out + r * a->ldo + i, take - i, lanes_mul(lanes_load(sums[r] + i), inverse));
    }
}

/* Queries first .. first + rows - 1 of one head, keys and values packed. */
INLINE void attend_tile(const bw_attend *a, const head_scratch *s, const float *q, size_t rows,
                        float *out) {
    float totals[BW_TILE], sums[BW_TILE][BW_PANEL];
    lanes hide = hidden_keys(a->n);
    for (size_t j = 0; j * BW_PANEL < a->n; j++)
        tile_f32(q, a->stride * sizeof *q, s->keys + j * a->head_dim * BW_PANEL, a->head_dim, rows,
                 s->scores[j]);
    for (size_t r = 0; r < rows; r++)
        totals[r] = softmax_row((const float(*)[BW_TILE][BW_PANEL])s->scores, r, a->n, hide,
                                s->p + r * s->ldp);
    for (size_t d = 0; d < a->head_dim; d += BW_PANEL) {
        size_t take = a->head_dim - d < BW_PANEL ? a->head_dim - d : BW_PANEL;
        tile_f32(s->p, s->ldp * sizeof *s->p, s->values + d * a->n, a->n, rows, sums);
        store_mixed(a, sums, totals, rows, out + d, take);
    }
}

SET static void attend_head(const bw_attend *a, const float *q, const float *k, const float *v,
                            float *out, float *scratch) {
    head_scratch s = divide_scratch(a, scratch);
    pack_keys(a, k, s.keys);
    pack_values(a, v, s.values);
    for (size_t i = 0, rows; i < a->n; i += rows) {
        rows = bw_tile_rows(a->n - i);
        attend_tile(a, &s, q + i * a->stride, rows, out + i * a->ldo);
    }
}

static const bw_row_ops ROW_OPS = {finish_tile, activate_all, quantise_row,
                                   narrow_row,  norm_row,     attend_head};

#endif
