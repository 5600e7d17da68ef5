/* analyze/linear_serial.c - errors of a regression over time, whose rows hang together. */
#include "analyze/linear.h"

#include <math.h>
#include <stdlib.h>

#define MEMORY_MOST 0.9 /* more would leave nothing after whitening */

static double memory(const double *u, size_t n) {
    double own = 0, next = 0;
    for (size_t t = 0; t < n; t++) {
        own += u[t] * u[t];
        next += t ? u[t] * u[t - 1] : 0;
    }
    return own > 0 ? fmax(-MEMORY_MOST, fmin(MEMORY_MOST, next / own)) : 0;
}

/* Bartlett kernel, its bandwidth by the first autocorrelation (Andrews 1991, 6.2). */
static double bartlett(const double *v, size_t n) {
    double rho = memory(v, n), one = 1 - rho * rho;
    double width = 1 + 1.1447 * cbrt(4 * rho * rho / (one * one) * (double)n), sum = 0;
    for (size_t h = 0; h < n && (double)h < width; h++) {
        double product = 0;
        for (size_t t = h; t < n; t++)
            product += v[t] * v[t - h];
        sum += (h ? 2 : 1) * (1 - (double)h / width) * product;
    }
    return sum;
}

/* u is whitened by its first autocorrelation, and the variance of what is left coloured again: a kernel alone
 * falls short where errors go on (Andrews and Monahan 1992). u is overwritten. */
static double long_run_variance(double *u, size_t n) {
    double rho = memory(u, n);
    for (size_t t = n - 1; t > 0; t--)
        u[t] -= rho * u[t - 1];
    u[0] *= sqrt(1 - rho * rho);
    return bartlett(u, n) / ((1 - rho) * (1 - rho));
}

bool bw_ols_serial(const bw_ols_data *d, const bw_ols_fit *fit, const double *w, double level,
                   bw_contrast *out) {
    bw_contrast classic = bw_ols_contrast(fit, w, level);
    double *u = calloc(d->n, sizeof *u), left = (double)(d->n - d->p);
    if (!u)
        return false;
    for (size_t t = 0; t < d->n; t++) {
        for (size_t a = 0; a < d->p; a++)
            for (size_t b = 0; b < d->p; b++)
                u[t] += w[a] * fit->cov[a * d->p + b] * d->x[t * d->p + b];
        u[t] *= fit->residual[t] / (fit->sigma * fit->sigma);
    }
    double variance = (double)d->n / left * long_run_variance(u, d->n);
    free(u);
    *out =
        bw_t_interval(classic.estimate, fmax(classic.se, sqrt(fmax(variance, 0))), fit->df, level);
    return true;
}
