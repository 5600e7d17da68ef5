/* tests/bench/bench_decode.c - tokens a second of a decoder, and the share of the memory's read
 * rate that it reaches. Streaming reads and decoding take turns; the best of each is given, so
 * that the share compares what both can do. */
#include "tests/bench/bench.h"

#include "model/core/decoder.h"
#include "tests/bench/bandwidth.h"
#include "tests/bench/roof.h"

#include <string.h>

#define VOCAB  49152
#define MANY   8  /* sequences side by side, from one prefill */
#define PROMPT 32 /* tokens */
#define STEPS  16 /* of a turn */
#define PASSES 4  /* over the memory, of a turn */

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
        bench_stop(&err);
    double best = 0;
    for (size_t i = 0; i < STEPS; i++) {
        double begun = bench_seconds();
        if (bw_kv_append(c, NULL, &next, logits, &err) != BW_OK)
            bench_stop(&err);
        best = bench_larger(best, 1 / (bench_seconds() - begun));
    }
    bw_kv_cache_free(c);
    return best;
}

/* Model, packed forms and buffers are made once and kept: making them takes longer than
 * measuring. */
static const bw_decoder *decoder(bw_pack_kind kind) {
    static bw_transformer *t;
    static bw_decoder *d[BW_PACK_INT8 + 1];
    bw_err err;
    if (!t) {
        if (bw_transformer_new(&SMOLLM2, &t, &err) != BW_OK)
            bench_stop(&err);
        bw_transformer_init(t, 1);
    }
    if (!d[kind] && bw_decoder_new(t, kind, &d[kind], &err) != BW_OK)
        bench_stop(&err);
    return d[kind];
}

bench_decoding bench_decode(bw_pack_kind kind, double seconds) {
    static bench_buffer memory;
    static float *logits;
    bench_decoding r = {0};
    const bw_decoder *d = decoder(kind);
    if (!logits)
        logits = malloc(MANY * VOCAB * sizeof *logits);
    if (!logits || (!memory.data && !bench_buffer_new(&memory)))
        exit(1);
    double end = bench_seconds() + seconds;
    do {
        for (size_t k = 0; k < PASSES; k++)
            r.read = bench_larger(r.read, bench_read_rate(&memory));
        r.one = bench_larger(r.one, step_rate(d, 1, logits));
        r.many = bench_larger(r.many, MANY * step_rate(d, MANY, logits));
    } while (bench_seconds() < end);
    r.share = (double)bw_decoder_bytes(d) * r.one / r.read;
    return r;
}
