/* sql/import/profile.c - counts the forms of every cell, then lets the evidence decide column by column;
 * a column without evidence follows the others of the file. */
#include "sql/import/profile.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting ---- */

static void keep(char *into, size_t size, const char *text, size_t n) {
    if (into[0] == '\0' && n < size)
        memcpy(into, text, n);
}

static void count_number(bw_column_profile *c, const bw_cell *cell, long line) {
    bw_number_form form = bw_number_judge(cell->text, cell->len);
    if (c->numbers[form]++ == 0)
        c->number_line[form] = line;
    if (form == BW_NUMBER_EITHER || form == BW_NUMBER_EITHER_DOT)
        keep(c->either_number, sizeof c->either_number, cell->text, cell->len);
    double v;
    bw_decimal mark = form == BW_NUMBER_COMMA ? ',' : '.';
    if (form == BW_NUMBER_NOT || !bw_number_parse(cell->text, cell->len, mark, &v))
        return;
    c->zeros += v == 0;
    c->ones += v == 1;
    c->whole += v == floor(v);
    c->negative += v < 0;
    c->min = fmin(c->min, v);
    c->max = fmax(c->max, v);
    c->sum += v;
}

static void count_date(bw_column_profile *c, const bw_cell *cell, long line) {
    bw_date d = {.form = BW_DATE_NOT};
    bool good = cell->len <= 40 && bw_date_parse(cell->text, cell->len, BW_ORDER_UNKNOWN, &d);
    bw_date_form form = good ? d.form : BW_DATE_NOT;
    if (c->dates[form]++ == 0)
        c->date_line[form] = line;
    if (form == BW_DATE_EITHER)
        keep(c->either_date, sizeof c->either_date, cell->text, cell->len);
}

static void count_cell(bw_column_profile *c, const bw_cell *cell, long line) {
    c->cells++;
    if (bw_value_missing(cell->text, cell->len)) {
        c->missing++;
        return;
    }
    keep(c->example, sizeof c->example, cell->text, cell->len);
    c->text_bytes += cell->len;
    count_number(c, cell, line);
    count_date(c, cell, line);
}

/* Distinct values of the sample: one open-addressing set of hashes a column. */
struct distinct {
    uint64_t slots[2 * BW_DISTINCT_MAX];
};

static uint64_t hash_text(const char *text, size_t n) {
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h ? h : 1;
}

static void count_distinct(bw_column_profile *c, struct distinct *d, const bw_cell *cell) {
    if (c->distinct >= BW_DISTINCT_MAX)
        return;
    uint64_t h = hash_text(cell->text, cell->len);
    size_t i = h % (2 * BW_DISTINCT_MAX);
    while (d->slots[i] && d->slots[i] != h)
        i = (i + 1) % (2 * BW_DISTINCT_MAX);
    c->distinct += d->slots[i] == 0;
    d->slots[i] = h;
}

/* ---- deciding ---- */

static bool number_open(const bw_column_profile *c) {
    return c->numbers[BW_NUMBER_POINT] == 0 && c->numbers[BW_NUMBER_COMMA] == 0 &&
           c->numbers[BW_NUMBER_EITHER] > 0;
}

static bool date_open(const bw_column_profile *c) {
    return c->dates[BW_DATE_DMY] == 0 && c->dates[BW_DATE_MDY] == 0 && c->dates[BW_DATE_EITHER] > 0;
}

static bool any_open(const bw_profile *p) {
    for (size_t i = 0; i < p->n_columns; i++)
        if ((number_open(&p->columns[i]) && bw_profile_is_number(&p->columns[i])) ||
            (date_open(&p->columns[i]) && bw_profile_is_date(&p->columns[i])))
            return true;
    return false;
}

bool bw_profile_is_number(const bw_column_profile *c) {
    size_t seen = c->cells - c->missing;
    return seen > 0 && (seen - c->numbers[BW_NUMBER_NOT]) * 10 >= seen * 9;
}

bool bw_profile_is_date(const bw_column_profile *c) {
    size_t seen = c->cells - c->missing;
    return seen > 0 && (seen - c->dates[BW_DATE_NOT]) * 10 >= seen * 9;
}

/* What the whole file says about its decimal mark: '.', ',' or 0. */
static bw_decimal file_decimal(const bw_profile *p) {
    size_t point = 0, comma = 0;
    for (size_t i = 0; i < p->n_columns; i++) {
        if (!bw_profile_is_number(&p->columns[i]))
            continue;
        point += p->columns[i].numbers[BW_NUMBER_POINT];
        comma += p->columns[i].numbers[BW_NUMBER_COMMA];
    }
    return point > comma ? '.' : comma > point ? ',' : 0;
}

static void decide_decimal(bw_column_profile *c, bw_decimal whole_file, char separator) {
    size_t point = c->numbers[BW_NUMBER_POINT], comma = c->numbers[BW_NUMBER_COMMA];
    bool marked = c->numbers[BW_NUMBER_EITHER] || c->numbers[BW_NUMBER_EITHER_DOT];
    if (point || comma)
        c->decimal = comma > point ? ',' : '.';
    else if (whole_file || !marked)
        c->decimal = whole_file ? whole_file : '.';
    else
        c->decimal = '.'; /* "1.234" alone is 1.234, "1,234" in a comma-separated file is 1234 */
    c->decimal_open = !point && !comma && !whole_file && c->numbers[BW_NUMBER_EITHER] &&
                      separator != ',' && separator != '{';
}

static void decide_order(bw_column_profile *c) {
    size_t dmy = c->dates[BW_DATE_DMY], mdy = c->dates[BW_DATE_MDY];
    c->order = dmy || mdy ? (mdy > dmy ? BW_ORDER_MDY : BW_ORDER_DMY) : BW_ORDER_UNKNOWN;
    c->order_open = !dmy && !mdy && c->dates[BW_DATE_EITHER];
}

static void decide(bw_profile *p, char separator, bw_decimal decimal, bw_date_order order) {
    bw_decimal whole_file = decimal ? decimal : file_decimal(p);
    for (size_t i = 0; i < p->n_columns; i++) {
        bw_column_profile *c = &p->columns[i];
        decide_decimal(c, whole_file, separator);
        decide_order(c);
        if (decimal) {
            c->decimal = decimal;
            c->decimal_open = false;
        }
        if (order != BW_ORDER_UNKNOWN) {
            c->order = order;
            c->order_open = false;
        }
    }
}

/* ---- the pass ---- */

static bw_status look(bw_sheet *t, size_t sample, bw_profile *p, struct distinct *distinct,
                      bw_err *err) {
    bw_status st = BW_OK;
    while (st == BW_OK) {
        const bw_row *row;
        if (sample && p->rows >= sample && !any_open(p))
            break;
        st = bw_sheet_next(t, &row, err);
        if (st != BW_OK || !row) {
            p->all = st == BW_OK;
            break;
        }
        p->rows++;
        for (size_t i = 0; i < row->n && i < p->n_columns; i++) {
            count_cell(&p->columns[i], &row->cells[i], row->line);
            count_distinct(&p->columns[i], &distinct[i], &row->cells[i]);
        }
        if (p->rows % 1024 == 0 && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED, "interrupted");
    }
    return st;
}

bw_status bw_profile_run(bw_sheet *t, size_t sample, bw_decimal decimal, bw_date_order order,
                         bw_profile *out, bw_err *err) {
    out->n_columns = bw_sheet_columns(t);
    out->columns = calloc(out->n_columns, sizeof *out->columns);
    struct distinct *distinct = calloc(out->n_columns, sizeof *distinct);
    if (!out->columns || !distinct) {
        free(distinct);
        return bw_fail_memory(err);
    }
    for (size_t i = 0; i < out->n_columns; i++) {
        out->columns[i].min = DBL_MAX;
        out->columns[i].max = -DBL_MAX;
    }
    bw_findings ignored = {0}; /* the rows are read again and reported then */
    bw_findings *report = bw_sheet_report_to(t, &ignored);
    bw_status st = look(t, sample, out, distinct, err);
    bw_sheet_report_to(t, report);
    bw_findings_free(&ignored);
    free(distinct);
    decide(out, bw_sheet_separator(t), decimal, order);
    return st == BW_OK ? bw_sheet_rewind(t, err) : st;
}

void bw_profile_free(bw_profile *p) {
    free(p->columns);
    *p = (bw_profile){0};
}

/* ---- reporting ---- */

void bw_profile_report_number(const bw_sheet *t, size_t column, const bw_profile *p,
                              bw_findings *f) {
    const bw_column_profile *c = &p->columns[column];
    const char *name = bw_sheet_column(t, column);
    if (c->decimal_open) {
        double point = 0, comma = 0;
        bw_number_parse(c->either_number, strlen(c->either_number), '.', &point);
        bw_number_parse(c->either_number, strlen(c->either_number), ',', &comma);
        bw_findings_add(f,
                        &(bw_spot){.severity = BW_ERROR,
                                   .rule = "ambiguous_number",
                                   .line = c->number_line[BW_NUMBER_EITHER],
                                   .column = name,
                                   .value = c->either_number,
                                   .fix = "say which with --decimal . or --decimal ,"},
                        "is %.10g with a decimal point or %.10g with a decimal comma, and nothing "
                        "in the file decides",
                        point, comma);
    } else if (c->decimal == ',' && c->numbers[BW_NUMBER_COMMA]) {
        bw_findings_add(f,
                        &(bw_spot){.severity = BW_NOTE,
                                   .rule = "decimal_comma",
                                   .line = c->number_line[BW_NUMBER_COMMA],
                                   .column = name},
                        "numbers are read with a decimal comma");
    }
}

void bw_profile_report_date(const bw_sheet *t, size_t column, const bw_profile *p, bw_findings *f) {
    const bw_column_profile *c = &p->columns[column];
    const char *name = bw_sheet_column(t, column);
    if (c->order_open) {
        bw_date dmy, mdy;
        char a[11] = "", b[11] = "";
        if (bw_date_parse(c->either_date, strlen(c->either_date), BW_ORDER_DMY, &dmy))
            bw_day_text(dmy.day, a);
        if (bw_date_parse(c->either_date, strlen(c->either_date), BW_ORDER_MDY, &mdy))
            bw_day_text(mdy.day, b);
        bw_findings_add(f,
                        &(bw_spot){.severity = BW_ERROR,
                                   .rule = "ambiguous_date",
                                   .line = c->date_line[BW_DATE_EITHER],
                                   .column = name,
                                   .value = c->either_date,
                                   .fix = "say which with --date-order dmy or --date-order mdy"},
                        "is %s day first or %s month first, and no date in the file decides", a, b);
    } else if (c->order != BW_ORDER_UNKNOWN) {
        bw_findings_add(
            f,
            &(bw_spot){.severity = BW_NOTE,
                       .rule = "date_order",
                       .line = c->date_line[c->order == BW_ORDER_DMY ? BW_DATE_DMY : BW_DATE_MDY],
                       .column = name},
            "dates are read %s first", c->order == BW_ORDER_DMY ? "day" : "month");
    }
}
