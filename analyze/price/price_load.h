/* analyze/price/price_load.h - sales by product and week, and daily sales with promotions, from the database. */
#ifndef BW_ANALYZE_PRICE_LOAD_H
#define BW_ANALYZE_PRICE_LOAD_H

#include "analyze/price/demand.h"
#include "analyze/output.h"
#include "analyze/price/promotion.h"
#include "common/sqlite.h"

typedef struct {
    size_t n, products, weeks;
    double *units, *price, *control; /* [n]; control: [n, 3] trend, sine and cosine of the year */
    size_t *product, *week;          /* [n] codes */
    char **name;                     /* [products] */
    char first[11], last[11];        /* weeks */
} bw_price_rows;
/* BW_EDATA when there is no product with units and a price. */
bw_status bw_price_rows_load(sqlite3 *db, bw_price_rows *out, bw_notes *notes, bw_err *err);
void bw_price_rows_free(bw_price_rows *r);

typedef struct {
    double *y, first; /* daily revenue, NAN where no row; day of the first */
    size_t n, promotions, events;
    bw_span *promotion, *event; /* names owned */
} bw_daily;
bw_status bw_daily_load(sqlite3 *db, bw_daily *out, bw_err *err);
void bw_daily_free(bw_daily *d);

/* A query whose rows change whenever what these read changes. */
extern const char BW_PRICE_INPUT[];

#endif
