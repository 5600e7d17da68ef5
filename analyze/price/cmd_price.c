/* analyze/price/cmd_price.c - `price`: elasticity, best price and promotions, from the database or a CSV. */
#include "analyze/commands.h"

#include "analyze/price/demand.h"
#include "analyze/output.h"
#include "analyze/run_output.h"
#include "analyze/runs.h"
#include "analyze/table.h"
#include "common/command.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 20u

struct job {
    const char *path, *file, *units, *price, *by, *controls, *factors, *unit, *cost;
    double margin;
    bool linear, json, force;
    bw_table *table;
    bw_groups group[COLUMNS_MAX], factor[COLUMNS_MAX], cluster;
    const char *by_name[COLUMNS_MAX], *control_name[COLUMNS_MAX], *factor_name[COLUMNS_MAX];
    size_t n_by, n_controls, n_factors, groups;
    char *copy[3];
    size_t *code;
    char **name; /* [groups], "brand=a, feat=1" */
    double *q, *p, *control, *cost_of;
    bw_demand r;
    bw_notes notes;
};

static bw_status read_numbers(struct job *j, bw_err *err) {
    size_t n = bw_table_rows(j->table);
    bw_status st = bw_table_full_numbers(j->table, j->units, &j->q, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->price, &j->p, err);
    if (st == BW_OK && !(j->control = malloc((n * j->n_controls + 1) * sizeof *j->control)))
        st = bw_fail_memory(err);
    for (size_t c = 0; st == BW_OK && c < j->n_controls; c++) {
        double *x;
        st = bw_table_full_numbers(j->table, j->control_name[c], &x, err);
        for (size_t i = 0; st == BW_OK && i < n; i++)
            j->control[i * j->n_controls + c] = x[i];
        free(st == BW_OK ? x : NULL);
    }
    return st;
}

/* One group a combination of the --by columns that occurs; combinations are numbered as they come. */
static bw_status make_groups(struct job *j, bw_err *err) {
    size_t n = bw_table_rows(j->table), all = 1;
    bw_status st = BW_OK;
    for (size_t b = 0; st == BW_OK && b < j->n_by; b++) {
        st = bw_table_groups(j->table, j->by_name[b], &j->group[b], err);
        if (st == BW_OK && !bw_size_mul(all, j->group[b].n, &all))
            st = bw_fail(err, BW_EARG, "--by: too many combinations");
    }
    if (st == BW_OK && all > 100000)
        st = bw_fail(err, BW_EARG, "--by: %zu combinations; 100000 are the most", all);
    j->code = malloc(n * sizeof *j->code);
    j->name = calloc(all + 1, sizeof *j->name);
    size_t *seen = malloc((all + 1) * sizeof *seen);
    if (st == BW_OK && (!j->code || !j->name || !seen))
        st = bw_fail_memory(err);
    for (size_t c = 0; st == BW_OK && c < all; c++)
        seen[c] = SIZE_MAX;
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        size_t cell = 0;
        char label[300] = "";
        for (size_t b = 0; b < j->n_by; b++) {
            size_t used = strlen(label);
            cell = cell * j->group[b].n + j->group[b].code[i];
            snprintf(label + used, sizeof label - used, "%s%s", b ? ", " : "",
                     j->group[b].name[j->group[b].code[i]]);
        }
        if (seen[cell] == SIZE_MAX) {
            seen[cell] = j->groups;
            j->name[j->groups++] = strdup(j->n_by ? label : "all");
        }
        j->code[i] = seen[cell];
    }
    free(seen);
    return st;
}

/* The cost of a group: mean of --cost, or what --margin leaves of its mean price. */
static bw_status set_costs(struct job *j, bw_err *err) {
    size_t n = bw_table_rows(j->table);
    double *x = NULL, *count = calloc(j->groups, sizeof *count);
    j->cost_of = calloc(j->groups, sizeof *j->cost_of);
    bw_status st = count && j->cost_of ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK && j->cost)
        st = bw_table_full_numbers(j->table, j->cost, &x, err);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        j->cost_of[j->code[i]] += x ? x[i] : (1 - j->margin) * j->p[i];
        count[j->code[i]] += 1;
    }
    for (size_t g = 0; st == BW_OK && g < j->groups; g++)
        j->cost_of[g] = x || !isnan(j->margin) ? j->cost_of[g] / count[g] : NAN;
    free(x);
    free(count);
    return st;
}

static bw_status load(struct job *j, bw_err *err) {
    bw_status st = bw_table_load(j->file, &j->table, err);
    if (st == BW_OK)
        st = bw_split_names(j->by, j->by_name, COLUMNS_MAX, &j->n_by, &j->copy[0], err);
    if (st == BW_OK)
        st = bw_split_names(j->controls, j->control_name, COLUMNS_MAX, &j->n_controls, &j->copy[1],
                            err);
    if (st == BW_OK)
        st = bw_split_names(j->factors, j->factor_name, COLUMNS_MAX, &j->n_factors, &j->copy[2],
                            err);
    if (st == BW_OK)
        st = read_numbers(j, err);
    if (st == BW_OK)
        st = make_groups(j, err);
    for (size_t f = 0; st == BW_OK && f < j->n_factors; f++)
        st = bw_table_groups(j->table, j->factor_name[f], &j->factor[f], err);
    if (st == BW_OK && j->unit)
        st = bw_table_groups(j->table, j->unit, &j->cluster, err);
    return st == BW_OK ? set_costs(j, err) : st;
}

static bw_status estimate(struct job *j, bw_err *err) {
    const size_t *factor[COLUMNS_MAX];
    size_t levels[COLUMNS_MAX];
    for (size_t f = 0; f < j->n_factors; f++) {
        factor[f] = j->factor[f].code;
        levels[f] = j->factor[f].n;
    }
    bw_demand_data d = {.n = bw_table_rows(j->table),
                        .groups = j->groups,
                        .units = j->q,
                        .price = j->p,
                        .group = j->code,
                        .group_name = (const char *const *)j->name,
                        .control = j->control,
                        .controls = j->n_controls,
                        .control_name = j->control_name,
                        .factor = factor,
                        .levels = levels,
                        .factors = j->n_factors,
                        .unit = j->unit ? j->cluster.code : NULL,
                        .units_n = j->cluster.n,
                        .linear = j->linear,
                        .cost = j->cost_of};
    bw_status st = bw_demand_fit(&d, &j->r, err);
    if (st != BW_OK)
        return bw_fail_prefix(err, st, j->file);
    size_t left = j->groups - j->r.known;
    if (left)
        bw_note(&j->notes,
                "%zu of %zu groups are left out: too few rows, or a price that never moved", left,
                j->groups);
    if (!j->cost && isnan(j->margin))
        bw_note(
            &j->notes,
            "no --cost or --margin: the best price is the one of most revenue, not of most profit");
    if ((j->r.naive > 0) != (j->r.common > 0) && !isnan(j->r.common))
        bw_note(
            &j->notes,
            "without the controls the price would seem to %s sales: prices were set with an eye on "
            "demand",
            j->r.naive > 0 ? "raise" : "lower");
    return BW_OK;
}

static cJSON *group_json(const struct job *j, size_t g) {
    const bw_demand_group *r = &j->r.group[g];
    const struct {
        const char *key;
        double x;
    } fields[] = {{"n", (double)r->n},
                  {"elasticity", r->mean},
                  {"sd", r->sd},
                  {"lo", r->mean - 1.645 * r->sd},
                  {"hi", r->mean + 1.645 * r->sd},
                  {"unpooled", r->raw},
                  {"unpooled_se", r->raw_se},
                  {"slope", r->slope},
                  {"slope_se", r->slope_se},
                  {"price", r->price_now},
                  {"price_seen_lo", r->price_lo},
                  {"price_seen_hi", r->price_hi},
                  {"best_price", r->best},
                  {"best_price_lo", r->best_lo},
                  {"best_price_hi", r->best_hi},
                  {"gain", r->gain},
                  {"gain_lo", r->gain_lo},
                  {"gain_hi", r->gain_hi},
                  {"gain_probability", r->gain_p}};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "group", j->name[g]);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        bw_json_number(o, fields[i].key, fields[i].x);
    cJSON_AddBoolToObject(o, "at_edge", r->at_edge);
    return o;
}

static bw_status print_json(const struct job *j, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "form", j->linear ? "linear" : "log");
    bw_json_number(o, "common", j->r.common);
    bw_json_number(o, "common_se", j->r.common_se);
    bw_json_number(o, "without_controls", j->r.naive);
    cJSON *list = cJSON_AddArrayToObject(o, "groups");
    for (size_t g = 0; g < j->groups; g++)
        if (j->r.group[g].known)
            cJSON_AddItemToArray(list, group_json(j, g));
    bw_notes_json(&j->notes, o);
    return bw_json_print(o, err);
}

static void print_text(const struct job *j) {
    printf("%s for all: %s (standard error %s); without controls %s\n\n",
           j->linear ? "units per money" : "elasticity", bw_show(j->r.common),
           bw_show(j->r.common_se), bw_show(j->r.naive));
    printf("%-28s %6s %10s  %-20s %9s %9s %10s %9s\n", "group", "n", "elasticity", "90 %", "alone",
           "price", "best price", "gain");
    for (size_t g = 0; g < j->groups; g++) {
        const bw_demand_group *r = &j->r.group[g];
        char interval[64];
        if (!r->known)
            continue;
        snprintf(interval, sizeof interval, "%s .. %s", bw_show(r->mean - 1.645 * r->sd),
                 bw_show(r->mean + 1.645 * r->sd));
        printf("%-28s %6zu %10s  %-20s %9s %9s %9s%s %9s\n", j->name[g], r->n, bw_show(r->mean),
               interval, bw_show(r->raw), bw_show(r->price_now), bw_show(r->best),
               r->at_edge ? "*" : " ", bw_show_share(r->gain));
    }
    puts("\n* at the edge of the prices seen: the true best may lie beyond");
}

static bw_status from_file(struct job *j, bw_err *err) {
    bw_status st = load(j, err);
    if (st == BW_OK)
        st = estimate(j, err);
    if (st != BW_OK)
        return st;
    if (j->json)
        return print_json(j, err);
    print_text(j);
    bw_notes_print(&j->notes);
    return BW_OK;
}

static const char SHOWN[] = "SELECT name, subject, at, mean, lo, hi, probability, unit FROM "
                            "latest_estimate WHERE kind = 'price' AND name <> 'elasticity_alone' "
                            "ORDER BY name, at, subject";

static const char PROMOTIONS[] =
    "SELECT first_day, promotion, promoted, taken, uplift, dip, net, net_lo, net_hi, "
    "probability_pays FROM promotion_effect ORDER BY first_day, promotion";

static void print_estimate(sqlite3_stmt *s, size_t number, void *arg) {
    (void)number;
    (void)arg;
    const char *(*show)(double) = strcmp(bw_row_text(s, 7), "share") ? bw_show : bw_show_share;
    printf("%-17s %-30s %-11s %11s  (90 %% %s .. %s)", bw_row_text(s, 0), bw_row_text(s, 1),
           bw_row_text(s, 2), show(bw_row_number(s, 3)), show(bw_row_number(s, 4)),
           show(bw_row_number(s, 5)));
    if (!isnan(bw_row_number(s, 6)))
        printf("  P %s", bw_show_share(bw_row_number(s, 6)));
    putchar('\n');
}

/* What a promotion brought: its own products, taken from others, both together, days after, in all. */
static void print_promotion(sqlite3_stmt *s, size_t number, void *arg) {
    (void)arg;
    char interval[40];
    if (!number)
        printf("\n%-10s  %-26s %10s %10s %10s %10s %10s  %-22s %s\n", "from", "promotion",
               "promoted", "taken", "uplift", "days after", "net", "90 %", "P(net > 0)");
    snprintf(interval, sizeof interval, "%s .. %s", bw_show(bw_row_number(s, 7)),
             bw_show(bw_row_number(s, 8)));
    printf("%-10s  %-26s", bw_row_text(s, 0), bw_row_text(s, 1));
    for (int k = 2; k < 7; k++)
        printf(" %10s", bw_show(bw_row_number(s, k)));
    printf("  %-22s %s\n", interval, bw_show_share(bw_row_number(s, 9)));
}

static bw_status from_database(struct job *j, bw_err *err) {
    sqlite3 *db;
    int64_t run;
    bw_status st = bw_db_open(bw_default_db(j->path), BW_DB_WRITE, &db, err);
    if (st == BW_OK)
        st = bw_price_run(db, j->force, &run, err);
    if (st == BW_OK && j->json) {
        st = bw_run_json(db, run, "promotion", err);
        bw_db_close(db);
        return st;
    }
    if (st == BW_OK)
        st = bw_run_rows(db, run, SHOWN, print_estimate, NULL, NULL, err);
    if (st == BW_OK)
        st = bw_run_rows(db, run, PROMOTIONS, print_promotion, NULL, NULL, err);
    if (st == BW_OK)
        st = bw_run_print_notes(db, run, err);
    bw_db_close(db);
    return st;
}

static void job_free(struct job *j) {
    for (size_t k = 0; k < COLUMNS_MAX; k++) {
        bw_groups_free(&j->group[k]);
        bw_groups_free(&j->factor[k]);
    }
    for (size_t g = 0; g < j->groups; g++)
        free(j->name[g]);
    for (size_t k = 0; k < 3; k++)
        free(j->copy[k]);
    bw_groups_free(&j->cluster);
    free(j->name);
    free(j->code);
    free(j->q);
    free(j->p);
    free(j->control);
    free(j->cost_of);
    bw_demand_free(&j->r);
    bw_table_free(j->table);
    bw_notes_free(&j->notes);
}

bw_status bw_cmd_price(int argc, char **argv, bw_err *err) {
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return bw_fail_memory(err);
    j->margin = NAN;
    const bw_option options[] = {
        BW_OPTION_DB(j->path),
        {"file", 'f', BW_OPT_TEXT, &j->file, "CSV", "sales from a file instead of the database"},
        {"units", 0, BW_OPT_TEXT, &j->units, "COLUMN", "units sold, with --file"},
        {"price", 0, BW_OPT_TEXT, &j->price, "COLUMN", "price asked, with --file"},
        {"by", 0, BW_OPT_TEXT, &j->by, "A,B", "one elasticity for each product, store, ..."},
        {"control", 0, BW_OPT_TEXT, &j->controls, "A,B",
         "numbers held constant, each group with its own effect"},
        {"factor", 0, BW_OPT_TEXT, &j->factors, "A,B",
         "categories held constant, alike for all groups"},
        {"unit", 0, BW_OPT_TEXT, &j->unit, "COLUMN", "errors are clustered by it"},
        {"cost", 0, BW_OPT_TEXT, &j->cost, "COLUMN",
         "cost of a unit: the best price is then of most profit"},
        {"margin", 0, BW_OPT_REAL, &j->margin, "SHARE", "the same from a margin, 0..1"},
        {"linear", 0, BW_OPT_FLAG, &j->linear, NULL, "units on price instead of logarithms"},
        {"force", 0, BW_OPT_FLAG, &j->force, NULL, "estimate again although nothing changed"},
        BW_OPTION_JSON(j->json),
        {0}};
    const bw_usage usage = {
        "price [options]",
        "How sales answer to price, product by product, shrunk to what they have in common; the "
        "price that\n"
        "pays best within those seen; what each promotion brought, and\n"
        "what it took from the days after it and from other products.",
        "  bellwether price\n"
        "  bellwether price --file oj.csv --units sales --price price --by brand --json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st == BW_OK &&
        (argc > 0 || (j->file && (!j->units || !j->price)) || j->margin <= 0 || j->margin >= 1))
        st = bw_fail(err, BW_EUSAGE,
                     "price: wanted no operand, --units and --price beside --file, and a margin "
                     "between 0 and 1; see 'bellwether price --help'");
    if (st == BW_OK)
        st = j->file ? from_file(j, err) : from_database(j, err);
    job_free(j);
    free(j);
    return st;
}
