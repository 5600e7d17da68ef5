/* analyze/forecast/cmd_forecast.c - `forecast`: where the outcome will land, from the database or a CSV. */
#include "analyze/commands.h"

#include "analyze/forecast/forecast_load.h"
#include "analyze/forecast/forecast_out.h"
#include "analyze/forecast/forecast_spend.h"
#include "analyze/summary.h"
#include "analyze/runs.h"
#include "common/command.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 7u

struct job {
    const char *path, *file, *time, *metric, *events, *regressors, *plan_text, *spend;
    long horizon, season;
    bool json, no_test, force;
    bw_series series;
    bw_forecast f;
    bw_plan plan;
    bw_plan_result landing;
    bw_scenario scenario;
    bw_summary more; /* money more than with spend as now, over the plan or the horizon */
    bw_notes notes;
    cJSON *backtest;
};

static void fan_json(const struct job *j, cJSON *o) {
    static const char *const KEYS[6] = {"lo95", "lo80", "lo50", "hi50", "hi80", "hi95"};
    cJSON *list = cJSON_AddArrayToObject(o, "forecast");
    for (size_t h = 0; h < j->series.horizon; h++) {
        const bw_fan *fan = &j->f.fan[h];
        char at[24];
        cJSON *p = cJSON_CreateObject();
        bw_series_label(&j->series, j->series.n + h, at);
        cJSON_AddStringToObject(p, "at", at);
        bw_json_number(p, "mean", fan->mean);
        bw_json_number(p, "median", fan->median);
        bw_json_number(p, "sd", fan->sd);
        for (size_t q = 0; q < 6; q++)
            bw_json_number(p, KEYS[q], fan->q[q]);
        cJSON_AddItemToArray(list, p);
    }
}

static void anomalies_json(const struct job *j, cJSON *o) {
    cJSON *list = cJSON_AddArrayToObject(o, "anomalies");
    for (size_t i = 0; i < j->f.anomalies; i++) {
        const bw_anomaly *a = &j->f.anomaly[i];
        char at[24];
        cJSON *p = cJSON_CreateObject();
        bw_series_label(&j->series, a->at, at);
        cJSON_AddStringToObject(p, "at", at);
        bw_json_number(p, "actual", a->actual);
        bw_json_number(p, "expected", a->expected);
        bw_json_number(p, "p", a->p);
        cJSON_AddItemToArray(list, p);
    }
}

static void spend_json(const struct job *j, cJSON *o) {
    const bw_scenario *s = &j->scenario;
    if (!j->spend)
        return;
    cJSON *p = cJSON_AddObjectToObject(o, "spend");
    cJSON_AddStringToObject(p, "from", j->spend);
    cJSON *more = cJSON_AddObjectToObject(p, "more_than_now");
    bw_json_number(more, "mean", j->more.mean);
    bw_json_number(more, "lo", j->more.lo);
    bw_json_number(more, "hi", j->more.hi);
    bw_json_number(more, "probability", j->more.p_positive);
    cJSON *list = cJSON_AddArrayToObject(p, "channels");
    for (size_t i = 0; i < s->n; i++) {
        cJSON *c = cJSON_CreateObject();
        cJSON_AddStringToObject(c, "channel", s->channel[i]);
        bw_json_number(c, "now", s->now[i]);
        cJSON_AddItemToObject(c, "planned",
                              cJSON_CreateDoubleArray(s->spend + i * s->ahead, (int)s->ahead));
        cJSON_AddItemToArray(list, c);
    }
}

static bw_status print_json(const struct job *j, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "metric", j->metric);
    cJSON_AddNumberToObject(o, "n", (double)j->series.n);
    cJSON_AddStringToObject(o, "scale", j->f.log_scale ? "log" : "linear");
    fan_json(j, o);
    cJSON_AddItemToObject(o, "backtest", cJSON_Duplicate(j->backtest, true));
    if (!isnan(j->plan.amount)) {
        cJSON *p = cJSON_AddObjectToObject(o, "plan");
        bw_json_number(p, "amount", j->plan.amount);
        bw_json_number(p, "probability", j->landing.probability);
        bw_json_number(p, "reached", j->landing.reached);
        bw_json_number(p, "mean", j->landing.mean);
        bw_json_number(p, "lo", j->landing.lo);
        bw_json_number(p, "hi", j->landing.hi);
    }
    spend_json(j, o);
    cJSON *effects = cJSON_AddArrayToObject(o, "effects");
    for (size_t k = 0; k < j->series.extra; k++) {
        cJSON *e = cJSON_CreateObject();
        cJSON_AddStringToObject(e, "name", j->series.name[k]);
        bw_json_number(e, "mean", j->f.extra_mean[k]);
        bw_json_number(e, "sd", j->f.extra_sd[k]);
        cJSON_AddItemToArray(effects, e);
    }
    anomalies_json(j, o);
    bw_notes_json(&j->notes, o);
    return bw_json_print(o, err);
}

static double field(const cJSON *o, const char *method, const char *key) {
    const cJSON *x = cJSON_GetObjectItem(method ? cJSON_GetObjectItem(o, method) : o, key);
    return cJSON_IsNumber(x) ? x->valuedouble : NAN;
}

static void print_backtest(const cJSON *t) {
    if (!cJSON_IsObject(t))
        return;
    printf("\ntested on the past (%.0f starts, %.0f ahead): mean error as a share of the total\n",
           field(t, NULL, "origins"), field(t, NULL, "ahead"));
    printf("  this forecast   %s\n  seasonal naive  %s\n  Holt-Winters    %s\n",
           bw_show_share(field(t, "ours", "wmape")),
           bw_show_share(field(t, "seasonal_naive", "wmape")),
           bw_show_share(field(t, "holt_winters", "wmape")));
    printf("  CRPS %s against %s; the 50/80/95 %% bands held %s, %s, %s\n",
           bw_show(field(t, NULL, "crps")), bw_show(field(t, NULL, "crps_seasonal_naive")),
           bw_show_share(field(t, NULL, "cover50")), bw_show_share(field(t, NULL, "cover80")),
           bw_show_share(field(t, NULL, "cover95")));
}

static void print_spend(const struct job *j) {
    const bw_scenario *s = &j->scenario;
    if (!j->spend)
        return;
    printf("\nspend of '%s', money a week on average (now)\n", j->spend);
    for (size_t i = 0; i < s->n; i++) {
        double sum = 0;
        for (size_t h = 0; h < s->ahead; h++)
            sum += s->spend[i * s->ahead + h] / (double)s->ahead;
        printf("  %-20s %12s  (%s)\n", s->channel[i], bw_show(sum), bw_show(s->now[i]));
    }
    if (strcmp(j->spend, "now") != 0)
        printf(
            "it brings %s more than spending as now would (90 %% %s .. %s), more with probability "
            "%s\n",
            bw_show(j->more.mean), bw_show(j->more.lo), bw_show(j->more.hi),
            bw_show_share(j->more.p_positive));
}

static void print_text(const struct job *j) {
    printf("%-12s %14s   %-27s %-27s\n", j->metric, "median", "80 %", "95 %");
    for (size_t h = 0; h < j->series.horizon; h++) {
        const bw_fan *fan = &j->f.fan[h];
        char at[24], b80[64], b95[64];
        bw_series_label(&j->series, j->series.n + h, at);
        snprintf(b80, sizeof b80, "%s .. %s", bw_show(fan->q[1]), bw_show(fan->q[4]));
        snprintf(b95, sizeof b95, "%s .. %s", bw_show(fan->q[0]), bw_show(fan->q[5]));
        printf("%-12s %14s   %-27s %-27s\n", at, bw_show(fan->median), b80, b95);
    }
    if (!isnan(j->plan.amount))
        printf("\nplan %s: reached with probability %s; lands at %s (90 %% %s .. %s)\n",
               bw_show(j->plan.amount), bw_show_share(j->landing.probability),
               bw_show(j->landing.mean), bw_show(j->landing.lo), bw_show(j->landing.hi));
    print_spend(j);
    print_backtest(j->backtest);
    if (j->f.anomalies)
        printf("\nunusual periods (p < %.2f)\n", BW_ANOMALY_P);
    for (size_t i = 0; i < j->f.anomalies; i++) {
        char at[24];
        bw_series_label(&j->series, j->f.anomaly[i].at, at);
        printf("  %-12s %s, expected %s (p %s)\n", at, bw_show(j->f.anomaly[i].actual),
               bw_show(j->f.anomaly[i].expected), bw_show_p(j->f.anomaly[i].p));
    }
}

/* What the stored run found when it was tested on the past, and its notes. */
static bw_status stored_diagnostics(struct job *j, sqlite3 *db, int64_t run, bw_err *err) {
    sqlite3_stmt *s;
    bool row = false;
    bw_status st = bw_db_prepare(db, "SELECT diagnostics FROM model_run WHERE id = ?", &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    st = bw_db_step(s, &row, err);
    if (st == BW_OK && row) {
        cJSON *d = cJSON_Parse((const char *)sqlite3_column_text(s, 0));
        const cJSON *note;
        j->backtest = cJSON_DetachItemFromObject(d, "backtest");
        cJSON_ArrayForEach(note, cJSON_GetObjectItem(d, "notes"))
            bw_note(&j->notes, "%s", cJSON_GetStringValue(note));
        cJSON_Delete(d);
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status sum_more(struct job *j, bw_err *err) {
    double *more = malloc((j->scenario.draws + 1) * sizeof *more);
    if (!more)
        return bw_fail_memory(err);
    bw_scenario_more(&j->scenario, 0, j->scenario.ahead, more);
    j->more = bw_summarise(more, j->scenario.draws);
    free(more);
    return BW_OK;
}

/* The run is stored; what is shown is estimated again from the same rows and seed, without the test. */
static bw_status from_database(struct job *j, bw_err *err) {
    sqlite3 *db;
    int64_t run;
    bw_notes same = {0};
    bw_status st = bw_db_open(bw_default_db(j->path), BW_DB_WRITE, &db, err);
    if (st == BW_OK)
        st = bw_forecast_spend_run(db, j->metric, (int)j->horizon, j->spend, j->force, &run, err);
    if (st == BW_OK)
        st = stored_diagnostics(j, db, run, err);
    if (st == BW_OK)
        st = bw_series_from_db(db, j->metric, (size_t)j->horizon, &j->series, &same, err);
    if (st == BW_OK && j->spend)
        st = bw_series_add_spend(db, j->metric, j->spend, &j->series, &j->scenario, &same, err);
    if (st == BW_OK && j->spend)
        st = sum_more(j, err);
    if (st == BW_OK)
        st = bw_forecast_fit(&j->series, false, SEED, &j->f, err);
    bw_notes_free(&same);
    bw_db_close(db);
    return st;
}

static bw_status from_file(struct job *j, bw_err *err) {
    bw_series_file f = {j->file,          j->time,       j->metric,
                        j->events,        j->regressors, (size_t)j->horizon,
                        (size_t)j->season};
    bw_status st = bw_series_from_csv(&f, &j->series, &j->notes, err);
    if (st == BW_OK)
        st = bw_forecast_fit(&j->series, !j->no_test, SEED, &j->f, err);
    if (st != BW_OK)
        return st;
    j->backtest = bw_backtest_json(&j->f);
    bw_forecast_notes(&j->series, &j->f, &j->notes);
    return BW_OK;
}

static bw_status run(struct job *j, bw_err *err) {
    if (j->plan_text && !bw_plan_parse(j->plan_text, &j->plan))
        return bw_fail(
            err, BW_EUSAGE,
            "--plan '%s': wanted 'AMOUNT FROM UNTIL', e.g. '900000 2026-10-01 2026-12-31'",
            j->plan_text);
    bw_status st = j->file ? from_file(j, err) : from_database(j, err);
    if (st == BW_OK && j->plan_text)
        st = bw_plan_judge(&j->series, &j->f, &j->plan, &j->landing, err);
    if (st != BW_OK)
        return st;
    if (j->json)
        return print_json(j, err);
    print_text(j);
    bw_notes_print(&j->notes);
    return BW_OK;
}

static bw_status check(const struct job *j, int operands, bw_err *err) {
    if (operands > 0 || j->horizon < 1 || j->horizon > 1000 || j->season < 0)
        return bw_fail(err, BW_EUSAGE,
                       "forecast: wanted no operand and a horizon of 1 to 1000; see "
                       "'bellwether forecast --help'");
    if (j->file && (!j->time || !j->metric))
        return bw_fail(err, BW_EUSAGE, "forecast: --file needs --time and --metric");
    if (j->file && j->spend)
        return bw_fail(
            err, BW_EUSAGE,
            "forecast: --spend needs the database's mix model; with --file give spend as a "
            "column of --regressors");
    return BW_OK;
}

bw_status bw_cmd_forecast(int argc, char **argv, bw_err *err) {
    struct job j = {.horizon = BW_FORECAST_WEEKS, .plan = {NAN, NAN, NAN}};
    const bw_option options[] = {
        BW_OPTION_DB(j.path),
        {"metric", 'm', BW_OPT_TEXT, &j.metric, "NAME",
         "revenue, orders or units; with --file a column"},
        {"horizon", 0, BW_OPT_LONG, &j.horizon, "N", "periods ahead (default 13)"},
        {"plan", 0, BW_OPT_TEXT, &j.plan_text, "'AMOUNT FROM UNTIL'",
         "how likely is it to be reached"},
        {"spend", 0, BW_OPT_TEXT, &j.spend, "now|plan|CSV",
         "spend of the weeks ahead: as now, of the newest plan, or day,channel,cost"},
        {"file", 'f', BW_OPT_TEXT, &j.file, "CSV", "a series from a file instead of the database"},
        {"time", 0, BW_OPT_TEXT, &j.time, "COLUMN", "its day or number, with --file"},
        {"events", 0, BW_OPT_TEXT, &j.events, "A,B", "columns known ahead that mark events"},
        {"regressors", 0, BW_OPT_TEXT, &j.regressors, "A,B", "columns known ahead, other numbers"},
        {"season", 0, BW_OPT_LONG, &j.season, "N", "periods in a season, when time is a number"},
        {"no-test", 0, BW_OPT_FLAG, &j.no_test, NULL, "leave the test on the past out"},
        {"force", 0, BW_OPT_FLAG, &j.force, NULL, "estimate again although nothing changed"},
        BW_OPTION_JSON(j.json),
        {0}};
    const bw_usage usage = {
        "forecast [options]",
        "Where the outcome will land: 50, 80 and 95 % bands, the probability of a plan, how the "
        "forecast\n"
        "did on the past against seasonal naive and Holt-Winters, and which periods were unusual.",
        "  bellwether forecast --plan '900000 2026-10-01 2026-12-31'\n"
        "  bellwether forecast --spend plan --plan '900000 2026-10-01 2026-12-31'\n"
        "  bellwether forecast --spend november.csv --horizon 6\n"
        "  bellwether forecast --file sales.csv --time week --metric sales --events holiday "
        "--json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    st = check(&j, argc, err);
    if (st != BW_OK)
        return st;
    if (!j.file && !j.metric)
        j.metric = "revenue";
    st = run(&j, err);
    bw_forecast_free(&j.f);
    bw_series_free(&j.series);
    bw_scenario_free(&j.scenario);
    bw_notes_free(&j.notes);
    cJSON_Delete(j.backtest);
    return st;
}
