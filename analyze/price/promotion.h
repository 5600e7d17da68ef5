/* analyze/price/promotion.h - what each promotion brought while it ran, what it took from the days after it,
 * and what it took from other products.
 *
 * Log of daily sales = moving level + weekday + yearly season + events + for each promotion a step while
 * it runs and a dip that fades over the fourteen days after it (structural.h); the steps share a prior,
 * so do the dips. Money = sales of those days minus what they would have been without it.
 *
 * Where a promotion was for some products only, what was promoted and the products that compete with it
 * are two series with a model each, and what the latter lost is its cannibalisation. A good day is good for
 * both: their errors are drawn with the correlation of the two models' errors of one day ahead. */
#ifndef BW_ANALYZE_PROMOTION_H
#define BW_ANALYZE_PROMOTION_H

#include "analyze/summary.h"
#include "common/status.h"

#include <stdint.h>

typedef struct {
    const char *name;   /* borrowed */
    double first, last; /* days since 1970-01-01 */
} bw_span;

/* Products that were promoted together, once or several times. A day without a row is NAN. */
typedef struct {
    double *own, *others; /* [n] daily money of what is promoted, and of what competes with it */
} bw_promoted;

typedef struct {
    size_t n, promotions, events, sets;
    double first;                     /* day of y[0] */
    const double *y;                  /* [n] daily money of everything, NAN = missing */
    const bw_span *promotion, *event; /* events: other spans that move sales, one effect a name */
    const bw_promoted *set;           /* [sets] */
    const size_t *set_of;             /* [promotions] < sets, or sets: it was for everything */
} bw_promotion_data;

typedef struct {
    bool known;  /* false: it lies outside the days seen; nothing below is set */
    bool apart;  /* what was promoted is told from the rest: promoted and taken are set */
    bool sparse; /* not told apart: what it was for sold too rarely to be judged day by day */
    bw_summary promoted,
        taken; /* money while it ran: of what was promoted, of the others (< 0: taken) */
    bw_summary uplift, dip, net; /* together while it ran, in the days after, and in all */
    bw_summary lift;             /* share more a day: of what was promoted, or of everything */
} bw_promotion;
#define BW_DIP_DAYS 14

/* out: [promotions]. BW_EDATA when sales are not positive or too short. */
bw_status bw_promotion_fit(const bw_promotion_data *d, uint64_t seed, bw_promotion *out,
                           bw_err *err);

#endif
