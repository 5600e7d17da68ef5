/* model/shipped/words.c - see words.h. */
#include "model/shipped/words.h"

#include "model/shipped/counts.h"
#include "model/shipped/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_UNITS   2000 /* of one text */
#define LOG_STEPS   8.0  /* a doubling */
#define HASH_BYTES  4
#define LEAST_BYTES 4 /* of a word; shorter ones are not asked for */

static bw_status count_text(bw_counts *c, bw_units *u, const char *text, bw_err *err) {
    bw_status st = bw_units_split(u, text, strlen(text), MAX_UNITS, err);
    for (size_t i = 0; st == BW_OK && i < u->n; i++)
        if (u->unit[i].kind == BW_UNIT_WORD && u->unit[i].len >= LEAST_BYTES &&
            !bw_counts_add(c, u->unit[i].hash | (u->unit[i].hash == 0)))
            st = bw_fail_memory(err);
    return st;
}

static bw_status count_all(const bw_dataset *d, bw_counts *c, bw_err *err) {
    bw_status st = BW_OK;
    bw_units u = {0};
    for (size_t i = 0; st == BW_OK && i < d->n; i++) {
        const bw_example *e = &d->example[i];
        if (e->part != BW_PART_TRAIN)
            continue;
        st = count_text(c, &u, e->text, err);
        if (st == BW_OK && e->text2)
            st = count_text(c, &u, e->text2, err);
    }
    bw_units_free(&u);
    return st;
}

static void write_row(uint8_t *row, uint64_t hash, uint32_t count) {
    for (int k = 0; k < HASH_BYTES; k++)
        row[k] = (uint8_t)(hash >> (56 - 8 * k));
    row[HASH_BYTES] = (uint8_t)fmin(255, round(LOG_STEPS * log2(count)));
}

static int by_hash(const void *a, const void *b) {
    return memcmp(a, b, BW_WORD_BYTES);
}

bw_status bw_words_new(const bw_dataset *d, uint32_t min_count, bw_words *out, bw_err *err) {
    bw_counts c = {0};
    bw_status st = count_all(d, &c, err);
    *out = (bw_words){.n = 0};
    if (st == BW_OK && !(out->memory = malloc(c.n * BW_WORD_BYTES + 1)))
        st = bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < c.cap; i++)
        if (c.key[i] && c.value[i] >= min_count)
            write_row(out->memory + BW_WORD_BYTES * out->n++, c.key[i], c.value[i]);
    if (st == BW_OK)
        qsort(out->memory, out->n, BW_WORD_BYTES, by_hash);
    out->row = out->memory;
    bw_counts_free(&c);
    return st;
}

double bw_words_count(const bw_words *w, uint64_t hash) {
    uint8_t want[BW_WORD_BYTES];
    write_row(want, hash, 1);
    size_t low = 0, high = w->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const uint8_t *row = w->row + BW_WORD_BYTES * middle;
        int order = memcmp(row, want, HASH_BYTES);
        if (order == 0)
            return exp2(row[HASH_BYTES] / LOG_STEPS);
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return 0;
}

void bw_words_free(bw_words *w) {
    free(w->memory);
    *w = (bw_words){.n = 0};
}
