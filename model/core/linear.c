/* model/core/linear.c - matrix products over OpenBLAS.
 *
 * OpenBLAS adds into C anyway, so the bias is written there first and costs nothing. */
#include "model/core/linear.h"
#include "model/core/simd.h"

#include <cblas.h>
#include <string.h>

void bw_linear_single_thread(void) {
    openblas_set_num_threads(1);
}

static void fill_rows(float *y, const float *b, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * n, b, n * sizeof *y);
}

void bw_linear(float *y, const float *x, const float *W, const float *b, size_t rows, size_t in,
               size_t out) {
    if (b)
        fill_rows(y, b, rows, out);
    bw_linear_add(y, x, W, rows, in, out, b ? 1.0f : 0.0f);
}

void bw_linear_add(float *y, const float *x, const float *W, size_t rows, size_t in, size_t out,
                   float keep) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)out, (int)in, 1.0f, x,
                (int)in, W, (int)in, keep, y, (int)out);
}

void bw_linear_dx(float *dx, const float *dy, const float *W, size_t rows, size_t in, size_t out,
                  int add) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)in, (int)out, 1.0f, dy,
                (int)out, W, (int)in, add ? 1.0f : 0.0f, dx, (int)in);
}

void bw_linear_dw(float *dW, const float *dy, const float *x, size_t rows, size_t in, size_t out) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)out, (int)in, (int)rows, 1.0f, dy,
                (int)out, x, (int)in, 1.0f, dW, (int)in);
}

BW_CLONES void bw_linear_db_part(float *db, const float *dy, size_t rows, size_t out,
                                 size_t stride) {
    for (size_t r = 0; r < rows; r++, dy += stride)
#pragma omp simd
        for (size_t j = 0; j < out; j++)
            db[j] += dy[j];
}

void bw_linear_db(float *db, const float *dy, size_t rows, size_t out) {
    bw_linear_db_part(db, dy, rows, out, out);
}

void bw_linear_ref(float *y, const float *x, const float *W, const float *b, size_t rows, size_t in,
                   size_t out) {
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < out; o++) {
            double sum = b ? (double)b[o] : 0;
            for (size_t i = 0; i < in; i++)
                sum += (double)x[r * in + i] * (double)W[o * in + i];
            y[r * out + o] = (float)sum;
        }
}

void bw_linear_dx_ref(float *dx, const float *dy, const float *W, size_t rows, size_t in,
                      size_t out, int add) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < in; i++) {
            double sum = add ? (double)dx[r * in + i] : 0;
            for (size_t o = 0; o < out; o++)
                sum += (double)dy[r * out + o] * (double)W[o * in + i];
            dx[r * in + i] = (float)sum;
        }
}

void bw_linear_dw_ref(float *dW, const float *dy, const float *x, size_t rows, size_t in,
                      size_t out) {
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++) {
            double sum = (double)dW[o * in + i];
            for (size_t r = 0; r < rows; r++)
                sum += (double)dy[r * out + o] * (double)x[r * in + i];
            dW[o * in + i] = (float)sum;
        }
}
