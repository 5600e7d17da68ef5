/* model/core/tf_workspace.c - the memory of a pass: chunks of sequences, and one arena carved into
 * the activations of every layer. It grows to the largest batch seen and is used again. */
#include "model/core/tf.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* A chunk has at most about so many tokens: enough that packing the weights for each product is a
 * small part of its work, few enough that a training batch gives every core a chunk. */
#define CHUNK_TOKENS 512
#define ARENA_ALIGN  16 /* floats: each buffer starts on a cache line */

bw_tf_workspace *bw_tf_workspace_new(void) {
    return calloc(1, sizeof(bw_tf_workspace));
}

void bw_tf_pass_free(bw_tf_pass *p) {
    free(p->positions);
    free(p->chunks);
    free(p->layers);
    free(p->arena);
    *p = (bw_tf_pass){0};
}

void bw_tf_workspace_free(bw_tf_workspace *ws) {
    if (!ws)
        return;
    bw_tf_pass_free(&ws->enc);
    bw_tf_pass_free(&ws->dec);
    free(ws->rope);
    free(ws);
}

/* Makes *array hold n items; contents are lost. */
static bool reserve(void **array, size_t *cap, size_t n, size_t item) {
    size_t bytes;
    if (n <= *cap)
        return true;
    free(*array);
    *array = NULL;
    *cap = 0;
    if (!bw_size_mul(n, item, &bytes) || !(*array = malloc(bytes)))
        return false;
    *cap = n;
    return true;
}

/* ---- chunks ---- */

/* A power of two of chunks, so that two, four or eight cores get equally many. */
static size_t n_pieces(size_t tokens) {
    size_t n = 1;
    while (n * CHUNK_TOKENS < tokens)
        n *= 2;
    return n;
}

/* The end of the sequences from s on that lie nearest to token `aim`; at least one. */
static size_t nearest_end(const bw_batch *b, size_t s, size_t aim) {
    size_t end = s + 1;
    while (end < b->n_seq && b->start[end] + b->start[end + 1] <= 2 * aim)
        end++;
    return end;
}

/* Cuts the batch into runs of whole sequences of about equal length; looks at nothing but the
 * batch. Returns how many; with out NULL it only counts. */
static size_t cut_chunks(const bw_batch *b, bw_tf_chunk *out, size_t *largest) {
    size_t pieces = n_pieces(b->n_tokens), n = 0;
    *largest = 0;
    for (size_t s = 0, k = 1; s < b->n_seq; k++) {
        size_t aim = k < pieces ? b->n_tokens / pieces * k : b->n_tokens;
        if (k < pieces && b->start[s] >= aim)
            continue; /* one long sequence took this piece too */
        size_t end = nearest_end(b, s, aim), rows = b->start[end] - b->start[s];
        if (out)
            out[n] = (bw_tf_chunk){
                .index = n, .seq = s, .n_seq = end - s, .token = b->start[s], .rows = rows};
        *largest = rows > *largest ? rows : *largest;
        n++;
        s = end;
    }
    return n;
}

static bool prepare_chunks(bw_tf_pass *p) {
    p->n_chunks = cut_chunks(&p->batch, NULL, &p->chunk_rows);
    if (!reserve((void **)&p->chunks, &p->chunks_cap, p->n_chunks, sizeof *p->chunks))
        return false;
    cut_chunks(&p->batch, p->chunks, &p->chunk_rows);
    return true;
}

static bool prepare_positions(bw_tf_pass *p) {
    const bw_batch *b = &p->batch;
    if (!reserve((void **)&p->positions, &p->positions_cap, b->n_tokens, sizeof *p->positions))
        return false;
    p->longest = 0;
    for (size_t s = 0; s < b->n_seq; s++) {
        size_t first = b->start[s], n = b->start[s + 1] - first;
        for (size_t i = 0; i < n; i++)
            p->positions[first + i] = b->positions ? b->positions[first + i] : (int32_t)i;
        p->longest = n > p->longest ? n : p->longest;
    }
    return true;
}

/* ---- the arena ---- */

/* Hands out buffers one behind the other; with base NULL it only adds up their sizes. */
typedef struct {
    float *base;
    size_t used;
    bool overflow;
} carver;

static float *carve(carver *a, size_t rows, size_t width) {
    size_t n;
    if (!bw_size_mul(rows, width, &n) || n > SIZE_MAX / 8 - a->used) {
        a->overflow = true;
        return NULL;
    }
    float *at = a->base ? a->base + a->used : NULL;
    a->used += (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    return at;
}

static void carve_block(carver *a, const bw_tf_config *c, bw_tf_block *b, size_t rows, bool train) {
    b->h = carve(a, rows, c->dim);
    b->xhat = carve(a, rows, c->dim);
    b->rstd = carve(a, rows, 1);
    b->df = c->pre_norm && train ? carve(a, rows, c->dim) : b->xhat;
}

static void carve_layer(carver *a, const bw_tf_config *c, const bw_tf_pass *p, size_t rows,
                        size_t source_rows, bw_tf_layer_tape *l) {
    const bw_tf_stack_weights *w = p->w;
    carve_block(a, c, &l->attn, rows, p->train);
    l->qkv = carve(a, rows, w->q_dim + 2 * w->kv_dim);
    l->ctx = carve(a, rows, w->q_dim);
    l->lse = carve(a, rows, w->shape.heads);
    if (w->cross) {
        carve_block(a, c, &l->cross, rows, p->train);
        l->cross_q = carve(a, rows, w->q_dim);
        l->cross_kv = carve(a, source_rows, 2 * w->kv_dim);
        l->cross_ctx = carve(a, rows, w->q_dim);
        l->cross_lse = carve(a, rows, w->shape.heads);
    }
    carve_block(a, c, &l->ffn, rows, p->train);
    l->up = carve(a, rows, w->layers[0].up.out);
    l->act = carve(a, rows, w->shape.ffn);
}

/* Scratch that attention needs for the longest sequence. */
static size_t attention_scratch(const bw_transformer *t, const bw_tf_pass *p,
                                const bw_tf_pass *source) {
    size_t keys = p->longest;
    if (source && source->longest > keys)
        keys = source->longest;
    return bw_attn_scratch(&(bw_attn){.head_dim = t->c.head_dim, .n_k = keys});
}

static size_t max3(size_t a, size_t b, size_t c) {
    size_t m = a > b ? a : b;
    return m > c ? m : c;
}

static void carve_pass(carver *a, const bw_transformer *t, const bw_tf_workspace *ws, bw_tf_pass *p,
                       const bw_tf_pass *source) {
    const bw_tf_config *c = &t->c;
    const bw_tf_stack_weights *w = p->w;
    size_t n = p->batch.n_tokens, threads = (size_t)ws->threads;
    size_t rows = p->train ? n : threads * p->chunk_rows;
    size_t source_rows = source ? source->batch.n_tokens : 0;
    for (size_t i = 0; i < w->shape.layers; i++)
        if (p->train || i == 0)
            carve_layer(a, c, p, rows, source_rows, &p->layers[i]);
        else
            p->layers[i] = p->layers[0];
    p->x = carve(a, rows, c->pre_norm ? c->dim : 0);
    p->embed_sum = t->project.weight == BW_NONE ? NULL : carve(a, rows, c->embed_dim);
    p->embed_xhat = carve(a, rows, c->embed_norm ? c->dim : 0);
    p->embed_rstd = carve(a, rows, 1);
    p->final_xhat = carve(a, rows, c->pre_norm ? c->dim : 0);
    p->final_rstd = carve(a, rows, 1);
    p->hidden = carve(a, n, c->dim);
    p->kept = ws->mode.keep_layers ? carve(a, n, (w->shape.layers + 1) * c->dim) : NULL;
    size_t distances = w->rel_bias == BW_NONE ? 0 : w->shape.heads * (2 * p->span + 1);
    p->rel = carve(a, distances, 1);
    p->scratch_size = attention_scratch(t, p, source);
    p->scratch = carve(a, threads, p->scratch_size);
    if (!p->train)
        return;
    p->widest = max3(c->dim, w->q_dim, w->shape.ffn);
    p->partial_size = 2 * c->dim * t->n_norms + distances;
    p->g = carve(a, n, c->dim);
    p->wide = carve(a, threads * p->chunk_rows, p->widest);
    p->partial = carve(a, p->n_chunks, p->partial_size);
}

bw_status bw_tf_pass_prepare(const bw_transformer *t, const bw_tf_workspace *ws, bw_tf_pass *p,
                             const bw_tf_stack_weights *w, const bw_batch *batch,
                             const bw_tf_pass *source, bw_err *err) {
    p->w = w;
    p->batch = *batch;
    p->train = ws->mode.train;
    if (!prepare_chunks(p) || !prepare_positions(p) ||
        !reserve((void **)&p->layers, &p->layers_cap, w->shape.layers, sizeof *p->layers))
        return bw_fail_memory(err);
    memset(p->layers, 0, w->shape.layers * sizeof *p->layers);
    p->span = p->longest;
    carver sizes = {0};
    carve_pass(&sizes, t, ws, p, source);
    if (sizes.overflow ||
        !reserve((void **)&p->arena, &p->arena_cap, sizes.used + ARENA_ALIGN, sizeof(float)))
        return bw_fail_memory(err);
    uintptr_t line = ARENA_ALIGN * sizeof(float);
    size_t skip = (size_t)((line - (uintptr_t)p->arena % line) % line) / sizeof(float);
    carver a = {.base = p->arena + skip};
    carve_pass(&a, t, ws, p, source);
    return BW_OK;
}

bw_status bw_tf_rope_prepare(const bw_transformer *t, bw_tf_workspace *ws, size_t n, bw_err *err) {
    const bw_tf_config *c = &t->c;
    const bw_rope_scaling *a = &ws->rope_scaling, *b = &c->rope_scaling;
    bool same = ws->rope_dim == c->head_dim && ws->rope_theta == c->rope_theta &&
                a->kind == b->kind && a->factor == b->factor && a->low == b->low &&
                a->high == b->high && a->original == b->original;
    if (same && n <= ws->rope_positions)
        return BW_OK;
    free(ws->rope);
    ws->rope_positions = 0;
    size_t size;
    if (!bw_size_mul(n, c->head_dim, &size) || !(ws->rope = calloc(size, sizeof(float))))
        return bw_fail_memory(err);
    bw_rope_table(ws->rope, n, c->head_dim, c->rope_theta, &c->rope_scaling);
    ws->rope_positions = n;
    ws->rope_dim = c->head_dim;
    ws->rope_theta = c->rope_theta;
    ws->rope_scaling = c->rope_scaling;
    return BW_OK;
}
