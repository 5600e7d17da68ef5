/* The mode and its normal approximation, on densities whose answer is known. */
#include "tests/check.h"

#include "analyze/sampler/laplace.h"

#include <stdlib.h>

/* A correlated normal far from the origin: mean (3, -40), precision [[2, 0.9], [0.9, 0.5]]. */
static double eval_normal(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    double a = q[0] - 3.0, b = q[1] + 40.0;
    g[0] = -(2.0 * a + 0.9 * b);
    g[1] = -(0.9 * a + 0.5 * b);
    return 0.5 * (a * g[0] + b * g[1]);
}

/* log of a Gamma(5, 2) variable: mode at log(5/2), curvature 5 there. */
static double eval_log_gamma(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    g[0] = 5.0 - 2.0 * exp(q[0]);
    return 5.0 * q[0] - 2.0 * exp(q[0]);
}

/* Rosenbrock's valley turned into a density: mode (1, 1). */
static double eval_valley(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    double a = 1 - q[0], b = q[1] - q[0] * q[0];
    g[0] = 2 * a + 400 * q[0] * b;
    g[1] = -200 * b;
    return -(a * a + 100 * b * b);
}

static double eval_nothing(const void *model, void *scratch, const double *q, double *g) {
    (void)model;
    (void)scratch;
    (void)q;
    g[0] = 0;
    return NAN;
}

static void normal_mode_and_covariance(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_density f = {2, NULL, eval_normal, NULL, NULL};
    double start[2] = {0, 0};
    bw_laplace l;
    CHECK_OK(bw_laplace_fit(&f, start, &l, &err));
    CHECK_NEAR(l.mode[0], 3.0, 1e-6);
    CHECK_NEAR(l.mode[1], -40.0, 1e-6);
    /* Inverse of the precision: 1/0.19 [[0.5, -0.9], [-0.9, 2]]. */
    double v00 = l.factor[0] * l.factor[0], v10 = l.factor[2] * l.factor[0];
    CHECK_REL(v00, 0.5 / 0.19, 1e-6);
    CHECK_REL(v10, -0.9 / 0.19, 1e-6);
    assert_true(l.converged);
    /* The evidence of a normal density is exact: 2 pi / sqrt(det precision). */
    CHECK_NEAR(l.log_evidence, log(2 * M_PI / sqrt(0.19)), 1e-6);
    bw_laplace_free(&l);
}

static void skewed_mode(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_density f = {1, NULL, eval_log_gamma, NULL, NULL};
    double start = -4;
    bw_laplace l;
    CHECK_OK(bw_laplace_fit(&f, &start, &l, &err));
    CHECK_NEAR(l.mode[0], log(2.5), 1e-6);
    CHECK_REL(l.factor[0], 1 / sqrt(5.0), 1e-6);
    bw_laplace_free(&l);
}

static void narrow_valley(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_density f = {2, NULL, eval_valley, NULL, NULL};
    double start[2] = {-1.2, 1};
    bw_laplace l;
    CHECK_OK(bw_laplace_fit(&f, start, &l, &err));
    CHECK_NEAR(l.mode[0], 1.0, 1e-5);
    CHECK_NEAR(l.mode[1], 1.0, 1e-5);
    bw_laplace_free(&l);
}

static void no_density_is_an_error(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_density f = {1, NULL, eval_nothing, NULL, NULL};
    double start = 0;
    bw_laplace l;
    CHECK_FAILS(bw_laplace_fit(&f, &start, &l, &err), BW_EDATA, "no density");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_mode_and_covariance),
        cmocka_unit_test(skewed_mode),
        cmocka_unit_test(narrow_valley),
        cmocka_unit_test(no_density_is_an_error),
    };
    return cmocka_run_group_tests_name("laplace", tests, NULL, NULL);
}
