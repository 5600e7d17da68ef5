/* reports/charts/canvas.h - a drawing, independent of the terminal that will show it.
 *
 * The page has pixels with y pointing down. A panel maps a rectangle of the page to data
 * coordinates, so that curves are handed over as they are and the gnuplot script shows real numbers.
 * What is drawn after bw_canvas_panel belongs to that panel until the next bw_canvas_panel or
 * bw_canvas_page. Later layers cover earlier ones.
 *
 * Text is never part of the script: names come from the data and reach gnuplot as data only. */
#ifndef BW_REPORTS_CANVAS_H
#define BW_REPORTS_CANVAS_H

#include "common/buf.h"
#include "reports/charts/theme.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct bw_canvas bw_canvas;

typedef enum { BW_LEFT, BW_CENTER, BW_RIGHT } bw_align;

typedef struct {
    double size; /* pixels */
    bool bold;
    bw_colour colour;
    bw_align align;
} bw_style;

typedef enum { BW_SOLID, BW_DOTTED, BW_DASHED } bw_dash;
typedef enum { BW_DISC, BW_RING, BW_DIAMOND } bw_mark;

typedef struct {
    double left, top, right, bottom; /* page pixels */
    double x0, x1, y0, y1;           /* data at left, right, bottom, top */
} bw_panel;

bw_canvas *bw_canvas_new(double width); /* NULL on out of memory */
void bw_canvas_free(bw_canvas *c);
double bw_canvas_width(const bw_canvas *c);
void bw_canvas_set_height(bw_canvas *c, double height); /* before rendering */
double bw_canvas_height(const bw_canvas *c);

void bw_canvas_panel(bw_canvas *c, const bw_panel *p);
void bw_canvas_page(bw_canvas *c);
double bw_panel_x(const bw_panel *p, double x); /* data to page */
double bw_panel_y(const bw_panel *p, double y);

/* Points that are not finite break a line or a band in two. */
void bw_canvas_line(bw_canvas *c, const double *x, const double *y, size_t n, double width,
                    bw_dash dash, bw_colour colour);
void bw_canvas_segment(bw_canvas *c, double x0, double y0, double x1, double y1, double width,
                       bw_dash dash, bw_colour colour);
void bw_canvas_band(bw_canvas *c, const double *x, const double *lo, const double *hi, size_t n,
                    bw_colour colour);
void bw_canvas_rect(bw_canvas *c, double x0, double y0, double x1, double y1, bw_colour colour);
void bw_canvas_frame(bw_canvas *c, double x0, double y0, double x1, double y1, double width,
                     bw_colour colour);
/* size: diameter in pixels; the ring is filled with the page's colour. */
void bw_canvas_mark(bw_canvas *c, double x, double y, bw_mark mark, double size, bw_colour colour);
/* Page coordinates only: a shaft from (x0, y) to (x1, y) and a filled head that ends at x1. */
void bw_canvas_arrow(bw_canvas *c, double x0, double x1, double y, double width, bw_colour colour);
/* y is the middle of the line. Control characters become spaces. */
void bw_canvas_text(bw_canvas *c, double x, double y, bw_style style, const char *text);

/* The drawing as gnuplot commands, without terminal and output; uses the functions face(), bold()
 * and the variable PS that the terminal's header defines (gnuplot.c). */
void bw_canvas_script(const bw_canvas *c, bw_buf *out);
bool bw_canvas_ok(const bw_canvas *c);

#endif
