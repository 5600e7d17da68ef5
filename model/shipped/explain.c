/* model/shipped/explain.c - occlusion: all variants of the text are scored in one batch. */
#include "model/shipped/explain.h"

#include "model/shipped/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MANY 150 /* words; beyond, sentences */

static bw_status sentences(const char *text, bw_word **out, size_t *n, bw_err *err) {
    size_t at = 0, cap = 0;
    const char *s;
    *n = 0;
    *out = NULL;
    for (size_t len; (len = bw_text_sentence(text, &at, &s)) > 0;) {
        if (*n == cap) {
            cap = 2 * cap + 64;
            bw_word *p = realloc(*out, cap * sizeof *p);
            if (!p)
                return bw_fail_memory(err);
            *out = p;
        }
        size_t begin = (size_t)(s - text);
        (*out)[(*n)++] = (bw_word){(uint32_t)begin, (uint32_t)(begin + len)};
    }
    return BW_OK;
}

/* The text without [begin, end). */
static char *without(const char *text, const bw_word *w) {
    size_t len = strlen(text), gap = w->end - w->begin;
    char *p = malloc(len + 1);
    if (!p)
        return NULL;
    memcpy(p, text, w->begin);
    memcpy(p + w->begin, text + w->end, len - w->end + 1);
    p[len - gap] = '\0';
    return p;
}

static int by_effect(const void *a, const void *b) {
    const bw_cue *x = a, *y = b;
    float ex = fabsf(x->effect), ey = fabsf(y->effect);
    if (ex != ey)
        return ex < ey ? 1 : -1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static float sentiment(const bw_text_score *s) {
    return s->positive - s->negative;
}

static bw_status occlude(const bw_encoder *e, const char *text, const bw_word *words, size_t n,
                         bw_text_score *whole, bw_cue *cues, bw_err *err) {
    char **variant = calloc(n + 1, sizeof *variant);
    bw_text_score *score = calloc(n + 1, sizeof *score);
    bw_status st = variant && score ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        if (!(variant[i] = without(text, &words[i])))
            st = bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_encoder_score(e, &text, 1, whole, NULL, err);
    if (st == BW_OK)
        st = bw_encoder_score(e, (const char *const *)variant, n, score, NULL, err);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        cues[i] = (bw_cue){words[i].begin, words[i].end, sentiment(whole) - sentiment(&score[i])};
    for (size_t i = 0; variant && i < n; i++)
        free(variant[i]);
    free(variant);
    free(score);
    return st;
}

bw_status bw_explain(const bw_encoder *e, const char *text, bw_text_score *whole, bw_cue **cues,
                     size_t *n, bw_err *err) {
    bw_word *words;
    *cues = NULL;
    bw_status st = bw_encoder_words(e, text, &words, n, err);
    if (st == BW_OK && *n > MANY) {
        free(words);
        st = sentences(text, &words, n, err);
    }
    if (st == BW_OK && !(*cues = malloc((*n + 1) * sizeof **cues)))
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = occlude(e, text, words, *n, whole, *cues, err);
    if (st == BW_OK)
        qsort(*cues, *n, sizeof **cues, by_effect);
    else {
        free(*cues);
        *cues = NULL;
    }
    free(words);
    return st;
}

static double rounded(float x) {
    return round(1e4 * (double)x) / 1e4;
}

char *bw_explain_json(const bw_encoder *e, const char *text, size_t top, bw_err *err) {
    bw_text_score s;
    bw_cue *cues;
    size_t n;
    if (bw_explain(e, text, &s, &cues, &n, err) != BW_OK)
        return NULL;
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "sentiment", rounded(sentiment(&s)));
    cJSON_AddNumberToObject(j, "negative", rounded(s.negative));
    cJSON_AddNumberToObject(j, "neutral", rounded(s.neutral));
    cJSON_AddNumberToObject(j, "positive", rounded(s.positive));
    cJSON_AddNumberToObject(j, "stars", rounded(s.stars));
    cJSON *list = cJSON_AddArrayToObject(j, "words");
    for (size_t i = 0; i < n && i < top; i++) {
        char *word = strndup(text + cues[i].begin, cues[i].end - cues[i].begin);
        cJSON *w = cJSON_CreateObject();
        cJSON_AddStringToObject(w, "word", word ? word : "");
        cJSON_AddNumberToObject(w, "effect", rounded(cues[i].effect));
        cJSON_AddItemToArray(list, w);
        free(word);
    }
    char *out = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    free(cues);
    if (!out)
        bw_fail_memory(err);
    return out;
}
