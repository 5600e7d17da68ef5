/* model/tokenizer/bpe.c - merging the bytes of a word. See bpe.h.
 *
 * Most words of a text are frequent ones, so each worker remembers short words in a direct-mapped
 * cache: a slot is overwritten by whatever falls on it, which needs no bookkeeping. */
#include "model/tokenizer/bpe.h"

#include "model/tokenizer/array.h"
#include "model/tokenizer/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_RANK     INT32_MAX
#define SHORT_WORD  96    /* bytes; longer words use the heap */
#define CACHE_SLOTS 16384 /* of 128 bytes: 2 MB, about a second-level cache */
#define CACHE_KEY   38    /* bytes of the longest cached word: 12 ideographs */
#define CACHE_IDS   12

typedef struct {
    uint8_t n_key, n_ids; /* n_key 0: empty */
    uint8_t key[CACHE_KEY];
    int32_t ids[CACHE_IDS];
    uint8_t lens[CACHE_IDS];
} slot;

typedef struct {
    int32_t rank;
    uint32_t at;
    int32_t left, right; /* ids when the entry was made: stale once they differ */
} candidate;

struct bw_bpe_work {
    int32_t *ids, *ranks;
    uint32_t *lens;
    uint32_t *prev, *next;
    candidate *heap;
    size_t cap, heap_len, long_cap;
    slot *cache;
    char *text; /* a word spelt as in the vocabulary */
    size_t text_cap;
};

static uint64_t pair_key(int32_t left, int32_t right) {
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static size_t pair_slot(const bw_bpe *bpe, uint64_t key) {
    uint64_t h = key * 0x9E3779B97F4A7C15u;
    size_t mask = bpe->n_slots - 1, at = (size_t)(h >> 20) & mask;
    while (bpe->merges[at].id >= 0 && bpe->merges[at].pair != key)
        at = (at + 1) & mask;
    return at;
}

/* How the vocabulary spells a byte; -1: not at all. */
static int32_t byte_token(const bw_bpe *bpe, const bw_vocab *vocab, uint8_t byte) {
    char text[8];
    size_t len = bpe->characters ? (size_t)snprintf(text, sizeof text, "<0x%02X>", byte)
                                 : bw_utf8_put(bw_byte_char(byte), (uint8_t *)text);
    bool spelt = bpe->byte_fallback || !bpe->characters;
    return spelt ? bw_vocab_find(vocab, text, len) : -1;
}

bw_status bw_bpe_init(bw_bpe *bpe, const bw_vocab *vocab, size_t n_merges, bw_err *err) {
    size_t n = 1024;
    while (n < 2 * n_merges + 2)
        n *= 2;
    bpe->merges = malloc(n * sizeof *bpe->merges);
    if (!bpe->merges)
        return bw_fail_memory(err);
    for (size_t i = 0; i < n; i++)
        bpe->merges[i].id = -1;
    bpe->n_slots = n;
    for (int b = 0; b < 256; b++)
        bpe->byte_id[b] = byte_token(bpe, vocab, (uint8_t)b);
    return BW_OK;
}

void bw_bpe_add(bw_bpe *bpe, int32_t left, int32_t right, int32_t id) {
    size_t at = pair_slot(bpe, pair_key(left, right));
    bpe->merges[at] = (bw_merge){pair_key(left, right), (int32_t)bpe->n_merges++, id};
}

const bw_merge *bw_bpe_find(const bw_bpe *bpe, int32_t left, int32_t right) {
    const bw_merge *m = &bpe->merges[pair_slot(bpe, pair_key(left, right))];
    return m->id >= 0 ? m : NULL;
}

void bw_bpe_free(bw_bpe *bpe) {
    free(bpe->merges);
    *bpe = (bw_bpe){0};
}

bw_bpe_work *bw_bpe_work_new(void) {
    bw_bpe_work *w = calloc(1, sizeof *w);
    if (w && !(w->cache = calloc(CACHE_SLOTS, sizeof *w->cache))) {
        free(w);
        return NULL;
    }
    return w;
}

void bw_bpe_work_free(bw_bpe_work *w) {
    if (!w)
        return;
    free(w->ids);
    free(w->ranks);
    free(w->lens);
    free(w->prev);
    free(w->next);
    free(w->heap);
    free(w->cache);
    free(w->text);
    free(w);
}

static bool reserve(bw_bpe_work *w, size_t n) {
    if (n <= w->cap)
        return true;
    size_t cap = n < 256 ? 256 : n + n / 2;
    if (!bw_array_resize(&w->ids, cap, sizeof *w->ids) ||
        !bw_array_resize(&w->ranks, cap, sizeof *w->ranks) ||
        !bw_array_resize(&w->lens, cap, sizeof *w->lens))
        return false;
    w->cap = cap;
    return true;
}

/* The links and the heap only words past SHORT_WORD need. A merge makes two new pairs and removes
 * one symbol, so fewer than 3n entries ever enter the heap. */
static bool reserve_long(bw_bpe_work *w, size_t n) {
    if (n <= w->long_cap)
        return true;
    size_t cap = n + n / 2;
    if (!bw_array_resize(&w->prev, cap, sizeof *w->prev) ||
        !bw_array_resize(&w->next, cap, sizeof *w->next) ||
        !bw_array_resize(&w->heap, 3 * cap, sizeof *w->heap))
        return false;
    w->long_cap = cap;
    return true;
}

/* The first symbols: one a byte; bytes outside the vocabulary become unk, or nothing. */
static size_t split_bytes(const bw_bpe *bpe, bw_bpe_work *w, const uint8_t *word, size_t n) {
    size_t k = 0;
    bool fusing = false;
    for (size_t i = 0; i < n; i++) {
        int32_t id = bpe->byte_id[word[i]];
        bool unknown = id < 0;
        if (unknown && bpe->unk < 0) {
            fusing = false;
            continue;
        }
        if (unknown && fusing && bpe->fuse_unk) {
            w->lens[k - 1]++;
            continue;
        }
        w->ids[k] = unknown ? bpe->unk : id;
        w->lens[k++] = 1;
        fusing = unknown;
    }
    return k;
}

/* The bytes of a character as tokens; false: the vocabulary lacks one of them. */
static bool put_bytes(const bw_bpe *bpe, bw_bpe_work *w, const uint8_t *s, size_t n, size_t *k) {
    for (size_t i = 0; i < n; i++)
        if (!bpe->byte_fallback || bpe->byte_id[s[i]] < 0)
            return false;
    for (size_t i = 0; i < n; i++) {
        w->ids[*k] = bpe->byte_id[s[i]];
        w->lens[(*k)++] = 1;
    }
    return true;
}

/* The first symbols: one a character, else its bytes, else unk. Unknown characters wait until a
 * known one comes, so that neighbours can fuse; bytes overtake them, as they do in the
 * reference. */
static size_t split_characters(const bw_bpe *bpe, const bw_vocab *vocab, bw_bpe_work *w,
                               const uint8_t *word, size_t n) {
    size_t k = 0, used, waiting = 0;
    for (size_t i = 0; i < n; i += used) {
        bw_utf8_next(word + i, n - i, &used);
        int32_t id = bw_vocab_find(vocab, (const char *)word + i, used);
        if (id < 0 && (put_bytes(bpe, w, word + i, used, &k) || bpe->unk < 0))
            continue;
        if (waiting && (id >= 0 || !bpe->fuse_unk)) {
            w->ids[k] = bpe->unk;
            w->lens[k++] = (uint32_t)waiting;
            waiting = 0;
        }
        if (id < 0) {
            waiting += used;
            continue;
        }
        w->ids[k] = id;
        w->lens[k++] = (uint32_t)used;
    }
    if (waiting) {
        w->ids[k] = bpe->unk;
        w->lens[k++] = (uint32_t)waiting;
    }
    return k;
}

static int32_t rank_of(const bw_bpe *bpe, int32_t left, int32_t right) {
    const bw_merge *m = bw_bpe_find(bpe, left, right);
    return m ? m->rank : NO_RANK;
}

/* ranks[i] is the rank of the pair (i, i + 1). */
static size_t merge_short(const bw_bpe *bpe, bw_bpe_work *w, size_t k) {
    int32_t *ids = w->ids, *ranks = w->ranks;
    for (size_t i = 0; i + 1 < k; i++)
        ranks[i] = rank_of(bpe, ids[i], ids[i + 1]);
    while (k > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < k; i++)
            if (ranks[i] < ranks[best])
                best = i;
        if (ranks[best] == NO_RANK)
            break;
        ids[best] = bw_bpe_find(bpe, ids[best], ids[best + 1])->id;
        w->lens[best] += w->lens[best + 1];
        size_t rest = k - best - 2;
        memmove(ids + best + 1, ids + best + 2, rest * sizeof *ids);
        memmove(w->lens + best + 1, w->lens + best + 2, rest * sizeof *w->lens);
        if (rest)
            memmove(ranks + best + 1, ranks + best + 2, (rest - 1) * sizeof *ranks);
        k--;
        if (best)
            ranks[best - 1] = rank_of(bpe, ids[best - 1], ids[best]);
        if (best + 1 < k)
            ranks[best] = rank_of(bpe, ids[best], ids[best + 1]);
    }
    return k;
}

static bool before(const candidate *a, const candidate *b) {
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(bw_bpe_work *w, candidate c) {
    size_t i = w->heap_len++;
    for (; i && before(&c, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = c;
}

static candidate pop(bw_bpe_work *w) {
    candidate top = w->heap[0], last = w->heap[--w->heap_len];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < w->heap_len; i = child) {
        if (child + 1 < w->heap_len && before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!before(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return top;
}

static void offer(const bw_bpe *bpe, bw_bpe_work *w, uint32_t at, uint32_t right, uint32_t k) {
    if (right >= k)
        return;
    int32_t rank = rank_of(bpe, w->ids[at], w->ids[right]);
    if (rank != NO_RANK)
        push(w, (candidate){rank, at, w->ids[at], w->ids[right]});
}

/* Merges symbol at with its right neighbour; the neighbour is marked dead by id -1. */
static void join(const bw_bpe *bpe, bw_bpe_work *w, candidate c, uint32_t k) {
    uint32_t right = w->next[c.at];
    w->ids[c.at] = bw_bpe_find(bpe, c.left, c.right)->id;
    w->lens[c.at] += w->lens[right];
    w->ids[right] = -1;
    w->next[c.at] = w->next[right];
    if (w->next[right] < k)
        w->prev[w->next[right]] = c.at;
    if (c.at)
        offer(bpe, w, w->prev[c.at], c.at, k);
    offer(bpe, w, c.at, w->next[c.at], k);
}

static size_t merge_long(const bw_bpe *bpe, bw_bpe_work *w, size_t n) {
    uint32_t k = (uint32_t)n;
    w->heap_len = 0;
    for (uint32_t i = 0; i < k; i++) {
        w->prev[i] = i - 1;
        w->next[i] = i + 1;
        offer(bpe, w, i, i + 1, k);
    }
    while (w->heap_len) {
        candidate c = pop(w);
        uint32_t right = w->next[c.at];
        if (w->ids[c.at] == c.left && right < k && w->ids[right] == c.right)
            join(bpe, w, c, k);
    }
    size_t out = 0;
    for (uint32_t i = 0; i < k; i = w->next[i]) {
        w->ids[out] = w->ids[i];
        w->lens[out++] = w->lens[i];
    }
    return out;
}

/* The id of the word as a whole; -1: not in the vocabulary. */
static int32_t whole_word(const bw_bpe *bpe, const bw_vocab *vocab, bw_bpe_work *w,
                          const uint8_t *word, size_t n) {
    if (bpe->characters)
        return bw_vocab_find(vocab, (const char *)word, n);
    if (2 * n > w->text_cap) {
        if (!bw_array_resize(&w->text, 2 * n, 1))
            return -1;
        w->text_cap = 2 * n;
    }
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += bw_utf8_put(bw_byte_char(word[i]), (uint8_t *)w->text + len);
    return bw_vocab_find(vocab, w->text, len);
}

static size_t compute(const bw_bpe *bpe, const bw_vocab *vocab, bw_bpe_work *w, const uint8_t *word,
                      size_t n) {
    int32_t id = bpe->whole_words ? whole_word(bpe, vocab, w, word, n) : -1;
    if (id >= 0) {
        w->ids[0] = id;
        w->lens[0] = (uint32_t)n;
        return 1;
    }
    size_t k =
        bpe->characters ? split_characters(bpe, vocab, w, word, n) : split_bytes(bpe, w, word, n);
    return k <= SHORT_WORD ? merge_short(bpe, w, k) : merge_long(bpe, w, k);
}

static void remember(slot *s, const bw_bpe_work *w, const uint8_t *word, size_t n, size_t k) {
    if (k > CACHE_IDS)
        return;
    s->n_key = (uint8_t)n;
    s->n_ids = (uint8_t)k;
    memcpy(s->key, word, n);
    memcpy(s->ids, w->ids, k * sizeof *s->ids);
    for (size_t i = 0; i < k; i++)
        s->lens[i] = (uint8_t)w->lens[i];
}

static size_t recall(const slot *s, bw_bpe_work *w) {
    memcpy(w->ids, s->ids, s->n_ids * sizeof *s->ids);
    for (size_t i = 0; i < s->n_ids; i++)
        w->lens[i] = s->lens[i];
    return s->n_ids;
}

size_t bw_bpe_word(const bw_bpe *bpe, const bw_vocab *vocab, bw_bpe_work *w, const uint8_t *word,
                   size_t n, const int32_t **ids, const uint32_t **lens) {
    *ids = NULL;
    if (!reserve(w, n) || (n > SHORT_WORD && !reserve_long(w, n)))
        return 0;
    size_t k;
    slot *s = n <= CACHE_KEY ? &w->cache[bw_hash_bytes(word, n) % CACHE_SLOTS] : NULL;
    if (s && s->n_key == n && memcmp(s->key, word, n) == 0) {
        k = recall(s, w);
    } else {
        k = compute(bpe, vocab, w, word, n);
        if (s)
            remember(s, w, word, n, k);
    }
    *ids = w->ids;
    *lens = w->lens;
    return k;
}
