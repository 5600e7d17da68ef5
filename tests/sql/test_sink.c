/* tests/sql/test_sink.c - new, same, changed, repeated, in conflict: told apart in an empty table and
 * in a full one; the doctor's calendar; sets of names. */
#include "tests/check.h"
#include "sql/import/doctor.h"
#include "sql/import/names.h"
#include "sql/import/sink.h"
#include "sql/value.h"

#include <stdlib.h>

static const bw_sink_column COLUMNS[] = {
    {"k", true, false}, {"x", false, true}, {"t", false, false}};

static bw_row_fate put(bw_sink *s, const char *k, double x, const char *t) {
    bw_err err;
    bw_row_fate fate;
    bw_value v[3] = {
        {BW_VALUE_TEXT, k, strlen(k), 0}, {BW_VALUE_REAL, NULL, 0, x}, {BW_VALUE_NULL, NULL, 0, 0}};
    if (t)
        v[2] = (bw_value){BW_VALUE_TEXT, t, strlen(t), 0};
    CHECK_OK(bw_sink_put(s, v, &fate, &err));
    return fate;
}

static double number(sqlite3 *db, const char *sql) {
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    double v = sqlite3_column_double(q, 0);
    sqlite3_finalize(q);
    return v;
}

static void fates_in_two_imports(void **state) {
    (void)state;
    sqlite3 *db;
    bw_sink *s;
    bw_err err;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    sqlite3_exec(db,
                 "CREATE TABLE p(k TEXT PRIMARY KEY, x REAL, t TEXT, other TEXT DEFAULT 'kept') "
                 "WITHOUT ROWID",
                 NULL, NULL, NULL);
    CHECK_OK(bw_sink_new(db, "p", COLUMNS, 3, &s, &err));
    assert_int_equal(put(s, "a", 1, NULL), BW_ROW_NEW);
    assert_int_equal(put(s, "a", 1, NULL), BW_ROW_REPEATED);
    assert_int_equal(put(s, "a", 2, NULL), BW_ROW_CONFLICT);
    assert_int_equal(put(s, "a", 1, "x"), BW_ROW_CONFLICT); /* NULL and a text differ */
    assert_int_equal(put(s, "b", 5, "y"), BW_ROW_NEW);
    bw_sink_free(s);
    assert_true(number(db, "SELECT x FROM p WHERE k = 'a'") == 1); /* a conflict writes nothing */

    CHECK_OK(bw_sink_new(db, "p", COLUMNS, 3, &s, &err)); /* the next import: the table is full */
    assert_int_equal(put(s, "a", 1, NULL), BW_ROW_SAME);
    assert_int_equal(put(s, "a", 1, NULL), BW_ROW_REPEATED);
    assert_int_equal(put(s, "b", 6, "y"), BW_ROW_CHANGED);
    assert_int_equal(put(s, "b", 6, "y"), BW_ROW_REPEATED);
    assert_int_equal(put(s, "b", 7, "y"), BW_ROW_CONFLICT);
    assert_int_equal(put(s, "c", 1, NULL), BW_ROW_NEW);
    assert_int_equal(put(s, "c", 2, NULL), BW_ROW_CONFLICT);
    bw_value add[3] = {
        {BW_VALUE_TEXT, "c", 1, 0}, {BW_VALUE_REAL, NULL, 0, 2.5}, {BW_VALUE_TEXT, "last", 4, 0}};
    CHECK_OK(bw_sink_add(s, add, &err));
    bw_sink_free(s);
    assert_true(number(db, "SELECT x FROM p WHERE k = 'c'") == 3.5);
    assert_true(number(db, "SELECT t = 'last' AND other = 'kept' FROM p WHERE k = 'c'") == 1);
    sqlite3_close(db);
}

static void a_name_has_one_number(void **state) {
    (void)state;
    bw_names s = {0};
    char name[20];
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 500; i++) {
            int n = snprintf(name, sizeof name, "n%zu", i * i);
            assert_int_equal(bw_names_number(&s, name, (size_t)n), i);
        }
    assert_int_equal(bw_names_number(&s, "", 0), 500);   /* the empty name is a name */
    assert_int_equal(bw_names_number(&s, "n1", 1), 501); /* "n": a prefix is another name */
    assert_int_equal(s.n, 502);
    bw_names_free(&s);
}

struct seen {
    bw_doctor *d;
    bw_findings f;
};

static void see(struct seen *s, const char *series, int day, double value, bool paid) {
    bw_doctor_see(s->d, &(bw_sighting){series, "", "col", day, value, 2 + day % 1000, paid}, &s->f);
}

static size_t count_rule(const bw_findings *f, const char *rule) {
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        n += strcmp(f->list[i].rule, rule) == 0;
    return n;
}

/* Days in any order, years apart, before the first one seen: the calendar grows both ways. */
static void days_come_in_any_order(void **state) {
    (void)state;
    struct seen s = {bw_doctor_new(), {0}};
    bw_rhythm r;
    int base = bw_day_number(2020, 1, 6); /* a Monday */
    for (int i = 299; i >= 0; i--)
        if (i != 100 && i != 101)
            see(&s, "x", base + 7 * ((i * 7) % 300), 1 + i % 5,
                false); /* 7 and 300 share no factor */
    bw_doctor_finish(s.d, &s.f, &r);
    assert_true(r.weekly);
    assert_int_equal(r.week_day, 1);
    assert_int_equal(r.days, 298);
    /* 100 * 7 % 300 = 100 and 101 * 7 % 300 = 107: two gaps of one week. */
    assert_int_equal(count_rule(&s.f, "gap"), 2);
    assert_non_null(strstr(s.f.list[0].message, "1 week from 2021-12-06"));
    bw_doctor_free(s.d);
    bw_findings_free(&s.f);
}

static void irregular_days_have_no_gaps(void **state) {
    (void)state;
    struct seen s = {bw_doctor_new(), {0}};
    bw_rhythm r;
    static const int DAYS[] = {0, 1, 5, 6, 13, 20, 21, 40, 44, 45, 60, 99};
    for (size_t i = 0; i < sizeof DAYS / sizeof *DAYS; i++)
        see(&s, "x", 19000 + DAYS[i], 1.0 + (double)i, true);
    bw_doctor_finish(s.d, &s.f, &r);
    assert_false(r.weekly);
    assert_int_equal(s.f.n, 0);
    bw_doctor_free(s.d);
    bw_findings_free(&s.f);
}

/* Several rows of one day are one value: 12 days of 4 x 25, then a day of 4 x 2500. */
static void a_day_is_the_sum_of_its_rows(void **state) {
    (void)state;
    struct seen s = {bw_doctor_new(), {0}};
    bw_rhythm r;
    for (int day = 0; day < 16; day++)
        for (int row = 0; row < 4; row++)
            see(&s, "x", 19000 + day, (day < 12 ? 25 : 2500) + day, true);
    bw_doctor_finish(s.d, &s.f, &r);
    assert_int_equal(count_rule(&s.f, "unit_jump"), 1);
    assert_string_equal(s.f.list[0].value, "10048"); /* 4 x (2500 + 12) */
    bw_doctor_free(s.d);
    bw_findings_free(&s.f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fates_in_two_imports),
        cmocka_unit_test(a_name_has_one_number),
        cmocka_unit_test(days_come_in_any_order),
        cmocka_unit_test(irregular_days_have_no_gaps),
        cmocka_unit_test(a_day_is_the_sum_of_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
