/* Kernels against their obvious twins, on sizes that are no multiple of a vector's. Expected values
 * are computed in double by the definition, in this file. */
#include "model/core/linear.h"
#include "model/core/attend_row.h"
#include "model/core/ops.h"
#include "tests/model/shapes.h"

static const size_t SIZES[] = {1, 7, 33, 64};
#define N_SIZES (sizeof SIZES / sizeof *SIZES)

static float *random_floats(size_t n, uint64_t seed) {
    float *x = malloc((n ? n : 1) * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)draw(&seed, 20001) / 5000 - 2;
    return x;
}

static void check_close(const float *found, const float *expected, size_t n, double tolerance,
                        const char *what) {
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)found[i] - (double)expected[i]) <=
              tolerance * fmax(1, fabs((double)expected[i]))))
            fail_msg("%s: place %zu: %.9g, expected %.9g", what, i, (double)found[i],
                     (double)expected[i]);
}

static void linear_of(size_t rows, size_t in, size_t out) {
    float *x = random_floats(rows * in, 1), *W = random_floats(out * in, 2);
    float *b = random_floats(out, 3), *dy = random_floats(rows * out, 4);
    float *found = random_floats(rows * out, 5), *twin = random_floats(rows * out, 6);
    bw_linear(found, x, W, b, rows, in, out);
    bw_linear_ref(twin, x, W, b, rows, in, out);
    check_close(found, twin, rows * out, 1e-5, "linear");
    float *dx = random_floats(rows * in, 7), *dx_twin = random_floats(rows * in, 7);
    bw_linear_dx(dx, dy, W, rows, in, out, 1);
    bw_linear_dx_ref(dx_twin, dy, W, rows, in, out, 1);
    check_close(dx, dx_twin, rows * in, 1e-5, "linear_dx");
    float *dW = random_floats(out * in, 8), *dW_twin = random_floats(out * in, 8);
    bw_linear_dw(dW, dy, x, rows, in, out);
    bw_linear_dw_ref(dW_twin, dy, x, rows, in, out);
    check_close(dW, dW_twin, out * in, 1e-5, "linear_dw");
    float *all[] = {x, W, b, dy, found, twin, dx, dx_twin, dW, dW_twin};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void test_products_equal_their_twins(void **state) {
    (void)state;
    for (size_t a = 0; a < N_SIZES; a++)
        for (size_t b = 0; b < N_SIZES; b++)
            linear_of(SIZES[a], SIZES[b], SIZES[(a + b) % N_SIZES]);
}

static void test_norms_by_definition(void **state) {
    (void)state;
    for (size_t k = 0; k < N_SIZES; k++) {
        size_t dim = SIZES[k], rows = 5;
        float *x = random_floats(rows * dim, 9), *g = random_floats(dim, 10);
        float *b = random_floats(dim, 11), *y = random_floats(rows * dim, 12);
        float *e = random_floats(rows * dim, 13);
        for (size_t r = 0; r < rows; r++) {
            double mean = 0, var = 0, square = 0;
            for (size_t i = 0; i < dim; i++)
                mean += (double)x[r * dim + i] / (double)dim;
            for (size_t i = 0; i < dim; i++) {
                var += pow((double)x[r * dim + i] - mean, 2) / (double)dim;
                square += pow((double)x[r * dim + i], 2) / (double)dim;
            }
            for (size_t i = 0; i < dim; i++)
                e[r * dim + i] =
                    (float)(((double)x[r * dim + i] - mean) / sqrt(var + 1e-3) * (double)g[i] +
                            (double)b[i]);
            bw_layer_norm(y + r * dim, NULL, NULL, x + r * dim, g, b, 1e-3f, 1, dim);
            check_close(y + r * dim, e + r * dim, dim, 1e-5, "layer norm");
            for (size_t i = 0; i < dim; i++)
                e[r * dim + i] =
                    (float)((double)x[r * dim + i] / sqrt(square + 1e-3) * (double)g[i]);
            bw_rms_norm(y + r * dim, NULL, NULL, x + r * dim, g, 1e-3f, 1, dim);
            check_close(y + r * dim, e + r * dim, dim, 1e-5, "rms norm");
        }
        free(x), free(g), free(b), free(y), free(e);
    }
}

static double act_by_definition(bw_act act, double x) {
    const double c = sqrt(2 / 3.14159265358979323846);
    switch (act) {
    case BW_ACT_GELU:
        return x * 0.5 * erfc(-x / sqrt(2));
    case BW_ACT_GELU_TANH:
        return 0.5 * x * (1 + tanh(c * (x + 0.044715 * x * x * x)));
    case BW_ACT_RELU:
        return x > 0 ? x : 0;
    case BW_ACT_SILU:
        return x / (1 + exp(-x));
    case BW_ACT_TANH:
        return tanh(x);
    }
    return NAN;
}

static void test_activations_and_slopes(void **state) {
    (void)state;
    for (int act = BW_ACT_GELU; act <= BW_ACT_TANH; act++)
        for (double x = -9.3; x < 9.5; x += 0.37) {
            float in = (float)x, out, slope, one = 1;
            double at = (double)in, h = 1e-5;
            bw_act_forward((bw_act)act, &out, &in, 1);
            bw_act_backward((bw_act)act, &slope, &one, &in, 1);
            double e =
                (act_by_definition((bw_act)act, at + h) - act_by_definition((bw_act)act, at - h)) /
                (2 * h);
            CHECK_NEAR((double)out, act_by_definition((bw_act)act, at), 2e-6);
            CHECK_NEAR((double)slope, e, 2e-6);
        }
}

static void test_gated_activation_multiplies(void **state) {
    (void)state;
    const float in[] = {0.3f, -1.7f,  2.f,
                        5.f,  -0.25f, 3.f}; /* one row: three gates, three values */
    float out[3];
    bw_act_gated(BW_ACT_SILU, out, in, 1, 3);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR((double)out[i],
                   act_by_definition(BW_ACT_SILU, (double)in[i]) * (double)in[3 + i], 2e-6);
}

static void test_softmax_survives_large_scores(void **state) {
    (void)state;
    float x[] = {1000, 999, -1000, -INFINITY}, p[4];
    bw_softmax(p, x, 1, 4);
    double e = exp(-1.0);
    CHECK_NEAR((double)p[0], 1 / (1 + e), 1e-6);
    CHECK_NEAR((double)p[1], e / (1 + e), 1e-6);
    assert_true(p[2] == 0 && p[3] == 0);
    CHECK_NEAR(bw_log_sum_exp(x, 4), 1000 + log1p(e), 1e-4);
}

static void test_rope_turns_back(void **state) {
    (void)state;
    float x[3 * 12], y[3 * 12], table[6 * 4];
    const int32_t positions[] = {5, 0, 3};
    bw_rope_table(table, 6, 4, 10, &(bw_rope_scaling){0});
    for (size_t i = 0; i < 36; i++)
        x[i] = y[i] = (float)i - 7;
    bw_rope(y, table, positions, 3, 12, 2, 4, false);
    /* Position 5, first pair (0, 2): angle 5. */
    CHECK_NEAR((double)y[0], -7 * cos(5) - -5 * sin(5), 1e-5);
    CHECK_NEAR((double)y[2], -5 * cos(5) + -7 * sin(5), 1e-5);
    CHECK_NEAR((double)y[12], 5, 0); /* position 0 stays */
    CHECK_NEAR((double)y[8], 1, 0);  /* the third head was not asked for */
    bw_rope(y, table, positions, 3, 12, 2, 4, true);
    check_close(y, x, 36, 1e-6, "rope and back");
}

/* The frequency that the table turns a pair of dimensions by, from the angle at position 1. */
static double frequency(const float *table, size_t pair) {
    return atan2((double)table[8 + 4 + pair], (double)table[8 + pair]);
}

static void test_rope_is_stretched(void **state) {
    (void)state;
    float plain[2 * 8], scaled[2 * 8]; /* two positions, four pairs: 1, 0.1, 0.01, 0.001 */
    bw_rope_table(plain, 2, 8, 1e4f, &(bw_rope_scaling){0});
    for (size_t i = 0; i < 4; i++)
        CHECK_NEAR(frequency(plain, i), pow(10, -(double)i), 1e-6);
    bw_rope_table(scaled, 2, 8, 1e4f, &(bw_rope_scaling){BW_ROPE_LINEAR, .factor = 4});
    for (size_t i = 0; i < 4; i++)
        CHECK_NEAR(frequency(scaled, i), pow(10, -(double)i) / 4, 1e-6);
    /* In 100 tokens the four turn 15.9, 1.59, 0.159, 0.0159 times: the first is kept, the last two
     * slow down by 8, the second lies between, at (100 / (2 pi / 0.1) - 1) / (4 - 1) of the way. */
    bw_rope_table(scaled, 2, 8, 1e4f,
                  &(bw_rope_scaling){BW_ROPE_LLAMA3, 8, .low = 1, .high = 4, .original = 100});
    double way = (100 * 0.1 / (2 * 3.14159265358979323846) - 1) / 3;
    CHECK_NEAR(frequency(scaled, 0), 1, 1e-6);
    CHECK_NEAR(frequency(scaled, 1), (1 - way) * 0.1 / 8 + way * 0.1, 1e-7);
    CHECK_NEAR(frequency(scaled, 2), 0.01 / 8, 1e-7);
    CHECK_NEAR(frequency(scaled, 3), 0.001 / 8, 1e-7);
}

/* softmax(scale q k + bias) v for one head, in double. */
static void attend_by_definition(const bw_attn *a, size_t h, float *out, const float *q,
                                 const float *k, const float *v) {
    size_t g = h / (a->heads / a->kv_heads);
    for (size_t i = 0; i < a->n_q; i++) {
        double p[128], sum = 0;
        size_t n = a->causal && i + a->first + 1 < a->n_k ? i + a->first + 1 : a->n_k;
        for (size_t j = 0; j < n; j++) {
            double s = 0;
            p[j] = 0;
            if (a->window && i + a->first >= j + a->window)
                continue; /* the query's place lies a window or more behind the key's */
            for (size_t d = 0; d < a->head_dim; d++)
                s += (double)q[i * a->q_stride + h * a->head_dim + d] *
                     (double)k[j * a->k_stride + g * a->head_dim + d];
            if (a->rel_bias)
                s += (double)
                         a->rel_bias[h * (2 * a->rel_span + 1) + a->rel_span + j - i - a->first] /
                     (double)a->scale;
            sum += p[j] = exp(s * (double)a->scale);
        }
        for (size_t d = 0; d < a->head_dim; d++) {
            double o = 0;
            for (size_t j = 0; j < n; j++)
                o += p[j] / sum * (double)v[j * a->v_stride + g * a->head_dim + d];
            out[i * a->o_stride + h * a->head_dim + d] = (float)o;
        }
    }
}

static void attention_of(const bw_attn *a) {
    float *q = random_floats(a->n_q * a->q_stride, 1), *k = random_floats(a->n_k * a->k_stride, 2);
    float *v = random_floats(a->n_k * a->v_stride, 3);
    size_t n = a->n_q * a->o_stride;
    float *found = random_floats(n, 4), *expected = random_floats(n, 4);
    float *scratch = malloc(bw_attn_scratch(a) * sizeof *scratch);
    bw_attn_forward(a, found, NULL, q, k, v, scratch);
    for (size_t h = 0; h < a->heads; h++)
        attend_by_definition(a, h, expected, q, k, v);
    check_close(found, expected, n, 1e-5, "attention");
    free(q), free(k), free(v), free(found), free(expected), free(scratch);
}

static void test_attention_by_definition(void **state) {
    (void)state;
    float *bias = random_floats(6 * (2 * 64 + 1), 8);
    for (size_t i = 0; i < N_SIZES; i++)
        for (size_t dim = 3; dim < 40; dim += 13)
            for (int causal = 0; causal < 2; causal++) {
                bw_attn a = {.heads = 6,
                             .kv_heads = i % 2 ? 2 : 6,
                             .head_dim = dim,
                             .n_q = SIZES[i],
                             .n_k = SIZES[i],
                             .q_stride = 6 * dim + 1,
                             .k_stride = 6 * dim,
                             .v_stride = 6 * dim + 2,
                             .o_stride = 6 * dim,
                             .scale = 0.31f,
                             .causal = causal};
                attention_of(&a);
                a.rel_bias = bias;
                a.rel_span = 64;
                attention_of(&a);
                a.first = 64 - a.n_q; /* continuing after a cache */
                a.n_k = 64;
                attention_of(&a);
                a.window = causal ? 1 + 7 * i : 0;
                attention_of(&a);
            }
    free(bias);
}

/* Dimensions and numbers of keys that lanes divide or not. */
static void test_a_single_query_by_definition(void **state) {
    (void)state;
    const size_t dims[] = {3, 16, 40, 64, 83}, keys[] = {1, 3, 4, 33};
    float *q = random_floats(83, 1), *bias = random_floats(33, 2);
    float *k = random_floats(33 * 84, 3), *v = random_floats(33 * 90, 4);
    float scores[33], found[83], expected[83];
    for (size_t i = 0; i < 5 * 4; i++) {
        bw_attn a = {.heads = 1,
                     .kv_heads = 1,
                     .head_dim = dims[i / 4],
                     .n_q = 1,
                     .n_k = keys[i % 4],
                     .k_stride = 84,
                     .v_stride = 90,
                     .scale = 0.31f,
                     .rel_bias = i % 2 ? bias : NULL};
        bw_attend_row(&a, found, q, k, v, a.n_k, a.rel_bias, scores);
        attend_by_definition(&a, 0, expected, q, k, v);
        check_close(found, expected, a.head_dim, 2e-6, "one query");
    }
    free(q), free(bias), free(k), free(v);
}

/* A fixed linear form of the output of attention. */
static double form_of(const bw_attn *a, const float *q, const float *k, const float *v,
                      const float *form, float *out, float *scratch) {
    double sum = 0;
    bw_attn_forward(a, out, NULL, q, k, v, scratch);
    for (size_t i = 0; i < a->n_q * a->o_stride; i++)
        sum += (double)out[i] * (double)form[i];
    return sum;
}

/* Gradients through windows that leave whole tiles of keys out, by central differences. */
static void test_gradients_through_a_window(void **state) {
    (void)state;
    enum { N = 53, DIM = 6, SIZE = N * DIM };
    bw_attn a = {.heads = 1,
                 .kv_heads = 1,
                 .head_dim = DIM,
                 .n_q = N,
                 .n_k = N,
                 .q_stride = DIM,
                 .k_stride = DIM,
                 .v_stride = DIM,
                 .o_stride = DIM,
                 .scale = 0.4f,
                 .causal = 1,
                 .window = 9};
    float *x[3] = {random_floats(SIZE, 1), random_floats(SIZE, 2), random_floats(SIZE, 3)};
    float *d[3] = {random_floats(SIZE, 4), random_floats(SIZE, 5), random_floats(SIZE, 6)};
    float *form = random_floats(SIZE, 7), *out = random_floats(SIZE, 8), lse[N];
    float *scratch = malloc(bw_attn_scratch(&a) * sizeof *scratch);
    bw_attn_forward(&a, out, lse, x[0], x[1], x[2], scratch);
    bw_attn_backward(&a, d[0], d[1], d[2], NULL, form, out, lse, x[0], x[1], x[2], scratch);
    for (size_t i = 0; i < SIZE; i += 5)
        for (size_t part = 0; part < 3; part++) {
            float *at = &x[part][i], was = *at, step = 0.01f;
            *at = was + step;
            double up = form_of(&a, x[0], x[1], x[2], form, out, scratch);
            *at = was - step;
            double down = form_of(&a, x[0], x[1], x[2], form, out, scratch);
            *at = was;
            CHECK_NEAR((double)d[part][i], (up - down) / 0.02, 2e-3);
        }
    for (size_t part = 0; part < 3; part++)
        free(x[part]), free(d[part]);
    free(form), free(out), free(scratch);
}

static void test_dropout_keeps_its_share_and_repeats(void **state) {
    (void)state;
    enum { N = 40000 };
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    for (size_t i = 0; i < N; i++)
        x[i] = y[i] = 1;
    bw_dropout(x, N, 0.3f, 5, 0);
    bw_dropout(y, 1000, 0.3f, 5, 0); /* in two calls: the same mask */
    bw_dropout(y + 1000, N - 1000, 0.3f, 5, 1000);
    size_t dropped = 0;
    for (size_t i = 0; i < N; i++) {
        assert_true(x[i] == y[i]);
        dropped += x[i] == 0;
        if (x[i] != 0)
            CHECK_NEAR((double)x[i], 1 / 0.7, 1e-6);
    }
    CHECK_NEAR((double)dropped / N, 0.3, 4 * sqrt(0.3 * 0.7 / N)); /* four standard errors */
    free(x), free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_equal_their_twins),
        cmocka_unit_test(test_norms_by_definition),
        cmocka_unit_test(test_activations_and_slopes),
        cmocka_unit_test(test_gated_activation_multiplies),
        cmocka_unit_test(test_softmax_survives_large_scores),
        cmocka_unit_test(test_rope_turns_back),
        cmocka_unit_test(test_rope_is_stretched),
        cmocka_unit_test(test_attention_by_definition),
        cmocka_unit_test(test_a_single_query_by_definition),
        cmocka_unit_test(test_gradients_through_a_window),
        cmocka_unit_test(test_dropout_keeps_its_share_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
