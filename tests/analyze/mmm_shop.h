/* tests/analyze/mmm_shop.h - a small simulated shop for the tests of the mix model: spends, controls and
 * events drawn from a seed, the outcome noise or a known mean plus noise. */
#ifndef BW_TESTS_MMM_SHOP_H
#define BW_TESTS_MMM_SHOP_H

#include "analyze/mix/mmm.h"
#include "analyze/day.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sizes from d; names channel0.., control0.., event0.., geo0... Outcomes are noise around 1000. */
static inline void shop_new(bw_mmm_data *d, unsigned long seed) {
    bw_err err;
    d->n_event_column = d->n_event;
    if (bw_mmm_data_alloc(d, &err) != BW_OK)
        abort();
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(r, seed);
    char name[32];
    size_t GT = d->n_geo * d->n_time;
    for (size_t t = 0; t < d->n_time; t++)
        bw_iso_text(bw_iso_number("2022-01-03") + (long)t * d->period_days, d->period[t]);
    for (size_t c = 0; c < d->n_channel; c++) {
        snprintf(name, sizeof name, "channel%zu", c);
        d->channel[c] = strdup(name);
        d->paid[c] = true;
        for (size_t i = 0; i < GT; i++) {
            double x = gsl_ran_gamma(r, 2.0, 10.0 * (double)(c + 1)) *
                       (gsl_rng_uniform(r) < 0.15 ? 0.0 : 1.0);
            d->spend[c * GT + i] = d->media[c * GT + i] = x;
        }
    }
    for (size_t k = 0; k < d->n_control; k++) {
        snprintf(name, sizeof name, "control%zu", k);
        d->control_name[k] = strdup(name);
        for (size_t i = 0; i < GT; i++)
            d->control[k * GT + i] = 5.0 + gsl_ran_gaussian(r, 2.0);
    }
    for (size_t e = 0; e < d->n_event; e++) {
        snprintf(name, sizeof name, "event%zu", e);
        d->event_name[e] = strdup(name);
        d->event_part[e] = e;
        for (size_t t = e + 3; t < d->n_time; t += 17)
            d->event[e * d->n_time + t] = 1.0;
    }
    for (size_t g = 0; g < d->n_geo; g++) {
        snprintf(name, sizeof name, "geo%zu", g);
        d->geo[g] = strdup(name);
    }
    for (size_t i = 0; i < GT; i++)
        d->outcome[i] = 1000.0 + gsl_ran_gaussian(r, 100.0);
    gsl_rng_free(r);
}

#endif
