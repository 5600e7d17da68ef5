/* reports/doc/document.c - the order of the report, and the tools of those who write its sections. */
#include "reports/doc/document.h"

#include "reports/words/prose.h"

#include <stdlib.h>
#include <string.h>

bw_section *bw_section_add(bw_document *d, const char *id) {
    bw_arena *a = d->shop->arena;
    d->sections = bw_arena_grow(a, d->sections, d->n, sizeof *d->sections);
    bw_section *sec = &d->sections[d->n++];
    bw_message title = {.key = bw_arena_textf(a, "section.%s", id)};
    *sec = (bw_section){.id = id, .title = bw_marked(d, &title, false)};
    return sec;
}

bw_block *bw_block_add(bw_document *d, bw_section *sec, bw_block_kind kind) {
    sec->blocks = bw_arena_grow(d->shop->arena, sec->blocks, sec->n, sizeof *sec->blocks);
    bw_block *b = &sec->blocks[sec->n++];
    *b = (bw_block){.kind = kind};
    return b;
}

static bool was_told(const bw_document *d, const char *id) {
    for (size_t i = 0; i < d->n_said; i++)
        if (strcmp(d->said[i], id) == 0)
            return true;
    return false;
}

/* Salience below which a message is left out at each length. */
static double threshold(bw_length length) {
    return length == BW_BRIEF ? 0.7 : length == BW_STANDARD ? 0.4 : 0;
}

void bw_say(bw_document *d, bw_buf *paragraph, const bw_message *m) {
    if (m->salience < threshold(d->shop->length))
        return;
    size_t facts = 0, told = 0;
    for (size_t i = 0; i < m->n; i++)
        if (m->slots[i].kind == BW_SLOT_FACT) {
            facts++;
            told += was_told(d, m->slots[i].fact->id);
        }
    if (facts && facts == told)
        return;
    for (size_t i = 0; i < m->n; i++)
        if (m->slots[i].kind == BW_SLOT_FACT && d->n_said < sizeof d->said / sizeof *d->said)
            d->said[d->n_said++] = m->slots[i].fact->id;
    bw_buf_add(paragraph, paragraph->len ? bw_word(d->shop->locale, "sentence.gap") : "");
    bw_prose_write(d->shop, m, paragraph);
}

void bw_say_done(bw_document *d, bw_section *sec, bw_buf *paragraph) {
    if (paragraph->len)
        bw_block_add(d, sec, BW_PARAGRAPH)->text = bw_arena_text(d->shop->arena, paragraph->text);
    bw_buf_free(paragraph);
}

const char *bw_marked(const bw_document *d, const bw_message *m, bool phrase) {
    bw_buf b = {0};
    bw_grammar_say(d->shop->locale, m, d->shop->variant, phrase ? BW_PHRASE : BW_PROSE, &b);
    const char *text = bw_arena_text(d->shop->arena, b.text);
    bw_buf_free(&b);
    return text;
}

const char *bw_marked_fact(const bw_document *d, const bw_fact *f, const char *part) {
    bw_buf b = {0};
    bw_grammar_fact(d->shop->locale, &b, f, part);
    const char *text = bw_arena_text(d->shop->arena, b.text);
    bw_buf_free(&b);
    return text;
}

/* Why there is no chart, in the report's own language. */
static void say_missing(bw_document *d, bw_section *sec, const char *name) {
    bw_message m = {.key = bw_arena_textf(d->shop->arena, "missing.%s", name)};
    if (bw_word_count(d->shop->locale, m.key))
        bw_block_add(d, sec, BW_PARAGRAPH)->text = bw_marked(d, &m, false);
}

bw_status bw_chart_block(bw_document *d, bw_section *sec, const char *name, bw_err *err) {
    const bw_chart_kind *kind = bw_chart_find(name);
    bw_chart *wide = bw_arena_get(d->shop->arena, 2 * sizeof *wide);
    bw_err why = {{0}};
    bw_status st = bw_chart_build(d->shop, kind, BW_CHART_WIDE, wide, &why);
    if (st == BW_EDATA) {
        say_missing(d, sec, name);
        return BW_OK;
    }
    if (st == BW_OK)
        st = bw_chart_build(d->shop, kind, BW_CHART_NARROW, wide + 1, &why);
    if (st != BW_OK) {
        bw_chart_free(wide);
        *err = why;
        return st;
    }
    bw_block *b = bw_block_add(d, sec, BW_CHART);
    b->chart = wide;
    b->narrow = wide + 1;
    return BW_OK;
}

static void head_lines(bw_document *d) {
    bw_shop *s = d->shop;
    bw_buf span = {0};
    d->title = bw_word(s->locale, "report.title");
    if (!*s->week) {
        d->subtitle = s->name;
        return;
    }
    bw_format_span(s->locale, &span, s->week, s->last_day);
    bw_message m = {.key = *s->name ? "report.subtitle" : "report.subtitle_unnamed"};
    bw_message_text(&m, "week",
                    bw_arena_textf(s->arena, "%d", atoi(strchr(s->week_name, 'W') + 1)));
    bw_message_text(&m, "span", bw_arena_text(s->arena, span.text));
    bw_message_name(&m, "shop", s->name);
    bw_message_day(&m, "day", s->last_day);
    d->subtitle = bw_marked(d, &m, false);
    bw_buf_free(&span);
}

bw_status bw_document_build(bw_shop *s, bw_document **out, bw_err *err) {
    static bw_status (*const SECTIONS[])(bw_document *, bw_err *) = {
        bw_section_decision, bw_section_change, bw_section_record,
        bw_section_channels, bw_section_timing, bw_section_voice,
        bw_section_outlook,  bw_section_notes,  bw_section_method};
    bw_document *d = bw_arena_get(s->arena, sizeof *d);
    *d = (bw_document){.shop = s};
    *out = d;
    head_lines(d);
    bw_status st = BW_OK;
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS && st == BW_OK; i++)
        st = SECTIONS[i](d, err);
    if (st == BW_OK && !bw_arena_ok(s->arena))
        st = bw_fail_memory(err);
    if (st != BW_OK) {
        bw_document_free(d);
        *out = NULL;
    }
    return st;
}

void bw_document_free(bw_document *d) {
    for (size_t i = 0; d && i < d->n; i++)
        for (size_t k = 0; k < d->sections[i].n; k++)
            if (d->sections[i].blocks[k].kind == BW_CHART) {
                bw_chart_free(d->sections[i].blocks[k].chart);
                bw_chart_free(d->sections[i].blocks[k].narrow);
            }
}
