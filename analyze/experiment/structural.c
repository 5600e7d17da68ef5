/* analyze/experiment/structural.c - Kalman filter over (level, slope, coefficients), mode and draws.
 *
 * Coefficients have no process noise, so predicting touches two rows of the covariance only, and an
 * update is one sparse product and one symmetric rank-one change. */
#include "analyze/experiment/structural.h"

#include "analyze/linear.h"

#include <gsl/gsl_multimin.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAMPING          0.98
#define LEVEL_VAR        4.0  /* of the first level, in variances of y */
#define SLOPE_SD         0.02 /* of the first slope, in standard deviations of y a step */
#define EVALUATIONS      400
#define EVALUATIONS_WARM 120
#define SIMPLEX_DONE     1e-3
#define DIFFERENCE       0.05 /* step of the numerical curvature, on the log scale */
#define LOG_SD_MAX       0.7  /* of a log standard deviation in the draws */

enum { OBS, LEVEL, SLOPE, FIRST_BLOCK, THETAS = FIRST_BLOCK + BW_STRUCTURAL_BLOCKS };

/* Priors of the standard deviations: median (in standard deviations of y) and sd of the log. */
static const struct {
    double median, log_sd;
} PRIOR[THETAS] = {{0.3, 1}, {0.03, 0.7}, {0.001, 1}, {0.5, 1}, {0.3, 1},
                   {0.1, 1}, {0.3, 1},    {0.3, 1},   {0.3, 1}, {0.5, 1}};

struct bw_structural {
    const bw_structural_data *d;
    size_t upto, dim;
    double mean, scale;
    double theta[THETAS];  /* logs, at the mode */
    double spread[THETAS]; /* their standard deviations around it */
    bool used[THETAS];
    double *y;         /* [upto] standardised */
    unsigned *nonzero; /* indexes of the entries of x that are not 0, row after row */
    size_t *row;       /* [n + horizon + 1] where a row starts in nonzero */
    double *a, *p, *m; /* state mean [dim], covariance [dim, dim], scratch [dim] */
};

static bw_status index_rows(bw_structural *s, bw_err *err) {
    const bw_structural_data *d = s->d;
    size_t rows = d->n + d->horizon, count = 0;
    for (size_t i = 0; i < rows * d->k; i++)
        count += d->x[i] != 0;
    s->nonzero = malloc((count + 1) * sizeof *s->nonzero);
    s->row = malloc((rows + 1) * sizeof *s->row);
    if (!s->nonzero || !s->row)
        return bw_fail_memory(err);
    count = 0;
    for (size_t t = 0; t < rows; t++) {
        s->row[t] = count;
        for (size_t j = 0; j < d->k; j++)
            if (d->x[t * d->k + j] != 0)
                s->nonzero[count++] = (unsigned)j;
    }
    s->row[rows] = count;
    return BW_OK;
}

static bw_status standardise(bw_structural *s, bw_err *err) {
    double sum = 0, sq = 0, n = 0;
    for (size_t t = 0; t < s->upto; t++)
        if (!isnan(s->d->y[t])) {
            sum += s->d->y[t];
            n += 1;
        }
    if (n < BW_STRUCTURAL_LEAST)
        return bw_fail(err, BW_EDATA, "%.0f values; %u are the least for a trend", n,
                       BW_STRUCTURAL_LEAST);
    s->mean = sum / n;
    for (size_t t = 0; t < s->upto; t++)
        if (!isnan(s->d->y[t]))
            sq += (s->d->y[t] - s->mean) * (s->d->y[t] - s->mean);
    s->scale = sqrt(sq / (n - 1));
    if (!(s->scale > 1e-12 * fabs(s->mean)))
        return bw_fail(err, BW_EDATA, "all %.0f values are equal: there is nothing to learn from",
                       n);
    for (size_t t = 0; t < s->upto; t++)
        s->y[t] = (s->d->y[t] - s->mean) / s->scale;
    return BW_OK;
}

static double first_level(const bw_structural *s) {
    double sum = 0, n = 0;
    for (size_t t = 0; t < s->upto && n < 4; t++)
        if (!isnan(s->y[t])) {
            sum += s->y[t];
            n += 1;
        }
    return sum / n;
}

static void start_state(bw_structural *s, const double *theta) {
    size_t dim = s->dim;
    memset(s->a, 0, dim * sizeof *s->a);
    memset(s->p, 0, dim * dim * sizeof *s->p);
    s->a[0] = first_level(s);
    s->p[0] = LEVEL_VAR;
    s->p[dim + 1] = SLOPE_SD * SLOPE_SD;
    for (size_t j = 0; j < s->d->k; j++)
        s->p[(j + 2) * dim + j + 2] = exp(2 * theta[FIRST_BLOCK + s->d->block[j]]);
}

/* level += slope, slope *= DAMPING; the covariance follows in its first two rows and columns. */
static void predict(bw_structural *s, const double *theta) {
    size_t dim = s->dim;
    double *p = s->p;
    s->a[0] += s->a[1];
    s->a[1] *= DAMPING;
    for (size_t j = 0; j < dim; j++)
        p[j] += p[dim + j];
    for (size_t i = 0; i < dim; i++) {
        p[i * dim] = i ? p[i] : p[0] + p[1];
        if (i > 1)
            p[dim + i] = p[i * dim + 1] = DAMPING * p[dim + i];
    }
    p[1] = p[dim] = DAMPING * p[1];
    p[dim + 1] *= DAMPING * DAMPING;
    p[0] += exp(2 * theta[LEVEL]);
    p[dim + 1] += exp(2 * theta[SLOPE]);
}

/* Expected y at t; m becomes P z; returns its variance without noise in *var. */
static double expect(bw_structural *s, size_t t, double *var) {
    size_t dim = s->dim, k = s->d->k;
    const double *x = s->d->x + t * k;
    double f = s->a[0];
    memcpy(s->m, s->p, dim * sizeof *s->m); /* row of the level */
    for (size_t q = s->row[t]; q < s->row[t + 1]; q++) {
        size_t j = s->nonzero[q];
        const double *row = s->p + (j + 2) * dim;
        double *m = s->m, xj = x[j];
        f += xj * s->a[j + 2];
#pragma omp simd
        for (size_t i = 0; i < dim; i++)
            m[i] += xj * row[i];
    }
    *var = s->m[0];
    for (size_t q = s->row[t]; q < s->row[t + 1]; q++)
        *var += x[s->nonzero[q]] * s->m[s->nonzero[q] + 2];
    return f;
}

static void update(bw_structural *s, double innovation, double variance) {
    size_t dim = s->dim;
    for (size_t i = 0; i < dim; i++) {
        double gain = s->m[i] / variance;
        s->a[i] += gain * innovation;
        double *row = s->p + i * dim;
        const double *m = s->m;
#pragma omp simd
        for (size_t j = 0; j < dim; j++)
            row[j] -= gain * m[j];
    }
}

/* Log likelihood of the standardised series; the state ends at time upto-1. The three arrays may be
 * NULL: expectation, its standard deviation, level; all standardised. */
static double filter(bw_structural *s, const double *theta, double *expected, double *sd,
                     double *level) {
    double noise = exp(2 * theta[OBS]), log_l = 0, var;
    start_state(s, theta);
    for (size_t t = 0; t < s->upto; t++) {
        if (t)
            predict(s, theta);
        double f = expect(s, t, &var), q = var + noise;
        if (expected) {
            expected[t] = f;
            sd[t] = sqrt(q);
        }
        if (!isnan(s->y[t])) {
            double e = s->y[t] - f;
            log_l -= 0.5 * (log(2 * M_PI * q) + e * e / q);
            update(s, e, q);
        }
        if (level)
            level[t] = s->a[0];
    }
    return log_l;
}

static double log_posterior(bw_structural *s, const double *theta) {
    double total = filter(s, theta, NULL, NULL, NULL);
    for (size_t i = 0; i < THETAS; i++)
        if (s->used[i]) {
            double z = (theta[i] - log(PRIOR[i].median)) / PRIOR[i].log_sd;
            total -= z * z / 2;
        }
    return total;
}

/* The optimiser sees the used standard deviations only. */
static void unpack(const bw_structural *s, const gsl_vector *v, double *theta) {
    for (size_t i = 0, q = 0; i < THETAS; i++)
        theta[i] = s->used[i] ? gsl_vector_get(v, q++) : log(PRIOR[i].median);
}

static double objective(const gsl_vector *v, void *arg) {
    bw_structural *s = arg;
    double theta[THETAS];
    unpack(s, v, theta);
    for (size_t i = 0; i < THETAS; i++)
        if (fabs(theta[i]) > 12)
            return 1e10;
    double l = log_posterior(s, theta);
    return isfinite(l) ? -l : 1e10;
}

static size_t used_count(const bw_structural *s) {
    size_t n = 0;
    for (size_t i = 0; i < THETAS; i++)
        n += s->used[i];
    return n;
}

static bw_status find_mode(bw_structural *s, const bw_structural *warm, bw_err *err) {
    size_t n = used_count(s), q = 0;
    gsl_vector *start = gsl_vector_alloc(n), *step = gsl_vector_alloc(n);
    gsl_multimin_fminimizer *opt =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, n);
    bw_status st = start && step && opt ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        for (size_t i = 0; i < THETAS; i++)
            if (s->used[i])
                gsl_vector_set(start, q++, warm ? warm->theta[i] : log(PRIOR[i].median));
        gsl_vector_set_all(step, warm ? 0.3 : 0.8);
        gsl_multimin_function f = {objective, n, s};
        gsl_multimin_fminimizer_set(opt, &f, start, step);
        int most = warm ? EVALUATIONS_WARM : EVALUATIONS;
        for (int i = 0; i < most; i++) {
            if (gsl_multimin_fminimizer_iterate(opt) ||
                gsl_multimin_fminimizer_size(opt) < SIMPLEX_DONE * (double)n)
                break;
        }
        unpack(s, gsl_multimin_fminimizer_x(opt), s->theta);
    }
    if (opt)
        gsl_multimin_fminimizer_free(opt);
    if (start)
        gsl_vector_free(start);
    if (step)
        gsl_vector_free(step);
    return st;
}

/* Curvature along each log standard deviation (they are nearly independent on that scale). */
static void find_spread(bw_structural *s) {
    double theta[THETAS], at = log_posterior(s, s->theta);
    memset(s->spread, 0, sizeof s->spread);
    for (size_t i = 0; i < THETAS; i++) {
        if (!s->used[i])
            continue;
        memcpy(theta, s->theta, sizeof theta);
        theta[i] += DIFFERENCE;
        double up = log_posterior(s, theta);
        theta[i] -= 2 * DIFFERENCE;
        double down = log_posterior(s, theta);
        double curvature = (2 * at - up - down) / (DIFFERENCE * DIFFERENCE);
        double sd = curvature > 0 ? 1 / sqrt(curvature) : LOG_SD_MAX;
        s->spread[i] = fmin(sd, LOG_SD_MAX);
    }
}

static bw_status build(bw_structural *s, const bw_structural *warm, bw_err *err) {
    s->y = malloc((s->upto + 1) * sizeof *s->y);
    s->a = malloc(s->dim * sizeof *s->a);
    s->m = malloc(s->dim * sizeof *s->m);
    s->p = malloc(s->dim * s->dim * sizeof *s->p);
    if (!s->y || !s->a || !s->m || !s->p)
        return bw_fail_memory(err);
    bw_status st = index_rows(s, err);
    if (st == BW_OK)
        st = standardise(s, err);
    s->used[OBS] = s->used[LEVEL] = s->used[SLOPE] = true;
    for (size_t j = 0; j < s->d->k; j++)
        s->used[FIRST_BLOCK + s->d->block[j]] = true;
    if (st == BW_OK)
        st = find_mode(s, warm, err);
    if (st == BW_OK)
        find_spread(s);
    return st;
}

bw_status bw_structural_fit(const bw_structural_data *d, size_t upto, const bw_structural *warm,
                            bw_structural **out, bw_err *err) {
    *out = NULL;
    bw_structural *s = calloc(1, sizeof *s);
    if (!s)
        return bw_fail_memory(err);
    s->d = d;
    s->upto = upto;
    s->dim = d->k + 2;
    bw_status st = build(s, warm, err);
    if (st != BW_OK) {
        bw_structural_free(s);
        return st;
    }
    *out = s;
    return BW_OK;
}

void bw_structural_free(bw_structural *s) {
    if (!s)
        return;
    free(s->y);
    free(s->nonzero);
    free(s->row);
    free(s->a);
    free(s->p);
    free(s->m);
    free(s);
}

/* Cholesky factor of the state's covariance; a component that is known exactly gets a zero row. */
static bool factor(const double *p, size_t dim, double *l) {
    memcpy(l, p, dim * dim * sizeof *l);
    for (size_t i = 0; i < dim; i++)
        l[i * dim + i] = l[i * dim + i] * (1 + 1e-8) + 1e-14;
    return bw_cholesky(l, dim, NULL);
}

static void one_path(const bw_structural *s, const double *theta, const double *l, size_t ahead,
                     gsl_rng *rng, double *state, double *path) {
    size_t dim = s->dim, k = s->d->k;
    for (size_t i = 0; i < dim; i++)
        s->m[i] = gsl_ran_ugaussian(rng);
    for (size_t i = 0; i < dim; i++) {
        state[i] = s->a[i];
        for (size_t j = 0; j <= i; j++)
            state[i] += l[i * dim + j] * s->m[j];
    }
    for (size_t h = 0; h < ahead; h++) {
        size_t t = s->upto + h;
        state[0] += state[1] + exp(theta[LEVEL]) * gsl_ran_ugaussian(rng);
        state[1] = DAMPING * state[1] + exp(theta[SLOPE]) * gsl_ran_ugaussian(rng);
        double y = state[0] + exp(theta[OBS]) * gsl_ran_ugaussian(rng);
        for (size_t q = s->row[t]; q < s->row[t + 1]; q++)
            y += s->d->x[t * k + s->nonzero[q]] * state[s->nonzero[q] + 2];
        path[h] = s->mean + s->scale * y;
    }
}

static void draw_theta(const bw_structural *s, gsl_rng *rng, double *theta) {
    for (size_t i = 0; i < THETAS; i++)
        theta[i] = s->theta[i] + s->spread[i] * gsl_ran_ugaussian(rng);
}

bw_status bw_structural_paths(const bw_structural *fit, size_t ahead, size_t thetas, size_t each,
                              uint64_t seed, const double *versions, double *paths, bw_err *err) {
    bw_structural s = *fit; /* its own state, the rest is shared */
    double *work = malloc((2 * s.dim * s.dim + 3 * s.dim + s.upto) * sizeof *work), theta[THETAS];
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    bw_status st = work && rng ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        double *l = work, *state = work + 2 * s.dim * s.dim;
        s.p = work + s.dim * s.dim;
        s.a = state + s.dim;
        s.m = s.a + s.dim;
        if (versions)
            s.y = s.m + s.dim;
        gsl_rng_set(rng, (unsigned long)(seed + 1));
        for (size_t i = 0; st == BW_OK && i < thetas; i++) {
            draw_theta(&s, rng, theta);
            for (size_t t = 0; versions && t < s.upto; t++)
                s.y[t] = (versions[i * s.d->n + t] - s.mean) / s.scale;
            filter(&s, theta, NULL, NULL, NULL);
            if (!factor(s.p, s.dim, l))
                st = bw_fail(err, BW_EDATA, "the series leaves its trend and seasons undetermined");
            for (size_t j = 0; st == BW_OK && j < each; j++)
                one_path(&s, theta, l, ahead, rng, state, paths + (i * each + j) * ahead);
        }
    }
    free(work);
    if (rng)
        gsl_rng_free(rng);
    return st;
}

void bw_structural_one_step(bw_structural *s, double *expected, double *sd) {
    filter(s, s->theta, expected, sd, NULL);
    for (size_t t = 0; t < s->upto; t++) {
        expected[t] = s->mean + s->scale * expected[t];
        sd[t] *= s->scale;
    }
}

void bw_structural_level(bw_structural *s, double *level) {
    filter(s, s->theta, NULL, NULL, level);
    for (size_t t = 0; t < s->upto; t++)
        level[t] = s->mean + s->scale * level[t];
}

static void coef_at(bw_structural *s, const double *theta, double *mean, double *cov) {
    size_t k = s->d->k;
    filter(s, theta, NULL, NULL, NULL);
    for (size_t i = 0; i < k; i++) {
        mean[i] = s->scale * s->a[i + 2];
        for (size_t j = 0; j < k; j++)
            cov[i * k + j] = s->scale * s->scale * s->p[(i + 2) * s->dim + j + 2];
    }
}

void bw_structural_coef(bw_structural *s, double *mean, double *cov) {
    coef_at(s, s->theta, mean, cov);
}

bw_status bw_structural_coef_draws(bw_structural *s, size_t thetas, uint64_t seed, double *mean,
                                   double *cov, bw_err *err) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    size_t k = s->d->k;
    double theta[THETAS];
    if (!rng)
        return bw_fail_memory(err);
    gsl_rng_set(rng, (unsigned long)(seed + 1));
    for (size_t i = 0; i < thetas; i++) {
        draw_theta(s, rng, theta);
        coef_at(s, theta, mean + i * k, cov + i * k * k);
    }
    gsl_rng_free(rng);
    return BW_OK;
}
