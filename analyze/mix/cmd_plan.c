/* analyze/mix/cmd_plan.c - `bellwether plan`: options in, a table or JSON out, both from the stored run. */
#include "analyze/commands.h"
#include "analyze/mix/fit_output.h"
#include "analyze/mix/plan.h"

#include "common/command.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bw_usage USAGE = {
    "plan [options]",
    "The best budget for the next weeks by the newest fit: spend a week for each channel, its gain "
    "over\n"
    "now with a 90 % interval and the probability that it pays, the price of every limit that "
    "binds, and\n"
    "how far any plan could still beat this one. Amounts are money a week, or per cent of now. "
    "Weeks\n"
    "differ where that earns more (S-curves) or where --ramp asks for steps.",
    "  bellwether plan\n"
    "  bellwether plan --total 110% --weeks 8\n"
    "  bellwether plan --limit search=8000:12000,tv=fixed,email=80%:200%\n"
    "  bellwether plan --group online=search+email:0:15000\n"
    "  bellwether plan --goal 5000            the least spend that earns 5000 more a week\n"
    "  bellwether plan --target-roas 3        spend while all of it returns 3\n"
    "  bellwether plan --risk q10             what goes well nine times in ten\n"};

static double number(sqlite3 *db, int64_t run, const char *name, const char *subject,
                     const char *column) {
    char *sql = sqlite3_mprintf(
        "SELECT %s FROM estimate WHERE run = %lld AND name = %Q AND subject = %Q AND at = ''",
        column, (long long)run, name, subject);
    double v = sql ? bw_db_number(db, sql, NAN) : NAN;
    sqlite3_free(sql);
    return v;
}

typedef bw_status row_fn(sqlite3 *db, int64_t run, const char *subject, double mean, void *context);

static bw_status each(sqlite3 *db, int64_t run, const char *name, row_fn *row, void *context,
                      bw_err *err) {
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(db,
                      "SELECT subject, mean FROM estimate WHERE run = ? AND name = ? AND at = '' "
                      "ORDER BY mean DESC, subject",
                      &s, err);
    bool more = true;
    if (st == BW_OK) {
        sqlite3_bind_int64(s, 1, run);
        sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
    }
    while (st == BW_OK) {
        st = bw_db_step(s, &more, err);
        if (st != BW_OK || !more)
            break;
        st = row(db, run, (const char *)sqlite3_column_text(s, 0), sqlite3_column_double(s, 1),
                 context);
    }
    sqlite3_finalize(s);
    return st;
}

/* ---- table ---- */

/* Whole money from a thousand on, four digits below. */
static const char *money_text(double v, char out[24]) {
    snprintf(out, 24, fabs(v) >= 1000 ? "%.0f" : "%.4g", v);
    return out;
}

static void print_line(sqlite3 *db, int64_t run, const char *name, const char *subject, double now,
                       double planned) {
    char mean[24], lo[24], hi[24], range[96];
    snprintf(range, sizeof range, "%s [%s, %s]",
             money_text(number(db, run, "gain", subject, "mean"), mean),
             money_text(number(db, run, "gain", subject, "lo"), lo),
             money_text(number(db, run, "gain", subject, "hi"), hi));
    printf("%-20s %12s %12s  %28s  ", name, money_text(now, mean), money_text(planned, lo), range);
    double pays = number(db, run, "gain", subject, "probability");
    if (isfinite(pays))
        printf("%6.0f %%", 100 * pays);
    else
        printf("%8s", "-");
}

static bw_status print_channel(sqlite3 *db, int64_t run, const char *channel, double now,
                               void *context) {
    (void)context;
    double planned = number(db, run, "spend_planned", channel, "mean"),
           seen = number(db, run, "extrapolated", channel, "mean");
    print_line(db, run, channel, channel, now, planned);
    if (isfinite(seen))
        printf("  %.0f %% of the most seen", 100 * seen);
    printf("\n");
    return BW_OK;
}

static bw_status print_price(sqlite3 *db, int64_t run, const char *limit, double price,
                             void *context) {
    (void)db;
    (void)run;
    (void)context;
    printf("  %-26s %.3g a unit\n", limit, price);
    return BW_OK;
}

/* A line for each channel whose weeks differ by more than rounding. */
static void print_weeks(sqlite3 *db, int64_t run) {
    sqlite3_stmt *s = NULL;
    const char *sql =
        "SELECT subject, mean FROM estimate e WHERE run = ?1 AND name = 'spend_week' AND "
        "(SELECT max(mean) > 1.001 * min(mean) FROM estimate WHERE run = ?1 AND name = "
        "'spend_week' AND subject = e.subject) ORDER BY subject, at";
    char before[160] = "", text[24];
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(s, 1, run);
        while (sqlite3_step(s) == SQLITE_ROW) {
            const char *channel = (const char *)sqlite3_column_text(s, 0);
            if (!before[0])
                printf("\nweek by week:");
            if (strcmp(before, channel) != 0)
                printf("\n  %-18s", channel);
            snprintf(before, sizeof before, "%s", channel);
            printf(" %s", money_text(sqlite3_column_double(s, 1), text));
        }
    }
    sqlite3_finalize(s);
    if (before[0])
        printf("\n");
}

static bw_status print_table(sqlite3 *db, int64_t run, bw_err *err) {
    printf("%-20s %12s %12s  %28s  %8s\n", "money a week", "now", "planned", "gain [90 %]", "pays");
    bw_status st = each(db, run, "spend_now", print_channel, NULL, err);
    print_line(db, run, "all", "", number(db, run, "total_now", "", "mean"),
               number(db, run, "total_planned", "", "mean"));
    printf("\n\nwhat one more unit of a limit would earn:\n");
    if (st == BW_OK)
        st = each(db, run, "shadow_price", print_price, NULL, err);
    print_weeks(db, run);
    double gap = number(db, run, "gap", "", "mean");
    if (isfinite(gap))
        printf("no plan within these limits earns more than this one by more than %.3f %%\n",
               100 * gap);
    return st;
}

/* ---- JSON ---- */

static void add(cJSON *j, const char *key, double v) {
    if (isfinite(v))
        cJSON_AddNumberToObject(j, key, v);
    else
        cJSON_AddNullToObject(j, key);
}

static cJSON *json_gain(sqlite3 *db, int64_t run, const char *subject) {
    cJSON *j = cJSON_CreateObject();
    static const char *const columns[][2] = {{"mean", "mean"},
                                             {"sd", "sd"},
                                             {"p5", "lo"},
                                             {"p95", "hi"},
                                             {"probability", "probability"}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        add(j, columns[i][0], number(db, run, "gain", subject, columns[i][1]));
    return j;
}

static void add_weeks(sqlite3 *db, int64_t run, const char *channel, cJSON *j) {
    cJSON *weeks = cJSON_AddObjectToObject(j, "weeks");
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(
            db,
            "SELECT at, mean FROM estimate WHERE run = ? AND name = 'spend_week' AND subject = ? "
            "ORDER BY at",
            -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(s, 1, run);
        sqlite3_bind_text(s, 2, channel, -1, SQLITE_STATIC);
        while (sqlite3_step(s) == SQLITE_ROW)
            add(weeks, (const char *)sqlite3_column_text(s, 0), sqlite3_column_double(s, 1));
    }
    sqlite3_finalize(s);
}

static bw_status json_channel(sqlite3 *db, int64_t run, const char *channel, double now,
                              void *context) {
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "channel", channel);
    add(j, "now", now);
    add(j, "planned", number(db, run, "spend_planned", channel, "mean"));
    cJSON_AddItemToObject(j, "gain", json_gain(db, run, channel));
    add(j, "extrapolated", number(db, run, "extrapolated", channel, "mean"));
    add_weeks(db, run, channel, j);
    cJSON_AddItemToArray(context, j);
    return BW_OK;
}

static bw_status json_price(sqlite3 *db, int64_t run, const char *limit, double price,
                            void *context) {
    (void)db;
    (void)run;
    add(context, limit, price);
    return BW_OK;
}

/* What was maximised: the mean of the gain or a measure of its risk, and the bound on it. */
static void add_objective(sqlite3 *db, int64_t run, cJSON *j) {
    static const char *const keys[] = {"risk", "value", "bound"};
    cJSON *objective = cJSON_AddObjectToObject(j, "objective"), *all = NULL;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, "SELECT diagnostics FROM model_run WHERE id = ?", -1, &s, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_int64(s, 1, run);
        if (sqlite3_step(s) == SQLITE_ROW)
            all = cJSON_Parse((const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        cJSON *item = cJSON_DetachItemFromObject(all, keys[i]);
        cJSON_AddItemToObject(objective, keys[i], item ? item : cJSON_CreateNull());
    }
    cJSON_Delete(all);
}

static bw_status print_json(sqlite3 *db, int64_t run, bw_err *err) {
    cJSON *j = cJSON_CreateObject();
    add(j, "total_now", number(db, run, "total_now", "", "mean"));
    add(j, "total_planned", number(db, run, "total_planned", "", "mean"));
    cJSON_AddItemToObject(j, "gain", json_gain(db, run, ""));
    add(j, "gap", number(db, run, "gap", "", "mean"));
    add_objective(db, run, j);
    bw_status st =
        each(db, run, "spend_now", json_channel, cJSON_AddArrayToObject(j, "channels"), err);
    if (st == BW_OK)
        st = each(db, run, "shadow_price", json_price, cJSON_AddObjectToObject(j, "shadow_prices"),
                  err);
    char *text = cJSON_Print(j);
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(j);
    return st;
}

static bw_status run_plan(const char *path, const bw_plan_options *o, bool json, bw_err *err) {
    sqlite3 *db;
    bw_status st = bw_db_open(bw_default_db(path), BW_DB_WRITE, &db, err);
    if (st != BW_OK)
        return st;
    int64_t run;
    st = bw_plan_run(db, o, &run, NULL, err);
    if (st == BW_OK)
        st = json ? print_json(db, run, err) : print_table(db, run, err);
    bw_db_close(db);
    return st;
}

bw_status bw_cmd_plan(int argc, char **argv, bw_err *err) {
    bw_plan_options o = bw_plan_defaults();
    const char *path = NULL;
    bool json = false;
    const bw_option options[] = {
        BW_OPTION_DB(path),
        BW_OPTION_JSON(json),
        {"weeks", 0, BW_OPT_LONG, &o.weeks, "N", "weeks to plan (default 4)"},
        {"total", 0, BW_OPT_TEXT, &o.total, "AMOUNT",
         "total spend, money a week or 110%; default as now"},
        {"limit", 0, BW_OPT_TEXT, &o.limits, "LIST",
         "CHANNEL=LEAST:MOST or CHANNEL=fixed, by comma"},
        {"group", 0, BW_OPT_TEXT, &o.groups, "LIST", "NAME=CHANNEL+CHANNEL:LEAST:MOST, by comma"},
        {"change", 0, BW_OPT_REAL, &o.change, "PERCENT",
         "a channel without limit changes by at most (default 50)"},
        {"ramp", 0, BW_OPT_REAL, &o.ramp, "PERCENT", "and from week to week by at most"},
        {"beyond", 0, BW_OPT_REAL, &o.beyond, "FACTOR",
         "spend up to FACTOR times the most seen in a week (default 1)"},
        {"target-roas", 0, BW_OPT_REAL, &o.target_roas, "RATIO",
         "spend while all of it returns this much (outcome in money)"},
        {"target-cpa", 0, BW_OPT_REAL, &o.target_cpa, "MONEY",
         "spend while an order costs at most this (outcome counted)"},
        {"goal", 0, BW_OPT_REAL, &o.goal, "MONEY",
         "the least spend that earns this much more a week"},
        {"risk", 0, BW_OPT_TEXT, &o.risk, "NAME",
         "what to maximise: mean, q10, cvar10 (default mean)"},
        {"force", 0, BW_OPT_FLAG, &o.force, NULL, "plan even if nothing changed"},
        {0},
    };
    bw_status st = bw_options_parse(&USAGE, options, &argc, &argv, err);
    if (st == BW_OK && argc > 0)
        st = bw_fail(err, BW_EUSAGE, "plan: '%s' is not expected; see 'bellwether plan --help'",
                     argv[0]);
    return st == BW_OK ? run_plan(path, &o, json, err) : st;
}
