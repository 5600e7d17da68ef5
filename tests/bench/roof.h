/* tests/bench/roof.h - what the machine can do at most: the rate of independent multiply-adds in
 * registers, one thread. The share of it that a kernel reaches says what is left to gain. */
#ifndef BW_TESTS_BENCH_ROOF_H
#define BW_TESTS_BENCH_ROOF_H

#include <stdlib.h>
#include <time.h>

/* Wall time; with BENCH_CPU set the time that the calling thread had, which is the figure to read for
 * one thread on a machine that others use too. */
static inline double bench_seconds(void) {
    struct timespec t;
    clock_gettime(getenv("BENCH_CPU") ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Operations a second (a multiply-add is two), the best of several windows; 0 where the machine has
 * no such instruction. kind as bw_pack_kind. */
double bench_roof(int kind);

#endif
