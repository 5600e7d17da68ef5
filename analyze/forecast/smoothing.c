/* analyze/forecast/smoothing.c - seasonal naive and Holt-Winters. */
#include "analyze/forecast/smoothing.h"

#include <gsl/gsl_multimin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAMPING     0.98
#define EVALUATIONS 150

void bw_seasonal_naive(const double *y, size_t n, size_t season, size_t ahead, double *out) {
    double last = NAN;
    for (size_t t = 0; t < n; t++)
        last = isnan(y[t]) ? last : y[t];
    for (size_t h = 0; h < ahead; h++) {
        size_t back = season ? (h / season + 1) * season : 0;
        out[h] = NAN;
        while (season && back <= n + h && isnan(out[h])) {
            out[h] = y[n + h - back];
            back += season;
        }
        if (isnan(out[h]))
            out[h] = last;
    }
}

struct model {
    const double *y;
    size_t n, season; /* season 1: none */
    double level, trend, *s;
};

/* First season: means of the first two seasons give level and trend, their residuals the season. */
static void start(struct model *m) {
    double a = 0, b = 0, na = 0, nb = 0;
    size_t k = m->season;
    m->trend = 0;
    memset(m->s, 0, k * sizeof *m->s);
    for (size_t t = 0; t < 2 * k && t < m->n; t++)
        if (!isnan(m->y[t])) {
            *(t < k ? &a : &b) += m->y[t];
            *(t < k ? &na : &nb) += 1;
        }
    m->level = na > 0 ? a / na : 0;
    if (k == 1 || na == 0 || nb == 0)
        return;
    m->trend = (b / nb - a / na) / (double)k;
    for (size_t t = 0; t < k; t++) {
        double x = m->y[t], z = m->y[t + k];
        x = isnan(x) ? z - (b / nb - a / na) : x;
        m->s[t] = isnan(x) ? 0 : x - a / na;
    }
}

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

static double run(struct model *m, const double *w) {
    double alpha = logistic(w[0]), beta = alpha * logistic(w[1]),
           gamma = (1 - alpha) * logistic(w[2]), sse = 0;
    start(m);
    for (size_t t = 0; t < m->n; t++) {
        double *s = &m->s[t % m->season], base = m->level + DAMPING * m->trend,
               expected = base + *s;
        double e = isnan(m->y[t]) ? 0 : m->y[t] - expected;
        sse += t >= m->season ? e * e : 0;
        m->level = base + alpha * e;
        m->trend = DAMPING * m->trend + beta * e;
        *s += m->season > 1 ? gamma * e : 0;
    }
    return sse;
}

static double objective(const gsl_vector *v, void *arg) {
    return run(arg, v->data);
}

void bw_holt_winters(const double *y, size_t n, size_t season, size_t ahead, double *out) {
    size_t k = season > 1 && n >= 2 * season ? season : 1;
    struct model m = {y, n, k, 0, 0, calloc(k, sizeof(double))};
    double from[] = {-1, -2, -1.5}, by[] = {1, 1, 1};
    gsl_vector_view start_at = gsl_vector_view_array(from, 3), step = gsl_vector_view_array(by, 3);
    gsl_multimin_function f = {objective, 3, &m};
    gsl_multimin_fminimizer *opt =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, 3);
    if (m.s && opt) {
        gsl_multimin_fminimizer_set(opt, &f, &start_at.vector, &step.vector);
        for (int i = 0; i < EVALUATIONS && !gsl_multimin_fminimizer_iterate(opt); i++)
            if (gsl_multimin_fminimizer_size(opt) < 1e-3)
                break;
        run(&m, gsl_multimin_fminimizer_x(opt)->data);
    }
    double damp = 0, power = 1;
    for (size_t h = 0; h < ahead; h++) {
        power *= DAMPING;
        damp += power;
        out[h] = m.s ? m.level + damp * m.trend + m.s[(n + h) % k] : NAN;
    }
    if (opt)
        gsl_multimin_fminimizer_free(opt);
    free(m.s);
}
