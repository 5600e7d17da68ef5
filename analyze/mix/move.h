/* analyze/mix/move.h - what spending differently is worth, under the newest fit: how advice of the
 * past is measured against what was done. */
#ifndef BW_ANALYZE_MOVE_H
#define BW_ANALYZE_MOVE_H

#include "analyze/summary.h"
#include "common/sqlite.h"
#include "common/status.h"

/* Money a week, at steady state, that spending now[i] a week on channel[i] earns more than spending
 * was[i]; the other channels as they are. Channels the fit does not know count nothing. The interval
 * comes from the posterior draws of the difference: what both sides share cancels.
 * BW_EDATA when there is no up-to-date fit. */
bw_status bw_move_value(sqlite3 *db, const char *const *channel, const double *was,
                        const double *now, size_t n, bw_summary *out, bw_err *err);

#endif
