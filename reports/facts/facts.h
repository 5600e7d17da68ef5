/* reports/facts/facts.h - facts: the contract between numbers and words.
 *
 * A fact is the answer of one SQL query and is never made any other way, so each number that a
 * report shows can be asked for again. The query's columns are taken by name: value, lo, hi (90 %
 * interval), lo50, hi50, probability, n, reference (what the value is compared with). A query
 * without a row, or whose value is NULL, gives no fact: what depends on it stays unsaid. */
#ifndef BW_REPORTS_FACTS_H
#define BW_REPORTS_FACTS_H

#include "common/buf.h"
#include "common/sqlite.h"
#include "common/status.h"
#include "reports/arena.h"
#include "reports/words/locale.h"

#include <stdbool.h>

typedef struct {
    const char
        *id; /* "roas/search": measure and subject; ASCII letters, digits and . _ - ~ / only */
    const char *measure; /* "roas" */
    const char *subject; /* the channel, product, ... as in the data; "" for the shop */
    const char *at;      /* day or week it belongs to, "" */
    bw_unit unit;
    const char *unit_name;
    double value, lo, hi, lo50, hi50, probability, n, reference; /* NAN = none */
    const char *sql;
    int number; /* its place in the appendix, 0 until a text has used it */
} bw_fact;

typedef struct bw_facts bw_facts;

/* Lives in the arena; db is borrowed. */
bw_facts *bw_facts_new(bw_arena *a, sqlite3 *db);

/* What a fact is called; texts are copied. id is made from measure, subject and at. */
typedef struct {
    const char *measure, *subject, *at, *unit;
} bw_fact_name;

/* Runs the query (sqlite3_mprintf format: %Q quotes a text, %lld an id) and adds the fact; *fact
 * (may be NULL) is the fact, or NULL when the data have none. A query that SQLite refuses is an
 * error: it is a fault of the program. */
bw_status bw_fact_add(bw_facts *f, bw_fact_name name, const bw_fact **fact, bw_err *err,
                      const char *sql, ...);

const bw_fact *bw_fact_find(const bw_facts *f, const char *measure, const char *subject);
const bw_fact *bw_fact_at(const bw_facts *f, size_t i); /* in the order added, NULL past the last */
size_t bw_facts_count(const bw_facts *f);
/* Notes that a text shows the fact; the first use gives it its number in the appendix. */
int bw_fact_use(bw_facts *f, const bw_fact *fact);

/* Value, interval or reference written in the unit's style. */
bw_number bw_fact_style(const bw_fact *fact);

#endif
