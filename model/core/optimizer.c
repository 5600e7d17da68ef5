/* model/core/optimizer.c - AdamW over blocks of parameters.
 *
 * One pass over weights, gradients and both moments; it clips, decays, updates and zeroes the
 * gradient on the way. The update follows PyTorch's: decay first, then
 * w -= lr / (1 - b1^k) * m / (sqrt(v / (1 - b2^k)) + eps). */
#include "model/core/optimizer_internal.h"
#include "model/core/simd.h"

#include <stdio.h>
#include <stdlib.h>

/* Work is cut into fixed pieces: who takes one changes no bit, and sums are taken in order. */
#define PIECE 65536

bw_status bw_optimizer_new(const bw_adamw *settings, bw_optimizer **out, bw_err *err) {
    *out = NULL;
    bw_optimizer *o = calloc(1, sizeof *o);
    if (!o)
        return bw_fail_memory(err);
    o->s = *settings;
    if (o->s.beta1 == 0)
        o->s.beta1 = 0.9;
    if (o->s.beta2 == 0)
        o->s.beta2 = 0.999;
    if (o->s.eps == 0)
        o->s.eps = 1e-8;
    *out = o;
    return BW_OK;
}

void bw_optimizer_free(bw_optimizer *o) {
    if (!o)
        return;
    for (size_t i = 0; i < o->n_blocks; i++) {
        free(o->blocks[i].m);
        free(o->blocks[i].v);
        free(o->blocks[i].sums);
    }
    free(o->blocks);
    free(o);
}

bw_status bw_optimizer_add(bw_optimizer *o, const char *label, bw_params *p, bw_group group,
                           bw_err *err) {
    bw_status st = bw_params_need_grad(p, err);
    if (st != BW_OK)
        return st;
    bw_optimizer_block *blocks = realloc(o->blocks, (o->n_blocks + 1) * sizeof *blocks);
    if (!blocks)
        return bw_fail_memory(err);
    o->blocks = blocks;
    bw_optimizer_block *b = &blocks[o->n_blocks];
    *b = (bw_optimizer_block){.p = p, .group = group};
    snprintf(b->label, sizeof b->label, "%s", label);
    if (b->group.lr_scale == 0)
        b->group.lr_scale = 1;
    if (b->group.layer_decay == 0)
        b->group.layer_decay = 1;
    b->m = calloc(p->total ? p->total : 1, sizeof *b->m);
    b->v = calloc(p->total ? p->total : 1, sizeof *b->v);
    b->sums = calloc(p->total / PIECE + 1, sizeof *b->sums);
    o->n_blocks++;
    return b->m && b->v && b->sums ? BW_OK : bw_fail_memory(err);
}

/* ---- the schedule ---- */

double bw_adamw_lr(const bw_adamw *s, size_t k) {
    if (s->warmup && k < s->warmup)
        return s->lr * (double)k / (double)s->warmup;
    if (!s->total || s->decay == BW_LR_CONSTANT)
        return s->lr;
    double span = s->total > s->warmup ? (double)(s->total - s->warmup) : 1;
    double done = k > s->warmup ? (double)(k - s->warmup) / span : 0;
    done = done > 1 ? 1 : done;
    double left =
        s->decay == BW_LR_COSINE ? 0.5 * (1 + cos(3.14159265358979323846 * done)) : 1 - done;
    return s->lr * (s->final_ratio + (1 - s->final_ratio) * left);
}

/* ---- the step ---- */

BW_CLONES static double square_sum(const float *x, size_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static size_t piece_at(size_t total, size_t at) {
    return total - at < PIECE ? total - at : PIECE;
}

/* sums [pieces of p] of squared gradients. */
static void square_sums(const bw_params *p, double *sums) {
#pragma omp parallel for if (p->total > BW_WORTH_THREADS)
    for (size_t i = 0; i < p->total; i += PIECE)
        sums[i / PIECE] = square_sum(p->grad + i, piece_at(p->total, i));
}

double bw_optimizer_grad_norm(const bw_optimizer *o) {
    double total = 0;
    for (size_t b = 0; b < o->n_blocks; b++) {
        const bw_optimizer_block *block = &o->blocks[b];
        square_sums(block->p, block->sums);
        for (size_t i = 0; i < block->p->total; i += PIECE)
            total += block->sums[i / PIECE];
    }
    return sqrt(total);
}

BW_CLONES static void scale(float *x, float factor, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

void bw_optimizer_scale_grad(bw_optimizer *o, double factor) {
    for (size_t b = 0; b < o->n_blocks; b++) {
        const bw_params *p = o->blocks[b].p;
#pragma omp parallel for if (p->total > BW_WORTH_THREADS)
        for (size_t i = 0; i < p->total; i += PIECE)
            scale(p->grad + i, (float)factor, piece_at(p->total, i));
    }
}

size_t bw_optimizer_steps(const bw_optimizer *o) {
    return o->steps;
}

/* The numbers of one step that all values of a tensor share. */
typedef struct {
    float clip, keep, b1, b2, c1, c2; /* keep = 1 - lr * decay; c1, c2 = 1 - b1, 1 - b2 */
    float rate, root, eps;            /* lr / (1 - b1^k); sqrt(1 - b2^k) */
} step_numbers;

BW_CLONES static void update(float *w, float *g, float *m, float *v, size_t n, step_numbers s) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float gi = g[i] * s.clip;
        float mi = s.b1 * m[i] + s.c1 * gi;
        float vi = s.b2 * v[i] + s.c2 * gi * gi;
        m[i] = mi;
        v[i] = vi;
        g[i] = 0;
        w[i] = w[i] * s.keep - s.rate * (mi / (sqrtf(vi) / s.root + s.eps));
    }
}

static int deepest(const bw_params *p) {
    int depth = 0;
    for (size_t i = 0; i < p->n; i++)
        depth = p->table[i].depth > depth ? p->table[i].depth : depth;
    return depth;
}

static step_numbers numbers_for(const bw_optimizer *o, const bw_optimizer_block *b,
                                const bw_param *row, int depth, double clip) {
    const bw_adamw *s = &o->s;
    double lr = bw_adamw_lr(s, o->steps) * b->group.lr_scale *
                pow(b->group.layer_decay, depth - row->depth);
    bool decays = b->group.decay_all || !(row->flags & BW_PARAM_NO_DECAY);
    return (step_numbers){
        .clip = (float)clip,
        .keep = (float)(1 - (decays ? lr * s->weight_decay : 0)),
        .b1 = (float)s->beta1,
        .b2 = (float)s->beta2,
        .c1 = (float)(1 - s->beta1),
        .c2 = (float)(1 - s->beta2),
        .rate = (float)(lr / (1 - pow(s->beta1, (double)o->steps))),
        .root = (float)sqrt(1 - pow(s->beta2, (double)o->steps)),
        .eps = (float)s->eps,
    };
}

static void update_piece(const bw_optimizer_block *b, const bw_param *row, size_t from,
                         const step_numbers *s) {
    size_t at = row->offset + from, n = piece_at(row->size, from);
    if (row->flags & BW_PARAM_FIXED)
        memset(b->p->grad + at, 0, n * sizeof *b->p->grad);
    else
        update(b->p->data + at, b->p->grad + at, b->m + at, b->v + at, n, *s);
}

/* Threads go through the tensors side by side and share the pieces of each. */
static void update_block(const bw_optimizer *o, const bw_optimizer_block *b, double clip) {
    const bw_params *p = b->p;
    int depth = deepest(p);
#pragma omp parallel if (p->total > BW_WORTH_THREADS)
    for (size_t i = 0; i < p->n; i++) {
        const bw_param *row = &p->table[i];
        step_numbers s = numbers_for(o, b, row, depth, clip);
#pragma omp for schedule(dynamic, 1) nowait
        for (size_t from = 0; from < row->size; from += PIECE)
            update_piece(b, row, from, &s);
    }
}

bw_status bw_optimizer_step(bw_optimizer *o, double *norm, bw_err *err) {
    double found = bw_optimizer_grad_norm(o);
    if (norm)
        *norm = found;
    if (!isfinite(found))
        return bw_fail(err, BW_EDATA,
                       "the gradient is not finite at step %zu; lower the learning rate",
                       o->steps + 1);
    o->steps++;
    double clip = o->s.clip > 0 && found > o->s.clip ? o->s.clip / found : 1;
    for (size_t b = 0; b < o->n_blocks; b++)
        update_block(o, &o->blocks[b], clip);
    return BW_OK;
}
