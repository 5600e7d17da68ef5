/* analyze/customer/segment_run.c - customers as a stage: load, fit, name, store. */
#include "analyze/runs.h"

#include "analyze/output.h"
#include "analyze/customer/persona.h"
#include "analyze/customer/segment.h"
#include "analyze/customer/segment_load.h"
#include "analyze/store.h"
#include "analyze/table.h"
#include "sql/db.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#define SEED 7u

struct stage {
    sqlite3 *db;
    bw_customers people;
    bw_segment_kind *kind;
    bw_clv model;
    bw_segment segment[BW_SEGMENTS];
    bw_notes notes;
    char input[17];
    int64_t run;
};

static bw_status put(struct stage *g, const char *name, size_t s, const char *unit, double mean,
                     double n, bw_err *err) {
    bw_estimate e = bw_estimate_named(name, BW_SEGMENT_NAMES[s], "", unit);
    e.mean = mean;
    e.n = n;
    return bw_estimate_put(g->db, g->run, &e, err);
}

static bw_status put_summary(struct stage *g, const char *name, size_t s, const char *unit,
                             const bw_summary *x, double n, bw_err *err) {
    if (isnan(x->mean))
        return BW_OK;
    bw_estimate e = bw_estimate_named(name, BW_SEGMENT_NAMES[s], "", unit);
    bw_estimate_take(&e, x);
    e.n = n;
    return bw_estimate_put(g->db, g->run, &e, err);
}

static bw_status store_segment(struct stage *g, size_t s, bw_err *err) {
    const bw_segment *x = &g->segment[s];
    double n = (double)x->n;
    bw_status st = put(g, "size", s, "customers", n, n, err);
    if (st == BW_OK)
        st = put(g, "revenue", s, "money", x->revenue, n, err);
    if (st == BW_OK)
        st = put(g, "churn", s, "share", x->churn, n, err);
    if (st == BW_OK)
        st = put(g, "next_purchase", s, "days", 7 * x->next_weeks, n, err);
    if (st == BW_OK)
        st = put(g, "repeats", s, "purchases", x->frequency, n, err);
    if (st == BW_OK)
        st = put(g, "weeks_since", s, "weeks", x->weeks_since, n, err);
    if (st == BW_OK)
        st = put_summary(g, "lifetime_value", s, "money", &x->lifetime, n, err);
    return st == BW_OK ? put_summary(g, "purchases", s, "purchases", &x->purchases, n, err) : st;
}

static bw_status store_customers(struct stage *g, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_exec(g->db, "DELETE FROM customer_segment", err);
    if (st == BW_OK)
        st = bw_db_prepare(g->db, "INSERT INTO customer_segment VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                           &s, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 0; st == BW_OK && i < g->people.n; i++) {
        const bw_customer *c = &g->people.c[i];
        double worth = bw_clv_lifetime(&g->model, c, BW_LIFETIME_WEEKS, BW_DISCOUNT);
        sqlite3_bind_text(s, 1, g->people.id[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, BW_SEGMENT_NAMES[g->kind[i]], -1, SQLITE_STATIC);
        sqlite3_bind_double(s, 3, c->frequency);
        sqlite3_bind_double(s, 4, c->age - c->recency);
        sqlite3_bind_double(s, 5, g->people.money[i]);
        sqlite3_bind_double(s, 6, bw_clv_alive(&g->model, c));
        sqlite3_bind_double(s, 7, 7 * bw_clv_next(&g->model, c));
        if (isnan(worth))
            sqlite3_bind_null(s, 8);
        else
            sqlite3_bind_double(s, 8, worth);
        st = bw_db_run(s, err);
        if (st == BW_OK && i % 4096 == 0 && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED, "interrupted");
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status begin(struct stage *g, bw_err *err) {
    char first[11], last[11];
    bw_day_format(g->people.first, first);
    bw_day_format(g->people.last, last);
    cJSON *o = cJSON_CreateObject(), *m = cJSON_AddObjectToObject(o, "model");
    const struct {
        const char *key;
        double x;
    } fields[] = {{"r", g->model.r}, {"alpha", g->model.alpha}, {"a", g->model.a},
                  {"b", g->model.b}, {"p", g->model.p},         {"q", g->model.q},
                  {"v", g->model.v}};
    for (size_t i = 0; i < 7; i++)
        bw_json_number(m, fields[i].key, fields[i].x);
    bw_notes_json(&g->notes, o);
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (!text)
        return bw_fail_memory(err);
    bw_run_info info = {.kind = "segment",
                        .engine = "mbg/nbd",
                        .seed = SEED,
                        .input = g->input,
                        .diagnostics = text,
                        .first_day = first,
                        .last_day = last};
    bw_status st = bw_run_begin(g->db, &info, &g->run, err);
    free(text);
    return st;
}

static bw_status store_all(struct stage *g, bw_err *err) {
    bw_status st = begin(g, err);
    for (size_t s = 0; st == BW_OK && s < BW_SEGMENTS; s++)
        if (g->segment[s].n)
            st = store_segment(g, s, err);
    if (st == BW_OK)
        st = store_customers(g, err);
    return st == BW_OK ? bw_persona_store(g->db, g->run, err) : st;
}

static bw_status stage_run(struct stage *g, bw_err *err) {
    bw_status st = bw_customers_from_db(g->db, &g->people, err);
    if (st == BW_OK)
        st = bw_clv_fit(g->people.c, g->people.n, true, &g->model, err);
    if (st != BW_OK)
        return st;
    if (isnan(g->model.p))
        bw_note(&g->notes, "too few repeat purchases with money: no lifetime value");
    bw_persona_notes(g->db, &g->notes);
    g->kind = malloc(g->people.n * sizeof *g->kind);
    st = g->kind ? bw_segment_assign(g->people.c, g->people.money, g->people.n, g->kind, err)
                 : bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_segment_describe(g->people.c, g->people.money, g->kind, g->people.n, &g->model,
                                 BW_LIFETIME_WEEKS, BW_DISCOUNT, SEED, g->segment, err);
    if (st == BW_OK)
        st = bw_db_begin(g->db, err);
    return st == BW_OK ? bw_db_end(g->db, store_all(g, err), err) : st;
}

bw_status bw_segment_run(sqlite3 *db, bool force, int64_t *run, bw_err *err) {
    struct stage g = {.db = db};
    *run = 0;
    bw_status st = bw_db_fingerprint(db, BW_CUSTOMERS_INPUT, g.input, err);
    if (st == BW_OK && !force)
        *run = bw_run_find(db, "segment", g.input, NULL);
    if (st == BW_OK && !*run) {
        st = stage_run(&g, err);
        *run = g.run;
    }
    free(g.kind);
    bw_customers_free(&g.people);
    bw_notes_free(&g.notes);
    return st;
}
