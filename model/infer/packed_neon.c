/* model/infer/packed_neon.c - AArch64: tiles of 2 rows by 8 registers. int8 widens to 16 bits and
 * uses the widening multiply-add, which every AArch64 core has. */
#include "model/infer/packed_kernel.h"

#if defined(__aarch64__)

#include "model/infer/lanes_neon.h"

#include <string.h>

static void tile_f32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                     float sums[BW_TILE][BW_PANEL]) {
    for (size_t r = 0; r < rows; r++) {
        const float *x = (const float *)((const char *)a + r * lda), *w = panel;
        float32x4_t s[8];
        for (int j = 0; j < 8; j++)
            s[j] = vdupq_n_f32(0);
        for (size_t k = 0; k < groups; k++, w += BW_PANEL)
            for (int j = 0; j < 8; j++)
                s[j] = vfmaq_n_f32(s[j], vld1q_f32(w + 4 * j), x[k]);
        for (int j = 0; j < 8; j++)
            vst1q_f32(sums[r] + 4 * j, s[j]);
    }
}

static void tile_bf16(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                      float sums[BW_TILE][BW_PANEL]) {
    const uint32x4_t high = vdupq_n_u32(0xFFFF0000u);
    for (size_t r = 0; r < rows; r++) {
        const uint16_t *x = (const uint16_t *)((const char *)a + r * lda), *w = panel;
        float32x4_t s[8];
        for (int j = 0; j < 8; j++)
            s[j] = vdupq_n_f32(0);
        for (size_t k = 0; k < groups; k++, w += 2 * BW_PANEL)
            for (int j = 0; j < 8; j++) {
                uint32x4_t v = vreinterpretq_u32_u16(vld1q_u16(w + 8 * j));
                float32x4_t even = vreinterpretq_f32_u32(vshlq_n_u32(v, 16));
                float32x4_t odd = vreinterpretq_f32_u32(vandq_u32(v, high));
                s[j] = vfmaq_n_f32(s[j], even, bw_bf16_widen(x[2 * k]));
                s[j] = vfmaq_n_f32(s[j], odd, bw_bf16_widen(x[2 * k + 1]));
            }
        for (int j = 0; j < 8; j++)
            vst1q_f32(sums[r] + 4 * j, s[j]);
    }
}

/* Four outputs of four inputs each: products in 16 x 16 -> 32 bits, summed in pairs. */
static int32x4_t dot_four(int32x4_t s, int16x4_t x, const int8_t *w) {
    int8x16_t v = vld1q_s8(w);
    int16x8_t lo = vmovl_s8(vget_low_s8(v)), hi = vmovl_s8(vget_high_s8(v));
    int32x4_t p0 = vmull_s16(vget_low_s16(lo), x), p1 = vmull_s16(vget_high_s16(lo), x);
    int32x4_t p2 = vmull_s16(vget_low_s16(hi), x), p3 = vmull_s16(vget_high_s16(hi), x);
    return vaddq_s32(s, vpaddq_s32(vpaddq_s32(p0, p1), vpaddq_s32(p2, p3)));
}

static void tile_int8(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                      int32_t sums[BW_TILE][BW_PANEL]) {
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *x = (const uint8_t *)a + r * lda;
        const int8_t *w = panel;
        int32x4_t s[8];
        for (int j = 0; j < 8; j++)
            s[j] = vdupq_n_s32(0);
        for (size_t k = 0; k < groups; k++, w += 4 * BW_PANEL) {
            int16_t four[4] = {x[4 * k], x[4 * k + 1], x[4 * k + 2], x[4 * k + 3]};
            int16x4_t v = vld1_s16(four);
            for (int j = 0; j < 8; j++)
                s[j] = dot_four(s[j], v, w + 16 * j);
        }
        for (int j = 0; j < 8; j++)
            vst1q_s32(sums[r] + 4 * j, s[j]);
    }
}

#include "model/infer/lane_ops.h"

bw_kernels bw_kernels_neon(void) {
    return (bw_kernels){tile_f32, tile_bf16, tile_int8, &ROW_OPS};
}

#else

bw_kernels bw_kernels_neon(void) {
    return (bw_kernels){0};
}

#endif
