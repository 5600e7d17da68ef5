/* model/infer/packed_act.c - activations in IEEE arithmetic of one fixed order: every lane computes the
 * same sequence of operations, so any register width gives the same bits. */
#include "model/infer/packed.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_ISA __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define FOR_EACH_ISA
#endif
#define INLINE static inline __attribute__((always_inline))

/* e^x for x <= 0 to 2 ulp: x = n ln 2 + r, a polynomial of degree 6 on |r| <= ln 2 / 2 (Cody and
 * Waite's split of ln 2). Below -87 the result is 0 to within 1e-38. */
INLINE float exp_negative(float x) {
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to the nearest integer */
    union {
        float value;
        uint32_t bits;
    } n = {.value = shifted}, power;
    float whole = shifted - 12582912.0f;
    float r = x - whole * 0.693359375f - whole * -2.12194440e-4f;
    float e = 1.0f / 720;
    e = e * r + 1.0f / 120;
    e = e * r + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    power.bits = (n.bits << 23) + 0x3F800000u;
    return e * power.value;
}

/* x Phi(x), with erf by Abramowitz and Stegun 7.1.26 (absolute error 1.5e-7). */
INLINE float gelu(float x) {
    float z = (x < 0 ? -x : x) * 0.70710678f;
    float t = 1.0f / (1.0f + 0.3275911f * z);
    float poly = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t +
                  0.254829592f) *
                 t;
    float tail = 0.5f * poly * exp_negative(-z * z); /* Phi(-|x|) */
    return x < 0 ? x * tail : x * (1.0f - tail);
}

INLINE float silu(float x) {
    float e = exp_negative(x < 0 ? x : -x);
    float p = 1.0f / (1.0f + e); /* sigmoid(|x|) */
    return x < 0 ? x * (e * p) : x * p;
}

FOR_EACH_ISA static void gelu_all(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = gelu(x[i]);
}

FOR_EACH_ISA static void silu_all(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = silu(x[i]);
}

FOR_EACH_ISA static void relu_all(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

void bw_fuse_apply(bw_fuse act, float *x, size_t n) {
    switch (act) {
    case BW_FUSE_NONE:
        return;
    case BW_FUSE_GELU:
        gelu_all(x, n);
        return;
    case BW_FUSE_RELU:
        relu_all(x, n);
        return;
    case BW_FUSE_SILU:
        silu_all(x, n);
        return;
    }
}
