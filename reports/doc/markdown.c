/* reports/doc/markdown.c - walking the document's tree once more, for people who read text. */
#include "reports/doc/markdown.h"

#include "reports/charts/render.h"

#include <stdlib.h>
#include <string.h>

/* Marks go; what Markdown would take for its own is escaped. */
static void add_plain(bw_buf *out, const char *marked, bool cell) {
    bw_buf text = {0};
    bw_unmark(marked, &text);
    for (const char *p = text.text ? text.text : ""; *p; p++) {
        if (strchr("\\`*_[]<>#", *p) || (cell && *p == '|'))
            bw_buf_add(out, "\\");
        bw_buf_add_n(out, *p == '\n' ? " " : p, 1);
    }
    bw_buf_free(&text);
}

static void add_table(bw_buf *out, const bw_block *b) {
    for (size_t r = 0; r <= b->rows; r++) {
        bw_buf_add(out, "|");
        for (size_t i = 0; i < b->columns; i++) {
            bw_buf_add(out, " ");
            add_plain(out, b->cells[r * b->columns + i], true);
            bw_buf_add(out, " |");
        }
        bw_buf_add(out, "\n");
        for (size_t i = 0; r == 0 && i < b->columns; i++)
            bw_buf_add(out, i ? " --- |" : "| --- |");
        if (r == 0)
            bw_buf_add(out, "\n");
    }
    bw_buf_add(out, "\n");
}

static void add_block(bw_buf *out, const bw_block *b) {
    switch (b->kind) {
    case BW_PARAGRAPH:
        add_plain(out, b->text, false);
        bw_buf_add(out, "\n\n");
        break;
    case BW_TABLE:
        add_table(out, b);
        break;
    case BW_CHART:
        bw_buf_add(out, "![");
        add_plain(out, b->chart->title, false);
        bw_buf_addf(out, "](charts/%s.png)\n\n", b->chart->name);
        break;
    case BW_QUOTE:
        bw_buf_add(out, "> “");
        add_plain(out, b->text, false);
        bw_buf_add(out, "”\n> ");
        add_plain(out, b->source, false);
        bw_buf_add(out, "\n\n");
        break;
    case BW_NOTES:
        for (size_t i = 0; i < b->rows; i++) {
            bw_buf_add(out, "- ");
            add_plain(out, b->cells[i], false);
            bw_buf_add(out, "\n");
        }
        bw_buf_add(out, "\n");
        break;
    }
}

void bw_markdown_write(const bw_document *d, bw_buf *out) {
    bw_buf_add(out, "# ");
    add_plain(out, d->title, false);
    bw_buf_add(out, "\n\n");
    add_plain(out, d->subtitle, false);
    bw_buf_add(out, "\n\n**");
    add_plain(out, d->label, false);
    bw_buf_add(out, "**\n\n## ");
    add_plain(out, d->headline, false);
    bw_buf_add(out, "\n\n");
    for (size_t i = 0; i < d->decision.n; i++)
        add_block(out, &d->decision.blocks[i]);
    for (size_t i = 0; i < d->n; i++) {
        bw_buf_add(out, "## ");
        add_plain(out, d->sections[i].title, false);
        bw_buf_add(out, "\n\n");
        for (size_t k = 0; k < d->sections[i].n; k++)
            add_block(out, &d->sections[i].blocks[k]);
    }
    while (out->len > 1 && out->text[out->len - 1] == '\n' && out->text[out->len - 2] == '\n')
        out->text[--out->len] = '\0';
}

bw_status bw_markdown_charts(const bw_document *d, const char *folder, bw_err *err) {
    bw_picture pictures[16] = {0};
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->sections[i].n; k++)
            if (d->sections[i].blocks[k].kind == BW_CHART && n < 16)
                pictures[n++] =
                    (bw_picture){.chart = d->sections[i].blocks[k].chart, .format = BW_PNG};
    bw_status st = n ? bw_pictures_render(pictures, n, err) : BW_OK;
    for (size_t i = 0; i < n && st == BW_OK; i++)
        st = bw_file_write(
            bw_arena_textf(d->shop->arena, "%s/charts/%s.png", folder, pictures[i].chart->name),
            pictures[i].bytes, pictures[i].len, err);
    for (size_t i = 0; i < n; i++)
        free(pictures[i].bytes);
    return st;
}
