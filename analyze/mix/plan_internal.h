/* analyze/mix/plan_internal.h - shared by the plan_*.c files. */
#ifndef BW_ANALYZE_PLAN_INTERNAL_H
#define BW_ANALYZE_PLAN_INTERNAL_H

#include "analyze/mix/allocate.h"
#include "analyze/mix/fit.h"
#include "analyze/mix/mmm_market.h"
#include "analyze/mix/plan.h"
#include "analyze/store.h"

#include <stdbool.h>

#define PLAN_LEVELS 81
#define PLAN_TOUCH  11 /* levels at which the bound of a channel's calendars touches */
#define PLAN_DRAWS  400
#define PLAN_GROUPS 16

typedef struct {
    size_t channel; /* of the fit's data */
    const char *name;
    double now, most; /* money a week: mean of the last four weeks, the most of any week */
    double lo, hi;    /* money a week allowed */
    bool fixed;       /* stays as it is, week by week */
    double x;         /* planned, money a week on average */
    double *week;     /* [weeks] planned, of plan_state's calendar */
} plan_channel;

/* What a calendar of one channel may do, and the weights of draws under which it is searched and judged. */
typedef struct {
    size_t weeks;
    double cap;       /* money a week at most */
    double now, step; /* money: change from week to week at most, from now on; INFINITY: any */
    const double *search, *full; /* [n_draw] */
} plan_rules;

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
    double total;          /* money a week */
    double margin;         /* money that one unit of the outcome is worth; NAN: not known */
    double *x, *mean;      /* [n, PLAN_LEVELS] spend a week; mean value over the horizon, a week */
    float *value;          /* [n, PLAN_LEVELS, n_draw] */
    double *level_week;    /* [n, PLAN_LEVELS, weeks] the calendar that earns most at this level */
    double *touch;         /* [n, PLAN_TOUCH, weeks] where the bounds touch */
    double *calendar;      /* [n, weeks] as planned */
    double *search, *full; /* [n_draw] weights: of few draws, for searches; of all */
    bw_market **market;    /* [n] */
    bw_allocation_result best;
    bool bounded;  /* best.bound bounds what was maximised */
    double earned; /* money a week of the plan: what the gap is a part of */
    double
        *now; /* [n, n_draw] value a week of spending on as now, which may lie outside the limits */
    double *gain; /* [n + 1, n_draw] money a week more than now; the last row is the sum */
} plan_state;

/* plan_limits.c: lo, hi, groups and total from the options; refuses what cannot hold together. */
bw_status plan_limits(plan_state *p, bw_err *err);

/* plan_curve.c: values and calendars of all levels; the rules of channel i; and the calendar of the spend
 * that was chosen, with what it earns more than now in gain. */
bw_status plan_curves(plan_state *p, bw_err *err);
plan_rules plan_rules_of(const plan_state *p, size_t i);
bw_status plan_finish(plan_state *p, bw_err *err);
/* Value a week of channel i at spend u, draw k, between levels by straight lines. */
double plan_value(const plan_state *p, size_t i, double u, size_t k);
/* What no calendar of spend a week in total exceeds, in money a week weighted over draws by weight. */
bw_status plan_bound_total(const plan_state *p, const double *weight, double spend, double *bound,
                           bw_err *err);

/* plan_weeks.c: the even calendar of u a week, which climbs where there is a ramp; the best one, also
 * begun at x [weeks], with single weeks moved if thorough; where a bound for u should touch; and bound [n] lowered to what a tangent at touch allows
 * for the spends u [n], money a week. plan_reach: the least and the most that a week may be on average. */
void plan_even(const plan_rules *r, double u, double *x);
bw_status plan_calendar(const plan_rules *r, bw_market *market, double u, bool thorough, double *x,
                        bw_err *err);
void plan_reach(const plan_rules *r, double *room, double *lo, double *hi); /* room: [weeks] */
bw_status plan_tangent(const plan_rules *r, bw_market *market, double u, double *x, bw_err *err);
bw_status plan_bound(const plan_rules *r, bw_market *market, const double *weight,
                     const double *touch, const double *u, size_t n, double *bound, bw_err *err);

/* plan.c: everything but the database: fit, o and margin of a zeroed state must be set; plan_free ends it. */
bw_status plan_compute(plan_state *p, bw_err *err);
void plan_free(plan_state *p);
/* The problem of the best split by value [n, PLAN_LEVELS] within the limits. */
typedef struct {
    double total, target, goal; /* as in allocate.h */
} plan_aim;
typedef struct {
    bw_allocation a;
    double lo[PLAN_GROUPS], hi[PLAN_GROUPS]; /* of groups */
} plan_problem;
void plan_problem_set(const plan_state *p, const double *value, const plan_aim *aim,
                      plan_problem *out); /* *out holds pointers into itself: not to be copied */

/* plan_risk.c: moves the plan towards a better quantile or tail of the gain; and what is maximised, the
 * mean or such a measure, of the gain as planned, money a week. */
bw_status plan_risk(plan_state *p, bw_err *err);
bw_status plan_measure(const plan_state *p, double *out, bw_err *err);

/* plan_store.c */
bw_status plan_store(sqlite3 *db, const plan_state *p, const char *input, const char *options,
                     int64_t *run, bw_err *err);

#endif
