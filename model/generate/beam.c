/* model/generate/beam.c - beam search, step by step as the reference does it.
 *
 * The beams live in slots 0 .. beams - 1. Each step ranks all continuations of all beams; those
 * that end a text and rank among the first `beams` become hypotheses, the best of the others the
 * new beams. As many hypotheses as beams are kept, the best by score. */
#include "model/generate/beam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A score no real beam falls to: at the start only the first of the equal beams counts. */
#define FIRST_BEAM_ONLY (-1e9f)

typedef struct {
    float score;
    size_t beam;
    int32_t token;
} candidate;

typedef struct {
    int32_t *ids;
    size_t n; /* prompt included */
    double score;
} hypothesis;

typedef struct {
    const bw_stepper *model;
    const bw_generation *how;
    size_t beams, n_prompt, len; /* len: tokens of every beam */
    int32_t *ids, *ids2;         /* [beams, max_length] */
    float *scores, *logits;      /* [beams], [beams, vocab] */
    candidate *rank;             /* [n_rank] the best continuations, best first */
    size_t n_rank;
    hypothesis *hyps; /* [beams + 1] */
    size_t n_hyps;
    double worst; /* score of the worst hypothesis kept */
    size_t *slots, *from, *ones;
    int32_t *next;
    bw_sampler *sampler;
} search;

static void search_free(search *b) {
    for (size_t i = 0; b->hyps && i < b->n_hyps; i++)
        free(b->hyps[i].ids);
    free(b->ids);
    free(b->ids2);
    free(b->scores);
    free(b->logits);
    free(b->rank);
    free(b->hyps);
    free(b->slots);
    free(b->from);
    free(b->ones);
    free(b->next);
    bw_sampler_free(b->sampler);
}

static bool search_alloc(search *b) {
    size_t n = b->beams, cells = n * b->how->max_length, slots = b->model->slots;
    b->n_rank = (b->how->n_eos > 1 ? 1 + b->how->n_eos : 2) * n;
    b->ids = malloc(cells * sizeof *b->ids);
    b->ids2 = malloc(cells * sizeof *b->ids2);
    b->scores = malloc(n * sizeof *b->scores);
    b->logits = malloc(n * b->model->vocab * sizeof *b->logits);
    b->rank = malloc(b->n_rank * sizeof *b->rank);
    b->hyps = calloc(n + 1, sizeof *b->hyps);
    b->slots = malloc(n * sizeof *b->slots);
    b->from = calloc(slots, sizeof *b->from);
    b->ones = malloc(n * sizeof *b->ones);
    b->next = malloc(n * sizeof *b->next);
    b->sampler = bw_sampler_new(b->model->vocab);
    b->worst = 1e9;
    return b->ids && b->ids2 && b->scores && b->logits && b->rank && b->hyps && b->slots &&
           b->from && b->ones && b->next && b->sampler;
}

static bw_status prefill(search *b, const int32_t *prompt, bw_err *err) {
    size_t vocab = b->model->vocab;
    bw_status st =
        b->model->append(b->model->self, b->from, 1, prompt, &b->n_prompt, b->logits, err);
    if (st == BW_OK)
        st = b->model->reorder(b->model->self, b->from, err);
    for (size_t i = 0; i < b->beams; i++) {
        memcpy(b->ids + i * b->how->max_length, prompt, b->n_prompt * sizeof *prompt);
        if (i)
            memcpy(b->logits + i * vocab, b->logits, vocab * sizeof *b->logits);
        b->scores[i] = i ? FIRST_BEAM_ONLY : 0;
        b->slots[i] = i;
        b->ones[i] = 1;
    }
    b->len = b->n_prompt;
    return st;
}

/* Log-probabilities plus what the beam has so far; the processors see log-probabilities. */
static void score_beam(search *b, size_t i) {
    size_t vocab = b->model->vocab;
    float *x = b->logits + i * vocab;
    const int32_t *ids = b->ids + i * b->how->max_length;
    bw_history h = {ids, b->len, b->how->max_length, b->how->eos, b->how->n_eos};
    bw_log_softmax(x, vocab);
    if (b->how->mask)
        b->how->mask(b->how->mask_data, ids, b->len, x, vocab);
    bw_sampler_apply(b->sampler, &b->how->processors, &h, x);
    for (size_t k = 0; k < vocab; k++)
        x[k] += b->scores[i];
}

/* The n_rank best of all continuations, best first, lower places first among equals. */
static size_t rank_all(search *b) {
    size_t vocab = b->model->vocab, n = 0;
    for (size_t i = 0; i < b->beams; i++) {
        score_beam(b, i);
        for (size_t k = 0; k < vocab; k++) {
            float score = b->logits[i * vocab + k];
            if (isnan(score) || (n == b->n_rank && !(score > b->rank[n - 1].score)))
                continue;
            size_t at = n < b->n_rank ? n++ : n - 1;
            for (; at && b->rank[at - 1].score < score; at--)
                b->rank[at] = b->rank[at - 1];
            b->rank[at] = (candidate){score, i, (int32_t)k};
        }
    }
    return n;
}

/* Drops the worst hypothesis (the oldest among equals) and notes who is worst then. */
static void drop_worst(search *b) {
    size_t out = 0;
    for (size_t i = 1; i < b->n_hyps; i++)
        if (b->hyps[i].score < b->hyps[out].score)
            out = i;
    free(b->hyps[out].ids);
    memmove(b->hyps + out, b->hyps + out + 1, (b->n_hyps - out - 1) * sizeof *b->hyps);
    b->n_hyps--;
    b->worst = b->hyps[0].score;
    for (size_t i = 1; i < b->n_hyps; i++)
        b->worst = fmin(b->worst, b->hyps[i].score);
}

/* length: generated tokens, an end-of-text token included. */
static bw_status add_hypothesis(search *b, size_t beam, float sum, size_t length, bw_err *err) {
    double score = (double)sum / pow((double)length, b->how->length_penalty);
    if (b->n_hyps == b->beams && !(score > b->worst))
        return BW_OK;
    int32_t *ids = malloc(b->len * sizeof *ids);
    if (!ids)
        return bw_fail_memory(err);
    memcpy(ids, b->ids + beam * b->how->max_length, b->len * sizeof *ids);
    b->hyps[b->n_hyps++] = (hypothesis){ids, b->len, score};
    if (b->n_hyps > b->beams)
        drop_worst(b);
    else
        b->worst = fmin(score, b->worst);
    return BW_OK;
}

static bool is_eos(const bw_generation *how, int32_t id) {
    for (size_t i = 0; i < how->n_eos; i++)
        if (how->eos[i] == id)
            return true;
    return false;
}

/* Sorts the ranked continuations into hypotheses and the next beams. */
static bw_status choose(search *b, size_t n, bw_err *err) {
    size_t max = b->how->max_length, open = 0;
    for (size_t r = 0; r < n && open < b->beams; r++) {
        candidate c = b->rank[r];
        if (is_eos(b->how, c.token)) {
            bw_status st = r < b->beams
                               ? add_hypothesis(b, c.beam, c.score, b->len + 1 - b->n_prompt, err)
                               : BW_OK;
            if (st != BW_OK)
                return st;
            continue;
        }
        memcpy(b->ids2 + open * max, b->ids + c.beam * max, b->len * sizeof *b->ids);
        b->ids2[open * max + b->len] = c.token;
        b->scores[open] = c.score;
        b->from[open] = c.beam;
        b->next[open++] = c.token;
    }
    if (open < b->beams)
        return bw_fail(
            err, BW_EDATA,
            "beam search ran out of tokens: the vocabulary is too small for %zu beams, or "
            "the scores are not numbers",
            b->beams);
    int32_t *swap = b->ids;
    b->ids = b->ids2;
    b->ids2 = swap;
    b->len++;
    return BW_OK;
}

/* Whether what is finished cannot be beaten any more; best: the best continuation of this step. */
static bool is_done(const search *b, float best) {
    const bw_generation *how = b->how;
    if (b->n_hyps < b->beams)
        return false;
    if (how->early_stopping == BW_EARLY_TRUE)
        return true;
    size_t length = b->len - b->n_prompt;
    if (how->early_stopping == BW_EARLY_NEVER && how->length_penalty > 0)
        length = how->max_length - b->n_prompt;
    return b->worst >= (double)best / pow((double)length, how->length_penalty);
}

static bw_status advance(search *b, bw_err *err) {
    for (size_t i = b->beams; i < b->model->slots; i++)
        b->from[i] = i;
    bw_status st = b->model->reorder(b->model->self, b->from, err);
    return st == BW_OK ? b->model->append(b->model->self, b->slots, b->beams, b->next, b->ones,
                                          b->logits, err)
                       : st;
}

/* Index of the best hypothesis left, the newest among equals. */
static size_t best_hypothesis(const search *b) {
    size_t best = 0;
    for (size_t i = 1; i < b->n_hyps; i++)
        if (b->hyps[i].score >= b->hyps[best].score)
            best = i;
    return best;
}

/* New tokens of a hypothesis; one that ended by an end-of-text token gets it back. */
static bool deliver(const search *b, const hypothesis *h, bw_sequence *s) {
    bool ended = h->n < b->how->max_length && b->how->n_eos;
    size_t n = h->n - b->n_prompt;
    s->ids = malloc((n + 1) * sizeof *s->ids);
    if (!s->ids)
        return false;
    memcpy(s->ids, h->ids + b->n_prompt, n * sizeof *s->ids);
    if (ended)
        s->ids[n++] = b->how->eos[0];
    s->n = n;
    s->score = h->score;
    s->ended = ended || (n && is_eos(b->how, s->ids[n - 1])) ? BW_ENDED_EOS : BW_ENDED_LENGTH;
    return true;
}

static bw_status deliver_all(search *b, bw_generated *out, bw_err *err) {
    for (size_t i = 0; i < out->n; i++) {
        if (!b->n_hyps)
            return bw_fail(err, BW_EDATA, "beam search found %zu texts, %zu are wanted", i, out->n);
        size_t best = best_hypothesis(b);
        bool good = deliver(b, &b->hyps[best], &out->seq[i]);
        free(b->hyps[best].ids);
        memmove(b->hyps + best, b->hyps + best + 1, (b->n_hyps - best - 1) * sizeof *b->hyps);
        b->n_hyps--;
        if (!good)
            return bw_fail_memory(err);
    }
    return BW_OK;
}

static bw_status run(search *b, const int32_t *prompt, bw_err *err) {
    bw_status st = prefill(b, prompt, err);
    bool done = false;
    while (st == BW_OK && !done) {
        size_t n = rank_all(b);
        float best = n ? b->rank[0].score : -INFINITY;
        st = choose(b, n, err);
        done = st == BW_OK && is_done(b, best);
        if (st != BW_OK || done || b->len == b->how->max_length)
            break;
        st = bw_interrupted() ? bw_fail(err, BW_EINTERRUPTED, "interrupted") : advance(b, err);
    }
    for (size_t i = 0; st == BW_OK && !done && i < b->beams; i++)
        st = add_hypothesis(b, i, b->scores[i], b->len - b->n_prompt, err);
    return st;
}

bw_status bw_beam_search(const bw_stepper *model, const int32_t *prompt, size_t n_prompt,
                         const bw_generation *how, bw_generated *out, bw_err *err) {
    search b = {.model = model, .how = how, .beams = how->beams, .n_prompt = n_prompt};
    bw_status st = search_alloc(&b) ? run(&b, prompt, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = deliver_all(&b, out, err);
    search_free(&b);
    return st;
}
