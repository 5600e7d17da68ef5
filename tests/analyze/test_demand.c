/* tests/analyze/test_demand.c - elasticities and the price that pays best. */
#include "tests/check.h"
#include "analyze/price/demand.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

static bw_err err;
enum { GROUPS = 4, ROWS = 60, N = GROUPS * ROWS };
static const char *const NAMES[GROUPS] = {"a", "b", "c", "never moved"};
static const double TRUTH[GROUPS] = {-1.4, -2.0, -2.6, 0};

struct sales {
    double units[N], price[N], cost[GROUPS];
    size_t group[N];
};

static bw_demand_data make(struct sales *s) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, 2);
    for (size_t i = 0; i < N; i++) {
        size_t g = i % GROUPS;
        s->group[i] = g;
        s->price[i] = g == 3 ? 5 : 4 + 3 * gsl_rng_uniform(r);
        s->units[i] = exp(5 + (double)g + TRUTH[g] * log(s->price[i]) + gsl_ran_gaussian(r, 0.1));
        s->cost[g] = 2.5;
    }
    gsl_rng_free(r);
    return (bw_demand_data){.n = N,
                            .groups = GROUPS,
                            .units = s->units,
                            .price = s->price,
                            .group = s->group,
                            .group_name = NAMES,
                            .cost = s->cost};
}

static void each_elasticity_is_inside_its_interval(void **state) {
    (void)state;
    struct sales s;
    bw_demand_data d = make(&s);
    bw_demand r;
    CHECK_OK(bw_demand_fit(&d, &r, &err));
    assert_int_equal(r.known, 3);
    assert_false(r.group[3].known);
    for (size_t g = 0; g < 3; g++) {
        CHECK_NEAR(r.group[g].mean, TRUTH[g], 3 * r.group[g].sd);
        assert_true(fabs(r.group[g].mean - r.common) <= fabs(r.group[g].raw - r.common) + 0.02);
    }
    bw_demand_free(&r);
}

/* Constant elasticity -2 and cost 2.5: the best price is cost e / (1 + e) = 5, inside the range seen;
 * at -1.4 it is 8.75, beyond what was seen, and the edge is said to be one. */
static void the_best_price_follows_the_markup_rule(void **state) {
    (void)state;
    struct sales s;
    bw_demand_data d = make(&s);
    bw_demand r;
    CHECK_OK(bw_demand_fit(&d, &r, &err));
    CHECK_NEAR(r.group[1].best, 5, 0.4);
    assert_true(r.group[1].best_lo <= 5 && 5 <= r.group[1].best_hi && !r.group[1].at_edge);
    assert_true(r.group[0].at_edge && r.group[0].best == r.group[0].price_hi);
    assert_true(r.group[0].gain > 0);
    double mean, lo, hi;
    bw_demand_curve(&r.group[1], false, r.group[1].price_now, &mean, &lo, &hi);
    CHECK_REL(mean, r.group[1].units_now, 1e-9);
    bw_demand_free(&r);
}

/* Units in dozens instead of pieces, and prices in cents, change no elasticity. */
static void units_and_currency_do_not_matter(void **state) {
    (void)state;
    struct sales s;
    bw_demand_data d = make(&s);
    bw_demand a, b;
    CHECK_OK(bw_demand_fit(&d, &a, &err));
    for (size_t i = 0; i < N; i++) {
        s.units[i] /= 12;
        s.price[i] *= 100;
    }
    CHECK_OK(bw_demand_fit(&d, &b, &err));
    for (size_t g = 0; g < 3; g++)
        CHECK_NEAR(a.group[g].mean, b.group[g].mean, 1e-8);
    bw_demand_free(&a);
    bw_demand_free(&b);
}

/* Price was raised where demand was high: without the control the sign is wrong, with it right. */
static void a_control_turns_the_sign_right(void **state) {
    (void)state;
    enum { M = 300 };
    double units[M], price[M], hot[M];
    size_t group[M] = {0};
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, 3);
    for (size_t i = 0; i < M; i++) {
        hot[i] = gsl_ran_gaussian(r, 1);
        price[i] = 5 + 0.5 * hot[i] + gsl_ran_gaussian(r, 0.2);
        units[i] = 200 - 4 * price[i] + 15 * hot[i] + gsl_ran_gaussian(r, 3);
    }
    gsl_rng_free(r);
    static const char *const CONTROL[] = {"hot"};
    bw_demand_data d = {.n = M,
                        .groups = 1,
                        .units = units,
                        .price = price,
                        .group = group,
                        .group_name = NAMES,
                        .control = hot,
                        .controls = 1,
                        .control_name = CONTROL,
                        .linear = true};
    bw_demand q;
    CHECK_OK(bw_demand_fit(&d, &q, &err));
    CHECK_NEAR(q.common, -4, 3 * q.common_se);
    assert_true(q.naive > 5);
    bw_demand_free(&q);
}

/* Week effects that hit all groups alike are taken out by the factor. */
static void week_effects_are_taken_out(void **state) {
    (void)state;
    struct sales s;
    bw_demand_data d = make(&s);
    static size_t week[N];
    for (size_t i = 0; i < N; i++) {
        week[i] = i / GROUPS;
        s.units[i] *= exp(0.5 * (double)((week[i] * 7919) % 13) / 13);
    }
    const size_t *factor[] = {week}, levels[] = {ROWS};
    d.factor = factor;
    d.levels = levels;
    d.factors = 1;
    bw_demand r;
    CHECK_OK(bw_demand_fit(&d, &r, &err));
    for (size_t g = 0; g < 3; g++)
        CHECK_NEAR(r.group[g].raw, TRUTH[g], 3 * r.group[g].raw_se);
    bw_demand_free(&r);
}

static void what_cannot_be_known_is_said(void **state) {
    (void)state;
    struct sales s;
    bw_demand_data d = make(&s);
    bw_demand r;
    for (size_t i = 0; i < N; i++)
        s.price[i] = 5;
    CHECK_FAILS(bw_demand_fit(&d, &r, &err), BW_EDATA, "no price ever moved");
    d = make(&s);
    s.units[9] = 0;
    CHECK_FAILS(bw_demand_fit(&d, &r, &err), BW_EDATA, "row 10: units 0 has no logarithm");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_elasticity_is_inside_its_interval),
        cmocka_unit_test(the_best_price_follows_the_markup_rule),
        cmocka_unit_test(units_and_currency_do_not_matter),
        cmocka_unit_test(a_control_turns_the_sign_right),
        cmocka_unit_test(week_effects_are_taken_out),
        cmocka_unit_test(what_cannot_be_known_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
