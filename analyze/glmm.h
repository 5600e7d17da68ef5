/* analyze/glmm.h - mixed regression for rates, counts and money: blocks of effects that shrink towards zero
 * together.
 *
 * b in block g ~ N(0, tau_g^2), flat where the block is fixed; e_i ~ N(0, scatter^2) is what one row differs
 * from the next beyond chance. Rates: successes_i of trials_i ~ binomial, logit rate_i = x_i'b + e_i. Counts:
 * mean trials_i exp(x_i'b), variance mean + scatter^2 mean^2 (negative binomial). Money, most of it in few
 * rows: the same mean, variance unit mean + scatter^2 mean^2 (a sum of single amounts whose mean square
 * over mean is unit). Penalised iterated weighted least squares; tau by Schall (1991), scatter by the moment
 * equation of Williams (1982). The rows are sparse: each names the few columns it has, first the
 * constant. */
#ifndef BW_ANALYZE_GLMM_H
#define BW_ANALYZE_GLMM_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { BW_FAMILY_RATE, BW_FAMILY_COUNT, BW_FAMILY_MONEY } bw_family;

typedef struct {
    size_t n, p, width;      /* rows, columns, entries a row */
    const uint32_t *column;  /* [n, width]; UINT32_MAX ends a row that has fewer */
    const double *value;     /* [n, width] or NULL = 1 */
    const double *successes; /* [n] */
    const double *trials;    /* [n], > 0 */
    const uint32_t *block;   /* [p] block of a column: 0 .. blocks-1 */
    size_t blocks;
    const bool *fixed; /* [blocks] flat prior */
    bw_family family;
    double unit;     /* money only: mean square of an amount over its mean */
    bool no_scatter; /* rows are single trials: scatter cannot be seen */
} bw_glmm_data;

typedef struct {
    size_t p, blocks;
    double *coef; /* [p] */
    double *cov;  /* [p, p] posterior covariance given tau and scatter */
    double *tau;  /* [blocks]; 0 for fixed ones */
    double scatter;
    double log_marginal; /* Laplace, up to a constant of the data: compares fits of the same rows */
    int iterations;
} bw_glmm_fit;

/* start may be NULL; with start given, its tau and scatter are kept and only b is fitted: for refits
 * on part of the rows or with another covariate. On BW_OK free with bw_glmm_free. Fails with BW_EDATA
 * when there is no success, or for rates no failure, at all. */
bw_status bw_glmm(const bw_glmm_data *d, const bw_glmm_fit *start, bw_glmm_fit *fit, bw_err *err);
void bw_glmm_free(bw_glmm_fit *fit);

/* Mean of one trial at linear predictor eta: logistic for rates, exp for the others. */
double bw_glmm_mean(bw_family family, double eta);

/* Linear predictor of row i of d under coefficients b. */
double bw_glmm_predict(const bw_glmm_data *d, const double *b, size_t i);

/* draws: [n_draws, p] from N(coef, cov), deterministic for a seed. */
bw_status bw_glmm_draw(const bw_glmm_fit *fit, size_t n_draws, uint64_t seed, double *draws,
                       bw_err *err);

/* Area under the ROC curve of scores for 0/1 labels; ties count half. NAN when a class is missing. */
double bw_auc(const double *score, const double *label, size_t n);

#endif
