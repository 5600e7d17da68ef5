/* analyze/timing/cmd_timing.c - `timing`: best hours, spacing and content, from the database's messages. */
#include "analyze/commands.h"

#include "analyze/cmd_factors.h"
#include "analyze/output.h"
#include "analyze/run_output.h"
#include "analyze/runs.h"
#include "analyze/timing/timing_load.h"
#include "common/command.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const WEEKDAYS[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

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

struct part {
    const char *name, *title;
    bool content, share;
    int limit; /* rows a subject */
};

struct printer {
    const struct part *part;
    char last[200]; /* the subject at hand */
    int shown;      /* of its rows */
};

static void print_row(sqlite3_stmt *s, size_t number, void *arg) {
    struct printer *p = arg;
    const char *(*show)(double) = p->part->share ? bw_show_share : bw_show;
    double probability = bw_row_number(s, 5), n = bw_row_number(s, 6);
    if (!number)
        printf("\n%s\n", p->part->title);
    p->shown = number && strcmp(p->last, bw_row_text(s, 0)) == 0 ? p->shown + 1 : 1;
    snprintf(p->last, sizeof p->last, "%s", bw_row_text(s, 0));
    if (p->shown > p->part->limit)
        return;
    printf("  %-16s %-18s %9s  (90 %% %s .. %s)", p->last, slot_words(bw_row_text(s, 1)),
           show(bw_row_number(s, 2)), show(bw_row_number(s, 3)), show(bw_row_number(s, 4)));
    if (!isnan(probability))
        printf("  P %s", bw_show_share(probability));
    if (!isnan(n))
        printf("  n %.0f%s", n, n < BW_SLOT_MESSAGES ? " thin" : "");
    putchar('\n');
}

static bw_status print_part(sqlite3 *db, int64_t run, const struct part *part, bw_err *err) {
    char sql[240];
    struct printer p = {.part = part};
    snprintf(sql, sizeof sql,
             "SELECT subject, at, mean, lo, hi, probability, n FROM estimate WHERE run = ?1 AND "
             "name = '%s' AND coalesce(n, 99) >= 1 ORDER BY subject, mean DESC",
             part->name);
    return bw_run_rows(db, run, sql, print_row, &p, NULL, err);
}

static bw_status print_all(sqlite3 *db, int64_t run, bw_err *err) {
    int64_t content =
        (int64_t)bw_db_number(db, "SELECT max(id) FROM model_run WHERE kind = 'content'", 0);
    static const struct part PARTS[] = {
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
        st = print_part(db, PARTS[i].content ? content : run, &PARTS[i], err);
    return st == BW_OK ? bw_run_print_notes(db, run, err) : st;
}

static bw_status from_file(const bw_factor_request *file, bw_err *err) {
    if (!file->success || !(file->factors || file->numbers))
        return bw_fail(err, BW_EUSAGE,
                       "timing: --file needs --success and at least one --factor or --number");
    return bw_factors_command(file, err);
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
    file.json = json;
    if (file.file)
        return from_file(&file, err);
    sqlite3 *db;
    int64_t run = 0;
    st = bw_db_open(bw_default_db(path), BW_DB_WRITE, &db, err);
    if (st == BW_OK)
        st = bw_timing_run(db, metric, (int)window, force, &run, err);
    if (st == BW_OK)
        st = json ? bw_run_json(db, run, "content", err) : print_all(db, run, err);
    bw_db_close(db);
    return st;
}
