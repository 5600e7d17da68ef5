/* model/core/tf_backward.c - the backward pass, in two phases.
 *
 * First every chunk goes back through the layers on one thread, carrying the gradient g of the
 * residual stream. Where it passes, the tape's buffers turn into gradients in place: the queries,
 * keys and values into theirs, the feed-forward's inner layer likewise, and df is left beside each
 * block. Then each weight matrix takes one product over all tokens, dW += dY^T X; these are
 * independent of each other. Gradients of norms and relative biases are small: each chunk sums its
 * own and they are added up in order. No result depends on the number of threads. */
#include "model/core/tf.h"
#include "model/core/simd.h"

#include <omp.h>
#include <stdlib.h>

typedef struct {
    const bw_transformer *t;
    const bw_tf_workspace *ws;
    const bw_tf_pass *p;
    const bw_tf_pass *source;
    const bw_tf_chunk *c;
    float *g; /* the chunk's rows of the running gradient */
} run;

static void norm_backward(const run *r, const bw_tf_norm *n, float *dx, const float *dy,
                          const float *xhat, const float *rstd) {
    size_t dim = r->t->c.dim;
    float *dgamma = r->c->partial + 2 * dim * n->index;
    const float *gamma = bw_tf_at(r->t, n->weight);
    if (n->bias != BW_NONE)
        bw_layer_norm_backward(dx, dgamma, dgamma + dim, dy, xhat, rstd, gamma, r->c->rows, dim);
    else
        bw_rms_norm_backward(dx, dgamma, dy, xhat, rstd, gamma, r->c->rows, dim);
}

BW_CLONES static void add_to(float *y, const float *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* ---- the two ends of a block ---- */

/* From the gradient g of a block's result to that of its product's output, df. In post-norm models
 * the norm comes first, and g becomes the gradient of the sum. */
static float *enter_block(const run *r, const bw_tf_block *b, const bw_tf_norm *n, uint64_t seed) {
    size_t dim = r->t->c.dim, size = r->c->rows * dim;
    float *df = bw_tf_row(b->df, r->c, dim);
    if (!r->t->c.pre_norm)
        norm_backward(r, n, r->g, r->g, bw_tf_row(b->xhat, r->c, dim), bw_tf_row(b->rstd, r->c, 1));
    memcpy(df, r->g, size * sizeof *df);
    bw_dropout(df, size, bw_tf_dropout(r->t, r->ws), seed, r->c->token * dim);
    return df;
}

/* Adds dh = dy W, the gradient of the block's input h, to the stream's: as it is, or through the
 * norm in front. */
static void leave_block(const run *r, const bw_tf_block *b, const bw_tf_norm *n,
                        const bw_tf_dense *d, const float *dy) {
    size_t dim = r->t->c.dim, rows = r->c->rows;
    const float *W = bw_tf_at(r->t, d->weight);
    if (!r->t->c.pre_norm) {
        bw_linear_dx(r->g, dy, W, rows, dim, d->out, 1);
        return;
    }
    float *dh = r->c->wide;
    bw_linear_dx(dh, dy, W, rows, dim, d->out, 0);
    norm_backward(r, n, dh, dh, bw_tf_row(b->xhat, r->c, dim), bw_tf_row(b->rstd, r->c, 1));
    add_to(r->g, dh, rows * dim);
}

/* ---- blocks ---- */

static void feed_forward_backward(const run *r, size_t layer) {
    const bw_tf_layer_weights *w = &r->p->w->layers[layer];
    const bw_tf_layer_tape *l = &r->p->layers[layer];
    const bw_tf_config *cfg = &r->t->c;
    size_t rows = r->c->rows, ffn = r->p->w->shape.ffn;
    float *df =
        enter_block(r, &l->ffn, &w->ffn_norm, bw_tf_site_seed(r->ws, r->p, layer, BW_SITE_FFN));
    float *d_act = r->c->wide, *up = bw_tf_row(l->up, r->c, w->up.out);
    bw_linear_dx(d_act, df, bw_tf_at(r->t, w->down.weight), rows, ffn, cfg->dim, 0);
    if (cfg->gated)
        bw_act_gated_backward(cfg->act, up, d_act, up, rows, ffn);
    else
        bw_act_backward(cfg->act, up, d_act, up, rows * ffn);
    leave_block(r, &l->ffn, &w->ffn_norm, &w->up, up);
}

static float *rel_partial(const run *r) {
    if (r->p->w->rel_bias == BW_NONE)
        return NULL;
    return r->c->partial + 2 * r->t->c.dim * r->t->n_norms;
}

static void self_attention_backward(const run *r, size_t layer) {
    const bw_tf_stack_weights *w = r->p->w;
    const bw_tf_layer_weights *lw = &w->layers[layer];
    const bw_tf_layer_tape *l = &r->p->layers[layer];
    const bw_tf_chunk *c = r->c;
    size_t fused = w->q_dim + 2 * w->kv_dim, heads = w->shape.heads;
    float *df =
        enter_block(r, &l->attn, &lw->norm, bw_tf_site_seed(r->ws, r->p, layer, BW_SITE_ATTN));
    float *d_ctx = c->wide, *qkv = bw_tf_row(l->qkv, c, fused);
    bw_linear_dx(d_ctx, df, bw_tf_at(r->t, lw->out.weight), c->rows, w->q_dim, r->t->c.dim, 0);
    for (size_t s = c->seq; s < c->seq + c->n_seq; s++) {
        size_t row = r->p->batch.start[s] - c->token;
        bw_attn a = bw_tf_attn(r->t, r->ws, r->p, NULL, layer, s, false);
        float *q = qkv + row * fused, *k = q + w->q_dim, *v = k + w->kv_dim;
        bw_attn_backward(&a, q, k, v, rel_partial(r), d_ctx + row * w->q_dim,
                         bw_tf_row(l->ctx, c, w->q_dim) + row * w->q_dim,
                         bw_tf_row(l->lse, c, heads) + row * heads, q, k, v, c->scratch);
    }
    if (r->t->c.pos == BW_POS_ROTARY)
        bw_rope(qkv, r->ws->rope, r->p->positions + c->token, c->rows, fused,
                heads + w->shape.kv_heads, r->t->c.head_dim, true);
    leave_block(r, &l->attn, &lw->norm, &lw->qkv, qkv);
}

/* The encoder's gradient collects in its own pass's g. */
static void cross_attention_backward(const run *r, size_t layer) {
    const bw_tf_stack_weights *w = r->p->w;
    const bw_tf_layer_weights *lw = &w->layers[layer];
    const bw_tf_layer_tape *l = &r->p->layers[layer];
    const bw_tf_chunk *c = r->c;
    const size_t *start = r->source->batch.start;
    size_t dim = r->t->c.dim, heads = w->shape.heads, kv = 2 * w->kv_dim;
    float *df = enter_block(r, &l->cross, &lw->cross_norm,
                            bw_tf_site_seed(r->ws, r->p, layer, BW_SITE_CROSS));
    float *d_ctx = c->wide, *all_q = bw_tf_row(l->cross_q, c, w->q_dim);
    bw_linear_dx(d_ctx, df, bw_tf_at(r->t, lw->cross_out.weight), c->rows, w->q_dim, dim, 0);
    for (size_t s = c->seq; s < c->seq + c->n_seq; s++) {
        size_t row = r->p->batch.start[s] - c->token;
        bw_attn a = bw_tf_attn(r->t, r->ws, r->p, r->source, layer, s, true);
        float *q = all_q + row * w->q_dim, *k = l->cross_kv + start[s] * kv;
        bw_attn_backward(&a, q, k, k + w->kv_dim, NULL, d_ctx + row * w->q_dim,
                         bw_tf_row(l->cross_ctx, c, w->q_dim) + row * w->q_dim,
                         bw_tf_row(l->cross_lse, c, heads) + row * heads, q, k, k + w->kv_dim,
                         c->scratch);
    }
    size_t first = start[c->seq], n = start[c->seq + c->n_seq] - first;
    bw_linear_dx(r->source->g + first * dim, l->cross_kv + first * kv,
                 bw_tf_at(r->t, lw->cross_kv.weight), n, dim, kv, 1);
    leave_block(r, &l->cross, &lw->cross_norm, &lw->cross_q, all_q);
}

/* ---- first phase: a chunk ---- */

static void embed_backward(const run *r) {
    size_t dim = r->t->c.dim;
    bw_dropout(r->g, r->c->rows * dim, bw_tf_dropout(r->t, r->ws),
               bw_tf_site_seed(r->ws, r->p, 0, BW_SITE_EMBED), r->c->token * dim);
    if (r->t->c.embed_norm)
        norm_backward(r, &r->p->w->embed_norm, r->g, r->g, bw_tf_row(r->p->embed_xhat, r->c, dim),
                      bw_tf_row(r->p->embed_rstd, r->c, 1));
}

static void chunk_backward(const run *r) {
    const bw_tf_stack_weights *w = r->p->w;
    size_t dim = r->t->c.dim;
    memset(r->c->partial, 0, r->p->partial_size * sizeof *r->c->partial);
    if (r->t->c.pre_norm)
        norm_backward(r, &w->final_norm, r->g, r->g, bw_tf_row(r->p->final_xhat, r->c, dim),
                      bw_tf_row(r->p->final_rstd, r->c, 1));
    for (size_t i = w->shape.layers; i-- > 0;) {
        feed_forward_backward(r, i);
        if (w->cross)
            cross_attention_backward(r, i);
        self_attention_backward(r, i);
    }
    embed_backward(r);
}

/* ---- second phase: weights ---- */

typedef struct {
    const bw_tf_dense *d;
    const float *dy, *x;
    size_t rows;
} product;

static size_t list_products(const bw_tf_pass *p, const bw_tf_pass *source, product *out) {
    size_t n = 0, rows = p->batch.n_tokens;
    for (size_t i = 0; i < p->w->shape.layers; i++) {
        const bw_tf_layer_weights *w = &p->w->layers[i];
        const bw_tf_layer_tape *l = &p->layers[i];
        out[n++] = (product){&w->up, l->up, l->ffn.h, rows};
        out[n++] = (product){&w->down, l->ffn.df, l->act, rows};
        out[n++] = (product){&w->qkv, l->qkv, l->attn.h, rows};
        out[n++] = (product){&w->out, l->attn.df, l->ctx, rows};
        if (!p->w->cross)
            continue;
        out[n++] = (product){&w->cross_q, l->cross_q, l->cross.h, rows};
        out[n++] = (product){&w->cross_kv, l->cross_kv, source->hidden, source->batch.n_tokens};
        out[n++] = (product){&w->cross_out, l->cross.df, l->cross_ctx, rows};
    }
    return n;
}

#define PRODUCTS_A_LAYER 7

static bw_status weight_gradients(const bw_transformer *t, const bw_tf_workspace *ws,
                                  const bw_tf_pass *p, const bw_tf_pass *source, bw_err *err) {
    product *list = malloc(PRODUCTS_A_LAYER * p->w->shape.layers * sizeof *list);
    if (!list)
        return bw_fail_memory(err);
    size_t n = list_products(p, source, list);
    bool worth = p->batch.n_tokens * t->c.dim > BW_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) num_threads(ws->threads) if (worth)
    for (size_t i = 0; i < n; i++) {
        const product *m = &list[i];
        bw_linear_dw(bw_tf_grad(t, m->d->weight), m->dy, m->x, m->rows, m->d->in, m->d->out);
        if (m->d->bias != BW_NONE)
            bw_linear_db(bw_tf_grad(t, m->d->bias), m->dy, m->rows, m->d->out);
    }
    free(list);
    return BW_OK;
}

/* ---- sums over chunks ---- */

static void reduce_norms(const bw_transformer *t, const float *partial) {
    size_t dim = t->c.dim;
    for (size_t i = 0; i < t->n_norms; i++) {
        const bw_tf_norm *n = &t->norms[i];
        add_to(bw_tf_grad(t, n->weight), partial + 2 * dim * i, dim);
        if (n->bias != BW_NONE)
            add_to(bw_tf_grad(t, n->bias), partial + 2 * dim * i + dim, dim);
    }
}

static void reduce_relative(const bw_transformer *t, const bw_tf_pass *p, const float *d_rel) {
    size_t heads = p->w->shape.heads, n = 2 * p->span + 1;
    float *table = bw_tf_grad(t, p->w->rel_bias);
    for (size_t d = 0; d < n; d++) {
        size_t bucket = bw_tf_rel_bucket(&t->c, p->w->causal, (ptrdiff_t)d - (ptrdiff_t)p->span);
        for (size_t h = 0; h < heads; h++)
            table[bucket * heads + h] += d_rel[h * n + d];
    }
}

static void reduce_partials(const bw_transformer *t, const bw_tf_pass *p) {
    for (size_t i = 0; i < p->n_chunks; i++) {
        const float *partial = p->partial + i * p->partial_size;
        reduce_norms(t, partial);
        if (p->w->rel_bias != BW_NONE)
            reduce_relative(t, p, partial + 2 * t->c.dim * t->n_norms);
    }
}

/* ---- the pass ---- */

static bw_status pass_backward(const bw_transformer *t, const bw_tf_workspace *ws, bw_tf_pass *p,
                               const bw_tf_pass *source, bw_err *err) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(ws->threads) if (p->n_chunks > 1)
    for (size_t i = 0; i < p->n_chunks; i++) {
        size_t thread = (size_t)omp_get_thread_num();
        bw_tf_chunk *c = &p->chunks[i];
        c->scratch = p->scratch + thread * p->scratch_size;
        c->wide = p->wide + thread * p->chunk_rows * p->widest;
        c->partial = p->partial + i * p->partial_size;
        chunk_backward(&(run){t, ws, p, source, c, p->g + c->token * t->c.dim});
    }
    reduce_partials(t, p);
    bw_tf_embed_backward(t, p);
    return weight_gradients(t, ws, p, source, err);
}

bw_status bw_transformer_backward(bw_transformer *t, bw_tf_workspace *ws, const float *d_hidden,
                                  bw_err *err) {
    if (!ws->ready || ws->owner != t)
        return bw_fail(err, BW_EARG, "backward needs a forward pass of this model with train set");
    ws->ready = false;
    bw_status st = bw_params_need_grad(&t->p, err);
    if (st != BW_OK)
        return st;
    bool encode = ws->enc.w, decode = ws->dec.w;
    size_t dim = t->c.dim;
    bw_tf_pass *last = decode ? &ws->dec : &ws->enc;
    memcpy(last->g, d_hidden, last->batch.n_tokens * dim * sizeof *last->g);
    if (encode && decode)
        memset(ws->enc.g, 0, ws->enc.batch.n_tokens * dim * sizeof *ws->enc.g);
    if (decode)
        st = pass_backward(t, ws, &ws->dec, encode ? &ws->enc : NULL, err);
    if (st == BW_OK && encode)
        st = pass_backward(t, ws, &ws->enc, NULL, err);
    return st;
}
