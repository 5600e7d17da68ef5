/* analyze/mix/fit_spec.c - from the command's options to the model's choices, and to the canonical JSON by
 * which a run is found again. */
#include "analyze/mix/fit_internal.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bw_fit_options bw_fit_defaults(void) {
    return (bw_fit_options){.engine = "nuts",
                            .preset = "bellwether",
                            .knots = LONG_MIN,
                            .fourier = LONG_MIN,
                            .seed = 1,
                            .chains = 4,
                            .draws = 1000,
                            .warmup = 400};
}

/* The first entry of "geometric,tv=weibull" that names no channel; the list itself serves channels. */
static bool general_entry(const char *list, char *out, size_t size) {
    for (const char *at = list; *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : at + strlen(at)) {
        size_t len = strcspn(at, ",");
        if (!memchr(at, '=', len)) {
            snprintf(out, size, "%.*s", (int)len, at);
            return true;
        }
    }
    return false;
}

/* Every NAME= of a list must be a channel: a misspelt one would be ignored without a word. */
static bw_status check_channels(const char *option, const char *list, const bw_mmm_data *d,
                                bw_err *err) {
    for (const char *at = list; at && *at;
         at = strchr(at, ',') ? strchr(at, ',') + 1 : at + strlen(at)) {
        size_t len = strcspn(at, "=,"), c = 0;
        if (at[len] != '=')
            continue;
        while (c < d->n_channel &&
               (strlen(d->channel[c]) != len || strncmp(d->channel[c], at, len) != 0))
            c++;
        if (c == d->n_channel)
            return bw_fail(err, BW_EARG, "--%s: there is no channel '%.*s'", option, (int)len, at);
    }
    return BW_OK;
}

static bw_status choose_forms(const bw_fit_options *o, bw_mmm_spec *spec, bw_err *err) {
    char name[32];
    if (o->adstock && general_entry(o->adstock, name, sizeof name) &&
        !bw_adstock_named(name, &spec->adstock))
        return bw_fail(err, BW_EARG,
                       "--adstock: '%s' is not one of geometric, delayed, binomial, weibull, "
                       "weibull_cdf, none",
                       name);
    if (o->saturation && general_entry(o->saturation, name, sizeof name) &&
        !bw_saturation_named(name, &spec->saturation))
        return bw_fail(err, BW_EARG,
                       "--saturation: '%s' is not one of logistic, hill, michaelis, tanh, root, "
                       "none",
                       name);
    spec->adstock_of = o->adstock;
    spec->saturation_of = o->saturation;
    spec->roas_of = o->roas;
    return BW_OK;
}

static bw_status choose_priors(const bw_fit_options *o, bw_mmm_spec *spec, bw_err *err) {
    if (o->prior_on && strcmp(o->prior_on, "roas") == 0)
        spec->effect = BW_EFFECT_ROAS;
    else if (o->prior_on && strcmp(o->prior_on, "beta") == 0)
        spec->effect = BW_EFFECT_BETA;
    else if (o->prior_on && strcmp(o->prior_on, "contribution") == 0)
        spec->effect = BW_EFFECT_SHARE;
    else if (o->prior_on)
        return bw_fail(err, BW_EARG, "--prior-on: '%s' is not one of roas, beta, contribution",
                       o->prior_on);
    if (o->likelihood && strcmp(o->likelihood, "student") != 0 &&
        strcmp(o->likelihood, "normal") != 0)
        return bw_fail(err, BW_EARG, "--likelihood: '%s' is neither normal nor student",
                       o->likelihood);
    if (o->likelihood)
        spec->student = strcmp(o->likelihood, "student") == 0;
    return BW_OK;
}

bw_status fit_spec(const bw_fit_options *o, const bw_mmm_data *d, bw_mmm_spec *spec, bw_err *err) {
    bw_status st = bw_mmm_preset(o->preset, spec, err);
    if (st == BW_OK)
        st = choose_forms(o, spec, err);
    if (st == BW_OK)
        st = check_channels("adstock", o->adstock, d, err);
    if (st == BW_OK)
        st = check_channels("saturation", o->saturation, d, err);
    if (st == BW_OK)
        st = check_channels("roas", o->roas, d, err);
    if (st == BW_OK)
        st = choose_priors(o, spec, err);
    if (st != BW_OK)
        return st;
    if (o->knots != LONG_MIN)
        spec->knots = (int)o->knots;
    if (o->fourier != LONG_MIN)
        spec->fourier = (int)o->fourier;
    if (d->period_days ==
        1) /* four weeks of days reach where thirteen weeks of weeks matter less */
        spec->lags = 28;
    if (spec->lags > d->n_time)
        spec->lags = d->n_time;
    return BW_OK;
}

/* ---- options as JSON ---- */

static const struct text_option {
    const char *key;
    size_t at;
} TEXTS[] = {
    {"engine", offsetof(bw_fit_options, engine)},
    {"preset", offsetof(bw_fit_options, preset)},
    {"adstock", offsetof(bw_fit_options, adstock)},
    {"saturation", offsetof(bw_fit_options, saturation)},
    {"prior_on", offsetof(bw_fit_options, prior_on)},
    {"roas", offsetof(bw_fit_options, roas)},
    {"likelihood", offsetof(bw_fit_options, likelihood)},
    {"signs", offsetof(bw_fit_options, load.signs)},
    {"without", offsetof(bw_fit_options, load.without)},
    {"first_day", offsetof(bw_fit_options, load.first_day)},
    {"last_day", offsetof(bw_fit_options, load.last_day)},
};
static const struct {
    const char *key;
    size_t at;
} NUMBERS[] = {
    {"knots", offsetof(bw_fit_options, knots)}, {"fourier", offsetof(bw_fit_options, fourier)},
    {"seed", offsetof(bw_fit_options, seed)},   {"chains", offsetof(bw_fit_options, chains)},
    {"draws", offsetof(bw_fit_options, draws)}, {"warmup", offsetof(bw_fit_options, warmup)},
};
static const struct {
    const char *key;
    size_t at;
} FLAGS[] = {
    {"dense", offsetof(bw_fit_options, dense)},
    {"diagonal", offsetof(bw_fit_options, diagonal)},
    {"quick", offsetof(bw_fit_options, quick)},
    {"daily", offsetof(bw_fit_options, load.daily)},
    {"national", offsetof(bw_fit_options, load.national)},
    {"exposure", offsetof(bw_fit_options, load.exposure)},
};
#define COUNT(table)       (sizeof(table) / sizeof *(table))
#define FIELD(type, o, at) ((type *)((char *)(o) + (at)))

char *fit_options_text(const bw_fit_options *given) {
    bw_fit_options copy = *given, *o = &copy;
    cJSON *j = cJSON_CreateObject();
    for (size_t i = 0; i < COUNT(TEXTS); i++)
        if (*FIELD(const char *, o, TEXTS[i].at))
            cJSON_AddStringToObject(j, TEXTS[i].key, *FIELD(const char *, o, TEXTS[i].at));
    for (size_t i = 0; i < COUNT(NUMBERS); i++)
        if (*FIELD(long, o, NUMBERS[i].at) != LONG_MIN)
            cJSON_AddNumberToObject(j, NUMBERS[i].key, (double)*FIELD(long, o, NUMBERS[i].at));
    for (size_t i = 0; i < COUNT(FLAGS); i++)
        if (*FIELD(bool, o, FLAGS[i].at))
            cJSON_AddTrueToObject(j, FLAGS[i].key);
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return text;
}

/* The texts that options point to are kept, NUL after NUL, in one block. */
static char *keep_text(char **end, const char *text) {
    char *at = *end;
    size_t n = strlen(text) + 1;
    memcpy(at, text, n);
    *end += n;
    return at;
}

bw_status fit_options_parse(const char *text, bw_fit_options *o, char **keep, bw_err *err) {
    cJSON *j = cJSON_Parse(text);
    *keep = malloc(strlen(text) + 1);
    if (!j || !*keep) {
        cJSON_Delete(j);
        return bw_fail(err, BW_EDATA,
                       "the stored options of the fit cannot be read; run 'bellwether fit' again");
    }
    *o = bw_fit_defaults();
    char *end = *keep;
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        const cJSON *v = cJSON_GetObjectItem(j, TEXTS[i].key);
        if (cJSON_IsString(v))
            *FIELD(const char *, o, TEXTS[i].at) = keep_text(&end, v->valuestring);
    }
    for (size_t i = 0; i < COUNT(NUMBERS); i++) {
        const cJSON *v = cJSON_GetObjectItem(j, NUMBERS[i].key);
        if (cJSON_IsNumber(v))
            *FIELD(long, o, NUMBERS[i].at) = (long)v->valuedouble;
    }
    for (size_t i = 0; i < COUNT(FLAGS); i++)
        *FIELD(bool, o, FLAGS[i].at) = cJSON_IsTrue(cJSON_GetObjectItem(j, FLAGS[i].key));
    cJSON_Delete(j);
    return BW_OK;
}
