/* demo/demo.h - a simulated shop with known truth: what the front doors and the tests use of this room.
 *
 * The shop is made day by day from stated rules, written into the same tables an import fills, and
 * the rules' numbers go into table demo_truth, so that every estimate can be held against the truth.
 * No clock is read: the last day is always Sunday, 2026-11-15, and equal options give equal rows.
 *
 * How a day's money comes about (money in the shop's currency):
 *   expected revenue = (baseline x holiday x sentiment x competitor + sum of the channels) x mix
 *   channel          = top / 7 x tanh(7 a / (2 scale)),  a = adstock of its daily spend
 *   a[t]             = (1 - r) x[t] + r a[t - 1],  r = 0.5 ^ (1 / (7 half_life)), a before day one = 0
 *   mix              = sum over products of share x (price / first price)^(1 + elasticity)
 *                      x promotion lift x (1 - discount)
 * Sold units are Poisson around that, after a lognormal shock of the day and of the week.
 *
 * demo_truth: name, subject, at, value
 *   spend, contribution     channel            money over the whole period
 *   roas                    channel            contribution / spend
 *   marginal_roas           channel            money per unit of money, spend 1 % higher every day
 *   marginal_roas_now       channel            the same in a steady state at the last four weeks' spend
 *   half_life               channel            weeks
 *   adstock                 channel            geometric rate from one week to the next
 *   top, scale              channel            money a week; spend a week (lambda = 1 / scale)
 *   follows_demand          channel            exponent by which its spend follows demand (confounding)
 *   decomposition           part      week     expected money: a channel's name, or _baseline, _holiday,
 *                                              _sentiment, _competitor, _price, _promotion
 *   expected                ''        week     their sum
 *   elasticity              product            per cent of units per per cent of price
 *   cross_elasticity        competitor_price   per cent of base demand per per cent of the index
 *   promotion_uplift        event     day      money over the promotion (day: its first)
 *   promotion_dip           event     day      money in the fourteen days after it (negative)
 *   holiday_uplift          event     day      money around the holiday
 *   timing                  channel   D-HH     orders per delivered message, 1 = mean of the slots used
 *   timing_gain             channel            best slot's index - 1
 *   content                 feature            relative lift of the order rate, 0.1 = +10 %
 *   fatigue                 channel            relative loss when the same audience heard from us a day ago
 *   spacing                 channel            days after which half of that loss is gone
 *   sentiment               ''        week     mean tone meant: share positive - share negative
 *   sentiment_cost          ''                 money a week lost per 0.1 of sentiment
 *   sentiment_lead          ''                 weeks from sentiment to sales
 *   experiment              id                 true effect in the metric's unit
 *   customer_r, customer_alpha (weeks), customer_a, customer_b     BG/NBD of the purchase table
 *   customer_share          ''                 purchases / orders: the table is a sample of customers
 *   aspect_mentions         aspect             reviews that speak of it */
#ifndef BW_DEMO_H
#define BW_DEMO_H

#include "common/command.h"
#include "common/sqlite.h"

#include <stdbool.h>
#include <stdint.h>

extern const bw_command BW_DEMO_COMMANDS[];

/* What the shop is like. Start from bw_demo_default or bw_demo_shape. */
typedef struct {
    uint64_t seed;
    int weeks;    /* 1..BW_DEMO_MAX_WEEKS, ending on the fixed last day */
    int channels; /* 1..BW_DEMO_MAX_CHANNELS */
    int reviews, messages, customers;
    bool geos;          /* 12 towns in 4 regions, named region/town */
    bool no_outcome;    /* no sales: no outcome, purchases, experiments */
    bool no_spend;      /* no spend and no messages */
    bool long_names;    /* names as long as a careless export makes them */
    bool chinese;       /* every name and text in Chinese, currency CNY */
    bool closed_weeks;  /* some weeks without a single sale */
    bool unhappy;       /* most reviews are complaints */
    double roas;        /* multiplies every channel's ROAS */
    double confounding; /* added to every channel's follows_demand */
    double money;       /* multiplies every amount of money */
    const char *currency;
    const char *shape; /* its name, NULL for the ordinary shop */
    const char *twist; /* SQL run on the finished rows, NULL for none: what a bad export does */
} bw_demo_options;

#define BW_DEMO_MAX_WEEKS    156
#define BW_DEMO_MAX_CHANNELS 30

bw_demo_options bw_demo_default(uint64_t seed);

/* An odd shop by name ("one-channel", "three-weeks", ...); BW_EUSAGE names the ones there are. */
bw_status bw_demo_shape(const char *name, uint64_t seed, bw_demo_options *out, bw_err *err);
/* The i-th name and what is odd about it (may be NULL); NULL past the last. */
const char *bw_demo_shape_name(size_t i, const char **about);

/* The same shop with fewer weeks, texts and customers: for tests. */
void bw_demo_shrink(bw_demo_options *o);

/* Writes the shop into an open, empty database in one transaction. A database that already holds
 * data is refused and left as it was. */
bw_status bw_demo_fill(sqlite3 *db, const bw_demo_options *options, bw_err *err);

/* Whether the database holds exactly this shop already. */
bool bw_demo_holds(sqlite3 *db, const bw_demo_options *options);

/* The simulated shop takes what the ledger proposes for a week (its first day, ISO): budget, timing,
 * content, price and complaint advice is accepted and carried out from the week after on; then spend,
 * messages, reviews, sales and their truth are written anew, in one transaction. What was known at
 * the end of that week does not change. *taken: how many it took; a test is nothing it can take. */
bw_status bw_demo_follow(sqlite3 *db, const bw_demo_options *options, const char *week, int *taken,
                         bw_err *err);

#endif
