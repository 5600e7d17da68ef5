/* analyze/price/price_run.c - price and promotion as a stage: elasticities from weeks, promotions from days. */
#include "analyze/runs.h"

#include "analyze/forecast/forecast_load.h"
#include "analyze/price/price_load.h"
#include "analyze/price/promotion_run.h"
#include "analyze/store.h"
#include "analyze/table.h"
#include "sql/db.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED         7u
#define CURVE_POINTS 25
#define SERIES_MAX   8u
#define SHOP_OPTIONS "{}"

struct stage {
    sqlite3 *db;
    bw_price_rows rows;
    bw_demand demand;
    double *cost;
    bw_promotion_stage promotion;
    char *series[SERIES_MAX]; /* competitor prices */
    double cross[SERIES_MAX], cross_sd[SERIES_MAX];
    size_t n_series;
    bw_notes notes;
    char input[17];
    int64_t price, promo;
};

static bw_status put(struct stage *g, int64_t run, const char *name, const char *subject,
                     const char *at, const char *unit, double mean, double sd, double lo, double hi,
                     double p, double n, bw_err *err) {
    bw_estimate e = bw_estimate_named(name, subject, at, unit);
    e.mean = mean;
    e.sd = sd;
    e.lo = lo;
    e.hi = hi;
    e.probability = p;
    e.n = n;
    return bw_estimate_put(g->db, run, &e, err);
}

static bw_status store_product(struct stage *g, const char *name, const bw_demand_group *r,
                               bw_err *err) {
    double z = gsl_cdf_ugaussian_Pinv(0.95), n = (double)r->n;
    bw_status st =
        put(g, g->price, "elasticity", name, "", "ratio", r->mean, r->sd, r->mean - z * r->sd,
            r->mean + z * r->sd, gsl_cdf_ugaussian_P(-r->mean / r->sd), n, err);
    if (st == BW_OK)
        st = put(g, g->price, "elasticity_alone", name, "", "ratio", r->raw, r->raw_se,
                 r->raw - z * r->raw_se, r->raw + z * r->raw_se, NAN, n, err);
    if (st == BW_OK)
        st = put(g, g->price, "price_now", name, "", "money", r->price_now, NAN, r->price_lo,
                 r->price_hi, NAN, n, err);
    if (st == BW_OK)
        st = put(g, g->price, "best_price", name, r->at_edge ? "edge" : "", "money", r->best, NAN,
                 r->best_lo, r->best_hi, r->gain_p, n, err);
    if (st == BW_OK)
        st = put(g, g->price, "price_gain", name, "", "share", r->gain, NAN, r->gain_lo, r->gain_hi,
                 r->gain_p, n, err);
    for (int k = 0; st == BW_OK && k < CURVE_POINTS; k++) {
        double price = r->price_lo + (r->price_hi - r->price_lo) * k / (CURVE_POINTS - 1), mean, lo,
               hi;
        bw_demand_curve(r, false, price, &mean, &lo, &hi);
        st = bw_curve_put(g->db, g->price, "demand", name, price, mean, lo, hi, true, err);
    }
    return st;
}

static bw_status begin(struct stage *g, const char *kind, const char *first, const char *last,
                       int64_t *run, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    bw_notes_json(&g->notes, o);
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (!text)
        return bw_fail_memory(err);
    bw_run_info info = {.kind = kind,
                        .engine = "regression",
                        .seed = SEED,
                        .input = g->input,
                        .options = SHOP_OPTIONS,
                        .diagnostics = text,
                        .first_day = first,
                        .last_day = last};
    bw_status st = bw_run_begin(g->db, &info, run, err);
    free(text);
    return st;
}

static bw_status store_prices(struct stage *g, bw_err *err) {
    if (!g->demand.group && !g->n_series)
        return BW_OK;
    double z = gsl_cdf_ugaussian_Pinv(0.95);
    bw_status st = begin(g, "price", g->rows.first, g->rows.last, &g->price, err);
    for (size_t p = 0; st == BW_OK && g->demand.group && p < g->rows.products; p++)
        if (g->demand.group[p].known)
            st = store_product(g, g->rows.name[p], &g->demand.group[p], err);
    for (size_t k = 0; st == BW_OK && k < g->n_series; k++)
        st = put(g, g->price, "cross_elasticity", "", g->series[k], "ratio", g->cross[k],
                 g->cross_sd[k], g->cross[k] - z * g->cross_sd[k], g->cross[k] + z * g->cross_sd[k],
                 gsl_cdf_ugaussian_P(g->cross[k] / g->cross_sd[k]), NAN, err);
    return st;
}

static bw_status store_promotions(struct stage *g, bw_err *err) {
    if (!g->promotion.fit)
        return BW_OK;
    char first[11], last[11];
    bw_day_format(g->promotion.daily.first, first);
    bw_day_format(g->promotion.daily.first + (double)g->promotion.daily.n - 1, last);
    bw_status st = begin(g, "promotion", first, last, &g->promo, err);
    return st == BW_OK ? bw_promotion_stage_store(g->db, g->promo, &g->promotion, err) : st;
}

/* A product's cost from the shop's margin; without one the best price is the one of most revenue. */
static bw_status set_costs(struct stage *g, bw_err *err) {
    char *text = bw_db_setting(g->db, "margin", "");
    double margin = text && *text ? strtod(text, NULL) : NAN;
    free(text);
    g->cost = malloc((g->rows.products + 1) * sizeof *g->cost);
    double *units = calloc(g->rows.products + 1, sizeof *units);
    if (!g->cost || !units) {
        free(units);
        return bw_fail_memory(err);
    }
    bool known = margin > 0 && margin < 1;
    if (!known)
        bw_note(&g->notes, "no setting 'margin' between 0 and 1: the best price is the one of most "
                           "revenue, not of "
                           "most profit");
    for (size_t p = 0; p < g->rows.products; p++)
        g->cost[p] = known ? 0 : NAN;
    for (size_t i = 0; known && i < g->rows.n; i++) {
        g->cost[g->rows.product[i]] += (1 - margin) * g->rows.price[i];
        units[g->rows.product[i]] += 1;
    }
    for (size_t p = 0; known && p < g->rows.products; p++)
        g->cost[p] /= units[p];
    free(units);
    return BW_OK;
}

static bw_status fit_prices(struct stage *g, bw_err *err) {
    bw_status st = bw_price_rows_load(g->db, &g->rows, &g->notes, err);
    if (st == BW_OK)
        st = set_costs(g, err);
    if (st != BW_OK)
        return st;
    const size_t *factor[] = {g->rows.week}, levels[] = {g->rows.weeks};
    static const char *const CONTROLS[] = {"trend", "season", "season"};
    bool weeks_tell =
        g->rows.products > 1; /* with one product the weeks would explain everything */
    bw_demand_data d = {.n = g->rows.n,
                        .groups = g->rows.products,
                        .units = g->rows.units,
                        .price = g->rows.price,
                        .group = g->rows.product,
                        .group_name = (const char *const *)g->rows.name,
                        .control = g->rows.control,
                        .controls = 3,
                        .control_name = CONTROLS,
                        .factor = factor,
                        .levels = levels,
                        .factors = weeks_tell,
                        .shared_controls = weeks_tell,
                        .cost = g->cost};
    st = bw_demand_fit(&d, &g->demand, err);
    for (size_t p = 0; st == BW_OK && p < g->rows.products; p++)
        if (!g->demand.group[p].known)
            bw_note(&g->notes,
                    "%s: its price hardly moved, so how its sales answer to price is not known",
                    g->rows.name[p]);
    return st;
}

/* Competitor prices act on all products together: weekly units with events and log prices as columns. */
static bw_status append_series(struct stage *g, bw_series *s, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(
        g->db,
        "SELECT DISTINCT series FROM context WHERE series LIKE '%price%' AND value > 0 ORDER BY 1",
        &q, err);
    bool row = true;
    while (st == BW_OK && row && g->n_series < SERIES_MAX) {
        st = bw_db_step(q, &row, err);
        if (st == BW_OK && row &&
            !(g->series[g->n_series++] = strdup((const char *)sqlite3_column_text(q, 0))))
            st = bw_fail_memory(err);
    }
    sqlite3_finalize(q);
    size_t k = s->extra, more = k + g->n_series, rows = s->n + s->horizon;
    double *x = calloc(rows * more + 1, sizeof *x);
    char **name = realloc(s->name, (more + 1) * sizeof *name);
    bool *is_event = realloc(s->is_event, (more + 1) * sizeof *is_event);
    s->name = name ? name : s->name;
    s->is_event = is_event ? is_event : s->is_event;
    if (st == BW_OK && (!x || !name || !is_event))
        st = bw_fail_memory(err);
    for (size_t t = 0; st == BW_OK && t < rows; t++)
        memcpy(x + t * more, s->x + t * k, k * sizeof *x);
    for (size_t j = 0; st == BW_OK && j < g->n_series; j++) {
        s->is_event[k + j] = false;
        s->name[k + j] = strdup(g->series[j]);
        s->extra += s->name[k + j] != NULL;
    }
    if (st == BW_OK) {
        free(s->x);
        s->x = x;
        return BW_OK;
    }
    free(x);
    return st;
}

static bw_status fill_series(struct stage *g, bw_series *s, bw_err *err) {
    size_t k = s->extra - g->n_series;
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(g->db,
                                 "SELECT avg(value) FROM context WHERE series = ? AND day >= ? AND "
                                 "day < date(?2, '+7 days')",
                                 &q, err);
    for (size_t j = 0; st == BW_OK && j < g->n_series; j++) {
        double last = NAN;
        for (size_t t = 0; st == BW_OK && t < s->n + s->horizon; t++) {
            char day[11];
            bool row;
            bw_day_format(bw_series_at(s, t), day);
            sqlite3_reset(q);
            sqlite3_bind_text(q, 1, g->series[j], -1, SQLITE_STATIC);
            sqlite3_bind_text(q, 2, day, -1, SQLITE_TRANSIENT);
            st = bw_db_step(q, &row, err);
            if (st == BW_OK && sqlite3_column_type(q, 0) != SQLITE_NULL)
                last = log(sqlite3_column_double(q, 0));
            s->x[t * s->extra + k + j] = isnan(last) ? 0 : last;
        }
    }
    sqlite3_finalize(q);
    return st;
}

static bw_status fit_cross(struct stage *g, bw_err *err) {
    bw_series s;
    bw_notes same = {0};
    bw_forecast f = {0};
    bw_status st = bw_series_from_db(g->db, "units", 1, &s, &same, err);
    if (st == BW_OK)
        st = append_series(g, &s, err);
    if (st == BW_OK && g->n_series)
        st = fill_series(g, &s, err);
    if (st == BW_OK && g->n_series)
        st = bw_forecast_fit(&s, false, SEED, &f, err);
    for (size_t j = 0; st == BW_OK && j < g->n_series; j++) {
        g->cross[j] = f.extra_mean[s.extra - g->n_series + j];
        g->cross_sd[j] = f.extra_sd[s.extra - g->n_series + j];
    }
    if (st != BW_OK || (g->n_series && !f.log_scale)) {
        for (size_t j = 0; j < g->n_series; j++)
            free(g->series[j]);
        g->n_series = 0;
    }
    bw_forecast_free(&f);
    bw_series_free(&s);
    bw_notes_free(&same);
    return st;
}

static bw_status fit_promotions(struct stage *g, bw_err *err) {
    return bw_promotion_stage_fit(g->db, SEED, &g->promotion, &g->notes, err);
}

/* What cannot be said is a note; anything but BW_EDATA is a failure. */
static bw_status try(struct stage *g, bw_status (*part)(struct stage *, bw_err *), const char *what,
                     bw_err *err) {
    bw_err why = {{0}};
    bw_status st = part(g, &why);
    if (st == BW_EDATA) {
        bw_note(&g->notes, "%s: %s", what, why.text);
        return BW_OK;
    }
    return st == BW_OK ? BW_OK : bw_fail(err, st, "%s", why.text);
}

static bw_status stage_run(struct stage *g, bw_err *err) {
    bw_status st = try(g, fit_prices, "price", err);
    if (st == BW_OK)
        st = try(g, fit_cross, "competitors", err);
    if (st == BW_OK)
        st = try(g, fit_promotions, "promotion", err);
    if (st == BW_OK && !g->demand.group && !g->n_series && !g->promotion.fit)
        st = bw_fail(err, BW_EDATA, "%s", g->notes.text[0]);
    if (st == BW_OK)
        st = bw_db_begin(g->db, err);
    if (st != BW_OK)
        return st;
    st = store_prices(g, err);
    if (st == BW_OK)
        st = store_promotions(g, err);
    return bw_db_end(g->db, st, err);
}

static void stage_free(struct stage *g) {
    bw_demand_free(&g->demand);
    bw_price_rows_free(&g->rows);
    for (size_t j = 0; j < g->n_series; j++)
        free(g->series[j]);
    free(g->cost);
    bw_promotion_stage_free(&g->promotion);
    bw_notes_free(&g->notes);
}

bw_status bw_price_run(sqlite3 *db, bool force, int64_t *run, bw_err *err) {
    struct stage g = {.db = db};
    *run = 0;
    bw_status st = bw_db_fingerprint(db, BW_PRICE_INPUT, g.input, err);
    if (st == BW_OK && !force)
        *run = bw_run_find(db, "price", g.input, SHOP_OPTIONS);
    if (st == BW_OK && !*run && !force)
        *run = bw_run_find(db, "promotion", g.input, SHOP_OPTIONS);
    if (st == BW_OK && !*run) {
        st = stage_run(&g, err);
        *run = g.price ? g.price : g.promo;
    }
    stage_free(&g);
    return st;
}
