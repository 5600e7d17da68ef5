/* analyze/mix/fit_refit.c - the same data under another model, for the backtest and the stability gate. */
#include "analyze/mix/fit_internal.h"

bw_status fit_refit(const fit_state *f, const bw_mmm_spec *spec, size_t first, size_t last,
                    size_t n, unsigned long seed, bw_mmm **model, double **draws, bw_err *err) {
    *draws = NULL;
    bw_status st = bw_mmm_new(f->d, spec, model, err);
    if (st != BW_OK)
        return st;
    bw_mmm_hold_out(*model, first, last);
    bool sampled = f->engine.sampled;
    st = sampled ? fit_short(*model, n, seed, draws, err)
                 : fit_quick(*model, n, seed, draws, NULL, err);
    if (st != BW_OK) {
        bw_mmm_free(*model);
        *model = NULL;
    }
    return st;
}
