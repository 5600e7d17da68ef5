/* tests/model/mutate.h - breaks a model file in random places and loads it: whatever happens, it is
 * an answer or an error, never a crash. Run it under the sanitizers. */
#ifndef BW_TESTS_MODEL_MUTATE_H
#define BW_TESTS_MODEL_MUTATE_H

#include "model/hf/hf.h"
#include "model/core/safetensors.h"
#include "tests/model/shapes.h"

#include <unistd.h>

/* A small GPT-2 shaped model with its configuration in the metadata; malloc'd. */
static inline unsigned char *model_file(size_t *len) {
    static const char CONFIG[] =
        "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],\"vocab_size\":11,"
        "\"n_embd\":8,\"n_layer\":1,\"n_head\":2,\"n_positions\":6,\"eos_token_id\":[3,4]}";
    bw_err err;
    char dir[] = "/tmp/bw_mutateXXXXXX", path[64];
    bw_tf_config c = {.kind = BW_TF_DECODER,
                      .vocab = 11,
                      .dim = 8,
                      .dec = {.layers = 1, .heads = 2, .ffn = 32},
                      .max_positions = 6,
                      .pos = BW_POS_LEARNED,
                      .pre_norm = true,
                      .act = BW_ACT_GELU_TANH,
                      .qkv_bias = true,
                      .out_bias = true,
                      .ffn_bias = true,
                      .norm_eps = 1e-5f,
                      .lm = true,
                      .tied = true};
    bw_transformer *t = NULL;
    bw_hf_info info;
    bw_hf_info_init(&info, BW_HF_GPT2, &c);
    assert_non_null(mkdtemp(dir));
    CHECK_OK(bw_transformer_new(&c, &t, &err));
    bw_transformer_init(t, 1);
    CHECK_OK(bw_hf_save(dir, t, &info, &err));
    bw_transformer_free(t);
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    bw_safetensors *f = NULL;
    CHECK_OK(bw_safetensors_open(path, &f, &err));
    size_t n = bw_safetensors_count(f);
    bw_tensor *tensors = calloc(n, sizeof *tensors);
    for (size_t i = 0; i < n; i++)
        tensors[i] = *bw_safetensors_at(f, i);
    char with_config[72];
    snprintf(with_config, sizeof with_config, "%s/all", dir);
    CHECK_OK(bw_safetensors_write(with_config, tensors, n, (bw_st_meta[]){{"config", CONFIG}, {0}},
                                  &err));
    free(tensors);
    bw_safetensors_free(f);
    FILE *in = fopen(with_config, "rb");
    unsigned char *file = malloc(1 << 16);
    *len = fread(file, 1, 1 << 16, in);
    fclose(in);
    unlink(with_config);
    unlink(path);
    snprintf(path, sizeof path, "%s/config.json", dir);
    unlink(path);
    rmdir(dir);
    return file;
}

/* One to four changes: a byte, a digit, a cut, a piece copied elsewhere. */
static inline size_t mutate(unsigned char *file, size_t len, size_t header, uint64_t *s) {
    for (size_t k = 1 + draw(s, 4); k > 0; k--) {
        size_t at = draw(s, draw(s, 4) ? header : len); /* mostly in the header */
        switch (draw(s, 4)) {
        case 0:
            file[at] = (unsigned char)draw(s, 256);
            break;
        case 1:
            for (; at < header && (file[at] < '0' || file[at] > '9'); at++)
                continue;
            if (at < header)
                file[at] = (unsigned char)('0' + draw(s, 10));
            break;
        case 2:
            if (draw(s, 8) == 0)
                len = 8 + draw(s, len - 8);
            break;
        default: {
            size_t n = 1 + draw(s, 12), from = draw(s, header - n);
            size_t to = draw(s, header - n);
            memmove(file + to, file + from, n);
        }
        }
        header = header < len ? header : len;
        if (header < 64)
            break;
    }
    return len;
}

/* Loads `rounds` broken copies, and first the whole file. */
static inline void mutate_and_open(size_t rounds, uint64_t seed) {
    size_t len, opened = 0;
    unsigned char *file = model_file(&len);
    bw_err err;
    bw_transformer *t = NULL;
    CHECK_OK(bw_hf_load_memory("whole", file, len, &t, NULL, &err));
    bw_transformer_free(t);
    uint64_t n;
    memcpy(&n, file, sizeof n);
    for (size_t i = 0; i < rounds; i++) {
        unsigned char *broken = malloc(len); /* exact size, so that a sanitizer sees its end */
        memcpy(broken, file, len);
        size_t left = mutate(broken, len, (size_t)n + 8, &seed);
        unsigned char *exact = malloc(left);
        memcpy(exact, broken, left);
        free(broken);
        bw_status st = bw_hf_load_memory("broken", exact, left, &t, NULL, &err);
        assert_true(st == BW_OK ? t != NULL : t == NULL && err.text[0]);
        opened += st == BW_OK;
        bw_transformer_free(t);
        free(exact);
    }
    assert_true(opened < rounds / 2); /* the mutations do break files */
    free(file);
}

#endif
