/* analyze/price/promotion.c - columns for promotions, and money from the draws of their effects. */
#include "analyze/price/promotion.h"

#include "analyze/experiment/structural.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS       1000u
#define WAVES       4u
#define YEAR        365.25
#define YEARS_LEAST 1.5
#define LEAD_DAYS   7.0 /* a holiday already moves sales this long before it, growing to its eve */

enum { BLOCK_WAVE, BLOCK_DAY, BLOCK_STEP, BLOCK_DIP, BLOCK_EVENT, BLOCK_LEAD };

struct design {
    const bw_span *promotion, *event;
    size_t promotions, events, names; /* names: different event names */
    size_t *name_of;                  /* [events] */
    size_t n, k, waves;
    double first;
    double *x, *z;
    unsigned *block;
};

static double dip_weight(const bw_span *p, double day) {
    double after = day - p->last;
    return after >= 1 && after <= BW_DIP_DAYS ? 1 - (after - 1) / BW_DIP_DAYS : 0;
}

static bool running(const bw_span *p, double day) {
    return day >= p->first && day <= p->last;
}

static double lead_weight(const bw_span *e, double day) {
    double before = e->first - day;
    return before >= 1 && before <= LEAD_DAYS ? 1 - (before - 1) / LEAD_DAYS : 0;
}

static void name_events(struct design *d) {
    for (size_t i = 0; i < d->events; i++) {
        size_t j = 0;
        while (j < i && strcmp(d->event[j].name, d->event[i].name) != 0)
            j++;
        d->name_of[i] = j < i ? d->name_of[j] : d->names++;
    }
}

static void fill_row(const struct design *d, size_t t) {
    double *row = d->x + t * d->k, day = d->first + (double)t;
    row[(size_t)fmod(fmod(day + 3, 7) + 7, 7)] = 1;
    for (size_t w = 0; w < d->waves; w++) {
        row[7 + 2 * w] = sin(2 * M_PI * (double)(w + 1) * day / YEAR);
        row[8 + 2 * w] = cos(2 * M_PI * (double)(w + 1) * day / YEAR);
    }
    double *own = row + 7 + 2 * d->waves;
    for (size_t i = 0; i < d->promotions; i++) {
        own[i] = running(&d->promotion[i], day);
        own[d->promotions + i] = dip_weight(&d->promotion[i], day);
    }
    own += 2 * d->promotions;
    for (size_t i = 0; i < d->events; i++) {
        own[d->name_of[i]] = fmax(own[d->name_of[i]], running(&d->event[i], day));
        own[d->names + d->name_of[i]] =
            fmax(own[d->names + d->name_of[i]], lead_weight(&d->event[i], day));
    }
}

static void fill_blocks(const struct design *d) {
    const size_t sizes[] = {7, 2 * d->waves, d->promotions, d->promotions, d->names, d->names};
    const unsigned blocks[] = {BLOCK_DAY, BLOCK_WAVE,  BLOCK_STEP,
                               BLOCK_DIP, BLOCK_EVENT, BLOCK_LEAD};
    size_t at = 0;
    for (size_t b = 0; b < 6; b++)
        for (size_t j = 0; j < sizes[b]; j++)
            d->block[at++] = blocks[b];
}

static bw_status make_design(struct design *d, const double *y, bw_err *err) {
    d->name_of = malloc((d->events + 1) * sizeof *d->name_of);
    if (!d->name_of)
        return bw_fail_memory(err);
    name_events(d);
    d->waves = (double)d->n >= YEARS_LEAST * YEAR ? WAVES : 0;
    d->k = 7 + 2 * d->waves + 2 * d->promotions + 2 * d->names;
    d->x = calloc(d->n * d->k, sizeof *d->x);
    d->z = malloc(d->n * sizeof *d->z);
    d->block = malloc(d->k * sizeof *d->block);
    if (!d->x || !d->z || !d->block)
        return bw_fail_memory(err);
    for (size_t t = 0; t < d->n; t++) {
        if (y[t] < 0)
            return bw_fail(
                err, BW_EDATA,
                "sales of a day are negative (%g): promotions are judged on sales before "
                "returns",
                y[t]);
        d->z[t] = y[t] > 0 ? log(y[t]) : NAN;
        fill_row(d, t);
    }
    fill_blocks(d);
    return BW_OK;
}

/* Two correlated normals for step and dip, turned into money on the days they touch. */
static void money(const struct design *d, const double *y, size_t i, const double *mean,
                  const double *cov, gsl_rng *rng, double *work, bw_promotion *out) {
    size_t a = 7 + 2 * d->waves + i, b = a + d->promotions;
    double sa = sqrt(fmax(cov[a * d->k + a], 0)), sb = sqrt(fmax(cov[b * d->k + b], 0));
    double r = sa > 0 && sb > 0 ? cov[a * d->k + b] / (sa * sb) : 0;
    double *uplift = work, *dip = work + DRAWS, *net = dip + DRAWS, *lift = net + DRAWS;
    for (size_t s = 0; s < DRAWS; s++) {
        double u = gsl_ran_ugaussian(rng), v = gsl_ran_ugaussian(rng);
        double step = mean[a] + sa * u,
               after = mean[b] + sb * (r * u + sqrt(fmax(0, 1 - r * r)) * v);
        uplift[s] = dip[s] = 0;
        for (size_t t = 0; t < d->n; t++) {
            double day = d->first + (double)t;
            if (!(y[t] > 0))
                continue;
            uplift[s] += running(&d->promotion[i], day) ? y[t] * (1 - exp(-step)) : 0;
            double w = dip_weight(&d->promotion[i], day);
            dip[s] += w > 0 ? y[t] * (1 - exp(-after * w)) : 0;
        }
        net[s] = uplift[s] + dip[s];
        lift[s] = expm1(step);
    }
    out->uplift = bw_summarise(uplift, DRAWS);
    out->dip = bw_summarise(dip, DRAWS);
    out->net = bw_summarise(net, DRAWS);
    out->lift = bw_summarise(lift, DRAWS);
}

static bw_status estimate(struct design *d, const double *y, uint64_t seed, bw_promotion *out,
                          bw_err *err) {
    bw_structural_data data = {d->n, 0, d->k, d->z, d->x, d->block};
    bw_structural *fit;
    bw_status st = bw_structural_fit(&data, d->n, NULL, &fit, err);
    if (st != BW_OK)
        return st;
    double *work = malloc((d->k + d->k * d->k + 4 * DRAWS) * sizeof *work);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    st = work && rng ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        double *mean = work, *cov = work + d->k, *draws = cov + d->k * d->k;
        bw_structural_coef(fit, mean, cov);
        for (size_t i = 0; i < d->promotions; i++) {
            const bw_span *p = &d->promotion[i];
            out[i].known = p->first >= d->first && p->first <= d->first + (double)d->n - 1;
            gsl_rng_set(rng, (unsigned long)(seed + 1 + i));
            if (out[i].known)
                money(d, y, i, mean, cov, rng, draws, &out[i]);
        }
    }
    free(work);
    if (rng)
        gsl_rng_free(rng);
    bw_structural_free(fit);
    return st;
}

bw_status bw_promotion_fit(const double *y, size_t n, double first, const bw_span *promotion,
                           size_t promotions, const bw_span *event, size_t events, uint64_t seed,
                           bw_promotion *out, bw_err *err) {
    memset(out, 0, promotions * sizeof *out);
    struct design d = {.promotion = promotion,
                       .promotions = promotions,
                       .event = event,
                       .events = events,
                       .n = n,
                       .first = first};
    bw_status st = make_design(&d, y, err);
    if (st == BW_OK)
        st = estimate(&d, y, seed, out, err);
    free(d.name_of);
    free(d.x);
    free(d.z);
    free(d.block);
    return st;
}
