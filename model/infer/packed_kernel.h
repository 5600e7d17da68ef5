/* model/infer/packed_kernel.h - what a kernel of packed.c is: the sums of one register tile.
 *
 * Private to packed*.c. A panel holds 32 outputs. Its layout, with g the group of inputs that one
 * instruction takes (1 for f32, 2 for bf16, 4 for int8):
 *     panel[k / g][32 outputs][g]          inputs padded with zeros to a multiple of g
 * Activation rows lie row after row, padded likewise; int8 rows are stored plus 128 as u8, and the
 * driver subtracts 128 * sum(w) of the output. */
#ifndef BW_MODEL_PACKED_KERNEL_H
#define BW_MODEL_PACKED_KERNEL_H

#include "model/infer/packed.h"

#define BW_PANEL 32 /* outputs a panel: two AVX-512 registers */
#define BW_TILE  12 /* rows a tile: 12 x 2 accumulators of 32 registers */

/* sums[r][o] = sum_k a[r][k] * panel[k][o] for rows < BW_TILE rows; groups = padded inputs / g.
 * lda: bytes between two rows of a. */
typedef void bw_tile_f32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                         float sums[BW_TILE][BW_PANEL]);
typedef void bw_tile_i32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                         int32_t sums[BW_TILE][BW_PANEL]);

typedef struct {
    bw_tile_f32 *f32, *bf16;
    bw_tile_i32 *int8;
} bw_kernels;

extern const bw_kernels BW_KERNELS_PLAIN;
/* NULL members: the machine, or the compiler, lacks it. */
bw_kernels bw_kernels_avx2(void);
bw_kernels bw_kernels_avx512(void);
bw_kernels bw_kernels_neon(void);

static inline float bw_bf16_widen(uint16_t h) {
    union {
        uint32_t bits;
        float value;
    } u = {.bits = (uint32_t)h << 16};
    return u.value;
}

#endif
