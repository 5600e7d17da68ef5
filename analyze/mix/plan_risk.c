/* analyze/mix/plan_risk.c - plans for the careful: from the best mean, money is moved between pairs of
 * channels as long as a quantile, or the mean of the tail, of the gain grows.
 *
 * The mean of the tail is the least of all weighted means that give no draw more than 1/part times its
 * weight (Rockafellar and Uryasev 2000). So for any such weights the best weighted mean, which the
 * allocation bounds, bounds the tail of every plan: with the weights of the tail at the plan found,
 * the bound is close. It also offers a plan of its own to go on from. A quantile has no such bound,
 * and none is claimed. */
#include "analyze/mix/plan_internal.h"

#include "analyze/sort.h"

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

/* How many of n draws are up to the quantile. */
static size_t rank_of(size_t n, const measure *m) {
    return (size_t)fmax(1.0, floor(m->part * (double)n));
}

static double measured(double *v, size_t n, const measure *m) {
    bw_sort(v, n);
    size_t k = rank_of(n, m);
    if (!m->tail)
        return v[k - 1];
    double sum = 0;
    for (size_t i = 0; i < k; i++)
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

/* From the spends x: their sum of values less the sum now, the gain, draw by draw. */
static void start(search *s, const double *x) {
    plan_state *p = s->p;
    memcpy(s->x, x, p->n * sizeof *s->x);
    memset(s->sum, 0, p->n_draw * sizeof *s->sum);
    memset(s->group_sum, 0, PLAN_GROUPS * sizeof *s->group_sum);
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < p->n_draw; k++)
            s->sum[k] += plan_value(p, i, s->x[i], k) - p->now[i * p->n_draw + k];
        if (p->group_of[i] != BW_NO_GROUP)
            s->group_sum[p->group_of[i]] += s->x[i];
    }
}

static double measure_now(search *s) {
    memcpy(s->sorted, s->sum, s->p->n_draw * sizeof *s->sum);
    return measured(s->sorted, s->p->n_draw, &s->m);
}

static double climb(search *s) {
    plan_state *p = s->p;
    double best = measure_now(s);
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
    return best;
}

#define ROUNDS 5    /* of bound and plan by the weights of the tail */
#define WINDOW 0.05 /* share of the draws on either side of a quantile that tell its slope */

/* The draws that decide the measure at the search's plan, in weights that sum to one: those of the tail;
 * of a quantile those around it, for its slope is the mean slope of the draws that lie there. */
static void deciding_draws(search *s, double *weight) {
    size_t n = s->p->n_draw, k = rank_of(n, &s->m), chosen = 0;
    size_t window = (size_t)ceil(WINDOW * (double)n);
    measure_now(s);
    size_t from = s->m.tail || k < window ? 0 : k - window,
           to = s->m.tail ? k - 1 : (k + window < n ? k + window : n - 1);
    for (size_t i = 0; i < n; i++) {
        weight[i] = s->sum[i] >= s->sorted[from] && s->sum[i] <= s->sorted[to];
        chosen += weight[i] > 0;
    }
    for (size_t i = 0; i < n; i++)
        weight[i] /= (double)chosen;
}

/* The levels' values under those weights; returns that of now. */
static double weighted_curves(const plan_state *p, const double *weight, double *value) {
    double now = 0;
    memset(value, 0, p->n * PLAN_LEVELS * sizeof *value);
    for (size_t k = 0; k < p->n_draw; k++) {
        if (weight[k] == 0)
            continue;
        for (size_t i = 0; i < p->n; i++)
            now += p->now[i * p->n_draw + k] * weight[k];
        for (size_t i = 0; i < p->n * PLAN_LEVELS; i++)
            value[i] += (double)p->value[i * p->n_draw + k] * weight[k];
    }
    return now;
}

/* One round: bounds the tail by its own weights, and climbs from the split that is best under them. */
static bw_status tail_round(search *s, double spend, double *bound, double *found, bw_err *err) {
    plan_state *p = s->p;
    double *weight = malloc((p->n_draw + p->n * PLAN_LEVELS) * sizeof *weight), of_round = INFINITY;
    if (!weight)
        return bw_fail_memory(err);
    double *value = weight + p->n_draw;
    plan_aim aim = {.total = spend};
    plan_problem problem;
    bw_allocation_result offer = {0};
    deciding_draws(s, weight);
    double now = weighted_curves(p, weight, value);
    plan_problem_set(p, value, &aim, &problem);
    bw_status st = plan_bound_total(p, weight, spend, &of_round, err);
    if (st == BW_OK)
        st = bw_allocate(&problem.a, &offer, err);
    if (st == BW_OK) {
        *bound = fmin(*bound, of_round - now);
        start(s, offer.x);
        *found = climb(s);
    }
    bw_allocation_free(&offer);
    free(weight);
    return st;
}

/* Bounds the tail of all plans that spend as much, and climbs from the plans that the bound offers. */
static bw_status bound_tail(search *s, bw_err *err) {
    plan_state *p = s->p;
    double *kept = malloc((p->n + 1) * sizeof *kept), spend = 0, best = measure_now(s),
           bound = INFINITY;
    if (!kept)
        return bw_fail_memory(err);
    memcpy(kept, s->x, p->n * sizeof *kept);
    for (size_t i = 0; i < p->n; i++)
        spend += s->x[i];
    bw_status st = BW_OK;
    for (int round = 0; round < ROUNDS && st == BW_OK; round++) {
        double found = -INFINITY;
        st = tail_round(s, spend, &bound, &found, err);
        if (!(found > best + 1e-9 * fabs(best)))
            break;
        best = found;
        memcpy(kept, s->x, p->n * sizeof *kept);
    }
    start(s, kept);
    free(kept);
    p->best.bound = bound;
    return st;
}

/* What loosening a limit adds to the measure, not to the mean. */
static bw_status risk_prices(search *s, bw_err *err) {
    plan_state *p = s->p;
    double *weight = malloc((p->n_draw + p->n * PLAN_LEVELS) * sizeof *weight);
    if (!weight)
        return bw_fail_memory(err);
    plan_aim aim = {0};
    plan_problem problem;
    deciding_draws(s, weight);
    weighted_curves(p, weight, weight + p->n_draw);
    plan_problem_set(p, weight + p->n_draw, &aim, &problem);
    bw_status st = bw_allocation_prices(&problem.a, &p->best, err);
    free(weight);
    return st;
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
    start(&s, p->best.x);
    climb(&s);
    if (s.m.tail)
        st = bound_tail(&s, err);
    p->bounded = s.m.tail;
    memcpy(p->best.x, s.x, p->n * sizeof *s.x);
    if (st == BW_OK)
        st = risk_prices(&s, err);
    free(s.x);
    return st;
}

bw_status plan_measure(const plan_state *p, double *out, bw_err *err) {
    measure m = {1.0, true}; /* the mean is that of the whole tail */
    bw_status st = strcmp(p->o->risk, "mean") == 0 ? BW_OK : read_measure(p->o->risk, &m, err);
    double *sorted = malloc((p->n_draw + 1) * sizeof *sorted);
    if (st == BW_OK && !sorted)
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        memcpy(sorted, p->gain + p->n * p->n_draw, p->n_draw * sizeof *sorted);
        *out = measured(sorted, p->n_draw, &m);
    }
    free(sorted);
    return st;
}
