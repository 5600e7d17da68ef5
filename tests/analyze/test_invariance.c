/* tests/analyze/test_invariance.c - what must not matter does not: units of money, order of rows, names of
 * arms and units, dates. Price, promotion, impact, lead and staggered starts have theirs beside their own tests. */
#include "tests/check.h"
#include "analyze/customer/clv.h"
#include "analyze/experiment/ab.h"
#include "analyze/experiment/did.h"
#include "analyze/experiment/switchback.h"
#include "analyze/experiment/synthetic.h"
#include "analyze/forecast/forecast.h"
#include "analyze/timing/timing.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

static bw_err err;
static gsl_rng *rng;

static void compare(const double *a, const double *b, size_t n, size_t control,
                    bw_arm_result out[2]) {
    bw_arm arms[] = {bw_arm_from_values(a, n, BW_METRIC_MONEY),
                     bw_arm_from_values(b, n, BW_METRIC_MONEY)};
    bool few;
    CHECK_OK(bw_ab_compare(arms, 2, control, BW_METRIC_MONEY, out, &few, &err));
}

static void arms_exchanged_turn_the_sign(void **state) {
    (void)state;
    enum { N = 83 };
    double a[N], b[N], cents[2][N];
    for (size_t i = 0; i < N; i++) {
        a[i] = gsl_ran_lognormal(rng, 2, 1);
        b[i] = gsl_ran_lognormal(rng, 2.3, 1);
        cents[0][N - 1 - i] = 100 * a[i]; /* and the rows backwards */
        cents[1][N - 1 - i] = 100 * b[i];
    }
    bw_arm_result r[2], turned[2], in_cents[2];
    compare(a, b, N, 0, r);
    compare(a, b, N, 1, turned);
    compare(cents[0], cents[1], N, 0, in_cents);
    CHECK_NEAR(turned[0].uplift, -r[1].uplift, 1e-12);
    CHECK_NEAR(turned[0].lo, -r[1].hi, 1e-9);
    CHECK_NEAR(turned[0].p, r[1].p, 1e-12);
    CHECK_NEAR(turned[0].p_best, r[0].p_best, 0.02); /* drawn */
    CHECK_NEAR(in_cents[1].uplift, 100 * r[1].uplift, 1e-9);
    CHECK_NEAR(in_cents[1].lo, 100 * r[1].lo, 1e-9);
    CHECK_NEAR(in_cents[1].p_always, r[1].p_always, 1e-9);
    CHECK_NEAR(in_cents[1].relative, r[1].relative, 1e-12);
}

static void a_panel_is_no_list(void **state) {
    (void)state;
    enum { UNITS = 11, TIMES = 7, N = UNITS * TIMES };
    double y[2][N], treated[2][N], post[2][N], day[2][N];
    size_t unit[2][N];
    for (size_t i = 0; i < N; i++) {
        size_t u = i / TIMES, t = i % TIMES,
               k = (i * 5 + 2) % N; /* 5 and 77 have no common factor */
        y[0][i] = (double)(3 * u + t) + gsl_ran_gaussian(rng, 1) + (u > 5 && t > 3 ? 2 : 0);
        unit[0][i] = u;
        day[0][i] = (double)t;
        treated[0][i] = u > 5;
        post[0][i] = t > 3;
        y[1][k] = 100 * y[0][i] - 700;
        unit[1][k] = (u * 4 + 1) % UNITS;
        day[1][k] = 20000 + 7 * day[0][i];
        treated[1][k] = treated[0][i];
        post[1][k] = post[0][i];
    }
    bw_did_result r[2];
    for (size_t v = 0; v < 2; v++)
        CHECK_OK(bw_did(&(bw_did_data){.n = N,
                                       .y = y[v],
                                       .treated = treated[v],
                                       .post = post[v],
                                       .unit = unit[v],
                                       .units = UNITS,
                                       .time = day[v]},
                        &r[v], &err));
    CHECK_NEAR(r[1].effect, 100 * r[0].effect, 1e-7);
    CHECK_NEAR(r[1].se, 100 * r[0].se, 1e-7);
    CHECK_NEAR(r[1].pretrend_p, r[0].pretrend_p, 1e-9);
}

static void donors_in_another_order_are_the_same_mix(void **state) {
    (void)state;
    enum { UNITS = 9, TIMES = 14 };
    double y[UNITS * TIMES], turned[UNITS * TIMES];
    for (size_t u = 0; u < UNITS; u++)
        for (size_t t = 0; t < TIMES; t++) {
            double v = 40 + 3 * (double)u + gsl_ran_gaussian(rng, 2) + (u == 0 && t > 9 ? 6 : 0);
            y[u * TIMES + t] = v;
            turned[(u ? UNITS - u : 0) * TIMES + t] = 100 * v;
        }
    bw_synthetic a, b;
    CHECK_OK(bw_synthetic_fit(y, UNITS, TIMES, 10, &a, &err));
    CHECK_OK(bw_synthetic_fit(turned, UNITS, TIMES, 10, &b, &err));
    CHECK_NEAR(b.effect, 100 * a.effect, 0.05);
    CHECK_NEAR(b.hi - b.lo, 100 * (a.hi - a.lo), 0.1);
    CHECK_NEAR(b.p, a.p, 1e-12);
    CHECK_NEAR(b.weight[0], a.weight[UNITS - 2], 1e-4);
    bw_synthetic_free(&a);
    bw_synthetic_free(&b);
}

static void a_switch_back_has_a_unit_and_a_level(void **state) {
    (void)state;
    enum { N = 71 };
    double y[N], moved[N], on[N];
    for (size_t t = 0; t < N; t++) {
        on[t] = gsl_rng_uniform(rng) < 0.5;
        y[t] = 4 + on[t] + gsl_ran_gaussian(rng, 1);
        moved[t] = 60 * y[t] + 1000;
    }
    bw_switchback a, b;
    CHECK_OK(bw_switchback_fit(y, on, N, 2, &a, &err));
    CHECK_OK(bw_switchback_fit(moved, on, N, 2, &b, &err));
    CHECK_NEAR(b.effect, 60 * a.effect, 1e-7);
    CHECK_NEAR(b.se, 60 * a.se, 1e-6);
    CHECK_NEAR(b.p, a.p, 1e-9);
}

/* 60 weeks: no season of the year, so that other dates mean nothing. */
static void a_forecast_has_a_currency_and_no_birthday(void **state) {
    (void)state;
    enum { N = 60, AHEAD = 4 };
    bw_forecast f[2];
    bw_series s[2];
    for (size_t v = 0; v < 2; v++) {
        s[v] = (bw_series){.n = N, .horizon = AHEAD, .step = 7, .calendar = true};
        s[v].first = 19723 + 84 * (double)v;
        s[v].y = malloc(N * sizeof(double));
    }
    for (size_t t = 0; t < N; t++) {
        s[0].y[t] = 500 + (double)t + gsl_ran_gaussian(rng, 20);
        s[1].y[t] = 100 * s[0].y[t];
    }
    for (size_t v = 0; v < 2; v++)
        CHECK_OK(bw_forecast_fit(&s[v], false, 3, &f[v], &err));
    for (size_t h = 0; h < AHEAD; h++) {
        CHECK_REL(f[1].fan[h].median, 100 * f[0].fan[h].median, 1e-3);
        CHECK_REL(f[1].fan[h].hi90, 100 * f[0].fan[h].hi90, 2e-3);
    }
    for (size_t v = 0; v < 2; v++) {
        bw_forecast_free(&f[v]);
        bw_series_free(&s[v]);
    }
}

static void customers_have_no_order(void **state) {
    (void)state;
    enum { N = 700 };
    static bw_customer c[2][N];
    for (size_t i = 0; i < N; i++) {
        double rate = gsl_ran_gamma(rng, 0.8, 0.1), age = 40 + 40 * gsl_rng_uniform(rng), t = 0;
        bw_customer x = {.age = age, .value = gsl_ran_gamma(rng, 6, 5)};
        while ((t += gsl_ran_exponential(rng, 1 / rate)) < age && gsl_rng_uniform(rng) < 0.8) {
            x.frequency += 1;
            x.recency = t;
        }
        c[0][i] = x;
        x.value *= 100;
        c[1][N - 1 - i] = x;
    }
    bw_clv m[2];
    for (size_t v = 0; v < 2; v++)
        CHECK_OK(bw_clv_fit(c[v], N, true, &m[v], &err));
    CHECK_REL(m[1].r, m[0].r, 1e-3);
    CHECK_REL(m[1].alpha, m[0].alpha, 1e-3);
    CHECK_REL(m[1].p, m[0].p, 0.01);
    CHECK_REL(bw_clv_lifetime(&m[1], &c[1][N - 1], 52, 0.1),
              100 * bw_clv_lifetime(&m[0], &c[0][0], 52, 0.1), 0.01);
}

static void sends_have_no_order(void **state) {
    (void)state;
    enum { N = 240 };
    static bw_send s[2][N];
    for (size_t i = 0; i < N; i++) {
        s[0][i] = (bw_send){.day = 19723 + (double)(i / 2),
                            .hour = 9 + (int)(i % 5),
                            .theme = UINT32_MAX,
                            .gap = NAN,
                            .messages = 1,
                            .trials = 2000};
        s[0][i].successes = gsl_ran_binomial(rng, 0.02 + 0.01 * (double)(i % 5 == 3), 2000);
        s[1][(i * 7 + 5) % N] = s[0][i]; /* 7 and 240 have no common factor */
    }
    bw_timing t[2];
    for (size_t v = 0; v < 2; v++)
        CHECK_OK(bw_timing_fit(s[v], N, 1, 0, BW_FAMILY_RATE, 1, 2, 9, &t[v], &err));
    assert_int_equal(t[0].slots, t[1].slots);
    for (size_t k = 0; k < t[0].slots; k++)
        CHECK_NEAR(t[1].slot[k].index.mean, t[0].slot[k].index.mean, 1e-6);
    for (size_t v = 0; v < 2; v++)
        bw_timing_free(&t[v]);
}

static int setup(void **state) {
    (void)state;
    rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, 77);
    return rng ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    gsl_rng_free(rng);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arms_exchanged_turn_the_sign),
        cmocka_unit_test(a_panel_is_no_list),
        cmocka_unit_test(donors_in_another_order_are_the_same_mix),
        cmocka_unit_test(a_switch_back_has_a_unit_and_a_level),
        cmocka_unit_test(a_forecast_has_a_currency_and_no_birthday),
        cmocka_unit_test(customers_have_no_order),
        cmocka_unit_test(sends_have_no_order),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
