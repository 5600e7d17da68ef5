/* tests/reports/test_ledger.c - a simulated shop takes advice of every kind; eight weeks later the
 * ledger measures each by its own yardstick, or says why it cannot. */
#include "tests/check.h"
#include "demo/demo.h"
#include "model/model.h"
#include "reports/advice/advice.h"
#include "reports/shop.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEEK "2026-06-29"

static char path[] = "/tmp/bw_ledger_XXXXXX";
static sqlite3 *db;

static double number(const char *sql) {
    return bw_db_number(db, sql, NAN);
}

/* Gains are what the simulation's rules give, not what a model estimated: */
static const char *const ADVICE =
    /* the mean of the two hours of the window over the mean of the hours that e-mails went out at */
    "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, gain_hi, due, gain_unit) "
    "SELECT 'A-timing', '" WEEK "', 'timing', 'email', "
    "json_object('window', '6-18/6-19', 'lift', g), g, 0.6 * g, 1.4 * g, '2026-07-06', 'rate' FROM "
    "(SELECT (SELECT avg(value) FROM demo_truth WHERE name = 'timing' AND subject = 'email' AND at "
    "IN ('6-18', '6-19')) / (SELECT sum(t.value * m.delivered) / sum(m.delivered) FROM message m "
    "JOIN demo_truth t ON t.name = 'timing' AND t.subject = 'email' AND t.at = "
    "printf('%d-%02d', (strftime('%w', substr(sent_at, 1, 10)) + 6) % 7, substr(sent_at, 12, 2)) "
    "WHERE channel = 'email') - 1 AS g);"
    "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, gain_hi, due, gain_unit) "
    "SELECT 'A-content', '" WEEK "', 'content', 'email', "
    "'{\"feature\": \"personal\", \"lift\": 0.15}', value, value - 0.05, value + 0.05, "
    "'2026-07-10', 'rate' FROM demo_truth WHERE name = 'content' AND subject = 'personal';"
    /* one tenth dearer: profit a week at margin 0.45, from the product's own elasticity */
    "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, gain_hi, due, gain_unit) "
    "SELECT 'A-price', '" WEEK "', 'price', 'Merino shirt', json_object('from', p, 'to', 1.1 * p), "
    "g, g - abs(g) * 0.3, g + abs(g) * 0.3, '2026-07-10', 'profit' FROM (SELECT p, u * "
    "(pow(1.1, e) * (1.1 * p - 0.55 * p) - 0.45 * p) AS g FROM (SELECT avg(price) AS p, sum(units) "
    "/ 18.0 AS u, (SELECT value FROM demo_truth WHERE name = 'elasticity' AND subject = 'Merino "
    "shirt') AS e FROM outcome WHERE product = 'Merino shirt' AND day BETWEEN '2026-07-13' AND "
    "'2026-11-15'));"
    "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, gain_hi, due, gain_unit) "
    "VALUES ('A-complaint', '" WEEK "', 'complaint', 'delivery', '{}', 0.5, 0.2, 0.8, "
    "'2026-07-10', 'balance');"
    /* the same price, promised far too much */
    "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, gain_hi, due, gain_unit) "
    "SELECT 'A-boast', week, kind, subject, action, 9 * gain, 8.5 * gain, 9.5 * gain, due, "
    "gain_unit FROM advice WHERE id = 'A-price';"
    "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, gain_hi, due, gain_unit) "
    "VALUES ('A-again', '" WEEK "', 'promotion', 'Spring sale 2026', '{\"again\": 1}', 30000, "
    "10000, 50000, '2026-07-10', 'once');"
    "INSERT INTO model_run (id, kind, engine, seed, input, created_at) VALUES (9, 'promotion', "
    "'test', 1, '', '');"
    "INSERT INTO estimate (run, name, subject, at, mean, sd) VALUES "
    "(9, 'net', 'Spring sale 2026', '2026-03-23', 70000, 30000), "
    "(9, 'net', 'Trail week 2026', '2026-09-14', 14000, 9000);"
    "INSERT INTO advice (id, week, kind, subject, action, due) VALUES "
    "('A-test', '" WEEK "', 'experiment', 'search', '{\"weeks\": 4}', '2026-07-13'), "
    "('A-stop', '" WEEK "', 'promotion', 'Trail week 2024', '{\"again\": 0}', '2026-07-10'), "
    "('A-idle', '" WEEK "', 'timing', 'short_video', '{\"window\": \"0-20/0-21\"}', '2026-07-06');";

/* The command `score`, as a person would run it. */
static void score(void) {
    bw_err err = {{0}};
    char *argv[] = {"score", "--db", path, NULL};
    for (const bw_command *c = BW_MODEL_COMMANDS; c->name; c++)
        if (strcmp(c->name, "score") == 0)
            CHECK_OK(c->run(3, argv, &err));
}

static int settle_shop(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_demo_options o = bw_demo_default(3);
    o.reviews = 2200;
    o.customers = 60;
    bw_shop *s;
    int taken;
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    CHECK_OK(bw_db_open(path, BW_DB_CREATE, &db, &err));
    CHECK_OK(bw_demo_fill(db, &o, &err));
    score();
    CHECK_OK(bw_db_exec(db, ADVICE, &err));
    CHECK_OK(bw_db_exec(db, "UPDATE advice SET status = 'accepted' WHERE id = 'A-idle'", &err));
    CHECK_OK(bw_demo_follow(db, &o, WEEK, &taken, &err));
    assert_int_equal(taken, 5);
    CHECK_OK(bw_db_exec(db, "UPDATE advice SET status = 'done'", &err));
    score();
    CHECK_OK(bw_shop_open(db, "en", NULL, &s, &err));
    CHECK_OK(bw_advice_settle(s, &err));
    bw_shop_close(s);
    return 0;
}

static int count(const char *condition) {
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM advice_record WHERE %s", condition);
    return (int)number(sql);
}

static double of(const char *id, const char *column) {
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT %s FROM advice_record WHERE id = '%s'", column, id);
    return number(sql);
}

static int close_shop(void **state) {
    (void)state;
    bw_db_close(db);
    unlink(path);
    return 0;
}

/* The simulation pays the window its index; what is lost by sending all of it on one day (fatigue)
 * comes off, so the measure may lie below the promise but not above it by much. */
static void another_hour_is_measured_by_the_messages_since(void **state) {
    (void)state;
    assert_int_equal(count("id = 'A-timing' AND method = 'messages' AND status = 'settled'"), 1);
    assert_true(of("A-timing", "realised_lo") > 0);
    CHECK_NEAR(of("A-timing", "realised"), of("A-timing", "gain"), 0.15);
    CHECK_NEAR(of("A-timing", "inside"), 1, 0);
}

/* Expected: the lift the simulation gives a personal address. */
static void a_feature_is_measured_by_the_messages_since(void **state) {
    (void)state;
    double half = (of("A-content", "realised_hi") - of("A-content", "realised_lo")) / 2;
    CHECK_NEAR(of("A-content", "realised"), of("A-content", "gain"), 1.6 * half);
    assert_true(half < 0.35);
    CHECK_NEAR(of("A-content", "inside"), 1, 0);
}

/* Expected: profit at the simulation's own elasticity, worked out in ADVICE. */
static void a_price_is_measured_against_the_other_products(void **state) {
    (void)state;
    assert_true(of("A-price", "realised_lo") < of("A-price", "gain"));
    assert_true(of("A-price", "gain") < of("A-price", "realised_hi"));
    assert_true(of("A-price", "realised_lo") > 0);
    CHECK_NEAR(of("A-price", "inside"), 1, 0);
    CHECK_NEAR(of("A-boast", "realised"), of("A-price", "realised"), 1e-9);
    CHECK_NEAR(of("A-boast", "inside"), 0, 0);
}

/* The courier fails in the four weeks of the advice and is answered after it. */
static void a_complaint_is_measured_by_the_mentions_since(void **state) {
    (void)state;
    double realised = of("A-complaint", "realised"); /* deliveries of that shop got better since */
    assert_true(realised > 0);
    assert_true(of("A-complaint", "realised_lo") < realised);
    assert_true(of("A-complaint", "realised_hi") > realised);
    CHECK_NEAR(of("A-complaint", "inside"), 1, 0); /* of the promise, 0.2 to 0.8 */
    assert_int_equal(count("id = 'A-complaint' AND method = 'reviews'"), 1);
}

static void a_promotion_is_measured_by_the_next_one(void **state) {
    (void)state;
    CHECK_NEAR(of("A-again", "realised"), 14000, 1e-9);
    CHECK_NEAR(of("A-again", "realised_hi") - 14000, 1.645 * 9000, 1e-6);
    CHECK_NEAR(of("A-again", "inside"), 1, 0);
}

static void what_cannot_be_measured_says_why(void **state) {
    (void)state;
    assert_int_equal(count("id = 'A-test' AND reason = 'reason.no_test'"), 1);
    assert_int_equal(count("id = 'A-stop' AND reason = 'reason.not_run'"), 1);
    assert_int_equal(count("id = 'A-idle' AND reason = 'reason.not_done'"), 1);
    assert_int_equal(count("realised IS NULL AND status = 'settled'"), 0);
    assert_int_equal(count("realised IS NULL AND inside IS NOT NULL"), 0);
}

static void the_record_counts_what_was_measured(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_shop *s;
    bw_advice *a;
    size_t n;
    CHECK_OK(bw_shop_open(db, "en", NULL, &s, &err));
    CHECK_OK(bw_advice_record(s, &err));
    CHECK_NEAR(bw_fact_find(s->facts, "ledger.settled", "")->value, count("inside IS NOT NULL"), 0);
    CHECK_NEAR(bw_fact_find(s->facts, "ledger.inside", "")->value, count("inside = 1"), 0);
    CHECK_OK(bw_advice_read(s, true, &a, &n, &err));
    for (size_t i = 0; i < n; i++) {
        bw_message verdict = {0};
        assert_true(bw_advice_verdict(s, &a[i], &verdict));
        const char *text = bw_shop_phrase(s, &verdict);
        if (strcmp(a[i].id, "A-idle") == 0)
            assert_string_equal(text, "cannot be measured: it was not carried out");
        assert_null(strchr(text, '{'));
    }
    bw_shop_close(s);
}

/* A second settling, without the messages: what was measured stays. */
static void a_measure_is_not_lost(void **state) {
    (void)state;
    bw_err err = {{0}};
    bw_shop *s;
    double before = of("A-timing", "realised");
    CHECK_OK(bw_db_exec(db, "DELETE FROM message WHERE sent_at > '2026-07-06'", &err));
    CHECK_OK(bw_shop_open(db, "zh", NULL, &s, &err));
    CHECK_OK(bw_advice_settle(s, &err));
    bw_shop_close(s);
    CHECK_NEAR(of("A-timing", "realised"), before, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_hour_is_measured_by_the_messages_since),
        cmocka_unit_test(a_feature_is_measured_by_the_messages_since),
        cmocka_unit_test(a_price_is_measured_against_the_other_products),
        cmocka_unit_test(a_complaint_is_measured_by_the_mentions_since),
        cmocka_unit_test(a_promotion_is_measured_by_the_next_one),
        cmocka_unit_test(what_cannot_be_measured_says_why),
        cmocka_unit_test(the_record_counts_what_was_measured),
        cmocka_unit_test(a_measure_is_not_lost),
    };
    return cmocka_run_group_tests(tests, settle_shop, close_shop);
}
