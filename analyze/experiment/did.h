/* analyze/experiment/did.h - difference in differences: what a treatment changed, against units without it.
 *
 * With units and times: y = unit + time + effect treated x post + noise (two-way fixed effects); with
 * neither, y = a + b treated + c post + effect treated x post. Errors are clustered by unit where units are given
 * (Bertrand, Duflo, Mullainathan 2004), classical where not. A single treated unit is held against how much
 * the untreated ones moved apart at the same time (Conley and Taber 2011, with Student's t for the tail).
 * Where the treated units start at different times, two-way fixed effects mislead, and each treated row is held
 * against the units that are not treated (yet) instead (did_staggered.c). Where post is 0 for every untreated
 * row and the treated ones start together, their start is everybody's. */
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

#define BW_DID_SINCE_MAX 60u

/* Effect so many periods after the start: 0 is the period in which it begins. 95 %. */
typedef struct {
    double effect, se, lo, hi;
    size_t rows;
} bw_did_since;

typedef struct {
    double effect, se, lo, hi, p; /* 95 %; in y's unit, or log points */
    bool placebo;         /* the error comes from the untreated units: one unit alone was treated */
    bool staggered;       /* treated units start at different times; the next four are for them */
    double fixed_effects; /* what two-way fixed effects would say */
    size_t unjudged;      /* treated rows without anything to hold them against, left out */
    bw_did_since since[BW_DID_SINCE_MAX];
    size_t sinces;
    double relative;   /* effect as a share of what would have been; NAN when undefined */
    double pretrend_p; /* no difference in slope before the start; NAN: cannot be tested */
    double naive_before_after, naive_treated_control;           /* what each half alone would say */
    size_t units, treated_units, periods_before, periods_after; /* 0 when not given */
} bw_did_result;

/* Fails with BW_EDATA, saying why, when one of the four cells is empty (staggered: when no treated row can be
 * judged, or a treatment ends), y does not vary, a unit is both treated and not, only one unit is untreated, or one is treated beside fewer than
 * BW_DID_PLACEBOS others (its own noise then cannot be told from the effect). */
bw_status bw_did(const bw_did_data *d, bw_did_result *out, bw_err *err);
#define BW_DID_PLACEBOS 5u

#endif
