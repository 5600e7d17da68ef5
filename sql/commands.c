/* sql/commands.c - the commands of this room. */
#include "sql/sql.h"
#include "sql/cmd.h"
#include "sql/db.h"

#include <stdio.h>

static bw_status cmd_init(int argc, char **argv, bw_err *err) {
    const char *path = NULL;
    const bw_option options[] = {BW_OPTION_DB(path), {0}};
    const bw_usage usage = {"init [--db FILE]",
                            "Makes a new, empty database, or brings an older one up to date. "
                            "An existing one keeps its data.",
                            "  bellwether init\n  bellwether init --db shop.db\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    path = bw_default_db(path);
    sqlite3 *db;
    st = bw_db_open(path, BW_DB_CREATE, &db, err);
    if (st == BW_OK)
        printf("%s is ready; next: 'bellwether import --help'\n", path);
    bw_db_close(db);
    return st;
}

const bw_command BW_SQL_COMMANDS[] = {
    {"init", "make a new database, or bring an old one up to date", cmd_init},
    {"import", "read a CSV, TSV or JSON-lines file, checking it", bw_cmd_import},
    {"sql", "ask the database; --schema explains its views and tables", bw_cmd_sql},
    {"setting", "show or change currency, margin, week start, owners", bw_cmd_setting},
    {0},
};
