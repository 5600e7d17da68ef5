/* sql/import/load_wide.c - a modelling table into outcome, spend, context and event.
 *
 * Each row is one day (or week) and region; each column that the mapping names becomes rows of its
 * own. Days of events wait in a temporary table until the rhythm of the rows is known, then
 * consecutive days or weeks become one event (sql/import/load_event.c). */
#include "sql/import/load.h"

#include "sql/import/columns.h"
#include "sql/db.h"
#include "sql/import/wide.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct wide {
    bw_load *l;
    bw_wide_map map;
    int *column;               /* of each entry of the map */
    int date, geo, population; /* columns, -1 when not mapped */
    bw_sink *outcome, *spend, *context;
    sqlite3_stmt *event, *people;
    bool exposures, clicks;
    char day[24];
    bw_date date_value;
    const char *part; /* region of the current row */
    size_t part_len;
    bool again; /* the row's key stands above already */
};

/* ---- before the rows ---- */

static int role_column(const struct wide *w, bw_wide_role role) {
    for (size_t i = 0; i < w->map.n; i++)
        if (w->map.list[i].role == role)
            return w->column[i];
    return -1;
}

static bool has_role(const struct wide *w, bw_wide_role role) {
    for (size_t i = 0; i < w->map.n; i++)
        if (w->map.list[i].role == role)
            return true;
    return false;
}

static void missing_column(struct wide *w, const char *name) {
    const char *near = bw_column_near(w->l->table, name);
    bw_buf fix = {0};
    if (near)
        bw_buf_addf(&fix, "the nearest is '%s'; ", near);
    bw_buf_add(&fix, "columns are ");
    bw_columns_list(w->l->table, &fix);
    bw_findings_add(w->l->findings,
                    &(bw_spot){.severity = BW_ERROR,
                               .rule = "missing_column",
                               .line = 1,
                               .column = name,
                               .fix = fix.text},
                    "the mapping names a column that the file does not have");
    bw_buf_free(&fix);
}

static void find_columns(struct wide *w) {
    for (size_t i = 0; i < w->map.n; i++) {
        w->column[i] = bw_column_find(w->l->table, w->map.list[i].column);
        if (w->column[i] < 0)
            missing_column(w, w->map.list[i].column);
    }
    w->date = role_column(w, BW_WIDE_DATE);
    w->geo = role_column(w, BW_WIDE_GEO);
    w->population = role_column(w, BW_WIDE_POPULATION);
}

static void note_unused(struct wide *w) {
    bw_buf names = {0};
    for (size_t c = 0; c < bw_sheet_columns(w->l->table); c++) {
        bool used = false;
        for (size_t i = 0; i < w->map.n; i++)
            used |= w->column[i] == (int)c;
        if (!used)
            bw_buf_addf(&names, "%s%s", names.len ? ", " : "", bw_sheet_column(w->l->table, c));
    }
    if (names.len)
        bw_findings_add(w->l->findings, &(bw_spot){.severity = BW_NOTE, .rule = "unused_column"},
                        "columns that the mapping does not name: %s", names.text);
    bw_buf_free(&names);
}

static void report_forms(struct wide *w) {
    bw_profile_report_date(w->l->table, (size_t)w->date, &w->l->profile, w->l->findings);
    for (size_t i = 0; i < w->map.n; i++)
        if (w->map.list[i].role >= BW_WIDE_OUTCOME && w->map.list[i].role != BW_WIDE_EVENT)
            bw_profile_report_number(w->l->table, (size_t)w->column[i], &w->l->profile,
                                     w->l->findings);
}

/* Exposure of a channel without spend is exposure nobody paid for. */
static void turn_organic(struct wide *w) {
    for (size_t i = 0; i < w->map.n; i++) {
        bw_wide_entry *e = &w->map.list[i];
        bool paid = e->role != BW_WIDE_EXPOSURE;
        for (size_t k = 0; !paid && k < w->map.n; k++)
            paid =
                w->map.list[k].role == BW_WIDE_SPEND && strcmp(w->map.list[k].name, e->name) == 0;
        if (paid)
            continue;
        e->role = BW_WIDE_ORGANIC;
        bw_findings_add(
            w->l->findings, &(bw_spot){.severity = BW_NOTE, .rule = "organic", .column = e->column},
            "the channel '%s' has exposure and no spend: it is taken as organic", e->name);
    }
}

/* The column of table outcome that holds what the file counts. */
static const char *outcome_column(const bw_wide_map *m) {
    return strcmp(m->outcome_kind, "conversions") == 0 ? "orders" : m->outcome_kind;
}

static bw_status open_outcome(struct wide *w, bw_err *err) {
    if (!has_role(w, BW_WIDE_OUTCOME) && !has_role(w, BW_WIDE_PRICE))
        return BW_OK;
    bw_sink_column c[8] = {{"day", true, false}, {"geo", true, false}, {"product", true, false}};
    size_t n = 3;
    if (has_role(w, BW_WIDE_OUTCOME))
        c[n++] = (bw_sink_column){outcome_column(&w->map), false, true};
    if (has_role(w, BW_WIDE_VALUE))
        c[n++] = (bw_sink_column){"revenue", false, true};
    if (has_role(w, BW_WIDE_PRICE))
        c[n++] = (bw_sink_column){"price", false, false};
    if (has_role(w, BW_WIDE_DISCOUNT))
        c[n++] = (bw_sink_column){"discount", false, false};
    return bw_sink_new(w->l->db, "outcome", c, n, &w->outcome, err);
}

static bw_status open_spend(struct wide *w, bw_err *err) {
    if (!has_role(w, BW_WIDE_SPEND) && !has_role(w, BW_WIDE_ORGANIC))
        return BW_OK;
    bw_sink_column c[8] = {{"day", true, false},
                           {"channel", true, false},
                           {"campaign", true, false},
                           {"geo", true, false},
                           {"cost", false, true}};
    size_t n = 5;
    w->exposures = has_role(w, BW_WIDE_EXPOSURE) || has_role(w, BW_WIDE_ORGANIC);
    w->clicks = has_role(w, BW_WIDE_CLICKS);
    if (w->exposures)
        c[n++] = (bw_sink_column){"impressions", false, true};
    if (w->clicks)
        c[n++] = (bw_sink_column){"clicks", false, true};
    return bw_sink_new(w->l->db, "spend", c, n, &w->spend, err);
}

static bw_status open_context(struct wide *w, bw_err *err) {
    static const bw_sink_column C[] = {{"day", true, false},
                                       {"series", true, false},
                                       {"geo", true, false},
                                       {"value", false, false}};
    return has_role(w, BW_WIDE_CONTEXT) ? bw_sink_new(w->l->db, "context", C, 4, &w->context, err)
                                        : BW_OK;
}

static bw_status open_event(struct wide *w, bw_err *err) {
    bw_status st =
        bw_db_exec(w->l->db,
                   "CREATE TEMP TABLE IF NOT EXISTS import_event_day("
                   "name TEXT, day INTEGER, kind TEXT, PRIMARY KEY (name, day)) WITHOUT ROWID; "
                   "DELETE FROM import_event_day",
                   err);
    if (st != BW_OK)
        return st;
    return bw_db_prepare(w->l->db,
                         "INSERT INTO import_event_day VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                         &w->event, err);
}

static bw_status set_up(struct wide *w, bw_err *err) {
    if (!w->l->job->mapping)
        return bw_fail(err, BW_EUSAGE,
                       "import wide: say what the columns are, with --mapping FILE or --date, "
                       "--outcome, --spend; "
                       "'bellwether import --guess FILE' proposes a mapping");
    bw_status st = bw_wide_map_parse(w->l->job->mapping, &w->map, err);
    if (st != BW_OK)
        return st;
    w->column = calloc(w->map.n, sizeof *w->column);
    if (!w->column)
        return bw_fail_memory(err);
    w->l->adds = true;
    find_columns(w);
    if (w->l->findings->errors)
        return BW_OK;
    note_unused(w);
    report_forms(w);
    turn_organic(w);
    st = open_outcome(w, err);
    if (st == BW_OK)
        st = open_spend(w, err);
    if (st == BW_OK)
        st = open_context(w, err);
    if (st == BW_OK)
        st = bw_db_prepare(w->l->db,
                           "INSERT INTO geo(name, population) VALUES (?, ?) ON CONFLICT DO UPDATE "
                           "SET population = excluded.population",
                           &w->people, err);
    return st == BW_OK ? open_event(w, err) : st;
}

/* ---- a row ---- */

static bw_value text_value(const char *text, size_t len) {
    return (bw_value){BW_VALUE_TEXT, text, len, 0};
}

/* Reads the number of an entry; NULL when there is no such column. False: unreadable. */
static bool number(struct wide *w, int column, bw_field_type type, const bw_row *row,
                   bw_value *out) {
    *out = (bw_value){0};
    return column < 0 || bw_load_value(w->l, type, (size_t)column, row, w->day, out);
}

static void warn_missing(struct wide *w, int column, const bw_row *row, const char *taken) {
    bw_findings_add(w->l->findings,
                    &(bw_spot){.severity = BW_WARNING,
                               .rule = "missing_value",
                               .line = row->line,
                               .column = bw_sheet_column(w->l->table, (size_t)column),
                               .fix = "fill it in"},
                    "the value is missing%s", taken);
}

/* Writes through a sink; a key that stands above already is reported once a row. */
static bw_status put(struct wide *w, bw_sink *sink, const bw_value *values, const bw_row *row,
                     bw_err *err) {
    if (w->again)
        return w->l->job->sum ? bw_sink_add(sink, values, err) : BW_OK;
    bw_import_report *r = w->l->report;
    size_t known = r->rows_new + r->rows_changed + r->rows_same;
    bw_status st = bw_load_put(w->l, sink, values, row, err);
    w->again = r->rows_new + r->rows_changed + r->rows_same == known;
    return st;
}

static void see(struct wide *w, const char *series, int column, const bw_value *v, bool paid,
                const bw_row *row) {
    bw_doctor_see(w->l->doctor,
                  &(bw_sighting){.series = series,
                                 .part = w->part,
                                 .column = bw_sheet_column(w->l->table, (size_t)column),
                                 .day = w->date_value.day,
                                 .value = v->type == BW_VALUE_REAL ? v->real : NAN,
                                 .line = row->line,
                                 .paid = paid},
                  w->l->findings);
}

static bw_status put_outcome(struct wide *w, const bw_row *row, bw_err *err) {
    int column = role_column(w, BW_WIDE_OUTCOME), value = role_column(w, BW_WIDE_VALUE);
    bw_value v[8] = {text_value(w->day, 10), text_value(w->part, w->part_len), text_value("", 0)},
             y, each;
    size_t n = 3;
    if (!number(w, column, BW_TYPE_AMOUNT, row, &y) ||
        !number(w, value, BW_TYPE_AMOUNT, row, &each))
        return BW_OK;
    if (column >= 0) {
        v[n++] = y;
        see(w, "the outcome", column, &y, false, row);
        if (y.type == BW_VALUE_NULL)
            warn_missing(w, column, row, ": the model cannot use this row");
    }
    if (value >= 0) {
        v[n] = (bw_value){0};
        if (y.type == BW_VALUE_REAL && each.type == BW_VALUE_REAL)
            v[n] = (bw_value){BW_VALUE_REAL, NULL, 0, y.real * each.real};
        n++;
    }
    if (has_role(w, BW_WIDE_PRICE) &&
        !number(w, role_column(w, BW_WIDE_PRICE), BW_TYPE_AMOUNT, row, &v[n++]))
        return BW_OK;
    if (has_role(w, BW_WIDE_DISCOUNT) &&
        !number(w, role_column(w, BW_WIDE_DISCOUNT), BW_TYPE_SHARE, row, &v[n++]))
        return BW_OK;
    return put(w, w->outcome, v, row, err);
}

/* The column of another role for the same channel, -1 when there is none. */
static int partner(const struct wide *w, bw_wide_role role, const char *channel) {
    for (size_t i = 0; i < w->map.n; i++)
        if (w->map.list[i].role == role && strcmp(w->map.list[i].name, channel) == 0)
            return w->column[i];
    return -1;
}

static bw_status put_channel(struct wide *w, size_t i, const bw_row *row, bw_err *err) {
    const bw_wide_entry *e = &w->map.list[i];
    bool organic = e->role == BW_WIDE_ORGANIC;
    bw_value cost = {BW_VALUE_REAL, NULL, 0, 0}, seen, clicks;
    int exposure = organic ? w->column[i] : partner(w, BW_WIDE_EXPOSURE, e->name);
    bool good = organic || number(w, w->column[i], BW_TYPE_AMOUNT, row, &cost);
    good &= number(w, exposure, BW_TYPE_AMOUNT, row, &seen);
    good &= number(w, partner(w, BW_WIDE_CLICKS, e->name), BW_TYPE_AMOUNT, row, &clicks);
    if (!good)
        return BW_OK;
    if (cost.type == BW_VALUE_NULL) {
        warn_missing(w, w->column[i], row, " and taken as 0");
        cost = (bw_value){BW_VALUE_REAL, NULL, 0, 0};
    }
    see(w, e->name, w->column[i], organic ? &seen : &cost, !organic, row);
    bw_value v[8] = {text_value(w->day, 10), text_value(e->name, strlen(e->name)),
                     text_value("", 0), text_value(w->part, w->part_len), cost};
    size_t n = 5;
    if (w->exposures)
        v[n++] = seen;
    if (w->clicks)
        v[n++] = clicks;
    return put(w, w->spend, v, row, err);
}

static bw_status put_context(struct wide *w, size_t i, const bw_row *row, bw_err *err) {
    const bw_wide_entry *e = &w->map.list[i];
    bw_value v[4] = {text_value(w->day, 10), text_value(e->name, strlen(e->name)),
                     text_value(w->part, w->part_len)};
    if (!number(w, w->column[i], BW_TYPE_REAL, row, &v[3]) || w->again)
        return BW_OK;
    if (v[3].type == BW_VALUE_NULL) {
        warn_missing(w, w->column[i], row, " and left out");
        return BW_OK;
    }
    return put(w, w->context, v, row, err);
}

static bool says_none(const bw_cell *cell) {
    static const char *const NONE[] = {"0", "no", "false", "no event", "nothing"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        if (strcasecmp(cell->text, NONE[i]) == 0)
            return true;
    return bw_value_missing(cell->text, cell->len);
}

/* "hldy_Black Friday" is the holiday "Black Friday". */
static const char *event_name(const char *column) {
    static const char *const PREFIX[] = {"hldy_", "holiday_", "hol_"};
    for (size_t i = 0; i < sizeof PREFIX / sizeof *PREFIX; i++)
        if (strncasecmp(column, PREFIX[i], strlen(PREFIX[i])) == 0 && column[strlen(PREFIX[i])])
            return column + strlen(PREFIX[i]);
    return column;
}

static bool mentions(const char *text, const char *word) {
    return strcasestr(text, word) != NULL;
}

static const char *event_kind(const char *column, const char *name) {
    if (mentions(column, "hldy") || mentions(column, "hol") || mentions(name, "christmas") ||
        mentions(name, "easter"))
        return "holiday";
    if (mentions(column, "promo") || mentions(name, "promo") || mentions(name, "sale"))
        return "promotion";
    return mentions(name, "launch") ? "launch" : "other";
}

/* A column of 0 and 1 is an event of the column's name; a column of names holds several. */
static bw_status put_event(struct wide *w, size_t i, const bw_row *row, bw_err *err) {
    const bw_wide_entry *e = &w->map.list[i];
    size_t c = (size_t)w->column[i];
    const bw_cell *cell = &row->cells[c];
    const char *name = cell->text;
    if (says_none(cell))
        return BW_OK;
    if (bw_profile_is_number(&w->l->profile.columns[c])) {
        bw_value v;
        if (!number(w, w->column[i], BW_TYPE_REAL, row, &v) || v.real == 0)
            return BW_OK;
        if (v.real != 1) {
            bw_findings_add(w->l->findings,
                            &(bw_spot){.severity = BW_ERROR,
                                       .rule = "not_an_event",
                                       .line = row->line,
                                       .column = e->column,
                                       .value = cell->text,
                                       .fix = "map the column as context"},
                            "an event column holds 0 and 1, or names");
            return BW_OK;
        }
        name = event_name(e->name);
    } else if (strcasecmp(name, "yes") == 0 || strcasecmp(name, "true") == 0) {
        name = event_name(e->name);
    }
    sqlite3_bind_text(w->event, 1, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(w->event, 2, w->date_value.day);
    sqlite3_bind_text(w->event, 3, event_kind(e->column, name), -1, SQLITE_STATIC);
    return bw_db_run(w->event, err);
}

static bool read_key(struct wide *w, const bw_row *row) {
    if (!bw_load_day(w->l, (size_t)w->date, row, &w->date_value))
        return false;
    bw_day_text(w->date_value.day, w->day);
    w->part = w->geo >= 0 ? row->cells[w->geo].text : "";
    w->part_len = strlen(w->part);
    w->again = false;
    if (w->part_len)
        bw_names_number(&w->l->geos, w->part, w->part_len);
    return true;
}

static bw_status put_population(struct wide *w, const bw_row *row, bw_err *err) {
    bw_value v;
    if (w->population < 0 || !number(w, w->population, BW_TYPE_AMOUNT, row, &v) ||
        v.type == BW_VALUE_NULL)
        return BW_OK;
    sqlite3_bind_text(w->people, 1, w->part, (int)w->part_len, SQLITE_STATIC);
    sqlite3_bind_double(w->people, 2, v.real);
    return bw_db_run(w->people, err);
}

static bw_status put_entry(struct wide *w, size_t i, const bw_row *row, bw_err *err) {
    switch (w->map.list[i].role) {
    case BW_WIDE_SPEND:
    case BW_WIDE_ORGANIC:
        return put_channel(w, i, row, err);
    case BW_WIDE_CONTEXT:
        return put_context(w, i, row, err);
    case BW_WIDE_EVENT:
        return put_event(w, i, row, err);
    default:
        return BW_OK;
    }
}

static bw_status put_row(struct wide *w, const bw_row *row, bw_err *err) {
    bw_status st = w->outcome ? put_outcome(w, row, err) : BW_OK;
    for (size_t i = 0; st == BW_OK && i < w->map.n; i++)
        st = put_entry(w, i, row, err);
    return st == BW_OK ? put_population(w, row, err) : st;
}

static bw_status read_all(struct wide *w, bw_err *err) {
    for (;;) {
        const bw_row *row;
        bw_status st = bw_load_next(w->l, &row, err);
        if (st != BW_OK || !row)
            return st;
        if (read_key(w, row))
            st = put_row(w, row, err);
        if (st != BW_OK)
            return st;
    }
}

/* ---- after the rows ---- */

static bw_status write_settings(struct wide *w, bw_err *err) {
    bw_status st = BW_OK;
    if (w->map.currency[0])
        st = bw_load_settle(w->l, "currency", w->map.currency, "money", BW_ERROR, err);
    if (st == BW_OK && has_role(w, BW_WIDE_OUTCOME))
        st = bw_load_settle(w->l, "outcome_kind", w->map.outcome_kind, "its outcome", BW_WARNING,
                            err);
    return st;
}

static bw_status write_channels(struct wide *w, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(w->l->db,
                      "INSERT INTO channel(name, kind) VALUES (?, ?) ON CONFLICT DO UPDATE SET "
                      "kind = excluded.kind",
                      &s, err);
    for (size_t i = 0; st == BW_OK && i < w->map.n; i++) {
        const bw_wide_entry *e = &w->map.list[i];
        if (e->role != BW_WIDE_SPEND && e->role != BW_WIDE_ORGANIC)
            continue;
        sqlite3_bind_text(s, 1, e->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, e->role == BW_WIDE_SPEND ? "paid" : "organic", -1, SQLITE_STATIC);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    return st;
}

bw_status bw_load_wide(bw_load *l, bw_err *err) {
    struct wide w = {.l = l};
    bw_status st = set_up(&w, err);
    if (st == BW_OK && l->findings->errors == 0)
        st = read_all(&w, err);
    if (st == BW_OK && l->findings->errors == 0)
        st = write_settings(&w, err);
    if (st == BW_OK && l->findings->errors == 0)
        st = write_channels(&w, err);
    bw_sink_free(w.outcome);
    bw_sink_free(w.spend);
    bw_sink_free(w.context);
    sqlite3_finalize(w.event);
    sqlite3_finalize(w.people);
    free(w.column);
    bw_wide_map_free(&w.map);
    return st;
}
