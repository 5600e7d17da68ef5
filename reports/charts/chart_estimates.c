/* reports/charts/chart_estimates.c - promotions, prices, tests and groups of customers: one row an estimate, a dot
 * with its 90 % interval. The four differ in what they ask and in words; a table holds that. */
#include "reports/charts/chart.h"

#include <math.h>

#define ROWS_MOST 14

typedef struct {
    const char *sql; /* name, mean, lo, hi; ?1 is the run, best first or newest first */
    const char *unit;
    const char *title, *subtitle, *head, *value; /* keys of the prose */
    const char *missing;                         /* what to say when there is no row */
    bool largest; /* the title names the largest, else the smallest mean */
} estimate_chart;

typedef struct {
    const char **name;
    double *mean, *lo, *hi;
    size_t n;
} estimate_rows;

static void estimates_title(bw_chart *ch, const estimate_chart *c, const estimate_rows *d) {
    size_t first = 0;
    for (size_t i = 1; i < d->n; i++)
        if (c->largest ? d->mean[i] > d->mean[first] : d->mean[i] < d->mean[first])
            first = i;
    bw_message title = {.key = c->title}, subtitle = {.key = c->subtitle};
    bw_message_name(&title, "first", d->name[first]);
    bw_chart_head(ch, &title, &subtitle);
}

static const char *value_text(const bw_chart *ch, const estimate_rows *d, size_t i, bw_unit unit) {
    bw_number style = bw_number_style(d->mean[i], d->lo[i], d->hi[i], unit);
    style.compact = true;
    return bw_shop_format(ch->shop, d->mean[i], &style);
}

static bw_panel lay_out(bw_chart *ch, const estimate_rows *d, bw_unit unit, double *height) {
    double name = 60, value = 40, lo = 0, hi = 0;
    for (size_t i = 0; i < d->n; i++) {
        name = fmax(name, bw_font_width(d->name[i], BW_LABEL_SIZE, true));
        value = fmax(value, bw_font_width(value_text(ch, d, i, unit), BW_VALUE_SIZE, true));
        lo = fmin(lo, d->lo[i]);
        hi = fmax(hi, d->hi[i]);
    }
    *height = ch->narrow ? 52 : 34;
    bw_nice_range(&lo, &hi, ch->narrow ? 3 : 6);
    double top = ch->y + 24;
    return (bw_panel){.left = ch->narrow ? ch->left + 8 : ch->left + fmin(name + 8, 330) + 14,
                      .right = ch->right - value - 18,
                      .top = top,
                      .bottom = top + *height * (double)d->n,
                      .x0 = lo,
                      .x1 = hi};
}

static void draw_row(bw_chart *ch, const bw_panel *p, const estimate_rows *d, size_t i, double y,
                     bw_unit unit) {
    bool sure = d->lo[i] > 0 || d->hi[i] < 0;
    bw_colour colour = !sure ? BW_SLATE : d->mean[i] > 0 ? BW_GOOD : BW_BAD;
    double line = ch->narrow ? y + 10 : y;
    if (ch->narrow)
        bw_chart_text_in(ch, ch->left, y - 12, p->right - ch->left, BW_LEFT, BW_LABEL_SIZE, true,
                         BW_INK, d->name[i]);
    else
        bw_chart_text_in(ch, p->left - 14, y, p->left - 14 - ch->left, BW_RIGHT, BW_LABEL_SIZE,
                         true, BW_INK, d->name[i]);
    bw_canvas_segment(ch->canvas, bw_panel_x(p, d->lo[i]), line, bw_panel_x(p, d->hi[i]), line, 2,
                      BW_SOLID, colour);
    bw_canvas_mark(ch->canvas, bw_panel_x(p, d->mean[i]), line, BW_DISC, 9, colour);
    bw_chart_text(ch, ch->right, line, BW_RIGHT, BW_VALUE_SIZE, true, BW_INK,
                  value_text(ch, d, i, unit));
}

static bw_status build(bw_chart *ch, const estimate_chart *c, int64_t run, bw_err *err) {
    estimate_rows d = {0};
    bw_unit unit = bw_unit_named(c->unit);
    bw_status st =
        bw_query(ch->shop, "tnnn", &d.n, err, c->sql, run, NULL, &d.name, &d.mean, &d.lo, &d.hi);
    if (st == BW_OK && d.n == 0)
        return bw_fail(err, BW_EDATA, "%s", c->missing);
    if (st != BW_OK)
        return st;
    d.n = d.n < ROWS_MOST ? d.n : ROWS_MOST;
    double height;
    estimates_title(ch, c, &d);
    bw_panel p = lay_out(ch, &d, unit, &height);
    bw_axis_x(ch, &p, unit, ch->narrow ? 3 : 6);
    double zero = bw_panel_x(&p, 0);
    bw_canvas_segment(ch->canvas, zero, p.top, zero, p.bottom, 1.4, BW_SOLID, BW_INK);
    for (size_t i = 0; i < d.n; i++)
        draw_row(ch, &p, &d, i, p.top + height * ((double)i + 0.5), unit);
    const bw_shop *s = ch->shop;
    bw_chart_columns(ch, 4, bw_shop_word(s, c->head), bw_shop_word(s, c->value),
                     bw_shop_word(s, "table.low"), bw_shop_word(s, "table.high"));
    for (size_t i = 0; i < d.n; i++)
        bw_chart_row(ch, bw_text_cell(d.name[i]), bw_number_cell(d.mean[i], unit),
                     bw_number_cell(d.lo[i], unit), bw_number_cell(d.hi[i], unit));
    bw_canvas_set_height(ch->canvas, p.bottom + 34);
    return BW_OK;
}

bw_status bw_chart_promotion(bw_chart *ch, bw_err *err) {
    static const estimate_chart PROMOTION = {
        "SELECT subject, mean, lo, hi FROM estimate WHERE run = ?1 AND name = 'net' AND mean IS "
        "NOT "
        "NULL ORDER BY at DESC, subject",
        "money",
        "chart.promotion.title",
        "chart.promotion.subtitle",
        "table.promotion",
        "table.net",
        "no promotion has been judged yet; 'bellwether price' does it",
        true};
    return build(ch, &PROMOTION, ch->shop->runs.promotion, err);
}

bw_status bw_chart_price(bw_chart *ch, bw_err *err) {
    static const estimate_chart PRICE = {"SELECT subject, mean, lo, hi FROM estimate WHERE run = "
                                         "?1 AND name = 'elasticity' AND mean "
                                         "IS NOT NULL ORDER BY mean, subject",
                                         "number",
                                         "chart.price.title",
                                         "chart.price.subtitle",
                                         "table.product",
                                         "table.elasticity",
                                         "no price has been judged yet; 'bellwether price' does it",
                                         false};
    return build(ch, &PRICE, ch->shop->runs.price, err);
}

bw_status bw_chart_segment(bw_chart *ch, bw_err *err) {
    static const estimate_chart SEGMENT = {
        "SELECT subject, mean, lo, hi FROM estimate WHERE run = ?1 AND name = 'lifetime_value' AND "
        "mean IS NOT NULL ORDER BY mean DESC, subject",
        "money",
        "chart.segment.title",
        "chart.segment.subtitle",
        "table.group",
        "table.worth",
        "no customers have been grouped yet; 'bellwether segment' does it",
        true};
    return build(ch, &SEGMENT, ch->shop->runs.segment, err);
}

/* Tests differ in what they count, so effects are shown over their own errors. */
bw_status bw_chart_experiment(bw_chart *ch, bw_err *err) {
    static const estimate_chart EXPERIMENT = {
        "SELECT coalesce(x.name, e.subject) || CASE WHEN e.at = '' THEN '' ELSE ': ' || e.at END, "
        "e.mean / e.sd, e.mean / e.sd - 1.645, e.mean / e.sd + 1.645 FROM estimate e LEFT JOIN "
        "experiment x ON x.id = e.subject WHERE e.run = (SELECT max(id) FROM model_run WHERE kind "
        "= "
        "'experiment' AND id > ?1) AND e.name = 'effect' AND e.sd > 0 ORDER BY 2 DESC, 1",
        "number",
        "chart.experiment.title",
        "chart.experiment.subtitle",
        "table.test",
        "table.effect",
        "no test has been judged yet; 'bellwether experiment list' does it",
        true};
    return build(ch, &EXPERIMENT, 0, err);
}
