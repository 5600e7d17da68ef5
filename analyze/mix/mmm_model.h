/* analyze/mix/mmm_model.h - inside of the mix model, shared by the mmm_*.c files and nobody else. */
#ifndef BW_ANALYZE_MMM_MODEL_H
#define BW_ANALYZE_MMM_MODEL_H

#include "analyze/mix/kernels.h"
#include "analyze/mix/mmm.h"

#define NONE      ((size_t)-1)
#define MAX_LAGS  128
#define NAME_SIZE 48

/* Which part of the decomposition a column of the design belongs to. */
typedef enum { PART_BASELINE, PART_TREND, PART_SEASON, PART_EVENT } part_kind;

typedef struct {
    char name[NAME_SIZE];
    const char *subject; /* borrowed from the data, or "" */
    bw_prior prior;
    bool sheared; /* moves with the media, see mmm_shear */
} param;

typedef struct {
    bw_adstock adstock;
    bw_saturation saturation;
    size_t effect;                    /* index of the parameter r_c or beta_c */
    size_t adstock_at, saturation_at; /* first of their parameters, or NONE */
    double money;     /* K_c of effects on ROAS or share; 0: the effect is a coefficient */
    double per_money; /* media per unit of money spent; 1 when media are the spend */
} channel;

/* One test, one geo: the media as they were and as they would have been, padded like x. */
typedef struct {
    size_t channel, geo, n;        /* n: padded periods of the window */
    double *with, *without, *live; /* [lags-1 + n] twice, [n] */
} lift_series;
typedef struct {
    size_t first, count; /* lift_series of this test */
    double effect, sd;   /* money */
} lift_term;

struct bw_mmm {
    const bw_mmm_data *data;
    bw_mmm_spec spec;
    size_t n, pad, lags, geos; /* n: periods rounded up to whole lanes; pad = periods before */
    double *y, *w;             /* [geos, n] scaled outcome, weight 0 or 1 */
    double *live;              /* [n] 1 in real periods, 0 in the padding */
    double *x;                 /* [channels, geos, pad + n] scaled media */
    double *unit;              /* [channels, geos] media that is 1 for S */
    double *z;                 /* [controls, geos, n] scaled controls */
    double *design;            /* [columns, n] */
    part_kind *column_part;    /* [columns] */
    size_t *column_event;      /* [columns] index of the event, or NONE */
    size_t *column_from, *column_to; /* [columns] lanes outside are zero */
    size_t *entries;    /* [columns + 1] where the list of a short column begins; empty: none */
    size_t *entry_time; /* period and value of each entry of the lists */
    double *entry_value;
    size_t columns, knots_from; /* columns from knots_from on are knots */
    double *geo_scale;          /* [geos] money of one unit of scaled outcome */
    double shift;               /* subtracted from the scaled outcome */
    double *shear; /* [n_shear, n_shear in whole lanes] inverse normal matrix, see mmm_shear.c */
    size_t *shear_param, n_shear; /* the parameters that move */
    channel *channel;
    lift_series *lift_series;
    lift_term *lift;
    size_t n_lift, n_lift_series, lift_room; /* lift_room: the longest padded window */
    param *param;
    size_t dim;
    size_t at_column, at_control, at_kappa, at_tau, at_eta, at_z, at_xi, at_zc, at_sigma, at_nu;
    char **part; /* names of the parts */
    size_t n_part;
};

/* Room of one thread. */
typedef struct {
    double *natural, *slope, *grad;    /* [dim] value, dx/dq, d loglik / dx */
    double *weight, *d1, *d2;          /* [channels, lags] adstock weights and their Jacobian */
    double *corr;                      /* [channels, lags] gradient with respect to them */
    double *a, *s;                     /* [channels, geos, n] adstocked, saturated */
    double *e;                         /* [geos, n] d loglik / d mu */
    double *mix;                       /* [geos, n] sum over channels of B v s */
    double *sum_s, *h, *v;             /* [channels, geos] sum_t s; sum_t e s; e^(eta Z) */
    double *B, *D, *gB;                /* [channels] */
    double *base, *mu, *gbase, *g, *u; /* [n] */
    double *shift, *moment;            /* [n_shear] */
    double *lift;                      /* [3 * lift_room] */
    double *block;                     /* all of the above */
} scratch;

/* mmm_transform.c: weights [lags], and their Jacobian in d1, d2 [lags] with respect to the first and
 * second parameter (those that the form has). step: weeks a period. */
void adstock_weights(bw_adstock kind, bool normalise, double step, const double *par, size_t lags,
                     double *w, double *d1, double *d2);
size_t adstock_params(bw_adstock kind);
size_t saturation_params(bw_saturation kind);
/* s = S(a); and g := g dS/da with the gradient of the parameters added to gpar. */
void saturate(bw_saturation kind, const double *par, const double *a, double *s, size_t n);
void saturate_back(bw_saturation kind, const double *par, const double *a, const double *s,
                   double *g, double *gpar, size_t n);

/* mmm_design.c: scales and the design matrix; helpers on raw values. */
double mmm_mean_known(const double *v, size_t n); /* NAN skipped; 0 when nothing is known */
double mmm_total(const double *v, size_t n);
const double *mmm_outcome_of(const bw_mmm *m, size_t g);
bw_status mmm_scale(bw_mmm *m, bw_err *err);
size_t mmm_design_room(const bw_mmm *m); /* columns at most */
void mmm_fill_design(bw_mmm *m);
/* mmm_shear.c: after the parameters are known; natural values of the baseline, after mmm_media; and the
 * way back: e gets the media's way through the sheared parameters, whose log priors are returned. */
bw_status mmm_build_shear(bw_mmm *m, bw_err *err);
void mmm_shear(const bw_mmm *m, scratch *sc);
double mmm_shear_back(const bw_mmm *m, scratch *sc);
/* Column p of the design: its product with v [n]; y [n] += b column. */
double mmm_column_dot(const bw_mmm *m, size_t p, const double *v);
void mmm_column_add(const bw_mmm *m, size_t p, double b, double *y);
/* mmm_params.c: the table of parameters. mmm_lift.c: the terms of experiments. */
bw_status mmm_add_params(bw_mmm *m, bw_err *err);
bw_status mmm_build_lift(bw_mmm *m, bw_err *err);

/* mmm_density.c: media, effects and scaled contributions of the parameters in sc->natural. */
void mmm_natural(const bw_mmm *m, scratch *sc, const double *q);
void mmm_media(const bw_mmm *m, scratch *sc);
void mmm_geo_mean(const bw_mmm *m, scratch *sc, size_t g); /* sc->mu, after sc->base */
void mmm_base(const bw_mmm *m, scratch *sc);
double mmm_coefficient(const bw_mmm *m, const scratch *sc, size_t column);
double mmm_geo_control(const bw_mmm *m, const scratch *sc, size_t k, size_t g);
double mmm_eval(const void *model, void *room, const double *q, double *grad);
void *mmm_scratch_new(const void *model);
void mmm_scratch_free(void *room);

#endif
