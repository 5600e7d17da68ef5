/* analyze/sampler/nuts_metric.c - see nuts_metric.h. */
#include "analyze/sampler/nuts_metric.h"

#include "analyze/mix/kernels.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORTH      5.0  /* draws that a belief without knowledge counts for, as in Stan */
#define BELIEF_CAP 10.0 /* a believed variance counts as at most this many times the one seen */

/* ---- life ---- */

static bool cholesky(const double *A, size_t stride, double *L, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = A[i * stride + j];
            for (size_t k = 0; k < j; k++)
                sum -= L[i * n + k] * L[j * n + k];
            if (i == j && !(sum > 0))
                return false;
            L[i * n + j] = i == j ? sqrt(sum) : sum / L[j * n + j];
        }
    return true;
}

/* Element (i, j) of L L^T; of the unit matrix without L. */
static double believed(const double *L, size_t n, size_t i, size_t j) {
    if (!L)
        return i == j;
    double sum = 0;
    for (size_t k = 0; k <= i && k <= j; k++)
        sum += L[i * n + k] * L[j * n + k];
    return sum;
}

/* The block forgets its correlations: when its matrix has lost its rank. */
static void only_variances(metric *m) {
    memset(m->cov, 0, m->k * m->stride * sizeof *m->cov);
    memset(m->factor, 0, m->k * m->k * sizeof *m->factor);
    for (size_t i = 0; i < m->k; i++) {
        m->cov[i * m->stride + i] = m->variance[m->index[i]];
        m->factor[i * m->k + i] = sqrt(m->variance[m->index[i]]);
    }
}

bool metric_new(metric *m, size_t n, const size_t *block, size_t k, const double *L) {
    *m = (metric){.n = n, .k = k, .stride = bw_lanes_up(k), .worth = WORTH};
    m->index = calloc(k + 1, sizeof *m->index);
    m->variance = calloc(n + 1, sizeof *m->variance);
    m->cov = calloc(k * m->stride + 1, sizeof *m->cov);
    m->factor = calloc(k * k + 1, sizeof *m->factor);
    if (!m->index || !m->variance || !m->cov || !m->factor)
        return false;
    if (L) /* a belief with knowledge is worth what it takes to learn a matrix of this size */
        m->worth = fmax(WORTH, (double)k);
    for (size_t i = 0; i < n; i++)
        m->variance[i] = believed(L, n, i, i);
    for (size_t i = 0; i < k; i++)
        m->index[i] = block ? block[i] : i;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            m->cov[i * m->stride + j] = believed(L, n, m->index[i], m->index[j]);
    if (!cholesky(m->cov, m->stride, m->factor, k))
        only_variances(m);
    return true;
}

void metric_free(metric *m) {
    free(m->index);
    free(m->variance);
    free(m->cov);
    free(m->factor);
    *m = (metric){0};
}

bool moments_new(moments *c, const metric *m) {
    *c = (moments){0};
    c->mean = calloc(3 * m->n + m->k * m->k + 1, sizeof *c->mean);
    if (!c->mean)
        return false;
    c->delta = c->mean + m->n;
    c->square = c->delta + m->n;
    c->product = c->square + m->n;
    return true;
}

void moments_free(moments *c) {
    free(c->mean);
    *c = (moments){0};
}

void moments_reset(moments *c, const metric *m) {
    c->count = 0;
    memset(c->mean, 0, (3 * m->n + m->k * m->k) * sizeof *c->mean);
}

/* ---- learning ---- */

/* Adds weight * delta delta' to the sums. */
static void add_products(moments *c, const metric *m, double weight) {
    for (size_t i = 0; i < m->n; i++)
        c->square[i] += weight * c->delta[i] * c->delta[i];
    for (size_t i = 0; i < m->k; i++) {
        double d = weight * c->delta[m->index[i]];
        for (size_t j = 0; j < i; j++)
            c->product[i * m->k + j] += d * c->delta[m->index[j]];
    }
}

void moments_add(moments *c, const metric *m, const double *q) {
    double before = (double)c->count, after = before + 1.0;
    c->count++;
    for (size_t i = 0; i < m->n; i++)
        c->delta[i] = q[i] - c->mean[i];
    add_products(c, m, before / after);
    for (size_t i = 0; i < m->n; i++)
        c->mean[i] += c->delta[i] / after;
}

/* into += from (Chan, Golub and LeVeque 1983). */
static void merge(moments *into, const moments *from, const metric *m) {
    double a = (double)into->count, b = (double)from->count;
    if (from->count == 0)
        return;
    for (size_t i = 0; i < m->n; i++) {
        into->delta[i] = from->mean[i] - into->mean[i];
        into->square[i] += from->square[i];
    }
    for (size_t i = 0; i < m->k * m->k; i++)
        into->product[i] += from->product[i];
    add_products(into, m, a * b / (a + b));
    for (size_t i = 0; i < m->n; i++)
        into->mean[i] += into->delta[i] * b / (a + b);
    into->count += from->count;
}

/* The covariance seen, drawn towards what was believed before: with few draws a matrix is too sharp in
 * some direction. A believed variance far above the seen one is scaled down first, with its row. */
void metric_learn(metric *m, moments *const *of, size_t chains) {
    moments *c = of[0];
    for (size_t i = 1; i < chains; i++)
        merge(c, of[i], m);
    if (c->count < 2)
        return;
    double N = (double)c->count, keep = N / (N + m->worth), scale = keep / (N - 1.0);
    double *shrink = c->delta; /* [n] no longer needed */
    for (size_t i = 0; i < m->n; i++) {
        double seen = c->square[i] / (N - 1.0), most = BELIEF_CAP * seen + 1e-12;
        shrink[i] = m->variance[i] > most ? sqrt(most / m->variance[i]) : 1.0;
        m->variance[i] = keep * seen + (1.0 - keep) * m->variance[i] * shrink[i] * shrink[i];
    }
    for (size_t i = 0; i < m->k; i++) {
        for (size_t j = 0; j < i; j++) {
            double belief = m->cov[i * m->stride + j] * shrink[m->index[i]] * shrink[m->index[j]];
            m->cov[i * m->stride + j] = m->cov[j * m->stride + i] =
                scale * c->product[i * m->k + j] + (1.0 - keep) * belief;
        }
        m->cov[i * m->stride + i] = m->variance[m->index[i]];
    }
    if (!cholesky(m->cov, m->stride, m->factor, m->k))
        only_variances(m);
}

/* ---- use ---- */

void metric_velocity(const metric *m, const double *p, double *gather, double *out) {
    for (size_t i = 0; i < m->n; i++)
        out[i] = m->variance[i] * p[i];
    for (size_t i = 0; i < m->k; i++)
        gather[i] = p[m->index[i]];
    for (size_t i = m->k; i < m->stride; i++)
        gather[i] = 0.0;
    for (size_t i = 0; i < m->k; i++)
        out[m->index[i]] = bw_k_dot(m->cov + i * m->stride, gather, m->stride);
}

/* Solves L' p = z in the block. */
void metric_momentum(const metric *m, gsl_rng *r, double *gather, double *p) {
    for (size_t i = 0; i < m->n; i++)
        p[i] = gsl_ran_gaussian_ziggurat(r, 1.0);
    for (size_t i = 0; i < m->k; i++)
        gather[i] = p[m->index[i]];
    for (size_t i = 0; i < m->n; i++)
        p[i] /= sqrt(m->variance[i]);
    for (size_t i = m->k; i-- > 0;) {
        gather[i] /= m->factor[i * m->k + i];
        for (size_t j = 0; j < i; j++)
            gather[j] -= m->factor[i * m->k + j] * gather[i];
        p[m->index[i]] = gather[i];
    }
}

void metric_factor(const metric *m, double *L) {
    memset(L, 0, m->n * m->n * sizeof *L);
    for (size_t i = 0; i < m->n; i++)
        L[i * m->n + i] = sqrt(m->variance[i]);
    for (size_t i = 0; i < m->k; i++)
        for (size_t j = 0; j <= i; j++)
            L[m->index[i] * m->n + m->index[j]] = m->factor[i * m->k + j];
}
