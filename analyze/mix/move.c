/* analyze/mix/move.c - response curves at two levels of spend, draw by draw. */
#include "analyze/mix/move.h"

#include "analyze/mix/fit.h"

#include <stdlib.h>
#include <string.h>

/* Adds to worth [n_draw] what channel c earns more a week at spend now than at was. */
static void add_channel(const bw_fit *f, void *room, size_t c, double was, double now,
                        double *worth) {
    double per_week = 7.0 / (double)f->data.period_days;
    const double money[2] = {was / per_week, now / per_week};
    for (size_t k = 0; k < f->n_draw; k++) {
        double earned[2];
        bw_mmm_response(f->model, room, c, f->draws + k * f->dim, money, 2, earned);
        worth[k] += (earned[1] - earned[0]) * per_week;
    }
}

static bw_status add_up(const bw_fit *f, const char *const *channel, const double *was,
                        const double *now, size_t n, double *worth, bw_err *err) {
    bw_density density = bw_mmm_density(f->model);
    void *room = density.scratch_new(f->model);
    if (!room)
        return bw_fail_memory(err);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < f->data.n_channel; c++)
            if (strcmp(bw_mmm_part_name(f->model, c), channel[i]) == 0)
                add_channel(f, room, c, was[i], now[i], worth);
    density.scratch_free(room);
    return BW_OK;
}

bw_status bw_move_value(sqlite3 *db, const char *const *channel, const double *was,
                        const double *now, size_t n, bw_summary *out, bw_err *err) {
    bw_fit f = {0};
    bw_status st = bw_fit_load(db, &f, err);
    double *worth = st == BW_OK ? calloc(f.n_draw + 1, sizeof *worth) : NULL;
    if (st == BW_OK && !worth)
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = add_up(&f, channel, was, now, n, worth, err);
    if (st == BW_OK)
        *out = bw_summarise(worth, f.n_draw);
    free(worth);
    bw_fit_free(&f);
    return st;
}
