/* model/generate/generate.h - continuing a prompt: greedy, sampling, beam search.
 *
 * The model is seen through a bw_stepper: something that takes tokens for a number of sequences and
 * answers with scores for the next one. bw_stepper_of_cache makes one from a key/value cache; tests
 * use a table. The prompt is read once and shared by all sequences.
 *
 * Meanings and results are those of Hugging Face transformers (generate of version 4.41): the same
 * tokens for greedy and beam search, the same scores. Sampling uses random numbers of its own:
 * sequence i depends on the seed and on i alone, not on how many are drawn. */
#ifndef BW_MODEL_GENERATE_H
#define BW_MODEL_GENERATE_H

#include "model/core/decoder.h"
#include "model/generate/sample.h"
#include "model/tokenizer/tokenizer.h"

#include <stdbool.h>

typedef struct {
    void *self;
    size_t vocab;    /* scores a step */
    size_t slots;    /* sequences it holds */
    size_t capacity; /* tokens a sequence can have */
    /* Appends counts[i] tokens to slot slots[i] for i < n; ids holds them one sequence behind the
     * other. logits [n, vocab]: scores for what follows the last of each. */
    bw_status (*append)(void *self, const size_t *slots, size_t n, const int32_t *ids,
                        const size_t *counts, float *logits, bw_err *err);
    /* Slot i becomes a copy of what slot from[i] was, for all slots. */
    bw_status (*reorder)(void *self, const size_t *from, bw_err *err);
} bw_stepper;

/* The cache is borrowed; it has `slots` sequences, empty (an encoder-decoder's source encoded). */
bw_stepper bw_stepper_of_cache(bw_kv_cache *cache, size_t vocab, size_t slots);

typedef enum {
    BW_EARLY_FALSE, /* stop when no open beam is likely to beat the finished ones */
    BW_EARLY_TRUE,  /* stop when there are as many finished ones as beams */
    BW_EARLY_NEVER  /* stop when no open beam can beat the finished ones */
} bw_early_stopping;

/* Forbids tokens in a constrained slot: sets logits[vocab] of those to -INFINITY, given the tokens
 * so far of a sequence, prompt included. Called ahead of the processors. */
typedef void bw_mask_fn(void *data, const int32_t *ids, size_t n, float *logits, size_t vocab);

#define BW_MAX_EOS 8

typedef struct {
    size_t n;          /* sequences to return; 0: 1 */
    bool sample;       /* draw; otherwise the likeliest token */
    uint64_t seed;     /* of the draws */
    size_t beams;      /* 0 or 1: no beam search */
    size_t max_length; /* tokens in all, the prompt included */
    bw_processors processors;
    int32_t eos[BW_MAX_EOS]; /* [n_eos] tokens that end a text */
    size_t n_eos;
    double length_penalty; /* beams: score = sum of log-probabilities / length ^ this */
    bw_early_stopping early_stopping;
    const bw_tokenizer *tokenizer; /* for stop strings only */
    const char *const *stop;       /* [n_stop] end a text too; not with beams */
    size_t n_stop;
    bw_mask_fn *mask; /* NULL: none */
    void *mask_data;
} bw_generation; /* start from {.max_length = ..., .length_penalty = 1} */

typedef enum {
    BW_ENDED_LENGTH, /* max_length reached */
    BW_ENDED_EOS,
    BW_ENDED_STOP,  /* a stop string stands in the text */
    BW_ENDED_BARRED /* every token was forbidden */
} bw_ended;

typedef struct {
    int32_t *ids;    /* [n] new tokens, the end-of-text token included where reached */
    float *logprobs; /* [n] of each under the model, before masks and processors; NULL for beams */
    size_t n;
    double score; /* beams: see length_penalty; else the sum of logprobs */
    bw_ended ended;
} bw_sequence;

typedef struct {
    bw_sequence *seq; /* [n] beams: best first */
    size_t n;
} bw_generated;

/* Continues prompt[0 .. n_prompt), n_prompt > 0 (for an encoder-decoder the decoder's start token).
 * On BW_OK *out is to be freed with bw_generated_free. BW_EARG: settings that contradict each
 * other, or do not fit the stepper; BW_EINTERRUPTED. */
bw_status bw_generate(const bw_stepper *model, const int32_t *prompt, size_t n_prompt,
                      const bw_generation *how, bw_generated *out, bw_err *err);
void bw_generated_free(bw_generated *g);

#endif
