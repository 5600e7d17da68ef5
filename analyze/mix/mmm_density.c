/* analyze/mix/mmm_density.c - the log posterior of the mix model and its gradient, by hand.
 *
 * Three passes over geos and channels. First the media: adstock a, saturation s, and D_c, what a unit
 * of effect would earn, which turns ROAS or share into the effect B_c. Then the outcome: mean,
 * residual e = d loglik / d mu, and the gradients of everything linear (whose parameters are sheared
 * along the media, see mmm_shear). Last the way back through the
 * transforms: g = d loglik / d s holds the direct path and, for effects on ROAS or share, the path
 * through D; the gradient of adstock weights is a correlation of g with the media, whatever the form,
 * so only lags x parameters numbers remain to be chained. */
#include "analyze/mix/mmm_model.h"

#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double *media_of(const bw_mmm *m, size_t c, size_t g) {
    return m->x + (c * m->geos + g) * (m->pad + m->n) + m->pad;
}

void *mmm_scratch_new(const void *model) {
    const bw_mmm *m = model;
    size_t C = m->data->n_channel, CG = C * m->geos, n = m->n, CL = C * m->lags;
    scratch *sc = calloc(1, sizeof *sc);
    if (!sc)
        return NULL;
    const struct {
        double **into;
        size_t size;
    } arrays[] = {
        {&sc->natural, m->dim},
        {&sc->slope, m->dim},
        {&sc->grad, m->dim},
        {&sc->weight, CL},
        {&sc->d1, CL},
        {&sc->d2, CL},
        {&sc->corr, CL},
        {&sc->a, CG * n},
        {&sc->s, CG * n},
        {&sc->e, m->geos * n},
        {&sc->mix, m->geos * n},
        {&sc->sum_s, CG},
        {&sc->h, CG},
        {&sc->v, CG},
        {&sc->B, C},
        {&sc->D, C},
        {&sc->gB, C},
        {&sc->base, n},
        {&sc->mu, n},
        {&sc->gbase, n},
        {&sc->g, n},
        {&sc->u, n},
        {&sc->shift, bw_lanes_up(m->n_shear)},
        {&sc->moment, bw_lanes_up(m->n_shear)},
        {&sc->lift, 3 * m->lift_room},
    };
    size_t total = 0, count = sizeof arrays / sizeof *arrays;
    for (size_t i = 0; i < count; i++)
        total += bw_lanes_up(arrays[i].size);
    if (!(sc->block = calloc(total + 1, sizeof *sc->block))) {
        free(sc);
        return NULL;
    }
    double *at = sc->block;
    for (size_t i = 0; i < count; i++) {
        *arrays[i].into = at;
        at += bw_lanes_up(arrays[i].size);
    }
    return sc;
}

void mmm_scratch_free(void *room) {
    scratch *sc = room;
    if (sc)
        free(sc->block);
    free(sc);
}

void mmm_natural(const bw_mmm *m, scratch *sc, const double *q) {
    double dq;
    for (size_t i = 0; i < m->dim; i++)
        bw_prior_eval(&m->param[i].prior, q[i], &sc->natural[i], &sc->slope[i], &dq);
}

/* Step of one lag in weeks: carry-over is a rate per week whatever the period. */
static double lag_step(const bw_mmm *m) {
    return (double)m->data->period_days / 7.0;
}

static const double *params_at(const scratch *sc, size_t at) {
    static const double no_param[2] = {1.0, 1.0};
    return at == NONE ? no_param : sc->natural + at;
}

/* Of one channel: weights, adstocked and saturated media of every geo, and D. */
static void channel_media(const bw_mmm *m, scratch *sc, size_t c) {
    const channel *ch = &m->channel[c];
    double *w = sc->weight + c * m->lags;
    adstock_weights(ch->adstock, m->spec.normalise, lag_step(m), params_at(sc, ch->adstock_at),
                    m->lags, w, sc->d1 + c * m->lags, sc->d2 + c * m->lags);
    double eta = m->at_eta == NONE ? 0.0 : sc->natural[m->at_eta + c];
    sc->D[c] = 0;
    for (size_t g = 0; g < m->geos; g++) {
        size_t cg = c * m->geos + g;
        double *a = sc->a + cg * m->n, *s = sc->s + cg * m->n;
        bw_k_convolve(a, media_of(m, c, g), w, m->lags, m->n);
        saturate(ch->saturation, params_at(sc, ch->saturation_at), a, s, m->n);
        sc->v[cg] = m->at_eta == NONE ? 1.0 : exp(eta * sc->natural[m->at_z + cg]);
        sc->sum_s[cg] = bw_k_dot(s, m->live, m->n);
        sc->D[c] += m->geo_scale[g] * sc->v[cg] * sc->sum_s[cg];
    }
    double r = sc->natural[ch->effect];
    sc->B[c] = ch->money > 0 ? ch->money * r / sc->D[c] : r;
}

/* What all channels add to each geo, scaled. */
static void mix(const bw_mmm *m, scratch *sc) {
    size_t C = m->data->n_channel;
    for (size_t g = 0; g < m->geos; g++) {
        for (size_t c = 0; c < C; c++)
            sc->gB[c] = sc->B[c] * sc->v[c * m->geos + g];
        bw_k_mix(sc->mix + g * m->n, sc->gB, sc->s + g * m->n, m->geos * m->n, C, m->n);
    }
}

void mmm_media(const bw_mmm *m, scratch *sc) {
    for (size_t c = 0; c < m->data->n_channel; c++)
        channel_media(m, sc, c);
    mix(m, sc);
}

/* A knot's coefficient is kappa z when knots are pooled. */
double mmm_coefficient(const bw_mmm *m, const scratch *sc, size_t p) {
    double kappa = p >= m->knots_from && m->at_kappa != NONE ? sc->natural[m->at_kappa] : 1.0;
    return kappa * sc->natural[m->at_column + p];
}

double mmm_geo_control(const bw_mmm *m, const scratch *sc, size_t k, size_t g) {
    double gamma = sc->natural[m->at_control + k];
    if (m->at_xi == NONE)
        return gamma;
    return gamma + sc->natural[m->at_xi + k] * sc->natural[m->at_zc + k * m->geos + g];
}

void mmm_base(const bw_mmm *m, scratch *sc) {
    memset(sc->base, 0, m->n * sizeof *sc->base);
    for (size_t p = 0; p < m->columns; p++)
        mmm_column_add(m, p, mmm_coefficient(m, sc, p), sc->base);
}

void mmm_geo_mean(const bw_mmm *m, scratch *sc, size_t g) {
    size_t n = m->n;
    memcpy(sc->mu, sc->base, n * sizeof *sc->mu);
    if (m->at_tau != NONE && g > 0)
        bw_k_axpy(sc->mu, sc->natural[m->at_tau + g - 1], m->live, n);
    for (size_t k = 0; k < m->data->n_control; k++)
        bw_k_axpy(sc->mu, mmm_geo_control(m, sc, k, g), m->z + (k * m->geos + g) * n, n);
    bw_k_axpy(sc->mu, 1.0, sc->mix + g * n, n);
}

static double normal_likelihood(const bw_mmm *m, scratch *sc, size_t g) {
    size_t n = m->n;
    double sigma = sc->natural[m->at_sigma], inverse = 1.0 / (sigma * sigma);
    double *e = sc->e + g * n;
    double sum = bw_k_residual(e, m->y + g * n, sc->mu, m->w + g * n, n);
    double seen = bw_k_sum(m->w + g * n, n);
    for (size_t t = 0; t < n; t++)
        e[t] *= inverse;
    sc->grad[m->at_sigma] += (sum * inverse - seen) / sigma;
    return -0.5 * sum * inverse - seen * log(sigma);
}

static double student_likelihood(const bw_mmm *m, scratch *sc, size_t g) {
    double sigma = sc->natural[m->at_sigma], nu = sc->natural[m->at_nu], s2 = nu * sigma * sigma;
    const double *y = m->y + g * m->n, *w = m->w + g * m->n;
    double *e = sc->e + g * m->n, seen = 0, sum_log = 0, sum_ratio = 0;
    for (size_t t = 0; t < m->n; t++) {
        double r = y[t] - sc->mu[t], q = r * r / s2;
        e[t] = w[t] * (nu + 1.0) * r / (s2 + r * r);
        sum_log += w[t] * log1p(q);
        sum_ratio += w[t] * q / (1.0 + q);
        seen += w[t];
    }
    sc->grad[m->at_sigma] += ((nu + 1.0) * sum_ratio - seen) / sigma;
    sc->grad[m->at_nu] +=
        0.5 * (seen * (gsl_sf_psi(0.5 * (nu + 1.0)) - gsl_sf_psi(0.5 * nu) - 1.0 / nu) - sum_log +
               (nu + 1.0) / nu * sum_ratio);
    return seen * (gsl_sf_lngamma(0.5 * (nu + 1.0)) - gsl_sf_lngamma(0.5 * nu) - 0.5 * log(nu) -
                   log(sigma)) -
           0.5 * (nu + 1.0) * sum_log;
}

/* Mean, likelihood and linear gradients of one geo. */
static double geo_outcome(const bw_mmm *m, scratch *sc, size_t g) {
    size_t n = m->n;
    mmm_geo_mean(m, sc, g);
    double lp = m->at_nu == NONE ? normal_likelihood(m, sc, g) : student_likelihood(m, sc, g);
    const double *e = sc->e + g * n;
    bw_k_axpy(sc->gbase, 1.0, e, n);
    if (m->at_tau != NONE && g > 0)
        sc->grad[m->at_tau + g - 1] += bw_k_dot(e, m->live, n);
    for (size_t k = 0; k < m->data->n_control; k++) {
        double d = bw_k_dot(e, m->z + (k * m->geos + g) * n, n);
        sc->grad[m->at_control + k] += d;
        if (m->at_xi != NONE) {
            size_t at = m->at_zc + k * m->geos + g;
            sc->grad[m->at_xi + k] += d * sc->natural[at];
            sc->grad[at] += d * sc->natural[m->at_xi + k];
        }
    }
    return lp;
}

/* h and gB from e, which the shear has changed. */
static void media_gradient(const bw_mmm *m, scratch *sc) {
    for (size_t c = 0; c < m->data->n_channel; c++)
        for (size_t g = 0; g < m->geos; g++) {
            size_t cg = c * m->geos + g;
            sc->h[cg] = bw_k_dot(sc->e + g * m->n, sc->s + cg * m->n, m->n);
            sc->gB[c] += sc->v[cg] * sc->h[cg];
        }
}

static void base_gradient(const bw_mmm *m, scratch *sc) {
    for (size_t p = 0; p < m->columns; p++) {
        double d = mmm_column_dot(m, p, sc->gbase);
        size_t at = m->at_column + p;
        if (p >= m->knots_from && m->at_kappa != NONE) {
            sc->grad[m->at_kappa] += d * sc->natural[at];
            d *= sc->natural[m->at_kappa];
        }
        sc->grad[at] += d;
    }
}

/* The gradient g [n] with respect to s of one series, through saturation and adstock. */
static void series_back(const bw_mmm *m, scratch *sc, size_t c, double *g, const double *x,
                        const double *a, const double *s, size_t n) {
    const channel *ch = &m->channel[c];
    double none[2], *gpar = ch->saturation_at == NONE ? none : sc->grad + ch->saturation_at;
    saturate_back(ch->saturation, params_at(sc, ch->saturation_at), a, s, g, gpar, n);
    bw_k_correlate(sc->corr + c * m->lags, g, x, m->lags, n);
}

/* Money that a test should have measured: effect * (with - without) over its window. Returns the sum
 * over the window of S(with) - S(without), leaving what the way back needs in sc->lift. */
static double lift_forward(const bw_mmm *m, scratch *sc, const lift_series *ls, const double *x,
                           double *a, double *s) {
    const channel *ch = &m->channel[ls->channel];
    bw_k_convolve(a, x + m->lags - 1, sc->weight + ls->channel * m->lags, m->lags, ls->n);
    saturate(ch->saturation, params_at(sc, ch->saturation_at), a, s, ls->n);
    return bw_k_dot(s, ls->live, ls->n);
}

static void lift_back(const bw_mmm *m, scratch *sc, const lift_series *ls, const double *x,
                      double factor) {
    double *a = sc->lift, *s = a + m->lift_room, *g = s + m->lift_room;
    lift_forward(m, sc, ls, x, a, s);
    memset(g, 0, ls->n * sizeof *g);
    bw_k_axpy(g, factor, ls->live, ls->n);
    series_back(m, sc, ls->channel, g, x + m->lags - 1, a, s, ls->n);
}

/* gv [channels * geos] collects d / dv beyond the outcome's. */
static double lift_likelihood(const bw_mmm *m, scratch *sc, const lift_term *lt) {
    double predicted = 0, *a = sc->lift, *s = a + m->lift_room;
    for (size_t i = lt->first; i < lt->first + lt->count; i++) {
        const lift_series *ls = &m->lift_series[i];
        size_t cg = ls->channel * m->geos + ls->geo;
        double d =
            lift_forward(m, sc, ls, ls->with, a, s) - lift_forward(m, sc, ls, ls->without, a, s);
        predicted += m->geo_scale[ls->geo] * sc->B[ls->channel] * sc->v[cg] * d;
    }
    double z = (lt->effect - predicted) / lt->sd, dp = z / lt->sd;
    for (size_t i = lt->first; i < lt->first + lt->count; i++) {
        const lift_series *ls = &m->lift_series[i];
        size_t cg = ls->channel * m->geos + ls->geo;
        double d =
            lift_forward(m, sc, ls, ls->with, a, s) - lift_forward(m, sc, ls, ls->without, a, s);
        double money = dp * m->geo_scale[ls->geo];
        sc->gB[ls->channel] += money * sc->v[cg] * d;
        sc->h[cg] += money * d; /* h v = d/d log v / B, as for the outcome */
        double factor = money * sc->B[ls->channel] * sc->v[cg];
        lift_back(m, sc, ls, ls->with, factor);
        lift_back(m, sc, ls, ls->without, -factor);
    }
    return -0.5 * z * z;
}

/* Effects, geo effects, saturation and adstock of one channel. */
static void channel_back(const bw_mmm *m, scratch *sc, size_t c) {
    const channel *ch = &m->channel[c];
    double B = sc->B[c], dD = 0;
    if (ch->money > 0) {
        sc->grad[ch->effect] += sc->gB[c] * ch->money / sc->D[c];
        dD = -sc->gB[c] * B / sc->D[c];
    } else {
        sc->grad[ch->effect] += sc->gB[c];
    }
    for (size_t g = 0; g < m->geos; g++) {
        size_t cg = c * m->geos + g;
        double through_D = dD * m->geo_scale[g] * sc->v[cg];
        if (m->at_eta != NONE) {
            double gv = (B * sc->h[cg] + dD * m->geo_scale[g] * sc->sum_s[cg]) * sc->v[cg];
            sc->grad[m->at_eta + c] += gv * sc->natural[m->at_z + cg];
            sc->grad[m->at_z + cg] += gv * sc->natural[m->at_eta + c];
        }
        bw_k_affine(sc->g, B * sc->v[cg], sc->e + g * m->n, through_D, m->live, m->n);
        series_back(m, sc, c, sc->g, media_of(m, c, g), sc->a + cg * m->n, sc->s + cg * m->n, m->n);
    }
    if (ch->adstock_at == NONE)
        return;
    const double *corr = sc->corr + c * m->lags, *d1 = sc->d1 + c * m->lags,
                 *d2 = sc->d2 + c * m->lags;
    for (size_t l = 0; l < m->lags; l++) {
        sc->grad[ch->adstock_at] += corr[l] * d1[l];
        if (adstock_params(ch->adstock) > 1)
            sc->grad[ch->adstock_at + 1] += corr[l] * d2[l];
    }
}

static double priors(const bw_mmm *m, scratch *sc, const double *q, double *grad) {
    double lp = 0;
    for (size_t i = 0; i < m->dim; i++) {
        double own =
            bw_prior_eval(&m->param[i].prior, q[i], &sc->natural[i], &sc->slope[i], &grad[i]);
        if (m->param[i].sheared) /* its prior holds for another value, see shear_back */
            grad[i] = 0.0;
        else
            lp += own;
    }
    return lp;
}

double mmm_eval(const void *model, void *room, const double *q, double *grad) {
    const bw_mmm *m = model;
    scratch *sc = room;
    double lp = priors(m, sc, q, grad);
    memset(sc->grad, 0, m->dim * sizeof *sc->grad);
    memset(sc->corr, 0, m->data->n_channel * m->lags * sizeof *sc->corr);
    memset(sc->gbase, 0, m->n * sizeof *sc->gbase);
    mmm_media(m, sc);
    memset(sc->gB, 0, m->data->n_channel * sizeof *sc->gB); /* it was scratch of the media */
    mmm_shear(m, sc);
    mmm_base(m, sc);
    for (size_t g = 0; g < m->geos; g++)
        lp += geo_outcome(m, sc, g);
    base_gradient(m, sc);
    lp += mmm_shear_back(m, sc);
    media_gradient(m, sc);
    for (size_t i = 0; i < m->n_lift; i++)
        lp += lift_likelihood(m, sc, &m->lift[i]);
    for (size_t c = 0; c < m->data->n_channel; c++)
        channel_back(m, sc, c);
    for (size_t i = 0; i < m->dim; i++)
        grad[i] += sc->grad[i] * sc->slope[i];
    return lp;
}
