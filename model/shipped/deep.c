/* model/shipped/deep.c - configuration, folder, memory of the encoder in training. */
#include "model/shipped/deep.h"

#include "model/core/safetensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_OWN 1 /* tensors beside the parameters: the n-gram marks */

bw_reader bw_deep_reader(const bw_deep *m) {
    return (bw_reader){.tokenizer = m->tokenizer, .table = m->table, .max_units = BW_MAX_UNITS};
}

void bw_deep_free(bw_deep *m) {
    bw_tokenizer_free(m->tokenizer);
    bw_transformer_free(m->tf);
    bw_readout_free(&m->heads);
    free(m->marks);
    *m = (bw_deep){0};
}

char *bw_deep_config_json(const bw_deep *m) {
    const bw_tf_config *c = bw_transformer_config(m->tf);
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "vocab", (double)c->vocab);
    cJSON_AddNumberToObject(j, "dim", (double)c->dim);
    cJSON_AddNumberToObject(j, "embed", (double)c->embed_dim);
    cJSON_AddNumberToObject(j, "layers", (double)c->enc.layers);
    cJSON_AddNumberToObject(j, "heads", (double)c->enc.heads);
    cJSON_AddNumberToObject(j, "ffn", (double)c->enc.ffn);
    cJSON_AddNumberToObject(j, "ngram_sets", (double)m->table.sets);
    cJSON_AddNumberToObject(j, "dropout", (double)c->dropout);
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return text;
}

static size_t whole(const cJSON *j, const char *key) {
    const cJSON *x = cJSON_GetObjectItem(j, key);
    return cJSON_IsNumber(x) && x->valuedouble > 0 && x->valuedouble < 1e9 ? (size_t)x->valuedouble
                                                                           : 0;
}

bw_status bw_deep_config_parse(const char *json, bw_tf_config *config, size_t *ngram_sets,
                               bw_err *err) {
    cJSON *j = cJSON_Parse(json ? json : "");
    const cJSON *dropout = cJSON_GetObjectItem(j, "dropout");
    *ngram_sets = whole(j, "ngram_sets");
    *config = (bw_tf_config){
        .kind = BW_TF_ENCODER,
        .vocab = whole(j, "vocab"),
        .dim = whole(j, "dim"),
        .embed_dim = whole(j, "embed"),
        .enc = {.layers = whole(j, "layers"), .heads = whole(j, "heads"), .ffn = whole(j, "ffn")},
        .norm = BW_NORM_LAYER,
        .pre_norm = true,
        .norm_eps = 1e-5f,
        .act = BW_ACT_GELU,
        .qkv_bias = true,
        .out_bias = true,
        .ffn_bias = true,
        .pos = BW_POS_ROTARY,
        .rope_theta = 10000.0f,
        .ngram_buckets = BW_GRAM_WAYS * *ngram_sets,
        .dropout = cJSON_IsNumber(dropout) ? (float)dropout->valuedouble : 0.0f};
    cJSON_Delete(j);
    if (!config->vocab || !config->dim || !config->enc.layers || !config->enc.heads)
        return bw_fail(err, BW_EFORMAT, "the encoder's configuration is missing or damaged");
    return BW_OK;
}

static bw_tensor row_of(const bw_params *p, size_t i) {
    const bw_param *q = &p->table[i];
    return (bw_tensor){.name = q->name,
                       .dtype = BW_F32,
                       .n_dims = q->n_dims,
                       .dim = {q->dim[0], q->dim[1]},
                       .count = q->size,
                       .data = p->data + q->offset,
                       .bytes = q->size * sizeof(float)};
}

bw_status bw_deep_save(const bw_deep *m, const char *folder, bw_err *err) {
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return bw_fail(err, BW_EIO, "%s: %s", folder, strerror(errno));
    const bw_params *p = bw_transformer_params(m->tf), *q = &m->heads.params;
    bw_tensor *t = calloc(p->n + q->n + N_OWN, sizeof *t);
    char *config = bw_deep_config_json(m), path[1024];
    if (!t || !config) {
        free(t);
        free(config);
        return bw_fail_memory(err);
    }
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        t[n++] = row_of(p, i);
    for (size_t i = 0; i < q->n; i++)
        t[n++] = row_of(q, i);
    size_t slots = BW_GRAM_WAYS * m->table.sets;
    t[n++] = (bw_tensor){.name = "ngram.marks",
                         .dtype = BW_U8,
                         .n_dims = 1,
                         .dim = {slots},
                         .count = slots,
                         .data = m->marks,
                         .bytes = slots};
    snprintf(path, sizeof path, "%s/deep.safetensors", folder);
    bw_status st = bw_safetensors_write(path, t, n, (bw_st_meta[]){{"config", config}, {0}}, err);
    free(t);
    free(config);
    return st == BW_OK ? bw_tokenizer_save(m->tokenizer, folder, err) : st;
}

static bw_status fill(const bw_safetensors *f, bw_params *p, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < p->n; i++) {
        const bw_tensor *t = bw_safetensors_find(f, p->table[i].name);
        if (!t || t->count != p->table[i].size)
            return bw_fail(err, BW_EFORMAT, "%s is missing or has another shape", p->table[i].name);
        st = bw_tensor_to_f32(f, t, bw_param_data(p, i), err);
    }
    return st;
}

static bw_status load_weights(const bw_safetensors *f, bw_deep *m, bw_err *err) {
    bw_tf_config config;
    bw_status st =
        bw_deep_config_parse(bw_safetensors_meta(f, "config"), &config, &m->table.sets, err);
    const bw_tensor *marks = bw_safetensors_find(f, "ngram.marks");
    if (st == BW_OK &&
        (!marks || marks->dtype != BW_U8 || marks->count != BW_GRAM_WAYS * m->table.sets))
        st = bw_fail(err, BW_EFORMAT, "ngram.marks is missing or has another shape");
    if (st == BW_OK && !(m->marks = malloc(marks->count + 1)))
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        memcpy(m->marks, marks->data, marks->count);
        m->table.mark = m->marks;
        st = bw_transformer_new(&config, &m->tf, err);
    }
    if (st == BW_OK)
        st = bw_readout_new(&m->heads, config.dim, err);
    if (st == BW_OK)
        st = fill(f, bw_transformer_params(m->tf), err);
    return st == BW_OK ? fill(f, &m->heads.params, err) : st;
}

bw_status bw_deep_load(const char *folder, bw_deep *out, bw_err *err) {
    *out = (bw_deep){0};
    char path[1024];
    snprintf(path, sizeof path, "%s/deep.safetensors", folder);
    bw_safetensors *f = NULL;
    bw_status st = bw_safetensors_open(path, &f, err);
    if (st == BW_OK)
        st = load_weights(f, out, err);
    bw_safetensors_free(f);
    if (st == BW_OK) {
        snprintf(path, sizeof path, "%s/tokenizer.json", folder);
        st = bw_tokenizer_load(path, &out->tokenizer, err);
    }
    if (st != BW_OK)
        bw_deep_free(out);
    return st;
}

static bw_status fill_whole(const bw_safetensors *f, const char *name, bw_params *p, bw_err *err) {
    const bw_tensor *t = bw_safetensors_find(f, name);
    if (!t || t->count != p->total)
        return bw_fail(err, BW_EFORMAT, "%s is missing or has another size", name);
    return bw_tensor_to_f32(f, t, p->data, err);
}

bw_status bw_deep_take_average(bw_deep *m, const char *folder, const char *stage, bw_err *err) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.average", folder, stage);
    if (access(path, R_OK) != 0)
        return BW_OK;
    bw_safetensors *f;
    bw_status st = bw_safetensors_open(path, &f, err);
    if (st != BW_OK)
        return st;
    st = fill_whole(f, "average.encoder", bw_transformer_params(m->tf), err);
    if (st == BW_OK)
        st = fill_whole(f, "average.heads", &m->heads.params, err);
    bw_safetensors_free(f);
    return st;
}

static bool same_words(const bw_tokenizer *a, const bw_tokenizer *b) {
    size_t n = bw_tokenizer_size(a);
    if (bw_tokenizer_size(b) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(bw_tokenizer_piece(a, (int32_t)i), bw_tokenizer_piece(b, (int32_t)i)) != 0)
            return false;
    return true;
}

static bool same_shape(const bw_params *a, const bw_params *b) {
    bool same = a->n == b->n && a->total == b->total;
    for (size_t i = 0; same && i < a->n; i++)
        same = !strcmp(a->table[i].name, b->table[i].name) && a->table[i].size == b->table[i].size;
    return same;
}

static void mean_params(bw_params *a, const bw_params *b) {
    for (size_t i = 0; i < a->total; i++)
        a->data[i] = 0.5f * (a->data[i] + b->data[i]);
}

bw_status bw_deep_mean(bw_deep *m, const bw_deep *other, bw_err *err) {
    bw_params *a = bw_transformer_params(m->tf), *b = bw_transformer_params(other->tf);
    if (!same_shape(a, b) || !same_shape(&m->heads.params, &other->heads.params))
        return bw_fail(err, BW_EARG, "the two runs have layers of another shape");
    if (m->table.sets != other->table.sets ||
        memcmp(m->marks, other->marks, BW_GRAM_WAYS * m->table.sets) != 0 ||
        !same_words(m->tokenizer, other->tokenizer))
        return bw_fail(err, BW_EARG, "the two runs have other vocabularies or n-grams");
    mean_params(a, b);
    mean_params(&m->heads.params, &other->heads.params);
    return BW_OK;
}
