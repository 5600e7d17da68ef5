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

static bw_status set_up(plan_state *p, bw_err *err) {
    const bw_mmm_data *d = &p->fit.data;
    p->n_draw = p->fit.n_draw < PLAN_DRAWS ? p->fit.n_draw : PLAN_DRAWS;
    p->channel = calloc(d->n_channel + 1, sizeof *p->channel);
    p->group_of = calloc(d->n_channel + 1, sizeof *p->group_of);
    p->x = calloc(2 * d->n_channel * PLAN_LEVELS + 1, sizeof *p->x);
    p->pattern = calloc(d->n_channel * PLAN_LEVELS + 1, sizeof *p->pattern);
    p->value = calloc(d->n_channel * PLAN_LEVELS * p->n_draw + 1, sizeof *p->value);
    p->gain = calloc((d->n_channel + 1) * p->n_draw, sizeof *p->gain);
    p->now = calloc(d->n_channel * p->n_draw + 1, sizeof *p->now);
    if (!p->channel || !p->group_of || !p->x || !p->pattern || !p->value || !p->gain || !p->now)
        return bw_fail_memory(err);
    p->mean = p->x + d->n_channel * PLAN_LEVELS;
    for (size_t c = 0; c < d->n_channel; c++)
        if (d->paid[c]) {
            p->channel[p->n] = (plan_channel){.channel = c, .name = d->channel[c]};
            measure_spend(p, &p->channel[p->n++]);
        }
    return p->n ? BW_OK : bw_fail(err, BW_EDATA, "there is no channel with spend to plan");
}

static double mean_now(const plan_state *p) {
    double sum = 0;
    for (size_t k = 0; k < p->n * p->n_draw; k++)
        sum += p->now[k];
    return sum / (double)p->n_draw;
}

bw_status plan_allocate(const plan_state *p, const double *value, const plan_aim *aim,
                        bw_allocation_result *out, bw_err *err) {
    double lo[PLAN_GROUPS], hi[PLAN_GROUPS];
    for (size_t g = 0; g < p->n_group; g++) {
        lo[g] = p->group[g].lo;
        hi[g] = p->group[g].hi;
    }
    bw_allocation a = {p->n, PLAN_LEVELS, p->n_group, p->x,        value,    p->group_of,
                       lo,   hi,          aim->total, aim->target, aim->goal};
    return bw_allocate(&a, out, err);
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
    bw_status st = plan_allocate(p, p->mean, &aim, &p->best, err);
    p->bounded = st == BW_OK;
    return st == BW_OK && !p->best.reached ? out_of_reach(p, &aim, now, err) : st;
}

static void finish(plan_state *p) {
    double *sum = p->gain + p->n * p->n_draw;
    for (size_t i = 0; i < p->n; i++) {
        plan_channel *c = &p->channel[i];
        c->x = p->best.x[i];
        double at = c->hi > c->lo ? (c->x - c->lo) / (c->hi - c->lo) * (PLAN_LEVELS - 1) : 0.0;
        c->pattern = p->pattern[i * PLAN_LEVELS + (size_t)fmin(ceil(at), PLAN_LEVELS - 1)];
        for (size_t k = 0; k < p->n_draw; k++) {
            bool as_now = c->pattern == 0 && fabs(c->x - c->now) <= 1e-9 * c->now;
            double gain = as_now ? 0.0 : plan_value(p, i, c->x, k) - p->now[i * p->n_draw + k];
            p->gain[i * p->n_draw + k] = gain;
            sum[k] += gain;
        }
    }
}

static bw_status compute(plan_state *p, bw_err *err) {
    bw_status st = set_up(p, err);
    if (st == BW_OK)
        st = plan_limits(p, err);
    if (st == BW_OK)
        st = plan_curves(p, err);
    if (st == BW_OK)
        st = solve(p, err);
    if (st == BW_OK && strcmp(p->o->risk, "mean") != 0)
        st = plan_risk(p, err);
    if (st == BW_OK)
        finish(p);
    return st;
}

static void state_free(plan_state *p) {
    bw_fit_free(&p->fit);
    bw_allocation_free(&p->best);
    free(p->channel);
    free(p->group_of);
    free(p->x);
    free(p->pattern);
    free(p->value);
    free(p->gain);
    free(p->now);
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
        st = compute(&p, err);
        if (st == BW_OK)
            st = bw_db_begin(db, err);
        if (st == BW_OK)
            st = bw_db_end(db, plan_store(db, &p, input, options, run, err), err);
    }
    free(options);
    state_free(&p);
    return st;
}
