/* reports/facts/gather_outlook.c - facts of the forecast, of price and of segments. */
#include "reports/facts/gather.h"

#include <math.h>
#include <string.h>

/* One week of the forecast with its 80 % interval. */
static bw_status add_week(bw_shop *s, const char *measure, const char *week, bw_err *err) {
    return bw_fact_add(s->facts, (bw_fact_name){measure, "", week, s->outcome_unit}, NULL, err,
                       "SELECT o.mean AS value, b.lo AS lo, b.hi AS hi FROM estimate o LEFT JOIN "
                       "estimate b ON b.run = o.run AND b.name = 'band80' "
                       "AND b.subject = '' AND b.at = o.at WHERE o.run = %lld AND o.name = "
                       "'outcome' AND o.subject = '' AND o.at = %Q",
                       (long long)s->runs.forecast, week);
}

static bw_status add_plan(bw_shop *s, bw_err *err) {
    const char **until;
    size_t n;
    bw_status st = bw_query(s, "t", &n, err,
                            "SELECT substr(at, 13, 10) FROM estimate WHERE run = ?1 AND name = "
                            "'plan_met' ORDER BY at DESC LIMIT 1",
                            s->runs.forecast, NULL, &until);
    if (st != BW_OK || n == 0)
        return st;
    st = bw_fact_add(s->facts, (bw_fact_name){"forecast.plan", "", until[0], s->outcome_unit}, NULL,
                     err,
                     "SELECT mean AS value, probability FROM estimate WHERE run = %lld AND name = "
                     "'plan_met' ORDER BY at DESC LIMIT 1",
                     (long long)s->runs.forecast);
    /* The plan covers a period "first..last"; a chart of weeks needs its weekly part. */
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"forecast.plan_week", "", "", s->outcome_unit},
                         NULL, err,
                         "SELECT mean * 7 / (julianday(substr(at, 13, 10)) - "
                         "julianday(substr(at, 1, 10)) + 1) AS value FROM estimate WHERE run = "
                         "%lld AND name = 'plan_met' ORDER BY at DESC LIMIT 1",
                         (long long)s->runs.forecast);
    if (st != BW_OK)
        return st;
    return bw_fact_add(s->facts, (bw_fact_name){"forecast.missed", "", "", s->outcome_unit}, NULL,
                       err,
                       "SELECT mean AS value, 1 - probability AS probability FROM estimate WHERE "
                       "run = %lld AND name = 'plan_met' ORDER BY at DESC LIMIT 1",
                       (long long)s->runs.forecast);
}

static bw_status add_forecast(bw_shop *s, bw_err *err) {
    const char **week;
    double *mean;
    size_t n;
    bw_status st = bw_query(s, "tn", &n, err,
                            "SELECT at, mean FROM estimate WHERE run = ?1 AND name = 'outcome' AND "
                            "subject = '' AND at > ?2 AND mean IS NOT NULL ORDER BY at",
                            s->runs.forecast, s->week, &week, &mean);
    if (st != BW_OK || n == 0)
        return st;
    st = add_week(s, "forecast.next", week[0], err);
    if (st == BW_OK)
        st = add_week(s, "forecast.end", week[n - 1], err);
    return st == BW_OK ? add_plan(s, err) : st;
}

/* The share more profit as money a week: by the product's revenue of four weeks and the margin. */
static bw_status add_price_money(bw_shop *s, const char *product, bw_err *err) {
    return bw_fact_add(
        s->facts, (bw_fact_name){"price.money", product, "", "money"}, NULL, err,
        "SELECT g.mean * m.v AS value, g.lo * m.v AS lo, g.hi * m.v AS hi, g.probability FROM "
        "estimate g, (SELECT sum(revenue) / 4 * %.17g AS v FROM outcome WHERE day > date(%Q, '-28 "
        "days') AND day <= %Q AND (product = %Q OR %Q = '')) m WHERE g.run = %lld AND g.name = "
        "'price_gain' AND g.subject = %Q AND g.at = '' AND m.v > 0",
        s->margin, s->last_day, s->last_day, product, product, (long long)s->runs.price, product);
}

/* Products whose price has an elasticity, with the best price found inside the prices seen. */
static bw_status add_prices(bw_shop *s, bw_err *err) {
    const char **product;
    double *mean;
    size_t n;
    bw_status st =
        bw_query(s, "tn", &n, err,
                 "SELECT subject, mean FROM estimate WHERE run = ?1 AND name = 'elasticity' AND at "
                 "= '' AND mean IS NOT NULL ORDER BY subject LIMIT 12",
                 s->runs.price, NULL, &product, &mean);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        st = bw_fact_add(s->facts, (bw_fact_name){"price.elasticity", product[i], "", "number"},
                         NULL, err,
                         "SELECT mean AS value, lo, hi, probability FROM estimate WHERE run = %lld "
                         "AND name = 'elasticity' AND subject = %Q AND at = ''",
                         (long long)s->runs.price, product[i]);
        if (st == BW_OK)
            st = bw_fact_add(
                s->facts, (bw_fact_name){"price.best", product[i], "", "money"}, NULL, err,
                "SELECT mean AS value, lo, hi, (SELECT avg(price) FROM outcome WHERE day > "
                "date(%Q, '-28 days') AND day <= %Q AND (product = %Q OR %Q = '')) AS reference "
                "FROM estimate WHERE run = %lld AND name = 'best_price' AND subject = %Q AND at = "
                "''",
                s->last_day, s->last_day, product[i], product[i], (long long)s->runs.price,
                product[i]);
        if (st == BW_OK)
            st = add_price_money(s, product[i], err);
    }
    return st;
}

/* Promotions whose dip is over: the newest of the last eight weeks, and what one more can be expected
 * to bring: mean of all, with their scatter (Student's t would say little more). */
static bw_status add_promotions(bw_shop *s, bw_err *err) {
    const char **event;
    double *mean;
    size_t n;
    bw_status st = bw_query(
        s, "tn", &n, err,
        "SELECT e.subject, e.mean FROM estimate e JOIN event v ON v.name = e.subject AND v.day = "
        "e.at WHERE e.run = ?1 AND e.name = 'net' AND v.end_day BETWEEN date(?2, '-56 days') AND "
        "date(?2, '-14 days') ORDER BY v.end_day DESC, e.subject LIMIT 1",
        s->runs.promotion, s->last_day, &event, &mean);
    if (st != BW_OK || n == 0)
        return st;
    st = bw_fact_add(s->facts, (bw_fact_name){"promotion.last", "", event[0], "money"}, NULL, err,
                     "SELECT mean AS value, lo, hi, probability FROM estimate WHERE run = %lld AND "
                     "name = 'net' AND subject = %Q ORDER BY at DESC LIMIT 1",
                     (long long)s->runs.promotion, event[0]);
    if (st != BW_OK)
        return st;
    return bw_fact_add(
        s->facts, (bw_fact_name){"promotion.next", "", "", "money"}, NULL, err,
        "WITH p AS (SELECT count(*) AS n, avg(mean) AS m, (avg(mean * mean) - avg(mean) * "
        "avg(mean)) * count(*) / (count(*) - 1.0) AS v FROM estimate WHERE run = %lld AND name = "
        "'net') SELECT m AS value, m - 1.645 * sqrt(v * (1 + 1.0 / n)) AS lo, m + 1.645 * sqrt(v * "
        "(1 + 1.0 / n)) AS hi, n FROM p WHERE n >= 3",
        (long long)s->runs.promotion);
}

/* Features of messages with a clear effect, strongest first. */
static bw_status add_content(bw_shop *s, bw_err *err) {
    const char **feature, **channel;
    double *mean;
    size_t n;
    bw_status st =
        bw_query(s, "ttn", &n, err,
                 "SELECT subject, at, mean FROM estimate WHERE run = ?1 AND name = 'effect' AND "
                 "(lo > 0 OR hi < 0) ORDER BY abs(mean) DESC, subject, at LIMIT 6",
                 s->runs.content, NULL, &feature, &channel, &mean);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = bw_fact_add(
            s->facts, (bw_fact_name){"content.effect", feature[i], channel[i], "share"}, NULL, err,
            "SELECT mean AS value, lo, hi, probability, n FROM estimate WHERE run = %lld AND name "
            "= 'effect' AND subject = %Q AND at = %Q",
            (long long)s->runs.content, feature[i], channel[i]);
    return st;
}

bw_status bw_gather_outlook(bw_shop *s, bw_err *err) {
    bw_status st = add_forecast(s, err);
    if (st == BW_OK)
        st = add_prices(s, err);
    if (st == BW_OK)
        st = add_promotions(s, err);
    return st == BW_OK ? add_content(s, err) : st;
}
