/* sql/import/profile.h - a look at a file before it is imported: what each column holds, and how its
 * numbers and dates are written.
 *
 * A sample is read; only when a column stays undecided ("1,234" or "03/04/2024" and nothing that
 * settles it) the whole file is. */
#ifndef BW_SQL_PROFILE_H
#define BW_SQL_PROFILE_H

#include "sql/import/sheet.h"
#include "sql/value.h"

typedef struct {
    size_t cells, missing;
    size_t numbers[BW_NUMBER_EITHER_DOT + 1];   /* by form */
    long number_line[BW_NUMBER_EITHER_DOT + 1]; /* where each form was first seen */
    size_t dates[BW_DATE_EPOCH + 1];
    long date_line[BW_DATE_EPOCH + 1];
    char either_date[16]; /* an example of each ambiguous kind */
    char either_number[32];
    size_t zeros, ones, whole, negative; /* numbers that are 0, 1, integers, below 0 */
    double min, max, sum;
    size_t text_bytes;
    size_t distinct; /* different values, counted up to BW_DISTINCT_MAX */
    char example[32];
    /* Decided: */
    bw_decimal decimal;
    bool decimal_open; /* could not be decided */
    bw_date_order order;
    bool order_open;
} bw_column_profile;

#define BW_DISTINCT_MAX 200

typedef struct {
    bw_column_profile *columns;
    size_t n_columns;
    size_t rows; /* that were looked at */
    bool all;    /* the whole file was read */
} bw_profile;    /* start from {0}; bw_profile_free */

/* Reads at least sample rows (0: all), rewinds the table, and decides. decimal 0 and order
 * BW_ORDER_UNKNOWN leave the decision to the data. */
bw_status bw_profile_run(bw_sheet *t, size_t sample, bw_decimal decimal, bw_date_order order,
                         bw_profile *out, bw_err *err);
void bw_profile_free(bw_profile *p);

/* True when most cells that are not missing are numbers, or dates. */
bool bw_profile_is_number(const bw_column_profile *c);
bool bw_profile_is_date(const bw_column_profile *c);

/* Adds the notes and errors for a column that is going to be read as numbers or as dates. */
void bw_profile_report_number(const bw_sheet *t, size_t column, const bw_profile *p,
                              bw_findings *f);
void bw_profile_report_date(const bw_sheet *t, size_t column, const bw_profile *p, bw_findings *f);

#endif
