/* model/infer/packed_avx2.c - tiles of 3 rows by 4 registers (f32, bf16 widened) and 2 rows by 8
 * (int8).
 *
 * int8 widens both sides to 16 bits and uses the exact multiply-add of pairs; the shorter
 * instruction for u8 x s8 saturates at 16 bits and would change results. */
#include "model/infer/packed_kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "model/infer/lanes_avx2.h"

#include <string.h>

INLINE void store_f32(const int n, __m256 s[3][4], float sums[][BW_PANEL]) {
#pragma GCC unroll 3
    for (int r = 0; r < n; r++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            _mm256_storeu_ps(sums[r] + 8 * j, s[r][j]);
}

INLINE void f32_rows(const int n, const char *a, size_t lda, const float *w, size_t groups,
                     float sums[][BW_PANEL]) {
    __m256 s[3][4];
    memset(s, 0, sizeof s);
    for (size_t k = 0; k < groups; k++, w += BW_PANEL) {
        __m256 x[3];
#pragma GCC unroll 3
        for (int r = 0; r < n; r++)
            x[r] = _mm256_broadcast_ss((const float *)(a + (size_t)r * lda) + k);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            __m256 v = _mm256_load_ps(w + 8 * j);
#pragma GCC unroll 3
            for (int r = 0; r < n; r++)
                s[r][j] = _mm256_fmadd_ps(x[r], v, s[r][j]);
        }
    }
    store_f32(n, s, sums);
}

/* The two halves of 8 bf16 pairs, widened: even inputs and odd inputs. */
INLINE void bf16_rows(const int n, const char *a, size_t lda, const char *w, size_t groups,
                      float sums[][BW_PANEL]) {
    const __m256i high = _mm256_set1_epi32((int)0xFFFF0000);
    __m256 s[3][4];
    memset(s, 0, sizeof s);
    for (size_t k = 0; k < groups; k++, w += 128) {
#pragma GCC unroll 3
        for (int r = 0; r < n; r++) {
            uint16_t pair[2];
            memcpy(pair, a + (size_t)r * lda + 4 * k, sizeof pair);
            __m256 x0 = _mm256_set1_ps(bw_bf16_widen(pair[0]));
            __m256 x1 = _mm256_set1_ps(bw_bf16_widen(pair[1]));
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) {
                __m256i v = _mm256_load_si256((const __m256i *)(w + 32 * j));
                __m256 even = _mm256_castsi256_ps(_mm256_slli_epi32(v, 16));
                __m256 odd = _mm256_castsi256_ps(_mm256_and_si256(v, high));
                s[r][j] = _mm256_fmadd_ps(x1, odd, _mm256_fmadd_ps(x0, even, s[r][j]));
            }
        }
    }
    store_f32(n, s, sums);
}

/* Each register of sums holds, for 4 outputs, (k0*w0 + k1*w1, k2*w2 + k3*w3). */
INLINE void int8_half(const int n, const char *a, size_t lda, const char *w, size_t groups,
                      int32_t sums[][BW_PANEL]) {
    __m256i s[2][4];
    memset(s, 0, sizeof s);
    for (size_t k = 0; k < groups; k++, w += 128) {
        __m256i x[2];
#pragma GCC unroll 2
        for (int r = 0; r < n; r++) {
            int32_t four;
            memcpy(&four, a + (size_t)r * lda + 4 * k, sizeof four);
            x[r] = _mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(four)));
        }
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            __m256i v = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(w + 16 * j)));
#pragma GCC unroll 2
            for (int r = 0; r < n; r++)
                s[r][j] = _mm256_add_epi32(s[r][j], _mm256_madd_epi16(x[r], v));
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < n; r++)
#pragma GCC unroll 2
        for (int j = 0; j < 4; j += 2) {
            __m256i pairs = _mm256_hadd_epi32(s[r][j], s[r][j + 1]);
            _mm256_storeu_si256((__m256i *)(sums[r] + 4 * j),
                                _mm256_permute4x64_epi64(pairs, 0xD8));
        }
}

SET static void tile_f32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                         float sums[BW_TILE][BW_PANEL]) {
    size_t r = 0;
    for (; r + 3 <= rows; r += 3)
        f32_rows(3, (const char *)a + r * lda, lda, panel, groups, sums + r);
    if (rows - r == 2)
        f32_rows(2, (const char *)a + r * lda, lda, panel, groups, sums + r);
    else if (rows - r == 1)
        f32_rows(1, (const char *)a + r * lda, lda, panel, groups, sums + r);
}

SET static void tile_bf16(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                          float sums[BW_TILE][BW_PANEL]) {
    size_t r = 0;
    for (; r + 2 <= rows; r += 2)
        bf16_rows(2, (const char *)a + r * lda, lda, panel, groups, sums + r);
    if (r < rows)
        bf16_rows(1, (const char *)a + r * lda, lda, panel, groups, sums + r);
}

SET static void tile_int8(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                          int32_t sums[BW_TILE][BW_PANEL]) {
    int32_t(*right)[BW_PANEL] = (int32_t(*)[BW_PANEL])(&sums[0][16]);
    size_t r = 0;
    for (; r + 2 <= rows; r += 2) {
        int8_half(2, (const char *)a + r * lda, lda, panel, groups, sums + r);
        int8_half(2, (const char *)a + r * lda, lda, (const char *)panel + 64, groups, right + r);
    }
    if (r < rows) {
        int8_half(1, (const char *)a + r * lda, lda, panel, groups, sums + r);
        int8_half(1, (const char *)a + r * lda, lda, (const char *)panel + 64, groups, right + r);
    }
}

#include "model/infer/lane_ops.h"

bw_kernels bw_kernels_avx2(void) {
    bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return has ? (bw_kernels){tile_f32, tile_bf16, tile_int8, &ROW_OPS} : (bw_kernels){0};
}

#else

bw_kernels bw_kernels_avx2(void) {
    return (bw_kernels){0};
}

#endif
