/* analyze/cmd_factors.c - `timing --file`: a rate by month, weekday, contact, ... straight from a CSV. */
#include "analyze/cmd_factors.h"

#include "analyze/factors.h"
#include "analyze/output.h"
#include "analyze/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED        7u
#define COLUMNS_MAX 40u
#define LEVELS_MAX  500u
#define THIN        30.0 /* trials of a level below which it is marked */

struct job {
    const bw_factor_request *q;
    bw_table *table;
    bw_groups group[COLUMNS_MAX];
    const char *factor[COLUMNS_MAX], *number[COLUMNS_MAX];
    size_t factors, numbers;
    char *copy[2];
    double *successes, *trials, *x[COLUMNS_MAX];
    bw_factors r;
};

static bw_status read_counts(struct job *j, bw_err *err) {
    size_t n = bw_table_rows(j->table);
    bw_status st = bw_table_full_numbers(j->table, j->q->success, &j->successes, err);
    if (st == BW_OK && j->q->trials)
        return bw_table_full_numbers(j->table, j->q->trials, &j->trials, err);
    if (st != BW_OK)
        return st;
    j->trials = malloc(n * sizeof *j->trials);
    if (!j->trials)
        return bw_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        j->trials[i] = 1;
        if (j->successes[i] != 0 && j->successes[i] != 1)
            return bw_fail(err, BW_EDATA,
                           "%s: line %zu, column %s: %g is not 0 or 1; counts need --trials",
                           j->q->file, i + 2, j->q->success, j->successes[i]);
    }
    return BW_OK;
}

static bw_status load(struct job *j, bw_err *err) {
    bw_status st = bw_table_load(j->q->file, &j->table, err);
    if (st == BW_OK)
        st = bw_split_names(j->q->factors, j->factor, COLUMNS_MAX, &j->factors, &j->copy[0], err);
    if (st == BW_OK)
        st = bw_split_names(j->q->numbers, j->number, COLUMNS_MAX, &j->numbers, &j->copy[1], err);
    if (st == BW_OK)
        st = read_counts(j, err);
    for (size_t f = 0; st == BW_OK && f < j->factors; f++) {
        st = bw_table_groups(j->table, j->factor[f], &j->group[f], err);
        if (st == BW_OK && j->group[f].n > LEVELS_MAX)
            st = bw_fail(err, BW_EDATA,
                         "%s: column %s has %zu different values; %u are the most for a category",
                         j->q->file, j->factor[f], j->group[f].n, LEVELS_MAX);
        if (st == BW_OK && j->group[f].n < 2)
            st = bw_fail(err, BW_EDATA, "%s: column %s is '%s' in every row: nothing to compare",
                         j->q->file, j->factor[f], j->group[f].name[0]);
    }
    for (size_t k = 0; st == BW_OK && k < j->numbers; k++)
        st = bw_table_full_numbers(j->table, j->number[k], &j->x[k], err);
    return st;
}

static bw_status estimate(struct job *j, bw_err *err) {
    const size_t *code[COLUMNS_MAX];
    const double *x[COLUMNS_MAX];
    size_t levels[COLUMNS_MAX];
    for (size_t f = 0; f < j->factors; f++) {
        code[f] = j->group[f].code;
        levels[f] = j->group[f].n;
    }
    for (size_t k = 0; k < j->numbers; k++)
        x[k] = j->x[k];
    bw_factor_data d = {.n = bw_table_rows(j->table),
                        .factors = j->factors,
                        .numbers = j->numbers,
                        .successes = j->successes,
                        .trials = j->trials,
                        .code = code,
                        .levels = levels,
                        .number = x};
    bw_status st = bw_factors_fit(&d, SEED, &j->r, err);
    return st == BW_OK ? st : bw_fail_prefix(err, st, j->q->file);
}

static bw_status print_json(const struct job *j, bw_err *err) {
    cJSON *o = cJSON_CreateObject(), *factors = cJSON_AddArrayToObject(o, "factors");
    bw_json_number(o, "auc", j->r.auc);
    bw_json_number(o, "auc_seen", j->r.auc_seen);
    for (size_t f = 0; f < j->factors; f++)
        for (size_t l = 0; l < j->group[f].n; l++) {
            const bw_level *v = &j->r.level[f][l];
            cJSON *p = cJSON_CreateObject();
            cJSON_AddStringToObject(p, "factor", j->factor[f]);
            cJSON_AddStringToObject(p, "level", j->group[f].name[l]);
            bw_json_number(p, "n", v->n);
            bw_json_number(p, "raw", v->raw);
            bw_json_number(p, "index", v->index.mean);
            bw_json_number(p, "lo", v->index.lo);
            bw_json_number(p, "hi", v->index.hi);
            bw_json_number(p, "p_best", v->p_best);
            cJSON_AddItemToArray(factors, p);
        }
    cJSON *numbers = cJSON_AddArrayToObject(o, "numbers");
    for (size_t k = 0; k < j->numbers; k++) {
        cJSON *p = cJSON_CreateObject();
        cJSON_AddStringToObject(p, "number", j->number[k]);
        bw_json_number(p, "log_odds_per_sd", j->r.slope[k].mean);
        bw_json_number(p, "lo", j->r.slope[k].lo);
        bw_json_number(p, "hi", j->r.slope[k].hi);
        cJSON_AddItemToArray(numbers, p);
    }
    return bw_json_print(o, err);
}

static void print_text(const struct job *j) {
    printf("%-16s %-20s %9s %9s %8s  %-18s %8s\n", "factor", "level", "n", "raw rate", "index",
           "90 %", "P(best)");
    for (size_t f = 0; f < j->factors; f++)
        for (size_t l = 0; l < j->group[f].n; l++) {
            const bw_level *v = &j->r.level[f][l];
            char interval[64];
            snprintf(interval, sizeof interval, "%s .. %s", bw_show(v->index.lo),
                     bw_show(v->index.hi));
            printf("%-16s %-20s %9.0f %9s %8s  %-18s %8s%s\n", j->factor[f], j->group[f].name[l],
                   v->n, bw_show_share(v->raw), bw_show(v->index.mean), interval,
                   bw_show_share(v->p_best), v->n < THIN ? "  thin" : "");
        }
    for (size_t k = 0; k < j->numbers; k++)
        printf("%-16s log odds per standard deviation %s (90 %% %s .. %s)\n", j->number[k],
               bw_show(j->r.slope[k].mean), bw_show(j->r.slope[k].lo), bw_show(j->r.slope[k].hi));
    if (!isnan(j->r.auc))
        printf("\narea under the ROC curve: %s out of sample, %s on the rows fitted\n",
               bw_show(j->r.auc), bw_show(j->r.auc_seen));
}

bw_status bw_factors_command(const bw_factor_request *q, bw_err *err) {
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return bw_fail_memory(err);
    j->q = q;
    bw_status st = load(j, err);
    if (st == BW_OK)
        st = estimate(j, err);
    if (st == BW_OK && q->json)
        st = print_json(j, err);
    else if (st == BW_OK)
        print_text(j);
    for (size_t k = 0; k < COLUMNS_MAX; k++) {
        bw_groups_free(&j->group[k]);
        free(j->x[k]);
    }
    free(j->copy[0]);
    free(j->copy[1]);
    free(j->successes);
    free(j->trials);
    bw_factors_free(&j->r);
    bw_table_free(j->table);
    free(j);
    return st;
}
