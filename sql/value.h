/* sql/value.h - text to numbers and days.
 *
 * How numbers and days are written is a property of a column, found out before the import
 * (sql/import/profile.h); here each form is read strictly, so that a stray one is noticed. */
#ifndef BW_SQL_VALUE_H
#define BW_SQL_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* True for what stands for "no value": nothing, NA, N/A, null, none, nan, -, --. */
bool bw_value_missing(const char *text, size_t n);

/* Which mark stands before the decimals: '.' or ','. The other one, spaces (also no-break ones) and
 * apostrophes may group thousands. */
typedef char bw_decimal;

/* What the marks of one number say. */
typedef enum {
    BW_NUMBER_NOT,       /* no number in any reading */
    BW_NUMBER_PLAIN,     /* digits alone */
    BW_NUMBER_POINT,     /* can only be read with a decimal point: "1.5", "1,234.50", "1,234,567" */
    BW_NUMBER_COMMA,     /* can only be read with a decimal comma: "1,5", "1.234,50" */
    BW_NUMBER_EITHER,    /* "1,234": 1234 with a point, 1.234 with a comma */
    BW_NUMBER_EITHER_DOT /* "1.234": 1.234 with a point, 1234 with a comma */
} bw_number_form;

bw_number_form bw_number_judge(const char *text, size_t n);

/* Reads a number; a sign, currency marks ($ € £ ¥ or three letters), a percent sign (divides by
 * 100) and thousands marks are allowed. False when it is none, or not finite. Digits without marks are
 * read as strtod would, to the last bit. */
bool bw_number_parse(const char *text, size_t n, bw_decimal decimal, double *out);

typedef enum {
    BW_DATE_NOT,
    BW_DATE_YMD,    /* 2024-05-31, 2024/5/31, 20240531, 2024年5月31日, with or without a time */
    BW_DATE_WEEK,   /* 2024-W22: its Monday */
    BW_DATE_NAMED,  /* 31 May 2024, May 31, 2024 */
    BW_DATE_DMY,    /* 31/05/2024 or 31.05.24: only day first can be meant */
    BW_DATE_MDY,    /* 05/31/2024: only month first can be meant */
    BW_DATE_EITHER, /* 05/04/2024 */
    BW_DATE_EPOCH   /* seconds or milliseconds since 1970 */
} bw_date_form;

typedef enum { BW_ORDER_UNKNOWN, BW_ORDER_DMY, BW_ORDER_MDY } bw_date_order;

typedef struct {
    int day;    /* days since 1970-01-01 */
    int minute; /* of the day, -1 when the text has no time */
    bw_date_form form;
} bw_date;

/* Reads a day and perhaps a time of day. order decides BW_DATE_EITHER; with BW_ORDER_UNKNOWN such
 * a text is read day first and form tells so. Epochs are read only from 10 or 13 digits. False when
 * it is no date or no such day exists. */
bool bw_date_parse(const char *text, size_t n, bw_date_order order, bw_date *out);

int bw_day_number(int year, int month, int day); /* days since 1970-01-01, Gregorian */
void bw_day_text(int day, char out[11]);         /* "2024-05-31" */
void bw_time_text(int minute, char out[7]);      /* " 09:30", " 00:00" when below 0 */
int bw_day_weekday(int day);                     /* 0 Sunday .. 6 Saturday */

#endif
