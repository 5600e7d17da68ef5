/* tests/bench/bench_decode.c - tokens a second of a decoder, and the share of the memory's read rate
 * that it reaches, as "name value" lines for tests/bench/model.sh. Streaming reads and decoding take
 * turns; the best of each is printed, so that the share compares what both can do.
 * usage: bench_decode TURNS */
#include "model/core/decoder.h"
#include "tests/bench/bandwidth.h"
#include "tests/bench/roof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOCAB  49152
#define MANY   8  /* sequences side by side, from one prefill */
#define PROMPT 32 /* tokens */
#define STEPS  16 /* of a turn */
#define PASSES 8  /* over the memory, of a turn */

/* The shape of SmolLM2-135M, random weights. */
static const bw_tf_config SMOLLM2 = {.kind = BW_TF_DECODER,
                                     .vocab = VOCAB,
                                     .dim = 576,
                                     .dec = {.layers = 30, .heads = 9, .kv_heads = 3, .ffn = 1536},
                                     .norm = BW_NORM_RMS,
                                     .pre_norm = true,
                                     .norm_eps = 1e-5f,
                                     .act = BW_ACT_SILU,
                                     .gated = true,
                                     .pos = BW_POS_ROTARY,
                                     .rope_theta = 100000,
                                     .lm = true,
                                     .tied = true};
static const char *const NAMES[] = {"f32", "bf16", "int8"};

static void stop(const bw_err *err) {
    fprintf(stderr, "bench_decode: %s\n", err->text);
    exit(1);
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* One prompt for all, then STEPS tokens each; gives the best number of steps a second. */
static double step_rate(const bw_decoder *d, size_t n_seq, float *logits) {
    bw_err err;
    bw_kv_cache *c;
    int32_t ids[PROMPT];
    size_t start[MANY + 1], zero[MANY] = {0};
    for (size_t i = 0; i < PROMPT; i++)
        ids[i] = (int32_t)(i * 1237 % VOCAB);
    for (size_t i = 0; i <= MANY; i++)
        start[i] = i;
    bw_batch prompt = {.ids = ids, .start = (size_t[]){0, PROMPT}, .n_seq = 1, .n_tokens = PROMPT};
    bw_batch next = {.ids = ids, .start = start, .n_seq = n_seq, .n_tokens = n_seq};
    if (bw_kv_cache_of(d, n_seq, PROMPT + STEPS + 1, &c, &err) != BW_OK ||
        bw_kv_append(c, NULL, &prompt, logits, &err) != BW_OK ||
        bw_kv_reorder(c, zero, &err) != BW_OK ||
        bw_kv_append(c, NULL, &next, logits, &err) != BW_OK)
        stop(&err);
    double best = 0;
    for (size_t i = 0; i < STEPS; i++) {
        double begun = bench_seconds();
        if (bw_kv_append(c, NULL, &next, logits, &err) != BW_OK)
            stop(&err);
        best = larger(best, 1 / (bench_seconds() - begun));
    }
    bw_kv_cache_free(c);
    return best;
}

static void decode(const bw_transformer *t, int kind, const bench_buffer *memory, size_t turns,
                   float *logits) {
    bw_err err;
    bw_decoder *d;
    double one = 0, many = 0, read = 0;
    if (bw_decoder_new(t, (bw_pack_kind)kind, &d, &err) != BW_OK)
        stop(&err);
    for (size_t i = 0; i < turns; i++) {
        for (size_t k = 0; k < PASSES; k++)
            read = larger(read, bench_read_rate(memory));
        one = larger(one, step_rate(d, 1, logits));
        many = larger(many, MANY * step_rate(d, MANY, logits));
    }
    double bytes = (double)bw_decoder_bytes(d) * one;
    bw_decoder_free(d);
    printf("decode_1_%s %.1f\n", NAMES[kind], one);
    printf("decode_%d_%s %.1f\n", MANY, NAMES[kind], many);
    printf("read_%s %.1f\n", NAMES[kind], read / 1e9);
    printf("share_%s %.3f\n", NAMES[kind], bytes / read);
}

int main(int argc, char **argv) {
    size_t turns = argc == 2 ? (size_t)atoi(argv[1]) : 0;
    if (turns < 1) {
        fputs("usage: bench_decode TURNS\n", stderr);
        return 2;
    }
    bw_err err;
    bw_transformer *t;
    bench_buffer memory = {0};
    float *logits = malloc(MANY * VOCAB * sizeof *logits);
    if (!logits || !bench_buffer_new(&memory))
        return 1;
    if (bw_transformer_new(&SMOLLM2, &t, &err) != BW_OK)
        stop(&err);
    bw_transformer_init(t, 1);
    for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++)
        decode(t, kind, &memory, turns, logits);
    bw_transformer_free(t);
    bench_buffer_free(&memory);
    free(logits);
    return 0;
}
