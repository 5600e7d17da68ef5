/* reports/charts/chart.c - the list of charts and what all builders share. */
#include "reports/charts/chart.h"

#include "sql/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EDGE_AIR 4 /* between the page's edge and the labels of an axis */

const bw_chart_kind BW_CHARTS[] = {
    {"kpi", "how did the week go?", bw_chart_kpi},
    {"waterfall", "why did the outcome change against the week before?", bw_chart_waterfall},
    {"roas", "what does each channel earn, on average and with the next money?", bw_chart_roas},
    {"budget", "what should move from where to where?", bw_chart_budget},
    {"curves", "where is room to grow?", bw_chart_curves},
    {"sources", "where does the outcome come from over time?", bw_chart_sources},
    {"timing", "when to publish?", bw_chart_timing},
    {"sentiment", "how do customers feel?", bw_chart_sentiment},
    {"aspects", "what do customers praise and what do they blame?", bw_chart_aspects},
    {"forecast", "where are we heading?", bw_chart_forecast},
    {"promotion", "what did each promotion bring in all?", bw_chart_promotion},
    {"price", "how do sales answer to price?", bw_chart_price},
    {"segment", "what will each group of customers be worth?", bw_chart_segment},
    {"experiment", "which tests showed an effect?", bw_chart_experiment},
    {0}};

const bw_chart_kind *bw_chart_find(const char *name) {
    for (const bw_chart_kind *k = BW_CHARTS; k->name; k++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

bw_status bw_chart_build(const bw_shop *s, const bw_chart_kind *kind, double width, bw_chart *out,
                         bw_err *err) {
    bool narrow = width < 600;
    *out = (bw_chart){.name = kind->name,
                      .shop = s,
                      .narrow = narrow,
                      .left = narrow ? 6 : 18,
                      .right = narrow ? width - 6 : width - 18,
                      .title = "",
                      .subtitle = ""};
    out->canvas = bw_canvas_new(width);
    if (!out->canvas)
        return bw_fail_memory(err);
    bw_status st = kind->build(out, err);
    if (st == BW_OK && (!bw_canvas_ok(out->canvas) || !bw_arena_ok(s->arena)))
        st = bw_fail_memory(err);
    if (st != BW_OK)
        bw_chart_free(out);
    return st;
}

void bw_chart_free(bw_chart *ch) {
    bw_canvas_free(ch->canvas);
    ch->canvas = NULL;
}

const char *bw_chart_font(const bw_shop *s) {
    return bw_word(s->locale, "font.family");
}

const char *bw_chart_font_stack(const bw_shop *s) {
    return bw_word(s->locale, "font.stack");
}

/* ---- table ---- */

bw_cell bw_text_cell(const char *text) {
    return (bw_cell){.text = text, .value = NAN};
}

bw_cell bw_number_cell(double value, bw_unit unit) {
    return (bw_cell){.value = value, .unit = unit};
}

void bw_chart_columns(bw_chart *ch, size_t columns, ...) {
    const char **heads = bw_arena_get(ch->shop->arena, columns * sizeof *heads);
    va_list args;
    va_start(args, columns);
    for (size_t i = 0; i < columns; i++)
        heads[i] = va_arg(args, const char *);
    va_end(args);
    ch->table = (bw_table){.heads = heads, .columns = columns};
}

void bw_chart_row(bw_chart *ch, ...) {
    bw_table *t = &ch->table;
    va_list args;
    va_start(args, ch);
    for (size_t i = 0; i < t->columns; i++) {
        t->cells =
            bw_arena_grow(ch->shop->arena, t->cells, t->rows * t->columns + i, sizeof *t->cells);
        t->cells[t->rows * t->columns + i] = va_arg(args, bw_cell);
    }
    va_end(args);
    t->rows++;
}

static void tsv_text(bw_buf *out, const char *text) {
    for (; *text; text++)
        bw_buf_add_n(out, (unsigned char)*text < 32 ? " " : text, 1);
}

void bw_chart_tsv(const bw_chart *ch, bw_buf *out) {
    const bw_table *t = &ch->table;
    for (size_t i = 0; i < t->columns; i++) {
        bw_buf_add(out, i ? "\t" : "");
        tsv_text(out, t->heads[i]);
    }
    bw_buf_add(out, "\n");
    for (size_t k = 0; k < t->rows * t->columns; k++) {
        const bw_cell *c = &t->cells[k];
        if (c->text)
            tsv_text(out, c->text);
        else if (isfinite(c->value))
            bw_buf_addf(out, "%.10g", c->value == 0 ? 0.0 : c->value);
        bw_buf_add(out, (k + 1) % t->columns ? "\t" : "\n");
    }
}

/* ---- text ---- */

void bw_chart_text(bw_chart *ch, double x, double y, bw_align align, double size, bool bold,
                   bw_colour colour, const char *text) {
    bw_canvas_text(ch->canvas, x, y, (bw_style){size, bold, colour, align}, text);
}

/* Widths are those of Inter; Latin letters of the Chinese font are a little wider. */
static double room_in(const bw_chart *ch, double width) {
    return strcmp(bw_locale_lang(ch->shop->locale), "zh") == 0 ? 0.92 * width : width;
}

double bw_chart_text_width(const bw_chart *ch, const char *text, double size, bool bold) {
    return bw_font_width(text, size, bold) / room_in(ch, 1) + 0.01; /* and what rounding may lose */
}

void bw_chart_text_in(bw_chart *ch, double x, double y, double width, bw_align align, double size,
                      bool bold, bw_colour colour, const char *text) {
    char cut[256];
    bw_font_fit(text, size, bold, room_in(ch, width), cut, sizeof cut);
    bw_chart_text(ch, x, y, align, size, bold, colour, cut);
}

static double paragraph(bw_chart *ch, const char *text, double y, double size, bool bold,
                        bw_colour colour) {
    char lines[4][256];
    size_t n = bw_font_wrap(text, size, bold, room_in(ch, ch->right - ch->left), lines, 4);
    for (size_t i = 0; i < n; i++, y += size * 1.36)
        bw_chart_text(ch, ch->left, y, BW_LEFT, size, bold, colour, lines[i]);
    return y;
}

void bw_chart_head(bw_chart *ch, const bw_message *title, const bw_message *subtitle) {
    double big = ch->narrow ? 15.5 : BW_TITLE_SIZE, small = ch->narrow ? 12.5 : BW_SUB_SIZE;
    ch->title = bw_shop_say(ch->shop, title);
    ch->subtitle = bw_shop_say(ch->shop, subtitle);
    bw_canvas_page(ch->canvas);
    double y = paragraph(ch, ch->title, big * 1.3, big, true, BW_INK);
    ch->y = paragraph(ch, ch->subtitle, y + small * 0.25, small, false, BW_MUTED) + 6;
}

/* ---- axes ---- */

static double tick_step(double span, size_t want) {
    double raw = span / (double)(want ? want : 1), unit = pow(10, floor(log10(raw)));
    double over = raw / unit;
    return unit * (over <= 1.0001 ? 1 : over <= 2.0001 ? 2 : over <= 5.0001 ? 5 : 10);
}

size_t bw_ticks(double lo, double hi, size_t want, double *out) {
    if (!(hi > lo))
        return 0;
    double step = tick_step(hi - lo, want);
    size_t n = 0;
    for (double k = ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9 && n < 16; k++)
        out[n++] = k == 0 ? 0 : k * step;
    return n;
}

void bw_nice_range(double *lo, double *hi, size_t want) {
    if (!(*hi > *lo))
        *hi = *lo + fmax(fabs(*lo) * 0.1, 1);
    double step = tick_step(*hi - *lo, want);
    *lo = floor(*lo / step + 1e-9) * step;
    *hi = ceil(*hi / step - 1e-9) * step;
}

/* All ticks of an axis share scale and decimals; zero is written without either. */
static const char *tick_label(const bw_chart *ch, double x, double step, double top, bw_unit unit) {
    bw_number style = {
        .unit = unit, .place = (int)floor(log10(step) + 1e-9), .scale_of = top, .compact = true};
    if (x == 0)
        return "0";
    return bw_shop_format(ch->shop, x, &style);
}

void bw_axis_y(bw_chart *ch, const bw_panel *p, bw_unit unit, size_t want) {
    double ticks[16];
    size_t n = bw_ticks(p->y0, p->y1, want, ticks);
    double top = fmax(fabs(p->y0), fabs(p->y1));
    bw_canvas_page(ch->canvas);
    for (size_t i = 0; i < n; i++) {
        double y = bw_panel_y(p, ticks[i]);
        bw_canvas_segment(ch->canvas, p->left, y, p->right, y, 1, BW_SOLID, BW_GRID);
        if (unit != BW_UNLABELLED)
            bw_chart_text(ch, p->left - 8, y, BW_RIGHT, ch->narrow ? BW_SMALL_SIZE : BW_TICK_SIZE,
                          false, BW_MUTED,
                          tick_label(ch, ticks[i], n > 1 ? ticks[1] - ticks[0] : 1, top, unit));
    }
}

double bw_axis_left(const bw_chart *ch, double least, double y0, double y1, bw_unit unit,
                    size_t want) {
    double ticks[16], left = least;
    size_t n = bw_ticks(y0, y1, want, ticks);
    for (size_t i = 0; i < n; i++) {
        const char *label = tick_label(ch, ticks[i], n > 1 ? ticks[1] - ticks[0] : 1,
                                       fmax(fabs(y0), fabs(y1)), unit);
        double size = ch->narrow ? BW_SMALL_SIZE : BW_TICK_SIZE;
        left = fmax(left, bw_font_width(label, size, false) + 8 + EDGE_AIR);
    }
    return left;
}

void bw_axis_x(bw_chart *ch, const bw_panel *p, bw_unit unit, size_t want) {
    double ticks[16];
    size_t n = bw_ticks(p->x0, p->x1, want, ticks);
    double top = fmax(fabs(p->x0), fabs(p->x1));
    bw_canvas_page(ch->canvas);
    for (size_t i = 0; i < n; i++) {
        double x = bw_panel_x(p, ticks[i]);
        bw_canvas_segment(ch->canvas, x, p->top, x, p->bottom, 1, BW_SOLID, BW_GRID);
        const char *label = tick_label(ch, ticks[i], n > 1 ? ticks[1] - ticks[0] : 1, top, unit);
        double size = ch->narrow ? BW_SMALL_SIZE : BW_TICK_SIZE;
        double most = ch->right - bw_font_width(label, size, false) / 2; /* the last one's place */
        bw_chart_text(ch, fmin(x, most), p->bottom + 18, BW_CENTER, size, false, BW_MUTED, label);
    }
}

static void day_tick(bw_chart *ch, const bw_panel *p, int day, bool month) {
    char iso[11];
    bw_buf text = {0};
    bw_day_text(day, iso);
    if (month)
        bw_format_month(ch->shop->locale, &text, iso);
    else
        bw_format_day(ch->shop->locale, &text, iso, false);
    if (text.text)
        bw_chart_text(ch, bw_panel_x(p, (double)day), p->bottom + 20, BW_CENTER,
                      ch->narrow ? BW_SMALL_SIZE : BW_TICK_SIZE, false, BW_MUTED, text.text);
    bw_buf_free(&text);
}

static bool first_of_month(int day) {
    char iso[11];
    bw_day_text(day, iso);
    return iso[8] == '0' && iso[9] == '1';
}

void bw_axis_days(bw_chart *ch, const bw_panel *p) {
    double span = p->x1 - p->x0, wanted = (p->right - p->left) / (ch->narrow ? 58 : 78);
    bw_canvas_page(ch->canvas);
    if (span < 100) {
        int step = 7 * (int)ceil(span / 7 / fmax(wanted, 1));
        for (int day = (int)p->x0; day <= (int)p->x1; day += step > 0 ? step : 7)
            day_tick(ch, p, day, false);
        return;
    }
    long every = (long)ceil(span / 30.4 / fmax(wanted, 1)), month = 0;
    for (int day = (int)ceil(p->x0); day <= (int)p->x1; day++)
        if (first_of_month(day) && month++ % every == 0 &&
            bw_panel_x(p, (double)day) < p->right - 8)
            day_tick(ch, p, day, true);
}
