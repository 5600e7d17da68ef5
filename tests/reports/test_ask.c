/* tests/reports/test_ask.c - names, periods and questions found in what people type. */
#include "tests/check.h"
#include "reports/ask/match.h"
#include "reports/words/locale.h"

static const bw_ask_pattern PATTERNS[] = {
    {0, "what does {channel} earn"},
    {0, "is {channel} worth it"},
    {1, "which channel earns most"},
    {2, "how much revenue did we make {period}"},
    {2, "revenue {period}"},
    {3, "what do customers complain about"},
    {4, "when should we send {channel}"},
    {5, "why did revenue change"},
    {6, "{channel}能赚多少钱"},
    {7, "顾客在抱怨什么"},
    {2, "{period}卖了多少"},
};
static const bw_ask_name NAMES[] = {{"channel", "email", "E-mail"},
                                    {"channel", "paid_social", "Paid social"},
                                    {"channel", "search", "搜索广告"}};
static const char *const SYNONYMS[] = {"revenue, sales, turnover",
                                       "earn, return, roas, pay back, bring"};

static bw_ask_match find(bw_arena *a, const char *question) {
    const bw_ask_book book = {
        PATTERNS,    sizeof PATTERNS / sizeof *PATTERNS, NAMES, 3, SYNONYMS, 2, "2026-11-09",
        "2026-11-15"};
    bw_ask_match m[1] = {{0}};
    bw_ask_find(a, &book, question, NULL, m, 1);
    return m[0];
}

static void questions_are_found_in_other_words(void **state) {
    (void)state;
    static const struct {
        const char *question;
        size_t expected;
        const char *name;
    } CASES[] = {
        {"What's the ROAS of e-mail?", 0, "email"},
        {"is paid-socail worth it", 0, "paid_social"}, /* two letters swapped */
        {"which chanel pays back the most?", 1, NULL},
        {"sales in October", 2, NULL},
        {"what are customers complaining about?", 3, NULL},
        {"When should I send emails", 4, "email"},
        {"why did sales change last week", 5, NULL},
        {"搜索广告赚多少", 6, "search"},
        {"顾客抱怨什么？", 7, NULL},
        {"上周卖了多少？", 2, NULL},
    };
    bw_arena *a = bw_arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bw_ask_match m = find(a, CASES[i].question);
        if (m.question != CASES[i].expected || m.score < 0.25)
            fail_msg("\"%s\": question %zu, score %.2f", CASES[i].question, m.question, m.score);
        if (CASES[i].name)
            assert_string_equal(m.names[0]->name, CASES[i].name);
        else
            assert_null(m.names[0]);
    }
    bw_arena_free(a);
}

/* ---- the book as shipped ---- */

static const bw_ask_name SHIPPED[] = {{"channel", "email", "E-mail"},
                                      {"product", "Rain jacket", "Rain jacket"},
                                      {"aspect", "delivery", "delivery"},
                                      {"event", "Black Friday", "Black Friday"}};

/* "what does {channel} earn" with names of SHIPPED and a month. */
static const char *asked(bw_arena *a, const char *pattern, const char *month) {
    bw_buf b = {0};
    while (*pattern) {
        size_t n = strcspn(pattern, "{");
        bw_buf_add_n(&b, pattern, n);
        pattern += n;
        const char *end = strchr(pattern, '}');
        if (!end)
            break;
        size_t len = (size_t)(end - pattern) - 1;
        const char *by = month;
        for (size_t i = 0; i < 4; i++)
            if (strncmp(SHIPPED[i].kind, pattern + 1, len) == 0)
                by = SHIPPED[i].said;
        bw_buf_add(&b, by);
        pattern = end + 1;
    }
    const char *text = bw_arena_text(a, b.text);
    bw_buf_free(&b);
    return text;
}

/* All keys ask.ID.pattern; a question's number is that of its key. */
static size_t read_book(const bw_locale *l, bw_ask_pattern *patterns) {
    size_t n = 0;
    const char *key, *text;
    for (size_t k = 0; (key = bw_locale_key(l, k)); k++)
        if (strncmp(key, "ask.", 4) == 0 && strstr(key, ".pattern"))
            for (size_t i = 0; (text = bw_word_nth(l, key, i)); i++)
                patterns[n++] = (bw_ask_pattern){k, text};
    return n;
}

static void check_language(const char *lang, const char *month) {
    bw_err err;
    bw_arena *a = bw_arena_new();
    bw_locale *l;
    CHECK_OK(bw_locale_new(a, lang, "EUR", &l, &err));
    bw_ask_pattern patterns[600];
    const char *synonyms[64];
    bw_ask_book book = {.patterns = patterns,
                        .names = SHIPPED,
                        .n_names = 4,
                        .synonyms = synonyms,
                        .week = "2026-11-09",
                        .last_day = "2026-11-15"};
    book.n_patterns = read_book(l, patterns);
    while ((synonyms[book.n_synonyms] = bw_word_nth(l, "ask.synonyms", book.n_synonyms)))
        book.n_synonyms++;
    assert_true(book.n_patterns > 60);
    for (size_t i = 0; i < book.n_patterns; i++) {
        bw_ask_match m[2] = {{0}};
        const char *question = asked(a, patterns[i].text, month);
        bw_ask_find(a, &book, question, NULL, m, 2);
        if (m[0].question != patterns[i].question || !(m[0].score > m[1].score))
            fail_msg("\"%s\" finds %s (%.2f)", question, bw_locale_key(l, m[0].question),
                     m[0].score);
    }
    bw_arena_free(a);
}

static void each_documented_way_to_ask_finds_its_question(void **state) {
    (void)state;
    check_language("en", "October");
    check_language("zh", "10月");
}

static void what_is_not_in_the_book_scores_low(void **state) {
    (void)state;
    bw_arena *a = bw_arena_new();
    assert_true(find(a, "the weather in Paris").score < 0.25);
    assert_true(find(a, "'; DROP TABLE review; --").score < 0.25);
    assert_true(find(a, "").score == 0);
    assert_true(find(a, "\xff\xfe{").score == 0);
    bw_arena_free(a);
}

/* Expected days worked out by hand on a calendar; the newest week is 9 to 15 November 2026. */
static void periods_count_from_the_data_not_the_clock(void **state) {
    (void)state;
    static const struct {
        const char *text, *first, *last;
    } CASES[] = {
        {"last week", "2026-11-09", "2026-11-15"},
        {"the week before", "2026-11-02", "2026-11-08"},
        {"the last 4 weeks", "2026-10-19", "2026-11-15"},
        {"past 30 days", "2026-10-17", "2026-11-15"},
        {"in October", "2026-10-01", "2026-10-31"},
        {"in december", "2025-12-01", "2025-12-31"}, /* not over yet this year */
        {"feb 2024", "2024-02-01", "2024-02-29"},
        {"last month", "2026-10-01", "2026-10-31"},
        {"2026-W01", "2025-12-29", "2026-01-04"},
        {"2020-W53", "2020-12-28", "2021-01-03"},
        {"on 2026-10-05", "2026-10-05", "2026-10-05"},
        {"in 2025", "2025-01-01", "2025-12-31"},
        {"on 30 October", "2026-10-30", "2026-10-30"},
        {"December 24", "2025-12-24", "2025-12-24"},
        {"in week 45", "2026-11-02", "2026-11-08"},
        {"第45周", "2026-11-02", "2026-11-08"},
        {"2026年2月28日", "2026-02-28", "2026-02-28"},
        {"2月29日", "", ""}, /* 2026 and 2025 have none */
        {"week 60", "", ""},
        {"2026-W54", "", ""},
        {"2025-W53", "", ""}, /* ISO 8601: 2025 has 52 weeks */
        {"30 February 2024", "", ""},
        {"2026-13-01", "", ""},
        {"2026年13月", "", ""},
        {"去年", "2025-01-01", "2025-12-31"},
        {"2026年2月", "2026-02-01", "2026-02-28"},
        {"最近8周", "2026-09-21", "2026-11-15"},
    };
    bw_arena *a = bw_arena_new();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bw_words w = bw_words_of(a, CASES[i].text);
        bw_period p = bw_period_find(&w, "2026-11-09", "2026-11-15");
        if (strcmp(p.first, CASES[i].first) != 0 || strcmp(p.last, CASES[i].last) != 0)
            fail_msg("\"%s\": %s .. %s", CASES[i].text, p.first, p.last);
    }
    bw_words none = bw_words_of(a, "you may ask in month 13");
    assert_int_equal(bw_period_find(&none, "2026-11-09", "2026-11-15").words, 0);
    bw_arena_free(a);
}

static void distance_counts_a_swap_once(void **state) {
    (void)state;
    assert_int_equal(bw_words_distance("socail", "social"), 1);
    assert_int_equal(bw_words_distance("kitten", "sitting"), 3); /* Levenshtein's own example */
    assert_int_equal(bw_words_distance("", "abc"), 3);
    assert_true(bw_words_alike("chanel", "channel"));
    assert_false(bw_words_alike("cost", "most"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_found_in_other_words),
        cmocka_unit_test(each_documented_way_to_ask_finds_its_question),
        cmocka_unit_test(what_is_not_in_the_book_scores_low),
        cmocka_unit_test(periods_count_from_the_data_not_the_clock),
        cmocka_unit_test(distance_counts_a_swap_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
