/* tests/reports/test_movers.c - every figure that moved has its reason, or the sentence says that the
 * data hold none. Shops are made at random from a fixed seed: some figures jump in the last week, some
 * come from nothing or fall to nothing; some weeks have an event. */
#include "tests/check.h"

#include "reports/doc/document.h"
#include "reports/facts/gather.h"
#include "sql/db.h"
#include "sql/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHOPS 60

static unsigned long long seed = 20261124;

static double uniform(void) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* By what the last week differs: nothing, noise, a jump, or all of it. */
static double jump(void) {
    double u = uniform();
    return u < 0.3 ? 1 : u < 0.5 ? 0.95 + 0.1 * uniform() : u < 0.93 ? exp(2 * uniform() - 1) : 0;
}

static double noise(void) {
    return 1 + 0.1 * (uniform() - 0.5);
}

typedef struct {
    int weeks;
    bool spend, reviews, event, from_nothing;
    double revenue, orders, cost, mood, review_count;
} plan;

static plan draw_plan(void) {
    plan p = {.weeks = 2 + (int)(uniform() * 16),
              .spend = uniform() < 0.8,
              .reviews = uniform() < 0.7,
              .event = uniform() < 0.3,
              .from_nothing = uniform() < 0.15};
    p.revenue = jump();
    p.orders = jump();
    p.cost = jump();
    p.mood = uniform() < 0.4 ? 0.5 * uniform() - 0.25 : 0;
    p.review_count = jump();
    return p;
}

/* Day i of the shop; k: what the last week is multiplied with, or, of a shop that comes from nothing,
 * the week before with 0. */
static void add_day(sqlite3 *db, const plan *p, int i) {
    bool last = i / 7 == p->weeks - 1, before = p->from_nothing && i / 7 == p->weeks - 2;
    double zero = before ? 0 : 1;
    char *sql = sqlite3_mprintf(
        "INSERT INTO outcome (day, revenue, orders, units) VALUES (date('2026-01-05', '+%d days'), "
        "%f, %f, %f);",
        i, 1000 * noise() * zero * (last ? p->revenue : 1),
        round(40 * noise() * zero * (last ? p->orders : 1)), round(60 * noise() * zero));
    bw_err err = {{0}};
    CHECK_OK(bw_db_exec(db, sql, &err));
    sqlite3_free(sql);
    for (int c = 0; p->spend && c < 2; c++) {
        sql = sqlite3_mprintf("INSERT INTO spend (day, channel, cost) VALUES (date('2026-01-05', "
                              "'+%d days'), %Q, %f);",
                              i, c ? "tv" : "search",
                              100 * noise() * zero * (last && c ? p->cost : 1));
        CHECK_OK(bw_db_exec(db, sql, &err));
        sqlite3_free(sql);
    }
    int n = p->reviews ? (int)round(4 * zero * (last ? p->review_count : 1)) : 0;
    for (int k = 0; k < n; k++) {
        double positive = fmin(fmax(0.4 + 0.4 * uniform() + (last ? p->mood : 0), 0), 1);
        sql = sqlite3_mprintf(
            "INSERT INTO review (id, day, text, lang) VALUES ('r%d-%d', date('2026-01-05', '+%d "
            "days'), 'text', 'en'); INSERT INTO review_score (review, negative, neutral, "
            "positive, stars, tokens, truncated, model) VALUES ('r%d-%d', %f, 0, %f, 3, 4, 0, "
            "'t');",
            i, k, i, i, k, 1 - positive, positive);
        CHECK_OK(bw_db_exec(db, sql, &err));
        sqlite3_free(sql);
    }
}

static sqlite3 *make_shop(const plan *p) {
    sqlite3 *db;
    bw_err err = {{0}};
    CHECK_OK(bw_db_open(":memory:", BW_DB_CREATE, &db, &err));
    CHECK_OK(bw_db_begin(db, &err));
    for (int i = 0; i < 7 * p->weeks; i++)
        add_day(db, p, i);
    if (p->event) {
        char *sql = sqlite3_mprintf("INSERT INTO event VALUES (date('2026-01-05', '+%d days'), "
                                    "date('2026-01-05', '+%d days'), 'Easter', 'holiday')",
                                    7 * p->weeks - 3, 7 * p->weeks - 2);
        CHECK_OK(bw_db_exec(db, sql, &err));
        sqlite3_free(sql);
    }
    CHECK_OK(bw_db_end(db, BW_OK, &err));
    return db;
}

/* ---- what the report says ---- */

/* The sentence around a place: from the end of the one before to its own full stop. */
static char *sentence_at(const char *text, const char *p) {
    const char *from = p, *to = p;
    while (from > text && !(from[-1] == ' ' && from - text >= 2 && from[-2] == '.') &&
           !(from - text >= 3 && strncmp(from - 3, "。", 3) == 0))
        from--;
    while (*to && !(*to == '.' && (to[1] == ' ' || !to[1])) && strncmp(to, "。", 3) != 0)
        to++;
    return strndup(from, (size_t)(to - from));
}

/* The sentence that tells a fact, with its marks; NULL when none does. */
static char *told(const bw_document *d, const bw_fact *f) {
    char mark[200];
    snprintf(mark, sizeof mark, "v%s\2", f->id);
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; strcmp(d->sections[i].id, "change") == 0 && k < d->sections[i].n; k++) {
            const bw_block *b = &d->sections[i].blocks[k];
            const char *p = b->kind == BW_PARAGRAPH ? strstr(b->text, mark) : NULL;
            if (p)
                return sentence_at(b->text, p);
        }
    return NULL;
}

static bool gives_reason(const char *sentence, bool zh) {
    static const char *const EN[] = {"no reason found in the data", "n the week of",
                                     "mostly through", "because", "most clearly in"},
                             *const ZH[] = {"数据中没有找到原因", "当周", "主要由于", "原因是",
                                            "最明显的是"};
    for (size_t i = 0; i < 5; i++)
        if (strstr(sentence, zh ? ZH[i] : EN[i]))
            return true;
    return false;
}

/* As the requirement has it, not as the code does: a move of 15 % (of points: 15), from nothing, or out
 * of the normal range. */
static bool must_be_told(const bw_shop *s, const bw_measure *m, const bw_fact *week) {
    const bw_fact *change =
                      bw_fact_find(s->facts, bw_arena_textf(s->arena, "change.%s", m->name), ""),
                  *normal =
                      bw_fact_find(s->facts, bw_arena_textf(s->arena, "normal.%s", m->name), "");
    bool outside =
        normal && isfinite(normal->lo) && (week->value < normal->lo || week->value > normal->hi);
    bool fresh = !change && week->reference == 0 && week->value != 0;
    return outside || fresh || (change && fabs(change->value) >= 0.15);
}

static int check_shop(sqlite3 *db, const char *lang, int number) {
    bw_shop *s;
    bw_document *d;
    bw_err err = {{0}};
    int moved = 0;
    CHECK_OK(bw_shop_open(db, lang, NULL, &s, &err));
    CHECK_OK(bw_facts_gather(s, &err));
    CHECK_OK(bw_document_build(s, &d, &err));
    for (const bw_measure *m = BW_MEASURES; m->name; m++) {
        const bw_fact *week =
            bw_fact_find(s->facts, bw_arena_textf(s->arena, "week.%s", m->name), "");
        if (!week || strcmp(m->name, s->outcome) == 0 || !must_be_told(s, m, week))
            continue;
        moved++;
        char *sentence = told(d, week);
        if (!sentence)
            fail_msg("shop %d, %s: %s moved to %g and is not told", number, lang, m->name,
                     week->value);
        if (!gives_reason(sentence, *lang == 'z'))
            fail_msg("shop %d, %s: %s has no reason: %s", number, lang, m->name, sentence);
        free(sentence);
    }
    bw_document_free(d);
    bw_shop_close(s);
    return moved;
}

static void every_figure_that_moved_has_a_reason_or_none_found(void **state) {
    (void)state;
    int moved = 0;
    for (int i = 0; i < SHOPS; i++) {
        plan p = draw_plan();
        sqlite3 *db = make_shop(&p);
        int en = check_shop(db, "en", i);
        assert_int_equal(check_shop(db, "zh", i), en);
        moved += en;
        bw_db_close(db);
    }
    assert_true(moved > 2 * SHOPS);
}

/* ---- the outcome itself ---- */

static char *change_text(sqlite3 *db, const char *lang) {
    bw_shop *s;
    bw_document *d;
    bw_err err = {{0}};
    bw_buf plain = {0};
    CHECK_OK(bw_shop_open(db, lang, NULL, &s, &err));
    CHECK_OK(bw_facts_gather(s, &err));
    CHECK_OK(bw_document_build(s, &d, &err));
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->sections[i].id, "change") == 0 && d->sections[i].n)
            bw_unmark(d->sections[i].blocks[0].text, &plain);
    bw_document_free(d);
    bw_shop_close(s);
    return bw_buf_take(&plain);
}

static void the_outcome_has_a_reason_or_none_found(void **state) {
    (void)state;
    static const char *const WANTED[2][2] = {{"no reason found in the data", "the week of Easter"},
                                             {"数据中没有找到原因", "复活节"}};
    for (int event = 0; event < 2; event++) {
        plan p = {.weeks = 9, .event = event, .revenue = 1.4, .orders = 1};
        sqlite3 *db = make_shop(&p);
        for (int k = 0; k < 2; k++) {
            char *text = change_text(db, k ? "zh" : "en");
            if (!strstr(text, WANTED[k][event]))
                fail_msg("no \"%s\" in: %s", WANTED[k][event], text);
            free(text);
        }
        bw_db_close(db);
    }
}

static void a_quiet_week_is_not_given_reasons(void **state) {
    (void)state;
    plan p = {.weeks = 9, .revenue = 1, .orders = 1};
    sqlite3 *db = make_shop(&p);
    char *text = change_text(db, "en");
    assert_null(strstr(text, "no reason"));
    free(text);
    bw_db_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_that_moved_has_a_reason_or_none_found),
        cmocka_unit_test(the_outcome_has_a_reason_or_none_found),
        cmocka_unit_test(a_quiet_week_is_not_given_reasons),
    };
    sqlite3_auto_extension((void (*)(void))bw_sql_register);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
