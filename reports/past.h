/* reports/past.h - what was estimated for the report of an earlier week is kept, so that the report can be
 * checked later without fitting again.
 *
 * Such a report rests on runs made in a copy of the database that knew nothing later (pipeline.h). The
 * copy goes away; its runs, estimates, curves and segments stay in table past_state, packed, one row a
 * day. Draws, by far the largest part, are not kept: no page reads them. */
#ifndef BW_REPORTS_PAST_H
#define BW_REPORTS_PAST_H

#include "common/sqlite.h"
#include "common/status.h"

/* Keeps what the copy holds of estimates in db, in place of what was kept for that day before. */
bw_status bw_past_keep(sqlite3 *copy, sqlite3 *db, const char *last_day, bw_err *err);

/* Puts what db keeps for that day into the copy, which holds no run yet (bw_stages_as_of). BW_EDATA:
 * nothing is kept for that day. */
bw_status bw_past_restore(sqlite3 *db, sqlite3 *copy, const char *last_day, bw_err *err);

#endif
