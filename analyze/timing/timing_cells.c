/* analyze/timing/timing_cells.c - the GROUP BY of messages, and reading its rows in coarser or finer detail. */
#include "analyze/timing/timing_cells.h"

#include "sql/db.h"

#include <stdio.h>

const char BW_CELLS_INPUT[] =
    "SELECT channel, day, hour, audience, gap, flags, theme, messages, trials, successes FROM "
    "temp.message_read "
    "UNION ALL SELECT name, day || end_day, kind, 0, 0, 0, 0, 0, 0, 0 FROM event WHERE kind IN "
    "('holiday', 'promotion') "
    "UNION ALL SELECT name, '', size, 0, 0, 0, 0, 0, 0, 0 FROM topic WHERE kind = 'message' "
    "UNION ALL SELECT count(*), '', 0, 0, 0, 0, 0, 0, 0, 0 FROM message";

/* Filled in: flags, theme, of how many, what it counts as, content, joins, of how many again, the metric,
 * content to group by. Checks of the time are made on the groups: there are fewer of them than messages. */
static const char CELLS[] =
    "CREATE TEMP TABLE message_cell AS SELECT channel, substr(slot, 1, 10) AS day, "
    " CAST(substr(slot, 12, 2) AS INTEGER) AS hour, coalesce(audience, '') AS audience, %s AS "
    "flags, "
    " %s AS theme, messages, trials, successes FROM ("
    "SELECT substr(m.sent_at, 1, 13) AS slot, m.audience AS audience, m.channel AS channel, "
    " count(*) AS messages, sum(%s) AS trials, sum(%s) AS successes%s "
    " FROM message m %s WHERE %s > 0 AND m.%s >= 0 GROUP BY 1, 2, 3%s) "
    "WHERE substr(slot, 12, 2) GLOB '[0-2][0-9]' AND CAST(substr(slot, 12, 2) AS INTEGER) < 24 AND "
    " date(substr(slot, 1, 10)) IS NOT NULL";

static const char FLAGS[] =
    "coalesce((c.question > 0) + 2 * (c.number > 0) + 4 * (c.emoji > 0) + 8 * (c.urgency > 0) + 16 "
    "* (c.personal > 0) + 32 * (c.positive - c.negative > 0.25) + 64 * (c.negative - c.positive > "
    "0.25) + 128 * (c.chars > (SELECT avg(chars) FROM message_score)), 0) AS flags";

static const char THEMED[] =
    "LEFT JOIN (SELECT m.id AS id, min(t.id) AS theme FROM topic t JOIN topic_member m ON m.topic "
    "= t.id WHERE t.kind = 'message' GROUP BY m.id) th ON th.id = m.id";

/* Gaps are between days on which an audience heard from us on any channel. */
static const char HEARD[] =
    "CREATE TEMP TABLE message_heard (audience TEXT, day TEXT, gap REAL, PRIMARY KEY (audience, "
    "day)) WITHOUT ROWID;"
    "INSERT INTO temp.message_heard SELECT audience, day, julianday(day) - julianday(lag(day) OVER "
    "(PARTITION BY audience ORDER BY day)) FROM (SELECT DISTINCT audience, day FROM "
    "temp.message_cell)";

void bw_cells_drop(sqlite3 *db) {
    bw_db_exec(db,
               "DROP TABLE IF EXISTS temp.message_cell; DROP TABLE IF EXISTS temp.message_heard; "
               "DROP TABLE IF EXISTS temp.message_day; DROP TABLE IF EXISTS temp.message_read",
               NULL);
}

bw_status bw_cells_make(sqlite3 *db, const bw_sends *out, bw_err *err) {
    bool themes =
        bw_db_number(db, "SELECT EXISTS (SELECT 1 FROM topic WHERE kind = 'message')", 0) > 0;
    char sql[sizeof CELLS + sizeof FLAGS + sizeof THEMED + 200], success[60],
        content[sizeof FLAGS + 40], joins[sizeof THEMED + 80];
    const char *trials = out->counted ? "m.delivered" : "1";
    snprintf(success, sizeof success,
             out->family == BW_FAMILY_RATE ? "min(m.%s, m.delivered)" : "m.%s", out->metric);
    snprintf(content, sizeof content, "%s%s%s", out->scored ? ", " : "", out->scored ? FLAGS : "",
             themes ? ", th.theme AS theme" : "");
    snprintf(joins, sizeof joins, "%s %s",
             out->scored ? "LEFT JOIN message_score c ON c.message = m.id" : "",
             themes ? THEMED : "");
    snprintf(sql, sizeof sql, CELLS, out->scored ? "flags" : "0", themes ? "theme" : "NULL", trials,
             success, content, joins, trials, out->metric,
             out->scored && themes   ? ", 7, 8"
             : out->scored || themes ? ", 7"
                                     : "");
    bw_cells_drop(db);
    return bw_db_exec(db, sql, err);
}

bw_status bw_cells_classify(sqlite3 *db, bw_give_class give, void *arg, bw_err *err) {
    sqlite3_stmt *days = NULL, *put = NULL;
    bw_status st = bw_db_exec(db, HEARD, err);
    if (st == BW_OK)
        st = bw_db_exec(
            db, "CREATE TEMP TABLE message_day (day TEXT PRIMARY KEY, class INTEGER) WITHOUT ROWID",
            err);
    if (st == BW_OK)
        st = bw_db_prepare(db, "SELECT DISTINCT day FROM temp.message_heard", &days, err);
    if (st == BW_OK)
        st = bw_db_prepare(db, "INSERT INTO temp.message_day VALUES (?, ?)", &put, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(days, &row, err);
        int64_t class;
        const char *day = st == BW_OK && row ? (const char *)sqlite3_column_text(days, 0) : NULL;
        if (!day || !give(arg, day, &class))
            continue;
        sqlite3_bind_text(put, 1, day, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(put, 2, class);
        st = bw_db_run(put, err);
    }
    sqlite3_finalize(days);
    sqlite3_finalize(put);
    return st;
}

/* Filled in: day, audience, gap, grouping. */
static const char READ[] =
    "CREATE TEMP TABLE message_read AS "
    "SELECT c.channel AS channel, %s AS day, c.hour AS hour, %s AS audience, %s AS gap, c.flags AS "
    "flags, c.theme AS theme, sum(c.messages) AS messages, sum(c.trials) AS trials, "
    "sum(c.successes) AS successes FROM temp.message_cell c JOIN temp.message_day d ON d.day = "
    "c.day JOIN temp.message_heard h ON h.audience = c.audience AND h.day = c.day "
    "GROUP BY c.channel, %s, c.hour, 4, 5, c.flags, c.theme";

#define ROUNDED_GAP                                                                           \
    "CASE WHEN h.gap <= 7 THEN h.gap WHEN h.gap <= 14 THEN 10 WHEN h.gap <= 30 THEN 20 WHEN " \
    "h.gap > 30 THEN 45 END"

static bw_status make_read(sqlite3 *db, bw_detail detail, bw_err *err) {
    char sql[sizeof READ + sizeof ROUNDED_GAP + 80];
    bool days = detail == BW_DETAIL_DAYS;
    snprintf(sql, sizeof sql, READ, days ? "c.day" : "min(c.day)",
             detail == BW_DETAIL_POOLED ? "''" : "c.audience", days ? "h.gap" : ROUNDED_GAP,
             days ? "c.day" : "d.class");
    bw_status st = bw_db_exec(db, "DROP TABLE IF EXISTS temp.message_read", err);
    return st == BW_OK ? bw_db_exec(db, sql, err) : st;
}

static double most_cells(sqlite3 *db, const char *table) {
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT max(n) FROM (SELECT count(*) AS n FROM %s GROUP BY channel)",
             table);
    return bw_db_number(db, sql, 0);
}

bw_status bw_cells_condense(sqlite3 *db, bw_detail *detail, bw_err *err) {
    *detail =
        most_cells(db, "temp.message_cell") <= BW_CELLS_MOST ? BW_DETAIL_DAYS : BW_DETAIL_CLASSES;
    bw_status st = make_read(db, *detail, err);
    if (st == BW_OK && most_cells(db, "temp.message_read") > BW_CELLS_MOST) {
        *detail = BW_DETAIL_POOLED;
        st = make_read(db, *detail, err);
    }
    return st;
}

bw_status bw_cells_prepare(sqlite3 *db, sqlite3_stmt **out, bw_err *err) {
    return bw_db_prepare(
        db,
        "SELECT channel, day, hour, audience, gap, flags, theme, messages, trials, "
        "successes FROM temp.message_read ORDER BY 1, 2, 3, 4, 6, 7",
        out, err);
}

double bw_cells_messages(sqlite3 *db) {
    return bw_db_number(db, "SELECT total(messages) FROM temp.message_read", 0);
}
