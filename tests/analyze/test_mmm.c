/* The mix model's density: its gradient in every configuration, its media transforms, its money. */
#include "tests/check.h"
#include "tests/analyze/mmm_shop.h"

#include "analyze/mix/mmm_model.h"

/* Central differences of a smooth density are good to about h^2; the largest miss of any parameter,
 * relative to the size of the gradient. */
static double worst_gradient(const bw_mmm *m, unsigned long seed) {
    bw_density f = bw_mmm_density(m);
    void *room = f.scratch_new(f.model);
    double *q = calloc(3 * f.dim, sizeof *q), *grad = q + f.dim, *other = grad + f.dim, worst = 0;
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(r, seed);
    bw_mmm_start(m, q);
    for (size_t i = 0; i < f.dim; i++)
        q[i] += gsl_ran_gaussian(r, 0.3);
    f.eval(f.model, room, q, grad);
    double size = 1;
    for (size_t i = 0; i < f.dim; i++)
        size = fmax(size, fabs(grad[i]));
    for (size_t i = 0; i < f.dim; i++) {
        double h = 1e-5, at = q[i];
        q[i] = at + h;
        double up = f.eval(f.model, room, q, other);
        q[i] = at - h;
        double down = f.eval(f.model, room, q, other);
        q[i] = at;
        worst = fmax(worst, fabs((up - down) / (2 * h) - grad[i]) / size);
    }
    gsl_rng_free(r);
    free(q);
    f.scratch_free(room);
    return worst;
}

static void check_gradient(const bw_mmm_data *d, const bw_mmm_spec *spec, const char *what) {
    bw_err err = {{0}};
    bw_mmm *m;
    CHECK_OK(bw_mmm_new(d, spec, &m, &err));
    double worst = worst_gradient(m, 7);
    if (!(worst < 1e-6))
        fail_msg("%s: gradient off by %g of its size", what, worst);
    bw_mmm_free(m);
}

/* Two geos, 37 weeks, an outcome missing, two tests: one in all geos, one in geo 1 at the start. */
static void rich_shop(bw_mmm_data *d, size_t geos, int period_days) {
    *d = (bw_mmm_data){.n_time = 37,
                       .n_geo = geos,
                       .n_channel = 3,
                       .n_control = 2,
                       .n_event = 1,
                       .n_lift = 2,
                       .period_days = period_days};
    shop_new(d, 3);
    d->outcome[5] = NAN;
    d->sign[1] = -1;
    d->lift[0] = (bw_lift_test){0, BW_ALL_GEOS, 20, 24, 60.0, 90.0, 40.0};
    d->lift[1] = (bw_lift_test){2, geos - 1, 0, 10, -30.0, -20.0, 25.0};
}

static void gradient_for_every_form(void **state) {
    (void)state;
    for (int geos = 1; geos <= 2; geos++) {
        bw_mmm_data d;
        rich_shop(&d, (size_t)geos, 7);
        for (int a = BW_ADSTOCK_NONE; a <= BW_ADSTOCK_WEIBULL_CDF; a++)
            for (int s = BW_SATURATION_NONE; s <= BW_SATURATION_ROOT; s++)
                for (int normalise = 0; normalise < 2; normalise++) {
                    bw_mmm_spec spec;
                    bw_mmm_preset("bellwether", &spec, NULL);
                    spec.adstock = (bw_adstock)a;
                    spec.saturation = (bw_saturation)s;
                    spec.normalise = normalise;
                    spec.knots = 3;
                    char what[80];
                    snprintf(what, sizeof what, "%s, %s, %snormalised, %d geos",
                             bw_adstock_name(spec.adstock), bw_saturation_name(spec.saturation),
                             normalise ? "" : "not ", geos);
                    check_gradient(&d, &spec, what);
                }
        bw_mmm_data_free(&d);
    }
}

static void gradient_for_every_preset_effect_and_likelihood(void **state) {
    (void)state;
    static const char *const presets[] = {"bellwether", "pymc", "meridian"};
    for (int geos = 1; geos <= 3; geos += 2)
        for (int days = 1; days <= 7; days += 6) {
            bw_mmm_data d;
            rich_shop(&d, (size_t)geos, days);
            d.paid[1] = false;
            for (int p = 0; p < 3; p++)
                for (int e = BW_EFFECT_BETA; e <= BW_EFFECT_SHARE; e++)
                    for (int student = 0; student < 2; student++) {
                        bw_mmm_spec spec;
                        bw_mmm_preset(presets[p], &spec, NULL);
                        spec.effect = (bw_effect)e;
                        spec.student = student;
                        spec.adstock_of = "channel1=delayed";
                        spec.saturation_of = "channel0=hill,channel2=root";
                        char what[80];
                        snprintf(what, sizeof what, "%s, effect %d, student %d, %d geos, %d days",
                                 presets[p], e, student, geos, days);
                        check_gradient(&d, &spec, what);
                    }
            bw_mmm_data_free(&d);
        }
}

/* exp and log of the kernels against libm, over the range that saturations reach. */
static void kernels_agree_with_libm(void **state) {
    (void)state;
    double a[16], s[16], expected;
    for (int i = 0; i < 16; i++)
        a[i] = i == 0 ? 0.0 : pow(10.0, -6.0 + 0.55 * i);
    bw_k_tanh(s, a, 1.7, 16);
    for (int i = 0; i < 16; i++)
        CHECK_NEAR(s[i], tanh(0.85 * a[i]), 4e-16);
    bw_k_hill(s, a, 0.83, 2.4, 16);
    for (int i = 1; i < 16; i++) {
        expected = 1.0 / (1.0 + pow(a[i] / 0.83, -2.4));
        CHECK_NEAR(s[i], expected, 4e-15 * (1 + expected));
    }
    bw_k_log(s, a + 0, 16);
    for (int i = 1; i < 16; i++)
        CHECK_REL(s[i], log(a[i]), 4e-16);
    bw_k_power(s, a, 0.37, 16);
    for (int i = 1; i < 16; i++)
        CHECK_REL(s[i], pow(a[i], 0.37), 4e-15);
}

/* With alpha 0.5 over 3 lags, normalised: weights 4/7, 2/7, 1/7. The carry-over is a rate a week, so
 * seven daily lags apart it has fallen by the same half. */
static void geometric_weights(void **state) {
    (void)state;
    double par = 0.5, w[8], d1[8], d2[8];
    adstock_weights(BW_ADSTOCK_GEOMETRIC, true, 1.0, &par, 3, w, d1, d2);
    CHECK_NEAR(w[0], 4.0 / 7.0, 1e-15);
    CHECK_NEAR(w[2], 1.0 / 7.0, 1e-15);
    adstock_weights(BW_ADSTOCK_GEOMETRIC, false, 1.0 / 7.0, &par, 8, w, d1, d2);
    CHECK_NEAR(w[7], 0.5, 1e-15);
}

/* Binomial: (1 - l/L)^(1/a - 1), at a = 0.5 a straight line to zero after L lags. */
static void binomial_weights_at_one_half_are_a_line(void **state) {
    (void)state;
    double par = 0.5, w[9], d1[9], d2[9];
    adstock_weights(BW_ADSTOCK_BINOMIAL, false, 1.0, &par, 9, w, d1, d2);
    for (int l = 0; l < 9; l++)
        CHECK_NEAR(w[l], 1.0 - l / 9.0, 1e-15);
}

/* The effect on ROAS is ROAS: contribution / spend is the parameter, whatever the transforms. */
static void roas_parameter_is_contribution_per_spend(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_mmm_data d;
    rich_shop(&d, 2, 7);
    bw_mmm_spec spec;
    bw_mmm_preset("bellwether", &spec, &err);
    bw_mmm *m;
    CHECK_OK(bw_mmm_new(&d, &spec, &m, &err));
    bw_density f = bw_mmm_density(m);
    double *q = calloc(f.dim, sizeof *q);
    bw_mmm_start(m, q);
    q[0] = log(1.75);
    void *room = f.scratch_new(m);
    bw_mmm_result r;
    CHECK_OK(bw_mmm_result_alloc(m, &r, &err));
    bw_mmm_forward(m, room, q, &r);
    double spend = 0;
    for (size_t i = 0; i < d.n_geo * d.n_time; i++)
        spend += d.spend[i];
    CHECK_REL(r.contribution[0] / spend, 1.75, 1e-12);
    double parts = 0, fitted = 0;
    for (size_t t = 0; t < r.n_time; t++) {
        fitted += r.fitted[t];
        for (size_t p = 0; p < r.n_part; p++)
            parts += r.part[p * r.n_time + t];
    }
    CHECK_REL(parts, fitted, 1e-12);
    bw_mmm_result_free(&r);
    f.scratch_free(room);
    free(q);
    bw_mmm_free(m);
    bw_mmm_data_free(&d);
}

/* The marginal return is the derivative of the contribution when all spend grows: media twice scaled
 * by 1 +- h with the effect on the coefficient held. */
static void marginal_is_the_derivative(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_mmm_spec spec;
    bw_mmm_preset("pymc", &spec, &err);
    spec.saturation = BW_SATURATION_HILL;
    spec.media_scale = BW_MEDIA_MEAN;
    double contribution[3], marginal = 0, h = 1e-4;
    for (int i = 0; i < 3; i++) {
        bw_mmm_data d;
        rich_shop(&d, 1, 7);
        bw_mmm *m;
        CHECK_OK(bw_mmm_new(&d, &spec, &m, &err));
        for (size_t t = 0; t < m->pad + m->n; t++)
            m->x[t] *= 1.0 + (i - 1) * h;
        bw_density f = bw_mmm_density(m);
        double *q = calloc(f.dim, sizeof *q);
        bw_mmm_start(m, q);
        void *room = f.scratch_new(m);
        bw_mmm_result r;
        CHECK_OK(bw_mmm_result_alloc(m, &r, &err));
        bw_mmm_forward(m, room, q, &r);
        contribution[i] = r.contribution[0];
        if (i == 1)
            marginal = r.marginal[0];
        bw_mmm_result_free(&r);
        f.scratch_free(room);
        free(q);
        bw_mmm_free(m);
        bw_mmm_data_free(&d);
    }
    CHECK_REL(marginal, (contribution[2] - contribution[0]) / (2 * h), 1e-6);
}

static void a_channel_without_spend_is_refused(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_mmm_data d;
    rich_shop(&d, 1, 7);
    memset(d.media + d.n_time, 0, d.n_time * sizeof(double));
    bw_mmm_spec spec;
    bw_mmm_preset("bellwether", &spec, &err);
    bw_mmm *m;
    CHECK_FAILS(bw_mmm_new(&d, &spec, &m, &err), BW_EDATA, "channel1");
    bw_mmm_data_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_with_libm),
        cmocka_unit_test(geometric_weights),
        cmocka_unit_test(binomial_weights_at_one_half_are_a_line),
        cmocka_unit_test(gradient_for_every_form),
        cmocka_unit_test(gradient_for_every_preset_effect_and_likelihood),
        cmocka_unit_test(roas_parameter_is_contribution_per_spend),
        cmocka_unit_test(marginal_is_the_derivative),
        cmocka_unit_test(a_channel_without_spend_is_refused),
    };
    return cmocka_run_group_tests_name("mmm", tests, NULL, NULL);
}
