/* analyze/mix/fit_before.c - see fit_before.h: reading the last fit, its warm-up, and keeping this one's. */
#include "analyze/mix/fit_before.h"

#include "common/sha256.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *fit_choices_text(const bw_fit_options *o) {
    bw_fit_options plain = *o;
    plain.quick = false;
    return fit_options_text(&plain);
}

/* Takes the row of s unless it is the very fit that is being made. */
static bw_status read_row(sqlite3_stmt *s, const char *input, const char *text, fit_before *b,
                          bw_err *err) {
    bw_err ignored; /* options that this program cannot read are another model's */
    const char *stored = (const char *)sqlite3_column_text(s, 1);
    if (fit_options_parse(stored, &b->options, &b->keep, &ignored) != BW_OK) {
        fit_before_free(b);
        return BW_OK;
    }
    b->text = fit_choices_text(&b->options);
    if (!b->text)
        return bw_fail_memory(err);
    if (strcmp(b->text, text) == 0 && strcmp((const char *)sqlite3_column_text(s, 3), input) == 0) {
        fit_before_free(b);
        return BW_OK;
    }
    b->run = sqlite3_column_int64(s, 0);
    snprintf(b->last_day, sizeof b->last_day, "%s", (const char *)sqlite3_column_text(s, 2));
    return BW_OK;
}

bw_status fit_before_read(sqlite3 *db, const char *input, const char *text, fit_before *b,
                          bw_err *err) {
    sqlite3_stmt *s;
    *b = (fit_before){0};
    bw_status st = bw_db_prepare(db,
                                 "SELECT id, options, coalesce(last_day, ''), input FROM model_run "
                                 "WHERE kind = 'fit' ORDER BY id DESC",
                                 &s, err);
    while (st == BW_OK && b->run == 0 && sqlite3_step(s) == SQLITE_ROW)
        st = read_row(s, input, text, b, err);
    sqlite3_finalize(s);
    return st;
}

void fit_before_free(fit_before *b) {
    free(b->text);
    free(b->keep);
    *b = (fit_before){0};
}

/* ---- the warm-up ---- */

/* Of the parameters' names: a warm-up serves the same parameters only. */
static void signature(const bw_mmm *m, char out[17]) {
    bw_sha256 sum;
    bw_sha256_start(&sum);
    for (size_t i = 0; i < bw_mmm_dim(m); i++) {
        const char *subject, *name = bw_mmm_param_name(m, i, &subject);
        bw_sha256_add(&sum, name, strlen(name) + 1);
        bw_sha256_add(&sum, subject, strlen(subject) + 1);
    }
    char hex[65];
    bw_sha256_hex(&sum, hex);
    snprintf(out, 17, "%.16s", hex);
}

/* Packed: step, mean [dim], the lower triangle of the covariance's factor row by row. */
static size_t packed_size(size_t dim) {
    return 1 + dim + dim * (dim + 1) / 2;
}

static bw_status unpack(warm_start *w, const double *packed, size_t dim, bw_err *err) {
    w->mean = calloc(dim + dim * dim, sizeof *w->mean);
    if (!w->mean)
        return bw_fail_memory(err);
    w->step = packed[0];
    w->factor = w->mean + dim;
    memcpy(w->mean, packed + 1, dim * sizeof *w->mean);
    const double *row = packed + 1 + dim;
    for (size_t i = 0; i < dim; row += ++i)
        memcpy(w->factor + i * dim, row, (i + 1) * sizeof *row);
    return BW_OK;
}

bw_status fit_before_warm(sqlite3 *db, fit_state *f, const fit_before *b, const char *text,
                          bw_err *err) {
    if (!b->run || f->o->force || strcmp(b->text, text) != 0 ||
        strcmp(b->last_day, f->d->period[f->d->n_time - 1]) >= 0)
        return BW_OK;
    char names[17];
    size_t dim = bw_mmm_dim(f->model);
    signature(f->model, names);
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db, "SELECT packed FROM draw WHERE run = ? AND name = 'warmup' AND subject = ?", &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, b->run);
    sqlite3_bind_text(s, 2, names, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW &&
        (size_t)sqlite3_column_bytes(s, 0) == packed_size(dim) * sizeof(double)) {
        double *packed = malloc(packed_size(dim) * sizeof *packed);
        if (packed)
            memcpy(packed, sqlite3_column_blob(s, 0), packed_size(dim) * sizeof *packed);
        st = packed ? unpack(&f->warm, packed, dim, err) : bw_fail_memory(err);
        f->warm.run = b->run;
        free(packed);
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status store_warmup(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    const warm_start *w = &f->learned;
    size_t dim = f->dim;
    char names[17];
    if (!w->mean)
        return BW_OK;
    double *packed = malloc(packed_size(dim) * sizeof *packed);
    if (!packed)
        return bw_fail_memory(err);
    packed[0] = w->step;
    memcpy(packed + 1, w->mean, dim * sizeof *packed);
    double *row = packed + 1 + dim;
    for (size_t i = 0; i < dim; row += ++i)
        memcpy(row, w->factor + i * dim, (i + 1) * sizeof *row);
    signature(f->model, names);
    bw_status st = bw_draw_put(db, run, "warmup", names, packed, packed_size(dim), err);
    free(packed);
    return st;
}

/* ---- the data it saw ---- */

size_t fit_series(const bw_mmm_data *d) {
    return 1 + d->n_channel + d->n_control;
}

void fit_series_name(const bw_mmm_data *d, size_t i, char *out, size_t size) {
    if (i == 0)
        snprintf(out, size, "outcome");
    else if (i <= d->n_channel)
        snprintf(out, size, "channel:%s", d->channel[i - 1]);
    else
        snprintf(out, size, "control:%s", d->control_name[i - 1 - d->n_channel]);
}

double fit_series_value(const bw_mmm_data *d, size_t i, size_t t) {
    const double *v = i == 0 ? d->outcome
                      : i <= d->n_channel
                          ? d->media + (i - 1) * d->n_geo * d->n_time
                          : d->control + (i - 1 - d->n_channel) * d->n_geo * d->n_time;
    double sum = 0;
    for (size_t g = 0; g < d->n_geo; g++)
        sum += v[g * d->n_time + t];
    return sum;
}

static bw_status store_input(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    double *v = malloc(f->d->n_time * sizeof *v);
    bw_status st = v ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; i < fit_series(f->d) && st == BW_OK; i++) {
        char name[160];
        fit_series_name(f->d, i, name, sizeof name);
        for (size_t t = 0; t < f->d->n_time; t++)
            v[t] = fit_series_value(f->d, i, t);
        st = bw_draw_put(db, run, "input", name, v, f->d->n_time, err);
    }
    free(v);
    return st;
}

/* ---- what changed ---- */

static bw_status put(sqlite3 *db, int64_t run, const char *name, const char *subject,
                     const char *unit, double value, bw_err *err) {
    bw_estimate e = bw_estimate_named(name, subject, "", unit);
    e.mean = value;
    return bw_estimate_put(db, run, &e, err);
}

static bw_status store_change(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    const fit_change *c = &f->change;
    bw_status st = put(db, run, "since_run", "", "", (double)c->run, err);
    if (st == BW_OK)
        st = put(db, run, "new_periods", "", "periods", (double)c->new_periods, err);
    for (size_t i = 0; i < f->d->n_channel && st == BW_OK; i++) {
        const char *name = f->d->channel[i];
        if (!isfinite(c->before[i]))
            continue;
        st = put(db, run, "roas_before", name, "ratio", c->before[i], err);
        if (st == BW_OK)
            st = put(db, run, "changed_by_data", name, "ratio", c->data[i], err);
        if (st == BW_OK)
            st = put(db, run, "changed_by_history", name, "ratio", c->history[i], err);
        if (st == BW_OK)
            st = put(db, run, "changed_by_model", name, "ratio", c->model[i], err);
    }
    for (size_t i = 0; i < fit_series(f->d) && st == BW_OK; i++) {
        char name[160];
        fit_series_name(f->d, i, name, sizeof name);
        if (c->revised[i])
            st = put(db, run, "revised_periods", name, "periods", (double)c->revised[i], err);
    }
    return st;
}

bw_status fit_store_for_later(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    bw_status st = store_warmup(db, run, f, err);
    if (st == BW_OK)
        st = store_input(db, run, f, err);
    return st == BW_OK && f->change.before ? store_change(db, run, f, err) : st;
}
