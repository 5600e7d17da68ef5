/* analyze/summary.h - posterior draws in a few numbers. */
#ifndef BW_ANALYZE_SUMMARY_H
#define BW_ANALYZE_SUMMARY_H

#include <stddef.h>

/* lo..hi is the 90 % interval, lo50..hi50 the 50 % one. */
typedef struct {
    double mean, sd, lo, hi, lo50, hi50;
    double p_positive; /* share of draws above 0 */
} bw_summary;

/* Sorts draws in place. All NAN when n is 0. */
bw_summary bw_summarise(double *draws, size_t n);

#endif
