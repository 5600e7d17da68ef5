/* analyze/mix/scenario.h - what the paid channels earn week by week under a given spend, draw by draw:
 * the part of a forecast that the budget decides.
 *
 * Past and future go through the same curves of the newest fit, so that what is wrong with a curve's
 * height in a draw cancels between them. Geos have curves of their own, and spend to come is spread over
 * them as spend was. Carry-over runs across the border. */
#ifndef BW_ANALYZE_SCENARIO_H
#define BW_ANALYZE_SCENARIO_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t fit;                  /* run the curves are of */
    long first;                   /* day on which the first week begins */
    size_t past, ahead, draws, n; /* weeks seen, weeks to come, posterior draws, paid channels */
    char **channel;               /* [n] */
    double *now;                  /* [n] money a week, mean of the last four weeks */
    double *spend;                /* [n, ahead] money a week to come; starts as `now` */
    double *seen, *as_now,
        *planned; /* [draws, past], [draws, ahead], [draws, ahead] money a week */
} bw_scenario;

/* Fills spend [n, ahead] of what is known to be planned; called between the two halves of a load.
 * week: day on which the first week to come begins. */
typedef bw_status bw_spend_fill(void *context, bw_scenario *s, long week, bw_err *err);

/* BW_EDATA when there is no up-to-date fit. On BW_OK free with bw_scenario_free. */
bw_status bw_scenario_load(sqlite3 *db, size_t ahead, size_t draws, bw_spend_fill *fill,
                           void *context, bw_scenario *out, bw_err *err);
void bw_scenario_free(bw_scenario *s);

#endif
