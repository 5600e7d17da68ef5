/* model/core/simd.h - how this room writes vector code without naming an instruction set.
 *
 * Element-wise loops are plain C under `#pragma omp simd`; register tiles use the compilers' vector
 * type bw_v16. A function marked BW_CLONES is compiled for AVX-512, AVX2 and the baseline, and the
 * loader picks one at start. Nothing is contracted or reordered but where `reduction` says so, so
 * the clones agree to the rounding of those sums. Functions below are straight lines without
 * branches, which is what lets the loops around them vectorise. */
#ifndef BW_MODEL_SIMD_H
#define BW_MODEL_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* clang does not vectorise a maximum of floats and says so at each; the loop is right
 * either way. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

/* Older clangs give the clones' resolvers names that clash between files. */
#if defined(__x86_64__) && defined(__linux__) && (!defined(__clang__) || __clang_major__ >= 17)
#define BW_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BW_CLONES
#endif

/* Values below which waking other threads costs more than they save. */
#define BW_WORTH_THREADS 65536

/* Sixteen floats; loads and stores need no alignment. */
typedef float bw_v16 __attribute__((vector_size(64), aligned(4), may_alias));

/* e^x to 2e-7 relative; 0 below -87.3, about 1.6e38 above 88. Cody-Waite reduction to
 * |r| <= ln(2)/2, then the polynomial of Cephes' expf (Moshier 1989). */
static inline float bw_expf(float x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
    float y = x > 88.0f ? 88.0f : x;
    y = y < -87.3f ? -87.3f : y;
    float shifted = y * 1.44269504088896341f + magic, n = shifted - magic;
    float r = y - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits; /* of 2^n: the low bits of `shifted` are n, and whatever a NaN has */
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3F800000u;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    float e = p * scale;
    return x < -87.3f ? 0.0f : e;
}

/* erf(x) to 2e-7 absolute: the rational function of Eigen 3.4's generic_fast_erf_float. */
static inline float bw_erff(float x) {
    float y = x > 4.0f ? 4.0f : x;
    y = y < -4.0f ? -4.0f : y;
    float s = y * y;
    float p = -2.72614225801306e-10f;
    p = p * s + 2.77068142495902e-08f;
    p = p * s + -2.10102402082508e-06f;
    p = p * s + -5.69250639462346e-05f;
    p = p * s + -7.34990630326855e-04f;
    p = p * s + -2.95459980854025e-03f;
    p = p * s + -1.60960333262415e-02f;
    float q = -1.45660718464996e-05f;
    q = q * s + -2.13374055278905e-04f;
    q = q * s + -1.68282697438203e-03f;
    q = q * s + -7.37332916720468e-03f;
    q = q * s + -1.42647390514189e-02f;
    return y * p / q;
}

/* tanh(x) to 2e-7 absolute. */
static inline float bw_tanhf(float x) {
    float a = x < 0 ? -x : x;
    float e = bw_expf(-2.0f * a);
    float t = (1.0f - e) / (1.0f + e);
    return x < 0 ? -t : t;
}

/* A 32-bit mix (the finaliser of MurmurHash3), for dropout masks. */
static inline uint32_t bw_mix32(uint32_t x) {
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    return x ^ (x >> 16);
}

/* The mask of dropout: element `i` of stream `seed` is kept when its hash is at least threshold. */
static inline uint32_t bw_dropout_threshold(float p) {
    double t = (double)p * 4294967296.0;
    return t >= 4294967295.0 ? 4294967295u : (uint32_t)t;
}

#endif
