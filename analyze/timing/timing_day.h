/* analyze/timing/timing_day.h - what a day means to the timing model. */
#ifndef BW_ANALYZE_TIMING_DAY_H
#define BW_ANALYZE_TIMING_DAY_H

#include <stdbool.h>

typedef struct {
    int year, month, mday; /* month 1..12 */
    int weekday;           /* 0 Monday .. 6 Sunday */
    bool payday; /* salaries come at the end of a month: the days from the 26th to the 3rd */
} bw_calendar_day;

/* day: since 1970-01-01. */
bw_calendar_day bw_calendar_day_of(double day);

#endif
