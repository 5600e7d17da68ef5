/* analyze/fit_engine.c - draws from the posterior: the normal approximation at its mode, or NUTS. */
#include "analyze/fit_internal.h"

#include "analyze/laplace.h"

#include <stdlib.h>
#include <string.h>

static bw_status laplace_draws(const bw_mmm *m, size_t n, unsigned long seed, double **draws,
                               size_t *evaluations, bw_err *err) {
    bw_density f = bw_mmm_density(m);
    double *start = calloc(f.dim, sizeof *start);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    *draws = calloc(n * f.dim, sizeof **draws);
    bw_laplace l = {0};
    bw_status st = start && r && *draws ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        bw_mmm_start(m, start);
        st = bw_laplace_fit(&f, start, &l, err);
    }
    if (st == BW_OK) {
        gsl_rng_set(r, seed);
        for (size_t i = 0; i < n; i++)
            bw_laplace_draw(&l, r, *draws + i * f.dim);
        if (evaluations)
            *evaluations = l.evaluations;
    }
    bw_laplace_free(&l);
    free(start);
    gsl_rng_free(r);
    return st;
}

bw_status fit_quick(const bw_mmm *m, size_t n, unsigned long seed, double **draws, bw_err *err) {
    return laplace_draws(m, n, seed, draws, NULL, err);
}

bw_status fit_sample(fit_state *f, bw_err *err) {
    f->dim = bw_mmm_dim(f->model);
    f->n_draw = (size_t)(f->o->chains * f->o->draws);
    f->engine = (engine_report){.chains = (size_t)f->o->chains};
    if (strcmp(f->o->engine, "laplace") == 0)
        return laplace_draws(f->model, f->n_draw, (unsigned long)f->o->seed, &f->draws,
                             &f->engine.evaluations, err);
    return bw_fail(err, BW_EARG, "--engine: '%s' is neither nuts nor laplace", f->o->engine);
}
