/* tests/bench/roof.c - loops of multiply-adds on registers alone. */
#include "tests/bench/roof.h"

#define WINDOWS 7
#define ROUNDS  2000000

#if defined(__x86_64__)
#include <immintrin.h>

/* Sixteen independent sums hide the latency; the empty asm keeps the compiler from folding them. */
#define LOOP(type, zero, step)                                                                   \
    type s[16], a = zero, b = zero;                                                              \
    _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) s[i] = zero;                           \
    __asm__ volatile("" : "+v"(a), "+v"(b));                                                     \
    for (int r = 0; r < ROUNDS; r++) {                                                           \
        _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) s[i] = step;                       \
        _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) __asm__ volatile("" : "+v"(s[i])); \
    }

__attribute__((target("avx512f"))) static void loop_f32(void) {
    LOOP(__m512, _mm512_setzero_ps(), _mm512_fmadd_ps(a, b, s[i]))
}
__attribute__((target("avx512f,avx512bf16"))) static void loop_bf16(void) {
    __m512bh x = (__m512bh)_mm512_setzero_si512();
    LOOP(__m512, _mm512_setzero_ps(), _mm512_dpbf16_ps(s[i], x, x))
}
__attribute__((target("avx512f,avx512vnni"))) static void loop_int8(void) {
    LOOP(__m512i, _mm512_setzero_si512(), _mm512_dpbusd_epi32(s[i], a, b))
}

double bench_roof(int kind) {
    static const double OPS[] = {32, 64, 128}; /* of one instruction */
    void (*loop[])(void) = {loop_f32, loop_bf16, loop_int8};
    int has[] = {__builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512bf16"),
                 __builtin_cpu_supports("avx512vnni")};
    if (!has[kind])
        return 0;
    double best = 0;
    for (int w = 0; w < WINDOWS; w++) {
        double start = bench_seconds();
        loop[kind]();
        double rate = OPS[kind] * 16.0 * ROUNDS / (bench_seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

#else

double bench_roof(int kind) {
    (void)kind;
    return 0;
}

#endif
