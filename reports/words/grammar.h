/* reports/words/grammar.h - sentences: templates of the language file filled with facts.
 *
 * A template's slots are {name} or {name:part} or {name:part|a|b|...}. Parts of a fact:
 *   (none) the value         lo, hi, range   the 90 % interval      reference  what it is compared with
 *   abs    without a sign    signed          sign always shown      n          observations
 *   chance its probability   hedge           the probability in words
 *   dir|up|down|flat         one of three texts by the value's sign, as rounded
 *   versus|above|below|equal the value against its reference
 *   plural|one|many          by the rounded value
 * of a list: (none) "a, b and c"; plural|one|many by its length. of a text: (none).
 * of a day: (none), full (with the year), weekday.
 * A name that is no slot is looked up as "term.NAME" in the language.
 *
 * Each number is wrapped in marks that name its fact, each name and day in marks of their own, so
 * that pages can link them and the guard can check them; bw_unmark takes the marks away. */
#ifndef BW_REPORTS_GRAMMAR_H
#define BW_REPORTS_GRAMMAR_H

#include "common/buf.h"
#include "reports/facts/facts.h"
#include "reports/words/locale.h"

/* \1 PART id \2 text \3: a number of a fact, PART one letter: v value, l lo, h hi, p probability,
 * r reference, n observations, i interval, w the probability in words. \4 text \5: a name from the
 * data. \6 text \7: a day. */
#define BW_MARK_FACT     "\1"
#define BW_MARK_TEXT     "\2"
#define BW_MARK_END      "\3"
#define BW_MARK_NAME     "\4"
#define BW_MARK_NAME_END "\5"
#define BW_MARK_DAY      "\6"
#define BW_MARK_DAY_END  "\7"

typedef enum { BW_SLOT_FACT, BW_SLOT_NAME, BW_SLOT_NAMES, BW_SLOT_TEXT, BW_SLOT_DAY } bw_slot_kind;

typedef struct {
    const char *name;
    bw_slot_kind kind;
    const bw_fact *fact;
    const char *text;         /* NAME, TEXT, DAY (ISO) */
    const char *const *items; /* NAMES */
    size_t n;
} bw_slot;

/* Something to say: a key of the language file and what fills it. */
typedef struct {
    const char *key;
    bw_slot slots[8];
    size_t n;
    double salience; /* size x surprise x usefulness, 0..1 */
} bw_message;

void bw_message_fact(bw_message *m, const char *name, const bw_fact *fact);
void bw_message_name(bw_message *m, const char *name, const char *text);
void bw_message_names(bw_message *m, const char *name, const char *const *items, size_t n);
void bw_message_text(bw_message *m, const char *name, const char *text);
void bw_message_day(bw_message *m, const char *name, const char *day);

/* Writes one of the key's texts, chosen by the variant and the key: the same week gives the same
 * text. Sentences start with a capital where the language has them. */
typedef enum {
    BW_PROSE = 0,
    BW_COMPACT = 1 /* money as in charts */,
    BW_PHRASE = 2 /* no capital */
} bw_say_flags;
void bw_grammar_say(const bw_locale *l, const bw_message *m, unsigned variant, unsigned flags,
                    bw_buf *out);

/* One number of a fact with its marks; part as in a slot, "" for the value. */
void bw_grammar_fact(const bw_locale *l, bw_buf *out, const bw_fact *f, const char *part);

/* A copy without marks. */
void bw_unmark(const char *marked, bw_buf *out);
unsigned bw_variant(const char *week); /* a number for the week */

#endif
