/* reports/shop.c - finding the week, the runs and the names. */
#include "reports/shop.h"

#include "reports/weeks.h"
#include "sql/db.h"
#include "sql/value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#define NAME_LONGEST 48 /* characters of a name that the report shows */

/* One text from a query with up to one text parameter; NULL when there is no row. Arena. */
static const char *query_text(const bw_shop *s, const char *sql, const char *parameter) {
    sqlite3_stmt *q = NULL;
    const char *text = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK) {
        if (parameter)
            sqlite3_bind_text(q, 1, parameter, -1, SQLITE_STATIC);
        if (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_text(q, 0))
            text = bw_arena_text(s->arena, (const char *)sqlite3_column_text(q, 0));
    }
    sqlite3_finalize(q);
    return text;
}

static const char *setting(const bw_shop *s, const char *key, const char *fallback) {
    const char *value = query_text(s, "SELECT value FROM setting WHERE key = ?", key);
    return value && *value ? value : fallback;
}

/* A name fit to be shown: no control characters, not longer than a line. */
static const char *presentable(const bw_shop *s, const char *name) {
    bw_buf b = {0};
    size_t count = 0;
    for (const char *p = name; *p;) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &cp);
        if (++count > NAME_LONGEST) {
            bw_buf_add(&b, "…");
            break;
        }
        if (n <= 0)
            bw_buf_add(&b, "\xef\xbf\xbd");
        else if (cp < 32 || cp == 127 || (cp >= 0x202a && cp <= 0x202e) ||
                 (cp >= 0x2066 && cp <= 0x2069))
            bw_buf_add(&b, " ");
        else
            bw_buf_add_n(&b, p, (size_t)n);
        p += n > 0 ? n : 1;
    }
    const char *text = bw_arena_text(s->arena, b.text);
    bw_buf_free(&b);
    return text;
}

/* "paid_social" reads as "paid social"; anything with capitals or digits is a name to be kept. */
static const char *spaced(const bw_shop *s, const char *name) {
    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")] || !strchr(name, '_'))
        return name;
    char *copy = bw_arena_text(s->arena, name);
    for (char *p = copy; *p; p++)
        if (*p == '_')
            *p = ' ';
    return copy;
}

/* The language's word for KIND.NAME, NULL when it has none. "Valentine’s Day" is found as
 * "valentine's_day". */
static const char *word_of(const bw_shop *s, const char *kind, const char *name, size_t n) {
    static const char APOSTROPHE[] = "\xe2\x80\x99";
    bw_buf key = {0};
    bw_buf_addf(&key, "%s.", kind);
    for (const char *p = name; p < name + n; p++) {
        bool curly = strncmp(p, APOSTROPHE, 3) == 0;
        char ch = curly ? '\'' : *p == ' ' || *p == '-' ? '_' : (char)tolower((unsigned char)*p);
        bw_buf_add_n(&key, &ch, 1);
        p += curly ? 2 : 0;
    }
    const char *word = key.text ? bw_word_nth(s->locale, key.text, 0) : NULL;
    bw_buf_free(&key);
    return word;
}

/* The language's word for KIND.NAME, or the name itself made readable. */
static const char *known_name(const bw_shop *s, const char *kind, const char *name) {
    const char *word = word_of(s, kind, name, strlen(name));
    return word ? word : spaced(s, presentable(s, name));
}

/* A holiday in the report's language, with the year that its name may carry; a name of the shop's own
 * as it is, in quotation marks. */
static const char *event_name(const bw_shop *s, const char *name) {
    size_t n = strlen(name);
    const char *word = word_of(s, "event", name, n);
    if (word)
        return word;
    const char *year = n > 5 ? name + n - 4 : "";
    bool dated = strspn(year, "0123456789") == 4 && (year[-1] == ' ' || year[-1] == '_');
    word = dated ? word_of(s, "event", name, n - 5) : NULL;
    bw_message m = {.key = word ? "event.year" : "event.own"};
    bw_message_text(&m, "name", word ? word : presentable(s, name));
    bw_message_text(&m, "year", year);
    return bw_shop_phrase(s, &m);
}

const char *bw_shop_source(const bw_shop *s, const char *name) {
    return known_name(s, "source", name);
}

const char *bw_shop_title(const bw_shop *s, const char *label) {
    if (strcmp(bw_word(s->locale, "sentence.capitals"), "yes") != 0 ||
        !islower((unsigned char)*label))
        return label;
    size_t word = strspn(label, "abcdefghijklmnopqrstuvwxyz-");
    if (label[word] && label[word] != ' ' && label[word] != '\'')
        return label;
    char *copy = bw_arena_text(s->arena, label);
    *copy = (char)toupper((unsigned char)*copy);
    return copy;
}

const char *bw_shop_channel(const bw_shop *s, const char *name) {
    for (size_t i = 0; i < s->n_channels; i++)
        if (strcmp(s->channels[i].name, name) == 0)
            return s->channels[i].label;
    return known_name(s, "channel", name);
}

const char *bw_shop_aspect(const bw_shop *s, const char *name) {
    return known_name(s, "aspect", name);
}

const char *bw_shop_part(const bw_shop *s, const char *part) {
    if (strncmp(part, "_event:", 7) == 0)
        return event_name(s, part + 7);
    if (strncmp(part, "_control:", 9) == 0)
        return known_name(s, "control", part + 9);
    return *part == '_' ? known_name(s, "part", part + 1) : bw_shop_channel(s, part);
}

bool bw_window_parse(const char *at, int *day0, int *hour0, int *day1, int *hour1) {
    if (sscanf(at, "%d-%d/%d-%d", day0, hour0, day1, hour1) != 4)
        return false;
    *hour1 += 1; /* stored: the last hour itself; here: when it ends */
    return *day0 >= 0 && *day1 <= 6 && *day0 <= *day1 && *hour0 >= 0 && *hour1 <= 24 &&
           *hour0 < *hour1;
}

const char *bw_shop_window(const bw_shop *s, const char *at) {
    int d0, h0, d1, h1;
    if (!bw_window_parse(at, &d0, &h0, &d1, &h1))
        return presentable(s, at);
    bw_message m = {.key = d0 == d1             ? "window.day"
                           : d0 == 0 && d1 == 6 ? "window.every_day"
                                                : "window.days"};
    bw_message_text(&m, "first", bw_word_nth(s->locale, "weekday.long", (size_t)d0));
    bw_message_text(&m, "last", bw_word_nth(s->locale, "weekday.long", (size_t)d1));
    bw_message_text(&m, "from", bw_arena_textf(s->arena, "%02d:00", h0));
    bw_message_text(&m, "until", bw_arena_textf(s->arena, "%02d:00", h1));
    return bw_shop_phrase(s, &m);
}

static const char *say(const bw_shop *s, const bw_message *m, unsigned flags) {
    bw_buf marked = {0}, plain = {0};
    bw_grammar_say(s->locale, m, s->variant, flags, &marked);
    bw_unmark(marked.text ? marked.text : "", &plain);
    const char *text = bw_arena_text(s->arena, plain.text);
    bw_buf_free(&marked);
    bw_buf_free(&plain);
    return text;
}

const char *bw_shop_say(const bw_shop *s, const bw_message *m) {
    return say(s, m, BW_COMPACT);
}

const char *bw_shop_phrase(const bw_shop *s, const bw_message *m) {
    return say(s, m, BW_COMPACT | BW_PHRASE);
}

const char *bw_shop_word(const bw_shop *s, const char *key) {
    return say(s, &(bw_message){.key = key}, BW_COMPACT | BW_PHRASE);
}

const char *bw_shop_format(const bw_shop *s, double value, const bw_number *style) {
    bw_buf b = {0};
    bw_number compact = *style;
    compact.compact = true;
    bw_format(s->locale, &b, value, &compact);
    const char *text = bw_arena_text(s->arena, b.text);
    bw_buf_free(&b);
    return text;
}

/* "2026-W46" or a day; a day that SQLite understands is returned. */
static const char *week_day(const bw_shop *s, const char *week) {
    int year, number, used = 0;
    if (sscanf(week, "%4d-W%2d%n", &year, &number, &used) == 2 && !week[used] && number >= 1 &&
        number <= 53) {
        char day[11];
        int fourth = bw_day_number(year, 1, 4); /* in week 1, ISO 8601 */
        bw_day_text(fourth - bw_monday_first(fourth) + 7 * (number - 1), day);
        return bw_arena_text(s->arena, day);
    }
    return query_text(s, "SELECT date(?)", week);
}

static bw_status find_week(bw_shop *s, const char *week, bw_err *err) {
    /* Complete: as many days as the fullest of the weeks just before it. */
    static const char *const NEWEST =
        "SELECT week FROM weekly WHERE days >= (SELECT max(days) FROM (SELECT days FROM weekly "
        "ORDER BY week DESC LIMIT 9)) ORDER BY week DESC LIMIT 1";
    static const char *const FALLBACK =
        "SELECT coalesce((SELECT max(week) FROM calendar_day WHERE date(week, '+6 days') <= "
        "(SELECT max(day) FROM calendar_day)), (SELECT max(week) FROM calendar_day))";
    const char *found = NULL;
    if (week) {
        const char *day = week_day(s, week);
        if (!day)
            return bw_fail(err, BW_EUSAGE,
                           "--week %s: wanted a day such as 2026-11-09 or a week such as 2026-W46",
                           week);
        found = query_text(
            s,
            "SELECT max(week) FROM calendar_day WHERE week <= ?1 AND date(week, '+6 days') >= ?1",
            day);
        if (!found)
            return bw_fail(err, BW_EDATA, "--week %s: the data have no day in that week", week);
    } else {
        found = query_text(s, NEWEST, NULL);
        if (!found)
            found = query_text(s, FALLBACK, NULL);
    }
    s->week = found ? found : "";
    s->last_day = found ? query_text(s, "SELECT date(?, '+6 days')", found) : "";
    s->week_before = found ? query_text(s, "SELECT date(?, '-7 days')", found) : "";
    s->week_last_year = found ? query_text(s, "SELECT date(?, '-364 days')", found) : "";
    char name[16] = "";
    if (found)
        bw_week_name(s->last_day, name);
    s->week_name = bw_arena_text(s->arena, name);
    s->variant = bw_variant(name);
    return BW_OK;
}

static void find_runs(bw_shop *s) {
    const struct {
        const char *kind;
        int64_t *into;
    } KINDS[] = {{"fit", &s->runs.fit},
                 {"plan", &s->runs.plan},
                 {"change", &s->runs.change},
                 {"timing", &s->runs.timing},
                 {"content", &s->runs.content},
                 {"price", &s->runs.price},
                 {"promotion", &s->runs.promotion},
                 {"forecast", &s->runs.forecast},
                 {"anomaly", &s->runs.anomaly},
                 {"segment", &s->runs.segment},
                 {"sentiment", &s->runs.sentiment}};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const char *run =
            query_text(s, "SELECT max(id) FROM model_run WHERE kind = ?", KINDS[i].kind);
        *KINDS[i].into = run ? strtoll(run, NULL, 10) : 0;
    }
}

static const char *channel_label(const bw_shop *s, const char *name) {
    bool zh = strcmp(bw_locale_lang(s->locale), "zh") == 0;
    const char *given = query_text(s,
                                   zh ? "SELECT label_zh FROM channel WHERE name = ?"
                                      : "SELECT label_en FROM channel WHERE name = ?",
                                   name);
    const char *known = known_name(s, "channel", name);
    if (!given || !*given ||
        strcasecmp(given, known) == 0) /* "E-mail" is the language's "e-mail" */
        return known;
    return presentable(s, given);
}

static bw_status find_channels(bw_shop *s, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(s->db,
                      "SELECT DISTINCT subject FROM estimate WHERE run = ?1 AND name = 'roas' "
                      "UNION SELECT DISTINCT channel FROM spend WHERE ?1 = 0 ORDER BY 1",
                      &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(q, 1, s->runs.fit);
    for (bool row = true; st == BW_OK;) {
        st = bw_db_step(q, &row, err);
        if (st != BW_OK || !row)
            break;
        const char *name = bw_arena_text(s->arena, (const char *)sqlite3_column_text(q, 0));
        s->channels = bw_arena_grow(s->arena, s->channels, s->n_channels, sizeof *s->channels);
        const char *label = channel_label(s, name);
        s->channels[s->n_channels++] = (bw_label){name, label, bw_shop_title(s, label)};
    }
    sqlite3_finalize(q);
    return st;
}

static void find_settings(bw_shop *s) {
    const char *kind = setting(s, "outcome_kind", "revenue");
    bool money = strcmp(kind, "revenue") == 0;
    s->outcome = money ? "revenue" : strcmp(kind, "units") == 0 ? "units" : "orders";
    s->outcome_unit = money ? "money" : "count";
    s->return_unit = money ? "money" : "number";
    s->name = presentable(s, setting(s, "shop", ""));
    double margin = strtod(setting(s, "margin", "1"), NULL);
    s->margin = margin > 0 && margin <= 1 ? margin : 1;
    char key[40];
    snprintf(key, sizeof key, "outcome.%.30s", kind);
    bw_locale_set(s->locale, "term.outcome", bw_word(s->locale, key));
    snprintf(key, sizeof key, "be.%.30s", kind); /* the verb that goes with it */
    bw_locale_set(s->locale, "term.is", bw_word(s->locale, key));
}

static void find_presence(bw_shop *s) {
    s->has_outcome = bw_db_number(s->db, "SELECT EXISTS (SELECT 1 FROM outcome)", 0) > 0;
    s->has_spend = bw_db_number(s->db, "SELECT EXISTS (SELECT 1 FROM spend WHERE cost > 0)", 0) > 0;
    s->has_reviews = bw_db_number(s->db, "SELECT EXISTS (SELECT 1 FROM review)", 0) > 0;
    s->has_scores = bw_db_number(s->db, "SELECT EXISTS (SELECT 1 FROM review_score)", 0) > 0;
    s->has_messages = bw_db_number(s->db, "SELECT EXISTS (SELECT 1 FROM message)", 0) > 0;
    const char *voice =
        query_text(s, "SELECT max(week) FROM review_sentiment_week WHERE week <= ?", s->week);
    s->voice_week = voice ? voice : "";
    const char *weeks = query_text(s, "SELECT count(*) FROM weekly WHERE week <= ?", s->week);
    s->weeks = weeks ? strtol(weeks, NULL, 10) : 0;
}

static bw_status read_shop(bw_shop *s, const char *lang, const char *week, bw_err *err) {
    s->facts = bw_facts_new(s->arena, s->db);
    s->currency = setting(s, "currency", "EUR");
    bw_status st = bw_locale_new(s->arena, lang, s->currency, &s->locale, err);
    if (st != BW_OK)
        return st;
    find_settings(s);
    st = bw_weeks_hold(s->db, &s->holds_weeks, err);
    if (st == BW_OK)
        st = find_week(s, week, err);
    if (st != BW_OK)
        return st;
    find_presence(s);
    find_runs(s);
    st = find_channels(s, err);
    return st == BW_OK && !bw_arena_ok(s->arena) ? bw_fail_memory(err) : st;
}

bw_status bw_shop_open(sqlite3 *db, const char *lang, const char *week, bw_shop **out,
                       bw_err *err) {
    *out = NULL;
    bw_arena *a = bw_arena_new();
    if (!a)
        return bw_fail_memory(err);
    bw_shop *s = bw_arena_get(a, sizeof *s);
    *s = (bw_shop){.db = db, .arena = a, .length = BW_STANDARD};
    bw_status st = read_shop(s, lang, week, err);
    if (st != BW_OK) {
        bw_shop_close(s);
        return st;
    }
    *out = s;
    return BW_OK;
}

void bw_shop_close(bw_shop *s) {
    if (!s)
        return;
    if (s->holds_weeks)
        bw_weeks_release(s->db);
    bw_arena_free(s->arena);
}
