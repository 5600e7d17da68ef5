/* tests/demo/test_demo.c - the simulated shop keeps its own rules: same seed, same rows; money that
 * adds up; truth that agrees with itself; every odd shop can be made. */
#include "tests/check.h"
#include "demo/demo.h"
#include "sql/db.h"

#include <stdlib.h>

static bw_demo_options small(uint64_t seed) {
    bw_demo_options o = bw_demo_default(seed);
    o.weeks = 30;
    o.reviews = 300;
    o.messages = 200;
    o.customers = 200;
    return o;
}

static sqlite3 *made(const bw_demo_options *o) {
    bw_err err;
    sqlite3 *db;
    CHECK_OK(bw_db_open(":memory:", BW_DB_CREATE, &db, &err));
    CHECK_OK(bw_demo_fill(db, o, &err));
    return db;
}

static sqlite3 *shop; /* the ordinary one, made once, only read */

static int make_shop(void **state) {
    (void)state;
    bw_demo_options o = bw_demo_default(1);
    shop = made(&o);
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

/* Fingerprint of every row of every table that was filled. */
static void fingerprint(sqlite3 *db, char out[17]) {
    bw_err err;
    static const char *const TABLES[] = {"spend",      "outcome",        "event",    "context",
                                         "message",    "review",         "purchase", "campaign",
                                         "experiment", "experiment_arm", "channel",  "demo_truth"};
    char sql[80], part[17];
    out[0] = '\0';
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        snprintf(sql, sizeof sql, "SELECT * FROM %s", TABLES[i]);
        CHECK_OK(bw_db_fingerprint(db, sql, part, &err));
        sum = sum * 31 + strtoull(part, NULL, 16);
    }
    snprintf(out, 17, "%016llx", (unsigned long long)sum);
}

static void same_seed_gives_the_same_rows(void **state) {
    (void)state;
    char print[3][17];
    for (int i = 0; i < 3; i++) {
        bw_demo_options o = small(i < 2 ? 7 : 8);
        sqlite3 *db = made(&o);
        fingerprint(db, print[i]);
        bw_db_close(db);
    }
    assert_string_equal(print[0], print[1]);
    assert_string_not_equal(print[0], print[2]);
}

static void data_are_not_mixed_with_a_simulation(void **state) {
    (void)state;
    bw_demo_options o = small(1);
    sqlite3 *db = made(&o);
    bw_err err;
    double before = bw_db_number(db, "SELECT total_changes()", -1);
    CHECK_FAILS(bw_demo_fill(db, &o, &err), BW_EDATA, "already holds data");
    CHECK_NEAR(bw_db_number(db, "SELECT total_changes()", -2), before, 0);
    bw_db_close(db);
}

static void three_years_end_on_a_complete_week(void **state) {
    (void)state;
    CHECK_NEAR(number("SELECT count(DISTINCT day) FROM outcome"), 156 * 7, 0);
    CHECK_NEAR(
        number("SELECT max(day) = '2026-11-15' AND strftime('%w', max(day)) = '0' FROM outcome"), 1,
        0);
    CHECK_NEAR(number("SELECT strftime('%w', min(day)) = '1' FROM outcome"), 1, 0);
    CHECK_NEAR(number("SELECT count(*) FROM calendar_day WHERE day > '2026-11-15'"), 0, 0);
}

static void money_adds_up(void **state) {
    (void)state;
    /* Half a cent of rounding a row. */
    CHECK_NEAR(number("SELECT max(abs(revenue - units * price * (1 - discount))) FROM outcome"), 0,
               0.0051);
    CHECK_NEAR(
        number("SELECT count(*) FROM outcome WHERE orders > units OR (orders = 0) != (units = 0)"),
        0, 0);
    double share = number("SELECT (SELECT sum(cost) FROM spend) / sum(revenue) FROM outcome");
    assert_true(share > 0.10 && share < 0.20);
    CHECK_NEAR(number("SELECT count(*) FROM spend WHERE cost <= 0 OR abs(cost * 100 - round(cost * "
                      "100)) > 1e-6"),
               0, 0);
}

static void contribution_is_roas_times_spend(void **state) {
    (void)state;
    CHECK_NEAR(
        number("SELECT max(abs(c.value - r.value * s.value) / c.value) FROM demo_truth c JOIN "
               "demo_truth r "
               "USING (subject) JOIN demo_truth s USING (subject) WHERE c.name = 'contribution' "
               "AND r.name = 'roas' AND s.name = 'spend'"),
        0, 1e-12);
    CHECK_NEAR(number("SELECT max(abs(t.value - x.cost) / x.cost) FROM demo_truth t JOIN (SELECT "
                      "channel, sum(cost) "
                      "AS cost FROM spend GROUP BY channel) x ON x.channel = t.subject WHERE "
                      "t.name = 'spend'"),
               0, 1e-9);
    CHECK_NEAR(
        number("SELECT count(*) FROM demo_truth WHERE name = 'roas' AND value BETWEEN 0.5 AND 6"),
        7, 0);
    /* Saturation: the next money earns less than the average money, everywhere. */
    CHECK_NEAR(
        number("SELECT count(*) FROM demo_truth m JOIN demo_truth r USING (subject) WHERE m.name = "
               "'marginal_roas' AND r.name = 'roas' AND m.value < r.value AND m.value > 0"),
        7, 0);
}

static void the_parts_make_up_revenue(void **state) {
    (void)state;
    CHECK_NEAR(number("SELECT max(abs(s - value) / value) FROM demo_truth e JOIN (SELECT at, "
                      "sum(value) AS s FROM "
                      "demo_truth WHERE name = 'decomposition' GROUP BY at) d USING (at) WHERE "
                      "e.name = 'expected'"),
               0, 1e-9);
    /* Log of sold over expected: unbiased within four standard errors, and as noisy as the shocks say:
     * sd of a week = sqrt(0.012^2 + (0.04^2 + 1/690 units) / 7) = 0.024. */
    double n = 156, sd = 0.024;
    double bias = number("SELECT avg(ln(w.revenue / e.value)) FROM weekly w JOIN demo_truth e ON "
                         "e.at = w.week WHERE e.name = 'expected'");
    double spread = sqrt(
        number("SELECT avg(ln(w.revenue / e.value) * ln(w.revenue / e.value)) FROM weekly w JOIN "
               "demo_truth e ON e.at = w.week WHERE e.name = 'expected'"));
    CHECK_NEAR(bias, 0, 4 * sd / sqrt(n));
    CHECK_REL(spread / sd, 1, 0.25);
}

static void the_stated_channels_are_past_and_short_of_saturation(void **state) {
    (void)state;
    CHECK_NEAR(number("SELECT value < 1 FROM demo_truth WHERE name = 'marginal_roas_now' AND "
                      "subject = 'paid_social'"),
               1, 0);
    CHECK_NEAR(
        number("SELECT count(*) FROM demo_truth WHERE name = 'marginal_roas_now' AND value > 3 "
               "AND subject IN ('short_video', 'email')"),
        2, 0);
    CHECK_NEAR(
        number("SELECT value < 1 FROM demo_truth WHERE name = 'roas' AND subject = 'out_of_home'"),
        1, 0);
}

static void the_courier_hurts_reviews_and_sales(void **state) {
    (void)state;
    double before =
        number("SELECT avg(rating) FROM review WHERE day BETWEEN '2026-04-01' AND '2026-06-07'");
    double during =
        number("SELECT avg(rating) FROM review WHERE day BETWEEN '2026-06-15' AND '2026-07-10'");
    assert_true(during < before - 0.5);
    double felt = number("SELECT min(value) FROM demo_truth WHERE name = 'decomposition' AND "
                         "subject = '_sentiment'");
    double when = number("SELECT at BETWEEN '2026-06-22' AND '2026-07-27' FROM demo_truth WHERE "
                         "name = 'decomposition' "
                         "AND subject = '_sentiment' ORDER BY value LIMIT 1");
    assert_true(felt < -15000);
    CHECK_NEAR(when, 1, 0);
}

static void purchases_follow_the_sample(void **state) {
    (void)state;
    CHECK_NEAR(number("SELECT count(DISTINCT customer) FROM purchase"), 9000, 0);
    double share = number("SELECT (SELECT count(*) FROM purchase) / sum(orders) FROM outcome");
    CHECK_NEAR(number("SELECT value FROM demo_truth WHERE name = 'customer_share'"), share, 1e-12);
    double basket = number("SELECT sum(revenue) / sum(orders) FROM outcome");
    CHECK_REL(number("SELECT avg(revenue) FROM purchase") / basket, 1, 0.05);
}

static void messages_show_the_true_hours(void **state) {
    (void)state;
    CHECK_NEAR(number("SELECT count(*) FROM message WHERE opens > delivered OR clicks > opens OR "
                      "orders > clicks"),
               0, 0);
    CHECK_NEAR(
        number("SELECT avg(value) FROM demo_truth WHERE name = 'timing' AND subject = 'email'"), 1,
        1e-12);
    /* Orders per delivered e-mail at 19-21 h against 13-16 h: the truth says so, and so do the rows,
     * within what about 200 messages with a scatter of 0.22 and 12 orders each can show. */
    double told = number(
        "SELECT avg(value) FILTER (WHERE substr(at, 3) IN ('19', '20')) / avg(value) FILTER (WHERE "
        "substr(at, 3) IN ('13', '14', '15')) FROM demo_truth WHERE name = 'timing' AND subject = "
        "'email'");
    double seen = number(
        "SELECT (sum(orders * h) * 1.0 / sum(delivered * h)) / (sum(orders * l) * 1.0 / "
        "sum(delivered * l)) "
        "FROM (SELECT *, substr(sent_at, 12, 2) IN ('19', '20') AS h, substr(sent_at, 12, 2) IN "
        "('13', '14', '15') AS l FROM message WHERE channel = 'email')");
    CHECK_REL(seen / told, 1, 0.2);
}

/* Paid social goes from 1000 to 500 a week from 2026-10-12 on. */
static void advice_that_is_taken_changes_only_what_follows(void **state) {
    (void)state;
    bw_err err;
    bw_demo_options o = small(5);
    sqlite3 *db = made(&o);
    int taken = 1;
    char before[2][17], after[2][17];
    static const char *const PAST[] = {
        "SELECT * FROM outcome WHERE day < '2026-10-12' ORDER BY 1, 2, 3",
        "SELECT * FROM spend WHERE day < '2026-10-12' OR channel <> 'paid_social' ORDER BY 1, 2, "
        "3"};
    CHECK_OK(bw_demo_follow(db, &o, "2026-10-05", &taken, &err));
    assert_int_equal(taken, 0);
    for (int i = 0; i < 2; i++)
        CHECK_OK(bw_db_fingerprint(db, PAST[i], before[i], &err));
    double earned = bw_db_number(
        db, "SELECT value FROM demo_truth WHERE name = 'contribution' AND subject = 'paid_social'",
        0);
    CHECK_OK(bw_db_exec(
        db,
        "INSERT INTO advice (id, week, kind, subject, action) VALUES ('A', '2026-10-05', 'budget', "
        "'', "
        "'{\"moves\": {\"paid_social\": -500, \"gone\": 7}, \"now\": {\"paid_social\": 1000}}')",
        &err));
    CHECK_OK(bw_demo_follow(db, &o, "2026-10-05", &taken, &err));
    assert_int_equal(taken, 1);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(bw_db_fingerprint(db, PAST[i], after[i], &err));
        assert_string_equal(after[i], before[i]);
    }
    /* Five weeks at 500: a fifth of a week's money follows the shop's own rhythm, at most doubled. */
    double weekly = bw_db_number(
        db, "SELECT sum(cost) / 5 FROM spend WHERE channel = 'paid_social' AND day >= '2026-10-12'",
        0);
    assert_true(weekly >= 0.8 * 500 && weekly <= 1.2 * 500 + 0.01);
    assert_true(
        bw_db_number(
            db,
            "SELECT value FROM demo_truth WHERE name = 'contribution' AND subject = 'paid_social'",
            NAN) < earned);
    CHECK_NEAR(bw_db_number(db, "SELECT status = 'accepted' FROM advice", 0), 1, 0);
    bw_db_close(db);
}

static void an_interrupted_demo_knows_its_shop(void **state) {
    (void)state;
    bw_demo_options o = small(5), other = small(6);
    sqlite3 *db = made(&o);
    assert_true(bw_demo_holds(db, &o));
    assert_false(bw_demo_holds(db, &other));
    bw_db_close(db);
}

/* A twist is SQL on finished rows: it runs, and the rows are no longer those of the ordinary shop. */
static void check_twist(bw_demo_options o) {
    char twisted[17], plain[17];
    o.weeks = o.weeks < 30 ? o.weeks : 30;
    sqlite3 *db = made(&o);
    fingerprint(db, twisted);
    bw_db_close(db);
    o.twist = NULL;
    db = made(&o);
    fingerprint(db, plain);
    bw_db_close(db);
    if (strcmp(twisted, plain) == 0)
        fail_msg("%s: its twist changes nothing", o.shape);
}

static void odd_shops_can_be_made(void **state) {
    (void)state;
    bw_err err;
    bw_demo_options o;
    for (size_t i = 0; bw_demo_shape_name(i, NULL); i++) {
        CHECK_OK(bw_demo_shape(bw_demo_shape_name(i, NULL), 3, &o, &err));
        o.reviews = o.reviews ? 50 : 0;
        o.messages = o.messages ? 40 : 0;
        o.customers = 60;
        if (o.twist) {
            check_twist(o);
            continue;
        }
        sqlite3 *db = made(&o);
        CHECK_NEAR(bw_db_number(db, "SELECT (SELECT count(*) FROM outcome) > 0", -1), !o.no_outcome,
                   0);
        CHECK_NEAR(bw_db_number(db, "SELECT (SELECT count(*) FROM spend) > 0", -1), !o.no_spend, 0);
        CHECK_NEAR(bw_db_number(db, "SELECT count(*) FROM review", -1), o.reviews, 0);
        CHECK_NEAR(bw_db_number(db, "SELECT count(*) FROM demo_truth WHERE value IS NULL", -1), 0,
                   0);
        bw_db_close(db);
    }
    CHECK_FAILS(bw_demo_shape("purple", 1, &o, &err), BW_EUSAGE, "one-channel");
}

static void what_is_odd_shows(void **state) {
    (void)state;
    bw_err err;
    bw_demo_options o;
    const struct {
        const char *shape, *sql;
    } odd[] = {
        {"thirty-channels", "SELECT count(*) = 30 FROM channel"},
        {"closed-weeks", "SELECT count(*) > 3 FROM weekly WHERE revenue = 0"},
        {"losses", "SELECT max(value) < 1.5 FROM demo_truth WHERE name = 'roas'"},
        {"unhappy", "SELECT avg(rating) < 2.7 FROM review"},
        {"three-weeks", "SELECT count(*) = 3 FROM weekly"},
        {"chinese", "SELECT count(*) = 0 FROM outcome WHERE product GLOB '[A-Z]*[a-z]*'"},
        {"long-names", "SELECT min(length(name)) > 80 FROM channel"},
        {"towns", "SELECT count(DISTINCT geo) = 12 FROM outcome"},
        {"yen", "SELECT avg(price) > 5000 FROM outcome"},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        CHECK_OK(bw_demo_shape(odd[i].shape, 2, &o, &err));
        sqlite3 *db = made(&o);
        if (bw_db_number(db, odd[i].sql, -1) != 1)
            fail_msg("%s: not so: %s", odd[i].shape, odd[i].sql);
        bw_db_close(db);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_rows),
        cmocka_unit_test(data_are_not_mixed_with_a_simulation),
        cmocka_unit_test(three_years_end_on_a_complete_week),
        cmocka_unit_test(money_adds_up),
        cmocka_unit_test(contribution_is_roas_times_spend),
        cmocka_unit_test(the_parts_make_up_revenue),
        cmocka_unit_test(the_stated_channels_are_past_and_short_of_saturation),
        cmocka_unit_test(the_courier_hurts_reviews_and_sales),
        cmocka_unit_test(purchases_follow_the_sample),
        cmocka_unit_test(messages_show_the_true_hours),
        cmocka_unit_test(advice_that_is_taken_changes_only_what_follows),
        cmocka_unit_test(an_interrupted_demo_knows_its_shop),
        cmocka_unit_test(odd_shops_can_be_made),
        cmocka_unit_test(what_is_odd_shows),
    };
    return cmocka_run_group_tests(tests, make_shop, close_shop);
}
