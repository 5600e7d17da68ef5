/* analyze/customer/segment_load.h - customers from the database or from a CSV. */
#ifndef BW_ANALYZE_SEGMENT_LOAD_H
#define BW_ANALYZE_SEGMENT_LOAD_H

#include "analyze/customer/clv.h"
#include "common/sqlite.h"

typedef struct {
    size_t n, cap;
    char **id;          /* [n] */
    bw_customer *c;     /* [n] */
    double *money;      /* [n] all they spent */
    double *held_out;   /* [n] repeat purchases after the calibration's end, CSV with a test only */
    double first, last; /* days of the purchases used; NAN for a summary file */
} bw_customers;
void bw_customers_free(bw_customers *c);

/* Purchases on one day are one purchase. */
bw_status bw_customers_from_db(sqlite3 *db, bw_customers *out, bw_err *err);
extern const char BW_CUSTOMERS_INPUT[];

/* Transactions: one row a purchase. Purchases of the last test_weeks are held out. */
bw_status bw_customers_from_csv(const char *file, const char *customer, const char *day,
                                const char *revenue, double test_weeks, bw_customers *out,
                                bw_err *err);
/* One row a customer: repeats, weeks from first to last, weeks from first to the end, mean value. */
bw_status bw_customers_from_summary(const char *file, const char *customer, const char *frequency,
                                    const char *recency, const char *age, const char *value,
                                    bw_customers *out, bw_err *err);

#endif
