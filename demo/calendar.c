/* demo/calendar.c - days, and what happens on them: holidays, promotions, price moves, the courier.
 *
 * The calendar reaches past the last day, as a shop's calendar does: a forecast may know that
 * Christmas is coming. */
#include "demo/shop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LAST_YEAR  2026 /* the last day is Sunday, 2026-11-15 */
#define LAST_MONTH 11
#define LAST_MDAY  15
#define AHEAD_DAYS 100 /* how far the calendar is known in advance */

/* Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-compatible
 * low-level date algorithms", days_from_civil). */
static int days_from_civil(int y, int m, int d) {
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400;
    int yoe = y - era * 400;
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int z, int *y, int *m, int *d) {
    z += 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int doe = z - era * 146097;
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = yoe + era * 400 + (*m <= 2);
}

static int first_day(const struct shop *s) {
    return days_from_civil(LAST_YEAR, LAST_MONTH, LAST_MDAY) - s->days + 1;
}

int shop_day(const struct shop *s, int year, int month, int mday) {
    return days_from_civil(year, month, mday) - first_day(s);
}

void shop_day_text(const struct shop *s, int day, char out[11]) {
    int y, m, d;
    civil_from_days(first_day(s) + day, &y, &m, &d);
    snprintf(out, 11, "%04u-%02u-%02u", (unsigned)y % 10000u, (unsigned)m % 100u,
             (unsigned)d % 100u);
}

int shop_month(const struct shop *s, int day) {
    int y, m, d;
    civil_from_days(first_day(s) + day, &y, &m, &d);
    return m;
}

double shop_year_part(const struct shop *s, int day) {
    int y, m, d;
    civil_from_days(first_day(s) + day, &y, &m, &d);
    return (first_day(s) + day - days_from_civil(y, 1, 1)) / 365.25;
}

/* Adds an event that begins on the date and lasts so many days, unless it lies wholly outside. */
static struct event *add_event(struct shop *s, const char *kind, const char *name, int year,
                               int month, int mday, int lasts) {
    int first = shop_day(s, year, month, mday);
    if (first + lasts <= 0 || first >= s->days + AHEAD_DAYS || s->n_events == MAX_EVENTS)
        return NULL;
    struct event *e = &s->event[s->n_events++];
    snprintf(e->name, sizeof e->name, "%s", name);
    e->kind = kind;
    e->first = first;
    e->last = first + lasts - 1;
    return e;
}

/* The days on which people buy for a holiday: Christmas is the sixteen days up to Christmas Eve. The
 * lead and the tail are not in the calendar's window. The years are 2023..2027. */
static const struct {
    const char *en, *zh;
    int date[5]; /* month * 100 + day */
    int lasts;
    double size;
    int lead, tail;
} HOLIDAYS[] = {
    {"Black Friday", "黑色星期五", {1124, 1129, 1128, 1127, 1126}, 4, 0.70, 3, 1},
    {"Christmas", "圣诞节", {1209, 1209, 1209, 1209, 1209}, 16, 0.42, 5, 1},
    {"Singles' Day", "双十一", {1111, 1111, 1111, 1111, 1111}, 1, 0.75, 3, 1},
    {"Chinese New Year", "春节", {112, 131, 119, 207, 127}, 14, 0.20, 4, 2},
    {"Valentine's Day", "情人节", {209, 209, 209, 209, 209}, 5, 0.14, 2, 1},
    {"Easter", "复活节", {404, 326, 415, 331, 323}, 6, 0.14, 3, 0},
    {"Father's Day", "父亲节", {613, 611, 610, 616, 615}, 6, 0.18, 3, 0},
    {"National Day week", "国庆黄金周", {1001, 1001, 1001, 1001, 1001}, 7, 0.20, 3, 1},
};

static void add_holidays(struct shop *s) {
    for (size_t h = 0; h < sizeof HOLIDAYS / sizeof *HOLIDAYS; h++)
        for (int y = 0; y < 5; y++) {
            struct event *e =
                add_event(s, "holiday", s->o.chinese ? HOLIDAYS[h].zh : HOLIDAYS[h].en, 2023 + y,
                          HOLIDAYS[h].date[y] / 100, HOLIDAYS[h].date[y] % 100, HOLIDAYS[h].lasts);
            if (!e)
                continue;
            e->size = HOLIDAYS[h].size;
            e->lead = HOLIDAYS[h].lead;
            e->tail = HOLIDAYS[h].tail;
        }
}

/* Promotions fall on other dates each year, as they do; the discount is what was off the list price. */
static const struct {
    const char *en, *zh;
    int year, month, mday, lasts;
    double discount;
} PROMOTIONS[] = {
    {"Black week 2023", "2023黑五周", 2023, 11, 20, 8, 0.20},
    {"New Year clearance 2024", "2024新年清仓", 2024, 1, 3, 11, 0.15},
    {"Spring sale 2024", "2024春季特惠", 2024, 3, 18, 7, 0.12},
    {"Summer sale 2024", "2024夏季大促", 2024, 7, 8, 14, 0.15},
    {"Trail week 2024", "2024越野周", 2024, 9, 9, 6, 0.10},
    {"Black week 2024", "2024黑五周", 2024, 11, 25, 8, 0.22},
    {"New Year clearance 2025", "2025新年清仓", 2025, 1, 6, 10, 0.18},
    {"Spring sale 2025", "2025春季特惠", 2025, 4, 7, 7, 0.10},
    {"Summer sale 2025", "2025夏季大促", 2025, 6, 30, 14, 0.18},
    {"Rain week 2025", "2025雨季周", 2025, 10, 6, 6, 0.10},
    {"Black week 2025", "2025黑五周", 2025, 11, 24, 8, 0.22},
    {"New Year clearance 2026", "2026新年清仓", 2026, 1, 5, 9, 0.16},
    {"Spring sale 2026", "2026春季特惠", 2026, 3, 23, 7, 0.12},
    {"Summer sale 2026", "2026夏季大促", 2026, 7, 13, 14, 0.15},
    {"Trail week 2026", "2026越野周", 2026, 9, 14, 6, 0.12},
    {"Black week 2026", "2026黑五周", 2026, 11, 23, 8, 0.22},
};

static void add_promotions(struct shop *s) {
    for (size_t p = 0; p < sizeof PROMOTIONS / sizeof *PROMOTIONS; p++) {
        struct event *e = add_event(
            s, "promotion", s->o.chinese ? PROMOTIONS[p].zh : PROMOTIONS[p].en, PROMOTIONS[p].year,
            PROMOTIONS[p].month, PROMOTIONS[p].mday, PROMOTIONS[p].lasts);
        if (e)
            e->discount = PROMOTIONS[p].discount;
    }
}

static const struct {
    const char *kind, *en, *zh;
    int year, month, mday, lasts;
} OTHERS[] = {
    {"price", "Daypack price 79 to 87", "双肩包从79涨到87", 2025, 5, 5, 1},
    {"price", "Rain jacket price 129 to 139", "冲锋衣从129涨到139", 2026, 2, 2, 1},
    {"launch", "Merino shirt in four new colours", "美利奴T恤新增四色", 2025, 3, 3, 7},
    {"launch", "Shop app", "商城App上线", 2024, 5, 13, 7},
    {"competitor", "Competitor cuts prices", "竞争对手降价", 2025, 9, 15, 42},
    {"operations", "New courier", "更换快递公司", 2026, 6, 8, 28},
    {"operations", "Back to the old courier", "恢复原快递公司", 2026, 7, 6, 1},
    {"operations", "Rain jacket: new zip supplier", "冲锋衣更换拉链供应商", 2026, 10, 5, 1},
};

static void add_others(struct shop *s) {
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        add_event(s, OTHERS[i].kind, s->o.chinese ? OTHERS[i].zh : OTHERS[i].en, OTHERS[i].year,
                  OTHERS[i].month, OTHERS[i].mday, OTHERS[i].lasts);
}

void shop_calendar(struct shop *s) {
    add_holidays(s);
    add_promotions(s);
    add_others(s);
}
