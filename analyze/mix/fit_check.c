/* analyze/mix/fit_check.c - how good a fit is, said in one word and its reasons.
 *
 * "poor": the numbers should not be acted on; "fair": they may, with the warnings in mind; "good". The
 * limits are those of the field: R-hat and effective draws from Vehtari et al. 2021, the probability
 * of a negative baseline and the predictive p from Meridian's health checks. */
#include "analyze/mix/fit_internal.h"

#include "analyze/gsl_errors.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RHAT_FAIR       1.01
#define RHAT_POOR       1.05
#define ESS_FAIR        400.0
#define ESS_POOR        100.0
#define DIVERGENT_FAIR  0.01 /* share of draws */
#define DIVERGENT_POOR  0.05
#define EBFMI_FAIR      0.3
#define NEGATIVE_FAIR   0.2 /* probability that the baseline is below zero */
#define NEGATIVE_POOR   0.8
#define PREDICTIVE_FAIR 0.05
#define OWN_COVERAGE    0.75 /* of outcomes ahead in the model's own 90 % intervals */
#define NORMAL_ENOUGH   0.3  /* effective share of the draws of a normal approximation */
#define VIF_FAIR        10.0
#define PRIOR_ONLY      0.85 /* posterior sd / prior sd of the effect above which data said little */
#define FAR_SHIFT \
    2.33 /* prior sd: outside what the prior holds likely at 98 %, as Meridian has it */
#define FOLLOWS   0.4 /* correlation of spend with demand */
#define STABLE    0.8 /* share of refits that must agree */
#define ROWS_FAIR 3.0 /* outcomes a parameter */

typedef enum { GOOD, FAIR, POOR } verdict;

static const char *const WORDS[] = {"good", "fair", "poor"};

void fit_warn(fit_state *f, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (f->n_warning < MAX_WARNINGS && (f->warning[f->n_warning] = strdup(text)))
        f->n_warning++;
}

static verdict worse(verdict a, verdict b) {
    return a > b ? a : b;
}

/* ---- what the model explains ---- */

static const float *week_draws(const fit_state *f, size_t part, size_t w) {
    return f->part + (part * f->n_week + w) * f->n_thin;
}

static double week_mean(const fit_state *f, size_t part, size_t w) {
    const float *v = week_draws(f, part, w);
    double sum = 0;
    for (size_t i = 0; i < f->n_thin; i++)
        sum += v[i];
    return sum / (double)f->n_thin;
}

static void residual_quality(fit_state *f) {
    double sse = 0, sum = 0, squares = 0, mape = 0, steps = 0, before = NAN;
    size_t n = 0, n_mape = 0;
    for (size_t w = 0; w < f->n_week; w++) {
        if (!isfinite(f->actual[w]))
            continue;
        double r = f->actual[w] - week_mean(f, bw_mmm_parts(f->model), w);
        sse += r * r;
        sum += f->actual[w];
        squares += f->actual[w] * f->actual[w];
        if (f->actual[w] != 0) {
            mape += fabs(r / f->actual[w]);
            n_mape++;
        }
        if (isfinite(before))
            steps += (r - before) * (r - before);
        before = r;
        n++;
    }
    double total = squares - sum * sum / (double)n;
    f->quality.r2 = total > 0 ? 1.0 - sse / total : NAN;
    f->quality.mape = n_mape ? mape / (double)n_mape : NAN;
    f->quality.durbin_watson = sse > 0 ? steps / sse : NAN;
}

/* The same for single geos: in their own units, so that the large ones count most, but for the mean error. */
static void geo_quality(fit_state *f) {
    double sse = 0, sum = 0, squares = 0, mape = 0, absolute = 0, all = 0;
    size_t n = 0, n_mape = 0;
    f->quality.r2_geo = f->quality.mape_geo = f->quality.wmape_geo = NAN;
    for (size_t i = 0; f->fitted && i < f->d->n_geo * f->d->n_time; i++) {
        double y = f->d->outcome[i], r = y - f->fitted[i];
        if (!isfinite(y))
            continue;
        sse += r * r;
        sum += y;
        squares += y * y;
        absolute += fabs(r);
        all += fabs(y);
        n++;
        if (y != 0) {
            mape += fabs(r / y);
            n_mape++;
        }
    }
    double total = n ? squares - sum * sum / (double)n : 0;
    if (!(total > 0))
        return;
    f->quality.r2_geo = 1 - sse / total;
    f->quality.wmape_geo = absolute / all;
    f->quality.mape_geo = n_mape ? mape / (double)n_mape : NAN;
}

/* In-sample CRPS and coverage with noise, and the predictive p of the sum: how often a replicated total
 * is farther from the fitted one than the actual total is. */
static bw_status predictive_quality(fit_state *f, bw_err *err) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    double *sample = calloc(2 * f->n_thin, sizeof *sample),
           *total = sample ? sample + f->n_thin : NULL;
    double crps = 0, inside = 0, actual = 0;
    size_t known = 0, beyond = 0, parts = bw_mmm_parts(f->model);
    if (!sample || !r) {
        free(sample);
        return bw_fail_memory(err);
    }
    gsl_rng_set(r, (unsigned long)f->o->seed);
    for (size_t w = 0; w < f->n_week; w++) {
        if (!isfinite(f->actual[w]))
            continue;
        const float *v = week_draws(f, parts, w);
        for (size_t i = 0; i < f->n_thin; i++) {
            sample[i] = v[i] + gsl_ran_gaussian_ziggurat(r, f->sigma[i]);
            total[i] += v[i];
        }
        crps += fit_crps(sample, f->n_thin, f->actual[w]);
        inside += f->actual[w] >= gsl_stats_quantile_from_sorted_data(sample, 1, f->n_thin, 0.05) &&
                  f->actual[w] <= gsl_stats_quantile_from_sorted_data(sample, 1, f->n_thin, 0.95);
        actual += f->actual[w];
        known++;
    }
    for (size_t i = 0; i < f->n_thin; i++) {
        double noise = gsl_ran_gaussian_ziggurat(r, f->sigma[i] * sqrt((double)known));
        beyond += fabs(noise) >= fabs(actual - total[i]);
    }
    f->quality.crps = crps / (double)known;
    f->quality.coverage90 = inside / (double)known;
    f->quality.predictive_p = (double)beyond / (double)f->n_thin;
    free(sample);
    gsl_rng_free(r);
    return BW_OK;
}

/* Money that would have come without media, of week w and draw i. */
static double without_media(const fit_state *f, size_t w, size_t i) {
    double v = week_draws(f, bw_mmm_parts(f->model), w)[i];
    for (size_t c = 0; c < f->d->n_channel; c++)
        v -= week_draws(f, c, w)[i];
    return v;
}

static void baseline_quality(fit_state *f) {
    size_t negative = 0;
    for (size_t i = 0; i < f->n_thin; i++) {
        double sum = 0;
        for (size_t w = 0; w < f->n_week; w++)
            sum += without_media(f, w, i);
        negative += sum < 0;
    }
    f->quality.negative_baseline = (double)negative / (double)f->n_thin;
}

/* ---- what the data allow ---- */

/* Media of channel c summed over geos, period by period. */
static void channel_series(const bw_mmm_data *d, size_t c, double *out) {
    memset(out, 0, d->n_time * sizeof *out);
    for (size_t g = 0; g < d->n_geo; g++)
        for (size_t t = 0; t < d->n_time; t++)
            out[t] += d->media[(c * d->n_geo + g) * d->n_time + t];
}

static void control_series(const bw_mmm_data *d, size_t k, double *out) {
    memset(out, 0, d->n_time * sizeof *out);
    for (size_t g = 0; g < d->n_geo; g++)
        for (size_t t = 0; t < d->n_time; t++)
            out[t] += d->control[(k * d->n_geo + g) * d->n_time + t];
}

/* Variance inflation: the diagonal of the inverse correlation matrix of channels and controls. */
static bw_status inflation(fit_state *f, bw_err *err) {
    const bw_mmm_data *d = f->d;
    size_t C = d->n_channel, N = C + d->n_control, T = d->n_time;
    double *x = malloc((N * T + 1) * sizeof *x);
    gsl_matrix *R = gsl_matrix_alloc(N, N);
    f->vif = calloc(C + 1, sizeof *f->vif);
    if (!x || !R || !f->vif) {
        free(x);
        gsl_matrix_free(R);
        return bw_fail_memory(err);
    }
    for (size_t i = 0; i < N; i++)
        i < C ? channel_series(d, i, x + i * T) : control_series(d, i - C, x + i * T);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double r = i == j ? 1.0 + 1e-9 : gsl_stats_correlation(x + i * T, 1, x + j * T, 1, T);
            gsl_matrix_set(R, i, j, isfinite(r) ? r : 0.0);
        }
    bw_gsl_returns_errors();
    bool ok = gsl_linalg_cholesky_decomp1(R) == GSL_SUCCESS &&
              gsl_linalg_cholesky_invert(R) == GSL_SUCCESS;
    for (size_t c = 0; c < C; c++)
        f->vif[c] = ok ? gsl_matrix_get(R, c, c) : INFINITY;
    free(x);
    gsl_matrix_free(R);
    return BW_OK;
}

/* Correlation of a channel's spend with the outcome less what the channel itself earned: a budget set by
 * expected sales makes the model see the one in the other. */
static double follows_demand(const fit_state *f, size_t c, double *demand, double *spend) {
    size_t n = 0;
    for (size_t w = 0; w < f->n_week; w++) {
        double own = 0;
        for (size_t t = 0; t < f->d->n_time; t++)
            if (f->week_of[t] == w)
                for (size_t g = 0; g < f->d->n_geo; g++)
                    own += f->d->media[(c * f->d->n_geo + g) * f->d->n_time + t];
        if (own <= 0 || !isfinite(f->actual[w]))
            continue;
        demand[n] = f->actual[w] - week_mean(f, c, w);
        spend[n++] = own;
    }
    return n >= 10 ? gsl_stats_correlation(demand, 1, spend, 1, n) : 0.0;
}

static verdict check_confounding(fit_state *f) {
    double *demand = malloc((2 * f->n_week + 1) * sizeof *demand);
    verdict v = GOOD;
    for (size_t c = 0; demand && c < f->d->n_channel; c++) {
        double r = follows_demand(f, c, demand, demand + f->n_week);
        if (r > FOLLOWS) {
            fit_warn(f,
                     "%s is spent when demand is high anyway (correlation %.2f): its return cannot "
                     "be told from "
                     "the season's; only a test with spend held back can tell",
                     f->d->channel[c], r);
            v = FAIR;
        }
    }
    free(demand);
    return v;
}

/* Whether a channel answers what other media make people look for. */
static bool answers_demand(const char *name) {
    static const char *const words[] = {"search", "brand", "sem", "ppc", "搜索", "品牌"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

/* Correlation of channel c's media with what the other channels earn, week by week. */
static double follows_media(const fit_state *f, size_t c, double *others, double *own) {
    memset(own, 0, f->n_week * sizeof *own);
    for (size_t g = 0; g < f->d->n_geo; g++)
        for (size_t t = 0; t < f->d->n_time; t++)
            own[f->week_of[t]] += f->d->media[(c * f->d->n_geo + g) * f->d->n_time + t];
    for (size_t w = 0; w < f->n_week; w++) {
        others[w] = 0;
        for (size_t k = 0; k < f->d->n_channel; k++)
            others[w] += k == c || answers_demand(f->d->channel[k]) ? 0.0 : week_mean(f, k, w);
    }
    return f->n_week >= 10 ? gsl_stats_correlation(own, 1, others, 1, f->n_week) : 0.0;
}

/* Mediation is not modelled; where it is likely it is said. */
static void warn_of_mediation(fit_state *f) {
    double *room = malloc((2 * f->n_week + 1) * sizeof *room);
    for (size_t c = 0; room && c < f->d->n_channel; c++) {
        double r =
            answers_demand(f->d->channel[c]) ? follows_media(f, c, room, room + f->n_week) : 0;
        if (r > FOLLOWS)
            fit_warn(
                f,
                "%s rises with what other channels earn (correlation %.2f): searches that they "
                "cause are counted as its own, so its return is too high and theirs too low",
                f->d->channel[c], r);
    }
    free(room);
}

/* ---- verdicts ---- */

/* Around the mode of log returns the normal approximation leaves out their long lower tail: channels of
 * which the data say little come out by one standard deviation and more too high. */
static verdict check_normal(fit_state *f) {
    if (f->engine.normal_share > NORMAL_ENOUGH)
        return GOOD;
    fit_warn(
        f,
        "the normal approximation does not fit this posterior (%.1f %% of its draws count when "
        "weighted): returns of weak channels come out too high; act on --engine nuts or fast only",
        100 * f->engine.normal_share);
    return FAIR;
}

static verdict check_sampler(fit_state *f) {
    const engine_report *e = &f->engine;
    verdict v = GOOD;
    if (!e->sampled)
        return check_normal(f);
    double divergent = (double)e->divergences / (double)f->n_draw,
           ess = fmin(e->min_ess_bulk, e->min_ess_tail);
    if (e->max_rhat > RHAT_FAIR) {
        v = worse(v, e->max_rhat > RHAT_POOR ? POOR : FAIR);
        fit_warn(f,
                 "the chains disagree (R-hat %.3f, wanted below %.2f): sample longer with --warmup "
                 "and --draws",
                 e->max_rhat, RHAT_FAIR);
    }
    if (ess < ESS_FAIR) {
        v = worse(v, ess < ESS_POOR ? POOR : FAIR);
        fit_warn(f,
                 "only %.0f effective draws for some parameter (wanted %.0f): sample longer with "
                 "--draws",
                 ess, ESS_FAIR);
    }
    if (divergent > DIVERGENT_FAIR) {
        v = worse(v, divergent > DIVERGENT_POOR ? POOR : FAIR);
        fit_warn(f, "%zu of %zu trajectories diverged: part of the posterior is not reached",
                 e->divergences, f->n_draw);
    }
    if (e->min_ebfmi < EBFMI_FAIR) {
        v = worse(v, FAIR);
        fit_warn(f, "a chain moves badly between energies (E-BFMI %.2f)", e->min_ebfmi);
    }
    return v;
}

static verdict check_fit(fit_state *f) {
    const fit_quality *q = &f->quality;
    verdict v = GOOD;
    if (q->negative_baseline > NEGATIVE_FAIR) {
        v = worse(v, q->negative_baseline > NEGATIVE_POOR ? POOR : FAIR);
        fit_warn(f,
                 "sales without media would be negative with probability %.2f: media get too much "
                 "of the credit",
                 q->negative_baseline);
    }
    if (q->predictive_p < PREDICTIVE_FAIR) {
        v = worse(v, FAIR);
        fit_warn(f, "the model does not reproduce the total outcome (predictive p %.3f)",
                 q->predictive_p);
    }
    if (q->r2 < 0.3) {
        v = worse(v, FAIR);
        fit_warn(f, "the model explains little of what moves the outcome (R2 %.2f)", q->r2);
    }
    if (q->durbin_watson < 1.0 || q->durbin_watson > 3.0) {
        v = worse(v, FAIR);
        fit_warn(f,
                 "what is left unexplained has a memory (Durbin-Watson %.2f, 2 is none): something "
                 "slow is missing, "
                 "and intervals may be too narrow",
                 q->durbin_watson);
    }
    return v;
}

static verdict check_backtest(fit_state *f) {
    const fit_quality *q = &f->quality;
    verdict v = GOOD;
    if (q->folds == 0)
        return v;
    if (q->crps_out > q->crps_naive) {
        v = worse(v, q->crps_out > 2 * q->crps_naive ? POOR : FAIR);
        fit_warn(f,
                 "four weeks ahead the model forecasts worse than last year's value does (CRPS "
                 "%.4g against %.4g)",
                 q->crps_out, q->crps_naive);
    }
    if (q->coverage90_own < OWN_COVERAGE) /* no verdict: what is told of weeks ahead is widened */
        fit_warn(
            f,
            "of outcomes ahead only %.0f %% fell into the model's own 90 %% intervals: something "
            "moves sales that it does not know; widened by %.2f they hold %.0f %%",
            100 * q->coverage90_own, q->widening, 100 * q->coverage90_out);
    return v;
}

/* The parameter of channel c's effect, whatever its prior is on; dim when there is none. */
static size_t effect_of(const fit_state *f, size_t c) {
    static const char *const names[] = {"roas", "beta", "share"};
    for (size_t i = 0; i < f->dim; i++) {
        const char *subject, *name = bw_mmm_param_name(f->model, i, &subject);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strcmp(name, names[k]) == 0 && strcmp(subject, f->d->channel[c]) == 0)
                return i;
    }
    return f->dim;
}

/* How far the data moved the effect from its prior and how much they narrowed it, on the scale the sampler
 * moves on, where priors are about normal. A width near one: the answer was in the question. */
static bw_status prior_and_posterior(fit_state *f, bw_err *err) {
    const double sd_below = 0.158655254, sd_above = 1 - sd_below; /* a normal's mean -+ sd */
    f->prior_shift = calloc(2 * f->d->n_channel + 1, sizeof *f->prior_shift);
    if (!f->prior_shift)
        return bw_fail_memory(err);
    f->prior_width = f->prior_shift + f->d->n_channel;
    for (size_t c = 0; c < f->d->n_channel; c++) {
        size_t at = effect_of(f, c);
        f->prior_shift[c] = f->prior_width[c] = NAN;
        if (at == f->dim)
            continue;
        const bw_prior *p = bw_mmm_param_prior(f->model, at);
        double sd = 0.5 * (bw_prior_free(p, bw_prior_quantile(p, sd_above)) -
                           bw_prior_free(p, bw_prior_quantile(p, sd_below)));
        double mean = gsl_stats_mean(f->draws + at, f->dim, f->n_draw);
        f->prior_shift[c] = (mean - bw_prior_free(p, bw_prior_quantile(p, 0.5))) / sd;
        f->prior_width[c] = gsl_stats_sd_m(f->draws + at, f->dim, f->n_draw, mean) / sd;
    }
    return BW_OK;
}

static verdict check_channels(fit_state *f) {
    verdict v = GOOD;
    for (size_t c = 0; c < f->d->n_channel; c++) {
        const char *name = f->d->channel[c];
        if (f->vif[c] > VIF_FAIR) {
            v = FAIR;
            fit_warn(f,
                     "%s moves with other channels or controls (VIF %.0f): their effects are hard "
                     "to tell apart",
                     name, f->vif[c]);
        }
        if (f->d->paid[c] && f->prior_width[c] > PRIOR_ONLY)
            fit_warn(f, "the data say little about %s: its interval is mostly the prior; test it",
                     name);
        if (fabs(f->prior_shift[c]) > FAR_SHIFT) {
            v = worse(v, FAIR);
            fit_warn(
                f,
                "the effect of %s lies %.1f prior standard deviations %s what was expected: if "
                "that is not news, something else moves with it",
                name, fabs(f->prior_shift[c]), f->prior_shift[c] > 0 ? "above" : "below");
        }
        if (f->stability.refits && f->d->paid[c] && f->stability.sign[c] < STABLE)
            fit_warn(
                f, "advice on %s keeps its sign in %.0f %% of %zu refits: do not act, test instead",
                name, 100 * f->stability.sign[c], f->stability.refits);
    }
    return v;
}

static verdict check_data(fit_state *f) {
    double rows = (double)bw_mmm_observations(f->model),
           weeks = rows * f->d->period_days / 7.0 / (double)f->d->n_geo;
    verdict v = GOOD;
    if (rows <
        ROWS_FAIR * (double)f->d->n_channel * 3.0) { /* effect, carry-over, saturation a channel */
        v = rows < (double)f->d->n_channel * 3.0 ? POOR : FAIR;
        fit_warn(f,
                 "%.0f outcomes for %zu channels: too few to tell channels apart; what is said "
                 "rests on the priors",
                 rows, f->d->n_channel);
    }
    if (weeks < 52) {
        v = worse(v, FAIR);
        fit_warn(f,
                 "%.0f weeks of data: a season cannot be told from a trend or from a channel that "
                 "was on at the time",
                 weeks);
    }
    return v;
}

bw_status fit_check(fit_state *f, bw_err *err) {
    residual_quality(f);
    geo_quality(f);
    baseline_quality(f);
    bw_status st = predictive_quality(f, err);
    if (st == BW_OK)
        st = inflation(f, err);
    if (st == BW_OK)
        st = prior_and_posterior(f, err);
    if (st != BW_OK)
        return st;
    verdict v = check_sampler(f);
    v = worse(v, check_fit(f));
    v = worse(v, check_backtest(f));
    v = worse(v, check_data(f));
    v = worse(v, check_channels(f));
    v = worse(v, check_confounding(f));
    warn_of_mediation(f);
    f->health = WORDS[v];
    return BW_OK;
}
