/* analyze/run_output.c - rows of a stored run, one by one, as lines or as JSON. */
#include "analyze/run_output.h"

#include "analyze/output.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>

double bw_row_number(sqlite3_stmt *row, int column) {
    bool none = sqlite3_column_type(row, column) == SQLITE_NULL;
    return none ? (double)NAN : sqlite3_column_double(row, column);
}

const char *bw_row_text(sqlite3_stmt *row, int column) {
    const char *t = (const char *)sqlite3_column_text(row, column);
    return t ? t : "";
}

bw_status bw_run_rows(sqlite3 *db, int64_t run, const char *sql, bw_row_line line, void *arg,
                      size_t *shown, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, sql, &s, err);
    if (st != BW_OK)
        return st;
    if (sqlite3_bind_parameter_count(s) > 0)
        sqlite3_bind_int64(s, 1, run);
    bool row = true;
    size_t n = 0;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            line(s, n++, arg);
    }
    sqlite3_finalize(s);
    if (shown)
        *shown = n;
    return st;
}

static void add_estimate(sqlite3_stmt *s, size_t number, void *list) {
    static const char *const KEYS[] = {"name", "subject", "at",          "mean", "sd",
                                       "lo",   "hi",      "probability", "n",    "unit"};
    (void)number;
    cJSON *o = cJSON_CreateObject();
    for (int i = 0; i < 10; i++)
        if (i < 3 || i == 9)
            cJSON_AddStringToObject(o, KEYS[i], bw_row_text(s, i));
        else
            bw_json_number(o, KEYS[i], bw_row_number(s, i));
    cJSON_AddItemToArray(list, o);
}

static void add_head(sqlite3_stmt *s, size_t number, void *object) {
    (void)number;
    cJSON_AddStringToObject(object, "kind", bw_row_text(s, 0));
    cJSON_AddNumberToObject(object, "run", bw_row_number(s, 1));
    cJSON_AddItemToObject(object, "diagnostics", cJSON_Parse(bw_row_text(s, 2)));
}

static bw_status add_run(sqlite3 *db, int64_t run, cJSON *object, bw_err *err) {
    bw_status st = bw_run_rows(db, run, "SELECT kind, id, diagnostics FROM model_run WHERE id = ?1",
                               add_head, object, NULL, err);
    if (st != BW_OK)
        return st;
    return bw_run_rows(db, run,
                       "SELECT name, subject, at, mean, sd, lo, hi, probability, n, unit FROM "
                       "estimate WHERE run = ?1 ORDER BY name, subject, at",
                       add_estimate, cJSON_AddArrayToObject(object, "estimates"), NULL, err);
}

/* The run of a kind that the stage of `run` stored from the same rows, 0 = none. */
static bw_status find_beside(sqlite3 *db, int64_t run, const char *kind, int64_t *found,
                             bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db,
                                 "SELECT max(id) FROM model_run WHERE kind = ?2 AND id <> ?1 AND "
                                 "input = (SELECT input FROM model_run WHERE id = ?1)",
                                 &s, err);
    bool row = false;
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    sqlite3_bind_text(s, 2, kind, -1, SQLITE_STATIC);
    st = bw_db_step(s, &row, err);
    *found = st == BW_OK && row ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return st;
}

bw_status bw_run_json(sqlite3 *db, int64_t run, const char *also, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    int64_t beside = 0;
    bw_status st = add_run(db, run, o, err);
    if (st == BW_OK && also)
        st = find_beside(db, run, also, &beside, err);
    if (st == BW_OK && beside)
        st = add_run(db, beside, cJSON_AddObjectToObject(o, also), err);
    if (st == BW_OK)
        return bw_json_print(o, err);
    cJSON_Delete(o);
    return st;
}

static void print_note(sqlite3_stmt *s, size_t number, void *arg) {
    (void)number;
    (void)arg;
    fprintf(stderr, "note: %s\n", bw_row_text(s, 0));
}

bw_status bw_run_print_notes(sqlite3 *db, int64_t run, bw_err *err) {
    return bw_run_rows(db, run,
                       "SELECT n.value FROM model_run r, json_each(r.diagnostics, '$.notes') n "
                       "WHERE r.id = ?1",
                       print_note, NULL, NULL, err);
}
