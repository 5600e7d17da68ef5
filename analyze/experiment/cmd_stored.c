/* analyze/experiment/cmd_stored.c - `experiment list` and `experiment next`: from the database. */
#include "analyze/experiment/cmd_experiment.h"

#include "analyze/output.h"
#include "analyze/run_output.h"
#include "analyze/runs.h"
#include "common/command.h"
#include "sql/db.h"

#include <stdio.h>

static bw_status open_and_run(int *argc, char ***argv, const bw_usage *usage, bool *json,
                              sqlite3 **db, int64_t *run, bw_err *err) {
    const char *path = NULL;
    bool force = false;
    const bw_option options[] = {
        BW_OPTION_DB(path),
        {"force", 0, BW_OPT_FLAG, &force, NULL, "estimate again although nothing changed"},
        BW_OPTION_JSON(*json),
        {0}};
    *db = NULL;
    const char *name = (*argv)[0];
    bw_status st = bw_options_parse(usage, options, argc, argv, err);
    if (st != BW_OK)
        return st;
    if (*argc > 0)
        return bw_fail(err, BW_EUSAGE, "%s: '%s' is not expected here", name, (*argv)[0]);
    st = bw_db_open(bw_default_db(path), BW_DB_WRITE, db, err);
    return st == BW_OK ? bw_experiment_run(*db, force, run, err) : st;
}

static void print_effect(sqlite3_stmt *s, size_t number, void *arg) {
    (void)number;
    (void)arg;
    printf("%-12s %-36s %-20s %10s  (90 %% %s .. %s)  P %s\n", bw_row_text(s, 0), bw_row_text(s, 1),
           bw_row_text(s, 2), bw_show(bw_row_number(s, 3)), bw_show(bw_row_number(s, 4)),
           bw_show(bw_row_number(s, 5)), bw_show_share(bw_row_number(s, 6)));
}

static bw_status print_effects(sqlite3 *db, int64_t run, bw_err *err) {
    return bw_run_rows(db, run,
                       "SELECT e.subject, coalesce(x.name, ''), e.at, e.mean, e.lo, e.hi, "
                       "e.probability FROM estimate e LEFT JOIN experiment x ON x.id = e.subject "
                       "WHERE e.run = ?1 AND e.name = 'effect' ORDER BY 1, 3",
                       print_effect, NULL, NULL, err);
}

bw_status bw_cmd_experiment_list(int argc, char **argv, bw_err *err) {
    const bw_usage usage = {"experiment list [options]",
                            "Every stored experiment with its effect, 90 % interval, and the "
                            "probability that the arm is\n"
                            "the best (tests without arms: that the effect is above zero).",
                            "  bellwether experiment list --json\n"};
    bool json = false;
    sqlite3 *db;
    int64_t run = 0;
    bw_status st = open_and_run(&argc, &argv, &usage, &json, &db, &run, err);
    if (st == BW_OK)
        st = json ? bw_run_json(db, run, NULL, err) : print_effects(db, run, err);
    if (st == BW_OK && !json)
        st = bw_run_print_notes(db, run, err);
    bw_db_close(db);
    return st;
}

static void print_channel(sqlite3_stmt *s, size_t number, void *arg) {
    bool *places = arg, here = bw_row_number(s, 7) > 0;
    double worth = bw_row_number(s, 1);
    if (!number)
        printf("%-18s %14s %13s %6s %9s   %s\n", "channel", "worth, a week", "change spend",
               "weeks", "where", "90 % interval of its next return: width now, after");
    *places |= here;
    printf("%-18s %14s %13s %6.0f %9s   %s, %s (%s narrower)\n", bw_row_text(s, 0),
           bw_show(worth < 0.005 ? 0 : worth), bw_show_share(bw_row_number(s, 2)),
           bw_row_number(s, 3), here ? "places" : "all over", bw_show(bw_row_number(s, 5)),
           bw_show(bw_row_number(s, 6)), bw_show_share(bw_row_number(s, 4)));
}

static bw_status print_channels(sqlite3 *db, int64_t run, bool *places, bw_err *err) {
    static const char ROWS[] =
        "SELECT v.subject, v.mean, c.mean, v.n, w.mean, n.mean, a.mean, p.mean FROM estimate v "
        "JOIN estimate c ON c.run = v.run AND c.subject = v.subject AND c.name = 'next_change' "
        "JOIN estimate w ON w.run = v.run AND w.subject = v.subject AND w.name = 'next_narrowing' "
        "JOIN estimate n ON n.run = v.run AND n.subject = v.subject AND n.name = 'next_width_now' "
        "JOIN estimate a ON a.run = v.run AND a.subject = v.subject AND a.name = 'next_width' "
        "JOIN estimate p ON p.run = v.run AND p.subject = v.subject AND p.name = 'next_by_places' "
        "WHERE v.run = ?1 AND v.name = 'next_value' ORDER BY v.mean DESC";
    size_t shown;
    bw_status st = bw_run_rows(db, run, ROWS, print_channel, places, &shown, err);
    if (st == BW_OK && !shown)
        st = bw_fail(err, BW_EDATA,
                     "nothing says yet which channel is uncertain: run 'bellwether fit' first");
    return st;
}

static void print_line(sqlite3_stmt *s, size_t number, void *title) {
    if (!number)
        printf("\n%s\n", (const char *)title);
    printf("  %s\n", bw_row_text(s, 0));
}

static bw_status print_next(sqlite3 *db, int64_t run, bw_err *err) {
    static char PLACES[] = "places",
                OTHER_PLACES[] = "places, should you prefer a test that does not touch all of them",
                PLACEBOS[] =
                    "the same test where nothing happened (5 % false alarms are as it should be)";
    bool places = false;
    bw_status st = print_channels(db, run, &places, err);
    if (st == BW_OK)
        st = bw_run_rows(
            db, run,
            "SELECT printf('pair %d: treat %s (%.1f %% of sales), keep %s (%.1f %%)', t.n, "
            "t.subject, 100 * t.mean, c.subject, 100 * c.mean) FROM estimate t JOIN estimate c ON "
            "c.run = t.run AND c.name = t.name AND c.n = t.n AND c.at = 'control' "
            "WHERE t.run = ?1 AND t.name = 'next_geo' AND t.at = 'treat' ORDER BY t.n",
            print_line, places ? PLACES : OTHER_PLACES, NULL, err);
    if (st == BW_OK)
        st = bw_run_rows(
            db, run,
            "SELECT printf('%-9s error %.1f %% of the treated places'' sales, %.0f windows, false "
            "alarms %.0f %%', at, 100 * mean, n, 100 * probability) FROM estimate WHERE run = ?1 "
            "AND "
            "name = 'next_error' ORDER BY CAST(at AS INTEGER)",
            print_line, PLACEBOS, NULL, err);
    return st;
}

bw_status bw_cmd_experiment_next(int argc, char **argv, bw_err *err) {
    const bw_usage usage = {
        "experiment next [options]",
        "What to test next: the channels by what knowing their return would be worth, by how much "
        "to move the\n"
        "spend, for how many weeks, and by how much the interval of the return would narrow. Where "
        "sales are\n"
        "known by place: which places to treat and which to keep, tried on the past.",
        "  bellwether experiment next\n"};
    bool json = false;
    sqlite3 *db;
    int64_t run = 0;
    bw_status st = open_and_run(&argc, &argv, &usage, &json, &db, &run, err);
    if (st == BW_OK)
        st = json ? bw_run_json(db, run, NULL, err) : print_next(db, run, err);
    if (st == BW_OK && !json)
        st = bw_run_print_notes(db, run, err);
    bw_db_close(db);
    return st;
}
