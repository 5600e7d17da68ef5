/* model/generate/sample.h - from scores to the next token: processors that reshape or forbid, and
 * the draw.
 *
 * Processors work in place on logits[vocab], left to right; a forbidden token gets -INFINITY. They
 * are those of Hugging Face transformers, ties and edges included:
 *
 *   temperature           divides all scores
 *   top_k                 keeps the k best, and every token tied with the k-th
 *   top_p                 nucleus (Holtzman et al. 2020): drops the least likely tokens whose
 *                         probabilities add up to at most 1 - p
 *   min_p                 drops tokens less likely than p times the likeliest (Nguyen et al. 2024)
 *   typical_p             keeps tokens whose surprise is nearest to the entropy, mass p (Meister et
 *                         al. 2023)
 *   repetition_penalty    divides positive and multiplies negative scores of tokens seen (Keskar et
 *                         al. 2019)
 *   no_repeat_ngram_size  forbids what would complete an n-gram seen before
 *   min_length            forbids the end-of-text tokens while fewer tokens are there
 *   forced_bos_token_id, forced_eos_token_id   the only token at the first, the last place */
#ifndef BW_MODEL_SAMPLE_H
#define BW_MODEL_SAMPLE_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum {
    BW_PROC_TEMPERATURE,
    BW_PROC_TOP_K,
    BW_PROC_TOP_P,
    BW_PROC_MIN_P,
    BW_PROC_TYPICAL_P,
    BW_PROC_REPETITION_PENALTY,
    BW_PROC_NO_REPEAT_NGRAM,
    BW_PROC_MIN_LENGTH,
    BW_PROC_FORCED_BOS,
    BW_PROC_FORCED_EOS,
    BW_N_PROC
} bw_proc_kind;

typedef struct {
    bw_proc_kind kind;
    double value;
} bw_processor;

#define BW_MAX_PROCESSORS 16

typedef struct {
    bw_processor steps[BW_MAX_PROCESSORS];
    size_t n;
} bw_processors; /* {0}: the scores as they are */

/* Checks the range of value and appends. BW_EARG names the processor and its range. */
bw_status bw_processors_add(bw_processors *p, bw_proc_kind kind, double value, bw_err *err);
/* "temperature=0.7,top_k=50" appended to p. */
bw_status bw_processors_parse(bw_processors *p, const char *text, bw_err *err);

/* What the processors may look at. */
typedef struct {
    const int32_t *ids; /* [n] the tokens so far, prompt included */
    size_t n;
    size_t max_length;  /* of the finished sequence; 0: none is set */
    const int32_t *eos; /* [n_eos] */
    size_t n_eos;
} bw_history;

/* A worker: scratch for one vocabulary size and a stream of random numbers. One per thread. */
typedef struct bw_sampler bw_sampler;

bw_sampler *bw_sampler_new(size_t vocab); /* NULL: out of memory */
void bw_sampler_free(bw_sampler *s);      /* NULL is fine */

void bw_sampler_apply(bw_sampler *s, const bw_processors *p, const bw_history *history,
                      float *logits);

/* Starts the stream: equal seed and stream give equal draws; streams do not overlap in practice
 * (xoshiro256**, seeded by splitmix64: Blackman and Vigna 2021). */
void bw_sampler_seed(bw_sampler *s, uint64_t seed, uint64_t stream);
/* A token drawn by softmax(logits). The likeliest one where nothing else is left; -1 if every token
 * is forbidden. */
int32_t bw_sampler_draw(bw_sampler *s, const float *logits);

/* The likeliest token, the smallest id among equals; -1 if every token is forbidden. */
int32_t bw_argmax(const float *logits, size_t vocab);
/* logits[vocab] become log-probabilities; all of them finite. */
void bw_log_softmax(float *logits, size_t vocab);

#endif
