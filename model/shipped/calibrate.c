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
    double *weight; /* one over the rows of its set and language */
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
    size_t *count = calloc(2 * r->n_sets + 2, sizeof *count);
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
        count[2 * e->set + e->zh]++;
    }
    for (size_t i = 0; i < x->n; i++)
        x->weight[i] = (x->e[i]->label == BW_NEUTRAL ? neutral : 1.0) /
                       (double)count[2 * x->e[i]->set + x->e[i]->zh];
    free(count);
    return x->n ? BW_OK
                : bw_fail(err, BW_EDATA, "recipe %s has no development rows to calibrate on",
                          r->name);
}

/* p: deep_scale, wide_scale, bias[3]. z of row i. */
static void logits(const bw_raw_score *raw, const double p[5], double z[3]) {
    double wide[3] = {-raw->wide[0], raw->wide[1], raw->wide[0]};
    for (int k = 0; k < 3; k++)
        z[k] = p[0] * raw->deep[k] + p[1] * wide[k] + p[2 + k];
}

/* Adds the gradient of row i to g; returns its loss. */
static double row_gradient(const bw_recipe *r, const rows *x, size_t i, const double p[5],
                           double g[5]) {
    const bw_raw_score *raw = &x->raw[i];
    bool two = r->set[x->e[i]->set].two_class;
    double z[3], wide[3] = {-raw->wide[0], raw->wide[1], raw->wide[0]}, q[3], sum = 0;
    int label = x->e[i]->label;
    logits(raw, p, z);
    double top = fmax(z[0], z[2]);
    top = two ? top : fmax(top, z[1]);
    for (int k = 0; k < 3; k++)
        sum += q[k] = two && k == 1 ? 0 : exp(z[k] - top);
    for (int k = 0; k < 3; k++) {
        double d = x->weight[i] * (q[k] / sum - (k == label));
        g[0] += d * raw->deep[k];
        g[1] += d * wide[k];
        g[2 + k] += d;
    }
    return -x->weight[i] * log(fmax(q[label] / sum, 1e-12));
}

static double fit_language(const bw_recipe *r, const rows *x, int zh, double p[5]) {
    double loss = 0, total = 0, n = 0, g2[5] = {0}, start[5];
    memcpy(start, p, sizeof start);
    for (size_t i = 0; i < x->n; i++) {
        total += x->e[i]->zh == zh ? x->weight[i] : 0;
        n += x->e[i]->zh == zh;
    }
    for (int it = 0; it < ITERATIONS && total > 0; it++) {
        double g[5] = {0};
        loss = 0;
        for (size_t i = 0; i < x->n; i++)
            if (x->e[i]->zh == zh)
                loss += row_gradient(r, x, i, p, g);
        for (int k = 0; k < 5; k++) {
            double d = g[k] / total + PULL / n * (p[k] - start[k]);
            g2[k] = 0.99 * g2[k] + 0.01 * d * d;
            p[k] -= RATE * (1.0 - (double)it / ITERATIONS) * d /
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
            int zh = x->e[i]->zh;
            double p[5] = {c->deep_scale[zh], c->wide_scale[zh], c->bias[zh][0], c->bias[zh][1],
                           c->bias[zh][2]},
                   z[3];
            logits(&x->raw[i], p, z);
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
        double p[5] = {out->deep_scale[zh], out->wide_scale[zh], out->bias[zh][0], out->bias[zh][1],
                       out->bias[zh][2]};
        double loss = fit_language(r, &x, zh, p);
        if (isnan(loss))
            continue;
        fprintf(stderr, "calibrate %s: loss %.4f, deep %.3f, wide %.3f, bias %.3f %.3f %.3f\n",
                zh ? "zh" : "en", loss, p[0], p[1], p[2], p[3], p[4]);
        out->deep_scale[zh] = p[0];
        out->wide_scale[zh] = p[1];
        memcpy(out->bias[zh], p + 2, sizeof out->bias[zh]);
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
