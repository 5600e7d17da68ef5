/* model/tokenizer/unigram.c - the best path through a word. See unigram.h. */
#include "model/tokenizer/unigram.h"

#include "model/tokenizer/array.h"
#include "model/tokenizer/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_PENALTY 10.0 /* kUnkPenalty of SentencePiece */

/* The best way to have read the word up to here. */
typedef struct {
    double score;
    uint32_t from; /* where its last token starts */
    int32_t id;    /* that token; -1: no way reaches here */
} path;

struct bw_unigram_work {
    path *best;
    int32_t *ids;
    uint32_t *lens;
    size_t cap;
};

/* --- the trie -------------------------------------------------------------------------------- */

static size_t slot_of(const bw_unigram *u, uint64_t edge) {
    size_t mask = u->n_slots - 1, at = (size_t)(edge * 0x9E3779B97F4A7C15u >> 20) & mask;
    while (u->edges[at].edge && u->edges[at].edge != edge)
        at = (at + 1) & mask;
    return at;
}

static uint64_t edge_key(uint32_t node, uint8_t byte) {
    return ((uint64_t)node << 8 | byte) + 1;
}

static bool grow_edges(bw_unigram *u) {
    bw_trie_edge *old = u->edges;
    size_t n = u->n_slots;
    u->n_slots = n ? 2 * n : 1024;
    u->edges = calloc(u->n_slots, sizeof *u->edges);
    if (!u->edges) {
        u->edges = old;
        u->n_slots = n;
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (old[i].edge)
            u->edges[slot_of(u, old[i].edge)] = old[i];
    free(old);
    return true;
}

static bool add_node(bw_unigram *u) {
    if (u->n_nodes == u->cap_nodes) {
        size_t cap = u->cap_nodes ? 2 * u->cap_nodes : 1024;
        if (!bw_array_resize(&u->token, cap, sizeof *u->token))
            return false;
        u->cap_nodes = cap;
    }
    u->token[u->n_nodes++] = -1;
    return true;
}

static bool add_token(bw_unigram *u, const char *text, size_t len, int32_t id) {
    uint32_t node = 0;
    for (size_t i = 0; i < len; i++) {
        if (2 * (u->n_edges + 1) > u->n_slots && !grow_edges(u))
            return false;
        uint64_t key = edge_key(node, (uint8_t)text[i]);
        bw_trie_edge *e = &u->edges[slot_of(u, key)];
        if (!e->edge) {
            *e = (bw_trie_edge){key, (uint32_t)u->n_nodes};
            u->n_edges++;
            if (!add_node(u))
                return false;
        }
        node = e->to;
    }
    if (len)
        u->token[node] = id;
    return true;
}

bw_status bw_unigram_init(bw_unigram *u, const bw_vocab *vocab, const double *score, size_t n,
                          int32_t unk, bool byte_fallback, bw_err *err) {
    u->unk = unk;
    u->byte_fallback = byte_fallback;
    u->n = n;
    u->score = malloc((n ? n : 1) * sizeof *u->score);
    bool good = u->score && grow_edges(u) && add_node(u);
    double least = score[0];
    for (size_t i = 0; good && i < n; i++) {
        size_t len;
        const char *text = bw_vocab_text(vocab, (int32_t)i, &len);
        u->score[i] = score[i];
        least = score[i] < least ? score[i] : least;
        good = !text || add_token(u, text, len, (int32_t)i);
    }
    u->unknown = least - UNKNOWN_PENALTY;
    for (int b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)b);
        u->byte_id[b] = bw_vocab_find(vocab, name, strlen(name));
    }
    return good ? BW_OK : bw_fail_memory(err);
}

void bw_unigram_free(bw_unigram *u) {
    free(u->score);
    free(u->edges);
    free(u->token);
    *u = (bw_unigram){0};
}

/* --- a word ---------------------------------------------------------------------------------- */

bw_unigram_work *bw_unigram_work_new(void) {
    return calloc(1, sizeof(bw_unigram_work));
}

void bw_unigram_work_free(bw_unigram_work *w) {
    if (!w)
        return;
    free(w->best);
    free(w->ids);
    free(w->lens);
    free(w);
}

static bool reserve(bw_unigram_work *w, size_t n) {
    if (n <= w->cap)
        return true;
    size_t cap = n + n / 2 + 64;
    if (!bw_array_resize(&w->best, cap + 1, sizeof *w->best) ||
        !bw_array_resize(&w->ids, cap, sizeof *w->ids) ||
        !bw_array_resize(&w->lens, cap, sizeof *w->lens))
        return false;
    w->cap = cap;
    return true;
}

/* Ties keep the way that was found first, the one with the longer last token. */
static void offer(path *to, double score, size_t from, int32_t id) {
    if (to->id < 0 || score > to->score)
        *to = (path){score, (uint32_t)from, id};
}

/* All tokens that start at `at`; whether one of them is the character there alone. */
static bool offer_tokens(const bw_unigram *u, path *best, const uint8_t *word, size_t n, size_t at,
                         size_t character) {
    bool alone = false;
    uint32_t node = 0;
    for (size_t i = at; i < n; i++) {
        const bw_trie_edge *e = &u->edges[slot_of(u, edge_key(node, word[i]))];
        if (!e->edge)
            break;
        node = e->to;
        int32_t id = u->token[node];
        if (id < 0)
            continue;
        offer(&best[i + 1], best[at].score + u->score[id], at, id);
        alone = alone || i + 1 == at + character;
    }
    return alone;
}

static void find_paths(const bw_unigram *u, path *best, const uint8_t *word, size_t n) {
    for (size_t i = 0; i <= n; i++)
        best[i] = (path){.id = -1};
    size_t character;
    for (size_t at = 0; at < n; at += character) {
        bw_utf8_next(word + at, n - at, &character);
        if (!offer_tokens(u, best, word, n, at, character))
            offer(&best[at + character], best[at].score + u->unknown, at, u->unk);
    }
}

/* The bytes of an unknown stretch, last first; false: not all are in the vocabulary. */
static bool put_bytes(const bw_unigram *u, bw_unigram_work *w, const uint8_t *s, size_t n,
                      size_t *k) {
    for (size_t i = 0; i < n; i++)
        if (u->byte_id[s[i]] < 0)
            return false;
    for (size_t i = n; i > 0; i--) {
        w->ids[*k] = u->byte_id[s[i - 1]];
        w->lens[(*k)++] = 1;
    }
    return true;
}

/* A stretch of unknown characters: a token after all when its text is one, else bytes, else unk. */
static void put_unknown(const bw_unigram *u, const bw_vocab *vocab, bw_unigram_work *w,
                        const uint8_t *s, size_t n, size_t *k) {
    int32_t id = bw_vocab_find(vocab, (const char *)s, n);
    bool known = id >= 0 && (size_t)id < u->n;
    if (!known && u->byte_fallback && put_bytes(u, w, s, n, k))
        return;
    w->ids[*k] = known ? id : u->unk;
    w->lens[(*k)++] = (uint32_t)n;
}

static void reverse(bw_unigram_work *w, size_t k) {
    for (size_t i = 0, j = k; i + 1 < j; i++) {
        j--;
        int32_t id = w->ids[i];
        uint32_t len = w->lens[i];
        w->ids[i] = w->ids[j];
        w->lens[i] = w->lens[j];
        w->ids[j] = id;
        w->lens[j] = len;
    }
}

size_t bw_unigram_word(const bw_unigram *u, const bw_vocab *vocab, bw_unigram_work *w,
                       const uint8_t *word, size_t n, const int32_t **ids, const uint32_t **lens) {
    *ids = NULL;
    if (!reserve(w, n))
        return 0;
    find_paths(u, w->best, word, n);
    size_t k = 0;
    for (size_t end = n; end > 0;) {
        size_t from = w->best[end].from;
        if (w->best[end].id == u->unk) {
            while (from > 0 && w->best[from].id == u->unk)
                from = w->best[from].from;
            put_unknown(u, vocab, w, word + from, end - from, &k);
        } else {
            w->ids[k] = w->best[end].id;
            w->lens[k++] = (uint32_t)(end - from);
        }
        end = from;
    }
    reverse(w, k);
    *ids = w->ids;
    *lens = w->lens;
    return k;
}
