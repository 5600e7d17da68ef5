/* reports/charts/chart.h - the charts of the report: each answers one question, its title states the
 * answer, and the table behind it holds the numbers that were drawn. */
#ifndef BW_REPORTS_CHART_H
#define BW_REPORTS_CHART_H

#include "common/buf.h"
#include "common/status.h"
#include "reports/charts/canvas.h"
#include "reports/shop.h"

typedef struct {
    const char *text; /* a label, or NULL for a number */
    double value;     /* NAN = empty */
    bw_unit unit;
} bw_cell;

typedef struct {
    const char *const *heads;
    size_t columns, rows;
    bw_cell *cells; /* [rows, columns] */
} bw_table;

typedef struct {
    const char *name;     /* "roas" */
    const char *title;    /* the conclusion, without marks */
    const char *subtitle; /* what is drawn */
    bw_canvas *canvas;
    bw_table table;
    bool narrow; /* the phone's layout */
    const bw_shop *shop;
    double left, right, y; /* margins, and where the body begins: for the builders */
} bw_chart;

typedef struct {
    const char *name;
    const char *question; /* one line for `plot --list` */
    /* Reads and draws. BW_EDATA: the data have nothing to show, err says what is missing. */
    bw_status (*build)(bw_chart *ch, bw_err *err);
} bw_chart_kind;

extern const bw_chart_kind BW_CHARTS[];               /* ends with {0} */
const bw_chart_kind *bw_chart_find(const char *name); /* NULL for an unknown name */

/* Builds a chart at the given page width. Everything but the canvas lives in the shop's arena; free
 * the canvas with bw_chart_free. */
bw_status bw_chart_build(const bw_shop *s, const bw_chart_kind *kind, double width, bw_chart *out,
                         bw_err *err);
void bw_chart_free(bw_chart *ch);

/* The table as text with tabs, numbers in full. */
void bw_chart_tsv(const bw_chart *ch, bw_buf *out);
const char *bw_chart_font(const bw_shop *s);       /* one family for gnuplot */
const char *bw_chart_font_stack(const bw_shop *s); /* CSS */

/* ---- for the builders ---- */

/* Draws title and subtitle; sets ch->y to where the body may begin. */
void bw_chart_head(bw_chart *ch, const bw_message *title, const bw_message *subtitle);
void bw_chart_columns(bw_chart *ch, size_t columns, ...); /* the table's heads, const char * each */
void bw_chart_row(bw_chart *ch, ...);                     /* one bw_cell for each column */
bw_cell bw_text_cell(const char *text);
bw_cell bw_number_cell(double value, bw_unit unit);

void bw_chart_text(bw_chart *ch, double x, double y, bw_align align, double size, bool bold,
                   bw_colour colour, const char *text);
/* The width that bw_chart_text_in needs to show all of a text, in the shop's font. */
double bw_chart_text_width(const bw_chart *ch, const char *text, double size, bool bold);
/* The same as bw_chart_text, cut to a width. */
void bw_chart_text_in(bw_chart *ch, double x, double y, double width, bw_align align, double size,
                      bool bold, bw_colour colour, const char *text);

/* "break-even €2.2", where the outcome is money. */
const char *bw_chart_break_even(const bw_chart *ch);

/* Round tick values within lo..hi, about want of them; writes at most 16. */
size_t bw_ticks(double lo, double hi, size_t want, double *out);
/* Widens lo..hi to whole ticks. */
void bw_nice_range(double *lo, double *hi, size_t want);
/* Horizontal grid lines and their labels left of the panel; to be drawn before the panel's layers.
 * BW_UNLABELLED: lines only. */
#define BW_UNLABELLED ((bw_unit)-1)
void bw_axis_y(bw_chart *ch, const bw_panel *p, bw_unit unit, size_t want);
/* Where a panel from y0 to y1 may begin so that bw_axis_y's labels stand on the page: `least`, or
 * further right. */
double bw_axis_left(const bw_chart *ch, double least, double y0, double y1, bw_unit unit,
                    size_t want);
/* Vertical grid lines with labels under the panel. */
void bw_axis_x(bw_chart *ch, const bw_panel *p, bw_unit unit, size_t want);
/* Days under the panel (x in day numbers): months, or single days over short spans. */
void bw_axis_days(bw_chart *ch, const bw_panel *p);

/* The builders, one file each family. */
bw_status bw_chart_kpi(bw_chart *ch, bw_err *err);
bw_status bw_chart_waterfall(bw_chart *ch, bw_err *err);
bw_status bw_chart_roas(bw_chart *ch, bw_err *err);
bw_status bw_chart_budget(bw_chart *ch, bw_err *err);
bw_status bw_chart_curves(bw_chart *ch, bw_err *err);
bw_status bw_chart_sources(bw_chart *ch, bw_err *err);
bw_status bw_chart_timing(bw_chart *ch, bw_err *err);
bw_status bw_chart_sentiment(bw_chart *ch, bw_err *err);
bw_status bw_chart_aspects(bw_chart *ch, bw_err *err);
bw_status bw_chart_forecast(bw_chart *ch, bw_err *err);
bw_status bw_chart_promotion(bw_chart *ch, bw_err *err);
bw_status bw_chart_price(bw_chart *ch, bw_err *err);
bw_status bw_chart_segment(bw_chart *ch, bw_err *err);
bw_status bw_chart_experiment(bw_chart *ch, bw_err *err);

#endif
