/* tests/analyze/test_journey.c - credit from paths, on journeys small enough to solve by hand. */
#include "tests/check.h"
#include "analyze/customer/journey.h"

static bw_err err;
enum { A, B, C };

/* a > b converts, b converts, a is lost, a > c is lost: one each, worth 10 and 30. */
static const unsigned AB[] = {A, B}, ONLY_B[] = {B}, ONLY_A[] = {A}, AC[] = {A, C};
static const bw_path PATHS[] = {
    {AB, 2, 1, 10, 0}, {ONLY_B, 1, 1, 30, 0}, {ONLY_A, 1, 0, 0, 1}, {AC, 2, 0, 0, 1}};

static void touches_and_shapley_are_counted(void **state) {
    (void)state;
    bw_credit c[3];
    CHECK_OK(bw_journey_credit(PATHS, 4, 3, 1, c, &err));
    CHECK_NEAR(c[A].first, 1, 0);
    CHECK_NEAR(c[B].first_value, 30, 0);
    CHECK_NEAR(c[B].last, 2, 0);
    CHECK_NEAR(c[A].shapley, 0.5, 0);
    CHECK_NEAR(c[B].shapley_value, 35, 0);
    CHECK_NEAR(c[C].shapley, 0, 0);
}

/* By hand: start -> a 3/4, b 1/4; a -> b 1/3, lost 1/3, c 1/3; b -> sale 1; c -> lost 1. The whole chain
 * converts 3/4 * 1/3 + 1/4 = 1/2. Without a 1/4 is left, without b nothing, without c all of it. */
static void removal_effects_solve_the_chain(void **state) {
    (void)state;
    bw_credit c[3];
    CHECK_OK(bw_journey_credit(PATHS, 4, 3, 1, c, &err));
    CHECK_NEAR(c[A].removal, 0.5, 1e-10);
    CHECK_NEAR(c[B].removal, 1, 1e-10);
    CHECK_NEAR(c[C].removal, 0, 1e-10);
    CHECK_NEAR(c[A].markov, 2.0 / 3, 1e-10); /* 2 conversions shared 0.5 : 1 : 0 */
    CHECK_NEAR(c[A].markov_value + c[B].markov_value + c[C].markov_value, 40, 1e-9);
}

/* Two steps of memory tell "a after b" from "a at the start": b > a converts, a alone never does. */
static void a_longer_memory_tells_contexts_apart(void **state) {
    (void)state;
    static const unsigned BA[] = {B, A};
    const bw_path p[] = {{BA, 2, 5, 5, 0}, {ONLY_A, 1, 0, 0, 45}};
    bw_credit one[2], two[2];
    CHECK_OK(bw_journey_credit(p, 2, 2, 1, one, &err));
    CHECK_OK(bw_journey_credit(p, 2, 2, 2, two, &err));
    assert_true(one[B].removal < 0.2); /* memory 1: a converts one time in ten wherever it stands */
    CHECK_NEAR(two[B].removal, 1, 1e-10); /* memory 2: without b nothing converts */
}

static void repeated_channels_loop_and_still_end(void **state) {
    (void)state;
    static const unsigned AAA[] = {A, A, A};
    const bw_path p[] = {{AAA, 3, 1, 1, 1}};
    bw_credit c[1];
    CHECK_OK(bw_journey_credit(p, 1, 1, 1, c, &err));
    CHECK_NEAR(c[A].removal, 1, 1e-10);
    CHECK_NEAR(c[A].markov, 1, 1e-10);
}

static void nothing_sold_shares_no_credit(void **state) {
    (void)state;
    bw_credit c[3];
    CHECK_FAILS(bw_journey_credit(PATHS + 2, 2, 3, 1, c, &err), BW_EDATA,
                "no path ended in a conversion");
    CHECK_FAILS(bw_journey_credit(PATHS, 4, 3, 9, c, &err), BW_EARG, "order 9");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touches_and_shapley_are_counted),
        cmocka_unit_test(removal_effects_solve_the_chain),
        cmocka_unit_test(a_longer_memory_tells_contexts_apart),
        cmocka_unit_test(repeated_channels_loop_and_still_end),
        cmocka_unit_test(nothing_sold_shares_no_credit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
