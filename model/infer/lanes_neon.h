/* model/infer/lanes_neon.h - sixteen floats in four NEON registers. See lane_ops.h. */
#ifndef BW_MODEL_LANES_NEON_H
#define BW_MODEL_LANES_NEON_H

#include <arm_neon.h>
#include <stdint.h>

#define SET
#define INLINE static inline __attribute__((always_inline))

typedef struct {
    float32x4_t v[4];
} lanes;

/* One instruction for each of the four registers of x (and y, z). */
#define EACH(...)               \
    lanes r;                    \
    for (int i = 0; i < 4; i++) \
        r.v[i] = __VA_ARGS__;   \
    return r

INLINE lanes lanes_load(const float *p) {
    EACH(vld1q_f32(p + 4 * i));
}

INLINE void lanes_store(float *p, lanes x) {
    for (int i = 0; i < 4; i++)
        vst1q_f32(p + 4 * i, x.v[i]);
}

INLINE lanes lanes_all(float x) {
    EACH(vdupq_n_f32(x));
}

/* (float)(p - q) of sixteen integers. */
INLINE lanes lanes_difference(const int32_t *p, const int32_t *q) {
    EACH(vcvtq_f32_s32(vsubq_s32(vld1q_s32(p + 4 * i), vld1q_s32(q + 4 * i))));
}

INLINE lanes lanes_add(lanes x, lanes y) {
    EACH(vaddq_f32(x.v[i], y.v[i]));
}

INLINE lanes lanes_sub(lanes x, lanes y) {
    EACH(vsubq_f32(x.v[i], y.v[i]));
}

INLINE lanes lanes_mul(lanes x, lanes y) {
    EACH(vmulq_f32(x.v[i], y.v[i]));
}

INLINE lanes lanes_div(lanes x, lanes y) {
    EACH(vdivq_f32(x.v[i], y.v[i]));
}

/* x y + z, rounded once. */
INLINE lanes lanes_fma(lanes x, lanes y, lanes z) {
    EACH(vfmaq_f32(z.v[i], x.v[i], y.v[i]));
}

/* x > y ? x : y */
INLINE lanes lanes_max(lanes x, lanes y) {
    EACH(vbslq_f32(vcgtq_f32(x.v[i], y.v[i]), x.v[i], y.v[i]));
}

/* x < y ? x : y */
INLINE lanes lanes_min(lanes x, lanes y) {
    EACH(vbslq_f32(vcltq_f32(x.v[i], y.v[i]), x.v[i], y.v[i]));
}

INLINE lanes lanes_abs(lanes x) {
    EACH(vabsq_f32(x.v[i]));
}

/* x < 0 ? y : z */
INLINE lanes lanes_if_negative(lanes x, lanes y, lanes z) {
    EACH(vbslq_f32(vcltq_f32(x.v[i], vdupq_n_f32(0)), y.v[i], z.v[i]));
}

/* 2^n where the low bits of x hold the whole number n. */
INLINE lanes lanes_power(lanes x) {
    EACH(vreinterpretq_f32_u32(
        vaddq_u32(vshlq_n_u32(vreinterpretq_u32_f32(x.v[i]), 23), vdupq_n_u32(0x3F800000))));
}

/* The low byte of each lane's bits plus 128. */
INLINE void lanes_store_low(uint8_t *p, lanes x) {
    uint16x4_t n[4];
    for (int i = 0; i < 4; i++)
        n[i] = vmovn_u32(vaddq_u32(vreinterpretq_u32_f32(x.v[i]), vdupq_n_u32(128)));
    vst1_u8(p, vmovn_u16(vcombine_u16(n[0], n[1])));
    vst1_u8(p + 8, vmovn_u16(vcombine_u16(n[2], n[3])));
}

/* As bf16, to nearest even. */
INLINE void lanes_store_bf16(uint16_t *p, lanes x) {
    for (int i = 0; i < 4; i++) {
        uint32x4_t n = vreinterpretq_u32_f32(x.v[i]);
        uint32x4_t odd = vandq_u32(vshrq_n_u32(n, 16), vdupq_n_u32(1));
        vst1_u16(p + 4 * i, vshrn_n_u32(vaddq_u32(vaddq_u32(n, vdupq_n_u32(0x7FFF)), odd), 16));
    }
}

/* Folded in halves: lane i with i + 8, then i + 4, i + 2, i + 1. */
INLINE float lanes_sum(lanes x) {
    float32x4_t a = vaddq_f32(vaddq_f32(x.v[0], x.v[2]), vaddq_f32(x.v[1], x.v[3]));
    float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
}

INLINE float lanes_top(lanes x) {
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.v[0], x.v[2]), vmaxq_f32(x.v[1], x.v[3])));
}

#undef EACH

#endif
