/* analyze/experiment/bsts.c - the Gibbs sampler and what its draws say about the effect. */
#include "analyze/experiment/bsts.h"

#include "analyze/experiment/bsts_state.h"
#include "analyze/linear.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS         3000u
#define BURN_IN       300u
#define PLACEBO_DRAWS 600u
#define STATE_DF      32.0 /* its weight in observations; bsts' SdPrior for a local level */
#define EXPECTED_R2   0.8
#define PRIOR_DF      50.0
#define MODEL_SIZE    3.0  /* controls expected to matter */
#define INFORMATION   0.01 /* observations the slab is worth */
#define DIAGONAL      0.5  /* share of the slab's precision that is diagonal */
#define CONTROLS_MAX  60u

struct sampler {
    const bw_impact_data *d;
    size_t n, k, m, usable;       /* before the start, controls, after; controls that vary before */
    double level_sd;              /* prior guess, in standard deviations of y */
    double mean, sd;              /* of y before the start */
    double *y, *x;                /* [n] and [n + m, k], standardised on the time before */
    double *x_scale;              /* [k] */
    double *z, *level, *season;   /* [n] */
    double *gram, *prior;         /* [k, k] x'x and the slab's precision */
    double *xy;                   /* [k] */
    double *chol, *beta;          /* [k, k], [k] */
    bool *in, *constant;          /* [k] in the regression now; never, it does not vary before */
    double *inclusion, *coef, r2; /* sums over draws */
    double *residual;             /* [n] sum over draws */
    bw_state_law law;
    bw_states *states;
    gsl_rng *rng;
};

static void sampler_free(struct sampler *s) {
    double *all[] = {s->y,     s->x,  s->x_scale, s->z,    s->level,     s->season, s->gram,
                     s->prior, s->xy, s->chol,    s->beta, s->inclusion, s->coef,   s->residual};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(s->in);
    free(s->constant);
    bw_states_free(s->states);
    if (s->rng)
        gsl_rng_free(s->rng);
}

static bw_status allocate(struct sampler *s, bw_err *err) {
    size_t k = s->k + 1; /* never 0 */
    s->y = malloc(s->n * sizeof(double));
    s->x = malloc((s->n + s->m) * k * sizeof(double));
    s->x_scale = calloc(k, sizeof(double));
    s->z = malloc(s->n * sizeof(double));
    s->level = calloc(s->n, sizeof(double));
    s->season = calloc(s->n, sizeof(double));
    s->gram = calloc(k * k, sizeof(double));
    s->prior = calloc(k * k, sizeof(double));
    s->xy = calloc(k, sizeof(double));
    s->chol = calloc(k * k, sizeof(double));
    s->beta = calloc(k, sizeof(double));
    s->in = calloc(k, sizeof(bool));
    s->constant = calloc(k, sizeof(bool));
    s->residual = calloc(s->n, sizeof(double));
    s->inclusion = calloc(k, sizeof(double));
    s->coef = calloc(k, sizeof(double));
    s->states = bw_states_new(s->n, s->d->season);
    s->rng = gsl_rng_alloc(gsl_rng_taus2);
    bool ok = s->y && s->x && s->x_scale && s->z && s->level && s->season && s->gram && s->prior &&
              s->xy && s->chol && s->beta && s->in && s->constant && s->residual && s->inclusion &&
              s->coef && s->states && s->rng;
    return ok ? BW_OK : bw_fail_memory(err);
}

static bw_status standardise(struct sampler *s, bw_err *err) {
    const bw_impact_data *d = s->d;
    double sum = 0, sq = 0, count = 0;
    for (size_t t = 0; t < s->n; t++)
        if (!isnan(d->y[t])) {
            sum += d->y[t];
            count += 1;
        }
    s->mean = sum / count;
    for (size_t t = 0; t < s->n; t++)
        sq += isnan(d->y[t]) ? 0 : pow(d->y[t] - s->mean, 2);
    s->sd = sqrt(sq / (count - 1));
    if (!(s->sd > 1e-12 * fabs(s->mean)))
        return bw_fail(err, BW_EDATA,
                       "the metric does not vary before the start, so its noise is not known");
    for (size_t t = 0; t < s->n; t++)
        s->y[t] = (d->y[t] - s->mean) / s->sd;
    for (size_t j = 0; j < s->k; j++) {
        double mean = 0, var = 0, n = (double)s->n;
        for (size_t t = 0; t < s->n; t++)
            mean += d->x[t * s->k + j] / n;
        for (size_t t = 0; t < s->n; t++)
            var += pow(d->x[t * s->k + j] - mean, 2) / (n - 1);
        /* What did not vary before says nothing of before, and after it would only mislead. */
        s->constant[j] = !(sqrt(var) > 1e-12 * fabs(mean));
        s->usable += !s->constant[j];
        s->x_scale[j] = s->constant[j] ? 1 : sqrt(var);
        for (size_t t = 0; t < s->n + s->m; t++)
            s->x[t * s->k + j] = s->constant[j] ? 0 : (d->x[t * s->k + j] - mean) / s->x_scale[j];
    }
    return BW_OK;
}

/* Slab: information / n times the average of x'x and its diagonal. Missing values of y are skipped. */
static void slab(struct sampler *s) {
    for (size_t t = 0; t < s->n; t++)
        for (size_t i = 0; i < s->k && !isnan(s->y[t]); i++)
            for (size_t j = 0; j < s->k; j++)
                s->gram[i * s->k + j] += s->x[t * s->k + i] * s->x[t * s->k + j];
    for (size_t i = 0; i < s->k; i++)
        for (size_t j = 0; j < s->k; j++)
            s->prior[i * s->k + j] =
                INFORMATION * s->gram[i * s->k + j] / (double)s->n * (i == j ? 1 : 1 - DIAGONAL);
}

static double regression(const struct sampler *s, size_t t) {
    double sum = 0;
    for (size_t j = 0; j < s->k; j++)
        sum += s->in[j] ? s->x[t * s->k + j] * s->beta[j] : 0;
    return sum;
}

/* Fills chol with the factor of the included block of a (prior, plus gram when data); its log determinant. */
static double factor_block(struct sampler *s, bool data, size_t *which, size_t *q) {
    double log_det = 0;
    *q = 0;
    for (size_t j = 0; j < s->k; j++)
        if (s->in[j])
            which[(*q)++] = j;
    for (size_t a = 0; a < *q; a++)
        for (size_t b = 0; b < *q; b++) {
            size_t at = which[a] * s->k + which[b];
            s->chol[a * *q + b] = s->prior[at] + (data ? s->gram[at] : 0) + (a == b ? 1e-12 : 0);
        }
    if (!bw_cholesky(s->chol, *q, NULL))
        return NAN;
    for (size_t a = 0; a < *q; a++)
        log_det += 2 * log(s->chol[a * *q + a]);
    return log_det;
}

/* Log marginal of the included set, sigma and coefficients integrated out; *ss: the posterior sum of squares. */
static double log_marginal(struct sampler *s, double yy, double rows, double *ss, double *b) {
    size_t which[CONTROLS_MAX], q;
    double explained = 0, prior = factor_block(s, false, which, &q),
           both = factor_block(s, true, which, &q);
    for (size_t a = 0; a < q; a++)
        b[a] = s->xy[which[a]];
    bw_cholesky_solve(s->chol, q, b);
    for (size_t a = 0; a < q; a++)
        explained += b[a] * s->xy[which[a]];
    *ss = PRIOR_DF * (1 - EXPECTED_R2) + fmax(0, yy - explained);
    double share = fmin(1, MODEL_SIZE / (double)s->usable);
    double inclusion = (double)q * log(share) + (share < 1 ? (double)(s->usable - q) * log1p(-share)
                                                 : q < s->usable ? -INFINITY
                                                                 : 0);
    double total = 0.5 * (prior - both) - 0.5 * (PRIOR_DF + rows) * log(*ss) + inclusion;
    return isnan(total) ? -INFINITY : total;
}

/* Each control in or out given the others, then sigma, then the coefficients. */
static void draw_regression(struct sampler *s) {
    double yy = 0, rows = 0, ss, b[CONTROLS_MAX] = {0};
    memset(s->xy, 0, s->k * sizeof *s->xy);
    for (size_t t = 0; t < s->n; t++) {
        double r = s->y[t] - s->level[t] - s->season[t];
        if (isnan(r))
            continue;
        rows += 1;
        yy += r * r;
        for (size_t j = 0; j < s->k; j++)
            s->xy[j] += s->x[t * s->k + j] * r;
    }
    for (size_t j = 0; j < s->k; j++) {
        if (s->constant[j])
            continue;
        s->in[j] = true;
        double with = log_marginal(s, yy, rows, &ss, b);
        s->in[j] = false;
        double without = log_marginal(s, yy, rows, &ss, b);
        s->in[j] = gsl_rng_uniform(s->rng) < 1 / (1 + exp(without - with));
    }
    log_marginal(s, yy, rows, &ss, b);
    s->law.obs = ss / 2 / gsl_ran_gamma(s->rng, (PRIOR_DF + rows) / 2, 1);
    size_t which[CONTROLS_MAX], q;
    factor_block(s, true, which, &q);
    double noise[CONTROLS_MAX];
    for (size_t a = 0; a < q; a++)
        noise[a] = gsl_ran_gaussian(s->rng, sqrt(s->law.obs));
    for (size_t a = q; a-- > 0;) { /* L' u = noise */
        for (size_t c = a + 1; c < q; c++)
            noise[a] -= s->chol[c * q + a] * noise[c];
        noise[a] /= s->chol[a * q + a];
    }
    for (size_t a = 0; a < q; a++)
        s->beta[which[a]] = b[a] + noise[a];
}

/* Variance of the steps of a state, from a prior worth STATE_DF steps; at most that of y. */
static double draw_variance(struct sampler *s, double sum_sq, double steps) {
    double rate = (STATE_DF * s->level_sd * s->level_sd + sum_sq) / 2;
    for (int tries = 0; tries < 100; tries++) {
        double v = rate / gsl_ran_gamma(s->rng, (STATE_DF + steps) / 2, 1);
        if (v <= 1)
            return v;
    }
    return 1;
}

static void draw_variances(struct sampler *s) {
    double level = 0, season = 0, steps = 0;
    size_t k = s->d->season;
    for (size_t t = 1; t < s->n; t++)
        level += pow(s->level[t] - s->level[t - 1], 2);
    s->law.level = draw_variance(s, level, (double)s->n - 1);
    if (k < 2)
        return;
    for (size_t t = k - 1; t < s->n; t++) {
        double sum = 0;
        for (size_t i = 0; i < k; i++)
            sum += s->season[t - i];
        season += sum * sum;
        steps += 1;
    }
    s->law.season = draw_variance(s, season, steps);
}

static void tally(struct sampler *s) {
    double rss = 0, tss = 0;
    for (size_t j = 0; j < s->k; j++) {
        s->inclusion[j] += s->in[j];
        s->coef[j] += s->in[j] ? s->beta[j] * s->sd / s->x_scale[j] : 0;
    }
    for (size_t t = 0; t < s->n; t++) {
        double fitted = s->level[t] + s->season[t] + regression(s, t);
        s->residual[t] += s->y[t] - fitted;
        rss += isnan(s->y[t]) ? 0 : pow(s->y[t] - fitted, 2);
        tss += isnan(s->y[t]) ? 0 : s->y[t] * s->y[t];
    }
    s->r2 += 1 - rss / tss;
}

/* Lag-1 correlation of what the fit before the start leaves. */
static double autocorrelation(const double *r, size_t n) {
    double sum = 0, sq = 0, cross = 0, count = 0;
    for (size_t t = 0; t < n; t++)
        if (!isnan(r[t])) {
            sum += r[t];
            count += 1;
        }
    double mean = sum / count;
    for (size_t t = 0; t < n; t++) {
        sq += isnan(r[t]) ? 0 : pow(r[t] - mean, 2);
        if (t && !isnan(r[t]) && !isnan(r[t - 1]))
            cross += (r[t] - mean) * (r[t - 1] - mean);
    }
    return sq > 0 ? cross / sq : 0;
}

/* paths: [draws, m] y without the treatment. */
static void gibbs(struct sampler *s, size_t draws, double *paths) {
    for (size_t i = 0; i < BURN_IN + draws; i++) {
        for (size_t t = 0; t < s->n; t++)
            s->z[t] = s->y[t] - regression(s, t);
        bw_states_draw(s->states, s->z, &s->law, s->rng, s->level, s->season);
        draw_variances(s);
        draw_regression(s);
        if (i < BURN_IN)
            continue;
        double *path = paths + (i - BURN_IN) * s->m;
        bw_states_run_on(s->states, &s->law, s->m, s->rng, path);
        for (size_t h = 0; h < s->m; h++) {
            double z =
                path[h] + regression(s, s->n + h) + gsl_ran_gaussian(s->rng, sqrt(s->law.obs));
            path[h] = s->mean + s->sd * z;
        }
        tally(s);
    }
}

static bw_status sample(const bw_impact_data *d, uint64_t seed, size_t draws, struct sampler *s,
                        double *paths, bw_err *err) {
    *s = (struct sampler){.d = d,
                          .n = d->start,
                          .k = d->k,
                          .m = d->n - d->start,
                          .level_sd = d->level_sd > 0 ? d->level_sd : BW_IMPACT_LEVEL_SD};
    bw_status st = allocate(s, err);
    if (st == BW_OK)
        st = standardise(s, err);
    if (st != BW_OK)
        return st;
    slab(s);
    double first = 0;
    for (size_t t = s->n; t-- > 0;)
        first = isnan(s->y[t]) ? first : s->y[t];
    for (size_t j = 0; j < s->k; j++)
        s->in[j] = !s->constant[j];
    s->law = (bw_state_law){.obs = 1 - EXPECTED_R2,
                            .level = s->level_sd * s->level_sd,
                            .season = s->level_sd * s->level_sd,
                            .first = first,
                            .first_var = 1,
                            .season_var = 1};
    gsl_rng_set(s->rng, (unsigned long)(seed + 1));
    gibbs(s, draws, paths);
    return BW_OK;
}

static bw_range range(double *v, size_t n) {
    bw_range r = {.mean = gsl_stats_mean(v, 1, n)};
    gsl_sort(v, 1, n);
    r.lo = gsl_stats_quantile_from_sorted_data(v, 1, n, 0.025);
    r.hi = gsl_stats_quantile_from_sorted_data(v, 1, n, 0.975);
    return r;
}

static double tail(const double *sums, size_t n, double actual) {
    double above = 0, below = 0;
    for (size_t i = 0; i < n; i++) {
        above += sums[i] >= actual;
        below += sums[i] <= actual;
    }
    return (fmin(above, below) + 1) / ((double)n + 1);
}

/* Column work of the paths: period by period, and running sums of what was seen. */
static void describe(const bw_impact_data *d, const double *paths, double *work, bw_impact *out) {
    size_t m = out->periods;
    double *sum = work, *v = work + DRAWS, seen = 0;
    memset(sum, 0, DRAWS * sizeof *sum);
    for (size_t h = 0; h < m; h++) {
        double y = d->y[d->start + h];
        for (size_t i = 0; i < DRAWS; i++)
            v[i] = paths[i * m + h];
        out->expected[h] = range(v, DRAWS);
        if (!isnan(y)) {
            seen += 1;
            out->actual += y;
            for (size_t i = 0; i < DRAWS; i++)
                sum[i] += paths[i * m + h];
        }
        for (size_t i = 0; i < DRAWS; i++)
            v[i] = out->actual - sum[i];
        out->cumulative[h] = range(v, DRAWS);
        const bw_range *e = &out->expected[h];
        out->point[h] = (bw_range){y - e->mean, y - e->hi, y - e->lo};
    }
    out->p = tail(sum, DRAWS, out->actual);
    out->effect = out->cumulative[m - 1];
    out->average =
        (bw_range){out->effect.mean / seen, out->effect.lo / seen, out->effect.hi / seen};
    for (size_t i = 0; i < DRAWS; i++)
        v[i] = out->actual / sum[i] - 1;
    out->relative = range(v, DRAWS);
    out->predicted = range(sum, DRAWS);
    if (!(out->predicted.lo > 0))
        out->relative = (bw_range){NAN, NAN, NAN};
}

/* The same question where nothing happened: the last third of the time before, held against the rest. */
static double placebo(const bw_impact_data *d, uint64_t seed) {
    bw_impact_data before = *d;
    before.n = d->start;
    before.start = d->start - d->start / 3;
    double actual = 0, p = NAN, *paths = malloc(PLACEBO_DRAWS * (d->start / 3 + 2) * sizeof *paths);
    struct sampler s = {0};
    if (before.start >= BW_IMPACT_LEAST && before.start < before.n && paths &&
        sample(&before, seed, PLACEBO_DRAWS, &s, paths, NULL) == BW_OK) {
        double sums[PLACEBO_DRAWS] = {0};
        for (size_t h = 0; h < s.m; h++) {
            double y = d->y[before.start + h];
            actual += isnan(y) ? 0 : y;
            for (size_t i = 0; !isnan(y) && i < PLACEBO_DRAWS; i++)
                sums[i] += paths[i * s.m + h];
        }
        p = tail(sums, PLACEBO_DRAWS, actual);
    }
    sampler_free(&s);
    free(paths);
    return p;
}

static bw_status check(const bw_impact_data *d, bw_err *err) {
    double before = 0, after = 0;
    for (size_t t = 0; t < d->n; t++)
        *(t < d->start ? &before : &after) += isnan(d->y[t]) ? 0 : 1;
    if (before < BW_IMPACT_LEAST)
        return bw_fail(err, BW_EDATA,
                       "%.0f values before the start; %u are the least to learn from", before,
                       BW_IMPACT_LEAST);
    if (after < 1)
        return bw_fail(err, BW_EDATA, "no value from the start on: the effect lies in the future");
    if (d->k > CONTROLS_MAX || d->season > BW_SEASON_MAX)
        return bw_fail(err, BW_EARG, "%zu controls and a season of %zu; %u and %u are the most",
                       d->k, d->season, CONTROLS_MAX, BW_SEASON_MAX);
    if (d->season > 1 && d->start < 2 * d->season)
        return bw_fail(err, BW_EDATA,
                       "%zu periods before the start are less than two seasons of %zu", d->start,
                       d->season);
    return BW_OK;
}

static bw_status estimate(const bw_impact_data *d, uint64_t seed, struct sampler *s, bw_impact *out,
                          bw_err *err) {
    size_t m = d->n - d->start;
    out->periods = m;
    double *paths = malloc(DRAWS * m * sizeof *paths), *work = malloc(2 * DRAWS * sizeof *work);
    out->expected = malloc(m * sizeof *out->expected);
    out->point = malloc(m * sizeof *out->point);
    out->cumulative = malloc(m * sizeof *out->cumulative);
    out->inclusion = malloc((d->k + 1) * sizeof(double));
    out->coef = malloc((d->k + 1) * sizeof(double));
    bool ok = paths && work && out->expected && out->point && out->cumulative && out->inclusion &&
              out->coef;
    bw_status st = ok ? sample(d, seed, DRAWS, s, paths, err) : bw_fail_memory(err);
    if (st == BW_OK) {
        describe(d, paths, work, out);
        for (size_t j = 0; j < d->k; j++) {
            out->inclusion[j] = s->inclusion[j] / DRAWS;
            out->coef[j] = s->coef[j] / DRAWS;
        }
        for (size_t j = 0; j < d->k; j++)
            out->constant += s->constant[j];
        out->r2 = s->r2 / DRAWS;
        out->autocorrelation = autocorrelation(s->residual, s->n);
        out->placebo_p = placebo(d, seed);
    }
    free(paths);
    free(work);
    return st;
}

bw_status bw_impact_fit(const bw_impact_data *d, uint64_t seed, bw_impact *out, bw_err *err) {
    *out = (bw_impact){0};
    bw_status st = check(d, err);
    if (st != BW_OK)
        return st;
    struct sampler s = {0};
    st = estimate(d, seed, &s, out, err);
    sampler_free(&s);
    if (st != BW_OK)
        bw_impact_free(out);
    return st;
}

void bw_impact_free(bw_impact *r) {
    free(r->expected);
    free(r->point);
    free(r->cumulative);
    free(r->inclusion);
    free(r->coef);
    *r = (bw_impact){0};
}
