/* analyze/experiment/ab.c - arms against a control. */
#include "analyze/experiment/ab.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#define LEVEL 0.95
#define FEW   10.0 /* successes or failures below which a rate's normal interval is poor */
#define NODES 801  /* points of an integral over +-REACH standard deviations */
#define REACH 8.0

bw_arm bw_arm_from_sums(double n, double sum, double sum_sq, bw_metric_kind kind) {
    bw_arm a = {.n = n, .mean = n > 0 ? sum / n : NAN, .sum = sum, .df = n - 1};
    if (kind == BW_METRIC_RATE)
        a.sd = sqrt(a.mean * (1 - a.mean));
    else
        a.sd = n > 1 ? sqrt(fmax(0, (sum_sq - sum * sum / n) / (n - 1))) : NAN;
    a.se = a.sd / sqrt(n);
    return a;
}

bw_arm bw_arm_from_values(const double *y, size_t n, bw_metric_kind kind) {
    double sum = 0, centred = 0;
    for (size_t i = 0; i < n; i++)
        sum += y[i];
    double mean = n ? sum / (double)n : NAN;
    for (size_t i = 0; i < n; i++)
        centred += (y[i] - mean) * (y[i] - mean);
    bw_arm a = bw_arm_from_sums((double)n, sum, NAN, BW_METRIC_RATE);
    if (kind == BW_METRIC_MONEY) {
        a.sd = n > 1 ? sqrt(centred / (double)(n - 1)) : NAN;
        a.se = a.sd / sqrt((double)n);
    }
    return a;
}

bw_arm bw_arm_from_units(const double *sum, const double *rows, size_t units) {
    double s = 0, r = 0, v = 0, u = (double)units;
    for (size_t i = 0; i < units; i++) {
        s += sum[i];
        r += rows[i];
    }
    bw_arm a = {.n = u, .mean = r > 0 ? s / r : NAN, .sum = s, .df = u - 1, .clustered = true};
    for (size_t i = 0; i < units; i++) {
        double e = sum[i] - a.mean * rows[i];
        v += e * e;
    }
    a.se = units > 1 ? sqrt(u / (u - 1) * v) / r : NAN;
    a.sd = a.se * sqrt(u);
    return a;
}

/* P(every |d_i| / se_i < c), where d_i = arm_i - control share the control's noise z. */
static double all_within(const bw_arm *arms, size_t n, size_t control, double c) {
    double s0 = arms[control].se, total = 0, h = 2 * REACH / (NODES - 1);
    for (int k = 0; k < NODES; k++) {
        double z = -REACH + h * k, inside = 1;
        for (size_t i = 0; i < n; i++) {
            double s = arms[i].se, se = hypot(s, s0);
            if (i == control || se == 0)
                continue;
            if (s == 0)
                inside *= fabs(s0 * z) < c * se;
            else
                inside *= gsl_cdf_ugaussian_P((c * se - s0 * z) / s) -
                          gsl_cdf_ugaussian_P((-c * se - s0 * z) / s);
        }
        total += h * gsl_ran_ugaussian_pdf(z) * inside;
    }
    return fmin(1, total);
}

static double critical_z(const bw_arm *arms, size_t n, size_t control) {
    double lo = 0, hi = REACH;
    if (n == 2)
        return gsl_cdf_ugaussian_Pinv(0.5 + LEVEL / 2);
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2;
        *(all_within(arms, n, control, mid) < LEVEL ? &lo : &hi) = mid;
    }
    return hi;
}

/* Welch's degrees of freedom (Satterthwaite). */
static double welch_df(const bw_arm *a, const bw_arm *b) {
    double va = a->se * a->se, vb = b->se * b->se;
    double below = (a->df > 0 ? va * va / a->df : 0) + (b->df > 0 ? vb * vb / b->df : 0);
    return below > 0 ? (va + vb) * (va + vb) / below : INFINITY;
}

double bw_always_half_width(double se, double tau, double alpha) {
    double v = se * se, t = tau * tau;
    return sqrt(v * (v + t) / t * (log((v + t) / v) - 2 * log(alpha)));
}

double bw_always_p(double estimate, double se, double tau) {
    double v = se * se, t = tau * tau;
    double ratio = 0.5 * log(v / (v + t)) + t * estimate * estimate / (2 * v * (v + t));
    return fmin(1, exp(-ratio));
}

static void compare_one(const bw_arm *a, const bw_arm *c, double critical, bool rate,
                        bw_arm_result *r) {
    r->uplift = a->mean - c->mean;
    r->se = hypot(a->se, c->se);
    bool normal = rate && !a->clustered;
    double df = normal ? INFINITY : welch_df(a, c), t = fabs(r->uplift) / r->se;
    bool z = isinf(df);
    double tail = gsl_cdf_ugaussian_Q(critical);
    double wide = z ? critical : gsl_cdf_tdist_Qinv(tail, df);
    double single =
        z ? gsl_cdf_ugaussian_Pinv(0.5 + LEVEL / 2) : gsl_cdf_tdist_Pinv(0.5 + LEVEL / 2, df);
    r->p_single = 2 * (z ? gsl_cdf_ugaussian_Q(t) : gsl_cdf_tdist_Q(t, df));
    r->lo = r->uplift - wide * r->se;
    r->hi = r->uplift + wide * r->se;
    r->lo_single = r->uplift - single * r->se;
    r->hi_single = r->uplift + single * r->se;
    if (rate) { /* two rates differ by 1 at most */
        r->lo = fmax(r->lo, -1);
        r->hi = fmin(r->hi, 1);
        r->lo_single = fmax(r->lo_single, -1);
        r->hi_single = fmin(r->hi_single, 1);
    }
    double tau = BW_ALWAYS_EFFECT * sqrt((a->sd * a->sd + c->sd * c->sd) / 2);
    double half = bw_always_half_width(r->se, tau, 1 - LEVEL);
    r->lo_always = r->uplift - half;
    r->hi_always = r->uplift + half;
    r->p_always = bw_always_p(r->uplift, r->se, tau);
}

static void adjust_p(const bw_arm *arms, size_t n, size_t control, bw_arm_result *out) {
    for (size_t i = 0; i < n; i++) {
        if (i == control)
            continue;
        out[i].p = out[i].p_single;
        if (n >
            2) { /* through the z with the same single p, so that few degrees of freedom count */
            double z = gsl_cdf_ugaussian_Qinv(fmax(out[i].p_single, 1e-300) / 2);
            out[i].p = fmax(out[i].p_single, 1 - all_within(arms, n, control, z));
        }
    }
}

/* Posterior of an arm's mean: density and distribution function at x. */
static double density(const bw_arm *a, bool beta, double x) {
    if (!beta)
        return gsl_ran_gaussian_pdf(x - a->mean, a->se);
    return x > 0 && x < 1 ? gsl_ran_beta_pdf(x, a->sum + 1, a->n - a->sum + 1) : 0;
}

static double below(const bw_arm *a, bool beta, double x) {
    if (!beta)
        return a->se > 0 ? gsl_cdf_gaussian_P(x - a->mean, a->se) : x >= a->mean;
    return x <= 0 ? 0 : x >= 1 ? 1 : gsl_cdf_beta_P(x, a->sum + 1, a->n - a->sum + 1);
}

static void posterior_moments(const bw_arm *a, bool beta, double *mean, double *sd) {
    double s = a->sum + 1, f = a->n - a->sum + 1;
    *mean = beta ? s / (s + f) : a->mean;
    *sd = beta ? sqrt(s * f / ((s + f) * (s + f) * (s + f + 1))) : a->se;
}

/* P(best) = E over arm i of the others' distribution functions; E max from the same integral. */
static void best_arm(const bw_arm *arms, size_t n, bw_metric_kind kind, bw_arm_result *out) {
    double expected_max = 0, total = 0, mean, sd;
    for (size_t i = 0; i < n; i++) {
        bool beta = kind == BW_METRIC_RATE && !arms[i].clustered;
        posterior_moments(&arms[i], beta, &mean, &sd);
        double h = 2 * REACH * sd / (NODES - 1), p = 0, mass = 0, moment = 0;
        for (int k = 0; k < NODES; k++) {
            double x = sd > 0 ? mean - REACH * sd + h * k : mean, others = 1;
            double f = sd > 0 ? h * density(&arms[i], beta, x) : 1.0 / NODES;
            for (size_t j = 0; j < n && f > 0; j++)
                if (j != i)
                    others *= below(&arms[j], kind == BW_METRIC_RATE && !arms[j].clustered, x);
            mass += f;
            p += f * others;
            moment += f * others * x;
        }
        out[i].p_best = p / mass;
        total += p / mass;
        expected_max += moment / mass;
    }
    expected_max /= total;
    for (size_t i = 0; i < n; i++) {
        out[i].p_best /= total;
        posterior_moments(&arms[i], kind == BW_METRIC_RATE && !arms[i].clustered, &mean, &sd);
        out[i].expected_loss = fmax(0, expected_max - mean);
    }
}

static bw_status check_sizes(const bw_arm *arms, size_t n, size_t control, bw_err *err) {
    if (n < 2)
        return bw_fail(err, BW_EDATA, "one arm only: an uplift needs a control and another arm");
    if (control >= n)
        return bw_fail(err, BW_EARG, "the control is not among the arms");
    for (size_t i = 0; i < n; i++)
        if (!(arms[i].n >= 2))
            return bw_fail(err, BW_EDATA, "an arm has %.0f observations; two are the least",
                           arms[i].n);
    return BW_OK;
}

static bw_status check_spread(const bw_arm *arms, size_t n, bw_err *err) {
    double spread = 0;
    for (size_t i = 0; i < n; i++)
        spread += arms[i].se;
    if (!(spread > 0))
        return bw_fail(err, BW_EDATA,
                       "every value is the same within each arm, so the noise is unknown and no "
                       "uplift can be judged");
    return BW_OK;
}

/* Whether the arms hold both outcomes: if not, there is nothing to compare and nothing to soften. */
static bool any_success(const bw_arm *arms, size_t n) {
    double successes = 0, rows = 0;
    for (size_t i = 0; i < n; i++) {
        successes += arms[i].clustered ? 0 : arms[i].sum;
        rows += arms[i].clustered ? 0 : arms[i].n;
    }
    return successes > 0 && successes < rows;
}

/* One success and one failure more in every arm. */
static bool soften(const bw_arm *in, bw_arm *arms, size_t n) {
    bool few = false;
    for (size_t i = 0; i < n; i++)
        few |= !in[i].clustered && (in[i].sum < FEW || in[i].n - in[i].sum < FEW);
    for (size_t i = 0; i < n; i++) {
        arms[i] = in[i];
        if (few)
            arms[i] = bw_arm_from_sums(in[i].n + 2, in[i].sum + 1, NAN, BW_METRIC_RATE);
    }
    return few;
}

bw_status bw_ab_compare(const bw_arm *in, size_t n, size_t control, bw_metric_kind kind,
                        bw_arm_result *out, bool *adjusted, bw_err *err) {
    bw_arm arms[BW_ARMS_MAX];
    if (n > BW_ARMS_MAX)
        return bw_fail(err, BW_EARG, "%zu arms; %u are the most", n, BW_ARMS_MAX);
    bw_status st = check_sizes(in, n, control, err);
    *adjusted = false;
    for (size_t i = 0; i < n; i++) {
        arms[i] = in[i];
        out[i] =
            (bw_arm_result){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    }
    if (st != BW_OK)
        return st;
    if (kind == BW_METRIC_RATE && any_success(in, n))
        *adjusted = soften(in, arms, n);
    st = check_spread(arms, n, err);
    if (st != BW_OK)
        return st;
    double critical = critical_z(arms, n, control);
    for (size_t i = 0; i < n; i++)
        if (i != control)
            compare_one(&arms[i], &arms[control], critical, kind == BW_METRIC_RATE, &out[i]);
    adjust_p(arms, n, control, out);
    for (size_t i = 0; i < n; i++) /* softening moves the interval, never the difference seen */
        if (i != control) {
            out[i].uplift = in[i].mean - in[control].mean;
            out[i].relative = in[control].mean > 0 ? out[i].uplift / in[control].mean : NAN;
        }
    best_arm(in, n, kind, out);
    return BW_OK;
}

double bw_sample_ratio_p(const double *count, const double *share, size_t n) {
    double total = 0, shares = 0, chi = 0;
    for (size_t i = 0; i < n; i++) {
        total += count[i];
        shares += share ? share[i] : 1;
    }
    for (size_t i = 0; i < n; i++) {
        double expected = total * (share ? share[i] : 1) / shares;
        chi += (count[i] - expected) * (count[i] - expected) / expected;
    }
    return gsl_cdf_chisq_Q(chi, (double)n - 1);
}

double bw_cuped(double *y, const double *x, size_t n) {
    double my = 0, mx = 0, sxx = 0, sxy = 0, syy = 0;
    for (size_t i = 0; i < n; i++) {
        my += y[i] / (double)n;
        mx += x[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        sxy += (x[i] - mx) * (y[i] - my);
        syy += (y[i] - my) * (y[i] - my);
    }
    if (!(sxx > 0) || !(syy > 0))
        return 0;
    for (size_t i = 0; i < n; i++)
        y[i] -= sxy / sxx * (x[i] - mx);
    return sxy * sxy / (sxx * syy);
}
