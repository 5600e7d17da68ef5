/* model/hf/cmd_folder.c - bellwether model info DIR, and model convert DIR OUT. */
#include "model/cmd_model.h"

#include "model/hf/hf.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"

/* ---- info ---- */

static const char *kind_name(bw_tf_kind kind) {
    return kind == BW_TF_ENCODER   ? "encoder"
           : kind == BW_TF_DECODER ? "decoder"
                                   : "encoder-decoder";
}

static const char *position_name(bw_pos_kind pos) {
    static const char *const NAMES[] = {"none", "learned", "sinusoidal", "rotary", "relative"};
    return NAMES[pos];
}

static void add_stack(cJSON *j, const char *name, const bw_tf_stack *s) {
    if (!s->layers)
        return;
    cJSON *o = cJSON_AddObjectToObject(j, name);
    cJSON_AddNumberToObject(o, "layers", (double)s->layers);
    cJSON_AddNumberToObject(o, "heads", (double)s->heads);
    cJSON_AddNumberToObject(o, "kv_heads", (double)s->kv_heads);
    cJSON_AddNumberToObject(o, "ffn", (double)s->ffn);
}

static void add_heads(cJSON *j, const bw_hf_info *info) {
    const bw_tf_config *c = &info->config;
    cJSON *list = cJSON_AddArrayToObject(j, "heads");
    const struct {
        const char *name;
        bool present;
    } HEADS[] = {{"pooler", c->pooler},
                 {"classifier", c->labels > 0},
                 {"mlm", c->mlm},
                 {"nsp", c->nsp},
                 {"lm", c->lm}};
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++)
        if (HEADS[i].present)
            cJSON_AddItemToArray(list, cJSON_CreateString(HEADS[i].name));
    if (!c->labels || !info->labels)
        return;
    cJSON *labels = cJSON_AddArrayToObject(j, "labels");
    for (size_t i = 0; i < info->n_labels; i++)
        cJSON_AddItemToArray(labels, cJSON_CreateString(info->labels[i]));
}

static cJSON *describe(const char *dir, const bw_hf_info *info, size_t parameters) {
    static const char *const POOLING[] = {"none", "cls", "mean", "max"};
    const bw_tf_config *c = &info->config;
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "dir", dir);
    cJSON_AddStringToObject(j, "family", bw_hf_family_name(info->family));
    cJSON_AddStringToObject(j, "class", info->model_class);
    cJSON_AddStringToObject(j, "kind", kind_name(c->kind));
    cJSON_AddNumberToObject(j, "parameters", (double)parameters);
    cJSON_AddNumberToObject(j, "vocabulary", (double)c->vocab);
    cJSON_AddNumberToObject(j, "dim", (double)c->dim);
    cJSON_AddNumberToObject(j, "head_dim", (double)c->head_dim);
    add_stack(j, "encoder", &c->enc);
    add_stack(j, "decoder", &c->dec);
    cJSON_AddStringToObject(j, "positions", position_name(c->pos));
    cJSON_AddNumberToObject(j, "max_tokens", (double)c->max_positions);
    cJSON_AddStringToObject(j, "norm", c->norm == BW_NORM_RMS ? "rms" : "layer");
    cJSON_AddStringToObject(j, "norm_place", c->pre_norm ? "before" : "after");
    cJSON_AddStringToObject(j, "activation", bw_act_name(c->act));
    cJSON_AddBoolToObject(j, "gated", c->gated);
    if (c->ngram_buckets)
        cJSON_AddNumberToObject(j, "ngram_buckets", (double)c->ngram_buckets);
    if (info->pooling != BW_POOL_NONE)
        cJSON_AddStringToObject(j, "pooling", POOLING[info->pooling]);
    add_heads(j, info);
    return j;
}

/* "encoder    layers 6, heads 12, ..." for an object, "labels     a, b" for a list. */
static void print_value(const cJSON *item) {
    const cJSON *part;
    if (cJSON_IsString(item))
        fputs(item->valuestring, stdout);
    else if (cJSON_IsBool(item))
        fputs(cJSON_IsTrue(item) ? "yes" : "no", stdout);
    else if (cJSON_IsNumber(item))
        printf("%.0f", item->valuedouble);
    cJSON_ArrayForEach(part, item) {
        if (cJSON_IsObject(item))
            printf("%s ", part->string);
        print_value(part);
        if (part->next)
            fputs(", ", stdout);
    }
}

static void print_lines(const cJSON *j) {
    const cJSON *item;
    cJSON_ArrayForEach(item, j) {
        printf("%-13s ", item->string);
        print_value(item);
        putchar('\n');
    }
}

static void print_tensors(bw_transformer *t, const bw_hf_info *info) {
    bw_hf_view v;
    size_t n = bw_transformer_params(t)->n;
    puts("\ntensors as the folder names them:");
    for (size_t i = 0; i < n; i++)
        if (bw_hf_view_at(t, info, i, &v)) {
            char shape[48];
            snprintf(shape, sizeof shape, v.n_dims == 2 ? "[%zu, %zu]" : "[%zu]", v.dim[0],
                     v.dim[1]);
            printf("  %-18s %s\n", shape, v.name);
        }
}

bw_status bw_cmd_model_info(int argc, char **argv, bw_err *err) {
    bool json = false, tensors = false;
    const bw_option options[] = {
        {"tensors", 't', BW_OPT_FLAG, &tensors, NULL, "list every tensor and its shape"},
        BW_OPTION_JSON(json),
        {0},
    };
    const bw_usage usage = {"model info DIR [options]",
                            "Loads a model folder, checks all of it, and says what it is.",
                            "  bellwether model info all-MiniLM-L6-v2\n"
                            "  bellwether model info gpt2 --tensors\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1)
        return bw_fail(err, BW_EUSAGE, "name one model folder; see 'bellwether model info --help'");
    bw_transformer *t = NULL;
    bw_hf_info info;
    st = bw_hf_load(argv[0], &t, &info, err);
    if (st != BW_OK)
        return st;
    cJSON *j = describe(argv[0], &info, bw_transformer_params(t)->total);
    char *text = json ? cJSON_Print(j) : NULL;
    if (text)
        puts(text);
    else
        print_lines(j);
    if (tensors && !json)
        print_tensors(t, &info);
    cJSON_free(text);
    cJSON_Delete(j);
    bw_transformer_free(t);
    bw_hf_info_free(&info);
    return BW_OK;
}

/* ---- convert ---- */

#define MAX_COPY (256u << 20)

/* Files of tokenizers and cards that go along unchanged. */
static bool goes_along(const char *name) {
    static const char *const NAMES[] = {
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "special_tokens_map.json",
        "added_tokens.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
        "README.md",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    return strncmp(name, "LICENSE", 7) == 0;
}

static bw_status copy_file(const char *from, const char *to, const char *name, bw_err *err) {
    char *source = NULL, *target = NULL, *text = NULL;
    size_t len;
    bw_status st = BW_OK;
    if (asprintf(&source, "%s/%s", from, name) < 0 || asprintf(&target, "%s/%s", to, name) < 0)
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_file_read(source, MAX_COPY, &text, &len, err);
    if (st == BW_OK)
        st = bw_file_write(target, text, len, err);
    free(text);
    free(source);
    free(target);
    return st;
}

static bw_status copy_companions(const char *from, const char *to, bw_err *err) {
    DIR *d = opendir(from);
    if (!d)
        return bw_fail(err, BW_EIO, "%s: %s", from, strerror(errno));
    bw_status st = BW_OK;
    struct dirent *e;
    while (st == BW_OK && (e = readdir(d)))
        if (goes_along(e->d_name))
            st = copy_file(from, to, e->d_name, err);
    closedir(d);
    return st;
}

static bw_status convert(const char *from, const char *to, const bw_hf_format *format,
                         bw_err *err) {
    bw_transformer *t = NULL;
    bw_hf_info info;
    bw_status st = bw_hf_load(from, &t, &info, err);
    if (st != BW_OK)
        return st;
    st = bw_hf_save_as(to, t, &info, format, err);
    if (st == BW_OK)
        st = copy_companions(from, to, err);
    if (st == BW_OK)
        printf("%s: %zu parameters in %s, %s\n", to, bw_transformer_params(t)->total,
               bw_dtype_name(format->dtype), info.model_class);
    bw_transformer_free(t);
    bw_hf_info_free(&info);
    return st;
}

static bw_status parse_dtype(const char *name, bw_dtype *out, bw_err *err) {
    static const bw_dtype KNOWN[] = {BW_F32, BW_F16, BW_BF16};
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcasecmp(name, bw_dtype_name(KNOWN[i])) == 0) {
            *out = KNOWN[i];
            return BW_OK;
        }
    return bw_fail(err, BW_EUSAGE, "--dtype %s: f32, f16 or bf16", name);
}

bw_status bw_cmd_model_convert(int argc, char **argv, bw_err *err) {
    const char *dtype = "f32";
    long megabytes = 0;
    const bw_option options[] = {
        {"dtype", 'd', BW_OPT_TEXT, &dtype, "NAME", "f32 (default), f16 or bf16"},
        {"shard", 's', BW_OPT_LONG, &megabytes, "MB",
         "cut the weights into files of at most so many million bytes, with an index"},
        {0},
    };
    const bw_usage usage = {"model convert DIR OUT [options]",
                            "Loads a model folder (any precision, shards, old tensor names) and "
                            "writes it to OUT with the\n"
                            "current names: one model.safetensors or shards, config.json, and the "
                            "tokenizer's files.",
                            "  bellwether model convert llama-sharded llama\n"
                            "  bellwether model convert llama small --dtype bf16 --shard 500\n"};
    bw_hf_format format = {0};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st == BW_OK)
        st = parse_dtype(dtype, &format.dtype, err);
    if (st == BW_OK && argc != 2)
        st = bw_fail(err, BW_EUSAGE,
                     "name a model folder and one to write; see 'bellwether model convert --help'");
    if (st == BW_OK && (megabytes < 0 || megabytes > 1000000))
        st = bw_fail(err, BW_EUSAGE, "--shard %ld: 1 to 1000000 million bytes", megabytes);
    if (st != BW_OK)
        return st;
    format.shard_bytes = (size_t)megabytes * 1000000;
    return convert(argv[0], argv[1], &format, err);
}
