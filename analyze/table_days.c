/* analyze/table_days.c - days of the calendar, and a column of them as other programs write it.
 *
 * A column has one form throughout: ISO days, days with slashes or dots (whichever of month and day comes
 * first must be clear from the column itself), months, quarters, or plain numbers that count periods. */
#include "analyze/table.h"
#include "analyze/table_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Days from the civil calendar, H. Hinnant, "chrono-compatible low-level date algorithms". */
static double days_from_civil(int y, int m, int d) {
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (double)era * 146097.0 + doe - 719468.0;
}

static bool digits(const char *s, int n, int *value) {
    *value = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        *value = *value * 10 + (s[i] - '0');
    }
    return true;
}

bool bw_day_parse(const char *text, double *day) {
    int y, m, d;
    if (!digits(text, 4, &y) || text[4] != '-' || !digits(text + 5, 2, &m) || text[7] != '-' ||
        !digits(text + 8, 2, &d))
        return false;
    char behind = text[10], back[11];
    if (m < 1 || m > 12 || d < 1 || (behind && behind != ' ' && behind != 'T'))
        return false;
    *day = days_from_civil(y, m, d);
    bw_day_format(*day, back); /* 31 April comes back as 1 May */
    return strncmp(back, text, 10) == 0;
}

void bw_day_format(double day, char out[11]) {
    int64_t z = (int64_t)floor(day) + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int d = (int)(doy - (153 * mp + 2) / 5 + 1), m = (int)(mp < 10 ? mp + 3 : mp - 9);
    int y = (int)(yoe + era * 400 + (m <= 2));
    char text[40];
    snprintf(text, sizeof text, "%04d-%02d-%02d", y, m, d);
    memcpy(out, text, 10);
    out[10] = '\0';
}

/* Up to three numbers with one of the marks between; their count, 0 when anything else stands there. A time of
 * day behind a space or 'T' is cut off. */
static int split(const char *text, const char *marks, int part[3], size_t width[3]) {
    for (int k = 0; k < 3; k++) {
        char *end;
        if (!isdigit((unsigned char)*text))
            return 0;
        part[k] = (int)strtol(text, &end, 10);
        width[k] = (size_t)(end - text);
        if (!*end || (k == 2 && (*end == ' ' || *end == 'T')))
            return k + 1;
        if (width[k] > 4 || !strchr(marks, *end))
            return 0;
        text = end + 1;
    }
    return 0;
}

static bool civil(int y, int m, int d, double *day) {
    char text[40];
    if (y < 0 || y > 9999 || m < 0 || m > 99 || d < 0 || d > 99)
        return false;
    snprintf(text, sizeof text, "%04d-%02d-%02d", y, m, d);
    return bw_day_parse(text, day);
}

static bool slashed(const char *text, double *day, bool month_first, bool year_first) {
    int p[3];
    size_t w[3];
    if (split(text, "/.-", p, w) != 3)
        return false;
    if (year_first)
        return w[0] == 4 && civil(p[0], p[1], p[2], day);
    int year = w[2] == 2 ? 2000 + p[2] : p[2];
    return (w[2] == 4 || w[2] == 2) &&
           (month_first ? civil(year, p[0], p[1], day) : civil(year, p[1], p[0], day));
}

static bool year_first(const char *text, double *day) {
    return slashed(text, day, false, true);
}

static bool month_first(const char *text, double *day) {
    return slashed(text, day, true, false);
}

static bool day_first(const char *text, double *day) {
    return slashed(text, day, false, false);
}

static bool year_month(const char *text, double *day) {
    int p[3];
    size_t w[3];
    return split(text, "/-.", p, w) == 2 && w[0] == 4 && w[1] == 2 && civil(p[0], p[1], 1, day);
}

/* "2010Q4", "2010-Q4", "Q4 2010", "Q42010": the first day of the quarter. */
static bool quarter(const char *text, double *day) {
    static const char *const FORMS[] = {"%4d%*[ -]Q%1d%n", "%4dQ%1d%n", "Q%1d%*[ -]%4d%n",
                                        "Q%1d%4d%n"};
    for (int f = 0; f < 4; f++) {
        int a = 0, b = 0, used = 0;
        if (sscanf(text, FORMS[f], &a, &b, &used) != 2 || !used || text[used])
            continue;
        int y = f < 2 ? a : b, q = f < 2 ? b : a;
        return q >= 1 && q <= 4 && civil(y, 3 * q - 2, 1, day);
    }
    return false;
}

static bool period(const char *text, double *day) {
    return table_number(text, day) && isfinite(*day);
}

typedef bool reader(const char *text, double *day);

/* Reads the column in one form; false at the first cell that has another, whose row is in *at. */
static bool read_as(const bw_table *t, size_t column, reader *read, double *x, size_t *at) {
    for (*at = 0; *at < bw_table_rows(t); ++*at)
        if (!read(bw_table_text(t, *at, column), &x[*at]))
            return false;
    return true;
}

/* Month first and day first can both be possible: then the column does not say which it is. */
static bw_status month_or_day(const bw_table *t, size_t c, double *x, size_t *at, bw_err *err) {
    size_t rows = bw_table_rows(t), stuck;
    double *other = malloc(rows * sizeof *other);
    if (!other)
        return bw_fail_memory(err);
    bool us = read_as(t, c, month_first, x, at), eu = read_as(t, c, day_first, other, &stuck);
    bool differ = false;
    for (size_t r = 0; us && eu && r < rows; r++)
        differ |= x[r] != other[r];
    if (!us && eu)
        memcpy(x, other, rows * sizeof *x);
    free(other);
    *at = us || eu ? rows : *at > stuck ? *at : stuck;
    if (us && eu && differ)
        return bw_fail(err, BW_EFORMAT,
                       "column %s: '%.20s' may be month first or day first; write days as "
                       "YYYY-MM-DD",
                       bw_table_name(t, c), bw_table_text(t, 0, c));
    return BW_OK;
}

bool bw_day_read(const char *text, double *day) {
    return bw_day_parse(text, day) || year_first(text, day) || year_month(text, day) ||
           quarter(text, day);
}

static bw_status read_days(const bw_table *t, size_t c, double *x, bw_err *err) {
    static reader *const FORMS[] = {bw_day_parse, period, year_first, year_month, quarter};
    size_t at = 0, furthest = 0;
    for (size_t f = 0; f < sizeof FORMS / sizeof *FORMS; f++) {
        if (read_as(t, c, FORMS[f], x, &at))
            return BW_OK;
        furthest = at > furthest ? at : furthest;
    }
    bw_status st = month_or_day(t, c, x, &at, err);
    furthest = at > furthest ? at : furthest;
    if (st != BW_OK || furthest == bw_table_rows(t))
        return st;
    return table_bad_cell(t, furthest, c,
                          furthest ? "of the form of the rows above (best: YYYY-MM-DD)"
                                   : "a day YYYY-MM-DD or a number",
                          err);
}

bw_status bw_table_days(const bw_table *t, const char *name, double **out, bw_err *err) {
    *out = NULL;
    size_t c = 0;
    bw_status st = bw_table_find(t, name, &c, err);
    if (st != BW_OK)
        return st;
    double *x = malloc(bw_table_rows(t) * sizeof *x);
    if (!x)
        return bw_fail_memory(err);
    st = read_days(t, c, x, err);
    if (st != BW_OK) {
        free(x);
        return st;
    }
    *out = x;
    return BW_OK;
}
