/* analyze/experiment/resample.c - the bootstrap of a difference of means, and shrinkage of many estimates. */
#include "analyze/experiment/ab.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#define REPLICATES_MAX 2000u
#define REPLICATES_MIN 400u
#define DRAWS          2e7 /* budget an arm: replicates = DRAWS / values that are not zero */
#define GRID           200 /* points of the prior for the spread between estimates */

/* means[r]: mean of n draws with replacement. Money is mostly zeros: how many of the n draws hit a
 * value that is not zero is one binomial draw, and only those are drawn one by one. */
static void resample(const double *values, size_t filled, size_t n, gsl_rng *rng, double *means,
                     size_t replicates) {
    double share = (double)filled / (double)n;
    for (size_t r = 0; r < replicates; r++) {
        unsigned k = gsl_ran_binomial(rng, share, (unsigned)n);
        double sum = 0;
        for (unsigned i = 0; i < k; i++)
            sum += values[gsl_rng_uniform_int(rng, filled)];
        means[r] = sum / (double)n;
    }
}

static size_t without_zeros(const double *y, size_t n, double *out) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (y[i] != 0)
            out[k++] = y[i];
    return k;
}

void bw_ab_bootstrap(const double *arm, size_t n, const double *control, size_t n_control,
                     uint64_t seed, double *lo, double *hi) {
    *lo = *hi = NAN;
    double *a = malloc((n + 1) * sizeof *a), *c = malloc((n_control + 1) * sizeof *c);
    double *means = malloc(2 * REPLICATES_MAX * sizeof *means);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    if (a && c && means && rng) {
        size_t na = without_zeros(arm, n, a), nc = without_zeros(control, n_control, c);
        double wanted = DRAWS / (double)(na + nc + 1);
        size_t b = wanted < REPLICATES_MIN   ? REPLICATES_MIN
                   : wanted > REPLICATES_MAX ? REPLICATES_MAX
                                             : (size_t)wanted;
        gsl_rng_set(rng, (unsigned long)(seed + 1));
        resample(a, na, n, rng, means, b);
        resample(c, nc, n_control, rng, means + b, b);
        for (size_t r = 0; r < b; r++)
            means[r] -= means[b + r];
        gsl_sort(means, 1, b);
        *lo = gsl_stats_quantile_from_sorted_data(means, 1, b, 0.025);
        *hi = gsl_stats_quantile_from_sorted_data(means, 1, b, 0.975);
    }
    if (rng)
        gsl_rng_free(rng);
    free(a);
    free(c);
    free(means);
}

/* Given the spread tau between them: the common mean, its variance and log p(tau | estimates). */
static double given_spread(const double *e, const double *se, size_t n, double tau, double *mu,
                           double *var) {
    double sw = 0, swe = 0, log_p = 0;
    for (size_t i = 0; i < n; i++) {
        double w = 1 / (se[i] * se[i] + tau * tau);
        sw += w;
        swe += w * e[i];
    }
    *mu = swe / sw;
    *var = 1 / sw;
    for (size_t i = 0; i < n; i++) {
        double v = se[i] * se[i] + tau * tau;
        log_p -= 0.5 * log(v) + 0.5 * (e[i] - *mu) * (e[i] - *mu) / v;
    }
    return log_p + 0.5 * log(*var);
}

/* Spread of the estimates about their mean: the scale of the grid over tau. */
static double raw_spread(const double *e, const double *se, size_t n) {
    double mean = 0, s = 0, least = INFINITY;
    for (size_t i = 0; i < n; i++)
        mean += e[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        s += (e[i] - mean) * (e[i] - mean);
        least = fmin(least, se[i]);
    }
    return fmax(n > 1 ? sqrt(s / (double)(n - 1)) : 0, least);
}

void bw_shrink(const double *e, const double *se, size_t n, double *mean, double *sd) {
    double log_p[GRID], top = -INFINITY, total = 0, mu, var;
    double widest = 3 * raw_spread(e, se, n);
    for (int k = 0; k < GRID; k++) {
        log_p[k] = given_spread(e, se, n, widest * (k + 0.5) / GRID, &mu, &var);
        top = fmax(top, log_p[k]);
    }
    for (size_t i = 0; i < n; i++)
        mean[i] = sd[i] = 0;
    for (int k = 0; k < GRID; k++) {
        double p = exp(log_p[k] - top), tau = widest * (k + 0.5) / GRID;
        given_spread(e, se, n, tau, &mu, &var);
        total += p;
        for (size_t i = 0; i < n; i++) {
            double keep = tau * tau / (tau * tau + se[i] * se[i]);
            double m = keep * e[i] + (1 - keep) * mu;
            double v = keep * se[i] * se[i] + (1 - keep) * (1 - keep) * var;
            mean[i] += p * m;
            sd[i] += p * (v + m * m);
        }
    }
    for (size_t i = 0; i < n; i++) {
        mean[i] /= total;
        sd[i] = sqrt(fmax(0, sd[i] / total - mean[i] * mean[i]));
    }
}
