/* model/infer/packed_kernel.h - what packed.c asks of an instruction set: the sums of register
 * tiles, and what happens to rows between them.
 *
 * Private to infer*.c and packed*.c. A panel holds 32 outputs. Its layout, with g the group of
 * inputs that one instruction takes (1 for f32, 2 for bf16, 4 for int8):
 *     panel[k / g][32 outputs][g]          inputs padded with zeros to a multiple of g
 * Activation rows lie row after row, padded likewise; int8 rows are stored plus 128 as u8, and the
 * end of a tile subtracts 128 * sum(w) of the output. */
#ifndef BW_MODEL_PACKED_KERNEL_H
#define BW_MODEL_PACKED_KERNEL_H

#include "model/infer/infer_ops.h"
#include "model/infer/packed_rows.h"

#define BW_PANEL 32 /* outputs a panel: two AVX-512 registers */
#define BW_TILE  12 /* rows a tile: 12 x 2 accumulators of 32 registers */
#define BW_LANES 16 /* floats that are worked on side by side: one AVX-512 register */

/* Rows of the next tile when so many are left: a last tile of one or two rows would leave the
 * multipliers waiting for one another. */
static inline size_t bw_tile_rows(size_t left) {
    return left <= BW_TILE ? left : left < BW_TILE + 4 ? (left + 1) / 2 : BW_TILE;
}

/* ---- sums ---- */

/* sums[r][o] = sum_k a[r][k] * panel[k][o] for rows < BW_TILE rows, k rising, each product and sum
 * rounded once for f32; groups = padded inputs / g. lda: bytes between two rows of a. */
typedef void bw_tile_f32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                         float sums[BW_TILE][BW_PANEL]);
typedef void bw_tile_i32(const void *a, size_t lda, const void *panel, size_t groups, size_t rows,
                         int32_t sums[BW_TILE][BW_PANEL]);

/* ---- the end of a tile ---- */

typedef struct {
    size_t rows, width;     /* of the tile; the last panel's may be below BW_PANEL */
    const float *bias;      /* [BW_PANEL] */
    const float *scale;     /* [BW_PANEL], int8: of each output's weights; NULL: sums are floats */
    const int32_t *shift;   /* [BW_PANEL], int8 */
    const float *row_scale; /* [rows], int8 */
    bw_fuse act;
    float *y; /* [rows, width], ldy floats from row to row */
    size_t ldy;
    float (*top)[BW_LANES]; /* [rows] largest |y| of the row so far, by lane; NULL: not kept */
} bw_finish;

/* ---- one instruction set's way of all that ---- */

typedef struct {
    /* sums: [rows][BW_PANEL] floats, or integers where f->scale is set. */
    void (*finish)(const bw_finish *f, const void *sums);
    void (*activate)(bw_fuse act, float *x, size_t n);
    /* One row to u8 around 128, padded; gives its scale. tops: [BW_LANES] as bw_finish.top, or
     * NULL. */
    float (*quantise)(const float *x, size_t n, size_t padded, const float *tops, uint8_t *q);
    void (*narrow)(const float *x, size_t n, size_t padded, uint16_t *h); /* to bf16 */
    /* x += y unless NULL; out = norm(x), may be x; tops: [BW_LANES] largest |out|. */
    void (*norm)(float *x, const float *y, const bw_norm *norm, float *out, float *tops);
    bw_attend_fn *attend;
} bw_row_ops;

typedef struct {
    bw_tile_f32 *f32, *bf16;
    bw_tile_i32 *int8;
    const bw_row_ops *rows;
} bw_kernels;

extern const bw_kernels BW_KERNELS_PLAIN;
/* NULL members: the machine, or the compiler, lacks it. */
bw_kernels bw_kernels_avx2(void);
bw_kernels bw_kernels_avx512(void);
bw_kernels bw_kernels_neon(void);

/* The best of each that this machine has, within what bw_isa_force allows. */
bw_kernels bw_kernels_chosen(void);

/* ---- packed weights ---- */

#define BW_ALIGN 64 /* bytes */

struct bw_packed {
    bw_pack_kind kind;
    size_t out, in, panels, groups;
    size_t panel_bytes;
    char *weights;  /* [panels] of panel_bytes */
    float *scale;   /* [panels * 32], int8 only */
    int32_t *shift; /* [panels * 32], int8 only: 128 * sum of the output's weights */
    float *bias;    /* [panels * 32] */
};

static inline size_t bw_round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

static inline size_t bw_group_of(bw_pack_kind kind) {
    return kind == BW_PACK_F32 ? 1 : kind == BW_PACK_BF16 ? 2 : 4;
}

static inline size_t bw_bytes_of(bw_pack_kind kind) {
    return kind == BW_PACK_F32 ? 4 : kind == BW_PACK_BF16 ? 2 : 1;
}

static inline float bw_bf16_widen(uint16_t h) {
    union {
        uint32_t bits;
        float value;
    } u = {.bits = (uint32_t)h << 16};
    return u.value;
}

#endif
