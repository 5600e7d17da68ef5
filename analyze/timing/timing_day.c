/* analyze/timing/timing_day.c - days of the proleptic Gregorian calendar, in eras of 400 years from March on. */
#include "analyze/timing/timing_day.h"

#include <math.h>

bw_calendar_day bw_calendar_day_of(double day) {
    long z = (long)day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    bw_calendar_day d = {.mday = (int)(doy - (153 * mp + 2) / 5 + 1),
                         .month = (int)(mp < 10 ? mp + 3 : mp - 9),
                         .weekday =
                             (int)fmod(fmod(day + 3, 7) + 7, 7)}; /* the epoch was a Thursday */
    d.year = (int)(yoe + 400 * era + (d.month <= 2));
    d.payday = d.mday >= 26 || d.mday <= 3;
    return d;
}
