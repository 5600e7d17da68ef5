/* analyze/linear.h - ordinary and weighted least squares with honest standard errors.
 *
 * Normal equations on scaled columns and a Cholesky factor; a column that is a combination of those
 * before it is refused by name. Three covariances: classical; robust to unequal variance (HC1); and
 * clustered (CR1: Liang and Zeger 1986, with the finite-sample factor G/(G-1) (n-1)/(n-p)). */
#ifndef BW_ANALYZE_LINEAR_H
#define BW_ANALYZE_LINEAR_H

#include "common/status.h"

#include <stddef.h>

typedef enum { BW_COV_CLASSIC, BW_COV_ROBUST, BW_COV_CLUSTER } bw_cov_kind;

typedef struct {
    const double *x;      /* [n, p], row by row; include the column of ones yourself */
    const double *y;      /* [n] */
    const double *weight; /* [n] or NULL = 1 */
    size_t n, p;
    bw_cov_kind cov;
    const size_t *cluster; /* [n], BW_COV_CLUSTER only: 0 .. clusters-1 */
    size_t clusters;
    const char *const *names; /* [p] for errors, or NULL */
    size_t absorbed;          /* coefficients already taken out of x and y: counted as used up */
} bw_ols_data;

typedef struct {
    size_t p;
    double *coef;     /* [p] */
    double *cov;      /* [p, p] */
    double *residual; /* [n] */
    double sigma;     /* residual standard deviation */
    double r2;
    double df; /* for t: n-p, or clusters-1; INFINITY where the normal law is used */
} bw_ols_fit;

/* On BW_OK free with bw_ols_free; otherwise *fit is zeroed. */
bw_status bw_ols(const bw_ols_data *d, bw_ols_fit *fit, bw_err *err);
void bw_ols_free(bw_ols_fit *fit);

/* Estimate, standard error, two-sided p and interval at level (0.95) of w'coef; w: [p]. */
typedef struct {
    double estimate, se, lo, hi, p;
} bw_contrast;
/* Nothing is left but rounding, measured by the largest of y (or of what y was made from): errors mean nothing. */
bool bw_ols_exact(const bw_ols_fit *fit, const double *y, size_t n);
bw_contrast bw_ols_contrast(const bw_ols_fit *fit, const double *w, double level);
bw_contrast bw_ols_coef(const bw_ols_fit *fit, size_t i, double level);

/* The same for rows in the order of time whose errors hang together: the variance of w'coef with the
 * autocovariances of its scores (Newey and West 1987, prewhitened), never below the classical one,
 * which few rows would have it. fit: of d with BW_COV_CLASSIC, without weights. False: out of memory. */
bool bw_ols_serial(const bw_ols_data *d, const bw_ols_fit *fit, const double *w, double level,
                   bw_contrast *out);

/* The interval and p of an estimate with t on df degrees of freedom (INFINITY: normal). */
bw_contrast bw_t_interval(double estimate, double se, double df, double level);

/* Clusters from this number on are taken as many enough for the normal law, below t on clusters-1 is
 * used (Angrist and Pischke 2009, Mostly Harmless Econometrics, 8.2.3). */
#define BW_MANY_CLUSTERS 42u

/* In place: a: [p, p] symmetric positive definite, lower triangle read, becomes its Cholesky factor;
 * false when pivot *bad is not positive (relative to the diagonal it started from). */
bool bw_cholesky(double *a, size_t p, size_t *bad);
/* Solves L L' x = b in place. */
void bw_cholesky_solve(const double *l, size_t p, double *b);
/* inverse: [p, p] of L L'. */
void bw_cholesky_invert(const double *l, size_t p, double *inverse);

#endif
