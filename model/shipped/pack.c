/* model/shipped/pack.c - quantising and writing the shipped file. */
#include "model/shipped/pack.h"

#include "common/buf.h"
#include "common/sha256.h"
#include "model/shipped/wide_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TENSORS 512

double bw_length_feature(size_t tokens) {
    return fmax(-2, fmin(2, log((double)(tokens ? tokens : 1) / 32)));
}

void bw_calibration_logits(const bw_calibration *c, bool zh, double length, const float deep[3],
                           const float wide[2], double z[3]) {
    double m[BW_N_MIX], w[3] = {-wide[0], wide[1], wide[0]};
    for (int k = 0; k < BW_N_MIX; k++)
        m[k] = c->mix[zh][k] + length * c->by_length[zh][k];
    for (int k = 0; k < 3; k++)
        z[k] = m[BW_MIX_DEEP] * (double)deep[k] + m[BW_MIX_WIDE] * w[k] + m[BW_MIX_BIAS + k];
}

bw_calibration bw_calibration_default(void) {
    return (bw_calibration){.mix = {{0.5, 0.5}, {0.5, 0.5}},
                            .stars_slope = 0.6,
                            .stars_threshold = {-2, -0.8, 0.6, 1.8}};
}

static void add_numbers(cJSON *j, const char *name, const double *x, int n) {
    cJSON_AddItemToObject(j, name, cJSON_CreateDoubleArray(x, n));
}

char *bw_calibration_json(const bw_calibration *c) {
    cJSON *j = cJSON_CreateObject();
    add_numbers(j, "mix_en", c->mix[0], BW_N_MIX);
    add_numbers(j, "mix_zh", c->mix[1], BW_N_MIX);
    add_numbers(j, "by_length_en", c->by_length[0], BW_N_MIX);
    add_numbers(j, "by_length_zh", c->by_length[1], BW_N_MIX);
    add_numbers(j, "stars_slope", &c->stars_slope, 1);
    add_numbers(j, "stars_threshold", c->stars_threshold, 4);
    add_numbers(j, "mention_bias", c->mention_bias, BW_N_ASPECTS);
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return text;
}

static bool get_numbers(const cJSON *j, const char *name, double *x, int n) {
    const cJSON *list = cJSON_GetObjectItem(j, name);
    for (int i = 0; i < n; i++) {
        const cJSON *v = cJSON_GetArrayItem(list, i);
        if (!cJSON_IsNumber(v))
            return false;
        x[i] = v->valuedouble;
    }
    return true;
}

bw_status bw_calibration_parse(const char *json, bw_calibration *c, bw_err *err) {
    cJSON *j = cJSON_Parse(json ? json : "");
    bool ok = get_numbers(j, "mix_en", c->mix[0], BW_N_MIX) &&
              get_numbers(j, "mix_zh", c->mix[1], BW_N_MIX) &&
              get_numbers(j, "by_length_en", c->by_length[0], BW_N_MIX) &&
              get_numbers(j, "by_length_zh", c->by_length[1], BW_N_MIX) &&
              get_numbers(j, "stars_slope", &c->stars_slope, 1) &&
              get_numbers(j, "stars_threshold", c->stars_threshold, 4) &&
              get_numbers(j, "mention_bias", c->mention_bias, BW_N_ASPECTS);
    cJSON_Delete(j);
    return ok ? BW_OK
              : bw_fail(err, BW_EFORMAT, "the calibration in the weights is missing or damaged");
}

/* ---- packing ---- */

typedef struct {
    bw_tensor t[MAX_TENSORS];
    size_t n;
    void *owned[2 * MAX_TENSORS];
    size_t n_owned;
    bool failed;
} packer;

static void *own(packer *p, void *memory) {
    p->failed |= memory == NULL;
    if (memory)
        p->owned[p->n_owned++] = memory;
    return memory;
}

static bw_tensor *add(packer *p, const char *name, bw_dtype dtype, const void *data, size_t rows,
                      size_t cols) {
    size_t count = rows * (cols ? cols : 1);
    bw_tensor *t = &p->t[p->n++];
    *t = (bw_tensor){.name = name,
                     .dtype = dtype,
                     .n_dims = cols ? 2 : 1,
                     .dim = {rows, cols},
                     .count = count,
                     .data = data,
                     .bytes = count * (dtype == BW_F32 ? 4 : 1)};
    return t;
}

static void add_int8(packer *p, const char *name, const float *w, size_t rows, size_t cols) {
    int8_t *q = own(p, malloc(rows * cols + 1));
    float *scale = own(p, malloc(rows * sizeof *scale));
    char *scale_name = own(p, malloc(strlen(name) + 7));
    if (!q || !scale || !scale_name)
        return;
    for (size_t r = 0; r < rows; r++) {
        float top = 0;
        for (size_t k = 0; k < cols; k++)
            top = fmaxf(top, fabsf(w[r * cols + k]));
        scale[r] = top / 127.0f;
        for (size_t k = 0; k < cols; k++)
            q[r * cols + k] = (int8_t)(top > 0 ? lrintf(w[r * cols + k] / scale[r]) : 0);
    }
    sprintf(scale_name, "%s.scale", name);
    add(p, name, BW_I8, q, rows, cols);
    add(p, scale_name, BW_F32, scale, rows, 0);
}

static void add_params(packer *p, const bw_params *from, bool quantise) {
    for (size_t i = 0; i < from->n && p->n + 2 < MAX_TENSORS; i++) {
        const bw_param *q = &from->table[i];
        if (quantise && q->n_dims == 2 && q->dim[1] > 1)
            add_int8(p, q->name, bw_param_data(from, i), q->dim[0], q->dim[1]);
        else
            add(p, q->name, BW_F32, bw_param_data(from, i), q->dim[0],
                q->n_dims == 2 ? q->dim[1] : 0);
    }
}

/* The tokenizer writes folders; its file becomes bytes of ours. */
static bw_status add_tokenizer(packer *p, const bw_deep *deep, const char *path, bw_err *err) {
    char folder[1024], file[1100];
    snprintf(folder, sizeof folder, "%s.tmp.XXXXXX", path);
    if (!mkdtemp(folder))
        return bw_fail(err, BW_EIO, "%s: no temporary folder can be made beside it", path);
    bw_status st = bw_tokenizer_save(deep->tokenizer, folder, err);
    char *text = NULL;
    size_t len = 0;
    snprintf(file, sizeof file, "%s/tokenizer.json", folder);
    if (st == BW_OK)
        st = bw_file_read(file, 64u << 20, &text, &len, err);
    remove(file);
    snprintf(file, sizeof file, "%s/tokenizer_config.json", folder);
    remove(file);
    remove(folder);
    if (st == BW_OK && own(p, text))
        add(p, "tokenizer.json", BW_U8, text, len, 0);
    return st;
}

static void make_id(const packer *p, char id[24]) {
    bw_sha256 s;
    char hex[65];
    bw_sha256_start(&s);
    for (size_t i = 0; i < p->n; i++)
        bw_sha256_add(&s, p->t[i].data, p->t[i].bytes);
    bw_sha256_hex(&s, hex);
    snprintf(id, 24, "bw-%.8s", hex);
}

bw_status bw_pack(const bw_pack_parts *x, const bw_calibration *c, const char *recipe,
                  const char *path, bw_err *err) {
    const bw_deep *deep = x->deep;
    const bw_bag *bag = x->bag;
    packer *p = calloc(1, sizeof *p);
    if (!p)
        return bw_fail_memory(err);
    bw_tensor w[BW_WIDE_TENSORS];
    char *config = own(p, bw_deep_config_json(deep)), *calibration = own(p, bw_calibration_json(c));
    char *meta = NULL, id[24];
    add_params(p, bw_transformer_params(deep->tf), true);
    add_params(p, &deep->heads.params, false);
    add(p, "ngram.marks", BW_U8, deep->marks, BW_GRAM_WAYS * deep->table.sets, 0);
    add(p, "embed.vectors", BW_I8, bag->vector, bag->vocab, bag->dim);
    if (x->words->n)
        add(p, "words.seen", BW_U8, x->words->row, x->words->n, BW_WORD_BYTES);
    add(p, "embed.vectors.scale", BW_F32, bag->scale, bag->vocab, 0);
    bw_status st = bw_wide_tensors(x->wide, w, &meta, err);
    own(p, meta);
    for (size_t i = 0; st == BW_OK && i < BW_WIDE_TENSORS; i++)
        p->t[p->n++] = w[i];
    if (st == BW_OK)
        st = add_tokenizer(p, deep, path, err);
    if (st == BW_OK && p->failed)
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        make_id(p, id);
        st = bw_safetensors_write(path, p->t, p->n,
                                  (bw_st_meta[]){{"config", config},
                                                 {"wide", meta},
                                                 {"calibration", calibration},
                                                 {"recipe", recipe},
                                                 {"id", id},
                                                 {0}},
                                  err);
    }
    for (size_t i = 0; i < p->n_owned; i++)
        free(p->owned[i]);
    free(p);
    return st;
}
