/* model/core/loss.c - losses over scores and their gradients, pooling, labels. */
#include "model/core/objective.h"
#include "model/core/linear.h"
#include "model/core/ops.h"
#include "model/core/rng.h"
#include "model/core/simd.h"

#include <string.h>

/* ---- cross-entropy ---- */

/* d = factor * (exp(x - lse) - uniform) for a row. */
BW_CLONES static void softmax_minus(float *d, const float *x, float lse, float uniform,
                                    float factor, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        d[i] = factor * (bw_expf(x[i] - lse) - uniform);
}

BW_CLONES static double row_sum(const float *x, size_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    return sum;
}

/* -sum target * log p = lse - (1 - s) x[label] - s mean(x). */
static double hard_row(float *d, const float *x, int32_t label, size_t n, float smoothing,
                       float factor) {
    double lse = bw_log_sum_exp(x, n);
    double loss = lse - (1 - (double)smoothing) * (double)x[label];
    if (smoothing > 0)
        loss -= (double)smoothing * row_sum(x, n) / (double)n;
    if (d) {
        softmax_minus(d, x, (float)lse, smoothing / (float)n, factor, n);
        d[label] -= factor * (1 - smoothing);
    }
    return loss;
}

double bw_cross_entropy(float *d, const float *logits, const int32_t *labels, size_t rows, size_t n,
                        float smoothing, float factor) {
    double sum = 0;
    for (size_t r = 0; r < rows; r++) {
        float *dr = d ? d + r * n : NULL;
        if (labels[r] >= 0)
            sum += hard_row(dr, logits + r * n, labels[r], n, smoothing, factor);
        else if (dr)
            memset(dr, 0, n * sizeof *dr);
    }
    return sum;
}

double bw_cross_entropy_soft(float *d, const float *logits, const float *targets, size_t rows,
                             size_t n, float factor) {
    double sum = 0;
    for (size_t r = 0; r < rows; r++) {
        const float *x = logits + r * n, *target = targets + r * n;
        double lse = bw_log_sum_exp(x, n);
        for (size_t i = 0; i < n; i++)
            sum += (double)target[i] * (lse - (double)x[i]);
        for (size_t i = 0; d && i < n; i++)
            d[r * n + i] = factor * (bw_expf(x[i] - (float)lse) - target[i]);
    }
    return sum;
}

/* log(1 + e^x) - t x, written so that neither tail overflows. */
double bw_binary_cross_entropy(float *d, const float *logits, const float *targets, size_t rows,
                               size_t n, float factor, size_t *counted) {
    double sum = 0;
    *counted = 0;
    for (size_t i = 0; i < rows * n; i++) {
        double x = (double)logits[i], t = (double)targets[i];
        if (t >= 0) {
            sum += (x > 0 ? x : 0) + log1p(exp(-fabs(x))) - t * x;
            (*counted)++;
        }
        if (d)
            d[i] = t >= 0 ? factor * (float)(1 / (1 + exp(-x)) - t) : 0;
    }
    return sum;
}

/* ---- contrastive ---- */

static void unit_rows(float *to, float *length, const float *x, size_t n, size_t dim) {
    for (size_t r = 0; r < n; r++) {
        double square = 0;
        for (size_t i = 0; i < dim; i++)
            square += (double)x[r * dim + i] * (double)x[r * dim + i];
        length[r] = (float)fmax(sqrt(square), 1e-12);
        for (size_t i = 0; i < dim; i++)
            to[r * dim + i] = x[r * dim + i] / length[r];
    }
}

/* Through u = x / |x|: dx = (du - u (u . du)) / |x|, in place. */
static void unit_rows_backward(float *d, const float *u, const float *length, size_t n,
                               size_t dim) {
    for (size_t r = 0; r < n; r++) {
        double along = 0;
        for (size_t i = 0; i < dim; i++)
            along += (double)d[r * dim + i] * (double)u[r * dim + i];
        for (size_t i = 0; i < dim; i++)
            d[r * dim + i] = (d[r * dim + i] - (float)along * u[r * dim + i]) / length[r];
    }
}

/* Column j of the scores as a row of log-sum-exp. */
static double column_lse(const float *s, size_t n, size_t j) {
    double top = (double)s[j], sum = 0;
    for (size_t i = 1; i < n; i++)
        top = fmax(top, (double)s[i * n + j]);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)s[i * n + j] - top);
    return top + log(sum);
}

/* The mean loss of both directions. s [n, n] becomes factor * its gradient; rows and columns are
 * scratch of n. */
static double pair_loss(float *s, size_t n, float *rows, float *columns, float factor) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double r = bw_log_sum_exp(s + i * n, n), c = column_lse(s, n, i);
        rows[i] = (float)r;
        columns[i] = (float)c;
        sum += r + c - 2 * (double)s[i * n + i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double x = (double)s[i * n + j];
            double g = exp(x - (double)rows[i]) + exp(x - (double)columns[j]) - (i == j ? 2 : 0);
            s[i * n + j] = factor * (float)(g / (2 * (double)n));
        }
    return sum / (2 * (double)n);
}

double bw_contrastive(float *da, float *db, const float *a, const float *b, size_t n, size_t dim,
                      float temperature, float factor, float *scratch) {
    float *s = scratch, *ua = s + n * n, *ub = ua + n * dim;
    float *length_a = ub + n * dim, *length_b = length_a + n, *rows = length_b + n;
    unit_rows(ua, length_a, a, n, dim);
    unit_rows(ub, length_b, b, n, dim);
    bw_linear(s, ua, ub, NULL, n, dim, n);
    for (size_t i = 0; i < n * n; i++)
        s[i] /= temperature;
    double loss = pair_loss(s, n, rows, rows + n, factor / temperature);
    if (!da)
        return loss;
    bw_linear_dx(da, s, ub, n, dim, n, 0);
    memset(db, 0, n * dim * sizeof *db);
    bw_linear_dw(db, s, ua, n, dim, n);
    unit_rows_backward(da, ua, length_a, n, dim);
    unit_rows_backward(db, ub, length_b, n, dim);
    return loss;
}

/* ---- pooling ---- */

void bw_pool_mean(float *out, const bw_batch *b, const float *hidden, size_t dim) {
    for (size_t s = 0; s < b->n_seq; s++) {
        float *y = out + s * dim, n = (float)(b->start[s + 1] - b->start[s]);
        memset(y, 0, dim * sizeof *y);
        for (size_t i = b->start[s]; i < b->start[s + 1]; i++)
            for (size_t j = 0; j < dim; j++)
                y[j] += hidden[i * dim + j];
        for (size_t j = 0; j < dim; j++)
            y[j] /= n;
    }
}

void bw_pool_mean_backward(float *d_hidden, const bw_batch *b, const float *d_out, size_t dim) {
    for (size_t s = 0; s < b->n_seq; s++) {
        float share = 1 / (float)(b->start[s + 1] - b->start[s]);
        for (size_t i = b->start[s]; i < b->start[s + 1]; i++)
            for (size_t j = 0; j < dim; j++)
                d_hidden[i * dim + j] += share * d_out[s * dim + j];
    }
}

void bw_pool_first(float *out, const bw_batch *b, const float *hidden, size_t dim) {
    for (size_t s = 0; s < b->n_seq; s++)
        memcpy(out + s * dim, hidden + b->start[s] * dim, dim * sizeof *out);
}

void bw_pool_max(float *out, const bw_batch *b, const float *hidden, size_t dim) {
    bw_pool_first(out, b, hidden, dim);
    for (size_t s = 0; s < b->n_seq; s++)
        for (size_t i = b->start[s] + 1; i < b->start[s + 1]; i++)
            for (size_t j = 0; j < dim; j++)
                if (hidden[i * dim + j] > out[s * dim + j])
                    out[s * dim + j] = hidden[i * dim + j];
}

void bw_normalize_rows(float *x, size_t rows, size_t dim) {
    float length;
    for (size_t r = 0; r < rows; r++)
        unit_rows(x + r * dim, &length, x + r * dim, 1, dim);
}

/* ---- labels ---- */

void bw_causal_labels(const bw_batch *b, int32_t *labels) {
    for (size_t s = 0; s < b->n_seq; s++) {
        size_t last = b->start[s + 1] - 1;
        for (size_t i = b->start[s]; i < last; i++)
            labels[i] = b->ids[i + 1];
        labels[last] = BW_IGNORE;
    }
}

static double uniform(uint64_t seed, uint64_t counter) {
    return (double)(bw_splitmix64(seed ^ bw_splitmix64(counter)) >> 11) * 0x1p-53;
}

static bool choosable(const bw_mlm *m, int32_t id) {
    return !m->special || !m->special[id];
}

/* What a chosen token becomes. */
static int32_t masked_id(const bw_mlm *m, int32_t id, size_t i) {
    double u = uniform(m->seed ^ 1, i);
    if (u < 0.8)
        return m->mask;
    if (u >= 0.9)
        return id;
    double words = (double)m->vocab - (double)m->first_word;
    return m->first_word + (int32_t)(uniform(m->seed ^ 2, i) * words);
}

/* The choosable token of a sequence with the lowest draw, or its end. */
static size_t least_draw(const bw_mlm *m, const int32_t *ids, size_t from, size_t to) {
    size_t best = to;
    for (size_t i = from; i < to; i++)
        if (choosable(m, ids[i]) && (best == to || uniform(m->seed, i) < uniform(m->seed, best)))
            best = i;
    return best;
}

size_t bw_mlm_mask(const bw_mlm *m, const bw_batch *b, int32_t *ids, int32_t *labels) {
    size_t chosen = 0;
    for (size_t s = 0; s < b->n_seq; s++) {
        size_t always = least_draw(m, ids, b->start[s], b->start[s + 1]);
        for (size_t i = b->start[s]; i < b->start[s + 1]; i++) {
            bool pick = i == always || (choosable(m, ids[i]) && uniform(m->seed, i) < m->rate);
            labels[i] = pick ? ids[i] : BW_IGNORE;
            if (pick)
                ids[i] = masked_id(m, ids[i], i);
            chosen += pick;
        }
    }
    return chosen;
}
