/* reports/reports.h - what the front doors use of this room: facts, advice, prose, charts, the weekly
 * report. */
#ifndef BW_REPORTS_H
#define BW_REPORTS_H

#include "common/command.h"
#include "common/sqlite.h"

extern const bw_command BW_REPORTS_COMMANDS[];

typedef struct {
    const char *out;  /* folder to write to, made when missing; NULL: report/WEEK */
    const char *lang; /* "en" (NULL), "zh", or both, "en,zh": then in folders en and zh below out */
    const char
        *week; /* NULL: the newest complete one; else 2026-W46 or a day of the week: then only
                            what was known at its end is used, in a copy of the database */
    const char *since;   /* NULL, or a day: also what changed since, against as many weeks before */
    const char *formats; /* "html,md,json" (NULL), also eml, pdf */
    const char *length;  /* "brief", "standard" (NULL), "full" */
    bool no_stages;      /* write from what is there; run no stage */
    bool quiet;          /* no notes on stderr */
} bw_report_options;

/* Runs the stages that are out of date, chooses and settles advice, and writes the report. path (cap
 * bytes, may be NULL) gets the page's path, one a line when there are several. db must be open for writing. */
bw_status bw_report_run(sqlite3 *db, const bw_report_options *o, char *path, size_t cap,
                        bw_err *err);

#endif
