/* demo/commands.c - the command of this room. */
#include "demo/demo.h"

#include "sql/db.h"

#include <stdio.h>

static bw_status tell(sqlite3 *db, const char *path) {
    printf("a simulated shop is in %s:\n", path);
    printf("  %.0f weeks, %.0f channels, %.0f sales rows, %.0f messages, %.0f reviews, %.0f "
           "purchases\n",
           bw_db_number(db, "SELECT count(*) / 7.0 FROM (SELECT DISTINCT day FROM outcome)", 0),
           bw_db_number(db, "SELECT count(*) FROM channel", 0),
           bw_db_number(db, "SELECT count(*) FROM outcome", 0),
           bw_db_number(db, "SELECT count(*) FROM message", 0),
           bw_db_number(db, "SELECT count(*) FROM review", 0),
           bw_db_number(db, "SELECT count(*) FROM purchase", 0));
    puts("  what it was made with is in table demo_truth");
    return BW_OK;
}

static bw_status fill(const char *path, const bw_demo_options *o, bw_err *err) {
    sqlite3 *db;
    bw_status st = bw_db_open(path, BW_DB_CREATE, &db, err);
    if (st == BW_OK)
        st = bw_demo_fill(db, o, err);
    if (st == BW_OK)
        st = tell(db, path);
    bw_db_close(db);
    return st;
}

static bw_status cmd_demo(int argc, char **argv, bw_err *err) {
    const char *path = NULL, *out = "demo-report", *shape = NULL;
    long seed = 1;
    bool geos = false, no_report = false;
    const bw_option options[] = {
        BW_OPTION_DB(path),
        {"out", 0, BW_OPT_TEXT, &out, "DIR", "where the report goes (default demo-report)"},
        {"seed", 0, BW_OPT_LONG, &seed, "N", "another shop of the same kind (default 1)"},
        {"geos", 0, BW_OPT_FLAG, &geos, NULL, "sales and spend by town: 12 towns in 4 regions"},
        {"no-report", 0, BW_OPT_FLAG, &no_report, NULL, "only write the raw data"},
        {"shape", 0, BW_OPT_TEXT, &shape, "NAME", "an odd shop; NAME 'list' lists them"},
        {0}};
    const bw_usage usage = {
        "demo [--db FILE] [--out DIR]",
        "Simulates three years of an online shop with known truth into a new database, then runs "
        "the whole job on it.",
        "  bellwether demo\n  bellwether demo --db shop.db --out report\n"
        "  bellwether demo --shape three-weeks --db odd.db --no-report\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    bw_demo_options o = bw_demo_default((uint64_t)seed);
    if (shape)
        st = bw_demo_shape(shape, (uint64_t)seed, &o, err);
    o.geos |= geos;
    return st == BW_OK ? fill(bw_default_db(path), &o, err) : st;
}

const bw_command BW_DEMO_COMMANDS[] = {
    {"demo", "simulate a shop with known truth", cmd_demo},
    {0},
};
