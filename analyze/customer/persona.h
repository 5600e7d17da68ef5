/* analyze/customer/persona.h - what each group of customers buys, says and answers to, as rows of a segment run.
 *
 * Rows are named in store.h. All compare the group with everybody: a thing is told where the group has more of it.
 * What it says comes from reviews that name their customer; where none does, the reviews of the products it
 * buys stand in (row 'voice'). What it answers to comes from messages whose audience is a customer or the
 * group's own name. Shares that rest on few are drawn towards 1, by one that was expected and came. */
#ifndef BW_ANALYZE_PERSONA_H
#define BW_ANALYZE_PERSONA_H

#include "analyze/output.h"
#include "common/sqlite.h"

#include <stdint.h>

/* Notes what the data cannot tell: call before the run is begun, since a run holds its notes. */
void bw_persona_notes(sqlite3 *db, bw_notes *notes);

/* Stores the rows of run. Table customer_segment holds the groups. Call within a transaction. */
bw_status bw_persona_store(sqlite3 *db, int64_t run, bw_err *err);

/* A query whose rows change whenever what bw_persona_store reads beside purchases changes. */
#define BW_PERSONA_INPUT                                                                           \
    "SELECT channel, count(*), total(delivered) + 3 * total(orders), count(DISTINCT audience) "    \
    "FROM message GROUP BY 1 "                                                                     \
    "UNION ALL SELECT model, count(*), round(total(positive - negative), 3), 0 FROM "              \
    "review_aspect GROUP BY model "                                                                \
    "UNION ALL SELECT t.name, count(*), count(r.customer), t.size FROM topic t JOIN topic_member " \
    "m ON m.topic = t.id JOIN review r ON r.id = m.id WHERE t.kind = 'review' GROUP BY t.id"

#endif
