/* model verify, info and convert on folders made here: answers recorded from this program pass, one
 * changed number does not, and what cannot be compared is said. */
#include "model/cmd_model.h"
#include "model/generate/generate.h"
#include "model/hf/hf.h"
#include "model/core/objective.h"
#include "tests/model/shapes.h"

#include "common/buf.h"

#include <fcntl.h>
#include <unistd.h>

static bw_err err;
static char dir[] = "/tmp/bw_verifyXXXXXX";

/* Runs a command with stdout going to a file; its text is the caller's to free. */
static bw_status run(bw_status (*command)(int, char **, bw_err *), int argc,
                     const char *const *argv, char **text) {
    char path[64], *args[8] = {0};
    snprintf(path, sizeof path, "%s/stdout", dir);
    for (int i = 0; i < argc; i++)
        args[i] = (char *)(uintptr_t)argv[i];
    fflush(stdout);
    int saved = dup(1), to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(to, 1);
    bw_status st = command(argc, args, &err);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    close(to);
    bw_err unused;
    assert_int_equal(bw_file_read(path, 1 << 20, text, NULL, &unused), BW_OK);
    return st;
}

/* A GPT-2 shaped model; expected.json with its own hidden states, scores, loss and greedy tokens. */
static const int32_t IDS[] = {3, 17, 9, 30, 2};
#define N_IDS 5

static void add_rows(bw_buf *b, const float *x, size_t rows, size_t n, float change) {
    bw_buf_addf(b, "{\"shape\": [1, %zu, %zu], \"data\": [", rows, n);
    for (size_t i = 0; i < rows * n; i++)
        bw_buf_addf(b, "%s%.9g", i ? "," : "", (double)(x[i] + (i == 7 ? change : 0)));
    bw_buf_add(b, "]}");
}

static void add_greedy(bw_buf *b, const bw_transformer *t) {
    bw_kv_cache *cache = NULL;
    bw_generated out;
    bw_generation how = {.max_length = N_IDS + 4, .length_penalty = 1, .n = 1};
    CHECK_OK(bw_kv_cache_new(t, 1, N_IDS + 4, &cache, &err));
    bw_stepper model = bw_stepper_of_cache(cache, 37, 1);
    CHECK_OK(bw_generate(&model, IDS, N_IDS, &how, &out, &err));
    bw_buf_add(b, "\"greedy\": [{\"note\": \"four more\", \"input_ids\": [[3,17,9,30,2]], "
                  "\"max_new_tokens\": 4, \"new_tokens\": [[");
    for (size_t i = 0; i < 4; i++)
        bw_buf_addf(b, "%s%d", i ? "," : "", (int)out.seq[0].ids[i]);
    bw_buf_add(b, "]]}]");
    bw_generated_free(&out);
    bw_kv_cache_free(cache);
}

static void write_folder(float change, float loss_change) {
    bw_tf_config c = {0};
    for (size_t i = 0; i < N_SHAPES; i++)
        if (strcmp(SHAPES[i].name, "gpt2") == 0)
            c = SHAPES[i].config;
    c.lm = c.tied = true;
    bw_transformer *t = NULL;
    bw_hf_info info;
    CHECK_OK(bw_transformer_new(&c, &t, &err));
    bw_transformer_init(t, 2);
    bw_hf_info_init(&info, BW_HF_GPT2, &c);
    CHECK_OK(bw_hf_save(dir, t, &info, &err));
    bw_tf_workspace *ws = bw_tf_workspace_new();
    bw_objective *o = bw_objective_new();
    bw_batch b = {.ids = IDS, .start = (const size_t[]){0, N_IDS}, .n_seq = 1, .n_tokens = N_IDS};
    CHECK_OK(bw_transformer_forward(t, ws, &b, NULL, NULL, &err));
    float logits[N_IDS * 37];
    int32_t labels[N_IDS];
    double loss;
    CHECK_OK(bw_head_tokens(t, o, bw_tf_hidden(ws), N_IDS, logits, &err));
    bw_causal_labels(&b, labels);
    CHECK_OK(
        bw_loss_tokens(t, o, bw_tf_hidden(ws), labels, N_IDS, 0, 1, &loss, NULL, NULL, NULL, &err));
    bw_buf text = {0};
    bw_buf_add(&text, "{\"forward\": {\"input_ids\": [[3,17,9,30,2,0]], "
                      "\"attention_mask\": [[1,1,1,1,1,0]], \"logits\": ");
    add_rows(&text, logits, N_IDS, 37, change);
    bw_buf_addf(&text,
                "}, \"training\": {\"input_ids\": [[3,17,9,30,2]], "
                "\"labels\": [[3,17,9,30,2]], \"loss\": %.9g}, ",
                loss + (double)loss_change);
    add_greedy(&text, t);
    bw_buf_add(&text, "}");
    char path[64];
    snprintf(path, sizeof path, "%s/expected.json", dir);
    CHECK_OK(bw_file_write(path, text.text, text.len, &err));
    bw_buf_free(&text);
    bw_objective_free(o);
    bw_tf_workspace_free(ws);
    bw_transformer_free(t);
}

static bw_status verify(char **text) {
    return run(bw_cmd_model_verify, 3, (const char *const[]){"verify", dir, "--json"}, text);
}

static void test_own_answers_pass(void **state) {
    (void)state;
    char *text;
    write_folder(0, 0);
    CHECK_OK(verify(&text));
    assert_non_null(strstr(text, "\"forward.logits\""));
    assert_non_null(strstr(text, "\"greedy.four more\""));
    assert_non_null(strstr(text, "\"training.loss\""));
    assert_null(strstr(text, "false"));
    free(text);
}

static void test_one_changed_number_fails(void **state) {
    (void)state;
    char *text;
    write_folder(1e-3f, 0);
    assert_int_equal(verify(&text), BW_EMISMATCH);
    assert_non_null(strstr(text, "false"));
    free(text);
    write_folder(0, 1e-4f);
    assert_int_equal(verify(&text), BW_EMISMATCH);
    free(text);
    write_folder(1e-6f, 0); /* within the tolerance of f32 */
    CHECK_OK(verify(&text));
    free(text);
}

static bw_status verify_saved(char **text) {
    return run(bw_cmd_model_verify, 4, (const char *const[]){"verify", dir, "--saved", "--json"},
               text);
}

/* Another name of the same activation: the model is equal, its saved config.json is not. */
static void rename_activation(void) {
    char path[64], *text, *at;
    snprintf(path, sizeof path, "%s/config.json", dir);
    CHECK_OK(bw_file_read(path, 1 << 20, &text, NULL, &err));
    assert_non_null(at = strstr(text, "gelu_new"));
    bw_buf b = {0};
    bw_buf_addf(&b, "%.*sgelu_pytorch_tanh%s", (int)(at - text), text, at + strlen("gelu_new"));
    CHECK_OK(bw_file_write(path, b.text, b.len, &err));
    bw_buf_free(&b);
    free(text);
}

static void test_what_is_saved_again_is_compared(void **state) {
    (void)state;
    char *text;
    write_folder(0, 0);
    CHECK_OK(verify_saved(&text));
    assert_non_null(strstr(text, "\"saved.tensors\""));
    assert_non_null(strstr(text, "\"saved.parameters\""));
    free(text);
    rename_activation();
    CHECK_OK(verify(&text));
    free(text);
    assert_int_equal(verify_saved(&text), BW_EMISMATCH);
    assert_non_null(strstr(text, "\"saved.config\""));
    free(text);
}

static void test_answers_of_another_model_are_an_error(void **state) {
    (void)state;
    char path[64], *text;
    write_folder(0, 0);
    snprintf(path, sizeof path, "%s/expected.json", dir);
    const char *const broken[] = {"{\"forward\": {\"input_ids\": [[99]]}}", "{\"forward\": {}}",
                                  "{}", "[1", "{\"forward\": {\"input_ids\": [[1], [2, 3]]}}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        CHECK_OK(bw_file_write(path, broken[i], strlen(broken[i]), &err));
        bw_status st = verify(&text);
        if (st == BW_OK || st == BW_EMISMATCH || !err.text[0])
            fail_msg("'%s' gave status %d", broken[i], (int)st);
        free(text);
    }
}

static void test_info_and_convert(void **state) {
    (void)state;
    char *text, out[64];
    write_folder(0, 0);
    CHECK_OK(run(bw_cmd_model_info, 3, (const char *const[]){"info", dir, "--json"}, &text));
    assert_non_null(strstr(text, "GPT2LMHeadModel"));
    free(text);
    snprintf(out, sizeof out, "%s/copy", dir);
    CHECK_OK(run(bw_cmd_model_convert, 3, (const char *const[]){"convert", dir, out}, &text));
    free(text);
    bw_transformer *a = NULL, *b = NULL;
    CHECK_OK(bw_hf_load(dir, &a, NULL, &err));
    CHECK_OK(bw_hf_load(out, &b, NULL, &err));
    bw_params *p = bw_transformer_params(a), *q = bw_transformer_params(b);
    assert_memory_equal(p->data, q->data, p->total * sizeof *p->data);
    bw_transformer_free(a);
    bw_transformer_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_answers_pass),
        cmocka_unit_test(test_one_changed_number_fails),
        cmocka_unit_test(test_what_is_saved_again_is_compared),
        cmocka_unit_test(test_answers_of_another_model_are_an_error),
        cmocka_unit_test(test_info_and_convert),
    };
    if (!mkdtemp(dir))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 ? failed : 1;
}
