/* analyze/sentiment/lead.h - does the mood of reviews run ahead of sales, or behind them?
 *
 * Two weekly series are freed of what they may share without any link: trend, season (two harmonics
 * of the year) and the columns in `known` (what a fit credits to media, events and other controls), by
 * least squares each; then of their own memory, an AR(1) each (Haugh 1976, "Checking the independence
 * of two covariance-stationary time series"). What is left is correlated at every lag from -8 to 8
 * weeks. The p value is that of the strongest of them: blocks of the sentiment's residuals are shuffled
 * and the strongest correlation over all lags noted each time, so trying many lags is paid for. A
 * correlation found that way tells the order in time, not a cause; and picked as the strongest, it is
 * rather too large than too small. */
#ifndef BW_ANALYZE_LEAD_H
#define BW_ANALYZE_LEAD_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

#define BW_LEAD_MOST  8 /* weeks, either way */
#define BW_LEAD_LAGS  (2 * BW_LEAD_MOST + 1)
#define BW_LEAD_WEEKS 40 /* with both series known: the least */

typedef struct {
    size_t n;                          /* weeks in a row */
    const double *sentiment, *outcome; /* [n], NAN where not known */
    const double *known;               /* [n, columns], row by row; a week with a NAN is left out */
    size_t columns;                    /* of known; 0: known may be NULL. Each must vary */
} bw_lead_data;

typedef struct {
    double r, lo, hi; /* correlation, 90 % interval by Fisher's z; NAN: too few pairs */
    size_t pairs;     /* of weeks */
} bw_lead_lag;

typedef struct {
    int lead;         /* weeks by which sentiment runs ahead of the outcome; below 0: behind */
    double p;         /* of the strongest correlation, by permutation; at least 1 in 2000 */
    size_t weeks;     /* with both series known */
    double memory[2]; /* AR(1) taken out: sentiment, outcome */
    bw_lead_lag lag[BW_LEAD_LAGS]; /* lag[k + BW_LEAD_MOST]: sentiment k weeks before the outcome */
} bw_lead;

/* Deterministic for a seed. BW_EDATA with a sentence: fewer than BW_LEAD_WEEKS weeks with both, or a
 * series that has nothing left after trend, season and known. */
bw_status bw_lead_find(const bw_lead_data *d, uint64_t seed, bw_lead *out, bw_err *err);

#endif
