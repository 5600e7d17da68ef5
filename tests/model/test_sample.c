/* tests/model/test_sample.c - processors on vectors small enough to work out by hand. */
#include "tests/check.h"
#include "model/generate/sample.h"

static bw_err err;

/* Scores whose softmax is 1/2, 1/4, 1/8, 1/16, 1/16. */
static void halves(float x[5]) {
    const double p[] = {0.5, 0.25, 0.125, 0.0625, 0.0625};
    for (int i = 0; i < 5; i++)
        x[i] = (float)log(p[i]) + 3;
}

/* Applies a chain and returns the kept tokens as bits. */
static unsigned kept(const char *chain, const bw_history *h, float *x, size_t n) {
    bw_processors p = {0};
    bw_sampler *s = bw_sampler_new(n);
    CHECK_OK(bw_processors_parse(&p, chain, &err));
    bw_sampler_apply(s, &p, h ? h : &(bw_history){0}, x);
    bw_sampler_free(s);
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++)
        bits |= (unsigned)(x[i] > -INFINITY) << i;
    return bits;
}

static unsigned kept_of_halves(const char *chain) {
    float x[5];
    halves(x);
    return kept(chain, NULL, x, 5);
}

static void top_k_keeps_every_token_tied_with_the_last(void **state) {
    (void)state;
    assert_int_equal(kept_of_halves("top_k=1"), 0x01);
    assert_int_equal(kept_of_halves("top_k=3"), 0x07);
    assert_int_equal(kept_of_halves("top_k=4"), 0x1F);
    assert_int_equal(kept_of_halves("top_k=1000"), 0x1F);
    float tied[] = {-1, 2, 0, 2, -3, 2, 1};
    assert_int_equal(kept("top_k=2", NULL, tied, 7), 0x2A);
}

/* Dropped from below while the mass dropped is at most 1 - p: 1/16, 1/8, 1/4, 1/2. */
static void top_p_drops_the_unlikely_tail(void **state) {
    (void)state;
    assert_int_equal(kept_of_halves("top_p=0.76"), 0x07);
    assert_int_equal(kept_of_halves("top_p=0.74"), 0x03);
    assert_int_equal(kept_of_halves("top_p=0.95"), 0x1F);
    assert_int_equal(kept_of_halves("top_p=0"), 0x01);
    assert_int_equal(kept_of_halves("top_p=1"), 0x1F);
    assert_int_equal(kept_of_halves("top_k=2,top_p=0.5"), 0x01); /* of 2/3 and 1/3 */
}

static void min_p_is_relative_to_the_likeliest(void **state) {
    (void)state;
    assert_int_equal(kept_of_halves("min_p=0.4"), 0x03);
    assert_int_equal(kept_of_halves("min_p=0.2"), 0x07);
    assert_int_equal(kept_of_halves("min_p=1"), 0x01);
}

/* Entropy of the halves is 1.875 bits; surprises are 1, 2, 3, 4, 4 bits, so tokens come in the
 * order 1 (0.125 away), 0 (0.875), 2 (1.125), 3 and 4 (2.125). Mass 0.25, 0.75, 0.875, 1. */
static void typical_p_prefers_average_surprise(void **state) {
    (void)state;
    assert_int_equal(kept_of_halves("typical_p=0.2"), 0x02);
    assert_int_equal(kept_of_halves("typical_p=0.7"), 0x03);
    assert_int_equal(kept_of_halves("typical_p=0.8"), 0x07);
    assert_int_equal(kept_of_halves("typical_p=0.9"), 0x1F); /* tokens 3 and 4 are tied */
}

static void repetition_penalty_counts_a_token_once(void **state) {
    (void)state;
    const int32_t seen[] = {1, 0, 1, 1};
    float x[] = {3, -2, 1};
    kept("repetition_penalty=2", &(bw_history){.ids = seen, .n = 4}, x, 3);
    CHECK_NEAR(x[0], 1.5, 0);
    CHECK_NEAR(x[1], -4, 0);
    CHECK_NEAR(x[2], 1, 0);
}

/* After 3 1 2 3: bigrams 3-1, 1-2, 2-3, so 1 may not follow; trigrams end in nothing seen. */
static void no_ngram_comes_twice(void **state) {
    (void)state;
    const int32_t seen[] = {3, 1, 2, 3};
    bw_history h = {.ids = seen, .n = 4};
    float x[4] = {0};
    assert_int_equal(kept("no_repeat_ngram_size=2", &h, x, 4), 0x0D);
    float y[4] = {0};
    assert_int_equal(kept("no_repeat_ngram_size=3", &h, y, 4), 0x0F);
    float z[4] = {0};
    assert_int_equal(kept("no_repeat_ngram_size=1", &h, z, 4), 0x01);
    float w[4] = {0};
    assert_int_equal(kept("no_repeat_ngram_size=9", &h, w, 4), 0x0F);
}

static void length_rules_look_at_the_length(void **state) {
    (void)state;
    const int32_t ids[] = {0, 0, 0}, eos[] = {2};
    bw_history h = {.ids = ids, .n = 1, .max_length = 3, .eos = eos, .n_eos = 1};
    float a[4] = {0}, b[4] = {0}, c[4] = {0}, d[4] = {0}, e[4] = {0};
    assert_int_equal(kept("forced_bos_token_id=3", &h, a, 4), 0x08);
    assert_int_equal(kept("forced_eos_token_id=2", &h, b, 4), 0x0F);
    assert_int_equal(kept("min_length=2", &h, c, 4), 0x0B);
    h.n = 2;
    assert_int_equal(kept("forced_eos_token_id=2", &h, d, 4), 0x04);
    assert_int_equal(kept("min_length=2,forced_bos_token_id=3", &h, e, 4), 0x0F);
}

static void bad_processors_are_named(void **state) {
    (void)state;
    bw_processors p = {0};
    CHECK_FAILS(bw_processors_parse(&p, "top_k=5,topp=0.3", &err), BW_EARG, "'topp=0.3'");
    CHECK_FAILS(bw_processors_parse(&p, "temperature=0", &err), BW_EARG, "above 0");
    CHECK_FAILS(bw_processors_parse(&p, "top_p=1.5", &err), BW_EARG, "at most 1");
    CHECK_FAILS(bw_processors_parse(&p, "top_k=5x", &err), BW_EARG, "'top_k=5x'");
    CHECK_FAILS(bw_processors_add(&p, BW_PROC_TEMPERATURE, (double)NAN, &err), BW_EARG,
                "temperature");
}

/* 20,000 draws: the count of a token with probability q has standard deviation sqrt(n q (1-q)), at
 * most 71; five of these are allowed. */
static void draws_follow_the_probabilities(void **state) {
    (void)state;
    float x[5];
    halves(x);
    bw_sampler *s = bw_sampler_new(5);
    bw_sampler_seed(s, 7, 0);
    int count[5] = {0};
    for (int i = 0; i < 20000; i++)
        count[bw_sampler_draw(s, x)]++;
    const double expected[] = {10000, 5000, 2500, 1250, 1250};
    for (int i = 0; i < 5; i++)
        CHECK_NEAR(count[i], expected[i], 5 * sqrt(expected[i] * (1 - expected[i] / 20000)));
    bw_sampler_free(s);
}

static void equal_seeds_draw_alike_and_streams_differ(void **state) {
    (void)state;
    float x[64] = {0};
    bw_sampler *a = bw_sampler_new(64), *b = bw_sampler_new(64), *c = bw_sampler_new(64);
    bw_sampler_seed(a, 11, 3);
    bw_sampler_seed(b, 11, 3);
    bw_sampler_seed(c, 11, 4);
    int same = 0;
    for (int i = 0; i < 200; i++) {
        int32_t from_a = bw_sampler_draw(a, x);
        assert_int_equal(from_a, bw_sampler_draw(b, x));
        same += from_a == bw_sampler_draw(c, x);
    }
    assert_true(same < 15); /* 200/64 are expected */
    bw_sampler_free(a);
    bw_sampler_free(b);
    bw_sampler_free(c);
}

static void nothing_allowed_draws_nothing(void **state) {
    (void)state;
    float x[] = {-INFINITY, -INFINITY}, y[] = {-INFINITY, 80, -INFINITY};
    bw_sampler *s = bw_sampler_new(2), *t = bw_sampler_new(3);
    assert_int_equal(bw_sampler_draw(s, x), -1);
    assert_int_equal(bw_argmax(x, 2), -1);
    assert_int_equal(bw_sampler_draw(t, y), 1);
    bw_sampler_free(s);
    bw_sampler_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_k_keeps_every_token_tied_with_the_last),
        cmocka_unit_test(top_p_drops_the_unlikely_tail),
        cmocka_unit_test(min_p_is_relative_to_the_likeliest),
        cmocka_unit_test(typical_p_prefers_average_surprise),
        cmocka_unit_test(repetition_penalty_counts_a_token_once),
        cmocka_unit_test(no_ngram_comes_twice),
        cmocka_unit_test(length_rules_look_at_the_length),
        cmocka_unit_test(bad_processors_are_named),
        cmocka_unit_test(draws_follow_the_probabilities),
        cmocka_unit_test(equal_seeds_draw_alike_and_streams_differ),
        cmocka_unit_test(nothing_allowed_draws_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
