/* tests/analyze/test_timing.c - mixed regression for rates, and what it says about hours. */
#include "tests/check.h"
#include "analyze/glmm.h"
#include "analyze/table.h"
#include "analyze/timing/timing.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

static bw_err err;

/* 30 of 100 against 60 of 100: the coefficient is the log odds ratio, log(1.5 / (3/7)) = 1.252763,
 * its variance 1/30 + 1/70 + 1/60 + 1/40 (Woolf); the ridge of a fixed effect moves both by < 1e-3. */
static void two_rates_give_the_log_odds_ratio(void **state) {
    (void)state;
    const uint32_t column[] = {0, UINT32_MAX, 0, 1}, block[] = {0, 0};
    const double s[] = {30, 60}, n[] = {100, 100};
    const bool fixed[] = {true};
    bw_glmm_data d = {.n = 2,
                      .p = 2,
                      .width = 2,
                      .column = column,
                      .successes = s,
                      .trials = n,
                      .block = block,
                      .blocks = 1,
                      .fixed = fixed,
                      .no_scatter = true};
    bw_glmm_fit f;
    CHECK_OK(bw_glmm(&d, NULL, &f, &err));
    CHECK_NEAR(f.coef[1], 1.252763, 2e-3);
    CHECK_NEAR(f.cov[3], 1.0 / 30 + 1.0 / 70 + 1.0 / 60 + 1.0 / 40, 1e-3);
    bw_glmm_free(&f);
}

static void separation_gives_a_large_finite_effect(void **state) {
    (void)state;
    const uint32_t column[] = {0, UINT32_MAX, 0, 1}, block[] = {0, 0};
    const double s[] = {5, 40}, n[] = {40, 40}, none[] = {0, 0};
    const bool fixed[] = {true};
    bw_glmm_data d = {.n = 2,
                      .p = 2,
                      .width = 2,
                      .column = column,
                      .successes = s,
                      .trials = n,
                      .block = block,
                      .blocks = 1,
                      .fixed = fixed,
                      .no_scatter = true};
    bw_glmm_fit f;
    CHECK_OK(bw_glmm(&d, NULL, &f, &err));
    assert_true(isfinite(f.coef[1]) && f.coef[1] > 4 && sqrt(f.cov[3]) > 1);
    bw_glmm_free(&f);
    d.successes = none;
    CHECK_FAILS(bw_glmm(&d, NULL, &f, &err), BW_EDATA, "no success");
}

/* One trial a row must give what the same trials added up give: a working response is never cut. */
static void single_trials_and_their_sum_agree(void **state) {
    (void)state;
    enum { N = 400 };
    static uint32_t column[2 * N];
    static double s[N], n[N];
    const uint32_t block[] = {0, 0}, short_column[] = {0, UINT32_MAX, 0, 1};
    double sum[2] = {0}, count[2] = {0};
    for (size_t i = 0; i < N; i++) {
        size_t g = i % 2;
        column[2 * i] = 0;
        column[2 * i + 1] = g ? 1 : UINT32_MAX;
        s[i] = i % (g ? 25 : 7) == g; /* rates of 4 % and 14 % */
        n[i] = 1;
        sum[g] += s[i];
        count[g] += 1;
    }
    const bool fixed[] = {true};
    bw_glmm_data d = {.n = N,
                      .p = 2,
                      .width = 2,
                      .column = column,
                      .successes = s,
                      .trials = n,
                      .block = block,
                      .blocks = 1,
                      .fixed = fixed,
                      .no_scatter = true};
    bw_glmm_fit one, added;
    CHECK_OK(bw_glmm(&d, NULL, &one, &err));
    d.n = 2;
    d.column = short_column;
    d.successes = sum;
    d.trials = count;
    CHECK_OK(bw_glmm(&d, NULL, &added, &err));
    CHECK_NEAR(one.coef[0], added.coef[0], 1e-3);
    CHECK_NEAR(one.coef[1], added.coef[1], 1e-3);
    bw_glmm_free(&one);
    bw_glmm_free(&added);
}

/* Two groups of counts without a prior: the estimates are the logs of their means, 4 and 11, and the scatter
 * is the deviation beyond chance: of 1, 3, 5, 7 the variance 20 / 3 exceeds the mean 4. Money in cents with
 * the unit in cents is the same model as in euros. */
static void counts_and_money_have_the_log_of_their_mean(void **state) {
    (void)state;
    enum { N = 8 };
    static const double y[N] = {1, 3, 5, 7, 5, 17, 2, 20}, one[N] = {1, 1, 1, 1, 1, 1, 1, 1};
    double cents[N];
    uint32_t column[2 * N], block[2] = {0, 0};
    for (uint32_t i = 0; i < N; i++) {
        column[2 * i] = 0;
        column[2 * i + 1] = i < 4 ? UINT32_MAX : 1;
        cents[i] = 100 * y[i];
    }
    static const bool fixed[1] = {true};
    bw_glmm_data d = {.n = N,
                      .p = 2,
                      .width = 2,
                      .column = column,
                      .successes = y,
                      .trials = one,
                      .block = block,
                      .blocks = 1,
                      .fixed = fixed,
                      .family = BW_FAMILY_COUNT};
    bw_glmm_fit counts, money, small;
    CHECK_OK(bw_glmm(&d, NULL, &counts, &err));
    CHECK_NEAR(exp(counts.coef[0]), 4, 0.05);
    CHECK_NEAR(exp(counts.coef[0] + counts.coef[1]), 11, 0.1);
    assert_true(counts.scatter > 0.2 && counts.scatter < 1);
    d.family = BW_FAMILY_MONEY;
    d.unit = 2;
    CHECK_OK(bw_glmm(&d, NULL, &money, &err));
    d.successes = cents;
    d.unit = 200;
    CHECK_OK(bw_glmm(&d, NULL, &small, &err));
    CHECK_NEAR(small.coef[0] - money.coef[0], log(100), 0.01);
    CHECK_REL(small.scatter, money.scatter, 1e-2);
    bw_glmm_free(&counts);
    bw_glmm_free(&money);
    bw_glmm_free(&small);
    static const double none[N] = {0};
    d.successes = none;
    CHECK_FAILS(bw_glmm(&d, NULL, &counts, &err), BW_EDATA, "every one of 8 values is zero");
}

/* Scores 1..4, labels 0 1 0 1: three of four pairs are in order. A tie counts half. */
static void auc_counts_pairs(void **state) {
    (void)state;
    const double score[] = {1, 2, 3, 4}, tied[] = {1, 1, 1, 1}, label[] = {0, 1, 0, 1};
    const double same[] = {1, 1, 1, 1};
    CHECK_NEAR(bw_auc(score, label, 4), 0.75, 1e-15);
    CHECK_NEAR(bw_auc(tied, label, 4), 0.5, 1e-15);
    assert_true(isnan(bw_auc(score, same, 4)));
}

enum { SENDS = 900 };

/* Mondays to Sundays, 8 to 20 o'clock; Thursday 19:00 sells 60 % more, all else is equal; an audience
 * that heard from us the day before buys 40 % less, half of which is gone after three days. */
static void simulate(bw_send *send, uint64_t seed) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, seed);
    double first;
    bw_day_parse("2024-01-01", &first); /* a Monday */
    for (size_t i = 0; i < SENDS; i++) {
        bw_send *s = &send[i];
        int weekday = (int)gsl_rng_uniform_int(r, 7), week = (int)(i / 9);
        *s = (bw_send){.day = first + 7 * week + weekday,
                       .hour = 8 + (int)gsl_rng_uniform_int(r, 13),
                       .audience = (uint32_t)gsl_rng_uniform_int(r, 3),
                       .theme = UINT32_MAX,
                       .gap = 1 + (double)gsl_rng_uniform_int(r, 20),
                       .messages = 1,
                       .trials = 8000};
        if (i % 15 == 0) { /* enough sends in the good hour */
            s->day = first + 7 * week + 3;
            s->hour = 19;
        }
        s->flags = gsl_rng_uniform(r) < 0.5; /* the first feature adds 20 % */
        bool good = s->hour == 19 && fmod(s->day - first, 7) == 3;
        double rate = 0.004 * (good ? 1.6 : 1) * (s->flags ? 1.2 : 1) *
                      (1 - 0.4 * pow(0.5, (s->gap - 1) / 3)) * exp(gsl_ran_gaussian(r, 0.15));
        s->successes = gsl_ran_binomial(r, rate, (unsigned)s->trials);
    }
    gsl_rng_free(r);
}

static void the_good_hour_is_found_with_its_gain(void **state) {
    (void)state;
    bw_send *send = calloc(SENDS, sizeof *send);
    simulate(send, 5);
    bw_timing t;
    CHECK_OK(bw_timing_fit(send, SENDS, 3, 0, BW_FAMILY_RATE, 1, 2, 1, &t, &err));
    const bw_slot *best = &t.slot[t.best];
    assert_int_equal(best->weekday, 3);
    assert_int_equal(best->hour, 19);
    assert_true(best->p_best > 0.9);
    /* 1.6 over the mean of the 91 slots, of which one is 1.6 and ninety are 1 */
    assert_true(best->index.lo < 1.6 / (1 + 0.6 / 91) && 1.6 / (1 + 0.6 / 91) < best->index.hi);
    assert_true(t.gain.lo > 0.2 && t.gain.hi < 0.9);
    assert_true(t.fatigue.lo < 0.4 && 0.4 < t.fatigue.hi);
    assert_true(t.half_life.lo <= 3 && 3 <= t.half_life.hi);
    assert_true(t.content[0].lo < 0.2 && 0.2 < t.content[0].hi);
    assert_true(isnan(t.content[1].mean)); /* a feature no message has */
    CHECK_NEAR(t.scatter, 0.15, 0.04);
    assert_true(t.window_weekday == 3 && t.window_first <= 19 && t.window_last >= 19);
    bw_timing_free(&t);
    free(send);
}

static void equal_data_and_seed_give_equal_bytes(void **state) {
    (void)state;
    bw_send *send = calloc(SENDS, sizeof *send);
    simulate(send, 6);
    bw_timing a, b;
    CHECK_OK(bw_timing_fit(send, SENDS, 3, 0, BW_FAMILY_RATE, 1, 2, 1, &a, &err));
    CHECK_OK(bw_timing_fit(send, SENDS, 3, 0, BW_FAMILY_RATE, 1, 2, 1, &b, &err));
    assert_memory_equal(a.slot, b.slot, a.slots * sizeof *a.slot);
    bw_timing_free(&a);
    bw_timing_free(&b);
    free(send);
}

static void one_hour_has_nothing_to_compare_with(void **state) {
    (void)state;
    bw_send *send = calloc(SENDS, sizeof *send);
    simulate(send, 7);
    for (size_t i = 0; i < SENDS; i++) {
        send[i].day = send[0].day;
        send[i].hour = 9;
    }
    bw_timing t;
    CHECK_FAILS(bw_timing_fit(send, SENDS, 3, 0, BW_FAMILY_RATE, 1, 2, 1, &t, &err), BW_EDATA,
                "same hour of the same weekday");
    CHECK_FAILS(bw_timing_fit(send, 12, 3, 0, BW_FAMILY_RATE, 1, 2, 1, &t, &err), BW_EDATA,
                "12 sends");
    free(send);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_rates_give_the_log_odds_ratio),
        cmocka_unit_test(separation_gives_a_large_finite_effect),
        cmocka_unit_test(single_trials_and_their_sum_agree),
        cmocka_unit_test(counts_and_money_have_the_log_of_their_mean),
        cmocka_unit_test(auc_counts_pairs),
        cmocka_unit_test(the_good_hour_is_found_with_its_gain),
        cmocka_unit_test(equal_data_and_seed_give_equal_bytes),
        cmocka_unit_test(one_hour_has_nothing_to_compare_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
