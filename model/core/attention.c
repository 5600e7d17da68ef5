/* model/core/attention.c - softmax(scale Q K^T + bias) V of one sequence, all heads, and its
 * backward.
 *
 * Four query rows at a time meet all keys: scores, softmax and context of a block stay in the first
 * cache levels and nothing of size n_q x n_k is ever stored. Backward computes the probabilities
 * again from the saved log-sum-exp of each row (Dao et al. 2022, section 3 and appendix B):
 *
 *     P = exp(S - lse),  dV = P^T dO,  dP = dO V^T,  dS = P (dP - rowsum(dO O)),
 *     dQ = scale dS K,   dK = scale dS^T Q.
 *
 * Keys and values of a head are first copied to scratch in the two layouts that the tiles want:
 * [head_dim][keys] for products over head_dim, [keys][head_dim] for products over keys, both padded
 * with zeros to whole vectors of 16. The copies also allow dq, dk, dv to overwrite q, k, v. */
#include "model/core/ops.h"
#include "model/core/rng.h"
#include "model/core/simd.h"

#define ROWS 4  /* query rows of a block */
#define LANE 16 /* floats of a bw_v16 */

static size_t padded(size_t n) {
    return (n + LANE - 1) / LANE * LANE;
}

/* Where things lie in the caller's scratch; wide = padded(n_k), deep = padded(head_dim). */
typedef struct {
    size_t wide, deep;
    float *keys_t, *values_t; /* [head_dim][wide] */
    float *keys, *values;     /* [n_k][deep] */
    float *d_keys, *d_values; /* [n_k][deep] */
    float *scores, *d_scores; /* [ROWS][wide] */
    float *query, *context;   /* [ROWS][deep]: query times scale; output, or its gradient */
} layout;

static layout lay_out(const bw_attn *a, float *scratch) {
    layout l = {.wide = padded(a->n_k), .deep = padded(a->head_dim)};
    size_t by_dim = a->head_dim * l.wide, by_key = a->n_k * l.deep;
    l.keys_t = scratch;
    l.values_t = l.keys_t + by_dim;
    l.keys = l.values_t + by_dim;
    l.values = l.keys + by_key;
    l.d_keys = l.values + by_key;
    l.d_values = l.d_keys + by_key;
    l.scores = l.d_values + by_key;
    l.d_scores = l.scores + ROWS * l.wide;
    l.query = l.d_scores + ROWS * l.wide;
    l.context = l.query + ROWS * l.deep;
    return l;
}

size_t bw_attn_scratch(const bw_attn *a) {
    size_t wide = padded(a->n_k), deep = padded(a->head_dim);
    return 2 * a->head_dim * wide + 4 * a->n_k * deep + 2 * ROWS * (wide + deep);
}

/* ---- copies ---- */

/* to [dim][wide] = from^T, from having n rows `stride` apart. */
static void copy_transposed(float *to, const float *from, size_t n, size_t stride, size_t dim,
                            size_t wide) {
    for (size_t d = 0; d < dim; d++) {
        for (size_t j = 0; j < n; j++)
            to[d * wide + j] = from[j * stride + d];
        for (size_t j = n; j < wide; j++)
            to[d * wide + j] = 0;
    }
}

/* to [n][deep] = scale * from. */
BW_CLONES static void copy_rows(float *to, const float *from, size_t n, size_t stride, size_t dim,
                                size_t deep, float scale) {
    for (size_t j = 0; j < n; j++) {
#pragma omp simd
        for (size_t d = 0; d < dim; d++)
            to[j * deep + d] = scale * from[j * stride + d];
        for (size_t d = dim; d < deep; d++)
            to[j * deep + d] = 0;
    }
}

/* The rows of a block that exist; those beyond n are zero, so that tiles always work on ROWS. */
static void copy_block(float *to, const float *from, size_t n, size_t stride, size_t dim,
                       size_t deep, float scale) {
    copy_rows(to, from, n, stride, dim, deep, scale);
    memset(to + n * deep, 0, (ROWS - n) * deep * sizeof *to);
}

/* ---- register tiles ---- */

/* s [ROWS][wide] = x [ROWS][deep] . y_t [dim][wide], for columns from .. n - 1, rounded to LANE. */
BW_CLONES static void tile_scores(float *s, const float *x, const float *y_t, size_t dim,
                                  size_t deep, size_t wide, size_t from, size_t n) {
    const float *x0 = x, *x1 = x + deep, *x2 = x + 2 * deep, *x3 = x + 3 * deep;
    for (size_t j = from / LANE * LANE; j < n; j += LANE) {
        bw_v16 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        const float *column = y_t + j;
        for (size_t d = 0; d < dim; d++, column += wide) {
            bw_v16 y = *(const bw_v16 *)column;
            s0 += x0[d] * y;
            s1 += x1[d] * y;
            s2 += x2[d] * y;
            s3 += x3[d] * y;
        }
        *(bw_v16 *)(s + j) = s0;
        *(bw_v16 *)(s + wide + j) = s1;
        *(bw_v16 *)(s + 2 * wide + j) = s2;
        *(bw_v16 *)(s + 3 * wide + j) = s3;
    }
}

/* o [ROWS][deep] = p [ROWS][wide] . y [n][deep], over columns from .. n - 1 of p. */
BW_CLONES static void tile_context(float *o, const float *p, const float *y, size_t deep,
                                   size_t wide, size_t from, size_t n) {
    const float *p0 = p, *p1 = p + wide, *p2 = p + 2 * wide, *p3 = p + 3 * wide;
    for (size_t d = 0; d < deep; d += LANE) {
        bw_v16 o0 = {0}, o1 = {0}, o2 = {0}, o3 = {0};
        const float *row = y + from * deep + d;
        for (size_t j = from; j < n; j++, row += deep) {
            bw_v16 v = *(const bw_v16 *)row;
            o0 += p0[j] * v;
            o1 += p1[j] * v;
            o2 += p2[j] * v;
            o3 += p3[j] * v;
        }
        *(bw_v16 *)(o + d) = o0;
        *(bw_v16 *)(o + deep + d) = o1;
        *(bw_v16 *)(o + 2 * deep + d) = o2;
        *(bw_v16 *)(o + 3 * deep + d) = o3;
    }
}

/* y [n][deep] += p^T x, p [ROWS][wide], x [ROWS][deep], for rows from .. n - 1 of y. */
BW_CLONES static void tile_outer(float *y, const float *p, const float *x, size_t deep, size_t wide,
                                 size_t from, size_t n) {
    const float *p0 = p, *p1 = p + wide, *p2 = p + 2 * wide, *p3 = p + 3 * wide;
    for (size_t d = 0; d < deep; d += LANE) {
        bw_v16 x0 = *(const bw_v16 *)(x + d), x1 = *(const bw_v16 *)(x + deep + d);
        bw_v16 x2 = *(const bw_v16 *)(x + 2 * deep + d), x3 = *(const bw_v16 *)(x + 3 * deep + d);
        float *row = y + from * deep + d;
        for (size_t j = from; j < n; j++, row += deep)
            *(bw_v16 *)row += (p0[j] * x0 + p1[j] * x1) + (p2[j] * x2 + p3[j] * x3);
    }
}

/* ---- rows ---- */

/* Query i sees the keys bw_attn_from(a, i) .. keys_seen(a, i) - 1. */
static size_t keys_seen(const bw_attn *a, size_t i) {
    size_t seen = i + a->first + 1;
    return a->causal && seen < a->n_k ? seen : a->n_k;
}

/* The relative bias of query i and keys 0, 1, ... of head h; NULL without one. */
static const float *bias_row(const bw_attn *a, size_t h, size_t i) {
    if (!a->rel_bias)
        return NULL;
    return a->rel_bias + h * (2 * a->rel_span + 1) + a->rel_span - (i + a->first);
}

static uint32_t dropout_key(const bw_attn *a, size_t h, size_t i) {
    return (uint32_t)bw_splitmix64(a->dropout_seed ^ bw_splitmix64(h * a->n_q + i));
}

/* s = exp(s + bias - top) over keys from .. n - 1, zero in the rest of the row;
 * *lse = top + log(sum). */
BW_CLONES static void softmax_row(float *s, const float *bias, size_t from, size_t n, size_t wide,
                                  float *lse) {
    memset(s, 0, from * sizeof *s);
    if (bias)
#pragma omp simd
        for (size_t j = from; j < n; j++)
            s[j] += bias[j];
    float top = s[from];
#pragma omp simd reduction(max : top)
    for (size_t j = from; j < n; j++)
        top = s[j] > top ? s[j] : top;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = from; j < n; j++) {
        s[j] = bw_expf(s[j] - top);
        sum += s[j];
    }
    memset(s + n, 0, (wide - n) * sizeof *s);
    float scale = 1 / sum;
#pragma omp simd
    for (size_t j = from; j < n; j++)
        s[j] *= scale;
    *lse = top + logf(sum);
}

BW_CLONES static void dropout_row(float *p, size_t n, uint32_t key, float rate) {
    uint32_t threshold = bw_dropout_threshold(rate);
    float scale = 1 / (1 - rate);
#pragma omp simd
    for (size_t j = 0; j < n; j++)
        p[j] = bw_mix32((uint32_t)j * 0x9e3779b9u ^ key) >= threshold ? p[j] * scale : 0;
}

/* From scores to probabilities p and, with ds holding dP, to dS. */
BW_CLONES static void softmax_backward_row(float *p, float *ds, const float *bias, float *d_bias,
                                           float lse, float delta, size_t from, size_t n,
                                           size_t wide) {
    if (bias)
#pragma omp simd
        for (size_t j = from; j < n; j++)
            p[j] += bias[j];
#pragma omp simd
    for (size_t j = from; j < n; j++) {
        p[j] = bw_expf(p[j] - lse);
        ds[j] = p[j] * (ds[j] - delta);
    }
    if (d_bias)
#pragma omp simd
        for (size_t j = from; j < n; j++)
            d_bias[j] += ds[j];
    memset(p, 0, from * sizeof *p);
    memset(ds, 0, from * sizeof *ds);
    memset(p + n, 0, (wide - n) * sizeof *p);
    memset(ds + n, 0, (wide - n) * sizeof *ds);
}

/* ---- forward ---- */

static void forward_block(const bw_attn *a, const layout *l, size_t h, size_t i, float *out,
                          float *lse, const float *q) {
    size_t rows = a->n_q - i < ROWS ? a->n_q - i : ROWS, dim = a->head_dim;
    size_t from = bw_attn_from(a, i), n = keys_seen(a, i + rows - 1);
    copy_block(l->query, q + i * a->q_stride, rows, a->q_stride, dim, l->deep, a->scale);
    tile_scores(l->scores, l->query, l->keys_t, dim, l->deep, l->wide, from, n);
    for (size_t r = 0; r < rows; r++) {
        float *s = l->scores + r * l->wide, unused;
        softmax_row(s, bias_row(a, h, i + r), bw_attn_from(a, i + r), keys_seen(a, i + r), l->wide,
                    lse ? lse + i + r : &unused);
        if (a->dropout > 0)
            dropout_row(s, keys_seen(a, i + r), dropout_key(a, h, i + r), a->dropout);
    }
    tile_context(l->context, l->scores, l->values, l->deep, l->wide, from, n);
    for (size_t r = 0; r < rows; r++)
        memcpy(out + (i + r) * a->o_stride, l->context + r * l->deep, dim * sizeof *out);
}

void bw_attn_forward(const bw_attn *a, float *out, float *lse, const float *q, const float *k,
                     const float *v, float *scratch) {
    layout l = lay_out(a, scratch);
    size_t dim = a->head_dim, group = a->heads / a->kv_heads;
    for (size_t g = 0; g < a->kv_heads; g++) {
        copy_transposed(l.keys_t, k + g * dim, a->n_k, a->k_stride, dim, l.wide);
        copy_rows(l.values, v + g * dim, a->n_k, a->v_stride, dim, l.deep, 1);
        for (size_t h = g * group; h < (g + 1) * group; h++)
            for (size_t i = 0; i < a->n_q; i += ROWS)
                forward_block(a, &l, h, i, out + h * dim, lse ? lse + h * a->n_q : NULL,
                              q + h * dim);
    }
}

/* ---- backward ---- */

static float dot(const float *x, const float *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    return (float)sum;
}

/* One head's slices of the caller's arrays. */
typedef struct {
    float *dq, *d_bias;
    const float *q, *out, *d_out, *lse;
} head_arrays;

static void backward_rows(const bw_attn *a, const layout *l, size_t h, size_t i, size_t rows,
                          const head_arrays *x) {
    for (size_t r = 0; r < rows; r++) {
        size_t row = i + r, n = keys_seen(a, row);
        float *p = l->scores + r * l->wide, *ds = l->d_scores + r * l->wide;
        const float *bias = bias_row(a, h, row);
        float *d_bias = x->d_bias ? x->d_bias + a->rel_span - (row + a->first) : NULL;
        float delta = dot(x->out + row * a->o_stride, x->d_out + row * a->o_stride, a->head_dim);
        if (a->dropout > 0)
            dropout_row(ds, n, dropout_key(a, h, row), a->dropout);
        softmax_backward_row(p, ds, bias, d_bias, x->lse[row], delta, bw_attn_from(a, row), n,
                             l->wide);
        if (a->dropout > 0)
            dropout_row(p, n, dropout_key(a, h, row), a->dropout);
    }
}

static void backward_block(const bw_attn *a, const layout *l, size_t h, size_t i,
                           const head_arrays *x) {
    size_t rows = a->n_q - i < ROWS ? a->n_q - i : ROWS, dim = a->head_dim;
    size_t from = bw_attn_from(a, i), n = keys_seen(a, i + rows - 1);
    copy_block(l->query, x->q + i * a->q_stride, rows, a->q_stride, dim, l->deep, a->scale);
    copy_block(l->context, x->d_out + i * a->o_stride, rows, a->o_stride, dim, l->deep, 1);
    tile_scores(l->scores, l->query, l->keys_t, dim, l->deep, l->wide, from, n);
    tile_scores(l->d_scores, l->context, l->values_t, dim, l->deep, l->wide, from, n);
    backward_rows(a, l, h, i, rows, x);
    memset(l->scores + rows * l->wide, 0, (ROWS - rows) * l->wide * sizeof *l->scores);
    memset(l->d_scores + rows * l->wide, 0, (ROWS - rows) * l->wide * sizeof *l->d_scores);
    tile_outer(l->d_keys, l->d_scores, l->query, l->deep, l->wide, from, n);
    tile_outer(l->d_values, l->scores, l->context, l->deep, l->wide, from, n);
    tile_context(l->query, l->d_scores, l->keys, l->deep, l->wide, from, n);
    for (size_t r = 0; r < rows; r++)
        for (size_t d = 0; d < dim; d++)
            x->dq[(i + r) * a->q_stride + d] = a->scale * l->query[r * l->deep + d];
}

static void store_rows(float *to, size_t stride, const float *from, size_t n, size_t dim,
                       size_t deep) {
    for (size_t j = 0; j < n; j++)
        memcpy(to + j * stride, from + j * deep, dim * sizeof *to);
}

static void gather_kv(const bw_attn *a, const layout *l, const float *k, const float *v) {
    size_t dim = a->head_dim;
    copy_transposed(l->keys_t, k, a->n_k, a->k_stride, dim, l->wide);
    copy_transposed(l->values_t, v, a->n_k, a->v_stride, dim, l->wide);
    copy_rows(l->keys, k, a->n_k, a->k_stride, dim, l->deep, 1);
    memset(l->d_keys, 0, a->n_k * l->deep * sizeof *l->d_keys);
    memset(l->d_values, 0, a->n_k * l->deep * sizeof *l->d_values);
}

void bw_attn_backward(const bw_attn *a, float *dq, float *dk, float *dv, float *d_rel_bias,
                      const float *d_out, const float *out, const float *lse, const float *q,
                      const float *k, const float *v, float *scratch) {
    layout l = lay_out(a, scratch);
    size_t dim = a->head_dim, group = a->heads / a->kv_heads;
    for (size_t g = 0; g < a->kv_heads; g++) {
        gather_kv(a, &l, k + g * dim, v + g * dim);
        for (size_t h = g * group; h < (g + 1) * group; h++) {
            head_arrays x = {
                .dq = dq + h * dim,
                .d_bias = d_rel_bias ? d_rel_bias + h * (2 * a->rel_span + 1) : NULL,
                .q = q + h * dim,
                .out = out + h * dim,
                .d_out = d_out + h * dim,
                .lse = lse + h * a->n_q,
            };
            for (size_t i = 0; i < a->n_q; i += ROWS)
                backward_block(a, &l, h, i, &x);
        }
        store_rows(dk + g * dim, a->k_stride, l.d_keys, a->n_k, dim, l.deep);
        store_rows(dv + g * dim, a->v_stride, l.d_values, a->n_k, dim, l.deep);
    }
}
