/* analyze/mix/mmm.c - a mix model's life, and what others may ask about it. Scales and design are in
 * mmm_design.c, parameters in mmm_params.c, the density in mmm_density.c. */
#include "analyze/mix/mmm_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add_part(bw_mmm *m, const char *prefix, const char *name) {
    size_t size = strlen(prefix) + strlen(name) + 1;
    char *text = malloc(size);
    if (text)
        snprintf(text, size, "%s%s", prefix, name);
    m->part[m->n_part] = text;
    m->n_part += text != NULL;
    return text != NULL;
}

static bw_status name_parts(bw_mmm *m, bw_err *err) {
    const bw_mmm_data *d = m->data;
    m->part = calloc(d->n_channel + 3 + d->n_event + d->n_control, sizeof *m->part);
    bool ok = m->part != NULL;
    for (size_t c = 0; ok && c < d->n_channel; c++)
        ok = add_part(m, "", d->channel[c]);
    ok = ok && add_part(m, "_baseline", "") && add_part(m, "_trend", "") &&
         add_part(m, "_season", "");
    for (size_t e = 0; ok && e < d->n_event; e++)
        ok = add_part(m, "_event:", d->event_name[e]);
    for (size_t k = 0; ok && k < d->n_control; k++)
        ok = add_part(m, "_control:", d->control_name[k]);
    return ok ? BW_OK : bw_fail_memory(err);
}

static bw_status allocate(bw_mmm *m, bw_err *err) {
    const bw_mmm_data *d = m->data;
    size_t room = mmm_design_room(m), CG = d->n_channel * m->geos;
    m->y = calloc(m->geos * m->n, sizeof(double));
    m->w = calloc(m->geos * m->n, sizeof(double));
    m->live = calloc(m->n, sizeof(double));
    m->x = calloc(CG * (m->pad + m->n) + 1, sizeof(double));
    m->unit = calloc(CG + 1, sizeof(double));
    m->z = calloc(d->n_control * m->geos * m->n + 1, sizeof(double));
    m->design = calloc(room * m->n, sizeof(double));
    m->column_part = calloc(room, sizeof *m->column_part);
    m->column_event = calloc(room, sizeof *m->column_event);
    m->column_from = calloc(room, sizeof *m->column_from);
    m->column_to = calloc(room, sizeof *m->column_to);
    m->entries = calloc(room + 1, sizeof *m->entries);
    m->entry_time = calloc(room * m->n, sizeof *m->entry_time);
    m->entry_value = calloc(room * m->n, sizeof *m->entry_value);
    m->geo_scale = calloc(m->geos, sizeof(double));
    m->channel = calloc(d->n_channel + 1, sizeof *m->channel);
    m->lift = calloc(d->n_lift + 1, sizeof *m->lift);
    m->lift_series = calloc(d->n_lift * m->geos + 1, sizeof *m->lift_series);
    return m->y && m->w && m->live && m->x && m->unit && m->z && m->design && m->column_part &&
                   m->column_event && m->column_from && m->column_to && m->entries &&
                   m->entry_time && m->entry_value && m->geo_scale && m->channel && m->lift &&
                   m->lift_series
               ? BW_OK
               : bw_fail_memory(err);
}

static bw_status build(bw_mmm *m, bw_err *err) {
    bw_status st = allocate(m, err);
    if (st == BW_OK)
        st = mmm_scale(m, err);
    if (st != BW_OK)
        return st;
    mmm_fill_design(m);
    st = mmm_add_params(m, err);
    if (st == BW_OK)
        st = mmm_build_shear(m, err);
    if (st == BW_OK)
        st = mmm_build_lift(m, err);
    return st == BW_OK ? name_parts(m, err) : st;
}

bw_status bw_mmm_new(const bw_mmm_data *data, const bw_mmm_spec *spec, bw_mmm **out, bw_err *err) {
    *out = NULL;
    if (spec->lags < 1 || spec->lags > MAX_LAGS)
        return bw_fail(err, BW_EARG, "%zu lags; between 1 and %d are possible", spec->lags,
                       MAX_LAGS);
    bw_mmm *m = calloc(1, sizeof *m);
    if (!m)
        return bw_fail_memory(err);
    m->data = data;
    m->spec = *spec;
    m->geos = data->n_geo;
    m->n = bw_lanes_up(data->n_time);
    m->lags = spec->lags;
    m->pad = bw_lanes_up(m->lags);
    bw_status st = build(m, err);
    if (st != BW_OK) {
        bw_mmm_free(m);
        return st;
    }
    *out = m;
    return BW_OK;
}

void bw_mmm_free(bw_mmm *m) {
    if (!m)
        return;
    for (size_t i = 0; i < m->n_lift_series; i++)
        free(m->lift_series[i].with);
    for (size_t i = 0; i < m->n_part; i++)
        free(m->part[i]);
    free(m->y);
    free(m->w);
    free(m->live);
    free(m->x);
    free(m->unit);
    free(m->z);
    free(m->design);
    free(m->column_part);
    free(m->column_event);
    free(m->column_from);
    free(m->column_to);
    free(m->entries);
    free(m->entry_time);
    free(m->entry_value);
    free(m->geo_scale);
    free(m->shear);
    free(m->shear_param);
    free(m->channel);
    free(m->lift);
    free(m->lift_series);
    free(m->param);
    free(m->part);
    free(m);
}

void bw_mmm_hold_out(bw_mmm *m, size_t first, size_t last) {
    for (size_t g = 0; g < m->geos; g++)
        for (size_t t = first; t < last; t++)
            m->w[g * m->n + t] = 0.0;
}

bw_density bw_mmm_density(const bw_mmm *m) {
    return (bw_density){m->dim, m, mmm_eval, mmm_scratch_new, mmm_scratch_free};
}

size_t bw_mmm_dim(const bw_mmm *m) {
    return m->dim;
}

const char *bw_mmm_param_name(const bw_mmm *m, size_t i, const char **subject) {
    if (subject)
        *subject = m->param[i].subject;
    return m->param[i].name;
}

const bw_prior *bw_mmm_param_prior(const bw_mmm *m, size_t i) {
    return &m->param[i].prior;
}

size_t bw_mmm_shared(const bw_mmm *m, size_t *index) {
    size_t n = 0, effects = m->data->n_channel * m->geos, controls = m->data->n_control * m->geos;
    for (size_t i = 0; i < m->dim; i++) {
        bool of_geo = (m->at_z != NONE && i >= m->at_z && i < m->at_z + effects) ||
                      (m->at_zc != NONE && i >= m->at_zc && i < m->at_zc + controls);
        if (!of_geo)
            index[n++] = i;
    }
    return n;
}

size_t bw_mmm_observations(const bw_mmm *m) {
    double seen = 0;
    for (size_t g = 0; g < m->geos; g++)
        seen += bw_k_sum(m->w + g * m->n, m->n);
    return (size_t)lround(seen);
}

void bw_mmm_start(const bw_mmm *m, double *q) {
    for (size_t i = 0; i < m->dim; i++)
        q[i] = bw_prior_free(&m->param[i].prior, bw_prior_centre(&m->param[i].prior));
    if (m->knots_from > 0 && m->column_part[0] == PART_BASELINE) {
        double seen = (double)bw_mmm_observations(m), sum = 0;
        for (size_t g = 0; g < m->geos; g++)
            sum += bw_k_dot(m->y + g * m->n, m->w + g * m->n, m->n);
        q[m->at_column] = seen > 0 ? sum / seen : 0.0;
    }
}

const char *bw_mmm_part_name(const bw_mmm *m, size_t i) {
    return m->part[i];
}

size_t bw_mmm_parts(const bw_mmm *m) {
    return m->n_part;
}
