/* analyze/mix/mmm.h - the marketing-mix model: what each channel adds to the outcome, period by period.
 *
 *   y_gt / scale_g = base_t + tau_g + sum_k gamma_gk z_gkt + sum_c B_c v_gc S_c(A_c(x_gc)_t) + noise
 *
 * A is the adstock (carry-over) of media x, S the saturation, B the effect; base_t is an intercept,
 * trend, Fourier season, knots and events. Over several geos, v_gc = exp(eta_c Z_gc) and gamma_gk =
 * gamma_k + xi_k Z_gk are pooled partially, and geos are made comparable by population.
 *
 * B has its prior on the coefficient, on ROAS in money, or on the share of the outcome (Meridian's
 * construction: B_c = K_c r_c / sum_gt of what one unit of B would earn, with K_c the money spent or
 * the whole outcome). Experiments enter as likelihood terms on the money they measured.
 *
 * Specifications of the presets: Jin et al. 2017 (geometric and delayed adstock, Hill); PyMC-Marketing
 * (`MMM` with GeometricAdstock and LogisticSaturation); Meridian (`ModelSpec` defaults).
 *
 * What the model leaves out: it takes each channel as given. Brand search that follows other media is
 * counted where it was spent (mediation is not modelled), and spend that follows demand is confounded:
 * the health checks look for it, they cannot undo it. */
#ifndef BW_ANALYZE_MMM_H
#define BW_ANALYZE_MMM_H

#include "analyze/sampler/density.h"
#include "analyze/mix/prior.h"
#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

#define BW_ALL_GEOS ((size_t)-1)

/* A finished test: spend of a channel was changed in periods first..last (inclusive) by spend_change
 * money in total, and the outcome by effect (sd effect_sd) money over the same periods. */
typedef struct {
    size_t channel, geo, first, last; /* geo: an index or BW_ALL_GEOS */
    double spend_change, effect, effect_sd;
} bw_lift_test;

/* Arrays of one shop. Last index varies fastest. */
typedef struct {
    size_t n_time, n_geo, n_channel, n_control, n_event, n_event_column, n_lift;
    int period_days; /* 7 or 1 */
    const char
        *counted; /* static: what the outcome counts, "orders" or "units"; NULL: it is money */
    char (*period)[11]; /* [n_time] first day of each period, ISO */
    double *outcome;    /* [n_geo, n_time]; NAN = not known */
    double *spend;      /* [n_channel, n_geo, n_time] money */
    double *media;      /* [n_channel, n_geo, n_time] what drives the effect: money or exposure */
    double *control;    /* [n_control, n_geo, n_time] in units of the data */
    double *event;      /* [n_event_column, n_time] part of the period's days, 0..1 */
    size_t
        *event_part; /* [n_event_column] which event a column belongs to: the days before a holiday
                           have an effect of their own and are told under its name */
    char **channel, **control_name, **event_name, **geo;
    bool *paid;         /* [n_channel] has spend; an organic channel has no ROAS */
    signed char *sign;  /* [n_control] +1, -1, or 0: the effect may have either sign */
    double *population; /* [n_geo], or NULL */
    bw_lift_test *lift; /* [n_lift] */
} bw_mmm_data;

/* Everything zeroed, and allocated for the sizes in d; on failure d holds nothing. */
bw_status bw_mmm_data_alloc(bw_mmm_data *d, bw_err *err);
void bw_mmm_data_free(bw_mmm_data *d); /* of what _alloc made; d may be all zero */

typedef enum {
    BW_ADSTOCK_NONE,
    BW_ADSTOCK_GEOMETRIC,  /* w_l = a^l; a is the part carried over a week */
    BW_ADSTOCK_DELAYED,    /* w_l = a^((l - theta)^2) */
    BW_ADSTOCK_BINOMIAL,   /* w_l = (1 - l/(L))^(1/a - 1), L lags */
    BW_ADSTOCK_WEIBULL,    /* w_l = density of Weibull(shape, scale) at l + 1 */
    BW_ADSTOCK_WEIBULL_CDF /* w_l = product of survivals at 1..l */
} bw_adstock;

typedef enum {
    BW_SATURATION_NONE,      /* a */
    BW_SATURATION_LOGISTIC,  /* (1 - e^(-k a)) / (1 + e^(-k a)) */
    BW_SATURATION_HILL,      /* a^n / (half^n + a^n) */
    BW_SATURATION_MICHAELIS, /* a / (half + a) */
    BW_SATURATION_TANH,      /* tanh(a / c) */
    BW_SATURATION_ROOT       /* a^p */
} bw_saturation;

typedef enum { BW_EFFECT_BETA, BW_EFFECT_ROAS, BW_EFFECT_SHARE } bw_effect;
typedef enum {
    BW_SCALE_MAX,
    BW_SCALE_MEAN,
    BW_SCALE_SD
} bw_outcome_scale; /* SD: centred as well */
typedef enum {
    BW_MEDIA_MAX,
    BW_MEDIA_MEAN,
    BW_MEDIA_MEDIAN
} bw_media_scale; /* of non-zero values */

/* The choices. Start from a preset; every field may then be changed. */
typedef struct {
    const char *preset;
    bw_adstock adstock;
    bw_saturation saturation;
    const char *adstock_of, *saturation_of; /* "tv=weibull,radio=none": per channel, or NULL */
    const char *roas_of; /* "tv=1.5:0.4,...": median and log sd of a channel's own ROAS prior */
    bool normalise;      /* adstock weights sum to 1 */
    size_t lags;         /* periods, the current one included */
    bool trend, student;
    int fourier;       /* pairs a year; -1 = by length of the data */
    int knots;         /* 0 none, -1 = by length, -2 = one a period */
    bool knots_pooled; /* knot = kappa z, kappa estimated; else the prior as it stands */
    bw_effect effect;
    double media_share; /* effect on ROAS: its prior median makes all media earn this share of the
                             outcome together (scale-free); 0 = take the prior as it stands */
    bool beta_by_spend; /* multiply the coefficient's prior scale by n_channel * share of spend */
    bw_outcome_scale outcome_scale;
    bw_media_scale media_scale;
    bool standardise;                                    /* controls: mean 0, sd 1 */
    bw_prior beta, roas, share;                          /* effect */
    bw_prior carry, theta, weibull_shape, weibull_scale; /* adstock */
    bw_prior logistic, half, slope, tanh_c, power;       /* saturation */
    bw_prior intercept, trend_slope, season, event, control, knot, kappa;
    bw_prior tau, eta, xi; /* geos */
    bw_prior sigma, nu;
} bw_mmm_spec;

/* "bellwether", "pymc" or "meridian". BW_EARG for another name. */
bw_status bw_mmm_preset(const char *name, bw_mmm_spec *spec, bw_err *err);
/* Names as the command line has them; false for an unknown one. */
bool bw_adstock_named(const char *name, bw_adstock *out);
bool bw_saturation_named(const char *name, bw_saturation *out);
const char *bw_adstock_name(bw_adstock a);
const char *bw_saturation_name(bw_saturation s);

typedef struct bw_mmm bw_mmm;

/* Builds the model of data (borrowed until bw_mmm_free) under spec (copied). */
bw_status bw_mmm_new(const bw_mmm_data *data, const bw_mmm_spec *spec, bw_mmm **out, bw_err *err);
void bw_mmm_free(bw_mmm *m);

/* Leaves outcomes of periods first .. last-1 out of the likelihood: for backtests and refits. */
void bw_mmm_hold_out(bw_mmm *m, size_t first, size_t last);

bw_density bw_mmm_density(const bw_mmm *m); /* valid while m lives */
size_t bw_mmm_dim(const bw_mmm *m);
/* Name and subject ("" or channel, control, ...) of parameter i; borrowed until bw_mmm_free. */
const char *bw_mmm_param_name(const bw_mmm *m, size_t i, const char **subject);
const bw_prior *bw_mmm_param_prior(const bw_mmm *m, size_t i);
/* The parameters but for the effects of single geos, which are many and hardly correlated: how many, and
 * which, ascending, in index [dim]. */
size_t bw_mmm_shared(const bw_mmm *m, size_t *index);
/* Where a search may start: prior medians, and the level at the mean outcome. */
void bw_mmm_start(const bw_mmm *m, double *q);
size_t bw_mmm_observations(const bw_mmm *m); /* outcomes in the likelihood */

/* What one draw of the parameters says, in money. Made for a model, reused from draw to draw. */
typedef struct {
    size_t n_time, n_channel, n_part;
    double *part;   /* [n_part, n_time] summed over geos: parts as bw_mmm_part_name has them */
    double *fitted; /* [n_time] sum of the parts */
    double *contribution; /* [n_channel] sum over time */
    double *marginal;     /* [n_channel] d contribution / d log spend, over all periods: divided by
                             the money spent it is the return of the next per cent of spend */
    double *effect;       /* [n_channel] money a period at full saturation S = 1, all geos */
    double *rate;         /* [n_channel] first adstock parameter, NAN when none */
    double *scale;        /* [n_channel] first saturation parameter, NAN when none */
    double *half_life;    /* [n_channel] weeks */
    double sigma;         /* money, all geos of one period together */
    double sigma_scaled;  /* as the model has it */
    double nu;            /* of Student's t; INFINITY when normal */
} bw_mmm_result;

bw_status bw_mmm_result_alloc(const bw_mmm *m, bw_mmm_result *r, bw_err *err);
void bw_mmm_result_free(bw_mmm_result *r);
/* q [dim]; scratch from the density's scratch_new. */
void bw_mmm_forward(const bw_mmm *m, void *scratch, const double *q, bw_mmm_result *r);

/* Adds the fitted outcome of every geo and period to out [n_geo, n_time], after bw_mmm_forward. */
void bw_mmm_add_fitted(const bw_mmm *m, void *scratch, double *out);

/* The parameters' natural values [dim] of q: coefficients of the baseline move with the media in q. */
void bw_mmm_natural(const bw_mmm *m, void *scratch, const double *q, double *out);

/* Part i < n_part: channels come first, then "_baseline", "_trend", "_season", "_event:NAME",
 * "_control:NAME" as far as the model has them. Borrowed. */
const char *bw_mmm_part_name(const bw_mmm *m, size_t i);
size_t bw_mmm_parts(const bw_mmm *m);

/* Steady state: money a period (all geos) when the channel spends money [n] each period, the spread
 * over geos as in the data. */
void bw_mmm_response(const bw_mmm *m, void *scratch, size_t channel, const double *q,
                     const double *money, size_t n, double *out);
/* The largest spend of one period seen in the data, all geos. */
double bw_mmm_spend_max(const bw_mmm *m, size_t channel);

/* A channel's response in one draw, geo by geo: x money spent in period t, spread over geos by share, earns
 * sum_g effect[g] S(sum_l weight[l] share[g] x[t-l] / unit[g]) in that period. */
typedef struct {
    bw_saturation saturation;
    double scale, shape; /* parameters of S */
    size_t lags, geos;
    double weight[128];            /* [lags] */
    double *effect, *unit, *share; /* [geos] money a period at S = 1; money that is 1 for S; part of
                                      the channel's spend in the data. In the room given */
} bw_channel_response;
/* room: [3 * geos], borrowed as long as *out is used. */
void bw_mmm_channel_response(const bw_mmm *m, void *scratch, size_t channel, const double *q,
                             double *room, bw_channel_response *out);
size_t bw_mmm_geos(const bw_mmm *m);
double bw_saturation_value(bw_saturation s, double a, double scale, double shape, double *slope);

#endif
