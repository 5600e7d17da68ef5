/* analyze/sampler/nuts_tree.h - one transition of the sampler: the part of nuts.c that knows trajectories. */
#ifndef BW_ANALYZE_NUTS_TREE_H
#define BW_ANALYZE_NUTS_TREE_H

#include "analyze/sampler/density.h"
#include "analyze/sampler/nuts_metric.h"

#include <gsl/gsl_rng.h>
#include <stdbool.h>

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
