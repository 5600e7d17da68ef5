/* analyze/sentiment/lead.c - prewhitened cross-correlation and its permutation test.
 *
 * Residuals keep their week, NAN where unknown, so that gaps never bring weeks together that are
 * apart. A permutation turns the sentiment residuals in a circle by a random step, cuts them into
 * blocks of n^(1/3) weeks (Kuensch 1989) and lays the blocks down in random order. */
#include "analyze/sentiment/lead.h"

#include "analyze/linear.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

#define YEAR_WEEKS   (365.25 / 7)
#define HARMONICS    2
#define PLAIN        (2 + 2 * HARMONICS) /* level, trend, season */
#define PAIRS_LEAST  20                  /* fewer are no correlation to speak of */
#define PERMUTATIONS 1999
#define NOTHING      1e-12 /* share of the sum of squares that is rounding, no variation */

static bool known_at(const bw_lead_data *d, const double *y, size_t t) {
    bool known = isfinite(y[t]);
    for (size_t c = 0; known && c < d->columns; c++)
        known = isfinite(d->known[t * d->columns + c]);
    return known;
}

static void design_row(const bw_lead_data *d, size_t t, double *x) {
    *x++ = 1;
    *x++ = (double)t / (double)d->n;
    for (int h = 1; h <= HARMONICS; h++) {
        double angle = 2 * M_PI * h * (double)t / YEAR_WEEKS;
        *x++ = cos(angle);
        *x++ = sin(angle);
    }
    for (size_t c = 0; c < d->columns; c++)
        x[c] = d->known[t * d->columns + c];
}

/* What trend, season and the known columns leave of y; NAN where y or a column is not known. */
static bw_status residuals(const bw_lead_data *d, const double *y, const char *name, double *e,
                           bw_err *err) {
    size_t p = PLAIN + d->columns, m = 0;
    double *x = malloc(d->n * p * sizeof *x), *v = malloc(d->n * sizeof *v), all = 0, left = 0;
    bw_ols_fit fit = {0};
    bw_status st = x && v ? BW_OK : bw_fail_memory(err);
    for (size_t t = 0; st == BW_OK && t < d->n; t++)
        if (known_at(d, y, t)) {
            design_row(d, t, x + m * p);
            all += y[t] * y[t];
            v[m++] = y[t];
        }
    if (st == BW_OK)
        st = bw_ols(&(bw_ols_data){.x = x, .y = v, .n = m, .p = p}, &fit, err);
    for (size_t t = 0, i = 0; st == BW_OK && t < d->n; t++) {
        e[t] = known_at(d, y, t) ? fit.residual[i++] : NAN;
        left += isfinite(e[t]) ? e[t] * e[t] : 0;
    }
    if (st == BW_OK && left <= NOTHING * all)
        st = bw_fail(err, BW_EDATA,
                     "%s does not vary beyond trend and season: nothing can lead or follow it",
                     name);
    bw_ols_free(&fit);
    free(x);
    free(v);
    return st;
}

/* In place: e[t] - memory e[t-1], from the last week to the first; gives the memory. */
static double prewhiten(double *e, size_t n) {
    double cross = 0, square = 0;
    for (size_t t = 1; t < n; t++)
        if (isfinite(e[t]) && isfinite(e[t - 1])) {
            cross += e[t] * e[t - 1];
            square += e[t - 1] * e[t - 1];
        }
    double memory = square > 0 ? cross / square : 0;
    for (size_t t = n - 1; t > 0; t--)
        e[t] -= memory * e[t - 1];
    e[0] = NAN;
    return memory;
}

/* Correlation of a[t] with b[t + k] over the weeks where both are known. */
static bw_lead_lag correlation(const double *a, const double *b, size_t n, int k) {
    size_t first = k < 0 ? (size_t)-k : 0, last = k > 0 ? n - (size_t)k : n;
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0, m = 0;
    for (size_t t = first; t < last; t++) {
        double u = a[t], v = b[(size_t)((ptrdiff_t)t + k)];
        if (!isfinite(u) || !isfinite(v))
            continue;
        m++;
        sa += u;
        sb += v;
        aa += u * u;
        bb += v * v;
        ab += u * v;
    }
    bw_lead_lag lag = {NAN, NAN, NAN, (size_t)m};
    double va = aa - sa * sa / m, vb = bb - sb * sb / m;
    if (m >= PAIRS_LEAST && va > 0 && vb > 0)
        lag.r = (ab - sa * sb / m) / sqrt(va * vb);
    return lag;
}

/* Standard error of Fisher's z; each variable taken out of both series beforehand costs a pair (Fisher
 * 1924, on partial correlations). NAN: too few pairs are left. */
static double z_error(const bw_lead_lag *lag, size_t taken) {
    return isfinite(lag->r) && lag->pairs > 3 + taken ? 1 / sqrt((double)(lag->pairs - 3 - taken))
                                                      : NAN;
}

/* The largest |z| in standard errors, which lags of more and fewer pairs have in common; 0: none. */
static double strongest(const double *a, const double *b, size_t n, size_t taken, int *lead) {
    double most = 0;
    for (int k = -BW_LEAD_MOST; k <= BW_LEAD_MOST; k++) {
        bw_lead_lag lag = correlation(a, b, n, k);
        double z = fabs(atanh(lag.r)) / z_error(&lag, taken);
        if (z > most) {
            most = z;
            *lead = k;
        }
    }
    return most;
}

static void shuffle_blocks(const double *from, double *to, size_t n, size_t *start, size_t length,
                           gsl_rng *rng) {
    size_t blocks = (n + length - 1) / length, turn = gsl_rng_uniform_int(rng, n), used = 0;
    for (size_t b = 0; b < blocks; b++)
        start[b] = b * length;
    gsl_ran_shuffle(rng, start, blocks, sizeof *start);
    for (size_t b = 0; b < blocks; b++)
        for (size_t t = start[b]; t < start[b] + length && t < n; t++)
            to[used++] = from[(t + turn) % n];
}

/* Shuffled residuals share no variables with the others any more, so nothing counts as taken there. */
static bw_status permute(const double *a, const double *b, size_t n, double seen, uint64_t seed,
                         double *p, bw_err *err) {
    size_t length = (size_t)lround(cbrt((double)n)), as_strong = 0;
    double *shuffled = malloc(n * sizeof *shuffled);
    size_t *start = malloc(n * sizeof *start);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    bw_status st = shuffled && start && rng ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        gsl_rng_set(rng, (unsigned long)seed);
    for (int i = 0, lead; st == BW_OK && i < PERMUTATIONS; i++) {
        shuffle_blocks(a, shuffled, n, start, length, rng);
        as_strong += strongest(shuffled, b, n, 0, &lead) >= seen;
    }
    *p = (double)(as_strong + 1) / (PERMUTATIONS + 1);
    if (rng)
        gsl_rng_free(rng);
    free(shuffled);
    free(start);
    return st;
}

static void all_lags(const double *a, const double *b, size_t n, size_t taken, bw_lead *out) {
    double z = gsl_cdf_ugaussian_Pinv(0.95);
    for (int k = -BW_LEAD_MOST; k <= BW_LEAD_MOST; k++) {
        bw_lead_lag *lag = &out->lag[k + BW_LEAD_MOST];
        *lag = correlation(a, b, n, k);
        double half = z * z_error(lag, taken);
        lag->lo = tanh(atanh(lag->r) - half);
        lag->hi = tanh(atanh(lag->r) + half);
    }
}

static bw_status count_weeks(const bw_lead_data *d, size_t *weeks, bw_err *err) {
    *weeks = 0;
    for (size_t t = 0; t < d->n; t++)
        *weeks += known_at(d, d->sentiment, t) && known_at(d, d->outcome, t);
    return *weeks >= BW_LEAD_WEEKS
               ? BW_OK
               : bw_fail(err, BW_EDATA,
                         "%zu weeks with both reviews and sales; %d are the least to tell whether "
                         "one runs ahead of the other",
                         *weeks, BW_LEAD_WEEKS);
}

bw_status bw_lead_find(const bw_lead_data *d, uint64_t seed, bw_lead *out, bw_err *err) {
    *out = (bw_lead){0};
    size_t taken = PLAIN - 1 + d->columns;
    double *a = malloc((2 * d->n + 1) * sizeof *a), *b = a + d->n;
    bw_status st = a ? count_weeks(d, &out->weeks, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = residuals(d, d->sentiment, "sentiment", a, err);
    if (st == BW_OK)
        st = residuals(d, d->outcome, "the outcome", b, err);
    if (st == BW_OK) {
        out->memory[0] = prewhiten(a, d->n);
        out->memory[1] = prewhiten(b, d->n);
        all_lags(a, b, d->n, taken, out);
        double seen = strongest(a, b, d->n, taken, &out->lead);
        if (!(seen > 0))
            st = bw_fail(err, BW_EDATA,
                         "the weeks with reviews and sales lie too far apart to be compared");
        else
            st = permute(a, b, d->n, seen, seed, &out->p, err);
    }
    free(a);
    return st;
}
