/* analyze/forecast/forecast.h - where a series will land: fan, probability of a plan, backtest, anomalies.
 *
 * The structural model (structural.h) on the log where every value is positive, else as it is; its
 * columns are seasons by the calendar and whatever events and regressors the caller gives. With media
 * the base alone is forecast, each path beside one posterior draw of what the channels earn. Judged by
 * rolling origins against seasonal naive and Holt-Winters; a sample's CRPS as in Gneiting and Raftery
 * (2007). */
#ifndef BW_ANALYZE_FORECAST_H
#define BW_ANALYZE_FORECAST_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

/* What the channels earned and will earn with the spend that is planned, draw by draw: taken off the
 * series before the base is forecast, and put back on with the spend to come. */
typedef struct {
    size_t draws;         /* 0: none */
    double *seen, *ahead; /* [draws, n], [draws, horizon]; owned */
} bw_media;

/* A series on an even grid of days (step 1, 7, ...), months (step 0) or plain periods (calendar false). */
typedef struct {
    size_t n, horizon;
    double first;   /* day of the first value, or its number */
    int step;       /* days; 0 = calendar months */
    bool calendar;  /* first is a day since 1970-01-01 */
    size_t season;  /* plain periods in a season, 0 = none; the calendar gives its own */
    double *y;      /* [n], NAN = missing; owned */
    size_t extra;   /* columns given: events, then regressors */
    double *x;      /* [n + horizon, extra]; owned */
    bool *is_event; /* [extra]; owned */
    char **name;    /* [extra]; owned */
    bw_media media;
} bw_series;
void bw_series_free(bw_series *s);

/* Day (or number) of the t-th value. */
double bw_series_at(const bw_series *s, size_t t);

typedef struct {
    double mean, sd, median, q[6]; /* q: 2.5, 10, 25, 75, 90, 97.5 % */
    double lo90, hi90;             /* 5 and 95 % */
} bw_fan;
typedef struct {
    double mape, wmape, mae;
} bw_errors;
typedef struct {
    size_t at;
    double actual, expected, p; /* two-sided tail of the one-step forecast */
} bw_anomaly;

typedef struct {
    bool log_scale, yearly;
    bw_fan *fan;   /* [horizon] */
    double *paths; /* [n_paths, horizon] */
    size_t n_paths;
    size_t origins, backtest_ahead; /* 0: too short to be judged */
    bw_errors ours, naive, holt_winters;
    double crps, crps_naive, cover50, cover80, cover95;
    bw_anomaly *anomaly; /* [anomalies], oldest first, p < BW_ANOMALY_P */
    size_t anomalies;
    double *extra_mean, *extra_sd; /* [extra] coefficients, on the log scale where log_scale */
} bw_forecast;
#define BW_ANOMALY_P 0.01

/* On BW_OK free with bw_forecast_free. */
bw_status bw_forecast_fit(const bw_series *s, bool backtest, uint64_t seed, bw_forecast *out,
                          bw_err *err);
void bw_forecast_free(bw_forecast *f);

/* Share of paths whose sum over the first ahead values reaches plan. */
double bw_forecast_reaches(const bw_forecast *f, size_t horizon, size_t ahead, double plan);
/* Mean and 90 % interval of the sum over the first ahead values. */
void bw_forecast_total(const bw_forecast *f, size_t horizon, size_t ahead, double *mean, double *lo,
                       double *hi);

#endif
