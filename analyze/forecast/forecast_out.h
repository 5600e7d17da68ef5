/* analyze/forecast/forecast_out.h - a forecast as JSON and as text, for the command and the stored run. */
#ifndef BW_ANALYZE_FORECAST_OUT_H
#define BW_ANALYZE_FORECAST_OUT_H

#include "analyze/forecast/forecast.h"
#include "analyze/output.h"

/* What should be reached from the period that starts on first (day) to that of last, both included. */
typedef struct {
    double amount, first, last; /* amount NAN: no plan */
} bw_plan;
/* "AMOUNT FROM UNTIL"; false when it is not that. */
bool bw_plan_parse(const char *text, bw_plan *plan);

typedef struct {
    double reached;      /* by the periods seen */
    double mean, lo, hi; /* total at the end, 90 % */
    double probability;  /* that the plan is reached */
    size_t ahead;        /* periods of the plan that lie ahead */
} bw_plan_result;
/* Fails with BW_EARG when the plan ends beyond the horizon or before the data. */
bw_status bw_plan_judge(const bw_series *s, const bw_forecast *f, const bw_plan *plan,
                        bw_plan_result *out, bw_err *err);

/* The label of a period: its day, or its number. */
void bw_series_label(const bw_series *s, size_t t, char out[24]);

cJSON *bw_backtest_json(const bw_forecast *f); /* null when there was none */
void bw_forecast_notes(const bw_series *s, const bw_forecast *f, bw_notes *notes);

#endif
