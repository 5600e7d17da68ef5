/* analyze/sampler/nuts.h - the no-U-turn sampler for any density with a gradient.
 *
 * Multinomial sampling along trajectories (Betancourt 2017, appendix A), the criterion of a U-turn
 * checked across both halves as well, step size by dual averaging (Hoffman and Gelman 2014), the
 * mass matrix learned in windows of doubling length as in Stan's reference manual, but from the draws
 * of all chains together. Chains run in parallel, each from its own seed, and meet at the end of each
 * window: draws do not depend on the number of threads. */
#ifndef BW_ANALYZE_NUTS_H
#define BW_ANALYZE_NUTS_H

#include "analyze/sampler/density.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t chains, warmup, draws; /* iterations a chain */
    unsigned long seed;
    double target;       /* acceptance that the step size aims at; 0 = 0.8 */
    size_t max_depth;    /* trajectories have at most 2^depth steps; 0 = 10 */
    bool dense;          /* learn the whole covariance, not its diagonal alone */
    const size_t *block; /* [n_block] ascending: learn the whole covariance of these parameters and
                            the variances of the others; NULL: as dense says */
    size_t n_block;
    const double *start; /* [dim] */
    const double
        *factor; /* [dim, dim] lower triangle L: start + L z is a fair first draw, and L L^T the
                            first guess of the covariance; NULL: unit normal around start. A good guess
                            saves most of the warm-up. */
    double step; /* where the search for a step size begins; 0 = 1 */
    const char *label; /* of the progress line; NULL = none */
} bw_nuts_options;

typedef struct {
    double step, accept, ebfmi; /* E-BFMI below 0.3: the chain moves badly between energies */
    size_t divergences, deepest,
        leapfrogs; /* in the kept draws; deepest: trajectories of max_depth */
} bw_nuts_chain;

typedef struct {
    size_t dim, chains, draws;
    double *draw;         /* [chains, draws, dim] */
    double *log_density;  /* [chains, draws] */
    bw_nuts_chain *chain; /* [chains] */
    size_t evaluations;   /* gradients, warm-up included */
    double *factor;       /* [dim, dim] as in the options, of the covariance learned */
} bw_nuts_result;

/* BW_EDATA when no first point with a density is found near start. The caller frees the result. */
bw_status bw_nuts_sample(const bw_density *f, const bw_nuts_options *o, bw_nuts_result *out,
                         bw_err *err);
void bw_nuts_free(bw_nuts_result *r);

#endif
