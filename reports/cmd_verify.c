/* reports/cmd_verify.c - `verify`: hold a written report against its database. */
#include "reports/commands.h"

#include "reports/verify.h"
#include "sql/db.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell_json(const bw_verify *v) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "facts", (double)v->facts);
    cJSON_AddNumberToObject(o, "numbers", (double)v->numbers);
    cJSON_AddNumberToObject(o, "charts", (double)v->charts);
    cJSON_AddNumberToObject(o, "labels", (double)v->labels);
    cJSON *lines = cJSON_AddArrayToObject(o, "mismatches");
    for (const char *p = v->report.text; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
        char line[700];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(p, "\n"), p);
        cJSON_AddItemToArray(lines, cJSON_CreateString(line));
    }
    char *text = cJSON_Print(o);
    puts(text ? text : "{}");
    free(text);
    cJSON_Delete(o);
}

static void tell(const bw_verify *v) {
    if (v->report.len)
        fputs(v->report.text, stdout);
    printf("%zu facts, %zu numbers on the page, %zu charts with %zu labels checked: ", v->facts,
           v->numbers, v->charts, v->labels);
    if (v->mismatches)
        printf("%zu %s not match\n", v->mismatches, v->mismatches == 1 ? "does" : "do");
    else
        puts("all match");
}

bw_status bw_cmd_verify(int argc, char **argv, bw_err *err) {
    const char *path = NULL;
    bool json = false, refit = false;
    const bw_option options[] = {
        BW_OPTION_DB(path),
        {"refit", 0, BW_OPT_FLAG, &refit, NULL,
         "of an earlier week: estimate again instead of reading what was kept"},
        BW_OPTION_JSON(json),
        {0}};
    static const bw_usage usage = {"verify DIR [options]",
                                   "Runs the query behind every fact of a report again, and checks "
                                   "each number of its page and each label of its charts "
                                   "against the answers. Exit status 1 on any mismatch. The report "
                                   "must have been written with html and json.",
                                   "  bellwether verify report/2026-W46\n"
                                   "  bellwether verify demo-report --db demo.db --json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1)
        return bw_fail(
            err, BW_EUSAGE,
            "verify: wanted the folder of one report, as written by 'bellwether report --out DIR'");
    sqlite3 *db;
    bw_verify v;
    st = bw_db_open(bw_default_db(path), BW_DB_READ, &db, err);
    if (st != BW_OK)
        return st;
    st = bw_verify_run(db, argv[0], refit, &v, err);
    if (st == BW_OK && json)
        tell_json(&v);
    else if (st == BW_OK)
        tell(&v);
    if (st == BW_OK && v.mismatches)
        st = BW_EMISMATCH;
    bw_buf_free(&v.report);
    bw_db_close(db);
    return st;
}
