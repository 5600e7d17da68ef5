/* analyze/experiment/switchback.h - a treatment switched on and off over time, with carry-over.
 *
 * y_t = a + b_0 d_t + b_1 d_(t-1) + ... + b_L d_(t-L) + noise; the total effect of being on all the time is the
 * sum of the b (Bojinov, Simchi-Levi, Zhao 2023; the distributed-lag reading of it). The first L periods
 * are dropped. Covariances of the lags count: their sum is surer than they look one by one. */
#ifndef BW_ANALYZE_SWITCHBACK_H
#define BW_ANALYZE_SWITCHBACK_H

#include "common/status.h"

#include <stddef.h>

#define BW_LAGS_MAX 30u

typedef struct {
    double effect, se, lo, hi, p; /* of being on all the time, 95 % */
    double lag[BW_LAGS_MAX + 1], lag_se[BW_LAGS_MAX + 1];
    double sum[BW_LAGS_MAX + 1], sum_se[BW_LAGS_MAX + 1]; /* of the lags up to this one */
    double naive;                                         /* mean while on minus mean while off */
    size_t used;                                          /* periods behind it */
} bw_switchback;

/* Errors allow for noise that goes on from period to period (bw_ols_serial).
 * y, on: [n] in the order of time; on is 0 or 1. BW_EDATA when too short, or never switched. */
bw_status bw_switchback_fit(const double *y, const double *on, size_t n, size_t lags,
                            bw_switchback *out, bw_err *err);

#endif
