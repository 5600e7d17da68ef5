/* analyze/experiment/synthetic.c - weights by projected gradient on the simplex, placebos by treating each donor. */
#include "analyze/experiment/synthetic.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 3000
#define DONE      1e-9
#define TAIL      0.05 /* on each side of the interval */

/* Nearest point of the simplex (Duchi et al. 2008). sorted: [n] scratch. */
static void project(double *w, size_t n, double *sorted) {
    double sum = 0, cut = 0;
    memcpy(sorted, w, n * sizeof *w);
    gsl_sort(sorted, 1, n);
    for (size_t k = 0; k < n; k++) {
        double v = sorted[n - 1 - k];
        sum += v;
        if (v - (sum - 1) / (double)(k + 1) > 0)
            cut = (sum - 1) / (double)(k + 1);
    }
    for (size_t i = 0; i < n; i++)
        w[i] = fmax(0, w[i] - cut);
}

struct fit {
    const double *y;
    size_t units, periods, start;
    size_t *donor, donors;                              /* units that may enter the mix */
    double *w, *next, *extra, *scratch, *gram, *target; /* [donors] each, gram [donors, donors] */
};

/* Means before the start are taken out of nothing: levels count, as in the original method. */
static void normal_equations(struct fit *f, size_t treated) {
    size_t n = f->donors;
    memset(f->gram, 0, n * n * sizeof *f->gram);
    memset(f->target, 0, n * sizeof *f->target);
    for (size_t i = 0; i < n; i++) {
        const double *a = f->y + f->donor[i] * f->periods;
        for (size_t t = 0; t < f->start; t++)
            f->target[i] += a[t] * f->y[treated * f->periods + t];
        for (size_t j = 0; j <= i; j++) {
            const double *b = f->y + f->donor[j] * f->periods;
            double s = 0;
            for (size_t t = 0; t < f->start; t++)
                s += a[t] * b[t];
            f->gram[i * n + j] = f->gram[j * n + i] = s;
        }
    }
}

/* Largest eigenvalue is at most the trace. Accelerated projected gradient (Beck and Teboulle 2009). */
static void weights(struct fit *f, size_t treated) {
    size_t n = f->donors;
    double bound = 0, momentum = 1;
    normal_equations(f, treated);
    for (size_t i = 0; i < n; i++) {
        bound += f->gram[i * n + i];
        f->w[i] = f->extra[i] = 1 / (double)n;
    }
    for (int step = 0; step < STEPS_MAX && bound > 0; step++) {
        double moved = 0;
        for (size_t i = 0; i < n; i++) {
            double g = -f->target[i];
            for (size_t j = 0; j < n; j++)
                g += f->gram[i * n + j] * f->extra[j];
            f->next[i] = f->extra[i] - g / bound;
        }
        project(f->next, n, f->scratch);
        double later = (1 + sqrt(1 + 4 * momentum * momentum)) / 2;
        for (size_t i = 0; i < n; i++) {
            f->extra[i] = f->next[i] + (momentum - 1) / later * (f->next[i] - f->w[i]);
            moved = fmax(moved, fabs(f->next[i] - f->w[i]));
            f->w[i] = f->next[i];
        }
        momentum = later;
        if (moved < DONE)
            break;
    }
}

static double mix(const struct fit *f, size_t t) {
    double sum = 0;
    for (size_t i = 0; i < f->donors; i++)
        sum += f->w[i] * f->y[f->donor[i] * f->periods + t];
    return sum;
}

/* Mean gap after the start, and the root mean squared gaps before and after. */
static double gaps(const struct fit *f, size_t treated, double *before, double *after) {
    double b = 0, a = 0, mean = 0, n = (double)(f->periods - f->start);
    for (size_t t = 0; t < f->periods; t++) {
        double gap = f->y[treated * f->periods + t] - mix(f, t);
        *(t < f->start ? &b : &a) += gap * gap;
        mean += t >= f->start ? gap / n : 0;
    }
    *before = sqrt(b / (double)f->start);
    *after = sqrt(a / n);
    return mean;
}

/* Donors: everybody but the treated unit and, in a placebo, the unit that plays its part. */
static double run_for(struct fit *f, size_t unit, double *before, double *after) {
    f->donors = 0;
    for (size_t u = 1; u < f->units; u++)
        if (u != unit)
            f->donor[f->donors++] = u;
    weights(f, unit);
    return gaps(f, unit, before, after);
}

static double ratio(double after, double before, double scale) {
    return after / fmax(before, 1e-9 * scale);
}

/* The value that one gap more would stay below with chance p. gap: [n] sorted. */
static double outer(const double *gap, size_t n, double p) {
    double at = p * (double)(n + 1) - 1;
    if (at < 0 || at > (double)(n - 1))
        return gsl_stats_mean(gap, 1, n) + gsl_cdf_tdist_Pinv(p, (double)n - 1) *
                                               gsl_stats_sd(gap, 1, n) * sqrt(1 + 1 / (double)n);
    size_t k = (size_t)at < n - 1 ? (size_t)at : n - 2;
    return gap[k] + (at - (double)k) * (gap[k + 1] - gap[k]);
}

static void placebos(struct fit *f, double own_ratio, double scale, double *gap,
                     bw_synthetic *out) {
    double as_large = 1, before, after;
    size_t n = f->units - 1;
    for (size_t u = 1; u < f->units; u++) {
        gap[u - 1] = run_for(f, u, &before, &after);
        as_large += ratio(after, before, scale) >= own_ratio;
    }
    out->p = as_large / (double)f->units;
    gsl_sort(gap, 1, n);
    out->lo = out->effect - outer(gap, n, 1 - TAIL);
    out->hi = out->effect - outer(gap, n, TAIL);
}

static bw_status estimate(struct fit *f, bw_synthetic *out, bw_err *err) {
    size_t m = f->units;
    double *block = calloc(5 * m + m * m, sizeof *block), *gap = malloc(m * sizeof *gap), after,
           scale = 0;
    f->donor = malloc(m * sizeof *f->donor);
    out->weight = malloc(m * sizeof(double));
    out->expected = malloc(f->periods * sizeof(double));
    if (!block || !gap || !f->donor || !out->weight || !out->expected) {
        free(block);
        free(gap);
        return bw_fail_memory(err);
    }
    f->w = block;
    f->next = block + m;
    f->extra = block + 2 * m;
    f->scratch = block + 3 * m;
    f->target = block + 4 * m;
    f->gram = block + 5 * m;
    out->effect = run_for(f, 0, &out->fit_error, &after);
    out->total = out->effect * (double)(f->periods - f->start);
    memcpy(out->weight, f->w, f->donors * sizeof *f->w);
    double expected = 0;
    for (size_t t = 0; t < f->periods; t++) {
        out->expected[t] = mix(f, t);
        expected += t >= f->start ? out->expected[t] / (double)(f->periods - f->start) : 0;
        scale = fmax(scale, fabs(f->y[t]));
    }
    out->relative = expected > 0 ? out->effect / expected : NAN;
    placebos(f, ratio(after, out->fit_error, scale), scale, gap, out);
    free(block);
    free(gap);
    return BW_OK;
}

bw_status bw_synthetic_fit(const double *y, size_t units, size_t periods, size_t start,
                           bw_synthetic *out, bw_err *err) {
    *out = (bw_synthetic){0};
    if (units < 4)
        return bw_fail(err, BW_EDATA,
                       "%zu untreated units; three are the least for a mix and its placebos",
                       units ? units - 1 : 0);
    if (start < 3 || start >= periods)
        return bw_fail(err, BW_EDATA,
                       "%zu periods before the start and %zu after it; three and one are the least",
                       start, periods > start ? periods - start : 0);
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < units * periods; i++) {
        lo = fmin(lo, y[i]);
        hi = fmax(hi, y[i]);
    }
    if (!(hi > lo))
        return bw_fail(err, BW_EDATA, "every value is %g: nothing can be told from nothing", lo);
    struct fit f = {.y = y, .units = units, .periods = periods, .start = start};
    bw_status st = estimate(&f, out, err);
    free(f.donor);
    if (st != BW_OK)
        bw_synthetic_free(out);
    return st;
}

void bw_synthetic_free(bw_synthetic *s) {
    free(s->weight);
    free(s->expected);
    *s = (bw_synthetic){0};
}
