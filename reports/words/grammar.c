/* reports/words/grammar.c - filling templates. */
#include "reports/words/grammar.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static bw_slot *add_slot(bw_message *m, const char *name, bw_slot_kind kind) {
    if (m->n == sizeof m->slots / sizeof *m->slots)
        abort(); /* a message is written in code: too many slots is a fault of the program */
    m->slots[m->n] = (bw_slot){.name = name, .kind = kind};
    return &m->slots[m->n++];
}

void bw_message_fact(bw_message *m, const char *name, const bw_fact *fact) {
    add_slot(m, name, BW_SLOT_FACT)->fact = fact;
}

void bw_message_name(bw_message *m, const char *name, const char *text) {
    add_slot(m, name, BW_SLOT_NAME)->text = text;
}

void bw_message_names(bw_message *m, const char *name, const char *const *items, size_t n) {
    bw_slot *s = add_slot(m, name, BW_SLOT_NAMES);
    s->items = items;
    s->n = n;
}

void bw_message_text(bw_message *m, const char *name, const char *text) {
    add_slot(m, name, BW_SLOT_TEXT)->text = text;
}

void bw_message_day(bw_message *m, const char *name, const char *day) {
    add_slot(m, name, BW_SLOT_DAY)->text = day;
}

unsigned bw_variant(const char *week) {
    unsigned h = 2166136261u; /* FNV-1a */
    for (; *week; week++)
        h = (h ^ (unsigned char)*week) * 16777619u;
    return h;
}

/* The i-th of the texts in "|a|b|c". */
static void add_choice(bw_buf *out, const char *choices, const char *end, size_t i) {
    const char *p = choices;
    for (size_t k = 0; p < end; k++) {
        const char *from = p + 1, *to = memchr(from, '|', (size_t)(end - from));
        if (!to)
            to = end;
        if (k == i) {
            bw_buf_add_n(out, from, (size_t)(to - from));
            return;
        }
        p = to;
    }
}

static void open_fact(bw_buf *out, const bw_fact *f, char part) {
    bw_buf_addf(out, BW_MARK_FACT "%c%s" BW_MARK_TEXT, part, f->id);
}

static void add_number(const bw_locale *l, bw_buf *out, const bw_fact *f, char part, double value,
                       bw_number style) {
    open_fact(out, f, part);
    bw_format(l, out, value, &style);
    bw_buf_add(out, BW_MARK_END);
}

static void add_interval(const bw_locale *l, bw_buf *out, const bw_fact *f, bw_number style) {
    open_fact(out, f, 'i');
    bw_format_range(l, out, f->lo, f->hi, &style);
    bw_buf_add(out, BW_MARK_END);
}

static size_t by_sign(double x) {
    return x > 0 ? 0 : x < 0 ? 1 : 2;
}

static bool part_is(const char *part, size_t n, const char *name) {
    return strlen(name) == n && strncmp(part, name, n) == 0;
}

/* The parts that choose among texts; false when part is none of them. */
static bool add_by_fact(bw_buf *out, const bw_fact *f, const char *part, size_t n,
                        const char *choices, const char *end) {
    bw_number style = bw_fact_style(f);
    double value = bw_rounded(f->value, &style);
    if (part_is(part, n, "dir"))
        add_choice(out, choices, end, by_sign(value));
    else if (part_is(part, n, "versus"))
        add_choice(out, choices, end, by_sign(value - bw_rounded(f->reference, &style)));
    else if (part_is(part, n, "plural"))
        add_choice(out, choices, end, fabs(value) == 1 ? 0 : 1);
    else
        return false;
    return true;
}

/* A count is expected in fractions: 4.5 of 5, and 4.5 is shown. */
static bw_number reference_style(const bw_fact *f, bw_number style) {
    if (f->unit == BW_COUNT && f->reference != round(f->reference) && fabs(f->reference) < 100)
        style.place = -1;
    return style;
}

static void add_fact(const bw_locale *l, bw_buf *out, const bw_fact *f, const char *part, size_t n,
                     const char *end, bool compact) {
    bw_number style = bw_fact_style(f);
    style.compact = compact;
    if (add_by_fact(out, f, part, n, part + n, end))
        return;
    if (part_is(part, n, "lo"))
        add_number(l, out, f, 'l', f->lo, style);
    else if (part_is(part, n, "hi"))
        add_number(l, out, f, 'h', f->hi, style);
    else if (part_is(part, n, "reference"))
        add_number(l, out, f, 'r', f->reference, reference_style(f, style));
    else if (part_is(part, n, "abs"))
        add_number(l, out, f, 'v', fabs(f->value), style);
    else if (part_is(part, n, "n"))
        add_number(l, out, f, 'n', f->n, (bw_number){.unit = BW_COUNT, .scale_of = f->n});
    else if (part_is(part, n, "range"))
        add_interval(l, out, f, style);
    else if (part_is(part, n, "signed"))
        style.sign = true, add_number(l, out, f, 'v', f->value, style);
    else if (part_is(part, n, "hedge") || part_is(part, n, "chance")) {
        open_fact(out, f, part[0] == 'h' ? 'w' : 'p');
        if (part[0] == 'h')
            bw_buf_add(out, bw_hedge(l, f->probability));
        else
            bw_format_chance(l, out, f->probability);
        bw_buf_add(out, BW_MARK_END);
    } else
        add_number(l, out, f, 'v', f->value, style);
}

void bw_grammar_fact(const bw_locale *l, bw_buf *out, const bw_fact *f, const char *part) {
    add_fact(l, out, f, part, strlen(part), part + strlen(part), false);
}

static void add_name(bw_buf *out, const char *text) {
    bw_buf_add(out, BW_MARK_NAME);
    bw_buf_add(out, text);
    bw_buf_add(out, BW_MARK_NAME_END);
}

static void add_names(const bw_locale *l, bw_buf *out, const bw_slot *s) {
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            bw_buf_add(out, bw_word(l, i + 1 == s->n ? "list.last" : "list.comma"));
        add_name(out, s->items[i]);
    }
}

static void add_slot_text(const bw_locale *l, bw_buf *out, const bw_slot *s, const char *part,
                          size_t n, const char *end, bool compact) {
    switch (s->kind) {
    case BW_SLOT_FACT:
        add_fact(l, out, s->fact, part, n, end, compact);
        break;
    case BW_SLOT_NAME:
        add_name(out, s->text);
        break;
    case BW_SLOT_TEXT:
        bw_buf_add(out, s->text);
        break;
    case BW_SLOT_DAY:
        bw_buf_add(out, BW_MARK_DAY);
        if (part_is(part, n, "weekday"))
            bw_format_weekday(l, out, s->text);
        else
            bw_format_day(l, out, s->text, part_is(part, n, "full"));
        bw_buf_add(out, BW_MARK_DAY_END);
        break;
    case BW_SLOT_NAMES:
        if (part_is(part, n, "plural"))
            add_choice(out, part + n, end, s->n == 1 ? 0 : 1);
        else
            add_names(l, out, s);
        break;
    }
}

/* What stands between the braces from p to end. */
static void fill(const bw_locale *l, bw_buf *out, const bw_message *m, const char *p,
                 const char *end, bool compact) {
    size_t n = strcspn(p, ":}");
    const char *part = p[n] == ':' ? p + n + 1 : end;
    size_t part_n = strcspn(part, "|}");
    for (size_t i = 0; i < m->n; i++)
        if (strlen(m->slots[i].name) == n && strncmp(m->slots[i].name, p, n) == 0) {
            add_slot_text(l, out, &m->slots[i], part, part_n, end, compact);
            return;
        }
    char key[64] = "term.";
    strncat(key, p, n < sizeof key - 6 ? n : sizeof key - 6);
    bw_buf_add(out, bw_word(l, key));
}

/* The first letter of each sentence becomes a capital, unless its word is a name with marks of its
 * own making ("tv_S"): only plain lower-case words are changed. */
static void capitalise(bw_buf *b, size_t from) {
    bool start = true, in_id = false;
    for (size_t i = from; i < b->len; i++) {
        char ch = b->text[i];
        if (ch == 1)
            in_id = true;
        else if (ch == 2)
            in_id = false;
        if (in_id || (unsigned char)ch < 9)
            continue;
        if (start && !isspace((unsigned char)ch)) {
            size_t word = strspn(b->text + i, "abcdefghijklmnopqrstuvwxyz-");
            bool plain = word > 0 && strchr(" ,.;:'\3\5", b->text[i + word]);
            if (plain)
                b->text[i] = (char)toupper((unsigned char)ch);
            start = false;
        }
        if ((ch == '.' || ch == '?' || ch == '!') && isspace((unsigned char)b->text[i + 1]))
            start = true;
    }
}

/* ---- Chinese spacing ---- */

typedef enum { GLYPH_NONE, GLYPH_WIDE, GLYPH_LATIN, GLYPH_OTHER } glyph;

/* Ideographs; letters, digits and what belongs to a number; full-width punctuation and the rest. */
static glyph glyph_of(int32_t cp) {
    if ((cp >= 0x3400 && cp <= 0x9fff) || (cp >= 0xf900 && cp <= 0xfaff))
        return GLYPH_WIDE;
    if ((cp < 128 && isalnum(cp)) || cp == '%' || cp == '+' || cp == '$' || cp == 0x2212 ||
        cp == 0x20ac || cp == 0xa5)
        return GLYPH_LATIN;
    return GLYPH_OTHER;
}

/* As Chinese typesetting wants it: a space between an ideograph and a Latin letter or digit, none
 * between two ideographs; else as written. */
static bool wants_space(glyph before, glyph now, bool written) {
    bool mixed = (before == GLYPH_WIDE && now == GLYPH_LATIN) ||
                 (before == GLYPH_LATIN && now == GLYPH_WIDE);
    bool both_wide = before == GLYPH_WIDE && now == GLYPH_WIDE;
    return mixed || (written && !both_wide && before != GLYPH_NONE);
}

static glyph glyph_at(const char *p, size_t *n) {
    utf8proc_int32_t cp;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &cp);
    *n = used > 0 ? (size_t)used : 1;
    return glyph_of(used > 0 ? cp : 0xfffd);
}

static void space_chinese(bw_buf *b, size_t from) {
    bw_buf out = {0};
    glyph before = GLYPH_NONE;
    bool space = false;
    for (const char *p = b->text + from; *p;) {
        size_t n = *p == 1 ? strcspn(p, BW_MARK_TEXT) + 1 : 1;
        bool mark = (unsigned char)*p < 9, opens = *p == 1 || *p == 4 || *p == 6;
        if (*p == ' ') {
            space = true;
            p++;
            continue;
        }
        if (!mark || (opens && (unsigned char)p[n] >= 9)) { /* a space stands before the mark */
            size_t used;
            glyph now = glyph_at(mark ? p + n : p, &used);
            if (wants_space(before, now, space))
                bw_buf_add(&out, " ");
            before = now;
            space = false;
            n = mark ? n : used;
        }
        bw_buf_add_n(&out, p, n);
        p += n;
    }
    b->len = from;
    bw_buf_add_n(b, out.text ? out.text : "", out.len);
    bw_buf_free(&out);
}

void bw_grammar_say(const bw_locale *l, const bw_message *m, unsigned variant, unsigned flags,
                    bw_buf *out) {
    size_t count = bw_word_count(l, m->key), from = out->len;
    const char *text =
        count ? bw_word_nth(l, m->key, (variant ^ bw_variant(m->key)) % count) : m->key;
    for (const char *p = text; *p; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (end)
            fill(l, out, m, p + 1, end, flags & BW_COMPACT);
        else
            bw_buf_add_n(out, p, 1);
        p = end ? end : p;
    }
    bool capitals = !(flags & BW_PHRASE) && strcmp(bw_word(l, "sentence.capitals"), "yes") == 0;
    if (capitals && bw_buf_ok(out) && out->text)
        capitalise(out, from);
    if (bw_buf_ok(out) && out->text && strcmp(bw_word(l, "sentence.spacing"), "cjk") == 0)
        space_chinese(out, from);
}

void bw_unmark(const char *marked, bw_buf *out) {
    for (const char *p = marked; *p; p++) {
        if (*p == 1)
            p += strcspn(p, BW_MARK_TEXT);
        if (!*p)
            return;
        if ((unsigned char)*p >= 9)
            bw_buf_add_n(out, p, 1);
    }
}
