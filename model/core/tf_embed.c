/* model/core/tf_embed.c - from token ids to the input of the first layer, and the gradients back
 * into the tables; T5's relative position buckets. */
#include "model/core/simd.h"
#include "model/core/tf.h"

#include <omp.h>
#include <string.h>

static void add_row(float *y, const float *x, float scale, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] += scale * x[i];
}

/* The weight of each of a token's n-grams: 1, or 1 / their number for the mean. */
static float ngram_weight(const bw_tf_config *c, size_t n) {
    return c->ngram_mean ? 1.0f / (float)n : 1.0f;
}

static void embed_ngrams(const bw_transformer *t, const bw_batch *b, size_t token, float *y) {
    const float *table = bw_tf_at(t, t->ngrams);
    size_t first = b->ngram_start[token], n = b->ngram_start[token + 1] - first;
    size_t width = t->c.embed_dim;
    for (size_t i = first; i < first + n; i++)
        add_row(y, table + (size_t)b->ngrams[i] * width, ngram_weight(&t->c, n), width);
}

void bw_tf_embed_sum(const bw_transformer *t, const bw_tf_pass *p, const bw_tf_chunk *c,
                     float *out) {
    const bw_batch *b = &p->batch;
    size_t dim = t->c.embed_dim;
    const float *tokens = bw_tf_at(t, t->tokens), *types = bw_tf_at(t, t->types);
    const float *positions = bw_tf_at(t, p->w->positions);
    for (size_t r = 0; r < c->rows; r++) {
        size_t i = c->token + r;
        float *y = out + r * dim;
        memset(y, 0, dim * sizeof *y);
        add_row(y, tokens + (size_t)b->ids[i] * dim, t->c.embed_scale, dim);
        if (types)
            add_row(y, types + (b->types ? (size_t)b->types[i] : 0) * dim, 1, dim);
        if (positions)
            add_row(y, positions + ((size_t)p->positions[i] + t->c.pos_offset) * dim, 1, dim);
        if (t->ngrams != BW_NONE && b->ngram_start)
            embed_ngrams(t, b, i, y);
        if (b->shift)
            add_row(y, b->shift + i * dim, 1, dim);
    }
}

const float *bw_tf_embedded(const bw_tf_workspace *ws) {
    return ws->enc.embed_sum;
}

void bw_tf_embed(const bw_transformer *t, const bw_tf_pass *p, const bw_tf_chunk *c, float *out) {
    if (t->project.weight == BW_NONE) {
        bw_tf_embed_sum(t, p, c, out);
        return;
    }
    float *sum = bw_tf_row(p->embed_sum, c, t->c.embed_dim);
    bw_tf_embed_sum(t, p, c, sum);
    bw_tf_dense_forward(t, &t->project, out, sum, c->rows);
}

/* The rows of tables are dealt out among the threads by index, so each row has one owner and sums
 * its tokens in order whatever the number of threads. */
typedef struct {
    size_t thread, threads;
    size_t dim;
} owner;

static void scatter(const owner *o, float *table, size_t row, const float *g, float scale) {
    if (row % o->threads == o->thread)
        add_row(table + row * o->dim, g, scale, o->dim);
}

static void scatter_ngrams(const bw_transformer *t, const owner *o, const bw_batch *b, size_t token,
                           const float *g) {
    size_t first = b->ngram_start[token], n = b->ngram_start[token + 1] - first;
    for (size_t i = first; i < first + n; i++)
        scatter(o, bw_tf_grad(t, t->ngrams), (size_t)b->ngrams[i], g, ngram_weight(&t->c, n));
}

static void scatter_pass(const bw_transformer *t, const bw_tf_pass *p, const float *d_sum,
                         const owner *o) {
    const bw_batch *b = &p->batch;
    for (size_t i = 0; i < b->n_tokens; i++) {
        const float *g = d_sum + i * o->dim;
        scatter(o, bw_tf_grad(t, t->tokens), (size_t)b->ids[i], g, t->c.embed_scale);
        if (t->types != BW_NONE)
            scatter(o, bw_tf_grad(t, t->types), b->types ? (size_t)b->types[i] : 0, g, 1);
        if (p->w->positions != BW_NONE && t->c.pos == BW_POS_LEARNED)
            scatter(o, bw_tf_grad(t, p->w->positions), (size_t)p->positions[i] + t->c.pos_offset, g,
                    1);
        if (t->ngrams != BW_NONE && b->ngram_start)
            scatter_ngrams(t, o, b, i, g);
    }
}

/* Gradient of the projection; that of the sums takes the place of the sums. */
static const float *project_backward(const bw_transformer *t, const bw_tf_pass *p) {
    const bw_tf_dense *d = &t->project;
    size_t n = p->batch.n_tokens;
    if (d->weight == BW_NONE)
        return p->g;
    bw_linear_dw(bw_tf_grad(t, d->weight), p->g, p->embed_sum, n, d->in, d->out);
    bw_linear_dx(p->embed_sum, p->g, bw_tf_at(t, d->weight), n, d->in, d->out, 0);
    return p->embed_sum;
}

void bw_tf_embed_backward(const bw_transformer *t, const bw_tf_pass *p) {
    const float *d_sum = project_backward(t, p);
#pragma omp parallel if (p->batch.n_tokens * t->c.embed_dim > BW_WORTH_THREADS)
    {
        owner o = {(size_t)omp_get_thread_num(), (size_t)omp_get_num_threads(), t->c.embed_dim};
        scatter_pass(t, p, d_sum, &o);
    }
}

/* ---- relative positions ---- */

size_t bw_tf_rel_bucket(const bw_tf_config *c, bool causal, ptrdiff_t distance) {
    size_t buckets = c->rel_buckets, first = 0;
    if (!causal) { /* half for keys behind, half for keys ahead */
        buckets /= 2;
        first = distance > 0 ? buckets : 0;
    } else if (distance > 0) {
        distance = 0;
    }
    size_t far = (size_t)(distance < 0 ? -distance : distance), exact = buckets / 2;
    if (far < exact)
        return first + far;
    float ratio =
        logf((float)far / (float)exact) / (float)log((double)c->rel_max_distance / (double)exact);
    size_t bucket = exact + (size_t)(ratio * (float)(buckets - exact));
    return first + (bucket < buckets - 1 ? bucket : buckets - 1);
}

void bw_tf_rel_expand(const bw_transformer *t, const bw_tf_stack_weights *w, float *rel,
                      size_t span) {
    const float *table = bw_tf_at(t, w->rel_bias);
    size_t heads = w->shape.heads, n = 2 * span + 1;
    for (size_t d = 0; d < n; d++) {
        size_t bucket = bw_tf_rel_bucket(&t->c, w->causal, (ptrdiff_t)d - (ptrdiff_t)span);
        for (size_t h = 0; h < heads; h++)
            rel[h * n + d] = table[bucket * heads + h];
    }
}
