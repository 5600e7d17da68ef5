/* model/core/optimizer_state.c - an optimiser's steps and moments, to a safetensors file
 * and back. */
#include "model/core/optimizer_internal.h"
#include "model/core/safetensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOMENTS 2

static void moment_name(char name[64], const bw_optimizer_block *b, int which) {
    snprintf(name, 64, "%s.%s", b->label, which ? "v" : "m");
}

static float *moment(const bw_optimizer_block *b, int which) {
    return which ? b->v : b->m;
}

bw_status bw_optimizer_save(const bw_optimizer *o, const char *path, bw_err *err) {
    size_t n = MOMENTS * o->n_blocks;
    bw_tensor *tensors = calloc(n ? n : 1, sizeof *tensors);
    char(*names)[64] = calloc(n ? n : 1, sizeof *names);
    bw_status st = tensors && names ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        const bw_optimizer_block *b = &o->blocks[i / MOMENTS];
        int which = (int)(i % MOMENTS);
        moment_name(names[i], b, which);
        size_t total = b->p->total;
        tensors[i] = (bw_tensor){.name = names[i],
                                 .dtype = BW_F32,
                                 .n_dims = 1,
                                 .dim = {total},
                                 .count = total,
                                 .data = moment(b, which),
                                 .bytes = 4 * total};
    }
    char steps[32];
    snprintf(steps, sizeof steps, "%zu", o->steps);
    if (st == BW_OK)
        st = bw_safetensors_write(path, tensors, n, (bw_st_meta[]){{"steps", steps}, {0}}, err);
    free(tensors);
    free(names);
    return st;
}

static bw_status load_moment(const bw_safetensors *f, const bw_optimizer_block *b, int which,
                             const char *path, bw_err *err) {
    char name[64];
    moment_name(name, b, which);
    const bw_tensor *t = bw_safetensors_find(f, name);
    if (!t || t->count != b->p->total)
        return bw_fail(err, BW_EFORMAT, "%s: '%s' has %zu values, the model has %zu parameters",
                       path, name, t ? t->count : 0, b->p->total);
    return bw_tensor_to_f32(f, t, moment(b, which), err);
}

bw_status bw_optimizer_load(bw_optimizer *o, const char *path, bw_err *err) {
    bw_safetensors *f = NULL;
    bw_status st = bw_safetensors_open(path, &f, err);
    for (size_t i = 0; st == BW_OK && i < MOMENTS * o->n_blocks; i++)
        st = load_moment(f, &o->blocks[i / MOMENTS], (int)(i % MOMENTS), path, err);
    const char *steps = st == BW_OK ? bw_safetensors_meta(f, "steps") : NULL;
    char *end = NULL;
    errno = 0;
    unsigned long long value = steps ? strtoull(steps, &end, 10) : 0;
    if (st == BW_OK && (!steps || end == steps || *end || errno))
        st = bw_fail(err, BW_EFORMAT, "%s: no number of steps; this is not an optimiser's state",
                     path);
    if (st == BW_OK)
        o->steps = (size_t)value;
    bw_safetensors_free(f);
    return st;
}
