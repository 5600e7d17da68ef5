/* analyze/experiment/experiment_run.c - stored experiments as a stage: judge every one, and say what to test next.
 *
 * Arms are compared metric by metric (ab.h); tests that came with an effect and its error are restated. What to test next is
 * weighed in next.c. */
#include "analyze/runs.h"

#include "analyze/experiment/ab.h"
#include "analyze/experiment/next.h"
#include "analyze/output.h"
#include "analyze/store.h"
#include "sql/db.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED     7u
#define TEXT_MAX 200
#define Z90      1.644854

static const char INPUT[] =
    "SELECT id, coalesce(start_day, ''), coalesce(end_day, ''), effect, effect_sd, metric FROM "
    "experiment "
    "UNION ALL SELECT experiment, arm, metric, n, sum, sum_sq FROM experiment_arm "
    "UNION ALL SELECT 'fit', max(id), '', 0, 0, 0 FROM model_run WHERE kind = 'fit' "
    "UNION ALL SELECT 'sales', max(day), count(*), total(revenue), count(DISTINCT geo), 0 FROM "
    "outcome";

struct stage {
    sqlite3 *db;
    int64_t run;
    size_t stored;
    bw_notes notes;
    char input[17];
};

static const char *text(sqlite3_stmt *s, int i) {
    const char *t = (const char *)sqlite3_column_text(s, i);
    return t ? t : "";
}

static bw_status put(struct stage *g, const char *name, const char *subject, const char *at,
                     const char *unit, double mean, double sd, double p, double n, bw_err *err) {
    bw_estimate e = bw_estimate_named(name, subject, at, unit);
    e.mean = mean;
    e.sd = sd;
    e.lo = mean - Z90 * sd;
    e.hi = mean + Z90 * sd;
    e.probability = p;
    e.n = n;
    g->stored++;
    return bw_estimate_put(g->db, g->run, &e, err);
}

/* ---- tests with arms ---- */

struct arms {
    char experiment[TEXT_MAX], metric[TEXT_MAX], name[BW_ARMS_MAX][TEXT_MAX];
    bool primary, rate, control_known;
    bw_arm arm[BW_ARMS_MAX];
    size_t n, control;
};

static bw_status judge(struct stage *g, const struct arms *a, bw_err *err) {
    bw_arm_result r[BW_ARMS_MAX];
    bw_err why = {{0}};
    bool few;
    bw_status st = bw_ab_compare(a->arm, a->n, a->control,
                                 a->rate ? BW_METRIC_RATE : BW_METRIC_MONEY, r, &few, &why);
    if (st != BW_OK) {
        bw_note(&g->notes, "%s, %s: %s", a->experiment, a->metric, why.text);
        return BW_OK;
    }
    double count[BW_ARMS_MAX];
    for (size_t i = 0; i < a->n; i++)
        count[i] = a->arm[i].n;
    if (bw_sample_ratio_p(count, NULL, a->n) < BW_SAMPLE_RATIO_ALARM)
        bw_note(&g->notes,
                "%s: the arms' sizes are not equal (p %.2g); if they should be, look for lost "
                "users first",
                a->experiment, bw_sample_ratio_p(count, NULL, a->n));
    if (!a->control_known)
        bw_note(&g->notes, "%s: no arm is marked as control; '%s' is taken", a->experiment,
                a->name[a->control]);
    for (size_t i = 0; st == BW_OK && i < a->n; i++) {
        char at[2 * TEXT_MAX + 4];
        snprintf(at, sizeof at, a->primary ? "%s" : "%s:%s", a->name[i], a->metric);
        if (i == a->control)
            continue;
        st = put(g, "effect", a->experiment, at, a->rate ? "share" : "money", r[i].uplift, r[i].se,
                 r[i].p_best, a->arm[i].n, err);
        if (st == BW_OK)
            st = put(g, "expected_loss", a->experiment, at, a->rate ? "share" : "money",
                     r[i].expected_loss, NAN, NAN, a->arm[i].n, err);
        if (st == BW_OK && isfinite(r[i].relative))
            st = put(g, "relative_effect", a->experiment, at, "share", r[i].relative,
                     r[i].se / a->arm[a->control].mean, NAN, a->arm[i].n, err);
    }
    return st;
}

static bool same_group(const struct arms *a, sqlite3_stmt *s) {
    return a->n && strcmp(a->experiment, text(s, 0)) == 0 && strcmp(a->metric, text(s, 1)) == 0;
}

static void add_arm(struct arms *a, sqlite3_stmt *s) {
    if (a->n == BW_ARMS_MAX)
        return;
    if (!a->n) {
        snprintf(a->experiment, TEXT_MAX, "%s", text(s, 0));
        snprintf(a->metric, TEXT_MAX, "%s", text(s, 1));
        a->primary = sqlite3_column_int(s, 7);
        a->rate = sqlite3_column_int(s, 8);
    }
    snprintf(a->name[a->n], TEXT_MAX, "%s", text(s, 2));
    if (sqlite3_column_int(s, 3)) {
        a->control = a->n;
        a->control_known = true;
    }
    a->arm[a->n++] =
        bw_arm_from_sums(sqlite3_column_double(s, 4), sqlite3_column_double(s, 5),
                         sqlite3_column_double(s, 6), a->rate ? BW_METRIC_RATE : BW_METRIC_MONEY);
}

static bw_status judge_arms(struct stage *g, bw_err *err) {
    static const char ARMS[] =
        "SELECT a.experiment, a.metric, a.arm, a.is_control, a.n, a.sum, a.sum_sq, "
        " a.metric = coalesce(e.metric, ''), min(a.sum_sq IS NULL OR a.sum_sq = a.sum AND a.sum <= "
        "a.n) "
        "  OVER (PARTITION BY a.experiment, a.metric) "
        "FROM experiment_arm a LEFT JOIN experiment e ON e.id = a.experiment ORDER BY 1, 2, 3";
    struct arms *a = calloc(1, sizeof *a);
    sqlite3_stmt *s = NULL;
    bw_status st = a ? bw_db_prepare(g->db, ARMS, &s, err) : bw_fail_memory(err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && a->n && (!row || !same_group(a, s))) {
            st = judge(g, a, err);
            memset(a, 0, sizeof *a);
        }
        if (st == BW_OK && row)
            add_arm(a, s);
    }
    sqlite3_finalize(s);
    free(a);
    return st;
}

/* ---- tests that came with their effect ---- */

static bw_status restate_effects(struct stage *g, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        g->db,
        "SELECT id, effect, effect_sd, metric FROM experiment WHERE effect IS NOT NULL "
        "ORDER BY id",
        &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        double mean = sqlite3_column_double(s, 1), sd = sqlite3_column_double(s, 2);
        if (!(sd > 0))
            bw_note(&g->notes,
                    "%s: its effect has no error (effect_sd), so it can calibrate nothing",
                    text(s, 0));
        else
            st = put(g, "effect", text(s, 0), "", text(s, 3), mean, sd,
                     gsl_cdf_ugaussian_P(mean / sd), NAN, err);
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status warn_of_overlaps(struct stage *g, bw_err *err) {
    static const char OVERLAPS[] = "SELECT a.id, b.id FROM experiment a JOIN experiment b ON a.id "
                                   "< b.id AND a.start_day <= b.end_day AND "
                                   "b.start_day <= a.end_day AND (a.geo = b.geo OR a.geo = '' OR "
                                   "b.geo = '') WHERE a.kind <> 'ab' AND b.kind <> 'ab'";
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(g->db, OVERLAPS, &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            bw_note(&g->notes,
                    "%s and %s ran at the same time in the same place: neither effect can be told "
                    "from the "
                    "other's",
                    text(s, 0), text(s, 1));
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status store_notes(struct stage *g, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    bw_notes_json(&g->notes, o);
    char *json = cJSON_PrintUnformatted(o);
    sqlite3_stmt *s = NULL;
    bw_status st =
        json ? bw_db_prepare(g->db, "UPDATE model_run SET diagnostics = ? WHERE id = ?", &s, err)
             : bw_fail_memory(err);
    if (st == BW_OK) {
        sqlite3_bind_text(s, 1, json, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, g->run);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    free(json);
    cJSON_Delete(o);
    return st;
}

static bw_status store_all(struct stage *g, bw_err *err) {
    bw_run_info info = {.kind = "experiment", .engine = "ab", .seed = SEED, .input = g->input};
    bw_status st = bw_run_begin(g->db, &info, &g->run, err);
    if (st == BW_OK)
        st = judge_arms(g, err);
    if (st == BW_OK)
        st = restate_effects(g, err);
    if (st == BW_OK)
        st = warn_of_overlaps(g, err);
    if (st == BW_OK)
        st = bw_next_store(g->db, g->run, &g->notes, &g->stored, err);
    if (st == BW_OK && !g->stored)
        return bw_fail(err, BW_EDATA, "%s",
                       g->notes.n ? g->notes.text[0]
                                  : "there is no experiment, and no fit to say what to test next; "
                                    "'bellwether import experiment FILE' or 'bellwether fit'");
    return st == BW_OK ? store_notes(g, err) : st;
}

bw_status bw_experiment_run(sqlite3 *db, bool force, int64_t *run, bw_err *err) {
    struct stage g = {.db = db};
    *run = 0;
    bw_status st = bw_db_fingerprint(db, INPUT, g.input, err);
    if (st == BW_OK && !force)
        *run = bw_run_find(db, "experiment", g.input, NULL);
    if (st == BW_OK && !*run) {
        st = bw_db_begin(db, err);
        if (st == BW_OK)
            st = bw_db_end(db, store_all(&g, err), err);
        *run = st == BW_OK ? g.run : 0;
    }
    bw_notes_free(&g.notes);
    return st;
}
