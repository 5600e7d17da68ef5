/* sql/import/wide_flags.h - the mapping of a modelling table from the command line, for small files. */
#ifndef BW_SQL_WIDE_FLAGS_H
#define BW_SQL_WIDE_FLAGS_H

#include "common/status.h"

#include <stdbool.h>

/* Lists are "column,column" or "column=name,column=name"; NULL where nothing was given. */
typedef struct {
    const char *date, *outcome, *outcome_kind, *value, *geo, *population, *price, *discount,
        *currency;
    const char *spend, *exposure, *clicks, *organic, *context, *event;
} bw_wide_flags;

bool bw_wide_flags_given(const bw_wide_flags *f);

/* The flags as the JSON of sql/import/wide.h; the caller frees. */
bw_status bw_wide_flags_json(const bw_wide_flags *f, char **out, bw_err *err);

#endif
