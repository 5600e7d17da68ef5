/* tests/analyze/test_table.c - CSV files become columns; bad cells are named by line and column. */
#include "tests/check.h"
#include "analyze/table.h"
#include "common/buf.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static bw_err err;
static char path[64];

static bw_table *load(const char *text) {
    bw_table *t = NULL;
    CHECK_OK(bw_file_write(path, text, strlen(text), &err));
    CHECK_OK(bw_table_load(path, &t, &err));
    return t;
}

static int setup(void **state) {
    (void)state;
    strcpy(path, "/tmp/bw_table_XXXXXX");
    int f = mkstemp(path);
    return f < 0 ? -1 : close(f);
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

static void columns_are_found_behind_a_byte_order_mark(void **state) {
    (void)state;
    bw_table *t = load("\xef\xbb\xbf"
                       "day,\"a, b\"\r\n2024-02-29,-1.5e3\r\n2024-03-01,\r\n");
    double *x, *day;
    CHECK_OK(bw_table_numbers(t, "a, b", &x, &err));
    CHECK_OK(bw_table_days(t, "day", &day, &err));
    CHECK_NEAR(x[0], -1500, 0);
    assert_true(isnan(x[1]));
    CHECK_NEAR(day[1] - day[0], 1, 0);
    free(x);
    CHECK_FAILS(bw_table_full_numbers(t, "a, b", &x, &err), BW_EFORMAT,
                "line 3, column a, b is empty");
    CHECK_FAILS(bw_table_numbers(t, "c", &x, &err), BW_EARG, "the columns are day, a, b");
    free(day);
    bw_table_free(t);
}

static void words_of_truth_are_numbers(void **state) {
    (void)state;
    bw_table *t = load("y\nTrue\nno\nYES\nFALSE\n");
    double *y;
    CHECK_OK(bw_table_numbers(t, "y", &y, &err));
    assert_true(y[0] == 1 && y[1] == 0 && y[2] == 1 && y[3] == 0);
    free(y);
    bw_table_free(t);
}

static void a_bad_cell_is_named(void **state) {
    (void)state;
    bw_table *t = load("a,b\n1,2\n3,x\n");
    double *b;
    CHECK_FAILS(bw_table_numbers(t, "b", &b, &err), BW_EFORMAT,
                "line 3, column b: 'x' is not a number");
    bw_table_free(t);
}

static void ragged_and_empty_files_are_refused(void **state) {
    (void)state;
    bw_table *t;
    static const struct {
        const char *text, *says;
    } BAD[] = {
        {"a,b\n1\n", "line 2 has 1 cells, the header has 2"},
        {"a,b\n1,2,3\n", "line 2 has more than the 2 cells"},
        {"a,b\n", "no rows"},
        {"a\n\"1\n", "does not end"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        CHECK_OK(bw_file_write(path, BAD[i].text, strlen(BAD[i].text), &err));
        CHECK_FAILS(bw_table_load(path, &t, &err), i == 2 ? BW_EDATA : BW_EFORMAT, BAD[i].says);
        assert_null(t);
    }
    CHECK_FAILS(bw_table_load("/nonexistent.csv", &t, &err), BW_EIO, "/nonexistent.csv");
}

static void a_gzipped_file_reads_the_same(void **state) {
    (void)state;
    gzFile f = gzopen(path, "wb");
    gzputs(f, "g\nb\na\nb\n");
    gzclose(f);
    bw_table *t;
    bw_groups g;
    CHECK_OK(bw_table_load(path, &t, &err));
    CHECK_OK(bw_table_groups(t, "g", &g, &err));
    assert_int_equal(g.n, 2);
    assert_string_equal(g.name[0], "a");
    assert_int_equal(g.code[2], 1);
    assert_int_equal(g.count[1], 2);
    assert_int_equal(bw_groups_find(&g, "c"), 2);
    bw_groups_free(&g);
    bw_table_free(t);
}

/* 1900 and 2100 are no leap years, 2000 is one; 1970-01-01 is day 0. */
static void days_follow_the_calendar(void **state) {
    (void)state;
    double d;
    char text[11];
    assert_true(bw_day_parse("1970-01-01", &d) && d == 0);
    assert_true(bw_day_parse("1969-12-31 23:59", &d) && d == -1);
    assert_true(bw_day_parse("2000-02-29", &d) && d == 11016);
    bw_day_format(d + 366, text);
    assert_string_equal(text, "2001-03-01");
    assert_false(bw_day_parse("2100-02-29", &d));
    assert_false(bw_day_parse("2024-1-01", &d));
    assert_false(bw_day_parse("2024-01-01x", &d));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_behind_a_byte_order_mark),
        cmocka_unit_test(words_of_truth_are_numbers),
        cmocka_unit_test(a_bad_cell_is_named),
        cmocka_unit_test(ragged_and_empty_files_are_refused),
        cmocka_unit_test(a_gzipped_file_reads_the_same),
        cmocka_unit_test(days_follow_the_calendar),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
