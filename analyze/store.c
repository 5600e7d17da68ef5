/* analyze/store.c - prepared statements that write results. */
#include "analyze/store.h"

#include "analyze/sort.h"
#include "sql/db.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>

#define RUNS_KEPT 20

bw_estimate bw_estimate_named(const char *name, const char *subject, const char *at,
                              const char *unit) {
    return (bw_estimate){.name = name,
                         .subject = subject,
                         .at = at,
                         .unit = unit,
                         .mean = NAN,
                         .sd = NAN,
                         .lo = NAN,
                         .hi = NAN,
                         .lo50 = NAN,
                         .hi50 = NAN,
                         .probability = NAN,
                         .n = NAN};
}

void bw_estimate_take(bw_estimate *e, const bw_summary *s) {
    e->mean = s->mean;
    e->sd = s->sd;
    e->lo = s->lo;
    e->hi = s->hi;
    e->lo50 = s->lo50;
    e->hi50 = s->hi50;
}

static void bind_text(sqlite3_stmt *s, int i, const char *text, const char *fallback) {
    const char *value = text ? text : fallback;
    if (value)
        sqlite3_bind_text(s, i, value, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(s, i);
}

static void bind_number(sqlite3_stmt *s, int i, double x) {
    if (isfinite(x))
        sqlite3_bind_double(s, i, x);
    else
        sqlite3_bind_null(s, i);
}

int64_t bw_run_find(sqlite3 *db, const char *kind, const char *input, const char *options) {
    sqlite3_stmt *s;
    int64_t run = 0;
    if (bw_db_prepare(db,
                      "SELECT id, input = ?2 AND options = ?3 FROM model_run WHERE kind = ?1 "
                      "ORDER BY id DESC LIMIT 1",
                      &s, NULL) != BW_OK)
        return 0;
    bind_text(s, 1, kind, "");
    bind_text(s, 2, input, "");
    bind_text(s, 3, options, "{}");
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 1))
        run = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return run;
}

static bw_status drop_old_runs(sqlite3 *db, const char *kind, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(db,
                      "DELETE FROM model_run WHERE kind = ?1 AND id NOT IN "
                      "(SELECT id FROM model_run WHERE kind = ?1 ORDER BY id DESC LIMIT ?2)",
                      &s, err);
    if (st != BW_OK)
        return st;
    bind_text(s, 1, kind, "");
    sqlite3_bind_int(s, 2, RUNS_KEPT);
    st = bw_db_run(s, err);
    sqlite3_finalize(s);
    return st;
}

bw_status bw_run_begin(sqlite3 *db, const bw_run_info *r, int64_t *run, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db,
        "INSERT INTO model_run (kind, engine, preset, seed, input, options, diagnostics, health, "
        "first_day, last_day, created_at) VALUES (?,?,?,?,?,?,?,?,?,?, "
        "strftime('%Y-%m-%dT%H:%M:%SZ'))",
        &s, err);
    if (st != BW_OK)
        return st;
    bind_text(s, 1, r->kind, "");
    bind_text(s, 2, r->engine, "");
    bind_text(s, 3, r->preset, NULL);
    sqlite3_bind_int64(s, 4, r->seed);
    bind_text(s, 5, r->input, "");
    bind_text(s, 6, r->options, "{}");
    bind_text(s, 7, r->diagnostics, "{}");
    bind_text(s, 8, r->health, NULL);
    bind_text(s, 9, r->first_day, NULL);
    bind_text(s, 10, r->last_day, NULL);
    st = bw_db_run(s, err);
    sqlite3_finalize(s);
    *run = sqlite3_last_insert_rowid(db);
    return st == BW_OK ? drop_old_runs(db, r->kind, err) : st;
}

bw_status bw_estimate_put(sqlite3 *db, int64_t run, const bw_estimate *e, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(db,
                      "INSERT OR REPLACE INTO estimate (run, name, subject, at, mean, sd, "
                      "lo, hi, lo50, hi50, probability, n, unit) "
                      "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                      &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    bind_text(s, 2, e->name, "");
    bind_text(s, 3, e->subject, "");
    bind_text(s, 4, e->at, "");
    const double values[] = {e->mean, e->sd, e->lo, e->hi, e->lo50, e->hi50, e->probability, e->n};
    for (int i = 0; i < 8; i++)
        bind_number(s, 5 + i, values[i]);
    bind_text(s, 13, e->unit, "");
    st = bw_db_run(s, err);
    sqlite3_finalize(s);
    return st;
}

bw_status bw_draw_put(sqlite3 *db, int64_t run, const char *name, const char *subject,
                      const double *draws, size_t n, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, "INSERT OR REPLACE INTO draw VALUES (?,?,?,?,?)", &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    bind_text(s, 2, name, "");
    bind_text(s, 3, subject, "");
    sqlite3_bind_int64(s, 4, (sqlite3_int64)n);
    sqlite3_bind_blob64(s, 5, draws, n * sizeof *draws, SQLITE_STATIC);
    st = bw_db_run(s, err);
    sqlite3_finalize(s);
    return st;
}

bw_status bw_curve_put(sqlite3 *db, int64_t run, const char *name, const char *subject, double x,
                       double mean, double lo, double hi, bool seen, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(db, "INSERT OR REPLACE INTO curve VALUES (?,?,?,?,?,?,?,?)", &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    bind_text(s, 2, name, "");
    bind_text(s, 3, subject, "");
    const double values[] = {x, mean, lo, hi};
    for (int i = 0; i < 4; i++)
        sqlite3_bind_double(s, 4 + i, values[i]);
    sqlite3_bind_int(s, 8, seen);
    st = bw_db_run(s, err);
    sqlite3_finalize(s);
    return st;
}

void bw_estimate_from_draws(bw_estimate *e, double *draws, size_t n) {
    e->mean = gsl_stats_mean(draws, 1, n);
    e->sd = n > 1 ? gsl_stats_sd_m(draws, 1, n, e->mean) : 0.0;
    bw_sort(draws, n);
    e->lo = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.05);
    e->hi = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.95);
    e->lo50 = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.25);
    e->hi50 = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.75);
}
