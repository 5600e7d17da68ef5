/* model/infer/packed_mul.c - rows of activations into the kernels' form, and products with packed
 * weights.
 *
 * Rows are taken in blocks that stay in the second-level cache; a panel of 32 outputs stays in the
 * first while the block passes it, tile by tile. The sums of a tile come back in a small buffer,
 * which the tile's end (scale, bias, activation) turns into y. */
#include "model/infer/packed_kernel.h"

#include <string.h>

#define BLOCK_BYTES \
    262144 /* of rows: leaves room in the second-level cache for panels and results */

/* ---- packed rows: [rows, padded in] elements, then for int8 one scale a row ---- */

static size_t row_bytes(bw_pack_kind kind, size_t in) {
    return bw_round_up(in, bw_group_of(kind)) * bw_bytes_of(kind);
}

static size_t scales_at(bw_pack_kind kind, size_t rows, size_t in) {
    return bw_round_up(rows * row_bytes(kind, in), BW_ALIGN);
}

size_t bw_rows_size(bw_pack_kind kind, size_t rows, size_t in) {
    return bw_round_up(scales_at(kind, rows, in) + rows * sizeof(float), BW_ALIGN);
}

/* Where a row's elements and scale go. */
typedef struct {
    bw_pack_kind kind;
    size_t in, bytes;
    char *data;
    float *scale;
    const bw_row_ops *ops;
} packed_rows;

static packed_rows rows_at(bw_pack_kind kind, size_t rows, size_t in, void *work) {
    return (packed_rows){.kind = kind,
                         .in = in,
                         .bytes = row_bytes(kind, in),
                         .data = work,
                         .scale = (float *)((char *)work + scales_at(kind, rows, in)),
                         .ops = bw_kernels_chosen().rows};
}

/* tops: the largest values by lanes where they are known, or NULL. */
static void pack_row(const packed_rows *p, size_t r, const float *x, const float *tops) {
    char *to = p->data + r * p->bytes;
    switch (p->kind) {
    case BW_PACK_F32:
        if ((const void *)to != x)
            memcpy(to, x, p->in * sizeof *x);
        break;
    case BW_PACK_BF16:
        p->ops->narrow(x, p->in, p->bytes / 2, (uint16_t *)to);
        break;
    case BW_PACK_INT8:
        p->scale[r] = p->ops->quantise(x, p->in, p->bytes, tops, (uint8_t *)to);
        break;
    }
}

void bw_rows_pack(bw_pack_kind kind, const float *x, size_t rows, size_t in, void *work) {
    packed_rows p = rows_at(kind, rows, in, work);
    for (size_t r = 0; r < rows; r++)
        pack_row(&p, r, x + r * in, NULL);
}

/* ---- multiplication ---- */

/* Rows of packed activations and where their products go. */
typedef struct {
    const char *a;
    size_t lda;         /* bytes */
    const float *scale; /* of the rows, int8 only */
    size_t rows;
    bw_fuse act;
    float *y;
    size_t ldy;
    float (*top)[BW_LANES]; /* as bw_finish.top */
} block;

static void mul_tile(const bw_packed *p, const bw_kernels *k, size_t panel, const block *b,
                     size_t first_row, size_t rows) {
    union {
        float f[BW_TILE][BW_PANEL];
        int32_t i[BW_TILE][BW_PANEL];
    } sums;
    size_t first = panel * BW_PANEL, left = p->out - first;
    const char *w = p->weights + panel * p->panel_bytes, *a = b->a + first_row * b->lda;
    bw_finish f = {.rows = rows,
                   .width = left < BW_PANEL ? left : BW_PANEL,
                   .bias = p->bias + first,
                   .scale = p->kind == BW_PACK_INT8 ? p->scale + first : NULL,
                   .shift = p->shift + first,
                   .row_scale = b->scale ? b->scale + first_row : NULL,
                   .act = b->act,
                   .y = b->y + first_row * b->ldy + first,
                   .ldy = b->ldy,
                   .top = b->top ? b->top + first_row : NULL};
    if (p->kind == BW_PACK_INT8) {
        k->int8(a, b->lda, w, p->groups, rows, sums.i);
        k->rows->finish(&f, sums.i);
    } else {
        (p->kind == BW_PACK_F32 ? k->f32 : k->bf16)(a, b->lda, w, p->groups, rows, sums.f);
        k->rows->finish(&f, sums.f);
    }
}

/* Panels first .. end - 1. */
static void mul_block(const bw_packed *p, size_t first, size_t end, const block *b) {
    bw_kernels k = bw_kernels_chosen();
    for (size_t panel = first; panel < end; panel++)
        for (size_t r = 0, n; r < b->rows; r += n) {
            n = bw_tile_rows(b->rows - r);
            mul_tile(p, &k, panel, b, r, n);
        }
}

static block block_of(const bw_packed *p, const void *work, size_t rows, bw_fuse act, float *y,
                      size_t ldy) {
    const char *a = work;
    return (block){.a = a,
                   .lda = row_bytes(p->kind, p->in),
                   .scale = p->kind == BW_PACK_INT8
                                ? (const float *)(a + scales_at(p->kind, rows, p->in))
                                : NULL,
                   .rows = rows,
                   .act = act,
                   .y = y,
                   .ldy = ldy};
}

/* Rows first .. first + rows - 1 of b. */
static block part_of(const block *b, size_t first, size_t rows) {
    block part = *b;
    part.a += first * b->lda;
    part.scale = b->scale ? b->scale + first : NULL;
    part.rows = rows;
    part.y += first * b->ldy;
    return part;
}

/* Rows of a block: whole tiles that fit BLOCK_BYTES. */
static size_t block_rows(size_t lda, size_t left) {
    size_t fit = BLOCK_BYTES / (lda + 1) / BW_TILE * BW_TILE;
    fit = fit ? fit : BW_TILE;
    return left < fit + BW_TILE ? left : fit;
}

void bw_packed_mul(const bw_packed *p, const void *work, size_t rows, bw_fuse act, float *y,
                   size_t ldy) {
    block all = block_of(p, work, rows, act, y, ldy);
    for (size_t r = 0, n; r < rows; r += n) {
        n = block_rows(all.lda, rows - r);
        block b = part_of(&all, r, n);
        mul_block(p, 0, p->panels, &b);
    }
}

void bw_packed_mul_part(const bw_packed *p, const void *work, size_t rows, size_t part,
                        size_t parts, float *y, size_t ldy) {
    block b = block_of(p, work, rows, BW_FUSE_NONE, y, ldy);
    mul_block(p, p->panels * part / parts, p->panels * (part + 1) / parts, &b);
}

/* The largest value of a row is known once its last panel is done: until then BW_STAGE_ROWS rows
 * wait as floats, in the second-level cache. */
void bw_packed_mul_rows(const bw_packed *p, const void *work, size_t rows, bw_fuse act, void *next,
                        float *stage) {
    if (p->kind == BW_PACK_F32) {
        bw_packed_mul(p, work, rows, act, next, p->out);
        return;
    }
    block all = block_of(p, work, rows, act, stage, p->out);
    packed_rows to = rows_at(p->kind, rows, p->out, next);
    for (size_t r = 0, n; r < rows; r += n) {
        float top[BW_STAGE_ROWS][BW_LANES] = {{0}};
        n = rows - r < BW_STAGE_ROWS ? rows - r : BW_STAGE_ROWS;
        block b = part_of(&all, r, n);
        b.y = stage;
        b.top = p->kind == BW_PACK_INT8 ? top : NULL;
        mul_block(p, 0, p->panels, &b);
        for (size_t i = 0; i < n; i++)
            pack_row(&to, r + i, stage + i * p->out, top[i]);
    }
}

/* ---- between products ---- */

void bw_fuse_apply(bw_fuse act, float *x, size_t n) {
    bw_kernels_chosen().rows->activate(act, x, n);
}

void bw_norm_rows(bw_pack_kind kind, const bw_norm *norm, float *x, const float *y, size_t rows,
                  float *out, void *next) {
    const bw_row_ops *ops = bw_kernels_chosen().rows;
    packed_rows to = {0};
    if (next)
        to = rows_at(kind, rows, norm->dim, next);
    for (size_t r = 0; r < rows; r++) {
        float tops[BW_LANES];
        size_t at = r * norm->dim;
        ops->norm(x + at, y ? y + at : NULL, norm, out + at, tops);
        if (next)
            pack_row(&to, r, out + at, tops);
    }
}
