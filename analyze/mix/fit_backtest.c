/* analyze/mix/fit_backtest.c - how well the model forecasts what it has not seen: a rolling origin.
 *
 * At each origin the model is fitted to the outcomes before it and forecasts the four weeks after,
 * whose spend, controls and events are known, as they are when a plan is judged. Beside it stands the
 * seasonal naive forecast: the outcome a year before (or the last one known), with the spread of its
 * own errors before the origin. Scales of the data come from all periods; they are no parameters.
 *
 * What a model leaves out makes the weeks ahead less certain than it knows. So its forecasts are widened
 * around their mean by a factor that would have let nine in ten of its forecasts hold (the conformal
 * quantile; Vovk et al. 2005): each fold by what the other folds say, so that the coverage reported is
 * that of weeks which had no part in the factor; forecasts to come by what all folds say. */
#include "analyze/mix/fit_internal.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define FOLDS       8
#define WEEKS_AHEAD 4
#define LEAST_WEEKS 40 /* before the first origin */
#define DRAWS       200
#define YEAR_WEEKS  52

typedef struct {
    double crps, mape, inside50, inside90, inside90_own, crps_naive, mape_naive;
    size_t n;
} score;

typedef struct {
    size_t origin, end; /* forecast are the periods origin .. end-1 */
    double *sample;     /* [end - origin, DRAWS] */
} fold;

/* Outcome of period t, all geos; NAN where not known. */
static double outcome(const bw_mmm_data *d, size_t t) {
    double sum = 0;
    for (size_t g = 0; g < d->n_geo; g++)
        sum += d->outcome[g * d->n_time + t];
    return sum;
}

/* CRPS of a normal forecast (Gneiting and Raftery 2007, eq. 22). */
static double normal_crps(double mean, double sd, double y) {
    if (!(sd > 0))
        return fabs(y - mean);
    double z = (y - mean) / sd;
    return sd * (z * erf(z / M_SQRT2) + 2 * gsl_ran_ugaussian_pdf(z) - 1 / sqrt(M_PI));
}

static double naive(const bw_mmm_data *d, size_t t, size_t origin) {
    size_t year = (size_t)(YEAR_WEEKS * 7 / d->period_days);
    if (t >= year && isfinite(outcome(d, t - year)))
        return outcome(d, t - year);
    for (size_t s = origin; s-- > 0;)
        if (isfinite(outcome(d, s)))
            return outcome(d, s);
    return NAN;
}

/* Root mean square of the naive forecast's errors before the origin. */
static double naive_sd(const bw_mmm_data *d, size_t origin) {
    size_t year = (size_t)(YEAR_WEEKS * 7 / d->period_days), step = origin > year + 8 ? year : 1,
           n = 0;
    double sum = 0;
    for (size_t t = step; t < origin; t++) {
        double e = outcome(d, t) - outcome(d, t - step);
        if (isfinite(e)) {
            sum += e * e;
            n++;
        }
    }
    return n ? sqrt(sum / (double)n) : 0.0;
}

typedef struct {
    double mean, low, high, low50, high50;
} band;

/* Of draws, which are sorted. */
static band band_of(double *sample) {
    gsl_sort(sample, 1, DRAWS);
    return (band){gsl_stats_mean(sample, 1, DRAWS),
                  gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.05),
                  gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.95),
                  gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.25),
                  gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.75)};
}

static bool holds(double y, double mean, double low, double high, double factor) {
    return y >= mean + factor * (low - mean) && y <= mean + factor * (high - mean);
}

static void add_score(score *s, const bw_mmm_data *d, size_t t, size_t origin, double factor,
                      double *sample) {
    double y = outcome(d, t), guess = naive(d, t, origin);
    if (!isfinite(y) || !isfinite(guess))
        return;
    band b = band_of(sample);
    s->inside90_own += holds(y, b.mean, b.low, b.high, 1.0);
    s->inside90 += holds(y, b.mean, b.low, b.high, factor);
    s->inside50 += holds(y, b.mean, b.low50, b.high50, factor);
    for (size_t i = 0; i < DRAWS; i++)
        sample[i] = b.mean + factor * (sample[i] - b.mean);
    s->crps += fit_crps(sample, DRAWS, y);
    s->mape += y != 0 ? fabs((b.mean - y) / y) : 0.0;
    s->crps_naive += normal_crps(guess, naive_sd(d, origin), y);
    s->mape_naive += y != 0 ? fabs((guess - y) / y) : 0.0;
    s->n++;
}

/* The factor by which the 90 % intervals of all folds but one would have had to be wider to hold, at
 * least 1; without may be the number of folds: all count. */
static double widening(const bw_mmm_data *d, const fold *folds, size_t n, size_t without,
                       double *room) {
    size_t k = 0;
    for (size_t f = 0; f < n; f++)
        for (size_t t = folds[f].origin; f != without && t < folds[f].end; t++) {
            band b = band_of(folds[f].sample + (t - folds[f].origin) * DRAWS);
            double y = outcome(d, t), half = y > b.mean ? b.high - b.mean : b.mean - b.low;
            if (isfinite(y) && half > 0)
                room[k++] = fabs(y - b.mean) / half;
        }
    if (k == 0)
        return 1.0;
    gsl_sort(room, 1, k);
    size_t rank = (size_t)ceil(0.9 * ((double)k + 1.0));
    return fmax(1.0, room[(rank < k ? rank : k) - 1]);
}

/* Forecast draws of the periods origin .. end-1 into sample [end - origin, DRAWS]. */
static bw_status forecast(const bw_mmm *m, const double *draws, size_t origin, size_t end,
                          gsl_rng *r, double *sample, bw_err *err) {
    bw_density f = bw_mmm_density(m);
    void *room = f.scratch_new(m);
    bw_mmm_result result = {0};
    bw_status st = room ? bw_mmm_result_alloc(m, &result, err) : bw_fail_memory(err);
    for (size_t k = 0; k < DRAWS && st == BW_OK; k++) {
        bw_mmm_forward(m, room, draws + k * f.dim, &result);
        for (size_t t = origin; t < end; t++) {
            double noise =
                isinf(result.nu) ? gsl_ran_gaussian(r, 1.0) : gsl_ran_tdist(r, result.nu);
            sample[(t - origin) * DRAWS + k] = result.fitted[t] + result.sigma * noise;
        }
    }
    bw_mmm_result_free(&result);
    f.scratch_free(room);
    return st;
}

static bw_status run_fold(const fit_state *f, fold *o, bw_err *err) {
    bw_mmm *m = NULL;
    double *draws = NULL;
    unsigned long seed = (unsigned long)f->o->seed + o->origin;
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    o->sample = malloc((o->end - o->origin) * DRAWS * sizeof *o->sample);
    bw_status st = o->sample && r ? fit_refit(f, &f->spec, o->origin, f->d->n_time, DRAWS, seed, &m,
                                              &draws, err)
                                  : bw_fail_memory(err);
    if (st == BW_OK) {
        gsl_rng_set(r, seed);
        st = forecast(m, draws, o->origin, o->end, r, o->sample, err);
    }
    bw_mmm_free(m);
    free(draws);
    gsl_rng_free(r);
    return st;
}

static bw_status run_folds(const fit_state *f, fold *folds, size_t n, bw_err *err) {
    bw_status st = BW_OK;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t k = 0; k < n; k++) {
        bw_err own = {{0}};
        bw_status fold_st = run_fold(f, &folds[k], &own);
        if (fold_st != BW_OK) {
#pragma omp critical
            if (st == BW_OK) {
                st = fold_st;
                if (err)
                    *err = own;
            }
        }
    }
    return st;
}

static bw_status judge(fit_quality *q, const bw_mmm_data *d, const fold *folds, size_t n,
                       size_t step, bw_err *err) {
    double factor[FOLDS], *room = malloc((n * step + 1) * sizeof *room);
    score all = {0};
    if (!room)
        return bw_fail_memory(err);
    q->widening = widening(d, folds, n, n, room);
    for (size_t k = 0; k < n; k++)
        factor[k] = widening(d, folds, n, k, room);
    for (size_t k = 0; k < n; k++)
        for (size_t t = folds[k].origin; t < folds[k].end; t++)
            add_score(&all, d, t, folds[k].origin, factor[k],
                      folds[k].sample + (t - folds[k].origin) * DRAWS);
    free(room);
    if (all.n == 0)
        return BW_OK;
    double many = (double)all.n;
    q->folds = n;
    q->crps_out = all.crps / many;
    q->mape_out = all.mape / many;
    q->coverage50_out = all.inside50 / many;
    q->coverage90_out = all.inside90 / many;
    q->coverage90_own = all.inside90_own / many;
    q->crps_naive = all.crps_naive / many;
    q->mape_naive = all.mape_naive / many;
    return BW_OK;
}

bw_status fit_backtest(fit_state *f, bw_err *err) {
    size_t per_week = (size_t)(7 / f->d->period_days), T = f->d->n_time,
           step = WEEKS_AHEAD * per_week;
    size_t room = T > LEAST_WEEKS * per_week ? (T - LEAST_WEEKS * per_week) / step : 0;
    size_t n = room < FOLDS ? room : FOLDS;
    fold folds[FOLDS] = {{0}};
    for (size_t k = 0; k < n; k++)
        folds[k] = (fold){T - (k + 1) * step, T - k * step, NULL};
    bw_status st = run_folds(f, folds, n, err);
    if (st == BW_OK && n)
        st = judge(&f->quality, f->d, folds, n, step, err);
    for (size_t k = 0; k < n; k++)
        free(folds[k].sample);
    return st;
}
