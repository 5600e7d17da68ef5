/* analyze/table.h - a CSV file (plain or .gz) in memory, read by column name.
 *
 * For the statistics that run straight from a file. The first line names the columns; a byte-order
 * mark and CRLF are accepted, and so are ';' or a tab between cells. Spaces around a cell are dropped. Cells stay text until a column is asked for as numbers, days or
 * groups; each of those names file, line, column and value when a cell cannot be read. */
#ifndef BW_ANALYZE_TABLE_H
#define BW_ANALYZE_TABLE_H

#include "common/status.h"

#include <stddef.h>

typedef struct bw_table bw_table;

/* Reads path. On BW_OK *out is the caller's to free; otherwise *out is NULL. A row with fewer or
 * more cells than the header is an error, as is a file without rows. */
bw_status bw_table_load(const char *path, bw_table **out, bw_err *err);
void bw_table_free(bw_table *t); /* NULL is fine */

size_t bw_table_rows(const bw_table *t);
size_t bw_table_columns(const bw_table *t);
const char *bw_table_name(const bw_table *t, size_t column);             /* borrowed */
const char *bw_table_text(const bw_table *t, size_t row, size_t column); /* borrowed */

/* The column called name; the error lists the columns there are. */
bw_status bw_table_find(const bw_table *t, const char *name, size_t *column, bw_err *err);

/* The column as numbers, one a row; the caller frees. An empty cell is NAN, and so is
 * NA, N/A, NaN, null or a dot; true/false and yes/no
 * (any case) are 1 and 0; any other text is an error. */
bw_status bw_table_numbers(const bw_table *t, const char *name, double **out, bw_err *err);

/* As numbers, and an empty cell is an error too. */
bw_status bw_table_full_numbers(const bw_table *t, const char *name, double **out, bw_err *err);

/* The column as days since 1970-01-01, in one form throughout: ISO 'YYYY-MM-DD' (a time of day behind it
 * is cut off), Y/M/D, M/D/Y or D/M/Y where the column makes clear which, 'YYYY-MM', '2010Q4' or
 * 'Q4 2010' (their first day). A column of plain numbers is taken as it is, for data that count
 * periods. The caller frees. */
bw_status bw_table_days(const bw_table *t, const char *name, double **out, bw_err *err);

/* A column as groups: code[row] is an index into name, which is sorted by bytes. */
typedef struct {
    size_t n;          /* groups */
    size_t *code;      /* one a row */
    const char **name; /* borrowed from the table, valid until it is freed */
    size_t *count;     /* rows in each group */
} bw_groups;

bw_status bw_table_groups(const bw_table *t, const char *name, bw_groups *out, bw_err *err);
void bw_groups_free(bw_groups *g);
/* The index of the group called name, or g->n. */
size_t bw_groups_find(const bw_groups *g, const char *name);

/* Splits "a,b,c" at commas into names (at most max): spaces around them are dropped. *n is 0 for
 * NULL. The caller frees *copy, which the names point into. */
bw_status bw_split_names(const char *list, const char **names, size_t max, size_t *n, char **copy,
                         bw_err *err);

/* 'YYYY-MM-DD' to days since 1970-01-01; false when it is not a day of the calendar. */
bool bw_day_parse(const char *text, double *day);
/* The same, and Y/M/D, 'YYYY-MM' and '2010Q4' (their first day). */
bool bw_day_read(const char *text, double *day);
/* The other way; out holds "YYYY-MM-DD" and a NUL. */
void bw_day_format(double day, char out[11]);

#endif
