/* model/tokenizer/normalize.c - normalisation on arrays of code points. See normalize.h.
 *
 * Each step reads cp/from and writes cp2/from2, then the two change places. Normal forms work on
 * clusters: a character that can begin one, and those behind it that may combine with it. What a
 * cluster becomes is all marked as coming from the whole cluster. */
#include "model/tokenizer/normalize.h"

#include "model/tokenizer/array.h"
#include "model/tokenizer/unicode.h"
#include "model/tokenizer/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Room for n characters in both pairs of arrays, with what they hold. */
static bool reserve(bw_norm *nm, size_t n) {
    if (n <= nm->cap)
        return true;
    size_t cap = n + n / 2 + 64;
    if (!bw_array_resize(&nm->cp, cap, sizeof *nm->cp) ||
        !bw_array_resize(&nm->from, cap, sizeof *nm->from) ||
        !bw_array_resize(&nm->cp2, cap, sizeof *nm->cp2) ||
        !bw_array_resize(&nm->from2, cap, sizeof *nm->from2))
        return false;
    nm->cap = cap;
    return true;
}

static void swap_arrays(bw_norm *nm, size_t n) {
    int32_t *cp = nm->cp;
    bw_span *from = nm->from;
    nm->cp = nm->cp2;
    nm->from = nm->from2;
    nm->cp2 = cp;
    nm->from2 = from;
    nm->n = n;
}

static bool read_text(bw_norm *nm, const uint8_t *text, size_t len, size_t offset) {
    if (!reserve(nm, len))
        return false;
    size_t n = 0;
    for (size_t at = 0, used; at < len; at += used) {
        nm->cp[n] = bw_utf8_next(text + at, len - at, &used);
        nm->from[n++] = (bw_span){(uint32_t)(offset + at), (uint32_t)(offset + at + used)};
    }
    nm->n = n;
    return true;
}

static bool write_bytes(bw_norm *nm) {
    if (4 * nm->n > nm->bytes_cap) {
        size_t cap = 4 * nm->n + 256;
        if (!bw_array_resize(&nm->bytes, cap, 1) ||
            !bw_array_resize(&nm->byte_from, cap, sizeof *nm->byte_from))
            return false;
        nm->bytes_cap = cap;
    }
    size_t out = 0;
    for (size_t i = 0; i < nm->n; i++) {
        size_t len = bw_utf8_put(nm->cp[i], nm->bytes + out);
        for (size_t k = 0; k < len; k++)
            nm->byte_from[out + k] = nm->from[i];
        out += len;
    }
    nm->n_bytes = out;
    return true;
}

/* --- normal forms ---------------------------------------------------------------------------- */

/* Whether a character starts a cluster: it neither moves nor combines backward. Taking too many for
 * combining only makes clusters longer. Half-width jamo (U+FFA0 to U+FFDC) decompose, where
 * compatibility is asked for, into ones that combine. */
static bool starts_cluster(int32_t cp) {
    if (cp < 0x300 || cp >= BW_RAW_BYTE || bw_is_han(cp))
        return true;
    if (cp == 0x11A7) /* one before the first final jamo; utf8proc 2.8 would swallow it */
        return true;
    if (cp >= 0xFFA0 && cp <= 0xFFDC)
        return false;
    const utf8proc_property_t *p = utf8proc_get_property(cp);
    if (p->combining_class)
        return false;
    switch (p->boundclass) {
    case UTF8PROC_BOUNDCLASS_EXTEND:
    case UTF8PROC_BOUNDCLASS_SPACINGMARK:
    case UTF8PROC_BOUNDCLASS_V:
    case UTF8PROC_BOUNDCLASS_T:
    case UTF8PROC_BOUNDCLASS_ZWJ:
        return false;
    default:
        return true;
    }
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Canonical ordering (Unicode 15, section 3.11, D109): runs of characters with a combining class
 * are sorted by it, stably: the key is class, place, character. */
static bool order_marks(int32_t *cp, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t end = i;
        bool sorted = true;
        for (int last = 0; end < n && utf8proc_get_property(cp[end])->combining_class; end++) {
            int class = utf8proc_get_property(cp[end])->combining_class;
            sorted = sorted && class >= last;
            last = class;
        }
        if (!sorted) {
            uint64_t *keys = malloc((end - i) * sizeof *keys);
            if (!keys)
                return false;
            for (size_t k = i; k < end; k++)
                keys[k - i] = (uint64_t)utf8proc_get_property(cp[k])->combining_class << 53 |
                              (uint64_t)(k - i) << 21 | (uint32_t)cp[k];
            qsort(keys, end - i, sizeof *keys, by_value);
            for (size_t k = i; k < end; k++)
                cp[k] = (int32_t)(keys[k - i] & 0x1FFFFF);
            free(keys);
        }
        i = end + 1;
    }
    return true;
}

/* The longest decomposition of one character has 18 code points (U+FDFA). */
#define MAX_DECOMPOSITION 18

/* Normalises cp[0 .. n) into nm->cp2 + at; returns the length, SIZE_MAX when memory ran out. */
static size_t normalize_cluster(bw_norm *nm, size_t first, size_t n, size_t at, bool compat,
                                bool compose) {
    utf8proc_option_t how = compat ? UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT : UTF8PROC_DECOMPOSE;
    size_t end = at;
    for (size_t i = first; i < first + n; i++) {
        if (!reserve(nm, end + MAX_DECOMPOSITION))
            return SIZE_MAX;
        utf8proc_ssize_t k = -1;
        if (bw_decomposes(nm->cp[i]))
            k = utf8proc_decompose_char(nm->cp[i], nm->cp2 + end, MAX_DECOMPOSITION, how, NULL);
        if (k < 0)
            nm->cp2[end++] = nm->cp[i];
        else
            end += (size_t)k;
    }
    if (nm->cp[first] >= BW_RAW_BYTE)
        at++; /* a raw byte takes no part in what follows */
    if (!order_marks(nm->cp2 + at, end - at))
        return SIZE_MAX;
    if (compose && end > at) {
        utf8proc_ssize_t k = utf8proc_normalize_utf32(nm->cp2 + at, (utf8proc_ssize_t)(end - at),
                                                      UTF8PROC_COMPOSE | UTF8PROC_STABLE);
        end = k < 0 ? end : at + (size_t)k;
    }
    return end;
}

static bool normal_form(bw_norm *nm, bool compat, bool compose) {
    size_t out = 0;
    for (size_t i = 0; i < nm->n;) {
        size_t n = 1;
        while (i + n < nm->n && !starts_cluster(nm->cp[i + n]))
            n++;
        if (!reserve(nm, out + n))
            return false;
        size_t end = out + 1;
        if (n == 1 && !bw_decomposes(nm->cp[i]))
            nm->cp2[out] = nm->cp[i];
        else
            end = normalize_cluster(nm, i, n, out, compat, compose);
        if (end == SIZE_MAX)
            return false;
        bw_span whole = {nm->from[i].start, nm->from[i + n - 1].end};
        for (; out < end; out++)
            nm->from2[out] = whole;
        i += n;
    }
    swap_arrays(nm, out);
    return true;
}

/* --- character by character ------------------------------------------------------------------- */

/* U+0130 is the one character whose lower case is two (SpecialCasing.txt, unconditional). */
static size_t lower(int32_t cp, int32_t out[3]) {
    if (cp == 0x130) {
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    out[0] = bw_lower(cp);
    return 1;
}

static size_t strip_marks(int32_t cp, int32_t out[3]) {
    out[0] = cp;
    return !bw_is_mark(cp);
}

static size_t strip_mn(int32_t cp, int32_t out[3]) {
    out[0] = cp;
    return !bw_is_mn(cp);
}

static size_t bert_clean(int32_t cp, int32_t out[3]) {
    out[0] = bw_is_space(cp) ? ' ' : cp;
    if (cp == '\t' || cp == '\n' || cp == '\r')
        return 1;
    return cp < BW_RAW_BYTE && cp != BW_REPLACEMENT && !bw_is_control(cp);
}

/* The ranges of the original BERT code, "CJK Unicode blocks"; the gap at U+2B820 is theirs. */
static bool is_bert_han(int32_t cp) {
    return bw_is_han(cp) || (cp >= 0x20000 && cp <= 0x2A6DF) || (cp >= 0x2A700 && cp <= 0x2B81F) ||
           (cp >= 0x2B920 && cp <= 0x2CEAF) || (cp >= 0xF900 && cp <= 0xFAFF) ||
           (cp >= 0x2F800 && cp <= 0x2FA1F);
}

static size_t space_han(int32_t cp, int32_t out[3]) {
    if (cp < 0x3400 || !is_bert_han(cp)) {
        out[0] = cp;
        return 1;
    }
    out[0] = out[2] = ' ';
    out[1] = cp;
    return 3;
}

static bool each(bw_norm *nm, size_t (*map)(int32_t, int32_t[3])) {
    size_t out = 0;
    for (size_t i = 0; i < nm->n; i++) {
        if (!reserve(nm, out + 3))
            return false;
        size_t k = map(nm->cp[i], nm->cp2 + out);
        for (size_t j = 0; j < k; j++)
            nm->from2[out + j] = nm->from[i];
        out += k;
    }
    swap_arrays(nm, out);
    return true;
}

/* --- strings ---------------------------------------------------------------------------------- */

/* Appends characters that come from the place `from`. */
static bool append(bw_norm *nm, size_t *out, const int32_t *cp, size_t n, bw_span from) {
    if (!reserve(nm, *out + n))
        return false;
    for (size_t i = 0; i < n; i++) {
        nm->cp2[*out] = cp[i];
        nm->from2[(*out)++] = from;
    }
    return true;
}

/* The character at place i stays. */
static bool keep(bw_norm *nm, size_t *out, size_t i) {
    int32_t cp = nm->cp[i]; /* append may move the array */
    return append(nm, out, &cp, 1, nm->from[i]);
}

static bool prepend(bw_norm *nm, const bw_norm_step *step) {
    size_t out = 0;
    if (!nm->n)
        return true;
    bool good = append(nm, &out, step->to, step->n_to, nm->from[0]);
    for (size_t i = 0; good && i < nm->n; i++)
        good = keep(nm, &out, i);
    swap_arrays(nm, out);
    return good;
}

/* Characters that the step's pattern takes from place i on; 0: it does not match there. */
static size_t match_length(const bw_norm *nm, const bw_norm_step *step, size_t i) {
    size_t n = 0;
    if (step->run) {
        while (i + n < nm->n && nm->cp[i + n] == step->from[0])
            n++;
        return n > 1 ? n : 0;
    }
    while (n < step->n_from && i + n < nm->n && nm->cp[i + n] == step->from[n])
        n++;
    return n == step->n_from ? n : 0;
}

static bool replace(bw_norm *nm, const bw_norm_step *step) {
    size_t out = 0;
    bool good = true;
    for (size_t i = 0, n; good && i < nm->n; i += n ? n : 1) {
        n = match_length(nm, step, i);
        if (n)
            good = append(nm, &out, step->to, step->n_to,
                          (bw_span){nm->from[i].start, nm->from[i + n - 1].end});
        else
            good = keep(nm, &out, i);
    }
    swap_arrays(nm, out);
    return good;
}

static bool strip(bw_norm *nm, const bw_norm_step *step) {
    size_t first = 0, end = nm->n;
    while (step->left && first < end && bw_is_space(nm->cp[first]))
        first++;
    while (step->right && end > first && bw_is_space(nm->cp[end - 1]))
        end--;
    memmove(nm->cp, nm->cp + first, (end - first) * sizeof *nm->cp);
    memmove(nm->from, nm->from + first, (end - first) * sizeof *nm->from);
    nm->n = end - first;
    return true;
}

/* --- SentencePiece's rules
 * ----------------------------------------------------------------------- */

#define LONGEST_RULE \
    6 /* bytes from which on the reference looks a grapheme up by characters alone */

/* Looks characters first .. first + n - 1 up as one string; *found tells whether a rule replaced
 * them. */
static bool apply_rule(bw_norm *nm, const bw_charsmap *map, size_t first, size_t n, size_t *out,
                       bool *found) {
    uint8_t text[LONGEST_RULE + 3];
    size_t len = 0, left, used;
    *found = false;
    for (size_t i = first; i < first + n && len < LONGEST_RULE; i++)
        len += bw_utf8_put(nm->cp[i], text + len);
    if (len >= LONGEST_RULE)
        return true;
    const uint8_t *to = bw_charsmap_find(map, text, len, &left);
    bw_span from = {nm->from[first].start, nm->from[first + n - 1].end};
    *found = to != NULL;
    bool good = true;
    for (; to && left && good; to += used, left -= used) {
        int32_t cp = bw_utf8_next(to, left, &used);
        good = append(nm, out, &cp, 1, from);
    }
    return good;
}

/* Characters of the grapheme at place i (Unicode annex 29). */
static size_t grapheme_length(const bw_norm *nm, size_t i) {
    utf8proc_int32_t state = 0;
    size_t n = 1;
    while (i + n < nm->n &&
           !utf8proc_grapheme_break_stateful(nm->cp[i + n - 1], nm->cp[i + n], &state))
        n++;
    return n;
}

/* The reference looks a short grapheme up as a whole, then its characters one by one. */
static bool precompiled(bw_norm *nm, const bw_charsmap *map) {
    size_t out = 0;
    bool good = true, found;
    for (size_t i = 0; i < nm->n; i++)
        nm->cp[i] = nm->cp[i] < BW_RAW_BYTE ? nm->cp[i] : BW_REPLACEMENT;
    for (size_t i = 0, n; good && i < nm->n; i += n) {
        n = grapheme_length(nm, i);
        good = apply_rule(nm, map, i, n, &out, &found);
        for (size_t k = i; good && !found && k < i + n; k++) {
            bool single = false;
            good = n == 1 || apply_rule(nm, map, k, 1, &out, &single);
            if (good && !single)
                good = keep(nm, &out, k);
        }
    }
    swap_arrays(nm, out);
    return good;
}

/* True if NFC leaves the text alone because each character is a cluster without decomposition, as
 * in nearly every text. */
static bool is_plainly_nfc(const uint8_t *text, size_t len) {
    for (size_t at = 0, used; at < len; at += used) {
        used = 1;
        if (text[at] < 0x80)
            continue;
        int32_t cp = bw_utf8_next(text + at, len - at, &used);
        if (!bw_is_han(cp) && (!starts_cluster(cp) || bw_decomposes(cp)))
            return false;
    }
    return true;
}

bool bw_normalize_keeps(const bw_norm_step *steps, size_t n_steps, const uint8_t *text,
                        size_t len) {
    return n_steps == 0 ||
           (n_steps == 1 && steps[0].kind == BW_NORM_NFC && is_plainly_nfc(text, len));
}

static bool apply(bw_norm *nm, const bw_norm_step *step) {
    switch (step->kind) {
    case BW_NORM_NFC:
        return normal_form(nm, false, true);
    case BW_NORM_NFD:
        return normal_form(nm, false, false);
    case BW_NORM_NFKC:
        return normal_form(nm, true, true);
    case BW_NORM_NFKD:
        return normal_form(nm, true, false);
    case BW_NORM_LOWERCASE:
        return each(nm, lower);
    case BW_NORM_STRIP_MARKS:
        return each(nm, strip_marks);
    case BW_NORM_STRIP_MN:
        return each(nm, strip_mn);
    case BW_NORM_BERT_CLEAN:
        return each(nm, bert_clean);
    case BW_NORM_BERT_SPACE_HAN:
        return each(nm, space_han);
    case BW_NORM_PREPEND:
        return prepend(nm, step);
    case BW_NORM_REPLACE:
        return replace(nm, step);
    case BW_NORM_STRIP:
        return strip(nm, step);
    case BW_NORM_PRECOMPILED:
        return precompiled(nm, step->map);
    }
    return true;
}

bw_status bw_normalize(const bw_norm_step *steps, size_t n_steps, const uint8_t *text, size_t len,
                       size_t offset, bw_norm *nm, bw_err *err) {
    bool good = read_text(nm, text, len, offset);
    for (size_t i = 0; i < n_steps && good; i++)
        good = apply(nm, &steps[i]);
    good = good && write_bytes(nm);
    return good ? BW_OK : bw_fail_memory(err);
}

void bw_norm_step_free(bw_norm_step *step) {
    free(step->from);
    free(step->to);
    bw_charsmap_free(step->map);
    *step = (bw_norm_step){0};
}

int32_t *bw_norm_code_points(const char *text, size_t *n) {
    size_t len = strlen(text);
    int32_t *cp = malloc((len + 1) * sizeof *cp);
    *n = 0;
    for (size_t at = 0, used; cp && at < len; at += used)
        cp[(*n)++] = bw_utf8_next((const uint8_t *)text + at, len - at, &used);
    return cp;
}

void bw_norm_free(bw_norm *nm) {
    free(nm->cp);
    free(nm->from);
    free(nm->cp2);
    free(nm->from2);
    free(nm->bytes);
    free(nm->byte_from);
    *nm = (bw_norm){0};
}
