/* reports/words/guard.h - does a text say what its facts say, all of it, and nothing else?
 *
 * Checked: each number in the text is a value, bound, reference, probability or count of one of the
 * message's facts, as rounded as it is written; each word of direction agrees with the sign of a fact
 * that has one; each hedge is the one of a fact's probability; each fact planned is said. Words of
 * direction are the keys guard.up and guard.down of the language file, hedges its hedge.0 to 6. */
#ifndef BW_REPORTS_GUARD_H
#define BW_REPORTS_GUARD_H

#include "reports/words/grammar.h"

/* BW_OK, or BW_EMISMATCH with what is wrong. text may carry marks. */
bw_status bw_guard_check(const bw_locale *l, const bw_message *m, const char *text, bw_err *err);

/* Reads a number as the language writes it, with sign, grouping and scale word ("−$2.0k", "25.1 万美元",
 * "98%", "over 99%"). *value is in the unit as stored (shares 0..1, points -1..1), *half the rounding it
 * was written with. Returns the bytes read, 0 when text does not start with a number. */
size_t bw_guard_number(const bw_locale *l, const char *text, bw_unit unit, double *value,
                       double *half);

#endif
