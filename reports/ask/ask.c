/* reports/ask/ask.c - from a question to a book of patterns, to queries, to a sentence. */
#include "reports/ask/ask.h"

#include "common/embed.h"
#include "reports/ask/match.h"
#include "sql/db.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENOUGH      0.34 /* score from which a question counts as understood */
#define NAMES_SHOWN 6    /* of the names offered when one is missing */
#define NAMES_READ  400  /* of each kind, the most used first */

/* What the person may speak of: kinds of names, and the query that lists them. */
static const struct {
    const char *kind, *sql;
} KINDS[] = {
    {"channel", "SELECT channel FROM spend GROUP BY channel ORDER BY sum(cost) DESC LIMIT ?"},
    {"product", "SELECT product FROM outcome WHERE product <> '' GROUP BY product ORDER BY "
                "sum(revenue) DESC LIMIT ?"},
    {"aspect", "SELECT aspect FROM review_aspect WHERE aspect <> 'other' GROUP BY aspect ORDER BY "
               "count(*) DESC LIMIT ?"},
    /* those that are over come first: a result is asked for */
    {"event", "SELECT name FROM event WHERE kind = 'promotion' GROUP BY name ORDER BY max(day) > "
              "(SELECT max(day) FROM outcome), max(day) DESC LIMIT ?"},
};
#define N_KINDS (sizeof KINDS / sizeof *KINDS)

typedef struct {
    bw_shop *s;
    cJSON *questions; /* the parsed book */
    bw_ask_book book;
    bw_ask_pattern *patterns;
    bw_ask_name *names;
    const char **synonyms;
    bw_answer *out;
    const char *note; /* what of the time asked for the answer is about, NULL: all of it */
} asker;

/* ---- the book ---- */

static const char *text_of(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static void read_patterns(asker *k) {
    const cJSON *q;
    size_t number = 0;
    cJSON_ArrayForEach(q, k->questions) {
        const char *key = bw_arena_textf(k->s->arena, "ask.%s.pattern", text_of(q, "id"));
        const char *text;
        for (size_t i = 0; (text = bw_word_nth(k->s->locale, key, i)); i++) {
            k->patterns =
                bw_arena_grow(k->s->arena, k->patterns, k->book.n_patterns, sizeof *k->patterns);
            k->patterns[k->book.n_patterns++] = (bw_ask_pattern){number, text};
        }
        number++;
    }
}

/* How a name is shown in an answer. */
static const char *label_of(const bw_shop *s, const char *kind, const char *name) {
    if (strcmp(kind, "channel") == 0)
        return bw_shop_channel(s, name);
    if (strcmp(kind, "aspect") == 0)
        return bw_shop_aspect(s, name);
    if (strcmp(kind, "part") == 0)
        return bw_shop_part(s, name);
    if (strcmp(kind, "window") == 0)
        return bw_shop_window(s, name);
    const char *key = bw_arena_textf(s->arena, "%s.%s", kind, name);
    const char *known = bw_word_nth(s->locale, key, 0);
    return known ? known : name;
}

static void add_name(asker *k, const char *kind, const char *name, const char *said) {
    k->names = bw_arena_grow(k->s->arena, k->names, k->book.n_names, sizeof *k->names);
    k->names[k->book.n_names++] = (bw_ask_name){kind, name, said};
}

/* "Black week 2025" is asked for as "Black week": the newest of that name, as it is the first. */
static void add_without_year(asker *k, const char *kind, const char *name) {
    size_t n = strlen(name);
    if (n > 5 && name[n - 5] == ' ' && strspn(name + n - 4, "0123456789") == 4)
        add_name(k, kind, name, bw_arena_text_n(k->s->arena, name, n - 5));
}

/* Each name as the data have it and as the report calls it. */
static bw_status read_names(asker *k, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < N_KINDS; i++) {
        const char **name;
        size_t n;
        st = bw_query(k->s, "t", &n, err, KINDS[i].sql, NAMES_READ, NULL, &name);
        for (size_t j = 0; st == BW_OK && j < n; j++) {
            add_name(k, KINDS[i].kind, name[j], name[j]);
            add_without_year(k, KINDS[i].kind, name[j]);
            const char *label = label_of(k->s, KINDS[i].kind, name[j]);
            if (strcmp(label, name[j]) != 0)
                add_name(k, KINDS[i].kind, name[j], label);
        }
    }
    return st;
}

static void read_synonyms(asker *k) {
    const char *line;
    while ((line = bw_word_nth(k->s->locale, "ask.synonyms", k->book.n_synonyms))) {
        k->synonyms =
            bw_arena_grow(k->s->arena, k->synonyms, k->book.n_synonyms, sizeof *k->synonyms);
        k->synonyms[k->book.n_synonyms++] = line;
    }
}

static bw_status open_book(asker *k, bw_err *err) {
    k->questions = cJSON_Parse(bw_embed("reports/ask/questions.json", NULL));
    if (!k->questions)
        return bw_fail_memory(err);
    read_patterns(k);
    read_synonyms(k);
    bw_status st = read_names(k, err);
    k->book.patterns = k->patterns;
    k->book.names = k->names;
    k->book.synonyms = k->synonyms;
    k->book.week = k->s->week;
    k->book.last_day = k->s->last_day;
    return st == BW_OK && !bw_arena_ok(k->s->arena) ? bw_fail_memory(err) : st;
}

/* ---- queries ---- */

/* The period asked for, or the shop's newest week, or all days ("default": "all" in the book). */
static void period_of(const asker *k, const bw_ask_match *m, const char **first,
                      const char **last) {
    const char *rest = text_of(cJSON_GetArrayItem(k->questions, (int)m->question), "default");
    bool all = rest && strcmp(rest, "all") == 0;
    *first = m->period.words ? m->period.first : all ? "" : k->s->week;
    *last = m->period.words ? m->period.last : k->s->last_day;
}

static const char *name_for(const bw_ask_match *m, const char *kind) {
    for (size_t i = 0; i < sizeof m->names / sizeof *m->names; i++)
        if (m->names[i] && strcmp(m->names[i]->kind, kind) == 0)
            return m->names[i]->name;
    return NULL;
}

/* The value of a parameter ":channel", ":first", ...; NULL when the question did not give it. */
static const char *parameter(const asker *k, const bw_ask_match *m, const char *name, size_t n) {
    const char *first, *last;
    period_of(k, m, &first, &last);
    if (n == 5 && strncmp(name, "first", 5) == 0)
        return first;
    if (n == 4 && strncmp(name, "last", 4) == 0)
        return last;
    return name_for(m, bw_arena_text_n(k->s->arena, name, n));
}

/* The query with each parameter as a quoted literal, so that it can be run again as it is shown. */
static const char *filled(const asker *k, const bw_ask_match *m, const char *sql) {
    bw_buf b = {0};
    while (*sql) {
        size_t plain = strcspn(sql, ":");
        bw_buf_add_n(&b, sql, plain);
        sql += plain;
        if (!*sql)
            break;
        size_t n = strspn(sql + 1, "abcdefghijklmnopqrstuvwxyz");
        char *quoted = sqlite3_mprintf("%Q", parameter(k, m, sql + 1, n));
        bw_buf_add(&b, quoted);
        sqlite3_free(quoted);
        sql += n + 1;
    }
    const char *text = bw_arena_text(k->s->arena, b.text);
    bw_buf_free(&b);
    return text;
}

/* The same for a query behind the answer: it is kept, to be shown. */
static const char *shown(asker *k, const bw_ask_match *m, const char *sql) {
    const char *text = filled(k, m, sql);
    if (k->out->n_sql < sizeof k->out->sql / sizeof *k->out->sql)
        k->out->sql[k->out->n_sql++] = text;
    return text;
}

static bw_status add_facts(asker *k, const cJSON *q, const bw_ask_match *m, bw_message *say,
                           bool *complete, bw_err *err) {
    const cJSON *f;
    bw_status st = BW_OK;
    cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(q, "facts")) {
        const bw_fact *fact = NULL;
        const char *slot = text_of(f, "slot");
        bw_fact_name name = {"ask", bw_arena_textf(k->s->arena, "%s/%s", text_of(q, "id"), slot),
                             "", text_of(f, "unit")};
        st = bw_fact_add(k->s->facts, name, &fact, err, "%s", shown(k, m, text_of(f, "sql")));
        if (st != BW_OK)
            return st;
        *complete = *complete && fact;
        if (!fact)
            continue;
        bw_message_fact(say, slot, fact);
        k->out->facts[k->out->n_facts++] = fact;
    }
    return st;
}

/* Slots filled by names that a query gives: one ("names") or several ("lists"). */
static bw_status add_names(asker *k, const cJSON *q, const bw_ask_match *m, const char *group,
                           bw_message *say, bool *complete, bw_err *err) {
    const cJSON *f;
    bool many = strcmp(group, "lists") == 0;
    cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(q, group)) {
        const char **name;
        size_t n;
        bw_status st = bw_query(k->s, "t", &n, err, shown(k, m, text_of(f, "sql")), 0, NULL, &name);
        if (st != BW_OK)
            return st;
        *complete = *complete && n > 0;
        for (size_t i = 0; i < n; i++)
            name[i] = label_of(k->s, text_of(f, "kind"), name[i]);
        if (n && many)
            bw_message_names(say, text_of(f, "slot"), name, n);
        else if (n)
            bw_message_name(say, text_of(f, "slot"), name[0]);
    }
    return BW_OK;
}

static const char *span_text(const asker *k, const char *first, const char *last) {
    bw_buf b = {0};
    bw_format_span(k->s->locale, &b, first, last);
    const char *text = bw_arena_text(k->s->arena, b.text);
    bw_buf_free(&b);
    return text;
}

/* ---- answers ---- */

/* Slots the sentence takes from the question itself: the names in it and the period. */
static void add_asked(asker *k, const bw_ask_match *m, bw_message *say) {
    for (size_t i = 0; i < N_KINDS; i++) {
        const char *name = name_for(m, KINDS[i].kind);
        if (name)
            bw_message_name(say, KINDS[i].kind, label_of(k->s, KINDS[i].kind, name));
    }
    const char *first, *last;
    period_of(k, m, &first, &last);
    bw_message_text(say, "span", span_text(k, first, last));
}

/* The sentence in full words, without marks. */
static const char *sentence(const asker *k, const bw_message *say) {
    bw_buf marked = {0}, plain = {0};
    bw_grammar_say(k->s->locale, say, k->s->variant, BW_PROSE, &marked);
    bw_unmark(marked.text ? marked.text : "", &plain);
    const char *text = bw_arena_text(k->s->arena, plain.text);
    bw_buf_free(&marked);
    bw_buf_free(&plain);
    return text;
}

static bool needs(const cJSON *q, const char *kind) {
    const cJSON *about;
    cJSON_ArrayForEach(
        about, cJSON_GetObjectItemCaseSensitive(q, "about")) if (strcmp(about->valuestring, kind) ==
                                                                 0) return true;
    return false;
}

/* The first kind of name the question needs and does not have, or NULL. */
static const char *missing_kind(const cJSON *q, const bw_ask_match *m) {
    for (size_t i = 0; i < N_KINDS; i++)
        if (needs(q, KINDS[i].kind) && !name_for(m, KINDS[i].kind))
            return KINDS[i].kind;
    return NULL;
}

/* Up to NAMES_SHOWN labels of a kind. */
static size_t offered(const asker *k, const char *kind, const char **labels) {
    size_t n = 0;
    const char *last = "";
    for (size_t i = 0; i < k->book.n_names && n < NAMES_SHOWN; i++)
        if (strcmp(k->names[i].kind, kind) == 0 && strcmp(k->names[i].name, last) != 0) {
            labels[n++] = label_of(k->s, kind, k->names[i].name);
            last = k->names[i].name;
        }
    return n;
}

static void ask_back(asker *k, const char *kind) {
    const char **labels = bw_arena_get(k->s->arena, NAMES_SHOWN * sizeof *labels);
    size_t n = offered(k, kind, labels);
    k->out->outcome = n ? BW_ASK_NAME : BW_ASK_NO_DATA;
    bw_message say = {.key = n ? "ask.name_missing" : "ask.none"};
    bw_message_text(&say, "kind",
                    bw_word(k->s->locale, bw_arena_textf(k->s->arena, "ask.kind.%s", kind)));
    bw_message_names(&say, "names", labels, n);
    k->out->text = sentence(k, &say);
}

/* A pattern as a person would type it: "{channel}" becomes the first channel of the data. */
static const char *example(const asker *k, const char *pattern) {
    bw_buf b = {0};
    while (*pattern) {
        size_t plain = strcspn(pattern, "{");
        bw_buf_add_n(&b, pattern, plain);
        pattern += plain;
        const char *end = strchr(pattern, '}');
        if (!*pattern || !end)
            break;
        const char *kind = bw_arena_text_n(k->s->arena, pattern + 1, (size_t)(end - pattern - 1));
        const char *labels[NAMES_SHOWN];
        const char *label =
            offered(k, kind, labels)
                ? labels[0]
                : bw_word(k->s->locale, bw_arena_textf(k->s->arena, "ask.kind.%s", kind));
        bw_buf_add(&b, label);
        pattern = end + 1;
    }
    const char *text = bw_arena_text(k->s->arena, b.text);
    bw_buf_free(&b);
    return text;
}

static void not_understood(asker *k, const bw_ask_match *m, size_t n) {
    k->out->outcome = BW_ASK_UNKNOWN;
    k->out->text = bw_word(k->s->locale, n && m[0].score > 0 ? "ask.unknown" : "ask.examples");
    for (size_t i = 0; i < n; i++)
        k->out->nearest[k->out->n_nearest++] = example(k, k->patterns[m[i].pattern].text);
}

/* What can be drawn beside the answer: a chart of the report, or else a query's result. */
static void add_picture(asker *k, const cJSON *q, const bw_ask_match *m) {
    const char *chart = text_of(q, "chart");
    const cJSON *draw = cJSON_GetObjectItemCaseSensitive(q, "draw");
    if (chart)
        k->out->chart = bw_arena_text(k->s->arena, chart);
    if (draw) {
        k->out->draw_kind = bw_arena_text(k->s->arena, text_of(draw, "kind"));
        k->out->draw_sql = filled(k, m, text_of(draw, "sql"));
    }
}

/* A single review has no interval: "ask.ID.point" says such an answer without, where there is one; and
 * "ask.ID.period" says one about a period that was asked for. */
static const char *sentence_key(const asker *k, bool period) {
    bool all = true;
    const char *dated = bw_arena_textf(k->s->arena, "ask.%s.period", k->out->question);
    if (period && bw_word_nth(k->s->locale, dated, 0))
        return dated;
    for (size_t i = 0; i < k->out->n_facts; i++)
        all = all && isfinite(k->out->facts[i]->lo);
    const char *point = bw_arena_textf(k->s->arena, "ask.%s.point", k->out->question);
    return !all && bw_word_nth(k->s->locale, point, 0)
               ? point
               : bw_arena_textf(k->s->arena, "ask.%s.answer", k->out->question);
}

/* ---- the time asked for, and the time that the data cover ---- */

static const char *say_period(const asker *k, const char *key, const char *asked,
                              const char *span) {
    bw_message say = {.key = key};
    bw_message_text(&say, "asked", asked);
    bw_message_text(&say, "span", span);
    return sentence(k, &say);
}

/* Whether any query of the question takes the period. */
static bool takes_period(const cJSON *q) {
    char *text = cJSON_PrintUnformatted(q);
    bool takes = text && strstr(text, ":first");
    free(text);
    return takes;
}

/* What an answer that takes no period is about ("covers" in the book): the newest week, or the days that
 * the newest run of a kind rests on. false when that is not said. */
static bool covered(const asker *k, const cJSON *q, const char **first, const char **last,
                    bw_err *err) {
    const char *covers = text_of(q, "covers"), **from, **to;
    size_t n = 0;
    *first = k->s->week;
    *last = k->s->last_day;
    if (!covers || strcmp(covers, "week") == 0)
        return covers != NULL;
    if (bw_query(k->s, "tt", &n, err,
                 "SELECT first_day, last_day FROM model_run WHERE kind = ?2 AND first_day IS NOT "
                 "NULL ORDER BY id DESC LIMIT 1",
                 0, covers, &from, &to) != BW_OK ||
        !n)
        return false;
    *first = from[0];
    *last = to[0];
    return true;
}

/* Says what of a period inside the data the answer is about, where its sentence does not. */
static void note_period(asker *k, const cJSON *q, const bw_period *p, const char *asked,
                        bw_err *err) {
    const char *first, *last;
    if (takes_period(q)) {
        if (!needs(q, "period"))
            k->note = say_period(k, "ask.period_alone", asked, asked);
    } else if (covered(k, q, &first, &last, err) &&
               (strcmp(first, p->first) != 0 || strcmp(last, p->last) != 0))
        k->note = say_period(k, "ask.period_fixed", asked, span_text(k, first, last));
}

/* Cuts the period down to what the data cover and says so; false when nothing of it is left. */
static bool cut_period(asker *k, const cJSON *q, bw_ask_match *m, bw_err *err) {
    const char **from, **to;
    size_t n;
    bw_period *p = &m->period;
    if (!p->words ||
        bw_query(k->s, "tt", &n, err, "SELECT min(day), max(day) FROM calendar_day", 0, NULL, &from,
                 &to) != BW_OK ||
        !n || !from[0] || !*from[0])
        return true;
    const char *cover = span_text(k, from[0], to[0]),
               *asked = p->impossible ? "" : span_text(k, p->first, p->last);
    if (p->impossible || strcmp(p->first, to[0]) > 0 || strcmp(p->last, from[0]) < 0) {
        k->out->outcome = BW_ASK_PERIOD;
        k->out->text = say_period(k, p->impossible ? "ask.period_impossible" : "ask.period_outside",
                                  asked, cover);
        return false;
    }
    note_period(k, q, p, asked, err);
    bool early = strcmp(p->first, from[0])<0, late = strcmp(p->last, to[0])> 0;
    if ((early || late) && takes_period(q)) {
        if (early)
            snprintf(p->first, sizeof p->first, "%.10s", from[0]);
        if (late)
            snprintf(p->last, sizeof p->last, "%.10s", to[0]);
        k->note = say_period(k, "ask.period_part", asked, span_text(k, p->first, p->last));
    }
    return true;
}

static bw_status answer(asker *k, bw_ask_match *m, bw_err *err) {
    const cJSON *q = cJSON_GetArrayItem(k->questions, (int)m->question);
    k->out->question = bw_arena_text(k->s->arena, text_of(q, "id"));
    const char *kind = missing_kind(q, m);
    if (kind) {
        ask_back(k, kind);
        return BW_OK;
    }
    if (!cut_period(k, q, m, err))
        return BW_OK;
    bool complete = true;
    bw_message say = {0};
    add_asked(k, m, &say);
    bw_status st = add_facts(k, q, m, &say, &complete, err);
    if (st == BW_OK)
        st = add_names(k, q, m, "names", &say, &complete, err);
    if (st == BW_OK)
        st = add_names(k, q, m, "lists", &say, &complete, err);
    if (st != BW_OK)
        return st;
    k->out->outcome = complete ? BW_ANSWERED : BW_ASK_NO_DATA;
    say.key = sentence_key(k, m->period.words > 0);
    k->out->text = complete ? sentence(k, &say) : bw_word(k->s->locale, "ask.none");
    if (k->note)
        k->out->text = bw_arena_textf(k->s->arena, "%s%s%s", k->note,
                                      bw_word(k->s->locale, "sentence.gap"), k->out->text);
    if (complete)
        add_picture(k, q, m);
    return BW_OK;
}

bw_status bw_ask(bw_shop *s, const char *question, bw_answer *out, bw_err *err) {
    *out = (bw_answer){0};
    asker k = {.s = s, .out = out};
    bw_status st = open_book(&k, err);
    if (st == BW_OK) {
        bw_ask_match m[3];
        size_t n = bw_ask_find(s->arena, &k.book, question, bw_ask_meaning, m, 3);
        if (n && m[0].score >= ENOUGH)
            st = answer(&k, &m[0], err);
        else
            not_understood(&k, m, n);
    }
    cJSON_Delete(k.questions);
    return st;
}
