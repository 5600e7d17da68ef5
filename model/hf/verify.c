/* model/hf/verify.c - the list of quantities, and reading of expected.json. */
#include "model/hf/verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bw_tolerance BW_TOL_STATES = {2e-5, 1e-5};
const bw_tolerance BW_TOL_POOLED = {5e-6, 0};
const bw_tolerance BW_TOL_LOSS = {0, 2e-6};
const bw_tolerance BW_TOL_GRADIENT = {1e-5, 1e-4};
const bw_tolerance BW_TOL_GRADIENT_NORM = {0, 1e-5};
const bw_tolerance BW_TOL_EXACT = {0, 0};

void bw_verify_fail(bw_verify *v, bw_status st) {
    if (v->status == BW_OK)
        v->status = st;
}

static bw_quantity *quantity(bw_verify *v, const char *name) {
    for (size_t i = v->n; i-- > 0;)
        if (strcmp(v->quantities[i].name, name) == 0)
            return &v->quantities[i];
    if (v->n == v->cap) {
        size_t cap = v->cap ? 2 * v->cap : 32;
        bw_quantity *q = realloc(v->quantities, cap * sizeof *q);
        if (!q) {
            bw_verify_fail(v, bw_fail_memory(v->err));
            return NULL;
        }
        v->quantities = q;
        v->cap = cap;
    }
    bw_quantity *q = &v->quantities[v->n++];
    *q = (bw_quantity){0};
    snprintf(q->name, sizeof q->name, "%s", name);
    return q;
}

void bw_verify_add(bw_verify *v, const char *name, double found, double expected,
                   bw_tolerance tol) {
    bw_quantity *q = quantity(v, name);
    if (!q)
        return;
    double difference = fabs(found - expected);
    if (isnan(difference))
        difference = INFINITY;
    double allowed = tol.abs + tol.rel * fabs(expected);
    double excess = difference == 0 ? 0 : allowed > 0 ? difference / allowed : INFINITY;
    q->compared++;
    q->worst = fmax(q->worst, difference);
    q->excess = fmax(q->excess, excess);
}

/* ---- tensors ---- */

static bool read_dims(const cJSON *shape, bw_vtensor *t) {
    const cJSON *d;
    t->count = 1;
    cJSON_ArrayForEach(d, shape) {
        if (t->n_dims == 4 || !cJSON_IsNumber(d) || d->valuedouble < 0 || d->valuedouble > 1e6 ||
            !bw_size_mul(t->count, (size_t)d->valuedouble, &t->count))
            return false;
        t->dim[t->n_dims++] = (size_t)d->valuedouble;
    }
    return cJSON_IsArray(shape);
}

bool bw_vtensor_read(const cJSON *item, bw_vtensor *t) {
    *t = (bw_vtensor){0};
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(item, "data"), *x;
    if (!read_dims(cJSON_GetObjectItemCaseSensitive(item, "shape"), t) || !cJSON_IsArray(data) ||
        (size_t)cJSON_GetArraySize(data) != t->count)
        return false;
    t->data = malloc((t->count + 1) * sizeof *t->data);
    size_t n = 0;
    cJSON_ArrayForEach(x, data) if (t->data) t->data[n++] = x->valuedouble;
    return t->data;
}

double bw_vtensor_at(const bw_vtensor *t, size_t i, size_t j, size_t k) {
    size_t index[3] = {i, j, k}, at = 0;
    for (size_t d = 0; d < t->n_dims && d < 3; d++) {
        if (index[d] >= t->dim[d])
            return NAN;
        at = at * t->dim[d] + index[d];
    }
    return t->data[at];
}

int32_t *bw_vmatrix_read(const cJSON *rows, size_t *n_rows, size_t *width) {
    *n_rows = (size_t)cJSON_GetArraySize(rows);
    *width = (size_t)cJSON_GetArraySize(cJSON_GetArrayItem(rows, 0));
    if (!cJSON_IsArray(rows) || !*n_rows || !*width)
        return NULL;
    int32_t *m = malloc(*n_rows * *width * sizeof *m);
    const cJSON *row, *x;
    size_t n = 0;
    cJSON_ArrayForEach(row, rows) {
        if (!m || (size_t)cJSON_GetArraySize(row) != *width) {
            free(m);
            return NULL;
        }
        cJSON_ArrayForEach(x, row) m[n++] = x->valueint;
    }
    return m;
}

/* ---- inputs ---- */

/* Reads a matrix of the same size as the ids, or makes one filled with a value. */
static int32_t *matrix_like(const cJSON *object, const char *key, size_t rows, size_t width,
                            int32_t missing) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    size_t r, w;
    if (cJSON_IsArray(item)) {
        int32_t *m = bw_vmatrix_read(item, &r, &w);
        if (m && (r != rows || w != width)) {
            free(m);
            m = NULL;
        }
        return m;
    }
    int32_t *m = malloc(rows * width * sizeof *m);
    for (size_t i = 0; m && i < rows * width; i++)
        m[i] = missing;
    return m;
}

static bool allocate(bw_vinput *in, size_t rows, size_t width) {
    size_t n = rows * width;
    in->ids = malloc(n * sizeof *in->ids);
    in->types = malloc(n * sizeof *in->types);
    in->positions = malloc(n * sizeof *in->positions);
    in->column = malloc(n * sizeof *in->column);
    in->start = malloc((rows + 1) * sizeof *in->start);
    in->width = width;
    return in->ids && in->types && in->positions && in->column && in->start;
}

static void close_batch(bw_vinput *in, size_t rows, size_t tokens) {
    in->start[rows] = tokens;
    in->batch = (bw_batch){.ids = in->ids,
                           .types = in->types,
                           .positions = in->positions,
                           .start = in->start,
                           .n_seq = rows,
                           .n_tokens = tokens};
}

static void pack_masked(bw_vinput *in, size_t rows, const int32_t *ids, const int32_t *mask,
                        const int32_t *types, const int32_t *positions) {
    size_t n = 0;
    for (size_t r = 0; r < rows; r++) {
        in->start[r] = n;
        for (size_t c = 0; c < in->width; c++) {
            size_t at = r * in->width + c;
            if (!mask[at])
                continue;
            in->ids[n] = ids[at];
            in->types[n] = types[at];
            in->positions[n] = positions[at] >= 0 ? positions[at] : (int32_t)(n - in->start[r]);
            in->column[n++] = c;
        }
    }
    close_batch(in, rows, n);
}

bw_status bw_vinput_read(const cJSON *object, bw_vinput *in, bw_err *err) {
    *in = (bw_vinput){0};
    size_t rows, width;
    int32_t *ids =
        bw_vmatrix_read(cJSON_GetObjectItemCaseSensitive(object, "input_ids"), &rows, &width);
    if (!ids)
        return bw_fail(err, BW_EFORMAT, "input_ids is missing or not a matrix of whole numbers");
    int32_t *mask = matrix_like(object, "attention_mask", rows, width, 1);
    int32_t *types = matrix_like(object, "token_type_ids", rows, width, 0);
    int32_t *positions = matrix_like(object, "position_ids", rows, width, -1);
    bw_status st = BW_OK;
    if (!mask || !types || !positions || !allocate(in, rows, width))
        st = bw_fail(err, BW_EFORMAT,
                     "attention_mask, token_type_ids or position_ids do not have "
                     "the size of input_ids");
    else
        pack_masked(in, rows, ids, mask, types, positions);
    free(ids);
    free(mask);
    free(types);
    free(positions);
    if (st != BW_OK)
        bw_vinput_free(in);
    return st;
}

bw_status bw_vinput_rows(const cJSON *matrix, const size_t *lengths, size_t n_rows, bw_vinput *in,
                         bw_err *err) {
    *in = (bw_vinput){0};
    size_t rows, width, n = 0;
    int32_t *ids = bw_vmatrix_read(matrix, &rows, &width);
    if (!ids || rows != n_rows || !allocate(in, rows, width)) {
        free(ids);
        bw_vinput_free(in);
        return bw_fail(err, BW_EFORMAT, "the decoder's ids are missing or not a row a sequence");
    }
    for (size_t r = 0; r < rows; r++) {
        in->start[r] = n;
        for (size_t c = 0; c < width && c < lengths[r]; c++, n++) {
            in->ids[n] = ids[r * width + c];
            in->types[n] = 0;
            in->positions[n] = (int32_t)c;
            in->column[n] = c;
        }
    }
    close_batch(in, rows, n);
    free(ids);
    return BW_OK;
}

void bw_vinput_free(bw_vinput *in) {
    free(in->ids);
    free(in->types);
    free(in->positions);
    free(in->column);
    free(in->start);
    *in = (bw_vinput){0};
}
