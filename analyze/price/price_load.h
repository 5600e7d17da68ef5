/* analyze/price/price_load.h - sales by product and week, from the database. */
#ifndef BW_ANALYZE_PRICE_LOAD_H
#define BW_ANALYZE_PRICE_LOAD_H

#include "analyze/price/demand.h"
#include "analyze/output.h"
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

/* A query whose rows change whenever what this and promotion_load.h read changes. */
extern const char BW_PRICE_INPUT[];

#endif
