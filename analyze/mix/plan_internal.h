/* analyze/mix/plan_internal.h - shared by the plan_*.c files. */
#ifndef BW_ANALYZE_PLAN_INTERNAL_H
#define BW_ANALYZE_PLAN_INTERNAL_H

#include "analyze/mix/allocate.h"
#include "analyze/mix/fit.h"
#include "analyze/mix/plan.h"
#include "analyze/store.h"

#include <stdbool.h>

#define PLAN_LEVELS 81
#define PLAN_DRAWS  400
#define PLAN_GROUPS 16

typedef struct {
    size_t channel; /* of the fit's data */
    const char *name;
    double now, most; /* money a week: mean of the last four weeks, the most of any week */
    double lo, hi;    /* money a week allowed */
    double x;         /* planned, money a week on average */
    size_t pattern;   /* of the calendar, see plan_schedule */
} plan_channel;

typedef struct {
    char name[64];
    double lo, hi;
} plan_group;

typedef struct {
    const bw_plan_options *o;
    bw_fit fit;
    size_t n; /* paid channels */
    plan_channel *channel;
    size_t *group_of; /* [n] */
    plan_group group[PLAN_GROUPS];
    size_t n_group, n_draw;
    double total, margin; /* total: money a week */
    double *x, *mean;     /* [n, PLAN_LEVELS] spend a week; mean value over the horizon, a week */
    float *value;         /* [n, PLAN_LEVELS, n_draw] */
    size_t *pattern;      /* [n, PLAN_LEVELS] the calendar that earns most at this level */
    bw_allocation_result best;
    bool bounded; /* best.bound bounds what was maximised */
    double
        *now; /* [n, n_draw] value a week of spending on as now, which may lie outside the limits */
    double *gain; /* [n + 1, n_draw] money a week more than now; the last row is the sum */
} plan_state;

/* plan_limits.c: lo, hi, groups and total from the options; refuses what cannot hold together. */
bw_status plan_limits(plan_state *p, bw_err *err);

/* plan_curve.c */
bw_status plan_curves(plan_state *p, bw_err *err);
/* Spend of week k of the horizon at level u (money a week on average) under a calendar. */
double plan_schedule(const plan_state *p, size_t i, size_t pattern, double u, long k);
/* Value a week of channel i at spend u, draw k, between levels by straight lines. */
double plan_value(const plan_state *p, size_t i, double u, size_t k);

/* plan.c: the best split by value [n, PLAN_LEVELS] within the limits. */
typedef struct {
    double total, target, goal; /* as in allocate.h */
} plan_aim;
bw_status plan_allocate(const plan_state *p, const double *value, const plan_aim *aim,
                        bw_allocation_result *out, bw_err *err);

/* plan_risk.c: moves the plan towards a better quantile or tail of the gain. */
bw_status plan_risk(plan_state *p, bw_err *err);

/* plan_store.c */
bw_status plan_store(sqlite3 *db, const plan_state *p, const char *input, const char *options,
                     int64_t *run, bw_err *err);

#endif
