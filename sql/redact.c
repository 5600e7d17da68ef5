/* sql/redact.c - one pass over the text; at each place the longest match of the three kinds wins. */
#include "sql/redact.h"

#include "common/buf.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define PHONE_MIN_DIGITS 7  /* shorter runs are prices, counts, model names */
#define PHONE_MAX_DIGITS 15 /* ITU-T E.164 */
#define CARD_MIN_DIGITS  13 /* ISO/IEC 7812 */
#define CARD_MAX_DIGITS  19

static bool is_local(unsigned char c) {
    return isalnum(c) || strchr("!#$%&'*+/=?^_`{|}~.-", c) != NULL;
}

/* Length of the e-mail address that begins at p, or 0. */
static size_t match_email(const char *p) {
    size_t n = 0;
    while (p[n] && is_local((unsigned char)p[n]))
        n++;
    if (n == 0 || p[n] != '@')
        return 0;
    size_t at = n++, dot = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '-' || p[n] == '.')
        n++;
    while (n > at && (p[n - 1] == '.' || p[n - 1] == '-')) /* the sentence's full stop */
        n--;
    for (size_t i = at; i < n; i++)
        if (p[i] == '.')
            dot = i;
    return dot > at + 1 && n > dot + 2 ? n : 0;
}

static bool luhn(const char *digits, size_t n) {
    int sum = 0;
    for (size_t i = 0; i < n; i++) {
        int d = digits[n - 1 - i] - '0';
        if (i % 2)
            d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return sum % 10 == 0;
}

/* yyyy-mm-dd, dd.mm.yyyy, yyyy/mm/dd and the like: groups of 4-2-2 or 2-2-4 digits. */
static bool looks_like_date(const char *p, size_t n) {
    size_t groups[4] = {0}, g = 0;
    char mark = 0;
    for (size_t i = 0; i < n; i++) {
        if (isdigit((unsigned char)p[i])) {
            groups[g]++;
        } else {
            if (mark && p[i] != mark)
                return false;
            mark = p[i];
            if (!strchr("-./", mark) || ++g > 2)
                return false;
        }
    }
    return g == 2 && ((groups[0] == 4 && groups[1] <= 2 && groups[2] <= 2) ||
                      (groups[2] == 4 && groups[0] <= 2 && groups[1] <= 2));
}

/* Length of the number (phone or card) that begins at p, or 0; *label says which. */
static size_t match_number(const char *p, const char **label) {
    char digits[CARD_MAX_DIGITS + 1];
    size_t n = 0, count = 0, end = 0;
    int marks = 0;
    for (; p[n] && count <= CARD_MAX_DIGITS; n++) {
        if (isdigit((unsigned char)p[n])) {
            if (count < CARD_MAX_DIGITS)
                digits[count] = p[n];
            count++;
            end = n + 1;
            marks = 0;
        } else if (strchr(" -.()/", p[n]) == NULL && !(p[n] == '+' && n == 0)) {
            break;
        } else if (++marks > 2) {
            break;
        }
    }
    if (count > CARD_MAX_DIGITS)
        return 0;
    bool grouped = false;
    for (size_t i = 0; i < end; i++)
        grouped |= !isdigit((unsigned char)p[i]);
    if (count >= CARD_MIN_DIGITS && luhn(digits, count)) {
        *label = "[card]";
        return end;
    }
    if (count < PHONE_MIN_DIGITS || count > PHONE_MAX_DIGITS || looks_like_date(p, end))
        return 0;
    /* An ungrouped run is a phone number from 10 digits on: 1999000 may be a price. */
    if (!grouped && count < 10)
        return 0;
    *label = "[phone]";
    return end;
}

char *bw_redact(const char *text) {
    bw_buf out = {0};
    bw_buf_add(&out, "");
    bw_buf_add_n(&out, "", 0);
    char before = ' ';
    for (const char *p = text ? text : ""; *p;) {
        const char *label = "[e-mail]";
        size_t n = is_local((unsigned char)before) ? 0 : match_email(p);
        if (!n && !isalnum((unsigned char)before) &&
            (isdigit((unsigned char)*p) || *p == '+' || *p == '('))
            n = match_number(p, &label);
        if (n) {
            bw_buf_add(&out, label);
            p += n;
            before = ']';
        } else {
            bw_buf_add_n(&out, p, 1);
            before = *p++;
        }
    }
    return bw_buf_take(&out);
}
