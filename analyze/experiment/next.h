/* analyze/experiment/next.h - what to test next: the channel, how large, how long, in which places.
 *
 * The channel whose marginal return is so uncertain that knowing it would move the most money; the share by
 * which to change its spend; the weeks until the interval of its return has halved. Where sales are known by
 * place, half of the places are treated (design.h) if that tells more than a change everywhere would. */
#ifndef BW_ANALYZE_NEXT_H
#define BW_ANALYZE_NEXT_H

#include "analyze/output.h"
#include "common/sqlite.h"
#include "common/status.h"

#include <stdint.h>

/* Stores rows next_* of run (store.h) for every channel of the newest fit, and adds their number to *stored.
 * Call within a transaction. */
bw_status bw_next_store(sqlite3 *db, int64_t run, bw_notes *notes, size_t *stored, bw_err *err);

#endif
