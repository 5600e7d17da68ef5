/* analyze/mix/allocate.h - the best split of a budget over channels, with a proof of how good it is.
 *
 * Each channel has a curve of value against spend on a grid. On the curves' concave envelopes the
 * best split is found exactly by taking the steepest piece that is still allowed, for limits on channels, on
 * disjoint groups of channels and on the total form a polymatroid. The envelopes' value there
 * is a bound that no split can beat; where curves are S-shaped the split is then improved on the
 * curves themselves, by exchanges between pairs, and the distance to the bound is the optimality gap. */
#ifndef BW_ANALYZE_ALLOCATE_H
#define BW_ANALYZE_ALLOCATE_H

#include "common/status.h"

#include <stddef.h>

#define BW_NO_GROUP ((size_t)-1)

typedef struct {
    size_t n_channel, n_level, n_group;
    const double *x; /* [n_channel, n_level] spend, ascending: the first is the least allowed, the
                              last the most */
    const double *f; /* [n_channel, n_level] value */
    const size_t *group;               /* [n_channel] or BW_NO_GROUP */
    const double *group_lo, *group_hi; /* [n_group] */
    double total;                      /* to be spent; ignored with a target or goal */
    double target;                     /* > 0: spend while value / spend stays at least this */
    double goal;                       /* > 0: the least spend whose value reaches it */
} bw_allocation;

typedef struct {
    double *x;                  /* [n_channel] */
    double spend, value, bound; /* value of x; what no allowed split of this spend exceeds */
    double price;               /* value of one more unit of the total */
    double
        *channel_price;  /* [n_channel] value of loosening the channel's binding limit by one unit:
                              above 0 the upper one, below 0 the lower one */
    double *group_price; /* [n_group] likewise */
    int reached;         /* of a target or goal: 1 when it could be kept */
} bw_allocation_result;

/* Limits must be feasible: least spends within groups and total. The caller frees the result. */
bw_status bw_allocate(const bw_allocation *a, bw_allocation_result *out, bw_err *err);
void bw_allocation_free(bw_allocation_result *r);
/* Prices of the limits at out->x, by the slopes of the envelopes of a's curves: for a split that was made
 * by other means, or by other curves. */
bw_status bw_allocation_prices(const bw_allocation *a, bw_allocation_result *out, bw_err *err);

/* The channel's value at spend, between levels by straight lines. */
double bw_allocation_value(const bw_allocation *a, size_t channel, double spend);

#endif
