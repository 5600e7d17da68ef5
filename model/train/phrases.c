/* model/train/phrases.c - lists and patterns are read in one pass over the lines: a list stands above the
 * patterns that use it. */
#include "model/train/phrases.h"

#include "common/buf.h"
#include "model/shipped/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTS   256
#define MAX_CHOICES 128

typedef struct {
    const char *name;
    size_t name_len;
    const char *choice[MAX_CHOICES];
    size_t len[MAX_CHOICES], n;
} list;

typedef struct {
    const char *name; /* of the source, for messages */
    size_t line;
    size_t copies;
    uint64_t seed;
    list *lists;
    size_t n_lists;
    bw_buf out;
} expander;

static bw_status bad(const expander *x, bw_err *err, const char *what) {
    return bw_fail(err, BW_EFORMAT, "%s: line %zu: %s", x->name, x->line, what);
}

static const char *trim(const char *p, size_t *n) {
    while (*n && *p == ' ')
        p++, --*n;
    while (*n && p[*n - 1] == ' ')
        --*n;
    return p;
}

/* "@name = a | b | c" */
static bw_status add_list(expander *x, const char *p, size_t n, bw_err *err) {
    const char *end = p + n, *is = memchr(p, '=', n);
    if (!is || x->n_lists == MAX_LISTS)
        return bad(x, err, "a list is written @name = choice | choice");
    list *l = &x->lists[x->n_lists++];
    l->name_len = (size_t)(is - p) - 1;
    l->name = trim(p + 1, &l->name_len);
    for (p = is + 1; p <= end && l->n < MAX_CHOICES; l->n++) {
        const char *bar = memchr(p, '|', (size_t)(end - p));
        l->len[l->n] = (size_t)((bar ? bar : end) - p);
        l->choice[l->n] = trim(p, &l->len[l->n]);
        p = bar ? bar + 1 : end + 1;
    }
    return l->name_len && p > end ? BW_OK : bad(x, err, "a list has a name and 1 to 128 choices");
}

static const list *find_list(const expander *x, const char *name, size_t n) {
    for (size_t i = 0; i < x->n_lists; i++)
        if (x->lists[i].name_len == n && !memcmp(x->lists[i].name, name, n))
            return &x->lists[i];
    return NULL;
}

/* The next slot of a pattern at or behind p: its list, and where it begins and ends. */
static const list *next_slot(const expander *x, const char *p, const char *end, const char **from,
                             const char **to) {
    *from = memchr(p, '{', (size_t)(end - p));
    *to = *from ? memchr(*from, '}', (size_t)(end - *from)) : NULL;
    return *to ? find_list(x, *from + 1, (size_t)(*to - *from) - 1) : NULL;
}

/* How many sentences a pattern can make, at most `copies`; 0 when a slot names no list. */
static size_t how_many(const expander *x, const char *p, const char *end) {
    size_t n = 1;
    const char *from, *to;
    for (; (from = memchr(p, '{', (size_t)(end - p))) != NULL; p = to + 1) {
        const list *l = next_slot(x, p, end, &from, &to);
        if (!l)
            return 0;
        n = n * l->n < x->copies ? n * l->n : x->copies;
    }
    return n;
}

static void write_sentence(expander *x, const char *p, const char *end, size_t copy) {
    const char *from, *to;
    for (uint64_t slot = 0;; slot++) {
        const list *l = next_slot(x, p, end, &from, &to);
        bw_buf_add_n(&x->out, p, (size_t)((l ? from : end) - p));
        if (!l)
            break;
        size_t k = bw_mix64(bw_mix64(x->seed + 1000003 * x->line + copy) + slot) % l->n;
        bw_buf_add_n(&x->out, l->choice[k], l->len[k]);
        p = to + 1;
    }
    bw_buf_add(&x->out, "\n");
}

static bw_status add_pattern(expander *x, const char *p, size_t n, bw_err *err) {
    const char *const labels[] = {"positive", "negative", "neutral"};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(labels[i]);
        if (n <= len || strncmp(p, labels[i], len) || p[len] != ' ')
            continue;
        size_t rest = n - len;
        const char *s = trim(p + len, &rest);
        size_t copies = how_many(x, s, s + rest);
        if (!copies)
            return bad(x, err, "a {slot} names no list that stands above it");
        for (size_t c = 0; c < copies; c++) {
            bw_buf_addf(&x->out, "%s\ttrain\t", labels[i]);
            write_sentence(x, s, s + rest, c);
        }
        return BW_OK;
    }
    return bad(x, err, "a sentence begins with positive, negative or neutral and a space");
}

bw_status bw_phrases_expand(const char *source, const char *name, size_t copies, uint64_t seed,
                            char **tsv, bw_err *err) {
    expander x = {.name = name, .copies = copies ? copies : 1, .seed = seed};
    *tsv = NULL;
    x.lists = calloc(MAX_LISTS, sizeof *x.lists);
    bw_status st = x.lists ? BW_OK : bw_fail_memory(err);
    bw_buf_add(&x.out, "label\tsplit\ttext\n");
    for (const char *p = source; st == BW_OK && *p;) {
        size_t n = strcspn(p, "\n");
        x.line++;
        if (n && *p == '@')
            st = add_list(&x, p, n, err);
        else if (n && *p != '#')
            st = add_pattern(&x, p, n, err);
        p += n + (p[n] != '\0');
    }
    free(x.lists);
    if (st == BW_OK && !(*tsv = bw_buf_take(&x.out)))
        st = bw_fail_memory(err);
    bw_buf_free(&x.out);
    return st;
}
