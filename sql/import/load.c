/* sql/import/load.c - one row at a time: cells to values, findings for those that cannot be read, and the
 * count of what was written. */
#include "sql/import/load.h"

#include "sql/db.h"
#include "sql/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_ROWS       1024
#define ODD_YEAR_BEFORE 1980 /* 1970-01-01 and 1900-01-01 are what programs write for "no date" */

static void finding(bw_load *l, bw_severity severity, const char *rule, const bw_row *row,
                    size_t column, const char *fix, const char *message) {
    const bw_cell *cell = column < row->n ? &row->cells[column] : NULL;
    bw_findings_add(l->findings,
                    &(bw_spot){.severity = severity,
                               .rule = rule,
                               .line = row->line,
                               .column = bw_sheet_column(l->table, column),
                               .value = cell ? cell->text : NULL,
                               .value_len = cell ? cell->len : 0,
                               .fix = fix},
                    "%s", message);
}

/* More cells than columns are fine when they are empty: a separator at the end of the line. */
static bool right_length(bw_load *l, const bw_row *row) {
    size_t n = row->n, want = bw_sheet_columns(l->table);
    while (n > want && row->cells[n - 1].len == 0)
        n--;
    if (n == want)
        return true;
    bw_findings_add(l->findings,
                    &(bw_spot){.severity = BW_ERROR,
                               .rule = "field_count",
                               .line = row->line,
                               .value = n ? row->cells[0].text : NULL,
                               .fix = n > want
                                          ? "put quotes around a field that holds the separator"
                                          : "complete the row"},
                    "the row has %zu fields, the header %zu", n, want);
    return false;
}

static bool passes(const bw_load *l, const bw_row *row) {
    for (size_t i = 0; i < l->n_filters; i++) {
        size_t column = (size_t)l->filter_column[i];
        if (column >= row->n || strcmp(row->cells[column].text, l->filter_value[i]) != 0)
            return false;
    }
    return true;
}

bw_status bw_load_next(bw_load *l, const bw_row **row, bw_err *err) {
    for (;;) {
        bw_status st = bw_sheet_next(l->table, row, err);
        if (st != BW_OK || !*row)
            return st;
        if (l->report->rows_read % POLL_ROWS == 0) {
            char note[40];
            snprintf(note, sizeof note, "%zu rows", l->report->rows_read);
            bw_progress_set(l->progress, bw_sheet_done(l->table), note);
            if (bw_interrupted())
                return bw_fail(err, BW_EINTERRUPTED, "interrupted");
        }
        l->report->rows_read++;
        if (bw_findings_full(l->findings)) {
            *row = NULL;
            return BW_OK;
        }
        if (right_length(l, *row) && passes(l, *row))
            return BW_OK;
    }
}

void bw_load_note_day(bw_load *l, int day) {
    l->first_day = day < l->first_day ? day : l->first_day;
    l->last_day = day > l->last_day ? day : l->last_day;
}

static const char *date_problem(const bw_cell *cell, const bw_column_profile *c, const bw_date *d,
                                bool parsed, bool is_future, const char **fix) {
    double serial;
    *fix = "write dates as 2024-05-31";
    if (!parsed && bw_number_parse(cell->text, cell->len, '.', &serial) && serial > 20000 &&
        serial < 80000) {
        *fix = "format the column as a date before saving the sheet as CSV";
        return "is no date (perhaps the day number of a spreadsheet)";
    }
    if (!parsed)
        return "is no date";
    if ((d->form == BW_DATE_MDY && c->order == BW_ORDER_DMY) ||
        (d->form == BW_DATE_DMY && c->order == BW_ORDER_MDY)) {
        *fix = "write all dates of the column in one order, best as 2024-05-31";
        return "is in another order of day and month than the dates before";
    }
    if (is_future) {
        *fix = "correct the date, or add --allow-future when it is meant";
        return "is in the future";
    }
    return NULL;
}

bool bw_load_day(bw_load *l, size_t column, const bw_row *row, bw_date *out) {
    const bw_cell *cell = &row->cells[column];
    const bw_column_profile *c = &l->profile.columns[column];
    if (bw_value_missing(cell->text, cell->len)) {
        finding(l, BW_ERROR, "missing_value", row, column, "fill in the date or remove the row",
                "the date is missing");
        return false;
    }
    const char *fix;
    bool parsed = cell->len <= 40 && bw_date_parse(cell->text, cell->len, c->order, out);
    bool is_future = parsed && out->day > l->job->today && !l->job->allow_future;
    const char *problem = date_problem(cell, c, out, parsed, is_future, &fix);
    if (problem) {
        finding(l, BW_ERROR, is_future ? "future_date" : "bad_date", row, column, fix, problem);
        return false;
    }
    if (out->day < bw_day_number(ODD_YEAR_BEFORE, 1, 1))
        finding(l, BW_WARNING, "odd_date", row, column, "correct the date", "is very long ago");
    bw_load_note_day(l, out->day);
    return true;
}

/* A time that says how far it is from UTC becomes the shop's local time, which decides the hour of day. */
static void to_local(bw_load *l, size_t column, const bw_row *row, bw_date *d) {
    const bw_cell *cell = &row->cells[column];
    int offset = 0;
    if (d->minute < 0 ||
        (d->form != BW_DATE_EPOCH && !bw_zone_suffix(cell->text, cell->len, &offset)))
        return;
    if (!l->zone_read) {
        char *zone = bw_db_setting(l->db, "timezone", "");
        l->zone_read = true;
        if (zone && bw_zone_known(zone))
            snprintf(l->zone, sizeof l->zone, "%s", zone);
        free(zone);
    }
    if (*l->zone)
        bw_zone_local(l->zone, offset, &d->day, &d->minute);
    else
        finding(
            l, BW_WARNING, "no_timezone", row, column,
            "set the setting timezone, e.g. Europe/Berlin, and import again",
            "is written against UTC, and the shop's time zone is not known: its hour is taken as "
            "it stands");
}

static bool read_day(bw_load *l, bool time, size_t column, const bw_row *row, char *buffer,
                     bw_value *out) {
    bw_date d;
    if (!bw_load_day(l, column, row, &d))
        return false;
    if (time)
        to_local(l, column, row, &d);
    bw_day_text(d.day, buffer);
    out->len = 10;
    if (time) {
        if (d.minute < 0)
            finding(l, BW_WARNING, "no_time", row, column, "export the time of day too",
                    "has no time of day; 00:00 is taken, the best hour cannot be told");
        bw_time_text(d.minute, buffer + 10);
        out->len = 16;
    }
    out->type = BW_VALUE_TEXT;
    out->text = buffer;
    out->real = d.day;
    return true;
}

static void not_a_number(bw_load *l, size_t column, const bw_row *row, bw_decimal decimal) {
    double other;
    const bw_cell *cell = &row->cells[column];
    if (bw_number_parse(cell->text, cell->len, decimal == '.' ? ',' : '.', &other))
        finding(l, BW_ERROR, "mixed_decimal", row, column,
                "write all numbers of the column in one way, or name the mark with --decimal",
                decimal == '.' ? "has a decimal comma, the column a decimal point"
                               : "has a decimal point, the column a decimal comma");
    else
        finding(l, BW_ERROR, "not_a_number", row, column,
                "correct it, or leave it empty when it is unknown", "is not a number");
}

static bool read_number(bw_load *l, bw_field_type type, size_t column, const bw_row *row,
                        bw_value *out) {
    const bw_cell *cell = &row->cells[column];
    bw_decimal decimal = l->profile.columns[column].decimal;
    if (!bw_number_parse(cell->text, cell->len, decimal, &out->real)) {
        not_a_number(l, column, row, decimal);
        return false;
    }
    out->type = BW_VALUE_REAL;
    if (type == BW_TYPE_AMOUNT && out->real < 0)
        finding(l, BW_WARNING, "negative", row, column,
                "check it: a refund belongs into its own day", "is below zero");
    if (type == BW_TYPE_SHARE && out->real > 1 && out->real <= 100)
        out->real /= 100;
    if (type == BW_TYPE_SHARE && (out->real < 0 || out->real > 1)) {
        finding(l, BW_ERROR, "range", row, column, "give a share such as 0.15 or 15 %",
                "is no share between 0 and 1");
        return false;
    }
    return true;
}

/* Stars of another scale (1..10, 0..100) are brought to 1..5 by the largest of the column. */
static bool read_rating(bw_load *l, size_t column, const bw_row *row, bw_value *out) {
    const bw_column_profile *c = &l->profile.columns[column];
    if (!read_number(l, BW_TYPE_REAL, column, row, out))
        return false;
    double top = c->max <= 5 ? 5 : c->max <= 10 ? 10 : 100;
    if (out->real < 0 || out->real > top) {
        finding(l, BW_ERROR, "range", row, column, "give stars from 1 to 5", "is no rating");
        return false;
    }
    if (top == 10)
        out->real = 1 + (out->real - 1) * 4 / 9;
    else if (top == 100)
        out->real = 1 + out->real * 4 / 100;
    out->real = out->real < 1 ? 1 : out->real;
    return true;
}

static const struct {
    const char *word;
    double rating;
} LABELS[] = {{"1", 5},   {"0", 1},    {"neutral", 3}, {"positive", 5}, {"negative", 1},
              {"pos", 5}, {"neg", 1},  {"neu", 3},     {"-1", 1},       {"good", 5},
              {"bad", 1}, {"正面", 5}, {"负面", 1},    {"中性", 3},     {"正", 5},
              {"负", 1},  {"none", 3}};

/* Labels of five classes, 0 to 4, are stars less one; otherwise the words of the table. */
static bool read_label(const bw_load *l, size_t column, const bw_cell *cell, bw_value *out) {
    const bw_column_profile *c = &l->profile.columns[column];
    bool five = bw_profile_is_number(c) && c->min == 0 && c->max > 1 && c->max <= 4;
    if (five && bw_number_parse(cell->text, cell->len, '.', &out->real)) {
        out->type = BW_VALUE_REAL;
        out->real += 1;
        return true;
    }
    for (size_t i = 0; i < sizeof LABELS / sizeof *LABELS; i++)
        if (strcasecmp(cell->text, LABELS[i].word) == 0) {
            out->type = BW_VALUE_REAL;
            out->real = LABELS[i].rating;
        }
    return true;
}

bool bw_load_value(bw_load *l, bw_field_type type, size_t column, const bw_row *row, char *buffer,
                   bw_value *out) {
    const bw_cell *cell = &row->cells[column];
    *out = (bw_value){0};
    if (type == BW_TYPE_LABEL)
        return read_label(l, column, cell, out);
    if (type == BW_TYPE_TEXT || type == BW_TYPE_AUTHOR) {
        *out = (bw_value){BW_VALUE_TEXT, cell->text, cell->len, 0};
        return true;
    }
    if (bw_value_missing(cell->text, cell->len))
        return true;
    switch (type) {
    case BW_TYPE_DAY:
        return read_day(l, false, column, row, buffer, out);
    case BW_TYPE_TIME:
        return read_day(l, true, column, row, buffer, out);
    case BW_TYPE_RATING:
        return read_rating(l, column, row, out);
    default:
        return read_number(l, type, column, row, out);
    }
}

static void conflict(bw_load *l, const bw_row *row) {
    bw_findings_add(
        l->findings,
        &(bw_spot){.severity = BW_ERROR,
                   .rule = "duplicate",
                   .line = row->line,
                   .value = row->cells[0].text,
                   .fix =
                       "name the column that tells them apart (e.g. --geo, --map); add --sum when "
                       "they are parts of a whole; otherwise remove one"},
        "a row with the same key and other values stands above");
}

/* Rows without an id of their own are counted; a key that was given twice is worth a line. */
static void repeated(bw_load *l, const bw_row *row) {
    if (l->made_ids) {
        l->repeats++;
        l->repeat_line = l->repeat_line ? l->repeat_line : row->line;
        return;
    }
    bw_findings_add(
        l->findings,
        &(bw_spot){.severity = BW_WARNING,
                   .rule = "duplicate",
                   .line = row->line,
                   .value = row->cells[0].text,
                   .fix = l->adds ? "add --sum when equal rows are parts of a whole" : NULL},
        "the row stands above already and was passed over");
}

bw_status bw_load_put(bw_load *l, bw_sink *sink, const bw_value *values, const bw_row *row,
                      bw_err *err) {
    bw_row_fate fate;
    bw_status st = bw_sink_put(sink, values, &fate, err);
    if (st != BW_OK)
        return st;
    bool again = fate == BW_ROW_REPEATED || fate == BW_ROW_CONFLICT;
    if (again && l->job->sum)
        return bw_sink_add(sink, values, err);
    l->report->rows_new += fate == BW_ROW_NEW;
    l->report->rows_changed += fate == BW_ROW_CHANGED;
    l->report->rows_same += fate == BW_ROW_SAME;
    if (fate == BW_ROW_CONFLICT)
        conflict(l, row);
    else if (fate == BW_ROW_REPEATED)
        repeated(l, row);
    return BW_OK;
}
