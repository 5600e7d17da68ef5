/* tests/analyze/test_panel.c - switch-backs, synthetic control, power. */
#include "tests/check.h"
#include "analyze/experiment/power.h"
#include "analyze/experiment/switchback.h"
#include "analyze/experiment/synthetic.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

static bw_err err;

/* Effects of 2 now and 1 a period later: on all the time is 3; on minus off alone would say less. */
static void carry_over_is_counted_in(void **state) {
    (void)state;
    enum { N = 200 };
    double y[N], on[N];
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, 4);
    for (size_t t = 0; t < N; t++) {
        on[t] = gsl_rng_uniform(r) < 0.5;
        y[t] = 10 + 2 * on[t] + (t ? on[t - 1] : 0) + gsl_ran_gaussian(r, 0.5);
    }
    gsl_rng_free(r);
    bw_switchback s;
    CHECK_OK(bw_switchback_fit(y, on, N, 2, &s, &err));
    assert_true(s.lo < 3 && 3 < s.hi && s.hi - s.lo < 1);
    CHECK_NEAR(s.lag[1], 1, 4 * s.lag_se[1]);
    CHECK_NEAR(s.sum[2], s.effect, 1e-12);
    assert_true(s.naive < 2.6);
    for (size_t t = 0; t < N; t++)
        on[t] = 1;
    CHECK_FAILS(bw_switchback_fit(y, on, N, 2, &s, &err), BW_EDATA, "on all the time");
    for (size_t t = 0; t < N; t++)
        on[t] = t % 2 ? 1 : 0;
    CHECK_FAILS(bw_switchback_fit(y, on, N, 2, &s, &err), BW_EDATA, "too regularly");
    CHECK_FAILS(bw_switchback_fit(y, on, 8, 2, &s, &err), BW_EDATA, "8 periods with 2 lags");
}

/* The treated unit is 0.6 of the first donor and 0.4 of the third; from period 12 on it is 5 higher. */
static void the_mix_is_found_and_the_gap_with_it(void **state) {
    (void)state;
    enum { UNITS = 9, PERIODS = 18, START = 12 };
    double y[UNITS * PERIODS];
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, 5);
    for (size_t u = 1; u < UNITS; u++)
        for (size_t t = 0; t < PERIODS; t++)
            y[u * PERIODS + t] = 50 + 10 * (double)u + 5 * gsl_ran_gaussian(r, 1);
    gsl_rng_free(r);
    for (size_t t = 0; t < PERIODS; t++)
        y[t] = 0.6 * y[PERIODS + t] + 0.4 * y[3 * PERIODS + t] + (t >= START ? 30 : 0);
    bw_synthetic s;
    CHECK_OK(bw_synthetic_fit(y, UNITS, PERIODS, START, &s, &err));
    CHECK_NEAR(s.weight[0], 0.6, 0.02);
    CHECK_NEAR(s.weight[2], 0.4, 0.02);
    CHECK_NEAR(s.effect, 30, 0.5);
    CHECK_NEAR(s.p, 1.0 / UNITS, 1e-12); /* no placebo has a larger ratio: the least p there is */
    double sum = 0;
    for (size_t d = 0; d < UNITS - 1; d++) {
        assert_true(s.weight[d] >= 0);
        sum += s.weight[d];
    }
    CHECK_NEAR(sum, 1, 1e-9);
    bw_synthetic_free(&s);
    CHECK_FAILS(bw_synthetic_fit(y, 3, PERIODS, START, &s, &err), BW_EDATA, "2 untreated units");
    CHECK_FAILS(bw_synthetic_fit(y, UNITS, PERIODS, 2, &s, &err), BW_EDATA,
                "2 periods before the start");
}

/* 5 % to 6 % with 80 % power, two-sided 5 %: 8,155 an arm by the usual formula,
 * (1.959964 + 0.841621)^2 (0.05 * 0.95 + 0.06 * 0.94) / 0.01^2. */
static void sample_size_follows_the_formula(void **state) {
    (void)state;
    bw_power_design d = {.alpha = 0.05, .arms = 1, .ratio = 1, .rows = 1};
    bw_power_rate(&d, 0.05, 0.01);
    double n = bw_power_rows(&d, 0.01, 0.8);
    CHECK_NEAR(n, 8156, 1.5);
    CHECK_NEAR(bw_power_of(&d, 0.01, n), 0.8, 1e-4);
    CHECK_NEAR(bw_power_effect(&d, n, 0.8), 0.01, 1e-5);
    CHECK_NEAR(bw_power_of(&d, 1e-9, n), 0.05, 1e-6); /* without effect: the false alarms */
}

static void arms_units_and_covariates_change_the_size(void **state) {
    (void)state;
    bw_power_design d = {
        .sd = 10, .sd_treated = 10, .alpha = 0.05, .arms = 1, .ratio = 1, .rows = 1};
    double plain = bw_power_rows(&d, 1, 0.8);
    d.arms = 3;
    assert_true(bw_power_rows(&d, 1, 0.8) > 1.2 * plain);
    d.arms = 1;
    d.rows = 5;
    d.icc = 0.25;
    CHECK_REL(bw_power_rows(&d, 1, 0.8), 2 * plain, 2e-3); /* 1 + 4 * 0.25 */
    d.icc = 0;
    d.correlation = 0.6;
    CHECK_REL(bw_power_rows(&d, 1, 0.8), 0.64 * plain, 2e-3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carry_over_is_counted_in),
        cmocka_unit_test(the_mix_is_found_and_the_gap_with_it),
        cmocka_unit_test(sample_size_follows_the_formula),
        cmocka_unit_test(arms_units_and_covariates_change_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
