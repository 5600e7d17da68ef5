/* analyze/run_output.h - stored runs (store.h) for machines and people, shared by the commands. */
#ifndef BW_ANALYZE_RUN_OUTPUT_H
#define BW_ANALYZE_RUN_OUTPUT_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

/* A run as JSON {"kind", "run", "diagnostics", "estimates": [{"name", "subject", "at", "mean", "sd", "lo",
 * "hi", "probability", "n", "unit"}]} on stdout. also: NULL, or a kind that the same stage stores beside it:
 * its run from the same rows is added as an object of that name, where there is one. */
bw_status bw_run_json(sqlite3 *db, int64_t run, const char *also, bw_err *err);

/* The notes of a run, "note: ..." on stderr. */
bw_status bw_run_print_notes(sqlite3 *db, int64_t run, bw_err *err);

/* Prints a row of a query; number: 0 for the first. */
typedef void (*bw_row_line)(sqlite3_stmt *row, size_t number, void *arg);
/* Calls line for each row of sql, whose ?1 (if any) is run; *shown (or NULL): how many there were. */
bw_status bw_run_rows(sqlite3 *db, int64_t run, const char *sql, bw_row_line line, void *arg,
                      size_t *shown, bw_err *err);
/* A column of a row: NAN, or "", where it is NULL. */
double bw_row_number(sqlite3_stmt *row, int column);
const char *bw_row_text(sqlite3_stmt *row, int column);

#endif
