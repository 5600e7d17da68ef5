/* reports/advice/settle.c - budget, promotion, complaint and experiment; and what all kinds share. */
#include "reports/advice/settle.h"

#include "analyze/mix/move.h"

#include <math.h>
#include <string.h>

bw_status bw_unmeasured(bw_measured *out, const char *reason, double have, double need) {
    *out = (bw_measured){.mean = NAN,
                         .lo = NAN,
                         .hi = NAN,
                         .method = "none",
                         .reason = reason,
                         .have = have,
                         .need = need};
    return BW_OK;
}

bw_status bw_not_followed(bw_measured *out, double done) {
    return done < 0.01 ? bw_unmeasured(out, "reason.not_done", NAN, NAN)
                       : bw_unmeasured(out, "reason.not_followed", done, BW_FOLLOWED_LEAST);
}

bw_status bw_measured_by(bw_measured *out, const char *method, double mean, double sd) {
    *out = (bw_measured){.mean = mean,
                         .lo = mean - BW_Z90 * sd,
                         .hi = mean + BW_Z90 * sd,
                         .method = method,
                         .have = NAN,
                         .need = NAN};
    return BW_OK;
}

/* The half-widths that face each other; a measure of its own has an error of its own. */
bool bw_promise_kept(const bw_promise *p, const bw_measured *m) {
    bool above = m->mean > p->gain;
    double promise = above ? p->hi - p->gain : p->gain - p->lo;
    double measure = strcmp(m->method, "model") == 0 ? 0
                     : above                         ? m->mean - m->lo
                                                     : m->hi - m->mean;
    return fabs(m->mean - p->gain) <= hypot(promise, measure);
}

/* ---- budget ---- */

/* Channels of a budget advice: spend a week before it, what was to change, and the average of the
 * full weeks since it was due. */
static const char *const SPEND_SINCE =
    "WITH a AS (SELECT id, date(due, '+6 days') AS since, action FROM advice WHERE id = ?2), "
    "c AS (SELECT j.key AS channel, j.value AS was, coalesce((SELECT m.value FROM "
    "json_each(a.action, '$.moves') m WHERE m.key = j.key), 0) AS move "
    "FROM a, json_each(a.action, '$.now') j) "
    "SELECT c.channel, c.was, c.move, coalesce(avg(w.cost), 0), count(w.week) FROM c JOIN a "
    "LEFT JOIN channel_week w ON w.channel = c.channel AND w.week >= a.since AND w.week <= "
    "(SELECT max(week) FROM weekly) GROUP BY c.channel, c.was, c.move";

/* Which part of the move was made: the change of spend along the direction that was advised. */
static double followed(const double *was, const double *move, const double *now, size_t n) {
    double along = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        along += (now[i] - was[i]) * move[i];
        all += move[i] * move[i];
    }
    return all > 0 ? along / all : 1;
}

bw_status bw_settle_budget(const bw_shop *s, const bw_promise *p, bw_measured *out, bw_err *err) {
    const char **channel;
    double *was, *move, *now, *weeks, most = 0;
    size_t n;
    bw_status st =
        bw_query(s, "tnnnn", &n, err, SPEND_SINCE, 0, p->id, &channel, &was, &move, &now, &weeks);
    for (size_t i = 0; i < n && st == BW_OK; i++)
        most = fmax(most, weeks[i]);
    if (st != BW_OK)
        return st;
    if (most < BW_WEEKS_TO_SETTLE)
        return bw_unmeasured(out, "reason.few_weeks", most, BW_WEEKS_TO_SETTLE);
    double done = followed(was, move, now, n);
    if (done < BW_FOLLOWED_LEAST)
        return bw_not_followed(out, done);
    bw_summary worth;
    bw_err why = {{0}};
    st = bw_move_value(s->db, channel, was, now, n, &worth, &why);
    if (st == BW_EDATA)
        return bw_unmeasured(out, "reason.no_fit", NAN, NAN);
    if (st != BW_OK) {
        if (err)
            *err = why;
        return st;
    }
    *out = (bw_measured){worth.mean, worth.lo, worth.hi, "model", NULL, NAN, NAN};
    return BW_OK;
}

/* ---- promotion ---- */

/* The first promotion after the advice whose days, dip included, are over. A promotion that was
 * advised against and did not run leaves nothing to measure. */
static const char *const NEXT_PROMOTION =
    "SELECT json_extract(a.action, '$.again'), "
    "(SELECT e.mean FROM estimate e WHERE e.run = ?1 AND e.name = 'net' AND e.at > a.week ORDER BY "
    "e.at, e.subject LIMIT 1), "
    "(SELECT e.sd FROM estimate e WHERE e.run = ?1 AND e.name = 'net' AND e.at > a.week ORDER BY "
    "e.at, e.subject LIMIT 1) FROM advice a WHERE a.id = ?2";

bw_status bw_settle_promotion(const bw_shop *s, const bw_promise *p, bw_measured *out,
                              bw_err *err) {
    double *again, *net, *sd;
    size_t n;
    bw_status st =
        bw_query(s, "nnn", &n, err, NEXT_PROMOTION, s->runs.promotion, p->id, &again, &net, &sd);
    if (st != BW_OK)
        return st;
    if (n == 1 && again[0] == 0)
        return bw_unmeasured(out, "reason.not_run", NAN, NAN);
    if (n == 0 || !isfinite(net[0]) || !isfinite(sd[0]))
        return bw_unmeasured(out, "reason.no_promotion", NAN, NAN);
    return bw_measured_by(out, "promotion", net[0], sd[0]);
}

/* ---- complaint ---- */

/* Balance of the aspect's mentions: mean, variance and number in the four weeks up to the advice, and
 * since it was due. */
static const char *const BALANCES =
    "WITH v AS (SELECT r.day > a.due AS since, x.positive - x.negative AS b FROM advice a JOIN "
    "review_aspect x ON x.aspect = a.subject AND x.mentioned >= 0.5 JOIN review r ON r.id = "
    "x.review WHERE a.id = ?2 AND ((r.day > a.due AND r.day <= (SELECT date(max(week), "
    "'+6 days') FROM weekly)) OR r.day BETWEEN date(a.week, '-21 days') AND date(a.week, '+6 "
    "days'))) "
    "SELECT since, avg(b), max(avg(b * b) - avg(b) * avg(b), 0), count(*) FROM v GROUP BY since "
    "ORDER BY since";

bw_status bw_settle_complaint(const bw_shop *s, const bw_promise *p, bw_measured *out,
                              bw_err *err) {
    double *since, *mean, *var, *count;
    size_t n;
    bw_status st = bw_query(s, "nnnn", &n, err, BALANCES, 0, p->id, &since, &mean, &var, &count);
    if (st != BW_OK)
        return st;
    double after = n == 2 ? count[1] : n == 1 && since[0] > 0 ? count[0] : 0;
    double before = n == 2 ? count[0] : n == 1 && since[0] == 0 ? count[0] : 0;
    if (after < BW_MENTIONS_TO_JUDGE || before < BW_MENTIONS_TO_JUDGE)
        return bw_unmeasured(out, "reason.few_mentions", fmin(after, before), BW_MENTIONS_TO_JUDGE);
    return bw_measured_by(out, "reviews", mean[1] - mean[0],
                          sqrt(var[0] / count[0] + var[1] / count[1]));
}

/* ---- experiment ---- */

/* A finished test of the channel that began after the advice, as it was measured, a week. ?1: the
 * last day that counts, as a Julian day. */
static const char *const TEST =
    "SELECT e.effect / max(1, (julianday(e.end_day) - julianday(e.start_day) + 1) / 7), "
    "e.effect_sd / max(1, (julianday(e.end_day) - julianday(e.start_day) + 1) / 7) FROM "
    "experiment e JOIN advice a ON a.id = ?2 WHERE e.channel = a.subject AND e.start_day >= a.week "
    "AND julianday(e.end_day) <= ?1 AND e.effect IS NOT NULL ORDER BY e.end_day, e.id LIMIT 1";

bw_status bw_settle_experiment(const bw_shop *s, const bw_promise *p, bw_measured *out,
                               bw_err *err) {
    double *mean, *sd;
    size_t n;
    int64_t last = bw_iso_day(s->last_day) + 2440588; /* 1970-01-01 as a Julian day, rounded up */
    bw_status st = bw_query(s, "nn", &n, err, TEST, last, p->id, &mean, &sd);
    if (st != BW_OK)
        return st;
    return n ? bw_measured_by(out, "experiment", mean[0], isfinite(sd[0]) ? sd[0] : 0)
             : bw_unmeasured(out, "reason.no_test", NAN, NAN);
}
