/* analyze/mix/fit_output.c - a stored fit, printed. */
#include "analyze/mix/fit_output.h"

#include "sql/db.h"

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

typedef struct {
    char engine[16], preset[24], health[8], first[11], last[11];
    cJSON *diagnostics; /* of the run */
} run_row;

static void copy_column(char *out, size_t size, sqlite3_stmt *s, int i) {
    const char *text = (const char *)sqlite3_column_text(s, i);
    snprintf(out, size, "%s", text ? text : "");
}

static bw_status read_run(sqlite3 *db, int64_t run, run_row *r, bw_err *err) {
    sqlite3_stmt *s;
    *r = (run_row){.diagnostics = NULL};
    bw_status st = bw_db_prepare(db,
                                 "SELECT engine, preset, health, first_day, last_day, diagnostics "
                                 "FROM model_run WHERE id = ?",
                                 &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    if (sqlite3_step(s) == SQLITE_ROW) {
        copy_column(r->engine, sizeof r->engine, s, 0);
        copy_column(r->preset, sizeof r->preset, s, 1);
        copy_column(r->health, sizeof r->health, s, 2);
        copy_column(r->first, sizeof r->first, s, 3);
        copy_column(r->last, sizeof r->last, s, 4);
        r->diagnostics = cJSON_Parse((const char *)sqlite3_column_text(s, 5));
    }
    sqlite3_finalize(s);
    return r->diagnostics
               ? BW_OK
               : bw_fail(err, BW_EDATA, "run %lld of the fit is not there", (long long)run);
}

static double number_of(const cJSON *j, const char *key) {
    const cJSON *v = cJSON_GetObjectItem(j, key);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

/* Calls each for every channel of the run, by spend. */
typedef bw_status channel_fn(sqlite3 *db, int64_t run, const char *channel, double spend,
                             void *context, bw_err *err);

static bw_status each_channel(sqlite3 *db, int64_t run, channel_fn *each, void *context,
                              bw_err *err) {
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(db,
                      "SELECT subject, mean FROM estimate WHERE run = ? AND name = 'spend' "
                      "ORDER BY mean DESC, subject",
                      &s, err);
    bool row = true;
    if (st == BW_OK)
        sqlite3_bind_int64(s, 1, run);
    while (st == BW_OK) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        st = each(db, run, (const char *)sqlite3_column_text(s, 0), sqlite3_column_double(s, 1),
                  context, err);
    }
    sqlite3_finalize(s);
    return st;
}

typedef struct {
    double mean, lo, hi, probability;
} interval;

static interval read_interval(sqlite3 *db, int64_t run, const char *name, const char *subject) {
    interval v = {NAN, NAN, NAN, NAN};
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(
            db,
            "SELECT mean, lo, hi, probability FROM estimate WHERE run = ? AND name = ? "
            "AND subject = ? AND at = ''",
            -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(s, 1, run);
        sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, subject, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW) {
            double *const into[] = {&v.mean, &v.lo, &v.hi, &v.probability};
            for (int i = 0; i < 4; i++)
                if (sqlite3_column_type(s, i) != SQLITE_NULL)
                    *into[i] = sqlite3_column_double(s, i);
        }
    }
    sqlite3_finalize(s);
    return v;
}

/* ---- the table ---- */

/* Whole money from a thousand on, four digits below. */
static const char *money_text(double v, char out[24]) {
    if (!isfinite(v))
        snprintf(out, 24, "-");
    else
        snprintf(out, 24, fabs(v) >= 1000 ? "%.0f" : "%.4g", v);
    return out;
}

static void print_interval(interval v, int width, bool money) {
    char mean[24], lo[24], hi[24], range[96];
    if (!isfinite(v.mean)) {
        printf("  %*s", width, "-");
        return;
    }
    if (money)
        snprintf(range, sizeof range, "%s [%s, %s]", money_text(v.mean, mean), money_text(v.lo, lo),
                 money_text(v.hi, hi));
    else
        snprintf(range, sizeof range, "%.2f [%.2f, %.2f]", v.mean, v.lo, v.hi);
    printf("  %*s", width, range);
}

static bw_status print_channel(sqlite3 *db, int64_t run, const char *channel, double spend,
                               void *context, bw_err *err) {
    (void)context;
    (void)err;
    char text[24];
    printf("%-18s %11s", channel, spend > 0 ? money_text(spend, text) : "-");
    print_interval(read_interval(db, run, "contribution", channel), 29, true);
    print_interval(read_interval(db, run, "roas", channel), 19, false);
    print_interval(read_interval(db, run, "marginal_roas", channel), 19, false);
    print_interval(read_interval(db, run, "half_life", channel), 18, false);
    interval stability = read_interval(db, run, "stability", channel);
    if (isfinite(stability.mean))
        printf("  %6.0f %%", 100 * stability.mean);
    printf("\n");
    return BW_OK;
}

static void print_quality(sqlite3 *db, int64_t run, const run_row *r) {
    double r2 = read_interval(db, run, "r2", "").mean,
           mape = read_interval(db, run, "mape", "").mean;
    double out = read_interval(db, run, "backtest_mape", "").mean,
           naive = read_interval(db, run, "naive_mape", "").mean;
    double covered = read_interval(db, run, "backtest_coverage_90", "").mean;
    printf("\nfit: R2 %.3f, mean error %.1f %%", r2, 100 * mape);
    if (isfinite(out))
        printf("; weeks ahead: mean error %.1f %% (seasonal naive %.1f %%), 90 %% intervals hold "
               "%.0f %%",
               100 * out, 100 * naive, 100 * covered);
    double rhat = number_of(r->diagnostics, "max_rhat");
    if (isfinite(rhat))
        printf("\nsampler: R-hat at most %.3f, effective draws at least %.0f (bulk) and %.0f "
               "(tail), %.0f divergences",
               rhat, number_of(r->diagnostics, "min_ess_bulk"),
               number_of(r->diagnostics, "min_ess_tail"), number_of(r->diagnostics, "divergences"));
    printf("\nhealth: %s\n", r->health);
    const cJSON *w;
    cJSON_ArrayForEach(w, cJSON_GetObjectItem(r->diagnostics, "warnings"))
        printf("  - %s\n", w->valuestring);
}

bw_status fit_print_table(sqlite3 *db, int64_t run, bw_err *err) {
    run_row r;
    bw_status st = read_run(db, run, &r, err);
    if (st != BW_OK)
        return st;
    printf("%s .. %s, engine %s, preset %s; means with 90 %% intervals\n\n", r.first, r.last,
           r.engine, r.preset);
    bool stable = isfinite(bw_db_number(
        db, "SELECT 1 FROM latest_estimate WHERE kind = 'fit' AND name = 'stability'", NAN));
    printf("%-18s %11s  %29s  %19s  %19s  %18s%s\n", "channel", "spend", "earned", "ROAS",
           "next money earns", "half-life, weeks", stable ? "  stable" : "");
    st = each_channel(db, run, print_channel, NULL, err);
    print_quality(db, run, &r);
    cJSON_Delete(r.diagnostics);
    return st;
}

/* ---- JSON ---- */

cJSON *fit_json_summary(double *v, size_t n) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]))
            v[k++] = v[i];
    if (k == 0)
        return cJSON_CreateNull();
    cJSON *j = cJSON_CreateObject();
    double mean = gsl_stats_mean(v, 1, k);
    cJSON_AddNumberToObject(j, "mean", mean);
    cJSON_AddNumberToObject(j, "sd", k > 1 ? gsl_stats_sd_m(v, 1, k, mean) : 0.0);
    gsl_sort(v, 1, k);
    cJSON_AddNumberToObject(j, "p5", gsl_stats_quantile_from_sorted_data(v, 1, k, 0.05));
    cJSON_AddNumberToObject(j, "p50", gsl_stats_quantile_from_sorted_data(v, 1, k, 0.5));
    cJSON_AddNumberToObject(j, "p95", gsl_stats_quantile_from_sorted_data(v, 1, k, 0.95));
    return j;
}

static cJSON *json_draws(sqlite3 *db, int64_t run, const char *name, const char *subject) {
    sqlite3_stmt *s = NULL;
    cJSON *j = NULL;
    if (sqlite3_prepare_v2(db, "SELECT packed FROM draw WHERE run = ? AND name = ? AND subject = ?",
                           -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(s, 1, run);
        sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, subject, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW) {
            size_t n = (size_t)sqlite3_column_bytes(s, 0) / sizeof(double);
            double *v = malloc(n * sizeof *v + 1);
            if (v && n) {
                memcpy(v, sqlite3_column_blob(s, 0), n * sizeof *v);
                j = fit_json_summary(v, n);
            }
            free(v);
        }
    }
    sqlite3_finalize(s);
    return j ? j : cJSON_CreateNull();
}

static void add_number(cJSON *j, const char *key, double value) {
    if (isfinite(value))
        cJSON_AddNumberToObject(j, key, value);
    else
        cJSON_AddNullToObject(j, key);
}

static bw_status json_channel(sqlite3 *db, int64_t run, const char *channel, double spend,
                              void *context, bw_err *err) {
    static const char *const names[] = {"adstock",      "saturation", "beta", "half_life",
                                        "contribution", "share",      "roas", "marginal_roas"};
    (void)err;
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "channel", channel);
    cJSON_AddNumberToObject(j, "spend", spend);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cJSON_AddItemToObject(j, names[i], json_draws(db, run, names[i], channel));
    interval stability = read_interval(db, run, "stability", channel);
    add_number(j, "stability", stability.mean);
    static const char *const alone[] = {"vif", "prior_shift", "prior_width", "roas_mcse"};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        add_number(j, alone[i], read_interval(db, run, alone[i], channel).mean);
    add_number(j, "probability_pays", read_interval(db, run, "marginal_roas", channel).probability);
    cJSON_AddItemToArray(context, j);
    return BW_OK;
}

/* The least stable of the channels' advice: what the advice as a whole can claim. */
static double least_stability(sqlite3 *db, int64_t run) {
    char sql[120];
    snprintf(sql, sizeof sql,
             "SELECT min(mean) FROM estimate WHERE run = %lld AND name = 'stability'",
             (long long)run);
    return bw_db_number(db, sql, NAN);
}

static void json_fit(cJSON *j, sqlite3 *db, int64_t run) {
    static const char *const names[] = {"r2",
                                        "mape",
                                        "crps",
                                        "media_share",
                                        "r2_geo",
                                        "mape_geo",
                                        "wmape_geo",
                                        "coverage_90",
                                        "durbin_watson",
                                        "predictive_p",
                                        "negative_baseline",
                                        "backtest_folds",
                                        "backtest_mape",
                                        "backtest_crps",
                                        "backtest_coverage_50",
                                        "backtest_coverage_90",
                                        "backtest_coverage_90_own",
                                        "forecast_widening",
                                        "naive_mape",
                                        "naive_crps"};
    cJSON *fit = cJSON_AddObjectToObject(j, "fit");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_number(fit, names[i], read_interval(db, run, names[i], "").mean);
}

bw_status fit_print_json(sqlite3 *db, int64_t run, bw_err *err) {
    run_row r;
    bw_status st = read_run(db, run, &r, err);
    if (st != BW_OK)
        return st;
    static const char *const numbers[] = {
        "chains",       "draws",     "seconds",        "divergences",  "max_rhat",  "min_ess_bulk",
        "min_ess_tail", "min_ebfmi", "max_depth_hits", "observations", "parameters"};
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "engine", r.engine);
    cJSON_AddStringToObject(j, "preset", r.preset);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        add_number(j, numbers[i], number_of(r.diagnostics, numbers[i]));
    cJSON_AddStringToObject(j, "health", r.health);
    cJSON *warnings = cJSON_DetachItemFromObject(r.diagnostics, "warnings");
    cJSON_AddItemToObject(j, "warnings", warnings ? warnings : cJSON_CreateArray());
    add_number(j, "rows_per_parameter",
               number_of(r.diagnostics, "observations") / number_of(r.diagnostics, "parameters"));
    add_number(j, "stability", least_stability(db, run));
    st = each_channel(db, run, json_channel, cJSON_AddArrayToObject(j, "channels"), err);
    json_fit(j, db, run);
    cJSON_AddItemToObject(j, "changes", fit_json_changes(db, run));
    char *text = cJSON_Print(j);
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(j);
    cJSON_Delete(r.diagnostics);
    return st;
}
