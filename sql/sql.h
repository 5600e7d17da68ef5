/* sql/sql.h - what the front doors use of this room: database, import, ad-hoc queries. */
#ifndef BW_SQL_H
#define BW_SQL_H

#include "common/command.h"
#include "common/sqlite.h"

extern const bw_command BW_SQL_COMMANDS[];

/* Registers this room's SQL functions; the signature is that of sqlite3_auto_extension. */
int bw_sql_register(sqlite3 *db, char **message, const struct sqlite3_api_routines *api);

#endif
