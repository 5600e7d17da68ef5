/* model/infer/lanes_avx512.h - sixteen floats in one AVX-512 register. See lane_ops.h. */
#ifndef BW_MODEL_LANES_AVX512_H
#define BW_MODEL_LANES_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define SET    __attribute__((target("avx512f")))
#define INLINE SET static inline __attribute__((always_inline))

typedef __m512 lanes;

INLINE lanes lanes_load(const float *p) {
    return _mm512_loadu_ps(p);
}

INLINE void lanes_store(float *p, lanes x) {
    _mm512_storeu_ps(p, x);
}

INLINE lanes lanes_all(float x) {
    return _mm512_set1_ps(x);
}

/* (float)(p - q) of sixteen integers. */
INLINE lanes lanes_difference(const int32_t *p, const int32_t *q) {
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(p), _mm512_loadu_si512(q)));
}

INLINE lanes lanes_add(lanes a, lanes b) {
    return _mm512_add_ps(a, b);
}

INLINE lanes lanes_sub(lanes a, lanes b) {
    return _mm512_sub_ps(a, b);
}

INLINE lanes lanes_mul(lanes a, lanes b) {
    return _mm512_mul_ps(a, b);
}

INLINE lanes lanes_div(lanes a, lanes b) {
    return _mm512_div_ps(a, b);
}

/* a b + c, rounded once. */
INLINE lanes lanes_fma(lanes a, lanes b, lanes c) {
    return _mm512_fmadd_ps(a, b, c);
}

/* a > b ? a : b */
INLINE lanes lanes_max(lanes a, lanes b) {
    return _mm512_max_ps(a, b);
}

/* a < b ? a : b */
INLINE lanes lanes_min(lanes a, lanes b) {
    return _mm512_min_ps(a, b);
}

INLINE lanes lanes_abs(lanes a) {
    return _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7FFFFFFF)));
}

/* x < 0 ? a : b */
INLINE lanes lanes_if_negative(lanes x, lanes a, lanes b) {
    return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), a);
}

/* 2^n where the low bits of x hold the whole number n. */
INLINE lanes lanes_power(lanes x) {
    __m512i n = _mm512_slli_epi32(_mm512_castps_si512(x), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(n, _mm512_set1_epi32(0x3F800000)));
}

/* The low byte of each lane's bits plus 128. */
INLINE void lanes_store_low(uint8_t *p, lanes x) {
    __m512i n = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(128));
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(n));
}

/* As bf16, to nearest even. */
INLINE void lanes_store_bf16(uint16_t *p, lanes x) {
    __m512i n = _mm512_castps_si512(x);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(n, 16), _mm512_set1_epi32(1));
    n = _mm512_add_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(0x7FFF)), odd);
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(n, 16)));
}

INLINE float sum_eight(__m256 a) {
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_shuffle_ps(b, b, 1)));
}

INLINE float top_eight(__m256 a) {
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_shuffle_ps(b, b, 1)));
}

INLINE __m256 upper_eight(lanes x) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
}

/* Folded in halves: lane i with i + 8, then i + 4, i + 2, i + 1. */
INLINE float lanes_sum(lanes x) {
    return sum_eight(_mm256_add_ps(_mm512_castps512_ps256(x), upper_eight(x)));
}

INLINE float lanes_top(lanes x) {
    return top_eight(_mm256_max_ps(_mm512_castps512_ps256(x), upper_eight(x)));
}

#endif
