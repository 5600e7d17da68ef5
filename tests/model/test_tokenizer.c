/* tests/model/test_tokenizer.c - a trained vocabulary: what it learns, and that nothing is lost. */
#include "tests/check.h"
#include "model/tokenizer.h"

#include <stdlib.h>
#include <unistd.h>

static bw_err err;

/* A vocabulary from a few lines of English and Chinese. */
static bw_tokenizer *train(size_t size, bool lowercase) {
    static const char *const LINES[] = {
        "The courier was late, and the box was damaged.",
        "The box came late but the cream is good.", "快递太慢了，包装也破了。",
        "包装很好，快递很快，下次还会买。", "Late again! The courier lost the box."};
    const char *specials[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|endoftext|>", NULL};
    bw_tokenizer_training how = {.vocab = size, .specials = specials, .lowercase = lowercase};
    bw_trainer *tr;
    bw_tokenizer *t;
    CHECK_OK(bw_trainer_new(&how, &tr, &err));
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        CHECK_OK(bw_trainer_add(tr, LINES[i], strlen(LINES[i]), &err));
    CHECK_OK(bw_trainer_finish(tr, &t, &err));
    bw_trainer_free(tr);
    return t;
}

static void round_trip(const bw_tokenizer *t, const char *text, size_t len) {
    bw_tokens k = {0};
    char *back;
    size_t back_len;
    CHECK_OK(bw_tokenizer_encode(t, text, len, &(bw_encode_options){.bare = true}, &k, &err));
    CHECK_OK(bw_tokenizer_decode(t, k.ids, k.n, BW_DECODE_BYTES, &back, &back_len, &err));
    assert_int_equal(back_len, len);
    assert_memory_equal(back, text, len);
    size_t at = 0; /* the places of the tokens tile the text */
    for (size_t i = 0; i < k.n; i++) {
        assert_int_equal(k.spans[i].start, at);
        at = k.spans[i].end;
    }
    assert_int_equal(at, len);
    free(back);
    bw_tokens_free(&k);
}

/* Pairs that occur at least twice are merged: " box" (3 times) and the three bytes of 快 (4 times). */
static void frequent_pieces_become_tokens(void **state) {
    (void)state;
    bw_tokenizer *t = train(400, false);
    assert_true(bw_tokenizer_id(t, "\xC4\xA0"
                                   "box") >= 0);
    bw_tokens k = {0};
    CHECK_OK(bw_tokenizer_encode(t, "快递", 6, &(bw_encode_options){.bare = true}, &k, &err));
    assert_int_equal(k.n, 1);
    bw_tokens_free(&k);
    bw_tokenizer_free(t);
}

static void random_bytes_come_back(void **state) {
    (void)state;
    bw_tokenizer *t = train(330, false);
    uint32_t x = 20241124;
    for (int i = 0; i < 2000; i++) {
        char text[300];
        size_t n = (size_t)i % sizeof text;
        for (size_t k = 0; k < n; k++) {
            x = x * 1664525u + 1013904223u;
            text[k] = (char)(x >> 24);
            if (text[k] == '[' || text[k] == '<') /* not a special token by chance */
                text[k] = ' ';
        }
        round_trip(t, text, n);
    }
    bw_tokenizer_free(t);
}

static void long_words_take_the_heap_and_agree(void **state) {
    (void)state;
    bw_tokenizer *t = train(400, false);
    char *text = malloc(100000);
    for (size_t i = 0; i < 100000; i++)
        text[i] = "latebox"[i % 7];
    round_trip(t, text, 100000);
    /* The same merges as on its parts: "late" is a token, so the long word has equal pieces. */
    bw_tokens a = {0};
    CHECK_OK(bw_tokenizer_encode(t, text, 70, NULL, &a, &err));
    bw_tokens b = {0};
    CHECK_OK(bw_tokenizer_encode(t, text, 7000, NULL, &b, &err));
    for (size_t i = 0; i + 4 < a.n; i++)
        assert_int_equal(a.ids[i], b.ids[i]);
    bw_tokens_free(&a);
    bw_tokens_free(&b);
    free(text);
    bw_tokenizer_free(t);
}

static void saved_is_loaded_alike(void **state) {
    (void)state;
    char folder[] = "/tmp/bw_tok_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    bw_tokenizer *t = train(350, true), *u;
    CHECK_OK(bw_tokenizer_save(t, folder, &err));
    CHECK_OK(bw_tokenizer_load(folder, &u, &err));
    const char *text = "THE Courier[SEP]快递，ＦＵＬＬ width \xF0\x9F\x98\x80";
    bw_tokens a = {0}, b = {0};
    CHECK_OK(bw_tokenizer_encode(t, text, strlen(text), NULL, &a, &err));
    CHECK_OK(bw_tokenizer_encode(u, text, strlen(text), NULL, &b, &err));
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.ids, b.ids, a.n * sizeof *a.ids);
    assert_int_equal(a.ids[0], bw_tokenizer_role(u, BW_ROLE_CLS));
    assert_int_equal(bw_tokenizer_role(u, BW_ROLE_EOS), 5);
    bw_tokens_free(&a);
    bw_tokens_free(&b);
    bw_tokenizer_free(t);
    bw_tokenizer_free(u);
    const char *files[] = {"tokenizer.json", "tokenizer_config.json"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void a_vocabulary_too_small_is_refused(void **state) {
    (void)state;
    bw_trainer *tr;
    CHECK_FAILS(bw_trainer_new(&(bw_tokenizer_training){.vocab = 255}, &tr, &err), BW_EARG,
                "too small");
    assert_null(tr);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequent_pieces_become_tokens),
        cmocka_unit_test(random_bytes_come_back),
        cmocka_unit_test(long_words_take_the_heap_and_agree),
        cmocka_unit_test(saved_is_loaded_alike),
        cmocka_unit_test(a_vocabulary_too_small_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
