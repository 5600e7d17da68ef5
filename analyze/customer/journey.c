/* analyze/customer/journey.c - touches, Shapley, and a Markov chain whose states are the last `order` channels.
 *
 * The chain is solved by sweeps of v(s) = sum over t of P(s -> t) v(t), v = chance to convert from s: with
 * a channel removed its states have v = 0. Gauss-Seidel converges as every path ends. */
#include "analyze/customer/journey.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SWEEPS_MAX 2000
#define SWEPT      1e-12

/* From state `from` to state `to` so many times; TO_SALE and TO_NULL end a path. State 0 is the start. */
struct move {
    uint64_t from, to;
    double count;
};
#define TO_SALE (UINT64_MAX - 1)
#define TO_NULL UINT64_MAX

struct chain {
    struct move *move;
    size_t n, cap, states;
    uint64_t *name; /* [states] sorted; the code of a state */
    size_t *first;  /* [states + 1] its moves */
    double *total;  /* [states] */
    double *v;      /* [states] */
};

static bw_status add_move(struct chain *c, uint64_t from, uint64_t to, double count, bw_err *err) {
    if (!(count > 0))
        return BW_OK;
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 4096;
        struct move *more = realloc(c->move, c->cap * sizeof *more);
        if (!more)
            return bw_fail_memory(err);
        c->move = more;
    }
    c->move[c->n++] = (struct move){from, to, count};
    return BW_OK;
}

/* A state is the last `order` channels, each + 1, as digits to the base channels + 1. */
static uint64_t push(uint64_t state, unsigned channel, uint64_t base, uint64_t window) {
    return (state * base + channel + 1) % window;
}

static bw_status walk(const bw_path *p, uint64_t base, uint64_t window, struct chain *c,
                      bw_err *err) {
    uint64_t state = 0;
    double all = p->conversions + p->nulls;
    bw_status st = BW_OK;
    for (size_t k = 0; st == BW_OK && k < p->length; k++) {
        uint64_t next = push(state, p->step[k], base, window);
        st = add_move(c, state, next, all, err);
        state = next;
    }
    if (st == BW_OK)
        st = add_move(c, state, TO_SALE, p->conversions, err);
    return st == BW_OK ? add_move(c, state, TO_NULL, p->nulls, err) : st;
}

static int by_from_and_to(const void *a, const void *b) {
    const struct move *x = a, *y = b;
    if (x->from != y->from)
        return (x->from > y->from) - (x->from < y->from);
    return (x->to > y->to) - (x->to < y->to);
}

static size_t find(const struct chain *c, uint64_t name) {
    size_t lo = 0, hi = c->states;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c->name[mid] < name)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Sorts the moves, adds equal ones up, and turns targets into indexes of states. */
static bw_status compact(struct chain *c, bw_err *err) {
    qsort(c->move, c->n, sizeof *c->move, by_from_and_to);
    size_t k = 0;
    for (size_t i = 0; i < c->n; i++)
        if (k && c->move[k - 1].from == c->move[i].from && c->move[k - 1].to == c->move[i].to)
            c->move[k - 1].count += c->move[i].count;
        else
            c->move[k++] = c->move[i];
    c->n = k;
    c->name = malloc((k + 1) * sizeof *c->name);
    c->first = malloc((k + 2) * sizeof *c->first);
    c->total = calloc(k + 1, sizeof *c->total);
    c->v = calloc(k + 1, sizeof *c->v);
    if (!c->name || !c->first || !c->total || !c->v)
        return bw_fail_memory(err);
    for (size_t i = 0; i < k; i++) {
        if (i == 0 || c->move[i].from != c->move[i - 1].from) {
            c->first[c->states] = i;
            c->name[c->states++] = c->move[i].from;
        }
        c->total[c->states - 1] += c->move[i].count;
    }
    c->first[c->states] = k;
    for (size_t i = 0; i < k; i++)
        if (c->move[i].to < TO_SALE)
            c->move[i].to = find(c, c->move[i].to);
    return BW_OK;
}

/* The state's last channel, or channels for the start. */
static size_t last_channel(uint64_t state, uint64_t base, size_t channels) {
    return state % base ? (size_t)(state % base) - 1 : channels;
}

/* Chance to convert from the start when one channel leads nowhere (removed = channels: none does). */
static double conversion(struct chain *c, uint64_t base, size_t channels, size_t removed) {
    memset(c->v, 0, c->states * sizeof *c->v);
    for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        double moved = 0;
        for (size_t s = c->states; s-- > 0;) {
            double sum = 0;
            if (last_channel(c->name[s], base, channels) == removed && c->name[s] != 0)
                continue;
            for (size_t i = c->first[s]; i < c->first[s + 1]; i++) {
                const struct move *m = &c->move[i];
                sum += m->to == TO_SALE ? m->count : m->to == TO_NULL ? 0 : m->count * c->v[m->to];
            }
            sum /= c->total[s];
            moved = fmax(moved, fabs(sum - c->v[s]));
            c->v[s] = sum;
        }
        if (moved < SWEPT)
            break;
    }
    return c->states && c->name[0] == 0 ? c->v[0] : 0;
}

static bw_status markov(const bw_path *path, size_t n, size_t channels, int order,
                        double conversions, double value, bw_credit *credit, bw_err *err) {
    struct chain c = {0};
    uint64_t base = channels + 1, window = 1;
    for (int k = 0; k < order; k++)
        window *= base;
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = walk(&path[i], base, window, &c, err);
    if (st == BW_OK)
        st = compact(&c, err);
    if (st == BW_OK) {
        double whole = conversion(&c, base, channels, channels), sum = 0;
        for (size_t k = 0; k < channels; k++) {
            credit[k].removal = 1 - conversion(&c, base, channels, k) / whole;
            sum += credit[k].removal;
        }
        for (size_t k = 0; k < channels && sum > 0; k++) {
            credit[k].markov = conversions * credit[k].removal / sum;
            credit[k].markov_value = value * credit[k].removal / sum;
        }
    }
    free(c.move);
    free(c.name);
    free(c.first);
    free(c.total);
    free(c.v);
    return st;
}

static void touches(const bw_path *p, size_t channels, unsigned char *in, bw_credit *credit) {
    if (!p->length)
        return;
    bw_credit *first = &credit[p->step[0]], *last = &credit[p->step[p->length - 1]];
    first->first += p->conversions;
    first->first_value += p->value;
    last->last += p->conversions;
    last->last_value += p->value;
    double different = 0;
    memset(in, 0, channels);
    for (size_t k = 0; k < p->length; k++) {
        different += !in[p->step[k]];
        in[p->step[k]] = 1;
    }
    for (size_t k = 0; k < channels; k++)
        if (in[k]) {
            credit[k].shapley += p->conversions / different;
            credit[k].shapley_value += p->value / different;
        }
}

bw_status bw_journey_credit(const bw_path *path, size_t n, size_t channels, int order,
                            bw_credit *credit, bw_err *err) {
    double conversions = 0, value = 0;
    if (order < 1 || order > BW_ORDER_MAX || pow((double)channels + 1, order) > 1e18)
        return bw_fail(err, BW_EARG, "order %d with %zu channels; 1 to %d are possible", order,
                       channels, BW_ORDER_MAX);
    memset(credit, 0, channels * sizeof *credit);
    unsigned char *in = malloc(channels + 1);
    if (!in)
        return bw_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        conversions += path[i].conversions;
        value += path[i].value;
        touches(&path[i], channels, in, credit);
    }
    free(in);
    if (!(conversions > 0))
        return bw_fail(err, BW_EDATA, "no path ended in a conversion: there is no credit to share");
    return markov(path, n, channels, order, conversions, value, credit, err);
}
