/* analyze/day.c - see day.h; the calendar itself is in sql/value.h. */
#include "analyze/day.h"

#include "sql/value.h"

#include <stdio.h>
#include <string.h>

long bw_iso_number(const char *iso) {
    int year, month, day, end = 0;
    if (!iso || sscanf(iso, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || end != 10 ||
        iso[10])
        return BW_NO_DAY;
    int number = bw_day_number(year, month, day);
    char back[11];
    bw_day_text(number, back); /* 2025-02-30 comes back as another day */
    return memcmp(back, iso, 10) == 0 ? number : BW_NO_DAY;
}

void bw_iso_text(long day, char out[11]) {
    bw_day_text((int)day, out);
}

long bw_iso_week(long day, int week_start) {
    return day - (bw_day_weekday((int)day) - week_start + 7) % 7;
}
