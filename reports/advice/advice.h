/* reports/advice/advice.h - what to do: candidates from the estimates, ranked, gated, and kept in the
 * ledger, where later weeks settle what was realised against what was promised.
 *
 * A piece of advice is numbers, not words: its action is a JSON object that any language can put into
 * a sentence, this week or a year later:
 *   budget      {"moves": {channel: money a week, ...}, "now": {channel: money a week, ...},
 *                "undo_below": money a week}
 *   timing      {"window": "D-HH/D-HH"}            subject: channel
 *   content     {"feature": text}                  subject: channel
 *   price       {"from": money, "to": money}       subject: product
 *   complaint   {"negative": 0..1}                 subject: aspect
 *   experiment  {"weeks": n, "spend": money a week} subject: channel
 *   nothing     {}                                 why: subject, a key of the language files */
#ifndef BW_REPORTS_ADVICE_H
#define BW_REPORTS_ADVICE_H

#include "reports/shop.h"

typedef struct {
    const char *id;   /* "A-2026-W46-1" */
    const char *week; /* first day of the week it was given for */
    const char *kind, *subject, *action, *status, *owner, *due, *method; /* due: a day */
    const bw_fact
        *gain; /* promised, a week, with interval and probability; NULL when not in money */
    const bw_fact *realised; /* NULL until settled */
    double stability;        /* share of refits that keep the sign, NAN when not tested */
    bool inside;
} bw_advice;

/* Chooses this week's advice from the shop's facts and writes it to the ledger (one transaction). The
 * same week again replaces what is still only proposed and keeps ids and what people decided. */
bw_status bw_advice_choose(bw_shop *s, bw_err *err);

/* Settles advice that was accepted or done at least two full weeks before this one and whose effect
 * the newest estimates can measure (one transaction). */
bw_status bw_advice_settle(bw_shop *s, bw_err *err);

/* This week's advice by rank, or what earlier weeks gave, newest first, at most 12. Adds the facts
 * advice.gain and advice.realised. Rows live in the arena. */
bw_status bw_advice_read(bw_shop *s, bool earlier, bw_advice **out, size_t *n, bw_err *err);

/* Facts of the running calibration: ledger.settled, ledger.inside, ledger.ratio. */
bw_status bw_advice_record(bw_shop *s, bw_err *err);

/* The action in words: a heading ("Move $7.0k a week from ...") or a row of a table. Fills a message
 * and adds the facts it needs. */
bw_status bw_advice_say(bw_shop *s, const bw_advice *a, bool heading, bw_message *out, bw_err *err);
/* A trigger for undoing it, what would change our mind; false when there is none to say. */
bool bw_advice_undo(bw_shop *s, const bw_advice *a, bw_message *out);
bool bw_advice_doubt(bw_shop *s, const bw_advice *a, bw_message *out);

#endif
