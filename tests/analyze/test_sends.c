/* tests/analyze/test_sends.c - messages added up in SQL: nothing is lost, however coarse the cells. */
#include "tests/check.h"
#include "analyze/timing/timing_cells.h"
#include "sql/db.h"

#include <stdlib.h>
#include <unistd.h>

static bw_err err;
static char path[] = "/tmp/bw_sends_XXXXXX";

/* Hours of `days` days from 2024-01-01 on, in `lists` audiences: one message of ten each, of which hour % 10
 * ordered; one more without a time of day. */
static sqlite3 *messages(int days, int lists) {
    char sql[700];
    sqlite3 *db;
    unlink(path);
    CHECK_OK(bw_db_open(path, BW_DB_CREATE, &db, &err));
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < %d), "
             "h(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM h WHERE i < 23), "
             "l(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM l WHERE i < %d) "
             "INSERT INTO message (id, channel, sent_at, audience, delivered, orders) SELECT "
             "printf('%%d-%%d-%%d', d.i, h.i, l.i), 'email', date('2024-01-01', '+' || d.i || ' "
             "days') || printf(' %%02d:30', h.i), 'list ' || l.i, 10, h.i %% 10 FROM d, h, l; "
             "INSERT INTO message (id, channel, sent_at, delivered, orders) VALUES ('x', 'email', "
             "'2024-01-01', 10, 1)",
             days - 1, lists - 1);
    CHECK_OK(bw_db_exec(db, sql, &err));
    return db;
}

static void read_all(sqlite3 *db, bw_sends *s) {
    CHECK_OK(bw_sends_gather(db, "orders", s, &err));
    CHECK_OK(bw_sends_read(db, s, &err));
    bw_cells_drop(db);
}

static void totals(const bw_sends *s, double out[3]) {
    out[0] = out[1] = out[2] = 0;
    for (size_t i = 0; i < s->channel[0].n; i++) {
        out[0] += s->channel[0].send[i].messages;
        out[1] += s->channel[0].send[i].trials;
        out[2] += s->channel[0].send[i].successes;
    }
}

/* Orders a day and list: 0 + 1 + ... + 9, twice, and 0 + 1 + 2 + 3. */
#define ORDERS_A_DAY 96.0

static void few_cells_stay_days(void **state) {
    (void)state;
    sqlite3 *db = messages(40, 2);
    bw_sends s;
    double sum[3];
    read_all(db, &s);
    assert_false(s.merged);
    assert_int_equal(s.channels, 1);
    assert_int_equal(s.channel[0].n, 40 * 24 * 2);
    assert_int_equal(s.channel[0].audiences, 2);
    assert_true(s.untimed == 1);
    totals(&s, sum);
    CHECK_NEAR(sum[2], 40 * 2 * ORDERS_A_DAY, 1e-9);
    bw_sends_free(&s);
    bw_db_close(db);
}

/* 400 days x 24 hours x 12 lists are more cells than are kept: days of one month, weekday and kind are one. */
static void many_cells_are_put_together_and_nothing_is_lost(void **state) {
    (void)state;
    sqlite3 *db = messages(400, 12);
    CHECK_OK(bw_db_exec(
        db, "INSERT INTO event VALUES ('2024-05-06', '2024-05-06', 'sale', 'promotion')", &err));
    bw_sends s;
    double sum[3], promoted = 0;
    read_all(db, &s);
    assert_true(s.merged && s.channel[0].n < BW_CELLS_MOST);
    assert_int_equal(s.channel[0].audiences, 12);
    totals(&s, sum);
    CHECK_NEAR(sum[0], 400 * 24 * 12, 1e-9);
    CHECK_NEAR(sum[1], 400 * 24 * 12 * 10, 1e-9);
    CHECK_NEAR(sum[2], 400 * 12 * ORDERS_A_DAY, 1e-9);
    for (size_t i = 0; i < s.channel[0].n; i++)
        promoted += s.channel[0].send[i].promotion ? s.channel[0].send[i].messages : 0;
    CHECK_NEAR(promoted, 24 * 12, 1e-9); /* the one promoted Monday stays apart */
    bw_sends_free(&s);
    bw_db_close(db);
}

/* Single recipients as audiences: no code for each, and still every message counts. */
static void single_recipients_are_no_audiences(void **state) {
    (void)state;
    sqlite3 *db = messages(3, 1500);
    bw_sends s;
    double sum[3];
    read_all(db, &s);
    assert_true(s.merged);
    totals(&s, sum);
    CHECK_NEAR(sum[0], 3 * 24 * 1500, 1e-9);
    bw_sends_free(&s);
    bw_db_close(db);
}

static int setup(void **state) {
    (void)state;
    close(mkstemp(path));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_cells_stay_days),
        cmocka_unit_test(many_cells_are_put_together_and_nothing_is_lost),
        cmocka_unit_test(single_recipients_are_no_audiences),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
