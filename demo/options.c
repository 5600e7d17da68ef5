/* demo/options.c - the ordinary shop, and the odd ones that reports are tested on. */
#include "demo/demo.h"

#include <stdio.h>
#include <string.h>

bw_demo_options bw_demo_default(uint64_t seed) {
    return (bw_demo_options){.seed = seed,
                             .weeks = BW_DEMO_MAX_WEEKS,
                             .channels = 7,
                             .reviews = 6400,
                             .messages = 2300,
                             .customers = 9000,
                             .roas = 1,
                             .money = 1,
                             .currency = "EUR"};
}

/* Renames the rows of a column so that whoever fails to quote or to escape is found out. */
#define HOSTILE(table, column)                                                                     \
    "UPDATE " table " SET " column " = '<b>' || " column " || '</b> \\ `x` \"q\" _{A}^b #\xf0\x9f" \
    "\x98\x80';"

#define NONE (-1) /* of a count that is otherwise taken from the ordinary shop */

/* A field that is 0 is as in the ordinary shop. */
static const struct shape {
    const char *name, *about;
    bw_demo_options odd;
} SHAPES[] = {
    {"one-channel", "a single channel", {.channels = 1}},
    {"thirty-channels", "thirty channels, most of them small", {.channels = 30}},
    {"long-names", "names of channels and products far too long", {.long_names = true}},
    {"closed-weeks", "weeks without a single sale", {.closed_weeks = true}},
    {"reviews-only", "reviews and nothing else", {.no_spend = true, .no_outcome = true}},
    {"spend-only",
     "spend and nothing else",
     {.no_outcome = true, .reviews = NONE, .messages = NONE}},
    {"losses", "no channel earns what it costs", {.roas = 0.22}},
    {"unhappy", "most reviews are complaints", {.unhappy = true}},
    {"three-weeks",
     "three weeks of data",
     {.weeks = 3, .reviews = 120, .messages = 45, .customers = 300}},
    {"yen", "another currency, without decimals", {.currency = "JPY", .money = 165}},
    {"chinese",
     "every name and text in Chinese",
     {.chinese = true, .currency = "CNY", .money = 7.8}},
    {"confounded", "all spend follows demand", {.confounding = 1.2}},
    {"no-reviews", "no reviews", {.reviews = NONE}},
    {"no-messages", "no campaign messages", {.messages = NONE}},
    {"one-year",
     "a single year",
     {.weeks = 52, .reviews = 2100, .messages = 760, .customers = 3000}},
    {"towns", "twelve towns in four regions", {.geos = true}},
    {"one-week", "a single week", {.weeks = 1, .reviews = 40, .messages = 15, .customers = 100}},
    {"half-year", "half a year", {.weeks = 26, .reviews = 900, .messages = 380, .customers = 1400}},
    {"huge", "amounts with twelve digits", {.currency = "IDR", .money = 5e6}},
    {"tiny", "a shop that earns next to nothing", {.currency = "USD", .money = 2e-3}},
    {"one-product",
     "a single product",
     {.twist = "DELETE FROM outcome WHERE product <> (SELECT min(product) FROM outcome);"}},
    {"no-prices",
     "sales without prices, units and discounts",
     {.twist = "UPDATE outcome SET price = NULL, units = NULL, discount = NULL;"}},
    {"orders",
     "orders count, no revenue is known",
     {.twist =
          "UPDATE outcome SET revenue = NULL, price = NULL; DELETE FROM setting WHERE key LIKE "
          "'plan.%'; UPDATE setting SET value = 'orders' WHERE key = 'outcome_kind';"}},
    {"units",
     "units count, neither orders nor revenue",
     {.twist = "UPDATE outcome SET revenue = NULL, orders = NULL; DELETE FROM setting WHERE key "
               "LIKE 'plan.%'; UPDATE setting SET value = 'units' WHERE key = 'outcome_kind';"}},
    {"weekly",
     "one row a week",
     {.twist =
          "CREATE TEMP TABLE w AS SELECT date(day, '-6 days', 'weekday 1') AS m, geo, product, "
          "sum(revenue) AS r, sum(orders) AS o, sum(units) AS u, avg(price) AS p FROM outcome "
          "GROUP BY 1, 2, 3; DELETE FROM outcome; INSERT INTO outcome SELECT m, geo, product, "
          "r, o, u, p, NULL FROM w; DROP TABLE w; CREATE TEMP TABLE w AS SELECT date(day, "
          "'-6 days', 'weekday 1') AS m, channel, sum(cost) AS c FROM spend GROUP BY 1, 2; "
          "DELETE FROM spend; INSERT INTO spend (day, channel, cost) SELECT m, channel, c FROM "
          "w; DROP TABLE w;"}},
    {"gaps",
     "days and whole weeks are missing",
     {.twist =
          "DELETE FROM outcome WHERE julianday(day) % 91 < 9 OR julianday(day) % 17 < 1; DELETE "
          "FROM spend WHERE julianday(day) % 113 < 11; DELETE FROM review WHERE julianday(day) "
          "% 70 < 30;"}},
    {"broken-off",
     "the last week ends on Wednesday",
     {.twist = "DELETE FROM outcome WHERE day > '2026-11-11'; DELETE FROM spend WHERE day > "
               "'2026-11-11'; DELETE FROM review WHERE day > '2026-11-11';"}},
    {"one-customer",
     "all purchases by one customer",
     {.twist = "UPDATE purchase SET customer = 'C';"}},
    {"messages-only",
     "campaign messages and nothing else",
     {.reviews = NONE,
      .twist = "DELETE FROM spend; DELETE FROM outcome; DELETE FROM purchase; DELETE FROM event; "
               "DELETE FROM context; DELETE FROM experiment; DELETE FROM experiment_arm; DELETE "
               "FROM setting WHERE key LIKE 'plan.%';"}},
    {"stars-only", "reviews with stars and no text", {.twist = "UPDATE review SET text = '';"}},
    {"one-review",
     "a single review",
     {.twist = "DELETE FROM review WHERE id <> (SELECT max(id) FROM review);"}},
    {"old-reviews",
     "no review for a year",
     {.twist = "DELETE FROM review WHERE day > '2025-11-01';"}},
    {"record-high",
     "the best week of all time",
     {.twist = "UPDATE outcome SET revenue = 3 * revenue, orders = 3 * orders, units = 3 * units "
               "WHERE day > '2026-11-08';"}},
    {"record-low",
     "the worst week of all time",
     {.twist = "UPDATE outcome SET revenue = 0.2 * revenue, orders = 0.2 * orders, units = 0.2 * "
               "units WHERE day > '2026-11-08';"}},
    {"refunds",
     "days on which more is paid back than sold",
     {.twist = "UPDATE outcome SET revenue = -0.4 * revenue WHERE julianday(day) % 29 < 2;"}},
    {"flat",
     "the same sales and the same spend every day",
     {.twist =
          "UPDATE outcome SET revenue = 1000, orders = 10, units = 12, price = 100, discount = "
          "0; UPDATE spend SET cost = 100;"}},
    {"stopped",
     "no money spent for two months",
     {.twist = "DELETE FROM spend WHERE day > '2026-09-13';"}},
    {"new-channel",
     "a channel that began last week",
     {.twist =
          "INSERT INTO channel VALUES ('podcast', 'paid', NULL, NULL); INSERT INTO spend (day, "
          "channel, cost) SELECT DISTINCT day, 'podcast', 700 FROM spend WHERE day > "
          "'2026-11-08';"}},
    {"no-calendar",
     "neither events nor context",
     {.twist = "DELETE FROM event; DELETE FROM context;"}},
    {"hostile",
     "names full of markup, quotes, emoji and directions of writing",
     {.twist = HOSTILE("channel", "name") HOSTILE("spend", "channel") HOSTILE(
          "message",
          "channel") "UPDATE channel SET label_en = NULL, label_zh = NULL; UPDATE purchase SET "
                     "channel = NULL; "
                     "UPDATE outcome SET product = product || ' <script>alert(1)</script> `id` "
                     "\"$(id)\"'; "
                     "UPDATE event SET name = name || ' \xe2\x80\xae{OUTCOME} & <b>'; UPDATE "
                     "setting SET value "
                     "= '<i>Larkfield</i> & S\xc3\xb6hne' WHERE key = 'shop'; UPDATE review SET "
                     "source = "
                     "'<img src=x>', text = '<b>' || text || ' \xf0\x9f\x98\xa1 {gain} %s';"}},
};
#define N_SHAPES (sizeof SHAPES / sizeof *SHAPES)

const char *bw_demo_shape_name(size_t i, const char **about) {
    if (i >= N_SHAPES)
        return NULL;
    if (about)
        *about = SHAPES[i].about;
    return SHAPES[i].name;
}

static void take_count(int *into, int odd) {
    if (odd)
        *into = odd == NONE ? 0 : odd;
}

static void take_odd(bw_demo_options *o, const bw_demo_options *odd) {
    take_count(&o->weeks, odd->weeks);
    take_count(&o->channels, odd->channels);
    take_count(&o->reviews, odd->reviews);
    take_count(&o->messages, odd->messages);
    take_count(&o->customers, odd->customers);
    o->geos = odd->geos;
    o->no_outcome = odd->no_outcome;
    o->no_spend = odd->no_spend;
    o->long_names = odd->long_names;
    o->chinese = odd->chinese;
    o->closed_weeks = odd->closed_weeks;
    o->unhappy = odd->unhappy;
    o->roas = odd->roas > 0 ? odd->roas : o->roas;
    o->money = odd->money > 0 ? odd->money : o->money;
    o->confounding = odd->confounding;
    o->currency = odd->currency ? odd->currency : o->currency;
    o->twist = odd->twist;
}

bw_status bw_demo_shape(const char *name, uint64_t seed, bw_demo_options *out, bw_err *err) {
    *out = bw_demo_default(seed);
    char known[1024] = "";
    for (size_t i = 0; i < N_SHAPES; i++) {
        if (strcmp(SHAPES[i].name, name) == 0) {
            take_odd(out, &SHAPES[i].odd);
            out->shape = SHAPES[i].name;
            return BW_OK;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", SHAPES[i].name);
    }
    return bw_fail(err, BW_EUSAGE, "there is no shape '%s'; there are: %s", name, known);
}

static int at_most(int n, int most) {
    return n < most ? n : most;
}

void bw_demo_shrink(bw_demo_options *o) {
    o->weeks = at_most(o->weeks, 80);
    o->reviews = at_most(o->reviews, 700);
    o->messages = at_most(o->messages, 400);
    o->customers = at_most(o->customers, 600);
}
