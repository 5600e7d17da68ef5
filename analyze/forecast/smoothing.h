/* analyze/forecast/smoothing.h - the peers a forecast is held against.
 *
 * Seasonal naive: the value one season ago. Holt-Winters: additive level, damped trend and season with
 * the three weights that minimise the squared one-step error (Hyndman and Athanasopoulos 2021, 8.3). */
#ifndef BW_ANALYZE_SMOOTHING_H
#define BW_ANALYZE_SMOOTHING_H

#include <stddef.h>

/* out: [ahead]. A value missing one season ago is taken a season earlier; with less than one season
 * of data the last value is repeated. */
void bw_seasonal_naive(const double *y, size_t n, size_t season, size_t ahead, double *out);

/* out: [ahead]. With less than two seasons of data the season is left out. */
void bw_holt_winters(const double *y, size_t n, size_t season, size_t ahead, double *out);

#endif
