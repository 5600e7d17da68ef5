/* common/day.c - see day.h. Civil days by counting 400-year eras from 1 March (Hinnant, "chrono-
 * compatible low-level date algorithms"). */
#include "common/day.h"

#include <stdio.h>

static long from_civil(long y, long m, long d) {
    y -= m <= 2;
    long era = (y >= 0 ? y : y - 399) / 400, year = y - era * 400;
    long day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

long bw_day_number(const char *iso) {
    static const int length[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d, end = 0;
    if (!iso || sscanf(iso, "%4d-%2d-%2d%n", &y, &m, &d, &end) != 3 || end != 10 || m < 1 || m > 12 ||
        d < 1 || d > length[m - 1])
        return BW_NO_DAY;
    long day = from_civil(y, m, d);
    return m == 2 && d == 29 && day == from_civil(y, 3, 1) ? BW_NO_DAY : day;
}

void bw_day_text(long day, char out[11]) {
    long z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    long year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    long of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    unsigned d = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    unsigned m = (unsigned)(month < 10 ? month + 3 : month - 9);
    unsigned y = (unsigned)(year + era * 400 + (m <= 2)) % 10000;
    snprintf(out, 11, "%04u-%02u-%02u", y, m % 100, d % 100);
}

int bw_day_weekday(long day) {
    return (int)(((day + 4) % 7 + 7) % 7);
}

long bw_day_week(long day, int week_start) {
    return day - (bw_day_weekday(day) - week_start + 7) % 7;
}
