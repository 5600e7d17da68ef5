/* reports/doc/document.h - the report as a tree, before any format: sections of paragraphs, tables,
 * charts, quotes and notes. All text carries the marks of words/grammar.h; HTML links them, Markdown
 * drops them. Everything lives in the shop's arena but the charts' canvases. */
#ifndef BW_REPORTS_DOCUMENT_H
#define BW_REPORTS_DOCUMENT_H

#include "reports/advice/advice.h"
#include "reports/charts/chart.h"
#include "reports/shop.h"

typedef enum { BW_PARAGRAPH, BW_TABLE, BW_CHART, BW_QUOTE, BW_NOTES } bw_block_kind;

typedef struct {
    bw_block_kind kind;
    const char *text;          /* paragraph, quote (its own language in lang) */
    const char *source, *lang; /* of a quote */
    const char *const *cells;  /* table: heads first, then rows; notes: one cell a note */
    size_t columns, rows;      /* rows without the head */
    bw_chart *chart;           /* wide layout */
    bw_chart *narrow;          /* the phone's */
} bw_block;

typedef struct {
    const char *id; /* "change": anchor and name of the section */
    const char *title;
    bw_block *blocks;
    size_t n;
} bw_section;

typedef struct {
    bw_shop *shop;
    const char *title, *subtitle;
    const char *label, *headline; /* "Decide this week", and the decision */
    bw_section decision;          /* what stands in the decision's box under the headline */
    bw_section *sections;
    size_t n;
    bw_advice *advice; /* this week's */
    size_t n_advice;
    const char *said[512]; /* ids of facts the prose has told: nothing is told twice */
    size_t n_said;
} bw_document;

/* Plans and writes the whole report: decision, change, record, channels, timing, customers, outlook,
 * notes, method. Sections without data say what is missing. Free with bw_document_free. */
bw_status bw_document_build(bw_shop *s, bw_document **out, bw_err *err);
void bw_document_free(bw_document *d); /* the canvases; NULL is fine */

/* ---- for the builders of sections ---- */

bw_section *bw_section_add(bw_document *d, const char *id);
bw_block *bw_block_add(bw_document *d, bw_section *sec, bw_block_kind kind);

/* Says a message, unless it is below the report's length or each of its facts was told before. */
void bw_say(bw_document *d, bw_buf *paragraph, const bw_message *m);
/* Ends a paragraph: adds it to the section when anything was said; the buffer is freed. */
void bw_say_done(bw_document *d, bw_section *sec, bw_buf *paragraph);
/* A message as marked text, always said; arena. */
const char *bw_marked(const bw_document *d, const bw_message *m, bool phrase);
/* A fact's number as marked text; part as in words/grammar.h: "", "signed", "range", "chance", ... */
const char *bw_marked_fact(const bw_document *d, const bw_fact *f, const char *part);
/* The chart in both layouts; when the data have nothing to show a paragraph says why. */
bw_status bw_chart_block(bw_document *d, bw_section *sec, const char *name, bw_err *err);

#define BW_NOTABLE_CHANGE 0.15 /* from here a move is told with its reason, or that there is none */

/* The single figures that moved, section_movers.c. */
bw_status bw_movers_say(bw_document *d, bw_buf *paragraph, bw_err *err);
/* -1, 0, 1: the week below, inside, above its normal range; 0 when that is not known. */
int bw_week_side(const bw_fact *week, const bw_fact *normal);
/* An event of the week, promotions and holidays included, as the report calls it; NULL without one. */
bw_status bw_week_event(bw_document *d, const char **name, bw_err *err);

/* A quote fit to print: redacted, one line, cut at a word; arena. */
const char *bw_quote_tidy(const bw_document *d, const char *text);
/* Parts of the customers' section, section_topics.c; last: the last day they speak of. */
bw_status bw_topics_emerging(bw_document *d, bw_section *sec, const char *last, bw_err *err);
bw_status bw_topics_list(bw_document *d, bw_section *sec, const char *last, bw_err *err);

bw_status bw_section_decision(bw_document *d, bw_err *err);
bw_status bw_section_change(bw_document *d, bw_err *err);
bw_status bw_section_record(bw_document *d, bw_err *err);
bw_status bw_section_channels(bw_document *d, bw_err *err);
bw_status bw_section_timing(bw_document *d, bw_err *err);
bw_status bw_section_voice(bw_document *d, bw_err *err);
bw_status bw_section_outlook(bw_document *d, bw_err *err);
bw_status bw_section_notes(bw_document *d, bw_err *err);
bw_status bw_section_method(bw_document *d, bw_err *err);

#endif
