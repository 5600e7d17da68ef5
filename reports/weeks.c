/* reports/weeks.c - temporary tables in front of the views. SQLite looks a name up in temp first. */
#include "reports/weeks.h"

#include "sql/db.h"

#include <stdio.h>

static const char *const VIEWS[] = {"calendar_day", "weekly",      "channel_week",
                                    "product_week", "aspect_week", "review_sentiment_week"};
#define N_VIEWS (sizeof VIEWS / sizeof *VIEWS)

void bw_weeks_release(sqlite3 *db) {
    char sql[80];
    for (size_t i = 0; i < N_VIEWS; i++) {
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS temp.%s", VIEWS[i]);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
}

bw_status bw_weeks_hold(sqlite3 *db, bool *held, bw_err *err) {
    char sql[120];
    bw_status st = BW_OK;
    *held = bw_db_number(db, "SELECT count(*) FROM sqlite_temp_master WHERE name = 'calendar_day'",
                         0) == 0;
    for (size_t i = 0; *held && st == BW_OK && i < N_VIEWS; i++) {
        snprintf(sql, sizeof sql, "CREATE TEMP TABLE %s AS SELECT * FROM main.%s", VIEWS[i],
                 VIEWS[i]);
        st = bw_db_exec(db, sql, err);
    }
    if (st != BW_OK) {
        bw_weeks_release(db);
        *held = false;
    }
    return st;
}
