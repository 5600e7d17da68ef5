/* model/core/safetensors.c - reads and writes safetensors files.
 *
 * The file is mapped; the header is parsed with cJSON into a table sorted by name. Before any data
 * is touched the table is checked as a whole: known dtypes, sizes that agree with shapes, and data
 * ranges that follow each other from the first byte to the last, which excludes gaps, overlap and
 * truncation at once. Numbers on disk are little-endian, as is every machine this is built for. */
#include "model/core/safetensors.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_HEADER  100000000u         /* bytes; the limit of the reference implementation */
#define MAX_TENSORS 65536u             /* far above any model that fits one machine */
#define MAX_EXACT   9007199254740992.0 /* 2^53: whole numbers that JSON's doubles hold exactly */

struct bw_safetensors {
    char *name; /* for messages: the path */
    const unsigned char *file;
    size_t len;
    bool mapped;
    cJSON *header;
    const unsigned char *data;
    size_t data_len;
    bw_tensor *tensors; /* sorted by name */
    size_t n;
};

static const struct {
    const char *name;
    size_t size;
} DTYPES[] = {
    [BW_F32] = {"F32", 4}, [BW_F16] = {"F16", 2},   [BW_BF16] = {"BF16", 2}, [BW_F64] = {"F64", 8},
    [BW_I64] = {"I64", 8}, [BW_I32] = {"I32", 4},   [BW_I16] = {"I16", 2},   [BW_I8] = {"I8", 1},
    [BW_U8] = {"U8", 1},   [BW_BOOL] = {"BOOL", 1},
};
#define N_DTYPES (sizeof DTYPES / sizeof *DTYPES)

const char *bw_dtype_name(bw_dtype d) {
    return DTYPES[d].name;
}

size_t bw_dtype_size(bw_dtype d) {
    return DTYPES[d].size;
}

/* ---- the header ---- */

static bw_status bad(const bw_safetensors *f, const char *tensor, bw_err *err, const char *what) {
    return bw_fail(err, BW_EFORMAT, "%s: tensor '%.120s': %s", f->name, tensor, what);
}

/* A whole number that is not negative. */
static bool read_size(const cJSON *item, size_t *out) {
    if (!cJSON_IsNumber(item))
        return false;
    double v = item->valuedouble;
    if (!(v >= 0 && v < MAX_EXACT) || v != floor(v))
        return false;
    *out = (size_t)v;
    return true;
}

static bool read_dtype(const cJSON *item, bw_dtype *out) {
    for (size_t i = 0; cJSON_IsString(item) && i < N_DTYPES; i++)
        if (strcmp(item->valuestring, DTYPES[i].name) == 0) {
            *out = (bw_dtype)i;
            return true;
        }
    return false;
}

static bw_status read_shape(const bw_safetensors *f, const cJSON *shape, bw_tensor *t,
                            bw_err *err) {
    if (!cJSON_IsArray(shape))
        return bad(f, t->name, err, "there is no shape");
    t->count = 1;
    const cJSON *dim;
    cJSON_ArrayForEach(dim, shape) {
        if (t->n_dims == BW_ST_MAX_DIMS)
            return bad(f, t->name, err, "more than 8 dimensions");
        if (!read_size(dim, &t->dim[t->n_dims]))
            return bad(f, t->name, err, "a dimension is not a whole number");
        if (!bw_size_mul(t->count, t->dim[t->n_dims++], &t->count))
            return bad(f, t->name, err, "the shape's product overflows");
    }
    return BW_OK;
}

static bw_status read_entry(const bw_safetensors *f, const cJSON *entry, bw_tensor *t,
                            bw_err *err) {
    *t = (bw_tensor){.name = entry->string};
    if (!cJSON_IsObject(entry))
        return bad(f, t->name, err, "its entry in the header is not an object");
    if (!read_dtype(cJSON_GetObjectItemCaseSensitive(entry, "dtype"), &t->dtype))
        return bad(f, t->name, err, "unknown dtype; F32, F16, BF16 and plain integers are read");
    bw_status st = read_shape(f, cJSON_GetObjectItemCaseSensitive(entry, "shape"), t, err);
    if (st != BW_OK)
        return st;
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    size_t begin, end;
    if (cJSON_GetArraySize(offsets) != 2 || !read_size(cJSON_GetArrayItem(offsets, 0), &begin) ||
        !read_size(cJSON_GetArrayItem(offsets, 1), &end))
        return bad(f, t->name, err, "data_offsets must be two whole numbers");
    if (begin > end || end > f->data_len)
        return bad(f, t->name, err, "its data reach past the end of the file; it is truncated");
    if (!bw_size_mul(t->count, DTYPES[t->dtype].size, &t->bytes) || t->bytes != end - begin)
        return bad(f, t->name, err, "its data have another size than its shape and dtype say");
    t->data = f->data + begin;
    return BW_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const bw_tensor *)a)->name, ((const bw_tensor *)b)->name);
}

static int by_place(const void *a, const void *b) {
    const bw_tensor *x = a, *y = b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes; /* empty ones first */
}

/* The data must follow each other without gap or overlap and end with the file. */
static bw_status check_cover(bw_safetensors *f, bw_err *err) {
    qsort(f->tensors, f->n, sizeof *f->tensors, by_place);
    const unsigned char *at = f->data;
    for (size_t i = 0; i < f->n; i++) {
        if (f->tensors[i].data != at)
            return bad(f, f->tensors[i].name, err,
                       "its data overlap another tensor's, or leave a gap before it");
        at += f->tensors[i].bytes;
    }
    if (at != f->data + f->data_len)
        return bw_fail(err, BW_EFORMAT, "%s: %zu bytes behind the last tensor belong to none",
                       f->name, (size_t)(f->data + f->data_len - at));
    return BW_OK;
}

static bw_status check_names(bw_safetensors *f, bw_err *err) {
    qsort(f->tensors, f->n, sizeof *f->tensors, by_name);
    for (size_t i = 1; i < f->n; i++)
        if (strcmp(f->tensors[i - 1].name, f->tensors[i].name) == 0)
            return bad(f, f->tensors[i].name, err, "the name appears twice");
    return BW_OK;
}

static bw_status read_entries(bw_safetensors *f, bw_err *err) {
    size_t most = (size_t)cJSON_GetArraySize(f->header);
    f->tensors = calloc(most ? most : 1, sizeof *f->tensors);
    if (!f->tensors)
        return bw_fail_memory(err);
    const cJSON *entry;
    cJSON_ArrayForEach(entry, f->header) {
        if (strcmp(entry->string, "__metadata__") == 0)
            continue;
        bw_status st = read_entry(f, entry, &f->tensors[f->n++], err);
        if (st != BW_OK)
            return st;
    }
    bw_status st = check_cover(f, err);
    return st == BW_OK ? check_names(f, err) : st;
}

/* Each tensor has an opening brace, so their number is bounded before the parser builds a tree. */
static bool too_many(const unsigned char *text, size_t n) {
    size_t braces = 0;
    for (size_t i = 0; i < n; i++)
        braces += text[i] == '{';
    return braces > MAX_TENSORS + 2;
}

static bw_status parse_header(bw_safetensors *f, bw_err *err) {
    uint64_t n = 0;
    if (f->len < sizeof n)
        return bw_fail(err, BW_EFORMAT, "%s: %zu bytes are no safetensors file", f->name, f->len);
    memcpy(&n, f->file, sizeof n);
    if (n > f->len - sizeof n)
        return bw_fail(err, BW_EFORMAT,
                       "%s: the header's length is %llu, the file has %zu bytes; it is truncated "
                       "or no safetensors file",
                       f->name, (unsigned long long)n, f->len);
    if (n > MAX_HEADER)
        return bw_fail(err, BW_EFORMAT, "%s: a header of %llu bytes; at most %u are read", f->name,
                       (unsigned long long)n, MAX_HEADER);
    const unsigned char *text = f->file + sizeof n;
    if (n < 2 || text[0] != '{')
        return bw_fail(err, BW_EFORMAT, "%s: the header is not a JSON object", f->name);
    if (too_many(text, (size_t)n))
        return bw_fail(err, BW_EFORMAT, "%s: more than %u tensors", f->name, MAX_TENSORS);
    f->data = text + n;
    f->data_len = f->len - sizeof n - (size_t)n;
    f->header = cJSON_ParseWithLength((const char *)text, (size_t)n);
    if (!cJSON_IsObject(f->header))
        return bw_fail(err, BW_EFORMAT, "%s: the header is not valid JSON", f->name);
    return read_entries(f, err);
}

/* ---- open, free, find ---- */

static bw_status map_file(bw_safetensors *f, const char *path, bw_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        bw_status st = bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return st;
    }
    bw_status st = BW_OK;
    if (!S_ISREG(info.st_mode))
        st = bw_fail(err, BW_EIO, "%s: not a file", path);
    f->len = (size_t)info.st_size;
    if (st == BW_OK && f->len) {
        void *at = mmap(NULL, f->len, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at == MAP_FAILED)
            st = bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
        else
            f->file = at;
        f->mapped = at != MAP_FAILED;
    }
    close(fd);
    return st;
}

static bw_status open_with(const char *name, const void *data, size_t len, bw_safetensors **out,
                           bw_err *err) {
    *out = NULL;
    bw_safetensors *f = calloc(1, sizeof *f);
    if (!f)
        return bw_fail_memory(err);
    f->name = strdup(name);
    f->file = data;
    f->len = len;
    bw_status st = f->name ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK && !data)
        st = map_file(f, name, err);
    if (st == BW_OK)
        st = parse_header(f, err);
    if (st != BW_OK) {
        bw_safetensors_free(f);
        return st;
    }
    *out = f;
    return BW_OK;
}

bw_status bw_safetensors_open(const char *path, bw_safetensors **out, bw_err *err) {
    return open_with(path, NULL, 0, out, err);
}

bw_status bw_safetensors_from_memory(const char *name, const void *data, size_t len,
                                     bw_safetensors **out, bw_err *err) {
    return open_with(name, data, len, out, err);
}

void bw_safetensors_free(bw_safetensors *f) {
    if (!f)
        return;
    if (f->mapped)
        munmap((void *)(uintptr_t)f->file, f->len);
    cJSON_Delete(f->header);
    free(f->tensors);
    free(f->name);
    free(f);
}

size_t bw_safetensors_count(const bw_safetensors *f) {
    return f->n;
}

const bw_tensor *bw_safetensors_at(const bw_safetensors *f, size_t i) {
    return &f->tensors[i];
}

const bw_tensor *bw_safetensors_find(const bw_safetensors *f, const char *name) {
    bw_tensor key = {.name = name};
    return bsearch(&key, f->tensors, f->n, sizeof key, by_name);
}

const char *bw_safetensors_meta(const bw_safetensors *f, const char *key) {
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(f->header, "__metadata__");
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(meta, key));
}

/* ---- numbers ---- */

float bw_bf16_to_f32(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float bw_f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    uint32_t bits;
    if (exponent == 0) { /* zero and subnormal numbers: fraction * 2^-24 */
        float x = ldexpf((float)fraction, -24);
        return sign ? -x : x;
    }
    if (exponent == 31)
        bits = sign | 0x7f800000 | fraction << 13;
    else
        bits = sign | (exponent + 112) << 23 | fraction << 13; /* bias 15 becomes 127 */
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

uint16_t bw_f32_to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (isnan(x))
        return (uint16_t)(bits >> 16 | 64);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

uint16_t bw_f32_to_f16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    float a = fabsf(x);
    if (isnan(x))
        return sign | 0x7e00;
    if (a >= 65520) /* half way beyond the largest number */
        return sign | 0x7c00;
    if (a < 0x1p-14f) /* subnormal: a whole multiple of 2^-24 */
        return sign | (uint16_t)nearbyintf(a * 0x1p24f);
    bits &= 0x7fffffff;
    bits += 0xfff + (bits >> 13 & 1); /* round to even at bit 13 */
    return sign | (uint16_t)((bits >> 13) - (112u << 10));
}

static float read_float(const bw_tensor *t, size_t i) {
    const unsigned char *at = (const unsigned char *)t->data + i * DTYPES[t->dtype].size;
    if (t->dtype == BW_F32) {
        float x;
        memcpy(&x, at, sizeof x);
        return x;
    }
    uint16_t h;
    memcpy(&h, at, sizeof h);
    return t->dtype == BW_F16 ? bw_f16_to_f32(h) : bw_bf16_to_f32(h);
}

bw_status bw_tensor_to_f32(const bw_safetensors *f, const bw_tensor *t, float *out, bw_err *err) {
    if (t->dtype != BW_F32 && t->dtype != BW_F16 && t->dtype != BW_BF16)
        return bw_fail(err, BW_EFORMAT, "%s: tensor '%.120s' is %s; weights are F32, F16 or BF16",
                       f->name, t->name, DTYPES[t->dtype].name);
    for (size_t i = 0; i < t->count; i++) {
        out[i] = read_float(t, i);
        if (!isfinite(out[i]))
            return bw_fail(err, BW_EDATA, "%s: tensor '%.120s' has the value %g at place %zu",
                           f->name, t->name, (double)out[i], i);
    }
    return BW_OK;
}

/* ---- write ---- */

static bool add_entry(cJSON *header, const bw_tensor *t, size_t begin) {
    cJSON *entry = cJSON_AddObjectToObject(header, t->name);
    bool ok = cJSON_AddStringToObject(entry, "dtype", DTYPES[t->dtype].name);
    cJSON *shape = cJSON_AddArrayToObject(entry, "shape");
    for (size_t i = 0; i < t->n_dims; i++)
        ok &= cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->dim[i]));
    cJSON *offsets = cJSON_AddArrayToObject(entry, "data_offsets");
    ok &= cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)begin));
    ok &= cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)(begin + t->bytes)));
    return ok;
}

/* The header's text, padded so that data start on 8 bytes; the caller frees. */
static char *header_text(const bw_tensor *tensors, size_t n, const bw_st_meta *meta) {
    cJSON *header = cJSON_CreateObject();
    bool ok = header;
    if (meta) {
        cJSON *m = cJSON_AddObjectToObject(header, "__metadata__");
        for (; meta->key; meta++)
            ok &= cJSON_AddStringToObject(m, meta->key, meta->value) != NULL;
    }
    size_t begin = 0;
    for (size_t i = 0; ok && i < n; begin += tensors[i++].bytes)
        ok = add_entry(header, &tensors[i], begin);
    char *text = ok ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    if (!text)
        return NULL;
    size_t len = strlen(text), padded = (len + 7) / 8 * 8;
    char *wide = malloc(padded + 1);
    if (wide) {
        memcpy(wide, text, len);
        memset(wide + len, ' ', padded - len);
        wide[padded] = '\0';
    }
    cJSON_free(text);
    return wide;
}

static bool write_all(FILE *to, const char *header, const bw_tensor *tensors, size_t n) {
    uint64_t len = strlen(header);
    bool ok = fwrite(&len, sizeof len, 1, to) == 1 && fwrite(header, 1, len, to) == len;
    for (size_t i = 0; ok && i < n; i++)
        ok = fwrite(tensors[i].data, 1, tensors[i].bytes, to) == tensors[i].bytes;
    return ok;
}

bw_status bw_safetensors_write(const char *path, const bw_tensor *tensors, size_t n,
                               const bw_st_meta *meta, bw_err *err) {
    char *header = header_text(tensors, n, meta);
    char *part = NULL;
    if (!header || asprintf(&part, "%s.part", path) < 0) {
        free(header);
        return bw_fail_memory(err);
    }
    bw_status st = BW_OK;
    FILE *to = fopen(part, "wb");
    bool ok = to && write_all(to, header, tensors, n);
    if (to)
        ok &= fclose(to) == 0;
    if (!ok || rename(part, path) != 0) {
        st = bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
        unlink(part);
    }
    free(part);
    free(header);
    return st;
}
