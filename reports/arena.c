/* reports/arena.c - a chain of blocks, freed together. */
#include "reports/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
#define ALIGNMENT   16

struct block {
    struct block *next;
    size_t used, cap;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

struct bw_arena {
    struct block *blocks;
    bool failed;
    _Alignas(ALIGNMENT) unsigned char spare[BLOCK_BYTES]; /* lent out when memory ran out */
};

bw_arena *bw_arena_new(void) {
    return calloc(1, sizeof(bw_arena));
}

void bw_arena_free(bw_arena *a) {
    if (!a)
        return;
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

bool bw_arena_ok(const bw_arena *a) {
    return !a->failed;
}

static struct block *add_block(bw_arena *a, size_t n) {
    size_t cap = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct block *b = calloc(1, sizeof *b + cap);
    if (!b)
        return NULL;
    b->cap = cap;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *bw_arena_get(bw_arena *a, size_t n) {
    if (n <= SIZE_MAX - ALIGNMENT)
        n = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct block *b = a->blocks;
    if (!b || b->cap - b->used < n)
        b = n <= SIZE_MAX / 2 ? add_block(a, n) : NULL;
    if (!b) {
        a->failed = true;
        memset(a->spare, 0, sizeof a->spare);
        return n <= sizeof a->spare ? a->spare : NULL;
    }
    void *p = b->bytes + b->used;
    b->used += n;
    return p;
}

char *bw_arena_text_n(bw_arena *a, const char *text, size_t n) {
    char *copy = bw_arena_get(a, n + 1);
    if (copy && !a->failed)
        memcpy(copy, text, n);
    return copy;
}

char *bw_arena_text(bw_arena *a, const char *text) {
    return bw_arena_text_n(a, text ? text : "", text ? strlen(text) : 0);
}

char *bw_arena_textf(bw_arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *text = bw_arena_get(a, (size_t)(n < 0 ? 0 : n) + 1);
    if (n >= 0 && text && !a->failed)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void *bw_arena_grow(bw_arena *a, void *items, size_t n, size_t size) {
    if (n > 0 && (n & (n - 1)) != 0)
        return items;
    void *more = bw_arena_get(a, (n ? 2 * n : 1) * size);
    if (more && n && !a->failed)
        memcpy(more, items, n * size);
    return more;
}
