/* model/tokenizer/charsmap.c - reading and asking the table. See charsmap.h.
 *
 * A unit of the double array (Yata's Darts-clone): bits 0-7 the label of the edge that leads here,
 * bit 8 whether a leaf hangs below, bit 9 and bits 10-31 the offset to the children; in a leaf,
 * bits 0-30 the value. The child of node p by byte c stands at p ^ offset(p) ^ c. The table comes
 * from a file, so each place is held against its size. */
#include "model/tokenizer/charsmap.h"

#include <stdlib.h>
#include <string.h>

struct bw_charsmap {
    uint8_t *data;          /* the decoded file */
    size_t n_units;         /* of the trie, behind the first four bytes */
    const uint8_t *results; /* [n_results], inside data */
    size_t n_results;
};

static int base64_digit(char c) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(DIGITS, c) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

/* Decodes up to the padding; SIZE_MAX when a character is no digit. */
static size_t base64_decode(const char *text, size_t n, uint8_t *out) {
    uint32_t bits = 0;
    size_t held = 0, len = 0;
    while (n && text[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[len++] = (uint8_t)(bits >> held);
        }
    }
    return len;
}

static uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bw_status split(bw_charsmap *m, size_t len, bw_err *err) {
    if (len == SIZE_MAX)
        return bw_fail(err, BW_EFORMAT, "precompiled_charsmap is not base64");
    size_t trie = len >= 4 ? read_u32(m->data) : 0;
    if (len < 8 || trie < 4 || trie % 4 || trie > len - 4)
        return bw_fail(err, BW_EFORMAT, "precompiled_charsmap of %zu bytes: a trie of %zu", len,
                       trie);
    m->n_units = trie / 4;
    m->results = m->data + 4 + trie;
    m->n_results = len - 4 - trie;
    return BW_OK;
}

bw_status bw_charsmap_new(const char *base64, bw_charsmap **out, bw_err *err) {
    size_t n = strlen(base64);
    bw_charsmap *m = calloc(1, sizeof *m);
    *out = NULL;
    if (m)
        m->data = malloc(n + 1);
    bw_status st =
        m && m->data ? split(m, base64_decode(base64, n, m->data), err) : bw_fail_memory(err);
    if (st != BW_OK) {
        bw_charsmap_free(m);
        return st;
    }
    *out = m;
    return BW_OK;
}

void bw_charsmap_free(bw_charsmap *m) {
    if (!m)
        return;
    free(m->data);
    free(m);
}

/* Past the end: a unit whose label no byte has. */
static uint32_t unit_at(const bw_charsmap *m, size_t at) {
    return at < m->n_units ? read_u32(m->data + 4 + 4 * at) : 0x80000000u;
}

static uint32_t label_of(uint32_t unit) {
    return unit & 0x800000FFu; /* bit 31 marks a leaf, which no byte leads to */
}

static size_t offset_of(uint32_t unit) {
    return (size_t)(unit >> 10) << ((unit & 0x200u) >> 6);
}

static const uint8_t *result(const bw_charsmap *m, uint32_t leaf, size_t *len) {
    size_t at = leaf & 0x7FFFFFFFu;
    if (at > m->n_results)
        return NULL;
    const uint8_t *end = memchr(m->results + at, '\0', m->n_results - at);
    *len = end ? (size_t)(end - m->results) - at : m->n_results - at;
    return m->results + at;
}

const uint8_t *bw_charsmap_find(const bw_charsmap *m, const uint8_t *s, size_t n, size_t *len) {
    size_t at = offset_of(unit_at(m, 0));
    for (size_t i = 0; i < n && s[i]; i++) {
        at ^= s[i];
        uint32_t unit = unit_at(m, at);
        if (label_of(unit) != s[i])
            return NULL;
        at ^= offset_of(unit);
        if (unit & 0x100u)
            return result(m, unit_at(m, at), len);
    }
    return NULL;
}
