/* analyze/summary.c - mean, spread and quantiles of draws. */
#include "analyze/summary.h"

#include "analyze/sort.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>

bw_summary bw_summarise(double *draws, size_t n) {
    if (n == 0)
        return (bw_summary){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    bw_summary s = {.mean = gsl_stats_mean(draws, 1, n)};
    double above = 0;
    for (size_t i = 0; i < n; i++)
        above += draws[i] > 0;
    s.p_positive = above / (double)n;
    s.sd = n > 1 ? gsl_stats_sd_m(draws, 1, n, s.mean) : 0;
    bw_sort(draws, n);
    s.lo = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.05);
    s.hi = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.95);
    s.lo50 = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.25);
    s.hi50 = gsl_stats_quantile_from_sorted_data(draws, 1, n, 0.75);
    return s;
}
