/* analyze/mix/load.h - arrays of a shop, from the database: the one file of the mix model that knows tables.
 *
 * Days are gathered into weeks that begin on setting week_start (days stay days with daily); weeks at
 * either end of which days are missing are left out. Every channel with spend is paid, one with
 * exposure alone is organic. Controls are price and discount where they vary, every context series that
 * covers the period, and the sentiment of reviews the week before (mean of the weeks up to then,
 * recent ones heaviest). Events go by name, a year at the end of the name taken off, so that a holiday
 * is one event however often it comes; the two weeks before a holiday and after a promotion count too.
 * Finished experiments on money become lift tests. */
#ifndef BW_ANALYZE_LOAD_H
#define BW_ANALYZE_LOAD_H

#include "analyze/mix/mmm.h"
#include "common/buf.h"
#include "common/sqlite.h"

typedef struct {
    bool daily;
    bool national;       /* add the geos up */
    bool exposure;       /* impressions drive the effect where a channel has them, not its spend */
    const char *signs;   /* "competitor_price=+,rain=-", NULL: all are free */
    const char *without; /* names of channels, controls or events to leave out, by comma; or NULL */
    const char *first_day, *last_day; /* ISO, NULL = all */
} bw_load_options;

/* Fills d, which the caller frees with bw_mmm_data_free. What was left out and why is added to notes
 * (may be NULL), a line each. BW_EDATA when there is nothing to model. */
bw_status bw_load_mmm(sqlite3 *db, const bw_load_options *o, bw_mmm_data *d, bw_buf *notes,
                      bw_err *err);

/* Fingerprint of everything in d, as bw_db_fingerprint gives for rows. */
void bw_load_fingerprint(const bw_mmm_data *d, char out[17]);

/* The setting week_start, 0 Sunday .. 6 Saturday, 1 when it is not set. */
int bw_load_week_start(sqlite3 *db);

#endif
