/* analyze/sampler/nuts_tree.c - leapfrog, trajectory, U-turn. The recursion is that of Stan's base_nuts: a
 * subtree reports its first and last momentum, the sum of its momenta rho, and one proposal drawn
 * with weight exp(-energy). */
#include "analyze/sampler/nuts_tree.h"

#include "analyze/mix/kernels.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIVERGENT 1000.0 /* energy error that ends a trajectory, as in Stan */

/* Scratch of one level of the recursion. */
typedef struct {
    point proposal;
    double *sharp_init_end, *init_end, *rho_init, *sharp_final_beg, *final_beg, *rho_final;
} level;

struct tree {
    const bw_density *f;
    void *room;
    size_t n, max_depth, evaluations;
    const metric *m;
    double step, h0, sum_accept;
    size_t leapfrogs;
    bool divergent;
    gsl_rng *r;
    point z, fwd, bck, sample, proposal;
    double *velocity, *extended, *gather;
    double *rho, *rho_fwd, *rho_bck;
    double *p_ff, *p_fb, *p_bf, *p_bb, *s_ff, *s_fb, *s_bf,
        *s_bb; /* momenta and M^-1 p: of the forward
                    half its forward and backward end, of the backward half likewise */
    level *level;
    double *block;
};

static double *take(double **at, size_t n) {
    double *p = *at;
    *at += bw_lanes_up(n);
    return p;
}

static void take_point(point *z, double **at, size_t n) {
    z->q = take(at, n);
    z->p = take(at, n);
    z->g = take(at, n);
}

tree *tree_new(const bw_density *f, size_t max_depth) {
    tree *t = calloc(1, sizeof *t);
    size_t n = f->dim;
    if (!t)
        return NULL;
    *t = (tree){.f = f, .n = n, .max_depth = max_depth};
    t->level = calloc(max_depth + 1, sizeof *t->level);
    t->block = calloc((5 * 3 + 3 + 3 + 8 + (max_depth + 1) * 9) * bw_lanes_up(n), sizeof *t->block);
    t->room = f->scratch_new ? f->scratch_new(f->model) : NULL;
    if (!t->level || !t->block || (f->scratch_new && !t->room)) {
        tree_free(t);
        return NULL;
    }
    double *at = t->block;
    point *const points[] = {&t->z, &t->fwd, &t->bck, &t->sample, &t->proposal};
    for (size_t i = 0; i < 5; i++)
        take_point(points[i], &at, n);
    double **const vectors[] = {&t->velocity, &t->extended, &t->gather, &t->rho,  &t->rho_fwd,
                                &t->rho_bck,  &t->p_ff,     &t->p_fb,   &t->p_bf, &t->p_bb,
                                &t->s_ff,     &t->s_fb,     &t->s_bf,   &t->s_bb};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        *vectors[i] = take(&at, n);
    for (size_t d = 0; d <= max_depth; d++) {
        level *l = &t->level[d];
        take_point(&l->proposal, &at, n);
        double **const own[] = {&l->sharp_init_end,  &l->init_end,  &l->rho_init,
                                &l->sharp_final_beg, &l->final_beg, &l->rho_final};
        for (size_t i = 0; i < 6; i++)
            *own[i] = take(&at, n);
    }
    return t;
}

void tree_free(tree *t) {
    if (!t)
        return;
    if (t->f->scratch_free)
        t->f->scratch_free(t->room);
    free(t->level);
    free(t->block);
    free(t);
}

size_t tree_evaluations(const tree *t) {
    return t->evaluations;
}

static void copy(double *to, const double *from, size_t n) {
    memcpy(to, from, n * sizeof *to);
}

static void copy_point(point *to, const point *from, size_t n) {
    copy(to->q, from->q, n);
    copy(to->p, from->p, n);
    copy(to->g, from->g, n);
    to->value = from->value;
}

static void add(double *to, const double *v, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] += v[i];
}

bool tree_evaluate(tree *t, point *z) {
    z->value = t->f->eval(t->f->model, t->room, z->q, z->g);
    t->evaluations++;
    return isfinite(z->value);
}

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static double energy(tree *t, const point *z) {
    metric_velocity(t->m, z->p, t->gather, t->velocity);
    double h = 0.5 * dot(z->p, t->velocity, t->n) - z->value;
    return isnan(h) ? INFINITY : h;
}

static void leapfrog(tree *t, point *z, double step) {
    for (size_t i = 0; i < t->n; i++)
        z->p[i] += 0.5 * step * z->g[i];
    metric_velocity(t->m, z->p, t->gather, t->velocity);
    for (size_t i = 0; i < t->n; i++)
        z->q[i] += step * t->velocity[i];
    tree_evaluate(t, z);
    for (size_t i = 0; i < t->n; i++)
        z->p[i] += 0.5 * step * z->g[i];
}

static double log_sum_exp(double a, double b) {
    double top = fmax(a, b);
    return isinf(top) && top < 0 ? top : top + log1p(exp(fmin(a, b) - top));
}

/* No U-turn yet between two ends with velocities sharp, over momenta that sum to rho. */
static bool goes_on(const double *sharp_a, const double *sharp_b, const double *rho, size_t n) {
    return dot(sharp_a, rho, n) > 0 && dot(sharp_b, rho, n) > 0;
}

static bool goes_on_extended(tree *t, const double *sharp_a, const double *sharp_b,
                             const double *rho, const double *p) {
    copy(t->extended, rho, t->n);
    add(t->extended, p, t->n);
    return goes_on(sharp_a, sharp_b, t->extended, t->n);
}

/* Ends of a subtree and its sums, as its parent wants them. */
typedef struct {
    point *proposal;
    double *sharp_beg, *sharp_end, *beg, *end, *rho, log_weight;
} branch;

static bool grow_leaf(tree *t, branch *b) {
    leapfrog(t, &t->z, t->step);
    t->leapfrogs++;
    double h = energy(t, &t->z);
    if (h - t->h0 > DIVERGENT)
        t->divergent = true;
    b->log_weight = log_sum_exp(b->log_weight, t->h0 - h);
    t->sum_accept += t->h0 - h > 0 ? 1.0 : exp(t->h0 - h);
    copy_point(b->proposal, &t->z, t->n);
    copy(b->sharp_beg, t->velocity, t->n); /* energy left M^-1 p there */
    copy(b->sharp_end, t->velocity, t->n);
    add(b->rho, t->z.p, t->n);
    copy(b->beg, t->z.p, t->n);
    copy(b->end, t->z.p, t->n);
    return !t->divergent;
}

/* Adds a subtree of 2^depth points behind t->z; false when it diverges or turns. */
static bool grow(tree *t, size_t depth, branch *b) {
    if (depth == 0)
        return grow_leaf(t, b);
    level *l = &t->level[depth];
    size_t n = t->n;
    memset(l->rho_init, 0, n * sizeof(double));
    memset(l->rho_final, 0, n * sizeof(double));
    branch init = {b->proposal, b->sharp_beg, l->sharp_init_end, b->beg,
                   l->init_end, l->rho_init,  -INFINITY};
    if (!grow(t, depth - 1, &init))
        return false;
    branch final = {&l->proposal, l->sharp_final_beg, b->sharp_end, l->final_beg,
                    b->end,       l->rho_final,       -INFINITY};
    if (!grow(t, depth - 1, &final))
        return false;
    double both = log_sum_exp(init.log_weight, final.log_weight);
    b->log_weight = log_sum_exp(b->log_weight, both);
    if (final.log_weight > both || gsl_rng_uniform(t->r) < exp(final.log_weight - both))
        copy_point(b->proposal, &l->proposal, n);
    bool on = goes_on_extended(t, b->sharp_beg, l->sharp_final_beg, l->rho_init, l->final_beg) &&
              goes_on_extended(t, l->sharp_init_end, b->sharp_end, l->rho_final, l->init_end);
    add(l->rho_init, l->rho_final, n);
    add(b->rho, l->rho_init, n);
    return on && goes_on(b->sharp_beg, b->sharp_end, l->rho_init, n);
}

/* Doubles the trajectory forward or backward; *log_weight grows by the new half's. */
static bool extend(tree *t, size_t depth, bool forward, double *log_subtree) {
    size_t n = t->n;
    memset(forward ? t->rho_fwd : t->rho_bck, 0, n * sizeof(double));
    copy(forward ? t->rho_bck : t->rho_fwd, t->rho, n);
    branch b = {&t->proposal, t->s_fb, t->s_ff, t->p_fb, t->p_ff, t->rho_fwd, -INFINITY};
    if (forward) {
        copy(t->p_bf, t->p_ff, n);
        copy(t->s_bf, t->s_ff, n);
        copy_point(&t->z, &t->fwd, n);
    } else {
        copy(t->p_fb, t->p_bb, n);
        copy(t->s_fb, t->s_bb, n);
        copy_point(&t->z, &t->bck, n);
        b = (branch){&t->proposal, t->s_bf, t->s_bb, t->p_bf, t->p_bb, t->rho_bck, -INFINITY};
    }
    double step = t->step;
    t->step = forward ? step : -step;
    bool valid = grow(t, depth, &b);
    t->step = step;
    copy_point(forward ? &t->fwd : &t->bck, &t->z, n);
    *log_subtree = b.log_weight;
    return valid;
}

static void begin(tree *t, const point *z) {
    size_t n = t->n;
    copy_point(&t->fwd, z, n);
    copy_point(&t->bck, z, n);
    copy_point(&t->sample, z, n);
    t->h0 = energy(t, z);
    double *const momenta[] = {t->p_ff, t->p_fb, t->p_bf, t->p_bb, t->rho};
    double *const sharps[] = {t->s_ff, t->s_fb, t->s_bf, t->s_bb};
    for (size_t i = 0; i < 5; i++)
        copy(momenta[i], z->p, n);
    for (size_t i = 0; i < 4; i++)
        copy(sharps[i], t->velocity, n);
    t->sum_accept = 0;
    t->leapfrogs = 0;
    t->divergent = false;
}

transition tree_transition(tree *t, const metric *m, double step, gsl_rng *r, point *z) {
    t->m = m;
    t->step = step;
    t->r = r;
    metric_momentum(m, r, t->gather, z->p);
    begin(t, z);
    size_t depth = 0;
    double log_weight = 0;
    while (depth < t->max_depth) {
        double log_subtree;
        if (!extend(t, depth, gsl_rng_uniform(r) > 0.5, &log_subtree))
            break;
        depth++;
        if (log_subtree > log_weight || gsl_rng_uniform(r) < exp(log_subtree - log_weight))
            copy_point(&t->sample, &t->proposal, t->n);
        log_weight = log_sum_exp(log_weight, log_subtree);
        bool on = goes_on_extended(t, t->s_bb, t->s_fb, t->rho_bck, t->p_fb) &&
                  goes_on_extended(t, t->s_bf, t->s_ff, t->rho_fwd, t->p_bf);
        copy(t->rho, t->rho_bck, t->n);
        add(t->rho, t->rho_fwd, t->n);
        if (!on || !goes_on(t->s_bb, t->s_ff, t->rho, t->n))
            break;
    }
    copy_point(z, &t->sample, t->n);
    return (transition){t->sum_accept / (double)t->leapfrogs, energy(t, z), t->leapfrogs, depth,
                        t->divergent};
}

double tree_first_step(tree *t, const metric *m, double step, gsl_rng *r, const point *start) {
    t->m = m;
    int direction = 0;
    for (int tries = 0; tries < 100; tries++) {
        copy_point(&t->z, start, t->n);
        metric_momentum(m, r, t->gather, t->z.p);
        double h0 = energy(t, &t->z);
        leapfrog(t, &t->z, step);
        double gain = h0 - energy(t, &t->z);
        int wanted = gain > log(0.8) ? 1 : -1;
        if (direction && wanted != direction)
            break;
        direction = wanted;
        step = direction > 0 ? 2.0 * step : 0.5 * step;
    }
    return step;
}
