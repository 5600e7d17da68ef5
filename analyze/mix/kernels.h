/* analyze/mix/kernels.h - the loops over time that a mix model spends its life in.
 *
 * Every n is a multiple of BW_LANES; callers pad with zeros. Sums run in BW_LANES lanes that are
 * added in a fixed order and nothing is contracted, so a result has the same bits whichever
 * instruction set the machine has. Arrays need no alignment. */
#ifndef BW_ANALYZE_KERNELS_H
#define BW_ANALYZE_KERNELS_H

#include <stddef.h>

#define BW_LANES 8
/* What Hill and power take for nothing spent: they have an infinite slope or logarithm at 0. Media are
 * scaled to about 1, so this is far below any spend. */
#define BW_SMALLEST 1e-9

/* n rounded up to whole lanes. */
size_t bw_lanes_up(size_t n);

/* a[t] = sum_l w[l] x[t-l], l < lags. x[-lags+1] .. x[-1] must exist: the periods before the first. */
void bw_k_convolve(double *a, const double *x, const double *w, size_t lags, size_t n);
/* c[l] += sum_t g[t] x[t-l]: the gradient of the above with respect to w. */
void bw_k_correlate(double *c, const double *g, const double *x, size_t lags, size_t n);

double bw_k_dot(const double *a, const double *b, size_t n);
double bw_k_sum(const double *a, size_t n);
void bw_k_axpy(double *y, double b, const double *x, size_t n); /* y += b x */

/* y = sum_c b[c] x_c, c < count, x_c at x + c * stride. */
void bw_k_mix(double *y, const double *b, const double *x, size_t stride, size_t count, size_t n);
void bw_k_add_product(double *y, const double *a, const double *b, size_t n); /* y += a b, each */

/* s = tanh(k a / 2) = (1 - e^-ka) / (1 + e^-ka), for a >= 0. */
void bw_k_tanh(double *s, const double *a, double k, size_t n);
/* s = 1 / (1 + (a / half)^-slope). */
void bw_k_hill(double *s, const double *a, double half, double slope, size_t n);
/* s = a / (half + a). */
void bw_k_michaelis(double *s, const double *a, double half, size_t n);
/* s = a^power. */
void bw_k_power(double *s, const double *a, double power, size_t n);
/* out = log a, a > 0. */
void bw_k_log(double *out, const double *a, size_t n);

/* g = b e + c live: the gradient that reaches a saturation. */
void bw_k_affine(double *g, double b, const double *e, double c, const double *live, size_t n);

/* Gradients through the saturations: g := g ds/da in place. What is returned, or left in *shape, is the
 * gradient with respect to the parameter: k of tanh, half of michaelis, half and slope of hill, the
 * power of power. */
double bw_k_tanh_back(double *g, const double *s, const double *a, double k, size_t n);
double bw_k_michaelis_back(double *g, const double *s, double half, size_t n);
double bw_k_hill_back(double *g, const double *s, const double *a, double half, double slope,
                      double *shape, size_t n);
double bw_k_power_back(double *g, const double *s, const double *a, double power, size_t n);

/* e = w (y - mu); returns sum e (y - mu). */
double bw_k_residual(double *e, const double *y, const double *mu, const double *w, size_t n);

#endif
