/* analyze/experiment/structural.h - a structural time series: trend that moves, seasons and events that do not.
 *
 * y_t = level_t + x_t'b + e_t,  level_t = level_(t-1) + slope_(t-1) + u_t,  slope_t = 0.98 slope_(t-1) + v_t,
 * b in block g ~ N(0, tau_g^2). Given the standard deviations the state (level, slope, b) is Gaussian
 * and the Kalman filter exact (Durbin and Koopman 2012, 4.3); the standard deviations have weak
 * lognormal priors, are found at their joint mode and drawn from the normal law around it. y is
 * standardised inside. A missing y is NAN. */
#ifndef BW_ANALYZE_STRUCTURAL_H
#define BW_ANALYZE_STRUCTURAL_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

#define BW_STRUCTURAL_BLOCKS 7u

typedef struct {
    size_t n, horizon, k;  /* times seen, times ahead, columns of x */
    const double *y;       /* [n] */
    const double *x;       /* [n + horizon, k] */
    const unsigned *block; /* [k], < BW_STRUCTURAL_BLOCKS */
} bw_structural_data;

typedef struct bw_structural bw_structural;

/* Fits to y[0 .. upto-1]. warm (or NULL): an earlier fit whose mode is the start. On BW_OK the caller
 * frees *out, which borrows d. Fails with BW_EDATA when fewer than BW_STRUCTURAL_LEAST values are there
 * or they do not vary. */
bw_status bw_structural_fit(const bw_structural_data *d, size_t upto, const bw_structural *warm,
                            bw_structural **out, bw_err *err);
void bw_structural_free(bw_structural *s);
#define BW_STRUCTURAL_LEAST 8u

/* paths: [thetas * each, ahead] future values (ahead <= n + horizon - upto): thetas draws of the
 * standard deviations, each with `each` paths. Deterministic for a seed. versions: NULL, or the values
 * seen [thetas, n] that each draw takes instead of y, where y itself is known up to a draw. */
bw_status bw_structural_paths(const bw_structural *s, size_t ahead, size_t thetas, size_t each,
                              uint64_t seed, const double *versions, double *paths, bw_err *err);

/* The next four run the filter again, with the fit's own state as their scratch: one thread at a time. */
/* One step ahead at the mode: expected: [upto], sd: [upto], from the values before each time. */
void bw_structural_one_step(bw_structural *s, double *expected, double *sd);

/* Posterior mean and covariance of b at the mode, in y's unit. mean: [k]; cov: [k, k]. */
void bw_structural_coef(bw_structural *s, double *mean, double *cov);
/* The same at draws of the standard deviations: how far b of a block scatter is itself uncertain where there
 * are few of them. mean: [thetas, k]; cov: [thetas, k, k]. */
bw_status bw_structural_coef_draws(bw_structural *s, size_t thetas, uint64_t seed, double *mean,
                                   double *cov, bw_err *err);

/* level: [upto] filtered level at the mode, in y's unit. */
void bw_structural_level(bw_structural *s, double *level);

#endif
