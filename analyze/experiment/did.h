/* analyze/experiment/did.h - difference in differences: what a treatment changed, against units without it.
 *
 * With units and times: y = unit + time + effect treated x post + noise (two-way fixed effects); with
 * neither, y = a + b treated + c post + effect treated x post. Errors are clustered by unit where units are given
 * (Bertrand, Duflo, Mullainathan 2004), classical where not. A single treated unit is held against how much
 * the untreated ones moved apart at the same time (Conley and Taber 2011, with Student's t for the tail).
 * Where post is 0 for every untreated row the start is taken to be each unit's own (staggered). */
#ifndef BW_ANALYZE_DID_H
#define BW_ANALYZE_DID_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t n;
    const double *y;       /* [n] the metric */
    const double *treated; /* [n] 1 for units that get the treatment at some time, else 0 */
    const double *post;    /* [n] 1 from the start of the treatment on, for every unit */
    const size_t *unit;    /* [n] 0 .. units-1, or NULL */
    size_t units;
    const double *time; /* [n] or NULL */
    bool log;           /* take logs of y first: every y must be positive */
} bw_did_data;

typedef struct {
    double effect, se, lo, hi, p; /* 95 %; in y's unit, or log points */
    bool placebo;      /* the error comes from the untreated units: one unit alone was treated */
    bool staggered;    /* post marks each treated unit's own start */
    double relative;   /* effect as a share of what would have been; NAN when undefined */
    double pretrend_p; /* no difference in slope before the start; NAN: cannot be tested */
    double naive_before_after, naive_treated_control;           /* what each half alone would say */
    size_t units, treated_units, periods_before, periods_after; /* 0 when not given */
} bw_did_result;

/* Fails with BW_EDATA, saying why, when one of the four cells is empty, y does not vary, a unit is
 * both treated and not, only one unit is untreated, or one is treated beside fewer than
 * BW_DID_PLACEBOS others (its own noise then cannot be told from the effect). */
bw_status bw_did(const bw_did_data *d, bw_did_result *out, bw_err *err);
#define BW_DID_PLACEBOS 5u

#endif
