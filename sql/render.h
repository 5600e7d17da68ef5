/* sql/render.h - the rows of a query as text for people and for programs. */
#ifndef BW_SQL_RENDER_H
#define BW_SQL_RENDER_H

#include "common/sqlite.h"
#include "sql/query.h"

typedef enum { BW_FORMAT_TABLE, BW_FORMAT_CSV, BW_FORMAT_JSON, BW_FORMAT_MARKDOWN } bw_format;

/* "table", "csv", "json", "markdown" (or "md"); false when it is none of them. */
bool bw_format_find(const char *name, bw_format *out);

/* Runs the statement and writes its rows. terminal: characters that could command a terminal are
 * shown as escapes in every format; a table shows them so always. csv, json and markdown stream; a
 * table waits for all rows to know its widths, cuts texts at BW_TEXT_WIDTH columns and rounds
 * numbers to what a reader takes in: the other formats give everything. */
bw_status bw_render(sqlite3_stmt *s, bw_format format, bool terminal, FILE *to, bw_err *err);

#define BW_TEXT_WIDTH 60

/* The table of bw_render. */
bw_status bw_render_table(sqlite3_stmt *s, FILE *to, bw_err *err);

#endif
