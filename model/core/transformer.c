/* model/core/transformer.c - builds a transformer from its configuration: the table of parameters,
 * the offsets that the passes use, initial weights. */
#include "model/core/tf.h"
#include "model/core/simd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the table ---- */

/* Where rows are being added. */
typedef struct {
    bw_transformer *t;
    int depth;
    const char *stack; /* "enc" or "dec" */
    size_t layer;
} builder;

static size_t add(builder *b, size_t rows, size_t cols, unsigned flags, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Adds a matrix, or with cols 0 a vector; returns its offset. */
static size_t add(builder *b, size_t rows, size_t cols, unsigned flags, const char *format, ...) {
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    bw_params *p = &b->t->p;
    size_t i = bw_params_add(p, name, cols ? 2 : 1, (size_t[]){rows, cols}, flags);
    if (p->failed)
        return BW_NONE;
    p->table[i].depth = b->depth;
    return p->table[i].offset;
}

/* A matrix made of parts, rows one behind the other: names "<site>.<part>.weight", or
 * "<site>.weight" for a single part "". */
static bw_tf_dense add_dense(builder *b, const char *site, size_t n, const char *const parts[],
                             const size_t rows[], size_t in, bool bias) {
    bw_tf_dense d = {.weight = b->t->p.total, .bias = BW_NONE, .in = in};
    for (size_t i = 0; i < n; i++) {
        add(b, rows[i], in, 0, "%s%s.weight", site, parts[i]);
        d.out += rows[i];
    }
    if (bias)
        d.bias = b->t->p.total;
    for (size_t i = 0; bias && i < n; i++)
        add(b, rows[i], 0, BW_PARAM_NO_DECAY, "%s%s.bias", site, parts[i]);
    return d;
}

static bw_tf_dense add_single(builder *b, const char *site, size_t in, size_t out, bool bias) {
    return add_dense(b, site, 1, (const char *const[]){""}, &out, in, bias);
}

static bw_tf_norm add_norm(builder *b, const char *site) {
    const bw_tf_config *c = &b->t->c;
    bw_tf_norm n = {.bias = BW_NONE, .index = b->t->n_norms};
    n.weight = add(b, c->dim, 0, BW_PARAM_NO_DECAY, "%s.weight", site);
    if (c->norm == BW_NORM_LAYER)
        n.bias = add(b, c->dim, 0, BW_PARAM_NO_DECAY, "%s.bias", site);
    b->t->norms[b->t->n_norms++] = n;
    return n;
}

static const char *site(const builder *b, const char *name, char buf[64]) {
    snprintf(buf, 64, "%s.%zu.%s", b->stack, b->layer, name);
    return buf;
}

static void add_layer(builder *b, const bw_tf_stack_weights *s, bw_tf_layer_weights *l) {
    const bw_tf_config *c = &b->t->c;
    char buf[64];
    const size_t qkv[] = {s->q_dim, s->kv_dim, s->kv_dim};
    const char *const parts[] = {".q", ".k", ".v"};
    l->qkv = add_dense(b, site(b, "attn", buf), 3, parts, qkv, c->dim, c->qkv_bias);
    l->out = add_single(b, site(b, "attn.out", buf), s->q_dim, c->dim, c->out_bias);
    l->norm = add_norm(b, site(b, "attn.norm", buf));
    l->cross_q.weight = l->cross_kv.weight = l->cross_out.weight = l->cross_norm.weight = BW_NONE;
    if (s->cross) {
        l->cross_q = add_single(b, site(b, "cross.q", buf), c->dim, s->q_dim, c->qkv_bias);
        l->cross_kv =
            add_dense(b, site(b, "cross", buf), 2, parts + 1, qkv + 1, c->dim, c->qkv_bias);
        l->cross_out = add_single(b, site(b, "cross.out", buf), s->q_dim, c->dim, c->out_bias);
        l->cross_norm = add_norm(b, site(b, "cross.norm", buf));
    }
    size_t ffn = s->shape.ffn;
    if (c->gated)
        l->up = add_dense(b, site(b, "ffn", buf), 2, (const char *const[]){".gate", ".up"},
                          (size_t[]){ffn, ffn}, c->dim, c->ffn_bias);
    else
        l->up = add_single(b, site(b, "ffn.up", buf), c->dim, ffn, c->ffn_bias);
    l->down = add_single(b, site(b, "ffn.down", buf), ffn, c->dim, c->ffn_bias);
    l->ffn_norm = add_norm(b, site(b, "ffn.norm", buf));
}

static bw_status add_stack(builder *b, const bw_tf_stack *shape, bool decoder,
                           bw_tf_stack_weights *s, bw_err *err) {
    const bw_tf_config *c = &b->t->c;
    *s = (bw_tf_stack_weights){.shape = *shape, .positions = BW_NONE, .rel_bias = BW_NONE};
    s->embed_norm.weight = s->final_norm.weight = BW_NONE;
    if (!shape->layers)
        return BW_OK;
    b->stack = decoder ? "dec" : "enc";
    s->causal = decoder;
    s->cross = decoder && c->kind == BW_TF_ENCODER_DECODER;
    s->q_dim = shape->heads * c->head_dim;
    s->kv_dim = shape->kv_heads * c->head_dim;
    s->layers = calloc(shape->layers, sizeof *s->layers);
    if (!s->layers)
        return bw_fail_memory(err);
    char buf[64];
    int embed_depth = 0;
    b->depth = embed_depth;
    bool table = c->pos == BW_POS_LEARNED || c->pos == BW_POS_SINUSOIDAL;
    if (table)
        s->positions =
            add(b, c->max_positions + c->pos_offset, c->embed_dim,
                c->pos == BW_POS_SINUSOIDAL ? BW_PARAM_FIXED : 0, "%s.position.weight", b->stack);
    if (c->pos == BW_POS_RELATIVE)
        s->rel_bias =
            add(b, c->rel_buckets, shape->heads, BW_PARAM_NO_DECAY, "%s.relative.weight", b->stack);
    snprintf(buf, sizeof buf, "%s.embed_norm", b->stack);
    if (c->embed_norm)
        s->embed_norm = add_norm(b, buf);
    for (b->layer = 0; b->layer < shape->layers; b->layer++) {
        b->depth = (int)(b->layer + 1 + (decoder ? c->enc.layers : 0));
        add_layer(b, s, &s->layers[b->layer]);
    }
    snprintf(buf, sizeof buf, "%s.norm", b->stack);
    if (c->pre_norm)
        s->final_norm = add_norm(b, buf);
    return BW_OK;
}

static void add_embeddings(builder *b) {
    const bw_tf_config *c = &b->t->c;
    size_t width = c->embed_dim;
    b->t->tokens = add(b, c->vocab, width, 0, "embed.token.weight");
    b->t->types = c->token_types ? add(b, c->token_types, width, 0, "embed.type.weight") : BW_NONE;
    b->t->ngrams =
        c->ngram_buckets ? add(b, c->ngram_buckets, width, 0, "embed.ngram.weight") : BW_NONE;
    b->t->project = (bw_tf_dense){.weight = BW_NONE, .bias = BW_NONE};
    if (width != c->dim)
        b->t->project = add_single(b, "embed.project", width, c->dim, false);
}

/* Scores over the vocabulary; a tied matrix is the embedding table. */
static bw_tf_dense add_output(builder *b, const char *name, bool bias, unsigned bias_flags) {
    const bw_tf_config *c = &b->t->c;
    bw_tf_dense d = {.weight = b->t->tokens, .bias = BW_NONE, .in = c->dim, .out = c->vocab};
    if (!c->tied)
        d.weight = add(b, c->vocab, c->dim, 0, "%s.weight", name);
    if (bias)
        d.bias = add(b, c->vocab, 0, bias_flags, "%s.bias", name);
    return d;
}

static void add_heads(builder *b) {
    bw_transformer *t = b->t;
    const bw_tf_config *c = &t->c;
    b->depth = (int)(c->enc.layers + c->dec.layers + 1);
    t->pooler.weight = t->classifier.weight = t->nsp.weight = t->lm.weight = BW_NONE;
    t->mlm_dense.weight = t->mlm_out.weight = t->mlm_norm.weight = BW_NONE;
    if (c->pooler)
        t->pooler = add_single(b, "pooler", c->dim, c->dim, true);
    if (c->labels)
        t->classifier = add_single(b, "classifier", c->dim, c->labels, true);
    if (c->nsp)
        t->nsp = add_single(b, "nsp", c->dim, 2, true);
    if (c->mlm) {
        t->mlm_dense = add_single(b, "mlm.dense", c->dim, c->dim, true);
        t->mlm_norm = add_norm(b, "mlm.norm");
        t->mlm_out = add_output(b, "mlm", true, BW_PARAM_NO_DECAY);
    }
    if (c->lm)
        t->lm = add_output(b, "lm", c->lm_bias, BW_PARAM_NO_DECAY | BW_PARAM_FIXED);
}

static bw_status build(bw_transformer *t, bw_err *err) {
    builder b = {.t = t};
    size_t most_norms = 3 * (t->c.enc.layers + t->c.dec.layers) + 5;
    t->norms = calloc(most_norms, sizeof *t->norms);
    if (!t->norms)
        return bw_fail_memory(err);
    add_embeddings(&b);
    bw_status st = add_stack(&b, &t->c.enc, false, &t->enc, err);
    if (st == BW_OK)
        st = add_stack(&b, &t->c.dec, true, &t->dec, err);
    if (st != BW_OK)
        return st;
    add_heads(&b);
    return bw_params_alloc(&t->p, err);
}

bw_status bw_transformer_new(const bw_tf_config *config, bw_transformer **out, bw_err *err) {
    *out = NULL;
    bw_linear_single_thread();
    bw_transformer *t = calloc(1, sizeof *t);
    if (!t)
        return bw_fail_memory(err);
    t->c = *config;
    bw_status st = bw_tf_config_check(&t->c, err);
    if (st == BW_OK)
        st = build(t, err);
    if (st != BW_OK) {
        bw_transformer_free(t);
        return st;
    }
    *out = t;
    return BW_OK;
}

void bw_transformer_free(bw_transformer *t) {
    if (!t)
        return;
    bw_params_free(&t->p);
    free(t->norms);
    free(t->enc.layers);
    free(t->dec.layers);
    free(t);
}

const bw_tf_config *bw_transformer_config(const bw_transformer *t) {
    return &t->c;
}

bw_params *bw_transformer_params(bw_transformer *t) {
    return &t->p;
}

/* ---- initial weights ---- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Sines at even places, cosines at odd ones (Vaswani et al. 2017, section 3.5). */
static void fill_sinusoids(bw_params *p, size_t i) {
    size_t rows = p->table[i].dim[0], dim = p->table[i].dim[1];
    float *w = bw_param_data(p, i);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < dim; j++) {
            double angle = (double)r / pow(10000, 2 * (double)(j / 2) / (double)dim);
            w[r * dim + j] = (float)(j % 2 ? cos(angle) : sin(angle));
        }
}

void bw_transformer_init(bw_transformer *t, uint64_t seed) {
    bw_params *p = &t->p;
    size_t layers = t->c.enc.layers + t->c.dec.layers;
    for (size_t i = 0; i < p->n; i++) {
        const char *name = p->table[i].name;
        bool residual = ends_with(name, "out.weight") || ends_with(name, "down.weight");
        bool scaled = residual && t->c.pre_norm;
        float std = scaled ? t->c.init_std / sqrtf(2 * (float)layers) : t->c.init_std;
        if (ends_with(name, "norm.weight"))
            bw_param_fill(p, i, 1);
        else if (ends_with(name, ".bias"))
            bw_param_fill(p, i, 0);
        else if (p->table[i].flags & BW_PARAM_FIXED)
            fill_sinusoids(p, i);
        else
            bw_param_init_normal(p, i, std, seed);
    }
}
