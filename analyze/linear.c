/* analyze/linear.c - least squares by Cholesky. Columns are scaled to unit length first, so that one
 * tolerance tells collinear columns whatever their units. */
#include "analyze/linear.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIVOT_MIN 1e-10 /* share of a unit column that the columns before leave unexplained */

bool bw_cholesky(double *a, size_t p, size_t *bad) {
    for (size_t j = 0; j < p; j++) {
        double start = a[j * p + j], d = start;
        for (size_t k = 0; k < j; k++)
            d -= a[j * p + k] * a[j * p + k];
        if (!(d > PIVOT_MIN * start) || !isfinite(d)) {
            if (bad)
                *bad = j;
            return false;
        }
        d = sqrt(d);
        a[j * p + j] = d;
        for (size_t i = j + 1; i < p; i++) {
            double s = a[i * p + j];
            for (size_t k = 0; k < j; k++)
                s -= a[i * p + k] * a[j * p + k];
            a[i * p + j] = s / d;
        }
    }
    return true;
}

void bw_cholesky_solve(const double *l, size_t p, double *b) {
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= l[i * p + k] * b[k];
        b[i] /= l[i * p + i];
    }
    for (size_t i = p; i-- > 0;) {
        for (size_t k = i + 1; k < p; k++)
            b[i] -= l[k * p + i] * b[k];
        b[i] /= l[i * p + i];
    }
}

void bw_cholesky_invert(const double *l, size_t p, double *inverse) {
    memset(inverse, 0, p * p * sizeof *inverse);
    for (size_t j = 0; j < p; j++) {
        inverse[j * p + j] = 1;
        bw_cholesky_solve(l, p, inverse + j * p);
    }
}

#define ROUNDING 1e-10 /* noise below this share of the largest value is none */

struct work {
    double *scale; /* [p] length of each column */
    double *gram;  /* [p, p] */
    double *inv;   /* [p, p] */
    double *meat;  /* [p, p] */
    double *score; /* [max(clusters, 1), p] */
};

static double weight(const bw_ols_data *d, size_t i) {
    return d->weight ? d->weight[i] : 1.0;
}

static void scales(const bw_ols_data *d, double *scale) {
    for (size_t j = 0; j < d->p; j++) {
        double s = 0;
        for (size_t i = 0; i < d->n; i++)
            s += weight(d, i) * d->x[i * d->p + j] * d->x[i * d->p + j];
        scale[j] = s > 0 ? sqrt(s) : 1.0;
    }
}

static void normal_equations(const bw_ols_data *d, struct work *w, double *coef) {
    size_t p = d->p;
    for (size_t i = 0; i < d->n; i++) {
        const double *row = d->x + i * p;
        double wi = weight(d, i);
        for (size_t j = 0; j < p; j++) {
            if (row[j] == 0)
                continue;
            double xj = wi * row[j] / w->scale[j];
            coef[j] += xj * d->y[i];
            for (size_t k = 0; k <= j; k++)
                w->gram[j * p + k] += xj * row[k] / w->scale[k];
        }
    }
}

/* Residuals, sigma and R2 about the mean. */
static void residuals(const bw_ols_data *d, bw_ols_fit *f) {
    double rss = 0, tss = 0, sw = 0, mean = 0;
    for (size_t i = 0; i < d->n; i++) {
        sw += weight(d, i);
        mean += weight(d, i) * d->y[i];
    }
    mean /= sw;
    for (size_t i = 0; i < d->n; i++) {
        double fitted = 0;
        for (size_t j = 0; j < d->p; j++)
            fitted += d->x[i * d->p + j] * f->coef[j];
        double r = d->y[i] - fitted, c = d->y[i] - mean;
        f->residual[i] = r;
        rss += weight(d, i) * r * r;
        tss += weight(d, i) * c * c;
    }
    f->sigma = sqrt(rss / (double)(d->n - d->p - d->absorbed));
    f->r2 = tss > 0 ? 1 - rss / tss : 0;
}

/* Sum over clusters (or rows) of the outer products of their scores x'wr. */
static void meat(const bw_ols_data *d, const bw_ols_fit *f, struct work *w) {
    size_t p = d->p, groups = d->cov == BW_COV_CLUSTER ? d->clusters : d->n;
    double one[64], *row_score = p <= 64 ? one : w->score;
    for (size_t i = 0; i < d->n; i++) {
        double *s = d->cov == BW_COV_CLUSTER ? w->score + d->cluster[i] * p : row_score;
        for (size_t j = 0; j < p; j++) {
            double v = d->x[i * p + j] / w->scale[j] * weight(d, i) * f->residual[i];
            s[j] = d->cov == BW_COV_CLUSTER ? s[j] + v : v;
        }
        if (d->cov != BW_COV_CLUSTER)
            for (size_t j = 0; j < p; j++)
                for (size_t k = 0; k < p; k++)
                    w->meat[j * p + k] += s[j] * s[k];
    }
    for (size_t g = 0; d->cov == BW_COV_CLUSTER && g < groups; g++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                w->meat[j * p + k] += w->score[g * p + j] * w->score[g * p + k];
}

/* inv meat inv, with the finite-sample factor. */
static void sandwich(const bw_ols_data *d, bw_ols_fit *f, struct work *w) {
    size_t p = d->p;
    double n = (double)d->n, g = (double)d->clusters, left = n - (double)(p + d->absorbed);
    double factor = d->cov == BW_COV_CLUSTER ? g / (g - 1) * (n - 1) / left : n / left;
    meat(d, f, w);
    memset(w->gram, 0, p * p * sizeof *w->gram); /* its factor is no longer needed: scratch */
    for (size_t a = 0; a < p; a++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                w->gram[a * p + k] += w->inv[a * p + j] * w->meat[j * p + k];
    for (size_t a = 0; a < p; a++)
        for (size_t b = 0; b < p; b++) {
            double s = 0;
            for (size_t k = 0; k < p; k++)
                s += w->gram[a * p + k] * w->inv[b * p + k];
            f->cov[a * p + b] = factor * s / (w->scale[a] * w->scale[b]);
        }
}

static void covariance(const bw_ols_data *d, bw_ols_fit *f, struct work *w) {
    size_t p = d->p;
    f->df = d->cov != BW_COV_CLUSTER          ? (double)(d->n - p - d->absorbed)
            : d->clusters >= BW_MANY_CLUSTERS ? INFINITY
                                              : (double)d->clusters - 1;
    if (d->cov != BW_COV_CLASSIC) {
        sandwich(d, f, w);
        return;
    }
    for (size_t a = 0; a < p; a++)
        for (size_t b = 0; b < p; b++)
            f->cov[a * p + b] =
                f->sigma * f->sigma * w->inv[a * p + b] / (w->scale[a] * w->scale[b]);
}

static bw_status solve(const bw_ols_data *d, bw_ols_fit *f, struct work *w, bw_err *err) {
    size_t bad = 0;
    scales(d, w->scale);
    normal_equations(d, w, f->coef);
    if (!bw_cholesky(w->gram, d->p, &bad)) {
        char number[32];
        snprintf(number, sizeof number, "column %zu", bad + 1);
        return bw_fail(err, BW_EDATA,
                       "%s is constant or a combination of the other columns, so its effect cannot "
                       "be told from theirs; leave it out",
                       d->names ? d->names[bad] : number);
    }
    bw_cholesky_solve(w->gram, d->p, f->coef);
    bw_cholesky_invert(w->gram, d->p, w->inv);
    for (size_t j = 0; j < d->p; j++)
        f->coef[j] /= w->scale[j];
    residuals(d, f);
    covariance(d, f, w);
    return BW_OK;
}

bw_status bw_ols(const bw_ols_data *d, bw_ols_fit *fit, bw_err *err) {
    *fit = (bw_ols_fit){0};
    if (d->n <= d->p + d->absorbed)
        return bw_fail(err, BW_EDATA, "%zu rows are too few for %zu coefficients", d->n,
                       d->p + d->absorbed);
    if (d->cov == BW_COV_CLUSTER && d->clusters < 2)
        return bw_fail(err, BW_EDATA, "one unit only: no error can be clustered by unit");
    size_t p = d->p, groups = d->cov == BW_COV_CLUSTER ? d->clusters : 1;
    struct work w = {calloc(p, sizeof(double)), calloc(p * p, sizeof(double)),
                     calloc(p * p, sizeof(double)), calloc(p * p, sizeof(double)),
                     calloc(groups * p, sizeof(double))};
    *fit = (bw_ols_fit){.p = p,
                        .coef = calloc(p, sizeof(double)),
                        .cov = calloc(p * p, sizeof(double)),
                        .residual = calloc(d->n, sizeof(double))};
    bool ok =
        w.scale && w.gram && w.inv && w.meat && w.score && fit->coef && fit->cov && fit->residual;
    bw_status st = ok ? solve(d, fit, &w, err) : bw_fail_memory(err);
    free(w.scale);
    free(w.gram);
    free(w.inv);
    free(w.meat);
    free(w.score);
    if (st != BW_OK)
        bw_ols_free(fit);
    return st;
}

void bw_ols_free(bw_ols_fit *f) {
    free(f->coef);
    free(f->cov);
    free(f->residual);
    *f = (bw_ols_fit){0};
}

bw_contrast bw_t_interval(double estimate, double se, double df, double level) {
    double tail = 0.5 + level / 2, t = fabs(estimate) / se;
    double critical = isinf(df) ? gsl_cdf_ugaussian_Pinv(tail) : gsl_cdf_tdist_Pinv(tail, df);
    double p = isinf(df) ? gsl_cdf_ugaussian_Q(t) : gsl_cdf_tdist_Q(t, df);
    return (bw_contrast){estimate, se, estimate - critical * se, estimate + critical * se, 2 * p};
}

bool bw_ols_exact(const bw_ols_fit *fit, const double *y, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(y[i]));
    return !(fit->sigma > ROUNDING * largest);
}

bw_contrast bw_ols_contrast(const bw_ols_fit *f, const double *w, double level) {
    double estimate = 0, var = 0;
    for (size_t i = 0; i < f->p; i++) {
        estimate += w[i] * f->coef[i];
        for (size_t j = 0; j < f->p; j++)
            var += w[i] * f->cov[i * f->p + j] * w[j];
    }
    return bw_t_interval(estimate, sqrt(var), f->df, level);
}

bw_contrast bw_ols_coef(const bw_ols_fit *f, size_t i, double level) {
    return bw_t_interval(f->coef[i], sqrt(f->cov[i * f->p + i]), f->df, level);
}
