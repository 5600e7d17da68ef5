/* reports/doc/section_voice.c - what customers say: mood, aspects, and their own words. */
#include "reports/doc/document.h"

#include "sql/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const bw_fact *find(const bw_document *d, const char *measure) {
    return bw_fact_find(d->shop->facts, measure, "");
}

/* ---- mood ---- */

static bool mood_moved(const bw_document *d) {
    const bw_fact *shift = find(d, "voice.shift");
    return shift && (shift->lo > 0 || shift->hi < 0);
}

static void say_mood(bw_document *d, bw_buf *p) {
    const bw_fact *now = find(d, "voice.sentiment"), *shift = find(d, "voice.shift"),
                  *event = find(d, "voice.event"), *reviews = find(d, "voice.reviews");
    if (!now || !reviews)
        return;
    bw_message m = {.key = "voice.now", .salience = 0.9};
    bw_message_fact(&m, "now", now);
    bw_message_fact(&m, "reviews", reviews);
    bw_say(d, p, &m);
    if (shift) {
        bool clear = mood_moved(d);
        bw_message s = {.key = clear ? "voice.shift" : "voice.steady",
                        .salience = clear ? 0.8 : 0.5};
        bw_message_fact(&s, "shift", shift);
        bw_say(d, p, &s);
    }
    if (event) {
        bw_message e = {.key = "voice.event", .salience = 0.7};
        bw_message_name(
            &e, "event",
            bw_shop_part(d->shop, bw_arena_textf(d->shop->arena, "_event:%s", event->at)));
        bw_message_fact(&e, "shift", event);
        bw_say(d, p, &e);
    }
}

/* ---- topics that moved, and why ---- */

/* The newest change of the last eight weeks that customers can have felt for one week at least. */
static bw_status recent_event(bw_document *d, const char *last, const char **name, bw_err *err) {
    const char **names;
    size_t n;
    bw_status st = bw_query(d->shop, "t", &n, err,
                            "SELECT name FROM event WHERE kind NOT IN ('holiday', 'promotion') AND "
                            "day BETWEEN date(?2, '-55 days') AND date(?2, '-7 days') ORDER BY day "
                            "DESC, name LIMIT 1",
                            0, last, &names);
    bw_shop *s = d->shop;
    *name =
        st == BW_OK && n ? bw_shop_part(s, bw_arena_textf(s->arena, "_event:%s", names[0])) : NULL;
    return st;
}

/* The product that most mentions of the topic are about, in a shop with more than one. */
static bw_status blamed_product(bw_document *d, const char *aspect, const char *last,
                                const bw_fact **share, bw_err *err) {
#define OF_ASPECT                                                                         \
    "FROM review_aspect a JOIN review r ON r.id = a.review WHERE a.mentioned >= 0.5 AND " \
    "a.aspect = %Q AND r.day > date(%Q, '-28 days') AND r.day <= %Q"
    bw_shop *s = d->shop;
    const char **product;
    size_t n;
    *share = NULL;
    char *sql = sqlite3_mprintf("SELECT r.product " OF_ASPECT
                                " AND r.product <> '' GROUP BY r.product ORDER BY count(*) DESC, "
                                "r.product LIMIT 2",
                                aspect, last, last);
    bw_status st = sql ? bw_query(s, "t", &n, err, sql, 0, NULL, &product) : bw_fail_memory(err);
    sqlite3_free(sql);
    if (st != BW_OK || n < 2)
        return st;
    return bw_fact_add(
        s->facts, (bw_fact_name){"aspect.product", aspect, product[0], "share"}, share, err,
        "SELECT avg(r.product = %Q) AS value, count(*) AS n " OF_ASPECT " HAVING value > 0.5",
        product[0], aspect, last, last);
#undef OF_ASPECT
}

/* What may be behind a topic (NULL: the whole mood) that moved, or that nothing is known of it. */
static bw_status say_why(bw_document *d, bw_buf *p, const char *aspect, const char *last,
                         bw_err *err) {
    const bw_fact *share = NULL;
    const char *event = NULL;
    bw_status st = recent_event(d, last, &event, err);
    if (st == BW_OK && aspect && !event)
        st = blamed_product(d, aspect, last, &share, err);
    bw_message m = {.key = event   ? "voice.why.event"
                           : share ? "voice.why.product"
                                   : "voice.why.none",
                    .salience = 0.8};
    if (event)
        bw_message_name(&m, "event", event);
    if (share) {
        bw_message_name(&m, "product", share->at);
        bw_message_fact(&m, "share", share);
    }
    bw_say(d, p, &m);
    return st;
}

static bw_status say_aspects(bw_document *d, bw_buf *p, const char *last, bw_err *err) {
    const bw_shop *s = d->shop;
    const bw_fact *f, *moved = find(d, "aspect.moved");
    size_t told = 0;
    for (size_t i = 0; (f = bw_fact_at(s->facts, i)) && told < 3; i++) {
        if (strncmp(f->measure, "aspect.moved", 12) != 0)
            continue;
        bool worse = f->value < 0;
        const bw_fact *share = bw_fact_find(s->facts, worse ? "aspect.negative" : "aspect.positive",
                                            f->at),
                      *mentions = bw_fact_find(s->facts, "aspect.mentions", f->at);
        if (!share || !mentions)
            continue;
        bw_message m = {.key = worse ? "voice.worse" : "voice.better",
                        .salience = told ? 0.5 : 0.9};
        bw_message_name(&m, "aspect", bw_shop_aspect(s, f->at));
        bw_message_fact(&m, "share", share);
        bw_message_fact(&m, "mentions", mentions);
        bw_message_fact(&m, "shift", f);
        bw_say(d, p, &m);
        told++;
    }
    if (!told && find(d, "voice.shift"))
        bw_say(d, p, &(bw_message){.key = "voice.no_topic", .salience = 0.5});
    bool explained = !told && find(d, "voice.event");
    if (!told && (!mood_moved(d) || explained))
        return BW_OK;
    return say_why(d, p, told && moved ? moved->at : NULL, last, err);
}

static void say_money(bw_document *d, bw_buf *p) {
    const bw_fact *cost = find(d, "voice.cost"), *low = find(d, "voice.low");
    if (cost && (cost->lo > 0 || cost->hi < 0)) {
        bw_message m = {.key = "voice.cost", .salience = 0.6};
        bw_message_fact(&m, "cost", cost);
        bw_say(d, p, &m);
    }
    if (low && low->hi < 0 && strcmp(low->at, d->shop->week) != 0) {
        bw_message m = {.key = "voice.low", .salience = 0.5};
        bw_message_fact(&m, "low", low);
        bw_message_day(&m, "week", low->at);
        bw_say(d, p, &m);
    }
}

#define CHANCE_MOST 0.05 /* above it no lead or lag is claimed */

static void say_lead(bw_document *d, bw_buf *p) {
    const bw_fact *lead = find(d, "voice.lead"), *link = find(d, "voice.link"),
                  *chance = find(d, "voice.chance");
    if (!lead || !link || !chance)
        return;
    bool clear = chance->value < CHANCE_MOST;
    bw_message m = {.key = !clear            ? "voice.no_lead"
                           : lead->value > 0 ? "voice.lead"
                           : lead->value < 0 ? "voice.lag"
                                             : "voice.together",
                    .salience = clear ? 0.7 : 0.3};
    bw_message_fact(&m, "lead", lead);
    bw_message_fact(&m, "link", link);
    bw_message_fact(&m, "chance", chance);
    bw_say(d, p, &m);
}

/* ---- quotes ---- */

#define QUOTE_SHORTEST 15

static size_t characters(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* The reviews of the last four weeks that speak most clearly of the topic, one in each language
 * first; `want` of them, not one already quoted. */
static bw_status add_quotes(bw_document *d, bw_section *sec, const char *aspect, bool negative,
                            const char *last, size_t want, const char **quoted, size_t *n_quoted,
                            bw_err *err) {
    bw_shop *s = d->shop;
    const char **text, **day, **source, **lang, **id;
    double *order;
    size_t n = 0, added = 0;
    const char *polarity = negative ? "negative" : "positive";
    char *sql = sqlite3_mprintf(
        "SELECT x.id, x.text, x.day, x.source, x.lang, row_number() OVER (PARTITION BY x.lang "
        "ORDER BY x.score DESC, x.id) AS k FROM "
        "(SELECT r.id, coalesce(nullif(a.excerpt, ''), r.text) AS text, r.day, coalesce(r.source, "
        "'') AS source, coalesce(r.lang, '') AS lang, a.mentioned * a.%s AS score "
        "FROM review_aspect a JOIN review r ON r.id = a.review WHERE r.day > date(?2, '-28 days') "
        "AND r.day <= ?2 AND a.aspect = %Q AND a.mentioned >= 0.5 AND a.%s >= 0.6 "
        "AND length(coalesce(nullif(a.excerpt, ''), r.text)) BETWEEN 12 AND 400 ORDER BY score "
        "DESC, r.id LIMIT 200) x ORDER BY k, x.lang LIMIT 12",
        polarity, aspect, polarity);
    bw_status st =
        sql ? bw_query(s, "tttttn", &n, err, sql, 0, last, &id, &text, &day, &source, &lang, &order)
            : bw_fail_memory(err);
    sqlite3_free(sql);
    for (size_t i = 0; i < n && st == BW_OK && added < want; i++) {
        const char *clean = bw_quote_tidy(d, text[i]);
        bool again = characters(clean) < (strcmp(lang[i], "zh") == 0 ? 6 : QUOTE_SHORTEST);
        for (size_t k = 0; k < *n_quoted; k++)
            again = again || strcmp(quoted[k], clean) == 0;
        if (again)
            continue;
        quoted[(*n_quoted)++] = clean;
        bw_block *b = bw_block_add(d, sec, BW_QUOTE);
        bw_message from = {.key = *source[i] ? "quote.source" : "quote.plain"};
        bw_message_name(&from, "source", bw_shop_source(d->shop, source[i]));
        bw_message_day(&from, "day", day[i]);
        bw_message_name(&from, "aspect", bw_shop_aspect(s, aspect));
        const bw_fact *share =
            bw_fact_find(s->facts, negative ? "aspect.negative" : "aspect.positive", aspect);
        if (share) {
            bw_message_fact(&from, "share", share);
            from.key = *source[i] ? (negative ? "quote.negative" : "quote.positive")
                                  : (negative ? "quote.plain_negative" : "quote.plain_positive");
        }
        b->text = clean;
        b->lang = lang[i];
        b->source = bw_marked(d, &from, false);
        added++;
    }
    return st;
}

/* The named topic with most complaints, or most praise. */
static const char *loudest(const bw_document *d, const char *measure) {
    const bw_fact *f, *best = NULL;
    double most = 0;
    for (size_t i = 0; (f = bw_fact_at(d->shop->facts, i)); i++)
        if (strcmp(f->measure, measure) == 0 && strcmp(f->subject, "other") != 0 &&
            f->value * f->n > most) {
            most = f->value * f->n;
            best = f;
        }
    return best ? best->subject : NULL;
}

static bw_status quote_customers(bw_document *d, bw_section *sec, const char *last, bw_err *err) {
    const char *quoted[8] = {0};
    size_t n = 0;
    const bw_fact *moved = find(d, "aspect.moved");
    bool worse = moved && moved->value < 0, full = d->shop->length == BW_FULL;
    const char *blamed = worse ? moved->at : loudest(d, "aspect.negative"),
               *praised = moved && !worse ? moved->at : loudest(d, "aspect.positive");
    bw_status st = BW_OK;
    if (d->shop->length == BW_BRIEF)
        return st;
    if (blamed)
        st = add_quotes(d, sec, blamed, true, last, full ? 4 : 2, quoted, &n, err);
    if (st == BW_OK && praised)
        st = add_quotes(d, sec, praised, false, last, full ? 3 : 1, quoted, &n, err);
    return st;
}

bw_status bw_section_voice(bw_document *d, bw_err *err) {
    bw_section *sec = bw_section_add(d, "voice");
    bw_buf p = {0};
    if (!d->shop->has_scores) {
        bw_say(d, &p,
               &(bw_message){.key = d->shop->has_reviews ? "missing.scores" : "missing.reviews",
                             .salience = 1});
        bw_say_done(d, sec, &p);
        return BW_OK;
    }
    char last[11];
    bw_day_text(bw_iso_day(d->shop->voice_week) + 6, last);
    say_mood(d, &p);
    say_money(d, &p);
    say_lead(d, &p);
    bw_status st = say_aspects(d, &p, last, err);
    bw_say_done(d, sec, &p);
    if (st == BW_OK)
        st = bw_topics_emerging(d, sec, last, err);
    if (st == BW_OK)
        st = bw_chart_block(d, sec, "sentiment", err);
    if (st == BW_OK)
        st = bw_chart_block(d, sec, "aspects", err);
    if (st == BW_OK)
        st = bw_topics_list(d, sec, last, err);
    return st == BW_OK ? quote_customers(d, sec, last, err) : st;
}
