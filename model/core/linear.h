/* model/core/linear.h - matrix products in single precision, row-major, over OpenBLAS.
 *
 * Shapes follow y = x W^T + b: x [rows, in], W [out, in], b [out], y [rows, out]. OpenBLAS runs on
 * one thread; callers thread above it. Each product has its obvious twin for the tests. */
#ifndef BW_MODEL_LINEAR_H
#define BW_MODEL_LINEAR_H

#include <stddef.h>

/* y = x W^T + b; b may be NULL. */
void bw_linear(float *y, const float *x, const float *W, const float *b, size_t rows, size_t in,
               size_t out);
/* y = keep * y + x W^T: a residual, or a bias already written, comes for nothing. */
void bw_linear_add(float *y, const float *x, const float *W, size_t rows, size_t in, size_t out,
                   float keep);
/* dx = dy W, or dx += dy W when add is not 0. dy: [rows, out] */
void bw_linear_dx(float *dx, const float *dy, const float *W, size_t rows, size_t in, size_t out,
                  int add);
/* dW += dy^T x */
void bw_linear_dw(float *dW, const float *dy, const float *x, size_t rows, size_t in, size_t out);
/* db[j] += sum over rows of dy[:, j] */
void bw_linear_db(float *db, const float *dy, size_t rows, size_t out);
/* The same for `out` columns of wider rows, which lie stride floats apart. */
void bw_linear_db_part(float *db, const float *dy, size_t rows, size_t out, size_t stride);

/* The twins: obvious loops, summed in double. */
void bw_linear_ref(float *y, const float *x, const float *W, const float *b, size_t rows, size_t in,
                   size_t out);
void bw_linear_dx_ref(float *dx, const float *dy, const float *W, size_t rows, size_t in,
                      size_t out, int add);
void bw_linear_dw_ref(float *dW, const float *dy, const float *x, size_t rows, size_t in,
                      size_t out);

/* Sets OpenBLAS to one thread; called by whatever makes a transformer. */
void bw_linear_single_thread(void);

#endif
