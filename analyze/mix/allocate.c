/* analyze/mix/allocate.c - see allocate.h. */
#include "analyze/mix/allocate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The envelope of one channel: its corners are levels of the grid. */
typedef struct {
    size_t *corner, n, at;
} envelope;

typedef struct {
    const bw_allocation *a;
    envelope *env;
    double *x, *group_sum;
    double spend;
    size_t *corners; /* of all envelopes */
} state;

static double level_x(const bw_allocation *a, size_t c, size_t i) {
    return a->x[c * a->n_level + i];
}

static double level_f(const bw_allocation *a, size_t c, size_t i) {
    return a->f[c * a->n_level + i];
}

static double slope(const bw_allocation *a, size_t c, size_t i, size_t j) {
    double run = level_x(a, c, j) - level_x(a, c, i);
    return run > 0 ? (level_f(a, c, j) - level_f(a, c, i)) / run : 0.0;
}

/* Upper hull by a monotone chain. A channel whose levels coincide has one corner. */
static void build_envelope(const bw_allocation *a, size_t c, envelope *e) {
    e->n = e->at = 0;
    for (size_t i = 0; i < a->n_level; i++) {
        if (e->n && level_x(a, c, i) <= level_x(a, c, e->corner[e->n - 1]))
            continue;
        while (e->n >= 2 && slope(a, c, e->corner[e->n - 2], e->corner[e->n - 1]) <=
                                slope(a, c, e->corner[e->n - 1], i))
            e->n--;
        e->corner[e->n++] = i;
    }
}

static double next_slope(const state *s, size_t c) {
    const envelope *e = &s->env[c];
    return e->at + 1 < e->n ? slope(s->a, c, e->corner[e->at], e->corner[e->at + 1]) : -INFINITY;
}

/* Spend left on the current piece of the envelope. */
static double piece_left(const state *s, size_t c) {
    const envelope *e = &s->env[c];
    return level_x(s->a, c, e->corner[e->at + 1]) - s->x[c];
}

static double group_room(const state *s, size_t c) {
    size_t g = s->a->group ? s->a->group[c] : BW_NO_GROUP;
    return g == BW_NO_GROUP ? INFINITY : s->a->group_hi[g] - s->group_sum[g];
}

static void add_spend(state *s, size_t c, double amount) {
    size_t g = s->a->group ? s->a->group[c] : BW_NO_GROUP;
    bool whole = amount >= piece_left(s, c) * (1 - 1e-12);
    s->x[c] = whole ? level_x(s->a, c, s->env[c].corner[s->env[c].at + 1]) : s->x[c] + amount;
    s->env[c].at += whole;
    s->spend += amount;
    if (g != BW_NO_GROUP)
        s->group_sum[g] += amount;
}

/* The channel with the steepest piece among those allowed (only of a group, when given). */
static size_t steepest(const state *s, size_t only_group) {
    size_t best = s->a->n_channel;
    double top = -INFINITY;
    for (size_t c = 0; c < s->a->n_channel; c++) {
        if (only_group != BW_NO_GROUP && s->a->group[c] != only_group)
            continue;
        if (group_room(s, c) > 1e-9 && next_slope(s, c) > top) {
            top = next_slope(s, c);
            best = c;
        }
    }
    return best;
}

static void fill_groups(state *s) {
    for (size_t g = 0; g < s->a->n_group; g++)
        for (;;) {
            double missing = s->a->group_lo[g] - s->group_sum[g];
            size_t c = missing > 1e-9 ? steepest(s, g) : s->a->n_channel;
            if (c == s->a->n_channel)
                break;
            add_spend(s, c, fmin(missing, piece_left(s, c)));
        }
}

/* The envelope's value at the state's spends. */
static double envelope_value(const state *s) {
    double sum = 0;
    for (size_t c = 0; c < s->a->n_channel; c++) {
        const envelope *e = &s->env[c];
        double at = s->x[c] - level_x(s->a, c, e->corner[e->at]);
        sum += level_f(s->a, c, e->corner[e->at]) + (at > 0 ? at * next_slope(s, c) : 0.0);
    }
    return sum;
}

/* How much of a piece may be taken before the stopping rule holds; the value now is v. */
static double wanted(const state *s, double v, double steep) {
    const bw_allocation *a = s->a;
    if (a->goal > 0)
        return v >= a->goal ? 0.0 : steep > 0 ? (a->goal - v) / steep : INFINITY;
    if (a->target > 0) { /* (v + m d) / (spend + d) = target */
        if (steep >= a->target)
            return INFINITY;
        return fmax(0.0, (v - a->target * s->spend) / (a->target - steep));
    }
    return a->total - s->spend;
}

static void climb(state *s) {
    for (;;) {
        size_t c = steepest(s, BW_NO_GROUP);
        if (c == s->a->n_channel)
            return;
        double most = wanted(s, envelope_value(s), next_slope(s, c));
        if (!(most > 1e-9))
            return;
        add_spend(s, c, fmin(fmin(most, piece_left(s, c)), group_room(s, c)));
    }
}

double bw_allocation_value(const bw_allocation *a, size_t c, double spend) {
    size_t i = 0;
    while (i + 1 < a->n_level && level_x(a, c, i + 1) < spend)
        i++;
    if (i + 1 >= a->n_level || spend <= level_x(a, c, i))
        return level_f(a, c, i);
    return level_f(a, c, i) + (spend - level_x(a, c, i)) * slope(a, c, i, i + 1);
}

static double total_value(const bw_allocation *a, const double *x) {
    double sum = 0;
    for (size_t c = 0; c < a->n_channel; c++)
        sum += bw_allocation_value(a, c, x[c]);
    return sum;
}

/* Whether money may go from channel i to channel j. */
static bool may_move(const state *s, size_t i, size_t j, double amount) {
    const bw_allocation *a = s->a;
    if (s->x[i] - amount < level_x(a, i, 0) - 1e-9 ||
        s->x[j] + amount > level_x(a, j, a->n_level - 1) + 1e-9)
        return false;
    size_t gi = a->group ? a->group[i] : BW_NO_GROUP, gj = a->group ? a->group[j] : BW_NO_GROUP;
    if (gi == gj)
        return true;
    return (gi == BW_NO_GROUP || s->group_sum[gi] - amount >= a->group_lo[gi] - 1e-9) &&
           (gj == BW_NO_GROUP || s->group_sum[gj] + amount <= a->group_hi[gj] + 1e-9);
}

static void move(state *s, size_t i, size_t j, double amount) {
    size_t gi = s->a->group ? s->a->group[i] : BW_NO_GROUP,
           gj = s->a->group ? s->a->group[j] : BW_NO_GROUP;
    s->x[i] -= amount;
    s->x[j] += amount;
    if (gi != BW_NO_GROUP)
        s->group_sum[gi] -= amount;
    if (gj != BW_NO_GROUP)
        s->group_sum[gj] += amount;
}

/* The best exchange between a pair that brings one of them to a level of its grid; false when none
 * gains. */
static bool best_exchange(state *s, double least) {
    const bw_allocation *a = s->a;
    double best = least, best_amount = 0;
    size_t from = 0, to = 0;
    for (size_t i = 0; i < a->n_channel; i++)
        for (size_t j = 0; j < a->n_channel; j++)
            for (size_t k = 0; k < 2 * a->n_level && i != j; k++) {
                double amount = k < a->n_level ? s->x[i] - level_x(a, i, k)
                                               : level_x(a, j, k - a->n_level) - s->x[j];
                if (amount <= 1e-9 || !may_move(s, i, j, amount))
                    continue;
                double gain = bw_allocation_value(a, i, s->x[i] - amount) -
                              bw_allocation_value(a, i, s->x[i]) +
                              bw_allocation_value(a, j, s->x[j] + amount) -
                              bw_allocation_value(a, j, s->x[j]);
                if (gain > best) {
                    best = gain;
                    best_amount = amount;
                    from = i;
                    to = j;
                }
            }
    if (best_amount > 0)
        move(s, from, to, best_amount);
    return best_amount > 0;
}

/* Between levels a concave curve lies under the lines through its neighbours: at most a quarter of a
 * step times the change of slope above the straight line that stands for it here. */
static double grid_error(const bw_allocation *a, size_t c) {
    double worst = 0;
    for (size_t i = 0; i + 3 < a->n_level; i++) {
        double bend = slope(a, c, i, i + 1) - slope(a, c, i + 2, i + 3);
        worst = fmax(worst, 0.25 * (level_x(a, c, i + 2) - level_x(a, c, i + 1)) * bend);
    }
    return worst;
}

/* Slope of the channel's envelope just above x; of its last piece at the end. */
static double slope_above(const state *s, size_t c, double x) {
    const envelope *e = &s->env[c];
    size_t i = 0;
    while (i + 2 < e->n && level_x(s->a, c, e->corner[i + 1]) <= x + 1e-9)
        i++;
    return e->n > 1 ? slope(s->a, c, e->corner[i], e->corner[i + 1]) : 0.0;
}

/* And just below x; of its first piece at the beginning. */
static double slope_below(const state *s, size_t c, double x) {
    const envelope *e = &s->env[c];
    size_t i = e->n > 1 ? e->n - 1 : 1;
    while (i > 1 && level_x(s->a, c, e->corner[i - 1]) >= x - 1e-9)
        i--;
    return e->n > 1 ? slope(s->a, c, e->corner[i - 1], e->corner[i]) : 0.0;
}

static bool at_top(const state *s, size_t c) {
    return s->x[c] >= level_x(s->a, c, s->a->n_level - 1) - 1e-9;
}

static bool at_bottom(const state *s, size_t c) {
    return s->x[c] <= level_x(s->a, c, 0) + 1e-9;
}

/* The steepest slope above among channels below their ceiling: of group g, or of all whose group has room. */
static double best_above(const state *s, size_t g) {
    double best = -INFINITY;
    for (size_t c = 0; c < s->a->n_channel; c++)
        if (!at_top(s, c) && (g == BW_NO_GROUP ? group_room(s, c) > 1e-9 : s->a->group[c] == g))
            best = fmax(best, slope_above(s, c, s->x[c]));
    return best;
}

static void set_prices(const state *s, bw_allocation_result *out) {
    const bw_allocation *a = s->a;
    out->price = fmax(best_above(s, BW_NO_GROUP), 0.0);
    for (size_t c = 0; c < a->n_channel; c++) {
        double below = slope_below(s, c, s->x[c]), above = slope_above(s, c, s->x[c]);
        out->channel_price[c] = 0;
        if (at_top(s, c) && !at_bottom(s, c) && below > out->price)
            out->channel_price[c] = below - out->price;
        else if (at_bottom(s, c) && !at_top(s, c) && above < out->price)
            out->channel_price[c] = above - out->price;
    }
    for (size_t g = 0; g < a->n_group; g++) {
        bool full = s->group_sum[g] >= a->group_hi[g] - 1e-9,
             floor = s->group_sum[g] <= a->group_lo[g] + 1e-9;
        double best = fmax(best_above(s, g), 0.0);
        out->group_price[g] = (full && best > out->price) || (floor && !full && best < out->price)
                                  ? best - out->price
                                  : 0.0;
    }
}

static bool state_new(const bw_allocation *a, state *s) {
    size_t C = a->n_channel;
    *s = (state){.a = a};
    s->env = calloc(C + 1, sizeof *s->env);
    s->corners = calloc(C * a->n_level + 1, sizeof *s->corners);
    s->x = calloc(C + 1, sizeof *s->x);
    s->group_sum = calloc(a->n_group + 1, sizeof *s->group_sum);
    return s->env && s->corners && s->x && s->group_sum;
}

static void state_free(state *s) {
    free(s->env);
    free(s->corners);
    free(s->x);
    free(s->group_sum);
}

static bool result_new(const bw_allocation *a, bw_allocation_result *out) {
    *out = (bw_allocation_result){0};
    out->x = calloc(a->n_channel + 1, sizeof *out->x);
    out->channel_price = calloc(a->n_channel + 1, sizeof *out->channel_price);
    out->group_price = calloc(a->n_group + 1, sizeof *out->group_price);
    return out->x && out->channel_price && out->group_price;
}

/* From the spends x, or from the least allowed when x is NULL. */
static void begin(state *s, const double *x) {
    for (size_t c = 0; c < s->a->n_channel; c++) {
        s->env[c].corner = s->corners + c * s->a->n_level;
        build_envelope(s->a, c, &s->env[c]);
        s->x[c] = x ? x[c] : level_x(s->a, c, 0);
        s->spend += s->x[c];
        if (s->a->group && s->a->group[c] != BW_NO_GROUP)
            s->group_sum[s->a->group[c]] += s->x[c];
    }
}

static void solve(state *s, bw_allocation_result *out) {
    const bw_allocation *a = s->a;
    begin(s, NULL);
    fill_groups(s);
    climb(s);
    out->bound = envelope_value(s);
    for (size_t c = 0; c < a->n_channel; c++)
        out->bound += grid_error(a, c);
    out->spend = s->spend;
    if (out->bound - total_value(a, s->x) > 1e-9 * fabs(out->bound))
        for (int k = 0; k < 100 && best_exchange(s, 1e-9 * fabs(out->bound)); k++)
            continue;
    memcpy(out->x, s->x, a->n_channel * sizeof *s->x);
    set_prices(s, out);
    out->value = total_value(a, s->x);
    out->reached = a->goal > 0     ? out->value >= a->goal * (1 - 1e-9)
                   : a->target > 0 ? out->value >= a->target * s->spend * (1 - 1e-9)
                                   : fabs(s->spend - a->total) <= 1e-6 * fmax(1.0, a->total);
}

bw_status bw_allocate(const bw_allocation *a, bw_allocation_result *out, bw_err *err) {
    state s;
    bool room = result_new(a, out), ok = state_new(a, &s) && room;
    if (ok)
        solve(&s, out);
    else
        bw_allocation_free(out);
    state_free(&s);
    return ok ? BW_OK : bw_fail_memory(err);
}

bw_status bw_allocation_prices(const bw_allocation *a, bw_allocation_result *out, bw_err *err) {
    state s;
    bool ok = state_new(a, &s);
    if (ok) {
        begin(&s, out->x);
        set_prices(&s, out);
    }
    state_free(&s);
    return ok ? BW_OK : bw_fail_memory(err);
}

void bw_allocation_free(bw_allocation_result *r) {
    free(r->x);
    free(r->channel_price);
    free(r->group_price);
    *r = (bw_allocation_result){0};
}
