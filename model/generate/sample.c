/* model/generate/sample.c - logits processors and seeded sampling. See sample.h.
 *
 * Where a processor needs an order, only the tokens that are still allowed are sorted, by score and
 * then by id, so the result does not depend on the sort. */
#include "model/generate/sample.h"

#include "model/core/ops.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    float key;
    int32_t id;
} ranked;

struct bw_sampler {
    size_t vocab;
    ranked *rank;    /* [vocab] */
    float *original; /* [vocab] scores before the repetition penalty */
    uint64_t state[4];
};

static const struct {
    const char *name;
    double low, high; /* allowed values */
    bool open;        /* low itself is not allowed */
} KINDS[BW_N_PROC] = {{"temperature", 0, 1e6, true},
                      {"top_k", 1, 1e9, false},
                      {"top_p", 0, 1, false},
                      {"min_p", 0, 1, false},
                      {"typical_p", 0, 1, true},
                      {"repetition_penalty", 0, 1e6, true},
                      {"no_repeat_ngram_size", 1, 1e6, false},
                      {"min_length", 0, 1e9, false},
                      {"forced_bos_token_id", 0, 1e9, false},
                      {"forced_eos_token_id", 0, 1e9, false}};

bw_status bw_processors_add(bw_processors *p, bw_proc_kind kind, double value, bw_err *err) {
    bool low = KINDS[kind].open ? value > KINDS[kind].low : value >= KINDS[kind].low;
    if (!low || !(value <= KINDS[kind].high))
        return bw_fail(err, BW_EARG, "%s is %g; it must be %s %g and at most %g", KINDS[kind].name,
                       value, KINDS[kind].open ? "above" : "at least", KINDS[kind].low,
                       KINDS[kind].high);
    if (p->n == BW_MAX_PROCESSORS)
        return bw_fail(err, BW_EARG, "more than %d processors", BW_MAX_PROCESSORS);
    p->steps[p->n++] = (bw_processor){kind, value};
    return BW_OK;
}

/* One "name=value", of len characters. */
static bw_status parse_one(bw_processors *p, const char *text, size_t len, bw_err *err) {
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals ? (size_t)(equals - text) : len;
    for (int k = 0; equals && k < BW_N_PROC; k++) {
        if (strlen(KINDS[k].name) != name_len || memcmp(KINDS[k].name, text, name_len) != 0)
            continue;
        char *end;
        double value = strtod(equals + 1, &end);
        if (end != text + len || end == equals + 1)
            break;
        return bw_processors_add(p, (bw_proc_kind)k, value, err);
    }
    return bw_fail(err, BW_EARG, "'%.*s' is not a processor; write, for instance, top_k=50",
                   (int)len, text);
}

bw_status bw_processors_parse(bw_processors *p, const char *text, bw_err *err) {
    while (*text) {
        size_t len = strcspn(text, ",");
        bw_status st = parse_one(p, text, len, err);
        if (st != BW_OK)
            return st;
        text += len + (text[len] == ',');
    }
    return BW_OK;
}

bw_sampler *bw_sampler_new(size_t vocab) {
    bw_sampler *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->vocab = vocab;
    s->rank = malloc((vocab ? vocab : 1) * sizeof *s->rank);
    s->original = malloc((vocab ? vocab : 1) * sizeof *s->original);
    if (!s->rank || !s->original) {
        bw_sampler_free(s);
        return NULL;
    }
    bw_sampler_seed(s, 0, 0);
    return s;
}

void bw_sampler_free(bw_sampler *s) {
    if (!s)
        return;
    free(s->rank);
    free(s->original);
    free(s);
}

/* --- processors ------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->id > y->id) - (x->id < y->id);
}

static float maximum(const float *x, size_t n) {
    float top = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (x[i] > top)
            top = x[i];
    return top;
}

/* Sum of exp(x - top) over all tokens: the denominator of softmax. */
static double partition(const float *x, size_t n, float top) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] > -INFINITY ? exp((double)x[i] - (double)top) : 0;
    return sum;
}

/* The allowed tokens into s->rank, unsorted; returns their number. */
static size_t collect(bw_sampler *s, const float *x) {
    size_t n = 0;
    for (size_t i = 0; i < s->vocab; i++)
        if (x[i] > -INFINITY)
            s->rank[n++] = (ranked){x[i], (int32_t)i};
    return n;
}

static void temperature(float *x, size_t n, float t) {
    for (size_t i = 0; i < n; i++)
        x[i] /= t;
}

/* The k-th largest key of rank[0 .. n), by Hoare's selection. */
static float kth_largest(ranked *rank, size_t n, size_t k) {
    size_t low = 0, high = n - 1, want = k - 1;
    while (low < high) {
        float pivot = rank[low + (high - low) / 2].key;
        size_t i = low, j = high;
        while (i <= j) {
            while (rank[i].key > pivot)
                i++;
            while (rank[j].key < pivot)
                j--;
            if (i <= j) {
                ranked swap = rank[i];
                rank[i++] = rank[j];
                rank[j] = swap;
                if (j == 0)
                    break;
                j--;
            }
        }
        if (want <= j)
            high = j;
        else if (want >= i)
            low = i;
        else
            break;
    }
    return rank[want].key;
}

static void top_k(bw_sampler *s, float *x, size_t k) {
    size_t n = collect(s, x);
    if (k >= n)
        return;
    float edge = kth_largest(s->rank, n, k);
    for (size_t i = 0; i < s->vocab; i++)
        if (x[i] < edge)
            x[i] = -INFINITY;
}

/* Cumulative probabilities are rounded to float at each step, as the reference's are. */
static void top_p(bw_sampler *s, float *x, double p) {
    size_t n = collect(s, x);
    float top = maximum(x, s->vocab), edge = (float)(1 - p);
    double total = partition(x, s->vocab, top), sum = 0;
    qsort(s->rank, n, sizeof *s->rank, ascending);
    for (size_t i = 0; i + 1 < n; i++) {
        sum += (double)(float)(exp((double)s->rank[i].key - (double)top) / total);
        if ((float)sum > edge)
            break;
        x[s->rank[i].id] = -INFINITY;
    }
}

static void min_p(float *x, size_t n, double p) {
    float top = maximum(x, n);
    double total = partition(x, n, top);
    float edge = (float)p * (float)(1 / total);
    for (size_t i = 0; i < n; i++)
        if (x[i] < top && (float)(exp((double)x[i] - (double)top) / total) < edge)
            x[i] = -INFINITY;
}

static void typical_p(bw_sampler *s, float *x, double p) {
    size_t n = collect(s, x);
    float top = maximum(x, s->vocab);
    double total = partition(x, s->vocab, top), entropy = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        double log_p = (double)s->rank[i].key - (double)top - log(total);
        entropy -= log_p * exp(log_p);
    }
    for (size_t i = 0; i < n; i++) {
        double log_p = (double)s->rank[i].key - (double)top - log(total);
        s->rank[i].key = (float)fabs(-log_p - entropy);
    }
    qsort(s->rank, n, sizeof *s->rank, ascending);
    size_t last = 0; /* the first token at which the mass reaches p */
    for (; last + 1 < n; last++) {
        sum += exp((double)x[s->rank[last].id] - (double)top) / total;
        if ((float)sum >= (float)p)
            break;
    }
    float edge = n ? s->rank[last].key : 0;
    for (size_t i = 0; i < n; i++)
        if (s->rank[i].key > edge)
            x[s->rank[i].id] = -INFINITY;
}

/* Each token once, however often it was seen. */
static void repetition_penalty(bw_sampler *s, float *x, const bw_history *h, float penalty) {
    memcpy(s->original, x, s->vocab * sizeof *x);
    for (size_t i = 0; i < h->n; i++) {
        size_t id = (size_t)h->ids[i];
        if (h->ids[i] >= 0 && id < s->vocab)
            x[id] = s->original[id] < 0 ? s->original[id] * penalty : s->original[id] / penalty;
    }
}

static void no_repeat_ngram(float *x, size_t vocab, const bw_history *h, size_t size) {
    if (h->n + 1 < size)
        return;
    const int32_t *tail = h->ids + h->n + 1 - size; /* the last size - 1 tokens */
    for (size_t i = 0; i + size <= h->n; i++) {
        int32_t next = h->ids[i + size - 1];
        if (memcmp(h->ids + i, tail, (size - 1) * sizeof *tail) == 0 && next >= 0 &&
            (size_t)next < vocab)
            x[next] = -INFINITY;
    }
}

static void only(float *x, size_t n, size_t id) {
    for (size_t i = 0; i < n; i++)
        x[i] = -INFINITY;
    if (id < n)
        x[id] = 0;
}

static void min_length(float *x, size_t vocab, const bw_history *h, size_t length) {
    for (size_t i = 0; h->n < length && i < h->n_eos; i++)
        if (h->eos[i] >= 0 && (size_t)h->eos[i] < vocab)
            x[h->eos[i]] = -INFINITY;
}

static void apply_one(bw_sampler *s, bw_processor p, const bw_history *h, float *x) {
    size_t count = p.value > 0 ? (size_t)p.value : 0;
    switch (p.kind) {
    case BW_PROC_TEMPERATURE:
        temperature(x, s->vocab, (float)p.value);
        break;
    case BW_PROC_TOP_K:
        top_k(s, x, count);
        break;
    case BW_PROC_TOP_P:
        top_p(s, x, p.value);
        break;
    case BW_PROC_MIN_P:
        min_p(x, s->vocab, p.value);
        break;
    case BW_PROC_TYPICAL_P:
        typical_p(s, x, p.value);
        break;
    case BW_PROC_REPETITION_PENALTY:
        repetition_penalty(s, x, h, (float)p.value);
        break;
    case BW_PROC_NO_REPEAT_NGRAM:
        no_repeat_ngram(x, s->vocab, h, count);
        break;
    case BW_PROC_MIN_LENGTH:
        min_length(x, s->vocab, h, count);
        break;
    case BW_PROC_FORCED_BOS:
        if (h->n == 1)
            only(x, s->vocab, count);
        break;
    case BW_PROC_FORCED_EOS:
        if (h->max_length && h->n + 1 == h->max_length)
            only(x, s->vocab, count);
        break;
    case BW_N_PROC:
        break;
    }
}

void bw_sampler_apply(bw_sampler *s, const bw_processors *p, const bw_history *history,
                      float *logits) {
    for (size_t i = 0; i < p->n; i++)
        apply_one(s, p->steps[i], history, logits);
}

/* --- drawing --------------------------------------------------------------------------------- */

static uint64_t splitmix(uint64_t *x) {
    uint64_t z = (*x += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void bw_sampler_seed(bw_sampler *s, uint64_t seed, uint64_t stream) {
    uint64_t x = seed, mixed = splitmix(&x) + stream;
    for (int i = 0; i < 4; i++)
        s->state[i] = splitmix(&mixed);
}

static uint64_t rotate(uint64_t x, int by) {
    return x << by | x >> (64 - by);
}

/* Uniform in [0, 1), 53 bits. */
static double uniform(bw_sampler *s) {
    uint64_t *t = s->state, result = rotate(t[1] * 5, 7) * 9, shifted = t[1] << 17;
    t[2] ^= t[0];
    t[3] ^= t[1];
    t[1] ^= t[2];
    t[0] ^= t[3];
    t[2] ^= shifted;
    t[3] = rotate(t[3], 45);
    return (double)(result >> 11) * 0x1p-53;
}

int32_t bw_argmax(const float *logits, size_t vocab) {
    int32_t best = -1;
    for (size_t i = 0; i < vocab; i++)
        if (logits[i] > (best < 0 ? -INFINITY : logits[best]))
            best = (int32_t)i;
    return best;
}

int32_t bw_sampler_draw(bw_sampler *s, const float *logits) {
    float top = maximum(logits, s->vocab);
    if (!(top > -INFINITY))
        return -1;
    double rest = uniform(s) * partition(logits, s->vocab, top);
    for (size_t i = 0; i < s->vocab; i++) {
        rest -= logits[i] > -INFINITY ? exp((double)logits[i] - (double)top) : 0;
        if (rest < 0)
            return (int32_t)i;
    }
    return bw_argmax(logits, s->vocab);
}

void bw_log_softmax(float *logits, size_t vocab) {
    double total = bw_log_sum_exp(logits, vocab);
    for (size_t i = 0; i < vocab; i++)
        logits[i] = (float)((double)logits[i] - total);
}
