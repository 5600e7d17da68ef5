/* analyze/price/promotion.c - money from the draws of promotions' effects, on everything or told apart. */
#include "analyze/price/promotion.h"

#include "analyze/price/promotion_model.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS      1000u
#define IDLE_SHARE 0.1 /* more days than this without a sale: logs of the others would mislead */

/* One promotion's draws, each [DRAWS]. */
struct draws {
    double promoted[DRAWS], taken[DRAWS], uplift[DRAWS], dip[DRAWS], net[DRAWS], lift[DRAWS];
};

struct work {
    const bw_promotion_data *d;
    gsl_rng *rng;
    struct draws draws;
    bw_promotion_model own, others;
    bool *others_step; /* [promotions] of another set than the one at hand */
};

static bool seen(const bw_promotion_data *d, size_t i) {
    const bw_span *p = &d->promotion[i];
    return p->first >= d->first && p->first <= d->first + (double)d->n - 1;
}

/* How far the two models' errors of a day go together. */
static double correlation(const bw_promotion_model *a, const bw_promotion_model *b) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t t = 0; t < a->d->n; t++)
        if (!isnan(a->shock[t]) && !isnan(b->shock[t])) {
            ab += a->shock[t] * b->shock[t];
            aa += a->shock[t] * a->shock[t];
            bb += b->shock[t] * b->shock[t];
        }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static void add_money(const bw_promotion_model *m, size_t i, size_t s, const double normal[2],
                      double *during, double *after, double *lift) {
    double step, dip;
    bw_promotion_coef(m, i, s, normal, &step, &dip);
    *during = *after = 0;
    for (size_t t = 0; t < m->d->n; t++) {
        *during += bw_promotion_step_money(m, i, t, step);
        *after += bw_promotion_dip_money(m, i, t, dip);
    }
    *lift = expm1(step);
}

/* rho: of the errors of w->others with those of w->own; others are left out when it is NAN. */
static void draw(struct work *w, size_t i, double rho, uint64_t seed, bw_promotion *out) {
    struct draws *x = &w->draws;
    gsl_rng_set(w->rng, (unsigned long)seed);
    for (size_t s = 0; s < DRAWS; s++) {
        double normal[2], theirs[2], after = 0, unused;
        for (size_t k = 0; k < 2; k++)
            normal[k] = gsl_ran_ugaussian(w->rng);
        add_money(&w->own, i, s, normal, &x->promoted[s], &x->dip[s], &x->lift[s]);
        x->taken[s] = 0;
        if (!isnan(rho)) {
            for (size_t k = 0; k < 2; k++)
                theirs[k] = rho * normal[k] + sqrt(1 - rho * rho) * gsl_ran_ugaussian(w->rng);
            add_money(&w->others, i, s, theirs, &x->taken[s], &after, &unused);
        }
        x->uplift[s] = x->promoted[s] + x->taken[s];
        x->dip[s] += after;
        x->net[s] = x->uplift[s] + x->dip[s];
    }
    out->promoted = bw_summarise(x->promoted, DRAWS);
    out->taken = bw_summarise(x->taken, DRAWS);
    out->uplift = bw_summarise(x->uplift, DRAWS);
    out->dip = bw_summarise(x->dip, DRAWS);
    out->net = bw_summarise(x->net, DRAWS);
    out->lift = bw_summarise(x->lift, DRAWS);
}

static bool too_sparse(const double *y, size_t n) {
    size_t idle = 0, there = 0;
    for (size_t t = 0; t < n; t++) {
        there += isnan(y[t]) ? 0 : 1;
        idle += y[t] == 0;
    }
    return (double)idle > IDLE_SHARE * (double)there;
}

/* Promotions of one set of products: two models, and a draw for each promotion. */
static bw_status judge_set(struct work *w, size_t set, uint64_t seed, bw_promotion *out,
                           bw_err *err) {
    const bw_promotion_data *d = w->d;
    const bw_promoted *p = &d->set[set];
    bool sparse = too_sparse(p->own, d->n) || too_sparse(p->others, d->n);
    for (size_t i = 0; i < d->promotions; i++) {
        w->others_step[i] = d->set_of[i] != set;
        out[i].sparse |= sparse && d->set_of[i] == set;
    }
    if (sparse)
        return BW_OK;
    bw_status st = bw_promotion_model_fit(d, p->own, w->others_step, &w->own, err);
    for (size_t i = 0; i < d->promotions; i++)
        w->others_step[i] = d->set_of[i] == set;
    if (st == BW_OK)
        st = bw_promotion_model_fit(d, p->others, w->others_step, &w->others, err);
    double rho = st == BW_OK ? correlation(&w->own, &w->others) : 0;
    for (size_t i = 0; st == BW_OK && i < d->promotions; i++)
        if (d->set_of[i] == set && seen(d, i)) {
            out[i].known = out[i].apart = true;
            draw(w, i, rho, seed + 1 + i, &out[i]);
        }
    bw_promotion_model_free(&w->own);
    bw_promotion_model_free(&w->others);
    return st;
}

/* The promotions that were for everything, or could not be told apart, on all sales. */
static bw_status judge_rest(struct work *w, uint64_t seed, bw_promotion *out, bw_err *err) {
    const bw_promotion_data *d = w->d;
    bool any = false;
    for (size_t i = 0; i < d->promotions; i++)
        any |= seen(d, i) && !out[i].apart;
    if (!any)
        return BW_OK;
    bw_status st = bw_promotion_model_fit(d, d->y, NULL, &w->own, err);
    for (size_t i = 0; st == BW_OK && i < d->promotions; i++)
        if (seen(d, i) && !out[i].apart) {
            out[i].known = true;
            draw(w, i, NAN, seed + 1 + i, &out[i]);
        }
    bw_promotion_model_free(&w->own);
    return st;
}

bw_status bw_promotion_fit(const bw_promotion_data *d, uint64_t seed, bw_promotion *out,
                           bw_err *err) {
    memset(out, 0, d->promotions * sizeof *out);
    struct work *w = calloc(1, sizeof *w);
    if (w) {
        w->d = d;
        w->rng = gsl_rng_alloc(gsl_rng_taus2);
        w->others_step = calloc(d->promotions + 1, sizeof *w->others_step);
    }
    bw_status st = w && w->rng && w->others_step ? BW_OK : bw_fail_memory(err);
    for (size_t k = 0; st == BW_OK && k < d->sets; k++)
        st = judge_set(w, k, seed, out, err);
    if (st == BW_OK)
        st = judge_rest(w, seed, out, err);
    if (w && w->rng)
        gsl_rng_free(w->rng);
    if (w)
        free(w->others_step);
    free(w);
    return st;
}
