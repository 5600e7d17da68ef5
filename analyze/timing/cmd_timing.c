/* analyze/timing/cmd_timing.c - `timing`: best hours, spacing and content, from the database's messages. */
#include "analyze/commands.h"

#include "analyze/cmd_factors.h"
#include "analyze/output.h"
#include "analyze/runs.h"
#include "analyze/timing/timing_load.h"
#include "common/command.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const WEEKDAYS[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static const char *text(sqlite3_stmt *s, int i) {
    const char *t = (const char *)sqlite3_column_text(s, i);
    return t ? t : "";
}

static double number(sqlite3_stmt *s, int i) {
    return sqlite3_column_type(s, i) == SQLITE_NULL ? NAN : sqlite3_column_double(s, i);
}

/* "5-20" as "Sat 20:00", "0-09/0-10" as "Mon 09:00-11:00". */
static const char *slot_words(const char *at) {
    static char out[48];
    int d, h, d2, h2;
    int n = sscanf(at, "%d-%d/%d-%d", &d, &h, &d2, &h2);
    if (n < 1 || d < 0 || d > 6 || strlen(at) == 2)
        return at;
    if (n == 1)
        return WEEKDAYS[d];
    if (n == 4)
        snprintf(out, sizeof out, "%s %02d:00-%02d:00", WEEKDAYS[d], h, h2 + 1);
    else
        snprintf(out, sizeof out, "%s %02d:00", WEEKDAYS[d], h);
    return out;
}

static bw_status print_rows(sqlite3 *db, int64_t run, const char *name, const char *title,
                            bool share, int limit, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db,
        "SELECT subject, at, mean, lo, hi, probability, n FROM estimate WHERE run = ? AND name = ? "
        "AND coalesce(n, 99) >= 1 ORDER BY subject, mean DESC",
        &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
    printf("\n%s\n", title);
    bool row = true;
    char last[200] = "\n";
    for (int shown = 0; st == BW_OK && row;) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        shown = strcmp(last, text(s, 0)) == 0 ? shown + 1 : 1;
        snprintf(last, sizeof last, "%s", text(s, 0));
        if (shown > limit)
            continue;
        const char *(*show)(double) = share ? bw_show_share : bw_show;
        printf("  %-16s %-18s %9s  (90 %% %s .. %s)", text(s, 0), slot_words(text(s, 1)),
               show(number(s, 2)), show(number(s, 3)), show(number(s, 4)));
        if (!isnan(number(s, 5)))
            printf("  P %s", bw_show_share(number(s, 5)));
        if (!isnan(number(s, 6)))
            printf("  n %.0f%s", number(s, 6), number(s, 6) < BW_SLOT_MESSAGES ? " thin" : "");
        putchar('\n');
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status add_rows(sqlite3 *db, int64_t run, cJSON *list, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db,
                                 "SELECT name, subject, at, mean, sd, lo, hi, probability, n, unit "
                                 "FROM estimate WHERE run = ? "
                                 "ORDER BY name, subject, at",
                                 &s, err);
    if (st != BW_OK)
        return st;
    static const char *const KEYS[] = {"name", "subject", "at",          "mean", "sd",
                                       "lo",   "hi",      "probability", "n",    "unit"};
    sqlite3_bind_int64(s, 1, run);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        cJSON *o = cJSON_CreateObject();
        for (int i = 0; i < 10; i++)
            if (i < 3 || i == 9)
                cJSON_AddStringToObject(o, KEYS[i], text(s, i));
            else
                bw_json_number(o, KEYS[i], number(s, i));
        cJSON_AddItemToArray(list, o);
    }
    sqlite3_finalize(s);
    return st;
}

bw_status bw_run_json(sqlite3 *db, const char *kind, int64_t run, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "kind", kind);
    cJSON_AddNumberToObject(o, "run", (double)run);
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, "SELECT diagnostics FROM model_run WHERE id = ?", &s, err);
    bool row = false;
    if (st == BW_OK) {
        sqlite3_bind_int64(s, 1, run);
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            cJSON_AddItemToObject(o, "diagnostics", cJSON_Parse(text(s, 0)));
        sqlite3_finalize(s);
    }
    if (st == BW_OK)
        st = add_rows(db, run, cJSON_AddArrayToObject(o, "estimates"), err);
    if (st == BW_OK)
        return bw_json_print(o, err);
    cJSON_Delete(o);
    return st;
}

bw_status bw_run_print_notes(sqlite3 *db, int64_t run, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db, "SELECT n.value FROM model_run r, json_each(r.diagnostics, '$.notes') n WHERE r.id = ?",
        &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_int64(s, 1, run);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            fprintf(stderr, "note: %s\n", text(s, 0));
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status print_all(sqlite3 *db, int64_t run, bw_err *err) {
    int64_t content =
        (int64_t)bw_db_number(db, "SELECT max(id) FROM model_run WHERE kind = 'content'", 0);
    static const struct {
        const char *name, *title;
        bool content, share;
        int limit;
    } PARTS[] = {
        {"best", "best hour (rate against the channel's mean hour; P: that no other is better)",
         false, false, 1},
        {"gain", "gain by sending everything then, against today's hours", false, true, 1},
        {"window", "best run of hours", false, false, 1},
        {"index", "hours by rate, best first", false, false, 6},
        {"weekday_index", "weekdays", false, false, 7},
        {"fatigue", "lost when the audience heard from us the day before", false, true, 1},
        {"fatigue_half_life", "days after which half of that is gone", false, false, 1},
        {"spacing", "days to leave between two messages to an audience", false, false, 1},
        {"effect", "content: relative lift ('' = all channels together)", true, true, 99},
    };
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof PARTS / sizeof *PARTS; i++)
        st = print_rows(db, PARTS[i].content ? content : run, PARTS[i].name, PARTS[i].title,
                        PARTS[i].share, PARTS[i].limit, err);
    return st == BW_OK ? bw_run_print_notes(db, run, err) : st;
}

bw_status bw_cmd_timing(int argc, char **argv, bw_err *err) {
    const char *path = NULL, *metric = NULL;
    long window = BW_TIMING_WINDOW;
    bool json = false, force = false;
    bw_factor_request file = {0};
    const bw_option options[] = {
        BW_OPTION_DB(path),
        {"file", 'f', BW_OPT_TEXT, &file.file, "CSV",
         "a rate from a file instead of the database's messages"},
        {"success", 0, BW_OPT_TEXT, &file.success, "COLUMN", "0/1, or a count beside --trials"},
        {"trials", 0, BW_OPT_TEXT, &file.trials, "COLUMN", "of how many"},
        {"factor", 0, BW_OPT_TEXT, &file.factors, "A,B",
         "categories: month, weekday, contact, ..."},
        {"number", 0, BW_OPT_TEXT, &file.numbers, "A,B", "numbers held constant"},
        {"metric", 'm', BW_OPT_TEXT, &metric, "NAME",
         "orders, clicks, opens or revenue (default: the first but revenue with enough)"},
        {"window", 'w', BW_OPT_LONG, &window, "HOURS",
         "length of the best run of hours (default 2)"},
        {"force", 0, BW_OPT_FLAG, &force, NULL, "estimate again although nothing changed"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {
        "timing [options]",
        "When to send: the rate of every hour of the week against the channel's mean, with 90 % "
        "interval\n"
        "and the probability that it is the best; how long to wait between messages; which content "
        "works.",
        "  bellwether timing\n  bellwether timing --metric clicks --window 3 --json\n"
        "  bellwether timing --file calls.csv --success bought --factor month,weekday --number "
        "age\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc > 0)
        return bw_fail(err, BW_EUSAGE,
                       "timing: '%s' is not expected here; see 'bellwether timing --help'",
                       argv[0]);
    if (file.file) {
        if (!file.success || !(file.factors || file.numbers))
            return bw_fail(err, BW_EUSAGE,
                           "timing: --file needs --success and at least one --factor or --number");
        file.json = json;
        return bw_factors_command(&file, err);
    }
    sqlite3 *db;
    int64_t run = 0;
    st = bw_db_open(bw_default_db(path), BW_DB_WRITE, &db, err);
    if (st == BW_OK)
        st = bw_timing_run(db, metric, (int)window, force, &run, err);
    if (st == BW_OK)
        st = json ? bw_run_json(db, "timing", run, err) : print_all(db, run, err);
    bw_db_close(db);
    return st;
}
