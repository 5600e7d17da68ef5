/* reports/words/format.c - numbers, money, probabilities and dates in a language's own style. */
#include "reports/words/locale.h"
#include "reports/words/locale_priv.h"
#include "sql/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARE_NOISE 1e-9           /* what rounding of sums leaves of nothing and of all */
#define MINUS       "\xe2\x88\x92" /* U+2212 */

static const char *const UNITS[] = {
    [BW_MONEY] = "money", [BW_SHARE] = "share",   [BW_POINTS] = "points",
    [BW_COUNT] = "count", [BW_NUMBER] = "number", [BW_WEEKS] = "weeks",
    [BW_DAYS] = "days",   [BW_STARS] = "stars",   [BW_INDEX] = "index"};

bw_unit bw_unit_named(const char *name) {
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (strcmp(UNITS[i], name) == 0)
            return (bw_unit)i;
    return BW_NUMBER;
}

/* The power of ten of x's first digit; small and broken numbers count as 10^-9. */
static int magnitude(double x) {
    x = fabs(x);
    return isfinite(x) && x > 1e-9 ? (int)floor(log10(x) + 1e-12) : -9;
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

/* The last digit a unit ever shows. */
static int finest(bw_unit unit) {
    switch (unit) {
    case BW_COUNT:
    case BW_DAYS:
        return 0;
    case BW_SHARE:
        return -3;
    case BW_POINTS:
    case BW_INDEX:
        return -2;
    case BW_WEEKS:
        return -1;
    case BW_NUMBER: /* orders for each unit of money are far below one */
        return -4;
    default:
        return -2;
    }
}

/* Neither nothing nor all of something is shown for a share that is not exactly that: 0.02 %, 99.8 %. */
static int share_place(double value, int place) {
    double x = fabs(value), half = 0.5 * pow(10, place);
    if (x > SHARE_NOISE && x < half)
        return magnitude(x);
    if (x < 1 - SHARE_NOISE && x >= 1 - half)
        return magnitude(1 - x);
    return place;
}

bw_number bw_number_style(double value, double lo, double hi, bw_unit unit) {
    bw_number s = {.unit = unit, .scale_of = fabs(value)};
    int digits = magnitude(value);
    if (isfinite(lo) && isfinite(hi)) {
        s.scale_of = fmax(s.scale_of, fmax(fabs(lo), fabs(hi)));
        int width = magnitude((hi - lo) / 2) - 1;
        s.place = larger(width, larger(digits - 2, magnitude(s.scale_of) - 2));
        if (unit == BW_MONEY && s.scale_of < 100) /* returns: one decimal reads best */
            s.place = larger(s.place, -1);
        if (fabs(value) < pow(10, s.place)) /* never show nothing of a value that is there */
            s.place = larger(digits, finest(unit));
    } else {
        s.place = digits - 2;
        if (unit == BW_WEEKS && value == round(value))
            s.place = 0;
        if (unit == BW_COUNT && fabs(value) < 1e5) /* what was counted is shown as counted */
            s.place = 0;
        if (unit == BW_SHARE)
            s.place = fabs(value) < 0.0995 ? -3 : -2;
    }
    if (unit == BW_SHARE && fabs(value) >= 0.0995)
        s.place = larger(s.place, -2);
    s.place = larger(s.place, finest(unit));
    if (unit == BW_SHARE)
        s.place = share_place(value, s.place);
    if (unit == BW_MONEY &&
        magnitude(s.scale_of) >= 3) /* "7.0k", "77.0k", "247k": one decimal at most */
        s.place = larger(s.place, magnitude(s.scale_of) / 3 * 3 - 1);
    return s;
}

double bw_rounded(double value, const bw_number *style) {
    double unit = pow(10, style->place);
    double r = style->place >= 0 ? round(value / unit) * unit
                                 : round(value * pow(10, -style->place)) / pow(10, -style->place);
    return r == 0 ? 0 : r;
}

static void add_digits(const bw_locale *l, bw_buf *out, double x, int decimals) {
    char plain[64];
    snprintf(plain, sizeof plain, "%.*f", decimals < 0 ? 0 : decimals > 9 ? 9 : decimals, fabs(x));
    size_t whole = strcspn(plain, ".");
    for (size_t i = 0; i < whole; i++) {
        bw_buf_add_n(out, plain + i, 1);
        if ((whole - i) % 3 == 1 && i + 1 < whole)
            bw_buf_add(out, l->group);
    }
    if (plain[whole]) {
        bw_buf_add(out, l->decimal);
        bw_buf_add(out, plain + whole + 1);
    }
}

/* The language's scale words: "scale.money" holds "exponent from word" rows, largest first, e.g.
 * "3 1000 k": from 1000 on, divide by 10^3 and add "k". */
static const char *scale_for(const bw_locale *l, double size, int place, int *exponent) {
    const char *row;
    for (size_t i = 0; (row = bw_word_nth(l, "number.scale", i)); i++) {
        double from;
        int word = 0;
        if (sscanf(row, "%d %lf %n", exponent, &from, &word) == 2 &&
            size + pow(10, place) / 2 >= from)
            return row + word;
    }
    *exponent = 0;
    return "";
}

static void add_pattern(const bw_locale *l, bw_buf *out, const char *pattern, const char *number,
                        const char *scale) {
    for (const char *p = pattern; *p;) {
        const char *fill = NULL;
        size_t n = 0;
        if (strncmp(p, "{symbol}", 8) == 0)
            fill = l->symbol, n = 8;
        else if (strncmp(p, "{number}", 8) == 0)
            fill = number, n = 8;
        else if (strncmp(p, "{scale}", 7) == 0)
            fill = scale, n = 7;
        else if (strncmp(p, "{word}", 6) == 0)
            fill = l->money_many, n = 6;
        if (fill)
            bw_buf_add(out, fill);
        else
            bw_buf_add_n(out, p, n = 1);
        p += n;
    }
}

/* x: rounded as the style says; exact: not rounded. Where the scale shows fewer digits than the style
 * allows, the exact value is rounded once instead of twice: 0.6496 is 0.6, though 0.65 is 0.7. */
static void add_money(const bw_locale *l, bw_buf *out, double x, double exact, const bw_number *s) {
    int exponent = 0;
    const char *scale = x > 0 ? scale_for(l, s->scale_of, s->place, &exponent) : "";
    bw_buf digits = {0};
    double scaled = x / pow(10, exponent);
    int decimals = exponent - s->place, most = exponent == 0 ? 2 : scaled < 10 ? 1 : 2;
    if (decimals > most) {
        decimals = most;
        scaled = exact / pow(10, exponent);
    }
    add_digits(l, &digits, scaled, x == 0 ? 0 : decimals);
    const char *pattern = s->bare && s->compact ? "number.money_bare_compact"
                          : s->bare             ? "number.money_bare"
                          : s->compact          ? "number.money_compact"
                                                : "number.money";
    add_pattern(l, out, bw_word(l, pattern), digits.text ? digits.text : "", scale);
    while (!*scale && out->len && out->text[out->len - 1] == ' ') /* the gap before no scale word */
        out->text[--out->len] = '\0';
    bw_buf_free(&digits);
}

/* "unit.weeks = {n} week|{n} weeks" */
static void add_unit(const bw_locale *l, bw_buf *out, const char *key, const char *digits) {
    const char *row = bw_word(l, key), *bar = strchr(row, '|');
    bool one = strcmp(digits, "1") == 0;
    const char *from = bar && !one ? bar + 1 : row;
    const char *end = bar && one ? bar : from + strlen(from);
    for (const char *p = from; p < end;) {
        if (strncmp(p, "{n}", 3) == 0) {
            bw_buf_add(out, digits);
            p += 3;
        } else {
            bw_buf_add_n(out, p++, 1);
        }
    }
}

static void add_plain(const bw_locale *l, bw_buf *out, double x, const bw_number *s) {
    int exponent = 0;
    const char *scale = "";
    if (s->unit == BW_COUNT && s->scale_of >= 1e5)
        scale = scale_for(l, s->scale_of, s->place, &exponent);
    bool hundred = s->unit == BW_SHARE || s->unit == BW_POINTS || s->unit == BW_INDEX;
    bw_buf digits = {0};
    add_digits(l, &digits, hundred ? x * 100 : x / pow(10, exponent),
               hundred ? -s->place - 2 : exponent - s->place);
    if (*scale) {
        bw_buf_add(&digits, bw_word(l, "number.scale_gap"));
        bw_buf_add(&digits, scale);
    }
    const char *text = digits.text ? digits.text : "";
    char key[24];
    snprintf(key, sizeof key, "unit.%s", UNITS[s->unit]);
    if (s->unit == BW_SHARE && !s->bare)
        bw_buf_addf(out, "%s%%", text);
    else if (s->bare || s->compact || s->unit == BW_COUNT || s->unit == BW_NUMBER ||
             s->unit == BW_INDEX)
        bw_buf_add(out, text);
    else
        add_unit(l, out, key, text);
    bw_buf_free(&digits);
}

void bw_format(const bw_locale *l, bw_buf *out, double value, const bw_number *style) {
    double x = bw_rounded(value, style);
    if (x < 0)
        bw_buf_add(out, MINUS);
    else if (style->sign && x > 0)
        bw_buf_add(out, "+");
    if (style->unit == BW_MONEY)
        add_money(l, out, fabs(x), fabs(value), style);
    else
        add_plain(l, out, fabs(x), style);
}

void bw_format_range(const bw_locale *l, bw_buf *out, double lo, double hi,
                     const bw_number *style) {
    bw_number first = *style;
    bool twice = style->unit == BW_SHARE || (style->unit == BW_MONEY && style->compact);
    if (style->unit == BW_MONEY && !style->compact)
        twice = strcmp(bw_word(l, "number.range_unit"), "both") == 0;
    if (!twice)
        first.bare = true;
    bw_format(l, out, lo, &first);
    bw_buf_add(out, bw_word(l, "number.range_word"));
    bw_format(l, out, hi, style);
}

/* A chance in whole percent, as shown; 0 and 100 stand for less than half a percent from the end. */
static int percent_of(double p) {
    return !(p >= 0.005) ? 0 : p >= 0.995 ? 100 : (int)floor(p * 100 + 0.5);
}

void bw_format_chance(const bw_locale *l, bw_buf *out, double p) {
    int percent = percent_of(p);
    if (percent == 100)
        bw_buf_add(out, bw_word(l, "chance.over"));
    else if (percent == 0)
        bw_buf_add(out, bw_word(l, "chance.under"));
    else
        bw_buf_addf(out, "%d%%", percent);
}

/* Bounds of the verbal scale, after the calibrated language of the IPCC (Mastrandrea et al. 2010).
 * The number shown decides, so that the word and the number beside it agree at every bound. */
size_t bw_hedge_class(double p) {
    static const int FROM[] = {1, 10, 33, 66, 90, 99};
    int percent = percent_of(p);
    size_t i = 0;
    while (i < sizeof FROM / sizeof *FROM && percent >= FROM[i])
        i++;
    return i;
}

const char *bw_hedge(const bw_locale *l, double p) {
    char key[16];
    snprintf(key, sizeof key, "hedge.%zu", bw_hedge_class(p));
    return bw_word(l, key);
}

int bw_iso_day(const char *day) {
    int y, m, d;
    if (!day || sscanf(day, "%4d-%2d-%2d", &y, &m, &d) != 3 || m < 1 || m > 12)
        return 0;
    return bw_day_number(y, m, d);
}

int bw_monday_first(int number) {
    return (bw_day_weekday(number) + 6) % 7;
}

static void civil(int number, int *y, int *m, int *d) {
    char text[11];
    bw_day_text(number, text);
    *y = atoi(text);
    *m = atoi(text + 5);
    *d = atoi(text + 8);
}

void bw_week_name(const char *day, char out[16]) {
    int y, m, d, thursday = bw_iso_day(day) - bw_monday_first(bw_iso_day(day)) + 3;
    civil(thursday, &y, &m, &d);
    snprintf(out, 16, "%04u-W%02u", (unsigned)y % 10000,
             (unsigned)((thursday - bw_day_number(y, 1, 1)) / 7 + 1) % 100);
}

static void add_date(const bw_locale *l, bw_buf *out, const char *pattern, int number) {
    int y, m, d;
    civil(number, &y, &m, &d);
    const char *month = bw_word_nth(l, "month.short", (size_t)(m - 1));
    const char *weekday = bw_word_nth(l, "weekday.short", (size_t)bw_monday_first(number));
    for (const char *p = pattern; *p; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            bw_buf_add_n(out, p, 1);
            continue;
        }
        if (strncmp(p, "{month}", 7) == 0)
            bw_buf_add(out, month);
        else if (strncmp(p, "{weekday}", 9) == 0)
            bw_buf_add(out, weekday);
        else
            bw_buf_addf(out, "%d", p[1] == 'd' ? d : p[1] == 'm' ? m : y);
        p = end;
    }
}

void bw_format_day(const bw_locale *l, bw_buf *out, const char *day, bool year) {
    add_date(l, out, bw_word(l, year ? "date.full" : "date.day"), bw_iso_day(day));
}

void bw_format_weekday(const bw_locale *l, bw_buf *out, const char *day) {
    add_date(l, out, bw_word(l, "date.weekday"), bw_iso_day(day));
}

void bw_format_month(const bw_locale *l, bw_buf *out, const char *day) {
    add_date(l, out, bw_word(l, "date.month"), bw_iso_day(day));
}

void bw_format_span(const bw_locale *l, bw_buf *out, const char *first, const char *last) {
    if (strcmp(first, last) == 0) {
        bw_format_day(l, out, first, true);
        return;
    }
    bool year_first = strcmp(bw_word(l, "date.year"), "first") == 0;
    bool same = strncmp(first, last, 4) == 0;
    bool month = strncmp(first, last, 7) == 0; /* "2 to 8 Nov 2026", "2026 年 11 月 2 日至 8 日" */
    if (month && !year_first)
        add_date(l, out, bw_word(l, "date.short"), bw_iso_day(first));
    else
        bw_format_day(l, out, first, year_first || !same);
    bw_buf_add(out, bw_word(l, "date.to"));
    if (month && year_first)
        add_date(l, out, bw_word(l, "date.short"), bw_iso_day(last));
    else
        bw_format_day(l, out, last, !year_first || !same);
}

void bw_format_list(const bw_locale *l, bw_buf *out, const char *const *items, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i)
            bw_buf_add(out, bw_word(l, i + 1 == n ? "list.last" : "list.comma"));
        bw_buf_add(out, items[i]);
    }
}
