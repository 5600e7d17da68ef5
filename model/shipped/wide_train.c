/* model/shipped/wide_train.c - training of the wide path.
 *
 * Two passes over the texts: the first counts features, the second turns each text into a list of
 * indices of the features kept. Then AdaGrad over those lists, and the heaviest features are packed
 * into the table that ships. */
#include "model/shipped/wide.h"

#include "common/progress.h"
#include "model/shipped/counts.h"
#include "model/core/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADAGRAD_EPS 1e-6f
#define MAX_UNITS   2000 /* of one text; no review needs more */

/* Numbers the features seen at least min_count times; the others become index 0. */
static size_t keep(bw_counts *m, uint32_t min_count) {
    uint32_t kept = 0;
    for (size_t i = 0; i < m->cap; i++)
        if (m->key[i])
            m->value[i] = m->value[i] >= min_count ? ++kept : 0;
    return kept;
}

typedef struct {
    const bw_dataset *d;
    const bw_recipe *r;
    bw_counts features; /* first counts, then indices of the features kept */
    size_t n_features;  /* indices 1 .. n_features */
    uint32_t *index;    /* all texts' features, one behind the other */
    size_t *start;      /* [n + 1] */
    uint32_t *row;      /* [n] example numbers */
    size_t n, n_index, cap_index;
    float *w, *g2; /* [n_features + 1, BW_WIDE_OUT] */
    float bias[BW_WIDE_OUT], bias_g2[BW_WIDE_OUT];
    bw_units units;
    bw_grams grams;
} trainer;

static bw_status features_of(trainer *t, const bw_example *e, bw_err *err) {
    bw_status st = bw_units_split(&t->units, e->text, strlen(e->text), MAX_UNITS, err);
    return st == BW_OK ? bw_grams_extract(&t->grams, &t->units, true, err) : st;
}

static bool takes_part(const bw_example *e) {
    return e->task == BW_TASK_SENTIMENT && e->label != BW_UNLABELLED;
}

static bw_status count_features(trainer *t, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < t->d->n; i++) {
        const bw_example *e = &t->d->example[i];
        if (!takes_part(e))
            continue;
        t->n++;
        st = features_of(t, e, err);
        for (size_t k = 0; st == BW_OK && e->part == BW_PART_TRAIN && k < t->grams.n; k++)
            if (!bw_counts_add(&t->features, t->grams.gram[k].hash))
                st = bw_fail_memory(err);
        if (bw_interrupted())
            return BW_EINTERRUPTED;
    }
    return st;
}

static bw_status index_row(trainer *t, size_t example, bw_err *err) {
    bw_status st = features_of(t, &t->d->example[example], err);
    if (st != BW_OK)
        return st;
    if (t->n_index + t->grams.n > t->cap_index) {
        size_t cap = 2 * t->cap_index + t->grams.n + (1 << 20);
        uint32_t *p = realloc(t->index, cap * sizeof *p);
        if (!p)
            return bw_fail_memory(err);
        t->index = p;
        t->cap_index = cap;
    }
    for (size_t k = 0; k < t->grams.n && t->features.n; k++) {
        uint32_t f = t->features.value[bw_counts_find(&t->features, t->grams.gram[k].hash)];
        if (f)
            t->index[t->n_index++] = f;
    }
    t->row[t->n++] = (uint32_t)example;
    t->start[t->n] = t->n_index;
    return BW_OK;
}

static bw_status index_rows(trainer *t, bw_err *err) {
    t->start = calloc(t->n + 1, sizeof *t->start);
    t->row = calloc(t->n + 1, sizeof *t->row);
    if (!t->start || !t->row)
        return bw_fail_memory(err);
    t->n = 0;
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < t->d->n; i++)
        if (takes_part(&t->d->example[i]))
            st = bw_interrupted() ? BW_EINTERRUPTED : index_row(t, i, err);
    return st;
}

/* Values of row i with features kept with probability 1 - drop; live features go to used. */
static size_t forward(const trainer *t, size_t i, float drop, bw_rng *rng, uint32_t *used,
                      float value[BW_WIDE_OUT]) {
    size_t n = 0;
    double sum[BW_WIDE_OUT] = {0};
    for (size_t k = t->start[i]; k < t->start[i + 1]; k++) {
        if (drop > 0 && bw_rng_uniform(rng) < drop)
            continue;
        used[n++] = t->index[k];
        for (size_t o = 0; o < BW_WIDE_OUT; o++)
            sum[o] += t->w[(size_t)t->index[k] * BW_WIDE_OUT + o];
    }
    for (size_t o = 0; o < BW_WIDE_OUT; o++)
        value[o] = t->bias[o] + (n ? (float)(sum[o] / sqrt((double)n)) : 0.0f);
    return n;
}

/* Loss and its gradient with respect to (s, u). Two-class rows: P(pos) against P(neg) alone. */
static double loss(const float value[BW_WIDE_OUT], int label, bool two_class,
                   float d[BW_WIDE_OUT]) {
    double z[3] = {-value[0], two_class ? -1e9 : value[1], value[0]},
           top = fmax(z[0], fmax(z[1], z[2]));
    double p[3], sum = 0;
    for (int k = 0; k < 3; k++)
        sum += p[k] = exp(z[k] - top);
    for (int k = 0; k < 3; k++)
        p[k] /= sum;
    double e[3] = {p[0] - (label == 0), p[1] - (label == 1), p[2] - (label == 2)};
    d[0] = (float)(e[2] - e[0]);
    d[1] = two_class ? 0.0f : (float)e[1];
    return -log(fmax(p[label], 1e-12));
}

static void update(trainer *t, const uint32_t *used, size_t n, const float d[BW_WIDE_OUT],
                   float rate, float decay) {
    float share = n ? 1.0f / sqrtf((float)n) : 0.0f;
    for (size_t o = 0; o < BW_WIDE_OUT; o++) {
        t->bias_g2[o] += d[o] * d[o];
        t->bias[o] -= 0.1f * rate * d[o] / sqrtf(t->bias_g2[o] + 1.0f);
    }
    for (size_t k = 0; k < n; k++)
        for (size_t o = 0; o < BW_WIDE_OUT; o++) {
            size_t at = (size_t)used[k] * BW_WIDE_OUT + o;
            float g = d[o] * share + decay * t->w[at];
            t->g2[at] += g * g;
            t->w[at] -= rate * g / (sqrtf(t->g2[at]) + ADAGRAD_EPS);
        }
}

static double dev_accuracy(const trainer *t, uint32_t *used, size_t *rows) {
    size_t right = 0;
    *rows = 0;
    for (size_t i = 0; i < t->n; i++) {
        const bw_example *e = &t->d->example[t->row[i]];
        float v[BW_WIDE_OUT];
        if (e->part != BW_PART_DEV || e->label == BW_NEUTRAL)
            continue;
        forward(t, i, 0, NULL, used, v);
        right += (v[0] > 0) == (e->label == BW_POSITIVE);
        ++*rows;
    }
    return *rows ? (double)right / (double)*rows : NAN;
}

static void shuffle(uint32_t *order, size_t n, bw_rng *rng) {
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)(bw_rng_uniform(rng) * (double)i);
        uint32_t x = order[i - 1];
        order[i - 1] = order[j];
        order[j] = x;
    }
}

static double epoch(trainer *t, const uint32_t *order, uint32_t *used, float rate, bw_rng *rng) {
    float drop = (float)bw_recipe_number(t->r, "wide", "dropout", 0.3);
    float decay = (float)bw_recipe_number(t->r, "wide", "decay", 0);
    double sum = 0, weights = 0;
    for (size_t k = 0; k < t->n && !bw_interrupted(); k++) {
        size_t i = order[k];
        const bw_example *e = &t->d->example[t->row[i]];
        const bw_recipe_set *s = &t->r->set[e->set];
        if (e->part != BW_PART_TRAIN)
            continue;
        float v[BW_WIDE_OUT], d[BW_WIDE_OUT];
        size_t n = forward(t, i, drop, rng, used, v);
        sum += s->weight * loss(v, e->label, s->two_class, d);
        weights += s->weight;
        for (size_t o = 0; o < BW_WIDE_OUT; o++)
            d[o] *= s->weight;
        update(t, used, n, d, rate, decay);
    }
    return sum / weights;
}

static bw_status optimise(trainer *t, uint64_t seed, bw_err *err) {
    uint32_t *order = malloc((t->n + 1) * sizeof *order),
             *used = malloc((t->n_index + 1) * sizeof *used);
    t->w = calloc((t->n_features + 1) * BW_WIDE_OUT, sizeof *t->w);
    t->g2 = calloc((t->n_features + 1) * BW_WIDE_OUT, sizeof *t->g2);
    bw_status st = order && used && t->w && t->g2 ? BW_OK : bw_fail_memory(err);
    size_t epochs = (size_t)bw_recipe_number(t->r, "wide", "epochs", 8);
    double rate = bw_recipe_number(t->r, "wide", "rate", 0.5);
    bw_rng rng = bw_rng_seed(seed);
    for (size_t i = 0; st == BW_OK && i < t->n; i++)
        order[i] = (uint32_t)i;
    for (size_t e = 0; st == BW_OK && e < epochs; e++) {
        shuffle(order, t->n, &rng);
        double l = epoch(t, order, used, (float)(rate * (1.0 - (double)e / (double)epochs)), &rng);
        size_t rows;
        double a = dev_accuracy(t, used, &rows);
        fprintf(stderr, "wide: epoch %zu of %zu, loss %.4f, dev accuracy %.4f on %zu rows\n", e + 1,
                epochs, l, a, rows);
        if (bw_interrupted())
            st = BW_EINTERRUPTED;
    }
    free(order);
    free(used);
    return st;
}

/* ---- packing ---- */

typedef struct {
    uint64_t hash;
    uint32_t feature;
    float weight;
} heavy;

static int by_weight(const void *a, const void *b) {
    const heavy *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static heavy *sorted_features(const trainer *t) {
    heavy *h = malloc((t->n_features + 1) * sizeof *h);
    size_t n = 0;
    for (size_t i = 0; h && i < t->features.cap; i++) {
        uint32_t f = t->features.value[i];
        if (!t->features.key[i] || !f)
            continue;
        const float *w = t->w + (size_t)f * BW_WIDE_OUT;
        h[n++] = (heavy){t->features.key[i], f, fabsf(w[0]) + 0.5f * fabsf(w[1])};
    }
    if (h)
        qsort(h, n, sizeof *h, by_weight);
    return h;
}

/* The scale that maps the heaviest weight to 127; weights beyond four deviations are cut there. */
static float scale_of(const trainer *t, size_t o) {
    double sq = 0;
    float top = 0;
    for (size_t f = 1; f <= t->n_features; f++) {
        float x = fabsf(t->w[f * BW_WIDE_OUT + o]);
        sq += (double)x * x;
        top = x > top ? x : top;
    }
    float cut = 12.0f * (float)sqrt(sq / (double)(t->n_features + 1));
    return (top < cut ? top : cut) / 127.0f + 1e-12f;
}

static int8_t quantise(float x, float scale) {
    float q = roundf(x / scale);
    return (int8_t)(q > 127 ? 127 : q < -127 ? -127 : q);
}

static bw_status pack(const trainer *t, bw_wide *out, bw_err *err) {
    size_t sets = (size_t)bw_recipe_number(t->r, "wide", "slots", 1 << 20) / BW_GRAM_WAYS;
    size_t slots = sets * BW_GRAM_WAYS;
    uint8_t *mark = calloc(slots * (1 + BW_WIDE_OUT), 1);
    heavy *h = sorted_features(t);
    if (!mark || !h) {
        free(mark);
        free(h);
        return bw_fail_memory(err);
    }
    int8_t *weight = (int8_t *)mark + slots;
    *out = (bw_wide){.table = {sets, mark}, .weight = weight, .memory = mark};
    for (size_t o = 0; o < BW_WIDE_OUT; o++) {
        out->scale[o] = scale_of(t, o);
        out->bias[o] = t->bias[o];
    }
    for (size_t i = 0; i < t->n_features; i++) {
        size_t slot = bw_gram_put(&out->table, mark, h[i].hash);
        for (size_t o = 0; slot != BW_GRAM_NONE && o < BW_WIDE_OUT; o++)
            weight[slot * BW_WIDE_OUT + o] =
                quantise(t->w[(size_t)h[i].feature * BW_WIDE_OUT + o], out->scale[o]);
    }
    free(h);
    return BW_OK;
}

bw_status bw_wide_train(const bw_recipe *r, const bw_dataset *d, uint64_t seed, bw_wide *out,
                        bw_err *err) {
    trainer t = {.d = d, .r = r};
    *out = (bw_wide){0};
    bw_status st = count_features(&t, err);
    if (st == BW_OK) {
        t.n_features = keep(&t.features, (uint32_t)bw_recipe_number(r, "wide", "min_count", 2));
        st = index_rows(&t, err);
    }
    if (st == BW_OK)
        st = optimise(&t, seed, err);
    if (st == BW_OK)
        st = pack(&t, out, err);
    bw_counts_free(&t.features);
    free(t.index);
    free(t.start);
    free(t.row);
    free(t.w);
    free(t.g2);
    bw_units_free(&t.units);
    bw_grams_free(&t.grams);
    return st;
}
