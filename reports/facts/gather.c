/* reports/facts/gather.c - facts of the week: figures against last week, last year and their normal
 * range, the causes of the change, and what the data hold. */
#include "reports/facts/gather.h"

#include <math.h>
#include <string.h>

/* Spend is nothing in a week without any, but only where money was ever spent. */
#define SPEND "CASE WHEN cost > 0 OR EXISTS (SELECT 1 FROM spend WHERE cost > 0) THEN cost END"

const bw_measure BW_MEASURES[] = {
    {"revenue", "figure.revenue", "money", "weekly", "revenue", 1, false, {0}},
    {"orders", "figure.orders", "count", "weekly", "orders", 1, false, {0}},
    {"units", "figure.units", "count", "weekly", "units", 1, false, {0}},
    {"order_value",
     "figure.order_value",
     "money",
     "weekly",
     "revenue / nullif(orders, 0)",
     1,
     false,
     {"revenue", "orders"}},
    {"spend", "figure.spend", "money", "weekly", SPEND, 0, false, {0}},
    {"return",
     "figure.return",
     "money",
     "weekly",
     "revenue / nullif(cost, 0)",
     1,
     false,
     {"revenue", "spend"}},
    {"cost_per_order",
     "figure.cost_per_order",
     "money",
     "weekly",
     "nullif(cost, 0) / nullif(orders, 0)",
     -1,
     false,
     {"spend", "orders"}},
    {"sentiment", "figure.sentiment", "points", "review_sentiment_week", "sentiment", 1, true, {0}},
    {"reviews", "figure.reviews", "count", "review_sentiment_week", "reviews", 0, false, {0}},
    {0}};

/* This week, the week before, and the same week a year ago, each as one fact. */
static bw_status add_measure(bw_shop *s, const bw_measure *m, bw_err *err) {
    bw_facts *f = s->facts;
    const char *e = m->expression, *v = m->view;
    const bw_fact *week = NULL;
    bw_fact_name name = {bw_arena_textf(s->arena, "week.%s", m->name), "", s->week, m->unit};
    bw_status st = bw_fact_add(f, name, &week, err,
                               "SELECT (SELECT %s FROM %s WHERE week = %Q) AS value, (SELECT %s "
                               "FROM %s WHERE week = %Q) AS reference",
                               e, v, s->week, e, v, s->week_before);
    if (st != BW_OK || !week)
        return st;
    name = (bw_fact_name){bw_arena_textf(s->arena, "change.%s", m->name), "", s->week,
                          m->difference ? m->unit : "share"};
    if (m->difference) /* with the interval that two means of reviews allow */
        st = bw_fact_add(f, name, NULL, err,
                         "SELECT a.%s - b.%s AS value, a.%s - b.%s - 1.645 * sqrt(a.se * a.se + "
                         "b.se * b.se) AS lo, "
                         "a.%s - b.%s + 1.645 * sqrt(a.se * a.se + b.se * b.se) AS hi FROM %s a "
                         "JOIN %s b ON a.week = %Q AND b.week = %Q",
                         e, e, e, e, e, e, v, v, s->week, s->week_before);
    else
        st = bw_fact_add(f, name, NULL, err,
                         "SELECT (SELECT %s FROM %s WHERE week = %Q) / nullif((SELECT %s FROM %s "
                         "WHERE week = %Q), 0) - 1 AS value",
                         e, v, s->week, e, v, s->week_before);
    if (st == BW_OK && !m->difference)
        st = bw_fact_add(
            f, (bw_fact_name){bw_arena_textf(s->arena, "year.%s", m->name), "", s->week, "share"},
            NULL, err,
            "SELECT (SELECT %s FROM %s WHERE week = %Q) / nullif((SELECT %s FROM %s WHERE week = "
            "%Q), 0) - 1 AS value",
            e, v, s->week, e, v, s->week_last_year);
    if (st != BW_OK)
        return st;
    /* Normal: mean of the twelve weeks before plus and minus two standard deviations; at least six. */
    return bw_fact_add(
        f, (bw_fact_name){bw_arena_textf(s->arena, "normal.%s", m->name), "", s->week, m->unit},
        NULL, err,
        "WITH w AS (SELECT %s AS v FROM %s WHERE week < %Q AND week >= date(%Q, '-84 days')), "
        "m AS (SELECT count(v) AS n, avg(v) AS mean, avg(v * v) - avg(v) * avg(v) AS var FROM w "
        "WHERE v IS NOT NULL) "
        "SELECT mean AS value, mean - 2 * sqrt(max(var, 0) * n / (n - 1)) AS lo, "
        "mean + 2 * sqrt(max(var, 0) * n / (n - 1)) AS hi, n FROM m WHERE n >= 6",
        e, v, s->week, s->week);
}

/* Record: the best or the worst week of the last 52, worth a word when it is. */
static bw_status add_record(bw_shop *s, bw_err *err) {
    return bw_fact_add(s->facts, (bw_fact_name){"record.rank", "", s->week, "count"}, NULL, err,
                       "SELECT 1 + sum(%s > (SELECT %s FROM weekly WHERE week = %Q)) AS value, "
                       "count(*) AS n FROM weekly "
                       "WHERE week <= %Q AND week > date(%Q, '-364 days') HAVING count(*) >= 26",
                       s->outcome, s->outcome, s->week, s->week, s->week);
}

static bw_status add_causes(bw_shop *s, const char *estimate, const char *measure, bw_err *err) {
    const char **part;
    double *size;
    size_t n;
    bw_status st = bw_query(
        s, "tn", &n, err,
        bw_arena_textf(
            s->arena,
            "SELECT subject, abs(mean) FROM estimate WHERE run = ?1 AND name = '%s' AND at = ?2 "
            "AND mean IS NOT NULL ORDER BY abs(mean) DESC, subject LIMIT 24",
            estimate),
        s->runs.change, s->week, &part, &size);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = bw_fact_add(s->facts, (bw_fact_name){measure, part[i], s->week, s->outcome_unit}, NULL,
                         err,
                         "SELECT mean AS value, lo, hi, probability FROM estimate WHERE run = %lld "
                         "AND name = %Q AND subject = %Q AND at = %Q",
                         (long long)s->runs.change, estimate, part[i], s->week);
    return st;
}

static bw_status add_change(bw_shop *s, bw_err *err) {
    bw_status st = bw_fact_add(
        s->facts, (bw_fact_name){"change.total", "", s->week, s->outcome_unit}, NULL, err,
        "SELECT a.%s - b.%s AS value, b.%s AS reference FROM weekly a JOIN weekly b ON a.week = %Q "
        "AND b.week = %Q",
        s->outcome, s->outcome, s->outcome, s->week, s->week_before);
    if (st == BW_OK)
        st = add_causes(s, "change_week", "cause", err);
    return st == BW_OK ? add_causes(s, "change_year", "cause_year", err) : st;
}

static bw_status add_data(bw_shop *s, bw_err *err) {
    bw_facts *f = s->facts;
    bw_status st =
        bw_fact_add(f, (bw_fact_name){"data.weeks", "", "", "count"}, NULL, err,
                    "SELECT count(*) AS value FROM weekly WHERE week <= %Q AND %s IS NOT NULL",
                    s->week, s->outcome);
    if (st == BW_OK)
        st = bw_fact_add(
            f, (bw_fact_name){"data.channels", "", "", "count"}, NULL, err,
            "SELECT count(DISTINCT channel) AS value FROM spend WHERE day <= %Q AND cost > 0",
            s->last_day);
    if (st == BW_OK)
        st = bw_fact_add(f, (bw_fact_name){"data.reviews", "", "", "count"}, NULL, err,
                         "SELECT count(*) AS value FROM review WHERE day <= %Q OR day IS NULL",
                         s->last_day);
    if (st == BW_OK)
        st = bw_fact_add(f, (bw_fact_name){"data.unscored", "", "", "count"}, NULL, err,
                         "SELECT count(*) AS value FROM review WHERE id NOT IN (SELECT review FROM "
                         "review_score)");
    if (st == BW_OK)
        st = bw_fact_add(f, (bw_fact_name){"data.warnings", "", "", "count"}, NULL, err,
                         "SELECT count(*) AS value FROM import_finding WHERE severity = 'warning'");
    if (st == BW_OK)
        st = bw_fact_add(f, (bw_fact_name){"data.days_after", "", "", "days"}, NULL, err,
                         "SELECT count(DISTINCT day) AS value FROM outcome WHERE day > %Q",
                         s->last_day);
    return st;
}

bw_status bw_gather_week(bw_shop *s, bw_err *err) {
    bw_status st = BW_OK;
    for (const bw_measure *m = BW_MEASURES; m->name && st == BW_OK; m++)
        st = add_measure(s, m, err);
    if (st == BW_OK)
        st = add_record(s, err);
    if (st == BW_OK)
        st = add_change(s, err);
    return st == BW_OK ? add_data(s, err) : st;
}

bw_status bw_facts_gather(bw_shop *s, bw_err *err) {
    bw_status (*const PARTS[])(bw_shop *, bw_err *) = {bw_gather_week, bw_gather_channels,
                                                       bw_gather_voice, bw_gather_outlook};
    bw_status st = BW_OK;
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS && st == BW_OK; i++)
        st = PARTS[i](s, err);
    return st;
}
