/* analyze/mix/fit_store.c - a fit's rows: estimates, weekly parts, curves and draws, named as in store.h. */
#include "analyze/mix/fit_before.h"
#include "analyze/sampler/diagnostics.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_POINTS 25
#define CURVE_REACH  1.5 /* times the largest spend of a week seen */
#define CURVE_DRAWS  400
#define DRAWS_KEPT   1000 /* of the parameters, for who computes with them later */

/* Copies the finite values to buffer; their number. */
static size_t finite_values(double *buffer, const double *v, size_t n) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]))
            buffer[k++] = v[i];
    return k;
}

static double share_above(const double *v, size_t n, double threshold) {
    size_t above = 0;
    for (size_t i = 0; i < n; i++)
        above += v[i] > threshold;
    return n ? (double)above / (double)n : NAN;
}

static const char *unit_of(size_t which) {
    switch (which) {
    case Q_CONTRIBUTION:
    case Q_BETA:
        return "money";
    case Q_SHARE:
        return "share";
    case Q_HALF_LIFE:
        return "weeks";
    default:
        return "ratio";
    }
}

static bw_status store_quantity(sqlite3 *db, int64_t run, const fit_state *f, size_t c,
                                size_t which, double *buffer, bw_err *err) {
    const double *v = fit_quantity(f, c, which);
    size_t n = finite_values(buffer, v, f->n_draw);
    if (n == 0)
        return BW_OK;
    bw_estimate e = bw_estimate_named(FIT_QUANTITY[which], f->d->channel[c], "", unit_of(which));
    if (which == Q_CONTRIBUTION)
        e.probability = share_above(buffer, n, 0.0);
    else if (which == Q_ROAS || which == Q_MARGINAL)
        e.probability = share_above(buffer, n, 1.0 / f->margin);
    bw_estimate_from_draws(&e, buffer, n);
    e.n = (double)f->d->n_time;
    bw_status st = bw_estimate_put(db, run, &e, err);
    return st == BW_OK
               ? bw_draw_put(db, run, FIT_QUANTITY[which], f->d->channel[c], v, f->n_draw, err)
               : st;
}

static bw_status put_value(sqlite3 *db, int64_t run, const char *name, const char *subject,
                           const char *unit, double value, bw_err *err) {
    if (!isfinite(value))
        return BW_OK;
    bw_estimate e = bw_estimate_named(name, subject, "", unit);
    e.mean = value;
    return bw_estimate_put(db, run, &e, err);
}

/* How far chance alone moves the mean of a channel's ROAS: small beside its sd when the chains are long
 * enough. */
static bw_status store_chance(sqlite3 *db, int64_t run, const fit_state *f, size_t c, bw_err *err) {
    if (!f->engine.sampled || !f->d->paid[c])
        return BW_OK;
    size_t draws = f->n_draw / f->engine.chains;
    bw_chains chains = {fit_quantity(f, c, Q_ROAS), f->engine.chains, draws, draws, 1};
    return put_value(db, run, "roas_mcse", f->d->channel[c], "ratio", bw_mcse_mean(&chains), err);
}

static bw_status store_channels(sqlite3 *db, int64_t run, const fit_state *f, double *buffer,
                                bw_err *err) {
    bw_status st = BW_OK;
    for (size_t c = 0; c < f->d->n_channel && st == BW_OK; c++) {
        const char *name = f->d->channel[c];
        st = put_value(db, run, "spend", name, "money", f->spend[c], err);
        for (size_t which = 0; which < N_QUANTITIES && st == BW_OK; which++)
            st = store_quantity(db, run, f, c, which, buffer, err);
        if (st == BW_OK)
            st = store_chance(db, run, f, c, err);
        if (st == BW_OK && f->vif)
            st = put_value(db, run, "vif", name, "ratio", f->vif[c], err);
        if (st == BW_OK)
            st = put_value(db, run, "prior_shift", name, "sd", f->prior_shift[c], err);
        if (st == BW_OK)
            st = put_value(db, run, "prior_width", name, "ratio", f->prior_width[c], err);
        if (st == BW_OK && f->stability.refits) {
            bw_estimate e = bw_estimate_named("stability", name, "", "share");
            e.mean = f->stability.sign[c];
            e.n = (double)f->stability.refits;
            e.lo = f->stability.low[c];
            e.hi = f->stability.high[c];
            st = bw_estimate_put(db, run, &e, err);
        }
    }
    return st;
}

/* What all channels together earn of the outcome: known better than the parts of each. */
static bw_status store_media_share(sqlite3 *db, int64_t run, const fit_state *f, double *buffer,
                                   bw_err *err) {
    memset(buffer, 0, f->n_draw * sizeof *buffer);
    for (size_t c = 0; c < f->d->n_channel; c++)
        for (size_t i = 0; i < f->n_draw; i++)
            buffer[i] += fit_quantity(f, c, Q_SHARE)[i];
    bw_estimate e = bw_estimate_named("media_share", "", "", "share");
    bw_estimate_from_draws(&e, buffer, f->n_draw);
    return bw_estimate_put(db, run, &e, err);
}

static bw_status store_weeks(sqlite3 *db, int64_t run, const fit_state *f, double *buffer,
                             bw_err *err) {
    size_t parts = bw_mmm_parts(f->model);
    for (size_t p = 0; p <= parts; p++)
        for (size_t w = 0; w < f->n_week; w++) {
            const float *v = f->part + (p * f->n_week + w) * f->n_thin;
            for (size_t i = 0; i < f->n_thin; i++)
                buffer[i] = v[i];
            bw_estimate e = p < parts
                                ? bw_estimate_named("decomposition", bw_mmm_part_name(f->model, p),
                                                    f->week[w], "money")
                                : bw_estimate_named("fitted", "", f->week[w], "money");
            bw_estimate_from_draws(&e, buffer, f->n_thin);
            bw_status st = bw_estimate_put(db, run, &e, err);
            if (st != BW_OK)
                return st;
        }
    return BW_OK;
}

/* A week's spend against a week's money, spread evenly over its periods. */
static bw_status store_curve(sqlite3 *db, int64_t run, const fit_state *f, void *room, size_t c,
                             bw_err *err) {
    double x[CURVE_POINTS], y[CURVE_POINTS], draws[CURVE_POINTS][CURVE_DRAWS], money[CURVE_POINTS];
    double per_week = 7.0 / f->d->period_days, top = bw_mmm_spend_max(f->model, c);
    size_t n = f->n_draw < CURVE_DRAWS ? f->n_draw : CURVE_DRAWS;
    if (!f->d->paid[c])
        return BW_OK;
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        money[i] = CURVE_REACH * top * (double)i / (CURVE_POINTS - 1);
        x[i] = money[i] * per_week;
    }
    for (size_t k = 0; k < n; k++) {
        bw_mmm_response(f->model, room, c, f->draws + k * f->n_draw / n * f->dim, money,
                        CURVE_POINTS, y);
        for (size_t i = 0; i < CURVE_POINTS; i++)
            draws[i][k] = y[i] * per_week;
    }
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        bw_estimate e = bw_estimate_named("", "", "", "");
        bw_estimate_from_draws(&e, draws[i], n);
        bw_status st = bw_curve_put(db, run, "response", f->d->channel[c], x[i], e.mean, e.lo, e.hi,
                                    money[i] <= top * (1 + 1e-9), err);
        if (st != BW_OK)
            return st;
    }
    return BW_OK;
}

static bw_status store_curves(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    bw_density density = bw_mmm_density(f->model);
    void *room = density.scratch_new(f->model);
    bw_status st = room ? BW_OK : bw_fail_memory(err);
    for (size_t c = 0; c < f->d->n_channel && st == BW_OK; c++)
        st = store_curve(db, run, f, room, c, err);
    density.scratch_free(room);
    return st;
}

static bw_status store_quality(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    const fit_quality *q = &f->quality;
    const struct {
        const char *name, *unit;
        double value;
    } rows[] = {
        {"r2", "share", q->r2},
        {"mape", "share", q->mape},
        {"crps", "money", q->crps},
        {"r2_geo", "share", q->r2_geo},
        {"mape_geo", "share", q->mape_geo},
        {"wmape_geo", "share", q->wmape_geo},
        {"coverage_90", "share", q->coverage90},
        {"durbin_watson", "", q->durbin_watson},
        {"predictive_p", "probability", q->predictive_p},
        {"negative_baseline", "probability", q->negative_baseline},
        {"backtest_folds", "", q->folds ? (double)q->folds : NAN},
        {"backtest_mape", "share", q->folds ? q->mape_out : NAN},
        {"backtest_crps", "money", q->folds ? q->crps_out : NAN},
        {"backtest_coverage_50", "share", q->folds ? q->coverage50_out : NAN},
        {"backtest_coverage_90", "share", q->folds ? q->coverage90_out : NAN},
        {"backtest_coverage_90_own", "share", q->folds ? q->coverage90_own : NAN},
        {"forecast_widening", "ratio", q->folds ? q->widening : NAN},
        {"naive_mape", "share", q->folds ? q->mape_naive : NAN},
        {"naive_crps", "money", q->folds ? q->crps_naive : NAN},
        {"max_rhat", "", f->engine.sampled ? f->engine.max_rhat : NAN},
        {"min_ess_bulk", "draws", f->engine.sampled ? f->engine.min_ess_bulk : NAN},
        {"min_ess_tail", "draws", f->engine.sampled ? f->engine.min_ess_tail : NAN},
    };
    bw_status st = BW_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && st == BW_OK; i++)
        st = put_value(db, run, rows[i].name, "", rows[i].unit, rows[i].value, err);
    return st;
}

/* The parameters on their natural scale, a summary each; those of one name and subject are numbered. */
/* [dim, n_draw] natural values of all draws, the caller frees; NULL on out of memory. */
static double *natural_draws(const fit_state *f) {
    bw_density density = bw_mmm_density(f->model);
    void *room = density.scratch_new(f->model);
    double *all = malloc((f->dim * f->n_draw + f->dim) * sizeof *all),
           *one = all ? all + f->dim * f->n_draw : NULL;
    for (size_t k = 0; room && all && k < f->n_draw; k++) {
        bw_mmm_natural(f->model, room, f->draws + k * f->dim, one);
        for (size_t i = 0; i < f->dim; i++)
            all[i * f->n_draw + k] = one[i];
    }
    density.scratch_free(room);
    return room ? all : NULL;
}

static bw_status store_param(sqlite3 *db, int64_t run, const fit_state *f, size_t i, int number,
                             double *draws, bw_err *err) {
    const char *subject, *name = bw_mmm_param_name(f->model, i, &subject);
    char at[16], full[64];
    snprintf(at, sizeof at, "%d", number);
    snprintf(full, sizeof full, "param:%s", name);
    bw_estimate e = bw_estimate_named(full, subject, at, "");
    bw_estimate_from_draws(&e, draws, f->n_draw);
    return bw_estimate_put(db, run, &e, err);
}

/* The parameters on their natural scale, a summary each; those of one name and subject are numbered. */
static bw_status store_params(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    const char *before = "", *subject_before = "";
    int number = 0;
    double *draws = natural_draws(f);
    bw_status st = draws ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; i < f->dim && st == BW_OK; i++) {
        const char *subject, *name = bw_mmm_param_name(f->model, i, &subject);
        number = strcmp(name, before) == 0 && strcmp(subject, subject_before) == 0 ? number + 1 : 1;
        before = name;
        subject_before = subject;
        st = store_param(db, run, f, i, number, draws + i * f->n_draw, err);
    }
    free(draws);
    return st;
}

static bw_status store_draws(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err) {
    size_t n = f->n_draw < DRAWS_KEPT ? f->n_draw : DRAWS_KEPT;
    double *kept = malloc(n * f->dim * sizeof *kept);
    if (!kept)
        return bw_fail_memory(err);
    for (size_t k = 0; k < n; k++)
        memcpy(kept + k * f->dim, f->draws + k * f->n_draw / n * f->dim, f->dim * sizeof *kept);
    bw_status st = bw_draw_put(db, run, "parameters", "", kept, n * f->dim, err);
    free(kept);
    return st;
}

static char *diagnostics_text(const fit_state *f) {
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "chains", (double)f->engine.chains);
    cJSON_AddNumberToObject(j, "draws", (double)f->n_draw);
    cJSON_AddNumberToObject(j, "seconds", f->engine.seconds);
    cJSON_AddNumberToObject(j, "parameters", (double)f->dim);
    cJSON_AddNumberToObject(j, "observations", (double)bw_mmm_observations(f->model));
    if (f->engine.sampled) {
        cJSON_AddNumberToObject(j, "divergences", (double)f->engine.divergences);
        cJSON_AddNumberToObject(j, "max_rhat", f->engine.max_rhat);
        cJSON_AddNumberToObject(j, "min_ess_bulk", f->engine.min_ess_bulk);
        cJSON_AddNumberToObject(j, "min_ess_tail", f->engine.min_ess_tail);
        cJSON_AddNumberToObject(j, "min_ebfmi", f->engine.min_ebfmi);
        cJSON_AddNumberToObject(j, "max_depth_hits", (double)f->engine.max_depth_hits);
    }
    if (f->warm.mean)
        cJSON_AddNumberToObject(j, "warm_up_of_run", (double)f->warm.run);
    cJSON *warnings = cJSON_AddArrayToObject(j, "warnings");
    for (size_t i = 0; i < f->n_warning; i++)
        cJSON_AddItemToArray(warnings, cJSON_CreateString(f->warning[i]));
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return text;
}

static bw_status begin_run(sqlite3 *db, const fit_state *f, const char *fingerprint,
                           const char *options, int64_t *run, bw_err *err) {
    char *diagnostics = diagnostics_text(f);
    if (!diagnostics)
        return bw_fail_memory(err);
    bw_run_info info = {.kind = "fit",
                        .engine = f->o->engine,
                        .preset = f->o->preset,
                        .seed = f->o->seed,
                        .input = fingerprint,
                        .options = options,
                        .diagnostics = diagnostics,
                        .health = f->health,
                        .first_day = f->d->period[0],
                        .last_day = f->last_day};
    bw_status st = bw_run_begin(db, &info, run, err);
    free(diagnostics);
    return st;
}

bw_status fit_store(sqlite3 *db, fit_state *f, const char *fingerprint, const char *options,
                    int64_t *run, bw_err *err) {
    double *buffer = malloc((f->n_draw + f->n_thin) * sizeof *buffer);
    bw_status st = buffer ? begin_run(db, f, fingerprint, options, run, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = store_channels(db, *run, f, buffer, err);
    if (st == BW_OK)
        st = store_media_share(db, *run, f, buffer, err);
    if (st == BW_OK)
        st = store_weeks(db, *run, f, buffer, err);
    if (st == BW_OK)
        st = store_curves(db, *run, f, err);
    if (st == BW_OK)
        st = store_params(db, *run, f, err);
    if (st == BW_OK)
        st = store_quality(db, *run, f, err);
    if (st == BW_OK)
        st = store_draws(db, *run, f, err);
    if (st == BW_OK)
        st = fit_store_for_later(db, *run, f, err);
    free(buffer);
    return st;
}
