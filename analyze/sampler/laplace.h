/* analyze/sampler/laplace.h - the mode of a density and the normal approximation around it: the fast engine.
 *
 * BFGS with a backtracking line search brings q near the mode, Newton steps with a Hessian of
 * differences of the gradient finish it; the inverse of that Hessian is the covariance. */
#ifndef BW_ANALYZE_LAPLACE_H
#define BW_ANALYZE_LAPLACE_H

#include "analyze/sampler/density.h"
#include "common/status.h"

#include <gsl/gsl_rng.h>
#include <stdbool.h>

typedef struct {
    size_t dim, evaluations;
    double *mode;        /* [dim] */
    double *factor;      /* [dim, dim] lower triangle L, covariance = L L^T */
    double log_density;  /* at the mode */
    double log_evidence; /* of the approximation, up to the density's constant */
    bool converged;      /* the last step was less than 1e-4 sd */
} bw_laplace;

/* Climbs from start [dim]. BW_EDATA when the density cannot be evaluated there. */
bw_status bw_laplace_fit(const bw_density *f, const double *start, bw_laplace *out, bw_err *err);
void bw_laplace_free(bw_laplace *l);

/* One draw of the approximation into q [dim]; returns the log of its normal density, up to the
 * constant by which the mode's is log_density. */
double bw_laplace_draw(const bw_laplace *l, gsl_rng *r, double *q);

#endif
