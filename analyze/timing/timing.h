/* analyze/timing/timing.h - when to send, how often, and which content works, for one channel.
 *
 * Orders, clicks and opens of so many delivered are rates (binomial); where nobody counted the delivered,
 * they are counts a message (negative binomial); revenue is money a message delivered (glmm.h).
 *
 * logit rate, or log of the mean = constant + trend + weekday + hour + weekday x hour + month + audience + promotion
 *            + holiday (before, on, after) + pay-day + fatigue 0.5^((gap - 1) / half-life) + content + theme,
 * each block but the constant, trend, promotion and fatigue shrunk towards zero (glmm.h). A slot's
 * index is its rate over the plain mean of the slots the channel uses; what moving to it brings is
 * its rate over the mean of today's mix of slots. The fatigue's half-life is weighed over a grid by
 * the marginal likelihood. */
#ifndef BW_ANALYZE_TIMING_H
#define BW_ANALYZE_TIMING_H

#include "analyze/glmm.h"
#include "analyze/summary.h"
#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

/* Sends that share channel, day, hour, audience and content, added up. */
typedef struct {
    double day;               /* since 1970-01-01 */
    int hour;                 /* 0..23, local */
    uint32_t audience, theme; /* theme: UINT32_MAX = none */
    double gap;               /* days since the audience last heard from us, NAN = first time */
    uint32_t flags;           /* bit f: content feature f */
    bool promotion;
    int holiday; /* 0 none, 1 within a week before, 2 on it, 3 within three days after */
    double messages, trials, successes;
} bw_send;

#define BW_CONTENT_FEATURES 8u
extern const char *const BW_CONTENT_NAMES[BW_CONTENT_FEATURES]; /* "question", "number", ... */

typedef struct {
    int weekday, hour; /* 0 Monday .. 6 Sunday */
    double messages;
    bw_summary index;
    double p_best; /* among slots with BW_SLOT_MESSAGES or more */
} bw_slot;
#define BW_SLOT_MESSAGES 3.0 /* fewer sends than this: the slot is thin and not advised */

typedef struct {
    bw_slot *slot; /* [slots], weekday by weekday */
    size_t slots;
    size_t best; /* index into slot, slots when every slot is thin */
    int window_weekday, window_first, window_last;
    bw_summary window, gain; /* index of the window; share more by moving to the best slot */
    bw_summary weekday[7], month[12], hour[24]; /* indexes; NAN where never sent */
    bool has_fatigue;
    bw_summary fatigue;            /* share lost when the audience heard from us the day before */
    bw_summary half_life, spacing; /* days; spacing: until less than BW_FATIGUE_LEFT is lost */
    bw_summary content[BW_CONTENT_FEATURES]; /* relative lift; NAN where it does not vary */
    double content_n[BW_CONTENT_FEATURES];   /* messages with the feature */
    bw_summary *theme;                       /* [themes] relative lift against the average theme */
    double *theme_n;
    size_t themes;
    double scatter, messages, trials, successes;
} bw_timing;
#define BW_FATIGUE_LEFT 0.05

/* family, unit: as in glmm.h. window: its length in hours. On BW_OK free with bw_timing_free. Fails with BW_EDATA when there are
 * fewer than BW_TIMING_LEAST rows or a single slot. */
bw_status bw_timing_fit(const bw_send *send, size_t n, size_t audiences, size_t themes,
                        bw_family family, double unit, int window, uint64_t seed, bw_timing *out,
                        bw_err *err);
void bw_timing_free(bw_timing *t);
#define BW_TIMING_LEAST 30u

#endif
