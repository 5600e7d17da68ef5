/* reports/doc/section_movers.c - the single figures of the week that moved, each with its reason.
 *
 * A figure is told when it moved by NOTABLE_CHANGE or more, left its normal range, or came from
 * nothing. Its reason is looked for in a fixed order: the channel behind a change of spend, the two
 * figures that a ratio is made of, the topic behind a change of mood, an event of the week. When the
 * data hold none of them the sentence says so. */
#include "reports/doc/document.h"
#include "reports/facts/gather.h"

#include <math.h>
#include <string.h>

#define MOVERS_MOST   10  /* figures of the week that are told besides the outcome */
#define SURE_OF_ONE   2.6 /* standard errors: several topics are tried */
#define TOPIC_LEAST   5   /* mentions of a topic in each of the two weeks */
#define AT_ANY_LENGTH 0.75

typedef enum { NO_REASON, BY_CHANNEL, BY_PARTS, BY_TOPIC, BY_EVENT } reason_kind;

/* A figure that moved, and why. */
typedef struct {
    const bw_fact *week, *change; /* change NULL: there is no figure to divide by */
    const char *label;
    reason_kind reason;
    bw_message why; /* the reason's slots */
} mover;

static const bw_fact *of_measure(const bw_shop *s, const char *what, const char *measure) {
    return bw_fact_find(s->facts, bw_arena_textf(s->arena, "%s.%s", what, measure), "");
}

int bw_week_side(const bw_fact *week, const bw_fact *normal) {
    if (!week || !normal || !isfinite(normal->lo))
        return 0;
    return week->value > normal->hi ? 1 : week->value < normal->lo ? -1 : 0;
}

bw_status bw_week_event(bw_document *d, const char **name, bw_err *err) {
    const char **names;
    size_t n;
    bw_status st = bw_query(d->shop, "t", &n, err,
                            "SELECT name FROM event WHERE day <= date(?2, '+6 days') AND end_day "
                            ">= ?2 ORDER BY julianday(end_day) - julianday(day), name LIMIT 1",
                            0, d->shop->week, &names);
    bool found = st == BW_OK && n;
    *name =
        found ? bw_shop_part(d->shop, bw_arena_textf(d->shop->arena, "_event:%s", names[0])) : NULL;
    return st;
}

/* ---- reasons ---- */

/* The channel whose spend changed most in the direction of the whole. */
static bw_status spend_reason(bw_document *d, mover *m, bw_err *err) {
    bw_shop *s = d->shop;
    const char **channel;
    double *moved, way = m->week->value - m->week->reference;
    size_t n, i = 0;
    bw_status st = bw_query(s, "tn", &n, err,
                            "SELECT channel, sum(CASE WHEN week = ?2 THEN cost ELSE -cost END) AS "
                            "moved FROM channel_week WHERE week IN (?2, date(?2, '-7 days')) "
                            "GROUP BY channel ORDER BY abs(moved) DESC, channel",
                            0, s->week, &channel, &moved);
    while (st == BW_OK && i < n && !(moved[i] * way > 0))
        i++;
    if (st != BW_OK || i == n)
        return st;
    const bw_fact *f = NULL;
    st = bw_fact_add(s->facts, (bw_fact_name){"spend.moved", channel[i], "", "money"}, &f, err,
                     "SELECT coalesce((SELECT cost FROM channel_week WHERE week = %Q AND channel = "
                     "%Q), 0) - coalesce((SELECT cost FROM channel_week WHERE week = %Q AND "
                     "channel = %Q), 0) AS value",
                     s->week, channel[i], s->week_before, channel[i]);
    if (st == BW_OK && f) {
        m->reason = BY_CHANNEL;
        bw_message_name(&m->why, "channel", bw_shop_channel(s, channel[i]));
        bw_message_fact(&m->why, "moved", f);
    }
    return st;
}

/* A ratio moves as its two parts do. */
static void parts_reason(const bw_document *d, const bw_measure *measure, mover *m) {
    const bw_fact *part[2] = {0};
    const char *label[2];
    for (size_t i = 0; i < 2; i++)
        for (const bw_measure *x = BW_MEASURES; measure->over[i] && x->name; x++)
            if (strcmp(x->name, measure->over[i]) == 0) {
                part[i] = of_measure(d->shop, "change", x->name);
                label[i] = bw_word(d->shop->locale, x->label);
            }
    if (!part[0] || !part[1])
        return;
    m->reason = BY_PARTS;
    bw_message_name(&m->why, "top", label[0]);
    bw_message_fact(&m->why, "change2", part[0]);
    bw_message_name(&m->why, "bottom", label[1]);
    bw_message_fact(&m->why, "change3", part[1]);
}

/* Balance of a topic's mentions, this week against last, with its standard error. */
#define TOPIC_MOVES                                                                             \
    "WITH x AS (SELECT a.aspect, r.day > date(%Q, '-7 days') AS late, a.positive - a.negative " \
    "AS v FROM review_aspect a JOIN review r ON r.id = a.review WHERE a.mentioned >= 0.5 AND "  \
    "r.day > date(%Q, '-14 days') AND r.day <= %Q AND a.aspect <> 'other'), g AS (SELECT "      \
    "aspect, late, count(*) AS n, avg(v) AS mean, max(avg(v * v) - avg(v) * avg(v), 0) / "      \
    "count(*) AS var FROM x GROUP BY aspect, late), m AS (SELECT b.aspect, b.mean - a.mean AS " \
    "value, sqrt(a.var + b.var) AS se, b.n AS n FROM g a JOIN g b ON a.aspect = b.aspect AND "  \
    "a.late = 0 AND b.late = 1 WHERE min(a.n, b.n) >= %d) "

/* The topic that moved most clearly in the direction of the whole mood. */
static bw_status topic_reason(bw_document *d, mover *m, bw_err *err) {
    bw_shop *s = d->shop;
    const char **aspect, *last = s->last_day;
    double *moved;
    size_t n;
    char *sql = sqlite3_mprintf(
        TOPIC_MOVES "SELECT aspect, value FROM m WHERE se > 0 AND abs(value) > %f * se AND value "
                    "* %f > 0 ORDER BY abs(value) / se DESC, aspect LIMIT 1",
        last, last, last, TOPIC_LEAST, SURE_OF_ONE, m->change ? m->change->value : 0);
    bw_status st =
        sql ? bw_query(s, "tn", &n, err, sql, 0, NULL, &aspect, &moved) : bw_fail_memory(err);
    sqlite3_free(sql);
    if (st != BW_OK || n == 0)
        return st;
    const bw_fact *f = NULL;
    st = bw_fact_add(s->facts, (bw_fact_name){"aspect.week", aspect[0], s->week, "points"}, &f, err,
                     TOPIC_MOVES "SELECT value, value - 1.645 * se AS lo, value + 1.645 * se AS "
                                 "hi, n FROM m WHERE aspect = %Q",
                     last, last, last, TOPIC_LEAST, aspect[0]);
    if (st == BW_OK && f) {
        m->reason = BY_TOPIC;
        bw_message_name(&m->why, "aspect", bw_shop_aspect(s, aspect[0]));
        bw_message_fact(&m->why, "shift", f);
    }
    return st;
}

static bw_status find_reason(bw_document *d, const bw_measure *measure, const char *event, mover *m,
                             bw_err *err) {
    bw_status st = BW_OK;
    if (strcmp(measure->name, "spend") == 0)
        return spend_reason(d, m, err);
    if (measure->difference)
        return topic_reason(d, m, err);
    if (m->change)
        parts_reason(d, measure, m);
    if (m->reason == NO_REASON && event) {
        m->reason = BY_EVENT;
        bw_message_name(&m->why, "event", event);
    }
    return st;
}

/* ---- which figures ---- */

static bool is_large(const bw_measure *measure, const mover *m) {
    if (!m->change)
        return m->week->value != 0 && m->week->reference == 0;
    if (fabs(m->change->value) >= BW_NOTABLE_CHANGE)
        return true;
    return measure->difference && (m->change->lo > 0 || m->change->hi < 0);
}

/* Finds out whether a figure moved enough to be told; *moved says so. */
static bw_status read_mover(bw_document *d, const bw_measure *measure, const char *event, mover *m,
                            bool *moved, bw_err *err) {
    bw_shop *s = d->shop;
    *m = (mover){.week = of_measure(s, "week", measure->name),
                 .change = of_measure(s, "change", measure->name),
                 .label = bw_word(s->locale, measure->label)};
    *moved =
        m->week && strcmp(measure->name, s->outcome) != 0 &&
        (bw_week_side(m->week, of_measure(s, "normal", measure->name)) || is_large(measure, m));
    return *moved ? find_reason(d, measure, event, m, err) : BW_OK;
}

/* ---- sentences ---- */

/* "mover.none": against last week; "mover.none.fresh": last week had nothing; "mover.none.alone":
 * nothing is known of last week; "mover.none.2": two figures that moved for the same reason. */
static void say_mover(bw_document *d, bw_buf *p, const mover *a, const mover *b) {
    static const char *const REASONS[] = {"none", "spend", "parts", "aspect", "event"};
    bw_message m = a->why;
    const char *form = b                              ? ".2"
                       : a->change                    ? ""
                       : isfinite(a->week->reference) ? ".fresh"
                                                      : ".alone";
    m.key = bw_arena_textf(d->shop->arena, "mover.%s%s", REASONS[a->reason], form);
    m.salience = AT_ANY_LENGTH;
    bw_message_name(&m, "figure", a->label);
    bw_message_fact(&m, "week", a->week);
    if (a->change)
        bw_message_fact(&m, "change", a->change);
    if (b) {
        bw_message_name(&m, "second", b->label);
        bw_message_fact(&m, "change2", b->change);
        bw_message_fact(&m, "week2", b->week);
    }
    bw_say(d, p, &m);
}

static bool pairs(const mover *a, const mover *b) {
    return a->reason == b->reason && (a->reason == NO_REASON || a->reason == BY_EVENT) &&
           a->change && b->change;
}

bw_status bw_movers_say(bw_document *d, bw_buf *p, bw_err *err) {
    mover list[MOVERS_MOST];
    size_t n = 0;
    const char *event = NULL;
    bw_status st = bw_week_event(d, &event, err);
    for (const bw_measure *m = BW_MEASURES; m->name && st == BW_OK && n < MOVERS_MOST; m++) {
        bool moved;
        st = read_mover(d, m, event, &list[n], &moved, err);
        n += moved;
    }
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        bool two = i + 1 < n && pairs(&list[i], &list[i + 1]);
        say_mover(d, p, &list[i], two ? &list[i + 1] : NULL);
        i += two;
    }
    return st;
}
