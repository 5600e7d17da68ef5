/* model/core/activation.c - activation functions and their derivatives.
 *
 * GELU (Hendrycks & Gimpel 2016) is x Phi(x); its tanh form is the one of GPT-2. */
#include "model/core/ops.h"
#include "model/core/simd.h"

#define SQRT_HALF       0.70710678118654752f
#define SQRT_2_OVER_PI  0.79788456080286536f
#define INV_SQRT_2PI    0.39894228040143268f
#define GELU_TANH_CUBIC 0.044715f

static inline float gelu(float x) {
    return 0.5f * x * (1 + bw_erff(x * SQRT_HALF));
}

static inline float gelu_slope(float x) {
    float cdf = 0.5f * (1 + bw_erff(x * SQRT_HALF));
    return cdf + x * INV_SQRT_2PI * bw_expf(-0.5f * x * x);
}

static inline float gelu_tanh(float x) {
    float inner = SQRT_2_OVER_PI * (x + GELU_TANH_CUBIC * x * x * x);
    return 0.5f * x * (1 + bw_tanhf(inner));
}

static inline float gelu_tanh_slope(float x) {
    float inner = SQRT_2_OVER_PI * (x + GELU_TANH_CUBIC * x * x * x);
    float t = bw_tanhf(inner);
    float inner_slope = SQRT_2_OVER_PI * (1 + 3 * GELU_TANH_CUBIC * x * x);
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * inner_slope;
}

static inline float silu(float x) {
    return x / (1 + bw_expf(-x));
}

static inline float silu_slope(float x) {
    float s = 1 / (1 + bw_expf(-x));
    return s * (1 + x * (1 - s));
}

static inline float relu(float x) {
    return x > 0 ? x : 0;
}

static inline float relu_slope(float x) {
    return x > 0 ? 1 : 0;
}

static inline float tanh_slope(float x) {
    float t = bw_tanhf(x);
    return 1 - t * t;
}

#define FORWARD(name)                                                          \
    BW_CLONES static void name##_forward(float *y, const float *x, size_t n) { \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++) y[i] = name(x[i]);  \
    }
#define BACKWARD(name)                                                                            \
    BW_CLONES static void name##_backward(float *dx, const float *dy, const float *x, size_t n) { \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++) dx[i] = dy[i] * name##_slope(x[i]);    \
    }
#define GATED(name)                                                                          \
    BW_CLONES static void name##_gated(float *y, const float *g, const float *u, size_t n) { \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++) y[i] = name(g[i]) * u[i];         \
    }                                                                                        \
    BW_CLONES static void name##_gated_backward(float *dg, float *du, const float *dy,       \
                                                const float *g, const float *u, size_t n) {  \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++) {                                 \
            float gi = g[i], ui = u[i];                                                      \
            dg[i] = dy[i] * ui * name##_slope(gi);                                           \
            du[i] = dy[i] * name(gi);                                                        \
        }                                                                                    \
    }
#define bw_tanhf_slope tanh_slope
#define ALL(name)      FORWARD(name) BACKWARD(name) GATED(name)

ALL(gelu)
ALL(gelu_tanh)
ALL(relu)
ALL(silu)
ALL(bw_tanhf)

static const struct {
    void (*forward)(float *y, const float *x, size_t n);
    void (*backward)(float *dx, const float *dy, const float *x, size_t n);
    void (*gated)(float *y, const float *g, const float *u, size_t n);
    void (*gated_backward)(float *dg, float *du, const float *dy, const float *g, const float *u,
                           size_t n);
} ACT[] = {
    [BW_ACT_GELU] = {gelu_forward, gelu_backward, gelu_gated, gelu_gated_backward},
    [BW_ACT_GELU_TANH] = {gelu_tanh_forward, gelu_tanh_backward, gelu_tanh_gated,
                          gelu_tanh_gated_backward},
    [BW_ACT_RELU] = {relu_forward, relu_backward, relu_gated, relu_gated_backward},
    [BW_ACT_SILU] = {silu_forward, silu_backward, silu_gated, silu_gated_backward},
    [BW_ACT_TANH] = {bw_tanhf_forward, bw_tanhf_backward, bw_tanhf_gated, bw_tanhf_gated_backward},
};

void bw_act_forward(bw_act act, float *y, const float *x, size_t n) {
    ACT[act].forward(y, x, n);
}

void bw_act_backward(bw_act act, float *dx, const float *dy, const float *x, size_t n) {
    ACT[act].backward(dx, dy, x, n);
}

void bw_act_gated(bw_act act, float *y, const float *gate_up, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++)
        ACT[act].gated(y + r * n, gate_up + r * 2 * n, gate_up + r * 2 * n + n, n);
}

void bw_act_gated_backward(bw_act act, float *d_gate_up, const float *dy, const float *gate_up,
                           size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++) {
        const float *gate = gate_up + r * 2 * n;
        float *d_gate = d_gate_up + r * 2 * n;
        ACT[act].gated_backward(d_gate, d_gate + n, dy + r * n, gate, gate + n, n);
    }
}
