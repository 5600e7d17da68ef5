/* reports/doc/section_change.c - what changed this week and why. */
#include "reports/doc/document.h"
#include "reports/facts/gather.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const bw_fact *of_measure(const bw_shop *s, const char *what, const char *measure) {
    return bw_fact_find(s->facts, bw_arena_textf(s->arena, "%s.%s", what, measure), "");
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
    int side = bw_week_side(week, normal);
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

/* Whether a clear cause pulls the way the figure moved: one that holds it back is no reason for it. */
static bool has_reason(const bw_shop *s, const char *measure, double moved) {
    const bw_fact *cause[2];
    return moved != 0 && clear_causes(s, measure, moved > 0 ? 1 : -1, cause) > 0;
}

/* A change of a sum of money or a count, with last week's as reference. */
static bool is_notable(const bw_fact *change) {
    return change && change->value != 0 && isfinite(change->reference) &&
           fabs(change->value) >= BW_NOTABLE_CHANGE * fabs(change->reference);
}

/* What the model does not explain may still fall into the week of an event; else there is no reason. */
static bw_status say_reason(bw_document *d, bw_buf *p, bw_err *err) {
    const bw_fact *week = of_measure(d->shop, "week", d->shop->outcome),
                  *normal = of_measure(d->shop, "normal", d->shop->outcome);
    const bw_fact *change = bw_fact_find(d->shop->facts, "change.total", "");
    const char *event = NULL;
    say_causes(d, p, "cause", "change", 0.9);
    if ((change && has_reason(d->shop, "cause", change->value)) ||
        !(is_notable(change) || bw_week_side(week, normal)))
        return BW_OK;
    bw_status st = bw_week_event(d, &event, err);
    bw_message m = {.key = event ? "change.event" : "change.no_reason", .salience = 0.9};
    if (event)
        bw_message_name(&m, "event", event);
    bw_say(d, p, &m);
    return st;
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
    bool told =
        has_reason(d->shop, "cause_year", year->value) || fabs(year->value) < BW_NOTABLE_CHANGE;
    bw_message m = {.key = told ? "change.year" : "change.year.no_reason", .salience = 0.5};
    bw_message_fact(&m, "year", year);
    bw_say(d, p, &m);
    say_causes(d, p, "cause_year", "change.year", 0.45);
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

/* Several weeks together, when the report was asked for them. */
static void say_since(bw_document *d, bw_buf *p) {
    const bw_fact *change = bw_fact_find(d->shop->facts, "since.change", ""),
                  *sum = bw_fact_find(d->shop->facts, "since.sum", ""),
                  *weeks = bw_fact_find(d->shop->facts, "since.weeks", "");
    if (!change || !sum || !weeks)
        return;
    bool told = has_reason(d->shop, "cause_since", change->value) || !is_notable(change);
    bw_message m = {.key = told ? "change.since" : "change.since.no_reason", .salience = 1};
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
    bw_status st = say_reason(d, &p, err);
    say_unexplained(d, &p);
    say_record(d, &p);
    bw_say_done(d, sec, &p);
    say_since(d, &p);
    bw_say_done(d, sec, &p);
    say_year(d, &p);
    bw_say_done(d, sec, &p);
    if (st == BW_OK)
        st = bw_chart_block(d, sec, "kpi", err);
    if (st == BW_OK)
        st = bw_movers_say(d, &p, err);
    bw_say_done(d, sec, &p);
    return st == BW_OK && d->shop->has_outcome ? bw_chart_block(d, sec, "waterfall", err) : st;
}
