/* model/core/kv_cache.c - what decoding stands on: packed weights, the stores of keys and values,
 * encoded sources.
 *
 * Slots are numbers into a pool of stores: reordering beams moves numbers and copies only what two
 * slots would share. */
#include "model/core/kv.h"

#include <stdlib.h>
#include <string.h>

/* ---- packed weights ---- */

static bw_status pack(const bw_decoder *d, const bw_tf_dense *m, bw_packed **out, bw_err *err) {
    if (m->weight == BW_NONE)
        return BW_OK;
    return bw_packed_new(d->kind, bw_tf_at(d->t, m->weight), bw_tf_at(d->t, m->bias), m->out, m->in,
                         out, err);
}

static bw_status pack_layer(const bw_decoder *d, const bw_tf_layer_weights *w, bw_decoder_layer *p,
                            bw_err *err) {
    const bw_tf_dense *from[] = {&w->qkv, &w->out, &w->cross_q, &w->cross_out, &w->up, &w->down};
    bw_packed **to[] = {&p->qkv, &p->out, &p->cross_q, &p->cross_out, &p->up, &p->down};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof from / sizeof *from; i++)
        st = pack(d, from[i], to[i], err);
    return st;
}

bw_status bw_decoder_new(const bw_transformer *t, bw_pack_kind kind, bw_decoder **out,
                         bw_err *err) {
    *out = NULL;
    size_t n = t->dec.shape.layers;
    if (!n || t->lm.weight == BW_NONE)
        return bw_fail(err, BW_EARG, "this model cannot write: it has no %s",
                       n ? "language-model head" : "decoder");
    bw_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return bw_fail_memory(err);
    d->t = t;
    d->kind = kind;
    d->layers = calloc(n, sizeof *d->layers);
    bw_status st = d->layers ? pack(d, &t->lm, &d->lm, err) : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = pack_layer(d, &t->dec.layers[i], &d->layers[i], err);
    if (st != BW_OK) {
        bw_decoder_free(d);
        return st;
    }
    *out = d;
    return BW_OK;
}

/* Number of packed weights of a layer; absent ones are NULL. */
#define LAYER_PARTS 6

static void parts_of(const bw_decoder_layer *l, bw_packed *parts[LAYER_PARTS]) {
    bw_packed *all[LAYER_PARTS] = {l->qkv, l->out, l->cross_q, l->cross_out, l->up, l->down};
    memcpy(parts, all, sizeof all);
}

void bw_decoder_free(bw_decoder *d) {
    if (!d)
        return;
    for (size_t i = 0; d->layers && i < d->t->dec.shape.layers; i++) {
        bw_packed *parts[LAYER_PARTS];
        parts_of(&d->layers[i], parts);
        for (size_t k = 0; k < LAYER_PARTS; k++)
            bw_packed_free(parts[k]);
    }
    bw_packed_free(d->lm);
    free(d->layers);
    free(d);
}

size_t bw_decoder_bytes(const bw_decoder *d) {
    size_t n = bw_packed_bytes(d->lm);
    for (size_t i = 0; i < d->t->dec.shape.layers; i++) {
        bw_packed *parts[LAYER_PARTS];
        parts_of(&d->layers[i], parts);
        for (size_t k = 0; k < LAYER_PARTS; k++)
            n += parts[k] ? bw_packed_bytes(parts[k]) : 0;
    }
    return n;
}

/* ---- the cache ---- */

static void free_sources(bw_kv_cache *c) {
    for (size_t i = 0; i < c->n_sources; i++)
        free(c->cross[i]);
    free(c->cross);
    free(c->cross_tokens);
    c->cross = NULL;
    c->cross_tokens = NULL;
    c->n_sources = 0;
}

void bw_kv_cache_free(bw_kv_cache *c) {
    if (!c)
        return;
    for (size_t i = 0; c->stores && i < 2 * c->n_seq; i++)
        free(c->stores[i].kv);
    free_sources(c);
    free(c->stores);
    free(c->slot);
    free(c->source);
    free(c->rel);
    free(c->s.arena);
    free(c->s.packed);
    bw_tf_workspace_free(c->ws);
    bw_decoder_free(c->own);
    free(c);
}

static bw_status prepare_tables(bw_kv_cache *c, bw_err *err) {
    const bw_transformer *t = c->d->t;
    if (t->c.pos == BW_POS_ROTARY)
        return bw_tf_rope_prepare(t, c->ws, c->capacity, err);
    if (t->dec.rel_bias == BW_NONE)
        return BW_OK;
    c->rel = calloc(t->dec.shape.heads * (2 * c->capacity + 1), sizeof *c->rel);
    if (!c->rel)
        return bw_fail_memory(err);
    bw_tf_rel_expand(t, &t->dec, c->rel, c->capacity);
    return BW_OK;
}

bw_status bw_kv_cache_of(const bw_decoder *d, size_t n_seq, size_t max_tokens, bw_kv_cache **out,
                         bw_err *err) {
    *out = NULL;
    size_t most = d->t->c.max_positions;
    if (!n_seq || !max_tokens || (most && max_tokens > most))
        return bw_fail(err, BW_EARG,
                       "a cache of %zu sequences of %zu tokens; this model has %zu "
                       "positions",
                       n_seq, max_tokens, most);
    bw_kv_cache *c = calloc(1, sizeof *c);
    if (!c)
        return bw_fail_memory(err);
    *c = (bw_kv_cache){.d = d, .n_seq = n_seq, .capacity = max_tokens};
    c->stores = calloc(2 * n_seq, sizeof *c->stores);
    c->slot = calloc(n_seq, sizeof *c->slot);
    c->source = calloc(n_seq, sizeof *c->source);
    c->ws = bw_tf_workspace_new();
    bool ok = c->stores && c->slot && c->source && c->ws;
    for (size_t i = 0; ok && i < n_seq; i++) {
        c->slot[i] = c->source[i] = i;
        c->stores[i].used = true;
    }
    bw_status st = ok ? prepare_tables(c, err) : bw_fail_memory(err);
    if (st != BW_OK) {
        bw_kv_cache_free(c);
        return st;
    }
    *out = c;
    return BW_OK;
}

bw_status bw_kv_cache_new(const bw_transformer *t, size_t n_seq, size_t max_tokens,
                          bw_kv_cache **out, bw_err *err) {
    bw_decoder *d = NULL;
    *out = NULL;
    bw_status st = bw_decoder_new(t, BW_PACK_F32, &d, err);
    if (st == BW_OK)
        st = bw_kv_cache_of(d, n_seq, max_tokens, out, err);
    if (st == BW_OK)
        (*out)->own = d;
    else
        bw_decoder_free(d);
    return st;
}

size_t bw_kv_length(const bw_kv_cache *c, size_t seq) {
    return c->stores[c->slot[seq]].length;
}

size_t bw_kv_capacity(const bw_kv_cache *c) {
    return c->capacity;
}

void bw_kv_truncate(bw_kv_cache *c, size_t seq, size_t n) {
    bw_kv_store *s = &c->stores[c->slot[seq]];
    s->length = n < s->length ? n : s->length;
}

/* ---- stores ---- */

bool bw_kv_store_ready(const bw_kv_cache *c, bw_kv_store *s) {
    size_t n;
    if (!s->kv && bw_size_mul(2 * c->d->t->dec.shape.layers * sizeof *s->kv, bw_kv_plane(c), &n))
        s->kv = malloc(n);
    return s->kv;
}

static bw_status copy_store(const bw_kv_cache *c, bw_kv_store *to, const bw_kv_store *from,
                            bw_err *err) {
    size_t used = from->length * c->d->t->dec.kv_dim * sizeof(float);
    to->length = from->length;
    if (!from->kv)
        return BW_OK;
    if (!bw_kv_store_ready(c, to))
        return bw_fail_memory(err);
    for (size_t p = 0; p < 2 * c->d->t->dec.shape.layers; p++)
        memcpy(to->kv + p * bw_kv_plane(c), from->kv + p * bw_kv_plane(c), used);
    return BW_OK;
}

static size_t free_store(const bw_kv_cache *c) {
    size_t i = 0;
    while (c->stores[i].used)
        i++;
    return i;
}

/* The first slot that continues a store takes it over; others get copies. */
bw_status bw_kv_reorder(bw_kv_cache *c, const size_t *from, bw_err *err) {
    size_t *next = malloc(2 * c->n_seq * sizeof *next);
    if (!next)
        return bw_fail_memory(err);
    size_t *source = next + c->n_seq;
    for (size_t i = 0; i < 2 * c->n_seq; i++)
        c->stores[i].used = false;
    for (size_t i = 0; i < c->n_seq; i++) /* none that is read below may be written over */
        c->stores[c->slot[from[i]]].used = true;
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < c->n_seq; i++) {
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first &= from[j] != from[i];
        next[i] = c->slot[from[i]];
        source[i] = c->source[from[i]];
        if (first)
            continue;
        next[i] = free_store(c);
        c->stores[next[i]].used = true;
        st = copy_store(c, &c->stores[next[i]], &c->stores[c->slot[from[i]]], err);
    }
    if (st == BW_OK) {
        memcpy(c->slot, next, c->n_seq * sizeof *next);
        memcpy(c->source, source, c->n_seq * sizeof *source);
    }
    free(next);
    return st;
}

/* ---- the source ---- */

static bw_status keep_source(bw_kv_cache *c, const bw_batch *b, size_t s, const float *hidden,
                             bw_err *err) {
    const bw_transformer *t = c->d->t;
    size_t n = b->start[s + 1] - b->start[s], layers = t->dec.shape.layers, kv = 2 * t->dec.kv_dim;
    c->cross_tokens[s] = n;
    c->source[s] = s;
    c->cross[s] = calloc(layers * n, kv * sizeof(float));
    if (!c->cross[s])
        return bw_fail_memory(err);
    for (size_t i = 0; i < layers; i++)
        bw_tf_dense_forward(t, &t->dec.layers[i].cross_kv, c->cross[s] + i * n * kv,
                            hidden + b->start[s] * t->c.dim, n);
    return BW_OK;
}

bw_status bw_kv_encode(bw_kv_cache *c, const bw_batch *source, bw_err *err) {
    if (!c->d->t->dec.cross)
        return bw_fail(err, BW_EARG, "this model reads no source: it is a decoder alone");
    if (source->n_seq != c->n_seq)
        return bw_fail(err, BW_EARG, "%zu sources for %zu sequences", source->n_seq, c->n_seq);
    bw_status st = bw_tf_encode(c->d->t, c->ws, source, err);
    if (st != BW_OK)
        return st;
    free_sources(c);
    c->s.rows = 0; /* a longer source needs more scratch */
    c->cross = calloc(c->n_seq, sizeof *c->cross);
    c->cross_tokens = calloc(c->n_seq, sizeof *c->cross_tokens);
    if (!c->cross || !c->cross_tokens)
        return bw_fail_memory(err);
    c->n_sources = c->n_seq;
    for (size_t s = 0; st == BW_OK && s < c->n_seq; s++)
        st = keep_source(c, source, s, bw_tf_encoder_hidden(c->ws), err);
    return st;
}
