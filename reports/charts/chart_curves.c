/* reports/charts/chart_curves.c - response curves, and the outcome by source over time. */
#include "reports/charts/chart.h"

#include "sql/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- response curves ---- */

#define PANELS_MOST 9

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
    bw_message title = {.key = n_room && n_past ? "chart.curves.both"
                               : n_room         ? "chart.curves.room"
                               : n_past         ? "chart.curves.past"
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
            bw_number_style(d->next[i], 0, 2 * fabs(d->next[i]), bw_unit_named(s->outcome_unit));
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

static void curves_legend(bw_chart *ch, bool planned) {
    const char *now = bw_shop_word(ch->shop, "chart.now"),
               *advised = bw_shop_word(ch->shop, "chart.advised");
    double y = ch->y + 4, x = ch->left + 6;
    bw_canvas_mark(ch->canvas, x, y, BW_DISC, 8.5, BW_INK);
    bw_chart_text(ch, x + 10, y, BW_LEFT, BW_SMALL_SIZE, false, BW_MUTED, now);
    if (planned) {
        x += 10 + bw_font_width(now, BW_SMALL_SIZE, false) + 22;
        bw_canvas_mark(ch->canvas, x, y, BW_RING, 9, BW_INK);
        bw_chart_text(ch, x + 10, y, BW_LEFT, BW_SMALL_SIZE, false, BW_MUTED, advised);
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

bw_status bw_chart_curves(bw_chart *ch, bw_err *err) {
    curve_list d = {0};
    bw_status st = read_curve_list(ch, &d, err);
    if (st != BW_OK)
        return st;
    sort_by_next(&d);
    curve_points *c = bw_arena_get(ch->shop->arena, d.n * sizeof *c);
    double top = 0, widest = 0, thinnest = INFINITY, y0 = 0;
    bool planned = false;
    for (size_t i = 0; i < d.n && st == BW_OK; i++) {
        st = read_curve(ch, d.name[i], &c[i], err);
        widest = fmax(widest, d.top[i]);
        thinnest = fmin(thinnest, d.top[i]);
        planned = planned || isfinite(d.planned[i]);
        for (size_t k = 0; k < c[i].n; k++)
            top = fmax(top, fmax(c[i].mean[k] * 1.15, c[i].seen[k] > 0 ? c[i].hi[k] : 0));
    }
    if (st != BW_OK)
        return st;
    bool own = widest > 3 * thinnest;
    curves_title(ch, &d, own);
    curves_legend(ch, planned);
    bw_nice_range(&y0, &top, 3);
    size_t columns = ch->narrow ? 1 : d.n < 3 ? d.n : 3;
    double left = ch->narrow ? 52 : 60, gap = 34,
           width = (ch->right - left - gap * (double)(columns - 1)) / (double)columns;
    double height = ch->narrow ? 130 : 174, pitch = height + 78;
    for (size_t i = 0; i < d.n; i++) {
        double x = left + (width + gap) * (double)(i % columns),
               y = ch->y + 34 + pitch * (double)(i / columns);
        bw_panel p = {x, y, x + width, y + height, 0, own ? d.top[i] : widest, 0, top};
        bw_axis_y(ch, &p, i % columns ? BW_UNLABELLED : bw_unit_named(ch->shop->outcome_unit), 3);
        bw_axis_x(ch, &p, BW_MONEY, 3);
        curve_head(ch, &p, &d, i);
        draw_curve(ch, &p, &c[i], &d, i);
    }
    curves_table(ch, &d, c);
    bw_canvas_page(ch->canvas);
    bw_canvas_set_height(ch->canvas,
                         ch->y + 34 + pitch * (double)((d.n + columns - 1) / columns) - 34);
    return BW_OK;
}

/* ---- where the outcome comes from ---- */

#define SOURCE_WEEKS 26
#define SOURCES_MOST 6

typedef struct {
    const char **week, **part;
    double *value;
    size_t n;
} parts;

typedef struct {
    const char *label;
    double *value; /* [weeks] */
    bw_colour colour;
} source;

/* The channels that brought most, in that order; everything that is no channel is the baseline. */
static bw_status read_parts(const bw_chart *ch, parts *d, const char ***channel, double **size,
                            size_t *n, bw_err *err) {
    bw_status st = bw_query(ch->shop, "ttn", &d->n, err,
                            "SELECT at, CASE WHEN subject LIKE '\\_%' ESCAPE '\\' THEN '' ELSE "
                            "subject END AS part, sum(mean) FROM estimate "
                            "WHERE run = ?1 AND name = 'decomposition' AND at <= ?2 AND at > "
                            "date(?2, '-182 days') GROUP BY at, part ORDER BY at, part",
                            ch->shop->runs.fit, ch->shop->week, &d->week, &d->part, &d->value);
    if (st == BW_OK && d->n == 0)
        return bw_fail(err, BW_EDATA,
                       "the outcome has not been taken apart yet; 'bellwether fit' does it");
    if (st != BW_OK)
        return st;
    return bw_query(ch->shop, "tn", n, err,
                    "SELECT subject, sum(mean) FROM estimate WHERE run = ?1 AND name = "
                    "'decomposition' AND at <= ?2 "
                    "AND at > date(?2, '-182 days') AND subject NOT LIKE '\\_%' ESCAPE '\\' GROUP "
                    "BY subject ORDER BY 2 DESC, 1",
                    ch->shop->runs.fit, ch->shop->week, channel, size);
}

static size_t source_of(const parts *d, size_t row, const char *const *channel, size_t n,
                        bool others) {
    if (!*d->part[row])
        return 0;
    size_t shown = others ? SOURCES_MOST - 1 : n;
    for (size_t i = 0; i < n; i++)
        if (strcmp(channel[i], d->part[row]) == 0)
            return i < shown ? i + 1 : shown + 1;
    return 0;
}

static size_t stack_sources(const bw_chart *ch, const parts *d, const char *const *channel,
                            size_t n, double *days, size_t weeks, source *out) {
    bool others = n > SOURCES_MOST;
    size_t count = 1 + (others ? SOURCES_MOST : n);
    for (size_t i = 0; i < count; i++) {
        bool last = others && i == count - 1;
        out[i].label = i == 0 ? bw_shop_word(ch->shop, "part.base")
                       : last ? bw_shop_word(ch->shop, "part.other_channels")
                              : bw_shop_channel(ch->shop, channel[i - 1]);
        out[i].colour = i == 0 ? BW_BASE : bw_series_colour(i - 1);
        out[i].value = bw_arena_get(ch->shop->arena, weeks * sizeof(double));
    }
    for (size_t row = 0, w = 0; row < d->n; row++) {
        if (row && strcmp(d->week[row], d->week[row - 1]) != 0)
            w++;
        days[w] = (double)bw_iso_day(d->week[row]);
        out[source_of(d, row, channel, n, others)].value[w] += fmax(d->value[row], 0);
    }
    return count;
}

static void sources_title(bw_chart *ch) {
    const bw_fact *up = bw_fact_find(ch->shop->facts, "source.up", ""),
                  *down = bw_fact_find(ch->shop->facts, "source.down", "");
    bw_message title = {.key = up && down ? "chart.sources.both"
                               : up       ? "chart.sources.up"
                               : down     ? "chart.sources.down"
                                          : "chart.sources.steady"};
    if (up) {
        bw_message_fact(&title, "rise", up);
        bw_message_name(&title, "riser", bw_shop_channel(ch->shop, up->at));
    }
    if (down) {
        bw_message_fact(&title, "fall", down);
        bw_message_name(&title, "faller", bw_shop_channel(ch->shop, down->at));
    }
    bw_message subtitle = {.key = "chart.sources.subtitle"};
    bw_chart_head(ch, &title, &subtitle);
}

/* Labels right of the areas, moved apart where areas are thin. */
static void source_labels(bw_chart *ch, const bw_panel *p, const source *src, size_t count,
                          const double *mid) {
    double *y = bw_arena_get(ch->shop->arena, count * sizeof *y);
    double size = ch->narrow ? BW_SMALL_SIZE : BW_VALUE_SIZE, gap = size * 1.3;
    for (size_t i = 0; i < count; i++)
        y[i] = bw_panel_y(p, mid[i]);
    for (size_t i = 1; i < count; i++) /* the stack grows upwards: y falls */
        y[i] = fmin(y[i], y[i - 1] - gap);
    double over = fmax(0, p->top - 4 - y[count - 1]);
    for (size_t i = count; i-- > 0 && over > 0;) {
        y[i] += over;
        over = i ? fmax(0, y[i] + gap - y[i - 1]) : 0;
    }
    for (size_t i = 0; i < count; i++) {
        bw_number style = {.unit = bw_unit_named(ch->shop->outcome_unit),
                           .scale_of = p->y1,
                           .place = (int)floor(log10(p->y1)) - 2};
        const char *value = bw_shop_format(ch->shop, src[i].value[(size_t)mid[count + i]], &style);
        bw_chart_text_in(ch, p->right + 8, y[i], ch->right - p->right - 8, BW_LEFT, size, true,
                         bw_text_colour(src[i].colour),
                         bw_arena_textf(ch->shop->arena, "%s  %s",
                                        bw_shop_title(ch->shop, src[i].label), value));
    }
}

static void sources_table(bw_chart *ch, const source *src, size_t count, const double *days,
                          size_t weeks) {
    bw_chart_columns(ch, 3, bw_shop_word(ch->shop, "table.week"),
                     bw_shop_word(ch->shop, "table.source"),
                     bw_shop_word(ch->shop, "table.outcome"));
    for (size_t w = 0; w < weeks; w++)
        for (size_t i = 0; i < count; i++) {
            char day[11];
            bw_day_text((int)days[w], day);
            bw_chart_row(ch, bw_text_cell(bw_arena_text(ch->shop->arena, day)),
                         bw_text_cell(src[i].label),
                         bw_number_cell(src[i].value[w], bw_unit_named(ch->shop->outcome_unit)));
        }
}

static void draw_sources(bw_chart *ch, const bw_panel *p, const source *src, size_t count,
                         const double *days, size_t weeks, double *mid) {
    double *lo = bw_arena_get(ch->shop->arena, 2 * weeks * sizeof *lo), *hi = lo + weeks;
    bw_canvas_panel(ch->canvas, p);
    for (size_t i = 0; i < count; i++) {
        for (size_t w = 0; w < weeks; w++)
            hi[w] = lo[w] + src[i].value[w];
        bw_canvas_band(ch->canvas, days, lo, hi, weeks, src[i].colour);
        mid[i] = (lo[weeks - 1] + hi[weeks - 1]) / 2;
        mid[count + i] = (double)(weeks - 1);
        bw_canvas_line(ch->canvas, days, hi, weeks, 1.2, BW_SOLID, BW_PAGE);
        memcpy(lo, hi, weeks * sizeof *lo);
    }
}

bw_status bw_chart_sources(bw_chart *ch, bw_err *err) {
    parts d = {0};
    const char **channel = NULL;
    double *size = NULL;
    size_t n = 0, weeks = 1;
    bw_status st = read_parts(ch, &d, &channel, &size, &n, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 1; i < d.n; i++)
        weeks += strcmp(d.week[i], d.week[i - 1]) != 0;
    if (weeks < 2)
        return bw_fail(err, BW_EDATA, "one week is not yet a development");
    double *days = bw_arena_get(ch->shop->arena, weeks * sizeof *days);
    source src[SOURCES_MOST + 2];
    size_t count = stack_sources(ch, &d, channel, n, days, weeks, src);
    sources_title(ch);
    double top = 0, zero = 0, *mid = bw_arena_get(ch->shop->arena, 2 * count * sizeof *mid);
    for (size_t w = 0; w < weeks; w++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += src[i].value[w];
        top = fmax(top, sum);
    }
    bw_nice_range(&zero, &top, 4);
    double label = 60;
    for (size_t i = 0; i < count; i++)
        label = fmax(label,
                     bw_font_width(src[i].label, ch->narrow ? BW_SMALL_SIZE : BW_VALUE_SIZE, true) +
                         (ch->narrow ? 52 : 64));
    label = fmin(label, (ch->right - ch->left) * 0.36);
    bw_panel p = {ch->narrow ? 52 : 66,
                  ch->y + 10,
                  ch->right - label,
                  ch->y + (ch->narrow ? 270 : 376),
                  days[0],
                  days[weeks - 1],
                  zero,
                  top};
    bw_axis_y(ch, &p, bw_unit_named(ch->shop->outcome_unit), 4);
    bw_axis_days(ch, &p);
    draw_sources(ch, &p, src, count, days, weeks, mid);
    bw_canvas_page(ch->canvas);
    source_labels(ch, &p, src, count, mid);
    sources_table(ch, src, count, days, weeks);
    bw_canvas_set_height(ch->canvas, p.bottom + 38);
    return BW_OK;
}
