/* model/hf/hf_load.c - reads a model folder: config.json and its neighbours, then the weights. */
#include "model/hf/hf_internal.h"
#include "model/core/safetensors.h"
#include "model/core/tf.h"
#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_JSON (64u << 20) /* bytes of any JSON file but tokenizers */

static bw_status join(const char *dir, const char *file, char **path, bw_err *err) {
    return asprintf(path, "%s/%s", dir, file) < 0 ? bw_fail_memory(err) : BW_OK;
}

static bool exists(const char *dir, const char *file) {
    char *path = NULL;
    bool found = join(dir, file, &path, NULL) == BW_OK && access(path, R_OK) == 0;
    free(path);
    return found;
}

static bw_status read_text(const char *dir, const char *file, char **text, bw_err *err) {
    char *path = NULL;
    *text = NULL;
    bw_status st = join(dir, file, &path, err);
    if (st == BW_OK)
        st = bw_file_read(path, MAX_JSON, text, NULL, err);
    free(path);
    return st;
}

static bw_status read_json(const char *dir, const char *file, cJSON **out, bw_err *err) {
    char *text = NULL;
    *out = NULL;
    bw_status st = read_text(dir, file, &text, err);
    if (st == BW_OK && !(*out = cJSON_Parse(text)))
        st = bw_fail(err, BW_EFORMAT, "%s/%s: not valid JSON", dir, file);
    free(text);
    return st;
}

/* ---- beside config.json ---- */

static void override_token(const cJSON *json, const char *key, int32_t *id) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    if (cJSON_IsArray(item))
        item = cJSON_GetArrayItem(item, 0);
    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < INT32_MAX)
        *id = (int32_t)item->valuedouble;
}

static bw_status read_generation(const char *dir, bw_hf_info *info, bw_err *err) {
    if (!exists(dir, "generation_config.json"))
        return BW_OK;
    bw_status st = read_text(dir, "generation_config.json", &info->generation_json, err);
    cJSON *json = st == BW_OK ? cJSON_Parse(info->generation_json) : NULL;
    if (st == BW_OK && !json)
        st = bw_fail(err, BW_EFORMAT, "%s/generation_config.json: not valid JSON", dir);
    override_token(json, "bos_token_id", &info->bos);
    override_token(json, "eos_token_id", &info->eos);
    override_token(json, "pad_token_id", &info->pad);
    override_token(json, "decoder_start_token_id", &info->decoder_start);
    override_token(json, "forced_bos_token_id", &info->forced_bos);
    override_token(json, "forced_eos_token_id", &info->forced_eos);
    cJSON_Delete(json);
    return st;
}

static bool is_set(const cJSON *json, const char *key) {
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static bw_status read_pooling(const char *dir, const char *path, bw_hf_info *info, bw_err *err) {
    char *file = NULL;
    cJSON *json = NULL;
    if (strstr(path, ".."))
        return bw_fail(err, BW_EFORMAT, "%s/modules.json: path \"%.80s\" leaves the folder", dir,
                       path);
    if (asprintf(&file, "%s/config.json", path) < 0)
        return bw_fail_memory(err);
    bw_status st = read_json(dir, file, &json, err);
    if (is_set(json, "pooling_mode_cls_token"))
        info->pooling = BW_POOL_CLS;
    else if (is_set(json, "pooling_mode_mean_tokens"))
        info->pooling = BW_POOL_MEAN;
    else if (is_set(json, "pooling_mode_max_tokens"))
        info->pooling = BW_POOL_MAX;
    else if (st == BW_OK)
        st = bw_fail(err, BW_EFORMAT, "%s/%s: pooling by cls, mean or max is known, none is set",
                     dir, file);
    cJSON_Delete(json);
    free(file);
    return st;
}

/* modules.json of sentence-transformers: Transformer, Pooling, perhaps Normalize. */
static bw_status read_modules(const char *dir, bw_hf_info *info, bw_err *err) {
    if (!exists(dir, "modules.json"))
        return BW_OK;
    cJSON *json = NULL;
    bw_status st = read_json(dir, "modules.json", &json, err);
    const cJSON *module;
    cJSON_ArrayForEach(module, json) {
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(module, "type"));
        const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(module, "path"));
        const char *kind = type && strrchr(type, '.') ? strrchr(type, '.') + 1 : "";
        if (st == BW_OK && strcmp(kind, "Pooling") == 0)
            st = read_pooling(dir, path ? path : "", info, err);
        else if (strcmp(kind, "Normalize") == 0)
            info->normalize = true;
        else if (st == BW_OK && strcmp(kind, "Transformer") != 0)
            st = bw_fail(err, BW_EFORMAT, "%s/modules.json: module \"%.60s\" is not supported", dir,
                         kind);
    }
    cJSON_Delete(json);
    return st;
}

bw_status bw_hf_read_info(const char *dir, bw_hf_info *info, bw_err *err) {
    char *text = NULL, *name = NULL;
    bw_hf_info_init(info, BW_HF_BELLWETHER, NULL);
    bw_status st = read_text(dir, "config.json", &text, err);
    if (st == BW_OK)
        st = join(dir, "config.json", &name, err);
    if (st == BW_OK)
        st = bw_hf_config_parse(name, text, info, err);
    if (st == BW_OK)
        st = read_generation(dir, info, err);
    if (st == BW_OK)
        st = read_modules(dir, info, err);
    if (st != BW_OK)
        bw_hf_info_free(info);
    free(text);
    free(name);
    return st;
}

/* ---- weights ---- */

#define MOST_SHARDS 512

typedef struct {
    const char *name; /* for messages */
    bw_safetensors *file[MOST_SHARDS];
    size_t n;
} shards;

static void close_shards(shards *s) {
    for (size_t i = 0; i < s->n; i++)
        bw_safetensors_free(s->file[i]);
}

static const bw_tensor *find_tensor(const shards *s, const char *name, bw_safetensors **file) {
    for (size_t i = 0; i < s->n; i++) {
        const bw_tensor *t = bw_safetensors_find(s->file[i], name);
        if (t) {
            *file = s->file[i];
            return t;
        }
    }
    return NULL;
}

static bw_status open_shard(shards *s, const char *dir, const char *file, bw_err *err) {
    char *path = NULL;
    if (s->n == MOST_SHARDS)
        return bw_fail(err, BW_EFORMAT, "%s: more than %d weight files", dir, MOST_SHARDS);
    if (strchr(file, '/'))
        return bw_fail(err, BW_EFORMAT, "%s: weight file \"%.80s\" lies outside the folder", dir,
                       file);
    bw_status st = join(dir, file, &path, err);
    if (st == BW_OK)
        st = bw_safetensors_open(path, &s->file[s->n], err);
    if (st == BW_OK)
        s->n++;
    free(path);
    return st;
}

static bool listed_before(const cJSON *item, const cJSON *map) {
    for (const cJSON *other = map->child; other != item; other = other->next)
        if (cJSON_IsString(other) && strcmp(other->valuestring, item->valuestring) == 0)
            return true;
    return false;
}

static bw_status open_index(shards *s, const char *dir, bw_err *err) {
    cJSON *json = NULL;
    bw_status st = read_json(dir, "model.safetensors.index.json", &json, err);
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(json, "weight_map"), *item;
    if (st == BW_OK && !cJSON_IsObject(map))
        st = bw_fail(err, BW_EFORMAT, "%s/model.safetensors.index.json: no weight_map", dir);
    cJSON_ArrayForEach(item, map) {
        if (st == BW_OK && !cJSON_IsString(item))
            st = bw_fail(err, BW_EFORMAT,
                         "%s/model.safetensors.index.json: '%.80s' is not a file name", dir,
                         item->string);
        if (st == BW_OK && !listed_before(item, map))
            st = open_shard(s, dir, item->valuestring, err);
    }
    cJSON_Delete(json);
    return st;
}

static bw_status open_weights(shards *s, const char *dir, bw_err *err) {
    s->name = dir;
    if (exists(dir, "model.safetensors"))
        return open_shard(s, dir, "model.safetensors", err);
    if (exists(dir, "model.safetensors.index.json"))
        return open_index(s, dir, err);
    return bw_fail(err, BW_EIO,
                   "%s: no model.safetensors and no model.safetensors.index.json; convert older "
                   "weight files to safetensors first",
                   dir);
}

/* "x.LayerNorm.weight" was "x.LayerNorm.gamma" in checkpoints made from TensorFlow's. */
static bool old_name(const char *name, char out[160]) {
    size_t n = strlen(name);
    const char *const endings[][2] = {{"LayerNorm.weight", "gamma"}, {"LayerNorm.bias", "beta"}};
    for (size_t i = 0; i < 2; i++) {
        size_t m = strlen(endings[i][0]);
        if (n >= m && strcmp(name + n - m, endings[i][0]) == 0) {
            size_t stem = n - m + strlen("LayerNorm.");
            snprintf(out, 160, "%.*s%s", (int)stem, name, endings[i][1]);
            return true;
        }
    }
    return false;
}

static const bw_tensor *find_view(const bw_transformer *t, const bw_hf_info *info, const shards *s,
                                  const bw_hf_view *v, bw_safetensors **file) {
    char name[160], old[160];
    for (size_t k = 0; bw_hf_alternative(t, info, v, k, name); k++) {
        const bw_tensor *found = find_tensor(s, name, file);
        if (!found && old_name(name, old))
            found = find_tensor(s, old, file);
        if (found)
            return found;
    }
    return NULL;
}

/* Leading dimensions of 1 do not count: [1, n] is [n]. */
static bool same_shape(const bw_tensor *t, const bw_hf_view *v) {
    const size_t *a = t->dim, *b = v->dim;
    size_t n = t->n_dims, m = v->n_dims;
    for (; n > 1 && *a == 1; n--)
        a++;
    for (; m > 1 && *b == 1; m--)
        b++;
    return n == m && memcmp(a, b, n * sizeof *a) == 0;
}

static bw_status load_view(bw_transformer *t, const bw_hf_info *info, const shards *s,
                           const bw_hf_view *v, bw_err *err) {
    bw_safetensors *file = NULL;
    const bw_tensor *found = find_view(t, info, s, v, &file);
    if (!found)
        return bw_fail(err, BW_EFORMAT, "%s: tensor '%s' is missing", s->name, v->name);
    if (!same_shape(found, v))
        return bw_fail(err, BW_EFORMAT,
                       "%s: tensor '%s' has %zu dimensions [%zu, %zu, ...]; config.json asks for "
                       "%zu: [%zu, %zu]",
                       s->name, found->name, found->n_dims, found->dim[0], found->dim[1], v->n_dims,
                       v->dim[0], v->dim[1]);
    if (!v->transposed)
        return bw_tensor_to_f32(file, found, bw_param_data(&t->p, v->first), err);
    float *values = malloc(found->count * sizeof *values);
    if (!values)
        return bw_fail_memory(err);
    bw_status st = bw_tensor_to_f32(file, found, values, err);
    if (st == BW_OK)
        bw_hf_scatter(t, v, t->p.data, values);
    free(values);
    return st;
}

static bool has_any(const shards *s, const char *const names[]) {
    bw_safetensors *file;
    for (; *names; names++)
        if (find_tensor(s, *names, &file))
            return true;
    return false;
}

/* Heads that a class has by name but a file may lack: the pooler of BertModel. */
static void drop_absent_heads(const shards *s, bw_hf_info *info) {
    bw_tf_config *c = &info->config;
    if (info->family == BW_HF_BERT && c->pooler && !c->nsp && !c->labels)
        c->pooler = has_any(
            s, (const char *const[]){"bert.pooler.dense.weight", "pooler.dense.weight", NULL});
    if (info->family == BW_HF_BART && c->lm_bias)
        c->lm_bias = has_any(s, (const char *const[]){"final_logits_bias", NULL});
}

static bw_status load_all(const shards *s, bw_hf_info *info, bw_transformer **out, bw_err *err) {
    drop_absent_heads(s, info);
    bw_transformer *t = NULL;
    bw_status st = bw_transformer_new(&info->config, &t, err);
    bw_hf_view v;
    for (size_t i = 0; st == BW_OK && i < t->p.n; i++)
        if (bw_hf_view_at(t, info, i, &v))
            st = load_view(t, info, s, &v, err);
    if (st != BW_OK) {
        bw_transformer_free(t);
        t = NULL;
    }
    *out = t;
    return st;
}

/* A file that is far smaller than the model it should hold is refused before the model's memory is
 * asked for. */
static bw_status check_volume(const shards *s, const bw_hf_info *info, bw_err *err) {
    size_t values = 0, wanted;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < bw_safetensors_count(s->file[i]); k++)
            values += bw_safetensors_at(s->file[i], k)->count;
    const bw_tf_config *c = &info->config;
    if (!bw_size_mul(c->vocab, c->dim, &wanted) || wanted > values)
        return bw_fail(err, BW_EFORMAT,
                       "%s: the weights hold %zu values, fewer than the %zu x %zu embeddings that "
                       "config.json asks for",
                       s->name, values, c->vocab, c->dim);
    size_t layer;
    size_t layers = c->enc.layers + c->dec.layers;
    if (!bw_size_mul(c->dim, c->enc.ffn + c->dec.ffn, &layer) ||
        !bw_size_mul(layer, layers / 2 + 1, &layer) || layer / 2 > values)
        return bw_fail(err, BW_EFORMAT,
                       "%s: the weights hold %zu values, too few for %zu layers of width %zu",
                       s->name, values, layers, c->dim);
    return BW_OK;
}

bw_status bw_hf_load(const char *dir, bw_transformer **out, bw_hf_info *info, bw_err *err) {
    bw_hf_info own;
    bw_hf_info *into = info ? info : &own;
    *out = NULL;
    bw_status st = bw_hf_read_info(dir, into, err);
    if (st != BW_OK)
        return st;
    shards s = {0};
    st = open_weights(&s, dir, err);
    if (st == BW_OK)
        st = check_volume(&s, into, err);
    if (st == BW_OK)
        st = load_all(&s, into, out, err);
    close_shards(&s);
    if (st != BW_OK || !info)
        bw_hf_info_free(into);
    return st;
}

bw_status bw_hf_load_memory(const char *name, const void *data, size_t len, bw_transformer **out,
                            bw_hf_info *info, bw_err *err) {
    bw_hf_info own;
    bw_hf_info *into = info ? info : &own;
    *out = NULL;
    bw_hf_info_init(into, BW_HF_BELLWETHER, NULL);
    shards s = {.name = name};
    bw_status st = bw_safetensors_from_memory(name, data, len, &s.file[0], err);
    s.n = st == BW_OK;
    const char *config = st == BW_OK ? bw_safetensors_meta(s.file[0], "config") : NULL;
    if (st == BW_OK && !config)
        st = bw_fail(err, BW_EFORMAT, "%s: no \"config\" in its metadata", name);
    if (st == BW_OK)
        st = bw_hf_config_parse(name, config, into, err);
    if (st == BW_OK)
        st = check_volume(&s, into, err);
    if (st == BW_OK)
        st = load_all(&s, into, out, err);
    close_shards(&s);
    if (st != BW_OK || !info)
        bw_hf_info_free(into);
    return st;
}
