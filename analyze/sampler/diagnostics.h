/* analyze/sampler/diagnostics.h - whether chains have mixed and how much their draws are worth: Vehtari, Gelman,
 * Simpson, Carpenter, Buerkner 2021, "Rank-normalization, folding, and localization".
 *
 * Draws are x[c * stride_chain + i * stride] of chain c < chains, draw i < draws; at least 4 draws.
 * Constant draws give NAN. Scratch is allocated inside; NAN when memory runs out. */
#ifndef BW_ANALYZE_DIAGNOSTICS_H
#define BW_ANALYZE_DIAGNOSTICS_H

#include <stddef.h>

typedef struct {
    const double *x;
    size_t chains, draws, stride_chain, stride;
} bw_chains;

/* The larger of the rank-normalised split R-hat of the draws and of their distances from the median. */
double bw_rhat(const bw_chains *c);
/* Effective draws for the centre (rank-normalised split), and for the 5 and 95 % quantiles. */
double bw_ess_bulk(const bw_chains *c);
double bw_ess_tail(const bw_chains *c);
/* Effective draws for the mean, and the Monte-Carlo standard error that follows. */
double bw_ess_mean(const bw_chains *c);
double bw_mcse_mean(const bw_chains *c);

#endif
