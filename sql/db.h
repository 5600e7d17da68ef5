/* sql/db.h - opening the database, transactions, and the few query helpers every room uses.
 *
 * A database is one SQLite file at the program's schema version (PRAGMA user_version). Opening
 * migrates an older file forward, refuses a newer one, and refuses what is not ours. */
#ifndef BW_SQL_DB_H
#define BW_SQL_DB_H

#include "common/sqlite.h"
#include "common/status.h"

typedef enum {
    BW_DB_READ,  /* must exist; read-only */
    BW_DB_WRITE, /* must exist */
    BW_DB_CREATE /* made when missing, or when the file is empty */
} bw_db_mode;

/* Opens path. On BW_OK, *db is the caller's, to be closed with bw_db_close; otherwise *db is NULL.
 * A connection serves one thread at a time. Ctrl-C ends a running query with BW_EINTERRUPTED. */
bw_status bw_db_open(const char *path, bw_db_mode mode, sqlite3 **db, bw_err *err);
void bw_db_close(sqlite3 *db); /* NULL is fine */

/* Runs statements without result. */
bw_status bw_db_exec(sqlite3 *db, const char *sql, bw_err *err);

/* Prepares one statement; bind what is left with sqlite3_bind_*. Finalize with sqlite3_finalize. */
bw_status bw_db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, bw_err *err);

/* Steps: *row is true while there is a row. */
bw_status bw_db_step(sqlite3_stmt *s, bool *row, bw_err *err);
/* Runs a bound statement that returns no row, and resets it for the next binding. */
bw_status bw_db_run(sqlite3_stmt *s, bw_err *err);

/* BEGIN IMMEDIATE; bw_db_end commits when st is BW_OK and rolls back otherwise. Returns st, or why
 * the commit failed. */
bw_status bw_db_begin(sqlite3 *db, bw_err *err);
bw_status bw_db_end(sqlite3 *db, bw_status st, bw_err *err);

/* A setting, or fallback (borrowed) when it is not set. The caller frees; NULL on out of memory. */
char *bw_db_setting(sqlite3 *db, const char *key, const char *fallback);
bw_status bw_db_set(sqlite3 *db, const char *key, const char *value, bw_err *err);

/* One number from a query without parameters; fallback when there is no row or it is NULL. */
double bw_db_number(sqlite3 *db, const char *sql, double fallback);

/* Fingerprint of the rows a query returns (SHA-256, first 16 hex digits, NUL-terminated): what a
 * stage compares to know whether it is out of date. */
bw_status bw_db_fingerprint(sqlite3 *db, const char *sql, char out[17], bw_err *err);

/* Fills err from the connection's last error, naming the file, and saying what to do when the
 * database is locked, read-only, full or damaged. */
bw_status bw_db_fail(sqlite3 *db, const char *doing, bw_err *err);

#endif
