/* sql/doctor.h - the checks that need more than one row: gaps, weeks, jumps of unit, channels
 * without spend or without movement.
 *
 * Rows are seen once, in any order. For each series the doctor keeps which days it has (a bit a
 * day), the last values, and a few sums: memory grows with the series, not with the rows. */
#ifndef BW_SQL_DOCTOR_H
#define BW_SQL_DOCTOR_H

#include "sql/findings.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct bw_doctor bw_doctor;

bw_doctor *bw_doctor_new(void); /* NULL when memory ran out, which the others accept */

/* One value of a series at a day; several of one day are added up when they follow each other.
 * series and part (a region, "" for none) tell the series apart; column and line are for the
 * findings, which go to f at once when the unit jumps. A missing value is NaN: the day counts. */
void bw_doctor_see(bw_doctor *d, const char *series, const char *part, const char *column, int day,
                   double value, long line, bw_findings *f);

typedef struct {
    bool weekly;  /* all days are on one day of the week, at least three of them */
    int week_day; /* 0 Sunday .. 6 Saturday, when weekly */
    size_t days;  /* different ones */
} bw_rhythm;

/* After the last row: gaps of the whole file and of each series, days off the weekly rhythm.
 * paid: series are channels, so that one without spend, or with the same spend at all times, is
 * worth a warning. */
void bw_doctor_finish(bw_doctor *d, bool paid, bw_findings *f, bw_rhythm *rhythm);
void bw_doctor_free(bw_doctor *d);

#endif
