/* model/hf/hf_save.c - writes a model folder: what stands beside the weights, and (hf_weights.c)
 * those. */
#include "model/hf/hf_internal.h"
#include "model/core/tf.h"
#include "common/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bw_status write_text(const char *dir, const char *file, const char *text, bw_err *err) {
    char *path = NULL;
    if (!text || asprintf(&path, "%s/%s", dir, file) < 0)
        return bw_fail_memory(err);
    bw_status st = bw_file_write(path, text, strlen(text), err);
    free(path);
    return st;
}

static bw_status make_folder(const char *dir, bw_err *err) {
    if (mkdir(dir, 0777) == 0 || errno == EEXIST)
        return BW_OK;
    return bw_fail(err, BW_EIO, "%s: %s", dir, strerror(errno));
}

static const char MODULES_HEAD[] = "[\n"
                                   "  {\"idx\": 0, \"name\": \"0\", \"path\": \"\", "
                                   "\"type\": \"sentence_transformers.models.Transformer\"},\n"
                                   "  {\"idx\": 1, \"name\": \"1\", \"path\": \"1_Pooling\", "
                                   "\"type\": \"sentence_transformers.models.Pooling\"}";
static const char MODULES_NORMALIZE[] =
    ",\n  {\"idx\": 2, \"name\": \"2\", \"path\": \"2_Normalize\", "
    "\"type\": \"sentence_transformers.models.Normalize\"}";

static const char *json_bool(bool value) {
    return value ? "true" : "false";
}

/* modules.json and 1_Pooling/config.json, as sentence-transformers writes them. */
static bw_status write_pooling(const char *dir, const bw_hf_info *info, bw_err *err) {
    bw_buf modules = {0}, pooling = {0}, folder = {0};
    bw_buf_addf(&modules, "%s%s\n]\n", MODULES_HEAD, info->normalize ? MODULES_NORMALIZE : "");
    bw_buf_addf(&pooling,
                "{\n  \"word_embedding_dimension\": %zu,\n  \"pooling_mode_cls_token\": %s,\n"
                "  \"pooling_mode_mean_tokens\": %s,\n  \"pooling_mode_max_tokens\": %s,\n"
                "  \"pooling_mode_mean_sqrt_len_tokens\": false\n}\n",
                info->config.dim, json_bool(info->pooling == BW_POOL_CLS),
                json_bool(info->pooling == BW_POOL_MEAN), json_bool(info->pooling == BW_POOL_MAX));
    bw_buf_addf(&folder, "%s/1_Pooling", dir);
    bool ok = bw_buf_ok(&modules) && bw_buf_ok(&pooling) && bw_buf_ok(&folder);
    bw_status st = ok ? make_folder(folder.text, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = write_text(dir, "modules.json", modules.text, err);
    if (st == BW_OK)
        st = write_text(folder.text, "config.json", pooling.text, err);
    bw_buf_free(&modules);
    bw_buf_free(&pooling);
    bw_buf_free(&folder);
    return st;
}

bw_status bw_hf_save_as(const char *dir, const bw_transformer *t, const bw_hf_info *info,
                        const bw_hf_format *format, bw_err *err) {
    bw_hf_info complete = *info;
    complete.config = t->c;
    if (!complete.model_class[0])
        snprintf(complete.model_class, sizeof complete.model_class, "%s", bw_hf_class(&complete));
    char *config = NULL;
    bw_status st = make_folder(dir, err);
    if (st == BW_OK)
        st = bw_hf_write_weights(dir, t, &complete, format, err);
    if (st == BW_OK)
        st = (config = bw_hf_config_text(&complete, format->dtype)) ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        st = write_text(dir, "config.json", config, err);
    if (st == BW_OK && info->generation_json)
        st = write_text(dir, "generation_config.json", info->generation_json, err);
    if (st == BW_OK && info->pooling != BW_POOL_NONE)
        st = write_pooling(dir, info, err);
    free(config);
    return st;
}

bw_status bw_hf_save(const char *dir, const bw_transformer *t, const bw_hf_info *info,
                     bw_err *err) {
    return bw_hf_save_as(dir, t, info, &(bw_hf_format){0}, err);
}
