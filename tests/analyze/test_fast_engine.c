/* The fast engine against NUTS on simulated shops of different shape: means of the channels' numbers within a
 * quarter of a posterior sd, spreads alike. Sizes are small here; tests/slow has wider ones. */
#include "tests/check.h"

#include "tests/analyze/engines.h"

static void national_weeks(void **state) {
    (void)state;
    engines_agree(
        &(engine_case){.name = "104 weeks, 4 channels", .weeks = 104, .channels = 4, .seed = 1});
}

static void short_record(void **state) {
    (void)state;
    engines_agree(
        &(engine_case){.name = "40 weeks, 2 channels", .weeks = 40, .channels = 2, .seed = 2});
}

static void many_channels(void **state) {
    (void)state;
    engines_agree(
        &(engine_case){.name = "156 weeks, 9 channels", .weeks = 156, .channels = 9, .seed = 3});
}

static void controls_events_and_student(void **state) {
    (void)state;
    engines_agree(&(engine_case){.name = "90 weeks, 3 channels, controls, events, Student's t",
                                 .weeks = 90,
                                 .channels = 3,
                                 .controls = 2,
                                 .events = 2,
                                 .student = true,
                                 .seed = 4});
}

static void s_curves(void **state) {
    (void)state;
    engines_agree(&(engine_case){.name = "104 weeks, 3 channels, Hill",
                                 .weeks = 104,
                                 .channels = 3,
                                 .saturation = BW_SATURATION_HILL,
                                 .seed = 5});
}

static void geos(void **state) {
    (void)state;
    engines_agree(&(engine_case){
        .name = "4 geos, 52 weeks, 2 channels", .weeks = 52, .channels = 2, .geos = 4, .seed = 6});
}

static void coefficients_of_pymc(void **state) {
    (void)state;
    engines_agree(&(engine_case){.name = "104 weeks, 3 channels, preset pymc",
                                 .weeks = 104,
                                 .channels = 3,
                                 .preset = "pymc",
                                 .seed = 7});
}

static void weak_channels(void **state) {
    (void)state;
    engines_agree(&(engine_case){
        .name = "80 weeks, 3 weak channels", .weeks = 80, .channels = 3, .noise = 150, .seed = 8});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(national_weeks),
        cmocka_unit_test(short_record),
        cmocka_unit_test(many_channels),
        cmocka_unit_test(controls_events_and_student),
        cmocka_unit_test(s_curves),
        cmocka_unit_test(geos),
        cmocka_unit_test(coefficients_of_pymc),
        cmocka_unit_test(weak_channels),
    };
    return cmocka_run_group_tests_name("fast engine", tests, NULL, NULL);
}
