/* sql/import/guess_internal.h - between guess.c (which kind) and guess_wide.c (roles of the columns). */
#ifndef BW_SQL_GUESS_INTERNAL_H
#define BW_SQL_GUESS_INTERNAL_H

#include "sql/import/guess.h"
#include "sql/import/profile.h"

#include <cjson/cJSON.h>

/* Proposes the mapping of a modelling table; *roles is how many columns beside the date have one.
 * The caller deletes *out. */
bw_status bw_guess_wide(const bw_sheet *t, const bw_profile *p, bw_buf *reasons, cJSON **out,
                        size_t *roles, size_t *media, bw_err *err);

#endif
