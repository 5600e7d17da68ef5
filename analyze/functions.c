/* analyze/functions.c - the SQL functions of this room, one table. */
#include "analyze/analyze.h"

#ifdef BW_EXTENSION
SQLITE_EXTENSION_INIT3
#endif

int bw_analyze_register(sqlite3 *db, char **message, const struct sqlite3_api_routines *api) {
    (void)db;
    (void)message;
    (void)api;
    return SQLITE_OK;
}
