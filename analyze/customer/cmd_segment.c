/* analyze/customer/cmd_segment.c - `segment`: who the customers are and what they will be worth. */
#include "analyze/commands.h"

#include "analyze/output.h"
#include "analyze/run_output.h"
#include "analyze/runs.h"
#include "analyze/customer/segment.h"
#include "analyze/customer/segment_load.h"
#include "common/command.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 7u

struct job {
    sqlite3 *db; /* NULL with --file */
    int64_t run;
    const char *path, *file, *customer, *day, *revenue, *frequency, *recency, *age, *value;
    double test_weeks, weeks, discount;
    bool json, force;
    bw_customers people;
    bw_segment_kind *kind;
    bw_clv model, plain; /* MBG/NBD, which all figures of groups come from; BG/NBD beside it */
    bw_segment segment[BW_SEGMENTS];
    double predicted, actual; /* repeat purchases in the weeks held out */
};

static bw_status load(struct job *j, bw_err *err) {
    if (j->file && j->frequency)
        return bw_customers_from_summary(j->file, j->customer, j->frequency, j->recency, j->age,
                                         j->value, &j->people, err);
    if (j->file)
        return bw_customers_from_csv(j->file, j->customer, j->day, j->revenue, j->test_weeks,
                                     &j->people, err);
    bw_status st = bw_db_open(bw_default_db(j->path), BW_DB_WRITE, &j->db, err);
    if (st == BW_OK)
        st = bw_segment_run(j->db, j->force, &j->run, err);
    return st == BW_OK ? bw_customers_from_db(j->db, &j->people, err) : st;
}

static bw_status estimate(struct job *j, bw_err *err) {
    size_t n = j->people.n;
    bw_status st = bw_clv_fit(j->people.c, n, true, &j->model, err);
    if (st == BW_OK)
        st = bw_clv_fit(j->people.c, n, false, &j->plain, err);
    if (st != BW_OK)
        return st;
    j->kind = malloc(n * sizeof *j->kind);
    st = j->kind ? bw_segment_assign(j->people.c, j->people.money, n, j->kind, err)
                 : bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_segment_describe(j->people.c, j->people.money, j->kind, n, &j->model, j->weeks,
                                 j->discount, SEED, j->segment, err);
    for (size_t i = 0; st == BW_OK && j->test_weeks > 0 && i < n; i++) {
        j->predicted += bw_clv_purchases(&j->model, &j->people.c[i], j->test_weeks);
        j->actual += j->people.held_out[i];
    }
    return st;
}

static void put_fields(cJSON *o, const char *const *keys, const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        bw_json_number(o, keys[i], values[i]);
}

/* What groups buy, say and answer to, as the stage stored it. */
static const char PERSONAS[] =
    "SELECT subject, name, at, mean, lo, hi, n FROM estimate WHERE run = ?1 AND name IN "
    "('product', "
    "'channel', 'voice', 'says', 'answers') ORDER BY subject, name, mean DESC, at";

static void add_persona(sqlite3_stmt *s, size_t number, void *list) {
    static const char *const KEYS[] = {"segment", "what", "of", "value", "lo", "hi", "n"};
    (void)number;
    cJSON *o = cJSON_CreateObject();
    for (int i = 0; i < 7; i++)
        if (i < 3)
            cJSON_AddStringToObject(o, KEYS[i], bw_row_text(s, i));
        else
            bw_json_number(o, KEYS[i], bw_row_number(s, i));
    cJSON_AddItemToArray(list, o);
}

struct printer {
    char group[60], what[20];
};

/* One line a group and kind: "Champions  buys   Rain jacket x 1.20, Daypack x 1.10". */
static void print_persona(sqlite3_stmt *s, size_t number, void *arg) {
    static const char *const NAMES[][2] = {{"product", "buys"},
                                           {"channel", "buys through"},
                                           {"voice", "is told of"},
                                           {"says", "says"},
                                           {"answers", "answers to"}};
    struct printer *p = arg;
    const char *group = bw_row_text(s, 0), *what = bw_row_text(s, 1), *word = what;
    bool same = number && !strcmp(p->group, group) && !strcmp(p->what, what);
    for (size_t k = 0; k < 5; k++)
        if (strcmp(NAMES[k][0], what) == 0)
            word = NAMES[k][1];
    if (same)
        fputs(", ", stdout);
    else
        printf("\n%-16s %-13s ", number && !strcmp(p->group, group) ? "" : group, word);
    printf("%s %s%s", bw_row_text(s, 2), strcmp(what, "voice") ? "x " : "",
           bw_show(bw_row_number(s, 3)));
    snprintf(p->group, sizeof p->group, "%s", group);
    snprintf(p->what, sizeof p->what, "%s", what);
}

static bw_status print_personas(const struct job *j, bw_err *err) {
    struct printer p = {{0}, {0}};
    puts("\neach group against all customers (x 1.2: a fifth more often; of an aspect: -1 bad, 1 "
         "good)");
    bw_status st = bw_run_rows(j->db, j->run, PERSONAS, print_persona, &p, NULL, err);
    putchar('\n');
    return st == BW_OK ? bw_run_print_notes(j->db, j->run, err) : st;
}

static bw_status print_json(const struct job *j, bw_err *err) {
    static const char *const MODEL[] = {"r", "alpha",          "a",         "b",        "p", "q",
                                        "v", "log_likelihood", "customers", "repeaters"};
    static const char *const SEGMENT[] = {"size",           "revenue",     "repeats",
                                          "weeks_since",    "churn",       "next_purchase_days",
                                          "lifetime_value", "lifetime_lo", "lifetime_hi",
                                          "purchases"};
    cJSON *o = cJSON_CreateObject();
    for (int k = 0; k < 2; k++) {
        const bw_clv *m = k ? &j->model : &j->plain;
        const double model[] = {m->r,         m->alpha,
                                m->a,         m->b,
                                m->p,         m->q,
                                m->v,         m->log_likelihood,
                                (double)m->n, (double)m->repeaters};
        put_fields(cJSON_AddObjectToObject(o, k ? "modified" : "model"), MODEL, model,
                   sizeof model / sizeof *model);
    }
    if (j->test_weeks > 0) {
        cJSON *t = cJSON_AddObjectToObject(o, "test");
        bw_json_number(t, "weeks", j->test_weeks);
        bw_json_number(t, "predicted", j->predicted);
        bw_json_number(t, "actual", j->actual);
    }
    cJSON *list = cJSON_AddArrayToObject(o, "segments");
    for (size_t s = 0; s < BW_SEGMENTS; s++) {
        const bw_segment *x = &j->segment[s];
        if (!x->n)
            continue;
        const double values[] = {
            (double)x->n,      x->revenue,       x->frequency,   x->weeks_since, x->churn,
            7 * x->next_weeks, x->lifetime.mean, x->lifetime.lo, x->lifetime.hi, x->purchases.mean};
        cJSON *p = cJSON_CreateObject();
        cJSON_AddStringToObject(p, "segment", BW_SEGMENT_NAMES[s]);
        put_fields(p, SEGMENT, values, sizeof values / sizeof *values);
        cJSON_AddItemToArray(list, p);
    }
    bw_status st = BW_OK;
    if (j->db)
        st = bw_run_rows(j->db, j->run, PERSONAS, add_persona,
                         cJSON_AddArrayToObject(o, "personas"), NULL, err);
    if (st == BW_OK)
        return bw_json_print(o, err);
    cJSON_Delete(o);
    return st;
}

static void print_text(const struct job *j) {
    printf("%-16s %8s %12s %9s %11s %8s %11s  %s\n", "segment", "size", "revenue", "repeats",
           "weeks since", "churn", "next, days", "worth in the horizon (90 %)");
    for (size_t s = 0; s < BW_SEGMENTS; s++) {
        const bw_segment *x = &j->segment[s];
        if (!x->n)
            continue;
        printf("%-16s %8zu %12s %9s %11s %8s %11s  %s (%s .. %s)\n", BW_SEGMENT_NAMES[s], x->n,
               bw_show(x->revenue), bw_show(x->frequency), bw_show(x->weeks_since),
               bw_show_share(x->churn), bw_show(7 * x->next_weeks), bw_show(x->lifetime.mean),
               bw_show(x->lifetime.lo), bw_show(x->lifetime.hi));
    }
    putchar('\n');
    for (int k = 0; k < 2; k++) {
        const bw_clv *m = k ? &j->model : &j->plain;
        printf("%-8s r %s, alpha %s weeks, a %s, b %s; log likelihood %.1f\n",
               k ? "MBG/NBD" : "BG/NBD", bw_show(m->r), bw_show(m->alpha), bw_show(m->a),
               bw_show(m->b), m->log_likelihood);
    }
    if (!isnan(j->model.p))
        printf("gamma-gamma p %s, q %s, v %s\n", bw_show(j->model.p), bw_show(j->model.q),
               bw_show(j->model.v));
    printf("%zu customers, %zu bought again\n", j->model.n, j->model.repeaters);
    if (j->test_weeks > 0)
        printf("in the %.0f weeks held out: %.0f repeat purchases predicted, %.0f happened\n",
               j->test_weeks, j->predicted, j->actual);
}

static bw_status check(const struct job *j, int operands, bw_err *err) {
    bool summary = j->frequency || j->recency || j->age;
    if (operands > 0 || j->test_weeks < 0 || !(j->weeks > 0) || j->discount < 0)
        return bw_fail(
            err, BW_EUSAGE,
            "segment: wanted no operand, a horizon above 0, and a discount and test of 0 or "
            "more; see 'bellwether segment --help'");
    if (j->file && summary && !(j->frequency && j->recency && j->age))
        return bw_fail(err, BW_EUSAGE, "segment: --frequency, --recency and --age belong together");
    if (j->file && !summary && !(j->customer && j->day && j->revenue))
        return bw_fail(err, BW_EUSAGE,
                       "segment: --file needs --customer, --day and --revenue, or --frequency, "
                       "--recency and --age");
    return BW_OK;
}

bw_status bw_cmd_segment(int argc, char **argv, bw_err *err) {
    struct job j = {.weeks = BW_LIFETIME_WEEKS, .discount = BW_DISCOUNT};
    const bw_option options[] = {
        BW_OPTION_DB(j.path),
        {"file", 'f', BW_OPT_TEXT, &j.file, "CSV", "purchases from a file instead of the database"},
        {"customer", 0, BW_OPT_TEXT, &j.customer, "COLUMN", "who bought"},
        {"day", 0, BW_OPT_TEXT, &j.day, "COLUMN", "when"},
        {"revenue", 0, BW_OPT_TEXT, &j.revenue, "COLUMN", "for how much"},
        {"frequency", 0, BW_OPT_TEXT, &j.frequency, "COLUMN",
         "or one row a customer: repeat purchases"},
        {"recency", 0, BW_OPT_TEXT, &j.recency, "COLUMN",
         "weeks from the first purchase to the last"},
        {"age", 0, BW_OPT_TEXT, &j.age, "COLUMN", "weeks from the first purchase to the end"},
        {"value", 0, BW_OPT_TEXT, &j.value, "COLUMN", "mean money of a repeat purchase"},
        {"test-weeks", 0, BW_OPT_REAL, &j.test_weeks, "N",
         "hold the last weeks out and compare, with --file"},
        {"weeks", 0, BW_OPT_REAL, &j.weeks, "N", "horizon of the lifetime value (default 52)"},
        {"discount", 0, BW_OPT_REAL, &j.discount, "SHARE", "of money a year later (default 0.1)"},
        {"force", 0, BW_OPT_FLAG, &j.force, NULL, "estimate again although nothing changed"},
        BW_OPTION_JSON(j.json),
        {0}};
    const bw_usage usage = {"segment [options]",
                            "Customers in named groups: how many, what they brought, how likely "
                            "they have left, when they buy\n"
                            "next, and what they will be worth; what each group buys, says and "
                            "answers to. The database's table\n"
                            "customer_segment lists every customer.",
                            "  bellwether segment\n"
                            "  bellwether segment --file orders.csv --customer id --day date "
                            "--revenue amount --test-weeks 26\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st == BW_OK)
        st = check(&j, argc, err);
    if (st == BW_OK)
        st = load(&j, err);
    if (st == BW_OK)
        st = estimate(&j, err);
    if (st == BW_OK && j.json)
        st = print_json(&j, err);
    else if (st == BW_OK)
        print_text(&j);
    if (st == BW_OK && !j.json && j.db)
        st = print_personas(&j, err);
    bw_db_close(j.db);
    free(j.kind);
    bw_customers_free(&j.people);
    return st;
}
