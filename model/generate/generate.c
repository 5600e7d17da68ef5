/* model/generate/generate.c - greedy decoding and sampling, several sequences side by side. See
 * generate.h. */
#include "model/generate/generate.h"

#include "model/generate/beam.h"
#include "model/core/ops.h"

#include <stdlib.h>
#include <string.h>

/* --- sequences side by side ------------------------------------------------------------------- */

typedef struct {
    const bw_stepper *model;
    const bw_generation *how;
    size_t n, n_prompt;
    int32_t *ids;         /* [n, max_length] prompt and what follows */
    float *logits;        /* [n, vocab] for the sequences still open, in their order */
    float *row;           /* [vocab] the scores at work */
    bw_sampler **draw;    /* [n] a stream of random numbers each */
    size_t *open, n_open; /* sequences that go on */
    int32_t *next;        /* [n] their new tokens */
    size_t *ones;         /* [n] all 1: one token each */
    size_t longest_stop;  /* bytes */
    bw_generated *out;
} run;

static void run_free(run *r) {
    for (size_t i = 0; r->draw && i < r->n; i++)
        bw_sampler_free(r->draw[i]);
    free(r->ids);
    free(r->logits);
    free(r->row);
    free(r->draw);
    free(r->open);
    free(r->next);
    free(r->ones);
}

static bool run_alloc(run *r) {
    size_t n = r->n, vocab = r->model->vocab;
    r->ids = malloc(n * r->how->max_length * sizeof *r->ids);
    r->logits = malloc(n * vocab * sizeof *r->logits);
    r->row = malloc(vocab * sizeof *r->row);
    r->draw = calloc(n, sizeof(bw_sampler *));
    r->open = malloc(n * sizeof *r->open);
    r->next = malloc(n * sizeof *r->next);
    r->ones = malloc(n * sizeof *r->ones);
    if (!r->ids || !r->logits || !r->row || !r->draw || !r->open || !r->next || !r->ones)
        return false;
    size_t room = r->how->max_length - r->n_prompt;
    for (size_t i = 0; i < n; i++) {
        bw_sequence *s = &r->out->seq[i];
        r->draw[i] = bw_sampler_new(vocab);
        s->ids = malloc((room ? room : 1) * sizeof *s->ids);
        s->logprobs = malloc((room ? room : 1) * sizeof *s->logprobs);
        if (!r->draw[i] || !s->ids || !s->logprobs)
            return false;
        bw_sampler_seed(r->draw[i], r->how->seed, i);
        r->open[i] = i;
        r->ones[i] = 1;
    }
    r->n_open = n;
    return true;
}

/* The prompt goes into slot 0 and is copied to the others. */
static bw_status prefill(run *r, const int32_t *prompt, bw_err *err) {
    size_t vocab = r->model->vocab, *from = calloc(r->model->slots, sizeof *from);
    if (!from)
        return bw_fail_memory(err);
    bw_status st = r->model->append(r->model->self, from, 1, prompt, &r->n_prompt, r->logits, err);
    if (st == BW_OK && r->n > 1)
        st = r->model->reorder(r->model->self, from, err);
    free(from);
    for (size_t i = 0; i < r->n; i++) {
        memcpy(r->ids + i * r->how->max_length, prompt, r->n_prompt * sizeof *prompt);
        if (i)
            memcpy(r->logits + i * vocab, r->logits, vocab * sizeof *r->logits);
    }
    return st;
}

/* Whether a stop string stands in the text of the last tokens. A token is at least a byte, so as
 * many tokens as the longest stop string has bytes hold any that ends in the newest token. */
static bw_status has_stop(const run *r, const bw_sequence *s, bool *yes, bw_err *err) {
    *yes = false;
    if (!r->longest_stop)
        return BW_OK;
    size_t tail = s->n < r->longest_stop ? s->n : r->longest_stop, len;
    char *text;
    bw_status st = bw_tokenizer_decode(r->how->tokenizer, s->ids + s->n - tail, tail,
                                       BW_DECODE_SKIP_SPECIAL | BW_DECODE_BYTES, &text, &len, err);
    for (size_t i = 0; st == BW_OK && i < r->how->n_stop; i++)
        *yes = *yes || memmem(text, len, r->how->stop[i], strlen(r->how->stop[i])) != NULL;
    free(text);
    return st;
}

static bool is_eos(const bw_generation *how, int32_t id) {
    for (size_t i = 0; i < how->n_eos; i++)
        if (how->eos[i] == id)
            return true;
    return false;
}

/* Picks the next token of sequence i from its scores; -1: none is allowed. */
static int32_t pick(run *r, size_t i, const float *logits, float *logprob) {
    const bw_generation *how = r->how;
    bw_sequence *s = &r->out->seq[i];
    const int32_t *ids = r->ids + i * how->max_length;
    size_t n = r->n_prompt + s->n, vocab = r->model->vocab;
    memcpy(r->row, logits, vocab * sizeof *r->row);
    bw_history h = {ids, n, how->max_length, how->eos, how->n_eos};
    if (how->mask)
        how->mask(how->mask_data, ids, n, r->row, vocab);
    bw_sampler_apply(r->draw[i], &how->processors, &h, r->row);
    int32_t id = how->sample ? bw_sampler_draw(r->draw[i], r->row) : bw_argmax(r->row, vocab);
    if (id >= 0)
        *logprob = (float)((double)logits[id] - bw_log_sum_exp(logits, vocab));
    return id;
}

/* Appends a token to sequence i; *open is false when that ends it. */
static bw_status extend(run *r, size_t i, int32_t id, float logprob, bool *open, bw_err *err) {
    bw_sequence *s = &r->out->seq[i];
    *open = false;
    if (id < 0) {
        s->ended = BW_ENDED_BARRED;
        return BW_OK;
    }
    r->ids[i * r->how->max_length + r->n_prompt + s->n] = id;
    s->ids[s->n] = id;
    s->logprobs[s->n++] = logprob;
    s->score += (double)logprob;
    bool stopped;
    bw_status st = has_stop(r, s, &stopped, err);
    if (is_eos(r->how, id))
        s->ended = BW_ENDED_EOS;
    else if (stopped)
        s->ended = BW_ENDED_STOP;
    else if (r->n_prompt + s->n == r->how->max_length)
        s->ended = BW_ENDED_LENGTH;
    else
        *open = true;
    return st;
}

/* One token for every open sequence, then one step of the model for those that stay open. */
static bw_status step(run *r, bw_err *err) {
    size_t still = 0;
    for (size_t k = 0; k < r->n_open; k++) {
        size_t i = r->open[k];
        float logprob = 0;
        bool open;
        int32_t id = pick(r, i, r->logits + k * r->model->vocab, &logprob);
        bw_status st = extend(r, i, id, logprob, &open, err);
        if (st != BW_OK)
            return st;
        if (open) {
            r->open[still] = i;
            r->next[still++] = id;
        }
    }
    r->n_open = still;
    if (bw_interrupted())
        return bw_fail(err, BW_EINTERRUPTED, "interrupted");
    return still
               ? r->model->append(r->model->self, r->open, still, r->next, r->ones, r->logits, err)
               : BW_OK;
}

static bw_status side_by_side(const bw_stepper *model, const int32_t *prompt, size_t n_prompt,
                              const bw_generation *how, bw_generated *out, bw_err *err) {
    run r = {.model = model, .how = how, .n = out->n, .n_prompt = n_prompt, .out = out};
    for (size_t i = 0; i < how->n_stop; i++)
        if (strlen(how->stop[i]) > r.longest_stop)
            r.longest_stop = strlen(how->stop[i]);
    bw_status st = run_alloc(&r) ? prefill(&r, prompt, err) : bw_fail_memory(err);
    while (st == BW_OK && r.n_open)
        st = step(&r, err);
    run_free(&r);
    return st;
}

/* --- the way in ------------------------------------------------------------------------------ */

static bw_status check(const bw_stepper *model, size_t n_prompt, const bw_generation *how, size_t n,
                       bw_err *err) {
    size_t rows = how->beams > 1 ? how->beams : n;
    if (!n_prompt)
        return bw_fail(err, BW_EARG, "the prompt has no tokens");
    if (how->max_length <= n_prompt)
        return bw_fail(
            err, BW_EARG,
            "the prompt has %zu tokens already and %zu are allowed in all; nothing could "
            "be added",
            n_prompt, how->max_length);
    if (how->max_length > model->capacity)
        return bw_fail(err, BW_EARG, "%zu tokens are asked for; the model holds %zu",
                       how->max_length, model->capacity);
    if (rows > model->slots)
        return bw_fail(err, BW_EARG, "%zu sequences are asked for; the model was made for %zu",
                       rows, model->slots);
    if (how->beams > 1 && (how->sample || how->n_stop))
        return bw_fail(err, BW_EARG,
                       "beam search goes neither with sampling nor with stop strings");
    if (how->beams > 1 && n > how->beams)
        return bw_fail(err, BW_EARG, "%zu beams cannot give %zu sequences", how->beams, n);
    if (how->beams <= 1 && !how->sample && n > 1)
        return bw_fail(err, BW_EARG, "greedy decoding gives one sequence, not %zu", n);
    if (how->n_stop && !how->tokenizer)
        return bw_fail(err, BW_EARG, "stop strings need the tokenizer");
    return BW_OK;
}

bw_status bw_generate(const bw_stepper *model, const int32_t *prompt, size_t n_prompt,
                      const bw_generation *how, bw_generated *out, bw_err *err) {
    size_t n = how->n ? how->n : 1;
    *out = (bw_generated){0};
    bw_status st = check(model, n_prompt, how, n, err);
    if (st != BW_OK)
        return st;
    out->seq = calloc(n, sizeof *out->seq);
    if (!out->seq)
        return bw_fail_memory(err);
    out->n = n;
    st = how->beams > 1 ? bw_beam_search(model, prompt, n_prompt, how, out, err)
                        : side_by_side(model, prompt, n_prompt, how, out, err);
    if (st != BW_OK)
        bw_generated_free(out);
    return st;
}

void bw_generated_free(bw_generated *g) {
    for (size_t i = 0; i < g->n; i++) {
        free(g->seq[i].ids);
        free(g->seq[i].logprobs);
    }
    free(g->seq);
    *g = (bw_generated){0};
}
