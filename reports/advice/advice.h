/* reports/advice/advice.h - what to do: candidates from the estimates, ranked, gated, and kept in the
 * ledger, where later weeks settle what was realised against what was promised.
 *
 * A piece of advice is numbers, not words: its action is a JSON object that any language can put into
 * a sentence, this week or a year later:
 *   budget      {"moves": {channel: money a week, ...}, "now": {channel: money a week, ...},
 *                "undo_below": money a week}
 *   timing      {"window": "D-HH/D-HH", "lift": share}  subject: channel
 *   content     {"feature": text, "lift": share}   subject: channel
 *   price       {"from": money, "to": money}       subject: product
 *   promotion   {"again": 0 or 1}                  subject: event
 *   complaint   {"negative": 0..1, "shift": -1..1} subject: aspect
 *   experiment  {"weeks": n, "spend": money a week, "precision": of the return} subject: channel
 *   nothing     {}                                 why: subject, a key of the language files
 * What had to wait for a lever (levers.h) has the day from which it is free: {"from": day}. */
#ifndef BW_REPORTS_ADVICE_H
#define BW_REPORTS_ADVICE_H

#include "reports/shop.h"

typedef struct {
    const char *id;   /* "A-2026-W46-1" */
    const char *week; /* first day of the week it was given for */
    const char *kind, *subject, *action, *status, *owner, *due; /* due: a day */
    const char *unit;        /* of gain and realised: outcome, profit, once, rate, balance */
    const bw_fact *gain;     /* promised, with interval and probability; NULL when not in numbers */
    const bw_fact *realised; /* NULL until measured */
    const char *reason;      /* why it cannot be measured (yet): a key of the languages, or "" */
    const bw_fact *have, *need; /* for that sentence, NULL where it has no numbers */
    double stability;           /* share of refits that keep the sign, NAN when not tested */
    bool inside;
} bw_advice;

/* Chooses this week's advice from the shop's facts and writes it to the ledger (one transaction). The
 * same week again replaces what is still only proposed and keeps ids and what people decided. */
bw_status bw_advice_choose(bw_shop *s, bw_err *err);

/* Settles advice that was accepted or done at least two full weeks before this one: measures what it
 * brought, each kind by its own yardstick (settle.h), or keeps why that cannot be done yet (one
 * transaction). */
bw_status bw_advice_settle(bw_shop *s, bw_err *err);

/* This week's advice by rank, or what earlier weeks gave, newest first, at most 12. Adds the facts
 * advice.gain and advice.realised. Rows live in the arena. */
bw_status bw_advice_read(bw_shop *s, bool earlier, bw_advice **out, size_t *n, bw_err *err);

/* What was decided in earlier weeks and still holds what it acts on (levers.h), until a day; by id. */
typedef struct {
    const char *id, *until;
} bw_held;
bw_status bw_advice_held(bw_shop *s, bw_held **out, size_t *n, bw_err *err);

/* Facts of the running calibration: ledger.settled, ledger.inside, ledger.ratio. */
bw_status bw_advice_record(bw_shop *s, bw_err *err);

/* The action in words: a heading ("Move $7.0k a week from ...") or a row of a table. Fills a message
 * and adds the facts it needs. */
bw_status bw_advice_say(bw_shop *s, const bw_advice *a, bool heading, bw_message *out, bw_err *err);
/* A trigger for undoing it, what would change our mind; false when there is none to say. */
/* What is promised or came out, with its unit: "+€24k (€6k to €41k)", "+12% orders a message";
 * "verdict.*" in words, or why there is none. */
bool bw_advice_amount(bw_shop *s, const bw_advice *a, const bw_fact *amount, bw_message *out);
bool bw_advice_verdict(bw_shop *s, const bw_advice *a, bw_message *out);
bool bw_advice_undo(bw_shop *s, const bw_advice *a, bw_message *out);
bool bw_advice_doubt(bw_shop *s, const bw_advice *a, bw_message *out);

#endif
