/* analyze/mix/mmm_lift.c - finished experiments as terms of the likelihood: for each test and geo the media
 * as they were and as they would have been without it. */
#include "analyze/mix/mmm_model.h"

#include <math.h>
#include <stdlib.h>

static bw_status build_lift_series(bw_mmm *m, const bw_lift_test *test, size_t g, double share,
                                   bw_err *err) {
    size_t T = m->data->n_time, n = bw_lanes_up(test->last - test->first + 1), past = m->lags - 1;
    lift_series *ls = &m->lift_series[m->n_lift_series];
    ls->with = calloc(2 * (past + n) + n, sizeof(double));
    if (!ls->with)
        return bw_fail_memory(err);
    m->n_lift_series++;
    ls->without = ls->with + past + n;
    ls->live = ls->without + past + n;
    ls->channel = test->channel;
    ls->geo = g;
    ls->n = n;
    if (n > m->lift_room)
        m->lift_room = n;
    const double *x = m->x + (test->channel * m->geos + g) * (m->pad + m->n) + m->pad;
    double change = test->spend_change * share * m->channel[test->channel].per_money /
                    m->unit[test->channel * m->geos + g] / (double)(test->last - test->first + 1);
    for (size_t i = 0; i < past + n; i++) {
        long t = (long)test->first + (long)i - (long)past;
        bool inside = t >= (long)test->first && t <= (long)test->last;
        ls->with[i] = t >= 0 && t < (long)T ? x[t] : 0.0;
        ls->without[i] = inside ? fmax(ls->with[i] - change, 0.0) : ls->with[i];
        if (inside)
            ls->live[i - past] = 1.0;
    }
    return BW_OK;
}

bw_status mmm_build_lift(bw_mmm *m, bw_err *err) {
    const bw_mmm_data *d = m->data;
    bw_status st = BW_OK;
    for (size_t i = 0; i < d->n_lift && st == BW_OK; i++) {
        const bw_lift_test *test = &d->lift[i];
        lift_term *lt = &m->lift[m->n_lift++];
        *lt = (lift_term){m->n_lift_series, 0, test->effect, test->effect_sd};
        const double *spend = d->spend + test->channel * m->geos * d->n_time;
        double all = mmm_total(spend, m->geos * d->n_time);
        for (size_t g = 0; g < m->geos && st == BW_OK; g++) {
            if (test->geo != BW_ALL_GEOS && test->geo != g)
                continue;
            double share = test->geo == g ? 1.0 : mmm_total(spend + g * d->n_time, d->n_time) / all;
            st = build_lift_series(m, test, g, share, err);
            lt->count++;
        }
    }
    return st;
}
