/* model/generate/stepper.c - a key/value cache as generation sees it. */
#include "model/generate/generate.h"

#include <stdlib.h>

static bw_status cache_append(void *self, const size_t *slots, size_t n, const int32_t *ids,
                              const size_t *counts, float *logits, bw_err *err) {
    size_t *start = malloc((n + 1) * sizeof *start);
    if (!start)
        return bw_fail_memory(err);
    start[0] = 0;
    for (size_t i = 0; i < n; i++)
        start[i + 1] = start[i] + counts[i];
    bw_batch batch = {.ids = ids, .start = start, .n_seq = n, .n_tokens = start[n]};
    bw_status st = bw_kv_append(self, slots, &batch, logits, err);
    free(start);
    return st;
}

static bw_status cache_reorder(void *self, const size_t *from, bw_err *err) {
    return bw_kv_reorder(self, from, err);
}

bw_stepper bw_stepper_of_cache(bw_kv_cache *cache, size_t vocab, size_t slots) {
    return (bw_stepper){cache, vocab, slots, bw_kv_capacity(cache), cache_append, cache_reorder};
}
