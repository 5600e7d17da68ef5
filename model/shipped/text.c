/* model/shipped/text.c - one pass over code points, then one over the raw units to cut contractions. */
#include "model/shipped/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#define FNV_OFFSET   0xcbf29ce484222325ULL /* FNV-1a, 64 bits */
#define FNV_PRIME    0x100000001b3ULL
#define LONG_NUMBER  3 /* digits from which only the length of a number is kept */
#define MAX_REPEAT   2 /* of one letter or mark in a row: "soooo" -> "soo" */
#define ZH_SHARE     0.2
#define LETTER_BYTES 8 /* room for one more code point and a NUL */

static uint64_t fnv(uint64_t h, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * FNV_PRIME;
    return h;
}

static bool is_han(int32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2FA1F) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x3040 && c <= 0x30FF) || c == 0x3007;
}

/* One code point to its plain form: full width to ASCII, quotes straight, lower case. */
static int32_t plain(int32_t c) {
    if (c >= 0xFF01 && c <= 0xFF5E)
        c -= 0xFEE0;
    switch (c) {
    case 0x2018:
    case 0x2019:
    case 0x02BC:
    case 0x60:
    case 0xB4:
        return '\'';
    case 0x201C:
    case 0x201D:
    case 0xAB:
    case 0xBB:
        return '"';
    case 0x2013:
    case 0x2014:
    case 0x2212:
        return '-';
    case 0x3002:
        return '.';
    case 0x3001:
        return ',';
    case 0x3000:
    case 0xA0:
        return ' ';
    default:
        return utf8proc_tolower(c);
    }
}

typedef enum { C_SPACE, C_LETTER, C_DIGIT, C_HAN, C_MARK, C_SYMBOL, C_JOIN } char_class;

static char_class classify(int32_t c) {
    if (c < 0x80) {
        if ((c >= 'a' && c <= 'z') || c == '_')
            return C_LETTER;
        if (c >= '0' && c <= '9')
            return C_DIGIT;
        return c <= ' ' || c == 0x7F ? C_SPACE : C_MARK;
    }
    if (is_han(c))
        return C_HAN;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return C_LETTER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
        return C_JOIN; /* accents, joiners and variation selectors say nothing */
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return C_DIGIT;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
        return c == 0xFFFD ? C_SPACE : C_SYMBOL;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
        return C_SPACE;
    default:
        return C_MARK;
    }
}

static bw_unit_kind kind_of(char_class c) {
    static const bw_unit_kind KIND[] = {
        [C_SPACE] = BW_UNIT_MARK, [C_LETTER] = BW_UNIT_WORD, [C_DIGIT] = BW_UNIT_NUMBER,
        [C_HAN] = BW_UNIT_HAN,    [C_MARK] = BW_UNIT_MARK,   [C_SYMBOL] = BW_UNIT_SYMBOL,
        [C_JOIN] = BW_UNIT_MARK};
    return KIND[c];
}

static bool room(bw_units *u, size_t bytes) {
    if (u->norm_len + bytes + LETTER_BYTES > u->norm_cap) {
        size_t cap = 2 * u->norm_cap + bytes + 256;
        char *p = realloc(u->norm, cap);
        if (!p)
            return false;
        u->norm = p;
        u->norm_cap = cap;
    }
    if (u->n + 2 > u->cap) {
        size_t cap = 2 * u->cap + 64;
        bw_unit *p = realloc(u->unit, cap * sizeof *p);
        if (!p)
            return false;
        u->unit = p;
        u->cap = cap;
    }
    return true;
}

static bool open_unit(bw_units *u, bw_unit_kind kind, size_t begin) {
    if (!room(u, 64))
        return false;
    if (kind != BW_UNIT_HAN)
        u->norm[u->norm_len++] = ' ';
    u->unit[u->n++] = (bw_unit){.begin = (uint32_t)begin,
                                .end = (uint32_t)begin,
                                .at = (uint32_t)u->norm_len,
                                .kind = kind};
    return true;
}

static bool add_char(bw_units *u, int32_t c, size_t end) {
    if (!room(u, LETTER_BYTES))
        return false;
    bw_unit *x = &u->unit[u->n - 1];
    size_t n = (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)u->norm + u->norm_len);
    size_t same = 0;
    while (same < MAX_REPEAT && x->len >= (same + 1) * n &&
           !memcmp(u->norm + u->norm_len - (same + 1) * n, u->norm + u->norm_len, n))
        same++;
    if (same < MAX_REPEAT || x->kind == BW_UNIT_NUMBER) {
        u->norm_len += n;
        x->len += (uint32_t)n;
    }
    x->end = (uint32_t)end;
    return true;
}

static void rewrite(bw_units *u, const char *form) {
    bw_unit *x = &u->unit[u->n - 1];
    size_t n = strlen(form);
    memcpy(u->norm + x->at, form, n); /* room() left space for it */
    x->len = (uint32_t)n;
    u->norm_len = x->at + n;
}

/* Where the contraction in the word begins ("does|n't", "it|'s"), 0 for none. */
static size_t contraction(const char *w, size_t n) {
    static const char *const TAILS[] = {"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"};
    for (size_t i = 0; i < sizeof TAILS / sizeof *TAILS; i++) {
        size_t t = strlen(TAILS[i]);
        if (n > t && !memcmp(w + n - t, TAILS[i], t))
            return n - t;
    }
    return 0;
}

static void cut_contraction(bw_units *u) {
    bw_unit *x = &u->unit[u->n - 1];
    size_t cut = contraction(u->norm + x->at, x->len), tail = x->len - cut;
    if (!cut || x->end - x->begin <= tail)
        return;
    char *p = u->norm + x->at + cut;
    if (*p == 'n')
        memcpy(p, "not", 3); /* "n't" is as long */
    memmove(p + 1, p, tail);
    *p = ' ';
    u->norm_len++;
    uint32_t middle = x->end - (uint32_t)tail;
    u->unit[u->n++] = (bw_unit){.begin = middle,
                                .end = x->end,
                                .at = x->at + (uint32_t)cut + 1,
                                .len = (uint32_t)tail,
                                .kind = BW_UNIT_WORD};
    x->end = middle;
    x->len = (uint32_t)cut;
}

/* What can only be said once the unit is complete. */
static bool close_unit(bw_units *u) {
    if (!u->n || !room(u, 64))
        return u->n == 0;
    bw_unit *x = &u->unit[u->n - 1];
    if (x->kind == BW_UNIT_NUMBER && x->len >= LONG_NUMBER)
        rewrite(u, x->len > 4 ? "00000" : x->len == 4 ? "0000" : "000");
    if (x->kind == BW_UNIT_WORD && x->len == 3 && !memcmp(u->norm + x->at, "n't", 3))
        rewrite(u, "not"); /* a text that was cut into treebank words already */
    else if (x->kind == BW_UNIT_WORD)
        cut_contraction(u);
    return true;
}

/* Bytes of a web address that begins at s, 0 for none. */
static size_t url_length(const char *s, size_t n) {
    bool url = (n > 7 && !strncasecmp(s, "http://", 7)) ||
               (n > 8 && !strncasecmp(s, "https://", 8)) || (n > 4 && !strncasecmp(s, "www.", 4));
    size_t k = 0;
    while (url && k < n && s[k] > ' ' && (unsigned char)s[k] < 0x80)
        k++;
    return k;
}

static size_t handle_length(const char *s, size_t n) {
    size_t k = 1;
    while (s[0] == '@' && k < n && (isalnum((unsigned char)s[k]) || s[k] == '_'))
        k++;
    return s[0] == '@' && k > 2 ? k : 0;
}

static bool add_special(bw_units *u, const char *form, size_t begin, size_t end) {
    if (!close_unit(u) || !open_unit(u, BW_UNIT_WORD, begin))
        return false;
    rewrite(u, form);
    u->unit[u->n - 1].end = (uint32_t)end;
    return true;
}

/* Whether a character continues the unit before it. */
static bool continues(const bw_units *u, char_class prev, char_class now, int32_t c,
                      const char *next) {
    if (now == C_LETTER)
        return prev == C_LETTER;
    if (now == C_DIGIT)
        return prev == C_DIGIT || prev == C_LETTER; /* mp3 stays one word */
    if (c == '\'' && prev == C_LETTER)
        return (*next | 32) >= 'a' && (*next | 32) <= 'z';
    const bw_unit *x = &u->unit[u->n - 1];
    return now == C_MARK && prev == C_MARK && x->len >= 1 && u->norm[x->at] == (char)c && c < 0x80;
}

static bool add_code_point(bw_units *u, int32_t c, char_class *prev, size_t begin, size_t end,
                           const char *next) {
    char_class now = classify(c);
    if (now == C_JOIN)
        return true;
    if (now == C_SPACE) {
        *prev = C_SPACE;
        return true;
    }
    if (*prev != C_SPACE && continues(u, *prev, now, c, next)) {
        if (now == C_MARK && *prev == C_LETTER)
            now = C_LETTER;
        *prev = now == C_DIGIT && *prev == C_LETTER ? C_LETTER : now;
        return add_char(u, c, end);
    }
    *prev = now;
    return close_unit(u) && open_unit(u, kind_of(now), begin) && add_char(u, c, end);
}

uint64_t bw_unit_hash(const char *norm, size_t len) {
    return bw_mix64(fnv(FNV_OFFSET, norm, len));
}

bw_status bw_units_split(bw_units *u, const char *text, size_t len, size_t max, bw_err *err) {
    u->n = u->norm_len = 0;
    if (len > UINT32_MAX / 4)
        return bw_fail(err, BW_EARG, "a text of %zu bytes is too long", len);
    char_class prev = C_SPACE;
    bool ok = true;
    for (size_t i = 0; ok && i < len && (max == 0 || u->n <= max);) {
        size_t special = prev == C_LETTER ? 0 : url_length(text + i, len - i);
        const char *form = "url";
        if (!special && prev != C_LETTER) {
            special = handle_length(text + i, len - i);
            form = "@user";
        }
        if (special) {
            ok = add_special(u, form, i, i + special);
            prev = C_SPACE;
            i += special;
            continue;
        }
        int32_t c;
        utf8proc_ssize_t n =
            utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(len - i), &c);
        if (n <= 0) {
            prev = C_SPACE;
            i++;
            continue;
        }
        size_t end = i + (size_t)n;
        ok = add_code_point(u, plain(c), &prev, i, end, end < len ? text + end : "");
        i = end;
    }
    ok = ok && close_unit(u);
    if (max && u->n > max)
        u->n = max;
    if (!ok)
        return bw_fail_memory(err);
    for (size_t i = 0; i < u->n; i++)
        u->unit[i].hash = bw_unit_hash(u->norm + u->unit[i].at, u->unit[i].len);
    if (u->n)
        u->norm_len = u->unit[u->n - 1].at + u->unit[u->n - 1].len;
    return BW_OK;
}

bw_status bw_units_rewrite(bw_units *u, size_t i, const char *form, bw_err *err) {
    size_t n = strlen(form);
    if (!room(u, n))
        return bw_fail_memory(err);
    bw_unit *x = &u->unit[i];
    size_t behind = x->at + x->len;
    memmove(u->norm + x->at + n, u->norm + behind, u->norm_len - behind);
    memcpy(u->norm + x->at, form, n);
    for (size_t k = i + 1; k < u->n; k++)
        u->unit[k].at = (uint32_t)(u->unit[k].at + n - x->len);
    u->norm_len = u->norm_len + n - x->len;
    x->len = (uint32_t)n;
    x->hash = bw_unit_hash(form, n);
    return BW_OK;
}

void bw_units_free(bw_units *u) {
    free(u->unit);
    free(u->norm);
    *u = (bw_units){0};
}

uint64_t bw_text_key(const char *text) {
    uint64_t h = FNV_OFFSET;
    bool any = false;
    for (const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text; *p;) {
        int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate(p, -1, &c);
        p += n > 0 ? n : 1;
        if (n <= 0)
            continue;
        c = plain(c);
        char_class k = classify(c);
        if (k != C_LETTER && k != C_DIGIT && k != C_HAN)
            continue;
        char s[4];
        h = fnv(h, s, (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)s));
        any = true;
    }
    return any ? (h ? h : 1) : 0;
}

const char *bw_text_language(const char *text) {
    size_t han = 0, letters = 0;
    for (const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text; *p && letters + han < 2000;) {
        int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate(p, -1, &c);
        p += n > 0 ? n : 1;
        char_class k = n > 0 ? classify(plain(c)) : C_SPACE;
        han += k == C_HAN;
        letters += k == C_LETTER;
    }
    return han && (double)han >= ZH_SHARE * (double)(han + letters) ? "zh" : "en";
}

/* 1 when the bytes at p end a sentence, and how many they are. */
static size_t sentence_end(const char *text, const char *p) {
    static const char *const ENDS[] = {"。", "！", "？", "；", "…", "\n"};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
        if (!strncmp(p, ENDS[i], strlen(ENDS[i])))
            return strlen(ENDS[i]);
    if (!strchr(".!?;", *p) || !*p)
        return 0;
    bool in_number =
        *p == '.' && p > text && p[-1] >= '0' && p[-1] <= '9' && p[1] >= '0' && p[1] <= '9';
    return in_number ? 0 : 1;
}

size_t bw_text_sentence(const char *text, size_t *at, const char **begin) {
    const char *p = text + *at;
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        p++;
    *begin = p;
    const char *q = p;
    while (*q && !sentence_end(text, q))
        q++;
    for (size_t n; *q && (n = sentence_end(text, q)) > 0;)
        q += n;
    *at = (size_t)(q - text);
    return (size_t)(q - p);
}
