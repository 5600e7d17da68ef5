/* analyze/experiment/cmd_did.c - `experiment did FILE`: difference in differences from a CSV. */
#include "analyze/experiment/cmd_experiment.h"

#include "analyze/experiment/did.h"
#include "analyze/experiment/save.h"
#include "analyze/output.h"
#include "analyze/table.h"
#include "common/command.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PRETREND_ALARM 0.05

struct job {
    const char *file, *unit_name, *time, *treated, *post, *metric;
    bw_experiment_target save;
    bool log, json, labels; /* labels: the times are names without an order */
    bw_table *table;
    bw_groups units;
    size_t n, missing, units_used, *unit; /* rows with a value; unit [n] */
    double *y, *is_treated, *is_post, *day;
    bw_did_result r;
    bw_notes notes;
};

/* Days or numbers; failing that, names: they tell the periods apart, but not which comes first. */
static bw_status read_times(struct job *j, bw_err *err) {
    bw_groups names;
    if (bw_table_days(j->table, j->time, &j->day, NULL) == BW_OK)
        return BW_OK;
    bw_status st = bw_table_groups(j->table, j->time, &names, err);
    if (st != BW_OK)
        return st;
    size_t rows = bw_table_rows(j->table);
    j->labels = true;
    j->day = malloc(rows * sizeof *j->day);
    for (size_t i = 0; j->day && i < rows; i++)
        j->day[i] = (double)names.code[i];
    bw_groups_free(&names);
    return j->day ? BW_OK : bw_fail_memory(err);
}

/* Rows whose metric is missing are left out, and a unit that has no row left with them. */
static bw_status drop_missing(struct job *j, bw_err *err) {
    size_t rows = bw_table_rows(j->table), units = 0;
    size_t *code = malloc((j->units.n + 1) * sizeof *code);
    j->unit = malloc(rows * sizeof *j->unit);
    if (!code || !j->unit) {
        free(code);
        return bw_fail_memory(err);
    }
    for (size_t u = 0; u < j->units.n; u++)
        code[u] = SIZE_MAX;
    for (size_t i = 0; i < rows; i++) {
        if (isnan(j->y[i])) {
            j->missing++;
            continue;
        }
        size_t u = j->unit_name ? j->units.code[i] : 0;
        if (j->unit_name && code[u] == SIZE_MAX)
            code[u] = units++;
        j->unit[j->n] = j->unit_name ? code[u] : 0;
        j->y[j->n] = j->y[i];
        j->is_treated[j->n] = j->is_treated[i];
        j->is_post[j->n] = j->is_post[i];
        if (j->day)
            j->day[j->n] = j->day[i];
        j->n++;
    }
    j->units_used = units;
    free(code);
    return j->n ? BW_OK : bw_fail(err, BW_EDATA, "%s: column %s has no value", j->file, j->metric);
}

static bw_status load(struct job *j, bw_err *err) {
    bw_status st = bw_table_load(j->file, &j->table, err);
    if (st == BW_OK)
        st = bw_table_numbers(j->table, j->metric, &j->y, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->treated, &j->is_treated, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->post, &j->is_post, err);
    if (st == BW_OK && j->unit_name)
        st = bw_table_groups(j->table, j->unit_name, &j->units, err);
    if (st == BW_OK && j->time)
        st = read_times(j, err);
    return st == BW_OK ? drop_missing(j, err) : st;
}

static void add_notes(struct job *j) {
    const bw_did_result *r = &j->r;
    if (j->missing)
        bw_note(&j->notes, "%zu rows without %s are left out", j->missing, j->metric);
    size_t cells = r->units * (r->periods_before + r->periods_after);
    if (j->unit_name && j->time && cells > j->n)
        bw_note(&j->notes,
                "%zu of %zu pairs of unit and time have no row: the others speak for them",
                cells - j->n, cells);
    if (r->placebo)
        bw_note(&j->notes,
                "one treated unit: its error is how far the %zu untreated ones moved apart by "
                "themselves, which holds if it is no noisier than they are",
                r->units - 1);
    if (r->staggered)
        bw_note(&j->notes,
                "units start at different times: each treated row is held against units that are "
                "not treated then; two-way fixed effects, which mix early and late starts, would "
                "say %s",
                bw_show(r->fixed_effects));
    if (r->unjudged)
        bw_note(&j->notes,
                "%zu treated rows are left out: nobody was without the treatment at that time, or "
                "their unit never was",
                r->unjudged);
    if (j->labels)
        bw_note(&j->notes,
                "%s holds names and no days or numbers: which period comes first is not "
                "known, so whether both sides moved alike before is not tested",
                j->time);
    if (!j->unit_name)
        bw_note(&j->notes,
                "no --unit: rows are taken as independent; repeated rows of one unit make the "
                "interval too narrow");
    if (j->time && r->periods_after == 1)
        bw_note(&j->notes, "one period after the start: whether the effect lasts cannot be said");
    if (j->time && !j->labels && isnan(r->pretrend_p))
        bw_note(&j->notes,
                "too few periods before the start to test whether both sides moved alike");
    if (!j->time)
        bw_note(&j->notes,
                "no --time: whether both sides moved alike before the start is not tested");
    if (r->pretrend_p < PRETREND_ALARM)
        bw_note(&j->notes,
                "both sides already moved apart before the start (p %.3f): the effect may be that "
                "older difference",
                r->pretrend_p);
}

/* The effect by periods since the start. */
static void add_course(const bw_did_result *r, cJSON *o) {
    bw_json_number(o, "fixed_effects", r->fixed_effects);
    cJSON *list = cJSON_AddArrayToObject(o, "since_start");
    for (size_t k = 0; k < r->sinces; k++) {
        const bw_did_since *s = &r->since[k];
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "periods", (double)k);
        bw_json_number(row, "effect", s->effect);
        bw_json_number(row, "se", s->se);
        bw_json_number(row, "lo", s->lo);
        bw_json_number(row, "hi", s->hi);
        cJSON_AddNumberToObject(row, "n", (double)s->rows);
        cJSON_AddItemToArray(list, row);
    }
}

static bw_status print_json(const struct job *j, bw_err *err) {
    const bw_did_result *r = &j->r;
    const struct {
        const char *key;
        double x;
    } fields[] = {{"effect", r->effect},
                  {"se", r->se},
                  {"lo", r->lo},
                  {"hi", r->hi},
                  {"p", r->p},
                  {"pretrend_p", r->pretrend_p},
                  {"relative", r->relative},
                  {"naive_before_after", r->naive_before_after},
                  {"naive_treated_control", r->naive_treated_control},
                  {"n", (double)j->n},
                  {"units", (double)r->units},
                  {"treated_units", (double)r->treated_units},
                  {"periods_before", (double)r->periods_before},
                  {"periods_after", (double)r->periods_after}};
    cJSON *o = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        bw_json_number(o, fields[i].key, fields[i].x);
    cJSON_AddBoolToObject(o, "log", j->log);
    if (r->staggered)
        add_course(r, o);
    bw_notes_json(&j->notes, o);
    return bw_json_print(o, err);
}

static void print_text(const struct job *j) {
    const bw_did_result *r = &j->r;
    printf("effect on %s%s   %s  (95 %% %s .. %s, p %s)\n", j->log ? "log " : "", j->metric,
           bw_show(r->effect), bw_show(r->lo), bw_show(r->hi), bw_show_p(r->p));
    printf("as a share           %s\n", bw_show_share(r->relative));
    printf("before against after, treated alone   %s\n", bw_show(r->naive_before_after));
    printf("treated against untreated, after      %s\n", bw_show(r->naive_treated_control));
    if (j->time)
        printf("slopes differ before the start        p %s\n", bw_show_p(r->pretrend_p));
    if (r->sinces)
        puts("periods since the start");
    for (size_t k = 0; k < r->sinces; k++)
        printf("  %3zu   %s  (95 %% %s .. %s, %zu rows)\n", k, bw_show(r->since[k].effect),
               bw_show(r->since[k].lo), bw_show(r->since[k].hi), r->since[k].rows);
}

/* The effect on all treated rows together; of logs, what those rows would have been without it is taken off. */
static bw_status save(struct job *j, bw_err *err) {
    double first = INFINITY, last = -INFINITY, rows = 0, y = 0;
    for (size_t i = 0; i < j->n; i++)
        if (j->is_treated[i] != 0 && j->is_post[i] != 0) {
            first = fmin(first, j->day[i]);
            last = fmax(last, j->day[i]);
            rows += 1;
            y += j->y[i];
        }
    char from[11], until[11];
    if (j->labels)
        return bw_fail(err, BW_EDATA, "--save: %s holds no days, and an experiment needs them",
                       j->time);
    bw_day_format(first, from);
    bw_day_format(last, until);
    double each = exp(-j->r.effect); /* without over with, on the log scale */
    double effect = j->log ? y * (1 - each) : rows * j->r.effect;
    double sd = j->log ? y * each * j->r.se : rows * j->r.se;
    return bw_experiment_save(&j->save, j->metric, from, until, effect, sd, &j->notes, err);
}

static bw_status run(struct job *j, bw_err *err) {
    bw_status st = load(j, err);
    if (st != BW_OK)
        return st;
    bw_did_data d = {.n = j->n,
                     .y = j->y,
                     .treated = j->is_treated,
                     .post = j->is_post,
                     .unit = j->unit_name ? j->unit : NULL,
                     .units = j->units_used,
                     .time = j->day,
                     .log = j->log};
    st = bw_did(&d, &j->r, err);
    if (st != BW_OK)
        return bw_fail_prefix(err, st, j->file);
    if (j->labels)
        j->r.pretrend_p = NAN;
    add_notes(j);
    if (j->save.id && (st = save(j, err)) != BW_OK)
        return st;
    if (j->json)
        return print_json(j, err);
    print_text(j);
    bw_notes_print(&j->notes);
    return BW_OK;
}

bw_status bw_cmd_experiment_did(int argc, char **argv, bw_err *err) {
    struct job j = {.save.spend_change = NAN};
    const bw_option options[] = {
        {"unit", 0, BW_OPT_TEXT, &j.unit_name, "COLUMN",
         "city, store, user: errors are clustered by it"},
        {"time", 0, BW_OPT_TEXT, &j.time, "COLUMN", "day or number of the period"},
        {"treated", 0, BW_OPT_TEXT, &j.treated, "COLUMN",
         "1 for units that ever get the treatment"},
        {"post", 0, BW_OPT_TEXT, &j.post, "COLUMN", "1 from the start on, for every unit"},
        {"metric", 'm', BW_OPT_TEXT, &j.metric, "COLUMN", "what it should change"},
        {"log", 0, BW_OPT_FLAG, &j.log, NULL, "effect in log points (about per cent)"},
        BW_SAVE_OPTIONS(j.save),
        BW_OPTION_JSON(j.json),
        {0}};
    const bw_usage usage = {
        "experiment did FILE --treated COLUMN --post COLUMN --metric COLUMN [options]",
        "Difference in differences: how much more the treated units changed than the others. "
        "Errors are\n"
        "clustered by unit. Where units start at different times, --post is 1 from each unit's own "
        "start on and\n"
        "0 for units that never start; each is then held against units that are not treated yet.",
        "  bellwether experiment did geo.csv --unit city --time date --treated treated \\\n"
        "      --post post --metric downloads --json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !j.treated || !j.post || !j.metric)
        return bw_fail(err, BW_EUSAGE,
                       "experiment did: wanted one FILE, --treated, --post and --metric; "
                       "see 'bellwether experiment did --help'");
    st = bw_experiment_target_check(&j.save, "experiment did", j.time, err);
    if (st != BW_OK)
        return st;
    j.file = argv[0];
    st = run(&j, err);
    bw_table_free(j.table);
    bw_groups_free(&j.units);
    bw_notes_free(&j.notes);
    free(j.unit);
    free(j.y);
    free(j.is_treated);
    free(j.is_post);
    free(j.day);
    return st;
}
