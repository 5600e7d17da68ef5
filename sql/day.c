/* sql/day.c - the dates of sql/value.h: a scanner of digits and marks, then one rule a form. */
#include "sql/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define YEAR_FIRST   1800 /* an earlier year is a typing error */
#define CENTURY_TURN 70   /* 69 is 2069, 70 is 1970, as POSIX strptime reads two digits */

int bw_day_number(int year, int month, int day) {
    /* Days from civil, after Hinnant's chrono-compatible algorithms: years begin in March. */
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil(int number, int *year, int *month, int *day) {
    int z = number + 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int of_era = z - era * 146097;
    int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * y + y / 4 - y / 100);
    int m = (5 * of_year + 2) / 153;
    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2);
}

static void put_digits(char *out, int value, int width) {
    for (int i = width - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

void bw_day_text(int number, char out[11]) {
    int year, month, day;
    civil(number, &year, &month, &day);
    put_digits(out, year, 4);
    put_digits(out + 5, month, 2);
    put_digits(out + 8, day, 2);
    out[4] = out[7] = '-';
    out[10] = '\0';
}

void bw_time_text(int minute, char out[7]) {
    int m = minute < 0 ? 0 : minute % 1440;
    out[0] = ' ';
    put_digits(out + 1, m / 60, 2);
    out[3] = ':';
    put_digits(out + 4, m % 60, 2);
    out[6] = '\0';
}

int bw_day_weekday(int number) {
    return ((number % 7) + 11) % 7; /* 1970-01-01 was a Thursday, 4 */
}

static bool civil_day(int year, int month, int day, int *out) {
    static const int LENGTH[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < YEAR_FIRST || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > LENGTH[month - 1] + (month == 2 && leap))
        return false;
    *out = bw_day_number(year, month, day);
    return true;
}

struct cursor {
    const char *p, *end;
};

/* Reads up to max digits; returns how many. */
static int digits(struct cursor *c, int max, int *value) {
    int n = 0;
    *value = 0;
    for (; n < max && c->p < c->end && isdigit((unsigned char)*c->p); c->p++, n++)
        *value = 10 * *value + (*c->p - '0');
    return n;
}

static bool skip(struct cursor *c, const char *mark) {
    size_t n = strlen(mark);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, mark, n) != 0)
        return false;
    c->p += n;
    return true;
}

static void spaces(struct cursor *c) {
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
        c->p++;
}

/* "", " 13:45", "T13:45:10.5Z", " 1:45 PM": what may follow a day. */
static bool time_of_day(struct cursor *c, int *minute) {
    int h, m, s;
    *minute = -1;
    bool t = skip(c, "T");
    spaces(c);
    if (c->p == c->end)
        return !t;
    if (digits(c, 2, &h) == 0 || !skip(c, ":") || digits(c, 2, &m) != 2 || m > 59)
        return false;
    if (skip(c, ":") && digits(c, 2, &s) != 2)
        return false;
    if (skip(c, "."))
        digits(c, 9, &s);
    spaces(c);
    size_t left = (size_t)(c->end - c->p);
    bool pm = left >= 2 && strncasecmp(c->p, "PM", 2) == 0;
    bool am = left >= 2 && strncasecmp(c->p, "AM", 2) == 0;
    if (pm || am) {
        if (h < 1 || h > 12)
            return false;
        h = h % 12 + 12 * pm;
        c->p += 2;
    } else if (left > 0 && !skip(c, "Z") && *c->p != '+' && *c->p != '-') {
        return false; /* offsets are passed over: the shop's local time is what was written */
    }
    *minute = 60 * h + m;
    return h < 24;
}

static int full_year(int year, int n_digits) {
    if (n_digits != 2)
        return year;
    return year < CENTURY_TURN ? 2000 + year : 1900 + year;
}

static bool ymd(struct cursor c, bw_date *out) {
    int y, m, d;
    if (digits(&c, 4, &y) != 4)
        return false;
    out->form = BW_DATE_YMD;
    if (c.end - c.p >= 4 && isdigit((unsigned char)*c.p)) { /* 20240531 */
        if (digits(&c, 2, &m) != 2 || digits(&c, 2, &d) != 2)
            return false;
        return civil_day(y, m, d, &out->day) && time_of_day(&c, &out->minute);
    }
    if (skip(&c, "年"))
        return digits(&c, 2, &m) && skip(&c, "月") && digits(&c, 2, &d) && skip(&c, "日") &&
               civil_day(y, m, d, &out->day) && time_of_day(&c, &out->minute);
    char mark = c.p < c.end ? *c.p++ : '\0';
    if (!strchr("-/.", mark) || mark == '\0')
        return false;
    return digits(&c, 2, &m) && c.p < c.end && *c.p++ == mark && digits(&c, 2, &d) &&
           civil_day(y, m, d, &out->day) && time_of_day(&c, &out->minute);
}

/* 2024-W22: the Monday of that ISO week; week 1 holds 4 January. */
static bool iso_week(struct cursor c, bw_date *out) {
    int y, w, fourth;
    if (digits(&c, 4, &y) != 4)
        return false;
    skip(&c, "-");
    if (!(skip(&c, "W") || skip(&c, "w")) || !digits(&c, 2, &w) || c.p != c.end)
        return false;
    if (w < 1 || w > 53 || !civil_day(y, 1, 4, &fourth))
        return false;
    out->form = BW_DATE_WEEK;
    out->minute = -1;
    out->day = fourth - (bw_day_weekday(fourth) + 6) % 7 + 7 * (w - 1);
    return true;
}

static bool epoch(struct cursor c, bw_date *out) {
    size_t n = (size_t)(c.end - c.p);
    char text[14], *stop;
    if (n != 10 && n != 13)
        return false;
    memcpy(text, c.p, n);
    text[n] = '\0';
    long long seconds = strtoll(text, &stop, 10);
    if (*stop)
        return false;
    if (n == 13)
        seconds /= 1000;
    out->form = BW_DATE_EPOCH;
    out->day = (int)(seconds / 86400);
    out->minute = (int)(seconds % 86400 / 60);
    return true;
}

/* Day and month in either order, then the year, all with the same mark. */
static bool two_orders(struct cursor c, bw_date_order order, bw_date *out) {
    int a, b, y, ny;
    if (!digits(&c, 2, &a) || c.p == c.end || !strchr("-/.", *c.p))
        return false;
    char mark = *c.p++;
    if (!digits(&c, 2, &b) || c.p == c.end || *c.p++ != mark)
        return false;
    ny = digits(&c, 4, &y);
    if (ny != 2 && ny != 4)
        return false;
    y = full_year(y, ny);
    int dmy = 0, mdy = 0;
    bool can_dmy = civil_day(y, b, a, &dmy), can_mdy = civil_day(y, a, b, &mdy);
    if (mark == '.') /* written with dots the day comes first, everywhere it is used */
        can_mdy = false;
    if (!can_dmy && !can_mdy)
        return false;
    out->form = !can_mdy ? BW_DATE_DMY : !can_dmy ? BW_DATE_MDY : BW_DATE_EITHER;
    bool month_first = !can_dmy || (can_mdy && order == BW_ORDER_MDY);
    out->day = month_first ? mdy : dmy;
    return time_of_day(&c, &out->minute);
}

static int month_named(struct cursor *c) {
    static const char NAMES[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    const char *from = c->p;
    while (c->p < c->end && isalpha((unsigned char)*c->p))
        c->p++;
    if (c->p - from < 3)
        return 0;
    for (int m = 0; m < 12; m++)
        if (strncasecmp(from, NAMES + 3 * m, 3) == 0)
            return m + 1;
    return 0;
}

static void between(struct cursor *c) {
    while (c->p < c->end && strchr(" -,./", *c->p) && *c->p)
        c->p++;
}

/* "31 May 2024", "31-May-24", "May 31, 2024". */
static bool named(struct cursor c, bw_date *out) {
    int d = 0, m, y, ny;
    if (digits(&c, 2, &d))
        between(&c);
    m = month_named(&c);
    between(&c);
    if (m == 0 || (d == 0 && !digits(&c, 2, &d)))
        return false;
    between(&c);
    ny = digits(&c, 4, &y);
    if (ny != 2 && ny != 4)
        return false;
    out->form = BW_DATE_NAMED;
    return civil_day(full_year(y, ny), m, d, &out->day) && time_of_day(&c, &out->minute);
}

/* The form nearly every file has, read without ceremony: "2024-05-31" and nothing else. */
static bool iso_day(const char *t, size_t n, bw_date *out) {
    if (n != 10 || t[4] != '-' || t[7] != '-')
        return false;
    int v[8];
    static const int AT[8] = {0, 1, 2, 3, 5, 6, 8, 9};
    for (int i = 0; i < 8; i++) {
        v[i] = t[AT[i]] - '0';
        if (v[i] < 0 || v[i] > 9)
            return false;
    }
    out->form = BW_DATE_YMD;
    out->minute = -1;
    return civil_day(1000 * v[0] + 100 * v[1] + 10 * v[2] + v[3], 10 * v[4] + v[5],
                     10 * v[6] + v[7], &out->day);
}

bool bw_date_parse(const char *text, size_t n, bw_date_order order, bw_date *out) {
    if (iso_day(text, n, out))
        return true;
    struct cursor c = {text, text + n};
    spaces(&c);
    return ymd(c, out) || iso_week(c, out) || epoch(c, out) || two_orders(c, order, out) ||
           named(c, out);
}
