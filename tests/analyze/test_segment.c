/* tests/analyze/test_segment.c - buying models and named groups. */
#include "tests/check.h"
#include "analyze/customer/segment.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

static bw_err err;
enum { N = 3000 };

/* Customers drawn from the model itself: weeks, r 0.6, alpha 5, a 0.8, b 2.5; gamma-gamma 5, 4, 15. */
static void simulate(bw_customer *c, double *money, bool modified, uint64_t seed) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, seed);
    for (size_t i = 0; i < N; i++) {
        double rate = gsl_ran_gamma(r, 0.6, 1 / 5.0), leave = gsl_ran_beta(r, 0.8, 2.5), t = 0;
        double nu = gsl_ran_gamma(r, 4, 1 / 15.0);
        c[i] = (bw_customer){.age = 30 + 20 * gsl_rng_uniform(r)};
        bool gone = modified && gsl_rng_uniform(r) < leave;
        while (!gone) {
            t += gsl_ran_exponential(r, 1 / rate);
            if (t > c[i].age)
                break;
            c[i].frequency += 1;
            c[i].recency = t;
            gone = gsl_rng_uniform(r) < leave;
        }
        c[i].value = c[i].frequency > 0
                         ? gsl_ran_gamma(r, 5 * c[i].frequency, 1 / (nu * c[i].frequency))
                         : 0;
        money[i] = c[i].value * (c[i].frequency + 1);
    }
    gsl_rng_free(r);
}

static void the_parameters_come_back(void **state) {
    (void)state;
    bw_customer *c = malloc(N * sizeof *c);
    double *money = malloc(N * sizeof *money);
    static const double TRUTH[] = {0.6, 5, 0.8, 2.5};
    for (int modified = 0; modified < 2; modified++) {
        bw_clv m;
        simulate(c, money, modified, 3);
        CHECK_OK(bw_clv_fit(c, N, modified, &m, &err));
        const double found[] = {m.r, m.alpha, m.a, m.b};
        for (size_t i = 0; i < 4; i++)
            CHECK_NEAR(log(found[i]), log(TRUTH[i]), 3 * sqrt(m.cov[i * 4 + i]));
        CHECK_NEAR(m.p, 5, 1.5);
        CHECK_NEAR(m.q, 4, 1);
    }
    free(c);
    free(money);
}

/* Fader, Hardie, Lee (2005) print, for the CDNOW sample's parameters, customer 1 (2 repeats, last after
 * 30.43 weeks of 38.86): 1.226 expected purchases in the next 39 weeks. */
static void the_published_customer_is_expected_to_buy(void **state) {
    (void)state;
    bw_clv m = {.r = 0.243, .alpha = 4.414, .a = 0.793, .b = 2.426, .p = NAN};
    bw_customer c = {.frequency = 2, .recency = 30.43, .age = 38.86};
    CHECK_NEAR(bw_clv_purchases(&m, &c, 39), 1.226, 2e-3);
    assert_true(isnan(bw_clv_value(&m, &c)));
}

static void who_bought_once_can_be_lost_in_the_modified_model_only(void **state) {
    (void)state;
    bw_clv m = {.r = 0.5, .alpha = 6, .a = 0.9, .b = 1.6};
    bw_customer once = {.age = 40};
    CHECK_NEAR(bw_clv_alive(&m, &once), 1, 0);
    m.modified = true;
    /* by hand: 1 / (1 + 0.9 / 1.6 * sqrt(46 / 6)) */
    CHECK_NEAR(bw_clv_alive(&m, &once), 1 / (1 + 0.9 / 1.6 * sqrt(46.0 / 6)), 1e-12);
    bw_customer recent = {.frequency = 3, .recency = 39, .age = 40},
                silent = {.frequency = 3, .recency = 5, .age = 40};
    assert_true(bw_clv_alive(&m, &recent) > 0.7 && bw_clv_alive(&m, &silent) < 0.3);
}

/* Purchases add up: expected buys grow with the horizon, more slowly the longer it gets. */
static void expected_purchases_grow_ever_more_slowly(void **state) {
    (void)state;
    bw_clv m = {
        .r = 0.5, .alpha = 6, .a = 0.9, .b = 1.6, .p = 6, .q = 4, .v = 15, .modified = true};
    bw_customer c = {.frequency = 4, .recency = 35, .age = 40, .value = 60};
    double a = bw_clv_purchases(&m, &c, 10), b = bw_clv_purchases(&m, &c, 20),
           d = bw_clv_purchases(&m, &c, 30);
    assert_true(0 < a && a < b && b < d && b - a < a && d - b < b - a);
    assert_true(bw_clv_lifetime(&m, &c, 30, 0.5) < bw_clv_lifetime(&m, &c, 30, 0));
    CHECK_REL(bw_clv_lifetime(&m, &c, 30, 0), d * bw_clv_value(&m, &c), 1e-9);
    assert_true(bw_clv_value(&m, &c) < 60 && bw_clv_value(&m, &c) > 30); /* p v / (q - 1) = 30 */
}

static void groups_are_ordered_as_their_names_say(void **state) {
    (void)state;
    bw_customer *c = malloc(N * sizeof *c);
    double *money = malloc(N * sizeof *money);
    bw_segment_kind *kind = malloc(N * sizeof *kind);
    bw_segment s[BW_SEGMENTS];
    bw_clv m;
    simulate(c, money, true, 4);
    CHECK_OK(bw_clv_fit(c, N, true, &m, &err));
    CHECK_OK(bw_segment_assign(c, money, N, kind, &err));
    CHECK_OK(bw_segment_describe(c, money, kind, N, &m, 52, 0.1, 1, s, &err));
    size_t total = 0;
    for (size_t g = 0; g < BW_SEGMENTS; g++)
        total += s[g].n;
    assert_int_equal(total, N);
    assert_true(s[BW_SEG_CHAMPIONS].lifetime.mean > s[BW_SEG_LOST].lifetime.mean);
    assert_true(s[BW_SEG_CHAMPIONS].churn < s[BW_SEG_AT_RISK].churn);
    assert_true(s[BW_SEG_CHAMPIONS].lifetime.lo < s[BW_SEG_CHAMPIONS].lifetime.mean);
    free(c);
    free(money);
    free(kind);
}

static void too_few_repeats_are_refused(void **state) {
    (void)state;
    bw_customer c[30] = {{0}};
    bw_clv m;
    for (size_t i = 0; i < 30; i++)
        c[i] = (bw_customer){.frequency = i < 7, .recency = i < 7 ? 3 : 0, .age = 10};
    CHECK_FAILS(bw_clv_fit(c, 30, true, &m, &err), BW_EDATA, "7 of 30 customers bought again");
    c[2].recency = 11;
    CHECK_FAILS(bw_clv_fit(c, 30, true, &m, &err), BW_EDATA, "customer 3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parameters_come_back),
        cmocka_unit_test(the_published_customer_is_expected_to_buy),
        cmocka_unit_test(who_bought_once_can_be_lost_in_the_modified_model_only),
        cmocka_unit_test(expected_purchases_grow_ever_more_slowly),
        cmocka_unit_test(groups_are_ordered_as_their_names_say),
        cmocka_unit_test(too_few_repeats_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
