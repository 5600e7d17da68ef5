/* tests/analyze/test_bsts.c - what would have happened without the treatment. */
#include "tests/check.h"
#include "analyze/experiment/bsts.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

static bw_err err;
enum { N = 110, START = 80 };

struct series {
    double y[N], x[2 * N];
};

/* y follows the first control, not the second, with a weekly pattern when asked; from START on it is `effect`
 * higher. */
static bw_impact_data make(struct series *s, double effect, double weekly, uint64_t seed) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, seed);
    double walk = 20;
    for (size_t t = 0; t < N; t++) {
        walk += gsl_ran_gaussian(r, 0.5);
        s->x[2 * t] = walk;
        s->x[2 * t + 1] = gsl_ran_gaussian(r, 1);
        s->y[t] = 100 + 2 * walk + weekly * (double)(t % 7 == 6) + gsl_ran_gaussian(r, 1) +
                  (t >= START ? effect : 0);
    }
    gsl_rng_free(r);
    return (bw_impact_data){.n = N, .start = START, .k = 2, .y = s->y, .x = s->x};
}

static void the_effect_is_inside_its_interval(void **state) {
    (void)state;
    struct series s;
    bw_impact r;
    bw_impact_data d = make(&s, 4, 0, 1);
    CHECK_OK(bw_impact_fit(&d, 1, &r, &err));
    assert_true(r.average.lo < 4 && 4 < r.average.hi && r.p < 0.01);
    assert_true(r.effect.lo > 0);
    CHECK_NEAR(r.effect.mean, r.actual - r.predicted.mean, 1e-6);
    CHECK_NEAR(r.cumulative[r.periods - 1].mean, r.effect.mean, 1e-9);
    CHECK_NEAR(r.coef[0], 2, 0.3);
    assert_true(r.r2 > 0.6 && r.r2 < 1);
    assert_true(r.placebo_p > 0.02);
    bw_impact_free(&r);
}

static void no_effect_is_not_found(void **state) {
    (void)state;
    struct series s;
    bw_impact r;
    bw_impact_data d = make(&s, 0, 0, 2);
    CHECK_OK(bw_impact_fit(&d, 1, &r, &err));
    assert_true(r.effect.lo < 0 && 0 < r.effect.hi && r.p > 0.05);
    bw_impact_free(&r);
}

/* The weekly pattern is large; without a season it would swell the interval. */
static void a_season_narrows_the_interval(void **state) {
    (void)state;
    struct series s;
    bw_impact with, without;
    bw_impact_data d = make(&s, 4, 12, 3);
    CHECK_OK(bw_impact_fit(&d, 1, &without, &err));
    d.season = 7;
    CHECK_OK(bw_impact_fit(&d, 1, &with, &err));
    assert_true(with.average.lo < 4 && 4 < with.average.hi);
    assert_true(with.effect.hi - with.effect.lo < 0.7 * (without.effect.hi - without.effect.lo));
    bw_impact_free(&with);
    bw_impact_free(&without);
}

static void units_and_seed_behave(void **state) {
    (void)state;
    struct series s;
    bw_impact a, b;
    bw_impact_data d = make(&s, 4, 0, 4);
    CHECK_OK(bw_impact_fit(&d, 1, &a, &err));
    CHECK_OK(bw_impact_fit(&d, 1, &b, &err));
    assert_true(a.effect.lo == b.effect.lo && a.p == b.p);
    bw_impact_free(&b);
    for (size_t t = 0; t < N; t++) {
        s.y[t] *= 100;
        s.x[2 * t] /= 7;
    }
    CHECK_OK(bw_impact_fit(&d, 1, &b, &err));
    CHECK_REL(b.effect.mean, 100 * a.effect.mean, 1e-6);
    bw_impact_free(&a);
    bw_impact_free(&b);
}

static void what_cannot_be_said_is_said(void **state) {
    (void)state;
    struct series s;
    bw_impact r;
    bw_impact_data d = make(&s, 4, 0, 5);
    d.start = 5;
    CHECK_FAILS(bw_impact_fit(&d, 1, &r, &err), BW_EDATA, "5 values before the start");
    d.start = N;
    CHECK_FAILS(bw_impact_fit(&d, 1, &r, &err), BW_EDATA, "lies in the future");
    d = make(&s, 4, 0, 5);
    for (size_t t = 0; t < START; t++)
        s.y[t] = 9;
    CHECK_FAILS(bw_impact_fit(&d, 1, &r, &err), BW_EDATA, "does not vary before");
}

/* The treatment starts on the last day, a control never moves, values are missing: finite all the same. */
static void one_day_of_treatment_is_finite(void **state) {
    (void)state;
    struct series s;
    bw_impact r;
    bw_impact_data d = make(&s, 4, 0, 6);
    d.start = N - 1;
    for (size_t t = 0; t < N; t++)
        s.x[2 * t + 1] = 3;
    for (size_t t = 10; t < 15; t++)
        s.y[t] = NAN;
    CHECK_OK(bw_impact_fit(&d, 1, &r, &err));
    assert_int_equal(r.periods, 1);
    assert_true(isfinite(r.effect.lo) && isfinite(r.coef[1]) && isfinite(r.p));
    bw_impact_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_effect_is_inside_its_interval),
        cmocka_unit_test(no_effect_is_not_found),
        cmocka_unit_test(a_season_narrows_the_interval),
        cmocka_unit_test(units_and_seed_behave),
        cmocka_unit_test(what_cannot_be_said_is_said),
        cmocka_unit_test(one_day_of_treatment_is_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
