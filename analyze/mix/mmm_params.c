/* analyze/mix/mmm_params.c - the table of parameters: for each its name, subject and prior, in the order
 * channels, baseline, controls, geos, noise. */
#include "analyze/mix/mmm_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t add_param(bw_mmm *m, const char *name, const char *subject, bw_prior prior) {
    param *p = &m->param[m->dim];
    snprintf(p->name, sizeof p->name, "%s", name);
    p->subject = subject;
    p->prior = prior;
    return m->dim++;
}

/* The value behind "NAME=" in a list "a=x,b=y", copied to out; false when NAME is not in it. */
static bool listed(const char *list, const char *name, char *out, size_t size) {
    size_t len = strlen(name);
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            snprintf(out, size, "%.*s", (int)strcspn(at + len + 1, ","), at + len + 1);
            return true;
        }
    return false;
}

static bw_status choose_forms(bw_mmm *m, size_t c, bw_err *err) {
    const char *name = m->data->channel[c];
    char value[32];
    m->channel[c].adstock = m->spec.adstock;
    m->channel[c].saturation = m->spec.saturation;
    if (listed(m->spec.adstock_of, name, value, sizeof value) &&
        !bw_adstock_named(value, &m->channel[c].adstock))
        return bw_fail(err, BW_EARG, "channel %s: no adstock '%s'", name, value);
    if (listed(m->spec.saturation_of, name, value, sizeof value) &&
        !bw_saturation_named(value, &m->channel[c].saturation))
        return bw_fail(err, BW_EARG, "channel %s: no saturation '%s'", name, value);
    return BW_OK;
}

/* All paid media, all geos; the outcome with unknown periods at their mean. */
static void totals(const bw_mmm *m, double *spend, double *outcome) {
    size_t GT = m->geos * m->data->n_time;
    *spend = *outcome = 0;
    for (size_t c = 0; c < m->data->n_channel; c++)
        if (m->data->paid[c])
            *spend += mmm_total(m->data->spend + c * GT, GT);
    for (size_t g = 0; g < m->geos; g++)
        *outcome += mmm_mean_known(mmm_outcome_of(m, g), m->data->n_time) * (double)m->data->n_time;
}

static bw_status roas_prior(const bw_mmm *m, size_t c, bw_prior *p, bw_err *err) {
    double spend, outcome;
    totals(m, &spend, &outcome);
    *p = m->spec.roas;
    if (m->spec.media_share > 0)
        p->a = log(m->spec.media_share * outcome / spend);
    char value[64];
    if (!listed(m->spec.roas_of, m->data->channel[c], value, sizeof value))
        return BW_OK;
    double median, sd = p->b;
    if (sscanf(value, "%lf:%lf", &median, &sd) < 1 || !(median > 0) || !(sd > 0))
        return bw_fail(err, BW_EARG, "channel %s: ROAS prior '%s' is not MEDIAN or MEDIAN:LOGSD",
                       m->data->channel[c], value);
    p->a = log(median);
    p->b = sd;
    return BW_OK;
}

static bw_status add_effect(bw_mmm *m, size_t c, bw_err *err) {
    size_t GT = m->geos * m->data->n_time;
    channel *ch = &m->channel[c];
    double own = mmm_total(m->data->spend + c * GT, GT), spend, outcome;
    bw_prior p;
    totals(m, &spend, &outcome);
    bw_effect kind =
        m->spec.effect == BW_EFFECT_ROAS && !m->data->paid[c] ? BW_EFFECT_SHARE : m->spec.effect;
    switch (kind) {
    case BW_EFFECT_ROAS: {
        bw_status st = roas_prior(m, c, &p, err);
        if (st != BW_OK)
            return st;
        ch->money = own;
        ch->effect = add_param(m, "roas", m->data->channel[c], p);
        return BW_OK;
    }
    case BW_EFFECT_SHARE:
        ch->money = outcome;
        ch->effect = add_param(m, "share", m->data->channel[c], m->spec.share);
        return BW_OK;
    default:
        p = m->spec.beta;
        if (m->spec.beta_by_spend && spend > 0 && m->data->paid[c])
            p.b *= (double)m->data->n_channel * own / spend;
        ch->effect = add_param(m, "beta", m->data->channel[c], p);
        return BW_OK;
    }
}

static void add_adstock(bw_mmm *m, size_t c) {
    channel *ch = &m->channel[c];
    const char *name = m->data->channel[c];
    ch->adstock_at = adstock_params(ch->adstock) ? m->dim : NONE;
    switch (ch->adstock) {
    case BW_ADSTOCK_NONE:
        break;
    case BW_ADSTOCK_GEOMETRIC:
    case BW_ADSTOCK_BINOMIAL:
        add_param(m, "adstock", name, m->spec.carry);
        break;
    case BW_ADSTOCK_DELAYED:
        add_param(m, "adstock", name, m->spec.carry);
        add_param(m, "adstock_peak", name, m->spec.theta);
        break;
    case BW_ADSTOCK_WEIBULL:
    case BW_ADSTOCK_WEIBULL_CDF:
        add_param(m, "adstock_shape", name, m->spec.weibull_shape);
        add_param(m, "adstock_scale", name, m->spec.weibull_scale);
        break;
    }
}

static void add_saturation(bw_mmm *m, size_t c) {
    channel *ch = &m->channel[c];
    const char *name = m->data->channel[c];
    ch->saturation_at = saturation_params(ch->saturation) ? m->dim : NONE;
    switch (ch->saturation) {
    case BW_SATURATION_NONE:
        break;
    case BW_SATURATION_LOGISTIC:
        add_param(m, "saturation", name, m->spec.logistic);
        break;
    case BW_SATURATION_MICHAELIS:
        add_param(m, "saturation", name, m->spec.half);
        break;
    case BW_SATURATION_TANH:
        add_param(m, "saturation", name, m->spec.tanh_c);
        break;
    case BW_SATURATION_ROOT:
        add_param(m, "saturation", name, m->spec.power);
        break;
    case BW_SATURATION_HILL:
        add_param(m, "saturation", name, m->spec.half);
        add_param(m, "saturation_slope", name, m->spec.slope);
        break;
    }
}

static void add_columns(bw_mmm *m) {
    m->at_column = m->dim;
    bool intercept = m->columns && m->knots_from > 0;
    for (size_t p = 0; p < m->columns; p++) {
        if (p == 0 && intercept && m->column_part[0] == PART_BASELINE)
            add_param(m, "intercept", "", m->spec.intercept);
        else if (p >= m->knots_from)
            add_param(m, "knot", "", m->spec.knot);
        else if (m->column_part[p] == PART_TREND)
            add_param(m, "trend", "", m->spec.trend_slope);
        else if (m->column_part[p] == PART_SEASON)
            add_param(m, "season", "", m->spec.season);
        else
            add_param(m, "event", m->data->event_name[m->column_event[p]], m->spec.event);
    }
    m->at_kappa = m->spec.knots_pooled && m->knots_from < m->columns
                      ? add_param(m, "knot_sd", "", m->spec.kappa)
                      : NONE;
}

static void add_controls(bw_mmm *m) {
    m->at_control = m->dim;
    for (size_t k = 0; k < m->data->n_control; k++) {
        bw_prior p = m->spec.control;
        if (m->data->sign[k])
            p = (bw_prior){m->data->sign[k] > 0 ? BW_PRIOR_HALFNORMAL : BW_PRIOR_NEGATIVE, 0, p.b,
                           0, 0};
        add_param(m, "control", m->data->control_name[k], p);
    }
}

static size_t add_many(bw_mmm *m, const char *name, char *const *subject, size_t n, size_t each,
                       bw_prior p) {
    size_t at = m->dim;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < each; j++)
            add_param(m, name, subject[i], p);
    return at;
}

static void add_geos(bw_mmm *m) {
    const bw_mmm_data *d = m->data;
    const bw_prior unit = {BW_PRIOR_NORMAL, 0, 1, 0, 0};
    m->at_tau = m->at_eta = m->at_z = m->at_xi = m->at_zc = NONE;
    if (m->geos == 1)
        return;
    m->at_tau = add_many(m, "geo", d->geo + 1, m->geos - 1, 1, m->spec.tau);
    m->at_eta = add_many(m, "geo_sd", d->channel, d->n_channel, 1, m->spec.eta);
    m->at_z = add_many(m, "geo_effect", d->channel, d->n_channel, m->geos, unit);
    if (d->n_control) {
        m->at_xi = add_many(m, "geo_control_sd", d->control_name, d->n_control, 1, m->spec.xi);
        m->at_zc = add_many(m, "geo_control", d->control_name, d->n_control, m->geos, unit);
    }
}

bw_status mmm_add_params(bw_mmm *m, bw_err *err) {
    const bw_mmm_data *d = m->data;
    size_t most = d->n_channel * (5 + 1 + m->geos) + m->columns + 1 + d->n_control * (2 + m->geos) +
                  m->geos + 2;
    m->param = calloc(most, sizeof *m->param);
    if (!m->param)
        return bw_fail_memory(err);
    for (size_t c = 0; c < d->n_channel; c++) {
        bw_status st = choose_forms(m, c, err);
        if (st == BW_OK)
            st = add_effect(m, c, err);
        if (st != BW_OK)
            return st;
        add_adstock(m, c);
        add_saturation(m, c);
    }
    add_columns(m);
    add_controls(m);
    add_geos(m);
    m->at_sigma = add_param(m, "sigma", "", m->spec.sigma);
    m->at_nu = m->spec.student ? add_param(m, "nu", "", m->spec.nu) : NONE;
    return BW_OK;
}
