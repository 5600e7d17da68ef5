/* reports/charts/canvas.c - layers of a drawing and the gnuplot script they become.
 *
 * Each panel is one plot command of a multiplot; each layer is a datablock and the clause that draws
 * it. A layer whose clause equals the one before it in the same panel joins it, so a hundred labels
 * of one style are one layer. */
#include "reports/charts/canvas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char clause[160];
    bw_buf rows;
} layer;

typedef struct {
    bw_panel map;
    bool page;
    layer *layers;
    size_t n, cap;
} group;

struct bw_canvas {
    double width, height;
    group *groups;
    size_t n, cap;
    bool failed;
};

bw_canvas *bw_canvas_new(double width) {
    bw_canvas *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->width = width;
    c->height = width / 2;
    bw_canvas_page(c);
    return c;
}

static void free_group(group *g) {
    for (size_t i = 0; i < g->n; i++)
        bw_buf_free(&g->layers[i].rows);
    free(g->layers);
}

void bw_canvas_free(bw_canvas *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        free_group(&c->groups[i]);
    free(c->groups);
    free(c);
}

double bw_canvas_width(const bw_canvas *c) {
    return c->width;
}

void bw_canvas_set_height(bw_canvas *c, double height) {
    c->height = ceil(height);
}

double bw_canvas_height(const bw_canvas *c) {
    return c->height;
}

bool bw_canvas_ok(const bw_canvas *c) {
    if (c->failed)
        return false;
    for (size_t i = 0; i < c->n; i++)
        for (size_t j = 0; j < c->groups[i].n; j++)
            if (!bw_buf_ok(&c->groups[i].layers[j].rows))
                return false;
    return true;
}

/* Room for one more item of an array; false and failed when memory ran out. */
static bool make_room(bw_canvas *c, void **items, size_t n, size_t *cap, size_t size) {
    if (n < *cap)
        return true;
    size_t more = *cap ? 2 * *cap : 8;
    void *grown = realloc(*items, more * size);
    if (!grown) {
        c->failed = true;
        return false;
    }
    *items = grown;
    *cap = more;
    return true;
}

static void add_group(bw_canvas *c, const bw_panel *map) {
    if (!make_room(c, (void **)&c->groups, c->n, &c->cap, sizeof *c->groups))
        return;
    group *g = &c->groups[c->n++];
    *g = (group){.page = map == NULL};
    if (map)
        g->map = *map;
}

void bw_canvas_panel(bw_canvas *c, const bw_panel *p) {
    add_group(c, p);
}

void bw_canvas_page(bw_canvas *c) {
    if (c->n == 0 || !c->groups[c->n - 1].page)
        add_group(c, NULL);
}

double bw_panel_x(const bw_panel *p, double x) {
    return p->left + (x - p->x0) / (p->x1 - p->x0) * (p->right - p->left);
}

double bw_panel_y(const bw_panel *p, double y) {
    return p->bottom - (y - p->y0) / (p->y1 - p->y0) * (p->bottom - p->top);
}

/* The rows of the layer with that clause: the last one, or a new one on top. */
static bw_buf *rows_of(bw_canvas *c, const char *clause) {
    static bw_buf lost = {.failed = true};
    if (c->n == 0)
        return &lost;
    group *g = &c->groups[c->n - 1];
    if (g->n && strcmp(g->layers[g->n - 1].clause, clause) == 0)
        return &g->layers[g->n - 1].rows;
    if (!make_room(c, (void **)&g->layers, g->n, &g->cap, sizeof *g->layers))
        return &lost;
    layer *l = &g->layers[g->n++];
    *l = (layer){{0}, {0}};
    snprintf(l->clause, sizeof l->clause, "%s", clause);
    return &l->rows;
}

static unsigned rgb(bw_colour colour) {
    return bw_theme(colour)->light;
}

static const char *dash_type(bw_dash dash) {
    return dash == BW_DOTTED ? "(1.5,2.5)" : dash == BW_DASHED ? "(5,4)" : "solid";
}

void bw_canvas_line(bw_canvas *c, const double *x, const double *y, size_t n, double width,
                    bw_dash dash, bw_colour colour) {
    char clause[160];
    snprintf(clause, sizeof clause, "using 1:2 with lines lw %g*LW dt %s lc rgb '#%06x'", width,
             dash_type(dash), rgb(colour));
    bw_buf *rows = rows_of(c, clause);
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i]) && isfinite(y[i]))
            bw_buf_addf(rows, "%.10g\t%.10g\n", x[i], y[i]);
        else
            bw_buf_add(rows, "\n");
    }
    bw_buf_add(rows, "\n");
}

void bw_canvas_segment(bw_canvas *c, double x0, double y0, double x1, double y1, double width,
                       bw_dash dash, bw_colour colour) {
    double x[2] = {x0, x1}, y[2] = {y0, y1};
    bw_canvas_line(c, x, y, 2, width, dash, colour);
}

void bw_canvas_band(bw_canvas *c, const double *x, const double *lo, const double *hi, size_t n,
                    bw_colour colour) {
    char clause[160];
    snprintf(clause, sizeof clause,
             "using 1:2:3 with filledcurves fs solid 1 noborder fc rgb '#%06x'", rgb(colour));
    bw_buf *rows = rows_of(c, clause);
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i]) && isfinite(lo[i]) && isfinite(hi[i]))
            bw_buf_addf(rows, "%.10g\t%.10g\t%.10g\n", x[i], lo[i], hi[i]);
        else
            bw_buf_add(rows, "\n");
    }
    bw_buf_add(rows, "\n");
}

void bw_canvas_rect(bw_canvas *c, double x0, double y0, double x1, double y1, bw_colour colour) {
    char clause[160];
    snprintf(clause, sizeof clause,
             "using 1:2:1:3:2:4 with boxxyerror fs solid 1 noborder fc rgb '#%06x'", rgb(colour));
    bw_buf_addf(rows_of(c, clause), "%.10g\t%.10g\t%.10g\t%.10g\n", x0, y0, x1, y1);
}

void bw_canvas_frame(bw_canvas *c, double x0, double y0, double x1, double y1, double width,
                     bw_colour colour) {
    double x[] = {x0, x1, x1, x0, x0}, y[] = {y0, y0, y1, y1, y0};
    bw_canvas_line(c, x, y, 5, width, BW_SOLID, colour);
}

static void disc(bw_canvas *c, double x, double y, int type, double size, bw_colour colour) {
    char clause[160];
    snprintf(clause, sizeof clause, "using 1:2 with points pt %d ps %g*PS lc rgb '#%06x'", type,
             size, rgb(colour));
    bw_buf_addf(rows_of(c, clause), "%.10g\t%.10g\n", x, y);
}

void bw_canvas_mark(bw_canvas *c, double x, double y, bw_mark mark, double size, bw_colour colour) {
    if (!isfinite(x) || !isfinite(y))
        return;
    disc(c, x, y, mark == BW_DIAMOND ? 13 : 7, size, colour);
    if (mark == BW_RING)
        disc(c, x, y, 7, size - 3.2, BW_PAGE);
}

void bw_canvas_arrow(bw_canvas *c, double x0, double x1, double y, double width, bw_colour colour) {
    double way = x1 > x0 ? 1 : -1, length = fabs(x1 - x0);
    double head = fmin(width * 3, length), half = fmin(width * 1.6, head * 0.6 + 0.5);
    bw_canvas_rect(c, x0, y - width / 2, x1 - way * head * 0.9, y + width / 2, colour);
    double x[] = {x1 - way * head, x1}, lo[] = {y - half, y}, hi[] = {y + half, y};
    bw_canvas_band(c, x, lo, hi, 2, colour);
}

/* A data field: tabs and line ends would end it, a quote at its start would be taken away, and a
 * backslash starts an escape. */
static void add_field(bw_buf *rows, const char *text) {
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            bw_buf_add(rows, "\\\\");
        else if (*p == '"')
            bw_buf_add(rows, "”");
        else
            bw_buf_add_n(rows, (unsigned char)*p < 32 || *p == 127 ? " " : p, 1);
    }
}

void bw_canvas_text(bw_canvas *c, double x, double y, bw_style style, const char *text) {
    static const char *const ALIGN[] = {"left", "center", "right"};
    char clause[160];
    if (!*text)
        return;
    snprintf(clause, sizeof clause, "using 1:2:3 with labels %s font %s(%g) tc rgb '#%06x'",
             ALIGN[style.align], style.bold ? "bold" : "face", style.size, rgb(style.colour));
    bw_buf *rows = rows_of(c, clause);
    bw_buf_addf(rows, "%.10g\t%.10g\t", x, y);
    add_field(rows, text);
    bw_buf_add(rows, "\n");
}

static void write_data(const bw_canvas *c, bw_buf *out) {
    size_t id = 0;
    for (size_t i = 0; i < c->n; i++)
        for (size_t j = 0; j < c->groups[i].n; j++) {
            bw_buf_addf(out, "$d%zu << EOD\n", ++id);
            bw_buf_add_n(out, c->groups[i].layers[j].rows.text, c->groups[i].layers[j].rows.len);
            bw_buf_add(out, "EOD\n");
        }
}

static void write_frame(const bw_canvas *c, const group *g, bw_buf *out) {
    if (g->page) {
        bw_buf_addf(out,
                    "set lmargin at screen 0; set rmargin at screen 1\n"
                    "set bmargin at screen 0; set tmargin at screen 1\n"
                    "set xrange [0:%g]; set yrange [%g:0]\n",
                    c->width, c->height);
        return;
    }
    bw_buf_addf(out,
                "set lmargin at screen %.8g; set rmargin at screen %.8g\n"
                "set bmargin at screen %.8g; set tmargin at screen %.8g\n"
                "set xrange [%.10g:%.10g]; set yrange [%.10g:%.10g]\n",
                g->map.left / c->width, g->map.right / c->width, 1 - g->map.bottom / c->height,
                1 - g->map.top / c->height, g->map.x0, g->map.x1, g->map.y0, g->map.y1);
}

void bw_canvas_script(const bw_canvas *c, bw_buf *out) {
    write_data(c, out);
    bw_buf_add(out, "set multiplot\n");
    size_t id = 0;
    for (size_t i = 0; i < c->n; i++) {
        const group *g = &c->groups[i];
        if (g->n == 0)
            continue;
        write_frame(c, g, out);
        for (size_t j = 0; j < g->n; j++)
            bw_buf_addf(out, "%s $d%zu %s", j ? ", \\\n    " : "plot", ++id, g->layers[j].clause);
        bw_buf_add(out, "\n");
    }
    bw_buf_add(out, "unset multiplot\n");
}
