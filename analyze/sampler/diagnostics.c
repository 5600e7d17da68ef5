/* analyze/sampler/diagnostics.c - see diagnostics.h. The autocorrelation of effective draws is summed with
 * Geyer's initial monotone sequence, so only as many lags are computed as are used. */
#include "analyze/sampler/diagnostics.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Half-chains one after the other: [2 * chains, n]; a middle draw of an odd chain is left out. */
typedef struct {
    double *x;
    size_t m, n;
} halves;

static halves split(const bw_chains *c) {
    size_t n = c->draws / 2;
    halves h = {malloc((2 * c->chains * n + 1) * sizeof(double)), 2 * c->chains, n};
    for (size_t k = 0; h.x && k < h.m; k++) {
        const double *from =
            c->x + (k / 2) * c->stride_chain + (k % 2 ? c->draws - n : 0) * c->stride;
        for (size_t i = 0; i < n; i++)
            h.x[k * n + i] = from[i * c->stride];
    }
    return h;
}

/* Normal scores of ranks, ties sharing their mean rank (Blom's 3/8). */
static bool rank_normalise(halves *h) {
    size_t S = h->m * h->n;
    size_t *order = malloc((S + 1) * sizeof *order);
    double *z = malloc((S + 1) * sizeof *z);
    if (!order || !z) {
        free(order);
        free(z);
        return false;
    }
    gsl_sort_index(order, h->x, 1, S);
    for (size_t i = 0, j; i < S; i = j) {
        for (j = i + 1; j < S && h->x[order[j]] == h->x[order[i]];)
            j++;
        double rank = 0.5 * (double)(i + 1 + j);
        for (size_t k = i; k < j; k++)
            z[order[k]] = gsl_cdf_ugaussian_Pinv((rank - 0.375) / ((double)S + 0.25));
    }
    free(order);
    free(h->x);
    h->x = z;
    return true;
}

static double quantile(const halves *h, double p) {
    size_t S = h->m * h->n;
    double *sorted = malloc((S + 1) * sizeof *sorted), q = NAN;
    for (size_t i = 0; sorted && i < S; i++)
        sorted[i] = h->x[i];
    if (sorted) {
        gsl_sort(sorted, 1, S);
        q = gsl_stats_quantile_from_sorted_data(sorted, 1, S, p);
    }
    free(sorted);
    return q;
}

/* Variance between and within half-chains, as their ratio (Gelman et al. 2013, eq. 11.3). */
static double plain_rhat(const halves *h) {
    double means = 0, squares = 0, within = 0;
    for (size_t k = 0; k < h->m; k++) {
        double mean = gsl_stats_mean(h->x + k * h->n, 1, h->n);
        means += mean;
        squares += mean * mean;
        within += gsl_stats_variance_m(h->x + k * h->n, 1, h->n, mean) / (double)h->m;
    }
    double m = (double)h->m, n = (double)h->n;
    double between = fmax(squares - means * means / m, 0.0) / (m - 1.0);
    return within > 0 ? sqrt((n - 1.0) / n + between / within) : NAN;
}

static double autocovariance(const double *x, size_t n, double mean, size_t lag) {
    double sum = 0;
    for (size_t i = 0; i + lag < n; i++)
        sum += (x[i] - mean) * (x[i + lag] - mean);
    return sum / (double)n;
}

typedef struct {
    const halves *h;
    double *mean, within, plus;
} correlogram;

static double rho(const correlogram *c, size_t lag) {
    double sum = 0;
    for (size_t k = 0; k < c->h->m; k++)
        sum += autocovariance(c->h->x + k * c->h->n, c->h->n, c->mean[k], lag);
    return 1.0 - (c->within - sum / (double)c->h->m) / c->plus;
}

/* Sum of the autocorrelations while pairs stay positive, each pair no larger than the one before. */
static double autocorrelation_time(const correlogram *c) {
    double tau = -1.0, previous = INFINITY, even = 1.0, odd = rho(c, 1);
    size_t lag = 0;
    while (lag + 5 < c->h->n && even + odd > 0) {
        double pair = fmin(even + odd, previous);
        tau += 2.0 * pair;
        previous = pair;
        lag += 2;
        even = rho(c, lag);
        odd = rho(c, lag + 1);
    }
    return tau + fmax(even, 0.0);
}

static double effective(const halves *h) {
    double m = (double)h->m, n = (double)h->n, means = 0, squares = 0;
    correlogram c = {h, malloc((h->m + 1) * sizeof(double)), 0, 0};
    if (!c.mean || h->n < 2) {
        free(c.mean);
        return NAN;
    }
    for (size_t k = 0; k < h->m; k++) {
        c.mean[k] = gsl_stats_mean(h->x + k * h->n, 1, h->n);
        means += c.mean[k];
        squares += c.mean[k] * c.mean[k];
        c.within += gsl_stats_variance_m(h->x + k * h->n, 1, h->n, c.mean[k]) / m;
    }
    c.plus = c.within * (n - 1.0) / n + fmax(squares - means * means / m, 0.0) / (m - 1.0);
    double ess = NAN;
    if (c.plus > 0 &&
        c.within > 0) /* antithetic chains may beat independence, but not without end */
        ess = m * n / fmax(autocorrelation_time(&c), 1.0 / log10(m * n));
    free(c.mean);
    return ess;
}

double bw_rhat(const bw_chains *c) {
    halves bulk = split(c), folded = split(c);
    double result = NAN;
    if (bulk.x && folded.x) {
        double median = quantile(&folded, 0.5);
        for (size_t i = 0; i < folded.m * folded.n; i++)
            folded.x[i] = fabs(folded.x[i] - median);
        if (rank_normalise(&bulk) && rank_normalise(&folded))
            result = fmax(plain_rhat(&bulk), plain_rhat(&folded));
    }
    free(bulk.x);
    free(folded.x);
    return result;
}

double bw_ess_bulk(const bw_chains *c) {
    halves h = split(c);
    double ess = h.x && rank_normalise(&h) ? effective(&h) : NAN;
    free(h.x);
    return ess;
}

static double ess_below(const bw_chains *c, double p) {
    halves h = split(c);
    double ess = NAN;
    if (h.x) {
        double q = quantile(&h, p);
        for (size_t i = 0; i < h.m * h.n; i++)
            h.x[i] = h.x[i] <= q;
        ess = effective(&h);
    }
    free(h.x);
    return ess;
}

double bw_ess_tail(const bw_chains *c) {
    double low = ess_below(c, 0.05), high = ess_below(c, 0.95);
    return fmin(low, high);
}

double bw_ess_mean(const bw_chains *c) {
    halves h = split(c);
    double ess = h.x ? effective(&h) : NAN;
    free(h.x);
    return ess;
}

double bw_mcse_mean(const bw_chains *c) {
    halves h = split(c);
    double error = NAN;
    if (h.x)
        error = gsl_stats_sd(h.x, 1, h.m * h.n) / sqrt(effective(&h));
    free(h.x);
    return error;
}
