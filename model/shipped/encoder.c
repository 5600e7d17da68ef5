/* model/shipped/encoder.c - loading the shipped file and scoring with it.
 *
 * Per text: units, their n-grams and tokens (model/shipped/inputs.h); hidden states by the frozen encoder in
 * int8 (model/infer/infer.h); heads over the whole text for sentiment, and over each sentence for aspects;
 * the wide path; calibration. Texts are shared out to threads one by one. */
#include "model/shipped/encoder.h"

#include "model/infer/infer.h"
#include "model/shipped/parts.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS 256 /* that the transformer reads of a text */
#define WORD_BONUS 7.0 /* added to a mention's logit where a word of the aspect stands */

struct bw_encoder {
    bw_parts p; /* its transformer holds the embedding tables; the layers are packed in infer */
    bw_infer *infer;
};

/* ---- loading ---- */

bw_status bw_encoder_open(const char *path, bw_encoder **out, bw_err *err) {
    *out = NULL;
    bw_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return bw_fail_memory(err);
    bw_status st = bw_parts_open(path, &e->p, err);
    if (st == BW_OK)
        st = bw_infer_new(e->p.deep.tf, BW_PACK_INT8, &e->infer, err);
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
    bw_parts_free(&e->p);
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
    return e->p.id;
}

size_t bw_encoder_dim(const bw_encoder *e) {
    return e->p.bag.dim;
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

static bw_status read_text(const bw_encoder *e, scratch *s, const char *text, bw_err *err) {
    bw_reader r = bw_deep_reader(&e->p.deep);
    r.spelling = e->p.spelling;
    bw_inputs_clear(&s->in);
    bw_status st = bw_inputs_add(&s->in, &r, text, MAX_TOKENS, err);
    if (st == BW_OK)
        st = bw_grams_extract(&s->distinct, &s->in.units, true, err);
    size_t need = s->in.n_tokens * e->p.deep.heads.dim;
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
    bw_wide_value(&e->p.wide, &s->distinct, out->wide);
    if (r.n)
        bw_readout_read(&e->p.deep.heads, s->hidden, &r);
    memcpy(out->deep, r.sentiment, sizeof out->deep);
    out->length = bw_length_feature(r.n + s->in.cut);
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
    double z[3], stars = 1;
    float p[3];
    bw_calibration_logits(c, zh, raw->length, raw->deep, raw->wide, z);
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

/* One sentence: bytes [begin, end), its tokens, what the heads say, the words that name aspects. */
typedef struct {
    size_t begin, end;
    bw_span_read read;
    bw_aspect_places words;
} sentence;

/* Polarity of aspect a: where a word names it, the mean of what is read off that word and off the
 * sentence; otherwise the sentence's alone. */
static void aspect_polarity(const bw_encoder *e, const scratch *s, const sentence *x, size_t a,
                            float p[3]) {
    double z[3] = {x->read.polarity[a][0], x->read.polarity[a][1], x->read.polarity[a][2]};
    size_t first, n = 0;
    if (x->words.found >> a & 1u)
        n = sentence_tokens(&s->in, x->begin + x->words.begin[a], x->begin + x->words.end[a],
                            &first);
    if (n) {
        float t[3];
        bw_readout_term(&e->p.deep.heads, s->hidden, x->read.first, x->read.n, first, n, t);
        for (int k = 0; k < 3; k++)
            z[k] = 0.5 * (z[k] + (double)t[k]);
    }
    softmax3(z, p);
}

/* The sentence that speaks of an aspect most stands for it. */
static void take_aspects(const bw_encoder *e, const scratch *s, const sentence *x,
                         bw_text_score *out) {
    for (size_t a = 0; a < BW_N_ASPECTS; a++) {
        double bonus = x->words.found >> a & 1u ? WORD_BONUS : 0;
        float p[3], mentioned = (float)sigmoid((double)x->read.mention[a] + bonus +
                                               e->p.calibration.mention_bias[a]);
        if (mentioned <= out->aspect[a].mentioned)
            continue;
        aspect_polarity(e, s, x, a, p);
        out->aspect[a] =
            (bw_aspect_score){mentioned, p[0], p[1], p[2], (uint32_t)x->begin, (uint32_t)x->end};
    }
}

static void score_aspects(const bw_encoder *e, const scratch *s, const char *text,
                          bw_text_score *out) {
    size_t at = 0, n;
    const char *begin;
    while ((n = bw_text_sentence(text, &at, &begin)) > 0) {
        sentence x = {.begin = (size_t)(begin - text),
                      .read = {.want_aspects = true, .aspects_alone = true}};
        x.end = x.begin + n;
        x.read.n = sentence_tokens(&s->in, x.begin, x.end, &x.read.first);
        if (x.read.n == 0)
            continue;
        x.words = bw_aspect_find(begin, n);
        bw_readout_read(&e->p.deep.heads, s->hidden, &x.read);
        take_aspects(e, s, &x, out);
    }
}

static bw_status score_text(const bw_encoder *e, scratch *s, const char *text, bw_text_score *out,
                            float *vector, bw_err *err) {
    bw_status st = read_text(e, s, text, err);
    if (st != BW_OK)
        return st;
    if (vector)
        bw_bag_embed(&e->p.bag, s->in.id + 1, s->in.n_tokens - 1, vector);
    if (!out)
        return BW_OK;
    if ((st = run_deep(e, s, err)) != BW_OK)
        return st;
    bw_raw_score raw;
    raw_scores(e, s, &raw);
    *out = (bw_text_score){.tokens = (uint32_t)(s->in.n_tokens - 1 + s->in.cut),
                           .truncated = s->in.cut > 0};
    calibrate(&e->p.calibration, bw_text_language(text)[0] == 'z', &raw, out);
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
                                      vectors ? vectors + i * e->p.bag.dim : NULL, &mine);
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
            bw_readout_term(&e->p.deep.heads, s.hidden, 1, s.in.n_tokens - 1, first, n, z);
        softmax3((double[3]){z[0], z[1], z[2]}, p);
    }
    scratch_free(&s);
    return st;
}

bw_status bw_encoder_tokens(const bw_encoder *e, const char *text, size_t *n, bw_err *err) {
    scratch s = {0};
    bw_status st = read_text(e, &s, text, err);
    *n = st == BW_OK ? s.in.n_tokens - 1 + s.in.cut : 0;
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
