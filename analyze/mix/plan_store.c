/* analyze/mix/plan_store.c - a plan's rows. */
#include "analyze/mix/plan_internal.h"

#include "analyze/day.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bw_status put(sqlite3 *db, int64_t run, const char *name, const char *subject,
                     const char *at, const char *unit, double value, bw_err *err) {
    bw_estimate e = bw_estimate_named(name, subject, at, unit);
    e.mean = value;
    return bw_estimate_put(db, run, &e, err);
}

/* extra: money a week more to be spent; it pays when the margin of the gain exceeds it. */
static bw_status put_gain(sqlite3 *db, int64_t run, const plan_state *p, const char *subject,
                          const double *gain, double extra, bw_err *err) {
    double *v = malloc(p->n_draw * sizeof *v);
    if (!v)
        return bw_fail_memory(err);
    size_t pays = 0;
    for (size_t k = 0; k < p->n_draw; k++) {
        v[k] = gain[k];
        pays += fabs(extra) > 1e-6 ? p->margin * gain[k] > extra : gain[k] > 0;
    }
    const char *counted = p->fit.data.counted;
    bw_estimate e = bw_estimate_named("gain", subject, "", counted ? counted : "money");
    if (fabs(extra) <= 1e-6 || isfinite(p->margin))
        e.probability = (double)pays / (double)p->n_draw;
    e.n = (double)p->n_draw;
    bw_estimate_from_draws(&e, v, p->n_draw);
    free(v);
    return bw_estimate_put(db, run, &e, err);
}

static bw_status put_channel(sqlite3 *db, int64_t run, const plan_state *p, size_t i, bw_err *err) {
    const plan_channel *c = &p->channel[i];
    const bw_mmm_data *d = &p->fit.data;
    long next = bw_iso_number(d->period[d->n_time - 1]) + d->period_days;
    double top = 0;
    bw_status st = put(db, run, "spend_now", c->name, "", "money", c->now, err);
    if (st == BW_OK)
        st = put(db, run, "spend_planned", c->name, "", "money", c->x, err);
    if (st == BW_OK)
        st = put_gain(db, run, p, c->name, p->gain + i * p->n_draw, c->x - c->now, err);
    for (long k = 0; k < p->o->weeks; k++)
        top = fmax(top, c->week[k]);
    if (st == BW_OK && top > c->most * (1 + 1e-9))
        st = put(db, run, "extrapolated", c->name, "", "ratio", top / c->most, err);
    for (long k = 0; k < p->o->weeks && st == BW_OK; k++) {
        char week[11];
        bw_iso_text(next + 7 * k, week);
        st = put(db, run, "spend_week", c->name, week, "money", c->week[k], err);
    }
    return st;
}

static bw_status put_prices(sqlite3 *db, int64_t run, const plan_state *p, bw_err *err) {
    bool fixed = p->o->target_roas <= 0 && p->o->target_cpa <= 0 && p->o->goal <= 0;
    bw_status st =
        fixed ? put(db, run, "shadow_price", "total", "", "ratio", p->best.price, err) : BW_OK;
    char name[160];
    for (size_t i = 0; i < p->n && st == BW_OK; i++)
        if (p->best.channel_price[i] != 0) {
            snprintf(name, sizeof name, "%s:%s", p->channel[i].name,
                     p->best.channel_price[i] > 0 ? "max" : "min");
            st = put(db, run, "shadow_price", name, "", "ratio", fabs(p->best.channel_price[i]),
                     err);
        }
    for (size_t g = 0; g < p->n_group && st == BW_OK; g++)
        if (p->best.group_price[g] != 0) {
            snprintf(name, sizeof name, "group %s:%s", p->group[g].name,
                     p->best.group_price[g] > 0 ? "max" : "min");
            st = put(db, run, "shadow_price", name, "", "ratio", fabs(p->best.group_price[g]), err);
        }
    return st;
}

static char *diagnostics_text(const plan_state *p) {
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "weeks", (double)p->o->weeks);
    cJSON_AddNumberToObject(j, "value", p->best.value);
    if (p->bounded)
        cJSON_AddNumberToObject(j, "bound", p->best.bound);
    cJSON_AddStringToObject(j, "risk", p->o->risk);
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return text;
}

bw_status plan_store(sqlite3 *db, const plan_state *p, const char *input, const char *options,
                     int64_t *run, bw_err *err) {
    char *diagnostics = diagnostics_text(p), last[11];
    const bw_mmm_data *d = &p->fit.data;
    double now = 0, planned = 0;
    bw_iso_text(bw_iso_number(d->period[d->n_time - 1]) + d->period_days - 1, last);
    bw_run_info info = {.kind = "plan",
                        .engine = p->fit.options.engine,
                        .preset = p->fit.options.preset,
                        .seed = p->fit.options.seed,
                        .input = input,
                        .options = options,
                        .diagnostics = diagnostics,
                        .first_day = d->period[0],
                        .last_day = last};
    bw_status st = diagnostics ? bw_run_begin(db, &info, run, err) : bw_fail_memory(err);
    free(diagnostics);
    for (size_t i = 0; i < p->n && st == BW_OK; i++) {
        st = put_channel(db, *run, p, i, err);
        now += p->channel[i].now;
        planned += p->channel[i].x;
    }
    if (st == BW_OK)
        st = put(db, *run, "total_now", "", "", "money", now, err);
    if (st == BW_OK)
        st = put(db, *run, "total_planned", "", "", "money", planned, err);
    if (st == BW_OK)
        st = put_gain(db, *run, p, "", p->gain + p->n * p->n_draw, planned - now, err);
    if (st == BW_OK && p->bounded)
        st = put(db, *run, "gap", "", "", "share",
                 fmax(0.0, p->best.bound - p->best.value) / fabs(p->earned), err);
    return st == BW_OK ? put_prices(db, *run, p, err) : st;
}
