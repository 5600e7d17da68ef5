/* model/shipped/bag_train.c - training of the text embeddings.
 *
 * Each step takes a batch of texts cut in two (the halves belong together) and a batch of scored
 * pairs. All arithmetic is over a handful of vectors a text, so thousands of steps take minutes. There
 * are two rounds, each with its own schedule: both languages, then English alone, whose pairs are more
 * and learned more slowly, while the tokens that are more Chinese than English stay as they are. */
#include "model/shipped/bag.h"

#include "model/core/optimizer.h"
#include "model/core/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS 64   /* of one side of a pair */
#define COSENT     20.0 /* scale of the cosines (Su 2022, CoSENT) */
#define HALVES_MIN 40   /* bytes of a text that is worth cutting */

typedef struct {
    int32_t *id[2];
    size_t n[2];
    float *e[2], norm[2]; /* unit vectors and their lengths before */
    float *d[2];          /* gradient with respect to the unit vector */
    float score;
} pair;

typedef struct {
    const bw_recipe *r;
    const bw_dataset *d;
    bw_reader reader;
    bw_params p; /* 0: vectors [vocab, dim], 1: log weights [vocab] */
    bw_optimizer *opt;
    size_t vocab, dim, batch;
    uint32_t *texts, *pairs; /* example numbers */
    size_t n_texts, n_pairs;
    bw_inputs in;
    pair *pair; /* [batch] */
    float *memory;
    int32_t *ids;
    bw_rng rng;
    double temperature;
    bool english;  /* only English is drawn */
    int32_t *lean; /* [vocab] occurrences in English less those in Chinese; below 0: frozen then */
} trainer;

static bw_status tokens_of(trainer *t, const char *text, int32_t *id, size_t *n, bw_err *err) {
    bw_inputs_clear(&t->in);
    bw_status st = bw_inputs_add(&t->in, &t->reader, text, MAX_TOKENS, err);
    if (st != BW_OK)
        return st;
    *n = t->in.n_tokens - 1;
    memcpy(id, t->in.id + 1, *n * sizeof *id);
    return BW_OK;
}

/* ---- one vector ---- */

static void embed(const trainer *t, pair *p, int side) {
    const float *T = bw_param_data(&t->p, 0), *g = bw_param_data(&t->p, 1);
    float *e = p->e[side];
    memset(e, 0, t->dim * sizeof *e);
    for (size_t i = 0; i < p->n[side]; i++) {
        float w = expf(g[p->id[side][i]]);
        const float *v = T + (size_t)p->id[side][i] * t->dim;
        for (size_t k = 0; k < t->dim; k++)
            e[k] += w * v[k];
    }
    double sq = 1e-12;
    for (size_t k = 0; k < t->dim; k++)
        sq += (double)e[k] * e[k];
    p->norm[side] = (float)sqrt(sq);
    for (size_t k = 0; k < t->dim; k++)
        e[k] /= p->norm[side];
    memset(p->d[side], 0, t->dim * sizeof *e);
}

static void embed_backward(trainer *t, const pair *p, int side) {
    const float *T = bw_param_data(&t->p, 0), *g = bw_param_data(&t->p, 1), *e = p->e[side],
                *d = p->d[side];
    float *dT = bw_param_grad(&t->p, 0), *dg = bw_param_grad(&t->p, 1), along = 0, x[1024];
    for (size_t k = 0; k < t->dim; k++)
        along += d[k] * e[k];
    for (size_t k = 0; k < t->dim; k++)
        x[k] = (d[k] - along * e[k]) / p->norm[side];
    for (size_t i = 0; i < p->n[side]; i++) {
        size_t id = (size_t)p->id[side][i];
        float w = expf(g[id]), sum = 0;
        for (size_t k = 0; k < t->dim; k++) {
            dT[id * t->dim + k] += w * x[k];
            sum += T[id * t->dim + k] * x[k];
        }
        dg[id] += w * sum;
    }
}

static double cosine(const trainer *t, const float *a, const float *b) {
    double s = 0;
    for (size_t k = 0; k < t->dim; k++)
        s += (double)a[k] * b[k];
    return s;
}

static void add_scaled(float *y, const float *x, double a, size_t n) {
    for (size_t k = 0; k < n; k++)
        y[k] += (float)a * x[k];
}

/* ---- losses over the batch ---- */

/* Each left half should find its right half among all right halves. */
static double contrast(trainer *t, size_t n) {
    double sum = 0, z[512];
    for (size_t i = 0; i < n; i++) {
        double top = -1e9, all = 0;
        for (size_t j = 0; j < n; j++) {
            z[j] = cosine(t, t->pair[i].e[0], t->pair[j].e[1]) / t->temperature;
            top = fmax(top, z[j]);
        }
        for (size_t j = 0; j < n; j++)
            all += exp(z[j] - top);
        sum += top + log(all) - z[i];
        for (size_t j = 0; j < n; j++) {
            double d = (exp(z[j] - top) / all - (i == j)) / (t->temperature * (double)n);
            add_scaled(t->pair[i].d[0], t->pair[j].e[1], d, t->dim);
            add_scaled(t->pair[j].d[1], t->pair[i].e[0], d, t->dim);
        }
    }
    return sum / (double)n;
}

/* log(1 + sum over pairs i of higher score than j of exp(COSENT (cos_j - cos_i))) */
static double rank(trainer *t, size_t n) {
    double c[512], g[512] = {0}, top = 0, all = 0;
    for (size_t i = 0; i < n; i++)
        c[i] = COSENT * cosine(t, t->pair[i].e[0], t->pair[i].e[1]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (t->pair[i].score > t->pair[j].score)
                top = fmax(top, c[j] - c[i]);
    all = exp(-top);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (t->pair[i].score > t->pair[j].score) {
                double x = exp(c[j] - c[i] - top);
                all += x;
                g[j] += x;
                g[i] -= x;
            }
    for (size_t i = 0; i < n; i++) {
        double d = COSENT * g[i] / all;
        add_scaled(t->pair[i].d[0], t->pair[i].e[1], d, t->dim);
        add_scaled(t->pair[i].d[1], t->pair[i].e[0], d, t->dim);
    }
    return top + log(all);
}

/* ---- batches ---- */

static size_t middle(const char *text) {
    size_t len = strlen(text), at = 0, best = 0;
    const char *s;
    for (size_t n; (n = bw_text_sentence(text, &at, &s)) > 0;) {
        size_t b = (size_t)(s - text);
        if (b &&
            llabs((long long)b - (long long)len / 2) < llabs((long long)best - (long long)len / 2))
            best = b;
    }
    return best;
}

static bw_status read_halves(trainer *t, const char *text, pair *p, bw_err *err) {
    size_t cut = middle(text);
    char *head = strndup(text, cut);
    bw_status st = head ? tokens_of(t, head, p->id[0], &p->n[0], err) : bw_fail_memory(err);
    free(head);
    return st == BW_OK ? tokens_of(t, text + cut, p->id[1], &p->n[1], err) : st;
}

/* One of the n examples numbered in list, of a language that is wanted. */
static const bw_example *any(trainer *t, const uint32_t *list, size_t n) {
    const bw_example *e;
    do
        e = &t->d->example[list[bw_rng_below(&t->rng, n)]];
    while (t->english && e->zh);
    return e;
}

static bw_status draw_halves(trainer *t, size_t *n, bw_err *err) {
    bw_status st = BW_OK;
    for (*n = 0; st == BW_OK && *n < t->batch;) {
        st = read_halves(t, any(t, t->texts, t->n_texts)->text, &t->pair[*n], err);
        *n += t->pair[*n].n[0] > 1 && t->pair[*n].n[1] > 1;
    }
    return st;
}

static bw_status draw_pairs(trainer *t, size_t *n, bw_err *err) {
    bw_status st = BW_OK;
    /* Scores are comparable within a set only, so a batch is of one set: that of its first pair. */
    size_t set = any(t, t->pairs, t->n_pairs)->set, first = 0, last = t->n_pairs;
    while (t->d->example[t->pairs[first]].set != set)
        first++;
    while (t->d->example[t->pairs[last - 1]].set != set)
        last--;
    for (*n = 0; st == BW_OK && *n < t->batch; ++*n) {
        const bw_example *e = &t->d->example[t->pairs[first + bw_rng_below(&t->rng, last - first)]];
        pair *p = &t->pair[*n];
        p->score = isnan(e->row->score) ? (float)(e->label == BW_POSITIVE) : e->row->score;
        st = tokens_of(t, e->text, p->id[0], &p->n[0], err);
        if (st == BW_OK)
            st = tokens_of(t, e->text2, p->id[1], &p->n[1], err);
    }
    return st;
}

static double pass(trainer *t, size_t n, double (*loss)(trainer *, size_t)) {
    for (size_t i = 0; i < n; i++)
        for (int side = 0; side < 2; side++)
            embed(t, &t->pair[i], side);
    double l = loss(t, n);
    for (size_t i = 0; i < n; i++)
        for (int side = 0; side < 2; side++)
            embed_backward(t, &t->pair[i], side);
    return l;
}

static bw_status weigh_languages(trainer *t, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < t->d->n; i++) {
        size_t n;
        st = tokens_of(t, t->d->example[i].text, t->pair[0].id[0], &n, err);
        for (size_t k = 0; st == BW_OK && k < n; k++)
            t->lean[t->pair[0].id[0][k]] += t->d->example[i].zh ? -1 : 1;
    }
    return st;
}

static void clear_frozen(trainer *t) {
    for (size_t v = 0; t->english && v < t->vocab; v++)
        if (t->lean[v] < 0) {
            memset(bw_param_grad(&t->p, 0) + v * t->dim, 0, t->dim * sizeof(float));
            bw_param_grad(&t->p, 1)[v] = 0;
        }
}

static bw_status steps(trainer *t, size_t total, bw_err *err) {
    size_t n = 0;
    double halves = 0, pairs = 0;
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < total; i++) {
        if (t->n_texts && (st = draw_halves(t, &n, err)) == BW_OK)
            halves += 0.02 * (pass(t, n, contrast) - halves);
        if (st == BW_OK && t->n_pairs && (st = draw_pairs(t, &n, err)) == BW_OK)
            pairs += 0.02 * (pass(t, n, rank) - pairs);
        clear_frozen(t);
        if (st == BW_OK)
            st = bw_optimizer_step(t->opt, NULL, err);
        if (st == BW_OK && (i + 1) % 500 == 0)
            fprintf(stderr, "embed: step %zu of %zu, halves %.4f, pairs %.4f\n", i + 1, total,
                    halves, pairs);
        if (bw_interrupted())
            st = BW_EINTERRUPTED;
    }
    return st;
}

/* ---- start and end ---- */

static bw_status choose_examples(trainer *t, bw_err *err) {
    t->texts = malloc((t->d->n + 1) * sizeof *t->texts);
    t->pairs = malloc((t->d->n + 1) * sizeof *t->pairs);
    if (!t->texts || !t->pairs)
        return bw_fail_memory(err);
    for (size_t i = 0; i < t->d->n; i++) {
        const bw_example *e = &t->d->example[i];
        if (e->part != BW_PART_TRAIN)
            continue;
        if (e->task == BW_TASK_PAIR)
            t->pairs[t->n_pairs++] = (uint32_t)i;
        else if (e->task != BW_TASK_ASPECT && strlen(e->text) >= HALVES_MIN && middle(e->text))
            t->texts[t->n_texts++] = (uint32_t)i;
    }
    return t->n_texts + t->n_pairs
               ? BW_OK
               : bw_fail(err, BW_EDATA, "the recipe has no texts to learn embeddings from");
}

/* g = log of the inverse document frequency over the texts, halved: what weighting by hand would use. */
static bw_status start_weights(trainer *t, uint64_t seed, bw_err *err) {
    size_t texts = 0, *df = calloc(t->vocab, sizeof *df), *last = calloc(t->vocab, sizeof *last);
    bw_status st = df && last ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < t->d->n; i += 3) {
        size_t n;
        st = tokens_of(t, t->d->example[i].text, t->pair[0].id[0], &n, err);
        texts++;
        for (size_t k = 0; st == BW_OK && k < n; k++) {
            size_t id = (size_t)t->pair[0].id[0][k];
            df[id] += last[id] != i + 1;
            last[id] = i + 1;
        }
    }
    for (size_t v = 0; st == BW_OK && v < t->vocab; v++)
        bw_param_data(&t->p, 1)[v] = logf(0.2f + logf((float)(texts + 1) / (float)(df[v] + 1)));
    if (st == BW_OK)
        bw_param_init_normal(&t->p, 0, 1.0f / sqrtf((float)t->dim), seed);
    free(df);
    free(last);
    return st;
}

static bw_status make_memory(trainer *t, bw_err *err) {
    t->pair = calloc(t->batch, sizeof *t->pair);
    t->memory = malloc(t->batch * 4 * t->dim * sizeof(float));
    t->ids = malloc(t->batch * 2 * (MAX_TOKENS + 8) * sizeof(int32_t));
    t->lean = calloc(t->vocab, sizeof *t->lean);
    if (!t->pair || !t->memory || !t->ids || !t->lean)
        return bw_fail_memory(err);
    for (size_t i = 0; i < t->batch; i++)
        for (size_t s = 0; s < 2; s++) {
            t->pair[i].e[s] = t->memory + (4 * i + s) * t->dim;
            t->pair[i].d[s] = t->memory + (4 * i + 2 + s) * t->dim;
            t->pair[i].id[s] = t->ids + (2 * i + s) * (MAX_TOKENS + 8);
        }
    bw_params_add(&t->p, "embed.vectors", 2, (size_t[]){t->vocab, t->dim}, 0);
    bw_params_add(&t->p, "embed.log_weight", 1, (size_t[]){t->vocab}, BW_PARAM_NO_DECAY);
    bw_status st = bw_params_alloc(&t->p, err);
    return st == BW_OK ? bw_params_need_grad(&t->p, err) : st;
}

static bw_status make_optimizer(trainer *t, size_t total, bw_err *err) {
    bw_adamw a = {.lr = bw_recipe_number(t->r, "embed", "rate", 0.003),
                  .beta2 = 0.99,
                  .warmup = 50,
                  .weight_decay = t->english ? 0 : bw_recipe_number(t->r, "embed", "decay", 0.01),
                  .total = total,
                  .decay = BW_LR_COSINE};
    bw_status st = bw_optimizer_new(&a, &t->opt, err);
    return st == BW_OK ? bw_optimizer_add(t->opt, "embed", &t->p, (bw_group){0}, err) : st;
}

static bool has_english(const trainer *t, const uint32_t *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!t->d->example[list[i]].zh)
            return true;
    return n == 0; /* nothing is drawn from an empty list */
}

static bw_status round_of(trainer *t, bool english, size_t total, bw_err *err) {
    if (total == 0 || (english && !(has_english(t, t->texts, t->n_texts) &&
                                    has_english(t, t->pairs, t->n_pairs))))
        return BW_OK;
    t->english = english;
    bw_status st = english ? weigh_languages(t, err) : BW_OK;
    if (st == BW_OK)
        st = make_optimizer(t, total, err);
    if (st == BW_OK)
        st = steps(t, total, err);
    bw_optimizer_free(t->opt);
    t->opt = NULL;
    return st;
}

static bw_status quantise(const trainer *t, bw_bag *out, bw_err *err) {
    size_t n = t->vocab * t->dim;
    float *scale = malloc(t->vocab * sizeof *scale + n);
    if (!scale)
        return bw_fail_memory(err);
    int8_t *q = (int8_t *)(scale + t->vocab);
    *out = (bw_bag){t->vocab, t->dim, q, scale, scale};
    for (size_t v = 0; v < t->vocab; v++) {
        const float *x = bw_param_data(&t->p, 0) + v * t->dim;
        float top = 1e-12f;
        for (size_t k = 0; k < t->dim; k++)
            top = fmaxf(top, fabsf(x[k]));
        for (size_t k = 0; k < t->dim; k++)
            q[v * t->dim + k] = (int8_t)lrintf(127.0f * x[k] / top);
        scale[v] = expf(bw_param_data(&t->p, 1)[v]) * top / 127.0f;
    }
    return BW_OK;
}

bw_status bw_bag_train(const bw_recipe *r, const bw_dataset *d, const bw_deep *m, uint64_t seed,
                       bw_bag *out, bw_err *err) {
    trainer t = {.r = r,
                 .d = d,
                 .reader = bw_deep_reader(m),
                 .vocab = bw_tokenizer_size(m->tokenizer),
                 .dim = (size_t)bw_recipe_number(r, "embed", "dim", 128),
                 .batch = (size_t)bw_recipe_number(r, "embed", "batch", 96),
                 .rng = bw_rng_seed(seed),
                 .temperature = bw_recipe_number(r, "embed", "temperature", 0.07)};
    t.reader.table.sets = 0; /* tokens alone */
    t.reader.max_units = MAX_TOKENS;
    *out = (bw_bag){0};
    bw_status st =
        t.batch > 512 || t.dim > 1024
            ? bw_fail(err, BW_EARG, "recipe %s: embed.batch at most 512, embed.dim 1024", r->name)
            : make_memory(&t, err);
    if (st == BW_OK)
        st = choose_examples(&t, err);
    if (st == BW_OK)
        st = start_weights(&t, seed, err);
    if (st == BW_OK)
        st = round_of(&t, false, (size_t)bw_recipe_number(r, "embed", "steps", 4000), err);
    if (st == BW_OK)
        st = round_of(&t, true, (size_t)bw_recipe_number(r, "embed", "english_steps", 0), err);
    if (st == BW_OK)
        st = quantise(&t, out, err);
    bw_params_free(&t.p);
    bw_inputs_free(&t.in);
    free(t.texts);
    free(t.pairs);
    free(t.pair);
    free(t.memory);
    free(t.ids);
    free(t.lean);
    return st;
}
