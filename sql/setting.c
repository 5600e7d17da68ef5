/* sql/setting.c - one row a setting; one check a form of value. */
#include "sql/setting.h"

#include "sql/import/kinds.h"
#include "sql/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const bw_setting BW_SETTINGS[] = {
    {"currency", "code of the money, three letters: EUR, USD, CNY"},
    {"week_start", "first day of the week: Monday (default), Sunday, ... or 0 (Sunday) to 6"},
    {"outcome_kind", "what the outcome counts: revenue, orders, units or conversions"},
    {"margin", "share of revenue that is profit before marketing, 0 to 1"},
    {"shop", "name of the shop, for the title of the report"},
    {"language", "of the report: en or zh"},
    {"timezone",
     "of the shop, as in Europe/Berlin: times written against UTC become its local time"},
    {"owner.", "who acts on advice of that kind, e.g. owner.budget"},
    {"plan.", "planned value of a measure, e.g. plan.revenue"},
    {0}};

static const char *const DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

static bool one_of(const char *value, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(value, list[i]) == 0)
            return true;
    return false;
}

static bw_status check_currency(const char *value, char *out, size_t size, bw_err *err) {
    if (strlen(value) != 3 || !isalpha((unsigned char)value[0]) ||
        !isalpha((unsigned char)value[1]) || !isalpha((unsigned char)value[2]))
        return bw_fail(err, BW_EARG, "currency: '%s' is no code of three letters such as EUR",
                       value);
    for (size_t i = 0; i < 4 && i < size; i++)
        out[i] = (char)toupper((unsigned char)value[i]);
    return BW_OK;
}

static bw_status check_week_start(const char *value, char *out, size_t size, bw_err *err) {
    for (int i = 0; i < 7; i++)
        if (strcasecmp(value, DAYS[i]) == 0 ||
            (strlen(value) >= 3 && strncasecmp(value, DAYS[i], strlen(value)) == 0) ||
            (value[0] == '0' + i && value[1] == '\0')) {
            snprintf(out, size, "%d", i);
            return BW_OK;
        }
    return bw_fail(err, BW_EARG, "week_start: '%s' is no day of the week", value);
}

static bw_status check_margin(const char *value, double *number, bw_err *err) {
    if (!bw_number_parse(value, strlen(value), '.', number) || *number < 0 || *number > 1)
        return bw_fail(err, BW_EARG, "margin: '%s' is no share between 0 and 1", value);
    return BW_OK;
}

static bw_status check_word(const char *key, const char *value, bw_err *err) {
    static const char *const KINDS[] = {"revenue", "orders", "units", "conversions"};
    static const char *const LANGUAGES[] = {"en", "zh"};
    if (strcmp(key, "outcome_kind") == 0 && !one_of(value, KINDS, 4))
        return bw_fail(err, BW_EARG,
                       "outcome_kind: '%s' is not revenue, orders, units or conversions", value);
    if (strcmp(key, "language") == 0 && !one_of(value, LANGUAGES, 2))
        return bw_fail(err, BW_EARG, "language: '%s' is not en or zh", value);
    return BW_OK;
}

static bool known(const char *key) {
    for (const bw_setting *s = BW_SETTINGS; s->key; s++) {
        size_t n = strlen(s->key);
        if (s->key[n - 1] == '.' ? strncmp(key, s->key, n) == 0 && key[n]
                                 : strcmp(key, s->key) == 0)
            return true;
    }
    return false;
}

static bw_status unknown(const char *key, bw_err *err) {
    const char *near = BW_SETTINGS[0].key;
    for (const bw_setting *s = BW_SETTINGS; s->key; s++)
        if (bw_name_distance(key, s->key) < bw_name_distance(key, near))
            near = s->key;
    return bw_fail(err, BW_EARG,
                   "there is no setting '%s'; is '%s' meant? 'bellwether setting list' shows them",
                   key, near);
}

bw_status bw_setting_check(const char *key, const char *value, char *out, size_t size,
                           bw_err *err) {
    double number;
    if (!known(key))
        return unknown(key, err);
    snprintf(out, size, "%s", value);
    if (strcmp(key, "currency") == 0)
        return check_currency(value, out, size, err);
    if (strcmp(key, "week_start") == 0)
        return check_week_start(value, out, size, err);
    if (strcmp(key, "margin") == 0) {
        bw_status st = check_margin(value, &number, err);
        if (st == BW_OK)
            snprintf(out, size, "%.6g", number);
        return st;
    }
    return check_word(key, value, err);
}
