/* sql/redact.h - reviews are written by people: e-mail addresses, phone and card numbers are taken
 * out before a text is shown, quoted or trained on. */
#ifndef BW_SQL_REDACT_H
#define BW_SQL_REDACT_H

/* A copy of text with each e-mail address replaced by "[e-mail]", each phone number by "[phone]" and
 * each payment card number (13 to 19 digits that pass the Luhn check) by "[card]". Digits that are
 * prices, dates or order counts stay: a phone number has 7 to 15 digits with the marks people write
 * between them, and is not a date. The caller frees; NULL on out of memory. */
char *bw_redact(const char *text);

#endif
