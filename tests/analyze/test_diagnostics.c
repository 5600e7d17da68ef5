/* Convergence diagnostics on chains whose answer is known. */
#include "tests/check.h"

#include "analyze/sampler/diagnostics.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>

enum { CHAINS = 4, DRAWS = 5001 }; /* odd: the middle draw of a split has no half */

/* AR(1) chains of unit variance; phi 0 is independence. */
static double *chains(double phi, unsigned long seed) {
    double *x = malloc(CHAINS * DRAWS * sizeof *x);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(r, seed);
    for (size_t c = 0; c < CHAINS; c++) {
        double at = gsl_ran_gaussian(r, 1);
        for (size_t i = 0; i < DRAWS; i++) {
            x[c * DRAWS + i] = at;
            at = phi * at + sqrt(1 - phi * phi) * gsl_ran_gaussian(r, 1);
        }
    }
    gsl_rng_free(r);
    return x;
}

static bw_chains view(const double *x) {
    return (bw_chains){x, CHAINS, DRAWS, DRAWS, 1};
}

/* The integrated autocorrelation time of AR(1) is (1 + phi) / (1 - phi). */
static void effective_draws_of_autoregressions(void **state) {
    (void)state;
    static const double phis[] = {0.0, 0.3, 0.8, -0.4};
    for (size_t k = 0; k < 4; k++) {
        double *x = chains(phis[k], 17 + k);
        bw_chains c = view(x);
        double exact = CHAINS * DRAWS * (1 - phis[k]) / (1 + phis[k]);
        CHECK_NEAR(bw_ess_mean(&c) / exact, 1.0, 0.1);
        CHECK_NEAR(bw_ess_bulk(&c) / exact, 1.0, 0.1);
        CHECK_NEAR(bw_mcse_mean(&c) * sqrt(exact), 1.0, 0.08);
        CHECK_NEAR(bw_rhat(&c), 1.0, 0.01);
        free(x);
    }
}

/* An indicator of the tail of independent draws is worth all of them. */
static void tail_of_independent_draws(void **state) {
    (void)state;
    double *x = chains(0, 4);
    bw_chains c = view(x);
    CHECK_NEAR(bw_ess_tail(&c) / (CHAINS * DRAWS), 1.0, 0.1);
    free(x);
}

/* One chain a whole sd away: variance of four means 0.25, so R-hat near sqrt(1 + 0.25). */
static void a_shifted_chain_is_seen(void **state) {
    (void)state;
    double *x = chains(0, 5);
    for (size_t i = 0; i < DRAWS; i++)
        x[i] += 1.0;
    bw_chains c = view(x);
    assert_true(bw_rhat(&c) > 1.08);
    assert_true(bw_ess_bulk(&c) < 100);
    free(x);
}

/* Same centre, one chain four times as wide: only the folded ranks see it. */
static void a_wider_chain_is_seen(void **state) {
    (void)state;
    double *x = chains(0, 6);
    for (size_t i = 0; i < DRAWS; i++)
        x[i] *= 4.0;
    bw_chains c = view(x);
    assert_true(bw_rhat(&c) > 1.05);
    free(x);
}

/* A chain that drifts from -1 to 1 disagrees with itself; splitting sees it though chains agree. */
static void a_drift_is_seen(void **state) {
    (void)state;
    double *x = chains(0, 7);
    for (size_t i = 0; i < CHAINS * DRAWS; i++)
        x[i] += 2.0 * (double)(i % DRAWS) / DRAWS - 1.0;
    bw_chains c = view(x);
    assert_true(bw_rhat(&c) > 1.05);
    free(x);
}

/* Ranks do not care for units or for heavy tails. */
static void rank_normalised_measures_ignore_monotone_transforms(void **state) {
    (void)state;
    double *x = chains(0.5, 8), *y = malloc(CHAINS * DRAWS * sizeof *y);
    for (size_t i = 0; i < CHAINS * DRAWS; i++)
        y[i] = exp(3 * x[i]);
    bw_chains a = view(x), b = view(y);
    CHECK_REL(bw_ess_bulk(&b), bw_ess_bulk(&a), 1e-9);
    free(x);
    free(y);
}

static void constant_draws_have_no_answer(void **state) {
    (void)state;
    double x[40];
    for (size_t i = 0; i < 40; i++)
        x[i] = 2.5;
    bw_chains c = {x, 2, 20, 20, 1};
    assert_true(isnan(bw_rhat(&c)));
    assert_true(isnan(bw_ess_bulk(&c)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effective_draws_of_autoregressions),
        cmocka_unit_test(tail_of_independent_draws),
        cmocka_unit_test(a_shifted_chain_is_seen),
        cmocka_unit_test(a_wider_chain_is_seen),
        cmocka_unit_test(a_drift_is_seen),
        cmocka_unit_test(rank_normalised_measures_ignore_monotone_transforms),
        cmocka_unit_test(constant_draws_have_no_answer),
    };
    return cmocka_run_group_tests_name("diagnostics", tests, NULL, NULL);
}
