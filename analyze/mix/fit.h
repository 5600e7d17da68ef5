/* analyze/mix/fit.h - fits the mix model of a database and stores what it says: `bellwether fit`.
 *
 * One run of kind 'fit' with its estimates, curves and draws, and one of kind 'change' that splits the
 * last week's move into parts; names as in store.h. A run whose data and options are unchanged is
 * found, not repeated. */
#ifndef BW_ANALYZE_FIT_H
#define BW_ANALYZE_FIT_H

#include "analyze/mix/load.h"
#include "analyze/mix/mmm.h"

#include <stdint.h>

typedef struct {
    const char *engine;                          /* "nuts"; "fast": one short chain; "laplace" */
    const char *preset;                          /* "bellwether", "pymc", "meridian" */
    const char *adstock, *saturation, *prior_on; /* of the spec, NULL = the preset's; adstock and
                            saturation may name channels: "geometric,tv=weibull" */
    const char *roas;       /* "tv=1.5:0.4": a channel's own ROAS prior, median and log sd */
    const char *likelihood; /* "normal", "student", NULL = the preset's */
    long knots, fourier;    /* LONG_MIN = the preset's */
    long seed, chains, draws, warmup; /* draws and warm-up a chain */
    bool dense;                       /* a mass matrix of all parameters; else of what geos share */
    bool diagonal;
    bool force;   /* fit even if nothing changed */
    bool quick;   /* without backtest and stability refits, nor what changed since the last fit */
    bool compare; /* what changed, even if quick */
    bw_load_options load;
} bw_fit_options;

bw_fit_options bw_fit_defaults(void);

/* Fits unless an up-to-date run exists. When the data only go on further and the options are those of
 * the last fit, its warm-up is taken over, unless force is set: then nothing of the last fit counts. *run is its id, *fresh (may be NULL) whether it was made now.
 * notes (may be NULL) gets what was left out, a line each. */
bw_status bw_fit_run(sqlite3 *db, const bw_fit_options *o, int64_t *run, bool *fresh, bw_buf *notes,
                     bw_err *err);

/* The newest fit with its model and draws, for who computes with them. */
typedef struct {
    int64_t run;
    bw_mmm_data data;
    bw_mmm *model;
    size_t n_draw, dim;
    double *draws; /* [n_draw, dim] unconstrained */
    bw_fit_options options;
    char *options_text; /* what options borrows from */
} bw_fit;

/* BW_EDATA when there is no fit, or the data have changed since. The caller frees. */
bw_status bw_fit_load(sqlite3 *db, bw_fit *out, bw_err *err);
void bw_fit_free(bw_fit *f);

#endif
