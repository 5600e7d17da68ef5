/* analyze/timing/timing_load.h - messages from the database, added up by channel, day, hour, audience and
 * content in SQL, so that memory does not follow the number of messages. */
#ifndef BW_ANALYZE_TIMING_LOAD_H
#define BW_ANALYZE_TIMING_LOAD_H

#include "analyze/timing/timing.h"
#include "common/sqlite.h"

typedef struct {
    char *name;
    bw_send *send; /* [n], by day and hour */
    size_t n, cap;
    size_t audiences;
} bw_send_channel;

typedef struct {
    const char *metric;       /* "orders", "clicks", "opens" or "revenue": borrowed constant */
    bw_family family;         /* counts where no message says how many were delivered */
    double unit;              /* of money, see glmm.h; 1 otherwise */
    bw_send_channel *channel; /* [channels] */
    size_t channels;
    char **theme; /* [themes] names of the topics of our messages */
    size_t themes;
    bool counted; /* messages say how many were delivered */
    bool scored;  /* content features were there */
    bool merged;  /* days, perhaps audiences, are put together: there are too many cells */
    double first_day, last_day;
    double
        untimed; /* messages left out: no delivery count where others have one, no result, or no time */
} bw_sends;

/* Chooses metric, family and unit. metric NULL: the first of orders, clicks, opens with at least
 * BW_METRIC_LEAST. */
bw_status bw_sends_choose(sqlite3 *db, const char *metric, bw_sends *out, bw_err *err);
#define BW_METRIC_LEAST 300.0
/* Chooses, and adds the messages up into temporary tables, which bw_cells_drop (timing_cells.h) removes, also
 * after a failure. */
bw_status bw_sends_gather(sqlite3 *db, const char *metric, bw_sends *out, bw_err *err);
/* Reads them into out->channel. Free with bw_sends_free. */
bw_status bw_sends_read(sqlite3 *db, bw_sends *out, bw_err *err);
void bw_sends_free(bw_sends *s);

#endif
