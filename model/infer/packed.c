/* model/infer/packed.c - weights into panels of 32 outputs, in the order in which a register tile
 * reads them. */
#include "model/infer/packed.h"

#include "model/infer/packed_kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    n->groups = (in + bw_group_of(kind) - 1) / bw_group_of(kind);
    n->panel_bytes = n->groups * bw_group_of(kind) * bw_bytes_of(kind) * BW_PANEL;
    size_t padded = n->panels * BW_PANEL;
    n->weights = aligned_alloc(BW_ALIGN, bw_round_up(n->panels * n->panel_bytes + 1, BW_ALIGN));
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
    size_t g = bw_group_of(p->kind);
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
