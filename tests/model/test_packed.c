/* tests/model/test_packed.c - every kernel against its plain twin, rows that do not depend on their
 * neighbours, f32 and int8 with the same bits on every instruction set. */
#include "tests/check.h"
#include "model/infer/packed.h"

#include <stdlib.h>

/* Uniform in -1..1, the same on every machine. */
static float noise(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

static float *noisy(size_t n, uint32_t seed) {
    float *x = malloc((n + 1) * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = noise(&seed);
    return x;
}

static void run(bw_pack_kind kind, const float *W, const float *b, const float *x, size_t rows,
                size_t in, size_t out, bw_fuse act, float *y) {
    bw_err err;
    bw_packed *p;
    CHECK_OK(bw_packed_new(kind, W, b, out, in, &p, &err));
    void *work = aligned_alloc(64, bw_rows_size(kind, rows, in));
    bw_rows_pack(kind, x, rows, in, work);
    bw_packed_mul(p, work, rows, act, y, out);
    free(work);
    bw_packed_free(p);
}

/* Awkward on purpose: less than a tile, one more than a tile, inputs that no group divides. */
static const size_t SIZES[][3] = {{1, 1, 1}, {7, 33, 31}, {13, 65, 33}, {25, 384, 96}, {12, 7, 64}};
#define N_SIZES (sizeof SIZES / sizeof *SIZES)

static void f32_is_the_textbook_product(void **state) {
    (void)state;
    for (size_t s = 0; s < N_SIZES; s++) {
        size_t rows = SIZES[s][0], in = SIZES[s][1], out = SIZES[s][2];
        float *W = noisy(out * in, 1), *b = noisy(out, 2), *x = noisy(rows * in, 3);
        float *y = malloc(rows * out * sizeof *y);
        run(BW_PACK_F32, W, b, x, rows, in, out, BW_FUSE_NONE, y);
        for (size_t r = 0; r < rows; r++)
            for (size_t o = 0; o < out; o++) {
                double sum = b[o];
                for (size_t i = 0; i < in; i++)
                    sum += (double)x[r * in + i] * W[o * in + i];
                CHECK_NEAR(y[r * out + o], sum, 1e-5 * sqrt((double)in));
            }
        free(W), free(b), free(x), free(y);
    }
}

static void every_kernel_agrees_with_its_twin(void **state) {
    (void)state;
    for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++)
        for (size_t s = 0; s < N_SIZES; s++) {
            size_t rows = SIZES[s][0], in = SIZES[s][1], out = SIZES[s][2];
            float *W = noisy(out * in, 4), *b = noisy(out, 5), *x = noisy(rows * in, 6);
            float *twin = malloc(rows * out * sizeof *twin), *y = malloc(rows * out * sizeof *y);
            bw_isa_force(BW_ISA_PLAIN);
            run((bw_pack_kind)kind, W, b, x, rows, in, out, BW_FUSE_GELU, twin);
            for (int isa = BW_ISA_NEON; isa < BW_ISA_COUNT; isa++) {
                if (!bw_isa_force((bw_isa)isa))
                    continue;
                run((bw_pack_kind)kind, W, b, x, rows, in, out, BW_FUSE_GELU, y);
                for (size_t i = 0; i < rows * out; i++) {
                    if (kind != BW_PACK_BF16)
                        assert_true(y[i] == twin[i]);
                    else
                        CHECK_NEAR(y[i], twin[i], 1e-5 * sqrt((double)in));
                }
            }
            bw_isa_force(BW_ISA_COUNT);
            free(W), free(b), free(x), free(twin), free(y);
        }
}

static void a_row_does_not_depend_on_the_batch(void **state) {
    (void)state;
    const size_t rows = 29, in = 100, out = 70;
    float *W = noisy(out * in, 7), *b = noisy(out, 8), *x = noisy(rows * in, 9);
    float *all = malloc(rows * out * sizeof *all), *one = malloc(out * sizeof *one);
    for (int kind = BW_PACK_F32; kind <= BW_PACK_INT8; kind++) {
        run((bw_pack_kind)kind, W, b, x, rows, in, out, BW_FUSE_NONE, all);
        for (size_t r = 0; r < rows; r++) {
            run((bw_pack_kind)kind, W, b, x + r * in, 1, in, out, BW_FUSE_NONE, one);
            assert_memory_equal(one, all + r * out, out * sizeof *one);
        }
    }
    free(W), free(b), free(x), free(all), free(one);
}

static void int8_and_bf16_stay_near_f32(void **state) {
    (void)state;
    const size_t rows = 16, in = 256, out = 64;
    float *W = noisy(out * in, 10), *x = noisy(rows * in, 11);
    float *exact = malloc(rows * out * sizeof *exact), *y = malloc(rows * out * sizeof *y);
    run(BW_PACK_F32, W, NULL, x, rows, in, out, BW_FUSE_NONE, exact);
    /* Rounding errors add as a random walk: one step of int8 is 1/127 of the largest value, of bf16
     * 2^-8 of the value itself; 6 standard errors. */
    const double step[] = {0, 1.0 / 256, 1.0 / 127};
    for (int kind = BW_PACK_BF16; kind <= BW_PACK_INT8; kind++) {
        run((bw_pack_kind)kind, W, NULL, x, rows, in, out, BW_FUSE_NONE, y);
        double worst = 0;
        for (size_t i = 0; i < rows * out; i++)
            worst = fmax(worst, fabs(y[i] - exact[i]));
        assert_true(worst > 0);
        assert_true(worst < 6 * step[kind] * sqrt(2.0 / 12 / 3 * (double)in));
    }
    free(W), free(x), free(exact), free(y);
}

/* Expected: x * Phi(x) and x / (1 + exp(-x)) in double precision by the C library. */
static void activations_are_accurate(void **state) {
    (void)state;
    for (double v = -20; v <= 20; v += 0.037) {
        float g = (float)v, s = (float)v;
        bw_fuse_apply(BW_FUSE_GELU, &g, 1);
        bw_fuse_apply(BW_FUSE_SILU, &s, 1);
        double x = (float)v;
        CHECK_NEAR(g, x * 0.5 * erfc(-x * M_SQRT1_2), 2.2e-6);
        CHECK_REL(s, x / (1 + exp(-x)), 4e-7);
    }
}

static void gelu_keeps_its_ends(void **state) {
    (void)state;
    float x[] = {-300, -5.5f, 0, 5.5f, 300};
    bw_fuse_apply(BW_FUSE_GELU, x, 5);
    assert_true(fabsf(x[0]) < 1e-4f && fabsf(x[1]) < 1e-6f && x[2] == 0);
    CHECK_NEAR(x[3], 5.5, 1e-6);
    CHECK_NEAR(x[4], 300, 1e-4);
}

static void int8_of_zeros_is_the_bias(void **state) {
    (void)state;
    float W[64] = {0}, b[2] = {0.5f, -3}, x[64] = {0}, y[2];
    run(BW_PACK_INT8, W, b, x, 1, 32, 2, BW_FUSE_NONE, y);
    assert_true(y[0] == 0.5f && y[1] == -3.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_is_the_textbook_product),
        cmocka_unit_test(every_kernel_agrees_with_its_twin),
        cmocka_unit_test(a_row_does_not_depend_on_the_batch),
        cmocka_unit_test(int8_and_bf16_stay_near_f32),
        cmocka_unit_test(activations_are_accurate),
        cmocka_unit_test(gelu_keeps_its_ends),
        cmocka_unit_test(int8_of_zeros_is_the_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
