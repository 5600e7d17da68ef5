/* reports/doc/letter.h - the report as a mail: what mail programs show, that is, PNG charts and styles
 * in the elements; no links, no scripts, no style sheet. */
#ifndef BW_REPORTS_LETTER_H
#define BW_REPORTS_LETTER_H

#include "reports/doc/document.h"

/* Appends a complete .eml: plain text, HTML, and the charts inline. Sender and receivers are the
 * settings mail.from and mail.to, left to the mail program when not set. */
bw_status bw_letter_write(const bw_document *d, bw_buf *out, bw_err *err);

#endif
