/* model/shipped/readout.c - forward and backward of the heads, one span at a time; few tokens, plain loops,
 * whose sums have a fixed order, so that the clones agree to the bit. */
#include "model/shipped/readout.h"

#include "model/core/ops.h"
#include "model/core/simd.h"

#include <math.h>
#include <string.h>

#define MAX_DIM  1024
#define MAX_SPAN 4096 /* tokens; the readers cut well below */

static inline float dot(const float *a, const float *b, size_t n) {
    float s[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            s[k] += a[i + k] * b[i + k];
    float sum = 0;
    for (; i < n; i++)
        sum += a[i] * b[i];
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + sum;
}

static inline void add_scaled(float *y, const float *x, float a, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

bw_status bw_readout_new(bw_readout *h, size_t dim, bw_err *err) {
    *h = (bw_readout){.dim = dim};
    if (dim == 0 || dim > MAX_DIM)
        return bw_fail(err, BW_EARG, "heads of width %zu; 1 to %d are possible", dim, MAX_DIM);
    bw_params *p = &h->params;
    h->query = bw_params_add(p, "heads.query", 2, (size_t[]){BW_N_QUERIES, dim}, 0);
    h->sentiment_w = bw_params_add(p, "heads.sentiment.weight", 2, (size_t[]){3, 3 * dim}, 0);
    h->sentiment_b = bw_params_add(p, "heads.sentiment.bias", 1, (size_t[]){3}, BW_PARAM_NO_DECAY);
    h->mention_w = bw_params_add(p, "heads.mention.weight", 2, (size_t[]){BW_N_ASPECTS, dim}, 0);
    h->mention_b =
        bw_params_add(p, "heads.mention.bias", 1, (size_t[]){BW_N_ASPECTS}, BW_PARAM_NO_DECAY);
    h->polarity_w = bw_params_add(p, "heads.polarity.weight", 2, (size_t[]){3, 2 * dim}, 0);
    h->polarity_b = bw_params_add(p, "heads.polarity.bias", 2, (size_t[]){BW_N_ASPECTS + 1, 3},
                                  BW_PARAM_NO_DECAY);
    h->nsp_w = bw_params_add(p, "heads.nsp.weight", 2, (size_t[]){2, dim}, 0);
    h->nsp_b = bw_params_add(p, "heads.nsp.bias", 1, (size_t[]){2}, BW_PARAM_NO_DECAY);
    return bw_params_alloc(p, err);
}

void bw_readout_init(bw_readout *h, uint64_t seed) {
    for (size_t i = 0; i < h->params.n; i++)
        if (!(h->params.table[i].flags & BW_PARAM_NO_DECAY))
            bw_param_init_normal(&h->params, i, 0.05f, seed + i);
}

void bw_readout_free(bw_readout *h) {
    bw_params_free(&h->params);
}

/* v = sum_t a_t h_t with a = softmax(q . h_t / sqrt(dim)); a: [n] */
BW_CLONES static void pool(const float *q, const float *x, size_t n, size_t dim, float *a,
                           float *v) {
    float scale = 1.0f / sqrtf((float)dim);
    for (size_t t = 0; t < n; t++)
        a[t] = scale * dot(q, x + t * dim, dim);
    bw_softmax(a, a, 1, n);
    memset(v, 0, dim * sizeof *v);
    for (size_t t = 0; t < n; t++)
        add_scaled(v, x + t * dim, a[t], dim);
}

/* Given dv: adds to dq and dx. Through the softmax: ds_t = a_t (dv . h_t - sum_k a_k dv . h_k). */
static void pool_backward(const float *q, const float *x, size_t n, size_t dim, const float *a,
                          const float *dv, float *dq, float *dx) {
    float scale = 1.0f / sqrtf((float)dim), mean = 0, g[MAX_SPAN];
    for (size_t t = 0; t < n; t++) {
        g[t] = dot(dv, x + t * dim, dim);
        mean += a[t] * g[t];
    }
    for (size_t t = 0; t < n; t++) {
        float ds = scale * a[t] * (g[t] - mean);
        add_scaled(dq, x + t * dim, ds, dim);
        add_scaled(dx + t * dim, q, ds, dim);
        add_scaled(dx + t * dim, dv, a[t], dim);
    }
}

BW_CLONES static void mean_of(const float *x, size_t n, size_t dim, float *m) {
    memset(m, 0, dim * sizeof *m);
    for (size_t t = 0; t < n; t++)
        add_scaled(m, x + t * dim, 1.0f / (float)n, dim);
}

/* Maximum of each column, and the token it came from. */
BW_CLONES static void max_of(const float *x, size_t n, size_t dim, float *top, size_t *from) {
    for (size_t i = 0; i < dim; i++) {
        top[i] = x[i];
        from[i] = 0;
    }
    for (size_t t = 1; t < n; t++)
        for (size_t i = 0; i < dim; i++)
            if (x[t * dim + i] > top[i]) {
                top[i] = x[t * dim + i];
                from[i] = t;
            }
}

static size_t capped(size_t n) {
    return n < MAX_SPAN ? n : MAX_SPAN;
}

void bw_readout_read(const bw_readout *h, const float *hidden, bw_span_read *r) {
    size_t d = h->dim, n = capped(r->n), from[MAX_DIM];
    const float *x = hidden + r->first * d, *q = bw_param_data(&h->params, h->query);
    float a[MAX_SPAN], f[3 * MAX_DIM];
    mean_of(x, n, d, f + d);
    if (!r->aspects_alone) {
        pool(q, x, n, d, a, f);
        max_of(x, n, d, f + 2 * d, from);
        for (size_t k = 0; k < 3; k++)
            r->sentiment[k] = bw_param_data(&h->params, h->sentiment_b)[k] +
                              dot(bw_param_data(&h->params, h->sentiment_w) + k * 3 * d, f, 3 * d);
    }
    for (size_t s = 0; r->want_aspects && s < BW_N_ASPECTS; s++) {
        pool(q + (s + 1) * d, x, n, d, a, f); /* f + d still holds the mean */
        r->mention[s] = bw_param_data(&h->params, h->mention_b)[s] +
                        dot(bw_param_data(&h->params, h->mention_w) + s * d, f, d);
        for (size_t k = 0; k < 3; k++)
            r->polarity[s][k] = bw_param_data(&h->params, h->polarity_b)[s * 3 + k] +
                                dot(bw_param_data(&h->params, h->polarity_w) + k * 2 * d, f, 2 * d);
    }
}

/* Adds to dW [k, in] and df [in] for logits W f + b with gradient g; db likewise. */
static void linear_backward(float *dW, float *db, float *df, const float *W, const float *f,
                            const float *g, size_t out, size_t in) {
    for (size_t k = 0; k < out; k++) {
        if (g[k] == 0)
            continue;
        db[k] += g[k];
        add_scaled(dW + k * in, f, g[k], in);
        add_scaled(df, W + k * in, g[k], in);
    }
}

static void mean_backward(const float *dm, size_t n, size_t dim, float *dx) {
    for (size_t t = 0; t < n; t++)
        add_scaled(dx + t * dim, dm, 1.0f / (float)n, dim);
}

static void sentiment_backward(bw_readout *h, const float *x, size_t n, const float g[3],
                               float *dx) {
    size_t d = h->dim, from[MAX_DIM];
    const bw_params *p = &h->params;
    const float *q = bw_param_data(p, h->query);
    float a[MAX_SPAN], f[3 * MAX_DIM], df[3 * MAX_DIM] = {0};
    pool(q, x, n, d, a, f);
    mean_of(x, n, d, f + d);
    max_of(x, n, d, f + 2 * d, from);
    linear_backward(bw_param_grad(p, h->sentiment_w), bw_param_grad(p, h->sentiment_b), df,
                    bw_param_data(p, h->sentiment_w), f, g, 3, 3 * d);
    pool_backward(q, x, n, d, a, df, bw_param_grad(p, h->query), dx);
    mean_backward(df + d, n, d, dx);
    for (size_t i = 0; i < d; i++)
        dx[from[i] * d + i] += df[2 * d + i];
}

static bool all_zero(const float *g, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (g[i] != 0)
            return false;
    return true;
}

static void aspect_backward(bw_readout *h, const float *x, size_t n, size_t s,
                            const bw_span_read *g, float *dx) {
    size_t d = h->dim;
    const bw_params *p = &h->params;
    const float *q = bw_param_data(p, h->query) + (s + 1) * d;
    float a[MAX_SPAN], f[2 * MAX_DIM], df[2 * MAX_DIM] = {0};
    pool(q, x, n, d, a, f);
    mean_of(x, n, d, f + d);
    linear_backward(bw_param_grad(p, h->polarity_w), bw_param_grad(p, h->polarity_b) + 3 * s, df,
                    bw_param_data(p, h->polarity_w), f, g->polarity[s], 3, 2 * d);
    linear_backward(bw_param_grad(p, h->mention_w) + s * d, bw_param_grad(p, h->mention_b) + s, df,
                    bw_param_data(p, h->mention_w) + s * d, f, &g->mention[s], 1, d);
    pool_backward(q, x, n, d, a, df, bw_param_grad(p, h->query) + (s + 1) * d, dx);
    mean_backward(df + d, n, d, dx);
}

void bw_readout_read_backward(bw_readout *h, const float *hidden, const bw_span_read *g,
                              float *d_hidden) {
    size_t n = capped(g->n);
    const float *x = hidden + g->first * h->dim;
    float *dx = d_hidden + g->first * h->dim;
    if (!all_zero(g->sentiment, 3))
        sentiment_backward(h, x, n, g->sentiment, dx);
    for (size_t s = 0; g->want_aspects && s < BW_N_ASPECTS; s++)
        if (g->mention[s] != 0 || !all_zero(g->polarity[s], 3))
            aspect_backward(h, x, n, s, g, dx);
}

/* f = [mean of the term; mean of the span] */
static void term_features(const float *hidden, size_t dim, size_t first, size_t n, size_t term,
                          size_t n_term, float *f) {
    mean_of(hidden + term * dim, n_term, dim, f);
    mean_of(hidden + first * dim, capped(n), dim, f + dim);
}

void bw_readout_term(const bw_readout *h, const float *hidden, size_t first, size_t n, size_t term,
                     size_t n_term, float logits[3]) {
    float f[2 * MAX_DIM];
    term_features(hidden, h->dim, first, n, term, n_term, f);
    for (size_t k = 0; k < 3; k++)
        logits[k] = bw_param_data(&h->params, h->polarity_b)[BW_TERM * 3 + k] +
                    dot(bw_param_data(&h->params, h->polarity_w) + k * 2 * h->dim, f, 2 * h->dim);
}

void bw_readout_term_backward(bw_readout *h, const float *hidden, size_t first, size_t n,
                              size_t term, size_t n_term, const float g[3], float *d_hidden) {
    size_t d = h->dim;
    float f[2 * MAX_DIM], df[2 * MAX_DIM] = {0};
    term_features(hidden, d, first, n, term, n_term, f);
    linear_backward(bw_param_grad(&h->params, h->polarity_w),
                    bw_param_grad(&h->params, h->polarity_b) + 3 * BW_TERM, df,
                    bw_param_data(&h->params, h->polarity_w), f, g, 3, 2 * d);
    mean_backward(df, n_term, d, d_hidden + term * d);
    mean_backward(df + d, capped(n), d, d_hidden + first * d);
}
