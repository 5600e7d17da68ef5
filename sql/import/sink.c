/* sql/import/sink.c - four prepared statements with the same numbered parameters: insert, update where
 * different, add, and remember the key. */
#include "sql/import/sink.h"

#include "common/buf.h"
#include "sql/db.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32

struct bw_sink {
    sqlite3 *db;
    size_t n;
    sqlite3_stmt *insert, *update, *add, *remember, *same;
    bool was_empty;
};

static bw_status prepare(bw_sink *s, bw_buf *sql, sqlite3_stmt **out, bw_err *err) {
    bw_status st = bw_buf_ok(sql) ? bw_db_prepare(s->db, sql->text, out, err) : bw_fail_memory(err);
    bw_buf_free(sql);
    return st;
}

/* "a, b" or "?1, ?2" of all columns, or of the keys alone. */
static void list(bw_buf *b, const bw_sink_column *c, size_t n, bool keys_only, bool parameters) {
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (keys_only && !c[i].key)
            continue;
        bw_buf_add(b, first ? "" : ", ");
        if (parameters)
            bw_buf_addf(b, "?%zu", i + 1);
        else
            bw_buf_addf(b, "\"%s\"", c[i].name);
        first = false;
    }
}

static void where_key(bw_buf *b, const bw_sink_column *c, size_t n) {
    const char *word = " WHERE ";
    for (size_t i = 0; i < n; i++)
        if (c[i].key) {
            bw_buf_addf(b, "%s\"%s\" = ?%zu", word, c[i].name, i + 1);
            word = " AND ";
        }
}

static void where_different(bw_buf *b, const bw_sink_column *c, size_t n, const char *join) {
    const char *word = join;
    for (size_t i = 0; i < n; i++)
        if (!c[i].key) {
            bw_buf_addf(b, "%s\"%s\" IS NOT ?%zu", word, c[i].name, i + 1);
            word = " OR ";
        }
    bw_buf_add(b, word == join ? "0" : ")");
}

static bw_status prepare_insert(bw_sink *s, const char *table, const bw_sink_column *c,
                                bw_err *err) {
    bw_buf sql = {0};
    bw_buf_addf(&sql, "INSERT INTO \"%s\"(", table);
    list(&sql, c, s->n, false, false);
    bw_buf_add(&sql, ") VALUES (");
    list(&sql, c, s->n, false, true);
    bw_buf_add(&sql, ") ON CONFLICT DO NOTHING");
    return prepare(s, &sql, &s->insert, err);
}

static bw_status prepare_change(bw_sink *s, const char *table, const bw_sink_column *c, bool add,
                                sqlite3_stmt **out, bw_err *err) {
    bw_buf sql = {0};
    size_t changed = 0;
    bw_buf_addf(&sql, "UPDATE \"%s\" SET ", table);
    for (size_t i = 0; i < s->n; i++) {
        if (c[i].key)
            continue;
        bw_buf_addf(&sql, "%s\"%s\" = ", changed++ ? ", " : "", c[i].name);
        if (add && c[i].adds)
            bw_buf_addf(&sql,
                        "CASE WHEN ?%zu IS NULL THEN \"%s\" ELSE coalesce(\"%s\", 0) + ?%zu END",
                        i + 1, c[i].name, c[i].name, i + 1);
        else
            bw_buf_addf(&sql, "?%zu", i + 1);
    }
    where_key(&sql, c, s->n);
    if (!add)
        where_different(&sql, c, s->n, " AND (");
    if (changed)
        return prepare(s, &sql, out, err);
    bw_buf_free(&sql);
    return BW_OK; /* a table of keys alone: nothing can change */
}

static bw_status prepare_same(bw_sink *s, const char *table, const bw_sink_column *c, bw_err *err) {
    bw_buf sql = {0};
    bw_buf_addf(&sql, "SELECT ");
    where_different(&sql, c, s->n, "(");
    bw_buf_addf(&sql, " FROM \"%s\"", table);
    where_key(&sql, c, s->n);
    return prepare(s, &sql, &s->same, err);
}

/* The keys this import has written, only when the table was not empty. */
static bw_status prepare_memory(bw_sink *s, const char *table, const bw_sink_column *c,
                                bw_err *err) {
    bw_buf sql = {0};
    bw_buf_addf(&sql, "SELECT count(*) FROM (SELECT 1 FROM \"%s\" LIMIT 1)", table);
    s->was_empty = bw_buf_ok(&sql) && bw_db_number(s->db, sql.text, 1) == 0;
    bw_buf_clear(&sql);
    if (s->was_empty) {
        bw_buf_free(&sql);
        return BW_OK;
    }
    bw_buf_addf(&sql, "DROP TABLE IF EXISTS temp.\"import_%s\"; CREATE TEMP TABLE \"import_%s\"(",
                table, table);
    list(&sql, c, s->n, true, false);
    bw_buf_add(&sql, ", PRIMARY KEY (");
    list(&sql, c, s->n, true, false);
    bw_buf_add(&sql, ")) WITHOUT ROWID");
    bw_status st = bw_buf_ok(&sql) ? bw_db_exec(s->db, sql.text, err) : bw_fail_memory(err);
    bw_buf_clear(&sql);
    bw_buf_addf(&sql, "INSERT INTO temp.\"import_%s\" SELECT ", table);
    list(&sql, c, s->n, true, true);
    bw_buf_add(&sql, " WHERE true ON CONFLICT DO NOTHING");
    if (st == BW_OK)
        return prepare(s, &sql, &s->remember, err);
    bw_buf_free(&sql);
    return st;
}

bw_status bw_sink_new(sqlite3 *db, const char *table, const bw_sink_column *columns, size_t n,
                      bw_sink **out, bw_err *err) {
    *out = NULL;
    bw_sink *s = calloc(1, sizeof *s);
    if (!s)
        return bw_fail_memory(err);
    s->db = db;
    s->n = n;
    bw_status st = prepare_insert(s, table, columns, err);
    if (st == BW_OK)
        st = prepare_change(s, table, columns, false, &s->update, err);
    if (st == BW_OK)
        st = prepare_change(s, table, columns, true, &s->add, err);
    if (st == BW_OK)
        st = prepare_same(s, table, columns, err);
    if (st == BW_OK)
        st = prepare_memory(s, table, columns, err);
    if (st != BW_OK) {
        bw_sink_free(s);
        return st;
    }
    *out = s;
    return BW_OK;
}

static void bind(const bw_sink *s, sqlite3_stmt *stmt, const bw_value *v) {
    int limit = sqlite3_bind_parameter_count(stmt);
    for (size_t i = 0; i < s->n && (int)i < limit; i++) {
        int at = (int)i + 1;
        if (v[i].type == BW_VALUE_REAL)
            sqlite3_bind_double(stmt, at, v[i].real);
        else if (v[i].type == BW_VALUE_TEXT)
            sqlite3_bind_text(stmt, at, v[i].text, (int)v[i].len, SQLITE_STATIC);
        else
            sqlite3_bind_null(stmt, at);
    }
}

/* Binds and runs; *changed is the number of rows written. */
static bw_status run(const bw_sink *s, sqlite3_stmt *stmt, const bw_value *v, int *changed,
                     bw_err *err) {
    *changed = 0;
    if (!stmt)
        return BW_OK;
    bind(s, stmt, v);
    bw_status st = bw_db_run(stmt, err);
    *changed = sqlite3_changes(s->db);
    return st;
}

/* The key is in this import already: are the values equal? */
static bw_status compare(const bw_sink *s, const bw_value *v, bw_row_fate *fate, bw_err *err) {
    bool row;
    bind(s, s->same, v);
    bw_status st = bw_db_step(s->same, &row, err);
    if (st == BW_OK)
        *fate = row && sqlite3_column_int(s->same, 0) ? BW_ROW_CONFLICT : BW_ROW_REPEATED;
    sqlite3_reset(s->same);
    return st;
}

bw_status bw_sink_put(bw_sink *s, const bw_value *values, bw_row_fate *fate, bw_err *err) {
    int inserted, remembered = 0, changed;
    bw_status st = run(s, s->insert, values, &inserted, err);
    if (st == BW_OK && !s->was_empty)
        st = run(s, s->remember, values, &remembered, err);
    *fate = BW_ROW_NEW;
    if (st != BW_OK || inserted)
        return st;
    if (!remembered)
        return compare(s, values, fate, err);
    st = run(s, s->update, values, &changed, err);
    *fate = changed ? BW_ROW_CHANGED : BW_ROW_SAME;
    return st;
}

bw_status bw_sink_add(bw_sink *s, const bw_value *values, bw_err *err) {
    int changed;
    return run(s, s->add, values, &changed, err);
}

void bw_sink_free(bw_sink *s) {
    if (!s)
        return;
    sqlite3_finalize(s->insert);
    sqlite3_finalize(s->update);
    sqlite3_finalize(s->add);
    sqlite3_finalize(s->same);
    sqlite3_finalize(s->remember);
    free(s);
}
