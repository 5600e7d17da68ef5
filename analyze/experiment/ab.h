/* analyze/experiment/ab.h - randomised arms against a control: rates and skewed money.
 *
 * Difference of means with unequal variances (Welch), adjusted for several arms by the largest |z|
 * over them (Dunnett 1955, exact for unequal sizes and variances by one integral over the control's
 * noise); the probability that an arm is the best and the expected loss of choosing it, from the
 * posteriors (beta for rates under a uniform prior, normal for money); an interval that stays valid
 * however often one looks (mixture sequential test, Johari et al. 2022). */
#ifndef BW_ANALYZE_AB_H
#define BW_ANALYZE_AB_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { BW_METRIC_RATE, BW_METRIC_MONEY } bw_metric_kind;

/* One arm's summary of one metric. */
typedef struct {
    double n;        /* rows, or units where the assignment was by unit */
    double mean, se; /* of the mean */
    double sd;       /* of one observation */
    double df;       /* behind se */
    double sum;      /* rates: successes */
    bool clustered;  /* se comes from units: a rate is then treated as a mean */
} bw_arm;

typedef struct {
    double uplift, se;
    double lo, hi, p;                      /* 95 %, adjusted for the number of arms */
    double lo_single, hi_single, p_single; /* not adjusted */
    double lo_always, hi_always, p_always; /* valid at every look; not adjusted */
    double relative;              /* uplift / control's mean, NAN when that is not positive */
    double p_best, expected_loss; /* against all arms, control included */
} bw_arm_result;                  /* the control's uplift, interval and p are NAN */

bw_arm bw_arm_from_values(const double *y, size_t n, bw_metric_kind kind);
/* From n, sum and sum of squares (a rate may leave sum_sq NAN). */
bw_arm bw_arm_from_sums(double n, double sum, double sum_sq, bw_metric_kind kind);
/* Rows in units: ratio of the units' sums, error by linearisation (Deng et al. 2018). sum, rows: [units] */
bw_arm bw_arm_from_units(const double *sum, const double *rows, size_t units);

/* out: [n]. Fails with BW_EDATA when an arm is empty, or no arm varies (then nothing can be said).
 * A rate with fewer than ten successes or failures in some arm gets one of each added to every arm
 * (Agresti and Caffo 2000); *adjusted tells. */
bw_status bw_ab_compare(const bw_arm *arms, size_t n, size_t control, bw_metric_kind kind,
                        bw_arm_result *out, bool *adjusted, bw_err *err);

/* Sample ratio: p of the chi-square test that counts [n] follow share [n] (NULL = equal). */
double bw_sample_ratio_p(const double *count, const double *share, size_t n);
/* Below this p the split itself is broken and no uplift should be read. */
#define BW_SAMPLE_RATIO_ALARM 0.01

#define BW_ARMS_MAX 64u

/* Bootstrap interval of the difference of means, 95 %, percentile; deterministic for a seed. */
void bw_ab_bootstrap(const double *arm, size_t n, const double *control, size_t n_control,
                     uint64_t seed, double *lo, double *hi);

/* Half width of the always-valid interval for an estimate with standard error se, mixing standard
 * deviation tau and error rate alpha; and its p. */
double bw_always_half_width(double se, double tau, double alpha);
double bw_always_p(double estimate, double se, double tau);
/* The mixing deviation used: effects of this share of one observation's spread are looked for. */
#define BW_ALWAYS_EFFECT 0.1

/* CUPED (Deng et al. 2013): y minus theta (x - mean x), theta from all arms pooled; in place.
 * Returns the share of variance removed, 0 when x does not vary. */
double bw_cuped(double *y, const double *x, size_t n);

/* Shrinks estimates with standard errors towards their common mean: variance between them by
 * restricted likelihood on a grid, integrated over (Gelman et al. 2013, 5.4). mean, sd: [n] out. */
void bw_shrink(const double *estimate, const double *se, size_t n, double *mean, double *sd);

#endif
