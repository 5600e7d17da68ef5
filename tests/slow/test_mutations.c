/* Ten thousand broken model files. */
#include "tests/model/mutate.h"

static void test_ten_thousand_mutations(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        mutate_and_open(1000, seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ten_thousand_mutations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
