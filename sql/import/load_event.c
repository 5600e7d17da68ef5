/* sql/import/load_event.c - days of events (temporary table import_event_day) into table event: successive
 * days or weeks of one name become one event, which also swallows shorter ones of that name that an
 * earlier, shorter file left. */
#include "sql/import/load.h"

#include "sql/db.h"

#include <string.h>

struct writer {
    bw_load *l;
    sqlite3_stmt *swallow, *put;
    int step; /* days between two rows */
};

static bw_status write_event(struct writer *w, const char *name, const char *kind, int first,
                             int last, bw_err *err) {
    char from[11], to[11];
    bw_day_text(first, from);
    bw_day_text(last + w->step - 1, to);
    sqlite3_stmt *const statements[] = {w->swallow, w->put};
    for (int i = 0; i < 2; i++) {
        sqlite3_bind_text(statements[i], 1, from, -1, SQLITE_STATIC);
        sqlite3_bind_text(statements[i], 2, to, -1, SQLITE_STATIC);
        sqlite3_bind_text(statements[i], 3, name, -1, SQLITE_STATIC);
    }
    sqlite3_bind_text(w->put, 4, kind, -1, SQLITE_STATIC);
    bw_status st = bw_db_run(w->swallow, err);
    if (st == BW_OK)
        st = bw_db_run(w->put, err);
    w->l->report->rows_new += sqlite3_changes(w->l->db) > 0;
    return st;
}

struct event {
    char name[256], kind[16];
    int first, last;
    bool open;
};

static bw_status step_event(struct writer *w, struct event *e, sqlite3_stmt *days, bw_err *err) {
    const char *name = (const char *)sqlite3_column_text(days, 0);
    int day = sqlite3_column_int(days, 1);
    bw_status st = BW_OK;
    if (e->open && strcmp(e->name, name) == 0 && day - e->last <= w->step) {
        e->last = day;
        return BW_OK;
    }
    if (e->open)
        st = write_event(w, e->name, e->kind, e->first, e->last, err);
    snprintf(e->name, sizeof e->name, "%s", name);
    snprintf(e->kind, sizeof e->kind, "%s", (const char *)sqlite3_column_text(days, 2));
    e->first = e->last = day;
    e->open = true;
    return st;
}

static bw_status write_all(struct writer *w, sqlite3_stmt *days, bw_err *err) {
    struct event e = {.open = false};
    bool row = true;
    bw_status st = BW_OK;
    while (st == BW_OK && row) {
        st = bw_db_step(days, &row, err);
        if (st == BW_OK && row)
            st = step_event(w, &e, days, err);
    }
    return st == BW_OK && e.open ? write_event(w, e.name, e.kind, e.first, e.last, err) : st;
}

bw_status bw_load_events(bw_load *l, bool weekly, bw_err *err) {
    struct writer w = {.l = l, .step = weekly ? 7 : 1};
    sqlite3_stmt *days = NULL;
    bw_status st = bw_db_prepare(
        l->db, "SELECT name, day, kind FROM import_event_day ORDER BY name, day", &days, err);
    if (st == BW_OK)
        st =
            bw_db_prepare(l->db, "DELETE FROM event WHERE name = ?3 AND day > ?1 AND end_day <= ?2",
                          &w.swallow, err);
    if (st == BW_OK)
        st = bw_db_prepare(l->db,
                           "INSERT INTO event(day, end_day, name, kind) VALUES (?1, ?2, ?3, ?4) ON "
                           "CONFLICT DO UPDATE "
                           "SET end_day = excluded.end_day WHERE end_day < excluded.end_day",
                           &w.put, err);
    if (st == BW_OK)
        st = write_all(&w, days, err);
    sqlite3_finalize(days);
    sqlite3_finalize(w.swallow);
    sqlite3_finalize(w.put);
    return st;
}
