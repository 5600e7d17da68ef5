/* analyze/factors.c - design, fit, draws and cross-validation. */
#include "analyze/factors.h"

#include "analyze/glmm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS 1000u
#define FOLDS 5u

struct design {
    const bw_factor_data *d;
    size_t width, p;
    size_t *at; /* [factors] first column */
    uint32_t *column, *block;
    double *value;
    bool *fixed;
    bool single; /* every row is one trial */
};

static void design_free(struct design *z) {
    free(z->at);
    free(z->column);
    free(z->block);
    free(z->value);
    free(z->fixed);
}

static void standardise(const double *x, size_t n, double *mean, double *sd) {
    double sum = 0, sq = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        sq += (x[i] - *mean) * (x[i] - *mean);
    *sd = sq > 0 ? sqrt(sq / (double)n) : 1;
}

/* Columns: constant, numbers, then the levels of each factor. Blocks: 0 fixed, 1.. the factors. */
static bw_status lay_out(struct design *z, bw_err *err) {
    const bw_factor_data *d = z->d;
    z->width = 1 + d->numbers + d->factors;
    z->p = 1 + d->numbers;
    z->at = malloc((d->factors + 1) * sizeof *z->at);
    for (size_t f = 0; z->at && f < d->factors; f++) {
        z->at[f] = z->p;
        z->p += d->levels[f];
    }
    z->column = malloc(d->n * z->width * sizeof *z->column);
    z->value = malloc(d->n * z->width * sizeof *z->value);
    z->block = calloc(z->p, sizeof *z->block);
    z->fixed = calloc(d->factors + 1, sizeof *z->fixed);
    if (!z->at || !z->column || !z->value || !z->block || !z->fixed)
        return bw_fail_memory(err);
    z->fixed[0] = true;
    for (size_t f = 0; f < d->factors; f++)
        for (size_t k = 0; k < d->levels[f]; k++)
            z->block[z->at[f] + k] = (uint32_t)f + 1;
    return BW_OK;
}

static void fill(struct design *z) {
    const bw_factor_data *d = z->d;
    z->single = true;
    for (size_t i = 0; i < d->n; i++) {
        z->column[i * z->width] = 0;
        z->value[i * z->width] = 1;
        z->single &= d->trials[i] == 1;
        for (size_t f = 0; f < d->factors; f++) {
            size_t e = i * z->width + 1 + d->numbers + f;
            z->column[e] = (uint32_t)(z->at[f] + d->code[f][i]);
            z->value[e] = 1;
        }
    }
    for (size_t k = 0; k < d->numbers; k++) {
        double mean, sd;
        standardise(d->number[k], d->n, &mean, &sd);
        for (size_t i = 0; i < d->n; i++) {
            z->column[i * z->width + 1 + k] = (uint32_t)k + 1;
            z->value[i * z->width + 1 + k] = (d->number[k][i] - mean) / sd;
        }
    }
}

static bw_glmm_data whole(const struct design *z) {
    return (bw_glmm_data){.n = z->d->n,
                          .p = z->p,
                          .width = z->width,
                          .column = z->column,
                          .value = z->value,
                          .successes = z->d->successes,
                          .trials = z->d->trials,
                          .block = z->block,
                          .blocks = z->d->factors + 1,
                          .fixed = z->fixed,
                          .no_scatter = z->single};
}

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

/* Mean of the linear predictor: where the levels are compared. */
static double middle(const struct design *z, const bw_glmm_data *g, const double *b) {
    double sum = 0, trials = 0;
    for (size_t i = 0; i < z->d->n; i++) {
        sum += z->d->trials[i] * bw_glmm_predict(g, b, i);
        trials += z->d->trials[i];
    }
    return sum / trials;
}

static void describe_factor(const struct design *z, size_t f, double base, const double *draws,
                            double *work, bw_level *out) {
    size_t k = z->d->levels[f];
    double mean_effect =
        0; /* of the coefficients, so that the base keeps its place among the levels */
    for (size_t i = 0; i < z->d->n; i++) {
        bw_level *l = &out[z->d->code[f][i]];
        l->n += z->d->trials[i];
        l->raw += z->d->successes[i];
    }
    for (size_t l = 0; l < k; l++)
        out[l].raw /= out[l].n;
    for (size_t s = 0; s < DRAWS; s++) {
        const double *b = draws + s * z->p + z->at[f];
        double mean = 0;
        size_t best = 0;
        mean_effect = 0;
        for (size_t l = 0; l < k; l++)
            mean_effect += b[l] / (double)k;
        for (size_t l = 0; l < k; l++) {
            work[l * DRAWS + s] = logistic(base + b[l] - mean_effect);
            mean += work[l * DRAWS + s] / (double)k;
            best = b[l] > b[best] ? l : best;
        }
        for (size_t l = 0; l < k; l++)
            work[l * DRAWS + s] /= mean;
        out[best].p_best += 1.0 / DRAWS;
    }
    for (size_t l = 0; l < k; l++)
        out[l].index = bw_summarise(work + l * DRAWS, DRAWS);
}

static bw_status describe(const struct design *z, const bw_glmm_fit *fit, uint64_t seed,
                          bw_factors *out, bw_err *err) {
    size_t most = 1;
    for (size_t f = 0; f < z->d->factors; f++)
        most = z->d->levels[f] > most ? z->d->levels[f] : most;
    double *draws = malloc(DRAWS * z->p * sizeof *draws),
           *work = malloc(DRAWS * most * sizeof *work);
    bw_status st = draws && work ? bw_glmm_draw(fit, DRAWS, seed, draws, err) : bw_fail_memory(err);
    if (st == BW_OK) {
        bw_glmm_data g = whole(z);
        double base = middle(z, &g, fit->coef);
        for (size_t f = 0; f < z->d->factors; f++)
            describe_factor(z, f, base, draws, work, out->level[f]);
        for (size_t k = 0; k < z->d->numbers; k++) {
            for (size_t s = 0; s < DRAWS; s++)
                work[s] = draws[s * z->p + 1 + k];
            out->slope[k] = bw_summarise(work, DRAWS);
        }
    }
    free(draws);
    free(work);
    return st;
}

/* Rows i with i % FOLDS == fold are scored by a fit to the others. */
static bw_status score_fold(const struct design *z, size_t fold, const bw_glmm_fit *start,
                            double *score, bw_err *err) {
    const bw_factor_data *d = z->d;
    size_t w = z->width, m = 0;
    uint32_t *column = malloc(d->n * w * sizeof *column);
    double *value = malloc(d->n * w * sizeof *value), *s = malloc(d->n * sizeof *s),
           *t = malloc(d->n * sizeof *t);
    bw_status st = column && value && s && t ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < d->n; i++) {
        if (i % FOLDS == fold)
            continue;
        memcpy(column + m * w, z->column + i * w, w * sizeof *column);
        memcpy(value + m * w, z->value + i * w, w * sizeof *value);
        s[m] = d->successes[i];
        t[m++] = d->trials[i];
    }
    bw_glmm_fit fit;
    if (st == BW_OK) {
        bw_glmm_data g = whole(z);
        g.n = m;
        g.column = column;
        g.value = value;
        g.successes = s;
        g.trials = t;
        st = bw_glmm(&g, start, &fit, err);
    }
    if (st == BW_OK) {
        bw_glmm_data g = whole(z);
        for (size_t i = fold; i < d->n; i += FOLDS)
            score[i] = bw_glmm_predict(&g, fit.coef, i);
        bw_glmm_free(&fit);
    }
    free(column);
    free(value);
    free(s);
    free(t);
    return st;
}

static bw_status validate(const struct design *z, const bw_glmm_fit *fit, bw_factors *out,
                          bw_err *err) {
    out->auc = out->auc_seen = NAN;
    if (!z->single || z->d->n < 10 * FOLDS)
        return BW_OK;
    double *score = malloc(z->d->n * sizeof *score);
    bw_status st = score ? BW_OK : bw_fail_memory(err);
    bw_glmm_data g = whole(z);
    for (size_t i = 0; st == BW_OK && i < z->d->n; i++)
        score[i] = bw_glmm_predict(&g, fit->coef, i);
    if (st == BW_OK)
        out->auc_seen = bw_auc(score, z->d->successes, z->d->n);
    for (size_t fold = 0; st == BW_OK && fold < FOLDS; fold++)
        st = score_fold(z, fold, fit, score, err);
    if (st == BW_OK)
        out->auc = bw_auc(score, z->d->successes, z->d->n);
    free(score);
    return st;
}

static bw_status allocate(const bw_factor_data *d, bw_factors *out, bw_err *err) {
    out->level = calloc(d->factors + 1, sizeof *out->level);
    out->slope = calloc(d->numbers + 1, sizeof *out->slope);
    out->factors = d->factors;
    if (!out->level || !out->slope)
        return bw_fail_memory(err);
    for (size_t f = 0; f < d->factors; f++)
        if (!(out->level[f] = calloc(d->levels[f], sizeof **out->level)))
            return bw_fail_memory(err);
    return BW_OK;
}

bw_status bw_factors_fit(const bw_factor_data *d, uint64_t seed, bw_factors *out, bw_err *err) {
    *out = (bw_factors){0};
    struct design z = {.d = d};
    bw_glmm_fit fit = {0};
    bw_status st = allocate(d, out, err);
    if (st == BW_OK)
        st = lay_out(&z, err);
    if (st == BW_OK) {
        fill(&z);
        bw_glmm_data g = whole(&z);
        st = bw_glmm(&g, NULL, &fit, err);
    }
    if (st == BW_OK)
        st = describe(&z, &fit, seed, out, err);
    if (st == BW_OK)
        st = validate(&z, &fit, out, err);
    bw_glmm_free(&fit);
    design_free(&z);
    if (st != BW_OK)
        bw_factors_free(out);
    return st;
}

void bw_factors_free(bw_factors *f) {
    for (size_t k = 0; f->level && k < f->factors; k++)
        free(f->level[k]);
    free(f->level);
    free(f->slope);
    *f = (bw_factors){0};
}
