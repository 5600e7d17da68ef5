/* analyze/mix/mmm_transform.c - the media transforms: adstock weights with their Jacobian, saturations with
 * their gradients. Forms with a scale inside (a / half, k a) leave the effect its own parameter. */
#include "analyze/mix/mmm_model.h"

#include <math.h>
#include <string.h>

static const char *const ADSTOCKS[] = {"none",     "geometric", "delayed",
                                       "binomial", "weibull",   "weibull_cdf"};
static const char *const SATURATIONS[] = {"none", "logistic", "hill", "michaelis", "tanh", "root"};

static bool find(const char *const *names, size_t n, const char *name, size_t *at) {
    for (*at = 0; *at < n; ++*at)
        if (strcmp(names[*at], name) == 0)
            return true;
    return false;
}

bool bw_adstock_named(const char *name, bw_adstock *out) {
    size_t i;
    bool known = find(ADSTOCKS, sizeof ADSTOCKS / sizeof *ADSTOCKS, name, &i);
    if (known)
        *out = (bw_adstock)i;
    return known;
}

bool bw_saturation_named(const char *name, bw_saturation *out) {
    size_t i;
    bool known = find(SATURATIONS, sizeof SATURATIONS / sizeof *SATURATIONS, name, &i);
    if (known)
        *out = (bw_saturation)i;
    return known;
}

const char *bw_adstock_name(bw_adstock a) {
    return ADSTOCKS[a];
}

const char *bw_saturation_name(bw_saturation s) {
    return SATURATIONS[s];
}

size_t adstock_params(bw_adstock kind) {
    switch (kind) {
    case BW_ADSTOCK_NONE:
        return 0;
    case BW_ADSTOCK_GEOMETRIC:
    case BW_ADSTOCK_BINOMIAL:
        return 1;
    default:
        return 2;
    }
}

size_t saturation_params(bw_saturation kind) {
    switch (kind) {
    case BW_SATURATION_NONE:
        return 0;
    case BW_SATURATION_HILL:
        return 2;
    default:
        return 1;
    }
}

/* Weight of lag l (weeks u = l * step) before normalising, and its derivatives. */
static double raw_weight(bw_adstock kind, const double *par, double u, double end, double *d1,
                         double *d2) {
    double p = par[0], w;
    *d1 = *d2 = 0.0;
    switch (kind) {
    case BW_ADSTOCK_DELAYED: {
        double d = u - par[1];
        w = pow(p, d * d);
        *d1 = w * d * d / p;
        *d2 = -2.0 * d * log(p) * w;
        return w;
    }
    case BW_ADSTOCK_BINOMIAL: {
        double log_base = log1p(-u / end);
        w = exp((1.0 / p - 1.0) * log_base);
        *d1 = -w * log_base / (p * p);
        return w;
    }
    case BW_ADSTOCK_WEIBULL: { /* par: shape k, scale s */
        double k = p, s = par[1], ratio = (u + 1.0) / s, power = pow(ratio, k),
               log_ratio = log(ratio);
        w = k / s * power / ratio * exp(-power);
        *d1 = w * (1.0 / k + log_ratio * (1.0 - power));
        *d2 = w * k / s * (power - 1.0);
        return w;
    }
    default:
        return 1.0;
    }
}

/* w_l = exp(-sum_{j=1..l} (j / s)^k), the running product of Robyn and PyMC-Marketing. */
static void weibull_cdf(const double *par, double step, size_t lags, double *w, double *d1,
                        double *d2) {
    double sum = 0, dk = 0, ds = 0;
    for (size_t l = 0; l < lags; l++) {
        if (l > 0) {
            double ratio = (double)l * step / par[1], power = pow(ratio, par[0]);
            sum += power;
            dk += power * log(ratio);
            ds += -par[0] / par[1] * power;
        }
        w[l] = exp(-sum);
        d1[l] = -w[l] * dk;
        d2[l] = -w[l] * ds;
    }
}

/* w_l = p^(step l), by running product. */
static void geometric(double p, double step, size_t lags, double *w, double *d1) {
    double ratio = step == 1.0 ? p : pow(p, step);
    w[0] = 1.0;
    d1[0] = 0.0;
    for (size_t l = 1; l < lags; l++) {
        w[l] = w[l - 1] * ratio;
        d1[l] = (double)l * step * w[l] / p;
    }
}

static void normalise_weights(size_t lags, double *w, double *d1, double *d2) {
    double sum = 0, sum1 = 0, sum2 = 0;
    for (size_t l = 0; l < lags; l++) {
        sum += w[l];
        sum1 += d1[l];
        sum2 += d2[l];
    }
    for (size_t l = 0; l < lags; l++) {
        w[l] /= sum;
        d1[l] = (d1[l] - w[l] * sum1) / sum;
        d2[l] = (d2[l] - w[l] * sum2) / sum;
    }
}

void adstock_weights(bw_adstock kind, bool normalise, double step, const double *par, size_t lags,
                     double *w, double *d1, double *d2) {
    if (kind == BW_ADSTOCK_NONE) {
        memset(w, 0, lags * sizeof *w);
        memset(d1, 0, lags * sizeof *d1);
        memset(d2, 0, lags * sizeof *d2);
        w[0] = 1.0;
        return;
    }
    if (kind == BW_ADSTOCK_GEOMETRIC) {
        geometric(par[0], step, lags, w, d1);
        memset(d2, 0, lags * sizeof *d2);
    } else if (kind == BW_ADSTOCK_WEIBULL_CDF)
        weibull_cdf(par, step, lags, w, d1, d2);
    else
        for (size_t l = 0; l < lags; l++)
            w[l] = raw_weight(kind, par, (double)l * step, (double)lags * step, &d1[l], &d2[l]);
    if (normalise)
        normalise_weights(lags, w, d1, d2);
}

void saturate(bw_saturation kind, const double *par, const double *a, double *s, size_t n) {
    switch (kind) {
    case BW_SATURATION_NONE:
        memcpy(s, a, n * sizeof *s);
        break;
    case BW_SATURATION_LOGISTIC:
        bw_k_tanh(s, a, par[0], n);
        break;
    case BW_SATURATION_TANH:
        bw_k_tanh(s, a, 2.0 / par[0], n);
        break;
    case BW_SATURATION_HILL:
        bw_k_hill(s, a, par[0], par[1], n);
        break;
    case BW_SATURATION_MICHAELIS:
        bw_k_michaelis(s, a, par[0], n);
        break;
    case BW_SATURATION_ROOT:
        bw_k_power(s, a, par[0], n);
        break;
    }
}

void saturate_back(bw_saturation kind, const double *par, const double *a, const double *s,
                   double *g, double *gpar, size_t n) {
    switch (kind) {
    case BW_SATURATION_NONE:
        break;
    case BW_SATURATION_LOGISTIC:
        gpar[0] += bw_k_tanh_back(g, s, a, par[0], n);
        break;
    case BW_SATURATION_TANH: {
        double k = 2.0 / par[0];
        gpar[0] -= bw_k_tanh_back(g, s, a, k, n) * k / par[0];
        break;
    }
    case BW_SATURATION_HILL:
        gpar[0] += bw_k_hill_back(g, s, a, par[0], par[1], &gpar[1], n);
        break;
    case BW_SATURATION_MICHAELIS:
        gpar[0] += bw_k_michaelis_back(g, s, par[0], n);
        break;
    case BW_SATURATION_ROOT:
        gpar[0] += bw_k_power_back(g, s, a, par[0], n);
        break;
    }
}

double bw_saturation_value(bw_saturation kind, double a, double scale, double shape,
                           double *slope) {
    double floor = a > BW_SMALLEST ? a : BW_SMALLEST, s;
    switch (kind) {
    case BW_SATURATION_LOGISTIC:
        s = tanh(0.5 * scale * a);
        *slope = 0.5 * scale * (1.0 - s * s);
        return s;
    case BW_SATURATION_TANH:
        s = tanh(a / scale);
        *slope = (1.0 - s * s) / scale;
        return s;
    case BW_SATURATION_MICHAELIS:
        s = a / (scale + a);
        *slope = (1.0 - s) * (1.0 - s) / scale;
        return s;
    case BW_SATURATION_HILL:
        s = 1.0 / (1.0 + pow(floor / scale, -shape));
        *slope = shape * s * (1.0 - s) / floor;
        return s;
    case BW_SATURATION_ROOT:
        s = pow(floor, scale);
        *slope = scale * s / floor;
        return s;
    default:
        *slope = 1.0;
        return a;
    }
}
