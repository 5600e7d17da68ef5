/* The sort of draws against the library's, on orders that upset a quicksort. */
#include "tests/check.h"

#include "analyze/sort.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort_double.h>
#include <stdlib.h>

enum { MOST = 4001, ORDERS = 7 };

static void fill(double *v, size_t n, int order, gsl_rng *r) {
    for (size_t i = 0; i < n; i++) {
        const double of[ORDERS] = {gsl_ran_gaussian(r, 1),
                                   (double)i,
                                   -(double)i,
                                   7,
                                   (double)(i % 5),
                                   i < n / 2 ? (double)i : (double)(n - i),
                                   i % 2 ? -(double)i : (double)i};
        v[i] = of[order];
    }
}

static void sorts_as_the_library_does(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 23, 24, 25, 26, 100, 1000, MOST};
    static double ours[MOST], theirs[MOST];
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int order = 0; order < ORDERS; order++) {
            fill(ours, sizes[s], order, r);
            memcpy(theirs, ours, sizeof ours);
            bw_sort(ours, sizes[s]);
            gsl_sort(theirs, 1, sizes[s]);
            assert_memory_equal(ours, theirs, sizes[s] * sizeof *ours);
        }
    gsl_rng_free(r);
}

/* Values that are not numbers do not lead it astray: all others are still there. */
static void ends_with_nan_among_the_values(void **state) {
    (void)state;
    double v[200], sum = 0;
    for (int i = 0; i < 200; i++)
        v[i] = i % 7 ? (double)(i * 37 % 101) : NAN;
    bw_sort(v, 200);
    int seen = 0;
    for (int i = 0; i < 200; i++)
        if (!isnan(v[i])) {
            sum += v[i];
            seen++;
        }
    double expected = 0;
    for (int i = 0; i < 200; i++)
        expected += i % 7 ? (double)(i * 37 % 101) : 0;
    assert_int_equal(seen, 200 - 29);
    CHECK_NEAR(sum, expected, 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_as_the_library_does),
        cmocka_unit_test(ends_with_nan_among_the_values),
    };
    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
