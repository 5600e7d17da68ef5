/* tests/analyze/test_lead.c - a lead that was built in is found, with its sign; noise is called noise. */
#include "tests/check.h"
#include "analyze/runs.h"
#include "analyze/sentiment/lead.h"
#include "sql/db.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

static bw_err err;
enum { N = 130, LEAD = 3 };

struct weeks {
    double sentiment[N], outcome[N], media[N];
};

/* Mood wanders as an AR(1). Sales have trend, season, media, and `effect` times the mood's fresh part
 * of three weeks before, beside noise of the same size. */
static void make(struct weeks *w, double effect, unsigned long seed) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    double fresh[N], mood = 0;
    gsl_rng_set(r, seed);
    for (int t = 0; t < N; t++) {
        double season = cos(2 * M_PI * t * 7 / 365.25);
        fresh[t] = gsl_ran_gaussian(r, 0.05);
        mood = 0.6 * mood + fresh[t];
        w->sentiment[t] = 0.3 + 0.1 * season + mood;
        w->media[t] = 2000 * gsl_rng_uniform(r);
        w->outcome[t] = 50000 + 90 * t + 8000 * season + 3 * w->media[t] +
                        gsl_ran_gaussian(r, 1000) + (t >= LEAD ? effect * fresh[t - LEAD] : 0);
    }
    gsl_rng_free(r);
}

static bw_lead find(const struct weeks *w) {
    bw_lead_data d = {N, w->sentiment, w->outcome, w->media, 1};
    bw_lead r;
    CHECK_OK(bw_lead_find(&d, 7, &r, &err));
    return r;
}

static void a_lead_of_three_weeks_is_found_with_its_sign(void **state) {
    (void)state;
    struct weeks w;
    for (int sign = -1; sign <= 1; sign += 2) {
        make(&w, sign * 20000, 11); /* 20000 x 0.05 = the noise: true correlation 1 / sqrt(2) */
        bw_lead r = find(&w);
        const bw_lead_lag *at = &r.lag[BW_LEAD_MOST + LEAD];
        assert_int_equal(r.lead, LEAD);
        assert_true(r.p < 0.005);
        assert_int_equal(r.weeks, N);
        assert_int_equal(at->pairs, N - 1 - LEAD); /* the AR(1) costs one week */
        assert_true(at->lo < sign * M_SQRT1_2 && sign * M_SQRT1_2 < at->hi);
        CHECK_NEAR(r.memory[0], 0.6, 0.2);
    }
}

static void the_series_exchanged_turn_the_lead_round(void **state) {
    (void)state;
    struct weeks w;
    make(&w, 20000, 12);
    bw_lead_data d = {N, w.outcome, w.sentiment, w.media, 1};
    bw_lead r, straight = find(&w);
    CHECK_OK(bw_lead_find(&d, 7, &r, &err));
    assert_int_equal(r.lead, -LEAD);
    CHECK_REL(r.lag[BW_LEAD_MOST - LEAD].r, straight.lag[BW_LEAD_MOST + LEAD].r, 1e-9);
}

static void scale_and_level_change_nothing(void **state) {
    (void)state;
    struct weeks w;
    make(&w, 9000, 13);
    bw_lead before = find(&w);
    for (int t = 0; t < N; t++) {
        w.sentiment[t] = 50 + 50 * w.sentiment[t];
        w.outcome[t] *= 7.8e-3;
        w.media[t] *= 1e6;
    }
    bw_lead after = find(&w);
    assert_int_equal(after.lead, before.lead);
    CHECK_NEAR(after.p, before.p, 0);
    for (int k = 0; k < BW_LEAD_LAGS; k++)
        CHECK_NEAR(after.lag[k].r, before.lag[k].r, 1e-9);
}

static void the_interval_is_fishers(void **state) {
    (void)state;
    struct weeks w;
    make(&w, 20000, 14);
    bw_lead r = find(&w);
    const bw_lead_lag *at = &r.lag[BW_LEAD_MOST + LEAD];
    double z = log((1 + at->r) / (1 - at->r)) / 2,
           half = 1.6448536 /
                  sqrt((double)at->pairs - 3 - 6); /* trend, season (4), media are taken out */
    CHECK_NEAR(at->lo, tanh(z - half), 1e-7);
    CHECK_NEAR(at->hi, tanh(z + half), 1e-7);
}

static void noise_is_seldom_taken_for_a_lead(void **state) {
    (void)state;
    struct weeks w;
    int claims = 0;
    for (unsigned long s = 0; s < 20; s++) {
        make(&w, 0, 100 + s);
        claims += find(&w).p < 0.05;
    }
    assert_true(claims <= 4); /* binomial(20, 0.05): more happens once in 400 */
}

static void gaps_do_not_bring_weeks_together(void **state) {
    (void)state;
    struct weeks w;
    make(&w, 20000, 15);
    for (int t = 0; t < N; t += 9)
        w.sentiment[t] = NAN;
    w.outcome[40] = w.outcome[41] = NAN;
    bw_lead r = find(&w);
    assert_int_equal(r.lead, LEAD);
    assert_int_equal(r.weeks, N - (N + 8) / 9 - 2);
}

static void what_cannot_be_said_is_said(void **state) {
    (void)state;
    struct weeks w;
    bw_lead r;
    make(&w, 20000, 16);
    bw_lead_data d = {BW_LEAD_WEEKS - 1, w.sentiment, w.outcome, NULL, 0};
    CHECK_FAILS(bw_lead_find(&d, 7, &r, &err), BW_EDATA,
                "39 weeks with both reviews and sales; 40");
    d.n = BW_LEAD_WEEKS;
    CHECK_OK(bw_lead_find(&d, 7, &r, &err));
    d.n = 0;
    CHECK_FAILS(bw_lead_find(&d, 7, &r, &err), BW_EDATA, "0 weeks");
    d.n = N;
    for (int t = 0; t < N; t++)
        w.sentiment[t] = 0.25;
    CHECK_FAILS(bw_lead_find(&d, 7, &r, &err), BW_EDATA, "sentiment does not vary");
    make(&w, 20000, 16);
    for (int t = 0; t < N; t++)
        w.outcome[t] = 70000 + 350 * t;
    CHECK_FAILS(bw_lead_find(&d, 7, &r, &err), BW_EDATA, "the outcome does not vary");
    make(&w, 20000, 16);
    for (int t = 0; t < N; t++) /* both known in every third week: no two neighbours */
        w.sentiment[t] = t % 3 ? NAN : w.sentiment[t];
    CHECK_FAILS(bw_lead_find(&d, 7, &r, &err), BW_EDATA, "too far apart");
}

/* ---- the stage ---- */

static sqlite3 *shop_of(const struct weeks *w, size_t n) {
    sqlite3 *db;
    sqlite3_stmt *s;
    CHECK_OK(bw_db_open(":memory:", BW_DB_CREATE, &db, &err));
    CHECK_OK(bw_db_exec(db, "CREATE TEMP TABLE w (t, mood, sales, media)", &err));
    CHECK_OK(bw_db_prepare(db, "INSERT INTO w VALUES (?, ?, ?, ?)", &s, &err));
    for (size_t t = 0; t < n; t++) {
        sqlite3_bind_int(s, 1, (int)t);
        sqlite3_bind_double(s, 2, w->sentiment[t]);
        sqlite3_bind_double(s, 3, w->outcome[t]);
        sqlite3_bind_double(s, 4, 3 * w->media[t]);
        CHECK_OK(bw_db_run(s, &err));
    }
    sqlite3_finalize(s);
    CHECK_OK(
        bw_db_exec(db,
                   "INSERT INTO outcome (day, revenue) SELECT date('2024-01-01', (7 * t) || ' "
                   "days'), sales FROM w;"
                   "INSERT INTO review (id, day, text) SELECT t, date('2024-01-06', (7 * t) || "
                   "' days'), 'x' FROM w;"
                   "INSERT INTO review_score SELECT t, 0.2 - mood / 2, 0.6, 0.2 + mood / 2, "
                   "3, 1, 0, '' FROM w;",
                   &err));
    return db;
}

static double stored(sqlite3 *db, const char *sql) {
    return bw_db_number(db, sql, -99);
}

static void the_stage_reads_and_stores_once(void **state) {
    (void)state;
    struct weeks w;
    int64_t first, again;
    make(&w, 20000, 17);
    sqlite3 *db = shop_of(&w, N);
    CHECK_OK(bw_sentiment_run(db, false, &first, &err));
    CHECK_OK(bw_sentiment_run(db, false, &again, &err));
    assert_int_equal(first, again);
    double loose =
        stored(db, "SELECT mean FROM latest_estimate WHERE name = 'correlation' AND at = '3'");
    CHECK_NEAR(stored(db, "SELECT diagnostics LIKE '%no fit covers%' FROM model_run"), 1, 0);
    CHECK_OK(bw_db_exec(
        db,
        "INSERT INTO model_run (id, kind, engine, seed, input, created_at) VALUES "
        "(70, 'fit', 'test', 1, 'x', '');"
        "INSERT INTO estimate (run, name, subject, at, mean) SELECT 70, 'decomposition', "
        "'tv', date('2024-01-01', (7 * t) || ' days'), media FROM w",
        &err));
    CHECK_OK(bw_sentiment_run(db, false, &again, &err)); /* a new fit is a new input */
    assert_true(again > 70);
    CHECK_NEAR(stored(db, "SELECT mean FROM latest_estimate WHERE name = 'lead'"), LEAD, 0);
    CHECK_NEAR(
        stored(db, "SELECT mean FROM latest_estimate WHERE name = 'correlation' AND at = ''"),
        find(&w).lag[BW_LEAD_MOST + LEAD].r, 1e-9);
    assert_true(find(&w).lag[BW_LEAD_MOST + LEAD].r > loose); /* media hid a part of it */
    bw_db_close(db);
}

static void too_few_weeks_leave_the_database_alone(void **state) {
    (void)state;
    struct weeks w;
    int64_t run;
    make(&w, 20000, 18);
    sqlite3 *db = shop_of(&w, BW_LEAD_WEEKS - 1);
    CHECK_FAILS(bw_sentiment_run(db, false, &run, &err), BW_EDATA, "39 weeks");
    CHECK_NEAR(stored(db, "SELECT count(*) FROM model_run"), 0, 0);
    bw_db_close(db);
    CHECK_OK(bw_db_open(":memory:", BW_DB_CREATE, &db, &err));
    CHECK_FAILS(bw_sentiment_run(db, false, &run, &err), BW_EDATA, "0 weeks");
    bw_db_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lead_of_three_weeks_is_found_with_its_sign),
        cmocka_unit_test(the_series_exchanged_turn_the_lead_round),
        cmocka_unit_test(scale_and_level_change_nothing),
        cmocka_unit_test(the_interval_is_fishers),
        cmocka_unit_test(noise_is_seldom_taken_for_a_lead),
        cmocka_unit_test(gaps_do_not_bring_weeks_together),
        cmocka_unit_test(what_cannot_be_said_is_said),
        cmocka_unit_test(the_stage_reads_and_stores_once),
        cmocka_unit_test(too_few_weeks_leave_the_database_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
