/* reports/charts/theme.h - the one place of colours, sizes and text measures of all charts.
 *
 * Okabe-Ito colours without yellow (Okabe and Ito 2008, safe for colour-blind readers); each colour
 * that carries text has a darker twin with at least 4.5:1 contrast on the page (WCAG 2.1, 1.4.3).
 * Every colour has a value for the light and one for the dark page; a chart inlined in a page takes
 * it from a CSS variable of that name. */
#ifndef BW_REPORTS_THEME_H
#define BW_REPORTS_THEME_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    BW_PAGE,  /* background */
    BW_INK,   /* text */
    BW_MUTED, /* secondary text */
    BW_GRID,  /* grid lines */
    BW_AXIS,  /* zero lines, connectors, grey marks */
    BW_FAINT, /* normal ranges, empty cells */
    BW_BASE,  /* the baseline's area */
    BW_GOOD,  /* blue: gains */
    BW_BAD,   /* vermillion: losses */
    BW_GREEN,
    BW_AMBER,
    BW_PINK,
    BW_SKY,
    BW_SLATE,
    BW_GOOD_TEXT,
    BW_BAD_TEXT,
    BW_GREEN_TEXT,
    BW_AMBER_TEXT,
    BW_PINK_TEXT,
    BW_SKY_TEXT,
    BW_SLATE_TEXT,
    BW_GOOD_BAND, /* pale fills behind lines */
    BW_BAD_BAND,
    BW_FAN50,
    BW_FAN80,
    BW_FAN95,
    BW_HEAT0, /* eleven steps from few to many */
    BW_HEAT10 = BW_HEAT0 + 10,
    BW_COLOURS
} bw_colour;

typedef struct {
    const char *name;     /* of the CSS variable, without dashes */
    unsigned light, dark; /* 0xRRGGBB */
} bw_colour_row;

const bw_colour_row *bw_theme(bw_colour c);

/* The i-th series' fill and the colour of its label. */
bw_colour bw_series_colour(size_t i);
bw_colour bw_text_colour(bw_colour fill); /* the darker twin, or the colour itself */

#define BW_CHART_WIDE   960.0 /* page pixels */
#define BW_CHART_NARROW 400.0

#define BW_TITLE_SIZE 17.0
#define BW_SUB_SIZE   13.5
#define BW_LABEL_SIZE 14.0
#define BW_VALUE_SIZE 13.5
#define BW_TICK_SIZE  13.0
#define BW_SMALL_SIZE 12.0

/* Width in pixels of text set in Inter (ASCII measured, other Latin taken as average, East Asian one
 * em), good to about 2 %. */
double bw_font_width(const char *text, double size, bool bold);
/* Copies text to out, cut with an ellipsis where it would pass the width. */
void bw_font_fit(const char *text, double size, bool bold, double width, char *out, size_t cap);
/* Breaks text into lines of at most width, at spaces or between East Asian characters; at most max
 * lines, the last one cut. Each line is written to lines[i]; returns how many. */
size_t bw_font_wrap(const char *text, double size, bool bold, double width, char (*lines)[256],
                    size_t max);

#endif
