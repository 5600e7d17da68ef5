/* reports/words/locale.c - reading a language file, and looking things up in it. */
#include "reports/words/locale.h"

#include "common/embed.h"
#include "reports/words/locale_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *bw_locale_lang(const bw_locale *l) {
    return l->lang;
}

const char *bw_locale_tag(const bw_locale *l) {
    return bw_word(l, "html.lang");
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const bw_entry *)a)->key, ((const bw_entry *)b)->key);
}

static bw_entry *find(const bw_locale *l, const char *key) {
    bw_entry probe = {.key = key};
    return bsearch(&probe, l->entries, l->n, sizeof *l->entries, by_key);
}

const char *bw_word_nth(const bw_locale *l, const char *key, size_t i) {
    const bw_entry *e = find(l, key);
    return e && i < e->n ? e->texts[i] : NULL;
}

const char *bw_word(const bw_locale *l, const char *key) {
    const char *text = bw_word_nth(l, key, 0);
    return text ? text : key;
}

size_t bw_word_count(const bw_locale *l, const char *key) {
    const bw_entry *e = find(l, key);
    return e ? e->n : 0;
}

const char *bw_locale_key(const bw_locale *l, size_t i) {
    return i < l->n ? l->entries[i].key : NULL;
}

static bw_entry *add_entry(bw_locale *l, const char *key) {
    l->entries = bw_arena_grow(l->arena, l->entries, l->n, sizeof *l->entries);
    bw_entry *e = &l->entries[l->n++];
    *e = (bw_entry){.key = key};
    return e;
}

static void add_text(bw_locale *l, bw_entry *e, const char *text) {
    e->texts = bw_arena_grow(l->arena, e->texts, e->n, sizeof *e->texts);
    e->texts[e->n++] = text;
}

void bw_locale_set(bw_locale *l, const char *key, const char *text) {
    bw_entry *e = find(l, key);
    if (e) {
        e->n = 0;
        e->texts = NULL;
        add_text(l, e, bw_arena_text(l->arena, text));
        return;
    }
    e = add_entry(l, bw_arena_text(l->arena, key));
    add_text(l, e, bw_arena_text(l->arena, text));
    qsort(l->entries, l->n, sizeof *l->entries, by_key);
}

static char *trimmed(bw_arena *a, const char *from, const char *to) {
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
        to--;
    char *text = bw_arena_text_n(a, from, (size_t)(to - from));
    if (text && *text == '_')
        *text = ' ';
    if (text && to > from && text[to - from - 1] == '_')
        text[to - from - 1] = ' ';
    return text;
}

/* One line: a comment, "key", "key = text" or an indented text of the last key. */
static bw_status read_line(bw_locale *l, const char *line, const char *end, size_t number,
                           bw_err *err) {
    if (line == end || *line == '#')
        return BW_OK;
    if (*line == ' ' || *line == '\t') {
        char *text = trimmed(l->arena, line, end);
        if (!*text)
            return BW_OK;
        if (l->n == 0)
            return bw_fail(err, BW_EFORMAT, "reports/prose/%s.txt:%zu: text before the first key",
                           l->lang, number);
        add_text(l, &l->entries[l->n - 1], text);
        return BW_OK;
    }
    const char *sign = memchr(line, '=', (size_t)(end - line));
    bw_entry *e = add_entry(l, trimmed(l->arena, line, sign ? sign : end));
    if (sign)
        add_text(l, e, trimmed(l->arena, sign + 1, end));
    return BW_OK;
}

static bw_status check_keys(const bw_locale *l, bw_err *err) {
    for (size_t i = 0; i < l->n; i++) {
        if (l->entries[i].n == 0)
            return bw_fail(err, BW_EFORMAT, "reports/prose/%s.txt: '%s' has no text", l->lang,
                           l->entries[i].key);
        if (i && strcmp(l->entries[i].key, l->entries[i - 1].key) == 0)
            return bw_fail(err, BW_EFORMAT, "reports/prose/%s.txt: '%s' stands twice", l->lang,
                           l->entries[i].key);
    }
    return BW_OK;
}

static bw_status read_lines(bw_locale *l, const char *text, bw_err *err) {
    bw_status st = BW_OK;
    size_t number = 1;
    for (const char *line = text; st == BW_OK && *line; number++) {
        const char *end = line + strcspn(line, "\n");
        st = read_line(l, line, end, number, err);
        line = *end ? end + 1 : end;
    }
    return st;
}

/* What reports say, and what `ask` understands and says. */
static bw_status read_entries(bw_locale *l, bw_err *err) {
    static const char *const FILES[] = {"reports/prose/%.20s.txt", "reports/prose/ask.%.20s.txt"};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof FILES / sizeof *FILES; i++) {
        const char *text = bw_embed(bw_arena_textf(l->arena, FILES[i], l->lang), NULL);
        st = text ? read_lines(l, text, err)
                  : bw_fail(err, BW_EUSAGE, "there is no language '%s'; 'en' and 'zh' are there",
                            l->lang);
    }
    if (st == BW_OK && !bw_arena_ok(l->arena))
        st = bw_fail_memory(err);
    if (st != BW_OK)
        return st;
    qsort(l->entries, l->n, sizeof *l->entries, by_key);
    return check_keys(l, err);
}

/* "currency.USD = $|dollar|dollars": symbol, word for one, word for many. */
static void read_currency(bw_locale *l, const char *code) {
    char key[40];
    snprintf(key, sizeof key, "currency.%.20s", code);
    const char *row = bw_word_nth(l, key, 0);
    if (!row) {
        l->symbol = bw_arena_textf(l->arena, "%s ", code);
        l->money_one = l->money_many = bw_arena_text(l->arena, code);
    } else {
        const char *one = strchr(row, '|'), *many = one ? strchr(one + 1, '|') : NULL;
        l->symbol = bw_arena_text_n(l->arena, row, one ? (size_t)(one - row) : strlen(row));
        const char *word = one ? one + 1 : row;
        l->money_one = bw_arena_text_n(l->arena, word, many ? (size_t)(many - word) : strlen(word));
        l->money_many = many ? bw_arena_text(l->arena, many + 1) : l->money_one;
    }
    bw_locale_set(l, "term.currency", l->money_one);
    bw_locale_set(l, "term.currencies", l->money_many);
}

bw_status bw_locale_new(bw_arena *a, const char *lang, const char *currency, bw_locale **out,
                        bw_err *err) {
    bw_locale *l = bw_arena_get(a, sizeof *l);
    *l = (bw_locale){.arena = a, .lang = bw_arena_text(a, lang)};
    bw_status st = read_entries(l, err);
    if (st != BW_OK)
        return st;
    l->decimal = bw_word(l, "number.decimal");
    l->group = bw_word(l, "number.group");
    read_currency(l, currency);
    *out = l;
    return bw_arena_ok(a) ? BW_OK : bw_fail_memory(err);
}
