/* reports/send/mail.c - headers, boundaries and base64. */
#include "reports/send/mail.h"

#include "common/sha256.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES 57 /* 76 characters of base64, RFC 2045 section 6.8 */
#define WORD_BYTES 45 /* of an encoded word: 75 characters at most, RFC 2047 section 2 */
#define EOL        "\r\n"

static void add_base64(bw_buf *out, const unsigned char *p, size_t n) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; n > 0; n -= n < 3 ? n : 3, p += 3) {
        unsigned v = (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
        char four[4] = {DIGITS[v >> 18], DIGITS[v >> 12 & 63], n > 1 ? DIGITS[v >> 6 & 63] : '=',
                        n > 2 ? DIGITS[v & 63] : '='};
        bw_buf_add_n(out, four, 4);
    }
}

static void add_body(bw_buf *out, const void *bytes, size_t n) {
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i += LINE_BYTES) {
        add_base64(out, p + i, n - i < LINE_BYTES ? n - i : LINE_BYTES);
        bw_buf_add(out, EOL);
    }
}

/* A header text as encoded words, cut between characters. */
static void add_encoded(bw_buf *out, const char *text) {
    size_t n = strlen(text);
    for (size_t i = 0; i < n;) {
        size_t take = n - i < WORD_BYTES ? n - i : WORD_BYTES;
        while (take > 1 && i + take < n && ((unsigned char)text[i + take] & 0xC0) == 0x80)
            take--;
        bw_buf_add(out, i ? EOL " =?UTF-8?B?" : "=?UTF-8?B?");
        add_base64(out, (const unsigned char *)text + i, take);
        bw_buf_add(out, "?=");
        i += take;
    }
}

static void add_subject(bw_buf *out, const char *subject) {
    bw_buf clean = {0};
    bw_buf_add(&clean, subject);
    for (char *p = clean.text; p && *p; p++)
        if ((unsigned char)*p < 32)
            *p = ' ';
    bw_buf_add(out, "Subject: ");
    add_encoded(out, clean.text ? clean.text : "");
    bw_buf_add(out, EOL);
    bw_buf_free(&clean);
}

/* Day of the week, 0 Sunday (Sakamoto's method). */
static int weekday(int y, int m, int d) {
    static const int SHIFT[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    y -= m < 3;
    return (y + y / 4 - y / 100 + y / 400 + SHIFT[m - 1] + d) % 7;
}

static bw_status add_date(bw_buf *out, const char *day, bw_err *err) {
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int y, m, d;
    if (sscanf(day, "%4d-%2d-%2d", &y, &m, &d) != 3 || y < 1 || m < 1 || m > 12 || d < 1 || d > 31)
        return bw_fail(err, BW_EARG, "'%s' is no day like 2026-11-16", day);
    bw_buf_addf(out, "Date: %s, %02d %s %04d 08:00:00 +0000" EOL, DAYS[weekday(y, m, d)], d,
                MONTHS[m - 1], y);
    return BW_OK;
}

static bw_status add_address(bw_buf *out, const char *header, const char *address, bw_err *err) {
    if (!address || !*address)
        return BW_OK;
    for (const char *p = address; *p; p++)
        if ((unsigned char)*p < 32)
            return bw_fail(err, BW_EARG, "%s: an address cannot hold a line break", header);
    bw_buf_addf(out, "%s: %s" EOL, header, address);
    return BW_OK;
}

static void add_part(bw_buf *out, const char *boundary, const char *type, const void *bytes,
                     size_t n, const char *id) {
    bw_buf_addf(out, "--%s" EOL "Content-Type: %s" EOL "Content-Transfer-Encoding: base64" EOL,
                boundary, type);
    if (id)
        bw_buf_addf(out,
                    "Content-ID: <%s>" EOL "Content-Disposition: inline; filename=\"%s.png\"" EOL,
                    id, id);
    bw_buf_add(out, EOL);
    add_body(out, bytes, n);
}

/* Boundaries come from the content: equal messages are equal, and base64 cannot contain them. */
static void make_boundary(const bw_mail *m, char out[40]) {
    bw_sha256 sum;
    char hex[65];
    bw_sha256_start(&sum);
    bw_sha256_add(&sum, m->html, strlen(m->html));
    bw_sha256_hex(&sum, hex);
    snprintf(out, 40, "=_%.30s", hex);
}

bw_status bw_mail_write(const bw_mail *m, bw_buf *out, bw_err *err) {
    char outer[40], inner[48];
    make_boundary(m, outer);
    snprintf(inner, sizeof inner, "%s.alt", outer);
    bw_status st = add_address(out, "From", m->from, err);
    if (st == BW_OK)
        st = add_address(out, "To", m->to, err);
    if (st == BW_OK)
        st = add_date(out, m->day, err);
    if (st != BW_OK)
        return st;
    add_subject(out, m->subject);
    bw_buf_addf(
        out,
        "X-Unsent: 1" EOL "MIME-Version: 1.0" EOL
        "Content-Type: multipart/related; type=\"multipart/alternative\"; boundary=\"%s\"" EOL EOL
        "--%s" EOL "Content-Type: multipart/alternative; boundary=\"%s\"" EOL EOL,
        outer, outer, inner);
    add_part(out, inner, "text/plain; charset=utf-8", m->text, strlen(m->text), NULL);
    add_part(out, inner, "text/html; charset=utf-8", m->html, strlen(m->html), NULL);
    bw_buf_addf(out, "--%s--" EOL, inner);
    for (size_t i = 0; i < m->n_images; i++)
        add_part(out, outer, m->images[i].type, m->images[i].bytes, m->images[i].len,
                 m->images[i].id);
    bw_buf_addf(out, "--%s--" EOL, outer);
    return bw_buf_ok(out) ? BW_OK : bw_fail_memory(err);
}
