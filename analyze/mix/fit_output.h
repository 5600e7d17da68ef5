/* analyze/mix/fit_output.h - a stored fit, printed for people and for machines. */
#ifndef BW_ANALYZE_FIT_OUTPUT_H
#define BW_ANALYZE_FIT_OUTPUT_H

#include "common/sqlite.h"
#include "common/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

bw_status fit_print_table(sqlite3 *db, int64_t run, bw_err *err);
/* {"engine", "preset", ..., "channels": [...], "fit": {...}} on stdout. */
bw_status fit_print_json(sqlite3 *db, int64_t run, bw_err *err);

/* Why this fit says something else than the one before it; a line when that was not stored. */
bw_status fit_print_changes(sqlite3 *db, int64_t run, bw_err *err);
/* The same as an object: {"since_run", "new_periods", "revised": {series: periods}, "channels": [...]};
 * null when it was not stored. */
cJSON *fit_json_changes(sqlite3 *db, int64_t run);

/* {"mean", "sd", "p5", "p50", "p95"} of draws [n], which are sorted; null when none is finite. */
cJSON *fit_json_summary(double *draws, size_t n);

#endif
