/* tests/analyze/promotion_shop.h - a shop whose promotions take from other products, with what they took. */
#ifndef TESTS_PROMOTION_SHOP_H
#define TESTS_PROMOTION_SHOP_H

#include "analyze/price/promotion.h"
#include "analyze/table.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <string.h>

enum { SHOP_DAYS = 640, SHOP_PROMOTIONS = 4 };

struct promotion_shop {
    double y[SHOP_DAYS], own[SHOP_DAYS], others[SHOP_DAYS];
    bw_span promotion[SHOP_PROMOTIONS];
    size_t set_of[SHOP_PROMOTIONS];
    bw_promoted set[1];
    double promoted[SHOP_PROMOTIONS], taken[SHOP_PROMOTIONS], dip[SHOP_PROMOTIONS];
};

static double shop_level(double t, double size) {
    return size * exp(0.1 * sin(t / 58) + 0.1 * (fmod(t, 7) > 5));
}

/* Weights of the dip: one the day after, fading to nothing in fourteen days. */
static double shop_dip(const bw_span *p, double day) {
    double after = day - p->last;
    return after >= 1 && after <= BW_DIP_DAYS ? 1 - (after - 1) / BW_DIP_DAYS : 0;
}

/* Four promotions of one product: sales times exp(lift), times exp(-dip weight) after; the others lose
 * 1 - exp(-loss), and 1 - exp(-dip weight) after; the dips are drawn around 0.08 and 0.02. Good days are good for both (sd 0.04); each has its own noise (0.04) and a level that
 * drifts by 0.005 a day. */
static void promotion_shop_draw(struct promotion_shop *s, double lift, double loss, gsl_rng *r) {
    static const char *const NAMES[] = {"spring", "summer", "autumn", "winter"};
    memset(s, 0, sizeof *s);
    double first, drift[2] = {0}, dip[SHOP_PROMOTIONS][2];
    bw_day_parse("2023-01-02", &first);
    for (size_t i = 0; i < SHOP_PROMOTIONS; i++) {
        double start = first + 120.0 + 130.0 * (double)i;
        s->promotion[i] = (bw_span){NAMES[i], start, start + 8};
        dip[i][0] = 0.08 + gsl_ran_gaussian(r, 0.05);
        dip[i][1] = 0.02 + gsl_ran_gaussian(r, 0.05);
    }
    s->set[0] = (bw_promoted){s->own, s->others};
    for (size_t t = 0; t < SHOP_DAYS; t++) {
        double day = first + (double)t, both = gsl_ran_gaussian(r, 0.04), plain[2];
        for (size_t k = 0; k < 2; k++) {
            drift[k] += gsl_ran_gaussian(r, 0.005);
            plain[k] = shop_level((double)t, k ? 900 : 300) *
                       exp(both + drift[k] + gsl_ran_gaussian(r, 0.04));
        }
        s->own[t] = plain[0];
        s->others[t] = plain[1];
        for (size_t i = 0; i < SHOP_PROMOTIONS; i++) {
            const bw_span *p = &s->promotion[i];
            double w = shop_dip(p, day);
            if (day >= p->first && day <= p->last) {
                s->own[t] = plain[0] * exp(lift);
                s->others[t] = plain[1] * exp(-loss);
                s->promoted[i] += s->own[t] - plain[0];
                s->taken[i] += s->others[t] - plain[1];
            } else if (w > 0) {
                s->own[t] = plain[0] * exp(-dip[i][0] * w);
                s->others[t] = plain[1] * exp(-dip[i][1] * w);
                s->dip[i] += s->own[t] - plain[0] + s->others[t] - plain[1];
            }
        }
        s->y[t] = s->own[t] + s->others[t];
    }
}

static bw_promotion_data promotion_shop_data(const struct promotion_shop *s) {
    double first;
    bw_day_parse("2023-01-02", &first);
    return (bw_promotion_data){.n = SHOP_DAYS,
                               .first = first,
                               .y = s->y,
                               .promotion = s->promotion,
                               .promotions = SHOP_PROMOTIONS,
                               .set = s->set,
                               .sets = 1,
                               .set_of = s->set_of};
}

#endif
