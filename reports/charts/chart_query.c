/* reports/charts/chart_query.c - the result of an ad-hoc query as a line, bar or scatter chart: the
 * first column is the axis, the numbers beside it are drawn. */
#include "reports/charts/query_plot.h"

#include "reports/charts/render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARS_MOST  40
#define LINES_MOST 7

typedef struct {
    bw_chart *ch;
    const bw_query_result *r;
    double *x; /* [rows] */
    bool days; /* x are days */
} query_plot;

static const bw_query_cell *cell(const query_plot *q, size_t row, size_t column) {
    return &q->r->cells[row * q->r->n_columns + column];
}

static double number(const query_plot *q, size_t row, size_t column) {
    const bw_query_cell *c = cell(q, row, column);
    return c->type == BW_CELL_INTEGER || c->type == BW_CELL_REAL ? c->number : NAN;
}

/* The first column as positions: days, numbers, or one after the other. */
static void read_axis(query_plot *q) {
    bool numbers = true;
    q->days = true;
    q->x = bw_arena_get(q->ch->shop->arena, q->r->n_rows * sizeof *q->x);
    for (size_t i = 0; i < q->r->n_rows; i++) {
        const char *text = cell(q, i, 0)->text;
        q->days = q->days && text && strlen(text) == 10 && bw_iso_day(text) != 0;
        numbers = numbers && isfinite(number(q, i, 0));
    }
    for (size_t i = 0; i < q->r->n_rows; i++)
        q->x[i] = q->days ? bw_iso_day(cell(q, i, 0)->text) : numbers ? number(q, i, 0) : (double)i;
}

static void range_of(const query_plot *q, size_t from, double *lo, double *hi) {
    *lo = INFINITY;
    *hi = -INFINITY;
    for (size_t i = 0; i < q->r->n_rows; i++)
        for (size_t k = from; k < q->r->n_columns && k <= LINES_MOST; k++)
            if (isfinite(number(q, i, k))) {
                *lo = fmin(*lo, number(q, i, k));
                *hi = fmax(*hi, number(q, i, k));
            }
    if (*lo > 0 && *lo < 0.4 * *hi)
        *lo = 0;
}

static bw_panel axes(query_plot *q, size_t columns) {
    bw_chart *ch = q->ch;
    double x0 = INFINITY, x1 = -INFINITY, y0, y1;
    for (size_t i = 0; i < q->r->n_rows; i++) {
        x0 = fmin(x0, q->x[i]);
        x1 = fmax(x1, q->x[i]);
    }
    range_of(q, 1, &y0, &y1);
    bw_nice_range(&y0, &y1, 5);
    if (!(x1 > x0))
        x1 = x0 + 1;
    bw_panel p = {74, ch->y + 12, ch->right - (columns > 2 ? 150 : 10), ch->y + 350, x0, x1,
                  y0, y1};
    bw_axis_y(ch, &p, BW_NUMBER, 5);
    if (q->days)
        bw_axis_days(ch, &p);
    else
        bw_axis_x(ch, &p, BW_NUMBER, 7);
    bw_canvas_set_height(ch->canvas, p.bottom + 40);
    return p;
}

static void draw_lines(query_plot *q) {
    bw_chart *ch = q->ch;
    bw_panel p = axes(q, q->r->n_columns);
    double *y = bw_arena_get(ch->shop->arena, q->r->n_rows * sizeof *y), below = -INFINITY;
    for (size_t k = 1; k < q->r->n_columns && k <= LINES_MOST; k++) {
        bw_colour colour = bw_series_colour(k - 1);
        double end = NAN;
        for (size_t i = 0; i < q->r->n_rows; i++) {
            y[i] = number(q, i, k);
            end = isfinite(y[i]) ? y[i] : end;
        }
        bw_canvas_panel(ch->canvas, &p);
        bw_canvas_line(ch->canvas, q->x, y, q->r->n_rows, 2.4, BW_SOLID, colour);
        bw_canvas_page(ch->canvas);
        if (q->r->n_columns <= 2 || !isfinite(end))
            continue;
        below =
            fmax(bw_panel_y(&p, end), below + 18); /* labels keep apart, in the columns' order */
        bw_chart_text_in(ch, p.right + 8, below, 140, BW_LEFT, BW_VALUE_SIZE, true,
                         bw_text_colour(colour), q->r->names[k]);
    }
}

static void draw_points(query_plot *q) {
    bw_panel p = axes(q, 2);
    bw_canvas_panel(q->ch->canvas, &p);
    for (size_t i = 0; i < q->r->n_rows; i++)
        bw_canvas_mark(q->ch->canvas, q->x[i], number(q, i, 1), BW_DISC, 6, BW_GOOD);
    bw_canvas_page(q->ch->canvas);
}

static void draw_bars(query_plot *q) {
    bw_chart *ch = q->ch;
    size_t n = q->r->n_rows < BARS_MOST ? q->r->n_rows : BARS_MOST;
    double lo = 0, hi = 0, pitch = n > 15 ? 22 : 32, top = ch->y + 10;
    for (size_t i = 0; i < n; i++)
        if (isfinite(number(q, i, 1))) {
            lo = fmin(lo, number(q, i, 1));
            hi = fmax(hi, number(q, i, 1));
        }
    bw_nice_range(&lo, &hi, 6);
    bw_panel p = {200, top, ch->right - 70, top + pitch * (double)n, lo, hi, 0, 1};
    bw_axis_x(ch, &p, BW_NUMBER, 6);
    for (size_t i = 0; i < n; i++) {
        double x = number(q, i, 1), y = top + pitch * ((double)i + 0.5), zero = bw_panel_x(&p, 0);
        const char *label = cell(q, i, 0)->text;
        bw_chart_text_in(ch, 190, y, 170, BW_RIGHT, BW_VALUE_SIZE, true, BW_INK,
                         label ? label : "–");
        if (!isfinite(x))
            continue;
        bw_number style = bw_number_style(x, NAN, NAN, BW_NUMBER);
        bw_canvas_rect(ch->canvas, zero, y - pitch * 0.32, bw_panel_x(&p, x), y + pitch * 0.32,
                       x < 0 ? BW_BAD : BW_GOOD);
        bw_chart_text(ch, fmax(zero, bw_panel_x(&p, x)) + 5, y, BW_LEFT, BW_TICK_SIZE, false,
                      BW_INK, bw_shop_format(ch->shop, x, &style));
    }
    bw_canvas_set_height(ch->canvas, p.bottom + 36);
}

static bw_status check(const bw_query_result *r, const char *kind, bw_err *err) {
    if (strcmp(kind, "line") != 0 && strcmp(kind, "bar") != 0 && strcmp(kind, "scatter") != 0)
        return bw_fail(err, BW_EUSAGE, "--plot %s: line, bar and scatter are there", kind);
    if (r->n_rows == 0 || r->n_columns < 2)
        return bw_fail(err, BW_EDATA,
                       "--plot wants rows with at least two columns, the axis first; the query "
                       "gave %zu rows of %zu",
                       r->n_rows, r->n_columns);
    for (size_t i = 0; i < r->n_rows; i++)
        if (r->cells[i * r->n_columns + 1].type == BW_CELL_INTEGER ||
            r->cells[i * r->n_columns + 1].type == BW_CELL_REAL)
            return BW_OK;
    return bw_fail(err, BW_EDATA, "--plot: the second column, %s, holds no number", r->names[1]);
}

static bw_status format_of(const char *path, bw_picture_format *format, bw_err *err) {
    const char *dot = path ? strrchr(path, '.') : NULL;
    *format = BW_SVG;
    if (!dot || strcmp(dot, ".svg") == 0)
        return BW_OK;
    if (strcmp(dot, ".png") == 0)
        *format = BW_PNG;
    else if (strcmp(dot, ".pdf") == 0)
        *format = BW_PDF;
    else
        return bw_fail(err, BW_EUSAGE, "%s: a chart is written as .svg, .png or .pdf", path);
    return BW_OK;
}

static bw_status draw(const bw_shop *s, const bw_query_result *r, const char *kind,
                      const char *path, bw_picture_format format, const char *title, bw_err *err) {
    bw_chart ch = {.name = "query",
                   .shop = s,
                   .canvas = bw_canvas_new(BW_CHART_WIDE),
                   .left = 18,
                   .right = BW_CHART_WIDE - 18};
    if (!ch.canvas)
        return bw_fail_memory(err);
    query_plot q = {.ch = &ch, .r = r};
    bw_message head = {.key = "chart.query.title"}, sub = {.key = "chart.query.subtitle"};
    bw_message_name(&head, "title", title);
    bw_message_name(&sub, "x", r->names[0]);
    bw_message_name(&sub, "y", r->names[1]);
    bw_chart_head(&ch, &head, &sub);
    read_axis(&q);
    if (strcmp(kind, "bar") == 0)
        draw_bars(&q);
    else if (strcmp(kind, "line") == 0)
        draw_lines(&q);
    else
        draw_points(&q);
    bw_status st = bw_canvas_ok(ch.canvas) && bw_arena_ok(s->arena)
                       ? bw_chart_write(&ch, format, path ? path : "-", err)
                       : bw_fail_memory(err);
    bw_chart_free(&ch);
    return st;
}

bw_status bw_plot_query(const bw_query_result *r, const char *kind, const char *path,
                        const char *title, bw_err *err) {
    bw_picture_format format;
    bw_status st = check(r, kind, err);
    if (st == BW_OK)
        st = format_of(path, &format, err);
    if (st != BW_OK)
        return st;
    bw_shop s = {.arena = bw_arena_new(), .outcome_unit = "count", .week = ""};
    if (!s.arena)
        return bw_fail_memory(err);
    st = bw_locale_new(s.arena, "en", "EUR", &s.locale, err);
    if (st == BW_OK)
        st = draw(&s, r, kind, path, format, title, err);
    bw_arena_free(s.arena);
    return st;
}
