/* model/train/train_pretrain.c - one step of pre-training: masked tokens and next sentence (Devlin et al.
 * 2019, section 3.1).
 *
 * A text is cut at a sentence end near its middle; the second part is its own, or in half the cases
 * that of another text. 15 % of the tokens are to be guessed: 80 % of them become [MASK], 10 % another
 * token, 10 % stay. N-grams would give a masked token away, so those that touch one are dropped.
 * Scores are h P E^T + bias, E the token embeddings and P what carries them to the layers' width (none
 * when they are as wide), not over the whole vocabulary but over the batch's
 * own masked tokens and as many drawn evenly as make CANDIDATES (sampled softmax, Jean et al. 2015):
 * a tenth of the work. */
#include "model/train/train.h"

#include "model/core/linear.h"
#include "model/core/ops.h"
#include "model/core/simd.h"
#include "model/shipped/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MASK_SHARE 0.15
#define MASK_REACH 3 /* tokens behind a masked one whose n-grams may hold it */
#define CANDIDATES 1536
#define MIN_BYTES  60   /* of a text that is cut in two */
#define LOSS_SCALE 0.1f /* of one masked token; some hundred a batch */

typedef struct {
    uint32_t token; /* where */
    int32_t id;     /* what stood there */
    int8_t nsp;     /* -1: a masked token; else this sequence's class: 1 = belongs together */
} job;

/* Byte offset of a sentence start nearest to the middle, 0 when the text is one sentence. */
static size_t middle(const char *text) {
    size_t len = strlen(text), at = 0, best = 0;
    const char *s;
    for (size_t n; (n = bw_text_sentence(text, &at, &s)) > 0;) {
        size_t begin = (size_t)(s - text);
        if (begin && llabs((long long)begin - (long long)len / 2) <
                         llabs((long long)best - (long long)len / 2))
            best = begin;
    }
    return best;
}

static bw_status add_pair(bw_trainer_state *t, const char *text, size_t cut, bool together,
                          bw_err *err) {
    char *head = strndup(text, cut);
    if (!head)
        return bw_fail_memory(err);
    bw_status st = bw_inputs_add(&t->in, &t->reader, head, t->max_tokens / 2, err);
    free(head);
    const char *tail = text + cut;
    if (!together) {
        const char *other =
            t->data->example[bw_mixer_next(&t->sampler, &t->rng, t->seed)->first].text;
        tail = other + middle(other);
    }
    return st == BW_OK ? bw_inputs_join(&t->in, &t->reader, tail, t->max_tokens / 2, err) : st;
}

static bw_status add_job(bw_trainer_state *t, job j, bw_err *err) {
    job *p = bw_train_job(t, sizeof *p);
    if (!p)
        return bw_fail_memory(err);
    *p = j;
    return BW_OK;
}

static bw_status add_text(bw_trainer_state *t, const char *text, bw_err *err) {
    size_t cut = strlen(text) >= MIN_BYTES ? middle(text) : 0, from = t->in.n_tokens;
    if (!cut)
        return bw_inputs_add(&t->in, &t->reader, text, t->max_tokens, err);
    bool together = bw_rng_uniform(&t->rng) < 0.5;
    bw_status st = add_pair(t, text, cut, together, err);
    return st == BW_OK ? add_job(t, (job){(uint32_t)from, 0, together}, err) : st;
}

static bw_status mask(bw_trainer_state *t, bw_err *err) {
    bw_inputs *in = &t->in;
    size_t vocab = bw_tokenizer_size(t->model->tokenizer), w = 0, g = 0, hide = 0;
    int32_t mask_id = bw_tokenizer_role(t->model->tokenizer, BW_ROLE_MASK);
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < in->n_tokens; i++) {
        size_t end = in->ngram_start[i + 1];
        bool real = in->span[i].end > 0;
        if (real && bw_rng_uniform(&t->rng) < MASK_SHARE) {
            double u = bw_rng_uniform(&t->rng);
            st = add_job(t, (job){(uint32_t)i, in->id[i], -1}, err);
            if (u < 0.8)
                in->id[i] = mask_id;
            else if (u < 0.9)
                in->id[i] = (int32_t)bw_rng_below(&t->rng, vocab);
            hide = MASK_REACH + 1;
        }
        in->ngram_start[i] = w;
        for (; g < end; g++)
            if (!hide)
                in->ngram[w++] = in->ngram[g];
        hide -= hide > 0;
    }
    in->ngram_start[in->n_tokens] = in->n_ngrams = w;
    return st;
}

static bw_status draw(bw_trainer_state *t, bw_err *err) {
    bw_inputs_clear(&t->in);
    t->n_jobs = 0;
    bw_status st = BW_OK;
    while (st == BW_OK && t->in.n_tokens < t->batch_tokens)
        st = add_text(t, t->data->example[bw_mixer_next(&t->sampler, &t->rng, t->seed)->first].text,
                      err);
    return st == BW_OK ? mask(t, err) : st;
}

static void nsp_loss(bw_trainer_state *t, const job *j, bw_losses *l) {
    bw_readout *h = &t->model->heads;
    size_t d = h->dim;
    const float *x = bw_tf_hidden(t->ws) + j->token * d, *W = bw_param_data(&h->params, h->nsp_w);
    float z[2], g[2], *dx = t->d_hidden + j->token * d;
    bw_linear(z, x, W, bw_param_data(&h->params, h->nsp_b), 1, d, 2);
    l->sum[BW_LOSS_NSP] += bw_train_cross_entropy(z, 2, (size_t)j->nsp, 1.0f, NULL, g);
    l->n[BW_LOSS_NSP]++;
    bw_linear_dx(dx, g, W, 1, d, 2, 1);
    bw_linear_dw(bw_param_grad(&h->params, h->nsp_w), g, x, 1, d, 2);
    bw_linear_db(bw_param_grad(&h->params, h->nsp_b), g, 1, 2);
}

/* The masked tokens of a batch and the tokens they compete with. */
typedef struct {
    const job **masked; /* [n] */
    size_t n;
    int32_t *candidate; /* [n_candidates] distinct token ids */
    size_t n_candidates;
    int32_t *place; /* [vocab] index among the candidates, -1 = none */
    float *z;       /* [n, n_candidates] scores, then their gradient */
    float *E, *dE;  /* [n_candidates, dim] */
    float *bias, *d_bias;
    float *h;     /* [n, dim] hidden states, then their gradient */
    float *x;     /* [n, embed_dim] the same at the embeddings' width; h itself without P */
    double *loss; /* [n] */
    size_t dim, width;
} guess;

static void guess_free(guess *g) {
    free(g->masked);
    free(g->candidate);
    free(g->place);
    free(g->z);
    free(g->E);
    free(g->dE);
    free(g->bias);
    free(g->d_bias);
    if (g->x != g->h)
        free(g->x);
    free(g->h);
    free(g->loss);
}

static void add_candidate(guess *g, int32_t id) {
    if (g->place[id] >= 0)
        return;
    g->place[id] = (int32_t)g->n_candidates;
    g->candidate[g->n_candidates++] = id;
}

static void choose_candidates(bw_trainer_state *t, guess *g, size_t vocab) {
    const job *j = t->jobs;
    for (size_t i = 0; i < vocab; i++)
        g->place[i] = -1;
    for (size_t i = 0; i < t->n_jobs; i++)
        if (j[i].nsp < 0) {
            g->masked[g->n++] = &j[i];
            add_candidate(g, j[i].id);
        }
    for (size_t tries = 0; g->n_candidates < CANDIDATES && tries < 4 * CANDIDATES; tries++)
        add_candidate(g, (int32_t)bw_rng_below(&t->rng, vocab));
}

static bw_status make_guess(bw_trainer_state *t, guess *g, bw_err *err) {
    const bw_tf_config *c = bw_transformer_config(t->model->tf);
    size_t vocab = c->vocab, most = t->n_jobs + CANDIDATES + 1;
    *g = (guess){.masked = malloc((t->n_jobs + 1) * sizeof *g->masked),
                 .candidate = malloc(most * sizeof *g->candidate),
                 .place = malloc(vocab * sizeof *g->place),
                 .dim = c->dim,
                 .width = c->embed_dim};
    if (!g->masked || !g->candidate || !g->place)
        return bw_fail_memory(err);
    choose_candidates(t, g, vocab);
    size_t n = g->n_candidates;
    g->z = malloc((g->n * n + 1) * sizeof(float));
    g->E = malloc((n * g->width + 1) * sizeof(float));
    g->dE = calloc(n * g->width + 1, sizeof(float));
    g->bias = malloc((n + 1) * sizeof(float));
    g->d_bias = calloc(n + 1, sizeof(float));
    g->h = malloc((g->n * g->dim + 1) * sizeof(float));
    g->loss = malloc((g->n + 1) * sizeof *g->loss);
    g->x = g->width == g->dim ? g->h : malloc((g->n * g->width + 1) * sizeof(float));
    bool good = g->z && g->E && g->dE && g->bias && g->d_bias && g->h && g->loss && g->x;
    return good ? BW_OK : bw_fail_memory(err);
}

/* Copies the rows that take part. */
static void gather(const bw_trainer_state *t, guess *g, const float *E) {
    const float *h = bw_tf_hidden(t->ws), *bias = bw_param_data(&t->extra, 0);
    size_t d = g->dim, w = g->width;
    for (size_t i = 0; i < g->n; i++)
        memcpy(g->h + i * d, h + g->masked[i]->token * d, d * sizeof(float));
    for (size_t i = 0; i < g->n_candidates; i++) {
        memcpy(g->E + i * w, E + (size_t)g->candidate[i] * w, w * sizeof(float));
        g->bias[i] = bias[g->candidate[i]];
    }
}

/* d = LOSS_SCALE * softmax(z) - [right], in place; returns the loss. */
BW_CLONES static double guess_row(float *z, size_t n, size_t right) {
    double lse = bw_log_sum_exp(z, n), loss = lse - (double)z[right];
    float shift = (float)lse;
#pragma omp simd
    for (size_t k = 0; k < n; k++)
        z[k] = LOSS_SCALE * bw_expf(z[k] - shift);
    z[right] -= LOSS_SCALE;
    return loss;
}

/* Loss of the masked tokens, g->loss of each; z becomes the gradient of the scores. */
static double guess_loss(guess *g) {
    double sum = 0;
#pragma omp parallel for if (g->n * g->n_candidates > BW_WORTH_THREADS)
    for (size_t i = 0; i < g->n; i++)
        g->loss[i] = guess_row(g->z + i * g->n_candidates, g->n_candidates,
                               (size_t)g->place[g->masked[i]->id]);
    for (size_t i = 0; i < g->n; i++)
        sum += g->loss[i];
    return sum;
}

static void scatter(bw_trainer_state *t, const guess *g, float *gE) {
    float *g_bias = bw_param_grad(&t->extra, 0);
    size_t d = g->dim, w = g->width;
    for (size_t i = 0; i < g->n_candidates; i++) {
        g_bias[g->candidate[i]] += g->d_bias[i];
        for (size_t k = 0; k < w; k++)
            gE[(size_t)g->candidate[i] * w + k] += g->dE[i * w + k];
    }
    for (size_t i = 0; i < g->n; i++)
        for (size_t k = 0; k < d; k++)
            t->d_hidden[g->masked[i]->token * d + k] += g->h[i * d + k];
}

/* x = h P, P [dim, embed_dim] the matrix "embed.project". */
static void narrow(bw_params *p, const guess *g) {
    if (g->x != g->h)
        bw_linear_dx(g->x, g->h, bw_param_data(p, bw_params_find(p, "embed.project.weight")), g->n,
                     g->width, g->dim, 0);
}

/* h becomes the gradient of the hidden states, from that of x. */
static void narrow_backward(bw_params *p, const guess *g) {
    if (g->x == g->h)
        return;
    size_t i = bw_params_find(p, "embed.project.weight");
    bw_linear_dw(bw_param_grad(p, i), g->h, g->x, g->n, g->width, g->dim);
    bw_linear(g->h, g->x, bw_param_data(p, i), NULL, g->n, g->width, g->dim);
}

static bw_status mlm_loss(bw_trainer_state *t, bw_losses *l, bw_err *err) {
    bw_params *p = bw_transformer_params(t->model->tf);
    size_t e = bw_params_find(p, "embed.token.weight");
    guess g;
    bw_status st = make_guess(t, &g, err);
    if (st == BW_OK && g.n) {
        size_t c = g.n_candidates, w = g.width;
        gather(t, &g, bw_param_data(p, e));
        narrow(p, &g);
        bw_linear(g.z, g.x, g.E, g.bias, g.n, w, c);
        l->sum[BW_LOSS_MLM] += guess_loss(&g);
        l->n[BW_LOSS_MLM] += g.n;
        bw_linear_dw(g.dE, g.z, g.x, g.n, w, c);
        bw_linear_db(g.d_bias, g.z, g.n, c);
        bw_linear_dx(g.x, g.z, g.E, g.n, w, c, 0);
        narrow_backward(p, &g);
        scatter(t, &g, bw_param_grad(p, e));
    }
    guess_free(&g);
    return st;
}

static bw_status losses(bw_trainer_state *t, bw_losses *l, bw_err *err) {
    const job *j = t->jobs;
    for (size_t i = 0; i < t->n_jobs; i++)
        if (j[i].nsp >= 0)
            nsp_loss(t, &j[i], l);
    return mlm_loss(t, l, err);
}

bw_status bw_pretrain_step(bw_trainer_state *t, bw_losses *l, bw_err *err) {
    bw_status st = draw(t, err);
    bw_batch batch = bw_inputs_batch(&t->in);
    bw_tf_mode mode = {.train = true, .dropout_seed = bw_rng_next(&t->rng)};
    if (st == BW_OK)
        st = bw_params_need_grad(bw_transformer_params(t->model->tf), err);
    if (st == BW_OK)
        st = bw_params_need_grad(&t->model->heads.params, err);
    if (st == BW_OK)
        st = bw_params_need_grad(&t->extra, err);
    if (st == BW_OK)
        st = bw_transformer_forward(t->model->tf, t->ws, &batch, NULL, &mode, err);
    if (st == BW_OK)
        st = bw_train_hidden(t, err);
    if (st == BW_OK)
        st = losses(t, l, err);
    return st == BW_OK ? bw_transformer_backward(t->model->tf, t->ws, t->d_hidden, err) : st;
}
