/* analyze/forecast/forecast_csv.c - a series straight from a CSV: finds the step, adds rows of one time up. */
#include "analyze/forecast/forecast_load.h"

#include "analyze/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 40u

struct source {
    const bw_series_file *f;
    bw_table *table;
    double *time, *y;
    double *column[COLUMNS_MAX];
    const char *name[COLUMNS_MAX];
    size_t columns, events; /* the first `events` of them are events */
    char *copy[2];
    double *grid; /* distinct times, ascending */
    size_t times;
};

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bw_status read_columns(struct source *s, bw_err *err) {
    size_t n = 0;
    bw_status st = bw_split_names(s->f->events, s->name, COLUMNS_MAX, &s->events, &s->copy[0], err);
    if (st == BW_OK)
        st = bw_split_names(s->f->regressors, s->name + s->events, COLUMNS_MAX - s->events, &n,
                            &s->copy[1], err);
    for (size_t j = 0; st == BW_OK && j < s->events + n; j++) {
        st = bw_table_full_numbers(s->table, s->name[j], &s->column[j], err);
        s->columns += st == BW_OK;
    }
    return st;
}

static bw_status read_source(struct source *s, bw_err *err) {
    bw_status st = bw_table_load(s->f->file, &s->table, err);
    if (st == BW_OK)
        st = bw_table_days(s->table, s->f->time, &s->time, err);
    if (st == BW_OK)
        st = bw_table_numbers(s->table, s->f->metric, &s->y, err);
    if (st == BW_OK)
        st = read_columns(s, err);
    if (st != BW_OK)
        return st;
    size_t rows = bw_table_rows(s->table);
    s->grid = malloc(rows * sizeof *s->grid);
    if (!s->grid)
        return bw_fail_memory(err);
    memcpy(s->grid, s->time, rows * sizeof *s->grid);
    qsort(s->grid, rows, sizeof *s->grid, compare);
    for (size_t i = 0; i < rows; i++)
        if (!s->times || s->grid[i] != s->grid[s->times - 1])
            s->grid[s->times++] = s->grid[i];
    return BW_OK;
}

static bool is_date(const struct source *s) {
    size_t c = 0;
    double day;
    bw_table_find(s->table, s->f->time, &c, NULL);
    return bw_day_parse(bw_table_text(s->table, 0, c), &day);
}

/* The smallest distance of two times is the step; a month is 28 to 31 days from first to first. */
static bw_status find_step(const struct source *s, bw_series *out, bw_err *err) {
    double least = INFINITY;
    bool firsts = true;
    char day[11];
    for (size_t t = 0; t < s->times; t++) {
        if (t)
            least = fmin(least, s->grid[t] - s->grid[t - 1]);
        bw_day_format(s->grid[t], day);
        firsts &= strcmp(day + 8, "01") == 0;
    }
    out->first = s->grid[0];
    out->calendar = is_date(s);
    if (s->times < 2 || least < 1)
        return bw_fail(err, BW_EDATA,
                       "%s: column %s holds %zu different times; a series needs more", s->f->file,
                       s->f->time, s->times);
    out->step = out->calendar && firsts && least >= 28 && least <= 31 ? 0 : (int)least;
    return BW_OK;
}

/* Place of a time on the grid; SIZE_MAX when it is between two places. */
static size_t place(const bw_series *s, double time) {
    if (s->step > 0) {
        double at = (time - s->first) / s->step;
        return at == floor(at) ? (size_t)at : SIZE_MAX;
    }
    size_t t = (size_t)floor((time - s->first) / 30.5);
    while (bw_series_at(s, t) < time)
        t++;
    return bw_series_at(s, t) == time ? t : SIZE_MAX;
}

static bw_status fill(const struct source *s, bw_series *out, double *count, size_t most,
                      size_t *last_seen, size_t *last_row, bw_err *err) {
    size_t rows = bw_table_rows(s->table);
    for (size_t i = 0; i < rows; i++) {
        size_t t = place(out, s->time[i]);
        if (t >= most)
            return bw_fail(err, BW_EDATA,
                           "%s: line %zu: the time does not lie on an even grid (the smallest step "
                           "is %d days); add up to days or weeks first",
                           s->f->file, i + 2, out->step);
        if (!isnan(s->y[i])) {
            out->y[t] = isnan(out->y[t]) ? s->y[i] : out->y[t] + s->y[i];
            *last_seen = t > *last_seen ? t : *last_seen;
        }
        for (size_t j = 0; j < s->columns; j++)
            out->x[t * s->columns + j] += s->column[j][i];
        count[t] += 1;
        *last_row = t > *last_row ? t : *last_row;
    }
    for (size_t t = 0; t < most; t++)
        for (size_t j = 0; count[t] > 0 && j < s->columns; j++)
            out->x[t * s->columns + j] /= count[t];
    return BW_OK;
}

/* Columns where no row says anything: events are off, regressors stay as they were. */
static void fill_unknown(const struct source *s, bw_series *out, const double *count, size_t rows) {
    for (size_t t = 1; t < rows; t++)
        for (size_t j = s->events; count[t] == 0 && j < s->columns; j++)
            out->x[t * s->columns + j] = out->x[(t - 1) * s->columns + j];
}

static bw_status build(const struct source *s, bw_series *out, bw_notes *notes, bw_err *err) {
    bw_status st = find_step(s, out, err);
    if (st != BW_OK)
        return st;
    double span = s->grid[s->times - 1] - s->grid[0];
    size_t grid = out->step ? (size_t)(span / out->step) + 1 : (size_t)(span / 28) + 1;
    size_t most = grid + s->f->horizon, last_seen = 0, last_row = 0, missing = 0;
    if (grid > 200000)
        return bw_fail(err, BW_EDATA, "%s: %zu steps of %d days; add up to days or weeks first",
                       s->f->file, grid, out->step);
    double *count = calloc(most, sizeof *count);
    out->y = malloc(most * sizeof *out->y);
    out->x = calloc(most * s->columns + 1, sizeof *out->x);
    out->name = calloc(s->columns + 1, sizeof *out->name);
    out->is_event = calloc(s->columns + 1, sizeof *out->is_event);
    st = count && out->y && out->x && out->name && out->is_event ? BW_OK : bw_fail_memory(err);
    for (size_t t = 0; st == BW_OK && t < most; t++)
        out->y[t] = NAN;
    if (st == BW_OK)
        st = fill(s, out, count, most, &last_seen, &last_row, err);
    if (st == BW_OK) {
        out->n = last_seen + 1;
        out->horizon = s->f->horizon;
        out->season = s->f->season;
        fill_unknown(s, out, count, out->n + out->horizon);
        for (size_t t = 0; t < out->n; t++)
            missing += isnan(out->y[t]) ? 1 : 0;
        if (missing)
            bw_note(notes, "%zu of %zu periods have no value: they are taken as not known", missing,
                    out->n);
        if (s->columns && last_row < out->n + out->horizon - 1)
            bw_note(notes,
                    "the file does not say what %s will be: events are taken as off, other columns "
                    "as they "
                    "were; give rows with an empty %s to say it",
                    s->name[0], s->f->metric);
        if (bw_table_rows(s->table) > s->times)
            bw_note(notes, "%zu rows are added up to %zu periods", bw_table_rows(s->table),
                    s->times);
    }
    free(count);
    for (size_t j = 0; st == BW_OK && j < s->columns; j++) {
        out->is_event[j] = j < s->events;
        out->name[j] = strdup(s->name[j]);
        out->extra++;
        st = out->name[j] ? BW_OK : bw_fail_memory(err);
    }
    return st;
}

bw_status bw_series_from_csv(const bw_series_file *f, bw_series *out, bw_notes *notes,
                             bw_err *err) {
    *out = (bw_series){0};
    struct source s = {.f = f};
    bw_status st = read_source(&s, err);
    if (st == BW_OK)
        st = build(&s, out, notes, err);
    bw_table_free(s.table);
    free(s.time);
    free(s.y);
    free(s.grid);
    free(s.copy[0]);
    free(s.copy[1]);
    for (size_t j = 0; j < COLUMNS_MAX; j++)
        free(s.column[j]);
    if (st != BW_OK)
        bw_series_free(out);
    return st;
}
