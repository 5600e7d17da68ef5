/* model/train/cmd_eval.c - `bellwether eval`: how good the encoder is on a labelled table. */
#include "model/train/train_cmd.h"

#include "model/train/corpus.h"
#include "model/shipped/encoder.h"
#include "model/train/metrics.h"
#include "model/core/rng.h"
#include "model/shipped/text.h"
#include "model/shipped/topics.h"
#include "model/train/cmd_eval_text.h"
#include "model/train/eval.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add_number(cJSON *j, const char *name, double x) {
    cJSON_AddItemToObject(
        j, name, isfinite(x) ? cJSON_CreateNumber(round(x * 1e6) / 1e6) : cJSON_CreateNull());
}

/* Keeps the rows of c that the predicate and the parts take; returns their number. */
static size_t select_rows(bw_corpus *c, unsigned parts, bool (*take)(const bw_row *)) {
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if ((c->row[i].part & parts) && take(&c->row[i]))
            c->row[n++] = c->row[i];
    return c->n = n;
}

/* ---- intervals ---- */

#define RESAMPLES 1000

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void add_interval(cJSON *j, const char *name, double *values) {
    const double ends[2] = {values[RESAMPLES / 40], values[RESAMPLES - 1 - RESAMPLES / 40]};
    cJSON *list = cJSON_AddArrayToObject(j, name);
    for (int i = 0; i < 2; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(round(ends[i] * 1e4) / 1e4));
}

/* 95 % intervals of accuracy and macro-F1 by the percentile bootstrap (Efron & Tibshirani 1993). */
static bw_status add_intervals(const int32_t *label, const int32_t *said, size_t n, cJSON *j,
                               bw_err *err) {
    int32_t *a = malloc((n + 1) * sizeof *a), *b = malloc((n + 1) * sizeof *b);
    double accuracy[RESAMPLES], f1[RESAMPLES];
    bw_rng rng = bw_rng_seed(1);
    for (size_t r = 0; a && b && r < RESAMPLES; r++) {
        for (size_t i = 0; i < n; i++) {
            size_t k = bw_rng_below(&rng, n);
            a[i] = label[k];
            b[i] = said[k];
        }
        accuracy[r] = bw_accuracy(a, b, n);
        f1[r] = bw_macro_f1(a, b, n, 3);
    }
    bw_status st = a && b ? BW_OK : bw_fail_memory(err);
    free(a);
    free(b);
    if (st == BW_OK && n) {
        qsort(accuracy, RESAMPLES, sizeof *accuracy, by_size);
        qsort(f1, RESAMPLES, sizeof *f1, by_size);
        add_interval(j, "accuracy_95", accuracy);
        add_interval(j, "macro_f1_95", f1);
    }
    return st;
}

/* ---- sentiment ---- */

static bool has_polarity(const bw_row *r) {
    return r->label != BW_UNLABELLED;
}

/* Probabilities to class and confidence; two-class files compare positive with negative alone. */
static int decide(const bw_text_score *s, bool two_class, double *confidence, double *score) {
    double pair = (double)s->negative + (double)s->positive;
    double p = pair > 0 ? (double)s->positive / pair : 0.5;
    *score = p;
    if (two_class) {
        *confidence = p > 0.5 ? p : 1 - p;
        return p > 0.5 ? BW_POSITIVE : BW_NEGATIVE;
    }
    int k = s->positive > s->negative ? BW_POSITIVE : BW_NEGATIVE;
    float top = k == BW_POSITIVE ? s->positive : s->negative;
    *score = (double)s->positive - (double)s->negative;
    *confidence = (double)fmaxf(top, s->neutral);
    return s->neutral > top ? BW_NEUTRAL : k;
}

typedef struct {
    int32_t *label, *said;
    double *confidence, *score;
    int32_t *right, *positive;
    bw_text_score *text;
    const char **texts;
} tables;

static void tables_free(tables *t) {
    free(t->label);
    free(t->said);
    free(t->confidence);
    free(t->score);
    free(t->right);
    free(t->positive);
    free(t->text);
    free(t->texts);
}

static bw_status tables_new(tables *t, size_t n, bw_err *err) {
    *t = (tables){calloc(n + 1, sizeof(int32_t)),       calloc(n + 1, sizeof(int32_t)),
                  calloc(n + 1, sizeof(double)),        calloc(n + 1, sizeof(double)),
                  calloc(n + 1, sizeof(int32_t)),       calloc(n + 1, sizeof(int32_t)),
                  calloc(n + 1, sizeof(bw_text_score)), calloc(n + 1, sizeof(char *))};
    bool ok = t->label && t->said && t->confidence && t->score && t->right && t->positive &&
              t->text && t->texts;
    if (!ok)
        tables_free(t);
    return ok ? BW_OK : bw_fail_memory(err);
}

/* AUC of positive against negative rows; neutral ones take no part. */
static double polar_auc(const tables *t, size_t n) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (t->label[i] != BW_NEUTRAL) {
            t->positive[k] = t->label[i] == BW_POSITIVE;
            t->score[k++] = t->score[i];
        }
    return bw_roc_auc(t->positive, t->score, k);
}

static bw_status eval_sentiment(const bw_encoder *e, bw_corpus *c, unsigned parts, cJSON *j,
                                bw_err *err) {
    tables t;
    size_t n = select_rows(c, parts, has_polarity), tokens = 0, cut = 0;
    bw_status st = tables_new(&t, n, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        t.texts[i] = c->row[i].text;
    double begin = now();
    st = bw_encoder_score(e, t.texts, n, t.text, NULL, err);
    double seconds = now() - begin;
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        t.label[i] = c->row[i].label;
        t.said[i] = decide(&t.text[i], c->two_class, &t.confidence[i], &t.score[i]);
        t.right[i] = t.said[i] == t.label[i];
        tokens += t.text[i].tokens;
        cut += t.text[i].truncated;
    }
    if (st == BW_OK) {
        cJSON_AddNumberToObject(j, "n", (double)n);
        add_number(j, "accuracy", bw_accuracy(t.label, t.said, n));
        add_number(j, "macro_f1", bw_macro_f1(t.label, t.said, n, 3));
        add_number(j, "ece", bw_calibration_error(t.confidence, t.right, n, BW_CALIBRATION_BINS));
        add_number(j, "auc", polar_auc(&t, n));
        add_number(j, "seconds", seconds);
        add_number(j, "tokens_per_second", (double)tokens / seconds);
        cJSON_AddNumberToObject(j, "truncated", (double)cut);
        add_number(j, "reviews_per_second", (double)n / seconds);
        st = add_intervals(t.label, t.said, n, j, err);
    }
    tables_free(&t);
    return st;
}

/* ---- similarity ---- */

static bool is_pair(const bw_row *r) {
    return r->text2 && (!isnan(r->score) || r->label != BW_UNLABELLED);
}

static bw_status eval_similarity(const bw_encoder *e, bw_corpus *c, unsigned parts, cJSON *j,
                                 bw_err *err) {
    size_t n = select_rows(c, parts, is_pair), dim = bw_encoder_dim(e);
    const char **texts = calloc(2 * n + 1, sizeof *texts);
    float *v = malloc((2 * n + 1) * dim * sizeof *v);
    double *cosine = calloc(n + 1, sizeof *cosine), *score = calloc(n + 1, sizeof *score);
    bw_status st = texts && v && cosine && score ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        texts[2 * i] = c->row[i].text;
        texts[2 * i + 1] = c->row[i].text2;
    }
    double begin = now();
    if (st == BW_OK)
        st = bw_encoder_score(e, texts, 2 * n, NULL, v, err);
    double seconds = now() - begin;
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        for (size_t k = 0; k < dim; k++)
            cosine[i] += (double)(v[2 * i * dim + k] * v[(2 * i + 1) * dim + k]);
        score[i] =
            isnan(c->row[i].score) ? c->row[i].label == BW_POSITIVE : (double)c->row[i].score;
    }
    if (st == BW_OK) {
        cJSON_AddNumberToObject(j, "n", (double)n);
        add_number(j, "spearman", bw_spearman(cosine, score, n));
        add_number(j, "pearson", bw_pearson(cosine, score, n));
        add_number(j, "seconds", seconds);
    }
    free(texts);
    free(v);
    free(cosine);
    free(score);
    return st;
}

/* ---- aspects ---- */

static bool has_aspect(const bw_row *r) {
    return r->label != BW_UNLABELLED &&
           ((r->aspect && *r->aspect && strcmp(r->aspect, "NULL")) || r->category);
}

static const char *find_term(const char *text, const char *term) {
    size_t n = term ? strlen(term) : 0;
    for (const char *p = text; n && *p; p++)
        if (!strncasecmp(p, term, n))
            return p;
    return NULL;
}

/* Polarity of one row: by the term's own words when it stands in the text, else by its aspect. */
static bw_status row_polarity(const bw_encoder *e, const bw_row *r, const bw_text_score *s,
                              float p[3], bw_err *err) {
    const char *at = find_term(r->text, r->aspect);
    if (at)
        return bw_encoder_term(e, r->text, (size_t)(at - r->text),
                               (size_t)(at - r->text) + strlen(r->aspect), p, err);
    int a = bw_row_aspect(r);
    const bw_aspect_score *x = &s->aspect[a < 0 ? BW_OTHER : a];
    p[0] = x->negative;
    p[1] = x->neutral;
    p[2] = x->positive;
    return BW_OK;
}

static int largest(const float p[3]) {
    int k = p[1] > p[0] ? 1 : 0;
    return p[2] > p[k] ? 2 : k;
}

/* Detection over whole texts: rows of one text stand together. */
static double detection_f1(const bw_corpus *c, const tables *t) {
    size_t hit = 0, said = 0, real = 0;
    for (size_t i = 0, j; i < c->n; i = j) {
        unsigned named = 0;
        for (j = i; j < c->n && !strcmp(c->row[j].text, c->row[i].text); j++) {
            int a = bw_row_aspect(&c->row[j]);
            if (a >= 0 && a != BW_OTHER)
                named |= 1u << a;
        }
        for (int a = 0; a < BW_OTHER; a++) {
            bool is = named >> a & 1u, found = t->text[i].aspect[a].mentioned >= 0.5f;
            hit += is && found;
            said += found;
            real += is;
        }
    }
    return said + real ? 2.0 * (double)hit / (double)(said + real) : NAN;
}

static bw_status eval_aspects(const bw_encoder *e, bw_corpus *c, unsigned parts, cJSON *j,
                              bw_err *err) {
    tables t;
    size_t n = select_rows(c, parts, has_aspect);
    bw_status st = tables_new(&t, n, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        t.texts[i] = c->row[i].text;
    double begin = now();
    st = bw_encoder_score(e, t.texts, n, t.text, NULL, err);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        float p[3];
        st = row_polarity(e, &c->row[i], &t.text[i], p, err);
        if (c->two_class)
            p[1] = -1;
        t.label[i] = c->row[i].label;
        t.said[i] = st == BW_OK ? largest(p) : 0;
    }
    if (st == BW_OK) {
        cJSON_AddNumberToObject(j, "n", (double)n);
        add_number(j, "accuracy", bw_accuracy(t.label, t.said, n));
        add_number(j, "macro_f1", bw_macro_f1(t.label, t.said, n, 3));
        add_number(j, "detection_f1", detection_f1(c, &t));
        add_number(j, "seconds", now() - begin);
        st = add_intervals(t.label, t.said, n, j, err);
    }
    tables_free(&t);
    return st;
}

/* ---- topics ---- */

static const char *class_of(const bw_row *r) {
    return r->category ? r->category : r->tag;
}

static bool has_class(const bw_row *r) {
    return class_of(r) != NULL && *class_of(r);
}

static size_t number_classes(const bw_corpus *c, int32_t *label) {
    size_t k = 0;
    const char *names[512];
    for (size_t i = 0; i < c->n; i++) {
        size_t a = 0;
        while (a < k && strcmp(names[a], class_of(&c->row[i])))
            a++;
        if (a == k && k < 512)
            names[k++] = class_of(&c->row[i]);
        label[i] = (int32_t)(a < 511 ? a : 511);
    }
    return k;
}

static bw_status eval_topics(const bw_encoder *e, bw_corpus *c, unsigned parts, cJSON *j,
                             bw_err *err) {
    size_t n = select_rows(c, parts, has_class), dim = bw_encoder_dim(e);
    const char **texts = calloc(n + 1, sizeof *texts);
    int32_t *label = calloc(n + 1, sizeof *label);
    float *v = malloc((n + 1) * dim * sizeof *v);
    bw_topics t = {0};
    bw_status st = texts && label && v ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        texts[i] = c->row[i].text;
    if (st == BW_OK)
        st = bw_encoder_score(e, texts, n, NULL, v, err);
    size_t k = st == BW_OK ? number_classes(c, label) : 0;
    if (st == BW_OK)
        st = bw_topics_find(v, n, dim, k, NULL, 0, 1, &t, err);
    if (st == BW_OK) {
        cJSON_AddNumberToObject(j, "n", (double)n);
        cJSON_AddNumberToObject(j, "clusters", (double)k);
        add_number(j, "nmi", bw_nmi(t.member, label, n));
        add_number(j, "purity", bw_purity(t.member, label, n));
        st = bw_eval_topics_baseline(texts, n, label, k, j, err);
    }
    bw_topics_free(&t);
    free(texts);
    free(label);
    free(v);
    return st;
}

/* ---- the command ---- */

typedef bw_status (*eval_fn)(const bw_encoder *, bw_corpus *, unsigned, cJSON *, bw_err *);
static const struct {
    const char *name;
    eval_fn run;
} TASKS[] = {{"sentiment", eval_sentiment},
             {"similarity", eval_similarity},
             {"aspects", eval_aspects},
             {"topics", eval_topics}};

static void print_result(const cJSON *j, bool json) {
    if (json) {
        char *text = cJSON_PrintUnformatted(j);
        puts(text ? text : "{}");
        free(text);
        return;
    }
    const cJSON *x;
    cJSON_ArrayForEach(x, j) {
        if (cJSON_IsNumber(x))
            printf("%-20s %.6g\n", x->string, x->valuedouble);
        else if (cJSON_IsArray(x))
            printf("%-20s %.4g .. %.4g\n", x->string, cJSON_GetArrayItem(x, 0)->valuedouble,
                   cJSON_GetArrayItem(x, 1)->valuedouble);
        else
            printf("%-20s -\n", x->string);
    }
}

static bw_status run_task(eval_fn task, const char *weights, const char *path, const char *split,
                          bool json, bw_err *err) {
    bw_corpus c = {0};
    bw_encoder *e = NULL;
    unsigned parts;
    cJSON *j = cJSON_CreateObject();
    bw_status st = j ? bw_parts_parse(split, &parts, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_corpus_read(path, &c, err);
    if (st == BW_OK)
        st = bw_encoder_open(weights, &e, err);
    if (st == BW_OK)
        st = task(e, &c, parts, j, err);
    if (st == BW_OK && cJSON_GetNumberValue(cJSON_GetObjectItem(j, "n")) < 1)
        st = bw_fail(err, BW_EDATA, "%s has no labelled row in part '%s' for this task", path,
                     split);
    if (st == BW_OK)
        print_result(j, json);
    cJSON_Delete(j);
    bw_corpus_free(&c);
    bw_encoder_free(e);
    return st;
}

bw_status bw_cmd_eval(int argc, char **argv, bw_err *err) {
    if (argc > 1 && !strcmp(argv[1], "text"))
        return bw_cmd_eval_text(argc - 1, argv + 1, err);
    if (argc > 1 && !strcmp(argv[1], "perplexity"))
        return bw_cmd_eval_perplexity(argc - 1, argv + 1, err);
    const char *split = "test", *weights = NULL;
    bool json = false;
    const bw_option options[] = {
        {"split", 0, BW_OPT_TEXT, &split, "PART", "train, dev, test (default) or all"},
        {"weights", 0, BW_OPT_TEXT, &weights, "FILE",
         "weights other than those that come with the program"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {
        "eval sentiment|similarity|aspects|topics FILE.tsv[.gz] [options]",
        "Measures the language model on a labelled table: sentiment (accuracy, "
        "macro-F1, AUC, calibration error), "
        "similarity of pairs (Spearman, Pearson), polarity and detection of "
        "aspects, topics against labelled classes. 'eval text' judges generated "
        "texts (BLEU, chrF, ROUGE), 'eval perplexity' a generator; each has its "
        "own --help.",
        "  bellwether eval sentiment en_sst2.tsv.gz --split test --json\n"
        "  bellwether eval similarity en_stsb.tsv.gz\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 2)
        return bw_fail(err, BW_EUSAGE,
                       "eval: wants a task and a file; see 'bellwether eval --help'");
    for (size_t i = 0; i < sizeof TASKS / sizeof *TASKS; i++)
        if (!strcmp(TASKS[i].name, argv[0]))
            return run_task(TASKS[i].run, weights, argv[1], split, json, err);
    return bw_fail(err, BW_EUSAGE, "eval: '%s' is none of sentiment, similarity, aspects, topics",
                   argv[0]);
}
