/* reports/facts/gather_channels.c - facts of the channels: what they earn, what the plan would move,
 * how sources shifted, when to send, what the fit is worth. */
#include "reports/facts/gather.h"

#include <math.h>
#include <string.h>

#define RETURN "return"

/* Estimates that become facts as they are. run: offset of the run in bw_runs. */
static const struct {
    const char *estimate, *measure, *unit; /* unit NULL: the outcome's; RETURN: per money spent */
} CHANNEL_FACTS[] = {{"roas", "roas", RETURN},
                     {"marginal_roas", "next", RETURN},
                     {"contribution", "contribution", NULL},
                     {"share", "share", "share"},
                     {"spend", "spend", "money"},
                     {"half_life", "half_life", "weeks"},
                     {"stability", "stability", "share"}};

static bw_status add_estimate(bw_shop *s, int64_t run, const char *estimate, const char *subject,
                              bw_fact_name name, bw_err *err) {
    return bw_fact_add(s->facts, name, NULL, err,
                       "SELECT mean AS value, lo, hi, lo50, hi50, probability, n FROM estimate "
                       "WHERE run = %lld AND name = %Q AND subject = %Q AND at = ''",
                       (long long)run, estimate, subject);
}

static const char *unit_of(const bw_shop *s, const char *unit) {
    if (!unit)
        return s->outcome_unit;
    return strcmp(unit, RETURN) == 0 ? s->return_unit : unit;
}

/* By how much the last fit moved a channel's return, and what part each cause has in it. */
static bw_status add_refit(bw_shop *s, const char *channel, bw_err *err) {
    static const char *const PARTS[][2] = {{"changed_by_data", "refit.data"},
                                           {"changed_by_history", "refit.history"},
                                           {"changed_by_model", "refit.model"}};
    bw_status st = bw_fact_add(
        s->facts, (bw_fact_name){"refit.moved", channel, "", s->return_unit}, NULL, err,
        "SELECT r.mean - b.mean AS value, b.mean AS reference FROM estimate r JOIN estimate b ON "
        "b.run = r.run AND b.name = 'roas_before' AND b.subject = r.subject AND b.at = '' WHERE "
        "r.run = %lld AND r.name = 'roas' AND r.subject = %Q AND r.at = ''",
        (long long)s->runs.fit, channel);
    for (size_t i = 0; i < 3 && st == BW_OK; i++)
        st = add_estimate(s, s->runs.fit, PARTS[i][0], channel,
                          (bw_fact_name){PARTS[i][1], channel, "", s->return_unit}, err);
    return st;
}

static bw_status add_channel(bw_shop *s, const char *channel, bw_err *err) {
    bw_status st = add_refit(s, channel, err);
    for (size_t i = 0; i < sizeof CHANNEL_FACTS / sizeof *CHANNEL_FACTS && st == BW_OK; i++)
        st = add_estimate(s, s->runs.fit, CHANNEL_FACTS[i].estimate, channel,
                          (bw_fact_name){CHANNEL_FACTS[i].measure, channel, "",
                                         unit_of(s, CHANNEL_FACTS[i].unit)},
                          err);
    if (st == BW_OK)
        st = bw_fact_add(
            s->facts, (bw_fact_name){"seen_max", channel, "", "money"}, NULL, err,
            "SELECT max(cost) AS value FROM channel_week WHERE channel = %Q AND week <= %Q",
            channel, s->week);
    return st;
}

/* ---- the plan ---- */

static bw_status add_plan_channel(bw_shop *s, const char *channel, bw_err *err) {
    long long run = (long long)s->runs.plan;
    bw_status st =
        bw_fact_add(s->facts, (bw_fact_name){"plan.move", channel, "", "money"}, NULL, err,
                    "SELECT p.mean - n.mean AS value, n.mean AS reference FROM estimate p JOIN "
                    "estimate n ON n.run = p.run AND n.name = 'spend_now' "
                    "AND n.subject = p.subject AND n.at = '' WHERE p.run = %lld AND p.name = "
                    "'spend_planned' AND p.subject = %Q AND p.at = ''",
                    run, channel);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"plan.to", channel, "", "money"}, NULL, err,
                         "SELECT mean AS value FROM estimate WHERE run = %lld AND name = "
                         "'spend_planned' AND subject = %Q AND at = ''",
                         run, channel);
    if (st == BW_OK)
        st = add_estimate(s, s->runs.plan, "gain", channel,
                          (bw_fact_name){"plan.gain", channel, "", s->outcome_unit}, err);
    return st;
}

#define MOVES                                                                                  \
    "(SELECT p.subject, p.mean - n.mean AS d, n.mean AS now, p.mean AS then_ FROM estimate p " \
    "JOIN estimate n "                                                                         \
    "ON n.run = p.run AND n.name = 'spend_now' AND n.subject = p.subject AND n.at = '' "       \
    "WHERE p.run = %lld AND p.name = 'spend_planned' AND p.subject <> '' AND p.at = '')"

static bw_status add_plan(bw_shop *s, bw_err *err) {
    long long run = (long long)s->runs.plan;
    bw_status st = BW_OK;
    for (size_t i = 0; i < s->n_channels && st == BW_OK; i++)
        st = add_plan_channel(s, s->channels[i].name, err);
    if (st == BW_OK)
        st = add_estimate(s, s->runs.plan, "gain", "",
                          (bw_fact_name){"plan.gain", "", "", s->outcome_unit}, err);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"plan.moved", "", "", "money"}, NULL, err,
                         "SELECT sum(max(d, 0)) AS value, sum(now) AS reference FROM " MOVES, run);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"plan.total", "", "", "money"}, NULL, err,
                         "SELECT sum(then_) AS value, sum(now) AS reference FROM " MOVES, run);
    /* The one channel that gives most, when it gives at least two thirds of what is moved. */
    const char **from;
    double *d;
    size_t n;
    char *sql =
        sqlite3_mprintf("SELECT subject, d FROM " MOVES
                        " WHERE d < 0 AND -d >= 0.66 * (SELECT sum(max(-d, 0)) FROM " MOVES ") "
                        "ORDER BY d, subject LIMIT 1",
                        run, run);
    if (st == BW_OK)
        st = sql ? bw_query(s, "tn", &n, err, sql, 0, NULL, &from, &d) : bw_fail_memory(err);
    sqlite3_free(sql);
    if (st == BW_OK && n == 1)
        st = bw_fact_add(s->facts, (bw_fact_name){"plan.from", "", from[0], "money"}, NULL, err,
                         "SELECT -d AS value FROM " MOVES " WHERE subject = %Q", run, from[0]);
    return st;
}

/* ---- sources over half a year ---- */

/* Mean of the last four weeks against the four weeks half a year before, for channels that bring at
 * least a twentieth of what all channels bring. */
#define SHIFTS                                                                                 \
    "WITH w AS (SELECT subject, avg(CASE WHEN at > date(%Q, '-28 days') THEN mean END) AS b, " \
    "avg(CASE WHEN at <= date(%Q, '-154 days') THEN mean END) AS a FROM estimate "             \
    "WHERE run = %lld AND name = 'decomposition' AND at <= %Q AND at > date(%Q, '-182 days') " \
    "AND subject NOT LIKE '\\_%%' ESCAPE '\\' GROUP BY subject), "                             \
    "r AS (SELECT subject, b / a - 1 AS d FROM w WHERE a > 0 AND max(a, b) >= 0.05 * (SELECT " \
    "sum(max(b, 0)) FROM w)) "

static bw_status add_shift(bw_shop *s, const char *measure, const char *order, double least,
                           bw_err *err) {
    const char *w = s->week, **subject;
    double *d;
    size_t n;
    long long run = (long long)s->runs.fit;
    char *sql = sqlite3_mprintf(
        SHIFTS "SELECT subject, d FROM r WHERE %s %f ORDER BY d %s, subject LIMIT 1", w, w, run, w,
        w, least > 0 ? "d >=" : "d <=", least, order);
    bw_status st =
        sql ? bw_query(s, "tn", &n, err, sql, 0, NULL, &subject, &d) : bw_fail_memory(err);
    sqlite3_free(sql);
    if (st != BW_OK || n == 0)
        return st;
    st = bw_fact_add(s->facts, (bw_fact_name){measure, "", subject[0], "share"}, NULL, err,
                     SHIFTS "SELECT d AS value FROM r WHERE subject = %Q", w, w, run, w, w,
                     subject[0]);
    if (st != BW_OK)
        return st;
    return bw_fact_add(
        s->facts, (bw_fact_name){"source.spend", subject[0], "", "share"}, NULL, err,
        "SELECT total(CASE WHEN week > date(%Q, '-28 days') THEN cost END) / nullif(total(CASE "
        "WHEN "
        "week <= date(%Q, '-154 days') THEN cost END), 0) - 1 AS value FROM channel_week WHERE "
        "channel = %Q AND week <= %Q AND week > date(%Q, '-182 days')",
        w, w, subject[0], w, w);
}

/* ---- timing ---- */

/* The share in money: the channel's orders a week over the last eight, at the shop's revenue an order. */
static bw_status add_timing_money(bw_shop *s, const char *channel, bw_err *err) {
    const char *last = s->last_day;
    return bw_fact_add(
        s->facts, (bw_fact_name){"timing.money", channel, "", "money"}, NULL, err,
        "SELECT g.mean * m.v AS value, g.lo * m.v AS lo, g.hi * m.v AS hi, g.probability FROM "
        "estimate g, "
        "(SELECT sum(orders) / 8.0 * (SELECT sum(revenue) / nullif(sum(orders), 0) FROM outcome "
        "WHERE day > date(%Q, '-56 days') AND day <= %Q) AS v "
        "FROM message WHERE channel = %Q AND sent_at > date(%Q, '-55 days') AND sent_at < date(%Q, "
        "'+1 day')) m "
        "WHERE g.run = %lld AND g.name = 'gain' AND g.subject = %Q AND g.at = '' AND m.v > 0",
        last, last, channel, last, last, (long long)s->runs.timing, channel);
}

static bw_status add_timing(bw_shop *s, bw_err *err) {
    const char **channel, **at;
    double *mean;
    size_t n;
    bw_status st = bw_query(s, "ttn", &n, err,
                            "SELECT subject, at, mean FROM estimate WHERE run = ?1 AND name = "
                            "'window' AND mean IS NOT NULL ORDER BY subject",
                            s->runs.timing, NULL, &channel, &at, &mean);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        st = bw_fact_add(s->facts, (bw_fact_name){"window", channel[i], at[i], "index"}, NULL, err,
                         "SELECT mean AS value, lo, hi, probability, n FROM estimate WHERE run = "
                         "%lld AND name = 'window' AND subject = %Q AND at = %Q",
                         (long long)s->runs.timing, channel[i], at[i]);
        if (st == BW_OK)
            st = add_estimate(s, s->runs.timing, "gain", channel[i],
                              (bw_fact_name){"timing.gain", channel[i], "", "share"}, err);
        if (st == BW_OK)
            st = add_estimate(s, s->runs.timing, "spacing", channel[i],
                              (bw_fact_name){"timing.spacing", channel[i], "", "days"}, err);
        if (st == BW_OK)
            st = add_timing_money(s, channel[i], err);
    }
    return st;
}

static bw_status add_fit_quality(bw_shop *s, bw_err *err) {
    bw_status st =
        add_estimate(s, s->runs.fit, "r2", "", (bw_fact_name){"fit.r2", "", "", "share"}, err);
    if (st == BW_OK)
        st = add_estimate(s, s->runs.fit, "mape", "", (bw_fact_name){"fit.mape", "", "", "share"},
                          err);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"fit.weeks", "", "", "count"}, NULL, err,
                         "SELECT nullif(count(DISTINCT at), 0) AS value FROM estimate WHERE run = "
                         "%lld AND name = 'fitted'",
                         (long long)s->runs.fit);
    return st;
}

/* The return from which money spent comes back: one over what is kept of each money earned. */
static bw_status add_break_even(bw_shop *s, bw_err *err) {
    if (strcmp(s->outcome_unit, "money") != 0 || s->n_channels == 0)
        return BW_OK;
    return bw_fact_add(s->facts, (bw_fact_name){"break_even", "", "", s->return_unit}, NULL, err,
                       "SELECT 1 / coalesce((SELECT CAST(value AS REAL) FROM setting WHERE key = "
                       "'margin' AND CAST(value AS REAL) > 0 AND CAST(value AS REAL) <= 1), 1) AS "
                       "value");
}

bw_status bw_gather_channels(bw_shop *s, bw_err *err) {
    bw_status st = add_break_even(s, err);
    for (size_t i = 0; i < s->n_channels && st == BW_OK; i++)
        st = add_channel(s, s->channels[i].name, err);
    if (st == BW_OK)
        st = add_plan(s, err);
    if (st == BW_OK)
        st = add_shift(s, "source.up", "DESC", 0.1, err);
    if (st == BW_OK)
        st = add_shift(s, "source.down", "ASC", -0.1, err);
    if (st == BW_OK)
        st = add_timing(s, err);
    return st == BW_OK ? add_fit_quality(s, err) : st;
}
