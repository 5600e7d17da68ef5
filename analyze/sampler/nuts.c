/* analyze/sampler/nuts.c - chains: first point, warm-up, draws; see nuts.h. Trajectories are in nuts_tree.c. */
#include "analyze/sampler/nuts.h"

#include "analyze/sampler/nuts_tree.h"
#include "common/progress.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- dual averaging (Hoffman and Gelman 2014, section 3.2) ---- */

typedef struct {
    double mu, target, count, s_bar, x_bar;
} averaging;

static void averaging_start(averaging *a, double step, double target) {
    *a = (averaging){.mu = log(10.0 * step), .target = target};
}

static double averaging_learn(averaging *a, double accept) {
    const double gamma = 0.05, t0 = 10.0, kappa = 0.75;
    a->count += 1;
    double eta = 1.0 / (a->count + t0);
    a->s_bar = (1.0 - eta) * a->s_bar + eta * (a->target - fmin(accept, 1.0));
    double x = a->mu - a->s_bar * sqrt(a->count) / gamma, weight = pow(a->count, -kappa);
    a->x_bar = (1.0 - weight) * a->x_bar + weight * x;
    return exp(x);
}

/* ---- one chain ---- */

/* What the chains share. */
typedef struct {
    const bw_density *f;
    const bw_nuts_options *o;
    bw_nuts_result *out;
    metric m;
    double target;
    size_t deepest, done;
    bw_progress *progress;
} run;

typedef struct {
    run *of;
    size_t index;
    gsl_rng *r;
    tree *t;
    moments c;
    point z;
    double *block, step;
    averaging a;
} chain;

static unsigned long chain_seed(unsigned long seed, size_t index) {
    /* splitmix64: neighbouring seeds and chains give unrelated streams */
    unsigned long long x = seed * 0x9E3779B97F4A7C15ULL + (index + 1) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return (unsigned long)((x ^ (x >> 31)) & 0xFFFFFFFFULL);
}

static bw_status chain_new(chain *h, run *of, size_t index, bw_err *err) {
    size_t n = of->f->dim;
    *h = (chain){.of = of, .index = index};
    h->r = gsl_rng_alloc(gsl_rng_mt19937);
    h->t = tree_new(of->f, of->deepest);
    h->block = calloc(3 * n + 1, sizeof(double));
    if (!h->r || !h->t || !h->block || !moments_new(&h->c, &of->m))
        return bw_fail_memory(err);
    h->z = (point){h->block, h->block + n, h->block + 2 * n, 0};
    gsl_rng_set(h->r, chain_seed(of->o->seed, index));
    return BW_OK;
}

static void chain_free(chain *h) {
    if (h->r)
        gsl_rng_free(h->r);
    tree_free(h->t);
    moments_free(&h->c);
    free(h->block);
}

/* A draw around start, nearer at each try. */
static bool first_point(chain *h) {
    const bw_nuts_options *o = h->of->o;
    size_t n = h->of->f->dim;
    double spread = 1.0;
    for (int tries = 0; tries < 50; tries++, spread *= 0.7) {
        memcpy(h->z.q, o->start, n * sizeof(double));
        for (size_t j = 0; j < n; j++) {
            double z = spread * gsl_ran_gaussian_ziggurat(h->r, 1.0);
            for (size_t i = j; i < n; i++)
                h->z.q[i] += o->factor ? o->factor[i * n + j] * z : (i == j ? z : 0.0);
        }
        if (tree_evaluate(h->t, &h->z))
            return true;
    }
    return false;
}

/* Tells how far all chains are, from whichever thread runs the first. */
static void tell(chain *h, bool warm) {
    size_t done;
#pragma omp atomic capture
    done = ++h->of->done;
    if (h->index == 0 && h->of->progress)
        bw_progress_set(h->of->progress, done, warm ? "warm-up" : "sampling");
}

/* A part of the warm-up: the step size is learned anew, and the moments of draws kept when the matrix is
 * to be learned at its end. */
static bool warm_up(chain *h, size_t iterations, bool keep) {
    run *of = h->of;
    h->step = tree_first_step(h->t, &of->m, h->step, h->r, &h->z);
    averaging_start(&h->a, h->step, of->target);
    moments_reset(&h->c, &of->m);
    for (size_t i = 0; i < iterations; i++) {
        if (bw_interrupted())
            return false;
        transition t = tree_transition(h->t, &of->m, h->step, h->r, &h->z);
        h->step = averaging_learn(&h->a, t.accept);
        if (keep)
            moments_add(&h->c, &of->m, h->z.q);
        tell(h, true);
    }
    if (iterations)
        h->step = exp(h->a.x_bar);
    return true;
}

static bool sample(chain *h) {
    run *of = h->of;
    size_t n = of->f->dim, N = of->o->draws;
    bw_nuts_chain *report = &of->out->chain[h->index];
    double before = 0, moved = 0, mean = 0, square = 0, accept = 0;
    *report = (bw_nuts_chain){.step = h->step};
    for (size_t i = 0; i < N; i++) {
        if (bw_interrupted())
            return false;
        transition t = tree_transition(h->t, &of->m, h->step, h->r, &h->z);
        memcpy(of->out->draw + (h->index * N + i) * n, h->z.q, n * sizeof(double));
        of->out->log_density[h->index * N + i] = h->z.value;
        report->divergences += t.divergent;
        report->deepest += t.depth >= of->deepest;
        report->leapfrogs += t.leapfrogs;
        accept += t.accept;
        double delta = t.energy - mean;
        mean += delta / (double)(i + 1);
        square += delta * (t.energy - mean);
        moved += i ? (t.energy - before) * (t.energy - before) : 0.0;
        before = t.energy;
        tell(h, false);
    }
    report->accept = accept / (double)N;
    report->ebfmi = square > 0 ? moved / square : NAN; /* Betancourt 2016 */
    return true;
}

/* ---- all chains ---- */

/* The windows of Stan: step size alone, then covariance in windows that double, then step size alone;
 * 75, 25, 50 when the warm-up is 1000, in proportion when it is short. */
typedef struct {
    size_t begin, end, window;
} schedule;

static schedule plan_windows(size_t warmup) {
    schedule s = {75, warmup - 50, 25};
    if (warmup < 150) {
        s.begin = warmup * 15 / 100;
        s.end = warmup - warmup / 10;
        s.window = s.end - s.begin;
    }
    return s;
}

/* Where the window that begins at start ends; the last one stretches to the end rather than leave a
 * stump. */
static size_t window_end(schedule *s, size_t start) {
    size_t stop = start + s->window;
    s->window *= 2;
    return stop + s->window > s->end ? s->end : stop;
}

enum stage { WARM, WARM_AND_LEARN, SAMPLE };

/* Moves every chain on; the first failure is the run's. */
static bw_status advance(chain *chains, size_t n, enum stage stage, size_t iterations,
                         bw_err *err) {
    bool whole = true;
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : whole)
    for (size_t c = 0; c < n; c++)
        whole = (stage == SAMPLE ? sample(&chains[c])
                                 : warm_up(&chains[c], iterations, stage == WARM_AND_LEARN)) &&
                whole;
    return whole ? BW_OK
                 : bw_fail(err, BW_EINTERRUPTED, "interrupted while sampling; nothing was stored");
}

/* Warm-up in step: at the end of a window the chains learn one covariance from the draws of all. */
static bw_status warm_up_all(run *of, chain *chains, bw_err *err) {
    size_t n = of->o->chains, W = of->o->warmup;
    schedule s = plan_windows(W);
    moments **pool = calloc(n, sizeof(moments *));
    if (!pool)
        return bw_fail_memory(err);
    for (size_t c = 0; c < n; c++)
        pool[c] = &chains[c].c;
    bw_status st = advance(chains, n, WARM, s.begin, err);
    for (size_t at = s.begin; st == BW_OK && at < s.end;) {
        size_t stop = window_end(&s, at);
        st = advance(chains, n, WARM_AND_LEARN, stop - at, err);
        metric_learn(&of->m, pool, n);
        at = stop;
    }
    free(pool);
    return st == BW_OK ? advance(chains, n, WARM, W - s.end, err) : st;
}

static bw_status start_all(run *of, chain *chains, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t c = 0; c < of->o->chains && st == BW_OK; c++) {
        st = chain_new(&chains[c], of, c, err);
        chains[c].step = of->o->step > 0 ? of->o->step : 1.0;
        if (st == BW_OK && !first_point(&chains[c]))
            st = bw_fail(err, BW_EDATA,
                         "no point near the start has a density; a column holds values beyond all "
                         "measure");
    }
    return st;
}

static bw_status allocate(const bw_density *f, const bw_nuts_options *o, bw_nuts_result *out,
                          bw_err *err) {
    size_t n = f->dim, all = o->chains * o->draws;
    *out = (bw_nuts_result){.dim = n, .chains = o->chains, .draws = o->draws};
    out->draw = malloc((all * n + 1) * sizeof(double));
    out->log_density = malloc((all + 1) * sizeof(double));
    out->chain = calloc(o->chains, sizeof *out->chain);
    out->factor = calloc(n * n + 1, sizeof(double));
    return out->draw && out->log_density && out->chain && out->factor ? BW_OK : bw_fail_memory(err);
}

static bw_status sample_all(run *of, chain *chains, bw_err *err) {
    bw_status st = start_all(of, chains, err);
    if (st == BW_OK && of->o->warmup)
        st = warm_up_all(of, chains, err);
    if (st == BW_OK)
        st = advance(chains, of->o->chains, SAMPLE, 0, err);
    if (st == BW_OK)
        metric_factor(&of->m, of->out->factor);
    for (size_t c = 0; c < of->o->chains; c++) {
        of->out->evaluations += chains[c].t ? tree_evaluations(chains[c].t) : 0;
        chain_free(&chains[c]);
    }
    return st;
}

bw_status bw_nuts_sample(const bw_density *f, const bw_nuts_options *o, bw_nuts_result *out,
                         bw_err *err) {
    run of = {.f = f,
              .o = o,
              .out = out,
              .target = o->target > 0 ? o->target : 0.8,
              .deepest = o->max_depth ? o->max_depth : 10};
    chain *chains = calloc(o->chains, sizeof *chains);
    size_t block = o->block ? o->n_block : o->dense ? f->dim : 0;
    bw_status st = allocate(f, o, out, err);
    if (st == BW_OK && (!chains || !metric_new(&of.m, f->dim, o->block, block, o->factor)))
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        of.progress =
            o->label ? bw_progress_new(o->label, o->chains * (o->warmup + o->draws)) : NULL;
        st = sample_all(&of, chains, err);
        bw_progress_free(of.progress);
    }
    metric_free(&of.m);
    free(chains);
    if (st != BW_OK)
        bw_nuts_free(out);
    return st;
}

void bw_nuts_free(bw_nuts_result *r) {
    free(r->draw);
    free(r->log_density);
    free(r->chain);
    free(r->factor);
    *r = (bw_nuts_result){0};
}
