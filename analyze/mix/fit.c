/* analyze/mix/fit.c - a fit from database to database; each step is a file of its own. */
#include "analyze/mix/fit_before.h"

#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void state_free(fit_state *f) {
    bw_mmm_free(f->model);
    free(f->draws);
    free(f->spend);
    free(f->quantity);
    free(f->week);
    free(f->week_of);
    free(f->actual);
    free(f->part);
    free(f->fitted);
    free(f->sigma);
    free(f->vif);
    free(f->prior_shift);
    free(f->stability.sign);
    free(f->stability.low);
    free(f->stability.high);
    free(f->warm.mean);
    free(f->learned.mean);
    free(f->change.before);
    free(f->change.revised);
    for (size_t i = 0; i < f->n_warning; i++)
        free(f->warning[i]);
}

#define LEAST_PERIODS 8 /* fewer say nothing about any channel */

static bw_status build(fit_state *f, bw_err *err) {
    if (f->d->n_time < LEAST_PERIODS)
        return bw_fail(err, BW_EDATA,
                       "%zu %s of outcome; effects of channels need at least %d, a year is better",
                       f->d->n_time, f->d->period_days == 7 ? "weeks" : "days", LEAST_PERIODS);
    bw_status st = fit_spec(f->o, f->d, &f->spec, err);
    return st == BW_OK ? bw_mmm_new(f->d, &f->spec, &f->model, err) : st;
}

static bw_status compute(fit_state *f, bw_err *err) {
    double start = seconds();
    bw_status st = fit_sample(f, err);
    f->engine.seconds = seconds() - start;
    if (st == BW_OK)
        st = fit_summarise(f, err);
    if (st == BW_OK && !f->o->quick)
        st = fit_backtest(f, err);
    if (st == BW_OK && !f->o->quick)
        st = fit_stability(f, err);
    return st == BW_OK ? fit_check(f, err) : st;
}

/* Everything up to the database's change; the last fit lends its warm-up and is compared with. */
static bw_status fit_anew(sqlite3 *db, fit_state *f, const char *fingerprint, bw_err *err) {
    fit_before before = {0};
    char *choices = fit_choices_text(f->o);
    bw_status st =
        choices ? fit_before_read(db, fingerprint, choices, &before, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = build(f, err);
    if (st == BW_OK)
        st = fit_before_warm(db, f, &before, choices, err);
    if (st == BW_OK)
        st = compute(f, err);
    if (st == BW_OK && (!f->o->quick || f->o->compare))
        st = fit_before_compare(db, f, &before, choices, err);
    fit_before_free(&before);
    free(choices);
    return st;
}

static bw_status store(sqlite3 *db, fit_state *f, const char *fingerprint, const char *options,
                       int64_t *run, bw_err *err) {
    bw_status st = bw_db_begin(db, err);
    if (st != BW_OK)
        return st;
    st = fit_store(db, f, fingerprint, options, run, err);
    if (st == BW_OK)
        st = fit_store_change(db, f, fingerprint, options, err);
    return bw_db_end(db, st, err);
}

bw_status bw_fit_run(sqlite3 *db, const bw_fit_options *o, int64_t *run, bool *fresh, bw_buf *notes,
                     bw_err *err) {
    bw_mmm_data d;
    bw_status st = bw_load_mmm(db, &o->load, &d, notes, err);
    if (st != BW_OK)
        return st;
    char fingerprint[17];
    bw_load_fingerprint(&d, fingerprint);
    char *options = fit_options_text(o);
    fit_state f = {.o = o,
                   .d = &d,
                   .margin = bw_db_number(db,
                                          "SELECT CAST(value AS REAL) FROM setting "
                                          "WHERE key = 'margin'",
                                          1.0)};
    if (!(f.margin > 0))
        f.margin = 1.0;
    *run = o->force || !options ? 0 : bw_run_find(db, "fit", fingerprint, options);
    if (fresh)
        *fresh = *run == 0;
    if (!options)
        st = bw_fail_memory(err);
    else if (*run == 0) {
        st = fit_anew(db, &f, fingerprint, err);
        if (st == BW_OK)
            st = store(db, &f, fingerprint, options, run, err);
    }
    state_free(&f);
    free(options);
    bw_mmm_data_free(&d);
    return st;
}

/* ---- reading a fit back ---- */

static bw_status read_run(sqlite3 *db, bw_fit *out, char input[17], char **options, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db,
                                 "SELECT id, input, options FROM model_run WHERE kind = 'fit' "
                                 "ORDER BY id DESC LIMIT 1",
                                 &s, err);
    if (st != BW_OK)
        return st;
    if (sqlite3_step(s) == SQLITE_ROW) {
        out->run = sqlite3_column_int64(s, 0);
        strncpy(input, (const char *)sqlite3_column_text(s, 1), 16);
        *options = strdup((const char *)sqlite3_column_text(s, 2));
    } else {
        st = bw_fail(err, BW_EDATA, "there is no fit yet; run 'bellwether fit' first");
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status read_draws(sqlite3 *db, bw_fit *out, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db, "SELECT n, packed FROM draw WHERE run = ? AND name = 'parameters'", &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, out->run);
    out->dim = bw_mmm_dim(out->model);
    if (sqlite3_step(s) == SQLITE_ROW &&
        sqlite3_column_int64(s, 0) % (sqlite3_int64)out->dim == 0 &&
        sqlite3_column_bytes(s, 1) == sqlite3_column_int64(s, 0) * 8) {
        size_t n = (size_t)sqlite3_column_int64(s, 0);
        out->n_draw = n / out->dim;
        out->draws = malloc(n * sizeof *out->draws + 1);
        if (out->draws)
            memcpy(out->draws, sqlite3_column_blob(s, 1), n * sizeof *out->draws);
        else
            st = bw_fail_memory(err);
    } else {
        st = bw_fail(err, BW_EDATA,
                     "the stored fit does not match this program; run 'bellwether fit --force'");
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status rebuild(sqlite3 *db, bw_fit *out, const char *input, bw_err *err) {
    bw_status st = bw_load_mmm(db, &out->options.load, &out->data, NULL, err);
    if (st != BW_OK)
        return st;
    char now[17];
    bw_load_fingerprint(&out->data, now);
    if (strcmp(now, input) != 0)
        return bw_fail(err, BW_EDATA,
                       "the data have changed since the last fit; run 'bellwether fit' again");
    bw_mmm_spec spec;
    st = fit_spec(&out->options, &out->data, &spec, err);
    if (st == BW_OK)
        st = bw_mmm_new(&out->data, &spec, &out->model, err);
    return st == BW_OK ? read_draws(db, out, err) : st;
}

bw_status bw_fit_load(sqlite3 *db, bw_fit *out, bw_err *err) {
    *out = (bw_fit){0};
    char input[17] = "", *options = NULL;
    bw_status st = read_run(db, out, input, &options, err);
    if (st == BW_OK && !options)
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = fit_options_parse(options, &out->options, &out->options_text, err);
    if (st == BW_OK)
        st = rebuild(db, out, input, err);
    free(options);
    if (st != BW_OK)
        bw_fit_free(out);
    return st;
}

void bw_fit_free(bw_fit *f) {
    bw_mmm_free(f->model);
    bw_mmm_data_free(&f->data);
    free(f->draws);
    free(f->options_text);
    *f = (bw_fit){0};
}
