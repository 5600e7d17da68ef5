/* model/tok/utf8.c - strict UTF-8 (no surrogates, no overlong forms) and character classes.
 *
 * Categories come from utf8proc. ASCII, nearly all of most texts, is answered from a table. */
#include "model/tok/utf8.h"

#include <utf8proc.h>

static bool continues(const uint8_t *s, size_t n, size_t i) {
    return i < n && (s[i] & 0xC0) == 0x80;
}

/* Whether the second byte may follow the first: rules out overlong forms, surrogates and what lies
 * past U+10FFFF (Unicode 15, table 3-7). */
static bool second_fits(uint8_t first, uint8_t second) {
    switch (first) {
    case 0xE0:
        return second >= 0xA0;
    case 0xED:
        return second < 0xA0;
    case 0xF0:
        return second >= 0x90;
    case 0xF4:
        return second < 0x90;
    default:
        return true;
    }
}

/* Length that the first byte announces; 0 if it cannot begin a character. */
static size_t announced(uint8_t first) {
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* How many bytes at s belong together: the whole character, or as much of it as is there. */
static size_t well_formed_part(const uint8_t *s, size_t n, size_t want) {
    size_t have = 1;
    if (want > 1 && continues(s, n, 1) && second_fits(s[0], s[1]))
        for (have = 2; have < want && continues(s, n, have); have++)
            ;
    return have;
}

int32_t bw_utf8_next(const uint8_t *s, size_t n, size_t *used) {
    *used = 1;
    size_t want = announced(s[0]);
    if (want == 1)
        return s[0];
    if (want == 0 || well_formed_part(s, n, want) != want)
        return BW_RAW_BYTE + s[0];
    int32_t cp = s[0] & (0x7F >> want);
    for (size_t i = 1; i < want; i++)
        cp = (cp << 6) | (s[i] & 0x3F);
    *used = want;
    return cp;
}

size_t bw_utf8_put(int32_t cp, uint8_t out[4]) {
    if (cp >= BW_RAW_BYTE) {
        out[0] = (uint8_t)(cp - BW_RAW_BYTE);
        return 1;
    }
    return (size_t)utf8proc_encode_char(cp, out);
}

size_t bw_utf8_repair(const uint8_t *s, size_t n, uint8_t *out) {
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        size_t want = announced(s[i]);
        size_t have = want > 1 ? well_formed_part(s + i, n - i, want) : 1;
        if (want && have == want)
            for (size_t k = 0; k < have; k++)
                out[len++] = s[i + k];
        else
            len += bw_utf8_put(BW_REPLACEMENT, out + len);
        i += have;
    }
    return len;
}

bool bw_is_space(int32_t cp) {
    if (cp < 0x80)
        return cp == ' ' || (cp >= 9 && cp <= 13);
    return cp == 0x85 || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

bool bw_is_han(int32_t cp) {
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF);
}

static bw_class class_of_ascii(int32_t cp) {
    if ((cp | 32) >= 'a' && (cp | 32) <= 'z')
        return BW_LETTER;
    if (cp >= '0' && cp <= '9')
        return BW_NUMBER;
    if (cp == '\n' || cp == '\r')
        return BW_NEWLINE;
    return bw_is_space(cp) ? BW_SPACE : BW_OTHER;
}

bw_class bw_class_of(int32_t cp) {
    if (cp < 0x80)
        return class_of_ascii(cp);
    if (bw_is_han(cp))
        return BW_LETTER;
    switch (utf8proc_category(cp)) { /* a raw byte is outside Unicode: not assigned */
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return BW_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return BW_NUMBER;
    default:
        return bw_is_space(cp) ? BW_SPACE : BW_OTHER;
    }
}
