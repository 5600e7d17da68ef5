/* demo/fill.c - makes the shop in memory, then writes it in one transaction. */
#include "demo/shop.h"

#include "sql/db.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MADE_FROM "demo.made_from" /* setting */

/* splitmix64 (Steele, Lea, Flood 2014): neighbouring seeds and streams give unrelated generators. */
static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

gsl_rng *shop_rng(const struct shop *s, enum stream stream) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    if (r) /* the generator takes 32 bits, and 0 means its default seed */
        gsl_rng_set(r, (unsigned long)(mix(mix(s->o.seed) + (uint64_t)stream) & 0xfffffffeu) + 1);
    return r;
}

bw_status row_put(sqlite3_stmt *q, bw_err *err, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    for (int i = 1; *format; i++) {
        switch (*format++) {
        case 's':
            sqlite3_bind_text(q, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'i':
            sqlite3_bind_int64(q, i, va_arg(ap, int));
            break;
        default: {
            double x = va_arg(ap, double);
            if (isnan(x))
                sqlite3_bind_null(q, i);
            else
                sqlite3_bind_double(q, i, x);
        }
        }
    }
    va_end(ap);
    return bw_db_run(q, err);
}

static bw_status refuse_full(sqlite3 *db, bw_err *err) {
    double rows =
        bw_db_number(db,
                     "SELECT (SELECT count(*) FROM spend) + (SELECT count(*) FROM outcome) "
                     "+ (SELECT count(*) FROM review) + (SELECT count(*) FROM message)",
                     0);
    if (rows == 0)
        return BW_OK;
    const char *file = sqlite3_db_filename(db, "main");
    return bw_fail(err, BW_EDATA,
                   "%s: already holds data, and a simulated shop is not mixed with it; "
                   "name another file with --db, or delete this one",
                   file ? file : "database");
}

typedef bw_status step_fn(struct shop *, sqlite3 *, bw_err *);

static bw_status write_rows(struct shop *s, sqlite3 *db, bw_err *err) {
    static step_fn *const WRITERS[] = {
        shop_write_setup,    shop_write_spend,       shop_write_sales,   shop_write_customers,
        shop_write_messages, shop_write_experiments, shop_write_reviews, shop_write_truth};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof WRITERS / sizeof *WRITERS; i++)
        st = bw_interrupted()
                 ? bw_fail(err, BW_EINTERRUPTED, "interrupted; the database is as it was")
                 : WRITERS[i](s, db, err);
    return st;
}

static bw_status simulate(struct shop *s, bw_err *err) {
    s->weeks = s->o.weeks;
    s->days = 7 * s->weeks;
    shop_cast(s);
    shop_calendar(s);
    bw_status st = shop_market(s);
    if (st == BW_OK)
        st = shop_spend(s);
    return st == BW_ENOMEM ? bw_fail_memory(err) : st;
}

static bw_status check_options(const bw_demo_options *o, bw_err *err) {
    if (o->weeks < 1 || o->weeks > BW_DEMO_MAX_WEEKS)
        return bw_fail(err, BW_EARG, "demo: %d weeks; 1 to %d are possible", o->weeks,
                       BW_DEMO_MAX_WEEKS);
    if (o->channels < 1 || o->channels > BW_DEMO_MAX_CHANNELS)
        return bw_fail(err, BW_EARG, "demo: %d channels; 1 to %d are possible", o->channels,
                       BW_DEMO_MAX_CHANNELS);
    return BW_OK;
}

bw_status shop_make(const bw_demo_options *options, struct shop **out, bw_err *err) {
    bw_status st = check_options(options, err);
    struct shop *s = st == BW_OK ? calloc(1, sizeof *s) : NULL;
    if (st == BW_OK && !s)
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        s->o = *options;
        st = simulate(s, err);
    }
    if (st != BW_OK) {
        free(s);
        s = NULL;
    }
    *out = s;
    return st;
}

/* What the shop was made from, so that an interrupted demo goes on with the shop it left. */
static void describe(const bw_demo_options *o, char out[160]) {
    snprintf(out, 160,
             "seed %llu, %d weeks, %d channels, %d reviews, %d messages, %d customers, "
             "%d%d%d%d%d%d%d %g %g %g %s%s%s",
             (unsigned long long)o->seed, o->weeks, o->channels, o->reviews, o->messages,
             o->customers, o->geos, o->no_outcome, o->no_spend, o->long_names, o->chinese,
             o->closed_weeks, o->unhappy, o->roas, o->confounding, o->money, o->currency,
             o->shape ? " " : "", o->shape ? o->shape : "");
}

bool bw_demo_holds(sqlite3 *db, const bw_demo_options *options) {
    char text[160];
    describe(options, text);
    char *have = bw_db_setting(db, MADE_FROM, "");
    bool same = have && strcmp(have, text) == 0;
    free(have);
    return same;
}

bw_status bw_demo_fill(sqlite3 *db, const bw_demo_options *options, bw_err *err) {
    struct shop *s;
    bw_status st = shop_make(options, &s, err);
    if (st != BW_OK)
        return st;
    char text[160];
    describe(options, text);
    st = bw_db_begin(db, err);
    if (st == BW_OK) { /* looked at inside the transaction: two demos may run at once */
        st = refuse_full(db, err);
        if (st == BW_OK)
            st = write_rows(s, db, err);
        if (st == BW_OK && options->twist)
            st = bw_db_exec(db, options->twist, err);
        if (st == BW_OK)
            st = bw_db_set(db, MADE_FROM, text, err);
        st = bw_db_end(db, st, err);
    }
    free(s);
    return st;
}
