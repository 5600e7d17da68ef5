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

bw_status bw_switchback_fit(const double *y, const double *on, size_t n, size_t lags,
                            bw_switchback *out, bw_err *err) {
    *out = (bw_switchback){0};
    bw_status st = check(on, n, lags, err);
    if (st != BW_OK)
        return st;
    size_t p = lags + 2, rows = n - lags;
    double *x = malloc(rows * p * sizeof *x), weight[BW_LAGS_MAX + 2] = {0};
    if (!x)
        return bw_fail_memory(err);
    for (size_t i = 0; i < rows; i++) {
        x[i * p] = 1;
        for (size_t l = 0; l <= lags; l++)
            x[i * p + 1 + l] = on[i + lags - l];
    }
    bw_ols_fit fit;
    st = bw_ols(&(bw_ols_data){.x = x, .y = y + lags, .n = rows, .p = p, .cov = BW_COV_CLASSIC},
                &fit, err);
    free(x);
    if (st != BW_OK)
        return bw_fail(
            err, BW_EDATA,
            "the treatment was switched too regularly to tell %zu lags apart: ask for fewer", lags);
    for (size_t l = 0; l <= lags; l++) {
        bw_contrast c = bw_ols_coef(&fit, l + 1, LEVEL);
        out->lag[l] = c.estimate;
        out->lag_se[l] = c.se;
        weight[l + 1] = 1;
        c = bw_ols_contrast(&fit, weight, LEVEL);
        out->sum[l] = c.estimate;
        out->sum_se[l] = c.se;
    }
    bw_contrast total = bw_ols_contrast(&fit, weight, LEVEL);
    bool noisy = fit.sigma > 0;
    bw_ols_free(&fit);
    if (!noisy)
        return bw_fail(err, BW_EDATA, "the metric does not vary");
    out->effect = total.estimate;
    out->se = total.se;
    out->lo = total.lo;
    out->hi = total.hi;
    out->p = total.p;
    out->naive = on_minus_off(y, on, n);
    out->used = rows;
    return BW_OK;
}
