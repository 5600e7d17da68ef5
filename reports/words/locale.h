/* reports/words/locale.h - one language: its words, patterns, numbers, money and dates.
 *
 * A language is one file, reports/prose/LANG.txt, compiled in, that a marketer can read and edit:
 *     # a comment
 *     key = text
 *     key
 *         one way to say it
 *         another way
 * An underscore at either end of a text stands for a space.
 * English and Chinese hold the same keys (a test compares them), each written natively. */
#ifndef BW_REPORTS_LOCALE_H
#define BW_REPORTS_LOCALE_H

#include "common/buf.h"
#include "common/status.h"
#include "reports/arena.h"

#include <stdbool.h>

typedef struct bw_locale bw_locale;

/* lang: "en" or "zh"; currency: ISO 4217 code, shown as it is when the language has no word for it.
 * Lives in the arena. */
bw_status bw_locale_new(bw_arena *a, const char *lang, const char *currency, bw_locale **out,
                        bw_err *err);
const char *bw_locale_lang(const bw_locale *l); /* "en" */
const char *bw_locale_tag(const bw_locale *l);  /* for HTML: "en", "zh-CN" */

/* The first text of a key; the key itself when there is none, which a test would find. */
const char *bw_word(const bw_locale *l, const char *key);
/* The i-th text of a key, NULL past the last. */
const char *bw_word_nth(const bw_locale *l, const char *key, size_t i);
size_t bw_word_count(const bw_locale *l, const char *key);
/* Adds or replaces a key for this report, e.g. the outcome's name. Copied. */
void bw_locale_set(bw_locale *l, const char *key, const char *text);
/* The i-th key in alphabetical order, NULL past the last. */
const char *bw_locale_key(const bw_locale *l, size_t i);

typedef enum {
    BW_MONEY,  /* also money earned per money spent */
    BW_SHARE,  /* 0..1, shown as a percentage */
    BW_POINTS, /* -1..1, shown times 100 as points */
    BW_COUNT,
    BW_NUMBER,
    BW_WEEKS,
    BW_DAYS,
    BW_STARS,
    BW_INDEX /* 1 = the average, shown as 100 */
} bw_unit;

/* The unit of that name ("money", "share", ...); BW_NUMBER for an unknown one. */
bw_unit bw_unit_named(const char *name);

/* How a number is written. place: power of ten of its last digit, in the unit as stored; scale_of: the
 * size that decides between plain, thousands and millions, so that the ends of an interval match. */
typedef struct {
    bw_unit unit;
    int place;
    double scale_of;
    bool sign;    /* + or the true minus always shown */
    bool compact; /* for charts: symbol instead of word */
    bool bare;    /* without unit, scale kept */
} bw_number;

/* Rounding to what the interval supports: two digits of the half-width, at most three of the value;
 * without an interval three digits (two for shares below a tenth). NAN = no interval. */
bw_number bw_number_style(double value, double lo, double hi, bw_unit unit);
void bw_format(const bw_locale *l, bw_buf *out, double value, const bw_number *style);
/* "2.0k to 15.1k", the unit as the language wants it. */
void bw_format_range(const bw_locale *l, bw_buf *out, double lo, double hi, const bw_number *style);
/* What the formatted value stands for: value rounded at style's place, never -0. */
double bw_rounded(double value, const bw_number *style);

/* "98%"; "over 99%" and "under 1%" at the ends. */
void bw_format_chance(const bw_locale *l, bw_buf *out, double probability);
/* The words for a probability: fixed ranges of the percentage as bw_format_chance shows it, hedge.0
 * (under 1 %) to hedge.6 (99 % and more). */
size_t bw_hedge_class(double probability);
const char *bw_hedge(const bw_locale *l, double probability);

/* Days are ISO 'YYYY-MM-DD'. */
void bw_format_day(const bw_locale *l, bw_buf *out, const char *day, bool year);
void bw_format_span(const bw_locale *l, bw_buf *out, const char *first, const char *last);
void bw_format_weekday(const bw_locale *l, bw_buf *out, const char *day); /* "Wed 11 Nov" */
void bw_format_month(const bw_locale *l, bw_buf *out, const char *day);

int bw_iso_day(const char *day); /* days since 1970-01-01; 0 for a malformed day */
int bw_monday_first(int number); /* 0 Monday .. 6 Sunday */
/* ISO 8601 week of a day: "2026-W46". */
void bw_week_name(const char *day, char out[16]);

/* "a, b and c" */
void bw_format_list(const bw_locale *l, bw_buf *out, const char *const *items, size_t n);

#endif
