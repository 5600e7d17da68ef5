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

static void one_channel(bw_demo_options *o) {
    o->channels = 1;
}
static void thirty_channels(bw_demo_options *o) {
    o->channels = 30;
}
static void long_names(bw_demo_options *o) {
    o->long_names = true;
}
static void closed_weeks(bw_demo_options *o) {
    o->closed_weeks = true;
}
static void reviews_only(bw_demo_options *o) {
    o->no_spend = o->no_outcome = true;
}
static void spend_only(bw_demo_options *o) {
    o->no_outcome = true, o->reviews = o->messages = 0;
}
static void losses(bw_demo_options *o) {
    o->roas = 0.22;
}
static void unhappy(bw_demo_options *o) {
    o->unhappy = true;
}
static void three_weeks(bw_demo_options *o) {
    o->weeks = 3;
    o->reviews = 120;
    o->messages = 45;
    o->customers = 300;
}
static void yen(bw_demo_options *o) {
    o->currency = "JPY", o->money = 165;
}
static void chinese(bw_demo_options *o) {
    o->chinese = true, o->currency = "CNY", o->money = 7.8;
}
static void confounded(bw_demo_options *o) {
    o->confounding = 1.2;
}
static void no_reviews(bw_demo_options *o) {
    o->reviews = 0;
}
static void no_messages(bw_demo_options *o) {
    o->messages = 0;
}
static void one_year(bw_demo_options *o) {
    o->weeks = 52, o->reviews = 2100, o->messages = 760, o->customers = 3000;
}
static void towns(bw_demo_options *o) {
    o->geos = true;
}

static const struct shape {
    const char *name, *about;
    void (*set)(bw_demo_options *);
} SHAPES[] = {
    {"one-channel", "a single channel", one_channel},
    {"thirty-channels", "thirty channels, most of them small", thirty_channels},
    {"long-names", "names of channels and products far too long", long_names},
    {"closed-weeks", "weeks without a single sale", closed_weeks},
    {"reviews-only", "reviews and nothing else", reviews_only},
    {"spend-only", "spend and nothing else", spend_only},
    {"losses", "no channel earns what it costs", losses},
    {"unhappy", "most reviews are complaints", unhappy},
    {"three-weeks", "three weeks of data", three_weeks},
    {"yen", "another currency, without decimals", yen},
    {"chinese", "every name and text in Chinese", chinese},
    {"confounded", "all spend follows demand", confounded},
    {"no-reviews", "no reviews", no_reviews},
    {"no-messages", "no campaign messages", no_messages},
    {"one-year", "a single year", one_year},
    {"towns", "twelve towns in four regions", towns},
};
#define N_SHAPES (sizeof SHAPES / sizeof *SHAPES)

const char *bw_demo_shape_name(size_t i, const char **about) {
    if (i >= N_SHAPES)
        return NULL;
    if (about)
        *about = SHAPES[i].about;
    return SHAPES[i].name;
}

bw_status bw_demo_shape(const char *name, uint64_t seed, bw_demo_options *out, bw_err *err) {
    *out = bw_demo_default(seed);
    char known[512] = "";
    for (size_t i = 0; i < N_SHAPES; i++) {
        if (strcmp(SHAPES[i].name, name) == 0) {
            SHAPES[i].set(out);
            return BW_OK;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", SHAPES[i].name);
    }
    return bw_fail(err, BW_EUSAGE, "there is no shape '%s'; there are: %s", name, known);
}
