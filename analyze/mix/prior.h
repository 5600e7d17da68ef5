/* analyze/mix/prior.h - prior distributions of single parameters and the transforms that go with them.
 *
 * A sampler moves an unconstrained number q; the model sees the natural value x(q). The log density
 * is that of q: the prior of x plus the log Jacobian of the transform, up to a constant. */
#ifndef BW_ANALYZE_PRIOR_H
#define BW_ANALYZE_PRIOR_H

typedef enum {
    BW_PRIOR_NORMAL,     /* mean a, sd b; x = q */
    BW_PRIOR_LAPLACE,    /* mean a, scale b; x = q */
    BW_PRIOR_HALFNORMAL, /* scale b; x = e^q */
    BW_PRIOR_NEGATIVE,   /* minus a half-normal of scale b; x = -e^q */
    BW_PRIOR_LOGNORMAL,  /* log x has mean a, sd b; x = e^q */
    BW_PRIOR_GAMMA,      /* shape a, rate b; x = e^q */
    BW_PRIOR_BETA,       /* a, b; x = logistic q */
    BW_PRIOR_TRUNCATED /* normal of mean a, sd b between lo and hi; x = lo + (hi - lo) logistic q */
} bw_prior_kind;

typedef struct {
    bw_prior_kind kind;
    double a, b, lo, hi;
} bw_prior;

/* *x = natural value, *slope = dx/dq; returns the log density of q, and its derivative in *dq. */
double bw_prior_eval(const bw_prior *p, double q, double *x, double *slope, double *dq);

/* The natural value alone, and back. */
double bw_prior_natural(const bw_prior *p, double q);
double bw_prior_free(const bw_prior *p, double x);

/* A typical value under the prior (near its median), where searches start. */
double bw_prior_centre(const bw_prior *p);

/* The probability below x, and a draw by inversion of u in (0, 1): for checks of prior against
 * posterior and for simulation. */
double bw_prior_cdf(const bw_prior *p, double x);
double bw_prior_quantile(const bw_prior *p, double u);

/* The same prior with its spread multiplied by factor, its centre kept. */
bw_prior bw_prior_widened(bw_prior p, double factor);

#endif
