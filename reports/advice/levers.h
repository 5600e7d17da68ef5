/* reports/advice/levers.h - inside this folder: what a piece of advice acts on, and in which days, so
 * that no two pieces pull at the same thing at once.
 *
 *   budget      the spend of every channel it moves
 *   timing      the hours of the channel
 *   content     the texts of the channel
 *   experiment  spend, hours and texts of the channel: where nothing is spent, nothing is sent
 *   price       the price of the product, or of all
 *   promotion   the price of all products, unless it says not to repeat
 *   complaint   the aspect
 *
 * A piece holds its levers from the day it is due until it is measured: a test for as long as it runs,
 * everything else to the end of the second full week. Who acts on a held lever would be measured with
 * it, and neither would be known. */
#ifndef BW_REPORTS_LEVERS_H
#define BW_REPORTS_LEVERS_H

#include "reports/shop.h"

typedef struct {
    const char *id; /* "" for a candidate, which has none yet */
    const char *kind, *subject, *action, *due;
} bw_act;

typedef struct {
    int from, until; /* day numbers, both included */
} bw_days;

/* Whether it is advice of the report's week. */
bool bw_act_of_week(const bw_shop *s, const bw_act *a);
/* The days in which it holds its levers. */
bw_days bw_act_days(const bw_shop *s, const bw_act *a);
/* Same lever, some day in common. */
bool bw_acts_collide(const bw_shop *s, const bw_act *a, const bw_act *b);

/* Advice that people accepted or carried out and that still holds its levers at the end of the
 * report's week; in the arena, by id. */
bw_status bw_acts_open(const bw_shop *s, bw_act **out, size_t *n, bw_err *err);

#endif
