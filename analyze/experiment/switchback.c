/* analyze/experiment/switchback.c - a distributed lag regression. */
#include "analyze/experiment/switchback.h"

#include "analyze/linear.h"

#include <math.h>
#include <stdlib.h>

#define LEVEL 0.95

static bw_status check(const double *on, size_t n, size_t lags, bw_err *err) {
    double sum = 0;
    if (lags > BW_LAGS_MAX || n < 2 * lags + 6)
        return bw_fail(err, BW_EDATA,
                       "%zu periods with %zu lags: wanted at most %u lags and at least %zu periods",
                       n, lags, BW_LAGS_MAX, 2 * lags + 6);
    for (size_t t = 0; t < n; t++) {
        if (on[t] != 0 && on[t] != 1)
            return bw_fail(err, BW_EDATA, "period %zu: the treatment must be 0 or 1, found %g",
                           t + 1, on[t]);
        sum += on[t];
    }
    return sum > 0 && sum < (double)n
               ? BW_OK
               : bw_fail(err, BW_EDATA,
                         "the treatment was %s all the time: there is nothing to "
                         "compare with",
                         sum > 0 ? "on" : "off");
}

static double on_minus_off(const double *y, const double *on, size_t n) {
    double sum[2] = {0}, count[2] = {0};
    for (size_t t = 0; t < n; t++) {
        sum[on[t] > 0] += y[t];
        count[on[t] > 0] += 1;
    }
    return sum[1] / count[1] - sum[0] / count[0];
}

/* Each lag alone, the lags up to each, and all of them. */
static bw_status read_lags(const bw_ols_data *d, const bw_ols_fit *fit, size_t lags,
                           bw_switchback *out, bw_err *err) {
    double upto[BW_LAGS_MAX + 2] = {0};
    bw_contrast total = {0};
    for (size_t l = 0; l <= lags; l++) {
        double alone[BW_LAGS_MAX + 2] = {0};
        bw_contrast c;
        alone[l + 1] = upto[l + 1] = 1;
        if (!bw_ols_serial(d, fit, alone, LEVEL, &c) || !bw_ols_serial(d, fit, upto, LEVEL, &total))
            return bw_fail_memory(err);
        out->lag[l] = c.estimate;
        out->lag_se[l] = c.se;
        out->sum[l] = total.estimate;
        out->sum_se[l] = total.se;
    }
    out->effect = total.estimate;
    out->se = total.se;
    out->lo = total.lo;
    out->hi = total.hi;
    out->p = total.p;
    return BW_OK;
}

/* x: [n - lags, lags + 2] constant, the treatment now, a period before, ... */
static void fill_design(const double *on, size_t n, size_t lags, double *x) {
    size_t p = lags + 2;
    for (size_t i = 0; i < n - lags; i++) {
        x[i * p] = 1;
        for (size_t l = 0; l <= lags; l++)
            x[i * p + 1 + l] = on[i + lags - l];
    }
}

bw_status bw_switchback_fit(const double *y, const double *on, size_t n, size_t lags,
                            bw_switchback *out, bw_err *err) {
    *out = (bw_switchback){0};
    bw_status st = check(on, n, lags, err);
    if (st != BW_OK)
        return st;
    double *x = malloc((n - lags) * (lags + 2) * sizeof *x);
    if (!x)
        return bw_fail_memory(err);
    fill_design(on, n, lags, x);
    bw_ols_data d = {.x = x, .y = y + lags, .n = n - lags, .p = lags + 2, .cov = BW_COV_CLASSIC};
    bw_ols_fit fit;
    st = bw_ols(&d, &fit, err);
    if (st != BW_OK)
        st = bw_fail(
            err, BW_EDATA,
            "the treatment was switched too seldom, or too regularly, to tell %zu lags apart: ask "
            "for fewer, or go on for longer",
            lags);
    else if (bw_ols_exact(&fit, y, n))
        st = bw_fail(err, BW_EDATA,
                     "the metric does not vary, or only with the treatment: there is no noise by "
                     "which an effect could be judged");
    else
        st = read_lags(&d, &fit, lags, out, err);
    bw_ols_free(&fit);
    free(x);
    out->naive = on_minus_off(y, on, n);
    out->used = n - lags;
    return st;
}
