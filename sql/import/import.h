/* sql/import/import.h - a file into the database: one transaction, counted, logged, and checked.
 *
 * Order of work: the file's hash (a file that was imported with the same options is left alone), a
 * profile of its columns, the rows, the checks that need all rows, the log. Any error finding rolls
 * all of it back. */
#ifndef BW_SQL_IMPORT_H
#define BW_SQL_IMPORT_H

#include "common/sqlite.h"
#include "common/status.h"
#include "sql/import/findings.h"
#include "sql/import/sheet.h"
#include "sql/value.h"

typedef struct {
    const char *kind; /* a name of sql/import/kinds.h, or "wide" */
    const char *path;
    const char *name;    /* how the file is called in messages; NULL: its base name */
    const char *map;     /* "field=column,..." or NULL */
    const char *set;     /* "field=value,..." or NULL */
    const char *where;   /* "column=value,...": other rows are passed over; or NULL */
    const char *mapping; /* wide: the mapping as JSON text (sql/import/wide.h), or NULL */
    bw_sheet_options reading;
    bw_decimal decimal;  /* 0: judged */
    bw_date_order order; /* BW_ORDER_UNKNOWN: judged */
    bool sum;            /* add up rows with the same key */
    bool again;          /* even when this file was imported already */
    bool dry_run;        /* everything, then undone */
    bool allow_future;
    int today; /* days since 1970: what lies behind it is in the future */
} bw_import_job;

typedef struct {
    char sha256[65];
    bool already; /* nothing was done: this file was imported before */
    size_t rows_read, rows_new, rows_changed, rows_same;
    char first_day[11], last_day[11]; /* "" when the rows have no days */
    bw_findings findings;
} bw_import_report; /* start from {0}; bw_import_report_free */

/* BW_EDATA when the findings hold errors; they are in the report, err names the number of them. */
bw_status bw_import_run(sqlite3 *db, const bw_import_job *job, bw_import_report *report,
                        bw_err *err);
void bw_import_report_free(bw_import_report *r);

#endif
