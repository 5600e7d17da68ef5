/* model/core/ops.c - softmax, rotary positions, dropout. */
#include "model/core/ops.h"
#include "model/core/rng.h"
#include "model/core/simd.h"

/* x minus the row's maximum keeps every exponent at or below 0. */
BW_CLONES static void softmax_row(float *p, const float *x, size_t n) {
    float top = x[0];
#pragma omp simd reduction(max : top)
    for (size_t i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        p[i] = bw_expf(x[i] - top);
        sum += (double)p[i];
    }
    float scale = (float)(1 / sum);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        p[i] *= scale;
}

void bw_softmax(float *p, const float *x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++)
        softmax_row(p + r * n, x + r * n, n);
}

BW_CLONES double bw_log_sum_exp(const float *x, size_t n) {
    float top = x[0];
#pragma omp simd reduction(max : top)
    for (size_t i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)bw_expf(x[i] - top);
    return (double)top + log(sum);
}

/* The frequency of a pair of dimensions, theta^(-2i/head_dim), after Llama 3's rule (Grattafiori
 * et al. 2024, and the published code): wavelengths that fit `high` times into the original
 * context stay, those that fit less than `low` times grow by factor, those between change
 * gradually. */
static float llama3_frequency(float f, const bw_rope_scaling *s) {
    float turns = (float)s->original * f / 6.2831853071795865f;
    if (turns > s->high)
        return f;
    if (turns < s->low)
        return f / s->factor;
    float smooth = (turns - s->low) / (s->high - s->low);
    return (1 - smooth) * f / s->factor + smooth * f;
}

void bw_rope_table(float *table, size_t n_positions, size_t head_dim, float theta,
                   const bw_rope_scaling *scaling) {
    size_t half = head_dim / 2;
    for (size_t i = 0; i < half; i++) {
        float f = (float)(1 / pow((double)theta, 2 * (double)i / (double)head_dim));
        if (scaling->kind == BW_ROPE_LLAMA3)
            f = llama3_frequency(f, scaling);
        for (size_t p = 0; p < n_positions; p++) {
            float at = scaling->kind == BW_ROPE_LINEAR ? (float)p / scaling->factor : (float)p;
            float angle = at * f;
            table[p * head_dim + i] = (float)cos((double)angle);
            table[p * head_dim + half + i] = (float)sin((double)angle);
        }
    }
}

BW_CLONES static void rotate_head(float *x, const float *c, const float *s, float sign,
                                  size_t half) {
#pragma omp simd
    for (size_t i = 0; i < half; i++) {
        float a = x[i], b = x[half + i], si = sign * s[i];
        x[i] = a * c[i] - b * si;
        x[half + i] = b * c[i] + a * si;
    }
}

void bw_rope(float *x, const float *table, const int32_t *positions, size_t rows, size_t stride,
             size_t heads, size_t head_dim, bool inverse) {
    size_t half = head_dim / 2;
    for (size_t r = 0; r < rows; r++) {
        const float *c = table + (size_t)positions[r] * head_dim;
        for (size_t h = 0; h < heads; h++)
            rotate_head(x + r * stride + h * head_dim, c, c + half, inverse ? -1.0f : 1.0f, half);
    }
}

BW_CLONES static void drop_run(float *x, size_t n, float scale, uint32_t threshold, uint32_t key,
                               uint32_t first) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        uint32_t hash = bw_mix32((first + (uint32_t)i) * 0x9e3779b9u ^ key);
        x[i] = hash >= threshold ? x[i] * scale : 0;
    }
}

/* Runs end where the low 32 bits of the counter do, so that each run has one key. */
void bw_dropout(float *x, size_t n, float p, uint64_t seed, uint64_t first) {
    if (!(p > 0))
        return;
    while (n) {
        uint64_t left = ((first >> 32) + 1) * ((uint64_t)1 << 32) - first;
        size_t run = n < left ? n : (size_t)left;
        uint32_t key = (uint32_t)bw_splitmix64(seed ^ bw_splitmix64(first >> 32));
        drop_run(x, run, 1 / (1 - p), bw_dropout_threshold(p), key, (uint32_t)first);
        x += run;
        n -= run;
        first += run;
    }
}
