/* analyze/experiment/bsts.h - what would have happened without it: Bayesian structural time series.
 *
 * Before the start: y_t = level_t + season_t + x_t'b + e_t, the level a random walk, b with a spike-and-slab
 * prior (Scott and Varian 2014; the priors are those of CausalImpact, Brodersen et al. 2015: level deviation
 * 0.01 sd(y) unless asked otherwise, expected R2 0.8, 50 prior degrees of freedom, three controls expected). Gibbs: the states
 * by the simulation smoother of Durbin and Koopman (2002), the variances by inverse gamma, the controls one
 * by one. From the start on the model runs without y; the effect is what happened minus that. */
#ifndef BW_ANALYZE_BSTS_H
#define BW_ANALYZE_BSTS_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t n, start; /* values; index of the first one with the treatment */
    size_t k;        /* controls */
    const double *y; /* [n], NAN = missing */
    const double *x; /* [n, k], none missing */
    size_t season;   /* periods in a season, 0 or 1 = none */
    double
        level_sd; /* prior guess of the level's step, in standard deviations of y; 0 = BW_IMPACT_LEVEL_SD */
} bw_impact_data;

typedef struct {
    double mean, lo, hi; /* 95 % */
} bw_range;

typedef struct {
    size_t periods;           /* n - start */
    double actual;            /* sum of y from the start on */
    bw_range predicted;       /* the same sum without the treatment */
    bw_range effect, average; /* cumulative; a period */
    bw_range relative;        /* share of the predicted sum */
    double p;           /* one-sided tail: chance of an effect this large when there is none */
    double placebo_p;   /* the same where nothing happened (last third of the time before) */
    bw_range *expected; /* [periods] y without the treatment */
    bw_range *point, *cumulative; /* [periods] */
    double *inclusion,
        *coef;       /* [k] probability that a control is used; its mean coefficient in y's unit */
    size_t constant; /* controls left out: they do not vary before the start */
    double r2;       /* of the time before, by level, season and controls */
    double
        autocorrelation; /* of what they leave: high where the level moves more than its prior allows */
} bw_impact;

/* On BW_OK free with bw_impact_free. BW_EDATA when fewer than BW_IMPACT_LEAST values come before the start,
 * none comes after it, or y does not vary before it. */
bw_status bw_impact_fit(const bw_impact_data *d, uint64_t seed, bw_impact *out, bw_err *err);
void bw_impact_free(bw_impact *r);
#define BW_IMPACT_LEAST    8u
#define BW_SEASON_MAX      53u
#define BW_IMPACT_LEVEL_SD 0.01 /* CausalImpact's prior.level.sd */

#endif
