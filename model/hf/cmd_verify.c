/* model/hf/cmd_verify.c - bellwether model verify DIR...: a model folder against the answers of a
 * reference implementation that lie in it as expected.json. */
#include "model/cmd_model.h"

#include "common/buf.h"
#include "model/hf/verify.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_EXPECTED (256u << 20)

/* ---- finding the answers ---- */

static bool readable(const char *dir, const char *file, char **path) {
    if (asprintf(path, "%s/%s", dir, file) < 0) {
        *path = NULL;
        return false;
    }
    return access(*path, R_OK) == 0;
}

/* DIR/expected.json; for a variant of another folder ("llama-sharded") the one of the folder whose
 * name it continues. Caller frees; NULL: none. */
static char *find_expected(const char *dir) {
    char *base = strdup(dir), *path = NULL;
    size_t n = base ? strlen(base) : 0;
    while (n > 1 && base[n - 1] == '/')
        base[--n] = '\0';
    while (base && !readable(base, "expected.json", &path)) {
        free(path);
        path = NULL;
        char *dash = strrchr(base, '-'), *slash = strrchr(base, '/');
        if (!dash || (slash && dash < slash))
            break;
        *dash = '\0';
    }
    free(base);
    return path;
}

static bw_status read_expected(const char *dir, const char *given, cJSON **out, bw_err *err) {
    char *path = given ? strdup(given) : find_expected(dir), *text = NULL;
    if (!path)
        return bw_fail(err, BW_EIO, "%s: there is no expected.json; name one with --expected", dir);
    bw_status st = bw_file_read(path, MAX_EXPECTED, &text, NULL, err);
    if (st == BW_OK && !(*out = cJSON_Parse(text)))
        st = bw_fail(err, BW_EFORMAT, "%s: not valid JSON", path);
    free(text);
    free(path);
    return st;
}

/* ---- one folder ---- */

static bw_status run_parts(bw_verify *v) {
    v->ws = bw_tf_workspace_new();
    v->o = bw_objective_new();
    if (!v->ws || !v->o)
        return bw_fail_memory(v->err);
    if (v->saved)
        bw_verify_saved(v);
    if (v->status == BW_OK)
        bw_verify_forward(v);
    if (v->status == BW_OK)
        bw_verify_generation(v);
    if (v->status == BW_OK)
        bw_verify_training(v);
    if (v->status == BW_OK && !v->n)
        return bw_fail(v->err, BW_EDATA, "expected.json holds nothing to compare");
    return v->status;
}

static void free_verify(bw_verify *v) {
    bw_transformer_free(v->t);
    bw_hf_info_free(&v->info);
    bw_tf_workspace_free(v->ws);
    bw_objective_free(v->o);
    cJSON_Delete(v->expected);
    free(v->quantities);
}

static bool passes(const bw_quantity *q) {
    return q->compared > 0 && q->excess <= 1;
}

static bool all_pass(const bw_verify *v) {
    bool ok = true;
    for (size_t i = 0; i < v->n; i++)
        ok &= passes(&v->quantities[i]);
    return ok;
}

static void print_table(const bw_verify *v) {
    printf("%s (%s)\n", v->dir, v->info.model_class);
    for (size_t i = 0; i < v->n; i++) {
        const bw_quantity *q = &v->quantities[i];
        printf(
            "  %-4s  %-60.60s  %8zu values  largest difference %-9.3g %3.0f %% of its tolerance\n",
            passes(q) ? "ok" : "FAIL", q->name, q->compared, q->worst, 100 * fmin(q->excess, 9.99));
    }
}

static cJSON *as_json(const bw_verify *v) {
    cJSON *j = cJSON_CreateObject(), *list = cJSON_CreateArray();
    cJSON_AddStringToObject(j, "dir", v->dir);
    cJSON_AddStringToObject(j, "model", v->info.model_class);
    cJSON_AddBoolToObject(j, "pass", all_pass(v));
    for (size_t i = 0; i < v->n; i++) {
        const bw_quantity *q = &v->quantities[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "quantity", q->name);
        cJSON_AddNumberToObject(item, "compared", (double)q->compared);
        cJSON_AddNumberToObject(item, "max_abs_diff", isfinite(q->worst) ? q->worst : 1e308);
        cJSON_AddNumberToObject(item, "tolerance_used", isfinite(q->excess) ? q->excess : 1e308);
        cJSON_AddBoolToObject(item, "pass", passes(q));
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddItemToObject(j, "quantities", list);
    return j;
}

/* What was asked for, and what came out. */
typedef struct {
    const char *expected; /* a file, or NULL: that of the folder */
    bool saved;
    cJSON *results; /* NULL, or the JSON list to add to */
    bool ok;        /* false when a quantity is beyond its tolerance */
} request;

static bw_status verify_folder(const char *dir, request *r, bw_err *err) {
    bw_verify v = {.dir = dir, .saved = r->saved, .err = err};
    bw_status st = bw_hf_load(dir, &v.t, &v.info, err);
    if (st != BW_OK)
        return st;
    st = read_expected(dir, r->expected, &v.expected, err);
    if (st == BW_OK)
        st = run_parts(&v);
    if (st == BW_OK) {
        r->ok &= all_pass(&v);
        if (r->results)
            cJSON_AddItemToArray(r->results, as_json(&v));
        else
            print_table(&v);
    } else {
        bw_fail_prefix(err, st, dir);
    }
    free_verify(&v);
    return st;
}

/* ---- folders of folders ---- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_list(char **list, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

/* The subfolders of dir with a config.json, sorted. */
static bw_status list_models(const char *dir, char ***out, size_t *n, bw_err *err) {
    *out = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d)
        return bw_fail(err, BW_EIO, "%s: %s", dir, strerror(errno));
    struct dirent *e;
    bw_status st = BW_OK;
    while (st == BW_OK && (e = readdir(d))) {
        char *path = NULL, *config = NULL;
        if (e->d_name[0] == '.' || asprintf(&path, "%s/%s", dir, e->d_name) < 0)
            continue;
        char **list =
            readable(path, "config.json", &config) ? realloc(*out, (*n + 1) * sizeof *list) : NULL;
        if (list) {
            *out = list;
            list[(*n)++] = path;
        } else {
            free(path);
        }
        free(config);
    }
    closedir(d);
    if (*n)
        qsort(*out, *n, sizeof **out, by_text);
    return st;
}

static bw_status verify_path(const char *dir, request *r, bw_err *err) {
    char *config = NULL, **list = NULL;
    size_t n = 0;
    bool model = readable(dir, "config.json", &config);
    free(config);
    if (model)
        return verify_folder(dir, r, err);
    bw_status st = list_models(dir, &list, &n, err);
    if (st == BW_OK && !n)
        st = bw_fail(err, BW_EIO, "%s: no config.json here or in a folder inside", dir);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = verify_folder(list[i], r, err);
    free_list(list, n);
    return st;
}

bw_status bw_cmd_model_verify(int argc, char **argv, bw_err *err) {
    request r = {.ok = true};
    bool json = false;
    const bw_option options[] = {
        {"expected", 0, BW_OPT_TEXT, &r.expected, "FILE",
         "the answers (default DIR/expected.json)"},
        {"saved", 0, BW_OPT_FLAG, &r.saved, NULL,
         "also save the model again and compare weights and config.json exactly"},
        BW_OPTION_JSON(json),
        {0},
    };
    const bw_usage usage = {
        "model verify DIR... [options]",
        "Compares hidden states, scores, losses, gradients, AdamW steps and generated tokens of a\n"
        "model folder with the recorded answers of a reference implementation. A folder of model\n"
        "folders compares each. Exit status 1 when anything is beyond its tolerance.",
        "  bellwether model verify checkpoints/bert\n"
        "  bellwether model verify checkpoints --saved --json\n"
        "  bellwether model verify --tokenizer tokenizers cases.json\n"
        "  bellwether model verify --processors processors.json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc < 1)
        return bw_fail(err, BW_EUSAGE, "name a model folder; see 'bellwether model verify --help'");
    r.results = json ? cJSON_CreateArray() : NULL;
    for (int i = 0; st == BW_OK && i < argc; i++)
        st = verify_path(argv[i], &r, err);
    if (json && st == BW_OK) {
        cJSON *only =
            cJSON_GetArraySize(r.results) == 1 ? cJSON_GetArrayItem(r.results, 0) : r.results;
        char *text = cJSON_Print(only);
        puts(text ? text : "[]");
        cJSON_free(text);
    }
    cJSON_Delete(r.results);
    return st == BW_OK && !r.ok ? BW_EMISMATCH : st;
}
