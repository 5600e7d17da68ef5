/* analyze/forecast/forecast_run.c - forecast and anomalies as a stage: load, fit, explain, store. */
#include "analyze/runs.h"

#include "analyze/forecast/forecast_load.h"
#include "analyze/forecast/forecast_out.h"
#include "analyze/forecast/forecast_spend.h"
#include "analyze/store.h"
#include "analyze/table.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED         7u
#define BEFORE_WEEKS 8 /* a week's products are held against the mean of these before it */

struct stage {
    sqlite3 *db;
    const char *measure, *spend; /* spend: as bw_series_add_spend has it, or NULL */
    const char *subject;         /* '' or what the spend is called */
    bw_scenario scenario;
    bw_series series;
    bw_forecast f;
    bw_plan plan;
    bw_plan_result landing;
    bw_notes notes;
    char input[17], *options;
    int64_t forecast, anomaly;
};

static bw_status put_band(struct stage *g, const char *name, const char *week, double lo, double hi,
                          const bw_fan *fan, bw_err *err) {
    bw_estimate e = bw_estimate_named(name, g->subject, week, "money");
    e.mean = fan->mean;
    e.lo = lo;
    e.hi = hi;
    return bw_estimate_put(g->db, g->forecast, &e, err);
}

static bw_status store_fan(struct stage *g, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t h = 0; st == BW_OK && h < g->series.horizon; h++) {
        const bw_fan *fan = &g->f.fan[h];
        char week[24];
        bw_series_label(&g->series, g->series.n + h, week);
        bw_estimate e = bw_estimate_named("outcome", g->subject, week, "money");
        e.mean = fan->mean;
        e.sd = fan->sd;
        e.lo = fan->lo90;
        e.hi = fan->hi90;
        e.lo50 = fan->q[2];
        e.hi50 = fan->q[3];
        st = bw_estimate_put(g->db, g->forecast, &e, err);
        if (st == BW_OK)
            st = put_band(g, "band50", week, fan->q[2], fan->q[3], fan, err);
        if (st == BW_OK)
            st = put_band(g, "band80", week, fan->q[1], fan->q[4], fan, err);
        if (st == BW_OK)
            st = put_band(g, "band95", week, fan->q[0], fan->q[5], fan, err);
    }
    return st;
}

static bw_status store_plan(struct stage *g, bw_err *err) {
    if (isnan(g->plan.amount))
        return BW_OK;
    char first[11], last[11], period[24];
    bw_day_format(g->plan.first, first);
    bw_day_format(g->plan.last, last);
    snprintf(period, sizeof period, "%s..%s", first, last);
    bw_estimate e = bw_estimate_named("plan_met", g->subject, period, "money");
    e.mean = g->plan.amount;
    e.probability = g->landing.probability;
    e.n = (double)g->landing.ahead;
    bw_status st = bw_estimate_put(g->db, g->forecast, &e, err);
    bw_estimate total = bw_estimate_named("landing", g->subject, period, "money");
    total.mean = g->landing.mean;
    total.lo = g->landing.lo;
    total.hi = g->landing.hi;
    return st == BW_OK ? bw_estimate_put(g->db, g->forecast, &total, err) : st;
}

static bw_status store_events(struct stage *g, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t j = 0; st == BW_OK && j < g->series.extra; j++) {
        double m = g->f.extra_mean[j], sd = g->f.extra_sd[j];
        bw_estimate e = bw_estimate_named("event_effect", g->series.name[j], "",
                                          g->f.log_scale ? "share" : "money");
        e.mean = g->f.log_scale ? expm1(m) : m;
        e.lo = g->f.log_scale ? expm1(m - 1.645 * sd) : m - 1.645 * sd;
        e.hi = g->f.log_scale ? expm1(m + 1.645 * sd) : m + 1.645 * sd;
        st = bw_estimate_put(g->db, g->forecast, &e, err);
    }
    return st;
}

/* The spend of every week, and what it brings more than spend as now over the horizon. */
static bw_status store_spend(struct stage *g, bw_err *err) {
    const bw_scenario *s = &g->scenario;
    char week[24], last[24], period[50];
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < s->n; i++)
        for (size_t h = 0; st == BW_OK && h < s->ahead; h++) {
            bw_series_label(&g->series, g->series.n + h, week);
            bw_estimate e = bw_estimate_named("spend", s->channel[i], week, "money");
            e.mean = s->spend[i * s->ahead + h];
            st = bw_estimate_put(g->db, g->forecast, &e, err);
        }
    if (st != BW_OK || strcmp(g->spend, "now") == 0)
        return st;
    double *more = malloc((s->draws + 1) * sizeof *more);
    if (!more)
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        bw_series_label(&g->series, g->series.n, week);
        bw_series_label(&g->series, g->series.n + s->ahead - 1, last);
        snprintf(period, sizeof period, "%s..%s", week, last);
        bw_scenario_more(s, 0, s->ahead, more);
        bw_estimate e = bw_estimate_named("more", g->subject, period, "money");
        double above = 0;
        for (size_t k = 0; k < s->draws; k++)
            above += more[k] > 0;
        e.probability = above / (double)s->draws;
        bw_estimate_from_draws(&e, more, s->draws);
        st = bw_estimate_put(g->db, g->forecast, &e, err);
    }
    free(more);
    return st;
}

/* The events of that week; failing that, the product or town that moved most. */
static char *reason(struct stage *g, const bw_anomaly *a, const char *week, bw_err *err) {
    static const char MOVED[] =
        "WITH w AS (SELECT %s AS part, total(CASE WHEN day >= ?1 THEN %s END) AS now, "
        " total(CASE WHEN day < ?1 THEN %s END) / ?2 AS usual FROM outcome "
        " WHERE day >= date(?1, '-' || (7 * ?2) || ' days') AND day < date(?1, '+7 days') GROUP BY "
        "1) "
        "SELECT part, (now - usual) / nullif((SELECT sum(now - usual) FROM w), 0) FROM w "
        "ORDER BY 2 DESC LIMIT 1";
    static const char EVENTS_THEN[] =
        "SELECT group_concat(CASE WHEN end_day >= ?1 THEN 'in that week: ' ELSE 'just after: ' END "
        "|| name, '; ') "
        "FROM event WHERE day <= date(?1, '+6 days') AND (end_day >= ?1 OR "
        " kind = 'promotion' AND end_day >= date(?1, '-14 days'))";
    static const char *const PARTS[] = {"product", "geo"};
    char sql[sizeof MOVED + 120], text[400] = "";
    sqlite3_stmt *s;
    if (bw_db_prepare(g->db, EVENTS_THEN, &s, err) != BW_OK)
        return NULL;
    sqlite3_bind_text(s, 1, week, -1, SQLITE_STATIC);
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0))
        snprintf(text, sizeof text, "%.390s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    for (size_t i = 0; !*text && i < 2; i++) {
        snprintf(sql, sizeof sql, MOVED, PARTS[i], g->measure, g->measure);
        if (bw_db_prepare(g->db, sql, &s, err) != BW_OK)
            return NULL;
        sqlite3_bind_text(s, 1, week, -1, SQLITE_STATIC);
        sqlite3_bind_int(s, 2, BEFORE_WEEKS);
        if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) &&
            sqlite3_column_double(s, 1) > 0.5)
            snprintf(text, sizeof text, "%s '%.200s' makes %.0f %% of the change", PARTS[i],
                     (const char *)sqlite3_column_text(s, 0), 100 * sqlite3_column_double(s, 1));
        sqlite3_finalize(s);
    }
    if (!*text)
        snprintf(text, sizeof text,
                 "no event is recorded and no single product or place explains it%s",
                 a->actual < a->expected ? "; look for stock, site or tracking trouble" : "");
    return strdup(text);
}

static bw_status store_anomaly(struct stage *g, const bw_anomaly *a, cJSON *list, bw_err *err) {
    char week[24];
    bw_series_label(&g->series, a->at, week);
    bw_estimate e = bw_estimate_named("outcome", g->measure, week, "money");
    e.mean = a->actual - a->expected;
    e.probability = a->p;
    char *why = reason(g, a, week, err);
    if (!why)
        return BW_ENOMEM;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "week", week);
    bw_json_number(o, "actual", a->actual);
    bw_json_number(o, "expected", a->expected);
    bw_json_number(o, "p", a->p);
    cJSON_AddStringToObject(o, "reason", why);
    cJSON_AddItemToArray(list, o);
    free(why);
    return bw_estimate_put(g->db, g->anomaly, &e, err);
}

static bw_status begin(struct stage *g, const char *kind, cJSON *diagnostics, int64_t *run,
                       bw_err *err) {
    char first[24], last[24];
    char *text = cJSON_PrintUnformatted(diagnostics);
    if (!text)
        return bw_fail_memory(err);
    bw_series_label(&g->series, 0, first);
    bw_series_label(&g->series, g->series.n - 1, last);
    bw_run_info info = {.kind = kind,
                        .engine = "structural",
                        .seed = SEED,
                        .input = g->input,
                        .options = g->options,
                        .diagnostics = text,
                        .first_day = first,
                        .last_day = last};
    bw_status st = bw_run_begin(g->db, &info, run, err);
    free(text);
    return st;
}

static bw_status store_forecast(struct stage *g, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "measure", g->measure);
    cJSON_AddItemToObject(o, "backtest", bw_backtest_json(&g->f));
    bw_notes_json(&g->notes, o);
    bw_status st = begin(g, g->spend ? "scenario" : "forecast", o, &g->forecast, err);
    cJSON_Delete(o);
    if (st == BW_OK)
        st = store_fan(g, err);
    if (st == BW_OK)
        st = store_plan(g, err);
    if (st == BW_OK && g->spend)
        st = store_spend(g, err);
    return st == BW_OK ? store_events(g, err) : st;
}

static bw_status store_anomalies(struct stage *g, bw_err *err) {
    cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "anomalies");
    bw_status st = begin(g, "anomaly", o, &g->anomaly, err);
    for (size_t i = 0; st == BW_OK && i < g->f.anomalies; i++)
        st = store_anomaly(g, &g->f.anomaly[i], list, err);
    char *text = cJSON_PrintUnformatted(o);
    sqlite3_stmt *s = NULL;
    if (st == BW_OK)
        st = text ? bw_db_prepare(g->db, "UPDATE model_run SET diagnostics = ? WHERE id = ?", &s,
                                  err)
                  : bw_fail_memory(err);
    if (st == BW_OK) {
        sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, g->anomaly);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    free(text);
    cJSON_Delete(o);
    return st;
}

/* A plan that cannot be judged is a note: the fan stands without it. */
static void judge_plan(struct stage *g) {
    char key[40];
    snprintf(key, sizeof key, "plan.%s", g->measure);
    char *text = bw_db_setting(g->db, key, "");
    bool set = text && *text, good = set && bw_plan_parse(text, &g->plan);
    if (set && !good)
        bw_note(&g->notes,
                "setting %s is '%.80s'; wanted 'AMOUNT FROM UNTIL', e.g. '900000 2026-10-01 "
                "2026-12-31'",
                key, text);
    free(text);
    bw_err why;
    if (good && bw_plan_judge(&g->series, &g->f, &g->plan, &g->landing, &why) != BW_OK) {
        bw_note(&g->notes, "plan: %s", why.text);
        good = false;
    }
    if (!good)
        g->plan.amount = NAN;
}

static bw_status stage_run(struct stage *g, size_t horizon, bw_err *err) {
    bw_status st = bw_series_from_db(g->db, g->measure, horizon, &g->series, &g->notes, err);
    if (st == BW_OK && g->spend)
        st = bw_series_add_spend(g->db, g->measure, g->spend, &g->series, &g->scenario, &g->notes,
                                 err);
    if (st == BW_OK)
        st = bw_forecast_fit(&g->series, true, SEED, &g->f, err);
    if (st != BW_OK)
        return st;
    judge_plan(g);
    bw_forecast_notes(&g->series, &g->f, &g->notes);
    st = bw_db_begin(g->db, err);
    if (st != BW_OK)
        return st;
    st = store_forecast(g, err);
    if (st == BW_OK && !g->spend)
        st = store_anomalies(g, err);
    return bw_db_end(g->db, st, err);
}

/* Planned spend depends on the fit and on the plan besides; a file is read anew each time. */
static bw_status find_run(struct stage *g, bool force, int64_t *run, bw_err *err) {
    static const char SPEND_INPUT[] =
        " UNION ALL SELECT kind, max(id), 0, 0, 0 FROM model_run WHERE kind IN ('fit', 'plan') "
        "GROUP BY kind";
    size_t bytes = strlen(BW_SERIES_INPUT) + sizeof SPEND_INPUT;
    char *sql = malloc(bytes);
    if (!sql)
        return bw_fail_memory(err);
    snprintf(sql, bytes, "%s%s", BW_SERIES_INPUT, g->spend ? SPEND_INPUT : "");
    bw_status st = bw_db_fingerprint(g->db, sql, g->input, err);
    free(sql);
    bool named = !g->spend || !strcmp(g->spend, "plan") || !strcmp(g->spend, "now");
    if (st == BW_OK && !force && named)
        *run = bw_run_find(g->db, g->spend ? "scenario" : "forecast", g->input, g->options);
    return st;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bw_status bw_forecast_spend_run(sqlite3 *db, const char *measure, int horizon, const char *spend,
                                bool force, int64_t *run, bw_err *err) {
    struct stage g = {.db = db,
                      .measure = measure,
                      .spend = spend,
                      .subject = spend ? base_name(spend) : "",
                      .plan = {NAN, NAN, NAN}};
    *run = 0;
    if (horizon < 1 || horizon > 104)
        return bw_fail(err, BW_EUSAGE, "a horizon of %d weeks; 1 to 104 can be forecast", horizon);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "measure", measure);
    cJSON_AddNumberToObject(o, "horizon", horizon);
    if (spend)
        cJSON_AddStringToObject(o, "spend", g.subject);
    g.options = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    bw_status st = g.options ? find_run(&g, force, run, err) : bw_fail_memory(err);
    if (st == BW_OK && !*run) {
        st = stage_run(&g, (size_t)horizon, err);
        *run = g.forecast;
    }
    bw_forecast_free(&g.f);
    bw_series_free(&g.series);
    bw_scenario_free(&g.scenario);
    bw_notes_free(&g.notes);
    free(g.options);
    return st;
}

bw_status bw_forecast_run(sqlite3 *db, const char *measure, int horizon, bool force, int64_t *run,
                          bw_err *err) {
    return bw_forecast_spend_run(db, measure, horizon, NULL, force, run, err);
}
