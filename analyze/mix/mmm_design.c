/* analyze/mix/mmm_design.c - scales of outcome, media and controls, and the design matrix of the baseline:
 * intercept, trend, Fourier seasons, events, knots. */
#include "analyze/mix/mmm_model.h"

#include "analyze/day.h"

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define YEAR 365.25

const double *mmm_outcome_of(const bw_mmm *m, size_t g) {
    return m->data->outcome + g * m->data->n_time;
}

/* Mean of the known values; 0 when there is none. */
double mmm_mean_known(const double *v, size_t n) {
    double sum = 0, seen = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            sum += v[i];
            seen += 1;
        }
    return seen > 0 ? sum / seen : 0.0;
}

static double max_known(const double *v, size_t n) {
    double top = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]) && v[i] > top)
            top = v[i];
    return top;
}

/* ---- outcome ---- */

static double population_of(const bw_mmm *m, size_t g) {
    return m->data->population ? m->data->population[g] : 1.0;
}

/* Population where it is known, else the geo's mean outcome: how big a geo is. */
static double size_of_geo(const bw_mmm *m, size_t g) {
    return m->data->population ? m->data->population[g]
                               : mmm_mean_known(mmm_outcome_of(m, g), m->data->n_time);
}

static void scale_by_sd(bw_mmm *m) {
    size_t T = m->data->n_time, seen = 0;
    double sum = 0, squares = 0;
    for (size_t g = 0; g < m->geos; g++)
        for (size_t t = 0; t < T; t++) {
            double v = mmm_outcome_of(m, g)[t] / population_of(m, g);
            if (isfinite(v)) {
                sum += v;
                squares += v * v;
                seen++;
            }
        }
    double mean = sum / (double)seen, sd = sqrt(fmax(squares / (double)seen - mean * mean, 0));
    sd = sd > 0 ? sd : fabs(mean);
    m->shift = mean / sd;
    for (size_t g = 0; g < m->geos; g++)
        m->geo_scale[g] = population_of(m, g) * sd;
}

static void scale_by_size(bw_mmm *m) {
    size_t T = m->data->n_time;
    double size = 0, outcome = 0;
    for (size_t g = 0; g < m->geos; g++) {
        size += size_of_geo(m, g);
        outcome += mmm_mean_known(mmm_outcome_of(m, g), T);
    }
    for (size_t g = 0; g < m->geos; g++)
        m->geo_scale[g] = m->spec.outcome_scale == BW_SCALE_MAX
                              ? max_known(mmm_outcome_of(m, g), T)
                              : size_of_geo(m, g) * outcome / size;
}

static bw_status scale_outcome(bw_mmm *m, bw_err *err) {
    size_t T = m->data->n_time;
    if (m->spec.outcome_scale == BW_SCALE_SD)
        scale_by_sd(m);
    else
        scale_by_size(m);
    for (size_t g = 0; g < m->geos; g++) {
        if (!(m->geo_scale[g] > 0))
            return bw_fail(err, BW_EDATA,
                           "the outcome%s%s is never above zero: there is nothing to explain",
                           m->geos > 1 ? " of " : "", m->geos > 1 ? m->data->geo[g] : "");
        for (size_t t = 0; t < T; t++) {
            double v = mmm_outcome_of(m, g)[t];
            m->y[g * m->n + t] = isfinite(v) ? v / m->geo_scale[g] - m->shift : 0.0;
            m->w[g * m->n + t] = isfinite(v) ? 1.0 : 0.0;
        }
    }
    for (size_t t = 0; t < T; t++)
        m->live[t] = 1.0;
    return BW_OK;
}

/* ---- media ---- */

/* The scale of the positive values among v [n]; sorts v. */
static double typical(double *v, size_t n, bw_media_scale how) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (v[i] > 0)
            v[k++] = v[i];
    if (k == 0)
        return 0;
    if (how == BW_MEDIA_MEAN)
        return gsl_stats_mean(v, 1, k);
    gsl_sort(v, 1, k);
    return how == BW_MEDIA_MAX ? v[k - 1] : gsl_stats_median_from_sorted_data(v, 1, k);
}

/* Media are compared per size of geo; the maximum is taken geo by geo, as the outcome's is. */
static void media_units(bw_mmm *m, size_t c, double *v) {
    size_t T = m->data->n_time, G = m->geos;
    const double *media = m->data->media + c * G * T;
    double mean_size = 0;
    for (size_t g = 0; g < G; g++)
        mean_size += m->geo_scale[g] / (double)G;
    for (size_t g = 0; g < G; g++)
        for (size_t t = 0; t < T; t++)
            v[g * T + t] = media[g * T + t] * mean_size / m->geo_scale[g];
    double all = typical(v, G * T, m->spec.media_scale);
    for (size_t g = 0; g < G; g++) {
        double own = m->spec.media_scale == BW_MEDIA_MAX ? max_known(media + g * T, T) : 0.0;
        m->unit[c * G + g] = own > 0 ? own : all * m->geo_scale[g] / mean_size;
    }
}

double mmm_total(const double *v, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum;
}

static bw_status scale_media(bw_mmm *m, bw_err *err) {
    size_t T = m->data->n_time, G = m->geos;
    double *v = malloc((G * T + 1) * sizeof *v);
    if (!v)
        return bw_fail_memory(err);
    bw_status st = BW_OK;
    for (size_t c = 0; c < m->data->n_channel && st == BW_OK; c++) {
        const double *media = m->data->media + c * G * T, *spend = m->data->spend + c * G * T;
        double sum = mmm_total(media, G * T), money = mmm_total(spend, G * T);
        if (!(sum > 0)) {
            st = bw_fail(err, BW_EDATA,
                         "channel %s: nothing was spent in the whole period; leave it out",
                         m->data->channel[c]);
            break;
        }
        m->channel[c].per_money = money > 0 ? sum / money : 0.0;
        media_units(m, c, v);
        for (size_t g = 0; g < G; g++)
            for (size_t t = 0; t < T; t++)
                m->x[(c * G + g) * (m->pad + m->n) + m->pad + t] =
                    media[g * T + t] / m->unit[c * G + g];
    }
    free(v);
    return st;
}

static void scale_controls(bw_mmm *m) {
    size_t T = m->data->n_time, G = m->geos;
    for (size_t k = 0; k < m->data->n_control; k++) {
        const double *raw = m->data->control + k * G * T;
        double mean = 0, sd = 1;
        if (m->spec.standardise) {
            mean = gsl_stats_mean(raw, 1, G * T);
            sd = G * T > 1 ? gsl_stats_sd_m(raw, 1, G * T, mean) : 1;
            sd = sd > 0 ? sd : 1;
        }
        for (size_t g = 0; g < G; g++)
            for (size_t t = 0; t < T; t++)
                m->z[(k * G + g) * m->n + t] = (raw[g * T + t] - mean) / sd;
    }
}

bw_status mmm_scale(bw_mmm *m, bw_err *err) {
    bw_status st = scale_outcome(m, err);
    if (st == BW_OK)
        st = scale_media(m, err);
    if (st == BW_OK)
        scale_controls(m);
    return st;
}

/* ---- the design of the baseline ---- */

/* By length of the data: a pair of harmonics needs a year to be told from a trend. */
static size_t fourier_pairs(const bw_mmm *m) {
    if (m->spec.fourier >= 0)
        return (size_t)m->spec.fourier;
    double years = (double)m->data->n_time * m->data->period_days / YEAR;
    return years >= 1.9 ? 3 : years >= 0.95 ? 2 : years >= 0.7 ? 1 : 0;
}

#define WEEKS_PER_KNOT 26.0

static size_t knot_count(const bw_mmm *m) {
    if (m->spec.knots >= 0)
        return (size_t)m->spec.knots;
    size_t T = m->data->n_time;
    if (m->spec.knots == -2) /* Meridian: one knot (the intercept) for a nation */
        return m->geos > 1 ? T : 0;
    double weeks = (double)T * m->data->period_days / 7.0;
    return weeks < 2 * WEEKS_PER_KNOT ? 0 : (size_t)lround(weeks / WEEKS_PER_KNOT) + 1;
}

static double *add_column(bw_mmm *m, part_kind part, size_t event) {
    double *column = m->design + m->columns * m->n;
    m->column_part[m->columns] = part;
    m->column_event[m->columns++] = event;
    return column;
}

static void add_season(bw_mmm *m, size_t pairs) {
    size_t T = m->data->n_time;
    double middle = 0.5 * (m->data->period_days - 1);
    long first = bw_iso_number(m->data->period[0]);
    for (size_t k = 1; k <= pairs; k++) {
        double *sine = add_column(m, PART_SEASON, NONE), *cosine = add_column(m, PART_SEASON, NONE);
        for (size_t t = 0; t < T; t++) {
            double day = (double)first + (double)t * m->data->period_days + middle;
            sine[t] = sin(2 * M_PI * (double)k * day / YEAR);
            cosine[t] = cos(2 * M_PI * (double)k * day / YEAR);
        }
    }
    for (long d = 1; d < 7 && m->data->period_days == 1; d++) {
        double *column = add_column(m, PART_SEASON, NONE);
        for (size_t t = 0; t < T; t++)
            column[t] = ((first + (long)t) % 7 == d) - 1.0 / 7.0;
    }
}

/* Hats over J points spread evenly: linear interpolation between neighbours. */
static void add_knots(bw_mmm *m, size_t J) {
    size_t T = m->data->n_time;
    m->knots_from = m->columns;
    for (size_t j = 0; j < J; j++) {
        double *column = add_column(m, PART_BASELINE, NONE);
        for (size_t t = 0; t < T; t++) {
            double at = J > 1 ? (double)t * (double)(J - 1) / (double)(T - 1) : 0.0;
            column[t] = fmax(0.0, 1.0 - fabs(at - (double)j));
        }
    }
}

#define SPARSE 6 /* a column with fewer than a sixth of its values non-zero is kept as a list */

/* Short columns become lists of their values; the others get the whole lanes outside which they are
 * zero. */
static void find_entries(bw_mmm *m) {
    size_t n = 0;
    for (size_t p = 0; p < m->columns; p++) {
        const double *column = m->design + p * m->n;
        size_t from = m->n, to = 0, count = 0;
        for (size_t t = 0; t < m->n; t++)
            if (column[t] != 0) {
                from = from < t ? from : t;
                to = t + 1;
                count++;
            }
        bool sparse = SPARSE * count < m->n;
        m->column_from[p] = from / BW_LANES * BW_LANES;
        m->column_to[p] = bw_lanes_up(to);
        m->entries[p] = n;
        for (size_t t = from; t < to && sparse; t++)
            if (column[t] != 0) {
                m->entry_time[n] = t;
                m->entry_value[n++] = column[t];
            }
        m->entries[p + 1] = n;
    }
}

void mmm_fill_design(bw_mmm *m) {
    size_t T = m->data->n_time, J = knot_count(m);
    if (J < T) { /* with a knot a period the knots are the intercept */
        double *one = add_column(m, PART_BASELINE, NONE);
        for (size_t t = 0; t < T; t++)
            one[t] = 1.0;
    }
    if (m->spec.trend) {
        double *line = add_column(m, PART_TREND, NONE);
        for (size_t t = 0; t < T; t++)
            line[t] = T > 1 ? (double)t / (double)(T - 1) - 0.5 : 0.0;
    }
    add_season(m, fourier_pairs(m));
    for (size_t e = 0; e < m->data->n_event_column; e++)
        memcpy(add_column(m, PART_EVENT, m->data->event_part[e]), m->data->event + e * T,
               T * sizeof(double));
    add_knots(m, J);
    find_entries(m);
}

size_t mmm_design_room(const bw_mmm *m) {
    return 2 + 2 * fourier_pairs(m) + 6 + m->data->n_event_column + knot_count(m);
}
