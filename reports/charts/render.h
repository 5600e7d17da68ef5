/* reports/charts/render.h - charts become files or inlined pictures. */
#ifndef BW_REPORTS_RENDER_H
#define BW_REPORTS_RENDER_H

#include "reports/charts/chart.h"
#include "reports/charts/gnuplot.h"

/* Writes one chart to path ("-" = standard output). An SVG stands alone: white page, own colours. */
bw_status bw_chart_write(const bw_chart *ch, bw_picture_format format, const char *path,
                         bw_err *err);

/* One picture of a set. */
typedef struct {
    const bw_chart *chart;
    bw_picture_format format;
    double scale;          /* of a PNG: dots a pixel, 0 = 2 */
    const char *id;        /* prefix of ids of an inlined SVG */
    const char *css_class; /* of an inlined SVG */
    char *bytes;           /* result, the caller frees; SVG: NUL-terminated, to be inlined */
    size_t len;
} bw_picture;

/* Renders all pictures with one gnuplot process. On failure no picture has bytes. */
bw_status bw_pictures_render(bw_picture *pictures, size_t n, bw_err *err);

/* What a screen reader says: the subtitle and where the numbers are; arena. */
const char *bw_chart_description(const bw_chart *ch);

#endif
