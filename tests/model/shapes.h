/* tests/model/shapes.h - one small configuration for every kind of transformer that the core
 * claims, and random batches for them. */
#ifndef BW_TESTS_MODEL_SHAPES_H
#define BW_TESTS_MODEL_SHAPES_H

#include "model/core/transformer.h"
#include "tests/check.h"

#include <stdlib.h>

typedef struct {
    const char *name;
    bw_tf_config config;
} shape;

#define SMALL .vocab = 37, .dim = 12, .norm_eps = 1e-5f, .init_std = 0.3f
#define TWO \
    { .layers = 2, .heads = 3, .ffn = 20 }

static const shape SHAPES[] = {
    {"bert",
     {SMALL, .kind = BW_TF_ENCODER, .enc = TWO, .max_positions = 19, .pos = BW_POS_LEARNED,
      .token_types = 2, .embed_norm = true, .qkv_bias = true, .out_bias = true, .ffn_bias = true}},
    {"bert-ngrams",
     {SMALL, .kind = BW_TF_ENCODER, .enc = TWO, .max_positions = 19, .pos = BW_POS_LEARNED,
      .embed_norm = true, .qkv_bias = true, .out_bias = true, .ffn_bias = true, .ngram_buckets = 11,
      .ngram_mean = true}},
    {"sinusoidal-relu-rms-post",
     {SMALL, .kind = BW_TF_ENCODER, .enc = TWO, .max_positions = 19, .pos = BW_POS_SINUSOIDAL,
      .norm = BW_NORM_RMS, .act = BW_ACT_RELU, .ngram_buckets = 7}},
    {"gpt2",
     {SMALL, .kind = BW_TF_DECODER, .dec = TWO, .max_positions = 19, .pos = BW_POS_LEARNED,
      .pre_norm = true, .act = BW_ACT_GELU_TANH, .qkv_bias = true, .out_bias = true,
      .ffn_bias = true}},
    {"llama",
     {SMALL, .kind = BW_TF_DECODER, .dec = {.layers = 2, .heads = 4, .kv_heads = 2, .ffn = 20},
      .head_dim = 6, .pos = BW_POS_ROTARY, .rope_theta = 100, .pre_norm = true, .norm = BW_NORM_RMS,
      .act = BW_ACT_SILU, .gated = true}},
    {"qwen2",
     {SMALL, .kind = BW_TF_DECODER, .dec = {.layers = 2, .heads = 2, .kv_heads = 1, .ffn = 20},
      .pos = BW_POS_ROTARY, .rope_theta = 1e6f, .pre_norm = true, .norm = BW_NORM_RMS,
      .act = BW_ACT_SILU, .gated = true, .qkv_bias = true}},
    {"mistral",
     {SMALL, .kind = BW_TF_DECODER, .dec = {.layers = 2, .heads = 4, .kv_heads = 2, .ffn = 20},
      .head_dim = 6, .pos = BW_POS_ROTARY, .rope_theta = 100, .pre_norm = true, .norm = BW_NORM_RMS,
      .act = BW_ACT_SILU, .gated = true, .window = 3,
      .rope_scaling = {BW_ROPE_LLAMA3, .factor = 8, .low = 1, .high = 4, .original = 24}}},
    {"qwen2-window",
     {SMALL, .kind = BW_TF_DECODER, .dec = {.layers = 2, .heads = 2, .kv_heads = 1, .ffn = 20},
      .pos = BW_POS_ROTARY, .rope_theta = 1e6f, .pre_norm = true, .norm = BW_NORM_RMS,
      .act = BW_ACT_SILU, .gated = true, .qkv_bias = true, .window = 4, .window_from = 1,
      .rope_scaling = {BW_ROPE_LINEAR, .factor = 2.5f}}},
    {"bart",
     {SMALL, .kind = BW_TF_ENCODER_DECODER, .enc = TWO, .dec = {.layers = 1, .heads = 3, .ffn = 15},
      .max_positions = 19, .pos_offset = 2, .pos = BW_POS_LEARNED, .embed_norm = true,
      .qkv_bias = true, .out_bias = true, .ffn_bias = true, .embed_scale = 3.5f}},
    {"t5",
     {SMALL, .kind = BW_TF_ENCODER_DECODER, .enc = TWO, .dec = TWO, .head_dim = 5,
      .pos = BW_POS_RELATIVE, .rel_buckets = 8, .rel_max_distance = 12, .pre_norm = true,
      .norm = BW_NORM_RMS, .act = BW_ACT_RELU, .attn_scale = 1, .embed_scale = 8}},
    {"t5-gated",
     {SMALL, .kind = BW_TF_ENCODER_DECODER, .enc = TWO, .dec = TWO, .head_dim = 5,
      .pos = BW_POS_RELATIVE, .rel_buckets = 8, .rel_max_distance = 12, .pre_norm = true,
      .norm = BW_NORM_RMS, .act = BW_ACT_GELU_TANH, .gated = true, .attn_scale = 1,
      .embed_scale = 8}},
    {"factorised-ngrams",
     {SMALL, .kind = BW_TF_ENCODER, .enc = TWO, .pos = BW_POS_ROTARY, .rope_theta = 100,
      .pre_norm = true, .qkv_bias = true, .out_bias = true, .ffn_bias = true, .ngram_buckets = 11,
      .embed_dim = 7}},
};
#define N_SHAPES (sizeof SHAPES / sizeof *SHAPES)

/* A reproducible stream of numbers in [0, n). */
static inline size_t draw(uint64_t *state, size_t n) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*state >> 33) % n;
}

#define MOST_SEQ    16
#define MOST_TOKENS 256

typedef struct {
    int32_t ids[MOST_TOKENS], types[MOST_TOKENS], ngrams[4 * MOST_TOKENS];
    size_t start[MOST_SEQ + 1], ngram_start[MOST_TOKENS + 1];
    bw_batch batch;
} sample;

/* Sequences of these lengths with random ids; 0 ends the list. */
static inline void fill_sample(sample *s, const bw_tf_config *c, const size_t *lengths,
                               uint64_t seed) {
    size_t n = 0, tokens = 0, grams = 0;
    uint64_t state = seed;
    for (; lengths[n]; n++) {
        s->start[n] = tokens;
        for (size_t i = 0; i < lengths[n]; i++, tokens++) {
            s->ids[tokens] = (int32_t)draw(&state, c->vocab);
            s->types[tokens] = (int32_t)(c->token_types ? draw(&state, c->token_types) : 0);
            s->ngram_start[tokens] = grams;
            for (size_t k = draw(&state, 4); k > 0 && c->ngram_buckets; k--)
                s->ngrams[grams++] = (int32_t)draw(&state, c->ngram_buckets);
        }
    }
    s->start[n] = tokens;
    s->ngram_start[tokens] = grams;
    s->batch = (bw_batch){.ids = s->ids,
                          .types = s->types,
                          .start = s->start,
                          .n_seq = n,
                          .n_tokens = tokens,
                          .ngram_start = s->ngram_start,
                          .ngrams = s->ngrams};
}

#endif
