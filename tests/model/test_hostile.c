/* Folders whose files were broken at random: configuration, weights, index and tokenizer files.
 * Whatever happens is an answer or an error with a message, never a crash; what loads can be run.
 * Meant for the sanitizers: BW_MUTATIONS=10000 sets how many files each test breaks. */
#include "common/buf.h"
#include "model/hf/hf.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/model/shapes.h"

#include <unistd.h>

#define FEW 200 /* mutations a test without BW_MUTATIONS */

static bw_err err;
static char dir[] = "/tmp/bw_hostileXXXXXX";

static size_t rounds(void) {
    const char *n = getenv("BW_MUTATIONS");
    return n ? strtoul(n, NULL, 10) : FEW;
}

static const char *in_dir(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void clear_dir(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -f %s/*", dir);
    assert_int_equal(system(command), 0);
}

/* Numbers that sizes overflow with, and what JSON is made of. */
static const char *const PIECES[] = {"-1",
                                     "0",
                                     "18446744073709551615",
                                     "9223372036854775807",
                                     "4294967296",
                                     "1e308",
                                     "1e-400",
                                     "null",
                                     "[[[[[[",
                                     "{\"\":{\"\":",
                                     "\"\\ud800\"",
                                     "\\u0000",
                                     "}",
                                     "]",
                                     "\"",
                                     ",",
                                     "NaN",
                                     "\xff\xfe",
                                     "true",
                                     "1.5"};
#define N_PIECES (sizeof PIECES / sizeof *PIECES)

/* One to four changes: a byte, a digit, a piece from above, a piece of the file itself, a cut. */
static void mutate(bw_buf *f, uint64_t *s) {
    for (size_t k = 1 + draw(s, 4); k > 0 && f->len > 16; k--) {
        size_t at = draw(s, draw(s, 2) ? f->len : f->len < 400 ? f->len : 400);
        const char *piece = PIECES[draw(s, N_PIECES)];
        size_t n = strlen(piece), left = f->len - at;
        switch (draw(s, 6)) {
        case 0:
            f->text[at] = (char)draw(s, 256);
            break;
        case 1:
            for (; at < f->len && (f->text[at] < '0' || f->text[at] > '9'); at++)
                continue;
            if (at < f->len)
                f->text[at] = (char)('0' + draw(s, 10));
            break;
        case 2: /* over what stands there, which keeps a header's length right */
            memcpy(f->text + at, piece, n < left ? n : left);
            break;
        case 3:
            n = 1 + draw(s, 12);
            n = n < left ? n : left;
            memmove(f->text + at, f->text + draw(s, f->len - n + 1), n);
            break;
        case 4:
            f->text[draw(s, 8)] = (char)draw(s, 256); /* a weights file's header length */
            break;
        default:
            if (draw(s, 8) == 0)
                f->len = at;
        }
    }
}

/* A good file, to be written broken and then restored. */
typedef struct {
    char name[64];
    char *text;
    size_t len;
} good_file;

static void read_good(good_file *g, const char *folder, const char *name) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(g->name, sizeof g->name, "%s", name);
    CHECK_OK(bw_file_read(path, 1 << 20, &g->text, &g->len, &err));
}

/* Without the care that bw_file_write takes for files that somebody needs. */
static void write_file(const char *name, const char *text, size_t len) {
    FILE *f = fopen(in_dir(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void write_good(const good_file *g) {
    write_file(g->name, g->text, g->len);
}

static void write_broken(const good_file *g, uint64_t *s) {
    bw_buf f = {0};
    bw_buf_add_n(&f, g->text, g->len);
    mutate(&f, s);
    write_file(g->name, f.text, f.len);
    bw_buf_free(&f);
}

/* ---- models ---- */

static const struct {
    bw_hf_family family;
    const char *shape;
} MODELS[] = {
    {BW_HF_BERT, "bert"},       {BW_HF_GPT2, "gpt2"}, {BW_HF_LLAMA, "llama"},
    {BW_HF_BART, "bart"},       {BW_HF_T5, "t5"},     {BW_HF_DISTILBERT, "bert"},
    {BW_HF_MISTRAL, "mistral"},
};
#define N_MODELS (sizeof MODELS / sizeof *MODELS)

static void save_model(size_t i) {
    bw_tf_config c = {0};
    for (size_t k = 0; k < N_SHAPES; k++)
        if (!strcmp(SHAPES[k].name, MODELS[i].shape))
            c = SHAPES[k].config;
    c.token_types = MODELS[i].family == BW_HF_DISTILBERT ? 0 : c.token_types;
    c.lm = c.dec.layers > 0;
    c.tied = c.lm;
    bw_transformer *t;
    bw_hf_info info;
    CHECK_OK(bw_transformer_new(&c, &t, &err));
    bw_transformer_init(t, 1);
    bw_hf_info_init(&info, MODELS[i].family, &c);
    CHECK_OK(bw_hf_save(dir, t, &info, &err));
    bw_transformer_free(t);
}

/* Loads what is there and, when that goes, runs it on a few tokens. */
static bool model_opens(void) {
    bw_transformer *t = NULL;
    bw_hf_info info;
    bw_status st = bw_hf_load(dir, &t, &info, &err);
    if (st != BW_OK) {
        assert_true(t == NULL && err.text[0]);
        return false;
    }
    const bw_tf_config *c = bw_transformer_config(t);
    sample in, out;
    bw_tf_workspace *ws = bw_tf_workspace_new();
    fill_sample(&in, c, (size_t[]){3, 0}, 1);
    fill_sample(&out, c, (size_t[]){2, 0}, 2);
    bool both = c->enc.layers && c->dec.layers;
    (void)bw_transformer_forward(t, ws, &in.batch, both ? &out.batch : NULL, NULL, &err);
    bw_tf_workspace_free(ws);
    bw_hf_info_free(&info);
    bw_transformer_free(t);
    return true;
}

static void broken_models_are_refused_or_run(void **state) {
    (void)state;
    static const char *const FILES[] = {"config.json", "model.safetensors"};
    uint64_t s = 11;
    size_t opened = 0, n = rounds();
    for (size_t i = 0; i < N_MODELS; i++) {
        clear_dir();
        save_model(i);
        good_file g[2] = {0};
        for (size_t k = 0; k < 2; k++)
            read_good(&g[k], dir, FILES[k]);
        assert_true(model_opens());
        for (size_t r = i; r < n; r += N_MODELS) {
            size_t k = draw(&s, 2);
            write_broken(&g[k], &s);
            opened += model_opens();
            write_good(&g[k]);
        }
        free(g[0].text);
        free(g[1].text);
    }
    assert_true(opened < n * 9 / 10); /* the mutations do break files */
}

/* ---- tokenizers ---- */

static const struct {
    const char *folder, *files[3];
} TOKENIZERS[] = {
    {"own-bpe", {"tokenizer.json", "tokenizer_config.json"}},
    {"own-bpe-lower", {"tokenizer.json", "tokenizer_config.json"}},
    {"own-gpt2", {"vocab.json", "merges.txt", "tokenizer_config.json"}},
    {"own-qwen2", {"vocab.json", "merges.txt", "tokenizer_config.json"}},
    {"own-roberta", {"vocab.json", "merges.txt", "tokenizer_config.json"}},
    {"own-llama2", {"tokenizer.json", "tokenizer_config.json"}},
    {"own-t5", {"tokenizer.json", "tokenizer_config.json"}},
    {"own-unigram-bytes", {"tokenizer.json", "tokenizer_config.json"}},
    {"own-wordpiece", {"vocab.txt", "tokenizer_config.json"}},
};
#define N_TOKENIZERS (sizeof TOKENIZERS / sizeof *TOKENIZERS)

static bool tokenizer_opens(void) {
    static const char TEXT[] = "The box \u5feb\u9012 came  late\n[SEP] <s> 12,5 \xff\xc3 caf\u00e9";
    bw_tokenizer *t = NULL;
    bw_status st = bw_tokenizer_load(dir, &t, &err);
    if (st != BW_OK) {
        assert_true(t == NULL && err.text[0]);
        return false;
    }
    bw_tokens k = {0};
    char *text = NULL;
    if (bw_tokenizer_encode(t, TEXT, sizeof TEXT - 1, NULL, &k, &err) == BW_OK &&
        bw_tokenizer_decode(t, k.ids, k.n, BW_DECODE_BYTES, &text, NULL, &err) == BW_OK)
        free(text);
    bw_tokens_free(&k);
    bw_tokenizer_free(t);
    return true;
}

static void broken_tokenizers_are_refused_or_run(void **state) {
    (void)state;
    uint64_t s = 12;
    size_t opened = 0, n = rounds();
    for (size_t i = 0; i < N_TOKENIZERS; i++) {
        char from[96];
        good_file g[3] = {0};
        size_t files = 0;
        snprintf(from, sizeof from, "tests/model/tokenizers/%s", TOKENIZERS[i].folder);
        clear_dir();
        for (; files < 3 && TOKENIZERS[i].files[files]; files++) {
            read_good(&g[files], from, TOKENIZERS[i].files[files]);
            write_good(&g[files]);
        }
        assert_true(tokenizer_opens());
        for (size_t r = i; r < n; r += N_TOKENIZERS) {
            size_t k = draw(&s, files);
            write_broken(&g[k], &s);
            opened += tokenizer_opens();
            write_good(&g[k]);
        }
        for (size_t k = 0; k < files; k++)
            free(g[k].text);
    }
    assert_true(opened < n * 9 / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_models_are_refused_or_run),
        cmocka_unit_test(broken_tokenizers_are_refused_or_run),
    };
    assert_non_null(mkdtemp(dir));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear_dir();
    rmdir(dir);
    return failed;
}
