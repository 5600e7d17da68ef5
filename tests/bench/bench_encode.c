/* tests/bench/bench_encode.c - products, the frozen encoder and a training step in the shape of
 * MiniLM-L6, weights random. */
#include "tests/bench/bench.h"
#include "tests/bench/roof.h"

#include "model/core/ops.h"
#include "model/core/optimizer.h"
#include "model/core/transformer.h"
#include "model/infer/infer.h"

#include <string.h>

#define VOCAB      30522
#define DIM        384
#define FFN        1536
#define WARM_STEPS 1
#define MANY       128 /* reviews of mixed length */

static const bw_tf_config MINILM = {.kind = BW_TF_ENCODER,
                                    .vocab = VOCAB,
                                    .dim = DIM,
                                    .enc = {.layers = 6, .heads = 12, .ffn = FFN},
                                    .max_positions = 512,
                                    .norm_eps = 1e-12f,
                                    .qkv_bias = true,
                                    .out_bias = true,
                                    .ffn_bias = true,
                                    .pos = BW_POS_LEARNED,
                                    .token_types = 2,
                                    .embed_norm = true};

static float uniform(void) {
    return (float)rand() / (float)RAND_MAX - 0.5f;
}

double bench_product(bw_pack_kind kind, size_t rows, double seconds) {
    const size_t in = DIM, out = FFN;
    bw_err err;
    bw_packed *p;
    float *W = malloc(in * out * sizeof *W), *x = malloc(rows * in * sizeof *x);
    float *y = malloc(rows * out * sizeof *y);
    void *work = aligned_alloc(64, bw_rows_size(kind, rows, in));
    for (size_t i = 0; i < in * out; i++)
        W[i] = uniform();
    for (size_t i = 0; i < rows * in; i++)
        x[i] = uniform();
    if (bw_packed_new(kind, W, NULL, out, in, &p, &err) != BW_OK)
        bench_stop(&err);
    double best = 0, end = bench_seconds() + seconds;
    size_t repeats = 1 + 2048 / rows;
    do {
        double start = bench_seconds();
        for (size_t i = 0; i < repeats; i++) {
            bw_rows_pack(kind, x, rows, in, work);
            bw_packed_mul(p, work, rows, BW_FUSE_NONE, y, out);
        }
        best = bench_larger(best,
                            2.0 * (double)(rows * in * out * repeats) / (bench_seconds() - start));
    } while (bench_seconds() < end);
    bw_packed_free(p);
    free(W), free(x), free(y), free(work);
    return best;
}

typedef struct {
    int32_t *ids;
    size_t *start;
    bw_batch batch;
} texts;

static texts make_texts(const size_t *lengths, size_t n) {
    texts t = {.start = calloc(n + 1, sizeof *t.start)};
    for (size_t i = 0; i < n; i++)
        t.start[i + 1] = t.start[i] + lengths[i];
    size_t tokens = t.start[n];
    t.ids = malloc(tokens * sizeof *t.ids);
    for (size_t i = 0; i < tokens; i++)
        t.ids[i] = rand() % VOCAB;
    t.batch = (bw_batch){.ids = t.ids, .start = t.start, .n_seq = n, .n_tokens = tokens};
    return t;
}

static texts equal_texts(size_t n, size_t length) {
    size_t *lengths = malloc(n * sizeof *lengths);
    for (size_t i = 0; i < n; i++)
        lengths[i] = length;
    texts t = make_texts(lengths, n);
    free(lengths);
    return t;
}

static void free_texts(texts *t) {
    free(t->ids);
    free(t->start);
}

/* Tokens of shop reviews at each twentieth of 62,734 published ones in ten categories (mean 62; the
 * last value makes the mean of the longest twentieth right); linear between. As in
 * peer_torch.py. */
static size_t review_length(double u) {
    static const double TWENTIETHS[] = {3,  13, 17, 19, 21, 23, 26,  29,  32,  35, 38,
                                        41, 46, 52, 59, 68, 81, 101, 139, 196, 428};
    size_t k = (size_t)(20 * u);
    return (size_t)(TWENTIETHS[k] + (TWENTIETHS[k + 1] - TWENTIETHS[k]) * (20 * u - (double)k));
}

static texts mixed_texts(void) {
    size_t lengths[MANY];
    long long state = 12345;
    for (size_t i = 0; i < MANY; i++) {
        state = (state * 1103515245 + 12345) % (1LL << 31);
        lengths[i] = review_length((double)(state >> 8) / 8388608.0);
    }
    return make_texts(lengths, MANY);
}

/* The model is made once: its weights are random, its packed forms are what is measured. */
static bw_transformer *model(void) {
    static bw_transformer *t;
    bw_err err;
    if (!t) {
        if (bw_transformer_new(&MINILM, &t, &err) != BW_OK)
            bench_stop(&err);
        bw_transformer_init(t, 1);
    }
    return t;
}

static const bw_infer *frozen(bw_pack_kind kind) {
    static bw_infer *m[BW_PACK_INT8 + 1];
    bw_err err;
    if (!m[kind] && bw_infer_new(model(), kind, &m[kind], &err) != BW_OK)
        bench_stop(&err);
    return m[kind];
}

double bench_encode(bw_pack_kind kind, const char *name, double seconds, double *mean) {
    bw_err err;
    const bw_infer *m = frozen(kind);
    size_t length = strtoul(name, NULL, 10);
    texts t = length ? equal_texts(2048 / length, length) : mixed_texts();
    float *hidden = malloc(t.batch.n_tokens * DIM * sizeof *hidden);
    double best = 0, end = bench_seconds() + seconds;
    do {
        double start = bench_seconds();
        if (bw_infer_run(m, &t.batch, hidden, &err) != BW_OK)
            bench_stop(&err);
        best = bench_larger(best, (double)t.batch.n_tokens / (bench_seconds() - start));
    } while (bench_seconds() < end);
    *mean = (double)t.batch.n_tokens / (double)t.batch.n_seq;
    free(hidden);
    free_texts(&t);
    return best;
}

/* ---- a fine-tuning step: forward, three-class loss on the first token, backward, clip, AdamW
 * ---- */

static void loss_gradient(const float *hidden, const bw_batch *b, const float *head,
                          float *d_hidden, float *d_head) {
    memset(d_hidden, 0, b->n_tokens * DIM * sizeof *d_hidden);
    for (size_t s = 0; s < b->n_seq; s++) {
        const float *h = hidden + b->start[s] * DIM;
        float score[3] = {0}, p[3];
        for (size_t c = 0; c < 3; c++)
            for (size_t i = 0; i < DIM; i++)
                score[c] += head[c * DIM + i] * h[i];
        bw_softmax(p, score, 1, 3);
        for (size_t c = 0; c < 3; c++) {
            float g = (p[c] - (float)(c == s % 3)) / (float)b->n_seq;
            for (size_t i = 0; i < DIM; i++) {
                d_hidden[b->start[s] * DIM + i] += g * head[c * DIM + i];
                d_head[c * DIM + i] += g * h[i];
            }
        }
    }
}

static bw_optimizer *make_optimizer(bw_params *head) {
    bw_err err;
    bw_optimizer *o = NULL;
    if (bw_params_alloc(head, &err) != BW_OK || bw_params_need_grad(head, &err) != BW_OK ||
        bw_optimizer_new(&(bw_adamw){.lr = 1e-4, .weight_decay = 0.01, .clip = 1}, &o, &err) !=
            BW_OK ||
        bw_optimizer_add(o, "model", bw_transformer_params(model()), (bw_group){0}, &err) !=
            BW_OK ||
        bw_optimizer_add(o, "head", head, (bw_group){0}, &err) != BW_OK)
        bench_stop(&err);
    return o;
}

double bench_train(size_t length, double seconds) {
    bw_err err;
    texts t = equal_texts(32, length);
    bw_params head = {0};
    size_t w = bw_params_add(&head, "head.weight", 2, (size_t[]){3, DIM}, 0);
    bw_optimizer *o = make_optimizer(&head);
    bw_tf_workspace *ws = bw_tf_workspace_new();
    float *d_hidden = malloc(t.batch.n_tokens * DIM * sizeof *d_hidden);
    bw_param_init_normal(&head, w, 0.02f, 1);
    double best = 0, end = bench_seconds() + seconds;
    /* The first step touches new memory: moments, workspace. */
    for (int step = 0; step <= WARM_STEPS || bench_seconds() < end; step++) {
        double start = bench_seconds();
        if (bw_transformer_forward(model(), ws, &t.batch, NULL, &(bw_tf_mode){.train = true},
                                   &err) != BW_OK)
            bench_stop(&err);
        loss_gradient(bw_tf_hidden(ws), &t.batch, bw_param_data(&head, w), d_hidden,
                      bw_param_grad(&head, w));
        if (bw_transformer_backward(model(), ws, d_hidden, &err) != BW_OK ||
            bw_optimizer_step(o, NULL, &err) != BW_OK)
            bench_stop(&err);
        double rate = (double)t.batch.n_tokens / (bench_seconds() - start);
        best = step >= WARM_STEPS ? bench_larger(best, rate) : 0;
    }
    bw_optimizer_free(o);
    bw_params_free(&head);
    bw_tf_workspace_free(ws);
    free(d_hidden);
    free_texts(&t);
    return best;
}
