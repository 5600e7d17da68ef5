/* analyze/mix/scenario.c - spend through the channels' curves, past and to come, in weeks. */
#include "analyze/mix/scenario.h"

#include "analyze/day.h"
#include "analyze/mix/fit.h"

#include <stdlib.h>
#include <string.h>

#define WEEKS_NOW 4 /* "now" is the mean of so many weeks, as in a plan */

struct state {
    bw_fit fit;
    bw_scenario *s;
    size_t per_week, *of; /* periods a week; [n] channel of the fit's data */
    double *money;        /* [past + ahead periods] of the channel at hand */
};

static double spent_in(const bw_mmm_data *d, size_t c, size_t g, size_t t) {
    return d->spend[(c * d->n_geo + g) * d->n_time + t];
}

static double spent(const bw_mmm_data *d, size_t c, size_t t) {
    double sum = 0;
    for (size_t g = 0; g < d->n_geo; g++)
        sum += spent_in(d, c, g, t);
    return sum;
}

static bw_status set_up(struct state *w, bw_err *err) {
    const bw_mmm_data *d = &w->fit.data;
    bw_scenario *s = w->s;
    s->fit = w->fit.run;
    s->first = bw_iso_number(d->period[0]);
    w->per_week = (size_t)(7 / d->period_days);
    s->past = d->n_time / w->per_week;
    s->draws = w->fit.n_draw < s->draws ? w->fit.n_draw : s->draws;
    s->channel = calloc(d->n_channel + 1, sizeof *s->channel);
    s->now = calloc(d->n_channel + 1, sizeof *s->now);
    s->spend = calloc(d->n_channel * s->ahead + 1, sizeof *s->spend);
    s->seen = calloc(s->draws * s->past + 1, sizeof *s->seen);
    s->as_now = calloc(s->draws * s->ahead + 1, sizeof *s->as_now);
    s->planned = calloc(s->draws * s->ahead + 1, sizeof *s->planned);
    w->of = calloc(d->n_channel + 1, sizeof *w->of);
    w->money = calloc((s->past + s->ahead) * w->per_week + 1, sizeof *w->money);
    if (!s->channel || !s->now || !s->spend || !s->seen || !s->as_now || !s->planned || !w->of ||
        !w->money)
        return bw_fail_memory(err);
    size_t weeks = s->past < WEEKS_NOW ? s->past : WEEKS_NOW;
    for (size_t c = 0; c < d->n_channel; c++) {
        if (!d->paid[c])
            continue;
        if (!(s->channel[s->n] = strdup(d->channel[c])))
            return bw_fail_memory(err);
        for (size_t t = (s->past - weeks) * w->per_week; t < s->past * w->per_week; t++)
            s->now[s->n] += spent(d, c, t) / (double)weeks;
        for (size_t h = 0; h < s->ahead; h++)
            s->spend[s->n * s->ahead + h] = s->now[s->n];
        w->of[s->n++] = c;
    }
    return s->n ? BW_OK : bw_fail(err, BW_EDATA, "there is no channel with spend");
}

/* Adds the money of weeks from .. from + weeks - 1 in geo g to out [weeks]. */
static void earn(const struct state *w, const bw_channel_response *r, size_t g, size_t from,
                 size_t weeks, double *out) {
    double slope;
    for (size_t t = from * w->per_week; t < (from + weeks) * w->per_week; t++) {
        double a = 0;
        for (size_t l = 0; l < r->lags && l <= t; l++)
            a += r->weight[l] * w->money[t - l];
        out[t / w->per_week - from] +=
            r->effect[g] *
            bw_saturation_value(r->saturation, a / r->unit[g], r->scale, r->shape, &slope);
    }
}

/* Spend ahead of channel i in a geo that gets this part of it. */
static void spend_ahead(struct state *w, size_t i, double share, bool planned) {
    const bw_scenario *s = w->s;
    for (size_t t = 0; t < s->ahead * w->per_week; t++)
        w->money[s->past * w->per_week + t] =
            share * (planned ? s->spend[i * s->ahead + t / w->per_week] : s->now[i]) /
            (double)w->per_week;
}

static void earn_in(struct state *w, size_t i, size_t g, const bw_channel_response *r) {
    bw_scenario *s = w->s;
    for (size_t t = 0; t < s->past * w->per_week; t++)
        w->money[t] = spent_in(&w->fit.data, w->of[i], g, t);
    spend_ahead(w, i, r[0].share[g], true);
    for (size_t k = 0; k < s->draws; k++) {
        earn(w, &r[k], g, 0, s->past, s->seen + k * s->past);
        earn(w, &r[k], g, s->past, s->ahead, s->planned + k * s->ahead);
    }
    spend_ahead(w, i, r[0].share[g], false);
    for (size_t k = 0; k < s->draws; k++)
        earn(w, &r[k], g, s->past, s->ahead, s->as_now + k * s->ahead);
}

static bw_status through_curves(struct state *w, bw_err *err) {
    bw_scenario *s = w->s;
    size_t geos = bw_mmm_geos(w->fit.model);
    bw_density density = bw_mmm_density(w->fit.model);
    void *scratch = density.scratch_new(w->fit.model);
    bw_channel_response *r = calloc(s->draws, sizeof *r);
    double *room = calloc(3 * geos * s->draws, sizeof *room);
    bw_status st = scratch && r && room ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < s->n; i++) {
        for (size_t k = 0; k < s->draws; k++)
            bw_mmm_channel_response(w->fit.model, scratch, w->of[i],
                                    w->fit.draws + k * w->fit.n_draw / s->draws * w->fit.dim,
                                    room + 3 * geos * k, &r[k]);
        for (size_t g = 0; g < geos; g++)
            earn_in(w, i, g, r);
    }
    free(room);
    free(r);
    if (scratch)
        density.scratch_free(scratch);
    return st;
}

bw_status bw_scenario_load(sqlite3 *db, size_t ahead, size_t draws, bw_spend_fill *fill,
                           void *context, bw_scenario *out, bw_err *err) {
    *out = (bw_scenario){.ahead = ahead, .draws = draws};
    struct state w = {.s = out};
    bw_status st = bw_fit_load(db, &w.fit, err);
    if (st == BW_OK)
        st = set_up(&w, err);
    if (st == BW_OK)
        st = fill(context, out, out->first + 7 * (long)out->past, err);
    if (st == BW_OK)
        st = through_curves(&w, err);
    bw_fit_free(&w.fit);
    free(w.of);
    free(w.money);
    if (st != BW_OK)
        bw_scenario_free(out);
    return st;
}

void bw_scenario_free(bw_scenario *s) {
    for (size_t i = 0; i < s->n; i++)
        free(s->channel[i]);
    free(s->channel);
    free(s->now);
    free(s->spend);
    free(s->seen);
    free(s->as_now);
    free(s->planned);
    *s = (bw_scenario){0};
}
