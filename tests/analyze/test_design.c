/* tests/analyze/test_design.c - which places to treat, and what the past says of the choice. */
#include "tests/check.h"
#include "analyze/experiment/design.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

#define GEOS  12u
#define WEEKS 260u
#define NOISE 0.05

static bw_err err;

/* Places 2k and 2k + 1 share a walk of their own and their size: twins, but for independent noise. */
static double *twins(uint64_t seed) {
    double *y = malloc(GEOS * WEEKS * sizeof *y);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, seed);
    for (size_t k = 0; k < GEOS / 2; k++) {
        double walk = 0;
        for (size_t t = 0; t < WEEKS; t++) {
            walk += gsl_ran_gaussian(r, 0.04);
            for (size_t j = 2 * k; j < 2 * k + 2; j++)
                y[j * WEEKS + t] = 1000 * exp(walk + gsl_ran_gaussian(r, NOISE));
        }
    }
    gsl_rng_free(r);
    return y;
}

static void twins_become_pairs_with_one_treated(void **state) {
    (void)state;
    double *y = twins(3);
    bw_geo_design d;
    CHECK_OK(bw_geo_design_make(y, GEOS, WEEKS, 1, &d, &err));
    assert_int_equal(d.pairs, GEOS / 2);
    for (size_t j = 0; j < GEOS; j += 2) {
        assert_int_equal(d.pair[j], d.pair[j + 1]);
        assert_true(d.treated[j] != d.treated[j + 1]);
    }
    CHECK_NEAR(d.treated_share, 0.5, 0.01);
    bw_geo_design_free(&d);
    free(y);
}

/* Of twins only the noise is left in the log ratio: variance 2 sd^2 / 6 a week where sizes are alike, over
 * 4 weeks against 12 before: sd sqrt(2 / 6 (1 / 4 + 1 / 12)) 0.05 = 0.0167; walks make sizes unequal, so
 * somewhat more. */
static void the_error_is_what_the_noise_leaves(void **state) {
    (void)state;
    double *y = twins(4);
    bw_geo_design d;
    CHECK_OK(bw_geo_design_make(y, GEOS, WEEKS, 1, &d, &err));
    assert_true(d.error[4] > 0.014 && d.error[4] < 0.026);
    assert_true(d.error[8] < d.error[2]);
    assert_true(d.false_alarms[4] < 0.15 && d.placebos[4] > 100);
    assert_true(isnan(d.error[0]) || d.placebos[0] == 0);
    bw_geo_design_free(&d);
    free(y);
}

static void an_odd_place_is_left_out(void **state) {
    (void)state;
    double *y = twins(5);
    bw_geo_design d;
    CHECK_OK(bw_geo_design_make(y, GEOS - 1, WEEKS, 1, &d, &err));
    assert_int_equal(d.pairs, 5);
    size_t out = 0;
    for (size_t j = 0; j < GEOS - 1; j++)
        out += d.pair[j] == d.pairs;
    assert_int_equal(out, 1);
    bw_geo_design_free(&d);
    CHECK_FAILS(bw_geo_design_make(y, 3, WEEKS, 1, &d, &err), BW_EDATA, "3 places over 260 weeks");
    free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_become_pairs_with_one_treated),
        cmocka_unit_test(the_error_is_what_the_noise_leaves),
        cmocka_unit_test(an_odd_place_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
