/* reports/words/locale_priv.h - the inside of a language, for the two files that implement it. */
#ifndef BW_REPORTS_LOCALE_PRIV_H
#define BW_REPORTS_LOCALE_PRIV_H

#include "reports/words/locale.h"

typedef struct {
    const char *key;
    const char **texts;
    size_t n;
} bw_entry;

struct bw_locale {
    bw_arena *arena;
    const char *lang;
    bw_entry *entries; /* sorted by key */
    size_t n;
    const char *decimal, *group;
    const char *symbol, *money_one, *money_many;
};

#endif
