/* analyze/experiment/power.c - sample size, power and least detectable effect. */
#include "analyze/experiment/power.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

void bw_power_rate(bw_power_design *d, double base, double effect) {
    double p = base + effect;
    d->sd = sqrt(base * (1 - base));
    d->sd_treated = p > 0 && p < 1 ? sqrt(p * (1 - p)) : d->sd;
}

/* Variance of the difference times the control's rows. */
static double variance(const bw_power_design *d) {
    double inflate = (1 + (d->rows - 1) * d->icc) * (1 - d->correlation * d->correlation);
    return inflate * (d->sd * d->sd + d->sd_treated * d->sd_treated / d->ratio);
}

static double critical(const bw_power_design *d) {
    return gsl_cdf_ugaussian_Qinv(d->alpha / d->arms / 2);
}

double bw_power_rows(const bw_power_design *d, double effect, double power) {
    double z = critical(d) + gsl_cdf_ugaussian_Pinv(power);
    return ceil(variance(d) * z * z / (effect * effect));
}

double bw_power_of(const bw_power_design *d, double effect, double n) {
    double shift = fabs(effect) / sqrt(variance(d) / n), c = critical(d);
    return gsl_cdf_ugaussian_Q(c - shift) + gsl_cdf_ugaussian_P(-c - shift);
}

double bw_power_effect(const bw_power_design *d, double n, double power) {
    return (critical(d) + gsl_cdf_ugaussian_Pinv(power)) * sqrt(variance(d) / n);
}
