/* analyze/mix/plan_curve.c - what each channel earns over the horizon at each level of spend, draw by draw:
 * the periods before are as they were, and the effect that outlasts the horizon is counted to its end.
 *
 * Saturation may be S-shaped (Hill with a slope above 1): then bursts can earn more than an even
 * spend, and calendars with a burst every second, third or fourth week are tried beside the even one. */
#include "analyze/mix/plan_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const long BURSTS[] = {1, 2, 3, 4};
#define N_PATTERNS (sizeof BURSTS / sizeof *BURSTS)

double plan_schedule(const plan_state *p, size_t i, size_t pattern, double u, long k) {
    long every = BURSTS[pattern], weeks = p->o->weeks;
    const plan_channel *c = &p->channel[i];
    if (every > 1) { /* bursts share the horizon's money */
        long bursts = (weeks + every - 1) / every;
        return k % every == 0 ? u * (double)weeks / (double)bursts : 0.0;
    }
    if (p->o->ramp <= 0 || c->now <= 0)
        return u;
    /* Steps towards a final level such that the average is u: the final level overshoots u. */
    double step = p->o->ramp / 100.0 * c->now, lo = -1e3 * c->now, hi = 1e3 * c->now;
    for (int n = 0; n < 60; n++) {
        double move = 0.5 * (lo + hi), sum = 0;
        for (long w = 0; w < weeks; w++)
            sum += copysign(fmin(fabs(move), step * (double)(w + 1)), move);
        if (sum / (double)weeks < u - c->now)
            lo = move;
        else
            hi = move;
    }
    double move = 0.5 * (lo + hi);
    return fmax(0.0, c->now + copysign(fmin(fabs(move), step * (double)(k + 1)), move));
}

/* With a ramp the average cannot leave now by more than half the steps allow. */
static void respect_ramp(plan_state *p) {
    for (size_t i = 0; i < p->n && p->o->ramp > 0; i++) {
        plan_channel *c = &p->channel[i];
        double most = p->o->ramp / 100.0 * c->now * 0.5 * (double)(p->o->weeks + 1);
        c->hi = fmin(c->hi, fmax(c->lo, c->now + most));
        c->lo = fmax(c->lo, fmin(c->hi, c->now - most));
    }
}

/* Spend of the channel in all geos in the periods before the horizon, the last of them last. */
static void past_spend(const plan_state *p, size_t i, double *past, size_t n) {
    const bw_mmm_data *d = &p->fit.data;
    for (size_t k = 0; k < n; k++) {
        past[k] = 0;
        for (size_t g = 0; g < d->n_geo && d->n_time + k >= n; g++)
            past[k] +=
                d->spend[(p->channel[i].channel * d->n_geo + g) * d->n_time + d->n_time + k - n];
    }
}

/* Money of periods 0 .. n + lags - 2 of a series that begins behind past [lags - 1]. x: [lags - 1 + n]. */
static double earned(const bw_channel_response *r, const double *x, size_t n) {
    double sum = 0, slope;
    size_t past = r->lags - 1;
    for (size_t t = 0; t < n + past; t++) {
        double a = 0;
        for (size_t l = 0; l < r->lags && l <= past + t; l++)
            if (t + past - l < past + n)
                a += r->weight[l] * x[past + t - l];
        sum += bw_saturation_value(r->saturation, a / r->unit, r->scale, r->shape, &slope);
    }
    return r->effect * sum;
}

typedef struct {
    bw_channel_response *response;
    double *x;
    size_t lags, periods, per_week;
} workspace;

static void fill_schedule(const plan_state *p, size_t i, size_t pattern, double u,
                          const workspace *w) {
    for (size_t t = 0; t < w->periods; t++)
        w->x[w->lags - 1 + t] =
            plan_schedule(p, i, pattern, u, (long)(t / w->per_week)) / (double)w->per_week;
}

/* A burst may not exceed what the channel may spend in a week at most. */
static bool possible(const plan_state *p, size_t i, size_t pattern, double u) {
    const plan_channel *c = &p->channel[i];
    return pattern == 0 ||
           (p->o->ramp <= 0 && p->o->weeks % BURSTS[pattern] == 0 &&
            plan_schedule(p, i, pattern, u, 0) <= p->o->beyond * c->most * (1 + 1e-9));
}

static void level_value(plan_state *p, size_t i, size_t level, size_t patterns, const workspace *w,
                        float *trial) {
    double u = p->x[i * PLAN_LEVELS + level];
    float *into = p->value + (i * PLAN_LEVELS + level) * p->n_draw;
    double best = -INFINITY;
    for (size_t pattern = 0; pattern < patterns; pattern++) {
        if (!possible(p, i, pattern, u))
            continue;
        double sum = 0;
        fill_schedule(p, i, pattern, u, w);
        for (size_t k = 0; k < p->n_draw; k++) {
            trial[k] = (float)(earned(&w->response[k], w->x, w->periods) / (double)p->o->weeks);
            sum += trial[k];
        }
        if (sum > best * (1 + 1e-6)) {
            best = sum;
            memcpy(into, trial, p->n_draw * sizeof *into);
            p->pattern[i * PLAN_LEVELS + level] = pattern;
            p->mean[i * PLAN_LEVELS + level] = sum / (double)p->n_draw;
        }
    }
}

static void now_value(plan_state *p, size_t i, const workspace *w) {
    for (size_t t = 0; t < w->periods; t++)
        w->x[w->lags - 1 + t] = p->channel[i].now / (double)w->per_week;
    for (size_t k = 0; k < p->n_draw; k++)
        p->now[i * p->n_draw + k] = earned(&w->response[k], w->x, w->periods) / (double)p->o->weeks;
}

static bw_status channel_curve(plan_state *p, size_t i, void *room, bw_err *err) {
    const bw_fit *f = &p->fit;
    workspace w = {.per_week = (size_t)(7 / f->data.period_days)};
    w.periods = (size_t)p->o->weeks * w.per_week;
    w.response = calloc(p->n_draw, sizeof *w.response);
    w.x = calloc(sizeof w.response->weight / sizeof(double) + w.periods, sizeof *w.x);
    float *trial = calloc(p->n_draw, sizeof *trial);
    bw_status st = w.response && w.x && trial ? BW_OK : bw_fail_memory(err);
    for (size_t k = 0; k < p->n_draw && st == BW_OK; k++)
        bw_mmm_channel_response(f->model, room, p->channel[i].channel,
                                f->draws + k * f->n_draw / p->n_draw * f->dim, &w.response[k]);
    if (st == BW_OK) {
        w.lags = w.response[0].lags;
        past_spend(p, i, w.x, w.lags - 1);
        size_t patterns = w.response[0].saturation == BW_SATURATION_HILL ? N_PATTERNS : 1;
        for (size_t level = 0; level < PLAN_LEVELS; level++)
            level_value(p, i, level, patterns, &w, trial);
        now_value(p, i, &w);
    }
    free(trial);
    free(w.response);
    free(w.x);
    return st;
}

bw_status plan_curves(plan_state *p, bw_err *err) {
    respect_ramp(p);
    for (size_t i = 0; i < p->n; i++)
        for (size_t level = 0; level < PLAN_LEVELS; level++) {
            const plan_channel *c = &p->channel[i];
            p->x[i * PLAN_LEVELS + level] =
                c->lo + (c->hi - c->lo) * (double)level / (PLAN_LEVELS - 1);
        }
    bw_density density = bw_mmm_density(p->fit.model);
    void *room = density.scratch_new(p->fit.model);
    bw_status st = room ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; i < p->n && st == BW_OK; i++)
        st = channel_curve(p, i, room, err);
    density.scratch_free(room);
    return st;
}

double plan_value(const plan_state *p, size_t i, double u, size_t k) {
    const plan_channel *c = &p->channel[i];
    const float *v = p->value + i * PLAN_LEVELS * p->n_draw;
    if (!(c->hi > c->lo))
        return v[k];
    double at = fmin(fmax((u - c->lo) / (c->hi - c->lo), 0.0), 1.0) * (PLAN_LEVELS - 1);
    size_t level = at >= PLAN_LEVELS - 1 ? PLAN_LEVELS - 2 : (size_t)at;
    double part = at - (double)level;
    return (1 - part) * (double)v[level * p->n_draw + k] +
           part * (double)v[(level + 1) * p->n_draw + k];
}
