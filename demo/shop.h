/* demo/shop.h - inside this room: the simulated shop while it is being made.
 *
 * The steps run in the order of bw_demo_fill and each draws from its own random stream, so that one
 * more draw in one step changes nothing in another. */
#ifndef BW_DEMO_SHOP_H
#define BW_DEMO_SHOP_H

#include "demo/demo.h"

#include <gsl/gsl_rng.h>

#define MAX_DAYS   (7 * BW_DEMO_MAX_WEEKS)
#define MAX_GEOS   12
#define N_PRODUCTS 6
#define MAX_EVENTS 120
#define NAME_SIZE  200

#define CROSS_ELASTICITY 0.5  /* per cent of the baseline per per cent of the competitor's price */
#define TONE_LEAD        2    /* weeks from customers' mood to sales */
#define TONE_POWER       0.20 /* log baseline per unit of tone */

enum stream {
    RNG_SPEND = 1,
    RNG_MARKET,
    RNG_SALES,
    RNG_CUSTOMER,
    RNG_MESSAGE,
    RNG_REVIEW,
    RNG_TEST,
    RNG_CAMPAIGN
};

enum pattern { FOLLOWS, STEPS, TRIALS, STEADY, WANDERS, BURSTS, FLIGHTS };

struct channel {
    char name[NAME_SIZE], label_en[NAME_SIZE], label_zh[NAME_SIZE];
    enum pattern pattern;
    double budget;    /* money a week, on average */
    double target;    /* ROAS */
    double half_life; /* weeks */
    double fullness;  /* weekly spend / scale at the average spend: above 2 is past saturation */
    double follows;   /* exponent of demand in its spend */
    double top, scale;
    double spend[MAX_GEOS][MAX_DAYS];  /* money a day, whole cents */
    double earned[MAX_GEOS][MAX_DAYS]; /* money a day before the product mix */
};

struct product {
    char name[NAME_SIZE];
    double price, share, elasticity,
        season; /* season: amplitude over the year, peak in peak_month */
    double peak_month;
    double list[MAX_DAYS]; /* list price */
};

struct event {
    char name[NAME_SIZE];
    const char *kind;
    int first, last;       /* day indices; past the end = known in advance */
    double size, discount; /* peak uplift of a holiday; share off of a promotion */
    int lead, tail;        /* days of build-up and of fading */
};

struct geo {
    char name[NAME_SIZE];
    double population, share;
};

/* What the shop does differently from a day on, since it took an advice. */
enum habit_kind { SEND_AT, WRITE_WITH, ANSWER };
struct habit {
    enum habit_kind kind;
    int from;                 /* day */
    char subject[NAME_SIZE];  /* channel, or aspect that is answered */
    char feature[40];         /* WRITE_WITH: in three messages of four */
    int weekday, hour, hours; /* SEND_AT: 0 Monday; the window's first hour and length */
};
#define MAX_HABITS 12

struct shop {
    bw_demo_options o;
    struct habit habit[MAX_HABITS];
    int n_habits;
    int days, weeks;
    int n_channels, n_geos, n_events;
    struct channel channel[BW_DEMO_MAX_CHANNELS];
    struct product product[N_PRODUCTS];
    struct event event[MAX_EVENTS];
    struct geo geo[MAX_GEOS];
    /* By day: the factors of expected revenue (see demo.h), and what was sold. */
    double baseline[MAX_DAYS], holiday[MAX_DAYS], sentiment[MAX_DAYS], competitor[MAX_DAYS];
    double competitor_price[MAX_DAYS], market[MAX_DAYS];
    double mix_price[MAX_DAYS], mix[MAX_DAYS]; /* without and with promotions */
    double discount[MAX_DAYS],
        lift[MAX_DAYS]; /* lift: factor on units, of promotions and their dips */
    double orders[MAX_DAYS], revenue[MAX_DAYS];
    double tone[BW_DEMO_MAX_WEEKS]; /* share positive - share negative meant, by week */
};

/* Makes the shop in memory, writes nothing. The caller frees with free(). */
bw_status shop_make(const bw_demo_options *options, struct shop **out, bw_err *err);

/* The calendar. Day 0 is the shop's first day. */
void shop_day_text(const struct shop *s, int day, char out[11]);
int shop_day(const struct shop *s, int year, int month, int mday); /* may lie outside */
int shop_month(const struct shop *s, int day);                     /* 1..12 */
double shop_year_part(const struct shop *s, int day);              /* 0..1, 0 = 1 January */
void shop_calendar(struct shop *s); /* holidays, promotions, events */

gsl_rng *shop_rng(const struct shop *s, enum stream stream); /* the caller frees; NULL: no memory */

/* Steps that make numbers. BW_ENOMEM is their only failure. */
void shop_cast(struct shop *s);        /* channels, products, geos with their names */
bw_status shop_market(struct shop *s); /* baseline, competitor, market, prices, sentiment */
void shop_mix(struct shop *s);         /* mix_price and mix from the list prices */
bw_status shop_spend(struct shop *s);  /* spend by day, then what it earns */
void shop_respond(const struct shop *s, struct channel *c); /* earned from spend */

/* A product's share of the day's money before prices and promotions; its factor from the list price. */
double product_share(const struct shop *s, int p, int day);
double product_price_factor(const struct shop *s, int p, int day);

/* Money over the period; what the channel earned from day first to last, through the product mix. */
double channel_spent(const struct shop *s, const struct channel *c);
double channel_earned(const struct shop *s, const struct channel *c, int first, int last);
/* Money per unit of money when every day's spend is 1 % higher. scratch is overwritten. */
double channel_marginal(const struct shop *s, const struct channel *c, struct channel *scratch);
/* Slope of the response curve at the average weekly spend of the last four weeks. */
double channel_marginal_now(const struct shop *s, const struct channel *c);

/* Factor that a test puts on a channel's spend in a week; 1 outside tests. */
double test_factor(const struct shop *s, int channel, int week);

/* The name of a channel's k-th campaign, and the one that ran on a day beside the always-on one. */
void campaign_name(const struct shop *s, const struct channel *c, int k, char *out, size_t n);
int campaign_on(const struct shop *s, int day);

/* Steps that write rows. */
bw_status shop_write_setup(struct shop *s, sqlite3 *db, bw_err *err);
bw_status shop_write_spend(struct shop *s, sqlite3 *db, bw_err *err);
bw_status shop_write_sales(struct shop *s, sqlite3 *db, bw_err *err);
bw_status shop_write_customers(struct shop *s, sqlite3 *db, bw_err *err);
bw_status shop_write_experiments(struct shop *s, sqlite3 *db, bw_err *err);
bw_status shop_write_messages(struct shop *s, sqlite3 *db, bw_err *err);
bw_status shop_write_reviews(struct shop *s, sqlite3 *db, bw_err *err);
bw_status shop_write_truth(struct shop *s, sqlite3 *db, bw_err *err);

/* One row of demo_truth; NULL texts are ''. */
bw_status truth_put(sqlite3 *db, const char *name, const char *subject, const char *at,
                    double value, bw_err *err);

/* Binds by a format: s text (NULL is NULL), d double (NaN is NULL), i int; runs and resets. */
bw_status row_put(sqlite3_stmt *q, bw_err *err, const char *format, ...);

#endif
