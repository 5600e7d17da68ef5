/* analyze/forecast/forecast_load.c - weekly series and events from the database. */
#include "analyze/forecast/forecast_load.h"

#include "analyze/table.h"
#include "sql/db.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX  40u
#define NAME_BYTES  160u
#define AFTER_DAYS  14
#define CLOSED_MOST 0.2 /* share of weeks without sales up to which they are taken as closed */

const char BW_SERIES_INPUT[] =
    "SELECT day, total(revenue), total(orders), total(units), count(*) FROM outcome GROUP BY day "
    "UNION ALL SELECT name || day, end_day, kind, 0, 0 FROM event "
    "UNION ALL SELECT key, value, 0, 0, 0 FROM setting WHERE key = 'week_start' OR key LIKE "
    "'plan.%'";

static const char WEEKS[] = "WITH ws AS (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM "
                            "setting WHERE key = 'week_start'), 1) AS w), "
                            "daily AS (SELECT day, total(revenue) AS revenue, total(orders) AS "
                            "orders, total(units) AS units "
                            "  FROM outcome GROUP BY day) "
                            "SELECT date(day, '-' || ((strftime('%w', day) - w + 7) % 7) || ' "
                            "days') AS week, total(revenue), "
                            "total(orders), total(units), count(*) FROM daily, ws GROUP BY week "
                            "HAVING week IS NOT NULL ORDER BY week";

struct week {
    double day, value;
    int days;
};

static int measure_column(const char *measure) {
    static const char *const NAMES[] = {"revenue", "orders", "units"};
    for (int i = 0; i < 3; i++)
        if (strcmp(NAMES[i], measure) == 0)
            return i + 1;
    return 0;
}

static bw_status read_weeks(sqlite3 *db, int column, struct week **out, size_t *n, bw_err *err) {
    sqlite3_stmt *s;
    size_t cap = 0;
    bw_status st = bw_db_prepare(db, WEEKS, &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        if (*n == cap) {
            cap = cap ? 2 * cap : 256;
            struct week *more = realloc(*out, cap * sizeof *more);
            if (!more) {
                st = bw_fail_memory(err);
                break;
            }
            *out = more;
        }
        struct week *w = &(*out)[*n];
        *w = (struct week){.value = sqlite3_column_double(s, column),
                           .days = sqlite3_column_int(s, 4)};
        *n += bw_day_parse((const char *)sqlite3_column_text(s, 0), &w->day);
    }
    sqlite3_finalize(s);
    return st;
}

static void leave_closed_weeks_out(bw_series *s, bw_notes *notes) {
    size_t closed = 0, missing = 0;
    for (size_t t = 0; t < s->n; t++) {
        closed += s->y[t] == 0;
        missing += isnan(s->y[t]) ? 1 : 0;
    }
    if (missing)
        bw_note(notes, "%zu weeks have no rows: they are taken as not known", missing);
    if (!closed || (double)closed > CLOSED_MOST * (double)s->n)
        return;
    for (size_t t = 0; t < s->n; t++)
        s->y[t] = s->y[t] == 0 ? NAN : s->y[t];
    bw_note(notes, "%zu weeks without a sale are taken as closed", closed);
}

/* Days with sales in a whole week: 7 for a daily table, 5 where weekends are closed, 1 when a row is a
 * week. */
static int full_week(const struct week *w, size_t n) {
    int most = 0;
    for (size_t i = 0; i < n; i++)
        most = w[i].days > most ? w[i].days : most;
    return most;
}

static bw_status to_series(const struct week *w, size_t n, size_t horizon, bw_series *out,
                           bw_notes *notes, bw_err *err) {
    size_t first = 0;
    int full = full_week(w, n);
    while (n > 0 && w[n - 1].days < full)
        n--;
    while (first < n && w[first].days < full)
        first++;
    if (n - first < 2)
        return bw_fail(err, BW_EDATA,
                       "%zu complete weeks of sales; eight are the least for a forecast",
                       n - first);
    out->n = (size_t)((w[n - 1].day - w[first].day) / 7) + 1;
    out->horizon = horizon;
    out->first = w[first].day;
    out->step = 7;
    out->calendar = true;
    out->y = malloc(out->n * sizeof *out->y);
    if (!out->y)
        return bw_fail_memory(err);
    for (size_t t = 0; t < out->n; t++)
        out->y[t] = NAN;
    for (size_t i = first; i < n; i++)
        out->y[(size_t)((w[i].day - out->first) / 7)] = w[i].value;
    leave_closed_weeks_out(out, notes);
    return BW_OK;
}

/* "Spring sale 2025" -> "Spring sale": the same event in another year. */
static void drop_year(char *name) {
    size_t n = strlen(name);
    if (n > 5 && name[n - 5] == ' ' && isdigit((unsigned char)name[n - 1]) &&
        isdigit((unsigned char)name[n - 2]) && isdigit((unsigned char)name[n - 3]) &&
        isdigit((unsigned char)name[n - 4]))
        name[n - 5] = '\0';
}

struct event {
    char name[NAME_BYTES];
    double first, last;
};

/* Demand that a promotion pulled forward is missing in the two weeks after it. */
static void add_aftermath(struct event *e, size_t *n) {
    e[*n] = (struct event){.first = e[*n - 1].last + 1, .last = e[*n - 1].last + AFTER_DAYS};
    snprintf(e[*n].name, sizeof e[*n].name, "after a promotion");
    (*n)++;
}

static bw_status read_events(sqlite3 *db, struct event **out, size_t *n, bw_err *err) {
    sqlite3_stmt *s;
    size_t most = (size_t)bw_db_number(db, "SELECT count(*) FROM event", 0);
    *out = malloc((2 * most + 1) * sizeof **out);
    if (!*out)
        return bw_fail_memory(err);
    bw_status st = bw_db_prepare(
        db, "SELECT name, day, end_day, kind = 'promotion' FROM event ORDER BY name, day", &s, err);
    bool row = true;
    while (st == BW_OK && row && *n < 2 * most) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        struct event *e = &(*out)[*n];
        snprintf(e->name, sizeof e->name, "%s", (const char *)sqlite3_column_text(s, 0));
        drop_year(e->name);
        if (!bw_day_parse((const char *)sqlite3_column_text(s, 1), &e->first) ||
            !bw_day_parse((const char *)sqlite3_column_text(s, 2), &e->last))
            continue;
        (*n)++;
        if (sqlite3_column_int(s, 3))
            add_aftermath(*out, n);
    }
    sqlite3_finalize(s);
    return st;
}

/* Days of the week that starts at `week` which the event covers, as a share. */
static double covered(const struct event *e, double week) {
    double first = fmax(week, e->first), last = fmin(week + 6, e->last);
    return last >= first ? (last - first + 1) / 7 : 0;
}

static size_t find_name(const bw_series *s, const char *name) {
    size_t j = 0;
    while (j < s->extra && strcmp(s->name[j], name) != 0)
        j++;
    return j;
}

/* Names that occur within the weeks seen become columns; one that only lies ahead has no past to learn from. */
static bw_status event_names(const struct event *e, size_t n, bw_series *s, bw_notes *notes,
                             bw_err *err) {
    s->name = calloc(EVENTS_MAX, sizeof *s->name);
    s->is_event = calloc(EVENTS_MAX, sizeof *s->is_event);
    if (!s->name || !s->is_event)
        return bw_fail_memory(err);
    double end = bw_series_at(s, s->n);
    for (size_t i = 0; i < n; i++) {
        bool seen = e[i].last >= s->first && e[i].first < end;
        if (!seen && e[i].first >= end && find_name(s, e[i].name) == s->extra)
            bw_note(notes,
                    "event '%s' lies ahead and has no past: its effect is not in the forecast",
                    e[i].name);
        if (!seen || find_name(s, e[i].name) < s->extra || s->extra == EVENTS_MAX)
            continue;
        s->is_event[s->extra] = true;
        s->name[s->extra] = strdup(e[i].name);
        if (!s->name[s->extra++])
            return bw_fail_memory(err);
    }
    return BW_OK;
}

static bw_status event_columns(sqlite3 *db, bw_series *s, bw_notes *notes, bw_err *err) {
    struct event *e = NULL;
    size_t n = 0, rows = s->n + s->horizon;
    bw_status st = read_events(db, &e, &n, err);
    if (st == BW_OK)
        st = event_names(e, n, s, notes, err);
    if (st == BW_OK) {
        s->x = calloc(rows * s->extra + 1, sizeof *s->x);
        st = s->x ? BW_OK : bw_fail_memory(err);
    }
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        size_t j = find_name(s, e[i].name);
        for (size_t t = 0; j < s->extra && t < rows; t++)
            s->x[t * s->extra + j] += covered(&e[i], bw_series_at(s, t));
    }
    free(e);
    return st;
}

bw_status bw_series_from_db(sqlite3 *db, const char *measure, size_t horizon, bw_series *out,
                            bw_notes *notes, bw_err *err) {
    *out = (bw_series){0};
    struct week *w = NULL;
    size_t n = 0;
    int column = measure_column(measure);
    if (!column)
        return bw_fail(err, BW_EUSAGE, "'%s' cannot be forecast; revenue, orders and units can",
                       measure);
    bw_status st = read_weeks(db, column, &w, &n, err);
    if (st == BW_OK && n == 0)
        st = bw_fail(err, BW_EDATA,
                     "there are no sales; 'bellwether import outcome FILE' brings them in");
    if (st == BW_OK)
        st = to_series(w, n, horizon, out, notes, err);
    if (st == BW_OK)
        st = event_columns(db, out, notes, err);
    free(w);
    if (st != BW_OK)
        bw_series_free(out);
    return st;
}
