/* tests/demo/test_texts.c - the texts of the simulated shop: no phrase dominates, tone goes with the
 * stars, every aspect is spoken of, what must be redacted is, messages have the features they claim. */
#include "tests/check.h"
#include "demo/demo.h"
#include "demo/text.h"
#include "sql/db.h"
#include "sql/sql.h"

#include <ctype.h>
#include <stdlib.h>

static sqlite3 *shop;

static int make_shop(void **state) {
    (void)state;
    bw_err err;
    bw_demo_options o = bw_demo_default(1);
    o.customers = 0;
    sqlite3_auto_extension((void (*)(void))bw_sql_register);
    CHECK_OK(bw_db_open(":memory:", BW_DB_CREATE, &shop, &err));
    CHECK_OK(bw_demo_fill(shop, &o, &err));
    return 0;
}

static int close_shop(void **state) {
    (void)state;
    bw_db_close(shop);
    return 0;
}

static double number(const char *sql) {
    double x = bw_db_number(shop, sql, NAN);
    if (isnan(x))
        fail_msg("no number: %s: %s", sql, sqlite3_errmsg(shop));
    return x;
}

/* Counts of phrases: an open table of 64-bit hashes. A phrase is counted once a review. */
#define SLOTS (1u << 20)
struct phrases {
    uint64_t key[SLOTS];
    int count[SLOTS], last[SLOTS]; /* last: the review that counted it last */
};

static int count_phrase(struct phrases *p, uint64_t key, int review) {
    size_t i = key % SLOTS;
    while (p->key[i] && p->key[i] != key)
        i = (i + 1) % SLOTS;
    p->key[i] = key;
    if (p->last[i] != review)
        p->count[i]++;
    p->last[i] = review;
    return p->count[i];
}

/* The next token: an English word, or one CJK character; its hash, or 0 at the end. */
static uint64_t next_token(const char **p) {
    const unsigned char *s = (const unsigned char *)*p;
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    while (*s && !isalnum(*s) && (*s < 0xe4 || *s > 0xe9))
        s++;
    if (!*s)
        return 0;
    if (*s >= 0x80) {
        for (int i = 0; i < 3 && *s; i++)
            h = (h ^ *s++) * 1099511628211u;
    } else {
        while (isalnum(*s) || *s == '\'')
            h = (h ^ (uint64_t)tolower(*s++)) * 1099511628211u;
    }
    *p = (const char *)s;
    return h;
}

/* The most often repeated run of n tokens, as a share of the language's reviews. */
static double most_repeated(const char *lang, int n) {
    struct phrases *p = calloc(1, sizeof *p);
    assert_non_null(p);
    sqlite3_stmt *q;
    bw_err err;
    CHECK_OK(bw_db_prepare(shop, "SELECT text FROM review WHERE lang = ?", &q, &err));
    sqlite3_bind_text(q, 1, lang, -1, SQLITE_STATIC);
    int reviews = 0, worst = 0;
    while (sqlite3_step(q) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(q, 0);
        uint64_t window[16] = {0}, h;
        reviews++;
        for (int seen = 0; (h = next_token(&text)); seen++) {
            memmove(window, window + 1, sizeof *window * (size_t)(n - 1));
            window[n - 1] = h;
            uint64_t key = 0;
            for (int i = 0; i < n; i++)
                key = key * 0x9e3779b97f4a7c15u + window[i];
            if (seen >= n - 1) {
                int c = count_phrase(p, key | 1, reviews);
                worst = c > worst ? c : worst;
            }
        }
    }
    sqlite3_finalize(q);
    free(p);
    return (double)worst / reviews;
}

static void no_phrase_dominates(void **state) {
    (void)state;
    double en = most_repeated("en", 8), zh = most_repeated("zh", 14);
    if (en > 0.005 || zh > 0.005)
        fail_msg("a run of 8 words is in %.2f %% of reviews, one of 14 characters in %.2f %%",
                 100 * en, 100 * zh);
    assert_true(en > 0 && zh > 0);
}

static void no_text_is_empty_or_unfinished(void **state) {
    (void)state;
    CHECK_NEAR(number("SELECT count(*) FROM review WHERE length(trim(text)) = 0 OR text GLOB "
                      "'*[{}|]*' OR text LIKE '%  %'"),
               0, 0);
    CHECK_NEAR(number("SELECT count(*) FROM message WHERE length(trim(text)) < 4 OR text GLOB "
                      "'*[{}|]*' OR text LIKE '%  %'"),
               0, 0);
}

static void both_languages_and_all_lengths(void **state) {
    (void)state;
    double en = number("SELECT avg(lang = 'en') FROM review");
    assert_true(en > 0.5 && en < 0.66);
    CHECK_NEAR(number("SELECT count(*) FROM review WHERE lang = 'en' AND text GLOB '*[一-龥]*'"), 0,
               0);
    CHECK_NEAR(number("SELECT count(*) FROM review WHERE lang = 'zh' AND text NOT GLOB '*[一-龥]*' "
                      "AND text NOT LIKE 'yyds%'"),
               0, 0);
    assert_true(number("SELECT min(length(text)) FROM review WHERE lang = 'en'") <= 4);
    assert_true(number("SELECT max(length(text)) FROM review WHERE lang = 'en'") > 400);
    assert_true(number("SELECT count(*) FROM review WHERE text GLOB '*[😀-🙏👍👎🔥🎉👏]*'") > 300);
}

static void few_whole_texts_come_twice(void **state) {
    (void)state;
    assert_true(
        number("SELECT max(n) FROM (SELECT count(*) AS n FROM review GROUP BY lower(text))") <= 25);
    assert_true(number("SELECT count(DISTINCT text) * 1.0 / count(*) FROM message") > 0.98);
    assert_true(
        number("SELECT count(DISTINCT text) * 1.0 / count(*) FROM review WHERE length(text) > 40") >
        0.98);
}

static void every_aspect_is_spoken_of(void **state) {
    (void)state;
    CHECK_NEAR(
        number("SELECT count(*) FROM demo_truth WHERE name = 'aspect_mentions' AND value > 500"), 7,
        0);
    static const char *const WORDS[] = {"quality", "delivery", "price", "customer service",
                                        "colour",  "size",     "质量",  "快递",
                                        "客服",    "性价比",   "尺码",  "颜色"};
    char sql[120];
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM review WHERE text LIKE '%%%s%%'", WORDS[i]);
        if (number(sql) < 15)
            fail_msg("hardly a review says '%s'", WORDS[i]);
    }
}

static void stars_go_with_the_words(void **state) {
    (void)state;
    double kind = number("SELECT avg(rating) FROM review WHERE text LIKE '%recommended%' OR text "
                         "LIKE '%love %' OR text LIKE '%满意%'");
    double cross = number("SELECT avg(rating) FROM review WHERE text LIKE '%disappointed%' OR text "
                          "LIKE '%never again%' OR text LIKE '%差评%'");
    assert_true(kind > 3.8 && cross < 2.2);
    double mean = number("SELECT avg(rating) FROM review");
    assert_true(mean > 3.5 && mean < 4.3);
}

static void people_are_redacted_by_the_views(void **state) {
    (void)state;
    bw_err err;
    assert_true(number("SELECT count(*) FROM review WHERE text LIKE '%@mail.example.com%'") > 20);
    assert_true(number("SELECT count(*) FROM review WHERE text GLOB '*138[0-9][0-9][0-9]*'") > 10);
    CHECK_OK(bw_db_exec(
        shop, "INSERT INTO review_score SELECT id, 0.2, 0.3, 0.5, 3, 1, 0, 'none' FROM review",
        &err));
    CHECK_NEAR(number("SELECT count(*) FROM review_scored"), 6400, 0);
    CHECK_NEAR(number("SELECT count(*) FROM review_scored WHERE text LIKE '%@%' OR text GLOB "
                      "'*[0-9][0-9][0-9][0-9][0-9]*'"),
               0, 0);
    assert_true(number("SELECT count(*) FROM review_scored WHERE text LIKE '%[e-mail]%' OR text "
                       "LIKE '%[phone]%'") > 40);
}

static void the_zip_is_a_new_complaint(void **state) {
    (void)state;
    double late = number("SELECT count(*) FROM review WHERE day > '2026-10-10' AND (text LIKE "
                         "'%zip%' OR text LIKE '%拉链%')");
    double usual = number("SELECT count(*) / 30.0 FROM review WHERE day < '2026-10-01' AND (text "
                          "LIKE '%zip%' OR text LIKE '%拉链%')");
    assert_true(late > 8 &&
                late > 3 * usual); /* 5 weeks against the mean of 5 weeks in the 149 before */
}

/* The unit of truth for content: a text has a mark exactly when the program meant it to. What was
 * meant is not stored, so the shares are held against the chances instead: 0.35, 0.45 + promotions, 0.40. */
static void messages_have_features(void **state) {
    (void)state;
    double question = number("SELECT avg(text LIKE '%?%' OR text LIKE '%？%') FROM message");
    double digits = number("SELECT avg(text GLOB '*[0-9]*') FROM message");
    double emoji =
        number("SELECT avg(text GLOB '*[🌧🏔🌲☕🔦🥾✨🍂🎒]*') FROM message");
    CHECK_NEAR(question, 0.35, 0.04); /* four standard errors of 2300 */
    assert_true(digits > 0.43 && digits < 0.60);
    CHECK_NEAR(emoji, 0.40, 0.04);
}

static void a_pack_is_dealt_without_repeats(void **state) {
    (void)state;
    bw_err err;
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    struct grammar *g;
    CHECK_OK(grammar_load("demo/text/review_zh.txt", r, &g, &err));
    size_t lines = 0;
    const char *name = NULL;
    for (size_t i = 0; (name = grammar_rule(g, i, &lines)) && strcmp(name, "days"); i++)
        continue;
    assert_string_equal(name, "days");
    bw_buf out = {0};
    for (size_t i = 0; i < lines; i++) {
        size_t before = out.len;
        CHECK_OK(grammar_add(g, "days", &out, &err));
        bw_buf_add(&out, ";");
        char *again = strstr(out.text, out.text + before);
        assert_ptr_equal(again, out.text + before);
    }
    CHECK_FAILS(grammar_add(g, "no such rule", &out, &err), BW_EFORMAT, "no rule {no such rule}");
    bw_buf_free(&out);
    grammar_free(g);
    gsl_rng_free(r);
}

static void every_rule_can_be_expanded(void **state) {
    (void)state;
    static const char *const FILES[] = {"demo/text/review_en.txt", "demo/text/review_zh.txt",
                                        "demo/text/message_en.txt", "demo/text/message_zh.txt"};
    static const char *const BOUND[] = {"it",  "a it", "part", "this", "they", "them",  "is",
                                        "was", "has",  "does", "s",    "mail", "phone", "off"};
    bw_err err;
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    bw_buf out = {0};
    for (size_t f = 0; f < 4; f++) {
        struct grammar *g;
        size_t lines;
        CHECK_OK(grammar_load(FILES[f], r, &g, &err));
        for (size_t i = 0; i < sizeof BOUND / sizeof *BOUND; i++)
            grammar_bind(g, BOUND[i], "x");
        for (size_t i = 0; grammar_rule(g, i, &lines); i++)
            for (size_t k = 0; k < 6 * lines; k++)
                CHECK_OK(grammar_add(g, grammar_rule(g, i, &lines), &out, &err));
        grammar_free(g);
    }
    bw_buf_free(&out);
    gsl_rng_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_phrase_dominates),
        cmocka_unit_test(no_text_is_empty_or_unfinished),
        cmocka_unit_test(both_languages_and_all_lengths),
        cmocka_unit_test(few_whole_texts_come_twice),
        cmocka_unit_test(every_aspect_is_spoken_of),
        cmocka_unit_test(stars_go_with_the_words),
        cmocka_unit_test(people_are_redacted_by_the_views),
        cmocka_unit_test(the_zip_is_a_new_complaint),
        cmocka_unit_test(messages_have_features),
        cmocka_unit_test(a_pack_is_dealt_without_repeats),
        cmocka_unit_test(every_rule_can_be_expanded),
    };
    return cmocka_run_group_tests(tests, make_shop, close_shop);
}
