/* reports/facts/gather_voice.c - facts of the reviews: how customers feel, what they speak of, and
 * what moved. */
#include "reports/facts/gather.h"

#include "sql/value.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#define ASPECT_MENTIONS_LEAST 10 /* fewer in four weeks say nothing of a topic */
/* Of a year's mentions of named topics: a rarer topic is none of this shop's. The aspects head finds "food"
 * in 3.3 % and "ambience" in 2.4 % of the mentions of a shop for outdoor wear. */
#define ASPECT_SHARE_LEAST "0.05"
#define FAMILY_ERROR       0.10 /* chance of any false alarm among all topics */

/* Mean, variance and number of the sentiment of reviews of four weeks that end with `last`. */
#define MOOD                                                                                     \
    "(SELECT avg(x) AS mean, avg(x * x) - avg(x) * avg(x) AS var, count(*) AS n FROM "           \
    "(SELECT s.positive - s.negative AS x FROM review r JOIN review_score s ON s.review = r.id " \
    "WHERE r.day > date(%Q, '-28 days') AND r.day <= %Q))"

static bw_status add_shift_between(bw_shop *s, bw_fact_name name, const char *last_a,
                                   const char *last_b, bw_err *err) {
    return bw_fact_add(s->facts, name, NULL, err,
                       "SELECT b.mean - a.mean AS value, b.mean - a.mean - 1.645 * sqrt(a.var / "
                       "a.n + b.var / b.n) AS lo, "
                       "b.mean - a.mean + 1.645 * sqrt(a.var / a.n + b.var / b.n) AS hi, a.mean AS "
                       "reference, b.n AS n "
                       "FROM " MOOD " a, " MOOD " b WHERE a.n >= 10 AND b.n >= 10",
                       last_a, last_a, last_b, last_b);
}

static bw_status add_mood(bw_shop *s, const char *last, const char *before, bw_err *err) {
    bw_status st =
        bw_fact_add(s->facts, (bw_fact_name){"voice.sentiment", "", "", "points"}, NULL, err,
                    "SELECT mean AS value, mean - 1.645 * sqrt(max(var, 0) / n) AS lo, mean + "
                    "1.645 * sqrt(max(var, 0) / n) AS hi, n FROM " MOOD " WHERE n >= 5",
                    last, last);
    if (st == BW_OK)
        st = add_shift_between(s, (bw_fact_name){"voice.shift", "", "", "points"}, before, last,
                               err);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"voice.reviews", "", "", "count"}, NULL, err,
                         "SELECT count(*) AS value FROM review r JOIN review_score s ON s.review = "
                         "r.id WHERE r.day > date(%Q, '-28 days') AND r.day <= %Q",
                         last, last);
    return st;
}

/* The event of the last half year after which sentiment moved most, if it clearly moved: the four
 * weeks before it against the four weeks from it on. Holidays and promotions are left out: they come
 * and go too fast to be blamed for four weeks. */
static bw_status add_event(bw_shop *s, const char *last, bw_err *err) {
    const char **name, **from, **to, *best = NULL;
    double *days, strength = 2.6; /* standard errors: several events are tried */
    size_t n;
    bw_status st = bw_query(
        s, "tttn", &n, err,
        "SELECT name, date(day, '-1 day'), min(date(day, '+27 days'), ?2), 0 FROM event WHERE kind "
        "NOT IN ('holiday', 'promotion') "
        "AND day BETWEEN date(?2, '-154 days') AND date(?2, '-10 days') ORDER BY day, name",
        0, last, &name, &from, &to, &days);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        bw_facts *trial = bw_facts_new(s->arena, s->db);
        const bw_fact *f = NULL;
        st =
            bw_fact_add(trial, (bw_fact_name){"voice.event", "", name[i], "points"}, &f, err,
                        "SELECT b.mean - a.mean AS value, b.mean - a.mean - 1.645 * sqrt(a.var / "
                        "a.n + b.var / b.n) AS lo, "
                        "b.mean - a.mean + 1.645 * sqrt(a.var / a.n + b.var / b.n) AS hi FROM " MOOD
                        " a, " MOOD " b WHERE a.n >= 10 AND b.n >= 10",
                        from[i], from[i], to[i], to[i]);
        double z = f && f->hi > f->lo ? fabs(f->value) / ((f->hi - f->lo) / 2 / 1.645) : 0;
        if (z > strength) {
            strength = z;
            best = name[i];
            *from = from[i];
            *to = to[i];
        }
    }
    if (st != BW_OK || !best)
        return st;
    return add_shift_between(s, (bw_fact_name){"voice.event", "", best, "points"}, *from, *to, err);
}

/* ---- topics of the aspects head ---- */

#define ASPECT                                                                                     \
    "(SELECT avg(a.negative) AS neg, avg(a.positive) AS pos, avg(a.positive - a.negative) AS "     \
    "net, "                                                                                        \
    "avg((a.positive - a.negative) * (a.positive - a.negative)) - avg(a.positive - a.negative) * " \
    "avg(a.positive - a.negative) AS var, "                                                        \
    "count(*) AS n FROM review_aspect a JOIN review r ON r.id = a.review "                         \
    "WHERE a.aspect = %Q AND a.mentioned >= 0.5 AND r.day > date(%Q, '-28 days') AND r.day <= %Q)"

static bw_status add_aspect(bw_shop *s, const char *aspect, const char *last, const char *before,
                            bw_err *err) {
    const bw_fact *mentions = NULL;
    bw_status st = bw_fact_add(s->facts, (bw_fact_name){"aspect.mentions", aspect, "", "count"},
                               &mentions, err, "SELECT n AS value FROM " ASPECT " WHERE n >= %d",
                               aspect, last, last, ASPECT_MENTIONS_LEAST);
    if (st != BW_OK || !mentions)
        return st;
    st = bw_fact_add(s->facts, (bw_fact_name){"aspect.negative", aspect, "", "share"}, NULL, err,
                     "SELECT neg AS value, n FROM " ASPECT, aspect, last, last);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"aspect.positive", aspect, "", "share"}, NULL,
                         err, "SELECT pos AS value, n FROM " ASPECT, aspect, last, last);
    if (st != BW_OK)
        return st;
    return bw_fact_add(s->facts, (bw_fact_name){"aspect.shift", aspect, "", "points"}, NULL, err,
                       "SELECT b.net - a.net AS value, b.net - a.net - 1.645 * sqrt(a.var / a.n + "
                       "b.var / b.n) AS lo, "
                       "b.net - a.net + 1.645 * sqrt(a.var / a.n + b.var / b.n) AS hi FROM " ASPECT
                       " a, " ASPECT " b WHERE a.n >= %d AND b.n >= %d",
                       aspect, before, before, aspect, last, last, ASPECT_MENTIONS_LEAST,
                       ASPECT_MENTIONS_LEAST);
}

static double p_value(const bw_fact *f) {
    double se = (f->hi - f->lo) / 2 / 1.645;
    return se > 0 ? 2 * gsl_cdf_ugaussian_Q(fabs(f->value) / se) : 1;
}

/* Which topics moved, with the chance of any false alarm held at a tenth (Holm 1979). The clearest
 * of them becomes the fact aspect.moved. */
static bw_status flag_aspects(bw_shop *s, const char *last, const char *before, bw_err *err) {
    const bw_fact *shift[32], *f;
    size_t n = 0;
    for (size_t i = 0; (f = bw_fact_at(s->facts, i)) && n < 32; i++)
        if (strcmp(f->measure, "aspect.shift") == 0 && isfinite(f->lo))
            shift[n++] = f;
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && p_value(shift[k]) < p_value(shift[k - 1]); k--) {
            f = shift[k];
            shift[k] = shift[k - 1];
            shift[k - 1] = f;
        }
    bw_status st = BW_OK;
    for (size_t i = 0; i < n && st == BW_OK && p_value(shift[i]) <= FAMILY_ERROR / (double)(n - i);
         i++) {
        const char *aspect = shift[i]->subject;
        st = bw_fact_add(
            s->facts,
            (bw_fact_name){i == 0 ? "aspect.moved" : "aspect.moved_too", "", aspect, "points"},
            NULL, err,
            "SELECT b.net - a.net AS value, b.net - a.net - 1.645 * sqrt(a.var / a.n + b.var / "
            "b.n) AS lo, "
            "b.net - a.net + 1.645 * sqrt(a.var / a.n + b.var / b.n) AS hi FROM " ASPECT
            " a, " ASPECT " b",
            aspect, before, before, aspect, last, last);
    }
    return st;
}

static bw_status add_aspects(bw_shop *s, const char *last, const char *before, bw_err *err) {
    const char **aspect;
    double *count;
    size_t n;
    bw_status st = bw_query(
        s, "tn", &n, err,
        "WITH m AS (SELECT a.aspect, r.day > date(?2, '-28 days') AS late FROM review_aspect a "
        "JOIN "
        "review r ON r.id = a.review WHERE a.mentioned >= 0.5 AND r.day > date(?2, '-364 days') "
        "AND "
        "r.day <= ?2) SELECT aspect, sum(late) AS k FROM m GROUP BY 1 HAVING k > 0 AND (aspect = "
        "'other' OR count(*) >= " ASPECT_SHARE_LEAST
        " * (SELECT count(*) FROM m WHERE aspect <> 'other')) ORDER BY k DESC, 1 LIMIT 10",
        0, last, &aspect, &count);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = add_aspect(s, aspect[i], last, before, err);
    return st == BW_OK ? flag_aspects(s, last, before, err) : st;
}

/* What mood does to sales: the fit's part of it, against what the average mood would bring. At this
 * week, and in the week of the last half-year in which it cost most. */
static bw_status add_cost(bw_shop *s, bw_err *err) {
    static const char *const PART =
        "SELECT mean AS value, lo, hi FROM estimate WHERE run = %lld AND "
        "name = 'decomposition' AND subject = '_control:sentiment' AND "
        "at = %Q";
    const char **low;
    size_t n;
    bw_status st = bw_query(s, "t", &n, err,
                            "SELECT at FROM estimate WHERE run = ?1 AND name = 'decomposition' AND "
                            "subject = '_control:sentiment' AND at <= ?2 AND at > date(?2, '-182 "
                            "days') ORDER BY mean, at LIMIT 1",
                            s->runs.fit, s->week, &low);
    if (st != BW_OK || n == 0)
        return st;
    const bw_fact *now = NULL;
    st = bw_fact_add(s->facts, (bw_fact_name){"voice.cost", "", s->week, s->outcome_unit}, &now,
                     err, PART, (long long)s->runs.fit, s->week);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"voice.low", "", low[0], s->outcome_unit}, NULL,
                         err, PART, (long long)s->runs.fit, low[0]);
    if (st != BW_OK || !now || now->hi >= 0)
        return st;
    return bw_fact_add(s->facts, (bw_fact_name){"complaint.money", "", s->week, s->outcome_unit},
                       NULL, err,
                       "SELECT -mean AS value, -hi AS lo, -lo AS hi FROM estimate WHERE run = %lld "
                       "AND name = 'decomposition' AND subject = '_control:sentiment' AND at = %Q",
                       (long long)s->runs.fit, s->week);
}

/* Does mood run ahead of sales? The lag, how strong the link is there, and how often chance alone gives
 * one as strong at any lag. */
static bw_status add_lead(bw_shop *s, bw_err *err) {
    long long run = s->runs.sentiment;
    bw_status st = bw_fact_add(s->facts, (bw_fact_name){"voice.lead", "", "", "weeks"}, NULL, err,
                               "SELECT mean AS value, probability, n FROM estimate WHERE run = "
                               "%lld AND name = 'lead'",
                               run);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"voice.link", "", "", "number"}, NULL, err,
                         "SELECT mean AS value, lo, hi, n FROM estimate WHERE run = %lld AND name "
                         "= 'correlation' AND at = ''",
                         run);
    if (st != BW_OK)
        return st;
    return bw_fact_add(s->facts, (bw_fact_name){"voice.chance", "", "", "share"}, NULL, err,
                       "SELECT 1 - probability AS value, n FROM estimate WHERE run = %lld AND name "
                       "= 'lead'",
                       run);
}

bw_status bw_gather_voice(bw_shop *s, bw_err *err) {
    if (!*s->voice_week)
        return BW_OK;
    char last[11], before[11];
    bw_day_text(bw_iso_day(s->voice_week) + 6, last);
    bw_day_text(bw_iso_day(s->voice_week) - 22, before);
    bw_status st = add_mood(s, last, before, err);
    if (st == BW_OK)
        st = add_event(s, last, err);
    if (st == BW_OK)
        st = add_aspects(s, last, before, err);
    if (st == BW_OK)
        st = add_cost(s, err);
    return st == BW_OK ? add_lead(s, err) : st;
}
