/* tests/sql/test_value.c - numbers and dates as people write them, and what is refused. */
#include "tests/check.h"
#include "sql/value.h"

#include <stdlib.h>

static void number_is(const char *text, char decimal, double expected) {
    double v = -12345;
    if (!bw_number_parse(text, strlen(text), decimal, &v) || v != expected)
        fail_msg("'%s' with '%c' is %.17g, expected %.17g", text, decimal, v, expected);
}

static void no_number(const char *text, char decimal) {
    double v;
    if (bw_number_parse(text, strlen(text), decimal, &v))
        fail_msg("'%s' with '%c' was read as %.17g", text, decimal, v);
}

static void plain_numbers_are_exact(void **state) {
    (void)state;
    /* strtod is correctly rounded in glibc; the short path must agree to the last bit. */
    static const char *const TEXTS[] = {"0",
                                        "-0.5",
                                        "0.1",
                                        "123456789.012345",
                                        "999999999999999",
                                        "1e3",
                                        "-2.5E-3",
                                        "0.000000000000001",
                                        ".5",
                                        "5.",
                                        "9007199254740993",
                                        "3.14159265358979312",
                                        "00012.50"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        number_is(TEXTS[i], '.', strtod(TEXTS[i], NULL));
}

static void marks_of_several_countries(void **state) {
    (void)state;
    number_is("1,234.5", '.', 1234.5);
    number_is("1.234,5", ',', 1234.5);
    number_is("12.345.678", ',', 12345678);
    number_is("1 234,5", ',', 1234.5);
    number_is("1'234.5", '.', 1234.5);
    number_is("1\xC2\xA0"
              "234,5",
              ',', 1234.5);
    number_is("1\xE2\x80\xAF"
              "234",
              '.', 1234);
    number_is("$1,000", '.', 1000);
    number_is("-€ 3,5", ',', -3.5);
    number_is("3,5 €", ',', 3.5);
    number_is("EUR 12.5", '.', 12.5);
    number_is("12.5 USD", '.', 12.5);
    number_is("¥99", '.', 99);
    number_is("(42)", '.', -42);
    number_is("\xE2\x88\x92"
              "7",
              '.', -7);
    number_is("15 %", '.', 0.15);
    number_is("+8", '.', 8);
}

static void what_is_no_number(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"",     "abc", "1.2.3", "1,23,456", "1,2345", "12O",
                                        "0x1F", "nan", "inf",   "1e999",    "--",     "1,",
                                        ",5",   "$",   "1 2",   "%",        "1.5.",   "2024-01-01"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        no_number(TEXTS[i], '.');
    no_number("1,234.5", ',');
    no_number("1.5", ','); /* a group of one digit */
}

static void forms_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bw_number_form form;
    } CASES[] = {{"12", BW_NUMBER_PLAIN},         {"1.5", BW_NUMBER_POINT},
                 {"1,5", BW_NUMBER_COMMA},        {"1,234", BW_NUMBER_EITHER},
                 {"1.234", BW_NUMBER_EITHER_DOT}, {"1,234.5", BW_NUMBER_POINT},
                 {"1.234,5", BW_NUMBER_COMMA},    {"1,234,567", BW_NUMBER_POINT},
                 {"1.234.567", BW_NUMBER_COMMA},  {"0,123", BW_NUMBER_COMMA},
                 {"0.123", BW_NUMBER_POINT},      {"x", BW_NUMBER_NOT},
                 {"$1,234", BW_NUMBER_EITHER}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (bw_number_judge(CASES[i].text, strlen(CASES[i].text)) != CASES[i].form)
            fail_msg("'%s' was judged %d, expected %d", CASES[i].text,
                     (int)bw_number_judge(CASES[i].text, strlen(CASES[i].text)),
                     (int)CASES[i].form);
}

static void date_is(const char *text, bw_date_order order, const char *day, int minute) {
    bw_date d;
    char out[11] = "";
    if (bw_date_parse(text, strlen(text), order, &d))
        bw_day_text(d.day, out);
    if (strcmp(out, day) != 0 || (*day && d.minute != minute))
        fail_msg("'%s' is '%s' minute %d, expected '%s' minute %d", text, out, *out ? d.minute : -2,
                 day, minute);
}

static void dates_of_many_forms(void **state) {
    (void)state;
    date_is("2024-02-29", BW_ORDER_UNKNOWN, "2024-02-29", -1);
    date_is("2024/2/9", BW_ORDER_UNKNOWN, "2024-02-09", -1);
    date_is("20240229", BW_ORDER_UNKNOWN, "2024-02-29", -1);
    date_is("2024-02-29T23:59:10.5Z", BW_ORDER_UNKNOWN, "2024-02-29", 1439);
    date_is("2024-02-29 09:05:00+02:00", BW_ORDER_UNKNOWN, "2024-02-29", 545);
    date_is("2024年5月3日", BW_ORDER_UNKNOWN, "2024-05-03", -1);
    date_is("29.02.2024", BW_ORDER_UNKNOWN, "2024-02-29", -1);
    date_is("1.2.24", BW_ORDER_UNKNOWN, "2024-02-01", -1); /* dots: the day comes first */
    date_is("1.2.24", BW_ORDER_MDY, "2024-02-01", -1);
    date_is("3/4/2024", BW_ORDER_DMY, "2024-04-03", -1);
    date_is("3/4/2024", BW_ORDER_MDY, "2024-03-04", -1);
    date_is("3/14/2024 1:30 PM", BW_ORDER_UNKNOWN, "2024-03-14", 810);
    date_is("12/31/69", BW_ORDER_UNKNOWN, "2069-12-31", -1);
    date_is("12/31/70", BW_ORDER_UNKNOWN, "1970-12-31", -1);
    date_is("3 May 2024", BW_ORDER_UNKNOWN, "2024-05-03", -1);
    date_is("May 3, 2024", BW_ORDER_UNKNOWN, "2024-05-03", -1);
    date_is("03-May-24 12:00 AM", BW_ORDER_UNKNOWN, "2024-05-03", 0);
    /* ISO weeks by GNU date: 2020-W53 begins 2020-12-28, 2026-W01 begins 2025-12-29. */
    date_is("2020-W53", BW_ORDER_UNKNOWN, "2020-12-28", -1);
    date_is("2026-W01", BW_ORDER_UNKNOWN, "2025-12-29", -1);
    /* date -u -d @1390694400: 2014-01-26 00:00. */
    date_is("1390694400", BW_ORDER_UNKNOWN, "2014-01-26", 0);
    date_is("1390694460000", BW_ORDER_UNKNOWN, "2014-01-26", 1);
}

static void what_is_no_date(void **state) {
    (void)state;
    static const char *const TEXTS[] = {
        "",        "2023-02-29", "2024-13-01", "2024-00-10",      "31/31/2024",  "45292",
        "1.234",   "12",         "tomorrow",   "2024-1",          "2024-01-01x", "25:00",
        "1/2/3/4", "2024-W54",   "00/00/0000", "2024-01-01 25:00"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        date_is(TEXTS[i], BW_ORDER_UNKNOWN, "", 0);
}

static void order_is_seen(void **state) {
    (void)state;
    bw_date d;
    assert_true(bw_date_parse("13/04/2024", 10, BW_ORDER_UNKNOWN, &d));
    assert_int_equal(d.form, BW_DATE_DMY);
    assert_true(bw_date_parse("04/13/2024", 10, BW_ORDER_UNKNOWN, &d));
    assert_int_equal(d.form, BW_DATE_MDY);
    assert_true(bw_date_parse("04/05/2024", 10, BW_ORDER_UNKNOWN, &d));
    assert_int_equal(d.form, BW_DATE_EITHER);
    assert_true(bw_date_parse("05/05/2024", 10, BW_ORDER_MDY, &d));
    assert_int_equal(d.day, bw_day_number(2024, 5, 5));
}

/* Every day of four centuries: number to text and back, one weekday after the other. */
static void the_calendar_is_whole(void **state) {
    (void)state;
    int first = bw_day_number(1899, 12, 31), weekday = bw_day_weekday(first);
    assert_int_equal(bw_day_number(1970, 1, 1), 0);
    assert_int_equal(bw_day_weekday(0), 4); /* a Thursday */
    assert_int_equal(bw_day_number(2400, 1, 1),
                     157054); /* Python: (date(2400,1,1)-date(1970,1,1)).days */
    for (int day = first; day < 157054; day++) {
        char text[11];
        bw_date d;
        bw_day_text(day, text);
        assert_true(bw_date_parse(text, 10, BW_ORDER_UNKNOWN, &d));
        assert_int_equal(d.day, day);
        assert_int_equal(bw_day_weekday(day), weekday);
        weekday = (weekday + 1) % 7;
    }
}

static void no_value_has_many_names(void **state) {
    (void)state;
    static const char *const NONE[] = {"", "NA", "n/a", "NULL", "None", "NaN", "-", "--"};
    static const char *const SOME[] = {"0", "no", "nano", "-1", "nil."};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_true(bw_value_missing(NONE[i], strlen(NONE[i])));
    for (size_t i = 0; i < sizeof SOME / sizeof *SOME; i++)
        assert_false(bw_value_missing(SOME[i], strlen(SOME[i])));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_numbers_are_exact), cmocka_unit_test(marks_of_several_countries),
        cmocka_unit_test(what_is_no_number),       cmocka_unit_test(forms_are_told_apart),
        cmocka_unit_test(dates_of_many_forms),     cmocka_unit_test(what_is_no_date),
        cmocka_unit_test(order_is_seen),           cmocka_unit_test(the_calendar_is_whole),
        cmocka_unit_test(no_value_has_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
