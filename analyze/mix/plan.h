/* analyze/mix/plan.h - the best budget from the newest fit: `bellwether plan`.
 *
 * Spend of each channel in each of the next weeks, what has been spent before and what still works after
 * the last of them counted; in every geo by its own curve. One run of kind 'plan' is stored: names as in
 * store.h, and spend_week (channel, week), gap ('': distance to a bound no allowed plan exceeds, part of
 * what the spend earns), extrapolated (channel: largest planned week over the most ever spent in a week,
 * where above 1), total_now and total_planned. Of an outcome that is counted, a gain is in its unit, and
 * whether it pays is known only with a target_cpa. */
#ifndef BW_ANALYZE_PLAN_H
#define BW_ANALYZE_PLAN_H

#include "common/buf.h"
#include "common/sqlite.h"
#include "common/status.h"

#include <stdint.h>

typedef struct {
    long weeks;         /* horizon, 1..52 */
    const char *total;  /* "12000" money a week or "110%" of now; NULL = as now */
    const char *limits; /* "search=1000:2000,email=80%:120%,tv=fixed,radio=:5000", or NULL */
    const char *groups; /* "online=search+email:0:9000", by comma, or NULL */
    double change; /* a channel changes by at most this per cent of now, unless limited above */
    double ramp;   /* per cent of now by which spend may change from week to week; 0 = at once */
    double beyond; /* spend may reach this multiple of the most ever spent in a week */
    double target_roas; /* > 0: spend as much as returns at least this; for an outcome in money */
    double
        target_cpa; /* > 0: as much as an order costs at most this; for an outcome that is counted */
    double goal;    /* > 0: the least spend that earns this much more a week than now */
    const char
        *risk; /* "mean", "q10" (10 % quantile of the gain), "cvar10" (mean of its worst 10 %) */
    bool force;
} bw_plan_options;

bw_plan_options bw_plan_defaults(void);

/* Plans unless an up-to-date plan with these options exists. BW_EARG for limits that cannot hold
 * together, which are named; BW_EDATA when there is no up-to-date fit. */
bw_status bw_plan_run(sqlite3 *db, const bw_plan_options *o, int64_t *run, bool *fresh,
                      bw_err *err);

#endif
