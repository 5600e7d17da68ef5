/* demo/truth.c - the numbers the shop was made with, as rows of demo_truth. */
#include "demo/shop.h"

#include "sql/db.h"

#include <math.h>
#include <stdlib.h>

bw_status truth_put(sqlite3 *db, const char *name, const char *subject, const char *at,
                    double value, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st =
        bw_db_prepare(db, "INSERT OR REPLACE INTO demo_truth VALUES (?, ?, ?, ?)", &q, err);
    if (st == BW_OK)
        st = row_put(q, err, "sssd", name, subject ? subject : "", at ? at : "", value);
    sqlite3_finalize(q);
    return st;
}

static bw_status channel_truth(struct shop *s, struct channel *scratch, sqlite3 *db, bw_err *err) {
    bw_status st = BW_OK;
    for (int i = 0; st == BW_OK && i < s->n_channels; i++) {
        const struct channel *c = &s->channel[i];
        double spent = channel_spent(s, c), earned = channel_earned(s, c, 0, s->days - 1);
        const struct {
            const char *name;
            double value;
        } rows[] = {{"spend", spent},
                    {"contribution", earned},
                    {"roas", spent > 0 ? earned / spent : 0},
                    {"marginal_roas", channel_marginal(s, c, scratch)},
                    {"marginal_roas_now", channel_marginal_now(s, c)},
                    {"half_life", c->half_life},
                    {"adstock", pow(0.5, 1 / c->half_life)},
                    {"top", c->top},
                    {"scale", c->scale},
                    {"follows_demand", c->follows}};
        for (size_t k = 0; st == BW_OK && k < sizeof rows / sizeof *rows; k++)
            st = truth_put(db, rows[k].name, c->name, NULL, rows[k].value, err);
    }
    return st;
}

/* The parts of a day's expected money that are not channels, in the order they are multiplied. */
enum {
    PART_BASELINE,
    PART_HOLIDAY,
    PART_SENTIMENT,
    PART_COMPETITOR,
    PART_PRICE,
    PART_PROMOTION,
    N_PARTS
};
static const char *const PARTS[N_PARTS] = {"_baseline",   "_holiday", "_sentiment",
                                           "_competitor", "_price",   "_promotion"};

static void add_parts(const struct shop *s, int d, double part[N_PARTS]) {
    double base = s->baseline[d], held = base * s->holiday[d], felt = held * s->sentiment[d];
    double met = felt * s->competitor[d];
    part[PART_BASELINE] += base;
    part[PART_HOLIDAY] += held - base;
    part[PART_SENTIMENT] += felt - held;
    part[PART_COMPETITOR] += met - felt;
    part[PART_PRICE] += met * (s->mix_price[d] - 1);
    part[PART_PROMOTION] += met * (s->mix[d] - s->mix_price[d]);
}

static bw_status week_truth(struct shop *s, int w, sqlite3 *db, bw_err *err) {
    char week[11];
    shop_day_text(s, 7 * w, week);
    double part[N_PARTS] = {0}, sum = 0;
    bw_status st = BW_OK;
    for (int d = 7 * w; d < 7 * w + 7; d++)
        add_parts(s, d, part);
    for (int i = 0; st == BW_OK && i < N_PARTS; i++) {
        sum += part[i];
        st = truth_put(db, "decomposition", PARTS[i], week, part[i], err);
    }
    for (int i = 0; st == BW_OK && i < s->n_channels && !s->o.no_spend; i++) {
        double earned = channel_earned(s, &s->channel[i], 7 * w, 7 * w + 6);
        sum += earned;
        st = truth_put(db, "decomposition", s->channel[i].name, week, earned, err);
    }
    return st == BW_OK ? truth_put(db, "expected", NULL, week, sum, err) : st;
}

static double day_money(const struct shop *s, int d) {
    double money = s->baseline[d] * s->holiday[d] * s->sentiment[d] * s->competitor[d];
    for (int i = 0; i < s->n_channels && !s->o.no_spend; i++)
        for (int g = 0; g < s->n_geos; g++)
            money += s->channel[i].earned[g][d];
    return money;
}

/* Money that a promotion's lift and discount made between two days. */
static double promotion_money(const struct shop *s, int first, int last) {
    double sum = 0;
    for (int d = first < 0 ? 0 : first; d <= last && d < s->days; d++)
        sum += day_money(s, d) * (s->mix[d] - s->mix_price[d]);
    return sum;
}

static double holiday_money(const struct shop *s, const struct event *e) {
    double sum = 0;
    for (int d = e->first - e->lead; d <= e->last + e->tail; d++)
        if (d >= 0 && d < s->days)
            sum += s->baseline[d] * (s->holiday[d] - 1);
    return sum;
}

static bw_status event_truth(struct shop *s, sqlite3 *db, bw_err *err) {
    bw_status st = BW_OK;
    for (int i = 0; st == BW_OK && i < s->n_events; i++) {
        const struct event *e = &s->event[i];
        char day[11];
        shop_day_text(s, e->first, day);
        if (e->first >= s->days)
            continue;
        if (e->discount > 0) {
            st = truth_put(db, "promotion_uplift", e->name, day,
                           promotion_money(s, e->first, e->last), err);
            if (st == BW_OK)
                st = truth_put(db, "promotion_dip", e->name, day,
                               promotion_money(s, e->last + 1, e->last + 14), err);
        } else if (e->size > 0) {
            st = truth_put(db, "holiday_uplift", e->name, day, holiday_money(s, e), err);
        }
    }
    return st;
}

static bw_status market_truth(struct shop *s, sqlite3 *db, bw_err *err) {
    bw_status st = BW_OK;
    for (int p = 0; st == BW_OK && p < N_PRODUCTS; p++)
        st = truth_put(db, "elasticity", s->product[p].name, NULL, s->product[p].elasticity, err);
    double felt = 0;
    for (int d = 0; d < s->days; d++)
        felt += s->baseline[d] * s->holiday[d] * s->competitor[d] * s->mix[d] * s->sentiment[d];
    if (st == BW_OK)
        st = truth_put(db, "cross_elasticity", "competitor_price", NULL, CROSS_ELASTICITY, err);
    if (st == BW_OK)
        st = truth_put(db, "sentiment_cost", NULL, NULL,
                       felt / s->weeks * (1 - exp(-0.1 * TONE_POWER)), err);
    if (st == BW_OK)
        st = truth_put(db, "sentiment_lead", NULL, NULL, TONE_LEAD, err);
    return st;
}

static bw_status tone_truth(struct shop *s, sqlite3 *db, bw_err *err) {
    bw_status st = BW_OK;
    for (int w = 0; st == BW_OK && w < s->weeks; w++) {
        char week[11];
        shop_day_text(s, 7 * w, week);
        st = truth_put(db, "sentiment", NULL, week, s->tone[w], err);
    }
    return st;
}

bw_status shop_write_truth(struct shop *s, sqlite3 *db, bw_err *err) {
    bw_status st = BW_OK;
    struct channel *scratch = malloc(sizeof *scratch);
    if (!scratch)
        return bw_fail_memory(err);
    if (!s->o.no_spend)
        st = channel_truth(s, scratch, db, err);
    free(scratch);
    if (st == BW_OK && s->o.reviews > 0)
        st = tone_truth(s, db, err);
    if (st != BW_OK || s->o.no_outcome)
        return st;
    for (int w = 0; st == BW_OK && w < s->weeks; w++)
        st = week_truth(s, w, db, err);
    if (st == BW_OK)
        st = event_truth(s, db, err);
    return st == BW_OK ? market_truth(s, db, err) : st;
}
