/* tests/analyze/test_forecast.c - structural series, peers, fans, plans. */
#include "tests/check.h"
#include "analyze/forecast/forecast.h"
#include "analyze/forecast/forecast_out.h"
#include "analyze/forecast/smoothing.h"
#include "analyze/experiment/structural.h"
#include "analyze/table.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

static bw_err err;

/* Weekly sales of n weeks from 2022-01-03: trend, a yearly wave, noise of 3 %; week 60 is 40 % low. */
static bw_series weekly(size_t n, size_t horizon, double noise, uint64_t seed) {
    bw_series s = {.n = n, .horizon = horizon, .step = 7, .calendar = true};
    bw_day_parse("2022-01-03", &s.first);
    s.y = malloc(n * sizeof *s.y);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, seed);
    for (size_t t = 0; t < n; t++)
        s.y[t] = exp(8 + 0.002 * (double)t + 0.3 * sin(2 * M_PI * (double)t * 7 / 365.25) +
                     gsl_ran_gaussian(r, noise)) *
                 (t == 60 ? 0.6 : 1);
    gsl_rng_free(r);
    return s;
}

static void the_fan_holds_the_future(void **state) {
    (void)state;
    bw_series s = weekly(120, 13, 0.03, 3);
    bw_forecast f;
    CHECK_OK(bw_forecast_fit(&s, true, 1, &f, &err));
    assert_true(f.log_scale && f.yearly);
    size_t inside = 0;
    for (size_t h = 0; h < 13; h++) {
        double truth = exp(8 + 0.002 * (double)(120 + h) +
                           0.3 * sin(2 * M_PI * (double)(120 + h) * 7 / 365.25));
        inside += truth > f.fan[h].q[0] && truth < f.fan[h].q[5];
        assert_true(f.fan[h].q[0] < f.fan[h].q[1] && f.fan[h].q[2] < f.fan[h].median &&
                    f.fan[h].median < f.fan[h].q[3]);
    }
    assert_true(inside >= 11);
    assert_true(f.ours.mae < f.naive.mae); /* last year lacks the trend */
    bw_forecast_free(&f);
    bw_series_free(&s);
}

static void the_low_week_is_the_anomaly(void **state) {
    (void)state;
    bw_series s = weekly(110, 4, 0.02, 4);
    bw_forecast f;
    CHECK_OK(bw_forecast_fit(&s, false, 1, &f, &err));
    bool found = false;
    for (size_t i = 0; i < f.anomalies; i++)
        found |= f.anomaly[i].at == 60 && f.anomaly[i].actual < f.anomaly[i].expected &&
                 f.anomaly[i].p < 1e-4;
    assert_true(found);
    assert_true(f.anomalies <= 4);
    assert_int_equal(f.origins, 0);
    bw_forecast_free(&f);
    bw_series_free(&s);
}

static void a_plan_counts_what_was_reached(void **state) {
    (void)state;
    bw_series s = weekly(110, 8, 0.02, 5);
    bw_forecast f;
    bw_plan plan;
    bw_plan_result r;
    CHECK_OK(bw_forecast_fit(&s, false, 1, &f, &err));
    char text[80], from[11], until[11];
    bw_day_format(bw_series_at(&s, 108), from);
    bw_day_format(bw_series_at(&s, 113), until);
    snprintf(text, sizeof text, "%g %s %s", 1.0, from, until);
    assert_true(bw_plan_parse(text, &plan));
    CHECK_OK(bw_plan_judge(&s, &f, &plan, &r, &err));
    CHECK_NEAR(r.reached, s.y[108] + s.y[109], 1e-9);
    assert_int_equal(r.ahead, 4);
    CHECK_NEAR(r.probability, 1, 0);
    assert_true(r.lo < r.mean && r.mean < r.hi);
    plan.amount = 10 * r.mean;
    CHECK_OK(bw_plan_judge(&s, &f, &plan, &r, &err));
    CHECK_NEAR(r.probability, 0, 0);
    plan.last += 3650;
    CHECK_FAILS(bw_plan_judge(&s, &f, &plan, &r, &err), BW_EARG, "beyond the 8 periods");
    assert_false(bw_plan_parse("12 2024-02-30 2024-03-01", &plan));
    bw_forecast_free(&f);
    bw_series_free(&s);
}

/* Two draws, 300 and 700, disagree on what a steady channel earns: with the spend as it was the total stays
 * as sure as without them; with the spend twice as high the fan moves by their mean and widens. */
static void planned_spend_moves_the_fan(void **state) {
    (void)state;
    bw_series s = weekly(120, 6, 0.02, 9);
    bw_forecast alone, same, more;
    CHECK_OK(bw_forecast_fit(&s, false, 1, &alone, &err));
    s.media = (bw_media){2, malloc(2 * 120 * sizeof(double)), malloc(2 * 6 * sizeof(double))};
    for (size_t i = 0; i < 240; i++)
        s.media.seen[i] = i < 120 ? 300 : 700;
    for (size_t i = 0; i < 12; i++)
        s.media.ahead[i] = i < 6 ? 300 : 700;
    CHECK_OK(bw_forecast_fit(&s, true, 1, &same, &err));
    CHECK_REL(same.fan[2].median, alone.fan[2].median, 0.02);
    CHECK_REL(same.fan[2].sd, alone.fan[2].sd, 0.25);
    assert_true(same.cover95 > 0.7 && same.ours.wmape < 0.06);
    for (size_t i = 0; i < 12; i++)
        s.media.ahead[i] *= 2;
    CHECK_OK(bw_forecast_fit(&s, false, 1, &more, &err));
    CHECK_NEAR(more.fan[2].mean - same.fan[2].mean, 500, 5);
    assert_true(more.fan[2].sd > 1.05 * same.fan[2].sd);
    bw_forecast_free(&alone);
    bw_forecast_free(&same);
    bw_forecast_free(&more);
    bw_series_free(&s);
}

/* Forty weeks hold no year: the season must be left out rather than guessed. */
static void less_than_a_year_and_a_half_has_no_season(void **state) {
    (void)state;
    bw_series s = weekly(40, 4, 0.05, 6);
    bw_forecast f;
    CHECK_OK(bw_forecast_fit(&s, false, 1, &f, &err));
    assert_false(f.yearly);
    bw_notes notes = {0};
    bw_forecast_notes(&s, &f, &notes);
    assert_non_null(strstr(notes.text[0], "left out"));
    bw_notes_free(&notes);
    bw_forecast_free(&f);
    for (size_t t = 0; t < s.n; t++)
        s.y[t] = 7;
    CHECK_FAILS(bw_forecast_fit(&s, false, 1, &f, &err), BW_EDATA, "all 40 values are equal");
    bw_series_free(&s);
}

/* Negative values go on the linear scale; gaps are skipped and nothing becomes NAN. */
static void gaps_and_negative_values_are_survived(void **state) {
    (void)state;
    bw_series s = weekly(60, 4, 0.05, 7);
    for (size_t t = 20; t < 26; t++)
        s.y[t] = NAN;
    s.y[3] = -50;
    bw_forecast f;
    CHECK_OK(bw_forecast_fit(&s, true, 1, &f, &err));
    assert_false(f.log_scale);
    for (size_t h = 0; h < 4; h++)
        assert_true(isfinite(f.fan[h].mean) && isfinite(f.fan[h].q[0]));
    assert_true(isfinite(f.ours.mae));
    bw_forecast_free(&f);
    bw_series_free(&s);
}

/* By hand: season 3, the value a season ago, twice for the second lap; a hole is filled a lap earlier. */
static void seasonal_naive_repeats_the_last_lap(void **state) {
    (void)state;
    const double y[] = {1, 2, 3, 4, NAN, 6};
    double out[5];
    bw_seasonal_naive(y, 6, 3, 5, out);
    const double expected[] = {4, 2, 6, 4, 2};
    for (size_t h = 0; h < 5; h++)
        CHECK_NEAR(out[h], expected[h], 0);
    bw_seasonal_naive(y, 6, 0, 2, out);
    CHECK_NEAR(out[1], 6, 0);
}

/* A straight line plus a fixed season is followed exactly, but for the damping of the slope. */
static void holt_winters_follows_a_seasonal_line(void **state) {
    (void)state;
    double y[48], out[4];
    static const double SEASON[] = {5, -3, 1, -3};
    for (size_t t = 0; t < 48; t++)
        y[t] = 100 + 0.5 * (double)t + SEASON[t % 4];
    bw_holt_winters(y, 48, 4, 4, out);
    for (size_t h = 0; h < 4; h++)
        CHECK_NEAR(out[h], 100 + 0.5 * (double)(48 + h) + SEASON[h], 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fan_holds_the_future),
        cmocka_unit_test(the_low_week_is_the_anomaly),
        cmocka_unit_test(a_plan_counts_what_was_reached),
        cmocka_unit_test(planned_spend_moves_the_fan),
        cmocka_unit_test(less_than_a_year_and_a_half_has_no_season),
        cmocka_unit_test(gaps_and_negative_values_are_survived),
        cmocka_unit_test(seasonal_naive_repeats_the_last_lap),
        cmocka_unit_test(holt_winters_follows_a_seasonal_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
