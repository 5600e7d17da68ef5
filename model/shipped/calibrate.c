/* model/shipped/calibrate.c - gradient descent over a few numbers; the raw scores are computed once. */
#include "model/shipped/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITERATIONS 3000
#define RATE       0.1
#define PULL       5.0 /* towards the start, in rows: what a handful of rows cannot outvote */

typedef struct {
    const bw_example **e;
    const char **text;
    bw_raw_score *raw;
    double *weight; /* one over the rows of its set */
    size_t n;
} rows;

static void rows_free(rows *x) {
    free(x->e);
    free(x->text);
    free(x->raw);
    free(x->weight);
}

static bw_status collect(const bw_recipe *r, const bw_dataset *d, rows *x, bw_err *err) {
    x->e = malloc((d->n + 1) * sizeof *x->e);
    x->text = malloc((d->n + 1) * sizeof *x->text);
    x->raw = calloc(d->n + 1, sizeof *x->raw);
    x->weight = calloc(d->n + 1, sizeof *x->weight);
    double neutral = bw_recipe_number(r, "calibrate", "neutral_weight", 1.0);
    size_t *count = calloc(r->n_sets + 1, sizeof *count);
    if (!x->e || !x->text || !x->raw || !x->weight || !count) {
        free(count);
        return bw_fail_memory(err);
    }
    for (size_t i = 0; i < d->n; i++) {
        const bw_example *e = &d->example[i];
        if (e->part != BW_PART_DEV || e->task != BW_TASK_SENTIMENT || e->label == BW_UNLABELLED)
            continue;
        x->e[x->n] = e;
        x->text[x->n++] = e->text;
        count[e->set]++;
    }
    for (size_t i = 0; i < x->n; i++)
        x->weight[i] = (x->e[i]->label == BW_NEUTRAL ? neutral : 1.0) / (double)count[x->e[i]->set];
    free(count);
    return x->n ? BW_OK
                : bw_fail(err, BW_EDATA, "recipe %s has no development rows to calibrate on",
                          r->name);
}

#define N_FIT (2 * BW_N_MIX) /* mix, then by_length */

/* What z_k depends on, beside its own bias: the mix's entries for class k. */
static void inputs_of(const bw_raw_score *raw, int k, double x[2]) {
    x[BW_MIX_DEEP] = raw->deep[k];
    x[BW_MIX_WIDE] = k == 1 ? raw->wide[1] : k == 0 ? -raw->wide[0] : raw->wide[0];
}

/* Adds weight d of dz_k to the gradient of the fitted numbers. */
static void add_gradient(const bw_raw_score *raw, int k, double d, double g[N_FIT]) {
    double x[2];
    inputs_of(raw, k, x);
    for (int i = 0; i < 2; i++) {
        double scale = d * (i ? raw->length : 1), *to = g + i * BW_N_MIX;
        to[BW_MIX_DEEP] += scale * x[BW_MIX_DEEP];
        to[BW_MIX_WIDE] += scale * x[BW_MIX_WIDE];
        to[BW_MIX_BIAS + k] += scale;
    }
}

/* Adds the gradient of row i to g; returns its loss. */
static double row_gradient(const bw_recipe *r, const rows *x, size_t i, const bw_calibration *c,
                           double g[N_FIT]) {
    const bw_raw_score *raw = &x->raw[i];
    bool two = r->set[x->e[i]->set].two_class;
    double z[3], q[3], sum = 0;
    int label = x->e[i]->label;
    bw_calibration_logits(c, x->e[i]->zh, raw->length, raw->deep, raw->wide, z);
    double top = fmax(z[0], z[2]);
    top = two ? top : fmax(top, z[1]);
    for (int k = 0; k < 3; k++)
        sum += q[k] = two && k == 1 ? 0 : exp(z[k] - top);
    for (int k = 0; k < 3; k++)
        add_gradient(raw, k, x->weight[i] * (q[k] / sum - (k == label)), g);
    return -x->weight[i] * log(fmax(q[label] / sum, 1e-12));
}

/* The fitted numbers of a language, in one row. */
static void fitted(bw_calibration *c, int zh, double *p[N_FIT]) {
    for (int k = 0; k < BW_N_MIX; k++) {
        p[k] = &c->mix[zh][k];
        p[BW_N_MIX + k] = &c->by_length[zh][k];
    }
}

/* The mean loss; NAN when the language has no rows, and c is left as it was. */
static double fit_language(const bw_recipe *r, const rows *x, int zh, bw_calibration *c) {
    double loss = 0, total = 0, n = 0, g2[N_FIT] = {0}, start[N_FIT], *p[N_FIT];
    fitted(c, zh, p);
    for (int k = 0; k < N_FIT; k++)
        start[k] = *p[k];
    for (size_t i = 0; i < x->n; i++) {
        total += x->e[i]->zh == zh ? x->weight[i] : 0;
        n += x->e[i]->zh == zh;
    }
    for (int it = 0; it < ITERATIONS && total > 0; it++) {
        double g[N_FIT] = {0};
        loss = 0;
        for (size_t i = 0; i < x->n; i++)
            if (x->e[i]->zh == zh)
                loss += row_gradient(r, x, i, c, g);
        for (int k = 0; k < N_FIT; k++) {
            double d = g[k] / total + PULL / n * (*p[k] - start[k]);
            g2[k] = 0.99 * g2[k] + 0.01 * d * d;
            *p[k] -= RATE * (1.0 - (double)it / ITERATIONS) * d /
                     (sqrt(g2[k] / (1 - pow(0.99, it + 1))) + 1e-4);
        }
    }
    return total > 0 ? loss / total : NAN;
}

/* ---- stars ---- */

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* Four binary questions a row: are the stars above k + 1? */
static void fit_stars(const rows *x, const bw_calibration *c, double *slope, double threshold[4]) {
    double g2[5] = {0};
    for (int it = 0; it < ITERATIONS; it++) {
        double g[5] = {0}, n = 1e-9;
        for (size_t i = 0; i < x->n; i++) {
            float stars = x->e[i]->row->stars;
            if (isnan(stars))
                continue;
            const bw_raw_score *raw = &x->raw[i];
            double z[3];
            bw_calibration_logits(c, x->e[i]->zh, raw->length, raw->deep, raw->wide, z);
            double m = z[2] - z[0];
            for (int k = 0; k < 4; k++) {
                double d =
                    x->weight[i] * (sigmoid(*slope * m - threshold[k]) - (stars > (float)k + 1.5f));
                g[4] += d * m;
                g[k] -= d;
            }
            n += x->weight[i];
        }
        for (int k = 0; k < 5; k++) {
            double d = g[k] / n, *to = k == 4 ? slope : &threshold[k];
            g2[k] = 0.99 * g2[k] + 0.01 * d * d;
            *to -= RATE * (1.0 - (double)it / ITERATIONS) * d /
                   (sqrt(g2[k] / (1 - pow(0.99, it + 1))) + 1e-4);
        }
    }
}

bw_status bw_calibrate(const bw_encoder *e, const bw_recipe *r, const bw_dataset *d,
                       bw_calibration *out, bw_err *err) {
    rows x = {0};
    bw_status st = collect(r, d, &x, err);
    if (st == BW_OK)
        st = bw_encoder_raw(e, x.text, x.n, x.raw, err);
    for (int zh = 0; st == BW_OK && zh < 2; zh++) {
        double loss = fit_language(r, &x, zh, out);
        if (isnan(loss))
            continue;
        const double *m = out->mix[zh], *l = out->by_length[zh];
        fprintf(stderr,
                "calibrate %s: loss %.4f, deep %.3f, wide %.3f, bias %.3f %.3f %.3f; by length "
                "%.3f %.3f, %.3f %.3f %.3f\n",
                zh ? "zh" : "en", loss, m[0], m[1], m[2], m[3], m[4], l[0], l[1], l[2], l[3], l[4]);
    }
    if (st == BW_OK)
        fit_stars(&x, out, &out->stars_slope, out->stars_threshold);
    rows_free(&x);
    return st;
}

static size_t development_rows(const bw_dataset *d) {
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += d->example[i].part == BW_PART_DEV && d->example[i].task == BW_TASK_SENTIMENT &&
             d->example[i].label != BW_UNLABELLED;
    return n;
}

bw_status bw_pack_calibrated(const bw_recipe *r, const bw_dataset *d, const bw_pack_parts *x,
                             const bw_calibration *start, const char *path, bw_err *err) {
    bw_calibration c = *start;
    bw_encoder *e = NULL;
    bw_status st = bw_pack(x, &c, r->name, path, err);
    if (st != BW_OK || development_rows(d) < BW_CALIBRATION_MIN)
        return st;
    st = bw_encoder_open(path, &e, err);
    if (st == BW_OK)
        st = bw_calibrate(e, r, d, &c, err);
    bw_encoder_free(e);
    return st == BW_OK ? bw_pack(x, &c, r->name, path, err) : st;
}
