/* sql/import/load_kind.c - the rows of one kind: fields by the table in sql/import/kinds.h.
 *
 * Only the columns that the file has are written, so that a file of clicks adds to what a file of
 * costs left. A row without an id gets one from its content: the same row has the same id in any
 * file and at any place in it. */
#include "sql/import/columns.h"
#include "sql/import/load.h"

#include "common/sha256.h"
#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ID_DIGITS 16 /* hexadecimal, of the SHA-256 of the row */

struct rows {
    bw_load *l;
    const bw_kind *kind;
    bw_columns columns;
    size_t n;                /* fields of the kind */
    int slot[BW_FIELDS_MAX]; /* position among the stored values, -1: not stored */
    bw_sink_column stored[BW_FIELDS_MAX];
    size_t n_stored;
    bw_sink *sink;
    bw_value constants[BW_FIELDS_MAX];
    bw_value fields[BW_FIELDS_MAX];  /* of the current row */
    bw_value values[BW_FIELDS_MAX];  /* the stored ones, in the order of stored */
    char buffers[BW_FIELDS_MAX][24]; /* texts of days and times */
    char id[ID_DIGITS + 24];
    int day_field, series_field, geo_field, channel_field, campaign_field, measure_field;
    int cost_field, impressions_field;
    int day;       /* of the current row, -1 when it has none */
    size_t blank;  /* rows without text that were passed over */
    size_t silent; /* spend without impressions */
    long silent_line;
};

static bool has(const struct rows *r, int field) {
    return field >= 0 && (r->columns.column[field] >= 0 || r->columns.constant[field]);
}

static bool makes_id(const struct rows *r, size_t f) {
    return r->kind->makes_id && f == 0 && !has(r, 0);
}

/* Rating comes from the label when the file has no rating. */
static bool rating_from_label(const struct rows *r, size_t f) {
    int label = bw_kind_field(r->kind, "label");
    return r->kind->fields[f].type == BW_TYPE_RATING && !has(r, (int)f) && has(r, label);
}

static bool end_from_start(const struct rows *r, size_t f) {
    return strcmp(r->kind->name, "event") == 0 && strcmp(r->kind->fields[f].name, "end_day") == 0;
}

static void choose_stored(struct rows *r) {
    for (size_t f = 0; f < r->n; f++) {
        const bw_field *field = &r->kind->fields[f];
        bool written = field->flags & BW_FIELD_KEY || has(r, (int)f) || rating_from_label(r, f) ||
                       end_from_start(r, f);
        r->slot[f] = -1;
        if (!written || field->type == BW_TYPE_LABEL || field->type == BW_TYPE_AUTHOR)
            continue;
        r->slot[f] = (int)r->n_stored;
        r->l->adds |= field->flags & BW_FIELD_ADDS;
        r->stored[r->n_stored++] = (bw_sink_column){field->name, field->flags & BW_FIELD_KEY,
                                                    field->flags & BW_FIELD_ADDS};
    }
}

static void report_forms(struct rows *r) {
    for (size_t f = 0; f < r->n; f++) {
        int c = r->columns.column[f];
        bw_field_type type = r->kind->fields[f].type;
        if (c < 0 || type == BW_TYPE_TEXT || type == BW_TYPE_LABEL || type == BW_TYPE_AUTHOR)
            continue;
        if (type == BW_TYPE_DAY || type == BW_TYPE_TIME)
            bw_profile_report_date(r->l->table, (size_t)c, &r->l->profile, r->l->findings);
        else
            bw_profile_report_number(r->l->table, (size_t)c, &r->l->profile, r->l->findings);
    }
}

static int field_named(const struct rows *r, const char *name) {
    return name ? bw_kind_field(r->kind, name) : -1;
}

/* --set: read once, copied into every row. */
static void read_constant(struct rows *r, size_t f) {
    const char *text = r->columns.constant[f];
    size_t n = strlen(text);
    bw_date d;
    bw_value *v = &r->constants[f];
    bw_field_type type = r->kind->fields[f].type;
    bool day = type == BW_TYPE_DAY || type == BW_TYPE_TIME, good = true;
    *v = (bw_value){BW_VALUE_TEXT, text, n, 0};
    if (day && (good = bw_date_parse(text, n, r->l->job->order, &d))) {
        bw_day_text(d.day, r->buffers[f]);
        if (type == BW_TYPE_TIME)
            bw_time_text(d.minute, r->buffers[f] + 10);
        *v = (bw_value){BW_VALUE_TEXT, r->buffers[f], strlen(r->buffers[f]), d.day};
        bw_load_note_day(r->l, d.day);
    } else if (!day && type != BW_TYPE_TEXT && type != BW_TYPE_AUTHOR) {
        v->type = BW_VALUE_REAL;
        good = bw_number_parse(text, n, '.', &v->real);
    }
    if (!good)
        bw_findings_add(r->l->findings,
                        &(bw_spot){.severity = BW_ERROR,
                                   .rule = "bad_constant",
                                   .value = text,
                                   .fix = "correct --set"},
                        "is no %s, which '%s' needs", day ? "date" : "number",
                        r->kind->fields[f].name);
}

static bool is_money(const bw_field *field) {
    return strcmp(field->name, "cost") == 0 || strcmp(field->name, "revenue") == 0 ||
           strcmp(field->name, "price") == 0;
}

static bw_status find_currency(struct rows *r, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t f = 0; st == BW_OK && f < r->n; f++)
        if (r->columns.column[f] >= 0 && is_money(&r->kind->fields[f]))
            st = bw_load_currency(r->l, (size_t)r->columns.column[f], err);
    return st;
}

static void find_fields(struct rows *r) {
    r->day_field = field_named(r, strcmp(r->kind->name, "message") == 0 ? "sent_at" : "day");
    r->series_field = field_named(r, r->kind->series);
    r->measure_field = field_named(r, r->kind->measure);
    r->geo_field = field_named(r, "geo");
    r->channel_field = field_named(r, "channel");
    r->campaign_field = field_named(r, "campaign");
    r->cost_field = field_named(r, "cost");
    r->impressions_field = field_named(r, "impressions");
    if (r->kind->measure && strcmp(r->kind->measure, "revenue") == 0 && !has(r, r->measure_field))
        r->measure_field =
            has(r, field_named(r, "orders")) ? field_named(r, "orders") : field_named(r, "units");
}

static bw_status set_up(struct rows *r, bw_err *err) {
    bw_load *l = r->l;
    r->n = bw_kind_fields(r->kind);
    bw_status st =
        bw_columns_find(l->table, r->kind, l->job->map, l->job->set, l->findings, &r->columns, err);
    if (st != BW_OK)
        return st;
    report_forms(r);
    choose_stored(r);
    r->l->made_ids = makes_id(r, 0);
    for (size_t f = 0; f < r->n; f++)
        if (r->columns.constant[f])
            read_constant(r, f);
    find_fields(r);
    st = find_currency(r, err);
    for (size_t f = 0; f < r->n; f++)
        if (rating_from_label(r, f))
            bw_findings_add(l->findings,
                            &(bw_spot){.severity = BW_NOTE, .rule = "rating_from_label"},
                            "ratings are made from the label: 1 is 5 stars, neutral 3, 0 is 1 "
                            "(labels 0 to 4 are stars less one)");
    if (st != BW_OK || l->findings->errors)
        return st;
    return bw_sink_new(l->db, r->kind->table, r->stored, r->n_stored, &r->sink, err);
}

static void missing(struct rows *r, size_t f, const bw_row *row, bw_severity severity,
                    const char *said, const char *fix) {
    int c = r->columns.column[f];
    bw_findings_add(r->l->findings,
                    &(bw_spot){.severity = severity,
                               .rule = "missing_value",
                               .line = row->line,
                               .column = c >= 0 ? bw_sheet_column(r->l->table, (size_t)c) : NULL,
                               .fix = fix},
                    "%s", said);
}

/* A required field without a value: an amount is 0, a review without text is passed over, the rest
 * is an error. False: the row is not written. */
static bool fill_required(struct rows *r, size_t f, const bw_row *row) {
    const bw_field *field = &r->kind->fields[f];
    bw_value *v = &r->fields[f];
    bool empty = v->type == BW_VALUE_NULL || (v->type == BW_VALUE_TEXT && v->len == 0);
    if (!empty || !(field->flags & BW_FIELD_REQUIRED))
        return true;
    if (field->type == BW_TYPE_AMOUNT) {
        *v = (bw_value){BW_VALUE_REAL, NULL, 0, 0};
        missing(r, f, row, BW_WARNING, "the value is missing and taken as 0", "fill it in");
        return true;
    }
    if (strcmp(field->name, "text") == 0) {
        r->blank++;
        return false;
    }
    if (field->type == BW_TYPE_REAL) {
        missing(r, f, row, BW_WARNING, "the value is missing; the row was passed over",
                "fill it in");
        return false;
    }
    missing(r, f, row, BW_ERROR, "the value is missing", "fill it in, or remove the row");
    return false;
}

static bool read_row(struct rows *r, const bw_row *row) {
    bool good = true;
    for (size_t f = 0; f < r->n; f++) {
        int c = r->columns.column[f];
        r->fields[f] = (bw_value){0};
        if (c >= 0)
            good &= bw_load_value(r->l, r->kind->fields[f].type, (size_t)c, row, r->buffers[f],
                                  &r->fields[f]);
        else if (r->columns.constant[f])
            r->fields[f] = r->constants[f];
    }
    for (size_t f = 0; good && f < r->n; f++)
        good = makes_id(r, f) || fill_required(r, f, row);
    return good;
}

/* Content to id; k counts equal purchases. */
static void make_id(struct rows *r, unsigned k) {
    bw_sha256 sum;
    char hex[65];
    bw_sha256_start(&sum);
    for (size_t f = 1; f < r->n; f++) {
        const bw_value *v = &r->fields[f];
        bw_sha256_add(&sum, &(char){(char)v->type}, 1);
        if (v->type == BW_VALUE_TEXT)
            bw_sha256_add(&sum, v->text, v->len);
        else if (v->type == BW_VALUE_REAL)
            bw_sha256_add(&sum, &v->real, sizeof v->real);
    }
    bw_sha256_hex(&sum, hex);
    if (k > 1)
        snprintf(r->id, sizeof r->id, "%.*s-%u", ID_DIGITS, hex, k);
    else
        snprintf(r->id, sizeof r->id, "%.*s", ID_DIGITS, hex);
    r->fields[0] = (bw_value){BW_VALUE_TEXT, r->id, strlen(r->id), 0};
}

/* Defaults that come from other fields of the row; '' for the missing parts of a key. */
static void complete(struct rows *r) {
    int label = bw_kind_field(r->kind, "label");
    for (size_t f = 0; f < r->n; f++) {
        bw_value *v = &r->fields[f];
        if (v->type != BW_VALUE_NULL && v->len + (v->type == BW_VALUE_REAL) > 0)
            continue;
        if (rating_from_label(r, f))
            *v = r->fields[label];
        else if (end_from_start(r, f))
            *v = r->fields[r->day_field];
        else if (r->kind->fields[f].flags & BW_FIELD_KEY)
            *v = (bw_value){BW_VALUE_TEXT, "", 0, 0};
        else if (v->type == BW_VALUE_TEXT)
            *v = (bw_value){0}; /* an empty optional text is no value */
    }
    for (size_t f = 0; f < r->n; f++)
        if (r->slot[f] >= 0)
            r->values[r->slot[f]] = r->fields[f];
}

static const char *text_of(const struct rows *r, int field) {
    return field >= 0 && r->fields[field].type == BW_VALUE_TEXT ? r->fields[field].text : "";
}

static void observe(struct rows *r, const bw_row *row) {
    if (has(r, r->impressions_field) && r->cost_field >= 0 && r->fields[r->cost_field].real > 0 &&
        r->fields[r->impressions_field].type == BW_VALUE_REAL &&
        r->fields[r->impressions_field].real == 0 && r->silent++ == 0)
        r->silent_line = row->line;
    if (!r->kind->series || r->day < 0)
        return;
    const char *series = text_of(r, r->series_field);
    const bw_value *m = r->measure_field >= 0 ? &r->fields[r->measure_field] : NULL;
    int c = r->measure_field >= 0 ? r->columns.column[r->measure_field] : -1;
    bw_doctor_see(
        r->l->doctor,
        &(bw_sighting){.series = *series ? series : "the outcome",
                       .part = r->geo_field == r->series_field ? "" : text_of(r, r->geo_field),
                       .column = c >= 0 ? bw_sheet_column(r->l->table, (size_t)c) : "",
                       .day = r->day,
                       .value = m && m->type == BW_VALUE_REAL ? m->real : NAN,
                       .line = row->line,
                       .paid = r->cost_field >= 0},
        r->l->findings);
}

/* Equal purchases in one file are different purchases: the second is called "...-2". */
static bw_status put_with_id(struct rows *r, const bw_row *row, bw_err *err) {
    for (unsigned k = 1;; k++) {
        bw_row_fate fate;
        make_id(r, k);
        complete(r);
        if (!r->kind->repeats)
            return bw_load_put(r->l, r->sink, r->values, row, err);
        bw_status st = bw_sink_put(r->sink, r->values, &fate, err);
        if (st != BW_OK || (fate != BW_ROW_REPEATED && fate != BW_ROW_CONFLICT)) {
            r->l->report->rows_new += fate == BW_ROW_NEW;
            r->l->report->rows_changed += fate == BW_ROW_CHANGED;
            r->l->report->rows_same += fate == BW_ROW_SAME;
            return st;
        }
    }
}

static bool is_named(const struct rows *r, int field) {
    return field >= 0 && r->fields[field].type == BW_VALUE_TEXT && r->fields[field].len > 0;
}

/* Channels, regions and campaigns of the row. */
static void collect_names(struct rows *r) {
    const bw_value *f = r->fields;
    size_t n = 0;
    if (is_named(r, r->channel_field))
        n = bw_names_number(&r->l->channels, f[r->channel_field].text, f[r->channel_field].len);
    if (is_named(r, r->geo_field) && n != (size_t)-1)
        n = bw_names_number(&r->l->geos, f[r->geo_field].text, f[r->geo_field].len);
    if (r->day >= 0 && is_named(r, r->campaign_field) && is_named(r, r->channel_field) &&
        !bw_load_note_campaign(r->l, &f[r->campaign_field], &f[r->channel_field], r->day))
        n = (size_t)-1;
    r->l->findings->failed |= n == (size_t)-1;
}

static bw_status put_row(struct rows *r, const bw_row *row, bw_err *err) {
    if (makes_id(r, 0))
        return put_with_id(r, row, err);
    complete(r);
    return bw_load_put(r->l, r->sink, r->values, row, err);
}

static bw_status read_all(struct rows *r, bw_err *err) {
    for (;;) {
        const bw_row *row;
        bw_status st = bw_load_next(r->l, &row, err);
        if (st != BW_OK || !row)
            return st;
        if (!read_row(r, row))
            continue;
        r->day = is_named(r, r->day_field) ? (int)r->fields[r->day_field].real : -1;
        st = put_row(r, row, err);
        if (st != BW_OK)
            return st;
        collect_names(r);
        observe(r, row);
    }
}

static void report_rows(struct rows *r) {
    if (r->blank)
        bw_findings_add(r->l->findings, &(bw_spot){.severity = BW_NOTE, .rule = "blank_text"},
                        "%zu rows without text were passed over", r->blank);
    if (r->l->repeats)
        bw_findings_add(
            r->l->findings,
            &(bw_spot){.severity = BW_NOTE, .rule = "duplicate", .line = r->l->repeat_line},
            "%zu %s the same as a row above and passed over", r->l->repeats,
            r->l->repeats == 1 ? "row is" : "rows are");
    if (r->silent)
        bw_findings_add(
            r->l->findings,
            &(bw_spot){.severity = BW_WARNING,
                       .rule = "spend_without_impressions",
                       .line = r->silent_line,
                       .column = bw_sheet_column(r->l->table,
                                                 (size_t)r->columns.column[r->impressions_field]),
                       .fix = "check the export: the spend had no effect that was counted"},
            "%zu %s spend and 0 impressions", r->silent, r->silent == 1 ? "row has" : "rows have");
}

bw_status bw_load_kind(bw_load *l, const bw_kind *kind, bw_err *err) {
    struct rows *r = calloc(1, sizeof *r);
    if (!r)
        return bw_fail_memory(err);
    r->l = l;
    r->kind = kind;
    bw_status st = set_up(r, err);
    if (st == BW_OK && r->sink)
        st = read_all(r, err);
    if (st == BW_OK)
        report_rows(r);
    bw_sink_free(r->sink);
    bw_columns_free(&r->columns);
    free(r);
    return st;
}
