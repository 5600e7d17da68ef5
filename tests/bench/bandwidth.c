/* tests/bench/bandwidth.c - a streaming read: four independent sums of whole cache lines. */
#include "tests/bench/bandwidth.h"

#include "model/core/simd.h"
#include "tests/bench/roof.h"

#include <omp.h>
#include <stdlib.h>

typedef uint64_t line __attribute__((vector_size(64), may_alias));

int bench_buffer_new(bench_buffer *b) {
    b->size = BENCH_BUFFER_SIZE;
    b->data = aligned_alloc(64, b->size);
    if (b->data)
        memset(b->data, 1, b->size);
    return b->data != NULL;
}

void bench_buffer_free(bench_buffer *b) {
    free(b->data);
    *b = (bench_buffer){0};
}

BW_CLONES static uint64_t sum_lines(const char *data, size_t n) {
    line a = {0}, b = {0}, c = {0}, d = {0};
    const line *x = (const line *)data;
    for (size_t i = 0; i + 4 <= n / sizeof *x; i += 4) {
        a ^= x[i];
        b ^= x[i + 1];
        c ^= x[i + 2];
        d ^= x[i + 3];
    }
    a ^= b ^ c ^ d;
    return a[0] ^ a[7];
}

double bench_read_rate(const bench_buffer *b) {
    uint64_t sum = 0;
    double start = bench_seconds();
#pragma omp parallel reduction(^ : sum)
    {
        size_t part = b->size / (size_t)omp_get_num_threads();
        sum ^= sum_lines(b->data + (size_t)omp_get_thread_num() * part, part);
    }
    double rate = (double)b->size / (bench_seconds() - start);
    /* The sum is used, or the compiler would read nothing. */
    return sum == 42 ? rate * 0.999999 : rate;
}
