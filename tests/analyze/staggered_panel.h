/* tests/analyze/staggered_panel.h - units that start at different times with effects that grow. */
#ifndef TESTS_STAGGERED_PANEL_H
#define TESTS_STAGGERED_PANEL_H

#include "analyze/experiment/did.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stddef.h>

enum { STAG_UNITS = 24, STAG_TIMES = 12, STAG_N = STAG_UNITS * STAG_TIMES };

struct staggered {
    double y[STAG_N], treated[STAG_N], post[STAG_N], time[STAG_N];
    size_t unit[STAG_N];
    double truth; /* mean effect of the treated rows that somebody untreated can be held against */
};

/* A third starts at time 3, a third at 8, the rest never (or, with never false, at 8 too). The effect is `first` at
 * the start and grows by `growth` a period; each unit has errors with memory 0.5 and spread sd. */
static bw_did_data staggered_draw(struct staggered *p, bool never, double first, double growth,
                                  double sd, gsl_rng *r) {
    double sum = 0, rows = 0;
    for (size_t u = 0; u < STAG_UNITS; u++) {
        size_t start = u % 3 == 0 ? 3 : u % 3 == 1 || !never ? 8 : 99;
        double level = gsl_ran_gaussian(r, 3), e = gsl_ran_gaussian(r, sd);
        for (size_t t = 0; t < STAG_TIMES; t++) {
            size_t i = u * STAG_TIMES + t;
            double effect = t >= start ? first + growth * (double)(t - start) : 0;
            e = 0.5 * e + gsl_ran_gaussian(r, sd);
            p->unit[i] = u;
            p->time[i] = (double)t;
            p->treated[i] = start < 99;
            p->post[i] = t >= start;
            p->y[i] = level + 0.7 * (double)t + e + effect;
            if (t >= start && (never || t < 8)) {
                sum += effect;
                rows += 1;
            }
        }
    }
    p->truth = sum / rows;
    return (bw_did_data){.n = STAG_N,
                         .y = p->y,
                         .treated = p->treated,
                         .post = p->post,
                         .unit = p->unit,
                         .units = STAG_UNITS,
                         .time = p->time};
}

#endif
