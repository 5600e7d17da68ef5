/* model/hf/hf_weights.c - writes a model's weights: one safetensors file, or shards with an index
 * as Hugging Face tools cut them. */
#include "common/buf.h"
#include "model/core/tf.h"
#include "model/hf/hf_internal.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tensors to be written; those that are stored otherwise than they are held are copied. */
typedef struct {
    bw_hf_view *views;
    bw_tensor *tensors;
    void **copies;
    size_t n;
} listing;

static void free_listing(listing *l) {
    for (size_t i = 0; l->copies && i < l->n; i++)
        free(l->copies[i]);
    free(l->copies);
    free(l->views);
    free(l->tensors);
}

/* x [n] to 16 bits, in its own place. */
static bw_status narrow(const char *name, bw_dtype dtype, float *x, size_t n, bw_err *err) {
    uint16_t *to = (uint16_t *)x;
    for (size_t i = 0; i < n; i++) {
        float value = x[i];
        uint16_t h = dtype == BW_F16 ? bw_f32_to_f16(value) : bw_f32_to_bf16(value);
        float back = dtype == BW_F16 ? bw_f16_to_f32(h) : bw_bf16_to_f32(h);
        if (!isfinite(back))
            return bw_fail(err, BW_EDATA, "%s holds %g at place %zu, beyond what %s can", name,
                           (double)value, i, bw_dtype_name(dtype));
        memcpy(to + i, &h, sizeof h);
    }
    return BW_OK;
}

static bw_status list_one(const bw_transformer *t, bw_dtype dtype, listing *l, const bw_hf_view *v,
                          bw_err *err) {
    size_t i = l->n++;
    size_t count = v->dim[0] * (v->n_dims == 2 ? v->dim[1] : 1);
    l->views[i] = *v;
    const void *data = bw_param_data(&t->p, v->first);
    bw_status st = BW_OK;
    if (v->transposed || dtype != BW_F32) {
        float *copy = malloc(count * sizeof *copy);
        l->copies[i] = copy;
        if (!copy)
            return bw_fail_memory(err);
        bw_hf_gather(t, v, t->p.data, copy);
        if (dtype != BW_F32)
            st = narrow(v->name, dtype, copy, count, err);
        data = copy;
    }
    l->tensors[i] = (bw_tensor){.name = l->views[i].name,
                                .dtype = dtype,
                                .n_dims = v->n_dims,
                                .dim = {v->dim[0], v->dim[1]},
                                .count = count,
                                .data = data,
                                .bytes = count * bw_dtype_size(dtype)};
    return st;
}

static bw_status list_tensors(const bw_transformer *t, const bw_hf_info *info, bw_dtype dtype,
                              listing *l, bw_err *err) {
    l->views = calloc(t->p.n, sizeof *l->views);
    l->tensors = calloc(t->p.n, sizeof *l->tensors);
    l->copies = calloc(t->p.n, sizeof *l->copies);
    bw_status st = l->views && l->tensors && l->copies ? BW_OK : bw_fail_memory(err);
    bw_hf_view v;
    for (size_t i = 0; st == BW_OK && i < t->p.n; i += v.n) {
        if (!bw_hf_view_at(t, info, i, &v))
            return bw_fail(err, BW_EARG, "a %s model has no place for parameter '%s'",
                           bw_hf_family_name(info->family), t->p.table[i].name);
        st = list_one(t, dtype, l, &v, err);
    }
    return st;
}

/* ---- files ---- */

static char *path_of(const char *dir, const char *name) {
    char *path = NULL;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static bw_status write_part(const char *dir, const char *name, const listing *l, size_t from,
                            size_t to, bw_err *err) {
    char *path = path_of(dir, name);
    bw_status st = path ? bw_safetensors_write(path, l->tensors + from, to - from,
                                               (bw_st_meta[]){{"format", "pt"}, {0}}, err)
                        : bw_fail_memory(err);
    free(path);
    return st;
}

static void remove_file(const char *dir, const char *name) {
    char *path = path_of(dir, name);
    if (path)
        unlink(path);
    free(path);
}

/* The tensor behind the shard that begins with tensor `from`: as many as fit, at least one. */
static size_t shard_end(const listing *l, size_t from, size_t most) {
    size_t end = from, bytes = 0;
    while (end < l->n && (end == from || l->tensors[end].bytes <= most - bytes))
        bytes += l->tensors[end++].bytes;
    return end;
}

static size_t count_shards(const listing *l, size_t most) {
    size_t n = 0;
    for (size_t i = 0; i < l->n; i = shard_end(l, i, most))
        n++;
    return n;
}

#define SHARD_NAME 48

static void name_shard(char name[SHARD_NAME], size_t i, size_t n) {
    snprintf(name, SHARD_NAME, "model-%05zu-of-%05zu.safetensors", i + 1, n);
}

/* model.safetensors.index.json: which file holds which tensor. */
static char *index_text(const listing *l, size_t most, size_t n) {
    char name[SHARD_NAME];
    size_t total = 0;
    cJSON *j = cJSON_CreateObject(), *meta = cJSON_AddObjectToObject(j, "metadata");
    cJSON *map = cJSON_AddObjectToObject(j, "weight_map");
    for (size_t i = 0, shard = 0; i < l->n; shard++) {
        name_shard(name, shard, n);
        for (size_t end = shard_end(l, i, most); i < end; i++) {
            cJSON_AddStringToObject(map, l->tensors[i].name, name);
            total += l->tensors[i].bytes;
        }
    }
    cJSON_AddNumberToObject(meta, "total_size", (double)total);
    char *text = cJSON_Print(j);
    cJSON_Delete(j);
    return text;
}

static bw_status write_shards(const char *dir, const listing *l, size_t most, bw_err *err) {
    char name[SHARD_NAME];
    size_t n = count_shards(l, most);
    bw_status st = BW_OK;
    for (size_t i = 0, shard = 0, end; st == BW_OK && i < l->n; i = end, shard++) {
        end = shard_end(l, i, most);
        name_shard(name, shard, n);
        st = write_part(dir, name, l, i, end, err);
    }
    char *text = index_text(l, most, n), *path = path_of(dir, BW_HF_INDEX);
    if (st == BW_OK)
        st = text && path ? bw_file_write(path, text, strlen(text), err) : bw_fail_memory(err);
    /* A single file would be taken before the index. */
    if (st == BW_OK)
        remove_file(dir, BW_HF_WEIGHTS);
    cJSON_free(text);
    free(path);
    return st;
}

bw_status bw_hf_write_weights(const char *dir, const bw_transformer *t, const bw_hf_info *info,
                              const bw_hf_format *format, bw_err *err) {
    listing l = {0};
    size_t bytes = 0, most = format->shard_bytes;
    bw_status st = list_tensors(t, info, format->dtype, &l, err);
    for (size_t i = 0; i < l.n; i++)
        bytes += l.tensors[i].bytes;
    if (st == BW_OK && most && bytes > most)
        st = write_shards(dir, &l, most, err);
    else if (st == BW_OK && (st = write_part(dir, BW_HF_WEIGHTS, &l, 0, l.n, err)) == BW_OK)
        remove_file(dir, BW_HF_INDEX);
    free_listing(&l);
    return st;
}
