/* analyze/experiment/design.h - which places get the treatment in the next test by geography.
 *
 * Places are matched in pairs that are alike in size and in how they moved (smallest deviation of the log
 * ratio first); one of each pair is treated, drawn by lot among the draws that balance sales best. The
 * design is then tried on the past, where nothing happened (placebo): the spread of the effects that it
 * finds there is its error, and the share of later windows called an effect by the error of the earlier
 * ones shows whether that error can be trusted. */
#ifndef BW_ANALYZE_DESIGN_H
#define BW_ANALYZE_DESIGN_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

#define BW_DESIGN_GEOS_MIN  4u
#define BW_DESIGN_WEEKS_MIN 26u
#define BW_DESIGN_LONGEST   12u /* weeks of a test */

typedef struct {
    size_t geos, pairs;
    size_t *pair;  /* [geos] 0 .. pairs-1, or pairs: left out */
    bool *treated; /* [geos] */
    double *share; /* [geos] of all sales, last year */
    double treated_share;
    double
        error[BW_DESIGN_LONGEST + 1]; /* [weeks of the test] sd of the effect, share of the treated
                                                    places' sales; NAN where the past is too short */
    double false_alarms[BW_DESIGN_LONGEST + 1]; /* share of windows; 0.05 is as it should be */
    size_t placebos[BW_DESIGN_LONGEST + 1];     /* windows tried */
} bw_geo_design;

/* y: [geos, weeks] weekly sales, all positive. On BW_OK free with bw_geo_design_free. BW_EDATA with fewer
 * geos or weeks than the least. */
bw_status bw_geo_design_make(const double *y, size_t geos, size_t weeks, uint64_t seed,
                             bw_geo_design *out, bw_err *err);
void bw_geo_design_free(bw_geo_design *d);

#endif
