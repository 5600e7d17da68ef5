/* analyze/mix/mmm_market.c - see mmm_market.h.
 *
 * Adstock is linear, so the media of a geo are a constant (the past and what comes after the horizon)
 * plus the geo's rate times the convolution of the calendar, which is the same for all geos of a draw.
 *
 * A Hill curve with slope n > 1 is convex up to half ((n - 1) / (n + 1))^(1/n) and concave beyond. Between
 * the least media that a period can have (the constant) and the most (every week at the top), its
 * envelope is a line from the least to where it touches the curve, and the curve beyond; or the chord to the most
 * when that comes first; or the curve itself where it is concave all the way. */
#include "analyze/mix/mmm_market.h"
#include "analyze/mix/mmm_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bw_market {
    bw_saturation saturation;
    size_t weeks, per_week, geos, lags, draws;
    size_t real, n;        /* periods that count, the horizon and the lags after it; whole lanes */
    double *weight, *par;  /* [draws, lags]; [draws, 2] of S */
    double *effect, *rate; /* [draws, geos] money at S = 1; media per money of the calendar */
    double *constant;      /* [draws, geos, n] media without the calendar */
    double *knee,
        *rise;    /* [draws, geos, n] media up to which the envelope is a line from the constant,
                                0: nowhere, and its slope; NULL for curves that are concave by form */
    double *base; /* [draws] money without the calendar */
    double *live; /* [n] 1 in periods that count */
    double *x, *c, *a, *s, *slope, *sum; /* scratch: [lags - 1 + n], [n] each */
    double *block;
};

static size_t carve(double **at, double **into, size_t n) {
    if (*at) {
        *into = *at;
        *at += n;
    }
    return n;
}

/* Lays the arrays out behind at, or counts them when at is NULL. */
static size_t lay_out(bw_market *k, double *at) {
    size_t DG = k->draws * k->geos, n = k->n, sum = 0;
    sum += carve(&at, &k->weight, k->draws * k->lags);
    sum += carve(&at, &k->par, k->draws * 2);
    sum += carve(&at, &k->effect, DG);
    sum += carve(&at, &k->rate, DG);
    sum += carve(&at, &k->constant, DG * n);
    if (k->saturation == BW_SATURATION_HILL) {
        sum += carve(&at, &k->knee, DG * n);
        sum += carve(&at, &k->rise, DG * n);
    }
    sum += carve(&at, &k->base, k->draws);
    sum += carve(&at, &k->live, n);
    sum += carve(&at, &k->x, k->lags - 1 + n);
    double **const rooms[] = {&k->c, &k->a, &k->s, &k->slope, &k->sum};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        sum += carve(&at, rooms[i], n);
    return sum;
}

/* Media of geo g in draw d that the past and the time after the horizon make. */
static void constant_media(bw_market *k, const bw_mmm_data *data, const bw_market_options *o,
                           const bw_channel_response *r, size_t d, size_t g) {
    size_t T = data->n_time, past = k->lags - 1, ahead = k->weeks * k->per_week;
    const double *spend = data->spend + (o->channel * k->geos + g) * T;
    double *out = k->constant + (d * k->geos + g) * k->n;
    memset(k->x, 0, (past + k->n) * sizeof *k->x);
    for (size_t t = 0; t < past && t < T; t++)
        k->x[past - 1 - t] = spend[T - 1 - t] / r->unit[g];
    for (size_t t = ahead; t < k->real; t++)
        k->x[past + t] = o->after * r->share[g] / ((double)k->per_week * r->unit[g]);
    bw_k_convolve(out, k->x + past, k->weight + d * k->lags, k->lags, k->n);
}

static double curve(const bw_channel_response *r, double a, double *slope) {
    return bw_saturation_value(r->saturation, a, r->scale, r->shape, slope);
}

/* Where the line from the curve's point at `least` touches it, or most when that is nearer. */
static double touching(const bw_channel_response *r, double least, double most) {
    double turn = r->scale * pow((r->shape - 1) / (r->shape + 1), 1 / r->shape), unused;
    double from = curve(r, least, &unused), lo = turn, hi = most;
    if (most <= turn)
        return most;
    for (int i = 0; i < 50; i++) { /* beyond the turn the line outruns the curve's slope */
        double a = 0.5 * (lo + hi), slope, s = curve(r, a, &slope);
        if (slope * (a - least) > s - from)
            lo = a;
        else
            hi = a;
    }
    return hi;
}

static void envelope(bw_market *k, const bw_market_options *o, const bw_channel_response *r,
                     size_t d, size_t g) {
    size_t dg = d * k->geos + g, ahead = k->weeks * k->per_week;
    const double *least = k->constant + dg * k->n;
    double *knee = k->knee + dg * k->n, *rise = k->rise + dg * k->n, unused;
    double turn = r->shape > 1 ? r->scale * pow((r->shape - 1) / (r->shape + 1), 1 / r->shape) : 0;
    for (size_t t = 0; t < k->real; t++) {
        double works = 0; /* weights through which the calendar reaches period t */
        for (size_t l = t < ahead ? 0 : t - ahead + 1; l < r->lags && l <= t; l++)
            works += r->weight[l];
        double most = least[t] + k->rate[dg] * o->top * works;
        if (least[t] >= turn || !(most > least[t]))
            continue;
        knee[t] = touching(r, least[t], most);
        rise[t] = (curve(r, knee[t], &unused) - curve(r, least[t], &unused)) / (knee[t] - least[t]);
    }
}

static void fill_draw(bw_market *k, const bw_mmm *m, const bw_market_options *o,
                      const bw_channel_response *r, size_t d) {
    k->par[2 * d] = r->scale;
    k->par[2 * d + 1] = r->shape;
    memcpy(k->weight + d * k->lags, r->weight, k->lags * sizeof *k->weight);
    for (size_t g = 0; g < k->geos; g++) {
        size_t dg = d * k->geos + g;
        k->effect[dg] = r->effect[g];
        k->rate[dg] = r->share[g] / ((double)k->per_week * r->unit[g]);
        constant_media(k, m->data, o, r, d, g);
        if (k->knee)
            envelope(k, o, r, d, g);
    }
}

/* s = S(a) of draw d, with its slope in k->slope when wanted. */
static void through_curve(bw_market *k, size_t d, bool slope) {
    double none[2] = {0};
    const double *par = k->par + 2 * d;
    saturate(k->saturation, par, k->a, k->s, k->n);
    if (slope) {
        memcpy(k->slope, k->live, k->n * sizeof *k->slope);
        saturate_back(k->saturation, par, k->a, k->s, k->slope, none, k->n);
    }
}

/* Below the knee the line takes the place of the curve. */
static void straighten(bw_market *k, size_t d, size_t dg) {
    const double *least = k->constant + dg * k->n, *knee = k->knee + dg * k->n,
                 *rise = k->rise + dg * k->n;
    double unused;
    for (size_t t = 0; t < k->real; t++)
        if (k->a[t] < knee[t]) {
            k->s[t] = bw_saturation_value(k->saturation, least[t], k->par[2 * d], k->par[2 * d + 1],
                                          &unused) +
                      rise[t] * (k->a[t] - least[t]);
            k->slope[t] = rise[t];
        }
}

static void spread(bw_market *k, const double *spend) {
    double *x = k->x + k->lags - 1;
    memset(k->x, 0, (k->lags - 1 + k->n) * sizeof *k->x);
    for (size_t t = 0; t < k->weeks * k->per_week; t++)
        x[t] = spend[t / k->per_week];
}

/* Money of draw d with the calendar in k->x; adds d money / d calendar-convolution to k->sum. */
static double draw_money(bw_market *k, size_t d, bool hull, bool slope) {
    double money = 0;
    bw_k_convolve(k->c, k->x + k->lags - 1, k->weight + d * k->lags, k->lags, k->n);
    for (size_t g = 0; g < k->geos; g++) {
        size_t dg = d * k->geos + g;
        memcpy(k->a, k->constant + dg * k->n, k->n * sizeof *k->a);
        bw_k_axpy(k->a, k->rate[dg], k->c, k->n);
        through_curve(k, d, slope);
        if (hull && k->knee)
            straighten(k, d, dg);
        money += k->effect[dg] * bw_k_dot(k->s, k->live, k->n);
        if (slope)
            bw_k_axpy(k->sum, k->effect[dg] * k->rate[dg], k->slope, k->n);
    }
    return money;
}

double bw_market_earned(bw_market *k, size_t d, const double *spend) {
    spread(k, spend);
    return draw_money(k, d, false, false) - k->base[d];
}

/* What a unit more in each week adds in draw d, from k->sum: every day of it goes on working. */
static void add_gradient(const bw_market *k, size_t d, double factor, double *gradient) {
    const double *w = k->weight + d * k->lags;
    for (size_t t = 0; t < k->weeks * k->per_week; t++) {
        double more = 0;
        for (size_t l = 0; l < k->lags; l++)
            more += w[l] * k->sum[t + l];
        gradient[t / k->per_week] += factor * more;
    }
}

static double weighted(bw_market *k, const double *weight, const double *spend, bool hull,
                       double *gradient) {
    double all = 0;
    spread(k, spend);
    if (gradient)
        memset(gradient, 0, k->weeks * sizeof *gradient);
    for (size_t d = 0; d < k->draws; d++) {
        if (weight[d] == 0)
            continue;
        memset(k->sum, 0, k->n * sizeof *k->sum);
        all += weight[d] * (draw_money(k, d, hull, gradient != NULL) - k->base[d]);
        if (gradient)
            add_gradient(k, d, weight[d], gradient);
    }
    return all;
}

double bw_market_sum(bw_market *k, const double *weight, const double *spend, double *gradient) {
    return weighted(k, weight, spend, false, gradient);
}

double bw_market_hull(bw_market *k, const double *weight, const double *spend, double *gradient) {
    return weighted(k, weight, spend, true, gradient);
}

bool bw_market_concave(const bw_market *k) {
    for (size_t i = 0; k->knee && i < k->draws * k->geos * k->n; i++)
        if (k->knee[i] > 0)
            return false;
    return true;
}

static bw_status fill(bw_market *k, const bw_mmm *m, const bw_market_options *o, bw_err *err) {
    bw_density density = bw_mmm_density(m);
    void *room_of_model = density.scratch_new(m);
    double *room = malloc(3 * k->geos * sizeof *room);
    bw_status st = room_of_model && room ? BW_OK : bw_fail_memory(err);
    for (size_t t = 0; t < k->real; t++)
        k->live[t] = 1.0;
    for (size_t d = 0; d < k->draws && st == BW_OK; d++) {
        bw_channel_response r;
        bw_mmm_channel_response(m, room_of_model, o->channel,
                                o->draws + d * o->of / k->draws * m->dim, room, &r);
        fill_draw(k, m, o, &r, d);
        memset(k->x, 0, (k->lags - 1 + k->n) * sizeof *k->x);
        k->base[d] = draw_money(k, d, false, false);
    }
    free(room);
    if (room_of_model)
        density.scratch_free(room_of_model);
    return st;
}

bw_status bw_market_new(const bw_mmm *m, const bw_market_options *o, bw_market **out, bw_err *err) {
    bw_market *k = calloc(1, sizeof *k);
    *out = k;
    if (!k)
        return bw_fail_memory(err);
    k->weeks = o->weeks;
    k->per_week = (size_t)(7 / m->data->period_days);
    k->saturation = m->channel[o->channel].saturation;
    k->geos = m->geos;
    k->lags = m->lags;
    k->draws = o->n_draw;
    k->real = k->weeks * k->per_week + k->lags - 1;
    k->n = bw_lanes_up(k->real);
    k->block = calloc(lay_out(k, NULL), sizeof *k->block);
    bw_status st = k->block ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        lay_out(k, k->block);
        st = fill(k, m, o, err);
    }
    if (st != BW_OK) {
        bw_market_free(k);
        *out = NULL;
    }
    return st;
}

void bw_market_free(bw_market *k) {
    if (k)
        free(k->block);
    free(k);
}
