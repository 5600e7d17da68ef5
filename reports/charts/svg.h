/* reports/charts/svg.h - gnuplot's SVG made fit for a page.
 *
 * gnuplot writes a picture for one file: an unused symbol library, ids that clash when two pictures
 * share a page, expressions as tooltips, and fonts and colours that a style sheet cannot reach. The
 * result here has no ids but its own two, is named and described for screen readers, and, inlined,
 * takes fonts and colours from the page. */
#ifndef BW_REPORTS_SVG_H
#define BW_REPORTS_SVG_H

#include "common/buf.h"

#include <stdbool.h>

typedef struct {
    const char *id;           /* prefix of the ids: "roas" */
    const char *title, *desc; /* for screen readers */
    const char *lang;         /* "en", "zh-CN" */
    const char *font;         /* CSS font stack of a stand-alone picture */
    const char *css_class;    /* of an inlined picture, may be NULL */
    double width, height;
    bool inlined; /* colours as var(--c-...) and no background */
} bw_svg_options;

/* Appends the picture to out. raw is what the svg terminal wrote. */
void bw_svg_finish(const char *raw, const bw_svg_options *o, bw_buf *out);

#endif
