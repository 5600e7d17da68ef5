/* sql/import/guess.h - a proposal for an unknown file: which kind it is, and which column is what.
 *
 * Names decide first, in the habits of the known tools (tv_S, mdsp_tv, Channel0_spend), then what
 * the columns hold. Columns that give no sign are left out: a wrong role is worse than none. */
#ifndef BW_SQL_GUESS_H
#define BW_SQL_GUESS_H

#include "common/buf.h"
#include "common/status.h"
#include "sql/import/sheet.h"

typedef struct {
    const char *kind; /* "wide" or a name of sql/import/kinds.h; static */
    char *mapping;    /* JSON for --mapping; owned */
    bw_buf reasons;   /* lines for people: what was taken for what, and what was left out */
} bw_guess;           /* start from {0}; bw_guess_free */

/* BW_EDATA when no kind fits; err says what is missing. */
bw_status bw_guess_file(const char *path, const bw_sheet_options *reading, bw_guess *out,
                        bw_err *err);
void bw_guess_free(bw_guess *g);

#endif
