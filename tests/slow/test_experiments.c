/* tests/slow/test_experiments.c - do the 90 % intervals of promotions and of tests by place and time hold the
 * truth nine times in ten? As test_statistics.c, whose rules hold here: 200 draws, 85 to 95 % pass. */
#include "tests/check.h"
#include "tests/analyze/promotion_shop.h"
#include "tests/analyze/staggered_panel.h"
#include "analyze/experiment/switchback.h"
#include "analyze/experiment/synthetic.h"
#include "analyze/forecast/forecast.h"

#include <stdlib.h>

#define SIMULATIONS 200
#define Z90         1.644854

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

/* 95 % intervals are turned into 90 % ones by their standard error. */
static bool within(double estimate, double se, double truth) {
    return fabs(estimate - truth) <= Z90 * se;
}

/* A third starts early, a third late, a third never; effects grow, errors of a unit have memory. */
static void staggered_starts(void **state) {
    (void)state;
    static struct staggered p;
    int inside = 0, fixed = 0;
    for (int k = 0; k < SIMULATIONS; k++) {
        bw_did_data d = staggered_draw(&p, true, 1, 0.4, 1, rng);
        bw_did_result r;
        CHECK_OK(bw_did(&d, &r, &err));
        inside += within(r.effect, r.se, p.truth);
        fixed += within(r.fixed_effects, r.se, p.truth);
    }
    print_message("# two-way fixed effects with the same error: %.1f %%\n",
                  100.0 * fixed / SIMULATIONS);
    covers("difference in differences, staggered", inside, SIMULATIONS);
}

/* One treated unit among thirty others, errors with memory. */
static void one_treated_unit(void **state) {
    (void)state;
    enum { UNITS = 31, TIMES = 16, N = UNITS * TIMES };
    static double y[N], treated[N], post[N], day[N];
    static size_t unit[N];
    int inside = 0;
    for (int k = 0; k < SIMULATIONS; k++) {
        for (size_t u = 0; u < UNITS; u++) {
            double level = gsl_ran_gaussian(rng, 5), e = gsl_ran_gaussian(rng, 1);
            for (size_t t = 0; t < TIMES; t++) {
                size_t i = u * TIMES + t;
                e = 0.6 * e + gsl_ran_gaussian(rng, 1);
                unit[i] = u;
                day[i] = (double)t;
                treated[i] = u == 4;
                post[i] = t >= 10;
                y[i] = level + 0.3 * (double)t + e + 2 * treated[i] * post[i];
            }
        }
        bw_did_data d = {.n = N,
                         .y = y,
                         .treated = treated,
                         .post = post,
                         .unit = unit,
                         .units = UNITS,
                         .time = day};
        bw_did_result r;
        CHECK_OK(bw_did(&d, &r, &err));
        assert_true(r.placebo);
        inside += within(r.effect, r.se, 2);
    }
    covers("difference in differences, one treated unit", inside, SIMULATIONS);
}

/* Thirty units with two common factors and own loadings; the interval is a 90 % one by the placebos. */
static void synthetic_controls(void **state) {
    (void)state;
    enum { UNITS = 30, TIMES = 30, START = 20 };
    static double y[UNITS * TIMES];
    int inside = 0;
    for (int k = 0; k < SIMULATIONS; k++) {
        double factor[2][TIMES];
        for (size_t f = 0; f < 2; f++)
            for (size_t t = 0; t < TIMES; t++)
                factor[f][t] = (t ? factor[f][t - 1] : 0) + gsl_ran_gaussian(rng, 1);
        for (size_t u = 0; u < UNITS; u++) {
            double level = 50 + gsl_ran_gaussian(rng, 2);
            double a = gsl_rng_uniform(rng), b = gsl_rng_uniform(rng);
            for (size_t t = 0; t < TIMES; t++)
                y[u * TIMES + t] = level + a * factor[0][t] + b * factor[1][t] +
                                   gsl_ran_gaussian(rng, 0.7) + (u == 0 && t >= START ? 3 : 0);
        }
        bw_synthetic s;
        CHECK_OK(bw_synthetic_fit(y, UNITS, TIMES, START, &s, &err));
        inside += s.lo <= 3 && 3 <= s.hi;
        bw_synthetic_free(&s);
    }
    covers("synthetic control", inside, SIMULATIONS);
}

/* On and off by the toss of a coin every two periods; effects of 2 now, 1 a period later; noise with memory. */
static void switch_backs(void **state) {
    (void)state;
    enum { N = 200 };
    static double y[N], on[N];
    int inside = 0;
    for (int k = 0; k < SIMULATIONS; k++) {
        double e = 0;
        for (size_t t = 0; t < N; t++) {
            on[t] = t % 2 ? on[t - 1] : gsl_rng_uniform(rng) < 0.5;
            e = 0.3 * e + gsl_ran_gaussian(rng, 1);
            y[t] = 10 + 2 * on[t] + (t ? on[t - 1] : 0) + e;
        }
        bw_switchback s;
        CHECK_OK(bw_switchback_fit(y, on, N, 2, &s, &err));
        inside += within(s.effect, s.se, 3);
    }
    covers("switch-back with carry-over", inside, SIMULATIONS);
}

/* Sales are a base that drifts by 0.01 a period, times noise, and what a channel earns: beta times spend. Beta
 * is known as its posterior, whose own error is drawn too; the spend to come is a half more. Six periods ahead the
 * fan is as stiff as the prior of the drift: with 0.02 the same simulation covers 83.5 %. */
static void planned_spend(void **state) {
    (void)state;
    enum { N = 90, AHEAD = 6, DRAWS = 200 };
    int inside = 0;
    for (int k = 0; k < SIMULATIONS; k++) {
        double spend[N + AHEAD], level = 5, beta = 1 + gsl_ran_gaussian(rng, 0.25),
                                 believed = beta + gsl_ran_gaussian(rng, 0.25), future = 0;
        bw_series s = {.n = N, .horizon = AHEAD, .step = 1, .y = malloc(N * sizeof(double))};
        s.media = (bw_media){DRAWS, malloc(DRAWS * N * sizeof(double)),
                             malloc(DRAWS * AHEAD * sizeof(double))};
        for (size_t t = 0; t < N + AHEAD; t++) {
            spend[t] = t < N ? 40 + 20 * gsl_rng_uniform(rng) : 75;
            level += gsl_ran_gaussian(rng, 0.01);
            double sales = exp(level + gsl_ran_gaussian(rng, 0.08)) + beta * spend[t];
            if (t < N)
                s.y[t] = sales;
            else
                future = sales; /* the last one is judged */
        }
        for (size_t j = 0; j < DRAWS; j++) {
            double b = believed + gsl_ran_gaussian(rng, 0.25);
            for (size_t t = 0; t < N + AHEAD; t++)
                *(t < N ? &s.media.seen[j * N + t] : &s.media.ahead[j * AHEAD + t - N]) =
                    b * spend[t];
        }
        bw_forecast f;
        CHECK_OK(bw_forecast_fit(&s, false, (uint64_t)k, &f, &err));
        inside += future >= f.fan[AHEAD - 1].lo90 && future <= f.fan[AHEAD - 1].hi90;
        bw_forecast_free(&f);
        bw_series_free(&s);
    }
    covers("forecast with planned spend", inside, SIMULATIONS);
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
        cmocka_unit_test(promotions),       cmocka_unit_test(staggered_starts),
        cmocka_unit_test(one_treated_unit), cmocka_unit_test(synthetic_controls),
        cmocka_unit_test(switch_backs),     cmocka_unit_test(planned_spend),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
