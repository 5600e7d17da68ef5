/* reports/ask/match.h - which documented question a person asked, and about what.
 *
 * The grammar is closed: a question is one of the patterns the language files list, with slots filled
 * by names that are in the data or by a period. Nothing a person types ever becomes part of a query
 * but as a bound value.
 *
 * Names are looked for first, longest first, forgiving typing errors, and stand for their kind
 * ("e-mial" -> {channel}). Patterns are then compared by weighted word overlap: a word counts by how
 * few questions use it (inverse document frequency), and synonyms count as their first member; a
 * quarter of the score is how near the two texts are by the shipped encoder.
 *
 * Measured on tests/reports/data/ask_LANG.tsv, lines that were never used to improve the book: 36 of
 * 39 English and 32 of 39 Chinese paraphrases find their question, 21 of 22 strange questions are
 * refused in both languages together. */
#ifndef BW_REPORTS_ASK_MATCH_H
#define BW_REPORTS_ASK_MATCH_H

#include "reports/ask/period.h"

typedef struct {
    const char *kind; /* "channel", "product", "aspect", "event" */
    const char *name; /* as in the data */
    const char *said; /* one way to call it */
} bw_ask_name;

typedef struct {
    size_t question;  /* the caller's number of the question */
    const char *text; /* "what does {channel} earn" */
} bw_ask_pattern;

typedef struct {
    const bw_ask_pattern *patterns;
    size_t n_patterns;
    const bw_ask_name *names;
    size_t n_names;
    const char *const *synonyms; /* lines "earn, return, roas, pay off": all count as the first */
    size_t n_synonyms;
    const char *week, *last_day; /* for periods, see bw_period_find */
} bw_ask_book;

typedef struct {
    size_t question, pattern;
    double score;                /* 0..1 */
    const bw_ask_name *names[3]; /* that the question spoke of, in order; NULL where fewer */
    bw_period period;            /* words = 0: none */
} bw_ask_match;

/* One more score for each pattern, -1..1, by what the texts mean. Both are given with their names and
 * periods as {kind}; false when it has none to give. */
typedef bool bw_ask_compare(bw_arena *a, const char *question, const bw_ask_book *book,
                            double *similarity);
/* Cosine of the shipped encoder's embeddings. */
bw_ask_compare bw_ask_meaning;

/* The best pattern of each question, best first; at most max. Names, period and matches live in the
 * arena or the book. compare may be NULL: words alone. */
size_t bw_ask_find(bw_arena *a, const bw_ask_book *book, const char *question,
                   bw_ask_compare *compare, bw_ask_match *out, size_t max);

#endif
