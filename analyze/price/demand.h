/* analyze/price/demand.h - how units answer to price, by product or store, and the price that pays best.
 *
 * log units = a_g + e_g log price + controls + noise (log form), or units = a_g + b_g price + ...
 * (linear form), by group g; numeric controls have a coefficient of their own in each group, factors are
 * common to all. The groups' elasticities are then shrunk towards their mean as far as their noise
 * asks for (bw_shrink). The best price maximises the expected profit (or revenue, when no cost is
 * known) over the posterior of the elasticity, within the prices seen. */
#ifndef BW_ANALYZE_DEMAND_H
#define BW_ANALYZE_DEMAND_H

#include "common/status.h"

#include <stddef.h>

typedef struct {
    size_t n, groups, controls, factors;
    const double *units, *price;     /* [n], both > 0 in the log form */
    const size_t *group;             /* [n] */
    const char *const *group_name;   /* [groups] */
    const double *control;           /* [n, controls] or NULL */
    const char *const *control_name; /* [controls] */
    const size_t *const *factor;     /* [factors][n] codes */
    const size_t *levels;            /* [factors] */
    const size_t *unit;              /* [n] errors are clustered by it, or NULL */
    size_t units_n;                  /* number of clusters */
    bool shared_controls; /* controls are alike for all groups within each level of a factor (a
                                         trend beside week effects): the last group then goes without */
    bool linear;
    const double *cost; /* [groups] money per unit, NAN = not known */
} bw_demand_data;

typedef struct {
    bool known; /* false: too few rows, or the price never moved; nothing below is set */
    size_t n;
    double raw, raw_se;     /* elasticity of this group alone; linear: at the group's means */
    double mean, sd;        /* shrunk */
    double slope, slope_se; /* coefficient as fitted (linear form: units per money) */
    double price_lo, price_now, price_hi,
        units_now;                 /* 5 %, mean, 95 % of the prices seen; mean units */
    double best, best_lo, best_hi; /* the price that pays best; where its 90 % lies */
    double gain, gain_lo, gain_hi,
        gain_p;   /* share more profit (revenue) there than at the mean price */
    bool at_edge; /* best is the edge of what was seen: the true best may lie beyond */
} bw_demand_group;

typedef struct {
    bw_demand_group *group; /* [groups] */
    double common,
        common_se; /* one elasticity for all, with a level for each group; NAN when not estimable */
    double naive;  /* the same without controls and factors: what a glance would say */
    size_t known;
} bw_demand;

/* On BW_OK free with bw_demand_free. BW_EDATA when no group's price moved. */
bw_status bw_demand_fit(const bw_demand_data *d, bw_demand *out, bw_err *err);
void bw_demand_free(bw_demand *r);

/* Units at a price: mean and 90 % interval from the shrunk elasticity. */
void bw_demand_curve(const bw_demand_group *g, bool linear, double price, double *mean, double *lo,
                     double *hi);

#endif
