/* analyze/forecast/forecast_load.h - a series from the database (weeks) or from a CSV (its own steps). */
#ifndef BW_ANALYZE_FORECAST_LOAD_H
#define BW_ANALYZE_FORECAST_LOAD_H

#include "analyze/forecast/forecast.h"
#include "analyze/output.h"
#include "common/sqlite.h"

/* Weekly sums of measure ("revenue", "orders" or "units"); weeks that are not complete at either end
 * are left out, weeks without any sale are taken as closed (missing). Events become columns: the share
 * of a week they cover, one column a name (a year behind a name is dropped). Notes say what was done. */
bw_status bw_series_from_db(sqlite3 *db, const char *measure, size_t horizon, bw_series *out,
                            bw_notes *notes, bw_err *err);
/* A query whose rows change whenever what bw_series_from_db reads changes. */
extern const char BW_SERIES_INPUT[];

typedef struct {
    const char *file, *time, *metric;
    const char *events;     /* columns known ahead, comma-separated, or NULL */
    const char *regressors; /* the same, other numbers */
    size_t horizon, season; /* season: for plain periods, 0 = none */
} bw_series_file;
/* Rows of one time are added up (metric) and averaged (columns). Rows at the end whose metric is empty
 * give the columns' future; without them events are 0 and regressors keep their last value, and a note
 * says so. */
bw_status bw_series_from_csv(const bw_series_file *f, bw_series *out, bw_notes *notes, bw_err *err);

#endif
