/* model/infer/packed.c - packing, the choice of kernel, and the loop over panels and tiles.
 *
 * A panel of 32 outputs stays in the first-level cache while all rows pass it, tile by tile; the sums
 * of a tile come back in a small buffer that the epilogue (scale, bias, activation) turns into y. */
#include "model/infer/packed.h"

#include "model/infer/packed_kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 64

struct bw_packed {
    bw_pack_kind kind;
    size_t out, in, panels, groups;
    size_t panel_bytes;
    char *weights;  /* [panels] of panel_bytes */
    float *scale;   /* [panels * 32], int8 only */
    int32_t *shift; /* [panels * 32], int8 only: 128 * sum of the output's weights */
    float *bias;    /* [panels * 32] */
};

/* ---- choice of kernel ---- */

static bw_kernels kernels_of(bw_isa isa) {
    switch (isa) {
    case BW_ISA_AVX512:
        return bw_kernels_avx512();
    case BW_ISA_AVX2:
        return bw_kernels_avx2();
    case BW_ISA_NEON:
        return bw_kernels_neon();
    default:
        return BW_KERNELS_PLAIN;
    }
}

static bw_isa forced = BW_ISA_COUNT;

bw_isa bw_isa_best(void) {
    if (forced != BW_ISA_COUNT)
        return forced;
    for (int isa = BW_ISA_COUNT - 1; isa > BW_ISA_PLAIN; isa--)
        if (kernels_of((bw_isa)isa).f32)
            return (bw_isa)isa;
    return BW_ISA_PLAIN;
}

bool bw_isa_force(bw_isa isa) {
    if (isa != BW_ISA_COUNT && !kernels_of(isa).f32)
        return false;
    forced = isa;
    return true;
}

const char *bw_isa_name(bw_isa isa) {
    static const char *const NAMES[] = {"plain", "neon", "avx2", "avx512", "best"};
    return NAMES[isa];
}

/* The best kernel of each kind: a machine may have AVX-512 without BF16. */
static bw_kernels chosen(void) {
    bw_kernels k = kernels_of(bw_isa_best());
    bw_kernels next = bw_isa_best() == BW_ISA_AVX512 ? bw_kernels_avx2() : BW_KERNELS_PLAIN;
    k.f32 = k.f32 ? k.f32 : next.f32;
    k.bf16 = k.bf16 ? k.bf16 : next.bf16 ? next.bf16 : BW_KERNELS_PLAIN.bf16;
    k.int8 = k.int8 ? k.int8 : next.int8 ? next.int8 : BW_KERNELS_PLAIN.int8;
    return k;
}

/* ---- packing weights ---- */

static size_t group_of(bw_pack_kind kind) {
    return kind == BW_PACK_F32 ? 1 : kind == BW_PACK_BF16 ? 2 : 4;
}

static size_t bytes_of(bw_pack_kind kind) {
    return kind == BW_PACK_F32 ? 4 : kind == BW_PACK_BF16 ? 2 : 1;
}

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

/* Round to nearest even; NaN stays NaN. */
static uint16_t bf16_narrow(float value) {
    union {
        float value;
        uint32_t bits;
    } u = {.value = value};
    if (isnan(value))
        return (uint16_t)(u.bits >> 16 | 0x40);
    return (uint16_t)((u.bits + 0x7FFF + (u.bits >> 16 & 1)) >> 16);
}

static bw_status allocate(bw_pack_kind kind, const float *bias, size_t out, size_t in,
                          bw_packed **p, bw_err *err) {
    *p = NULL;
    bw_packed *n = calloc(1, sizeof *n);
    if (!n)
        return bw_fail_memory(err);
    n->kind = kind;
    n->out = out;
    n->in = in;
    n->panels = (out + BW_PANEL - 1) / BW_PANEL;
    n->groups = (in + group_of(kind) - 1) / group_of(kind);
    n->panel_bytes = n->groups * group_of(kind) * bytes_of(kind) * BW_PANEL;
    size_t padded = n->panels * BW_PANEL;
    n->weights = aligned_alloc(ALIGN, round_up(n->panels * n->panel_bytes + 1, ALIGN));
    n->scale = calloc(padded + 1, sizeof *n->scale);
    n->shift = calloc(padded + 1, sizeof *n->shift);
    n->bias = calloc(padded + 1, sizeof *n->bias);
    if (!n->weights || !n->scale || !n->shift || !n->bias) {
        bw_packed_free(n);
        return bw_fail_memory(err);
    }
    memset(n->weights, 0, n->panels * n->panel_bytes);
    if (bias)
        memcpy(n->bias, bias, out * sizeof *bias);
    *p = n;
    return BW_OK;
}

/* Where weight (o, i) lies, as an index of elements. */
static size_t place(const bw_packed *p, size_t o, size_t i) {
    size_t g = group_of(p->kind);
    return (o / BW_PANEL) * p->groups * g * BW_PANEL + (i / g * BW_PANEL + o % BW_PANEL) * g +
           i % g;
}

static void pack_float(bw_packed *p, const float *W) {
    for (size_t o = 0; o < p->out; o++)
        for (size_t i = 0; i < p->in; i++) {
            if (p->kind == BW_PACK_F32)
                ((float *)p->weights)[place(p, o, i)] = W[o * p->in + i];
            else
                ((uint16_t *)p->weights)[place(p, o, i)] = bf16_narrow(W[o * p->in + i]);
        }
}

static void pack_int8(bw_packed *p, const int8_t *q, const float *scale) {
    for (size_t o = 0; o < p->out; o++) {
        int32_t sum = 0;
        for (size_t i = 0; i < p->in; i++) {
            ((int8_t *)p->weights)[place(p, o, i)] = q[o * p->in + i];
            sum += q[o * p->in + i];
        }
        p->scale[o] = scale[o];
        p->shift[o] = 128 * sum;
    }
}

bw_status bw_packed_new_int8(const int8_t *q, const float *scale, const float *bias, size_t out,
                             size_t in, bw_packed **p, bw_err *err) {
    bw_status st = allocate(BW_PACK_INT8, bias, out, in, p, err);
    if (st == BW_OK)
        pack_int8(*p, q, scale);
    return st;
}

static float largest(const float *x, size_t n) {
    float top = 0;
    for (size_t i = 0; i < n; i++)
        top = fmaxf(top, fabsf(x[i]));
    return top;
}

static bw_status quantise_and_pack(const float *W, const float *bias, size_t out, size_t in,
                                   bw_packed **p, bw_err *err) {
    *p = NULL;
    int8_t *q = malloc(out * in + 1);
    float *scale = malloc((out + 1) * sizeof *scale);
    bw_status st = q && scale ? BW_OK : bw_fail_memory(err);
    for (size_t o = 0; st == BW_OK && o < out; o++) {
        scale[o] = largest(W + o * in, in) / 127.0f;
        float inverse = scale[o] > 0 ? 1.0f / scale[o] : 0;
        for (size_t i = 0; i < in; i++)
            q[o * in + i] = (int8_t)lrintf(W[o * in + i] * inverse);
    }
    if (st == BW_OK)
        st = bw_packed_new_int8(q, scale, bias, out, in, p, err);
    free(q);
    free(scale);
    return st;
}

bw_status bw_packed_new(bw_pack_kind kind, const float *W, const float *bias, size_t out, size_t in,
                        bw_packed **p, bw_err *err) {
    if (kind == BW_PACK_INT8)
        return quantise_and_pack(W, bias, out, in, p, err);
    bw_status st = allocate(kind, bias, out, in, p, err);
    if (st == BW_OK)
        pack_float(*p, W);
    return st;
}

void bw_packed_free(bw_packed *p) {
    if (!p)
        return;
    free(p->weights);
    free(p->scale);
    free(p->shift);
    free(p->bias);
    free(p);
}

size_t bw_packed_in(const bw_packed *p) {
    return p->in;
}

size_t bw_packed_out(const bw_packed *p) {
    return p->out;
}

size_t bw_packed_bytes(const bw_packed *p) {
    return p->panels * p->panel_bytes;
}

/* ---- packing rows: [rows, padded in] elements, then for int8 one scale a row ---- */

static size_t row_bytes(bw_pack_kind kind, size_t in) {
    return round_up(in, group_of(kind)) * bytes_of(kind);
}

static size_t scales_at(bw_pack_kind kind, size_t rows, size_t in) {
    return round_up(rows * row_bytes(kind, in), ALIGN);
}

size_t bw_rows_size(bw_pack_kind kind, size_t rows, size_t in) {
    return round_up(scales_at(kind, rows, in) + rows * sizeof(float), ALIGN);
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_ISA __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define FOR_EACH_ISA
#endif

/* One row to u8 around 128; gives the scale. Sixteen running maxima, so that the compiler may use
 * registers of any width and the result does not depend on which. */
FOR_EACH_ISA static float quantise_row(const float *x, size_t in, size_t padded, uint8_t *q) {
    float lane[16] = {0};
    size_t i = 0;
    for (; i + 16 <= in; i += 16)
        for (size_t j = 0; j < 16; j++) {
            float a = fabsf(x[i + j]);
            lane[j] = a > lane[j] ? a : lane[j];
        }
    float top = 0;
    for (; i < in; i++)
        top = fabsf(x[i]) > top ? fabsf(x[i]) : top;
    for (size_t j = 0; j < 16; j++)
        top = lane[j] > top ? lane[j] : top;
    float inverse = top > 0 ? 127.0f / top : 0;
    /* x * inverse lies in -127..127; adding 1.5 * 2^23 rounds to nearest even in the low bits. */
    for (i = 0; i < in; i++) {
        union {
            float value;
            uint32_t bits;
        } u = {.value = x[i] * inverse + 12582912.0f};
        q[i] = (uint8_t)(u.bits + 128);
    }
    memset(q + in, 128, padded - in);
    return top / 127.0f;
}

FOR_EACH_ISA static void narrow_row(const float *x, size_t in, uint16_t *h) {
    for (size_t i = 0; i < in; i++) {
        union {
            float value;
            uint32_t bits;
        } u = {.value = x[i]};
        h[i] = (uint16_t)((u.bits + 0x7FFF + (u.bits >> 16 & 1)) >> 16);
    }
}

void bw_rows_pack(bw_pack_kind kind, const float *x, size_t rows, size_t in, void *work) {
    size_t bytes = row_bytes(kind, in);
    float *scale = (float *)((char *)work + scales_at(kind, rows, in));
    for (size_t r = 0; r < rows; r++) {
        char *to = (char *)work + r * bytes;
        switch (kind) {
        case BW_PACK_F32:
            memcpy(to, x + r * in, in * sizeof *x);
            break;
        case BW_PACK_BF16:
            narrow_row(x + r * in, in, (uint16_t *)to);
            if (in % 2)
                ((uint16_t *)to)[in] = 0;
            break;
        case BW_PACK_INT8:
            scale[r] = quantise_row(x + r * in, in, bytes, (uint8_t *)to);
            break;
        }
    }
}

/* ---- multiplication ---- */

FOR_EACH_ISA static void finish_int8(const int32_t *sums, const int32_t *shift, const float *scale,
                                     const float *bias, float row_scale, float *y) {
    for (size_t o = 0; o < BW_PANEL; o++)
        y[o] = (float)(sums[o] - shift[o]) * (row_scale * scale[o]) + bias[o];
}

FOR_EACH_ISA static void finish_float(const float *sums, const float *bias, float *y) {
    for (size_t o = 0; o < BW_PANEL; o++)
        y[o] = sums[o] + bias[o];
}

/* One tile's rows of one panel into y, activation included; the last panel may be partly padding. */
static void finish_tile(const bw_packed *p, size_t panel, const void *sums, size_t rows,
                        const float *row_scale, bw_fuse act, float *y, size_t ldy) {
    size_t first = panel * BW_PANEL, n = p->out - first < BW_PANEL ? p->out - first : BW_PANEL;
    for (size_t r = 0; r < rows; r++) {
        float full[BW_PANEL];
        float *to = n == BW_PANEL ? y + r * ldy + first : full;
        if (p->kind == BW_PACK_INT8)
            finish_int8((const int32_t *)sums + r * BW_PANEL, p->shift + first, p->scale + first,
                        p->bias + first, row_scale[r], to);
        else
            finish_float((const float *)sums + r * BW_PANEL, p->bias + first, to);
        bw_fuse_apply(act, to, BW_PANEL);
        if (to == full)
            memcpy(y + r * ldy + first, full, n * sizeof *full);
    }
}

/* Panels first .. end - 1. */
static void mul_panels(const bw_packed *p, size_t first, size_t end, const void *work, size_t rows,
                       bw_fuse act, float *y, size_t ldy) {
    bw_kernels k = chosen();
    size_t lda = row_bytes(p->kind, p->in);
    const float *scale = (const float *)((const char *)work + scales_at(p->kind, rows, p->in));
    union {
        float f[BW_TILE][BW_PANEL];
        int32_t i[BW_TILE][BW_PANEL];
    } sums;
    for (size_t panel = first; panel < end; panel++) {
        const char *w = p->weights + panel * p->panel_bytes;
        for (size_t r = 0; r < rows; r += BW_TILE) {
            size_t n = rows - r < BW_TILE ? rows - r : BW_TILE;
            const char *a = (const char *)work + r * lda;
            if (p->kind == BW_PACK_INT8)
                k.int8(a, lda, w, p->groups, n, sums.i);
            else
                (p->kind == BW_PACK_F32 ? k.f32 : k.bf16)(a, lda, w, p->groups, n, sums.f);
            finish_tile(p, panel, &sums, n, scale + r, act, y + r * ldy, ldy);
        }
    }
}

void bw_packed_mul(const bw_packed *p, const void *work, size_t rows, bw_fuse act, float *y,
                   size_t ldy) {
    mul_panels(p, 0, p->panels, work, rows, act, y, ldy);
}

#define WORTH_SHARING 131072 /* bytes: a few microseconds of memory, what waking a thread costs */
#define SHARES        8      /* more than there are threads: a core that others use gets fewer */

void bw_packed_mul_shared(const bw_packed *p, const void *work, size_t rows, bw_fuse act, float *y,
                          size_t ldy) {
    size_t share = (p->panels + SHARES - 1) / SHARES;
#pragma omp parallel for schedule(dynamic, 1) if (bw_packed_bytes(p) >= WORTH_SHARING)
    for (size_t at = 0; at < p->panels; at += share)
        mul_panels(p, at, at + share < p->panels ? at + share : p->panels, work, rows, act, y, ldy);
}
