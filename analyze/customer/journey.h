/* analyze/customer/journey.h - which channel a sale is owed to, by the paths customers took.
 *
 * First and last touch; Shapley value of the game "conversions of the paths whose channels are all in the
 * set": in it each path's conversions are shared equally by its different channels, exactly (the dividends
 * of the game are the paths; Zhao, Mahboobi, Bagheri 2018); Markov removal effect: the share of conversions
 * a chain over the channels loses when one of them leads nowhere (Anderl et al. 2016), of a given order. */
#ifndef BW_ANALYZE_JOURNEY_H
#define BW_ANALYZE_JOURNEY_H

#include "common/status.h"

#include <stddef.h>

typedef struct {
    const unsigned *step; /* channel of each step, [length] */
    size_t length;
    double conversions, value, nulls;
} bw_path;

typedef struct {
    double first, last, shapley, markov;                         /* conversions */
    double first_value, last_value, shapley_value, markov_value; /* money */
    double removal; /* share of conversions lost without it */
} bw_credit;

/* credit: [channels]; each measure adds up to all conversions (money). order: 1..BW_ORDER_MAX steps of memory.
 * BW_EDATA when nothing converted. */
bw_status bw_journey_credit(const bw_path *path, size_t n, size_t channels, int order,
                            bw_credit *credit, bw_err *err);
#define BW_ORDER_MAX 4

#endif
