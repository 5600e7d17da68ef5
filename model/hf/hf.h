/* model/hf/hf.h - model folders of Hugging Face tools, in and out.
 *
 * Reads config.json and model.safetensors (F32, F16, BF16; one file, or shards with an index) of
 * BERT, DistilBERT, sentence-transformers, GPT-2, Llama/SmolLM2, Qwen2, Mistral, BART and T5
 * folders, and those of our own models (model_type "bellwether"). Names with and without the class
 * prefix, old gamma/beta names, fused and transposed GPT-2 matrices and stored mask buffers are
 * understood. Saved folders have the same names and layout, so those tools load them again. */
#ifndef BW_MODEL_HF_H
#define BW_MODEL_HF_H

#include "model/core/safetensors.h"
#include "model/core/transformer.h"

typedef enum {
    BW_HF_BELLWETHER,
    BW_HF_BERT,
    BW_HF_DISTILBERT,
    BW_HF_GPT2,
    BW_HF_LLAMA,
    BW_HF_QWEN2,
    BW_HF_MISTRAL,
    BW_HF_BART,
    BW_HF_T5
} bw_hf_family;

typedef enum { BW_POOL_NONE, BW_POOL_CLS, BW_POOL_MEAN, BW_POOL_MAX } bw_pooling;

/* What a folder holds beside the weights. A record made by hand needs family and config alone. */
typedef struct {
    bw_hf_family family;
    char model_class[64]; /* "BertForSequenceClassification"; "" = that of family and heads */
    bw_tf_config config;
    int32_t bos, eos, pad, decoder_start, forced_bos, forced_eos; /* -1: none */
    bw_pooling pooling; /* sentence-transformers' 1_Pooling */
    bool normalize;     /* ... and a Normalize module */
    char **labels;      /* [config.labels] from id2label, or NULL */
    size_t n_labels;
    char *config_json;     /* the text of config.json, NULL when made by hand */
    char *generation_json; /* the text of generation_config.json, NULL without one */
} bw_hf_info;

/* All ids none, everything else zero. */
void bw_hf_info_init(bw_hf_info *info, bw_hf_family family, const bw_tf_config *config);
void bw_hf_info_free(bw_hf_info *info); /* what it points to; the record is the caller's */

/* "bert", "gpt2", ...: the model_type of config.json. */
const char *bw_hf_family_name(bw_hf_family family);

/* Reads config.json and its neighbours, no weights. */
bw_status bw_hf_read_info(const char *dir, bw_hf_info *info, bw_err *err);
/* The whole model. info (may be NULL) is filled too, to be freed with bw_hf_info_free; on failure
 * nothing is left to free. */
bw_status bw_hf_load(const char *dir, bw_transformer **out, bw_hf_info *info, bw_err *err);
/* The same from a file in memory (an embedded one) whose __metadata__ holds "config", the text of a
 * config.json. name is for messages. */
bw_status bw_hf_load_memory(const char *name, const void *data, size_t len, bw_transformer **out,
                            bw_hf_info *info, bw_err *err);

/* Writes config.json, generation_config.json and model.safetensors (f32), and a
 * sentence-transformers layout when there is a pooling, into dir, made if missing; in the names of
 * info->family. Tokenizer files are the caller's business. */
bw_status bw_hf_save(const char *dir, const bw_transformer *t, const bw_hf_info *info, bw_err *err);

/* {0}: f32, one file. */
typedef struct {
    bw_dtype dtype;     /* BW_F32, BW_F16 or BW_BF16; BW_EDATA when a value does not fit */
    size_t shard_bytes; /* most bytes a file, beyond which shards and an index; 0: one file */
} bw_hf_format;
bw_status bw_hf_save_as(const char *dir, const bw_transformer *t, const bw_hf_info *info,
                        const bw_hf_format *format, bw_err *err);

/* ---- names ---- */

/* A tensor as a folder names it, over the parameters that hold it. */
typedef struct {
    char name[160];
    size_t first, n;       /* consecutive rows of the parameter table (n = 3: fused q, k, v) */
    bool transposed;       /* stored [in, out] */
    size_t n_dims, dim[2]; /* as stored */
} bw_hf_view;

/* The tensor that begins at parameter i, in the names of info; false when i lies inside of one. */
bool bw_hf_view_at(const bw_transformer *t, const bw_hf_info *info, size_t i, bw_hf_view *view);
/* Finds a folder's name ("bert.encoder.layer.0.attention.self.query.weight"), with or without the
 * class prefix. */
bool bw_hf_find(const bw_transformer *t, const bw_hf_info *info, const char *name,
                bw_hf_view *view);
/* Copies a tensor between its parameters (data or grad, as base says) and the folder's layout. */
void bw_hf_gather(const bw_transformer *t, const bw_hf_view *view, const float *base, float *out);
void bw_hf_scatter(const bw_transformer *t, const bw_hf_view *view, float *base, const float *in);

#endif
