/* sql/import/load_names.c - the channels, regions and campaigns that rows name, into tables of their own
 * once the rows are in. */
#include "sql/import/load.h"

#include "sql/db.h"

#include <stdlib.h>

bool bw_load_note_campaign(bw_load *l, const bw_value *campaign, const bw_value *channel, int day) {
    size_t i = bw_names_number(&l->campaigns, campaign->text, campaign->len);
    size_t c = bw_names_number(&l->channels, channel->text, channel->len);
    if (i == (size_t)-1 || c == (size_t)-1)
        return false;
    if (i >= l->n_spans) {
        size_t n = 2 * i + 16;
        bw_span *more = realloc(l->spans, n * sizeof *more);
        if (!more)
            return false;
        l->spans = more;
        l->n_spans = n;
    }
    bw_span *s = &l->spans[i];
    if (i >= l->n_campaigns) {
        *s = (bw_span){day, day, c};
        l->n_campaigns = i + 1;
    }
    s->first = day < s->first ? day : s->first;
    s->last = day > s->last ? day : s->last;
    return true;
}

static bw_status write_set(sqlite3 *db, const char *sql, const bw_names *names, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, sql, &s, err);
    for (size_t i = 0; st == BW_OK && i < names->n; i++) {
        sqlite3_bind_text(s, 1, names->list[i], -1, SQLITE_STATIC);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status write_campaigns(bw_load *l, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        l->db,
        "INSERT INTO campaign(name, channel, start_day, end_day) VALUES (?,?,?,?) ON CONFLICT DO "
        "UPDATE SET channel = coalesce(channel, excluded.channel), "
        "start_day = coalesce(min(start_day, excluded.start_day), excluded.start_day), "
        "end_day = coalesce(max(end_day, excluded.end_day), excluded.end_day)",
        &s, err);
    for (size_t i = 0; st == BW_OK && i < l->n_campaigns; i++) {
        char first[11], last[11];
        bw_day_text(l->spans[i].first, first);
        bw_day_text(l->spans[i].last, last);
        sqlite3_bind_text(s, 1, l->campaigns.list[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, l->channels.list[l->spans[i].channel], -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, first, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 4, last, -1, SQLITE_STATIC);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    return st;
}

bw_status bw_load_write_names(bw_load *l, bw_err *err) {
    bw_status st = write_set(l->db, "INSERT INTO channel(name) VALUES (?) ON CONFLICT DO NOTHING",
                             &l->channels, err);
    if (st == BW_OK)
        st = write_set(l->db, "INSERT INTO geo(name) VALUES (?) ON CONFLICT DO NOTHING", &l->geos,
                       err);
    return st == BW_OK ? write_campaigns(l, err) : st;
}

void bw_load_free_names(bw_load *l) {
    bw_names_free(&l->channels);
    bw_names_free(&l->geos);
    bw_names_free(&l->campaigns);
    free(l->spans);
}
