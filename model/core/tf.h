/* model/core/tf.h - inside of the transformer, shared by the files transformer.c (build),
 * tf_workspace.c, tf_embed.c, tf_forward.c, tf_backward.c, heads.c and decoder.c. Other modules
 * include transformer.h.
 *
 * A stack is a list of layers; a layer is a list of blocks: attention, cross-attention (decoders of
 * encoder-decoders), feed-forward. Every block computes y = x + f(h), with h = norm(x) in pre-norm
 * models; in post-norm models h = x and the norm follows the sum. */
#ifndef BW_MODEL_TF_H
#define BW_MODEL_TF_H

#include "model/core/linear.h"
#include "model/core/ops.h"
#include "model/core/transformer.h"

#include <math.h>

#define BW_NONE ((size_t)-1)

/* ---- weights: offsets into the block, which are those of the gradients too ---- */

/* y = x W^T + b. q, k and v (and gate and up) lie one behind the other and are one matrix here. */
typedef struct {
    size_t weight, bias; /* bias BW_NONE: none */
    size_t in, out;
} bw_tf_dense;

typedef struct {
    size_t weight, bias; /* bias BW_NONE: RMSNorm; weight BW_NONE: no norm here */
    size_t index;        /* number of this norm in the model, for its partial gradients */
} bw_tf_norm;

typedef struct {
    bw_tf_dense qkv, out;
    bw_tf_norm norm;
    bw_tf_dense cross_q, cross_kv, cross_out; /* weight BW_NONE: no cross-attention */
    bw_tf_norm cross_norm;
    bw_tf_dense up, down; /* up.out is 2 * ffn when gated */
    bw_tf_norm ffn_norm;
} bw_tf_layer_weights;

typedef struct {
    bw_tf_stack shape; /* shape.layers = 0: absent */
    bool causal, cross;
    size_t q_dim, kv_dim; /* heads * head_dim, kv_heads * head_dim */
    bw_tf_layer_weights *layers;
    bw_tf_norm embed_norm, final_norm;
    size_t positions; /* offset of the table of positions, or BW_NONE */
    size_t rel_bias;  /* offset of [rel_buckets, heads], or BW_NONE */
} bw_tf_stack_weights;

struct bw_transformer {
    bw_tf_config c;
    bw_params p;
    size_t tokens, types, ngrams; /* offsets of the embedding tables, or BW_NONE */
    bw_tf_dense project;          /* from embed_dim to dim; weight BW_NONE: they are equal */
    bw_tf_stack_weights enc, dec;
    bw_tf_dense pooler, classifier, nsp, mlm_dense, mlm_out, lm; /* weight BW_NONE: absent */
    bw_tf_norm mlm_norm;
    bw_tf_norm *norms; /* every norm of the model, by index */
    size_t n_norms;
};

/* ---- activations ---- */

/* What a block keeps for its backward; rows are tokens, width dim. */
typedef struct {
    float *h;           /* input of the block's first product */
    float *xhat, *rstd; /* the block's norm */
    float *df;          /* backward: gradient of f (post-norm: xhat's memory) */
} bw_tf_block;

typedef struct {
    bw_tf_block attn, cross, ffn;
    float *qkv, *ctx, *lse; /* [q_dim + 2 kv_dim], [q_dim], heads a row */
    float *cross_q, *cross_ctx, *cross_lse;
    float *cross_kv; /* rows are source tokens, [2 kv_dim] */
    float *up, *act; /* [up.out], [ffn] */
} bw_tf_layer_tape;

/* A run of whole sequences that one thread carries through all layers of a stack. */
typedef struct {
    size_t index;
    size_t seq, n_seq;  /* sequences seq .. seq + n_seq - 1 */
    size_t token, rows; /* their tokens */
    size_t row;     /* their first row in the tape: token when training, else the thread's region */
    float *scratch; /* for attention */
    float *wide;    /* backward: [rows, widest] */
    float *partial; /* backward: this chunk's gradients of norms and relative biases */
} bw_tf_chunk;

/* One stack's pass over one batch. */
typedef struct {
    const bw_tf_stack_weights *w;
    bw_batch batch;
    bool train;
    int32_t *positions; /* [n_tokens] */
    bw_tf_chunk *chunks;
    size_t n_chunks, chunk_rows, longest;

    /* Pointers into the arena. The tape has a row a token when training; otherwise one layer's
     * buffers serve all layers, with chunk_rows rows a thread. */
    bw_tf_layer_tape *layers;
    float *x;         /* pre-norm: the residual stream */
    float *embed_sum; /* [rows, embed_dim] before the projection; NULL: no projection */
    float *embed_xhat, *embed_rstd, *final_xhat, *final_rstd;
    float *hidden; /* [n_tokens, dim] */
    float *kept;   /* [layers + 1][n_tokens, dim], or NULL */
    float *rel;    /* [heads, 2 span + 1]: relative bias by distance key - query, or NULL */
    size_t span;
    float *g;       /* backward: running gradient [n_tokens, dim] */
    float *wide;    /* [threads][chunk_rows, widest] */
    float *scratch; /* [threads][scratch_size] */
    float *partial; /* [n_chunks][partial_size] */
    size_t widest, scratch_size, partial_size;

    float *arena;
    size_t arena_cap, positions_cap, chunks_cap, layers_cap;
} bw_tf_pass;

struct bw_tf_workspace {
    bw_tf_pass enc, dec;
    bw_tf_mode mode;
    const bw_transformer *owner; /* of the last forward pass */
    bool ready;                  /* it was for training and no backward followed yet */
    int threads;
    float *rope; /* table of rope_positions positions for this head size and theta */
    size_t rope_positions, rope_dim;
    float rope_theta;
    bw_rope_scaling rope_scaling;
};

/* BW_EARG names the first id, type, position or length that this model cannot take. */
bw_status bw_tf_check_batch(const bw_transformer *t, const bw_batch *b, bw_err *err);
/* The encoder of an encoder-decoder alone, for inference; then bw_tf_encoder_hidden. */
bw_status bw_tf_encode(const bw_transformer *t, bw_tf_workspace *ws, const bw_batch *batch,
                       bw_err *err);
/* Lays out a pass over a batch that has been checked: chunks, positions, tape. source: the pass of
 * the encoder, for a stack with cross-attention. */
bw_status bw_tf_pass_prepare(const bw_transformer *t, const bw_tf_workspace *ws, bw_tf_pass *p,
                             const bw_tf_stack_weights *w, const bw_batch *batch,
                             const bw_tf_pass *source, bw_err *err);
void bw_tf_pass_free(bw_tf_pass *p);
/* Makes the rope table cover n positions. */
bw_status bw_tf_rope_prepare(const bw_transformer *t, bw_tf_workspace *ws, size_t n, bw_err *err);

/* Sums of embeddings for a chunk, to out [rows, embed_dim]. */
void bw_tf_embed_sum(const bw_transformer *t, const bw_tf_pass *p, const bw_tf_chunk *c,
                     float *out);
/* The same carried to the layers' width, out [rows, dim]; before dropout and norm. The sums stay in
 * p->embed_sum where there is a projection. */
void bw_tf_embed(const bw_transformer *t, const bw_tf_pass *p, const bw_tf_chunk *c, float *out);
/* Scatters p->g into the gradients of the embedding tables, through the projection. */
void bw_tf_embed_backward(const bw_transformer *t, const bw_tf_pass *p);

/* T5's bucket of a distance key - query (Raffel et al. 2020, section 2.1 and its code). */
size_t bw_tf_rel_bucket(const bw_tf_config *c, bool causal, ptrdiff_t distance);
/* rel [heads, 2 span + 1] from the bucket table. */
void bw_tf_rel_expand(const bw_transformer *t, const bw_tf_stack_weights *w, float *rel,
                      size_t span);

/* y = norm(x), in place allowed; xhat and rstd may be NULL. */
void bw_tf_norm_forward(const bw_transformer *t, const bw_tf_norm *n, float *y, float *xhat,
                        float *rstd, const float *x, size_t rows);

/* The places of dropout in a layer. */
enum {
    BW_SITE_EMBED,
    BW_SITE_ATTN,
    BW_SITE_CROSS,
    BW_SITE_FFN,
    BW_SITE_PROBS,
    BW_SITE_CROSS_PROBS
};
/* The seed of a place: a function of the step's seed, the stack, the layer and the site. */
uint64_t bw_tf_site_seed(const bw_tf_workspace *ws, const bw_tf_pass *p, size_t layer, int site);

/* The rate of dropout of the pass that the workspace holds. */
float bw_tf_dropout(const bw_transformer *t, const bw_tf_workspace *ws);
/* How many tokens a token of a decoder's layer sees, itself among them; 0 = all before it. */
static inline size_t bw_tf_window(const bw_tf_config *c, size_t layer) {
    return layer >= c->window_from ? c->window : 0;
}
/* Attention of sequence s of the pass, over its own tokens or, cross, over source's. */
bw_attn bw_tf_attn(const bw_transformer *t, const bw_tf_workspace *ws, const bw_tf_pass *p,
                   const bw_tf_pass *source, size_t layer, size_t s, bool cross);
/* The same place of the tape, for a chunk. */
static inline float *bw_tf_row(float *base, const bw_tf_chunk *c, size_t width) {
    return base + c->row * width;
}

/* Weight offsets to pointers. */
static inline const float *bw_tf_at(const bw_transformer *t, size_t offset) {
    return offset == BW_NONE ? NULL : t->p.data + offset;
}

static inline float *bw_tf_grad(const bw_transformer *t, size_t offset) {
    return offset == BW_NONE ? NULL : t->p.grad + offset;
}

static inline void bw_tf_dense_forward(const bw_transformer *t, const bw_tf_dense *d, float *y,
                                       const float *x, size_t rows) {
    bw_linear(y, x, bw_tf_at(t, d->weight), bw_tf_at(t, d->bias), rows, d->in, d->out);
}

#endif
