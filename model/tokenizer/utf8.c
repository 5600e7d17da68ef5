/* model/tokenizer/utf8.c - strict UTF-8: no surrogates, no overlong forms, nothing past
 * U+10FFFF. */
#include "model/tokenizer/utf8.h"

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
