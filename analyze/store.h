/* analyze/store.h - where results go: a model_run row and its estimates, draws and curves.
 *
 * This table is the contract with whoever reads results (SQL views, reports). lo..hi is the 90 %
 * interval, lo50..hi50 the 50 % one; money is in the shop's currency; "week" is the week's first day.
 *
 * kind      name               subject    at        mean is                      probability is
 * fit       spend              channel              money spent in the window
 * fit       contribution       channel              money earned in the window   contribution > 0
 * fit       share              channel              part of the outcome, 0..1
 * fit       media_share        ''                   what all channels together are of the outcome
 * fit       roas               channel              money earned per money       roas * margin > 1
 * fit       marginal_roas      channel              money of the next money      marginal_roas * margin > 1
 * fit       half_life          channel              weeks
 * fit       beta, adstock, saturation, ...          parameters as the model has them
 * fit       decomposition      part       week      money of that week
 *             part: a channel's name, or _baseline, _trend, _season, _event:NAME, _control:NAME
 * fit       fitted             ''         week      model's outcome of that week (interval of the mean)
 * fit       stability          channel              share of refits that keep the sign of the advice
 * fit       roas_mcse          channel              Monte-Carlo standard error of the mean ROAS
 * fit       prior_shift, prior_width  channel       of its effect: posterior mean less prior median, and
 *             posterior sd, in prior sd: no shift and a width of 1 say that the data were silent
 * fit       r2, mape, crps, ...                     fit quality
 * fit       forecast_widening  ''                   factor that makes intervals of outcomes ahead hold; coverages and
 *             CRPS of the backtest are with it, backtest_coverage_90_own is without
 * fit       since_run          ''                   the fit before, with which this one is compared
 * fit       new_periods        ''                   periods that it did not have
 * fit       revised_periods    series               periods it had otherwise; outcome, channel:NAME, control:NAME
 * fit       roas_before        channel              its ROAS; roas - that is the sum of the next three
 * fit       changed_by_data, changed_by_history, changed_by_model  channel   by new periods, revised ones, options
 * plan      spend_now          channel              money a week, average of the last 4 weeks
 * plan      spend_planned      channel              money a week advised
 * plan      gain               '' or channel        money a week more than now   gain > 0
 * plan      shadow_price       limit                what is maximised (mean, quantile or tail of the gain) per money the limit is loosened by
 * change    change_week        part       week      money against the week before
 * change    change_year        part       week      money against the same week a year before
 *             parts as in decomposition, and _unexplained
 * timing    index              channel    'D-HH'    rate relative to the channel's mean slot      is the best slot
 *             D: 0 Monday .. 6 Sunday; HH: first hour of the slot, local time; n: messages sent in it
 * timing    best               channel    'D-HH'    index of the advised slot   is the best slot
 * timing    window             channel    'D-HH/D-HH'  index of the best window (first and last hour)
 * timing    gain               channel              share more orders by moving there; gain > 0
 * timing    weekday_index, hour_index, month_index  channel  'D', 'HH', 'MM'   rate relative to the mean level
 * timing    spacing            channel              days between two messages to the same audience
 * timing    fatigue            channel              share lost when it heard from us the day before; > 0
 * timing    fatigue_half_life  channel              days after which half of that is gone
 * content   effect             feature    channel or ''  relative lift of the rate, 0.1 = +10 %; effect > 0
 *             feature: question, number, emoji, urgency, personal, positive tone, negative tone,
 *             long text, or "theme: NAME" of a topic of our messages
 * content   false_discovery    feature              q value: share of findings this weak that are none
 * price     elasticity         product              per cent of units per per cent of price; elasticity < 0
 * price     elasticity_alone   product              the same without what the other products tell
 * price     cross_elasticity   ''         series    per cent of units per per cent of a competitor's price; > 0
 * price     price_now          product              money, mean; lo..hi: 90 % of the prices seen
 * price     best_price         product    '' or 'edge'  money, within the seen range  more profit than now
 *             'edge': the end of the seen range; the true best may lie beyond. Profit by the setting margin
 * price     price_gain         product              share more profit there; gain > 0
 * price     (curve) demand     product              units a week against price
 * promotion uplift, dip, net   event      first day money over the promotion, in the 14 days after, together; > 0
 * promotion promoted, cannibalisation event first day  the parts of uplift where it was for some products only:
 *             money of these, and of the others that compete with them (< 0: taken from them); > 0
 * promotion lift               event      first day share more sales a day while it runs, of what it was for; > 0
 * forecast  outcome            ''         week      money; sd
 * forecast  band50, band80, band95 ''     week      (lo, hi)
 * forecast  plan_met           ''         FROM..UNTIL  plan                       plan is reached
 * forecast  landing            ''         FROM..UNTIL  total of the plan's period, seen and to come
 * forecast  event_effect       event                share of the outcome over the days it covers
 *             diagnostics: {"measure", "backtest": {"ours", "seasonal_naive", "holt_winters", ...}, "notes"}
 * scenario  outcome, band50, band80, band95, plan_met, landing  spend ...  as of forecast, with the spend
 *             of the weeks ahead as planned; spend: 'plan', 'now' or the name of a file
 * scenario  spend              channel    week      money a week that is planned
 * scenario  more               spend      FROM..UNTIL  money more than with spend as now   more > 0
 * anomaly   outcome            measure    week      actual - expected             two-sided tail
 *             diagnostics: {"anomalies": [{"week", "actual", "expected", "p", "reason"}]}
 * segment   size, revenue      segment              customers; money so far
 * segment   churn, next_purchase segment            share that has left; days (median)
 * segment   repeats, weeks_since segment            means
 * segment   lifetime_value, purchases segment       of a customer in the next year, discounted
 * segment   product, channel   segment    thing     its share in the group over its share in all (top three)
 * segment   voice              segment    aspect    sentiment (-1..1) of the reviews of what it buys; n: reviews
 * segment   says               segment    topic     how often its own reviews speak of it, over how often all do
 * segment   answers            segment    channel   orders of the messages it got, over what as many bring
 *             with everybody; n: orders. says and answers: top three, drawn towards 1 where they rest on few
 * experiment effect             experiment arm       in the metric's unit          arm is the best
 *             arm: 'ARM:METRIC' for metrics besides the experiment's own; '' for tests without arms (effect > 0)
 * experiment relative_effect, expected_loss  experiment  arm  share of the control's mean; in the metric's unit
 * experiment next_value        channel    'N weeks' money a week that knowing its return would be worth; n: weeks
 * experiment next_change       channel    'N weeks' share by which to change its spend (+ or -) for the test
 * experiment next_width_now, next_width  channel  'N weeks'  width of the 90 % interval of its return, before and after
 * experiment next_by_places     channel    'N weeks' 1: change its spend in the treated places alone; 0: everywhere
 * experiment next_geo           geo        'treat', 'control', 'left out'  share of sales; n: its pair
 * experiment next_error         ''         'N weeks' error of a test by places, share of the treated ones' sales
 *             probability: share of past windows without a test that it would have called an effect; n: windows
 * experiment next_narrowing    channel    'N weeks' share by which the interval of its return would narrow
 * attribution first_touch, last_touch, shapley, markov  channel   conversions credited to it by journeys
 * attribution ..._value         channel              the same in money, when the journeys have it
 * attribution removal_effect    channel              share of conversions lost without it
 * attribution mix_share         channel              its share of the channels' contribution by the newest fit
 * sentiment lead               ''                   weeks by which sentiment leads sales, < 0: follows; 1 - p
 *             p: of a permutation test over all lags; n: weeks with both
 * sentiment correlation        ''         '' or K    of sentiment with sales K weeks later, '': at the lead; n: pairs
 *             of what trend, season, media, events and controls leave, prewhitened; '': probability is 1 - p
 */
#ifndef BW_ANALYZE_STORE_H
#define BW_ANALYZE_STORE_H

#include "common/sqlite.h"
#include "analyze/summary.h"
#include "common/status.h"

#include <stdint.h>

typedef struct {
    const char *kind, *engine, *preset; /* preset may be NULL */
    int64_t seed;
    const char *input;                 /* fingerprint, see bw_db_fingerprint */
    const char *options, *diagnostics; /* JSON objects, NULL = {} */
    const char *health;                /* NULL, "good", "fair", "poor" */
    const char *first_day, *last_day;  /* of the data used */
} bw_run_info;

/* NAN in a field is stored as NULL. */
typedef struct {
    const char *name, *subject, *at, *unit; /* NULL = '' */
    double mean, sd, lo, hi, lo50, hi50, probability, n;
} bw_estimate;

/* All fields NAN, texts as given. */
bw_estimate bw_estimate_named(const char *name, const char *subject, const char *at,
                              const char *unit);
/* Takes mean, sd and both intervals of a summary; probability and n stay. */
void bw_estimate_take(bw_estimate *e, const bw_summary *s);

/* The newest run of that kind with that input and options, or 0: then there is nothing to do. */
int64_t bw_run_find(sqlite3 *db, const char *kind, const char *input, const char *options);

/* Inserts a run and gives its id. Call within a transaction (bw_db_begin .. bw_db_end) that holds the
 * run and everything it stores; older runs of the kind beyond the newest 20 are deleted. */
bw_status bw_run_begin(sqlite3 *db, const bw_run_info *info, int64_t *run, bw_err *err);
bw_status bw_estimate_put(sqlite3 *db, int64_t run, const bw_estimate *e, bw_err *err);
bw_status bw_draw_put(sqlite3 *db, int64_t run, const char *name, const char *subject,
                      const double *draws, size_t n, bw_err *err);
bw_status bw_curve_put(sqlite3 *db, int64_t run, const char *name, const char *subject, double x,
                       double mean, double lo, double hi, bool seen, bw_err *err);

/* mean, sd, 5/25/75/95 % quantiles of n draws (sorted in place) into e. */
void bw_estimate_from_draws(bw_estimate *e, double *draws, size_t n);

#endif
