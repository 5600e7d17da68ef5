/* tests/slow/test_statistics.c - do the 90 % intervals hold the truth nine times in ten?
 *
 * Each model is drawn 200 times from known parameters and fitted. Coverage between 85 and 95 % passes;
 * with 200 draws a true 90 % falls outside that by chance about once in fifty. */
#include "tests/check.h"
#include "analyze/experiment/ab.h"
#include "analyze/experiment/bsts.h"
#include "analyze/customer/clv.h"
#include "analyze/price/demand.h"
#include "analyze/experiment/did.h"
#include "analyze/forecast/forecast.h"
#include "analyze/linear.h"
#include "analyze/sentiment/lead.h"
#include "analyze/table.h"
#include "analyze/timing/timing.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
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

/* 95 % intervals are turned into 90 % ones by their standard error. */
static bool within(double estimate, double se, double truth) {
    return fabs(estimate - truth) <= Z90 * se;
}

static void arms_of_skewed_money(void **state) {
    (void)state;
    enum { N = 1500 };
    static double a[N], b[N];
    int inside = 0;
    for (int s = 0; s < SIMULATIONS; s++) {
        for (size_t i = 0; i < N;
             i++) { /* one in ten buys for a lognormal sum; the arm 2 % more often */
            a[i] = gsl_rng_uniform(rng) < 0.10 ? gsl_ran_lognormal(rng, 3, 0.8) : 0;
            b[i] = gsl_rng_uniform(rng) < 0.12 ? gsl_ran_lognormal(rng, 3, 0.8) : 0;
        }
        bw_arm arms[] = {bw_arm_from_values(a, N, BW_METRIC_MONEY),
                         bw_arm_from_values(b, N, BW_METRIC_MONEY)};
        bw_arm_result r[2];
        bool few;
        CHECK_OK(bw_ab_compare(arms, 2, 0, BW_METRIC_MONEY, r, &few, &err));
        inside += within(r[1].uplift, r[1].se, 0.02 * exp(3 + 0.8 * 0.8 / 2));
    }
    covers("uplift of skewed money", inside, SIMULATIONS);
}

static void differences_in_differences(void **state) {
    (void)state;
    enum { UNITS = 50, DAYS = 20, N = UNITS * DAYS };
    static double y[N], treated[N], post[N], day[N];
    static size_t unit[N];
    int inside = 0;
    for (int s = 0; s < SIMULATIONS; s++) {
        double shock[DAYS];
        for (size_t t = 0; t < DAYS; t++)
            shock[t] = gsl_ran_gaussian(rng, 1);
        for (size_t u = 0; u < UNITS; u++) {
            double level = gsl_ran_gaussian(rng, 5), e = 0;
            for (size_t t = 0; t < DAYS; t++) {
                size_t i = u * DAYS + t;
                e = 0.7 * e + gsl_ran_gaussian(rng, 1); /* errors of a unit hang together */
                unit[i] = u;
                day[i] = (double)t;
                treated[i] = u < UNITS / 2;
                post[i] = t >= DAYS / 2;
                y[i] = level + shock[t] + e + 1.5 * treated[i] * post[i];
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
        inside += within(r.effect, r.se, 1.5);
    }
    covers("difference in differences, serially correlated", inside, SIMULATIONS);
}

/* Ten looks at a test without effect: the always-valid interval must not cry wolf in more than 5 %, the
 * fixed one does so far more often. */
static void sequential_looks_do_not_cry_wolf(void **state) {
    (void)state;
    enum { LOOKS = 20, BLOCK = 200, RUNS = 1000 };
    int always = 0, fixed = 0;
    for (int s = 0; s < RUNS; s++) {
        double sum[2] = {0}, sq[2] = {0}, n = 0;
        bool cried = false, cried_fixed = false;
        for (int look = 0; look < LOOKS; look++) {
            for (int i = 0; i < BLOCK; i++)
                for (int a = 0; a < 2; a++) {
                    double x = gsl_ran_gaussian(rng, 1);
                    sum[a] += x;
                    sq[a] += x * x;
                }
            n += BLOCK;
            bw_arm arms[] = {bw_arm_from_sums(n, sum[0], sq[0], BW_METRIC_MONEY),
                             bw_arm_from_sums(n, sum[1], sq[1], BW_METRIC_MONEY)};
            bw_arm_result r[2];
            bool few;
            CHECK_OK(bw_ab_compare(arms, 2, 0, BW_METRIC_MONEY, r, &few, &err));
            cried |= r[1].p_always < 0.05;
            cried_fixed |= r[1].p < 0.05;
        }
        always += cried;
        fixed += cried_fixed;
    }
    print_message("# false alarms over twenty looks: always valid %.1f %%, fixed %.1f %%\n",
                  100.0 * always / RUNS, 100.0 * fixed / RUNS);
    assert_true(always <= 0.05 * RUNS);
    assert_true(fixed > 0.15 * RUNS);
}

/* Two arms without effect: adjusted for both, one of them is called in about 5 %. */
static void several_arms_keep_the_error_rate(void **state) {
    (void)state;
    int called = 0, runs = 2000;
    for (int s = 0; s < runs; s++) {
        bw_arm arms[4];
        for (size_t a = 0; a < 4; a++)
            arms[a] = bw_arm_from_sums(a ? 1000 : 3000, gsl_ran_binomial(rng, 0.2, a ? 1000 : 3000),
                                       NAN, BW_METRIC_RATE);
        bw_arm_result r[4];
        bool few;
        CHECK_OK(bw_ab_compare(arms, 4, 0, BW_METRIC_RATE, r, &few, &err));
        called += r[1].p < 0.05 || r[2].p < 0.05 || r[3].p < 0.05;
    }
    print_message("# some of three null arms called: %.2f %%\n", 100.0 * called / runs);
    CHECK_NEAR((double)called / runs, 0.05, 0.015);
}

/* The level drifts by 0.02 a period, within what the prior expects (0.01 standard deviations of y, about
 * 0.03). With 0.05 the same simulation covers 82.5 %: the prior is CausalImpact's and as stiff. */
static void counterfactuals(void **state) {
    (void)state;
    enum { N = 90, START = 70 };
    static double y[N], x[N];
    int inside = 0;
    for (int s = 0; s < SIMULATIONS; s++) {
        double walk = 10, level = 0;
        for (size_t t = 0; t < N; t++) {
            walk += gsl_ran_gaussian(rng, 0.4);
            level += gsl_ran_gaussian(rng, 0.02);
            x[t] = walk;
            y[t] = 50 + 1.5 * walk + level + gsl_ran_gaussian(rng, 1) + (t >= START ? 2 : 0);
        }
        bw_impact r;
        CHECK_OK(bw_impact_fit(&(bw_impact_data){.n = N, .start = START, .k = 1, .y = y, .x = x},
                               (uint64_t)s, &r, &err));
        double se = (r.average.hi - r.average.lo) / (2 * 1.959964);
        inside += within(r.average.mean, se, 2);
        bw_impact_free(&r);
    }
    covers("effect against a counterfactual", inside, SIMULATIONS);
}

static void forecasts(void **state) {
    (void)state;
    enum { N = 80, AHEAD = 6 };
    int inside = 0;
    for (int s = 0; s < SIMULATIONS; s++) {
        bw_series series = {.n = N, .horizon = AHEAD, .step = 1, .y = malloc(N * sizeof(double))};
        double level = 5, future = 0;
        for (size_t t = 0; t < N + AHEAD; t++) {
            level += gsl_ran_gaussian(rng, 0.03);
            double v = exp(level + gsl_ran_gaussian(rng, 0.1));
            if (t < N)
                series.y[t] = v;
            else
                future = v; /* the last one is judged */
        }
        bw_forecast f;
        CHECK_OK(bw_forecast_fit(&series, false, (uint64_t)s, &f, &err));
        inside += future >= f.fan[AHEAD - 1].lo90 && future <= f.fan[AHEAD - 1].hi90;
        bw_forecast_free(&f);
        bw_series_free(&series);
    }
    covers("forecast six steps ahead", inside, SIMULATIONS);
}

static void elasticities(void **state) {
    (void)state;
    enum { GROUPS = 6, ROWS = 40, N = GROUPS * ROWS };
    static double q[N], p[N];
    static size_t group[N];
    int inside = 0, all = 0;
    for (int s = 0; s < SIMULATIONS; s++) {
        double truth[GROUPS];
        for (size_t g = 0; g < GROUPS; g++)
            truth[g] = -2 + gsl_ran_gaussian(rng, 0.4);
        for (size_t i = 0; i < N; i++) {
            group[i] = i % GROUPS;
            p[i] = 4 + 2 * gsl_rng_uniform(rng);
            q[i] = exp(6 + truth[group[i]] * log(p[i]) + gsl_ran_gaussian(rng, 0.25));
        }
        bw_demand r;
        CHECK_OK(bw_demand_fit(
            &(bw_demand_data){.n = N, .groups = GROUPS, .units = q, .price = p, .group = group}, &r,
            &err));
        for (size_t g = 0; g < GROUPS; g++, all++)
            inside += within(r.group[g].mean, r.group[g].sd, truth[g]);
        bw_demand_free(&r);
    }
    covers("shrunk elasticities", inside, all);
}

/* What one send brings when its mean is so high: orders of 3000 delivered, a count of its own, or money in
 * orders of 50 on average (exponential: mean square over mean 100). */
static double brings(bw_family family, double rate) {
    if (family == BW_FAMILY_RATE)
        return gsl_ran_binomial(rng, fmin(rate, 1), 3000);
    double orders = gsl_ran_poisson(rng, 3000 * rate);
    return family == BW_FAMILY_COUNT || orders == 0 ? orders : gsl_ran_gamma(rng, orders, 50);
}

/* Results by hour: effects of weekday and hour drawn anew each time, sends scattered beyond chance. */
static void hours_of(bw_family family, const char *what) {
    enum { SENDS = 500 };
    static bw_send send[SENDS];
    int inside = 0, all = 0;
    double first;
    bw_day_parse("2024-01-01", &first);
    for (int s = 0; s < SIMULATIONS; s++) {
        double day[7], hour[6], rate[42], mean = 0;
        for (size_t k = 0; k < 7; k++)
            day[k] = gsl_ran_gaussian(rng, 0.15);
        for (size_t k = 0; k < 6; k++)
            hour[k] = gsl_ran_gaussian(rng, 0.25);
        for (size_t c = 0; c < 42; c++) {
            rate[c] = 0.01 * exp(day[c / 6] + hour[c % 6] + gsl_ran_gaussian(rng, 0.05));
            mean += rate[c] / 42;
        }
        for (size_t i = 0; i < SENDS; i++) {
            size_t c = gsl_rng_uniform_int(rng, 42);
            double mine = rate[c] * exp(gsl_ran_gaussian(rng, 0.2));
            send[i] = (bw_send){.day = first + 7 * (double)(i / 10) + (double)(c / 6),
                                .hour = 9 + (int)(c % 6),
                                .theme = UINT32_MAX,
                                .gap = NAN,
                                .messages = 1,
                                .trials = 3000};
            send[i].successes = brings(family, mine);
            send[i].trials = family == BW_FAMILY_COUNT ? 1 : 3000;
        }
        bw_timing t;
        CHECK_OK(bw_timing_fit(send, SENDS, 1, 0, family, 100, 2, (uint64_t)s, &t, &err));
        for (size_t c = 0; c < t.slots; c++, all++)
            inside += rate[c] / mean >= t.slot[c].index.lo && rate[c] / mean <= t.slot[c].index.hi;
        bw_timing_free(&t);
    }
    covers(what, inside, all);
}

static void hours(void **state) {
    (void)state;
    hours_of(BW_FAMILY_RATE, "index of an hour, rates");
}

static void hours_by_count(void **state) {
    (void)state;
    hours_of(BW_FAMILY_COUNT, "index of an hour, counts");
}

static void hours_by_money(void **state) {
    (void)state;
    hours_of(BW_FAMILY_MONEY, "index of an hour, money");
}

static void buying_rates(void **state) {
    (void)state;
    enum { N = 1200 };
    static bw_customer c[N];
    static const double TRUTH[] = {0.6, 5, 0.8, 2.5};
    int inside = 0, all = 0;
    for (int s = 0; s < SIMULATIONS; s++) {
        for (size_t i = 0; i < N; i++) {
            double rate = gsl_ran_gamma(rng, 0.6, 1 / 5.0), leave = gsl_ran_beta(rng, 0.8, 2.5),
                   t = 0;
            c[i] = (bw_customer){.age = 30 + 30 * gsl_rng_uniform(rng)};
            bool gone = gsl_rng_uniform(rng) < leave;
            while (!gone && (t += gsl_ran_exponential(rng, 1 / rate)) <= c[i].age) {
                c[i].frequency += 1;
                c[i].recency = t;
                gone = gsl_rng_uniform(rng) < leave;
            }
        }
        bw_clv m;
        CHECK_OK(bw_clv_fit(c, N, true, &m, &err));
        const double found[] = {m.r, m.alpha, m.a, m.b};
        for (size_t k = 0; k < 4; k++, all++)
            inside += within(log(found[k]), sqrt(m.cov[5 * k]), log(TRUTH[k]));
    }
    covers("MBG/NBD parameters", inside, all);
}

/* Mood and sales that have memory but nothing to do with each other, over four and over one and a half
 * years of weeks: a lead is claimed once in twenty. */
static void leads_of_unrelated_series(void **state) {
    (void)state;
    static const size_t WEEKS[] = {78, 208};
    double mood[208], sales[208];
    for (size_t k = 0; k < 2; k++) {
        int claims = 0;
        for (int s = 0; s < SIMULATIONS; s++) {
            double a = 0, b = 0;
            for (size_t t = 0; t < WEEKS[k]; t++) {
                mood[t] = a = 0.7 * a + gsl_ran_gaussian(rng, 0.05);
                sales[t] = 20 + (b = 0.5 * b + gsl_ran_gaussian(rng, 1));
            }
            bw_lead r;
            CHECK_OK(bw_lead_find(&(bw_lead_data){WEEKS[k], mood, sales, NULL, 0}, (uint64_t)s + 1,
                                  &r, &err));
            claims += r.p < 0.05;
        }
        print_message("# a lead in %zu weeks of unrelated series: %d of %d\n", WEEKS[k], claims,
                      SIMULATIONS);
        assert_in_range(claims, 3, 18); /* binomial(200, 0.05): outside once in a hundred */
    }
}

static int setup(void **state) {
    (void)state;
    rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, 20261);
    return rng ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    gsl_rng_free(rng);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arms_of_skewed_money),
        cmocka_unit_test(differences_in_differences),
        cmocka_unit_test(sequential_looks_do_not_cry_wolf),
        cmocka_unit_test(several_arms_keep_the_error_rate),
        cmocka_unit_test(counterfactuals),
        cmocka_unit_test(forecasts),
        cmocka_unit_test(elasticities),
        cmocka_unit_test(hours),
        cmocka_unit_test(hours_by_count),
        cmocka_unit_test(hours_by_money),
        cmocka_unit_test(buying_rates),
        cmocka_unit_test(leads_of_unrelated_series),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
