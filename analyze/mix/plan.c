/* analyze/mix/plan.c - a plan from database to database; see plan.h. */
#include "analyze/mix/plan_internal.h"

#include "sql/db.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEEKS_NOW 4 /* "now" is the mean of so many weeks, as in store.h */

bw_plan_options bw_plan_defaults(void) {
    return (bw_plan_options){.weeks = 4, .change = 50, .beyond = 1.0, .risk = "mean"};
}

static char *options_text(const bw_plan_options *o) {
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "weeks", (double)o->weeks);
    const struct {
        const char *key, *text;
    } texts[] = {
        {"total", o->total}, {"limits", o->limits}, {"groups", o->groups}, {"risk", o->risk}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text)
            cJSON_AddStringToObject(j, texts[i].key, texts[i].text);
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"change", o->change},         {"ramp", o->ramp},
                   {"beyond", o->beyond},         {"target_roas", o->target_roas},
                   {"target_cpa", o->target_cpa}, {"goal", o->goal}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cJSON_AddNumberToObject(j, numbers[i].key, numbers[i].value);
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return text;
}

static bw_status check_options(const bw_plan_options *o, bw_err *err) {
    if (o->weeks < 1 || o->weeks > 52)
        return bw_fail(err, BW_EARG, "--weeks: %ld; between 1 and 52 are possible", o->weeks);
    if (o->change < 0 || o->ramp < 0 || o->beyond <= 0 || o->target_roas < 0 || o->target_cpa < 0 ||
        o->goal < 0)
        return bw_fail(
            err, BW_EARG,
            "--change, --ramp, --beyond, --target-roas, --target-cpa and --goal are not negative");
    if ((o->target_roas > 0) + (o->target_cpa > 0) + (o->goal > 0) + (o->total != NULL) > 1)
        return bw_fail(err, BW_EARG,
                       "one of --total, --target-roas, --target-cpa and --goal at a time");
    return BW_OK;
}

/* A return needs an outcome in money, a cost an order one that is counted. */
static bw_status check_target(const plan_state *p, bw_err *err) {
    const char *counted = p->fit.data.counted;
    if (p->o->target_cpa > 0 && !counted)
        return bw_fail(
            err, BW_EUSAGE,
            "--target-cpa: the fit explains revenue, and money has no cost an order; use "
            "--target-roas, or set outcome_kind to orders and fit again");
    if (p->o->target_roas > 0 && counted)
        return bw_fail(
            err, BW_EUSAGE,
            "--target-roas: the fit explains %s, whose return in money is not known; use "
            "--target-cpa: what one of the %s may cost",
            counted, counted);
    return BW_OK;
}

static void measure_spend(plan_state *p, plan_channel *c) {
    const bw_mmm_data *d = &p->fit.data;
    size_t per_week = (size_t)(7 / d->period_days), last = WEEKS_NOW * per_week;
    double week = 0, now = 0;
    for (size_t t = 0; t < d->n_time; t++) {
        double sum = 0;
        for (size_t g = 0; g < d->n_geo; g++)
            sum += d->spend[(c->channel * d->n_geo + g) * d->n_time + t];
        week = t % per_week ? week + sum : sum;
        c->most = fmax(c->most, week);
        now += t + last >= d->n_time ? sum : 0;
    }
    c->now = now / (double)(d->n_time < last ? (d->n_time + per_week - 1) / per_week : WEEKS_NOW);
}

static bw_status make_room(plan_state *p, bw_err *err) {
    size_t C = p->fit.data.n_channel, D = p->n_draw, W = (size_t)p->o->weeks;
    p->channel = calloc(C + 1, sizeof *p->channel);
    p->group_of = calloc(C + 1, sizeof *p->group_of);
    p->market = calloc(C + 1, sizeof *p->market);
    p->value = calloc(C * PLAN_LEVELS * D + 1, sizeof *p->value);
    p->x = calloc(2 * C * PLAN_LEVELS + (2 * C + 1) * D + 2 * D +
                      C * (PLAN_LEVELS + PLAN_TOUCH + 1) * W + 1,
                  sizeof *p->x);
    if (!p->channel || !p->group_of || !p->market || !p->value || !p->x)
        return bw_fail_memory(err);
    p->mean = p->x + C * PLAN_LEVELS;
    p->gain = p->mean + C * PLAN_LEVELS;
    p->now = p->gain + (C + 1) * D;
    p->search = p->now + C * D;
    p->full = p->search + D;
    p->level_week = p->full + D;
    p->touch = p->level_week + C * PLAN_LEVELS * W;
    p->calendar = p->touch + C * PLAN_TOUCH * W;
    return BW_OK;
}

static bw_status set_up(plan_state *p, bw_err *err) {
    const bw_mmm_data *d = &p->fit.data;
    p->n_draw = p->fit.n_draw < PLAN_DRAWS ? p->fit.n_draw : PLAN_DRAWS;
    bw_status st = make_room(p, err);
    for (size_t c = 0; c < d->n_channel && st == BW_OK; c++)
        if (d->paid[c]) {
            p->channel[p->n] = (plan_channel){.channel = c,
                                              .name = d->channel[c],
                                              .week = p->calendar + p->n * (size_t)p->o->weeks};
            measure_spend(p, &p->channel[p->n++]);
        }
    if (st == BW_OK && p->n == 0)
        return bw_fail(err, BW_EDATA, "there is no channel with spend to plan");
    return st;
}

static double mean_now(const plan_state *p) {
    double sum = 0;
    for (size_t k = 0; k < p->n * p->n_draw; k++)
        sum += p->now[k];
    return sum / (double)p->n_draw;
}

void plan_problem_set(const plan_state *p, const double *value, const plan_aim *aim,
                      plan_problem *out) {
    for (size_t g = 0; g < p->n_group; g++) {
        out->lo[g] = p->group[g].lo;
        out->hi[g] = p->group[g].hi;
    }
    out->a = (bw_allocation){p->n,    PLAN_LEVELS, p->n_group, p->x,        value,    p->group_of,
                             out->lo, out->hi,     aim->total, aim->target, aim->goal};
}

/* Of a goal or target that no split within the limits reaches; a total always can be spent. */
static bw_status out_of_reach(const plan_state *p, const plan_aim *aim, double now, bw_err *err) {
    const bw_allocation_result *r = &p->best;
    if (aim->goal > 0)
        return bw_fail(err, BW_EARG,
                       "--goal: within the limits the channels earn at most %.0f more a week than "
                       "now; allow more with --change, --limit or --beyond",
                       r->value - now);
    if (p->o->target_cpa > 0)
        return bw_fail(err, BW_EARG,
                       "--target-cpa: even with the least spend allowed an order costs %.2f; lower "
                       "the limits with --change or --limit",
                       r->spend / r->value);
    if (aim->target > 0)
        return bw_fail(err, BW_EARG,
                       "--target-roas: even the least spend allowed returns only %.2f; lower the "
                       "limits with --change or --limit",
                       r->value / r->spend);
    return BW_OK;
}

static bw_status solve(plan_state *p, bw_err *err) {
    double now = mean_now(p);
    plan_aim aim = {p->total, p->o->target_cpa > 0 ? 1.0 / p->o->target_cpa : p->o->target_roas,
                    p->o->goal > 0 ? now + p->o->goal : 0};
    plan_problem problem;
    plan_problem_set(p, p->mean, &aim, &problem);
    bw_status st = bw_allocate(&problem.a, &p->best, err);
    return st == BW_OK && !p->best.reached ? out_of_reach(p, &aim, now, err) : st;
}

/* The bound on the mean gain of every plan that spends as much. */
static bw_status bound_mean(plan_state *p, bw_err *err) {
    bw_status st = plan_bound_total(p, p->full, p->best.spend, &p->best.bound, err);
    p->best.bound -= mean_now(p);
    p->bounded = st == BW_OK;
    return st;
}

bw_status plan_compute(plan_state *p, bw_err *err) {
    bw_status st = check_target(p, err);
    if (st == BW_OK)
        st = set_up(p, err);
    if (st == BW_OK)
        st = plan_limits(p, err);
    if (st == BW_OK)
        st = plan_curves(p, err);
    if (st == BW_OK)
        st = solve(p, err);
    if (st == BW_OK)
        st = strcmp(p->o->risk, "mean") == 0 ? bound_mean(p, err) : plan_risk(p, err);
    if (st == BW_OK)
        st = plan_finish(p, err);
    return st == BW_OK ? plan_measure(p, &p->best.value, err) : st;
}

void plan_free(plan_state *p) {
    bw_fit_free(&p->fit);
    bw_allocation_free(&p->best);
    for (size_t i = 0; i < p->n && p->market; i++)
        bw_market_free(p->market[i]);
    free(p->market);
    free(p->channel);
    free(p->group_of);
    free(p->value);
    free(p->x);
}

bw_status bw_plan_run(sqlite3 *db, const bw_plan_options *o, int64_t *run, bool *fresh,
                      bw_err *err) {
    plan_state p = {.o = o};
    bw_status st = check_options(o, err);
    if (st == BW_OK)
        st = bw_fit_load(db, &p.fit, err);
    char input[32], *options = st == BW_OK ? options_text(o) : NULL;
    snprintf(input, sizeof input, "fit:%lld", (long long)p.fit.run);
    if (st == BW_OK && !options)
        st = bw_fail_memory(err);
    *run = st == BW_OK && !o->force ? bw_run_find(db, "plan", input, options) : 0;
    if (fresh)
        *fresh = *run == 0;
    if (st == BW_OK && *run == 0) {
        p.margin =
            bw_db_number(db, "SELECT CAST(value AS REAL) FROM setting WHERE key = 'margin'", 1.0);
        if (!(p.margin > 0))
            p.margin = 1.0;
        if (p.fit.data.counted) /* worth what it may cost, if that was said */
            p.margin = o->target_cpa > 0 ? o->target_cpa : NAN;
        st = plan_compute(&p, err);
        if (st == BW_OK)
            st = bw_db_begin(db, err);
        if (st == BW_OK)
            st = bw_db_end(db, plan_store(db, &p, input, options, run, err), err);
    }
    free(options);
    plan_free(&p);
    return st;
}
