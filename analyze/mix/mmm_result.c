/* analyze/mix/mmm_result.c - what one draw of the parameters says in money: parts of each period, effects,
 * returns at the margin, half-lives, response curves. */
#include "analyze/mix/mmm_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bw_status bw_mmm_result_alloc(const bw_mmm *m, bw_mmm_result *r, bw_err *err) {
    size_t C = m->data->n_channel, T = m->data->n_time;
    *r = (bw_mmm_result){.n_time = T, .n_channel = C, .n_part = m->n_part};
    r->part = malloc((m->n_part * T + T + 6 * C + 1) * sizeof(double));
    if (!r->part)
        return bw_fail_memory(err);
    r->fitted = r->part + m->n_part * T;
    r->contribution = r->fitted + T;
    r->marginal = r->contribution + C;
    r->effect = r->marginal + C;
    r->rate = r->effect + C;
    r->scale = r->rate + C;
    r->half_life = r->scale + C;
    return BW_OK;
}

void bw_mmm_result_free(bw_mmm_result *r) {
    free(r->part);
    *r = (bw_mmm_result){0};
}

/* Lag in weeks by which half of the effect has come: exact for a geometric decay without end,
 * interpolated in the running sum of weights for the other forms. */
static double half_life(const bw_mmm *m, const scratch *sc, size_t c) {
    const channel *ch = &m->channel[c];
    if (ch->adstock == BW_ADSTOCK_NONE)
        return 0.0;
    if (ch->adstock == BW_ADSTOCK_GEOMETRIC)
        return -M_LN2 / log(sc->natural[ch->adstock_at]);
    const double *w = sc->weight + c * m->lags;
    double all = 0, sum = 0, step = m->data->period_days / 7.0;
    for (size_t l = 0; l < m->lags; l++)
        all += w[l];
    for (size_t l = 0; l < m->lags; l++) {
        if (sum + w[l] >= 0.5 * all)
            return step * ((double)l + (0.5 * all - sum) / w[l]);
        sum += w[l];
    }
    return step * (double)m->lags;
}

/* Adds factor * v to a part, period by period. */
static void add_to(double *part, double factor, const double *v, size_t n_time) {
    for (size_t t = 0; t < n_time; t++)
        part[t] += factor * v[t];
}

static void channel_result(const bw_mmm *m, scratch *sc, size_t c, bw_mmm_result *r) {
    const channel *ch = &m->channel[c];
    double none[2] = {0}, par[2] = {1, 1};
    r->contribution[c] = r->marginal[c] = r->effect[c] = 0;
    if (ch->saturation_at != NONE)
        memcpy(par, sc->natural + ch->saturation_at,
               saturation_params(ch->saturation) * sizeof *par);
    for (size_t g = 0; g < m->geos; g++) {
        size_t cg = c * m->geos + g;
        double money = m->geo_scale[g] * sc->B[c] * sc->v[cg];
        const double *a = sc->a + cg * m->n, *s = sc->s + cg * m->n;
        add_to(r->part + c * r->n_time, money, s, r->n_time);
        r->contribution[c] += money * sc->sum_s[cg];
        r->effect[c] += money;
        memcpy(sc->g, m->live, m->n * sizeof *sc->g);
        saturate_back(ch->saturation, par, a, s, sc->g, none, m->n);
        r->marginal[c] += money * bw_k_dot(sc->g, a, m->n);
    }
    r->rate[c] = ch->adstock_at == NONE ? NAN : sc->natural[ch->adstock_at];
    r->scale[c] = ch->saturation_at == NONE ? NAN : sc->natural[ch->saturation_at];
    r->half_life[c] = half_life(m, sc, c);
}

static size_t column_part(const bw_mmm *m, size_t p) {
    size_t C = m->data->n_channel;
    return m->column_part[p] == PART_EVENT ? C + 3 + m->column_event[p]
                                           : C + (size_t)m->column_part[p];
}

static void baseline_result(const bw_mmm *m, scratch *sc, bw_mmm_result *r) {
    size_t T = r->n_time, C = m->data->n_channel, first_control = C + 3 + m->data->n_event;
    double money = 0;
    for (size_t g = 0; g < m->geos; g++)
        money += m->geo_scale[g];
    for (size_t p = 0; p < m->columns; p++)
        add_to(r->part + column_part(m, p) * T, money * mmm_coefficient(m, sc, p),
               m->design + p * m->n, T);
    add_to(r->part + C * T, money * m->shift, m->live, T);
    for (size_t g = 0; g < m->geos; g++) {
        if (m->at_tau != NONE && g > 0)
            add_to(r->part + C * T, m->geo_scale[g] * sc->natural[m->at_tau + g - 1], m->live, T);
        for (size_t k = 0; k < m->data->n_control; k++)
            add_to(r->part + (first_control + k) * T,
                   m->geo_scale[g] * mmm_geo_control(m, sc, k, g), m->z + (k * m->geos + g) * m->n,
                   T);
    }
}

void bw_mmm_forward(const bw_mmm *m, void *room, const double *q, bw_mmm_result *r) {
    scratch *sc = room;
    mmm_natural(m, sc, q);
    mmm_media(m, sc);
    mmm_shear(m, sc);
    memset(r->part, 0, r->n_part * r->n_time * sizeof *r->part);
    for (size_t c = 0; c < r->n_channel; c++)
        channel_result(m, sc, c, r);
    baseline_result(m, sc, r);
    memset(r->fitted, 0, r->n_time * sizeof *r->fitted);
    for (size_t i = 0; i < r->n_part; i++)
        add_to(r->fitted, 1.0, r->part + i * r->n_time, r->n_time);
    double squares = 0;
    for (size_t g = 0; g < m->geos; g++)
        squares += m->geo_scale[g] * m->geo_scale[g];
    r->sigma_scaled = sc->natural[m->at_sigma];
    r->sigma = r->sigma_scaled * sqrt(squares);
    r->nu = m->at_nu == NONE ? INFINITY : sc->natural[m->at_nu];
}

void bw_mmm_add_fitted(const bw_mmm *m, void *room, double *out) {
    scratch *sc = room;
    mmm_base(m, sc);
    for (size_t g = 0; g < m->geos; g++) {
        mmm_geo_mean(m, sc, g);
        for (size_t t = 0; t < m->data->n_time; t++)
            out[g * m->data->n_time + t] += m->geo_scale[g] * (sc->mu[t] + m->shift);
    }
}

void bw_mmm_natural(const bw_mmm *m, void *room, const double *q, double *out) {
    scratch *sc = room;
    mmm_natural(m, sc, q);
    mmm_media(m, sc);
    mmm_shear(m, sc);
    memcpy(out, sc->natural, m->dim * sizeof *out);
}

double bw_mmm_spend_max(const bw_mmm *m, size_t c) {
    size_t T = m->data->n_time;
    double top = 0;
    for (size_t t = 0; t < T; t++) {
        double sum = 0;
        for (size_t g = 0; g < m->geos; g++)
            sum += m->data->spend[(c * m->geos + g) * T + t];
        top = fmax(top, sum);
    }
    return top;
}

size_t bw_mmm_geos(const bw_mmm *m) {
    return m->geos;
}

void bw_mmm_channel_response(const bw_mmm *m, void *scratch_room, size_t c, const double *q,
                             double *room, bw_channel_response *out) {
    scratch *sc = scratch_room;
    const channel *ch = &m->channel[c];
    size_t T = m->data->n_time, G = m->geos;
    double all = mmm_total(m->data->spend + c * G * T, G * T), per_money = ch->per_money;
    mmm_natural(m, sc, q);
    mmm_media(m, sc);
    *out = (bw_channel_response){.saturation = ch->saturation,
                                 .scale = 1,
                                 .shape = 1,
                                 .lags = m->lags,
                                 .geos = G,
                                 .effect = room,
                                 .unit = room + G,
                                 .share = room + 2 * G};
    if (ch->saturation_at != NONE)
        out->scale = sc->natural[ch->saturation_at];
    if (ch->saturation == BW_SATURATION_HILL)
        out->shape = sc->natural[ch->saturation_at + 1];
    memcpy(out->weight, sc->weight + c * m->lags, m->lags * sizeof(double));
    for (size_t g = 0; g < G; g++) {
        size_t cg = c * G + g;
        double spend = mmm_total(m->data->spend + cg * T, T);
        out->effect[g] = m->geo_scale[g] * sc->B[c] * sc->v[cg];
        out->unit[g] = per_money > 0 ? m->unit[cg] / per_money : m->unit[cg];
        out->share[g] = all > 0 ? spend / all : 1.0 / (double)G;
    }
}

void bw_mmm_response(const bw_mmm *m, void *room, size_t c, const double *q, const double *money,
                     size_t n, double *out) {
    bw_channel_response r;
    scratch *sc = room;
    double slope;
    bw_mmm_channel_response(m, room, c, q, sc->e, &r); /* e is free between evaluations */
    double weight = mmm_total(r.weight, r.lags);
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        for (size_t g = 0; g < r.geos; g++)
            out[i] += r.effect[g] * bw_saturation_value(r.saturation,
                                                        weight * money[i] * r.share[g] / r.unit[g],
                                                        r.scale, r.shape, &slope);
    }
}
