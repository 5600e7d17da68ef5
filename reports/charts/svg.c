/* reports/charts/svg.c - one pass over gnuplot's tags, each copied, rewritten or dropped. */
#include "reports/charts/svg.h"

#include "reports/charts/theme.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void add_colour(bw_buf *out, unsigned rgb, bool inlined) {
    for (int c = 0; inlined && c < BW_COLOURS; c++)
        if (bw_theme((bw_colour)c)->light == rgb) {
            bw_buf_addf(out, "var(--%s)", bw_theme((bw_colour)c)->name);
            return;
        }
    bw_buf_addf(out, "#%06x", rgb);
}

/* Copies n bytes; "rgb( 27,  37,  48)" becomes a colour of the theme. */
static void copy_colours(bw_buf *out, const char *p, size_t n, bool inlined) {
    const char *end = p + n;
    while (p < end) {
        unsigned r, g, b;
        int used = 0;
        if (starts(p, "rgb(") && sscanf(p, "rgb(%u,%u,%u)%n", &r, &g, &b, &used) == 3 && used > 0) {
            add_colour(out, r << 16 | g << 8 | b, inlined);
            p += used;
        } else {
            bw_buf_add_n(out, p++, 1);
        }
    }
}

/* A mark: "<use xlink:href='#gpPt6' transform='translate(300.00,100.00) scale(4.88)' color='rgb(..)'/>" */
static void add_mark(bw_buf *out, const char *tag, size_t n, bool inlined) {
    int type = 0;
    double x = 0, y = 0, r = 0;
    const char *at = strstr(tag, "#gpPt"), *place = strstr(tag, "translate("),
               *colour = strstr(tag, "rgb(");
    if (!at || !place || !colour || colour > tag + n || sscanf(at, "#gpPt%d", &type) != 1 ||
        sscanf(place, "translate(%lf,%lf) scale(%lf)", &x, &y, &r) != 3)
        return;
    if (type == 12)
        bw_buf_addf(out,
                    "<path d=\"M%.2f,%.2fl%.2f,%.2f %.2f,%.2f %.2f,%.2fz\" stroke=\"none\" fill=\"",
                    x, y - r * 1.2, r * 1.2, r * 1.2, -r * 1.2, r * 1.2, -r * 1.2, -r * 1.2);
    else
        bw_buf_addf(out, "<circle cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\" stroke=\"none\" fill=\"", x, y,
                    r);
    copy_colours(out, colour, strcspn(colour, "'\""), inlined);
    bw_buf_add(out, "\"/>\n");
}

/* A label's group: the family becomes a weight, the stack is set once at the root. */
static void add_label_group(bw_buf *out, const char *tag, size_t n, bool inlined) {
    const char *family = strstr(tag, "font-family=\"");
    const char *rest = family ? strchr(family + 13, '"') : NULL;
    if (!rest || rest > tag + n)
        return;
    copy_colours(out, tag, (size_t)(family - tag), inlined);
    if (strstr(family, ":Bold") && strstr(family, ":Bold") < rest)
        bw_buf_add(out, "font-weight=\"600\"");
    copy_colours(out, rest + 1, (size_t)(tag + n - rest - 1), inlined);
}

/* One tag of n bytes; returns where the caller goes on. */
static const char *copy_tag(bw_buf *out, const char *tag, size_t n, bool inlined) {
    static const char *const DROPPED[][2] = {
        {"<title", "</title>"}, {"<desc", "</desc>"}, {"<defs", "</defs>"}};
    for (size_t i = 0; i < 3; i++)
        if (starts(tag, DROPPED[i][0])) {
            const char *end = strstr(tag, DROPPED[i][1]);
            return end ? end + strlen(DROPPED[i][1]) : tag + n;
        }
    const char *family = strstr(tag, "font-family=");
    if (starts(tag, "<use"))
        add_mark(out, tag, n, inlined);
    else if (starts(tag, "<g id="))
        bw_buf_add(out, "<g>");
    else if (family && family < tag + n)
        add_label_group(out, tag, n, inlined);
    else if (!(inlined && starts(tag, "<rect x=\"0\" y=\"0\"")))
        copy_colours(out, tag, n, inlined);
    return tag + n;
}

static void copy_body(bw_buf *out, const char *p, bool inlined) {
    while (*p && !starts(p, "</svg")) {
        if (*p == '<') {
            const char *end = strchr(p, '>');
            p = end ? copy_tag(out, p, (size_t)(end - p + 1), inlined) : p + strlen(p);
        } else if (*p == '\n' ||
                   *p == '\t') { /* labels hold neither: the canvas made them spaces */
            if (*p == '\n' && out->len && out->text[out->len - 1] != '\n')
                bw_buf_add(out, "\n");
            p++;
        } else {
            bw_buf_add_n(out, p++, 1);
        }
    }
}

void bw_svg_finish(const char *raw, const bw_svg_options *o, bw_buf *out) {
    const char *body = strstr(raw, "<g id=\"gnuplot_canvas\"");
    bw_buf_addf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\" "
                "aria-labelledby=\"%s-t %s-d\" lang=\"%s\"",
                o->width, o->height, o->id, o->id, o->lang);
    if (o->inlined && o->css_class)
        bw_buf_addf(out, " class=\"%s\"", o->css_class);
    if (!o->inlined) {
        bw_buf_addf(out, " width=\"%g\" height=\"%g\" font-family=\"", o->width, o->height);
        bw_buf_add_html(out, o->font);
        bw_buf_add(out, "\"");
    }
    bw_buf_addf(out, ">\n<title id=\"%s-t\">", o->id);
    bw_buf_add_html(out, o->title);
    bw_buf_addf(out, "</title><desc id=\"%s-d\">", o->id);
    bw_buf_add_html(out, o->desc);
    bw_buf_add(out, "</desc>\n");
    copy_body(out, body ? body : "", o->inlined);
    bw_buf_add(out, "</svg>\n");
}
