/* reports/send/mail.h - an .eml file: a message ready to be opened in a mail program and sent.
 *
 * multipart/related of (multipart/alternative of plain text and HTML) and inline images (RFC 2045,
 * 2046, 2387, 2392): the HTML refers to an image as <img src="cid:ID">. Mail programs show neither
 * SVG nor style sheets reliably, so images are PNG and styles stand in the elements. */
#ifndef BW_REPORTS_MAIL_H
#define BW_REPORTS_MAIL_H

#include "common/buf.h"

typedef struct {
    const char *id;   /* Content-ID, ASCII letters, digits, '-' and '.' */
    const char *type; /* "image/png" */
    const void *bytes;
    size_t len;
} bw_mail_image;

typedef struct {
    const char *subject;   /* any UTF-8 text; line breaks become spaces */
    const char *from, *to; /* addresses, NULL = left for the mail program */
    const char
        *day; /* ISO day the message is dated, 08:00 UTC: no clock, equal reports are equal */
    const char *text, *html; /* UTF-8 */
    const bw_mail_image *images;
    size_t n_images;
} bw_mail;

/* Appends the message, lines ended by CR LF as mail has them. BW_EARG: a malformed day, or an address
 * with a line break. */
bw_status bw_mail_write(const bw_mail *mail, bw_buf *out, bw_err *err);

#endif
