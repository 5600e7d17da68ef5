/* model/shipped/counts.h - how often each hash was met: features, words. Open addressing. */
#ifndef BW_MODEL_COUNTS_H
#define BW_MODEL_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t *key; /* [cap]; 0 = empty */
    uint32_t *value;
    size_t n, cap; /* at most half full */
} bw_counts;       /* start from {0} */

/* One more of this hash, which is not 0. False when out of memory. */
bool bw_counts_add(bw_counts *c, uint64_t key);
/* Place of a hash, or the empty place where it would go; c holds at least one. */
size_t bw_counts_find(const bw_counts *c, uint64_t key);
void bw_counts_free(bw_counts *c);

#endif
