/* model/core/safetensors.h - the safetensors file format: read with every check, write.
 *
 * A file is a u64 header length (little-endian), a JSON header, then raw little-endian data without
 * gaps. The reader maps the file and trusts nothing: header length, offsets, shapes, dtypes,
 * overlap and coverage are checked before a byte of data is touched. */
#ifndef BW_MODEL_SAFETENSORS_H
#define BW_MODEL_SAFETENSORS_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

#define BW_ST_MAX_DIMS 8

typedef enum {
    BW_F32,
    BW_F16,
    BW_BF16,
    BW_F64,
    BW_I64,
    BW_I32,
    BW_I16,
    BW_I8,
    BW_U8,
    BW_BOOL
} bw_dtype;

typedef struct {
    const char *name; /* borrowed from the file */
    bw_dtype dtype;
    size_t n_dims, dim[BW_ST_MAX_DIMS];
    size_t count;     /* product of dims */
    const void *data; /* in the mapped file, perhaps not aligned */
    size_t bytes;
} bw_tensor;

typedef struct bw_safetensors bw_safetensors;

/* Opens and checks. On BW_OK *out is the caller's to free. */
bw_status bw_safetensors_open(const char *path, bw_safetensors **out, bw_err *err);
/* The same from memory (an embedded file); data is borrowed until _free. name is for messages. */
bw_status bw_safetensors_from_memory(const char *name, const void *data, size_t len,
                                     bw_safetensors **out, bw_err *err);
void bw_safetensors_free(bw_safetensors *f); /* NULL is fine */

size_t bw_safetensors_count(const bw_safetensors *f);
const bw_tensor *bw_safetensors_at(const bw_safetensors *f, size_t i); /* in order of name */
const bw_tensor *bw_safetensors_find(const bw_safetensors *f, const char *name); /* NULL: none */
/* A value of __metadata__, NULL when absent. Borrowed. */
const char *bw_safetensors_meta(const bw_safetensors *f, const char *key);

/* Widens F32, F16 or BF16 to f32; BW_EFORMAT for other dtypes, BW_EDATA when a value is NaN or
 * infinite. out: [t->count] */
bw_status bw_tensor_to_f32(const bw_safetensors *f, const bw_tensor *t, float *out, bw_err *err);

const char *bw_dtype_name(bw_dtype d); /* "F32" */
size_t bw_dtype_size(bw_dtype d);
float bw_f16_to_f32(uint16_t h);
float bw_bf16_to_f32(uint16_t h);
uint16_t bw_f32_to_f16(float x);  /* round to nearest even */
uint16_t bw_f32_to_bf16(float x); /* round to nearest even */

typedef struct {
    const char *key, *value;
} bw_st_meta;

/* Writes the tensors in the order given, whole or not at all. meta ends with {0}; NULL = none. */
bw_status bw_safetensors_write(const char *path, const bw_tensor *tensors, size_t n,
                               const bw_st_meta *meta, bw_err *err);

#endif
