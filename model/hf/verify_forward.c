/* model/hf/verify_forward.c - compares hidden states, scores, pooled vectors and
 * log-probabilities. */
#include "model/hf/verify.h"
#include "model/core/linear.h"
#include "model/core/ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const bw_tf_config *config(const bw_verify *v) {
    return bw_transformer_config(v->t);
}

/* What a forward comparison has at hand. */
typedef struct {
    bw_verify *v;
    const cJSON *json;
    const char *part; /* "forward": the names of quantities begin with it */
    bw_vinput in, target;
    bool two;
} run;

static void named(const run *r, const char *key, char out[96]) {
    snprintf(out, 96, "%s.%s", r->part, key);
}

static float *floats(bw_verify *v, size_t n) {
    float *x = malloc((n ? n : 1) * sizeof *x);
    if (!x)
        bw_verify_fail(v, bw_fail_memory(v->err));
    return x;
}

/* Rows of tokens against a tensor [batch, width, n]. */
static void compare_tokens(run *r, const char *key, const cJSON *item, const bw_vinput *in,
                           const float *rows, size_t n) {
    bw_vtensor e;
    char name[96];
    named(r, key, name);
    if (!rows || !bw_vtensor_read(item, &e))
        return;
    for (size_t s = 0; s < in->batch.n_seq; s++)
        for (size_t i = in->start[s]; i < in->start[s + 1]; i++)
            for (size_t k = 0; k < n; k++)
                bw_verify_add(r->v, name, (double)rows[i * n + k],
                              bw_vtensor_at(&e, s, in->column[i], k), BW_TOL_STATES);
    free(e.data);
}

/* Rows of sequences against a tensor [batch, n]. */
static void compare_rows(run *r, const char *key, const float *rows, size_t n, bw_tolerance tol) {
    bw_vtensor e;
    char name[96];
    named(r, key, name);
    if (!rows || !bw_vtensor_read(get(r->json, key), &e))
        return;
    for (size_t s = 0; s < r->in.batch.n_seq; s++)
        for (size_t k = 0; k < n; k++)
            bw_verify_add(r->v, name, (double)rows[s * n + k], bw_vtensor_at(&e, s, k, 0), tol);
    free(e.data);
}

static void compare_layers(run *r, const char *key, const bw_vinput *in, bool decoder) {
    const cJSON *list = get(r->json, key), *item;
    size_t layer = 0;
    cJSON_ArrayForEach(item, list) {
        size_t layers = decoder ? config(r->v)->dec.layers : config(r->v)->enc.layers;
        if (layer <= layers)
            compare_tokens(r, key, item, in, bw_tf_layer(r->v->ws, decoder, layer),
                           config(r->v)->dim);
        layer++;
    }
}

/* ---- encoders ---- */

static void compare_pooled(run *r, const float *hidden) {
    size_t dim = config(r->v)->dim, n = r->in.batch.n_seq;
    float *pooled = floats(r->v, n * dim), *cosine = floats(r->v, n * n);
    if (pooled && cosine && get(r->json, "mean_pooled")) {
        bw_pool_mean(pooled, &r->in.batch, hidden, dim);
        compare_rows(r, "mean_pooled", pooled, dim, BW_TOL_POOLED);
        bw_normalize_rows(pooled, n, dim);
        compare_rows(r, "mean_pooled_l2_normalized", pooled, dim, BW_TOL_POOLED);
        bw_linear(cosine, pooled, pooled, NULL, n, dim, n);
        compare_rows(r, "cosine_similarity", cosine, n, BW_TOL_POOLED);
    }
    if (pooled && get(r->json, "pooler_output")) {
        bw_verify_fail(r->v,
                       bw_head_pooled(r->v->t, r->v->o, &r->in.batch, hidden, pooled, r->v->err));
        compare_rows(r, "pooler_output", pooled, dim, BW_TOL_POOLED);
    }
    free(pooled);
    free(cosine);
}

static void compare_classes(run *r, const float *hidden) {
    size_t n = r->in.batch.n_seq, labels = config(r->v)->labels;
    if (labels) {
        float *logits = floats(r->v, n * labels);
        if (logits) {
            bw_verify_fail(
                r->v, bw_head_classes(r->v->t, r->v->o, &r->in.batch, hidden, logits, r->v->err));
            compare_rows(r, "logits", logits, labels, BW_TOL_STATES);
            bw_softmax(logits, logits, n, labels);
            compare_rows(r, "probabilities", logits, labels, BW_TOL_POOLED);
        }
        free(logits);
    }
    if (config(r->v)->nsp) {
        float *logits = floats(r->v, 2 * n);
        if (logits) {
            bw_verify_fail(r->v,
                           bw_head_nsp(r->v->t, r->v->o, &r->in.batch, hidden, logits, r->v->err));
            compare_rows(r, "seq_relationship_logits", logits, 2, BW_TOL_STATES);
        }
        free(logits);
    }
}

static bool in_range(const cJSON *item, size_t n) {
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < (double)n;
}

/* [{"batch", "position", "label", "logprob"}] */
static void compare_masked(run *r, const float *logits) {
    const cJSON *item;
    char name[96];
    named(r, "masked_logprobs", name);
    size_t vocab = config(r->v)->vocab;
    cJSON_ArrayForEach(item, get(r->json, "masked_logprobs")) {
        const cJSON *batch = get(item, "batch"), *position = get(item, "position");
        const cJSON *label = get(item, "label"), *expected = get(item, "logprob");
        if (!in_range(batch, r->in.batch.n_seq) || !in_range(label, vocab) ||
            !in_range(position, r->in.width) || !cJSON_IsNumber(expected))
            continue;
        size_t i = r->in.start[batch->valueint] + (size_t)position->valueint;
        if (i >= r->in.batch.n_tokens)
            continue;
        const float *x = logits + i * vocab;
        double found = (double)x[label->valueint] - bw_log_sum_exp(x, vocab);
        bw_verify_add(r->v, name, found, expected->valuedouble, BW_TOL_STATES);
    }
}

/* Attention probabilities of layer 0, [batch, heads, query, key], from its input. */
static void compare_probabilities(run *r) {
    bw_vtensor e;
    const bw_tf_config *c = config(r->v);
    bw_params *p = bw_transformer_params(r->v->t);
    size_t wq = bw_params_find(p, "enc.0.attn.q.weight"),
           bq = bw_params_find(p, "enc.0.attn.q.bias");
    size_t wk = bw_params_find(p, "enc.0.attn.k.weight"),
           bk = bw_params_find(p, "enc.0.attn.k.bias");
    size_t width = c->enc.heads * c->head_dim, n = r->in.batch.n_tokens;
    if (bq >= p->n || bk >= p->n || !bw_vtensor_read(get(r->json, "attention_probs_layer0"), &e))
        return;
    float *q = floats(r->v, 2 * n * width), *k = q + n * width, *s = floats(r->v, n);
    if (!q || !s || e.n_dims != 4 || e.dim[0] != r->in.batch.n_seq || e.dim[1] != c->enc.heads ||
        e.dim[2] < r->in.width || e.dim[3] < r->in.width) {
        free(q);
        free(s);
        free(e.data);
        return;
    }
    char name[96];
    named(r, "attention_probs_layer0", name);
    const float *h = bw_tf_layer(r->v->ws, false, 0);
    bw_linear(q, h, bw_param_data(p, wq), bw_param_data(p, bq), n, c->dim, width);
    bw_linear(k, h, bw_param_data(p, wk), bw_param_data(p, bk), n, c->dim, width);
    for (size_t b = 0; b < r->in.batch.n_seq; b++)
        for (size_t at = 0; at < c->enc.heads * (r->in.start[b + 1] - r->in.start[b]); at++) {
            size_t first = r->in.start[b], keys = r->in.start[b + 1] - first;
            size_t head = at / keys, i = at % keys;
            const float *qi = q + (first + i) * width + head * c->head_dim;
            for (size_t j = 0; j < keys; j++) {
                s[j] = 0;
                for (size_t d = 0; d < c->head_dim; d++)
                    s[j] += qi[d] * k[(first + j) * width + head * c->head_dim + d] * c->attn_scale;
            }
            bw_softmax(s, s, 1, keys);
            for (size_t j = 0; j < keys; j++)
                bw_verify_add(
                    r->v, name, (double)s[j],
                    e.data[((b * e.dim[1] + head) * e.dim[2] + r->in.column[first + i]) * e.dim[3] +
                           r->in.column[first + j]],
                    BW_TOL_POOLED);
        }
    free(q);
    free(s);
    free(e.data);
}

/* ---- scores over the vocabulary ---- */

/* Lists of log p(next) a sequence; the log-probability at token i is of labels[i]. */
static void compare_logprobs(run *r, const char *key, const bw_vinput *in, const float *logits,
                             const int32_t *labels) {
    const cJSON *list = get(r->json, key), *row, *item;
    size_t s = 0, vocab = config(r->v)->vocab;
    char name[96];
    named(r, key, name);
    cJSON_ArrayForEach(row, list) {
        size_t i = in->start[s], end = s < in->batch.n_seq ? in->start[s + 1] : 0;
        cJSON_ArrayForEach(item, row) {
            if (i >= end || labels[i] < 0)
                break;
            const float *x = logits + i * vocab;
            bw_verify_add(r->v, name, (double)x[labels[i]] - bw_log_sum_exp(x, vocab),
                          item->valuedouble, BW_TOL_STATES);
            i++;
        }
        if (++s == in->batch.n_seq)
            break;
    }
}

static void compare_causal(run *r, const float *hidden, const float *logits, int32_t *labels) {
    bw_causal_labels(&r->in.batch, labels);
    compare_logprobs(r, "token_logprobs", &r->in, logits, labels);
    const cJSON *expected = get(r->json, "causal_loss");
    double loss;
    char name[96];
    named(r, "causal_loss", name);
    if (!cJSON_IsNumber(expected))
        return;
    bw_verify_fail(r->v, bw_loss_tokens(r->v->t, r->v->o, hidden, labels, r->in.batch.n_tokens, 0,
                                        1, &loss, NULL, NULL, NULL, r->v->err));
    bw_verify_add(r->v, name, loss, expected->valuedouble, BW_TOL_LOSS);
}

/* label_logprobs are of labels, which are the decoder's ids one to the left and, last, what
 * training.labels says. */
static void compare_labels(run *r, const float *logits, int32_t *labels) {
    const cJSON *rows = get(get(r->v->expected, "training"), "labels");
    for (size_t s = 0; s < r->target.batch.n_seq; s++)
        for (size_t i = r->target.start[s]; i < r->target.start[s + 1]; i++) {
            const cJSON *label =
                cJSON_GetArrayItem(cJSON_GetArrayItem(rows, (int)s), (int)r->target.column[i]);
            labels[i] = label ? label->valueint : BW_IGNORE;
        }
    compare_logprobs(r, "label_logprobs", &r->target, logits, labels);
}

static void compare_vocabulary(run *r, const float *hidden) {
    const bw_tf_config *c = config(r->v);
    const bw_vinput *in = r->two ? &r->target : &r->in;
    size_t n = in->batch.n_tokens;
    if (!c->mlm && !c->lm)
        return;
    float *logits = floats(r->v, n * c->vocab);
    int32_t *labels = malloc(n * sizeof *labels);
    if (logits && labels) {
        bw_verify_fail(r->v, bw_head_tokens(r->v->t, r->v->o, hidden, n, logits, r->v->err));
        const char *key = c->mlm ? "prediction_logits" : "logits";
        compare_tokens(r, key, get(r->json, key), in, logits, c->vocab);
        if (c->mlm)
            compare_masked(r, logits);
        else if (r->two)
            compare_labels(r, logits, labels);
        else
            compare_causal(r, hidden, logits, labels);
    }
    bw_vtensor e;
    if (logits && bw_vtensor_read(get(r->json, "last_position_logits"), &e)) {
        char name[96];
        named(r, "last_position_logits", name);
        for (size_t s = 0; s < in->batch.n_seq; s++)
            for (size_t k = 0; k < c->vocab; k++)
                bw_verify_add(r->v, name, (double)logits[(in->start[s + 1] - 1) * c->vocab + k],
                              bw_vtensor_at(&e, s, k, 0), BW_TOL_STATES);
        free(e.data);
    }
    free(logits);
    free(labels);
}

/* ---- a pass ---- */

/* The decoder's rows reach as far as label_logprobs do; beyond lies padding. */
static bw_status read_target(run *r) {
    const cJSON *list = get(r->json, "label_logprobs"), *row;
    size_t lengths[256], n = 0;
    cJSON_ArrayForEach(row, list) if (n < 256) lengths[n++] = (size_t)cJSON_GetArraySize(row);
    if (n != r->in.batch.n_seq)
        return bw_fail(r->v->err, BW_EFORMAT, "%s: label_logprobs has %zu rows for %zu sequences",
                       r->part, n, r->in.batch.n_seq);
    return bw_vinput_rows(get(r->json, "decoder_input_ids"), lengths, n, &r->target, r->v->err);
}

static void compare_all(run *r) {
    const float *hidden = bw_tf_hidden(r->v->ws);
    if (r->two) {
        compare_layers(r, "encoder_hidden_states", &r->in, false);
        compare_layers(r, "decoder_hidden_states", &r->target, true);
    } else {
        compare_layers(r, "hidden_states", &r->in, config(r->v)->kind == BW_TF_DECODER);
        compare_tokens(r, "last_hidden_state", get(r->json, "last_hidden_state"), &r->in, hidden,
                       config(r->v)->dim);
    }
    if (config(r->v)->kind == BW_TF_ENCODER) {
        compare_probabilities(r);
        compare_pooled(r, hidden);
        compare_classes(r, hidden);
    }
    compare_vocabulary(r, hidden);
}

/* json holds the answers, input the tokens. */
static void verify_pass(bw_verify *v, const char *part, const cJSON *json, const cJSON *input) {
    run r = {.v = v, .json = json, .part = part};
    r.two = config(v)->kind == BW_TF_ENCODER_DECODER;
    bw_status st = bw_vinput_read(input, &r.in, v->err);
    if (st == BW_OK && r.two)
        st = read_target(&r);
    if (st == BW_OK)
        st = bw_transformer_forward(v->t, v->ws, &r.in.batch, r.two ? &r.target.batch : NULL,
                                    &(bw_tf_mode){.keep_layers = true}, v->err);
    if (st == BW_OK)
        compare_all(&r);
    bw_verify_fail(v, st);
    bw_vinput_free(&r.in);
    bw_vinput_free(&r.target);
}

void bw_verify_forward(bw_verify *v) {
    const cJSON *forward = get(v->expected, "forward");
    const cJSON *plain = get(v->expected, "forward_default_token_types");
    const cJSON *left = get(v->expected, "forward_left_padded");
    if (forward)
        verify_pass(v, "forward", forward, forward);
    if (left)
        verify_pass(v, "forward_left_padded", left, left);
    if (!plain || !forward)
        return;
    cJSON *input = cJSON_Duplicate(forward, true);
    cJSON_DeleteItemFromObjectCaseSensitive(input, "token_type_ids");
    verify_pass(v, "forward_default_token_types", plain, input);
    cJSON_Delete(input);
}
