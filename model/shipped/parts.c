/* model/shipped/parts.c - reading the shipped file: nothing in it is trusted. */
#include "model/shipped/parts.h"

#include "common/embed.h"
#include "model/shipped/bag_file.h"
#include "model/shipped/wide_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHIPPED "model/weights/encoder.safetensors"

static bw_status want(const bw_parts *p, const char *name, bw_dtype dtype, size_t count,
                      const bw_tensor **t, bw_err *err) {
    *t = bw_safetensors_find(p->file, name);
    if (!*t || (*t)->dtype != dtype || (*t)->count != count)
        return bw_fail(err, BW_EFORMAT, "tensor %s is missing or has another shape", name);
    return BW_OK;
}

/* int8 rows times their scales. */
static bw_status widen(const bw_parts *p, const bw_param *q, float *out, bw_err *err) {
    char name[160];
    const bw_tensor *t, *s;
    snprintf(name, sizeof name, "%s.scale", q->name);
    bw_status st = want(p, q->name, BW_I8, q->size, &t, err);
    if (st == BW_OK)
        st = want(p, name, BW_F32, q->dim[0], &s, err);
    if (st != BW_OK)
        return st;
    const int8_t *w = t->data;
    for (size_t r = 0; r < q->dim[0]; r++) {
        float scale;
        memcpy(&scale, (const char *)s->data + 4 * r, 4);
        for (size_t k = 0; k < q->dim[1]; k++)
            out[r * q->dim[1] + k] = scale * (float)w[r * q->dim[1] + k];
    }
    return BW_OK;
}

static bw_status fill(const bw_parts *p, bw_params *to, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < to->n; i++) {
        const bw_tensor *t = bw_safetensors_find(p->file, to->table[i].name);
        if (t && t->dtype == BW_I8 && to->table[i].n_dims == 2)
            st = widen(p, &to->table[i], bw_param_data(to, i), err);
        else if (t && t->count == to->table[i].size)
            st = bw_tensor_to_f32(p->file, t, bw_param_data(to, i), err);
        else
            st = bw_fail(err, BW_EFORMAT, "tensor %s is missing or has another shape",
                         to->table[i].name);
    }
    return st;
}

static bw_status load_deep(bw_parts *p, bw_err *err) {
    bw_deep *d = &p->deep;
    bw_tf_config config;
    const bw_tensor *marks;
    bw_status st =
        bw_deep_config_parse(bw_safetensors_meta(p->file, "config"), &config, &d->table.sets, err);
    if (st == BW_OK)
        st = want(p, "ngram.marks", BW_U8, BW_GRAM_WAYS * d->table.sets, &marks, err);
    if (st == BW_OK && !(d->marks = malloc(marks->count + 1)))
        st = bw_fail_memory(err);
    if (st != BW_OK)
        return st;
    memcpy(d->marks, marks->data, marks->count);
    d->table.mark = d->marks;
    st = bw_transformer_new(&config, &d->tf, err);
    if (st == BW_OK)
        st = bw_readout_new(&d->heads, config.dim, err);
    if (st == BW_OK)
        st = fill(p, bw_transformer_params(d->tf), err);
    return st == BW_OK ? fill(p, &d->heads.params, err) : st;
}

static bw_status load_tokenizer(bw_parts *p, const char *name, bw_err *err) {
    const bw_tensor *t = bw_safetensors_find(p->file, "tokenizer.json");
    if (!t || t->dtype != BW_U8)
        return bw_fail(err, BW_EFORMAT, "tokenizer.json is missing");
    return bw_tokenizer_parse(t->data, t->count, name, &p->deep.tokenizer, err);
}

/* Weights of before have no counts of words, and mend nothing. */
static bw_status load_words(bw_parts *p, bw_err *err) {
    const bw_tensor *t = bw_safetensors_find(p->file, "words.seen");
    if (!t)
        return BW_OK;
    if (t->dtype != BW_U8 || t->count % BW_WORD_BYTES != 0)
        return bw_fail(err, BW_EFORMAT, "tensor words.seen has another shape");
    p->words = (bw_words){.row = t->data, .n = t->count / BW_WORD_BYTES};
    return bw_spelling_new(p->deep.tokenizer, &p->words, &p->spelling, err);
}

static bw_status load(bw_parts *p, const char *name, bw_err *err) {
    bw_status st = load_tokenizer(p, name, err);
    if (st == BW_OK)
        st = load_deep(p, err);
    if (st == BW_OK &&
        bw_tokenizer_size(p->deep.tokenizer) != bw_transformer_config(p->deep.tf)->vocab)
        st = bw_fail(err, BW_EFORMAT, "the vocabulary does not fit the token embeddings");
    if (st == BW_OK)
        st = load_words(p, err);
    if (st == BW_OK)
        st = bw_wide_from(p->file, &p->wide, err);
    if (st == BW_OK)
        st = bw_bag_from(p->file, bw_tokenizer_size(p->deep.tokenizer), &p->bag, err);
    if (st == BW_OK)
        st =
            bw_calibration_parse(bw_safetensors_meta(p->file, "calibration"), &p->calibration, err);
    const char *id = bw_safetensors_meta(p->file, "id");
    snprintf(p->id, sizeof p->id, "%s", id ? id : "unnamed");
    return st == BW_OK ? st : bw_fail_prefix(err, st, name);
}

static bw_status open_file(const char *path, bw_safetensors **f, bw_err *err) {
    if (path)
        return bw_safetensors_open(path, f, err);
    size_t len;
    const void *data = bw_embed(SHIPPED, &len);
    if (!data)
        return bw_fail(err, BW_EDATA, "this program was built without %s; name a weights file",
                       SHIPPED);
    return bw_safetensors_from_memory(SHIPPED, data, len, f, err);
}

bw_status bw_parts_open(const char *path, bw_parts *p, bw_err *err) {
    *p = (bw_parts){.file = NULL};
    bw_status st = open_file(path, &p->file, err);
    if (st == BW_OK)
        st = load(p, path ? path : SHIPPED, err);
    if (st != BW_OK)
        bw_parts_free(p);
    return st;
}

void bw_parts_free(bw_parts *p) {
    bw_spelling_free(p->spelling);
    bw_deep_free(&p->deep);
    bw_bag_free(&p->bag);
    bw_safetensors_free(p->file);
    *p = (bw_parts){.file = NULL};
}
