/* The key/value cache gives what a whole pass gives, alone and beside others, copied and cut. */
#include "model/core/decoder.h"
#include "model/core/objective.h"
#include "model/core/pace.h"
#include "tests/model/shapes.h"

#include <omp.h>

static bw_err err;

/* Shapes with a decoder, given a language-model head. */
static bool decodes(size_t i, bw_tf_config *c) {
    *c = SHAPES[i].config;
    c->lm = true;
    c->lm_scale = 0.7f;
    return c->kind != BW_TF_ENCODER;
}

/* Scores after every token of s, by a whole pass: [n_tokens, vocab]; caller frees. */
static float *whole_pass(bw_transformer *t, const sample *source, const sample *s) {
    bw_tf_workspace *ws = bw_tf_workspace_new();
    bw_objective *o = bw_objective_new();
    bool two = bw_transformer_config(t)->kind == BW_TF_ENCODER_DECODER;
    CHECK_OK(bw_transformer_forward(t, ws, two ? &source->batch : &s->batch, two ? &s->batch : NULL,
                                    NULL, &err));
    float *logits = malloc(s->batch.n_tokens * bw_transformer_config(t)->vocab * sizeof *logits);
    CHECK_OK(bw_head_tokens(t, o, bw_tf_hidden(ws), s->batch.n_tokens, logits, &err));
    bw_tf_workspace_free(ws);
    bw_objective_free(o);
    return logits;
}

typedef struct {
    bw_transformer *t;
    sample source, s;
    float *expected;
    bw_kv_cache *cache;
} fixture;

static void set_up(fixture *f, const bw_tf_config *c, size_t n_seq) {
    static const size_t SOURCE[] = {4, 9, 2, 0}, TEXT[] = {9, 9, 9, 0};
    size_t source[4] = {0}, text[4] = {0};
    memcpy(source, SOURCE, n_seq * sizeof *source);
    memcpy(text, TEXT, n_seq * sizeof *text);
    CHECK_OK(bw_transformer_new(c, &f->t, &err));
    bw_transformer_init(f->t, 4);
    fill_sample(&f->source, c, source, 1);
    fill_sample(&f->s, c, text, 2);
    f->expected = whole_pass(f->t, &f->source, &f->s);
    CHECK_OK(bw_kv_cache_new(f->t, n_seq, 12, &f->cache, &err));
    if (c->kind == BW_TF_ENCODER_DECODER)
        CHECK_OK(bw_kv_encode(f->cache, &f->source.batch, &err));
}

static void tear_down(fixture *f) {
    bw_kv_cache_free(f->cache);
    bw_transformer_free(f->t);
    free(f->expected);
}

/* Appends tokens from .. to - 1 of sequence s to slot `slot`. */
static void append(fixture *f, size_t slot, size_t s, size_t from, size_t to, float *logits) {
    bw_batch b = {.ids = f->s.ids + f->s.start[s] + from,
                  .start = (size_t[]){0, to - from},
                  .n_seq = 1,
                  .n_tokens = to - from};
    CHECK_OK(bw_kv_append(f->cache, &slot, &b, logits, &err));
}

static void check(const fixture *f, size_t s, size_t token, const float *logits, const char *what) {
    size_t vocab = bw_transformer_config(f->t)->vocab;
    const float *e = f->expected + (f->s.start[s] + token) * vocab;
    for (size_t i = 0; i < vocab; i++)
        if (!(fabs((double)logits[i] - (double)e[i]) < 2e-5 * fmax(1, fabs((double)e[i]))))
            fail_msg("%s after token %zu: score %zu is %g, a whole pass gives %g", what, token, i,
                     (double)logits[i], (double)e[i]);
}

static void test_steps_equal_a_whole_pass(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        bw_tf_config c;
        if (!decodes(i, &c))
            continue;
        fixture f;
        float logits[37];
        set_up(&f, &c, 1);
        append(&f, 0, 0, 0, 6, logits); /* prefill in tiles, then two at a time, then one */
        check(&f, 0, 5, logits, SHAPES[i].name);
        append(&f, 0, 0, 6, 8, logits);
        check(&f, 0, 7, logits, SHAPES[i].name);
        append(&f, 0, 0, 8, 9, logits);
        check(&f, 0, 8, logits, SHAPES[i].name);
        tear_down(&f);
    }
}

static void test_neighbours_change_no_bit(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        bw_tf_config c;
        if (!decodes(i, &c) || c.kind != BW_TF_DECODER)
            continue;
        fixture f;
        float together[3 * 37], alone[37];
        set_up(&f, &c, 3);
        CHECK_OK(bw_kv_append(f.cache, NULL, &f.s.batch, together, &err));
        check(&f, 2, 8, together + 2 * 37, SHAPES[i].name);
        bw_kv_truncate(f.cache, 0, 0);
        append(&f, 0, 2, 0, 9, alone);
        assert_memory_equal(alone, together + 2 * 37, sizeof alone);
        tear_down(&f);
    }
}

static void test_reorder_copies_and_keeps_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        bw_tf_config c;
        if (!decodes(i, &c))
            continue;
        fixture f;
        float logits[37];
        set_up(&f, &c, 3);
        for (size_t s = 0; s < 3; s++)
            append(&f, s, s, 0, 5, logits);
        CHECK_OK(bw_kv_reorder(f.cache, (size_t[]){2, 2, 0}, &err));
        append(&f, 0, 0, 3, 4, logits); /* something else into the first of the two copies */
        append(&f, 1, 2, 5, 6, logits);
        check(&f, 2, 5, logits, SHAPES[i].name);
        append(&f, 2, 0, 5, 6, logits);
        check(&f, 0, 5, logits, SHAPES[i].name);
        CHECK_OK(bw_kv_reorder(f.cache, (size_t[]){1, 0, 1}, &err));
        append(&f, 2, 2, 6, 7, logits);
        check(&f, 2, 6, logits, SHAPES[i].name);
        bw_kv_truncate(f.cache, 0, 4);
        append(&f, 0, 2, 4, 9, logits);
        check(&f, 2, 8, logits, SHAPES[i].name);
        tear_down(&f);
    }
}

/* Wide enough that products and attention are shared among threads. */
static const bw_tf_config WIDE = {.kind = BW_TF_DECODER,
                                  .vocab = 1100,
                                  .dim = 192,
                                  .dec = {.layers = 2, .heads = 6, .kv_heads = 3, .ffn = 260},
                                  .norm = BW_NORM_RMS,
                                  .pre_norm = true,
                                  .norm_eps = 1e-5f,
                                  .act = BW_ACT_SILU,
                                  .gated = true,
                                  .pos = BW_POS_ROTARY,
                                  .rope_theta = 10000,
                                  .lm = true};

/* A prefill of 3 sequences, then one token each, twice: the first time the products are shared, the
 * second time not. Scores of all, [3][3 * vocab]. */
static void scores_on(int threads, const bw_decoder *d, float *logits) {
    enum { LONG = 401 };
    static const size_t START[] = {0, LONG, LONG + 67, LONG + 68}, STEP[] = {0, 1, 2, 3};
    int32_t ids[LONG + 68];
    for (size_t i = 0; i < LONG + 68; i++)
        ids[i] = (int32_t)(i * 131 % WIDE.vocab);
    omp_set_num_threads(threads);
    bw_kv_cache *c;
    CHECK_OK(bw_kv_cache_of(d, 3, LONG + 2, &c, &err));
    bw_batch prompt = {.ids = ids, .start = START, .n_seq = 3, .n_tokens = START[3]};
    bw_batch one = {.ids = ids + 7, .start = STEP, .n_seq = 3, .n_tokens = 3};
    CHECK_OK(bw_kv_append(c, NULL, &prompt, logits, &err));
    for (size_t i = 1; i < 3; i++)
        CHECK_OK(bw_kv_append(c, NULL, &one, logits + i * 3 * WIDE.vocab, &err));
    bw_kv_cache_free(c);
}

static void test_threads_change_no_bit(void **state) {
    (void)state;
    bw_transformer *t;
    CHECK_OK(bw_transformer_new(&WIDE, &t, &err));
    bw_transformer_init(t, 9);
    for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++) {
        bw_decoder *d;
        float logits[3][9 * 1100];
        CHECK_OK(bw_decoder_new(t, (bw_pack_kind)kind, &d, &err));
        for (int threads = 1; threads <= 3; threads++)
            scores_on(threads, d, logits[threads - 1]);
        assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
        assert_memory_equal(logits[0], logits[2], sizeof logits[0]);
        bw_decoder_free(d);
    }
    bw_transformer_free(t);
}

/* Runs n steps that take `alone` or `shared` seconds; gives how many were shared. */
static size_t shared_of(bw_pace *p, size_t n, double alone, double shared) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool all = bw_pace_next(p);
        count += all;
        bw_pace_note(p, all ? shared : alone);
    }
    return count;
}

static void test_steps_take_the_faster_way(void **state) {
    (void)state;
    bw_pace p = {0};
    size_t n = shared_of(&p, 1000, 2, 1);
    assert_in_range(n, 990, 999); /* a trial at 2, then after 16, 32, 64, ... */
    n = shared_of(&p, 1000, 2, 50);
    assert_in_range(n, 1, 600); /* the next trial finds out, 512 steps or fewer away */
    assert_in_range(shared_of(&p, 1000, 2, 50), 0, 4);
    assert_in_range(shared_of(&p, 3000, 2, 1), 1500, 3000);
}

/* The first shared step starts the threads; it alone says nothing. */
static void test_a_cold_first_step_does_not_decide(void **state) {
    (void)state;
    bw_pace p = {0};
    assert_true(bw_pace_next(&p));
    bw_pace_note(&p, 100);
    assert_int_equal(shared_of(&p, 3, 2, 1), 1);
    assert_int_equal(shared_of(&p, 16, 2, 1), 16);
}

static void test_what_does_not_fit_is_refused(void **state) {
    (void)state;
    bw_tf_config c;
    size_t i = 0;
    while (!decodes(i, &c))
        i++;
    fixture f;
    float logits[37];
    set_up(&f, &c, 1);
    append(&f, 0, 0, 0, 9, logits);
    bw_batch more = {.ids = f.s.ids, .start = (size_t[]){0, 4}, .n_seq = 1, .n_tokens = 4};
    CHECK_FAILS(bw_kv_append(f.cache, NULL, &more, logits, &err), BW_EARG, "4 more exceed the 12");
    assert_int_equal(bw_kv_length(f.cache, 0), 9);
    bw_kv_cache *cache = NULL;
    CHECK_FAILS(bw_kv_cache_new(f.t, 1, 20, &cache, &err), BW_EARG, "19 positions");
    CHECK_FAILS(bw_kv_encode(f.cache, &f.s.batch, &err), BW_EARG, "no source");
    tear_down(&f);
    bw_transformer *encoder = NULL;
    CHECK_OK(bw_transformer_new(&SHAPES[0].config, &encoder, &err));
    CHECK_FAILS(bw_kv_cache_new(encoder, 1, 5, &cache, &err), BW_EARG, "no decoder");
    bw_transformer_free(encoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_equal_a_whole_pass),
        cmocka_unit_test(test_neighbours_change_no_bit),
        cmocka_unit_test(test_reorder_copies_and_keeps_apart),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_steps_take_the_faster_way),
        cmocka_unit_test(test_a_cold_first_step_does_not_decide),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
