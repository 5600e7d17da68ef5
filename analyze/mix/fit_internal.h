/* analyze/mix/fit_internal.h - shared by the fit_*.c files: a fit in memory and what is known of it. */
#ifndef BW_ANALYZE_FIT_INTERNAL_H
#define BW_ANALYZE_FIT_INTERNAL_H

#include "analyze/mix/fit.h"
#include "analyze/store.h"

#include <cjson/cJSON.h>

/* Numbers of one channel over draws. */
enum {
    Q_CONTRIBUTION,
    Q_SHARE,
    Q_ROAS,
    Q_MARGINAL,
    Q_HALF_LIFE,
    Q_BETA,
    Q_ADSTOCK,
    Q_SATURATION,
    N_QUANTITIES
};
extern const char *const FIT_QUANTITY[N_QUANTITIES]; /* their names in the database */

typedef struct {
    bool sampled; /* nuts: the diagnostics below are known */
    size_t chains, divergences, max_depth_hits, evaluations;
    double max_rhat, min_ess_bulk, min_ess_tail, min_ebfmi, step;
    double normal_share; /* laplace: of its draws, the effective part when they are weighted by the
                            posterior: 1 when that is normal, near 0 when it is not */
    double seconds;      /* of sampling: told by --json, never in a report */
} engine_report;

typedef struct {
    double r2_geo, mape_geo, wmape_geo; /* of single geos; NAN when there is one */
    double r2, mape, crps, coverage90, durbin_watson, predictive_p, negative_baseline;
    double mape_out, crps_out, coverage50_out, coverage90_out, crps_naive,
        mape_naive;                  /* backtest, forecasts widened */
    double widening, coverage90_own; /* by this factor; as they were */
    size_t folds;
} fit_quality;

typedef struct {
    size_t refits;
    double *sign;       /* [n_channel] share of refits that keep the sign of the advice */
    double *low, *high; /* [n_channel] range of ROAS over refits */
} stability_report;

/* What the sampler has learned before its draws. factor [dim, dim] as in nuts.h lies behind mean. */
typedef struct {
    int64_t run; /* of the fit that learned it */
    double step, *mean, *factor;
} warm_start;

/* Against the last fit, see fit_before.h. ROAS per channel; NAN where the last fit had none. */
typedef struct {
    int64_t run;
    size_t new_periods, *revised; /* [fit_series] periods that read otherwise than then */
    double *before, *history, *data, *model; /* [n_channel] one block */
} fit_change;
typedef struct fit_before fit_before;

#define MAX_WARNINGS 40
typedef struct {
    const bw_fit_options *o;
    const bw_mmm_data *d;
    bw_mmm_spec spec;
    bw_mmm *model;
    double *draws; /* [n_draw, dim] */
    size_t n_draw, dim;
    engine_report engine;
    fit_quality quality;
    stability_report stability;
    warm_start warm, learned; /* taken over; of this fit. mean NULL: none */
    fit_change change;        /* before NULL: there is nothing to compare with */
    double margin;            /* part of the outcome that is kept as profit, 0..1 */
    double *spend;            /* [n_channel] money */
    double *quantity;         /* [n_channel, N_QUANTITIES, n_draw] */
    char last_day[11];        /* of the data */
    size_t n_week, n_thin;
    char (*week)[11]; /* [n_week] */
    size_t *week_of;  /* [n_time] */
    double *actual;   /* [n_week] outcome, NAN where not known */
    double *fitted;   /* [n_geo, n_time] mean over draws; NULL when there is one geo */
    float *part;      /* [n_part + 1, n_week, n_thin] money; the last part is the fitted sum */
    double *sigma;    /* [n_thin] noise of a week, money */
    double *vif;      /* [n_channel] */
    double *prior_shift,
        *prior_width; /* [n_channel] of the effect: posterior mean less prior median,
                                           and posterior sd, in prior sd. One block */
    char *warning[MAX_WARNINGS];
    size_t n_warning;
    const char *health;
} fit_state;

/* fit_spec.c */
bw_status fit_spec(const bw_fit_options *o, const bw_mmm_data *d, bw_mmm_spec *spec, bw_err *err);
char *fit_options_text(const bw_fit_options *o); /* canonical JSON, the caller frees */
bw_status fit_options_parse(const char *text, bw_fit_options *o, char **keep, bw_err *err);

/* fit_engine.c: fills draws and engine. */
bw_status fit_sample(fit_state *f, bw_err *err);
/* Draws [n, dim] of a model by the normal approximation, and by one short chain from there (where a
 * chain is affordable); the caller frees *draws. */
bw_status fit_quick(const bw_mmm *m, size_t n, unsigned long seed, double **draws, double *share,
                    bw_err *err); /* share: see normal_share, or NULL */
bw_status fit_short(const bw_mmm *m, size_t n, unsigned long seed, double **draws, bw_err *err);

/* fit_summary.c */
bw_status fit_summarise(fit_state *f, bw_err *err);
const double *fit_quantity(const fit_state *f, size_t channel, size_t which); /* [n_draw] */
double fit_crps(double *sample, size_t n, double y);                          /* sorts sample */

/* fit_refit.c: the model under another spec, without the outcomes of periods first .. last-1 (none when
 * they are equal), n draws of it. The caller frees both. */
bw_status fit_refit(const fit_state *f, const bw_mmm_spec *spec, size_t first, size_t last,
                    size_t n, unsigned long seed, bw_mmm **model, double **draws, bw_err *err);

/* fit_check.c, fit_backtest.c, fit_stability.c */
void fit_warn(fit_state *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
bw_status fit_check(fit_state *f, bw_err *err);
bw_status fit_backtest(fit_state *f, bw_err *err);
bw_status fit_stability(fit_state *f, bw_err *err);

/* fit_before.c: the data as series over all geos, by number: outcome, channels' media, controls. */
size_t fit_series(const bw_mmm_data *d);
void fit_series_name(const bw_mmm_data *d, size_t i, char *out, size_t size);
double fit_series_value(const bw_mmm_data *d, size_t i, size_t t);

/* fit_store.c: within a transaction. */
bw_status fit_store(sqlite3 *db, fit_state *f, const char *fingerprint, const char *options,
                    int64_t *run, bw_err *err);
/* fit_change.c */
bw_status fit_store_change(sqlite3 *db, fit_state *f, const char *fingerprint, const char *options,
                           bw_err *err);

#endif
