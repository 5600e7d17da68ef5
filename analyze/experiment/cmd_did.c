/* analyze/experiment/cmd_did.c - `experiment did FILE`: difference in differences from a CSV. */
#include "analyze/experiment/cmd_experiment.h"

#include "analyze/experiment/did.h"
#include "analyze/output.h"
#include "analyze/table.h"
#include "common/command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PRETREND_ALARM 0.05

struct job {
    const char *file, *unit, *time, *treated, *post, *metric;
    bool log, json;
    bw_table *table;
    bw_groups units;
    double *y, *is_treated, *is_post, *day;
    bw_did_result r;
    bw_notes notes;
};

static bw_status load(struct job *j, bw_err *err) {
    bw_status st = bw_table_load(j->file, &j->table, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->metric, &j->y, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->treated, &j->is_treated, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->post, &j->is_post, err);
    if (st == BW_OK && j->unit)
        st = bw_table_groups(j->table, j->unit, &j->units, err);
    if (st == BW_OK && j->time)
        st = bw_table_days(j->table, j->time, &j->day, err);
    return st;
}

static void add_notes(struct job *j) {
    const bw_did_result *r = &j->r;
    if (!j->unit)
        bw_note(&j->notes,
                "no --unit: rows are taken as independent; repeated rows of one unit make the "
                "interval too narrow");
    if (j->time && r->periods_after == 1)
        bw_note(&j->notes, "one period after the start: whether the effect lasts cannot be said");
    if (j->time && isnan(r->pretrend_p))
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
                  {"n", (double)bw_table_rows(j->table)},
                  {"units", (double)r->units},
                  {"treated_units", (double)r->treated_units},
                  {"periods_before", (double)r->periods_before},
                  {"periods_after", (double)r->periods_after}};
    cJSON *o = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        bw_json_number(o, fields[i].key, fields[i].x);
    cJSON_AddBoolToObject(o, "log", j->log);
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
}

static bw_status run(struct job *j, bw_err *err) {
    bw_status st = load(j, err);
    if (st != BW_OK)
        return st;
    bw_did_data d = {.n = bw_table_rows(j->table),
                     .y = j->y,
                     .treated = j->is_treated,
                     .post = j->is_post,
                     .unit = j->units.code,
                     .units = j->units.n,
                     .time = j->day,
                     .log = j->log};
    st = bw_did(&d, &j->r, err);
    if (st != BW_OK)
        return bw_fail_prefix(err, st, j->file);
    add_notes(j);
    if (j->json)
        return print_json(j, err);
    print_text(j);
    bw_notes_print(&j->notes);
    return BW_OK;
}

bw_status bw_cmd_experiment_did(int argc, char **argv, bw_err *err) {
    struct job j = {0};
    const bw_option options[] = {
        {"unit", 0, BW_OPT_TEXT, &j.unit, "COLUMN",
         "city, store, user: errors are clustered by it"},
        {"time", 0, BW_OPT_TEXT, &j.time, "COLUMN", "day or number of the period"},
        {"treated", 0, BW_OPT_TEXT, &j.treated, "COLUMN",
         "1 for units that ever get the treatment"},
        {"post", 0, BW_OPT_TEXT, &j.post, "COLUMN", "1 from its start on, for every unit"},
        {"metric", 'm', BW_OPT_TEXT, &j.metric, "COLUMN", "what it should change"},
        {"log", 0, BW_OPT_FLAG, &j.log, NULL, "effect in log points (about per cent)"},
        BW_OPTION_JSON(j.json),
        {0}};
    const bw_usage usage = {
        "experiment did FILE --treated COLUMN --post COLUMN --metric COLUMN [options]",
        "Difference in differences: how much more the treated units changed than the others.",
        "  bellwether experiment did geo.csv --unit city --time date --treated treated \\\n"
        "      --post post --metric downloads --json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !j.treated || !j.post || !j.metric)
        return bw_fail(err, BW_EUSAGE,
                       "experiment did: wanted one FILE, --treated, --post and --metric; "
                       "see 'bellwether experiment did --help'");
    j.file = argv[0];
    st = run(&j, err);
    bw_table_free(j.table);
    bw_groups_free(&j.units);
    bw_notes_free(&j.notes);
    free(j.y);
    free(j.is_treated);
    free(j.is_post);
    free(j.day);
    return st;
}
