/* model/core/config.h - the shape of a transformer: one record for encoders (BERT, DistilBERT,
 * MiniLM), decoders (GPT-2, Llama, SmolLM2, Qwen2), encoder-decoders (BART, T5) and our own models.
 *
 * The record says everything the arithmetic needs, and nothing about names in files
 * (model/hf/hf.h). Start from {0}, fill in, and let bw_tf_config_check complete and judge it. */
#ifndef BW_MODEL_CONFIG_H
#define BW_MODEL_CONFIG_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { BW_TF_ENCODER = 1, BW_TF_DECODER = 2, BW_TF_ENCODER_DECODER = 3 } bw_tf_kind;
typedef enum { BW_NORM_LAYER, BW_NORM_RMS } bw_norm_kind;
typedef enum {
    BW_POS_NONE,
    BW_POS_LEARNED,    /* a table [max_positions + pos_offset, dim], added to the input */
    BW_POS_SINUSOIDAL, /* the table of Vaswani et al. 2017 section 3.5, stored as a learned one */
    BW_POS_ROTARY,     /* Su et al. 2021: q and k rotated, halves paired as in Llama */
    BW_POS_RELATIVE    /* T5: a learned bias per head and distance bucket, shared by all layers */
} bw_pos_kind;
typedef enum { BW_ACT_GELU, BW_ACT_GELU_TANH, BW_ACT_RELU, BW_ACT_SILU, BW_ACT_TANH } bw_act;

/* How rotary positions are stretched beyond the context a model was first trained for. */
typedef enum {
    BW_ROPE_PLAIN,
    BW_ROPE_LINEAR, /* positions divided by factor (Chen et al. 2023) */
    BW_ROPE_LLAMA3  /* slow frequencies divided by factor, fast ones kept; see bw_rope_table */
} bw_rope_kind;
typedef struct {
    bw_rope_kind kind;
    float factor;
    float low,
        high; /* LLAMA3: turns in the original context below, above which the rule is plain */
    size_t original; /* LLAMA3: tokens of the original context */
} bw_rope_scaling;

/* One stack of layers. layers = 0: the stack is absent. */
typedef struct {
    size_t layers;
    size_t heads;
    size_t kv_heads; /* 0: as many as heads (multi-head); fewer: grouped-query attention */
    size_t ffn;      /* width of the feed-forward layer */
} bw_tf_stack;

typedef struct {
    bw_tf_kind kind;
    size_t vocab, dim;
    size_t head_dim; /* 0: dim / heads */
    bw_tf_stack enc, dec;
    size_t max_positions; /* longest sequence; 0 = no limit (rotary, relative) */

    bw_norm_kind norm;
    bool pre_norm; /* norm before each block and once at the end; false: after each block */
    float norm_eps;
    bw_act act;
    bool gated;                        /* feed-forward act(x G) * (x U) D instead of act(x U) D */
    bool qkv_bias, out_bias, ffn_bias; /* LayerNorm always has its bias, RMSNorm never */

    bw_pos_kind pos;
    size_t pos_offset; /* position i uses row i + pos_offset (BART: 2) */
    float rope_theta;
    bw_rope_scaling rope_scaling;
    size_t window;      /* decoder layers from window_from on: a token sees itself and window - 1 */
    size_t window_from; /* tokens before it; 0 = all of them */
    size_t rel_buckets, rel_max_distance;
    size_t token_types; /* 0: none */
    bool embed_norm;    /* a norm after the sum of embeddings (BERT, BART) */
    float embed_scale;  /* token embeddings are multiplied by it; 0 = 1 */
    float attn_scale;   /* scores are multiplied by it; 0 = 1/sqrt(head_dim); T5: 1 */

    /* Our own extension: hashed n-grams. Each token may carry bucket ids into a table
     * [ngram_buckets, embed_dim]; their sum, or mean, is added to the token's embedding. 0 =
     * none. */
    size_t ngram_buckets;
    bool ngram_mean;

    /* Factorised embeddings (Lan et al. 2020, ALBERT, section 3.1): every embedding table is this
     * wide, and a matrix [dim, embed_dim] carries their sum to the width of the layers. 0 = dim,
     * and no matrix. Encoders only; a vocabulary head cannot be tied to
     * such a table. */
    size_t embed_dim;

    /* Heads that live in the same weight block. */
    bool pooler;       /* dense + pooler_act on the first token of a sequence */
    bw_act pooler_act; /* tanh in BERT, ReLU in DistilBERT's pre_classifier */
    size_t labels;     /* sequence classifier on the pooled vector; 0 = none */
    bool mlm;          /* dense, act, norm, then scores over the vocabulary with a bias */
    bool nsp;          /* two classes on the pooled vector */
    bool lm;           /* scores over the vocabulary straight from the hidden state */
    bool tied;         /* those scores use the token embeddings as their matrix */
    bool lm_bias;      /* lm: with a bias over the vocabulary (BART's final_logits_bias) */
    float lm_scale;    /* lm: hidden states are multiplied by it first; 0 = 1 (T5: dim^-0.5) */

    float dropout;      /* on embeddings and on each block's output, when training */
    float attn_dropout; /* on attention probabilities, when training */
    float init_std;     /* 0 = 0.02 */
} bw_tf_config;

/* Fills the zeros that mean a default, then checks that the record describes a transformer: sizes
 * that divide, options that go together, a weight block below 2^46 bytes. BW_EARG names the
 * field. */
bw_status bw_tf_config_check(bw_tf_config *c, bw_err *err);

/* "gelu", "gelu_tanh", "relu", "silu", "tanh". */
const char *bw_act_name(bw_act a);

#endif
