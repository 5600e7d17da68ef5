/* reports/facts/gather.h - which facts a report knows; the list of measures is documented in
 * reports/facts/README.md. */
#ifndef BW_REPORTS_GATHER_H
#define BW_REPORTS_GATHER_H

#include "reports/shop.h"

/* A weekly figure: an expression over a view that has one row a week. */
typedef struct {
    const char
        *name; /* "revenue": gives week.revenue, change.revenue, year.revenue, normal.revenue */
    const char *label; /* key of its name in the language files */
    const char *unit;
    const char *view, *expression;
    int good;            /* 1: more is better, -1: less is, 0: neither */
    bool difference;     /* change is a difference, not a share */
    const char *over[2]; /* a ratio: the measures it divides; else NULL */
} bw_measure;

extern const bw_measure BW_MEASURES[]; /* ends with {0} */

/* Runs every query; sections without data simply give no facts. */
bw_status bw_facts_gather(bw_shop *s, bw_err *err);

/* What changed since a day (ISO): facts since.* and cause_since. BW_EUSAGE for another text, BW_EDATA
 * when the weeks since, or as many before, are not in the data. */
bw_status bw_gather_since(bw_shop *s, const char *since, bw_err *err);

/* The parts, one file each. */
bw_status bw_gather_week(bw_shop *s, bw_err *err);
bw_status bw_gather_channels(bw_shop *s, bw_err *err);
bw_status bw_gather_voice(bw_shop *s, bw_err *err);
bw_status bw_gather_outlook(bw_shop *s, bw_err *err);

#endif
