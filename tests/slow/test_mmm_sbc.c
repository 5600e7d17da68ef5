/* Simulation-based calibration (Talts et al. 2018) of the whole model: three channels with carry-over and
 * saturation, trend, season, a control, Student-t noise. Parameters are drawn from their priors, a
 * shop is made of them, and the rank of the truth among its posterior draws must be uniform, for
 * every parameter. Scales come from the shop before the outcomes are replaced, so that the prior
 * does not depend on them. */
#include "tests/check.h"
#include "tests/analyze/mmm_shop.h"

#include "analyze/mix/fit_internal.h"
#include "analyze/mix/mmm_model.h"

#include <gsl/gsl_cdf.h>

/* RANKS draws of each posterior, THIN apart; a rank is one of RANKS + 1 values in BINS bins. */
enum { RUNS = 200, RANKS = 63, THIN = 6, BINS = 8, WEEKS = 64, LEAST_DIM = 15, MOST_DIM = 40 };
#define LEVEL 0.01 /* chance that a right sampler fails, all parameters together (Bonferroni) */

static void shop(bw_mmm_data *d) {
    *d = (bw_mmm_data){
        .n_time = WEEKS, .n_geo = 1, .n_channel = 3, .n_control = 1, .period_days = 7};
    shop_new(d, 41);
}

static bw_mmm *model(const bw_mmm_data *d) {
    bw_err err = {{0}};
    bw_mmm_spec spec;
    bw_mmm *m;
    CHECK_OK(bw_mmm_preset("bellwether", &spec, &err));
    spec.student = true;
    spec.knots = 0;
    spec.fourier = 1;
    CHECK_OK(bw_mmm_new(d, &spec, &m, &err));
    return m;
}

/* Draws natural values from the priors and gives the sampler's q that stands for them: the baseline's
 * parameters have moved by what the media earn. */
static void draw_truth(const bw_mmm *m, scratch *sc, gsl_rng *r, double *q) {
    for (size_t i = 0; i < m->dim; i++)
        q[i] = bw_prior_free(&m->param[i].prior,
                             bw_prior_quantile(&m->param[i].prior, gsl_rng_uniform_pos(r)));
    mmm_natural(m, sc, q);
    mmm_media(m, sc);
    mmm_shear(m, sc);
    for (size_t i = 0; i < m->n_shear; i++)
        q[m->shear_param[i]] += sc->shift[i];
}

/* The model's outcomes are replaced by what q makes of them. */
static void simulate(bw_mmm *m, scratch *sc, gsl_rng *r, const double *q) {
    mmm_natural(m, sc, q);
    mmm_media(m, sc);
    mmm_shear(m, sc);
    mmm_base(m, sc);
    mmm_geo_mean(m, sc, 0);
    for (size_t t = 0; t < WEEKS; t++)
        m->y[t] = sc->mu[t] + sc->natural[m->at_sigma] * gsl_ran_tdist(r, sc->natural[m->at_nu]);
}

static void ranks_are_uniform(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_mmm_data d;
    shop(&d);
    bw_mmm *m = model(&d);
    scratch *sc = mmm_scratch_new(m);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(r, 20181);
    double q[MOST_DIM], counts[MOST_DIM][BINS] = {{0}};
    assert_true(m->dim >= LEAST_DIM && m->dim <= MOST_DIM);
    for (int run = 0; run < RUNS; run++) {
        double *draws;
        draw_truth(m, sc, r, q);
        simulate(m, sc, r, q);
        CHECK_OK(fit_short(m, RANKS * THIN, (unsigned long)run + 1, &draws, &err));
        for (size_t i = 0; i < m->dim; i++) {
            int rank = 0;
            for (size_t k = 0; k < RANKS; k++)
                rank += draws[k * THIN * m->dim + i] < q[i];
            counts[i][rank * BINS / (RANKS + 1)] += 1;
        }
        free(draws);
    }
    for (size_t i = 0; i < m->dim; i++) {
        double chi = 0, expected = (double)RUNS / BINS;
        for (int b = 0; b < BINS; b++)
            chi += (counts[i][b] - expected) * (counts[i][b] - expected) / expected;
        double p = gsl_cdf_chisq_Q(chi, BINS - 1);
        print_message("# %-12s %-10s chi-squared %5.1f, p %.3f\n", m->param[i].name,
                      m->param[i].subject, chi, p);
        if (!(p > LEVEL / (double)m->dim))
            fail_msg("%s %s: ranks are not uniform", m->param[i].name, m->param[i].subject);
    }
    gsl_rng_free(r);
    mmm_scratch_free(sc);
    bw_mmm_free(m);
    bw_mmm_data_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranks_are_uniform)};
    return cmocka_run_group_tests_name("mmm calibration", tests, NULL, NULL);
}
