/* analyze/factors.h - how a rate depends on categories (month, weekday, channel, ...) and numbers.
 *
 * Mixed logistic regression (glmm.h): each factor a block of levels that shrink together, each number
 * standardised and fixed. A level's index is its rate over the mean of the levels, all else held at its
 * mean. Judged out of sample: fifths of the rows, each scored by a fit to the others. */
#ifndef BW_ANALYZE_FACTORS_H
#define BW_ANALYZE_FACTORS_H

#include "analyze/summary.h"
#include "common/status.h"

#include <stdint.h>

typedef struct {
    size_t n, factors, numbers;
    const double *successes, *trials;
    const size_t *const *code;   /* [factors][n] */
    const size_t *levels;        /* [factors] */
    const double *const *number; /* [numbers][n] */
} bw_factor_data;

typedef struct {
    double n, raw; /* trials and raw rate of the level */
    bw_summary index;
    double p_best;
} bw_level;

typedef struct {
    bw_level **level;  /* [factors][levels] */
    bw_summary *slope; /* [numbers] change of log odds per standard deviation */
    size_t factors;
    double auc,
        auc_seen; /* out of sample and on the rows fitted; NAN when a row is not one trial */
} bw_factors;

/* On BW_OK free with bw_factors_free. */
bw_status bw_factors_fit(const bw_factor_data *d, uint64_t seed, bw_factors *out, bw_err *err);
void bw_factors_free(bw_factors *f);

#endif
