/* model/infer/infer.c - the frozen encoder: embeddings, then per layer four products around one
 * attention, over chunks of whole sequences that stay in the second-level cache.
 *
 * What a product reads is written by whatever comes before it: the activation behind the first
 * feed-forward product and each norm leave packed rows (packed_rows.h), so quantising never takes a
 * pass of its own but behind attention. */
#include "model/infer/infer.h"

#include "model/core/ops.h"
#include "model/core/tf.h"
#include "model/infer/infer_ops.h"
#include "model/infer/packed_rows.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define ROPE_TOKENS 1024 /* longest sequence of a model with rotary positions */
/* Tokens of a chunk. Of 128 to 512 tried, 256 were the fastest at MiniLM's width, by a little. */
#define CHUNK_TOKENS 256
#define CHUNK_LEAST  64 /* below, tiles and weights are used too little */

typedef struct {
    bw_packed *qkv, *out, *up, *down;
} layer;

struct bw_infer {
    const bw_transformer *t;
    bw_pack_kind kind;
    bw_fuse act;
    bw_packed *project; /* NULL: embeddings are as wide as the layers */
    layer *layers;
    float *rope; /* [ROPE_TOKENS, head_dim] angles; NULL unless positions are rotary */
};

/* ---- building ---- */

static bool fuse_of(bw_act act, bw_fuse *fuse) {
    *fuse = act == BW_ACT_RELU ? BW_FUSE_RELU : act == BW_ACT_SILU ? BW_FUSE_SILU : BW_FUSE_GELU;
    return act == BW_ACT_GELU || act == BW_ACT_RELU || act == BW_ACT_SILU;
}

static bw_status check_supported(const bw_tf_config *c, bw_fuse *fuse, bw_err *err) {
    const char *why = c->kind != BW_TF_ENCODER               ? "only encoders"
                      : c->norm != BW_NORM_LAYER             ? "only LayerNorm"
                      : c->gated                             ? "no gated feed-forward layer"
                      : c->enc.kv_heads != c->enc.heads      ? "no grouped-query attention"
                      : c->head_dim * c->enc.heads != c->dim ? "only heads that fill the width"
                      : c->pos == BW_POS_RELATIVE            ? "only added or rotary positions"
                      : !fuse_of(c->act, fuse)               ? "only GELU, ReLU and SiLU"
                                                             : NULL;
    return why ? bw_fail(err, BW_EARG, "the frozen encoder takes %s", why) : BW_OK;
}

static bw_status pack(const bw_infer *m, const bw_tf_dense *d, bw_packed **out, bw_err *err) {
    return bw_packed_new(m->kind, bw_tf_at(m->t, d->weight), bw_tf_at(m->t, d->bias), d->out, d->in,
                         out, err);
}

static bw_status pack_layers(bw_infer *m, bw_err *err) {
    bw_status st = BW_OK;
    if (m->t->project.weight != BW_NONE)
        st = pack(m, &m->t->project, &m->project, err);
    for (size_t i = 0; st == BW_OK && i < m->t->enc.shape.layers; i++) {
        const bw_tf_layer_weights *w = &m->t->enc.layers[i];
        layer *l = &m->layers[i];
        const bw_tf_dense *from[] = {&w->qkv, &w->out, &w->up, &w->down};
        bw_packed **to[] = {&l->qkv, &l->out, &l->up, &l->down};
        for (size_t j = 0; st == BW_OK && j < 4; j++)
            st = pack(m, from[j], to[j], err);
    }
    return st;
}

bw_status bw_infer_new(const bw_transformer *t, bw_pack_kind kind, bw_infer **out, bw_err *err) {
    *out = NULL;
    bw_fuse act = BW_FUSE_NONE;
    bw_status st = check_supported(&t->c, &act, err);
    if (st != BW_OK)
        return st;
    bw_infer *m = calloc(1, sizeof *m);
    if (!m)
        return bw_fail_memory(err);
    *m = (bw_infer){.t = t, .kind = kind, .act = act};
    m->layers = calloc(t->enc.shape.layers, sizeof *m->layers);
    if (t->c.pos == BW_POS_ROTARY)
        m->rope = malloc(ROPE_TOKENS * t->c.head_dim * sizeof *m->rope);
    if (m->rope)
        bw_rope_table(m->rope, ROPE_TOKENS, t->c.head_dim, t->c.rope_theta, &t->c.rope_scaling);
    bool good = m->layers && (m->rope || t->c.pos != BW_POS_ROTARY);
    st = good ? pack_layers(m, err) : bw_fail_memory(err);
    if (st != BW_OK) {
        bw_infer_free(m);
        m = NULL;
    }
    *out = m;
    return st;
}

void bw_infer_free(bw_infer *m) {
    if (!m)
        return;
    for (size_t i = 0; m->layers && i < m->t->enc.shape.layers; i++) {
        bw_packed_free(m->layers[i].qkv);
        bw_packed_free(m->layers[i].out);
        bw_packed_free(m->layers[i].up);
        bw_packed_free(m->layers[i].down);
    }
    bw_packed_free(m->project);
    free(m->layers);
    free(m->rope);
    free(m);
}

/* ---- running ---- */

/* Buffers of one thread, large enough for any chunk; one allocation. */
typedef struct {
    float *qkv;     /* [tokens, 3 dim]; then the attention block */
    float *narrow;  /* [tokens, dim]: heads side by side; then the feed-forward block */
    float *normed;  /* [tokens, dim], pre-norm only */
    float *stage;   /* [BW_STAGE_ROWS, ffn] */
    float *scratch; /* attention */
    void *rows;     /* packed: the input of a block's first product */
    void *inner;    /* packed: that of its second */
} buffers;

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t aligned(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static bool make_buffers(const bw_infer *m, size_t tokens, size_t longest, buffers *b) {
    size_t dim = m->t->c.dim, ffn = m->t->c.enc.ffn, embed = m->t->c.embed_dim;
    size_t wide = larger(3 * dim, embed), inner = larger(dim, ffn);
    size_t sizes[] = {tokens * wide * sizeof(float),
                      tokens * dim * sizeof(float),
                      tokens * dim * sizeof(float),
                      BW_STAGE_ROWS * ffn * sizeof(float),
                      bw_attend_scratch(longest, m->t->c.head_dim) * sizeof(float),
                      bw_rows_size(m->kind, tokens, larger(dim, embed)),
                      bw_rows_size(m->kind, tokens, inner)};
    void *parts[sizeof sizes / sizeof *sizes];
    size_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        total += aligned(sizes[i]);
    char *block = aligned_alloc(64, total);
    if (!block)
        return false;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; block += aligned(sizes[i++]))
        parts[i] = block;
    *b = (buffers){parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]};
    return true;
}

static void free_buffers(buffers *b) {
    free(b->qkv); /* the first of the one allocation */
}

/* x += y; out = norm(x), which may be x; both as packed rows in `rows` unless that is NULL. */
static void norm(const bw_infer *m, const bw_tf_norm *n, float *x, const float *y, size_t count,
                 float *out, void *rows) {
    const bw_norm by = {.gamma = bw_tf_at(m->t, n->weight),
                        .beta = bw_tf_at(m->t, n->bias),
                        .eps = m->t->c.norm_eps,
                        .dim = m->t->c.dim};
    bw_norm_rows(m->kind, &by, x, y, count, out, rows);
}

/* x as the input of a product; in f32 that is x itself. */
static const void *packed(const bw_infer *m, const float *x, size_t rows, size_t width,
                          void *work) {
    if (m->kind == BW_PACK_F32)
        return x;
    bw_rows_pack(m->kind, x, rows, width, work);
    return work;
}

static void multiply(const bw_packed *w, const void *rows, size_t n, float *y) {
    bw_packed_mul(w, rows, n, BW_FUSE_NONE, y, bw_packed_out(w));
}

/* Some whole sequences of a batch, and their hidden states. */
typedef struct {
    const bw_batch *batch;
    size_t from, to;    /* sequences */
    size_t first, rows; /* tokens */
    float *x;           /* [rows, dim] */
} chunk;

/* The chunk's input: sums of embeddings, brought to the layers' width and normed where the model
 * does so. */
static void embed(const bw_infer *m, const chunk *c, buffers *w) {
    const bw_tf_pass pass = {.w = &m->t->enc,
                             .batch = *c->batch,
                             .positions = (int32_t *)(uintptr_t)c->batch->positions};
    const bw_tf_chunk part = {.token = c->first, .rows = c->rows};
    bw_tf_embed_sum(m->t, &pass, &part, m->project ? w->qkv : c->x);
    if (m->project)
        multiply(m->project, packed(m, w->qkv, c->rows, bw_packed_in(m->project), w->rows), c->rows,
                 c->x);
    if (m->t->enc.embed_norm.weight != BW_NONE)
        norm(m, &m->t->enc.embed_norm, c->x, NULL, c->rows, c->x, NULL);
}

/* Turns queries and keys (rows 3 dim apart) by their positions. */
static void rotate(const bw_infer *m, const chunk *c, float *qkv) {
    const bw_tf_config *f = &m->t->c;
    for (size_t part = 0; m->rope && part < 2; part++)
        bw_rope(qkv + part * f->dim, m->rope, c->batch->positions + c->first, c->rows, 3 * f->dim,
                f->enc.heads, f->head_dim, false);
}

/* The attention block of the packed rows, before the residual sum, in the place of qkv. */
static void attend(const bw_infer *m, const layer *l, const chunk *c, const void *rows,
                   buffers *w) {
    const bw_tf_config *f = &m->t->c;
    multiply(l->qkv, rows, c->rows, w->qkv);
    rotate(m, c, w->qkv);
    for (size_t s = c->from; s < c->to; s++) {
        size_t begin = c->batch->start[s], at = begin - c->first;
        bw_infer_attend(w->qkv + at * 3 * f->dim, c->batch->start[s + 1] - begin, f->enc.heads,
                        f->head_dim, f->attn_scale, w->narrow + at * f->dim, w->scratch);
    }
    rows = packed(m, w->narrow, c->rows, f->dim, w->inner);
    multiply(l->out, rows, c->rows, w->qkv);
}

/* narrow = the feed-forward block of the packed rows. */
static void feed_forward(const bw_infer *m, const layer *l, const chunk *c, const void *rows,
                         buffers *w) {
    bw_packed_mul_rows(l->up, rows, c->rows, m->act, w->inner, w->stage);
    multiply(l->down, w->inner, c->rows, w->narrow);
}

/* The norm behind a block. It packs its result for the next block in passing; in f32 the result
 * and its packed form are the same. */
static const void *norm_packed(const bw_infer *m, const bw_tf_norm *n, float *x, const float *y,
                               size_t count, float *out, void *rows) {
    bool same = m->kind == BW_PACK_F32;
    norm(m, n, x, y, count, out, same ? NULL : rows);
    return same ? out : rows;
}

/* x -> norm(x + block(x)), twice a layer. */
static void run_post_norm(const bw_infer *m, const chunk *c, buffers *w) {
    const void *rows = packed(m, c->x, c->rows, m->t->c.dim, w->rows);
    for (size_t i = 0; i < m->t->enc.shape.layers; i++) {
        const bw_tf_layer_weights *n = &m->t->enc.layers[i];
        attend(m, &m->layers[i], c, rows, w);
        rows = norm_packed(m, &n->norm, c->x, w->qkv, c->rows, c->x, w->rows);
        feed_forward(m, &m->layers[i], c, rows, w);
        rows = norm_packed(m, &n->ffn_norm, c->x, w->narrow, c->rows, c->x, w->rows);
    }
}

/* x -> x + block(norm(x)), twice a layer; y is what the block before left to add. */
static void run_pre_norm(const bw_infer *m, const chunk *c, buffers *w) {
    const float *y = NULL;
    for (size_t i = 0; i < m->t->enc.shape.layers; i++) {
        const bw_tf_layer_weights *n = &m->t->enc.layers[i];
        const void *rows = norm_packed(m, &n->norm, c->x, y, c->rows, w->normed, w->rows);
        attend(m, &m->layers[i], c, rows, w);
        rows = norm_packed(m, &n->ffn_norm, c->x, w->qkv, c->rows, w->normed, w->rows);
        feed_forward(m, &m->layers[i], c, rows, w);
        y = w->narrow;
    }
    norm(m, &m->t->enc.final_norm, c->x, y, c->rows, c->x, NULL);
}

static void run_chunk(const bw_infer *m, const bw_batch *b, size_t from, size_t to, float *hidden,
                      buffers *w) {
    size_t first = b->start[from];
    chunk c = {.batch = b,
               .from = from,
               .to = to,
               .first = first,
               .rows = b->start[to] - first,
               .x = hidden + first * m->t->c.dim};
    embed(m, &c, w);
    (m->t->c.pre_norm ? run_pre_norm : run_post_norm)(m, &c, w);
}

/* A small batch is cut finer, so that every thread has some of it. No result depends on
 * the cuts. */
static size_t chunk_tokens(size_t n_tokens) {
    size_t threads = omp_in_parallel() ? 1 : (size_t)omp_get_max_threads();
    size_t share = threads > 1 ? n_tokens / (2 * threads) : CHUNK_TOKENS;
    return share > CHUNK_TOKENS ? CHUNK_TOKENS : larger(share, CHUNK_LEAST);
}

/* Where the batch is cut: each chunk ends with the sequence that fills it. */
typedef struct {
    size_t *ends; /* [n] numbers of the sequence behind each chunk */
    size_t n, most_tokens, longest;
} cuts;

static void cut(const bw_batch *b, cuts *c) {
    size_t begun = 0, full = chunk_tokens(b->n_tokens);
    for (size_t s = 0; s < b->n_seq; s++) {
        size_t filled = b->start[s + 1] - begun;
        c->longest = larger(c->longest, b->start[s + 1] - b->start[s]);
        if (filled < full && s + 1 < b->n_seq)
            continue;
        c->most_tokens = larger(c->most_tokens, filled);
        c->ends[c->n++] = s + 1;
        begun = b->start[s + 1];
    }
}

/* 0, 1, 2, ... in each sequence, or the batch's own. */
static void fill_positions(const bw_batch *b, int32_t *positions) {
    for (size_t s = 0; s < b->n_seq; s++)
        for (size_t i = b->start[s]; i < b->start[s + 1]; i++)
            positions[i] = b->positions ? b->positions[i] : (int32_t)(i - b->start[s]);
}

/* The angles reach only so far. */
static bw_status check_rope(const bw_infer *m, const bw_batch *b, bw_err *err) {
    for (size_t i = 0; m->rope && b->positions && i < b->n_tokens; i++)
        if (b->positions[i] >= ROPE_TOKENS)
            return bw_fail(err, BW_EARG, "position %d; the frozen encoder reads %d tokens",
                           b->positions[i], ROPE_TOKENS);
    for (size_t s = 0; m->rope && s < b->n_seq; s++)
        if (b->start[s + 1] - b->start[s] > ROPE_TOKENS)
            return bw_fail(err, BW_EARG, "a sequence of %zu tokens; the frozen encoder reads %d",
                           b->start[s + 1] - b->start[s], ROPE_TOKENS);
    return BW_OK;
}

/* Threads take chunks as they come; each has its buffers, made once. */
static bool run_chunks(const bw_infer *m, const bw_batch *b, const cuts *c, float *hidden) {
    bool good = true;
#pragma omp parallel reduction(&& : good) if (c->n > 1)
    {
        buffers w;
        good = make_buffers(m, c->most_tokens, c->longest, &w);
#pragma omp for schedule(dynamic) nowait
        for (size_t i = 0; i < c->n; i++)
            if (good)
                run_chunk(m, b, i ? c->ends[i - 1] : 0, c->ends[i], hidden, &w);
        if (good)
            free_buffers(&w);
    }
    return good;
}

bw_status bw_infer_run(const bw_infer *m, const bw_batch *batch, float *hidden, bw_err *err) {
    bw_status st = bw_tf_check_batch(m->t, batch, err);
    if (st == BW_OK)
        st = check_rope(m, batch, err);
    if (st != BW_OK)
        return st;
    cuts c = {.ends = malloc(batch->n_seq * sizeof *c.ends)};
    int32_t *positions = malloc(batch->n_tokens * sizeof *positions);
    bool good = c.ends && positions;
    if (good) {
        bw_batch placed = *batch;
        fill_positions(batch, positions);
        placed.positions = positions;
        cut(batch, &c);
        good = run_chunks(m, &placed, &c, hidden);
    }
    free(c.ends);
    free(positions);
    return good ? BW_OK : bw_fail_memory(err);
}
