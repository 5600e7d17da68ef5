/* analyze/experiment/did_internal.h - shared by did.c and did_staggered.c. */
#ifndef BW_ANALYZE_DID_INTERNAL_H
#define BW_ANALYZE_DID_INTERNAL_H

#include "analyze/experiment/did.h"

struct panel {
    double *y;      /* [n] metric, logged when asked */
    double *x;      /* [n, 4] 1, treated, post, treated x post */
    double *post;   /* [n] as given, or spread over the untreated units */
    size_t *period; /* [n] index of the time, when times are given */
    size_t periods;
    double *value; /* [periods] the times, ascending */
    size_t *start; /* [units] period in which a unit's treatment begins, SIZE_MAX = never */
    size_t starts; /* different ones */
};

/* Fills p->start and p->starts; needs unit and time. BW_EDATA when starts differ and a treatment ends again. */
bw_status did_find_starts(const bw_did_data *d, struct panel *p, bw_err *err);

/* Effect, error and course of a treatment that begins at different times, into out. */
bw_status did_staggered(const bw_did_data *d, const struct panel *p, bw_did_result *out,
                        bw_err *err);

#endif
