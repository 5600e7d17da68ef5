/* reports/doc/letter.c - the document's tree once more, in the HTML of 1999 that mail still speaks. */
#include "reports/doc/letter.h"

#include "reports/charts/render.h"
#include "reports/doc/markdown.h"
#include "reports/send/mail.h"
#include "sql/db.h"

#include <stdlib.h>
#include <string.h>

#define CHARTS_MOST 16
/* Mail is shown some 640 pixels wide: charts of 1280 dots are sharp there, and the letter stays small. */
#define DOTS_A_PIXEL (1280 / BW_CHART_WIDE)
#define TEXT         "style=\"font:15px/1.5 Helvetica,Arial,sans-serif;color:#1b2530;margin:6px 0 12px\""
#define SMALL        "style=\"font:13px/1.45 Helvetica,Arial,sans-serif;color:#5d6878;margin:2px 0 12px\""
#define CELL                                                                                 \
    "style=\"font:13px/1.4 Helvetica,Arial,sans-serif;color:#1b2530;padding:5px 10px 5px 0;" \
    "border-bottom:1px solid #e4e7ec;vertical-align:top;text-align:left\""

static void add_plain(bw_buf *out, const char *marked) {
    bw_buf text = {0};
    bw_unmark(marked, &text);
    bw_buf_add_html(out, text.text);
    bw_buf_free(&text);
}

static void add_text(bw_buf *out, const char *tag, const char *style, const char *marked) {
    bw_buf_addf(out, "<%s %s>", tag, style);
    add_plain(out, marked);
    bw_buf_addf(out, "</%s>\n", tag);
}

static void add_table(bw_buf *out, const bw_block *b) {
    bw_buf_add(out, "<table role=\"presentation\" cellspacing=\"0\" "
                    "style=\"border-collapse:collapse;width:100%\">\n");
    for (size_t r = 0; r <= b->rows; r++) {
        bw_buf_add(out, "<tr>");
        for (size_t i = 0; i < b->columns; i++)
            add_text(out, r ? "td" : "th", CELL, b->cells[r * b->columns + i]);
        bw_buf_add(out, "</tr>\n");
    }
    bw_buf_add(out, "</table>\n");
}

static void add_block(bw_buf *out, const bw_block *b) {
    switch (b->kind) {
    case BW_PARAGRAPH:
        add_text(out, "p", TEXT, b->text);
        break;
    case BW_TABLE:
        add_table(out, b);
        break;
    case BW_CHART:
        bw_buf_addf(out,
                    "<p><img src=\"cid:%s\" width=\"640\" "
                    "style=\"width:100%%;max-width:960px;height:auto\" alt=\"",
                    b->chart->name);
        bw_buf_add_html(out, b->chart->title);
        bw_buf_add(out, "\"></p>\n");
        break;
    case BW_QUOTE:
        add_text(out, "blockquote", TEXT, b->text);
        add_text(out, "p", SMALL, b->source);
        break;
    case BW_NOTES:
        bw_buf_add(out, "<ul>\n");
        for (size_t i = 0; i < b->rows; i++)
            add_text(out, "li", TEXT, b->cells[i]);
        bw_buf_add(out, "</ul>\n");
        break;
    }
}

static void add_page(const bw_document *d, bw_buf *out) {
    static const char *const H2 =
        "style=\"font:bold 19px/1.3 Helvetica,Arial,sans-serif;color:#1b2530;margin:26px 0 6px\"";
    bw_buf_addf(out,
                "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\"></head><body "
                "style=\"margin:0 auto;max-width:960px;padding:16px\">\n",
                bw_locale_tag(d->shop->locale));
    add_text(out, "h1",
             "style=\"font:bold 23px/1.3 Helvetica,Arial,sans-serif;color:#1b2530;margin:0\"",
             d->title);
    add_text(out, "p", SMALL, d->subtitle);
    bw_buf_add(
        out,
        "<div style=\"background:#f2f7fb;border-left:5px solid #0072b2;padding:10px 16px\">\n");
    add_text(out, "p", SMALL, d->label);
    add_text(out, "h2", H2, d->headline);
    for (size_t i = 0; i < d->decision.n; i++)
        add_block(out, &d->decision.blocks[i]);
    bw_buf_add(out, "</div>\n");
    for (size_t i = 0; i < d->n; i++) {
        add_text(out, "h2", H2, d->sections[i].title);
        for (size_t k = 0; k < d->sections[i].n; k++)
            add_block(out, &d->sections[i].blocks[k]);
    }
    bw_buf_add(out, "</body></html>\n");
}

static size_t list_charts(const bw_document *d, bw_picture *pictures) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->sections[i].n; k++)
            if (d->sections[i].blocks[k].kind == BW_CHART && n < CHARTS_MOST)
                pictures[n++] = (bw_picture){.chart = d->sections[i].blocks[k].chart,
                                             .format = BW_PNG,
                                             .scale = DOTS_A_PIXEL};
    return n;
}

/* "Week's headline": what a receiver sees before opening. */
static const char *subject_of(const bw_document *d) {
    bw_buf b = {0};
    bw_buf_addf(&b, "%s %s%s", d->title, d->shop->week_name,
                bw_word(d->shop->locale, "punctuation.colon"));
    bw_unmark(d->headline, &b);
    const char *text = bw_arena_text(d->shop->arena, b.text);
    bw_buf_free(&b);
    return text;
}

static bw_status write_mail(const bw_document *d, const bw_picture *pictures, size_t n, bw_buf *out,
                            bw_err *err) {
    bw_mail_image images[CHARTS_MOST];
    bw_buf text = {0}, html = {0};
    for (size_t i = 0; i < n; i++)
        images[i] = (bw_mail_image){pictures[i].chart->name, "image/png", pictures[i].bytes,
                                    pictures[i].len};
    bw_markdown_write(d, &text);
    add_page(d, &html);
    char *from = bw_db_setting(d->shop->db, "mail.from", NULL),
         *to = bw_db_setting(d->shop->db, "mail.to", NULL);
    bw_mail mail = {.subject = subject_of(d),
                    .from = from,
                    .to = to,
                    .day = d->shop->last_day,
                    .text = text.text,
                    .html = html.text,
                    .images = images,
                    .n_images = n};
    bw_status st =
        bw_buf_ok(&text) && bw_buf_ok(&html) ? bw_mail_write(&mail, out, err) : bw_fail_memory(err);
    free(from);
    free(to);
    bw_buf_free(&text);
    bw_buf_free(&html);
    return st;
}

bw_status bw_letter_write(const bw_document *d, bw_buf *out, bw_err *err) {
    bw_picture pictures[CHARTS_MOST] = {0};
    size_t n = list_charts(d, pictures);
    bw_status st = n ? bw_pictures_render(pictures, n, err) : BW_OK;
    if (st == BW_OK)
        st = write_mail(d, pictures, n, out, err);
    for (size_t i = 0; i < n; i++)
        free(pictures[i].bytes);
    return st;
}
