/* common/command.c - option tables over getopt_long. */
#include "common/command.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 60
#define HELP_CODE   1000

const char *bw_default_db(const char *path) {
    if (path)
        return path;
    const char *env = getenv("BELLWETHER_DB");
    return env && *env ? env : "bellwether.db";
}

static void print_help(const bw_usage *u, const bw_option *o) {
    printf("usage: bellwether %s\n\n%s\n", u->usage, u->about);
    if (o->name)
        puts("\noptions:");
    for (; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%.1s%s--%s%s%s", o->letter ? "-" : "  ",
                 o->letter ? (char[]){o->letter, '\0'} : "", o->letter ? ", " : "  ", o->name,
                 o->value ? " " : "", o->value ? o->value : "");
        printf("  %-28s %s\n", left, o->help);
    }
    if (u->examples)
        printf("\nexamples:\n%s", u->examples);
}

static bw_status add_to_list(const bw_option *o, const char *value, bw_err *err) {
    bw_text_list *list = o->into;
    if (list->n == sizeof list->text / sizeof *list->text)
        return bw_fail(err, BW_EUSAGE, "--%s: given more than %zu times", o->name, list->n);
    list->text[list->n++] = value;
    return BW_OK;
}

static bw_status store(const bw_option *o, const char *value, bw_err *err) {
    char *end = NULL;
    errno = 0;
    switch (o->kind) {
    case BW_OPT_FLAG:
        *(bool *)o->into = true;
        return BW_OK;
    case BW_OPT_TEXT:
        *(const char **)o->into = value;
        return BW_OK;
    case BW_OPT_LIST:
        return add_to_list(o, value, err);
    case BW_OPT_LONG:
        *(long *)o->into = strtol(value, &end, 10);
        break;
    case BW_OPT_REAL:
        *(double *)o->into = strtod(value, &end);
        break;
    }
    bool bad =
        errno || end == value || *end || (o->kind == BW_OPT_REAL && !isfinite(*(double *)o->into));
    return bad ? bw_fail(err, BW_EUSAGE, "--%s: '%s' is not a%s number", o->name, value,
                         o->kind == BW_OPT_LONG ? " whole" : "")
               : BW_OK;
}

bw_status bw_options_parse(const bw_usage *usage, const bw_option *options, int *argc, char ***argv,
                           bw_err *err) {
    struct option longs[MAX_OPTIONS + 2] = {{0}};
    char shorts[2 * MAX_OPTIONS + 4] = ":h";
    int n = 0;
    for (; options[n].name && n < MAX_OPTIONS; n++) {
        bool takes = options[n].kind != BW_OPT_FLAG;
        longs[n] = (struct option){options[n].name, takes, NULL, HELP_CODE + 1 + n};
        if (options[n].letter)
            strcat(shorts, (char[]){options[n].letter, takes ? ':' : '\0', '\0'});
    }
    longs[n] = (struct option){"help", no_argument, NULL, HELP_CODE};
    const char *command = (*argv)[0];
    opterr = 0;
    optind = 0; /* GNU: start over */
    for (;;) {
        int code = getopt_long(*argc, *argv, shorts, longs, NULL);
        if (code == -1)
            break;
        if (code == HELP_CODE || code == 'h') {
            print_help(usage, options);
            return BW_HELP;
        }
        if (code == '?' || code == ':')
            return bw_fail(err, BW_EUSAGE, "%s: %s %s; see 'bellwether %s --help'", command,
                           code == '?' ? "no such option, or not clear which:"
                                       : "a value is missing after",
                           (*argv)[optind - 1], command);
        int which = code - HELP_CODE - 1;
        for (int i = 0; code < HELP_CODE && i < n; i++)
            if (options[i].letter == code)
                which = i;
        bw_status st = store(&options[which], optarg, err);
        if (st != BW_OK)
            return st;
    }
    *argc -= optind;
    *argv += optind;
    return BW_OK;
}
