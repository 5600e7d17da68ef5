/* model/hf/hf_names.c - our parameter names against those of each family of folders.
 *
 * A row pairs our stem with theirs; ".weight" and ".bias" follow on both sides, and # stands for a
 * layer's number. Where several rows have the same left side the first that applies is the one
 * written, all are read. */
#include "model/hf/hf_internal.h"
#include "model/core/tf.h"

#include <stdio.h>
#include <string.h>

enum {
    BODY = 1,       /* carries the class prefix ("bert.") in files of models with a head */
    TRANSPOSED = 2, /* stored [in, out], as GPT-2's Conv1D does */
    FUSED = 4,      /* q, k and v in one tensor */
    GATED = 8,      /* only in gated models */
    PLAIN = 16,     /* only in others */
    ALIAS = 32      /* read, never written */
};

typedef struct {
    const char *ours, *theirs;
    unsigned flags;
} row;

static const row BERT[] = {
    {"embed.token", "embeddings.word_embeddings", BODY},
    {"embed.type", "embeddings.token_type_embeddings", BODY},
    {"enc.position", "embeddings.position_embeddings", BODY},
    {"enc.embed_norm", "embeddings.LayerNorm", BODY},
    {"enc.#.attn.q", "encoder.layer.#.attention.self.query", BODY},
    {"enc.#.attn.k", "encoder.layer.#.attention.self.key", BODY},
    {"enc.#.attn.v", "encoder.layer.#.attention.self.value", BODY},
    {"enc.#.attn.out", "encoder.layer.#.attention.output.dense", BODY},
    {"enc.#.attn.norm", "encoder.layer.#.attention.output.LayerNorm", BODY},
    {"enc.#.ffn.up", "encoder.layer.#.intermediate.dense", BODY},
    {"enc.#.ffn.down", "encoder.layer.#.output.dense", BODY},
    {"enc.#.ffn.norm", "encoder.layer.#.output.LayerNorm", BODY},
    {"pooler", "pooler.dense", BODY},
    {"classifier", "classifier", 0},
    {"nsp", "cls.seq_relationship", 0},
    {"mlm.dense", "cls.predictions.transform.dense", 0},
    {"mlm.norm", "cls.predictions.transform.LayerNorm", 0},
    {"mlm.bias", "cls.predictions.bias", 0},
    {"mlm.bias", "cls.predictions.decoder.bias", ALIAS},
    {"mlm.weight", "cls.predictions.decoder.weight", 0},
    {0},
};

static const row DISTILBERT[] = {
    {"embed.token", "embeddings.word_embeddings", BODY},
    {"enc.position", "embeddings.position_embeddings", BODY},
    {"enc.embed_norm", "embeddings.LayerNorm", BODY},
    {"enc.#.attn.q", "transformer.layer.#.attention.q_lin", BODY},
    {"enc.#.attn.k", "transformer.layer.#.attention.k_lin", BODY},
    {"enc.#.attn.v", "transformer.layer.#.attention.v_lin", BODY},
    {"enc.#.attn.out", "transformer.layer.#.attention.out_lin", BODY},
    {"enc.#.attn.norm", "transformer.layer.#.sa_layer_norm", BODY},
    {"enc.#.ffn.up", "transformer.layer.#.ffn.lin1", BODY},
    {"enc.#.ffn.down", "transformer.layer.#.ffn.lin2", BODY},
    {"enc.#.ffn.norm", "transformer.layer.#.output_layer_norm", BODY},
    {"pooler", "pre_classifier", 0},
    {"classifier", "classifier", 0},
    {"mlm.dense", "vocab_transform", 0},
    {"mlm.norm", "vocab_layer_norm", 0},
    {"mlm", "vocab_projector", 0},
    {0},
};

static const row GPT2[] = {
    {"embed.token", "wte", BODY},
    {"dec.position", "wpe", BODY},
    {"dec.#.attn.norm", "h.#.ln_1", BODY},
    {"dec.#.attn.q", "h.#.attn.c_attn", BODY | TRANSPOSED | FUSED},
    {"dec.#.attn.out", "h.#.attn.c_proj", BODY | TRANSPOSED},
    {"dec.#.ffn.norm", "h.#.ln_2", BODY},
    {"dec.#.ffn.up", "h.#.mlp.c_fc", BODY | TRANSPOSED},
    {"dec.#.ffn.down", "h.#.mlp.c_proj", BODY | TRANSPOSED},
    {"dec.norm", "ln_f", BODY},
    {"lm", "lm_head", 0},
    {0},
};

static const row LLAMA[] = {
    {"embed.token", "embed_tokens", BODY},
    {"dec.#.attn.norm", "layers.#.input_layernorm", BODY},
    {"dec.#.attn.q", "layers.#.self_attn.q_proj", BODY},
    {"dec.#.attn.k", "layers.#.self_attn.k_proj", BODY},
    {"dec.#.attn.v", "layers.#.self_attn.v_proj", BODY},
    {"dec.#.attn.out", "layers.#.self_attn.o_proj", BODY},
    {"dec.#.ffn.norm", "layers.#.post_attention_layernorm", BODY},
    {"dec.#.ffn.gate", "layers.#.mlp.gate_proj", BODY},
    {"dec.#.ffn.up", "layers.#.mlp.up_proj", BODY},
    {"dec.#.ffn.down", "layers.#.mlp.down_proj", BODY},
    {"dec.norm", "norm", BODY},
    {"lm", "lm_head", 0},
    {0},
};

static const row BART[] = {
    {"embed.token", "shared", BODY},
    {"embed.token", "encoder.embed_tokens", BODY | ALIAS},
    {"embed.token", "decoder.embed_tokens", BODY | ALIAS},
    {"enc.position", "encoder.embed_positions", BODY},
    {"enc.embed_norm", "encoder.layernorm_embedding", BODY},
    {"enc.#.attn.q", "encoder.layers.#.self_attn.q_proj", BODY},
    {"enc.#.attn.k", "encoder.layers.#.self_attn.k_proj", BODY},
    {"enc.#.attn.v", "encoder.layers.#.self_attn.v_proj", BODY},
    {"enc.#.attn.out", "encoder.layers.#.self_attn.out_proj", BODY},
    {"enc.#.attn.norm", "encoder.layers.#.self_attn_layer_norm", BODY},
    {"enc.#.ffn.up", "encoder.layers.#.fc1", BODY},
    {"enc.#.ffn.down", "encoder.layers.#.fc2", BODY},
    {"enc.#.ffn.norm", "encoder.layers.#.final_layer_norm", BODY},
    {"dec.position", "decoder.embed_positions", BODY},
    {"dec.embed_norm", "decoder.layernorm_embedding", BODY},
    {"dec.#.attn.q", "decoder.layers.#.self_attn.q_proj", BODY},
    {"dec.#.attn.k", "decoder.layers.#.self_attn.k_proj", BODY},
    {"dec.#.attn.v", "decoder.layers.#.self_attn.v_proj", BODY},
    {"dec.#.attn.out", "decoder.layers.#.self_attn.out_proj", BODY},
    {"dec.#.attn.norm", "decoder.layers.#.self_attn_layer_norm", BODY},
    {"dec.#.cross.q", "decoder.layers.#.encoder_attn.q_proj", BODY},
    {"dec.#.cross.k", "decoder.layers.#.encoder_attn.k_proj", BODY},
    {"dec.#.cross.v", "decoder.layers.#.encoder_attn.v_proj", BODY},
    {"dec.#.cross.out", "decoder.layers.#.encoder_attn.out_proj", BODY},
    {"dec.#.cross.norm", "decoder.layers.#.encoder_attn_layer_norm", BODY},
    {"dec.#.ffn.up", "decoder.layers.#.fc1", BODY},
    {"dec.#.ffn.down", "decoder.layers.#.fc2", BODY},
    {"dec.#.ffn.norm", "decoder.layers.#.final_layer_norm", BODY},
    {"lm.bias", "final_logits_bias", 0},
    {"lm.weight", "lm_head.weight", 0},
    {0},
};

static const row T5[] = {
    {"embed.token", "shared", 0},
    {"embed.token", "encoder.embed_tokens", ALIAS},
    {"embed.token", "decoder.embed_tokens", ALIAS},
    {"enc.relative", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias", 0},
    {"enc.#.attn.q", "encoder.block.#.layer.0.SelfAttention.q", 0},
    {"enc.#.attn.k", "encoder.block.#.layer.0.SelfAttention.k", 0},
    {"enc.#.attn.v", "encoder.block.#.layer.0.SelfAttention.v", 0},
    {"enc.#.attn.out", "encoder.block.#.layer.0.SelfAttention.o", 0},
    {"enc.#.attn.norm", "encoder.block.#.layer.0.layer_norm", 0},
    {"enc.#.ffn.gate", "encoder.block.#.layer.1.DenseReluDense.wi_0", GATED},
    {"enc.#.ffn.up", "encoder.block.#.layer.1.DenseReluDense.wi_1", GATED},
    {"enc.#.ffn.up", "encoder.block.#.layer.1.DenseReluDense.wi", PLAIN},
    {"enc.#.ffn.down", "encoder.block.#.layer.1.DenseReluDense.wo", 0},
    {"enc.#.ffn.norm", "encoder.block.#.layer.1.layer_norm", 0},
    {"enc.norm", "encoder.final_layer_norm", 0},
    {"dec.relative", "decoder.block.0.layer.0.SelfAttention.relative_attention_bias", 0},
    {"dec.#.attn.q", "decoder.block.#.layer.0.SelfAttention.q", 0},
    {"dec.#.attn.k", "decoder.block.#.layer.0.SelfAttention.k", 0},
    {"dec.#.attn.v", "decoder.block.#.layer.0.SelfAttention.v", 0},
    {"dec.#.attn.out", "decoder.block.#.layer.0.SelfAttention.o", 0},
    {"dec.#.attn.norm", "decoder.block.#.layer.0.layer_norm", 0},
    {"dec.#.cross.q", "decoder.block.#.layer.1.EncDecAttention.q", 0},
    {"dec.#.cross.k", "decoder.block.#.layer.1.EncDecAttention.k", 0},
    {"dec.#.cross.v", "decoder.block.#.layer.1.EncDecAttention.v", 0},
    {"dec.#.cross.out", "decoder.block.#.layer.1.EncDecAttention.o", 0},
    {"dec.#.cross.norm", "decoder.block.#.layer.1.layer_norm", 0},
    {"dec.#.ffn.gate", "decoder.block.#.layer.2.DenseReluDense.wi_0", GATED},
    {"dec.#.ffn.up", "decoder.block.#.layer.2.DenseReluDense.wi_1", GATED},
    {"dec.#.ffn.up", "decoder.block.#.layer.2.DenseReluDense.wi", PLAIN},
    {"dec.#.ffn.down", "decoder.block.#.layer.2.DenseReluDense.wo", 0},
    {"dec.#.ffn.norm", "decoder.block.#.layer.2.layer_norm", 0},
    {"dec.norm", "decoder.final_layer_norm", 0},
    {"lm", "lm_head", 0},
    {0},
};

static const struct {
    const row *rows; /* NULL: our names as they are */
    const char *prefix, *base_class;
} FAMILIES[] = {
    [BW_HF_BELLWETHER] = {NULL, "", ""},
    [BW_HF_BERT] = {BERT, "bert.", "BertModel"},
    [BW_HF_DISTILBERT] = {DISTILBERT, "distilbert.", "DistilBertModel"},
    [BW_HF_GPT2] = {GPT2, "transformer.", "GPT2Model"},
    [BW_HF_LLAMA] = {LLAMA, "model.", "LlamaModel"},
    [BW_HF_QWEN2] = {LLAMA, "model.", "Qwen2Model"},
    [BW_HF_MISTRAL] = {LLAMA, "model.", "MistralModel"},
    [BW_HF_BART] = {BART, "model.", "BartModel"},
    [BW_HF_T5] = {T5, "", "T5Model"},
};

/* ---- matching ---- */

/* Matches a pattern with one # against the start of a name; *rest is what follows, digits those of
 * the number. */
static bool match(const char *pattern, const char *name, const char **digits, size_t *n_digits,
                  const char **rest) {
    *n_digits = 0;
    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (*pattern != *name++)
                return false;
            continue;
        }
        *digits = name;
        *n_digits = strspn(name, "0123456789");
        if (!*n_digits)
            return false;
        name += *n_digits;
    }
    *rest = name;
    return *name == '\0' || strcmp(name, ".weight") == 0 || strcmp(name, ".bias") == 0;
}

static bool applies(const row *r, const bw_tf_config *c) {
    return !(r->flags & (c->gated ? PLAIN : GATED));
}

/* Writes `theirs` with the number and the ending put in. */
static void expand(char out[160], const char *prefix, const char *theirs, const char *digits,
                   size_t n_digits, const char *rest) {
    const char *hash = strchr(theirs, '#');
    if (hash)
        snprintf(out, 160, "%s%.*s%.*s%s%s", prefix, (int)(hash - theirs), theirs, (int)n_digits,
                 digits, hash + 1, rest);
    else
        snprintf(out, 160, "%s%s%s", prefix, theirs, rest);
}

/* The rest of an exact left side ("mlm.bias") is empty on both sides. */
static bool translate(const row *r, const char *prefix, const char *name, char out[160]) {
    const char *digits = NULL, *rest;
    size_t n_digits;
    if (!match(r->ours, name, &digits, &n_digits, &rest))
        return false;
    expand(out, r->flags & BODY ? prefix : "", r->theirs, digits, n_digits, rest);
    return true;
}

/* The k-th row that names a parameter, NULL past the last; out gets the name. */
static const row *nth_row(const bw_hf_info *info, const bw_tf_config *c, const char *name,
                          const char *prefix, size_t k, char out[160]) {
    for (const row *r = FAMILIES[info->family].rows; r->ours; r++)
        if (applies(r, c) && translate(r, prefix, name, out) && k-- == 0)
            return r;
    return NULL;
}

static const char *prefix_of(const bw_hf_info *info) {
    bool base = strcmp(info->model_class, FAMILIES[info->family].base_class) == 0;
    return base ? "" : FAMILIES[info->family].prefix;
}

/* ---- views ---- */

/* The row count and shape as the folder stores them. */
static void shape_view(const bw_transformer *t, const bw_hf_info *info, unsigned flags,
                       bw_hf_view *v) {
    const bw_param *p = &t->p.table[v->first];
    size_t rows = 0;
    for (size_t k = 0; k < v->n; k++)
        rows += p[k].dim[0];
    v->transposed = (flags & TRANSPOSED) && p->n_dims == 2;
    v->n_dims = p->n_dims;
    v->dim[0] = v->transposed ? p->dim[1] : rows;
    v->dim[1] = v->transposed ? rows : p->dim[1];
    if (info->family == BW_HF_BART && strcmp(p->name, "lm.bias") == 0) { /* [1, vocab] there */
        v->n_dims = 2;
        v->dim[0] = 1;
        v->dim[1] = rows;
    }
}

bool bw_hf_view_at(const bw_transformer *t, const bw_hf_info *info, size_t i, bw_hf_view *v) {
    const char *name = t->p.table[i].name;
    *v = (bw_hf_view){.first = i, .n = 1};
    if (!FAMILIES[info->family].rows) {
        snprintf(v->name, sizeof v->name, "%s", name);
        shape_view(t, info, 0, v);
        return true;
    }
    const row *r = nth_row(info, &t->c, name, prefix_of(info), 0, v->name);
    if (!r)
        return false;
    v->n = r->flags & FUSED ? 3 : 1;
    shape_view(t, info, r->flags, v);
    return true;
}

bool bw_hf_alternative(const bw_transformer *t, const bw_hf_info *info, const bw_hf_view *v,
                       size_t k, char out[160]) {
    if (!FAMILIES[info->family].rows) {
        snprintf(out, 160, "%s", v->name);
        return k == 0;
    }
    bool with_prefix = k % 2 == 0;
    const char *prefix = with_prefix ? FAMILIES[info->family].prefix : "";
    return nth_row(info, &t->c, t->p.table[v->first].name, prefix, k / 2, out);
}

bool bw_hf_find(const bw_transformer *t, const bw_hf_info *info, const char *name, bw_hf_view *v) {
    char other[160];
    for (size_t i = 0; i < t->p.n; i++) {
        if (!bw_hf_view_at(t, info, i, v))
            continue;
        for (size_t k = 0; bw_hf_alternative(t, info, v, k, other); k++)
            if (strcmp(other, name) == 0)
                return true;
    }
    return false;
}

static void copy(const bw_transformer *t, const bw_hf_view *v, float *ours, float *theirs,
                 bool out) {
    ours += t->p.table[v->first].offset;
    size_t n = v->dim[0] * (v->n_dims == 2 ? v->dim[1] : 1);
    for (size_t i = 0; i < n; i++) {

        size_t at = v->transposed ? i % v->dim[1] * v->dim[0] + i / v->dim[1] : i;
        if (out)
            theirs[i] = ours[at];
        else
            ours[at] = theirs[i];
    }
}

void bw_hf_gather(const bw_transformer *t, const bw_hf_view *v, const float *base, float *out) {
    copy(t, v, (float *)(uintptr_t)base, out, true);
}

void bw_hf_scatter(const bw_transformer *t, const bw_hf_view *v, float *base, const float *in) {
    copy(t, v, base, (float *)(uintptr_t)in, false);
}

const char *bw_hf_base_class(bw_hf_family family) {
    return FAMILIES[family].base_class;
}
