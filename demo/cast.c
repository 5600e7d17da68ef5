/* demo/cast.c - who is in the shop: channels with their true effects, products, towns.
 *
 * The seven channels are chosen so that a strategy has something to find: paid social is past its
 * saturation, short video and e-mail have room, out-of-home loses money. */
#include "demo/shop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Money a week, ROAS, half-life in weeks, fullness, exponent of demand in the spend. */
static const struct cast {
    const char *name, *en, *zh;
    enum pattern pattern;
    double budget, roas, half_life, fullness, follows;
} CAST[] = {
    {"search", "Search", "搜索广告", FOLLOWS, 16000, 3.4, 0.30, 1.5, 0.3},
    {"paid_social", "Paid social", "社交媒体广告", STEPS, 13000, 2.1, 0.70, 2.9, 0.1},
    {"short_video", "Short video", "短视频", TRIALS, 7000, 4.2, 0.90, 0.8, 0.0},
    {"email", "E-mail", "电子邮件", STEADY, 2400, 5.6, 0.35, 0.7, 0.1},
    {"affiliates", "Affiliates", "联盟推广", WANDERS, 6500, 2.8, 0.45, 1.2, 0.1},
    {"influencers", "Influencers", "达人合作", BURSTS, 6000, 1.7, 1.20, 1.0, 0.0},
    {"out_of_home", "Out-of-home", "户外广告", FLIGHTS, 8000, 0.8, 2.50, 1.3, 0.0},
};
#define N_CAST ((int)(sizeof CAST / sizeof *CAST))

#define LONG_TAIL \
    "_q4_2025_prospecting_lookalike_3pct_women_25_54_optimised_for_conversions_v2_final_FINAL"

static void name_channel(struct channel *c, const struct shop *s, int i) {
    const struct cast *k = &CAST[i % N_CAST];
    char more[24] = "";
    if (i >= N_CAST)
        snprintf(more, sizeof more, "_%02d", i + 1);
    snprintf(c->name, sizeof c->name, "%s%s%s", s->o.chinese ? k->zh : k->name,
             s->o.long_names ? LONG_TAIL : "", more);
    if (s->o.long_names)
        return;
    snprintf(c->label_en, sizeof c->label_en, "%s%s%s", k->en, i >= N_CAST ? " " : "",
             i >= N_CAST ? more + 1 : "");
    snprintf(c->label_zh, sizeof c->label_zh, "%s%s", k->zh, i >= N_CAST ? more + 1 : "");
}

/* Many channels share the budget that seven would have: a channel's own shrinks with their number. */
static void cast_channels(struct shop *s) {
    s->n_channels = s->o.channels;
    double shrink = s->n_channels > N_CAST ? (double)N_CAST / s->n_channels : 1;
    for (int i = 0; i < s->n_channels; i++) {
        struct channel *c = &s->channel[i];
        const struct cast *k = &CAST[i % N_CAST];
        name_channel(c, s, i);
        c->pattern = k->pattern;
        c->budget = k->budget * shrink * s->o.money;
        c->target = k->roas * s->o.roas * (1 + 0.1 * (i / N_CAST) * (i % 2 ? -1 : 1));
        c->half_life = k->half_life;
        c->fullness = k->fullness;
        c->follows = k->follows + s->o.confounding;
    }
}

static const struct {
    const char *en, *zh;
    double price, share, elasticity, season, peak_month;
} PRODUCTS[N_PRODUCTS] = {
    {"Rain jacket", "冲锋衣", 129, 0.26, -1.9, 0.35, 10.0},
    {"Trail shoes", "越野跑鞋", 109, 0.24, -1.6, 0.15, 5.0},
    {"Daypack", "双肩包", 79, 0.18, -2.2, 0.20, 8.0},
    {"Merino shirt", "美利奴T恤", 59, 0.14, -1.4, 0.10, 4.0},
    {"Headlamp", "头灯", 45, 0.10, -1.7, 0.30, 12.0},
    {"Insulated bottle", "保温杯", 29, 0.08, -1.3, 0.15, 7.0},
};

static void cast_products(struct shop *s) {
    for (int p = 0; p < N_PRODUCTS; p++) {
        struct product *x = &s->product[p];
        snprintf(x->name, sizeof x->name, "%s%s", s->o.chinese ? PRODUCTS[p].zh : PRODUCTS[p].en,
                 s->o.long_names ? " (recycled, unisex, limited edition, ships in a cardboard box)"
                                 : "");
        x->price = PRODUCTS[p].price * s->o.money;
        x->share = PRODUCTS[p].share;
        x->elasticity = PRODUCTS[p].elasticity;
        x->season = PRODUCTS[p].season;
        x->peak_month = PRODUCTS[p].peak_month;
    }
}

static const struct {
    const char *name;
    double population;
} TOWNS[MAX_GEOS] = {
    {"north/Ashby", 610e3},     {"north/Brackwater", 240e3}, {"north/Colne", 150e3},
    {"east/Dunmere", 820e3},    {"east/Elswick", 310e3},     {"east/Farrow", 120e3},
    {"south/Garston", 1450e3},  {"south/Hollin", 420e3},     {"south/Inver", 180e3},
    {"west/Jarrow Bay", 560e3}, {"west/Kelford", 270e3},     {"west/Lund", 90e3},
};

static void cast_geos(struct shop *s) {
    s->n_geos = s->o.geos ? MAX_GEOS : 1;
    double total = 0;
    for (int g = 0; g < s->n_geos; g++)
        total += TOWNS[g].population;
    for (int g = 0; g < s->n_geos; g++) {
        snprintf(s->geo[g].name, sizeof s->geo[g].name, "%s", s->o.geos ? TOWNS[g].name : "");
        s->geo[g].population = TOWNS[g].population;
        s->geo[g].share = TOWNS[g].population / total;
    }
}

void shop_cast(struct shop *s) {
    cast_channels(s);
    cast_products(s);
    cast_geos(s);
}
