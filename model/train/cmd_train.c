/* model/train/cmd_train.c - `bellwether train`: recipes, their stages, and tuning on a user's own table. */
#include "model/train/train_cmd.h"

#include "model/shipped/bag_file.h"
#include "model/shipped/calibrate.h"
#include "model/shipped/parts.h"
#include "model/train/train.h"
#include "model/train/tune_own.h"
#include "model/shipped/wide_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *data, *out, *stage, *from, *without;
    long seed;
    double minutes;
    bool resume;
} train_options;

static void print_counts(const bw_recipe *r) {
    fprintf(stderr, "%-34s %9s %9s %7s %7s %9s\n", "file", "rows", "kept", "test", "dev",
            "redacted");
    for (size_t i = 0; i < r->n_sets; i++) {
        const bw_recipe_set *s = &r->set[i];
        fprintf(stderr, "%-34s %9zu %9zu %7zu %7zu %9zu\n", s->file, s->rows, s->kept,
                s->test_texts, s->dev_texts, s->redacted);
    }
}

static bool wants(const train_options *o, const char *stage) {
    return !strcmp(o->stage, "all") || !strcmp(o->stage, stage);
}

static bw_status stage_wide(const bw_recipe *r, const bw_dataset *d, const train_options *o,
                            bw_err *err) {
    bw_wide w;
    char path[1024];
    snprintf(path, sizeof path, "%s/wide.safetensors", o->out);
    bw_status st = bw_wide_train(r, d, (uint64_t)o->seed, &w, err);
    if (st == BW_OK)
        st = bw_wide_save(&w, path, err);
    bw_wide_free(&w);
    return st;
}

static bw_status stage_deep(const bw_recipe *r, const bw_dataset *d, const train_options *o,
                            bw_stage stage, bw_err *err) {
    bw_deep m;
    bw_status st = bw_deep_load(o->out, &m, err);
    if (st != BW_OK)
        return st;
    bw_train_options t = {.stage = stage,
                          .folder = o->out,
                          .minutes = o->minutes,
                          .seed = (uint64_t)o->seed,
                          .resume = o->resume};
    st = bw_train(r, d, &m, &t, err);
    if (st == BW_OK)
        st = bw_deep_save(&m, o->out, err);
    bw_deep_free(&m);
    return st;
}

static bw_status stage_new(const bw_recipe *r, const bw_dataset *d, const train_options *o,
                           bw_err *err) {
    bw_deep m;
    bw_status st = bw_deep_new(r, d, (uint64_t)o->seed, &m, err);
    if (st == BW_OK)
        st = bw_deep_save(&m, o->out, err);
    bw_deep_free(&m);
    return st;
}

static bw_status stage_embed(const bw_recipe *r, const bw_dataset *d, const train_options *o,
                             bw_err *err) {
    bw_deep m;
    bw_bag b = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/embed.safetensors", o->out);
    bw_status st = bw_deep_load(o->out, &m, err);
    if (st != BW_OK)
        return st;
    st = bw_bag_train(r, d, &m, (uint64_t)o->seed, &b, err);
    if (st == BW_OK)
        st = bw_bag_save(&b, path, err);
    bw_bag_free(&b);
    bw_deep_free(&m);
    return st;
}

static bw_status stage_pack(const bw_recipe *r, const bw_dataset *d, const train_options *o,
                            bw_err *err) {
    bw_deep m = {0};
    bw_wide w = {.memory = NULL};
    bw_bag b = {0};
    bw_words words = {.n = 0};
    bw_safetensors *wide_file = NULL, *bag_file = NULL;
    char path[1024];
    bw_status st = bw_deep_load(o->out, &m, err);
    if (st == BW_OK)
        st = bw_deep_take_average(&m, o->out, "tune", err);
    snprintf(path, sizeof path, "%s/wide.safetensors", o->out);
    if (st == BW_OK)
        st = bw_wide_load(path, &w, &wide_file, err);
    snprintf(path, sizeof path, "%s/embed.safetensors", o->out);
    if (st == BW_OK)
        st = bw_bag_load(path, &b, &bag_file, err);
    snprintf(path, sizeof path, "%s/encoder.safetensors", o->out);
    bw_calibration c = bw_calibration_default();
    if (st == BW_OK)
        st = bw_words_new(d, (uint32_t)bw_recipe_number(r, "words", "min_count", 3), &words, err);
    if (st == BW_OK)
        st = bw_pack_calibrated(r, d, &(bw_pack_parts){&m, &w, &b, &words}, &c, path, err);
    if (st == BW_OK)
        printf("%s\n", path);
    bw_words_free(&words);
    bw_bag_free(&b);
    bw_safetensors_free(wide_file);
    bw_safetensors_free(bag_file);
    bw_deep_free(&m);
    return st;
}

static bw_status run_stages(const bw_recipe *r, const bw_dataset *d, const train_options *o,
                            bw_err *err) {
    bw_status st = BW_OK;
    if (wants(o, "new") && !o->resume)
        st = stage_new(r, d, o, err);
    if (st == BW_OK && wants(o, "wide"))
        st = stage_wide(r, d, o, err);
    if (st == BW_OK && wants(o, "pretrain"))
        st = stage_deep(r, d, o, BW_STAGE_PRETRAIN, err);
    if (st == BW_OK && wants(o, "tune"))
        st = stage_deep(r, d, o, BW_STAGE_TUNE, err);
    if (st == BW_OK && wants(o, "embed"))
        st = stage_embed(r, d, o, err);
    if (st == BW_OK && wants(o, "pack"))
        st = stage_pack(r, d, o, err);
    return st;
}

static bool recipe_shape(const bw_recipe *r, const bw_tf_config *c) {
    double embed = bw_recipe_number(r, "encoder", "embed", 0);
    double dim = bw_recipe_number(r, "encoder", "dim", (double)c->dim);
    return dim == (double)c->dim && (embed > 0 ? embed : dim) == (double)c->embed_dim &&
           bw_recipe_number(r, "encoder", "layers", 0) == (double)c->enc.layers &&
           bw_recipe_number(r, "encoder", "ffn", 0) == (double)c->enc.ffn;
}

/* The parts of finished weights become a run that the stages can go on with. Where the recipe asks
 * for other layers, those begin anew above the finished embeddings. */
static bw_status unpack(const bw_recipe *r, const train_options *o, bw_err *err) {
    bw_parts p;
    char path[1024];
    bw_status st = bw_parts_open(strcmp(o->from, "shipped") ? o->from : NULL, &p, err);
    if (st != BW_OK)
        return st;
    bool same = recipe_shape(r, bw_transformer_config(p.deep.tf));
    if (!same)
        st = bw_deep_regrow(r, (uint64_t)o->seed, &p.deep, err);
    if (st == BW_OK)
        st = bw_deep_save(&p.deep, o->out, err);
    snprintf(path, sizeof path, "%s/wide.safetensors", o->out);
    if (st == BW_OK)
        st = bw_wide_save(&p.wide, path, err);
    snprintf(path, sizeof path, "%s/embed.safetensors", o->out);
    if (st == BW_OK)
        st = bw_bag_save(&p.bag, path, err);
    bw_parts_free(&p);
    if (st == BW_OK)
        printf("%s holds the weights' parts; next: train RECIPE --data FOLDER --out %s --stage %s, "
               "then --stage pack\n",
               o->out, o->out, same ? "tune" : "pretrain, then --stage tune");
    return st;
}

/* The weights of the run in --out become their mean with those of the run in --from. */
static bw_status mean(const train_options *o, bw_err *err) {
    bw_deep m = {0}, other = {0};
    bw_status st = bw_deep_load(o->out, &m, err);
    if (st == BW_OK)
        st = bw_deep_take_average(&m, o->out, "tune", err);
    if (st == BW_OK)
        st = bw_deep_load(o->from, &other, err);
    if (st == BW_OK)
        st = bw_deep_take_average(&other, o->from, "tune", err);
    if (st == BW_OK)
        st = bw_deep_mean(&m, &other, err);
    if (st == BW_OK)
        st = bw_deep_save(&m, o->out, err);
    if (st == BW_OK)
        bw_train_forget(o->out, BW_STAGE_TUNE);
    bw_deep_free(&other);
    bw_deep_free(&m);
    return st;
}

static bool is_weights_stage(const train_options *o) {
    return o->from && (!strcmp(o->stage, "unpack") || !strcmp(o->stage, "mean"));
}

static bw_status run_recipe(const char *recipe, const train_options *o, bw_err *err) {
    bw_recipe r;
    bw_dataset d = {0};
    bw_status st = bw_recipe_read(recipe, &r, err);
    if (st != BW_OK)
        return st;
    if (is_weights_stage(o)) {
        st = !strcmp(o->stage, "mean") ? mean(o, err) : unpack(&r, o, err);
        bw_recipe_free(&r);
        return st;
    }
    if (o->without)
        st = bw_recipe_without(&r, o->without, err);
    if (st == BW_OK)
        st = bw_dataset_load(&r, o->data, &d, err);
    if (st == BW_OK) {
        print_counts(&r);
        st = run_stages(&r, &d, o, err);
    }
    bw_dataset_free(&d);
    bw_recipe_free(&r);
    return st;
}

bw_status bw_cmd_train(int argc, char **argv, bw_err *err) {
    train_options o = {.stage = "all", .seed = 1};
    const bw_option options[] = {
        {"data", 0, BW_OPT_TEXT, &o.data, "FOLDER", "folder with the files the recipe names"},
        {"out", 0, BW_OPT_TEXT, &o.out, "FOLDER", "where weights and checkpoints go"},
        {"from", 0, BW_OPT_TEXT, &o.from, "FILE",
         "with a table, or --stage unpack: the weights to begin with, or 'shipped'; with --stage "
         "mean: another run's folder"},
        {"stage", 0, BW_OPT_TEXT, &o.stage, "NAME",
         "new, wide, pretrain, tune, embed, pack, unpack, mean, or all (default)"},
        {"without", 0, BW_OPT_TEXT, &o.without, "DOMAIN",
         "leave out the recipe's files of this domain: how good is it on what it never saw?"},
        {"resume", 0, BW_OPT_FLAG, &o.resume, NULL, "go on from the checkpoint in --out"},
        {"minutes", 0, BW_OPT_REAL, &o.minutes, "N", "stop after N minutes, at a checkpoint"},
        {"seed", 0, BW_OPT_LONG, &o.seed, "N", "of everything random (default 1)"},
        {0}};
    const bw_usage usage = {
        "train RECIPE --data FOLDER --out FOLDER [options]",
        "Trains a model by a recipe (model/recipes/, or a file).",
        "  bellwether train shipped --data reviews --out run\n"
        "  bellwether train shipped --data reviews --out run --stage tune --resume\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !o.data || !o.out)
        return bw_fail(err, BW_EUSAGE,
                       "train: wants a recipe, --data and --out; see 'bellwether train --help'");
    if (o.from && !is_weights_stage(&o))
        return bw_tune_own(argv[0], o.data, o.from, o.out, (uint64_t)o.seed, err);
    return run_recipe(argv[0], &o, err);
}
