/* reports/advice/settle.h - inside this folder: what a piece of advice brought, measured by what
 * happened since, each kind by its own yardstick.
 *
 *   budget      the spend since, through the response curves of the newest fit
 *   timing      orders a message since against the year before, ordinary days only, month taken out
 *   content     orders a message since, with the feature against without
 *   price       units against the units expected at the old price, by the other products' sales
 *   promotion   what the next promotion brought
 *   complaint   balance of the aspect's mentions since against the four weeks it was advised in
 *   experiment  the test's own result
 *
 * What cannot be measured (yet) says why: a key of the language files, what there is and what it
 * takes. */
#ifndef BW_REPORTS_SETTLE_H
#define BW_REPORTS_SETTLE_H

#include "reports/shop.h"

typedef struct {
    const char *id, *kind, *subject, *week, *due; /* days: the advice's week, when it was due */
    double gain, lo, hi;                          /* promised; NAN = nothing in numbers */
} bw_promise;

typedef struct {
    double mean, lo, hi; /* in the unit of the advice's gain; NAN = not measured */
    const char *method;  /* "model", "messages", "prices", "promotion", "reviews", "experiment" */
    const char *reason;  /* "reason.few_messages": why it is not measured, NULL when it is */
    double have, need;   /* for the reason's sentence; NAN = none */
} bw_measured;

/* Fills *out with a measure or a reason. */
typedef bw_status bw_settle(const bw_shop *s, const bw_promise *p, bw_measured *out, bw_err *err);
bw_settle bw_settle_budget, bw_settle_timing, bw_settle_content, bw_settle_price,
    bw_settle_promotion, bw_settle_complaint, bw_settle_experiment;

/* Not measured, because. Returns BW_OK. */
bw_status bw_unmeasured(bw_measured *out, const char *reason, double have, double need);
/* Not measured, because only this share of it was carried out. */
bw_status bw_not_followed(bw_measured *out, double done);
/* A measure with a normal error: mean +- 1.645 sd. Returns BW_OK. */
bw_status bw_measured_by(bw_measured *out, const char *method, double mean, double sd);

/* Promised and measured agree: within the promised interval when both come from one model, within
 * the joint 90 % interval when they were measured independently. */
bool bw_promise_kept(const bw_promise *p, const bw_measured *m);

#define BW_WEEKS_TO_SETTLE   2   /* full weeks since a move was due before it is measured */
#define BW_FOLLOWED_LEAST    0.5 /* share of the advice that must have been carried out */
#define BW_Z90               1.645
#define BW_MESSAGES_SINCE    8 /* messages that tell a rate, since and before */
#define BW_MESSAGES_BEFORE   20
#define BW_MENTIONS_TO_JUDGE 10

#endif
