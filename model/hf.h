/* model/hf.h - model folders of Hugging Face tools, in and out.
 *
 * Reads config.json and model.safetensors (F32, F16, BF16; one file or shards with an index) of BERT,
 * DistilBERT, sentence-transformers, GPT-2, Llama/SmolLM2, Qwen2, BART and T5 folders, and those of
 * our own models (model_type "bellwether"). Names with and without the class prefix, old
 * gamma/beta names, fused and transposed GPT-2 matrices and stored mask buffers are understood.
 * Saved folders have the same names and layout, so those tools load them again. */
#ifndef BW_MODEL_HF_H
#define BW_MODEL_HF_H

#include "model/transformer.h"

typedef enum {
    BW_HF_BELLWETHER,
    BW_HF_BERT,
    BW_HF_DISTILBERT,
    BW_HF_GPT2,
    BW_HF_LLAMA,
    BW_HF_QWEN2,
    BW_HF_BART,
    BW_HF_T5
} bw_hf_family;

typedef enum { BW_POOL_NONE, BW_POOL_CLS, BW_POOL_MEAN, BW_POOL_MAX } bw_pooling;

/* What a folder holds beside the weights. */
typedef struct {
    bw_hf_family family;
    char model_class[64]; /* "BertForSequenceClassification" */
    bw_tf_config config;
    int32_t bos, eos, pad, decoder_start, forced_bos, forced_eos; /* -1: none */
    bw_pooling pooling; /* sentence-transformers' 1_Pooling */
    bool normalize;     /* ... and a Normalize module */
    char **labels;      /* [config.labels] from id2label, or NULL */
} bw_hf_info;

void bw_hf_info_free(bw_hf_info *info); /* what it points to; the record is the caller's */

/* Reads config.json and its neighbours, no weights. */
bw_status bw_hf_read_info(const char *dir, bw_hf_info *info, bw_err *err);
/* The whole model. info (may be NULL) is filled too, to be freed with bw_hf_info_free. */
bw_status bw_hf_load(const char *dir, bw_transformer **out, bw_hf_info *info, bw_err *err);
/* Writes config.json and model.safetensors into dir (made if missing), in the names of
 * info->family; f32. Tokenizer files are the caller's business. */
bw_status bw_hf_save(const char *dir, const bw_transformer *t, const bw_hf_info *info, bw_err *err);

/* A tensor as the folder names it, over the parameters that hold it. */
typedef struct {
    size_t first, n; /* consecutive rows of the parameter table (n = 3: fused q, k, v) */
    bool transposed; /* stored [in, out] */
} bw_hf_view;
/* Finds a folder's name ("bert.encoder.layer.0.attention.self.query.weight"). */
bool bw_hf_find(const bw_transformer *t, const bw_hf_info *info, const char *name,
                bw_hf_view *view);

#endif
