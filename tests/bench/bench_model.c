/* tests/bench/bench_model.c - tokens a second of this program's own kernels, encoder and training
 * step, as "name value" lines; tests/bench/model.sh sets them beside the peer's.
 * usage: bench_model kernels|encode|train SECONDS */
#include "tests/bench/roof.h"

#include "model/infer/infer.h"
#include "model/core/ops.h"
#include "model/core/optimizer.h"
#include "model/infer/packed.h"
#include "model/core/transformer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOCAB      30522
#define DIM        384
#define FFN        1536
#define WARM_STEPS 3

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

static void stop(bw_err *err) {
    fprintf(stderr, "bench_model: %s\n", err->text);
    exit(1);
}

static float uniform(void) {
    return (float)rand() / (float)RAND_MAX - 0.5f;
}

/* ---- kernels: one product of M rows, share of the roof ---- */

static double product_rate(bw_pack_kind kind, size_t rows, size_t in, size_t out, double seconds) {
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
        stop(&err);
    double best = 0, end = bench_seconds() + seconds;
    size_t repeats = 1 + 2048 / rows;
    while (bench_seconds() < end) {
        double start = bench_seconds();
        for (size_t i = 0; i < repeats; i++) {
            bw_rows_pack(kind, x, rows, in, work);
            bw_packed_mul(p, work, rows, BW_FUSE_NONE, y, out);
        }
        double rate = 2.0 * (double)(rows * in * out * repeats) / (bench_seconds() - start);
        best = rate > best ? rate : best;
    }
    bw_packed_free(p);
    free(W), free(x), free(y), free(work);
    return best;
}

static void kernels(double seconds) {
    static const char *const NAMES[] = {"f32", "bf16", "int8"};
    static const size_t ROWS[] = {1, 8, 128, 1024};
    for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++) {
        double roof = bench_roof(kind);
        printf("roof_%s %.1f\n", NAMES[kind], roof / 1e9);
        for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
            printf("kernel_%s_%zu %.1f\n", NAMES[kind], ROWS[i],
                   product_rate((bw_pack_kind)kind, ROWS[i], DIM, FFN, seconds) / 1e9);
    }
}

/* ---- encoder ---- */

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

/* Lengths like reviews': half below 30 tokens, a long tail; the generator of peer_torch.py. */
static texts mixed_texts(void) {
    size_t lengths[256];
    long long state = 12345;
    for (size_t i = 0; i < 256; i++) {
        state = (state * 1103515245 + 12345) % (1LL << 31);
        double u = (double)(state >> 8) / 8388608.0;
        lengths[i] = u < 0.999 ? (size_t)(8 + 120 * u * u * u / (1 - 0.9 * u)) : 400;
        lengths[i] = lengths[i] < 400 ? lengths[i] : 400;
    }
    return make_texts(lengths, 256);
}

static double encode_rate(const bw_infer *m, const texts *t, double seconds) {
    bw_err err;
    float *hidden = malloc(t->batch.n_tokens * DIM * sizeof *hidden);
    double best = 0, end = bench_seconds() + seconds;
    while (bench_seconds() < end) {
        double start = bench_seconds();
        if (bw_infer_run(m, &t->batch, hidden, &err) != BW_OK)
            stop(&err);
        double rate = (double)t->batch.n_tokens / (bench_seconds() - start);
        best = rate > best ? rate : best;
    }
    free(hidden);
    return best;
}

static void encode(const bw_transformer *model, double seconds) {
    static const char *const NAMES[] = {"f32", "bf16", "int8"};
    bw_err err;
    texts t32 = equal_texts(64, 32), t128 = equal_texts(8, 128), mixed = mixed_texts();
    for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++) {
        bw_infer *m;
        if (bw_infer_new(model, (bw_pack_kind)kind, &m, &err) != BW_OK)
            stop(&err);
        printf("encode_32_%s %.1f\n", NAMES[kind], encode_rate(m, &t32, seconds));
        printf("encode_128_%s %.1f\n", NAMES[kind], encode_rate(m, &t128, seconds));
        printf("encode_mixed_%s %.1f\n", NAMES[kind], encode_rate(m, &mixed, seconds));
        bw_infer_free(m);
    }
}

/* ---- a fine-tuning step: forward, three-class loss on the first token, backward, clip, AdamW ---- */

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

static double train_rate(bw_transformer *model, size_t length, double seconds) {
    bw_err err;
    texts t = equal_texts(32, length);
    bw_params head = {0};
    size_t w = bw_params_add(&head, "head.weight", 2, (size_t[]){3, DIM}, 0);
    bw_optimizer *o = NULL;
    bw_tf_workspace *ws = bw_tf_workspace_new();
    float *d_hidden = malloc(t.batch.n_tokens * DIM * sizeof *d_hidden);
    if (bw_params_alloc(&head, &err) != BW_OK || bw_params_need_grad(&head, &err) != BW_OK ||
        bw_optimizer_new(&(bw_adamw){.lr = 1e-4, .weight_decay = 0.01, .clip = 1}, &o, &err) !=
            BW_OK ||
        bw_optimizer_add(o, "model", bw_transformer_params(model), (bw_group){0}, &err) != BW_OK ||
        bw_optimizer_add(o, "head", &head, (bw_group){0}, &err) != BW_OK)
        stop(&err);
    bw_param_init_normal(&head, w, 0.02f, 1);
    double best = 0, end = bench_seconds() + seconds;
    /* The first steps touch new memory: moments, workspace. */
    for (int step = 0; step < WARM_STEPS + 4 || bench_seconds() < end; step++) {
        double start = bench_seconds();
        if (bw_transformer_forward(model, ws, &t.batch, NULL, &(bw_tf_mode){.train = true}, &err) !=
            BW_OK)
            stop(&err);
        loss_gradient(bw_tf_hidden(ws), &t.batch, bw_param_data(&head, w), d_hidden,
                      bw_param_grad(&head, w));
        if (bw_transformer_backward(model, ws, d_hidden, &err) != BW_OK ||
            bw_optimizer_step(o, NULL, &err) != BW_OK)
            stop(&err);
        double rate = (double)t.batch.n_tokens / (bench_seconds() - start);
        best = step >= WARM_STEPS && rate > best ? rate : best;
    }
    bw_optimizer_free(o);
    bw_params_free(&head);
    bw_tf_workspace_free(ws);
    free(d_hidden);
    return best;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("usage: bench_model kernels|encode|train SECONDS\n", stderr);
        return 2;
    }
    double seconds = atof(argv[2]);
    if (!strcmp(argv[1], "kernels")) {
        kernels(seconds);
        return 0;
    }
    bw_err err;
    bw_transformer *model;
    if (bw_transformer_new(&MINILM, &model, &err) != BW_OK)
        stop(&err);
    bw_transformer_init(model, 1);
    if (!strcmp(argv[1], "encode")) {
        encode(model, seconds);
    } else {
        printf("train_32 %.1f\n", train_rate(model, 32, seconds));
        printf("train_128 %.1f\n", train_rate(model, 128, seconds));
    }
    bw_transformer_free(model);
    return 0;
}
