/* analyze/glmm.h - mixed regression for rates: blocks of effects that shrink towards zero together.
 *
 * successes_i of trials_i ~ binomial, logit rate_i = x_i'b + e_i;  b in block g ~ N(0, tau_g^2), flat
 * where the block is fixed;  e_i ~ N(0, scatter^2) is what one send differs from the next beyond
 * chance. Penalised iterated weighted least squares; tau by Schall (1991), scatter by the moment
 * equation of Williams (1982). The rows are sparse: each names the few columns it has, first the
 * constant. */
#ifndef BW_ANALYZE_GLMM_H
#define BW_ANALYZE_GLMM_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t n, p, width;      /* rows, columns, entries a row */
    const uint32_t *column;  /* [n, width]; UINT32_MAX = no entry */
    const double *value;     /* [n, width] or NULL = 1 */
    const double *successes; /* [n] */
    const double *trials;    /* [n], > 0 */
    const uint32_t *block;   /* [p] block of a column: 0 .. blocks-1 */
    size_t blocks;
    const bool *fixed; /* [blocks] flat prior */
    bool no_scatter;   /* rows are single trials: scatter cannot be seen */
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
 * when there is no success or no failure at all. */
bw_status bw_glmm(const bw_glmm_data *d, const bw_glmm_fit *start, bw_glmm_fit *fit, bw_err *err);
void bw_glmm_free(bw_glmm_fit *fit);

/* Linear predictor of row i of d under coefficients b. */
double bw_glmm_predict(const bw_glmm_data *d, const double *b, size_t i);

/* draws: [n_draws, p] from N(coef, cov), deterministic for a seed. */
bw_status bw_glmm_draw(const bw_glmm_fit *fit, size_t n_draws, uint64_t seed, double *draws,
                       bw_err *err);

/* Area under the ROC curve of scores for 0/1 labels; ties count half. NAN when a class is missing. */
double bw_auc(const double *score, const double *label, size_t n);

#endif
