/* Plans over weeks: S-curves pulse and concave curves come out even, bounds bound, ramps are kept, geos earn by
 * curves of their own, and the prices of limits are those of what was maximised. The fits are made up:
 * draws around chosen parameters of a small simulated shop. */
#include "tests/check.h"

#include "analyze/mix/plan_internal.h"
#include "tests/analyze/mmm_shop.h"

#include <gsl/gsl_randist.h>

/* One parameter of a channel in q, by its natural value. */
static void set_param(const bw_mmm *m, double *q, const char *name, size_t channel, double value) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "channel%zu", channel);
    for (size_t i = 0; i < bw_mmm_dim(m); i++) {
        const char *subject, *has = bw_mmm_param_name(m, i, &subject);
        if (strcmp(has, name) == 0 && strcmp(subject, wanted) == 0) {
            q[i] = bw_prior_free(bw_mmm_param_prior(m, i), value);
            return;
        }
    }
    fail_msg("there is no parameter %s of %s", name, wanted);
}

typedef struct {
    size_t channels, geos, draws;
    bw_adstock adstock;
    bw_saturation saturation;
    double carry, scale, slope; /* of every channel, but for the spread */
    double spread; /* log sd of scale and effect from draw to draw and channel to channel */
} made;

/* A plan state with a fit of that make; p must not move afterwards. */
static void make_plan(plan_state *p, const made *w, const bw_plan_options *o) {
    bw_err err = {{0}};
    bw_mmm_spec spec;
    *p = (plan_state){.o = o, .margin = 1};
    p->fit.data =
        (bw_mmm_data){.n_time = 90, .n_geo = w->geos, .n_channel = w->channels, .period_days = 7};
    shop_new(&p->fit.data, 11);
    CHECK_OK(bw_mmm_preset("bellwether", &spec, &err));
    spec.adstock = w->adstock;
    spec.saturation = w->saturation;
    spec.effect = BW_EFFECT_BETA;
    CHECK_OK(bw_mmm_new(&p->fit.data, &spec, &p->fit.model, &err));
    p->fit.dim = bw_mmm_dim(p->fit.model);
    p->fit.n_draw = w->draws;
    p->fit.draws = calloc(w->draws * p->fit.dim, sizeof(double));
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    for (size_t k = 0; k < w->draws; k++) {
        double *q = p->fit.draws + k * p->fit.dim;
        bw_mmm_start(p->fit.model, q);
        for (size_t c = 0; c < w->channels; c++) {
            double tilt = 1 + 0.4 * (double)c; /* channels differ */
            if (w->adstock != BW_ADSTOCK_NONE)
                set_param(p->fit.model, q, "adstock", c, w->carry);
            set_param(p->fit.model, q, "saturation", c,
                      w->scale * exp(gsl_ran_gaussian(r, w->spread)));
            if (w->saturation == BW_SATURATION_HILL)
                set_param(p->fit.model, q, "saturation_slope", c,
                          1 + (w->slope - 1) * exp(gsl_ran_gaussian(r, 0.3 * w->spread)));
            set_param(p->fit.model, q, "beta", c, 0.1 * tilt * exp(gsl_ran_gaussian(r, w->spread)));
        }
    }
    gsl_rng_free(r);
}

static double mean_earned(plan_state *p, size_t i, const double *x) {
    return bw_market_sum(p->market[i], p->full, x, NULL);
}

/* The best of all calendars of three weeks on a grid of twentieths of the sum. */
static double brute_three(plan_state *p, size_t i, double u) {
    double best = -INFINITY, cap = plan_rules_of(p, i).cap;
    for (int a = 0; a <= 20; a++)
        for (int b = 0; a + b <= 20; b++) {
            double x[3] = {3 * u * a / 20, 3 * u * b / 20, 3 * u * (20 - a - b) / 20};
            if (x[0] <= cap && x[1] <= cap && x[2] <= cap)
                best = fmax(best, mean_earned(p, i, x));
        }
    return best;
}

static void an_s_curve_is_pulsed(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_plan_options o = bw_plan_defaults();
    o.weeks = 3;
    o.limits = "channel0=40%:60%"; /* of a spend that lies on the curve's flat foot */
    o.total = "50%";
    plan_state p;
    make_plan(&p, &(made){1, 1, 40, BW_ADSTOCK_GEOMETRIC, BW_SATURATION_HILL, 0.2, 1.2, 4, 0.3},
              &o);
    CHECK_OK(plan_compute(&p, &err));
    const plan_channel *c = &p.channel[0];
    double even[3] = {c->x, c->x, c->x}, planned = mean_earned(&p, 0, c->week),
           best = brute_three(&p, 0, c->x);
    CHECK_NEAR(c->week[0] + c->week[1] + c->week[2], 3 * c->x, 1e-6);
    assert_true(planned >
                1.15 * mean_earned(&p, 0, even)); /* bursts earn a seventh more at least */
    assert_true(planned >= best - 1e-6 * best);   /* and no calendar of the grid earns more */
    /* nor does any exceed the bound, which is told for the gain over now */
    double now = 0;
    for (size_t k = 0; k < p.n_draw; k++)
        now += p.now[k] * p.full[k];
    assert_true(best / 3 <= p.best.bound + now);
    plan_free(&p);
}

static void concave_curves_come_out_even(void **state) {
    (void)state;
    bw_err err = {{0}};
    const bw_saturation forms[] = {BW_SATURATION_LOGISTIC, BW_SATURATION_MICHAELIS,
                                   BW_SATURATION_ROOT};
    bw_plan_options o = bw_plan_defaults();
    o.weeks = 7;
    for (size_t i = 0; i < 3; i++) {
        plan_state p;
        make_plan(&p, &(made){2, 1, 25, BW_ADSTOCK_GEOMETRIC, forms[i], 0.4, 0.5, 1, 0.2}, &o);
        CHECK_OK(plan_compute(&p, &err));
        for (size_t c = 0; c < p.n; c++)
            for (size_t w = 0; w < 7; w++)
                CHECK_NEAR(p.channel[c].week[w], p.channel[c].x, 1e-9);
        assert_true(p.best.bound >= p.best.value - 1e-9);
        CHECK_NEAR((p.best.bound - p.best.value) / p.earned, 0, 0.01);
        plan_free(&p);
    }
}

/* Thousands of calendars and splits drawn at random within the limits: none above the bound. */
static void no_random_plan_beats_the_bound(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_plan_options o = bw_plan_defaults();
    o.weeks = 5;
    o.change = 80;
    plan_state p;
    make_plan(&p, &(made){3, 2, 30, BW_ADSTOCK_GEOMETRIC, BW_SATURATION_HILL, 0.3, 1.5, 2.5, 0.4},
              &o);
    CHECK_OK(plan_compute(&p, &err));
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    double now = 0, best = -INFINITY;
    for (size_t k = 0; k < p.n * p.n_draw; k++)
        now += p.now[k] / (double)p.n_draw;
    for (int n = 0; n < 3000; n++) {
        double x[3][5], spend = 0, value = 0;
        for (size_t c = 0; c < 3; c++) {
            double u = p.channel[c].lo + gsl_rng_uniform(r) * (p.channel[c].hi - p.channel[c].lo),
                   sum = 0, power = 4 * gsl_rng_uniform(r), cap = plan_rules_of(&p, c).cap;
            for (int w = 0; w < 5; w++)
                sum += x[c][w] = pow(gsl_rng_uniform_pos(r), power);
            for (int w = 0; w < 5; w++)
                spend += x[c][w] = fmin(cap, x[c][w] * 5 * u / sum);
        }
        if (spend / 5 > p.best.spend) /* the bound is for as much */
            continue;
        for (size_t c = 0; c < 3; c++)
            value += mean_earned(&p, c, x[c]) / 5;
        best = fmax(best, value - now);
    }
    assert_true(best <= p.best.bound);
    assert_true(best > 0.5 * p.best.value - fabs(p.best.value)); /* the trial was a trial */
    assert_true(p.best.value <= p.best.bound + 1e-9);
    assert_true(p.best.value >= best);
    gsl_rng_free(r);
    plan_free(&p);
}

static void a_ramp_is_kept(void **state) {
    (void)state;
    bw_err err = {{0}};
    const bw_saturation forms[] = {BW_SATURATION_LOGISTIC, BW_SATURATION_HILL};
    bw_plan_options o = bw_plan_defaults();
    o.weeks = 6;
    o.ramp = 15;
    for (size_t i = 0; i < 2; i++) {
        plan_state p;
        make_plan(&p, &(made){3, 1, 20, BW_ADSTOCK_GEOMETRIC, forms[i], 0.3, 1.2, 3, 0.3}, &o);
        CHECK_OK(plan_compute(&p, &err));
        double spend = 0;
        for (size_t c = 0; c < p.n; c++) {
            double before = p.channel[c].now, step = 0.15 * before, sum = 0;
            for (size_t w = 0; w < 6; w++) {
                double x = p.channel[c].week[w];
                assert_true(fabs(x - before) <= step * (1 + 1e-5));
                assert_true(x >= 0 && x <= plan_rules_of(&p, c).cap * (1 + 1e-9));
                before = x;
                sum += x;
            }
            CHECK_REL(sum / 6, p.channel[c].x, 1e-6);
            spend += sum / 6;
        }
        CHECK_REL(spend, p.total, 1e-6);
        plan_free(&p);
    }
}

/* A limit that the ramp does not lead to is named. */
static void a_limit_beyond_the_ramp_is_refused(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_plan_options o = bw_plan_defaults();
    o.ramp = 2;
    o.limits = "channel1=140%:150%";
    plan_state p;
    make_plan(&p, &(made){2, 1, 5, BW_ADSTOCK_NONE, BW_SATURATION_LOGISTIC, 0, 0.7, 1, 0.1}, &o);
    CHECK_FAILS(plan_compute(&p, &err), BW_EARG, "channel1 may spend");
    plan_free(&p);
}

static void a_fixed_channel_keeps_its_weeks(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_plan_options o = bw_plan_defaults();
    o.limits = "channel0=fixed";
    plan_state p;
    make_plan(&p, &(made){3, 1, 20, BW_ADSTOCK_GEOMETRIC, BW_SATURATION_HILL, 0.2, 1.5, 4, 0.2},
              &o);
    CHECK_OK(plan_compute(&p, &err));
    for (size_t w = 0; w < 4; w++)
        CHECK_NEAR(p.channel[0].week[w], p.channel[0].now, 1e-9);
    for (size_t k = 0; k < p.n_draw; k++)
        CHECK_NEAR(p.gain[k], 0, 1e-9);
    plan_free(&p);
}

/* Two geos of one size; nine tenths of the spend go to the first. Without carry-over what an even calendar
 * earns is so many weeks of the steady state, which sums over geos; as one market it would be another. */
static void geos_earn_by_their_own_curves(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_plan_options o = bw_plan_defaults();
    plan_state p = {0};
    made w = {1, 2, 3, BW_ADSTOCK_NONE, BW_SATURATION_LOGISTIC, 0, 2.5, 1, 0.2};
    make_plan(&p, &w, &o);
    bw_mmm_data *d = &p.fit.data;
    for (size_t t = 0; t < d->n_time; t++) { /* before the model is built anew */
        d->spend[d->n_time + t] = d->media[d->n_time + t] = d->spend[t] / 9;
        d->outcome[d->n_time + t] = d->outcome[t];
    }
    bw_mmm_spec spec;
    CHECK_OK(bw_mmm_preset("bellwether", &spec, &err));
    spec.adstock = w.adstock;
    spec.saturation = w.saturation;
    spec.effect = BW_EFFECT_BETA;
    bw_mmm_free(p.fit.model);
    CHECK_OK(bw_mmm_new(d, &spec, &p.fit.model, &err));
    CHECK_OK(plan_compute(&p, &err));
    bw_density density = bw_mmm_density(p.fit.model);
    void *room = density.scratch_new(p.fit.model);
    double x[4] = {30, 30, 30, 30}, money = 30, steady, geo_room[6], slope;
    for (size_t k = 0; k < 3; k++) {
        const double *q = p.fit.draws + k * p.fit.dim;
        bw_channel_response r;
        bw_mmm_response(p.fit.model, room, 0, q, &money, 1, &steady);
        CHECK_REL(bw_market_earned(p.market[0], k, x), 4 * steady, 1e-9);
        bw_mmm_channel_response(p.fit.model, room, 0, q, geo_room, &r);
        CHECK_NEAR(r.share[0], 0.9, 1e-9);
        double one_market = (r.effect[0] + r.effect[1]) *
                            bw_saturation_value(r.saturation, money / (r.unit[0] + r.unit[1]),
                                                r.scale, r.shape, &slope);
        assert_true(fabs(one_market / steady - 1) > 0.1);
    }
    density.scratch_free(room);
    plan_free(&p);
}

/* Slopes over weeks against differences, of the curves and of their envelopes, which are never below. */
static void slopes_of_calendars_are_derivatives(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_plan_options o = bw_plan_defaults();
    plan_state p;
    make_plan(&p, &(made){1, 3, 12, BW_ADSTOCK_GEOMETRIC, BW_SATURATION_HILL, 0.5, 1, 2.2, 0.3},
              &o);
    CHECK_OK(plan_compute(&p, &err));
    bw_market *k = p.market[0];
    double u = p.channel[0].now, x[4] = {0.2 * u, 1.7 * u, 0.9 * u, 0.05 * u}, g[4], h[4],
           unused[4];
    double value = bw_market_sum(k, p.full, x, g), hull = bw_market_hull(k, p.full, x, h);
    assert_true(hull > value);
    for (size_t w = 0; w < 4; w++) {
        double step = 1e-4 * u, side[2][2];
        for (int s = 0; s < 2; s++) {
            double at = x[w];
            x[w] = at + (s ? step : -step);
            side[0][s] = bw_market_sum(k, p.full, x, unused);
            side[1][s] = bw_market_hull(k, p.full, x, unused);
            x[w] = at;
        }
        CHECK_REL((side[0][1] - side[0][0]) / (2 * step) / g[w], 1, 1e-4);
        CHECK_REL((side[1][1] - side[1][0]) / (2 * step) / h[w], 1, 1e-3);
    }
    plan_free(&p);
}

/* What was maximised with that total, and its price. */
static double maximised(const char *risk, double total, const char *limits, double *price,
                        double *of_limit) {
    bw_err err = {{0}};
    char amount[32];
    bw_plan_options o = bw_plan_defaults();
    snprintf(amount, sizeof amount, "%.12g", total);
    o.risk = risk;
    o.total = amount;
    o.limits = limits;
    o.change = 60;
    plan_state p;
    make_plan(&p,
              &(made){4, 1, 400, BW_ADSTOCK_GEOMETRIC, BW_SATURATION_LOGISTIC, 0.3, 0.9, 1, 0.35},
              &o);
    CHECK_OK(plan_compute(&p, &err));
    double value = p.best.value;
    *price = p.best.price;
    *of_limit = p.best.channel_price[0];
    plan_free(&p);
    return value;
}

/* The price of the total, and that of a ceiling, is what the measure of risk gains when it is loosened and
 * all is planned anew; and it is not what the mean would gain. */
static void prices_are_those_of_what_is_maximised(void **state) {
    (void)state;
    static const char *const risks[] = {"mean", "cvar10", "q20"};
    double of_mean = NAN;
    for (size_t i = 0; i < 3; i++) {
        double price, limit, unused[2], total = 150, more = 12, ceiling = 16, wider = 2;
        char limits[2][40];
        snprintf(limits[0], sizeof limits[0], "channel0=0:%g", ceiling);
        snprintf(limits[1], sizeof limits[1], "channel0=0:%g", ceiling + wider);
        double here = maximised(risks[i], total, limits[0], &price, &limit);
        double there = maximised(risks[i], total + more, limits[0], &unused[0], &unused[1]);
        double loose = maximised(risks[i], total, limits[1], &unused[0], &unused[1]);
        assert_true(price > 0 && limit > 0);
        CHECK_NEAR((there - here) / more / price, 1, 0.1);
        CHECK_NEAR((loose - here) / wider / limit, 1, 0.15);
        if (i == 0)
            of_mean = limit;
        else
            assert_true(fabs(limit / of_mean - 1) > 0.3);
    }
}

/* A return asked of an outcome that is counted, and a cost an order of money, are wrong usage. */
static void a_target_of_the_wrong_kind_is_refused(void **state) {
    (void)state;
    bw_err err = {{0}};
    made w = {1, 1, 3, BW_ADSTOCK_NONE, BW_SATURATION_LOGISTIC, 0, 0.7, 1, 0.1};
    bw_plan_options o = bw_plan_defaults();
    plan_state p;
    o.target_cpa = 5;
    make_plan(&p, &w, &o);
    CHECK_FAILS(plan_compute(&p, &err), BW_EUSAGE, "--target-cpa: the fit explains revenue");
    plan_free(&p);
    o.target_cpa = 0;
    o.target_roas = 3;
    make_plan(&p, &w, &o);
    p.fit.data.counted = "orders";
    CHECK_FAILS(plan_compute(&p, &err), BW_EUSAGE, "--target-roas: the fit explains orders");
    plan_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_s_curve_is_pulsed),
        cmocka_unit_test(concave_curves_come_out_even),
        cmocka_unit_test(no_random_plan_beats_the_bound),
        cmocka_unit_test(a_ramp_is_kept),
        cmocka_unit_test(a_limit_beyond_the_ramp_is_refused),
        cmocka_unit_test(a_fixed_channel_keeps_its_weeks),
        cmocka_unit_test(geos_earn_by_their_own_curves),
        cmocka_unit_test(slopes_of_calendars_are_derivatives),
        cmocka_unit_test(prices_are_those_of_what_is_maximised),
        cmocka_unit_test(a_target_of_the_wrong_kind_is_refused),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
