/* analyze/experiment/did.c - difference in differences on a panel or on pooled rows. */
#include "analyze/experiment/did_internal.h"

#include "analyze/linear.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL      0.95
#define SWEEPS_MAX 500
#define SWEEP_DONE 1e-11 /* largest mean left, relative to the column's spread */

static void panel_free(struct panel *p) {
    free(p->y);
    free(p->x);
    free(p->post);
    free(p->period);
    free(p->value);
    free(p->start);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void index_times(const bw_did_data *d, struct panel *p) {
    memcpy(p->value, d->time, d->n * sizeof *p->value);
    qsort(p->value, d->n, sizeof *p->value, compare);
    for (size_t i = 0; i < d->n; i++)
        if (p->periods == 0 || p->value[i] != p->value[p->periods - 1])
            p->value[p->periods++] = p->value[i];
    for (size_t i = 0; i < d->n; i++) {
        const double *at = bsearch(&d->time[i], p->value, p->periods, sizeof *p->value, compare);
        p->period[i] = (size_t)(at - p->value);
    }
}

static bw_status check_values(const bw_did_data *d, bw_err *err) {
    for (size_t i = 0; i < d->n; i++)
        if ((d->treated[i] != 0 && d->treated[i] != 1) || (d->post[i] != 0 && d->post[i] != 1))
            return bw_fail(err, BW_EDATA,
                           "row %zu: treated and post must be 0 or 1, found %g and %g", i + 1,
                           d->treated[i], d->post[i]);
    return BW_OK;
}

/* Untreated units for which post is never set share the one start of the treated. */
static void spread_start(const bw_did_data *d, struct panel *p) {
    size_t start = SIZE_MAX;
    for (size_t u = 0; u < d->units; u++)
        start = p->start[u] < start ? p->start[u] : start;
    for (size_t i = 0; i < d->n; i++)
        if (d->treated[i] == 0 && d->post[i] != 0)
            return;
    for (size_t i = 0; i < d->n; i++)
        if (d->treated[i] == 0)
            p->post[i] = p->period[i] >= start;
}

/* d is the caller's copy: its post is made p's own. */
static bw_status read_starts(bw_did_data *d, struct panel *p, bw_did_result *out, bw_err *err) {
    memcpy(p->post, d->post, d->n * sizeof *p->post);
    bw_status st = check_values(d, err);
    if (st != BW_OK || !d->time)
        return st;
    index_times(d, p);
    if (!d->unit)
        return BW_OK;
    st = did_find_starts(d, p, err);
    out->staggered = p->starts > 1;
    if (st == BW_OK && p->starts == 1)
        spread_start(d, p);
    d->post = p->post;
    return st;
}

static bw_status fill(const bw_did_data *d, struct panel *p, bw_err *err) {
    for (size_t i = 0; i < d->n; i++) {
        if (d->log && d->y[i] <= 0)
            return bw_fail(err, BW_EDATA,
                           "row %zu: %g has no logarithm; leave --log out, or leave out rows with "
                           "nothing sold",
                           i + 1, d->y[i]);
        p->y[i] = d->log ? log(d->y[i]) : d->y[i];
        double row[] = {1, d->treated[i], d->post[i], d->treated[i] * d->post[i]};
        memcpy(p->x + 4 * i, row, sizeof row);
    }
    return BW_OK;
}

static bw_status check_flags(const bw_did_data *d, bw_did_result *out, bw_err *err) {
    static const char *CELL[] = {"untreated before the start", "treated before the start",
                                 "untreated after the start", "treated after the start"};
    size_t count[4] = {0};
    for (size_t i = 0; i < d->n; i++)
        count[(size_t)(d->treated[i] + 2 * d->post[i])]++;
    for (size_t c = 0; c < 4; c++)
        if (!count[c] && !out->staggered)
            return bw_fail(err, BW_EDATA,
                           "no row is %s: without it the treatment cannot be told from %s", CELL[c],
                           c == 0 || c == 2 ? "a change that met everyone"
                                            : "what the units were like anyway");
    return BW_OK;
}

static bw_status check_units(const bw_did_data *d, bw_did_result *out, bw_err *err) {
    if (!d->unit)
        return BW_OK;
    signed char *seen = malloc(d->units);
    if (!seen)
        return bw_fail_memory(err);
    memset(seen, -1, d->units);
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < d->n; i++) {
        signed char t = (signed char)d->treated[i];
        if (seen[d->unit[i]] >= 0 && seen[d->unit[i]] != t)
            st = bw_fail(err, BW_EDATA,
                         "row %zu: its unit is treated in some rows and not in others; 'treated' "
                         "marks the units that ever get the treatment, 'post' says from when",
                         i + 1);
        out->treated_units += seen[d->unit[i]] < 0 && t;
        seen[d->unit[i]] = t;
    }
    out->units = d->units;
    free(seen);
    size_t others = d->units - out->treated_units;
    out->placebo =
        out->treated_units == 1 && others >= BW_DID_PLACEBOS && d->time && !out->staggered;
    if (st == BW_OK && (out->treated_units < 2 || (others < 2 && !out->staggered)) && !out->placebo)
        st =
            bw_fail(err, BW_EDATA,
                    "%zu treated and %zu untreated units: with one unit on a side its own noise "
                    "cannot be told from the effect; use 'experiment synth' or 'experiment impact'",
                    out->treated_units, others);
    return st;
}

/* Takes the mean of each group out of v; returns the largest mean. */
static double remove_means(double *v, size_t n, const size_t *group, size_t groups, double *sum,
                           double *count) {
    memset(sum, 0, groups * sizeof *sum);
    memset(count, 0, groups * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        sum[group[i]] += v[i];
        count[group[i]] += 1;
    }
    double largest = 0;
    for (size_t g = 0; g < groups; g++) {
        sum[g] = count[g] > 0 ? sum[g] / count[g] : 0;
        largest = fmax(largest, fabs(sum[g]));
    }
    for (size_t i = 0; i < n; i++)
        v[i] -= sum[group[i]];
    return largest;
}

/* Alternating projections (Guimaraes and Portugal 2010): unit means, time means, until none is left. */
static bw_status within(const bw_did_data *d, const struct panel *p, double *v, bw_err *err) {
    size_t most = d->units > p->periods ? d->units : p->periods;
    double *sum = malloc(most * sizeof *sum), *count = malloc(most * sizeof *count), spread = 0;
    if (!sum || !count) {
        free(sum);
        free(count);
        return bw_fail_memory(err);
    }
    for (size_t i = 0; i < d->n; i++)
        spread = fmax(spread, fabs(v[i]));
    for (int s = 0; s < SWEEPS_MAX; s++) {
        double a = remove_means(v, d->n, d->unit, d->units, sum, count);
        double b = remove_means(v, d->n, p->period, p->periods, sum, count);
        if (fmax(a, b) <= SWEEP_DONE * spread)
            break;
    }
    free(sum);
    free(count);
    return BW_OK;
}

/* Unit means count as used up, but for two periods: that is the regression of the units' changes, whose
 * error is twice as large in variance when the means are counted once more. */
static bw_status fit_fixed_effects(const bw_did_data *d, struct panel *p, bw_contrast *c,
                                   bw_err *err) {
    double *y = malloc(d->n * sizeof *y), *x = malloc(d->n * sizeof *x);
    bw_status st = y && x ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < d->n; i++) {
        y[i] = p->y[i];
        x[i] = p->x[4 * i + 3];
    }
    if (st == BW_OK)
        st = within(d, p, y, err);
    if (st == BW_OK)
        st = within(d, p, x, err);
    static const char *const NAME[] = {"treated x post"};
    bw_ols_fit fit = {0};
    if (st == BW_OK)
        st = bw_ols(&(bw_ols_data){.x = x,
                                   .y = y,
                                   .n = d->n,
                                   .p = 1,
                                   .cov = BW_COV_CLUSTER,
                                   .cluster = d->unit,
                                   .clusters = d->units,
                                   .names = NAME,
                                   .absorbed = p->periods == 2 ? 2 : d->units + p->periods - 1},
                    &fit, err);
    if (st == BW_OK && bw_ols_exact(&fit, p->y, d->n))
        st =
            bw_fail(err, BW_EDATA,
                    "units, times and treatment give the metric exactly: no noise is left by which "
                    "an effect could be judged; check the column");
    if (st == BW_OK)
        *c = bw_ols_coef(&fit, 0, LEVEL);
    bw_ols_free(&fit);
    free(y);
    free(x);
    return st;
}

static bw_status fit_two_by_two(const bw_did_data *d, struct panel *p, bw_contrast *c,
                                bw_err *err) {
    static const char *const NAMES[] = {"the constant", "treated", "post", "treated x post"};
    bw_ols_fit fit;
    bw_status st = bw_ols(&(bw_ols_data){.x = p->x,
                                         .y = p->y,
                                         .n = d->n,
                                         .p = 4,
                                         .cov = d->unit ? BW_COV_CLUSTER : BW_COV_CLASSIC,
                                         .cluster = d->unit,
                                         .clusters = d->units,
                                         .names = NAMES},
                          &fit, err);
    if (st != BW_OK)
        return st;
    if (bw_ols_exact(&fit, p->y, d->n))
        st = bw_fail(err, BW_EDATA,
                     "the metric does not vary within the four groups; check the column");
    *c = bw_ols_coef(&fit, 3, LEVEL);
    bw_ols_free(&fit);
    return st;
}

/* Mean of the untreated units in each period: [periods]; the caller frees. */
static double *untreated_means(const bw_did_data *d, const struct panel *p) {
    double *mean = calloc(2 * p->periods, sizeof *mean), *n = mean + p->periods;
    for (size_t i = 0; mean && i < d->n; i++)
        if (d->treated[i] == 0) {
            mean[p->period[i]] += p->y[i];
            n[p->period[i]] += 1;
        }
    for (size_t t = 0; mean && t < p->periods; t++)
        mean[t] /= fmax(n[t], 1);
    return mean;
}

/* Four cells a unit: sum and count before the start, sum and count after it, of what it is away from the
 * untreated ones' mean. */
static void add_step(const bw_did_data *d, const struct panel *p, const double *mean,
                     double *cell) {
    for (size_t i = 0; i < d->n; i++) {
        double *s = cell + 4 * d->unit[i] + 2 * (d->post[i] != 0);
        s[0] += p->y[i] - mean[p->period[i]];
        s[1] += 1;
    }
}

/* The same cells for a slope before the start: in the last two, its numerator and denominator. */
static void add_slope(const bw_did_data *d, const struct panel *p, const double *mean,
                      double *cell) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (d->post[i] == 0) {
            sum += d->time[i];
            n += 1;
        }
    for (size_t i = 0; i < d->n; i++)
        if (d->post[i] == 0) {
            double *s = cell + 4 * d->unit[i], x = d->time[i] - sum / n;
            s[2] += x * (p->y[i] - mean[p->period[i]]);
            s[3] += x * x;
            s[1] = 1;
        }
}

/* The treated unit's value among the untreated ones': what happens without any treatment is its error. */
static bool among_others(const bw_did_data *d, const double *cell, double *own, double *se,
                         double *df) {
    double n = 0, total = 0, squares = 0;
    size_t treated = SIZE_MAX;
    for (size_t i = 0; i < d->n && treated == SIZE_MAX; i++)
        treated = d->treated[i] != 0 ? d->unit[i] : treated;
    for (size_t u = 0; u < d->units; u++) {
        const double *s = cell + 4 * u;
        double moved = s[2] / s[3] - (s[1] > 0 ? s[0] / s[1] : 0);
        if (u == treated)
            *own = moved;
        else if (s[1] > 0 && s[3] > 0) {
            n += 1;
            total += moved;
            squares += moved * moved;
        }
    }
    double sd = n > 1 ? sqrt(fmax(0, squares - total * total / n) / (n - 1)) : 0;
    *own -= n > 0 ? total / n : 0;
    *se = sd * sqrt(1 + 1 / n);
    *df = n - 1;
    return n >= BW_DID_PLACEBOS && sd > 0 && isfinite(*own);
}

static bw_status placebo_error(const bw_did_data *d, const struct panel *p, bw_contrast *c,
                               double *pretrend_p, bw_err *err) {
    double *mean = untreated_means(d, p), *cell = calloc(8 * d->units, sizeof *cell), own, se, df;
    double *slope = cell + 4 * d->units;
    bw_status st = mean && cell ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        add_step(d, p, mean, cell);
        add_slope(d, p, mean, slope);
        *pretrend_p =
            among_others(d, slope, &own, &se, &df) ? 2 * gsl_cdf_tdist_Q(fabs(own) / se, df) : NAN;
        if (!among_others(d, cell, &own, &se, &df))
            st = bw_fail(err, BW_EDATA,
                         "one treated unit, and %.0f untreated ones seen before and after: too few "
                         "to tell its own noise from the effect",
                         df + 1);
    }
    free(mean);
    free(cell);
    if (st != BW_OK)
        return st;
    double half = gsl_cdf_tdist_Pinv(0.5 + LEVEL / 2, df) * se;
    c->se = se;
    c->lo = c->estimate - half;
    c->hi = c->estimate + half;
    c->p = 2 * gsl_cdf_tdist_Q(fabs(c->estimate) / se, df);
    return BW_OK;
}

/* Slope of the difference before the start: y = a + b treated + c time + e treated x time. */
static double pretrend(const bw_did_data *d, const struct panel *p) {
    size_t n = 0;
    double first = INFINITY, last = -INFINITY;
    for (size_t i = 0; d->time && i < d->n; i++)
        if (d->post[i] == 0) {
            n++;
            first = fmin(first, d->time[i]);
            last = fmax(last, d->time[i]);
        }
    double *x = malloc((n + 1) * 4 * sizeof *x), *y = malloc((n + 1) * sizeof *y), found = NAN;
    size_t *unit = malloc((n + 1) * sizeof *unit), k = 0;
    for (size_t i = 0; x && y && unit && n && last > first && i < d->n; i++) {
        if (d->post[i] != 0)
            continue;
        double t = (d->time[i] - first) / (last - first);
        double row[] = {1, d->treated[i], t, d->treated[i] * t};
        memcpy(x + 4 * k, row, sizeof row);
        y[k] = p->y[i];
        unit[k++] = d->unit ? d->unit[i] : 0;
    }
    bw_ols_fit fit;
    if (k && bw_ols(&(bw_ols_data){.x = x,
                                   .y = y,
                                   .n = k,
                                   .p = 4,
                                   .cov = d->unit ? BW_COV_CLUSTER : BW_COV_ROBUST,
                                   .cluster = unit,
                                   .clusters = d->units},
                    &fit, NULL) == BW_OK) {
        if (fit.sigma > 0)
            found = bw_ols_coef(&fit, 3, LEVEL).p;
        bw_ols_free(&fit);
    }
    free(x);
    free(y);
    free(unit);
    return found;
}

static void cell_means(const bw_did_data *d, const struct panel *p, bw_did_result *out) {
    double sum[4] = {0}, n[4] = {0};
    for (size_t i = 0; i < d->n; i++) {
        size_t c = (size_t)(d->treated[i] + 2 * d->post[i]);
        sum[c] += p->y[i];
        n[c] += 1;
    }
    for (size_t c = 0; c < 4; c++)
        sum[c] = n[c] > 0 ? sum[c] / n[c] : NAN;
    out->naive_before_after = sum[3] - sum[1];
    out->naive_treated_control = sum[3] - sum[2];
    double without = sum[3] - out->effect;
    out->relative = d->log ? expm1(out->effect) : without > 0 ? out->effect / without : NAN;
}

static void count_periods(const bw_did_data *d, const struct panel *p, bw_did_result *out) {
    unsigned char *after = calloc(p->periods + 1, 1);
    for (size_t i = 0; after && d->time && i < d->n; i++)
        after[p->period[i]] |= d->post[i] != 0;
    for (size_t t = 0; after && t < p->periods; t++)
        out->periods_after += after[t];
    out->periods_before = p->periods - out->periods_after;
    free(after);
}

static void set_effect(const bw_contrast *c, bw_did_result *out) {
    out->effect = c->estimate;
    out->fixed_effects = c->estimate;
    out->se = c->se;
    out->lo = c->lo;
    out->hi = c->hi;
    out->p = c->p;
}

static bw_status estimate(const bw_did_data *d, struct panel *p, bw_did_result *out, bw_err *err) {
    bw_status st = fill(d, p, err);
    if (st != BW_OK)
        return st;
    bw_contrast c = {0};
    double pretrend_p = NAN;
    if (!out->staggered)
        st = fit_two_by_two(d, p, &c, err);
    if (st == BW_OK && d->unit && d->time)
        st = fit_fixed_effects(d, p, &c, err);
    if (st == BW_OK && out->placebo)
        st = placebo_error(d, p, &c, &pretrend_p, err);
    if (st != BW_OK)
        return st;
    set_effect(&c, out);
    if (out->staggered && (st = did_staggered(d, p, out, err)) != BW_OK)
        return st;
    out->pretrend_p = out->placebo ? pretrend_p : pretrend(d, p);
    cell_means(d, p, out);
    count_periods(d, p, out);
    return BW_OK;
}

bw_status bw_did(const bw_did_data *given, bw_did_result *out, bw_err *err) {
    *out = (bw_did_result){0};
    bw_did_data d = *given;
    struct panel p = {.y = malloc(d.n * sizeof(double)),
                      .x = malloc(4 * d.n * sizeof(double)),
                      .post = malloc(d.n * sizeof(double)),
                      .period = malloc(d.n * sizeof(size_t)),
                      .value = malloc(d.n * sizeof(double)),
                      .start = malloc((d.units + 1) * sizeof(size_t))};
    bool there = p.y && p.x && p.post && p.period && p.value && p.start;
    bw_status st = there ? read_starts(&d, &p, out, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = check_flags(&d, out, err);
    if (st == BW_OK)
        st = check_units(&d, out, err);
    if (st == BW_OK)
        st = estimate(&d, &p, out, err);
    panel_free(&p);
    return st;
}
