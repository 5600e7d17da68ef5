/* analyze/price/promotion_model.h - one daily series with its promotions, fitted; for promotion.c. */
#ifndef BW_ANALYZE_PROMOTION_MODEL_H
#define BW_ANALYZE_PROMOTION_MODEL_H

#include "analyze/price/promotion.h"

#define BW_PROMOTION_THETAS \
    25u /* draws of the standard deviations, each with its own coefficients */

typedef struct {
    const bw_promotion_data *d;
    const double *y;    /* [d->n] borrowed */
    size_t k, waves;    /* columns, waves of the year */
    double *x, *z;      /* [n, k]; [n] logs */
    unsigned *block;    /* [k] */
    size_t *event_of;   /* [events] number of its name */
    size_t names;       /* different names of events */
    double *mean, *cov; /* [BW_PROMOTION_THETAS, k], [.., k, k] of the coefficients */
    double *shock; /* [n] errors of one day ahead in their standard deviations, NAN = no sale */
} bw_promotion_model;

/* steps: NULL, or [promotions] true for those whose step has a prior of its own: what others' promotions do
 * to this series is of another size than what its own do. Free with bw_promotion_model_free, also on failure. */
bw_status bw_promotion_model_fit(const bw_promotion_data *d, const double *y, const bool *steps,
                                 bw_promotion_model *m, bw_err *err);
void bw_promotion_model_free(bw_promotion_model *m);

/* Money on day t that was there because of a step, or a dip, of that size (logs) of promotion i. */
double bw_promotion_step_money(const bw_promotion_model *m, size_t i, size_t t, double step);
double bw_promotion_dip_money(const bw_promotion_model *m, size_t i, size_t t, double dip);

/* Step and dip of promotion i in draw s, from two standard normal numbers. */
void bw_promotion_coef(const bw_promotion_model *m, size_t i, size_t s, const double normal[2],
                       double *step, double *dip);

#endif
