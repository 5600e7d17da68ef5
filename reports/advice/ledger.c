/* reports/advice/ledger.c - the rows of `advice` and `advice_outcome`. */
#include "reports/advice/advice.h"

#include "reports/advice/candidates.h"
#include "reports/advice/levers.h"
#include "reports/advice/settle.h"
#include "sql/db.h"
#include "sql/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    char id[40], key[40];
    bw_status st = find_id(s, c, id, sizeof id, err);
    sqlite3_stmt *q = NULL;
    if (st == BW_OK)
        st =
            bw_db_prepare(s->db,
                          "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, "
                          "gain_hi, probability, stability, owner, due, run, gain_unit) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON "
                          "CONFLICT (id) DO UPDATE SET action = excluded.action, "
                          "gain = excluded.gain, gain_lo = excluded.gain_lo, gain_hi = "
                          "excluded.gain_hi, probability = excluded.probability, "
                          "stability = excluded.stability, owner = excluded.owner, due = "
                          "excluded.due, run = excluded.run, gain_unit = excluded.gain_unit WHERE "
                          "status = 'proposed'",
                          &q, err);
    if (st != BW_OK)
        return st;
    snprintf(key, sizeof key, "owner.%.20s", c->kind);
    char *owner = bw_db_setting(s->db, key, NULL);
    const char *texts[] = {id, s->week, c->kind, c->subject, c->action};
    for (int i = 0; i < 5; i++)
        sqlite3_bind_text(q, i + 1, texts[i], -1, SQLITE_STATIC);
    const double numbers[] = {c->gain, c->lo, c->hi, c->probability, c->stability};
    for (int i = 0; i < 5; i++)
        bind_number(q, i + 6, numbers[i]);
    if (owner)
        sqlite3_bind_text(q, 11, owner, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 12, c->due, -1, SQLITE_STATIC);
    if (c->run)
        sqlite3_bind_int64(q, 13, c->run);
    sqlite3_bind_text(q, 14, c->unit, -1, SQLITE_STATIC);
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

static const struct {
    const char *kind;
    bw_settle *measure;
} YARDSTICKS[] = {{"budget", bw_settle_budget},        {"timing", bw_settle_timing},
                  {"content", bw_settle_content},      {"price", bw_settle_price},
                  {"promotion", bw_settle_promotion},  {"complaint", bw_settle_complaint},
                  {"experiment", bw_settle_experiment}};
#define N_YARDSTICKS (sizeof YARDSTICKS / sizeof *YARDSTICKS)

/* A reason never replaces a measure that was made. */
static bw_status store_outcome(const bw_shop *s, const bw_promise *p, const bw_measured *m,
                               bw_err *err) {
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(
        s->db,
        "INSERT INTO advice_outcome (advice, week, realised, realised_lo, realised_hi, inside, "
        "method, reason, have, need) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
        "ON CONFLICT (advice) DO UPDATE SET week = excluded.week, realised = excluded.realised, "
        "realised_lo = excluded.realised_lo, realised_hi = excluded.realised_hi, inside = "
        "excluded.inside, method = excluded.method, reason = excluded.reason, have = "
        "excluded.have, need = excluded.need WHERE excluded.realised IS NOT NULL OR "
        "advice_outcome.realised IS NULL",
        &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, p->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, s->week, -1, SQLITE_STATIC);
    bind_number(q, 3, m->mean);
    bind_number(q, 4, m->lo);
    bind_number(q, 5, m->hi);
    if (!m->reason && isfinite(p->lo))
        sqlite3_bind_int(q, 6, bw_promise_kept(p, m));
    sqlite3_bind_text(q, 7, m->method, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 8, m->reason, -1, SQLITE_STATIC);
    bind_number(q, 9, m->have);
    bind_number(q, 10, m->need);
    st = bw_db_run(q, err);
    sqlite3_finalize(q);
    return st;
}

static bw_status settle_one(const bw_shop *s, const bw_promise *p, bw_err *err) {
    for (size_t i = 0; i < N_YARDSTICKS; i++) {
        if (strcmp(YARDSTICKS[i].kind, p->kind) != 0)
            continue;
        bw_measured m;
        bw_status st = YARDSTICKS[i].measure(s, p, &m, err);
        return st == BW_OK ? store_outcome(s, p, &m, err) : st;
    }
    return BW_OK;
}

static bw_status settle_all(const bw_shop *s, const bw_promise *p, size_t n, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; i < n && st == BW_OK; i++)
        st = settle_one(s, &p[i], err);
    return st == BW_OK
               ? bw_db_exec(s->db,
                            "UPDATE advice SET status = 'settled' WHERE status IN ('accepted', "
                            "'done') AND id IN (SELECT advice FROM advice_outcome WHERE realised "
                            "IS NOT NULL)",
                            err)
               : st;
}

bw_status bw_advice_settle(bw_shop *s, bw_err *err) {
    const char **id, **kind, **subject, **week, **due;
    double *gain, *lo, *hi;
    size_t n;
    bw_status st =
        bw_query(s, "tttttnnn", &n, err,
                 "SELECT id, kind, subject, week, coalesce(due, date(week, '+14 days')), gain, "
                 "gain_lo, gain_hi FROM advice WHERE status IN ('accepted', 'done', 'settled') "
                 "AND week <= date(?2, '-14 days') ORDER BY id",
                 0, s->week, &id, &kind, &subject, &week, &due, &gain, &lo, &hi);
    if (st != BW_OK || n == 0)
        return st;
    bw_promise *p = bw_arena_get(s->arena, n * sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (bw_promise){id[i], kind[i], subject[i], week[i], due[i], gain[i], lo[i], hi[i]};
    st = bw_db_begin(s->db, err);
    return st == BW_OK ? bw_db_end(s->db, settle_all(s, p, n, err), err) : st;
}

/* ---- reading ---- */

/* How a gain's unit is written. */
static const char *fact_unit(const bw_shop *s, const char *unit) {
    return strcmp(unit, "outcome") == 0   ? s->outcome_unit
           : strcmp(unit, "rate") == 0    ? "share"
           : strcmp(unit, "balance") == 0 ? "points"
                                          : "money";
}

static bw_status add_gains(bw_shop *s, bw_advice *a, bw_err *err) {
    const char *unit = fact_unit(s, a->unit);
    bw_status st = bw_fact_add(
        s->facts, (bw_fact_name){"advice.gain", a->id, "", unit}, &a->gain, err,
        "SELECT gain AS value, gain_lo AS lo, gain_hi AS hi, probability FROM advice WHERE id = %Q",
        a->id);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"advice.realised", a->id, "", unit}, &a->realised,
                         err,
                         "SELECT o.realised AS value, o.realised_lo AS lo, o.realised_hi AS hi, "
                         "a.gain AS reference FROM advice_outcome o "
                         "JOIN advice a ON a.id = o.advice WHERE o.advice = %Q",
                         a->id);
    if (st == BW_OK && !a->gain) /* a probability without a size */
        st = bw_fact_add(s->facts, (bw_fact_name){"advice.chance", a->id, "", "share"}, NULL, err,
                         "SELECT probability AS value, probability FROM advice WHERE id = %Q",
                         a->id);
    const char *counted = strcmp(a->reason, "reason.not_followed") == 0 ? "share" : "count";
    for (int i = 0; st == BW_OK && *a->reason && i < 2; i++)
        st = bw_fact_add(
            s->facts, (bw_fact_name){i ? "advice.need" : "advice.have", a->id, "", counted},
            i ? &a->need : &a->have, err,
            "SELECT %s AS value FROM advice_outcome WHERE advice = %Q", i ? "need" : "have", a->id);
    return st;
}

/* Who acts on it: as the setting owner.KIND has it, else the language's name for who usually does. */
static const char *owner_of(const bw_shop *s, const char *set, const char *kind) {
    const char *usual = bw_word_nth(s->locale, bw_arena_textf(s->arena, "owner.%s", kind), 0);
    return set && *set ? set : usual ? usual : "";
}

bw_status bw_advice_read(bw_shop *s, bool earlier, bw_advice **out, size_t *n, bw_err *err) {
    const char **id, **week, **kind, **subject, **action, **status, **owner, **due, **unit,
        **reason;
    double *stability, *inside;
    bw_status st = bw_query(
        s, "ttttttttttnn", n, err,
        earlier ? "SELECT a.id, a.week, kind, subject, action, status, owner, due, "
                  "gain_unit, coalesce(o.reason, ''), stability, o.inside FROM advice a "
                  "LEFT JOIN advice_outcome o ON o.advice = a.id WHERE a.week < ?2 AND "
                  "kind <> 'nothing' ORDER BY a.week DESC, a.id LIMIT 12"
                : "SELECT a.id, a.week, kind, subject, action, status, owner, due, "
                  "gain_unit, '', stability, NULL FROM advice a "
                  "WHERE a.week = ?2 ORDER BY status = 'rejected', CAST(substr(a.id, 12) AS "
                  "INTEGER) LIMIT 12",
        0, s->week, &id, &week, &kind, &subject, &action, &status, &owner, &due, &unit, &reason,
        &stability, &inside);
    *out = bw_arena_get(s->arena, (*n + 1) * sizeof **out);
    for (size_t i = 0; i < *n && st == BW_OK; i++) {
        (*out)[i] = (bw_advice){.id = id[i],
                                .week = week[i],
                                .kind = kind[i],
                                .subject = subject[i],
                                .action = action[i],
                                .status = status[i],
                                .owner = owner_of(s, owner[i], kind[i]),
                                .due = due[i],
                                .unit = unit[i],
                                .reason = reason[i],
                                .stability = stability[i],
                                .inside = inside[i] > 0};
        st = add_gains(s, &(*out)[i], err);
    }
    return st;
}

bw_status bw_advice_held(bw_shop *s, bw_held **out, size_t *n, bw_err *err) {
    bw_act *open;
    size_t rows;
    *n = 0;
    bw_status st = bw_acts_open(s, &open, &rows, err);
    if (st != BW_OK)
        return st;
    *out = bw_arena_get(s->arena, (rows + 1) * sizeof **out);
    for (size_t i = 0; i < rows; i++) {
        char day[11];
        if (bw_act_of_week(s, &open[i]))
            continue;
        bw_day_text(bw_act_days(s, &open[i]).until, day);
        (*out)[(*n)++] = (bw_held){open[i].id, bw_arena_text(s->arena, day)};
    }
    return BW_OK;
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
        st = bw_fact_add(s->facts, (bw_fact_name){"ledger.ratio", "", "", "share"}, NULL, err,
                         "SELECT sum(o.realised) / nullif(sum(a.gain), 0) AS value FROM "
                         "advice_outcome o JOIN advice a ON a.id = o.advice "
                         "WHERE o.inside IS NOT NULL AND o.week <= %Q AND a.gain > 0 AND "
                         "a.gain_unit = 'outcome' HAVING count(*) > 1",
                         s->week);
    return st;
}
