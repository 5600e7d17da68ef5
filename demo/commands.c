/* demo/commands.c - the command of this room. */
#include "demo/job.h"

#include "common/buf.h"
#include "sql/db.h"

#include <stdio.h>
#include <stdlib.h>

static void tell(sqlite3 *db, const char *path) {
    static const struct {
        const char *sql, *one, *many;
    } counts[] = {{"SELECT count(DISTINCT date(day, '-6 days', 'weekday 1')) FROM (SELECT day FROM "
                   "outcome UNION SELECT day "
                   "FROM spend)",
                   "week", "weeks"},
                  {"SELECT count(*) FROM channel", "channel", "channels"},
                  {"SELECT count(*) FROM message", "message", "messages"},
                  {"SELECT count(*) FROM review", "review", "reviews"},
                  {"SELECT count(*) FROM purchase", "purchase", "purchases"}};
    printf("%s: a simulated shop", path);
    const char *before = " with ";
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double n = bw_db_number(db, counts[i].sql, 0);
        if (n > 0)
            printf("%s%.0f %s", before, n, n == 1 ? counts[i].one : counts[i].many), before = ", ";
    }
    puts("\nwhat it was made with is in table demo_truth");
}

/* The command's examples, and the shapes from their table. NULL when memory ran out. */
static char *examples(void) {
    bw_buf b = {0};
    bw_buf_add(&b, "  bellwether demo\n  bellwether demo --db shop.db --out report\n"
                   "  bellwether demo --shape three-weeks --db odd.db --no-report\n\nshapes:\n");
    const char *about, *name;
    for (size_t i = 0; (name = bw_demo_shape_name(i, &about)); i++)
        bw_buf_addf(&b, "  %-16s %s\n", name, about);
    return bw_buf_take(&b);
}

struct demo_args {
    const char *path, *out, *shape;
    long seed;
    bool geos, small, no_report;
};

static bw_status parse(int argc, char **argv, struct demo_args *a, bw_err *err) {
    const bw_option options[] = {
        BW_OPTION_DB(a->path),
        {"out", 0, BW_OPT_TEXT, &a->out, "DIR", "where the report goes (default demo-report)"},
        {"seed", 0, BW_OPT_LONG, &a->seed, "N", "another shop of the same kind (default 1)"},
        {"geos", 0, BW_OPT_FLAG, &a->geos, NULL, "sales and spend by town: 12 towns in 4 regions"},
        {"small", 0, BW_OPT_FLAG, &a->small, NULL, "fewer weeks, texts and customers"},
        {"no-report", 0, BW_OPT_FLAG, &a->no_report, NULL, "only write the raw data"},
        {"shape", 0, BW_OPT_TEXT, &a->shape, "NAME", "an odd shop, see below"},
        {0}};
    char *text = examples();
    if (!text)
        return bw_fail_memory(err);
    const bw_usage usage = {
        "demo [--db FILE] [--out DIR]",
        "Simulates three years of an online shop with known truth into a new database, then\n"
        "runs the whole job on it.",
        text};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    free(text);
    if (st == BW_OK && argc > 0)
        st = bw_fail(err, BW_EUSAGE, "demo takes no '%s'; see 'bellwether demo --help'", argv[0]);
    return st;
}

/* A demo that was interrupted goes on with the shop it left. */
static bw_status fill(sqlite3 *db, const char *path, const bw_demo_options *o, bw_err *err) {
    if (bw_demo_holds(db, o)) {
        printf("%s: holds this shop already\n", path);
        return BW_OK;
    }
    bw_status st = bw_demo_fill(db, o, err);
    if (st == BW_OK)
        tell(db, path);
    return st;
}

static bw_status run(const struct demo_args *a, const bw_demo_options *o, bw_err *err) {
    const char *path = bw_default_db(a->path);
    char page[4200] = "";
    sqlite3 *db;
    bw_status st = bw_db_open(path, BW_DB_CREATE, &db, err);
    if (st == BW_OK)
        st = fill(db, path, o, err);
    if (st == BW_OK && !a->no_report)
        st = job_run(db, o, a->out, page, sizeof page, err);
    bw_db_close(db);
    if (st == BW_OK && *page)
        job_show(page);
    return st;
}

static bw_status cmd_demo(int argc, char **argv, bw_err *err) {
    struct demo_args a = {.out = "demo-report", .seed = 1};
    bw_status st = parse(argc, argv, &a, err);
    bw_demo_options o = bw_demo_default((uint64_t)a.seed);
    if (st == BW_OK && a.shape)
        st = bw_demo_shape(a.shape, (uint64_t)a.seed, &o, err);
    o.geos |= a.geos;
    if (a.small)
        bw_demo_shrink(&o);
    return st == BW_OK ? run(&a, &o, err) : st;
}

const bw_command BW_DEMO_COMMANDS[] = {
    {"demo", "simulate a shop with known truth and report on it", cmd_demo},
    {0},
};
