/* reports/facts/gather_since.c - what changed since a day: the weeks from its own on, against as many
 * before them.
 *
 * A part of the decomposition is a coefficient times what was done, so its uncertainty over weeks is
 * one and the same factor: the interval of a difference is as wide, relative to it, as that of the
 * part itself. */
#include "reports/facts/gather.h"

#include "sql/value.h"

#include <math.h>

#define CAUSES_MOST 24

/* First day of the weeks since, and of as many before. */
typedef struct {
    char first[11], before[11];
    int weeks;
} since_span;

static bw_status find_span(const bw_shop *s, const char *since, since_span *out, bw_err *err) {
    const char **week;
    double *after, *before;
    size_t n;
    int last = bw_iso_day(s->week), day = bw_iso_day(since);
    if (day == 0)
        return bw_fail(err, BW_EUSAGE, "--since %s: wanted a day such as 2026-09-01", since);
    out->weeks = day <= last ? (last - day + 6) / 7 + 1 : day <= last + 6 ? 1 : 0;
    bw_day_text(last - 7 * (out->weeks - 1), out->first);
    bw_day_text(last - 7 * (2 * out->weeks - 1), out->before);
    bw_status st = bw_query(s, "tnn", &n, err,
                            bw_arena_textf(s->arena,
                                           "SELECT min(week), sum(week >= '%s'), sum(week < '%s') "
                                           "FROM weekly WHERE week >= '%s' AND week <= ?2",
                                           out->first, out->first, out->before),
                            0, s->week, &week, &after, &before);
    if (st == BW_OK &&
        (out->weeks < 1 || n == 0 || after[0] != out->weeks || before[0] != out->weeks))
        return bw_fail(err, BW_EDATA,
                       "--since %s: the weeks since then and as many before must be in the data",
                       since);
    return st;
}

static bw_status add_causes(bw_shop *s, const since_span *p, bw_err *err) {
    const char **part;
    double *size;
    size_t n;
    char *sql = sqlite3_mprintf(
        "SELECT subject, abs(sum(CASE WHEN at >= %Q THEN mean ELSE -mean END)) AS d FROM estimate "
        "WHERE run = ?1 AND name = 'decomposition' AND at >= %Q AND at <= ?2 GROUP BY subject "
        "ORDER BY d DESC, subject LIMIT %d",
        p->first, p->before, CAUSES_MOST);
    bw_status st = sql ? bw_query(s, "tn", &n, err, sql, s->runs.fit, s->week, &part, &size)
                       : bw_fail_memory(err);
    sqlite3_free(sql);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = bw_fact_add(
            s->facts, (bw_fact_name){"cause_since", part[i], p->first, s->outcome_unit}, NULL, err,
            "WITH t AS (SELECT sum(CASE WHEN at >= %Q THEN mean ELSE -mean END) AS v, sum(hi - lo) "
            "/ 2 / nullif(sum(abs(mean)), 0) AS r FROM estimate WHERE run = %lld AND name = "
            "'decomposition' AND subject = %Q AND at >= %Q AND at <= %Q) SELECT v AS value, v - r "
            "* abs(v) AS lo, v + r * abs(v) AS hi FROM t",
            p->first, (long long)s->runs.fit, part[i], p->before, s->week);
    return st;
}

bw_status bw_gather_since(bw_shop *s, const char *since, bw_err *err) {
    since_span p;
    bw_status st = find_span(s, since, &p, err);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"since.sum", "", p.first, s->outcome_unit}, NULL,
                         err, "SELECT sum(%s) AS value FROM weekly WHERE week >= %Q AND week <= %Q",
                         s->outcome, p.first, s->week);
    if (st == BW_OK)
        st = bw_fact_add(
            s->facts, (bw_fact_name){"since.change", "", p.first, s->outcome_unit}, NULL, err,
            "SELECT sum(CASE WHEN week >= %Q THEN %s ELSE -%s END) AS value, sum(CASE WHEN week < "
            "%Q THEN %s END) AS reference FROM weekly WHERE week >= %Q AND week <= %Q",
            p.first, s->outcome, s->outcome, p.first, s->outcome, p.before, s->week);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"since.weeks", "", p.first, "weeks"}, NULL, err,
                         "SELECT count(*) AS value FROM weekly WHERE week >= %Q AND week <= %Q",
                         p.first, s->week);
    return st == BW_OK ? add_causes(s, &p, err) : st;
}
