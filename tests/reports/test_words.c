/* tests/reports/test_words.c - numbers, dates, chances and sentences in both languages. Expected
 * texts were written by hand from the rules in reports/words/locale.h. */
#include "tests/check.h"

#include "reports/words/guard.h"

#include <math.h>
#include <stdlib.h>

static bw_arena *arena;
static bw_locale *en, *zh;

static int open_languages(void **state) {
    (void)state;
    bw_err err = {{0}};
    arena = bw_arena_new();
    if (!arena || bw_locale_new(arena, "en", "USD", &en, &err) != BW_OK ||
        bw_locale_new(arena, "zh", "USD", &zh, &err) != BW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    bw_locale_set(en, "term.outcome", "revenue");
    bw_locale_set(zh, "term.outcome", "销售额");
    return 0;
}

static int close_languages(void **state) {
    (void)state;
    bw_arena_free(arena);
    return 0;
}

static const char *number(const bw_locale *l, double x, double lo, double hi, bw_unit unit,
                          bool sign) {
    bw_number style = bw_number_style(x, lo, hi, unit);
    bw_buf b = {0};
    style.sign = sign;
    bw_format(l, &b, x, &style);
    const char *text = bw_arena_text(arena, b.text);
    bw_buf_free(&b);
    return text;
}

static void test_money(void **state) {
    (void)state;
    assert_string_equal(number(en, 8512, 1920, 15080, BW_MONEY, false), "$8.5k");
    assert_string_equal(number(en, 251480, NAN, NAN, BW_MONEY, false), "$251k");
    assert_string_equal(number(en, -3.6e3, -6900, -300, BW_MONEY, true), "−$3.6k");
    assert_string_equal(number(en, 999960, NAN, NAN, BW_MONEY, false), "$1.0m");
    assert_string_equal(number(en, 2.694, 1.97, 3.76, BW_MONEY, false), "$2.7");
    assert_string_equal(number(en, 39.9, NAN, NAN, BW_MONEY, false), "$39.9");
    assert_string_equal(number(zh, 8512, 1920, 15080, BW_MONEY, false), "8,500 美元");
    assert_string_equal(number(zh, 251480, NAN, NAN, BW_MONEY, false), "25.1 万美元");
    assert_string_equal(number(zh, 3.2e9, NAN, NAN, BW_MONEY, true), "+32 亿美元");
}

static void test_no_minus_zero_and_no_empty_number(void **state) {
    (void)state;
    assert_string_equal(number(en, -0.0004, -0.2, 0.2, BW_POINTS, true), "0 points");
    assert_string_equal(number(en, -1e-12, NAN, NAN, BW_SHARE, true), "0.0%");
    assert_string_equal(number(en, 0, 0, 0, BW_MONEY, true), "$0"); /* no scale, no decimals */
}

static void test_shares_counts_and_units(void **state) {
    (void)state;
    assert_string_equal(number(en, 0.1795, NAN, NAN, BW_SHARE, true), "+18%");
    assert_string_equal(number(en, -0.0437, NAN, NAN, BW_SHARE, true), "−4.4%");
    assert_string_equal(number(en, 7228, NAN, NAN, BW_COUNT, false), "7,228");
    assert_string_equal(number(en, 1, NAN, NAN, BW_WEEKS, false), "1 week");
    assert_string_equal(number(en, 12, NAN, NAN, BW_WEEKS, false), "12 weeks");
    assert_string_equal(number(zh, 12, NAN, NAN, BW_WEEKS, false), "12 周");
    assert_string_equal(number(en, -0.23, -0.3, -0.16, BW_POINTS, false), "−23 points");
    assert_string_equal(number(zh, 0.19, 0.1, 0.28, BW_POINTS, true), "+19 分");
}

static const char *range(const bw_locale *l, double x, double lo, double hi, bw_unit unit) {
    bw_number style = bw_number_style(x, lo, hi, unit);
    bw_buf b = {0};
    bw_format_range(l, &b, lo, hi, &style);
    const char *text = bw_arena_text(arena, b.text);
    bw_buf_free(&b);
    return text;
}

static void test_ranges_share_one_scale(void **state) {
    (void)state;
    assert_string_equal(range(en, 8512, -290, 15080, BW_MONEY), "−$0.3k to $15.1k");
    assert_string_equal(range(zh, 8512, 1920, 15080, BW_MONEY), "1,900 至 15,100 美元");
    assert_string_equal(range(zh, 451000, 412000, 492000, BW_MONEY), "41.2 万 至 49.2 万美元");
    assert_string_equal(range(en, 0.12, 0.038, 0.202, BW_SHARE), "4% to 20%");
    assert_string_equal(range(en, 0.05, 0.01, 0.11, BW_POINTS), "1 to 11 points");
}

static const char *dates(const bw_locale *l, const char *first, const char *last) {
    bw_buf b = {0};
    bw_format_span(l, &b, first, last);
    const char *text = bw_arena_text(arena, b.text);
    bw_buf_free(&b);
    return text;
}

static void test_dates(void **state) {
    (void)state;
    char week[16];
    assert_string_equal(dates(en, "2026-11-09", "2026-11-15"), "9 to 15 Nov 2026");
    assert_string_equal(dates(en, "2026-08-31", "2026-09-06"), "31 Aug to 6 Sep 2026");
    assert_string_equal(dates(en, "2025-12-29", "2026-01-04"), "29 Dec 2025 to 4 Jan 2026");
    assert_string_equal(dates(zh, "2026-08-31", "2026-09-06"), "2026 年 8 月 31 日至 9 月 6 日");
    assert_string_equal(dates(zh, "2026-11-09", "2026-11-15"), "2026 年 11 月 9 日至 15 日");
    /* ISO 8601: 1 January 2027 is a Friday and lies in the last week of 2026. */
    bw_week_name("2027-01-01", week);
    assert_string_equal(week, "2026-W53");
    bw_week_name("2025-12-29", week);
    assert_string_equal(week, "2026-W01");
}

static void test_hedges_have_fixed_ranges(void **state) {
    (void)state;
    assert_string_equal(bw_hedge(en, 0.9), "very likely");
    assert_string_equal(bw_hedge(en, 0.8949), "likely");
    assert_string_equal(bw_hedge(en, 0.33), "about as likely as not");
    assert_string_equal(bw_hedge(en, 0.0049), "almost impossible");
    assert_string_equal(bw_hedge(zh, 0.99), "几乎可以肯定");
    bw_buf b = {0};
    bw_format_chance(en, &b, 0.9999);
    assert_string_equal(b.text, "over 99%");
    bw_buf_free(&b);
}

/* The word that goes with a percentage, from the ranges that the section on method states. */
static const char *word_for(const bw_locale *l, int percent) {
    static const int UP_TO[] = {0, 9, 32, 65, 89, 98, 100};
    char key[16];
    int i = 0;
    while (percent > UP_TO[i])
        i++;
    snprintf(key, sizeof key, "hedge.%d", i);
    return bw_word(l, key);
}

/* Steps of a thousandth, and a hair to either side: all bounds of words and of rounding are met. */
static void test_word_and_number_of_a_chance_agree(void **state) {
    (void)state;
    const bw_locale *both[] = {en, zh};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i <= 1000; i++)
            for (int hair = -1; hair <= 1; hair++) {
                double p = fmin(fmax(i / 1000.0 + hair * 1e-9, 0), 1);
                bw_buf b = {0};
                bw_format_chance(both[k], &b, p);
                bool over = strcmp(b.text, bw_word(both[k], "chance.over")) == 0,
                     under = strcmp(b.text, bw_word(both[k], "chance.under")) == 0;
                int percent = over ? 100 : under ? 0 : atoi(b.text);
                if (!over && !under && (percent < 1 || percent > 99))
                    fail_msg("%.10f is shown as %s", p, b.text);
                if (fabs(percent - p * 100) > 0.5 + 1e-6)
                    fail_msg("%.10f is shown as %s", p, b.text);
                if (strcmp(bw_hedge(both[k], p), word_for(both[k], percent)) != 0)
                    fail_msg("%.10f: %s (%s)", p, bw_hedge(both[k], p), b.text);
                bw_buf_free(&b);
            }
}

static void test_a_share_is_nothing_or_all_only_when_it_is(void **state) {
    (void)state;
    for (int i = 0; i <= 10000; i++) {
        double p = i / 10000.0;
        const char *text = number(en, p, NAN, NAN, BW_SHARE, false);
        if ((atof(text) == 0) != (i == 0) || (atof(text) == 100) != (i == 10000))
            fail_msg("%.4f is shown as %s", p, text);
    }
    assert_string_equal(number(en, 0.0002, NAN, NAN, BW_SHARE, false), "0.02%");
    assert_string_equal(number(en, 0.9996, NAN, NAN, BW_SHARE, false), "99.96%");
    assert_string_equal(number(en, 0.9996, 0.98, 1.02, BW_SHARE, false), "99.96%");
}

static void test_what_is_expected_of_a_count_keeps_its_half(void **state) {
    (void)state;
    bw_fact settled = {.id = "s", .unit = BW_COUNT, .value = 5, .lo = NAN, .hi = NAN},
            inside = {.id = "i", .unit = BW_COUNT, .value = 5, .lo = NAN, .hi = NAN};
    inside.reference = 4.5;
    bw_message m = {.key = "record.calibration"};
    bw_message_fact(&m, "settled", &settled);
    bw_message_fact(&m, "inside", &inside);
    const bw_locale *both[] = {en, zh};
    for (int k = 0; k < 2; k++) {
        bw_buf marked = {0}, plain = {0};
        bw_grammar_say(both[k], &m, 0, BW_PROSE, &marked);
        bw_unmark(marked.text, &plain);
        assert_non_null(strstr(plain.text, "4.5"));
        bw_buf_free(&marked);
        bw_buf_free(&plain);
    }
}

static void test_languages_hold_the_same_keys(void **state) {
    (void)state;
    for (size_t i = 0; bw_locale_key(en, i) || bw_locale_key(zh, i); i++)
        assert_string_equal(bw_locale_key(en, i) ? bw_locale_key(en, i) : "(end)",
                            bw_locale_key(zh, i) ? bw_locale_key(zh, i) : "(end)");
}

/* The names of the slots of a template, in alphabetical order, each once. */
static void slots_of(const char *text, char *out, size_t cap) {
    char names[16][24];
    size_t n = 0;
    out[0] = '\0';
    for (const char *p = text; (p = strchr(p, '{')) && n < 16; p++) {
        snprintf(names[n], sizeof names[n], "%.*s", (int)strcspn(p + 1, ":}"), p + 1);
        bool again = strcmp(names[n], "outcome") == 0 || strncmp(names[n], "currenc", 7) == 0 ||
                     strcmp(names[n], "is") == 0; /* terms of the language */
        for (size_t i = 0; i < n; i++)
            again = again || strcmp(names[i], names[n]) == 0;
        n += !again;
    }
    qsort(names, n, sizeof *names, (int (*)(const void *, const void *))strcmp);
    for (size_t i = 0; i < n; i++) {
        strncat(out, names[i], cap - strlen(out) - 2);
        strcat(out, " ");
    }
}

static void test_every_way_of_saying_it_uses_the_same_slots(void **state) {
    (void)state;
    const char *key, *text;
    for (size_t i = 0; (key = bw_locale_key(en, i)); i++) {
        if (strncmp(key, "number.", 7) == 0 || strncmp(key, "date.", 5) == 0 ||
            strncmp(key, "guard.", 6) == 0 || strncmp(key, "currency.", 9) == 0 ||
            strncmp(key, "ask.", 4) == 0)
            continue;
        char want[200], have[200];
        slots_of(bw_word(en, key), want, sizeof want);
        for (size_t k = 1; (text = bw_word_nth(en, key, k)); k++) {
            slots_of(text, have, sizeof have);
            if (strcmp(want, have) != 0)
                fail_msg("en %s: \"%s\" has slots %s, the first text has %s", key, text, have,
                         want);
        }
        for (size_t k = 0; (text = bw_word_nth(zh, key, k)); k++) {
            slots_of(text, have, sizeof have);
            if (strcmp(want, have) != 0)
                fail_msg("zh %s: \"%s\" has slots %s, English has %s", key, text, have, want);
        }
    }
}

static void test_chinese_spacing(void **state) {
    (void)state;
    bw_message m = {.key = "channels.worst"};
    bw_fact f = {.id = "next/tv",
                 .unit = BW_MONEY,
                 .value = 0.4,
                 .lo = 0.2,
                 .hi = 0.6,
                 .probability = 0.02,
                 .reference = NAN,
                 .n = NAN};
    bw_message_name(&m, "worst", "Daypack");
    bw_message_fact(&m, "down", &f);
    bw_buf marked = {0}, plain = {0};
    bw_grammar_say(zh, &m, 0, BW_PROSE, &marked);
    bw_unmark(marked.text, &plain);
    assert_non_null(strstr(plain.text, "下一美元投 Daypack 带回 0.4 美元，"));
    bw_buf_free(&marked);
    bw_buf_free(&plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_money),
        cmocka_unit_test(test_no_minus_zero_and_no_empty_number),
        cmocka_unit_test(test_shares_counts_and_units),
        cmocka_unit_test(test_ranges_share_one_scale),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_hedges_have_fixed_ranges),
        cmocka_unit_test(test_word_and_number_of_a_chance_agree),
        cmocka_unit_test(test_a_share_is_nothing_or_all_only_when_it_is),
        cmocka_unit_test(test_what_is_expected_of_a_count_keeps_its_half),
        cmocka_unit_test(test_languages_hold_the_same_keys),
        cmocka_unit_test(test_every_way_of_saying_it_uses_the_same_slots),
        cmocka_unit_test(test_chinese_spacing),
    };
    return cmocka_run_group_tests(tests, open_languages, close_languages);
}
