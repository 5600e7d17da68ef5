/* model/train/train_parts.c - sampling of texts, noise, the loss: what both stages of training use. */
#include "model/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- sampler ---- */

static bool same_text(const bw_example *a, const bw_example *b) {
    return a->set == b->set && a->task == b->task && !a->text2 && !strcmp(a->text, b->text);
}

static void collect(const bw_dataset *d, bool (*keep)(const bw_example *), bw_mixer *s) {
    for (size_t set = 0; set < s->sets; set++) {
        s->begin[set] = s->n;
        for (size_t i = 0; i < d->n; i++) {
            const bw_example *e = &d->example[i];
            if (e->set != set || e->part != BW_PART_TRAIN || !keep(e))
                continue;
            bool joins = s->n > s->begin[set] && e->task == BW_TASK_ASPECT &&
                         s->item[s->n - 1].first + s->item[s->n - 1].n == i && same_text(e, e - 1);
            if (joins)
                s->item[s->n - 1].n++;
            else
                s->item[s->n++] = (bw_item){(uint32_t)i, 1};
        }
    }
    s->begin[s->sets] = s->n;
}

bw_status bw_mixer_new(const bw_recipe *r, const bw_dataset *d, double share_power,
                       double text_share, bool (*keep)(const bw_example *), bw_mixer *out,
                       bw_err *err) {
    bw_mixer *s = out;
    *s = (bw_mixer){.sets = r->n_sets};
    s->item = calloc(d->n + 1, sizeof *s->item);
    s->begin = calloc(s->sets + 1, sizeof *s->begin);
    s->position = calloc(s->sets + 1, sizeof *s->position);
    s->share = calloc(s->sets + 1, sizeof *s->share);
    if (!s->item || !s->begin || !s->position || !s->share) {
        bw_mixer_free(s);
        return bw_fail_memory(err);
    }
    collect(d, keep, s);
    double sum = 0;
    for (size_t i = 0; i < s->sets; i++) {
        size_t n = s->begin[i + 1] - s->begin[i];
        double w = r->set[i].weight * (r->set[i].task == BW_TASK_TEXT ? text_share : 1);
        s->share[i] = sum += n ? w * pow((double)n, share_power) : 0;
    }
    if (sum <= 0) {
        bw_mixer_free(s);
        return bw_fail(err, BW_EDATA, "recipe %s has no rows for this stage of training", r->name);
    }
    for (size_t i = 0; i < s->sets; i++)
        s->share[i] /= sum;
    return BW_OK;
}

void bw_mixer_free(bw_mixer *s) {
    free(s->item);
    free(s->begin);
    free(s->position);
    free(s->share);
    *s = (bw_mixer){0};
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t c = a % b;
        a = b;
        b = c;
    }
    return a;
}

/* The i-th element of a permutation of 0 .. n - 1: i * a + b mod n with a prime to n. */
static size_t permuted(size_t i, size_t n, uint64_t key) {
    uint64_t a = 1 + bw_mix64(key) % n;
    while (common_divisor(a, n) != 1)
        a = a % n + 1;
    return (size_t)((i * a + bw_mix64(key ^ 0x5bd1e995u) % n) % n);
}

const bw_item *bw_mixer_next(bw_mixer *s, bw_rng *rng, uint64_t seed) {
    double u = bw_rng_uniform(rng);
    size_t set = 0;
    while (set + 1 < s->sets && (u >= s->share[set] || s->begin[set] == s->begin[set + 1]))
        set++;
    while (s->begin[set] == s->begin[set + 1]) /* rounding at the upper end */
        set--;
    size_t n = s->begin[set + 1] - s->begin[set], at = s->position[set]++;
    uint64_t key = bw_mix64(seed + 1000003 * set) + at / n;
    return &s->item[s->begin[set] + permuted(at % n, n, key)];
}

/* ---- noise ---- */

void bw_train_drop(bw_trainer_state *t, size_t from) {
    bw_inputs *in = &t->in;
    int32_t unk = bw_tokenizer_role(t->model->tokenizer, BW_ROLE_UNK);
    size_t w = from < in->n_tokens ? in->ngram_start[from] : in->n_ngrams, g = w;
    for (size_t i = from; i < in->n_tokens; i++) {
        size_t end = in->ngram_start[i + 1];
        bool word = i > from && bw_rng_uniform(&t->rng) < t->word_drop;
        if (word)
            in->id[i] = unk;
        in->ngram_start[i] = w;
        for (; g < end; g++)
            if (!word && bw_rng_uniform(&t->rng) >= t->ngram_drop)
                in->ngram[w++] = in->ngram[g];
    }
    in->ngram_start[in->n_tokens] = in->n_ngrams = w;
}

/* ---- loss and buffers ---- */

double bw_train_cross_entropy(const float *z, size_t n, size_t label, float w, const bool *allow,
                              float *d) {
    double top = -INFINITY, sum = 0, p[16] = {0};
    for (size_t k = 0; k < n; k++)
        if (!allow || allow[k])
            top = fmax(top, z[k]);
    for (size_t k = 0; k < n; k++)
        if (!allow || allow[k])
            sum += p[k] = exp(z[k] - top);
    for (size_t k = 0; k < n; k++)
        d[k] = w * (float)(p[k] / sum - (k == label));
    return -w * log(fmax(p[label] / sum, 1e-12));
}

bw_status bw_train_hidden(bw_trainer_state *t, bw_err *err) {
    size_t n = t->in.n_tokens * t->model->heads.dim;
    if (n > t->d_cap) {
        free(t->d_hidden);
        t->d_cap = n + n / 4;
        t->d_hidden = malloc(t->d_cap * sizeof(float));
        if (!t->d_hidden) {
            t->d_cap = 0;
            return bw_fail_memory(err);
        }
    }
    memset(t->d_hidden, 0, n * sizeof(float));
    return BW_OK;
}

void *bw_train_job(bw_trainer_state *t, size_t size) {
    if (t->n_jobs == t->cap_jobs) {
        size_t cap = 2 * t->cap_jobs + 64;
        void *p = realloc(t->jobs, cap * size);
        if (!p)
            return NULL;
        t->jobs = p;
        t->cap_jobs = cap;
    }
    return memset((char *)t->jobs + size * t->n_jobs++, 0, size);
}
