/* demo/job.c - the job a shop's week is: texts are scored, an earlier report's advice is taken, and
 * the newest report says what came of it. */
#include "demo/job.h"

#include "model/shipped/score.h"
#include "reports/reports.h"
#include "sql/db.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EARLIER_WEEK "2026-09-14" /* eight weeks before the last one: time for advice to show */
#define EARLIER_NAME "2026-W38"
#define LEAST_WEEKS  60 /* a shorter shop has no earlier report worth reading */

/* Scored before the earlier report, whose copy of the database is thrown away. */
static bw_status score(sqlite3 *db, bw_err *err) {
    bw_err why;
    const bw_encoder *e = bw_encoder_shipped(&why);
    bw_score_counts n;
    if (!e)
        return BW_OK; /* the report's notes say so */
    bw_status st = bw_score_database(db, e, &n, err);
    if (st == BW_OK && n.reviews + n.messages > 0)
        printf("%zu reviews and %zu messages scored, %zu topics found\n", n.reviews, n.messages,
               n.topics);
    return st;
}

static bw_status earlier_report(sqlite3 *db, const bw_demo_options *o, const char *out,
                                bw_err *err) {
    if (o->weeks < LEAST_WEEKS || o->no_outcome || o->no_spend || o->twist ||
        bw_db_number(db, "SELECT count(*) FROM advice WHERE week = '" EARLIER_WEEK "'", 0) > 0)
        return BW_OK;
    char folder[4096], page[4200];
    snprintf(folder, sizeof folder, "%s/" EARLIER_NAME, out);
    const bw_report_options r = {.out = folder,
                                 .week = EARLIER_NAME,
                                 .lang = o->chinese ? "zh" : "en",
                                 .formats = "html",
                                 .quiet = true};
    bw_status st = bw_report_run(db, &r, page, sizeof page, err);
    if (st == BW_OK)
        printf("the report of eight weeks ago: %s\n", page);
    return st;
}

static bw_status take_advice(sqlite3 *db, const bw_demo_options *o, bw_err *err) {
    int taken;
    bw_status st = bw_demo_follow(db, o, EARLIER_WEEK, &taken, err);
    if (st == BW_OK && taken > 0)
        printf("its advice was taken: the weeks since went as %d of its points say\n", taken);
    return st;
}

bw_status job_run(sqlite3 *db, const bw_demo_options *o, const char *out, char *page, size_t cap,
                  bw_err *err) {
    bw_status st = score(db, err);
    if (st == BW_OK)
        st = earlier_report(db, o, out, err);
    if (st == BW_OK)
        st = take_advice(db, o, err);
    const bw_report_options r = {.out = out, .lang = o->chinese ? "zh" : "en"};
    if (st == BW_OK)
        st = bw_report_run(db, &r, page, cap, err);
    if (st == BW_OK)
        printf("the report: %s\n", page);
    return st;
}

void job_show(const char *page) {
    if (!isatty(STDOUT_FILENO) || !(getenv("DISPLAY") || getenv("WAYLAND_DISPLAY")))
        return;
    fflush(stdout);
    if (fork() != 0)
        return;
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    execlp("xdg-open", "xdg-open", page, (char *)NULL);
    _exit(127); /* no such program: the path was printed */
}
