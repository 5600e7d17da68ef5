/* analyze/customer/segment.c - scores, names, and the means of each group. */
#include "analyze/customer/segment.h"

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#define DRAWS       60u
#define SAMPLED_MAX 400u /* customers of a group that the interval is computed on, evenly picked */

const char *const BW_SEGMENT_NAMES[BW_SEGMENTS] = {
    "champions", "loyal", "promising", "new", "needs attention", "at risk", "sleeping", "lost"};

/* [recency score][frequency score], both 1..5: a usual reading of the RFM grid. */
static const bw_segment_kind GRID[5][5] = {
    {BW_SEG_LOST, BW_SEG_LOST, BW_SEG_SLEEPING, BW_SEG_AT_RISK, BW_SEG_AT_RISK},
    {BW_SEG_LOST, BW_SEG_SLEEPING, BW_SEG_SLEEPING, BW_SEG_AT_RISK, BW_SEG_AT_RISK},
    {BW_SEG_SLEEPING, BW_SEG_ATTENTION, BW_SEG_ATTENTION, BW_SEG_LOYAL, BW_SEG_LOYAL},
    {BW_SEG_NEW, BW_SEG_PROMISING, BW_SEG_PROMISING, BW_SEG_LOYAL, BW_SEG_CHAMPIONS},
    {BW_SEG_NEW, BW_SEG_PROMISING, BW_SEG_PROMISING, BW_SEG_CHAMPIONS, BW_SEG_CHAMPIONS},
};

/* score[i] = 1..5 by the middle rank of value[i]. */
static bw_status fifths(const double *value, size_t n, unsigned char *score, bw_err *err) {
    size_t *order = malloc(n * sizeof *order);
    if (!order)
        return bw_fail_memory(err);
    gsl_sort_index(order, value, 1, n);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && value[order[j]] == value[order[i]]; j++) {
        }
        double middle = ((double)i + (double)j) / 2 / (double)n;
        for (size_t k = i; k < j; k++)
            score[order[k]] = (unsigned char)(1 + (int)fmin(4, floor(5 * middle)));
    }
    free(order);
    return BW_OK;
}

static double since(const bw_customer *c) {
    return c->age - c->recency;
}

bw_status bw_segment_assign(const bw_customer *c, const double *money, size_t n,
                            bw_segment_kind *kind, bw_err *err) {
    double *value = calloc(n, sizeof *value);
    unsigned char *score = malloc(2 * n);
    bw_status st = value && score ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        value[i] = -since(&c[i]);
    if (st == BW_OK)
        st = fifths(value, n, score, err);
    for (size_t i = 0; st == BW_OK && i < n;
         i++) /* among equal frequencies the larger spender ranks higher */
        value[i] =
            c[i].frequency + (c[i].frequency > 0 ? 1 - 1 / (1 + fmax(0, money[i])) : 0) * 0.5;
    if (st == BW_OK)
        st = fifths(value, n, score + n, err);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        kind[i] = GRID[score[i] - 1][score[n + i] - 1];
    free(value);
    free(score);
    return st;
}

/* Means of lifetime value and purchases over an even pick of the group, for one model. */
static void group_means(const bw_customer *c, const size_t *member, size_t n, const bw_clv *m,
                        double weeks, double discount, double *lifetime, double *purchases) {
    size_t pick = n < SAMPLED_MAX ? n : SAMPLED_MAX;
    *lifetime = *purchases = 0;
    for (size_t k = 0; k < pick; k++) {
        const bw_customer *x = &c[member[k * n / pick]];
        *lifetime += bw_clv_lifetime(m, x, weeks, discount) / (double)pick;
        *purchases += bw_clv_purchases(m, x, weeks) / (double)pick;
    }
}

static void describe(const bw_customer *c, const double *money, const size_t *member, size_t n,
                     const bw_clv *model, const bw_clv *draws, double weeks, double discount,
                     double *work, bw_segment *out) {
    double lifetime[DRAWS], purchases[DRAWS];
    for (size_t k = 0; k < n; k++) {
        const bw_customer *x = &c[member[k]];
        out->revenue += money[member[k]];
        out->frequency += x->frequency / (double)n;
        out->weeks_since += since(x) / (double)n;
        out->churn += (1 - bw_clv_alive(model, x)) / (double)n;
        work[k] = bw_clv_next(model, x);
    }
    gsl_sort(work, 1, n);
    out->next_weeks = gsl_stats_median_from_sorted_data(work, 1, n);
    for (size_t s = 0; s < DRAWS; s++)
        group_means(c, member, n, &draws[s], weeks, discount, &lifetime[s], &purchases[s]);
    out->lifetime = bw_summarise(lifetime, DRAWS);
    out->purchases = bw_summarise(purchases, DRAWS);
    if (isnan(model->p))
        out->lifetime = bw_summarise(NULL, 0);
}

bw_status bw_segment_describe(const bw_customer *c, const double *money,
                              const bw_segment_kind *kind, size_t n, const bw_clv *model,
                              double weeks, double discount, uint64_t seed, bw_segment *out,
                              bw_err *err) {
    size_t *member = malloc(n * sizeof *member);
    double *work = malloc(n * sizeof *work);
    bw_clv *draws = malloc(DRAWS * sizeof *draws);
    bw_status st = member && work && draws ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        bw_clv_draws(model, DRAWS, seed, draws);
    for (size_t g = 0; st == BW_OK && g < BW_SEGMENTS; g++) {
        out[g] = (bw_segment){0};
        for (size_t i = 0; i < n; i++)
            if (kind[i] == (bw_segment_kind)g)
                member[out[g].n++] = i;
        if (out[g].n)
            describe(c, money, member, out[g].n, model, draws, weeks, discount, work, &out[g]);
    }
    free(member);
    free(work);
    free(draws);
    return st;
}
