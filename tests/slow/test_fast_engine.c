/* The fast engine against NUTS at the sizes of the trade; see tests/analyze/engines.h. Minutes. */
#include "tests/check.h"

#include "tests/analyze/engines.h"

static void sizes_of_the_trade(void **state) {
    (void)state;
    const engine_case cases[] = {
        {.name = "208 weeks, 16 channels", .weeks = 208, .channels = 16, .laplace = 2, .seed = 21},
        {.name = "156 weeks, 8 channels, Hill",
         .weeks = 156,
         .channels = 8,
         .saturation = BW_SATURATION_HILL,
         .laplace = 2,
         .seed = 22},
        {.name = "12 geos, 104 weeks, 4 channels",
         .weeks = 104,
         .channels = 4,
         .geos = 12,
         .controls = 1,
         .laplace = 2,
         .seed = 23},
        {.name = "156 weeks, 5 channels, preset pymc",
         .weeks = 156,
         .channels = 5,
         .controls = 2,
         .events = 3,
         .preset = "pymc",
         .laplace = 2,
         .seed = 24},
        {.name = "156 weeks, 5 channels, preset meridian",
         .weeks = 156,
         .channels = 5,
         .preset = "meridian",
         .laplace = 2,
         .seed = 25},
        {.name = "104 weeks, 6 channels, noisy, Student's t",
         .weeks = 104,
         .channels = 6,
         .noise = 120,
         .student = true,
         .laplace = 2,
         .seed = 26},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        engines_agree(&cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_of_the_trade)};
    return cmocka_run_group_tests_name("fast engine, wide", tests, NULL, NULL);
}
