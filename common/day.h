/* common/day.h - days as numbers: days since 1970-01-01 in the proleptic Gregorian calendar. */
#ifndef BW_COMMON_DAY_H
#define BW_COMMON_DAY_H

#include <stdbool.h>

#define BW_NO_DAY (-1000000L)

/* The number of an ISO day "YYYY-MM-DD" (what follows is ignored), or BW_NO_DAY when it is none. */
long bw_day_number(const char *iso);
/* Writes the ISO day, NUL-terminated. */
void bw_day_text(long day, char out[11]);
/* 0 Sunday .. 6 Saturday. */
int bw_day_weekday(long day);
/* The first day of the week that day belongs to, weeks beginning on weekday week_start (0..6). */
long bw_day_week(long day, int week_start);

#endif
