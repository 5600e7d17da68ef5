/* analyze/experiment/synthetic.h - one treated unit against a weighted mix of untreated ones.
 *
 * Synthetic control (Abadie, Diamond, Hainmueller 2010): weights of the untreated units, not negative and
 * summing to one, that follow the treated unit best before the start; the effect is the gap after it. Each
 * untreated unit is given the treatment in turn (placebo): p is the rank of the treated unit's ratio of
 * errors after and before among all, and the interval comes from the placebos' gaps: from nineteen on from their
 * ranks, of which the treated unit's own would be any with the same chance; of fewer, which have no rank that
 * far out, by Student's t. */
#ifndef BW_ANALYZE_SYNTHETIC_H
#define BW_ANALYZE_SYNTHETIC_H

#include "common/status.h"

#include <stddef.h>

typedef struct {
    double effect, lo, hi; /* mean gap a period after the start; 90 % by the placebos */
    double total;          /* sum of the gaps */
    double relative;       /* share of the mix's mean after the start */
    double p;              /* rank among the placebos: 1 / (units) at the least */
    double fit_error;      /* root mean squared gap before the start */
    double *weight;        /* [donors] */
    double *expected;      /* [periods] of the mix */
} bw_synthetic;

/* y: [units, periods], no value missing; unit 0 is treated, the others are donors; start: its first treated
 * period. On BW_OK free with bw_synthetic_free. BW_EDATA with fewer than 3 donors or 3 periods before. */
bw_status bw_synthetic_fit(const double *y, size_t units, size_t periods, size_t start,
                           bw_synthetic *out, bw_err *err);
void bw_synthetic_free(bw_synthetic *s);

#endif
