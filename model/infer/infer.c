/* model/infer/infer.c - the frozen encoder: embeddings, then per layer three fused products around one
 * attention, over chunks of whole sequences that stay in the second-level cache. */
#include "model/infer/infer.h"

#include "model/infer/infer_ops.h"
#include "model/core/ops.h"
#include "model/core/tf.h"

#include <stdlib.h>
#include <string.h>

#define ROPE_TOKENS  1024 /* longest sequence of a model with rotary positions */
#define CHUNK_TOKENS 256  /* activations of a chunk: 256 x 1536 floats at MiniLM's width, 1.5 MB */

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

/* Buffers of one chunk; one allocation. */
typedef struct {
    float *wide;    /* [tokens, max(3 dim, ffn, embed_dim)] */
    float *narrow;  /* [tokens, dim] */
    float *copy;    /* [tokens, dim], pre-norm only */
    float *scratch; /* attention */
    void *rows;     /* packed activations */
} buffers;

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t aligned(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static bool make_buffers(const bw_infer *m, size_t tokens, size_t longest, buffers *b) {
    size_t dim = m->t->c.dim, inner = larger(larger(dim, m->t->c.enc.ffn), m->t->c.embed_dim);
    size_t wide = larger(3 * dim, inner);
    size_t sizes[] = {aligned(tokens * wide * sizeof(float)), aligned(tokens * dim * sizeof(float)),
                      aligned(tokens * dim * sizeof(float)),
                      aligned(bw_infer_attend_scratch(longest, m->t->c.head_dim) * sizeof(float)),
                      aligned(bw_rows_size(m->kind, tokens, inner))};
    size_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        total += sizes[i];
    char *block = aligned_alloc(64, total);
    if (!block)
        return false;
    b->wide = (float *)block;
    b->narrow = (float *)(block + sizes[0]);
    b->copy = (float *)(block + sizes[0] + sizes[1]);
    b->scratch = (float *)(block + sizes[0] + sizes[1] + sizes[2]);
    b->rows = block + sizes[0] + sizes[1] + sizes[2] + sizes[3];
    return true;
}

/* x = norm(x + y), y NULL = nothing; without weights x stays as it is. */
static void norm(const bw_infer *m, const bw_tf_norm *n, float *x, const float *y, size_t rows) {
    if (n->weight != BW_NONE)
        bw_infer_norm(x, y, bw_tf_at(m->t, n->weight), bw_tf_at(m->t, n->bias), m->t->c.norm_eps,
                      rows, m->t->c.dim);
}

static void product(const bw_infer *m, const bw_packed *w, const float *x, size_t rows, bw_fuse act,
                    float *y, void *work) {
    bw_rows_pack(m->kind, x, rows, bw_packed_in(w), work);
    bw_packed_mul(w, work, rows, act, y, bw_packed_out(w));
}

/* The chunk's input: sums of embeddings, brought to the layers' width and normed where the model does
 * so. */
static void embed(const bw_infer *m, const bw_batch *b, const int32_t *positions, size_t first,
                  size_t rows, float *x, buffers *w) {
    const bw_tf_pass pass = {
        .w = &m->t->enc, .batch = *b, .positions = (int32_t *)(uintptr_t)positions};
    const bw_tf_chunk chunk = {.token = first, .rows = rows};
    bw_tf_embed_sum(m->t, &pass, &chunk, m->project ? w->wide : x);
    if (m->project)
        product(m, m->project, w->wide, rows, BW_FUSE_NONE, x, w->rows);
    norm(m, &m->t->enc.embed_norm, x, NULL, rows);
}

/* Turns queries and keys (rows 3 dim apart) by their positions. */
static void rotate(const bw_infer *m, const int32_t *positions, size_t rows, float *qkv) {
    const bw_tf_config *c = &m->t->c;
    for (size_t part = 0; m->rope && part < 2; part++)
        bw_rope(qkv + part * c->dim, m->rope, positions, rows, 3 * c->dim, c->enc.heads,
                c->head_dim, false);
}

/* narrow = attention block of x (before the residual sum). */
static void attend(const bw_infer *m, const layer *l, const bw_batch *b, size_t from, size_t to,
                   const float *x, buffers *w) {
    size_t dim = m->t->c.dim, first = b->start[from], rows = b->start[to] - first;
    product(m, l->qkv, x, rows, BW_FUSE_NONE, w->wide, w->rows);
    rotate(m, b->positions + first, rows, w->wide);
    for (size_t s = from; s < to; s++) {
        size_t at = b->start[s] - first;
        bw_infer_attend(w->wide + at * 3 * dim, b->start[s + 1] - b->start[s], m->t->c.enc.heads,
                        m->t->c.head_dim, m->t->c.attn_scale, w->narrow + at * dim, w->scratch);
    }
    product(m, l->out, w->narrow, rows, BW_FUSE_NONE, w->narrow, w->rows);
}

/* narrow = feed-forward block of x. */
static void feed_forward(const bw_infer *m, const layer *l, const float *x, size_t rows,
                         buffers *w) {
    product(m, l->up, x, rows, m->act, w->wide, w->rows);
    product(m, l->down, w->wide, rows, BW_FUSE_NONE, w->narrow, w->rows);
}

static void add(float *x, const float *y, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] += y[i];
}

static void run_layer(const bw_infer *m, size_t i, const bw_batch *b, size_t from, size_t to,
                      float *x, buffers *w) {
    const layer *l = &m->layers[i];
    const bw_tf_layer_weights *n = &m->t->enc.layers[i];
    size_t rows = b->start[to] - b->start[from], dim = m->t->c.dim;
    if (!m->t->c.pre_norm) {
        attend(m, l, b, from, to, x, w);
        norm(m, &n->norm, x, w->narrow, rows);
        feed_forward(m, l, x, rows, w);
        norm(m, &n->ffn_norm, x, w->narrow, rows);
        return;
    }
    memcpy(w->copy, x, rows * dim * sizeof *x);
    norm(m, &n->norm, w->copy, NULL, rows);
    attend(m, l, b, from, to, w->copy, w);
    add(x, w->narrow, rows * dim);
    memcpy(w->copy, x, rows * dim * sizeof *x);
    norm(m, &n->ffn_norm, w->copy, NULL, rows);
    feed_forward(m, l, w->copy, rows, w);
    add(x, w->narrow, rows * dim);
}

/* Sequences from .. to - 1, whose hidden states begin at x. */
static bool run_chunk(const bw_infer *m, const bw_batch *b, const int32_t *positions, size_t from,
                      size_t to, float *x) {
    size_t first = b->start[from], rows = b->start[to] - first, longest = 0;
    for (size_t s = from; s < to; s++)
        longest = larger(longest, b->start[s + 1] - b->start[s]);
    buffers w;
    if (!make_buffers(m, rows, longest, &w))
        return false;
    embed(m, b, positions, first, rows, x, &w);
    for (size_t i = 0; i < m->t->enc.shape.layers; i++)
        run_layer(m, i, b, from, to, x, &w);
    norm(m, &m->t->enc.final_norm, x, NULL, rows);
    free(w.wide);
    return true;
}

/* Cuts the batch where a chunk has reached CHUNK_TOKENS; gives the number of chunks. */
static size_t cut(const bw_batch *b, size_t *ends) {
    size_t n = 0, begun = 0;
    for (size_t s = 0; s < b->n_seq; s++)
        if (b->start[s + 1] - begun >= CHUNK_TOKENS || s + 1 == b->n_seq) {
            ends[n++] = s + 1;
            begun = b->start[s + 1];
        }
    return n;
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

bw_status bw_infer_run(const bw_infer *m, const bw_batch *batch, float *hidden, bw_err *err) {
    bw_status st = bw_tf_check_batch(m->t, batch, err);
    if (st == BW_OK)
        st = check_rope(m, batch, err);
    if (st != BW_OK)
        return st;
    size_t *ends = malloc(batch->n_seq * sizeof *ends);
    int32_t *positions = malloc(batch->n_tokens * sizeof *positions);
    bool good = ends && positions;
    if (good) {
        fill_positions(batch, positions);
        bw_batch placed = *batch, *b = &placed;
        b->positions = positions;
        size_t n = cut(b, ends);
#pragma omp parallel for schedule(dynamic) reduction(&& : good)
        for (size_t i = 0; i < n; i++) {
            size_t from = i ? ends[i - 1] : 0;
            float *x = hidden + b->start[from] * m->t->c.dim;
            good = run_chunk(m, b, positions, from, ends[i], x) && good;
        }
    }
    free(ends);
    free(positions);
    return good ? BW_OK : bw_fail_memory(err);
}
