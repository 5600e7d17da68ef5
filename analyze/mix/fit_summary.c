/* analyze/mix/fit_summary.c - from draws of parameters to money: effects of each channel over all draws,
 * and parts of each week over a thinned set of them. */
#include "analyze/mix/fit_internal.h"

#include "analyze/day.h"
#include "analyze/sort.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WEEKLY_DRAWS 1000 /* draws behind weekly parts: the error of a 5 % quantile is 0.07 sd */

const char *const FIT_QUANTITY[N_QUANTITIES] = {"contribution", "share", "roas",    "marginal_roas",
                                                "half_life",    "beta",  "adstock", "saturation"};

const double *fit_quantity(const fit_state *f, size_t channel, size_t which) {
    return f->quantity + (channel * N_QUANTITIES + which) * f->n_draw;
}

/* Weeks of the data's periods: each period its own when periods are weeks, else whole weeks from the
 * first day on. */
static bw_status set_weeks(fit_state *f, bw_err *err) {
    const bw_mmm_data *d = f->d;
    size_t per_week = (size_t)(7 / d->period_days);
    f->n_week = (d->n_time + per_week - 1) / per_week;
    f->week = calloc(f->n_week, sizeof *f->week);
    f->week_of = calloc(d->n_time, sizeof *f->week_of);
    f->actual = calloc(f->n_week, sizeof *f->actual);
    if (!f->week || !f->week_of || !f->actual)
        return bw_fail_memory(err);
    for (size_t t = 0; t < d->n_time; t++) {
        size_t w = t / per_week;
        f->week_of[t] = w;
        if (t % per_week == 0)
            memcpy(f->week[w], d->period[t], sizeof f->week[w]);
        for (size_t g = 0; g < d->n_geo; g++)
            f->actual[w] += d->outcome[g * d->n_time + t];
    }
    bw_iso_text(bw_iso_number(d->period[d->n_time - 1]) + d->period_days - 1, f->last_day);
    return BW_OK;
}

static void put_quantities(fit_state *f, const bw_mmm_result *r, size_t i, double outcome) {
    for (size_t c = 0; c < r->n_channel; c++) {
        double *q = f->quantity + c * N_QUANTITIES * f->n_draw + i;
        bool paid = f->d->paid[c];
        q[Q_CONTRIBUTION * f->n_draw] = r->contribution[c];
        q[Q_SHARE * f->n_draw] = r->contribution[c] / outcome;
        q[Q_ROAS * f->n_draw] = paid ? r->contribution[c] / f->spend[c] : NAN;
        q[Q_MARGINAL * f->n_draw] = paid ? r->marginal[c] / f->spend[c] : NAN;
        q[Q_HALF_LIFE * f->n_draw] = r->half_life[c];
        q[Q_BETA * f->n_draw] = r->effect[c];
        q[Q_ADSTOCK * f->n_draw] = r->rate[c];
        q[Q_SATURATION * f->n_draw] = r->scale[c];
    }
}

static void put_parts(fit_state *f, const bw_mmm_result *r, size_t i) {
    f->sigma[i] = r->sigma * sqrt(7.0 / f->d->period_days);
    for (size_t p = 0; p <= r->n_part; p++) {
        const double *v = p < r->n_part ? r->part + p * r->n_time : r->fitted;
        for (size_t t = 0; t < r->n_time; t++)
            f->part[(p * f->n_week + f->week_of[t]) * f->n_thin + i] += (float)v[t];
    }
}

static bw_status allocate(fit_state *f, bw_err *err) {
    size_t C = f->d->n_channel;
    f->n_thin = f->n_draw < WEEKLY_DRAWS ? f->n_draw : WEEKLY_DRAWS;
    f->spend = calloc(C + 1, sizeof *f->spend);
    f->quantity = calloc(C * N_QUANTITIES * f->n_draw + 1, sizeof *f->quantity);
    f->part = calloc((bw_mmm_parts(f->model) + 1) * f->n_week * f->n_thin, sizeof *f->part);
    f->sigma = calloc(f->n_thin + 1, sizeof *f->sigma);
    if (f->d->n_geo > 1 && !(f->fitted = calloc(f->d->n_geo * f->d->n_time, sizeof *f->fitted)))
        return bw_fail_memory(err);
    return f->spend && f->quantity && f->part && f->sigma ? BW_OK : bw_fail_memory(err);
}

static double known_outcome(const bw_mmm_data *d) {
    double sum = 0;
    for (size_t i = 0; i < d->n_geo * d->n_time; i++)
        sum += isfinite(d->outcome[i]) ? d->outcome[i] : 0.0;
    return sum;
}

bw_status fit_summarise(fit_state *f, bw_err *err) {
    const bw_mmm_data *d = f->d;
    bw_status st = set_weeks(f, err);
    if (st == BW_OK)
        st = allocate(f, err);
    if (st != BW_OK)
        return st;
    for (size_t c = 0; c < d->n_channel; c++)
        for (size_t i = 0; i < d->n_geo * d->n_time; i++)
            f->spend[c] += d->spend[c * d->n_geo * d->n_time + i];
    bw_density density = bw_mmm_density(f->model);
    void *room = density.scratch_new(f->model);
    bw_mmm_result r = {0};
    st = room ? bw_mmm_result_alloc(f->model, &r, err) : bw_fail_memory(err);
    double outcome = known_outcome(d);
    for (size_t i = 0, thin = 0; i < f->n_draw && st == BW_OK; i++) {
        bw_mmm_forward(f->model, room, f->draws + i * f->dim, &r);
        put_quantities(f, &r, i, outcome);
        if (thin < f->n_thin && i == thin * f->n_draw / f->n_thin) {
            put_parts(f, &r, thin++);
            if (f->fitted)
                bw_mmm_add_fitted(f->model, room, f->fitted);
        }
    }
    for (size_t i = 0; f->fitted && i < d->n_geo * d->n_time; i++)
        f->fitted[i] /= (double)f->n_thin;
    bw_mmm_result_free(&r);
    density.scratch_free(room);
    return st;
}

/* Gneiting and Raftery 2007, eq. 21, on an empirical distribution: E|X - y| - E|X - X'| / 2. */
double fit_crps(double *x, size_t n, double y) {
    bw_sort(x, n);
    double near = 0, spread = 0, N = (double)n;
    for (size_t i = 0; i < n; i++) {
        near += fabs(x[i] - y);
        spread += x[i] * (2.0 * (double)i + 1.0 - N);
    }
    return near / N - spread / (N * N);
}
