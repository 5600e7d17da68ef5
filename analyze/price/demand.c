/* analyze/price/demand.c - the regressions behind the elasticities. */
#include "analyze/price/demand.h"

#include "analyze/experiment/ab.h"
#include "analyze/linear.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL       0.95
#define ROWS_LEAST  5u   /* more rows than coefficients by this, or a group is left out */
#define MOVED_LEAST 1e-4 /* sd of log price below which the price never moved */
#define COLUMNS_MAX 1500u
#define DRAWS       200u /* quantiles of the elasticity over which profit is averaged */
#define GRID        121u /* prices tried */

struct design {
    const bw_demand_data *d;
    size_t *column;    /* [groups] first column of a group */
    size_t p, without; /* columns; the group that has no controls, or groups */
    size_t n;          /* rows used */
    double *x, *y;
    size_t *unit;
};

static double response(const bw_demand_data *d, size_t i) {
    return d->linear ? d->units[i] : log(d->units[i]);
}

static double regressor(const bw_demand_data *d, size_t i) {
    return d->linear ? d->price[i] : log(d->price[i]);
}

static bw_status survey(const bw_demand_data *d, bw_demand *out, bw_err *err) {
    double *price = malloc(d->n * sizeof *price);
    if (!price)
        return bw_fail_memory(err);
    for (size_t g = 0; g < d->groups; g++) {
        bw_demand_group *r = &out->group[g];
        double log_sum = 0, log_sq = 0;
        for (size_t i = 0; i < d->n; i++)
            if (d->group[i] == g) {
                double l = log(fmax(d->price[i], 1e-12));
                price[r->n++] = d->price[i];
                r->units_now += d->units[i];
                log_sum += l;
                log_sq += l * l;
            }
        if (r->n < 2 + d->controls + ROWS_LEAST)
            continue;
        double n = (double)r->n, var = log_sq / n - (log_sum / n) * (log_sum / n);
        r->units_now /= n;
        r->price_now = gsl_stats_mean(price, 1, r->n);
        gsl_sort(price, 1, r->n);
        r->price_lo = gsl_stats_quantile_from_sorted_data(price, 1, r->n, 0.05);
        r->price_hi = gsl_stats_quantile_from_sorted_data(price, 1, r->n, 0.95);
        r->known = sqrt(fmax(0, var)) > MOVED_LEAST;
        out->known += r->known;
    }
    free(price);
    return out->known
               ? BW_OK
               : bw_fail(err, BW_EDATA,
                         "no price ever moved (or there are too few rows): how units answer to "
                         "price cannot be known; try a small change in a few places");
}

static void put_factors(const bw_demand_data *d, size_t i, double *row) {
    for (size_t f = 0, at = 0; f < d->factors; at += d->levels[f] - 1, f++)
        if (d->factor[f][i] > 0)
            row[at + d->factor[f][i] - 1] = 1;
}

static size_t factor_columns(const bw_demand_data *d) {
    size_t n = 0;
    for (size_t f = 0; f < d->factors; f++)
        n += d->levels[f] - 1;
    return n;
}

/* First column: the slope, whose estimate is wanted. */
static bool common_slope(const bw_demand_data *d, bool controlled, double *slope, double *se) {
    size_t k = controlled ? d->controls : 0, f = controlled ? factor_columns(d) : 0,
           p = 1 + d->groups + k + f;
    double *x = p <= COLUMNS_MAX ? calloc(d->n * p, sizeof *x) : NULL,
           *y = malloc(d->n * sizeof *y);
    bool done = false;
    if (x && y) {
        for (size_t i = 0; i < d->n; i++) {
            double *row = x + i * p;
            row[0] = regressor(d, i);
            row[1 + d->group[i]] = 1;
            if (k)
                memcpy(row + 1 + d->groups, d->control + i * d->controls, k * sizeof *row);
            if (controlled)
                put_factors(d, i, row + 1 + d->groups + k);
            y[i] = response(d, i);
        }
        bw_ols_fit fit;
        bw_ols_data data = {.x = x,
                            .y = y,
                            .n = d->n,
                            .p = p,
                            .cov = d->unit ? BW_COV_CLUSTER : BW_COV_CLASSIC,
                            .cluster = d->unit,
                            .clusters = d->units_n};
        if (bw_ols(&data, &fit, NULL) == BW_OK) {
            bw_contrast c = bw_ols_coef(&fit, 0, LEVEL);
            *slope = c.estimate;
            *se = c.se;
            done = true;
            bw_ols_free(&fit);
        }
    }
    free(x);
    free(y);
    return done;
}

static bw_status lay_out(struct design *z, const bw_demand *out, bw_err *err) {
    const bw_demand_data *d = z->d;
    z->without = d->groups;
    for (size_t g = 0; d->shared_controls && g < d->groups; g++)
        z->without = out->group[g].known ? g : z->without;
    z->column = malloc(d->groups * sizeof *z->column);
    if (!z->column)
        return bw_fail_memory(err);
    for (size_t g = 0; g < d->groups; g++) {
        z->column[g] = z->p;
        z->p += !out->group[g].known ? 0 : g == z->without ? 2 : 2 + d->controls;
    }
    z->p += factor_columns(d);
    if (z->p > COLUMNS_MAX)
        return bw_fail(err, BW_EDATA,
                       "%zu coefficients (%zu groups, %zu of factors); %u are the most: use fewer "
                       "groups or leave a factor out",
                       z->p, out->known, factor_columns(d), COLUMNS_MAX);
    z->x = calloc(d->n * z->p, sizeof *z->x);
    z->y = malloc(d->n * sizeof *z->y);
    z->unit = malloc(d->n * sizeof *z->unit);
    if (!z->x || !z->y || !z->unit)
        return bw_fail_memory(err);
    for (size_t i = 0; i < d->n; i++) {
        if (!out->group[d->group[i]].known)
            continue;
        double *row = z->x + z->n * z->p, *own = row + z->column[d->group[i]];
        own[0] = 1;
        own[1] = regressor(d, i);
        for (size_t c = 0; d->group[i] != z->without && c < d->controls; c++)
            own[2 + c] = d->control[i * d->controls + c];
        put_factors(d, i, row + z->p - factor_columns(d));
        z->y[z->n] = response(d, i);
        z->unit[z->n++] = d->unit ? d->unit[i] : 0;
    }
    return BW_OK;
}

static void store_slope(const bw_demand_data *d, bw_demand_group *r, const bw_contrast *c) {
    double to_elasticity = d->linear ? r->price_now / r->units_now : 1;
    r->slope = c->estimate;
    r->slope_se = c->se;
    r->raw = c->estimate * to_elasticity;
    r->raw_se = c->se * fabs(to_elasticity);
}

/* With factors: one regression for all groups. */
static bw_status fit_joint(struct design *z, bw_demand *out, bw_err *err) {
    const bw_demand_data *d = z->d;
    bw_status st = lay_out(z, out, err);
    bw_ols_fit fit;
    if (st == BW_OK)
        st = bw_ols(&(bw_ols_data){.x = z->x,
                                   .y = z->y,
                                   .n = z->n,
                                   .p = z->p,
                                   .cov = d->unit ? BW_COV_CLUSTER : BW_COV_CLASSIC,
                                   .cluster = z->unit,
                                   .clusters = d->units_n},
                    &fit, err);
    if (st != BW_OK)
        return st;
    for (size_t g = 0; g < d->groups; g++)
        if (out->group[g].known) {
            bw_contrast c = bw_ols_coef(&fit, z->column[g] + 1, LEVEL);
            store_slope(d, &out->group[g], &c);
        }
    bw_ols_free(&fit);
    return BW_OK;
}

/* Rows of group g are order[start[g]] .. order[start[g + 1] - 1]; start: [groups + 2]. */
static void sort_by_group(const bw_demand_data *d, size_t *start, size_t *order) {
    for (size_t i = 0; i < d->n; i++)
        start[d->group[i] + 2]++;
    for (size_t g = 2; g <= d->groups + 1; g++)
        start[g] += start[g - 1];
    for (size_t i = 0; i < d->n; i++)
        order[start[d->group[i] + 1]++] = i;
}

/* A control that never moves in this group says nothing there and would be collinear with its level. */
static bool moves(const bw_demand_data *d, const size_t *row, size_t n, size_t control) {
    for (size_t k = 1; k < n; k++)
        if (d->control[row[k] * d->controls + control] !=
            d->control[row[0] * d->controls + control])
            return true;
    return false;
}

/* Clusters of the group's rows, counted anew from 0. code: [units_n] scratch. */
static size_t number_units(const bw_demand_data *d, const size_t *row, size_t n, size_t *code,
                           size_t *unit) {
    size_t clusters = 0;
    for (size_t u = 0; u < d->units_n; u++)
        code[u] = SIZE_MAX;
    for (size_t k = 0; k < n; k++) {
        size_t *c = &code[d->unit[row[k]]];
        *c = *c == SIZE_MAX ? clusters++ : *c;
        unit[k] = *c;
    }
    return clusters;
}

static bool fit_group(struct design *z, const size_t *row, bw_demand_group *r, size_t *code) {
    const bw_demand_data *d = z->d;
    size_t p = 2, clusters = d->unit ? number_units(d, row, r->n, code, z->unit) : 0;
    bool *used = calloc(d->controls + 1, sizeof *used);
    for (size_t c = 0; used && c < d->controls; c++) {
        used[c] = moves(d, row, r->n, c);
        p += used[c];
    }
    for (size_t k = 0; used && k < r->n; k++) {
        double *x = z->x + k * p;
        size_t at = 2;
        x[0] = 1;
        x[1] = regressor(d, row[k]);
        for (size_t c = 0; c < d->controls; c++)
            if (used[c])
                x[at++] = d->control[row[k] * d->controls + c];
        z->y[k] = response(d, row[k]);
    }
    bw_ols_data data = {.x = z->x,
                        .y = z->y,
                        .n = r->n,
                        .p = p,
                        .cov = d->unit ? BW_COV_CLUSTER : BW_COV_CLASSIC,
                        .cluster = z->unit,
                        .clusters = clusters};
    bw_ols_fit fit;
    bool done = used && bw_ols(&data, &fit, NULL) == BW_OK;
    free(used);
    if (!done)
        return false;
    bw_contrast c = bw_ols_coef(&fit, 1, LEVEL);
    store_slope(d, r, &c);
    bw_ols_free(&fit);
    return true;
}

/* Without factors the groups have nothing in common: a small regression each. A group whose controls
 * are collinear is left out. */
static bw_status fit_each(struct design *z, bw_demand *out, bw_err *err) {
    const bw_demand_data *d = z->d;
    size_t *start = calloc(d->groups + 2, sizeof *start), *order = malloc(d->n * sizeof *order);
    size_t *code = malloc((d->units_n + 1) * sizeof *code);
    z->x = malloc(d->n * (2 + d->controls) * sizeof *z->x);
    z->y = malloc(d->n * sizeof *z->y);
    z->unit = malloc(d->n * sizeof *z->unit);
    bw_status st = start && order && code && z->x && z->y && z->unit ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        sort_by_group(d, start, order);
    for (size_t g = 0; st == BW_OK && g < d->groups; g++) {
        bw_demand_group *r = &out->group[g];
        if (r->known && !fit_group(z, order + start[g], r, code)) {
            r->known = false;
            out->known--;
        }
    }
    if (st == BW_OK && !out->known)
        st = bw_fail(err, BW_EDATA,
                     "in every group the price moves exactly with the controls: its own "
                     "effect cannot be told; leave a control out");
    free(start);
    free(order);
    free(code);
    return st;
}

static bw_status shrink(const bw_demand_data *d, bw_demand *out, bw_err *err) {
    double *e = malloc(4 * d->groups * sizeof *e), *se = e + d->groups, *mean = se + d->groups,
           *sd = mean + d->groups;
    size_t k = 0;
    if (!e)
        return bw_fail_memory(err);
    for (size_t g = 0; g < d->groups; g++)
        if (out->group[g].known) {
            e[k] = out->group[g].raw;
            se[k++] = fmax(out->group[g].raw_se, 1e-9);
        }
    if (k > 1)
        bw_shrink(e, se, k, mean, sd);
    k = 0;
    for (size_t g = 0; g < d->groups; g++)
        if (out->group[g].known) {
            bw_demand_group *r = &out->group[g];
            r->mean = out->known > 1 ? mean[k] : r->raw;
            r->sd = out->known > 1 ? sd[k] : r->raw_se;
            k++;
        }
    free(e);
    return BW_OK;
}

/* Units at price p for one elasticity (at the mean price and units). */
static double units_at(const bw_demand_group *g, bool linear, double elasticity, double p) {
    double r = p / g->price_now;
    return linear ? fmax(0, g->units_now * (1 + elasticity * (r - 1)))
                  : g->units_now * pow(r, elasticity);
}

static double quantile_draw(const bw_demand_group *g, size_t s) {
    return g->mean + g->sd * gsl_cdf_ugaussian_Pinv(((double)s + 0.5) / DRAWS);
}

void bw_demand_curve(const bw_demand_group *g, bool linear, double price, double *mean, double *lo,
                     double *hi) {
    double q[DRAWS];
    *mean = 0;
    for (size_t s = 0; s < DRAWS; s++) {
        q[s] = units_at(g, linear, quantile_draw(g, s), price);
        *mean += q[s] / DRAWS;
    }
    gsl_sort(q, 1, DRAWS);
    *lo = gsl_stats_quantile_from_sorted_data(q, 1, DRAWS, 0.05);
    *hi = gsl_stats_quantile_from_sorted_data(q, 1, DRAWS, 0.95);
}

static double tried(const bw_demand_group *g, size_t k) {
    return g->price_lo + (g->price_hi - g->price_lo) * (double)k / (GRID - 1);
}

/* Profit (revenue when cost is 0) of every price for every draw; the best on average is advised. */
static void best_price(bw_demand_group *g, bool linear, double cost) {
    double mean[GRID] = {0}, best[DRAWS], gain[DRAWS], above = 0;
    for (size_t s = 0; s < DRAWS; s++) {
        double e = quantile_draw(g, s), top = -INFINITY;
        for (size_t k = 0; k < GRID; k++) {
            double p = tried(g, k), profit = (p - cost) * units_at(g, linear, e, p);
            mean[k] += profit / DRAWS;
            if (profit > top) {
                top = profit;
                best[s] = p;
            }
        }
    }
    size_t at = 0;
    for (size_t k = 1; k < GRID; k++)
        at = mean[k] > mean[at] ? k : at;
    g->best = tried(g, at);
    g->at_edge = at == 0 || at == GRID - 1;
    double now = (g->price_now - cost) * g->units_now;
    for (size_t s = 0; s < DRAWS; s++) {
        gain[s] = (g->best - cost) * units_at(g, linear, quantile_draw(g, s), g->best) / now - 1;
        above += gain[s] > 0;
    }
    g->gain = gsl_stats_mean(gain, 1, DRAWS);
    g->gain_p = above / DRAWS;
    gsl_sort(gain, 1, DRAWS);
    gsl_sort(best, 1, DRAWS);
    g->gain_lo = gsl_stats_quantile_from_sorted_data(gain, 1, DRAWS, 0.05);
    g->gain_hi = gsl_stats_quantile_from_sorted_data(gain, 1, DRAWS, 0.95);
    g->best_lo = gsl_stats_quantile_from_sorted_data(best, 1, DRAWS, 0.05);
    g->best_hi = gsl_stats_quantile_from_sorted_data(best, 1, DRAWS, 0.95);
}

static bw_status check(const bw_demand_data *d, bw_err *err) {
    for (size_t i = 0; i < d->n; i++)
        if (!(d->price[i] > 0) || (!d->linear && !(d->units[i] > 0)))
            return bw_fail(err, BW_EDATA,
                           "row %zu: %s %g has no logarithm; leave such rows out or use --linear",
                           i + 1, d->price[i] > 0 ? "units" : "price",
                           d->price[i] > 0 ? d->units[i] : d->price[i]);
    size_t same = 0;
    while (same < d->n && d->units[same] == d->units[0])
        same++;
    if (same == d->n)
        return bw_fail(err, BW_EDATA,
                       "%g units were sold in every row: whatever the price was, nothing answered",
                       d->units[0]);
    return BW_OK;
}

static bw_status estimate(struct design *z, bw_demand *out, bw_err *err) {
    const bw_demand_data *d = z->d;
    bw_status st = survey(d, out, err);
    if (st == BW_OK)
        st = d->factors ? fit_joint(z, out, err) : fit_each(z, out, err);
    if (st == BW_OK)
        st = shrink(d, out, err);
    if (st != BW_OK)
        return st;
    double se;
    common_slope(d, true, &out->common, &out->common_se);
    common_slope(d, false, &out->naive, &se);
    for (size_t g = 0; g < d->groups; g++)
        if (out->group[g].known)
            best_price(&out->group[g], d->linear, d->cost && !isnan(d->cost[g]) ? d->cost[g] : 0);
    return BW_OK;
}

bw_status bw_demand_fit(const bw_demand_data *d, bw_demand *out, bw_err *err) {
    *out = (bw_demand){.common = NAN, .common_se = NAN, .naive = NAN};
    bw_status st = check(d, err);
    if (st != BW_OK)
        return st;
    out->group = calloc(d->groups, sizeof *out->group);
    struct design z = {.d = d};
    st = out->group ? estimate(&z, out, err) : bw_fail_memory(err);
    free(z.column);
    free(z.x);
    free(z.y);
    free(z.unit);
    if (st != BW_OK)
        bw_demand_free(out);
    return st;
}

void bw_demand_free(bw_demand *r) {
    free(r->group);
    *r = (bw_demand){0};
}
