/* reports/pipeline.h - the stages between raw rows and a report, run when they are out of date. */
#ifndef BW_REPORTS_PIPELINE_H
#define BW_REPORTS_PIPELINE_H

#include "common/buf.h"
#include "common/sqlite.h"
#include "common/status.h"

/* Runs each stage in order. A stage that the data cannot feed (BW_EDATA) is passed over and its
 * sentence added to notes, a line each; any other failure ends the run. Stages that are up to date
 * cost nothing. */
bw_status bw_stages_run(sqlite3 *db, bw_buf *notes, bw_err *err);

/* A copy of the database as it was known at the end of a day: later rows are gone, and so is all that
 * was estimated. *copy is an open temporary database that leaves no file. */
bw_status bw_stages_as_of(sqlite3 *db, const char *last_day, sqlite3 **copy, bw_err *err);

/* Carries the advice of one week from the copy to the database. */
bw_status bw_stages_keep_advice(sqlite3 *copy, sqlite3 *db, const char *week, bw_err *err);

#endif
