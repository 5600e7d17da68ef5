/* analyze/linear_serial.c - errors of a regression over time, whose rows hang together. */
#include "analyze/linear.h"

#include <math.h>
#include <stdlib.h>

/* Bandwidth of the Bartlett kernel by the first autocorrelation of u (Andrews 1991, 6.2). */
static double bandwidth(const double *u, size_t n) {
    double own = 0, next = 0;
    for (size_t t = 0; t < n; t++) {
        own += u[t] * u[t];
        next += t ? u[t] * u[t - 1] : 0;
    }
    double rho = own > 0 ? fmax(-0.97, fmin(0.97, next / own)) : 0;
    double alpha = 4 * rho * rho / ((1 - rho * rho) * (1 - rho * rho));
    return 1.1447 * cbrt(alpha * (double)n);
}

static double long_run_variance(const double *u, size_t n) {
    double width = bandwidth(u, n) + 1, sum = 0;
    for (size_t h = 0; h < n && (double)h < width; h++) {
        double product = 0;
        for (size_t t = h; t < n; t++)
            product += u[t] * u[t - h];
        sum += (h ? 2 : 1) * (1 - (double)h / width) * product;
    }
    return sum;
}

bool bw_ols_serial(const bw_ols_data *d, const bw_ols_fit *fit, const double *w, double level,
                   bw_contrast *out) {
    bw_contrast classic = bw_ols_contrast(fit, w, level);
    double *u = malloc(d->n * sizeof *u), left = (double)(d->n - d->p);
    if (!u)
        return false;
    for (size_t t = 0; t < d->n; t++) {
        u[t] = 0;
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
