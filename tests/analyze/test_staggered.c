/* tests/analyze/test_staggered.c - difference in differences where units start at different times. */
#include "tests/check.h"
#include "tests/analyze/staggered_panel.h"

static bw_err err;

static bw_did_data draw(struct staggered *p, bool never, double first, double growth, double sd) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, 8);
    bw_did_data d = staggered_draw(p, never, first, growth, sd, r);
    gsl_rng_free(r);
    return d;
}

/* Every effect is above zero and grows; nobody stays untreated. Two-way fixed effects hold late starters
 * against early ones whose effects still grow, and find the opposite sign (Goodman-Bacon 2021). */
static void growing_effects_keep_their_sign(void **state) {
    (void)state;
    struct staggered p;
    bw_did_data d = draw(&p, false, 0.5, 1.5, 0.05);
    bw_did_result r;
    CHECK_OK(bw_did(&d, &r, &err));
    assert_true(r.staggered && r.fixed_effects < -0.5);
    CHECK_NEAR(r.effect, p.truth, 0.1);
    assert_true(r.lo > 0 && r.lo < p.truth && p.truth < r.hi);
    assert_int_equal(r.unjudged, STAG_UNITS * 4); /* from time 8 on everybody is treated */
    assert_int_equal(r.sinces, 5);
    for (size_t k = 0; k < r.sinces; k++)
        CHECK_NEAR(r.since[k].effect, 0.5 + 1.5 * (double)k, 0.15);
}

/* Where the effect is one and the same, both agree. */
static void one_constant_effect_is_what_fixed_effects_say(void **state) {
    (void)state;
    struct staggered p;
    bw_did_data d = draw(&p, true, 2, 0, 0.05);
    bw_did_result r;
    CHECK_OK(bw_did(&d, &r, &err));
    CHECK_NEAR(r.effect, 2, 0.06);
    CHECK_NEAR(r.fixed_effects, 2, 0.06);
    assert_int_equal(r.unjudged, 0);
    assert_int_equal(r.sinces, 9);
}

/* Rows backwards, units renumbered, money in cents, times from 2001 on. */
static void order_names_units_and_dates_do_not_matter(void **state) {
    (void)state;
    struct staggered p, q;
    bw_did_data d = draw(&p, true, 1, 0.5, 0.3), e = d;
    e.y = q.y;
    e.treated = q.treated;
    e.post = q.post;
    e.unit = q.unit;
    e.time = q.time;
    for (size_t i = 0; i < STAG_N; i++) {
        size_t k = STAG_N - 1 - i;
        q.y[i] = 100 * p.y[k] + 5000;
        q.treated[i] = p.treated[k];
        q.post[i] = p.post[k];
        q.unit[i] = (p.unit[k] * 7 + 3) % STAG_UNITS; /* 7 and 24 have no common factor */
        q.time[i] = p.time[k] + 11323;
    }
    bw_did_result r, s;
    CHECK_OK(bw_did(&d, &r, &err));
    CHECK_OK(bw_did(&e, &s, &err));
    CHECK_NEAR(s.effect, 100 * r.effect, 1e-6);
    CHECK_NEAR(s.se, 100 * r.se, 1e-6);
    CHECK_NEAR(s.p, r.p, 1e-9);
}

static void a_treatment_that_ends_is_refused(void **state) {
    (void)state;
    struct staggered p;
    bw_did_data d = draw(&p, true, 1, 0, 0.3);
    p.post[5] = 0; /* the first unit started at time 3 */
    bw_did_result r;
    CHECK_FAILS(bw_did(&d, &r, &err), BW_EDATA, "must last to the end");
}

/* Everybody is treated from the first time on, or never seen without: nothing to learn from. */
static void without_untreated_rows_nothing_is_said(void **state) {
    (void)state;
    struct staggered p;
    bw_did_data d = draw(&p, true, 1, 0, 0.3);
    for (size_t i = 0; i < STAG_N; i++) {
        p.treated[i] = 1;
        p.post[i] = p.time[i] >= (double)(p.unit[i] % 2);
    }
    bw_did_result r;
    CHECK_FAILS(bw_did(&d, &r, &err), BW_EDATA, "nobody was without it");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_effects_keep_their_sign),
        cmocka_unit_test(one_constant_effect_is_what_fixed_effects_say),
        cmocka_unit_test(order_names_units_and_dates_do_not_matter),
        cmocka_unit_test(a_treatment_that_ends_is_refused),
        cmocka_unit_test(without_untreated_rows_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
