/* Training: a stopped and resumed run writes the bytes of one that was not, it learns, its weights
 * pack into a file that scores, and every cut of that file is refused. */
#include "tests/check.h"

#include "common/buf.h"
#include "model/shipped/calibrate.h"
#include "model/train/train.h"

#include <omp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/bw-train-XXXXXX";

static char *in_folder(const char *name) {
    static char path[4][256];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, 256, "%s/%s", folder, name);
    return p;
}

static const char RECIPE[] =
    "{\"name\": \"tiny\", \"own_tests\": true, \"dev\": [\"r\"],"
    " \"data\": [{\"file\": \"r\", \"task\": \"sentiment\"}, {\"file\": \"a\", \"task\": "
    "\"aspect\"},"
    " {\"file\": \"p\", \"task\": \"pair\"}],"
    " \"wide\": {\"epochs\": 3, \"slots\": 1024, \"min_count\": 1}, \"tokenizer\": {\"vocab\": "
    "400},"
    " \"ngrams\": {\"slots\": 256, \"min_count\": 1},"
    " \"encoder\": {\"embed\": 8, \"dim\": 16, \"layers\": 1, \"heads\": 2, \"ffn\": 32, "
    "\"dropout\": 0.1},"
    " \"embed\": {\"dim\": 8, \"steps\": 20, \"batch\": 8},"
    " \"pretrain\": {\"tokens\": 1024, \"batch_tokens\": 256, \"max_tokens\": 32, \"warmup\": 1},"
    " \"tune\": {\"tokens\": 9000, \"rate\": 0.01, \"batch_tokens\": 256, \"max_tokens\": 32,"
    " \"warmup\": 2, \"average\": 0.9, \"adversarial\": 0.1}}";

/* 90 reviews whose words say their label, in both languages, and tables for the other tasks. */
static void write_data(void) {
    static const char *const GOOD[] = {"great", "lovely", "很好", "喜欢"};
    static const char *const BAD[] = {"awful", "broken", "很差", "难用"};
    FILE *f = fopen(in_folder("r.tsv"), "w");
    fputs("label\tsplit\ttext\n", f);
    for (int i = 0; i < 90; i++)
        fprintf(f, "%d\t%s\tThe thing number %d is %s. Came in box %d with a card.\n", i % 2,
                i % 9 == 4   ? "dev"
                : i % 9 == 5 ? "test"
                             : "train",
                i, i % 2 ? GOOD[i / 2 % 4] : BAD[i / 2 % 4], i * 7);
    fclose(f);
    f = fopen(in_folder("a.tsv"), "w");
    fputs("label\tsplit\taspect\ttext\n", f);
    for (int i = 0; i < 10; i++)
        fprintf(f,
                "1\ttrain\tfood\tLovely food %d but rude staff\n0\ttrain\tstaff\tLovely food %d "
                "but rude staff\n",
                i, i);
    fclose(f);
    f = fopen(in_folder("p.tsv"), "w");
    fputs("score\tsplit\tsentence1\tsentence2\n", f);
    for (int i = 0; i < 10; i++)
        fprintf(f, "%d\ttrain\tthe courier came %d\tthe %s came %d\n", i % 2 ? 5 : 1, i,
                i % 2 ? "courier" : "soup", i);
    fclose(f);
}

static void load(bw_recipe *r, bw_dataset *d) {
    bw_err err;
    CHECK_OK(bw_recipe_parse(RECIPE, "tiny", r, &err));
    CHECK_OK(bw_dataset_load(r, folder, d, &err));
}

static void train(const bw_recipe *r, const bw_dataset *d, bw_deep *m, bw_stage stage,
                  const char *out, size_t steps, bool resume) {
    bw_err err;
    const bw_train_options o = {
        .stage = stage, .folder = out, .steps = steps, .seed = 3, .resume = resume};
    mkdir(out, 0777);
    CHECK_OK(bw_train(r, d, m, &o, &err));
}

static void same_weights(const bw_deep *a, const bw_deep *b) {
    const bw_params *p = bw_transformer_params(a->tf), *q = bw_transformer_params(b->tf);
    assert_memory_equal(p->data, q->data, p->total * sizeof(float));
    assert_memory_equal(a->heads.params.data, b->heads.params.data,
                        a->heads.params.total * sizeof(float));
}

static void resume_is_exact(bw_stage stage) {
    bw_recipe r;
    bw_dataset d;
    bw_deep straight, stopped, resumed;
    bw_err err;
    load(&r, &d);
    CHECK_OK(bw_deep_new(&r, &d, 1, &straight, &err));
    CHECK_OK(bw_deep_new(&r, &d, 1, &stopped, &err));
    same_weights(&straight, &stopped);
    train(&r, &d, &straight, stage, in_folder("one"), 0, false);
    const char *two = in_folder("two");
    train(&r, &d, &stopped, stage, two, 2, false);
    CHECK_OK(bw_deep_load(two, &resumed, &err));
    train(&r, &d, &resumed, stage, two, 0, true);
    same_weights(&straight, &resumed);
    bw_deep_free(&straight);
    bw_deep_free(&stopped);
    bw_deep_free(&resumed);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

static void tuning_resumes_exactly(void **state) {
    (void)state;
    resume_is_exact(BW_STAGE_TUNE);
}

static void pretraining_resumes_exactly(void **state) {
    (void)state;
    resume_is_exact(BW_STAGE_PRETRAIN);
}

/* Two steps whose batches are cut into several chunks. */
static void train_on(int threads, bw_stage stage, bw_deep *m) {
    bw_recipe r;
    bw_dataset d;
    bw_err err;
    load(&r, &d);
    cJSON *section = cJSON_GetObjectItem(r.json, stage == BW_STAGE_TUNE ? "tune" : "pretrain");
    cJSON_SetNumberValue(cJSON_GetObjectItem(section, "batch_tokens"), 1500);
    CHECK_OK(bw_deep_new(&r, &d, 1, m, &err));
    omp_set_num_threads(threads);
    train(&r, &d, m, stage, in_folder("threads"), 2, false);
    omp_set_num_threads(1);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

static void threads_change_no_weight(void **state) {
    (void)state;
    for (int stage = BW_STAGE_PRETRAIN; stage <= BW_STAGE_TUNE; stage++) {
        bw_deep one, three;
        train_on(1, (bw_stage)stage, &one);
        train_on(3, (bw_stage)stage, &three);
        same_weights(&one, &three);
        bw_deep_free(&one);
        bw_deep_free(&three);
    }
}

static void pack(const char *path) {
    bw_recipe r;
    bw_dataset d;
    bw_deep m;
    bw_wide w;
    bw_bag b;
    bw_words words;
    bw_err err;
    const bw_calibration c = bw_calibration_default();
    load(&r, &d);
    CHECK_OK(bw_deep_new(&r, &d, 1, &m, &err));
    train(&r, &d, &m, BW_STAGE_TUNE, in_folder("pack"), 0, false);
    CHECK_OK(bw_wide_train(&r, &d, 1, &w, &err));
    CHECK_OK(bw_bag_train(&r, &d, &m, 1, &b, &err));
    CHECK_OK(bw_words_new(&d, 2, &words, &err));
    CHECK_OK(bw_pack_calibrated(&r, &d, &(bw_pack_parts){&m, &w, &b, &words}, &c, path, &err));
    bw_words_free(&words);
    bw_deep_free(&m);
    bw_wide_free(&w);
    bw_bag_free(&b);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

static void what_was_trained_scores(void **state) {
    (void)state;
    const char *path = in_folder("w.safetensors");
    bw_encoder *e;
    bw_err err;
    pack(path);
    CHECK_OK(bw_encoder_open(path, &e, &err));
    const char *texts[] = {"The thing number 500 is lovely.", "The thing number 501 is broken.", "",
                           "很好", "很差"};
    bw_text_score all[5], one;
    float v[5 * 8], single[8];
    assert_int_equal(bw_encoder_dim(e), 8);
    CHECK_OK(bw_encoder_score(e, texts, 5, all, v, &err));
    assert_true(all[0].positive > all[1].positive);
    assert_true(all[3].positive > all[4].positive);
    for (int i = 0; i < 5; i++) {
        CHECK_NEAR(all[i].negative + all[i].neutral + all[i].positive, 1, 1e-5);
        assert_true(all[i].stars >= 1 && all[i].stars <= 5);
        CHECK_OK(bw_encoder_score(e, &texts[i], 1, &one, single, &err));
        assert_memory_equal(&one.positive, &all[i].positive,
                            sizeof one.positive); /* batch of one */
        assert_memory_equal(single, v + 8 * i, sizeof single);
    }
    for (int k = 0; k < 8; k++)
        assert_true(v[2 * 8 + k] == 0); /* nothing to embed */
    bw_encoder_free(e);
}

static void a_cut_file_is_refused(void **state) {
    (void)state;
    char *text;
    size_t len;
    bw_err err;
    bw_encoder *e;
    CHECK_OK(bw_file_read(in_folder("w.safetensors"), 64u << 20, &text, &len, &err));
    for (size_t cut = 0; cut < len; cut += len / 13 + 1) {
        CHECK_OK(bw_file_write(in_folder("cut"), text, cut, &err));
        assert_int_not_equal(bw_encoder_open(in_folder("cut"), &e, &err), BW_OK);
        assert_null(e);
    }
    free(text);
}

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    write_data();
    return freopen("/dev/null", "w", stderr) ? 0 : -1; /* training reports its losses there */
}

static int remove_folder(void **state) {
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* Every weight of the mean lies halfway; runs of other words have none. */
static void the_mean_of_two_runs_lies_halfway(void **state) {
    (void)state;
    bw_recipe r;
    bw_dataset d;
    bw_deep a, b;
    bw_err err;
    load(&r, &d);
    CHECK_OK(bw_deep_new(&r, &d, 1, &a, &err));
    CHECK_OK(bw_deep_new(&r, &d, 2, &b, &err));
    const bw_params *x = bw_transformer_params(a.tf), *y = bw_transformer_params(b.tf);
    float first = x->data[0], last = x->data[x->total - 1], query = a.heads.params.data[0];
    assert_true(first != y->data[0] && query != b.heads.params.data[0]);
    CHECK_OK(bw_deep_mean(&a, &b, &err));
    CHECK_NEAR(x->data[0], 0.5 * ((double)first + y->data[0]), 1e-7);
    CHECK_NEAR(x->data[x->total - 1], 0.5 * ((double)last + y->data[x->total - 1]), 1e-7);
    CHECK_NEAR(a.heads.params.data[0], 0.5 * ((double)query + b.heads.params.data[0]), 1e-7);
    b.marks[0] ^= 1;
    CHECK_FAILS(bw_deep_mean(&a, &b, &err), BW_EARG, "n-grams");
    bw_deep_free(&a);
    bw_deep_free(&b);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

static void adversarial_tuning_wants_embeddings_of_their_own_width(void **state) {
    (void)state;
    bw_recipe r;
    bw_dataset d;
    bw_deep m;
    bw_err err;
    char *recipe = strdup(RECIPE), *embed = strstr(recipe, "\"embed\": 8, ");
    memmove(embed, embed + 12, strlen(embed + 12) + 1);
    CHECK_OK(bw_recipe_parse(recipe, "tiny", &r, &err));
    free(recipe);
    CHECK_OK(bw_dataset_load(&r, folder, &d, &err));
    CHECK_OK(bw_deep_new(&r, &d, 1, &m, &err));
    const bw_train_options o = {.stage = BW_STAGE_TUNE, .folder = folder, .seed = 3};
    CHECK_FAILS(bw_train(&r, &d, &m, &o, &err), BW_EDATA, "encoder.embed");
    bw_deep_free(&m);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

/* x = log(tokens / 32) = log 2 at 64 tokens; the mix at that length by hand. */
static void the_mix_of_the_paths_follows_length(void **state) {
    (void)state;
    const bw_calibration c = {.mix = {{0.5, 0.25, -0.1, 0.2, -0.3}, {1}},
                              .by_length = {{0.1, -0.05, 0.01, 0.02, 0.03}}};
    const float deep[3] = {-1, 0.5f, 2}, wide[2] = {3, -1.5f};
    double z[3], x = log(2.0);
    CHECK_NEAR(bw_length_feature(64), x, 1e-12);
    CHECK_NEAR(bw_length_feature(1), -2, 0);
    CHECK_NEAR(bw_length_feature(0), -2, 0);
    CHECK_NEAR(bw_length_feature(100000), 2, 0);
    bw_calibration_logits(&c, false, x, deep, wide, z);
    CHECK_NEAR(z[0], (0.5 + 0.1 * x) * -1 + (0.25 - 0.05 * x) * -3 - 0.1 + 0.01 * x, 1e-12);
    CHECK_NEAR(z[1], (0.5 + 0.1 * x) * 0.5 + (0.25 - 0.05 * x) * -1.5 + 0.2 + 0.02 * x, 1e-12);
    CHECK_NEAR(z[2], (0.5 + 0.1 * x) * 2 + (0.25 - 0.05 * x) * 3 - 0.3 + 0.03 * x, 1e-12);
    bw_calibration_logits(&c, true, x, deep, wide, z);
    CHECK_NEAR(z[2], 2, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tuning_resumes_exactly),
        cmocka_unit_test(pretraining_resumes_exactly),
        cmocka_unit_test(threads_change_no_weight),
        cmocka_unit_test(what_was_trained_scores),
        cmocka_unit_test(the_mean_of_two_runs_lies_halfway),
        cmocka_unit_test(adversarial_tuning_wants_embeddings_of_their_own_width),
        cmocka_unit_test(the_mix_of_the_paths_follows_length),
        cmocka_unit_test(a_cut_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
