/* analyze/mix/mmm_market.h - what a calendar of spend earns through one channel, draw by draw.
 *
 * The channel's spend of the weeks ahead goes through the curve of every geo, spread over geos as it was
 * in the data and evenly over a week's days. What was spent before still works, and after the last week
 * `after` money a week is spent, so that the carry-over past the horizon falls on a market like today's.
 * Earned is what the spend adds to spending nothing in those weeks, all of it summed. */
#ifndef BW_ANALYZE_MMM_MARKET_H
#define BW_ANALYZE_MMM_MARKET_H

#include "analyze/mix/mmm.h"

typedef struct bw_market bw_market; /* has its own scratch: one thread at a time */

typedef struct {
    size_t channel, weeks;
    double after;        /* money a week behind the horizon */
    double top;          /* the most that any week of a calendar may spend */
    const double *draws; /* [of, dim of the model] */
    size_t n_draw, of;   /* draws used, evenly among so many */
} bw_market_options;

bw_status bw_market_new(const bw_mmm *m, const bw_market_options *o, bw_market **out, bw_err *err);
void bw_market_free(bw_market *k); /* NULL is fine */

/* Whether every draw's curve is concave: a Hill curve with a slope above one is not. */
bool bw_market_concave(const bw_market *k);
/* Money earned by spend [weeks], money a week, in draw d. */
double bw_market_earned(bw_market *k, size_t d, const double *spend);
/* The weighted sum over draws (weight [n_draw]; draws of weight 0 cost nothing), and in gradient
 * [weeks], unless NULL, what one more unit in each week adds. */
double bw_market_sum(bw_market *k, const double *weight, const double *spend, double *gradient);
/* The same of the curves' concave envelopes over all that may be spent: never less than the above, and
 * equal to it where the curves are concave. */
double bw_market_hull(bw_market *k, const double *weight, const double *spend, double *gradient);

#endif
