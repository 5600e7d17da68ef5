/* demo/market.c - demand before advertising: trend, seasons, holidays, competitor, prices,
 * promotions, and what customers' mood does to sales. */
#include "demo/shop.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#define BASE_WEEK       230000.0 /* money a week without advertising on the first day */
#define TREND_YEAR      0.05     /* growth of the shop's own name, a year */
#define MARKET_POWER    0.6      /* baseline per market index */
#define TONE_USUAL      0.56     /* share positive - share negative in an ordinary week */
#define COURIER_DROP    0.62     /* of tone, while the new courier drives and a week longer */
#define COURIER_WEEKS   5
#define PROMOTION_POWER 2.7  /* a discount d lifts units by d x this */
#define DIP_SHARE       0.20 /* of the extra units were bought ahead */
#define DIP_DAYS        14

/* Monday .. Sunday, mean 1. */
static const double WEEKDAY[7] = {1.04, 0.97, 0.95, 0.98, 0.96, 0.99, 1.11};

static double season(const struct shop *s, int day) {
    double t = 2 * M_PI * shop_year_part(s, day);
    return 1 + 0.10 * cos(t - 2 * M_PI * 0.93) + 0.05 * cos(2 * t - 2 * M_PI * 0.80);
}

/* Rises over the lead days, holds while it lasts, fades over the tail. */
static double holiday_at(const struct event *e, int day) {
    if (day < e->first)
        return e->first - day > e->lead ? 0 : e->size * (1 - (e->first - day) / (e->lead + 1.0));
    return day <= e->last            ? e->size
           : day - e->last > e->tail ? 0
                                     : e->size * (1 - (day - e->last) / (e->tail + 1.0));
}

/* After Christmas Eve nobody needs a present: the peak belongs to the days before. */
static void fill_holidays(struct shop *s) {
    for (int d = 0; d < s->days; d++) {
        double size = 0;
        for (int e = 0; e < s->n_events; e++)
            if (s->event[e].size > 0)
                size = fmax(size, holiday_at(&s->event[e], d));
        s->holiday[d] = 1 + size;
    }
}

/* Weekly random walks around a path; days between are joined by straight lines. */
static void fill_context(struct shop *s, gsl_rng *r) {
    double drift = 0, wander = 0;
    int cut = shop_day(s, 2025, 9, 15), cut_end = cut + 42;
    for (int d = 0; d < s->days; d++) {
        if (d % 7 == 0) {
            drift = 0.9 * drift + gsl_ran_gaussian(r, 1.1);
            wander = 0.85 * wander + gsl_ran_gaussian(r, 0.9);
        }
        s->competitor_price[d] =
            100 + 2 * sin(d / 97.0) + drift - (d >= cut && d < cut_end ? 9 : 0);
        s->market[d] = 100 + 14.0 * d / MAX_DAYS + 2.5 * sin(d / 140.0) + wander;
        s->competitor_price[d] = round(s->competitor_price[d] * 100) / 100;
        s->market[d] = round(s->market[d] * 100) / 100;
    }
}

static void fill_tone(struct shop *s, gsl_rng *r) {
    int courier = shop_day(s, 2026, 6, 8) / 7, zip = shop_day(s, 2026, 10, 5) / 7;
    double wander = 0;
    for (int w = 0; w < s->weeks; w++) {
        wander = 0.75 * wander + gsl_ran_gaussian(r, 0.035);
        double tone = TONE_USUAL + wander - (s->o.unhappy ? 0.95 : 0);
        int since = w - courier;
        if (since >= 0 && since < COURIER_WEEKS)
            tone -= COURIER_DROP;
        else if (since >= COURIER_WEEKS && since < 12)
            tone -= COURIER_DROP * pow(0.6, since - COURIER_WEEKS + 1);
        if (w >= zip + 1)
            tone -= 0.06;
        s->tone[w] = fmin(fmax(tone, -0.75), 0.85);
    }
}

static void fill_baseline(struct shop *s) {
    for (int d = 0; d < s->days; d++) {
        double level = BASE_WEEK / 7 * s->o.money * (1 + TREND_YEAR * d / 365.25);
        s->baseline[d] =
            level * season(s, d) * WEEKDAY[d % 7] * pow(s->market[d] / 100, MARKET_POWER);
        int w = d / 7 - TONE_LEAD;
        double usual = s->o.unhappy ? TONE_USUAL - 0.95 : TONE_USUAL;
        s->sentiment[d] = w < 0 ? 1 : exp(TONE_POWER * (s->tone[w] - usual));
        s->competitor[d] = pow(s->competitor_price[d] / 100, CROSS_ELASTICITY);
    }
}

/* Price moves as share of the first price; each product is tried at a few prices. */
static const struct {
    int product, year, month, mday;
    double price; /* as a factor of the first price, from that day on */
} MOVES[] = {
    {0, 2024, 8, 5, 0.96},      {0, 2024, 10, 28, 1.00},       {0, 2026, 2, 2, 139.0 / 129},
    {0, 2026, 8, 31, 1.00},     {0, 2026, 10, 5, 139.0 / 129}, {1, 2024, 2, 12, 1.06},
    {1, 2024, 6, 3, 1.00},      {1, 2025, 2, 17, 0.93},        {1, 2025, 4, 28, 1.00},
    {1, 2026, 4, 13, 1.05},     {2, 2024, 4, 22, 0.92},        {2, 2024, 6, 17, 1.00},
    {2, 2025, 5, 5, 87.0 / 79}, {2, 2026, 5, 4, 83.0 / 79},    {3, 2024, 5, 27, 1.08},
    {3, 2024, 9, 30, 1.00},     {3, 2025, 8, 18, 0.90},        {3, 2025, 11, 3, 1.00},
    {3, 2026, 6, 1, 1.05},      {4, 2024, 10, 14, 0.89},       {4, 2025, 1, 27, 1.00},
    {4, 2025, 9, 1, 1.11},      {4, 2026, 3, 2, 1.00},         {5, 2024, 7, 1, 0.90},
    {5, 2024, 9, 2, 1.00},      {5, 2025, 6, 2, 1.10},         {5, 2026, 1, 19, 1.00},
};

static void fill_prices(struct shop *s) {
    double unit = s->o.money >= 100 ? 10 : 0.1; /* what a price label is rounded to */
    for (int p = 0; p < N_PRODUCTS; p++)
        for (int d = 0; d < s->days; d++)
            s->product[p].list[d] = round(s->product[p].price / unit) * unit;
    for (size_t i = 0; i < sizeof MOVES / sizeof *MOVES; i++) {
        struct product *x = &s->product[MOVES[i].product];
        int from = shop_day(s, MOVES[i].year, MOVES[i].month, MOVES[i].mday);
        for (int d = from < 0 ? 0 : from; d < s->days; d++)
            x->list[d] = round(x->price * MOVES[i].price / unit) * unit;
    }
}

/* Lift on units while a promotion runs, and the dip after it: some only bought earlier. */
static void fill_promotions(struct shop *s) {
    for (int d = 0; d < s->days; d++)
        s->lift[d] = 1;
    for (int i = 0; i < s->n_events; i++) {
        const struct event *e = &s->event[i];
        if (e->discount <= 0)
            continue;
        double extra = PROMOTION_POWER * e->discount;
        double lasts = e->last - e->first + 1;
        double dip = DIP_SHARE * extra * lasts / DIP_DAYS;
        for (int d = e->first < 0 ? 0 : e->first; d < s->days && d <= e->last + DIP_DAYS; d++) {
            if (d <= e->last)
                s->discount[d] = e->discount, s->lift[d] *= 1 + extra;
            else /* fades to nothing; the factor 2 keeps its sum */
                s->lift[d] *= 1 - fmin(2 * dip * (1 - (d - e->last - 0.5) / DIP_DAYS), 0.6);
        }
    }
}

double product_share(const struct shop *s, int p, int day) {
    double total = 0, own = 0;
    for (int i = 0; i < N_PRODUCTS; i++) {
        const struct product *x = &s->product[i];
        double v =
            x->share *
            (1 + x->season * cos(2 * M_PI * (shop_year_part(s, day) - (x->peak_month - 0.5) / 12)));
        total += v;
        if (i == p)
            own = v;
    }
    return own / total;
}

/* Factor on a product's revenue from its list price, promotions apart. */
double product_price_factor(const struct shop *s, int p, int day) {
    const struct product *x = &s->product[p];
    return pow(x->list[day] / x->list[0], 1 + x->elasticity);
}

void shop_mix(struct shop *s) {
    for (int d = 0; d < s->days; d++) {
        s->mix_price[d] = 0;
        for (int p = 0; p < N_PRODUCTS; p++)
            s->mix_price[d] += product_share(s, p, d) * product_price_factor(s, p, d);
        s->mix[d] = s->mix_price[d] * s->lift[d] * (1 - s->discount[d]);
    }
}

bw_status shop_market(struct shop *s) {
    gsl_rng *r = shop_rng(s, RNG_MARKET);
    if (!r)
        return BW_ENOMEM;
    fill_holidays(s);
    fill_context(s, r);
    fill_tone(s, r);
    fill_baseline(s);
    fill_prices(s);
    fill_promotions(s);
    shop_mix(s);
    gsl_rng_free(r);
    return BW_OK;
}
