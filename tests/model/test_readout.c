/* Heads: gradients against differences, pooling that looks at its span alone. */
#include "tests/check.h"

#include "model/shipped/readout.h"
#include "model/core/rng.h"

#define DIM    6
#define TOKENS 9

static void fill(float *x, size_t n, uint64_t seed) {
    bw_rng r = bw_rng_seed(seed);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * bw_rng_uniform(&r) - 1);
}

/* A loss that touches every output: a fixed weighted sum of all logits. */
static double loss(const bw_readout *h, const float *x, const float *w) {
    bw_span_read r = {.first = 2, .n = 5, .want_aspects = true};
    float z[3];
    double sum = 0;
    size_t k = 0;
    bw_readout_read(h, x, &r);
    for (int i = 0; i < 3; i++)
        sum += (double)(w[k++] * r.sentiment[i]);
    for (int a = 0; a < BW_N_ASPECTS; a++) {
        sum += (double)(w[k++] * r.mention[a]);
        for (int i = 0; i < 3; i++)
            sum += (double)(w[k++] * r.polarity[a][i]);
    }
    bw_readout_term(h, x, 2, 5, 3, 2, z);
    for (int i = 0; i < 3; i++)
        sum += (double)(w[k++] * z[i]);
    return sum;
}

static void backward(bw_readout *h, const float *x, const float *w, float *dx) {
    bw_span_read d = {.first = 2, .n = 5, .want_aspects = true};
    size_t k = 0;
    for (int i = 0; i < 3; i++)
        d.sentiment[i] = w[k++];
    for (int a = 0; a < BW_N_ASPECTS; a++) {
        d.mention[a] = w[k++];
        for (int i = 0; i < 3; i++)
            d.polarity[a][i] = w[k++];
    }
    bw_readout_read_backward(h, x, &d, dx);
    bw_readout_term_backward(h, x, 2, 5, 3, 2, w + k, dx);
}

static void make(bw_readout *h, float *x, float *w) {
    bw_err err;
    CHECK_OK(bw_readout_new(h, DIM, &err));
    CHECK_OK(bw_params_need_grad(&h->params, &err));
    fill(h->params.data, h->params.total, 1);
    fill(x, TOKENS * DIM, 2);
    fill(w, 3 + 4 * BW_N_ASPECTS + 3, 3);
}

/* Expected: central differences of the loss, step 1e-2 in single precision. */
static void gradients_match_differences(void **state) {
    (void)state;
    bw_readout h;
    float x[TOKENS * DIM], w[3 + 4 * BW_N_ASPECTS + 3], dx[TOKENS * DIM] = {0};
    const float step = 1e-2f;
    make(&h, x, w);
    backward(&h, x, w, dx);
    for (size_t i = 0; i < TOKENS * DIM; i++) {
        float keep = x[i];
        x[i] = keep + step;
        double up = loss(&h, x, w);
        x[i] = keep - step;
        double down = loss(&h, x, w);
        x[i] = keep;
        CHECK_NEAR((double)dx[i], (up - down) / (2 * (double)step), 0.02);
    }
    for (size_t i = 0; i < h.params.total; i++) {
        float keep = h.params.data[i];
        h.params.data[i] = keep + step;
        double up = loss(&h, x, w);
        h.params.data[i] = keep - step;
        double down = loss(&h, x, w);
        h.params.data[i] = keep;
        CHECK_NEAR((double)h.params.grad[i], (up - down) / (2 * (double)step), 0.02);
    }
    bw_readout_free(&h);
}

static void a_span_does_not_see_its_neighbours(void **state) {
    (void)state;
    bw_readout h;
    float x[TOKENS * DIM], w[3 + 4 * BW_N_ASPECTS + 3];
    make(&h, x, w);
    double before = loss(&h, x, w);
    x[1 * DIM] += 5; /* the token before the span and the one behind it */
    x[7 * DIM + 2] -= 5;
    assert_true(loss(&h, x, w) == before);
    bw_readout_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(a_span_does_not_see_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
