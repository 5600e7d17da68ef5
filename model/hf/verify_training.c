/* model/hf/verify_training.c - compares losses, gradients and parameters over ten AdamW steps. */
#include "model/hf/verify.h"
#include "model/core/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS     10
#define MOST_ROWS 256 /* of a recorded batch */

static const bw_tolerance AFTER_1 = {1e-6, 0}, AFTER_MORE = {1e-5, 0}, LOSS_SERIES = {2e-5, 0};

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The batch with its labels, packed as the tokens are. */
typedef struct {
    bw_verify *v;
    const cJSON *json;
    bw_vinput in, target;
    bool two;
    int32_t *labels; /* one a token of in (MLM, causal) or of target, or one a sequence */
    int32_t *nsp;
    float *d; /* gradient of the hidden states */
} trainer;

static const bw_tf_config *config(const trainer *r) {
    return bw_transformer_config(r->v->t);
}

static const bw_batch *scored(const trainer *r) {
    return r->two ? &r->target.batch : &r->in.batch;
}

/* ---- reading ---- */

/* A label a sequence. */
static bw_status read_list(trainer *r, const char *key, int32_t **out) {
    const cJSON *list = get(r->json, key), *item;
    size_t n = r->in.batch.n_seq, i = 0;
    if ((size_t)cJSON_GetArraySize(list) != n)
        return bw_fail(r->v->err, BW_EFORMAT, "training: %s is not one a sequence", key);
    *out = malloc(n * sizeof **out);
    if (!*out)
        return bw_fail_memory(r->v->err);
    cJSON_ArrayForEach(item, list)(*out)[i++] = item->valueint;
    return BW_OK;
}

/* Decoder input: the labels shifted right behind the start token. */
static bw_status read_target(trainer *r, const int32_t *matrix, size_t rows, size_t width) {
    size_t lengths[MOST_ROWS] = {0};
    if (rows > MOST_ROWS)
        return bw_fail(r->v->err, BW_EFORMAT, "training: more than %d rows", MOST_ROWS);
    cJSON *shifted = cJSON_CreateArray();
    for (size_t i = 0; i < rows; i++) {
        cJSON *row = cJSON_CreateArray();
        for (size_t j = 0; j < width; j++) {
            int32_t before = j ? matrix[i * width + j - 1] : r->v->info.decoder_start;
            cJSON_AddItemToArray(row, cJSON_CreateNumber(before < 0 ? 0 : before));
            lengths[i] += matrix[i * width + j] >= 0;
        }
        cJSON_AddItemToArray(shifted, row);
    }
    bw_status st = bw_vinput_rows(shifted, lengths, rows, &r->target, r->v->err);
    cJSON_Delete(shifted);
    return st;
}

static bw_status read_token_labels(trainer *r) {
    size_t rows, width;
    int32_t *matrix = bw_vmatrix_read(get(r->json, "labels"), &rows, &width);
    if (!matrix || rows != r->in.batch.n_seq) {
        free(matrix);
        return bw_fail(r->v->err, BW_EFORMAT, "training: labels are not a matrix of this batch");
    }
    bw_status st = r->two ? read_target(r, matrix, rows, width) : BW_OK;
    const bw_vinput *in = r->two ? &r->target : &r->in;
    r->labels = malloc((in->batch.n_tokens + 1) * sizeof *r->labels);
    for (size_t s = 0; st == BW_OK && r->labels && s < rows; s++)
        for (size_t i = in->start[s]; i < in->start[s + 1]; i++)
            r->labels[i] = in->column[i] < width ? matrix[s * width + in->column[i]] : BW_IGNORE;
    free(matrix);
    return st;
}

/* A causal model predicts the next label: those of the tokens one to the right. */
static void shift_labels(trainer *r) {
    for (size_t s = 0; s < r->in.batch.n_seq; s++) {
        for (size_t i = r->in.start[s]; i + 1 < r->in.start[s + 1]; i++)
            r->labels[i] = r->labels[i + 1];
        r->labels[r->in.start[s + 1] - 1] = BW_IGNORE;
    }
}

static bw_status read_batch(trainer *r) {
    bw_status st = bw_vinput_read(r->json, &r->in, r->v->err);
    if (st != BW_OK)
        return st;
    if (config(r)->labels) {
        st = read_list(r, "labels", &r->labels);
    } else if (!get(r->json, "labels") && config(r)->kind == BW_TF_DECODER) {
        r->labels = malloc(r->in.batch.n_tokens * sizeof *r->labels);
        if (r->labels)
            bw_causal_labels(&r->in.batch, r->labels);
    } else {
        st = read_token_labels(r);
        if (st == BW_OK && config(r)->kind == BW_TF_DECODER)
            shift_labels(r);
    }
    if (st == BW_OK && get(r->json, "next_sentence_label"))
        st = read_list(r, "next_sentence_label", &r->nsp);
    if (st == BW_OK)
        r->d = malloc(scored(r)->n_tokens * config(r)->dim * sizeof *r->d);
    return st != BW_OK || (r->labels && r->d) ? st : bw_fail_memory(r->v->err);
}

/* ---- loss and gradient ---- */

static bw_status one_pass(trainer *r, double *loss) {
    bw_verify *v = r->v;
    double nsp = 0;
    bw_status st =
        bw_transformer_forward(v->t, v->ws, &r->in.batch, r->two ? &r->target.batch : NULL,
                               &(bw_tf_mode){.train = true, .no_dropout = true}, v->err);
    if (st != BW_OK)
        return st;
    const float *hidden = bw_tf_hidden(v->ws);
    memset(r->d, 0, scored(r)->n_tokens * config(r)->dim * sizeof *r->d);
    if (config(r)->labels)
        st = bw_loss_classes(v->t, v->o, &r->in.batch, hidden, &(bw_targets){.labels = r->labels},
                             1, loss, r->d, v->err);
    else
        st = bw_loss_tokens(v->t, v->o, hidden, r->labels, scored(r)->n_tokens, 0, 1, loss, NULL,
                            NULL, r->d, v->err);
    if (st == BW_OK && r->nsp)
        st = bw_loss_nsp(v->t, v->o, &r->in.batch, hidden, &(bw_targets){.labels = r->nsp}, 1, &nsp,
                         r->d, v->err);
    *loss += nsp;
    return st == BW_OK ? bw_transformer_backward(v->t, v->ws, r->d, v->err) : st;
}

/* The tensor of that name in the folder's layout; malloc'd, NULL when there is none. */
static float *folder_tensor(trainer *r, const char *name, const float *base, size_t *count) {
    bw_hf_view view;
    if (!bw_hf_find(r->v->t, &r->v->info, name, &view)) {
        bw_verify_fail(r->v, bw_fail(r->v->err, BW_EFORMAT,
                                     "training: this model has no parameter '%.120s'", name));
        return NULL;
    }
    *count = view.dim[0] * (view.n_dims == 2 ? view.dim[1] : 1);
    float *x = malloc(*count * sizeof *x);
    if (x)
        bw_hf_gather(r->v->t, &view, base, x);
    else
        bw_verify_fail(r->v, bw_fail_memory(r->v->err));
    return x;
}

static void compare_norms(trainer *r) {
    const float *grad = bw_transformer_params(r->v->t)->grad;
    const cJSON *item;
    size_t count;
    cJSON_ArrayForEach(item, get(r->json, "param_grad_norms")) {
        float *g = folder_tensor(r, item->string, grad, &count);
        double sum = 0;
        for (size_t i = 0; g && i < count; i++)
            sum += (double)g[i] * (double)g[i];
        if (g)
            bw_verify_add(r->v, "training.param_grad_norms", sqrt(sum), item->valuedouble,
                          BW_TOL_GRADIENT);
        free(g);
    }
}

/* Compares values at flat_index of each entry with its member `key`. */
static void compare_entries(trainer *r, const char *key, const float *base, bw_tolerance tol) {
    const cJSON *item;
    char name[96];
    size_t count;
    snprintf(name, sizeof name, "training.%s", key);
    cJSON_ArrayForEach(item, get(r->json, "entries")) {
        const cJSON *expected = get(item, key), *param = get(item, "param");
        const cJSON *index = get(item, "flat_index");
        if (!cJSON_IsNumber(expected) || !cJSON_IsString(param) || !cJSON_IsNumber(index))
            continue;
        float *x = folder_tensor(r, param->valuestring, base, &count);
        double value = (double)(float)expected->valuedouble; /* nine digits name one float */
        if (x && index->valueint >= 0 && (size_t)index->valueint < count)
            bw_verify_add(r->v, name, (double)x[index->valueint], value, tol);
        free(x);
    }
}

static void compare_gradients(trainer *r, double loss, const bw_optimizer *o) {
    const cJSON *expected = get(r->json, "loss"), *norm = get(r->json, "grad_norm");
    bw_params *p = bw_transformer_params(r->v->t);
    if (cJSON_IsNumber(expected))
        bw_verify_add(r->v, "training.loss", loss, expected->valuedouble, BW_TOL_LOSS);
    if (cJSON_IsNumber(norm))
        bw_verify_add(r->v, "training.grad_norm", bw_optimizer_grad_norm(o), norm->valuedouble,
                      BW_TOL_GRADIENT_NORM);
    compare_norms(r);
    compare_entries(r, "value", p->data, BW_TOL_EXACT);
    compare_entries(r, "grad", p->grad, BW_TOL_GRADIENT);
}

/* ---- steps ---- */

static bw_adamw settings(const trainer *r) {
    const cJSON *s = get(get(r->json, "adamw"), "settings");
    const cJSON *lr = get(s, "lr"), *betas = get(s, "betas"), *eps = get(s, "eps");
    const cJSON *decay = get(s, "weight_decay");
    return (bw_adamw){
        .lr = cJSON_IsNumber(lr) ? lr->valuedouble : 1e-3,
        .beta1 = cJSON_IsArray(betas) ? cJSON_GetArrayItem(betas, 0)->valuedouble : 0,
        .beta2 = cJSON_IsArray(betas) ? cJSON_GetArrayItem(betas, 1)->valuedouble : 0,
        .eps = cJSON_IsNumber(eps) ? eps->valuedouble : 0,
        .weight_decay = cJSON_IsNumber(decay) ? decay->valuedouble : 0.01,
    };
}

static void compare_series(trainer *r, size_t i, double loss) {
    const cJSON *list = get(get(r->json, "adamw"), "loss_before_each_step_and_after_last_10_steps");
    const cJSON *item = cJSON_GetArrayItem(list, (int)i);
    if (cJSON_IsNumber(item))
        bw_verify_add(r->v, "training.loss_over_steps", loss, item->valuedouble, LOSS_SERIES);
}

static void compare_after(trainer *r, size_t steps) {
    const float *data = bw_transformer_params(r->v->t)->data;
    if (steps == 1)
        compare_entries(r, "after_1_step", data, AFTER_1);
    if (steps == 3)
        compare_entries(r, "after_3_steps", data, AFTER_MORE);
    if (steps == STEPS)
        compare_entries(r, "after_10_steps", data, AFTER_MORE);
}

static bw_status run_steps(trainer *r, bw_optimizer *o) {
    double loss = 0;
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i <= STEPS; i++) {
        if ((st = one_pass(r, &loss)) != BW_OK)
            break;
        compare_series(r, i, loss);
        if (i == 0)
            compare_gradients(r, loss, o);
        if (i == STEPS)
            break;
        st = bw_optimizer_step(o, NULL, r->v->err);
        compare_after(r, i + 1);
    }
    bw_params_zero_grad(bw_transformer_params(r->v->t));
    return st;
}

/* The reference's trainer finds norms by their class, and its list of classes lacks that of Qwen2:
 * there the norms' weights decay. */
static void group_as_reference(trainer *r) {
    bw_params *p = bw_transformer_params(r->v->t);
    for (size_t i = 0; r->v->info.family == BW_HF_QWEN2 && i < p->n; i++)
        if (strstr(p->table[i].name, "norm.weight"))
            p->table[i].flags &= ~(unsigned)BW_PARAM_NO_DECAY;
}

/* One step from the first weights, biases and norms left out of the decay. */
static bw_status run_grouped(trainer *r, bw_optimizer *o) {
    double loss;
    group_as_reference(r);
    bw_status st = one_pass(r, &loss);
    if (st == BW_OK)
        st = bw_optimizer_step(o, NULL, r->v->err);
    compare_entries(r, "after_1_step_no_decay_on_bias_and_norm",
                    bw_transformer_params(r->v->t)->data, AFTER_1);
    return st;
}

/* Runs `body` with a fresh optimiser and puts the weights back afterwards. */
static bw_status with_optimizer(trainer *r, bool decay_all,
                                bw_status (*body)(trainer *, bw_optimizer *)) {
    bw_params *p = bw_transformer_params(r->v->t);
    bw_adamw s = settings(r);
    bw_optimizer *o = NULL;
    float *saved = malloc(p->total * sizeof *saved);
    bw_status st = saved ? bw_optimizer_new(&s, &o, r->v->err) : bw_fail_memory(r->v->err);
    if (st == BW_OK)
        st = bw_optimizer_add(o, "model", p, (bw_group){.decay_all = decay_all}, r->v->err);
    if (st == BW_OK) {
        memcpy(saved, p->data, p->total * sizeof *saved);
        st = body(r, o);
        memcpy(p->data, saved, p->total * sizeof *saved);
    }
    free(saved);
    bw_optimizer_free(o);
    return st;
}

void bw_verify_training(bw_verify *v) {
    trainer r = {.v = v, .json = get(v->expected, "training")};
    if (!r.json)
        return;
    r.two = config(&r)->kind == BW_TF_ENCODER_DECODER;
    bw_status st = read_batch(&r);
    if (st == BW_OK)
        st = with_optimizer(&r, true, run_steps);
    if (st == BW_OK)
        st = with_optimizer(&r, false, run_grouped);
    bw_verify_fail(v, st);
    bw_vinput_free(&r.in);
    bw_vinput_free(&r.target);
    free(r.labels);
    free(r.nsp);
    free(r.d);
}
