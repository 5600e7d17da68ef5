/* analyze/mix/fit_backtest.c - how well the model forecasts what it has not seen: a rolling origin.
 *
 * At each origin the model is fitted to the outcomes before it and forecasts the four weeks after,
 * whose spend, controls and events are known, as they are when a plan is judged. Beside it stands the
 * seasonal naive forecast: the outcome a year before (or the last one known), with the spread of its
 * own errors before the origin. Scales of the data come from all periods; they are no parameters. */
#include "analyze/mix/fit_internal.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#define FOLDS       5
#define WEEKS_AHEAD 4
#define LEAST_WEEKS 40 /* before the first origin */
#define DRAWS       200
#define YEAR_WEEKS  52

typedef struct {
    double crps, mape, inside50, inside90, crps_naive, mape_naive;
    size_t n;
} score;

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

static void add_score(score *s, const bw_mmm_data *d, size_t t, size_t origin, double sd_naive,
                      double *sample) {
    double y = outcome(d, t), guess = naive(d, t, origin);
    if (!isfinite(y) || !isfinite(guess))
        return;
    double mean = gsl_stats_mean(sample, 1, DRAWS);
    s->crps += fit_crps(sample, DRAWS, y); /* sorts */
    double low = gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.05);
    double high = gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.95);
    double low50 = gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.25);
    double high50 = gsl_stats_quantile_from_sorted_data(sample, 1, DRAWS, 0.75);
    s->inside90 += y >= low && y <= high;
    s->inside50 += y >= low50 && y <= high50;
    s->mape += y != 0 ? fabs((mean - y) / y) : 0.0;
    s->crps_naive += normal_crps(guess, sd_naive, y);
    s->mape_naive += y != 0 ? fabs((guess - y) / y) : 0.0;
    s->n++;
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

static bw_status run_fold(const fit_state *f, size_t origin, size_t end, score *s, bw_err *err) {
    bw_mmm *m = NULL;
    double *draws = NULL, *sample = malloc((end - origin) * DRAWS * sizeof *sample);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    bw_status st = sample && r ? fit_refit(f, &f->spec, origin, f->d->n_time, DRAWS,
                                           (unsigned long)f->o->seed + origin, &m, &draws, err)
                               : bw_fail_memory(err);
    if (st == BW_OK) {
        gsl_rng_set(r, (unsigned long)f->o->seed + origin);
        st = forecast(m, draws, origin, end, r, sample, err);
    }
    double sd = naive_sd(f->d, origin);
    for (size_t t = origin; t < end && st == BW_OK; t++)
        add_score(s, f->d, t, origin, sd, sample + (t - origin) * DRAWS);
    bw_mmm_free(m);
    free(draws);
    free(sample);
    gsl_rng_free(r);
    return st;
}

static void sum_up(fit_quality *q, const score *s, size_t folds) {
    score all = {0};
    for (size_t k = 0; k < folds; k++) {
        all.crps += s[k].crps;
        all.mape += s[k].mape;
        all.inside50 += s[k].inside50;
        all.inside90 += s[k].inside90;
        all.crps_naive += s[k].crps_naive;
        all.mape_naive += s[k].mape_naive;
        all.n += s[k].n;
    }
    if (all.n == 0)
        return;
    double n = (double)all.n;
    q->folds = folds;
    q->crps_out = all.crps / n;
    q->mape_out = all.mape / n;
    q->coverage50_out = all.inside50 / n;
    q->coverage90_out = all.inside90 / n;
    q->crps_naive = all.crps_naive / n;
    q->mape_naive = all.mape_naive / n;
}

bw_status fit_backtest(fit_state *f, bw_err *err) {
    size_t per_week = (size_t)(7 / f->d->period_days), T = f->d->n_time,
           step = WEEKS_AHEAD * per_week;
    size_t room = T > LEAST_WEEKS * per_week ? (T - LEAST_WEEKS * per_week) / step : 0;
    size_t folds = room < FOLDS ? room : FOLDS;
    score scores[FOLDS] = {{0}};
    bw_status st = BW_OK;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t k = 0; k < folds; k++) {
        size_t origin = T - (k + 1) * step;
        bw_err own = {{0}};
        bw_status fold_st = run_fold(f, origin, origin + step, &scores[k], &own);
        if (fold_st != BW_OK) {
#pragma omp critical
            if (st == BW_OK) {
                st = fold_st;
                if (err)
                    *err = own;
            }
        }
    }
    if (st == BW_OK)
        sum_up(&f->quality, scores, folds);
    return st;
}
