/* tests/analyze/test_did.c - least squares and difference in differences. */
#include "tests/check.h"
#include "analyze/experiment/did.h"
#include "analyze/linear.h"

static bw_err err;

/* Anscombe's first quartet (1973): y = 3.0001 + 0.5001 x, standard error of the slope 0.1179, R2 0.6665. */
static void least_squares_reproduces_anscombe(void **state) {
    (void)state;
    static const double X[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
    static const double Y[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    double x[22];
    for (size_t i = 0; i < 11; i++) {
        x[2 * i] = 1;
        x[2 * i + 1] = X[i];
    }
    bw_ols_fit f;
    CHECK_OK(bw_ols(&(bw_ols_data){.x = x, .y = Y, .n = 11, .p = 2}, &f, &err));
    bw_contrast slope = bw_ols_coef(&f, 1, 0.95);
    CHECK_NEAR(f.coef[0], 3.0001, 1e-4);
    CHECK_NEAR(slope.estimate, 0.5001, 1e-4);
    CHECK_NEAR(slope.se, 0.1179, 1e-4);
    CHECK_NEAR(slope.p, 0.00217, 1e-5);
    CHECK_NEAR(f.r2, 0.6665, 1e-4);
    bw_ols_free(&f);
}

/* With every row its own cluster, CR1 is HC1 up to (n-1)/n g/(g-1) = 1. */
static void clusters_of_one_row_are_the_robust_errors(void **state) {
    (void)state;
    const double x[] = {1, 0, 1, 1, 1, 2, 1, 3, 1, 5}, y[] = {1, 3, 2, 8, 9};
    const size_t each[] = {0, 1, 2, 3, 4};
    bw_ols_fit a, b;
    CHECK_OK(
        bw_ols(&(bw_ols_data){.x = x, .y = y, .n = 5, .p = 2, .cov = BW_COV_ROBUST}, &a, &err));
    CHECK_OK(bw_ols(
        &(bw_ols_data){
            .x = x, .y = y, .n = 5, .p = 2, .cov = BW_COV_CLUSTER, .cluster = each, .clusters = 5},
        &b, &err));
    CHECK_REL(b.cov[3], a.cov[3], 1e-12);
    assert_true(a.df == 3 && b.df == 4);
    bw_ols_free(&a);
    bw_ols_free(&b);
}

static void a_column_that_repeats_another_is_named(void **state) {
    (void)state;
    const double x[] = {1, 2, 1, 4, 1, 9, 1, -3}, y[] = {1, 2, 3, 5};
    double three[12];
    static const char *const NAMES[] = {"one", "x", "twice x"};
    for (size_t i = 0; i < 4; i++) {
        three[3 * i] = x[2 * i];
        three[3 * i + 1] = x[2 * i + 1];
        three[3 * i + 2] = 2 * x[2 * i + 1] - 1;
    }
    bw_ols_fit f;
    CHECK_FAILS(
        bw_ols(&(bw_ols_data){.x = three, .y = y, .n = 4, .p = 3, .names = NAMES}, &f, &err),
        BW_EDATA, "twice x is constant or a combination");
}

/* Four units, five days, start at day 3; the effect is 2.5 on top of unit and day effects. */
enum { UNITS = 4, DAYS = 5, N = UNITS * DAYS };
struct panel {
    double y[N], treated[N], post[N], time[N];
    size_t unit[N];
};

static bw_did_data make_panel(struct panel *p, double noise) {
    for (size_t i = 0; i < N; i++) {
        size_t u = i / DAYS, t = i % DAYS;
        p->unit[i] = u;
        p->time[i] = (double)t;
        p->treated[i] = u < 2;
        p->post[i] = t >= 3;
        double wiggle = noise * (double)((7 * i * i + 3 * i) % 11);
        p->y[i] = 10 * (double)u - 1.5 * (double)t + 2.5 * p->treated[i] * p->post[i] + wiggle;
    }
    return (bw_did_data){.n = N,
                         .y = p->y,
                         .treated = p->treated,
                         .post = p->post,
                         .unit = p->unit,
                         .units = UNITS,
                         .time = p->time};
}

static void the_effect_is_free_of_unit_and_day_differences(void **state) {
    (void)state;
    struct panel p;
    bw_did_data d = make_panel(&p, 0.01);
    bw_did_result r;
    CHECK_OK(bw_did(&d, &r, &err));
    CHECK_NEAR(r.effect, 2.5, 0.06);
    assert_true(r.lo < 2.5 && 2.5 < r.hi && r.p < 0.05);
    assert_int_equal(r.treated_units, 2);
    assert_int_equal(r.periods_before, 3);
    double before = r.effect;
    for (size_t i = 0; i < N; i++) /* a day that hits all, and a unit's level, change nothing */
        p.y[i] += 100 * (p.time[i] == 4) + 7 * (p.unit[i] == 1);
    CHECK_OK(bw_did(&d, &r, &err));
    CHECK_NEAR(r.effect, before, 1e-9);
}

static void what_cannot_be_told_is_said(void **state) {
    (void)state;
    struct panel p;
    bw_did_result r;
    bw_did_data d = make_panel(&p, 0.01);
    for (size_t i = 0; i < N; i++)
        p.post[i] = 0;
    CHECK_FAILS(bw_did(&d, &r, &err), BW_EDATA, "no row is untreated after the start");
    d = make_panel(&p, 0.01);
    for (size_t i = 0; i < N; i++)
        p.treated[i] = p.unit[i] == 0;
    CHECK_FAILS(bw_did(&d, &r, &err), BW_EDATA, "1 treated and 3 untreated");
    d = make_panel(&p, 0.01);
    p.treated[0] = 0;
    CHECK_FAILS(bw_did(&d, &r, &err), BW_EDATA, "treated in some rows and not in others");
    d = make_panel(&p, 0.01);
    for (size_t i = 0; i < N; i++)
        p.y[i] = 3;
    CHECK_FAILS(bw_did(&d, &r, &err), BW_EDATA, "does not vary");
    d.log = true;
    p.y[7] = 0;
    CHECK_FAILS(bw_did(&d, &r, &err), BW_EDATA, "row 8: 0 has no logarithm");
}

static void sides_that_drift_apart_before_the_start_are_caught(void **state) {
    (void)state;
    struct panel p;
    bw_did_result r;
    bw_did_data d = make_panel(&p, 0.01);
    for (size_t i = 0; i < N; i++)
        p.y[i] += 3 * p.treated[i] * p.time[i];
    CHECK_OK(bw_did(&d, &r, &err));
    assert_true(r.pretrend_p < 0.01);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_squares_reproduces_anscombe),
        cmocka_unit_test(clusters_of_one_row_are_the_robust_errors),
        cmocka_unit_test(a_column_that_repeats_another_is_named),
        cmocka_unit_test(the_effect_is_free_of_unit_and_day_differences),
        cmocka_unit_test(what_cannot_be_told_is_said),
        cmocka_unit_test(sides_that_drift_apart_before_the_start_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
