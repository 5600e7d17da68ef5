/* reports/charts/chart_week.c - how the week went, and why it differs from the one before. */
#include "reports/charts/chart.h"
#include "reports/facts/gather.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the week in figures ---- */

#define SPARK_WEEKS 26

typedef struct {
    const bw_measure *measure;
    const bw_fact *week, *change, *normal;
    double *x;
    size_t n;
} figure;

typedef enum {
    READING_NORMAL,
    READING_BETTER,
    READING_WORSE,
    READING_ABOVE,
    READING_BELOW
} reading;

static reading read_figure(const figure *f) {
    if (!f->normal || !isfinite(f->normal->lo) || !isfinite(f->normal->hi))
        return READING_NORMAL;
    int side = f->week->value > f->normal->hi ? 1 : f->week->value < f->normal->lo ? -1 : 0;
    if (side == 0)
        return READING_NORMAL;
    if (f->measure->good == 0)
        return side > 0 ? READING_ABOVE : READING_BELOW;
    return side == f->measure->good ? READING_BETTER : READING_WORSE;
}

static bw_status read_figures(const bw_chart *ch, figure *out, size_t *n, bw_err *err) {
    const bw_shop *s = ch->shop;
    bw_status st = BW_OK;
    for (const bw_measure *m = BW_MEASURES; m->name && st == BW_OK && *n < 8; m++) {
        char measure[40];
        figure f = {.measure = m};
        snprintf(measure, sizeof measure, "week.%s", m->name);
        f.week = bw_fact_find(s->facts, measure, "");
        snprintf(measure, sizeof measure, "change.%s", m->name);
        f.change = bw_fact_find(s->facts, measure, "");
        snprintf(measure, sizeof measure, "normal.%s", m->name);
        f.normal = bw_fact_find(s->facts, measure, "");
        if (!f.week || (strcmp(m->name, "units") == 0 && bw_fact_find(s->facts, "week.orders", "")))
            continue;
        char *sql = sqlite3_mprintf("SELECT v FROM (SELECT week, %s AS v FROM %s WHERE week <= ?2 "
                                    "ORDER BY week DESC LIMIT %d) ORDER BY week",
                                    m->expression, m->view, SPARK_WEEKS);
        st = sql ? bw_query(s, "n", &f.n, err, sql, 0, s->week, &f.x) : bw_fail_memory(err);
        sqlite3_free(sql);
        if (st == BW_OK && f.n >= 2)
            out[(*n)++] = f;
    }
    return st;
}

static void kpi_title(bw_chart *ch, const figure *f, size_t n) {
    size_t first = n, second = n, count = 0;
    for (size_t i = 0; i < n; i++)
        if (read_figure(&f[i]) != READING_NORMAL && count++ < 2)
            *(count == 1 ? &first : &second) = i;
    bw_message title = {.key = n && !f[0].normal ? "chart.kpi.short"
                               : count == 0      ? "chart.kpi.calm"
                               : count == 1      ? "chart.kpi.one"
                               : count == 2      ? "chart.kpi.two"
                                                 : "chart.kpi.more"};
    if (first < n) {
        bw_message_name(&title, "figure", bw_shop_word(ch->shop, f[first].measure->label));
        bw_message_fact(&title, "value", f[first].week);
        bw_message_fact(&title, "normal", f[first].normal);
        if (f[first].change)
            bw_message_fact(&title, "change", f[first].change);
        else if (count == 1)
            title.key = "chart.kpi.one_plain";
        if (second < n)
            bw_message_name(&title, "second", bw_shop_word(ch->shop, f[second].measure->label));
        bw_message_text(&title, "others", bw_arena_textf(ch->shop->arena, "%zu", count - 2));
    }
    bw_message subtitle = {.key = "chart.kpi.subtitle"};
    bw_message_day(&subtitle, "day", ch->shop->last_day);
    bw_chart_head(ch, &title, &subtitle);
}

static void spark(bw_chart *ch, const figure *f, double left, double right, double top,
                  double bottom) {
    bw_panel p = {.left = left,
                  .right = right,
                  .top = top,
                  .bottom = bottom,
                  .x0 = 0,
                  .x1 = (double)(f->n - 1),
                  .y0 = INFINITY,
                  .y1 = -INFINITY};
    double *t = bw_arena_get(ch->shop->arena, f->n * sizeof *t);
    for (size_t i = 0; i < f->n; i++) {
        t[i] = (double)i;
        if (isfinite(f->x[i])) {
            p.y0 = fmin(p.y0, f->x[i]);
            p.y1 = fmax(p.y1, f->x[i]);
        }
    }
    bool band = f->normal && isfinite(f->normal->lo);
    if (band) {
        p.y0 = fmin(p.y0, f->normal->lo);
        p.y1 = fmax(p.y1, f->normal->hi);
    }
    double air = fmax((p.y1 - p.y0) * 0.04, fabs(p.y1) * 1e-6 + 1e-9);
    p.y0 -= air;
    p.y1 += air;
    bw_canvas_panel(ch->canvas, &p);
    if (band)
        bw_canvas_rect(ch->canvas, p.x0, f->normal->lo, p.x1, f->normal->hi, BW_FAINT);
    bw_canvas_line(ch->canvas, t, f->x, f->n, 2, BW_SOLID, BW_GOOD);
    reading r = read_figure(f);
    bw_canvas_page(ch->canvas);
    bw_canvas_mark(ch->canvas, bw_panel_x(&p, p.x1), bw_panel_y(&p, f->x[f->n - 1]), BW_DISC, 7,
                   r == READING_BETTER  ? BW_GREEN
                   : r == READING_WORSE ? BW_BAD
                                        : BW_SLATE);
}

static const char *change_text(const bw_chart *ch, const figure *f) {
    if (!f->change)
        return "–";
    bw_number style = bw_fact_style(f->change);
    style.sign = true;
    const char *text = bw_shop_format(ch->shop, f->change->value, &style);
    if (f->change->unit != BW_POINTS)
        return text;
    return bw_arena_textf(ch->shop->arena, "%s %s", text, bw_shop_word(ch->shop, "chart.points"));
}

static const char *reading_word(const bw_chart *ch, reading r) {
    static const char *const KEYS[] = {"reading.normal", "reading.better", "reading.worse",
                                       "reading.above", "reading.below"};
    return bw_shop_word(ch->shop, KEYS[r]);
}

static void kpi_row(bw_chart *ch, const figure *f, double y) {
    double w = ch->right - ch->left;
    bool nw = ch->narrow;
    reading r = read_figure(f);
    bw_colour colour = r == READING_BETTER  ? BW_GREEN_TEXT
                       : r == READING_WORSE ? BW_BAD_TEXT
                                            : BW_MUTED;
    bw_number style = bw_fact_style(f->week);
    style.sign = f->week->unit == BW_POINTS;
    const char *label = bw_shop_title(ch->shop, bw_shop_word(ch->shop, f->measure->label));
    const char *value = bw_shop_format(ch->shop, f->week->value, &style);
    if (nw) {
        bw_chart_text_in(ch, ch->left, y - 16, w * 0.62, BW_LEFT, BW_LABEL_SIZE, false, BW_INK,
                         label);
        bw_chart_text(ch, ch->left, y + 8, BW_LEFT, 17, true, BW_INK, value);
        bw_chart_text(ch, ch->right, y - 16, BW_RIGHT, BW_SMALL_SIZE, true, colour,
                      reading_word(ch, r));
        bw_chart_text(ch, ch->right, y + 8, BW_RIGHT, BW_VALUE_SIZE, false, BW_INK,
                      change_text(ch, f));
        spark(ch, f, ch->left + w * 0.28, ch->left + w * 0.78, y - 6, y + 22);
        return;
    }
    bw_chart_text_in(ch, ch->left, y, w * 0.24, BW_LEFT, BW_LABEL_SIZE, false, BW_INK, label);
    bw_chart_text(ch, ch->left + w * 0.345, y, BW_RIGHT, 16.5, true, BW_INK, value);
    spark(ch, f, ch->left + w * 0.376, ch->left + w * 0.666, y - 22, y + 22);
    bw_chart_text(ch, ch->left + w * 0.80, y, BW_RIGHT, BW_LABEL_SIZE, false, BW_INK,
                  change_text(ch, f));
    bw_chart_text(ch, ch->left + w * 0.832, y, BW_LEFT, BW_VALUE_SIZE, true, colour,
                  reading_word(ch, r));
}

static void kpi_table(bw_chart *ch, const figure *f, size_t n) {
    bw_chart_columns(
        ch, 7, bw_shop_word(ch->shop, "table.figure"), bw_shop_word(ch->shop, "table.this_week"),
        bw_shop_word(ch->shop, "table.last_week"), bw_shop_word(ch->shop, "table.change"),
        bw_shop_word(ch->shop, "table.normal_low"), bw_shop_word(ch->shop, "table.normal_high"),
        bw_shop_word(ch->shop, "table.reading"));
    for (size_t i = 0; i < n; i++)
        bw_chart_row(ch, bw_text_cell(bw_shop_word(ch->shop, f[i].measure->label)),
                     bw_number_cell(f[i].week->value, f[i].week->unit),
                     bw_number_cell(f[i].week->reference, f[i].week->unit),
                     bw_number_cell(f[i].change ? f[i].change->value : NAN,
                                    f[i].change ? f[i].change->unit : BW_SHARE),
                     bw_number_cell(f[i].normal ? f[i].normal->lo : NAN, f[i].week->unit),
                     bw_number_cell(f[i].normal ? f[i].normal->hi : NAN, f[i].week->unit),
                     bw_text_cell(reading_word(ch, read_figure(&f[i]))));
}

bw_status bw_chart_kpi(bw_chart *ch, bw_err *err) {
    figure f[8];
    size_t n = 0;
    bw_status st = read_figures(ch, f, &n, err);
    if (st != BW_OK)
        return st;
    if (n == 0)
        return bw_fail(err, BW_EDATA,
                       "there are not yet two weeks of outcome or reviews to compare");
    kpi_title(ch, f, n);
    double w = ch->right - ch->left, y = ch->y + 10, height = ch->narrow ? 66 : 58;
    if (!ch->narrow) {
        bw_chart_text(ch, ch->left + w * 0.345, y, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED,
                      bw_shop_word(ch->shop, "table.this_week"));
        bw_chart_text(ch, ch->left + w * 0.80, y, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED,
                      bw_shop_word(ch->shop, "chart.vs_last_week"));
        bw_chart_text(ch, ch->left + w * 0.832, y, BW_LEFT, BW_SMALL_SIZE, false, BW_MUTED,
                      bw_shop_word(ch->shop, "table.reading"));
        y += 8;
    }
    for (size_t i = 0; i < n; i++) {
        double top = y + height * (double)i;
        bw_canvas_page(ch->canvas);
        if (i)
            bw_canvas_segment(ch->canvas, ch->left, top + 2, ch->right, top + 2, 1, BW_SOLID,
                              BW_GRID);
        kpi_row(ch, &f[i], top + height / 2 + 2);
    }
    kpi_table(ch, f, n);
    bw_canvas_set_height(ch->canvas, y + height * (double)n + 8);
    return BW_OK;
}

/* ---- why the outcome changed ---- */

#define STEPS_MOST 7 /* causes shown one by one; the rest are summed */

typedef struct {
    const char *label, *title; /* in a sentence, under a column */
    double value, lo, hi;
    bool rest; /* unexplained */
} step;

typedef struct {
    const char **part;
    double *value, *lo, *hi;
    size_t n;
} causes;

static int compare_steps(const void *a, const void *b) {
    const step *x = a, *y = b;
    if ((x->value > 0) != (y->value > 0))
        return x->value > 0 ? -1 : 1;
    double d = fabs(y->value) - fabs(x->value);
    return d > 0 ? 1 : d < 0 ? -1 : strcmp(x->label, y->label);
}

static step make_step(const bw_shop *s, const char *label, double value, double lo, double hi,
                      bool rest) {
    return (step){label, bw_shop_title(s, label), value, lo, hi, rest};
}

/* The causes in the order drawn: gains by size, losses by size, small ones together, unexplained. */
static size_t order_steps(const bw_chart *ch, const causes *c, size_t most, step *out) {
    const bw_shop *s = ch->shop;
    size_t n = 0, unexplained = c->n;
    double rest = 0, size = 0;
    for (size_t i = 0; i < c->n; i++)
        size += fabs(c->value[i]);
    for (size_t i = 0, shown = 0; i < c->n; i++) { /* the query gives the largest first */
        if (strcmp(c->part[i], "_unexplained") == 0)
            unexplained = i;
        else if (shown < most && fabs(c->value[i]) >= 0.02 * size)
            out[n++] =
                make_step(s, bw_shop_part(s, c->part[i]), c->value[i], c->lo[i], c->hi[i], false),
            shown++;
        else
            rest += c->value[i];
    }
    qsort(out, n, sizeof *out, compare_steps);
    if (fabs(rest) > 1e-9 * size)
        out[n++] = make_step(s, bw_shop_word(s, "part.others"), rest, NAN, NAN, false);
    if (unexplained < c->n)
        out[n++] = make_step(s, bw_shop_word(s, "part.unexplained"), c->value[unexplained], NAN,
                             NAN, true);
    return n;
}

static void waterfall_title(bw_chart *ch, const step *steps, size_t n) {
    const bw_fact *change = bw_fact_find(ch->shop->facts, "change.total", "");
    const char **up = bw_arena_get(ch->shop->arena, 2 * sizeof *up),
               **down = bw_arena_get(ch->shop->arena, 2 * sizeof *down);
    size_t n_up = 0, n_down = 0;
    double floor_size = 0;
    for (size_t i = 0; i < n; i++)
        if (!steps[i].rest)
            floor_size = fmax(floor_size, 0.2 * fabs(steps[i].value));
    for (size_t i = 0; i < n; i++) {
        if (steps[i].rest || !isfinite(steps[i].lo) || fabs(steps[i].value) < floor_size)
            continue;
        if (steps[i].lo <= 0 && steps[i].hi >= 0)
            continue; /* may be nothing at all */
        if (steps[i].value > 0 && n_up < 2)
            up[n_up++] = steps[i].label;
        else if (steps[i].value < 0 && n_down < 2)
            down[n_down++] = steps[i].label;
    }
    bool rose = change && change->value > 0;
    const char *key = "chart.waterfall.plain";
    if (change && n_up && n_down)
        key = rose ? "chart.waterfall.rose_both" : "chart.waterfall.fell_both";
    else if (change && rose && n_up)
        key = "chart.waterfall.rose";
    else if (change && !rose && n_down)
        key = "chart.waterfall.fell";
    bw_message title = {.key = key};
    if (change)
        bw_message_fact(&title, "change", change);
    bw_message_names(&title, "up", up, n_up);
    bw_message_names(&title, "down", down, n_down);
    bw_message subtitle = {.key = "chart.waterfall.subtitle"};
    bw_chart_head(ch, &title, &subtitle);
}

static void waterfall_range(const step *steps, size_t n, double from, double to, double *lo,
                            double *hi) {
    double at = from;
    *lo = fmin(from, to);
    *hi = fmax(from, to);
    for (size_t i = 0; i < n; i++) {
        double next = at + steps[i].value;
        *lo = fmin(*lo, fmin(next, isfinite(steps[i].lo) ? at + steps[i].lo : next));
        *hi = fmax(*hi, fmax(next, isfinite(steps[i].hi) ? at + steps[i].hi : next));
        at = next;
    }
    double air = (*hi - *lo) * 0.12 + 1e-9;
    *lo -= air;
    *hi += air;
}

/* How the values of a waterfall are written: one scale and as many decimals for all. */
typedef struct {
    bw_number total, step;
    double size; /* of the text in pixels */
} value_style;

static value_style style_values(const bw_chart *ch, const step *steps, size_t n, double to) {
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(steps[i].value));
    value_style v = {.total = bw_number_style(to, NAN, NAN, unit), .size = 14};
    v.total.place = (int)floor(log10(fmax(largest, 1))) - 1;
    v.step = (bw_number){.unit = unit,
                         .place = (int)floor(log10(fmax(largest, 1e-9))) - 1,
                         .scale_of = largest,
                         .sign = true,
                         .compact = true};
    return v;
}

#define VALUE_LEAST 11.0 /* pixels of a value's text before its currency goes: the axis has it */

/* The widest of all values at one size, the totals at the ends included. */
static double widest_value(const bw_chart *ch, const value_style *v, const step *steps, size_t n,
                           double from, double to) {
    double widest =
        fmax(bw_chart_text_width(ch, bw_shop_format(ch->shop, from, &v->total), v->size, true),
             bw_chart_text_width(ch, bw_shop_format(ch->shop, to, &v->total), v->size, true));
    for (size_t i = 0; i < n; i++)
        widest =
            fmax(widest, bw_chart_text_width(ch, bw_shop_format(ch->shop, steps[i].value, &v->step),
                                             v->size, true));
    return widest;
}

/* Makes the values fit side by side, whatever their length: smaller first, then without currency. */
static void fit_values(const bw_chart *ch, value_style *v, const step *steps, size_t n, double from,
                       double to, double room) {
    double wide = widest_value(ch, v, steps, n, from, to);
    if (v->size * room / wide < VALUE_LEAST) {
        v->total.bare = v->step.bare = true;
        wide = widest_value(ch, v, steps, n, from, to);
    }
    v->size = fmin(v->size, v->size * room / wide);
}

/* A step that shows as zero has no direction. */
static bw_colour step_colour(const step *s, const value_style *v) {
    if (s->rest || bw_rounded(s->value, &v->step) == 0)
        return BW_AXIS;
    return s->value > 0 ? BW_GOOD : BW_BAD;
}

static void step_label(bw_chart *ch, double x, double y, double width, const char *label) {
    char lines[3][256];
    size_t n = bw_font_wrap(label, BW_SMALL_SIZE + 0.5, false, width, lines, 3);
    for (size_t i = 0; i < n; i++)
        bw_chart_text(ch, x, y + 16.0 * (double)i, BW_CENTER, BW_SMALL_SIZE + 0.5, false, BW_INK,
                      lines[i]);
}

static void waterfall_columns(bw_chart *ch, const bw_panel *p, const step *steps, size_t n,
                              double from, double to) {
    double slot = (p->right - p->left) / (double)(n + 2), half = slot * 0.34, at = from;
    value_style v = style_values(ch, steps, n, to);
    fit_values(ch, &v, steps, n, from, to, slot - 8);
    bw_canvas_page(ch->canvas);
    for (size_t k = 0; k < n + 2; k++) {
        double x = p->left + slot * ((double)k + 0.5), y = bw_panel_y(p, at);
        bool first = k == 0, last = k == n + 1;
        if (!last) /* the connector to the next column */
            bw_canvas_segment(
                ch->canvas, x + half, bw_panel_y(p, first ? from : at + steps[k - 1].value),
                x + slot - half, bw_panel_y(p, first ? from : at + steps[k - 1].value), 1, BW_SOLID,
                BW_AXIS);
        if (first || last) {
            bw_canvas_rect(ch->canvas, x - half, y - 2.5, x + half, y + 2.5, BW_INK);
            bw_chart_text(ch, x, y - 15, BW_CENTER, v.size, true, BW_INK,
                          bw_shop_format(ch->shop, at, &v.total));
            step_label(ch, x, p->bottom + 20, slot - 8,
                       bw_shop_title(ch->shop, bw_shop_word(ch->shop, first ? "table.last_week"
                                                                            : "table.this_week")));
            continue;
        }
        const step *s = &steps[k - 1];
        double end = bw_panel_y(p, at + s->value), top = fmin(y, end);
        bw_canvas_rect(ch->canvas, x - half, top, x + half, fmax(fmax(y, end), top + 1.5),
                       step_colour(s, &v));
        if (isfinite(s->lo) && isfinite(s->hi)) {
            bw_canvas_segment(ch->canvas, x, bw_panel_y(p, at + s->lo), x,
                              bw_panel_y(p, at + s->hi), 1.6, BW_SOLID, BW_INK);
            top = fmin(top, bw_panel_y(p, at + s->hi));
        }
        bw_chart_text(ch, x, top - 13, BW_CENTER, v.size, true, bw_text_colour(step_colour(s, &v)),
                      bw_shop_format(ch->shop, s->value, &v.step));
        step_label(ch, x, p->bottom + 20, slot - 6, s->title);
        at += s->value;
    }
}

/* The phone's layout: one row a step, the same bars lying down. */
static void waterfall_rows(bw_chart *ch, const step *steps, size_t n, double from, double to,
                           double lo, double hi) {
    double at = from, top = ch->y + 8;
    bw_panel p = {.left = ch->left + 4,
                  .right = ch->right - 4,
                  .top = top,
                  .bottom = top + 1,
                  .x0 = lo,
                  .x1 = hi,
                  .y1 = 1};
    value_style v = style_values(ch, steps, n, to);
    bw_canvas_page(ch->canvas);
    for (size_t k = 0; k < n + 2; k++, top += 48) {
        bool end = k == 0 || k == n + 1;
        const step *s = end ? NULL : &steps[k - 1];
        double next = end ? at : at + s->value, y = top + 30, x = bw_panel_x(&p, at),
               x2 = bw_panel_x(&p, next);
        const char *label =
            end ? bw_shop_title(ch->shop,
                                bw_shop_word(ch->shop, k ? "table.this_week" : "table.last_week"))
                : s->title;
        const char *value = end ? bw_shop_format(ch->shop, at, &v.total)
                                : bw_shop_format(ch->shop, s->value, &v.step);
        double room =
            ch->right - ch->left - 12 - bw_chart_text_width(ch, value, BW_VALUE_SIZE, true);
        bw_chart_text_in(ch, ch->left, top + 10, room, BW_LEFT, BW_VALUE_SIZE, end, BW_INK, label);
        bw_chart_text(ch, ch->right, top + 10, BW_RIGHT, BW_VALUE_SIZE, true,
                      end ? BW_INK : bw_text_colour(step_colour(s, &v)), value);
        bw_canvas_rect(ch->canvas, fmin(x, x2) - (end ? 2.5 : 0), y - 8,
                       fmax(x, x2) + (end ? 2.5 : 0.5), y + 8, end ? BW_INK : step_colour(s, &v));
        if (!end && isfinite(s->lo) && isfinite(s->hi))
            bw_canvas_segment(ch->canvas, bw_panel_x(&p, at + s->lo), y, bw_panel_x(&p, at + s->hi),
                              y, 1.6, BW_SOLID, BW_INK);
        at = next;
    }
    bw_canvas_set_height(ch->canvas, top + 4);
}

static void waterfall_table(bw_chart *ch, const step *steps, size_t n, double from, double to) {
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    bw_chart_columns(ch, 4, bw_shop_word(ch->shop, "table.cause"),
                     bw_shop_word(ch->shop, "table.change"), bw_shop_word(ch->shop, "table.low"),
                     bw_shop_word(ch->shop, "table.high"));
    bw_cell none = bw_number_cell(NAN, unit);
    bw_chart_row(ch, bw_text_cell(bw_shop_word(ch->shop, "table.last_week")),
                 bw_number_cell(from, unit), none, none);
    for (size_t i = 0; i < n; i++)
        bw_chart_row(ch, bw_text_cell(steps[i].label), bw_number_cell(steps[i].value, unit),
                     bw_number_cell(steps[i].lo, unit), bw_number_cell(steps[i].hi, unit));
    bw_chart_row(ch, bw_text_cell(bw_shop_word(ch->shop, "table.this_week")),
                 bw_number_cell(to, unit), none, none);
}

static bw_status read_causes(const bw_chart *ch, causes *c, bw_err *err) {
    bw_status st =
        bw_query(ch->shop, "tnnn", &c->n, err,
                 "SELECT subject, mean, lo, hi FROM estimate WHERE run = ?1 AND name = "
                 "'change_week' AND at = ?2 "
                 "AND mean IS NOT NULL ORDER BY abs(mean) DESC, subject LIMIT 200",
                 ch->shop->runs.change, ch->shop->week, &c->part, &c->value, &c->lo, &c->hi);
    if (st == BW_OK && c->n == 0)
        return bw_fail(err, BW_EDATA,
                       "the change of this week has not been explained yet; 'bellwether fit' and "
                       "'bellwether change' do it, from eight weeks on");
    return st;
}

bw_status bw_chart_waterfall(bw_chart *ch, bw_err *err) {
    causes c = {0};
    bw_status st = read_causes(ch, &c, err);
    const bw_fact *total = bw_fact_find(ch->shop->facts, "change.total", "");
    if (st != BW_OK)
        return st;
    if (!total || !isfinite(total->reference))
        return bw_fail(err, BW_EDATA, "there is no week before this one to compare with");
    step *steps = bw_arena_get(ch->shop->arena, (c.n + 2) * sizeof *steps);
    size_t n = order_steps(ch, &c, ch->narrow ? STEPS_MOST : STEPS_MOST - 1, steps);
    double from = total->reference, to = from, lo, hi;
    for (size_t i = 0; i < n; i++)
        to += steps[i].value;
    waterfall_title(ch, steps, n);
    waterfall_range(steps, n, from, to, &lo, &hi);
    waterfall_table(ch, steps, n, from, to);
    if (ch->narrow) {
        waterfall_rows(ch, steps, n, from, to, lo, hi);
        return BW_OK;
    }
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    bw_panel p = {.left = bw_axis_left(ch, 66, lo, hi, unit, 4),
                  .right = ch->right,
                  .top = ch->y + 6,
                  .bottom = ch->y + 340,
                  .x1 = 1,
                  .y0 = lo,
                  .y1 = hi};
    bw_axis_y(ch, &p, unit, 4);
    waterfall_columns(ch, &p, steps, n, from, to);
    bw_canvas_set_height(ch->canvas, p.bottom + 68);
    return BW_OK;
}
