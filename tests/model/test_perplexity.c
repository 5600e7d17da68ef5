/* tests/model/test_perplexity.c - likelihood of texts under models whose answer is known. */
#include "tests/check.h"
#include "model/train/metrics.h"
#include "model/generate/perplexity.h"

#include <stdlib.h>

static bw_err err;

static bw_transformer *decoder(size_t vocab) {
    bw_transformer *t;
    const bw_tf_config c = {.kind = BW_TF_DECODER,
                            .vocab = vocab,
                            .dim = 16,
                            .dec = {.layers = 1, .heads = 2, .ffn = 32},
                            .max_positions = 32,
                            .pre_norm = true,
                            .norm_eps = 1e-5f,
                            .act = BW_ACT_GELU_TANH,
                            .pos = BW_POS_LEARNED,
                            .lm = true,
                            .tied = true};
    CHECK_OK(bw_transformer_new(&c, &t, &err));
    return t;
}

static bw_tokenizer *tokenizer(void) {
    bw_tokenizer *k;
    CHECK_OK(bw_tokenizer_load("tests/model/tokenizers/own-bpe", &k, &err));
    return k;
}

static bw_text_likelihood read_text(bw_transformer *t, const bw_tokenizer *k, size_t window,
                                    const char *text) {
    bw_likelihood *l;
    bw_text_likelihood sum = {0};
    CHECK_OK(bw_likelihood_new(t, k, window, &l, &err));
    CHECK_OK(bw_likelihood_add(l, text, strlen(text), &sum, &err));
    bw_likelihood_free(l);
    return sum;
}

static const char LONG_TEXT[] =
    "The courier was late again, and the box arrived damaged. 快递太慢了，包装也破了。 I ordered "
    "two "
    "candles and received three, which is a fine thing to happen on a rainy Monday in November.";

/* Weights that are all zero know nothing: every token has probability 1/vocab. */
static void a_model_that_knows_nothing_has_the_vocabulary_as_perplexity(void **state) {
    (void)state;
    bw_tokenizer *k = tokenizer();
    bw_transformer *t = decoder(bw_tokenizer_size(k));
    bw_tokens whole = {0};
    CHECK_OK(bw_tokenizer_encode(k, LONG_TEXT, strlen(LONG_TEXT), NULL, &whole, &err));
    for (size_t window = 2; window <= 32; window += 5) {
        bw_text_likelihood s = read_text(t, k, window, LONG_TEXT);
        assert_int_equal(s.tokens, whole.n - 1); /* each but the first, once, in any window */
        CHECK_REL(bw_perplexity(s.nll, s.tokens), (double)bw_tokenizer_size(k), 1e-5);
    }
    bw_tokens_free(&whole);
    bw_transformer_free(t);
    bw_tokenizer_free(k);
}

/* A text that fits into the window needs no second one. */
static void windows_do_not_matter_where_the_text_fits(void **state) {
    (void)state;
    bw_tokenizer *k = tokenizer();
    bw_transformer *t = decoder(bw_tokenizer_size(k));
    bw_transformer_init(t, 5);
    bw_text_likelihood wide = read_text(t, k, 0, "The box"), tight = read_text(t, k, 24, "The box");
    CHECK_NEAR(wide.nll, tight.nll, 0);
    bw_text_likelihood narrow = read_text(t, k, 4, LONG_TEXT),
                       full = read_text(t, k, 32, LONG_TEXT);
    assert_int_equal(narrow.tokens, full.tokens);
    assert_true(fabs(narrow.nll - full.nll) > 1e-6); /* less context, other probabilities */
    bw_transformer_free(t);
    bw_tokenizer_free(k);
}

static void an_encoder_has_no_perplexity(void **state) {
    (void)state;
    bw_tokenizer *k = tokenizer();
    bw_transformer *t;
    bw_likelihood *l;
    const bw_tf_config c = {.kind = BW_TF_ENCODER,
                            .vocab = 700,
                            .dim = 16,
                            .enc = {.layers = 1, .heads = 2, .ffn = 32},
                            .max_positions = 32,
                            .norm_eps = 1e-5f,
                            .pos = BW_POS_LEARNED};
    CHECK_OK(bw_transformer_new(&c, &t, &err));
    CHECK_FAILS(bw_likelihood_new(t, k, 0, &l, &err), BW_EDATA, "defined for a decoder");
    bw_transformer_free(t);
    bw_tokenizer_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_that_knows_nothing_has_the_vocabulary_as_perplexity),
        cmocka_unit_test(windows_do_not_matter_where_the_text_fits),
        cmocka_unit_test(an_encoder_has_no_perplexity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
