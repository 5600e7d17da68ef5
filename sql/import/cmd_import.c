/* sql/import/cmd_import.c - the import command: options to a job, the report to the screen or to JSON. */
#include "sql/cmd.h"

#include "sql/import/columns.h"
#include "sql/db.h"
#include "sql/import/guess.h"
#include "sql/import/import.h"
#include "sql/import/kinds.h"
#include "sql/import/wide_flags.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAPPING_MAX (1u << 20)

struct options {
    bw_wide_flags wide;
    const char *db, *mapping, *map, *set, *where, *encoding, *separator, *decimal, *date_order,
        *day, *today;
    long skip;
    bool guess, sum, again, dry_run, allow_future, json;
};

static const bw_usage USAGE = {
    "import KIND FILE [options]",
    "Reads a CSV, TSV or JSON-lines file (.gz too) into the database, checking it on the way. "
    "Kinds: spend, "
    "outcome, product, event, context, review, message, purchase, experiment, arm, and wide for a "
    "modelling "
    "table with "
    "one row a week and one column a channel. Columns are found by their names, in the exports of "
    "most "
    "platforms; --map names them. One error stops the import and leaves the database as it was; "
    "warnings "
    "are kept in import_finding. The same file again changes nothing.",
    "  bellwether import spend spend.csv\n"
    "  bellwether import outcome orders.csv --map day=\"Order date\",revenue=Total --dry-run\n"
    "  bellwether import review reviews.jsonl.gz --set source=amazon,lang=en\n"
    "  bellwether import --guess weekly.csv > map.json\n"
    "  bellwether import wide weekly.csv --mapping map.json\n"};

/* What --mapping says; NULL where it says nothing. */
struct mapping {
    char *wide;      /* JSON of sql/import/wide.h */
    char *map, *set; /* as the options of that name */
};

static bw_status one_char(const char *option, const char *text, char *out, bw_err *err) {
    if (!text)
        return BW_OK;
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        *out = '\t';
    else if (strlen(text) == 1)
        *out = text[0];
    else
        return bw_fail(err, BW_EUSAGE, "--%s: one character is wanted, not '%s'", option, text);
    return BW_OK;
}

static bw_status date_order(const char *text, bw_date_order *out, bw_err *err) {
    *out = !text                      ? BW_ORDER_UNKNOWN
           : strcmp(text, "dmy") == 0 ? BW_ORDER_DMY
           : strcmp(text, "mdy") == 0 ? BW_ORDER_MDY
                                      : BW_ORDER_UNKNOWN;
    return text && *out == BW_ORDER_UNKNOWN
               ? bw_fail(err, BW_EUSAGE, "--date-order: 'dmy' or 'mdy', not '%s'", text)
               : BW_OK;
}

/* What lies behind this day is in the future: the clock's day, or the one given. */
static bw_status today(const char *text, int *out, bw_err *err) {
    bw_date d;
    *out = (int)(time(NULL) / 86400) + 1; /* it is tomorrow already somewhere */
    if (!text)
        return BW_OK;
    if (!bw_date_parse(text, strlen(text), BW_ORDER_UNKNOWN, &d))
        return bw_fail(err, BW_EUSAGE, "--today: '%s' is no date; write it as 2024-05-31", text);
    *out = d.day;
    return BW_OK;
}

static bw_status make_job(const struct options *o, const char *kind, const char *path,
                          const struct mapping *mapping, bw_buf *set, bw_import_job *job,
                          bw_err *err) {
    bw_buf_add(set, mapping->set);
    if (o->set)
        bw_buf_addf(set, "%s%s", set->len ? "," : "", o->set);
    if (o->day)
        bw_buf_addf(set, "%sday=%s", set->len ? "," : "", o->day);
    *job = (bw_import_job){.kind = kind,
                           .path = path,
                           .map = mapping->map ? mapping->map : o->map,
                           .mapping = mapping->wide,
                           .set = set->text,
                           .where = o->where,
                           .reading = {.encoding = o->encoding, .skip = o->skip},
                           .sum = o->sum,
                           .again = o->again,
                           .dry_run = o->dry_run,
                           .allow_future = o->allow_future || strcmp(kind, "event") == 0};
    bw_status st = one_char("separator", o->separator, &job->reading.separator, err);
    if (st == BW_OK)
        st = one_char("decimal", o->decimal, &job->decimal, err);
    if (st == BW_OK && job->decimal && job->decimal != '.' && job->decimal != ',')
        st = bw_fail(err, BW_EUSAGE, "--decimal: '.' or ',' is wanted");
    if (st == BW_OK)
        st = date_order(o->date_order, &job->order, err);
    return st == BW_OK ? today(o->today, &job->today, err) : st;
}

static void add_text(cJSON *o, const char *name, const char *value) {
    if (value)
        cJSON_AddStringToObject(o, name, value);
}

static cJSON *findings_json(const bw_findings *f) {
    static const char *const SEVERITY[] = {"info", "warning", "error"};
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < f->n; i++) {
        cJSON *o = cJSON_CreateObject();
        add_text(o, "severity", SEVERITY[f->list[i].severity]);
        add_text(o, "rule", f->list[i].rule);
        if (f->list[i].line > 0)
            cJSON_AddNumberToObject(o, "line", (double)f->list[i].line);
        add_text(o, "column", f->list[i].column);
        add_text(o, "value", f->list[i].value);
        add_text(o, "message", f->list[i].message);
        add_text(o, "fix", f->list[i].fix);
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

static void print_json(const bw_import_job *job, const bw_import_report *r) {
    cJSON *o = cJSON_CreateObject();
    add_text(o, "kind", job->kind);
    add_text(o, "file", job->name ? job->name : job->path);
    add_text(o, "sha256", r->sha256);
    cJSON_AddBoolToObject(o, "already_imported", r->already);
    cJSON_AddBoolToObject(o, "dry_run", job->dry_run);
    cJSON_AddNumberToObject(o, "rows_read", (double)r->rows_read);
    cJSON_AddNumberToObject(o, "rows_new", (double)r->rows_new);
    cJSON_AddNumberToObject(o, "rows_changed", (double)r->rows_changed);
    cJSON_AddNumberToObject(o, "rows_same", (double)r->rows_same);
    cJSON_AddItemToObject(o, "findings", findings_json(&r->findings));
    char *text = cJSON_Print(o);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(o);
}

static void print_report(const bw_import_job *job, const bw_import_report *r) {
    const char *name = job->name ? job->name : job->path;
    if (r->already) {
        printf("%s: imported before, nothing changed (--again reads it once more)\n", name);
        return;
    }
    printf("%s: %zu %s read, %zu new, %zu changed, %zu as before", name, r->rows_read,
           r->rows_read == 1 ? "row" : "rows", r->rows_new, r->rows_changed, r->rows_same);
    if (r->first_day[0])
        printf("; %s to %s", r->first_day, r->last_day);
    puts(job->dry_run ? "; dry run, nothing was kept" : "");
}

static bw_status run_job(const char *db_path, const bw_import_job *job, bool json, bw_err *err) {
    sqlite3 *db;
    bw_import_report report = {0};
    if (access(job->path, R_OK) != 0) /* before a mistyped name leaves a new database behind */
        return bw_fail(err, BW_EIO, "%s: %s", job->path, strerror(errno));
    bw_status st = bw_db_open(bw_default_db(db_path), BW_DB_CREATE, &db, err);
    if (st == BW_OK)
        st = bw_import_run(db, job, &report, err);
    bool judged = st == BW_OK || st == BW_EDATA;
    if (json && judged)
        print_json(job, &report);
    else if (judged)
        bw_findings_print(&report.findings, job->name ? job->name : job->path, stderr);
    if (!json && st == BW_OK)
        print_report(job, &report);
    bw_import_report_free(&report);
    bw_db_close(db);
    return st;
}

/* An object of the mapping, {"day": "Date"}, as the "day=Date,..." of --map; NULL without one. */
static bw_status pairs(const cJSON *root, const char *key, char **out, bw_err *err) {
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, key), *item;
    bw_buf b = {0};
    *out = NULL;
    if (!object)
        return BW_OK;
    cJSON_ArrayForEach(item, object) {
        if (!cJSON_IsString(item))
            return bw_fail(err, BW_EFORMAT, "mapping: \"%s\" holds something that is not text",
                           key);
        bw_buf_addf(&b, "%s%s=", b.len ? "," : "", item->string);
        for (const char *p = item->valuestring; *p; p++)
            bw_buf_addf(&b, *p == ',' || *p == '\\' ? "\\%c" : "%c", *p);
    }
    *out = bw_buf_take(&b);
    return *out ? BW_OK : bw_fail_memory(err);
}

/* The mapping of a kind: {"map": {"FIELD": "COLUMN"}, "set": {"FIELD": "VALUE"}}. */
static bw_status kind_mapping(const char *json, struct mapping *m, bw_err *err) {
    cJSON *root = cJSON_Parse(json);
    bw_status st =
        cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "map"))
            ? BW_OK
            : bw_fail(err, BW_EFORMAT, "mapping: {\"map\": {\"FIELD\": \"COLUMN\"}} is wanted");
    if (st == BW_OK)
        st = pairs(root, "map", &m->map, err);
    if (st == BW_OK)
        st = pairs(root, "set", &m->set, err);
    cJSON_Delete(root);
    return st;
}

/* --mapping FILE, or the flags of a wide file. */
static bw_status read_mapping(const struct options *o, const char *kind, struct mapping *m,
                              bw_err *err) {
    size_t len;
    char *json = NULL;
    bool flags = bw_wide_flags_given(&o->wide), wide = strcmp(kind, "wide") == 0;
    if (!wide && flags)
        return bw_fail(
            err, BW_EUSAGE,
            "import %s: the flags marked 'wide' are for 'import wide'; use --map FIELD=COLUMN",
            kind);
    if (o->mapping && (flags || o->map))
        return bw_fail(err, BW_EUSAGE, "import: either --mapping FILE or flags, not both");
    bw_status st = BW_OK;
    if (o->mapping)
        st = bw_file_read(o->mapping, MAPPING_MAX, &json, &len, err);
    else if (flags)
        st = bw_wide_flags_json(&o->wide, &json, err);
    if (st == BW_OK && json && !wide)
        st = kind_mapping(json, m, err);
    if (wide)
        m->wide = json;
    else
        free(json);
    return st;
}

static void free_mapping(struct mapping *m) {
    free(m->wide);
    free(m->map);
    free(m->set);
}

static bw_status known_kind(const char *name, bw_err *err) {
    if (strcmp(name, "wide") == 0 || bw_kind_find(name))
        return BW_OK;
    bw_buf names = {0};
    for (const bw_kind *k = BW_KINDS; k->name; k++)
        bw_buf_addf(&names, "%s, ", k->name);
    bw_status st = bw_fail(err, BW_EUSAGE, "import: there is no kind '%s'; kinds are %swide", name,
                           names.text);
    bw_buf_free(&names);
    return st;
}

/* import --guess FILE: the mapping to standard output, the reasons to standard error. */
static bw_status guess(const struct options *o, int argc, char **argv, bw_err *err) {
    if (argc < 1 || argc > 2)
        return bw_fail(err, BW_EUSAGE, "import --guess: one file is wanted");
    const char *path = argv[argc - 1];
    bw_sheet_options reading = {.encoding = o->encoding, .skip = o->skip};
    bw_guess g = {0};
    bw_status st = one_char("separator", o->separator, &reading.separator, err);
    if (st == BW_OK)
        st = bw_guess_file(path, &reading, &g, err);
    if (st == BW_OK) {
        puts(g.mapping);
        fprintf(stderr,
                "%s looks like %s%s:\n%skeep the mapping in map.json, correct it, then run\n  "
                "bellwether import %s %s --mapping map.json\n",
                path, strcmp(g.kind, "wide") == 0 ? "a modelling table, " : "rows of kind ", g.kind,
                g.reasons.text, g.kind, path);
    }
    bw_guess_free(&g);
    return st;
}

bw_status bw_cmd_import(int argc, char **argv, bw_err *err) {
    struct options o = {0};
    const bw_option options[] = {
        BW_OPTION_DB(o.db),
        BW_OPTION_JSON(o.json),
        {"mapping", 0, BW_OPT_TEXT, &o.mapping, "FILE",
         "roles of the columns, as JSON (--guess proposes one)"},
        {"guess", 0, BW_OPT_FLAG, &o.guess, NULL, "propose a mapping for FILE, import nothing"},
        {"map", 'm', BW_OPT_TEXT, &o.map, "FIELD=COLUMN,...", "which column is which field"},
        {"set", 0, BW_OPT_TEXT, &o.set, "FIELD=VALUE,...", "a value for all rows"},
        {"day", 0, BW_OPT_TEXT, &o.day, "DATE", "the same as --set day=DATE"},
        {"where", 0, BW_OPT_TEXT, &o.where, "COLUMN=VALUE,...", "only rows with these values"},
        {"sum", 0, BW_OPT_FLAG, &o.sum, NULL, "add up rows with the same key"},
        {"dry-run", 'n', BW_OPT_FLAG, &o.dry_run, NULL, "check everything, keep nothing"},
        {"again", 0, BW_OPT_FLAG, &o.again, NULL, "read a file that was imported before"},
        {"encoding", 0, BW_OPT_TEXT, &o.encoding, "NAME", "e.g. GBK, WINDOWS-1252 (else judged)"},
        {"separator", 0, BW_OPT_TEXT, &o.separator, "CHAR",
         "between columns, or 'tab' (else judged)"},
        {"decimal", 0, BW_OPT_TEXT, &o.decimal, "CHAR", "'.' or ',' (else judged)"},
        {"date-order", 0, BW_OPT_TEXT, &o.date_order, "dmy|mdy",
         "of dates such as 03/04/2024 (else judged)"},
        {"skip", 0, BW_OPT_LONG, &o.skip, "N", "lines above the header"},
        {"allow-future", 0, BW_OPT_FLAG, &o.allow_future, NULL,
         "accept days that are still to come"},
        {"today", 0, BW_OPT_TEXT, &o.today, "DATE", "what counts as the future lies behind it"},
        {"date", 0, BW_OPT_TEXT, &o.wide.date, "COLUMN", "wide: days or weeks"},
        {"outcome", 0, BW_OPT_TEXT, &o.wide.outcome, "COLUMN", "wide: what was sold"},
        {"outcome-kind", 0, BW_OPT_TEXT, &o.wide.outcome_kind, "KIND",
         "wide: revenue, orders, units or conversions"},
        {"value", 0, BW_OPT_TEXT, &o.wide.value, "COLUMN",
         "wide: money of one order or conversion"},
        {"spend", 0, BW_OPT_TEXT, &o.wide.spend, "COLUMN[=CHANNEL],...", "wide: paid channels"},
        {"exposure", 0, BW_OPT_TEXT, &o.wide.exposure, "COLUMN=CHANNEL,...",
         "wide: impressions of channels"},
        {"clicks", 0, BW_OPT_TEXT, &o.wide.clicks, "COLUMN=CHANNEL,...",
         "wide: clicks of channels"},
        {"organic", 0, BW_OPT_TEXT, &o.wide.organic, "COLUMN[=CHANNEL],...",
         "wide: channels without cost"},
        {"context", 0, BW_OPT_TEXT, &o.wide.context, "COLUMN[=SERIES],...",
         "wide: series from outside"},
        {"event", 0, BW_OPT_TEXT, &o.wide.event, "COLUMN,...", "wide: 0 and 1, or names of events"},
        {"geo", 0, BW_OPT_TEXT, &o.wide.geo, "COLUMN", "wide: region"},
        {"population", 0, BW_OPT_TEXT, &o.wide.population, "COLUMN", "wide: people in the region"},
        {"price", 0, BW_OPT_TEXT, &o.wide.price, "COLUMN", "wide: our price"},
        {"discount", 0, BW_OPT_TEXT, &o.wide.discount, "COLUMN", "wide: share off, 0..1"},
        {"currency", 0, BW_OPT_TEXT, &o.wide.currency, "CODE", "wide: of all money, e.g. EUR"},
        {0}};
    bw_status st = bw_options_parse(&USAGE, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (o.guess)
        return guess(&o, argc, argv, err);
    if (argc != 2)
        return bw_fail(err, BW_EUSAGE,
                       "import: a kind and a file are wanted; see 'bellwether import --help'");
    st = known_kind(argv[0], err);
    bw_buf set = {0};
    struct mapping mapping = {NULL, NULL, NULL};
    bw_import_job job;
    if (st == BW_OK)
        st = read_mapping(&o, argv[0], &mapping, err);
    if (st == BW_OK)
        st = make_job(&o, argv[0], argv[1], &mapping, &set, &job, err);
    if (st == BW_OK)
        st = run_job(o.db, &job, o.json, err);
    free_mapping(&mapping);
    bw_buf_free(&set);
    return st;
}
