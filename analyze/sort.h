/* analyze/sort.h - numbers in ascending order: what every summary of draws begins with. */
#ifndef BW_ANALYZE_SORT_H
#define BW_ANALYZE_SORT_H

#include <stddef.h>

/* Sorts v [n] in place; n log n whatever the order. Where NANs end up is not said. */
void bw_sort(double *v, size_t n);

#endif
