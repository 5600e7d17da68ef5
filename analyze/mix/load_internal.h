/* analyze/mix/load_internal.h - shared by load.c and load_context.c alone: the calendar of periods being
 * filled, and rows read one by one. */
#ifndef BW_ANALYZE_LOAD_INTERNAL_H
#define BW_ANALYZE_LOAD_INTERNAL_H

#include "analyze/mix/load.h"

#include "analyze/day.h"
#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    sqlite3 *db;
    const bw_load_options *o;
    bw_buf *notes;
    int week_start, period_days;
    long first; /* day number of the first period */
    size_t n_time, n_geo;
    char **geo; /* [n_geo] "" for the whole market */
    bool by_geo;
} calendar;

/* The period a day falls in; false outside. */
bool load_period(const calendar *cal, const char *day, size_t *t);
/* Index of geo, or n_geo when it has no place. Rows without geo have none when cal->by_geo. */
size_t load_geo(const calendar *cal, const char *geo);
bool load_left_out(const calendar *cal, const char *name);
/* name's index among names [n], or n. */
size_t load_index(char *const *names, size_t n, const char *name);

/* Calls row for each row of a query without parameters. */
typedef bw_status load_row(void *context, sqlite3_stmt *s, bw_err *err);
bw_status load_each(sqlite3 *db, const char *sql, load_row *row, void *context, bw_err *err);

/* A list of names that grows. */
typedef struct {
    char **name;
    size_t n;
} name_list;
bw_status load_add_name(name_list *l, const char *name, bw_err *err);
void load_free_names(name_list *l);

/* One control under construction: values [n_geo, n_time], NAN where unknown. */
typedef struct {
    char *name;
    signed char sign;
    double *value;
} control_series;
typedef struct {
    control_series *series;
    size_t n;
    name_list events;
    double *column;       /* [n_column, n_time] */
    size_t *column_event; /* [n_column] index of the event */
    size_t n_column;
} context_arrays;

/* load_context.c: price, discount, context series, sentiment. load_event.c: events. */
bw_status load_context(const calendar *cal, context_arrays *out, bw_err *err);
bw_status load_events(const calendar *cal, context_arrays *out, bw_err *err);
void load_context_free(context_arrays *c);
/* load_lift.c: experiments on the channels of d; d->lift and n_lift are filled. */
bw_status load_lift(const calendar *cal, bw_mmm_data *d, bw_err *err);

#endif
