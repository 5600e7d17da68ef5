/* analyze/customer/clv.c - likelihoods, their maxima, and what follows for a customer. */
#include "analyze/customer/clv.h"

#include "analyze/linear.h"

#include <gsl/gsl_multimin.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EVALUATIONS  800
#define RESTARTS     2
#define SIMPLEX_DONE 1e-6
#define DIFFERENCE   1e-3 /* step of the numerical curvature, log scale */
#define LOG_MAX      12.0
#define STEP_WEEKS   4.0 /* discounting step */
#define SERIES_MAX   2000

struct data {
    const bw_customer *c;
    size_t n;
    double shift; /* 1 in the modified model: one more chance to leave, after the first purchase */
};

/* log(exp(a) + exp(b)) */
static double log_add(double a, double b) {
    double top = fmax(a, b);
    return top + log(exp(a - top) + exp(b - top));
}

/* Fader, Hardie, Lee (2005), equation 6, on the log scale; shifted as in Batislam et al. (2007). */
static double bgnbd(const struct data *d, double r, double alpha, double a, double b) {
    double total = 0, fixed = -gsl_sf_lngamma(r) + r * log(alpha),
           beta = gsl_sf_lngamma(a + b) - gsl_sf_lngamma(b);
    double last_x = -1, by_x = 0;
    for (size_t i = 0; i < d->n; i++) {
        const bw_customer *c = &d->c[i];
        double x = c->frequency;
        if (x != last_x) {
            by_x = gsl_sf_lngamma(r + x) + gsl_sf_lngamma(b + x + d->shift) -
                   gsl_sf_lngamma(a + b + x + d->shift);
            last_x = x;
        }
        double stays = -(r + x) * log(alpha + c->age), both = stays;
        if (x + d->shift > 0)
            both = log_add(stays,
                           log(a) - log(b + x + d->shift - 1) - (r + x) * log(alpha + c->recency));
        total += fixed + beta + by_x + both;
    }
    return total;
}

static double bgnbd_objective(const gsl_vector *v, void *arg) {
    for (size_t i = 0; i < 4; i++)
        if (fabs(gsl_vector_get(v, i)) > LOG_MAX)
            return 1e12;
    double l = bgnbd(arg, exp(gsl_vector_get(v, 0)), exp(gsl_vector_get(v, 1)),
                     exp(gsl_vector_get(v, 2)), exp(gsl_vector_get(v, 3)));
    return isfinite(l) ? -l : 1e12;
}

/* Fader and Hardie (2013), equation 1a. */
static double gamma_gamma_objective(const gsl_vector *u, void *arg) {
    const struct data *d = arg;
    double p = exp(gsl_vector_get(u, 0)), q = exp(gsl_vector_get(u, 1)),
           v = exp(gsl_vector_get(u, 2)), total = 0;
    for (size_t i = 0; i < 3; i++)
        if (fabs(gsl_vector_get(u, i)) > LOG_MAX)
            return 1e12;
    double fixed = q * log(v) - gsl_sf_lngamma(q), last_x = -1, by_x = 0;
    for (size_t i = 0; i < d->n; i++) {
        const bw_customer *c = &d->c[i];
        double x = c->frequency, m = c->value;
        if (!(x > 0) || !(m > 0))
            continue;
        if (x != last_x) {
            by_x = gsl_sf_lngamma(p * x + q) - gsl_sf_lngamma(p * x) + p * x * log(x);
            last_x = x;
        }
        total += fixed + by_x + (p * x - 1) * log(m) - (p * x + q) * log(v + x * m);
    }
    return isfinite(total) ? -total : 1e12;
}

/* Minimum of f over n logs, from `at`, which becomes the place of the minimum. */
static bw_status minimise(double (*f)(const gsl_vector *, void *), void *arg, size_t n, double *at,
                          bw_err *err) {
    gsl_multimin_function function = {f, n, arg};
    gsl_vector *step = gsl_vector_alloc(n);
    gsl_multimin_fminimizer *opt =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, n);
    bw_status st = step && opt ? BW_OK : bw_fail_memory(err);
    for (int pass = 0; st == BW_OK && pass < RESTARTS; pass++) {
        gsl_vector_view start = gsl_vector_view_array(at, n);
        gsl_vector_set_all(step, pass ? 0.1 : 0.5);
        gsl_multimin_fminimizer_set(opt, &function, &start.vector, step);
        for (int i = 0; i < EVALUATIONS && !gsl_multimin_fminimizer_iterate(opt); i++)
            if (gsl_multimin_fminimizer_size(opt) < SIMPLEX_DONE)
                break;
        for (size_t i = 0; i < n; i++)
            at[i] = gsl_vector_get(gsl_multimin_fminimizer_x(opt), i);
    }
    if (step)
        gsl_vector_free(step);
    if (opt)
        gsl_multimin_fminimizer_free(opt);
    return st;
}

/* Inverse of the curvature of -log likelihood at the maximum, by central differences. */
static void curvature(struct data *d, const double *at, double *cov) {
    double h[16], x[4];
    gsl_vector_view v = gsl_vector_view_array(x, 4);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int a = -1; a <= 1; a += 2)
                for (int b = -1; b <= 1; b += 2) {
                    memcpy(x, at, sizeof x);
                    x[i] += a * DIFFERENCE;
                    x[j] += b * DIFFERENCE;
                    sum += a * b * bgnbd_objective(&v.vector, d);
                }
            h[i * 4 + j] = h[j * 4 + i] = sum / (4 * DIFFERENCE * DIFFERENCE);
        }
    if (bw_cholesky(h, 4, NULL))
        bw_cholesky_invert(h, 4, cov);
    else
        memset(cov, 0, 16 * sizeof *cov);
}

static int by_frequency(const void *a, const void *b) {
    const bw_customer *x = a, *y = b;
    return (x->frequency > y->frequency) - (x->frequency < y->frequency);
}

static bw_status check(const bw_customer *c, size_t n, bw_clv *out, bw_err *err) {
    for (size_t i = 0; i < n; i++) {
        if (!(c[i].frequency >= 0) || !(c[i].recency >= 0) || !(c[i].age >= c[i].recency) ||
            !isfinite(c[i].age))
            return bw_fail(err, BW_EDATA,
                           "customer %zu: %g repeats, last after %g weeks of %g is not possible",
                           i + 1, c[i].frequency, c[i].recency, c[i].age);
        out->repeaters += c[i].frequency > 0;
    }
    return out->repeaters >= BW_CLV_LEAST ? BW_OK
                                          : bw_fail(err, BW_EDATA,
                                                    "%zu of %zu customers bought again; %u are the "
                                                    "least to tell who will come back",
                                                    out->repeaters, n, BW_CLV_LEAST);
}

static bw_status fit_value(struct data *d, bw_clv *out, bw_err *err) {
    double mean = 0, n = 0, at[3];
    for (size_t i = 0; i < d->n; i++)
        if (d->c[i].frequency > 0 && d->c[i].value > 0) {
            mean += d->c[i].value;
            n += 1;
        }
    out->p = out->q = out->v = NAN;
    if (n < BW_CLV_LEAST)
        return BW_OK;
    at[0] = log(5);
    at[1] = log(4);
    at[2] = log(mean / n / 2);
    bw_status st = minimise(gamma_gamma_objective, d, 3, at, err);
    out->p = exp(at[0]);
    out->q = exp(at[1]);
    out->v = exp(at[2]);
    return st;
}

bw_status bw_clv_fit(const bw_customer *c, size_t n, bool modified, bw_clv *out, bw_err *err) {
    *out = (bw_clv){.n = n, .modified = modified};
    bw_status st = check(c, n, out, err);
    if (st != BW_OK)
        return st;
    bw_customer *sorted =
        malloc(n * sizeof *sorted); /* equal frequencies share their gamma functions */
    if (!sorted)
        return bw_fail_memory(err);
    memcpy(sorted, c, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_frequency);
    struct data d = {sorted, n, modified};
    double age = 0, at[4];
    for (size_t i = 0; i < n; i++)
        age += c[i].age / (double)n;
    at[0] = log(0.3);
    at[1] = log(age / 6);
    at[2] = log(0.8);
    at[3] = log(2.5);
    st = minimise(bgnbd_objective, &d, 4, at, err);
    if (st == BW_OK) {
        out->r = exp(at[0]);
        out->alpha = exp(at[1]);
        out->a = exp(at[2]);
        out->b = exp(at[3]);
        out->log_likelihood = bgnbd(&d, out->r, out->alpha, out->a, out->b);
        curvature(&d, at, out->cov);
        st = fit_value(&d, out, err);
    }
    free(sorted);
    return st;
}

/* Chances to leave that the customer has passed, but for the last. */
static double passed(const bw_clv *m, const bw_customer *c) {
    return c->frequency + m->modified - 1;
}

double bw_clv_alive(const bw_clv *m, const bw_customer *c) {
    double x = c->frequency;
    if (passed(m, c) < 0)
        return 1; /* BG/NBD: nobody leaves before his first repeat */
    double odds =
        m->a / (m->b + passed(m, c)) * pow((m->alpha + c->age) / (m->alpha + c->recency), m->r + x);
    return 1 / (1 + odds);
}

/* Gauss' hypergeometric series for 0 <= z < 1. */
static double hypergeometric(double a, double b, double c, double z) {
    double term = 1, sum = 1;
    for (int k = 0; k < SERIES_MAX; k++) {
        term *= (a + k) * (b + k) / ((c + k) * (k + 1)) * z;
        sum += term;
        if (fabs(term) < 1e-12 * fabs(sum))
            break;
    }
    return sum;
}

/* Fader, Hardie, Lee (2005), equation 10; the shift turns it into that of the modified model. */
double bw_clv_purchases(const bw_clv *m, const bw_customer *c, double weeks) {
    double x = c->frequency, a = fabs(m->a - 1) < 1e-6 ? m->a + 2e-6 : m->a, at = m->alpha + c->age;
    double k = passed(m, c) + 1,
           f = hypergeometric(m->r + x, m->b + k, a + m->b + k - 1, weeks / (at + weeks));
    double bracket = 1 - pow(at / (at + weeks), m->r + x) * f;
    return fmax(0, (a + m->b + k - 1) / (a - 1) * bracket * bw_clv_alive(m, c));
}

double bw_clv_value(const bw_clv *m, const bw_customer *c) {
    double x = c->value > 0 ? c->frequency : 0;
    double below = m->p * x + m->q - 1;
    return below > 0 ? (m->v + x * (x > 0 ? c->value : 0)) * m->p / below : NAN;
}

double bw_clv_lifetime(const bw_clv *m, const bw_customer *c, double weeks, double discount) {
    double sum = 0, before = 0;
    for (double t = STEP_WEEKS; t < weeks + STEP_WEEKS; t += STEP_WEEKS) {
        double end = fmin(t, weeks), now = bw_clv_purchases(m, c, end);
        sum += (now - before) / pow(1 + discount, (end - STEP_WEEKS / 2) * 7 / 365.25);
        before = now;
    }
    return sum * bw_clv_value(m, c);
}

double bw_clv_next(const bw_clv *m, const bw_customer *c) {
    return (m->alpha + c->age) * (pow(2, 1 / (m->r + c->frequency)) - 1);
}

void bw_clv_draws(const bw_clv *m, size_t n, uint64_t seed, bw_clv *draws) {
    double l[16], z[4], log_at[4] = {log(m->r), log(m->alpha), log(m->a), log(m->b)};
    memcpy(l, m->cov, sizeof l);
    bool spread = bw_cholesky(l, 4, NULL);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    if (rng)
        gsl_rng_set(rng, (unsigned long)(seed + 1));
    for (size_t s = 0; s < n; s++) {
        draws[s] = *m;
        double out[4];
        for (size_t i = 0; i < 4; i++)
            z[i] = rng && spread ? gsl_ran_ugaussian(rng) : 0;
        for (size_t i = 0; i < 4; i++) {
            out[i] = log_at[i];
            for (size_t j = 0; j <= i && spread; j++)
                out[i] += l[i * 4 + j] * z[j];
        }
        draws[s].r = exp(out[0]);
        draws[s].alpha = exp(out[1]);
        draws[s].a = exp(out[2]);
        draws[s].b = exp(out[3]);
    }
    if (rng)
        gsl_rng_free(rng);
}
