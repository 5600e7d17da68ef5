/* model/infer/lanes_plain.h - sixteen floats in an array: the twin of the other lanes, and what a
 * machine without their instructions runs. See lane_ops.h. */
#ifndef BW_MODEL_LANES_PLAIN_H
#define BW_MODEL_LANES_PLAIN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SET
#define INLINE static inline

typedef struct {
    float v[16];
} lanes;

/* One expression for each lane i of the result. */
#define EACH(...)                \
    lanes r;                     \
    for (int i = 0; i < 16; i++) \
        r.v[i] = __VA_ARGS__;    \
    return r

/* a b + c rounded once, as the instruction of other machines does it. The product of two floats is
 * exact in double; the sum is rounded to odd (Boldo and Melquiond 2008), which leaves the last
 * rounding, to float, as if it were the only one. */
INLINE float fma_once(float a, float b, float c) {
#ifdef FP_FAST_FMAF
    return fmaf(a, b, c);
#else
    double product = (double)a * (double)b, sum = product + (double)c;
    double added = sum - product;
    double lost = (product - (sum - added)) + ((double)c - added); /* Knuth's exact error */
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bool inexact = lost > 0 || lost < 0;
    if (inexact && !(bits & 1))
        bits += (lost > 0) == (sum > 0) ? 1 : UINT64_MAX; /* to the odd neighbour */
    memcpy(&sum, &bits, sizeof sum);
    return (float)sum;
#endif
}

INLINE uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE float of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE lanes lanes_load(const float *p) {
    lanes r;
    memcpy(r.v, p, sizeof r.v);
    return r;
}

INLINE void lanes_store(float *p, lanes x) {
    memcpy(p, x.v, sizeof x.v);
}

INLINE lanes lanes_all(float x) {
    EACH(x);
}

/* (float)(p - q) of sixteen integers. */
INLINE lanes lanes_difference(const int32_t *p, const int32_t *q) {
    EACH((float)(p[i] - q[i]));
}

INLINE lanes lanes_add(lanes x, lanes y) {
    EACH(x.v[i] + y.v[i]);
}

INLINE lanes lanes_sub(lanes x, lanes y) {
    EACH(x.v[i] - y.v[i]);
}

INLINE lanes lanes_mul(lanes x, lanes y) {
    EACH(x.v[i] * y.v[i]);
}

INLINE lanes lanes_div(lanes x, lanes y) {
    EACH(x.v[i] / y.v[i]);
}

/* x y + z, rounded once. */
INLINE lanes lanes_fma(lanes x, lanes y, lanes z) {
    EACH(fma_once(x.v[i], y.v[i], z.v[i]));
}

INLINE lanes lanes_max(lanes x, lanes y) {
    EACH(x.v[i] > y.v[i] ? x.v[i] : y.v[i]);
}

INLINE lanes lanes_min(lanes x, lanes y) {
    EACH(x.v[i] < y.v[i] ? x.v[i] : y.v[i]);
}

INLINE lanes lanes_abs(lanes x) {
    EACH(fabsf(x.v[i]));
}

/* x < 0 ? y : z */
INLINE lanes lanes_if_negative(lanes x, lanes y, lanes z) {
    EACH(x.v[i] < 0 ? y.v[i] : z.v[i]);
}

/* 2^n where the low bits of x hold the whole number n. */
INLINE lanes lanes_power(lanes x) {
    EACH(of_bits((bits_of(x.v[i]) << 23) + 0x3F800000u));
}

/* The low byte of each lane's bits plus 128. */
INLINE void lanes_store_low(uint8_t *p, lanes x) {
    for (int i = 0; i < 16; i++)
        p[i] = (uint8_t)(bits_of(x.v[i]) + 128);
}

/* As bf16, to nearest even. */
INLINE void lanes_store_bf16(uint16_t *p, lanes x) {
    for (int i = 0; i < 16; i++) {
        uint32_t n = bits_of(x.v[i]);
        p[i] = (uint16_t)((n + 0x7FFF + (n >> 16 & 1)) >> 16);
    }
}

/* Folded in halves: lane i with i + 8, then i + 4, i + 2, i + 1. */
INLINE float lanes_sum(lanes x) {
    for (int width = 8; width; width /= 2)
        for (int i = 0; i < width; i++)
            x.v[i] += x.v[i + width];
    return x.v[0];
}

INLINE float lanes_top(lanes x) {
    for (int i = 1; i < 16; i++)
        x.v[0] = x.v[i] > x.v[0] ? x.v[i] : x.v[0];
    return x.v[0];
}

#undef EACH

#endif
