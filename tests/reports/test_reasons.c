/* tests/reports/test_reasons.c - what moved over a year, since a day, in half a year by source, or in what
 * customers speak of, has a reason that pulls the same way, or the words that none was found; and what
 * did not move has none. On facts made at random from a fixed seed, in both languages. */
#include "tests/check.h"

#include "reports/doc/document.h"
#include "sql/db.h"
#include "sql/sql.h"

#include <stdlib.h>

#define ROUNDS 120

static sqlite3 *db;
static unsigned long long seed = 20261124;

static double uniform(void) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static int open_shop(void **state) {
    (void)state;
    bw_err err = {{0}};
    CHECK_OK(bw_db_open(":memory:", BW_DB_CREATE, &db, &err));
    CHECK_OK(bw_db_exec(
        db,
        "WITH RECURSIVE d(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 104) INSERT INTO "
        "outcome (day, revenue, orders) SELECT date('2026-01-05', n || ' days'), 1000, 20 FROM d; "
        "INSERT INTO spend (day, channel, cost) SELECT day, 'search', 100 FROM outcome; "
        "INSERT INTO review (id, day, text, lang) SELECT 'r' || day, day, 'text', 'en' FROM "
        "outcome; "
        "INSERT INTO review_score SELECT id, 0.3, 0.3, 0.4, 3, 5, 0, 'test' FROM review; "
        "INSERT INTO model_run (id, kind, engine, seed, input, created_at) VALUES (1, 'fit', "
        "'test', "
        "1, '', ''); INSERT INTO estimate (run, name, subject, at, mean, sd) VALUES (1, 'roas', "
        "'search', '', 2, 1)",
        &err));
    return 0;
}

static int close_shop(void **state) {
    (void)state;
    bw_db_close(db);
    return 0;
}

/* ---- facts at random ---- */

static void put(bw_shop *s, const char *measure, const char *subject, const char *at,
                const char *unit, double value, double half, double reference) {
    bw_err err = {{0}};
    CHECK_OK(bw_fact_add(s->facts, (bw_fact_name){measure, subject, at, unit}, NULL, &err,
                         "SELECT %.17g AS value, %.17g AS lo, %.17g AS hi, %.17g AS reference",
                         value, value - half, value + half, reference));
}

/* Up to two causes, clear or not; returns whether a clear one pulls the way of the sign. */
static bool put_causes(bw_shop *s, const char *measure, double sign) {
    bool reason = false;
    for (int i = 0; i < 2; i++) {
        if (uniform() < 0.3)
            continue;
        double value = (uniform() < 0.5 ? -1 : 1) * (500 + 500 * uniform());
        bool clear = uniform() < 0.6;
        put(s, measure, i ? "_season" : "search", "", "money", value,
            fabs(value) * (clear ? 0.5 : 1.5), 0);
        reason = reason || (clear && value * sign > 0);
    }
    return reason;
}

typedef struct {
    double year, since, source, spend, aspect;
    bool year_reason, since_reason, source_reason, event;
} draw;

static draw draw_facts(bw_shop *s) {
    bw_err err = {{0}};
    draw d = {.year = uniform() - 0.5, .since = 8000 * (uniform() - 0.5)};
    s->facts = bw_facts_new(s->arena, db);
    put(s, "break_even", "", "", "money", 1, 0, 0);
    put(s, "voice.sentiment", "", "", "points", 0.2, 0.1, 0);
    put(s, "voice.reviews", "", "", "count", 80, 0, 0);
    put(s, "year.revenue", "", "", "share", d.year, 0, 7000);
    d.year_reason = put_causes(s, "cause_year", d.year);
    put(s, "since.change", "", "2026-03-02", "money", d.since, 0, 10000);
    put(s, "since.sum", "", "2026-03-02", "money", 10000 + d.since, 0, 0);
    put(s, "since.weeks", "", "2026-03-02", "weeks", 6, 0, 0);
    d.since_reason = put_causes(s, "cause_since", d.since);
    d.source = 0.1 + 0.6 * uniform();
    bool up = uniform() < 0.5;
    put(s, up ? "source.up" : "source.down", "", "search", "share", up ? d.source : -d.source, 0,
        0);
    d.spend = uniform() - 0.5;
    if (uniform() < 0.8) {
        put(s, "source.spend", "search", "", "share", d.spend, 0, 0);
        d.source_reason = d.spend * (up ? 1 : -1) >= 0.05;
    }
    d.aspect = 0.1 + 0.3 * uniform();
    bool worse = uniform() < 0.5;
    put(s, "aspect.moved", "", "delivery", "points", worse ? -d.aspect : d.aspect, 0.05, 0);
    put(s, "aspect.shift", "delivery", "", "points", worse ? -d.aspect : d.aspect, 0.05, 0);
    put(s, "aspect.negative", "delivery", "", "share", 0.4, 0, 0);
    put(s, "aspect.positive", "delivery", "", "share", 0.5, 0, 0);
    put(s, "aspect.mentions", "delivery", "", "count", 40, 0, 0);
    d.event = uniform() < 0.5;
    CHECK_OK(bw_db_exec(db, "DELETE FROM event", &err));
    if (d.event)
        CHECK_OK(bw_db_exec(db,
                            "INSERT INTO event SELECT date(max(day), '-20 days'), date(max(day), "
                            "'-20 days'), 'New courier', 'operations' FROM outcome",
                            &err));
    return d;
}

/* ---- what is said ---- */

static char *text_of(const bw_document *d, const char *section) {
    bw_buf plain = {0};
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; strcmp(d->sections[i].id, section) == 0 && k < d->sections[i].n; k++)
            if (d->sections[i].blocks[k].kind == BW_PARAGRAPH) {
                bw_unmark(d->sections[i].blocks[k].text, &plain);
                bw_buf_add(&plain, "\n");
            }
    bw_buf_add(&plain, "");
    return bw_buf_take(&plain);
}

/* The line that holds the words. */
static char *line_with(const char *text, const char *words) {
    const char *p = strstr(text, words);
    if (!p)
        fail_msg("no \"%s\" in: %s", words, text);
    while (p > text && p[-1] != '\n')
        p--;
    return strndup(p, strcspn(p, "\n"));
}

static void check_line(const char *text, const char *words, bool none, bool zh) {
    char *line = line_with(text, words);
    bool said = strstr(line, zh ? "数据中没有找到原因" : "no reason found in the data") != NULL;
    if (said != none)
        fail_msg("%s: %s", none ? "no reason, and not said" : "a reason, and denied", line);
    free(line);
}

static void check_round(const char *lang) {
    bw_err err = {{0}};
    bw_shop *s;
    bool zh = *lang == 'z';
    CHECK_OK(bw_shop_open(db, lang, NULL, &s, &err));
    draw f = draw_facts(s);
    bw_document *d = bw_arena_get(s->arena, sizeof *d);
    *d = (bw_document){.shop = s};
    CHECK_OK(bw_section_change(d, &err));
    CHECK_OK(bw_section_channels(d, &err));
    CHECK_OK(bw_section_voice(d, &err));
    char *change = text_of(d, "change"), *channels = text_of(d, "channels"),
         *voice = text_of(d, "voice");
    check_line(change, zh ? "与去年同周相比" : "same week last year",
               fabs(f.year) >= 0.15 && !f.year_reason, zh);
    check_line(change, zh ? "自 2026 年 3 月 2 日" : "From 2 Mar",
               fabs(f.since) >= 1500 && !f.since_reason, zh);
    check_line(channels, zh ? "与半年前相比" : "half a year ago", !f.source_reason, zh);
    check_line(voice, zh ? "物流" : "elivery", !f.event, zh);
    free(change);
    free(channels);
    free(voice);
    bw_document_free(d);
    bw_shop_close(s);
}

static void what_moved_has_a_reason_or_none_found(void **state) {
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        check_round(i % 2 ? "zh" : "en");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_moved_has_a_reason_or_none_found)};
    sqlite3_auto_extension((void (*)(void))bw_sql_register);
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
