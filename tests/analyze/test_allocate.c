/* Budget splits against brute force, concave and S-shaped, with groups, targets and goals. */
#include "tests/check.h"

#include "analyze/mix/allocate.h"

#include <gsl/gsl_rng.h>
#include <stdlib.h>

enum { LEVELS = 21 };

/* Michaelis-Menten where power is 1, an S-curve above. */
static void curve(double *x, double *f, double lo, double hi, double top, double half,
                  double power) {
    for (int i = 0; i < LEVELS; i++) {
        x[i] = lo + (hi - lo) * i / (LEVELS - 1);
        f[i] = top * pow(x[i], power) / (pow(half, power) + pow(x[i], power));
    }
}

/* The best split of total over three channels whose grids have the same step, by trying all. */
static double brute(const bw_allocation *a, double group_hi) {
    double step = a->x[1] - a->x[0], best = -INFINITY;
    for (int i = 0; i < LEVELS; i++)
        for (int j = 0; j < LEVELS; j++) {
            double third = a->total - a->x[i] - a->x[LEVELS + j];
            int k = (int)lround((third - a->x[2 * LEVELS]) / step);
            if (k < 0 || k >= LEVELS || fabs(a->x[2 * LEVELS + k] - third) > 1e-9)
                continue;
            if (a->x[i] + a->x[LEVELS + j] > group_hi + 1e-9)
                continue;
            best = fmax(best, a->f[i] + a->f[LEVELS + j] + a->f[2 * LEVELS + k]);
        }
    return best;
}

static void matches_brute_force(void **state) {
    (void)state;
    bw_err err = {{0}};
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(r, 4);
    double x[3 * LEVELS], f[3 * LEVELS];
    for (int run = 0; run < 200; run++) {
        for (int c = 0; c < 3; c++)
            curve(x + c * LEVELS, f + c * LEVELS, 0, 100, 50 + 400 * gsl_rng_uniform(r),
                  5 + 80 * gsl_rng_uniform(r), run % 2 ? 1 : 1 + 2 * gsl_rng_uniform(r));
        bw_allocation a = {
            .n_channel = 3, .n_level = LEVELS, .x = x, .f = f, .total = 5 * (10 + run % 40)};
        bw_allocation_result out;
        CHECK_OK(bw_allocate(&a, &out, &err));
        double best = brute(&a, INFINITY);
        CHECK_NEAR(out.x[0] + out.x[1] + out.x[2], a.total, 1e-6);
        assert_true(out.bound >= best - 1e-9); /* the bound bounds */
        assert_true(out.value <= out.bound + 1e-9);
        if (run % 2) /* concave: the split is the best of the grid */
            CHECK_REL(out.value, best, 1e-9);
        else /* S-shaped: at most a twentieth below the best */
            assert_true(out.value >= 0.95 * best);
        bw_allocation_free(&out);
    }
    gsl_rng_free(r);
}

static void groups_are_kept(void **state) {
    (void)state;
    bw_err err = {{0}};
    double x[3 * LEVELS], f[3 * LEVELS], lo = 0, hi = 60;
    size_t group[3] = {0, 0, BW_NO_GROUP};
    curve(x, f, 0, 100, 300, 20, 1);
    curve(x + LEVELS, f + LEVELS, 0, 100, 250, 30, 1);
    curve(x + 2 * LEVELS, f + 2 * LEVELS, 0, 100, 60, 40, 1);
    bw_allocation a = {3, LEVELS, 1, x, f, group, &lo, &hi, 150, 0, 0};
    bw_allocation_result out;
    CHECK_OK(bw_allocate(&a, &out, &err));
    CHECK_NEAR(out.x[0] + out.x[1], 60, 1e-6);
    CHECK_REL(out.value, brute(&a, 60), 1e-9);
    assert_true(out.group_price[0] > 0); /* the group's ceiling costs something */
    bw_allocation_free(&out);
    lo = 150;
    hi = 200;
    CHECK_OK(bw_allocate(&a, &out, &err)); /* and its floor takes all that there is */
    CHECK_NEAR(out.x[2], 0, 1e-6);
    bw_allocation_free(&out);
}

/* The price of the total is what one more unit brings; that of a ceiling likewise. */
static void prices_are_derivatives(void **state) {
    (void)state;
    bw_err err = {{0}};
    double x[2 * LEVELS], f[2 * LEVELS], value[2];
    bw_allocation_result out;
    for (int i = 0; i < 2; i++) {
        curve(x, f, 0, 40, 300, 20, 1);
        curve(x + LEVELS, f + LEVELS, 0, 100, 100, 50, 1);
        bw_allocation a = {.n_channel = 2, .n_level = LEVELS, .x = x, .f = f, .total = 73 + i};
        CHECK_OK(bw_allocate(&a, &out, &err));
        value[i] = out.value;
        if (i == 0) {
            CHECK_NEAR(out.x[0], 40, 1e-9);
            assert_true(out.channel_price[0] > 0);
            CHECK_NEAR(out.channel_price[1], 0, 1e-12);
        }
        if (i == 1)
            CHECK_NEAR(value[1] - value[0], out.price, 1e-6);
        bw_allocation_free(&out);
    }
}

/* The price of a channel's ceiling and of a group's against what half a unit more of it really earns: within
 * a piece of the grid's straight lines the two agree to rounding. */
static void prices_of_limits_are_differences(void **state) {
    (void)state;
    bw_err err = {{0}};
    double x[3 * LEVELS], f[3 * LEVELS], lo = 0, hi, value[2], channel = 0, of_group = 0;
    size_t group[3] = {BW_NO_GROUP, 0, 0};
    for (int what = 0; what < 2; what++) { /* the ceiling of channel 0, then that of the group */
        for (int i = 0; i < 2; i++) {
            /* a finer ceiling at the end of the same grid: its last level moves by half a unit */
            curve(x, f, 0, 40, 300, 20, 1);
            if (what == 0 && i == 1) {
                x[LEVELS - 1] = 40.5;
                f[LEVELS - 1] += 0.5 * (f[LEVELS - 1] - f[LEVELS - 2]) / (40 - x[LEVELS - 2]);
            }
            hi = what == 1 && i == 1 ? 30.7 : 30.2;
            curve(x + LEVELS, f + LEVELS, 0, 100, 250, 30, 1);
            curve(x + 2 * LEVELS, f + 2 * LEVELS, 0, 100, 60, 40, 1);
            bw_allocation a = {3, LEVELS, 1, x, f, group, &lo, &hi, 60, 0, 0};
            bw_allocation_result out;
            CHECK_OK(bw_allocate(&a, &out, &err));
            value[i] = out.value;
            if (i == 0) {
                channel = out.channel_price[0];
                of_group = out.group_price[0];
            }
            bw_allocation_free(&out);
        }
        CHECK_NEAR(value[1] - value[0], 0.5 * (what == 0 ? channel : of_group), 1e-6);
    }
}

static void goal_and_target(void **state) {
    (void)state;
    bw_err err = {{0}};
    double x[2 * LEVELS], f[2 * LEVELS];
    curve(x, f, 0, 100, 300, 20, 1);
    curve(x + LEVELS, f + LEVELS, 0, 100, 200, 50, 1);
    bw_allocation a = {.n_channel = 2, .n_level = LEVELS, .x = x, .f = f, .goal = 250};
    bw_allocation_result out;
    CHECK_OK(bw_allocate(&a, &out, &err));
    CHECK_NEAR(out.value, 250, 1e-6);
    bw_allocation fixed = a;
    fixed.goal = 0;
    fixed.total = out.spend - 1; /* one less does not reach it */
    bw_allocation_free(&out);
    CHECK_OK(bw_allocate(&fixed, &out, &err));
    assert_true(out.value < 250);
    bw_allocation_free(&out);
    a.goal = 0;
    a.target = 3;
    CHECK_OK(bw_allocate(&a, &out, &err));
    CHECK_NEAR(out.value / out.spend, 3, 1e-6);
    bw_allocation_free(&out);
    a.target = 0;
    a.goal = 1000; /* more than both channels can do */
    CHECK_OK(bw_allocate(&a, &out, &err));
    assert_int_equal(out.reached, 0);
    bw_allocation_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_brute_force),
        cmocka_unit_test(groups_are_kept),
        cmocka_unit_test(prices_are_derivatives),
        cmocka_unit_test(prices_of_limits_are_differences),
        cmocka_unit_test(goal_and_target),
    };
    return cmocka_run_group_tests_name("allocate", tests, NULL, NULL);
}
