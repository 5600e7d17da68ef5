/* reports/doc/section_change.c - what changed this week and why. */
#include "reports/doc/document.h"
#include "reports/facts/gather.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOVERS_MOST 10 /* figures of the week that are told besides the outcome */
#define NOTABLE_CHANGE \
    0.15 /* from here a figure's move is told with its reason, or that there is none */

static const bw_fact *of_measure(const bw_shop *s, const char *what, const char *measure) {
    return bw_fact_find(s->facts, bw_arena_textf(s->arena, "%s.%s", what, measure), "");
}

/* -1, 0, 1: below, inside, above the normal range; 0 when it is not known. */
static int outside(const bw_fact *week, const bw_fact *normal) {
    if (!week || !normal || !isfinite(normal->lo))
        return 0;
    return week->value > normal->hi ? 1 : week->value < normal->lo ? -1 : 0;
}

static void say_outcome(bw_document *d, bw_buf *p) {
    bw_shop *s = d->shop;
    const bw_fact *change = bw_fact_find(s->facts, "change.total", ""),
                  *week = of_measure(s, "week", s->outcome),
                  *normal = of_measure(s, "normal", s->outcome);
    if (!week)
        return;
    if (!change) {
        bw_message m = {.key = "change.first", .salience = 1};
        bw_message_fact(&m, "week", week);
        bw_say(d, p, &m);
        return;
    }
    int side = outside(week, normal);
    bw_message m = {.key = !normal    ? "change.outcome.plain"
                           : side > 0 ? "change.outcome.above"
                           : side < 0 ? "change.outcome.below"
                                      : "change.outcome.normal",
                    .salience = 1};
    bw_message_fact(&m, "change", change);
    bw_message_fact(&m, "week", week);
    if (normal && side)
        bw_message_fact(&m, "normal", normal);
    bw_say(d, p, &m);
}

/* Causes whose interval leaves zero out, largest first, of one sign; at most two. */
static size_t clear_causes(const bw_shop *s, const char *measure, int sign, const bw_fact **out) {
    const bw_fact *f;
    size_t n = 0;
    double largest = 0;
    for (size_t i = 0; (f = bw_fact_at(s->facts, i)); i++)
        if (strcmp(f->measure, measure) == 0 && f->subject[0] &&
            strcmp(f->subject, "_unexplained") != 0)
            largest = fmax(largest, fabs(f->value));
    for (size_t i = 0; (f = bw_fact_at(s->facts, i)) && n < 2; i++) {
        if (strcmp(f->measure, measure) != 0 || f->value * sign <= 0 ||
            strcmp(f->subject, "_unexplained") == 0)
            continue;
        bool clear = sign > 0 ? f->lo > 0 : f->hi < 0;
        if (clear && fabs(f->value) >= 0.1 * largest)
            out[n++] = f;
    }
    return n;
}

static void say_causes(bw_document *d, bw_buf *p, const char *measure, const char *prefix,
                       double salience) {
    for (int sign = 1; sign >= -1; sign -= 2) {
        const bw_fact *cause[2];
        size_t n = clear_causes(d->shop, measure, sign, cause);
        if (n == 0)
            continue;
        bw_message m = {
            .key = bw_arena_textf(d->shop->arena, "%s.%s.%zu", prefix, sign > 0 ? "up" : "down", n),
            .salience = salience};
        bw_message_name(&m, "first", bw_shop_part(d->shop, cause[0]->subject));
        bw_message_fact(&m, "a", cause[0]);
        if (n == 2) {
            bw_message_name(&m, "second", bw_shop_part(d->shop, cause[1]->subject));
            bw_message_fact(&m, "b", cause[1]);
        }
        bw_say(d, p, &m);
    }
}

static void say_unexplained(bw_document *d, bw_buf *p) {
    const bw_fact *rest = bw_fact_find(d->shop->facts, "cause", "_unexplained"),
                  *change = bw_fact_find(d->shop->facts, "change.total", "");
    if (!rest || !change)
        return;
    bool most = fabs(rest->value) > 0.5 * fabs(change->value);
    bw_message m = {.key = most ? "change.unexplained.most" : "change.unexplained",
                    .salience = most ? 0.8 : 0.5};
    bw_message_fact(&m, "rest", rest);
    bw_say(d, p, &m);
}

static void say_year(bw_document *d, bw_buf *p) {
    const bw_fact *year = of_measure(d->shop, "year", d->shop->outcome);
    if (!year)
        return;
    bw_message m = {.key = "change.year", .salience = 0.5};
    bw_message_fact(&m, "year", year);
    bw_say(d, p, &m);
    say_causes(d, p, "cause_year", "change.year", 0.35);
}

static void say_record(bw_document *d, bw_buf *p) {
    const bw_fact *rank = bw_fact_find(d->shop->facts, "record.rank", "");
    if (!rank || (rank->value != 1 && rank->value != rank->n))
        return;
    bw_message m = {.key = rank->value == 1 ? "change.record.best" : "change.record.worst",
                    .salience = 0.8};
    bw_message_fact(&m, "rank", rank);
    bw_say(d, p, &m);
}

/* ---- single figures that moved ---- */

/* The channel whose spend changed most in the direction of the whole. */
static bw_status spend_reason(bw_document *d, const bw_fact *change, bw_message *m, bw_err *err) {
    bw_shop *s = d->shop;
    const char **channel;
    double *moved;
    size_t n;
    bw_status st = bw_query(s, "tn", &n, err,
                            "SELECT channel, sum(CASE WHEN week = ?2 THEN cost ELSE -cost END) AS "
                            "moved FROM channel_week WHERE week IN (?2, date(?2, '-7 days')) "
                            "GROUP BY channel ORDER BY abs(moved) DESC, channel",
                            0, s->week, &channel, &moved);
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        if (moved[i] * change->value <= 0)
            continue;
        const bw_fact *f = NULL;
        st = bw_fact_add(s->facts, (bw_fact_name){"spend.moved", channel[i], "", "money"}, &f, err,
                         "SELECT coalesce((SELECT cost FROM channel_week WHERE week = %Q AND "
                         "channel = %Q), 0) - coalesce((SELECT cost FROM channel_week WHERE week = "
                         "%Q AND channel = %Q), 0) AS value",
                         s->week, channel[i], s->week_before, channel[i]);
        if (f) {
            bw_message_name(m, "channel", bw_shop_channel(s, channel[i]));
            bw_message_fact(m, "moved", f);
        }
        return st;
    }
    return st;
}

/* An event of the week, promotions and holidays included. */
static bw_status event_of_week(bw_document *d, const char **name, bw_err *err) {
    const char **names;
    size_t n;
    bw_status st = bw_query(d->shop, "t", &n, err,
                            "SELECT name FROM event WHERE day <= date(?2, '+6 days') AND end_day "
                            ">= ?2 ORDER BY julianday(end_day) - julianday(day), name LIMIT 1",
                            0, d->shop->week, &names);
    *name = st == BW_OK && n ? names[0] : NULL;
    return st;
}

/* A figure that moved, and why. */
typedef struct {
    const bw_fact *week, *change;
    const char *label;
    const char *event; /* of the week, as the report calls it; NULL */
    bw_message spend;  /* the spend's own reason; without slots when there is none */
    double salience;
} mover;

/* Finds out whether a figure moved enough to be told; *moved says so. */
static bw_status read_mover(bw_document *d, const bw_measure *measure, const char *event, mover *m,
                            bool *moved, bw_err *err) {
    bw_shop *s = d->shop;
    const bw_fact *normal = of_measure(s, "normal", measure->name);
    *m = (mover){.week = of_measure(s, "week", measure->name),
                 .change = of_measure(s, "change", measure->name),
                 .label = bw_word(s->locale, measure->label)};
    *moved = false;
    if (!m->week || !m->change || strcmp(measure->name, s->outcome) == 0)
        return BW_OK;
    int side = outside(m->week, normal);
    bool large = measure->difference ? m->change->lo > 0 || m->change->hi < 0
                                     : fabs(m->change->value) >= NOTABLE_CHANGE;
    *moved = side || large;
    m->salience = side && large ? 0.6 : 0.4;
    if (*moved && strcmp(measure->name, "spend") == 0)
        return spend_reason(d, m->change, &m->spend, err);
    m->event = measure->difference ? NULL : event;
    return BW_OK;
}

/* One sentence for a figure, or for two that moved for the same reason (b not NULL). */
static void say_mover(bw_document *d, bw_buf *p, const mover *a, const mover *b) {
    bw_message m = a->spend;
    const char *why = m.n ? "spend" : a->event ? "event" : "none";
    m.key = bw_arena_textf(d->shop->arena, "mover.%s%s", why, b ? ".2" : "");
    m.salience = a->salience;
    bw_message_name(&m, "figure", a->label);
    bw_message_fact(&m, "change", a->change);
    bw_message_fact(&m, "week", a->week);
    if (b) {
        m.salience = fmax(m.salience, b->salience);
        bw_message_name(&m, "second", b->label);
        bw_message_fact(&m, "change2", b->change);
        bw_message_fact(&m, "week2", b->week);
    }
    if (a->event)
        bw_message_name(&m, "event", a->event);
    bw_say(d, p, &m);
}

static bool same_reason(const mover *a, const mover *b) {
    return !a->spend.n && !b->spend.n && (a->event != NULL) == (b->event != NULL);
}

static bw_status say_movers(bw_document *d, bw_buf *p, bw_err *err) {
    mover list[MOVERS_MOST];
    size_t n = 0;
    const char *event = NULL;
    bw_status st = event_of_week(d, &event, err);
    if (event)
        event = bw_shop_part(d->shop, bw_arena_textf(d->shop->arena, "_event:%s", event));
    for (const bw_measure *m = BW_MEASURES; m->name && st == BW_OK && n < MOVERS_MOST; m++) {
        bool moved;
        st = read_mover(d, m, event, &list[n], &moved, err);
        n += moved;
    }
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        bool two = i + 1 < n && same_reason(&list[i], &list[i + 1]);
        say_mover(d, p, &list[i], two ? &list[i + 1] : NULL);
        i += two;
    }
    return st;
}

/* Several weeks together, when the report was asked for them. */
static void say_since(bw_document *d, bw_buf *p) {
    const bw_fact *change = bw_fact_find(d->shop->facts, "since.change", ""),
                  *sum = bw_fact_find(d->shop->facts, "since.sum", ""),
                  *weeks = bw_fact_find(d->shop->facts, "since.weeks", "");
    if (!change || !sum || !weeks)
        return;
    bw_message m = {.key = "change.since", .salience = 1};
    bw_message_day(&m, "day", change->at);
    bw_message_fact(&m, "sum", sum);
    bw_message_fact(&m, "change", change);
    bw_message_fact(&m, "weeks", weeks);
    bw_say(d, p, &m);
    say_causes(d, p, "cause_since", "change", 0.9);
}

bw_status bw_section_change(bw_document *d, bw_err *err) {
    bw_section *sec = bw_section_add(d, "change");
    bw_buf p = {0};
    if (!d->shop->has_outcome)
        bw_say(d, &p, &(bw_message){.key = "change.no_outcome", .salience = 1});
    say_outcome(d, &p);
    say_causes(d, &p, "cause", "change", 0.9);
    say_unexplained(d, &p);
    say_record(d, &p);
    bw_say_done(d, sec, &p);
    say_since(d, &p);
    bw_say_done(d, sec, &p);
    say_year(d, &p);
    bw_say_done(d, sec, &p);
    bw_status st = bw_chart_block(d, sec, "kpi", err);
    if (st == BW_OK)
        st = say_movers(d, &p, err);
    bw_say_done(d, sec, &p);
    return st == BW_OK && d->shop->has_outcome ? bw_chart_block(d, sec, "waterfall", err) : st;
}
