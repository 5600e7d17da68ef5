/* model/encoder.c - loading the shipped file and scoring with it.
 *
 * Per text: units, their n-grams and tokens (model/inputs.h); hidden states by the frozen encoder in
 * int8 (model/infer.h); heads over the whole text for sentiment, and over each sentence for aspects;
 * the wide path; calibration. Texts are shared out to threads one by one. */
#include "model/encoder.h"

#include "common/embed.h"
#include "model/bag_file.h"
#include "model/infer.h"
#include "model/pack.h"
#include "model/wide_file.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHIPPED    "model/weights/encoder.safetensors"
#define MAX_TOKENS 256 /* that the transformer reads of a text */

struct bw_encoder {
    bw_safetensors *file;
    bw_tokenizer *tokenizer;
    bw_transformer *tf; /* holds the embedding tables; layers are packed in infer */
    bw_infer *infer;
    bw_readout heads;
    bw_gram_table table;
    bw_wide wide;
    bw_bag bag;
    bw_calibration calibration;
    char id[24];
};

/* ---- loading ---- */

static bw_status want(const bw_encoder *e, const char *name, bw_dtype dtype, size_t count,
                      const bw_tensor **t, bw_err *err) {
    *t = bw_safetensors_find(e->file, name);
    if (!*t || (*t)->dtype != dtype || (*t)->count != count)
        return bw_fail(err, BW_EFORMAT, "tensor %s is missing or has another shape", name);
    return BW_OK;
}

/* int8 rows times their scales. */
static bw_status widen(const bw_encoder *e, const bw_param *q, float *out, bw_err *err) {
    char name[160];
    const bw_tensor *t, *s;
    snprintf(name, sizeof name, "%s.scale", q->name);
    bw_status st = want(e, q->name, BW_I8, q->size, &t, err);
    if (st == BW_OK)
        st = want(e, name, BW_F32, q->dim[0], &s, err);
    if (st != BW_OK)
        return st;
    const int8_t *w = t->data;
    for (size_t r = 0; r < q->dim[0]; r++) {
        float scale;
        memcpy(&scale, (const char *)s->data + 4 * r, 4);
        for (size_t k = 0; k < q->dim[1]; k++)
            out[r * q->dim[1] + k] = scale * (float)w[r * q->dim[1] + k];
    }
    return BW_OK;
}

static bw_status fill(const bw_encoder *e, bw_params *p, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < p->n; i++) {
        const bw_tensor *t = bw_safetensors_find(e->file, p->table[i].name);
        if (t && t->dtype == BW_I8 && p->table[i].n_dims == 2)
            st = widen(e, &p->table[i], bw_param_data(p, i), err);
        else if (t && t->count == p->table[i].size)
            st = bw_tensor_to_f32(e->file, t, bw_param_data(p, i), err);
        else
            st = bw_fail(err, BW_EFORMAT, "tensor %s is missing or has another shape",
                         p->table[i].name);
    }
    return st;
}

static bw_status load_deep(bw_encoder *e, bw_err *err) {
    bw_tf_config config;
    const bw_tensor *marks;
    bw_status st =
        bw_deep_config_parse(bw_safetensors_meta(e->file, "config"), &config, &e->table.sets, err);
    if (st == BW_OK)
        st = want(e, "ngram.marks", BW_U8, BW_GRAM_WAYS * e->table.sets, &marks, err);
    if (st != BW_OK)
        return st;
    e->table.mark = marks->data;
    st = bw_transformer_new(&config, &e->tf, err);
    if (st == BW_OK)
        st = bw_readout_new(&e->heads, config.dim, err);
    if (st == BW_OK)
        st = fill(e, bw_transformer_params(e->tf), err);
    if (st == BW_OK)
        st = fill(e, &e->heads.params, err);
    return st == BW_OK ? bw_infer_new(e->tf, BW_PACK_INT8, &e->infer, err) : st;
}

static bw_status load_tokenizer(bw_encoder *e, const char *name, bw_err *err) {
    const bw_tensor *t = bw_safetensors_find(e->file, "tokenizer.json");
    if (!t || t->dtype != BW_U8)
        return bw_fail(err, BW_EFORMAT, "tokenizer.json is missing");
    return bw_tokenizer_parse(t->data, t->count, name, &e->tokenizer, err);
}

static bw_status load(bw_encoder *e, const char *name, bw_err *err) {
    bw_status st = load_tokenizer(e, name, err);
    if (st == BW_OK)
        st = load_deep(e, err);
    if (st == BW_OK && bw_tokenizer_size(e->tokenizer) != bw_transformer_config(e->tf)->vocab)
        st = bw_fail(err, BW_EFORMAT, "the vocabulary does not fit the token embeddings");
    if (st == BW_OK)
        st = bw_wide_from(e->file, &e->wide, err);
    if (st == BW_OK)
        st = bw_bag_from(e->file, bw_tokenizer_size(e->tokenizer), &e->bag, err);
    if (st == BW_OK)
        st =
            bw_calibration_parse(bw_safetensors_meta(e->file, "calibration"), &e->calibration, err);
    const char *id = bw_safetensors_meta(e->file, "id");
    snprintf(e->id, sizeof e->id, "%s", id ? id : "unnamed");
    return st == BW_OK ? st : bw_fail_prefix(err, st, name);
}

static bw_status open_file(const char *path, bw_safetensors **f, bw_err *err) {
    if (path)
        return bw_safetensors_open(path, f, err);
    size_t len;
    const void *data = bw_embed(SHIPPED, &len);
    if (!data)
        return bw_fail(err, BW_EDATA, "this program was built without %s; name a weights file",
                       SHIPPED);
    return bw_safetensors_from_memory(SHIPPED, data, len, f, err);
}

bw_status bw_encoder_open(const char *path, bw_encoder **out, bw_err *err) {
    *out = NULL;
    bw_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return bw_fail_memory(err);
    bw_status st = open_file(path, &e->file, err);
    if (st == BW_OK)
        st = load(e, path ? path : SHIPPED, err);
    if (st != BW_OK) {
        bw_encoder_free(e);
        e = NULL;
    }
    *out = e;
    return st;
}

void bw_encoder_free(bw_encoder *e) {
    if (!e)
        return;
    bw_infer_free(e->infer);
    bw_transformer_free(e->tf);
    bw_readout_free(&e->heads);
    bw_tokenizer_free(e->tokenizer);
    bw_bag_free(&e->bag);
    bw_safetensors_free(e->file);
    free(e);
}

static bw_encoder *shipped;
static bw_err shipped_error;

static void open_shipped(void) {
    bw_encoder_open(NULL, &shipped, &shipped_error);
}

const bw_encoder *bw_encoder_shipped(bw_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_shipped);
    if (!shipped && err)
        *err = shipped_error;
    return shipped;
}

const char *bw_encoder_id(const bw_encoder *e) {
    return e->id;
}

size_t bw_encoder_dim(const bw_encoder *e) {
    return e->bag.dim;
}

/* ---- scoring one text ---- */

typedef struct {
    bw_inputs in;
    bw_grams distinct;
    float *hidden;
    size_t cap;
} scratch;

static void scratch_free(scratch *s) {
    bw_inputs_free(&s->in);
    bw_grams_free(&s->distinct);
    free(s->hidden);
}

static bw_reader reader_of(const bw_encoder *e) {
    return (bw_reader){e->tokenizer, e->table, BW_MAX_UNITS};
}

static bw_status read_text(const bw_encoder *e, scratch *s, const char *text, bw_err *err) {
    bw_reader r = reader_of(e);
    bw_inputs_clear(&s->in);
    bw_status st = bw_inputs_add(&s->in, &r, text, MAX_TOKENS, err);
    if (st == BW_OK)
        st = bw_grams_extract(&s->distinct, &s->in.units, true, err);
    size_t need = s->in.n_tokens * e->heads.dim;
    if (st == BW_OK && need > s->cap) {
        free(s->hidden);
        s->hidden = malloc(need * sizeof(float));
        s->cap = s->hidden ? need : 0;
        if (!s->hidden)
            return bw_fail_memory(err);
    }
    return st;
}

static bw_status run_deep(const bw_encoder *e, scratch *s, bw_err *err) {
    bw_batch batch = bw_inputs_batch(&s->in);
    return bw_infer_run(e->infer, &batch, s->hidden, err);
}

static void raw_scores(const bw_encoder *e, const scratch *s, bw_raw_score *out) {
    bw_span_read r = {.first = 1, .n = s->in.n_tokens - 1};
    bw_wide_value(&e->wide, &s->distinct, out->wide);
    if (r.n)
        bw_readout_read(&e->heads, s->hidden, &r);
    memcpy(out->deep, r.sentiment, sizeof out->deep);
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static void softmax3(const double z[3], float p[3]) {
    double top = fmax(z[0], fmax(z[1], z[2])), sum = 0, x[3];
    for (int k = 0; k < 3; k++)
        sum += x[k] = exp(z[k] - top);
    for (int k = 0; k < 3; k++)
        p[k] = (float)(x[k] / sum);
}

static void calibrate(const bw_calibration *c, bool zh, const bw_raw_score *raw,
                      bw_text_score *out) {
    double wide[3] = {-raw->wide[0], raw->wide[1], raw->wide[0]}, z[3], stars = 1;
    float p[3];
    for (int k = 0; k < 3; k++)
        z[k] = c->deep_scale[zh] * raw->deep[k] + c->wide_scale[zh] * wide[k] + c->bias[zh][k];
    softmax3(z, p);
    for (int k = 0; k < 4; k++)
        stars += sigmoid(c->stars_slope * (z[2] - z[0]) - c->stars_threshold[k]);
    out->negative = p[0];
    out->neutral = p[1];
    out->positive = p[2];
    out->stars = (float)stars;
}

/* Tokens of the sentence at bytes [begin, end): from *first on, how many. */
static size_t sentence_tokens(const bw_inputs *in, size_t begin, size_t end, size_t *first) {
    size_t n = 0;
    *first = 0;
    for (size_t i = 1; i < in->n_tokens; i++)
        if (in->span[i].end > begin && in->span[i].start < end) {
            *first = n ? *first : i;
            n = i - *first + 1;
        }
    return n;
}

static void take_aspects(const bw_encoder *e, const bw_span_read *r, uint32_t begin, uint32_t end,
                         bw_text_score *out) {
    for (size_t a = 0; a < BW_N_ASPECTS; a++) {
        float mentioned = (float)sigmoid(r->mention[a] + e->calibration.mention_bias[a]), p[3];
        if (mentioned <= out->aspect[a].mentioned)
            continue;
        double z[3] = {r->polarity[a][0], r->polarity[a][1], r->polarity[a][2]};
        softmax3(z, p);
        out->aspect[a] = (bw_aspect_score){mentioned, p[0], p[1], p[2], begin, end};
    }
}

static void score_aspects(const bw_encoder *e, const scratch *s, const char *text,
                          bw_text_score *out) {
    size_t at = 0, n;
    const char *sentence;
    while ((n = bw_text_sentence(text, &at, &sentence)) > 0) {
        size_t begin = (size_t)(sentence - text);
        bw_span_read r = {.want_aspects = true};
        r.n = sentence_tokens(&s->in, begin, begin + n, &r.first);
        if (r.n == 0)
            continue;
        bw_readout_read(&e->heads, s->hidden, &r);
        take_aspects(e, &r, (uint32_t)begin, (uint32_t)(begin + n), out);
    }
}

static bw_status score_text(const bw_encoder *e, scratch *s, const char *text, bw_text_score *out,
                            float *vector, bw_err *err) {
    bw_status st = read_text(e, s, text, err);
    if (st != BW_OK)
        return st;
    if (vector)
        bw_bag_embed(&e->bag, s->in.id + 1, s->in.n_tokens - 1, vector);
    if (!out)
        return BW_OK;
    if ((st = run_deep(e, s, err)) != BW_OK)
        return st;
    bw_raw_score raw;
    raw_scores(e, s, &raw);
    *out = (bw_text_score){.tokens = (uint32_t)(s->in.n_tokens - 1 + s->in.cut),
                           .truncated = s->in.cut > 0};
    calibrate(&e->calibration, bw_text_language(text)[0] == 'z', &raw, out);
    score_aspects(e, s, text, out);
    return BW_OK;
}

/* ---- scoring many ---- */

bw_status bw_encoder_score(const bw_encoder *e, const char *const *texts, size_t n,
                           bw_text_score *out, float *vectors, bw_err *err) {
    bw_status result = BW_OK;
#pragma omp parallel if (n > 1)
    {
        scratch s = {0};
        bw_err mine = {{0}};
#pragma omp for schedule(dynamic, 8)
        for (size_t i = 0; i < n; i++) {
            bw_status st = score_text(e, &s, texts[i], out ? &out[i] : NULL,
                                      vectors ? vectors + i * e->bag.dim : NULL, &mine);
            if (st != BW_OK) {
#pragma omp critical
                {
                    result = st;
                    if (err)
                        *err = mine;
                }
            }
        }
        scratch_free(&s);
    }
    return result;
}

bw_status bw_encoder_raw(const bw_encoder *e, const char *const *texts, size_t n, bw_raw_score *out,
                         bw_err *err) {
    bw_status result = BW_OK;
#pragma omp parallel if (n > 1)
    {
        scratch s = {0};
        bw_err mine = {{0}};
#pragma omp for schedule(dynamic, 8)
        for (size_t i = 0; i < n; i++) {
            bw_status st = read_text(e, &s, texts[i], &mine);
            if (st == BW_OK)
                st = run_deep(e, &s, &mine);
            if (st == BW_OK)
                raw_scores(e, &s, &out[i]);
            if (st != BW_OK) {
#pragma omp critical
                {
                    result = st;
                    if (err)
                        *err = mine;
                }
            }
        }
        scratch_free(&s);
    }
    return result;
}

bw_status bw_encoder_term(const bw_encoder *e, const char *text, size_t begin, size_t end,
                          float p[3], bw_err *err) {
    scratch s = {0};
    bw_status st = read_text(e, &s, text, err);
    if (st == BW_OK)
        st = run_deep(e, &s, err);
    if (st == BW_OK) {
        size_t first, n = sentence_tokens(&s.in, begin, end, &first);
        float z[3] = {0};
        if (n)
            bw_readout_term(&e->heads, s.hidden, 1, s.in.n_tokens - 1, first, n, z);
        softmax3((double[3]){z[0], z[1], z[2]}, p);
    }
    scratch_free(&s);
    return st;
}

bw_status bw_encoder_words(const bw_encoder *e, const char *text, bw_word **words, size_t *n,
                           bw_err *err) {
    scratch s = {0};
    *n = 0;
    *words = NULL;
    bw_status st = read_text(e, &s, text, err);
    if (st == BW_OK && !(*words = malloc((s.in.n_tokens + 1) * sizeof **words)))
        st = bw_fail_memory(err);
    for (size_t i = 1; st == BW_OK && i < s.in.n_tokens; i++) {
        bw_span p = s.in.span[i];
        bw_word *last = *n ? &(*words)[*n - 1] : NULL;
        if (last && p.start < last->end) /* another token of the same word */
            last->end = p.end > last->end ? p.end : last->end;
        else if (p.end > p.start)
            (*words)[(*n)++] = (bw_word){p.start, p.end};
    }
    scratch_free(&s);
    return st;
}
