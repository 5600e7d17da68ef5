/* demo/experiments.c - three finished tests: two in which a channel's spend was moved in some weeks
 * (the market without the move is known here, so the true effect is too), and one A/B test. */
#include "demo/shop.h"

#include "sql/db.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weeks are counted in the three years. Tests of a shorter shop that lie before it are left out. */
static const struct spend_test {
    const char *id, *name, *zh;
    int channel, first_week, weeks;
    double factor; /* on the channel's spend */
    double noise;  /* sd of the measurement, as share of the effect */
} TESTS[] = {
    {"T-2025-1", "Paid social halved for four weeks", "社交媒体广告减半四周", 1, 92, 4, 0.5, 0.22},
    {"T-2026-1", "Short video doubled for four weeks", "短视频翻倍四周", 2, 121, 4, 2.0, 0.18},
};
#define N_TESTS (sizeof TESTS / sizeof *TESTS)

static int first_week(const struct shop *s, const struct spend_test *t) {
    return t->first_week - (BW_DEMO_MAX_WEEKS - s->weeks);
}

double test_factor(const struct shop *s, int channel, int week) {
    for (size_t i = 0; i < N_TESTS; i++) {
        int from = first_week(s, &TESTS[i]);
        if (TESTS[i].channel == channel && week >= from && week < from + TESTS[i].weeks)
            return TESTS[i].factor;
    }
    return 1;
}

/* What the channel would have earned without the test, carry-over after it included, and what the
 * test cost; both as differences to what happened. */
static void without_test(const struct shop *s, const struct spend_test *t, struct channel *other,
                         double *effect, double *cost) {
    const struct channel *c = &s->channel[t->channel];
    int from = 7 * first_week(s, t), to = from + 7 * t->weeks;
    memcpy(other, c, sizeof *other);
    for (int g = 0; g < s->n_geos; g++)
        for (int d = from; d < to; d++)
            other->spend[g][d] /= t->factor;
    shop_respond(s, other);
    *effect = channel_earned(s, c, from, s->days - 1) - channel_earned(s, other, from, s->days - 1);
    *cost = channel_spent(s, c) - channel_spent(s, other);
}

static bw_status put_spend_test(struct shop *s, const struct spend_test *t, struct channel *scratch,
                                gsl_rng *r, sqlite3 *db, bw_err *err) {
    double effect, cost;
    without_test(s, t, scratch, &effect, &cost);
    double sd = fabs(effect) * t->noise, measured = effect + gsl_ran_gaussian(r, sd);
    char first[11], last[11];
    shop_day_text(s, 7 * first_week(s, t), first);
    shop_day_text(s, 7 * (first_week(s, t) + t->weeks) - 1, last);
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(
        db,
        "INSERT INTO experiment (id, name, channel, kind, start_day, end_day, effect, "
        "effect_sd, spend_change) VALUES (?, ?, ?, 'geo', ?, ?, ?, ?, ?)",
        &q, err);
    if (st == BW_OK)
        st = row_put(q, err, "sssssddd", t->id, s->o.chinese ? t->zh : t->name,
                     s->channel[t->channel].name, first, last, measured, sd, cost);
    sqlite3_finalize(q);
    return st == BW_OK ? truth_put(db, "experiment", t->id, NULL, effect, err) : st;
}

/* The A/B test: free returns shown at checkout, against not. */
#define AB_ID       "T-2026-2"
#define AB_VISITORS 60000
#define AB_RATE     0.031
#define AB_LIFT     0.11 /* relative */

struct arm {
    const char *name;
    int control;
    double rate, basket;
};

static bw_status put_arm(const struct arm *a, gsl_rng *r, sqlite3_stmt *q, bw_err *err) {
    double n = AB_VISITORS + (double)gsl_ran_poisson(r, 120) - 120, sum = 0, sum_sq = 0;
    double buyers = gsl_ran_binomial(r, a->rate, (unsigned)n);
    for (int i = 0; i < (int)buyers; i++) {
        double x = round(gsl_ran_gamma(r, 2.5, a->basket / 2.5) * 100) / 100;
        sum += x;
        sum_sq += x * x;
    }
    bw_status st =
        row_put(q, err, "sssiddd", AB_ID, a->name, "conversion", a->control, n, buyers, buyers);
    return st == BW_OK
               ? row_put(q, err, "sssiddd", AB_ID, a->name, "revenue", a->control, n, sum, sum_sq)
               : st;
}

static bw_status put_ab_test(struct shop *s, gsl_rng *r, sqlite3 *db, bw_err *err) {
    char first[11], last[11];
    shop_day_text(s, s->days - 10 * 7, first);
    shop_day_text(s, s->days - 7 * 7 - 1, last);
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(db,
                      "INSERT INTO experiment (id, name, kind, start_day, end_day, metric) "
                      "VALUES (?, ?, 'ab', ?, ?, 'conversion')",
                      &q, err);
    if (st == BW_OK)
        st = row_put(q, err, "ssss", AB_ID,
                     s->o.chinese ? "结算页展示免费退货" : "Free returns shown at checkout", first,
                     last);
    sqlite3_finalize(q);
    if (st == BW_OK)
        st = bw_db_prepare(db, "INSERT INTO experiment_arm VALUES (?, ?, ?, ?, ?, ?, ?)", &q, err);
    if (st != BW_OK)
        return st;
    const struct arm arms[] = {{"not shown", 1, AB_RATE, 92 * s->o.money},
                               {"shown", 0, AB_RATE * (1 + AB_LIFT), 92 * s->o.money}};
    for (size_t i = 0; st == BW_OK && i < 2; i++)
        st = put_arm(&arms[i], r, q, err);
    sqlite3_finalize(q);
    return st == BW_OK ? truth_put(db, "experiment", AB_ID, NULL, AB_RATE * AB_LIFT, err) : st;
}

bw_status shop_write_experiments(struct shop *s, sqlite3 *db, bw_err *err) {
    if (s->o.no_outcome || s->o.no_spend || s->weeks < 12)
        return BW_OK;
    gsl_rng *r = shop_rng(s, RNG_TEST);
    struct channel *scratch = malloc(sizeof *scratch);
    bw_status st = r && scratch ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < N_TESTS; i++)
        if (first_week(s, &TESTS[i]) >= 0 && TESTS[i].channel < s->n_channels)
            st = put_spend_test(s, &TESTS[i], scratch, r, db, err);
    if (st == BW_OK)
        st = put_ab_test(s, r, db, err);
    free(scratch);
    if (r)
        gsl_rng_free(r);
    return st;
}
