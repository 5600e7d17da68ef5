/* sql/import/load.h - what the parts of an import share: the file, its profile, the report. */
#ifndef BW_SQL_LOAD_H
#define BW_SQL_LOAD_H

#include "common/progress.h"
#include "sql/import/doctor.h"
#include "sql/import/import.h"
#include "sql/import/kinds.h"
#include "sql/import/names.h"
#include "sql/import/profile.h"
#include "sql/import/sink.h"

typedef struct {
    int first, last; /* days on which the rows name a campaign */
    size_t channel;  /* number among the channels */
} bw_span;

typedef struct {
    sqlite3 *db;
    const bw_import_job *job;
    bw_import_report *report;
    bw_findings *findings; /* of the report */
    bw_sheet *table;
    bw_profile profile;
    bw_progress *progress;
    bw_doctor *doctor;
    char zone[101]; /* setting timezone, "" = not set or not known */
    bool zone_read;
    bool adds;                          /* rows with the same key can be added up */
    bool made_ids;                      /* ids come from the content of the rows */
    size_t repeats;                     /* rows with such an id that was there already */
    long repeat_line;                   /* the first of them */
    int first_day, last_day;            /* of the rows; first > last when there are none */
    bw_names channels, geos, campaigns; /* named by the rows */
    bw_span *spans;                     /* of each campaign */
    size_t n_campaigns, n_spans;
    int *filter_column; /* --where: columns and the values they must have */
    char **filter_value;
    size_t n_filters;
} bw_load;

/* The rows of one kind. */
bw_status bw_load_kind(bw_load *l, const bw_kind *kind, bw_err *err);
/* A modelling table: one row a day or week, one column a channel. */
bw_status bw_load_wide(bw_load *l, bw_err *err);

/* Days of event columns, as bw_load_wide left them, into events; weekly: a row is a week. */
bw_status bw_load_events(bw_load *l, bool weekly, bw_err *err);

/* Sets a setting that no file has settled yet; one that differs is a finding of that severity ("the
 * database holds WHAT in ..."). */
bw_status bw_load_settle(bw_load *l, const char *key, const char *value, const char *what,
                         bw_severity severity, bw_err *err);
/* The currency that the name of a money column ends in, if any. */
bw_status bw_load_currency(bw_load *l, size_t column, bw_err *err);
/* Weekly rows on that day of the week (0 Sunday): the shop's weeks, unless settled before. */
bw_status bw_load_settle_week(bw_load *l, int week_day, bw_err *err);

/* Remembers a campaign of that channel at that day; false when memory ran out. */
bool bw_load_note_campaign(bw_load *l, const bw_value *campaign, const bw_value *channel, int day);
/* Writes channels, regions and campaigns that the rows named. */
bw_status bw_load_write_names(bw_load *l, bw_err *err);
void bw_load_free_names(bw_load *l);

/* The next row that passes --where, with the right number of cells; *row is NULL at the end, and
 * when there are too many errors. Draws the progress, and hears Ctrl-C. */
bw_status bw_load_next(bw_load *l, const bw_row **row, bw_err *err);

/* Reads one cell as a field of that type. buffer (17 bytes) holds a day's or a time's text. False:
 * the row is of no use, and a finding says why. A missing cell is BW_VALUE_NULL and true. */
bool bw_load_value(bw_load *l, bw_field_type type, size_t column, const bw_row *row, char *buffer,
                   bw_value *out);
/* The same for a date; *day is set. A missing date is an error finding. */
bool bw_load_day(bw_load *l, size_t column, const bw_row *row, bw_date *out);

/* Widens first_day..last_day. */
void bw_load_note_day(bw_load *l, int day);

/* Counts what bw_sink_put did with a row; a conflict is added up with --sum, else an error. */
bw_status bw_load_put(bw_load *l, bw_sink *sink, const bw_value *values, const bw_row *row,
                      bw_err *err);

#endif
