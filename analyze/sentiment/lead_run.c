/* analyze/sentiment/lead_run.c - sentiment against sales as a stage: read the weeks, test, store. */
#include "analyze/runs.h"

#include "analyze/output.h"
#include "analyze/sentiment/lead.h"
#include "analyze/store.h"
#include "analyze/table.h"
#include "sql/db.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED    7u
#define OPTIONS "{}"
#define KNOWN   2 /* columns taken from the fit: media; events and controls */

/* Complete weeks: outcome (a week without any is taken as closed), mood of its reviews, and what the
 * newest fit credits to media and to events and controls, all but the mood itself. */
static const char WEEKS[] =
    "WITH full AS (SELECT min(week) AS first, max(week) AS last FROM weekly WHERE days >= (SELECT "
    "max(days) FROM weekly)), "
    "known AS (SELECT at AS week, total(CASE WHEN subject NOT LIKE '\\_%' ESCAPE '\\' THEN mean "
    "END) AS "
    "media, "
    "total(CASE WHEN subject LIKE '\\_event:%' ESCAPE '\\' OR subject LIKE '\\_control:%' ESCAPE "
    "'\\' "
    "AND subject <> '_control:sentiment' THEN mean END) AS other FROM latest_estimate "
    "WHERE kind = 'fit' AND name = 'decomposition' GROUP BY at) "
    "SELECT week, nullif(CASE (SELECT value FROM setting WHERE key = 'outcome_kind') "
    "WHEN 'units' THEN units WHEN 'orders' THEN orders ELSE revenue END, 0), s.sentiment, k.media, "
    "k.other FROM weekly JOIN full LEFT JOIN review_sentiment_week s USING (week) LEFT JOIN known "
    "k "
    "USING (week) WHERE week BETWEEN full.first AND full.last ORDER BY week";

struct stage {
    sqlite3 *db;
    size_t n;
    double first;
    double *sentiment, *outcome, *known; /* known: [n, KNOWN] */
    double *column;                      /* [n, columns]: those of known that can be used */
    size_t columns;
    bw_lead found;
    bw_notes notes;
    char input[17];
    int64_t run;
};

/* ---- reading ---- */

static bw_status make_room(struct stage *g, bw_err *err) {
    static const char SPAN[] = "SELECT (julianday(max(week)) - julianday(min(week))) / 7 + 1 FROM "
                               "weekly";
    size_t n = (size_t)lround(bw_db_number(g->db, SPAN, 0));
    g->sentiment = malloc((n + 1) * (2 + 2 * KNOWN) * sizeof *g->sentiment);
    if (!g->sentiment)
        return bw_fail_memory(err);
    for (size_t i = 0; i < n * (2 + KNOWN); i++)
        g->sentiment[i] = NAN;
    g->outcome = g->sentiment + n;
    g->known = g->outcome + n;
    g->column = g->known + n * KNOWN;
    g->n = n;
    return BW_OK;
}

static double number_at(sqlite3_stmt *s, int column) {
    return sqlite3_column_type(s, column) == SQLITE_NULL ? NAN : sqlite3_column_double(s, column);
}

static bw_status read_weeks(struct stage *g, bw_err *err) {
    sqlite3_stmt *s;
    size_t last = 0;
    bool row = true, any = false;
    bw_status st = bw_db_prepare(g->db, WEEKS, &s, err);
    while (st == BW_OK && (st = bw_db_step(s, &row, err)) == BW_OK && row) {
        double day;
        if (!bw_day_parse((const char *)sqlite3_column_text(s, 0), &day))
            continue;
        if (!any)
            g->first = day;
        any = true;
        last = (size_t)((day - g->first) / 7);
        g->outcome[last] = number_at(s, 1);
        g->sentiment[last] = number_at(s, 2);
        for (int c = 0; c < KNOWN; c++)
            g->known[last * KNOWN + (size_t)c] = number_at(s, 3 + c);
    }
    sqlite3_finalize(s);
    g->n = any ? last + 1 : 0;
    return st;
}

/* A column that varies, and is known in every week that has an outcome. */
static bool usable(const struct stage *g, size_t c) {
    double lo = INFINITY, hi = -INFINITY;
    for (size_t t = 0; t < g->n; t++) {
        double x = g->known[t * KNOWN + c];
        if (isfinite(g->outcome[t]) && !isfinite(x))
            return false;
        lo = fmin(lo, x); /* fmin and fmax pass over NAN */
        hi = fmax(hi, x);
    }
    return hi > lo;
}

static void choose_columns(struct stage *g) {
    bool use[KNOWN];
    for (size_t c = 0; c < KNOWN; c++)
        g->columns += use[c] = usable(g, c);
    size_t at = 0;
    for (size_t t = 0; t < g->n; t++)
        for (size_t c = 0; c < KNOWN; c++)
            if (use[c])
                g->column[at++] = g->known[t * KNOWN + c];
    if (!use[0])
        bw_note(&g->notes, "no fit covers these weeks: what media did to sales is not taken out");
}

/* ---- storing ---- */

static bw_status begin(struct stage *g, bw_err *err) {
    char first[11], last[11];
    bw_day_format(g->first, first);
    bw_day_format(g->first + 7 * (double)g->n - 1, last);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "memory_sentiment", g->found.memory[0]);
    cJSON_AddNumberToObject(o, "memory_outcome", g->found.memory[1]);
    bw_notes_json(&g->notes, o);
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (!text)
        return bw_fail_memory(err);
    bw_run_info info = {.kind = "sentiment",
                        .engine = "cross-correlation",
                        .seed = SEED,
                        .input = g->input,
                        .options = OPTIONS,
                        .diagnostics = text,
                        .first_day = first,
                        .last_day = last};
    bw_status st = bw_run_begin(g->db, &info, &g->run, err);
    cJSON_free(text);
    return st;
}

static bw_status put_lag(struct stage *g, int k, const char *at, double probability, bw_err *err) {
    const bw_lead_lag *lag = &g->found.lag[k + BW_LEAD_MOST];
    bw_estimate e = bw_estimate_named("correlation", "", at, "number");
    e.mean = lag->r;
    e.lo = lag->lo;
    e.hi = lag->hi;
    e.probability = probability;
    e.n = (double)lag->pairs;
    return isfinite(lag->r) ? bw_estimate_put(g->db, g->run, &e, err) : BW_OK;
}

static bw_status store(struct stage *g, bw_err *err) {
    bw_estimate e = bw_estimate_named("lead", "", "", "weeks");
    e.mean = g->found.lead;
    e.probability = 1 - g->found.p;
    e.n = (double)g->found.weeks;
    bw_status st = begin(g, err);
    if (st == BW_OK)
        st = bw_estimate_put(g->db, g->run, &e, err);
    if (st == BW_OK)
        st = put_lag(g, g->found.lead, "", 1 - g->found.p, err);
    for (int k = -BW_LEAD_MOST; st == BW_OK && k <= BW_LEAD_MOST; k++) {
        char at[12];
        snprintf(at, sizeof at, "%d", k);
        st = put_lag(g, k, at, NAN, err);
    }
    return st;
}

static bw_status stage_run(struct stage *g, bw_err *err) {
    bw_status st = make_room(g, err);
    if (st == BW_OK)
        st = read_weeks(g, err);
    if (st != BW_OK)
        return st;
    choose_columns(g);
    bw_lead_data d = {g->n, g->sentiment, g->outcome, g->column, g->columns};
    st = bw_lead_find(&d, SEED, &g->found, err);
    if (st == BW_OK)
        st = bw_db_begin(g->db, err);
    return st == BW_OK ? bw_db_end(g->db, store(g, err), err) : st;
}

bw_status bw_sentiment_run(sqlite3 *db, bool force, int64_t *run, bw_err *err) {
    struct stage g = {.db = db};
    *run = 0;
    bw_status st = bw_db_fingerprint(db, WEEKS, g.input, err);
    if (st == BW_OK && !force)
        *run = bw_run_find(db, "sentiment", g.input, OPTIONS);
    if (st == BW_OK && !*run) {
        st = stage_run(&g, err);
        *run = g.run;
    }
    free(g.sentiment);
    bw_notes_free(&g.notes);
    return st;
}
