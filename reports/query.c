/* reports/query.c - a query's rows as arrays in the arena. */
#include "reports/shop.h"

#include "sql/db.h"

#include <math.h>
#include <stdarg.h>

static bw_status read_rows(const bw_shop *s, sqlite3_stmt *q, const char *types, void **columns,
                           size_t *rows, bw_err *err) {
    bw_status st = BW_OK;
    for (bool row = true;; (*rows)++) {
        st = bw_db_step(q, &row, err);
        if (st != BW_OK || !row)
            return st;
        for (int i = 0; types[i]; i++) {
            if (types[i] == 't') {
                columns[i] = bw_arena_grow(s->arena, columns[i], *rows, sizeof(char *));
                ((const char **)columns[i])[*rows] =
                    bw_arena_text(s->arena, (const char *)sqlite3_column_text(q, i));
            } else {
                columns[i] = bw_arena_grow(s->arena, columns[i], *rows, sizeof(double));
                ((double *)columns[i])[*rows] =
                    sqlite3_column_type(q, i) == SQLITE_NULL ? NAN : sqlite3_column_double(q, i);
            }
        }
    }
}

bw_status bw_query(const bw_shop *s, const char *types, size_t *rows, bw_err *err, const char *sql,
                   int64_t run, const char *text, ...) {
    void *columns[12] = {0};
    sqlite3_stmt *q;
    *rows = 0;
    bw_status st = bw_db_prepare(s->db, sql, &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(q, 1, run);
    if (text)
        sqlite3_bind_text(q, 2, text, -1, SQLITE_STATIC);
    st = read_rows(s, q, types, columns, rows, err);
    sqlite3_finalize(q);
    va_list args;
    va_start(args, text);
    for (int i = 0; types[i]; i++) {
        if (types[i] == 't')
            *va_arg(args, const char ***) = columns[i];
        else
            *va_arg(args, double **) = columns[i];
    }
    va_end(args);
    return st;
}
