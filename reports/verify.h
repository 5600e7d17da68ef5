/* reports/verify.h - is a written report still what its database says?
 *
 * Each fact's query runs again and its answer is compared; each number of the page is read as a
 * reader reads it and held against its fact, as rounded as it is written; numbers outside of links
 * are refused; each chart is built again and its table, title and every label in the picture
 * compared. The database is only read. A report of an earlier week (`report --week`) is held against the
 * estimates that were kept for it (past.h), which say BW_EDATA when they are gone. */
#ifndef BW_REPORTS_VERIFY_H
#define BW_REPORTS_VERIFY_H

#include "common/buf.h"
#include "common/sqlite.h"
#include "common/status.h"

#include <stdbool.h>

typedef struct {
    size_t facts, numbers, charts, labels; /* checked */
    size_t mismatches;
    bw_buf report; /* one line a mismatch; the caller frees */
} bw_verify;

/* folder: as written by `report --out`. refit: make an earlier week's estimates again instead. BW_OK also
 * when something does not match: see mismatches. */
bw_status bw_verify_run(sqlite3 *db, const char *folder, bool refit, bw_verify *out, bw_err *err);

#endif
