/* analyze/experiment/did_staggered.c - a treatment that begins at different times.
 *
 * Two-way fixed effects then compare late starters with early ones that are already treated, so effects that
 * grow are taken off again and even the sign can turn (Goodman-Bacon 2021). Here unit and time effects
 * are learned from rows that are not treated (yet) alone, each treated row is held against what they
 * say of it, and the differences are averaged: the group-time effects of Callaway and Sant'Anna (2021)
 * with never and not yet treated units as controls, all periods before the start as the base (Borusyak,
 * Jaravel and Spiess 2024), weighted by their rows. Errors: jackknife over units. */
#include "analyze/experiment/did_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL      0.95
#define SWEEPS_MAX 2000
#define SWEEP_DONE 1e-10 /* largest change of an effect, relative to the metric's spread */
#define GROUPS_MAX 100u  /* of units that are left out together */

struct imputer {
    const bw_did_data *d;
    const struct panel *p;
    size_t groups, *group; /* group: [units] */
    double *unit, *time;   /* effects: [units], [periods] */
    double *count;         /* [units + periods] untreated rows */
    size_t *part; /* [units + periods] what is connected by untreated rows has one number */
    double spread;
};

/* Of one group left out: mean effect, and by periods since the start. */
struct course {
    double effect, rows, since[BW_DID_SINCE_MAX], n[BW_DID_SINCE_MAX];
};

static bool treated_now(const struct imputer *m, size_t i) {
    size_t start = m->p->start[m->d->unit[i]];
    return start != SIZE_MAX && m->p->period[i] >= start;
}

bw_status did_find_starts(const bw_did_data *d, struct panel *p, bw_err *err) {
    for (size_t u = 0; u < d->units; u++)
        p->start[u] = SIZE_MAX;
    for (size_t i = 0; i < d->n; i++) {
        size_t *start = &p->start[d->unit[i]];
        if (d->treated[i] != 0 && d->post[i] != 0 && p->period[i] < *start)
            *start = p->period[i];
    }
    char *seen = calloc(p->periods + 1, 1);
    if (!seen)
        return bw_fail_memory(err);
    p->starts = 0;
    for (size_t u = 0; u < d->units; u++)
        if (p->start[u] != SIZE_MAX && !seen[p->start[u]]) {
            seen[p->start[u]] = 1;
            p->starts++;
        }
    free(seen);
    for (size_t i = 0; p->starts > 1 && i < d->n; i++)
        if (d->post[i] == 0 && p->start[d->unit[i]] != SIZE_MAX &&
            p->period[i] > p->start[d->unit[i]])
            return bw_fail(err, BW_EDATA,
                           "row %zu: its unit was treated before and is not any more; where units "
                           "start at different times, a treatment must last to the end",
                           i + 1);
    return BW_OK;
}

/* Rows without the treatment tie a unit to a time; effects compare only within what is tied together. */
static void connect(struct imputer *m, size_t without) {
    size_t nodes = m->d->units + m->p->periods;
    for (size_t k = 0; k < nodes; k++)
        m->part[k] = k;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < m->d->n; i++) {
            size_t *a = &m->part[m->d->unit[i]], *b = &m->part[m->d->units + m->p->period[i]];
            if (*a == *b || m->group[m->d->unit[i]] == without || treated_now(m, i))
                continue;
            *a = *b = *a < *b ? *a : *b;
            moved = true;
        }
    }
}

/* Mean of what the other effects leave, by unit or by time; returns the largest change. */
static double sweep(struct imputer *m, size_t without, bool by_time) {
    size_t n = by_time ? m->p->periods : m->d->units;
    double *own = by_time ? m->time : m->unit, *count = m->count + (by_time ? m->d->units : 0);
    double *sum = calloc(n + 1, sizeof *sum), largest = 0;
    memset(count, 0, n * sizeof *count);
    for (size_t i = 0; sum && i < m->d->n; i++) {
        size_t u = m->d->unit[i], t = m->p->period[i];
        if (m->group[u] == without || treated_now(m, i))
            continue;
        sum[by_time ? t : u] += m->p->y[i] - (by_time ? m->unit[u] : m->time[t]);
        count[by_time ? t : u] += 1;
    }
    for (size_t k = 0; sum && k < n; k++) {
        double now = count[k] > 0 ? sum[k] / count[k] : 0;
        largest = fmax(largest, fabs(now - own[k]));
        own[k] = now;
    }
    free(sum);
    return sum ? largest : INFINITY;
}

/* Effects of units and times, then what the treated rows are away from them. */
static struct course impute(struct imputer *m, size_t without) {
    struct course c = {0};
    connect(m, without);
    for (int s = 0; s < SWEEPS_MAX; s++) {
        double a = sweep(m, without, false), b = sweep(m, without, true);
        if (fmax(a, b) <= SWEEP_DONE * m->spread)
            break;
    }
    for (size_t i = 0; i < m->d->n; i++) {
        size_t u = m->d->unit[i], t = m->p->period[i];
        bool told = m->count[u] > 0 && m->count[m->d->units + t] > 0 &&
                    m->part[u] == m->part[m->d->units + t];
        if (m->group[u] == without || !treated_now(m, i) || !told)
            continue;
        double effect = m->p->y[i] - m->unit[u] - m->time[t];
        size_t since = t - m->p->start[u];
        c.effect += effect;
        c.rows += 1;
        if (since < BW_DID_SINCE_MAX) {
            c.since[since] += effect;
            c.n[since] += 1;
        }
    }
    c.effect /= c.rows;
    for (size_t k = 0; k < BW_DID_SINCE_MAX; k++)
        c.since[k] /= c.n[k];
    return c;
}

/* Units in the order of their start take the groups in turn, so that none loses all of one start. */
static void group_units(struct imputer *m) {
    size_t at = 0;
    m->groups = m->d->units < GROUPS_MAX ? m->d->units : GROUPS_MAX;
    for (size_t t = 0; t <= m->p->periods; t++)
        for (size_t u = 0; u < m->d->units; u++)
            if (m->p->start[u] == (t < m->p->periods ? t : SIZE_MAX))
                m->group[u] = at++ % m->groups;
}

/* Variance by leaving groups out; those that leave nothing to be told are not counted. */
static double jackknife(const struct course *c, size_t groups, size_t since, double *df) {
    double n = 0, sum = 0, squares = 0;
    for (size_t g = 0; g < groups; g++) {
        double x = since == SIZE_MAX ? c[g].effect : c[g].since[since];
        if (isnan(x))
            continue;
        n += 1;
        double step = x - sum;
        sum += step / n; /* running mean */
        squares += step * (x - sum);
    }
    *df = n - 1;
    return n > 1 ? (n - 1) / n * squares : NAN;
}

static void set_interval(double effect, double variance, double df, double *se, double *lo,
                         double *hi) {
    *se = sqrt(variance);
    double half = df > 0 ? gsl_cdf_tdist_Pinv(0.5 + LEVEL / 2, df) * *se : NAN;
    *lo = effect - half;
    *hi = effect + half;
}

static bw_status judge(struct imputer *m, struct course *c, bw_did_result *out, bw_err *err) {
    double df, treated = 0;
    for (size_t g = 0; g < m->groups; g++)
        c[g] = impute(m, g);
    struct course all = impute(m, SIZE_MAX);
    for (size_t i = 0; i < m->d->n; i++)
        treated += treated_now(m, i);
    out->unjudged = (size_t)(treated - all.rows);
    if (!(all.rows > 0))
        return bw_fail(err, BW_EDATA,
                       "no treated row can be judged: its unit was never seen without the "
                       "treatment, or nobody was without it at that time");
    double variance = jackknife(c, m->groups, SIZE_MAX, &df);
    if (!(variance > 0) || df < 2)
        return bw_fail(err, BW_EDATA,
                       "leaving one unit out leaves the same, or nothing: the error of the effect "
                       "cannot be told");
    out->effect = all.effect;
    set_interval(all.effect, variance, df, &out->se, &out->lo, &out->hi);
    out->p = 2 * gsl_cdf_tdist_Q(fabs(out->effect) / out->se, df);
    for (size_t k = 0; k < BW_DID_SINCE_MAX && all.n[k] > 0; k++) {
        bw_did_since *s = &out->since[out->sinces++];
        s->effect = all.since[k];
        s->rows = (size_t)all.n[k];
        set_interval(s->effect, jackknife(c, m->groups, k, &df), df, &s->se, &s->lo, &s->hi);
    }
    return BW_OK;
}

bw_status did_staggered(const bw_did_data *d, const struct panel *p, bw_did_result *out,
                        bw_err *err) {
    struct imputer m = {.d = d, .p = p};
    double *work = calloc(2 * (d->units + p->periods), sizeof *work);
    struct course *c = calloc(GROUPS_MAX + 1, sizeof *c);
    m.group = malloc((d->units + 1) * sizeof *m.group);
    m.part = malloc((d->units + p->periods) * sizeof *m.part);
    bw_status st = work && c && m.group && m.part ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK) {
        m.unit = work;
        m.time = work + d->units;
        m.count = m.time + p->periods;
        double lo = INFINITY, hi = -INFINITY;
        for (size_t i = 0; i < d->n; i++) {
            lo = fmin(lo, p->y[i]);
            hi = fmax(hi, p->y[i]);
        }
        m.spread = hi - lo;
        group_units(&m);
        st = hi > lo ? judge(&m, c, out, err)
                     : bw_fail(err, BW_EDATA, "every value is the same: nothing can be compared");
    }
    free(work);
    free(c);
    free(m.group);
    free(m.part);
    return st;
}
