/* model/train/recipe.c - recipes and the data they name. */
#include "model/train/recipe.h"

#include "common/buf.h"
#include "common/embed.h"
#include "model/shipped/text.h"
#include "model/train/phrases.h"
#include "sql/redact.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_RECIPE ((size_t)1 << 20)
#define MAX_COPIES 10000 /* sentences of one pattern */

static const char *const TASK[] = {"sentiment", "aspect", "pair", "text"};

static bw_status bad(const bw_recipe *r, bw_err *err, const char *what) {
    return bw_fail(err, BW_EFORMAT, "recipe %s: %s", r->name, what);
}

static bw_status read_parts(const cJSON *list, unsigned *parts, bw_err *err) {
    const cJSON *p;
    *parts = list ? 0 : BW_PART_TRAIN;
    cJSON_ArrayForEach(p, list) {
        unsigned one = 0;
        bw_status st = bw_parts_parse(cJSON_IsString(p) ? p->valuestring : "", &one, err);
        if (st != BW_OK)
            return st;
        *parts |= one;
    }
    return *parts & BW_PART_TEST ? bw_fail(err, BW_EARG, "a recipe never trains on test parts")
                                 : BW_OK;
}

static bw_status read_set(bw_recipe *r, const cJSON *j, bw_err *err) {
    bw_recipe_set *s = &r->set[r->n_sets];
    const cJSON *file = cJSON_GetObjectItem(j, "file"), *task = cJSON_GetObjectItem(j, "task");
    const cJSON *weight = cJSON_GetObjectItem(j, "weight");
    if (!cJSON_IsString(file) || strlen(file->valuestring) >= sizeof s->file ||
        !cJSON_IsString(task))
        return bad(r, err, "each entry of data needs a file and a task");
    *s = (bw_recipe_set){.weight = cJSON_IsNumber(weight) ? (float)weight->valuedouble : 1.0f};
    snprintf(s->file, sizeof s->file, "%s", file->valuestring);
    size_t t = 0;
    while (t < 4 && strcmp(TASK[t], task->valuestring))
        t++;
    if (t == 4)
        return bw_fail(err, BW_EFORMAT,
                       "recipe %s: %s: task '%s' is none of sentiment, aspect, pair, text", r->name,
                       s->file, task->valuestring);
    s->task = (bw_task)t;
    s->sentences = cJSON_IsTrue(cJSON_GetObjectItem(j, "sentences"));
    const cJSON *domain = cJSON_GetObjectItem(j, "domain");
    if (cJSON_IsString(domain))
        snprintf(s->domain, sizeof s->domain, "%s", domain->valuestring);
    const cJSON *neutral = cJSON_GetObjectItem(j, "neutral");
    if (cJSON_IsString(neutral))
        snprintf(s->neutral, sizeof s->neutral, "%s", neutral->valuestring);
    const cJSON *phrases = cJSON_GetObjectItem(j, "phrases");
    if (cJSON_IsNumber(phrases) && phrases->valuedouble >= 1 && phrases->valuedouble <= MAX_COPIES)
        s->phrases = (size_t)phrases->valuedouble;
    r->n_sets++;
    return read_parts(cJSON_GetObjectItem(j, "parts"), &s->parts, err);
}

/* A file of model/recipes that comes with the program, or one at a path. */
static bw_status read_text(const char *path, const char *ending, char **text, bw_err *err) {
    char inside[256];
    size_t len;
    snprintf(inside, sizeof inside, "model/recipes/%s.%s", path, ending);
    const void *p = bw_embed(inside, &len);
    if (!p)
        return bw_file_read(path, MAX_RECIPE, text, &len, err);
    *text = malloc(len + 1);
    if (!*text)
        return bw_fail_memory(err);
    memcpy(*text, p, len + 1);
    return BW_OK;
}

bw_status bw_recipe_parse(const char *json, const char *label, bw_recipe *r, bw_err *err) {
    *r = (bw_recipe){0};
    snprintf(r->name, sizeof r->name, "%s", label);
    r->json = cJSON_Parse(json);
    const cJSON *data = cJSON_GetObjectItem(r->json, "data"), *entry;
    const cJSON *name = cJSON_GetObjectItem(r->json, "name");
    bw_status st = cJSON_IsArray(data) && cJSON_IsString(name)
                       ? BW_OK
                       : bad(r, err, "not JSON with \"name\" and \"data\"");
    if (st == BW_OK) {
        snprintf(r->name, sizeof r->name, "%s", name->valuestring);
        r->set = calloc((size_t)cJSON_GetArraySize(data) + 1, sizeof *r->set);
        st = r->set ? BW_OK : bw_fail_memory(err);
    }
    if (st == BW_OK)
        cJSON_ArrayForEach(entry, data) {
            if ((st = read_set(r, entry, err)) != BW_OK)
                break;
        }
    if (st != BW_OK)
        bw_recipe_free(r);
    return st;
}

bw_status bw_recipe_read(const char *path, bw_recipe *r, bw_err *err) {
    *r = (bw_recipe){0};
    char *text = NULL;
    bw_status st = read_text(path, "json", &text, err);
    if (st == BW_OK)
        st = bw_recipe_parse(text, path, r, err);
    free(text);
    return st;
}

void bw_recipe_free(bw_recipe *r) {
    cJSON_Delete(r->json);
    free(r->set);
    *r = (bw_recipe){0};
}

bw_status bw_recipe_without(bw_recipe *r, const char *domain, bw_err *err) {
    size_t n = 0;
    for (size_t i = 0; i < r->n_sets; i++)
        if (strcmp(r->set[i].domain, domain))
            r->set[n++] = r->set[i];
    if (n == r->n_sets)
        return bw_fail(err, BW_EARG, "recipe %s has no data of a domain '%s'", r->name, domain);
    r->n_sets = n;
    return BW_OK;
}

double bw_recipe_number(const bw_recipe *r, const char *section, const char *key, double fallback) {
    const cJSON *x = cJSON_GetObjectItem(cJSON_GetObjectItem(r->json, section), key);
    return cJSON_IsNumber(x) ? x->valuedouble : fallback;
}

/* Whether a list of the recipe names the file. */
static bool listed(const bw_recipe *r, const char *list, const char *file) {
    const cJSON *x;
    cJSON_ArrayForEach(x, cJSON_GetObjectItem(r->json, list)) {
        if (cJSON_IsString(x) && !strcmp(x->valuestring, file))
            return true;
    }
    return false;
}

/* ---- data ---- */

static void data_path(char *out, size_t n, const char *folder, const char *file) {
    snprintf(out, n, "%s/%s.tsv.gz", folder, file);
    if (access(out, R_OK) != 0)
        snprintf(out, n, "%s/%s.tsv", folder, file);
}

static bw_status check_files(const bw_recipe *r, const char *folder, bw_err *err) {
    bw_buf missing = {0};
    for (size_t i = 0; i < r->n_sets; i++) {
        char path[1024];
        data_path(path, sizeof path, folder, r->set[i].file);
        if (!r->set[i].phrases && access(path, R_OK) != 0)
            bw_buf_addf(&missing, "%s%s", missing.len ? ", " : "", r->set[i].file);
    }
    bw_status st = missing.len ? bw_fail(err, BW_EIO,
                                         "%s lacks these files of the recipe (.tsv or .tsv.gz): %s",
                                         folder, missing.text)
                               : BW_OK;
    bw_buf_free(&missing);
    return st;
}

/* Quick look that spares most texts the redaction: an @, or seven digits. */
static bool may_hold_private(const char *text) {
    size_t digits = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '@')
            return true;
        digits += isdigit((unsigned char)*p) != 0;
    }
    return digits >= 7;
}

static bw_status redacted(bw_dataset *d, const char *text, const char **out, size_t *count,
                          bw_err *err) {
    *out = text;
    if (!text || !may_hold_private(text))
        return BW_OK;
    char *clean = bw_redact(text);
    if (!clean)
        return bw_fail_memory(err);
    if (!strcmp(clean, text)) {
        free(clean);
        return BW_OK;
    }
    if (d->n_owned == d->cap_owned) {
        size_t cap = 2 * d->cap_owned + 256;
        char **p = realloc(d->owned, cap * sizeof *p);
        if (!p) {
            free(clean);
            return bw_fail_memory(err);
        }
        d->owned = p;
        d->cap_owned = cap;
    }
    d->owned[d->n_owned++] = clean;
    *out = clean;
    ++*count;
    return BW_OK;
}

static bool counts_as_neutral(const bw_recipe_set *s, const bw_row *row) {
    return !strcmp(s->neutral, "*") ||
           (s->neutral[0] && ((row->tag && !strcmp(row->tag, s->neutral)) ||
                              (row->category && !strcmp(row->category, s->neutral))));
}

static bw_status add_example(bw_dataset *d, bw_recipe_set *s, size_t set, const bw_row *row,
                             uint8_t part, bw_err *err) {
    if (d->n == d->cap) {
        size_t cap = 2 * d->cap + 4096;
        bw_example *p = realloc(d->example, cap * sizeof *p);
        if (!p)
            return bw_fail_memory(err);
        d->example = p;
        d->cap = cap;
    }
    bw_example e = {.row = row,
                    .set = (uint16_t)set,
                    .part = part,
                    .label = row->label,
                    .task = (uint8_t)s->task};
    if (counts_as_neutral(s, row))
        e.label = BW_NEUTRAL;
    bw_status st = redacted(d, row->text, &e.text, &s->redacted, err);
    if (st == BW_OK)
        st = redacted(d, row->text2, &e.text2, &s->redacted, err);
    if (st != BW_OK)
        return st;
    e.zh = bw_text_language(e.text)[0] == 'z';
    d->example[d->n++] = e;
    s->kept += part == BW_PART_TRAIN;
    return BW_OK;
}

/* An aspect file repeats a text once an aspect, in consecutive rows. */
static bool same_text(const bw_example *a, const bw_example *b) {
    return a->set == b->set && !strcmp(a->text, b->text);
}

/* Each text of the file from example `first` on whose aspects agree becomes a sentiment example. */
static bw_status add_sentences(bw_dataset *d, bw_recipe_set *s, size_t set, size_t first,
                               bw_err *err) {
    bw_status st = BW_OK;
    size_t end = d->n;
    for (size_t i = first, j; st == BW_OK && i < end; i = j) {
        bool agree = d->example[i].label != BW_UNLABELLED;
        for (j = i + 1; j < end && same_text(&d->example[i], &d->example[j]); j++)
            agree &= d->example[j].label == d->example[i].label;
        if (!agree)
            continue;
        size_t kept = s->kept;
        st = add_example(d, s, set, d->example[i].row, d->example[i].part, err);
        s->kept = kept;
        if (st == BW_OK)
            d->example[d->n - 1].task = BW_TASK_SENTIMENT;
    }
    return st;
}

static bw_status add_set(bw_dataset *d, bw_recipe *r, size_t set, const bw_keyset *test,
                         const bw_keyset *dev, bw_err *err) {
    bw_recipe_set *s = &r->set[set];
    const bw_corpus *c = &d->corpus[set];
    size_t first = d->n;
    bool dev_file = listed(r, "dev", s->file);
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < c->n; i++) {
        const bw_row *row = &c->row[i];
        bool is_dev = dev_file && row->part == BW_PART_DEV;
        if (!is_dev && !(row->part & s->parts))
            continue;
        uint64_t key = bw_row_key(row);
        s->rows++;
        if (bw_keyset_has(test, key))
            s->test_texts++;
        else if (!is_dev && bw_keyset_has(dev, key))
            s->dev_texts++;
        else
            st = add_example(d, s, set, row, is_dev ? BW_PART_DEV : BW_PART_TRAIN, err);
    }
    return st == BW_OK && s->sentences ? add_sentences(d, s, set, first, err) : st;
}

static bool own_tests(const bw_recipe *r) {
    return cJSON_IsTrue(cJSON_GetObjectItem(r->json, "own_tests"));
}

static bw_status read_phrases(const bw_recipe_set *s, bw_corpus *c, bw_err *err) {
    char *source = NULL, *tsv = NULL;
    *c = (bw_corpus){0};
    bw_status st = read_text(s->file, "txt", &source, err);
    if (st == BW_OK)
        st = bw_phrases_expand(source, s->file, s->phrases, 1, &tsv, err);
    free(source);
    return st == BW_OK ? bw_corpus_parse(tsv, s->file, c, err) : st;
}

static bw_status read_set_file(const bw_recipe_set *s, const char *folder, bw_corpus *c,
                               bw_err *err) {
    char path[1024];
    data_path(path, sizeof path, folder, s->file);
    return s->phrases ? read_phrases(s, c, err) : bw_corpus_read(path, c, err);
}

static bw_status read_corpora(bw_recipe *r, const char *folder, bw_dataset *d, bw_keyset *dev,
                              bw_keyset *test, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < r->n_sets; i++) {
        st = read_set_file(&r->set[i], folder, &d->corpus[i], err);
        if (st != BW_OK)
            break;
        d->n_corpora++;
        r->set[i].two_class = d->corpus[i].two_class && !r->set[i].neutral[0];
        r->set[i].rows = r->set[i].kept = r->set[i].test_texts = 0;
        r->set[i].dev_texts = r->set[i].redacted = 0;
        if (listed(r, "dev", r->set[i].file))
            st = bw_keyset_add_corpus(dev, &d->corpus[i], BW_PART_DEV, err);
        if (st == BW_OK && own_tests(r))
            st = bw_keyset_add_corpus(test, &d->corpus[i], BW_PART_TEST, err);
    }
    return st;
}

static bw_status add_tests(const bw_recipe *r, const char *folder, bw_keyset *test, bw_err *err) {
    if (own_tests(r))
        return BW_OK;
    const char *except[16] = {NULL};
    size_t n = 0;
    const cJSON *x;
    cJSON_ArrayForEach(x, cJSON_GetObjectItem(r->json, "not_tested")) {
        if (cJSON_IsString(x) && n < 15)
            except[n++] = x->valuestring;
    }
    return bw_keyset_add_folder(test, folder, except, err);
}

bw_status bw_dataset_load(bw_recipe *r, const char *folder, bw_dataset *d, bw_err *err) {
    *d = (bw_dataset){0};
    bw_keyset test = {0}, dev = {0};
    d->corpus = calloc(r->n_sets + 1, sizeof *d->corpus);
    bw_status st = d->corpus ? check_files(r, folder, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = add_tests(r, folder, &test, err);
    if (st == BW_OK)
        st = read_corpora(r, folder, d, &dev, &test, err);
    for (size_t i = 0; st == BW_OK && i < r->n_sets; i++)
        st = add_set(d, r, i, &test, &dev, err);
    if (st == BW_OK && d->n == 0)
        st = bw_fail(err, BW_EDATA, "%s: no row is left to train on", folder);
    bw_keyset_free(&test);
    bw_keyset_free(&dev);
    if (st != BW_OK)
        bw_dataset_free(d);
    return st;
}

void bw_dataset_free(bw_dataset *d) {
    for (size_t i = 0; i < d->n_owned; i++)
        free(d->owned[i]);
    for (size_t i = 0; i < d->n_corpora; i++)
        bw_corpus_free(&d->corpus[i]);
    free(d->owned);
    free(d->corpus);
    free(d->example);
    *d = (bw_dataset){0};
}
