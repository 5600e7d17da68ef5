/* tests/slow/test_experiments.c - do the 90 % intervals of promotions and of tests by place and time hold the
 * truth nine times in ten? As test_statistics.c, whose rules hold here: 200 draws, 85 to 95 % pass. */
#include "tests/check.h"
#include "tests/analyze/promotion_shop.h"

#include <stdlib.h>

#define SIMULATIONS 200

static bw_err err;
static gsl_rng *rng;

static void covers(const char *what, int inside, int n) {
    double share = (double)inside / n;
    print_message("# %s: %.1f %% of %d\n", what, 100 * share, n);
    if (share < 0.85 || share > 0.95)
        fail_msg("%s: the 90 %% interval held the truth in %.1f %% of %d", what, 100 * share, n);
}

static bool holds(const bw_summary *s, double truth) {
    return s->lo <= truth && truth <= s->hi;
}

/* Lifts and losses drawn anew: what they brought, took from others, took from later, and in all. */
static void promotions(void **state) {
    (void)state;
    static struct promotion_shop s;
    static const char *const WHAT[] = {"money of what was promoted", "taken from other products",
                                       "dip after a promotion", "promotion in all"};
    int inside[4] = {0}, all = 0;
    for (int k = 0; k < SIMULATIONS; k++) {
        promotion_shop_draw(&s, 0.3 + gsl_ran_gaussian(rng, 0.08),
                            0.06 + gsl_ran_gaussian(rng, 0.03), rng);
        bw_promotion_data d = promotion_shop_data(&s);
        bw_promotion p[SHOP_PROMOTIONS];
        CHECK_OK(bw_promotion_fit(&d, (uint64_t)k, p, &err));
        for (size_t i = 0; i < SHOP_PROMOTIONS; i++, all++) {
            inside[0] += holds(&p[i].promoted, s.promoted[i]);
            inside[1] += holds(&p[i].taken, s.taken[i]);
            inside[2] += holds(&p[i].dip, s.dip[i]);
            inside[3] += holds(&p[i].net, s.promoted[i] + s.taken[i] + s.dip[i]);
        }
    }
    for (size_t w = 0; w < 4; w++)
        print_message("# %s: %.1f %%\n", WHAT[w], 100.0 * inside[w] / all);
    for (size_t w = 0; w < 4; w++)
        covers(WHAT[w], inside[w], all);
}

static int setup(void **state) {
    (void)state;
    rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, 20262);
    return rng ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    gsl_rng_free(rng);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promotions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
