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

/* ---- the mass matrix ---- */

/* Running mean and sums of squares (Welford), of all pairs when dense. */
typedef struct {
    size_t n, count;
    bool dense;
    double *mean, *delta, *sum;
} covariance;

static bool cholesky(const double *A, double *L, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = A[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= L[i * n + k] * L[j * n + k];
            if (i == j && !(sum > 0))
                return false;
            L[i * n + j] = i == j ? sqrt(sum) : sum / L[j * n + j];
        }
    return true;
}

static void covariance_reset(covariance *c) {
    c->count = 0;
    memset(c->mean, 0, c->n * sizeof(double));
    memset(c->sum, 0, (c->dense ? c->n * c->n : c->n) * sizeof(double));
}

static void covariance_add(covariance *c, const double *q) {
    size_t n = c->n;
    c->count++;
    for (size_t i = 0; i < n; i++) {
        c->delta[i] = q[i] - c->mean[i];
        c->mean[i] += c->delta[i] / (double)c->count;
    }
    for (size_t i = 0; i < n; i++) {
        double after = q[i] - c->mean[i];
        if (!c->dense)
            c->sum[i] += c->delta[i] * after;
        for (size_t j = 0; c->dense && j <= i; j++)
            c->sum[i * n + j] += c->delta[j] * after;
    }
}

/* The covariance learned, drawn a little towards what was believed before (towards 1e-3 in Stan, which
 * knows nothing before): with few draws a full matrix is too sharp in some direction. */
static void metric_learn(metric *m, const covariance *c) {
    size_t n = m->n;
    double N = (double)c->count, keep = N / (N + 5.0), prior = 5.0 / (N + 5.0);
    if (c->count < 2)
        return;
    for (size_t i = 0; i < n; i++) {
        double own = (c->dense ? c->sum[i * n + i] : c->sum[i]) / (N - 1.0);
        m->variance[i] = keep * own + prior * fmin(m->variance[i], 10.0 * own + 1e-12);
        for (size_t j = 0; c->dense && j < i; j++)
            m->cov[i * n + j] = m->cov[j * n + i] = keep * c->sum[i * n + j] / (N - 1.0);
        if (c->dense)
            m->cov[i * n + i] = m->variance[i];
    }
    if (c->dense && !cholesky(m->cov, m->factor, n))
        for (size_t i = 0; i < n;
             i++) /* never with more draws than parameters: fall back to the diagonal */
            for (size_t j = 0; j < n; j++) {
                m->cov[i * n + j] = i == j ? m->variance[i] : 0.0;
                m->factor[i * n + j] = i == j ? sqrt(m->variance[i]) : 0.0;
            }
}

/* From the options' factor L, or the unit matrix. */
static void metric_begin(metric *m, const double *L) {
    size_t n = m->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = i == j;
            for (size_t k = 0; L && k <= j; k++)
                sum = (k ? sum : 0.0) + L[i * n + k] * L[j * n + k];
            if (i == j)
                m->variance[i] = sum;
            if (m->dense) {
                m->cov[i * n + j] = m->cov[j * n + i] = sum;
                m->factor[i * n + j] = L ? L[i * n + j] : (double)(i == j);
            }
        }
}

/* ---- one chain ---- */

typedef struct {
    const bw_density *f;
    const bw_nuts_options *o;
    bw_nuts_result *out;
    size_t index;
    gsl_rng *r;
    tree *t;
    metric m;
    covariance c;
    point z;
    double step;
    averaging a;
    double *block;
    size_t *done;
    bw_progress *progress;
} chain;

static unsigned long chain_seed(unsigned long seed, size_t index) {
    /* splitmix64: neighbouring seeds and chains give unrelated streams */
    unsigned long long x = seed * 0x9E3779B97F4A7C15ULL + (index + 1) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return (unsigned long)((x ^ (x >> 31)) & 0xFFFFFFFFULL);
}

static bool chain_alloc(chain *h) {
    size_t n = h->f->dim, square = h->o->dense ? n * n : 0;
    h->r = gsl_rng_alloc(gsl_rng_mt19937);
    h->t = tree_new(h->f, h->o->max_depth ? h->o->max_depth : 10);
    h->block = calloc(3 * n + n + 2 * square + 2 * n + (square ? square : n) + 64, sizeof(double));
    if (!h->r || !h->t || !h->block)
        return false;
    double *at = h->block;
    h->z = (point){at, at + n, at + 2 * n, 0};
    h->m = (metric){n, h->o->dense, at + 3 * n, at + 4 * n, at + 4 * n + square};
    double *rest = at + 4 * n + 2 * square;
    h->c = (covariance){n, 0, h->o->dense, rest, rest + n, rest + 2 * n};
    gsl_rng_set(h->r, chain_seed(h->o->seed, h->index));
    return true;
}

static void chain_free(chain *h) {
    if (h->r)
        gsl_rng_free(h->r);
    tree_free(h->t);
    free(h->block);
}

/* A draw around start, nearer at each try. */
static bool first_point(chain *h) {
    size_t n = h->f->dim;
    double spread = 1.0;
    for (int tries = 0; tries < 50; tries++, spread *= 0.7) {
        memcpy(h->z.q, h->o->start, n * sizeof(double));
        for (size_t j = 0; j < n; j++) {
            double z = spread * gsl_ran_gaussian_ziggurat(h->r, 1.0);
            for (size_t i = j; i < n; i++)
                h->z.q[i] += h->o->factor ? h->o->factor[i * n + j] * z : (i == j ? z : 0.0);
        }
        if (tree_evaluate(h->t, &h->z))
            return true;
    }
    return false;
}

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

/* Whether iteration i ends a window; the last one stretches to the end rather than leave a stump. */
static bool window_ends(schedule *s, size_t *start, size_t i) {
    if (i < s->begin || i + 1 > s->end)
        return false;
    size_t stop = *start + s->window;
    if (stop + 2 * s->window > s->end)
        stop = s->end;
    if (i + 1 != stop)
        return false;
    *start = stop;
    s->window *= 2;
    return true;
}

/* Tells how far all chains are, from whichever thread runs the first. */
static void tell(chain *h, bool warm) {
    size_t done;
#pragma omp atomic capture
    done = ++*h->done;
    if (h->index == 0 && h->progress)
        bw_progress_set(h->progress, done, warm ? "warm-up" : "sampling");
}

static bool warm_up(chain *h) {
    size_t W = h->o->warmup;
    double target = h->o->target > 0 ? h->o->target : 0.8;
    schedule s = plan_windows(W);
    size_t start = s.begin;
    h->step = tree_first_step(h->t, &h->m, 1.0, h->r, &h->z);
    averaging_start(&h->a, h->step, target);
    covariance_reset(&h->c);
    for (size_t i = 0; i < W; i++) {
        if (bw_interrupted())
            return false;
        transition t = tree_transition(h->t, &h->m, h->step, h->r, &h->z);
        h->step = averaging_learn(&h->a, t.accept);
        if (i >= s.begin && i < s.end)
            covariance_add(&h->c, h->z.q);
        if (window_ends(&s, &start, i)) {
            metric_learn(&h->m, &h->c);
            covariance_reset(&h->c);
            h->step = tree_first_step(h->t, &h->m, h->step, h->r, &h->z);
            averaging_start(&h->a, h->step, target);
        }
        tell(h, true);
    }
    if (W)
        h->step = exp(h->a.x_bar);
    return true;
}

static bool sample(chain *h) {
    size_t n = h->f->dim, N = h->o->draws;
    bw_nuts_chain *report = &h->out->chain[h->index];
    double before = 0, moved = 0, mean = 0, square = 0, accept = 0;
    *report = (bw_nuts_chain){.step = h->step};
    for (size_t i = 0; i < N; i++) {
        if (bw_interrupted())
            return false;
        transition t = tree_transition(h->t, &h->m, h->step, h->r, &h->z);
        memcpy(h->out->draw + (h->index * N + i) * n, h->z.q, n * sizeof(double));
        h->out->log_density[h->index * N + i] = h->z.value;
        report->divergences += t.divergent;
        report->deepest += t.depth >= (h->o->max_depth ? h->o->max_depth : 10);
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

static void keep_factor(chain *h) {
    size_t n = h->f->dim;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            h->out->factor[i * n + j] =
                h->m.dense ? h->m.factor[i * n + j] : (i == j ? sqrt(h->m.variance[i]) : 0.0);
}

static bw_status run_chain(chain *h, bw_err *err) {
    if (!chain_alloc(h))
        return bw_fail_memory(err);
    metric_begin(&h->m, h->o->factor);
    if (!first_point(h))
        return bw_fail(
            err, BW_EDATA,
            "no point near the start has a density; a column holds values beyond all measure");
    if (!warm_up(h) || !sample(h))
        return bw_fail(err, BW_EINTERRUPTED, "interrupted while sampling; nothing was stored");
    if (h->index == 0)
        keep_factor(h);
    return BW_OK;
}

/* ---- all chains ---- */

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

bw_status bw_nuts_sample(const bw_density *f, const bw_nuts_options *o, bw_nuts_result *out,
                         bw_err *err) {
    bw_status st = allocate(f, o, out, err);
    size_t done = 0, evaluations = 0;
    bw_progress *progress =
        o->label ? bw_progress_new(o->label, o->chains * (o->warmup + o->draws)) : NULL;
#pragma omp parallel for schedule(static, 1) reduction(+ : evaluations) if (st == BW_OK)
    for (size_t c = 0; c < o->chains; c++) {
        bw_err own = {{0}};
        chain h = {.f = f, .o = o, .out = out, .index = c, .done = &done, .progress = progress};
        bw_status chain_st = st == BW_OK ? run_chain(&h, &own) : st;
        evaluations += h.t ? tree_evaluations(h.t) : 0;
        chain_free(&h);
        if (chain_st != BW_OK) {
#pragma omp critical
            if (st == BW_OK) {
                st = chain_st;
                if (err)
                    *err = own;
            }
        }
    }
    bw_progress_free(progress);
    out->evaluations = evaluations;
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
