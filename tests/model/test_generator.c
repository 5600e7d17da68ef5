/* tests/model/test_generator.c - prompt in, drafts out, over a tiny untrained model saved to a
 * folder and loaded again. What it writes is noise; that it is the same noise is the point. */
#include "tests/check.h"
#include "model/generate/generator.h"
#include "model/hf/hf.h"

#include <stdlib.h>
#include <unistd.h>

#define POSITIONS 64

static bw_err err;
static char folder[] = "/tmp/bw_generator_XXXXXX";

static bw_tf_config shape(size_t vocab) {
    return (bw_tf_config){.kind = BW_TF_DECODER,
                          .vocab = vocab,
                          .dim = 32,
                          .dec = {.layers = 2, .heads = 4, .ffn = 128},
                          .max_positions = POSITIONS,
                          .pre_norm = true,
                          .norm_eps = 1e-5f,
                          .act = BW_ACT_GELU_TANH,
                          .qkv_bias = true,
                          .out_bias = true,
                          .ffn_bias = true,
                          .pos = BW_POS_LEARNED,
                          .lm = true,
                          .tied = true,
                          .init_std = 0.3f};
}

static void save_model(const bw_tf_config *c, bw_hf_family family) {
    bw_transformer *t;
    bw_hf_info info;
    CHECK_OK(bw_transformer_new(c, &t, &err));
    bw_transformer_init(t, 42);
    bw_hf_info_init(&info, family, c);
    CHECK_OK(bw_hf_save(folder, t, &info, &err));
    bw_hf_info_free(&info);
    bw_transformer_free(t);
}

static int set_up(void **state) {
    (void)state;
    bw_tokenizer *k;
    if (!mkdtemp(folder))
        return -1;
    CHECK_OK(bw_tokenizer_load("tests/model/tokenizers/own-bpe", &k, &err));
    CHECK_OK(bw_tokenizer_save(k, folder, &err));
    bw_tf_config c = shape(bw_tokenizer_size(k));
    save_model(&c, BW_HF_GPT2);
    bw_tokenizer_free(k);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    const char *files[] = {"tokenizer.json", "tokenizer_config.json", "config.json",
                           "generation_config.json", "model.safetensors"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static bw_drafts write_drafts(const char *prompt, const bw_writing *how) {
    bw_generator *g;
    bw_drafts d;
    CHECK_OK(bw_generator_load(folder, BW_PACK_F32, &g, &err));
    assert_true(bw_generator_continues(g));
    CHECK_OK(bw_generator_write(g, prompt, strlen(prompt), how, &d, &err));
    bw_generator_free(g);
    return d;
}

static void drafts_repeat_by_seed_and_differ_among_themselves(void **state) {
    (void)state;
    bw_writing how = {.n = 3, .max_length = 40, .seed = 9, .sample = true};
    bw_drafts a = write_drafts("The courier was", &how), b = write_drafts("The courier was", &how);
    how.seed = 10;
    bw_drafts c = write_drafts("The courier was", &how);
    assert_int_equal(a.n, 3);
    assert_int_equal(a.prompt_cut, 0);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(a.draft[i].text, b.draft[i].text);
    assert_string_not_equal(a.draft[0].text, a.draft[1].text);
    assert_string_not_equal(a.draft[0].text, c.draft[0].text);
    bw_drafts_free(&a);
    bw_drafts_free(&b);
    bw_drafts_free(&c);
}

/* The framing tokens [CLS] and [SEP] of this tokenizer: the first opens the prompt, the second
 * would close it and is left out, so the prompt is one token longer than its text. */
static void a_prompt_is_opened_and_not_closed(void **state) {
    (void)state;
    bw_tokenizer *k;
    bw_tokens t = {0};
    CHECK_OK(bw_tokenizer_load(folder, &k, &err));
    CHECK_OK(bw_tokenizer_encode(k, "The box", 7, &(bw_encode_options){.bare = true}, &t, &err));
    bw_drafts d = write_drafts("The box", &(bw_writing){.n = 1, .max_length = 20});
    assert_int_equal(d.prompt_tokens, t.n + 1);
    assert_int_equal(d.prompt_tokens + d.draft[0].tokens, 20);
    bw_drafts_free(&d);
    bw_tokens_free(&t);
    bw_tokenizer_free(k);
}

static void a_long_prompt_loses_its_beginning_and_says_so(void **state) {
    (void)state;
    char prompt[2000] = "";
    for (int i = 0; i < 150; i++)
        strcat(prompt, "late box ");
    bw_drafts d = write_drafts(prompt, &(bw_writing){.n = 1, .max_length = 1000});
    assert_int_equal(d.max_length, POSITIONS);
    assert_int_equal(d.prompt_tokens, POSITIONS - POSITIONS / 4);
    assert_true(d.prompt_cut > 200);
    assert_int_equal(d.draft[0].tokens, POSITIONS / 4);
    bw_drafts_free(&d);
}

/* A stop string taken from the middle of what is written without it; a second one that does not
 * come up changes nothing, whichever stands first. */
static void a_stop_string_ends_the_text_in_front_of_it(void **state) {
    (void)state;
    bw_writing how = {.n = 1, .max_length = 40, .seed = 3, .sample = true};
    bw_drafts whole = write_drafts("It is", &how);
    size_t n = strlen(whole.draft[0].text);
    assert_true(n > 12);
    char stop[4] = {0};
    size_t at = n / 2;
    while (at > 2 && ((unsigned char)whole.draft[0].text[at] & 0x80)) /* not inside a character */
        at--;
    memcpy(stop, whole.draft[0].text + at, 1);
    const char *stops[] = {"nowhere in it", stop};
    how.stop = stops;
    how.n_stop = 2;
    bw_drafts cut = write_drafts("It is", &how);
    assert_int_equal(cut.draft[0].ended, BW_ENDED_STOP);
    size_t kept = strcspn(whole.draft[0].text, stop);
    assert_int_equal(strlen(cut.draft[0].text), kept);
    assert_memory_equal(cut.draft[0].text, whole.draft[0].text, kept);
    assert_true(cut.draft[0].tokens < whole.draft[0].tokens);
    bw_drafts_free(&whole);
    bw_drafts_free(&cut);
}

static void beams_and_greedy_agree_on_one_beam(void **state) {
    (void)state;
    bw_drafts greedy = write_drafts("The box", &(bw_writing){.n = 1, .max_length = 24});
    bw_drafts beams = write_drafts(
        "The box", &(bw_writing){.n = 2, .max_length = 24, .beams = 4, .length_penalty = 0});
    assert_int_equal(beams.n, 2);
    /* With penalty 0 a score is a sum of log-probabilities: the best of four beams is no worse. */
    assert_true(beams.draft[0].logprob >= greedy.draft[0].logprob - 1e-4);
    assert_true(beams.draft[0].logprob >= beams.draft[1].logprob);
    bw_drafts_free(&greedy);
    bw_drafts_free(&beams);
}

/* The same folder with fewer tokens in the model, then with an encoder. */
static void what_cannot_write_is_told(void **state) {
    (void)state;
    bw_generator *g;
    bw_tf_config small = shape(300);
    save_model(&small, BW_HF_GPT2);
    CHECK_FAILS(bw_generator_load(folder, BW_PACK_F32, &g, &err), BW_EDATA,
                "do not belong together");
    bw_tf_config encoder = {.kind = BW_TF_ENCODER,
                            .vocab = 700,
                            .dim = 32,
                            .enc = {.layers = 1, .heads = 4, .ffn = 64},
                            .max_positions = POSITIONS,
                            .norm_eps = 1e-12f,
                            .qkv_bias = true,
                            .out_bias = true,
                            .ffn_bias = true,
                            .pos = BW_POS_LEARNED,
                            .token_types = 2,
                            .embed_norm = true};
    save_model(&encoder, BW_HF_BERT);
    CHECK_FAILS(bw_generator_load(folder, BW_PACK_F32, &g, &err), BW_EDATA,
                "reads but cannot write");
    assert_null(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drafts_repeat_by_seed_and_differ_among_themselves),
        cmocka_unit_test(a_prompt_is_opened_and_not_closed),
        cmocka_unit_test(a_long_prompt_loses_its_beginning_and_says_so),
        cmocka_unit_test(a_stop_string_ends_the_text_in_front_of_it),
        cmocka_unit_test(beams_and_greedy_agree_on_one_beam),
        cmocka_unit_test(what_cannot_write_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
