/* reports/weeks.h - the weekly views, counted once a report.
 *
 * A report asks hundreds of queries of the views of weeks (weekly, channel_week, aspect_week, ...),
 * and each would count every day again. While they are held, a temporary table of the same name
 * stands before each view: the queries stay as they are written, and as the report shows them, and
 * give the same answers in a hundredth of the time. */
#ifndef BW_REPORTS_WEEKS_H
#define BW_REPORTS_WEEKS_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stdbool.h>

/* Holds the views as they are now, for this connection alone; works on a read-only one. *held: this
 * call did it (not an earlier one), so its caller releases. Rows must not change in between. */
bw_status bw_weeks_hold(sqlite3 *db, bool *held, bw_err *err);
void bw_weeks_release(sqlite3 *db);

#endif
