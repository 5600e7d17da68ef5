/* Model folders: what is saved is loaded again bit for bit, in the names and layouts of each
 * family; shards, old names and stored buffers are understood; what does not fit is named. */
#include "model/hf/hf.h"
#include "model/core/safetensors.h"
#include "tests/model/shapes.h"

#include "common/buf.h"

#include <sys/stat.h>
#include <unistd.h>

static bw_err err;
static char dir[] = "/tmp/bw_hfXXXXXX";

static void remove_folder(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static const struct {
    bw_hf_family family;
    const char *shape, *class, *name; /* a tensor that the folder must hold */
    size_t dim[2];                    /* its shape as stored */
    bool labels, mlm, lm;
} FAMILIES[] = {
    {BW_HF_BELLWETHER, "bert-ngrams", "", "embed.ngram.weight", {11, 12}, false, false, false},
    {BW_HF_BERT,
     "bert",
     "BertForSequenceClassification",
     "bert.encoder.layer.1.attention.output.LayerNorm.weight",
     {12},
     true,
     false,
     false},
    {BW_HF_BERT,
     "bert",
     "BertForPreTraining",
     "cls.predictions.transform.dense.weight",
     {12, 12},
     false,
     true,
     false},
    {BW_HF_BERT,
     "bert",
     "BertModel",
     "encoder.layer.0.intermediate.dense.weight",
     {20, 12},
     false,
     false,
     false},
    {BW_HF_DISTILBERT,
     "bert",
     "DistilBertForSequenceClassification",
     "distilbert.transformer.layer.0.attention.q_lin.weight",
     {12, 12},
     true,
     false,
     false},
    {BW_HF_GPT2,
     "gpt2",
     "GPT2LMHeadModel",
     "transformer.h.1.attn.c_attn.weight",
     {12, 36},
     false,
     false,
     true},
    {BW_HF_LLAMA,
     "llama",
     "LlamaForCausalLM",
     "model.layers.0.self_attn.k_proj.weight",
     {12, 12},
     false,
     false,
     true},
    {BW_HF_QWEN2,
     "qwen2",
     "Qwen2ForCausalLM",
     "model.layers.1.self_attn.v_proj.bias",
     {6},
     false,
     false,
     true},
    {BW_HF_QWEN2,
     "qwen2-window",
     "Qwen2ForCausalLM",
     "model.layers.1.self_attn.v_proj.bias",
     {6},
     false,
     false,
     true},
    {BW_HF_MISTRAL,
     "mistral",
     "MistralForCausalLM",
     "model.layers.1.self_attn.v_proj.weight",
     {12, 12},
     false,
     false,
     true},
    {BW_HF_BART,
     "bart",
     "BartForConditionalGeneration",
     "final_logits_bias",
     {1, 37},
     false,
     false,
     true},
    {BW_HF_T5,
     "t5",
     "T5ForConditionalGeneration",
     "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
     {8, 3},
     false,
     false,
     true},
    {BW_HF_T5,
     "t5-gated",
     "T5ForConditionalGeneration",
     "decoder.block.1.layer.2.DenseReluDense.wi_1.weight",
     {20, 12},
     false,
     false,
     true},
};
#define N_FAMILIES (sizeof FAMILIES / sizeof *FAMILIES)

/* The shape of a family with what its config.json cannot say taken out. */
static bw_tf_config config_of(size_t i) {
    bw_tf_config c = {0};
    for (size_t k = 0; k < N_SHAPES; k++)
        if (strcmp(SHAPES[k].name, FAMILIES[i].shape) == 0)
            c = SHAPES[k].config;
    bw_hf_family f = FAMILIES[i].family;
    c.labels = FAMILIES[i].labels ? 3 : 0;
    c.mlm = c.nsp = FAMILIES[i].mlm;
    c.pooler = c.labels || c.mlm || (f == BW_HF_BERT);
    if (c.pooler)
        c.pooler_act = f == BW_HF_DISTILBERT ? BW_ACT_RELU : BW_ACT_TANH;
    c.tied = f == BW_HF_BERT || f == BW_HF_GPT2 || f == BW_HF_T5;
    c.lm = FAMILIES[i].lm;
    c.lm_bias = f == BW_HF_BART;
    if (f == BW_HF_DISTILBERT)
        c.token_types = 0;
    if (f == BW_HF_DISTILBERT)
        c.norm_eps = 1e-12f;
    if (f == BW_HF_BART)
        c.embed_scale = sqrtf(12);
    if (f == BW_HF_T5) {
        c.embed_scale = 1;
        c.lm_scale = 1 / sqrtf(12);
    }
    if (c.pos == BW_POS_ROTARY)
        c.max_positions = 40;
    return c;
}

static bw_transformer *make(const bw_tf_config *c) {
    bw_transformer *t = NULL;
    CHECK_OK(bw_transformer_new(c, &t, &err));
    bw_transformer_init(t, 6);
    return t;
}

static void check_stored(size_t i) {
    char path[64];
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    bw_safetensors *f = NULL;
    CHECK_OK(bw_safetensors_open(path, &f, &err));
    const bw_tensor *t = bw_safetensors_find(f, FAMILIES[i].name);
    if (!t)
        fail_msg("%s holds no %s", FAMILIES[i].class, FAMILIES[i].name);
    assert_int_equal(t->dim[0], FAMILIES[i].dim[0]);
    assert_int_equal(t->dim[1], FAMILIES[i].dim[1]);
    bw_safetensors_free(f);
}

static void test_saved_folders_load_again(void **state) {
    (void)state;
    for (size_t i = 0; i < N_FAMILIES; i++) {
        bw_tf_config c = config_of(i);
        bw_transformer *t = make(&c), *again = NULL;
        bw_hf_info info, back;
        bw_hf_info_init(&info, FAMILIES[i].family, &c);
        snprintf(info.model_class, sizeof info.model_class, "%s", FAMILIES[i].class);
        info.eos = 5;
        CHECK_OK(bw_hf_save(dir, t, &info, &err));
        check_stored(i);
        bw_status st = bw_hf_load(dir, &again, &back, &err);
        if (st != BW_OK)
            fail_msg("%s: %s", FAMILIES[i].class, err.text);
        assert_int_equal(back.eos, 5);
        bw_tf_config a = *bw_transformer_config(t), b = *bw_transformer_config(again);
        a.init_std = b.init_std = 0; /* how a model began is no part of its folder */
        if (memcmp(&a, &b, sizeof a) != 0)
            fail_msg("%s: the configuration changed", FAMILIES[i].class);
        bw_params *p = bw_transformer_params(t), *q = bw_transformer_params(again);
        assert_int_equal(p->total, q->total);
        assert_memory_equal(p->data, q->data, p->total * sizeof *p->data);
        bw_hf_info_free(&back);
        bw_transformer_free(t);
        bw_transformer_free(again);
    }
}

/* ---- folders as others write them ---- */

typedef struct {
    bw_tensor t[200];
    char names[200][160];
    size_t n;
} file;

/* The tensors of the folder's model.safetensors, to be renamed and written again. */
static bw_safetensors *read_back(file *f) {
    char path[64];
    bw_safetensors *s = NULL;
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    CHECK_OK(bw_safetensors_open(path, &s, &err));
    f->n = bw_safetensors_count(s);
    for (size_t i = 0; i < f->n; i++) {
        f->t[i] = *bw_safetensors_at(s, i);
        snprintf(f->names[i], sizeof f->names[i], "%s", f->t[i].name);
        f->t[i].name = f->names[i];
    }
    return s;
}

static void write_part(const file *f, const char *name, size_t from, size_t to) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    CHECK_OK(bw_safetensors_write(path, f->t + from, to - from, NULL, &err));
}

/* How far a value moves when it is stored so: half a unit in the last place. */
static double rounding(bw_dtype d) {
    return d == BW_F16 ? 1.0 / 2048 : d == BW_BF16 ? 1.0 / 256 : 0;
}

static void check_near(const bw_transformer *t, const bw_transformer *again, double relative) {
    const bw_params *p = bw_transformer_params((bw_transformer *)t);
    const bw_params *q = bw_transformer_params((bw_transformer *)again);
    assert_int_equal(p->total, q->total);
    for (size_t i = 0; i < p->total; i++)
        if (!(fabs((double)p->data[i] - q->data[i]) <=
              relative * fabs((double)p->data[i]) + 1e-7 * (relative > 0)))
            fail_msg("value %zu: %g was saved as %g", i, p->data[i], q->data[i]);
}

static bool exists(const char *name) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Every family, every precision, first whole, then in shards; each form replaces the other. */
static void test_saved_in_shards_and_half_precision(void **state) {
    (void)state;
    const bw_dtype dtypes[] = {BW_F32, BW_F16, BW_BF16};
    for (size_t i = 0; i < 3 * N_FAMILIES; i++) {
        bw_tf_config c = config_of(i / 3);
        bw_hf_info info;
        bw_transformer *t = make(&c), *again = NULL;
        bw_dtype d = dtypes[i % 3];
        bw_hf_info_init(&info, FAMILIES[i / 3].family, &c);
        for (size_t shard = 0; shard <= 1200; shard += 1200) {
            CHECK_OK(bw_hf_save_as(dir, t, &info, &(bw_hf_format){d, shard}, &err));
            assert_true(exists("model.safetensors") == !shard);
            assert_true(exists("model.safetensors.index.json") == !!shard);
            CHECK_OK(bw_hf_load(dir, &again, NULL, &err));
            check_near(t, again, rounding(d));
            bw_transformer_free(again);
        }
        bw_transformer_free(t);
        remove_folder();
        assert_int_equal(mkdir(dir, 0700), 0);
    }
}

static void test_a_value_too_large_for_half_precision_is_named(void **state) {
    (void)state;
    bw_tf_config c = config_of(1);
    bw_hf_info info;
    bw_transformer *t = make(&c);
    bw_hf_info_init(&info, FAMILIES[1].family, &c);
    bw_transformer_params(t)->data[5] = 70000;
    CHECK_FAILS(bw_hf_save_as(dir, t, &info, &(bw_hf_format){BW_F16, 0}, &err), BW_EDATA,
                "holds 70000 at place 5, beyond what F16");
    CHECK_OK(bw_hf_save_as(dir, t, &info, &(bw_hf_format){BW_BF16, 0}, &err));
    bw_transformer_free(t);
}

static void save_family(size_t i, bw_transformer **t) {
    bw_tf_config c = config_of(i);
    bw_hf_info info;
    *t = make(&c);
    bw_hf_info_init(&info, FAMILIES[i].family, &c);
    CHECK_OK(bw_hf_save(dir, *t, &info, &err));
}

static void check_equal(bw_transformer *t) {
    bw_transformer *again = NULL;
    CHECK_OK(bw_hf_load(dir, &again, NULL, &err));
    bw_params *p = bw_transformer_params(t), *q = bw_transformer_params(again);
    assert_memory_equal(p->data, q->data, p->total * sizeof *p->data);
    bw_transformer_free(again);
}

static void test_old_names_and_buffers(void **state) {
    (void)state;
    bw_transformer *t;
    save_family(1, &t);
    static file f;
    const int64_t ids[] = {0, 1, 2};
    bw_safetensors *s = read_back(&f);
    for (size_t i = 0; i < f.n; i++) {
        char *norm = strstr(f.names[i], "LayerNorm.");
        if (norm)
            strcpy(norm + 10, strcmp(norm + 10, "bias") ? "gamma" : "beta");
    }
    f.t[f.n++] = (bw_tensor){.name = "bert.embeddings.position_ids",
                             .dtype = BW_I64,
                             .n_dims = 2,
                             .dim = {1, 3},
                             .count = 3,
                             .data = ids,
                             .bytes = 24};
    write_part(&f, "other.safetensors", 0, f.n);
    bw_safetensors_free(s);
    char from[96], to[96];
    snprintf(from, sizeof from, "%s/other.safetensors", dir);
    snprintf(to, sizeof to, "%s/model.safetensors", dir);
    assert_int_equal(rename(from, to), 0);
    check_equal(t);
    bw_transformer_free(t);
}

static void test_shards(void **state) {
    (void)state;
    bw_transformer *t;
    save_family(6, &t);
    static file f;
    bw_safetensors *s = read_back(&f);
    size_t half = f.n / 2;
    write_part(&f, "a.safetensors", 0, half);
    write_part(&f, "b.safetensors", half, f.n);
    bw_buf index = {0};
    bw_buf_add(&index, "{\"weight_map\": {");
    for (size_t i = 0; i < f.n; i++)
        bw_buf_addf(&index, "%s\"%s\": \"%s.safetensors\"", i ? ", " : "", f.names[i],
                    i < half ? "a" : "b");
    bw_buf_add(&index, "}}");
    char path[96];
    snprintf(path, sizeof path, "%s/model.safetensors.index.json", dir);
    CHECK_OK(bw_file_write(path, index.text, index.len, &err));
    bw_buf_free(&index);
    bw_safetensors_free(s);
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    unlink(path);
    check_equal(t);
    snprintf(path, sizeof path, "%s/b.safetensors", dir);
    unlink(path);
    bw_transformer *none = NULL;
    CHECK_FAILS(bw_hf_load(dir, &none, NULL, &err), BW_EIO, "b.safetensors");
    bw_transformer_free(t);
    remove_folder();
}

static void test_half_precision_is_widened(void **state) {
    (void)state;
    bw_transformer *t, *again = NULL;
    save_family(7, &t);
    static file f;
    bw_safetensors *s = read_back(&f);
    uint16_t *half = malloc(1 << 16), *at = half;
    for (size_t i = 0; i < f.n; i++) {
        const float *x = f.t[i].data;
        f.t[i].data = at;
        f.t[i].dtype = i % 2 ? BW_F16 : BW_BF16;
        f.t[i].bytes /= 2;
        for (size_t k = 0; k < f.t[i].count; k++)
            *at++ = i % 2 ? bw_f32_to_f16(x[k]) : bw_f32_to_bf16(x[k]);
    }
    write_part(&f, "half", 0, f.n);
    bw_safetensors_free(s);
    char from[96], to[96];
    snprintf(from, sizeof from, "%s/half", dir);
    snprintf(to, sizeof to, "%s/model.safetensors", dir);
    assert_int_equal(rename(from, to), 0);
    CHECK_OK(bw_hf_load(dir, &again, NULL, &err));
    bw_params *p = bw_transformer_params(t), *q = bw_transformer_params(again);
    for (size_t i = 0; i < p->total; i++) /* 8 bits of fraction, or half a step of 2^-24 */
        CHECK_NEAR((double)q->data[i], (double)p->data[i],
                   0x1p-8 * fabs((double)p->data[i]) + 0x1p-25);
    free(half);
    bw_transformer_free(t);
    bw_transformer_free(again);
}

/* ---- what does not fit ---- */

static void write_config(const char *text) {
    char path[64];
    snprintf(path, sizeof path, "%s/config.json", dir);
    CHECK_OK(bw_file_write(path, text, strlen(text), &err));
}

static void test_configurations_are_judged(void **state) {
    (void)state;
    bw_hf_info info;
    write_config("{\"model_type\": \"mamba\"}");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "\"mamba\"");
    write_config("{\"model_type\": \"bert\", \"vocab_size\": 9}");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "\"hidden_size\"");
    write_config("{\"model_type\": \"gpt2\", \"vocab_size\": 9, \"n_embd\": \"8\", \"n_layer\": 1, "
                 "\"n_head\": 2}");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "\"n_embd\"");
    write_config("{\"model_type\": \"llama\", \"vocab_size\": 9, \"hidden_size\": 8, "
                 "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"intermediate_size\": 8, "
                 "\"rope_scaling\": {\"type\": \"yarn\"}}");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "\"yarn\" is not supported");
    write_config(
        "{\"model_type\": \"llama\", \"vocab_size\": 9, \"hidden_size\": 8, "
        "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"intermediate_size\": 8, "
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4}}");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "low_freq_factor (found 4)");
    write_config("{\"model_type\": \"gpt2\", \"vocab_size\": 9, \"n_embd\": 8, \"n_layer\": 1e12, "
                 "\"n_head\": 2}");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "\"n_layer\"");
    write_config("[]");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "JSON");
}

/* As the files of Llama 3.2, Qwen2 and Mistral spell them, and as newer ones do. */
static void test_long_contexts_are_read(void **state) {
    (void)state;
#define HEAD                                                            \
    "\"vocab_size\": 9, \"hidden_size\": 8, \"num_hidden_layers\": 3, " \
    "\"num_attention_heads\": 2, \"intermediate_size\": 8, \"num_key_value_heads\": 1, "
    bw_hf_info info;
    write_config(
        "{\"model_type\": \"llama\", " HEAD
        "\"rope_theta\": 500000.0, \"rope_scaling\": {\"factor\": 32.0, \"high_freq_factor\": "
        "4.0, \"low_freq_factor\": 1.0, \"original_max_position_embeddings\": 8192, "
        "\"rope_type\": \"llama3\"}}");
    CHECK_OK(bw_hf_read_info(dir, &info, &err));
    assert_int_equal(info.config.rope_scaling.kind, BW_ROPE_LLAMA3);
    assert_int_equal(info.config.rope_scaling.original, 8192);
    assert_true(info.config.rope_scaling.factor == 32 && info.config.rope_theta == 500000);
    bw_hf_info_free(&info);
    write_config("{\"model_type\": \"llama\", " HEAD
                 "\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 77}}");
    CHECK_OK(bw_hf_read_info(dir, &info, &err));
    assert_true(info.config.rope_scaling.kind == BW_ROPE_PLAIN && info.config.rope_theta == 77);
    bw_hf_info_free(&info);
    write_config("{\"model_type\": \"qwen2\", " HEAD
                 "\"use_sliding_window\": true, \"sliding_window\": 5, \"max_window_layers\": 2}");
    CHECK_OK(bw_hf_read_info(dir, &info, &err));
    assert_int_equal(info.config.window, 5);
    assert_int_equal(info.config.window_from, 2);
    bw_hf_info_free(&info);
    write_config("{\"model_type\": \"qwen2\", " HEAD
                 "\"use_sliding_window\": false, \"sliding_window\": 5, \"max_window_layers\": 2}");
    CHECK_OK(bw_hf_read_info(dir, &info, &err));
    assert_int_equal(info.config.window, 0);
    bw_hf_info_free(&info);
    write_config("{\"model_type\": \"mistral\", " HEAD "\"sliding_window\": null}");
    CHECK_OK(bw_hf_read_info(dir, &info, &err));
    assert_int_equal(info.config.window, 0);
    bw_hf_info_free(&info);
    write_config("{\"model_type\": \"mistral\", " HEAD "\"max_position_embeddings\": 99}");
    CHECK_OK(bw_hf_read_info(dir, &info, &err));
    assert_int_equal(info.config.window, 4096); /* the published default */
    bw_hf_info_free(&info);
    write_config(
        "{\"model_type\": \"mistral\", " HEAD
        "\"layer_types\": [\"sliding_attention\", \"full_attention\", \"sliding_attention\"]}");
    CHECK_FAILS(bw_hf_read_info(dir, &info, &err), BW_EFORMAT, "layer_types");
}

static void test_weights_that_do_not_fit(void **state) {
    (void)state;
    bw_transformer *t, *none = NULL;
    save_family(1, &t);
    static file f;
    char path[64];
    bw_hf_info info;
    bw_tf_config c = config_of(1);
    bw_hf_info_init(&info, BW_HF_BERT, &c);
    bw_safetensors *s = read_back(&f);
    size_t k = 0;
    while (strcmp(f.names[k], "classifier.weight") != 0)
        k++;
    f.t[k].dim[0] = 2; /* two labels where config.json has three */
    f.t[k].dim[1] = 18;
    write_part(&f, "wrong", 0, f.n);
    strcpy(f.names[k], "classifier.w");
    write_part(&f, "absent", 0, f.n);
    bw_safetensors_free(s);
    snprintf(path, sizeof path, "cd %s && mv wrong model.safetensors", dir);
    assert_int_equal(system(path), 0);
    CHECK_FAILS(bw_hf_load(dir, &none, NULL, &err), BW_EFORMAT, "[3, 12]");
    snprintf(path, sizeof path, "cd %s && mv absent model.safetensors", dir);
    assert_int_equal(system(path), 0);
    CHECK_FAILS(bw_hf_load(dir, &none, NULL, &err), BW_EFORMAT, "'classifier.weight' is missing");
    c.vocab = 1 << 20; /* a huge model, a small file */
    info.config = c;
    bw_transformer_free(t);
    write_config("{\"model_type\": \"bert\", \"vocab_size\": 16000000, \"hidden_size\": 12000000, "
                 "\"num_hidden_layers\": 9000, \"num_attention_heads\": 3, "
                 "\"intermediate_size\": 9000000}");
    CHECK_FAILS(bw_hf_load(dir, &none, NULL, &err), BW_EFORMAT, "fewer than");
    assert_null(none);
}

static void test_sentence_transformers_folder(void **state) {
    (void)state;
    bw_tf_config c = config_of(3);
    bw_transformer *t = make(&c), *again = NULL;
    bw_hf_info info, back;
    bw_hf_info_init(&info, BW_HF_BERT, &c);
    info.pooling = BW_POOL_MEAN;
    info.normalize = true;
    CHECK_OK(bw_hf_save(dir, t, &info, &err));
    CHECK_OK(bw_hf_load(dir, &again, &back, &err));
    assert_true(back.pooling == BW_POOL_MEAN && back.normalize);
    assert_string_equal(back.model_class, "BertModel");
    bw_hf_info_free(&back);
    bw_transformer_free(t);
    bw_transformer_free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_saved_folders_load_again),
        cmocka_unit_test(test_old_names_and_buffers),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_saved_in_shards_and_half_precision),
        cmocka_unit_test(test_a_value_too_large_for_half_precision_is_named),
        cmocka_unit_test(test_half_precision_is_widened),
        cmocka_unit_test(test_configurations_are_judged),
        cmocka_unit_test(test_long_contexts_are_read),
        cmocka_unit_test(test_weights_that_do_not_fit),
        cmocka_unit_test(test_sentence_transformers_folder),
    };
    if (!mkdtemp(dir))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_folder();
    return failed;
}
