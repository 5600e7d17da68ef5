/* analyze/mix/plan_risk.c - plans for the careful: from the best mean, money is moved between pairs of
 * channels as long as a quantile, or the mean of the tail, of the gain grows. The bound of the mean plan
 * bounds these too, for neither exceeds the mean of a plan by more than its spread; no gap is claimed. */
#include "analyze/mix/plan_internal.h"

#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    double part;
    bool tail;
} measure; /* quantile part, or mean of what is below it */

static bw_status read_measure(const char *text, measure *m, bw_err *err) {
    char *end = NULL;
    const char *digits = strncmp(text, "cvar", 4) == 0 ? text + 4
                         : text[0] == 'q'              ? text + 1
                                                       : NULL;
    double percent = digits ? strtod(digits, &end) : 0;
    if (!digits || end == digits || *end || !(percent > 0 && percent < 100))
        return bw_fail(err, BW_EARG,
                       "--risk: '%s' is not mean, qN or cvarN with N in per cent, e.g. q10", text);
    *m = (measure){percent / 100.0, digits == text + 4};
    return BW_OK;
}

static double measured(double *v, size_t n, const measure *m) {
    gsl_sort(v, 1, n);
    size_t k = (size_t)fmax(1.0, floor(m->part * (double)n)), i;
    if (!m->tail)
        return v[k - 1];
    double sum = 0;
    for (i = 0; i < k; i++)
        sum += v[i];
    return sum / (double)k;
}

typedef struct {
    plan_state *p;
    measure m;
    double *x, *sum, *sorted, *group_sum;
} search;

static double try_move(search *s, size_t i, size_t j, double amount) {
    plan_state *p = s->p;
    for (size_t k = 0; k < p->n_draw; k++)
        s->sorted[k] = s->sum[k] + plan_value(p, i, s->x[i] - amount, k) -
                       plan_value(p, i, s->x[i], k) + plan_value(p, j, s->x[j] + amount, k) -
                       plan_value(p, j, s->x[j], k);
    return measured(s->sorted, p->n_draw, &s->m);
}

static bool allowed(const search *s, size_t i, size_t j, double amount) {
    const plan_state *p = s->p;
    size_t gi = p->group_of[i], gj = p->group_of[j];
    if (i == j || s->x[i] - amount < p->channel[i].lo - 1e-9 ||
        s->x[j] + amount > p->channel[j].hi + 1e-9)
        return false;
    return gi == gj ||
           ((gi == BW_NO_GROUP || s->group_sum[gi] - amount >= p->group[gi].lo - 1e-9) &&
            (gj == BW_NO_GROUP || s->group_sum[gj] + amount <= p->group[gj].hi + 1e-9));
}

static void commit(search *s, size_t i, size_t j, double amount) {
    plan_state *p = s->p;
    for (size_t k = 0; k < p->n_draw; k++)
        s->sum[k] += plan_value(p, i, s->x[i] - amount, k) - plan_value(p, i, s->x[i], k) +
                     plan_value(p, j, s->x[j] + amount, k) - plan_value(p, j, s->x[j], k);
    s->x[i] -= amount;
    s->x[j] += amount;
    if (p->group_of[i] != BW_NO_GROUP)
        s->group_sum[p->group_of[i]] -= amount;
    if (p->group_of[j] != BW_NO_GROUP)
        s->group_sum[p->group_of[j]] += amount;
}

/* The sum of values less the sum now: the gain. */
static void start(search *s) {
    plan_state *p = s->p;
    memcpy(s->x, p->best.x, p->n * sizeof *s->x);
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < p->n_draw; k++)
            s->sum[k] += plan_value(p, i, s->x[i], k) - p->now[i * p->n_draw + k];
        if (p->group_of[i] != BW_NO_GROUP)
            s->group_sum[p->group_of[i]] += s->x[i];
    }
}

static void climb(search *s) {
    plan_state *p = s->p;
    memcpy(s->sorted, s->sum, p->n_draw * sizeof *s->sum);
    double best = measured(s->sorted, p->n_draw, &s->m);
    for (double part = 0.25; part > 0.005; part *= 0.5)
        for (bool moved = true; moved;) {
            moved = false;
            for (size_t i = 0; i < p->n; i++)
                for (size_t j = 0; j < p->n; j++) {
                    double amount = part * fmin(p->channel[i].hi - p->channel[i].lo,
                                                p->channel[j].hi - p->channel[j].lo);
                    double value = amount > 0 && allowed(s, i, j, amount)
                                       ? try_move(s, i, j, amount)
                                       : -INFINITY;
                    if (value > best + 1e-9 * fabs(best)) {
                        best = value;
                        commit(s, i, j, amount);
                        moved = true;
                    }
                }
        }
}

bw_status plan_risk(plan_state *p, bw_err *err) {
    search s = {.p = p};
    bw_status st = read_measure(p->o->risk, &s.m, err);
    if (st != BW_OK)
        return st;
    s.x = calloc(p->n + 2 * p->n_draw + PLAN_GROUPS, sizeof *s.x);
    if (!s.x)
        return bw_fail_memory(err);
    s.sum = s.x + p->n;
    s.sorted = s.sum + p->n_draw;
    s.group_sum = s.sorted + p->n_draw;
    start(&s);
    climb(&s);
    memcpy(p->best.x, s.x, p->n * sizeof *s.x);
    free(s.x);
    return BW_OK;
}
