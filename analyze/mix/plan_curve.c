/* analyze/mix/plan_curve.c - what each channel earns at every level of spend, draw by draw: with the best
 * calendar of that level, past and later weeks counted (mmm_market.h).
 *
 * Where no draw has an S-curve the calendar is even: only what happens to be spent before and after the
 * horizon could make another one better, and what that is worth is part of the gap that is told. Where
 * some draws have one, calendars are searched under few draws and judged under all: every fourth level
 * thoroughly, those between from the calendar below them. */
#include "analyze/mix/plan_internal.h"

#include "common/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_DRAWS 48 /* under which calendars are searched; fewer where there are many geos */
#define SEARCH_LEAST 16
#define SEARCH_EVERY 4 /* levels */

plan_rules plan_rules_of(const plan_state *p, size_t i) {
    const plan_channel *c = &p->channel[i];
    return (plan_rules){.weeks = (size_t)p->o->weeks,
                        .cap = fmax(p->o->beyond * c->most, c->hi),
                        .now = c->now,
                        .step =
                            p->o->ramp > 0 && c->now > 0 ? p->o->ramp / 100.0 * c->now : INFINITY,
                        .search = p->search,
                        .full = p->full};
}

static bw_status open_market(plan_state *p, size_t i, bw_err *err) {
    const plan_channel *c = &p->channel[i];
    plan_rules r = plan_rules_of(p, i);
    bw_market_options o = {.channel = c->channel,
                           .weeks = r.weeks,
                           .after = c->now,
                           .top = r.cap,
                           .draws = p->fit.draws,
                           .n_draw = p->n_draw,
                           .of = p->fit.n_draw};
    return bw_market_new(p->fit.model, &o, &p->market[i], err);
}

static double *level_calendar(const plan_state *p, size_t i, size_t level) {
    return p->level_week + (i * PLAN_LEVELS + level) * (size_t)p->o->weeks;
}

static bool keeps_even(const plan_state *p, size_t i) {
    return p->channel[i].fixed || bw_market_concave(p->market[i]);
}

/* The calendar of a level into its place. */
static bw_status level_weeks(plan_state *p, size_t i, size_t level, bw_err *err) {
    plan_rules r = plan_rules_of(p, i);
    double *x = level_calendar(p, i, level), u = p->x[i * PLAN_LEVELS + level];
    plan_even(&r, u, x);
    if (keeps_even(p, i))
        return BW_OK;
    if (level > 0)
        memcpy(x, level_calendar(p, i, level - 1), r.weeks * sizeof *x);
    return plan_calendar(&r, p->market[i], u, level % SEARCH_EVERY == 0, x, err);
}

/* Money a week of a calendar in draw k. */
static double earned(const plan_state *p, size_t i, size_t k, const double *x) {
    return bw_market_earned(p->market[i], k, x) / (double)p->o->weeks;
}

static bw_status channel_levels(plan_state *p, size_t i, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t level = 0; level < PLAN_LEVELS && st == BW_OK; level++) {
        size_t at = i * PLAN_LEVELS + level;
        double sum = 0;
        if (bw_interrupted())
            return BW_EINTERRUPTED;
        st = level_weeks(p, i, level, err);
        for (size_t k = 0; k < p->n_draw && st == BW_OK; k++) {
            double v = earned(p, i, k, level_calendar(p, i, level));
            p->value[at * p->n_draw + k] = (float)v;
            sum += v;
        }
        p->mean[at] = sum / (double)p->n_draw;
    }
    return st;
}

static bw_status channel_touches(plan_state *p, size_t i, bw_err *err) {
    plan_rules r = plan_rules_of(p, i);
    bw_status st = BW_OK;
    for (size_t t = 0; t < PLAN_TOUCH && st == BW_OK; t++)
        st = plan_tangent(&r, p->market[i],
                          p->x[i * PLAN_LEVELS + t * (PLAN_LEVELS - 1) / (PLAN_TOUCH - 1)],
                          p->touch + (i * PLAN_TOUCH + t) * r.weeks, err);
    return st;
}

static bw_status channel_curve(plan_state *p, size_t i, bw_err *err) {
    bw_status st = open_market(p, i, err);
    if (st != BW_OK)
        return st;
    double *now = p->channel[i].week; /* room until the plan is made */
    for (long w = 0; w < p->o->weeks; w++)
        now[w] = p->channel[i].now;
    for (size_t k = 0; k < p->n_draw; k++)
        p->now[i * p->n_draw + k] = earned(p, i, k, now);
    st = channel_levels(p, i, err);
    return st == BW_OK ? channel_touches(p, i, err) : st;
}

/* Every channel by itself, side by side; of several failures that of the first channel is told. */
static bw_status each_channel(plan_state *p, bw_status (*work)(plan_state *, size_t, bw_err *),
                              bw_err *err) {
    bw_status st = BW_OK;
    size_t first = p->n, done = 0;
    bw_progress *progress = bw_progress_new("plan", p->n);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < p->n; i++) {
        bw_err own = {{0}};
        bw_status mine = work(p, i, &own);
#pragma omp critical
        {
            bw_progress_set(progress, ++done, NULL);
            if (mine != BW_OK && i < first) {
                first = i;
                st = mine;
                if (err)
                    *err = own;
            }
        }
    }
    bw_progress_free(progress);
    return st;
}

static void set_weights(plan_state *p) {
    size_t geos = bw_mmm_geos(p->fit.model), wanted = SEARCH_DRAWS / geos;
    wanted = wanted < SEARCH_LEAST ? SEARCH_LEAST : wanted;
    wanted = wanted < p->n_draw ? wanted : p->n_draw;
    for (size_t k = 0; k < p->n_draw; k++)
        p->full[k] = 1.0 / (double)p->n_draw;
    for (size_t k = 0; k < wanted; k++)
        p->search[k * p->n_draw / wanted] = 1.0 / (double)wanted;
}

bw_status plan_curves(plan_state *p, bw_err *err) {
    set_weights(p);
    for (size_t i = 0; i < p->n; i++)
        for (size_t level = 0; level < PLAN_LEVELS; level++) {
            const plan_channel *c = &p->channel[i];
            p->x[i * PLAN_LEVELS + level] =
                c->lo + (c->hi - c->lo) * (double)level / (PLAN_LEVELS - 1);
        }
    return each_channel(p, channel_curve, err);
}

/* Level below spend u, and how far u is from it to the next, 0..1. */
static size_t level_of(const plan_state *p, size_t i, double u, double *part) {
    const plan_channel *c = &p->channel[i];
    double at = c->hi > c->lo
                    ? fmin(fmax((u - c->lo) / (c->hi - c->lo), 0.0), 1.0) * (PLAN_LEVELS - 1)
                    : 0.0;
    size_t level = at >= PLAN_LEVELS - 1 ? PLAN_LEVELS - 2 : (size_t)at;
    *part = at - (double)level;
    return level;
}

double plan_value(const plan_state *p, size_t i, double u, size_t k) {
    double part;
    size_t level = level_of(p, i, u, &part);
    const float *v = p->value + (i * PLAN_LEVELS + level) * p->n_draw;
    return (1 - part) * (double)v[k] + part * (double)v[p->n_draw + k];
}

bw_status plan_bound_total(const plan_state *p, const double *weight, double spend, double *bound,
                           bw_err *err) {
    bw_allocation_result r = {0};
    plan_problem problem;
    plan_aim aim = {.total = spend};
    double *most = malloc(p->n * PLAN_LEVELS * sizeof *most);
    bw_status st = most ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; i < p->n * PLAN_LEVELS && most; i++)
        most[i] = INFINITY;
    for (size_t i = 0; i < p->n * PLAN_TOUCH && st == BW_OK; i++) {
        size_t c = i / PLAN_TOUCH;
        plan_rules r_c = plan_rules_of(p, c);
        st = plan_bound(&r_c, p->market[c], weight, p->touch + i * r_c.weeks,
                        p->x + c * PLAN_LEVELS, PLAN_LEVELS, most + c * PLAN_LEVELS, err);
    }
    if (st == BW_OK) {
        plan_problem_set(p, most, &aim, &problem);
        st = bw_allocate(&problem.a, &r, err);
        *bound = r.bound;
    }
    bw_allocation_free(&r);
    free(most);
    return st;
}

/* The calendar of the spend chosen, searched anew under all draws, and its gain. */
static bw_status finish_channel(plan_state *p, size_t i, bw_err *err) {
    plan_channel *c = &p->channel[i];
    plan_rules r = plan_rules_of(p, i);
    double part;
    size_t level = level_of(p, i, c->x, &part);
    r.search = r.full;
    plan_even(&r, c->x, c->week);
    bw_status st = BW_OK;
    if (!keeps_even(p, i)) {
        memcpy(c->week, level_calendar(p, i, level + (part > 0.5)), r.weeks * sizeof *c->week);
        st = plan_calendar(&r, p->market[i], c->x, true, c->week, err);
    }
    for (size_t k = 0; k < p->n_draw && st == BW_OK; k++)
        p->gain[i * p->n_draw + k] = earned(p, i, k, c->week) - p->now[i * p->n_draw + k];
    return st;
}

bw_status plan_finish(plan_state *p, bw_err *err) {
    for (size_t i = 0; i < p->n; i++)
        p->channel[i].x = p->best.x[i];
    bw_status st = each_channel(p, finish_channel, err);
    double *sum = p->gain + p->n * p->n_draw;
    for (size_t i = 0; i < p->n && st == BW_OK; i++)
        for (size_t k = 0; k < p->n_draw; k++) {
            sum[k] += p->gain[i * p->n_draw + k];
            p->earned += (p->gain[i * p->n_draw + k] + p->now[i * p->n_draw + k]) * p->full[k];
        }
    return st;
}
