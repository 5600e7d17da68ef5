/* tests/bench/bench.h - the parts of bench_model: each measures one figure of this program's
 * language core for so many seconds and gives the best rate it saw. */
#ifndef BW_TESTS_BENCH_BENCH_H
#define BW_TESTS_BENCH_BENCH_H

#include "common/status.h"
#include "model/infer/packed.h"

#include <stdio.h>
#include <stdlib.h>

/* Every part reports what it cannot do and ends the program. */
static inline void bench_stop(const bw_err *err) {
    fprintf(stderr, "bench_model: %s\n", err->text);
    exit(1);
}

static inline double bench_larger(double a, double b) {
    return a > b ? a : b;
}

/* Operations a second of one product of rows x 384 by 384 x 1536, quantising included. */
double bench_product(bw_pack_kind kind, size_t rows, double seconds);

/* Tokens a second of the frozen encoder in the shape of MiniLM-L6. texts: "32" and "128" are equal
 * lengths, "mixed" is 128 reviews of 3 to 402 tokens, mean 59. Gives the mean length in *mean. */
double bench_encode(bw_pack_kind kind, const char *texts, double seconds, double *mean);

/* Tokens a second of a fine-tuning step of the same shape on 32 texts of so many tokens. */
double bench_train(size_t length, double seconds);

/* Decoding one token a step in the shape of SmolLM2-135M, weights random. */
typedef struct {
    double one;   /* tokens a second, one sequence */
    double many;  /* eight sequences from one prefill */
    double read;  /* bytes a second of a streaming read by as many threads */
    double share; /* bytes of weights read a second by `one`, of read */
} bench_decoding;
bench_decoding bench_decode(bw_pack_kind kind, double seconds);

#endif
