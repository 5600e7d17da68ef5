/* analyze/timing/timing_cells.h - messages added up in SQL before anything else looks at them.
 *
 * One pass over table message, with one GROUP BY, makes the temporary table message_cell: a row for what shares
 * channel, hour of a day, audience and content. What follows reads cells, never messages. SQLite sorts on
 * disk, so its memory does not follow the rows either. */
#ifndef BW_ANALYZE_TIMING_CELLS_H
#define BW_ANALYZE_TIMING_CELLS_H

#include "analyze/timing/timing_load.h"

typedef enum {
    BW_DETAIL_DAYS,    /* a cell a day */
    BW_DETAIL_CLASSES, /* days of one class are one, gaps are rounded */
    BW_DETAIL_POOLED   /* audiences are one as well */
} bw_detail;

/* Makes the cells for out's metric and family. bw_cells_drop undoes it. */
bw_status bw_cells_make(sqlite3 *db, const bw_sends *out, bw_err *err);
void bw_cells_drop(sqlite3 *db);

/* Gives each day its class by asking for it; a day for which give says false is left out. */
typedef bool (*bw_give_class)(void *arg, const char *day, int64_t *class);
bw_status bw_cells_classify(sqlite3 *db, bw_give_class give, void *arg, bw_err *err);
/* Then chooses the finest detail at which no channel has more than BW_CELLS_MOST cells, or the coarsest, and
 * makes what is read. */
bw_status bw_cells_condense(sqlite3 *db, bw_detail *detail, bw_err *err);
#define BW_CELLS_MOST 100000

/* channel, day, hour, audience, gap, flags, theme, messages, trials, successes; by channel, day, hour. */
bw_status bw_cells_prepare(sqlite3 *db, sqlite3_stmt **out, bw_err *err);
/* Messages in them. */
double bw_cells_messages(sqlite3 *db);

/* A query whose rows change whenever the cells read, or what is read beside them, change. */
extern const char BW_CELLS_INPUT[];

#endif
