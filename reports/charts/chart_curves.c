/* reports/charts/chart_curves.c - response curves, one small panel a channel. */
#include "reports/advice/candidates.h"
#include "reports/charts/chart.h"

#include <math.h>
#include <stdio.h>

/* ---- response curves ---- */

#define PANELS_MOST 9
#define UNLIKE      3 /* from this ratio on, largest to smallest, panels get their own axes */

typedef struct {
    const char **name;
    double *now, *planned, *next, *p, *top; /* top: largest weekly spend drawn */
    size_t n;
} curve_list;

typedef struct {
    double *x, *mean, *lo, *hi, *seen;
    size_t n;
} curve_points;

static bw_status read_curve_list(const bw_chart *ch, curve_list *d, bw_err *err) {
    /* Spend now: the plan's, or the average of the last four weeks. */
    char *sql = sqlite3_mprintf("SELECT c.subject, coalesce((SELECT mean FROM estimate WHERE run = "
                                "%lld AND name = 'spend_now' AND subject = c.subject AND at = ''), "
                                "(SELECT sum(cost) / 4 FROM channel_week WHERE channel = c.subject "
                                "AND week BETWEEN date(?2, '-21 days') AND ?2)), "
                                "(SELECT mean FROM estimate WHERE run = %lld AND name = "
                                "'spend_planned' AND subject = c.subject AND at = ''), "
                                "m.mean, m.probability, max(c.x) FROM curve c "
                                "LEFT JOIN estimate m ON m.run = c.run AND m.name = "
                                "'marginal_roas' AND m.subject = c.subject AND m.at = '' "
                                "LEFT JOIN estimate s ON s.run = c.run AND s.name = 'spend' AND "
                                "s.subject = c.subject AND s.at = '' "
                                "WHERE c.run = ?1 AND c.name = 'response' GROUP BY c.subject ORDER "
                                "BY coalesce(s.mean, 0) DESC, c.subject LIMIT %d",
                                (long long)ch->shop->runs.plan, (long long)ch->shop->runs.plan,
                                PANELS_MOST);
    bw_status st =
        sql ? bw_query(ch->shop, "tnnnnn", &d->n, err, sql, ch->shop->runs.fit, ch->shop->week,
                       &d->name, &d->now, &d->planned, &d->next, &d->p, &d->top)
            : bw_fail_memory(err);
    sqlite3_free(sql);
    if (st == BW_OK && d->n == 0)
        return bw_fail(err, BW_EDATA,
                       "no response curve has been fitted yet; 'bellwether fit' does it");
    for (size_t i = 0; i < d->n && ch->shop->outcome_unit[0] != 'm'; i++)
        d->p[i] = NAN; /* whether an order pays for its euro is not known */
    return st;
}

static bw_status read_curve(const bw_chart *ch, const char *name, curve_points *c, bw_err *err) {
    return bw_query(ch->shop, "nnnnn", &c->n, err,
                    "SELECT x, mean, lo, hi, seen FROM curve WHERE run = ?1 AND name = 'response' "
                    "AND subject = ?2 ORDER BY x",
                    ch->shop->runs.fit, name, &c->x, &c->mean, &c->lo, &c->hi, &c->seen);
}

/* Best next return first, so that panels read from room to none. */
static void sort_by_next(curve_list *d) {
    for (size_t i = 1; i < d->n; i++)
        for (size_t k = i; k > 0; k--) {
            double a = isfinite(d->next[k - 1]) ? d->next[k - 1] : -INFINITY,
                   b = isfinite(d->next[k]) ? d->next[k] : -INFINITY;
            if (a >= b)
                break;
            const char *name = d->name[k];
            d->name[k] = d->name[k - 1];
            d->name[k - 1] = name;
            double *const COLUMNS[] = {d->now, d->planned, d->next, d->p, d->top};
            for (size_t c = 0; c < 5; c++) {
                double x = COLUMNS[c][k];
                COLUMNS[c][k] = COLUMNS[c][k - 1];
                COLUMNS[c][k - 1] = x;
            }
        }
}

static double value_at(const curve_points *c, double x) {
    for (size_t i = 1; i < c->n; i++)
        if (x <= c->x[i]) {
            double span = c->x[i] - c->x[i - 1];
            double w = span > 0 ? (x - c->x[i - 1]) / span : 0;
            return c->mean[i - 1] + w * (c->mean[i] - c->mean[i - 1]);
        }
    return c->n ? c->mean[c->n - 1] : NAN;
}

static void curves_title(bw_chart *ch, const curve_list *d, bool own_axes) {
    const char **room = bw_arena_get(ch->shop->arena, 2 * sizeof *room),
               **past = bw_arena_get(ch->shop->arena, 2 * sizeof *past);
    size_t n_room = 0, n_past = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->p[i] >= 0.9 && n_room < 2)
            room[n_room++] = bw_shop_channel(ch->shop, d->name[i]);
        if (d->p[d->n - 1 - i] <= 0.1 && n_past < 2)
            past[n_past++] = bw_shop_channel(ch->shop, d->name[d->n - 1 - i]);
    }
    bool money = ch->shop->outcome_unit[0] == 'm';
    bw_message title = {.key = !money             ? "chart.curves.count"
                               : n_room && n_past ? "chart.curves.both"
                               : n_room           ? "chart.curves.room"
                               : n_past           ? "chart.curves.past"
                                                  : "chart.curves.none"};
    bw_message_names(&title, "room", room, n_room);
    bw_message_names(&title, "past", past, n_past);
    bw_message subtitle = {.key = own_axes ? "chart.curves.subtitle_own" : "chart.curves.subtitle"};
    bw_chart_head(ch, &title, &subtitle);
}

static void curve_head(bw_chart *ch, const bw_panel *p, const curve_list *d, size_t i) {
    const bw_shop *s = ch->shop;
    const char *right = "";
    bw_colour colour = d->p[i] >= 0.9 ? BW_GOOD_TEXT : d->p[i] <= 0.1 ? BW_BAD_TEXT : BW_MUTED;
    if (isfinite(d->next[i])) {
        bw_number style =
            bw_number_style(d->next[i], 0, 2 * fabs(d->next[i]), bw_unit_named(s->return_unit));
        bw_message m = {.key = "chart.curves.next"};
        bw_message_text(&m, "value", bw_shop_format(s, d->next[i], &style));
        right = bw_shop_phrase(s, &m);
    }
    double room = p->right - p->left - bw_font_width(right, BW_TICK_SIZE, false) - 12;
    bw_chart_text_in(ch, p->left + 2, p->top - 18, room, BW_LEFT, BW_LABEL_SIZE, true, BW_INK,
                     bw_shop_title(s, bw_shop_channel(s, d->name[i])));
    bw_chart_text(ch, p->right, p->top - 18, BW_RIGHT, BW_TICK_SIZE, false, colour, right);
}

static void draw_curve(bw_chart *ch, const bw_panel *p, const curve_points *c, const curve_list *d,
                       size_t i) {
    bool bad = d->p[i] <= 0.1;
    bw_colour line = bad ? BW_BAD : BW_GOOD;
    size_t seen = 0;
    while (seen < c->n && c->seen[seen] > 0)
        seen++;
    bw_canvas_panel(ch->canvas, p);
    double *lo = bw_arena_get(ch->shop->arena, 2 * c->n * sizeof *lo), *hi = lo + c->n;
    for (size_t k = 0; k < c->n; k++) {
        lo[k] = fmin(fmax(c->lo[k], p->y0), p->y1);
        hi[k] = fmax(fmin(c->hi[k], p->y1), p->y0);
    }
    bw_canvas_band(ch->canvas, c->x, lo, hi, c->n, bad ? BW_BAD_BAND : BW_GOOD_BAND);
    bw_canvas_page(ch->canvas);
    bw_canvas_segment(ch->canvas, p->left, p->bottom, p->right, p->bottom, 1, BW_SOLID, BW_AXIS);
    bw_canvas_panel(ch->canvas, p);
    bw_canvas_line(ch->canvas, c->x, c->mean, seen, 2.6, BW_SOLID, line);
    size_t from = seen ? seen - 1 : 0;
    if (from < c->n)
        bw_canvas_line(ch->canvas, c->x + from, c->mean + from, c->n - from, 1.8, BW_DASHED, line);
    bw_canvas_page(ch->canvas);
    double now_x = bw_panel_x(p, d->now[i]), now_y = bw_panel_y(p, value_at(c, d->now[i]));
    if (isfinite(d->planned[i]) && isfinite(now_x)) {
        double x = bw_panel_x(p, d->planned[i]), y = bw_panel_y(p, value_at(c, d->planned[i]));
        if (hypot(x - now_x, y - now_y) > 4) {
            bw_canvas_segment(ch->canvas, now_x, now_y, x, y, 2, BW_SOLID, BW_INK);
            bw_canvas_mark(ch->canvas, x, y, BW_RING, 9, BW_INK);
        }
    }
    bw_canvas_mark(ch->canvas, now_x, now_y, BW_DISC, 8.5, BW_INK);
}

/* Writes a legend's text behind its mark and returns where the next mark may stand. */
static double legend_text(bw_chart *ch, double x, const char *text) {
    bw_chart_text(ch, x + 10, ch->y + 4, BW_LEFT, BW_SMALL_SIZE, false, BW_MUTED, text);
    return x + 10 + bw_font_width(text, BW_SMALL_SIZE, false) + 22;
}

static void curves_legend(bw_chart *ch, bool planned) {
    double y = ch->y + 4, x = ch->left + 6;
    bw_canvas_mark(ch->canvas, x, y, BW_DISC, 8.5, BW_INK);
    x = legend_text(ch, x, bw_shop_word(ch->shop, "chart.now"));
    if (planned) {
        bw_canvas_mark(ch->canvas, x, y, BW_RING, 9, BW_INK);
        x = legend_text(ch, x, bw_shop_word(ch->shop, "chart.advised"));
    }
    if (ch->shop->outcome_unit[0] == 'm') {
        bw_canvas_segment(ch->canvas, x - 6, y, x + 16, y, 1.5, BW_DOTTED, BW_SLATE);
        legend_text(ch, x + 12, bw_chart_break_even(ch));
    }
    ch->y += 22;
}

static void curves_table(bw_chart *ch, const curve_list *d, const curve_points *c) {
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    bw_chart_columns(ch, 6, bw_shop_word(ch->shop, "table.channel"),
                     bw_shop_word(ch->shop, "table.spend"), bw_shop_word(ch->shop, "table.earned"),
                     bw_shop_word(ch->shop, "table.low"), bw_shop_word(ch->shop, "table.high"),
                     bw_shop_word(ch->shop, "table.seen"));
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < c[i].n; k++)
            bw_chart_row(
                ch, bw_text_cell(bw_shop_channel(ch->shop, d->name[i])),
                bw_number_cell(c[i].x[k], BW_MONEY), bw_number_cell(c[i].mean[k], unit),
                bw_number_cell(c[i].lo[k], unit), bw_number_cell(c[i].hi[k], unit),
                bw_text_cell(bw_shop_word(ch->shop, c[i].seen[k] > 0 ? "word.yes" : "word.no")));
}

/* The range of each panel: [0, x] by [0, y]. Channels of very different size get axes of their own,
 * or the small ones would lie flat on the ground. */
typedef struct {
    double *x, *y;
    bool own;
} curve_axes;

/* High enough for the curve and for the band where there is data; the rest of the band is cut. */
static double curve_top(const curve_points *c) {
    double top = 0;
    for (size_t k = 0; k < c->n; k++)
        top = fmax(top, fmax(c->mean[k] * 1.15, c->seen[k] > 0 ? c->hi[k] : 0));
    return top;
}

static curve_axes scale_axes(const bw_chart *ch, const curve_list *d, const curve_points *c) {
    curve_axes a = {.x = bw_arena_get(ch->shop->arena, 2 * d->n * sizeof *a.x)};
    a.y = a.x + d->n;
    double wide = 0, thin = INFINITY, high = 0, low = INFINITY;
    for (size_t i = 0; i < d->n; i++) {
        a.x[i] = d->top[i];
        a.y[i] = curve_top(&c[i]);
        wide = fmax(wide, a.x[i]);
        thin = fmin(thin, a.x[i]);
        high = fmax(high, a.y[i]);
        low = fmin(low, a.y[i]);
    }
    a.own = wide > UNLIKE * thin || high > UNLIKE * low;
    for (size_t i = 0; i < d->n; i++) {
        double zero = 0;
        a.x[i] = a.own ? a.x[i] : wide;
        a.y[i] = a.own ? a.y[i] : high;
        bw_nice_range(&zero, &a.y[i], 3);
    }
    return a;
}

/* The dotted ray on which a channel brings back just what is spent: above it, it earns. */
static void curve_break_even(bw_chart *ch, const bw_panel *p) {
    double slope = 1 / ch->shop->margin, x = fmin(p->x1, p->y1 / slope);
    bw_canvas_segment(ch->canvas, bw_panel_x(p, 0), bw_panel_y(p, 0), bw_panel_x(p, x),
                      bw_panel_y(p, x * slope), 1.3, BW_DOTTED, BW_SLATE);
}

static void draw_curves(bw_chart *ch, const curve_list *d, const curve_points *c) {
    curve_axes a = scale_axes(ch, d, c);
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    size_t columns = ch->narrow ? 1 : d->n < 3 ? d->n : 3;
    double left = ch->narrow ? 52 : 60;
    for (size_t i = 0; i < d->n; i++)
        left = bw_axis_left(ch, left, 0, a.y[i], unit, 3);
    double gap = a.own ? left + 12 : 34,
           width = (ch->right - left - gap * (double)(columns - 1)) / (double)columns;
    double height = ch->narrow ? 130 : 174, pitch = height + 78;
    for (size_t i = 0; i < d->n; i++) {
        double x = left + (width + gap) * (double)(i % columns),
               y = ch->y + 34 + pitch * (double)(i / columns);
        bw_panel p = {x, y, x + width, y + height, 0, a.x[i], 0, a.y[i]};
        bw_axis_y(ch, &p, i % columns && !a.own ? BW_UNLABELLED : unit, 3);
        bw_axis_x(ch, &p, BW_MONEY, 3);
        curve_head(ch, &p, d, i);
        draw_curve(ch, &p, &c[i], d, i);
        if (unit == BW_MONEY)
            curve_break_even(ch, &p);
    }
    bw_canvas_page(ch->canvas);
    bw_canvas_set_height(ch->canvas,
                         ch->y + 34 + pitch * (double)((d->n + columns - 1) / columns) - 34);
}

bw_status bw_chart_curves(bw_chart *ch, bw_err *err) {
    curve_list d = {0};
    bw_status st = read_curve_list(ch, &d, err);
    if (st != BW_OK)
        return st;
    sort_by_next(&d);
    curve_points *c = bw_arena_get(ch->shop->arena, d.n * sizeof *c);
    double stability;
    bool planned = false, advised = bw_budget_worth(ch->shop, &stability) > 0;
    for (size_t i = 0; i < d.n && st == BW_OK; i++) {
        if (!advised) /* a plan that is not certain enough is no recommendation */
            d.planned[i] = NAN;
        st = read_curve(ch, d.name[i], &c[i], err);
        planned = planned || isfinite(d.planned[i]);
    }
    if (st != BW_OK)
        return st;
    curves_title(ch, &d, scale_axes(ch, &d, c).own);
    curves_legend(ch, planned);
    draw_curves(ch, &d, c);
    curves_table(ch, &d, c);
    return BW_OK;
}
