/* sql/import/findings.h - what the data doctor noticed about a file.
 *
 * A finding names the place (line, column, value), says what is wrong, and what to do. Errors stop
 * an import, warnings and notes are kept in import_finding. Of one rule at most BW_FINDINGS_SHOWN
 * are kept; the rest is counted. */
#ifndef BW_SQL_FINDINGS_H
#define BW_SQL_FINDINGS_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stddef.h>
#include <stdio.h>

#define BW_ERRORS_MAX       20 /* an import gives up after so many errors */
#define BW_FINDINGS_SHOWN   20 /* of one rule and severity are kept */
#define BW_WARNINGS_PRINTED 3  /* of one rule are printed; errors all */

typedef enum { BW_NOTE, BW_WARNING, BW_ERROR } bw_severity;

/* Where, and what to do. Strings are copied; NULL and 0 where there is none. */
typedef struct {
    bw_severity severity;
    const char *rule; /* static text: "unit_jump" */
    long line;
    const char *column;
    const char *value;
    size_t value_len; /* 0: value is NUL-terminated */
    const char *fix;
} bw_spot;

typedef struct {
    bw_severity severity;
    const char *rule;
    long line;
    char *column, *value, *message, *fix;
} bw_finding;

typedef struct {
    bw_finding *list;
    size_t n, cap;
    size_t errors, warnings;
    struct bw_rule_count {
        const char *rule;
        bw_severity severity;
        size_t n;
    } rules[64];
    bool failed; /* out of memory: asked once at the end */
} bw_findings;   /* start from {0} */

/* Adds a finding with a printf message. */
void bw_findings_add(bw_findings *f, const bw_spot *spot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True when there is no point in reading on. */
bool bw_findings_full(const bw_findings *f);

/* One line a finding, errors last so that they stand above the prompt; control characters of the
 * data are escaped. */
void bw_findings_print(const bw_findings *f, const char *file, FILE *to);

/* Writes notes and warnings to import_finding under that import. */
bw_status bw_findings_store(const bw_findings *f, sqlite3 *db, sqlite3_int64 import, bw_err *err);

void bw_findings_free(bw_findings *f);

#endif
