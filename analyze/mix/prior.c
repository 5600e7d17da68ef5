/* analyze/mix/prior.c - see prior.h. Distribution functions come from GSL. */
#include "analyze/mix/prior.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static double logistic(double q) {
    return q >= 0 ? 1.0 / (1.0 + exp(-q)) : exp(q) / (1.0 + exp(q));
}

/* log logistic(q) */
static double log_logistic(double q) {
    return q >= 0 ? -log1p(exp(-q)) : q - log1p(exp(q));
}

static double eval_positive(const bw_prior *p, double q, double *x, double *slope, double *dq) {
    double value = exp(q);
    *slope = value;
    *x = value;
    switch (p->kind) {
    case BW_PRIOR_LOGNORMAL: {
        double z = (q - p->a) / p->b;
        *dq = -z / p->b;
        return -0.5 * z * z;
    }
    case BW_PRIOR_GAMMA:
        *dq = p->a - p->b * value;
        return p->a * q - p->b * value;
    default: { /* half-normal, of either sign */
        double z = value / p->b;
        if (p->kind == BW_PRIOR_NEGATIVE)
            *x = *slope = -value;
        *dq = 1.0 - z * z;
        return q - 0.5 * z * z;
    }
    }
}

static double eval_interval(const bw_prior *p, double q, double *x, double *slope, double *dq) {
    double u = logistic(q), log_u = log_logistic(q), log_v = log_logistic(-q);
    if (p->kind == BW_PRIOR_BETA) {
        *x = u;
        *slope = u * (1.0 - u);
        *dq = p->a * (1.0 - u) - p->b * u;
        return p->a * log_u + p->b * log_v;
    }
    *x = p->lo + (p->hi - p->lo) * u;
    *slope = (p->hi - p->lo) * u * (1.0 - u);
    double z = (*x - p->a) / p->b;
    *dq = 1.0 - 2.0 * u - z / p->b * *slope;
    return log_u + log_v - 0.5 * z * z;
}

double bw_prior_eval(const bw_prior *p, double q, double *x, double *slope, double *dq) {
    switch (p->kind) {
    case BW_PRIOR_NORMAL: {
        double z = (q - p->a) / p->b;
        *x = q;
        *slope = 1.0;
        *dq = -z / p->b;
        return -0.5 * z * z;
    }
    case BW_PRIOR_LAPLACE:
        *x = q;
        *slope = 1.0;
        *dq = q > p->a ? -1.0 / p->b : q < p->a ? 1.0 / p->b : 0.0;
        return -fabs(q - p->a) / p->b;
    case BW_PRIOR_BETA:
    case BW_PRIOR_TRUNCATED:
        return eval_interval(p, q, x, slope, dq);
    default:
        return eval_positive(p, q, x, slope, dq);
    }
}

double bw_prior_natural(const bw_prior *p, double q) {
    double x, slope, dq;
    bw_prior_eval(p, q, &x, &slope, &dq);
    return x;
}

double bw_prior_free(const bw_prior *p, double x) {
    switch (p->kind) {
    case BW_PRIOR_NORMAL:
    case BW_PRIOR_LAPLACE:
        return x;
    case BW_PRIOR_BETA:
        return log(x / (1.0 - x));
    case BW_PRIOR_TRUNCATED:
        return log((x - p->lo) / (p->hi - x));
    case BW_PRIOR_NEGATIVE:
        return log(-x);
    default:
        return log(x);
    }
}

double bw_prior_centre(const bw_prior *p) {
    return bw_prior_quantile(p, 0.5);
}

double bw_prior_cdf(const bw_prior *p, double x) {
    switch (p->kind) {
    case BW_PRIOR_NORMAL:
        return gsl_cdf_ugaussian_P((x - p->a) / p->b);
    case BW_PRIOR_LAPLACE:
        return gsl_cdf_laplace_P(x - p->a, p->b);
    case BW_PRIOR_HALFNORMAL:
        return 2.0 * gsl_cdf_ugaussian_P(x / p->b) - 1.0;
    case BW_PRIOR_NEGATIVE:
        return 2.0 * gsl_cdf_ugaussian_P(x / p->b);
    case BW_PRIOR_LOGNORMAL:
        return gsl_cdf_lognormal_P(x, p->a, p->b);
    case BW_PRIOR_GAMMA:
        return gsl_cdf_gamma_P(x, p->a, 1.0 / p->b);
    case BW_PRIOR_BETA:
        return gsl_cdf_beta_P(x, p->a, p->b);
    case BW_PRIOR_TRUNCATED: {
        double low = gsl_cdf_ugaussian_P((p->lo - p->a) / p->b);
        double high = gsl_cdf_ugaussian_P((p->hi - p->a) / p->b);
        return (gsl_cdf_ugaussian_P((x - p->a) / p->b) - low) / (high - low);
    }
    }
    return NAN;
}

double bw_prior_quantile(const bw_prior *p, double u) {
    switch (p->kind) {
    case BW_PRIOR_NORMAL:
        return p->a + p->b * gsl_cdf_ugaussian_Pinv(u);
    case BW_PRIOR_LAPLACE:
        return p->a + gsl_cdf_laplace_Pinv(u, p->b);
    case BW_PRIOR_HALFNORMAL:
        return p->b * gsl_cdf_ugaussian_Pinv(0.5 + 0.5 * u);
    case BW_PRIOR_NEGATIVE:
        return p->b * gsl_cdf_ugaussian_Pinv(0.5 * u);
    case BW_PRIOR_LOGNORMAL:
        return exp(p->a + p->b * gsl_cdf_ugaussian_Pinv(u));
    case BW_PRIOR_GAMMA:
        return gsl_cdf_gamma_Pinv(u, p->a, 1.0 / p->b);
    case BW_PRIOR_BETA:
        return gsl_cdf_beta_Pinv(u, p->a, p->b);
    case BW_PRIOR_TRUNCATED: {
        double low = gsl_cdf_ugaussian_P((p->lo - p->a) / p->b);
        double high = gsl_cdf_ugaussian_P((p->hi - p->a) / p->b);
        return p->a + p->b * gsl_cdf_ugaussian_Pinv(low + u * (high - low));
    }
    }
    return NAN;
}

bw_prior bw_prior_widened(bw_prior p, double factor) {
    if (p.kind == BW_PRIOR_GAMMA) { /* mean a/b kept, sd multiplied */
        p.a /= factor * factor;
        p.b /= factor * factor;
    } else if (p.kind == BW_PRIOR_BETA) { /* mean kept; the sd is about 1/sqrt(a + b) */
        p.a /= factor * factor;
        p.b /= factor * factor;
    } else {
        p.b *= factor;
    }
    return p;
}
