/* model/train/tune_own.c - a recipe is written for the table, then training goes as always, with a small
 * learning rate so that what the weights know already is kept. */
#include "model/train/tune_own.h"

#include "model/shipped/calibrate.h"
#include "model/shipped/parts.h"
#include "model/train/train.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EPOCHS        4
#define RATE          3e-4
#define BATCH_TOKENS  2048
#define BYTES_A_TOKEN 4.0 /* of English; a rough count is enough for the schedule */
#define MIN_STEPS     30

/* "dir/mine.tsv.gz" to "dir" and "mine". */
static bw_status split_path(const char *path, char folder[1024], char name[128], bw_err *err) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t n = strlen(base);
    if (n > 7 && !strcmp(base + n - 7, ".tsv.gz"))
        n -= 7;
    else if (n > 4 && !strcmp(base + n - 4, ".tsv"))
        n -= 4;
    else
        return bw_fail(err, BW_EUSAGE,
                       "%s: --data wants a table whose name ends in .tsv or .tsv.gz", path);
    if (n >= 128)
        return bw_fail(err, BW_EARG, "%s: the name is too long", path);
    snprintf(name, 128, "%.*s", (int)n, base);
    if (slash)
        snprintf(folder, 1024, "%.*s", (int)(slash - path), path);
    else
        snprintf(folder, 1024, ".");
    return BW_OK;
}

static double training_tokens(const char *path, bw_err *err, bw_status *st) {
    bw_corpus c;
    double bytes = 0;
    *st = bw_corpus_read(path, &c, err);
    if (*st != BW_OK)
        return 0;
    size_t labelled = 0;
    for (size_t i = 0; i < c.n; i++)
        if (c.row[i].label != BW_UNLABELLED && c.row[i].part == BW_PART_TRAIN) {
            bytes += (double)strlen(c.row[i].text);
            labelled++;
        }
    if (labelled == 0)
        *st = bw_fail(err, BW_EDATA,
                      "%s: no row to train on; label is 1, 0 or neutral, split is train", path);
    bw_corpus_free(&c);
    double tokens = EPOCHS * bytes / BYTES_A_TOKEN, least = (double)MIN_STEPS * BATCH_TOKENS;
    return tokens > least ? tokens : least;
}

static bw_status make_recipe(const char *name, double tokens, bw_recipe *r, bw_err *err) {
    char json[1024];
    snprintf(json, sizeof json,
             "{\"name\": \"own\", \"data\": [{\"file\": \"%s\", \"task\": \"sentiment\"}], "
             "\"dev\": [\"%s\"], \"own_tests\": true, \"tune\": {\"tokens\": %.0f, \"rate\": %g, "
             "\"warmup\": 10, \"batch_tokens\": %d, \"average\": 0.98}}",
             name, name, tokens, RATE, BATCH_TOKENS);
    return bw_recipe_parse(json, name, r, err);
}

static bw_status tune(const bw_recipe *r, const bw_dataset *d, const char *from, const char *out,
                      uint64_t seed, bw_err *err) {
    bw_parts p;
    char path[1024];
    bw_status st = bw_parts_open(strcmp(from, "shipped") ? from : NULL, &p, err);
    if (st != BW_OK)
        return st;
    bw_train_options o = {.stage = BW_STAGE_TUNE, .folder = out, .seed = seed};
    st = bw_train(r, d, &p.deep, &o, err);
    snprintf(path, sizeof path, "%s/encoder.safetensors", out);
    if (st == BW_OK)
        st = bw_pack_calibrated(r, d, &(bw_pack_parts){&p.deep, &p.wide, &p.bag, &p.words},
                                &p.calibration, path, err);
    if (st == BW_OK)
        printf("%s\nnext: bellwether eval sentiment FILE --weights %s\n", path, path);
    bw_parts_free(&p);
    return st;
}

bw_status bw_tune_own(const char *task, const char *table, const char *from, const char *out,
                      uint64_t seed, bw_err *err) {
    char folder[1024], name[128];
    bw_recipe r = {.json = NULL};
    bw_dataset d = {.example = NULL};
    if (strcmp(task, "sentiment"))
        return bw_fail(err, BW_EUSAGE, "train: with --from the task is sentiment, not '%s'", task);
    bw_status st = split_path(table, folder, name, err);
    double tokens = st == BW_OK ? training_tokens(table, err, &st) : 0;
    if (st == BW_OK && mkdir(out, 0777) != 0 && errno != EEXIST)
        st = bw_fail(err, BW_EIO, "%s: %s", out, strerror(errno));
    if (st == BW_OK)
        st = make_recipe(name, tokens, &r, err);
    if (st == BW_OK)
        st = bw_dataset_load(&r, folder, &d, err);
    if (st == BW_OK)
        st = tune(&r, &d, from, out, seed, err);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
    return st;
}
