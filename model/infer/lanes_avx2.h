/* model/infer/lanes_avx2.h - sixteen floats in two AVX registers. See lane_ops.h. */
#ifndef BW_MODEL_LANES_AVX2_H
#define BW_MODEL_LANES_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define SET    __attribute__((target("avx2,fma")))
#define INLINE SET static inline __attribute__((always_inline))

typedef struct {
    __m256 a, b;
} lanes;

INLINE lanes lanes_load(const float *p) {
    return (lanes){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

INLINE void lanes_store(float *p, lanes x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}

INLINE lanes lanes_all(float x) {
    return (lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}

INLINE __m256 difference_eight(const int32_t *p, const int32_t *q) {
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)p),
                                               _mm256_loadu_si256((const __m256i *)q)));
}

/* (float)(p - q) of sixteen integers. */
INLINE lanes lanes_difference(const int32_t *p, const int32_t *q) {
    return (lanes){difference_eight(p, q), difference_eight(p + 8, q + 8)};
}

INLINE lanes lanes_add(lanes x, lanes y) {
    return (lanes){_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)};
}

INLINE lanes lanes_sub(lanes x, lanes y) {
    return (lanes){_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)};
}

INLINE lanes lanes_mul(lanes x, lanes y) {
    return (lanes){_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)};
}

INLINE lanes lanes_div(lanes x, lanes y) {
    return (lanes){_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)};
}

/* x y + z, rounded once. */
INLINE lanes lanes_fma(lanes x, lanes y, lanes z) {
    return (lanes){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}

/* x > y ? x : y */
INLINE lanes lanes_max(lanes x, lanes y) {
    return (lanes){_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)};
}

/* x < y ? x : y */
INLINE lanes lanes_min(lanes x, lanes y) {
    return (lanes){_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)};
}

INLINE lanes lanes_abs(lanes x) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return (lanes){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}

INLINE __m256 if_negative_eight(__m256 x, __m256 y, __m256 z) {
    return _mm256_blendv_ps(z, y, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ));
}

/* x < 0 ? y : z */
INLINE lanes lanes_if_negative(lanes x, lanes y, lanes z) {
    return (lanes){if_negative_eight(x.a, y.a, z.a), if_negative_eight(x.b, y.b, z.b)};
}

INLINE __m256 power_eight(__m256 x) {
    __m256i n = _mm256_slli_epi32(_mm256_castps_si256(x), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(0x3F800000)));
}

/* 2^n where the low bits of x hold the whole number n. */
INLINE lanes lanes_power(lanes x) {
    return (lanes){power_eight(x.a), power_eight(x.b)};
}

/* Sixteen integers below 2^16, packed to 16 bits in order. */
INLINE __m256i narrow_sixteen(__m256i a, __m256i b) {
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xD8);
}

/* The low byte of each lane's bits plus 128. */
INLINE void lanes_store_low(uint8_t *p, lanes x) {
    const __m256i low = _mm256_set1_epi32(255), half = _mm256_set1_epi32(128);
    __m256i a = _mm256_and_si256(_mm256_add_epi32(_mm256_castps_si256(x.a), half), low);
    __m256i b = _mm256_and_si256(_mm256_add_epi32(_mm256_castps_si256(x.b), half), low);
    __m256i n = narrow_sixteen(a, b);
    _mm_storeu_si128((__m128i *)p,
                     _mm_packus_epi16(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1)));
}

INLINE __m256i bf16_eight(__m256 x) {
    __m256i n = _mm256_castps_si256(x);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(n, 16), _mm256_set1_epi32(1));
    n = _mm256_add_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(0x7FFF)), odd);
    return _mm256_srli_epi32(n, 16);
}

/* As bf16, to nearest even. */
INLINE void lanes_store_bf16(uint16_t *p, lanes x) {
    _mm256_storeu_si256((__m256i *)p, narrow_sixteen(bf16_eight(x.a), bf16_eight(x.b)));
}

/* Folded in halves: lane i with i + 8, then i + 4, i + 2, i + 1. */
INLINE float lanes_sum(lanes x) {
    __m256 a = _mm256_add_ps(x.a, x.b);
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

INLINE float lanes_top(lanes x) {
    __m256 a = _mm256_max_ps(x.a, x.b);
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_shuffle_ps(b, b, 1)));
}

#endif
