/* analyze/table_internal.h - shared by table.c and table_days.c. */
#ifndef BW_ANALYZE_TABLE_INTERNAL_H
#define BW_ANALYZE_TABLE_INTERNAL_H

#include "analyze/table.h"

/* A cell as a number; missing ("", NA, N/A, NaN, null, .) is NAN. False when it is neither. */
bool table_number(const char *text, double *x);

/* The error for a cell that is not what was wanted; it names file, line, column and value. */
bw_status table_bad_cell(const bw_table *t, size_t row, size_t column, const char *wanted,
                         bw_err *err);

#endif
