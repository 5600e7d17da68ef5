/* reports/advice/candidates.h - what could be advised this week, before the ledger gives it an id. */
#ifndef BW_REPORTS_CANDIDATES_H
#define BW_REPORTS_CANDIDATES_H

#include "reports/shop.h"

typedef struct {
    const char *kind, *subject, *action;         /* as in advice.h */
    const char *due;                             /* a day */
    const char *unit;                            /* of the gain, as in advice.h */
    double gain, lo, hi, probability, stability; /* NAN = not in numbers, not known, not tested */
    double rank; /* expected gain x certainty x stability - cost of change */
    int64_t run; /* what it rests on, 0 = the ledger alone */
} bw_candidate;

/* Gates: below these the advice is to test, not to act. */
#define BW_ACT_PROBABILITY 0.80
#define BW_ACT_STABILITY   0.75

/* What the plan's move of the budget is worth (its rank), at most 0 when it does not pass the gates, or not
 * for the work of it. *stability: of its least stable channel, NAN when not tested. */
double bw_budget_worth(const bw_shop *s, double *stability);

/* Best first, at most 6; at least one, if need be "nothing". No two act on one lever in the same days,
 * and none on a lever that accepted advice still holds (levers.h). In the arena. */
bw_status bw_candidates_find(const bw_shop *s, bw_candidate **out, size_t *n, bw_err *err);

#endif
