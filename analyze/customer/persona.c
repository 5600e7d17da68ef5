/* analyze/customer/persona.c - each part is one statement that ranks what is told of the groups. */
#include "analyze/customer/persona.h"

#include "sql/db.h"

#define TOP_THINGS  "3"  /* of each kind told of a group */
#define VOICE_LEAST "20" /* reviews of an aspect */
#define TALK_LEAST \
    "5" /* of a group's own reviews, or messages that ordered, before a thing is told */

/* What a group buys, and through which channel, more than others do: share in the group over share in all. */
static const char THINGS[] =
    "INSERT OR REPLACE INTO estimate (run, name, subject, at, mean, n, unit) "
    "WITH p AS (SELECT s.segment, coalesce(%s, '') AS thing, count(*) AS n FROM purchase "
    "  JOIN customer_segment s USING (customer) WHERE coalesce(%s, '') <> '' GROUP BY 1, 2), "
    "whole AS (SELECT thing, sum(n) * 1.0 / (SELECT sum(n) FROM p) AS share FROM p GROUP BY "
    "1), "
    "own AS (SELECT segment, thing, n, n * 1.0 / sum(n) OVER (PARTITION BY segment) AS share "
    "FROM p), "
    "ranked AS (SELECT segment, thing, own.share / whole.share AS lift, n, row_number() OVER "
    "(PARTITION BY segment "
    "  ORDER BY own.share / whole.share DESC, thing) AS k FROM own JOIN whole USING (thing)) "
    "SELECT %lld, '%s', segment, thing, lift, n, 'ratio' FROM ranked WHERE k <= " TOP_THINGS;

/* What is said of what a group buys: sentiment by aspect of its products' reviews, each product weighed by how
 * often the group buys it: the voice of the products, not of the group. */
static const char VOICE[] =
    "INSERT OR REPLACE INTO estimate (run, name, subject, at, mean, n, unit) "
    "WITH buys AS (SELECT s.segment, p.product, count(*) AS n FROM purchase p JOIN "
    "  customer_segment s USING (customer) WHERE coalesce(p.product, '') <> '' GROUP BY 1, 2), "
    "talk AS (SELECT r.product, a.aspect, count(*) AS reviews, total(a.mentioned) AS mentions, "
    "  total(a.mentioned * (a.positive - a.negative)) AS net FROM review_aspect a JOIN review r "
    "  ON r.id = a.review WHERE a.mentioned >= 0.5 AND coalesce(r.product, '') <> '' GROUP BY 1, "
    "  2) "
    "SELECT %lld, 'voice', b.segment, t.aspect, total(b.n * t.net) / total(b.n * t.mentions), "
    "sum(t.reviews), 'sentiment' FROM buys b JOIN talk t USING (product) GROUP BY 3, 4 "
    "HAVING sum(t.reviews) >= " VOICE_LEAST;

/* Filled in: rows of (segment, thing, came, expected), run, name. Gamma(1, 1) for the ratio of what came to what
 * the thing brings with everybody; intervals by its standard deviation. */
static const char RATIOS[] =
    "INSERT OR REPLACE INTO estimate (run, name, subject, at, mean, sd, lo, hi, n, unit) "
    "WITH q AS (%s), r AS (SELECT segment, thing, came, (came + 1) / (expected + 1) AS mean, "
    " sqrt(came + 1) / (expected + 1) AS sd FROM q WHERE expected > 0), "
    "ranked AS (SELECT *, row_number() OVER (PARTITION BY segment ORDER BY mean - sd DESC, thing) "
    " AS k FROM r WHERE came >= " TALK_LEAST ") "
    "SELECT %lld, '%s', segment, thing, mean, sd, max(0, mean - 1.645 * sd), mean + 1.645 * sd, "
    "came, 'ratio' FROM ranked WHERE k <= " TOP_THINGS;

/* Topics of a group's own reviews, against how often everybody with a name speaks of them. */
static const char TOPICS[] =
    "SELECT segment, thing, came, whole * own AS expected FROM (SELECT s.segment, t.name AS thing, "
    "count(*) AS came FROM topic t JOIN topic_member m ON m.topic = t.id JOIN review r ON r.id = "
    "m.id JOIN customer_segment s ON s.customer = r.customer WHERE t.kind = 'review' GROUP BY 1, "
    "2) JOIN (SELECT s.segment, count(*) * 1.0 AS own FROM review r JOIN customer_segment s ON "
    "s.customer = r.customer GROUP BY 1) USING (segment) JOIN (SELECT t.name AS thing, count(*) * "
    "1.0 / (SELECT count(*) FROM review r JOIN customer_segment USING (customer)) AS whole FROM "
    "topic t JOIN topic_member m ON m.topic = t.id JOIN review r ON r.id = m.id JOIN "
    "customer_segment USING (customer) WHERE t.kind = 'review' GROUP BY 1) USING (thing)";

/* Orders by channel of the messages a group got, against what as many bring with everybody. */
static const char ANSWERS[] =
    "SELECT g.segment AS segment, g.channel AS thing, g.orders AS came, g.sent * w.rate AS "
    "expected "
    "FROM (SELECT s.segment, m.channel, total(m.orders) AS orders, total(coalesce(m.delivered, 1)) "
    " AS sent FROM message m JOIN customer_segment s ON s.customer = m.audience GROUP BY 1, 2 "
    " UNION ALL SELECT s.segment, m.channel, total(m.orders), total(coalesce(m.delivered, 1)) FROM "
    " message m JOIN (SELECT DISTINCT segment FROM customer_segment) s ON s.segment = m.audience "
    " GROUP BY 1, 2) g, (SELECT total(orders) / total(coalesce(delivered, 1)) AS rate FROM message "
    " WHERE orders IS NOT NULL) w";

#define NAMED "SELECT EXISTS (SELECT 1 FROM review JOIN purchase USING (customer))"
#define TOLD                                                                                 \
    "SELECT EXISTS (SELECT 1 FROM message m JOIN purchase p ON p.customer = m.audience) OR " \
    "EXISTS (SELECT 1 FROM message m JOIN customer_segment s ON s.segment = m.audience)"

void bw_persona_notes(sqlite3 *db, bw_notes *notes) {
    if (bw_db_number(db, NAMED, 0) == 0)
        bw_note(notes, "no review names a customer who bought: what a group says is told by the "
                       "reviews of what it buys");
    if (bw_db_number(db, TOLD, 0) == 0)
        bw_note(notes, "no message has a customer, or one of these groups, as its audience: what a "
                       "group answers to is not known beyond the channels it buys through");
}

static bw_status run_sql(sqlite3 *db, char *sql, bw_err *err) {
    bw_status st = sql ? bw_db_exec(db, sql, err) : bw_fail_memory(err);
    sqlite3_free(sql);
    return st;
}

bw_status bw_persona_store(sqlite3 *db, int64_t run, bw_err *err) {
    static const char *const BOUGHT[] = {"product", "channel"};
    long long id = (long long)run;
    bw_status st = BW_OK;
    for (size_t k = 0; st == BW_OK && k < 2; k++)
        st = run_sql(db, sqlite3_mprintf(THINGS, BOUGHT[k], BOUGHT[k], id, BOUGHT[k]), err);
    if (st == BW_OK)
        st = run_sql(db, sqlite3_mprintf(VOICE, id), err);
    if (st == BW_OK)
        st = run_sql(db, sqlite3_mprintf(RATIOS, TOPICS, id, "says"), err);
    return st == BW_OK ? run_sql(db, sqlite3_mprintf(RATIOS, ANSWERS, id, "answers"), err) : st;
}
