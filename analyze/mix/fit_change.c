/* analyze/mix/fit_change.c - what moved the last week: the difference of each part to the week before and to
 * the same week a year before, and what the model does not explain. */
#include "analyze/mix/fit_internal.h"

#include <math.h>
#include <stdlib.h>

#define WEEKS_A_YEAR 52

static bw_status store_part(sqlite3 *db, int64_t run, const fit_state *f, const char *name,
                            size_t p, size_t now, size_t then, double *buffer, bw_err *err) {
    size_t parts = bw_mmm_parts(f->model);
    const float *a = f->part + (p * f->n_week + now) * f->n_thin,
                *b = f->part + (p * f->n_week + then) * f->n_thin;
    double actual = f->actual[now] - f->actual[then];
    for (size_t i = 0; i < f->n_thin; i++)
        buffer[i] =
            p < parts ? (double)a[i] - (double)b[i] : actual - ((double)a[i] - (double)b[i]);
    bw_estimate e = bw_estimate_named(
        name, p < parts ? bw_mmm_part_name(f->model, p) : "_unexplained", f->week[now], "money");
    bw_estimate_from_draws(&e, buffer, f->n_thin);
    return bw_estimate_put(db, run, &e, err);
}

static bw_status store_against(sqlite3 *db, int64_t run, const fit_state *f, const char *name,
                               size_t now, size_t then, double *buffer, bw_err *err) {
    bw_status st = BW_OK;
    if (!isfinite(f->actual[now]) || !isfinite(f->actual[then]))
        return BW_OK;
    for (size_t p = 0; p <= bw_mmm_parts(f->model) && st == BW_OK; p++)
        st = store_part(db, run, f, name, p, now, then, buffer, err);
    return st;
}

bw_status fit_store_change(sqlite3 *db, fit_state *f, const char *fingerprint, const char *options,
                           bw_err *err) {
    int64_t run;
    bw_run_info info = {.kind = "change",
                        .engine = f->o->engine,
                        .preset = f->o->preset,
                        .seed = f->o->seed,
                        .input = fingerprint,
                        .options = options,
                        .health = f->health,
                        .first_day = f->d->period[0],
                        .last_day = f->last_day};
    double *buffer = malloc(f->n_thin * sizeof *buffer);
    bw_status st = buffer ? bw_run_begin(db, &info, &run, err) : bw_fail_memory(err);
    size_t now = f->n_week - 1;
    if (st == BW_OK && now >= 1)
        st = store_against(db, run, f, "change_week", now, now - 1, buffer, err);
    if (st == BW_OK && now >= WEEKS_A_YEAR)
        st = store_against(db, run, f, "change_year", now, now - WEEKS_A_YEAR, buffer, err);
    free(buffer);
    return st;
}
