/* analyze/day.h - ISO days as numbers (days since 1970-01-01), and the weeks they belong to. */
#ifndef BW_ANALYZE_DAY_H
#define BW_ANALYZE_DAY_H

#define BW_NO_DAY (-1000000L)

/* The number of an ISO day "YYYY-MM-DD", or BW_NO_DAY when the text is none. */
long bw_iso_number(const char *iso);
/* Writes the ISO day, NUL-terminated. */
void bw_iso_text(long day, char out[11]);
/* The first day of the week that day belongs to, weeks beginning on week_start (0 Sunday .. 6). */
long bw_iso_week(long day, int week_start);

#endif
