/* model/shipped/topics.c - spherical k-means. */
#include "model/shipped/topics.h"

#include "model/core/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 40

static double dot(const float *a, const float *b, size_t n) {
    float s = 0;
    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return (double)s;
}

static void normalise(float *x, size_t n) {
    double norm = sqrt(dot(x, x, n));
    for (size_t i = 0; norm > 0 && i < n; i++)
        x[i] = (float)(x[i] / norm);
}

void bw_topics_free(bw_topics *t) {
    free(t->centroid);
    free(t->member);
    free(t->similarity);
    free(t->size);
    *t = (bw_topics){0};
}

/* k-means++: each next centre is a text drawn with a chance proportional to its squared distance to
 * the nearest centre so far. far: [n] scratch. */
static void seed_centroids(bw_topics *t, const float *vec, size_t n, size_t have, uint64_t seed,
                           double *far) {
    bw_rng rng = bw_rng_seed(seed);
    for (size_t i = 0; i < n; i++) {
        far[i] = 2;
        for (size_t c = 0; c < have; c++)
            far[i] = fmin(far[i], 2 - 2 * dot(vec + i * t->dim, t->centroid + c * t->dim, t->dim));
    }
    for (size_t c = have; c < t->k; c++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += fmax(far[i], 0);
        double u = bw_rng_uniform(&rng) * sum;
        size_t pick = 0;
        while (pick + 1 < n && (u -= fmax(far[pick], 0)) > 0)
            pick++;
        memcpy(t->centroid + c * t->dim, vec + pick * t->dim, t->dim * sizeof(float));
        for (size_t i = 0; i < n; i++)
            far[i] = fmin(far[i], 2 - 2 * dot(vec + i * t->dim, vec + pick * t->dim, t->dim));
    }
}

/* Each text to its nearest centroid; true when any moved. */
static bool assign(bw_topics *t, const float *vec, size_t n) {
    bool moved = false;
#pragma omp parallel for schedule(static) reduction(|| : moved)
    for (size_t i = 0; i < n; i++) {
        int32_t best = 0;
        double top = -2;
        for (size_t c = 0; c < t->k; c++) {
            double s = dot(vec + i * t->dim, t->centroid + c * t->dim, t->dim);
            if (s > top) {
                top = s;
                best = (int32_t)c;
            }
        }
        moved = moved || best != t->member[i];
        t->member[i] = best;
        t->similarity[i] = (float)top;
    }
    memset(t->size, 0, t->k * sizeof *t->size);
    for (size_t i = 0; i < n; i++)
        t->size[t->member[i]]++;
    return moved;
}

static void recentre(bw_topics *t, const float *vec, size_t n) {
    for (size_t c = 0; c < t->k; c++)
        if (t->size[c])
            memset(t->centroid + c * t->dim, 0, t->dim * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        float *c = t->centroid + (size_t)t->member[i] * t->dim;
        for (size_t k = 0; k < t->dim; k++)
            c[k] += vec[i * t->dim + k];
    }
    for (size_t c = 0; c < t->k; c++)
        normalise(t->centroid + c * t->dim, t->dim);
}

bw_status bw_topics_find(const float *vec, size_t n, size_t dim, size_t k, const float *start,
                         size_t n_start, uint64_t seed, bw_topics *out, bw_err *err) {
    *out = (bw_topics){.k = k, .dim = dim};
    if (n == 0 || k == 0 || k < n_start)
        return bw_fail(err, BW_EARG, "%zu topics of %zu texts cannot be made", k, n);
    out->centroid = malloc(k * dim * sizeof(float));
    out->member = malloc(n * sizeof *out->member);
    out->similarity = malloc(n * sizeof *out->similarity);
    out->size = calloc(k, sizeof *out->size);
    double *far = malloc(n * sizeof *far);
    if (!out->centroid || !out->member || !out->similarity || !out->size || !far) {
        free(far);
        bw_topics_free(out);
        return bw_fail_memory(err);
    }
    if (n_start)
        memcpy(out->centroid, start, n_start * dim * sizeof(float));
    for (size_t i = 0; i < n; i++)
        out->member[i] = -1;
    seed_centroids(out, vec, n, n_start, seed, far);
    for (int round = 0; assign(out, vec, n) && round < ROUNDS; round++)
        recentre(out, vec, n);
    free(far);
    return BW_OK;
}
