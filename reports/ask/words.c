/* reports/ask/words.c - splitting by character class, distances by the usual table. */
#include "reports/ask/words.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define LONGEST 60 /* bytes of a word that distances look at */

/* Scripts written without spaces: kana, CJK ideographs (all planes), hangul stays in words. */
static bool stands_alone(utf8proc_int32_t c) {
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

static bool in_word(utf8proc_int32_t c) {
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
        return true;
    default:
        return false;
    }
}

static bool is_digit(utf8proc_int32_t c) {
    return utf8proc_category(c) == UTF8PROC_CATEGORY_ND;
}

static void append(bw_arena *a, bw_words *w, const char *text, size_t n) {
    w->word = bw_arena_grow(a, w->word, w->n, sizeof *w->word);
    w->word[w->n++] = bw_arena_text_n(a, text, n);
}

/* Length of the brace group that begins at p, or 0. */
static size_t brace_group(const char *p) {
    const char *end = *p == '{' ? strchr(p, '}') : NULL;
    return end ? (size_t)(end - p) + 1 : 0;
}

static void split(bw_arena *a, bw_words *w, const char *text) {
    const char *p = text, *begun = NULL;
    bool digits = false; /* the word begun is a number */
    while (*p) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &c);
        size_t group = brace_group(p), step = group ? group : n > 0 ? (size_t)n : 1;
        bool word = !group && n > 0 && in_word(c) && !stands_alone(c);
        if (begun && (!word || is_digit(c) != digits)) {
            append(a, w, begun, (size_t)(p - begun));
            begun = NULL;
        }
        if (group || (n > 0 && stands_alone(c)))
            append(a, w, p, step);
        else if (word && !begun) {
            begun = p;
            digits = is_digit(c);
        }
        p += step;
    }
    if (begun)
        append(a, w, begun, (size_t)(p - begun));
}

static size_t valid_prefix(const char *text) {
    size_t n = 0;
    utf8proc_int32_t c;
    while (text[n]) {
        utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)text + n, -1, &c);
        if (step <= 0)
            break;
        n += (size_t)step;
    }
    return n;
}

bw_words bw_words_of(bw_arena *a, const char *text) {
    bw_words w = {0};
    utf8proc_uint8_t *folded = NULL;
    utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)valid_prefix(text), &folded,
                 UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
    if (folded)
        split(a, &w, (const char *)folded);
    free(folded);
    return w;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t bw_words_distance(const char *x, const char *y) {
    size_t n = strlen(x), m = strlen(y), row[3][LONGEST + 1];
    if (n > LONGEST || m > LONGEST)
        return 99;
    for (size_t j = 0; j <= m; j++)
        row[1][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[(i + 1) % 3], *before = row[i % 3], *earlier = row[(i + 2) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] =
                least(before[j - 1] + (x[i - 1] != y[j - 1]), least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return row[(n + 1) % 3][m];
}

bool bw_words_alike(const char *x, const char *y) {
    if (strcmp(x, y) == 0)
        return true;
    size_t n = least(strlen(x), strlen(y));
    return n >= 5 && bw_words_distance(x, y) <= (n >= 9 ? 2 : 1);
}
