/* analyze/glmm.c - penalised weighted least squares for mixed logistic regression.
 *
 * Each round: working response and weights at the present b; H = X'WX + prior precisions; solve;
 * then tau and scatter move. Fixed blocks carry a tiny ridge, so that a level seen only in rows
 * without any success (perfect separation) gets a large but finite effect. */
#include "analyze/glmm.h"

#include "analyze/gsl_errors.h"

#include <gsl/gsl_linalg.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_blas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 60
#define CONVERGED  1e-4  /* largest change of b, in logits */
#define FIXED_VAR  100.0 /* logit variance of a fixed effect: odds within e^+-20 */
#define TAU2_START 0.05
#define TAU2_MIN   1e-7
#define STEP_MAX   4.0 /* of a row's linear predictor in one round: a longer step is shortened */
#define ETA_MAX    30.0
#define JITTER     1e-10

struct work {
    double *eta, *w, *z;  /* [n] */
    double *miss, *noise; /* [n] squared residual and sampling variance, for the scatter */
    double *tau2;         /* [blocks] */
    double scatter2;
    gsl_matrix *h;   /* [p, p] precision, then its inverse */
    gsl_vector *rhs; /* [p] */
    double log_det;
};

static bw_status work_new(const bw_glmm_data *d, struct work *w, bw_err *err) {
    *w = (struct work){.eta = calloc(d->n, sizeof(double)),
                       .w = calloc(d->n, sizeof(double)),
                       .z = calloc(d->n, sizeof(double)),
                       .miss = calloc(d->n, sizeof(double)),
                       .noise = calloc(d->n, sizeof(double)),
                       .tau2 = calloc(d->blocks, sizeof(double)),
                       .h = gsl_matrix_calloc(d->p, d->p),
                       .rhs = gsl_vector_calloc(d->p)};
    return w->eta && w->w && w->z && w->miss && w->noise && w->tau2 && w->h && w->rhs
               ? BW_OK
               : bw_fail_memory(err);
}

static void work_free(struct work *w) {
    free(w->eta);
    free(w->w);
    free(w->z);
    free(w->miss);
    free(w->noise);
    free(w->tau2);
    if (w->h)
        gsl_matrix_free(w->h);
    if (w->rhs)
        gsl_vector_free(w->rhs);
}

double bw_glmm_mean(bw_family family, double eta) {
    return family == BW_FAMILY_RATE ? 1 / (1 + exp(-eta)) : exp(eta);
}

double bw_glmm_predict(const bw_glmm_data *d, const double *b, size_t i) {
    double eta = 0;
    for (size_t k = i * d->width; k < (i + 1) * d->width && d->column[k] != UINT32_MAX; k++)
        eta += b[d->column[k]] * (d->value ? d->value[k] : 1);
    return fmax(-ETA_MAX, fmin(ETA_MAX, eta));
}

/* d mean / d eta of one trial. */
static double slope(const bw_glmm_data *d, double mu) {
    return d->family == BW_FAMILY_RATE ? mu * (1 - mu) : mu;
}

/* Variance of the working response from sampling alone. */
static double sampling_variance(const bw_glmm_data *d, size_t i, double mu) {
    return (d->family == BW_FAMILY_MONEY ? d->unit : 1) / (d->trials[i] * slope(d, mu));
}

static void working_response(const bw_glmm_data *d, const double *b, struct work *w) {
    for (size_t i = 0; i < d->n; i++) {
        double eta = bw_glmm_predict(d, b, i), mu = bw_glmm_mean(d->family, eta);
        double v = sampling_variance(d, i, mu);
        double step = (d->successes[i] / d->trials[i] - mu) / slope(d, mu);
        w->eta[i] = eta;
        w->z[i] = eta + step;
        w->w[i] = 1 / (v + w->scatter2);
    }
}

static double prior_precision(const bw_glmm_data *d, const struct work *w, size_t c) {
    return d->fixed[d->block[c]] ? 1 / FIXED_VAR : 1 / w->tau2[d->block[c]];
}

static void accumulate(const bw_glmm_data *d, struct work *w) {
    gsl_matrix_set_zero(w->h);
    gsl_vector_set_zero(w->rhs);
    double *h = w->h->data, *r = w->rhs->data;
    size_t tda = w->h->tda;
    for (size_t i = 0; i < d->n; i++) {
        const uint32_t *col = d->column + i * d->width;
        const double *val = d->value ? d->value + i * d->width : NULL;
        size_t entries = 0;
        while (entries < d->width && col[entries] != UINT32_MAX)
            entries++;
        for (size_t a = 0; a < entries; a++) {
            double wa = w->w[i] * (val ? val[a] : 1);
            r[col[a]] += wa * w->z[i];
            for (size_t b = 0; b < entries; b++)
                if (col[b] <= col[a])
                    h[col[a] * tda + col[b]] += wa * (val ? val[b] : 1);
        }
    }
    for (size_t c = 0; c < d->p; c++)
        h[c * tda + c] += prior_precision(d, w, c) + JITTER;
}

/* b = H^-1 rhs; afterwards w->h holds H^-1 in full. */
static bw_status solve(struct work *w, double *b, size_t p, bw_err *err) {
    bw_gsl_returns_errors();
    int bad = gsl_linalg_cholesky_decomp1(w->h);
    if (!bad) {
        w->log_det = 0;
        for (size_t c = 0; c < p; c++)
            w->log_det += 2 * log(gsl_matrix_get(w->h, c, c));
        gsl_linalg_cholesky_svx(w->h, w->rhs);
        gsl_linalg_cholesky_invert(w->h);
    }
    if (bad)
        return bw_fail(err, BW_EDATA,
                       "the regression has no solution: the data hold no information on "
                       "some effect");
    memcpy(b, w->rhs->data, p * sizeof *b);
    return BW_OK;
}

/* Newton's step can overshoot where rates are near 0 or 1: b goes back towards where it came from. */
static void shorten(const bw_glmm_data *d, const struct work *w, const double *before, double *b) {
    double longest = 0;
    for (size_t i = 0; i < d->n; i++)
        longest = fmax(longest, fabs(bw_glmm_predict(d, b, i) - w->eta[i]));
    double keep = longest > STEP_MAX ? STEP_MAX / longest : 1;
    for (size_t c = 0; keep < 1 && c < d->p; c++)
        b[c] = before[c] + keep * (b[c] - before[c]);
}

/* tau^2 = sum b^2 / (levels - what the prior alone explains), Schall 1991. */
static void update_tau(const bw_glmm_data *d, struct work *w, const double *b) {
    for (size_t g = 0; g < d->blocks; g++) {
        double sum = 0, trace = 0, levels = 0;
        if (d->fixed[g])
            continue;
        for (size_t c = 0; c < d->p; c++)
            if (d->block[c] == g) {
                sum += b[c] * b[c];
                trace += gsl_matrix_get(w->h, c, c);
                levels += 1;
            }
        double known = fmax(levels - trace / w->tau2[g], 1e-3);
        w->tau2[g] = fmax(TAU2_MIN, sum / known);
    }
}

/* Parameters in effect: trace of (X'WX) H^-1. */
static double used_parameters(const bw_glmm_data *d, const struct work *w) {
    double used = (double)d->p;
    for (size_t c = 0; c < d->p; c++)
        used -= prior_precision(d, w, c) * gsl_matrix_get(w->h, c, c);
    return used;
}

/* Root in scatter^2 of sum r^2 / (v + scatter^2) = n - parameters. */
static void update_scatter(const bw_glmm_data *d, struct work *w, const double *b) {
    double left = fmax((double)d->n - used_parameters(d, w), 1), lo = 0, hi = 4;
    for (size_t i = 0; i < d->n; i++) {
        double r = w->z[i] - bw_glmm_predict(d, b, i);
        w->miss[i] = r * r;
        w->noise[i] = sampling_variance(d, i, bw_glmm_mean(d->family, w->eta[i]));
    }
    for (int k = 0; k < 50; k++) {
        double mid = k ? (lo + hi) / 2 : 0, sum = 0;
        for (size_t i = 0; i < d->n; i++)
            sum += w->miss[i] / (w->noise[i] + mid);
        if (k == 0 && sum <= left) {
            hi = 0;
            break;
        }
        if (k)
            *(sum > left ? &lo : &hi) = mid;
    }
    w->scatter2 = (lo + hi) / 2;
}

/* Laplace: quasi log likelihood at b, prior at b, half the log determinant. */
static double log_marginal(const bw_glmm_data *d, const struct work *w, const double *b) {
    double total = -0.5 * w->log_det;
    for (size_t i = 0; i < d->n; i++) {
        double r = w->z[i] - bw_glmm_predict(d, b, i);
        total += 0.5 * log(w->w[i]) - 0.5 * w->w[i] * r * r;
    }
    for (size_t c = 0; c < d->p; c++) {
        double precision = prior_precision(d, w, c);
        total += 0.5 * log(precision) - 0.5 * precision * b[c] * b[c];
    }
    return total;
}

static bw_status check(const bw_glmm_data *d, double *rate, bw_err *err) {
    double s = 0, n = 0;
    for (size_t i = 0; i < d->n; i++) {
        bool part = d->family == BW_FAMILY_RATE;
        if (!(d->trials[i] > 0) || d->successes[i] < 0 || (part && d->successes[i] > d->trials[i]))
            return bw_fail(err, BW_EDATA, "row %zu: %g of %g is not possible", i + 1,
                           d->successes[i], d->trials[i]);
        s += d->successes[i];
        n += d->trials[i];
    }
    if (s <= 0 && d->family != BW_FAMILY_RATE)
        return bw_fail(err, BW_EDATA, "every one of %zu values is zero: nothing varies", d->n);
    if (d->family == BW_FAMILY_RATE && (s <= 0 || s >= n))
        return bw_fail(err, BW_EDATA, "%s of %.0f: a rate that never varies has no pattern to find",
                       s <= 0 ? "no success" : "no failure", n);
    *rate = s / n;
    return BW_OK;
}

static bw_status iterate(const bw_glmm_data *d, const bw_glmm_fit *start, struct work *w,
                         bw_glmm_fit *f, bw_err *err) {
    double *before = malloc(d->p * sizeof *before);
    bw_status st = before ? BW_OK : bw_fail_memory(err);
    for (f->iterations = 0; st == BW_OK && f->iterations < ROUNDS_MAX; f->iterations++) {
        memcpy(before, f->coef, d->p * sizeof *before);
        working_response(d, f->coef, w);
        accumulate(d, w);
        st = solve(w, f->coef, d->p, err);
        if (st == BW_OK)
            shorten(d, w, before, f->coef);
        double moved = 0;
        for (size_t c = 0; st == BW_OK && c < d->p; c++)
            moved = fmax(moved, fabs(f->coef[c] - before[c]));
        if (st == BW_OK && !start) {
            update_tau(d, w, f->coef);
            if (!d->no_scatter)
                update_scatter(d, w, f->coef);
        }
        if (moved < CONVERGED)
            break;
    }
    if (st == BW_OK) {
        f->log_marginal = log_marginal(d, w, f->coef);
        f->scatter = sqrt(w->scatter2);
        for (size_t g = 0; g < d->blocks; g++)
            f->tau[g] = d->fixed[g] ? 0 : sqrt(w->tau2[g]);
        for (size_t c = 0; c < d->p; c++)
            for (size_t k = 0; k < d->p; k++)
                f->cov[c * d->p + k] = gsl_matrix_get(w->h, c, k);
    }
    free(before);
    return st;
}

/* A column that is in every row, if there is one, starts at the overall rate. */
static void set_start(const bw_glmm_data *d, const bw_glmm_fit *start, double rate, struct work *w,
                      bw_glmm_fit *f) {
    for (size_t g = 0; g < d->blocks; g++)
        w->tau2[g] = start ? fmax(start->tau[g] * start->tau[g], TAU2_MIN) : TAU2_START;
    w->scatter2 = start ? start->scatter * start->scatter : 0;
    if (start && start->p == d->p)
        memcpy(f->coef, start->coef, d->p * sizeof *f->coef);
    else
        f->coef[d->column[0]] = d->family == BW_FAMILY_RATE ? log(rate / (1 - rate)) : log(rate);
}

bw_status bw_glmm(const bw_glmm_data *d, const bw_glmm_fit *start, bw_glmm_fit *fit, bw_err *err) {
    *fit = (bw_glmm_fit){.p = d->p, .blocks = d->blocks};
    double rate = 0.5;
    bw_status st = check(d, &rate, err);
    if (st != BW_OK)
        return st;
    struct work w;
    st = work_new(d, &w, err);
    fit->coef = calloc(d->p, sizeof(double));
    fit->cov = calloc(d->p * d->p, sizeof(double));
    fit->tau = calloc(d->blocks, sizeof(double));
    if (st == BW_OK && !(fit->coef && fit->cov && fit->tau))
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        set_start(d, start, rate, &w, fit);
        st = iterate(d, start, &w, fit, err);
    }
    work_free(&w);
    if (st != BW_OK)
        bw_glmm_free(fit);
    return st;
}

void bw_glmm_free(bw_glmm_fit *f) {
    free(f->coef);
    free(f->cov);
    free(f->tau);
    *f = (bw_glmm_fit){0};
}

bw_status bw_glmm_draw(const bw_glmm_fit *f, size_t n_draws, uint64_t seed, double *draws,
                       bw_err *err) {
    size_t p = f->p;
    gsl_matrix *l = gsl_matrix_alloc(p, p);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    bw_status st = l && rng ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        memcpy(l->data, f->cov, p * p * sizeof(double));
        for (size_t c = 0; c < p; c++)
            l->data[c * p + c] *= 1 + JITTER;
        bw_gsl_returns_errors();
        if (gsl_linalg_cholesky_decomp1(l))
            st = bw_fail(err, BW_EDATA, "the posterior of the regression is not a proper one");
    }
    if (st == BW_OK)
        gsl_rng_set(rng, (unsigned long)(seed + 1));
    for (size_t s = 0; st == BW_OK && s < n_draws; s++) {
        gsl_vector_view x = gsl_vector_view_array(draws + s * p, p);
        for (size_t c = 0; c < p; c++)
            draws[s * p + c] = gsl_ran_ugaussian(rng);
        gsl_blas_dtrmv(CblasLower, CblasNoTrans, CblasNonUnit, l, &x.vector);
        for (size_t c = 0; c < p; c++)
            draws[s * p + c] += f->coef[c];
    }
    if (l)
        gsl_matrix_free(l);
    if (rng)
        gsl_rng_free(rng);
    return st;
}

struct scored {
    double score, label;
};

static int by_score(const void *a, const void *b) {
    const struct scored *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

double bw_auc(const double *score, const double *label, size_t n) {
    struct scored *s = malloc((n + 1) * sizeof *s);
    double below = 0, wins = 0, positives = 0;
    if (!s)
        return NAN;
    for (size_t i = 0; i < n; i++)
        s[i] = (struct scored){score[i], label[i]};
    qsort(s, n, sizeof *s, by_score);
    for (size_t i = 0, j; i < n; i = j) {
        double pos = 0, neg = 0;
        for (j = i; j < n && s[j].score == s[i].score; j++)
            *(s[j].label > 0.5 ? &pos : &neg) += 1;
        wins += pos * (below + neg / 2);
        below += neg;
        positives += pos;
    }
    free(s);
    return positives > 0 && below > 0 ? wins / (positives * below) : NAN;
}
