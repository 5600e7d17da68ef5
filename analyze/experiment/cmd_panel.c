/* analyze/experiment/cmd_panel.c - `experiment switchback` and `experiment power`. */
#include "analyze/experiment/cmd_experiment.h"

#include "analyze/output.h"
#include "analyze/experiment/power.h"
#include "analyze/experiment/switchback.h"
#include "analyze/table.h"
#include "common/command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field {
    const char *key;
    double x;
};

static void put(cJSON *o, const struct field *f, size_t n) {
    for (size_t i = 0; i < n; i++)
        bw_json_number(o, f[i].key, f[i].x);
}

/* ---- switchback ---- */

static bw_status show_switchback(const bw_switchback *r, size_t lags, const char *metric, bool json,
                                 bw_err *err) {
    if (json) {
        const struct field fields[] = {{"effect", r->effect}, {"se", r->se}, {"lo", r->lo},
                                       {"hi", r->hi},         {"p", r->p},   {"naive", r->naive},
                                       {"n", (double)r->used}};
        cJSON *o = cJSON_CreateObject();
        put(o, fields, sizeof fields / sizeof *fields);
        cJSON *list = cJSON_AddArrayToObject(o, "lags");
        for (size_t l = 0; l <= lags; l++) {
            cJSON *p = cJSON_CreateObject();
            cJSON_AddNumberToObject(p, "lag", (double)l);
            bw_json_number(p, "effect", r->lag[l]);
            bw_json_number(p, "se", r->lag_se[l]);
            bw_json_number(p, "cumulative", r->sum[l]);
            bw_json_number(p, "cumulative_se", r->sum_se[l]);
            cJSON_AddItemToArray(list, p);
        }
        return bw_json_print(o, err);
    }
    printf("effect on %s of being on all the time   %s  (95 %% %s .. %s, p %s)\n", metric,
           bw_show(r->effect), bw_show(r->lo), bw_show(r->hi), bw_show_p(r->p));
    for (size_t l = 0; l <= lags; l++)
        printf("  %zu periods later   %s (standard error %s), together so far %s (%s)\n", l,
               bw_show(r->lag[l]), bw_show(r->lag_se[l]), bw_show(r->sum[l]),
               bw_show(r->sum_se[l]));
    printf("on minus off, carry-over ignored   %s\n", bw_show(r->naive));
    return BW_OK;
}

struct timed {
    double at;
    size_t row;
};

static int by_time(const void *a, const void *b) {
    const struct timed *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at)
                          : (x->row > y->row) - (x->row < y->row);
}

/* Puts both columns into the order of time. */
static bw_status order_by_time(const bw_table *t, const char *time, double *y, double *on,
                               bw_err *err) {
    size_t n = bw_table_rows(t);
    double *day;
    if (!time)
        return BW_OK;
    bw_status st = bw_table_days(t, time, &day, err);
    if (st != BW_OK)
        return st;
    struct timed *order = malloc(n * sizeof *order);
    double *copy = malloc(2 * n * sizeof *copy);
    if (order && copy) {
        for (size_t i = 0; i < n; i++)
            order[i] = (struct timed){day[i], i};
        qsort(order, n, sizeof *order, by_time);
        memcpy(copy, y, n * sizeof *y);
        memcpy(copy + n, on, n * sizeof *on);
        for (size_t i = 0; i < n; i++) {
            y[i] = copy[order[i].row];
            on[i] = copy[n + order[i].row];
        }
    } else {
        st = bw_fail_memory(err);
    }
    free(order);
    free(copy);
    free(day);
    return st;
}

bw_status bw_cmd_experiment_switchback(int argc, char **argv, bw_err *err) {
    const char *treated = NULL, *metric = NULL, *time = NULL;
    long lags = 2;
    bool json = false;
    const bw_option options[] = {
        {"treated", 0, BW_OPT_TEXT, &treated, "COLUMN", "1 in periods with the treatment"},
        {"metric", 'm', BW_OPT_TEXT, &metric, "COLUMN", "what it should change"},
        {"time", 0, BW_OPT_TEXT, &time, "COLUMN",
         "day or number of the period (default: the order of rows)"},
        {"lags", 0, BW_OPT_LONG, &lags, "N", "periods an effect may carry over (default 2)"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {
        "experiment switchback FILE --treated COLUMN --metric COLUMN [options]",
        "A treatment switched on and off over time: its effect, what it carries over counted in.",
        "  bellwether experiment switchback delivery.csv --treated d --metric minutes --lags 2\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !treated || !metric || lags < 0)
        return bw_fail(err, BW_EUSAGE,
                       "experiment switchback: wanted one FILE, --treated and --metric; see "
                       "'bellwether experiment switchback --help'");
    bw_table *t;
    double *y = NULL, *on = NULL;
    bw_switchback r;
    st = bw_table_load(argv[0], &t, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(t, metric, &y, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(t, treated, &on, err);
    if (st == BW_OK)
        st = order_by_time(t, time, y, on, err);
    if (st == BW_OK &&
        (st = bw_switchback_fit(y, on, bw_table_rows(t), (size_t)lags, &r, err)) != BW_OK)
        bw_fail_prefix(err, st, argv[0]);
    if (st == BW_OK)
        st = show_switchback(&r, (size_t)lags, metric, json, err);
    free(y);
    free(on);
    bw_table_free(t);
    return st;
}

/* ---- power ---- */

struct plan {
    double base, sd, effect, power, n, alpha, ratio, rows, icc, correlation;
    long arms;
    bool json;
};

static bw_status check_plan(const struct plan *p, bw_err *err) {
    bool rate = !isnan(p->base), money = !isnan(p->sd);
    if (rate == money)
        return bw_fail(
            err, BW_EUSAGE,
            "experiment power: give --rate (of the control) or --sd (of one row of money)");
    if (rate && (p->base <= 0 || p->base >= 1))
        return bw_fail(err, BW_EUSAGE, "--rate %g: wanted a number between 0 and 1", p->base);
    if (rate && !isnan(p->effect) && (p->base + p->effect <= 0 || p->base + p->effect >= 1))
        return bw_fail(err, BW_EUSAGE, "--effect %g takes the rate %g out of 0..1", p->effect,
                       p->base);
    if ((money && p->sd <= 0) || p->effect == 0 || p->power <= 0 || p->power >= 1 ||
        p->alpha <= 0 || p->alpha >= 1 || p->arms < 1 || p->ratio <= 0 || p->rows < 1 ||
        p->icc < 0 || p->icc > 1 || fabs(p->correlation) >= 1 || p->n <= 0)
        return bw_fail(
            err, BW_EUSAGE,
            "experiment power: an option is out of its range; see 'bellwether experiment "
            "power --help'");
    if (isnan(p->effect) && isnan(p->n))
        return bw_fail(
            err, BW_EUSAGE,
            "experiment power: give --effect (how many rows?), --n (what can be seen?), or "
            "both (how likely?)");
    return BW_OK;
}

static bw_status show_plan(const struct plan *p, bw_err *err) {
    bw_power_design d = {p->sd,    p->sd,   p->alpha, (double)p->arms,
                         p->ratio, p->rows, p->icc,   p->correlation};
    double n = p->n, effect = p->effect, power = p->power;
    if (!isnan(p->base))
        bw_power_rate(&d, p->base, isnan(effect) ? 0 : effect);
    if (isnan(n))
        n = bw_power_rows(&d, effect, power);
    else if (isnan(effect))
        effect = bw_power_effect(&d, n, power);
    else
        power = bw_power_of(&d, effect, n);
    double all = n + (double)p->arms * ceil(n * p->ratio);
    if (p->json) {
        const struct field fields[] = {{"n_control", n}, {"n_arm", ceil(n * p->ratio)},
                                       {"n_total", all}, {"effect", effect},
                                       {"power", power}, {"alpha", p->alpha}};
        cJSON *o = cJSON_CreateObject();
        put(o, fields, sizeof fields / sizeof *fields);
        return bw_json_print(o, err);
    }
    printf("rows in the control   %.0f\nrows in each arm      %.0f\nrows in all           "
           "%.0f\neffect                %s\n"
           "power                 %s\n",
           n, ceil(n * p->ratio), all, bw_show(effect), bw_show_share(power));
    return BW_OK;
}

bw_status bw_cmd_experiment_power(int argc, char **argv, bw_err *err) {
    struct plan p = {.base = NAN,
                     .sd = NAN,
                     .effect = NAN,
                     .power = 0.8,
                     .n = NAN,
                     .alpha = 0.05,
                     .ratio = 1,
                     .rows = 1,
                     .arms = 1};
    const bw_option options[] = {
        {"rate", 0, BW_OPT_REAL, &p.base, "SHARE", "rate of the control, for a rate"},
        {"sd", 0, BW_OPT_REAL, &p.sd, "X", "standard deviation of one row, for money"},
        {"effect", 0, BW_OPT_REAL, &p.effect, "X", "difference that should be found"},
        {"n", 0, BW_OPT_REAL, &p.n, "N", "rows in the control"},
        {"power", 0, BW_OPT_REAL, &p.power, "SHARE", "chance to find it (default 0.8)"},
        {"alpha", 0, BW_OPT_REAL, &p.alpha, "SHARE", "chance of a false alarm (default 0.05)"},
        {"arms", 0, BW_OPT_LONG, &p.arms, "N", "arms besides the control (default 1)"},
        {"ratio", 0, BW_OPT_REAL, &p.ratio, "X", "size of an arm over the control's (default 1)"},
        {"rows", 0, BW_OPT_REAL, &p.rows, "M", "rows a unit, when units are assigned (default 1)"},
        {"icc", 0, BW_OPT_REAL, &p.icc, "X", "correlation of the rows of a unit (default 0)"},
        {"correlation", 0, BW_OPT_REAL, &p.correlation, "X",
         "with a covariate known before (default 0)"},
        BW_OPTION_JSON(p.json),
        {0}};
    const bw_usage usage = {
        "experiment power (--rate SHARE | --sd X) [--effect X] [--n N] [options]",
        "How many rows a test needs, what effect a test of a given size can find, or how likely it "
        "finds one.",
        "  bellwether experiment power --rate 0.05 --effect 0.005\n"
        "  bellwether experiment power --sd 40 --n 20000 --arms 2\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st == BW_OK && argc > 0)
        st = bw_fail(err, BW_EUSAGE, "experiment power: '%s' is not expected here", argv[0]);
    if (st == BW_OK)
        st = check_plan(&p, err);
    return st == BW_OK ? show_plan(&p, err) : st;
}
