/* model/shipped/encoder.h - the shipped language model: sentiment, stars, aspects and embeddings of reviews
 * and messages in English and Chinese.
 *
 * Two paths read a text: the transformer its first and last tokens in context (deep), a linear model
 * over n-grams all of it (wide). Their logits are summed with weights fitted on development rows,
 * one set per language, which also calibrates the probabilities (temperature, Guo et al. 2017).
 *
 * A loaded encoder is read-only: any number of threads may score with it. What a text scores depends
 * on that text alone, bit for bit, whatever else is scored with it, on however many threads. */
#ifndef BW_MODEL_ENCODER_H
#define BW_MODEL_ENCODER_H

#include "common/status.h"
#include "model/shipped/aspects.h"

#include <stdint.h>

typedef struct bw_encoder bw_encoder;

typedef struct {
    float mentioned;                   /* probability */
    float negative, neutral, positive; /* given the mention; sum 1 */
    uint32_t begin, end;               /* bytes of the sentence that speaks of it most */
} bw_aspect_score;

typedef struct {
    float negative, neutral, positive; /* sum 1 */
    float stars;                       /* expected, 1..5 */
    uint32_t tokens;                   /* of the whole text */
    bool truncated; /* longer than the transformer reads; the wide path read it all */
    bw_aspect_score aspect[BW_N_ASPECTS];
} bw_text_score;

/* Opens the weights at path, or those compiled in when path is NULL. On BW_OK *out is the caller's. */
bw_status bw_encoder_open(const char *path, bw_encoder **out, bw_err *err);
void bw_encoder_free(bw_encoder *e); /* NULL is fine */
/* The weights compiled in, loaded on first use and kept; NULL with err filled when that failed. */
const bw_encoder *bw_encoder_shipped(bw_err *err);

/* Names the weights ("bw-1a2b3c4d"): what rows say they were scored by. Borrowed. */
const char *bw_encoder_id(const bw_encoder *e);
/* Floats of an embedding. */
size_t bw_encoder_dim(const bw_encoder *e);

/* Scores n texts. out: [n] or NULL; vectors: [n, dim], unit length, or NULL. A text without a letter
 * is neutral to the degree that the development rows make it, and its vector is zero. */
bw_status bw_encoder_score(const bw_encoder *e, const char *const *texts, size_t n,
                           bw_text_score *out, float *vectors, bw_err *err);

/* Polarity of what is said about bytes [begin, end) of text: negative, neutral, positive. */
bw_status bw_encoder_term(const bw_encoder *e, const char *text, size_t begin, size_t end,
                          float p[3], bw_err *err);

/* How many tokens a text makes, those beyond what the transformer reads included. */
bw_status bw_encoder_tokens(const bw_encoder *e, const char *text, size_t *n, bw_err *err);

/* Bytes [begin, end) of the words as the encoder tells them apart: English words, Chinese words as the
 * vocabulary has them. *words is the caller's to free. */
typedef struct {
    uint32_t begin, end;
} bw_word;
bw_status bw_encoder_words(const bw_encoder *e, const char *text, bw_word **words, size_t *n,
                           bw_err *err);

/* The values before calibration, for fitting it: deep logits, the wide path's (s, u), the length feature
 * of model/shipped/pack.h. */
typedef struct {
    float deep[3], wide[2];
    double length;
} bw_raw_score;
bw_status bw_encoder_raw(const bw_encoder *e, const char *const *texts, size_t n, bw_raw_score *out,
                         bw_err *err);

#endif
