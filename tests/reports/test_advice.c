/* tests/reports/test_advice.c - advice does not contradict itself: on estimates made at random, over
 * weeks in which people accept some of it, no two pieces hold the same lever on the same day. What a
 * piece holds, and when, is worked out here again from advice.h alone. The random numbers come from a
 * fixed seed. */
#include "tests/check.h"

#include "reports/advice/advice.h"
#include "reports/advice/candidates.h"
#include "sql/db.h"
#include "sql/value.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#define FIRST     40 /* week from which reports are written */
#define CHANNELS  5
#define MOST_HELD 2000

static sqlite3 *db;
static const char *const CHANNEL[CHANNELS] = {"search", "email", "tv_S", "短视频", "a,b \"c\""};
static unsigned long long seed;

static double uniform(void) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static bool chance(double p) {
    return uniform() < p;
}

static int open_shop(void **state) {
    (void)state;
    bw_err err = {{0}};
    CHECK_OK(bw_db_open(":memory:", BW_DB_CREATE, &db, &err));
    CHECK_OK(bw_db_exec(
        db,
        "WITH RECURSIVE d(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 419) "
        "INSERT INTO outcome (day, revenue, orders) SELECT date('2025-01-06', n || ' days'), 1000 "
        "+ n % 7 * 50, 20 FROM d; INSERT INTO model_run (id, kind, engine, seed, input, "
        "created_at) "
        "VALUES (1, 'fit', 'test', 1, '', ''), (2, 'plan', 'test', 1, '', '')",
        &err));
    for (size_t i = 0; i < CHANNELS; i++) {
        char *sql = sqlite3_mprintf(
            "INSERT INTO spend (day, channel, cost) SELECT day, %Q, 100 FROM outcome; INSERT INTO "
            "estimate (run, name, subject, at, mean, sd) VALUES (1, 'roas', %Q, '', 2, 1)",
            CHANNEL[i], CHANNEL[i]);
        CHECK_OK(bw_db_exec(db, sql, &err));
        sqlite3_free(sql);
    }
    return 0;
}

static int close_shop(void **state) {
    (void)state;
    bw_db_close(db);
    return 0;
}

/* ---- estimates ---- */

static void put(bw_shop *s, const char *measure, const char *subject, const char *at, double value,
                double half, double p, double reference) {
    bw_err err = {{0}};
    CHECK_OK(bw_fact_add(s->facts, (bw_fact_name){measure, subject, at, "money"}, NULL, &err,
                         "SELECT %.17g AS value, %.17g AS lo, %.17g AS hi, %.17g AS probability, "
                         "%.17g AS reference",
                         value, value - half, value + half, p, reference));
}

static void estimate_channel(bw_shop *s, const char *channel, double spend) {
    double next = 4 * uniform();
    put(s, "next", channel, "", next, 0.2 + 2 * uniform(), uniform(), 0);
    if (chance(0.8)) {
        double to = spend * (0.5 + uniform());
        put(s, "plan.move", channel, "", to - spend, 0, 0, spend);
        put(s, "plan.to", channel, "", to, 0, 0, 0);
        put(s, "stability", channel, "", 0.6 + 0.4 * uniform(), 0, 0, 0);
    }
    if (chance(0.5)) {
        char at[20];
        snprintf(at, sizeof at, "%d-19/%d-20", (int)(7 * uniform()), (int)(7 * uniform()));
        put(s, "window", channel, at, 1.3, 0.1, 1, 0);
        put(s, "timing.gain", channel, "", 0.2, 0.1, 0.7 + 0.3 * uniform(), 0);
        if (chance(0.7))
            put(s, "timing.money", channel, "", 2000 * uniform(), 100, 0.9, 0);
    }
    if (chance(0.3))
        put(s, "content.effect", "personal", channel, 0.1, 0.05, 0.8 + 0.2 * uniform(), 0);
}

/* Estimates as a fit, a plan and the rest might give them. */
static void estimate(bw_shop *s) {
    s->facts = bw_facts_new(s->arena, db);
    s->runs.fit = 1;
    s->runs.plan = 2;
    put(s, "normal.revenue", "", "", 8000, 500, 0, 0);
    put(s, "fit.mape", "", "", 0.01 + 0.05 * uniform(), 0, 0, 0);
    double moved = 3000 * uniform();
    put(s, "plan.gain", "", "", 4000 * uniform() - 400, 500, 0.7 + 0.3 * uniform(), 0);
    put(s, "plan.moved", "", "", moved, 0, 0, 10000);
    put(s, "plan.total", "", "", 10000, 0, 0, 10000);
    for (size_t i = 0; i < CHANNELS; i++)
        estimate_channel(s, CHANNEL[i], 300 + 4000 * uniform());
    if (chance(0.5)) {
        put(s, "price.best", "Tent", "", 120, 10, 0, 100);
        put(s, "price.elasticity", "Tent", "", -1.5, 0.2, 0.95, 0);
    }
    if (chance(0.5)) {
        put(s, "promotion.last", "", "Sale", 9000, 100, uniform(), 0);
        put(s, "promotion.next", "", "", 8000, 4000, 0.9, 0);
    }
    if (chance(0.5))
        put(s, "aspect.moved", "", "delivery", -0.2, 0.1, 0, 0);
}

/* ---- who holds what ---- */

typedef struct {
    char lever[80], who[40];
    int from, until;
} hold;

typedef struct {
    hold items[MOST_HELD];
    size_t n;
} holds;

static double number_in(const cJSON *action, const char *name) {
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(action, name);
    return cJSON_IsNumber(x) ? x->valuedouble : 0;
}

static void hold_lever(holds *h, const char *who, const char *what, const char *subject, int from,
                       int until) {
    hold mine = {.from = from, .until = until};
    snprintf(mine.lever, sizeof mine.lever, "%s of %s", what, subject);
    snprintf(mine.who, sizeof mine.who, "%s", who);
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->items[i].lever, mine.lever) == 0 && strcmp(h->items[i].who, who) != 0 &&
            h->items[i].from <= until && from <= h->items[i].until)
            fail_msg("%s and %s both act on %s", h->items[i].who, who, mine.lever);
    assert_true(h->n < MOST_HELD);
    h->items[h->n++] = mine;
}

/* All prices are one lever here: there is but one product. Weeks begin on Monday. */
static void hold_advice(holds *h, const char *who, const char *kind, const char *subject,
                        const char *text, const char *due) {
    cJSON *action = cJSON_Parse(text), *move;
    int from = bw_iso_day(due), monday = from + 1;
    while ((monday - 4) % 7 != 0) /* day 4 was a Monday */
        monday++;
    int until = strcmp(kind, "experiment") == 0 ? from + 7 * (int)number_in(action, "weeks") - 1
                                                : monday + 13;
    cJSON_ArrayForEach(move, cJSON_GetObjectItemCaseSensitive(action, "moves")) {
        hold_lever(h, who, "spend", move->string, from, until);
    }
    static const char *const ACTS[][2] = {{"timing", "hours"},     {"content", "texts"},
                                          {"experiment", "spend"}, {"experiment", "hours"},
                                          {"experiment", "texts"}, {"complaint", "aspect"}};
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
        if (strcmp(ACTS[i][0], kind) == 0)
            hold_lever(h, who, ACTS[i][1], subject, from, until);
    if (strcmp(kind, "price") == 0 || number_in(action, "again") > 0)
        hold_lever(h, who, "price", "all", from, until);
    cJSON_Delete(action);
}

/* Everything in the ledger that somebody decided on, and this week's advice. */
static void check_ledger(const char *week, size_t *kinds) {
    static holds h;
    h.n = 0;
    sqlite3_stmt *q;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT id, kind, subject, action, due FROM advice WHERE status = "
                           "'accepted' OR (week = ? AND status = 'proposed')",
                           -1, &q, NULL),
        SQLITE_OK);
    sqlite3_bind_text(q, 1, week, -1, SQLITE_STATIC);
    while (sqlite3_step(q) == SQLITE_ROW) {
        const char *column[5];
        for (int i = 0; i < 5; i++)
            column[i] = (const char *)sqlite3_column_text(q, i);
        hold_advice(&h, column[0], column[1], column[2], column[3], column[4]);
        kinds[0] += strcmp(column[1], "budget") == 0;
        kinds[1] += strcmp(column[1], "experiment") == 0;
        kinds[2] += strstr(column[3], "\"from\":\"20") != NULL;
    }
    sqlite3_finalize(q);
}

/* People accept, reject or let lie what this week advises. */
static void decide(const char *week) {
    sqlite3_stmt *q;
    bw_err err = {{0}};
    char ids[12][40];
    size_t n = 0;
    sqlite3_prepare_v2(db, "SELECT id FROM advice WHERE week = ? AND kind <> 'nothing'", -1, &q,
                       NULL);
    sqlite3_bind_text(q, 1, week, -1, SQLITE_STATIC);
    while (n < 12 && sqlite3_step(q) == SQLITE_ROW)
        snprintf(ids[n++], sizeof ids[0], "%s", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    for (size_t i = 0; i < n; i++) {
        double u = uniform();
        char sql[600];
        if (u < 0.5)
            continue;
        snprintf(sql, sizeof sql, "UPDATE advice SET status = '%s' WHERE id = '%s'",
                 u < 0.8 ? "accepted" : "rejected", ids[i]);
        CHECK_OK(bw_db_exec(db, sql, &err));
    }
}

static void write_week(long n, size_t *kinds) {
    bw_err err = {{0}};
    bw_shop *s;
    char week[11];
    bw_day_text(bw_iso_day("2025-01-06") + 7 * (int)n, week);
    CHECK_OK(bw_shop_open(db, "en", week, &s, &err));
    estimate(s);
    CHECK_OK(bw_advice_choose(s, &err));
    check_ledger(week, kinds);
    decide(week);
    estimate(s); /* the same week again, on other estimates */
    CHECK_OK(bw_advice_choose(s, &err));
    check_ledger(week, kinds);
    bw_shop_close(s);
}

static void no_lever_is_held_twice(void **state) {
    (void)state;
    bw_err err = {{0}};
    size_t kinds[3] = {0};
    for (unsigned shop = 0; shop < 20; shop++) {
        seed = 8000 + shop;
        CHECK_OK(bw_db_exec(db, "DELETE FROM advice", &err));
        for (long n = FIRST; n < FIRST + 8; n++)
            write_week(n, kinds);
    }
    for (size_t i = 0; i < 3; i++) /* each was met: budgets, tests, what waits */
        if (kinds[i] < 5)
            fail_msg("kind %zu was met %zu times", i, kinds[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_lever_is_held_twice)};
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
