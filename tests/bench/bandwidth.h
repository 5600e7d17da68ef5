/* tests/bench/bandwidth.h - how fast this machine reads memory: what bounds a decoder that writes one
 * token at a time, since every token reads every weight. */
#ifndef BW_TESTS_BENCH_BANDWIDTH_H
#define BW_TESTS_BENCH_BANDWIDTH_H

#include <stddef.h>

/* A buffer larger than any cache, its pages touched; start from {0}. */
typedef struct {
    char *data;
    size_t size; /* bytes */
} bench_buffer;

#define BENCH_BUFFER_SIZE ((size_t)512 << 20)

/* False: no memory for it. */
int bench_buffer_new(bench_buffer *b);
void bench_buffer_free(bench_buffer *b);
/* Bytes a second of one pass over the buffer, its parts read front to back by the OpenMP threads. */
double bench_read_rate(const bench_buffer *b);

#endif
