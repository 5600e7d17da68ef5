/* model/shipped/bag_file.c - text embeddings on disk. */
#include "model/shipped/bag_file.h"

#include <stdlib.h>
#include <string.h>

bw_status bw_bag_from(const bw_safetensors *f, size_t vocab, bw_bag *b, bw_err *err) {
    const bw_tensor *v = bw_safetensors_find(f, "embed.vectors"),
                    *s = bw_safetensors_find(f, "embed.vectors.scale");
    *b = (bw_bag){0};
    if (!v || !s || v->dtype != BW_I8 || s->dtype != BW_F32 || v->n_dims != 2 ||
        s->count != v->dim[0] || (vocab && v->dim[0] != vocab))
        return bw_fail(err, BW_EFORMAT, "embed.vectors is missing or has another shape");
    float *scale = malloc(s->bytes + 1); /* a copy: data in a file need not be aligned */
    if (!scale)
        return bw_fail_memory(err);
    memcpy(scale, s->data, s->bytes);
    *b = (bw_bag){v->dim[0], v->dim[1], v->data, scale, scale};
    return BW_OK;
}

bw_status bw_bag_save(const bw_bag *b, const char *path, bw_err *err) {
    const bw_tensor t[2] = {{.name = "embed.vectors",
                             .dtype = BW_I8,
                             .n_dims = 2,
                             .dim = {b->vocab, b->dim},
                             .count = b->vocab * b->dim,
                             .data = b->vector,
                             .bytes = b->vocab * b->dim},
                            {.name = "embed.vectors.scale",
                             .dtype = BW_F32,
                             .n_dims = 1,
                             .dim = {b->vocab},
                             .count = b->vocab,
                             .data = b->scale,
                             .bytes = b->vocab * sizeof(float)}};
    return bw_safetensors_write(path, t, 2, NULL, err);
}

bw_status bw_bag_load(const char *path, bw_bag *b, bw_safetensors **f, bw_err *err) {
    bw_status st = bw_safetensors_open(path, f, err);
    if (st != BW_OK)
        return st;
    st = bw_bag_from(*f, 0, b, err);
    if (st != BW_OK) {
        bw_safetensors_free(*f);
        *f = NULL;
    }
    return st;
}
