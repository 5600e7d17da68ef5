/* sql/import/doctor.h - the checks that need more than one row: gaps, weeks, jumps of unit, channels
 * without spend or without movement.
 *
 * Rows are seen once, in any order. For each series the doctor keeps which days it has (a bit a
 * day), the last values, and a few sums: memory grows with the series, not with the rows. */
#ifndef BW_SQL_DOCTOR_H
#define BW_SQL_DOCTOR_H

#include "sql/import/findings.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct bw_doctor bw_doctor;

bw_doctor *bw_doctor_new(void); /* NULL when memory ran out, which the others accept */

typedef struct {
    const char *series;
    const char *part;   /* a region, "" for none: tells series of one name apart */
    const char *column; /* for the findings, as is line */
    int day;
    double value; /* NaN when missing: the day counts all the same */
    long line;
    bool paid; /* a channel: never spending, or always the same, is worth a warning */
} bw_sighting;

/* One value of a series at a day; several of one day are added up when they follow each other. A
 * jump of unit goes to f at once. */
void bw_doctor_see(bw_doctor *d, const bw_sighting *seen, bw_findings *f);

typedef struct {
    bool weekly;  /* all days are on one day of the week, at least three of them */
    int week_day; /* 0 Sunday .. 6 Saturday, when weekly */
    size_t days;  /* different ones */
} bw_rhythm;

/* After the last row: gaps of the whole file and of each series, days off the weekly rhythm, paid
 * channels without spend or movement. */
void bw_doctor_finish(bw_doctor *d, bw_findings *f, bw_rhythm *rhythm);
void bw_doctor_free(bw_doctor *d);

#endif
