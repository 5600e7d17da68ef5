/* analyze/customer/segment.h - customers in named groups by how recently, how often and for how much they bought.
 *
 * Each measure is scored 1..5 by fifths of the customers (equal values share the middle of their ranks);
 * a table of recency against frequency gives the name. What a group is worth comes from clv.h. */
#ifndef BW_ANALYZE_SEGMENT_H
#define BW_ANALYZE_SEGMENT_H

#include "analyze/customer/clv.h"
#include "analyze/summary.h"

typedef enum {
    BW_SEG_CHAMPIONS,
    BW_SEG_LOYAL,
    BW_SEG_PROMISING,
    BW_SEG_NEW,
    BW_SEG_ATTENTION,
    BW_SEG_AT_RISK,
    BW_SEG_SLEEPING,
    BW_SEG_LOST,
    BW_SEGMENTS
} bw_segment_kind;
extern const char *const BW_SEGMENT_NAMES[BW_SEGMENTS];

/* kind: [n]. money: [n] all a customer spent. */
bw_status bw_segment_assign(const bw_customer *c, const double *money, size_t n,
                            bw_segment_kind *kind, bw_err *err);

typedef struct {
    size_t n;
    double revenue;                /* money they brought so far */
    double frequency, weeks_since; /* means: repeat purchases, weeks since the last purchase */
    double churn;                  /* mean probability to have left */
    double next_weeks;   /* median over customers of the median weeks to the next purchase */
    bw_summary lifetime; /* mean money of a customer in the horizon; interval from the parameters */
    bw_summary purchases; /* the same for purchases */
} bw_segment;

/* out: [BW_SEGMENTS]. */
bw_status bw_segment_describe(const bw_customer *c, const double *money,
                              const bw_segment_kind *kind, size_t n, const bw_clv *model,
                              double weeks, double discount, uint64_t seed, bw_segment *out,
                              bw_err *err);

#endif
