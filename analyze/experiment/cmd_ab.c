/* analyze/experiment/cmd_ab.c - `experiment ab FILE`: reads the arms, compares them, writes table or JSON.
 *
 * One pass a metric: its column becomes numbers, covariates take out what they explain, each arm
 * becomes a summary (by rows or by units), the core compares. */
#include "analyze/experiment/cmd_experiment.h"

#include "analyze/experiment/ab.h"
#include "analyze/output.h"
#include "analyze/table.h"
#include "common/command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAP_SEED   7u
#define SEGMENT_ROWS_MIN 20u /* an arm's rows in a segment below which the segment is left out */

struct job {
    const char *file, *arm, *control, *unit, *covariate, *segment, *ratio;
    bw_text_list metrics;
    bool json;
    bw_table *table;
    bw_groups arms, units, segments;
    size_t control_arm;
    double *x; /* covariate or NULL */
    double *y; /* the metric at hand, NAN where missing */
    bw_metric_kind kind;
    char metric[200];           /* its name */
    double n_rows[BW_ARMS_MAX]; /* of each arm, with a value */
    cJSON *rows, *segment_rows;
    bw_notes notes;
    bw_err refusal; /* why the last metric could not be judged */
};

static bw_status parse_metric(struct job *j, const char *spec, bw_err *err) {
    const char *colon = strrchr(spec, ':');
    size_t len = colon ? (size_t)(colon - spec) : 0;
    if (!len || len >= sizeof j->metric || (strcmp(colon, ":rate") && strcmp(colon, ":money")))
        return bw_fail(err, BW_EUSAGE,
                       "--metric %s: write COLUMN:rate (0/1) or COLUMN:money (any number)", spec);
    memcpy(j->metric, spec, len);
    j->metric[len] = '\0';
    j->kind = strcmp(colon, ":rate") == 0 ? BW_METRIC_RATE : BW_METRIC_MONEY;
    free(j->y);
    j->y = NULL;
    bw_status st = bw_table_numbers(j->table, j->metric, &j->y, err);
    size_t missing = 0;
    for (size_t i = 0; st == BW_OK && i < bw_table_rows(j->table); i++) {
        missing += isnan(j->y[i]) ? 1 : 0;
        if (j->kind == BW_METRIC_RATE && !isnan(j->y[i]) && j->y[i] != 0 && j->y[i] != 1)
            st =
                bw_fail(err, BW_EDATA,
                        "%s: line %zu, column %s: %g is not 0 or 1, so it is no rate; use %s:money",
                        j->file, i + 2, j->metric, j->y[i], j->metric);
    }
    if (st == BW_OK && missing)
        bw_note(&j->notes, "%s: %zu rows without a value are left out", j->metric, missing);
    return st;
}

/* The covariate explains part of the metric; what is left has the same mean and less noise. */
static bw_status adjust_by_covariate(struct job *j, bw_err *err) {
    if (!j->covariate)
        return BW_OK;
    size_t n = bw_table_rows(j->table);
    for (size_t i = 0; i < n; i++)
        if (isnan(j->y[i]) || isnan(j->x[i]))
            return bw_fail(err, BW_EDATA,
                           "%s: line %zu: %s or %s is empty; with --covariate no cell may be",
                           j->file, i + 2, j->metric, j->covariate);
    double removed = bw_cuped(j->y, j->x, n);
    if (j->kind == BW_METRIC_RATE)
        j->kind = BW_METRIC_MONEY; /* adjusted values are no longer 0 and 1 */
    bw_note(&j->notes, "%s: %s explains %.1f %% of its variance, which is taken out", j->metric,
            j->covariate, 100 * removed);
    return BW_OK;
}

/* The arm's values (of one segment, or of all when segment is SIZE_MAX); the caller frees. */
static double *arm_values(const struct job *j, size_t arm, size_t segment, size_t *n) {
    double *v = malloc(j->arms.count[arm] * sizeof *v + 1);
    *n = 0;
    for (size_t i = 0; v && i < bw_table_rows(j->table); i++)
        if (j->arms.code[i] == arm && !isnan(j->y[i]) &&
            (segment == SIZE_MAX || j->segments.code[i] == segment))
            v[(*n)++] = j->y[i];
    return v;
}

static bw_status summarise_units(const struct job *j, size_t arm, bw_arm *out, bw_err *err) {
    double *sum = calloc(j->units.n, sizeof *sum), *rows = calloc(j->units.n, sizeof *rows);
    if (!sum || !rows) {
        free(sum);
        free(rows);
        return bw_fail_memory(err);
    }
    for (size_t i = 0; i < bw_table_rows(j->table); i++)
        if (j->arms.code[i] == arm && !isnan(j->y[i])) {
            sum[j->units.code[i]] += j->y[i];
            rows[j->units.code[i]] += 1;
        }
    size_t k = 0;
    for (size_t u = 0; u < j->units.n; u++)
        if (rows[u] > 0) {
            sum[k] = sum[u];
            rows[k++] = rows[u];
        }
    *out = bw_arm_from_units(sum, rows, k);
    free(sum);
    free(rows);
    return BW_OK;
}

static bw_status summarise(const struct job *j, size_t segment, bw_arm *arms, bw_err *err) {
    for (size_t a = 0; a < j->arms.n; a++) {
        if (j->unit && segment == SIZE_MAX) {
            bw_status st = summarise_units(j, a, &arms[a], err);
            if (st != BW_OK)
                return st;
            continue;
        }
        size_t n;
        double *v = arm_values(j, a, segment, &n);
        if (!v)
            return bw_fail_memory(err);
        arms[a] = bw_arm_from_values(v, n, j->kind);
        free(v);
    }
    return BW_OK;
}

static cJSON *arm_json(const struct job *j, size_t a, const bw_arm *arm, const bw_arm_result *r) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "arm", j->arms.name[a]);
    cJSON_AddStringToObject(o, "metric", j->metric);
    cJSON_AddBoolToObject(o, "control", a == j->control_arm);
    const struct {
        const char *key;
        double x;
    } fields[] = {
        {"n", j->n_rows[a]},
        {"mean", arm->mean},
        {"uplift", r->uplift},
        {"lo", r->lo},
        {"hi", r->hi},
        {"p", r->p},
        {"p_best", r->p_best},
        {"expected_loss", r->expected_loss},
        {"relative_uplift", r->relative},
        {"se", r->se},
        {"lo_single", r->lo_single},
        {"hi_single", r->hi_single},
        {"p_single", r->p_single},
        {"lo_always", r->lo_always},
        {"hi_always", r->hi_always},
        {"p_always", r->p_always},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        bw_json_number(o, fields[i].key, fields[i].x);
    if (j->unit)
        bw_json_number(o, "units", arm->n);
    return o;
}

static void add_bootstrap(const struct job *j, size_t a, cJSON *o) {
    size_t n, nc;
    double lo = NAN, hi = NAN;
    if (j->kind != BW_METRIC_MONEY || j->unit || a == j->control_arm)
        return;
    double *v = arm_values(j, a, SIZE_MAX, &n), *c = arm_values(j, j->control_arm, SIZE_MAX, &nc);
    if (v && c)
        bw_ab_bootstrap(v, n, c, nc, BOOTSTRAP_SEED, &lo, &hi);
    bw_json_number(o, "lo_bootstrap", lo);
    bw_json_number(o, "hi_bootstrap", hi);
    free(v);
    free(c);
}

/* Uplift by segment, each pulled towards the common one as far as its noise asks for. */
static bw_status compare_segments(struct job *j, bw_err *err) {
    size_t s = j->segments.n, n = j->arms.n, k;
    double *raw = malloc(4 * s * sizeof *raw), *se = raw + s, *mean = raw + 2 * s,
           *sd = raw + 3 * s;
    size_t *which = malloc(s * sizeof *which);
    bw_status st = raw && which ? BW_OK : bw_fail_memory(err);
    for (size_t a = 0; st == BW_OK && a < n; a++) {
        if (a == j->control_arm)
            continue;
        k = 0;
        for (size_t g = 0; st == BW_OK && g < s; g++) {
            bw_arm arms[BW_ARMS_MAX];
            st = summarise(j, g, arms, err);
            const bw_arm *x = &arms[a], *c = &arms[j->control_arm];
            double e = hypot(x->se, c->se);
            if (x->n < SEGMENT_ROWS_MIN || c->n < SEGMENT_ROWS_MIN || !(e > 0))
                continue;
            raw[k] = x->mean - c->mean;
            se[k] = e;
            which[k++] = g;
        }
        if (k)
            bw_shrink(raw, se, k, mean, sd);
        for (size_t i = 0; i < k; i++) {
            cJSON *o = cJSON_CreateObject();
            cJSON_AddStringToObject(o, "segment", j->segments.name[which[i]]);
            cJSON_AddStringToObject(o, "arm", j->arms.name[a]);
            cJSON_AddStringToObject(o, "metric", j->metric);
            bw_json_number(o, "uplift", mean[i]);
            bw_json_number(o, "lo", mean[i] - 1.96 * sd[i]);
            bw_json_number(o, "hi", mean[i] + 1.96 * sd[i]);
            bw_json_number(o, "raw_uplift", raw[i]);
            bw_json_number(o, "raw_se", se[i]);
            cJSON_AddItemToArray(j->segment_rows, o);
        }
    }
    free(raw);
    free(which);
    return st;
}

static void count_rows(struct job *j) {
    memset(j->n_rows, 0, sizeof j->n_rows);
    for (size_t i = 0; i < bw_table_rows(j->table); i++)
        j->n_rows[j->arms.code[i]] += isnan(j->y[i]) ? 0 : 1;
}

/* Arms with fewer than two observations cannot be judged: each is named, the others are compared without it. */
static bw_status compare_filled(struct job *j, const bw_arm *arms, bw_arm_result *results,
                                bool *few) {
    bw_arm filled[BW_ARMS_MAX];
    bw_arm_result r[BW_ARMS_MAX];
    size_t from[BW_ARMS_MAX], n = 0, control = SIZE_MAX, empty = 0;
    for (size_t a = 0; a < j->arms.n; a++) {
        results[a] =
            (bw_arm_result){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
        empty = arms[a].n < 2 ? a : empty;
        if (arms[a].n < 2)
            continue;
        control = a == j->control_arm ? n : control;
        from[n] = a;
        filled[n++] = arms[a];
    }
    if (control == SIZE_MAX || n < 2)
        return bw_fail(&j->refusal, BW_EDATA,
                       "arm '%s' has %.0f observations; two are the least to compare it with",
                       j->arms.name[control == SIZE_MAX ? j->control_arm : empty],
                       arms[control == SIZE_MAX ? j->control_arm : empty].n);
    bw_status st = bw_ab_compare(filled, n, control, j->kind, r, few, &j->refusal);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        results[from[i]] = r[i];
    for (size_t a = 0; st == BW_OK && a < j->arms.n; a++)
        if (arms[a].n < 2)
            bw_note(&j->notes, "%s: arm '%s' has %.0f observations: nothing can be said of it",
                    j->metric, j->arms.name[a], arms[a].n);
    return st;
}

/* An arm without any spread brings none to the interval, which then speaks for the other arms alone. */
static void note_constant(struct job *j, const bw_arm *arms) {
    for (size_t a = 0; a < j->arms.n; a++)
        if (j->kind == BW_METRIC_MONEY && arms[a].n >= 2 && !(arms[a].sd > 0))
            bw_note(&j->notes,
                    "%s: every value of arm '%s' is %s: its noise is not known, and intervals hold "
                    "that of the other arm alone",
                    j->metric, j->arms.name[a], bw_show(arms[a].mean));
}

static bw_status compare_metric(struct job *j, const char *spec, bool *useful, bw_err *err) {
    bw_arm arms[BW_ARMS_MAX];
    bw_arm_result results[BW_ARMS_MAX];
    bool few = false;
    bw_status st = parse_metric(j, spec, err);
    if (st == BW_OK)
        st = adjust_by_covariate(j, err);
    if (st == BW_OK)
        st = summarise(j, SIZE_MAX, arms, err);
    if (st != BW_OK)
        return st;
    count_rows(j);
    st = compare_filled(j, arms, results, &few);
    if (st != BW_OK && st != BW_EDATA)
        return bw_fail(err, st, "%s", j->refusal.text);
    if (st == BW_EDATA)
        bw_note(&j->notes, "%s: %s", j->metric, j->refusal.text);
    if (few)
        bw_note(&j->notes,
                "%s: fewer than ten successes or failures in an arm; the interval adds one of "
                "each to every arm (Agresti-Caffo)",
                j->metric);
    if (st == BW_OK)
        note_constant(j, arms);
    *useful |= st == BW_OK;
    for (size_t a = 0; a < j->arms.n; a++) {
        cJSON *o = arm_json(j, a, &arms[a], &results[a]);
        if (st == BW_OK && arms[a].n >= 2)
            add_bootstrap(j, a, o);
        cJSON_AddItemToArray(j->rows, o);
    }
    return st == BW_OK && j->segment ? compare_segments(j, err) : BW_OK;
}

/* What was assigned: units where they are given, else rows. */
static bw_status count_assigned(const struct job *j, double *count, bw_err *err) {
    for (size_t a = 0; a < j->arms.n; a++)
        count[a] = j->unit ? 0 : (double)j->arms.count[a];
    if (!j->unit)
        return BW_OK;
    bool *seen = calloc(j->units.n, sizeof *seen);
    if (!seen)
        return bw_fail_memory(err);
    for (size_t i = 0; i < bw_table_rows(j->table); i++) {
        count[j->arms.code[i]] += !seen[j->units.code[i]];
        seen[j->units.code[i]] = true;
    }
    free(seen);
    return BW_OK;
}

/* "1:1:2" in the order of the arms' names; NULL = equal. */
static bw_status sample_ratio(struct job *j, cJSON *out, bw_err *err) {
    double count[BW_ARMS_MAX], share[BW_ARMS_MAX];
    const char *rest = j->ratio;
    bw_status st = count_assigned(j, count, err);
    if (st != BW_OK)
        return st;
    for (size_t a = 0; a < j->arms.n; a++) {
        char *end = NULL;
        share[a] = rest ? strtod(rest, &end) : 1;
        bool last = a + 1 == j->arms.n;
        if (rest && (end == rest || !(share[a] > 0) || *end != (last ? '\0' : ':')))
            return bw_fail(err, BW_EUSAGE,
                           "--ratio %s: wanted %zu positive numbers with ':' between, in the "
                           "order of the arms' names",
                           j->ratio, j->arms.n);
        rest = rest && !last ? end + 1 : rest;
    }
    double p = bw_sample_ratio_p(count, share, j->arms.n);
    cJSON *o = cJSON_AddObjectToObject(out, "sample_ratio");
    bw_json_number(o, "p", p);
    cJSON_AddBoolToObject(o, "alarm", p < BW_SAMPLE_RATIO_ALARM);
    if (p < BW_SAMPLE_RATIO_ALARM)
        bw_note(&j->notes,
                "the sizes of the arms do not fit %s split (p %s): look for lost or doubled users "
                "before you believe any uplift%s",
                j->ratio ? "the planned" : "an equal", bw_show_p(p),
                j->ratio ? "" : "; if another split was planned, give it with --ratio");
    return BW_OK;
}

static bw_status find_control(struct job *j, bw_err *err) {
    static const char *const USUAL[] = {"control", "Control", "none", "None", "placebo", "A", "0"};
    if (j->control) {
        j->control_arm = bw_groups_find(&j->arms, j->control);
        if (j->control_arm < j->arms.n)
            return BW_OK;
        char list[600] = "";
        for (size_t a = 0; a < j->arms.n && a < 12; a++) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s'%s'", a ? ", " : "", j->arms.name[a]);
        }
        return bw_fail(err, BW_EARG, "--control: no row has %s '%s'; the arms are %s", j->arm,
                       j->control, list);
    }
    for (size_t u = 0; u < sizeof USUAL / sizeof *USUAL; u++) {
        j->control_arm = bw_groups_find(&j->arms, USUAL[u]);
        if (j->control_arm < j->arms.n)
            break;
    }
    if (j->control_arm == j->arms.n)
        j->control_arm = 0;
    bw_note(&j->notes, "no --control given: '%s' is taken as the control",
            j->arms.name[j->control_arm]);
    return BW_OK;
}

static bw_status check_units(const struct job *j, bw_err *err) {
    size_t *arm = malloc(j->units.n * sizeof *arm);
    if (!arm)
        return bw_fail_memory(err);
    bw_status st = BW_OK;
    for (size_t u = 0; u < j->units.n; u++)
        arm[u] = SIZE_MAX;
    for (size_t i = 0; st == BW_OK && i < bw_table_rows(j->table); i++) {
        size_t u = j->units.code[i], a = j->arms.code[i];
        if (arm[u] != SIZE_MAX && arm[u] != a)
            st = bw_fail(err, BW_EDATA,
                         "%s: line %zu: %s '%s' is in arm '%s' and in arm '%s'; a unit belongs "
                         "to one arm (for a test that switches over time use "
                         "'experiment switchback')",
                         j->file, i + 2, j->unit, j->units.name[u], j->arms.name[arm[u]],
                         j->arms.name[a]);
        arm[u] = a;
    }
    free(arm);
    return st;
}

static bw_status load(struct job *j, bw_err *err) {
    bw_status st = bw_table_load(j->file, &j->table, err);
    if (st == BW_OK)
        st = bw_table_groups(j->table, j->arm, &j->arms, err);
    if (st == BW_OK && j->arms.name[0][0] == '\0')
        st = bw_fail(err, BW_EDATA, "%s: %zu rows have no %s; every row needs its arm", j->file,
                     j->arms.count[0], j->arm);
    if (st == BW_OK && (j->arms.n < 2 || j->arms.n > BW_ARMS_MAX))
        st = bw_fail(err, BW_EDATA, "%s: column %s has %zu different values; wanted 2 to %u arms",
                     j->file, j->arm, j->arms.n, BW_ARMS_MAX);
    if (st == BW_OK)
        st = find_control(j, err);
    if (st == BW_OK && j->unit)
        st = bw_table_groups(j->table, j->unit, &j->units, err);
    if (st == BW_OK && j->unit)
        st = check_units(j, err);
    if (st == BW_OK && j->segment)
        st = bw_table_groups(j->table, j->segment, &j->segments, err);
    if (st == BW_OK && j->covariate)
        st = bw_table_numbers(j->table, j->covariate, &j->x, err);
    return st;
}

static double field(const cJSON *o, const char *key) {
    const cJSON *x = cJSON_GetObjectItem(o, key);
    return cJSON_IsNumber(x) ? x->valuedouble : NAN;
}

static const char *words(const cJSON *o, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItem(o, key));
}

static void print_table(const struct job *j) {
    const cJSON *o;
    printf("%-18s %-14s %9s %10s %10s  %-22s %8s %8s %10s\n", "arm", "metric", "n", "mean",
           "uplift", "95 % interval", "p", "P(best)", "exp. loss");
    cJSON_ArrayForEach(o, j->rows) {
        char interval[64] = "control";
        if (!cJSON_IsTrue(cJSON_GetObjectItem(o, "control")))
            snprintf(interval, sizeof interval, "%s .. %s", bw_show(field(o, "lo")),
                     bw_show(field(o, "hi")));
        printf("%-18s %-14s %9.0f %10s %10s  %-22s %8s %8s %10s\n", words(o, "arm"),
               words(o, "metric"), field(o, "n"), bw_show(field(o, "mean")),
               bw_show(field(o, "uplift")), interval, bw_show_p(field(o, "p")),
               bw_show_share(field(o, "p_best")), bw_show(field(o, "expected_loss")));
    }
    if (!cJSON_GetArraySize(j->segment_rows))
        return;
    printf("\n%-18s %-18s %-14s %10s  %-22s %10s\n", j->segment, "arm", "metric", "uplift",
           "95 % interval", "unshrunk");
    cJSON_ArrayForEach(o, j->segment_rows) {
        char interval[64];
        snprintf(interval, sizeof interval, "%s .. %s", bw_show(field(o, "lo")),
                 bw_show(field(o, "hi")));
        printf("%-18s %-18s %-14s %10s  %-22s %10s\n", words(o, "segment"), words(o, "arm"),
               words(o, "metric"), bw_show(field(o, "uplift")), interval,
               bw_show(field(o, "raw_uplift")));
    }
}

static bw_status run(struct job *j, bw_err *err) {
    cJSON *out = cJSON_CreateObject();
    j->rows = cJSON_AddArrayToObject(out, "arms");
    j->segment_rows = cJSON_CreateArray();
    bool useful = false;
    bw_status st = load(j, err);
    for (size_t m = 0; st == BW_OK && m < j->metrics.n; m++)
        st = compare_metric(j, j->metrics.text[m], &useful, err);
    if (st == BW_OK)
        st = sample_ratio(j, out, err);
    if (st == BW_OK && j->arms.n > 2)
        bw_note(&j->notes, "intervals and p are adjusted for %zu comparisons (Dunnett)",
                j->arms.n - 1);
    if (st == BW_OK && !useful)
        st = bw_fail(err, BW_EDATA, "%s: %s: %s", j->file, j->metric, j->refusal.text);
    if (st == BW_OK && !j->json)
        print_table(j);
    cJSON_AddItemToObject(out, "segments", j->segment_rows);
    if (st == BW_OK && j->json) {
        bw_notes_json(&j->notes, out);
        return bw_json_print(out, err);
    }
    cJSON_Delete(out);
    if (st == BW_OK)
        bw_notes_print(&j->notes);
    return st;
}

bw_status bw_cmd_experiment_ab(int argc, char **argv, bw_err *err) {
    struct job j = {0};
    const bw_option options[] = {
        {"arm", 0, BW_OPT_TEXT, &j.arm, "COLUMN", "which arm a row is in"},
        {"control", 0, BW_OPT_TEXT, &j.control, "VALUE", "the arm that is the control"},
        {"metric", 'm', BW_OPT_LIST, &j.metrics, "COLUMN:KIND",
         "rate (0/1) or money; may be given again"},
        {"unit", 0, BW_OPT_TEXT, &j.unit, "COLUMN",
         "what was assigned to an arm, when it has several rows"},
        {"covariate", 0, BW_OPT_TEXT, &j.covariate, "COLUMN",
         "known before the test; its share of the noise is taken out"},
        {"segment", 0, BW_OPT_TEXT, &j.segment, "COLUMN", "uplift by group as well, shrunk"},
        {"ratio", 0, BW_OPT_TEXT, &j.ratio, "1:1",
         "planned sizes of the arms, in the order of their names"},
        BW_OPTION_JSON(j.json),
        {0}};
    const bw_usage usage = {
        "experiment ab FILE --arm COLUMN --metric COLUMN:KIND [options]",
        "Compares randomised arms with a control, straight from a CSV (.gz too). Intervals are 95 "
        "%,\n"
        "adjusted for several arms; lo_always .. hi_always stays valid however often you look.",
        "  bellwether experiment ab mail.csv.gz --arm segment --control 'No E-Mail' \\\n"
        "      --metric visit:rate --metric spend:money --segment newbie\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1 || !j.arm || !j.metrics.n)
        return bw_fail(err, BW_EUSAGE,
                       "experiment ab: wanted one FILE, --arm and at least one --metric; "
                       "see 'bellwether experiment ab --help'");
    j.file = argv[0];
    st = run(&j, err);
    bw_table_free(j.table);
    bw_groups_free(&j.arms);
    bw_groups_free(&j.units);
    bw_groups_free(&j.segments);
    bw_notes_free(&j.notes);
    free(j.x);
    free(j.y);
    return st;
}
