/* sql/zone.c - offsets as people write them, and the system's rules for a zone. */
#include "sql/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define DAY_SECONDS 86400

bool bw_zone_suffix(const char *text, size_t n, int *minutes) {
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    const char *colon = memchr(text, ':', n);
    if (!colon)
        return false;
    *minutes = 0;
    if (text[n - 1] == 'Z' || text[n - 1] == 'z')
        return true;
    size_t at = (size_t)(colon - text); /* a sign before the time belongs to the day */
    while (at < n && text[at] != '+' && text[at] != '-')
        at++;
    char digit[5] = "";
    size_t k = 0;
    for (size_t i = at + 1; i < n; i++) {
        if (text[i] == ':' && k == 2)
            continue;
        if (!isdigit((unsigned char)text[i]) || k == 4)
            return false;
        digit[k++] = text[i];
    }
    if (at == n || (k != 2 && k != 4))
        return false;
    int value = atoi(digit), hours = k == 4 ? value / 100 : value, rest = k == 4 ? value % 100 : 0;
    *minutes = (text[at] == '-' ? -1 : 1) * (60 * hours + rest);
    return hours <= 14 && rest < 60;
}

bool bw_zone_known(const char *name) {
    char path[200];
    if (!*name || *name == '/' || *name == '.' || strstr(name, "..") || strlen(name) > 100)
        return false;
    snprintf(path, sizeof path, "%s/%s", ZONE_FOLDER, name);
    return access(path, R_OK) == 0;
}

/* The C library reads a zone's file anew whenever TZ changes: it is set once and left. */
static void enter(const char *name) {
    const char *now = getenv("TZ");
    if (!now || strcmp(now, name) != 0) {
        setenv("TZ", name, 1);
        tzset();
    }
}

void bw_zone_local(const char *name, int offset, int *day, int *minute) {
    time_t at = (time_t)*day * DAY_SECONDS + 60 * ((time_t)*minute - offset);
    struct tm local;
    enter(name);
    if (!localtime_r(&at, &local))
        return;
    time_t wall = at + local.tm_gmtoff;
    time_t days = wall / DAY_SECONDS - (wall % DAY_SECONDS < 0);
    *day = (int)days;
    *minute = (int)((wall - days * DAY_SECONDS) / 60);
}
