/* analyze/forecast/forecast_spend.c - reads planned spend, and puts the scenario's weeks beside the series'. */
#include "analyze/forecast/forecast_spend.h"

#include "analyze/day.h"
#include "analyze/mix/load.h"
#include "analyze/table.h"
#include "sql/db.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS 400u

struct source {
    sqlite3 *db;
    const char *spend;
    bw_notes *notes;
};

static size_t find_channel(const bw_scenario *s, const char *name) {
    size_t i = 0;
    while (i < s->n && strcmp(s->channel[i], name) != 0)
        i++;
    return i;
}

/* Behind the plan's last week its mean goes on. */
static bw_status fill_from_plan(struct source *from, bw_scenario *s, long week, bw_err *err) {
    static const char PLANNED[] =
        "SELECT subject, at, mean, avg(mean) OVER (PARTITION BY subject) FROM latest_estimate "
        "WHERE kind = 'plan' AND name = 'spend_week' ORDER BY subject, at";
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(from->db, PLANNED, &q, err);
    long last = BW_NO_DAY;
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(q, &row, err);
        if (st != BW_OK || !row)
            break;
        size_t i = find_channel(s, (const char *)sqlite3_column_text(q, 0));
        long day = bw_iso_number((const char *)sqlite3_column_text(q, 1));
        last = day > last ? day : last;
        for (size_t h = 0; i < s->n && h < s->ahead; h++)
            if (week + 7 * (long)h == day)
                s->spend[i * s->ahead + h] = sqlite3_column_double(q, 2);
            else if (week + 7 * (long)h > day)
                s->spend[i * s->ahead + h] = sqlite3_column_double(q, 3);
    }
    sqlite3_finalize(q);
    if (st == BW_OK && last < week)
        return bw_fail(err, BW_EDATA,
                       last == BW_NO_DAY ? "there is no plan; 'bellwether plan' makes one"
                                         : "the newest plan ended before the weeks to come; run "
                                           "'bellwether plan' again");
    if (st == BW_OK && week + 7 * ((long)s->ahead - 1) > last) {
        char text[11];
        bw_iso_text(last + 6, text);
        bw_note(from->notes, "the plan ends on %s; from then on its mean spend goes on", text);
    }
    return st;
}

struct file {
    bw_table *table;
    size_t channel;
    double *day, *cost;
    long first, last; /* weeks the file names */
};

static bw_status find_either(const bw_table *t, const char *const *names, const char **found,
                             bw_err *err) {
    size_t at;
    for (; *names; names++)
        if (bw_table_find(t, *found = *names, &at, NULL) == BW_OK)
            return BW_OK;
    return bw_table_find(t, *found, &at, err);
}

static bw_status read_file(const char *path, struct file *f, bw_err *err) {
    static const char *const DAYS[] = {"week", "date", "day", NULL};
    static const char *const COSTS[] = {"spend", "cost", NULL};
    const char *day = NULL, *cost = NULL;
    bw_status st = bw_table_load(path, &f->table, err);
    if (st == BW_OK)
        st = find_either(f->table, DAYS, &day, err);
    if (st == BW_OK)
        st = find_either(f->table, COSTS, &cost, err);
    if (st == BW_OK)
        st = bw_table_find(f->table, "channel", &f->channel, err);
    if (st == BW_OK)
        st = bw_table_days(f->table, day, &f->day, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(f->table, cost, &f->cost, err);
    return st == BW_OK ? st : bw_fail_prefix(err, st, path);
}

/* What the file names starts from nothing within its weeks. */
static bw_status clear_named(const struct source *from, const struct file *f, bw_scenario *s,
                             long week, bw_err *err) {
    for (size_t r = 0; r < bw_table_rows(f->table); r++) {
        const char *name = bw_table_text(f->table, r, f->channel);
        size_t i = find_channel(s, name);
        if (i == s->n)
            return bw_fail(err, BW_EDATA,
                           "%s: line %zu: channel '%s' has no curve in the newest fit; it had "
                           "no spend so far, or is spelt differently",
                           from->spend, r + 2, name);
        if (f->cost[r] < 0)
            return bw_fail(err, BW_EDATA, "%s: line %zu: a spend of %g", from->spend, r + 2,
                           f->cost[r]);
        for (size_t h = 0; h < s->ahead; h++)
            if (week + 7 * (long)h >= f->first && week + 7 * (long)h <= f->last)
                s->spend[i * s->ahead + h] = 0;
    }
    return BW_OK;
}

static bw_status add_rows(struct source *from, struct file *f, bw_scenario *s, long week,
                          bw_err *err) {
    size_t rows = bw_table_rows(f->table), outside = 0;
    int start = bw_load_week_start(from->db);
    f->first = LONG_MAX;
    f->last = LONG_MIN;
    for (size_t r = 0; r < rows; r++) {
        long w = bw_iso_week((long)f->day[r], start);
        f->first = w < f->first ? w : f->first;
        f->last = w > f->last ? w : f->last;
    }
    bw_status st = clear_named(from, f, s, week, err);
    for (size_t r = 0; st == BW_OK && r < rows; r++) {
        long h = (bw_iso_week((long)f->day[r], start) - week) / 7;
        size_t i = find_channel(s, bw_table_text(f->table, r, f->channel));
        if (f->day[r] >= (double)week && h < (long)s->ahead)
            s->spend[i * s->ahead + (size_t)h] += f->cost[r];
        else
            outside++;
    }
    if (st == BW_OK && outside == rows)
        st = bw_fail(err, BW_EDATA, "%s: no row lies in the %zu weeks that are forecast",
                     from->spend, s->ahead);
    if (st == BW_OK && outside)
        bw_note(from->notes, "%zu rows of %s lie outside the weeks that are forecast", outside,
                from->spend);
    if (st == BW_OK && f->last < week + 7 * ((long)s->ahead - 1)) {
        char text[11];
        bw_iso_text(f->last + 6, text);
        bw_note(from->notes, "the planned spend ends on %s; from then on spend is as now", text);
    }
    return st;
}

static bw_status fill_from_file(struct source *from, bw_scenario *s, long week, bw_err *err) {
    struct file f = {0};
    bw_status st = read_file(from->spend, &f, err);
    if (st == BW_OK)
        st = add_rows(from, &f, s, week, err);
    bw_table_free(f.table);
    free(f.day);
    free(f.cost);
    return st;
}

static bw_status fill(void *context, bw_scenario *s, long week, bw_err *err) {
    struct source *from = context;
    if (strcmp(from->spend, "now") == 0)
        return BW_OK;
    return strcmp(from->spend, "plan") == 0 ? fill_from_plan(from, s, week, err)
                                            : fill_from_file(from, s, week, err);
}

static bw_status check_measure(sqlite3 *db, const char *measure, bw_err *err) {
    char *kind = bw_db_setting(db, "outcome_kind", "revenue");
    if (!kind)
        return bw_fail_memory(err);
    const char *fitted = strcmp(kind, "conversions") == 0 ? "orders" : kind;
    bw_status st = BW_OK;
    if (strcmp(fitted, measure) != 0)
        st = bw_fail(err, BW_EUSAGE,
                     "the mix model explains %s, not %s: planned spend can only be followed to the "
                     "former; leave --metric out or set outcome_kind",
                     fitted, measure);
    free(kind);
    return st;
}

/* Weeks before the fit's first are not known apart from what the channels earned: they become missing. */
static bw_status align(const bw_scenario *sc, bw_series *s, bw_notes *notes, bw_err *err) {
    long lag = (sc->first - (long)s->first) / 7; /* weeks of the series before the fit's first */
    if ((sc->first - (long)s->first) % 7 != 0 || lag + (long)sc->past != (long)s->n)
        return bw_fail(err, BW_EDATA,
                       "the fit ends in another week than the sales; run 'bellwether fit' again");
    s->media.draws = sc->draws;
    s->media.seen = calloc(sc->draws * s->n + 1, sizeof(double));
    s->media.ahead = malloc((sc->draws * s->horizon + 1) * sizeof(double));
    if (!s->media.seen || !s->media.ahead)
        return bw_fail_memory(err);
    memcpy(s->media.ahead, sc->planned, sc->draws * s->horizon * sizeof(double));
    for (size_t k = 0; k < sc->draws; k++)
        for (size_t t = 0; t < s->n; t++) {
            long w = (long)t - lag;
            if (w >= 0)
                s->media.seen[k * s->n + t] = sc->seen[k * sc->past + (size_t)w];
        }
    for (long t = 0; t < lag; t++)
        s->y[t] = NAN;
    if (lag > 0)
        bw_note(notes, "%ld weeks before the first one of the fit are left out", lag);
    return BW_OK;
}

static void warn_of_extrapolation(const bw_scenario *sc, sqlite3 *db, bw_notes *notes) {
    static const char MOST[] =
        "SELECT coalesce(max(x), 0) FROM curve WHERE name = 'response' AND seen = 1 AND subject = "
        "?1 AND run = ?2";
    sqlite3_stmt *q;
    if (bw_db_prepare(db, MOST, &q, NULL) != BW_OK)
        return;
    for (size_t i = 0; i < sc->n; i++) {
        double top = 0;
        for (size_t h = 0; h < sc->ahead; h++)
            top = fmax(top, sc->spend[i * sc->ahead + h]);
        sqlite3_bind_text(q, 1, sc->channel[i], -1, SQLITE_STATIC);
        sqlite3_bind_int64(q, 2, sc->fit);
        double most = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_double(q, 0) : 0;
        if (most > 0 && top > 1.05 * most)
            bw_note(notes,
                    "%s: %s a week is planned, more than was ever spent (about %s): its curve is "
                    "not known there",
                    sc->channel[i], bw_show(top), bw_show(most));
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
}

bw_status bw_series_add_spend(sqlite3 *db, const char *measure, const char *spend, bw_series *s,
                              bw_scenario *out, bw_notes *notes, bw_err *err) {
    struct source from = {db, spend, notes};
    *out = (bw_scenario){0};
    bw_status st = check_measure(db, measure, err);
    if (st == BW_OK)
        st = bw_scenario_load(db, s->horizon, DRAWS, fill, &from, out, err);
    if (st == BW_OK)
        st = align(out, s, notes, err);
    if (st == BW_OK) {
        warn_of_extrapolation(out, db, notes);
        bw_note(notes,
                "the test on the past knows the spend as it was and the curves of the whole "
                "record: it tells whether the bands are wide enough, and flatters the error");
    }
    return st;
}

void bw_scenario_more(const bw_scenario *s, size_t first, size_t last, double *more) {
    for (size_t k = 0; k < s->draws; k++) {
        more[k] = 0;
        for (size_t h = first; h < last && h < s->ahead; h++)
            more[k] += s->planned[k * s->ahead + h] - s->as_now[k * s->ahead + h];
    }
}
