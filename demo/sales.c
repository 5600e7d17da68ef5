/* demo/sales.c - the rows of spend, sales, events and context; products, towns and settings. */
#include "demo/shop.h"

#include "sql/db.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY_SHOCK    0.04      /* sd of the log, of a day in a town */
#define WEEK_SHOCK   0.012     /* sd of the log, of a week everywhere */
#define ORDER_SHARE  0.80      /* orders per unit: one order in four holds two things */
#define PLAN_QUARTER 6900000.0 /* money the shop means to earn in its last quarter */
#define MARGIN       "0.45"

static bw_status write_settings(struct shop *s, sqlite3 *db, bw_err *err) {
    const char *settings[][2] = {
        {"currency", s->o.currency}, {"shop", s->o.chinese ? "云雀户外" : "Larkfield Outdoor"},
        {"week_start", "1"},         {"timezone", s->o.chinese ? "Asia/Shanghai" : "Europe/Berlin"},
        {"outcome_kind", "revenue"}, {"margin", MARGIN}};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof settings / sizeof *settings; i++)
        st = bw_db_set(db, settings[i][0], settings[i][1], err);
    char plan[80];
    snprintf(plan, sizeof plan, "%.0f 2026-10-01 2026-12-31", PLAN_QUARTER * s->o.money);
    return st == BW_OK && !s->o.no_outcome ? bw_db_set(db, "plan.revenue", plan, err) : st;
}

static bw_status write_channels(struct shop *s, sqlite3 *db, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(db, "INSERT INTO channel VALUES (?, 'paid', ?, ?)", &q, err);
    for (int i = 0; st == BW_OK && i < s->n_channels; i++) {
        const struct channel *c = &s->channel[i];
        st = row_put(q, err, "sss", c->name, *c->label_en ? c->label_en : NULL,
                     *c->label_zh ? c->label_zh : NULL);
    }
    sqlite3_finalize(q);
    return st;
}

static bw_status write_geos(struct shop *s, sqlite3 *db, bw_err *err) {
    if (s->n_geos == 1)
        return BW_OK;
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(db, "INSERT INTO geo VALUES (?, ?)", &q, err);
    for (int g = 0; st == BW_OK && g < s->n_geos; g++)
        st = row_put(q, err, "sd", s->geo[g].name, s->geo[g].population);
    sqlite3_finalize(q);
    return st;
}

static bw_status write_events(struct shop *s, sqlite3 *db, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(db, "INSERT INTO event VALUES (?, ?, ?, ?)", &q, err);
    for (int i = 0; st == BW_OK && i < s->n_events; i++) {
        char first[11], last[11];
        shop_day_text(s, s->event[i].first, first);
        shop_day_text(s, s->event[i].last, last);
        st = row_put(q, err, "ssss", first, last, s->event[i].name, s->event[i].kind);
    }
    sqlite3_finalize(q);
    return st;
}

static bw_status write_context(struct shop *s, sqlite3 *db, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(db, "INSERT INTO context (day, series, value) VALUES (?, ?, ?)", &q, err);
    for (int d = 0; st == BW_OK && d < s->days; d++) {
        char day[11];
        shop_day_text(s, d, day);
        st = row_put(q, err, "ssd", day, "competitor_price", s->competitor_price[d]);
        if (st == BW_OK)
            st = row_put(q, err, "ssd", day, "market_trend", s->market[d]);
    }
    sqlite3_finalize(q);
    return st;
}

bw_status shop_write_setup(struct shop *s, sqlite3 *db, bw_err *err) {
    bw_status st = write_settings(s, db, err);
    if (s->o.no_spend && s->o.no_outcome)
        return st;
    if (st == BW_OK && !s->o.no_spend)
        st = write_channels(s, db, err);
    if (st == BW_OK)
        st = write_geos(s, db, err);
    if (st == BW_OK && !s->o.no_outcome)
        st = write_events(s, db, err);
    if (st == BW_OK && !s->o.no_outcome)
        st = write_context(s, db, err);
    return st;
}

/* A channel's money is split over campaigns; the first is always on, the others take turns. */
#define N_CAMPAIGNS 4
static const struct {
    const char *suffix, *zh;
    int first_week, last_week; /* of the three years, last excluded */
    double share;
} CAMPAIGNS[N_CAMPAIGNS] = {
    {"always_on", "常驻", 0, BW_DEMO_MAX_WEEKS, 0.55},
    {"launch", "拉新", 0, 60, 0.45},
    {"retarget", "再营销", 60, 118, 0.45},
    {"season", "应季", 118, BW_DEMO_MAX_WEEKS, 0.45},
};

int campaign_on(const struct shop *s, int day) {
    int week = BW_DEMO_MAX_WEEKS - s->weeks + day / 7, k = 1;
    while (k < N_CAMPAIGNS - 1 && week >= CAMPAIGNS[k].last_week)
        k++;
    return k;
}

void campaign_name(const struct shop *s, const struct channel *c, int k, char *out, size_t n) {
    snprintf(out, n, "%.150s%s%s", c->name, s->o.chinese ? "-" : "_",
             s->o.chinese ? CAMPAIGNS[k].zh : CAMPAIGNS[k].suffix);
}

/* Impressions per money (CPM) and clicks per impression are the channel's own, with daily scatter. */
static bw_status put_spend(struct shop *s, const struct channel *c, int d, int g, gsl_rng *r,
                           sqlite3_stmt *q, bw_err *err) {
    char day[11], name[NAME_SIZE + 24];
    shop_day_text(s, d, day);
    int week = BW_DEMO_MAX_WEEKS - s->weeks + d / 7;
    double left = c->spend[g][d];
    bw_status st = BW_OK;
    for (int k = N_CAMPAIGNS - 1; st == BW_OK && k >= 0; k--) {
        if (week < CAMPAIGNS[k].first_week || week >= CAMPAIGNS[k].last_week)
            continue;
        double cost = k ? round(c->spend[g][d] * CAMPAIGNS[k].share * 100) / 100 : left;
        left -= cost;
        cost = round(cost * 100) / 100;
        if (cost <= 0)
            continue;
        double cpm = (c->pattern == FLIGHTS ? 4 : 5 + 2.0 * (double)c->pattern) * s->o.money;
        double seen = round(cost / cpm * 1000 * exp(gsl_ran_gaussian(r, 0.07)));
        double rate = c->pattern == FLIGHTS ? 0 : 0.03 / (1 + (double)c->pattern);
        double clicks =
            c->pattern == FLIGHTS ? NAN : round(seen * rate * exp(gsl_ran_gaussian(r, 0.1)));
        campaign_name(s, c, k, name, sizeof name);
        st = row_put(q, err, "ssssddd", day, c->name, name, s->geo[g].name, cost, seen, clicks);
    }
    return st;
}

static bw_status write_campaigns(struct shop *s, sqlite3 *db, bw_err *err) {
    (void)s;
    return bw_db_exec(db,
                      "INSERT INTO campaign SELECT campaign, min(channel), min(day), max(day) FROM "
                      "spend GROUP BY campaign",
                      err);
}

bw_status shop_write_spend(struct shop *s, sqlite3 *db, bw_err *err) {
    if (s->o.no_spend)
        return BW_OK;
    gsl_rng *r = shop_rng(s, RNG_CAMPAIGN);
    if (!r)
        return bw_fail_memory(err);
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(db,
                      "INSERT INTO spend (day, channel, campaign, geo, cost, impressions, clicks) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?)",
                      &q, err);
    for (int d = 0; st == BW_OK && d < s->days; d++)
        for (int i = 0; st == BW_OK && i < s->n_channels; i++)
            for (int g = 0; st == BW_OK && g < s->n_geos; g++)
                st = put_spend(s, &s->channel[i], d, g, r, q, err);
    sqlite3_finalize(q);
    gsl_rng_free(r);
    return st == BW_OK ? write_campaigns(s, db, err) : st;
}

static bool closed(const struct shop *s, int d) {
    int w = d / 7;
    return s->o.closed_weeks && (w % 37 == 30 || w % 37 == 31);
}

/* One town's day: units of each product are whole, revenue is units x price. */
static bw_status sell(struct shop *s, int d, int g, double shock, gsl_rng *r, sqlite3_stmt *q,
                      bw_err *err) {
    char day[11];
    shop_day_text(s, d, day);
    double money =
        s->baseline[d] * s->holiday[d] * s->sentiment[d] * s->competitor[d] * s->geo[g].share;
    for (int i = 0; i < s->n_channels && !s->o.no_spend; i++)
        money += s->channel[i].earned[g][d];
    shock *= closed(s, d) ? 0 : exp(gsl_ran_gaussian(r, DAY_SHOCK));
    bw_status st = BW_OK;
    for (int p = 0; st == BW_OK && p < N_PRODUCTS; p++) {
        const struct product *x = &s->product[p];
        double mean = money * product_share(s, p, d) * product_price_factor(s, p, d) * s->lift[d] *
                      shock / x->list[d];
        unsigned units = gsl_ran_poisson(r, mean);
        unsigned orders = gsl_ran_binomial(r, ORDER_SHARE, units);
        if (orders == 0 && units > 0)
            orders = 1;
        double revenue = round(units * x->list[d] * (1 - s->discount[d]) * 100) / 100;
        s->orders[d] += orders;
        s->revenue[d] += revenue;
        st = row_put(q, err, "sssddddd", day, s->geo[g].name, x->name, revenue, (double)orders,
                     (double)units, x->list[d], s->discount[d]);
    }
    return st;
}

bw_status shop_write_sales(struct shop *s, sqlite3 *db, bw_err *err) {
    if (s->o.no_outcome)
        return BW_OK;
    gsl_rng *r = shop_rng(s, RNG_SALES);
    if (!r)
        return bw_fail_memory(err);
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(db, "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)", &q, err);
    double week = 1;
    for (int d = 0; st == BW_OK && d < s->days; d++) {
        if (d % 7 == 0)
            week = exp(gsl_ran_gaussian(r, WEEK_SHOCK));
        for (int g = 0; st == BW_OK && g < s->n_geos; g++)
            st = sell(s, d, g, week, r, q, err);
    }
    sqlite3_finalize(q);
    gsl_rng_free(r);
    return st;
}
