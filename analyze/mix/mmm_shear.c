/* analyze/mix/mmm_shear.c - the baseline moves with the media.
 *
 * The parameters that the sampler moves are not the baseline's coefficients theta but
 *
 *   phi = theta + A^-1 X' W M,   A = X' W X + ridge,
 *
 * M what all media add, X the columns of the baseline: theta plus the regression of the media on the
 * baseline, which is what the baseline would be without media. Given phi, the baseline hardly depends
 * on how much the media earn, and the sampler needs no narrow curved path between the two. The
 * Jacobian is one, and any A would be correct; this one makes the steps long.
 *
 * Sheared are the coefficients with a normal or Laplace prior: columns of the design that all geos
 * share (events are not: they are short), controls, and the geos' own levels. */
#include "analyze/mix/mmm_model.h"

#include "analyze/gsl_errors.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <stdlib.h>
#include <string.h>

#define NOISE 0.1 /* of the scaled outcome: how much the priors count in A */

/* ---- columns ---- */

double mmm_column_dot(const bw_mmm *m, size_t p, const double *v) {
    size_t from = m->column_from[p], first = m->entries[p], last = m->entries[p + 1];
    if (first == last)
        return bw_k_dot(v + from, m->design + p * m->n + from, m->column_to[p] - from);
    double sum = 0;
    for (size_t i = first; i < last; i++)
        sum += v[m->entry_time[i]] * m->entry_value[i];
    return sum;
}

void mmm_column_add(const bw_mmm *m, size_t p, double b, double *y) {
    size_t from = m->column_from[p], first = m->entries[p], last = m->entries[p + 1];
    for (size_t i = first; i < last; i++)
        y[m->entry_time[i]] += b * m->entry_value[i];
    if (first == last)
        bw_k_axpy(y + from, b, m->design + p * m->n + from, m->column_to[p] - from);
}

typedef enum { SHARED, CONTROL, LEVEL } shear_kind;

/* What parameter i of the sheared ones multiplies, and which column, control or geo. */
static shear_kind kind_of(const bw_mmm *m, size_t i, size_t *which) {
    size_t at = m->shear_param[i];
    if (at >= m->at_column && at < m->at_column + m->columns) {
        *which = at - m->at_column;
        return SHARED;
    }
    if (at >= m->at_control && at < m->at_control + m->data->n_control) {
        *which = at - m->at_control;
        return CONTROL;
    }
    *which = at - m->at_tau + 1;
    return LEVEL;
}

/* Its series in geo g; NULL where that is zero. */
static const double *series_of(const bw_mmm *m, size_t i, size_t g) {
    size_t which;
    switch (kind_of(m, i, &which)) {
    case SHARED:
        return m->design + which * m->n;
    case CONTROL:
        return m->z + (which * m->geos + g) * m->n;
    default:
        return which == g ? m->live : NULL;
    }
}

/* ---- the regression ---- */

static bool moves(const bw_mmm *m, size_t i) {
    bw_prior_kind kind = m->param[i].prior.kind;
    return kind == BW_PRIOR_NORMAL || kind == BW_PRIOR_LAPLACE;
}

static void choose(bw_mmm *m) {
    for (size_t p = 0; p < m->columns; p++)
        if (m->column_part[p] != PART_EVENT && moves(m, m->at_column + p))
            m->shear_param[m->n_shear++] = m->at_column + p;
    for (size_t k = 0; k < m->data->n_control; k++)
        if (moves(m, m->at_control + k))
            m->shear_param[m->n_shear++] = m->at_control + k;
    for (size_t g = 1; g < m->geos && m->at_tau != NONE; g++)
        if (moves(m, m->at_tau + g - 1))
            m->shear_param[m->n_shear++] = m->at_tau + g - 1;
}

static double triple(const double *w, const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t t = 0; t < n && a && b; t++)
        sum += w[t] * a[t] * b[t];
    return sum;
}

/* sum over geos and periods of w x_i x_j; all_w [n]: w summed over geos. */
static double moment(const bw_mmm *m, const double *all_w, size_t i, size_t j) {
    size_t which;
    if (kind_of(m, i, &which) == SHARED && kind_of(m, j, &which) == SHARED)
        return triple(all_w, series_of(m, i, 0), series_of(m, j, 0), m->n);
    double sum = 0;
    for (size_t g = 0; g < m->geos; g++)
        sum += triple(m->w + g * m->n, series_of(m, i, g), series_of(m, j, g), m->n);
    return sum;
}

static bool pooled_knot(const bw_mmm *m, size_t i) {
    return m->at_kappa != NONE && m->shear_param[i] >= m->at_column + m->knots_from &&
           m->shear_param[i] < m->at_column + m->columns;
}

static void normal_matrix(const bw_mmm *m, double *all_w, gsl_matrix *A) {
    for (size_t g = 0; g < m->geos; g++)
        bw_k_axpy(all_w, 1.0, m->w + g * m->n, m->n);
    for (size_t i = 0; i < m->n_shear; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = moment(m, all_w, i, j);
            double sd = pooled_knot(m, i) ? bw_prior_centre(&m->spec.kappa)
                                          : m->param[m->shear_param[i]].prior.b;
            gsl_matrix_set(A, i, j, sum + (i == j ? NOISE * NOISE / (sd * sd) : 0.0));
            gsl_matrix_set(A, j, i, gsl_matrix_get(A, i, j));
        }
}

/* m->shear := A^-1; false when A has none. */
static bool invert(bw_mmm *m, double *all_w) {
    gsl_matrix *A = gsl_matrix_alloc(m->n_shear, m->n_shear);
    bool ok = A != NULL;
    if (ok) {
        normal_matrix(m, all_w, A);
        ok = gsl_linalg_cholesky_decomp1(A) == GSL_SUCCESS &&
             gsl_linalg_cholesky_invert(A) == GSL_SUCCESS;
    }
    size_t stride = bw_lanes_up(m->n_shear);
    for (size_t i = 0; ok && i < m->n_shear; i++)
        for (size_t j = 0; j < m->n_shear; j++)
            m->shear[i * stride + j] = gsl_matrix_get(A, i, j);
    gsl_matrix_free(A);
    return ok;
}

bw_status mmm_build_shear(bw_mmm *m, bw_err *err) {
    size_t most = m->columns + m->data->n_control + m->geos, stride = bw_lanes_up(most);
    double *all_w = calloc(m->n, sizeof *all_w);
    m->shear_param = calloc(most, sizeof *m->shear_param);
    m->shear = calloc(most * stride, sizeof *m->shear);
    if (!all_w || !m->shear_param || !m->shear) {
        free(all_w);
        return bw_fail_memory(err);
    }
    choose(m);
    bw_gsl_returns_errors();
    if (m->n_shear && !invert(m, all_w))
        m->n_shear = 0;
    for (size_t i = 0; i < m->n_shear; i++)
        m->param[m->shear_param[i]].sheared = true;
    free(all_w);
    return BW_OK;
}

/* ---- forward and back ---- */

/* What one unit of the i-th sheared parameter is as a coefficient: kappa for pooled knots. */
static double shear_unit(const bw_mmm *m, const scratch *sc, size_t i) {
    return pooled_knot(m, i) ? sc->natural[m->at_kappa] : 1.0;
}

/* sc->shift := A^-1 sc->moment. */
static void regress(const bw_mmm *m, scratch *sc) {
    size_t stride = bw_lanes_up(m->n_shear);
    for (size_t i = 0; i < m->n_shear; i++)
        sc->shift[i] = bw_k_dot(m->shear + i * stride, sc->moment, stride);
}

/* sc->moment := X' W M. */
static void media_moments(const bw_mmm *m, scratch *sc) {
    size_t n = m->n, which;
    memset(sc->u, 0, n * sizeof *sc->u);
    memset(sc->moment, 0, bw_lanes_up(m->n_shear) * sizeof *sc->moment);
    for (size_t g = 0; g < m->geos; g++) {
        memset(sc->g, 0, n * sizeof *sc->g);
        bw_k_add_product(sc->g, m->w + g * n, sc->mix + g * n, n);
        bw_k_axpy(sc->u, 1.0, sc->g, n);
        for (size_t i = 0; i < m->n_shear; i++) {
            shear_kind kind = kind_of(m, i, &which);
            if (kind == CONTROL)
                sc->moment[i] += bw_k_dot(series_of(m, i, g), sc->g, n);
            else if (kind == LEVEL && which == g)
                sc->moment[i] = bw_k_sum(sc->g, n);
        }
    }
    for (size_t i = 0; i < m->n_shear; i++)
        if (kind_of(m, i, &which) == SHARED)
            sc->moment[i] = mmm_column_dot(m, which, sc->u);
}

void mmm_shear(const bw_mmm *m, scratch *sc) {
    if (m->n_shear == 0)
        return;
    media_moments(m, sc);
    regress(m, sc);
    for (size_t i = 0; i < m->n_shear; i++) {
        sc->shift[i] /= shear_unit(m, sc, i);
        sc->natural[m->shear_param[i]] -= sc->shift[i];
    }
}

/* e := e - w X c, c in sc->shift. */
static void subtract_columns(const bw_mmm *m, scratch *sc) {
    size_t n = m->n, which;
    memset(sc->u, 0, n * sizeof *sc->u);
    for (size_t i = 0; i < m->n_shear; i++)
        if (kind_of(m, i, &which) == SHARED)
            mmm_column_add(m, which, -sc->shift[i], sc->u);
    for (size_t g = 0; g < m->geos; g++) {
        memcpy(sc->g, sc->u, n * sizeof *sc->g);
        for (size_t i = 0; i < m->n_shear; i++) {
            shear_kind kind = kind_of(m, i, &which);
            if (kind == CONTROL || (kind == LEVEL && which == g))
                bw_k_axpy(sc->g, -sc->shift[i], series_of(m, i, g), n);
        }
        bw_k_add_product(sc->e + g * n, m->w + g * n, sc->g, n);
    }
}

double mmm_shear_back(const bw_mmm *m, scratch *sc) {
    double lp = 0, x, slope, dq;
    if (m->n_shear == 0)
        return lp;
    for (size_t i = 0; i < m->n_shear; i++) {
        size_t at = m->shear_param[i];
        lp += bw_prior_eval(&m->param[at].prior, sc->natural[at], &x, &slope, &dq);
        double unit = shear_unit(m, sc, i);
        sc->grad[at] += dq;
        if (unit != 1.0)
            sc->grad[m->at_kappa] += sc->grad[at] * sc->shift[i] / unit;
        sc->moment[i] = sc->grad[at] / unit;
    }
    regress(m, sc);
    subtract_columns(m, sc);
    return lp;
}
