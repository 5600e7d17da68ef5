/* model/core/params.c - the weight block and its table. */
#include "model/core/params.h"
#include "model/core/rng.h"
#include "model/core/simd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ALIGN 64

static bool grow(bw_params *p) {
    if (p->n < p->cap)
        return true;
    size_t cap = p->cap ? 2 * p->cap : 64;
    bw_param *table = realloc(p->table, cap * sizeof *table);
    if (!table)
        return false;
    p->table = table;
    p->cap = cap;
    return true;
}

size_t bw_params_add(bw_params *p, const char *name, size_t n_dims, const size_t *dim,
                     unsigned flags) {
    if (p->failed || !grow(p)) {
        p->failed = true;
        return 0;
    }
    bw_param *row = &p->table[p->n];
    *row = (bw_param){.n_dims = n_dims, .size = 1, .offset = p->total, .flags = flags};
    int length = snprintf(row->name, sizeof row->name, "%s", name);
    for (size_t i = 0; i < n_dims; i++) {
        row->dim[i] = dim[i];
        p->failed |= !bw_size_mul(row->size, dim[i], &row->size);
    }
    p->total += row->size;
    p->failed |= length < 0 || (size_t)length >= sizeof row->name || p->total < row->size;
    return p->n++;
}

static float *zeroed_block(size_t n) {
    size_t bytes;
    if (!bw_size_mul(n, sizeof(float), &bytes) || bytes > SIZE_MAX - BLOCK_ALIGN)
        return NULL;
    bytes = (bytes + BLOCK_ALIGN) / BLOCK_ALIGN * BLOCK_ALIGN;
    float *block = aligned_alloc(BLOCK_ALIGN, bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

bw_status bw_params_alloc(bw_params *p, bw_err *err) {
    if (!p->failed)
        p->data = zeroed_block(p->total);
    return p->data ? BW_OK : bw_fail_memory(err);
}

bw_status bw_params_need_grad(bw_params *p, bw_err *err) {
    if (!p->grad)
        p->grad = zeroed_block(p->total);
    return p->grad ? BW_OK : bw_fail_memory(err);
}

void bw_params_zero_grad(bw_params *p) {
    if (p->grad)
        memset(p->grad, 0, p->total * sizeof *p->grad);
}

size_t bw_params_find(const bw_params *p, const char *name) {
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->table[i].name, name) == 0)
            return i;
    return (size_t)-1;
}

void bw_params_free(bw_params *p) {
    free(p->table);
    free(p->data);
    free(p->grad);
    *p = (bw_params){0};
}

/* A uniform number in (0, 1) from a counter. */
static double uniform(uint64_t seed, uint64_t counter) {
    uint64_t bits = bw_splitmix64(seed ^ bw_splitmix64(counter));
    return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

/* Box-Muller, drawn again beyond two deviations. */
static double cut_normal(uint64_t seed, uint64_t *counter) {
    for (;;) {
        double radius = sqrt(-2 * log(uniform(seed, (*counter)++)));
        double z = radius * cos(2 * 3.14159265358979323846 * uniform(seed, (*counter)++));
        if (fabs(z) <= 2)
            return z;
    }
}

void bw_param_init_normal(bw_params *p, size_t i, float std, uint64_t seed) {
    float *w = bw_param_data(p, i);
    uint64_t counter = 0;
    uint64_t stream = bw_splitmix64(seed) ^ bw_splitmix64(~(uint64_t)i);
    for (size_t j = 0; j < p->table[i].size; j++)
        w[j] = std * (float)cut_normal(stream, &counter);
}

void bw_param_fill(bw_params *p, size_t i, float value) {
    float *w = bw_param_data(p, i);
    for (size_t j = 0; j < p->table[i].size; j++)
        w[j] = value;
}
