/* model/core/decoder.c - one step of a decoder over a key/value cache.
 *
 * The rows of a step are the new tokens of all sequences, one behind the other; every product runs
 * over all of them on packed weights, attention runs a sequence at a time against its own keys.
 *
 * All threads walk through the layers together, in one parallel region a step: the functions below
 * that say "all threads" split their work among the region's threads and meet at its end. Rows,
 * outputs and heads do not depend on each other, so any split gives the same bits. */
#include "model/core/attend_row.h"
#include "model/core/kv.h"
#include "model/core/simd.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static float *keys_of(const bw_kv_cache *c, size_t seq, size_t layer) {
    return c->stores[c->slot[seq]].kv + 2 * layer * bw_kv_plane(c);
}

typedef struct {
    bw_kv_cache *c;
    const size_t *seqs; /* NULL: 0, 1, ... */
    const bw_batch *batch;
    bw_batch placed; /* batch with positions that go on from each length */
    int32_t *positions;
} step;

static size_t seq_of(const step *p, size_t i) {
    return p->seqs ? p->seqs[i] : i;
}

#define GROUP 64 /* rows that one thread multiplies at a time */

/* Bytes of the packed rows of a group. */
static size_t piece_size(const bw_kv_cache *c, size_t in) {
    return (bw_rows_size(c->d->kind, GROUP, in) + 63) / 64 * 64;
}

/* y [rows, out] = x W^T + b, all threads. Many rows: threads take groups of rows. Few: a pass over
 * the weights, of which each thread takes a part, with its own packed copy of the rows. */
static void multiply(const step *p, const bw_packed *w, const float *x, size_t rows, float *y) {
    bw_pack_kind kind = p->c->d->kind;
    size_t in = bw_packed_in(w), out = bw_packed_out(w);
    if (rows <= GROUP) {
        size_t part = (size_t)omp_get_thread_num(), parts = (size_t)omp_get_num_threads();
        void *work = (char *)p->c->s.packed + part * p->c->s.piece;
        bw_rows_pack(kind, x, rows, in, work);
        bw_packed_mul_part(w, work, rows, part, parts, y, out);
#pragma omp barrier
        return;
    }
#pragma omp for schedule(dynamic, 1)
    for (size_t r = 0; r < rows; r += GROUP) {
        size_t n = rows - r < GROUP ? rows - r : GROUP;
        void *work = (char *)p->c->s.packed + r / GROUP * p->c->s.piece;
        bw_rows_pack(kind, x + r * in, n, in, work);
        bw_packed_mul(w, work, n, BW_FUSE_NONE, y + r * out, out);
    }
}

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t longest_source(const bw_kv_cache *c) {
    size_t n = 0;
    for (size_t i = 0; i < c->n_sources; i++)
        n = most(n, c->cross_tokens[i]);
    return n;
}

static bw_status reserve(bw_kv_cache *c, size_t rows, bw_err *err) {
    const bw_transformer *t = c->d->t;
    const bw_tf_stack_weights *w = &t->dec;
    bw_kv_scratch *s = &c->s;
    size_t keys = most(c->capacity, longest_source(c));
    if (rows <= s->rows && (size_t)omp_get_max_threads() <= s->threads)
        return BW_OK;
    rows = most(rows, s->rows);
    free(s->arena);
    free(s->packed);
    *s = (bw_kv_scratch){0};
    size_t fused = w->q_dim + 2 * w->kv_dim, up = w->layers[0].up.out, dim = t->c.dim;
    size_t attention =
        most(bw_attn_scratch(&(bw_attn){.head_dim = t->c.head_dim, .n_k = keys}), keys);
    size_t width = 2 * dim + fused + w->q_dim + up + w->shape.ffn, total;
    size_t widest = most(most(dim, w->q_dim), w->shape.ffn);
    size_t threads = (size_t)omp_get_max_threads(), packed, piece = piece_size(c, widest);
    size_t groups = most((rows + GROUP - 1) / GROUP, threads);
    if (!bw_size_mul(rows, width, &total) || !bw_size_mul(groups, piece, &packed) ||
        !bw_size_mul(threads, attention, &attention))
        return bw_fail_memory(err);
    s->arena = calloc(total + attention, sizeof *s->arena);
    s->packed = aligned_alloc(64, packed);
    if (!s->arena || !s->packed)
        return bw_fail_memory(err);
    s->x = s->arena;
    s->h = s->x + rows * dim;
    s->qkv = s->h + rows * dim;
    s->ctx = s->qkv + rows * fused;
    s->up = s->ctx + rows * w->q_dim;
    s->act = s->up + rows * up;
    s->scores = s->act + rows * w->shape.ffn;
    s->threads = threads;
    s->piece = piece;
    s->scores_size = attention / threads;
    s->rows = rows;
    return BW_OK;
}

#define FEW 4 /* queries up to which a row at a time is faster than preparing tiles */

/* Attention of one sequence's new tokens: over its own keys, or over its source's. */
typedef struct {
    bw_attn a;
    float *out;
    const float *q, *k, *v;
} attention;

static attention self_attention_of(const step *p, size_t layer, size_t i) {
    const bw_kv_cache *c = p->c;
    const bw_transformer *t = c->d->t;
    const bw_tf_stack_weights *w = &t->dec;
    size_t first = p->batch->start[i], n = p->batch->start[i + 1] - first;
    size_t seq = seq_of(p, i), length = bw_kv_length(c, seq), fused = w->q_dim + 2 * w->kv_dim;
    const float *k = keys_of(c, seq, layer);
    return (attention){.a = {.heads = w->shape.heads,
                             .kv_heads = w->shape.kv_heads,
                             .head_dim = t->c.head_dim,
                             .n_q = n,
                             .n_k = length + n,
                             .q_stride = fused,
                             .k_stride = w->kv_dim,
                             .v_stride = w->kv_dim,
                             .o_stride = w->q_dim,
                             .scale = t->c.attn_scale,
                             .causal = 1,
                             .first = length,
                             .window = bw_tf_window(&t->c, layer),
                             .rel_bias = c->rel,
                             .rel_span = c->capacity},
                       .out = c->s.ctx + first * w->q_dim,
                       .q = c->s.qkv + first * fused,
                       .k = k,
                       .v = k + bw_kv_plane(c)};
}

static attention cross_attention_of(const step *p, size_t layer, size_t i) {
    const bw_kv_cache *c = p->c;
    const bw_transformer *t = c->d->t;
    const bw_tf_stack_weights *w = &t->dec;
    size_t first = p->batch->start[i], source = c->source[seq_of(p, i)], kv = 2 * w->kv_dim;
    const float *k = c->cross[source] + layer * c->cross_tokens[source] * kv;
    return (attention){.a = {.heads = w->shape.heads,
                             .kv_heads = w->shape.kv_heads,
                             .head_dim = t->c.head_dim,
                             .n_q = p->batch->start[i + 1] - first,
                             .n_k = c->cross_tokens[source],
                             .q_stride = w->q_dim,
                             .k_stride = kv,
                             .v_stride = kv,
                             .o_stride = w->q_dim,
                             .scale = t->c.attn_scale},
                       .out = c->s.ctx + first * w->q_dim,
                       .q = c->s.qkv + first * w->q_dim,
                       .k = k,
                       .v = k + w->kv_dim};
}

/* The query heads that share key head g. */
static void attend_group(const attention *x, size_t g, float *scratch) {
    bw_attn a = x->a;
    size_t dim = a.head_dim, group = a.heads / a.kv_heads, head = g * group;
    const float *bias = a.rel_bias ? a.rel_bias + head * (2 * a.rel_span + 1) : NULL;
    const float *q = x->q + head * dim, *k = x->k + g * dim, *v = x->v + g * dim;
    float *out = x->out + head * dim;
    if (a.n_q > FEW) {
        a.heads = group;
        a.kv_heads = 1;
        a.rel_bias = bias;
        bw_attn_forward(&a, out, NULL, q, k, v, scratch);
        return;
    }
    for (size_t i = 0; i < a.n_q; i++) {
        size_t from = bw_attn_from(&a, i), end = a.causal ? i + a.first + 1 : a.n_k;
        for (size_t h = 0; h < group; h++) {
            const float *row =
                bias ? bias + h * (2 * a.rel_span + 1) + a.rel_span - (i + a.first) + from : NULL;
            bw_attend_row(&a, out + i * a.o_stride + h * dim, q + i * a.q_stride + h * dim,
                          k + from * a.k_stride, v + from * a.v_stride, end - from, row, scratch);
        }
    }
}

/* All sequences and heads; all threads. */
static void attend(const step *p, size_t layer,
                   attention of(const step *p, size_t layer, size_t i)) {
    bw_kv_scratch *s = &p->c->s;
    size_t groups = p->c->d->t->dec.shape.kv_heads, n = p->batch->n_seq;
    float *scores = s->scores + (size_t)omp_get_thread_num() * s->scores_size;
#pragma omp for schedule(dynamic, 1)
    for (size_t j = 0; j < n * groups; j++) {
        attention x = of(p, layer, j / groups);
        attend_group(&x, j % groups, scores);
    }
}

/* The new row r of qkv, the k-th of sequence i: turned by its position, its key and value kept. */
static void place_row(const step *p, size_t layer, size_t i, size_t k) {
    bw_kv_cache *c = p->c;
    const bw_transformer *t = c->d->t;
    const bw_tf_stack_weights *w = &t->dec;
    size_t fused = w->q_dim + 2 * w->kv_dim, kv = w->kv_dim, r = p->batch->start[i] + k;
    size_t at = (bw_kv_length(c, seq_of(p, i)) + k) * kv;
    float *row = c->s.qkv + r * fused, *keys = keys_of(c, seq_of(p, i), layer);
    if (t->c.pos == BW_POS_ROTARY)
        bw_rope(row, c->ws->rope, p->positions + r, 1, fused, w->shape.heads + w->shape.kv_heads,
                t->c.head_dim, false);
    memcpy(keys + at, row + w->q_dim, kv * sizeof *row);
    memcpy(keys + bw_kv_plane(c) + at, row + w->q_dim + kv, kv * sizeof *row);
}

/* All threads. */
static void place_rows(const step *p, size_t layer) {
    for (size_t i = 0; i < p->batch->n_seq; i++) {
        size_t n = p->batch->start[i + 1] - p->batch->start[i];
#pragma omp for schedule(static) nowait
        for (size_t k = 0; k < n; k++)
            place_row(p, layer, i, k);
    }
#pragma omp barrier
}

static void self_attention(const step *p, size_t layer) {
    bw_kv_cache *c = p->c;
    multiply(p, c->d->layers[layer].qkv, c->s.h, p->batch->n_tokens, c->s.qkv);
    place_rows(p, layer);
    attend(p, layer, self_attention_of);
}

static void cross_attention(const step *p, size_t layer) {
    bw_kv_cache *c = p->c;
    multiply(p, c->d->layers[layer].cross_q, c->s.h, p->batch->n_tokens, c->s.qkv);
    attend(p, layer, cross_attention_of);
}

static void feed_forward(const step *p, size_t layer) {
    bw_kv_cache *c = p->c;
    const bw_tf_config *cfg = &c->d->t->c;
    size_t rows = p->batch->n_tokens, ffn = c->d->t->dec.shape.ffn;
    multiply(p, c->d->layers[layer].up, c->s.h, rows, c->s.up);
#pragma omp for schedule(static)
    for (size_t r = 0; r < rows; r++) {
        if (cfg->gated)
            bw_act_gated(cfg->act, c->s.act + r * ffn, c->s.up + r * 2 * ffn, 1, ffn);
        else
            bw_act_forward(cfg->act, c->s.act + r * ffn, c->s.up + r * ffn, ffn);
    }
}

/* Before a block: h = norm(x), or x itself in post-norm models. All threads. */
static void open_block(const step *p, const bw_tf_norm *n) {
    bw_kv_scratch *s = &p->c->s;
    const bw_transformer *t = p->c->d->t;
    size_t rows = p->batch->n_tokens, dim = t->c.dim;
#pragma omp for schedule(static)
    for (size_t r = 0; r < rows; r++) {
        if (t->c.pre_norm)
            bw_tf_norm_forward(t, n, s->h + r * dim, NULL, NULL, s->x + r * dim, 1);
        else
            memcpy(s->h + r * dim, s->x + r * dim, dim * sizeof *s->x);
    }
}

/* After it: x += f W^T + b, and in post-norm models the norm. All threads; no need to meet at the
 * end, since open_block gives each thread the rows that it had here. */
static void close_block(const step *p, const bw_tf_norm *n, const bw_packed *w, const float *f) {
    bw_kv_scratch *s = &p->c->s;
    const bw_transformer *t = p->c->d->t;
    size_t rows = p->batch->n_tokens, dim = t->c.dim;
    multiply(p, w, f, rows, s->h);
#pragma omp for schedule(static) nowait
    for (size_t r = 0; r < rows; r++) {
        float *x = s->x + r * dim;
        for (size_t i = 0; i < dim; i++)
            x[i] += s->h[r * dim + i];
        if (!t->c.pre_norm)
            bw_tf_norm_forward(t, n, x, NULL, NULL, x, 1);
    }
}

/* All threads. */
static void run_layers(const step *p) {
    const bw_decoder *d = p->c->d;
    const bw_tf_stack_weights *w = &d->t->dec;
    for (size_t i = 0; i < w->shape.layers; i++) {
        const bw_tf_layer_weights *l = &w->layers[i];
        open_block(p, &l->norm);
        self_attention(p, i);
        close_block(p, &l->norm, d->layers[i].out, p->c->s.ctx);
        if (w->cross) {
            open_block(p, &l->cross_norm);
            cross_attention(p, i);
            close_block(p, &l->cross_norm, d->layers[i].cross_out, p->c->s.ctx);
        }
        open_block(p, &l->ffn_norm);
        feed_forward(p, i);
        close_block(p, &l->ffn_norm, d->layers[i].down, p->c->s.act);
    }
}

/* Scores after the last new token of each sequence. All threads. */
static void score_last(const step *p, float *logits) {
    const bw_transformer *t = p->c->d->t;
    bw_kv_scratch *s = &p->c->s;
    size_t dim = t->c.dim, n = p->batch->n_seq;
#pragma omp barrier
#pragma omp for schedule(static)
    for (size_t i = 0; i < n; i++) {
        float *h = s->h + i * dim;
        memcpy(h, s->x + (p->batch->start[i + 1] - 1) * dim, dim * sizeof *h);
        if (t->c.pre_norm)
            bw_tf_norm_forward(t, &t->dec.final_norm, h, NULL, NULL, h, 1);
        for (size_t k = 0; k < dim; k++)
            h[k] *= t->c.lm_scale;
    }
    multiply(p, p->c->d->lm, s->h, n, logits);
}

static void embed(const step *p) {
    const bw_transformer *t = p->c->d->t;
    bw_kv_scratch *s = &p->c->s;
    bw_tf_pass pass = {.w = &t->dec, .batch = p->placed, .positions = p->positions};
    bw_tf_chunk all = {.rows = p->batch->n_tokens};
    bw_tf_embed(t, &pass, &all, s->x);
    if (t->c.embed_norm)
        bw_tf_norm_forward(t, &t->dec.embed_norm, s->x, NULL, NULL, s->x, p->batch->n_tokens);
}

static bw_status check_step(const step *p, bw_err *err) {
    bw_kv_cache *c = p->c;
    const bw_batch *b = p->batch;
    if (b->n_seq > c->n_seq)
        return bw_fail(err, BW_EARG, "%zu sequences; the cache has %zu", b->n_seq, c->n_seq);
    if (c->d->t->dec.cross && !c->n_sources)
        return bw_fail(err, BW_EARG, "no source was encoded");
    bw_status st = bw_tf_check_batch(c->d->t, b, err);
    for (size_t i = 0; st == BW_OK && i < b->n_seq; i++) {
        size_t seq = seq_of(p, i), n = b->start[i + 1] - b->start[i];
        if (seq >= c->n_seq)
            st = bw_fail(err, BW_EARG, "sequence %zu; the cache has %zu", seq, c->n_seq);
        else if (n > c->capacity - bw_kv_length(c, seq))
            st = bw_fail(err, BW_EARG,
                         "sequence %zu has %zu tokens; %zu more exceed the %zu it can "
                         "hold",
                         seq, bw_kv_length(c, seq), n, c->capacity);
        else if (!bw_kv_store_ready(c, &c->stores[c->slot[seq]]))
            st = bw_fail_memory(err);
    }
    return st;
}

static void place(step *p) {
    for (size_t i = 0; i < p->batch->n_seq; i++)
        for (size_t r = p->batch->start[i]; r < p->batch->start[i + 1]; r++)
            p->positions[r] = (int32_t)(bw_kv_length(p->c, seq_of(p, i)) + r - p->batch->start[i]);
    p->placed = *p->batch;
    p->placed.positions = p->positions;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run(step *p, float *logits) {
    bw_pace *pace = &p->c->pace;
    /* A prompt's step is longer than those of single tokens and says nothing of them. */
    bool single = p->batch->n_tokens == p->batch->n_seq && p->batch->n_seq <= GROUP;
    bool paced = single && omp_get_max_threads() > 1;
    bool share = paced ? bw_pace_next(pace) : true;
    double start = seconds();
    place(p);
    embed(p);
#pragma omp parallel if (share)
    {
        run_layers(p);
        score_last(p, logits);
    }
    if (paced)
        bw_pace_note(pace, seconds() - start);
}

bw_status bw_kv_append(bw_kv_cache *c, const size_t *seqs, const bw_batch *tokens, float *logits,
                       bw_err *err) {
    step p = {.c = c, .seqs = seqs, .batch = tokens};
    bw_status st = check_step(&p, err);
    if (st == BW_OK)
        st = reserve(c, tokens->n_tokens, err);
    if (st != BW_OK)
        return st;
    p.positions = malloc(tokens->n_tokens * sizeof *p.positions);
    if (!p.positions)
        return bw_fail_memory(err);
    run(&p, logits);
    for (size_t i = 0; i < tokens->n_seq; i++)
        c->stores[c->slot[seq_of(&p, i)]].length += tokens->start[i + 1] - tokens->start[i];
    free(p.positions);
    return BW_OK;
}
