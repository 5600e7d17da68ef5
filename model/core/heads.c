/* model/core/heads.c - from hidden states to scores, and the gradients of losses back through the
 * heads.
 *
 * Scores over a vocabulary are made for a block of rows at a time and turned into their gradient in
 * place, so that no more than a block of them ever exists. Within a block threads share the
 * vocabulary in fixed slices and the rows in fixed groups; sums have one owner each. */
#include "model/core/objective.h"
#include "model/core/simd.h"
#include "model/core/tf.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SCORES (4u << 20) /* scores of a block: 16 MB */
#define MOST_ROWS    512
#define LEAST_ROWS   16
#define SLICE        2048 /* of the vocabulary */
#define GROUP        64   /* of rows */

struct bw_objective {
    float *space;
    size_t cap;
};

bw_objective *bw_objective_new(void) {
    return calloc(1, sizeof(bw_objective));
}

void bw_objective_free(bw_objective *o) {
    if (o)
        free(o->space);
    free(o);
}

static float *space(bw_objective *o, size_t n) {
    if (n <= o->cap)
        return o->space;
    free(o->space);
    o->cap = 0;
    o->space = malloc(n * sizeof *o->space);
    if (o->space)
        o->cap = n;
    return o->space;
}

/* ---- heads on the first token of each sequence ---- */

/* Buffers of [n_seq, dim] each, one behind the other. */
typedef struct {
    float *first;  /* hidden states of first tokens */
    float *pre;    /* pooler before its activation */
    float *pooled; /* after; first itself without a pooler */
    float *d;      /* gradient of pooled, then of first */
    float *logits; /* [n_seq, classes] */
} pooling;

static bw_status pool(const bw_transformer *t, bw_objective *o, const bw_batch *b,
                      const float *hidden, size_t classes, pooling *p, bw_err *err) {
    size_t n = b->n_seq, dim = t->c.dim, size = n * dim;
    p->first = space(o, 4 * size + n * classes);
    if (!p->first)
        return bw_fail_memory(err);
    p->pre = p->first + size;
    p->pooled = p->pre + size;
    p->d = p->pooled + size;
    p->logits = p->d + size;
    bw_pool_first(p->first, b, hidden, dim);
    if (t->pooler.weight == BW_NONE) {
        p->pooled = p->first;
        return BW_OK;
    }
    bw_tf_dense_forward(t, &t->pooler, p->pre, p->first, n);
    bw_act_forward(t->c.pooler_act, p->pooled, p->pre, size);
    return BW_OK;
}

bw_status bw_head_pooled(const bw_transformer *t, bw_objective *o, const bw_batch *b,
                         const float *hidden, float *out, bw_err *err) {
    pooling p = {0};
    bw_status st = pool(t, o, b, hidden, 0, &p, err);
    if (st == BW_OK)
        memcpy(out, p.pooled, b->n_seq * t->c.dim * sizeof *out);
    return st;
}

static bw_status class_scores(const bw_transformer *t, bw_objective *o, const bw_tf_dense *d,
                              const bw_batch *b, const float *hidden, pooling *p, bw_err *err) {
    if (d->weight == BW_NONE)
        return bw_fail(err, BW_EARG, "this model has no such classification head");
    bw_status st = pool(t, o, b, hidden, d->out, p, err);
    if (st == BW_OK)
        bw_tf_dense_forward(t, d, p->logits, p->pooled, b->n_seq);
    return st;
}

static bw_status copy_scores(const bw_transformer *t, bw_objective *o, const bw_tf_dense *d,
                             const bw_batch *b, const float *hidden, float *logits, bw_err *err) {
    pooling p = {0};
    bw_status st = class_scores(t, o, d, b, hidden, &p, err);
    if (st == BW_OK)
        memcpy(logits, p.logits, b->n_seq * d->out * sizeof *logits);
    return st;
}

bw_status bw_head_classes(const bw_transformer *t, bw_objective *o, const bw_batch *b,
                          const float *hidden, float *logits, bw_err *err) {
    return copy_scores(t, o, &t->classifier, b, hidden, logits, err);
}

bw_status bw_head_nsp(const bw_transformer *t, bw_objective *o, const bw_batch *b,
                      const float *hidden, float *logits, bw_err *err) {
    return copy_scores(t, o, &t->nsp, b, hidden, logits, err);
}

/* Adds the gradients of y = x W^T + b to those of W and b. */
static void dense_gradients(const bw_transformer *t, const bw_tf_dense *d, const float *dy,
                            const float *x, size_t rows) {
    bw_linear_dw(bw_tf_grad(t, d->weight), dy, x, rows, d->in, d->out);
    if (d->bias != BW_NONE)
        bw_linear_db(bw_tf_grad(t, d->bias), dy, rows, d->out);
}

/* p->logits holds the gradient of the scores. */
static void pooled_backward(const bw_transformer *t, const bw_tf_dense *d, const bw_batch *b,
                            const pooling *p, float *d_hidden) {
    size_t n = b->n_seq, dim = t->c.dim;
    dense_gradients(t, d, p->logits, p->pooled, n);
    bw_linear_dx(p->d, p->logits, bw_tf_at(t, d->weight), n, dim, d->out, 0);
    if (t->pooler.weight != BW_NONE) {
        bw_act_backward(t->c.pooler_act, p->pre, p->d, p->pre, n * dim);
        dense_gradients(t, &t->pooler, p->pre, p->first, n);
        bw_linear_dx(p->d, p->pre, bw_tf_at(t, t->pooler.weight), n, dim, dim, 0);
    }
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < dim; i++)
            d_hidden[b->start[s] * dim + i] += p->d[s * dim + i];
}

static bw_status check_labels(const int32_t *labels, size_t n, size_t classes, size_t *counted,
                              bw_err *err) {
    *counted = 0;
    for (size_t i = 0; i < n; i++) {
        if (labels[i] >= 0 && (size_t)labels[i] >= classes)
            return bw_fail(err, BW_EARG, "label %d at place %zu; there are %zu classes",
                           (int)labels[i], i, classes);
        *counted += labels[i] >= 0;
    }
    return BW_OK;
}

static bw_status pooled_loss(bw_transformer *t, bw_objective *o, const bw_tf_dense *d,
                             const bw_batch *b, const float *hidden, const bw_targets *targets,
                             double weight, double *loss, float *d_hidden, bw_err *err) {
    pooling p = {0};
    size_t n = b->n_seq;
    bw_status st = class_scores(t, o, d, b, hidden, &p, err);
    if (st == BW_OK && targets->labels)
        st = check_labels(targets->labels, b->n_seq, d->out, &n, err);
    if (st == BW_OK && d_hidden)
        st = bw_params_need_grad(&t->p, err);
    *loss = 0;
    if (st != BW_OK || !n)
        return st;
    float factor = (float)(weight / (double)n), *grad = d_hidden ? p.logits : NULL;
    double sum = targets->labels
                     ? bw_cross_entropy(grad, p.logits, targets->labels, b->n_seq, d->out,
                                        targets->smoothing, factor)
                     : bw_cross_entropy_soft(grad, p.logits, targets->soft, n, d->out, factor);
    *loss = sum / (double)n;
    if (d_hidden)
        pooled_backward(t, d, b, &p, d_hidden);
    return BW_OK;
}

bw_status bw_loss_classes(bw_transformer *t, bw_objective *o, const bw_batch *b,
                          const float *hidden, const bw_targets *targets, double weight,
                          double *loss, float *d_hidden, bw_err *err) {
    return pooled_loss(t, o, &t->classifier, b, hidden, targets, weight, loss, d_hidden, err);
}

bw_status bw_loss_nsp(bw_transformer *t, bw_objective *o, const bw_batch *b, const float *hidden,
                      const bw_targets *targets, double weight, double *loss, float *d_hidden,
                      bw_err *err) {
    return pooled_loss(t, o, &t->nsp, b, hidden, targets, weight, loss, d_hidden, err);
}

/* ---- scores over the vocabulary ---- */

/* A block of rows on their way to scores and back; widths dim but for scores. */
typedef struct {
    size_t rows;
    float *x;    /* hidden states */
    float *pre;  /* MLM: dense before its activation */
    float *xhat; /* MLM: after it, then normalised */
    float *rstd;
    float *y; /* input of the output matrix */
    float *d; /* its gradient */
    float *scores;
    int32_t *labels;
    size_t *place; /* row of the batch */
} block;

static size_t block_rows(const bw_transformer *t) {
    size_t rows = BLOCK_SCORES / t->c.vocab;
    if (rows < LEAST_ROWS)
        return LEAST_ROWS;
    return rows < MOST_ROWS ? rows : MOST_ROWS;
}

static const bw_tf_dense *output_of(const bw_transformer *t) {
    return t->c.mlm ? &t->mlm_out : &t->lm;
}

static bw_status block_new(const bw_transformer *t, bw_objective *o, block *b, bw_err *err) {
    if (output_of(t)->weight == BW_NONE)
        return bw_fail(err, BW_EARG, "this model has no head over the vocabulary");
    size_t n = block_rows(t), size = n * t->c.dim;
    float *at = space(o, 5 * size + n * t->c.vocab + 4 * n);
    if (!at)
        return bw_fail_memory(err);
    *b = (block){.x = at, .pre = at + size, .xhat = at + 2 * size, .y = at + 3 * size};
    b->d = at + 4 * size;
    b->scores = at + 5 * size;
    b->rstd = b->scores + n * t->c.vocab;
    b->labels = (int32_t *)(void *)(b->rstd + n);
    return BW_OK;
}

/* y from x: for MLM norm(act(dense(x))), for a language model lm_scale * x. */
static void transform(const bw_transformer *t, block *b) {
    size_t size = b->rows * t->c.dim;
    if (!t->c.mlm) {
        for (size_t i = 0; i < size; i++)
            b->y[i] = t->c.lm_scale * b->x[i];
        return;
    }
    bw_tf_dense_forward(t, &t->mlm_dense, b->pre, b->x, b->rows);
    bw_act_forward(t->c.act, b->xhat, b->pre, size);
    bw_tf_norm_forward(t, &t->mlm_norm, b->y, b->xhat, b->rstd, b->xhat, b->rows);
}

static void transform_backward(const bw_transformer *t, block *b) {
    size_t dim = t->c.dim, size = b->rows * dim;
    if (!t->c.mlm) {
        for (size_t i = 0; i < size; i++)
            b->d[i] *= t->c.lm_scale;
        return;
    }
    const float *gamma = bw_tf_at(t, t->mlm_norm.weight);
    float *dgamma = bw_tf_grad(t, t->mlm_norm.weight), *dbeta = bw_tf_grad(t, t->mlm_norm.bias);
    if (dbeta)
        bw_layer_norm_backward(b->d, dgamma, dbeta, b->d, b->xhat, b->rstd, gamma, b->rows, dim);
    else
        bw_rms_norm_backward(b->d, dgamma, b->d, b->xhat, b->rstd, gamma, b->rows, dim);
    bw_act_backward(t->c.act, b->pre, b->d, b->pre, size);
    dense_gradients(t, &t->mlm_dense, b->pre, b->x, b->rows);
    bw_linear_dx(b->d, b->pre, bw_tf_at(t, t->mlm_dense.weight), b->rows, dim, dim, 0);
}

/* scores [rows, vocab] = y W^T + b, a slice of the vocabulary a task. */
static void block_scores(const bw_transformer *t, const float *y, size_t rows, float *scores) {
    const bw_tf_dense *out = output_of(t);
    const float *W = bw_tf_at(t, out->weight), *bias = bw_tf_at(t, out->bias);
    size_t dim = t->c.dim, vocab = t->c.vocab;
    bool worth = rows * vocab > BW_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) if (worth)
    for (size_t v = 0; v < vocab; v += SLICE) {
        size_t n = vocab - v < SLICE ? vocab - v : SLICE;
        for (size_t r = 0; bias && r < rows; r++)
            memcpy(scores + r * vocab + v, bias + v, n * sizeof *scores);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)n, (int)dim, 1.0f, y,
                    (int)dim, W + v * dim, (int)dim, bias ? 1.0f : 0.0f, scores + v, (int)vocab);
    }
}

/* dW += scores^T y and db += column sums, a slice of the vocabulary a task. */
static void output_gradients(const bw_transformer *t, const block *b) {
    const bw_tf_dense *out = output_of(t);
    float *dW = bw_tf_grad(t, out->weight), *db = bw_tf_grad(t, out->bias);
    size_t dim = t->c.dim, vocab = t->c.vocab;
    bool bias = db && !(t->c.lm && t->c.lm_bias); /* final_logits_bias is not trained */
    bool worth = b->rows * vocab > BW_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) if (worth)
    for (size_t v = 0; v < vocab; v += SLICE) {
        size_t n = vocab - v < SLICE ? vocab - v : SLICE;
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n, (int)dim, (int)b->rows, 1.0f,
                    b->scores + v, (int)vocab, b->y, (int)dim, 1.0f, dW + v * dim, (int)dim);
        if (bias)
            bw_linear_db_part(db + v, b->scores + v, b->rows, n, vocab);
    }
}

/* Loss and gradient of a group of rows a task; sums[g] is the group's loss. */
static double block_loss(const bw_transformer *t, block *b, float smoothing, float factor,
                         bool backward, float *logprobs) {
    const float *W = bw_tf_at(t, output_of(t)->weight);
    size_t dim = t->c.dim, vocab = t->c.vocab;
    double sums[MOST_ROWS / GROUP + 1] = {0}, total = 0;
    bool worth = b->rows * vocab > BW_WORTH_THREADS;
#pragma omp parallel for schedule(dynamic, 1) if (worth)
    for (size_t g = 0; g < b->rows; g += GROUP) {
        size_t n = b->rows - g < GROUP ? b->rows - g : GROUP;
        float *s = b->scores + g * vocab;
        for (size_t r = 0; logprobs && r < n; r++)
            logprobs[b->place[g + r]] = (float)((double)s[r * vocab + (size_t)b->labels[g + r]] -
                                                bw_log_sum_exp(s + r * vocab, vocab));
        sums[g / GROUP] =
            bw_cross_entropy(backward ? s : NULL, s, b->labels + g, n, vocab, smoothing, factor);
        if (backward)
            bw_linear_dx(b->d + g * dim, s, W, n, dim, vocab, 0);
    }
    for (size_t g = 0; g < b->rows; g += GROUP)
        total += sums[g / GROUP];
    return total;
}

/* Gathers the next rows that have a label, from *next on. */
static void gather(const bw_transformer *t, block *b, const float *hidden, const int32_t *labels,
                   size_t n_tokens, size_t *next) {
    size_t dim = t->c.dim, most = block_rows(t);
    b->rows = 0;
    for (; *next < n_tokens && b->rows < most; (*next)++) {
        if (labels[*next] < 0)
            continue;
        memcpy(b->x + b->rows * dim, hidden + *next * dim, dim * sizeof *b->x);
        b->labels[b->rows] = labels[*next];
        b->place[b->rows++] = *next;
    }
}

static void scatter(const bw_transformer *t, const block *b, float *d_hidden) {
    size_t dim = t->c.dim;
    for (size_t r = 0; r < b->rows; r++)
        for (size_t i = 0; i < dim; i++)
            d_hidden[b->place[r] * dim + i] += b->d[r * dim + i];
}

bw_status bw_head_tokens(const bw_transformer *t, bw_objective *o, const float *hidden, size_t rows,
                         float *logits, bw_err *err) {
    block b;
    bw_status st = block_new(t, o, &b, err);
    size_t most = block_rows(t), dim = t->c.dim;
    for (size_t r = 0; st == BW_OK && r < rows; r += b.rows) {
        b.rows = rows - r < most ? rows - r : most;
        memcpy(b.x, hidden + r * dim, b.rows * dim * sizeof *b.x);
        transform(t, &b);
        block_scores(t, b.y, b.rows, logits + r * t->c.vocab);
    }
    return st;
}

bw_status bw_loss_tokens(bw_transformer *t, bw_objective *o, const float *hidden,
                         const int32_t *labels, size_t n_tokens, float smoothing, double weight,
                         double *loss, size_t *counted, float *logprobs, float *d_hidden,
                         bw_err *err) {
    block b = {0};
    size_t count = 0, place[MOST_ROWS];
    bw_status st = check_labels(labels, n_tokens, t->c.vocab, &count, err);
    if (st == BW_OK)
        st = block_new(t, o, &b, err);
    if (st == BW_OK && d_hidden)
        st = bw_params_need_grad(&t->p, err);
    *loss = 0;
    if (counted)
        *counted = count;
    b.place = place;
    float factor = count ? (float)(weight / (double)count) : 0;
    for (size_t next = 0; st == BW_OK && next < n_tokens;) {
        gather(t, &b, hidden, labels, n_tokens, &next);
        if (!b.rows)
            break;
        transform(t, &b);
        block_scores(t, b.y, b.rows, b.scores);
        *loss += block_loss(t, &b, smoothing, factor, d_hidden, logprobs);
        if (!d_hidden)
            continue;
        output_gradients(t, &b);
        transform_backward(t, &b);
        scatter(t, &b, d_hidden);
    }
    if (count)
        *loss /= (double)count;
    return st;
}
