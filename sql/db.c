/* sql/db.c - open, migrate, transact.
 *
 * Migrations are the embedded files sql/schema/NNN.sql in order; the number of the last one applied
 * is PRAGMA user_version. Views live apart (views.sql): they hold no data, so they are made anew
 * whenever the text of that file changed. */
#include "sql/db.h"

#include "common/buf.h"
#include "common/embed.h"
#include "common/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BW_APPLICATION_ID 0x42574852 /* "BWHR", PRAGMA application_id */
#define POLL_STEPS        20000      /* of SQLite's machine between two looks for Ctrl-C */
#define BUSY_TIMEOUT_MS   5000       /* another bellwether is given this long to finish */

bw_status bw_db_fail(sqlite3 *db, const char *doing, bw_err *err) {
    const char *file = sqlite3_db_filename(db, "main");
    const char *name = file && *file ? file : "database";
    switch (sqlite3_errcode(db)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return bw_fail(err, BW_EDB, "%s: locked by another program; wait for it and run this again",
                       name);
    case SQLITE_READONLY:
        return bw_fail(err, BW_EDB,
                       "%s: read-only; check the permissions of the file and its folder", name);
    case SQLITE_FULL:
    case SQLITE_IOERR:
        return bw_fail(err, BW_EDB,
                       "%s: the disk refused (%s); free some space, nothing was changed", name,
                       sqlite3_errmsg(db));
    case SQLITE_NOTADB:
        return bw_fail(err, BW_EDB, "%s: not a database", name);
    case SQLITE_CORRUPT:
        return bw_fail(err, BW_EDB, "%s: damaged (%s); restore a copy", name, sqlite3_errmsg(db));
    case SQLITE_INTERRUPT:
        return bw_fail(err, BW_EINTERRUPTED, "interrupted");
    default:
        return bw_fail(err, BW_EDB, "%s: %s: %s", name, doing, sqlite3_errmsg(db));
    }
}

bw_status bw_db_exec(sqlite3 *db, const char *sql, bw_err *err) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? BW_OK
                                                                : bw_db_fail(db, "query", err);
}

bw_status bw_db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, bw_err *err) {
    *out = NULL;
    return sqlite3_prepare_v2(db, sql, -1, out, NULL) == SQLITE_OK ? BW_OK
                                                                   : bw_db_fail(db, sql, err);
}

bw_status bw_db_step(sqlite3_stmt *s, bool *row, bw_err *err) {
    int rc = sqlite3_step(s);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return BW_OK;
    return bw_db_fail(sqlite3_db_handle(s), "query", err);
}

bw_status bw_db_run(sqlite3_stmt *s, bw_err *err) {
    bool row;
    bw_status st = bw_db_step(s, &row, err);
    sqlite3_reset(s);
    return st;
}

bw_status bw_db_begin(sqlite3 *db, bw_err *err) {
    return bw_db_exec(db, "BEGIN IMMEDIATE", err);
}

bw_status bw_db_end(sqlite3 *db, bw_status st, bw_err *err) {
    if (st == BW_OK)
        st = bw_db_exec(db, "COMMIT", err);
    if (st != BW_OK && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

double bw_db_number(sqlite3 *db, const char *sql, double fallback) {
    sqlite3_stmt *s = NULL;
    double value = fallback;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW &&
        sqlite3_column_type(s, 0) != SQLITE_NULL)
        value = sqlite3_column_double(s, 0);
    sqlite3_finalize(s);
    return value;
}

char *bw_db_setting(sqlite3 *db, const char *key, const char *fallback) {
    sqlite3_stmt *s = NULL;
    char *value = NULL;
    if (sqlite3_prepare_v2(db, "SELECT value FROM setting WHERE key = ?", -1, &s, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW)
            value = strdup((const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    return value ? value : fallback ? strdup(fallback) : NULL;
}

bw_status bw_db_set(sqlite3 *db, const char *key, const char *value, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db,
                                 "INSERT INTO setting VALUES (?, ?) "
                                 "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                                 &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, value, -1, SQLITE_STATIC);
    st = bw_db_run(s, err);
    sqlite3_finalize(s);
    return st;
}

/* Type, length and bytes of each value, so that ('a','b') and ('ab','') differ. */
static void add_row(bw_sha256 *sum, sqlite3_stmt *s) {
    for (int i = 0; i < sqlite3_column_count(s); i++) {
        int type = sqlite3_column_type(s, i);
        double real = type == SQLITE_FLOAT ? sqlite3_column_double(s, i) : 0;
        const void *data = type == SQLITE_FLOAT ? (const void *)&real : sqlite3_column_blob(s, i);
        int n = type == SQLITE_FLOAT ? (int)sizeof real : sqlite3_column_bytes(s, i);
        bw_sha256_add(sum, &type, sizeof type);
        bw_sha256_add(sum, &n, sizeof n);
        if (n > 0)
            bw_sha256_add(sum, data, (size_t)n);
    }
}

bw_status bw_db_fingerprint(sqlite3 *db, const char *sql, char out[17], bw_err *err) {
    out[0] = '\0';
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, sql, &s, err);
    bw_sha256 sum;
    bw_sha256_start(&sum);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            add_row(&sum, s);
    }
    sqlite3_finalize(s);
    char hex[65];
    bw_sha256_hex(&sum, hex);
    if (st == BW_OK)
        memcpy(out, hex, 16), out[16] = '\0';
    return st;
}

/* The highest NNN with an embedded sql/schema/NNN.sql. */
static int schema_version(void) {
    int version = 0, found;
    for (size_t i = 0; bw_embed_name(i); i++)
        if (sscanf(bw_embed_name(i), "sql/schema/%3d.sql", &found) == 1 && found > version)
            version = found;
    return version;
}

static bw_status apply_migrations(sqlite3 *db, int from, int to, bw_err *err) {
    bw_status st = BW_OK;
    for (int v = from + 1; st == BW_OK && v <= to; v++) {
        char name[40], mark[60];
        snprintf(name, sizeof name, "sql/schema/%03d.sql", v);
        snprintf(mark, sizeof mark, "PRAGMA user_version = %d", v);
        const char *sql = bw_embed(name, NULL);
        st = sql ? bw_db_exec(db, sql, err) : bw_fail(err, BW_EDB, "migration %d is missing", v);
        if (st == BW_OK)
            st = bw_db_exec(db, mark, err);
    }
    return st;
}

static bw_status drop_views(sqlite3 *db, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db,
                                 "SELECT 'DROP VIEW \"' || replace(name, '\"', '\"\"') || '\";' "
                                 "FROM sqlite_schema WHERE type = 'view'",
                                 &s, err);
    bw_buf drops = {0};
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            bw_buf_add(&drops, (const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    if (st == BW_OK && drops.len)
        st = bw_buf_ok(&drops) ? bw_db_exec(db, drops.text, err) : bw_fail_memory(err);
    bw_buf_free(&drops);
    return st;
}

static void views_fingerprint(char out[65]) {
    size_t len = 0;
    const void *text = bw_embed("sql/schema/views.sql", &len);
    bw_sha256 sum;
    bw_sha256_start(&sum);
    bw_sha256_add(&sum, text, len);
    bw_sha256_hex(&sum, out);
}

static bool views_current(sqlite3 *db) {
    char want[65];
    views_fingerprint(want);
    char *have = bw_db_setting(db, "schema.views", "");
    bool same = have && strcmp(have, want) == 0;
    free(have);
    return same;
}

static bw_status make_views(sqlite3 *db, bw_err *err) {
    char print[65];
    views_fingerprint(print);
    bw_status st = drop_views(db, err);
    if (st == BW_OK)
        st = bw_db_exec(db, bw_embed("sql/schema/views.sql", NULL), err);
    return st == BW_OK ? bw_db_set(db, "schema.views", print, err) : st;
}

/* Brings the schema up to date in one transaction; a file at the right version is only read. */
static bw_status migrate(sqlite3 *db, const char *path, bw_db_mode mode, bw_err *err) {
    int want = schema_version();
    int have = (int)bw_db_number(db, "PRAGMA user_version", -1);
    if (have < 0) /* locked, or not a database */
        return bw_db_fail(db, "open", err);
    int id = (int)bw_db_number(db, "PRAGMA application_id", 0);
    double tables = bw_db_number(db, "SELECT count(*) FROM sqlite_schema", -1);
    if (tables < 0)
        return bw_db_fail(db, "open", err);
    if (tables > 0 && id != BW_APPLICATION_ID)
        return bw_fail(err, BW_EDB,
                       "%s: a SQLite database, but not one of Bellwether's; "
                       "name another file, 'bellwether init' makes one",
                       path);
    if (tables == 0 && mode != BW_DB_CREATE)
        return bw_fail(err, BW_EDB, "%s: an empty database; run 'bellwether init --db %s' first",
                       path, path);
    if (have > want)
        return bw_fail(err, BW_EDB,
                       "%s: written by a newer Bellwether (schema %d, this program knows %d); "
                       "update the program",
                       path, have, want);
    if (have == want && views_current(db))
        return BW_OK;
    if (mode == BW_DB_READ) /* a read-only visitor leaves an old file alone unless it must change */
        return have == want ? BW_OK
                            : bw_fail(err, BW_EDB,
                                      "%s: schema %d is older than the program's %d; run any "
                                      "writing command, e.g. 'bellwether init'",
                                      path, have, want);
    bw_status st = bw_db_begin(db, err);
    if (st != BW_OK)
        return st;
    /* Asked again inside the transaction: another process may have migrated meanwhile. */
    char mark[60];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d", BW_APPLICATION_ID);
    st = bw_db_exec(db, mark, err);
    if (st == BW_OK)
        st = apply_migrations(db, (int)bw_db_number(db, "PRAGMA user_version", 0), want, err);
    if (st == BW_OK)
        st = make_views(db, err);
    return bw_db_end(db, st, err);
}

static int on_progress(void *unused) {
    (void)unused;
    return bw_interrupted();
}

/* SQLite says "unable to open database file"; the operating system knows why. */
static bw_status fail_open(const char *path, sqlite3 *db, bw_err *err) {
    int why = sqlite3_system_errno(db);
    return bw_fail(err, BW_EIO, "%s: cannot be opened: %s", path,
                   why ? strerror(why) : sqlite3_errmsg(db));
}

bw_status bw_db_open(const char *path, bw_db_mode mode, sqlite3 **out, bw_err *err) {
    *out = NULL;
    if (mode != BW_DB_CREATE && access(path, F_OK) != 0)
        return bw_fail(err, BW_EIO,
                       "%s: %s; 'bellwether init --db %s' makes a new database, "
                       "'bellwether demo' a filled one",
                       path, strerror(errno), path);
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_NOMUTEX;
    flags |= mode == BW_DB_READ    ? SQLITE_OPEN_READONLY
             : mode == BW_DB_WRITE ? SQLITE_OPEN_READWRITE
                                   : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    bw_status st = BW_OK;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK)
        st = db ? fail_open(path, db, err) : bw_fail_memory(err);
    if (st == BW_OK) {
        sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
        sqlite3_progress_handler(db, POLL_STEPS, on_progress, NULL);
        sqlite3_exec(db, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = ON;", NULL, NULL, NULL);
        st = migrate(db, path, mode, err);
    }
    if (st != BW_OK) {
        sqlite3_close(db);
        return st;
    }
    *out = db;
    return BW_OK;
}

void bw_db_close(sqlite3 *db) {
    sqlite3_close(db);
}
