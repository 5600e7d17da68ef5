/* model/hf/verify_saved.c - does a folder that is loaded and saved again say what it said before?
 *
 * The model is written to a folder of its own in the precision of the original, and compared with
 * it exactly: the parameters that are read back, the tensors whose names both files have (files with
 * old names are written with the current ones), and each value of the original's config.json. */
#include "model/hf/verify.h"

#include "model/core/safetensors.h"
#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACE "/tmp/bw-verify-XXXXXX"

static void path_in(const char *dir, const char *file, char out[1024]) {
    snprintf(out, 1024, "%s/%s", dir, file);
}

static void remove_saved(const char *dir) {
    static const char *const PARTS[] = {"model.safetensors",      "config.json",
                                        "generation_config.json", "modules.json",
                                        "1_Pooling/config.json",  "1_Pooling"};
    char path[1024];
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        path_in(dir, PARTS[i], path);
        if (unlink(path) != 0)
            rmdir(path);
    }
    rmdir(dir);
}

static bool same_shape(const bw_tensor *a, const bw_tensor *b) {
    return a->dtype == b->dtype && a->n_dims == b->n_dims &&
           memcmp(a->dim, b->dim, a->n_dims * sizeof *a->dim) == 0;
}

static void compare_bytes(bw_verify *v, const char *quantity, bool same) {
    bw_verify_add(v, quantity, same, 1, BW_TOL_EXACT);
}

/* original: NULL when its weights lie in several files. */
static bw_status compare_tensors(bw_verify *v, const bw_safetensors *original, const char *dir) {
    char path[1024];
    bw_safetensors *saved = NULL;
    path_in(dir, "model.safetensors", path);
    bw_status st = bw_safetensors_open(path, &saved, v->err);
    for (size_t i = 0; st == BW_OK && i < bw_safetensors_count(saved); i++) {
        const bw_tensor *a = bw_safetensors_at(saved, i);
        const bw_tensor *b = original ? bw_safetensors_find(original, a->name) : NULL;
        if (b)
            compare_bytes(v, "saved.tensors",
                          same_shape(a, b) && memcmp(a->data, b->data, a->bytes) == 0);
    }
    bw_safetensors_free(saved);
    return st;
}

static bw_status compare_parameters(bw_verify *v, const char *dir) {
    bw_transformer *again = NULL;
    bw_status st = bw_hf_load(dir, &again, NULL, v->err);
    if (st != BW_OK)
        return st;
    const bw_params *p = bw_transformer_params(v->t), *q = bw_transformer_params(again);
    for (size_t i = 0; i < p->n; i++)
        compare_bytes(v, "saved.parameters",
                      p->total == q->total && memcmp(bw_param_data(p, i), bw_param_data(q, i),
                                                     p->table[i].size * sizeof(float)) == 0);
    bw_transformer_free(again);
    return BW_OK;
}

/* A null of the original leaves a value to its default, which the saved file may spell out. */
static bw_status compare_config(bw_verify *v, const char *dir) {
    char path[1024], *text = NULL;
    path_in(dir, "config.json", path);
    bw_status st = bw_file_read(path, 1u << 20, &text, NULL, v->err);
    cJSON *saved = cJSON_Parse(text), *original = cJSON_Parse(v->info.config_json);
    const cJSON *item;
    cJSON_ArrayForEach(item, original) {
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(saved, item->string);
        if (!cJSON_IsNull(item))
            compare_bytes(v, "saved.config", other && cJSON_Compare(item, other, true));
    }
    cJSON_Delete(saved);
    cJSON_Delete(original);
    free(text);
    return st;
}

static bw_dtype precision_of(const bw_safetensors *f) {
    for (size_t i = 0; f && i < bw_safetensors_count(f); i++) {
        bw_dtype d = bw_safetensors_at(f, i)->dtype;
        if (d == BW_F16 || d == BW_BF16)
            return d;
    }
    return BW_F32;
}

static bw_status save_and_compare(bw_verify *v, const bw_safetensors *original, const char *dir) {
    bw_hf_format format = {.dtype = precision_of(original)};
    bw_status st = bw_hf_save_as(dir, v->t, &v->info, &format, v->err);
    if (st == BW_OK)
        st = compare_tensors(v, original, dir);
    if (st == BW_OK)
        st = compare_parameters(v, dir);
    return st == BW_OK ? compare_config(v, dir) : st;
}

void bw_verify_saved(bw_verify *v) {
    char dir[] = PLACE, path[1024];
    bw_safetensors *original = NULL;
    bw_status st = BW_OK;
    path_in(v->dir, "model.safetensors", path);
    if (access(path, R_OK) == 0)
        st = bw_safetensors_open(path, &original, v->err);
    if (st == BW_OK && !mkdtemp(dir))
        st = bw_fail(v->err, BW_EIO, "%s: no folder can be made there to save to", dir);
    else if (st == BW_OK) {
        st = save_and_compare(v, original, dir);
        remove_saved(dir);
    }
    bw_safetensors_free(original);
    bw_verify_fail(v, st);
}
