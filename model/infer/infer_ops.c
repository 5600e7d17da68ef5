/* model/infer/infer_ops.c - attention head by head, on the kernels of the machine's best
 * instruction set (lane_ops.h). */
#include "model/infer/infer_ops.h"

#include "model/infer/packed_kernel.h"

/* As lane_ops.h divides it: keys and values in panels, the scores of a tile, their exponentials. */
size_t bw_attend_scratch(size_t n, size_t head_dim) {
    size_t keys = bw_round_up(n, BW_PANEL), values = bw_round_up(head_dim, BW_PANEL);
    return keys * head_dim + values * n + BW_TILE * keys + BW_TILE * bw_round_up(n, BW_LANES);
}

void bw_infer_attend(const float *qkv, size_t n, size_t heads, size_t head_dim, float scale,
                     float *out, float *scratch) {
    size_t dim = heads * head_dim;
    const bw_attend a = {n, head_dim, 3 * dim, dim, scale};
    bw_attend_fn *attend = bw_kernels_chosen().rows->attend;
    for (size_t h = 0; h < heads; h++) {
        const float *q = qkv + h * head_dim;
        attend(&a, q, q + dim, q + 2 * dim, out + h * head_dim, scratch);
    }
}
