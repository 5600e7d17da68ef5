/* reports/advice/settle_price.c - what a new price brought.
 *
 * y = log of the product's units over those of all other products, by week: what moves the whole
 * shop (season, spend, promotions) cancels. On the two years before the advice
 *   y = a + b cos(2 pi t) + c sin(2 pi t) + d log price of the others + e log price + error
 * by least squares says what would have been sold since at the old price; the difference is the effect on units. Its error counts that weeks
 * which follow each other err alike: it is taken from means of as many weeks in a row. With
 * the margin at the old price it is money of profit a week. */
#include "reports/advice/settle.h"

#include "analyze/linear.h"

#include <math.h>

#define WEEKS_BEFORE 26 /* least number that tell a product's usual share */
#define COLUMNS      5

typedef struct {
    double *since, *part, *units, *other, *price;
    double *level; /* mean log price of the other products, each by its units of all weeks */
    size_t n;
} week_list;

/* part: of the year. since: a full week after the day it was due. */
static const char *const WEEKS =
    "WITH a AS (SELECT subject, week, due FROM advice WHERE id = ?2), "
    "share AS (SELECT product, sum(units) AS units FROM product_week GROUP BY product) "
    "SELECT w.week > a.due, (julianday(w.week) - 2451544.5) / 365.25, sum(CASE WHEN w.product = "
    "a.subject THEN w.units END) AS own, sum(CASE WHEN w.product <> a.subject THEN w.units END) AS "
    "others, max(CASE WHEN w.product = a.subject THEN w.price END) AS price, "
    "sum(CASE WHEN w.product <> a.subject AND w.price > 0 THEN ln(w.price) * s.units END) / "
    "sum(CASE WHEN w.product <> a.subject AND w.price > 0 THEN s.units END) AS level "
    "FROM product_week w JOIN share s ON s.product = w.product JOIN a ON (w.week < a.week AND "
    "w.week >= date(a.week, '-728 days')) OR (w.week > a.due AND w.week <= (SELECT max(week) FROM "
    "weekly)) GROUP BY w.week HAVING own > 0 AND others > 0 AND price > 0 ORDER BY w.week";

static void fill_row(const week_list *l, size_t i, double price, double *x) {
    double angle = 2 * M_PI * l->part[i];
    x[0] = 1;
    x[1] = cos(angle);
    x[2] = sin(angle);
    x[3] = isfinite(l->level[i]) ? l->level[i] : 0;
    x[4] = log(price);
}

typedef struct {
    double weeks, before;       /* since, before */
    double share, price, units; /* means since: log share, price, units a week */
} since_list;

static since_list sum_since(const week_list *l) {
    since_list m = {0};
    for (size_t i = 0; i < l->n; i++) {
        if (!(l->since[i] > 0)) {
            m.before++;
            continue;
        }
        m.weeks++;
        m.share += log(l->units[i] / l->other[i]);
        m.price += l->price[i];
        m.units += l->units[i];
    }
    m.share /= m.weeks;
    m.price /= m.weeks;
    m.units /= m.weeks;
    return m;
}

/* The weeks before as a regression, and the mean row of the weeks since at the old price. Prices that
 * hardly moved are left out: their effect cannot be told. */
typedef struct {
    double *x, *y, row[COLUMNS];
    size_t n, p;
} design;

static design make_design(const bw_shop *s, const week_list *l, const since_list *m, double price) {
    design d = {.n = (size_t)m->before};
    double *all = bw_arena_get(s->arena, l->n * COLUMNS * sizeof *all);
    size_t used[COLUMNS];
    for (size_t i = 0; i < l->n; i++)
        fill_row(l, i, l->since[i] > 0 ? price : l->price[i], all + i * COLUMNS);
    for (size_t k = 0; k < COLUMNS; k++) {
        double lowest = INFINITY, highest = -INFINITY;
        for (size_t i = 0; i < l->n; i++)
            if (!(l->since[i] > 0)) {
                lowest = fmin(lowest, all[i * COLUMNS + k]);
                highest = fmax(highest, all[i * COLUMNS + k]);
            }
        if (k < 3 || highest > lowest + 0.01)
            used[d.p++] = k;
    }
    d.x = bw_arena_get(s->arena, (d.n + 1) * d.p * sizeof *d.x);
    d.y = bw_arena_get(s->arena, (d.n + 1) * sizeof *d.y);
    size_t r = 0;
    for (size_t i = 0; i < l->n; i++) {
        for (size_t k = 0; k < d.p; k++)
            if (l->since[i] > 0)
                d.row[k] += all[i * COLUMNS + used[k]] / m->weeks;
            else
                d.x[r * d.p + k] = all[i * COLUMNS + used[k]];
        if (!(l->since[i] > 0))
            d.y[r++] = log(l->units[i] / l->other[i]);
    }
    return d;
}

/* Standard deviation of the mean of `weeks` residuals in a row. */
static double block_sd(const double *residual, size_t n, size_t weeks) {
    double squares = 0;
    size_t blocks = 0;
    for (size_t i = 0; i + weeks <= n; i++, blocks++) {
        double mean = 0;
        for (size_t k = 0; k < weeks; k++)
            mean += residual[i + k] / (double)weeks;
        squares += mean * mean;
    }
    return blocks ? sqrt(squares / (double)blocks) : 0;
}

/* Log of units since over those expected at the old price, and its standard error. */
static bw_status effect(const bw_shop *s, const week_list *l, const since_list *m, double price,
                        double *mean, double *sd, bw_err *err) {
    design d = make_design(s, l, m, price);
    bw_ols_fit fit;
    bw_ols_data data = {.x = d.x, .y = d.y, .n = d.n, .p = d.p, .cov = BW_COV_CLASSIC};
    bw_status st = bw_ols(&data, &fit, err);
    if (st != BW_OK)
        return st;
    bw_contrast expected = bw_ols_contrast(&fit, d.row, 0.9);
    double alone = fit.sigma / sqrt(m->weeks),
           together = fmax(alone, block_sd(fit.residual, d.n, (size_t)m->weeks));
    *mean = m->share - expected.estimate;
    *sd = hypot(expected.se * together / alone, together);
    bw_ols_free(&fit);
    return BW_OK;
}

/* Profit a week at the new price less that at the old one, when the change multiplied the units by
 * exp(log_effect). A unit costs what the margin leaves at the old price. */
static double profit(const since_list *m, double from, double margin, double log_effect) {
    double cost = (1 - margin) * from;
    return m->units * (m->price - cost) - m->units * exp(-log_effect) * (from - cost);
}

bw_status bw_settle_price(const bw_shop *s, const bw_promise *p, bw_measured *out, bw_err *err) {
    week_list l;
    double *from, *to, mean, sd;
    size_t n;
    bw_status st = bw_query(s, "nn", &n, err,
                            "SELECT json_extract(action, '$.from'), json_extract(action, '$.to') "
                            "FROM advice WHERE id = ?2",
                            0, p->id, &from, &to);
    if (st == BW_OK)
        st = bw_query(s, "nnnnnn", &l.n, err, WEEKS, 0, p->id, &l.since, &l.part, &l.units,
                      &l.other, &l.price, &l.level);
    if (st != BW_OK)
        return st;
    if (l.n == 0 || n == 0)
        return bw_unmeasured(out, "reason.no_comparison", NAN, NAN);
    since_list m = sum_since(&l);
    if (m.weeks < BW_WEEKS_TO_SETTLE)
        return bw_unmeasured(out, "reason.few_weeks", m.weeks, BW_WEEKS_TO_SETTLE);
    double done = (m.price - from[0]) / (to[0] - from[0]);
    if (!(done >= BW_FOLLOWED_LEAST))
        return bw_not_followed(out, done);
    if (m.before < WEEKS_BEFORE)
        return bw_unmeasured(out, "reason.few_before_weeks", m.before, WEEKS_BEFORE);
    st = effect(s, &l, &m, from[0], &mean, &sd, err);
    if (st != BW_OK)
        return st;
    *out = (bw_measured){.mean = profit(&m, from[0], s->margin, mean),
                         .lo = profit(&m, from[0], s->margin, mean - BW_Z90 * sd),
                         .hi = profit(&m, from[0], s->margin, mean + BW_Z90 * sd),
                         .method = "prices",
                         .have = NAN,
                         .need = NAN};
    return BW_OK;
}
