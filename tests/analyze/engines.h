/* tests/analyze/engines.h - one simulated shop through all engines. */
#ifndef BW_TESTS_ENGINES_H
#define BW_TESTS_ENGINES_H

#include "tests/analyze/mmm_shop.h"

#include "analyze/mix/fit_internal.h"

#include <gsl/gsl_statistics_double.h>

typedef struct {
    const char *name, *preset;    /* NULL: bellwether */
    size_t weeks, channels, geos; /* 0 geos: 1 */
    size_t controls, events;
    bw_saturation saturation; /* BW_SATURATION_NONE: the preset's */
    bool student;
    double laplace; /* how far off the normal approximation may be, in sd; 0: 1 */
    double noise;   /* sd of a week's outcome of about 1250; 0: 40 */
    unsigned long seed;
} engine_case;

/* A season, a trend, and channels that together earn about a fifth, each with a carry-over and a
 * saturation of its own. */
static inline void engine_shop(bw_mmm_data *d, const engine_case *c) {
    size_t G = c->geos ? c->geos : 1, T = c->weeks;
    *d = (bw_mmm_data){.n_time = T,
                       .n_geo = G,
                       .n_channel = c->channels,
                       .n_control = c->controls,
                       .n_event = c->events,
                       .period_days = 7};
    shop_new(d, c->seed);
    gsl_rng *r = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(r, c->seed + 500);
    for (size_t i = 0; i < G * T; i++) {
        double t = (double)(i % T), size = 1 + 0.5 * (double)(i / T);
        d->outcome[i] = size * (1000 * (1 + 0.1 * t / (double)T + 0.1 * sin(t / 8.3)) +
                                gsl_ran_gaussian(r, c->noise > 0 ? c->noise : 40));
        for (size_t k = 0; k < c->controls; k++)
            d->outcome[i] += 20 * (d->control[k * G * T + i] - 5);
        for (size_t e = 0; e < c->events; e++)
            d->outcome[i] += 150 * d->event[e * T + i % T];
    }
    for (size_t ch = 0; ch < c->channels; ch++) {
        double carry = gsl_ran_beta(r, 2, 3), typical = 20 * (double)(ch + 1),
               earns = 250 * 1.5 / (double)c->channels * exp(gsl_ran_gaussian(r, 0.7));
        for (size_t g = 0; g < G; g++) {
            double a = 0, *y = d->outcome + g * T;
            for (size_t t = 0; t < T; t++) {
                a = carry * a + (1 - carry) * d->spend[(ch * G + g) * T + t];
                y[t] += (1 + 0.5 * (double)g) * earns * tanh(0.6 * a / typical);
            }
        }
    }
    gsl_rng_free(r);
}

/* Mean and sd over draws of each channel's numbers: contribution, its marginal, carry-over, saturation. */
enum { ENGINE_NUMBERS = 4 };
static inline void engine_numbers(const bw_mmm *m, const double *draws, size_t n, size_t channels,
                                  double *mean, double *sd) {
    bw_err err = {{0}};
    bw_density f = bw_mmm_density(m);
    void *room = f.scratch_new(m);
    bw_mmm_result r;
    double *v = malloc(channels * ENGINE_NUMBERS * n * sizeof *v);
    CHECK_OK(bw_mmm_result_alloc(m, &r, &err));
    for (size_t k = 0; k < n; k++) {
        bw_mmm_forward(m, room, draws + k * f.dim, &r);
        for (size_t c = 0; c < channels; c++) {
            const double of[ENGINE_NUMBERS] = {r.contribution[c], r.marginal[c], r.rate[c],
                                               r.scale[c]};
            for (size_t i = 0; i < ENGINE_NUMBERS; i++)
                v[(c * ENGINE_NUMBERS + i) * n + k] = of[i];
        }
    }
    for (size_t i = 0; i < channels * ENGINE_NUMBERS; i++) {
        mean[i] = gsl_stats_mean(v + i * n, 1, n);
        sd[i] = gsl_stats_sd(v + i * n, 1, n);
    }
    free(v);
    bw_mmm_result_free(&r);
    f.scratch_free(room);
}

/* Runs one engine; mean and sd [channels * ENGINE_NUMBERS]. */
static inline void engine_run(fit_state *f, const char *engine, double *mean, double *sd) {
    bw_err err = {{0}};
    bw_fit_options o = bw_fit_defaults();
    o.engine = engine;
    o.draws = 1000;
    f->o = &o;
    CHECK_OK(fit_sample(f, &err));
    engine_numbers(f->model, f->draws, f->n_draw, f->d->n_channel, mean, sd);
    free(f->draws);
    free(f->learned.mean);
    f->learned.mean = NULL;
}

/* Means at most so many of the first engine's sds apart, and sds in that ratio at most either way. */
static inline void engines_apart(const char *what, const double *numbers, size_t n, double *worst,
                                 double *ratio) {
    double least = 1, most = 1;
    *worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double *mean = numbers + i, *sd = mean + n, *mean2 = sd + n, *sd2 = mean2 + n;
        *worst = fmax(*worst, fabs(*mean2 - *mean) / *sd);
        least = fmin(least, *sd2 / *sd);
        most = fmax(most, *sd2 / *sd);
    }
    *ratio = fmax(1 / least, most);
    print_message("# %s: means at most %.2f sd apart, sds in a ratio of %.2f to %.2f\n", what,
                  *worst, least, most);
}

/* Four chains of NUTS, then the fast engine and the normal approximation, on that shop. */
static inline void engines_agree(const engine_case *c) {
    bw_err err = {{0}};
    bw_mmm_data d;
    bw_mmm_spec spec;
    fit_state f = {.d = &d};
    engine_shop(&d, c);
    CHECK_OK(bw_mmm_preset(c->preset ? c->preset : "bellwether", &spec, &err));
    spec.student = c->student;
    if (c->saturation != BW_SATURATION_NONE)
        spec.saturation = c->saturation;
    CHECK_OK(bw_mmm_new(&d, &spec, &f.model, &err));
    size_t n = c->channels * ENGINE_NUMBERS;
    double *numbers = malloc(4 * n * sizeof *numbers), worst[2], ratio[2];
    char what[160];
    engine_run(&f, "nuts", numbers, numbers + n);
    engine_run(&f, "fast", numbers + 2 * n, numbers + 3 * n);
    snprintf(what, sizeof what, "%s: fast", c->name);
    engines_apart(what, numbers, n, &worst[0], &ratio[0]);
    engine_run(&f, "laplace", numbers + 2 * n, numbers + 3 * n);
    snprintf(what, sizeof what, "%s: laplace", c->name);
    engines_apart(what, numbers, n, &worst[1], &ratio[1]);
    free(numbers);
    bw_mmm_free(f.model);
    bw_mmm_data_free(&d);
    if (worst[0] > 0.25 || ratio[0] > 1.4) /* sds of long-tailed numbers swing by themselves */
        fail_msg("%s: the fast engine is off", c->name);
    if (worst[1] > (c->laplace > 0 ? c->laplace : 1))
        fail_msg("%s: the normal approximation is off by more than told", c->name);
}

#endif
