/* model/core/norm.c - layer norm and RMS norm, a row at a time: a row stays in the first-level
 * cache, so the passes over it cost little. */
#include "model/core/ops.h"
#include "model/core/simd.h"

BW_CLONES static void layer_norm_row(float *y, float *xhat, float *rstd, const float *x,
                                     const float *gamma, const float *beta, float eps, size_t dim) {
    float sum = 0, square = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < dim; i++)
        sum += x[i];
    float mean = sum / (float)dim;
#pragma omp simd reduction(+ : square)
    for (size_t i = 0; i < dim; i++)
        square += (x[i] - mean) * (x[i] - mean);
    float r = 1 / sqrtf(square / (float)dim + eps);
    *rstd = r;
    if (xhat)
#pragma omp simd
        for (size_t i = 0; i < dim; i++) {
            float h = (x[i] - mean) * r;
            xhat[i] = h;
            y[i] = h * gamma[i] + beta[i];
        }
    else
#pragma omp simd
        for (size_t i = 0; i < dim; i++)
            y[i] = (x[i] - mean) * r * gamma[i] + beta[i];
}

void bw_layer_norm(float *y, float *xhat, float *rstd, const float *x, const float *gamma,
                   const float *beta, float eps, size_t rows, size_t dim) {
    float unused;
    for (size_t r = 0; r < rows; r++)
        layer_norm_row(y + r * dim, xhat ? xhat + r * dim : NULL, rstd ? rstd + r : &unused,
                       x + r * dim, gamma, beta, eps, dim);
}

/* dx = rstd (g - mean(g) - xhat mean(g xhat)), g = dy gamma. */
BW_CLONES static void layer_norm_backward_row(float *dx, float *dgamma, float *dbeta,
                                              const float *dy, const float *xhat, float rstd,
                                              const float *gamma, size_t dim) {
    float sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
    for (size_t i = 0; i < dim; i++) {
        float g = dy[i] * gamma[i];
        sum += g;
        dot += g * xhat[i];
        dgamma[i] += dy[i] * xhat[i];
        dbeta[i] += dy[i];
    }
    float mean = sum / (float)dim, slope = dot / (float)dim;
#pragma omp simd
    for (size_t i = 0; i < dim; i++)
        dx[i] = rstd * (dy[i] * gamma[i] - mean - xhat[i] * slope);
}

void bw_layer_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy,
                            const float *xhat, const float *rstd, const float *gamma, size_t rows,
                            size_t dim) {
    for (size_t r = 0; r < rows; r++)
        layer_norm_backward_row(dx + r * dim, dgamma, dbeta, dy + r * dim, xhat + r * dim, rstd[r],
                                gamma, dim);
}

BW_CLONES static void rms_norm_row(float *y, float *xhat, float *rstd, const float *x,
                                   const float *gamma, float eps, size_t dim) {
    float square = 0;
#pragma omp simd reduction(+ : square)
    for (size_t i = 0; i < dim; i++)
        square += x[i] * x[i];
    float r = 1 / sqrtf(square / (float)dim + eps);
    *rstd = r;
    if (xhat)
#pragma omp simd
        for (size_t i = 0; i < dim; i++) {
            float h = x[i] * r;
            xhat[i] = h;
            y[i] = h * gamma[i];
        }
    else
#pragma omp simd
        for (size_t i = 0; i < dim; i++)
            y[i] = x[i] * r * gamma[i];
}

void bw_rms_norm(float *y, float *xhat, float *rstd, const float *x, const float *gamma, float eps,
                 size_t rows, size_t dim) {
    float unused;
    for (size_t r = 0; r < rows; r++)
        rms_norm_row(y + r * dim, xhat ? xhat + r * dim : NULL, rstd ? rstd + r : &unused,
                     x + r * dim, gamma, eps, dim);
}

/* dx = rstd (g - xhat mean(g xhat)), g = dy gamma. */
BW_CLONES static void rms_norm_backward_row(float *dx, float *dgamma, const float *dy,
                                            const float *xhat, float rstd, const float *gamma,
                                            size_t dim) {
    float dot = 0;
#pragma omp simd reduction(+ : dot)
    for (size_t i = 0; i < dim; i++) {
        dot += dy[i] * gamma[i] * xhat[i];
        dgamma[i] += dy[i] * xhat[i];
    }
    float slope = dot / (float)dim;
#pragma omp simd
    for (size_t i = 0; i < dim; i++)
        dx[i] = rstd * (dy[i] * gamma[i] - xhat[i] * slope);
}

void bw_rms_norm_backward(float *dx, float *dgamma, const float *dy, const float *xhat,
                          const float *rstd, const float *gamma, size_t rows, size_t dim) {
    for (size_t r = 0; r < rows; r++)
        rms_norm_backward_row(dx + r * dim, dgamma, dy + r * dim, xhat + r * dim, rstd[r], gamma,
                              dim);
}
