/* reports/doc/section_channels.c - where the next money works, when to publish, and the outlook. */
#include "reports/doc/document.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define WORTH_A_WORD 0.15 /* share by which a new fit moves a return before the report says so */

static const bw_fact *find(const bw_document *d, const char *measure, const char *subject) {
    return bw_fact_find(d->shop->facts, measure, subject);
}

/* How many of a kind are told: in a full report all there are. */
static size_t most(const bw_document *d, size_t usual) {
    return d->shop->length == BW_FULL ? SIZE_MAX : usual;
}

/* ---- channels ---- */

/* Orders and units do not tell whether they pay for a channel's money. */
static bool pays_known(const bw_document *d) {
    return strcmp(d->shop->outcome_unit, "money") == 0;
}

/* The channel with the best (or worst) next return among those whose verdict is clear. */
static const bw_fact *extreme(const bw_document *d, bool best) {
    const bw_fact *found = NULL;
    for (size_t i = 0; i < d->shop->n_channels; i++) {
        const bw_fact *f = find(d, "next", d->shop->channels[i].name);
        bool clear = f && (best ? f->probability >= 0.9 : f->probability <= 0.1);
        if (!f || (!clear && pays_known(d)))
            continue;
        if (!found || (best ? f->value > found->value : f->value < found->value))
            found = f;
    }
    return found;
}

static void say_returns(bw_document *d, bw_buf *p) {
    const bw_fact *best = extreme(d, true), *worst = extreme(d, false);
    if (!pays_known(d) && best == worst)
        worst = NULL;
    bw_message m = {.key = !pays_known(d)  ? (worst ? "channels.count" : "channels.count_one")
                           : best && worst ? "channels.both"
                           : best          ? "channels.best"
                           : worst         ? "channels.worst"
                                           : "channels.none",
                    .salience = 0.9};
    if (best) {
        bw_message_name(&m, "best", bw_shop_channel(d->shop, best->subject));
        bw_message_fact(&m, "up", best);
    }
    if (worst) {
        bw_message_name(&m, "worst", bw_shop_channel(d->shop, worst->subject));
        bw_message_fact(&m, "down", worst);
    }
    if (pays_known(d))
        bw_message_fact(&m, "pays", find(d, "break_even", ""));
    if (best || pays_known(d))
        bw_say(d, p, &m);
}

static void say_plan(bw_document *d, bw_buf *p) {
    for (size_t i = 0; i < d->shop->n_channels; i++) {
        const bw_fact *to = find(d, "plan.to", d->shop->channels[i].name),
                      *seen = find(d, "seen_max", d->shop->channels[i].name);
        if (!to || !seen || to->value <= 1.02 * seen->value)
            continue;
        bw_message m = {.key = "channels.extrapolated", .salience = 0.6};
        bw_message_name(&m, "channel", d->shop->channels[i].label);
        bw_message_fact(&m, "to", to);
        bw_message_fact(&m, "seen", seen);
        bw_say(d, p, &m);
    }
}

/* One channel that brings more than half of what all bring is a risk of its own. */
static void say_concentration(bw_document *d, bw_buf *p) {
    const bw_fact *largest = NULL;
    double sum = 0;
    for (size_t i = 0; i < d->shop->n_channels; i++) {
        const bw_fact *f = find(d, "contribution", d->shop->channels[i].name);
        if (!f)
            continue;
        sum += fmax(f->value, 0);
        if (!largest || f->value > largest->value)
            largest = f;
    }
    if (!largest || d->shop->n_channels < 2 || largest->value <= 0.5 * sum)
        return;
    bw_message m = {.key = "channels.concentration", .salience = 0.5};
    bw_message_name(&m, "channel", bw_shop_channel(d->shop, largest->subject));
    bw_say(d, p, &m);
}

static void say_memory(bw_document *d, bw_buf *p) {
    const bw_fact *longest = NULL;
    for (size_t i = 0; i < d->shop->n_channels; i++) {
        const bw_fact *f = find(d, "half_life", d->shop->channels[i].name);
        if (f && (!longest || f->value > longest->value))
            longest = f;
    }
    if (!longest || longest->value < 1 || d->shop->n_channels < 2)
        return;
    bw_message m = {.key = "channels.memory", .salience = 0.3};
    bw_message_name(&m, "channel", bw_shop_channel(d->shop, longest->subject));
    bw_message_fact(&m, "weeks", longest);
    bw_say(d, p, &m);
}

/* The return that the last fit moved most, when that is worth a word, and what moved it. */
static void say_refit(bw_document *d, bw_buf *p) {
    const bw_fact *most = NULL;
    for (size_t i = 0; i < d->shop->n_channels; i++) {
        const bw_fact *f = find(d, "refit.moved", d->shop->channels[i].name);
        if (f && (!most || fabs(f->value) > fabs(most->value)))
            most = f;
    }
    const bw_fact *roas = most ? find(d, "roas", most->subject) : NULL;
    if (!roas || fabs(most->value) < WORTH_A_WORD * fabs(most->reference))
        return;
    const char *const causes[] = {"refit.data", "refit.history", "refit.model"};
    const bw_fact *cause = NULL;
    for (size_t i = 0; i < 3; i++) {
        const bw_fact *f = find(d, causes[i], most->subject);
        if (f && (!cause || fabs(f->value) > fabs(cause->value)))
            cause = f;
    }
    if (!cause)
        return;
    bw_message m = {.salience = 0.5};
    m.key = strcmp(cause->measure, "refit.data") == 0      ? "channels.refit.data"
            : strcmp(cause->measure, "refit.history") == 0 ? "channels.refit.history"
                                                           : "channels.refit.model";
    bw_message_name(&m, "channel", bw_shop_channel(d->shop, most->subject));
    bw_message_fact(&m, "moved", most);
    bw_message_fact(&m, "roas", roas);
    bw_say(d, p, &m);
}

#define SPEND_MOVED 0.05 /* a smaller move of spend does not explain a shift of sources */

/* The source that rose, or fell, most in half a year, and whether its spend went the same way. */
static void say_source(bw_document *d, bw_buf *p, const char *measure) {
    const bw_fact *shift = find(d, measure, ""),
                  *spend = shift ? find(d, "source.spend", shift->at) : NULL;
    if (!shift)
        return;
    bool why = spend && spend->value * shift->value > 0 && fabs(spend->value) >= SPEND_MOVED;
    bw_message m = {.key = why ? "channels.source" : "channels.source.no_reason", .salience = 0.4};
    bw_message_name(&m, "channel", bw_shop_channel(d->shop, shift->at));
    bw_message_fact(&m, "shift", shift);
    if (why)
        bw_message_fact(&m, "spend", spend);
    bw_say(d, p, &m);
}

bw_status bw_section_channels(bw_document *d, bw_err *err) {
    bw_section *sec = bw_section_add(d, "channels");
    if (!d->shop->has_spend) {
        bw_buf p = {0};
        bw_say(d, &p, &(bw_message){.key = "missing.spend", .salience = 1});
        bw_say_done(d, sec, &p);
        return BW_OK;
    }
    bw_buf p = {0};
    if (d->shop->runs.fit && d->shop->n_channels) {
        say_returns(d, &p);
        say_plan(d, &p);
        say_concentration(d, &p);
        say_memory(d, &p);
        say_refit(d, &p);
        bw_say_done(d, sec, &p);
        say_source(d, &p, "source.up");
        say_source(d, &p, "source.down");
        bw_say_done(d, sec, &p);
    }
    static const char *const CHARTS[] = {"roas", "budget", "curves", "sources"};
    bw_status st = BW_OK;
    for (size_t i = 0; i < (d->shop->runs.fit ? 4 : 1) && st == BW_OK; i++)
        st = bw_chart_block(d, sec, CHARTS[i], err);
    return st;
}

/* ---- when to publish ---- */

static void say_windows(bw_document *d, bw_buf *p) {
    const bw_fact *f;
    size_t told = 0, windows = 0;
    for (size_t i = 0; (f = bw_fact_at(d->shop->facts, i)) && told < 3; i++) {
        if (strcmp(f->measure, "window") != 0)
            continue;
        const bw_fact *gain = find(d, "timing.gain", f->subject);
        windows++;
        if (f->value <= 1 || (gain && gain->lo <= 0))
            continue; /* it may be no better than the times used so far */
        bw_message m = {.key = !gain  ? "timing.window"
                               : told ? "timing.window_gain.next"
                                      : "timing.window_gain",
                        .salience = told ? 0.5 : 0.9};
        bw_message_name(&m, "channel", bw_shop_channel(d->shop, f->subject));
        bw_message_name(&m, "when", bw_shop_window(d->shop, f->at));
        bw_message_fact(&m, "index", f);
        if (gain)
            bw_message_fact(&m, "gain", gain);
        bw_say(d, p, &m);
        told++;
    }
    if (windows && !told)
        bw_say(d, p, &(bw_message){.key = "timing.none", .salience = 0.9});
}

static void say_content(bw_document *d, bw_buf *p) {
    const bw_fact *f;
    size_t told = 0;
    for (size_t i = 0; (f = bw_fact_at(d->shop->facts, i)) && told < most(d, 2); i++) {
        const char *known =
            strcmp(f->measure, "content.effect") == 0
                ? bw_word_nth(d->shop->locale,
                              bw_arena_textf(d->shop->arena, "feature.%s", f->subject), 0)
                : NULL;
        if (!known)
            continue;
        bw_message m = {.key = "timing.content", .salience = 0.5};
        bw_message_text(&m, "feature", known);
        bw_message_name(&m, "channel",
                        *f->at ? bw_shop_channel(d->shop, f->at)
                               : bw_word(d->shop->locale, "word.messages"));
        bw_message_fact(&m, "effect", f);
        bw_say(d, p, &m);
        told++;
    }
}

bw_status bw_section_timing(bw_document *d, bw_err *err) {
    bw_section *sec = bw_section_add(d, "timing");
    bw_buf p = {0};
    say_windows(d, &p);
    bw_say_done(d, sec, &p);
    say_content(d, &p);
    bw_say_done(d, sec, &p);
    return bw_chart_block(d, sec, "timing", err);
}

/* ---- outlook ---- */

static void say_forecast(bw_document *d, bw_buf *p) {
    const bw_fact *next = find(d, "forecast.next", ""), *end = find(d, "forecast.end", ""),
                  *plan = find(d, "forecast.plan", "");
    if (next && isfinite(next->lo)) {
        bw_message m = {.key = "outlook.next", .salience = 0.7};
        bw_message_fact(&m, "next", next);
        bw_say(d, p, &m);
    }
    if (end && isfinite(end->lo)) {
        bw_message m = {.key = "outlook.end", .salience = 0.5};
        bw_message_fact(&m, "end", end);
        bw_message_day(&m, "week", end->at);
        bw_say(d, p, &m);
    }
    if (plan && isfinite(plan->probability)) {
        bool met = plan->probability >= 0.5;
        const bw_fact *told = met ? plan : find(d, "forecast.missed", "");
        bw_message m = {.key = met ? "outlook.met" : "outlook.missed", .salience = 0.9};
        bw_message_fact(&m, "plan", told ? told : plan);
        bw_message_day(&m, "until", plan->at);
        bw_say(d, p, &m);
    }
}

static void say_prices(bw_document *d, bw_buf *p) {
    const bw_fact *f;
    size_t told = 0;
    for (size_t i = 0; (f = bw_fact_at(d->shop->facts, i)) && told < most(d, 2); i++) {
        if (strcmp(f->measure, "price.elasticity") != 0 || !isfinite(f->lo) || f->hi >= 0)
            continue;
        bw_message m = {.key = *f->subject ? "outlook.elasticity" : "outlook.elasticity_all",
                        .salience = 0.4};
        bw_message_name(&m, "product", *f->subject ? f->subject : "");
        bw_message_fact(&m, "elasticity", f);
        bw_say(d, p, &m);
        told++;
    }
}

bw_status bw_section_outlook(bw_document *d, bw_err *err) {
    bw_section *sec = bw_section_add(d, "outlook");
    bw_buf p = {0};
    say_forecast(d, &p);
    bw_say_done(d, sec, &p);
    say_prices(d, &p);
    bw_say_done(d, sec, &p);
    return bw_chart_block(d, sec, "forecast", err);
}
