/* analyze/experiment/cmd_impact.c - `experiment impact FILE`: what a start changed, against what the controls say. */
#include "analyze/experiment/cmd_experiment.h"

#include "analyze/experiment/bsts.h"
#include "analyze/experiment/save.h"
#include "analyze/output.h"
#include "analyze/table.h"
#include "common/command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define Z95           1.959964 /* half width of a 95 % interval in standard deviations */
#define SEED          7u
#define CONTROLS_MAX  60u
#define PLACEBO_ALARM 0.05
#define DRIFT_ALARM   0.3 /* autocorrelation of what the fit leaves, above its noise */
#define AFTER_SHARE   1.0 /* longer after than before: the counterfactual is far from what was seen */

struct job {
    const char *file, *time, *metric, *controls, *start, *from, *until;
    bw_experiment_target save;
    double level_sd;
    long season;
    bool json;
    bw_table *table;
    const char *name[CONTROLS_MAX];
    size_t k, n, *row, begin; /* row: rows in the order of time, from..until */
    char *copy;
    double *day, *all_y, *y, *x;
    bw_impact r;
    bw_notes notes;
};

static int compare_days(const void *a, const void *b, void *arg) {
    const double *day = arg, x = day[*(const size_t *)a], y = day[*(const size_t *)b];
    return x != y ? (x > y) - (x < y) : 0;
}

/* A day, or the number of a period or row. */
static bw_status parse_time(const struct job *j, const char *option, const char *text, double *out,
                            bw_err *err) {
    char *end;
    if (j->time && bw_day_read(text, out))
        return BW_OK;
    *out = strtod(text, &end);
    if (*text && !*end && isfinite(*out))
        return BW_OK;
    return bw_fail(err, BW_EUSAGE, "--%s %s: wanted a day YYYY-MM-DD%s", option, text,
                   j->time ? " or the number of a period" : "; without --time the number of a row");
}

static bw_status read_times(struct job *j, bw_err *err) {
    size_t rows = bw_table_rows(j->table);
    if (j->time)
        return bw_table_days(j->table, j->time, &j->day, err);
    j->day = malloc(rows * sizeof *j->day);
    if (!j->day)
        return bw_fail_memory(err);
    for (size_t i = 0; i < rows; i++)
        j->day[i] = (double)i + 1;
    return BW_OK;
}

static bw_status select_rows(struct job *j, bw_err *err) {
    size_t rows = bw_table_rows(j->table);
    double from = -INFINITY, until = INFINITY, start;
    bw_status st = parse_time(j, "start", j->start, &start, err);
    if (st == BW_OK && j->from)
        st = parse_time(j, "from", j->from, &from, err);
    if (st == BW_OK && j->until)
        st = parse_time(j, "until", j->until, &until, err);
    j->row = malloc(rows * sizeof *j->row);
    if (st == BW_OK && !j->row)
        st = bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < rows; i++)
        if (j->day[i] >= from && j->day[i] <= until)
            j->row[j->n++] = i;
    if (st != BW_OK)
        return st;
    qsort_r(j->row, j->n, sizeof *j->row, compare_days, j->day);
    while (j->begin < j->n && j->day[j->row[j->begin]] < start)
        j->begin++;
    for (size_t i = 1; i < j->n; i++)
        if (j->day[j->row[i]] == j->day[j->row[i - 1]])
            return bw_fail(err, BW_EDATA,
                           "%s: lines %zu and %zu have the same %s; add rows of one time up first "
                           "(several units: 'experiment did' or 'experiment synth')",
                           j->file, j->row[i - 1] + 2, j->row[i] + 2, j->time);
    return BW_OK;
}

static bw_status read_controls(struct job *j, bw_err *err) {
    j->x = malloc((j->n * j->k + 1) * sizeof *j->x);
    if (!j->x)
        return bw_fail_memory(err);
    for (size_t c = 0; c < j->k; c++) {
        double *column;
        bw_status st = bw_table_full_numbers(j->table, j->name[c], &column, err);
        if (st != BW_OK)
            return st;
        for (size_t i = 0; i < j->n; i++)
            j->x[i * j->k + c] = column[j->row[i]];
        free(column);
    }
    return BW_OK;
}

static bw_status load(struct job *j, bw_err *err) {
    bw_status st = bw_table_load(j->file, &j->table, err);
    if (st == BW_OK)
        st = bw_split_names(j->controls, j->name, CONTROLS_MAX, &j->k, &j->copy, err);
    for (size_t c = 0; st == BW_OK && c < j->k; c++)
        if (strcmp(j->name[c], j->metric) == 0)
            st = bw_fail(err, BW_EUSAGE, "--controls: '%s' is the metric itself", j->metric);
    if (st == BW_OK)
        st = read_times(j, err);
    if (st == BW_OK)
        st = bw_table_numbers(j->table, j->metric, &j->all_y, err);
    if (st == BW_OK)
        st = select_rows(j, err);
    if (st == BW_OK)
        st = read_controls(j, err);
    if (st != BW_OK)
        return st;
    j->y = malloc((j->n + 1) * sizeof *j->y);
    if (!j->y)
        return bw_fail_memory(err);
    for (size_t i = 0; i < j->n; i++)
        j->y[i] = j->all_y[j->row[i]];
    return BW_OK;
}

/* Periods that a day or number column leaves out, by its most common step. */
static size_t gaps(const struct job *j) {
    double step = INFINITY, missing = 0;
    for (size_t i = 1; i < j->n; i++)
        step = fmin(step, j->day[j->row[i]] - j->day[j->row[i - 1]]);
    for (size_t i = 1; i < j->n; i++)
        missing += floor((j->day[j->row[i]] - j->day[j->row[i - 1]]) / step + 0.01) - 1;
    return step >= 28 || !isfinite(missing) ? 0 : (size_t)missing; /* months differ in length */
}

static void add_notes(struct job *j) {
    const bw_impact *r = &j->r;
    size_t missing = 0;
    for (size_t i = 0; i < j->n; i++)
        missing += isnan(j->y[i]) ? 1 : 0;
    if (missing)
        bw_note(&j->notes, "%zu periods without a value are left out of the sums", missing);
    if (r->periods == 1)
        bw_note(&j->notes, "one period after the start: whether the effect lasts cannot be said");
    if ((double)r->periods > AFTER_SHARE * (double)j->begin)
        bw_note(&j->notes, "more periods after the start than before it: what would have happened "
                           "is a long guess");
    if (!j->k)
        bw_note(&j->notes,
                "no controls: anything else that changed at the start counts as its effect");
    if (r->constant)
        bw_note(&j->notes, "%zu of the controls do not vary before the start and are left out",
                r->constant);
    if (gaps(j))
        bw_note(
            &j->notes,
            "%zu periods are missing between the first and the last: neighbours in the file are "
            "taken as neighbours in time",
            gaps(j));
    if (r->autocorrelation > DRIFT_ALARM + 1 / sqrt((double)j->begin))
        bw_note(&j->notes,
                "what the fit leaves before the start goes on from period to period (correlation "
                "%.2f): the level drifts faster than its prior allows and the interval is too "
                "narrow; try --level-sd 0.1, or --season, or better controls",
                r->autocorrelation);
    if (r->placebo_p < PLACEBO_ALARM)
        bw_note(
            &j->notes,
            "the same method finds an effect where nothing happened (p %.3f in the last third of "
            "the time before): do not trust it here",
            r->placebo_p);
}

static void put_range(cJSON *o, const char *key, const bw_range *r) {
    cJSON *p = cJSON_AddObjectToObject(o, key);
    bw_json_number(p, "effect", r->mean);
    bw_json_number(p, "lo", r->lo);
    bw_json_number(p, "hi", r->hi);
}

static void label(const struct job *j, size_t i, char out[24]) {
    size_t c = 0;
    if (j->time && bw_table_find(j->table, j->time, &c, NULL) == BW_OK)
        snprintf(out, 24, "%.20s", bw_table_text(j->table, j->row[i], c));
    else
        snprintf(out, 24, "%.0f", j->day[j->row[i]]);
}

static void put_series(const struct job *j, cJSON *o) {
    cJSON *list = cJSON_AddArrayToObject(o, "series");
    for (size_t h = 0; h < j->r.periods; h++) {
        cJSON *p = cJSON_CreateObject();
        char at[24];
        label(j, j->begin + h, at);
        cJSON_AddStringToObject(p, "time", at);
        bw_json_number(p, "actual", j->y[j->begin + h]);
        bw_json_number(p, "predicted", j->r.expected[h].mean);
        bw_json_number(p, "effect", j->r.point[h].mean);
        bw_json_number(p, "lo", j->r.point[h].lo);
        bw_json_number(p, "hi", j->r.point[h].hi);
        bw_json_number(p, "cumulative", j->r.cumulative[h].mean);
        bw_json_number(p, "cumulative_lo", j->r.cumulative[h].lo);
        bw_json_number(p, "cumulative_hi", j->r.cumulative[h].hi);
        cJSON_AddItemToArray(list, p);
    }
}

static bw_status print_json(const struct job *j, bw_err *err) {
    const bw_impact *r = &j->r;
    cJSON *o = cJSON_CreateObject();
    bw_json_number(o, "effect", r->effect.mean);
    bw_json_number(o, "lo", r->effect.lo);
    bw_json_number(o, "hi", r->effect.hi);
    bw_json_number(o, "p", r->p);
    put_range(o, "point", &r->average);
    put_range(o, "cumulative", &r->effect);
    put_range(o, "relative", &r->relative);
    bw_json_number(o, "actual", r->actual);
    bw_json_number(o, "predicted", r->predicted.mean);
    bw_json_number(o, "predicted_lo", r->predicted.lo);
    bw_json_number(o, "predicted_hi", r->predicted.hi);
    bw_json_number(o, "placebo_p", r->placebo_p);
    bw_json_number(o, "r2_before", r->r2);
    bw_json_number(o, "autocorrelation_before", r->autocorrelation);
    cJSON_AddNumberToObject(o, "periods_before", (double)j->begin);
    cJSON_AddNumberToObject(o, "periods_after", (double)r->periods);
    cJSON *controls = cJSON_AddArrayToObject(o, "controls");
    for (size_t c = 0; c < j->k; c++) {
        cJSON *p = cJSON_CreateObject();
        cJSON_AddStringToObject(p, "control", j->name[c]);
        bw_json_number(p, "inclusion", r->inclusion[c]);
        bw_json_number(p, "coefficient", r->coef[c]);
        cJSON_AddItemToArray(controls, p);
    }
    put_series(j, o);
    bw_notes_json(&j->notes, o);
    return bw_json_print(o, err);
}

static void print_text(const struct job *j) {
    const bw_impact *r = &j->r;
    printf("%zu periods after the start, %zu before\n\n", r->periods, j->begin);
    printf("actual                %s\nwithout it            %s  (95 %% %s .. %s)\n",
           bw_show(r->actual), bw_show(r->predicted.mean), bw_show(r->predicted.lo),
           bw_show(r->predicted.hi));
    printf("effect, cumulative    %s  (95 %% %s .. %s)\n", bw_show(r->effect.mean),
           bw_show(r->effect.lo), bw_show(r->effect.hi));
    printf("effect, a period      %s  (95 %% %s .. %s)\n", bw_show(r->average.mean),
           bw_show(r->average.lo), bw_show(r->average.hi));
    printf("as a share            %s  (95 %% %s .. %s)\n", bw_show_share(r->relative.mean),
           bw_show_share(r->relative.lo), bw_show_share(r->relative.hi));
    printf("chance of this without any effect   p %s\n", bw_show_p(r->p));
    for (size_t c = 0; c < j->k; c++)
        printf("%s %-20s used with probability %s, coefficient %s\n", c ? "       " : "control",
               j->name[c], bw_show_share(r->inclusion[c]), bw_show(r->coef[c]));
}

/* The cumulative effect becomes a stored experiment. */
static bw_status save(struct job *j, bw_err *err) {
    char first[24], last[24];
    label(j, j->begin, first);
    label(j, j->n - 1, last);
    return bw_experiment_save(&j->save, j->metric, first, last, j->r.effect.mean,
                              (j->r.effect.hi - j->r.effect.lo) / (2 * Z95), &j->notes, err);
}

static bw_status run(struct job *j, bw_err *err) {
    bw_status st = load(j, err);
    if (st != BW_OK)
        return st;
    bw_impact_data d = {.n = j->n,
                        .start = j->begin,
                        .k = j->k,
                        .y = j->y,
                        .x = j->x,
                        .season = (size_t)j->season,
                        .level_sd = j->level_sd};
    st = bw_impact_fit(&d, SEED, &j->r, err);
    if (st != BW_OK)
        return bw_fail_prefix(err, st, j->file);
    add_notes(j);
    if (j->save.id)
        st = save(j, err);
    if (st != BW_OK)
        return st;
    if (j->json)
        return print_json(j, err);
    print_text(j);
    bw_notes_print(&j->notes);
    return BW_OK;
}

bw_status bw_cmd_experiment_impact(int argc, char **argv, bw_err *err) {
    struct job j = {.save.spend_change = NAN};
    const bw_option options[] = {
        {"time", 0, BW_OPT_TEXT, &j.time, "COLUMN",
         "day or number of the period (default: the order of rows)"},
        {"metric", 'm', BW_OPT_TEXT, &j.metric, "COLUMN", "what it should change"},
        {"controls", 0, BW_OPT_TEXT, &j.controls, "A,B",
         "series that the treatment could not touch"},
        {"start", 0, BW_OPT_TEXT, &j.start, "DATE", "first period with the treatment"},
        {"from", 0, BW_OPT_TEXT, &j.from, "DATE", "learn from this period on"},
        {"until", 0, BW_OPT_TEXT, &j.until, "DATE", "judge up to this period"},
        {"season", 0, BW_OPT_LONG, &j.season, "N", "periods in a season, e.g. 7 for days"},
        {"level-sd", 0, BW_OPT_REAL, &j.level_sd, "X",
         "how far the level may drift a period, in deviations of the metric (default 0.01)"},
        BW_SAVE_OPTIONS(j.save),
        BW_OPTION_JSON(j.json),
        {0}};
    const bw_usage usage = {"experiment impact FILE --metric COLUMN --start DATE [options]",
                            "What happened against what would have happened: a structural time "
                            "series learns how the metric\n"
                            "moved with its controls before the start and runs on without it.",
                            "  bellwether experiment impact sales.csv --time date --metric sales "
                            "--controls other_city \\\n"
                            "      --start 2026-03-02 --season 7 --json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !j.metric || !j.start || j.season < 0 || j.level_sd < 0 || j.level_sd > 1)
        return bw_fail(err, BW_EUSAGE,
                       "experiment impact: wanted one FILE, --metric and --start, a --season not "
                       "below 0 and a "
                       "--level-sd of 0 to 1; see "
                       "'bellwether experiment impact --help'");
    st = bw_experiment_target_check(&j.save, "experiment impact", j.time, err);
    if (st != BW_OK)
        return st;
    j.file = argv[0];
    st = run(&j, err);
    bw_impact_free(&j.r);
    bw_table_free(j.table);
    bw_notes_free(&j.notes);
    free(j.row);
    free(j.copy);
    free(j.day);
    free(j.all_y);
    free(j.y);
    free(j.x);
    return st;
}
