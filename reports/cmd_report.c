/* reports/cmd_report.c - `report`: from rows to the weekly page. */
#include "reports/commands.h"

#include "reports/reports.h"
#include "reports/send/open.h"
#include "sql/db.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bw_status tell(const char *path, bool json, bw_err *err) {
    if (!json) {
        puts(path);
        return BW_OK;
    }
    cJSON *o = cJSON_CreateObject(), *list = strchr(path, '\n') ? cJSON_CreateArray() : NULL;
    if (list)
        cJSON_AddItemToObject(o, "pages", list);
    else
        cJSON_AddStringToObject(o, "page", path);
    for (const char *p = path; list && *p; p += strcspn(p, "\n"), p += *p == '\n') {
        char page[4096];
        snprintf(page, sizeof page, "%.*s", (int)strcspn(p, "\n"), p);
        cJSON_AddItemToArray(list, cJSON_CreateString(page));
    }
    char *text = cJSON_PrintUnformatted(o);
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(o);
    return text ? BW_OK : bw_fail_memory(err);
}

bw_status bw_cmd_report(int argc, char **argv, bw_err *err) {
    const char *db_path = NULL;
    bw_report_options o = {0};
    bool json = false, open = false;
    const bw_option options[] = {
        BW_OPTION_DB(db_path),
        {"out", 'o', BW_OPT_TEXT, &o.out, "DIR", "folder to write to (default report/WEEK)"},
        {"lang", 0, BW_OPT_TEXT, &o.lang, "LIST",
         "en, zh, or en,zh: both from one computation, each in a folder of its own"},
        {"week", 0, BW_OPT_TEXT, &o.week, "WEEK",
         "an earlier week, from what was known at its end: 2026-W40 or one of its days"},
        {"since", 0, BW_OPT_TEXT, &o.since, "DAY",
         "also what changed since that day, against as many weeks before"},
        {"open", 0, BW_OPT_FLAG, &open, NULL, "show the page in the browser"},
        {"format", 'f', BW_OPT_TEXT, &o.formats, "LIST",
         "html, md, json (default all three), eml, pdf"},
        {"length", 0, BW_OPT_TEXT, &o.length, "LENGTH", "brief, standard or full"},
        {"no-stages", 0, BW_OPT_FLAG, &o.no_stages, NULL,
         "write from the estimates there are, run nothing"},
        {"quiet", 'q', BW_OPT_FLAG, &o.quiet, NULL, "no notes"},
        BW_OPTION_JSON(json),
        {0}};
    static const bw_usage usage = {
        "report [options]",
        "Runs the stages that are out of date (score, fit, timing, price, forecast, plan), chooses "
        "this week's advice, settles "
        "earlier advice, and writes the weekly strategy report. Prints the page's path.",
        "  bellwether report\n"
        "  bellwether report --lang zh --out report-zh\n"
        "  bellwether report --lang en,zh --out report      writes report/en and report/zh\n"
        "  bellwether report --week 2026-W40 --length brief\n"
        "  bellwether report --since 2026-09-01 --open\n"
        "  bellwether report --format html,eml,pdf --out this-week\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc > 0)
        return bw_fail(err, BW_EUSAGE,
                       "report: '%s' is not expected; 'bellwether report --help' shows the options",
                       argv[0]);
    sqlite3 *db;
    char path[4096];
    st = bw_db_open(bw_default_db(db_path), BW_DB_WRITE, &db, err);
    if (st != BW_OK)
        return st;
    st = bw_report_run(db, &o, path, sizeof path, err);
    bw_db_close(db);
    if (st == BW_OK)
        st = tell(path, json, err);
    path[strcspn(path, "\n")] = '\0'; /* of several pages the first */
    return st == BW_OK && open ? bw_page_open(path, err) : st;
}
