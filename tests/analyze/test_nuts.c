/* The sampler on posteriors known in closed form, its reproducibility, and its own warnings. */
#include "tests/check.h"

#include "analyze/sampler/diagnostics.h"
#include "analyze/sampler/nuts.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <omp.h>
#include <stdlib.h>

static bw_chains column(const bw_nuts_result *r, size_t i) {
    return (bw_chains){r->draw + i, r->chains, r->draws, r->draws * r->dim, r->dim};
}

static double mean_of(const bw_nuts_result *r, size_t i, double power) {
    double sum = 0;
    for (size_t k = 0; k < r->chains * r->draws; k++)
        sum += pow(r->draw[k * r->dim + i], power);
    return sum / (double)(r->chains * r->draws);
}

/* Ten correlated normals of very different scales: q_i = 10^(i/3) (z_i + z_{i-1}). */
#define N 10
static double eval_chain(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    double z[N], value = 0, before = 0;
    for (int i = 0; i < N; i++) {
        z[i] = q[i] / pow(10, i / 3.0) - before;
        before = z[i];
        value -= 0.5 * z[i] * z[i];
    }
    double back = 0; /* d value / d z_i through z_{i+1} = ... - z_i */
    for (int i = N - 1; i >= 0; i--) {
        back = -z[i] - back;
        g[i] = back / pow(10, i / 3.0);
    }
    return value;
}

static void correlated_normals(void **state) {
    (void)state;
    bw_err err = {{0}};
    double start[N] = {0};
    bw_density f = {N, NULL, eval_chain, NULL, NULL};
    static const size_t block[] = {1, 2, 3, 5, 8};
    for (int kind = 0; kind < 3; kind++) { /* variances, a whole matrix, a matrix of five of them */
        bw_nuts_options o = {.chains = 4,
                             .warmup = 600,
                             .draws = 1000,
                             .seed = 11,
                             .dense = kind == 1,
                             .block = kind == 2 ? block : NULL,
                             .n_block = 5,
                             .start = start};
        bw_nuts_result r;
        CHECK_OK(bw_nuts_sample(&f, &o, &r, &err));
        for (size_t i = 0; i < N; i++) {
            bw_chains c = column(&r, i);
            double scale = pow(10, (double)i / 3.0), variance = (i ? 2.0 : 1.0) * scale * scale;
            double sd = sqrt(variance), ess = bw_ess_mean(&c);
            assert_true(bw_rhat(&c) < 1.02);
            /* 4.5 standard errors: one in 150,000 by chance a check, and the seed is fixed. */
            CHECK_NEAR(mean_of(&r, i, 1) / sd, 0.0, 4.5 / sqrt(ess));
            CHECK_NEAR(mean_of(&r, i, 2) / variance, 1.0, 4.5 * sqrt(2.0 / (0.5 * ess)));
        }
        for (size_t c = 0; c < 4; c++)
            assert_int_equal(r.chain[c].divergences, 0);
        bw_nuts_free(&r);
    }
}

/* The log of a Gamma(3, 2): skewed; the sampled quantiles lie at the exact ones. */
static double eval_log_gamma(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    g[0] = 3.0 - 2.0 * exp(q[0]);
    return 3.0 * q[0] - 2.0 * exp(q[0]);
}

static void skewed_posterior(void **state) {
    (void)state;
    bw_err err = {{0}};
    double start = 0;
    bw_density f = {1, NULL, eval_log_gamma, NULL, NULL};
    bw_nuts_options o = {.chains = 2, .warmup = 500, .draws = 4000, .seed = 5, .start = &start};
    bw_nuts_result r;
    CHECK_OK(bw_nuts_sample(&f, &o, &r, &err));
    for (double p = 0.1; p < 0.95; p += 0.2) {
        double at = log(gsl_cdf_gamma_Pinv(p, 3.0, 0.5));
        size_t below = 0;
        for (size_t k = 0; k < 8000; k++)
            below += r.draw[k] <= at;
        CHECK_NEAR((double)below / 8000.0, p, 0.03);
    }
    bw_nuts_free(&r);
}

static void same_draws_for_any_number_of_threads(void **state) {
    (void)state;
    bw_err err = {{0}};
    double start[N] = {0};
    bw_density f = {N, NULL, eval_chain, NULL, NULL};
    bw_nuts_options o = {
        .chains = 3, .warmup = 200, .draws = 100, .seed = 3, .dense = true, .start = start};
    bw_nuts_result one, many;
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    CHECK_OK(bw_nuts_sample(&f, &o, &one, &err));
    omp_set_num_threads(3);
    CHECK_OK(bw_nuts_sample(&f, &o, &many, &err));
    omp_set_num_threads(before);
    assert_memory_equal(one.draw, many.draw, 3 * 100 * N * sizeof(double));
    assert_memory_not_equal(one.draw, one.draw + 100 * N,
                            100 * N * sizeof(double)); /* chains differ */
    bw_nuts_free(&one);
    bw_nuts_free(&many);
}

/* Neal's funnel, v ~ N(0, 3), x_i ~ N(0, e^(v/2)): known to break samplers, who must say so. */
static double eval_funnel(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    double v = q[0], precision = exp(-v), value = -v * v / 18.0;
    g[0] = -v / 9.0;
    for (int i = 1; i < N; i++) {
        value -= 0.5 * v + 0.5 * q[i] * q[i] * precision;
        g[0] += 0.5 * (q[i] * q[i] * precision - 1.0);
        g[i] = -q[i] * precision;
    }
    return value;
}

static void a_funnel_is_reported(void **state) {
    (void)state;
    bw_err err = {{0}};
    double start[N] = {0};
    bw_density f = {N, NULL, eval_funnel, NULL, NULL};
    bw_nuts_options o = {.chains = 4, .warmup = 400, .draws = 500, .seed = 8, .start = start};
    bw_nuts_result r;
    CHECK_OK(bw_nuts_sample(&f, &o, &r, &err));
    size_t divergences = 0;
    double ebfmi = 1;
    for (size_t c = 0; c < 4; c++) {
        divergences += r.chain[c].divergences;
        ebfmi = fmin(ebfmi, r.chain[c].ebfmi);
    }
    assert_true(divergences > 0);
    assert_true(ebfmi < 0.3);
    bw_nuts_free(&r);
}

/* Simulation-based calibration (Talts et al. 2018): mu ~ N(0, 1), log sigma ~ N(0, 0.5), five
 * observations. The rank of the truth among 63 thinned draws is uniform on 0..63: chi-squared over
 * 8 bins, 7 degrees of freedom, above 24.3 once in a thousand. */
static double eval_small(const void *model, void *scratch, const double *q, double *g) {
    (void)scratch;
    const double *y = model;
    double precision = exp(-2.0 * q[1]), sum = 0, squares = 0;
    for (int i = 0; i < 5; i++) {
        sum += y[i] - q[0];
        squares += (y[i] - q[0]) * (y[i] - q[0]);
    }
    g[0] = precision * sum - q[0];
    g[1] = precision * squares - 5.0 - q[1] / 0.25;
    return -0.5 * precision * squares - 5.0 * q[1] - 0.5 * q[0] * q[0] - 0.5 * q[1] * q[1] / 0.25;
}

static void simulation_based_calibration(void **state) {
    (void)state;
    enum { RUNS = 240, BINS = 8, DRAWS = 63, THIN = 8 };
    bw_err err = {{0}};
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, 2018);
    double counts[2][BINS] = {{0}};
    for (int run = 0; run < RUNS; run++) {
        double y[5], start[2] = {0, 0},
                     truth[2] = {gsl_ran_gaussian(rng, 1), gsl_ran_gaussian(rng, 0.5)};
        for (int i = 0; i < 5; i++)
            y[i] = truth[0] + gsl_ran_gaussian(rng, exp(truth[1]));
        bw_density f = {2, y, eval_small, NULL, NULL};
        bw_nuts_options o = {.chains = 1,
                             .warmup = 300,
                             .draws = DRAWS * THIN,
                             .seed = (unsigned long)run + 1,
                             .start = start};
        bw_nuts_result r;
        CHECK_OK(bw_nuts_sample(&f, &o, &r, &err));
        for (int k = 0; k < 2; k++) {
            int rank = 0;
            for (int i = 0; i < DRAWS; i++)
                rank += r.draw[(size_t)i * THIN * 2 + (size_t)k] < truth[k];
            counts[k][rank * BINS / (DRAWS + 1)] += 1;
        }
        bw_nuts_free(&r);
    }
    gsl_rng_free(rng);
    for (int k = 0; k < 2; k++) {
        double chi = 0, expected = (double)RUNS / BINS;
        for (int b = 0; b < BINS; b++)
            chi += (counts[k][b] - expected) * (counts[k][b] - expected) / expected;
        if (!(chi < 24.3))
            fail_msg("parameter %d: chi-squared %.1f on 7 degrees of freedom", k, chi);
    }
}

static double eval_nowhere(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    (void)q;
    g[0] = 0;
    return -INFINITY;
}

static void no_density_is_an_error(void **state) {
    (void)state;
    bw_err err = {{0}};
    double start = 0;
    bw_density f = {1, NULL, eval_nowhere, NULL, NULL};
    bw_nuts_options o = {.chains = 2, .warmup = 100, .draws = 10, .seed = 1, .start = &start};
    bw_nuts_result r;
    CHECK_FAILS(bw_nuts_sample(&f, &o, &r, &err), BW_EDATA, "no point");
    assert_null(r.draw);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correlated_normals),
        cmocka_unit_test(skewed_posterior),
        cmocka_unit_test(same_draws_for_any_number_of_threads),
        cmocka_unit_test(a_funnel_is_reported),
        cmocka_unit_test(simulation_based_calibration),
        cmocka_unit_test(no_density_is_an_error),
    };
    return cmocka_run_group_tests_name("nuts", tests, NULL, NULL);
}
