/* model/train/eval_baseline.c - TF-IDF and k-means, the plain way to find topics. */
#include "model/train/eval.h"

#include "model/train/metrics.h"
#include "model/shipped/ngram.h"
#include "model/shipped/topics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIM     512
#define BUCKETS 65536 /* for document frequencies */

typedef struct {
    bw_units u;
    bw_grams g;
    uint32_t *df;
    size_t n;
} tfidf;

static bool is_term(const tfidf *t, const bw_gram *g) {
    bw_unit_kind kind = t->u.unit[g->unit].kind;
    return (kind == BW_UNIT_WORD && g->order == 1) || (kind == BW_UNIT_HAN && g->order == 2);
}

static bw_status read_text(tfidf *t, const char *text, bw_err *err) {
    bw_status st = bw_units_split(&t->u, text, strlen(text), 0, err);
    return st == BW_OK ? bw_grams_extract(&t->g, &t->u, true, err) : st;
}

static bw_status count(tfidf *t, const char *const *texts, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < t->n; i++) {
        st = read_text(t, texts[i], err);
        for (size_t k = 0; st == BW_OK && k < t->g.n; k++)
            if (is_term(t, &t->g.gram[k]))
                t->df[t->g.gram[k].hash % BUCKETS]++;
    }
    return st;
}

/* Each term adds its weight to eight dimensions chosen, with signs, by its hash (random indexing). */
static bw_status embed(tfidf *t, const char *text, float *v, bw_err *err) {
    bw_status st = read_text(t, text, err);
    double sq = 0;
    memset(v, 0, DIM * sizeof *v);
    for (size_t k = 0; st == BW_OK && k < t->g.n; k++) {
        if (!is_term(t, &t->g.gram[k]))
            continue;
        uint64_t h = t->g.gram[k].hash;
        float w = logf((float)(t->n + 1) / (float)(t->df[h % BUCKETS] + 1));
        for (int r = 0; r < 8; r++, h = bw_mix64(h + 1))
            v[h % DIM] += h >> 40 & 1 ? w : -w;
    }
    for (size_t i = 0; i < DIM; i++)
        sq += (double)v[i] * v[i];
    for (size_t i = 0; sq > 0 && i < DIM; i++)
        v[i] = (float)(v[i] / sqrt(sq));
    return st;
}

bw_status bw_eval_topics_baseline(const char *const *texts, size_t n, const int32_t *label,
                                  size_t k, cJSON *j, bw_err *err) {
    tfidf t = {.df = calloc(BUCKETS, sizeof *t.df), .n = n};
    float *v = malloc((n + 1) * DIM * sizeof *v);
    bw_topics topics = {0};
    bw_status st = t.df && v ? count(&t, texts, err) : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = embed(&t, texts[i], v + i * DIM, err);
    if (st == BW_OK)
        st = bw_topics_find(v, n, DIM, k, NULL, 0, 1, &topics, err);
    if (st == BW_OK) {
        cJSON_AddNumberToObject(j, "tfidf_nmi", bw_nmi(topics.member, label, n));
        cJSON_AddNumberToObject(j, "tfidf_purity", bw_purity(topics.member, label, n));
    }
    bw_topics_free(&topics);
    bw_units_free(&t.u);
    bw_grams_free(&t.g);
    free(t.df);
    free(v);
    return st;
}
