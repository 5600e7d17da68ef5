/* common/command.h - a command is a row in a table; its options are rows in another.
 *
 * Each room exports the commands that are its own; main.c joins the tables, prints the list, and
 * runs one. Parsing, --help and the error for a bad option come from the option table. */
#ifndef BW_COMMON_COMMAND_H
#define BW_COMMON_COMMAND_H

#include "common/status.h"

#include <stddef.h>

typedef struct {
    const char *name;    /* "import" */
    const char *summary; /* one line for the list of commands, no full stop */
    bw_status (*run)(int argc, char **argv, bw_err *err); /* argv[0] is the command's name */
} bw_command;                                             /* tables end with {0} */

typedef enum {
    BW_OPT_FLAG, /* into: bool */
    BW_OPT_TEXT, /* into: const char *, borrowed from argv */
    BW_OPT_LONG, /* into: long */
    BW_OPT_REAL, /* into: double, finite */
    BW_OPT_LIST  /* into: bw_text_list; each time the option is given adds one */
} bw_opt_kind;

/* The values of an option that may be given several times, borrowed from argv. */
typedef struct {
    const char *text[32];
    size_t n;
} bw_text_list;

typedef struct {
    const char *name; /* long name without dashes */
    char letter;      /* short form or 0 */
    bw_opt_kind kind;
    void *into;
    const char *value; /* how the value is called in the help: "FILE" */
    const char *help;
} bw_option; /* tables end with {0} */

typedef struct {
    const char *usage;    /* "import KIND FILE [options]" */
    const char *about;    /* one paragraph */
    const char *examples; /* lines "  bellwether import spend spend.csv\n" */
} bw_usage;

/* Parses options (anywhere on the line); *argc and *argv are left with the operands alone.
 * --help prints the page to stdout and returns BW_HELP; a bad option or value returns BW_EUSAGE. */
bw_status bw_options_parse(const bw_usage *usage, const bw_option *options, int *argc, char ***argv,
                           bw_err *err);

/* The row every database command begins its option table with. */
#define BW_OPTION_DB(variable)                                   \
    {                                                            \
        "db", 0, BW_OPT_TEXT, &(variable), "FILE",               \
            "database (default $BELLWETHER_DB or bellwether.db)" \
    }
#define BW_OPTION_JSON(variable) \
    { "json", 0, BW_OPT_FLAG, &(variable), NULL, "machine-readable output" }

/* path, or $BELLWETHER_DB, or "bellwether.db". */
const char *bw_default_db(const char *path);

#endif
