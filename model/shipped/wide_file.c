/* model/shipped/wide_file.c - the wide path on disk. */
#include "model/shipped/wide_file.h"

#include <stdlib.h>
#include <string.h>

bw_status bw_wide_tensors(const bw_wide *w, bw_tensor t[BW_WIDE_TENSORS], char **meta,
                          bw_err *err) {
    size_t slots = BW_GRAM_WAYS * w->table.sets;
    t[0] = (bw_tensor){.name = "wide.marks",
                       .dtype = BW_U8,
                       .n_dims = 1,
                       .dim = {slots},
                       .count = slots,
                       .data = w->table.mark,
                       .bytes = slots};
    t[1] = (bw_tensor){.name = "wide.weight",
                       .dtype = BW_I8,
                       .n_dims = 2,
                       .dim = {slots, BW_WIDE_OUT},
                       .count = slots * BW_WIDE_OUT,
                       .data = w->weight,
                       .bytes = slots * BW_WIDE_OUT};
    cJSON *j = cJSON_CreateObject();
    cJSON *scale = cJSON_AddArrayToObject(j, "scale"), *bias = cJSON_AddArrayToObject(j, "bias");
    for (int o = 0; o < BW_WIDE_OUT; o++) {
        cJSON_AddItemToArray(scale, cJSON_CreateNumber((double)w->scale[o]));
        cJSON_AddItemToArray(bias, cJSON_CreateNumber((double)w->bias[o]));
    }
    *meta = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return *meta ? BW_OK : bw_fail_memory(err);
}

bw_status bw_wide_from(const bw_safetensors *f, bw_wide *w, bw_err *err) {
    *w = (bw_wide){0};
    const bw_tensor *marks = bw_safetensors_find(f, "wide.marks"),
                    *weight = bw_safetensors_find(f, "wide.weight");
    const char *text = bw_safetensors_meta(f, "wide");
    cJSON *j = cJSON_Parse(text ? text : "");
    const cJSON *scale = cJSON_GetObjectItem(j, "scale"), *bias = cJSON_GetObjectItem(j, "bias");
    bool ok = marks && weight && marks->dtype == BW_U8 && weight->dtype == BW_I8 &&
              marks->count > 0 && marks->count % BW_GRAM_WAYS == 0 &&
              weight->count == BW_WIDE_OUT * marks->count &&
              cJSON_GetArraySize(scale) == BW_WIDE_OUT && cJSON_GetArraySize(bias) == BW_WIDE_OUT;
    for (int o = 0; ok && o < BW_WIDE_OUT; o++) {
        w->scale[o] = (float)cJSON_GetNumberValue(cJSON_GetArrayItem(scale, o));
        w->bias[o] = (float)cJSON_GetNumberValue(cJSON_GetArrayItem(bias, o));
    }
    cJSON_Delete(j);
    if (!ok)
        return bw_fail(err, BW_EFORMAT,
                       "the wide path's tensors are missing or have another shape");
    w->table = (bw_gram_table){marks->count / BW_GRAM_WAYS, marks->data};
    w->weight = weight->data;
    return BW_OK;
}

bw_status bw_wide_save(const bw_wide *w, const char *path, bw_err *err) {
    bw_tensor t[BW_WIDE_TENSORS];
    char *meta = NULL;
    bw_status st = bw_wide_tensors(w, t, &meta, err);
    if (st == BW_OK)
        st = bw_safetensors_write(path, t, BW_WIDE_TENSORS, (bw_st_meta[]){{"wide", meta}, {0}},
                                  err);
    free(meta);
    return st;
}

bw_status bw_wide_load(const char *path, bw_wide *w, bw_safetensors **f, bw_err *err) {
    bw_status st = bw_safetensors_open(path, f, err);
    if (st != BW_OK)
        return st;
    st = bw_wide_from(*f, w, err);
    if (st != BW_OK) {
        bw_safetensors_free(*f);
        *f = NULL;
    }
    return st;
}
