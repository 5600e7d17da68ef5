/* main.c - the front door: one table of commands from every room, and the only place that prints an
 * error and exits. */
#include "common/command.h"
#include "common/sqlite.h"
#include "analyze/analyze.h"
#include "demo/demo.h"
#include "model/model.h"
#include "reports/charts/query_chart.h"
#include "reports/reports.h"
#include "sql/sql.h"

#include <cblas.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#define BW_VERSION "0.1.0"

static const bw_command *const ROOMS[] = {BW_DEMO_COMMANDS, BW_SQL_COMMANDS, BW_MODEL_COMMANDS,
                                          BW_ANALYZE_COMMANDS, BW_REPORTS_COMMANDS};
#define N_ROOMS (sizeof ROOMS / sizeof *ROOMS)

static void print_commands(FILE *to) {
    fputs("usage: bellwether COMMAND [options]\n\n"
          "What moved sales, which channel earns its money, and what to do this week:\n"
          "one program over one SQLite file.\n\ncommands:\n",
          to);
    for (size_t r = 0; r < N_ROOMS; r++)
        for (const bw_command *c = ROOMS[r]; c->name; c++)
            fprintf(to, "  %-11s %s\n", c->name, c->summary);
    fputs("\n'bellwether COMMAND --help' shows options and examples.\n", to);
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein distance, for "did you mean". */
static size_t distance(const char *a, const char *b) {
    size_t row[32], n = strlen(b);
    if (n > 30)
        return n;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

static bw_status unknown_command(const char *name, bw_err *err) {
    const char *nearest = "help";
    size_t best = 4;
    for (size_t r = 0; r < N_ROOMS; r++)
        for (const bw_command *c = ROOMS[r]; c->name; c++)
            if (distance(name, c->name) < best) {
                best = distance(name, c->name);
                nearest = c->name;
            }
    return bw_fail(err, BW_EUSAGE,
                   "there is no command '%s'; did you mean '%s'? 'bellwether --help' lists them",
                   name, nearest);
}

static bw_status run_command(int argc, char **argv, bw_err *err) {
    for (size_t r = 0; r < N_ROOMS; r++)
        for (const bw_command *c = ROOMS[r]; c->name; c++)
            if (strcmp(c->name, argv[1]) == 0)
                return c->run(argc - 1, argv + 1, err);
    return unknown_command(argv[1], err);
}

static int exit_code(bw_status st) {
    switch (st) {
    case BW_OK:
    case BW_HELP:
        return 0;
    case BW_EUSAGE:
        return 2;
    case BW_EINTERRUPTED:
        return 130;
    default:
        return 1;
    }
}

/* The explanation may quote data: nothing in it commands the terminal. */
static void print_error(char *text) {
    for (char *p = text; *p; p++)
        if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7F)
            *p = '?';
    fprintf(stderr, "bellwether: %s\n", text);
}

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, "C.UTF-8");
    if (argc < 2) {
        print_commands(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_commands(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("bellwether %s (SQLite %s)\n", BW_VERSION, sqlite3_libversion());
        return 0;
    }
    openblas_set_num_threads(1); /* results do not depend on threads; we thread above it */
    bw_interrupt_install();
    sqlite3_auto_extension((void (*)(void))bw_sql_register);
    sqlite3_auto_extension((void (*)(void))bw_model_register);
    sqlite3_auto_extension((void (*)(void))bw_analyze_register);
    bw_query_plot = bw_query_chart;
    bw_err err = {{0}};
    bw_status st = run_command(argc, argv, &err);
    if (fflush(stdout) != 0 && st == BW_OK)
        st = bw_fail(&err, BW_EIO, "the output could not be written");
    if (st != BW_OK && st != BW_HELP && err.text[0])
        print_error(err.text);
    return exit_code(st);
}
