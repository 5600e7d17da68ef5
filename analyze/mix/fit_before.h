/* analyze/mix/fit_before.h - the last fit, as the next one uses it: its warm-up is taken over when weeks
 * have been added and nothing else has changed, and the difference in what it says is put down to new
 * weeks, to history revised since, or to other options. Inside of the fit_*.c files. */
#ifndef BW_ANALYZE_FIT_BEFORE_H
#define BW_ANALYZE_FIT_BEFORE_H

#include "analyze/mix/fit_internal.h"

struct fit_before {
    int64_t run; /* 0: there is none */
    char last_day[11];
    char *text; /* its choices, see below */
    bw_fit_options options;
    char *keep; /* what options borrow */
};

/* The options that make a difference to the result, canonical JSON; the caller frees. */
char *fit_choices_text(const bw_fit_options *o);
/* The newest fit of the database that had other data than input, or other choices than text. */
bw_status fit_before_read(sqlite3 *db, const char *input, const char *text, fit_before *b,
                          bw_err *err);
void fit_before_free(fit_before *b);

/* Fills f->warm from it when the choices [text] are the same and the data only go on further, unless
 * that is forbidden (--force). Otherwise, or when the parameters differ, f->warm stays empty. */
bw_status fit_before_warm(sqlite3 *db, fit_state *f, const fit_before *b, const char *text,
                          bw_err *err);

/* Fills f->change. Costs a short fit for each cause that is at work beside another. */
bw_status fit_before_compare(sqlite3 *db, fit_state *f, const fit_before *b, const char *text,
                             bw_err *err);

/* Within a transaction: what a later fit needs of this one, and f->change. */
bw_status fit_store_for_later(sqlite3 *db, int64_t run, const fit_state *f, bw_err *err);

#endif
