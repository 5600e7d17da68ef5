/* analyze/experiment/design.c - pairs, lots, placebos. */
#include "analyze/experiment/design.h"

#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOTS         200
#define YEAR_WEEKS   52u
#define BEFORE_RATIO 3u /* weeks before a window to hold it against, in lengths of it */
#define PLACEBOS_MIN 8u
#define Z95          1.959964

struct work {
    const double *y;
    size_t geos, weeks;
    gsl_rng *rng;
    bool *used, *lot;
};

/* Standard deviation over time of log y_i - log y_j, and a little for unequal size. */
static double distance(const struct work *w, size_t i, size_t j) {
    double sum = 0, sq = 0, n = (double)w->weeks;
    for (size_t t = 0; t < w->weeks; t++) {
        double r = log(w->y[i * w->weeks + t] / w->y[j * w->weeks + t]);
        sum += r;
        sq += r * r;
    }
    double mean = sum / n;
    return sqrt(fmax(0, sq / n - mean * mean)) + 0.1 * fabs(mean);
}

static void match(struct work *w, bw_geo_design *d) {
    memset(w->used, 0, w->geos * sizeof *w->used);
    for (d->pairs = 0; 2 * (d->pairs + 1) <= w->geos; d->pairs++) {
        size_t a = 0, b = 0;
        double least = INFINITY;
        for (size_t i = 0; i < w->geos; i++)
            for (size_t j = i + 1; j < w->geos; j++) {
                double x = w->used[i] || w->used[j] ? INFINITY : distance(w, i, j);
                if (x < least) {
                    least = x;
                    a = i;
                    b = j;
                }
            }
        w->used[a] = w->used[b] = true;
        d->pair[a] = d->pair[b] = d->pairs;
    }
    for (size_t i = 0; i < w->geos; i++)
        d->pair[i] = w->used[i] ? d->pair[i] : d->pairs;
}

/* Log of the treated places' sales over the untreated ones' in week t. */
static double log_ratio(const struct work *w, const bw_geo_design *d, const bool *treated,
                        size_t t) {
    double a = 0, b = 0;
    for (size_t i = 0; i < w->geos; i++)
        if (d->pair[i] < d->pairs)
            *(treated[i] ? &a : &b) += w->y[i * w->weeks + t];
    return log(a / b);
}

static void draw_lot(struct work *w, const bw_geo_design *d) {
    for (size_t k = 0; k < d->pairs; k++) {
        bool first = gsl_rng_uniform(w->rng) < 0.5;
        for (size_t i = 0; i < w->geos; i++)
            if (d->pair[i] == k) {
                w->lot[i] = first;
                first = !first;
            }
    }
}

/* Among LOTS draws the one with the most even sales over the last year. */
static void assign(struct work *w, bw_geo_design *d) {
    size_t from = w->weeks > YEAR_WEEKS ? w->weeks - YEAR_WEEKS : 0;
    double best = INFINITY;
    memset(w->lot, 0, w->geos * sizeof *w->lot);
    for (int k = 0; k < LOTS; k++) {
        draw_lot(w, d);
        double sum = 0;
        for (size_t t = from; t < w->weeks; t++)
            sum += log_ratio(w, d, w->lot, t);
        if (fabs(sum) < best) {
            best = fabs(sum);
            memcpy(d->treated, w->lot, w->geos * sizeof *d->treated);
        }
    }
}

static void shares(const struct work *w, bw_geo_design *d) {
    size_t from = w->weeks > YEAR_WEEKS ? w->weeks - YEAR_WEEKS : 0;
    double all = 0;
    for (size_t i = 0; i < w->geos; i++) {
        for (size_t t = from; t < w->weeks; t++)
            d->share[i] += w->y[i * w->weeks + t];
        all += d->share[i];
    }
    for (size_t i = 0; i < w->geos; i++) {
        d->share[i] /= all;
        d->treated_share += d->treated[i] ? d->share[i] : 0;
    }
}

/* The effect a test in weeks first .. first + length - 1 would have found, as a log ratio. */
static double placebo(const double *ratio, size_t first, size_t length) {
    size_t before = BEFORE_RATIO * length;
    double in = 0, out = 0;
    for (size_t t = 0; t < length; t++)
        in += ratio[first + t] / (double)length;
    for (size_t t = 0; t < before; t++)
        out += ratio[first - before + t] / (double)before;
    return in - out;
}

/* Windows half a length apart; the later half of them is judged by the error of the earlier half. */
static void try_on_the_past(const double *ratio, size_t weeks, size_t length, bw_geo_design *d) {
    size_t first = BEFORE_RATIO * length, step = length > 1 ? length / 2 : 1, n = 0, alarms = 0;
    size_t all = weeks >= first + length ? (weeks - first - length) / step + 1 : 0;
    double sq = 0;
    d->error[length] = d->false_alarms[length] = NAN;
    if (all < PLACEBOS_MIN)
        return;
    for (size_t k = 0; k < all; k++) {
        double e = placebo(ratio, first + k * step, length);
        double error = sqrt(sq / (double)(n ? n : 1));
        alarms += k >= all / 2 && fabs(e) > Z95 * error;
        sq += e * e;
        n++;
    }
    d->error[length] = sqrt(sq / (double)n);
    d->false_alarms[length] = (double)alarms / (double)(all - all / 2);
    d->placebos[length] = n;
}

bw_status bw_geo_design_make(const double *y, size_t geos, size_t weeks, uint64_t seed,
                             bw_geo_design *out, bw_err *err) {
    *out = (bw_geo_design){.geos = geos};
    if (geos < BW_DESIGN_GEOS_MIN || weeks < BW_DESIGN_WEEKS_MIN)
        return bw_fail(err, BW_EDATA,
                       "%zu places over %zu weeks; a test by places needs at least %u and %u", geos,
                       weeks, BW_DESIGN_GEOS_MIN, BW_DESIGN_WEEKS_MIN);
    struct work w = {y,
                     geos,
                     weeks,
                     gsl_rng_alloc(gsl_rng_taus2),
                     calloc(geos, sizeof(bool)),
                     calloc(geos, sizeof(bool))};
    double *ratio = malloc(weeks * sizeof *ratio);
    out->pair = calloc(geos, sizeof *out->pair);
    out->treated = calloc(geos, sizeof *out->treated);
    out->share = calloc(geos, sizeof *out->share);
    bool ok = w.rng && w.used && w.lot && ratio && out->pair && out->treated && out->share;
    if (ok) {
        gsl_rng_set(w.rng, (unsigned long)(seed + 1));
        match(&w, out);
        assign(&w, out);
        shares(&w, out);
        for (size_t t = 0; t < weeks; t++)
            ratio[t] = log_ratio(&w, out, out->treated, t);
        for (size_t length = 1; length <= BW_DESIGN_LONGEST; length++)
            try_on_the_past(ratio, weeks, length, out);
    }
    if (w.rng)
        gsl_rng_free(w.rng);
    free(w.used);
    free(w.lot);
    free(ratio);
    if (ok)
        return BW_OK;
    bw_geo_design_free(out);
    return bw_fail_memory(err);
}

void bw_geo_design_free(bw_geo_design *d) {
    free(d->pair);
    free(d->treated);
    free(d->share);
    *d = (bw_geo_design){0};
}
