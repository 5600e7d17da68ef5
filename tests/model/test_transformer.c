/* Whole passes: a sequence alone and in any batch, any number of threads, accumulation, refusals,
 * training that stops and goes on, and a cache that gives what the whole pass gives. */
#include "model/core/decoder.h"
#include "model/core/optimizer.h"
#include "tests/model/shapes.h"

#include <omp.h>
#include <unistd.h>

static bw_err err;

static bw_transformer *make(const bw_tf_config *c, uint64_t seed) {
    bw_transformer *t = NULL;
    CHECK_OK(bw_transformer_new(c, &t, &err));
    bw_transformer_init(t, seed);
    return t;
}

static bool two_sided(const bw_tf_config *c) {
    return c->kind == BW_TF_ENCODER_DECODER;
}

static const size_t LENGTHS[] = {9, 1, 17, 4, 12, 0}, ALONE[] = {17, 0};

/* The third sequence of a batch gives what it gives alone. */
static void test_a_sequence_does_not_feel_its_batch(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        const bw_tf_config *c = &SHAPES[i].config;
        bw_transformer *t = make(c, 3);
        bw_tf_workspace *ws = bw_tf_workspace_new();
        sample *all = malloc(sizeof *all), *one = malloc(sizeof *one);
        fill_sample(all, c, LENGTHS, 11);
        fill_sample(one, c, ALONE, 11);
        size_t first = all->start[2];
        memcpy(one->ids, all->ids + first, 17 * sizeof *one->ids);
        memcpy(one->types, all->types + first, 17 * sizeof *one->types);
        one->batch.ngram_start = all->ngram_start + first;
        one->batch.ngrams = all->ngrams;
        bool two = two_sided(c);
        CHECK_OK(bw_transformer_forward(t, ws, &one->batch, two ? &one->batch : NULL, NULL, &err));
        float alone[17 * 12];
        memcpy(alone, bw_tf_hidden(ws), sizeof alone);
        CHECK_OK(bw_transformer_forward(t, ws, &all->batch, two ? &all->batch : NULL, NULL, &err));
        const float *found = bw_tf_hidden(ws) + first * 12;
        for (size_t k = 0; k < 17 * 12; k++)
            if (!(fabs((double)found[k] - (double)alone[k]) < 1e-5))
                fail_msg("%s: %g in the batch, %g alone", SHAPES[i].name, (double)found[k],
                         (double)alone[k]);
        free(all), free(one);
        bw_tf_workspace_free(ws);
        bw_transformer_free(t);
    }
}

static uint64_t hash_of(const float *x, size_t n) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        h = (h ^ bits) * 1099511628211u;
    }
    return h;
}

enum { SEQS = 400, MOST = 19 };

/* Sequences of 1 to MOST tokens, enough for several chunks of unlike size. */
static bw_batch uneven_batch(size_t vocab, int32_t ids[SEQS * MOST], size_t start[SEQS + 1]) {
    uint64_t s = 8;
    start[0] = 0;
    for (size_t i = 0; i < SEQS; i++)
        start[i + 1] = start[i] + 1 + draw(&s, MOST);
    for (size_t i = 0; i < start[SEQS]; i++)
        ids[i] = (int32_t)draw(&s, vocab);
    return (bw_batch){.ids = ids, .start = start, .n_seq = SEQS, .n_tokens = start[SEQS]};
}

/* A gradient after a pass with dropout. */
static uint64_t fingerprint(const bw_tf_config *config, int threads) {
    bw_tf_config c = *config;
    c.dropout = c.attn_dropout = 0.1f;
    bw_transformer *t = make(&c, 5);
    bw_tf_workspace *ws = bw_tf_workspace_new();
    int32_t ids[SEQS * MOST];
    size_t start[SEQS + 1];
    bw_batch b = uneven_batch(c.vocab, ids, start);
    float *d = malloc(b.n_tokens * c.dim * sizeof *d);
    for (size_t i = 0; i < b.n_tokens * c.dim; i++)
        d[i] = (float)(i % 7) - 3;
    omp_set_num_threads(threads);
    CHECK_OK(bw_transformer_forward(t, ws, &b, two_sided(&c) ? &b : NULL,
                                    &(bw_tf_mode){.train = true, .dropout_seed = 2}, &err));
    CHECK_OK(bw_transformer_backward(t, ws, d, &err));
    omp_set_num_threads(1);
    bw_params *p = bw_transformer_params(t);
    uint64_t h = hash_of(p->grad, p->total);
    free(d);
    bw_tf_workspace_free(ws);
    bw_transformer_free(t);
    return h;
}

static void test_threads_change_no_bit(void **state) {
    (void)state;
    const char *const names[] = {"bert-ngrams", "llama", "t5", "bart", "factorised-ngrams"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (size_t i = 0; i < N_SHAPES; i++)
            if (strcmp(SHAPES[i].name, names[k]) == 0) {
                uint64_t one = fingerprint(&SHAPES[i].config, 1);
                assert_true(one == fingerprint(&SHAPES[i].config, 2));
                assert_true(one == fingerprint(&SHAPES[i].config, 5));
            }
}

/* One tensor of several pieces between two small ones; clipping makes every weight depend on every
 * gradient. */
static uint64_t after_steps(int threads, double *norm) {
    bw_params p = {0};
    bw_optimizer *o = NULL;
    bw_params_add(&p, "a", 1, (size_t[]){7}, 0);
    bw_params_add(&p, "b", 2, (size_t[]){397, 503}, 0);
    bw_params_add(&p, "c", 1, (size_t[]){65537}, BW_PARAM_FIXED);
    CHECK_OK(bw_params_alloc(&p, &err));
    CHECK_OK(bw_optimizer_new(&(bw_adamw){.lr = 0.1, .weight_decay = 0.01, .clip = 1}, &o, &err));
    CHECK_OK(bw_optimizer_add(o, "p", &p, (bw_group){0}, &err));
    uint64_t s = 3;
    omp_set_num_threads(threads);
    for (int step = 0; step < 3; step++) {
        for (size_t i = 0; i < p.total; i++)
            p.grad[i] = (float)draw(&s, 1000) / 100 - 5;
        bw_optimizer_scale_grad(o, 1.0 / 3);
        CHECK_OK(bw_optimizer_step(o, norm, &err));
        for (size_t i = 0; i < p.total; i++)
            assert_true(p.grad[i] == 0);
    }
    omp_set_num_threads(1);
    uint64_t h = hash_of(p.data, p.total);
    for (size_t i = p.total - 65537; i < p.total; i++)
        assert_true(p.data[i] == 0); /* fixed */
    bw_optimizer_free(o);
    bw_params_free(&p);
    return h;
}

static void test_threads_change_no_bit_of_a_step(void **state) {
    (void)state;
    double one, other;
    uint64_t h = after_steps(1, &one);
    assert_true(h == after_steps(2, &other) && one == other);
    assert_true(h == after_steps(5, &other) && one == other);
}

static void test_gradients_add_up_over_passes(void **state) {
    (void)state;
    bw_transformer *t = make(&SHAPES[0].config, 3);
    bw_tf_workspace *ws = bw_tf_workspace_new();
    sample s;
    float d[44 * 12];
    fill_sample(&s, &SHAPES[0].config, LENGTHS, 4);
    for (size_t i = 0; i < s.batch.n_tokens * 12; i++)
        d[i] = 0.5f;
    bw_params *p = bw_transformer_params(t);
    float *once = NULL;
    for (int pass = 0; pass < 2; pass++) {
        CHECK_OK(bw_transformer_forward(t, ws, &s.batch, NULL, &(bw_tf_mode){.train = true}, &err));
        CHECK_OK(bw_transformer_backward(t, ws, d, &err));
        if (!pass) {
            once = malloc(p->total * sizeof *once);
            memcpy(once, p->grad, p->total * sizeof *once);
        }
    }
    for (size_t i = 0; i < p->total; i++)
        CHECK_REL((double)p->grad[i], 2 * (double)once[i], 1e-5);
    CHECK_FAILS(bw_transformer_backward(t, ws, d, &err), BW_EARG, "forward pass");
    free(once);
    bw_tf_workspace_free(ws);
    bw_transformer_free(t);
}

static void test_bad_batches_are_refused(void **state) {
    (void)state;
    bw_transformer *t = make(&SHAPES[1].config, 3);
    bw_tf_workspace *ws = bw_tf_workspace_new();
    sample s;
    fill_sample(&s, &SHAPES[1].config, (size_t[]){3, 2, 0}, 4);
    s.ids[4] = 37;
    CHECK_FAILS(bw_transformer_forward(t, ws, &s.batch, NULL, NULL, &err), BW_EARG, "token id 37");
    s.ids[4] = -1;
    CHECK_FAILS(bw_transformer_forward(t, ws, &s.batch, NULL, NULL, &err), BW_EARG, "token id -1");
    s.ids[4] = 36;
    s.start[1] = 5;
    CHECK_FAILS(bw_transformer_forward(t, ws, &s.batch, NULL, NULL, &err), BW_EARG, "empty");
    s.start[1] = 3;
    s.ngrams[0] = 11;
    s.ngram_start[5] = s.ngram_start[5] ? s.ngram_start[5] : 1;
    CHECK_FAILS(bw_transformer_forward(t, ws, &s.batch, NULL, NULL, &err), BW_EARG, "bucket 11");
    fill_sample(&s, &SHAPES[1].config, (size_t[]){20, 0}, 4);
    CHECK_FAILS(bw_transformer_forward(t, ws, &s.batch, NULL, NULL, &err), BW_EARG, "20 tokens");
    bw_tf_workspace_free(ws);
    bw_transformer_free(t);
}

static void test_configurations_that_cannot_be(void **state) {
    (void)state;
    bw_transformer *t = NULL;
    bw_tf_config c = SHAPES[0].config;
    c.enc.heads = 5;
    c.enc.kv_heads = 3;
    CHECK_FAILS(bw_transformer_new(&c, &t, &err), BW_EARG, "5 heads");
    c = SHAPES[0].config;
    c.lm = true;
    CHECK_FAILS(bw_transformer_new(&c, &t, &err), BW_EARG, "decoder");
    c = SHAPES[4].config;
    c.head_dim = 5;
    CHECK_FAILS(bw_transformer_new(&c, &t, &err), BW_EARG, "even head size");
    c = SHAPES[0].config;
    c.vocab = (size_t)1 << 40;
    CHECK_FAILS(bw_transformer_new(&c, &t, &err), BW_EARG, "vocabulary");
    assert_null(t);
}

/* ---- training that stops and goes on ---- */

static void steps(bw_transformer *t, bw_optimizer *o, bw_tf_workspace *ws, size_t from, size_t to) {
    sample s;
    fill_sample(&s, bw_transformer_config(t), LENGTHS, 4);
    float d[44 * 12];
    for (size_t k = from; k < to; k++) {
        CHECK_OK(bw_transformer_forward(t, ws, &s.batch, NULL,
                                        &(bw_tf_mode){.train = true, .dropout_seed = k}, &err));
        for (size_t i = 0; i < s.batch.n_tokens * 12; i++)
            d[i] = bw_tf_hidden(ws)[i] - (float)(i % 5);
        CHECK_OK(bw_transformer_backward(t, ws, d, &err));
        CHECK_OK(bw_optimizer_step(o, NULL, &err));
    }
}

static bw_optimizer *optimizer_for(bw_transformer *t) {
    bw_optimizer *o = NULL;
    CHECK_OK(bw_optimizer_new(&(bw_adamw){.lr = 0.01,
                                          .weight_decay = 0.1,
                                          .clip = 1,
                                          .warmup = 3,
                                          .total = 12,
                                          .decay = BW_LR_COSINE},
                              &o, &err));
    CHECK_OK(bw_optimizer_add(o, "model", bw_transformer_params(t), (bw_group){.layer_decay = 0.8},
                              &err));
    return o;
}

static void test_a_resumed_run_is_the_same_run(void **state) {
    (void)state;
    char path[] = "/tmp/bw_stateXXXXXX";
    close(mkstemp(path));
    bw_tf_config c = SHAPES[0].config;
    c.dropout = 0.2f;
    bw_tf_workspace *ws = bw_tf_workspace_new();
    bw_transformer *whole = make(&c, 3), *half = make(&c, 3), *rest = make(&c, 99);
    bw_optimizer *a = optimizer_for(whole), *b = optimizer_for(half), *r = optimizer_for(rest);
    steps(whole, a, ws, 0, 10);
    steps(half, b, ws, 0, 4);
    CHECK_OK(bw_optimizer_save(b, path, &err));
    bw_params *pw = bw_transformer_params(whole), *ph = bw_transformer_params(half);
    bw_params *pr = bw_transformer_params(rest);
    memcpy(pr->data, ph->data, ph->total * sizeof *ph->data);
    CHECK_OK(bw_optimizer_load(r, path, &err));
    assert_int_equal(bw_optimizer_steps(r), 4);
    steps(rest, r, ws, 4, 10);
    assert_memory_equal(pr->data, pw->data, pw->total * sizeof *pw->data);
    unlink(path);
    bw_optimizer_free(a), bw_optimizer_free(b), bw_optimizer_free(r);
    bw_transformer_free(whole), bw_transformer_free(half), bw_transformer_free(rest);
    bw_tf_workspace_free(ws);
}

/* Expected: the update worked out by hand for gradient 0.5, then -1, lr 0.1, decay 0.01. */
static void test_adamw_by_hand(void **state) {
    (void)state;
    bw_params p = {0};
    bw_params_add(&p, "w", 1, (size_t[]){1}, 0);
    CHECK_OK(bw_params_alloc(&p, &err));
    bw_optimizer *o = NULL;
    CHECK_OK(bw_optimizer_new(&(bw_adamw){.lr = 0.1, .weight_decay = 0.01}, &o, &err));
    CHECK_OK(bw_optimizer_add(o, "p", &p, (bw_group){0}, &err));
    p.data[0] = 2;
    double w = 2, m = 0, v = 0, g[] = {0.5, -1};
    for (int k = 1; k <= 2; k++) {
        p.grad[0] = (float)g[k - 1];
        CHECK_OK(bw_optimizer_step(o, NULL, &err));
        m = 0.9 * m + 0.1 * g[k - 1];
        v = 0.999 * v + 0.001 * g[k - 1] * g[k - 1];
        w = w * (1 - 0.1 * 0.01) -
            0.1 * (m / (1 - pow(0.9, k))) / (sqrt(v / (1 - pow(0.999, k))) + 1e-8);
        CHECK_NEAR((double)p.data[0], w, 1e-6);
        assert_true(p.grad[0] == 0);
    }
    p.grad[0] = NAN;
    CHECK_FAILS(bw_optimizer_step(o, NULL, &err), BW_EDATA, "step 3");
    CHECK_NEAR((double)p.data[0], w, 1e-6);
    bw_optimizer_free(o);
    bw_params_free(&p);
}

static void test_the_schedule_rises_and_falls(void **state) {
    (void)state;
    bw_adamw s = {.lr = 2, .warmup = 4, .total = 14, .final_ratio = 0.1};
    CHECK_NEAR(bw_adamw_lr(&s, 1), 0.5, 1e-12);
    CHECK_NEAR(bw_adamw_lr(&s, 4), 2, 1e-12);
    CHECK_NEAR(bw_adamw_lr(&s, 9), 2 * (0.1 + 0.9 * 0.5), 1e-12);
    CHECK_NEAR(bw_adamw_lr(&s, 14), 0.2, 1e-12);
    CHECK_NEAR(bw_adamw_lr(&s, 99), 0.2, 1e-12);
    s.decay = BW_LR_COSINE;
    CHECK_NEAR(bw_adamw_lr(&s, 9), 2 * (0.1 + 0.9 * 0.5), 1e-12); /* the cosine's middle too */
    CHECK_NEAR(bw_adamw_lr(&s, 6), 2 * (0.1 + 0.9 * 0.5 * (1 + cos(0.2 * M_PI))), 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sequence_does_not_feel_its_batch),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_threads_change_no_bit_of_a_step),
        cmocka_unit_test(test_gradients_add_up_over_passes),
        cmocka_unit_test(test_bad_batches_are_refused),
        cmocka_unit_test(test_configurations_that_cannot_be),
        cmocka_unit_test(test_a_resumed_run_is_the_same_run),
        cmocka_unit_test(test_adamw_by_hand),
        cmocka_unit_test(test_the_schedule_rises_and_falls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
