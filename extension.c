/* extension.c - the SQL functions as a loadable SQLite extension, for any host:
 *   sqlite3 shop.db -cmd '.load ./bellwether' "SELECT sentiment(text) FROM review"
 *   python3: connection.enable_load_extension(True); connection.load_extension('./bellwether') */
#include "common/sqlite.h"
#include "analyze/analyze.h"
#include "model/model.h"
#include "sql/sql.h"

SQLITE_EXTENSION_INIT1

#ifdef _WIN32
__declspec(dllexport)
#endif
    int sqlite3_bellwether_init(sqlite3 *db, char **message, const sqlite3_api_routines *api);

int sqlite3_bellwether_init(sqlite3 *db, char **message, const sqlite3_api_routines *api) {
    SQLITE_EXTENSION_INIT2(api);
    int rc = bw_sql_register(db, message, api);
    if (rc == SQLITE_OK)
        rc = bw_model_register(db, message, api);
    if (rc == SQLITE_OK)
        rc = bw_analyze_register(db, message, api);
    return rc;
}
