/* sql/zone.h - local time of a shop from times that carry their distance from UTC.
 *
 * Rules of the zones are the system's (the tz database, by localtime). A time of UTC always has one local
 * time: where clocks go forward an hour is skipped, where they go back an hour comes twice. */
#ifndef BW_SQL_ZONE_H
#define BW_SQL_ZONE_H

#include <stdbool.h>
#include <stddef.h>

/* The distance from UTC at the end of a time such as "2026-03-29T01:30:00Z" or "... 01:30+02:00", in minutes;
 * false when there is none. */
bool bw_zone_suffix(const char *text, size_t n, int *minutes);

/* Whether the system knows a zone of that name, such as Europe/Berlin. */
bool bw_zone_known(const char *name);

/* day (since 1970-01-01) and minute of the day, written `offset` minutes ahead of UTC, to those of a zone that is
 * known. Sets the process' time zone: one thread at a time. */
void bw_zone_local(const char *name, int offset, int *day, int *minute);

#endif
