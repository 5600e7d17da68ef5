/* model/tokenizer/vocab.c - the vocabulary table. See vocab.h. */
#include "model/tokenizer/vocab.h"

#include "model/tokenizer/array.h"

#include <stdlib.h>
#include <string.h>

uint64_t bw_hash_bytes(const void *data, size_t n) {
    const unsigned char *s = data;
    uint64_t h = 0x9E3779B97F4A7C15u ^ n;
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        h = (h ^ w) * 0xFF51AFD7ED558CCDu;
        h ^= h >> 32;
        s += 8;
        n -= 8;
    }
    uint64_t rest = 0;
    memcpy(&rest, s, n);
    h = (h ^ rest) * 0xC4CEB9FE1A85EC53u;
    return h ^ (h >> 29);
}

static bool grow_ids(bw_vocab *v, size_t need) {
    if (need <= v->cap)
        return true;
    size_t cap = v->cap ? v->cap : 1024;
    while (cap < need)
        cap *= 2;
    if (!bw_array_resize(&v->start, cap, sizeof *v->start) ||
        !bw_array_resize(&v->len, cap, sizeof *v->len))
        return false;
    v->cap = cap;
    return true;
}

static bool grow_arena(bw_vocab *v, size_t more) {
    if (v->used + more <= v->arena_cap)
        return true;
    size_t cap = v->arena_cap ? v->arena_cap : 1 << 16;
    while (cap < v->used + more)
        cap *= 2;
    if (!bw_array_resize(&v->arena, cap, 1))
        return false;
    v->arena_cap = cap;
    return true;
}

/* The slot that holds the text, or the empty one where it would go. */
static size_t find_slot(const bw_vocab *v, const char *text, size_t len) {
    size_t mask = v->n_slots - 1, at = bw_hash_bytes(text, len) & mask;
    for (; v->slots[at]; at = (at + 1) & mask) {
        size_t id = (size_t)v->slots[at] - 1;
        if (v->len[id] == len && memcmp(v->arena + v->start[id], text, len) == 0)
            break;
    }
    return at;
}

static bool grow_slots(bw_vocab *v) {
    if (2 * (v->count + 1) <= v->n_slots)
        return true;
    size_t n = v->n_slots ? 2 * v->n_slots : 4096;
    int32_t *old = v->slots, *slots = calloc(n, sizeof *slots);
    if (!slots)
        return false;
    size_t n_old = v->n_slots;
    v->slots = slots;
    v->n_slots = n;
    for (size_t i = 0; i < n_old; i++)
        if (old[i]) {
            size_t id = (size_t)old[i] - 1;
            v->slots[find_slot(v, v->arena + v->start[id], v->len[id])] = old[i];
        }
    free(old);
    return true;
}

bw_status bw_vocab_put(bw_vocab *v, const char *text, size_t len, int64_t id, bw_err *err) {
    if (id < 0 || id >= BW_VOCAB_MAX)
        return bw_fail(err, BW_EFORMAT, "token '%.60s' has id %lld; ids lie between 0 and %d", text,
                       (long long)id, BW_VOCAB_MAX - 1);
    if (len >= UINT32_MAX)
        return bw_fail(err, BW_EFORMAT, "token %lld is %zu bytes long", (long long)id, len);
    if (!grow_ids(v, (size_t)id + 1) || !grow_arena(v, len + 1) || !grow_slots(v))
        return bw_fail_memory(err);
    while (v->size <= (size_t)id)
        v->start[v->size++] = SIZE_MAX;
    v->start[id] = v->used;
    v->len[id] = (uint32_t)len;
    memcpy(v->arena + v->used, text, len);
    v->arena[v->used + len] = '\0';
    size_t slot = find_slot(v, v->arena + v->used, len);
    v->count += v->slots[slot] == 0;
    v->slots[slot] = (int32_t)id + 1;
    v->used += len + 1;
    return BW_OK;
}

int32_t bw_vocab_find(const bw_vocab *v, const char *text, size_t len) {
    return v->n_slots ? v->slots[find_slot(v, text, len)] - 1 : -1;
}

const char *bw_vocab_text(const bw_vocab *v, int32_t id, size_t *len) {
    if (id < 0 || (size_t)id >= v->size || v->start[id] == SIZE_MAX)
        return NULL;
    if (len)
        *len = v->len[id];
    return v->arena + v->start[id];
}

void bw_vocab_free(bw_vocab *v) {
    free(v->arena);
    free(v->start);
    free(v->len);
    free(v->slots);
    *v = (bw_vocab){0};
}

static bool spells_itself(int32_t cp) {
    return (cp >= '!' && cp <= '~') || (cp >= 0xA1 && cp <= 0xAC) || (cp >= 0xAE && cp <= 0xFF);
}

/* The bytes that do not spell themselves are 0x00-0x20, 0x7F-0xA0 and 0xAD, in this order. */
int32_t bw_byte_char(uint8_t byte) {
    if (spells_itself(byte))
        return byte;
    return 0x100 + (byte <= 0x20 ? byte : byte <= 0xA0 ? byte - 0x7F + 0x21 : 0x43);
}

int bw_char_byte(int32_t cp) {
    if (spells_itself(cp))
        return cp;
    if (cp < 0x100 || cp > 0x143)
        return -1;
    int i = cp - 0x100;
    return i <= 0x20 ? i : i < 0x43 ? i - 0x21 + 0x7F : 0xAD;
}
