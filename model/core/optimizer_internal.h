/* model/core/optimizer_internal.h - the optimiser's record, shared by optimizer.c and
 * optimizer_state.c. */
#ifndef BW_MODEL_OPTIMIZER_INTERNAL_H
#define BW_MODEL_OPTIMIZER_INTERNAL_H

#include "model/core/optimizer.h"

typedef struct {
    char label[48];
    bw_params *p; /* borrowed */
    bw_group group;
    float *m, *v; /* first and second moments, laid out like p->data */
    double *sums; /* scratch for the norm: a sum a piece */
} bw_optimizer_block;

struct bw_optimizer {
    bw_adamw s;
    size_t steps;
    bw_optimizer_block *blocks;
    size_t n_blocks;
};

#endif
