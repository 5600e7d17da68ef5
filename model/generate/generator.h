/* model/generate/generator.h - a model that writes: prompt in, texts out.
 *
 * Opens a folder with a decoder (GPT-2, Llama, SmolLM2, Qwen2) or an encoder-decoder (BART, T5) and
 * its tokenizer. A decoder continues the prompt; an encoder-decoder reads it and writes anew. */
#ifndef BW_MODEL_GENERATOR_H
#define BW_MODEL_GENERATOR_H

#include "model/generate/generate.h"

typedef struct bw_generator bw_generator;

/* kind: arithmetic of the decoder; f32 is exact, bf16 and int8 read less memory and are faster. On
 * BW_OK *out is the caller's to free. BW_EDATA: the model cannot write (an encoder, a
 * classifier). */
bw_status bw_generator_load(const char *dir, bw_pack_kind kind, bw_generator **out, bw_err *err);
void bw_generator_free(bw_generator *g); /* NULL is fine */
/* True if texts continue the prompt, false if the prompt is a source that is rewritten. */
bool bw_generator_continues(const bw_generator *g);

typedef struct {
    size_t n;          /* texts */
    size_t max_length; /* tokens in all, the prompt's included when it is continued */
    uint64_t seed;
    bool sample;  /* false: the likeliest text (n = 1), or beam search */
    size_t beams; /* 0 or 1: none */
    bw_processors processors;
    double length_penalty;   /* beams */
    const char *const *stop; /* [n_stop] texts end in front of these */
    size_t n_stop;
    bw_mask_fn *mask; /* NULL: none */
    void *mask_data;
} bw_writing;

typedef struct {
    char *text; /* without the prompt, NUL-terminated */
    size_t tokens;
    double logprob; /* under the model; beams: their score */
    bw_ended ended;
} bw_draft;

typedef struct {
    bw_draft *draft; /* [n] */
    size_t n;
    size_t prompt_tokens, prompt_cut; /* read, and left out because the prompt was too long */
    size_t max_length;                /* as used: no more than the model holds */
} bw_drafts;

/* A prompt too long to leave room loses its beginning (its end, for an encoder-decoder); prompt_cut
 * says how much. On BW_OK *out is to be freed with bw_drafts_free. */
bw_status bw_generator_write(bw_generator *g, const char *prompt, size_t len, const bw_writing *how,
                             bw_drafts *out, bw_err *err);
void bw_drafts_free(bw_drafts *d);

#endif
