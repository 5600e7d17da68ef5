/* analyze/customer/cmd_attribution.c - `attribution FILE`: credit from journeys, beside what the mix model says. */
#include "analyze/commands.h"

#include "analyze/customer/journey.h"
#include "analyze/output.h"
#include "analyze/store.h"
#include "analyze/table.h"
#include "common/command.h"
#include "sql/db.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNELS_MAX 400u

struct job {
    const char *path, *file, *column, *conversions, *value, *nulls, *separator;
    long order;
    bool json;
    bw_table *table;
    bw_path *journey;
    unsigned *step;
    size_t n, steps;
    char *name[CHANNELS_MAX];
    size_t channels;
    bw_credit credit[CHANNELS_MAX];
    double share[CHANNELS_MAX], share_lo[CHANNELS_MAX],
        share_hi[CHANNELS_MAX]; /* of the mix model, NAN */
    bool compared;
    bw_notes notes;
};

static bw_status channel_code(struct job *j, const char *text, size_t len, unsigned *code,
                              bw_err *err) {
    for (size_t k = 0; k < j->channels; k++)
        if (strlen(j->name[k]) == len && memcmp(j->name[k], text, len) == 0) {
            *code = (unsigned)k;
            return BW_OK;
        }
    if (j->channels == CHANNELS_MAX)
        return bw_fail(
            err, BW_EDATA,
            "%s: more than %u different channels in column %s; is the separator '%s' right?",
            j->file, CHANNELS_MAX, j->column, j->separator);
    j->name[j->channels] = strndup(text, len);
    *code = (unsigned)j->channels;
    return j->name[j->channels++] ? BW_OK : bw_fail_memory(err);
}

/* "a > b > a" into codes at step[*at]. */
static bw_status split_path(struct job *j, const char *text, size_t row, size_t *at, bw_err *err) {
    size_t sep = strlen(j->separator);
    for (;;) {
        const char *end = strstr(text, j->separator);
        size_t len = end ? (size_t)(end - text) : strlen(text);
        const char *a = text;
        while (len && isspace((unsigned char)*a)) {
            a++;
            len--;
        }
        while (len && isspace((unsigned char)a[len - 1]))
            len--;
        if (!len)
            return bw_fail(err, BW_EFORMAT, "%s: line %zu, column %s: a step of the path is empty",
                           j->file, row + 2, j->column);
        bw_status st = channel_code(j, a, len, &j->step[*at], err);
        if (st != BW_OK)
            return st;
        (*at)++;
        if (!end)
            return BW_OK;
        text = end + sep;
    }
}

static size_t count_steps(const struct job *j, const char *text) {
    size_t n = 1;
    for (const char *p = text; (p = strstr(p, j->separator)); p += strlen(j->separator))
        n++;
    return n;
}

static bw_status build_paths(struct job *j, size_t column, const double *conversions,
                             const double *value, const double *nulls, bw_err *err) {
    size_t total = 0, at = 0;
    for (size_t i = 0; i < j->n; i++)
        total += count_steps(j, bw_table_text(j->table, i, column));
    j->step = malloc(total * sizeof *j->step);
    j->journey = malloc(j->n * sizeof *j->journey);
    if (!j->step || !j->journey)
        return bw_fail_memory(err);
    for (size_t i = 0; i < j->n; i++) {
        size_t from = at;
        double lost = nulls ? nulls[i] : 0, money = value ? value[i] : 0;
        if (conversions[i] < 0 || lost < 0)
            return bw_fail(err, BW_EDATA, "%s: line %zu: a count is negative", j->file, i + 2);
        bw_status st = split_path(j, bw_table_text(j->table, i, column), i, &at, err);
        if (st != BW_OK)
            return st;
        j->journey[i] = (bw_path){j->step + from, at - from, conversions[i], money, lost};
    }
    return BW_OK;
}

static bw_status load(struct job *j, bw_err *err) {
    double *conversions = NULL, *value = NULL, *nulls = NULL;
    size_t column = 0;
    bw_status st = bw_table_load(j->file, &j->table, err);
    if (st == BW_OK)
        st = bw_table_find(j->table, j->column, &column, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(j->table, j->conversions, &conversions, err);
    if (st == BW_OK && j->value)
        st = bw_table_full_numbers(j->table, j->value, &value, err);
    if (st == BW_OK && j->nulls)
        st = bw_table_full_numbers(j->table, j->nulls, &nulls, err);
    if (st == BW_OK) {
        j->n = bw_table_rows(j->table);
        st = build_paths(j, column, conversions, value, nulls, err);
    }
    free(conversions);
    free(value);
    free(nulls);
    return st;
}

/* The newest fit's share of each channel, among the channels both know. */
static bw_status read_mix(struct job *j, bw_err *err) {
    for (size_t k = 0; k < j->channels; k++)
        j->share[k] = j->share_lo[k] = j->share_hi[k] = NAN;
    const char *path = bw_default_db(j->path);
    if (!j->path && access(path, F_OK) != 0)
        return BW_OK; /* no database was asked for, and there is none */
    sqlite3 *db;
    sqlite3_stmt *s;
    bw_status st = bw_db_open(path, BW_DB_READ, &db, err);
    if (st != BW_OK)
        return st;
    double total = 0;
    st = bw_db_prepare(
        db,
        "SELECT mean, lo, hi FROM latest_estimate WHERE kind = 'fit' AND name = 'contribution' "
        "AND at = '' AND subject = ?",
        &s, err);
    for (size_t k = 0; st == BW_OK && k < j->channels; k++) {
        bool row;
        sqlite3_reset(s);
        sqlite3_bind_text(s, 1, j->name[k], -1, SQLITE_STATIC);
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row) {
            j->share[k] = sqlite3_column_double(s, 0);
            j->share_lo[k] = sqlite3_column_double(s, 1);
            j->share_hi[k] = sqlite3_column_double(s, 2);
            total += j->share[k];
            j->compared = true;
        }
    }
    sqlite3_finalize(s);
    bw_db_close(db);
    for (size_t k = 0; k < j->channels && total > 0; k++) {
        j->share[k] /= total;
        j->share_lo[k] /= total;
        j->share_hi[k] /= total;
    }
    return st;
}

/* Journeys see only who clicked; where the mix model's 90 % interval leaves their share out, it is said. */
static void compare_mix(struct job *j) {
    double known = 0;
    for (size_t k = 0; k < j->channels; k++)
        known += isnan(j->share[k]) ? 0 : j->credit[k].markov;
    for (size_t k = 0; k < j->channels && known > 0; k++) {
        double share = j->credit[k].markov / known;
        if (share < j->share_lo[k] || share > j->share_hi[k])
            bw_note(&j->notes,
                    "%s: journeys give it %s of the channels' credit, the mix model %s (90 %% %s "
                    ".. %s): "
                    "journeys count who clicked, not who would have bought anyway; trust a test",
                    j->name[k], bw_show_share(share), bw_show_share(j->share[k]),
                    bw_show_share(j->share_lo[k]), bw_show_share(j->share_hi[k]));
    }
    if (j->channels == 1)
        bw_note(&j->notes, "%s is the only channel: all credit is its own, whatever it did",
                j->name[0]);
    if (!j->nulls)
        bw_note(&j->notes,
                "no --nulls: paths that were lost are not known, so removal effects are too large");
}

static bw_status print_json(const struct job *j, bw_err *err) {
    cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "channels");
    for (size_t k = 0; k < j->channels; k++) {
        const bw_credit *c = &j->credit[k];
        const struct {
            const char *key;
            double x;
        } fields[] = {{"first", c->first},
                      {"last", c->last},
                      {"shapley", c->shapley},
                      {"markov", c->markov},
                      {"removal_effect", c->removal},
                      {"first_value", c->first_value},
                      {"last_value", c->last_value},
                      {"shapley_value", c->shapley_value},
                      {"markov_value", c->markov_value},
                      {"mix_share", j->share[k]},
                      {"mix_share_lo", j->share_lo[k]},
                      {"mix_share_hi", j->share_hi[k]}};
        cJSON *p = cJSON_CreateObject();
        cJSON_AddStringToObject(p, "channel", j->name[k]);
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            bw_json_number(p, fields[i].key, fields[i].x);
        cJSON_AddItemToArray(list, p);
    }
    cJSON_AddNumberToObject(o, "order", (double)j->order);
    bw_notes_json(&j->notes, o);
    return bw_json_print(o, err);
}

static const struct job *sorted_for; /* qsort's comparison has no argument of its own */

static int by_markov(const void *a, const void *b) {
    double x = sorted_for->credit[*(const size_t *)a].markov,
           y = sorted_for->credit[*(const size_t *)b].markov;
    return (x < y) - (x > y);
}

static void print_text(const struct job *j) {
    size_t order[CHANNELS_MAX];
    for (size_t k = 0; k < j->channels; k++)
        order[k] = k;
    sorted_for = j;
    qsort(order, j->channels, sizeof *order, by_markov);
    printf("%-20s %10s %10s %10s %10s %10s%s\n", "channel", "first", "last", "Shapley", "Markov",
           "removal", j->compared ? "   mix model" : "");
    for (size_t i = 0; i < j->channels; i++) {
        const bw_credit *c = &j->credit[order[i]];
        printf("%-20s %10s %10s %10s %10s %10s%s%s\n", j->name[order[i]], bw_show(c->first),
               bw_show(c->last), bw_show(c->shapley), bw_show(c->markov), bw_show_share(c->removal),
               j->compared ? "   " : "", j->compared ? bw_show_share(j->share[order[i]]) : "");
    }
}

static bw_status put_credit(sqlite3 *db, int64_t run, const struct job *j, size_t k, bw_err *err) {
    const bw_credit *c = &j->credit[k];
    const struct {
        const char *name, *unit;
        double x;
    } rows[] = {{"first_touch", "conversions", c->first},
                {"last_touch", "conversions", c->last},
                {"shapley", "conversions", c->shapley},
                {"markov", "conversions", c->markov},
                {"first_touch_value", "money", j->value ? c->first_value : NAN},
                {"last_touch_value", "money", j->value ? c->last_value : NAN},
                {"shapley_value", "money", j->value ? c->shapley_value : NAN},
                {"markov_value", "money", j->value ? c->markov_value : NAN},
                {"removal_effect", "share", c->removal}};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof rows / sizeof *rows; i++) {
        bw_estimate e = bw_estimate_named(rows[i].name, j->name[k], "", rows[i].unit);
        e.mean = rows[i].x;
        if (isfinite(e.mean))
            st = bw_estimate_put(db, run, &e, err);
    }
    bw_estimate mix = bw_estimate_named("mix_share", j->name[k], "", "share");
    mix.mean = j->share[k];
    mix.lo = j->share_lo[k];
    mix.hi = j->share_hi[k];
    return st == BW_OK && isfinite(mix.mean) ? bw_estimate_put(db, run, &mix, err) : st;
}

static bw_status store_rows(sqlite3 *db, const struct job *j, bw_err *err) {
    cJSON *o = cJSON_CreateObject(), *options = cJSON_CreateObject();
    bw_notes_json(&j->notes, o);
    cJSON_AddNumberToObject(options, "order", (double)j->order);
    char *diagnostics = cJSON_PrintUnformatted(o), *text = cJSON_PrintUnformatted(options);
    bw_run_info info = {
        .kind = "attribution", .engine = "journey", .options = text, .diagnostics = diagnostics};
    int64_t run = 0;
    bw_status st = diagnostics && text ? bw_run_begin(db, &info, &run, err) : bw_fail_memory(err);
    for (size_t k = 0; st == BW_OK && k < j->channels; k++)
        st = put_credit(db, run, j, k, err);
    cJSON_free(diagnostics);
    cJSON_free(text);
    cJSON_Delete(o);
    cJSON_Delete(options);
    return st;
}

/* Into the database that was asked for, or the default one where it exists. */
static bw_status store(const struct job *j, bw_err *err) {
    const char *path = bw_default_db(j->path);
    sqlite3 *db;
    if (!j->path && access(path, F_OK) != 0)
        return BW_OK;
    bw_status st = bw_db_open(path, BW_DB_WRITE, &db, err);
    if (st == BW_OK)
        st = bw_db_begin(db, err);
    if (st == BW_OK)
        st = bw_db_end(db, store_rows(db, j, err), err);
    bw_db_close(db);
    return st;
}

static bw_status run(struct job *j, bw_err *err) {
    bw_status st = load(j, err);
    if (st == BW_OK)
        st = bw_journey_credit(j->journey, j->n, j->channels, (int)j->order, j->credit, err);
    if (st == BW_OK)
        st = read_mix(j, err);
    if (st != BW_OK)
        return st;
    compare_mix(j);
    st = store(j, err);
    if (st != BW_OK)
        return st;
    if (j->json)
        return print_json(j, err);
    print_text(j);
    bw_notes_print(&j->notes);
    return BW_OK;
}

bw_status bw_cmd_attribution(int argc, char **argv, bw_err *err) {
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return bw_fail_memory(err);
    j->column = "path";
    j->conversions = "total_conversions";
    j->separator = ">";
    j->order = 1;
    const bw_option options[] = {
        BW_OPTION_DB(j->path),
        {"path", 0, BW_OPT_TEXT, &j->column, "COLUMN",
         "the channels of a journey in order (default path)"},
        {"conversions", 0, BW_OPT_TEXT, &j->conversions, "COLUMN",
         "how often it ended in a sale (default total_conversions)"},
        {"value", 0, BW_OPT_TEXT, &j->value, "COLUMN", "money of those sales"},
        {"nulls", 0, BW_OPT_TEXT, &j->nulls, "COLUMN", "how often it ended without one"},
        {"separator", 0, BW_OPT_TEXT, &j->separator, "TEXT", "between two channels (default >)"},
        {"order", 0, BW_OPT_LONG, &j->order, "N", "steps the Markov chain remembers (default 1)"},
        BW_OPTION_JSON(j->json),
        {0}};
    const bw_usage usage = {
        "attribution FILE [options]",
        "Credit of each channel from customers' journeys: first and last touch, Shapley value, "
        "Markov removal\n"
        "effect; beside the share that the mix model gives it, with a warning where they disagree. "
        "Stored\nas estimates where there is a database (view attribution).",
        "  bellwether attribution paths.csv.gz --value total_conversion_value --nulls "
        "total_null\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st == BW_OK && (argc != 1 || !*j->separator))
        st = bw_fail(err, BW_EUSAGE,
                     "attribution: wanted one FILE; see 'bellwether attribution --help'");
    if (st == BW_OK) {
        j->file = argv[0];
        st = run(j, err);
    }
    for (size_t k = 0; k < j->channels; k++)
        free(j->name[k]);
    free(j->step);
    free(j->journey);
    bw_table_free(j->table);
    bw_notes_free(&j->notes);
    free(j);
    return st;
}
