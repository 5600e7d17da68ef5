/* model/shipped/ngram.c - n-gram features and the table that holds the ones kept. */
#include "model/shipped/ngram.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORDS  3
#define MAX_HAN    4
#define SCOPE      3 /* words that a negation reaches, unless a mark stops it */
#define NOT_SEED   0x9e3779b97f4a7c15ULL
#define ORDER_SEED 0xd1b54a32d192ed03ULL

static bool grow(bw_grams *g, size_t units) {
    size_t most = units * (MAX_HAN + 1) + 1;
    if (most > g->cap) {
        bw_gram *p = realloc(g->gram, most * sizeof *p);
        if (!p)
            return false;
        g->gram = p;
        g->cap = most;
    }
    size_t slots = 64;
    while (slots < 2 * most)
        slots *= 2;
    if (slots > g->seen_cap) {
        free(g->seen);
        g->seen = malloc(slots * sizeof *g->seen);
        g->seen_cap = g->seen ? slots : 0;
    }
    return g->seen != NULL;
}

/* True the first time a hash is met. */
static bool first_time(uint64_t *seen, size_t slots, uint64_t hash) {
    for (size_t i = hash & (slots - 1);; i = (i + 1) & (slots - 1)) {
        if (seen[i] == hash)
            return false;
        if (!seen[i]) {
            seen[i] = hash;
            return true;
        }
    }
}

static bool is_negation(const bw_units *u, size_t i) {
    static const char *const EN[] = {"not",     "no",      "never", "without", "hardly",
                                     "nothing", "neither", "nor",   "cannot",  "barely",
                                     "lack",    "isnt",    "dont"};
    static const char *const ZH[] = {"不", "没", "無", "无", "别", "未", "非"};
    const bw_unit *x = &u->unit[i];
    const char *const *list = x->kind == BW_UNIT_HAN ? ZH : EN;
    size_t n = x->kind == BW_UNIT_HAN ? sizeof ZH / sizeof *ZH : sizeof EN / sizeof *EN;
    for (size_t k = 0; k < n; k++)
        if (strlen(list[k]) == x->len && !memcmp(list[k], u->norm + x->at, x->len))
            return true;
    return false;
}

typedef struct {
    bw_grams *g;
    size_t slots;
    bool distinct;
} sink;

static void put(sink *s, uint64_t hash, size_t unit, uint8_t order) {
    hash |= hash == 0;
    if (s->distinct && !first_time(s->g->seen, s->slots, hash))
        return;
    s->g->gram[s->g->n++] = (bw_gram){hash, (uint32_t)unit, order};
}

static void put_windows(sink *s, const bw_units *u, size_t i) {
    uint64_t h = 0;
    for (size_t n = 1; n <= MAX_HAN && n <= i + 1; n++) {
        const bw_unit *x = &u->unit[i + 1 - n];
        if (n > MAX_WORDS && (x->kind != BW_UNIT_HAN || u->unit[i].kind != BW_UNIT_HAN))
            break;
        h = bw_mix64(h * ORDER_SEED + x->hash);
        put(s, h, i, (uint8_t)n);
    }
}

bw_status bw_grams_extract(bw_grams *g, const bw_units *u, bool distinct, bw_err *err) {
    if (!grow(g, u->n))
        return bw_fail_memory(err);
    g->n = 0;
    size_t slots = 64;
    while (slots < 2 * (u->n * (MAX_HAN + 1) + 1))
        slots *= 2;
    if (distinct)
        memset(g->seen, 0, slots * sizeof *g->seen);
    sink s = {g, slots, distinct};
    size_t reach = 0;
    for (size_t i = 0; i < u->n; i++) {
        put_windows(&s, u, i);
        bw_unit_kind k = u->unit[i].kind;
        if (k == BW_UNIT_MARK)
            reach = 0;
        else if (is_negation(u, i))
            reach = SCOPE;
        else if (reach > 0 && reach--)
            put(&s, bw_mix64(u->unit[i].hash ^ NOT_SEED), i, 0);
    }
    return BW_OK;
}

void bw_grams_free(bw_grams *g) {
    free(g->gram);
    free(g->seen);
    *g = (bw_grams){0};
}

/* ---- table ---- */

static uint8_t mark_of(uint64_t hash) {
    return (uint8_t)(1 + (hash >> 56) % 255);
}

static size_t set_of(const bw_gram_table *t, uint64_t hash) {
    return (size_t)((hash & 0xffffffffffffffULL) % t->sets);
}

size_t bw_gram_slot(const bw_gram_table *t, uint64_t hash) {
    const uint8_t *set = t->mark + BW_GRAM_WAYS * set_of(t, hash), mark = mark_of(hash);
    for (size_t i = 0; i < BW_GRAM_WAYS; i++)
        if (set[i] == mark)
            return (size_t)(set - t->mark) + i;
    return BW_GRAM_NONE;
}

size_t bw_gram_put(const bw_gram_table *t, uint8_t *mark, uint64_t hash) {
    uint8_t *set = mark + BW_GRAM_WAYS * set_of(t, hash), m = mark_of(hash);
    for (size_t i = 0; i < BW_GRAM_WAYS; i++) {
        if (set[i] == m)
            return BW_GRAM_NONE;
        if (set[i] == 0) {
            set[i] = m;
            return (size_t)(set - mark) + i;
        }
    }
    return BW_GRAM_NONE;
}
