/* reports/charts/query_chart.c - reads the cells into series, then draws them with the axes and the
 * theme of the other charts. */
#include "reports/charts/query_chart.h"

#include "reports/charts/chart.h"
#include "reports/charts/render.h"
#include "sql/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SERIES_MOST 7 /* as many colours as can be told apart */
#define BARS_MOST   40
#define BODY_HEIGHT 320.0
#define BAR_STEP    26.0
#define TICKS       5
#define Y_LABELS    84.0 /* pixels for "100,000,000" beside the panel */
#define X_LABEL     84.0 /* and under it, half of it on each side of the tick */

typedef struct {
    const char *name;
    double *x, *y;
    size_t n;
} series;

typedef struct {
    const bw_query_result *r;
    bw_chart *ch;
    series list[SERIES_MOST];
    size_t n;
    bool days; /* x counts days */
    double x0, x1, y0, y1;
} drawing;

static const bw_query_cell *cell(const bw_query_result *r, size_t row, size_t column) {
    return &r->cells[row * r->n_columns + column];
}

static bool is_number(const bw_query_cell *c) {
    return c->type == BW_CELL_INTEGER || c->type == BW_CELL_REAL;
}

/* True when no cell of the column holds text. */
static bool numeric(const bw_query_result *r, size_t column) {
    size_t numbers = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        const bw_query_cell *c = cell(r, i, column);
        if (c->type == BW_CELL_TEXT || c->type == BW_CELL_BLOB)
            return false;
        numbers += is_number(c);
    }
    return numbers > 0;
}

static double number(const bw_query_cell *c) {
    return is_number(c) ? c->number : NAN;
}

/* x of a row: a number, or the number of its day. */
static bool read_x(drawing *d, size_t row, double *x) {
    const bw_query_cell *c = cell(d->r, row, 0);
    bw_date day;
    *x = number(c);
    if (isfinite(*x))
        return true;
    if (c->type != BW_CELL_TEXT || !bw_date_parse(c->text, strlen(c->text), BW_ORDER_UNKNOWN, &day))
        return false;
    d->days = true;
    *x = day.day;
    return true;
}

static series *find_series(drawing *d, const char *name) {
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->list[i].name, name) == 0)
            return &d->list[i];
    if (d->n == SERIES_MOST)
        return NULL;
    series *s = &d->list[d->n++];
    size_t bytes = d->r->n_rows * sizeof(double);
    *s = (series){name, bw_arena_get(d->ch->shop->arena, bytes),
                  bw_arena_get(d->ch->shop->arena, bytes), 0};
    return s->x && s->y ? s : NULL;
}

static bw_status add_point(drawing *d, const char *name, double x, double y, bw_err *err) {
    series *s = find_series(d, name);
    if (!s)
        return bw_fail(err, BW_EDATA, "--plot: more than %d series; choose among them with WHERE",
                       SERIES_MOST);
    s->x[s->n] = x;
    s->y[s->n++] = y;
    return BW_OK;
}

static bw_status read_row(drawing *d, size_t row, bool is_long, bw_err *err) {
    const bw_query_result *r = d->r;
    double x;
    if (!read_x(d, row, &x))
        return bw_fail(err, BW_EDATA,
                       "--plot: row %zu: the first column, '%s', holds no day and no number; "
                       "--plot bar draws names",
                       row + 1, r->names[0]);
    if (is_long) {
        const char *name = cell(r, row, 1)->text;
        return add_point(d, name ? name : "", x, number(cell(r, row, 2)), err);
    }
    bw_status st = BW_OK;
    for (size_t i = 1; st == BW_OK && i < r->n_columns; i++)
        if (numeric(r, i))
            st = add_point(d, r->names[i], x, number(cell(r, row, i)), err);
    return st;
}

/* x, a name and a number: one series a name. */
static bool long_form(const bw_query_result *r) {
    return r->n_columns == 3 && !numeric(r, 1) && numeric(r, 2);
}

static bw_status read_series(drawing *d, bw_err *err) {
    const bw_query_result *r = d->r;
    bool is_long = long_form(r);
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < r->n_rows; i++)
        st = read_row(d, i, is_long, err);
    if (st == BW_OK && d->n == 0)
        st = bw_fail(err, BW_EDATA, "--plot: no column after the first holds numbers");
    return st;
}

static void find_ranges(drawing *d, bool from_zero) {
    d->x0 = d->y0 = INFINITY;
    d->x1 = d->y1 = -INFINITY;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->list[i].n; k++) {
            d->x0 = fmin(d->x0, d->list[i].x[k]);
            d->x1 = fmax(d->x1, d->list[i].x[k]);
            d->y0 = fmin(d->y0, d->list[i].y[k]);
            d->y1 = fmax(d->y1, d->list[i].y[k]);
        }
    if (from_zero && d->y0 > 0 && d->y0 < 0.5 * d->y1)
        d->y0 = 0;
}

/* ---- drawing ---- */

static void draw_head(drawing *d) {
    bw_chart *ch = d->ch;
    double y = BW_TITLE_SIZE * 1.3;
    bw_canvas_page(ch->canvas);
    bw_chart_text_in(ch, ch->left, y, ch->right - ch->left, BW_LEFT, BW_TITLE_SIZE, true, BW_INK,
                     ch->title);
    y += BW_TITLE_SIZE * 1.36;
    bw_chart_text_in(ch, ch->left, y, ch->right - ch->left, BW_LEFT, BW_SUB_SIZE, false, BW_MUTED,
                     ch->subtitle);
    ch->y = y + BW_SUB_SIZE * 1.5;
}

static void draw_legend(drawing *d) {
    bw_chart *ch = d->ch;
    double x = ch->left, y = ch->y + 6;
    for (size_t i = 0; d->n > 1 && i < d->n; i++) {
        char name[64];
        bw_font_fit(d->list[i].name, BW_LABEL_SIZE, false, 200, name, sizeof name);
        double width = bw_font_width(name, BW_LABEL_SIZE, false) + 34;
        if (x + width > ch->right) {
            x = ch->left;
            y += 22;
        }
        bw_colour colour = bw_series_colour(i);
        bw_canvas_mark(ch->canvas, x + 6, y, BW_DISC, 10, colour);
        bw_chart_text(ch, x + 18, y, BW_LEFT, BW_LABEL_SIZE, false, bw_text_colour(colour), name);
        x += width;
    }
    ch->y = d->n > 1 ? y + 24 : ch->y;
}

static void draw_series(drawing *d, bool line) {
    bw_chart *ch = d->ch;
    for (size_t i = 0; i < d->n; i++) {
        const series *s = &d->list[i];
        if (line)
            bw_canvas_line(ch->canvas, s->x, s->y, s->n, 2, BW_SOLID, bw_series_colour(i));
        for (size_t k = 0; k < s->n && (!line || s->n == 1); k++)
            if (isfinite(s->y[k]))
                bw_canvas_mark(ch->canvas, s->x[k], s->y[k], BW_DISC, 7, bw_series_colour(i));
    }
}

static bw_status draw_points(drawing *d, bool line, bw_err *err) {
    bw_chart *ch = d->ch;
    bw_status st = read_series(d, err);
    if (st != BW_OK)
        return st;
    find_ranges(d, line);
    if (!isfinite(d->y0))
        return bw_fail(err, BW_EDATA, "--plot: every value is NULL");
    draw_head(d);
    draw_legend(d);
    bw_nice_range(&d->y0, &d->y1, TICKS);
    if (!d->days)
        bw_nice_range(&d->x0, &d->x1, TICKS);
    else if (d->x1 == d->x0)
        d->x1 = d->x0 + 1;
    bw_panel p = {ch->left + Y_LABELS,
                  ch->y + 8,
                  ch->right - (d->days ? 0 : X_LABEL / 2),
                  ch->y + 8 + BODY_HEIGHT,
                  d->x0,
                  d->x1,
                  d->y0,
                  d->y1};
    bw_axis_y(ch, &p, BW_NUMBER, TICKS);
    if (d->days)
        bw_axis_days(ch, &p);
    else
        bw_axis_x(ch, &p, BW_NUMBER, TICKS);
    bw_canvas_panel(ch->canvas, &p);
    draw_series(d, line);
    bw_canvas_set_height(ch->canvas, p.bottom + 40);
    return BW_OK;
}

static size_t bar_column(const bw_query_result *r) {
    for (size_t i = 1; i < r->n_columns; i++)
        if (numeric(r, i))
            return i;
    return 0;
}

static void draw_bar(drawing *d, const bw_panel *p, size_t row, size_t column) {
    bw_chart *ch = d->ch;
    const bw_query_cell *c = cell(d->r, row, column), *name = cell(d->r, row, 0);
    double y = p->top + BAR_STEP * ((double)row + 0.5), zero = bw_panel_x(p, 0);
    bw_chart_text_in(ch, p->left - 10, y, p->left - 10 - ch->left, BW_RIGHT, BW_LABEL_SIZE, false,
                     BW_INK, name->text ? name->text : "");
    if (!is_number(c))
        return;
    double end = bw_panel_x(p, c->number);
    bw_canvas_rect(ch->canvas, fmin(zero, end), y - 8, fmax(zero, end), y + 8,
                   c->number < 0 ? BW_BAD : BW_GOOD);
}

static bw_status draw_bars(drawing *d, bw_err *err) {
    bw_chart *ch = d->ch;
    const bw_query_result *r = d->r;
    size_t column = bar_column(r);
    if (column == 0)
        return bw_fail(err, BW_EDATA, "--plot bar: no column after the first holds numbers");
    if (r->n_rows > BARS_MOST)
        return bw_fail(err, BW_EDATA, "--plot bar: %zu bars, at most %d fit; add LIMIT", r->n_rows,
                       BARS_MOST);
    double widest = 0, lo = 0, hi = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        const char *name = cell(r, i, 0)->text;
        widest = fmax(widest, bw_font_width(name ? name : "", BW_LABEL_SIZE, false));
        lo = fmin(lo, number(cell(r, i, column)));
        hi = fmax(hi, number(cell(r, i, column)));
    }
    draw_head(d);
    bw_nice_range(&lo, &hi, TICKS);
    bw_panel p = {ch->left + fmin(widest + 14, 300),
                  ch->y + 8,
                  ch->right - X_LABEL / 2,
                  ch->y + 8 + BAR_STEP * (double)r->n_rows,
                  lo,
                  hi,
                  0,
                  1};
    bw_axis_x(ch, &p, BW_NUMBER, TICKS);
    bw_canvas_page(ch->canvas);
    for (size_t i = 0; i < r->n_rows; i++)
        draw_bar(d, &p, i, column);
    bw_canvas_set_height(ch->canvas, p.bottom + 40);
    return BW_OK;
}

static bw_status draw(drawing *d, const char *kind, bw_err *err) {
    if (strcmp(kind, "bar") == 0)
        return draw_bars(d, err);
    return draw_points(d, strcmp(kind, "line") == 0, err);
}

/* ---- the chart around it ---- */

/* "cost, clicks by week", "cost by week and channel" */
static const char *name_chart(const bw_query_result *r, bw_arena *arena) {
    const char *names = "";
    if (long_form(r))
        return bw_arena_textf(arena, "%s by %s and %s", r->names[2], r->names[0], r->names[1]);
    for (size_t i = 1; i < r->n_columns; i++)
        names = bw_arena_textf(arena, "%s%s%s", names, i > 1 ? ", " : "", r->names[i]);
    return bw_arena_textf(arena, "%s by %s", names, r->names[0]);
}

static bw_status picture_format(const char *path, bw_picture_format *out, bw_err *err) {
    const char *dot = path ? strrchr(path, '.') : NULL;
    *out = BW_SVG;
    if (!path || (dot && strcasecmp(dot, ".svg") == 0))
        return BW_OK;
    *out = dot && strcasecmp(dot, ".pdf") == 0 ? BW_PDF : BW_PNG;
    if (dot && (*out == BW_PDF || strcasecmp(dot, ".png") == 0))
        return BW_OK;
    return bw_fail(err, BW_EUSAGE, "--out %s: the ending says the format: .svg, .png or .pdf",
                   path);
}

static bw_status check(const bw_query_result *r, const char *kind, bw_err *err) {
    if (strcmp(kind, "line") != 0 && strcmp(kind, "bar") != 0 && strcmp(kind, "scatter") != 0)
        return bw_fail(err, BW_EUSAGE, "--plot '%s': line, bar or scatter is wanted", kind);
    if (r->n_columns < 2)
        return bw_fail(err, BW_EDATA, "--plot: two columns at least are wanted, x and a number");
    return r->n_rows ? BW_OK : bw_fail(err, BW_EDATA, "--plot: the query gives no rows");
}

static bw_status draw_and_write(const bw_query_result *r, const char *kind, const char *path,
                                const char *title, bw_shop *shop, bw_err *err) {
    bw_picture_format format;
    bw_status st = picture_format(path, &format, err);
    if (st != BW_OK)
        return st;
    bw_chart ch = {.name = "query",
                   .shop = shop,
                   .left = 18,
                   .right = BW_CHART_WIDE - 18,
                   .title = name_chart(r, shop->arena),
                   .subtitle = title,
                   .canvas = bw_canvas_new(BW_CHART_WIDE)};
    drawing d = {.r = r, .ch = &ch};
    st = ch.canvas ? draw(&d, kind, err) : bw_fail_memory(err);
    if (st == BW_OK && (!bw_canvas_ok(ch.canvas) || !bw_arena_ok(shop->arena)))
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_chart_write(&ch, format, path ? path : "-", err);
    bw_chart_free(&ch);
    return st;
}

bw_status bw_query_chart(const bw_query_result *r, const char *kind, const char *path,
                         const char *title, bw_err *err) {
    bw_status st = check(r, kind, err);
    if (st != BW_OK)
        return st;
    bw_shop shop = {.arena = bw_arena_new(), .currency = "", .name = ""};
    if (!shop.arena)
        return bw_fail_memory(err);
    st = bw_locale_new(shop.arena, "en", "", &shop.locale, err);
    if (st == BW_OK)
        st = draw_and_write(r, kind, path, title, &shop, err);
    bw_arena_free(shop.arena);
    return st;
}
