/* analyze/mix/fit_compare.c - why this fit says something else than the last one.
 *
 * Between the two stand up to two fits: the old options on history as it reads today, up to the last
 * day of then; and the old options on all of today's data. The steps between them are what revised
 * history, new periods and other options changed, and add up to the whole. A step whose cause is not
 * at work costs nothing. */
#include "analyze/mix/fit_before.h"

#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS     300
#define SAME      1e-9 /* relative: figures that differ by less are the same figure */
#define NOT_KNOWN NAN

/* The last fit's series i [*n], which the caller frees; NULL when it has none of that name. */
static double *old_series(sqlite3 *db, const fit_before *b, const char *name, size_t *n) {
    sqlite3_stmt *s = NULL;
    double *v = NULL;
    if (sqlite3_prepare_v2(
            db, "SELECT packed FROM draw WHERE run = ? AND name = 'input' AND subject = ?", -1, &s,
            NULL) == SQLITE_OK) {
        sqlite3_bind_int64(s, 1, b->run);
        sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW) {
            *n = (size_t)sqlite3_column_bytes(s, 0) / sizeof *v;
            v = malloc(*n * sizeof *v + 1);
            if (v)
                memcpy(v, sqlite3_column_blob(s, 0), *n * sizeof *v);
        }
    }
    sqlite3_finalize(s);
    return v;
}

static bool same(double a, double b) {
    return (!isfinite(a) && !isfinite(b)) || fabs(a - b) <= SAME * fmax(fabs(a), fabs(b));
}

/* Periods of today's data that the last fit saw: those that end by its last day. */
static size_t periods_then(const bw_mmm_data *d, const fit_before *b) {
    size_t n = 0;
    while (n < d->n_time && strcmp(d->period[n], b->last_day) <= 0)
        n++;
    return n;
}

/* Counts in f->change.revised the periods of each series that read otherwise than then. Series are laid
 * end to end: both end at the last period of then. */
static bool find_revisions(sqlite3 *db, fit_state *f, const fit_before *b, size_t then) {
    bool any = false;
    for (size_t i = 0; i < fit_series(f->d); i++) {
        char name[160];
        size_t n = 0;
        fit_series_name(f->d, i, name, sizeof name);
        double *old = old_series(db, b, name, &n);
        for (size_t k = 1; old && k <= n && k <= then; k++)
            f->change.revised[i] += !same(old[n - k], fit_series_value(f->d, i, then - k));
        any = any || f->change.revised[i] > 0;
        free(old);
    }
    return any;
}

static double roas_of_run(sqlite3 *db, int64_t run, const char *channel) {
    char *sql = sqlite3_mprintf("SELECT mean FROM estimate WHERE run = %lld AND name = 'roas' AND "
                                "subject = %Q AND at = ''",
                                (long long)run, channel);
    double v = sql ? bw_db_number(db, sql, NOT_KNOWN) : NOT_KNOWN;
    sqlite3_free(sql);
    return v;
}

static double mean_roas(const fit_state *f, size_t c) {
    const double *v = fit_quantity(f, c, Q_ROAS);
    double sum = 0;
    for (size_t i = 0; i < f->n_draw; i++)
        sum += v[i];
    return sum / (double)f->n_draw;
}

/* Mean ROAS of the channels of f under a model and its draws; unknown ones keep their value in out. */
static bw_status roas_of_model(const fit_state *f, const bw_mmm_data *d, const bw_mmm *m,
                               const double *draws, double *out, bw_err *err) {
    bw_density density = bw_mmm_density(m);
    void *room = density.scratch_new(m);
    bw_mmm_result r = {0};
    double *sum = calloc(d->n_channel + 1, sizeof *sum);
    bw_status st = room && sum ? bw_mmm_result_alloc(m, &r, err) : bw_fail_memory(err);
    for (size_t k = 0; k < DRAWS && st == BW_OK; k++) {
        bw_mmm_forward(m, room, draws + k * density.dim, &r);
        for (size_t c = 0; c < d->n_channel; c++)
            sum[c] += r.contribution[c] / DRAWS;
    }
    for (size_t c = 0; c < d->n_channel && st == BW_OK; c++)
        for (size_t i = 0; i < f->d->n_channel; i++)
            if (d->paid[c] && strcmp(d->channel[c], f->d->channel[i]) == 0) {
                double spend = 0;
                for (size_t t = 0; t < d->n_geo * d->n_time; t++)
                    spend += d->spend[c * d->n_geo * d->n_time + t];
                out[i] = sum[c] / spend;
            }
    bw_mmm_result_free(&r);
    free(sum);
    density.scratch_free(room);
    return st;
}

/* Mean ROAS under the old options on today's data, up to last_day or, when NULL, to their end. */
static bw_status refit(sqlite3 *db, const fit_state *f, const fit_before *b, const char *last_day,
                       double *out, bw_err *err) {
    bw_fit_options o = b->options;
    bw_mmm_data d;
    bw_mmm_spec spec;
    bw_mmm *m = NULL;
    double *draws = NULL;
    if (last_day)
        o.load.last_day = last_day;
    bw_status st = bw_load_mmm(db, &o.load, &d, NULL, err);
    if (st != BW_OK)
        return st;
    st = fit_spec(&o, &d, &spec, err);
    if (st == BW_OK)
        st = bw_mmm_new(&d, &spec, &m, err);
    if (st == BW_OK)
        st = fit_short(m, DRAWS, (unsigned long)o.seed, &draws, err);
    if (st == BW_OK)
        st = roas_of_model(f, &d, m, draws, out, err);
    free(draws);
    bw_mmm_free(m);
    bw_mmm_data_free(&d);
    return st;
}

static bw_status change_alloc(fit_state *f, bw_err *err) {
    size_t C = f->d->n_channel;
    f->change.before = calloc(4 * C + 1, sizeof *f->change.before);
    f->change.revised = calloc(fit_series(f->d), sizeof *f->change.revised);
    if (!f->change.before || !f->change.revised)
        return bw_fail_memory(err);
    f->change.history = f->change.before + C;
    f->change.data = f->change.history + C;
    f->change.model = f->change.data + C;
    return BW_OK;
}

bw_status fit_before_compare(sqlite3 *db, fit_state *f, const fit_before *b, const char *text,
                             bw_err *err) {
    if (!b->run)
        return BW_OK;
    bw_status st = change_alloc(f, err);
    if (st != BW_OK)
        return st;
    size_t C = f->d->n_channel, then = periods_then(f->d, b);
    double *revised = calloc(3 * C + 1, sizeof *revised), *grown = revised + C, *now = grown + C;
    if (!revised)
        return bw_fail_memory(err);
    bool history = find_revisions(db, f, b, then), model = strcmp(b->text, text) != 0;
    f->change.run = b->run;
    f->change.new_periods = f->d->n_time - then;
    for (size_t c = 0; c < C; c++) {
        f->change.before[c] = roas_of_run(db, b->run, f->d->channel[c]);
        now[c] = f->d->paid[c] ? mean_roas(f, c) : NOT_KNOWN;
        revised[c] = history && !model && !f->change.new_periods ? now[c] : f->change.before[c];
        grown[c] = now[c];
    }
    if (history && (model || f->change.new_periods))
        st = refit(db, f, b, b->last_day, revised, err);
    if (st == BW_OK && model && f->change.new_periods)
        st = refit(db, f, b, NULL, grown, err);
    for (size_t c = 0; c < C; c++) {
        double after = model && !f->change.new_periods ? revised[c] : grown[c];
        f->change.history[c] = revised[c] - f->change.before[c];
        f->change.data[c] = after - revised[c];
        f->change.model[c] = now[c] - after;
    }
    free(revised);
    return st;
}
