/* sql/import/sheet.h - a text file as rows and columns: CSV of any separator, or JSON lines.
 *
 * The first row of a CSV names the columns; of JSON lines the columns are the keys of the first
 * objects. Every cell is text; the reader knows nothing of what it means. */
#ifndef BW_SQL_SHEET_H
#define BW_SQL_SHEET_H

#include "common/status.h"
#include "sql/import/findings.h"

#include <stddef.h>

typedef struct {
    const char *text; /* UTF-8, NUL-terminated */
    size_t len;
} bw_cell;

typedef struct {
    long line; /* where it begins in the file, from 1 */
    size_t n;  /* cells; may differ from the number of columns */
    const bw_cell *cells;
} bw_row;

typedef struct {
    const char *encoding; /* iconv name, NULL: judged */
    char separator;       /* 0: judged */
    long skip;            /* lines above the header */
} bw_sheet_options;

typedef struct bw_sheet bw_sheet;

/* Opens path and reads its header. An empty file, a header alone is found out by the reader of the
 * rows; a file without a header line (its first row holds numbers) is an error finding. On BW_OK,
 * *out is the caller's to close. */
bw_status bw_sheet_open(const char *path, const bw_sheet_options *options, bw_findings *findings,
                        bw_sheet **out, bw_err *err);

size_t bw_sheet_columns(const bw_sheet *t);
const char *bw_sheet_column(const bw_sheet *t, size_t i); /* borrowed */
char bw_sheet_separator(const bw_sheet *t);               /* '{' for JSON lines */

/* The next row, borrowed until the next call; *row is NULL at the end. Lines without content are
 * passed over. A line that is no valid UTF-8 or no JSON object becomes an error finding and is
 * passed over too. */
bw_status bw_sheet_next(bw_sheet *t, const bw_row **row, bw_err *err);
bw_status bw_sheet_rewind(bw_sheet *t, bw_err *err); /* to the first row below the header */

/* Findings go to f from now on; returns where they went before. For a first look at the rows, which
 * are read and reported later. */
bw_findings *bw_sheet_report_to(bw_sheet *t, bw_findings *f);

size_t bw_sheet_size(const bw_sheet *t); /* bytes on the disk, and of them read so far */
size_t bw_sheet_done(const bw_sheet *t);
void bw_sheet_close(bw_sheet *t); /* NULL is fine */

#endif
