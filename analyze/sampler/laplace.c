/* analyze/sampler/laplace.c - see laplace.h. */
#include "analyze/sampler/laplace.h"

#include "analyze/gsl_errors.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS      2000
#define NEWTON_STEPS   12
#define ARMIJO         1e-4  /* Nocedal and Wright, section 3.1 */
#define GRADIENT_DONE  1e-3  /* BFGS hands over to Newton */
#define DECREMENT_DONE 1e-8  /* the mode is found: within 1e-4 sd */
#define DECREMENT_STOP 1e-14 /* steps beyond this are rounding */
#define DIFFERENCE     1e-4  /* step of the Hessian's differences; parameters are about 1 */
#define CURVATURE_MIN  0.04 /* sd at most 5 along a direction that the data and priors leave flat */

typedef struct {
    const bw_density *f;
    void *room;
    size_t n, evaluations;
    double *q, *g, *trial, *gtrial, *step, *y, *Hy,
        *H; /* H [n, n] inverse Hessian of -log density */
    double value;
    double *block;
} climb;

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static bw_status climb_new(climb *c, const bw_density *f, const double *start, bw_err *err) {
    size_t n = f->dim;
    *c = (climb){.f = f, .n = n};
    c->block = calloc(7 * n + n * n + 1, sizeof *c->block);
    c->room = f->scratch_new ? f->scratch_new(f->model) : NULL;
    if (!c->block || (f->scratch_new && !c->room))
        return bw_fail_memory(err);
    double **const into[] = {&c->q, &c->g, &c->trial, &c->gtrial, &c->step, &c->y, &c->Hy};
    for (size_t i = 0; i < 7; i++)
        *into[i] = c->block + i * n;
    c->H = c->block + 7 * n;
    memcpy(c->q, start, n * sizeof *start);
    c->value = f->eval(f->model, c->room, c->q, c->g);
    c->evaluations = 1;
    return isfinite(c->value) ? BW_OK
                              : bw_fail(err, BW_EDATA,
                                        "the model has no density at its start; "
                                        "a column holds values beyond all measure");
}

static void climb_free(climb *c) {
    if (c->f && c->f->scratch_free)
        c->f->scratch_free(c->room);
    free(c->block);
}

/* Moves along step while the density rises by enough; false when no length does. */
static bool line_search(climb *c) {
    double slope = dot(c->step, c->g, c->n), length = 1.0;
    if (!(slope > 0))
        return false;
    for (int tries = 0; tries < 40; tries++, length *= 0.5) {
        for (size_t i = 0; i < c->n; i++)
            c->trial[i] = c->q[i] + length * c->step[i];
        double value = c->f->eval(c->f->model, c->room, c->trial, c->gtrial);
        c->evaluations++;
        if (isfinite(value) && value >= c->value + ARMIJO * length * slope) {
            for (size_t i = 0; i < c->n; i++) {
                c->step[i] *= length;
                c->y[i] = c->g[i] - c->gtrial[i];
            }
            memcpy(c->q, c->trial, c->n * sizeof *c->q);
            memcpy(c->g, c->gtrial, c->n * sizeof *c->g);
            c->value = value;
            return true;
        }
    }
    return false;
}

static void reset_metric(climb *c, double scale) {
    memset(c->H, 0, c->n * c->n * sizeof *c->H);
    for (size_t i = 0; i < c->n; i++)
        c->H[i * c->n + i] = scale;
}

/* H := (I - s y'/y's) H (I - y s'/y's) + s s'/y's, skipped where curvature is not positive. */
static void update_metric(climb *c) {
    size_t n = c->n;
    double sy = dot(c->step, c->y, n);
    if (!(sy > 1e-12))
        return;
    for (size_t i = 0; i < n; i++)
        c->Hy[i] = dot(c->H + i * n, c->y, n);
    double yHy = dot(c->y, c->Hy, n), a = (1.0 + yHy / sy) / sy;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            c->H[i * n + j] +=
                a * c->step[i] * c->step[j] - (c->Hy[i] * c->step[j] + c->step[i] * c->Hy[j]) / sy;
}

static double norm_max(const double *v, size_t n) {
    double top = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs(v[i]));
    return top;
}

static void climb_bfgs(climb *c) {
    bool fresh = true;
    reset_metric(c, 1.0 / fmax(1.0, sqrt(dot(c->g, c->g, c->n))));
    for (int k = 0; k < MAX_STEPS && norm_max(c->g, c->n) > GRADIENT_DONE; k++) {
        for (size_t i = 0; i < c->n; i++)
            c->step[i] = dot(c->H + i * c->n, c->g, c->n);
        if (!line_search(c)) {
            if (fresh)
                return;
            reset_metric(c, 1e-3 / fmax(1.0, norm_max(c->g, c->n)));
            fresh = true;
            continue;
        }
        if (fresh)
            reset_metric(c, fmax(dot(c->step, c->y, c->n), 1e-12) /
                                fmax(dot(c->y, c->y, c->n), 1e-12));
        fresh = false;
        update_metric(c);
    }
}

/* Minus the Hessian of the log density at c->q, by central differences of the gradient. */
static void hessian(climb *c, gsl_matrix *A) {
    size_t n = c->n;
    for (size_t i = 0; i < n; i++) {
        double at = c->q[i];
        c->q[i] = at + DIFFERENCE;
        c->f->eval(c->f->model, c->room, c->q, c->trial);
        c->q[i] = at - DIFFERENCE;
        c->f->eval(c->f->model, c->room, c->q, c->gtrial);
        c->q[i] = at;
        for (size_t j = 0; j < n; j++)
            gsl_matrix_set(A, i, j, (c->gtrial[j] - c->trial[j]) / (2.0 * DIFFERENCE));
    }
    c->evaluations += 2 * n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double mean = 0.5 * (gsl_matrix_get(A, i, j) + gsl_matrix_get(A, j, i));
            gsl_matrix_set(A, i, j, mean);
            gsl_matrix_set(A, j, i, mean);
        }
}

/* Raises the eigenvalues of A to CURVATURE_MIN; A is replaced. */
static bw_status raise_curvature(gsl_matrix *A, bw_err *err) {
    size_t n = A->size1;
    gsl_eigen_symmv_workspace *w = gsl_eigen_symmv_alloc(n);
    gsl_matrix *V = gsl_matrix_alloc(n, n), *scaled = gsl_matrix_alloc(n, n);
    gsl_vector *lambda = gsl_vector_alloc(n);
    bw_status st = w && V && scaled && lambda ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK && gsl_eigen_symmv(A, lambda, V, w) != GSL_SUCCESS)
        st = bw_fail(err, BW_EDATA, "the curvature at the mode cannot be computed");
    if (st == BW_OK) {
        for (size_t j = 0; j < n; j++) {
            gsl_vector_view column = gsl_matrix_column(V, j);
            gsl_matrix_set_col(scaled, j, &column.vector);
            gsl_vector_view target = gsl_matrix_column(scaled, j);
            gsl_vector_scale(&target.vector, fmax(gsl_vector_get(lambda, j), CURVATURE_MIN));
        }
        gsl_blas_dgemm(CblasNoTrans, CblasTrans, 1.0, scaled, V, 0.0, A);
    }
    gsl_eigen_symmv_free(w);
    gsl_matrix_free(V);
    gsl_matrix_free(scaled);
    gsl_vector_free(lambda);
    return st;
}

static bool positive(const gsl_matrix *A, gsl_matrix *chol) {
    gsl_matrix_memcpy(chol, A);
    if (gsl_linalg_cholesky_decomp1(chol) != GSL_SUCCESS)
        return false;
    for (size_t i = 0; i < A->size1; i++)
        if (!(gsl_matrix_get(chol, i, i) * gsl_matrix_get(chol, i, i) > 1e-3 * CURVATURE_MIN))
            return false;
    return true;
}

/* The Hessian at c->q, made positive, and its Cholesky factor in chol. */
static bw_status curvature(climb *c, gsl_matrix *A, gsl_matrix *chol, bw_err *err) {
    hessian(c, A);
    if (positive(A, chol))
        return BW_OK;
    bw_status st = raise_curvature(A, err);
    if (st == BW_OK && !positive(A, chol))
        st = bw_fail(err, BW_EDATA, "the curvature at the mode cannot be computed");
    return st;
}

static bw_status climb_newton(climb *c, gsl_matrix *A, gsl_matrix *chol, bool *converged,
                              bw_err *err) {
    bw_status st = curvature(c, A, chol, err);
    for (int k = 0; k < NEWTON_STEPS && st == BW_OK; k++) {
        gsl_vector_view g = gsl_vector_view_array(c->g, c->n),
                        s = gsl_vector_view_array(c->step, c->n);
        gsl_linalg_cholesky_solve(chol, &g.vector, &s.vector);
        double decrement = dot(c->step, c->g, c->n);
        *converged = decrement < DECREMENT_DONE;
        if (decrement < DECREMENT_STOP || !line_search(c))
            break;
        st = curvature(c, A, chol, err);
    }
    return st;
}

/* out = the lower factor of A^-1, from A's own. */
static void covariance_factor(gsl_matrix *chol, double *factor, double *log_det) {
    size_t n = chol->size1;
    *log_det = 0;
    for (size_t i = 0; i < n; i++)
        *log_det -= 2.0 * log(gsl_matrix_get(chol, i, i));
    gsl_linalg_cholesky_invert(chol);
    gsl_linalg_cholesky_decomp1(chol);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            factor[i * n + j] = gsl_matrix_get(chol, i, j);
}

bw_status bw_laplace_fit(const bw_density *f, const double *start, bw_laplace *out, bw_err *err) {
    climb c;
    size_t n = f->dim;
    *out = (bw_laplace){.dim = n};
    bw_gsl_returns_errors();
    bw_status st = climb_new(&c, f, start, err);
    gsl_matrix *A = gsl_matrix_alloc(n, n), *chol = gsl_matrix_alloc(n, n);
    out->mode = calloc(n, sizeof *out->mode);
    out->factor = calloc(n * n, sizeof *out->factor);
    if (st == BW_OK && (!A || !chol || !out->mode || !out->factor))
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        climb_bfgs(&c);
        st = climb_newton(&c, A, chol, &out->converged, err);
    }
    if (st == BW_OK) {
        double log_det;
        covariance_factor(chol, out->factor, &log_det);
        memcpy(out->mode, c.q, n * sizeof *out->mode);
        out->log_density = c.value;
        out->log_evidence = c.value + 0.5 * log_det + 0.5 * (double)n * log(2 * M_PI);
        out->evaluations = c.evaluations;
    }
    gsl_matrix_free(A);
    gsl_matrix_free(chol);
    climb_free(&c);
    if (st != BW_OK)
        bw_laplace_free(out);
    return st;
}

void bw_laplace_free(bw_laplace *l) {
    free(l->mode);
    free(l->factor);
    *l = (bw_laplace){0};
}

double bw_laplace_draw(const bw_laplace *l, gsl_rng *r, double *q) {
    size_t n = l->dim;
    double value = l->log_density;
    memcpy(q, l->mode, n * sizeof *q);
    for (size_t j = 0; j < n; j++) {
        double z = gsl_ran_gaussian_ziggurat(r, 1.0);
        value -= 0.5 * z * z;
        for (size_t i = j; i < n; i++)
            q[i] += l->factor[i * n + j] * z;
    }
    return value;
}
