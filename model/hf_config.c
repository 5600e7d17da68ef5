/* model/hf_config.c - config.json to a configuration and back, one pair of functions a family. */
#include "model/hf_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const FAMILY_NAMES[] = {
    [BW_HF_BELLWETHER] = "bellwether",
    [BW_HF_BERT] = "bert",
    [BW_HF_DISTILBERT] = "distilbert",
    [BW_HF_GPT2] = "gpt2",
    [BW_HF_LLAMA] = "llama",
    [BW_HF_QWEN2] = "qwen2",
    [BW_HF_BART] = "bart",
    [BW_HF_T5] = "t5",
};
#define N_FAMILIES (sizeof FAMILY_NAMES / sizeof *FAMILY_NAMES)

const char *bw_hf_family_name(bw_hf_family family) {
    return FAMILY_NAMES[family];
}

/* ---- reading values ---- */

/* A config.json being read; the first problem is kept and ends the reading. */
typedef struct {
    const char *name;
    const cJSON *json;
    bw_err *err;
    bw_status status;
} reader;

static const cJSON *value_of(const reader *r, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->json, key);
    return cJSON_IsNull(item) ? NULL : item;
}

static void complain(reader *r, const char *key, const char *wanted) {
    if (r->status == BW_OK)
        r->status = bw_fail(r->err, BW_EFORMAT, "%s: \"%s\" must be %s", r->name, key, wanted);
}

static double number(reader *r, const char *key, double missing) {
    const cJSON *item = value_of(r, key);
    if (item && !cJSON_IsNumber(item))
        complain(r, key, "a number");
    return cJSON_IsNumber(item) ? item->valuedouble : missing;
}

#define REQUIRED SIZE_MAX
#define BIGGEST  1e9 /* of any size in a config.json */

static size_t whole(reader *r, const char *key, size_t missing) {
    if (!value_of(r, key)) {
        if (missing == REQUIRED)
            complain(r, key, "given");
        return missing;
    }
    double v = number(r, key, -1);
    if (!(v >= 0 && v <= BIGGEST) || v != floor(v)) {
        complain(r, key, "a whole number from 0 to 1e9");
        return 0;
    }
    return (size_t)v;
}

static float real(reader *r, const char *key, double missing) {
    return (float)number(r, key, missing);
}

static bool flag(reader *r, const char *key, bool missing) {
    const cJSON *item = value_of(r, key);
    if (item && !cJSON_IsBool(item))
        complain(r, key, "true or false");
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : missing;
}

static const char *text(reader *r, const char *key, const char *missing) {
    const cJSON *item = value_of(r, key);
    if (item && !cJSON_IsString(item))
        complain(r, key, "a text");
    return cJSON_IsString(item) ? item->valuestring : missing;
}

/* A token id; the first of a list of them. */
static int32_t token(reader *r, const char *key, int32_t missing) {
    const cJSON *item = value_of(r, key);
    if (cJSON_IsArray(item))
        item = cJSON_GetArrayItem(item, 0);
    if (!item)
        return missing;
    if (!cJSON_IsNumber(item) || item->valuedouble < -1 || item->valuedouble > BIGGEST) {
        complain(r, key, "a token id");
        return missing;
    }
    return (int32_t)item->valuedouble;
}

static const struct {
    const char *name;
    bw_act act;
} ACTS[] = {
    {"gelu", BW_ACT_GELU},           {"gelu_new", BW_ACT_GELU_TANH},
    {"relu", BW_ACT_RELU},           {"silu", BW_ACT_SILU},
    {"tanh", BW_ACT_TANH},           {"gelu_pytorch_tanh", BW_ACT_GELU_TANH},
    {"swish", BW_ACT_SILU},          {"gelu_fast", BW_ACT_GELU_TANH},
    {"gelu_tanh", BW_ACT_GELU_TANH},
};

static bw_act activation(reader *r, const char *key, const char *missing) {
    const char *name = text(r, key, missing);
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
        if (strcmp(name, ACTS[i].name) == 0)
            return ACTS[i].act;
    complain(r, key, "gelu, gelu_new, relu, silu or tanh");
    return BW_ACT_GELU;
}

/* The name other tools know; the first of the table. */
static const char *activation_name(bw_act act) {
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
        if (ACTS[i].act == act)
            return ACTS[i].name;
    return "gelu";
}

/* A setting that changes the arithmetic in a way this program does not know. */
static void refuse(reader *r, const char *key, bool present) {
    if (present && r->status == BW_OK)
        r->status = bw_fail(r->err, BW_EFORMAT, "%s: \"%s\" is set to something not supported",
                            r->name, key);
}

static bool has_class(const bw_hf_info *info, const char *part) {
    return strstr(info->model_class, part) != NULL;
}

/* ---- families, in ---- */

static void biases(bw_tf_config *c, bool on) {
    c->qkv_bias = c->out_bias = c->ffn_bias = on;
}

static void encoder_heads(const bw_hf_info *info, bw_tf_config *c) {
    bool pretraining = has_class(info, "ForPreTraining");
    c->mlm = pretraining || has_class(info, "ForMaskedLM");
    c->nsp = pretraining || has_class(info, "ForNextSentence");
    c->labels = has_class(info, "ForSequenceClassification") ? info->n_labels : 0;
}

static void read_bert(reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER;
    c->dim = whole(r, "hidden_size", REQUIRED);
    c->enc.layers = whole(r, "num_hidden_layers", REQUIRED);
    c->enc.heads = whole(r, "num_attention_heads", REQUIRED);
    c->enc.ffn = whole(r, "intermediate_size", REQUIRED);
    c->max_positions = whole(r, "max_position_embeddings", 512);
    c->token_types = whole(r, "type_vocab_size", 2);
    c->act = activation(r, "hidden_act", "gelu");
    c->norm_eps = real(r, "layer_norm_eps", 1e-12);
    c->dropout = real(r, "hidden_dropout_prob", 0.1);
    c->attn_dropout = real(r, "attention_probs_dropout_prob", 0.1);
    refuse(r, "position_embedding_type",
           strcmp(text(r, "position_embedding_type", "absolute"), "absolute") != 0);
    c->pos = BW_POS_LEARNED;
    c->embed_norm = true;
    biases(c, true);
    c->tied = flag(r, "tie_word_embeddings", true);
    encoder_heads(info, c);
    c->pooler = !has_class(info, "ForMaskedLM");
    c->pooler_act = BW_ACT_TANH;
}

static void read_distilbert(reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER;
    c->dim = whole(r, "dim", REQUIRED);
    c->enc.layers = whole(r, "n_layers", REQUIRED);
    c->enc.heads = whole(r, "n_heads", REQUIRED);
    c->enc.ffn = whole(r, "hidden_dim", REQUIRED);
    c->max_positions = whole(r, "max_position_embeddings", 512);
    c->act = activation(r, "activation", "gelu");
    c->norm_eps = 1e-12f; /* fixed in the published model */
    c->dropout = real(r, "dropout", 0.1);
    c->attn_dropout = real(r, "attention_dropout", 0.1);
    c->pos = flag(r, "sinusoidal_pos_embds", false) ? BW_POS_SINUSOIDAL : BW_POS_LEARNED;
    c->embed_norm = true;
    biases(c, true);
    c->tied = flag(r, "tie_word_embeddings", true);
    encoder_heads(info, c);
    c->pooler = c->labels > 0;
    c->pooler_act = BW_ACT_RELU;
}

static void read_gpt2(reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_DECODER;
    c->dim = whole(r, "n_embd", REQUIRED);
    c->dec.layers = whole(r, "n_layer", REQUIRED);
    c->dec.heads = whole(r, "n_head", REQUIRED);
    c->dec.ffn = whole(r, "n_inner", 4 * c->dim);
    c->max_positions = whole(r, "n_positions", 1024);
    c->act = activation(r, "activation_function", "gelu_new");
    c->norm_eps = real(r, "layer_norm_epsilon", 1e-5);
    c->dropout = real(r, "resid_pdrop", 0.1);
    c->attn_dropout = real(r, "attn_pdrop", 0.1);
    refuse(r, "scale_attn_by_inverse_layer_idx", flag(r, "scale_attn_by_inverse_layer_idx", false));
    c->attn_scale = flag(r, "scale_attn_weights", true) ? 0 : 1;
    c->pos = BW_POS_LEARNED;
    c->pre_norm = true;
    biases(c, true);
    c->tied = flag(r, "tie_word_embeddings", true);
    c->lm = has_class(info, "LMHead");
}

static void read_llama(reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_DECODER;
    c->dim = whole(r, "hidden_size", REQUIRED);
    c->dec.layers = whole(r, "num_hidden_layers", REQUIRED);
    c->dec.heads = whole(r, "num_attention_heads", REQUIRED);
    c->dec.kv_heads = whole(r, "num_key_value_heads", c->dec.heads);
    c->dec.ffn = whole(r, "intermediate_size", REQUIRED);
    c->head_dim = whole(r, "head_dim", 0);
    c->max_positions = whole(r, "max_position_embeddings", 2048);
    c->act = activation(r, "hidden_act", "silu");
    c->norm_eps = real(r, "rms_norm_eps", 1e-6);
    c->attn_dropout = real(r, "attention_dropout", 0);
    c->rope_theta = real(r, "rope_theta", 10000);
    refuse(r, "rope_scaling", value_of(r, "rope_scaling") != NULL);
    c->pos = BW_POS_ROTARY;
    c->pre_norm = c->gated = true;
    c->norm = BW_NORM_RMS;
    c->tied = flag(r, "tie_word_embeddings", false);
    c->lm = has_class(info, "ForCausalLM");
    bool qwen = info->family == BW_HF_QWEN2;
    refuse(r, "use_sliding_window", qwen && flag(r, "use_sliding_window", false));
    c->qkv_bias = qwen || flag(r, "attention_bias", false);
    c->out_bias = !qwen && flag(r, "attention_bias", false);
    c->ffn_bias = !qwen && flag(r, "mlp_bias", false);
}

static void read_bart(reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER_DECODER;
    c->dim = whole(r, "d_model", REQUIRED);
    c->enc.layers = whole(r, "encoder_layers", REQUIRED);
    c->enc.heads = whole(r, "encoder_attention_heads", REQUIRED);
    c->enc.ffn = whole(r, "encoder_ffn_dim", REQUIRED);
    c->dec.layers = whole(r, "decoder_layers", REQUIRED);
    c->dec.heads = whole(r, "decoder_attention_heads", REQUIRED);
    c->dec.ffn = whole(r, "decoder_ffn_dim", REQUIRED);
    refuse(r, "decoder_attention_heads", c->dec.heads != c->enc.heads);
    c->max_positions = whole(r, "max_position_embeddings", 1024);
    c->pos_offset = 2; /* rows 0 and 1 belong to padding in the published code */
    c->act = activation(r, "activation_function", "gelu");
    c->norm_eps = 1e-5f; /* PyTorch's default, which the published model uses */
    c->dropout = real(r, "dropout", 0.1);
    c->attn_dropout = real(r, "attention_dropout", 0);
    c->embed_scale = flag(r, "scale_embedding", false) ? sqrtf((float)c->dim) : 1;
    c->pos = BW_POS_LEARNED;
    c->embed_norm = true;
    biases(c, true);
    c->tied = flag(r, "tie_word_embeddings", true);
    c->lm = c->lm_bias = has_class(info, "ForConditionalGeneration");
}

/* "relu", "gated-gelu", "gated-silu"; by "gated-gelu" the published code means gelu_new. */
static void t5_feed_forward(reader *r, bw_tf_config *c) {
    const char *proj = text(r, "feed_forward_proj", "relu");
    c->gated = strncmp(proj, "gated-", 6) == 0;
    c->act = activation(r, "dense_act_fn", "relu");
    if (strcmp(proj, "gated-gelu") == 0)
        c->act = BW_ACT_GELU_TANH;
    else if (!value_of(r, "dense_act_fn"))
        for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
            if (strcmp(proj + (c->gated ? 6 : 0), ACTS[i].name) == 0)
                c->act = ACTS[i].act;
}

static void read_t5(reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER_DECODER;
    c->dim = whole(r, "d_model", REQUIRED);
    c->head_dim = whole(r, "d_kv", REQUIRED);
    c->enc.layers = whole(r, "num_layers", REQUIRED);
    c->dec.layers = whole(r, "num_decoder_layers", c->enc.layers);
    c->enc.heads = c->dec.heads = whole(r, "num_heads", REQUIRED);
    c->enc.ffn = c->dec.ffn = whole(r, "d_ff", REQUIRED);
    c->norm_eps = real(r, "layer_norm_epsilon", 1e-6);
    c->dropout = c->attn_dropout = real(r, "dropout_rate", 0.1);
    c->pos = BW_POS_RELATIVE;
    c->rel_buckets = whole(r, "relative_attention_num_buckets", 32);
    c->rel_max_distance = whole(r, "relative_attention_max_distance", 128);
    t5_feed_forward(r, c);
    c->norm = BW_NORM_RMS;
    c->pre_norm = true;
    c->attn_scale = 1;
    c->tied = flag(r, "tie_word_embeddings", true);
    c->lm = has_class(info, "ForConditionalGeneration");
    c->lm_scale = c->tied ? 1 / sqrtf((float)c->dim) : 1;
}

/* ---- families, out ---- */

static void put(cJSON *j, const char *key, cJSON *value) {
    cJSON_DeleteItemFromObjectCaseSensitive(j, key);
    cJSON_AddItemToObject(j, key, value);
}

/* Prints 0.1f as 0.1: the shortest decimal that reads back as the same float. */
static void put_number(cJSON *j, const char *key, float value) {
    char digits[32];
    for (int precision = 6; precision < 10; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (strtof(digits, NULL) == value)
            break;
    }
    put(j, key, cJSON_CreateNumber(strtod(digits, NULL)));
}

static void put_size(cJSON *j, const char *key, size_t value) {
    put(j, key, cJSON_CreateNumber((double)value));
}

static void put_text(cJSON *j, const char *key, const char *value) {
    put(j, key, cJSON_CreateString(value));
}

static void put_flag(cJSON *j, const char *key, bool value) {
    put(j, key, cJSON_CreateBool(value));
}

static void write_bert(cJSON *j, const bw_tf_config *c) {
    put_size(j, "hidden_size", c->dim);
    put_size(j, "num_hidden_layers", c->enc.layers);
    put_size(j, "num_attention_heads", c->enc.heads);
    put_size(j, "intermediate_size", c->enc.ffn);
    put_size(j, "max_position_embeddings", c->max_positions);
    put_size(j, "type_vocab_size", c->token_types);
    put_text(j, "hidden_act", activation_name(c->act));
    put_number(j, "layer_norm_eps", c->norm_eps);
    put_number(j, "hidden_dropout_prob", c->dropout);
    put_number(j, "attention_probs_dropout_prob", c->attn_dropout);
    put_text(j, "position_embedding_type", "absolute");
}

static void write_distilbert(cJSON *j, const bw_tf_config *c) {
    put_size(j, "dim", c->dim);
    put_size(j, "n_layers", c->enc.layers);
    put_size(j, "n_heads", c->enc.heads);
    put_size(j, "hidden_dim", c->enc.ffn);
    put_size(j, "max_position_embeddings", c->max_positions);
    put_text(j, "activation", activation_name(c->act));
    put_number(j, "dropout", c->dropout);
    put_number(j, "attention_dropout", c->attn_dropout);
    put_flag(j, "sinusoidal_pos_embds", c->pos == BW_POS_SINUSOIDAL);
}

static void write_gpt2(cJSON *j, const bw_tf_config *c) {
    put_size(j, "n_embd", c->dim);
    put_size(j, "n_layer", c->dec.layers);
    put_size(j, "n_head", c->dec.heads);
    put_size(j, "n_inner", c->dec.ffn);
    put_size(j, "n_positions", c->max_positions);
    put_text(j, "activation_function", activation_name(c->act));
    put_number(j, "layer_norm_epsilon", c->norm_eps);
    put_number(j, "resid_pdrop", c->dropout);
    put_number(j, "embd_pdrop", c->dropout);
    put_number(j, "attn_pdrop", c->attn_dropout);
}

static void write_llama(cJSON *j, const bw_tf_config *c) {
    put_size(j, "hidden_size", c->dim);
    put_size(j, "num_hidden_layers", c->dec.layers);
    put_size(j, "num_attention_heads", c->dec.heads);
    put_size(j, "num_key_value_heads", c->dec.kv_heads);
    put_size(j, "intermediate_size", c->dec.ffn);
    if (c->head_dim * c->dec.heads != c->dim)
        put_size(j, "head_dim", c->head_dim);
    put_size(j, "max_position_embeddings", c->max_positions);
    put_text(j, "hidden_act", activation_name(c->act));
    put_number(j, "rms_norm_eps", c->norm_eps);
    put_number(j, "attention_dropout", c->attn_dropout);
    put_number(j, "rope_theta", c->rope_theta);
}

static void write_llama_biases(cJSON *j, const bw_tf_config *c) {
    write_llama(j, c);
    put_flag(j, "attention_bias", c->qkv_bias);
    put_flag(j, "mlp_bias", c->ffn_bias);
}

static void write_bart(cJSON *j, const bw_tf_config *c) {
    put_size(j, "d_model", c->dim);
    put_size(j, "encoder_layers", c->enc.layers);
    put_size(j, "encoder_attention_heads", c->enc.heads);
    put_size(j, "encoder_ffn_dim", c->enc.ffn);
    put_size(j, "decoder_layers", c->dec.layers);
    put_size(j, "decoder_attention_heads", c->dec.heads);
    put_size(j, "decoder_ffn_dim", c->dec.ffn);
    put_size(j, "max_position_embeddings", c->max_positions);
    put_text(j, "activation_function", activation_name(c->act));
    put_number(j, "dropout", c->dropout);
    put_number(j, "attention_dropout", c->attn_dropout);
    put_flag(j, "scale_embedding", c->embed_scale != 1);
    put_flag(j, "is_encoder_decoder", true);
}

static void write_t5(cJSON *j, const bw_tf_config *c) {
    put_size(j, "d_model", c->dim);
    put_size(j, "d_kv", c->head_dim);
    put_size(j, "num_layers", c->enc.layers);
    put_size(j, "num_decoder_layers", c->dec.layers);
    put_size(j, "num_heads", c->enc.heads);
    put_size(j, "d_ff", c->enc.ffn);
    put_number(j, "layer_norm_epsilon", c->norm_eps);
    put_number(j, "dropout_rate", c->dropout);
    put_size(j, "relative_attention_num_buckets", c->rel_buckets);
    put_size(j, "relative_attention_max_distance", c->rel_max_distance);
    char proj[32];
    bool gelu = c->gated && c->act == BW_ACT_GELU_TANH;
    snprintf(proj, sizeof proj, "%s%s", c->gated ? "gated-" : "",
             gelu ? "gelu" : activation_name(c->act));
    put_text(j, "feed_forward_proj", proj);
    put_text(j, "dense_act_fn", activation_name(c->act));
    put_flag(j, "is_gated_act", c->gated);
    put_flag(j, "is_encoder_decoder", true);
}

/* ---- our own family: every field of bw_tf_config under its name ---- */

typedef enum { FIELD_SIZE, FIELD_FLAG, FIELD_REAL, FIELD_ENUM } field_kind;

#define FIELD(kind, member) \
    { #member, kind, offsetof(bw_tf_config, member) }
static const struct {
    const char *name;
    field_kind kind;
    size_t offset;
} FIELDS[] = {
    FIELD(FIELD_ENUM, kind),
    FIELD(FIELD_SIZE, dim),
    FIELD(FIELD_SIZE, head_dim),
    FIELD(FIELD_SIZE, enc.layers),
    FIELD(FIELD_SIZE, enc.heads),
    FIELD(FIELD_SIZE, enc.kv_heads),
    FIELD(FIELD_SIZE, enc.ffn),
    FIELD(FIELD_SIZE, dec.layers),
    FIELD(FIELD_SIZE, dec.heads),
    FIELD(FIELD_SIZE, dec.kv_heads),
    FIELD(FIELD_SIZE, dec.ffn),
    FIELD(FIELD_SIZE, max_positions),
    FIELD(FIELD_ENUM, norm),
    FIELD(FIELD_FLAG, pre_norm),
    FIELD(FIELD_REAL, norm_eps),
    FIELD(FIELD_ENUM, act),
    FIELD(FIELD_FLAG, gated),
    FIELD(FIELD_FLAG, qkv_bias),
    FIELD(FIELD_FLAG, out_bias),
    FIELD(FIELD_FLAG, ffn_bias),
    FIELD(FIELD_ENUM, pos),
    FIELD(FIELD_SIZE, pos_offset),
    FIELD(FIELD_REAL, rope_theta),
    FIELD(FIELD_SIZE, rel_buckets),
    FIELD(FIELD_SIZE, rel_max_distance),
    FIELD(FIELD_SIZE, token_types),
    FIELD(FIELD_FLAG, embed_norm),
    FIELD(FIELD_REAL, embed_scale),
    FIELD(FIELD_REAL, attn_scale),
    FIELD(FIELD_SIZE, ngram_buckets),
    FIELD(FIELD_FLAG, ngram_mean),
    FIELD(FIELD_FLAG, pooler),
    FIELD(FIELD_ENUM, pooler_act),
    FIELD(FIELD_SIZE, labels),
    FIELD(FIELD_FLAG, mlm),
    FIELD(FIELD_FLAG, nsp),
    FIELD(FIELD_FLAG, lm),
    FIELD(FIELD_FLAG, lm_bias),
    FIELD(FIELD_REAL, lm_scale),
    FIELD(FIELD_REAL, dropout),
    FIELD(FIELD_REAL, attn_dropout),
    FIELD(FIELD_REAL, init_std),
};
#define N_FIELDS (sizeof FIELDS / sizeof *FIELDS)

/* The values of the enumerations, for range checks: each field's name and its last value. */
static size_t last_value(const char *field) {
    if (strcmp(field, "kind") == 0)
        return BW_TF_ENCODER_DECODER;
    if (strcmp(field, "norm") == 0)
        return BW_NORM_RMS;
    return strcmp(field, "pos") == 0 ? BW_POS_RELATIVE : BW_ACT_TANH;
}

/* Enumerations are unsigned int in size and value. */
_Static_assert(sizeof(bw_act) == sizeof(int) && sizeof(bw_tf_kind) == sizeof(int), "enum size");

static void read_bellwether(reader *r, bw_hf_info *info, bw_tf_config *c) {
    (void)info;
    for (size_t i = 0; i < N_FIELDS; i++) {
        char *at = (char *)c + FIELDS[i].offset;
        const char *key = FIELDS[i].name;
        size_t n;
        switch (FIELDS[i].kind) {
        case FIELD_SIZE:
            *(size_t *)at = whole(r, key, 0);
            break;
        case FIELD_FLAG:
            *(bool *)at = flag(r, key, false);
            break;
        case FIELD_REAL:
            *(float *)at = real(r, key, 0);
            break;
        case FIELD_ENUM:
            n = whole(r, key, 0);
            if (n > last_value(key))
                complain(r, key, "one of the values this version knows");
            *(int *)at = (int)n;
            break;
        }
    }
    c->tied = flag(r, "tie_word_embeddings", false);
}

static void write_bellwether(cJSON *j, const bw_tf_config *c) {
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *at = (const char *)c + FIELDS[i].offset;
        switch (FIELDS[i].kind) {
        case FIELD_SIZE:
            put_size(j, FIELDS[i].name, *(const size_t *)at);
            break;
        case FIELD_FLAG:
            put_flag(j, FIELDS[i].name, *(const bool *)at);
            break;
        case FIELD_REAL:
            put_number(j, FIELDS[i].name, *(const float *)at);
            break;
        case FIELD_ENUM:
            put_size(j, FIELDS[i].name, (size_t) * (const int *)at);
            break;
        }
    }
}

/* ---- the whole file ---- */

static const struct {
    void (*read)(reader *r, bw_hf_info *info, bw_tf_config *c);
    void (*write)(cJSON *j, const bw_tf_config *c);
    const char *classifier, *lm; /* classes with a head; NULL: no such */
} FAMILIES[] = {
    [BW_HF_BELLWETHER] = {read_bellwether, write_bellwether, NULL, NULL},
    [BW_HF_BERT] = {read_bert, write_bert, "BertForSequenceClassification", NULL},
    [BW_HF_DISTILBERT] = {read_distilbert, write_distilbert, "DistilBertForSequenceClassification",
                          NULL},
    [BW_HF_GPT2] = {read_gpt2, write_gpt2, NULL, "GPT2LMHeadModel"},
    [BW_HF_LLAMA] = {read_llama, write_llama_biases, NULL, "LlamaForCausalLM"},
    [BW_HF_QWEN2] = {read_llama, write_llama, NULL, "Qwen2ForCausalLM"},
    [BW_HF_BART] = {read_bart, write_bart, NULL, "BartForConditionalGeneration"},
    [BW_HF_T5] = {read_t5, write_t5, NULL, "T5ForConditionalGeneration"},
};

static void read_family(reader *r, bw_hf_info *info) {
    const char *type = text(r, "model_type", "");
    for (size_t i = 0; i < N_FAMILIES; i++)
        if (strcmp(type, FAMILY_NAMES[i]) == 0) {
            info->family = (bw_hf_family)i;
            return;
        }
    if (r->status == BW_OK)
        r->status = bw_fail(r->err, BW_EFORMAT,
                            "%s: model_type \"%.40s\" is not one of bert, distilbert, gpt2, llama, "
                            "qwen2, bart, t5, bellwether",
                            r->name, type);
}

static void read_class(reader *r, bw_hf_info *info) {
    const cJSON *list = value_of(r, "architectures");
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(list, 0));
    snprintf(info->model_class, sizeof info->model_class, "%s",
             name ? name : bw_hf_base_class(info->family));
}

#define MOST_LABELS 100000

static void read_labels(reader *r, bw_hf_info *info) {
    const cJSON *map = value_of(r, "id2label");
    size_t n = map ? (size_t)cJSON_GetArraySize(map) : whole(r, "num_labels", 2);
    if (n > MOST_LABELS)
        complain(r, "id2label", "shorter");
    if (r->status != BW_OK)
        return;
    info->n_labels = n;
    info->labels = map ? calloc(n ? n : 1, sizeof *info->labels) : NULL;
    for (size_t i = 0; info->labels && i < n; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        const char *label = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(map, key));
        if (!(info->labels[i] = strdup(label ? label : key)))
            r->status = bw_fail_memory(r->err);
    }
}

static void read_tokens(reader *r, bw_hf_info *info) {
    info->bos = token(r, "bos_token_id", info->bos);
    info->eos = token(r, "eos_token_id", info->eos);
    info->pad = token(r, "pad_token_id", info->pad);
    info->decoder_start = token(r, "decoder_start_token_id", info->decoder_start);
    info->forced_bos = token(r, "forced_bos_token_id", info->forced_bos);
    info->forced_eos = token(r, "forced_eos_token_id", info->forced_eos);
}

void bw_hf_info_init(bw_hf_info *info, bw_hf_family family, const bw_tf_config *config) {
    *info = (bw_hf_info){.family = family, .bos = -1, .eos = -1, .pad = -1};
    info->decoder_start = info->forced_bos = info->forced_eos = -1;
    if (config)
        info->config = *config;
}

void bw_hf_info_free(bw_hf_info *info) {
    for (size_t i = 0; info->labels && i < info->n_labels; i++)
        free(info->labels[i]);
    free(info->labels);
    free(info->config_json);
    free(info->generation_json);
    bw_hf_info_init(info, info->family, NULL);
}

bw_status bw_hf_config_parse(const char *name, const char *json, bw_hf_info *info, bw_err *err) {
    bw_hf_info_init(info, BW_HF_BELLWETHER, NULL);
    cJSON *root = cJSON_Parse(json);
    reader r = {.name = name, .json = root, .err = err};
    if (!cJSON_IsObject(root))
        r.status = bw_fail(err, BW_EFORMAT, "%s: not a JSON object", name);
    else
        read_family(&r, info);
    if (r.status == BW_OK) {
        read_class(&r, info);
        read_labels(&r, info);
        read_tokens(&r, info);
        info->config.vocab = whole(&r, "vocab_size", REQUIRED);
        FAMILIES[info->family].read(&r, info, &info->config);
        info->config_json = strdup(json);
    }
    if (r.status == BW_OK && !info->config_json)
        r.status = bw_fail_memory(err);
    if (r.status == BW_OK && bw_tf_config_check(&info->config, err) != BW_OK) {
        r.status = BW_EFORMAT;
        bw_fail_prefix(err, r.status, name);
    }
    cJSON_Delete(root);
    if (r.status != BW_OK)
        bw_hf_info_free(info);
    return r.status;
}

static const char *bert_class(const bw_tf_config *c) {
    if (c->labels)
        return "BertForSequenceClassification";
    if (c->mlm)
        return c->nsp ? "BertForPreTraining" : "BertForMaskedLM";
    return "BertModel";
}

/* The class that has the heads of the configuration. */
const char *bw_hf_class(const bw_hf_info *info) {
    const bw_tf_config *c = &info->config;
    if (info->model_class[0])
        return info->model_class;
    if (info->family == BW_HF_BERT)
        return bert_class(c);
    if (info->family == BW_HF_DISTILBERT && c->mlm)
        return "DistilBertForMaskedLM";
    if (c->labels && FAMILIES[info->family].classifier)
        return FAMILIES[info->family].classifier;
    return c->lm && FAMILIES[info->family].lm ? FAMILIES[info->family].lm
                                              : bw_hf_base_class(info->family);
}

static void put_token(cJSON *j, const char *key, int32_t id) {
    if (id >= 0)
        put(j, key, cJSON_CreateNumber(id));
}

static void put_labels(cJSON *j, const bw_hf_info *info) {
    cJSON *names = cJSON_CreateObject(), *ids = cJSON_CreateObject();
    for (size_t i = 0; i < info->config.labels; i++) {
        char key[24], name[40];
        snprintf(key, sizeof key, "%zu", i);
        snprintf(name, sizeof name, "LABEL_%zu", i);
        const char *label = info->labels ? info->labels[i] : name;
        cJSON_AddStringToObject(names, key, label);
        cJSON_AddNumberToObject(ids, label, (double)i);
    }
    put(j, "id2label", names);
    put(j, "label2id", ids);
}

char *bw_hf_config_text(const bw_hf_info *info) {
    cJSON *j = info->config_json ? cJSON_Parse(info->config_json) : cJSON_CreateObject();
    cJSON *classes = cJSON_CreateArray();
    if (bw_hf_class(info)[0])
        cJSON_AddItemToArray(classes, cJSON_CreateString(bw_hf_class(info)));
    put(j, "architectures", classes);
    put_text(j, "model_type", FAMILY_NAMES[info->family]);
    put_size(j, "vocab_size", info->config.vocab);
    put_flag(j, "tie_word_embeddings", info->config.tied);
    put_text(j, "torch_dtype", "float32");
    put_token(j, "bos_token_id", info->bos);
    put_token(j, "eos_token_id", info->eos);
    put_token(j, "pad_token_id", info->pad);
    put_token(j, "decoder_start_token_id", info->decoder_start);
    FAMILIES[info->family].write(j, &info->config);
    if (info->config.labels)
        put_labels(j, info);
    char *out = cJSON_Print(j);
    cJSON_Delete(j);
    return out;
}
