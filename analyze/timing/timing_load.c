/* analyze/timing/timing_load.c - cells of messages from the database into arrays, one channel after another.
 *
 * A cell is what shares channel, hour of a day, audience and content (timing_cells.h). Where a channel has more
 * than BW_CELLS_MOST of them, days that mean the same to the model (month, weekday, holiday, promotion,
 * pay-day) are put together, and the gaps are rounded; where that is not enough, audiences are too. So memory
 * and time of the fit have a bound, however many messages there are. */
#include "analyze/timing/timing_load.h"

#include "analyze/table.h"
#include "analyze/timing/timing_cells.h"
#include "analyze/timing/timing_day.h"
#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOLIDAY_LEAD  7 /* days */
#define HOLIDAY_LAG   3
#define AUDIENCES_MAX 400u

struct span {
    double first, last;
};
struct calendar {
    struct span *promotion, *holiday;
    size_t promotions, holidays;
};
struct loader {
    bw_sends *out;
    struct calendar days;
    int64_t *theme_id;
    char *audience[AUDIENCES_MAX]; /* of the channel at hand */
};

static bw_status load_spans(sqlite3 *db, const char *kind, struct span **out, size_t *n,
                            bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db, "SELECT day, end_day, count(*) OVER () FROM event WHERE kind = ?", &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        if (!*out && !(*out = malloc((size_t)sqlite3_column_int64(s, 2) * sizeof **out)))
            st = bw_fail_memory(err);
        struct span x;
        if (st == BW_OK && bw_day_parse((const char *)sqlite3_column_text(s, 0), &x.first) &&
            bw_day_parse((const char *)sqlite3_column_text(s, 1), &x.last))
            (*out)[(*n)++] = x;
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status load_calendar(sqlite3 *db, struct calendar *c, bw_err *err) {
    bw_status st = load_spans(db, "promotion", &c->promotion, &c->promotions, err);
    return st == BW_OK ? load_spans(db, "holiday", &c->holiday, &c->holidays, err) : st;
}

static bw_status load_themes(sqlite3 *db, struct loader *l, bw_err *err) {
    size_t most = (size_t)bw_db_number(db, "SELECT count(*) FROM topic WHERE kind = 'message'", 0);
    l->theme_id = malloc((most + 1) * sizeof *l->theme_id);
    l->out->theme = calloc(most + 1, sizeof *l->out->theme);
    if (!l->theme_id || !l->out->theme)
        return bw_fail_memory(err);
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(db, "SELECT id, name FROM topic WHERE kind = 'message' ORDER BY id", &s, err);
    bool row = true;
    while (st == BW_OK && row && l->out->themes < most) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row) {
            l->theme_id[l->out->themes] = sqlite3_column_int64(s, 0);
            char *name = strdup((const char *)sqlite3_column_text(s, 1));
            l->out->theme[l->out->themes++] = name;
            st = name ? BW_OK : bw_fail_memory(err);
        }
    }
    sqlite3_finalize(s);
    return st;
}

static bool inside(const struct span *s, size_t n, double day, double lead, double lag) {
    for (size_t i = 0; i < n; i++)
        if (day >= s[i].first - lead && day <= s[i].last + lag)
            return true;
    return false;
}

static int holiday_phase(const struct calendar *c, double day) {
    if (inside(c->holiday, c->holidays, day, 0, 0))
        return 2;
    if (inside(c->holiday, c->holidays, day, HOLIDAY_LEAD, 0))
        return 1;
    return inside(c->holiday, c->holidays, day, 0, HOLIDAY_LAG) ? 3 : 0;
}

static void forget_audiences(struct loader *l, bw_send_channel *c) {
    for (size_t i = 0; c && i < c->audiences && i < AUDIENCES_MAX; i++)
        free(l->audience[i]);
    memset(l->audience, 0, sizeof l->audience);
}

/* More audiences than AUDIENCES_MAX share the last code: single recipients are no audience. */
static uint32_t audience_code(struct loader *l, bw_send_channel *c, const char *name) {
    for (size_t i = 0; i < c->audiences; i++)
        if (strcmp(l->audience[i], name) == 0)
            return (uint32_t)i;
    if (c->audiences == AUDIENCES_MAX)
        return AUDIENCES_MAX - 1;
    l->audience[c->audiences] = strdup(name);
    return l->audience[c->audiences] ? (uint32_t)c->audiences++ : 0;
}

static bw_status open_channel(struct loader *l, const char *name, bw_send_channel **out,
                              bw_err *err) {
    bw_sends *all = l->out;
    bw_send_channel *last = all->channels ? &all->channel[all->channels - 1] : NULL;
    *out = last;
    if (last && strcmp(last->name, name) == 0)
        return BW_OK;
    forget_audiences(l, last);
    bw_send_channel *more = realloc(all->channel, (all->channels + 1) * sizeof *more);
    if (!more)
        return bw_fail_memory(err);
    all->channel = more;
    more[all->channels] = (bw_send_channel){.name = strdup(name)};
    *out = &more[all->channels++];
    return (*out)->name ? BW_OK : bw_fail_memory(err);
}

static uint32_t theme_code(const struct loader *l, sqlite3_stmt *s, int column) {
    if (sqlite3_column_type(s, column) == SQLITE_NULL)
        return UINT32_MAX;
    for (size_t k = 0; k < l->out->themes; k++)
        if (l->theme_id[k] == sqlite3_column_int64(s, column))
            return (uint32_t)k;
    return UINT32_MAX;
}

static bw_status add_send(struct loader *l, sqlite3_stmt *s, bw_err *err) {
    bw_send_channel *c = NULL;
    bw_status st = open_channel(l, (const char *)sqlite3_column_text(s, 0), &c, err);
    double day;
    if (st != BW_OK || !bw_day_parse((const char *)sqlite3_column_text(s, 1), &day))
        return st;
    if (c->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 256;
        bw_send *more = realloc(c->send, cap * sizeof *more);
        if (!more)
            return bw_fail_memory(err);
        c->send = more;
        c->cap = cap;
    }
    c->send[c->n++] = (bw_send){
        .day = day,
        .hour = sqlite3_column_int(s, 2),
        .audience = audience_code(l, c, (const char *)sqlite3_column_text(s, 3)),
        .gap = sqlite3_column_type(s, 4) == SQLITE_NULL ? NAN : sqlite3_column_double(s, 4),
        .flags = (uint32_t)sqlite3_column_int(s, 5),
        .theme = theme_code(l, s, 6),
        .messages = sqlite3_column_double(s, 7),
        .trials = sqlite3_column_double(s, 8),
        .successes = sqlite3_column_double(s, 9),
        .promotion = inside(l->days.promotion, l->days.promotions, day, 0, 0),
        .holiday = holiday_phase(&l->days, day)};
    l->out->first_day = fmin(l->out->first_day, day);
    l->out->last_day = fmax(l->out->last_day, day);
    return BW_OK;
}

/* Days that mean the same to the model get the same class. */
static int64_t day_class(const struct calendar *c, double day) {
    bw_calendar_day d = bw_calendar_day_of(day);
    int64_t class = (d.year * 12 + d.month) * 7 + d.weekday;
    class = 2 * class + (d.payday ? 1 : 0);
    class = 2 * class + (inside(c->promotion, c->promotions, day, 0, 0) ? 1 : 0);
    return 4 * class + holiday_phase(c, day);
}

static bool give_class(void *calendar, const char *day, int64_t *class) {
    double number;
    if (!bw_day_parse(day, &number))
        return false;
    *class = day_class(calendar, number);
    return true;
}

static bw_status condense(sqlite3 *db, struct calendar *days, bw_detail *detail, bw_err *err) {
    bw_status st = load_calendar(db, days, err);
    if (st == BW_OK)
        st = bw_cells_classify(db, give_class, days, err);
    return st == BW_OK ? bw_cells_condense(db, detail, err) : st;
}

static void calendar_free(struct calendar *c) {
    free(c->promotion);
    free(c->holiday);
}

bw_status bw_sends_gather(sqlite3 *db, const char *metric, bw_sends *out, bw_err *err) {
    struct calendar days = {0};
    bw_detail detail = BW_DETAIL_DAYS;
    bw_status st = bw_sends_choose(db, metric, out, err);
    if (st == BW_OK)
        st = bw_cells_make(db, out, err);
    if (st == BW_OK)
        st = condense(db, &days, &detail, err);
    out->merged = detail != BW_DETAIL_DAYS;
    calendar_free(&days);
    return st;
}

static bw_status read_cells(sqlite3 *db, struct loader *l, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_cells_prepare(db, &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            st = add_send(l, s, err);
        if (st == BW_OK && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED, "interrupted");
    }
    sqlite3_finalize(s);
    return st;
}

bw_status bw_sends_read(sqlite3 *db, bw_sends *out, bw_err *err) {
    out->first_day = INFINITY;
    out->last_day = -INFINITY;
    struct loader l = {.out = out};
    bw_status st = load_calendar(db, &l.days, err);
    if (st == BW_OK)
        st = load_themes(db, &l, err);
    if (st == BW_OK)
        st = read_cells(db, &l, err);
    out->untimed = bw_db_number(db, "SELECT count(*) FROM message", 0) - bw_cells_messages(db);
    forget_audiences(&l, out->channels ? &out->channel[out->channels - 1] : NULL);
    calendar_free(&l.days);
    free(l.theme_id);
    if (st == BW_OK && !out->channels)
        st = bw_fail(err, BW_EDATA, "no message has both a time and a result");
    if (st != BW_OK)
        bw_sends_free(out);
    return st;
}

void bw_sends_free(bw_sends *s) {
    for (size_t c = 0; c < s->channels; c++) {
        free(s->channel[c].name);
        free(s->channel[c].send);
    }
    free(s->channel);
    for (size_t k = 0; k < s->themes; k++)
        free(s->theme[k]);
    free(s->theme);
    *s = (bw_sends){0};
}
