/* sql/import/names.c - open addressing over the numbers of the names. */
#include "sql/import/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *text, size_t n) {
    uint64_t h = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h;
}

static bool equal(const bw_names *s, size_t i, const char *name, size_t len) {
    return strncmp(s->list[i], name, len) == 0 && s->list[i][len] == '\0';
}

static void place(bw_names *s, size_t i) {
    size_t at = hash(s->list[i], strlen(s->list[i])) % s->n_slots;
    while (s->slots[at])
        at = (at + 1) % s->n_slots;
    s->slots[at] = i + 1;
}

static bool grow(bw_names *s) {
    size_t cap = s->cap ? 2 * s->cap : 32;
    char **list = realloc(s->list, cap * sizeof *list);
    if (list)
        s->list = list;
    size_t *slots = calloc(2 * cap, sizeof *slots);
    if (!list || !slots) {
        free(slots);
        return false;
    }
    free(s->slots);
    s->slots = slots;
    s->n_slots = 2 * cap;
    s->cap = cap;
    for (size_t i = 0; i < s->n; i++)
        place(s, i);
    return true;
}

size_t bw_names_number(bw_names *s, const char *name, size_t len) {
    if (s->n && equal(s, s->last, name, len))
        return s->last;
    if (s->n_slots) {
        size_t at = hash(name, len) % s->n_slots;
        for (; s->slots[at]; at = (at + 1) % s->n_slots)
            if (equal(s, s->slots[at] - 1, name, len))
                return s->last = s->slots[at] - 1;
    }
    if (s->n == s->cap && !grow(s))
        return (size_t)-1;
    char *copy = strndup(name, len);
    if (!copy)
        return (size_t)-1;
    s->list[s->n] = copy;
    place(s, s->n);
    return s->last = s->n++;
}

void bw_names_free(bw_names *s) {
    for (size_t i = 0; i < s->n; i++)
        free(s->list[i]);
    free(s->list);
    free(s->slots);
    *s = (bw_names){0};
}
