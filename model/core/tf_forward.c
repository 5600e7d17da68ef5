/* model/core/tf_forward.c - the forward pass.
 *
 * Every chunk of sequences goes through all layers on one thread, without waiting for others. The
 * residual and the bias of a block are written where its last product then adds, so that neither
 * costs a pass of its own. */
#include "model/core/tf.h"
#include "model/core/rng.h"
#include "model/core/simd.h"

#include <omp.h>

/* ---- checks ---- */

static bw_status check_ids(const char *what, const int32_t *ids, size_t n, size_t limit,
                           bw_err *err) {
    for (size_t i = 0; ids && i < n; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= limit)
            return bw_fail(err, BW_EARG, "%s %d at token %zu; this model has 0 to %zu", what,
                           (int)ids[i], i, limit - 1);
    return BW_OK;
}

static bw_status check_sequences(const bw_transformer *t, const bw_batch *b, bw_err *err) {
    if (!b->n_seq || !b->n_tokens || b->start[0] != 0 || b->start[b->n_seq] != b->n_tokens)
        return bw_fail(err, BW_EARG, "a batch needs sequences that cover its tokens");
    size_t most = t->c.max_positions;
    for (size_t s = 0; s < b->n_seq; s++) {
        if (b->start[s + 1] <= b->start[s] || b->start[s + 1] > b->n_tokens)
            return bw_fail(err, BW_EARG, "sequence %zu of the batch is empty", s);
        size_t n = b->start[s + 1] - b->start[s];
        if (most && n > most)
            return bw_fail(err, BW_EARG, "sequence %zu has %zu tokens; this model takes %zu", s, n,
                           most);
    }
    return BW_OK;
}

static bw_status check_ngrams(const bw_transformer *t, const bw_batch *b, bw_err *err) {
    if (!b->ngram_start || !t->c.ngram_buckets)
        return BW_OK;
    for (size_t i = 0; i < b->n_tokens; i++)
        if (b->ngram_start[i + 1] < b->ngram_start[i])
            return bw_fail(err, BW_EARG, "the n-gram list of token %zu has a negative length", i);
    return check_ids("n-gram bucket", b->ngrams, b->ngram_start[b->n_tokens], t->c.ngram_buckets,
                     err);
}

#define MAX_POSITION (1u << 20) /* where a model states no limit */

bw_status bw_tf_check_batch(const bw_transformer *t, const bw_batch *b, bw_err *err) {
    bw_status st = check_sequences(t, b, err);
    if (st == BW_OK)
        st = check_ids("token id", b->ids, b->n_tokens, t->c.vocab, err);
    if (st == BW_OK && t->c.token_types)
        st = check_ids("token type", b->types, b->n_tokens, t->c.token_types, err);
    if (st == BW_OK)
        st = check_ids("position", b->positions, b->n_tokens,
                       t->c.max_positions ? t->c.max_positions : MAX_POSITION, err);
    if (st == BW_OK)
        st = check_ngrams(t, b, err);
    return st;
}

/* ---- pieces ---- */

void bw_tf_norm_forward(const bw_transformer *t, const bw_tf_norm *n, float *y, float *xhat,
                        float *rstd, const float *x, size_t rows) {
    const float *gamma = bw_tf_at(t, n->weight), *beta = bw_tf_at(t, n->bias);
    if (beta)
        bw_layer_norm(y, xhat, rstd, x, gamma, beta, t->c.norm_eps, rows, t->c.dim);
    else
        bw_rms_norm(y, xhat, rstd, x, gamma, t->c.norm_eps, rows, t->c.dim);
}

uint64_t bw_tf_site_seed(const bw_tf_workspace *ws, const bw_tf_pass *p, size_t layer, int site) {
    uint64_t place = ((uint64_t)layer << 8) + ((uint64_t)p->w->causal << 4) + (uint64_t)site;
    return bw_splitmix64(ws->mode.dropout_seed ^ bw_splitmix64(place));
}

float bw_tf_dropout(const bw_transformer *t, const bw_tf_workspace *ws) {
    return ws->mode.train && !ws->mode.no_dropout ? t->c.dropout : 0;
}

bw_attn bw_tf_attn(const bw_transformer *t, const bw_tf_workspace *ws, const bw_tf_pass *p,
                   const bw_tf_pass *source, size_t layer, size_t s, bool cross) {
    const bw_tf_stack_weights *w = p->w;
    size_t fused = w->q_dim + 2 * w->kv_dim;
    const bw_batch *keys = cross ? &source->batch : &p->batch;
    uint64_t seed = bw_tf_site_seed(ws, p, layer, cross ? BW_SITE_CROSS_PROBS : BW_SITE_PROBS);
    return (bw_attn){
        .heads = w->shape.heads,
        .kv_heads = w->shape.kv_heads,
        .head_dim = t->c.head_dim,
        .n_q = p->batch.start[s + 1] - p->batch.start[s],
        .n_k = keys->start[s + 1] - keys->start[s],
        .q_stride = cross ? w->q_dim : fused,
        .k_stride = cross ? 2 * w->kv_dim : fused,
        .v_stride = cross ? 2 * w->kv_dim : fused,
        .o_stride = w->q_dim,
        .scale = t->c.attn_scale,
        .causal = w->causal && !cross,
        .window = w->causal && !cross ? bw_tf_window(&t->c, layer) : 0,
        .rel_bias = w->rel_bias != BW_NONE && !cross ? p->rel : NULL,
        .rel_span = p->span,
        .dropout = ws->mode.train && !ws->mode.no_dropout ? t->c.attn_dropout : 0,
        .dropout_seed = bw_splitmix64(seed ^ bw_splitmix64(s)),
    };
}

/* y = x + b (b may be NULL), rows of n. */
BW_CLONES static void add_bias(float *y, const float *x, const float *b, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, y += n, x += n) {
        if (b)
#pragma omp simd
            for (size_t i = 0; i < n; i++)
                y[i] = x[i] + b[i];
        else if (y != x)
            memcpy(y, x, n * sizeof *y);
    }
}

BW_CLONES static void add_to(float *y, const float *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* z = x + dropout(f W^T + b), rows of a chunk; z may be x when work is given for the product. */
static void residual_product(const bw_transformer *t, const bw_tf_chunk *c, const bw_tf_dense *d,
                             float *z, const float *x, const float *f, float rate, uint64_t seed,
                             float *work) {
    size_t dim = t->c.dim;
    if (rate <= 0) {
        add_bias(z, x, bw_tf_at(t, d->bias), c->rows, dim);
        bw_linear_add(z, f, bw_tf_at(t, d->weight), c->rows, d->in, dim, 1);
        return;
    }
    bw_tf_dense_forward(t, d, work, f, c->rows);
    bw_dropout(work, c->rows * dim, rate, seed, c->token * dim);
    add_to(z, z == work ? x : work, c->rows * dim); /* otherwise z is x */
}

/* What the blocks of a layer share while a chunk passes. */
typedef struct {
    const bw_transformer *t;
    const bw_tf_workspace *ws;
    bw_tf_pass *p;
    const bw_tf_pass *source;
    const bw_tf_chunk *c;
} run;

/* Opens a block: pre-norm models normalise the stream into h; in post-norm models the block before
 * left h there. */
static void open_block(const run *r, const bw_tf_block *b, const bw_tf_norm *n) {
    if (!r->t->c.pre_norm)
        return;
    size_t dim = r->t->c.dim;
    bool train = r->p->train;
    bw_tf_norm_forward(
        r->t, n, bw_tf_row(b->h, r->c, dim), train ? bw_tf_row(b->xhat, r->c, dim) : NULL,
        train ? bw_tf_row(b->rstd, r->c, 1) : NULL, bw_tf_row(r->p->x, r->c, dim), r->c->rows);
}

/* Closes a block whose inside ended in f: adds to the stream, or adds to h and normalises into
 * next. */
static void close_block(const run *r, const bw_tf_block *b, const bw_tf_norm *n,
                        const bw_tf_dense *d, const float *f, float *next, uint64_t seed) {
    const bw_transformer *t = r->t;
    size_t dim = t->c.dim;
    float rate = bw_tf_dropout(t, r->ws);
    bool train = r->p->train;
    if (t->c.pre_norm) {
        float *x = bw_tf_row(r->p->x, r->c, dim);
        residual_product(t, r->c, d, x, x, f, rate, seed, bw_tf_row(b->df, r->c, dim));
        return;
    }
    float *z = bw_tf_row(b->xhat, r->c, dim), *rstd = bw_tf_row(b->rstd, r->c, 1);
    residual_product(t, r->c, d, z, bw_tf_row(b->h, r->c, dim), f, rate, seed, z);
    bw_tf_norm_forward(t, n, next, train ? z : NULL, rstd, z, r->c->rows);
}

/* ---- blocks ---- */

static void self_attention(const run *r, size_t layer) {
    const bw_tf_stack_weights *w = r->p->w;
    const bw_tf_layer_tape *l = &r->p->layers[layer];
    const bw_tf_chunk *c = r->c;
    size_t fused = w->q_dim + 2 * w->kv_dim, heads = w->shape.heads;
    float *qkv = bw_tf_row(l->qkv, c, fused);
    bw_tf_dense_forward(r->t, &w->layers[layer].qkv, qkv, bw_tf_row(l->attn.h, c, r->t->c.dim),
                        c->rows);
    if (r->t->c.pos == BW_POS_ROTARY)
        bw_rope(qkv, r->ws->rope, r->p->positions + c->token, c->rows, fused,
                heads + w->shape.kv_heads, r->t->c.head_dim, false);
    for (size_t s = c->seq; s < c->seq + c->n_seq; s++) {
        size_t row = r->p->batch.start[s] - c->token;
        bw_attn a = bw_tf_attn(r->t, r->ws, r->p, NULL, layer, s, false);
        const float *q = qkv + row * fused;
        bw_attn_forward(&a, bw_tf_row(l->ctx, c, w->q_dim) + row * w->q_dim,
                        bw_tf_row(l->lse, c, heads) + row * heads, q, q + w->q_dim,
                        q + w->q_dim + w->kv_dim, c->scratch);
    }
}

static void cross_attention(const run *r, size_t layer) {
    const bw_tf_stack_weights *w = r->p->w;
    const bw_tf_layer_tape *l = &r->p->layers[layer];
    const bw_tf_chunk *c = r->c;
    const size_t *start = r->source->batch.start;
    size_t dim = r->t->c.dim, heads = w->shape.heads, kv = 2 * w->kv_dim;
    size_t first = start[c->seq], n = start[c->seq + c->n_seq] - first;
    float *q = bw_tf_row(l->cross_q, c, w->q_dim);
    bw_tf_dense_forward(r->t, &w->layers[layer].cross_q, q, bw_tf_row(l->cross.h, c, dim), c->rows);
    bw_tf_dense_forward(r->t, &w->layers[layer].cross_kv, l->cross_kv + first * kv,
                        r->source->hidden + first * dim, n);
    for (size_t s = c->seq; s < c->seq + c->n_seq; s++) {
        size_t row = r->p->batch.start[s] - c->token;
        bw_attn a = bw_tf_attn(r->t, r->ws, r->p, r->source, layer, s, true);
        const float *k = l->cross_kv + start[s] * kv;
        bw_attn_forward(&a, bw_tf_row(l->cross_ctx, c, w->q_dim) + row * w->q_dim,
                        bw_tf_row(l->cross_lse, c, heads) + row * heads, q + row * w->q_dim, k,
                        k + w->kv_dim, c->scratch);
    }
}

static void feed_forward(const run *r, size_t layer) {
    const bw_tf_stack_weights *w = r->p->w;
    const bw_tf_layer_tape *l = &r->p->layers[layer];
    const bw_tf_dense *d = &w->layers[layer].up;
    const bw_tf_config *cfg = &r->t->c;
    float *up = bw_tf_row(l->up, r->c, d->out), *act = bw_tf_row(l->act, r->c, w->shape.ffn);
    bw_tf_dense_forward(r->t, d, up, bw_tf_row(l->ffn.h, r->c, cfg->dim), r->c->rows);
    if (cfg->gated)
        bw_act_gated(cfg->act, act, up, r->c->rows, w->shape.ffn);
    else
        bw_act_forward(cfg->act, act, up, r->c->rows * w->shape.ffn);
}

/* ---- a chunk through the stack ---- */

static void keep(const run *r, size_t layer, const float *x) {
    size_t dim = r->t->c.dim;
    if (r->p->kept)
        memcpy(r->p->kept + (layer * r->p->batch.n_tokens + r->c->token) * dim, x,
               r->c->rows * dim * sizeof *x);
}

/* Embeddings, their norm and dropout, into x. */
static void embed(const run *r, float *x) {
    const bw_transformer *t = r->t;
    bw_tf_pass *p = r->p;
    size_t dim = t->c.dim;
    if (t->c.embed_norm) {
        float *sum = bw_tf_row(p->embed_xhat, r->c, dim);
        bw_tf_embed(t, p, r->c, sum);
        bw_tf_norm_forward(t, &p->w->embed_norm, x, p->train ? sum : NULL,
                           bw_tf_row(p->embed_rstd, r->c, 1), sum, r->c->rows);
    } else {
        bw_tf_embed(t, p, r->c, x);
    }
    bw_dropout(x, r->c->rows * dim, bw_tf_dropout(t, r->ws),
               bw_tf_site_seed(r->ws, p, 0, BW_SITE_EMBED), r->c->token * dim);
}

static void layer_forward(const run *r, size_t i) {
    bw_tf_pass *p = r->p;
    const bw_tf_chunk *c = r->c;
    const bw_tf_layer_weights *w = &p->w->layers[i];
    const bw_tf_layer_tape *l = &p->layers[i];
    size_t dim = r->t->c.dim;
    bool last = i + 1 == p->w->shape.layers;
    const bw_tf_block *second = p->w->cross ? &l->cross : &l->ffn;
    open_block(r, &l->attn, &w->norm);
    self_attention(r, i);
    close_block(r, &l->attn, &w->norm, &w->out, bw_tf_row(l->ctx, c, p->w->q_dim),
                bw_tf_row(second->h, c, dim), bw_tf_site_seed(r->ws, p, i, BW_SITE_ATTN));
    if (p->w->cross) {
        open_block(r, &l->cross, &w->cross_norm);
        cross_attention(r, i);
        close_block(r, &l->cross, &w->cross_norm, &w->cross_out,
                    bw_tf_row(l->cross_ctx, c, p->w->q_dim), bw_tf_row(l->ffn.h, c, dim),
                    bw_tf_site_seed(r->ws, p, i, BW_SITE_CROSS));
    }
    float *next = last ? p->hidden + c->token * dim : bw_tf_row(p->layers[i + 1].attn.h, c, dim);
    open_block(r, &l->ffn, &w->ffn_norm);
    feed_forward(r, i);
    close_block(r, &l->ffn, &w->ffn_norm, &w->down, bw_tf_row(l->act, c, p->w->shape.ffn), next,
                bw_tf_site_seed(r->ws, p, i, BW_SITE_FFN));
    keep(r, i + 1, r->t->c.pre_norm ? bw_tf_row(p->x, c, dim) : next);
}

static void chunk_forward(const run *r) {
    bw_tf_pass *p = r->p;
    size_t dim = r->t->c.dim, layers = p->w->shape.layers;
    bool pre = r->t->c.pre_norm;
    float *x = bw_tf_row(pre ? p->x : p->layers[0].attn.h, r->c, dim);
    embed(r, x);
    keep(r, 0, x);
    for (size_t i = 0; i < layers; i++)
        layer_forward(r, i);
    if (!pre)
        return;
    float *hidden = p->hidden + r->c->token * dim;
    bw_tf_norm_forward(r->t, &p->w->final_norm, hidden,
                       p->train ? bw_tf_row(p->final_xhat, r->c, dim) : NULL,
                       bw_tf_row(p->final_rstd, r->c, 1), x, r->c->rows);
    keep(r, layers, hidden);
}

static void pass_forward(const bw_transformer *t, const bw_tf_workspace *ws, bw_tf_pass *p,
                         const bw_tf_pass *source) {
    if (p->w->rel_bias != BW_NONE)
        bw_tf_rel_expand(t, p->w, p->rel, p->span);
#pragma omp parallel for schedule(dynamic, 1) num_threads(ws->threads) if (p->n_chunks > 1)
    for (size_t i = 0; i < p->n_chunks; i++) {
        size_t thread = (size_t)omp_get_thread_num();
        bw_tf_chunk *c = &p->chunks[i];
        c->row = p->train ? c->token : thread * p->chunk_rows;
        c->scratch = p->scratch + thread * p->scratch_size;
        chunk_forward(&(run){t, ws, p, source, c});
    }
}

static bw_status prepare(const bw_transformer *t, bw_tf_workspace *ws, const bw_batch *batch,
                         const bw_batch *target, bw_err *err) {
    bool encode = t->enc.shape.layers > 0, decode = t->dec.shape.layers > 0;
    const bw_batch *decoded = encode ? target : batch;
    bw_status st = bw_tf_check_batch(t, batch, err);
    if (st == BW_OK && encode && decode)
        st = target ? bw_tf_check_batch(t, target, err)
                    : bw_fail(err, BW_EARG, "an encoder-decoder needs a target batch");
    if (st == BW_OK && encode && decode && target->n_seq != batch->n_seq)
        st = bw_fail(err, BW_EARG, "%zu sources, %zu targets", batch->n_seq, target->n_seq);
    if (st == BW_OK && encode)
        st = bw_tf_pass_prepare(t, ws, &ws->enc, &t->enc, batch, NULL, err);
    if (st == BW_OK && decode)
        st = bw_tf_pass_prepare(t, ws, &ws->dec, &t->dec, decoded, encode ? &ws->enc : NULL, err);
    return st;
}

/* Covers every position of the passes with the table of angles. */
static bw_status prepare_rope(const bw_transformer *t, bw_tf_workspace *ws, bw_err *err) {
    if (t->c.pos != BW_POS_ROTARY)
        return BW_OK;
    size_t most = 0;
    const bw_tf_pass *passes[] = {&ws->enc, &ws->dec};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; passes[k]->w && i < passes[k]->batch.n_tokens; i++)
            if ((size_t)passes[k]->positions[i] > most)
                most = (size_t)passes[k]->positions[i];
    return bw_tf_rope_prepare(t, ws, most + 1, err);
}

bw_status bw_tf_encode(const bw_transformer *t, bw_tf_workspace *ws, const bw_batch *batch,
                       bw_err *err) {
    ws->mode = (bw_tf_mode){0};
    ws->threads = omp_get_max_threads();
    ws->ready = false;
    ws->owner = t;
    ws->dec.w = NULL;
    bw_status st = bw_tf_check_batch(t, batch, err);
    if (st == BW_OK)
        st = bw_tf_pass_prepare(t, ws, &ws->enc, &t->enc, batch, NULL, err);
    if (st == BW_OK)
        pass_forward(t, ws, &ws->enc, NULL);
    return st;
}

bw_status bw_transformer_forward(const bw_transformer *t, bw_tf_workspace *ws,
                                 const bw_batch *batch, const bw_batch *target,
                                 const bw_tf_mode *mode, bw_err *err) {
    ws->mode = mode ? *mode : (bw_tf_mode){0};
    ws->threads = omp_get_max_threads();
    ws->ready = false;
    ws->owner = t;
    ws->enc.w = ws->dec.w = NULL;
    bw_status st = prepare(t, ws, batch, target, err);
    if (st == BW_OK)
        st = prepare_rope(t, ws, err);
    if (st != BW_OK)
        return st;
    if (ws->enc.w)
        pass_forward(t, ws, &ws->enc, NULL);
    if (ws->dec.w)
        pass_forward(t, ws, &ws->dec, ws->enc.w ? &ws->enc : NULL);
    ws->ready = ws->mode.train;
    return BW_OK;
}

const float *bw_tf_hidden(const bw_tf_workspace *ws) {
    return ws->dec.w ? ws->dec.hidden : ws->enc.hidden;
}

const float *bw_tf_encoder_hidden(const bw_tf_workspace *ws) {
    return ws->enc.hidden;
}

const float *bw_tf_layer(const bw_tf_workspace *ws, bool decoder, size_t layer) {
    const bw_tf_pass *p = decoder ? &ws->dec : &ws->enc;
    return p->kept + layer * p->batch.n_tokens * ws->owner->c.dim;
}
