/* sql/import/wide.h - what the columns of a modelling table are: one row a day or week, one column a
 * channel, as other mix-model tools want their input.
 *
 * As JSON:
 *   {"date": "week",
 *    "outcome": {"column": "y", "kind": "revenue"},     kind: revenue, orders, units, conversions;
 *                                                      "value": column with the money of one
 *    "spend": {"tv_S": "tv"},                           column: channel; or ["tv"], its own name
 *    "exposure": {"facebook_I": "facebook"}, "clicks": {"search_clicks": "search"},
 *    "organic": ["newsletter"], "context": ["competitor"], "event": ["events"],
 *    "geo": null, "population": null, "price": null, "discount": null, "currency": "EUR"}
 * Only date is required. A column that is not named is left out. */
#ifndef BW_SQL_WIDE_H
#define BW_SQL_WIDE_H

#include "common/status.h"

#include <stddef.h>

typedef enum {
    BW_WIDE_DATE,
    BW_WIDE_GEO,
    BW_WIDE_POPULATION,
    BW_WIDE_OUTCOME,
    BW_WIDE_VALUE, /* money of one order, unit or conversion */
    BW_WIDE_PRICE,
    BW_WIDE_DISCOUNT,
    BW_WIDE_SPEND,
    BW_WIDE_EXPOSURE,
    BW_WIDE_CLICKS,
    BW_WIDE_ORGANIC,
    BW_WIDE_CONTEXT,
    BW_WIDE_EVENT
} bw_wide_role;

typedef struct {
    bw_wide_role role;
    char *column;
    char *name; /* channel, series or event; the column's name unless the mapping says otherwise */
} bw_wide_entry;

typedef struct {
    bw_wide_entry *list;
    size_t n;
    char outcome_kind[16];
    char currency[8]; /* "" when not said */
} bw_wide_map;        /* start from {0}; bw_wide_map_free */

/* Reads the JSON; unknown keys, wrong types and a missing date are errors that name the key. */
bw_status bw_wide_map_parse(const char *json, bw_wide_map *out, bw_err *err);
void bw_wide_map_free(bw_wide_map *m);

#endif
