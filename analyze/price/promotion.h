/* analyze/price/promotion.h - what each promotion brought while it ran, and what it took from the days after.
 *
 * Log of daily sales = moving level + weekday + yearly season + events + for each promotion a step while
 * it runs and a dip that fades over the fourteen days after it (structural.h); the steps share a prior,
 * so do the dips. Money = sales of those days minus what they would have been without it. */
#ifndef BW_ANALYZE_PROMOTION_H
#define BW_ANALYZE_PROMOTION_H

#include "analyze/summary.h"
#include "common/status.h"

#include <stdint.h>

typedef struct {
    const char *name;   /* borrowed */
    double first, last; /* days since 1970-01-01 */
} bw_span;

typedef struct {
    bool known;                  /* false: it lies outside the days seen */
    bw_summary uplift, dip, net; /* money while it ran, in the days after, together */
    bw_summary lift;             /* share more per day */
} bw_promotion;
#define BW_DIP_DAYS 14

/* y: [n] daily money from day first on, NAN = missing; promotions: [promotions]; events: other named
 * spans that move sales, one effect a name. out: [promotions]. BW_EDATA when sales are not positive or
 * too short. */
bw_status bw_promotion_fit(const double *y, size_t n, double first, const bw_span *promotion,
                           size_t promotions, const bw_span *event, size_t events, uint64_t seed,
                           bw_promotion *out, bw_err *err);

#endif
