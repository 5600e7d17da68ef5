/* analyze/price/promotion_model.c - columns for weekdays, season, promotions and events of a daily series. */
#include "analyze/price/promotion_model.h"

#include "analyze/experiment/structural.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WAVES       4u
#define SEED        7u
#define YEAR        365.25
#define YEARS_LEAST 1.5
#define LEAD_DAYS   7.0 /* a holiday already moves sales this long before it, growing to its eve */

enum { BLOCK_WAVE, BLOCK_DAY, BLOCK_STEP, BLOCK_DIP, BLOCK_EVENT, BLOCK_LEAD, BLOCK_OTHERS };

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

static void name_events(bw_promotion_model *m) {
    const bw_promotion_data *d = m->d;
    for (size_t i = 0; i < d->events; i++) {
        size_t j = 0;
        while (j < i && strcmp(d->event[j].name, d->event[i].name) != 0)
            j++;
        m->event_of[i] = j < i ? m->event_of[j] : m->names++;
    }
}

static void fill_row(const bw_promotion_model *m, size_t t) {
    const bw_promotion_data *d = m->d;
    double *row = m->x + t * m->k, day = d->first + (double)t;
    row[(size_t)fmod(fmod(day + 3, 7) + 7, 7)] = 1;
    for (size_t w = 0; w < m->waves; w++) {
        row[7 + 2 * w] = sin(2 * M_PI * (double)(w + 1) * day / YEAR);
        row[8 + 2 * w] = cos(2 * M_PI * (double)(w + 1) * day / YEAR);
    }
    double *own = row + 7 + 2 * m->waves;
    for (size_t i = 0; i < d->promotions; i++) {
        own[i] = running(&d->promotion[i], day);
        own[d->promotions + i] = dip_weight(&d->promotion[i], day);
    }
    own += 2 * d->promotions;
    for (size_t i = 0; i < d->events; i++) {
        own[m->event_of[i]] = fmax(own[m->event_of[i]], running(&d->event[i], day));
        own[m->names + m->event_of[i]] =
            fmax(own[m->names + m->event_of[i]], lead_weight(&d->event[i], day));
    }
}

static void fill_blocks(const bw_promotion_model *m, const bool *steps) {
    size_t promotions = m->d->promotions, at = 0;
    const size_t sizes[] = {7, 2 * m->waves, promotions, promotions, m->names, m->names};
    const unsigned blocks[] = {BLOCK_DAY, BLOCK_WAVE,  BLOCK_STEP,
                               BLOCK_DIP, BLOCK_EVENT, BLOCK_LEAD};
    for (size_t b = 0; b < 6; b++)
        for (size_t j = 0; j < sizes[b]; j++)
            m->block[at++] =
                blocks[b] == BLOCK_STEP && steps && steps[j] ? BLOCK_OTHERS : blocks[b];
}

static bw_status make_design(bw_promotion_model *m, const bool *steps, bw_err *err) {
    const bw_promotion_data *d = m->d;
    m->event_of = malloc((d->events + 1) * sizeof *m->event_of);
    if (!m->event_of)
        return bw_fail_memory(err);
    name_events(m);
    m->waves = (double)d->n >= YEARS_LEAST * YEAR ? WAVES : 0;
    m->k = 7 + 2 * m->waves + 2 * d->promotions + 2 * m->names;
    m->x = calloc(d->n * m->k, sizeof *m->x);
    m->z = malloc(d->n * sizeof *m->z);
    m->block = malloc(m->k * sizeof *m->block);
    m->mean = malloc(BW_PROMOTION_THETAS * m->k * sizeof *m->mean);
    m->cov = malloc(BW_PROMOTION_THETAS * m->k * m->k * sizeof *m->cov);
    m->shock = malloc(2 * d->n * sizeof *m->shock);
    if (!m->x || !m->z || !m->block || !m->mean || !m->cov || !m->shock)
        return bw_fail_memory(err);
    for (size_t t = 0; t < d->n; t++) {
        if (m->y[t] < 0)
            return bw_fail(err, BW_EDATA,
                           "sales of a day are negative (%g): promotions are judged on sales "
                           "before returns",
                           m->y[t]);
        m->z[t] = m->y[t] > 0 ? log(m->y[t]) : NAN;
        fill_row(m, t);
    }
    fill_blocks(m, steps);
    return BW_OK;
}

bw_status bw_promotion_model_fit(const bw_promotion_data *d, const double *y, const bool *steps,
                                 bw_promotion_model *m, bw_err *err) {
    *m = (bw_promotion_model){.d = d, .y = y};
    bw_structural *fit;
    bw_status st = make_design(m, steps, err);
    if (st != BW_OK)
        return st;
    bw_structural_data data = {d->n, 0, m->k, m->z, m->x, m->block};
    st = bw_structural_fit(&data, d->n, NULL, &fit, err);
    if (st != BW_OK)
        return st;
    double *sd = m->shock + d->n;
    bw_structural_one_step(fit, m->shock, sd);
    for (size_t t = 0; t < d->n; t++)
        m->shock[t] = (m->z[t] - m->shock[t]) / sd[t];
    st = bw_structural_coef_draws(fit, BW_PROMOTION_THETAS, SEED, m->mean, m->cov, err);
    bw_structural_free(fit);
    return st;
}

void bw_promotion_model_free(bw_promotion_model *m) {
    free(m->event_of);
    free(m->x);
    free(m->z);
    free(m->block);
    free(m->mean);
    free(m->cov);
    free(m->shock);
    *m = (bw_promotion_model){0};
}

double bw_promotion_step_money(const bw_promotion_model *m, size_t i, size_t t, double step) {
    bool on = m->y[t] > 0 && running(&m->d->promotion[i], m->d->first + (double)t);
    return on ? m->y[t] * -expm1(-step) : 0;
}

double bw_promotion_dip_money(const bw_promotion_model *m, size_t i, size_t t, double dip) {
    double w = dip_weight(&m->d->promotion[i], m->d->first + (double)t);
    return m->y[t] > 0 && w > 0 ? m->y[t] * -expm1(-dip * w) : 0;
}

void bw_promotion_coef(const bw_promotion_model *m, size_t i, size_t s, const double normal[2],
                       double *step, double *dip) {
    size_t k = m->k, theta = s % BW_PROMOTION_THETAS, a = 7 + 2 * m->waves + i;
    size_t b = a + m->d->promotions;
    const double *mean = m->mean + theta * k, *cov = m->cov + theta * k * k;
    double sa = sqrt(fmax(cov[a * k + a], 0)), sb = sqrt(fmax(cov[b * k + b], 0));
    double r = sa > 0 && sb > 0 ? cov[a * k + b] / (sa * sb) : 0;
    *step = mean[a] + sa * normal[0];
    *dip = mean[b] + sb * (r * normal[0] + sqrt(fmax(0, 1 - r * r)) * normal[1]);
}
