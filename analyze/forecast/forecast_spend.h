/* analyze/forecast/forecast_spend.h - the spend that is planned, through the mix model's curves, into a forecast. */
#ifndef BW_ANALYZE_FORECAST_SPEND_H
#define BW_ANALYZE_FORECAST_SPEND_H

#include "analyze/forecast/forecast.h"
#include "analyze/mix/scenario.h"
#include "analyze/output.h"

/* Gives s (weeks, from bw_series_from_db) what the channels earned and will earn under spend:
 * "now" (as in the last four weeks), "plan" (the newest plan; after its last week its mean), or a CSV file
 * with the columns day (or week), channel, cost: within the weeks it names, a channel it names and
 * leaves out spends nothing; all else is as now. On BW_OK the caller frees *out. measure must be what
 * the newest fit explains; fails with BW_EDATA without an up-to-date fit. */
bw_status bw_series_add_spend(sqlite3 *db, const char *measure, const char *spend, bw_series *s,
                              bw_scenario *out, bw_notes *notes, bw_err *err);

/* Money more than with spend as now over the weeks first .. last - 1 ahead, a value a draw: [draws]. */
void bw_scenario_more(const bw_scenario *s, size_t first, size_t last, double *more);

#endif
