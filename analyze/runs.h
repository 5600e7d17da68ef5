/* analyze/runs.h - the estimates other than channel effects, as stages of the report.
 *
 * Each reads the database, estimates, and stores one model_run with its rows (store.h names them) in
 * one transaction. When the newest run of the kind used the same rows and options, nothing is done
 * and *run is that run, unless force. Fails with BW_EDATA and a sentence when the data cannot answer
 * the question; the database is then as it was. Sentences that qualify a result are kept in the
 * run's diagnostics as JSON {"notes": [...]}. */
#ifndef BW_ANALYZE_RUNS_H
#define BW_ANALYZE_RUNS_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stdint.h>

/* Kinds timing and content, from message. metric: "orders", "clicks", "opens", "revenue", or NULL =
 * the first of the former three with enough of them. window: hours. *run is the timing run. */
bw_status bw_timing_run(sqlite3 *db, const char *metric, int window, bool force, int64_t *run,
                        bw_err *err);
#define BW_TIMING_WINDOW 2 /* hours, unless asked otherwise */

/* Kinds forecast and anomaly, from outcome. measure: "revenue", "orders" or "units"; horizon: weeks.
 * The plan is the setting plan.<measure>, "AMOUNT FROM UNTIL" (days), when there is one. *run is the
 * forecast run; the reasons of anomalies are in the anomaly run's diagnostics, {"anomalies": [{"week",
 * "actual", "expected", "p", "reason"}]}, the backtest in the forecast's, {"backtest": {...}}. */
bw_status bw_forecast_run(sqlite3 *db, const char *measure, int horizon, bool force, int64_t *run,
                          bw_err *err);
/* Kind scenario: the same with the spend of the weeks ahead given, "plan", "now" or a CSV file (see
 * forecast_spend.h); its rows have that name as their subject. Needs an up-to-date fit. */
bw_status bw_forecast_spend_run(sqlite3 *db, const char *measure, int horizon, const char *spend,
                                bool force, int64_t *run, bw_err *err);
#define BW_FORECAST_WEEKS 13 /* a quarter, unless asked otherwise */

/* Kinds price and promotion, from outcome, event and context. *run is the price run, or the promotion
 * run when prices cannot be judged; both are tried, and what could not be said is in the notes. Fails
 * with BW_EDATA when neither can be judged. */
bw_status bw_price_run(sqlite3 *db, bool force, int64_t *run, bw_err *err);

/* Kind segment, from purchase; table customer_segment is made anew. */
bw_status bw_segment_run(sqlite3 *db, bool force, int64_t *run, bw_err *err);
#define BW_LIFETIME_WEEKS 52.0
#define BW_DISCOUNT       0.1 /* a year */

/* Kind sentiment, from review_score, outcome and the newest fit: do reviews run ahead of sales? */
bw_status bw_sentiment_run(sqlite3 *db, bool force, int64_t *run, bw_err *err);

/* Kind experiment, from experiment and experiment_arm, and the newest fit for what to test next. */
bw_status bw_experiment_run(sqlite3 *db, bool force, int64_t *run, bw_err *err);

#endif
