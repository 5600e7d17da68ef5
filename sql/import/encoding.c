/* sql/import/encoding.c - byte order marks, zero bytes of UTF-16, validity of UTF-8, shape of GBK. */
#include "sql/import/encoding.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#define ZERO_SHARE   0.3 /* of the odd or even bytes of ASCII-heavy UTF-16 are zero */
#define COMMON_SHARE 0.8 /* of two-byte characters in the GB 2312 block of real Chinese text */

/* Offset of the first byte with the high bit or of a NUL, n when there is none; 8 bytes a step. */
static size_t ascii_prefix(const char *text, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, text + i, 8);
        bool high = w & 0x8080808080808080u;
        bool zero = (w - 0x0101010101010101u) & ~w & 0x8080808080808080u;
        if (high || zero)
            break;
    }
    while (i < n && text[i] > 0)
        i++;
    return i;
}

bool bw_utf8_valid(const char *text, size_t n, size_t *bad) {
    size_t i = 0;
    while (i < n) {
        i += ascii_prefix(text + i, n - i);
        if (i == n)
            break;
        utf8proc_int32_t code;
        utf8proc_ssize_t used = text[i] == 0 ? -1
                                             : utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                                                (utf8proc_ssize_t)(n - i), &code);
        if (used <= 0) {
            *bad = i;
            return false;
        }
        i += (size_t)used;
    }
    return true;
}

/* Length of a four-byte GB18030 or two-byte GBK character at p, 0 when it is none. */
static size_t gbk_length(const unsigned char *p, size_t n) {
    if (n < 2 || p[0] < 0x81 || p[0] == 0xFF)
        return 0;
    if (p[1] >= 0x40 && p[1] != 0x7F && p[1] != 0xFF)
        return 2;
    bool four = n >= 4 && p[1] >= 0x30 && p[1] <= 0x39 && p[2] >= 0x81 && p[2] != 0xFF &&
                p[3] >= 0x30 && p[3] <= 0x39;
    return four ? 4 : 0;
}

static bool looks_like_gbk(const unsigned char *p, size_t n, bool whole) {
    size_t wide = 0, common = 0;
    for (size_t i = 0; i < n;) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        size_t used = gbk_length(p + i, n - i);
        if (used == 0)
            return !whole && n - i < 4 && wide > 0 && (double)common >= COMMON_SHARE * (double)wide;
        wide++;
        common += used == 2 && p[i] >= 0xA1 && p[i] <= 0xF7 && p[i + 1] >= 0xA1;
        i += used;
    }
    return wide > 0 && (double)common >= COMMON_SHARE * (double)wide;
}

/* UTF-16 without a mark: text in it has its zero bytes on one side. */
static const char *utf16_name(const char *p, size_t n) {
    size_t zeros[2] = {0, 0};
    for (size_t i = 0; i < n; i++)
        zeros[i % 2] += p[i] == 0;
    double half = (double)n / 2;
    if (n >= 4 && (double)zeros[1] > ZERO_SHARE * half && zeros[0] == 0)
        return "UTF-16LE";
    if (n >= 4 && (double)zeros[0] > ZERO_SHARE * half && zeros[1] == 0)
        return "UTF-16BE";
    return NULL;
}

bw_encoding bw_encoding_detect(const char *sample, size_t n, bool whole) {
    if (n >= 3 && memcmp(sample, "\xEF\xBB\xBF", 3) == 0)
        return (bw_encoding){"UTF-8", 3};
    if (n >= 2 && memcmp(sample, "\xFF\xFE", 2) == 0)
        return (bw_encoding){"UTF-16LE", 2};
    if (n >= 2 && memcmp(sample, "\xFE\xFF", 2) == 0)
        return (bw_encoding){"UTF-16BE", 2};
    const char *wide = utf16_name(sample, n);
    if (wide)
        return (bw_encoding){wide, 0};
    size_t bad;
    if (bw_utf8_valid(sample, n, &bad) || (!whole && n - bad < 4))
        return (bw_encoding){"UTF-8", 0};
    if (looks_like_gbk((const unsigned char *)sample, n, whole))
        return (bw_encoding){"GB18030", 0};
    return (bw_encoding){NULL, 0};
}
