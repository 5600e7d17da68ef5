/* sql/functions.c - the SQL functions of this room, one table. */
#include "sql/sql.h"
#include "sql/redact.h"

#include <stdlib.h>

#ifdef BW_EXTENSION
SQLITE_EXTENSION_INIT3
#endif

static void sql_redact(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
        return;
    char *clean = bw_redact((const char *)sqlite3_value_text(argv[0]));
    if (clean)
        sqlite3_result_text(ctx, clean, -1, free);
    else
        sqlite3_result_error_nomem(ctx);
}

static const struct {
    const char *name;
    int nargs, flags;
    void (*fn)(sqlite3_context *, int, sqlite3_value **);
} FUNCTIONS[] = {
    {"redact", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, sql_redact},
};

int bw_sql_register(sqlite3 *db, char **message, const struct sqlite3_api_routines *api) {
    (void)message;
    (void)api;
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++)
        rc =
            sqlite3_create_function_v2(db, FUNCTIONS[i].name, FUNCTIONS[i].nargs,
                                       FUNCTIONS[i].flags, NULL, FUNCTIONS[i].fn, NULL, NULL, NULL);
    return rc;
}
