/* sql/import/columns.h - which column of a file is which field of a kind. */
#ifndef BW_SQL_COLUMNS_H
#define BW_SQL_COLUMNS_H

#include "sql/import/kinds.h"
#include "sql/import/sheet.h"

typedef struct {
    int column[BW_FIELDS_MAX];     /* of each field, -1 when the file has none */
    char *constant[BW_FIELDS_MAX]; /* value for every row, or NULL */
} bw_columns;                      /* start from {0}; bw_columns_free */

/* Finds the columns by name. map is "field=column,..." and set "field=value,..."; both may be NULL.
 * Missing required fields, unknown names in map and columns that fit twice are error findings;
 * unused columns are one note. */
bw_status bw_columns_find(const bw_sheet *t, const bw_kind *kind, const char *map, const char *set,
                          bw_findings *findings, bw_columns *out, bw_err *err);
void bw_columns_free(bw_columns *c);

/* Index of a column by its name, else by its name without case, -1 when there is none. */
int bw_column_find(const bw_sheet *t, const char *name);
/* The column whose name is nearest to a name, for "did you mean"; NULL when none is near. */
const char *bw_column_near(const bw_sheet *t, const char *name);
/* All names of columns, for a message: "a, b, c". The caller frees the buffer. */
void bw_columns_list(const bw_sheet *t, bw_buf *out);

/* The next "key=value" of a comma-separated list: *list moves on; both are NUL-terminated copies in
 * buf. "\," is a comma. Returns 1, 0 at the end, -1 when there is no '=' or buf is too small. */
int bw_pair_next(const char **list, char *buf, size_t size, char **key, char **value);

#endif
