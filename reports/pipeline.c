/* reports/pipeline.c - score, fit, plan, timing, price, segment, forecast, sentiment, experiment: each a function of its own room. */
#include "reports/pipeline.h"

#include "analyze/mix/fit.h"
#include "analyze/mix/plan.h"
#include "analyze/runs.h"
#include "model/shipped/score.h"
#include "sql/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bw_status stage_score(sqlite3 *db, bw_err *err) {
    if (bw_db_number(db, "SELECT EXISTS (SELECT 1 FROM review) OR EXISTS (SELECT 1 FROM message)",
                     0) == 0)
        return BW_OK;
    bw_score_counts counts;
    const bw_encoder *e = bw_encoder_shipped(err);
    return e ? bw_score_database(db, e, &counts, err) : BW_EDATA;
}

static bw_status stage_segment(sqlite3 *db, bw_err *err) {
    int64_t run;
    return bw_segment_run(db, false, &run, err);
}

static bw_status stage_fit(sqlite3 *db, bw_err *err) {
    bw_fit_options o = bw_fit_defaults();
    int64_t run;
    return bw_fit_run(db, &o, &run, NULL, NULL, err);
}

/* Channels under a test that somebody accepted, and that runs within the plan's weeks. */
static const char *const UNDER_TEST =
    "SELECT group_concat(subject || '=fixed') FROM (SELECT DISTINCT subject FROM advice WHERE kind "
    "= 'experiment' AND status IN ('accepted', 'done') AND due <= (SELECT date(max(day), '+28 "
    "days') FROM outcome) AND date(due, (7 * json_extract(action, '$.weeks')) || ' days') > "
    "(SELECT "
    "max(day) FROM outcome) AND subject NOT GLOB '*[=,:]*' AND subject IN (SELECT channel FROM "
    "spend) ORDER BY subject)";

/* The best budget that leaves tests alone. */
static bw_status stage_plan(sqlite3 *db, bw_err *err) {
    bw_plan_options o = bw_plan_defaults();
    int64_t run;
    sqlite3_stmt *q;
    bool row;
    bw_status st = bw_db_prepare(db, UNDER_TEST, &q, err);
    if (st == BW_OK)
        st = bw_db_step(q, &row, err);
    if (st == BW_OK)
        o.limits = (const char *)sqlite3_column_text(q, 0);
    if (st == BW_OK)
        st = bw_plan_run(db, &o, &run, NULL, err);
    sqlite3_finalize(q);
    return st;
}

static bw_status stage_timing(sqlite3 *db, bw_err *err) {
    int64_t run;
    return bw_timing_run(db, NULL, BW_TIMING_WINDOW, false, &run, err);
}

static bw_status stage_price(sqlite3 *db, bw_err *err) {
    int64_t run;
    return bw_price_run(db, false, &run, err);
}

static bw_status stage_forecast(sqlite3 *db, bw_err *err) {
    int64_t run;
    char *kind = bw_db_setting(db, "outcome_kind", "revenue");
    const char *measure = kind && strcmp(kind, "revenue") == 0 ? "revenue"
                          : kind && strcmp(kind, "units") == 0 ? "units"
                                                               : "orders";
    bw_status st = bw_forecast_run(db, measure, BW_FORECAST_WEEKS, false, &run, err);
    free(kind);
    return st;
}

static bw_status stage_sentiment(sqlite3 *db, bw_err *err) {
    int64_t run;
    if (bw_db_number(db, "SELECT EXISTS (SELECT 1 FROM review_score)", 0) == 0)
        return BW_OK;
    return bw_sentiment_run(db, false, &run, err);
}

static bw_status stage_experiment(sqlite3 *db, bw_err *err) {
    int64_t run;
    return bw_experiment_run(db, false, &run, err);
}

static const struct {
    const char *name;
    bw_status (*run)(sqlite3 *db, bw_err *err);
} STAGES[] = {{"score", stage_score},
              {"fit", stage_fit},
              {"plan", stage_plan},
              {"timing", stage_timing},
              {"price", stage_price},
              {"segment", stage_segment},
              {"forecast", stage_forecast},
              {"sentiment", stage_sentiment},
              {"experiment", stage_experiment}};

bw_status bw_stages_run(sqlite3 *db, bw_buf *notes, bw_err *err) {
    for (size_t i = 0; i < sizeof STAGES / sizeof *STAGES; i++) {
        bw_err why = {{0}};
        bw_status st = STAGES[i].run(db, &why);
        if (st == BW_EDATA) {
            bw_buf_addf(notes, "%s: %s\n", STAGES[i].name, why.text);
            continue;
        }
        if (st != BW_OK) {
            *err = why;
            return bw_fail_prefix(err, st, STAGES[i].name);
        }
    }
    return BW_OK;
}

/* ---- the past ---- */

/* What is dated goes after the day; what was derived goes altogether, but the advice of earlier weeks
 * and what people decided on it stays. Scores of texts do not depend on the day. */
static const char *const FORGET =
    "DELETE FROM outcome WHERE day > ?1; DELETE FROM spend WHERE day > ?1; DELETE FROM event WHERE "
    "day > date(?1, '+28 days'); "
    "DELETE FROM context WHERE day > ?1; DELETE FROM message WHERE substr(sent_at, 1, 10) > ?1; "
    "DELETE FROM topic_member WHERE id IN (SELECT id FROM review WHERE day > ?1); "
    "DELETE FROM review_score WHERE review IN (SELECT id FROM review WHERE day > ?1); "
    "DELETE FROM review_aspect WHERE review IN (SELECT id FROM review WHERE day > ?1); "
    "DELETE FROM review WHERE day > ?1; DELETE FROM purchase WHERE day > ?1; DELETE FROM "
    "experiment WHERE end_day > ?1; "
    "DELETE FROM advice_outcome WHERE date(week, '+6 days') > ?1; DELETE FROM advice WHERE "
    "date(week, '+6 days') > ?1; DELETE FROM model_run;";

static bw_status forget_after(sqlite3 *copy, const char *last_day, bw_err *err) {
    bw_status st = bw_db_begin(copy, err);
    for (const char *sql = FORGET; st == BW_OK && *sql;) {
        sqlite3_stmt *q = NULL;
        if (sqlite3_prepare_v2(copy, sql, -1, &q, &sql) != SQLITE_OK)
            return bw_db_end(copy, bw_db_fail(copy, "as of", err), err);
        if (!q)
            break;
        if (sqlite3_bind_parameter_count(q))
            sqlite3_bind_text(q, 1, last_day, -1, SQLITE_STATIC);
        st = bw_db_run(q, err);
        sqlite3_finalize(q);
    }
    return bw_db_end(copy, st, err);
}

static bw_status copy_into(sqlite3 *from, sqlite3 *to, bw_err *err) {
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return bw_db_fail(to, "copy", err);
    sqlite3_backup_step(b, -1);
    int rc = sqlite3_backup_finish(b);
    return rc == SQLITE_OK ? BW_OK : bw_db_fail(to, "copy", err);
}

bw_status bw_stages_as_of(sqlite3 *db, const char *last_day, sqlite3 **copy, bw_err *err) {
    *copy = NULL;
    sqlite3 *to = NULL;
    if (sqlite3_open("", &to) != SQLITE_OK) { /* "": on disk, private, gone when closed */
        sqlite3_close(to);
        return bw_fail_memory(err);
    }
    bw_status st = copy_into(db, to, err);
    if (st == BW_OK)
        sqlite3_exec(to, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = ON;", NULL, NULL, NULL);
    if (st == BW_OK)
        st = forget_after(to, last_day, err);
    if (st != BW_OK) {
        sqlite3_close(to);
        return st;
    }
    *copy = to;
    return BW_OK;
}

static bw_status carry_row(sqlite3_stmt *from, sqlite3_stmt *to, bw_err *err) {
    for (int i = 0; i < sqlite3_column_count(from); i++)
        sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
    return bw_db_run(to, err);
}

bw_status bw_stages_keep_advice(sqlite3 *copy, sqlite3 *db, const char *week, bw_err *err) {
#define COLUMNS                                                                              \
    "id, week, kind, subject, action, gain, gain_lo, gain_hi, probability, stability, cap, " \
    "undo_if, change_mind, owner, due, status, gain_unit"
    sqlite3_stmt *from = NULL, *to = NULL;
    bw_status st = bw_db_prepare(copy, "SELECT " COLUMNS " FROM advice WHERE week = ?", &from, err);
    if (st == BW_OK)
        st = bw_db_prepare(db,
                           "INSERT INTO advice (" COLUMNS
                           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                           "ON CONFLICT (id) DO UPDATE SET action = excluded.action, gain = "
                           "excluded.gain, gain_lo = excluded.gain_lo, "
                           "gain_hi = excluded.gain_hi, probability = excluded.probability, "
                           "stability = excluded.stability, gain_unit = excluded.gain_unit "
                           "WHERE status = 'proposed'",
                           &to, err);
#undef COLUMNS
    if (st == BW_OK)
        st = bw_db_begin(db, err);
    if (st == BW_OK) {
        sqlite3_bind_text(from, 1, week, -1, SQLITE_STATIC);
        for (bool row = true; st == BW_OK;) {
            st = bw_db_step(from, &row, err);
            if (st != BW_OK || !row)
                break;
            st = carry_row(from, to, err);
        }
        st = bw_db_end(db, st, err);
    }
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return st;
}
