/* sql/import/sink.h - rows into one table: inserted, or updated where they differ.
 *
 * A row whose key the table already has is an update when an earlier import wrote it, and a
 * repetition when this import did: the two are told apart exactly and without keeping the keys in
 * memory. Into an empty table every conflict is a repetition; otherwise the keys of this import go
 * to a temporary table on the disk. */
#ifndef BW_SQL_SINK_H
#define BW_SQL_SINK_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stddef.h>

typedef struct {
    enum { BW_VALUE_NULL, BW_VALUE_TEXT, BW_VALUE_REAL } type;
    const char *text;
    size_t len;
    double real; /* beside the text of a day: its number, days since 1970 */
} bw_value;

typedef struct {
    const char *name;
    bool key;
    bool adds; /* bw_sink_add sums it; others keep the latest value */
} bw_sink_column;

typedef enum {
    BW_ROW_NEW,
    BW_ROW_SAME, /* the table had it as it is */
    BW_ROW_CHANGED,
    BW_ROW_REPEATED, /* again in this import, with equal values */
    BW_ROW_CONFLICT  /* again in this import, with other values: nothing was written */
} bw_row_fate;

typedef struct bw_sink bw_sink;

/* Names are borrowed until the sink is freed. Columns that are not named keep what they hold. */
bw_status bw_sink_new(sqlite3 *db, const char *table, const bw_sink_column *columns, size_t n,
                      bw_sink **out, bw_err *err);
/* One value a column, in the order of the columns; texts are borrowed for the call. */
bw_status bw_sink_put(bw_sink *s, const bw_value *values, bw_row_fate *fate, bw_err *err);
/* Adds the values to the row with that key. */
bw_status bw_sink_add(bw_sink *s, const bw_value *values, bw_err *err);
void bw_sink_free(bw_sink *s); /* NULL is fine */

#endif
