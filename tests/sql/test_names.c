/* tests/sql/test_names.c - names of columns, text on a terminal, pairs of an option, mappings. */
#include "tests/check.h"
#include "sql/import/columns.h"
#include "sql/import/kinds.h"
#include "sql/safetext.h"
#include "sql/setting.h"
#include "sql/import/wide.h"

#include <stdlib.h>

static void names_are_simplified(void **state) {
    (void)state;
    static const char *const CASES[][2] = {{"Amount Spent (USD)", "amountspent"},
                                           {"date_week", "dateweek"},
                                           {"  Impr. ", "impr"},
                                           {"花费", "花费"},
                                           {"(odd)", "odd"},
                                           {"!!", ""}};
    char out[64];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bw_name_simplify(CASES[i][0], out, sizeof out);
        assert_string_equal(out, CASES[i][1]);
    }
    bw_name_simplify("abcdefghij", out, 4); /* cut, still terminated */
    assert_string_equal(out, "abc");
}

static void fields_know_their_other_names(void **state) {
    (void)state;
    const bw_kind *spend = bw_kind_find("spend");
    const bw_field *cost = &spend->fields[bw_kind_field(spend, "cost")];
    assert_int_equal(bw_field_fits(cost, "Cost"), 2);
    assert_int_equal(bw_field_fits(cost, "Amount spent (EUR)"), 1);
    assert_int_equal(bw_field_fits(cost, "消耗"), 1);
    assert_int_equal(bw_field_fits(cost, "costs of goods"), 0);
    assert_int_equal(bw_field_fits(cost, "spen"), 0); /* part of a name is not the name */
    assert_int_equal(bw_field_fits(cost, ""), 0);
    assert_null(bw_kind_find("spending"));
}

/* Levenshtein distances by hand. */
static void distances(void **state) {
    (void)state;
    assert_int_equal(bw_name_distance("kitten", "sitting"), 3);
    assert_int_equal(bw_name_distance("", "abc"), 3);
    assert_int_equal(bw_name_distance("abc", ""), 3);
    assert_int_equal(bw_name_distance("Spend", "sPEND"), 0); /* case does not count */
}

static void widths_on_a_terminal(void **state) {
    (void)state;
    assert_int_equal(bw_text_width("abc"), 3);
    assert_int_equal(bw_text_width("中文a"), 5);
    assert_int_equal(bw_text_width("e\xCC\x81"), 1); /* e and a combining accent */
    assert_int_equal(bw_text_width("\xFF"), 1);
    char text[] = "中文中文";
    bw_text_cut(text, 6);
    assert_string_equal(text, "中文…");
    char fits[] = "abc";
    bw_text_cut(fits, 3);
    assert_string_equal(fits, "abc");
}

static void safe_is(const char *text, const char *expected) {
    bw_buf b = {0};
    bw_buf_add(&b, "");
    bw_buf_add_safe(&b, text);
    assert_string_equal(b.text, expected);
    bw_buf_free(&b);
}

static void nothing_commands_a_terminal(void **state) {
    (void)state;
    safe_is("plain 中", "plain 中");
    safe_is("\x1b]0;t\x07", "\\x1b]0;t\\x07");
    safe_is("a\r\n\tb", "a\\r\\n\\tb");
    safe_is("\xC2\x9B", "\\x9b"); /* U+009B, a C1 control */
    safe_is("\xE2\x80\xAE"
            "x",
            "\\u202ex"); /* right-to-left override */
    safe_is("\xE2\x81\xA6", "\\u2066");
    safe_is("bad \xFF", "bad \\xff");
}

static void pairs_of_an_option(void **state) {
    (void)state;
    const char *list = "day=Order date,cost=a\\,b,x=";
    char buf[40], *key, *value;
    assert_int_equal(bw_pair_next(&list, buf, sizeof buf, &key, &value), 1);
    assert_string_equal(key, "day");
    assert_string_equal(value, "Order date");
    assert_int_equal(bw_pair_next(&list, buf, sizeof buf, &key, &value), 1);
    assert_string_equal(value, "a,b");
    assert_int_equal(bw_pair_next(&list, buf, sizeof buf, &key, &value), 1);
    assert_string_equal(value, "");
    assert_int_equal(bw_pair_next(&list, buf, sizeof buf, &key, &value), 0);
    const char *wrong = "day", *longer = "abcdefghijkl=1";
    assert_int_equal(bw_pair_next(&wrong, buf, sizeof buf, &key, &value), -1);
    assert_int_equal(bw_pair_next(&longer, buf, 8, &key, &value), -1);
}

static void mapping_fails(const char *json, const char *said) {
    bw_wide_map m = {0};
    bw_err err;
    CHECK_FAILS(bw_wide_map_parse(json, &m, &err), BW_EFORMAT, said);
    bw_wide_map_free(&m);
}

static void mappings_are_checked(void **state) {
    (void)state;
    bw_wide_map m = {0};
    bw_err err;
    CHECK_OK(bw_wide_map_parse(
        "{\"date\":\"d\",\"outcome\":\"y\",\"spend\":[\"a\"],\"exposure\":{\"i\":\"a\"},"
        "\"geo\":null,\"currency\":\"EUR\"}",
        &m, &err));
    assert_int_equal(m.n, 4);
    assert_int_equal(m.list[2].role, BW_WIDE_SPEND);
    assert_string_equal(m.list[2].name, "a");
    assert_string_equal(m.list[3].column, "i");
    assert_string_equal(m.outcome_kind, "revenue");
    bw_wide_map_free(&m);
    mapping_fails("[]", "not a JSON object");
    mapping_fails("{\"outcome\":\"y\"}", "\"date\" is missing");
    mapping_fails("{\"date\":\"d\"}", "nothing but the date");
    mapping_fails("{\"date\":1,\"outcome\":\"y\"}", "name of one column");
    mapping_fails("{\"date\":\"d\",\"spend\":\"a\"}", "a list of columns");
    mapping_fails("{\"date\":\"d\",\"spend\":[1]}", "not text");
    mapping_fails("{\"date\":\"d\",\"outcome\":{\"column\":\"y\",\"kind\":\"clicks\"}}",
                  "'clicks' is not one of");
    mapping_fails("{\"date\":\"d\",\"outcome\":\"y\",\"spnd\":[]}", "is \"spend\" meant");
    mapping_fails("{\"date\":\"d\",\"currency\":\"Euro\"}", "three letters");
}

static void settings_are_checked(void **state) {
    (void)state;
    char out[40];
    bw_err err;
    CHECK_OK(bw_setting_check("week_start", "Sat", out, sizeof out, &err));
    assert_string_equal(out, "6");
    CHECK_OK(bw_setting_check("currency", "eur", out, sizeof out, &err));
    assert_string_equal(out, "EUR");
    CHECK_OK(bw_setting_check("margin", "35 %", out, sizeof out, &err));
    assert_string_equal(out, "0.35");
    CHECK_OK(bw_setting_check("plan.revenue", "1000", out, sizeof out, &err));
    CHECK_FAILS(bw_setting_check("week_start", "7", out, sizeof out, &err), BW_EARG,
                "no day of the week");
    CHECK_FAILS(bw_setting_check("currency", "E1R", out, sizeof out, &err), BW_EARG,
                "three letters");
    CHECK_FAILS(bw_setting_check("margin", "1.5", out, sizeof out, &err), BW_EARG,
                "between 0 and 1");
    CHECK_FAILS(bw_setting_check("owner.", "x", out, sizeof out, &err), BW_EARG, "no setting");
    CHECK_FAILS(bw_setting_check("language", "de", out, sizeof out, &err), BW_EARG, "en or zh");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_simplified),
        cmocka_unit_test(fields_know_their_other_names),
        cmocka_unit_test(distances),
        cmocka_unit_test(widths_on_a_terminal),
        cmocka_unit_test(nothing_commands_a_terminal),
        cmocka_unit_test(pairs_of_an_option),
        cmocka_unit_test(mappings_are_checked),
        cmocka_unit_test(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
