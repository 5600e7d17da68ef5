/* reports/doc/html.c - walking the document's tree. All text is escaped here and nowhere else. */
#include "reports/doc/html.h"

#include "common/embed.h"
#include "reports/charts/render.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    bw_document *d;
    bw_buf *out;
    bw_picture *pictures;
    size_t n, next;
} page;

/* ---- marked text ---- */

static const bw_fact *fact_named(const bw_shop *s, const char *id, size_t n) {
    const bw_fact *f;
    for (size_t i = 0; (f = bw_fact_at(s->facts, i)); i++)
        if (strlen(f->id) == n && strncmp(f->id, id, n) == 0)
            return f;
    return NULL;
}

static void open_number(page *p, const char *mark) {
    size_t n = strcspn(mark + 2, BW_MARK_TEXT);
    const bw_fact *f = fact_named(p->d->shop, mark + 2, n);
    int number = f ? bw_fact_use(p->d->shop->facts, f) : 0;
    bw_buf_addf(p->out, "<a class=\"n\" href=\"#q%d\" data-part=\"%c\" data-fact=\"%.*s\">", number,
                mark[1], (int)n, mark + 2);
}

static void add_marked(page *p, const char *text) {
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '\1':
            open_number(p, c);
            c += strcspn(c, BW_MARK_TEXT);
            break;
        case '\3':
            bw_buf_add(p->out, "</a>");
            break;
        case '\4':
            bw_buf_add(p->out, "<span class=\"name\">");
            break;
        case '\5':
            bw_buf_add(p->out, "</span>");
            break;
        case '\6':
            bw_buf_add(p->out, "<time>");
            break;
        case '\7':
            bw_buf_add(p->out, "</time>");
            break;
        default: {
            char one[2] = {*c, '\0'};
            bw_buf_add_html(p->out, one);
        }
        }
        if (!*c)
            return;
    }
}

/* ---- blocks ---- */

#define SHORT_CELL \
    24 /* bytes; such a cell stays on one line, or Chinese breaks it letter by letter */

static bool is_short_cell(const char *cell) {
    return strlen(cell) <= SHORT_CELL && *cell != 1;
}

static void add_table(page *p, const bw_block *b) {
    bw_buf_add(p->out, "<div class=\"ledger\"><table><thead><tr>");
    for (size_t i = 0; i < b->columns; i++) {
        bw_buf_add(p->out, "<th scope=\"col\">");
        add_marked(p, b->cells[i]);
        bw_buf_add(p->out, "</th>");
    }
    bw_buf_add(p->out, "</tr></thead><tbody>\n");
    for (size_t r = 1; r <= b->rows; r++) {
        bw_buf_add(p->out, "<tr>");
        for (size_t i = 0; i < b->columns; i++) {
            const char *cell = b->cells[r * b->columns + i];
            bool none = strcmp(cell, "–") == 0;
            bw_buf_add(p->out, i == 0                ? "<td class=\"id\""
                               : none                ? "<td class=\"none\""
                               : *cell == 6          ? "<td class=\"day\""
                               : is_short_cell(cell) ? "<td class=\"short\""
                                                     : "<td");
            if (i > 1) {
                bw_buf_add(p->out, " data-head=\"");
                bw_buf_add_html(p->out, b->cells[i]);
                bw_buf_add(p->out, "\"");
            }
            bw_buf_add(p->out, ">");
            add_marked(p, cell);
            bw_buf_add(p->out, "</td>");
        }
        bw_buf_add(p->out, "</tr>\n");
    }
    bw_buf_add(p->out, "</tbody></table></div>\n");
}

static void add_cell(page *p, const bw_cell *c) {
    if (c->text) {
        bw_buf_add(p->out, "<td>");
        bw_buf_add_html(p->out, c->text);
    } else {
        bw_buf_add(p->out, "<td class=\"num\">");
        if (isfinite(c->value)) {
            bw_number style = bw_number_style(c->value, NAN, NAN, c->unit);
            bw_buf_add_html(p->out, bw_shop_format(p->d->shop, c->value, &style));
        }
    }
    bw_buf_add(p->out, "</td>");
}

#define TABLE_ROWS_MOST \
    200 /* a table for reading; all rows are in facts.json and `plot --format tsv` */

static void add_chart_table(page *p, const bw_chart *ch) {
    const bw_table *t = &ch->table;
    bw_buf_add(p->out, "<details class=\"data\"><summary>");
    bw_buf_add_html(p->out, bw_shop_title(p->d->shop, bw_shop_word(p->d->shop, "page.numbers")));
    bw_buf_add(p->out,
               "</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    bw_buf_add_html(p->out, ch->title);
    bw_buf_add(p->out, "\"><table><thead><tr>");
    for (size_t i = 0; i < t->columns; i++) {
        bw_buf_addf(p->out, "<th scope=\"col\"%s>",
                    t->rows && !t->cells[i].text ? " class=\"num\"" : "");
        bw_buf_add_html(p->out, bw_shop_title(p->d->shop, t->heads[i]));
        bw_buf_add(p->out, "</th>");
    }
    bw_buf_add(p->out, "</tr></thead><tbody>\n");
    for (size_t r = 0; r < t->rows && r < TABLE_ROWS_MOST; r++) {
        bw_buf_add(p->out, "<tr>");
        for (size_t i = 0; i < t->columns; i++)
            add_cell(p, &t->cells[r * t->columns + i]);
        bw_buf_add(p->out, "</tr>\n");
    }
    bw_buf_add(p->out, "</tbody></table></div></details>\n");
}

static void add_chart(page *p, const bw_block *b) {
    bw_buf_addf(p->out, "<figure id=\"chart-%s\">\n", b->chart->name);
    for (int k = 0; k < 2; k++)
        bw_buf_add_n(p->out, p->pictures[p->next].bytes, p->pictures[p->next].len), p->next++;
    add_chart_table(p, b->chart);
    bw_buf_add(p->out, "</figure>\n");
}

static void add_quote(page *p, const bw_block *b) {
    bw_buf_add(p->out, "<blockquote><span");
    if (b->lang && *b->lang) {
        bw_buf_add(p->out, " lang=\"");
        bw_buf_add_html(p->out, b->lang);
        bw_buf_add(p->out, "\"");
    }
    bw_buf_add(p->out, ">“");
    bw_buf_add_html(p->out, b->text);
    bw_buf_add(p->out, "”</span><footer>");
    add_marked(p, b->source);
    bw_buf_add(p->out, "</footer></blockquote>\n");
}

static void add_notes(page *p, const bw_block *b) {
    bw_buf_add(p->out, "<ul>\n");
    for (size_t i = 0; i < b->rows; i++) {
        bw_buf_add(p->out, "<li>");
        add_marked(p, b->cells[i]);
        bw_buf_add(p->out, "</li>\n");
    }
    bw_buf_add(p->out, "</ul>\n");
}

static void add_block(page *p, const bw_block *b) {
    switch (b->kind) {
    case BW_PARAGRAPH:
        bw_buf_add(p->out, "<p class=\"prose\">");
        add_marked(p, b->text);
        bw_buf_add(p->out, "</p>\n");
        break;
    case BW_TABLE:
        add_table(p, b);
        break;
    case BW_CHART:
        add_chart(p, b);
        break;
    case BW_QUOTE:
        add_quote(p, b);
        break;
    case BW_NOTES:
        add_notes(p, b);
        break;
    }
}

/* ---- the page ---- */

static void add_theme(bw_buf *out, bool dark) {
    for (int c = 0; c < BW_COLOURS; c++) {
        const bw_colour_row *row = bw_theme((bw_colour)c);
        bw_buf_addf(out, "--%s:#%06x%s", row->name, dark ? row->dark : row->light,
                    c + 1 < BW_COLOURS ? ";" : "");
    }
}

/* The foot of each printed page: which report, which page of how many. The title and the week are ours,
 * never text of the data, so nothing in them can end the string. */
static void add_print_foot(page *p) {
    bw_buf_addf(p->out,
                "@page{@bottom-left{content:\"%s %s\"}"
                "@bottom-right{content:counter(page) \" / \" counter(pages)}}\n",
                p->d->title, p->d->shop->week_name);
}

static void add_head(page *p) {
    const bw_shop *s = p->d->shop;
    bw_buf_addf(p->out,
                "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
                bw_locale_tag(s->locale));
    bw_buf_add_html(p->out, p->d->title);
    bw_buf_add(p->out, " ");
    bw_buf_add_html(p->out, s->week_name);
    bw_buf_add(p->out, "</title>\n<style>\n:root{");
    add_theme(p->out, false);
    bw_buf_add(p->out, "}\n@media (prefers-color-scheme:dark){:root{");
    add_theme(p->out, true);
    bw_buf_add(p->out, "}}\n@media print{:root{");
    add_theme(p->out, false);
    bw_buf_add(p->out, "}}\n");
    bw_buf_add(p->out, bw_embed("reports/page/page.css", NULL));
    add_print_foot(p);
    bw_buf_add(p->out, "</style></head>\n<body>\n<header><h1>");
    bw_buf_add_html(p->out, p->d->title);
    bw_buf_add(p->out, "</h1><p class=\"sub\">");
    add_marked(p, p->d->subtitle);
    bw_buf_add(p->out, "</p></header>\n<main>\n");
}

static void add_decision(page *p) {
    bw_buf_add(
        p->out,
        "<section class=\"decide\" id=\"decide\" aria-labelledby=\"decide-h\"><p class=\"label\">");
    bw_buf_add_html(p->out, p->d->label);
    bw_buf_add(p->out, "</p><h2 id=\"decide-h\">");
    add_marked(p, p->d->headline);
    bw_buf_add(p->out, "</h2>\n");
    for (size_t i = 0; i < p->d->decision.n; i++)
        add_block(p, &p->d->decision.blocks[i]);
    bw_buf_add(p->out, "</section>\n");
}

static void add_section(page *p, const bw_section *sec) {
    bw_buf_addf(p->out, "<section id=\"%s\"%s><h2>", sec->id,
                strcmp(sec->id, "method") == 0 ? " class=\"foot\"" : "");
    add_marked(p, sec->title);
    bw_buf_add(p->out, "</h2>\n");
    for (size_t i = 0; i < sec->n; i++)
        add_block(p, &sec->blocks[i]);
    bw_buf_add(p->out, "</section>\n");
}

/* The queries in the order in which the text uses their facts. */
static void add_appendix(page *p) {
    const bw_facts *facts = p->d->shop->facts;
    size_t n = bw_facts_count(facts);
    bw_buf_add(p->out, "<section class=\"appendix\" id=\"queries\"><h2>");
    bw_buf_add_html(p->out, bw_word(p->d->shop->locale, "section.queries"));
    bw_buf_add(p->out, "</h2><p>");
    bw_buf_add_html(p->out, bw_word(p->d->shop->locale, "page.queries"));
    bw_buf_add(p->out, "</p><ol>\n");
    for (int number = 1; number <= (int)n; number++)
        for (size_t i = 0; i < n; i++) {
            const bw_fact *f = bw_fact_at(facts, i);
            if (f->number != number)
                continue;
            bw_buf_addf(p->out, "<li id=\"q%d\"><code>", number);
            bw_buf_add_html(p->out, f->sql);
            bw_buf_add(p->out, "</code></li>\n");
        }
    bw_buf_add(p->out, "</ol></section>\n");
}

static bw_status render_charts(page *p, bw_err *err) {
    const bw_document *d = p->d;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->sections[i].n; k++) {
            const bw_block *b = &d->sections[i].blocks[k];
            for (int narrow = 0; narrow < 2 && b->kind == BW_CHART; narrow++) {
                p->pictures = bw_arena_grow(d->shop->arena, p->pictures, p->n, sizeof *p->pictures);
                p->pictures[p->n++] =
                    (bw_picture){.chart = narrow ? b->narrow : b->chart,
                                 .format = BW_SVG,
                                 .id = bw_arena_textf(d->shop->arena, "%s%s", b->chart->name,
                                                      narrow ? "-n" : ""),
                                 .css_class = narrow ? "narrow" : "wide"};
            }
        }
    return p->n ? bw_pictures_render(p->pictures, p->n, err) : BW_OK;
}

bw_status bw_html_write(bw_document *d, bw_buf *out, bw_err *err) {
    page p = {.d = d, .out = out};
    bw_status st = render_charts(&p, err);
    if (st != BW_OK)
        return st;
    add_head(&p);
    add_decision(&p);
    for (size_t i = 0; i < d->n; i++)
        add_section(&p, &d->sections[i]);
    add_appendix(&p);
    bw_buf_add(out, "</main>\n</body></html>\n");
    for (size_t i = 0; i < p.n; i++)
        free(p.pictures[i].bytes);
    return bw_buf_ok(out) && bw_arena_ok(d->shop->arena) ? BW_OK : bw_fail_memory(err);
}
