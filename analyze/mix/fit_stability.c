/* analyze/mix/fit_stability.c - would the advice survive another analyst? The data are fitted again with
 * recent weeks dropped, priors halved and doubled, other saturations, other baselines, and other seeds;
 * for each channel we count the refits in which the advice keeps its sign: whether the next money in
 * it earns more than the next money spent on average. */
#include "analyze/mix/fit_internal.h"

#include "analyze/sort.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS 150

typedef struct {
    size_t drop_weeks;
    double widen; /* 0: as they are */
    bool swap_saturation;
    int knots; /* KEEP, 0 none, 1 twice as many */
    unsigned long seed;
} variant;

#define KEEP (-1)
static const variant VARIANTS[] = {
    {4, 0, false, KEEP, 11},   {8, 0, false, KEEP, 12},   {13, 0, false, KEEP, 13},
    {0, 0.5, false, KEEP, 14}, {0, 2.0, false, KEEP, 15}, {0, 0, true, KEEP, 16},
    {0, 0, false, 0, 17},      {0, 0, false, 1, 18},      {0, 0, false, KEEP, 19},
    {0, 0, false, KEEP, 20},
};
#define N_VARIANTS (sizeof VARIANTS / sizeof *VARIANTS)

static bw_mmm_spec spec_of(const fit_state *f, const variant *v) {
    bw_mmm_spec s = f->spec;
    if (v->widen > 0) {
        bw_prior *const priors[] = {&s.beta,     &s.roas, &s.share, &s.carry,
                                    &s.logistic, &s.half, &s.slope};
        for (size_t i = 0; i < sizeof priors / sizeof *priors; i++)
            *priors[i] = bw_prior_widened(*priors[i], v->widen);
    }
    if (v->swap_saturation)
        s.saturation =
            s.saturation == BW_SATURATION_HILL ? BW_SATURATION_LOGISTIC : BW_SATURATION_HILL;
    if (v->knots == 0)
        s.knots = 0;
    else if (v->knots == 1) {
        size_t weeks = f->d->n_time * (size_t)f->d->period_days / 7;
        s.knots = (int)(weeks / 13 + 2);
    }
    return s;
}

/* Medians over draws of each channel's return at the margin, and of its ROAS. */
static void medians(const double *marginal, const double *roas, size_t C, size_t n,
                    double *median_marginal, double *median_roas) {
    double *v = malloc((n + 1) * sizeof *v);
    for (size_t c = 0; v && c < C; c++) {
        memcpy(v, marginal + c * n, n * sizeof *v);
        bw_sort(v, n);
        median_marginal[c] = gsl_stats_median_from_sorted_data(v, 1, n);
        memcpy(v, roas + c * n, n * sizeof *v);
        bw_sort(v, n);
        median_roas[c] = gsl_stats_median_from_sorted_data(v, 1, n);
    }
    free(v);
}

/* +1 where the next money earns more than the next money on average (by spend), -1 where less, 0 for
 * an organic channel. */
static void signs(const fit_state *f, const double *marginal, int *sign) {
    double all = 0, spend = 0;
    for (size_t c = 0; c < f->d->n_channel; c++)
        if (f->d->paid[c]) {
            all += marginal[c] * f->spend[c];
            spend += f->spend[c];
        }
    for (size_t c = 0; c < f->d->n_channel; c++)
        sign[c] = !f->d->paid[c] ? 0 : marginal[c] * spend > all ? 1 : -1;
}

static bw_status refit_medians(const fit_state *f, const variant *v, double *marginal, double *roas,
                               bw_err *err) {
    size_t C = f->d->n_channel, T = f->d->n_time,
           drop = v->drop_weeks * (size_t)(7 / f->d->period_days);
    bw_mmm_spec spec = spec_of(f, v);
    bw_mmm *m = NULL;
    double *draws = NULL;
    if (drop >= T / 2)
        drop = 0;
    bw_status st = fit_refit(f, &spec, T - drop, T, DRAWS, (unsigned long)f->o->seed + v->seed, &m,
                             &draws, err);
    if (st != BW_OK)
        return st;
    bw_density density = bw_mmm_density(m);
    void *room = density.scratch_new(m);
    double *values = malloc(2 * C * DRAWS * sizeof *values);
    bw_mmm_result r = {0};
    st = room && values ? bw_mmm_result_alloc(m, &r, err) : bw_fail_memory(err);
    for (size_t k = 0; k < DRAWS && st == BW_OK; k++) {
        bw_mmm_forward(m, room, draws + k * density.dim, &r);
        for (size_t c = 0; c < C; c++) {
            values[c * DRAWS + k] = f->d->paid[c] ? r.marginal[c] / f->spend[c] : 0;
            values[(C + c) * DRAWS + k] = f->d->paid[c] ? r.contribution[c] / f->spend[c] : 0;
        }
    }
    if (st == BW_OK)
        medians(values, values + C * DRAWS, C, DRAWS, marginal, roas);
    bw_mmm_result_free(&r);
    free(values);
    density.scratch_free(room);
    free(draws);
    bw_mmm_free(m);
    return st;
}

/* medians: [1 + N_VARIANTS, 2, C], the fit itself first. */
static bw_status count(fit_state *f, const double *all, bw_err *err) {
    size_t C = f->d->n_channel;
    int *base = calloc(2 * C + 1, sizeof *base), *other = base ? base + C : NULL;
    if (!base)
        return bw_fail_memory(err);
    signs(f, all, base);
    for (size_t c = 0; c < C; c++) {
        f->stability.sign[c] = f->d->paid[c] ? 0.0 : 1.0;
        f->stability.low[c] = f->stability.high[c] = all[C + c];
    }
    for (size_t v = 1; v <= N_VARIANTS; v++) {
        signs(f, all + v * 2 * C, other);
        for (size_t c = 0; c < C; c++) {
            double roas = all[v * 2 * C + C + c];
            f->stability.low[c] = fmin(f->stability.low[c], roas);
            f->stability.high[c] = fmax(f->stability.high[c], roas);
            if (f->d->paid[c])
                f->stability.sign[c] += base[c] == other[c];
        }
    }
    f->stability.refits = N_VARIANTS;
    for (size_t c = 0; c < C; c++)
        if (f->d->paid[c])
            f->stability.sign[c] /= (double)N_VARIANTS;
    free(base);
    return BW_OK;
}

bw_status fit_stability(fit_state *f, bw_err *err) {
    size_t C = f->d->n_channel;
    f->stability.sign = calloc(C + 1, sizeof(double));
    f->stability.low = calloc(C + 1, sizeof(double));
    f->stability.high = calloc(C + 1, sizeof(double));
    double *all = calloc((1 + N_VARIANTS) * 2 * C + 1, sizeof *all);
    bw_status st = f->stability.sign && f->stability.low && f->stability.high && all
                       ? BW_OK
                       : bw_fail_memory(err);
    for (size_t c = 0; c < C && st == BW_OK; c++)
        if (f->d->paid[c])
            medians(fit_quantity(f, c, Q_MARGINAL), fit_quantity(f, c, Q_ROAS), 1, f->n_draw,
                    &all[c], &all[C + c]);
#pragma omp parallel for schedule(dynamic, 1) if (st == BW_OK)
    for (size_t v = 0; v < N_VARIANTS; v++) {
        bw_err own = {{0}};
        double *into = all ? all + (v + 1) * 2 * C : NULL;
        bw_status own_st = st == BW_OK ? refit_medians(f, &VARIANTS[v], into, into + C, &own) : st;
        if (own_st != BW_OK) {
#pragma omp critical
            if (st == BW_OK) {
                st = own_st;
                if (err)
                    *err = own;
            }
        }
    }
    if (st == BW_OK)
        st = count(f, all, err);
    free(all);
    return st;
}
