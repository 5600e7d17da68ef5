/* tests/model/test_tokenizer.c - a trained vocabulary: what it learns, and that nothing is lost. */
#include "tests/check.h"
#include "common/buf.h"
#include "model/tokenizer/tokenizer.h"

#include <stdlib.h>
#include <unistd.h>

static bw_err err;

/* A vocabulary from a few lines of English and Chinese, read from the first on or from the last. */
static bw_tokenizer *train_from(size_t size, bool lowercase, bool backwards) {
    static const char *const LINES[] = {
        "The courier was late, and the box was damaged.",
        "The box came late but the cream is good.", "快递太慢了，包装也破了。",
        "包装很好，快递很快，下次还会买。", "Late again! The courier lost the box."};
    const char *specials[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|endoftext|>", NULL};
    const size_t n = sizeof LINES / sizeof *LINES;
    bw_tokenizer_training how = {.vocab = size, .specials = specials, .lowercase = lowercase};
    bw_trainer *tr;
    bw_tokenizer *t;
    CHECK_OK(bw_trainer_new(&how, &tr, &err));
    for (size_t i = 0; i < n; i++) {
        const char *line = LINES[backwards ? n - 1 - i : i];
        CHECK_OK(bw_trainer_add(tr, line, strlen(line), &err));
    }
    CHECK_OK(bw_trainer_finish(tr, &t, &err));
    bw_trainer_free(tr);
    return t;
}

static bw_tokenizer *train(size_t size, bool lowercase) {
    return train_from(size, lowercase, false);
}

/* Ids included: the same texts give the same file, in whatever order they come. */
static void training_depends_on_the_texts_alone(void **state) {
    (void)state;
    bw_tokenizer *t = train_from(400, false, false), *u = train_from(400, false, true);
    assert_int_equal(bw_tokenizer_size(t), bw_tokenizer_size(u));
    for (size_t i = 0; i < bw_tokenizer_size(t); i++)
        assert_string_equal(bw_tokenizer_piece(t, (int32_t)i), bw_tokenizer_piece(u, (int32_t)i));
    bw_tokenizer_free(t);
    bw_tokenizer_free(u);
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

/* A byte that is not UTF-8 is one token for itself here, since no merge reaches it, and other text
 * around it is as usual. Byte b spelt by U+0100 + k has id 6 + 94 + 94 + k (specials, ASCII,
 * Latin-1); 0xFF and 0xC3 spell themselves: 0xFF is the last of Latin-1. */
static void bad_utf8_is_kept_byte_by_byte(void **state) {
    (void)state;
    bw_tokenizer *t = train(262, false); /* no merges */
    const struct {
        const char *text;
        size_t n;
        const char *pieces[6];
    } cases[] = {
        {"\xFF", 1, {"\u00ff"}},
        {"a\xC3", 2, {"a", "\u00c3"}},                       /* a lead byte alone */
        {"\xA9z", 2, {"\u00a9", "z"}},                       /* a continuation alone */
        {"\xC0\xAF", 2, {"\u00c0", "\u00af"}},               /* overlong '/' */
        {"\xED\xA0\x80", 3, {"\u00ed", "\u0142", "\u0122"}}, /* a surrogate */
        {"\xF4\x90\x80\x80", 4, {"\u00f4", "\u0132", "\u0122", "\u0122"}}, /* past U+10FFFF */
        {"\xE5\xBF", 2, {"\u00e5", "\u00bf"}}, /* a character cut short */
        {"\0", 1, {"\u0100"}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bw_tokens k = {0};
        bw_encode_options bare = {.bare = true};
        CHECK_OK(bw_tokenizer_encode(t, cases[c].text, cases[c].n, &bare, &k, &err));
        assert_int_equal(k.n, cases[c].n);
        for (size_t i = 0; i < k.n; i++)
            assert_string_equal(bw_tokenizer_piece(t, k.ids[i]), cases[c].pieces[i]);
        bw_tokens_free(&k);
        round_trip(t, cases[c].text, cases[c].n);
    }
    bw_tokenizer_free(t);
}

/* Unicode 15, table 3-8: 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64 shows as a, three U+FFFD, b, one,
 * c, two, d. */
static void shown_text_is_valid_utf8(void **state) {
    (void)state;
    bw_tokenizer *t = train(262, false);
    const char *bytes = "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64";
    bw_tokens k = {0};
    char *text;
    CHECK_OK(bw_tokenizer_encode(t, bytes, 13, NULL, &k, &err));
    CHECK_OK(bw_tokenizer_decode(t, k.ids, k.n, BW_DECODE_SKIP_SPECIAL, &text, NULL, &err));
    assert_string_equal(text, "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
    free(text);
    bw_tokens_free(&k);
    const int32_t beyond[] = {262};
    CHECK_FAILS(bw_tokenizer_decode(t, beyond, 1, 0, &text, NULL, &err), BW_EARG, "no id 262");
    bw_tokenizer_free(t);
}

/* Places count in the text as given, whatever normalising made of it. */
static void places_survive_normalising(void **state) {
    (void)state;
    bw_tokenizer *t;
    bw_tokens k = {0};
    CHECK_OK(bw_tokenizer_load("tests/model/tokenizers/own-wordpiece", &t, &err));
    const char *text = "THE Cafe\u0301 \u00dcber \u5feb\u9012";
    CHECK_OK(bw_tokenizer_encode(t, text, strlen(text), NULL, &k, &err));
    const bw_span places[] = {{0, 0}, {0, 3}, {4, 10}, {11, 16}, {17, 20}, {20, 23}, {0, 0}};
    assert_int_equal(k.n, 7);
    for (size_t i = 0; i < k.n; i++) {
        assert_int_equal(k.spans[i].start, places[i].start);
        assert_int_equal(k.spans[i].end, places[i].end);
    }
    bw_tokens_free(&k);
    bw_tokenizer_free(t);
}

/* A million characters, as words and as one word, and none at all: cut to 512, and the rest
 * counted. */
static void a_million_characters_are_cut_in_plain_sight(void **state) {
    (void)state;
    static const char *const FOLDERS[] = {"tests/model/tokenizers/own-bpe-lower",
                                          "tests/model/tokenizers/own-wordpiece"};
    const size_t n = 1000000;
    char *text = malloc(n);
    const bw_encode_options how = {.max_tokens = 512};
    for (size_t f = 0; f < 2; f++) {
        bw_tokenizer *t;
        bw_tokens k = {0};
        CHECK_OK(bw_tokenizer_load(FOLDERS[f], &t, &err));
        for (size_t i = 0; i < n; i++)
            text[i] = i % 5 == 4 ? ' ' : "late"[i % 5];
        CHECK_OK(bw_tokenizer_encode(t, text, n, &how, &k, &err));
        assert_int_equal(k.n, 512);
        bw_tokens whole = {0};
        CHECK_OK(bw_tokenizer_encode(t, text, n, NULL, &whole, &err));
        assert_int_equal(whole.cut, 0);
        assert_int_equal(k.n + k.cut, whole.n);
        assert_int_equal(whole.spans[whole.n - 2].end, f == 0 ? n : n - 1); /* a last space */
        bw_tokens_free(&whole);
        assert_true(k.spans[510].end < 2600);
        memset(text, 'e', n);
        CHECK_OK(bw_tokenizer_encode(t, text, n, &how, &k, &err));
        assert_int_equal(k.n, f == 0 ? 512 : 3); /* WordPiece: one unknown word */
        assert_int_equal(k.spans[1].end, f == 0 ? k.spans[2].start : n);
        CHECK_OK(bw_tokenizer_encode(t, text, 0, &how, &k, &err));
        assert_int_equal(k.n, 2);
        assert_int_equal(k.cut, 0);
        bw_tokens_free(&k);
        bw_tokenizer_free(t);
    }
    free(text);
}

static void foreign_components_are_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"{", "not valid JSON"},
        {"[]", "no \"model\""},
        {"{\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}", "'WordLevel'"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]]}}", "unk_id within"},
        {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":1,\"vocab\":[[\"a\",0]]}}", "unk_id within"},
        {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"a\",0],[\"b\"]]}}",
         "entry 1 of model.vocab"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", "missing or empty"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", "'[UNK]'"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":-3}}}", "id -3"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":99999999}}}", "id 99999999"},
        {"{\"model\":{\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\",\"vocab\":{\"a\":0},"
         "\"merges\":[]}}",
         "end_of_word_suffix"},
        {"{\"normalizer\":{\"type\":\"Nmt\"},\"model\":{}}", "'Nmt'"},
        {"{\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"a*bc\"},\"model\":"
         "{}}",
         "not base64"},
        {"{\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"/////////w==\"},"
         "\"model\":{}}",
         "a trie of 4294967295"},
        {"{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"x+\"}},\"model\":{}}",
         "'x+'"},
        {"{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"last\"},\"model\":{}}",
         "'last'"},
        {"{\"decoder\":{\"type\":\"CTC\"},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},"
         "\"merges\":"
         "[]}}",
         "'CTC'"},
        {"{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x+\"},\"behavior\":"
         "\"Isolated\"},\"model\":{}}",
         "'x+'"},
        {"{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"model\":{"
         "\"type\":"
         "\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[\"a b\"]}}",
         "'ab' is not in the vocabulary"},
        {"{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"model\":{"
         "\"type\":"
         "\"BPE\",\"byte_fallback\":true,\"vocab\":{\"a\":0},\"merges\":[]}}",
         "byte_fallback"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bw_tokenizer *t;
        CHECK_FAILS(bw_tokenizer_parse(cases[i].json, strlen(cases[i].json), "case", &t, &err),
                    BW_EFORMAT, cases[i].says);
        assert_null(t);
    }
}

/* Bytes of a good file overwritten at random: it loads or is refused, and what loads still runs. */
static void damage(const char *path) {
    char *good = NULL;
    size_t len;
    uint32_t x = 7;
    CHECK_OK(bw_file_read(path, 1 << 20, &good, &len, &err));
    for (int i = 0; i < 300; i++) {
        char *bad = malloc(len);
        memcpy(bad, good, len);
        for (int k = 0; k < 1 + i % 7; k++) {
            x = x * 1664525u + 1013904223u;
            bad[x % len] = "\"0[{,x-9\\"[(x >> 28) % 9];
        }
        bw_tokenizer *t;
        if (bw_tokenizer_parse(bad, i % 5 ? len : x % len, "damaged", &t, &err) == BW_OK) {
            bw_tokens k = {0};
            bw_tokenizer_encode(t, "The box \u5feb\u9012 [SEP]", 20, NULL, &k, &err);
            bw_tokens_free(&k);
            bw_tokenizer_free(t);
        }
        free(bad);
    }
    free(good);
}

static void damaged_files_do_no_harm(void **state) {
    (void)state;
    damage("tests/model/tokenizers/own-bpe/tokenizer.json");
    damage("tests/model/tokenizers/own-t5/tokenizer.json"); /* a third of it is the charsmap */
    damage("tests/model/tokenizers/own-llama2/tokenizer.json");
}

static const char *const SENTENCEPIECE[] = {
    "tests/model/tokenizers/own-t5", "tests/model/tokenizers/own-unigram-bytes",
    "tests/model/tokenizers/own-llama2", "tests/model/tokenizers/own-llama2-first"};
#define N_SENTENCEPIECE (sizeof SENTENCEPIECE / sizeof *SENTENCEPIECE)

static void sentencepiece_is_saved_and_loaded_alike(void **state) {
    (void)state;
    const char *text =
        " The courier\tq\xCC\x81 \xEF\xAC\x81ne  late\xE5\xBF\xAB\xF0\x9F\x98\x80</s>box";
    for (size_t i = 0; i < N_SENTENCEPIECE; i++) {
        char folder[] = "/tmp/bw_tok_XXXXXX", path[64];
        bw_tokenizer *t, *u;
        bw_tokens a = {0}, b = {0};
        assert_non_null(mkdtemp(folder));
        CHECK_OK(bw_tokenizer_load(SENTENCEPIECE[i], &t, &err));
        CHECK_OK(bw_tokenizer_save(t, folder, &err));
        CHECK_OK(bw_tokenizer_load(folder, &u, &err));
        CHECK_OK(bw_tokenizer_encode(t, text, strlen(text), NULL, &a, &err));
        CHECK_OK(bw_tokenizer_encode(u, text, strlen(text), NULL, &b, &err));
        assert_in_range(a.n, 10, 60);
        assert_int_equal(a.n, b.n);
        assert_memory_equal(a.ids, b.ids, a.n * sizeof *a.ids);
        for (size_t k = 0; k < a.n; k++) { /* places lie in the text, in order */
            assert_in_range(a.spans[k].end, a.spans[k].start, strlen(text));
            assert_true(!k || a.sequence[k] < 0 || a.spans[k].start >= a.spans[k - 1].start);
        }
        bw_tokens_free(&a);
        bw_tokens_free(&b);
        bw_tokenizer_free(t);
        bw_tokenizer_free(u);
        const char *files[] = {"tokenizer.json", "tokenizer_config.json"};
        for (int k = 0; k < 2; k++) {
            snprintf(path, sizeof path, "%s/%s", folder, files[k]);
            unlink(path);
        }
        rmdir(folder);
    }
}

/* Bytes of no character come back through <0x..>; the mark in front is the decoder's to take off. */
static void byte_tokens_keep_bad_utf8(void **state) {
    (void)state;
    static const char TEXT[] = "late \xFF\xC0 box\xE5\xBF";
    bw_tokenizer *t;
    bw_tokens k = {0};
    char *back;
    size_t len;
    CHECK_OK(bw_tokenizer_load("tests/model/tokenizers/own-llama2", &t, &err));
    CHECK_OK(bw_tokenizer_encode(t, TEXT, sizeof TEXT - 1, NULL, &k, &err));
    CHECK_OK(bw_tokenizer_decode(t, k.ids, k.n, BW_DECODE_BYTES | BW_DECODE_SKIP_SPECIAL, &back,
                                 &len, &err));
    assert_int_equal(len, sizeof TEXT - 1);
    assert_memory_equal(back, TEXT, len);
    free(back);
    CHECK_OK(bw_tokenizer_decode(t, k.ids, k.n, BW_DECODE_SKIP_SPECIAL, &back, NULL, &err));
    assert_string_equal(back, "late \xEF\xBF\xBD\xEF\xBF\xBD box\xEF\xBF\xBD\xEF\xBF\xBD");
    free(back);
    bw_tokens_free(&k);
    bw_tokenizer_free(t);
}

/* Nothing cuts Llama's text into words: a million characters are one word of the model. */
static void a_million_characters_in_one_word(void **state) {
    (void)state;
    size_t n = 1000000;
    char *text = malloc(n);
    for (size_t i = 0; i < n; i++)
        text[i] = "the courier was late  "[i % 22];
    for (size_t i = 0; i < N_SENTENCEPIECE; i++) {
        bw_tokenizer *t;
        bw_tokens k = {0};
        CHECK_OK(bw_tokenizer_load(SENTENCEPIECE[i], &t, &err));
        CHECK_OK(
            bw_tokenizer_encode(t, text, n, &(bw_encode_options){.max_tokens = 512}, &k, &err));
        assert_int_equal(k.n, 512);
        assert_true(k.cut > n / 22);
        bw_tokens_free(&k);
        bw_tokenizer_free(t);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequent_pieces_become_tokens),
        cmocka_unit_test(training_depends_on_the_texts_alone),
        cmocka_unit_test(random_bytes_come_back),
        cmocka_unit_test(long_words_take_the_heap_and_agree),
        cmocka_unit_test(saved_is_loaded_alike),
        cmocka_unit_test(a_vocabulary_too_small_is_refused),
        cmocka_unit_test(bad_utf8_is_kept_byte_by_byte),
        cmocka_unit_test(shown_text_is_valid_utf8),
        cmocka_unit_test(places_survive_normalising),
        cmocka_unit_test(a_million_characters_are_cut_in_plain_sight),
        cmocka_unit_test(foreign_components_are_refused_by_name),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(sentencepiece_is_saved_and_loaded_alike),
        cmocka_unit_test(byte_tokens_keep_bad_utf8),
        cmocka_unit_test(a_million_characters_in_one_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
