/* reports/ask/period.h - the time a question speaks of: "last week", "in October", "2026-W46",
 * "the last 8 weeks", "去年", "2026年10月".
 *
 * Relative words count from the last day in the data, never from the clock: an answer about a file
 * does not change with the day on which it is asked. */
#ifndef BW_REPORTS_ASK_PERIOD_H
#define BW_REPORTS_ASK_PERIOD_H

#include "reports/ask/words.h"

#include <stdbool.h>

typedef struct {
    char first[11], last[11]; /* ISO days, both included */
    size_t from, words;       /* which words of the question said so; words = 0: none did */
    bool impossible; /* they name a day or week that no calendar has; first, last are not set */
} bw_period;

/* Finds the first period in the words. week: first day of the newest week in the data ("this week");
 * last_day: the last day in the data. A month without a year is its latest one up to last_day. */
bw_period bw_period_find(const bw_words *w, const char *week, const char *last_day);

#endif
