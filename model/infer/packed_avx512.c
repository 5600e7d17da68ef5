/* model/infer/packed_avx512.c - tiles of 12 rows by 2 registers: 24 sums stay in registers while
 * one panel (in the first-level cache) and 12 rows stream past. int8 by VNNI, bf16 by
 * AVX512-BF16. */
#include "model/infer/packed_kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "model/infer/lanes_avx512.h"

#include <string.h>

#define BF16_SET __attribute__((target("avx512f,avx512bf16")))
#define INT8_SET __attribute__((target("avx512f,avx512vnni")))
#define INSIDE   static inline __attribute__((always_inline))

/* Each row count gets its own fully unrolled copy of the tile: the switch below names them all. */
#define FOR_EACH_ROW_COUNT(tile, ...) \
    switch (rows) {                   \
    case 1:                           \
        tile(1, __VA_ARGS__);         \
        break;                        \
    case 2:                           \
        tile(2, __VA_ARGS__);         \
        break;                        \
    case 3:                           \
        tile(3, __VA_ARGS__);         \
        break;                        \
    case 4:                           \
        tile(4, __VA_ARGS__);         \
        break;                        \
    case 5:                           \
        tile(5, __VA_ARGS__);         \
        break;                        \
    case 6:                           \
        tile(6, __VA_ARGS__);         \
        break;                        \
    case 7:                           \
        tile(7, __VA_ARGS__);         \
        break;                        \
    case 8:                           \
        tile(8, __VA_ARGS__);         \
        break;                        \
    case 9:                           \
        tile(9, __VA_ARGS__);         \
        break;                        \
    case 10:                          \
        tile(10, __VA_ARGS__);        \
        break;                        \
    case 11:                          \
        tile(11, __VA_ARGS__);        \
        break;                        \
    default:                          \
        tile(12, __VA_ARGS__);        \
        break;                        \
    }

INLINE void f32_rows(const int n, const char *a, size_t lda, const float *w, size_t groups,
                     float sums[BW_TILE][BW_PANEL]) {
    __m512 s[BW_TILE][2];
#pragma GCC unroll 12
    for (int r = 0; r < n; r++)
        s[r][0] = s[r][1] = _mm512_setzero_ps();
    for (size_t k = 0; k < groups; k++, w += BW_PANEL) {
        __m512 w0 = _mm512_load_ps(w), w1 = _mm512_load_ps(w + 16);
#pragma GCC unroll 12
        for (int r = 0; r < n; r++) {
            __m512 x = _mm512_set1_ps(((const float *)(a + (size_t)r * lda))[k]);
            s[r][0] = _mm512_fmadd_ps(x, w0, s[r][0]);
            s[r][1] = _mm512_fmadd_ps(x, w1, s[r][1]);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < n; r++) {
        _mm512_storeu_ps(sums[r], s[r][0]);
        _mm512_storeu_ps(sums[r] + 16, s[r][1]);
    }
}

SET static void tile_f32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                         float sums[BW_TILE][BW_PANEL]){
    FOR_EACH_ROW_COUNT(f32_rows, a, lda, panel, groups, sums)}

BF16_SET INSIDE void bf16_rows(const int n, const char *a, size_t lda, const char *w, size_t groups,
                               float sums[BW_TILE][BW_PANEL]) {
    __m512 s[BW_TILE][2];
#pragma GCC unroll 12
    for (int r = 0; r < n; r++)
        s[r][0] = s[r][1] = _mm512_setzero_ps();
    for (size_t k = 0; k < groups; k++, w += 128) {
        __m512bh w0 = (__m512bh)_mm512_load_si512(w), w1 = (__m512bh)_mm512_load_si512(w + 64);
#pragma GCC unroll 12
        for (int r = 0; r < n; r++) {
            int32_t pair;
            memcpy(&pair, a + (size_t)r * lda + 4 * k, sizeof pair);
            __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
            s[r][0] = _mm512_dpbf16_ps(s[r][0], x, w0);
            s[r][1] = _mm512_dpbf16_ps(s[r][1], x, w1);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < n; r++) {
        _mm512_storeu_ps(sums[r], s[r][0]);
        _mm512_storeu_ps(sums[r] + 16, s[r][1]);
    }
}

BF16_SET static void tile_bf16(const void *a, size_t lda, const void *panel, size_t groups,
                               size_t rows, float sums[BW_TILE][BW_PANEL]){
    FOR_EACH_ROW_COUNT(bf16_rows, a, lda, panel, groups, sums)}

INT8_SET INSIDE void int8_rows(const int n, const char *a, size_t lda, const char *w, size_t groups,
                               int32_t sums[BW_TILE][BW_PANEL]) {
    __m512i s[BW_TILE][2];
#pragma GCC unroll 12
    for (int r = 0; r < n; r++)
        s[r][0] = s[r][1] = _mm512_setzero_si512();
    for (size_t k = 0; k < groups; k++, w += 128) {
        __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
#pragma GCC unroll 12
        for (int r = 0; r < n; r++) {
            int32_t four;
            memcpy(&four, a + (size_t)r * lda + 4 * k, sizeof four);
            __m512i x = _mm512_set1_epi32(four);
            s[r][0] = _mm512_dpbusd_epi32(s[r][0], x, w0);
            s[r][1] = _mm512_dpbusd_epi32(s[r][1], x, w1);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < n; r++) {
        _mm512_storeu_si512(sums[r], s[r][0]);
        _mm512_storeu_si512(sums[r] + 16, s[r][1]);
    }
}

INT8_SET static void tile_int8(const void *a, size_t lda, const void *panel, size_t groups,
                               size_t rows, int32_t sums[BW_TILE][BW_PANEL]){
    FOR_EACH_ROW_COUNT(int8_rows, a, lda, panel, groups, sums)}

#include "model/infer/lane_ops.h"

bw_kernels bw_kernels_avx512(void) {
    bw_kernels k = {.rows = &ROW_OPS};
    if (__builtin_cpu_supports("avx512f"))
        k.f32 = tile_f32;
    if (k.f32 && __builtin_cpu_supports("avx512bf16"))
        k.bf16 = tile_bf16;
    if (k.f32 && __builtin_cpu_supports("avx512vnni"))
        k.int8 = tile_int8;
    return k;
}

#else

bw_kernels bw_kernels_avx512(void) {
    return (bw_kernels){0};
}

#endif
