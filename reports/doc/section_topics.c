/* reports/doc/section_topics.c - what the reviews circle around: complaints that have just begun, with
 * a quote each, and topics from clusters. */
#include "reports/doc/document.h"

#include "sql/redact.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define QUOTE_LONGEST 220 /* characters */
#define EMERGING_MOST 3   /* complaints told */
#define TOPICS_MOST   5   /* in a report that is not full */
#define TWIN_DAYS     21  /* between the first days of one complaint in two languages */

const char *bw_quote_tidy(const bw_document *d, const char *text) {
    char *clean = bw_redact(text);
    bw_buf b = {0};
    size_t count = 0;
    for (const char *p = clean ? clean : ""; *p && count <= QUOTE_LONGEST; count++) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &cp);
        if (n > 0 && cp >= 32)
            bw_buf_add_n(&b, p, (size_t)n);
        else if (b.len && b.text[b.len - 1] != ' ')
            bw_buf_add(&b, " ");
        p += n > 0 ? n : 1;
    }
    if (count > QUOTE_LONGEST) {
        char *space = b.text ? strrchr(b.text, ' ') : NULL;
        if (space && (size_t)(space - b.text) > b.len / 2)
            b.len = (size_t)(space - b.text), *space = '\0';
        bw_buf_add(&b, "…");
    }
    const char *copy = bw_arena_text(d->shop->arena, b.text);
    bw_buf_free(&b);
    free(clean);
    return copy;
}

/* ---- complaints that have just begun ---- */

typedef struct {
    const char *id, *name, *lang, *first_day;
    const char *product; /* that most of it is about, or NULL */
    const bw_fact *share;
    bool told;
} complaint;

/* Among the reviews of six weeks, against all those before them; topics: one id, or two by a comma. */
static const bw_fact *emerging_share(bw_document *d, const char *topics, const char *last,
                                     bw_err *err) {
    const bw_fact *share = NULL;
    bw_fact_add(d->shop->facts, (bw_fact_name){"topic.emerging", topics, "", "share"}, &share, err,
                "WITH r AS (SELECT r.id, r.day > date(%Q, '-42 days') AS late, EXISTS (SELECT 1 "
                "FROM topic_member m WHERE m.topic IN (%s) AND m.id = r.id) AS of FROM review r "
                "WHERE r.day <= %Q) SELECT avg(of) FILTER (WHERE late) AS value, avg(of) FILTER "
                "(WHERE NOT late) AS reference, sum(of) FILTER (WHERE late) AS n FROM r",
                last, topics, last);
    return share;
}

/* The product that most of its reviews of late are about, NULL when it is not most. */
static const char *emerging_product(bw_document *d, const char *topic, const char *last,
                                    bw_err *err) {
    const char **product;
    double *share;
    size_t n;
    char *sql = sqlite3_mprintf(
        "SELECT product, 1.0 * count(*) / sum(count(*)) OVER () AS share FROM topic_member m JOIN "
        "review r ON r.id = m.id WHERE m.topic = %s AND r.day > date(?2, '-42 days') AND r.day <= "
        "?2 GROUP BY product ORDER BY share DESC, product LIMIT 1",
        topic);
    bw_status st = sql ? bw_query(d->shop, "tn", &n, err, sql, 0, last, &product, &share)
                       : bw_fail_memory(err);
    sqlite3_free(sql);
    return st == BW_OK && n == 1 && product[0] && *product[0] && share[0] > 0.5 ? product[0] : NULL;
}

/* The newest review of it that fits a page: the sentence around its word. */
static bw_status quote_emerging(bw_document *d, bw_section *sec, const char *topic,
                                const char *word, const bw_fact *share, const char *last,
                                bw_err *err) {
    const char **text, **day, **source, **lang;
    size_t n;
    char *sql = sqlite3_mprintf(
        "SELECT r.text, r.day, coalesce(r.source, ''), coalesce(r.lang, '') FROM topic_member m "
        "JOIN review r ON r.id = m.id JOIN review_score s ON s.review = r.id WHERE m.topic = %s "
        "AND r.day > date(?2, '-42 days') AND r.day <= ?2 ORDER BY s.negative >= 0.5 DESC, "
        "abs(length(r.text) - 60), r.id LIMIT 1",
        topic);
    bw_status st =
        sql ? bw_query(d->shop, "tttt", &n, err, sql, 0, last, &text, &day, &source, &lang)
            : bw_fail_memory(err);
    sqlite3_free(sql);
    if (st != BW_OK || n == 0)
        return st;
    bw_block *b = bw_block_add(d, sec, BW_QUOTE);
    bw_message from = {.key = *source[0] ? "quote.topic" : "quote.plain_topic"};
    bw_message_name(&from, "source", bw_shop_source(d->shop, source[0]));
    bw_message_day(&from, "day", day[0]);
    bw_message_name(&from, "topic", word);
    bw_message_fact(&from, "share", share);
    b->text = bw_quote_tidy(d, text[0]);
    b->lang = lang[0];
    b->source = bw_marked(d, &from, false);
    return BW_OK;
}

/* The same complaint in another language: mostly about the same product and begun in the same weeks.
 * The words cannot tell: the encoder's vectors of one subject in English and in Chinese are hardly
 * nearer than those of two (the right one of 12 was nearest for 2 of them; chance gives 1). */
static complaint *find_twin(complaint *c, size_t n, const complaint *of) {
    for (size_t i = 0; i < n; i++)
        if (&c[i] != of && !c[i].told && c[i].share && of->product && c[i].product &&
            strcmp(c[i].product, of->product) == 0 && strcmp(c[i].lang, of->lang) != 0 &&
            abs(bw_iso_day(c[i].first_day) - bw_iso_day(of->first_day)) <= TWIN_DAYS)
            return &c[i];
    return NULL;
}

static bw_status read_emerging(bw_document *d, const char *last, complaint **out, size_t *n,
                               bw_err *err) {
    const char **id, **name, **lang, **first;
    double *size;
    bw_status st =
        bw_query(d->shop, "ttttn", n, err,
                 "SELECT t.id, t.name, t.lang, coalesce(t.first_day, ''), count(*) AS k FROM topic "
                 "t JOIN topic_member m ON m.topic = t.id JOIN review r ON r.id = m.id WHERE "
                 "t.kind = 'emerging' AND r.day > date(?2, '-42 days') AND r.day <= ?2 GROUP BY "
                 "t.id HAVING k >= 3 ORDER BY k DESC, t.id LIMIT 6",
                 0, last, &id, &name, &lang, &first, &size);
    *out = bw_arena_get(d->shop->arena, (*n + 1) * sizeof **out);
    for (size_t i = 0; i < *n && st == BW_OK; i++) {
        complaint *c = &(*out)[i];
        *c = (complaint){.id = id[i], .name = name[i], .lang = lang[i], .first_day = first[i]};
        c->share = emerging_share(d, id[i], last, err);
        if (c->share && !(c->share->value > c->share->reference))
            c->share = NULL; /* no longer new */
        c->product = emerging_product(d, id[i], last, err);
    }
    return st;
}

static void say_complaint(bw_document *d, bw_section *sec, const complaint *c) {
    bw_message m = {.key = c->product ? "voice.emerging_product" : "voice.emerging",
                    .salience = 0.9};
    bw_message_name(&m, "topic", c->name);
    bw_message_day(&m, "since", c->first_day);
    bw_message_fact(&m, "share", c->share);
    if (c->product)
        bw_message_name(&m, "product", c->product);
    bw_buf p = {0};
    bw_say(d, &p, &m);
    bw_say_done(d, sec, &p);
}

static void say_twins(bw_document *d, bw_section *sec, const complaint *a, const complaint *b,
                      const char *last, bw_err *err) {
    bw_message m = {.key = "voice.emerging_twins", .salience = 0.9};
    const bw_fact *both =
        emerging_share(d, bw_arena_textf(d->shop->arena, "%s, %s", a->id, b->id), last, err);
    bool later = strcmp(b->first_day, a->first_day) > 0;
    bw_message_day(&m, "since", later ? a->first_day : b->first_day);
    bw_message_name(&m, "product", a->product);
    bw_message_name(&m, "first", a->name);
    bw_message_fact(&m, "a", a->share);
    bw_message_name(&m, "second", b->name);
    bw_message_fact(&m, "b", b->share);
    bw_message_fact(&m, "share", both);
    bw_buf p = {0};
    bw_say(d, &p, &m);
    bw_say_done(d, sec, &p);
}

bw_status bw_topics_emerging(bw_document *d, bw_section *sec, const char *last, bw_err *err) {
    complaint *c;
    size_t n, told = 0;
    bw_status st = read_emerging(d, last, &c, &n, err);
    for (size_t i = 0; i < n && st == BW_OK && told < EMERGING_MOST; i++) {
        if (!c[i].share || c[i].told)
            continue;
        complaint *twin = find_twin(c, n, &c[i]);
        if (twin)
            say_twins(d, sec, &c[i], twin, last, err);
        else
            say_complaint(d, sec, &c[i]);
        for (complaint *x = &c[i]; x && st == BW_OK; x = x == twin ? NULL : twin) {
            x->told = true;
            if (d->shop->length != BW_BRIEF)
                st = quote_emerging(d, sec, x->id, x->name, x->share, last, err);
        }
        told++;
    }
    return st;
}

/* ---- topics from clusters ---- */

bw_status bw_topics_list(bw_document *d, bw_section *sec, const char *last, bw_err *err) {
    bw_shop *s = d->shop;
    const char **name, **id;
    double *emerging, *count;
    size_t n, shown = 0;
    bw_status st =
        bw_query(s, "ttnn", &n, err,
                 "SELECT t.id, t.name, t.emerging, count(*) AS k FROM topic t JOIN topic_member m "
                 "ON m.topic = t.id JOIN review r ON r.id = m.id "
                 "WHERE t.kind = 'review' AND r.day > date(?2, '-28 days') AND "
                 "r.day <= ?2 GROUP BY t.id HAVING k >= 5 ORDER "
                 "BY t.emerging DESC, k DESC, t.id LIMIT 12",
                 0, last, &id, &name, &emerging, &count);
    const char **cells = bw_arena_get(s->arena, (n + 1) * sizeof *cells);
    size_t most = s->length == BW_FULL ? n : TOPICS_MOST;
    for (size_t i = 0; i < n && shown < most && st == BW_OK; i++) {
        const bw_fact *share = NULL;
        st =
            bw_fact_add(s->facts, (bw_fact_name){"topic.share", id[i], "", "share"}, &share, err,
                        "SELECT 1.0 * count(*) / (SELECT count(*) FROM review WHERE day > date(%Q, "
                        "'-28 days') AND day <= %Q) AS value, count(*) AS n FROM topic_member m "
                        "JOIN review r ON r.id = m.id WHERE m.topic = %s AND r.day > date(%Q, '-28 "
                        "days') AND r.day <= %Q",
                        last, last, id[i], last, last);
        if (st != BW_OK || !share)
            continue;
        bw_message m = {.key = emerging[i] > 0 ? "voice.topic_new" : "voice.topic"};
        bw_message_name(&m, "topic", name[i]);
        bw_message_fact(&m, "share", share);
        cells[shown++] = bw_marked(d, &m, false);
    }
    if (st != BW_OK || shown == 0)
        return st;
    bw_buf p = {0};
    bw_say(d, &p, &(bw_message){.key = "voice.topics", .salience = 0.5});
    bw_say_done(d, sec, &p);
    bw_block *b = bw_block_add(d, sec, BW_NOTES);
    b->cells = cells;
    b->columns = 1;
    b->rows = shown;
    return BW_OK;
}
