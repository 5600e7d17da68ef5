/* model/train/cmd_check_split.c - `bellwether model check-split`: proves that no test text is trained on.
 *
 * The recipe's data are loaded as training loads them; then every training text, pre-training
 * included, is looked up among the test texts of every labelled file of the folder, letters and
 * digits only. It counts anew instead of trusting the counts of the cleaning. */
#include "model/cmd_model.h"

#include "model/train/recipe.h"
#include "model/shipped/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t *key;
    size_t n;
} keys;

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t key_of(const bw_example *e) {
    bw_row r = {.text = e->row->text, .text2 = e->row->text2};
    return bw_row_key(&r);
}

static bw_status training_keys(const bw_dataset *d, keys *k, bw_err *err) {
    k->key = malloc((d->n + 1) * sizeof *k->key);
    if (!k->key)
        return bw_fail_memory(err);
    for (size_t i = 0; i < d->n; i++)
        if (d->example[i].part == BW_PART_TRAIN)
            k->key[k->n++] = key_of(&d->example[i]);
    qsort(k->key, k->n, sizeof *k->key, by_key);
    return BW_OK;
}

static bool not_tested(const bw_recipe *r, const char *name) {
    const cJSON *x;
    cJSON_ArrayForEach(x, cJSON_GetObjectItem(r->json, "not_tested")) {
        size_t n = cJSON_IsString(x) ? strlen(x->valuestring) : 0;
        if (n && !strncmp(name, x->valuestring, n) && name[n] == '.')
            return true;
    }
    return false;
}

static bw_status check_file(const bw_recipe *r, const char *folder, const char *name, const keys *k,
                            size_t *found, bw_err *err) {
    char path[1024];
    bw_corpus c;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    bw_status st = bw_corpus_read(path, &c, err);
    size_t tests = 0, hits = 0;
    if (st != BW_OK)
        return st;
    for (size_t i = 0; c.has_label && i < c.n; i++) {
        uint64_t key = bw_row_key(&c.row[i]);
        if (c.row[i].part != BW_PART_TEST || !key)
            continue;
        tests++;
        hits += bsearch(&key, k->key, k->n, sizeof key, by_key) != NULL;
    }
    bw_corpus_free(&c);
    bool excepted = not_tested(r, name);
    if (tests)
        printf("%-44s %8zu test rows %8zu in training%s\n", name, tests, hits,
               excepted ? "  (not a test: see the recipe)" : "");
    *found += excepted ? 0 : hits;
    return BW_OK;
}

static bool is_table(const char *name) {
    size_t n = strlen(name);
    return (n > 4 && !strcmp(name + n - 4, ".tsv")) || (n > 7 && !strcmp(name + n - 7, ".tsv.gz"));
}

static bw_status check_folder(const bw_recipe *r, const char *folder, const keys *k, size_t *found,
                              bw_err *err) {
    struct dirent **list;
    int n = scandir(folder, &list, NULL, alphasort);
    if (n < 0)
        return bw_fail(err, BW_EIO, "%s: no such folder", folder);
    bw_status st = BW_OK;
    for (int i = 0; i < n; i++) {
        if (st == BW_OK && is_table(list[i]->d_name))
            st = check_file(r, folder, list[i]->d_name, k, found, err);
        free(list[i]);
    }
    free(list);
    return st;
}

static bw_status check(const char *recipe, const char *folder, bw_err *err) {
    bw_recipe r;
    bw_dataset d = {.example = NULL};
    keys k = {.key = NULL};
    size_t found = 0;
    bw_status st = bw_recipe_read(recipe, &r, err);
    if (st != BW_OK)
        return st;
    st = bw_dataset_load(&r, folder, &d, err);
    if (st == BW_OK)
        st = training_keys(&d, &k, err);
    if (st == BW_OK)
        st = check_folder(&r, folder, &k, &found, err);
    if (st == BW_OK)
        printf("%zu training texts, %zu test texts among them\n", k.n, found);
    free(k.key);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
    return st == BW_OK && found ? BW_EMISMATCH : st;
}

bw_status bw_cmd_check_split(int argc, char **argv, bw_err *err) {
    const char *data = NULL;
    const bw_option options[] = {
        {"data", 0, BW_OPT_TEXT, &data, "FOLDER", "folder with the files the recipe names"}, {0}};
    const bw_usage usage = {
        "model check-split RECIPE --data FOLDER",
        "Proves that no test text of any labelled file in the folder is trained on by the recipe, "
        "pre-training included. Exit 1 when one is.",
        "  bellwether model check-split shipped --data reviews\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !data)
        return bw_fail(err, BW_EUSAGE, "model check-split: wants a recipe and --data");
    return check(argv[0], data, err);
}
