/* sql/import/kinds.h - what can be imported: one table of kinds, each with its fields, and the names that
 * people give to such columns. */
#ifndef BW_SQL_KINDS_H
#define BW_SQL_KINDS_H

#include "common/buf.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    BW_TYPE_TEXT,
    BW_TYPE_DAY,    /* stored as 'YYYY-MM-DD' */
    BW_TYPE_TIME,   /* stored as 'YYYY-MM-DD HH:MM' */
    BW_TYPE_REAL,   /* any finite number */
    BW_TYPE_AMOUNT, /* a number that is seldom below zero: money, counts */
    BW_TYPE_SHARE,  /* 0..1; "15 %" and 15 are 0.15 */
    BW_TYPE_RATING, /* 1..5 */
    BW_TYPE_LABEL,  /* 1, 0, neutral or words for them: a rating when there is none. Not stored. */
    BW_TYPE_AUTHOR  /* tells two otherwise equal rows apart when an id is made. Not stored. */
} bw_field_type;

enum {
    BW_FIELD_KEY = 1,      /* part of the primary key; '' when the file has no such column */
    BW_FIELD_REQUIRED = 2, /* the file must have it, and every row a value */
    BW_FIELD_ADDS = 4      /* may be added up over rows with the same key */
};

typedef struct {
    const char *name; /* also the column of the table */
    bw_field_type type;
    int flags;
    const char *also; /* other names, space-separated, in the form bw_name_simplify gives */
} bw_field;           /* tables end with {0} */

#define BW_FIELDS_MAX 16

typedef struct {
    const char *name; /* as in "import NAME" */
    const char *table;
    const char *about; /* for the help: what one row is */
    const bw_field *fields;
    bool makes_id;       /* a row without an id gets one from its content */
    bool repeats;        /* equal rows without an id are different things (two equal purchases) */
    const char *series;  /* field that names the series whose days should be regular, or NULL */
    const char *measure; /* field whose unit should not jump, or NULL */
} bw_kind;               /* the table ends with {0} */

extern const bw_kind BW_KINDS[];

/* The kind of that name, NULL when there is none. */
const bw_kind *bw_kind_find(const char *name);
size_t bw_kind_fields(const bw_kind *kind);
/* Index of a field, -1 when the kind has none of that name. */
int bw_kind_field(const bw_kind *kind, const char *name);

/* A column's name without case, spaces, punctuation and a unit in parentheses: "Amount Spent (USD)"
 * is "amountspent". Other scripts stay. */
void bw_name_simplify(const char *name, char *out, size_t size);

/* How well a column's name fits a field: 2 its own name, 1 another name for it, 0 not. */
int bw_field_fits(const bw_field *field, const char *column);

/* Edits between two names (Levenshtein), for "did you mean". */
size_t bw_name_distance(const char *a, const char *b);

#endif
