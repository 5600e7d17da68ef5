/* tests/analyze/test_promotion.c - what promotions bring, take from the days after, and from other products. */
#include "tests/check.h"
#include "tests/analyze/promotion_shop.h"
#include "analyze/price/promotion_load.h"
#include "sql/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bw_err err;

static gsl_rng *rng_new(unsigned long seed) {
    gsl_rng *r = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(r, seed);
    return r;
}

/* Daily sales of two years: a promotion of ten days adds 30 %, and takes 15 % fading over 14 days after. */
static void a_promotions_uplift_and_dip_are_found(void **state) {
    (void)state;
    enum { N = 600 };
    double y[N], first, uplift = 0, dip = 0;
    bw_day_parse("2023-01-02", &first);
    gsl_rng *r = rng_new(11);
    bw_span promo[] = {{"a", first + 200, first + 209},
                       {"b", first + 400, first + 409},
                       {"late", first + 900, first + 905}};
    for (size_t t = 0; t < N; t++) {
        double base = exp(6 + 0.1 * sin((double)t / 58) + 0.1 * (double)(t % 7 == 5) +
                          gsl_ran_gaussian(r, 0.04));
        y[t] = base;
        for (size_t i = 0; i < 2; i++) {
            double d = first + (double)t, after = d - promo[i].last;
            if (d >= promo[i].first && d <= promo[i].last) {
                y[t] = 1.3 * base;
                uplift += i == 0 ? 0.3 * base : 0;
            } else if (after >= 1 && after <= 14) {
                y[t] = base * exp(-0.15 * (1 - (after - 1) / 14));
                dip += i == 0 ? y[t] - base : 0;
            }
        }
    }
    gsl_rng_free(r);
    bw_promotion p[3];
    static const size_t EVERYTHING[3] = {0};
    bw_promotion_data data = {
        .n = N, .first = first, .y = y, .promotion = promo, .promotions = 3, .set_of = EVERYTHING};
    CHECK_OK(bw_promotion_fit(&data, 1, p, &err));
    assert_true(p[0].known && p[1].known && !p[2].known);
    assert_true(p[0].uplift.lo < uplift && uplift < p[0].uplift.hi);
    assert_true(p[0].dip.lo < dip && dip < p[0].dip.hi && p[0].dip.hi < 0);
    CHECK_NEAR(p[0].net.mean, p[0].uplift.mean + p[0].dip.mean, 1e-6 * uplift);
    y[5] = -1;
    CHECK_FAILS(bw_promotion_fit(&data, 1, p, &err), BW_EDATA, "negative");
}

/* Two years with lift exp(0.35) and a loss of exp(-0.08) of the others: four promotions, so of their twelve
 * 90 % intervals at least nine hold the truth (fewer: once in 230 by the binomial law). */
static void what_a_promotion_takes_from_others_is_told(void **state) {
    (void)state;
    static struct promotion_shop s;
    gsl_rng *r = rng_new(5);
    promotion_shop_draw(&s, 0.35, 0.08, r);
    gsl_rng_free(r);
    bw_promotion_data d = promotion_shop_data(&s);
    bw_promotion p[SHOP_PROMOTIONS];
    CHECK_OK(bw_promotion_fit(&d, 1, p, &err));
    int inside = 0;
    for (size_t i = 0; i < SHOP_PROMOTIONS; i++) {
        double net = s.promoted[i] + s.taken[i] + s.dip[i];
        assert_true(p[i].known && p[i].apart);
        assert_true(p[i].taken.mean < 0 && p[i].taken.p_positive < 0.1);
        CHECK_NEAR(p[i].uplift.mean, p[i].promoted.mean + p[i].taken.mean, 1e-6 * s.promoted[i]);
        CHECK_NEAR(p[i].net.mean, p[i].uplift.mean + p[i].dip.mean, 1e-6 * s.promoted[i]);
        inside += p[i].promoted.lo < s.promoted[i] && s.promoted[i] < p[i].promoted.hi;
        inside += p[i].taken.lo < s.taken[i] && s.taken[i] < p[i].taken.hi;
        inside += p[i].net.lo < net && net < p[i].net.hi;
    }
    assert_true(inside >= 9);
}

static void shop_of(unsigned long seed, struct promotion_shop *s) {
    gsl_rng *r = rng_new(seed);
    promotion_shop_draw(s, 0.3, 0.05, r);
    gsl_rng_free(r);
}

static void cents_change_the_unit_and_nothing_else(void **state) {
    (void)state;
    static struct promotion_shop s;
    shop_of(6, &s);
    bw_promotion_data d = promotion_shop_data(&s);
    bw_promotion euros[SHOP_PROMOTIONS], cents[SHOP_PROMOTIONS];
    CHECK_OK(bw_promotion_fit(&d, 1, euros, &err));
    for (size_t t = 0; t < SHOP_DAYS; t++) {
        s.own[t] *= 100;
        s.others[t] *= 100;
    }
    CHECK_OK(bw_promotion_fit(&d, 1, cents, &err));
    for (size_t i = 0; i < SHOP_PROMOTIONS; i++) {
        CHECK_NEAR(cents[i].taken.mean, 100 * euros[i].taken.mean, 0.02 * cents[i].promoted.mean);
        CHECK_NEAR(cents[i].lift.mean, euros[i].lift.mean, 0.002);
    }
}

/* By 52 whole weeks, on 500 days: fewer than the year and a half from which on there is a season. */
static void the_same_days_a_year_later_say_the_same(void **state) {
    (void)state;
    static struct promotion_shop s;
    shop_of(6, &s);
    bw_promotion_data d = promotion_shop_data(&s);
    d.n = 500;
    bw_promotion before[SHOP_PROMOTIONS], later[SHOP_PROMOTIONS];
    CHECK_OK(bw_promotion_fit(&d, 1, before, &err));
    assert_false(before[3].known);
    d.first += 364;
    for (size_t i = 0; i < SHOP_PROMOTIONS; i++) {
        s.promotion[i].first += 364;
        s.promotion[i].last += 364;
    }
    CHECK_OK(bw_promotion_fit(&d, 1, later, &err));
    for (size_t i = 0; i < 3; i++) {
        CHECK_NEAR(later[i].taken.mean, before[i].taken.mean, 1e-6 * before[i].promoted.mean);
        CHECK_NEAR(later[i].net.sd, before[i].net.sd, 1e-6 * before[i].promoted.mean);
    }
}

/* A product that sells on every third day has no daily logs to speak of. */
static void rare_sales_are_not_told_apart(void **state) {
    (void)state;
    static struct promotion_shop s;
    shop_of(7, &s);
    for (size_t t = 0; t < SHOP_DAYS; t++)
        s.own[t] = t % 3 ? 0 : s.own[t];
    bw_promotion_data d = promotion_shop_data(&s);
    bw_promotion p[SHOP_PROMOTIONS];
    CHECK_OK(bw_promotion_fit(&d, 1, p, &err));
    for (size_t i = 0; i < SHOP_PROMOTIONS; i++)
        assert_true(p[i].known && p[i].sparse && !p[i].apart);
}

static sqlite3 *shop_of_jackets(const char *path, const char *more) {
    sqlite3 *db;
    CHECK_OK(bw_db_open(path, BW_DB_CREATE, &db, &err));
    CHECK_OK(bw_db_exec(
        db,
        "WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 199), "
        "p(name, base) AS (VALUES ('jacket', 50), ('coat', 80), ('tent', 20)) "
        "INSERT INTO outcome (day, product, revenue, units, discount) SELECT date('2024-01-01', "
        "'+' "
        "|| i || ' days'), name, base * (10 + i % 7), 10 + i % 7, CASE WHEN name = 'jacket' AND i "
        "BETWEEN 100 AND 109 OR i BETWEEN 150 AND 155 THEN 0.2 ELSE 0 END FROM d, p;"
        "INSERT INTO event VALUES ('2024-04-10', '2024-04-19', 'rain week', 'promotion'), "
        "('2024-05-30', '2024-06-04', 'summer sale', 'promotion'), "
        "('2024-02-01', '2024-02-03', 'in name only', 'promotion')",
        &err));
    CHECK_OK(bw_db_exec(db, more, &err));
    return db;
}

/* What was cheaper is what was promoted; what competes with it is the rest, or its category's rest. */
static void what_was_cheaper_is_what_was_promoted(void **state) {
    (void)state;
    static const char *const MORE[] = {
        "SELECT 1",
        "INSERT INTO product VALUES ('jacket', 'wear'), ('coat', 'wear'), ('tent', 'camp')"};
    static const double OTHERS[] = {100.0 * 10, 80.0 * 10};
    for (size_t k = 0; k < 2; k++) {
        char path[] = "/tmp/bw_test_XXXXXX";
        close(mkstemp(path));
        sqlite3 *db = shop_of_jackets(path, MORE[k]);
        bw_daily d;
        CHECK_OK(bw_daily_load(db, &d, &err));
        assert_int_equal(d.promotions, 3);
        assert_string_equal(d.promotion[0].name, "in name only");
        assert_int_equal(d.why[0], BW_APART_NOTHING);
        assert_int_equal(d.why[1], BW_APART_TOLD);
        assert_int_equal(d.why[2], BW_APART_ALL);
        assert_int_equal(d.sets, 1);
        assert_int_equal(d.set_of[1], 0);
        CHECK_NEAR(d.set[0].own[0], 50 * 10, 1e-9);
        CHECK_NEAR(d.set[0].others[0], OTHERS[k], 1e-9);
        CHECK_NEAR(d.y[0], 150 * 10, 1e-9);
        bw_daily_free(&d);
        bw_db_close(db);
        unlink(path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_promotions_uplift_and_dip_are_found),
        cmocka_unit_test(what_a_promotion_takes_from_others_is_told),
        cmocka_unit_test(cents_change_the_unit_and_nothing_else),
        cmocka_unit_test(the_same_days_a_year_later_say_the_same),
        cmocka_unit_test(rare_sales_are_not_told_apart),
        cmocka_unit_test(what_was_cheaper_is_what_was_promoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
