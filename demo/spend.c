/* demo/spend.c - what each channel spends by day, and what that earns.
 *
 * Spend is a weekly pattern of the channel's own x a budget that moves by quarter x demand to some
 * power (a marketer spends when people buy: the confounding a fit has to cope with) x weekday and
 * daily scatter. Earnings follow demo.h; `top` is solved so that the ROAS is the stated one. */
#include "demo/shop.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#define MARGINAL_STEP 0.01

/* Out-of-home runs four weeks at a time; the first weeks of its flights. */
static const int FLIGHT_WEEKS[] = {3, 17, 29, 44, 58, 71, 80, 97, 110, 124, 139, 152};
/* Weeks in which a booked influencer posts, three weeks of money each. */
static const int BURST_WEEKS[] = {2,  9,  13, 20,  28,  33,  41,  49,  54,  62,  67, 75,
                                  84, 90, 96, 103, 112, 117, 126, 133, 138, 146, 151};

static double in_flight(const int *first, size_t n, int lasts, int week, int offset) {
    for (size_t i = 0; i < n; i++)
        if (week >= first[i] + offset && week < first[i] + offset + lasts)
            return 1;
    return 0;
}

/* Paid social: budgets of half a year, raised at last; twice the account was blocked for some weeks. */
static double steps(int w) {
    if ((w >= 47 && w < 50) || (w >= 113 && w < 115))
        return 0.08;
    return w < 24    ? 0.9
           : w < 40  ? 0.5
           : w < 62  ? 1.0
           : w < 76  ? 1.35
           : w < 101 ? 0.6
           : w < 129 ? 1.1
                     : 1.5;
}

/* Short video: high and low weeks on trial in a cycle that no year divides, so that they never meet
 * the same holiday twice. */
static double trials(int w) {
    static const double TRIED[11] = {0.9, 1.5, 1.7, 0.5, 0.2, 0.25, 1.3, 1.0, 0.6, 1.9, 0.6};
    return (0.9 + 0.2 * w / BW_DEMO_MAX_WEEKS) * TRIED[w % 11];
}

/* Factor of the average budget in week w; the pattern is pinned to the end of the three years. */
static double weekly_factor(enum pattern pattern, int w, int offset, double *state, gsl_rng *r) {
    *state = 0.8 * *state + gsl_ran_gaussian(r, 0.15);
    double scatter = exp(gsl_ran_gaussian(r, 0.12));
    switch (pattern) {
    case FOLLOWS:
        return exp(0.7 * *state) * pow(scatter, 1.5) * (w % 31 == 11 || w % 31 == 12 ? 0.55 : 1);
    case STEPS:
        return steps(w) * scatter * exp(0.5 * *state);
    case TRIALS:
        return trials(w) * scatter;
    case STEADY:
        return scatter * exp(0.8 * *state) * (w % 5 == 0 || w % 7 == 3 ? 1.6 : 0.75);
    case WANDERS:
        return exp(*state) * pow(scatter, 3);
    case BURSTS:
        return (0.25 + 2.0 * in_flight(BURST_WEEKS, sizeof BURST_WEEKS / sizeof *BURST_WEEKS, 3, w,
                                       offset)) *
               scatter;
    case FLIGHTS:
        return 3.2 *
               in_flight(FLIGHT_WEEKS, sizeof FLIGHT_WEEKS / sizeof *FLIGHT_WEEKS, 4, w, offset) *
               scatter;
    }
    return 1;
}

static const double SPEND_DAY[7] = {1.05, 1.02, 1.00, 1.02, 1.04, 0.95, 0.92};

static double demand(const struct shop *s, int day) {
    int from = day - day % 7;
    double sum = 0, usual = 0;
    for (int d = from; d < from + 7; d++)
        sum += s->baseline[d] * s->holiday[d], usual += s->baseline[0];
    return sum / usual;
}

/* Money is spent in whole cents. */
static double cents(double x) {
    return round(x * 100) / 100;
}

static void fill_spend(struct shop *s, struct channel *c, int offset, gsl_rng *r) {
    double state = 0, tilt[MAX_GEOS];
    int skipped = BW_DEMO_MAX_WEEKS - s->weeks;
    for (int g = 0; g < s->n_geos; g++)
        tilt[g] = 1;
    double factor = 0;
    for (int d = 0; d < s->days; d++) {
        if (d % 7 == 0)
            factor = weekly_factor(c->pattern, skipped + d / 7, offset, &state, r) *
                     pow(demand(s, d), c->follows) * test_factor(s, (int)(c - s->channel), d / 7);
        for (int g = 0; g < s->n_geos; g++) {
            if (d % 7 == 0 && s->n_geos > 1)
                tilt[g] = exp(0.7 * log(tilt[g]) + gsl_ran_gaussian(r, 0.2));
            double x = c->budget / 7 * factor * SPEND_DAY[d % 7] * exp(gsl_ran_gaussian(r, 0.08));
            c->spend[g][d] = cents(x * s->geo[g].share * tilt[g]);
        }
    }
}

static double daily_rate(const struct channel *c) {
    return pow(0.5, 1 / (7 * c->half_life));
}

void shop_respond(const struct shop *s, struct channel *c) {
    double rate = daily_rate(c);
    for (int g = 0; g < s->n_geos; g++) {
        double a = 0, scale = c->scale * s->geo[g].share;
        for (int d = 0; d < s->days; d++) {
            a = (1 - rate) * c->spend[g][d] + rate * a;
            c->earned[g][d] = c->top * s->geo[g].share / 7 * tanh(7 * a / (2 * scale));
        }
    }
}

double channel_spent(const struct shop *s, const struct channel *c) {
    double sum = 0;
    for (int g = 0; g < s->n_geos; g++)
        for (int d = 0; d < s->days; d++)
            sum += c->spend[g][d];
    return sum;
}

double channel_earned(const struct shop *s, const struct channel *c, int first, int last) {
    double sum = 0;
    for (int g = 0; g < s->n_geos; g++)
        for (int d = first; d <= last; d++)
            sum += c->earned[g][d] * s->mix[d];
    return sum;
}

/* Scale from the average while it spends, then top so that contribution = target x spend. */
static void calibrate(struct shop *s, struct channel *c) {
    double spent = channel_spent(s, c);
    c->scale = c->budget / c->fullness;
    c->top = 1;
    shop_respond(s, c);
    double earned = channel_earned(s, c, 0, s->days - 1);
    c->top = earned > 0 ? c->target * spent / earned : 0;
    shop_respond(s, c);
}

bw_status shop_spend(struct shop *s) {
    gsl_rng *r = shop_rng(s, RNG_SPEND);
    if (!r)
        return BW_ENOMEM;
    for (int i = 0; i < s->n_channels; i++) {
        fill_spend(s, &s->channel[i], i / 7, r);
        calibrate(s, &s->channel[i]);
    }
    gsl_rng_free(r);
    return BW_OK;
}

double channel_marginal(const struct shop *s, const struct channel *c, struct channel *scratch) {
    memcpy(scratch, c, sizeof *scratch);
    for (int g = 0; g < s->n_geos; g++)
        for (int d = 0; d < s->days; d++)
            scratch->spend[g][d] *= 1 + MARGINAL_STEP;
    shop_respond(s, scratch);
    double earned =
        channel_earned(s, scratch, 0, s->days - 1) - channel_earned(s, c, 0, s->days - 1);
    double spent = channel_spent(s, c) * MARGINAL_STEP;
    return spent > 0 ? earned / spent : 0;
}

double channel_marginal_now(const struct shop *s, const struct channel *c) {
    double spent = 0;
    int from = s->days > 28 ? s->days - 28 : 0;
    for (int g = 0; g < s->n_geos; g++)
        for (int d = from; d < s->days; d++)
            spent += c->spend[g][d];
    double week = spent * 7 / (s->days - from);
    double sech = 1 / cosh(week / (2 * c->scale));
    return c->top / (2 * c->scale) * sech * sech;
}
