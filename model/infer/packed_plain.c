/* model/infer/packed_plain.c - the obvious loops: the twin that every other kernel is held
 * against. */
#include "model/infer/packed_kernel.h"

#include "model/infer/lanes_plain.h"

#include <string.h>

static void tile_f32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                     float sums[BW_TILE][BW_PANEL]) {
    const float *w = panel;
    memset(sums, 0, rows * sizeof *sums);
    for (size_t r = 0; r < rows; r++) {
        const float *x = (const float *)((const char *)a + r * lda);
        for (size_t k = 0; k < groups; k++)
            for (size_t o = 0; o < BW_PANEL; o++)
                sums[r][o] = fma_once(x[k], w[k * BW_PANEL + o], sums[r][o]);
    }
}

static void tile_bf16(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                      float sums[BW_TILE][BW_PANEL]) {
    const uint16_t *w = panel;
    memset(sums, 0, rows * sizeof *sums);
    for (size_t r = 0; r < rows; r++) {
        const uint16_t *x = (const uint16_t *)((const char *)a + r * lda);
        for (size_t k = 0; k < groups; k++)
            for (size_t o = 0; o < BW_PANEL; o++)
                for (size_t j = 0; j < 2; j++)
                    sums[r][o] +=
                        bw_bf16_widen(x[2 * k + j]) * bw_bf16_widen(w[(k * BW_PANEL + o) * 2 + j]);
    }
}

static void tile_int8(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                      int32_t sums[BW_TILE][BW_PANEL]) {
    const int8_t *w = panel;
    memset(sums, 0, rows * sizeof *sums);
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *x = (const uint8_t *)a + r * lda;
        for (size_t k = 0; k < groups; k++)
            for (size_t o = 0; o < BW_PANEL; o++)
                for (size_t j = 0; j < 4; j++)
                    sums[r][o] += x[4 * k + j] * w[(k * BW_PANEL + o) * 4 + j];
    }
}

#include "model/infer/lane_ops.h"

const bw_kernels BW_KERNELS_PLAIN = {tile_f32, tile_bf16, tile_int8, &ROW_OPS};
