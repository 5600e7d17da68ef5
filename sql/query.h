/* sql/query.h - ad-hoc SQL: prepared safely, its errors explained, its result in memory. */
#ifndef BW_SQL_QUERY_H
#define BW_SQL_QUERY_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stddef.h>
#include <stdio.h>

/* Prepares the first statement of sql; *rest is what follows it (NULL is fine: then nothing may
 * follow). Without write, a statement that would change anything is refused; reading other files
 * (ATTACH) is refused always. An unknown table or column is answered with the names that are near.
 * Finalize with sqlite3_finalize. *out is NULL when there was nothing but blanks and comments. */
bw_status bw_query_prepare(sqlite3 *db, const char *sql, bool write, sqlite3_stmt **out,
                           const char **rest, bw_err *err);

typedef enum {
    BW_CELL_NULL,
    BW_CELL_INTEGER,
    BW_CELL_REAL,
    BW_CELL_TEXT,
    BW_CELL_BLOB
} bw_cell_type;

typedef struct {
    bw_cell_type type;
    double number; /* INTEGER and REAL */
    char *text;    /* as SQLite writes it, UTF-8; of a BLOB "(blob, 12 bytes)"; NULL for NULL */
} bw_query_cell;

typedef struct {
    size_t n_columns, n_rows;
    char **names;
    bw_query_cell *cells; /* [n_rows][n_columns] */
} bw_query_result;

/* Runs a prepared statement to its end. On BW_OK the result is the caller's to free. */
bw_status bw_query_collect(sqlite3_stmt *s, bw_query_result **out, bw_err *err);
void bw_query_free(bw_query_result *r); /* NULL is fine */

/* "sql --plot KIND": set by the room that draws. kind is line, bar or scatter; path is the file to
 * write (its ending names the format). NULL in a program without charts. */
typedef bw_status bw_query_plotter(const bw_query_result *r, const char *kind, const char *path,
                                   const char *title, bw_err *err);
extern bw_query_plotter *bw_query_plot;

#endif
