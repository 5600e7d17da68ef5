/* analyze/analyze.h - what the front doors use of this room: statistics: effects, timing, price, experiments, plans. */
#ifndef BW_ANALYZE_H
#define BW_ANALYZE_H

#include "common/command.h"
#include "common/sqlite.h"

extern const bw_command BW_ANALYZE_COMMANDS[];

/* Registers this room's SQL functions; the signature is that of sqlite3_auto_extension. */
int bw_analyze_register(sqlite3 *db, char **message, const struct sqlite3_api_routines *api);

#endif
