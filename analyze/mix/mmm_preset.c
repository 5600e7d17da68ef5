/* analyze/mix/mmm_preset.c - the published defaults of two well-known tools, and our own.
 *
 * pymc: PyMC-Marketing, MMM with GeometricAdstock(l_max 8) and LogisticSaturation: outcome and media
 * divided by their maxima, alpha ~ Beta(1, 3), lam ~ Gamma(3, 1), beta ~ HalfNormal(2), intercept ~
 * Normal(0, 2), control ~ Normal(0, 2), season ~ Laplace(0, 1), two Fourier pairs as in its example,
 * sigma ~ HalfNormal(2).
 *
 * meridian: Meridian ModelSpec: outcome centred to unit sd, media by the median of non-zero values,
 * ROI ~ LogNormal(0.2, 0.9), alpha ~ Uniform(0, 1), ec ~ TruncatedNormal(0.8, 0.8; 0.1, 10) with slope
 * 1, knots, tau and controls ~ Normal(0, 5), eta, xi ~ HalfNormal (1 and 5), sigma ~ HalfNormal(5),
 * lags 0..8; one knot for a nation, one a period over geos.
 *
 * bellwether: outcome by its mean and media by their mean non-zero value, so that every prior below is
 * free of units. The prior median of each ROAS is the same, and such that all media together earn a
 * fifth of the outcome; a log sd of 1 lets each be five times less or more. Carry-over a week ~
 * Beta(2, 3): 0.1 to 0.75. The baseline wanders around trend and season by up to 15 %. At mean spend the logistic is at 0.15 to 0.75 of its ceiling. */
#include "analyze/mix/mmm_model.h"

#include <string.h>

#define NORMAL(m, s) \
    { BW_PRIOR_NORMAL, m, s, 0, 0 }
#define LAPLACE(m, s) \
    { BW_PRIOR_LAPLACE, m, s, 0, 0 }
#define HALFNORMAL(s) \
    { BW_PRIOR_HALFNORMAL, 0, s, 0, 0 }
#define LOGNORMAL(m, s) \
    { BW_PRIOR_LOGNORMAL, m, s, 0, 0 }
#define GAMMA(k, r) \
    { BW_PRIOR_GAMMA, k, r, 0, 0 }
#define BETA(a, b) \
    { BW_PRIOR_BETA, a, b, 0, 0 }
#define TRUNCATED(m, s, lo, hi) \
    { BW_PRIOR_TRUNCATED, m, s, lo, hi }

static const bw_mmm_spec PRESETS[] = {
    {.preset = "bellwether",
     .adstock = BW_ADSTOCK_GEOMETRIC,
     .saturation = BW_SATURATION_LOGISTIC,
     .normalise = true,
     .lags = 13,
     .trend = true,
     .fourier = -1,
     .knots = -1,
     .knots_pooled = false,
     .effect = BW_EFFECT_ROAS,
     .media_share = 0.2,
     .outcome_scale = BW_SCALE_MEAN,
     .media_scale = BW_MEDIA_MEAN,
     .standardise = true,
     .beta = HALFNORMAL(1),
     .roas = LOGNORMAL(0, 1),
     .share = LOGNORMAL(-4, 1),
     .carry = BETA(2, 3),
     .theta = HALFNORMAL(2),
     .weibull_shape = LOGNORMAL(0.3, 0.5),
     .weibull_scale = LOGNORMAL(0.5, 0.7),
     .logistic = LOGNORMAL(0, 0.7),
     .half = LOGNORMAL(0.5, 0.7),
     .slope = LOGNORMAL(0.2, 0.4),
     .tanh_c = LOGNORMAL(0.5, 0.7),
     .power = BETA(4, 2),
     .intercept = NORMAL(0.8, 0.4),
     .trend_slope = NORMAL(0, 0.4),
     .season = NORMAL(0, 0.2),
     .event = NORMAL(0, 0.4),
     .control = NORMAL(0, 0.15),
     .knot = NORMAL(0, 0.08),
     .kappa = LOGNORMAL(-3, 0.7),
     .tau = NORMAL(0, 0.4),
     .eta = HALFNORMAL(0.4),
     .xi = HALFNORMAL(0.1),
     .sigma = HALFNORMAL(0.3),
     .nu = GAMMA(2, 0.1)},
    {.preset = "pymc",
     .adstock = BW_ADSTOCK_GEOMETRIC,
     .saturation = BW_SATURATION_LOGISTIC,
     .normalise = true,
     .lags = 8,
     .fourier = 2,
     .effect = BW_EFFECT_BETA,
     .outcome_scale = BW_SCALE_MAX,
     .media_scale = BW_MEDIA_MAX,
     .beta = HALFNORMAL(2),
     .roas = LOGNORMAL(0, 1),
     .share = BETA(1, 99),
     .carry = BETA(1, 3),
     .theta = HALFNORMAL(1),
     .weibull_shape = HALFNORMAL(1),
     .weibull_scale = HALFNORMAL(1),
     .logistic = GAMMA(3, 1),
     .half = HALFNORMAL(1.5),
     .slope = HALFNORMAL(1.5),
     .tanh_c = HALFNORMAL(1),
     .power = BETA(1, 2),
     .intercept = NORMAL(0, 2),
     .trend_slope = NORMAL(0, 2),
     .season = LAPLACE(0, 1),
     .event = NORMAL(0, 2),
     .control = NORMAL(0, 2),
     .knot = NORMAL(0, 1),
     .kappa = HALFNORMAL(1),
     .tau = NORMAL(0, 2),
     .eta = HALFNORMAL(1),
     .xi = HALFNORMAL(1),
     .sigma = HALFNORMAL(2),
     .nu = GAMMA(2, 0.1)},
    {.preset = "meridian",
     .adstock = BW_ADSTOCK_GEOMETRIC,
     .saturation = BW_SATURATION_MICHAELIS,
     .normalise = true,
     .lags = 9,
     .knots = -2,
     .effect = BW_EFFECT_ROAS,
     .outcome_scale = BW_SCALE_SD,
     .media_scale = BW_MEDIA_MEDIAN,
     .standardise = true,
     .beta = HALFNORMAL(5),
     .roas = LOGNORMAL(0.2, 0.9),
     .share = BETA(1, 99),
     .carry = BETA(1, 1),
     .theta = HALFNORMAL(1),
     .weibull_shape = HALFNORMAL(1),
     .weibull_scale = HALFNORMAL(1),
     .logistic = GAMMA(3, 1),
     .half = TRUNCATED(0.8, 0.8, 0.1, 10),
     .slope = LOGNORMAL(0.7, 0.4),
     .tanh_c = HALFNORMAL(1),
     .power = BETA(1, 2),
     .intercept = NORMAL(0, 5),
     .trend_slope = NORMAL(0, 5),
     .season = NORMAL(0, 5),
     .event = NORMAL(0, 5),
     .control = NORMAL(0, 5),
     .knot = NORMAL(0, 5),
     .kappa = HALFNORMAL(1),
     .tau = NORMAL(0, 5),
     .eta = HALFNORMAL(1),
     .xi = HALFNORMAL(5),
     .sigma = HALFNORMAL(5),
     .nu = GAMMA(2, 0.1)},
};

bw_status bw_mmm_preset(const char *name, bw_mmm_spec *spec, bw_err *err) {
    for (size_t i = 0; i < sizeof PRESETS / sizeof *PRESETS; i++)
        if (strcmp(PRESETS[i].preset, name) == 0) {
            *spec = PRESETS[i];
            return BW_OK;
        }
    return bw_fail(err, BW_EARG, "there is no preset '%s'; use bellwether, pymc or meridian", name);
}
