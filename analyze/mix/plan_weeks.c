/* analyze/mix/plan_weeks.c - when to spend: the best calendar of one channel for a given spend a week on
 * average, and a bound that no calendar exceeds.
 *
 * The money of a calendar climbs by projected ascent over the weeks (what is projected on: no week below
 * nothing or above the most allowed, the sum fixed, no step longer than the ramp). S-curves have many
 * hills: the climb begins at the best of the even calendar and of bursts every second, third, ... week, and
 * single weeks are then dropped, added and moved. An uneven calendar must beat the even one by something that is worth the trouble.
 *
 * The bound: on the concave envelopes of the curves the best calendar is found by the same climb, and a
 * concave function lies under its tangent there. The most that the tangent gives for any spend, with all
 * money in the steepest weeks, bounds every calendar of that spend, be the climb good or bad; of
 * several such bounds the least counts. */
#include "analyze/mix/plan_internal.h"

#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EVEN_ENOUGH \
    3e-3 /* share of its money by which another calendar must beat the even one: less than
                              anybody would notice */
#define CLIMBS      24  /* steps of one ascent */
#define MOVES       20  /* single weeks moved at most */
#define BURSTS_MOST 8   /* weeks between two bursts */
#define CYCLES      100 /* of projections on steps and sum */

/* One climb: what is climbed, and its rooms [weeks]. */
typedef struct {
    const plan_rules *r;
    bw_market *market;
    const double *weight; /* of draws */
    bool hull;
    double *even; /* the even calendar of the sum at hand, to fall back on */
    double *gradient, *aim, *trial, *best, *fix; /* fix: [3, weeks] of the projections */
} climber;

static double climber_value(const climber *c, const double *x, double *gradient) {
    return c->hull ? bw_market_hull(c->market, c->weight, x, gradient)
                   : bw_market_sum(c->market, c->weight, x, gradient);
}

static bw_status climber_new(climber *c, const plan_rules *r, bw_market *market, bw_err *err) {
    *c = (climber){.r = r, .market = market, .weight = r->search};
    c->even = calloc(8 * r->weeks, sizeof *c->even);
    if (!c->even)
        return bw_fail_memory(err);
    c->gradient = c->even + r->weeks;
    c->aim = c->gradient + r->weeks;
    c->trial = c->aim + r->weeks;
    c->best = c->trial + r->weeks;
    c->fix = c->best + r->weeks;
    return BW_OK;
}

static void climber_free(climber *c) {
    free(c->even);
}

static double total(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* ---- what is allowed ---- */

/* Steps from now on, move in all, within what a week may spend; the mean of them. */
static double ramp_by(const plan_rules *r, double move, double *x) {
    double sum = 0;
    for (size_t w = 0; w < r->weeks; w++) {
        double way = copysign(fmin(fabs(move), r->step * (double)(w + 1)), move);
        x[w] = fmin(fmax(0.0, r->now + way), fmax(r->cap, r->now));
        sum += x[w];
    }
    return sum / (double)r->weeks;
}

/* Steps towards a last level such that the mean is u: the last level overshoots u. */
static void ramp_to(const plan_rules *r, double u, double *x) {
    double far = r->step * (double)r->weeks, lo = -far, hi = far;
    for (int n = 0; n < 60; n++) {
        double move = 0.5 * (lo + hi);
        if (ramp_by(r, move, x) < u)
            lo = move;
        else
            hi = move;
    }
}

void plan_reach(const plan_rules *r, double *room, double *lo, double *hi) {
    double far = r->step * (double)r->weeks;
    *lo = isfinite(far) ? ramp_by(r, -far, room) : 0.0;
    *hi = isfinite(far) ? ramp_by(r, far, room) : r->cap;
}

void plan_even(const plan_rules *r, double u, double *x) {
    if (isfinite(r->step))
        ramp_to(r, u, x);
    else
        for (size_t w = 0; w < r->weeks; w++)
            x[w] = u;
}

/* The nearest calendar of that sum with every week between nothing and the cap. */
static void onto_sum(const plan_rules *r, double sum, double *x) {
    double lo = -r->cap, hi = 0;
    for (size_t w = 0; w < r->weeks; w++)
        hi = fmax(hi, x[w]);
    for (size_t w = 0; w < r->weeks; w++)
        lo = fmin(lo, x[w] - r->cap);
    for (int n = 0; n < 60; n++) {
        double shift = 0.5 * (lo + hi), got = 0;
        for (size_t w = 0; w < r->weeks; w++)
            got += fmin(fmax(x[w] - shift, 0.0), r->cap);
        if (got > sum)
            lo = shift;
        else
            hi = shift;
    }
    for (size_t w = 0; w < r->weeks; w++)
        x[w] = fmin(fmax(x[w] - 0.5 * (lo + hi), 0.0), r->cap);
}

/* Every second pair of neighbours, from week `from` on, brought to within a step of each other. */
static void onto_steps(const plan_rules *r, size_t from, double *x) {
    double step = r->step * (1 - 1e-6);
    if (from == 0)
        x[0] = fmin(fmax(x[0], r->now - step), r->now + step);
    for (size_t w = from == 0 ? 2 : 1; w < r->weeks; w += 2) {
        double excess = fabs(x[w] - x[w - 1]) - step;
        if (excess > 0) {
            double part = copysign(0.5 * excess, x[w] - x[w - 1]);
            x[w] -= part;
            x[w - 1] += part;
        }
    }
}

/* The part of the way from even to x that keeps all steps within the ramp. */
static void back_within(const plan_rules *r, const double *even, double *x) {
    double part = 1;
    for (size_t w = 0; w < r->weeks; w++) {
        double a = even[w] - (w ? even[w - 1] : r->now), b = x[w] - (w ? x[w - 1] : r->now);
        if (fabs(b) > r->step * (1 + 1e-9) && b != a)
            part = fmin(part, fmax(0.0, (copysign(r->step, b) - a) / (b - a)));
    }
    for (size_t w = 0; w < r->weeks; w++)
        x[w] = even[w] + part * (x[w] - even[w]);
}

/* The nearest allowed calendar of that sum; Dykstra's projections where there is a ramp. */
static void onto_allowed(const climber *c, double sum, double *x) {
    const plan_rules *r = c->r;
    if (!isfinite(r->step)) {
        onto_sum(r, sum, x);
        return;
    }
    memset(c->fix, 0, 3 * r->weeks * sizeof *c->fix);
    for (int n = 0; n < 3 * CYCLES; n++) {
        double *fix = c->fix + (size_t)(n % 3) * r->weeks;
        for (size_t w = 0; w < r->weeks; w++)
            fix[w] += x[w];
        memcpy(x, fix, r->weeks * sizeof *x);
        n % 3 == 2 ? onto_sum(r, sum, x) : onto_steps(r, (size_t)(n % 3), x);
        for (size_t w = 0; w < r->weeks; w++)
            fix[w] -= x[w];
    }
    back_within(r, c->even, x);
}

/* ---- the climb ---- */

/* c->aim = where an uphill step of that length leads within what is allowed, less x; returns the rise
 * that the gradient promises for it. */
static double aim_uphill(climber *c, const double *x, double sum, double length) {
    size_t n = c->r->weeks;
    double middle = total(c->gradient, n) / (double)n, spread = 0;
    for (size_t w = 0; w < n; w++)
        spread = fmax(spread, fabs(c->gradient[w] - middle));
    if (!(spread > 1e-9 * fabs(middle)))
        return 0;
    for (size_t w = 0; w < n; w++)
        c->aim[w] = x[w] + length * sum / (double)n * (c->gradient[w] - middle) / spread;
    onto_allowed(c, sum, c->aim);
    for (size_t w = 0; w < n; w++)
        c->aim[w] -= x[w];
    return dot(c->gradient, c->aim, n);
}

/* Climbs from x, whose sum stays that of c->even; returns the value there. */
static double ascend(climber *c, double *x) {
    size_t n = c->r->weeks;
    double sum = total(x, n), value = climber_value(c, x, c->gradient), length = 1;
    for (int step = 0; step < CLIMBS && n > 1 && sum > 0; step++) {
        double rise = aim_uphill(c, x, sum, length), part = 2, got = -INFINITY;
        if (!(rise > 1e-7 * fabs(value)))
            break;
        do { /* halve the step until it brings a part of what was promised */
            part *= 0.5;
            for (size_t w = 0; w < n; w++)
                c->trial[w] = x[w] + part * c->aim[w];
            got = climber_value(c, c->trial, NULL);
        } while (part > 1e-3 && !(got > value + 1e-3 * part * rise));
        if (!(got > value))
            break;
        length *= part >= 1 ? 2 : part;
        memcpy(x, c->trial, n * sizeof *x);
        value = climber_value(c, x, c->gradient);
    }
    return value;
}

/* ---- bursts ---- */

/* Every every-th week gets as much as it may; what is left over goes to the others. */
static void burst(climber *c, size_t every, double u, double *x) {
    const plan_rules *r = c->r;
    size_t on = (r->weeks + every - 1) / every, off = r->weeks - on;
    double sum = u * (double)r->weeks, each = fmin(sum / (double)on, r->cap);
    double rest = off ? (sum - each * (double)on) / (double)off : 0.0;
    for (size_t w = 0; w < r->weeks; w++)
        x[w] = w % every == 0 ? each : rest;
    if (isfinite(r->step))
        onto_allowed(c, sum, x);
}

/* Move number `which` of week w: its money goes to the others, it gets as much as the largest has, or it
 * changes places with the week behind it. */
static void single_move(climber *c, const double *x, size_t w, int which, double *out) {
    size_t n = c->r->weeks, next = (w + 1) % n;
    double sum = total(x, n), amount = 0;
    memcpy(out, x, n * sizeof *out);
    if (which == 2) {
        out[w] = x[next];
        out[next] = x[w];
    } else {
        for (size_t i = 0; i < n && which == 1; i++)
            amount = fmax(amount, x[i]);
        double others = sum - x[w], factor = others > 0 ? (sum - amount) / others : 0.0;
        for (size_t i = 0; i < n; i++)
            out[i] = i == w ? amount : x[i] * factor;
    }
    if (which < 2 || isfinite(c->r->step))
        onto_allowed(c, sum, out);
}

static double move_weeks(climber *c, double *x, double value) {
    for (int moved = 0; moved < MOVES; moved++) {
        double top = value;
        for (size_t w = 0; w < c->r->weeks; w++)
            for (int which = 0; which < 3; which++) {
                single_move(c, x, w, which, c->trial);
                double got = climber_value(c, c->trial, NULL);
                if (got > top + 1e-6 * fabs(top)) {
                    top = got;
                    memcpy(c->best, c->trial, c->r->weeks * sizeof *c->best);
                }
            }
        if (!(top > value))
            break;
        memcpy(x, c->best, c->r->weeks * sizeof *x);
        value = ascend(c, x);
    }
    return value;
}

/* The best of the even calendar, of x brought to u a week, and of bursts, in x. */
static void best_start(climber *c, double u, size_t bursts, double *x) {
    size_t n = c->r->weeks;
    double top = climber_value(c, c->even, NULL), sum = total(x, n);
    for (size_t w = 0; w < n; w++)
        x[w] = sum > 0 ? x[w] * u * (double)n / sum : u;
    onto_allowed(c, u * (double)n, x);
    memcpy(c->best, c->even, n * sizeof *x);
    for (size_t every = 1; every <= n && every <= bursts; every++) {
        if (every > 1)
            burst(c, every, u, x);
        double got = climber_value(c, x, NULL);
        if (got > top) {
            top = got;
            memcpy(c->best, x, n * sizeof *x);
        }
    }
    memcpy(x, c->best, n * sizeof *x);
}

bw_status plan_calendar(const plan_rules *r, bw_market *market, double u, bool thorough, double *x,
                        bw_err *err) {
    climber c;
    bw_status st = climber_new(&c, r, market, err);
    if (st != BW_OK)
        return st;
    plan_even(r, u, c.even);
    best_start(&c, u, thorough ? BURSTS_MOST : 1, x);
    double value = ascend(&c, x);
    if (thorough)
        move_weeks(&c, x, value);
    double even = bw_market_sum(market, r->full, c.even, NULL);
    if (!(bw_market_sum(market, r->full, x, NULL) > even + EVEN_ENOUGH * fabs(even)))
        memcpy(x, c.even, r->weeks * sizeof *x);
    climber_free(&c);
    return BW_OK;
}

/* ---- the bound ---- */

bw_status plan_tangent(const plan_rules *r, bw_market *market, double u, double *x, bw_err *err) {
    climber c;
    plan_rules free_steps = *r; /* what is allowed without a ramp includes what is with one */
    free_steps.step = INFINITY;
    bw_status st = climber_new(&c, &free_steps, market, err);
    if (st != BW_OK)
        return st;
    c.hull = true;
    plan_even(&free_steps, u, c.even);
    memcpy(x, c.even, r->weeks * sizeof *x);
    ascend(&c, x);
    climber_free(&c);
    return BW_OK;
}

/* The most that sum_w gradient[w] x[w] can be for a spend of u a week: steepest weeks first. */
static double linear_most(const plan_rules *r, const double *descending, double u) {
    double left = u * (double)r->weeks, all = 0;
    for (size_t w = 0; w < r->weeks && left > 0; w++) {
        double amount = fmin(left, r->cap);
        all += descending[w] * amount;
        left -= amount;
    }
    return all;
}

bw_status plan_bound(const plan_rules *r, bw_market *market, const double *weight,
                     const double *touch, const double *u, size_t n, double *bound, bw_err *err) {
    double *gradient = malloc(r->weeks * sizeof *gradient);
    if (!gradient)
        return bw_fail_memory(err);
    double there = bw_market_hull(market, weight, touch, gradient);
    double rest = there - dot(gradient, touch, r->weeks);
    gsl_sort(gradient, 1, r->weeks);
    for (size_t w = 0; w < r->weeks / 2; w++) {
        double swap = gradient[w];
        gradient[w] = gradient[r->weeks - 1 - w];
        gradient[r->weeks - 1 - w] = swap;
    }
    for (size_t i = 0; i < n; i++)
        bound[i] = fmin(bound[i], (rest + linear_most(r, gradient, u[i])) / (double)r->weeks);
    free(gradient);
    return BW_OK;
}
