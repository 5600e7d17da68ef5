/* model/shipped/wide.c - reading the wide path; training is in wide_train.c. */
#include "model/shipped/wide.h"

#include <math.h>
#include <stdlib.h>

void bw_wide_value(const bw_wide *w, const bw_grams *g, float value[BW_WIDE_OUT]) {
    double sum[BW_WIDE_OUT] = {0};
    size_t known = 0;
    for (size_t i = 0; i < g->n; i++) {
        size_t slot = bw_gram_slot(&w->table, g->gram[i].hash);
        if (slot == BW_GRAM_NONE)
            continue;
        known++;
        for (size_t k = 0; k < BW_WIDE_OUT; k++)
            sum[k] += w->weight[slot * BW_WIDE_OUT + k];
    }
    for (size_t k = 0; k < BW_WIDE_OUT; k++)
        value[k] =
            w->bias[k] + (known ? w->scale[k] * (float)(sum[k] / sqrt((double)known)) : 0.0f);
}

float bw_wide_weight(const bw_wide *w, uint64_t hash) {
    size_t slot = bw_gram_slot(&w->table, hash);
    return slot == BW_GRAM_NONE ? 0.0f : w->scale[0] * (float)w->weight[slot * BW_WIDE_OUT];
}

void bw_wide_free(bw_wide *w) {
    free(w->memory);
    *w = (bw_wide){0};
}
