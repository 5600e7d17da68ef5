/* model/hf/hf_config.c - config.json to a configuration and back, what all families share. */
#include "model/hf/hf_internal.h"

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
    [BW_HF_MISTRAL] = "mistral",
    [BW_HF_BART] = "bart",
    [BW_HF_T5] = "t5",
};
#define N_FAMILIES (sizeof FAMILY_NAMES / sizeof *FAMILY_NAMES)

const char *bw_hf_family_name(bw_hf_family family) {
    return FAMILY_NAMES[family];
}

static void read_family(bw_set_reader *r, bw_hf_info *info) {
    const char *type = bw_set_text(r, "model_type", "");
    for (size_t i = 0; i < N_FAMILIES; i++)
        if (strcmp(type, FAMILY_NAMES[i]) == 0) {
            info->family = (bw_hf_family)i;
            return;
        }
    if (r->status == BW_OK)
        r->status = bw_fail(r->err, BW_EFORMAT,
                            "%s: model_type \"%.40s\" is not one of bert, distilbert, gpt2, llama, "
                            "qwen2, mistral, bart, t5, bellwether",
                            r->name, type);
}

static void read_class(bw_set_reader *r, bw_hf_info *info) {
    const cJSON *list = bw_set_value(r, "architectures");
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(list, 0));
    snprintf(info->model_class, sizeof info->model_class, "%s",
             name ? name : bw_hf_base_class(info->family));
}

#define MOST_LABELS 100000

static void read_labels(bw_set_reader *r, bw_hf_info *info) {
    const cJSON *map = bw_set_value(r, "id2label");
    size_t n = map ? (size_t)cJSON_GetArraySize(map) : bw_set_whole(r, "num_labels", 2);
    if (n > MOST_LABELS)
        bw_set_complain(r, "id2label", "shorter");
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

static void read_tokens(bw_set_reader *r, bw_hf_info *info) {
    info->bos = bw_set_token(r, "bos_token_id", info->bos);
    info->eos = bw_set_token(r, "eos_token_id", info->eos);
    info->pad = bw_set_token(r, "pad_token_id", info->pad);
    info->decoder_start = bw_set_token(r, "decoder_start_token_id", info->decoder_start);
    info->forced_bos = bw_set_token(r, "forced_bos_token_id", info->forced_bos);
    info->forced_eos = bw_set_token(r, "forced_eos_token_id", info->forced_eos);
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
    bw_set_reader r = {.name = name, .json = root, .err = err};
    if (!cJSON_IsObject(root))
        r.status = bw_fail(err, BW_EFORMAT, "%s: not a JSON object", name);
    else
        read_family(&r, info);
    if (r.status == BW_OK) {
        read_class(&r, info);
        read_labels(&r, info);
        read_tokens(&r, info);
        info->config.vocab = bw_set_whole(&r, "vocab_size", BW_SET_REQUIRED);
        BW_HF_FAMILIES[info->family].read(&r, info, &info->config);
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
    if (c->labels && BW_HF_FAMILIES[info->family].classifier)
        return BW_HF_FAMILIES[info->family].classifier;
    return c->lm && BW_HF_FAMILIES[info->family].lm ? BW_HF_FAMILIES[info->family].lm
                                                    : bw_hf_base_class(info->family);
}

static void put_token(cJSON *j, const char *key, int32_t id) {
    if (id >= 0)
        bw_set_put(j, key, cJSON_CreateNumber(id));
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
    bw_set_put(j, "id2label", names);
    bw_set_put(j, "label2id", ids);
}

char *bw_hf_config_text(const bw_hf_info *info, bw_dtype dtype) {
    cJSON *j = info->config_json ? cJSON_Parse(info->config_json) : cJSON_CreateObject();
    cJSON *classes = cJSON_CreateArray();
    if (bw_hf_class(info)[0])
        cJSON_AddItemToArray(classes, cJSON_CreateString(bw_hf_class(info)));
    bw_set_put(j, "architectures", classes);
    bw_set_put_text(j, "model_type", FAMILY_NAMES[info->family]);
    bw_set_put_size(j, "vocab_size", info->config.vocab);
    bw_set_put_flag(j, "tie_word_embeddings", info->config.tied);
    bw_set_put_text(j, "torch_dtype",
                    dtype == BW_F16    ? "float16"
                    : dtype == BW_BF16 ? "bfloat16"
                                       : "float32");
    put_token(j, "bos_token_id", info->bos);
    put_token(j, "eos_token_id", info->eos);
    put_token(j, "pad_token_id", info->pad);
    put_token(j, "decoder_start_token_id", info->decoder_start);
    BW_HF_FAMILIES[info->family].write(j, &info->config);
    if (info->config.labels)
        put_labels(j, info);
    char *out = cJSON_Print(j);
    cJSON_Delete(j);
    return out;
}
