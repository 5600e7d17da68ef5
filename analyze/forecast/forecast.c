/* analyze/forecast/forecast.c - seasons as columns, the fan from paths, the backtest by rolling origins.
 *
 * With media, every draw of the standard deviations goes with one draw of what the channels earned: the
 * filter runs over what that draw leaves as base, and the same draw's earnings to come are added. So a
 * channel that is said to have earned more leaves less to the base, and the total stays as sure as it is. */
#include "analyze/forecast/forecast.h"

#include "analyze/forecast/smoothing.h"
#include "analyze/experiment/structural.h"
#include "analyze/table.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR        365.25
#define YEARS_LEAST 1.5 /* of data before a yearly season is told from trend */
#define WAVES       5u  /* yearly Fourier pairs */
#define WEEKS       52u
#define THETAS      80u /* draws of the standard deviations, paths each */
#define PATHS_EACH  25u
#define TEST_THETAS 12u
#define TEST_EACH   25u
#define ORIGINS_MAX 8u
#define BURN_IN     12u  /* first values that are not judged as anomalies */
#define BASE_LEAST  0.2  /* part of every value that the base must be for its log to be taken */
#define BASE_FLOOR  0.05 /* a draw that leaves less than this to the base leaves this */

enum { BLOCK_WAVE, BLOCK_DAY, BLOCK_WEEK, BLOCK_EVENT, BLOCK_EXTRA };

struct design {
    const bw_series *s;
    size_t k, season; /* columns; season of the peers */
    bool yearly, log_scale, peers_log;
    double *x, *z; /* [n + horizon, k]; [n] y or its base, logged where log_scale */
    double *peer;  /* [n] y, logged where peers_log */
    double *scale;
    unsigned *block; /* [k] */
};

void bw_series_free(bw_series *s) {
    for (size_t i = 0; s->name && i < s->extra; i++)
        free(s->name[i]);
    free(s->name);
    free(s->y);
    free(s->x);
    free(s->is_event);
    free(s->media.seen);
    free(s->media.ahead);
    *s = (bw_series){0};
}

double bw_series_at(const bw_series *s, size_t t) {
    if (s->step > 0)
        return s->first + (double)s->step * (double)t;
    char text[32];
    int year, month;
    double day = s->first;
    bw_day_format(s->first, text);
    if (sscanf(text, "%d-%d", &year, &month) == 2) {
        size_t months = (size_t)(month - 1) + t;
        snprintf(text, sizeof text, "%04d-%02d-01", year + (int)(months / 12),
                 (int)(months % 12) + 1);
        bw_day_parse(text, &day);
    }
    return day;
}

/* Share of the year that has passed, 0..1. */
static double phase(double day) {
    char text[11];
    double first;
    bw_day_format(day, text);
    memcpy(text + 4, "-01-01", 7);
    bw_day_parse(text, &first);
    return fmin((day - first) / YEAR, 1 - 1e-9);
}

static double steps_a_year(const bw_series *s) {
    return s->step == 0 ? 12 : YEAR / s->step;
}

/* Number of season columns, and the season that the peers use. */
static size_t season_columns(struct design *d) {
    const bw_series *s = d->s;
    d->season = s->season;
    if (!s->calendar)
        return s->season;
    d->yearly = (double)s->n >= YEARS_LEAST * steps_a_year(s);
    if (s->step == 1) {
        d->season = 7;
        return 7 + (d->yearly ? 2 * WAVES : 0);
    }
    d->season = d->yearly ? (size_t)lround(steps_a_year(s)) : 0;
    if (!d->yearly)
        return 0;
    return s->step == 7 ? 2 * WAVES + WEEKS : d->season;
}

static void fill_waves(double *row, double share) {
    for (size_t w = 0; w < WAVES; w++) {
        row[2 * w] = sin(2 * M_PI * (double)(w + 1) * share);
        row[2 * w + 1] = cos(2 * M_PI * (double)(w + 1) * share);
    }
}

static void fill_season(const struct design *d, size_t t, double *row) {
    const bw_series *s = d->s;
    double day = bw_series_at(s, t), share = s->calendar ? phase(day) : 0;
    if (!s->calendar) {
        if (s->season)
            row[t % s->season] = 1;
    } else if (s->step == 1) {
        row[(size_t)fmod(fmod(day + 3, 7) + 7, 7)] = 1; /* 1970-01-01 was a Thursday */
        if (d->yearly)
            fill_waves(row + 7, share);
    } else if (d->yearly && s->step == 7) {
        fill_waves(row, share);
        row[2 * WAVES + (size_t)(share * WEEKS)] = 1;
    } else if (d->yearly) {
        row[(size_t)(share * (double)d->season)] = 1;
    }
}

static void name_blocks(const struct design *d, size_t seasons) {
    const bw_series *s = d->s;
    for (size_t j = 0; j < seasons; j++) {
        bool wave = s->calendar && ((s->step == 1 && j >= 7) || (s->step == 7 && j < 2 * WAVES));
        d->block[j] = wave ? BLOCK_WAVE : s->step == 7 ? BLOCK_WEEK : BLOCK_DAY;
    }
    for (size_t j = 0; j < s->extra; j++)
        d->block[seasons + j] = s->is_event[j] ? BLOCK_EVENT : BLOCK_EXTRA;
}

/* Regressors to mean 0 and deviation 1 over the times seen, so that one prior suits their units. */
static void scale_regressors(const struct design *d, size_t seasons) {
    const bw_series *s = d->s;
    for (size_t j = 0; j < s->extra; j++) {
        double sum = 0, sq = 0, n = (double)s->n;
        d->scale[j] = 1;
        if (s->is_event[j])
            continue;
        for (size_t t = 0; t < s->n; t++)
            sum += s->x[t * s->extra + j];
        for (size_t t = 0; t < s->n; t++)
            sq += pow(s->x[t * s->extra + j] - sum / n, 2);
        d->scale[j] = sq > 0 ? sqrt(sq / n) : 1;
        for (size_t t = 0; t < s->n + s->horizon; t++) {
            double *cell = &d->x[t * d->k + seasons + j];
            *cell = (*cell - sum / n) / d->scale[j];
        }
    }
}

static double base_of(const bw_series *s, size_t draw, size_t t) {
    return s->y[t] - s->media.seen[draw * s->n + t];
}

/* y, or what the channels' mean earnings leave of it. */
static void fill_base(struct design *d) {
    const bw_series *s = d->s;
    d->peers_log = d->log_scale = true;
    for (size_t t = 0; t < s->n; t++) {
        double sum = 0;
        for (size_t k = 0; k < s->media.draws; k++)
            sum += base_of(s, k, t);
        d->z[t] = s->media.draws ? sum / (double)s->media.draws : s->y[t];
        d->peer[t] = s->y[t];
        d->peers_log &= isnan(s->y[t]) || s->y[t] > 0;
        d->log_scale &=
            isnan(s->y[t]) || (s->y[t] > 0 && (!s->media.draws || d->z[t] > BASE_LEAST * s->y[t]));
    }
    for (size_t t = 0; t < s->n; t++) {
        d->z[t] = d->log_scale ? log(d->z[t]) : d->z[t];
        d->peer[t] = d->peers_log ? log(d->peer[t]) : d->peer[t];
    }
}

static size_t draw_of(const bw_series *s, size_t theta, size_t thetas) {
    return theta * s->media.draws / thetas;
}

/* The base as each draw has it: [thetas, n], or NULL without media; *st tells a lack of memory. */
static double *base_versions(const struct design *d, size_t thetas, bw_status *st, bw_err *err) {
    const bw_series *s = d->s;
    if (!s->media.draws)
        return NULL;
    double *v = malloc(thetas * s->n * sizeof *v);
    if (!v)
        *st = bw_fail_memory(err);
    for (size_t i = 0; v && i < thetas; i++)
        for (size_t t = 0; t < s->n; t++) {
            double base = base_of(s, draw_of(s, i, thetas), t);
            v[i * s->n + t] = isnan(base)    ? NAN
                              : d->log_scale ? log(fmax(base, BASE_FLOOR * s->y[t]))
                                             : base;
        }
    return v;
}

static bw_status make_design(struct design *d, bw_err *err) {
    const bw_series *s = d->s;
    size_t rows = s->n + s->horizon, seasons = season_columns(d);
    d->k = seasons + s->extra;
    d->x = calloc(rows * d->k + 1, sizeof *d->x);
    d->z = malloc(2 * s->n * sizeof *d->z);
    d->peer = d->z + s->n;
    d->block = calloc(d->k + 1, sizeof *d->block);
    d->scale = calloc(s->extra + 1, sizeof *d->scale);
    if (!d->x || !d->z || !d->block || !d->scale)
        return bw_fail_memory(err);
    for (size_t t = 0; t < rows; t++) {
        fill_season(d, t, d->x + t * d->k);
        if (s->extra)
            memcpy(d->x + t * d->k + seasons, s->x + t * s->extra, s->extra * sizeof *d->x);
    }
    name_blocks(d, seasons);
    scale_regressors(d, seasons);
    fill_base(d);
    return BW_OK;
}

static double unlog(bool log_scale, double z) {
    return log_scale ? exp(z) : z;
}

/* One column of paths, sorted into scratch. */
static void column(const double *paths, size_t n, size_t ahead, size_t h, double *out) {
    for (size_t i = 0; i < n; i++)
        out[i] = paths[i * ahead + h];
    gsl_sort(out, 1, n);
}

static const double QUANTILES[6] = {0.025, 0.1, 0.25, 0.75, 0.9, 0.975};

static void fans(bw_forecast *f, size_t horizon, double *scratch) {
    for (size_t h = 0; h < horizon; h++) {
        column(f->paths, f->n_paths, horizon, h, scratch);
        bw_fan *fan = &f->fan[h];
        fan->mean = gsl_stats_mean(scratch, 1, f->n_paths);
        fan->sd = gsl_stats_sd_m(scratch, 1, f->n_paths, fan->mean);
        fan->median = gsl_stats_quantile_from_sorted_data(scratch, 1, f->n_paths, 0.5);
        fan->lo90 = gsl_stats_quantile_from_sorted_data(scratch, 1, f->n_paths, 0.05);
        fan->hi90 = gsl_stats_quantile_from_sorted_data(scratch, 1, f->n_paths, 0.95);
        for (size_t q = 0; q < 6; q++)
            fan->q[q] = gsl_stats_quantile_from_sorted_data(scratch, 1, f->n_paths, QUANTILES[q]);
    }
}

/* Sorted sample: E|X - y| - E|X - X'| / 2. */
static double crps(const double *sorted, size_t n, double y) {
    double a = 0, b = 0;
    for (size_t i = 0; i < n; i++) {
        a += fabs(sorted[i] - y) / (double)n;
        b += sorted[i] * (2 * (double)i + 1 - (double)n) / ((double)n * (double)n);
    }
    return a - b;
}

struct tally {
    double n, abs[3], abs_share[3], total, crps, inside[3];
};

static void judge(struct tally *y, double actual, const double *point, const double *sorted,
                  size_t n) {
    static const size_t PAIR[3][2] = {{2, 3}, {1, 4}, {0, 5}};
    for (size_t m = 0; m < 3; m++) {
        y->abs[m] += fabs(actual - point[m]);
        y->abs_share[m] += fabs(actual - point[m]) / fabs(actual);
    }
    for (size_t b = 0; b < 3; b++)
        y->inside[b] +=
            actual >= gsl_stats_quantile_from_sorted_data(sorted, 1, n, QUANTILES[PAIR[b][0]]) &&
            actual <= gsl_stats_quantile_from_sorted_data(sorted, 1, n, QUANTILES[PAIR[b][1]]);
    y->crps += crps(sorted, n, actual);
    y->total += fabs(actual);
    y->n += 1;
}

/* Paths of the outcome from a fit to z[0 .. upto-1]: the base off the log, what the channels earn put on. */
static bw_status outcome_paths(const struct design *d, const bw_structural *fit, size_t upto,
                               size_t ahead, size_t thetas, size_t each, uint64_t seed,
                               const double *versions, double *paths, bw_err *err) {
    const bw_series *s = d->s;
    bw_status st = bw_structural_paths(fit, ahead, thetas, each, seed, versions, paths, err);
    for (size_t i = 0; st == BW_OK && i < thetas * each; i++)
        for (size_t h = 0; h < ahead; h++) {
            double *y = &paths[i * ahead + h];
            size_t k = draw_of(s, i / each, thetas), t = upto + h;
            *y = unlog(d->log_scale, *y);
            if (s->media.draws)
                *y += t < s->n ? s->media.seen[k * s->n + t]
                               : s->media.ahead[k * s->horizon + t - s->n];
        }
    return st;
}

static bw_status test_origin(const struct design *d, size_t origin, size_t ahead,
                             const bw_structural *warm, const double *versions, struct tally *tally,
                             double *work, bw_err *err) {
    bw_structural_data data = {d->s->n, d->s->horizon, d->k, d->z, d->x, d->block};
    bw_structural *fit;
    size_t n = TEST_THETAS * TEST_EACH;
    double *paths = work, *sorted = work + n * ahead, *naive = sorted + n, *holt = naive + ahead;
    bw_status st = bw_structural_fit(&data, origin, warm, &fit, err);
    if (st != BW_OK)
        return st;
    st = outcome_paths(d, fit, origin, ahead, TEST_THETAS, TEST_EACH, origin, versions, paths, err);
    bw_structural_free(fit);
    bw_seasonal_naive(d->peer, origin, d->season, ahead, naive);
    bw_holt_winters(d->peer, origin, d->season, ahead, holt);
    for (size_t h = 0; st == BW_OK && h < ahead; h++) {
        if (isnan(d->z[origin + h]))
            continue;
        column(paths, n, ahead, h, sorted);
        double point[] = {gsl_stats_quantile_from_sorted_data(sorted, 1, n, 0.5),
                          unlog(d->peers_log, naive[h]), unlog(d->peers_log, holt[h])};
        judge(tally, d->s->y[origin + h], point, sorted, n);
    }
    return st;
}

static void store_errors(bw_forecast *f, const struct tally *y) {
    bw_errors *e[3] = {&f->ours, &f->naive, &f->holt_winters};
    for (size_t m = 0; m < 3; m++)
        *e[m] = (bw_errors){y->abs_share[m] / y->n, y->abs[m] / y->total, y->abs[m] / y->n};
    f->crps = y->crps / y->n;
    f->crps_naive = y->abs[1] / y->n; /* of a point forecast it is the absolute error */
    f->cover50 = y->inside[0] / y->n;
    f->cover80 = y->inside[1] / y->n;
    f->cover95 = y->inside[2] / y->n;
}

/* Origins evenly spread so that the last test ends at the last value; at least half the data, and one
 * season of the peers, come before the first. */
static bw_status backtest(const struct design *d, const bw_structural *full, bw_forecast *f,
                          bw_err *err) {
    size_t n = d->s->n, ahead = d->s->horizon < n / 6 ? d->s->horizon : n / 6;
    size_t first = n / 2 > d->season + 2 ? n / 2 : d->season + 2;
    if (ahead == 0 || first < BW_STRUCTURAL_LEAST || first + ahead > n)
        return BW_OK;
    size_t span = n - ahead - first, origins = span + 1 < ORIGINS_MAX ? span + 1 : ORIGINS_MAX;
    struct tally tally = {0};
    double *work = malloc((TEST_THETAS * TEST_EACH * (ahead + 1) + 2 * ahead) * sizeof *work);
    bw_status st = work ? BW_OK : bw_fail_memory(err);
    double *versions = st == BW_OK ? base_versions(d, TEST_THETAS, &st, err) : NULL;
    for (size_t o = 0; st == BW_OK && o < origins; o++) {
        size_t origin = origins > 1 ? first + span * o / (origins - 1) : n - ahead;
        st = test_origin(d, origin, ahead, full, versions, &tally, work, err);
        if (st == BW_OK && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED, "interrupted");
    }
    free(work);
    free(versions);
    if (st != BW_OK || tally.n == 0)
        return st;
    f->origins = origins;
    f->backtest_ahead = ahead;
    store_errors(f, &tally);
    return BW_OK;
}

static bw_status find_anomalies(const struct design *d, bw_structural *fit, bw_forecast *f,
                                bw_err *err) {
    size_t n = d->s->n;
    double *expected = malloc(2 * n * sizeof *expected), *sd = expected + n;
    f->anomaly = malloc(n * sizeof *f->anomaly);
    if (!expected || !f->anomaly) {
        free(expected);
        return bw_fail_memory(err);
    }
    bw_structural_one_step(fit, expected, sd);
    for (size_t t = BURN_IN; t < n; t++) {
        double p = 2 * gsl_cdf_ugaussian_Q(fabs(d->z[t] - expected[t]) / sd[t]);
        if (p < BW_ANOMALY_P)
            f->anomaly[f->anomalies++] =
                (bw_anomaly){t, d->s->y[t], unlog(d->log_scale, expected[t]), p};
    }
    free(expected);
    return BW_OK;
}

static bw_status store_extras(const struct design *d, bw_structural *fit, bw_forecast *f,
                              bw_err *err) {
    size_t seasons = d->k - d->s->extra;
    double *mean = malloc((d->k + d->k * d->k + 1) * sizeof *mean), *cov = mean + d->k;
    f->extra_mean = malloc((d->s->extra + 1) * sizeof(double));
    f->extra_sd = malloc((d->s->extra + 1) * sizeof(double));
    if (!mean || !f->extra_mean || !f->extra_sd) {
        free(mean);
        return bw_fail_memory(err);
    }
    bw_structural_coef(fit, mean, cov);
    for (size_t j = 0; j < d->s->extra; j++) {
        f->extra_mean[j] = mean[seasons + j] / d->scale[j];
        f->extra_sd[j] = sqrt(fmax(0, cov[(seasons + j) * d->k + seasons + j])) / d->scale[j];
    }
    free(mean);
    return BW_OK;
}

static bw_status look_ahead(const struct design *d, const bw_structural *fit, uint64_t seed,
                            bw_forecast *f, bw_err *err) {
    size_t h = d->s->horizon;
    f->n_paths = THETAS * PATHS_EACH;
    f->paths = malloc(f->n_paths * (h + 1) * sizeof *f->paths);
    f->fan = malloc((h + 1) * sizeof *f->fan);
    double *scratch = malloc(f->n_paths * sizeof *scratch);
    bw_status st = f->paths && f->fan && scratch ? BW_OK : bw_fail_memory(err);
    double *versions = st == BW_OK ? base_versions(d, THETAS, &st, err) : NULL;
    if (st == BW_OK)
        st = outcome_paths(d, fit, d->s->n, h, THETAS, PATHS_EACH, seed, versions, f->paths, err);
    if (st == BW_OK)
        fans(f, h, scratch);
    free(versions);
    free(scratch);
    return st;
}

bw_status bw_forecast_fit(const bw_series *s, bool test, uint64_t seed, bw_forecast *f,
                          bw_err *err) {
    *f = (bw_forecast){0};
    struct design d = {.s = s};
    bw_structural *fit = NULL;
    bw_status st = make_design(&d, err);
    if (st == BW_OK) {
        bw_structural_data data = {s->n, s->horizon, d.k, d.z, d.x, d.block};
        f->yearly = d.yearly;
        f->log_scale = d.log_scale;
        st = bw_structural_fit(&data, s->n, NULL, &fit, err);
        if (st == BW_OK)
            st = look_ahead(&d, fit, seed, f, err);
        if (st == BW_OK && !s->media.draws) /* of the whole outcome, not of a base */
            st = find_anomalies(&d, fit, f, err);
        if (st == BW_OK)
            st = store_extras(&d, fit, f, err);
        if (st == BW_OK && test)
            st = backtest(&d, fit, f, err);
    }
    bw_structural_free(fit);
    free(d.x);
    free(d.z);
    free(d.block);
    free(d.scale);
    if (st != BW_OK)
        bw_forecast_free(f);
    return st;
}

void bw_forecast_free(bw_forecast *f) {
    free(f->fan);
    free(f->paths);
    free(f->anomaly);
    free(f->extra_mean);
    free(f->extra_sd);
    *f = (bw_forecast){0};
}

static double sum_of(const double *path, size_t ahead) {
    double sum = 0;
    for (size_t h = 0; h < ahead; h++)
        sum += path[h];
    return sum;
}

double bw_forecast_reaches(const bw_forecast *f, size_t horizon, size_t ahead, double plan) {
    double reached = 0;
    for (size_t i = 0; i < f->n_paths; i++)
        reached += sum_of(f->paths + i * horizon, ahead) >= plan;
    return reached / (double)f->n_paths;
}

void bw_forecast_total(const bw_forecast *f, size_t horizon, size_t ahead, double *mean, double *lo,
                       double *hi) {
    double *sum = malloc(f->n_paths * sizeof *sum);
    *mean = *lo = *hi = NAN;
    for (size_t i = 0; sum && i < f->n_paths; i++)
        sum[i] = sum_of(f->paths + i * horizon, ahead);
    if (sum) {
        gsl_sort(sum, 1, f->n_paths);
        *mean = gsl_stats_mean(sum, 1, f->n_paths);
        *lo = gsl_stats_quantile_from_sorted_data(sum, 1, f->n_paths, 0.05);
        *hi = gsl_stats_quantile_from_sorted_data(sum, 1, f->n_paths, 0.95);
    }
    free(sum);
}
