/* analyze/sampler/nuts_metric.h - the covariance of the target as the sampler believes it, and how it learns.
 *
 * A block of the parameters has a whole matrix, the others a variance each. Draws of all chains are
 * pooled: a matrix of k parameters is only as good as the draws it was learned from exceed k. */
#ifndef BW_ANALYZE_NUTS_METRIC_H
#define BW_ANALYZE_NUTS_METRIC_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t n, k, stride; /* parameters; those of the block; k in whole lanes */
    size_t *index;       /* [k] which they are, ascending */
    double *variance;    /* [n] */
    double *cov;         /* [k, stride] */
    double *factor;      /* [k, k] lower triangle L, cov = L L^T */
    double worth;        /* draws that what is believed counts for when more is learned */
} metric;

/* Running mean and sums of squares and products (Welford) of the draws of one chain. */
typedef struct {
    size_t count;
    double *mean, *delta; /* [n] */
    double *square;       /* [n] */
    double *product;      /* [k, k] lower triangle */
} moments;

/* L [n, n] lower triangle: the first belief is L L^T; NULL: the unit matrix. block [k] ascending, or NULL
 * for the first k. False when memory is short. */
bool metric_new(metric *m, size_t n, const size_t *block, size_t k, const double *L);
void metric_free(metric *m);

bool moments_new(moments *c, const metric *m);
void moments_free(moments *c);
void moments_reset(moments *c, const metric *m);
void moments_add(moments *c, const metric *m, const double *q);

/* Learns from the moments of all chains, in their order. */
void metric_learn(metric *m, moments *const *of, size_t chains);

/* out = covariance * p; gather [stride] is scratch. */
void metric_velocity(const metric *m, const double *p, double *gather, double *out);
/* p ~ N(0, covariance^-1). */
void metric_momentum(const metric *m, gsl_rng *r, double *gather, double *p);
/* L [n, n] of the whole covariance. */
void metric_factor(const metric *m, double *L);

#endif
