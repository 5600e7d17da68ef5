/* analyze/sentiment/cmd_sentiment.c - `sentiment`: does the mood of reviews run ahead of sales? */
#include "analyze/commands.h"

#include "analyze/output.h"
#include "analyze/run_output.h"
#include "analyze/runs.h"
#include "common/command.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>

#define ALARM 0.05 /* p below which a lead is called one */

static void print_lead(sqlite3_stmt *s, size_t number, void *arg) {
    (void)number;
    (void)arg;
    double lead = bw_row_number(s, 0), p = 1 - bw_row_number(s, 1);
    printf(
        "over %.0f weeks with reviews and sales, the strongest correlation is %s (90 %% %s .. %s) ",
        bw_row_number(s, 2), bw_show(bw_row_number(s, 3)), bw_show(bw_row_number(s, 4)),
        bw_show(bw_row_number(s, 5)));
    if (lead > 0)
        printf("with sales %.0f weeks later", lead);
    else if (lead < 0)
        printf("with sales %.0f weeks before", -lead);
    else
        printf("within the same week");
    printf("; p %s\n%s\n\n", bw_show_p(p),
           p < ALARM ? "the order in time is no accident; what causes what it does not tell"
                     : "with so many lags tried, that is what chance does: no lead can be claimed");
}

static void print_lag(sqlite3_stmt *s, size_t number, void *arg) {
    (void)arg;
    if (!number)
        printf("%-28s %12s  %-20s %s\n", "reviews against sales", "correlation", "90 %", "weeks");
    char interval[40];
    snprintf(interval, sizeof interval, "%s .. %s", bw_show(bw_row_number(s, 2)),
             bw_show(bw_row_number(s, 3)));
    double lag = bw_row_number(s, 0);
    const char *order = lag > 1    ? "weeks later"
                        : lag > 0  ? "week later"
                        : lag < -1 ? "weeks before"
                        : lag < 0  ? "week before"
                                   : "the same week";
    printf("%3.0f %-24s %12s  %-20s %.0f\n", fabs(lag), order, bw_show(bw_row_number(s, 1)),
           interval, bw_row_number(s, 4));
}

static bw_status print_text(sqlite3 *db, int64_t run, bw_err *err) {
    bw_status st =
        bw_run_rows(db, run,
                    "SELECT l.mean, l.probability, l.n, c.mean, c.lo, c.hi FROM estimate l JOIN "
                    "estimate c ON c.run = l.run AND c.name = 'correlation' AND c.at = '' WHERE "
                    "l.run = ?1 AND l.name = 'lead'",
                    print_lead, NULL, NULL, err);
    if (st == BW_OK)
        st = bw_run_rows(db, run,
                         "SELECT CAST(at AS INTEGER), mean, lo, hi, n FROM estimate WHERE run = ?1 "
                         "AND name = 'correlation' AND at <> '' ORDER BY 1",
                         print_lag, NULL, NULL, err);
    return st == BW_OK ? bw_run_print_notes(db, run, err) : st;
}

bw_status bw_cmd_sentiment(int argc, char **argv, bw_err *err) {
    const char *path = NULL;
    bool json = false, force = false;
    const bw_option options[] = {
        BW_OPTION_DB(path),
        {"force", 0, BW_OPT_FLAG, &force, NULL, "estimate again although nothing changed"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {
        "sentiment [options]",
        "Does the mood of reviews run ahead of sales, or behind them? Correlations of the weeks at "
        "every lag\n"
        "up to eight weeks, of what trend, season, media and events leave, with a permutation test "
        "over all of\n"
        "them. Needs scored reviews and sales; a fit takes out what media did.",
        "  bellwether sentiment\n  bellwether sentiment --json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc > 0)
        return bw_fail(err, BW_EUSAGE,
                       "sentiment: '%s' is not expected here; see 'bellwether sentiment --help'",
                       argv[0]);
    sqlite3 *db;
    int64_t run = 0;
    st = bw_db_open(bw_default_db(path), BW_DB_WRITE, &db, err);
    if (st == BW_OK)
        st = bw_sentiment_run(db, force, &run, err);
    if (st == BW_OK)
        st = json ? bw_run_json(db, run, NULL, err) : print_text(db, run, err);
    bw_db_close(db);
    return st;
}
