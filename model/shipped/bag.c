/* model/shipped/bag.c - reading embeddings; training is in bag_train.c. */
#include "model/shipped/bag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void bw_bag_embed(const bw_bag *b, const int32_t *id, size_t n, float *out) {
    memset(out, 0, b->dim * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        const int8_t *v = b->vector + (size_t)id[i] * b->dim;
        float s = b->scale[id[i]];
        for (size_t k = 0; k < b->dim; k++)
            out[k] += s * (float)v[k];
    }
    double sq = 0;
    for (size_t k = 0; k < b->dim; k++)
        sq += (double)out[k] * out[k];
    float norm = sq > 0 ? (float)(1 / sqrt(sq)) : 0.0f;
    for (size_t k = 0; k < b->dim; k++)
        out[k] *= norm;
}

void bw_bag_free(bw_bag *b) {
    free(b->memory);
    *b = (bw_bag){0};
}
