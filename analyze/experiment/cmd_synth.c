/* analyze/experiment/cmd_synth.c - `experiment synth FILE`: one treated unit against a mix of others. */
#include "analyze/experiment/cmd_experiment.h"

#include "analyze/experiment/save.h"
#include "analyze/experiment/synthetic.h"
#include "analyze/output.h"
#include "analyze/table.h"
#include "common/command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define Z90 1.644854 /* half width of a 90 % interval in standard deviations */

struct synth {
    const char *file, *unit, *time, *metric, *treated, *start;
    bool json;
    bw_table *table;
    bw_groups units;
    double *y, *day, *period, *panel; /* panel: [units, periods], the treated one first */
    size_t periods, begin;
    size_t *row_of; /* [units] row of the panel */
    bw_synthetic r;
    bw_experiment_target save;
    bw_notes notes;
};

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bw_status fill_panel(struct synth *j, bw_err *err) {
    size_t n = bw_table_rows(j->table), treated = bw_groups_find(&j->units, j->treated);
    if (treated == j->units.n)
        return bw_fail(err, BW_EARG, "--treated: no row has %s '%s'", j->unit, j->treated);
    j->period = malloc(n * sizeof *j->period);
    j->row_of = malloc(j->units.n * sizeof *j->row_of);
    if (!j->period || !j->row_of)
        return bw_fail_memory(err);
    memcpy(j->period, j->day, n * sizeof *j->period);
    qsort(j->period, n, sizeof *j->period, compare);
    for (size_t i = 0; i < n; i++)
        if (!j->periods || j->period[i] != j->period[j->periods - 1])
            j->period[j->periods++] = j->period[i];
    for (size_t u = 0; u < j->units.n; u++)
        j->row_of[u] = u == treated ? 0 : u < treated ? u + 1 : u;
    j->panel = malloc(j->units.n * j->periods * sizeof *j->panel);
    if (!j->panel)
        return bw_fail_memory(err);
    for (size_t i = 0; i < j->units.n * j->periods; i++)
        j->panel[i] = NAN;
    for (size_t i = 0; i < n; i++) {
        const double *at = bsearch(&j->day[i], j->period, j->periods, sizeof *j->period, compare);
        double *cell =
            &j->panel[j->row_of[j->units.code[i]] * j->periods + (size_t)(at - j->period)];
        *cell = isnan(*cell) ? j->y[i] : *cell + j->y[i];
    }
    for (size_t u = 0; u < j->units.n; u++)
        for (size_t t = 0; t < j->periods; t++)
            if (isnan(j->panel[j->row_of[u] * j->periods + t]))
                return bw_fail(
                    err, BW_EDATA,
                    "%s: %s '%s' has no row in one of the %zu periods; leave it out or fill "
                    "the hole",
                    j->file, j->unit, j->units.name[u], j->periods);
    return BW_OK;
}

static bw_status load_synth(struct synth *j, bw_err *err) {
    double start;
    char *end;
    bw_status st = bw_table_load(j->file, &j->table, err);
    if (st == BW_OK)
        st = bw_table_groups(j->table, j->unit, &j->units, err);
    if (st == BW_OK)
        st = bw_table_days(j->table, j->time, &j->day, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->metric, &j->y, err);
    if (st == BW_OK)
        st = fill_panel(j, err);
    if (st != BW_OK)
        return st;
    if (!bw_day_read(j->start, &start)) {
        start = strtod(j->start, &end);
        if (end == j->start || *end)
            return bw_fail(err, BW_EUSAGE,
                           "--start %s: wanted a day YYYY-MM-DD or the number of a period",
                           j->start);
    }
    while (j->begin < j->periods && j->period[j->begin] < start)
        j->begin++;
    return BW_OK;
}

static bw_status show_synth(const struct synth *j, bw_err *err) {
    const bw_synthetic *r = &j->r;
    cJSON *o = cJSON_CreateObject(), *weights = cJSON_AddArrayToObject(o, "weights");
    const struct {
        const char *key;
        double x;
    } fields[] = {{"effect", r->effect},
                  {"lo", r->lo},
                  {"hi", r->hi},
                  {"p", r->p},
                  {"total", r->total},
                  {"relative", r->relative},
                  {"fit_error", r->fit_error},
                  {"periods_before", (double)j->begin},
                  {"periods_after", (double)(j->periods - j->begin)}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        bw_json_number(o, fields[i].key, fields[i].x);
    for (size_t u = 0; u < j->units.n; u++) {
        double w = j->row_of[u] ? r->weight[j->row_of[u] - 1] : 0;
        if (w < 0.001)
            continue;
        cJSON *p = cJSON_CreateObject();
        cJSON_AddStringToObject(p, "unit", j->units.name[u]);
        bw_json_number(p, "weight", w);
        cJSON_AddItemToArray(weights, p);
    }
    if (j->json) {
        bw_notes_json(&j->notes, o);
        return bw_json_print(o, err);
    }
    printf("effect a period   %s  (90 %% by placebos %s .. %s, p %s), %s\n", bw_show(r->effect),
           bw_show(r->lo), bw_show(r->hi), bw_show_p(r->p), bw_show_share(r->relative));
    printf("before the start the mix misses %s by %s a period\n", j->treated,
           bw_show(r->fit_error));
    const cJSON *p;
    cJSON_ArrayForEach(p, weights)
        printf("  %-24s %s\n", cJSON_GetStringValue(cJSON_GetObjectItem(p, "unit")),
               bw_show_share(cJSON_GetObjectItem(p, "weight")->valuedouble));
    cJSON_Delete(o);
    bw_notes_print(&j->notes);
    return BW_OK;
}

/* The sum of the gaps; its error by the placebos, all periods alike. */
static bw_status save(struct synth *j, bw_err *err) {
    char first[11], last[11];
    double after = (double)(j->periods - j->begin);
    bw_day_format(j->period[j->begin], first);
    bw_day_format(j->period[j->periods - 1], last);
    return bw_experiment_save(&j->save, j->metric, first, last, j->r.total,
                              after * (j->r.hi - j->r.lo) / (2 * Z90), &j->notes, err);
}

static bw_status run(struct synth *j, bw_err *err) {
    bw_status st = load_synth(j, err);
    if (st == BW_OK &&
        (st = bw_synthetic_fit(j->panel, j->units.n, j->periods, j->begin, &j->r, err)) != BW_OK)
        bw_fail_prefix(err, st, j->file);
    if (st == BW_OK && j->save.id)
        st = save(j, err);
    if (st == BW_OK && j->periods - j->begin == 1)
        bw_note(&j->notes, "one period after the start: whether the effect lasts cannot be said");
    return st == BW_OK ? show_synth(j, err) : st;
}

bw_status bw_cmd_experiment_synth(int argc, char **argv, bw_err *err) {
    struct synth j = {.save.spend_change = NAN};
    const bw_option options[] = {
        {"unit", 0, BW_OPT_TEXT, &j.unit, "COLUMN", "city, store, ..."},
        {"time", 0, BW_OPT_TEXT, &j.time, "COLUMN", "day or number of the period"},
        {"metric", 'm', BW_OPT_TEXT, &j.metric, "COLUMN", "what the treatment should change"},
        {"treated", 0, BW_OPT_TEXT, &j.treated, "VALUE", "the unit that got it"},
        {"start", 0, BW_OPT_TEXT, &j.start, "DATE", "its first period"},
        BW_SAVE_OPTIONS(j.save),
        BW_OPTION_JSON(j.json),
        {0}};
    const bw_usage usage = {
        "experiment synth FILE --unit COLUMN --time COLUMN --metric COLUMN --treated VALUE --start "
        "DATE",
        "One treated unit against the mix of the others that followed it best before the start.",
        "  bellwether experiment synth geo.csv --unit city --time date --metric sales --treated "
        "Berlin \\\n"
        "      --start 2026-03-02\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !j.unit || !j.time || !j.metric || !j.treated || !j.start)
        return bw_fail(
            err, BW_EUSAGE,
            "experiment synth: wanted one FILE and all of --unit, --time, --metric, --treated, "
            "--start; see 'bellwether experiment synth --help'");
    st = bw_experiment_target_check(&j.save, "experiment synth", j.time, err);
    if (st != BW_OK)
        return st;
    j.file = argv[0];
    st = run(&j, err);
    bw_notes_free(&j.notes);
    bw_synthetic_free(&j.r);
    bw_table_free(j.table);
    bw_groups_free(&j.units);
    free(j.y);
    free(j.day);
    free(j.period);
    free(j.panel);
    free(j.row_of);
    return st;
}
