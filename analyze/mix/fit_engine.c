/* analyze/mix/fit_engine.c - draws from the posterior: the normal approximation at its mode, or NUTS begun
 * from there, which leaves it little to learn in its warm-up: four chains, or one short one ("fast"). */
#include "analyze/mix/fit_internal.h"

#include "analyze/sampler/diagnostics.h"
#include "analyze/sampler/laplace.h"
#include "analyze/sampler/nuts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_MOST 600 /* parameters beyond which a short chain costs too much */

static bw_status find_mode(const bw_mmm *m, bw_laplace *l, bw_err *err) {
    bw_density f = bw_mmm_density(m);
    double *start = calloc(f.dim, sizeof *start);
    if (!start)
        return bw_fail_memory(err);
    bw_mmm_start(m, start);
    bw_status st = bw_laplace_fit(&f, start, l, err);
    free(start);
    return st;
}

/* Kish's effective share of weighted draws; lw [n] log weights. */
static double effective_share(const double *lw, size_t n) {
    double top = -INFINITY, sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, lw[i]);
    for (size_t i = 0; i < n; i++) {
        double w = exp(lw[i] - top);
        sum += w;
        squares += w * w;
    }
    return sum * sum / squares / (double)n;
}

static bw_status draw_normal(const bw_mmm *m, const bw_laplace *l, size_t n, unsigned long seed,
                             double *draws, double *share, bw_err *err) {
    bw_density f = bw_mmm_density(m);
    void *room = f.scratch_new(m);
    double *lw = calloc(n + f.dim, sizeof *lw);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    bw_status st = room && lw && r ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        gsl_rng_set(r, seed);
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        double normal = bw_laplace_draw(l, r, draws + i * f.dim);
        if (share)
            lw[i] = f.eval(m, room, draws + i * f.dim, lw + n) - normal;
    }
    if (st == BW_OK && share)
        *share = effective_share(lw, n);
    gsl_rng_free(r);
    free(lw);
    f.scratch_free(room);
    return st;
}

bw_status fit_quick(const bw_mmm *m, size_t n, unsigned long seed, double **draws, double *share,
                    bw_err *err) {
    bw_laplace l = {0};
    *draws = calloc(n * bw_mmm_dim(m), sizeof **draws);
    bw_status st = *draws ? find_mode(m, &l, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = draw_normal(m, &l, n, seed, *draws, share, err);
    if (st != BW_OK) {
        free(*draws);
        *draws = NULL;
    }
    bw_laplace_free(&l);
    return st;
}

#define SHORT_WARMUP 100 /* from the mode's covariance there is little to learn */
#define FAST_WARMUP  200

/* Whose covariance is learned whole: what all geos share, or every parameter, or none. */
typedef enum { SHARED, WHOLE, DIAGONAL } metric_kind;

static size_t choose_block(const bw_mmm *m, metric_kind kind, size_t *block) {
    if (kind == SHARED)
        return bw_mmm_shared(m, block);
    size_t n = kind == WHOLE ? bw_mmm_dim(m) : 0;
    for (size_t i = 0; i < n; i++)
        block[i] = i;
    return n;
}

static bw_status sample_from(const bw_mmm *m, bw_nuts_options *o, metric_kind kind,
                             bw_nuts_result *r, bw_err *err) {
    bw_density density = bw_mmm_density(m);
    size_t *block = calloc(density.dim + 1, sizeof *block);
    if (!block)
        return bw_fail_memory(err);
    o->block = block;
    o->n_block = choose_block(m, kind, block);
    bw_status st = bw_nuts_sample(&density, o, r, err);
    free(block);
    return st;
}

bw_status fit_short(const bw_mmm *m, size_t n, unsigned long seed, double **draws, bw_err *err) {
    *draws = NULL;
    if (bw_mmm_dim(m) > SHORT_MOST)
        return fit_quick(m, n, seed, draws, NULL, err);
    bw_laplace l = {0};
    bw_status st = find_mode(m, &l, err);
    if (st != BW_OK)
        return st;
    bw_nuts_options o = {.chains = 1,
                         .warmup = SHORT_WARMUP,
                         .draws = n,
                         .seed = seed,
                         .start = l.mode,
                         .factor = l.factor};
    bw_nuts_result r;
    st = sample_from(m, &o, SHARED, &r, err);
    if (st == BW_OK) {
        *draws = r.draw;
        r.draw = NULL;
        bw_nuts_free(&r);
    }
    bw_laplace_free(&l);
    return st;
}

/* The worst of all parameters; one that never moved has no R-hat and is not among them. */
static void judge(const bw_nuts_result *r, engine_report *e) {
    double *rhat = calloc(3 * r->dim, sizeof *rhat), *bulk = rhat + r->dim, *tail = bulk + r->dim;
    *e = (engine_report){.sampled = true,
                         .chains = r->chains,
                         .evaluations = r->evaluations,
                         .max_rhat = 1,
                         .min_ess_bulk = INFINITY,
                         .min_ess_tail = INFINITY,
                         .min_ebfmi = INFINITY};
    if (!rhat)
        return;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < r->dim; i++) {
        bw_chains c = {r->draw + i, r->chains, r->draws, r->draws * r->dim, r->dim};
        rhat[i] = bw_rhat(&c);
        bulk[i] = bw_ess_bulk(&c);
        tail[i] = bw_ess_tail(&c);
    }
    for (size_t i = 0; i < r->dim; i++) {
        e->max_rhat = fmax(e->max_rhat, rhat[i]);
        e->min_ess_bulk = fmin(e->min_ess_bulk, bulk[i]);
        e->min_ess_tail = fmin(e->min_ess_tail, tail[i]);
    }
    for (size_t c = 0; c < r->chains; c++) {
        e->divergences += r->chain[c].divergences;
        e->max_depth_hits += r->chain[c].deepest;
        e->min_ebfmi = fmin(e->min_ebfmi, r->chain[c].ebfmi);
    }
    free(rhat);
}

#define REFRESH_WARMUP 150 /* what the last fit learned holds but for a few weeks more */

/* Mean and metric of the draws, for the next fit to begin from. */
static bw_status keep_learned(fit_state *f, const bw_nuts_result *r, bw_err *err) {
    size_t dim = r->dim, n = r->chains * r->draws;
    f->learned.mean = calloc(dim + dim * dim, sizeof *f->learned.mean);
    if (!f->learned.mean)
        return bw_fail_memory(err);
    f->learned.factor = f->learned.mean + dim;
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < dim; i++)
            f->learned.mean[i] += r->draw[k * dim + i] / (double)n;
    memcpy(f->learned.factor, r->factor, dim * dim * sizeof(double));
    for (size_t c = 0; c < r->chains; c++)
        f->learned.step += r->chain[c].step / (double)r->chains;
    return BW_OK;
}

/* Where sampling begins: what the last fit learned, or the mode and the curvature there. */
static bw_status begin(const fit_state *f, bw_laplace *l, bw_nuts_options *o, bw_err *err) {
    if (f->warm.mean) {
        o->start = f->warm.mean;
        o->factor = f->warm.factor;
        o->step = f->warm.step;
        o->warmup = o->warmup < REFRESH_WARMUP ? o->warmup : REFRESH_WARMUP;
        return BW_OK;
    }
    bw_status st = find_mode(f->model, l, err);
    o->start = l->mode;
    o->factor = l->factor;
    return st;
}

static bw_status sample_nuts(fit_state *f, size_t chains, size_t warmup, bw_err *err) {
    bw_laplace l = {0};
    bw_nuts_options o = {.chains = chains,
                         .warmup = warmup,
                         .draws = (size_t)f->o->draws,
                         .seed = (unsigned long)f->o->seed,
                         .target = 0.85,
                         .label = "fit"};
    bw_nuts_result r;
    metric_kind kind = f->o->diagonal ? DIAGONAL : f->o->dense ? WHOLE : SHARED;
    bw_status st = begin(f, &l, &o, err);
    if (st == BW_OK)
        st = sample_from(f->model, &o, kind, &r, err);
    if (st == BW_OK) {
        judge(&r, &f->engine);
        st = keep_learned(f, &r, err);
        f->draws = r.draw; /* chain after chain, as everyone after wants them */
        r.draw = NULL;
        bw_nuts_free(&r);
    }
    bw_laplace_free(&l);
    return st;
}

bw_status fit_sample(fit_state *f, bw_err *err) {
    f->dim = bw_mmm_dim(f->model);
    size_t chains = (size_t)f->o->chains, warmup = (size_t)f->o->warmup;
    bool fast = strcmp(f->o->engine, "fast") == 0;
    if (fast) {
        chains = 1;
        warmup = warmup < FAST_WARMUP ? warmup : FAST_WARMUP;
    }
    f->n_draw = chains * (size_t)f->o->draws;
    f->engine = (engine_report){.chains = chains};
    if (strcmp(f->o->engine, "laplace") == 0)
        return fit_quick(f->model, f->n_draw, (unsigned long)f->o->seed, &f->draws,
                         &f->engine.normal_share, err);
    if (fast || strcmp(f->o->engine, "nuts") == 0)
        return sample_nuts(f, chains, warmup, err);
    return bw_fail(err, BW_EARG, "--engine: '%s' is not one of nuts, fast, laplace", f->o->engine);
}
