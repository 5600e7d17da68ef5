/* reports/advice/ledger.c - the rows of `advice` and `advice_outcome`. */
#include "reports/advice/advice.h"

#include "analyze/mix/move.h"
#include "reports/advice/candidates.h"
#include "sql/db.h"
#include "sql/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEEKS_TO_SETTLE 2     /* full weeks since a move was due before it is measured */
#define Z90             1.645 /* half a 90 % interval in standard deviations */

/* Days after the report's week until advice of a kind is due, unless setting due.KIND says so. */
static const struct {
    const char *kind;
    int days;
} DUE[] = {{"timing", 1},    {"budget", 3},     {"content", 5}, {"price", 5},
           {"complaint", 5}, {"experiment", 8}, {"nothing", 7}};

static void due_day(const bw_shop *s, const char *kind, char out[11]) {
    char key[40];
    int days = 7;
    for (size_t i = 0; i < sizeof DUE / sizeof *DUE; i++)
        if (strcmp(DUE[i].kind, kind) == 0)
            days = DUE[i].days;
    snprintf(key, sizeof key, "due.%.20s", kind);
    char *set = bw_db_setting(s->db, key, NULL);
    if (set && atoi(set) > 0)
        days = atoi(set);
    free(set);
    bw_day_text(bw_iso_day(s->last_day) + days, out);
}

/* The id of the week's row of that kind and subject, or the next free one. */
static bw_status find_id(const bw_shop *s, const bw_candidate *c, char *id, size_t cap,
                         bw_err *err) {
    sqlite3_stmt *q;
    bool row;
    bw_status st = bw_db_prepare(
        s->db,
        "SELECT (SELECT id FROM advice WHERE week = ?1 AND kind = ?2 AND subject = ?3), "
        "(SELECT coalesce(max(CAST(substr(id, 12) AS INTEGER)), 0) + 1 FROM advice WHERE week = "
        "?1)",
        &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, s->week, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, c->kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, c->subject, -1, SQLITE_STATIC);
    st = bw_db_step(q, &row, err);
    if (st == BW_OK && sqlite3_column_text(q, 0))
        snprintf(id, cap, "%s", (const char *)sqlite3_column_text(q, 0));
    else if (st == BW_OK)
        snprintf(id, cap, "A-%s-%d", s->week_name, sqlite3_column_int(q, 1));
    sqlite3_finalize(q);
    return st;
}

static void bind_number(sqlite3_stmt *q, int i, double x) {
    if (isfinite(x))
        sqlite3_bind_double(q, i, x);
    else
        sqlite3_bind_null(q, i);
}

static bw_status put(const bw_shop *s, const bw_candidate *c, bw_err *err) {
    char id[40], due[11], key[40];
    bw_status st = find_id(s, c, id, sizeof id, err);
    sqlite3_stmt *q = NULL;
    if (st == BW_OK)
        st = bw_db_prepare(s->db,
                           "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, "
                           "gain_hi, probability, stability, owner, due, run) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON "
                           "CONFLICT (id) DO UPDATE SET action = excluded.action, "
                           "gain = excluded.gain, gain_lo = excluded.gain_lo, gain_hi = "
                           "excluded.gain_hi, probability = excluded.probability, "
                           "stability = excluded.stability, owner = excluded.owner, due = "
                           "excluded.due, run = excluded.run WHERE status = 'proposed'",
                           &q, err);
    if (st != BW_OK)
        return st;
    snprintf(key, sizeof key, "owner.%.20s", c->kind);
    char *owner = bw_db_setting(s->db, key, NULL);
    due_day(s, c->kind, due);
    const char *texts[] = {id, s->week, c->kind, c->subject, c->action};
    for (int i = 0; i < 5; i++)
        sqlite3_bind_text(q, i + 1, texts[i], -1, SQLITE_STATIC);
    const double numbers[] = {c->gain, c->lo, c->hi, c->probability, c->stability};
    for (int i = 0; i < 5; i++)
        bind_number(q, i + 6, numbers[i]);
    if (owner)
        sqlite3_bind_text(q, 11, owner, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 12, due, -1, SQLITE_STATIC);
    if (c->run)
        sqlite3_bind_int64(q, 13, c->run);
    st = bw_db_run(q, err);
    sqlite3_finalize(q);
    free(owner);
    return st;
}

/* Removes what the week proposed before, unless someone has decided on it. */
static bw_status forget(const bw_shop *s, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(s->db, "DELETE FROM advice WHERE week = ? AND status = 'proposed'", &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, s->week, -1, SQLITE_STATIC);
    st = bw_db_run(q, err);
    sqlite3_finalize(q);
    return st;
}

bw_status bw_advice_choose(bw_shop *s, bw_err *err) {
    bw_candidate *c;
    size_t n;
    bw_status st = bw_candidates_find(s, &c, &n, err);
    if (st != BW_OK)
        return st;
    st = bw_db_begin(s->db, err);
    if (st != BW_OK)
        return st;
    st = forget(s, err);
    for (size_t i = 0; i < n && st == BW_OK; i++)
        st = put(s, &c[i], err);
    return bw_db_end(s->db, st, err);
}

/* ---- settling ---- */

/* Channels of a budget advice: spend a week before it, and on average in the full weeks since it was
 * due. */
static const char *const SPEND_SINCE =
    "WITH a AS (SELECT id, date(due, '+6 days') AS since, action FROM advice WHERE id = ?2), "
    "c AS (SELECT j.key AS channel, j.value AS was FROM a, json_each(a.action, '$.now') j) "
    "SELECT c.channel, c.was, coalesce(avg(w.cost), 0), count(w.week) FROM c JOIN a "
    "LEFT JOIN channel_week w ON w.channel = c.channel AND w.week >= a.since AND w.week <= "
    "(SELECT max(week) FROM weekly) AND ?1 >= 0 GROUP BY c.channel, c.was";

/* A finished test of the channel that began after the advice settles it as it was measured. */
static const char *const SETTLE_TEST =
    "SELECT e.effect / max(1, (julianday(e.end_day) - julianday(e.start_day) + 1) / 7), "
    "e.effect_sd / max(1, (julianday(e.end_day) - julianday(e.start_day) + 1) / 7) FROM "
    "experiment e JOIN advice a ON a.id = ?1 "
    "WHERE e.channel = a.subject AND e.start_day >= a.week AND e.end_day <= date(?2, '+6 days') "
    "AND e.effect IS NOT NULL LIMIT 1";

static bw_status store_outcome(const bw_shop *s, const char *id, double mean, double lo, double hi,
                               const char *method, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(s->db,
                      "INSERT INTO advice_outcome (advice, week, realised, realised_lo, "
                      "realised_hi, inside, method) "
                      "SELECT id, ?2, ?3, ?4, ?6, CASE WHEN gain_lo IS "
                      "NOT NULL THEN ?3 BETWEEN gain_lo AND gain_hi END, ?5 "
                      "FROM advice WHERE id = ?1 ON CONFLICT (advice) DO UPDATE SET week = "
                      "excluded.week, realised = excluded.realised, "
                      "realised_lo = excluded.realised_lo, realised_hi = excluded.realised_hi, "
                      "inside = excluded.inside, method = excluded.method",
                      &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, s->week, -1, SQLITE_STATIC);
    sqlite3_bind_double(q, 3, mean);
    sqlite3_bind_double(q, 4, lo);
    sqlite3_bind_text(q, 5, method, -1, SQLITE_STATIC);
    sqlite3_bind_double(q, 6, hi);
    st = bw_db_run(q, err);
    sqlite3_finalize(q);
    return st;
}

/* What moving the budget brought a week: the spend since against the spend before, through the
 * response curves of the newest fit, which has seen the weeks since. */
static bw_status settle_budget(const bw_shop *s, const char *id, bw_err *err) {
    const char **channel;
    double *was, *now, *weeks, most = 0;
    size_t n;
    bw_status st = bw_query(s, "tnnn", &n, err, SPEND_SINCE, 0, id, &channel, &was, &now, &weeks);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, weeks[i]);
    if (st != BW_OK || most < WEEKS_TO_SETTLE)
        return st;
    bw_summary worth;
    bw_err why;
    st = bw_move_value(s->db, channel, was, now, n, &worth, &why);
    if (st == BW_EDATA) /* no up-to-date fit: nothing to measure by yet */
        return BW_OK;
    if (st != BW_OK) {
        if (err)
            *err = why;
        return st;
    }
    return store_outcome(s, id, worth.mean, worth.lo, worth.hi, "model", err);
}

static bw_status settle_test(const bw_shop *s, const char *id, bw_err *err) {
    sqlite3_stmt *q;
    bool row = false;
    bw_status st = bw_db_prepare(s->db, SETTLE_TEST, &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, s->week, -1, SQLITE_STATIC);
    st = bw_db_step(q, &row, err);
    bool known = row && sqlite3_column_type(q, 0) != SQLITE_NULL;
    double mean = known ? sqlite3_column_double(q, 0) : 0,
           sd = known ? sqlite3_column_double(q, 1) : 0;
    sqlite3_finalize(q);
    if (st == BW_OK && known)
        st = store_outcome(s, id, mean, mean - Z90 * sd, mean + Z90 * sd, "experiment", err);
    return st;
}

bw_status bw_advice_settle(bw_shop *s, bw_err *err) {
    const char **id, **kind;
    size_t n;
    bw_status st = bw_query(s, "tt", &n, err,
                            "SELECT id, kind FROM advice WHERE status IN ('accepted', 'done', "
                            "'settled') AND week <= date(?2, '-14 days') ORDER BY id",
                            0, s->week, &id, &kind);
    if (st != BW_OK || n == 0)
        return st;
    st = bw_db_begin(s->db, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        if (strcmp(kind[i], "budget") == 0)
            st = settle_budget(s, id[i], err);
        else if (strcmp(kind[i], "experiment") == 0)
            st = settle_test(s, id[i], err);
    }
    if (st == BW_OK)
        st = bw_db_exec(s->db,
                        "UPDATE advice SET status = 'settled' WHERE status IN ('accepted', 'done') "
                        "AND id IN (SELECT advice FROM advice_outcome)",
                        err);
    return bw_db_end(s->db, st, err);
}

/* ---- reading ---- */

static bw_status add_gains(bw_shop *s, bw_advice *a, bw_err *err) {
    bw_status st = bw_fact_add(
        s->facts, (bw_fact_name){"advice.gain", a->id, "", s->outcome_unit}, &a->gain, err,
        "SELECT gain AS value, gain_lo AS lo, gain_hi AS hi, probability FROM advice WHERE id = %Q",
        a->id);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"advice.realised", a->id, "", s->outcome_unit},
                         &a->realised, err,
                         "SELECT o.realised AS value, o.realised_lo AS lo, o.realised_hi AS hi, "
                         "a.gain AS reference FROM advice_outcome o "
                         "JOIN advice a ON a.id = o.advice WHERE o.advice = %Q",
                         a->id);
    if (st == BW_OK && !a->gain) /* a probability without money */
        st = bw_fact_add(s->facts, (bw_fact_name){"advice.chance", a->id, "", "share"}, NULL, err,
                         "SELECT probability AS value, probability FROM advice WHERE id = %Q",
                         a->id);
    return st;
}

bw_status bw_advice_read(bw_shop *s, bool earlier, bw_advice **out, size_t *n, bw_err *err) {
    const char **id, **week, **kind, **subject, **action, **status, **owner, **due, **method;
    double *stability, *inside;
    bw_status st =
        bw_query(s, "tttttttttnn", n, err,
                 earlier ? "SELECT a.id, a.week, kind, subject, action, status, owner, due, "
                           "o.method, stability, o.inside FROM advice a "
                           "LEFT JOIN advice_outcome o ON o.advice = a.id WHERE a.week < ?2 AND "
                           "kind <> 'nothing' ORDER BY a.week DESC, a.id LIMIT 12"
                         : "SELECT a.id, a.week, kind, subject, action, status, owner, due, NULL, "
                           "stability, NULL FROM advice a "
                           "WHERE a.week = ?2 ORDER BY CAST(substr(a.id, 12) AS INTEGER) LIMIT 12",
                 0, s->week, &id, &week, &kind, &subject, &action, &status, &owner, &due, &method,
                 &stability, &inside);
    *out = bw_arena_get(s->arena, (*n + 1) * sizeof **out);
    for (size_t i = 0; i < *n && st == BW_OK; i++) {
        (*out)[i] = (bw_advice){.id = id[i],
                                .week = week[i],
                                .kind = kind[i],
                                .subject = subject[i],
                                .action = action[i],
                                .status = status[i],
                                .owner = owner[i],
                                .due = due[i],
                                .method = method[i],
                                .stability = stability[i],
                                .inside = inside[i] > 0};
        st = add_gains(s, &(*out)[i], err);
    }
    return st;
}

bw_status bw_advice_record(bw_shop *s, bw_err *err) {
    bw_status st =
        bw_fact_add(s->facts, (bw_fact_name){"ledger.settled", "", "", "count"}, NULL, err,
                    "SELECT count(*) AS value FROM advice_outcome WHERE inside IS NOT NULL AND "
                    "week <= %Q HAVING count(*) > 0",
                    s->week);
    if (st == BW_OK)
        st = bw_fact_add(
            s->facts, (bw_fact_name){"ledger.inside", "", "", "count"}, NULL, err,
            "SELECT sum(inside) AS value, 0.9 * count(*) AS reference FROM advice_outcome WHERE "
            "inside IS NOT NULL AND week <= %Q HAVING count(*) > 0",
            s->week);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"ledger.ratio", "", "", "number"}, NULL, err,
                         "SELECT sum(o.realised) / nullif(sum(a.gain), 0) AS value FROM "
                         "advice_outcome o JOIN advice a ON a.id = o.advice "
                         "WHERE o.inside IS NOT NULL AND o.week <= %Q AND a.gain > 0",
                         s->week);
    return st;
}
