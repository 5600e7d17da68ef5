/* reports/past.c - the derived tables of a copy as one packed value of the database, and back: a second
 * database is attached in memory, filled, serialised and compressed. */
#include "reports/past.h"

#include "sql/db.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define STATE_MOST ((sqlite3_int64)1 << 30) /* bytes; a row that claims more is damaged */

/* The order is that of their references. */
static const char *const TABLES[] = {"model_run", "estimate", "curve", "customer_segment"};
#define N_TABLES (sizeof TABLES / sizeof *TABLES)

/* Runs a statement with a table's name in it: format has %w for it, twice at most. */
static bw_status run_for(sqlite3 *db, const char *format, const char *table, bw_err *err) {
    char *sql = sqlite3_mprintf(format, table, table);
    int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc == SQLITE_OK ? BW_OK : bw_db_fail(db, "estimates of an earlier week", err);
}

static bw_status attach(sqlite3 *copy, bw_err *err) {
    return run_for(copy, "ATTACH ':memory:' AS kept", "", err);
}

static bw_status store(sqlite3 *db, const char *last_day, const void *packed, uLong n,
                       sqlite3_int64 bytes, bw_err *err) {
    sqlite3_stmt *q = NULL;
    bw_status st = bw_db_prepare(db, "INSERT OR REPLACE INTO past_state VALUES (?, ?, ?)", &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, last_day, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, bytes);
    sqlite3_bind_blob64(q, 3, packed, n, SQLITE_STATIC);
    st = bw_db_run(q, err);
    sqlite3_finalize(q);
    return st;
}

bw_status bw_past_keep(sqlite3 *copy, sqlite3 *db, const char *last_day, bw_err *err) {
    bw_status st = attach(copy, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 0; st == BW_OK && i < N_TABLES; i++)
        st = run_for(copy, "CREATE TABLE kept.\"%w\" AS SELECT * FROM main.\"%w\"", TABLES[i], err);
    sqlite3_int64 bytes = 0;
    unsigned char *state = st == BW_OK ? sqlite3_serialize(copy, "kept", &bytes, 0) : NULL;
    uLong n = compressBound((uLong)bytes);
    unsigned char *packed = state ? malloc(n) : NULL;
    if (st == BW_OK && (!packed || compress(packed, &n, state, (uLong)bytes) != Z_OK))
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = store(db, last_day, packed, n, bytes, err);
    free(packed);
    sqlite3_free(state);
    sqlite3_exec(copy, "DETACH kept", NULL, NULL, NULL);
    return st;
}

/* The unpacked database, for sqlite3_deserialize to own. */
static bw_status unpack(sqlite3_stmt *q, unsigned char **state, sqlite3_int64 *bytes, bw_err *err) {
    *bytes = sqlite3_column_int64(q, 0);
    if (*bytes <= 0 || *bytes > STATE_MOST)
        return bw_fail(err, BW_EFORMAT, "past_state: a state of %lld bytes is damaged",
                       (long long)*bytes);
    *state = sqlite3_malloc64((sqlite3_uint64)*bytes);
    if (!*state)
        return bw_fail_memory(err);
    uLong n = (uLong)*bytes;
    if (uncompress(*state, &n, sqlite3_column_blob(q, 1), (uLong)sqlite3_column_bytes(q, 1)) ==
            Z_OK &&
        n == (uLong)*bytes)
        return BW_OK;
    sqlite3_free(*state);
    *state = NULL;
    return bw_fail(err, BW_EFORMAT, "past_state: a state cannot be unpacked, it is damaged");
}

static bw_status fill(sqlite3 *copy, unsigned char *state, sqlite3_int64 bytes, bw_err *err) {
    bw_status st = attach(copy, err);
    if (st != BW_OK) {
        sqlite3_free(state);
        return st;
    }
    if (sqlite3_deserialize(copy, "kept", state, bytes, bytes,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY) !=
        SQLITE_OK)
        st = bw_db_fail(copy, "past_state", err);
    for (size_t i = 0; st == BW_OK && i < N_TABLES; i++) {
        st = run_for(copy, "DELETE FROM main.\"%w\"", TABLES[i], err);
        if (st == BW_OK)
            st = run_for(copy, "INSERT INTO main.\"%w\" SELECT * FROM kept.\"%w\"", TABLES[i], err);
    }
    sqlite3_exec(copy, "DETACH kept", NULL, NULL, NULL);
    return st;
}

/* A database from before the table was there keeps nothing. */
static bool has_table(sqlite3 *db) {
    return sqlite3_table_column_metadata(db, NULL, "past_state", NULL, NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
}

bw_status bw_past_restore(sqlite3 *db, sqlite3 *copy, const char *last_day, bw_err *err) {
    sqlite3_stmt *q = NULL;
    unsigned char *state = NULL;
    sqlite3_int64 bytes = 0;
    bool row = false;
    bw_status st = BW_OK;
    if (has_table(db))
        st = bw_db_prepare(db, "SELECT bytes, packed FROM past_state WHERE last_day = ?", &q, err);
    if (q) {
        sqlite3_bind_text(q, 1, last_day, -1, SQLITE_STATIC);
        st = bw_db_step(q, &row, err);
    }
    if (st == BW_OK && !row)
        st = bw_fail(err, BW_EDATA, "no estimates are kept for %s", last_day);
    if (st == BW_OK)
        st = unpack(q, &state, &bytes, err);
    sqlite3_finalize(q);
    return st == BW_OK ? fill(copy, state, bytes, err) : st;
}
