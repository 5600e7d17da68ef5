/* model/train/train.c - the loop of training: schedule, moving average, checkpoints, resume, progress. */
#include "model/train/train.h"

#include "common/buf.h"
#include "common/progress.h"
#include "model/core/optimizer.h"
#include "model/core/safetensors.h"
#include "model/core/simd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECKPOINT_S 240.0 /* seconds between two checkpoints */
#define LOG_EVERY    50    /* steps between two lines of the loss curve */
#define SMOOTH       0.98  /* of the losses shown */

typedef struct {
    bw_trainer_state t;
    const bw_train_options *o;
    bw_optimizer *opt;
    float *average[2]; /* moving averages of the transformer's and the heads' weights */
    size_t step, steps, tokens;
    double seconds; /* of earlier runs */
    double loss[BW_N_LOSSES];
    cJSON *curve; /* [[step, tokens, losses...], ...] */
} run;

static const char *const STAGE[] = {"pretrain", "tune"};
static const char *const LOSS[] = {"sentiment", "mention", "polarity", "mlm", "nsp"};

static double number(const run *x, const char *key, double fallback) {
    return bw_recipe_number(x->t.recipe, STAGE[x->o->stage], key, fallback);
}

static bool keep_pretrain(const bw_example *e) {
    return e->task == BW_TASK_TEXT || e->task == BW_TASK_SENTIMENT;
}

static bool keep_tune(const bw_example *e) {
    return (e->task == BW_TASK_SENTIMENT && e->label != BW_UNLABELLED) || e->task == BW_TASK_ASPECT;
}

static bool keep_taught(const bw_example *e) {
    return keep_tune(e) || e->task == BW_TASK_TEXT;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- start ---- */

static bw_status make_optimizer(run *x, bw_err *err) {
    bw_deep *m = x->t.model;
    bw_adamw a = {.lr = number(x, "rate", 1e-3),
                  .beta2 = 0.99,
                  .weight_decay = number(x, "decay", 0.01),
                  .clip = 1.0,
                  .warmup = (size_t)number(x, "warmup", 100),
                  .total = x->steps,
                  .decay = BW_LR_COSINE,
                  .final_ratio = 0.05};
    bw_status st = bw_optimizer_new(&a, &x->opt, err);
    if (st == BW_OK)
        st = bw_optimizer_add(x->opt, "encoder", bw_transformer_params(m->tf), (bw_group){0}, err);
    if (st == BW_OK)
        st = bw_optimizer_add(x->opt, "heads", &m->heads.params, (bw_group){0}, err);
    if (st == BW_OK)
        st = bw_optimizer_add(x->opt, "extra", &x->t.extra, (bw_group){0}, err);
    return st;
}

/* The recipe's "tune.teacher": a weights file, or "shipped". */
static bw_status open_teacher(bw_trainer_state *t, bw_err *err) {
    const cJSON *path =
        cJSON_GetObjectItem(cJSON_GetObjectItem(t->recipe->json, "tune"), "teacher");
    if (!cJSON_IsString(path))
        return BW_OK;
    return bw_encoder_open(strcmp(path->valuestring, "shipped") ? path->valuestring : NULL,
                           &t->teacher, err);
}

static bw_status check_adversarial(const bw_trainer_state *t, bw_err *err) {
    const bw_tf_config *c = bw_transformer_config(t->model->tf);
    if (t->adversarial <= 0 || c->embed_dim != c->dim)
        return BW_OK;
    return bw_fail(
        err, BW_EDATA,
        "recipe %s: tune.adversarial needs an encoder.embed other than encoder.dim (%zu)",
        t->recipe->name, c->dim);
}

static bw_status start_sampler(run *x, bw_err *err) {
    bw_trainer_state *t = &x->t;
    bool pretrain = x->o->stage == BW_STAGE_PRETRAIN;
    bw_status st = pretrain ? BW_OK : open_teacher(t, err);
    if (st != BW_OK)
        return st;
    t->teacher_weight = (float)number(x, "teacher_weight", 0.7);
    t->some_sentences = t->teacher ? (float)number(x, "some_sentences", 0.2) : 0;
    t->typos = (float)number(x, "typos", 0);
    t->adversarial = pretrain ? 0 : (float)number(x, "adversarial", 0);
    st = check_adversarial(t, err);
    if (st != BW_OK)
        return st;
    double text_share = pretrain ? 1 : number(x, "text_share", 1);
    return bw_mixer_new(t->recipe, t->data, number(x, "share_power", 0.7), text_share,
                        pretrain     ? keep_pretrain
                        : t->teacher ? keep_taught
                                     : keep_tune,
                        &t->sampler, err);
}

static bw_status start(run *x, bw_err *err) {
    bw_trainer_state *t = &x->t;
    t->batch_tokens = (size_t)number(x, "batch_tokens", 4096);
    t->max_tokens = (size_t)number(x, "max_tokens", 160);
    t->ngram_drop = (float)number(x, "ngram_drop", 0.3);
    t->word_drop = (float)number(x, "word_drop", 0.05);
    t->neutral_weight = (float)number(x, "neutral_weight", 1.0);
    x->steps = (size_t)(number(x, "tokens", 1e6) / (double)t->batch_tokens) + 1;
    bw_params_add(&t->extra, "mlm.bias", 1, (size_t[]){bw_tokenizer_size(t->model->tokenizer)},
                  BW_PARAM_NO_DECAY);
    t->ws = bw_tf_workspace_new();
    x->curve = cJSON_CreateArray();
    bw_status st = t->ws && x->curve ? bw_params_alloc(&t->extra, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = start_sampler(x, err);
    if (st == BW_OK)
        st = make_optimizer(x, err);
    return st;
}

static bw_params *block(const run *x, int i) {
    return i == 0 ? bw_transformer_params(x->t.model->tf) : &x->t.model->heads.params;
}

static bw_status start_average(run *x, bw_err *err) {
    for (int i = 0; i < 2; i++) {
        const bw_params *p = block(x, i);
        x->average[i] = malloc(p->total * sizeof(float));
        if (!x->average[i])
            return bw_fail_memory(err);
        memcpy(x->average[i], p->data, p->total * sizeof(float));
    }
    return BW_OK;
}

static void finish(run *x) {
    bw_optimizer_free(x->opt);
    bw_params_free(&x->t.extra);
    bw_mixer_free(&x->t.sampler);
    bw_encoder_free(x->t.teacher);
    bw_inputs_free(&x->t.in);
    bw_tf_workspace_free(x->t.ws);
    free(x->t.d_hidden);
    free(x->t.shift);
    free(x->t.jobs);
    free(x->average[0]);
    free(x->average[1]);
    cJSON_Delete(x->curve);
}

/* ---- checkpoints ---- */

static void path_of(const run *x, const char *what, char out[1024]) {
    snprintf(out, 1024, "%s/%s.%s", x->o->folder, STAGE[x->o->stage], what);
}

static bw_status save_state(const run *x, double seconds, bw_err *err) {
    cJSON *j = cJSON_CreateObject(), *positions = cJSON_AddArrayToObject(j, "positions");
    cJSON_AddNumberToObject(j, "step", (double)x->step);
    cJSON_AddNumberToObject(j, "steps", (double)x->steps);
    cJSON_AddNumberToObject(j, "tokens", (double)x->tokens);
    cJSON_AddNumberToObject(j, "seconds", seconds);
    for (size_t i = 0; i < x->t.sampler.sets; i++)
        cJSON_AddItemToArray(positions, cJSON_CreateNumber((double)x->t.sampler.position[i]));
    cJSON *loss = cJSON_AddArrayToObject(j, "loss");
    for (int k = 0; k < BW_N_LOSSES; k++)
        cJSON_AddItemToArray(loss, cJSON_CreateNumber(x->loss[k]));
    cJSON_AddItemReferenceToObject(j, "curve", x->curve);
    char *text = cJSON_Print(j), path[1024];
    cJSON_Delete(j);
    path_of(x, "json", path);
    bw_status st = text ? bw_file_write(path, text, strlen(text), err) : bw_fail_memory(err);
    free(text);
    return st;
}

static bw_tensor whole(const char *name, const float *data, size_t n) {
    return (bw_tensor){.name = name,
                       .dtype = BW_F32,
                       .n_dims = 1,
                       .dim = {n},
                       .count = n,
                       .data = data,
                       .bytes = n * sizeof(float)};
}

static bw_status save_average(const run *x, bw_err *err) {
    char path[1024];
    path_of(x, "average", path);
    bw_tensor t[3] = {whole("average.encoder", x->average[0], block(x, 0)->total),
                      whole("average.heads", x->average[1], block(x, 1)->total),
                      whole("extra", x->t.extra.data, x->t.extra.total)};
    return bw_safetensors_write(path, t, 3, NULL, err);
}

static bw_status checkpoint(const run *x, double seconds, bw_err *err) {
    char path[1024];
    path_of(x, "optimizer", path);
    bw_status st = bw_deep_save(x->t.model, x->o->folder, err);
    if (st == BW_OK)
        st = bw_optimizer_save(x->opt, path, err);
    if (st == BW_OK)
        st = save_average(x, err);
    return st == BW_OK ? save_state(x, seconds, err) : st;
}

static bw_status load_whole(const bw_safetensors *f, const char *name, float *out, size_t n,
                            bw_err *err) {
    const bw_tensor *t = bw_safetensors_find(f, name);
    if (!t || t->count != n)
        return bw_fail(err, BW_EFORMAT,
                       "%s is missing or has another size; was the recipe changed?", name);
    return bw_tensor_to_f32(f, t, out, err);
}

static bw_status load_average(run *x, bw_err *err) {
    char path[1024];
    path_of(x, "average", path);
    bw_safetensors *f;
    bw_status st = bw_safetensors_open(path, &f, err);
    if (st != BW_OK)
        return st;
    st = load_whole(f, "average.encoder", x->average[0], block(x, 0)->total, err);
    if (st == BW_OK)
        st = load_whole(f, "average.heads", x->average[1], block(x, 1)->total, err);
    if (st == BW_OK)
        st = load_whole(f, "extra", x->t.extra.data, x->t.extra.total, err);
    bw_safetensors_free(f);
    return st;
}

static void parse_state(run *x, const cJSON *j) {
    x->step = (size_t)cJSON_GetNumberValue(cJSON_GetObjectItem(j, "step"));
    x->tokens = (size_t)cJSON_GetNumberValue(cJSON_GetObjectItem(j, "tokens"));
    x->seconds = cJSON_GetNumberValue(cJSON_GetObjectItem(j, "seconds"));
    const cJSON *p = cJSON_GetObjectItem(j, "positions"), *l = cJSON_GetObjectItem(j, "loss");
    for (size_t i = 0; i < x->t.sampler.sets; i++)
        x->t.sampler.position[i] = (size_t)cJSON_GetNumberValue(cJSON_GetArrayItem(p, (int)i));
    for (int k = 0; k < BW_N_LOSSES; k++)
        x->loss[k] = cJSON_GetNumberValue(cJSON_GetArrayItem(l, k));
    cJSON_Delete(x->curve);
    x->curve = cJSON_Duplicate(cJSON_GetObjectItem(j, "curve"), true);
}

static bw_status resume(run *x, bw_err *err) {
    char path[1024], *text;
    size_t len;
    path_of(x, "json", path);
    bw_status st = bw_file_read(path, 64u << 20, &text, &len, err);
    if (st != BW_OK)
        return st;
    cJSON *j = cJSON_Parse(text);
    free(text);
    bool ok = cJSON_GetArraySize(cJSON_GetObjectItem(j, "positions")) == (int)x->t.sampler.sets;
    if (ok)
        parse_state(x, j);
    cJSON_Delete(j);
    if (!ok || !x->curve)
        return bw_fail(err, BW_EFORMAT, "%s does not belong to this recipe", path);
    path_of(x, "optimizer", path);
    st = bw_optimizer_load(x->opt, path, err);
    return st == BW_OK ? load_average(x, err) : st;
}

/* ---- the loop ---- */

static void update_average(run *x) {
    double most = number(x, "average", 0.999),
           early = (1.0 + (double)x->step) / (10.0 + (double)x->step);
    float keep = (float)(early < most ? early : most);
    for (int i = 0; i < 2; i++) {
        const bw_params *p = block(x, i);
        float *average = x->average[i];
#pragma omp parallel for simd if (p->total > BW_WORTH_THREADS)
        for (size_t k = 0; k < p->total; k++)
            average[k] += (1.0f - keep) * (p->data[k] - average[k]);
    }
}

static void note_losses(run *x, const bw_losses *l) {
    for (int k = 0; k < BW_N_LOSSES; k++)
        if (l->n[k]) {
            double mean = l->sum[k] / (double)l->n[k];
            x->loss[k] = x->loss[k] > 0 ? SMOOTH * x->loss[k] + (1 - SMOOTH) * mean : mean;
        }
    if (x->step % LOG_EVERY)
        return;
    cJSON *row = cJSON_CreateArray();
    cJSON_AddItemToArray(row, cJSON_CreateNumber((double)x->step));
    cJSON_AddItemToArray(row, cJSON_CreateNumber((double)x->tokens));
    for (int k = 0; k < BW_N_LOSSES; k++)
        cJSON_AddItemToArray(row, cJSON_CreateNumber(round(1e4 * x->loss[k]) / 1e4));
    cJSON_AddItemToArray(x->curve, row);
}

static void show(const run *x, bw_progress *bar, double seconds, size_t run_tokens) {
    bw_buf b = {0};
    for (int k = 0; k < BW_N_LOSSES; k++)
        if (x->loss[k] > 0)
            bw_buf_addf(&b, "%s %.4f  ", LOSS[k], x->loss[k]);
    bw_buf_addf(&b, "%.0f tokens/s", (double)run_tokens / seconds);
    bw_progress_set(bar, x->step, b.text);
    if (x->step % LOG_EVERY == 0)
        fprintf(stderr, "\n%s: step %zu of %zu, %.2f M tokens, %s", STAGE[x->o->stage], x->step,
                x->steps, (double)x->tokens / 1e6, b.text ? b.text : "");
    bw_buf_free(&b);
}

static bw_status one_step(run *x, bw_err *err) {
    bw_losses l = {{0}, {0}};
    x->t.rng = bw_rng_seed(bw_mix64(x->o->seed + 1) ^ x->step);
    bw_status st = x->o->stage == BW_STAGE_PRETRAIN ? bw_pretrain_step(&x->t, &l, err)
                                                    : bw_tune_step(&x->t, &l, err);
    if (st != BW_OK)
        return st;
    if (x->o->stage == BW_STAGE_TUNE)
        bw_optimizer_scale_grad(x->opt, 1.0 / (double)(x->t.n_jobs ? x->t.n_jobs : 1));
    else
        bw_optimizer_scale_grad(x->opt, 1.0 / (1.0 + 0.1 * (double)l.n[BW_LOSS_MLM]));
    st = bw_optimizer_step(x->opt, NULL, err);
    if (st != BW_OK)
        return st;
    x->tokens += x->t.in.n_tokens;
    x->step++;
    update_average(x);
    note_losses(x, &l);
    return BW_OK;
}

static bw_status loop(run *x, bw_err *err) {
    double begin = now(), saved = begin;
    size_t first_tokens = x->tokens, first_step = x->step;
    bw_status st = BW_OK;
    bw_progress *bar = bw_progress_new(STAGE[x->o->stage], x->steps);
    while (st == BW_OK && x->step < x->steps) {
        st = one_step(x, err);
        double t = now();
        if (st == BW_OK)
            show(x, bar, t - begin, x->tokens - first_tokens);
        bool stop = bw_interrupted() || (x->o->minutes > 0 && t - begin > 60 * x->o->minutes) ||
                    (x->o->steps && x->step - first_step >= x->o->steps);
        if (st == BW_OK && (stop || t - saved > CHECKPOINT_S || x->step == x->steps)) {
            st = checkpoint(x, x->seconds + t - begin, err);
            saved = t;
        }
        if (stop)
            break;
    }
    bw_progress_free(bar);
    return st == BW_OK && bw_interrupted()
               ? bw_fail(err, BW_EINTERRUPTED, "stopped; --resume goes on from step %zu", x->step)
               : st;
}

/* The averaged weights become the model's. */
static void take_average(run *x) {
    for (int i = 0; i < 2; i++)
        memcpy(block(x, i)->data, x->average[i], block(x, i)->total * sizeof(float));
}

bw_status bw_train(const bw_recipe *r, const bw_dataset *d, bw_deep *m, const bw_train_options *o,
                   bw_err *err) {
    run x = {
        .o = o,
        .t = {.recipe = r, .data = d, .model = m, .reader = bw_deep_reader(m), .seed = o->seed}};
    bw_status st = start(&x, err);
    if (st == BW_OK)
        st = start_average(&x, err);
    if (st == BW_OK && o->resume)
        st = resume(&x, err);
    if (st == BW_OK)
        st = loop(&x, err);
    if (st == BW_OK && x.step == x.steps)
        take_average(&x);
    finish(&x);
    return st;
}

void bw_train_forget(const char *folder, bw_stage stage) {
    static const char *const PARTS[] = {"optimizer", "average", "json"};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s.%s", folder, STAGE[stage], PARTS[i]);
        remove(path);
    }
}
