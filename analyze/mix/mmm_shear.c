/* analyze/mix/mmm_shear.c - the regression of media on the baseline's columns, by which the baseline's
 * parameters are made nearly independent of the media's (mmm_shear in mmm_density.c).
 *
 * P = (X' W X + ridge)^-1 X', rows for the columns whose coefficient the sampler moves as it is: those
 * with a normal or Laplace prior but events, which are short, and the free controls of a nation.
 * Any P would be correct; this one makes the sampler's steps long. */
#include "analyze/mix/mmm_model.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <stdlib.h>
#include <string.h>

#define NOISE 0.1 /* of the scaled outcome: how much the priors count in P */

static bool moves(const bw_mmm *m, size_t i) {
    bw_prior_kind kind = m->param[i].prior.kind;
    return kind == BW_PRIOR_NORMAL || kind == BW_PRIOR_LAPLACE;
}

/* Chooses the parameters; column[i] is the data of the i-th. */
static void choose(bw_mmm *m, const double **column) {
    for (size_t p = 0; p < m->columns; p++)
        if (m->column_part[p] != PART_EVENT && moves(m, m->at_column + p)) {
            column[m->n_shear] = m->design + p * m->n;
            m->shear_param[m->n_shear++] = m->at_column + p;
        }
    for (size_t k = 0; m->geos == 1 && k < m->data->n_control; k++)
        if (moves(m, m->at_control + k)) {
            column[m->n_shear] = m->z + k * m->n;
            m->shear_param[m->n_shear++] = m->at_control + k;
        }
}

static void normal_matrix(const bw_mmm *m, const double *const *column, gsl_matrix *A) {
    for (size_t i = 0; i < m->n_shear; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t g = 0; g < m->geos; g++)
                for (size_t t = 0; t < m->n; t++)
                    sum += m->w[g * m->n + t] * column[i][t] * column[j][t];
            bool pooled = m->at_kappa != NONE &&
                          m->shear_param[i] >= m->at_column + m->knots_from &&
                          m->shear_param[i] < m->at_column + m->columns;
            double sd =
                pooled ? bw_prior_centre(&m->spec.kappa) : m->param[m->shear_param[i]].prior.b;
            gsl_matrix_set(A, i, j, sum + (i == j ? NOISE * NOISE / (sd * sd) : 0.0));
            gsl_matrix_set(A, j, i, gsl_matrix_get(A, i, j));
        }
}

static void solve(bw_mmm *m, const double *const *column, gsl_matrix *A) {
    gsl_vector *x = gsl_vector_alloc(m->n_shear);
    for (size_t t = 0; x && t < m->n; t++) {
        for (size_t i = 0; i < m->n_shear; i++)
            gsl_vector_set(x, i, column[i][t]);
        gsl_linalg_cholesky_svx(A, x);
        for (size_t i = 0; i < m->n_shear; i++)
            m->shear[i * m->n + t] = gsl_vector_get(x, i);
    }
    gsl_vector_free(x);
}

bw_status mmm_build_shear(bw_mmm *m, bw_err *err) {
    size_t most = m->columns + m->data->n_control;
    const double **column = calloc(most + 1, sizeof *column);
    m->shear_param = calloc(most + 1, sizeof *m->shear_param);
    m->shear = calloc(most * m->n + 1, sizeof *m->shear);
    if (!column || !m->shear_param || !m->shear) {
        free(column);
        return bw_fail_memory(err);
    }
    choose(m, column);
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_matrix *A = m->n_shear ? gsl_matrix_alloc(m->n_shear, m->n_shear) : NULL;
    if (A) {
        normal_matrix(m, column, A);
        if (gsl_linalg_cholesky_decomp1(A) == GSL_SUCCESS)
            solve(m, column, A);
        else
            m->n_shear = 0;
    } else {
        m->n_shear = 0;
    }
    gsl_matrix_free(A);
    gsl_set_error_handler(handler);
    for (size_t i = 0; i < m->n_shear; i++)
        m->param[m->shear_param[i]].sheared = true;
    free(column);
    return BW_OK;
}
