/* analyze/mix/kernels.c - see kernels.h. Written on 8-lane vectors of the compiler, cloned for AVX-512 and
 * AVX2; exp and log are polynomials accurate to a few units in the last place, so that they run in
 * lanes too. */
#include "analyze/mix/kernels.h"

#include <math.h>
#include <string.h>

/* Clones are chosen by the loader; sanitizers and other compilers get the plain build, whose
 * results are the same bits. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define CLONED __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define CLONED
#endif
#define INLINE static inline __attribute__((always_inline))

typedef double lanes __attribute__((vector_size(64), aligned(8), may_alias));
typedef long long lanes_bits __attribute__((vector_size(64), aligned(8), may_alias));

#define LOAD(p)     (*(const lanes *)(p))
#define STORE(p, v) (*(lanes *)(p) = (v))

size_t bw_lanes_up(size_t n) {
    return (n + BW_LANES - 1) / BW_LANES * BW_LANES;
}

INLINE double add_lanes(const lanes *v) {
    return (((*v)[0] + (*v)[4]) + ((*v)[2] + (*v)[6])) +
           (((*v)[1] + (*v)[5]) + ((*v)[3] + (*v)[7]));
}

/* x := e^x for |x| <= 708: x = k ln 2 + r, |r| <= ln2/2, Taylor to r^13, whose remainder is below
 * 2^-57, its terms gathered in pairs and fours so that they need not wait for each other (Estrin).
 * Adding 1.5 * 2^52 rounds to a whole number and leaves it in the low bits. */
INLINE void exp_lanes(lanes *x) {
    const double magic = 0x1.8p52, ln2_hi = 0x1.62e42fefa39efp-1, ln2_lo = 0x1.abc9e3b39803fp-56;
    lanes shifted = *x * M_LOG2E + magic;
    lanes k = shifted - magic;
    lanes r = (*x - k * ln2_hi) - k * ln2_lo;
    lanes r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    lanes a = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0));
    lanes b = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0));
    lanes c =
        (1.0 / 40320.0 + r * (1.0 / 362880.0)) + r2 * (1.0 / 3628800.0 + r * (1.0 / 39916800.0));
    lanes d = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0);
    lanes p = (a + r4 * b) + r8 * (c + r4 * d);
    lanes_bits two_k = ((lanes_bits)shifted << 52) + 0x3FF0000000000000LL;
    *x = p * (lanes)two_k;
}

/* x := max(x, lo); NaN stays NaN. */
INLINE void raise_lanes(lanes *x, double lo) {
    lanes floor = {lo, lo, lo, lo, lo, lo, lo, lo};
    lanes_bits below = *x < floor;
    *x = (lanes)((below & (lanes_bits)floor) | (~below & (lanes_bits)*x));
}

INLINE void lower_lanes(lanes *x, double hi) {
    lanes top = {hi, hi, hi, hi, hi, hi, hi, hi};
    lanes_bits above = *x > top;
    *x = (lanes)((above & (lanes_bits)top) | (~above & (lanes_bits)*x));
}

/* x := log x for normal x > 0: x = 2^k m, m in [sqrt 1/2, sqrt 2), log m = 2 atanh f with
 * f = (m-1)/(m+1), |f| < 0.172; the series to f^23 leaves less than 2^-56. */
INLINE void log_lanes(lanes *x) {
    lanes_bits bits = (lanes_bits)*x;
    lanes_bits k = ((bits - 0x3FE6A09E667F3BCDLL) >> 52);
    lanes m = (lanes)(bits - (k << 52));
    lanes_bits magic_bits = k + 0x4338000000000000LL;
    lanes kd = (lanes)magic_bits - 0x1.8p52;
    lanes f = (m - 1.0) / (m + 1.0), g = f * f;
    lanes p = g * (1.0 / 23.0) + 1.0 / 21.0;
    p = p * g + 1.0 / 19.0;
    p = p * g + 1.0 / 17.0;
    p = p * g + 1.0 / 15.0;
    p = p * g + 1.0 / 13.0;
    p = p * g + 1.0 / 11.0;
    p = p * g + 1.0 / 9.0;
    p = p * g + 1.0 / 7.0;
    p = p * g + 1.0 / 5.0;
    p = p * g + 1.0 / 3.0;
    p = p * g + 1.0;
    *x = kd * M_LN2 + 2.0 * f * p;
}

/* Four blocks of lanes at a time: a sum need not wait for its own last addition. */
CLONED void bw_k_convolve(double *a, const double *x, const double *w, size_t lags, size_t n) {
    size_t t = 0;
    for (; t + 4 * BW_LANES <= n; t += 4 * BW_LANES) {
        lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        for (size_t l = 0; l < lags; l++) {
            const double *past = x + t - l;
            double wl = w[l];
            s0 += wl * LOAD(past);
            s1 += wl * LOAD(past + BW_LANES);
            s2 += wl * LOAD(past + 2 * BW_LANES);
            s3 += wl * LOAD(past + 3 * BW_LANES);
        }
        STORE(a + t, s0);
        STORE(a + t + BW_LANES, s1);
        STORE(a + t + 2 * BW_LANES, s2);
        STORE(a + t + 3 * BW_LANES, s3);
    }
    for (; t < n; t += BW_LANES) {
        lanes acc = {0};
        for (size_t l = 0; l < lags; l++)
            acc += w[l] * LOAD(x + t - l);
        STORE(a + t, acc);
    }
}

CLONED void bw_k_correlate(double *c, const double *g, const double *x, size_t lags, size_t n) {
    size_t l = 0;
    for (; l + 4 <= lags; l += 4) {
        lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        for (size_t t = 0; t < n; t += BW_LANES) {
            lanes gt = LOAD(g + t);
            const double *past = x + t - l;
            s0 += gt * LOAD(past);
            s1 += gt * LOAD(past - 1);
            s2 += gt * LOAD(past - 2);
            s3 += gt * LOAD(past - 3);
        }
        c[l] += add_lanes(&s0);
        c[l + 1] += add_lanes(&s1);
        c[l + 2] += add_lanes(&s2);
        c[l + 3] += add_lanes(&s3);
    }
    for (; l < lags; l++) {
        lanes s0 = {0};
        for (size_t t = 0; t < n; t += BW_LANES)
            s0 += LOAD(g + t) * LOAD(x + t - l);
        c[l] += add_lanes(&s0);
    }
}

CLONED double bw_k_dot(const double *a, const double *b, size_t n) {
    lanes sum = {0};
    for (size_t t = 0; t < n; t += BW_LANES)
        sum += LOAD(a + t) * LOAD(b + t);
    return add_lanes(&sum);
}

CLONED double bw_k_sum(const double *a, size_t n) {
    lanes sum = {0};
    for (size_t t = 0; t < n; t += BW_LANES)
        sum += LOAD(a + t);
    return add_lanes(&sum);
}

CLONED void bw_k_axpy(double *y, double b, const double *x, size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES)
        STORE(y + t, LOAD(y + t) + b * LOAD(x + t));
}

CLONED void bw_k_mix(double *y, const double *b, const double *x, size_t stride, size_t count,
                     size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes sum = {0};
        for (size_t c = 0; c < count; c++)
            sum += b[c] * LOAD(x + c * stride + t);
        STORE(y + t, sum);
    }
}

CLONED void bw_k_add_product(double *y, const double *a, const double *b, size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES)
        STORE(y + t, LOAD(y + t) + LOAD(a + t) * LOAD(b + t));
}

CLONED void bw_k_tanh(double *s, const double *a, double k, size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes e = -k * LOAD(a + t);
        raise_lanes(&e, -700.0);
        exp_lanes(&e);
        STORE(s + t, (1.0 - e) / (1.0 + e));
    }
}

CLONED void bw_k_hill(double *s, const double *a, double half, double slope, size_t n) {
    double log_half = log(half);
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes u = LOAD(a + t);
        raise_lanes(&u, BW_SMALLEST);
        log_lanes(&u);
        u = -slope * (u - log_half);
        raise_lanes(&u, -700.0);
        lower_lanes(&u, 700.0);
        exp_lanes(&u);
        STORE(s + t, 1.0 / (1.0 + u));
    }
}

CLONED void bw_k_michaelis(double *s, const double *a, double half, size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES)
        STORE(s + t, LOAD(a + t) / (half + LOAD(a + t)));
}

CLONED void bw_k_power(double *s, const double *a, double power, size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes u = LOAD(a + t);
        raise_lanes(&u, BW_SMALLEST);
        log_lanes(&u);
        u = power * u;
        raise_lanes(&u, -700.0);
        lower_lanes(&u, 700.0);
        exp_lanes(&u);
        STORE(s + t, u);
    }
}

CLONED void bw_k_log(double *out, const double *a, size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes u = LOAD(a + t);
        raise_lanes(&u, BW_SMALLEST);
        log_lanes(&u);
        STORE(out + t, u);
    }
}

CLONED void bw_k_affine(double *g, double b, const double *e, double c, const double *live,
                        size_t n) {
    for (size_t t = 0; t < n; t += BW_LANES)
        STORE(g + t, b * LOAD(e + t) + c * LOAD(live + t));
}

CLONED double bw_k_tanh_back(double *g, const double *s, const double *a, double k, size_t n) {
    lanes sum = {0};
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes st = LOAD(s + t);
        lanes ga = LOAD(g + t) * (0.5 * k) * (1.0 - st * st);
        sum += ga * LOAD(a + t);
        STORE(g + t, ga);
    }
    return add_lanes(&sum) / k;
}

CLONED double bw_k_michaelis_back(double *g, const double *s, double half, size_t n) {
    lanes sum = {0};
    double inverse = 1.0 / half;
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes st = LOAD(s + t), gt = LOAD(g + t);
        sum += gt * st * (1.0 - st);
        STORE(g + t, gt * (1.0 - st) * (1.0 - st) * inverse);
    }
    return -add_lanes(&sum) * inverse;
}

CLONED double bw_k_hill_back(double *g, const double *s, const double *a, double half, double slope,
                             double *shape, size_t n) {
    lanes sum = {0}, sum_shape = {0};
    double log_half = log(half);
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes st = LOAD(s + t), at = LOAD(a + t);
        raise_lanes(&at, BW_SMALLEST);
        lanes u = at;
        log_lanes(&u);
        lanes gss = LOAD(g + t) * st * (1.0 - st);
        sum += gss;
        sum_shape += gss * (u - log_half);
        STORE(g + t, slope * gss / at);
    }
    *shape += add_lanes(&sum_shape);
    return -add_lanes(&sum) * slope / half;
}

CLONED double bw_k_power_back(double *g, const double *s, const double *a, double power, size_t n) {
    lanes sum = {0};
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes st = LOAD(s + t), at = LOAD(a + t);
        raise_lanes(&at, BW_SMALLEST);
        lanes u = at;
        log_lanes(&u);
        lanes gs = LOAD(g + t) * st;
        sum += gs * u;
        STORE(g + t, power * gs / at);
    }
    return add_lanes(&sum);
}

CLONED double bw_k_residual(double *e, const double *y, const double *mu, const double *w,
                            size_t n) {
    lanes sum = {0};
    for (size_t t = 0; t < n; t += BW_LANES) {
        lanes r = LOAD(y + t) - LOAD(mu + t);
        lanes wr = LOAD(w + t) * r;
        sum += wr * r;
        STORE(e + t, wr);
    }
    return add_lanes(&sum);
}
