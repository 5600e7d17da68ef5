/* demo/customers.c - a sample of customers and all they ever bought, by the BG/NBD model.
 *
 * A customer comes on a day drawn by the shop's orders, buys again at a rate of his own (gamma) and
 * after each purchase leaves for good with a probability of his own (beta); what he spends varies
 * around a mean of his own (gamma-gamma). Fader, Hardie, Lee: "Counting Your Customers the Easy Way"
 * (Marketing Science 2005). */
#include "demo/shop.h"

#include "sql/db.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>

#define RATE_R      0.45 /* shape of the gamma of purchase rates */
#define RATE_ALPHA  9.0  /* weeks */
#define LEAVE_A     0.80
#define LEAVE_B     2.60
#define SPEND_SHAPE 6.0 /* of a purchase around the customer's mean */
#define SPEND_LOYAL 5.0 /* of the customers' means around the shop's basket */

static int draw_day(const struct shop *s, const double *cumulative, gsl_rng *r) {
    double u = gsl_rng_uniform(r) * cumulative[s->days - 1];
    int lo = 0, hi = s->days - 1;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (cumulative[mid] < u)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Customers are won by channels in proportion to what those earn; the rest came by themselves. */
static const char *draw_channel(const struct shop *s, int day, gsl_rng *r) {
    double u = gsl_rng_uniform(r) * s->revenue[day];
    for (int i = 0; i < s->n_channels && !s->o.no_spend; i++) {
        for (int g = 0; g < s->n_geos; g++)
            u -= s->channel[i].earned[g][day];
        if (u < 0)
            return s->channel[i].name;
    }
    return NULL;
}

static int draw_product(const struct shop *s, int day, gsl_rng *r) {
    double u = gsl_rng_uniform(r);
    for (int p = 0; p < N_PRODUCTS - 1; p++)
        if ((u -= product_share(s, p, day)) < 0)
            return p;
    return N_PRODUCTS - 1;
}

struct sample {
    const struct shop *s;
    sqlite3_stmt *q;
    gsl_rng *r;
    double basket;
    int rows;
};

static bw_status put_purchase(struct sample *m, int customer, double usual, int day, bw_err *err) {
    char id[24], who[24], text[11];
    snprintf(id, sizeof id, "P%06d", ++m->rows);
    snprintf(who, sizeof who, "C%05d", customer);
    shop_day_text(m->s, day, text);
    double money = fmax(gsl_ran_gamma(m->r, SPEND_SHAPE, usual / SPEND_SHAPE), 0.1 * m->basket);
    const char *channel = draw_channel(m->s, day, m->r);
    const char *product = m->s->product[draw_product(m->s, day, m->r)].name;
    return row_put(m->q, err, "sssdss", id, who, text, round(money * 100) / 100, channel, product);
}

static bw_status live(struct sample *m, int customer, int day, bw_err *err) {
    double rate = gsl_ran_gamma(m->r, RATE_R, 1 / RATE_ALPHA);
    double leave = gsl_ran_beta(m->r, LEAVE_A, LEAVE_B);
    double usual = m->basket * SPEND_LOYAL / gsl_ran_gamma(m->r, SPEND_LOYAL + 1, 1);
    double at = day;
    bw_status st = BW_OK;
    do {
        st = put_purchase(m, customer, usual, (int)at, err);
        at += 7 * gsl_ran_exponential(m->r, 1 / rate);
    } while (st == BW_OK && at < m->s->days && gsl_rng_uniform(m->r) >= leave);
    return st;
}

static bw_status store_truth(const struct sample *m, double orders, sqlite3 *db, bw_err *err) {
    const struct {
        const char *name;
        double value;
    } rows[] = {{"customer_r", RATE_R},
                {"customer_alpha", RATE_ALPHA},
                {"customer_a", LEAVE_A},
                {"customer_b", LEAVE_B},
                {"customer_share", m->rows / orders}};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof rows / sizeof *rows; i++)
        st = truth_put(db, rows[i].name, NULL, NULL, rows[i].value, err);
    return st;
}

bw_status shop_write_customers(struct shop *s, sqlite3 *db, bw_err *err) {
    if (s->o.no_outcome || s->o.customers == 0)
        return BW_OK;
    double cumulative[MAX_DAYS], orders = 0, revenue = 0;
    for (int d = 0; d < s->days; d++) {
        cumulative[d] = orders += s->orders[d];
        revenue += s->revenue[d];
    }
    struct sample m = {s, NULL, shop_rng(s, RNG_CUSTOMER), revenue / orders, 0};
    if (!m.r)
        return bw_fail_memory(err);
    bw_status st = bw_db_prepare(db, "INSERT INTO purchase VALUES (?, ?, ?, ?, ?, ?)", &m.q, err);
    for (int c = 1; st == BW_OK && c <= s->o.customers; c++)
        st = live(&m, c, draw_day(s, cumulative, m.r), err);
    sqlite3_finalize(m.q);
    gsl_rng_free(m.r);
    return st == BW_OK ? store_truth(&m, orders, db, err) : st;
}
