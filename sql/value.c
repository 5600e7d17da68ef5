/* sql/value.c - numbers with the marks of several countries, and the days of the calendar.
 *
 * Numbers without marks take a short path: up to 15 digits and a power of ten up to 10^22 are exact
 * doubles, so one division is correctly rounded (Clinger 1990); anything longer goes to strtod. */
#include "sql/value.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MAX   64 /* bytes; a longer text is no number */
#define EXACT_DIGITS 15
#define EXACT_POWER  22

bool bw_value_missing(const char *text, size_t n) {
    static const char *const WORDS[] = {"NA", "N/A", "null", "none", "nan", "-", "--", "#N/A"};
    if (n == 0)
        return true;
    if (n > 4 || isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strlen(WORDS[i]) == n && strncasecmp(text, WORDS[i], n) == 0)
            return true;
    return false;
}

/* ---- numbers ---- */

/* Strips sign, currency, percent and spaces: *text, *n become digits and marks. */
struct number_frame {
    bool negative, percent;
};

static bool strip_prefix(const char **text, size_t *n, const char *mark) {
    size_t len = strlen(mark);
    if (*n < len || memcmp(*text, mark, len) != 0)
        return false;
    *text += len;
    *n -= len;
    return true;
}

static bool strip_suffix(const char *text, size_t *n, const char *mark) {
    size_t len = strlen(mark);
    if (*n < len || memcmp(text + *n - len, mark, len) != 0)
        return false;
    *n -= len;
    return true;
}

static const char *const MARKS[] = {"$",  "€", "£",        "¥",           "￥",
                                    "元", " ", "\xC2\xA0", "\xE2\x80\xAF"};
#define N_MARKS (sizeof MARKS / sizeof *MARKS)

static bool strip_letters(const char **text, size_t *n) {
    const char *t = *text;
    if (*n > 3 && isupper((unsigned char)t[0]) && isupper((unsigned char)t[1]) &&
        isupper((unsigned char)t[2]) && !isalpha((unsigned char)t[3])) {
        *text += 3;
        *n -= 3;
        return true;
    }
    if (*n > 3 && isupper((unsigned char)t[*n - 1]) && isupper((unsigned char)t[*n - 2]) &&
        isupper((unsigned char)t[*n - 3]) && !isalpha((unsigned char)t[*n - 4])) {
        *n -= 3;
        return true;
    }
    return false;
}

static struct number_frame strip_frame(const char **text, size_t *n) {
    struct number_frame f = {false, false};
    bool again = true;
    if (*n > 2 && **text == '(' && (*text)[*n - 1] == ')') { /* accountants' minus */
        f.negative = true;
        (*text)++;
        *n -= 2;
    }
    while (again && *n > 0) {
        again = strip_letters(text, n);
        for (size_t i = 0; i < N_MARKS; i++)
            again |= strip_prefix(text, n, MARKS[i]) || strip_suffix(*text, n, MARKS[i]);
        if (strip_prefix(text, n, "-") || strip_prefix(text, n, "\xE2\x88\x92")) {
            f.negative = !f.negative;
            again = true;
        }
        again |= strip_prefix(text, n, "+");
        if (strip_suffix(*text, n, "%")) {
            f.percent = true;
            again = true;
        }
    }
    return f;
}

/* Length of a mark that can only group thousands (space, no-break spaces, apostrophes), or 0. */
static size_t group_space(const char *p, size_t n) {
    static const char *const SPACES[] = {" ", "'", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x99"};
    for (size_t i = 0; i < sizeof SPACES / sizeof *SPACES; i++) {
        size_t len = strlen(SPACES[i]);
        if (n >= len && memcmp(p, SPACES[i], len) == 0)
            return len;
    }
    return 0;
}

/* Reads digits with groups: every group after the first has three digits. */
static bool read_grouped(const char *p, size_t n, bw_decimal decimal, char *plain) {
    char group = decimal == '.' ? ',' : '.';
    size_t used = 0, run = 0, groups = 0;
    bool fraction = false;
    for (size_t i = 0; i < n;) {
        size_t space = group_space(p + i, n - i);
        if (isdigit((unsigned char)p[i])) {
            plain[used++] = p[i++];
            run++;
        } else if (p[i] == decimal && !fraction) {
            if (groups && run != 3)
                return false;
            plain[used++] = '.';
            fraction = true;
            run = 0;
            i++;
        } else if (!fraction && (p[i] == group || space)) {
            if (run == 0 || run > 3 || (groups && run != 3))
                return false;
            groups++;
            run = 0;
            i += space ? space : 1;
        } else {
            return false;
        }
    }
    plain[used] = '\0';
    return used > (fraction ? 1 : 0) && !(groups && !fraction && run != 3);
}

static const double POWERS[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* [-]digits[.digits] of at most 15 digits: exact. False when the text is anything else. */
static bool parse_short(const char *p, size_t n, double *out) {
    uint64_t digits = 0;
    size_t i = 0, count = 0, decimals = 0;
    bool negative = n > 0 && p[0] == '-', point = false;
    for (i = negative; i < n; i++) {
        unsigned char c = (unsigned char)(p[i] - '0');
        if (c <= 9) {
            digits = 10 * digits + c;
            count++;
            decimals += point;
        } else if (p[i] == '.' && !point) {
            point = true;
        } else {
            return false;
        }
        if (count > EXACT_DIGITS)
            return false;
    }
    if (count == 0)
        return false;
    double value = (double)digits / POWERS[decimals];
    *out = negative ? -value : value;
    return true;
}

/* Whole text by strtod, plain ASCII numbers only: no hexadecimal, no "inf". */
static bool parse_c(const char *p, size_t n, double *out) {
    char text[NUMBER_MAX + 1], *end;
    if (n == 0 || n > NUMBER_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)p[i]) && !strchr("+-.eE", p[i]))
            return false;
    memcpy(text, p, n);
    text[n] = '\0';
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

bool bw_number_parse(const char *text, size_t n, bw_decimal decimal, double *out) {
    if (decimal == '.' && (parse_short(text, n, out) || parse_c(text, n, out)))
        return true;
    char plain[NUMBER_MAX + 1];
    struct number_frame f = strip_frame(&text, &n);
    if (n == 0 || n > NUMBER_MAX || !read_grouped(text, n, decimal, plain))
        return false;
    double value = strtod(plain, NULL);
    value = f.negative ? -value : value;
    *out = f.percent ? value / 100 : value;
    return isfinite(*out);
}

bw_number_form bw_number_judge(const char *text, size_t n) {
    double point, comma;
    const char *inner = text;
    size_t len = n;
    strip_frame(&inner, &len);
    bool has_dot = memchr(inner, '.', len) != NULL, has_comma = memchr(inner, ',', len) != NULL;
    bool as_point = bw_number_parse(text, n, '.', &point);
    bool as_comma = bw_number_parse(text, n, ',', &comma);
    if (!as_point && !as_comma)
        return BW_NUMBER_NOT;
    if (!has_dot && !has_comma)
        return BW_NUMBER_PLAIN;
    if (as_point && as_comma && inner[0] == '0') /* "0,123", "0.123": no thousands begin with 0 */
        return has_comma ? BW_NUMBER_COMMA : BW_NUMBER_POINT;
    if (as_point && as_comma)
        return has_comma ? BW_NUMBER_EITHER : BW_NUMBER_EITHER_DOT;
    return as_point ? BW_NUMBER_POINT : BW_NUMBER_COMMA;
}
