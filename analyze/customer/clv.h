/* analyze/customer/clv.h - who will buy again and for how much: BG/NBD, MBG/NBD and gamma-gamma.
 *
 * BG/NBD (Fader, Hardie, Lee 2005): a customer buys at a rate of his own, gamma(r, alpha) over customers,
 * and after each repeat purchase leaves for good with a probability of his own, beta(a, b). In the modified
 * MBG/NBD (Batislam, Denizel, Filiztekin 2007) he may leave after the first purchase already, so that
 * somebody who bought once can be lost: use it to speak of churn. Gamma-gamma (Fader,
 * Hardie 2013): his purchases vary around a mean of his own, with parameters p, q, v. Maximum likelihood;
 * the uncertainty of the parameters from the curvature of the likelihood on the log scale. Time is in weeks. */
#ifndef BW_ANALYZE_CLV_H
#define BW_ANALYZE_CLV_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double frequency; /* repeat purchases: days with a purchase after the first */
    double recency;   /* weeks from the first purchase to the last, 0 without a repeat */
    double age;       /* weeks from the first purchase to the end of the data */
    double value;     /* mean money of a repeat purchase; ignored without one */
} bw_customer;

typedef struct {
    double r, alpha, a, b; /* BG/NBD */
    double p, q, v;        /* gamma-gamma; NAN when values could not be fitted */
    bool modified;         /* MBG/NBD */
    double log_likelihood; /* of the buying part */
    double cov[16];        /* of log r, log alpha, log a, log b */
    size_t n, repeaters;
} bw_clv;

/* BW_EDATA when fewer than BW_CLV_LEAST customers bought again. Values of 0 or less are left out of the
 * gamma-gamma part. */
bw_status bw_clv_fit(const bw_customer *c, size_t n, bool modified, bw_clv *out, bw_err *err);
#define BW_CLV_LEAST 20u

/* Probability that a customer has not left. */
double bw_clv_alive(const bw_clv *m, const bw_customer *c);
/* Expected purchases in the next weeks. */
double bw_clv_purchases(const bw_clv *m, const bw_customer *c, double weeks);
/* Expected mean money of his purchases; NAN when not fitted. */
double bw_clv_value(const bw_clv *m, const bw_customer *c);
/* Money of the next weeks, discounted by a yearly rate. */
double bw_clv_lifetime(const bw_clv *m, const bw_customer *c, double weeks, double discount);
/* Weeks until the next purchase, if he has not left: the median. */
double bw_clv_next(const bw_clv *m, const bw_customer *c);

/* draws: [n] models whose buying parameters are drawn around m; deterministic for a seed. */
void bw_clv_draws(const bw_clv *m, size_t n, uint64_t seed, bw_clv *draws);

#endif
