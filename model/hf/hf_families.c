/* model/hf/hf_families.c - config.json of each family to a configuration and back. */
#include "model/hf/hf_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

static bw_act activation(bw_set_reader *r, const char *key, const char *missing) {
    const char *name = bw_set_text(r, key, missing);
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
        if (strcmp(name, ACTS[i].name) == 0)
            return ACTS[i].act;
    bw_set_complain(r, key, "gelu, gelu_new, relu, silu or tanh");
    return BW_ACT_GELU;
}

/* The name other tools know; the first of the table. */
static const char *activation_name(bw_act act) {
    for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
        if (ACTS[i].act == act)
            return ACTS[i].name;
    return "gelu";
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

static void read_bert(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER;
    c->dim = bw_set_whole(r, "hidden_size", BW_SET_REQUIRED);
    c->enc.layers = bw_set_whole(r, "num_hidden_layers", BW_SET_REQUIRED);
    c->enc.heads = bw_set_whole(r, "num_attention_heads", BW_SET_REQUIRED);
    c->enc.ffn = bw_set_whole(r, "intermediate_size", BW_SET_REQUIRED);
    c->max_positions = bw_set_whole(r, "max_position_embeddings", 512);
    c->token_types = bw_set_whole(r, "type_vocab_size", 2);
    c->act = activation(r, "hidden_act", "gelu");
    c->norm_eps = bw_set_real(r, "layer_norm_eps", 1e-12);
    c->dropout = bw_set_real(r, "hidden_dropout_prob", 0.1);
    c->attn_dropout = bw_set_real(r, "attention_probs_dropout_prob", 0.1);
    bw_set_refuse(r, "position_embedding_type",
                  strcmp(bw_set_text(r, "position_embedding_type", "absolute"), "absolute") != 0);
    c->pos = BW_POS_LEARNED;
    c->embed_norm = true;
    biases(c, true);
    c->tied = bw_set_flag(r, "tie_word_embeddings", true);
    encoder_heads(info, c);
    c->pooler = !has_class(info, "ForMaskedLM");
    c->pooler_act = BW_ACT_TANH;
}

static void read_distilbert(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER;
    c->dim = bw_set_whole(r, "dim", BW_SET_REQUIRED);
    c->enc.layers = bw_set_whole(r, "n_layers", BW_SET_REQUIRED);
    c->enc.heads = bw_set_whole(r, "n_heads", BW_SET_REQUIRED);
    c->enc.ffn = bw_set_whole(r, "hidden_dim", BW_SET_REQUIRED);
    c->max_positions = bw_set_whole(r, "max_position_embeddings", 512);
    c->act = activation(r, "activation", "gelu");
    c->norm_eps = 1e-12f; /* fixed in the published model */
    c->dropout = bw_set_real(r, "dropout", 0.1);
    c->attn_dropout = bw_set_real(r, "attention_dropout", 0.1);
    c->pos = bw_set_flag(r, "sinusoidal_pos_embds", false) ? BW_POS_SINUSOIDAL : BW_POS_LEARNED;
    c->embed_norm = true;
    biases(c, true);
    c->tied = bw_set_flag(r, "tie_word_embeddings", true);
    encoder_heads(info, c);
    c->pooler = c->labels > 0;
    c->pooler_act = BW_ACT_RELU;
}

static void read_gpt2(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_DECODER;
    c->dim = bw_set_whole(r, "n_embd", BW_SET_REQUIRED);
    c->dec.layers = bw_set_whole(r, "n_layer", BW_SET_REQUIRED);
    c->dec.heads = bw_set_whole(r, "n_head", BW_SET_REQUIRED);
    c->dec.ffn = bw_set_whole(r, "n_inner", 4 * c->dim);
    c->max_positions = bw_set_whole(r, "n_positions", 1024);
    c->act = activation(r, "activation_function", "gelu_new");
    c->norm_eps = bw_set_real(r, "layer_norm_epsilon", 1e-5);
    c->dropout = bw_set_real(r, "resid_pdrop", 0.1);
    c->attn_dropout = bw_set_real(r, "attn_pdrop", 0.1);
    bw_set_refuse(r, "scale_attn_by_inverse_layer_idx",
                  bw_set_flag(r, "scale_attn_by_inverse_layer_idx", false));
    c->attn_scale = bw_set_flag(r, "scale_attn_weights", true) ? 0 : 1;
    c->pos = BW_POS_LEARNED;
    c->pre_norm = true;
    biases(c, true);
    c->tied = bw_set_flag(r, "tie_word_embeddings", true);
    c->lm = has_class(info, "LMHead");
}

/* rope_theta and rope_scaling; newer files hold both in rope_parameters. */
static void read_rope(bw_set_reader *r, bw_tf_config *c) {
    const cJSON *both = bw_set_value(r, "rope_parameters");
    const cJSON *own = both ? both : bw_set_value(r, "rope_scaling");
    c->rope_theta = bw_set_real(r, "rope_theta", 10000);
    if (!own)
        return;
    bw_set_reader s = {.name = r->name, .json = own, .err = r->err, .status = r->status};
    bw_rope_scaling *to = &c->rope_scaling;
    const char *type = bw_set_text(&s, "rope_type", bw_set_text(&s, "type", "default"));
    c->rope_theta = bw_set_real(&s, "rope_theta", (double)c->rope_theta);
    to->kind = strcmp(type, "linear") == 0   ? BW_ROPE_LINEAR
               : strcmp(type, "llama3") == 0 ? BW_ROPE_LLAMA3
                                             : BW_ROPE_PLAIN;
    if (to->kind == BW_ROPE_PLAIN && strcmp(type, "default") != 0 && s.status == BW_OK)
        s.status =
            bw_fail(s.err, BW_EFORMAT,
                    "%s: \"rope_type\" \"%s\" is not supported; default, linear and llama3 are",
                    s.name, type);
    if (to->kind != BW_ROPE_PLAIN)
        to->factor = bw_set_real(&s, "factor", 0);
    if (to->kind == BW_ROPE_LLAMA3) {
        to->low = bw_set_real(&s, "low_freq_factor", 1);
        to->high = bw_set_real(&s, "high_freq_factor", 4);
        to->original = bw_set_whole(&s, "original_max_position_embeddings", c->max_positions);
    }
    r->status = s.status;
}

/* Mistral: all layers, unless sliding_window is null. Qwen2: where switched on, the layers from
 * max_window_layers up. A window of n is a token itself and n - 1 before it. */
static void read_window(bw_set_reader *r, const bw_hf_info *info, bw_tf_config *c) {
    bool qwen = info->family == BW_HF_QWEN2;
    bool on = qwen ? bw_set_flag(r, "use_sliding_window", false)
                   : info->family == BW_HF_MISTRAL &&
                         !cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(r->json, "sliding_window"));
    if (!on)
        return;
    c->window = bw_set_whole(r, "sliding_window", 4096);
    c->window_from = qwen ? bw_set_whole(r, "max_window_layers", 28) : 0;
    if (c->window_from >= c->dec.layers)
        c->window = c->window_from = 0;
    const cJSON *types = bw_set_value(r, "layer_types");
    for (size_t i = 0; types && i < c->dec.layers; i++) {
        const char *type = cJSON_GetStringValue(cJSON_GetArrayItem(types, (int)i));
        bool slides = type && strcmp(type, "sliding_attention") == 0;
        bw_set_refuse(r, "layer_types", slides != (c->window && i >= c->window_from));
    }
}

static void read_llama(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_DECODER;
    c->dim = bw_set_whole(r, "hidden_size", BW_SET_REQUIRED);
    c->dec.layers = bw_set_whole(r, "num_hidden_layers", BW_SET_REQUIRED);
    c->dec.heads = bw_set_whole(r, "num_attention_heads", BW_SET_REQUIRED);
    c->dec.kv_heads = bw_set_whole(r, "num_key_value_heads", c->dec.heads);
    c->dec.ffn = bw_set_whole(r, "intermediate_size", BW_SET_REQUIRED);
    c->head_dim = bw_set_whole(r, "head_dim", 0);
    c->max_positions = bw_set_whole(r, "max_position_embeddings", 2048);
    c->act = activation(r, "hidden_act", "silu");
    c->norm_eps = bw_set_real(r, "rms_norm_eps", 1e-6);
    c->attn_dropout = bw_set_real(r, "attention_dropout", 0);
    read_rope(r, c);
    read_window(r, info, c);
    c->pos = BW_POS_ROTARY;
    c->pre_norm = c->gated = true;
    c->norm = BW_NORM_RMS;
    c->tied = bw_set_flag(r, "tie_word_embeddings", false);
    c->lm = has_class(info, "ForCausalLM");
    bool llama = info->family == BW_HF_LLAMA;
    c->qkv_bias = info->family == BW_HF_QWEN2 || (llama && bw_set_flag(r, "attention_bias", false));
    c->out_bias = llama && bw_set_flag(r, "attention_bias", false);
    c->ffn_bias = llama && bw_set_flag(r, "mlp_bias", false);
}

static void read_bart(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER_DECODER;
    c->dim = bw_set_whole(r, "d_model", BW_SET_REQUIRED);
    c->enc.layers = bw_set_whole(r, "encoder_layers", BW_SET_REQUIRED);
    c->enc.heads = bw_set_whole(r, "encoder_attention_heads", BW_SET_REQUIRED);
    c->enc.ffn = bw_set_whole(r, "encoder_ffn_dim", BW_SET_REQUIRED);
    c->dec.layers = bw_set_whole(r, "decoder_layers", BW_SET_REQUIRED);
    c->dec.heads = bw_set_whole(r, "decoder_attention_heads", BW_SET_REQUIRED);
    c->dec.ffn = bw_set_whole(r, "decoder_ffn_dim", BW_SET_REQUIRED);
    bw_set_refuse(r, "decoder_attention_heads", c->dec.heads != c->enc.heads);
    c->max_positions = bw_set_whole(r, "max_position_embeddings", 1024);
    c->pos_offset = 2; /* rows 0 and 1 belong to padding in the published code */
    c->act = activation(r, "activation_function", "gelu");
    c->norm_eps = 1e-5f; /* PyTorch's default, which the published model uses */
    c->dropout = bw_set_real(r, "dropout", 0.1);
    c->attn_dropout = bw_set_real(r, "attention_dropout", 0);
    c->embed_scale = bw_set_flag(r, "scale_embedding", false) ? sqrtf((float)c->dim) : 1;
    c->pos = BW_POS_LEARNED;
    c->embed_norm = true;
    biases(c, true);
    c->tied = bw_set_flag(r, "tie_word_embeddings", true);
    c->lm = c->lm_bias = has_class(info, "ForConditionalGeneration");
}

/* "relu", "gated-gelu", "gated-silu"; by "gated-gelu" the published code means gelu_new. */
static void t5_feed_forward(bw_set_reader *r, bw_tf_config *c) {
    const char *proj = bw_set_text(r, "feed_forward_proj", "relu");
    c->gated = strncmp(proj, "gated-", 6) == 0;
    c->act = activation(r, "dense_act_fn", "relu");
    if (strcmp(proj, "gated-gelu") == 0)
        c->act = BW_ACT_GELU_TANH;
    else if (!bw_set_value(r, "dense_act_fn"))
        for (size_t i = 0; i < sizeof ACTS / sizeof *ACTS; i++)
            if (strcmp(proj + (c->gated ? 6 : 0), ACTS[i].name) == 0)
                c->act = ACTS[i].act;
}

static void read_t5(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c) {
    c->kind = BW_TF_ENCODER_DECODER;
    c->dim = bw_set_whole(r, "d_model", BW_SET_REQUIRED);
    c->head_dim = bw_set_whole(r, "d_kv", BW_SET_REQUIRED);
    c->enc.layers = bw_set_whole(r, "num_layers", BW_SET_REQUIRED);
    c->dec.layers = bw_set_whole(r, "num_decoder_layers", c->enc.layers);
    c->enc.heads = c->dec.heads = bw_set_whole(r, "num_heads", BW_SET_REQUIRED);
    c->enc.ffn = c->dec.ffn = bw_set_whole(r, "d_ff", BW_SET_REQUIRED);
    c->norm_eps = bw_set_real(r, "layer_norm_epsilon", 1e-6);
    c->dropout = c->attn_dropout = bw_set_real(r, "dropout_rate", 0.1);
    c->pos = BW_POS_RELATIVE;
    c->rel_buckets = bw_set_whole(r, "relative_attention_num_buckets", 32);
    c->rel_max_distance = bw_set_whole(r, "relative_attention_max_distance", 128);
    t5_feed_forward(r, c);
    c->norm = BW_NORM_RMS;
    c->pre_norm = true;
    c->attn_scale = 1;
    c->tied = bw_set_flag(r, "tie_word_embeddings", true);
    c->lm = has_class(info, "ForConditionalGeneration");
    c->lm_scale = c->tied ? 1 / sqrtf((float)c->dim) : 1;
}

/* ---- families, out ---- */

static void write_bert(cJSON *j, const bw_tf_config *c) {
    bw_set_put_size(j, "hidden_size", c->dim);
    bw_set_put_size(j, "num_hidden_layers", c->enc.layers);
    bw_set_put_size(j, "num_attention_heads", c->enc.heads);
    bw_set_put_size(j, "intermediate_size", c->enc.ffn);
    bw_set_put_size(j, "max_position_embeddings", c->max_positions);
    bw_set_put_size(j, "type_vocab_size", c->token_types);
    bw_set_put_text(j, "hidden_act", activation_name(c->act));
    bw_set_put_number(j, "layer_norm_eps", c->norm_eps);
    bw_set_put_number(j, "hidden_dropout_prob", c->dropout);
    bw_set_put_number(j, "attention_probs_dropout_prob", c->attn_dropout);
    bw_set_put_text(j, "position_embedding_type", "absolute");
}

static void write_distilbert(cJSON *j, const bw_tf_config *c) {
    bw_set_put_size(j, "dim", c->dim);
    bw_set_put_size(j, "n_layers", c->enc.layers);
    bw_set_put_size(j, "n_heads", c->enc.heads);
    bw_set_put_size(j, "hidden_dim", c->enc.ffn);
    bw_set_put_size(j, "max_position_embeddings", c->max_positions);
    bw_set_put_text(j, "activation", activation_name(c->act));
    bw_set_put_number(j, "dropout", c->dropout);
    bw_set_put_number(j, "attention_dropout", c->attn_dropout);
    bw_set_put_flag(j, "sinusoidal_pos_embds", c->pos == BW_POS_SINUSOIDAL);
}

static void write_gpt2(cJSON *j, const bw_tf_config *c) {
    bw_set_put_size(j, "n_embd", c->dim);
    bw_set_put_size(j, "n_layer", c->dec.layers);
    bw_set_put_size(j, "n_head", c->dec.heads);
    bw_set_put_size(j, "n_inner", c->dec.ffn);
    bw_set_put_size(j, "n_positions", c->max_positions);
    bw_set_put_text(j, "activation_function", activation_name(c->act));
    bw_set_put_number(j, "layer_norm_epsilon", c->norm_eps);
    bw_set_put_number(j, "resid_pdrop", c->dropout);
    bw_set_put_number(j, "embd_pdrop", c->dropout);
    bw_set_put_number(j, "attn_pdrop", c->attn_dropout);
}

static void write_rope(cJSON *j, const bw_tf_config *c) {
    const bw_rope_scaling *s = &c->rope_scaling;
    bw_set_put_number(j, "rope_theta", c->rope_theta);
    if (s->kind == BW_ROPE_PLAIN)
        return;
    cJSON *to = cJSON_CreateObject();
    bw_set_put_text(to, "rope_type", s->kind == BW_ROPE_LINEAR ? "linear" : "llama3");
    bw_set_put_number(to, "factor", s->factor);
    if (s->kind == BW_ROPE_LLAMA3) {
        bw_set_put_number(to, "low_freq_factor", s->low);
        bw_set_put_number(to, "high_freq_factor", s->high);
        bw_set_put_size(to, "original_max_position_embeddings", s->original);
    }
    bw_set_put(j, "rope_scaling", to);
}

static void write_llama(cJSON *j, const bw_tf_config *c) {
    bw_set_put_size(j, "hidden_size", c->dim);
    bw_set_put_size(j, "num_hidden_layers", c->dec.layers);
    bw_set_put_size(j, "num_attention_heads", c->dec.heads);
    bw_set_put_size(j, "num_key_value_heads", c->dec.kv_heads);
    bw_set_put_size(j, "intermediate_size", c->dec.ffn);
    if (c->head_dim * c->dec.heads != c->dim)
        bw_set_put_size(j, "head_dim", c->head_dim);
    bw_set_put_size(j, "max_position_embeddings", c->max_positions);
    bw_set_put_text(j, "hidden_act", activation_name(c->act));
    bw_set_put_number(j, "rms_norm_eps", c->norm_eps);
    bw_set_put_number(j, "attention_dropout", c->attn_dropout);
    write_rope(j, c);
}

static void write_qwen2(cJSON *j, const bw_tf_config *c) {
    write_llama(j, c);
    bw_set_put_flag(j, "use_sliding_window", c->window > 0);
    if (c->window) {
        bw_set_put_size(j, "sliding_window", c->window);
        bw_set_put_size(j, "max_window_layers", c->window_from);
    }
}

static void write_mistral(cJSON *j, const bw_tf_config *c) {
    write_llama(j, c);
    bw_set_put(j, "sliding_window",
               c->window ? cJSON_CreateNumber((double)c->window) : cJSON_CreateNull());
}

static void write_llama_biases(cJSON *j, const bw_tf_config *c) {
    write_llama(j, c);
    bw_set_put_flag(j, "attention_bias", c->qkv_bias);
    bw_set_put_flag(j, "mlp_bias", c->ffn_bias);
}

static void write_bart(cJSON *j, const bw_tf_config *c) {
    bw_set_put_size(j, "d_model", c->dim);
    bw_set_put_size(j, "encoder_layers", c->enc.layers);
    bw_set_put_size(j, "encoder_attention_heads", c->enc.heads);
    bw_set_put_size(j, "encoder_ffn_dim", c->enc.ffn);
    bw_set_put_size(j, "decoder_layers", c->dec.layers);
    bw_set_put_size(j, "decoder_attention_heads", c->dec.heads);
    bw_set_put_size(j, "decoder_ffn_dim", c->dec.ffn);
    bw_set_put_size(j, "max_position_embeddings", c->max_positions);
    bw_set_put_text(j, "activation_function", activation_name(c->act));
    bw_set_put_number(j, "dropout", c->dropout);
    bw_set_put_number(j, "attention_dropout", c->attn_dropout);
    bw_set_put_flag(j, "scale_embedding", c->embed_scale != 1);
    bw_set_put_flag(j, "is_encoder_decoder", true);
}

static void write_t5(cJSON *j, const bw_tf_config *c) {
    bw_set_put_size(j, "d_model", c->dim);
    bw_set_put_size(j, "d_kv", c->head_dim);
    bw_set_put_size(j, "num_layers", c->enc.layers);
    bw_set_put_size(j, "num_decoder_layers", c->dec.layers);
    bw_set_put_size(j, "num_heads", c->enc.heads);
    bw_set_put_size(j, "d_ff", c->enc.ffn);
    bw_set_put_number(j, "layer_norm_epsilon", c->norm_eps);
    bw_set_put_number(j, "dropout_rate", c->dropout);
    bw_set_put_size(j, "relative_attention_num_buckets", c->rel_buckets);
    bw_set_put_size(j, "relative_attention_max_distance", c->rel_max_distance);
    char proj[32];
    bool gelu = c->gated && c->act == BW_ACT_GELU_TANH;
    snprintf(proj, sizeof proj, "%s%s", c->gated ? "gated-" : "",
             gelu ? "gelu" : activation_name(c->act));
    bw_set_put_text(j, "feed_forward_proj", proj);
    bw_set_put_text(j, "dense_act_fn", activation_name(c->act));
    bw_set_put_flag(j, "is_gated_act", c->gated);
    bw_set_put_flag(j, "is_encoder_decoder", true);
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
    FIELD(FIELD_ENUM, rope_scaling.kind),
    FIELD(FIELD_REAL, rope_scaling.factor),
    FIELD(FIELD_REAL, rope_scaling.low),
    FIELD(FIELD_REAL, rope_scaling.high),
    FIELD(FIELD_SIZE, rope_scaling.original),
    FIELD(FIELD_SIZE, window),
    FIELD(FIELD_SIZE, window_from),
    FIELD(FIELD_SIZE, rel_buckets),
    FIELD(FIELD_SIZE, rel_max_distance),
    FIELD(FIELD_SIZE, token_types),
    FIELD(FIELD_FLAG, embed_norm),
    FIELD(FIELD_REAL, embed_scale),
    FIELD(FIELD_REAL, attn_scale),
    FIELD(FIELD_SIZE, ngram_buckets),
    FIELD(FIELD_FLAG, ngram_mean),
    FIELD(FIELD_SIZE, embed_dim),
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
    if (strcmp(field, "rope_scaling.kind") == 0)
        return BW_ROPE_LLAMA3;
    return strcmp(field, "pos") == 0 ? BW_POS_RELATIVE : BW_ACT_TANH;
}

/* Enumerations are unsigned int in size and value. */
_Static_assert(sizeof(bw_act) == sizeof(int) && sizeof(bw_tf_kind) == sizeof(int), "enum size");

static void read_bellwether(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c) {
    (void)info;
    for (size_t i = 0; i < N_FIELDS; i++) {
        char *at = (char *)c + FIELDS[i].offset;
        const char *key = FIELDS[i].name;
        size_t n;
        switch (FIELDS[i].kind) {
        case FIELD_SIZE:
            *(size_t *)at = bw_set_whole(r, key, 0);
            break;
        case FIELD_FLAG:
            *(bool *)at = bw_set_flag(r, key, false);
            break;
        case FIELD_REAL:
            *(float *)at = bw_set_real(r, key, 0);
            break;
        case FIELD_ENUM:
            n = bw_set_whole(r, key, 0);
            if (n > last_value(key))
                bw_set_complain(r, key, "one of the values this version knows");
            *(int *)at = (int)n;
            break;
        }
    }
    c->tied = bw_set_flag(r, "tie_word_embeddings", false);
}

static void write_bellwether(cJSON *j, const bw_tf_config *c) {
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *at = (const char *)c + FIELDS[i].offset;
        switch (FIELDS[i].kind) {
        case FIELD_SIZE:
            bw_set_put_size(j, FIELDS[i].name, *(const size_t *)at);
            break;
        case FIELD_FLAG:
            bw_set_put_flag(j, FIELDS[i].name, *(const bool *)at);
            break;
        case FIELD_REAL:
            bw_set_put_number(j, FIELDS[i].name, *(const float *)at);
            break;
        case FIELD_ENUM:
            bw_set_put_size(j, FIELDS[i].name, (size_t) * (const int *)at);
            break;
        }
    }
}

/* ---- the table ---- */

const bw_hf_family_row BW_HF_FAMILIES[] = {
    [BW_HF_BELLWETHER] = {read_bellwether, write_bellwether, NULL, NULL},
    [BW_HF_BERT] = {read_bert, write_bert, "BertForSequenceClassification", NULL},
    [BW_HF_DISTILBERT] = {read_distilbert, write_distilbert, "DistilBertForSequenceClassification",
                          NULL},
    [BW_HF_GPT2] = {read_gpt2, write_gpt2, NULL, "GPT2LMHeadModel"},
    [BW_HF_LLAMA] = {read_llama, write_llama_biases, NULL, "LlamaForCausalLM"},
    [BW_HF_QWEN2] = {read_llama, write_qwen2, NULL, "Qwen2ForCausalLM"},
    [BW_HF_MISTRAL] = {read_llama, write_mistral, NULL, "MistralForCausalLM"},
    [BW_HF_BART] = {read_bart, write_bart, NULL, "BartForConditionalGeneration"},
    [BW_HF_T5] = {read_t5, write_t5, NULL, "T5ForConditionalGeneration"},
};
