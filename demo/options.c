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
}

bw_status bw_demo_shape(const char *name, uint64_t seed, bw_demo_options *out, bw_err *err) {
    *out = bw_demo_default(seed);
    char known[512] = "";
    for (size_t i = 0; i < N_SHAPES; i++) {
        if (strcmp(SHAPES[i].name, name) == 0) {
            take_odd(out, &SHAPES[i].odd);
            return BW_OK;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", SHAPES[i].name);
    }
    return bw_fail(err, BW_EUSAGE, "there is no shape '%s'; there are: %s", name, known);
}
