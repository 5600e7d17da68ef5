/* analyze/price/promotion_load.h - daily sales with promotions and what they were for, from the database. */
#ifndef BW_ANALYZE_PROMOTION_LOAD_H
#define BW_ANALYZE_PROMOTION_LOAD_H

#include "analyze/price/promotion.h"
#include "common/sqlite.h"

/* Whether what a promotion was for can be told from the rest, or why not. */
typedef enum {
    BW_APART_UNKNOWN, /* no sales by product around it */
    BW_APART_TOLD,
    BW_APART_ALL,     /* nothing was left that competes with what was cheaper */
    BW_APART_NOTHING, /* no product was clearly cheaper */
    BW_APART_MANY     /* too many different sets of products */
} bw_apart;

typedef struct {
    double *y, first; /* daily revenue, NAN where no row; day of the first */
    size_t n, promotions, events, sets;
    bw_span *promotion, *event; /* names owned */
    bw_promoted *set;           /* [sets] */
    size_t *set_of;             /* [promotions] < sets, or sets */
    bw_apart *why;              /* [promotions] */
} bw_daily;

/* BW_EDATA when there are no sales. Free with bw_daily_free. */
bw_status bw_daily_load(sqlite3 *db, bw_daily *out, bw_err *err);
void bw_daily_free(bw_daily *d);

#endif
