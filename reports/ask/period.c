/* reports/ask/period.c - a list of readers, tried at each word in turn; the first that reads wins. */
#include "reports/ask/period.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Days since 1970-01-01 of a proleptic Gregorian date, and back (Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms", days_from_civil and civil_from_days). */
static long day_number(int y, int m, int d) {
    y -= m <= 2;
    long era = (y >= 0 ? y : y - 399) / 400;
    long in_era = y - era * 400;
    long in_year = (153L * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static void write_day(long z, char out[11]) {
    z += 719468;
    long era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    long d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
    unsigned year = (unsigned)(yoe + era * 400 + (m <= 2)) % 10000;
    snprintf(out, 11, "%04u-%02u-%02u", year, (unsigned)m % 100, (unsigned)d % 100);
}

typedef struct {
    const bw_words *w;
    size_t at;
    long week, last; /* day numbers */
    int year, month; /* of the last day */
    bw_period *p;
} reader;

static const char *word(const reader *r, size_t offset) {
    return r->at + offset < r->w->n ? r->w->word[r->at + offset] : "";
}

static bool is(const reader *r, size_t offset, const char *text) {
    return strcmp(word(r, offset), text) == 0;
}

/* The words from here on are those of the list, which is separated by spaces. */
static size_t reads(const reader *r, const char *list) {
    size_t n = 0;
    for (const char *p = list; *p; n++) {
        size_t len = strcspn(p, " ");
        if (strlen(word(r, n)) != len || strncmp(word(r, n), p, len) != 0)
            return 0;
        p += len + (p[len] == ' ');
    }
    return n;
}

/* A whole number of at most four digits, or -1. */
static int number(const reader *r, size_t offset) {
    const char *t = word(r, offset);
    size_t n = strlen(t);
    return n >= 1 && n <= 4 && strspn(t, "0123456789") == n ? atoi(t) : -1;
}

static bool take(reader *r, size_t words, long first, long last) {
    if (!words)
        return false;
    write_day(first, r->p->first);
    write_day(last, r->p->last);
    r->p->from = r->at;
    r->p->words = words;
    return true;
}

static bool take_none(reader *r, size_t words) {
    r->p->impossible = true;
    r->p->from = r->at;
    r->p->words = words;
    return true;
}

static bool take_month(reader *r, size_t words, int y, int m) {
    return m >= 1 && m <= 12 &&
           take(r, words, day_number(y, m, 1),
                day_number(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1) - 1);
}

static bool take_year(reader *r, size_t words, int y) {
    return take(r, words, day_number(y, 1, 1), day_number(y, 12, 31));
}

static size_t any(const reader *r, const char *const *lists) {
    for (size_t i = 0; lists[i]; i++) {
        size_t n = reads(r, lists[i]);
        if (n)
            return n;
    }
    return 0;
}

/* "this week" is the newest week in the data: for whoever asks, it is the last one they can see. */
static bool relative(reader *r) {
    static const char *const THIS_WEEK[] = {"this week", "last week", "past week", "本 周",
                                            "这 周",     "上 周",     "这 一 周",  "上 个 星 期",
                                            "上 星 期",  NULL};
    static const char *const WEEK_BEFORE[] = {
        "the week before", "week before last", "previous week", "上 上 周", "前 一 周", NULL};
    static const char *const THIS_MONTH[] = {"this month", "本 月", "这 个 月", NULL};
    static const char *const LAST_MONTH[] = {"last month", "previous month", "上 个 月", "上 月",
                                             NULL};
    static const char *const THIS_YEAR[] = {"this year", "今 年", NULL};
    static const char *const LAST_YEAR[] = {"last year", "previous year", "去 年", NULL};
    int before = r->month == 1 ? 12 : r->month - 1;
    return take(r, any(r, WEEK_BEFORE), r->week - 7, r->week - 1) ||
           take(r, any(r, THIS_WEEK), r->week, r->week + 6) ||
           take_month(r, any(r, THIS_MONTH), r->year, r->month) ||
           take_month(r, any(r, LAST_MONTH), before == 12 ? r->year - 1 : r->year, before) ||
           take_year(r, any(r, THIS_YEAR), r->year) || take_year(r, any(r, LAST_YEAR), r->year - 1);
}

/* "the last 8 weeks", "past 30 days", "最近8周", "过去30天" */
static bool span(reader *r) {
    static const char *const LEAD[] = {"last", "past", "最 近", "过 去", NULL};
    static const struct {
        const char *unit;
        int days;
    } UNITS[] = {{"weeks", 7}, {"week", 7}, {"days", 1},     {"day", 1},   {"months", 30},
                 {"周", 7},    {"天", 1},   {"个 星 期", 7}, {"个 月", 30}};
    size_t lead = any(r, LEAD);
    int n = lead ? number(r, lead) : -1;
    if (n <= 0)
        return false;
    reader rest = *r;
    rest.at += lead + 1;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        size_t words = reads(&rest, UNITS[i].unit);
        if (!words)
            continue;
        long end = UNITS[i].days == 7 ? r->week + 6 : r->last;
        return take(r, lead + 1 + words, end - (long)n * UNITS[i].days + 1, end);
    }
    return false;
}

static int month_named(const char *t) {
    static const char *const NAMES[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    size_t n = strlen(t);
    for (int m = 0; n >= 3 && m < 12; m++)
        if (strcmp(t, NAMES[m]) == 0 || (n == 3 && strncmp(t, NAMES[m], 3) == 0) ||
            (m == 8 && strcmp(t, "sept") == 0))
            return m + 1;
    return 0;
}

static bool plausible_year(int y) {
    return y >= 1970 && y <= 2999;
}

/* Monday of an ISO 8601 week: week 1 holds 4 January. */
static long iso_week(int y, int w) {
    long fourth = day_number(y, 1, 4);
    return fourth - (fourth + 3) % 7 + 7L * (w - 1);
}

static bool take_day(reader *r, size_t words, int y, int m, int d) {
    long first = day_number(y, m, 1),
         next = day_number(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1);
    if (d < 1 || first + d > next)
        return take_none(r, words);
    return take(r, words, first + d - 1, first + d - 1);
}

/* The latest year in which that day is not after the last one of the data. */
static int year_of(const reader *r, int m, int d) {
    return day_number(r->year, m, d) > r->last ? r->year - 1 : r->year;
}

/* "30 October", "October 30", either with a year. */
static bool named_day(reader *r) {
    int m = month_named(word(r, 0)), d = number(r, 1), y = number(r, 2);
    if (!m) {
        m = month_named(word(r, 1));
        d = number(r, 0);
    }
    if (!m || d < 1 || d > 99)
        return false;
    bool dated = plausible_year(y);
    return take_day(r, dated ? 3 : 2, dated ? y : year_of(r, m, d), m, d);
}

/* "week 46", "第46周": of the latest year that has seen it. */
static bool numbered_week(reader *r) {
    bool zh = is(r, 0, "第") && (is(r, 2, "周") || is(r, 2, "星"));
    int w = zh || is(r, 0, "week") ? number(r, 1) : -1;
    if (w < 0)
        return false;
    size_t words = zh ? 3 : 2;
    long monday = iso_week(r->year, w);
    if (w < 1 || w > 53 || (w == 53 && iso_week(r->year + 1, 1) == monday))
        return take_none(r, words);
    monday = monday > r->last ? iso_week(r->year - 1, w) : monday;
    return take(r, words, monday, monday + 6);
}

/* "October", "October 2026"; "may" alone is a verb more often than a month. */
static bool named_month(reader *r) {
    int m = month_named(word(r, 0)), y = number(r, 1);
    if (!m || (m == 5 && !plausible_year(y)))
        return false;
    if (plausible_year(y))
        return take_month(r, 2, y, m);
    return take_month(r, 1, m > r->month ? r->year - 1 : r->year, m);
}

/* "2026年10月", "10月", "2026年" */
static bool chinese_month(reader *r) {
    int first = number(r, 0);
    if (plausible_year(first) && is(r, 1, "年") && number(r, 2) > 0 && is(r, 3, "月")) {
        int m = number(r, 2), d = is(r, 5, "日") || is(r, 5, "号") ? number(r, 4) : -1;
        if (m > 12)
            return take_none(r, 4);
        return d >= 0 ? take_day(r, 6, first, m, d) : take_month(r, 4, first, m);
    }
    if (first > 12 && first <= 99 && is(r, 1, "月"))
        return take_none(r, 2);
    if (first >= 1 && first <= 12 && is(r, 1, "月") && number(r, 2) >= 0 &&
        (is(r, 3, "日") || is(r, 3, "号")))
        return take_day(r, 4, year_of(r, first, 1), first, number(r, 2));
    if (first >= 1 && first <= 12 && is(r, 1, "月"))
        return take_month(r, 2, first > r->month ? r->year - 1 : r->year, first);
    return plausible_year(first) && is(r, 1, "年") && take_year(r, 2, first);
}

/* "三月", "十一月份": the last month of that name */
static bool spelled_month(reader *r) {
    static const char *const NUMERALS[] = {"一", "二", "三", "四", "五",
                                           "六", "七", "八", "九", "十"};
    int value[2] = {0};
    for (size_t i = 0; i < 2; i++)
        for (int k = 0; k < 10; k++)
            if (is(r, i, NUMERALS[k]))
                value[i] = k + 1;
    bool two = value[0] == 10 && (value[1] == 1 || value[1] == 2);
    int m = value[0] + (two ? value[1] : 0);
    size_t n = two ? 2 : 1;
    return m && is(r, n, "月") && take_month(r, n + 1, m > r->month ? r->year - 1 : r->year, m);
}

/* "2026-W46", "2026-10-05", "2026" */
static bool iso(reader *r) {
    int y = number(r, 0), m = number(r, 1), d = number(r, 2);
    if (!plausible_year(y))
        return false;
    if (is(r, 1, "w") && d >= 0) {
        long monday = iso_week(y, d);
        bool there = d >= 1 && d <= 53 && !(d == 53 && iso_week(y + 1, 1) == monday);
        return there ? take(r, 3, monday, monday + 6) : take_none(r, 3);
    }
    if (m >= 1 && m <= 99 && d >= 1 && d <= 99)
        return m <= 12 ? take_day(r, 3, y, m, d) : take_none(r, 3);
    return take_year(r, 1, y);
}

bw_period bw_period_find(const bw_words *w, const char *week, const char *last_day) {
    bw_period p = {0};
    int y = 0, m = 0, d = 0, wy = 0, wm = 0, wd = 0;
    if (sscanf(last_day, "%4d-%2d-%2d", &y, &m, &d) != 3 ||
        sscanf(week, "%4d-%2d-%2d", &wy, &wm, &wd) != 3)
        return p;
    reader r = {.w = w,
                .week = day_number(wy, wm, wd),
                .last = day_number(y, m, d),
                .year = y,
                .month = m,
                .p = &p};
    for (r.at = 0; r.at < w->n && !p.words; r.at++)
        (void)(span(&r) || relative(&r) || numbered_week(&r) || named_day(&r) || named_month(&r) ||
               chinese_month(&r) || spelled_month(&r) || iso(&r));
    return p;
}
