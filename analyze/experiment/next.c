/* analyze/experiment/next.c - loads returns and sales by place, weighs the tests, stores the advice. */
#include "analyze/experiment/next.h"

#include "analyze/experiment/design.h"
#include "analyze/forecast/forecast_load.h"
#include "analyze/store.h"
#include "sql/db.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED       7u
#define SPEND_MOVE 0.5 /* share of a channel's spend that the test takes away or adds */
#define WEEKS_MAX  12
#define WEEKS_MIN  2
#define STAKE      0.2 /* share of a channel's spend that an answer would move */
#define Z90        1.644854
#define ALARMS_MAX 0.15 /* false alarms on the past beyond which a design is not advised */

struct places {
    char **name;
    double *y; /* [n, weeks] */
    size_t n, weeks;
    double sales; /* a week, all places, last year */
    bw_geo_design design;
    bool usable;
};

struct next {
    sqlite3 *db;
    int64_t run;
    bw_notes *notes;
    size_t *stored;
    double noise, margin; /* noise: sd of a week's sales, all places */
    struct places places;
};

static bw_status put(struct next *x, const char *name, const char *subject, const char *at,
                     const char *unit, double mean, double probability, double n, bw_err *err) {
    bw_estimate e = bw_estimate_named(name, subject, at, unit);
    e.mean = mean;
    e.probability = probability;
    e.n = n;
    ++*x->stored;
    return bw_estimate_put(x->db, x->run, &e, err);
}

/* ---- places ---- */

/* Whole weeks of places that sold in each of them. */
static const char PLACES[] =
    "WITH ws AS (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE key = "
    "'week_start'), 1) AS w), "
    "g AS (SELECT geo, date(day, '-' || ((strftime('%w', day) - w + 7) % 7) || ' days') AS week, "
    "total(revenue) AS y, count(DISTINCT day) AS days FROM outcome, ws WHERE geo <> '' GROUP BY 1, "
    "2), "
    "whole AS (SELECT * FROM g WHERE days = (SELECT max(days) FROM g) AND y > 0), "
    "kept AS (SELECT geo FROM whole GROUP BY geo HAVING count(*) = (SELECT count(DISTINCT week) "
    "FROM "
    "whole)) "
    "SELECT geo, y, (SELECT count(DISTINCT week) FROM whole), (SELECT count(*) FROM kept) "
    "FROM whole WHERE geo IN (SELECT geo FROM kept) ORDER BY geo, week";

static bw_status add_week(struct places *p, sqlite3_stmt *s, size_t i, bw_err *err) {
    if (!p->y) {
        p->weeks = (size_t)sqlite3_column_int64(s, 2);
        p->n = (size_t)sqlite3_column_int64(s, 3);
        p->y = calloc(p->n * p->weeks, sizeof *p->y);
        p->name = calloc(p->n, sizeof *p->name);
        if (!p->y || !p->name)
            return bw_fail_memory(err);
    }
    p->y[i] = sqlite3_column_double(s, 1);
    if (i % p->weeks == 0 &&
        !(p->name[i / p->weeks] = strdup((const char *)sqlite3_column_text(s, 0))))
        return bw_fail_memory(err);
    return BW_OK;
}

static bw_status load_places(struct next *x, bw_err *err) {
    struct places *p = &x->places;
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(x->db, PLACES, &s, err);
    bool row = true;
    for (size_t i = 0; st == BW_OK && row; i++) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            st = add_week(p, s, i, err);
    }
    sqlite3_finalize(s);
    size_t from = p->weeks > 52 ? p->weeks - 52 : 0;
    for (size_t i = 0; st == BW_OK && i < p->n; i++)
        for (size_t t = from; t < p->weeks; t++)
            p->sales += p->y[i * p->weeks + t] / (double)(p->weeks - from);
    return st;
}

static void places_free(struct places *p) {
    for (size_t i = 0; p->name && i < p->n; i++)
        free(p->name[i]);
    free(p->name);
    free(p->y);
    bw_geo_design_free(&p->design);
}

static bw_status make_design(struct next *x, bw_err *err) {
    struct places *p = &x->places;
    bw_err why = {{0}};
    bw_status st = load_places(x, err);
    if (st != BW_OK || !p->n)
        return st;
    st = bw_geo_design_make(p->y, p->n, p->weeks, SEED, &p->design, &why);
    if (st == BW_EDATA) {
        bw_note(x->notes, "a test by places is not possible: %s", why.text);
        return BW_OK;
    }
    p->usable = st == BW_OK;
    return st == BW_OK ? BW_OK : bw_fail(err, st, "%s", why.text);
}

/* ---- how much a test tells ---- */

/* Noise of a week's sales: the spread of the forecast one week ahead. */
static double weekly_noise(sqlite3 *db) {
    bw_series s;
    bw_forecast f;
    bw_notes unused = {0};
    double sd = NAN;
    if (bw_series_from_db(db, "revenue", 1, &s, &unused, NULL) == BW_OK) {
        if (bw_forecast_fit(&s, false, SEED, &f, NULL) == BW_OK) {
            sd = f.fan[0].sd;
            bw_forecast_free(&f);
        }
        bw_series_free(&s);
    }
    bw_notes_free(&unused);
    return sd;
}

/* Error of the return that a change of the spend everywhere for so many weeks would leave. */
static double error_everywhere(const struct next *x, double spend, int weeks) {
    return sqrt(weeks) * x->noise / (SPEND_MOVE * spend * weeks);
}

/* The same for a change in the treated places alone, spend being spread as sales are. */
static double error_by_places(const struct next *x, double spend, int weeks) {
    const struct places *p = &x->places;
    double error = p->usable ? p->design.error[weeks] : NAN;
    if (isnan(error) || p->design.false_alarms[weeks] > ALARMS_MAX)
        return INFINITY;
    return error * p->sales / (SPEND_MOVE * spend); /* the treated share cancels */
}

/* Expected gain of knowing a return of mean m and error s against the break-even 1, per money at stake. */
static double worth_knowing(double m, double s) {
    double z = fabs(m - 1) / s;
    return s * (gsl_ran_ugaussian_pdf(z) - z * gsl_cdf_ugaussian_Q(z));
}

static double after_test(double sd, double test) {
    return 1 / sqrt(1 / (sd * sd) + 1 / (test * test));
}

struct channel {
    char name[200];
    double mean, sd, spend; /* return at the margin; money a week */
};

/* The fewest weeks in which a test halves the error; at most WEEKS_MAX. */
static bw_status advise(struct next *x, const struct channel *c, bw_err *err) {
    int weeks = WEEKS_MIN;
    double test = INFINITY;
    bool by_places = false;
    for (; weeks <= WEEKS_MAX; weeks++) {
        double wide = error_everywhere(x, c->spend, weeks),
               geo = error_by_places(x, c->spend, weeks);
        by_places = geo < wide;
        test = by_places ? geo : wide;
        if (after_test(c->sd, test) <= c->sd / 2 || weeks == WEEKS_MAX)
            break;
    }
    char at[16];
    snprintf(at, sizeof at, "%d weeks", weeks);
    double worth = STAKE * c->spend * worth_knowing(c->mean * x->margin, c->sd * x->margin);
    double move = c->mean * x->margin >= 1 ? SPEND_MOVE : -SPEND_MOVE;
    double width = 2 * Z90;
    bw_status st = put(x, "next_value", c->name, at, "money", worth, NAN, weeks, err);
    if (st == BW_OK)
        st = put(x, "next_change", c->name, at, "share", move, NAN, weeks, err);
    if (st == BW_OK)
        st = put(x, "next_width_now", c->name, at, "ratio", width * c->sd, NAN, weeks, err);
    if (st == BW_OK)
        st = put(x, "next_width", c->name, at, "ratio", width * after_test(c->sd, test), NAN, weeks,
                 err);
    if (st == BW_OK)
        st = put(x, "next_by_places", c->name, at, "flag", by_places, NAN, weeks, err);
    return st == BW_OK ? put(x, "next_narrowing", c->name, at, "share",
                             1 - after_test(c->sd, test) / c->sd, NAN, weeks, err)
                       : st;
}

static bw_status advise_channels(struct next *x, bool *any, bw_err *err) {
    static const char RETURNS[] =
        "SELECT m.subject, m.mean, coalesce(m.sd, (m.hi - m.lo) / 3.29), (SELECT total(cost) FROM "
        "spend WHERE channel = "
        " m.subject AND day > date((SELECT max(day) FROM spend), '-28 days')) / 4 FROM "
        "latest_estimate m "
        "WHERE m.kind = 'fit' AND m.name = 'marginal_roas' AND m.at = '' ORDER BY 1";
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(x->db, RETURNS, &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        struct channel c = {.mean = sqlite3_column_double(s, 1),
                            .sd = sqlite3_column_double(s, 2),
                            .spend = sqlite3_column_double(s, 3)};
        snprintf(c.name, sizeof c.name, "%s", (const char *)sqlite3_column_text(s, 0));
        if (isnan(x->noise)) {
            x->noise = weekly_noise(x->db);
            st = make_design(x, err);
        }
        if (st == BW_OK && c.sd > 0 && c.spend > 0 && x->noise > 0) {
            st = advise(x, &c, err);
            *any = true;
        }
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status store_design(struct next *x, bw_err *err) {
    const struct places *p = &x->places;
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < p->n; i++) {
        bool in = p->design.pair[i] < p->design.pairs;
        st = put(x, "next_geo", p->name[i],
                 !in                    ? "left out"
                 : p->design.treated[i] ? "treat"
                                        : "control",
                 "share", p->design.share[i], NAN, in ? (double)p->design.pair[i] + 1 : NAN, err);
    }
    for (int w = WEEKS_MIN; st == BW_OK && w <= WEEKS_MAX; w++) {
        char at[16];
        snprintf(at, sizeof at, "%d weeks", w);
        if (isfinite(p->design.error[w]))
            st = put(x, "next_error", "", at, "share", p->design.error[w],
                     p->design.false_alarms[w], (double)p->design.placebos[w], err);
    }
    return st;
}

bw_status bw_next_store(sqlite3 *db, int64_t run, bw_notes *notes, size_t *stored, bw_err *err) {
    char *setting = bw_db_setting(db, "margin", "");
    double margin = setting && *setting ? strtod(setting, NULL) : 1;
    free(setting);
    struct next x = {.db = db,
                     .run = run,
                     .notes = notes,
                     .stored = stored,
                     .noise = NAN,
                     .margin = margin > 0 ? margin : 1};
    bool any = false;
    bw_status st = advise_channels(&x, &any, err);
    if (st == BW_OK && any && x.places.usable)
        st = store_design(&x, err);
    places_free(&x.places);
    return st;
}
