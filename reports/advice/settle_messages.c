/* reports/advice/settle_messages.c - timing and content: orders a message since the advice.
 *
 * Rates are compared on ordinary days, outside promotions and holidays, with the month's own level
 * (as the newest timing run knows it) taken out; for content the hour's too. The error is that of a ratio of totals over
 * messages, so it holds their real scatter and not the binomial one alone (Cochran 1977, 6.4). */
#include "reports/advice/settle.h"

#include <math.h>
#include <string.h>

typedef struct {
    double *since, *day, *hour, *sent, *hits, *has;
    size_t n;
} message_list;

/* The feature of a content advice as a condition on message_score c and message m. */
static const struct {
    const char *feature, *sql;
} FEATURES[] = {{"question", "c.question > 0"},
                {"number", "c.number > 0"},
                {"emoji", "c.emoji > 0"},
                {"urgency", "c.urgency > 0"},
                {"personal", "c.personal > 0"},
                {"positive tone", "c.positive - c.negative > 0.25"},
                {"negative tone", "c.negative - c.positive > 0.25"},
                {"long text", "c.chars > (SELECT avg(chars) FROM message_score)"}};

/* %s: the metric, the level of the slot or 1, the feature. ?1: the timing run. */
static const char *const MESSAGES =
    "WITH a AS (SELECT subject, week, due FROM advice WHERE id = ?2) "
    "SELECT m.day > a.due, (CAST(strftime('%%w', m.day) AS INTEGER) + 6) %% 7, m.hour, "
    "m.delivered, m.hits / coalesce((SELECT nullif(max(mean), 0) FROM estimate WHERE run = ?1 AND "
    "name = 'month_index' AND subject = a.subject AND at = substr(m.day, 6, 2)), 1) / %s, m.has "
    "FROM a JOIN (SELECT m.channel, substr(m.sent_at, 1, 10) AS day, CAST(substr(m.sent_at, 12, 2) "
    "AS INTEGER) AS hour, m.delivered, min(m.%s, m.delivered) AS hits, coalesce(%s, 0) AS has FROM "
    "message m LEFT JOIN message_score c ON c.message = m.id WHERE m.delivered > 0 AND m.%s IS NOT "
    "NULL) m ON m.channel = a.subject "
    "WHERE (m.day > a.due AND m.day <= (SELECT date(max(week), '+6 days') FROM weekly) OR m.day < "
    "a.week AND m.day >= date(a.week, '-364 days')) AND NOT EXISTS (SELECT 1 FROM event e WHERE "
    "e.kind IN ('promotion', 'holiday') AND m.day BETWEEN e.day AND e.end_day)";

/* For content, which may have moved to another hour as well. */
static const char *const SLOT_LEVEL =
    "coalesce((SELECT nullif(max(mean), 0) FROM estimate WHERE run = ?1 AND name = 'index' AND "
    "subject = a.subject AND at = printf('%d-%02d', (CAST(strftime('%w', m.day) AS INTEGER) + 6) % "
    "7, m.hour)), 1)";

static const char *metric_of(const bw_shop *s, bw_err *err) {
    const char **metric;
    size_t n;
    bw_status st = bw_query(s, "t", &n, err,
                            "SELECT json_extract(diagnostics, '$.metric') FROM model_run WHERE id "
                            "= ?1",
                            s->runs.timing, NULL, &metric);
    if (st == BW_OK && n == 1 && metric[0])
        for (const char *const *m = (const char *const[]){"clicks", "opens", NULL}; *m; m++)
            if (strcmp(*m, metric[0]) == 0)
                return *m;
    return "orders";
}

static const char *feature_sql(const bw_shop *s, const char *feature) {
    for (size_t i = 0; i < sizeof FEATURES / sizeof *FEATURES; i++)
        if (strcmp(FEATURES[i].feature, feature) == 0)
            return FEATURES[i].sql;
    if (strncmp(feature, "theme: ", 7) != 0)
        return "0";
    char *sql = sqlite3_mprintf("EXISTS (SELECT 1 FROM topic t JOIN topic_member x ON x.topic = "
                                "t.id WHERE t.kind = 'message' AND t.name = %Q AND x.id = m.id)",
                                feature + 7);
    const char *copy = bw_arena_text(s->arena, sql ? sql : "0");
    sqlite3_free(sql);
    return copy;
}

static bw_status read_messages(const bw_shop *s, const bw_promise *p, const char *feature,
                               message_list *l, bw_err *err) {
    const char *metric = metric_of(s, err);
    const char *sql = bw_arena_textf(s->arena, MESSAGES, *feature ? SLOT_LEVEL : "1", metric,
                                     *feature ? feature_sql(s, feature) : "0", metric);
    return bw_query(s, "nnnnnn", &l->n, err, sql, s->runs.timing, p->id, &l->since, &l->day,
                    &l->hour, &l->sent, &l->hits, &l->has);
}

typedef struct {
    double n, sent, hits, log, var; /* log of hits a message sent, and its variance */
} rate;

/* Messages picked by a mask [n]. */
static rate rate_of(const message_list *l, const bool *picked) {
    rate r = {0};
    for (size_t i = 0; i < l->n; i++)
        if (picked[i]) {
            r.n++;
            r.sent += l->sent[i];
            r.hits += l->hits[i];
        }
    if (r.n < 2 || !(r.hits > 0)) {
        r.n = 0; /* nothing to compare */
        return r;
    }
    double squares = 0;
    for (size_t i = 0; i < l->n; i++)
        if (picked[i])
            squares += pow(l->hits[i] - l->sent[i] * r.hits / r.sent, 2);
    r.log = log(r.hits / r.sent);
    r.var = squares / (r.hits * r.hits) * r.n / (r.n - 1);
    return r;
}

/* The interval of a ratio of rates, from its logarithm. */
static bw_status ratio(bw_measured *out, const rate *a, const rate *b) {
    double log_ratio = a->log - b->log, sd = sqrt(a->var + b->var);
    *out = (bw_measured){.mean = expm1(log_ratio),
                         .lo = expm1(log_ratio - BW_Z90 * sd),
                         .hi = expm1(log_ratio + BW_Z90 * sd),
                         .method = "messages",
                         .have = NAN,
                         .need = NAN};
    return BW_OK;
}

static const char *action_text(const bw_shop *s, const bw_promise *p, const char *key,
                               bw_err *err) {
    const char **text;
    size_t n;
    const char *sql = bw_arena_textf(
        s->arena, "SELECT json_extract(action, '$.%s') FROM advice WHERE id = ?2", key);
    bw_status st = bw_query(s, "t", &n, err, sql, 0, p->id, &text);
    return st == BW_OK && n == 1 && text[0] ? text[0] : "";
}

/* ---- timing ---- */

/* The share in the advice's own money: what a share of one was worth when it was promised. */
static void in_money(const bw_shop *s, const bw_promise *p, bw_measured *out, bw_err *err) {
    double *lift;
    size_t n;
    bw_status st = bw_query(s, "n", &n, err,
                            "SELECT json_extract(action, '$.lift') FROM advice WHERE id = ?2 AND "
                            "gain_unit = 'outcome'",
                            0, p->id, &lift);
    if (st != BW_OK || n != 1 || !(lift[0] > 0) || !isfinite(p->gain))
        return;
    double worth = p->gain / lift[0];
    out->mean *= worth;
    out->lo *= worth;
    out->hi *= worth;
}

static bool in_window(const message_list *l, size_t i, const int w[4]) {
    return l->day[i] >= w[0] && l->day[i] <= w[2] && l->hour[i] >= w[1] && l->hour[i] < w[3];
}

bw_status bw_settle_timing(const bw_shop *s, const bw_promise *p, bw_measured *out, bw_err *err) {
    message_list l;
    int w[4];
    if (!bw_window_parse(action_text(s, p, "window", err), &w[0], &w[1], &w[2], &w[3]))
        return bw_unmeasured(out, "reason.no_window", NAN, NAN);
    bw_status st = read_messages(s, p, "", &l, err);
    if (st != BW_OK)
        return st;
    bool *since = bw_arena_get(s->arena, l.n + 1), *before = bw_arena_get(s->arena, l.n + 1);
    double sent = 0, moved = 0;
    for (size_t i = 0; i < l.n; i++) {
        since[i] = l.since[i] > 0;
        before[i] = !since[i];
        sent += since[i];
        moved += since[i] && in_window(&l, i, w);
    }
    if (sent > 0 && moved < BW_FOLLOWED_LEAST * sent)
        return bw_not_followed(out, moved / sent);
    rate a = rate_of(&l, since), b = rate_of(&l, before);
    if (a.n < BW_MESSAGES_SINCE)
        return bw_unmeasured(out, "reason.few_messages", sent, BW_MESSAGES_SINCE);
    if (b.n < BW_MESSAGES_BEFORE)
        return bw_unmeasured(out, "reason.few_before", b.n, BW_MESSAGES_BEFORE);
    st = ratio(out, &a, &b);
    in_money(s, p, out, err);
    return st;
}

/* ---- content ---- */

/* With the feature since the advice, against without it: since as well where there are enough of
 * them, else in the year before. */
bw_status bw_settle_content(const bw_shop *s, const bw_promise *p, bw_measured *out, bw_err *err) {
    message_list l;
    bw_status st = read_messages(s, p, action_text(s, p, "feature", err), &l, err);
    if (st != BW_OK)
        return st;
    bool *with = bw_arena_get(s->arena, l.n + 1), *without = bw_arena_get(s->arena, l.n + 1),
         *before = bw_arena_get(s->arena, l.n + 1);
    for (size_t i = 0; i < l.n; i++) {
        with[i] = l.since[i] > 0 && l.has[i] > 0;
        without[i] = l.since[i] > 0 && !(l.has[i] > 0);
        before[i] = !(l.since[i] > 0) && !(l.has[i] > 0);
    }
    rate a = rate_of(&l, with), b = rate_of(&l, without);
    if (b.n < BW_MESSAGES_SINCE)
        b = rate_of(&l, before);
    if (a.n < BW_MESSAGES_SINCE)
        return bw_unmeasured(out, "reason.few_messages", a.n, BW_MESSAGES_SINCE);
    if (b.n < BW_MESSAGES_SINCE)
        return bw_unmeasured(out, "reason.few_before", b.n, BW_MESSAGES_SINCE);
    return ratio(out, &a, &b);
}
