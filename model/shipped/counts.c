/* model/shipped/counts.c - see counts.h. */
#include "model/shipped/counts.h"

#include "model/shipped/text.h"

#include <stdlib.h>

#define FIRST_CAP ((size_t)1 << 16)

size_t bw_counts_find(const bw_counts *c, uint64_t key) {
    size_t i = bw_mix64(key) & (c->cap - 1);
    while (c->key[i] && c->key[i] != key)
        i = (i + 1) & (c->cap - 1);
    return i;
}

static bool resize(bw_counts *c, size_t cap) {
    bw_counts b = {calloc(cap, sizeof *b.key), calloc(cap, sizeof *b.value), c->n, cap};
    if (!b.key || !b.value) {
        bw_counts_free(&b);
        return false;
    }
    for (size_t i = 0; i < c->cap; i++)
        if (c->key[i]) {
            size_t j = bw_counts_find(&b, c->key[i]);
            b.key[j] = c->key[i];
            b.value[j] = c->value[i];
        }
    bw_counts_free(c);
    *c = b;
    return true;
}

bool bw_counts_add(bw_counts *c, uint64_t key) {
    if (2 * (c->n + 1) > c->cap && !resize(c, c->cap ? 2 * c->cap : FIRST_CAP))
        return false;
    size_t i = bw_counts_find(c, key);
    c->n += !c->key[i];
    c->key[i] = key;
    c->value[i]++;
    return true;
}

void bw_counts_free(bw_counts *c) {
    free(c->key);
    free(c->value);
    *c = (bw_counts){0};
}
