/* analyze/sampler/density.h - a log density with its gradient: what the samplers and the optimiser of this
 * room work on, whatever model is behind it.
 *
 * The density lives on the whole of R^dim: bounded parameters are transformed by the model, which
 * adds the logarithm of the Jacobian. A density may be evaluated by several threads at once, each
 * with a scratch of its own. */
#ifndef BW_ANALYZE_DENSITY_H
#define BW_ANALYZE_DENSITY_H

#include <stddef.h>

typedef struct {
    size_t dim;
    const void *model; /* read-only, shared by threads */
    /* The log density at q [dim] up to a constant; grad [dim] receives its gradient. -INFINITY or
     * NAN where the density is zero or cannot be computed: samplers turn back there. */
    double (*eval)(const void *model, void *scratch, const double *q, double *grad);
    /* Room for one thread; NULL functions when the model needs none. */
    void *(*scratch_new)(const void *model);
    void (*scratch_free)(void *scratch);
} bw_density;

#endif
