/* analyze/experiment/bsts_state.h - draws of level and season given the variances; a part of bsts.h. */
#ifndef BW_ANALYZE_BSTS_STATE_H
#define BW_ANALYZE_BSTS_STATE_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stddef.h>

/* State: level, then season_t and the season-2 values before it (dummy form, Durbin and Koopman 2012,
 * 3.2.2). dim = 1, or season. */
typedef struct bw_states bw_states;
bw_states *bw_states_new(size_t n, size_t season); /* NULL on out of memory */
void bw_states_free(bw_states *s);

typedef struct {
    double obs, level, season; /* variances */
    double first, first_var;   /* prior of the first level */
    double season_var;         /* prior of the first seasons, each */
} bw_state_law;

/* Draws the states of z (NAN = missing): level[n], season[n]. */
void bw_states_draw(bw_states *s, const double *z, const bw_state_law *law, gsl_rng *rng,
                    double *level, double *season);
/* Runs the last drawn state on: level + season for m periods more, without observation noise. */
void bw_states_run_on(const bw_states *s, const bw_state_law *law, size_t m, gsl_rng *rng,
                      double *out);

#endif
