/* reports/charts/chart_sources.c - where the outcome comes from, week by week. */
#include "reports/charts/chart.h"

#include "sql/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* "Search  €61k": a source and what it brought in the last week; top: of the axis. */
static const char *source_label(const bw_chart *ch, const source *src, size_t weeks, double top) {
    bw_number style = {.unit = bw_unit_named(ch->shop->outcome_unit),
                       .scale_of = top,
                       .place = (int)floor(log10(top)) - 2};
    return bw_arena_textf(ch->shop->arena, "%s  %s", bw_shop_title(ch->shop, src->label),
                          bw_shop_format(ch->shop, src->value[weeks - 1], &style));
}

static double label_size(const bw_chart *ch) {
    return ch->narrow ? BW_SMALL_SIZE : BW_VALUE_SIZE;
}

/* Room for the labels, as far as the areas leave it. */
static double label_room(const bw_chart *ch, const source *src, size_t count, size_t weeks,
                         double top) {
    double room = 60;
    for (size_t i = 0; i < count; i++)
        room = fmax(room, bw_chart_text_width(ch, source_label(ch, &src[i], weeks, top),
                                              label_size(ch), true) +
                              8);
    return fmin(room, (ch->right - ch->left) * 0.36);
}

/* Labels right of the areas, moved apart where areas are thin. */
static void source_labels(bw_chart *ch, const bw_panel *p, const source *src, size_t count,
                          const double *mid, size_t weeks) {
    double *y = bw_arena_get(ch->shop->arena, count * sizeof *y);
    double size = label_size(ch), gap = size * 1.3;
    for (size_t i = 0; i < count; i++)
        y[i] = bw_panel_y(p, mid[i]);
    for (size_t i = 1; i < count; i++) /* the stack grows upwards: y falls */
        y[i] = fmin(y[i], y[i - 1] - gap);
    double over = fmax(0, p->top - 4 - y[count - 1]);
    for (size_t i = count; i-- > 0 && over > 0;) {
        y[i] += over;
        over = i ? fmax(0, y[i] + gap - y[i - 1]) : 0;
    }
    for (size_t i = 0; i < count; i++)
        bw_chart_text_in(ch, p->right + 8, y[i], ch->right - p->right - 8, BW_LEFT, size, true,
                         bw_text_colour(src[i].colour), source_label(ch, &src[i], weeks, p->y1));
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
    double top = 0, zero = 0, *mid = bw_arena_get(ch->shop->arena, count * sizeof *mid);
    for (size_t w = 0; w < weeks; w++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += src[i].value[w];
        top = fmax(top, sum);
    }
    bw_nice_range(&zero, &top, 4);
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    bw_panel p = {bw_axis_left(ch, ch->narrow ? 52 : 66, zero, top, unit, 4),
                  ch->y + 10,
                  ch->right - label_room(ch, src, count, weeks, top),
                  ch->y + (ch->narrow ? 270 : 376),
                  days[0],
                  days[weeks - 1],
                  zero,
                  top};
    bw_axis_y(ch, &p, unit, 4);
    bw_axis_days(ch, &p);
    draw_sources(ch, &p, src, count, days, weeks, mid);
    bw_canvas_page(ch->canvas);
    source_labels(ch, &p, src, count, mid, weeks);
    sources_table(ch, src, count, days, weeks);
    bw_canvas_set_height(ch->canvas, p.bottom + 38);
    return BW_OK;
}
