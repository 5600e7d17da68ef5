/* analyze/sampler/nuts_tree.h - one transition of the sampler: the part of nuts.c that knows trajectories. */
#ifndef BW_ANALYZE_NUTS_TREE_H
#define BW_ANALYZE_NUTS_TREE_H

#include "analyze/sampler/density.h"

#include <gsl/gsl_rng.h>
#include <stdbool.h>

/* Covariance of the target as the sampler believes it: diagonal, or L L^T. */
typedef struct {
    size_t n;
    bool dense;
    double *variance; /* [n] diagonal */
    double *cov;      /* [n, n] when dense */
    double *factor;   /* [n, n] lower triangle of it, when dense */
} metric;

/* A point in phase space. */
typedef struct {
    double *q, *p, *g, value;
} point;

typedef struct tree tree; /* scratch of a trajectory */

tree *tree_new(const bw_density *f, size_t max_depth);
void tree_free(tree *t);

typedef struct {
    double accept, energy;
    size_t leapfrogs, depth;
    bool divergent;
} transition;

/* Evaluates the density at z->q. */
bool tree_evaluate(tree *t, point *z);
/* Moves z to the next draw. */
transition tree_transition(tree *t, const metric *m, double step, gsl_rng *r, point *z);
/* A step size at which one leapfrog changes the energy by about log 0.8: where to begin. */
double tree_first_step(tree *t, const metric *m, double step, gsl_rng *r, const point *z);
size_t tree_evaluations(const tree *t);

#endif
