/* safetensors files: what is written is read again, half precision by its bits, and every kind of
 * broken file is refused with a word of why. */
#include "model/core/safetensors.h"
#include "tests/check.h"
#include "tests/model/mutate.h"

#include <stdlib.h>
#include <unistd.h>

static bw_err err;
static char path[] = "/tmp/bw_safetensorsXXXXXX";

/* Opens a file of this header and so many bytes of data (all 0x11). */
static bw_status open_text(const char *header, size_t data, bw_safetensors **out) {
    static unsigned char file[4096];
    uint64_t n = strlen(header);
    memcpy(file, &n, 8);
    memcpy(file + 8, header, n);
    memset(file + 8 + n, 0x11, data);
    return bw_safetensors_from_memory("mem", file, 8 + n + data, out, &err);
}

static void refused(const char *header, size_t data, const char *why) {
    bw_safetensors *f = NULL;
    bw_status st = open_text(header, data, &f);
    if (st != BW_EFORMAT || f || !strstr(err.text, why))
        fail_msg("%s: status %d, said \"%s\", wanted \"%s\"", header, (int)st, err.text, why);
}

static void test_what_is_written_is_read(void **state) {
    (void)state;
    const float a[] = {1.5f, -0.f, 3e-42f}, b[] = {7};
    const bw_tensor t[] = {
        {.name = "z\"\xc3\xa9",
         .dtype = BW_F32,
         .n_dims = 2,
         .dim = {3, 1},
         .count = 3,
         .data = a,
         .bytes = 12},
        {.name = "a", .dtype = BW_F32, .n_dims = 0, .count = 1, .data = b, .bytes = 4},
        {.name = "none", .dtype = BW_F32, .n_dims = 1, .dim = {0}, .count = 0, .data = b},
    };
    CHECK_OK(bw_safetensors_write(path, t, 3, (bw_st_meta[]){{"k", "v \xe4\xb8\xad"}, {0}}, &err));
    bw_safetensors *f = NULL;
    CHECK_OK(bw_safetensors_open(path, &f, &err));
    assert_int_equal(bw_safetensors_count(f), 3);
    assert_string_equal(bw_safetensors_meta(f, "k"), "v \xe4\xb8\xad");
    assert_null(bw_safetensors_meta(f, "absent"));
    const bw_tensor *z = bw_safetensors_find(f, "z\"\xc3\xa9");
    assert_non_null(z);
    assert_true(z->n_dims == 2 && z->dim[0] == 3 && z->dim[1] == 1);
    float x[3];
    CHECK_OK(bw_tensor_to_f32(f, z, x, &err));
    assert_memory_equal(x, a, sizeof a);
    assert_null(bw_safetensors_find(f, "z"));
    bw_safetensors_free(f);
    unlink(path);
}

/* Expected: IEEE 754 half and bfloat16 by their bit patterns. */
static void test_half_precision(void **state) {
    (void)state;
    const struct {
        uint16_t bits;
        float value;
    } f16[] = {{0x3c00, 1},
               {0xc000, -2},
               {0x7bff, 65504},
               {0x0001, 0x1p-24f},
               {0x03ff, 1023 * 0x1p-24f},
               {0x0400, 0x1p-14f},
               {0x8000, -0.f},
               {0x3555, 0.333251953125f}},
      bf16[] = {{0x3f80, 1}, {0xc040, -3}, {0x4049, 3.140625f}, {0x0001, 0x1p-133f}};
    for (size_t i = 0; i < sizeof f16 / sizeof *f16; i++) {
        assert_true(bw_f16_to_f32(f16[i].bits) == f16[i].value);
        assert_int_equal(bw_f32_to_f16(f16[i].value), f16[i].bits);
    }
    for (size_t i = 0; i < sizeof bf16 / sizeof *bf16; i++) {
        assert_true(bw_bf16_to_f32(bf16[i].bits) == bf16[i].value);
        assert_int_equal(bw_f32_to_bf16(bf16[i].value), bf16[i].bits);
    }
    assert_int_equal(bw_f32_to_f16(65519), 0x7bff);        /* rounds down to the largest */
    assert_int_equal(bw_f32_to_f16(65520), 0x7c00);        /* half way: infinity */
    assert_int_equal(bw_f32_to_f16(1 + 0x1p-11f), 0x3c00); /* ties go to even */
    assert_int_equal(bw_f32_to_f16(1 + 3 * 0x1p-11f), 0x3c02);
    assert_int_equal(bw_f32_to_bf16(1 + 0x1p-8f), 0x3f80);
    assert_int_equal(bw_f32_to_bf16(1 + 3 * 0x1p-8f), 0x3f82);
    for (uint32_t h = 0; h < 0x10000; h++) { /* every number survives the way there and back */
        if ((h & 0x7c00) != 0x7c00)
            assert_int_equal(bw_f32_to_f16(bw_f16_to_f32((uint16_t)h)), h);
        if ((h & 0x7f80) != 0x7f80)
            assert_int_equal(bw_f32_to_bf16(bw_bf16_to_f32((uint16_t)h)), h);
    }
}

static void test_broken_headers(void **state) {
    (void)state;
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, "truncated");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9,
            "belong to none");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "another size");
    refused("{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "past the end");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "whole number");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,8]}}", 8,
            "whole number");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,1e300]}}", 8, "two whole");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, "no shape");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "data_offsets");
    refused("{\"a\":7}", 0, "not an object");
    refused(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,2],\"data_offsets\":[0,8]}}", 8,
        "overflows");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0,
            "whole number"); /* above 2^53: no exact number in JSON */
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
            "8 dimensions");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[0,6]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
            8, "overlap");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
            8, "gap");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
            8, "twice");
    refused("[1, 2]", 0, "not a JSON object");
    refused("{\"a\":{\"dtype\"", 0, "not valid JSON");
}

static void test_broken_lengths(void **state) {
    (void)state;
    bw_safetensors *f = NULL;
    unsigned char file[16] = {200, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    CHECK_FAILS(bw_safetensors_from_memory("mem", file, 16, &f, &err), BW_EFORMAT, "200");
    CHECK_FAILS(bw_safetensors_from_memory("mem", file, 5, &f, &err), BW_EFORMAT, "5 bytes");
    memset(file, 0xff, 8); /* a length of 2^64 - 1 */
    CHECK_FAILS(bw_safetensors_from_memory("mem", file, 16, &f, &err), BW_EFORMAT, "truncated");
    CHECK_FAILS(bw_safetensors_open("/nonexistent/x", &f, &err), BW_EIO, "/nonexistent/x");
    CHECK_FAILS(bw_safetensors_open("/tmp", &f, &err), BW_EIO, "not a file");
    assert_null(f);
}

/* A sparse file whose header is said to have 2 GB. */
static void test_a_header_of_2_gb(void **state) {
    (void)state;
    uint64_t n = (uint64_t)2 << 30;
    FILE *to = fopen(path, "wb");
    assert_int_equal(fwrite(&n, sizeof n, 1, to), 1);
    fputc('{', to);
    assert_int_equal(fseek(to, (long)n + 64, SEEK_SET), 0);
    fputc('x', to);
    fclose(to);
    bw_safetensors *f = NULL;
    CHECK_FAILS(bw_safetensors_open(path, &f, &err), BW_EFORMAT, "2147483648 bytes");
    unlink(path);
}

static void test_a_million_tensors(void **state) {
    (void)state;
    enum { MANY = 1000000, ENTRY = 60 };
    char *file = malloc((size_t)MANY * ENTRY + 64), *at = file + 8;
    *at++ = '{';
    for (int i = 0; i < MANY; i++)
        at += sprintf(at, "%s\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
                      i ? "," : "", i);
    *at++ = '}';
    uint64_t n = (uint64_t)(at - file) - 8;
    memcpy(file, &n, 8);
    bw_safetensors *f = NULL;
    CHECK_FAILS(bw_safetensors_from_memory("mem", file, n + 8, &f, &err), BW_EFORMAT,
                "more than 65536 tensors");
    free(file);
}

static void test_values_that_are_no_numbers(void **state) {
    (void)state;
    const float x[] = {1, NAN, 2}, y[] = {-INFINITY};
    const int64_t z[] = {5};
    const bw_tensor t[] = {
        {.name = "x", .dtype = BW_F32, .n_dims = 1, .dim = {3}, .count = 3, .data = x, .bytes = 12},
        {.name = "y", .dtype = BW_F32, .n_dims = 1, .dim = {1}, .count = 1, .data = y, .bytes = 4},
        {.name = "z", .dtype = BW_I64, .n_dims = 1, .dim = {1}, .count = 1, .data = z, .bytes = 8},
    };
    CHECK_OK(bw_safetensors_write(path, t, 3, NULL, &err));
    bw_safetensors *f = NULL;
    float out[3];
    CHECK_OK(bw_safetensors_open(path, &f, &err));
    CHECK_FAILS(bw_tensor_to_f32(f, bw_safetensors_find(f, "x"), out, &err), BW_EDATA,
                "nan at place 1");
    CHECK_FAILS(bw_tensor_to_f32(f, bw_safetensors_find(f, "y"), out, &err), BW_EDATA, "-inf");
    CHECK_FAILS(bw_tensor_to_f32(f, bw_safetensors_find(f, "z"), out, &err), BW_EFORMAT, "I64");
    bw_safetensors_free(f);
    unlink(path);
}

static void test_mutated_files(void **state) {
    (void)state;
    mutate_and_open(400, 1);
}

int main(void) {
    close(mkstemp(path));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_half_precision),
        cmocka_unit_test(test_broken_headers),
        cmocka_unit_test(test_broken_lengths),
        cmocka_unit_test(test_a_header_of_2_gb),
        cmocka_unit_test(test_a_million_tensors),
        cmocka_unit_test(test_values_that_are_no_numbers),
        cmocka_unit_test(test_mutated_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
