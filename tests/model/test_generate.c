/* tests/model/test_generate.c - generation over a toy model: a table of scores for what follows a
 * token, so that every continuation can be enumerated. */
#include "tests/check.h"
#include "model/generate/generate.h"

#include <stdlib.h>

#define VOCAB 5
#define SLOTS 32
#define ROOM  40

static bw_err err;

/* Scores after each token; the last two columns are close, so that beams matter. */
static const float TABLE[VOCAB][VOCAB] = {{0.1f, 1.2f, 1.1f, -0.5f, 0.3f},
                                          {0.9f, -1.0f, 0.8f, 0.2f, 1.0f},
                                          {2.5f, 0.0f, -2.0f, 0.4f, 0.6f},
                                          {0.3f, 0.3f, 0.2f, 0.1f, 0.0f},
                                          {-0.2f, 0.7f, 0.6f, 1.9f, -3.0f}};

typedef struct {
    int32_t ids[SLOTS][ROOM];
    size_t len[SLOTS], steps;
} toy;

static bw_status toy_append(void *self, const size_t *slots, size_t n, const int32_t *ids,
                            const size_t *counts, float *logits, bw_err *e) {
    toy *t = self;
    (void)e;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < counts[i]; k++)
            t->ids[slots[i]][t->len[slots[i]]++] = *ids++;
    for (size_t i = 0; i < n; i++)
        memcpy(logits + i * VOCAB, TABLE[t->ids[slots[i]][t->len[slots[i]] - 1]], sizeof TABLE[0]);
    t->steps++;
    return BW_OK;
}

static bw_status toy_reorder(void *self, const size_t *from, bw_err *e) {
    toy *t = self, *old = malloc(sizeof *old);
    (void)e;
    *old = *t;
    for (size_t i = 0; i < SLOTS; i++) {
        memcpy(t->ids[i], old->ids[from[i]], sizeof t->ids[i]);
        t->len[i] = old->len[from[i]];
    }
    free(old);
    return BW_OK;
}

static bw_stepper stepper(toy *t) {
    *t = (toy){0};
    return (bw_stepper){t, VOCAB, SLOTS, ROOM, toy_append, toy_reorder};
}

static double log_p(int32_t after, int32_t id) {
    double sum = 0;
    for (int k = 0; k < VOCAB; k++)
        sum += exp((double)TABLE[after][k]);
    return (double)TABLE[after][id] - log(sum);
}

static bw_generated generate(const bw_generation *how) {
    static toy t;
    bw_stepper model = stepper(&t);
    const int32_t prompt[] = {3, 0};
    bw_generated out;
    CHECK_OK(bw_generate(&model, prompt, 2, how, &out, &err));
    return out;
}

/* From 0 the likeliest is 1, then 4, then 3, then 0 (the first of two equal scores). */
static void greedy_takes_the_likeliest(void **state) {
    (void)state;
    bw_generated g = generate(&(bw_generation){.max_length = 7});
    const int32_t expected[] = {1, 4, 3, 0, 1};
    assert_int_equal(g.seq[0].n, 5);
    assert_memory_equal(g.seq[0].ids, expected, sizeof expected);
    assert_int_equal(g.seq[0].ended, BW_ENDED_LENGTH);
    CHECK_NEAR(g.seq[0].logprobs[1], log_p(1, 4), 1e-6);
    bw_generated_free(&g);
}

static void an_end_token_ends(void **state) {
    (void)state;
    bw_generated g = generate(&(bw_generation){.max_length = 9, .eos = {3}, .n_eos = 1});
    assert_int_equal(g.seq[0].n, 3);
    assert_int_equal(g.seq[0].ids[2], 3);
    assert_int_equal(g.seq[0].ended, BW_ENDED_EOS);
    bw_generated_free(&g);
}

/* Best total over all 125 continuations of three tokens. */
static double best_of_all(double penalty) {
    double best = -INFINITY;
    for (int32_t a = 0; a < VOCAB; a++)
        for (int32_t b = 0; b < VOCAB; b++)
            for (int32_t c = 0; c < VOCAB; c++)
                best = fmax(best, (log_p(0, a) + log_p(a, b) + log_p(b, c)) / pow(3, penalty));
    return best;
}

static void wide_beams_find_the_best_of_all(void **state) {
    (void)state;
    for (int k = 0; k < 3; k++) {
        double penalty = 0.5 * k;
        bw_generated g = generate(
            &(bw_generation){.max_length = 5, .beams = 25, .n = 2, .length_penalty = penalty});
        CHECK_NEAR(g.seq[0].score, best_of_all(penalty), 1e-5);
        assert_true(g.seq[0].score >= g.seq[1].score);
        assert_true(memcmp(g.seq[0].ids, g.seq[1].ids, 3 * sizeof(int32_t)) != 0);
        double sum = log_p(0, g.seq[0].ids[0]);
        for (int i = 1; i < 3; i++)
            sum += log_p(g.seq[0].ids[i - 1], g.seq[0].ids[i]);
        CHECK_NEAR(g.seq[0].score, sum / pow(3, penalty), 1e-5);
        bw_generated_free(&g);
    }
}

/* Greedy goes 0-1-4-3 (about -0.86 - 1.25 - 0.77); by 2 the pair 2-0 is worth more: -0.96 - 0.42. */
static void two_beams_beat_greedy(void **state) {
    (void)state;
    bw_generated g = generate(&(bw_generation){.max_length = 4, .beams = 2, .length_penalty = 1});
    assert_int_equal(g.seq[0].ids[0], 2);
    assert_int_equal(g.seq[0].ids[1], 0);
    CHECK_NEAR(g.seq[0].score, (log_p(0, 2) + log_p(2, 0)) / 2, 1e-6);
    bw_generated_free(&g);
}

/* A finished text counts its end token and gets it back. */
static void beams_end_at_the_end_token(void **state) {
    (void)state;
    bw_generation how = {.max_length = 20,
                         .beams = 4,
                         .length_penalty = 1,
                         .eos = {3},
                         .n_eos = 1,
                         .early_stopping = BW_EARLY_TRUE,
                         .n = 4};
    bw_generated g = generate(&how);
    for (size_t i = 0; i < 4; i++) {
        const bw_sequence *s = &g.seq[i];
        double sum = log_p(0, s->ids[0]);
        for (size_t k = 1; k < s->n; k++)
            sum += log_p(s->ids[k - 1], s->ids[k]);
        assert_int_equal(s->ids[s->n - 1], 3);
        assert_int_equal(s->ended, BW_ENDED_EOS);
        assert_true(s->n < 18);
        CHECK_NEAR(s->score, sum / (double)s->n, 1e-5);
    }
    bw_generated_free(&g);
}

static void a_sequence_depends_on_seed_and_place_alone(void **state) {
    (void)state;
    bw_generation how = {.max_length = 30, .sample = true, .seed = 5, .n = 3};
    bw_generated three = generate(&how);
    how.n = 7;
    bw_generated seven = generate(&how);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(three.seq[i].ids, seven.seq[i].ids, 28 * sizeof(int32_t));
    assert_true(memcmp(three.seq[0].ids, three.seq[1].ids, 28 * sizeof(int32_t)) != 0);
    how.seed = 6;
    bw_generated other = generate(&how);
    assert_true(memcmp(three.seq[0].ids, other.seq[0].ids, 28 * sizeof(int32_t)) != 0);
    bw_generated_free(&three);
    bw_generated_free(&seven);
    bw_generated_free(&other);
}

static void the_prompt_is_read_once(void **state) {
    (void)state;
    static toy t;
    bw_stepper model = stepper(&t);
    const int32_t prompt[] = {3, 0};
    bw_generated g;
    bw_generation how = {.max_length = 6, .sample = true, .n = 5};
    CHECK_OK(bw_generate(&model, prompt, 2, &how, &g, &err));
    assert_int_equal(t.steps, 4); /* the prompt, then three of the four tokens */
    bw_generated_free(&g);
}

/* Only even tokens at even places, only odd ones at odd places. */
static void alternate(void *data, const int32_t *ids, size_t n, float *logits, size_t vocab) {
    (void)data;
    (void)ids;
    for (size_t i = 0; i < vocab; i++)
        if (i % 2 != n % 2)
            logits[i] = -INFINITY;
}

static void a_mask_binds_every_way_of_decoding(void **state) {
    (void)state;
    bw_generation ways[] = {{.max_length = 12, .mask = alternate},
                            {.max_length = 12, .mask = alternate, .sample = true, .n = 4},
                            {.max_length = 12, .mask = alternate, .beams = 4, .length_penalty = 1}};
    for (size_t w = 0; w < 3; w++) {
        bw_generated g = generate(&ways[w]);
        for (size_t i = 0; i < g.n; i++)
            for (size_t k = 0; k < g.seq[i].n; k++)
                assert_int_equal(g.seq[i].ids[k] % 2, k % 2);
        bw_generated_free(&g);
    }
}

static void nothing(void *data, const int32_t *ids, size_t n, float *logits, size_t vocab) {
    (void)data;
    (void)ids;
    for (size_t i = 0; n > 3 && i < vocab; i++)
        logits[i] = -INFINITY;
}

static void a_barred_sequence_says_so(void **state) {
    (void)state;
    bw_generated g = generate(&(bw_generation){.max_length = 12, .mask = nothing});
    assert_int_equal(g.seq[0].n, 2);
    assert_int_equal(g.seq[0].ended, BW_ENDED_BARRED);
    bw_generated_free(&g);
}

static void contradictions_are_refused(void **state) {
    (void)state;
    static toy t;
    bw_stepper model = stepper(&t);
    const int32_t prompt[] = {1, 2, 3};
    bw_generated g;
    const struct {
        bw_generation how;
        size_t n_prompt;
        const char *says;
    } cases[] = {
        {{.max_length = 9}, 0, "no tokens"},
        {{.max_length = 3}, 3, "nothing could be added"},
        {{.max_length = ROOM + 1}, 3, "the model holds 40"},
        {{.max_length = 9, .n = 2}, 3, "greedy decoding gives one"},
        {{.max_length = 9, .n = 4, .beams = 3}, 3, "3 beams cannot give 4"},
        {{.max_length = 9, .beams = 3, .sample = true}, 3, "neither with sampling"},
        {{.max_length = 9, .n = SLOTS + 1, .sample = true}, 3, "was made for 32"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_FAILS(bw_generate(&model, prompt, cases[i].n_prompt, &cases[i].how, &g, &err),
                    BW_EARG, cases[i].says);
        assert_null(g.seq);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_takes_the_likeliest),
        cmocka_unit_test(an_end_token_ends),
        cmocka_unit_test(wide_beams_find_the_best_of_all),
        cmocka_unit_test(two_beams_beat_greedy),
        cmocka_unit_test(beams_end_at_the_end_token),
        cmocka_unit_test(a_sequence_depends_on_seed_and_place_alone),
        cmocka_unit_test(the_prompt_is_read_once),
        cmocka_unit_test(a_mask_binds_every_way_of_decoding),
        cmocka_unit_test(a_barred_sequence_says_so),
        cmocka_unit_test(contradictions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
