/* tests/analyze/test_ab.c - arms against a control: intervals, several arms, best arm, shrinkage. */
#include "tests/check.h"
#include "analyze/experiment/ab.h"

#include <stdlib.h>

static bw_err err;

static bw_arm rate(double n, double successes) {
    return bw_arm_from_sums(n, successes, NAN, BW_METRIC_RATE);
}

/* By hand: 0.15 - 0.10, se = sqrt(.15 * .85 / 1000 + .1 * .9 / 2000) = 0.0131339. */
static void a_rate_has_the_unpooled_normal_interval(void **state) {
    (void)state;
    bw_arm arms[] = {rate(2000, 200), rate(1000, 150)};
    bw_arm_result r[2];
    bool few;
    CHECK_OK(bw_ab_compare(arms, 2, 0, BW_METRIC_RATE, r, &few, &err));
    assert_false(few);
    CHECK_NEAR(r[1].uplift, 0.05, 1e-15);
    CHECK_NEAR(r[1].lo, 0.05 - 1.959964 * 0.01313393, 1e-7);
    CHECK_NEAR(r[1].p, 1.407e-4, 1e-7); /* 2 (1 - Phi(3.807)), tables */
    assert_true(isnan(r[0].uplift) && isnan(r[0].p));
}

/* Welch on {1,2,3,4} and {2,4,6,8,10}: t = -2.0702 (the standard errors are 0.6455 and 1.4142),
 * df = 5.526 by Satterthwaite's formula. */
static void money_has_welchs_interval(void **state) {
    (void)state;
    const double a[] = {1, 2, 3, 4}, b[] = {2, 4, 6, 8, 10};
    bw_arm arms[] = {bw_arm_from_values(a, 4, BW_METRIC_MONEY),
                     bw_arm_from_values(b, 5, BW_METRIC_MONEY)};
    bw_arm_result r[2];
    bool few;
    CHECK_OK(bw_ab_compare(arms, 2, 0, BW_METRIC_MONEY, r, &few, &err));
    CHECK_NEAR(r[1].uplift, 3.5, 1e-12);
    CHECK_NEAR(r[1].se, sqrt(5.0 / 12 + 2), 1e-12);
    double va = 5.0 / 12, vb = 2, df = (va + vb) * (va + vb) / (va * va / 3 + vb * vb / 4);
    CHECK_NEAR(df, 5.5211, 1e-3);
    CHECK_NEAR((r[1].hi - r[1].lo) / 2 / r[1].se, 2.499, 2e-3); /* t(0.975, 5.52), tables */
}

/* Dunnett's table, two comparisons of equal size, infinite degrees of freedom: 2.21 (two-sided 5 %). */
static void two_arms_widen_the_interval_as_dunnett_says(void **state) {
    (void)state;
    bw_arm arms[] = {rate(1e6, 5e5), rate(1e6, 5e5), rate(1e6, 5e5)};
    bw_arm_result r[3];
    bool few;
    CHECK_OK(bw_ab_compare(arms, 3, 0, BW_METRIC_RATE, r, &few, &err));
    CHECK_NEAR(r[1].hi / r[1].se, 2.212, 1e-3);
    CHECK_NEAR(r[1].hi_single / r[1].se, 1.960, 1e-3);
}

/* Uniform prior, 1 of 2 against 2 of 2: P(beta(3,1) > beta(2,2)) = 0.8, by integration by hand;
 * E max - E = for the first arm: E[max] = 1 - integral of x^3 (3x^2 - 2x^3) = 11/14. */
static void the_best_arm_is_exact_for_beta_posteriors(void **state) {
    (void)state;
    bw_arm arms[] = {rate(2, 1), rate(2, 2)};
    bw_arm_result r[2];
    bool few;
    CHECK_OK(bw_ab_compare(arms, 2, 0, BW_METRIC_RATE, r, &few, &err));
    assert_true(few);
    CHECK_NEAR(r[1].p_best, 0.8, 2e-3);
    CHECK_NEAR(r[0].expected_loss, 11.0 / 14 - 0.5, 2e-3);
    CHECK_NEAR(r[0].p_best + r[1].p_best, 1, 1e-12);
}

static void arms_that_cannot_be_judged_are_refused(void **state) {
    (void)state;
    bw_arm_result r[2];
    bool few;
    bw_arm empty[] = {rate(0, 0), rate(10, 3)};
    CHECK_FAILS(bw_ab_compare(empty, 2, 0, BW_METRIC_RATE, r, &few, &err), BW_EDATA,
                "0 observations");
    const double zero[] = {0, 0, 0};
    bw_arm none[] = {bw_arm_from_values(zero, 3, BW_METRIC_MONEY),
                     bw_arm_from_values(zero, 3, BW_METRIC_MONEY)};
    CHECK_FAILS(bw_ab_compare(none, 2, 0, BW_METRIC_MONEY, r, &few, &err), BW_EDATA,
                "every value is the same");
    CHECK_FAILS(bw_ab_compare(none, 1, 0, BW_METRIC_MONEY, r, &few, &err), BW_EDATA,
                "one arm only");
}

/* 10 of 10 against 0 of 10: Wald's interval would have width 0. */
static void perfect_separation_keeps_a_finite_interval(void **state) {
    (void)state;
    bw_arm arms[] = {rate(10, 0), rate(10, 10)};
    bw_arm_result r[2];
    bool few;
    CHECK_OK(bw_ab_compare(arms, 2, 0, BW_METRIC_RATE, r, &few, &err));
    assert_true(few && r[1].uplift == 1 && r[1].lo > 0.4 && r[1].lo < 1 && r[1].p > 0);
}

/* Doubling every row inside its unit must not narrow the interval. */
static void doubled_rows_of_a_unit_change_nothing(void **state) {
    (void)state;
    const double sum[] = {1, 0, 2.5, 4, 0}, one[] = {1, 1, 1, 1, 1};
    const double twice[] = {2, 0, 5, 8, 0}, two[] = {2, 2, 2, 2, 2};
    bw_arm a = bw_arm_from_units(sum, one, 5), b = bw_arm_from_units(twice, two, 5);
    CHECK_NEAR(a.mean, b.mean, 1e-15);
    CHECK_NEAR(a.se, b.se, 1e-15);
    CHECK_NEAR(a.se, bw_arm_from_values(sum, 5, BW_METRIC_MONEY).se, 1e-15);
}

/* Chi-square of 60 and 40 against equal: 4 on one degree of freedom, p = 0.0455. */
static void the_split_is_tested(void **state) {
    (void)state;
    const double n[] = {60, 40}, planned[] = {3, 2};
    CHECK_NEAR(bw_sample_ratio_p(n, NULL, 2), 0.0455003, 1e-6);
    CHECK_NEAR(bw_sample_ratio_p(n, planned, 2), 1, 1e-12);
}

/* The interval is where p crosses alpha. */
static void the_always_valid_interval_and_p_agree(void **state) {
    (void)state;
    double half = bw_always_half_width(0.3, 0.7, 0.05);
    CHECK_NEAR(bw_always_p(half, 0.3, 0.7), 0.05, 1e-12);
    assert_true(half > 1.96 * 0.3);
}

static void cuped_removes_what_the_covariate_explains(void **state) {
    (void)state;
    double y[] = {3, 5, 8, 8}, x[] = {1, 2, 3, 4}, flat[] = {7, 7, 7, 7};
    double kept = 24.0 / 4;
    double removed = bw_cuped(y, x, 4);
    CHECK_NEAR(removed, 9.0 * 9.0 / (5.0 * 18.0), 1e-12); /* r^2 by hand: sxy 9, sxx 5, syy 18 */
    CHECK_NEAR((y[0] + y[1] + y[2] + y[3]) / 4, kept, 1e-12);
    CHECK_NEAR(bw_cuped(y, flat, 4), 0, 0);
}

/* Equal estimates are left where they are; a noisy one is pulled harder than a sharp one. */
static void shrinkage_pulls_the_noisy_estimate_most(void **state) {
    (void)state;
    const double e[] = {0, 0.1, 4, 4}, se[] = {0.5, 0.5, 0.5, 3};
    double mean[4], sd[4];
    bw_shrink(e, se, 4, mean, sd);
    assert_true(e[2] - mean[2] < e[3] - mean[3]);
    assert_true(mean[3] > 1 && mean[3] < 4 && sd[3] < 3);
    const double same[] = {2, 2, 2};
    bw_shrink(same, se, 3, mean, sd);
    CHECK_NEAR(mean[1], 2, 1e-9);
}

/* Half the money is zero; the bootstrap's interval is near the normal one on 400 values. */
static void the_bootstrap_agrees_with_the_normal_interval(void **state) {
    (void)state;
    double a[400], b[400], lo, hi, lo2, hi2;
    for (size_t i = 0; i < 400; i++) {
        a[i] = i % 2 ? 0 : (double)(i % 7);
        b[i] = i % 2 ? 0 : (double)(i % 5);
    }
    bw_ab_bootstrap(a, 400, b, 400, 1, &lo, &hi);
    bw_arm x = bw_arm_from_values(a, 400, BW_METRIC_MONEY),
           y = bw_arm_from_values(b, 400, BW_METRIC_MONEY);
    double se = hypot(x.se, y.se);
    CHECK_NEAR(lo, x.mean - y.mean - 1.96 * se, 0.25 * se);
    CHECK_NEAR(hi, x.mean - y.mean + 1.96 * se, 0.25 * se);
    bw_ab_bootstrap(a, 400, b, 400, 1, &lo2, &hi2);
    assert_true(lo == lo2 && hi == hi2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_has_the_unpooled_normal_interval),
        cmocka_unit_test(money_has_welchs_interval),
        cmocka_unit_test(two_arms_widen_the_interval_as_dunnett_says),
        cmocka_unit_test(the_best_arm_is_exact_for_beta_posteriors),
        cmocka_unit_test(arms_that_cannot_be_judged_are_refused),
        cmocka_unit_test(perfect_separation_keeps_a_finite_interval),
        cmocka_unit_test(doubled_rows_of_a_unit_change_nothing),
        cmocka_unit_test(the_split_is_tested),
        cmocka_unit_test(the_always_valid_interval_and_p_agree),
        cmocka_unit_test(cuped_removes_what_the_covariate_explains),
        cmocka_unit_test(shrinkage_pulls_the_noisy_estimate_most),
        cmocka_unit_test(the_bootstrap_agrees_with_the_normal_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
