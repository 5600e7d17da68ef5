/* tests/model/test_infer.c - the frozen encoder against the training forward pass, and a sequence's
 * result against the batch it comes in. */
#include "tests/check.h"
#include "model/infer/infer.h"

#include <omp.h>
#include <stdlib.h>

#define DIM 42 /* 3 heads of 14: no whole number of lanes */

static const bw_tf_config SHAPE = {.kind = BW_TF_ENCODER,
                                   .vocab = 97,
                                   .dim = DIM,
                                   .enc = {.layers = 2, .heads = 3, .ffn = 100},
                                   .max_positions = 400,
                                   .norm_eps = 1e-12f,
                                   .qkv_bias = true,
                                   .out_bias = true,
                                   .ffn_bias = true,
                                   .pos = BW_POS_LEARNED,
                                   .token_types = 2,
                                   .embed_norm = true,
                                   .ngram_buckets = 31,
                                   .init_std = 0.2f};

/* Lengths from one token to more than a chunk. */
static const size_t START[] = {0, 1, 34, 41, 341, 358};
#define N_SEQ    5
#define N_TOKENS 358

typedef struct {
    int32_t ids[N_TOKENS], types[N_TOKENS], grams[N_TOKENS];
    size_t gram_start[N_TOKENS + 1];
} tokens;

static bw_batch make_batch(tokens *t) {
    for (size_t i = 0; i < N_TOKENS; i++) {
        t->ids[i] = (int32_t)(i * 37 % 97);
        t->types[i] = (int32_t)(i % 2);
        t->grams[i] = (int32_t)(i * 11 % 31);
        t->gram_start[i + 1] = i / 2 + 1; /* one n-gram for every other token */
    }
    t->gram_start[0] = 0;
    return (bw_batch){.ids = t->ids,
                      .types = t->types,
                      .start = START,
                      .n_seq = N_SEQ,
                      .n_tokens = N_TOKENS,
                      .ngram_start = t->gram_start,
                      .ngrams = t->grams};
}

static bw_transformer *make_encoder(bool pre_norm, bw_act act) {
    bw_err err;
    bw_transformer *t;
    bw_tf_config c = SHAPE;
    c.pre_norm = pre_norm;
    c.act = act;
    c.embed_dim = pre_norm ? DIM / 2 + 1 : 0; /* factorised embeddings on one of the two */
    CHECK_OK(bw_transformer_new(&c, &t, &err));
    bw_transformer_init(t, 5);
    return t;
}

static double worst_gap(const float *a, const float *b, size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)a[i] - b[i]));
    return worst;
}

static void run(const bw_transformer *t, bw_pack_kind kind, const bw_batch *b, float *hidden) {
    bw_err err;
    bw_infer *m;
    CHECK_OK(bw_infer_new(t, kind, &m, &err));
    CHECK_OK(bw_infer_run(m, b, hidden, &err));
    bw_infer_free(m);
}

/* Tolerances: f32 by its rounding; bf16 keeps 8 bits, int8 7 bits of values around 1 that pass two
 * layers. */
static void agrees_with_the_training_pass(void **state) {
    (void)state;
    bw_err err;
    tokens k;
    bw_batch b = make_batch(&k);
    float *hidden = malloc(N_TOKENS * DIM * sizeof *hidden);
    const double bound[] = {2e-5, 0.05, 0.15};
    for (int pre = 0; pre < 2; pre++) {
        bw_transformer *t = make_encoder(pre, pre ? BW_ACT_RELU : BW_ACT_GELU);
        bw_tf_workspace *ws = bw_tf_workspace_new();
        CHECK_OK(bw_transformer_forward(t, ws, &b, NULL, NULL, &err));
        for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++) {
            run(t, (bw_pack_kind)kind, &b, hidden);
            double gap = worst_gap(hidden, bw_tf_hidden(ws), N_TOKENS * DIM);
            if (!(gap < bound[kind]))
                fail_msg("kind %d, pre-norm %d: off by %g", kind, pre, gap);
        }
        bw_tf_workspace_free(ws);
        bw_transformer_free(t);
    }
    free(hidden);
}

static bw_batch sequence_of(const tokens *k, size_t s, const size_t start[2]) {
    return (bw_batch){.ids = k->ids + START[s],
                      .types = k->types + START[s],
                      .start = start,
                      .n_seq = 1,
                      .n_tokens = START[s + 1] - START[s],
                      .ngram_start = k->gram_start + START[s],
                      .ngrams = k->grams};
}

static void a_sequence_does_not_depend_on_its_batch(void **state) {
    (void)state;
    tokens k;
    bw_batch b = make_batch(&k);
    float *all = malloc(N_TOKENS * DIM * sizeof *all), *one = malloc(N_TOKENS * DIM * sizeof *one);
    for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++) {
        bw_transformer *t = make_encoder(kind == BW_PACK_BF16, BW_ACT_GELU);
        run(t, (bw_pack_kind)kind, &b, all);
        for (size_t s = 0; s < N_SEQ; s++) {
            size_t n = START[s + 1] - START[s], start[2] = {0, n};
            bw_batch single = sequence_of(&k, s, start);
            run(t, (bw_pack_kind)kind, &single, one);
            assert_memory_equal(one, all + START[s] * DIM, n * DIM * sizeof *one);
        }
        bw_transformer_free(t);
    }
    free(all), free(one);
}

static void threads_do_not_change_the_result(void **state) {
    (void)state;
    tokens k;
    bw_batch b = make_batch(&k);
    bw_transformer *t = make_encoder(false, BW_ACT_GELU);
    float *one = malloc(N_TOKENS * DIM * sizeof *one), *many = malloc(N_TOKENS * DIM * sizeof *one);
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    run(t, BW_PACK_INT8, &b, one);
    omp_set_num_threads(5);
    run(t, BW_PACK_INT8, &b, many);
    omp_set_num_threads(threads);
    assert_memory_equal(one, many, N_TOKENS * DIM * sizeof *one);
    free(one), free(many);
    bw_transformer_free(t);
}

/* The norms before and behind the blocks, and every fused activation. */
static void int8_is_the_same_on_every_instruction_set(void **state) {
    (void)state;
    tokens k;
    bw_batch b = make_batch(&k);
    float *plain = malloc(N_TOKENS * DIM * sizeof *plain), *y = malloc(N_TOKENS * DIM * sizeof *y);
    const bw_act acts[] = {BW_ACT_GELU, BW_ACT_RELU, BW_ACT_SILU};
    for (int i = 0; i < 3; i++) {
        bw_transformer *t = make_encoder(i % 2 == 0, acts[i]);
        bw_isa_force(BW_ISA_PLAIN);
        run(t, BW_PACK_INT8, &b, plain);
        for (int isa = BW_ISA_NEON; isa < BW_ISA_COUNT; isa++)
            if (bw_isa_force((bw_isa)isa)) {
                run(t, BW_PACK_INT8, &b, y);
                assert_memory_equal(y, plain, N_TOKENS * DIM * sizeof *y);
            }
        bw_isa_force(BW_ISA_COUNT);
        bw_transformer_free(t);
    }
    free(plain), free(y);
}

static void refuses_what_it_cannot_freeze(void **state) {
    (void)state;
    bw_err err;
    bw_infer *m;
    bw_transformer *t = make_encoder(false, BW_ACT_GELU_TANH);
    CHECK_FAILS(bw_infer_new(t, BW_PACK_F32, &m, &err), BW_EARG, "GELU");
    assert_null(m);
    bw_transformer_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_training_pass),
        cmocka_unit_test(a_sequence_does_not_depend_on_its_batch),
        cmocka_unit_test(threads_do_not_change_the_result),
        cmocka_unit_test(int8_is_the_same_on_every_instruction_set),
        cmocka_unit_test(refuses_what_it_cannot_freeze),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
