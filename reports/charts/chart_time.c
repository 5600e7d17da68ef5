/* reports/charts/chart_time.c - when to publish, and where the outcome is heading. */
#include "reports/charts/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- day by hour ---- */

#define INDEX_LOW  0.4 /* the heat scale's ends: 40 and 160 */
#define INDEX_HIGH 1.6

typedef struct {
    const char **at;
    double *index, *n;
    size_t count;
    double width; /* hours of a slot */
    const char *channel;
    const bw_fact *window;
    double floor; /* fewer messages than this say nothing */
} slots;

/* The channel with the most messages that has a window, or else just the most messages. */
static bw_status read_slots(const bw_chart *ch, slots *d, bw_err *err) {
    const char **channel;
    double *size;
    size_t n;
    bw_status st = bw_query(ch->shop, "tn", &n, err,
                            "SELECT subject, sum(n) FROM estimate WHERE run = ?1 AND name = "
                            "'index' GROUP BY subject ORDER BY 2 DESC, 1",
                            ch->shop->runs.timing, NULL, &channel, &size);
    if (st == BW_OK && n == 0)
        return bw_fail(
            err, BW_EDATA,
            ch->shop->has_messages
                ? "the times of messages have not been studied yet; 'bellwether timing' does it"
                : "there are no messages with a time of sending");
    if (st != BW_OK)
        return st;
    d->channel = channel[0];
    for (size_t i = n; i-- > 0;)
        if (bw_fact_find(ch->shop->facts, "window", channel[i]))
            d->channel = channel[i];
    d->window = bw_fact_find(ch->shop->facts, "window", d->channel);
    st = bw_query(ch->shop, "tnn", &d->count, err,
                  "SELECT at, mean, n FROM estimate WHERE run = ?1 AND name = 'index' AND subject "
                  "= ?2 ORDER BY at",
                  ch->shop->runs.timing, d->channel, &d->at, &d->index, &d->n);
    return st;
}

/* Slots are one hour long unless no odd or no intermediate hour occurs. */
static double slot_width(const slots *d) {
    int smallest = 24, day, hour, before = -1, day_before = -1;
    for (size_t i = 0; i < d->count; i++)
        if (sscanf(d->at[i], "%d-%d", &day, &hour) == 2) {
            if (day == day_before && hour > before && hour - before < smallest)
                smallest = hour - before;
            before = hour;
            day_before = day;
        }
    return smallest == 24 ? 1 : smallest;
}

static bw_colour heat(double index) {
    double t = (index - INDEX_LOW) / (INDEX_HIGH - INDEX_LOW) * 11;
    int step = (int)floor(t);
    return (bw_colour)(BW_HEAT0 + (step < 0 ? 0 : step > 10 ? 10 : step));
}

static void timing_title(bw_chart *ch, const slots *d) {
    bw_message title = {.key = d->window ? "chart.timing.window" : "chart.timing.plain"};
    bw_message_name(&title, "channel", bw_shop_channel(ch->shop, d->channel));
    if (d->window) {
        bw_message_text(&title, "when", bw_shop_window(ch->shop, d->window->at));
        bw_message_fact(&title, "index", d->window);
    }
    bw_message subtitle = {.key = "chart.timing.subtitle"};
    bw_message_name(&subtitle, "channel", bw_shop_channel(ch->shop, d->channel));
    bw_chart_head(ch, &title, &subtitle);
}

static void heat_cells(bw_chart *ch, const slots *d, double left, double top, double cell_w,
                       double cell_h) {
    bool filled[7][24] = {{false}};
    double gap = ch->narrow ? 1 : 1.6;
    for (size_t i = 0; i < d->count; i++) {
        int day, hour;
        if (sscanf(d->at[i], "%d-%d", &day, &hour) != 2 || day < 0 || day > 6 || hour < 0 ||
            hour > 23 || !(d->n[i] >= d->floor))
            continue;
        double x = left + cell_w * hour, y = top + cell_h * day;
        filled[day][hour] = true;
        bw_canvas_rect(ch->canvas, x + gap, y + gap, x + cell_w * d->width - gap, y + cell_h - gap,
                       heat(d->index[i]));
    }
    for (int day = 0; day < 7; day++)
        for (int hour = 0; hour < 24; hour += (int)d->width) {
            double x = left + cell_w * hour, y = top + cell_h * day;
            if (filled[day][hour])
                continue;
            bw_canvas_rect(ch->canvas, x + gap, y + gap, x + cell_w * d->width - gap,
                           y + cell_h - gap, BW_FAINT);
            bw_canvas_mark(ch->canvas, x + cell_w * d->width / 2, y + cell_h / 2, BW_DISC, 2.6,
                           BW_AXIS);
        }
}

static void heat_axes(bw_chart *ch, double left, double top, double cell_w, double cell_h) {
    for (int day = 0; day < 7; day++)
        bw_chart_text(ch, left - 10, top + cell_h * (day + 0.5), BW_RIGHT,
                      ch->narrow ? BW_SMALL_SIZE : BW_TICK_SIZE, false, BW_INK,
                      bw_word_nth(ch->shop->locale, "weekday.short", (size_t)day));
    for (int hour = 0; hour < 24; hour += ch->narrow ? 6 : 3) {
        char text[16];
        snprintf(text, sizeof text, "%02d:00", hour);
        bw_chart_text(ch, left + cell_w * hour, top + cell_h * 7 + 14,
                      ch->narrow || hour == 0 ? BW_LEFT : BW_CENTER, BW_SMALL_SIZE + 0.5, false,
                      BW_MUTED, text);
    }
}

static void heat_window(bw_chart *ch, const slots *d, double left, double top, double cell_w,
                        double cell_h) {
    int d0, h0, d1, h1;
    if (!d->window || !bw_window_parse(d->window->at, &d0, &h0, &d1, &h1))
        return;
    bw_canvas_frame(ch->canvas, left + cell_w * h0, top + cell_h * d0, left + cell_w * h1,
                    top + cell_h * (d1 + 1), 2, BW_INK);
}

static void heat_legend(bw_chart *ch, const slots *d, double y) {
    double w = ch->narrow ? 13 : 21, x = ch->right - (ch->narrow ? 40 : 46) - 11 * w;
    if (d->window) {
        bw_message m = {.key = "chart.timing.legend"};
        bw_message_fact(&m, "index", d->window);
        double lx = ch->narrow ? ch->left : 78, ly = ch->narrow ? y + 42 : y;
        bw_canvas_frame(ch->canvas, lx, ly - 8, lx + 24, ly + 8, 2, BW_INK);
        bw_chart_text(ch, lx + 32, ly, BW_LEFT, BW_TICK_SIZE, true, BW_INK,
                      bw_shop_phrase(ch->shop, &m));
    }
    for (int i = 0; i < 11; i++)
        bw_canvas_rect(ch->canvas, x + w * i + 0.5, y - 6, x + w * (i + 1) - 0.5, y + 6,
                       (bw_colour)(BW_HEAT0 + i));
    bw_chart_text(ch, x - 8, y, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED,
                  bw_shop_word(ch->shop, "chart.fewer"));
    bw_chart_text(ch, x + 11 * w + 8, y, BW_LEFT, BW_SMALL_SIZE, false, BW_MUTED,
                  bw_shop_word(ch->shop, "chart.more"));
    bw_chart_text(ch, x + w / 2, y + 17, BW_CENTER, BW_SMALL_SIZE, false, BW_MUTED, "40");
    bw_chart_text(ch, x + w * 5.5, y + 17, BW_CENTER, BW_SMALL_SIZE, false, BW_MUTED, "100");
    bw_chart_text(ch, x + w * 10.5, y + 17, BW_CENTER, BW_SMALL_SIZE, false, BW_MUTED, "160");
}

static void slots_table(bw_chart *ch, const slots *d) {
    const bw_locale *l = ch->shop->locale;
    bw_chart_columns(ch, 4, bw_shop_word(ch->shop, "table.weekday"),
                     bw_shop_word(ch->shop, "table.hour"), bw_shop_word(ch->shop, "table.index"),
                     bw_shop_word(ch->shop, "table.messages"));
    for (size_t i = 0; i < d->count; i++) {
        int day = 0, hour = 0;
        if (sscanf(d->at[i], "%d-%d", &day, &hour) != 2 || day < 0 || day > 6)
            continue;
        bw_chart_row(ch, bw_text_cell(bw_word_nth(l, "weekday.short", (size_t)day)),
                     bw_text_cell(bw_arena_textf(ch->shop->arena, "%02d:00", hour)),
                     bw_number_cell(d->n[i] >= d->floor ? d->index[i] : NAN, BW_INDEX),
                     bw_number_cell(d->n[i], BW_COUNT));
    }
}

bw_status bw_chart_timing(bw_chart *ch, bw_err *err) {
    slots d = {.floor = 3};
    bw_status st = read_slots(ch, &d, err);
    if (st != BW_OK)
        return st;
    d.width = slot_width(&d);
    timing_title(ch, &d);
    double left = ch->narrow ? 44 : 74, top = ch->y + 6, cell_w = (ch->right - left) / 24,
           cell_h = ch->narrow ? 27 : 38.5;
    bw_canvas_page(ch->canvas);
    heat_cells(ch, &d, left, top, cell_w, cell_h);
    heat_axes(ch, left, top, cell_w, cell_h);
    heat_window(ch, &d, left, top, cell_w, cell_h);
    heat_legend(ch, &d, top + cell_h * 7 + 52);
    slots_table(ch, &d);
    bw_canvas_set_height(ch->canvas, top + cell_h * 7 + (ch->narrow ? 116 : 82));
    return BW_OK;
}

/* ---- outlook ---- */

#define HISTORY_WEEKS 26

typedef struct {
    const char **week;
    double *mean, *lo50, *hi50, *lo80, *hi80, *lo95, *hi95;
    size_t n;
    const char **past_week;
    double *past;
    size_t n_past;
} outlook;

static bw_status read_outlook(const bw_chart *ch, outlook *d, bw_err *err) {
    const bw_shop *s = ch->shop;
    bw_status st =
        bw_query(s, "tnnnnnnn", &d->n, err,
                 "SELECT o.at, o.mean, a.lo, a.hi, b.lo, b.hi, c.lo, c.hi FROM estimate o "
                 "LEFT JOIN estimate a ON a.run = o.run AND a.name = 'band50' AND a.subject = "
                 "o.subject AND a.at = o.at "
                 "LEFT JOIN estimate b ON b.run = o.run AND b.name = 'band80' AND b.subject = "
                 "o.subject AND b.at = o.at "
                 "LEFT JOIN estimate c ON c.run = o.run AND c.name = 'band95' AND c.subject = "
                 "o.subject AND c.at = o.at "
                 "WHERE o.run = ?1 AND o.name = 'outcome' AND o.subject = '' AND o.at > ?2 AND "
                 "o.mean IS NOT NULL ORDER BY o.at LIMIT 26",
                 s->runs.forecast, s->week, &d->week, &d->mean, &d->lo50, &d->hi50, &d->lo80,
                 &d->hi80, &d->lo95, &d->hi95);
    if (st == BW_OK && d->n == 0)
        return bw_fail(
            err, BW_EDATA,
            "no forecast of the coming weeks has been made yet; 'bellwether forecast' does it");
    if (st != BW_OK)
        return st;
    char *sql = sqlite3_mprintf("SELECT week, v FROM (SELECT week, %s AS v FROM weekly WHERE week "
                                "<= ?2 ORDER BY week DESC LIMIT %d) ORDER BY week",
                                s->outcome, HISTORY_WEEKS);
    st = sql ? bw_query(s, "tn", &d->n_past, err, sql, 0, s->week, &d->past_week, &d->past)
             : bw_fail_memory(err);
    sqlite3_free(sql);
    if (st == BW_OK && d->n_past == 0)
        return bw_fail(err, BW_EDATA, "there is no outcome to look ahead from");
    return st;
}

static void outlook_title(bw_chart *ch) {
    const bw_facts *f = ch->shop->facts;
    const bw_fact *plan = bw_fact_find(f, "forecast.plan", ""),
                  *end = bw_fact_find(f, "forecast.end", "");
    bw_message title = {.key = !end                        ? "chart.forecast.plain"
                               : !plan                     ? "chart.forecast.end"
                               : plan->probability >= 0.66 ? "chart.forecast.met"
                               : plan->probability < 0.33  ? "chart.forecast.missed"
                                                           : "chart.forecast.open"};
    if (end) {
        bw_message_fact(&title, "end", end);
        bw_message_day(&title, "week", end->at);
    }
    if (plan) {
        bw_message_fact(&title, "plan", plan);
        const bw_fact *missed = bw_fact_find(f, "forecast.missed", "");
        if (missed)
            bw_message_fact(&title, "missed", missed);
    }
    bw_message subtitle = {.key = "chart.forecast.subtitle"};
    bw_chart_head(ch, &title, &subtitle);
}

/* The fan starts at the last known week with no width. */
static void draw_fan(bw_chart *ch, const bw_panel *p, const outlook *d) {
    size_t n = d->n + 1;
    double *x = bw_arena_get(ch->shop->arena, 4 * n * sizeof *x), *lo = x + n, *hi = lo + n,
           *mean = hi + n;
    double *const LO[] = {d->lo95, d->lo80, d->lo50}, *const HI[] = {d->hi95, d->hi80, d->hi50};
    static const bw_colour COLOUR[] = {BW_FAN95, BW_FAN80, BW_FAN50};
    double start = d->past[d->n_past - 1];
    x[0] = (double)bw_iso_day(d->past_week[d->n_past - 1]);
    mean[0] = lo[0] = hi[0] = start;
    for (size_t i = 0; i < d->n; i++) {
        x[i + 1] = (double)bw_iso_day(d->week[i]);
        mean[i + 1] = d->mean[i];
    }
    for (size_t b = 0; b < 3; b++) {
        for (size_t i = 0; i < d->n; i++) {
            lo[i + 1] = fmax(LO[b][i], p->y0);
            hi[i + 1] = fmin(HI[b][i], p->y1);
        }
        bw_canvas_band(ch->canvas, x, lo, hi, n, COLOUR[b]);
    }
    bw_canvas_line(ch->canvas, x, mean, n, 2.4, BW_SOLID, BW_GOOD);
}

static void outlook_labels(bw_chart *ch, const bw_panel *p, const outlook *d, const bw_fact *plan) {
    const bw_shop *s = ch->shop;
    bw_unit unit = bw_unit_named(s->outcome_unit);
    size_t last = d->n - 1;
    bw_number style = bw_number_style(d->mean[last], d->lo80[last], d->hi80[last], unit);
    bw_message m = {.key = "chart.forecast.expected"};
    bw_message_text(&m, "value", bw_shop_format(s, d->mean[last], &style));
    double y = bw_panel_y(p, d->mean[last]), x = p->right + (ch->narrow ? 5 : 9),
           width = ch->right - x;
    double size = ch->narrow ? BW_SMALL_SIZE : BW_VALUE_SIZE;
    double plan_y = plan ? bw_panel_y(p, plan->value) : -100;
    if (fabs(plan_y - y) < 44)
        y = plan_y > y ? plan_y - 40 : plan_y + 24;
    bw_chart_text_in(ch, x, y, width, BW_LEFT, size, true, BW_GOOD_TEXT, bw_shop_phrase(s, &m));
    bw_buf range = {0};
    style.compact = style.bare = true;
    bw_format_range(s->locale, &range, d->lo80[last], d->hi80[last], &style);
    if (isfinite(d->lo80[last]) && range.text)
        bw_chart_text_in(ch, x, y + 18, width, BW_LEFT, BW_SMALL_SIZE, false, BW_MUTED,
                         ch->narrow
                             ? range.text
                             : bw_arena_textf(s->arena, "80%%%s%s",
                                              bw_shop_word(s, "punctuation.colon"), range.text));
    bw_buf_free(&range);
    if (plan) {
        bw_message t = {.key = "chart.forecast.plan_line"};
        bw_message_fact(&t, "plan", plan);
        bw_chart_text_in(ch, x, plan_y, width, BW_LEFT, size, true, BW_BAD_TEXT,
                         bw_shop_phrase(s, &t));
    }
}

static void outlook_table(bw_chart *ch, const outlook *d) {
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    bw_chart_columns(ch, 8, bw_shop_word(ch->shop, "table.week"),
                     bw_shop_word(ch->shop, "table.expected"), "50% −", "50% +", "80% −", "80% +",
                     "95% −", "95% +");
    for (size_t i = 0; i < d->n; i++)
        bw_chart_row(ch, bw_text_cell(d->week[i]), bw_number_cell(d->mean[i], unit),
                     bw_number_cell(d->lo50[i], unit), bw_number_cell(d->hi50[i], unit),
                     bw_number_cell(d->lo80[i], unit), bw_number_cell(d->hi80[i], unit),
                     bw_number_cell(d->lo95[i], unit), bw_number_cell(d->hi95[i], unit));
}

static void outlook_range(const outlook *d, const bw_fact *plan, double *lo, double *hi) {
    *lo = INFINITY;
    *hi = -INFINITY;
    for (size_t i = 0; i < d->n_past; i++) {
        *lo = fmin(*lo, isfinite(d->past[i]) ? d->past[i] : *lo);
        *hi = fmax(*hi, isfinite(d->past[i]) ? d->past[i] : *hi);
    }
    for (size_t i = 0; i < d->n; i++) {
        *lo = fmin(*lo, isfinite(d->lo95[i]) ? d->lo95[i] : d->mean[i]);
        *hi = fmax(*hi, isfinite(d->hi95[i]) ? d->hi95[i] : d->mean[i]);
    }
    if (plan) {
        *lo = fmin(*lo, plan->value);
        *hi = fmax(*hi, plan->value);
    }
    if (*lo > 0 && *lo < 0.35 * *hi)
        *lo = 0;
    bw_nice_range(lo, hi, 5);
}

bw_status bw_chart_forecast(bw_chart *ch, bw_err *err) {
    outlook d = {0};
    bw_status st = read_outlook(ch, &d, err);
    if (st != BW_OK)
        return st;
    const bw_fact *plan = bw_fact_find(ch->shop->facts, "forecast.plan_week", "");
    outlook_title(ch);
    double y0, y1, *x = bw_arena_get(ch->shop->arena, d.n_past * sizeof *x);
    outlook_range(&d, plan, &y0, &y1);
    for (size_t i = 0; i < d.n_past; i++)
        x[i] = (double)bw_iso_day(d.past_week[i]);
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    bw_panel p = {bw_axis_left(ch, ch->narrow ? 52 : 66, y0, y1, unit, 5),
                  ch->y + 22,
                  ch->right - (ch->narrow ? 84 : 146),
                  ch->y + (ch->narrow ? 264 : 346),
                  x[0],
                  (double)bw_iso_day(d.week[d.n - 1]),
                  y0,
                  y1};
    bw_axis_y(ch, &p, unit, 5);
    bw_axis_days(ch, &p);
    bw_canvas_panel(ch->canvas, &p);
    draw_fan(ch, &p, &d);
    bw_canvas_line(ch->canvas, x, d.past, d.n_past, 2.4, BW_SOLID, BW_INK);
    bw_canvas_page(ch->canvas);
    double today = bw_panel_x(&p, x[d.n_past - 1]);
    bw_canvas_segment(ch->canvas, today, p.top - 5, today, p.bottom, 1.2, BW_DOTTED, BW_AXIS);
    bw_chart_text(ch, today, p.top - 14, BW_CENTER, BW_SMALL_SIZE, false, BW_MUTED,
                  bw_shop_word(ch->shop, "chart.today"));
    if (plan)
        bw_canvas_segment(ch->canvas, today, bw_panel_y(&p, plan->value), p.right,
                          bw_panel_y(&p, plan->value), 1.8, BW_SOLID, BW_BAD);
    bw_canvas_mark(ch->canvas, today, bw_panel_y(&p, d.past[d.n_past - 1]), BW_DISC, 7, BW_INK);
    outlook_labels(ch, &p, &d, plan);
    outlook_table(ch, &d);
    bw_canvas_set_height(ch->canvas, p.bottom + 38);
    return BW_OK;
}
