/* sql/cmd_sql.c - the sql command: ask the database, read-only unless told otherwise. */
#include "sql/cmd.h"

#include "common/buf.h"
#include "sql/db.h"
#include "sql/query.h"
#include "sql/render.h"
#include "sql/schema_doc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const bw_usage USAGE = {
    "sql QUERY [options]",
    "Asks the database. Views with readable names (weekly, channel_week, channel_effect, ...) are "
    "the easy way in; "
    "--schema explains them and every table. Nothing is changed unless --write is given. '-' reads "
    "the query from "
    "standard input.",
    "  bellwether sql \"SELECT * FROM weekly ORDER BY week DESC LIMIT 8\"\n"
    "  bellwether sql \"SELECT channel, sum(cost) FROM spend GROUP BY 1\" --format csv > cost.csv\n"
    "  bellwether sql --schema channel\n"
    "  bellwether sql --write \"UPDATE channel SET label_en = 'TV' WHERE name = 'tv_S'\"\n"};

struct options {
    const char *db, *format, *plot, *out;
    bool write, schema, json;
};

static bw_status show_schema(const char *part, bw_err *err) {
    bw_buf out = {0};
    size_t found = 0;
    bw_status st = bw_schema_doc(part, &out, &found, err);
    if (st == BW_OK && found == 0)
        st = bw_fail(err, BW_EARG,
                     "no table or view has '%s' in its name; 'bellwether sql --schema' lists all",
                     part);
    if (st == BW_OK)
        fputs(out.text, stdout);
    bw_buf_free(&out);
    return st;
}

static bw_status plot(sqlite3_stmt *s, const struct options *o, const char *query, bw_err *err) {
    bw_query_result *r;
    if (!bw_query_plot)
        return bw_fail(err, BW_EUSAGE, "sql: this program draws no charts");
    bw_status st = bw_query_collect(s, &r, err);
    if (st == BW_OK)
        st = bw_query_plot(r, o->plot, o->out, query, err);
    bw_query_free(r);
    return st;
}

static bw_status run_statement(sqlite3 *db, sqlite3_stmt *s, const struct options *o,
                               const char *query, bw_format format, bw_err *err) {
    if (o->plot)
        return plot(s, o, query, err);
    if (sqlite3_column_count(s) > 0)
        return bw_render(s, format, isatty(STDOUT_FILENO) != 0, stdout, err);
    bool row;
    int before = sqlite3_total_changes(db);
    bw_status st = bw_db_step(s, &row, err);
    if (st == BW_OK) {
        int changed = sqlite3_total_changes(db) - before;
        if (format == BW_FORMAT_JSON)
            printf("{\"changed\": %d}\n", changed);
        else
            fprintf(stderr, "%d %s changed\n", changed, changed == 1 ? "row" : "rows");
    }
    return st;
}

static bw_status run_all(sqlite3 *db, const char *query, const struct options *o, bw_format format,
                         bw_err *err) {
    bw_status st = BW_OK;
    const char *rest = query;
    while (st == BW_OK && *rest) {
        sqlite3_stmt *s;
        const char *from = rest;
        st = bw_query_prepare(db, from, o->write, &s, o->write ? &rest : NULL, err);
        if (!o->write)
            rest = "";
        if (st == BW_OK && s)
            st = run_statement(db, s, o, query, format, err);
        sqlite3_finalize(s);
    }
    return st;
}

static bool several(const char *query) {
    const char *mark = strchr(query, ';');
    while (mark && (*mark == ';' || isspace((unsigned char)*mark)))
        mark++;
    return mark && *mark;
}

/* Several statements that write are one transaction: all or none. */
static bw_status run_query(const char *query, const struct options *o, bw_format format,
                           bw_err *err) {
    sqlite3 *db;
    bw_status st = bw_db_open(bw_default_db(o->db), o->write ? BW_DB_WRITE : BW_DB_READ, &db, err);
    if (st != BW_OK)
        return st;
    bool wrap = o->write && several(query);
    if (wrap)
        st = bw_db_begin(db, err);
    if (st == BW_OK)
        st = run_all(db, query, o, format, err);
    if (wrap)
        st = bw_db_end(db, st, err);
    bw_db_close(db);
    return st;
}

static bw_status read_stdin(bw_buf *b, bw_err *err) {
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        bw_buf_add_n(b, chunk, n);
    return bw_buf_ok(b) && b->text ? BW_OK
                                   : bw_fail(err, BW_EUSAGE, "sql: standard input holds no query");
}

bw_status bw_cmd_sql(int argc, char **argv, bw_err *err) {
    struct options o = {.format = "table"};
    const bw_option options[] = {
        BW_OPTION_DB(o.db),
        BW_OPTION_JSON(o.json),
        {"format", 'f', BW_OPT_TEXT, &o.format, "NAME", "table, csv, json or markdown"},
        {"write", 0, BW_OPT_FLAG, &o.write, NULL, "allow changes"},
        {"schema", 0, BW_OPT_FLAG, &o.schema, NULL,
         "explain tables and views (those with QUERY in the name)"},
        {"plot", 0, BW_OPT_TEXT, &o.plot, "KIND", "draw the result: line, bar or scatter"},
        {"out", 'o', BW_OPT_TEXT, &o.out, "FILE",
         "of --plot; its ending is the format: svg, png, pdf"},
        {0}};
    bw_format format = BW_FORMAT_TABLE;
    bw_status st = bw_options_parse(&USAGE, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (o.schema && (o.json || strcmp(o.format, "table") != 0))
        return bw_fail(err, BW_EUSAGE,
                       "sql: --schema explains in words; a machine asks \"SELECT name, sql FROM "
                       "sqlite_schema\" or pragma_table_info('weekly')");
    if (o.schema && argc <= 1)
        return show_schema(argc ? argv[0] : "", err);
    if (argc != 1)
        return bw_fail(err, BW_EUSAGE,
                       "sql: one query is wanted, in quotes; see 'bellwether sql --help'");
    if (!bw_format_find(o.json ? "json" : o.format, &format))
        return bw_fail(err, BW_EUSAGE, "sql: --format '%s' is not table, csv, json or markdown",
                       o.format);
    bw_buf input = {0};
    if (strcmp(argv[0], "-") == 0)
        st = read_stdin(&input, err);
    if (st == BW_OK)
        st = run_query(input.text ? input.text : argv[0], &o, format, err);
    bw_buf_free(&input);
    return st;
}
