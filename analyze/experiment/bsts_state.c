/* analyze/experiment/bsts_state.c - simulation smoother: a draw from the model without data, corrected by the smoothed
 * difference to the data (Durbin and Koopman 2002). */
#include "analyze/experiment/bsts_state.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bw_states {
    size_t n, dim;
    double *a, *p;       /* [n, dim], [n, dim, dim] predicted mean and covariance */
    double *v, *f, *k;   /* [n] innovation and variance; [n, dim] gain */
    double *plus, *diff; /* [n, dim] simulated states; [n] data minus simulated data */
    double *last;        /* [dim] the last drawn state */
    double *r, *m;       /* [dim] */
};

bw_states *bw_states_new(size_t n, size_t season) {
    bw_states *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    size_t dim = season > 1 ? season : 1;
    s->n = n;
    s->dim = dim;
    s->a = calloc(n * dim, sizeof(double));
    s->p = calloc(n * dim * dim, sizeof(double));
    s->v = calloc(n, sizeof(double));
    s->f = calloc(n, sizeof(double));
    s->k = calloc(n * dim, sizeof(double));
    s->plus = calloc(n * dim, sizeof(double));
    s->diff = calloc(n, sizeof(double));
    s->last = calloc(dim, sizeof(double));
    s->r = calloc(dim, sizeof(double));
    s->m = calloc(dim, sizeof(double));
    if (!s->a || !s->p || !s->v || !s->f || !s->k || !s->plus || !s->diff || !s->last || !s->r ||
        !s->m) {
        bw_states_free(s);
        return NULL;
    }
    return s;
}

void bw_states_free(bw_states *s) {
    if (!s)
        return;
    double *all[] = {s->a, s->p, s->v, s->f, s->k, s->plus, s->diff, s->last, s->r, s->m};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(s);
}

static double observed(const double *state, size_t dim) {
    return state[0] + (dim > 1 ? state[1] : 0);
}

/* out = T in: the level stays, the new season is minus the sum of the last ones, the rest moves down. */
static void transit(const double *in, size_t dim, double *out) {
    double sum = 0;
    out[0] = in[0];
    for (size_t i = 1; i < dim; i++)
        sum += in[i];
    for (size_t i = dim; i-- > 2;)
        out[i] = in[i - 1];
    if (dim > 1)
        out[1] = -sum;
}

/* out = T' in. */
static void transit_back(const double *in, size_t dim, double *out) {
    out[0] = in[0];
    for (size_t i = 1; i < dim; i++)
        out[i] = -in[1] + (i + 1 < dim ? in[i + 1] : 0);
}

static void disturb(double *state, size_t dim, const bw_state_law *law, gsl_rng *rng) {
    state[0] += gsl_ran_gaussian(rng, sqrt(law->level));
    if (dim > 1)
        state[1] += gsl_ran_gaussian(rng, sqrt(law->season));
}

/* A run of the model from its prior, mean 0; diff = z minus what that run would have shown. */
static void simulate(bw_states *s, const double *z, const bw_state_law *law, gsl_rng *rng) {
    size_t dim = s->dim;
    s->plus[0] = gsl_ran_gaussian(rng, sqrt(law->first_var));
    for (size_t i = 1; i < dim; i++)
        s->plus[i] = gsl_ran_gaussian(rng, sqrt(law->season_var));
    for (size_t t = 0; t < s->n; t++) {
        double *now = s->plus + t * dim;
        if (t) {
            transit(now - dim, dim, now);
            disturb(now, dim, law, rng);
        }
        s->diff[t] = z[t] - observed(now, dim) - gsl_ran_gaussian(rng, sqrt(law->obs));
    }
}

static void predict_covariance(const bw_states *s, size_t t, const double *filtered,
                               const bw_state_law *law) {
    size_t dim = s->dim;
    double *p = s->p + t * dim * dim, column[64], moved[64];
    for (size_t j = 0; j < dim; j++) { /* T P, column by column, in place of p */
        for (size_t i = 0; i < dim; i++)
            column[i] = filtered[i * dim + j];
        transit(column, dim, moved);
        for (size_t i = 0; i < dim; i++)
            p[i * dim + j] = moved[i];
    }
    for (size_t i = 0; i < dim; i++) { /* (T P) T' */
        transit(p + i * dim, dim, moved);
        memcpy(p + i * dim, moved, dim * sizeof *p);
    }
    p[0] += law->level;
    if (dim > 1)
        p[dim + 1] += law->season;
}

static void filter(bw_states *s, const bw_state_law *law) {
    size_t dim = s->dim;
    double filtered[64 * 64], mean[64];
    memset(s->a, 0, dim * sizeof *s->a);
    memset(s->p, 0, dim * dim * sizeof *s->p);
    s->a[0] = law->first;
    s->p[0] = law->first_var;
    for (size_t i = 1; i < dim; i++)
        s->p[i * dim + i] = law->season_var;
    for (size_t t = 0; t < s->n; t++) {
        double *a = s->a + t * dim, *p = s->p + t * dim * dim, *k = s->k + t * dim;
        bool seen = !isnan(s->diff[t]);
        for (size_t i = 0; i < dim; i++)
            k[i] = p[i * dim] + (dim > 1 ? p[i * dim + 1] : 0);
        s->f[t] = observed(k, dim) + law->obs;
        s->v[t] = seen ? s->diff[t] - observed(a, dim) : 0;
        for (size_t i = 0; i < dim; i++) {
            k[i] = seen ? k[i] / s->f[t] : 0;
            mean[i] = a[i] + k[i] * s->v[t];
        }
        if (t + 1 == s->n)
            break;
        for (size_t i = 0; i < dim; i++)
            for (size_t j = 0; j < dim; j++)
                filtered[i * dim + j] = p[i * dim + j] - k[i] * k[j] * s->f[t];
        transit(mean, dim, a + dim);
        predict_covariance(s, t + 1, filtered, law);
    }
}

/* Backwards: r_(t-1) = Z v/F + L' r_t; the smoothed state is a + P r_(t-1). */
static void smooth_and_add(bw_states *s, double *level, double *season) {
    size_t dim = s->dim;
    double back[64];
    memset(s->r, 0, dim * sizeof *s->r);
    for (size_t t = s->n; t-- > 0;) {
        const double *a = s->a + t * dim, *p = s->p + t * dim * dim, *k = s->k + t * dim;
        transit_back(s->r, dim, back);
        double pull = 0; /* r = T'r + Z (v/F - K'T'r) */
        for (size_t i = 0; i < dim; i++)
            pull += k[i] * back[i];
        double shift = (isnan(s->diff[t]) ? 0 : s->v[t] / s->f[t]) - pull;
        memcpy(s->r, back, dim * sizeof *back);
        s->r[0] += shift;
        if (dim > 1)
            s->r[1] += shift;
        for (size_t i = 0; i < dim; i++) {
            s->m[i] = a[i] + s->plus[t * dim + i];
            for (size_t j = 0; j < dim; j++)
                s->m[i] += p[i * dim + j] * s->r[j];
        }
        level[t] = s->m[0];
        season[t] = dim > 1 ? s->m[1] : 0;
        if (t + 1 == s->n)
            memcpy(s->last, s->m, dim * sizeof *s->m);
    }
}

void bw_states_draw(bw_states *s, const double *z, const bw_state_law *law, gsl_rng *rng,
                    double *level, double *season) {
    simulate(s, z, law, rng);
    filter(s, law);
    smooth_and_add(s, level, season);
}

void bw_states_run_on(const bw_states *s, const bw_state_law *law, size_t m, gsl_rng *rng,
                      double *out) {
    double now[64], next[64];
    memcpy(now, s->last, s->dim * sizeof *now);
    for (size_t h = 0; h < m; h++) {
        transit(now, s->dim, next);
        disturb(next, s->dim, law, rng);
        memcpy(now, next, s->dim * sizeof *now);
        out[h] = observed(now, s->dim);
    }
}
